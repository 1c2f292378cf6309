/* The size of a structure: older ones, newer ones, and none. */
#include "check.h"

/* What a later version of the library might have. */
typedef struct {
    gecko_mqtt_token_t now;
    uint64_t later;
} longer_token_t;

typedef struct {
    gecko_mqtt_ack_t now;
    unsigned char later[16];
} longer_ack_t;

static void tokens_are_read_by_their_size(void) {
    gecko_mqtt_options_t *options = check_options();
    longer_token_t token;
    memset(&token, 0, sizeof token);
    token.now.access_token = "not-a-jwt";
    token.now.expires_in_secs = 3600;

    token.now.size = sizeof(gecko_mqtt_token_t);
    CHECK_IS(gecko_mqtt_options_set_token(options, &token.now), GECKO_MQTT_OK);
    token.now.size = sizeof token;
    CHECK_IS(gecko_mqtt_options_set_token(options, &token.now), GECKO_MQTT_OK);
    token.later = 1;
    CHECK_IS(gecko_mqtt_options_set_token(options, &token.now), GECKO_MQTT_ERR_STRUCT_SIZE);
    CHECK_HAS(gecko_mqtt_last_error_message(), "token");
    /* Shorter: a version without the members behind the token. */
    token.now.size = (uint32_t)offsetof(gecko_mqtt_token_t, username);
    token.now.username = (const char *)(uintptr_t)1;
    CHECK_IS(gecko_mqtt_options_set_token(options, &token.now), GECKO_MQTT_OK);
    static const uint32_t none[] = {0, 1, 3, 4097, UINT32_MAX};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        token.now.size = none[i];
        CHECK_IS(gecko_mqtt_options_set_token(options, &token.now), GECKO_MQTT_ERR_STRUCT_SIZE);
    }
    gecko_mqtt_options_free(options);
}

static void messages_are_read_by_their_size(void) {
    gecko_mqtt_client_t *client = check_client();
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("a/b", "text", 1);
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_OK);
    message.size = (uint32_t)offsetof(gecko_mqtt_message_t, content_type);
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_OK);
    message.size = 0;
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_ERR_STRUCT_SIZE);
    /* As far as its size says there is no topic. */
    message.size = (uint32_t)offsetof(gecko_mqtt_message_t, topic);
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_ERR_NULL_ARGUMENT);
    gecko_mqtt_client_free(client);
}

static void acknowledgements_are_written_within_their_size(void) {
    gecko_mqtt_client_t *client = check_client();
    longer_ack_t ack;
    memset(&ack, 0x5a, sizeof ack);
    ack.now.size = sizeof ack;
    /* Nothing is connected, so the time is over before anything is sent. */
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("a/b", "text", 1);
    CHECK_IS(gecko_mqtt_publish_wait(client, &message, 0, &ack.now), GECKO_MQTT_ERR_TIMEOUT);
    CHECK_IS(ack.now.size, sizeof ack);
    CHECK_IS(ack.now.status, GECKO_MQTT_ERR_TIMEOUT);
    CHECK_IS(ack.now.reason_code, -1);
    CHECK_IS(ack.now.round_trip_ms, 0);
    CHECK_TEXT(ack.now.error, gecko_mqtt_last_error_message());
    CHECK_IS(ack.now.error_len, strlen(gecko_mqtt_last_error_message()));
    for (size_t i = 0; i < sizeof ack.later; i++)
        CHECK_IS(ack.later[i], 0x5a);

    memset(&ack, 0x5a, sizeof ack);
    ack.now.size = (uint32_t)offsetof(gecko_mqtt_ack_t, round_trip_ms);
    CHECK_IS(gecko_mqtt_publish_wait(client, &message, 0, &ack.now), GECKO_MQTT_ERR_TIMEOUT);
    CHECK_IS(ack.now.status, GECKO_MQTT_ERR_TIMEOUT);
    CHECK_IS(ack.now.round_trip_ms, 0x5a5a5a5a);

    /* An output that cannot be written is refused before anything is sent. */
    ack.now.size = 0;
    CHECK_IS(gecko_mqtt_publish_wait(client, &message, 0, &ack.now), GECKO_MQTT_ERR_STRUCT_SIZE);
    CHECK_IS(gecko_mqtt_publish_wait(client, NULL, 0, NULL), GECKO_MQTT_ERR_NULL_ARGUMENT);
    /* Whatever was wrong, the output says so. */
    ack.now.size = sizeof ack.now;
    CHECK_IS(gecko_mqtt_publish_wait(NULL, &message, 0, &ack.now), GECKO_MQTT_ERR_NULL_ARGUMENT);
    CHECK_IS(ack.now.status, GECKO_MQTT_ERR_NULL_ARGUMENT);
    gecko_mqtt_client_free(client);
}

static void initialisers_agree_with_their_macros(void) {
    gecko_mqtt_message_t message, message_macro = GECKO_MQTT_MESSAGE_INIT;
    gecko_mqtt_token_t token, token_macro = GECKO_MQTT_TOKEN_INIT;
    memset(&message, 0xff, sizeof message);
    memset(&token, 0xff, sizeof token);
    CHECK_IS(gecko_mqtt_message_init(&message, sizeof message), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_token_init(&token, sizeof token), GECKO_MQTT_OK);
    CHECK(memcmp(&message, &message_macro, sizeof message) == 0);
    CHECK(memcmp(&token, &token_macro, sizeof token) == 0);
    gecko_mqtt_ack_t ack;
    CHECK_IS(gecko_mqtt_ack_init(&ack, sizeof ack), GECKO_MQTT_OK);
    CHECK_IS(ack.size, sizeof ack);

    CHECK_IS(gecko_mqtt_message_init(&message, 0), GECKO_MQTT_ERR_STRUCT_SIZE);
    CHECK_IS(gecko_mqtt_message_init(&message, 3), GECKO_MQTT_ERR_STRUCT_SIZE);
    CHECK_IS(gecko_mqtt_message_init(&message, (size_t)-1), GECKO_MQTT_ERR_STRUCT_SIZE);
}

int main(void) {
    tokens_are_read_by_their_size();
    messages_are_read_by_their_size();
    acknowledgements_are_written_within_their_size();
    initialisers_agree_with_their_macros();
    return check_result();
}
