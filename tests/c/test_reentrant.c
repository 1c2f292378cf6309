/* Every call that could wait for itself, from within every kind of callback, in both dispatch modes: it
 * works, or says GECKO_MQTT_ERR_WOULD_DEADLOCK, or that the client is gone; it never hangs. */
#include "live.h"

/* --- What is called ---------------------------------------------------------------------------------- */

typedef enum {
    SUBSCRIBE,
    SUBSCRIBE_WAIT,
    UNSUBSCRIBE_WAIT,
    PUBLISH,
    PUBLISH_WAIT,
    CONNECT,
    DISCONNECT_AT_ONCE,
    DISCONNECT,
    DISPATCH,
    REMOVE_LISTENERS,
    SET_LOG_CALLBACK,
    FREE,
    CALLS
} call_t;

static const char *const call_names[CALLS] = {"subscribe",        "subscribe_wait",   "unsubscribe_wait",
                                              "publish",          "publish_wait",     "connect",
                                              "disconnect",       "disconnect",       "dispatch",
                                              "remove_listeners", "log_set_callback", "client_free"};

/* Where the callback runs, as far as waiting is concerned. */
typedef enum {
    INSIDE, /* where callbacks run: what waits for the callbacks of this client would wait for this one */
    APART,  /* on a thread that holds nothing up */
    LOGGER, /* on whichever thread logs, perhaps the one that all waits are for */
    ENDED,  /* the client is being freed */
    PLACES
} place_t;

#define OK GECKO_MQTT_OK
#define DEADLOCK GECKO_MQTT_ERR_WOULD_DEADLOCK
#define GONE GECKO_MQTT_ERR_INVALID_HANDLE
#define NO_MODE GECKO_MQTT_ERR_INVALID_CONFIGURATION

static gecko_mqtt_status_t expected(call_t call, place_t place, int by_hand) {
    static const gecko_mqtt_status_t table[CALLS][PLACES] = {
        /*                       INSIDE    APART LOGGER    ENDED */
        /* SUBSCRIBE          */ {OK, OK, OK, GONE},
        /* SUBSCRIBE_WAIT     */ {OK, OK, DEADLOCK, GONE},
        /* UNSUBSCRIBE_WAIT   */ {OK, OK, DEADLOCK, GONE},
        /* PUBLISH            */ {OK, OK, OK, GONE},
        /* PUBLISH_WAIT       */ {OK, OK, DEADLOCK, GONE},
        /* CONNECT            */ {OK, OK, DEADLOCK, GONE},
        /* DISCONNECT_AT_ONCE */ {OK, OK, OK, GONE},
        /* DISCONNECT         */ {DEADLOCK, OK, DEADLOCK, GONE},
        /* DISPATCH           */ {DEADLOCK, OK, DEADLOCK, GONE},
        /* REMOVE_LISTENERS   */ {OK, OK, OK, GONE},
        /* SET_LOG_CALLBACK   */ {OK, OK, OK, OK},
        /* FREE               */ {OK, OK, OK, OK},
    };
    if (call == DISPATCH && !by_hand && place != LOGGER && place != ENDED)
        return NO_MODE;
    return table[call][place];
}

/* --- From within what -------------------------------------------------------------------------------- */

typedef struct {
    gecko_mqtt_client_t *client;
    call_t call;
    gecko_mqtt_status_t status;
    counter_t entered, left, done, replaced;
    counter_t hooks; /* of a listener that every client has */
    counter_t extra; /* of one that only REMOVE_LISTENERS is about */
    char *broker_url;
    int by_hand;
} case_t;

static void ignore_message(const gecko_mqtt_message_t *message, void *userdata) {
    (void)message;
    (void)userdata;
}

static void ignore_state(gecko_mqtt_connection_state_t state, void *userdata) {
    (void)state;
    (void)userdata;
}

static void ignore_record(const gecko_mqtt_log_record_t *record, void *userdata) {
    (void)record;
    (void)userdata;
}

static void count_hook(void *counter) { counter_add((counter_t *)counter); }

