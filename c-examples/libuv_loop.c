/* MQTT in a program with libuv: readings go out on a timer, and are printed when they come back; see
 * libuv_loop --help.
 *
 * Everything runs on the loop's thread, so that nothing here needs a lock: the library only makes a
 * descriptor readable when callbacks are due, and gecko_mqtt_dispatch() runs them. epoll_loop.c is the same
 * without libuv; with GLib, g_unix_fd_add(gecko_mqtt_dispatch_fd(client), G_IO_IN, ...) does what uv_poll
 * does here. */
#include "common.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum { COUNT = 256, INTERVAL };

static const option_t options[] = {
    {"topic", 't', "TOPIC", "where readings go, and are heard (spa/42/state)"},
    {"interval", INTERVAL, "MS", "milliseconds between readings (1000)"},
    {"count", COUNT, "N", "end when N readings have come back"},
    {NULL, 0, NULL, NULL},
};

static const char *topic = "spa/42/state";
static uint32_t interval_ms = 1000, wanted, sent, heard;
static gecko_mqtt_client_t *client;
static uv_loop_t *loop;
static int result = EXIT_SUCCESS;

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

/* Also in a callback of the library, which is one of the loop. */
static void end(int status) {
    result = status;
    uv_stop(loop);
}

static void on_state(gecko_mqtt_connection_state_t state, void *userdata) {
    (void)userdata;
    printf("connection: %s\n", gecko_mqtt_connection_state_string(state));
    if (state == GECKO_MQTT_STATE_DISCONNECTED) /* not trying any more; anything else heals */
        end(EXIT_FAILED);
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
        end(EXIT_SUCCESS);
}

static void on_end(const gecko_mqtt_ack_t *ack, void *what) {
    if (ack->status == GECKO_MQTT_OK || ack->status == GECKO_MQTT_ERR_CANCELLED)
        return;
    complain("%s: %s: %s", (const char *)what, gecko_mqtt_status_string(ack->status), ack->error);
    end(EXIT_FAILED);
}

static void on_due(uv_poll_t *poll, int status, int events) {
    (void)poll;
    (void)status;
    (void)events;
    gecko_mqtt_dispatch(client, 0, NULL); /* 0: only what is due now */
}

static void on_timer(uv_timer_t *timer) {
    char text[64];
    (void)timer;
    snprintf(text, sizeof(text), "{\"temperature\":38.5,\"reading\":%lu}", (unsigned long)++sent);
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT(topic, text, 1);
    gecko_mqtt_status_t status = gecko_mqtt_publish(client, &message, on_end, (void *)"publish");
    if (status != GECKO_MQTT_OK)
        complain_status("publish", status); /* such as a full queue: the next reading is newer anyway */
}

static void on_deadline(uv_timer_t *timer) {
    (void)timer;
    end(EXIT_TIMEOUT);
}

static void on_signal(uv_signal_t *handle, int which) {
    (void)handle;
    (void)which;
    end(wanted == 0 ? EXIT_SUCCESS : EXIT_FAILED);
}

static void check(int status) {
    if (status < 0) {
        complain("libuv: %s", uv_strerror(status));
        exit(EXIT_FAILED);
    }
}

static void run(void) {
    uv_poll_t due;
    uv_timer_t timer, deadline;
    uv_signal_t interrupted, terminated;
    check(uv_poll_init(loop, &due, gecko_mqtt_dispatch_fd(client)));
    check(uv_poll_start(&due, UV_READABLE, on_due));
    check(uv_timer_init(loop, &timer));
    check(uv_timer_start(&timer, on_timer, interval_ms, interval_ms));
    check(uv_timer_init(loop, &deadline));
    if (timeout_secs(0) != 0)
        check(uv_timer_start(&deadline, on_deadline, (uint64_t)timeout_secs(0) * 1000, 0));
    check(uv_signal_init(loop, &interrupted));
    check(uv_signal_start_oneshot(&interrupted, on_signal, SIGINT));
    check(uv_signal_init(loop, &terminated));
    check(uv_signal_start_oneshot(&terminated, on_signal, SIGTERM));
    uv_run(loop, UV_RUN_DEFAULT);

    /* Before the client is freed: that closes the descriptor. */
    uv_close((uv_handle_t *)&due, NULL);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_close((uv_handle_t *)&deadline, NULL);
    uv_close((uv_handle_t *)&interrupted, NULL);
    uv_close((uv_handle_t *)&terminated, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
}

static void prepare(gecko_mqtt_options_t *client_options) {
    gecko_mqtt_options_set_dispatch(client_options, GECKO_MQTT_DISPATCH_APP);
}

int main(int argc, char **argv) {
    static const tool_t tool = {
        "libuv_loop",
        "libuv_loop [option...]\nPublishes readings on a timer and prints them when they come back, all in "
        "one "
        "libuv loop.",
        options,
        set,
        "--timeout is after how many seconds to end in any case (never).\n"
        "Exit status: 0 after --count readings, or without --count after SIGINT or SIGTERM; 27 the time was "
        "over;\n"
        "1 a failure, or a signal before --count readings; 2 wrong usage.",
    };
    parse_arguments(&tool, argc, argv);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* who reads a pipe wants each line now */
    client = new_client(prepare);
    loop = uv_default_loop();
    gecko_mqtt_on_connection_state_change(client, on_state, NULL, NULL);
    gecko_mqtt_on_connection_event(client, on_event, NULL, NULL);
    gecko_mqtt_status_t status =
        gecko_mqtt_subscribe(client, topic, 1, on_message, NULL, NULL, on_end, (void *)"subscribe");
    if (status == GECKO_MQTT_OK)
        status = gecko_mqtt_connect(client, 0); /* starts; the callbacks tell the rest */
    if (status == GECKO_MQTT_OK) {
        run();
    } else {
        complain_status(topic, status);
        result = EXIT_FAILED;
    }
    gecko_mqtt_disconnect(client, 2000); /* waits here: that needs no callback */
    gecko_mqtt_client_free(client);      /* the remaining callbacks run in here, when the loop has ended */
    uv_loop_close(loop);
    return result;
}
