/* The main job from C, against the simulator over TLS: every way of being called back, and nothing left
 * behind. */
#include "live.h"

#include <poll.h>

static counter_t heard, completed, destroyed, stated, happened;
static unsigned told[10]; /* events of each kind */
static pthread_t main_thread;
static int on_main_thread;

static void on_message(const gecko_mqtt_message_t *message, void *userdata) {
    CHECK(userdata == (void *)&heard);
    CHECK(message->topic_len == 9 && memcmp(message->topic, "spa/state", 9) == 0);
    CHECK(message->payload_len == 5 && memcmp(message->payload, "hello", 5) == 0);
    CHECK(message->qos == 1 && !message->retain);
    CHECK(!on_main_thread || pthread_equal(pthread_self(), main_thread));
    counter_add(&heard);
}

static void on_published(const gecko_mqtt_ack_t *ack, void *userdata) {
    CHECK(userdata == (void *)&completed);
    CHECK(ack->status == GECKO_MQTT_OK && ack->reason_code == 0);
    counter_add(&completed);
}

static void on_state(gecko_mqtt_connection_state_t state, void *userdata) {
    (void)userdata;
    CHECK(gecko_mqtt_connection_state_string(state)[0] != '\0');
    counter_add(&stated);
}

static void on_destroy(void *userdata) {
    (void)userdata;
    counter_add(&destroyed);
}

static gecko_mqtt_message_t hello(void) {
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("spa/state", "hello", 1);
    return message;
}

static void reset(void) {
    counter_init(&heard);
    counter_init(&completed);
    counter_init(&destroyed);
    counter_init(&stated);
    counter_init(&happened);
    memset(told, 0, sizeof told);
    on_main_thread = 0;
}

/* Every attempt ends once, every connection too; what is told can be read. */
static void on_event(const gecko_mqtt_connection_event_t *event, void *userdata) {
    (void)userdata;
    CHECK(event->size == sizeof *event && event->kind >= 0 && event->kind < 10);
    CHECK(event->message_len > 0 && strlen(event->message) == event->message_len);
    CHECK(strlen(event->error) == event->error_len &&
          (event->status != GECKO_MQTT_OK) == (event->error_len > 0));
    CHECK(event->time_ms > 1500000000000u);
    told[event->kind]++;
    counter_add(&happened);
}

