/* Prints the messages of topic filters, until there were enough or a signal comes; see subscribe --help.
 *
 * It shows the way of a program that listens for months: subscriptions are made once, also before there is a
 * connection, and the library restores both. Callbacks and the signal handler tell main() through a pipe. */
#define _POSIX_C_SOURCE 200809L
#include "common.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { COUNT = 256, NO_RETAINED, QOS };
enum { MAX_FILTERS = 50 }; /* what AWS IoT allows one connection */

static const option_t options[] = {
    {"topic", 't', "FILTER", "topic filter; up to 50 times"},
    {"qos", QOS, "QOS", "highest quality of service: 0, 1 or 2 (1)"},
    {"count", COUNT, "N", "end after N messages"},
    {"verbose", 'v', NULL, "print the topic before the payload"},
    {"no-retained", NO_RETAINED, NULL, "leave out what was retained before"},
    {NULL, 0, NULL, NULL},
};

static const char *filters[MAX_FILTERS];
static size_t filter_count;
static uint8_t qos = 1;
static uint32_t wanted, printed; /* `printed` belongs to on_message */
static bool verbose, no_retained;
static int wake[2]; /* the pipe: one letter says why the program ends */

static void set(int id, const char *value) {
    switch (id) {
    case 't':
        if (filter_count == MAX_FILTERS)
            usage_error("--topic can be given %d times", (int)MAX_FILTERS);
        filters[filter_count++] = value;
        break;
    case 'v':
        verbose = true;
        break;
    case QOS:
        if (value[0] < '0' || value[0] > '2' || value[1] != '\0')
            usage_error("--qos needs 0, 1 or 2, not '%s'", value);
        qos = (uint8_t)(value[0] - '0');
        break;
    case COUNT:
        wanted = number("--count", value, 1, UINT32_MAX);
        break;
    case NO_RETAINED:
        no_retained = true;
        break;
    }
}

/* Safe in a signal handler. The pipe does not block: when it is full, main() has reasons enough. */
static void end(char reason) {
    int saved = errno;
    ssize_t ignored = write(wake[1], &reason, 1);
    (void)ignored;
    errno = saved;
}

static void on_signal(int which) {
    (void)which;
    end('s');
}

static void on_message(const gecko_mqtt_message_t *message, void *userdata) {
    (void)userdata;
    if ((no_retained && message->retain) || (wanted != 0 && printed == wanted))
        return;
    if (verbose)
        printf("%.*s ", (int)message->topic_len, message->topic);
    fwrite(message->payload, 1, message->payload_len, stdout);
    putchar('\n');
    /* Who reads a pipe wants each message now. Threads of the library block SIGPIPE: a reader that has gone
     * is seen here. */
    if (fflush(stdout) != 0)
        end('w');
    else if (++printed == wanted)
        end('n');
}

static void on_subscribed(const gecko_mqtt_ack_t *ack, void *userdata) {
    if (ack->status == GECKO_MQTT_OK || ack->status == GECKO_MQTT_ERR_CANCELLED)
        return; /* cancelled: the program is ending */
    complain("'%s': %s: %s", (const char *)userdata, gecko_mqtt_status_string(ack->status), ack->error);
    end('r');
}

static void on_state(gecko_mqtt_connection_state_t state, void *userdata) {
    (void)userdata;
    if (state == GECKO_MQTT_STATE_DISCONNECTED) /* not trying any more; anything else heals */
        end('d');
}

static bool subscribe(gecko_mqtt_client_t *client) {
    for (size_t i = 0; i < filter_count; i++) {
        gecko_mqtt_subscription_t subscription = GECKO_MQTT_SUBSCRIPTION(filters[i], qos);
        subscription.retain_handling = no_retained ? 2 : 0;
        /* One request each, so that a refusal names its filter. Without a handler of its own, so that a
         * message which matches several filters is printed once. */
        gecko_mqtt_status_t status = gecko_mqtt_subscribe_many(client, &subscription, 1, NULL, NULL, NULL,
                                                               on_subscribed, (void *)filters[i]);
        if (status != GECKO_MQTT_OK) {
            complain_status(filters[i], status);
            return false;
        }
    }
    return true;
}

/* Waits for a letter in the pipe; 't' when the time is over. */
static char wait_for_end(const struct timespec *deadline) {
    for (;;) {
        int left_ms = -1; /* for ever */
        if (deadline != NULL) {
            struct timespec now = seconds_from_now(CLOCK_MONOTONIC, 0);
            long long left = (long long)(deadline->tv_sec - now.tv_sec) * 1000 +
                             (deadline->tv_nsec - now.tv_nsec) / 1000000;
            left_ms = left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
        }
        struct pollfd ready = {wake[0], POLLIN, 0};
        char reason;
        if (poll(&ready, 1, left_ms) > 0 && read(wake[0], &reason, 1) == 1)
            return reason;
        if (left_ms == 0)
            return 't';
    }
}

static int run(gecko_mqtt_client_t *client) {
    uint32_t secs = timeout_secs(0);
    struct timespec deadline = seconds_from_now(CLOCK_MONOTONIC, secs);
    gecko_mqtt_on_message(client, on_message, NULL, NULL);
    if (!subscribe(client))
        return EXIT_FAILED;
    gecko_mqtt_status_t status =
        gecko_mqtt_connect(client, secs != 0 ? secs * 1000 : GECKO_MQTT_WAIT_DEFAULT);
    if (status != GECKO_MQTT_OK) {
        complain_status("connect", status);
        return secs != 0 && status == GECKO_MQTT_ERR_TIMEOUT ? EXIT_TIMEOUT : EXIT_FAILED;
    }
    gecko_mqtt_on_connection_state_change(client, on_state, NULL, NULL);
    /* Until here a signal just ends the process; a second one does so again. */
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);

    switch (wait_for_end(secs != 0 ? &deadline : NULL)) {
    case 'n':
        return EXIT_SUCCESS;
    case 's':
        return wanted == 0 ? EXIT_SUCCESS : EXIT_FAILED;
    case 't':
        return EXIT_TIMEOUT;
    case 'w':
        complain("standard output: cannot be written");
        return EXIT_FAILED;
    case 'd':
        complain("the connection has ended, and cannot be made again");
        return EXIT_FAILED;
    default: /* a refusal, which has been told */
        return EXIT_FAILED;
    }
}

int main(int argc, char **argv) {
    static const tool_t tool = {
        "subscribe",
        "subscribe -t FILTER [option...]\nPrints messages, one a line.",
        options,
        set,
        "--timeout is after how many seconds to end in any case (never).\n"
        "Exit status: 0 after --count messages, or without --count after SIGINT or SIGTERM; 27 the time was "
        "over;\n"
        "1 a failure, or a signal before --count messages; 2 wrong usage.",
    };
    parse_arguments(&tool, argc, argv);
    if (filter_count == 0)
        usage_error("--topic is needed");
    if (pipe(wake) != 0 || fcntl(wake[1], F_SETFL, O_NONBLOCK) != 0) {
        complain("pipe: %s", strerror(errno));
        return EXIT_FAILED;
    }

    gecko_mqtt_client_t *client = new_client(NULL);
    int result = run(client);
    gecko_mqtt_disconnect(client, 2000);
    gecko_mqtt_client_free(client); /* from here on no callback comes that would use the pipe */
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    close(wake[0]);
    close(wake[1]);
    return result;
}
