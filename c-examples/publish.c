/* Publishes messages from the command line, a file or standard input; see publish --help.
 *
 * It shows the way of a telemetry loop: publishing never waits, each accepted message has exactly one end,
 * which its completion is told, and where the queue is full the program decides; this one waits for an end,
 * and tries again. */
#define _POSIX_C_SOURCE 200809L
#include "common.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 256, CONTENT_TYPE, EXPIRY, INTERVAL, QOS, RESPONSE_TOPIC, RETAIN };

static const option_t options[] = {
    {"topic", 't', "TOPIC", "where to publish"},
    {"message", 'm', "TEXT", "the payload"},
    {"file", 'f', "FILE", "the payload is what is in the file"},
    {"stdin-lines", 'l', NULL, "each line of standard input is a payload"},
    {"qos", QOS, "QOS", "quality of service: 0, 1 or 2 (1)"},
    {"retain", RETAIN, NULL, "the server keeps it for later subscribers"},
    {"count", COUNT, "N", "publish the payload N times (1)"},
    {"interval", INTERVAL, "MS", "pause between two messages (0)"},
    {"content-type", CONTENT_TYPE, "TYPE", "MIME type of the payload"},
    {"response-topic", RESPONSE_TOPIC, "TOPIC", "where an answer is expected"},
    {"expiry", EXPIRY, "SECS", "how long it is worth anything"},
    {"quiet", 'q', NULL, "do not tell which messages failed"},
    {NULL, 0, NULL, NULL},
};

static gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_INIT;
static const char *payload_text, *payload_file;
static uint32_t count = 1, interval_ms;
static bool stdin_lines, quiet;

/* What main() shares with the completions, which run on a thread of the library. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t one_ended = PTHREAD_COND_INITIALIZER;
static unsigned long accepted, ended, failed;

static void set(int id, const char *value) {
    switch (id) {
    case 't':
        message.topic = value;
        break;
    case 'm':
        payload_text = value;
        break;
    case 'f':
        payload_file = value;
        break;
    case 'l':
        stdin_lines = true;
        break;
    case 'q':
        quiet = true;
        break;
    case QOS:
        if (value[0] < '0' || value[0] > '2' || value[1] != '\0')
            usage_error("--qos needs 0, 1 or 2, not '%s'", value);
        message.qos = (uint8_t)(value[0] - '0');
        break;
    case RETAIN:
        message.retain = 1;
        break;
    case COUNT:
        count = number("--count", value, 1, UINT32_MAX);
        break;
    case INTERVAL:
        interval_ms = number("--interval", value, 0, 86400000);
        break;
    case CONTENT_TYPE:
        message.content_type = value;
        break;
    case RESPONSE_TOPIC:
        message.response_topic = value;
        break;
    case EXPIRY:
        message.message_expiry_secs = number("--expiry", value, 1, UINT32_MAX);
        break;
    }
}

static void on_end(const gecko_mqtt_ack_t *ack, void *userdata) {
    if (ack->status != GECKO_MQTT_OK && !quiet)
        complain("message %lu: %s: %s", (unsigned long)(uintptr_t)userdata,
                 gecko_mqtt_status_string(ack->status), ack->error);
    pthread_mutex_lock(&mutex);
    ended++;
    if (ack->status != GECKO_MQTT_OK)
        failed++;
    pthread_cond_signal(&one_ended);
    pthread_mutex_unlock(&mutex);
}

/* Waits until more than `before` messages have ended; false: nothing has moved within --timeout. */
static bool wait_for_end(unsigned long before) {
    struct timespec deadline = seconds_from_now(CLOCK_REALTIME, timeout_secs(30));
    pthread_mutex_lock(&mutex);
    while (ended == before && pthread_cond_timedwait(&one_ended, &mutex, &deadline) == 0)
        ;
    bool moved = ended != before;
    pthread_mutex_unlock(&mutex);
    return moved;
}

