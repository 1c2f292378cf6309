/* A thread of the host that ends takes its client with it: the library's own storage of that thread is gone
 * by then, and every call works all the same. */
#include "live.h"

static const simulator_t *server;
static pthread_key_t key;
static counter_t heard, destroyed, ended;

static void on_message(const gecko_mqtt_message_t *message, void *userdata) {
    (void)message;
    (void)userdata;
    counter_add(&heard);
}

static void on_destroy(void *userdata) {
    (void)userdata;
    counter_add(&destroyed);
}

static gecko_mqtt_client_t *connected(int by_hand) {
    char url[64];
    gecko_mqtt_client_t *client;
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    snprintf(url, sizeof url, "mqtt://127.0.0.1:%u", server->plain);
    CHECK_OK(gecko_mqtt_options_set_broker_url(options, url));
    if (by_hand)
        CHECK_OK(gecko_mqtt_options_set_dispatch(options, GECKO_MQTT_DISPATCH_APP));
    client = client_of(options);
    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    return client;
}

static void use(gecko_mqtt_client_t *client, int by_hand) {
    unsigned before = counter_get(&heard);
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("end", "hello", 1);
    gecko_mqtt_stats_t stats = GECKO_MQTT_STATS_INIT;
    char *json = NULL;
    CHECK_OK(gecko_mqtt_subscribe_wait(client, "end", 1, on_message, NULL, on_destroy, LIMIT_MS, NULL));
    CHECK_OK(gecko_mqtt_publish_wait(client, &message, LIMIT_MS, NULL));
    CHECK_OK(gecko_mqtt_get_stats(client, &stats));
    CHECK_OK(gecko_mqtt_history_json(client, &json));
    gecko_mqtt_string_free(json);
    CHECK(gecko_mqtt_publish_wait(NULL, &message, 0, NULL) == GECKO_MQTT_ERR_NULL_ARGUMENT);
    while (by_hand && counter_get(&heard) == before)
        CHECK_OK(gecko_mqtt_dispatch(client, LIMIT_MS, NULL));
    CHECK(counter_wait(&heard, before + 1));
    CHECK(gecko_mqtt_dispatch(client, 0, NULL) ==
          (by_hand ? GECKO_MQTT_OK : GECKO_MQTT_ERR_INVALID_CONFIGURATION));
}

typedef struct {
    gecko_mqtt_client_t *client;
    int by_hand;
} owned_t;

/* As the destructors of a thread's own objects run in C++, too. */
static void at_the_end(void *userdata) {
    owned_t *owned = (owned_t *)userdata;
    gecko_mqtt_client_t *another = connected(owned->by_hand);
    gecko_mqtt_client_free(another);
    use(owned->client, owned->by_hand);
    CHECK_OK(gecko_mqtt_disconnect(owned->client, LIMIT_MS));
    CHECK_OK(gecko_mqtt_connect(owned->client, LIMIT_MS));
    gecko_mqtt_client_free(owned->client);
    free(owned);
    counter_add(&ended);
}

static void *host_thread(void *by_hand) {
    owned_t *owned = (owned_t *)calloc(1, sizeof *owned);
    CHECK(owned != NULL);
    /* The last one: this thread waits for those of the library to end, as it does at its own end. */
    gecko_mqtt_client_free(connected(by_hand != NULL));
    owned->by_hand = by_hand != NULL;
    owned->client = connected(owned->by_hand);
    CHECK(pthread_setspecific(key, owned) == 0);
    use(owned->client, owned->by_hand);
    return NULL;
}

static void ignore_record(const gecko_mqtt_log_record_t *record, void *userdata) {
    (void)record;
    (void)userdata;
}

int main(void) {
    simulator_t sim = simulator_start();
    int by_hand;
    server = &sim;
    counter_init(&heard);
    counter_init(&destroyed);
    counter_init(&ended);
    CHECK(pthread_key_create(&key, at_the_end) == 0);
    CHECK_OK(gecko_mqtt_log_set_callback("trace", ignore_record, NULL, NULL));
    for (by_hand = 0; by_hand < 2; by_hand++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, host_thread, by_hand ? &sim : NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    CHECK(counter_get(&ended) == 2 && counter_get(&destroyed) == 4);
    CHECK(no_library_thread_left());
    CHECK_OK(gecko_mqtt_log_set_callback(NULL, NULL, NULL, NULL));
    simulator_stop(&sim);
    return 0;
}
