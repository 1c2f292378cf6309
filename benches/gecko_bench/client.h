/* What the modes of gecko_bench share: a client that counts, clocks, and what Linux tells about this process.
 */
#ifndef GECKO_BENCH_CLIENT_H
#define GECKO_BENCH_CLIENT_H

#include <gecko_mqtt.h>
#include <semaphore.h>
#include <stdatomic.h>

/* The command line. */
typedef struct {
    const char *host, *cafile, *mode;
    int port, count, size, qos, window, nosub;
    double secs, max_secs;
} arguments_t;

extern arguments_t args;

/* A client, and what its callbacks have counted. */
typedef struct {
    gecko_mqtt_client_t *handle;
    sem_t window, all_completed, all_received, echo;
    atomic_long completed, errors, received, reordered, completions_wanted;
    long messages_wanted;
    bool echoes;
    uint64_t next_sequence;
    double completed_at, first_at, received_at;
} client_t;

/* Not connected yet. */
void make(client_t *client, const char *role, int number);
/* Waits for CONNACK. */
gecko_mqtt_status_t connect_it(client_t *client);
/* Waits for SUBACK; on_message counts what comes. */
void subscribe(client_t *client, const char *filter, int qos);
/* Waits for nothing; the completion counts. */
gecko_mqtt_status_t publish(client_t *client, const char *topic, const void *payload, size_t length, int qos);
/* Disconnects and frees. */
void unmake(client_t *client);

/* Says what is wrong, and ends. */
_Noreturn void fail(const char *format, ...);
void check(const char *what, gecko_mqtt_status_t status);

double now(void);
double cpu_time(void);
void pause_for(double secs);
bool wait_for(sem_t *semaphore, double secs);
/* Gives up at `end`, or after 5 s in which the counter stands still. */
bool wait_while_moving(sem_t *semaphore, atomic_long *counter, double end);

/* A number that Linux tells about this process, -1 where it does not. */
long proc(const char *file, const char *key);
long rss_kb(void);
long peak_rss_kb(void);

void *room(size_t count, size_t size);
/* Nearest rank; sorts. */
double percentile(double *values, int count, double percent);
/* The line of JSON. All begin alike; `format` goes on with what the mode has measured. */
void report(const char *format, ...);

/* Modes with more than one client, in crowd.c. */
void mode_idle(long rss_at_start);
void mode_burst(void);

#endif
