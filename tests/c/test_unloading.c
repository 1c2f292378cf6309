/* A plugin that has the library in it is loaded and unloaded a thousand times, while threads of the host that
 * used it live on and end later: no crash, and no thread, descriptor or memory that is left. This program is
 * not linked with the library; the functions below have its names and find them in what is loaded. */
#include "live.h"

#include <dlfcn.h>

#define ROUNDS 1000u
/* By then everything that is kept on purpose is there. */
#define WARM_UP 100u
/* What 900 further rounds may cost: a leak of 600 bytes in each would be more. */
#define GROWTH_KIB 512

static void *library;

static void *found(const char *name) {
    void *symbol = library == NULL ? NULL : dlsym(library, name);
    if (symbol == NULL) {
        fprintf(stderr, "%s: %s\n", name, dlerror());
        abort();
    }
    return symbol;
}

/* As in the header. */
#define LOADED(result, name, parameters, arguments) LOADED_AS(result, name, parameters, return, arguments)
#define LOADED_VOID(name, parameters, arguments) LOADED_AS(void, name, parameters, , arguments)
#define LOADED_AS(result, name, parameters, answer, arguments)                                               \
    result name parameters {                                                                                 \
        result(*function) parameters;                                                                        \
        *(void **)(&function) = found(#name);                                                                \
        answer function arguments;                                                                           \
    }

LOADED(gecko_mqtt_options_t *, gecko_mqtt_options_new, (void), ())
LOADED_VOID(gecko_mqtt_options_free, (gecko_mqtt_options_t * options), (options))
LOADED(gecko_mqtt_status_t, gecko_mqtt_options_set_broker_url,
       (gecko_mqtt_options_t * options, const char *url), (options, url))
LOADED(gecko_mqtt_status_t, gecko_mqtt_client_new,
       (const gecko_mqtt_options_t *options, gecko_mqtt_client_t **out), (options, out))
LOADED_VOID(gecko_mqtt_client_free, (gecko_mqtt_client_t * client), (client))
LOADED(gecko_mqtt_status_t, gecko_mqtt_connect, (gecko_mqtt_client_t * client, uint32_t timeout_ms),
       (client, timeout_ms))
LOADED(gecko_mqtt_status_t, gecko_mqtt_publish_wait,
       (gecko_mqtt_client_t * client, const gecko_mqtt_message_t *message, uint32_t timeout_ms,
        gecko_mqtt_ack_t *out),
       (client, message, timeout_ms, out))
LOADED(gecko_mqtt_status_t, gecko_mqtt_subscribe_wait,
       (gecko_mqtt_client_t * client, const char *filter, int32_t qos, gecko_mqtt_message_fn handler,
        void *userdata, gecko_mqtt_destroy_fn destroy, uint32_t timeout_ms, gecko_mqtt_ack_t *out),
       (client, filter, qos, handler, userdata, destroy, timeout_ms, out))
LOADED(const char *, gecko_mqtt_last_error_message, (void), ())
LOADED(const char *, gecko_mqtt_status_string, (gecko_mqtt_status_t status), (status))
LOADED(gecko_mqtt_status_t, gecko_mqtt_log_init, (const char *level, const char *file, bool console),
       (level, file, console))

static void load(void) {
    library = dlopen(GECKO_MQTT_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        abort();
    }
}

typedef struct {
    gecko_mqtt_client_t *client;
    counter_t used, unloaded;
} host_t;

/* A thread of the host: the library has storage of this thread, to be taken down when it ends. */
static void *host_thread(void *userdata) {
    host_t *host = (host_t *)userdata;
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("plugin", "hello", 1);
    CHECK_OK(gecko_mqtt_publish_wait(host->client, &message, LIMIT_MS, NULL));
    CHECK(gecko_mqtt_publish_wait(NULL, &message, 0, NULL) == GECKO_MQTT_ERR_NULL_ARGUMENT);
    CHECK(gecko_mqtt_last_error_message()[0] != '\0');
    counter_add(&host->used);
    if (!counter_wait(&host->unloaded, 1))
        abort();
    return NULL;
}

static void on_message(const gecko_mqtt_message_t *message, void *heard) {
    CHECK(message->payload_len == 5);
    counter_add((counter_t *)heard);
}

static void load_use_and_unload(const simulator_t *sim) {
    char url[64];
    host_t host;
    counter_t heard;
    pthread_t thread;
    gecko_mqtt_options_t *options;
    counter_init(&host.used);
    counter_init(&host.unloaded);
    counter_init(&heard);
    load();
    options = gecko_mqtt_options_new();
    snprintf(url, sizeof url, "mqtt://127.0.0.1:%u", sim->plain);
    CHECK_OK(gecko_mqtt_options_set_broker_url(options, url));
    host.client = client_of(options);
    CHECK_OK(gecko_mqtt_connect(host.client, LIMIT_MS));
    CHECK_OK(gecko_mqtt_subscribe_wait(host.client, "plugin", 1, on_message, &heard, NULL, LIMIT_MS, NULL));
    CHECK(pthread_create(&thread, NULL, host_thread, &host) == 0);
    CHECK(counter_wait(&host.used, 1) && counter_wait(&heard, 1));
    gecko_mqtt_client_free(host.client);
    CHECK(no_library_thread_left());
    CHECK(dlclose(library) == 0);
    library = NULL;
    counter_add(&host.unloaded);
    if (pthread_join(thread, NULL) != 0)
        abort();
}

int main(void) {
    simulator_t sim;
    unsigned round, descriptors = 0, threads = 0;
    long memory = 0;
    /* For what starting the simulator says of errors. */
    load();
    sim = simulator_start();
    for (round = 0; round < ROUNDS; round++) {
        if (round == WARM_UP) {
            descriptors = live_entries("/proc/self/fd");
            threads = live_entries("/proc/self/task");
            memory = live_memory();
        }
        load_use_and_unload(&sim);
    }
    load();
    printf("%u rounds: memory grew by %ld KiB\n", ROUNDS - WARM_UP, live_memory() - memory);
    CHECK(live_entries("/proc/self/fd") == descriptors);
    /* A thread that was joined may be listed for a moment longer. */
    while (live_entries("/proc/self/task") > threads) {
        static double until;
        if (until == 0)
            until = live_now() + LIMIT_MS / 1000.0;
        CHECK(live_now() < until);
    }
    CHECK(!live_memory_counts() || live_memory() - memory <= GROWTH_KIB);
    simulator_stop(&sim);
    return 0;
}