/* Subscribes, publishes a hundred messages, hears them, leaves. */
static void main_job(gecko_mqtt_options_t *options) {
    gecko_mqtt_client_t *client = client_of(options);
    gecko_mqtt_ack_t ack = GECKO_MQTT_ACK_INIT;
    gecko_mqtt_message_t message = hello();
    gecko_mqtt_stats_t stats = GECKO_MQTT_STATS_INIT;
    gecko_mqtt_history_t *history = NULL;
    char *client_id = NULL, *json = NULL;
    int n;
    reset();
    CHECK_OK(gecko_mqtt_on_connection_state_change(client, on_state, NULL, on_destroy));
    CHECK_OK(gecko_mqtt_on_connection_event(client, on_event, NULL, NULL));
    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    CHECK(gecko_mqtt_is_connected(client));
    CHECK(gecko_mqtt_get_connection_state(client) == GECKO_MQTT_STATE_CONNECTED);
    CHECK_OK(gecko_mqtt_get_client_id(client, &client_id));
    CHECK(strncmp(client_id, "gecko-", 6) == 0);
    gecko_mqtt_string_free(client_id);
    CHECK_OK(gecko_mqtt_subscribe_wait(client, "spa/+", 1, on_message, &heard, on_destroy, LIMIT_MS, &ack));
    CHECK(ack.status == GECKO_MQTT_OK && ack.reason_code == 1);
    for (n = 0; n < 100; n++)
        CHECK_OK(gecko_mqtt_publish(client, &message, on_published, &completed));
    CHECK(counter_wait(&completed, 100) && counter_wait(&heard, 100));
    CHECK_OK(gecko_mqtt_publish_wait(client, &message, LIMIT_MS, &ack));
    CHECK(ack.reason_code == 0);
    CHECK(counter_wait(&heard, 101));
    CHECK_OK(gecko_mqtt_get_stats(client, &stats));
    CHECK(stats.attempts == 1 && stats.successes == 1 && stats.failures == 0 && stats.success_rate == 1.0);
    CHECK(stats.messages_sent == 101 && stats.messages_received == 101 && stats.messages_failed == 0);
    CHECK(stats.payload_bytes_sent == 101 * message.payload_len && stats.wire_bytes_sent > 101 * 7);
    CHECK(stats.queued_messages == 0 && stats.queued_bytes == 0 && stats.connected_since_ms > 0);
    CHECK(stats.last_round_trip_us > 0 && stats.mean_round_trip_us > 0);
    CHECK_OK(gecko_mqtt_stats_json(client, &json));
    CHECK(json[0] == '{' && strstr(json, "\"messages_sent\":101") != NULL);
    traces_note(json);
    gecko_mqtt_string_free(json);
    CHECK_OK(gecko_mqtt_reset_stats(client));
    CHECK_OK(gecko_mqtt_unsubscribe_wait(client, "spa/+", LIMIT_MS, NULL));
    CHECK(counter_wait(&destroyed, 1));
    CHECK_OK(gecko_mqtt_disconnect(client, LIMIT_MS));
    CHECK(!gecko_mqtt_is_connected(client));
    CHECK(counter_wait(&stated, 4));
    CHECK(counter_wait(&happened, 3) && counter_get(&happened) == 3);
    CHECK(told[GECKO_MQTT_EVENT_ATTEMPTING] == 1 && told[GECKO_MQTT_EVENT_CONNECTED] == 1);
    CHECK(told[GECKO_MQTT_EVENT_DISCONNECTED] == 1);
    CHECK_OK(gecko_mqtt_get_stats(client, &stats));
    CHECK(stats.attempts == 0 && stats.messages_sent == 0 && stats.connected_since_ms == 0);
    CHECK_OK(gecko_mqtt_get_connection_history(client, &history));
    CHECK(gecko_mqtt_history_count(history) == 3);
    CHECK(gecko_mqtt_history_at(history, 0)->kind == GECKO_MQTT_EVENT_ATTEMPTING);
    CHECK(gecko_mqtt_history_at(history, 2)->kind == GECKO_MQTT_EVENT_DISCONNECTED);
    CHECK(strstr(gecko_mqtt_history_at(history, 1)->message, "connected to ") != NULL);
    gecko_mqtt_history_free(history);
    CHECK_OK(gecko_mqtt_history_json(client, &json));
    CHECK(strstr(json, "\"kind\":\"CONNECTED\"") != NULL && strstr(json, "\"time\":\"20") != NULL);
    traces_note(json);
    gecko_mqtt_string_free(json);
    gecko_mqtt_client_free(client);
    CHECK(counter_get(&destroyed) == 2 && counter_get(&heard) == 101);
    CHECK(gecko_mqtt_connect(client, 0) == GECKO_MQTT_ERR_INVALID_HANDLE);
    CHECK(no_library_thread_left());
}

static void by_certificate(const simulator_t *sim) {
    char cert[400], key[400];
    gecko_mqtt_options_t *options = trusting(sim);
    snprintf(cert, sizeof cert, "%s/client.pem", sim->dir);
    snprintf(key, sizeof key, "%s/client.key", sim->dir);
    CHECK_OK(gecko_mqtt_options_set_certificate_file(options, cert, key));
    CHECK_OK(gecko_mqtt_options_set_port(options, (uint16_t)sim->mtls));
    main_job(options);
}

/* Every callback on this very thread, as a firmware with its own loop wants it. */
static void dispatched_by_the_application(const simulator_t *sim) {
    gecko_mqtt_options_t *options = by_token(sim);
    gecko_mqtt_client_t *client;
    gecko_mqtt_message_t message = hello();
    struct pollfd ready;
    size_t ran = 0;
    int n;
    CHECK_OK(gecko_mqtt_options_set_dispatch(options, GECKO_MQTT_DISPATCH_APP));
    client = client_of(options);
    reset();
    on_main_thread = 1;
    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    CHECK_OK(gecko_mqtt_subscribe(client, "spa/+", 1, on_message, &heard, on_destroy, NULL, NULL));
    for (n = 0; n < 10; n++)
        CHECK_OK(gecko_mqtt_publish(client, &message, on_published, &completed));
    ready.fd = gecko_mqtt_dispatch_fd(client);
    ready.events = POLLIN;
    CHECK(ready.fd >= 0);
    while (counter_get(&heard) < 10 || counter_get(&completed) < 10) {
        CHECK(poll(&ready, 1, (int)LIMIT_MS) == 1);
        CHECK_OK(gecko_mqtt_dispatch(client, 0, &ran));
    }
    CHECK(ran > 0);
    gecko_mqtt_client_free(client);
    CHECK(counter_get(&destroyed) == 1);
    CHECK(no_library_thread_left());
}

static void free_it(const gecko_mqtt_message_t *message, void *userdata) {
    (void)message;
    counter_add(&heard);
    gecko_mqtt_client_free(*(gecko_mqtt_client_t **)userdata);
}

