/* Eight threads use one client at random, with callbacks on the library's threads and on the application's
 * own, until the client is freed under their hands. Built with ThreadSanitizer too (scripts/test tsan), so
 * what callbacks may rely on is written without locks here: those of a client come one at a time, those of a
 * logger too.
 *
 * GECKO_TEST_SECS: how long, 4 if not set. */
#include "live.h"

#define THREADS 8
#define TOPICS 8u
#define KEPT 16u

static const simulator_t *server;
static char *broker_url;
static gecko_mqtt_client_t *client;
static int by_hand;
static counter_t freed;
static const gecko_mqtt_message_t *kept[KEPT];

/* Only callbacks of the client touch these, so without a lock. */
static unsigned told, completions, messages;
/* Hooks run on any thread. */
static unsigned ended;

/* What a registration's userdata points to; its hook frees it. */
typedef struct {
    unsigned alive, calls;
} registration_t;

typedef struct {
    pthread_t thread;
    uint32_t random;
    unsigned registered, accepted;
    registration_t *listener; /* may be gone */
    unsigned calls[32], successes[32];
} worker_t;

static registration_t *registration(worker_t *worker) {
    registration_t *made = (registration_t *)calloc(1, sizeof *made);
    CHECK(made != NULL);
    made->alive = 0x5eed;
    worker->registered++;
    return made;
}

static void call_of(void *userdata) {
    registration_t *made = (registration_t *)userdata;
    CHECK(made->alive == 0x5eed);
    made->calls++;
}

static void on_destroy(void *userdata) {
    call_of(userdata);
    /* A hook may come back, so nothing may be locked. */
    (void)gecko_mqtt_change_state(client, "state of a hook");
    ((registration_t *)userdata)->alive = 0;
    free(userdata);
    __atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
}

static void check_payload(const gecko_mqtt_message_t *message) {
    CHECK(message->payload_len == message->topic_len + 1);
    CHECK(memcmp(message->payload, message->topic, message->topic_len) == 0);
}

static void on_message(const gecko_mqtt_message_t *message, void *userdata) {
    const gecko_mqtt_message_t *mine = NULL, *other;
    call_of(userdata);
    check_payload(message);
    told++;
    if (++messages % 4 == 0) {
        CHECK_OK(gecko_mqtt_message_retain(message, &mine));
        other = __atomic_exchange_n(&kept[messages / 4 % KEPT], mine, __ATOMIC_ACQ_REL);
        gecko_mqtt_message_release(other);
    } else if (by_hand && message->qos > 0) {
        gecko_mqtt_status_t status = gecko_mqtt_message_ack(message);
        CHECK(status == GECKO_MQTT_OK || status == GECKO_MQTT_ERR_NOT_FOUND);
    }
}

static void on_state(gecko_mqtt_connection_state_t state, void *userdata) {
    call_of(userdata);
    CHECK(gecko_mqtt_connection_state_string(state)[0] != '\0');
    told++;
}

static void on_event(const gecko_mqtt_connection_event_t *event, void *userdata) {
    call_of(userdata);
    CHECK(strlen(event->message) == event->message_len);
    told++;
}

static void on_app_state(const char *state, void *userdata) {
    call_of(userdata);
    CHECK(strncmp(state, "state ", 6) == 0);
    told++;
}

static void on_done(const gecko_mqtt_ack_t *ack, void *userdata) {
    (void)userdata;
    CHECK(ack->size == sizeof *ack && strlen(ack->error) == ack->error_len);
    completions++;
}

static void on_record(const gecko_mqtt_log_record_t *record, void *userdata) {
    call_of(userdata);
    CHECK(strlen(record->text) == record->text_len);
}

static void on_token_needed(gecko_mqtt_token_request_t request, void *userdata) {
    gecko_mqtt_token_t token = GECKO_MQTT_TOKEN_INIT;
    gecko_mqtt_status_t status;
    (void)userdata;
    token.broker_url = broker_url;
    status = gecko_mqtt_token_request_complete(request, &token);
    CHECK(status == GECKO_MQTT_OK || status == GECKO_MQTT_ERR_NOT_FOUND);
}

/* --- What the threads do ----------------------------------------------------------------------------- */

static unsigned below(worker_t *worker, unsigned limit) { return live_random(&worker->random) % limit; }

static const char *topic(worker_t *worker) {
    static const char *const topics[TOPICS] = {"t/0", "t/1", "t/2", "t/3", "t/4", "t/5", "t/6", "t/7"};
    return topics[below(worker, TOPICS)];
}

