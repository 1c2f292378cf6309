/* A destroy hook runs exactly once, whatever becomes of its registration; a completion is told once, or
 * never. */
#include "check.h"

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

static char app_states[64];

static void on_app_state(const char *state, void *userdata) {
    snprintf(app_states + strlen(app_states), sizeof app_states - strlen(app_states), "%s;", state);
    ++*(int *)userdata;
}

static void on_token_needed(gecko_mqtt_token_request_t request, void *userdata) {
    (void)request;
    (void)userdata;
}

/* Also a completion for those calls whose userdata is the counter. */
static void count(void *userdata) { ++*(int *)userdata; }

static gecko_mqtt_status_t last_status = -1;

static void on_done(const gecko_mqtt_ack_t *ack, void *userdata) {
    last_status = ack->status;
    CHECK_IS(ack->size, sizeof *ack);
    CHECK(ack->error != NULL && strlen(ack->error) == ack->error_len);
    ++*(int *)userdata;
}

/* That `call`, which fails, has run the hook exactly once when it returns. */
#define HOOK_RUNS(expected, call)                                                                            \
    do {                                                                                                     \
        int hooks = 0;                                                                                       \
        CHECK_IS(call, expected);                                                                            \
        CHECK_IS(hooks, 1);                                                                                  \
    } while (0)

static void failed_registrations_run_their_hook(void) {
    gecko_mqtt_client_t *client = check_client();
    gecko_mqtt_options_t *options = check_options();
    gecko_mqtt_client_t *wrong = (gecko_mqtt_client_t *)options;
    gecko_mqtt_subscription_t filter = GECKO_MQTT_SUBSCRIPTION("a", 1);
    gecko_mqtt_ack_t bad = GECKO_MQTT_ACK_INIT;
    bad.size = 0;

    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_on_message(NULL, on_message, &hooks, count));
    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_on_message(client, NULL, &hooks, count));
    HOOK_RUNS(GECKO_MQTT_ERR_INVALID_HANDLE, gecko_mqtt_on_message(wrong, on_message, &hooks, count));
    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT,
              gecko_mqtt_on_connection_state_change(NULL, on_state, &hooks, count));
    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT,
              gecko_mqtt_on_connection_state_change(client, NULL, &hooks, count));
    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_on_connection_event(NULL, on_event, &hooks, count));
    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_on_connection_event(client, NULL, &hooks, count));
    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_on_state_change(NULL, on_app_state, &hooks, count));
    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT, gecko_mqtt_on_state_change(client, NULL, &hooks, count));
    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT,
              gecko_mqtt_options_set_token_provider(NULL, on_token_needed, &hooks, count));
    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT,
              gecko_mqtt_options_set_token_provider(options, NULL, &hooks, count));
    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT,
              gecko_mqtt_subscribe(NULL, "a", 1, on_message, &hooks, count, NULL, NULL));
    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT,
              gecko_mqtt_subscribe(client, NULL, 1, on_message, &hooks, count, NULL, NULL));
    HOOK_RUNS(GECKO_MQTT_ERR_OUT_OF_RANGE,
              gecko_mqtt_subscribe(client, "a", 7, on_message, &hooks, count, NULL, NULL));
    HOOK_RUNS(GECKO_MQTT_ERR_INVALID_TOPIC_FILTER,
              gecko_mqtt_subscribe(client, "a#", 1, on_message, &hooks, count, NULL, NULL));
    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT,
              gecko_mqtt_subscribe_many(client, NULL, 1, on_message, &hooks, count, NULL, NULL));
    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT,
              gecko_mqtt_subscribe_many(NULL, &filter, 1, on_message, &hooks, count, NULL, NULL));
    HOOK_RUNS(GECKO_MQTT_ERR_NULL_ARGUMENT,
              gecko_mqtt_subscribe_wait(NULL, "a", 1, on_message, &hooks, count, 0, NULL));
    HOOK_RUNS(GECKO_MQTT_ERR_STRUCT_SIZE,
              gecko_mqtt_subscribe_wait(client, "a", 1, on_message, &hooks, count, 0, &bad));
    /* Without a handler there is nothing to keep the userdata for. */
    HOOK_RUNS(GECKO_MQTT_OK, gecko_mqtt_subscribe(client, "a", 1, NULL, &hooks, count, NULL, NULL));
    gecko_mqtt_options_free(options);
    gecko_mqtt_client_free(client);
}

static void registrations_end_with_their_client(void) {
    gecko_mqtt_client_t *client = check_client();
    int message = 0, state = 0, event = 0, handler = 0, replaced = 0, removed = 0;
    CHECK_IS(gecko_mqtt_on_message(client, on_message, &message, count), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_on_connection_state_change(client, on_state, &state, count), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_on_connection_event(client, on_event, &event, count), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_subscribe(client, "a", 1, on_message, &replaced, count, NULL, NULL), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_subscribe(client, "a", 1, on_message, &handler, count, NULL, NULL), GECKO_MQTT_OK);
    /* It gives way when the server has granted the other one. */
    CHECK_IS(replaced, 0);
    CHECK_IS(gecko_mqtt_on_message(client, on_message, &removed, count), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_remove_listeners(client, &removed), GECKO_MQTT_OK);
    CHECK_IS(removed, 1);
    CHECK_IS(gecko_mqtt_remove_listeners(client, &removed), GECKO_MQTT_ERR_NOT_FOUND);
    CHECK_IS(message + state + event + handler, 0);
    gecko_mqtt_client_free(client);
    CHECK_IS(message, 1);
    CHECK_IS(state, 1);
    CHECK_IS(event, 1);
    CHECK_IS(handler, 1);
    CHECK_IS(replaced, 1);
    CHECK_IS(removed, 1);
}