static unsigned long how_many_ended(void) {
    pthread_mutex_lock(&mutex);
    unsigned long result = ended;
    pthread_mutex_unlock(&mutex);
    return result;
}

static bool publish(gecko_mqtt_client_t *client) {
    if (accepted > 0 && interval_ms > 0) {
        struct timespec pause = {(time_t)(interval_ms / 1000), (long)(interval_ms % 1000) * 1000000};
        while (nanosleep(&pause, &pause) != 0 && errno == EINTR)
            ;
    }
    for (;;) {
        /* Counted before the attempt, so that an end between the refusal and the wait is not missed. */
        unsigned long before = how_many_ended();
        gecko_mqtt_status_t status =
            gecko_mqtt_publish(client, &message, on_end, (void *)(uintptr_t)(accepted + 1));
        if (status == GECKO_MQTT_OK) {
            accepted++;
            return true;
        }
        /* Refused: on_end will not be told. Where nothing is waiting, it is too large for the queue. */
        if (status != GECKO_MQTT_ERR_QUEUE_FULL || before == accepted || !wait_for_end(before)) {
            complain_status("publish", status);
            return false;
        }
    }
}

static bool publish_lines(gecko_mqtt_client_t *client) {
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    bool going = true;
    while (going && (length = getline(&line, &room, stdin)) >= 0) {
        if (length > 0 && line[length - 1] == '\n')
            length--;
        message.payload = line; /* copied before gecko_mqtt_publish() returns */
        message.payload_len = (size_t)length;
        going = publish(client);
    }
    free(line);
    if (ferror(stdin)) {
        complain("standard input: %s", strerror(errno));
        going = false;
    }
    return going;
}

static bool publish_all(gecko_mqtt_client_t *client) {
    gecko_mqtt_status_t status = gecko_mqtt_connect(client, timeout_secs(30) * 1000);
    if (status != GECKO_MQTT_OK) {
        complain_status("connect", status);
        return false;
    }
    bool going = true;
    if (stdin_lines)
        going = publish_lines(client);
    for (uint32_t i = 0; !stdin_lines && going && i < count; i++)
        going = publish(client);
    for (unsigned long before = how_many_ended(); before < accepted; before = how_many_ended()) {
        if (!wait_for_end(before)) {
            complain("%lu messages were not acknowledged in time", accepted - before);
            return false;
        }
    }
    return going;
}

int main(int argc, char **argv) {
    static const tool_t tool = {
        "publish",
        "publish -t TOPIC (-m TEXT | -f FILE | -l) [option...]\nPublishes messages, and waits until each has "
        "ended.",
        options,
        set,
        "--timeout is how long to wait for the connection, and then for the next acknowledgement (30).\n"
        "Exit status: 0 all were sent (QoS 0) or acknowledged; 1 one was not, or a failure; 2 wrong usage.",
    };
    message.qos = 1;
    parse_arguments(&tool, argc, argv);
    if (message.topic == NULL || message.topic[0] == '\0')
        usage_error("--topic is needed");
    if ((payload_text != NULL) + (payload_file != NULL) + stdin_lines != 1)
        usage_error("one of --message, --file and --stdin-lines is needed");
    if (stdin_lines && count != 1)
        usage_error("--count is for --message and --file");

    char *contents = NULL;
    size_t length = payload_text != NULL ? strlen(payload_text) : 0;
    if (payload_file != NULL && (contents = read_file(payload_file, &length)) == NULL)
        return EXIT_FAILED;
    message.payload = contents != NULL ? contents : payload_text;
    message.payload_len = length;

    gecko_mqtt_client_t *client = new_client(NULL);
    bool success = publish_all(client);
    gecko_mqtt_disconnect(client, success ? 2000 : 0);
    gecko_mqtt_client_free(client); /* tells the messages that are left that they are cancelled */
    free(contents);
    return success && failed == 0 ? EXIT_SUCCESS : EXIT_FAILED;
}