static gecko_mqtt_message_t message_to(worker_t *worker, char payload[8]) {
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_INIT;
    message.topic = topic(worker);
    message.qos = (uint8_t)below(worker, 2);
    snprintf(payload, 8, "%s.", message.topic);
    message.payload = payload;
    message.payload_len = strlen(payload);
    return message;
}

static gecko_mqtt_status_t publish(worker_t *worker) {
    char payload[8];
    gecko_mqtt_message_t message = message_to(worker, payload);
    gecko_mqtt_status_t status = gecko_mqtt_publish(client, &message, on_done, NULL);
    worker->accepted += status == GECKO_MQTT_OK;
    return status;
}

static gecko_mqtt_status_t publish_wait(worker_t *worker) {
    char payload[8];
    gecko_mqtt_message_t message = message_to(worker, payload);
    gecko_mqtt_ack_t ack = GECKO_MQTT_ACK_INIT;
    gecko_mqtt_status_t status = gecko_mqtt_publish_wait(client, &message, below(worker, 200), &ack);
    CHECK(ack.status == status);
    return status;
}

static gecko_mqtt_status_t subscribe(worker_t *worker) {
    gecko_mqtt_status_t status = gecko_mqtt_subscribe(client, topic(worker), 1, on_message,
                                                      registration(worker), on_destroy, on_done, NULL);
    worker->accepted += status == GECKO_MQTT_OK;
    return status;
}

static gecko_mqtt_status_t subscribe_wait(worker_t *worker) {
    return gecko_mqtt_subscribe_wait(client, topic(worker), 1, on_message, registration(worker), on_destroy,
                                     below(worker, 200), NULL);
}

static gecko_mqtt_status_t unsubscribe(worker_t *worker) {
    gecko_mqtt_status_t status = gecko_mqtt_unsubscribe(client, topic(worker), on_done, NULL);
    worker->accepted += status == GECKO_MQTT_OK;
    return status;
}

static gecko_mqtt_status_t unsubscribe_wait(worker_t *worker) {
    return gecko_mqtt_unsubscribe_wait(client, topic(worker), below(worker, 200), NULL);
}

static gecko_mqtt_status_t stats(worker_t *worker) {
    gecko_mqtt_stats_t now = GECKO_MQTT_STATS_INIT;
    char *json = NULL;
    gecko_mqtt_status_t status = gecko_mqtt_get_stats(client, &now);
    if (status == GECKO_MQTT_OK && below(worker, 4) == 0) {
        status = gecko_mqtt_stats_json(client, &json);
        CHECK((status == GECKO_MQTT_OK) == (json != NULL));
        gecko_mqtt_string_free(json);
    }
    return status;
}

static gecko_mqtt_status_t reset_stats(worker_t *worker) {
    (void)worker;
    return gecko_mqtt_reset_stats(client);
}

static gecko_mqtt_status_t history(worker_t *worker) {
    gecko_mqtt_history_t *events = NULL;
    gecko_mqtt_status_t status = gecko_mqtt_get_connection_history(client, &events);
    if (status == GECKO_MQTT_OK) {
        size_t count = gecko_mqtt_history_count(events);
        if (count > 0)
            CHECK(gecko_mqtt_history_at(events, below(worker, (unsigned)count))->message_len > 0);
        gecko_mqtt_history_free(events);
    }
    return status;
}

static gecko_mqtt_status_t look(worker_t *worker) {
    char *client_id = NULL;
    (void)worker;
    (void)gecko_mqtt_is_connected(client);
    (void)gecko_mqtt_get_connection_state(client);
    (void)gecko_mqtt_is_reconnection_enabled(client);
    CHECK(gecko_mqtt_connect(NULL, 0) == GECKO_MQTT_ERR_NULL_ARGUMENT);
    CHECK(strstr(gecko_mqtt_last_error_message(), "client is NULL") != NULL);
    return gecko_mqtt_get_client_id(client, &client_id) == GECKO_MQTT_OK
               ? (gecko_mqtt_string_free(client_id), GECKO_MQTT_OK)
               : GECKO_MQTT_ERR_INVALID_HANDLE;
}

static gecko_mqtt_status_t set_listener(worker_t *worker) {
    registration_t *made;
    /* As many as are removed. */
    if (worker->listener != NULL)
        (void)gecko_mqtt_remove_listeners(client, worker->listener);
    worker->listener = made = registration(worker);
    switch (below(worker, 4)) {
    case 0:
        return gecko_mqtt_on_connection_state_change(client, on_state, made, on_destroy);
    case 1:
        return gecko_mqtt_on_connection_event(client, on_event, made, on_destroy);
    case 2:
        return gecko_mqtt_on_state_change(client, on_app_state, made, on_destroy);
    default:
        return gecko_mqtt_on_message(client, on_message, made, on_destroy);
    }
}