static gecko_mqtt_status_t called(case_t *it) {
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("r/out", "hello", 1);
    switch (it->call) {
    case SUBSCRIBE:
        return gecko_mqtt_subscribe(it->client, "r/a", 1, ignore_message, NULL, NULL, NULL, NULL);
    case SUBSCRIBE_WAIT:
        return gecko_mqtt_subscribe_wait(it->client, "r/a", 1, ignore_message, NULL, NULL, LIMIT_MS, NULL);
    case UNSUBSCRIBE_WAIT:
        return gecko_mqtt_unsubscribe_wait(it->client, "r/none", LIMIT_MS, NULL);
    case PUBLISH:
        return gecko_mqtt_publish(it->client, &message, NULL, NULL);
    case PUBLISH_WAIT:
        return gecko_mqtt_publish_wait(it->client, &message, LIMIT_MS, NULL);
    case CONNECT:
        return gecko_mqtt_connect(it->client, LIMIT_MS);
    case DISCONNECT_AT_ONCE:
        return gecko_mqtt_disconnect(it->client, 0);
    case DISCONNECT:
        return gecko_mqtt_disconnect(it->client, LIMIT_MS);
    case DISPATCH:
        return gecko_mqtt_dispatch(it->client, 1, NULL);
    case REMOVE_LISTENERS:
        return gecko_mqtt_remove_listeners(it->client, &it->extra);
    case SET_LOG_CALLBACK:
        return gecko_mqtt_log_set_callback("warn", ignore_record, NULL, NULL);
    default:
        gecko_mqtt_client_free(it->client);
        return GECKO_MQTT_OK;
    }
}

/* What every callback does, once. */
static void perform(case_t *it) {
    int first;
    pthread_mutex_lock(&it->entered.lock);
    first = it->entered.count++ == 0;
    pthread_mutex_unlock(&it->entered.lock);
    if (!first)
        return;
    it->status = called(it);
    counter_add(&it->done);
}

static void in_message(const gecko_mqtt_message_t *message, void *it) {
    (void)message;
    perform((case_t *)it);
}

static void in_state(gecko_mqtt_connection_state_t state, void *it) {
    if (state == GECKO_MQTT_STATE_CONNECTED)
        perform((case_t *)it);
}

static void in_event(const gecko_mqtt_connection_event_t *event, void *it) {
    if (event->kind == GECKO_MQTT_EVENT_CONNECTED)
        perform((case_t *)it);
}

static void in_app_state(const char *state, void *it) {
    CHECK(strcmp(state, "heating") == 0);
    perform((case_t *)it);
}

static void in_completion(const gecko_mqtt_ack_t *ack, void *it) {
    CHECK(ack->size == sizeof *ack);
    perform((case_t *)it);
}

static void in_hook(void *it) { perform((case_t *)it); }

/* The first token at once; the callback in question is the one that a refresh makes. */
static void in_provider(gecko_mqtt_token_request_t request, void *userdata) {
    case_t *it = (case_t *)userdata;
    gecko_mqtt_token_t token = GECKO_MQTT_TOKEN_INIT;
    gecko_mqtt_status_t status;
    token.broker_url = it->broker_url;
    if (counter_get(&it->replaced) > 0)
        perform(it);
    status = gecko_mqtt_token_request_complete(request, &token);
    CHECK(status == GECKO_MQTT_OK || (it->call >= DISCONNECT_AT_ONCE && status == GECKO_MQTT_ERR_NOT_FOUND));
    counter_add(&it->left);
}

static int on_a_library_thread(void) {
    char name[16] = "";
    CHECK(pthread_getname_np(pthread_self(), name, sizeof name) == 0);
    return strcmp(name, "gecko-mqtt-work") == 0;
}

static void in_logger(const gecko_mqtt_log_record_t *record, void *it) {
    (void)record;
    if (on_a_library_thread())
        perform((case_t *)it);
}

/* Replaced while it runs on a thread of the library, which is then the one that drops it. */
static void hold_logger(const gecko_mqtt_log_record_t *record, void *userdata) {
    case_t *it = (case_t *)userdata;
    (void)record;
    if (!on_a_library_thread() || counter_get(&it->left) > 0)
        return;
    counter_add(&it->left);
    CHECK(counter_wait(&it->replaced, 1));
}

/* --- How it comes about: before there is a connection, and afterwards ------------------------------- */

static void nothing(case_t *it) { (void)it; }

static void listen_to_states(case_t *it) {
    CHECK_OK(gecko_mqtt_on_connection_state_change(it->client, in_state, it, NULL));
}

