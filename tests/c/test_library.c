/* The library's version, and the words for statuses and states. */
#include "check.h"

int main(void) {
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", GECKO_MQTT_VERSION_MAJOR, GECKO_MQTT_VERSION_MINOR,
             GECKO_MQTT_VERSION_PATCH);
    CHECK_TEXT(gecko_mqtt_version(), version);
    CHECK_TEXT(gecko_mqtt_version(), GECKO_MQTT_VERSION);
    CHECK_IS(gecko_mqtt_abi_version(), GECKO_MQTT_ABI_VERSION);

    CHECK_TEXT(gecko_mqtt_status_string(GECKO_MQTT_OK), "success");
    CHECK_TEXT(gecko_mqtt_status_string(GECKO_MQTT_ERR_QUEUE_FULL), "queue is full");
    CHECK_TEXT(gecko_mqtt_status_string(12345), "unknown status");
    CHECK_TEXT(gecko_mqtt_status_string(-1), "unknown status");
    /* Every status of the header has words; the groups say how many there are at least. */
    int known = 0;
    for (gecko_mqtt_status_t status = 0; status < 1000; status++)
        known += strcmp(gecko_mqtt_status_string(status), "unknown status") != 0;
    CHECK(known >= 70);
    static const gecko_mqtt_status_t first_and_last[] = {
        GECKO_MQTT_ERR_INVALID_ARGUMENT, GECKO_MQTT_ERR_CLOSED,         GECKO_MQTT_ERR_CONNECTION,
        GECKO_MQTT_ERR_NOT_CONNECTED,    GECKO_MQTT_ERR_NOT_AUTHORIZED, GECKO_MQTT_ERR_INVALID_TOKEN,
        GECKO_MQTT_ERR_TOKEN_REFRESH,    GECKO_MQTT_ERR_TOKEN_TIMEOUT,  GECKO_MQTT_ERR_SERVER_DISCONNECTED,
        GECKO_MQTT_ERR_DISCONNECTED,     GECKO_MQTT_ERR_QUEUE_FULL,     GECKO_MQTT_ERR_EXPIRED,
        GECKO_MQTT_ERR_INTERNAL,         GECKO_MQTT_ERR_SYSTEM,
    };
    for (size_t i = 0; i < sizeof first_and_last / sizeof first_and_last[0]; i++)
        CHECK(strcmp(gecko_mqtt_status_string(first_and_last[i]), "unknown status") != 0);

    CHECK_TEXT(gecko_mqtt_connection_state_string(GECKO_MQTT_STATE_DISCONNECTED), "DISCONNECTED");
    CHECK_TEXT(gecko_mqtt_connection_state_string(GECKO_MQTT_STATE_CONNECTED), "CONNECTED");
    CHECK_TEXT(gecko_mqtt_connection_state_string(GECKO_MQTT_STATE_CREDENTIAL_REFRESH_FAILED),
               "CREDENTIAL_REFRESH_FAILED");
    CHECK_TEXT(gecko_mqtt_connection_state_string(99), "UNKNOWN");
    CHECK_TEXT(gecko_mqtt_connection_state_string(-1), "UNKNOWN");
    return check_result();
}
