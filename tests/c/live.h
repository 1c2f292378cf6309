/* What tests against a running simulator need: the simulator itself, waiting for what callbacks bring, and a
 * look at the library's threads. Every wait has a limit; nothing sleeps. */
#ifndef LIVE_H
#define LIVE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "traces.h"

#include <gecko_mqtt.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS 20000u

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            live_fail(__FILE__, __LINE__, #condition);                                                       \
        traces_error();                                                                                      \
    } while (0)

#define CHECK_OK(call) live_check_ok(__FILE__, __LINE__, #call, (call))

static inline void live_fail(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s (last error: %s)\n", file, line, what, gecko_mqtt_last_error_message());
    exit(1);
}

static inline void live_check_ok(const char *file, int line, const char *what, gecko_mqtt_status_t status) {
    if (status != GECKO_MQTT_OK) {
        fprintf(stderr, "%s: ", gecko_mqtt_status_string(status));
        live_fail(file, line, what);
    }
}

static inline double live_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* What decides by chance where a test does; GECKO_TEST_SEED repeats it. */
static inline uint32_t live_seed(void) {
    const char *given = getenv("GECKO_TEST_SEED");
    struct timespec now;
    uint32_t seed;
    clock_gettime(CLOCK_REALTIME, &now);
    seed = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)now.tv_nsec ^ (uint32_t)getpid();
    printf("GECKO_TEST_SEED=%u\n", (unsigned)seed);
    fflush(stdout);
    return seed != 0 ? seed : 1;
}

/* The next number after that. */
static inline uint32_t live_random(uint32_t *random) {
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random;
}

/* A number that callbacks raise and the test waits for. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned count;
} counter_t;

static inline void counter_init(counter_t *counter) {
    pthread_mutex_init(&counter->lock, NULL);
    pthread_cond_init(&counter->changed, NULL);
    counter->count = 0;
}

static inline void counter_add(counter_t *counter) {
    pthread_mutex_lock(&counter->lock);
    counter->count++;
    pthread_cond_broadcast(&counter->changed);
    pthread_mutex_unlock(&counter->lock);
}

static inline unsigned counter_get(counter_t *counter) {
    unsigned count;
    pthread_mutex_lock(&counter->lock);
    count = counter->count;
    pthread_mutex_unlock(&counter->lock);
    return count;
}

static inline int counter_wait(counter_t *counter, unsigned count) {
    struct timespec until;
    int reached;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LIMIT_MS / 1000 * 3;
    pthread_mutex_lock(&counter->lock);
    while (counter->count < count && pthread_cond_timedwait(&counter->changed, &counter->lock, &until) == 0) {
    }
    reached = counter->count >= count;
    pthread_mutex_unlock(&counter->lock);
    return reached;
}

/* How many entries a directory has. */
static inline unsigned live_entries(const char *path) {
    unsigned found = 0;
    struct dirent *entry;
    DIR *files = opendir(path);
    while (files != NULL && (entry = readdir(files)) != NULL)
        found += entry->d_name[0] != '.';
    if (files != NULL)
        closedir(files);
    return found;
}

/* Anonymous memory of this process that is in use, in KiB. */
static inline long live_memory(void) {
    char line[256];
    long kib = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "RssAnon: %ld", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib;
}

/* Whether memory in use says something: valgrind and sanitizers have their own ideas of it. */
static inline int live_memory_counts(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return 0;
#else
    return getenv("GECKO_MQTT_SLOW") == NULL;
#endif
}

/* How many of the library's threads there are. */
static inline unsigned library_threads(void) {
    unsigned found = 0;
    struct dirent *entry;
    DIR *tasks = opendir("/proc/self/task");
    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        char path[300], name[32] = "";
        FILE *file;
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        file = fopen(path, "r");
        if (file != NULL) {
            if (fgets(name, sizeof name, file) != NULL && strncmp(name, "gecko-mqtt", 10) == 0)
                found++;
            fclose(file);
        }
    }
    if (tasks != NULL)
        closedir(tasks);
    return found;
}

/* A thread that has ended may be listed for a moment longer. */
static inline int no_library_thread_left(void) {
    double until = live_now() + LIMIT_MS / 1000.0;
    while (library_threads() > 0)
        if (live_now() > until)
            return 0;
    return 1;
}