static void listen_to_events(case_t *it) {
    CHECK_OK(gecko_mqtt_on_connection_event(it->client, in_event, it, NULL));
}

static void subscribe(case_t *it, gecko_mqtt_message_fn handler, gecko_mqtt_destroy_fn hook) {
    CHECK_OK(gecko_mqtt_subscribe_wait(it->client, "r/in", 1, handler, it, hook, LIMIT_MS, NULL));
}

static void publish(case_t *it, gecko_mqtt_completion_fn completion) {
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("r/in", "hello", 1);
    CHECK_OK(gecko_mqtt_publish(it->client, &message, completion, it));
}

static void message_comes(case_t *it) {
    subscribe(it, in_message, NULL);
    publish(it, NULL);
}

static void message_without_handler_comes(case_t *it) {
    CHECK_OK(gecko_mqtt_on_message(it->client, in_message, it, NULL));
    subscribe(it, NULL, NULL);
    publish(it, NULL);
}

static void app_state_changes(case_t *it) {
    CHECK_OK(gecko_mqtt_on_state_change(it->client, in_app_state, it, NULL));
    CHECK_OK(gecko_mqtt_change_state(it->client, "heating"));
}

static void publish_completes(case_t *it) { publish(it, in_completion); }

static void subscribe_completes(case_t *it) {
    CHECK_OK(gecko_mqtt_subscribe(it->client, "r/in", 1, NULL, NULL, NULL, in_completion, it));
}

static void unsubscribe_completes(case_t *it) {
    CHECK_OK(gecko_mqtt_unsubscribe(it->client, "r/in", in_completion, it));
}

static void token_is_refreshed(case_t *it) {
    counter_add(&it->replaced);
    CHECK_OK(gecko_mqtt_refresh_token(it->client));
    CHECK(counter_wait(&it->left, 2));
}

static void something_is_logged(case_t *it) {
    CHECK_OK(gecko_mqtt_log_set_callback("trace", in_logger, it, NULL));
    publish(it, NULL);
}

static void logger_is_replaced(case_t *it) {
    CHECK_OK(gecko_mqtt_log_set_callback("trace", hold_logger, it, in_hook));
    publish(it, NULL);
    CHECK(counter_wait(&it->left, 1));
    CHECK_OK(gecko_mqtt_log_set_callback(NULL, NULL, NULL, NULL));
    CHECK(counter_get(&it->done) == 0);
    counter_add(&it->replaced);
}

static void handler_ends(case_t *it) {
    subscribe(it, ignore_message, in_hook);
    CHECK_OK(gecko_mqtt_unsubscribe_wait(it->client, "r/in", LIMIT_MS, NULL));
}

static void note_completion(const gecko_mqtt_ack_t *ack, void *it) {
    CHECK_OK(ack->status);
    counter_add(&((case_t *)it)->left);
}

static void listener_is_removed(case_t *it) {
    if (!it->by_hand) {
        /* A thread that is telling the new state might be the last to let go of the listener. */
        publish(it, note_completion);
        CHECK(counter_wait(&it->left, 1));
    }
    CHECK_OK(gecko_mqtt_on_message(it->client, ignore_message, it, in_hook));
    CHECK_OK(gecko_mqtt_remove_listeners(it->client, it));
}

static void client_ends(case_t *it) {
    CHECK_OK(gecko_mqtt_on_message(it->client, ignore_message, it, in_hook));
    gecko_mqtt_client_free(it->client);
}

static void publish_is_cancelled(case_t *it) {
    CHECK_OK(gecko_mqtt_disconnect(it->client, LIMIT_MS));
    publish(it, in_completion);
    gecko_mqtt_client_free(it->client);
}

typedef struct {
    const char *name;
    place_t place;
    void (*before)(case_t *it);
    void (*after)(case_t *it);
} kind_t;

