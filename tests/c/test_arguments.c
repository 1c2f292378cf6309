/* Numbers, text and paths that cannot be. */
#include "check.h"

static void enumerations_are_checked(gecko_mqtt_options_t *options, gecko_mqtt_client_t *client) {
    static const int32_t none[] = {-1, 3, 1000, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        CHECK_IS(gecko_mqtt_options_set_queue(options, 10, 1000, none[i]), GECKO_MQTT_ERR_OUT_OF_RANGE);
        CHECK_IS(gecko_mqtt_options_set_dispatch(options, none[i]), GECKO_MQTT_ERR_OUT_OF_RANGE);
        CHECK_IS(gecko_mqtt_subscribe(client, "a", none[i], NULL, NULL, NULL, NULL, NULL),
                 GECKO_MQTT_ERR_OUT_OF_RANGE);
    }
    CHECK_IS(gecko_mqtt_options_set_queue(options, 10, 1000, GECKO_MQTT_QUEUE_DROP_OLDEST_QOS0),
             GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_options_set_queue(options, 10, 1000, GECKO_MQTT_QUEUE_DROP_OLDEST), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_options_set_dispatch(options, GECKO_MQTT_DISPATCH_APP), GECKO_MQTT_OK);
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("a", "b", 3);
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_ERR_OUT_OF_RANGE);
    message.qos = 0;
    message.payload_format = 2;
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_ERR_OUT_OF_RANGE);
}

static void numbers_have_their_range(gecko_mqtt_options_t *options) {
    CHECK_IS(gecko_mqtt_options_set_reconnect(options, true, 5, 1000, 500, 2.0), GECKO_MQTT_ERR_OUT_OF_RANGE);
    CHECK_IS(gecko_mqtt_options_set_reconnect(options, true, 5, 1000, 60000, 0.5),
             GECKO_MQTT_ERR_OUT_OF_RANGE);
    CHECK_IS(gecko_mqtt_options_set_receive_maximum(options, 0), GECKO_MQTT_ERR_OUT_OF_RANGE);
    CHECK_IS(gecko_mqtt_options_set_max_incoming_packet(options, 0), GECKO_MQTT_ERR_OUT_OF_RANGE);
    CHECK_IS(gecko_mqtt_options_set_queue(options, 0, 0, GECKO_MQTT_QUEUE_REJECT_NEW),
             GECKO_MQTT_ERR_OUT_OF_RANGE);
}

static void text_is_utf8(gecko_mqtt_options_t *options, gecko_mqtt_client_t *client) {
    static const char latin1[] = "caf\xe9";
    CHECK_IS(gecko_mqtt_options_set_client_id(options, latin1), GECKO_MQTT_ERR_INVALID_UTF8);
    CHECK_IS(gecko_mqtt_subscribe(client, latin1, 0, NULL, NULL, NULL, NULL, NULL),
             GECKO_MQTT_ERR_INVALID_UTF8);
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("a", latin1, 0);
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_ERR_INVALID_UTF8);
    message.payload_format = 0;
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_OK);
    message.topic = "a\0b";
    message.topic_len = 3;
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_ERR_INVALID_TOPIC);
}

static void topics_are_what_mqtt_allows(gecko_mqtt_client_t *client) {
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_INIT;
    message.topic = "";
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_ERR_INVALID_TOPIC);
    message.topic = "a/+/b";
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_ERR_INVALID_TOPIC);
    CHECK_IS(gecko_mqtt_subscribe(client, "a#", 0, NULL, NULL, NULL, NULL, NULL),
             GECKO_MQTT_ERR_INVALID_TOPIC_FILTER);
    CHECK_IS(gecko_mqtt_unsubscribe(client, "", NULL, NULL), GECKO_MQTT_ERR_INVALID_TOPIC_FILTER);
}