static gecko_mqtt_status_t change_state(worker_t *worker) {
    char state[32];
    snprintf(state, sizeof state, "state %u", below(worker, 3));
    return gecko_mqtt_change_state(client, state);
}

static gecko_mqtt_status_t connect_again(worker_t *worker) {
    return gecko_mqtt_connect(client, below(worker, 2) * 200);
}

static gecko_mqtt_status_t disconnect(worker_t *worker) {
    gecko_mqtt_status_t status = gecko_mqtt_disconnect(client, below(worker, 50));
    (void)gecko_mqtt_connect(client, 0);
    return status;
}

static gecko_mqtt_status_t network_changed(worker_t *worker) {
    (void)worker;
    return gecko_mqtt_network_changed(client);
}

static gecko_mqtt_status_t reconnection(worker_t *worker) {
    (void)worker;
    (void)gecko_mqtt_disable_reconnection(client);
    return gecko_mqtt_enable_reconnection(client);
}

static gecko_mqtt_status_t refresh(worker_t *worker) {
    gecko_mqtt_token_t token = GECKO_MQTT_TOKEN_INIT;
    token.broker_url = broker_url;
    return below(worker, 2) ? gecko_mqtt_refresh_token(client) : gecko_mqtt_set_token(client, &token);
}

static gecko_mqtt_status_t log_elsewhere(worker_t *worker) {
    static const char *const levels[] = {"info", "debug", "trace", "off"};
    const char *level = levels[below(worker, 4)];
    switch (below(worker, 4)) {
    case 0:
        return gecko_mqtt_log_set_callback(NULL, NULL, NULL, NULL);
    case 1:
        (void)gecko_mqtt_log_set_level(level); /* perhaps it is not started */
        return GECKO_MQTT_OK;
    default:
        return gecko_mqtt_log_set_callback(level, on_record, registration(worker), on_destroy);
    }
}

static gecko_mqtt_status_t take_kept(worker_t *worker) {
    const gecko_mqtt_message_t *message =
        __atomic_exchange_n(&kept[below(worker, KEPT)], (const gecko_mqtt_message_t *)NULL, __ATOMIC_ACQ_REL);
    if (message != NULL) {
        check_payload(message);
        if (by_hand && message->qos > 0) {
            gecko_mqtt_status_t status = gecko_mqtt_message_ack(message);
            CHECK(status == GECKO_MQTT_OK || status == GECKO_MQTT_ERR_NOT_FOUND);
        }
        gecko_mqtt_message_release(message);
    }
    return GECKO_MQTT_OK;
}

static gecko_mqtt_status_t dispatch(worker_t *worker) {
    gecko_mqtt_status_t status = gecko_mqtt_dispatch(client, below(worker, 3), NULL);
    return !by_hand && status == GECKO_MQTT_ERR_INVALID_CONFIGURATION ? GECKO_MQTT_OK : status;
}

static const struct {
    const char *name;
    gecko_mqtt_status_t (*run)(worker_t *worker);
    unsigned weight;
    int in_time; /* succeeds only if the server is quick enough */
} calls[] = {
    {"publish", publish, 100, 0},
    {"publish_wait", publish_wait, 40, 1},
    {"subscribe", subscribe, 10, 0},
    {"subscribe_wait", subscribe_wait, 5, 1},
    {"unsubscribe", unsubscribe, 5, 0},
    {"unsubscribe_wait", unsubscribe_wait, 3, 1},
    {"get_stats", stats, 20, 0},
    {"reset_stats", reset_stats, 5, 0},
    {"get_connection_history", history, 10, 0},
    {"what does not fail", look, 20, 0},
    {"listeners", set_listener, 20, 0},
    {"change_state", change_state, 20, 0},
    {"connect", connect_again, 3, 1},
    {"disconnect", disconnect, 1, 1},
    {"network_changed", network_changed, 5, 0},
    {"reconnection", reconnection, 3, 0},
    {"refresh_token", refresh, 2, 0},
    {"log", log_elsewhere, 10, 0},
    {"message_release", take_kept, 30, 0},
    {"dispatch", dispatch, 60, 0},
};

enum { CALLS = sizeof calls / sizeof *calls };

/* A thread goes on until it is told that the client is gone. */
static int is_possible(gecko_mqtt_status_t status) {
    switch (status) {
    case GECKO_MQTT_OK:
    case GECKO_MQTT_ERR_QUEUE_FULL:
    case GECKO_MQTT_ERR_TIMEOUT:
    case GECKO_MQTT_ERR_OUTCOME_UNKNOWN:
    case GECKO_MQTT_ERR_CANCELLED:
    case GECKO_MQTT_ERR_DISCONNECTED:
    case GECKO_MQTT_ERR_NOT_CONNECTED:
        return 1;
    case GECKO_MQTT_ERR_CLOSED:
    case GECKO_MQTT_ERR_INVALID_HANDLE:
        return counter_get(&freed) > 0;
    default:
        return 0;
    }
}

