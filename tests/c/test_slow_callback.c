/* A callback that blocks for five seconds while ten thousand messages come in: the connection lives on,
 * though its keep alive is one second; what waits is bounded; nothing that the server must repeat is lost. */
#include "live.h"

#include <sched.h>

#define MESSAGES 10000u
#define PAYLOAD 1024u
#define BULK (32u * 1024u)
#define KEEP_ALIVE_SECS 1
#define BLOCKED_SECS 5
#define RECEIVE_MAXIMUM 256u

/* What may wait in this process, in KiB: what is read ahead (a mebibyte of messages, above which nothing is
 * read, and what one read brings), and the messages that the server may send unacknowledged. Twice, for what
 * the allocator makes of it. */
#define READ_AHEAD_KIB (1024u + 64u)
#define UNACKNOWLEDGED_KIB (RECEIVE_MAXIMUM * PAYLOAD / 1024u)
#define BOUND_KIB ((long)(2u * (READ_AHEAD_KIB + UNACKNOWLEDGED_KIB)))

static counter_t blocked, numbered, lost;
static unsigned next_number, bulky;
static int published;
static long before, most;

static gecko_mqtt_client_t *connected(const simulator_t *sim, const char *client_id) {
    char url[64];
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    gecko_mqtt_client_t *client;
    snprintf(url, sizeof url, "mqtt://127.0.0.1:%u", sim->plain);
    CHECK_OK(gecko_mqtt_options_set_broker_url(options, url));
    CHECK_OK(gecko_mqtt_options_set_client_id(options, client_id));
    CHECK_OK(gecko_mqtt_options_set_keep_alive_secs(options, KEEP_ALIVE_SECS));
    CHECK_OK(gecko_mqtt_options_set_receive_maximum(options, RECEIVE_MAXIMUM));
    client = client_of(options);
    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    return client;
}

static void on_published(const gecko_mqtt_ack_t *ack, void *userdata) {
    CHECK_OK(ack->status);
    counter_add((counter_t *)userdata);
}

static void publish(gecko_mqtt_client_t *client, gecko_mqtt_message_t *message, uint8_t qos,
                    counter_t *acknowledged) {
    gecko_mqtt_status_t status;
    message->qos = qos;
    message->payload_len = qos == 1 ? PAYLOAD : BULK;
    do
        status =
            gecko_mqtt_publish(client, message, acknowledged == NULL ? NULL : on_published, acknowledged);
    while (status == GECKO_MQTT_ERR_QUEUE_FULL && sched_yield() == 0);
    CHECK_OK(status);
}

/* In a process of its own, so that what it queues does not count: numbered messages (QoS 1), each of the
 * first ones followed by a large one (QoS 0), since those are not bounded by what the server may send
 * unacknowledged. */
static int publisher(const simulator_t *sim, int go, int done) {
    static char payload[BULK];
    gecko_mqtt_client_t *client = connected(sim, "publisher");
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_INIT;
    counter_t acknowledged;
    unsigned number;
    char word;
    counter_init(&acknowledged);
    message.topic = "slow";
    message.payload = payload;
    CHECK(read(go, &word, 1) == 1);
    for (number = 0; number < MESSAGES; number++) {
        memcpy(payload, &number, sizeof number);
        publish(client, &message, 1, &acknowledged);
        if (number < RECEIVE_MAXIMUM)
            publish(client, &message, 0, NULL);
    }
    CHECK(counter_wait(&acknowledged, MESSAGES));
    CHECK(write(done, "d", 1) == 1);
    CHECK_OK(gecko_mqtt_disconnect(client, LIMIT_MS));
    gecko_mqtt_client_free(client);
    return 0;
}

static void note_memory(void) {
    long now = live_memory();
    if (now > most)
        most = now;
}

static void block(void) {
    struct timespec time = {BLOCKED_SECS, 0};
    char word;
    counter_add(&blocked);
    while (nanosleep(&time, &time) != 0)
        CHECK(errno == EINTR);
    /* On a slow machine that is not long enough for all of them. */
    CHECK(read(published, &word, 1) == 1);
    note_memory();
}

static void on_message(const gecko_mqtt_message_t *message, void *userdata) {
    unsigned number;
    (void)userdata;
    if (counter_get(&blocked) == 0)
        block();
    CHECK(message->payload_len == (message->qos == 1 ? PAYLOAD : BULK));
    if (message->qos == 0) {
        bulky++;
        return;
    }
    memcpy(&number, message->payload, sizeof number);
    CHECK(number == next_number);
    next_number++;
    if (number % 100 == 0)
        note_memory();
    counter_add(&numbered);
}

static void on_event(const gecko_mqtt_connection_event_t *event, void *userdata) {
    (void)userdata;
    if (event->kind == GECKO_MQTT_EVENT_DISCONNECTED) {
        fprintf(stderr, "the connection was lost: %s\n", event->error);
        counter_add(&lost);
    }
}

int main(void) {
    const char *const by_the_book[] = {"--generic", NULL};
    simulator_t sim = simulator_start_with(by_the_book);
    gecko_mqtt_stats_t stats = GECKO_MQTT_STATS_INIT;
    gecko_mqtt_client_t *client;
    int go[2], done[2], status = -1;
    pid_t child;
    counter_init(&blocked);
    counter_init(&numbered);
    counter_init(&lost);
    CHECK(pipe(go) == 0 && pipe(done) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        /* It must not outlive this test. */
        close(go[1]);
        close(done[0]);
        close(sim.keep);
        exit(publisher(&sim, go[0], done[1]));
    }
    close(go[0]);
    close(done[1]);
    published = done[0];
    client = connected(&sim, "subscriber");
    CHECK_OK(gecko_mqtt_on_connection_event(client, on_event, NULL, NULL));
    /* Handed to the callbacks' threads by the call that follows. */
    before = most = live_memory();
    CHECK_OK(gecko_mqtt_subscribe_wait(client, "slow", 1, on_message, NULL, NULL, LIMIT_MS, NULL));
    CHECK(write(go[1], "g", 1) == 1);
    CHECK(counter_wait(&blocked, 1));
    CHECK(counter_wait(&numbered, MESSAGES));
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK_OK(gecko_mqtt_get_stats(client, &stats));
    printf("%u KiB came in, memory grew by %ld KiB of the %ld allowed; %u of QoS 0 told, %u dropped here\n",
           (unsigned)(stats.payload_bytes_received / 1024), most - before, BOUND_KIB, bulky,
           (unsigned)stats.dropped_incoming);
    CHECK(gecko_mqtt_is_connected(client));
    CHECK(counter_get(&lost) == 0 && stats.attempts == 1);
    CHECK(!live_memory_counts() || most - before <= BOUND_KIB);
    gecko_mqtt_client_free(client);
    CHECK(next_number == MESSAGES);
    CHECK(no_library_thread_left());
    simulator_stop(&sim);
    return 0;
}