typedef struct {
    pid_t pid;
    int keep; /* the simulator ends when this is closed, however the test ends */
    unsigned mtls, alpn, plain, mint;
    char dir[256];
} simulator_t;

enum { MOST_SWITCHES = 24 };

/* With further switches, which end with NULL; NULL: none. */
static inline simulator_t simulator_start_with(const char *const *switches) {
    simulator_t sim;
    const char *program = getenv("GECKO_IOT_SIM");
    int in[2], out[2];
    char line[1024];
    size_t used = 0;
    const char *plain, *mint, *dir;
    traces_path_t secrets = traces_path("secrets", "txt");
    const char *arguments[MOST_SWITCHES] = {program, NULL};
    size_t given = 1;
    traces_begin();
    memset(&sim, 0, sizeof sim);
    if (program == NULL) {
        fprintf(stderr, "set GECKO_IOT_SIM to the program gecko-iot-sim\n");
        exit(2);
    }
    /* First, as --generic must be. */
    while (switches != NULL && *switches != NULL && given < MOST_SWITCHES - 6)
        arguments[given++] = *switches++;
    CHECK(switches == NULL || *switches == NULL);
    arguments[given++] = "--plain";
    arguments[given++] = "--mint";
    arguments[given++] = "--stop-on-stdin-eof";
    if (secrets.text[0] != '\0') {
        arguments[given++] = "--secrets-file";
        arguments[given++] = secrets.text;
    }
    CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    sim.pid = fork();
    CHECK(sim.pid >= 0);
    if (sim.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execv(program, (char *const *)(const void *)arguments);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    sim.keep = in[1];
    while (used < sizeof line - 1 && (used == 0 || line[used - 1] != '\n')) {
        ssize_t count = read(out[0], line + used, sizeof line - 1 - used);
        if (count < 0 && errno == EINTR)
            continue;
        CHECK(count > 0);
        used += (size_t)count;
    }
    close(out[0]);
    line[used - 1] = '\0';
    CHECK(sscanf(line, "gecko-iot-sim ready mtls=%u alpn=%u", &sim.mtls, &sim.alpn) == 2);
    plain = strstr(line, " plain=");
    CHECK(plain != NULL && sscanf(plain, " plain=%u", &sim.plain) == 1);
    mint = strstr(line, " mint=");
    CHECK(mint != NULL && sscanf(mint, " mint=%u", &sim.mint) == 1);
    dir = strstr(line, " dir=");
    CHECK(dir != NULL);
    snprintf(sim.dir, sizeof sim.dir, "%s", dir + 5);
    return sim;
}

static inline simulator_t simulator_start(void) { return simulator_start_with(NULL); }

static inline void simulator_stop(simulator_t *sim) {
    int status = -1;
    kill(sim->pid, SIGTERM);
    CHECK(waitpid(sim->pid, &status, 0) == sim->pid && status == 0);
    close(sim->keep);
}

/* The contents of a file in the simulator's directory, to be freed. */
static inline char *simulator_file(const simulator_t *sim, const char *name) {
    char path[400];
    char *text = (char *)calloc(1, 16384);
    FILE *file;
    size_t count;
    snprintf(path, sizeof path, "%s/%s", sim->dir, name);
    file = fopen(path, "r");
    CHECK(file != NULL && text != NULL);
    count = fread(text, 1, 16383, file);
    fclose(file);
    while (count > 0 && text[count - 1] == '\n')
        text[--count] = '\0';
    return text;
}

static inline gecko_mqtt_options_t *trusting(const simulator_t *sim) {
    char path[400];
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    snprintf(path, sizeof path, "%s/ca.pem", sim->dir);
    CHECK_OK(gecko_mqtt_options_set_ca_file(options, path));
    CHECK_OK(gecko_mqtt_options_set_endpoint(options, "localhost"));
    return options;
}

static inline gecko_mqtt_options_t *by_token(const simulator_t *sim) {
    gecko_mqtt_options_t *options = trusting(sim);
    char *url = simulator_file(sim, "broker-url.txt");
    CHECK_OK(gecko_mqtt_options_set_broker_url(options, url));
    free(url);
    return options;
}

/* Takes the options over. */
static inline gecko_mqtt_client_t *client_of(gecko_mqtt_options_t *options) {
    gecko_mqtt_client_t *client = NULL;
    CHECK_OK(gecko_mqtt_client_new(options, &client));
    gecko_mqtt_options_free(options);
    return client;
}

#endif