static void *work(void *userdata) {
    worker_t *worker = (worker_t *)userdata;
    gecko_mqtt_status_t status;
    unsigned sum = 0;
    for (unsigned n = 0; n < CALLS; n++)
        sum += calls[n].weight;
    do {
        unsigned drawn = below(worker, sum), call = 0;
        while (drawn >= calls[call].weight)
            drawn -= calls[call++].weight;
        status = calls[call].run(worker);
        worker->calls[call]++;
        worker->successes[call] += status == GECKO_MQTT_OK;
        if (!is_possible(status)) {
            fprintf(stderr, "%s: %s\n", calls[call].name, gecko_mqtt_status_string(status));
            live_fail(__FILE__, __LINE__, "possible");
        }
    } while (status != GECKO_MQTT_ERR_INVALID_HANDLE);
    return NULL;
}

static gecko_mqtt_client_t *new_client(void) {
    gecko_mqtt_options_t *options = trusting(server);
    CHECK_OK(gecko_mqtt_options_set_token_provider(options, on_token_needed, NULL, NULL));
    CHECK_OK(gecko_mqtt_options_set_reconnect(options, true, 0, 1, 20, 2.0));
    CHECK_OK(gecko_mqtt_options_set_manual_ack(options, by_hand));
    if (by_hand)
        CHECK_OK(gecko_mqtt_options_set_dispatch(options, GECKO_MQTT_DISPATCH_APP));
    return client_of(options);
}

static void check_ends(const worker_t *workers, int all) {
    unsigned registered = 0, accepted = 0;
    for (int n = 0; n < THREADS; n++) {
        registered += workers[n].registered;
        accepted += workers[n].accepted;
    }
    for (unsigned call = 0; call < CALLS; call++) {
        unsigned called = 0, succeeded = 0;
        for (int n = 0; n < THREADS; n++) {
            called += workers[n].calls[call];
            succeeded += workers[n].successes[call];
        }
        printf("%24s %7u, %u of them succeeded\n", calls[call].name, called, succeeded);
        CHECK(!all || (called > 0 && (succeeded > 0 || calls[call].in_time)));
    }
    printf("%u registrations, %u operations, %u messages told, %u callbacks in all\n", registered, accepted,
           messages, told);
    CHECK(completions == accepted);
    CHECK(__atomic_load_n(&ended, __ATOMIC_ACQUIRE) == registered);
    CHECK(!all || messages > 0);
}

static void round_of(double secs, uint32_t *random) {
    static worker_t workers[THREADS];
    struct timespec time = {(time_t)secs, (long)((secs - (double)(time_t)secs) * 1e9)};
    memset(workers, 0, sizeof workers);
    told = completions = messages = ended = 0;
    counter_init(&freed);
    client = new_client();
    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    for (int n = 0; n < THREADS; n++) {
        workers[n].random = live_random(random) | 1u;
        CHECK(pthread_create(&workers[n].thread, NULL, work, &workers[n]) == 0);
    }
    /* What this is about takes its time. */
    while (nanosleep(&time, &time) != 0)
        CHECK(errno == EINTR);
    counter_add(&freed);
    gecko_mqtt_client_free(client);
    for (int n = 0; n < THREADS; n++)
        CHECK(pthread_join(workers[n].thread, NULL) == 0);
    CHECK_OK(gecko_mqtt_log_set_callback(NULL, NULL, NULL, NULL));
    for (unsigned n = 0; n < KEPT; n++)
        gecko_mqtt_message_release(
            __atomic_exchange_n(&kept[n], (const gecko_mqtt_message_t *)NULL, __ATOMIC_ACQ_REL));
    CHECK(no_library_thread_left());
    check_ends(workers, secs >= 1 && getenv("GECKO_MQTT_SLOW") == NULL);
}

int main(void) {
    const char *given = getenv("GECKO_TEST_SECS");
    double secs = given != NULL ? atof(given) : 4;
    uint32_t random = live_seed();
    simulator_t sim = simulator_start();
    server = &sim;
    /* A deadlock ends it. */
    alarm((unsigned)secs + 120);
    broker_url = simulator_file(&sim, "broker-url.txt");
    for (by_hand = 0; by_hand < 2; by_hand++)
        round_of(secs / 2, &random);
    free(broker_url);
    simulator_stop(&sim);
    return 0;
}
