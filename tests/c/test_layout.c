/* The shapes that compiled programs rely on: they never change, only grow at the end. */
#include "check.h"

#ifdef __cplusplus
#define LAYOUT(condition) static_assert(condition, #condition)
#else
#define LAYOUT(condition) _Static_assert(condition, #condition)
#endif

#define WORD sizeof(void *)
#define AT(type, member, words, bytes) LAYOUT(offsetof(type, member) == (words)*WORD + (bytes))

AT(gecko_mqtt_message_t, size, 0, 0);
AT(gecko_mqtt_message_t, qos, 0, 4);
AT(gecko_mqtt_message_t, retain, 0, 5);
AT(gecko_mqtt_message_t, dup, 0, 6);
AT(gecko_mqtt_message_t, payload_format, 0, 7);
AT(gecko_mqtt_message_t, topic, 0, 8);
AT(gecko_mqtt_message_t, topic_len, 1, 8);
AT(gecko_mqtt_message_t, payload, 2, 8);
AT(gecko_mqtt_message_t, payload_len, 3, 8);
AT(gecko_mqtt_message_t, content_type, 4, 8);
AT(gecko_mqtt_message_t, content_type_len, 5, 8);
AT(gecko_mqtt_message_t, response_topic, 6, 8);
AT(gecko_mqtt_message_t, response_topic_len, 7, 8);
AT(gecko_mqtt_message_t, correlation_data, 8, 8);
AT(gecko_mqtt_message_t, correlation_data_len, 9, 8);
AT(gecko_mqtt_message_t, user_properties, 10, 8);
AT(gecko_mqtt_message_t, user_property_count, 11, 8);
AT(gecko_mqtt_message_t, subscription_ids, 12, 8);
AT(gecko_mqtt_message_t, subscription_id_count, 13, 8);
AT(gecko_mqtt_message_t, message_expiry_secs, 14, 8);
AT(gecko_mqtt_message_t, reserved, 14, 12);
AT(gecko_mqtt_message_t, received, 14, 16);
LAYOUT(sizeof(gecko_mqtt_message_t) == 14 * WORD + 24);

AT(gecko_mqtt_token_t, size, 0, 0);
AT(gecko_mqtt_token_t, expires_in_secs, 0, 4);
AT(gecko_mqtt_token_t, access_token, 0, 8);
AT(gecko_mqtt_token_t, username, 1, 8);
AT(gecko_mqtt_token_t, signature, 2, 8);
AT(gecko_mqtt_token_t, broker_url, 3, 8);
LAYOUT(sizeof(gecko_mqtt_token_t) == 4 * WORD + 8);

AT(gecko_mqtt_ack_t, size, 0, 0);
AT(gecko_mqtt_ack_t, status, 0, 4);
AT(gecko_mqtt_ack_t, reason_code, 0, 8);
AT(gecko_mqtt_ack_t, round_trip_ms, 0, 12);
AT(gecko_mqtt_ack_t, error, 0, 16);
AT(gecko_mqtt_ack_t, error_len, 1, 16);
LAYOUT(sizeof(gecko_mqtt_ack_t) == 2 * WORD + 16);

AT(gecko_mqtt_connection_event_t, size, 0, 0);
AT(gecko_mqtt_connection_event_t, kind, 0, 4);
AT(gecko_mqtt_connection_event_t, state, 0, 8);
AT(gecko_mqtt_connection_event_t, status, 0, 12);
AT(gecko_mqtt_connection_event_t, reason_code, 0, 16);
AT(gecko_mqtt_connection_event_t, attempt, 0, 20);
AT(gecko_mqtt_connection_event_t, time_ms, 0, 24);
AT(gecko_mqtt_connection_event_t, delay_ms, 0, 32);
AT(gecko_mqtt_connection_event_t, session_present, 0, 36);
AT(gecko_mqtt_connection_event_t, message, 0, 40);
AT(gecko_mqtt_connection_event_t, error, 2, 40);
LAYOUT(sizeof(gecko_mqtt_connection_event_t) == 4 * WORD + 40);