static void cancelled(const gecko_mqtt_ack_t *ack, void *userdata) {
    (void)userdata;
    CHECK(ack->status == GECKO_MQTT_OK || ack->status == GECKO_MQTT_ERR_CANCELLED);
    counter_add(&completed);
}

static void freed_inside_a_callback(const simulator_t *sim) {
    gecko_mqtt_client_t *client = client_of(by_token(sim));
    gecko_mqtt_message_t message = hello();
    int n;
    reset();
    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    CHECK_OK(
        gecko_mqtt_subscribe_wait(client, "spa/+", 1, free_it, (void *)&client, on_destroy, LIMIT_MS, NULL));
    for (n = 0; n < 5; n++)
        if (gecko_mqtt_publish(client, &message, cancelled, NULL) != GECKO_MQTT_OK)
            counter_add(&completed);
    CHECK(counter_wait(&destroyed, 1));
    CHECK(counter_get(&heard) == 1);
    CHECK(counter_wait(&completed, 5));
    CHECK(no_library_thread_left());
}

static pthread_t answering;

typedef struct {
    gecko_mqtt_token_request_t request;
    char *broker_url;
} answer_t;

static answer_t answer;

static void *answer_later(void *unused) {
    gecko_mqtt_token_t token = GECKO_MQTT_TOKEN_INIT;
    (void)unused;
    token.broker_url = answer.broker_url;
    CHECK_OK(gecko_mqtt_token_request_complete(answer.request, &token));
    CHECK(gecko_mqtt_token_request_complete(answer.request, &token) == GECKO_MQTT_ERR_NOT_FOUND);
    return NULL;
}

static void on_token_needed(gecko_mqtt_token_request_t request, void *userdata) {
    (void)userdata;
    answer.request = request;
    CHECK(pthread_create(&answering, NULL, answer_later, NULL) == 0);
}

static void token_from_a_provider(const simulator_t *sim) {
    gecko_mqtt_options_t *options = trusting(sim);
    gecko_mqtt_client_t *client = NULL;
    reset();
    answer.broker_url = simulator_file(sim, "broker-url.txt");
    CHECK_OK(gecko_mqtt_options_set_token_provider(options, on_token_needed, NULL, on_destroy));
    CHECK_OK(gecko_mqtt_client_new(options, &client));
    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    pthread_join(answering, NULL);
    gecko_mqtt_client_free(client);
    CHECK(counter_get(&destroyed) == 0); /* the options hold it still */
    gecko_mqtt_options_free(options);
    CHECK(counter_get(&destroyed) == 1);
    free(answer.broker_url);
    CHECK(no_library_thread_left());
}

#define JOBS 20u

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const gecko_mqtt_message_t *messages[JOBS];
    unsigned count, taken;
} queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {NULL}, 0, 0};

static void on_job(const gecko_mqtt_message_t *message, void *userdata) {
    (void)userdata;
    pthread_mutex_lock(&queue.lock);
    CHECK(queue.count < JOBS);
    CHECK_OK(gecko_mqtt_message_retain(message, &queue.messages[queue.count++]));
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
}

/* Takes two jobs at a time, the second one first; says so by publishing, with all that the job came with. */
static void *work(void *client) {
    for (;;) {
        const gecko_mqtt_message_t *const *jobs = NULL;
        pthread_mutex_lock(&queue.lock);
        while (queue.taken < JOBS && queue.count < queue.taken + 2)
            pthread_cond_wait(&queue.changed, &queue.lock);
        if (queue.taken < JOBS) {
            jobs = &queue.messages[queue.taken];
            queue.taken += 2;
        }
        pthread_mutex_unlock(&queue.lock);
        if (jobs == NULL)
            return NULL;
        for (int n = 1; n >= 0; n--) {
            gecko_mqtt_message_t done = *jobs[n];
            done.topic = "spa/done";
            done.topic_len = 0;
            CHECK_OK(gecko_mqtt_publish((gecko_mqtt_client_t *)client, &done, NULL, NULL));
            CHECK_OK(gecko_mqtt_message_ack(n == 1 ? jobs[n] : &done)); /* a copy serves too */
            CHECK(gecko_mqtt_message_ack(jobs[n]) == GECKO_MQTT_ERR_NOT_FOUND);
        }
    }
}

static void check_job(const gecko_mqtt_message_t *message, const char *topic) {
    CHECK(message->topic_len == strlen(topic) && memcmp(message->topic, topic, message->topic_len) == 0);
    CHECK(message->payload_len == 3 && memcmp(message->payload, "job", 3) == 0);
    CHECK(message->user_property_count == 1 && message->user_properties[0].value_len == 5 &&
          memcmp(message->user_properties[0].value, "value", 5) == 0);
    CHECK(message->correlation_data_len == 2 && memcmp(message->correlation_data, "\0\1", 2) == 0);
}

