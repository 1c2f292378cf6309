#define _POSIX_C_SOURCE 200809L
#include "client.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

_Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("gecko_bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(3);
}

void check(const char *what, gecko_mqtt_status_t status) {
    if (status != GECKO_MQTT_OK)
        fail("%s: %s: %s", what, gecko_mqtt_status_string(status), gecko_mqtt_last_error_message());
}

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

double cpu_time(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

void pause_for(double secs) {
    struct timespec time = {(time_t)secs, (long)((secs - (double)(time_t)secs) * 1e9)};
    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        ;
}

long proc(const char *file, const char *key) {
    char line[256];
    long value = -1;
    FILE *stream = fopen(file, "r");
    if (stream == NULL)
        return -1;
    while (value < 0 && fgets(line, sizeof line, stream) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            value = strtol(line + strlen(key), NULL, 10);
    fclose(stream);
    return value;
}

long rss_kb(void) { return proc("/proc/self/status", "VmRSS:"); }

/* Not ru_maxrss, which begins with the parent's before exec. */
long peak_rss_kb(void) { return proc("/proc/self/status", "VmHWM:"); }

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double percentile(double *values, int count, double percent) {
    if (count == 0)
        return 0;
    qsort(values, (size_t)count, sizeof *values, ascending);
    int rank = (int)(percent / 100.0 * count + 0.999999);
    return values[rank < 1 ? 0 : rank > count ? count - 1 : rank - 1];
}

bool wait_for(sem_t *semaphore, double secs) {
    struct timespec end;
    if (sem_trywait(semaphore) == 0)
        return true;
    clock_gettime(CLOCK_REALTIME, &end);
    double nanoseconds = (double)end.tv_nsec + secs * 1e9;
    end.tv_sec += (time_t)(nanoseconds / 1e9);
    end.tv_nsec = (long)(nanoseconds - (double)(time_t)(nanoseconds / 1e9) * 1e9);
    int result;
    while ((result = sem_timedwait(semaphore, &end)) != 0 && errno == EINTR)
        ;
    return result == 0;
}

bool wait_while_moving(sem_t *semaphore, atomic_long *counter, double end) {
    long last = -1;
    for (int still = 0; !wait_for(semaphore, 0.25);) {
        long count = atomic_load(counter);
        still = count == last ? still + 1 : 0;
        last = count;
        if (still >= 20 || now() > end)
            return false;
    }
    return true;
}

static void on_end(const gecko_mqtt_ack_t *ack, void *userdata) {
    client_t *client = userdata;
    if (ack->status != GECKO_MQTT_OK)
        atomic_fetch_add(&client->errors, 1);
    if (atomic_fetch_add(&client->completed, 1) + 1 == atomic_load(&client->completions_wanted)) {
        client->completed_at = now();
        sem_post(&client->all_completed);
    }
    sem_post(&client->window);
}

static void on_message(const gecko_mqtt_message_t *message, void *userdata) {
    client_t *client = userdata;
    uint64_t sequence;
    if (message->payload_len >= sizeof sequence) {
        memcpy(&sequence, message->payload, sizeof sequence);
        if (sequence != client->next_sequence)
            atomic_fetch_add(&client->reordered, 1);
        client->next_sequence = sequence + 1;
    }
    long count = atomic_fetch_add(&client->received, 1) + 1;
    if (count == 1)
        client->first_at = now();
    if (client->echoes)
        sem_post(&client->echo);
    if (count == client->messages_wanted) {
        client->received_at = now();
        sem_post(&client->all_received);
    }
}

void make(client_t *client, const char *role, int number) {
    char id[64], url[300];
    memset(client, 0, sizeof *client);
    sem_init(&client->window, 0, (unsigned)args.window);
    sem_init(&client->all_completed, 0, 0);
    sem_init(&client->all_received, 0, 0);
    sem_init(&client->echo, 0, 0);
    snprintf(id, sizeof id, "gecko-%s-%d-%d", role, (int)getpid(), number);
    snprintf(url, sizeof url, "%s://%s:%d", args.cafile ? "mqtts" : "mqtt", args.host, args.port);
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    gecko_mqtt_options_set_broker_url(options, url);
    gecko_mqtt_options_set_client_id(options, id);
    /* Never the limit here, the window is. */
    if (strcmp(args.mode, "pub") == 0)
        gecko_mqtt_options_set_queue(options, (uint32_t)args.window + 1, 1 << 30,
                                     GECKO_MQTT_QUEUE_REJECT_NEW);
    if (args.cafile)
        gecko_mqtt_options_set_ca_file(options, args.cafile);
    check("making the client", gecko_mqtt_client_new(options, &client->handle));
    gecko_mqtt_options_free(options);
}

gecko_mqtt_status_t connect_it(client_t *client) {
    return gecko_mqtt_connect(client->handle, GECKO_MQTT_WAIT_DEFAULT);
}

void subscribe(client_t *client, const char *filter, int qos) {
    check("subscribe", gecko_mqtt_subscribe_wait(client->handle, filter, qos, on_message, client, NULL,
                                                 GECKO_MQTT_WAIT_DEFAULT, NULL));
}

gecko_mqtt_status_t publish(client_t *client, const char *topic, const void *payload, size_t length,
                            int qos) {
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_INIT;
    message.topic = topic;
    message.payload = payload;
    message.payload_len = length;
    message.qos = (uint8_t)qos;
    return gecko_mqtt_publish(client->handle, &message, on_end, client);
}

void unmake(client_t *client) {
    gecko_mqtt_disconnect(client->handle, GECKO_MQTT_WAIT_DEFAULT);
    gecko_mqtt_client_free(client->handle);
    sem_destroy(&client->window);
    sem_destroy(&client->all_completed);
    sem_destroy(&client->all_received);
    sem_destroy(&client->echo);
}

void *room(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

void report(const char *format, ...) {
    va_list arguments;
    printf("{\"peer\":\"gecko\",\"version\":\"%s\",\"mode\":\"%s\",\"tls\":%d,\"qos\":%d,\"size\":%d,"
           "\"count\":%d,\"window\":%d,\"nosub\":%d,",
           gecko_mqtt_version(), args.mode, args.cafile != NULL, args.qos, args.size, args.count, args.window,
           args.nosub);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    puts("}");
    fflush(stdout);
}
