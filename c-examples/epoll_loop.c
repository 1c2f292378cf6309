/* MQTT in a program that has a loop of its own: readings go out on a timer, and are printed when they come
 * back; see epoll_loop --help.
 *
 * Everything runs on this one thread, so that nothing here needs a lock: the library only makes a descriptor
 * readable when callbacks are due, and gecko_mqtt_dispatch() runs them. libuv_loop.c is the same with libuv.
 */
#define _POSIX_C_SOURCE 200809L
#include "common.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { COUNT = 256, INTERVAL };

static const option_t options[] = {
    {"topic", 't', "TOPIC", "where readings go, and are heard (spa/42/state)"},
    {"interval", INTERVAL, "MS", "milliseconds between readings (1000)"},
    {"count", COUNT, "N", "end when N readings have come back"},
    {NULL, 0, NULL, NULL},
};

static const char *topic = "spa/42/state";
static uint32_t interval_ms = 1000, wanted, sent, heard;
static int result = -1; /* what main() returns; -1: goes on */

static void set(int id, const char *value) {
    switch (id) {
    case 't':
        topic = value;
        break;
    case INTERVAL:
        interval_ms = number("--interval", value, 1, 1000000);
        break;
    case COUNT:
        wanted = number("--count", value, 1, UINT32_MAX);
        break;
    }
}

static void on_state(gecko_mqtt_connection_state_t state, void *userdata) {
    (void)userdata;
    printf("connection: %s\n", gecko_mqtt_connection_state_string(state));
    if (state == GECKO_MQTT_STATE_DISCONNECTED) /* not trying any more; anything else heals */
        result = EXIT_FAILED;
}

static void on_event(const gecko_mqtt_connection_event_t *event, void *userdata) {
    (void)userdata;
    if (event->kind == GECKO_MQTT_EVENT_FAILED)
        complain("%s", event->error);
}

static void on_message(const gecko_mqtt_message_t *message, void *userdata) {
    (void)userdata;
    printf("%.*s: %.*s\n", (int)message->topic_len, message->topic, (int)message->payload_len,
           (const char *)message->payload);
    if (++heard == wanted)
        result = EXIT_SUCCESS;
}

static void on_end(const gecko_mqtt_ack_t *ack, void *what) {
    if (ack->status == GECKO_MQTT_OK || ack->status == GECKO_MQTT_ERR_CANCELLED)
        return;
    complain("%s: %s: %s", (const char *)what, gecko_mqtt_status_string(ack->status), ack->error);
    result = EXIT_FAILED;
}

static void on_timer(gecko_mqtt_client_t *client, int timer) {
    uint64_t expirations;
    char text[64];
    if (read(timer, &expirations, sizeof(expirations)) != (ssize_t)sizeof(expirations))
        return;
    snprintf(text, sizeof(text), "{\"temperature\":38.5,\"reading\":%lu}", (unsigned long)++sent);
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT(topic, text, 1);
    gecko_mqtt_status_t status = gecko_mqtt_publish(client, &message, on_end, (void *)"publish");
    if (status != GECKO_MQTT_OK)
        complain_status("publish", status); /* such as a full queue: the next reading is newer anyway */
}

/* A descriptor that is readable so often; once after `ms` where it is not `again`. */
static int timer_fd(uint32_t ms, bool again) {
    struct itimerspec time;
    memset(&time, 0, sizeof(time));
    time.it_value.tv_sec = (time_t)(ms / 1000);
    time.it_value.tv_nsec = (long)(ms % 1000) * 1000000;
    if (again)
        time.it_interval = time.it_value;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    timerfd_settime(fd, 0, &time, NULL);
    return fd;
}

static void watch(int loop, int fd) {
    struct epoll_event event;
    memset(&event, 0, sizeof(event));
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) != 0) {
        complain("epoll: %s", strerror(errno));
        exit(EXIT_FAILED);
    }
}

static void run(gecko_mqtt_client_t *client, const sigset_t *signals) {
    int loop = epoll_create1(EPOLL_CLOEXEC);
    int mqtt = gecko_mqtt_dispatch_fd(client), timer = timer_fd(interval_ms, true);
    int deadline = timer_fd(timeout_secs(0) * 1000, false); /* 0: never */
    int signal = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
    watch(loop, mqtt);
    watch(loop, timer);
    watch(loop, deadline);
    watch(loop, signal);
    while (result < 0) {
        struct epoll_event ready[8];
        int count = epoll_wait(loop, ready, 8, -1);
        for (int i = 0; i < count && result < 0; i++) {
            if (ready[i].data.fd == mqtt)
                gecko_mqtt_dispatch(client, 0, NULL); /* 0: only what is due now */
            else if (ready[i].data.fd == timer)
                on_timer(client, timer);
            else
                result = ready[i].data.fd == deadline ? EXIT_TIMEOUT
                         : wanted == 0                ? EXIT_SUCCESS
                                                      : EXIT_FAILED;
        }
    }
    close(signal);
    close(deadline);
    close(timer);
    close(loop);
}

static void prepare(gecko_mqtt_options_t *client_options) {
    gecko_mqtt_options_set_dispatch(client_options, GECKO_MQTT_DISPATCH_APP);
}

int main(int argc, char **argv) {
    static const tool_t tool = {
        "epoll_loop",
        "epoll_loop [option...]\nPublishes readings on a timer and prints them when they come back, all in "
        "one "
        "epoll loop.",
        options,
        set,
        "--timeout is after how many seconds to end in any case (never).\n"
        "Exit status: 0 after --count readings, or without --count after SIGINT or SIGTERM; 27 the time was "
        "over;\n"
        "1 a failure, or a signal before --count readings; 2 wrong usage.",
    };
    parse_arguments(&tool, argc, argv);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* who reads a pipe wants each line now */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* they come through a descriptor, too */

    gecko_mqtt_client_t *client = new_client(prepare);
    gecko_mqtt_on_connection_state_change(client, on_state, NULL, NULL);
    gecko_mqtt_on_connection_event(client, on_event, NULL, NULL);
    gecko_mqtt_status_t status =
        gecko_mqtt_subscribe(client, topic, 1, on_message, NULL, NULL, on_end, (void *)"subscribe");
    if (status == GECKO_MQTT_OK)
        status = gecko_mqtt_connect(client, 0); /* starts; the callbacks tell the rest */
    if (status == GECKO_MQTT_OK) {
        run(client, &signals);
    } else {
        complain_status(topic, status);
        result = EXIT_FAILED;
    }
    gecko_mqtt_disconnect(client, 2000); /* waits here: that needs no callback */
    gecko_mqtt_client_free(client);
    return result;
}
