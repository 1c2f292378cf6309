/* NULL in every pointer position of every function is a status, or harmless. A test beside the header's
   (tests/header) compares this list with the header: none can be forgotten. */
#include "check.h"

/* The function, the parameter that is NULL, what is expected, and the call. */
#define NULL_IN(function, parameter, expected, call)                                                         \
    check_number(__FILE__, __LINE__, #function "(" #parameter ")", (long long)(call), (long long)(expected))

static int hooks;
static const uint8_t bytes[] = {0};

static void on_message(const gecko_mqtt_message_t *message, void *userdata) {
    (void)message;
    (void)userdata;
}

static void on_state(gecko_mqtt_connection_state_t state, void *userdata) {
    (void)state;
    (void)userdata;
}

static void on_event(const gecko_mqtt_connection_event_t *event, void *userdata) {
    (void)event;
    (void)userdata;
}

static void on_app_state(const char *state, void *userdata) {
    (void)state;
    (void)userdata;
}

static void on_token_needed(gecko_mqtt_token_request_t request, void *userdata) {
    (void)request;
    (void)userdata;
}

static void on_done(const gecko_mqtt_ack_t *ack, void *userdata) {
    (void)ack;
    (void)userdata;
}

static void on_record(const gecko_mqtt_log_record_t *record, void *userdata) {
    (void)record;
    (void)userdata;
}

static void on_destroy(void *userdata) { (void)userdata; }

static void structures(void) {
    NULL_IN(gecko_mqtt_ack_init, ack, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_ack_init(NULL, sizeof(gecko_mqtt_ack_t)));
    NULL_IN(gecko_mqtt_stats_init, stats, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_stats_init(NULL, sizeof(gecko_mqtt_stats_t)));
    NULL_IN(gecko_mqtt_message_init, message, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_message_init(NULL, sizeof(gecko_mqtt_message_t)));
    NULL_IN(gecko_mqtt_token_init, token, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_token_init(NULL, sizeof(gecko_mqtt_token_t)));
}

static void in_options(gecko_mqtt_options_t *options) {
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("a", "b", 1);
    gecko_mqtt_token_t token = GECKO_MQTT_TOKEN_INIT;
    NULL_IN(gecko_mqtt_options_free, options, 0, (gecko_mqtt_options_free(NULL), 0));
    NULL_IN(gecko_mqtt_options_set_reconnect, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_reconnect(NULL, true, 1000, 1000, 60000, 2.0));
    NULL_IN(gecko_mqtt_options_set_reconnect_cooldown_secs, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_reconnect_cooldown_secs(NULL, 1000));
    NULL_IN(gecko_mqtt_options_set_queue, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_queue(NULL, 1000, 1000, GECKO_MQTT_QUEUE_REJECT_NEW));
    NULL_IN(gecko_mqtt_options_set_offline_qos0, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_offline_qos0(NULL, true));
    NULL_IN(gecko_mqtt_options_set_history_size, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_history_size(NULL, 1000));
    NULL_IN(gecko_mqtt_options_set_pacing, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_pacing(NULL, 1000, 1000));
    NULL_IN(gecko_mqtt_options_set_dispatch, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_dispatch(NULL, GECKO_MQTT_DISPATCH_THREAD));
    NULL_IN(gecko_mqtt_options_set_certificate_file, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_certificate_file(NULL, "a", "a"));
    NULL_IN(gecko_mqtt_options_set_certificate_file, cert_path, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_certificate_file(options, NULL, "a"));
    NULL_IN(gecko_mqtt_options_set_certificate_file, key_path, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_certificate_file(options, "a", NULL));
    NULL_IN(gecko_mqtt_options_set_certificate_pem, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_certificate_pem(NULL, bytes, 1, bytes, 1));
    NULL_IN(gecko_mqtt_options_set_certificate_pem, cert, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_certificate_pem(options, NULL, 1, bytes, 1));
    NULL_IN(gecko_mqtt_options_set_certificate_pem, key, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_certificate_pem(options, bytes, 1, NULL, 1));
    NULL_IN(gecko_mqtt_options_set_username, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_username(NULL, "a"));
    NULL_IN(gecko_mqtt_options_set_username, username, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_username(options, NULL));
    NULL_IN(gecko_mqtt_options_set_password, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_password(NULL, bytes, 1));
    NULL_IN(gecko_mqtt_options_set_password, password, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_password(options, NULL, 1));
    NULL_IN(gecko_mqtt_options_set_authorizer, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_authorizer(NULL, "a", "a", "a"));
    NULL_IN(gecko_mqtt_options_set_authorizer, name, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_authorizer(options, NULL, "a", "a"));
    NULL_IN(gecko_mqtt_options_set_authorizer, token_key, GECKO_MQTT_OK,
            gecko_mqtt_options_set_authorizer(options, "a", NULL, NULL));
    NULL_IN(gecko_mqtt_options_set_authorizer, signature, GECKO_MQTT_OK,
            gecko_mqtt_options_set_authorizer(options, "a", "a", NULL));
    NULL_IN(gecko_mqtt_options_set_token, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_token(NULL, &token));
    NULL_IN(gecko_mqtt_options_set_token, token, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_token(options, NULL));
    NULL_IN(gecko_mqtt_options_set_token_provider, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_token_provider(NULL, on_token_needed, &hooks, on_destroy));
    NULL_IN(gecko_mqtt_options_set_token_provider, provider, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_token_provider(options, NULL, &hooks, on_destroy));
    NULL_IN(gecko_mqtt_options_set_token_provider, userdata, GECKO_MQTT_OK,
            gecko_mqtt_options_set_token_provider(options, on_token_needed, NULL, on_destroy));
    NULL_IN(gecko_mqtt_options_set_token_provider, destroy, GECKO_MQTT_OK,
            gecko_mqtt_options_set_token_provider(options, on_token_needed, &hooks, NULL));
    NULL_IN(gecko_mqtt_options_set_refresh_threshold_secs, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_refresh_threshold_secs(NULL, 1000));
    NULL_IN(gecko_mqtt_options_set_token_timeout_ms, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_token_timeout_ms(NULL, 0));
    NULL_IN(gecko_mqtt_options_set_endpoint, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_endpoint(NULL, "a"));
    NULL_IN(gecko_mqtt_options_set_endpoint, host, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_endpoint(options, NULL));
    NULL_IN(gecko_mqtt_options_set_port, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_port(NULL, 1000));
    NULL_IN(gecko_mqtt_options_set_broker_url, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_broker_url(NULL, "a"));
    NULL_IN(gecko_mqtt_options_set_broker_url, url, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_broker_url(options, NULL));
    NULL_IN(gecko_mqtt_options_set_region, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_region(NULL, "a"));
    NULL_IN(gecko_mqtt_options_set_region, region, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_region(options, NULL));
    NULL_IN(gecko_mqtt_options_set_client_id, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_client_id(NULL, "a"));
    NULL_IN(gecko_mqtt_options_set_client_id, client_id, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_client_id(options, NULL));
    NULL_IN(gecko_mqtt_options_set_ca_file, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_ca_file(NULL, "a"));
    NULL_IN(gecko_mqtt_options_set_ca_file, path, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_ca_file(options, NULL));
    NULL_IN(gecko_mqtt_options_set_ca_pem, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_ca_pem(NULL, bytes, 1));
    NULL_IN(gecko_mqtt_options_set_ca_pem, pem, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_ca_pem(options, NULL, 1));
    NULL_IN(gecko_mqtt_options_set_alpn, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_alpn(NULL, "a"));
    NULL_IN(gecko_mqtt_options_set_alpn, protocol, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_alpn(options, NULL));
    NULL_IN(gecko_mqtt_options_set_keep_alive_secs, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_keep_alive_secs(NULL, 1000));
    NULL_IN(gecko_mqtt_options_set_clean_start, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_clean_start(NULL, true));
    NULL_IN(gecko_mqtt_options_set_session_expiry_secs, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_session_expiry_secs(NULL, 1000));
    NULL_IN(gecko_mqtt_options_set_connect_timeout_ms, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_connect_timeout_ms(NULL, 0));
    NULL_IN(gecko_mqtt_options_set_operation_timeout_ms, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_operation_timeout_ms(NULL, 0));
    NULL_IN(gecko_mqtt_options_set_receive_maximum, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_receive_maximum(NULL, 1000));
    NULL_IN(gecko_mqtt_options_set_max_incoming_packet, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_max_incoming_packet(NULL, 1000));
    NULL_IN(gecko_mqtt_options_set_will, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_will(NULL, &message, 1000));
    NULL_IN(gecko_mqtt_options_set_will, message, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_will(options, NULL, 1000));
    NULL_IN(gecko_mqtt_options_set_manual_ack, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_options_set_manual_ack(NULL, true));
}

static void in_clients(gecko_mqtt_options_t *options, gecko_mqtt_client_t *client) {
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("a", "b", 1);
    gecko_mqtt_subscription_t filter = GECKO_MQTT_SUBSCRIPTION("a", 1);
    gecko_mqtt_ack_t ack = GECKO_MQTT_ACK_INIT;
    gecko_mqtt_stats_t stats = GECKO_MQTT_STATS_INIT;
    gecko_mqtt_history_t *history = NULL;
    gecko_mqtt_token_t token = GECKO_MQTT_TOKEN_INIT;
    const gecko_mqtt_message_t *kept = NULL;
    gecko_mqtt_client_t *other = NULL;
    char *text = NULL;
    size_t ran = 0;
    NULL_IN(gecko_mqtt_string_free, text, 0, (gecko_mqtt_string_free(NULL), 0));
    NULL_IN(gecko_mqtt_client_new, options, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_client_new(NULL, &other));
    NULL_IN(gecko_mqtt_client_new, out, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_client_new(options, NULL));
    NULL_IN(gecko_mqtt_client_free, client, 0, (gecko_mqtt_client_free(NULL), 0));
    NULL_IN(gecko_mqtt_connect, client, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_connect(NULL, 0));
    NULL_IN(gecko_mqtt_disconnect, client, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_disconnect(NULL, 0));
    NULL_IN(gecko_mqtt_enable_reconnection, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_enable_reconnection(NULL));
    NULL_IN(gecko_mqtt_disable_reconnection, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_disable_reconnection(NULL));
    NULL_IN(gecko_mqtt_is_reconnection_enabled, client, false, gecko_mqtt_is_reconnection_enabled(NULL));
    NULL_IN(gecko_mqtt_network_changed, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_network_changed(NULL));
    NULL_IN(gecko_mqtt_get_client_id, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_get_client_id(NULL, &text));
    NULL_IN(gecko_mqtt_get_client_id, out, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_get_client_id(client, NULL));
    NULL_IN(gecko_mqtt_remove_listeners, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_remove_listeners(NULL, &hooks));
    NULL_IN(gecko_mqtt_remove_listeners, userdata, GECKO_MQTT_ERR_NOT_FOUND,
            gecko_mqtt_remove_listeners(client, NULL));
    NULL_IN(gecko_mqtt_dispatch_fd, client, -1, gecko_mqtt_dispatch_fd(NULL));
    NULL_IN(gecko_mqtt_dispatch, client, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_dispatch(NULL, 0, &ran));
    NULL_IN(gecko_mqtt_dispatch, ran, GECKO_MQTT_ERR_INVALID_CONFIGURATION,
            gecko_mqtt_dispatch(client, 0, NULL));
    NULL_IN(gecko_mqtt_is_connected, client, false, gecko_mqtt_is_connected(NULL));
    NULL_IN(gecko_mqtt_get_connection_state, client, GECKO_MQTT_STATE_DISCONNECTED,
            gecko_mqtt_get_connection_state(NULL));
    NULL_IN(gecko_mqtt_set_token, client, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_set_token(NULL, &token));
    NULL_IN(gecko_mqtt_set_token, token, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_set_token(client, NULL));
    NULL_IN(gecko_mqtt_refresh_token, client, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_refresh_token(NULL));
    NULL_IN(gecko_mqtt_set_certificate_file, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_set_certificate_file(NULL, "a", "a"));
    NULL_IN(gecko_mqtt_set_certificate_file, cert_path, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_set_certificate_file(client, NULL, "a"));
    NULL_IN(gecko_mqtt_set_certificate_file, key_path, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_set_certificate_file(client, "a", NULL));
    NULL_IN(gecko_mqtt_set_certificate_pem, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_set_certificate_pem(NULL, bytes, 1, bytes, 1));
    NULL_IN(gecko_mqtt_set_certificate_pem, cert, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_set_certificate_pem(client, NULL, 1, bytes, 1));
    NULL_IN(gecko_mqtt_set_certificate_pem, key, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_set_certificate_pem(client, bytes, 1, NULL, 1));
    NULL_IN(gecko_mqtt_get_connection_history, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_get_connection_history(NULL, &history));
    NULL_IN(gecko_mqtt_get_connection_history, out, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_get_connection_history(client, NULL));
    NULL_IN(gecko_mqtt_history_count, history, 0, gecko_mqtt_history_count(NULL));
    NULL_IN(gecko_mqtt_history_at, history, 1, gecko_mqtt_history_at(NULL, 0) == NULL);
    NULL_IN(gecko_mqtt_history_free, history, 0, (gecko_mqtt_history_free(NULL), 0));
    NULL_IN(gecko_mqtt_history_json, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_history_json(NULL, &text));
    NULL_IN(gecko_mqtt_history_json, out, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_history_json(client, NULL));
    NULL_IN(gecko_mqtt_change_state, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_change_state(NULL, "a"));
    NULL_IN(gecko_mqtt_change_state, state, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_change_state(client, NULL));
    NULL_IN(gecko_mqtt_on_state_change, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_on_state_change(NULL, on_app_state, &hooks, on_destroy));
    NULL_IN(gecko_mqtt_on_state_change, listener, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_on_state_change(client, NULL, &hooks, on_destroy));
    NULL_IN(gecko_mqtt_on_state_change, userdata, GECKO_MQTT_OK,
            gecko_mqtt_on_state_change(client, on_app_state, NULL, on_destroy));
    NULL_IN(gecko_mqtt_on_state_change, destroy, GECKO_MQTT_OK,
            gecko_mqtt_on_state_change(client, on_app_state, &hooks, NULL));
    NULL_IN(gecko_mqtt_get_stats, client, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_get_stats(NULL, &stats));
    NULL_IN(gecko_mqtt_get_stats, stats, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_get_stats(client, NULL));
    NULL_IN(gecko_mqtt_stats_json, client, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_stats_json(NULL, &text));
    NULL_IN(gecko_mqtt_stats_json, out, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_stats_json(client, NULL));
    NULL_IN(gecko_mqtt_reset_stats, client, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_reset_stats(NULL));
    NULL_IN(gecko_mqtt_on_connection_event, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_on_connection_event(NULL, on_event, &hooks, on_destroy));
    NULL_IN(gecko_mqtt_on_connection_event, listener, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_on_connection_event(client, NULL, &hooks, on_destroy));
    NULL_IN(gecko_mqtt_on_connection_event, userdata, GECKO_MQTT_OK,
            gecko_mqtt_on_connection_event(client, on_event, NULL, on_destroy));
    NULL_IN(gecko_mqtt_on_connection_event, destroy, GECKO_MQTT_OK,
            gecko_mqtt_on_connection_event(client, on_event, &hooks, NULL));
    NULL_IN(gecko_mqtt_on_connection_state_change, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_on_connection_state_change(NULL, on_state, &hooks, on_destroy));
    NULL_IN(gecko_mqtt_on_connection_state_change, listener, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_on_connection_state_change(client, NULL, &hooks, on_destroy));
    NULL_IN(gecko_mqtt_on_connection_state_change, userdata, GECKO_MQTT_OK,
            gecko_mqtt_on_connection_state_change(client, on_state, NULL, on_destroy));
    NULL_IN(gecko_mqtt_on_connection_state_change, destroy, GECKO_MQTT_OK,
            gecko_mqtt_on_connection_state_change(client, on_state, &hooks, NULL));
    NULL_IN(gecko_mqtt_on_message, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_on_message(NULL, on_message, &hooks, on_destroy));
    NULL_IN(gecko_mqtt_on_message, listener, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_on_message(client, NULL, &hooks, on_destroy));
    NULL_IN(gecko_mqtt_on_message, userdata, GECKO_MQTT_OK,
            gecko_mqtt_on_message(client, on_message, NULL, on_destroy));
    NULL_IN(gecko_mqtt_on_message, destroy, GECKO_MQTT_OK,
            gecko_mqtt_on_message(client, on_message, &hooks, NULL));
    NULL_IN(gecko_mqtt_message_ack, message, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_message_ack(NULL));
    NULL_IN(gecko_mqtt_message_retain, message, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_message_retain(NULL, &kept));
    NULL_IN(gecko_mqtt_message_retain, out, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_message_retain(&message, NULL));
    NULL_IN(gecko_mqtt_message_release, message, 0, (gecko_mqtt_message_release(NULL), 0));
    NULL_IN(gecko_mqtt_publish, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_publish(NULL, &message, on_done, &hooks));
    NULL_IN(gecko_mqtt_publish, message, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_publish(client, NULL, on_done, &hooks));
    NULL_IN(gecko_mqtt_publish, completion, GECKO_MQTT_OK,
            gecko_mqtt_publish(client, &message, NULL, &hooks));
    NULL_IN(gecko_mqtt_publish, userdata, GECKO_MQTT_OK, gecko_mqtt_publish(client, &message, on_done, NULL));
    NULL_IN(gecko_mqtt_publish_wait, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_publish_wait(NULL, &message, 0, &ack));
    NULL_IN(gecko_mqtt_publish_wait, message, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_publish_wait(client, NULL, 0, &ack));
    NULL_IN(gecko_mqtt_publish_wait, out, GECKO_MQTT_ERR_TIMEOUT,
            gecko_mqtt_publish_wait(client, &message, 0, NULL));
    NULL_IN(gecko_mqtt_subscribe, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_subscribe(NULL, "a", 1, on_message, &hooks, on_destroy, on_done, &hooks));
    NULL_IN(gecko_mqtt_subscribe, filter, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_subscribe(client, NULL, 1, on_message, &hooks, on_destroy, on_done, &hooks));
    NULL_IN(gecko_mqtt_subscribe, handler, GECKO_MQTT_OK,
            gecko_mqtt_subscribe(client, "a", 1, NULL, &hooks, on_destroy, on_done, &hooks));
    NULL_IN(gecko_mqtt_subscribe, userdata, GECKO_MQTT_OK,
            gecko_mqtt_subscribe(client, "a", 1, on_message, NULL, on_destroy, on_done, &hooks));
    NULL_IN(gecko_mqtt_subscribe, destroy, GECKO_MQTT_OK,
            gecko_mqtt_subscribe(client, "a", 1, on_message, &hooks, NULL, on_done, &hooks));
    NULL_IN(gecko_mqtt_subscribe, completion, GECKO_MQTT_OK,
            gecko_mqtt_subscribe(client, "a", 1, on_message, &hooks, on_destroy, NULL, &hooks));
    NULL_IN(gecko_mqtt_subscribe, completion_userdata, GECKO_MQTT_OK,
            gecko_mqtt_subscribe(client, "a", 1, on_message, &hooks, on_destroy, on_done, NULL));
    NULL_IN(gecko_mqtt_subscribe_wait, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_subscribe_wait(NULL, "a", 1, on_message, &hooks, on_destroy, 0, &ack));
    NULL_IN(gecko_mqtt_subscribe_wait, filter, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_subscribe_wait(client, NULL, 1, on_message, &hooks, on_destroy, 0, &ack));
    NULL_IN(gecko_mqtt_subscribe_wait, handler, GECKO_MQTT_ERR_TIMEOUT,
            gecko_mqtt_subscribe_wait(client, "a", 1, NULL, &hooks, on_destroy, 0, &ack));
    NULL_IN(gecko_mqtt_subscribe_wait, userdata, GECKO_MQTT_ERR_TIMEOUT,
            gecko_mqtt_subscribe_wait(client, "a", 1, on_message, NULL, on_destroy, 0, &ack));
    NULL_IN(gecko_mqtt_subscribe_wait, destroy, GECKO_MQTT_ERR_TIMEOUT,
            gecko_mqtt_subscribe_wait(client, "a", 1, on_message, &hooks, NULL, 0, &ack));
    NULL_IN(gecko_mqtt_subscribe_wait, out, GECKO_MQTT_ERR_TIMEOUT,
            gecko_mqtt_subscribe_wait(client, "a", 1, on_message, &hooks, on_destroy, 0, NULL));
    NULL_IN(gecko_mqtt_subscribe_many, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_subscribe_many(NULL, &filter, 1, on_message, &hooks, on_destroy, on_done, &hooks));
    NULL_IN(gecko_mqtt_subscribe_many, subscriptions, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_subscribe_many(client, NULL, 1, on_message, &hooks, on_destroy, on_done, &hooks));
    NULL_IN(gecko_mqtt_subscribe_many, handler, GECKO_MQTT_OK,
            gecko_mqtt_subscribe_many(client, &filter, 1, NULL, &hooks, on_destroy, on_done, &hooks));
    NULL_IN(gecko_mqtt_subscribe_many, userdata, GECKO_MQTT_OK,
            gecko_mqtt_subscribe_many(client, &filter, 1, on_message, NULL, on_destroy, on_done, &hooks));
    NULL_IN(gecko_mqtt_subscribe_many, destroy, GECKO_MQTT_OK,
            gecko_mqtt_subscribe_many(client, &filter, 1, on_message, &hooks, NULL, on_done, &hooks));
    NULL_IN(gecko_mqtt_subscribe_many, completion, GECKO_MQTT_OK,
            gecko_mqtt_subscribe_many(client, &filter, 1, on_message, &hooks, on_destroy, NULL, &hooks));
    NULL_IN(gecko_mqtt_subscribe_many, completion_userdata, GECKO_MQTT_OK,
            gecko_mqtt_subscribe_many(client, &filter, 1, on_message, &hooks, on_destroy, on_done, NULL));
    NULL_IN(gecko_mqtt_unsubscribe, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_unsubscribe(NULL, "a", on_done, &hooks));
    NULL_IN(gecko_mqtt_unsubscribe, filter, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_unsubscribe(client, NULL, on_done, &hooks));
    NULL_IN(gecko_mqtt_unsubscribe, completion, GECKO_MQTT_OK,
            gecko_mqtt_unsubscribe(client, "a", NULL, &hooks));
    NULL_IN(gecko_mqtt_unsubscribe, userdata, GECKO_MQTT_OK,
            gecko_mqtt_unsubscribe(client, "a", on_done, NULL));
    NULL_IN(gecko_mqtt_unsubscribe_wait, client, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_unsubscribe_wait(NULL, "a", 0, &ack));
    NULL_IN(gecko_mqtt_unsubscribe_wait, filter, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_unsubscribe_wait(client, NULL, 0, &ack));
    NULL_IN(gecko_mqtt_unsubscribe_wait, out, GECKO_MQTT_ERR_TIMEOUT,
            gecko_mqtt_unsubscribe_wait(client, "a", 0, NULL));
    NULL_IN(gecko_mqtt_token_request_complete, token, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_token_request_complete(0, NULL));
    NULL_IN(gecko_mqtt_token_request_fail, reason, GECKO_MQTT_ERR_NOT_FOUND,
            gecko_mqtt_token_request_fail(0, NULL));
}

static void in_logging(void) {
    NULL_IN(gecko_mqtt_log_init, level, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_log_init(NULL, NULL, true));
    NULL_IN(gecko_mqtt_log_init, file, GECKO_MQTT_OK, gecko_mqtt_log_init("info", NULL, true));
    NULL_IN(gecko_mqtt_log_init_json, level, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_log_init_json(NULL, NULL, true));
    NULL_IN(gecko_mqtt_log_init_json, file, GECKO_MQTT_OK, gecko_mqtt_log_init_json("info", NULL, true));
    NULL_IN(gecko_mqtt_log_set_callback, level, GECKO_MQTT_ERR_NULL_ARGUMENT,
            gecko_mqtt_log_set_callback(NULL, on_record, &hooks, on_destroy));
    NULL_IN(gecko_mqtt_log_set_callback, callback, GECKO_MQTT_OK,
            gecko_mqtt_log_set_callback("info", NULL, &hooks, on_destroy));
    NULL_IN(gecko_mqtt_log_set_callback, userdata, GECKO_MQTT_OK,
            gecko_mqtt_log_set_callback("info", on_record, NULL, on_destroy));
    NULL_IN(gecko_mqtt_log_set_callback, destroy, GECKO_MQTT_OK,
            gecko_mqtt_log_set_callback("info", on_record, &hooks, NULL));
    NULL_IN(gecko_mqtt_log_set_level, level, GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_log_set_level(NULL));
}

int main(void) {
    gecko_mqtt_options_t *options = check_options();
    gecko_mqtt_client_t *client = check_client();
    structures();
    in_options(options);
    in_clients(options, client);
    in_logging();
    gecko_mqtt_client_free(client);
    gecko_mqtt_options_free(options);
    return check_result();
}