static const kind_t kinds[] = {
    {"a message's handler", INSIDE, nothing, message_comes},
    {"on_message", INSIDE, nothing, message_without_handler_comes},
    {"on_connection_state_change", INSIDE, listen_to_states, nothing},
    {"on_connection_event", INSIDE, listen_to_events, nothing},
    {"on_state_change", INSIDE, nothing, app_state_changes},
    {"a publish's completion", INSIDE, nothing, publish_completes},
    {"a subscribe's completion", INSIDE, nothing, subscribe_completes},
    {"an unsubscribe's completion", INSIDE, nothing, unsubscribe_completes},
    {"the destroy hook of a handler", INSIDE, nothing, handler_ends},
    {"the destroy hook of a listener", APART, nothing, listener_is_removed},
    {"the token provider", APART, nothing, token_is_refreshed},
    {"the log callback", LOGGER, nothing, something_is_logged},
    {"the destroy hook of the log callback", LOGGER, nothing, logger_is_replaced},
    {"a destroy hook at the client's end", ENDED, nothing, client_ends},
    {"a completion at the client's end", ENDED, nothing, publish_is_cancelled},
};

/* --- All of them ------------------------------------------------------------------------------------- */

static gecko_mqtt_client_t *new_client(const simulator_t *sim, case_t *it, const kind_t *kind, int by_hand) {
    char url[64];
    gecko_mqtt_options_t *options;
    if (kind->after == token_is_refreshed) {
        options = trusting(sim);
        CHECK_OK(gecko_mqtt_options_set_token_provider(options, in_provider, it, NULL));
    } else {
        options = gecko_mqtt_options_new();
        snprintf(url, sizeof url, "mqtt://127.0.0.1:%u", sim->plain);
        CHECK_OK(gecko_mqtt_options_set_broker_url(options, url));
    }
    if (by_hand)
        CHECK_OK(gecko_mqtt_options_set_dispatch(options, GECKO_MQTT_DISPATCH_APP));
    return client_of(options);
}

/* Until it is done, or nobody is there any more who would do it. */
static void dispatch(case_t *it, counter_t *counter) {
    double until = live_now() + LIMIT_MS / 1000.0;
    while (counter_get(counter) == 0 && gecko_mqtt_dispatch(it->client, 10, NULL) == GECKO_MQTT_OK)
        CHECK(live_now() < until);
}

static void run(const simulator_t *sim, const kind_t *kind, call_t call, int by_hand, char *broker_url) {
    gecko_mqtt_status_t wanted = expected(call, kind->place, by_hand);
    case_t it;
    memset(&it, 0, sizeof it);
    counter_init(&it.entered);
    counter_init(&it.left);
    counter_init(&it.done);
    counter_init(&it.replaced);
    counter_init(&it.hooks);
    counter_init(&it.extra);
    it.call = call;
    it.status = -1;
    it.broker_url = broker_url;
    it.by_hand = by_hand;
    it.client = new_client(sim, &it, kind, by_hand);
    CHECK_OK(gecko_mqtt_on_connection_state_change(it.client, ignore_state, &it.hooks, count_hook));
    CHECK_OK(gecko_mqtt_on_connection_state_change(it.client, ignore_state, &it.extra, count_hook));
    kind->before(&it);
    CHECK_OK(gecko_mqtt_connect(it.client, LIMIT_MS));
    kind->after(&it);
    if (by_hand)
        dispatch(&it, &it.done);
    if (!counter_wait(&it.done, 1) || it.status != wanted) {
        fprintf(stderr, "%s from within %s, dispatching %s, is %s and not %s\n", call_names[call], kind->name,
                by_hand ? "by hand" : "on threads", gecko_mqtt_status_string(it.status),
                gecko_mqtt_status_string(wanted));
        exit(1);
    }
    CHECK_OK(gecko_mqtt_log_set_callback(NULL, NULL, NULL, NULL));
    /* A handle that was freed does no harm. */
    gecko_mqtt_client_free(it.client);
    if (call == FREE || kind->place == ENDED)
        CHECK(counter_wait(&it.hooks, 1) && counter_wait(&it.extra, 1));
    CHECK(counter_get(&it.hooks) == 1 && counter_get(&it.extra) == 1);
    CHECK(no_library_thread_left());
}

int main(void) {
    simulator_t sim = simulator_start();
    char *broker_url = simulator_file(&sim, "broker-url.txt");
    unsigned cases = 0;
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
        for (int call = 0; call < CALLS; call++)
            for (int by_hand = 0; by_hand < 2; by_hand++, cases++)
                run(&sim, &kinds[kind], (call_t)call, by_hand, broker_url);
    printf("%u cases\n", cases);
    free(broker_url);
    simulator_stop(&sim);
    return 0;
}