static void a_provider_lives_as_long_as_anybody_who_may_ask(void) {
    int first = 0, second = 0;
    gecko_mqtt_options_t *options = check_options();
    gecko_mqtt_client_t *client = NULL;
    CHECK_IS(gecko_mqtt_options_set_endpoint(options, "localhost"), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_options_set_token_provider(options, on_token_needed, &first, count), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_options_set_token_provider(options, on_token_needed, &second, count), GECKO_MQTT_OK);
    CHECK_IS(first, 1);
    CHECK_IS(gecko_mqtt_client_new(options, &client), GECKO_MQTT_OK);
    gecko_mqtt_options_free(options);
    CHECK_IS(second, 0);
    gecko_mqtt_client_free(client);
    CHECK_IS(second, 1);
    CHECK_IS(first, 1);
}

static void an_accepted_message_is_told_its_end_and_a_refused_one_is_not(void) {
    gecko_mqtt_options_t *options = check_options();
    CHECK_IS(gecko_mqtt_options_set_queue(options, 2, 1000, GECKO_MQTT_QUEUE_REJECT_NEW), GECKO_MQTT_OK);
    gecko_mqtt_client_t *client = NULL;
    CHECK_IS(gecko_mqtt_client_new(options, &client), GECKO_MQTT_OK);
    gecko_mqtt_options_free(options);
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("a/b", "text", 1);
    int done = 0, refused = 0;
    CHECK_IS(gecko_mqtt_publish(client, &message, on_done, &done), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_publish(client, &message, on_done, &done), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_publish(client, &message, on_done, &refused), GECKO_MQTT_ERR_QUEUE_FULL);
    message.topic = "a/#";
    CHECK_IS(gecko_mqtt_publish(client, &message, on_done, &refused), GECKO_MQTT_ERR_INVALID_TOPIC);
    gecko_mqtt_client_free(client);
    CHECK_IS(done, 2);
    CHECK_IS(refused, 0);
    CHECK_IS(last_status, GECKO_MQTT_ERR_CANCELLED);
}

static void the_application_s_own_state_is_told_once_and_in_order(void) {
    gecko_mqtt_options_t *options = check_options();
    gecko_mqtt_client_t *client = NULL;
    int told = 0;
    size_t ran = 0;
    char longest[1026];
    memset(longest, 'x', sizeof longest);
    longest[1025] = '\0';
    CHECK_IS(gecko_mqtt_options_set_dispatch(options, GECKO_MQTT_DISPATCH_APP), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_client_new(options, &client), GECKO_MQTT_OK);
    gecko_mqtt_options_free(options);
    CHECK_IS(gecko_mqtt_on_state_change(client, on_app_state, &told, NULL), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_change_state(client, "heating"), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_change_state(client, "heating"), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_change_state(client, "idle"), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_change_state(client, "heating"), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_change_state(client, longest), GECKO_MQTT_ERR_OUT_OF_RANGE);
    CHECK_IS(gecko_mqtt_change_state(client, "\xff"), GECKO_MQTT_ERR_INVALID_UTF8);
    CHECK_IS(gecko_mqtt_dispatch(client, 0, &ran), GECKO_MQTT_OK);
    CHECK_IS(ran, 3);
    CHECK_TEXT(app_states, "heating;idle;heating;");
    /* What nobody takes is bounded. */
    int n = 0;
    gecko_mqtt_status_t status = GECKO_MQTT_OK;
    while (status == GECKO_MQTT_OK && n < 10000) {
        char state[16];
        snprintf(state, sizeof state, "%d", n++);
        status = gecko_mqtt_change_state(client, state);
    }
    CHECK_IS(status, GECKO_MQTT_ERR_QUEUE_FULL);
    gecko_mqtt_client_free(client);
    CHECK_IS(told, 3);
}

static void a_history_is_a_snapshot(void) {
    gecko_mqtt_client_t *client = check_client();
    gecko_mqtt_history_t *history = NULL;
    char *json = NULL;
    CHECK_IS(gecko_mqtt_get_connection_history(client, &history), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_history_count(history), 0);
    CHECK(gecko_mqtt_history_at(history, 0) == NULL);
    CHECK_HAS(gecko_mqtt_last_error_message(), "event 0");
    CHECK_IS(gecko_mqtt_history_json(client, &json), GECKO_MQTT_OK);
    CHECK_TEXT(json, "[]");
    gecko_mqtt_string_free(json);
    gecko_mqtt_client_free(client);
    CHECK_IS(gecko_mqtt_history_count(history), 0);
    gecko_mqtt_history_free(history);
    gecko_mqtt_history_free(history);
    CHECK_IS(gecko_mqtt_history_count((gecko_mqtt_history_t *)client), 0);
    CHECK_HAS(gecko_mqtt_last_error_message(), "history");
    CHECK_TEXT(gecko_mqtt_event_kind_string(GECKO_MQTT_EVENT_STOPPED), "STOPPED");
    CHECK_TEXT(gecko_mqtt_event_kind_string(-1), "UNKNOWN");
}

int main(void) {
    the_application_s_own_state_is_told_once_and_in_order();
    a_history_is_a_snapshot();
    failed_registrations_run_their_hook();
    registrations_end_with_their_client();
    a_provider_lives_as_long_as_anybody_who_may_ask();
    an_accepted_message_is_told_its_end_and_a_refused_one_is_not();
    return check_result();
}