static void on_done(const gecko_mqtt_message_t *message, void *userdata) {
    check_job(message, "spa/done");
    CHECK_OK(gecko_mqtt_message_ack(message));
    counter_add((counter_t *)userdata);
}

static void *release_jobs(void *unused) {
    unsigned n;
    (void)unused;
    for (n = 0; n < JOBS; n++) {
        check_job(queue.messages[n], "spa/jobs");
        CHECK(gecko_mqtt_message_ack(queue.messages[n]) == GECKO_MQTT_ERR_NOT_FOUND);
        gecko_mqtt_message_release(queue.messages[n]);
    }
    return NULL;
}

/* Jobs go through other threads, which acknowledge them; the messages outlive their client. */
static void worked_at_on_other_threads(const simulator_t *sim) {
    gecko_mqtt_options_t *options = by_token(sim);
    gecko_mqtt_client_t *client;
    gecko_mqtt_message_t job = GECKO_MQTT_MESSAGE_TEXT("spa/jobs", "job", 1);
    gecko_mqtt_user_property_t property = GECKO_MQTT_USER_PROPERTY("name", "value");
    pthread_t threads[3];
    unsigned n;
    reset();
    CHECK_OK(gecko_mqtt_options_set_manual_ack(options, true));
    /* Without acknowledgements the server would stop after four. */
    CHECK_OK(gecko_mqtt_options_set_receive_maximum(options, 4));
    client = client_of(options);
    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    CHECK_OK(gecko_mqtt_subscribe_wait(client, "spa/jobs", 1, on_job, NULL, NULL, LIMIT_MS, NULL));
    CHECK_OK(gecko_mqtt_subscribe_wait(client, "spa/done", 1, on_done, &heard, NULL, LIMIT_MS, NULL));
    for (n = 0; n < 2; n++)
        CHECK(pthread_create(&threads[n], NULL, work, client) == 0);
    job.user_properties = &property;
    job.user_property_count = 1;
    job.correlation_data = "\0\1";
    job.correlation_data_len = 2;
    for (n = 0; n < JOBS; n++)
        CHECK_OK(gecko_mqtt_publish(client, &job, NULL, NULL));
    CHECK(counter_wait(&heard, JOBS));
    for (n = 0; n < 2; n++)
        pthread_join(threads[n], NULL);
    CHECK_OK(gecko_mqtt_disconnect(client, LIMIT_MS));
    gecko_mqtt_client_free(client);
    CHECK(no_library_thread_left());
    CHECK(pthread_create(&threads[2], NULL, release_jobs, NULL) == 0);
    pthread_join(threads[2], NULL);
}

static void on_refused(const gecko_mqtt_ack_t *ack, void *userdata) {
    CHECK(ack->status == GECKO_MQTT_ERR_REFUSED && ack->reason_code == 143);
    CHECK(strstr(ack->error, "'a/b/c/d/e/f/g/h/i'") != NULL);
    counter_add((counter_t *)userdata);
}

/* AWS takes seven slashes at most. The other filter works; the handler ends with its last filter. */
static void one_of_several_filters_is_refused(const simulator_t *sim) {
    gecko_mqtt_client_t *client = client_of(by_token(sim));
    gecko_mqtt_subscription_t filters[2] = {GECKO_MQTT_SUBSCRIPTION("a/b/c/d/e/f/g/h/i", 1),
                                            GECKO_MQTT_SUBSCRIPTION("spa/+", 1)};
    gecko_mqtt_message_t message = hello();
    reset();
    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    CHECK_OK(gecko_mqtt_subscribe_many(client, filters, 2, on_message, &heard, on_destroy, on_refused,
                                       &completed));
    CHECK(counter_wait(&completed, 1));
    CHECK_OK(gecko_mqtt_publish_wait(client, &message, LIMIT_MS, NULL));
    CHECK(counter_wait(&heard, 1) && counter_get(&destroyed) == 0);
    CHECK_OK(gecko_mqtt_subscribe_many(client, filters, 1, on_message, &stated, on_destroy, on_refused,
                                       &completed));
    CHECK(counter_wait(&completed, 2) && counter_wait(&destroyed, 1));
    gecko_mqtt_client_free(client);
    CHECK(counter_get(&destroyed) == 2);
}

int main(void) {
    simulator_t sim = simulator_start();
    main_thread = pthread_self();
    main_job(by_token(&sim));
    by_certificate(&sim);
    dispatched_by_the_application(&sim);
    freed_inside_a_callback(&sim);
    token_from_a_provider(&sim);
    worked_at_on_other_threads(&sim);
    one_of_several_filters_is_refused(&sim);
    simulator_stop(&sim);
    return 0;
}
