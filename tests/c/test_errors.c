/* The last error belongs to the thread, and options remember their first one. */
#include "check.h"
#include <pthread.h>

static void *other_thread(void *unused) {
    (void)unused;
    CHECK_TEXT(gecko_mqtt_last_error_message(), "");
    CHECK_IS(gecko_mqtt_connect(NULL, 0), GECKO_MQTT_ERR_NULL_ARGUMENT);
    CHECK_HAS(gecko_mqtt_last_error_message(), "client");
    return NULL;
}

static void the_last_error_is_the_thread_s_own(void) {
    CHECK_TEXT(gecko_mqtt_last_error_message(), "");
    CHECK_IS(gecko_mqtt_message_ack(NULL), GECKO_MQTT_ERR_NULL_ARGUMENT);
    CHECK_HAS(gecko_mqtt_last_error_message(), "message");
    pthread_t thread;
    CHECK_IS(pthread_create(&thread, NULL, other_thread, NULL), 0);
    pthread_join(thread, NULL);
    CHECK_HAS(gecko_mqtt_last_error_message(), "message");
    /* A success does not clear it. */
    gecko_mqtt_token_t token;
    CHECK_IS(gecko_mqtt_token_init(&token, sizeof token), GECKO_MQTT_OK);
    CHECK_HAS(gecko_mqtt_last_error_message(), "message");
}

static void functions_without_a_status_tell_their_error_too(void) {
    CHECK(!gecko_mqtt_is_connected(NULL));
    CHECK_HAS(gecko_mqtt_last_error_message(), "client is NULL");
}

static void options_remember_their_first_error(void) {
    gecko_mqtt_options_t *options = check_options();
    gecko_mqtt_client_t *client = (gecko_mqtt_client_t *)options;
    CHECK_IS(gecko_mqtt_options_set_queue(options, 10, 1000, 77), GECKO_MQTT_ERR_OUT_OF_RANGE);
    char first[256];
    snprintf(first, sizeof first, "%s", gecko_mqtt_last_error_message());
    CHECK_HAS(first, "77");
    CHECK_IS(gecko_mqtt_options_set_endpoint(options, NULL), GECKO_MQTT_ERR_NULL_ARGUMENT);
    CHECK_IS(gecko_mqtt_options_set_keep_alive_secs(options, 60), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_client_new(options, &client), GECKO_MQTT_ERR_OUT_OF_RANGE);
    CHECK_TEXT(gecko_mqtt_last_error_message(), first);
    CHECK(client == NULL);
    gecko_mqtt_options_free(options);
}

static void a_missing_endpoint_is_told(void) {
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    gecko_mqtt_client_t *client = NULL;
    CHECK_IS(gecko_mqtt_client_new(options, &client), GECKO_MQTT_ERR_INVALID_CONFIGURATION);
    CHECK_HAS(gecko_mqtt_last_error_message(), "endpoint");
    CHECK(client == NULL);
    gecko_mqtt_options_free(options);
}

int main(void) {
    the_last_error_is_the_thread_s_own();
    functions_without_a_status_tell_their_error_too();
    options_remember_their_first_error();
    a_missing_endpoint_is_told();
    return check_result();
}