AT(gecko_mqtt_stats_t, size, 0, 0);
AT(gecko_mqtt_stats_t, attempts, 0, 8);
AT(gecko_mqtt_stats_t, success_rate, 0, 32);
AT(gecko_mqtt_stats_t, messages_sent, 0, 64);
AT(gecko_mqtt_stats_t, connected_since_ms, 0, 200);
LAYOUT(sizeof(gecko_mqtt_stats_t) == 208);

AT(gecko_mqtt_log_record_t, size, 0, 0);
AT(gecko_mqtt_log_record_t, level, 0, 4);
AT(gecko_mqtt_log_record_t, time_ms, 0, 8);
AT(gecko_mqtt_log_record_t, text, 0, 16);
AT(gecko_mqtt_log_record_t, message, 2, 16);
AT(gecko_mqtt_log_record_t, fields, 4, 16);
AT(gecko_mqtt_log_record_t, target, 6, 16);
LAYOUT(sizeof(gecko_mqtt_log_record_t) == 8 * WORD + 16);

/* Elements of arrays: these never grow. */
AT(gecko_mqtt_user_property_t, name, 0, 0);
AT(gecko_mqtt_user_property_t, value, 2, 0);
LAYOUT(sizeof(gecko_mqtt_user_property_t) == 6 * WORD);
AT(gecko_mqtt_subscription_t, filter, 0, 0);
AT(gecko_mqtt_subscription_t, qos, 2, 0);
AT(gecko_mqtt_subscription_t, no_local, 2, 1);
AT(gecko_mqtt_subscription_t, retain_as_published, 2, 2);
AT(gecko_mqtt_subscription_t, retain_handling, 2, 3);
LAYOUT(sizeof(gecko_mqtt_subscription_t) == 2 * WORD + 16);

LAYOUT(sizeof(gecko_mqtt_status_t) == 4);
LAYOUT(sizeof(gecko_mqtt_connection_state_t) == 4);
LAYOUT(sizeof(gecko_mqtt_token_request_t) == 8);
LAYOUT(GECKO_MQTT_WAIT_DEFAULT == UINT32_MAX);

/* Numbers that are compiled into programs. */
LAYOUT(GECKO_MQTT_OK == 0);
LAYOUT(GECKO_MQTT_ERR_INVALID_ARGUMENT == 100 && GECKO_MQTT_ERR_NULL_ARGUMENT == 101);
LAYOUT(GECKO_MQTT_ERR_CONNECTION == 200 && GECKO_MQTT_ERR_NOT_AUTHORIZED == 300);
LAYOUT(GECKO_MQTT_ERR_TOKEN_REFRESH == 400 && GECKO_MQTT_ERR_SERVER_DISCONNECTED == 500);
LAYOUT(GECKO_MQTT_ERR_QUEUE_FULL == 600 && GECKO_MQTT_ERR_INTERNAL == 900);
LAYOUT(GECKO_MQTT_STATE_DISCONNECTED == 0 && GECKO_MQTT_STATE_CONNECTED == 2);
LAYOUT(GECKO_MQTT_EVENT_ATTEMPTING == 0 && GECKO_MQTT_EVENT_STOPPED == 9);
LAYOUT(GECKO_MQTT_LOG_ERROR == 1 && GECKO_MQTT_LOG_TRACE == 5);
LAYOUT(GECKO_MQTT_QUEUE_REJECT_NEW == 0 && GECKO_MQTT_DISPATCH_THREAD == 0);

int main(void) {
    gecko_mqtt_message_t text = GECKO_MQTT_MESSAGE_TEXT("a/b", "text", 1);
    CHECK_TEXT(text.topic, "a/b");
    CHECK_IS(text.qos, 1);
    CHECK_IS(text.payload_len, 4);
    CHECK_IS(text.payload_format, 1);
    gecko_mqtt_subscription_t subscription = GECKO_MQTT_SUBSCRIPTION("a/#", 2);
    CHECK_TEXT(subscription.filter, "a/#");
    CHECK_IS(subscription.qos, 2);
    gecko_mqtt_user_property_t property = GECKO_MQTT_USER_PROPERTY("name", "value");
    CHECK_TEXT(property.name, "name");
    CHECK_TEXT(property.value, "value");
    return check_result();
}