static void arrays_are_checked(gecko_mqtt_client_t *client) {
    gecko_mqtt_subscription_t filters[] = {GECKO_MQTT_SUBSCRIPTION("a", 1),
                                           GECKO_MQTT_SUBSCRIPTION("b/#", 0)};
    CHECK_IS(gecko_mqtt_subscribe_many(client, filters, 2, NULL, NULL, NULL, NULL, NULL), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_subscribe_many(client, filters, 0, NULL, NULL, NULL, NULL, NULL),
             GECKO_MQTT_ERR_INVALID_ARGUMENT);
    CHECK_IS(gecko_mqtt_subscribe_many(client, filters, (size_t)-1, NULL, NULL, NULL, NULL, NULL),
             GECKO_MQTT_ERR_OUT_OF_RANGE);
    filters[1].retain_handling = 3;
    CHECK_IS(gecko_mqtt_subscribe_many(client, filters, 2, NULL, NULL, NULL, NULL, NULL),
             GECKO_MQTT_ERR_OUT_OF_RANGE);
    filters[1].retain_handling = 0;
    filters[1].reserved[2] = 1;
    CHECK_IS(gecko_mqtt_subscribe_many(client, filters, 2, NULL, NULL, NULL, NULL, NULL),
             GECKO_MQTT_ERR_INVALID_ARGUMENT);
    filters[1].reserved[2] = 0;
    filters[1].filter = NULL;
    CHECK_IS(gecko_mqtt_subscribe_many(client, filters, 2, NULL, NULL, NULL, NULL, NULL),
             GECKO_MQTT_ERR_NULL_ARGUMENT);

    gecko_mqtt_user_property_t properties[] = {GECKO_MQTT_USER_PROPERTY("unit", "celsius"),
                                               GECKO_MQTT_USER_PROPERTY("", "")};
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("a", "b", 1);
    message.user_properties = properties;
    message.user_property_count = 2;
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_OK);
    message.user_property_count = (size_t)-1;
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_ERR_OUT_OF_RANGE);
    message.user_property_count = 2;
    properties[1].value = NULL;
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_ERR_NULL_ARGUMENT);
    message.user_properties = NULL;
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_ERR_NULL_ARGUMENT);
}

static void lengths_are_checked(gecko_mqtt_options_t *options, gecko_mqtt_client_t *client) {
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_INIT;
    message.topic = "a";
    message.payload_len = 10;
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_ERR_NULL_ARGUMENT);
    message.payload = "";
    message.payload_len = (size_t)-1;
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_ERR_OUT_OF_RANGE);
    CHECK_IS(gecko_mqtt_options_set_ca_pem(options, (const uint8_t *)"", (size_t)-1),
             GECKO_MQTT_ERR_OUT_OF_RANGE);
}

static void files_are_read_at_once(gecko_mqtt_options_t *options) {
    CHECK_IS(gecko_mqtt_options_set_ca_file(options, "/nonexistent/ca.pem"), GECKO_MQTT_ERR_FILE);
    CHECK_HAS(gecko_mqtt_last_error_message(), "/nonexistent/ca.pem");
    CHECK_IS(gecko_mqtt_options_set_certificate_file(options, "/nonexistent/c", "/nonexistent/k"),
             GECKO_MQTT_ERR_FILE);
}

static void an_empty_token_is_none(gecko_mqtt_options_t *options, gecko_mqtt_client_t *client) {
    gecko_mqtt_token_t token = GECKO_MQTT_TOKEN_INIT;
    CHECK_IS(gecko_mqtt_options_set_token(options, &token), GECKO_MQTT_ERR_INVALID_TOKEN);
    CHECK_IS(gecko_mqtt_set_token(client, &token), GECKO_MQTT_ERR_INVALID_TOKEN);
    token.access_token = "";
    CHECK_IS(gecko_mqtt_options_set_token(options, &token), GECKO_MQTT_ERR_INVALID_TOKEN);
    CHECK_IS(gecko_mqtt_set_token(client, &token), GECKO_MQTT_ERR_INVALID_TOKEN);
    CHECK_IS(gecko_mqtt_token_request_complete(1, &token), GECKO_MQTT_ERR_INVALID_TOKEN);
    CHECK_HAS(gecko_mqtt_last_error_message(), "the token is empty");
}

static void levels_are_checked(void) {
    CHECK_IS(gecko_mqtt_log_set_level("info"), GECKO_MQTT_ERR_INVALID_CONFIGURATION);
    CHECK_IS(gecko_mqtt_log_init("loud", NULL, true), GECKO_MQTT_ERR_INVALID_ARGUMENT);
    CHECK_IS(gecko_mqtt_log_init("error", NULL, true), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_log_init("error", NULL, true), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_log_set_level("off"), GECKO_MQTT_OK);
}

int main(void) {
    gecko_mqtt_options_t *options = check_options();
    gecko_mqtt_client_t *client = check_client();
    enumerations_are_checked(options, client);
    numbers_have_their_range(options);
    text_is_utf8(options, client);
    topics_are_what_mqtt_allows(client);
    arrays_are_checked(client);
    lengths_are_checked(options, client);
    files_are_read_at_once(options);
    an_empty_token_is_none(options, client);
    levels_are_checked();

    char *id = NULL;
    CHECK_IS(gecko_mqtt_get_client_id(client, &id), GECKO_MQTT_OK);
    CHECK(id != NULL && strlen(id) > 0);
    gecko_mqtt_string_free(id);
    gecko_mqtt_client_free(client);
    gecko_mqtt_options_free(options);
    return check_result();
}
