/* Stays connected over many tokens, and counts what that costs; see token_refresh --help.
 *
 * It shows a token provider that answers later: the library's callback only notes the request's number; a
 * thread of the program fetches a token, from a server or from a file that somebody keeps fresh, and answers.
 * An answer that comes too late, because the request's time is over or the client is gone, does no harm.
 * Meanwhile the program sends numbered messages to itself. */
#define _POSIX_C_SOURCE 200809L
#include "common.h"
#include "fetch.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FETCH = 256, INTERVAL, RENEWALS };
enum {
    WINDOW = 4096,  /* messages that may be under way */
    MORE = 10,      /* messages after the last renewal, to see that it has worked */
    LAST_SECS = 30, /* for what is under way at the end */
};

static const option_t options[] = {
    {"fetch", FETCH, "URL", "where fresh broker URLs are: http://HOST:PORT/PATH, no secret in it"},
    {"topic", 't', "TOPIC", "where to publish and to listen (the client identifier)"},
    {"interval", INTERVAL, "MS", "pause between two messages (200)"},
    {"renewals", RENEWALS, "N", "end after N renewals (at SIGINT or SIGTERM)"},
    {"quiet", 'q', NULL, "do not print each message"},
    {NULL, 0, NULL, NULL},
};

static const char *source; /* of broker URLs: what --fetch says, or a file */
static const char *topic;
static uint32_t interval_ms = 200, wanted;
static bool quiet;
static volatile sig_atomic_t stopped;

/* What main(), the library's callbacks and the thread that fetches tokens share. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked = PTHREAD_COND_INITIALIZER; /* for a token, or to end */
static gecko_mqtt_token_request_t request;
static bool pending, ending; /* `request` waits; the thread shall end */
static bool given_up;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER; /* `given_up`, or how messages stand */
static unsigned long renewals, interruptions;
static unsigned long published, ended, failed, received, lost, doubled;
static bool seen[WINDOW]; /* whether message n was received, at n % WINDOW */

static void set(int id, const char *value) {
    switch (id) {
    case FETCH:
        if (!is_fetch_url(value))
            usage_error("--fetch needs http://HOST:PORT/PATH, not '%s'", value);
        source = value;
        break;
    case 't':
        topic = value;
        break;
    case INTERVAL:
        interval_ms = number("--interval", value, 1, 3600000);
        break;
    case RENEWALS:
        wanted = number("--renewals", value, 1, UINT32_MAX);
        break;
    case 'q':
        quiet = true;
        break;
    }
}

/* The provider. There is one request at a time: one that still waits here when the next comes is over. */
static void on_token_needed(gecko_mqtt_token_request_t which, void *userdata) {
    (void)userdata;
    printf("token: one is needed\n");
    pthread_mutex_lock(&mutex);
    request = which;
    pending = true;
    pthread_cond_signal(&asked);
    pthread_mutex_unlock(&mutex);
}

static void answer(gecko_mqtt_token_request_t which) {
    char text[FETCH_ROOM], why[1600];
    gecko_mqtt_token_t token = GECKO_MQTT_TOKEN_INIT;
    gecko_mqtt_status_t status = GECKO_MQTT_ERR_TOKEN_REFRESH;
    token.broker_url = fetch_line(source, text, why, sizeof(why));
    if (token.broker_url != NULL) {
        status = gecko_mqtt_token_request_complete(which, &token); /* copies it */
        if (status != GECKO_MQTT_OK)
            snprintf(why, sizeof(why), "%s: %s", source, gecko_mqtt_last_error_message());
    }
    for (volatile char *p = text; p < text + FETCH_ROOM; p++) /* volatile: else it may be left out */
        *p = '\0';

    if (status == GECKO_MQTT_OK) {
        printf("token: here is a fresh one\n");
    } else if (status == GECKO_MQTT_ERR_NOT_FOUND) {
        complain("a token came too late");
    } else { /* nothing was fetched, or nothing that can be used: that leaves the request open */
        complain("no token: %s", why);
        gecko_mqtt_token_request_fail(which, why); /* the library asks again after a while */
    }
}

static void *answer_requests(void *unused) {
    pthread_mutex_lock(&mutex);
    while (!ending) {
        if (!pending) {
            pthread_cond_wait(&asked, &mutex);
            continue;
        }
        gecko_mqtt_token_request_t which = request;
        pending = false;
        pthread_mutex_unlock(&mutex);
        answer(which);
        pthread_mutex_lock(&mutex);
    }
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void prepare(gecko_mqtt_options_t *opts) {
    gecko_mqtt_options_set_token_provider(opts, on_token_needed, NULL, NULL);
}

static void on_event(const gecko_mqtt_connection_event_t *event, void *userdata) {
    (void)userdata;
    if (event->kind != GECKO_MQTT_EVENT_TOKEN_REFRESHED &&
        event->kind != GECKO_MQTT_EVENT_TOKEN_REFRESH_FAILED)
        return;
    printf("token: %s\n", event->message);
    pthread_mutex_lock(&mutex);
    renewals += event->kind == GECKO_MQTT_EVENT_TOKEN_REFRESHED;
    pthread_mutex_unlock(&mutex);
}

static void on_state(gecko_mqtt_connection_state_t state, void *userdata) {
    (void)userdata;
    printf("connection: %s\n", gecko_mqtt_connection_state_string(state));
    pthread_mutex_lock(&mutex);
    if (state == GECKO_MQTT_STATE_RECONNECTING)
        interruptions++;
    if (state == GECKO_MQTT_STATE_DISCONNECTED) /* not trying any more; anything else heals */
        given_up = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static void on_message(const gecko_mqtt_message_t *message, void *userdata) {
    (void)userdata;
    char text[64];
    long from;
    unsigned long n;
    snprintf(text, sizeof(text), "%.*s", (int)message->payload_len, (const char *)message->payload);
    if (sscanf(text, "%ld %lu", &from, &n) != 2 || from != (long)getpid())
        return; /* somebody else's */
    pthread_mutex_lock(&mutex);
    bool ours = n > 0 && n <= published;
    bool again = ours && (n + WINDOW <= published || seen[n % WINDOW]);
    received += ours && !again;
    doubled += again;
    seen[n % WINDOW] |= ours;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
    if (ours && !quiet)
        printf("message %lu%s\n", n, again ? ", once more" : "");
}

static void on_end(const gecko_mqtt_ack_t *ack, void *userdata) {
    if (ack->status != GECKO_MQTT_OK)
        complain("message %lu: %s: %s", (unsigned long)(uintptr_t)userdata,
                 gecko_mqtt_status_string(ack->status), ack->error);
    pthread_mutex_lock(&mutex);
    ended++;
    failed += ack->status != GECKO_MQTT_OK;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static bool publish_one(gecko_mqtt_client_t *client) {
    char text[64];
    pthread_mutex_lock(&mutex);
    unsigned long n = ++published; /* before it can come back */
    lost += n > WINDOW && !seen[n % WINDOW];
    seen[n % WINDOW] = false;
    pthread_mutex_unlock(&mutex);
    snprintf(text, sizeof(text), "%ld %lu", (long)getpid(), n);
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT(topic, text, 1);
    gecko_mqtt_status_t status = gecko_mqtt_publish(client, &message, on_end, (void *)(uintptr_t)n);
    if (status == GECKO_MQTT_ERR_QUEUE_FULL) { /* offline for long: this number is tried again */
        pthread_mutex_lock(&mutex);
        published--;
        seen[n % WINDOW] = true;
        pthread_mutex_unlock(&mutex);
        return true;
    }
    if (status != GECKO_MQTT_OK)
        complain_status("publish", status);
    return status == GECKO_MQTT_OK;
}

/* Publishes until there is a reason to end; the exit status that it makes. */
static int publish(gecko_mqtt_client_t *client, const struct timespec *deadline) {
    struct timespec pause = {(time_t)(interval_ms / 1000), (long)(interval_ms % 1000) * 1000000};
    unsigned long last = 0; /* with this message it is enough */
    while (!stopped) {
        if (!publish_one(client))
            return EXIT_FAILED;
        nanosleep(&pause, NULL); /* a signal ends it early */
        pthread_mutex_lock(&mutex);
        bool over = given_up, enough = last != 0 && published >= last;
        if (wanted != 0 && renewals >= wanted && last == 0)
            last = published + MORE;
        pthread_mutex_unlock(&mutex);
        if (enough)
            return EXIT_SUCCESS;
        if (over) {
            complain("the connection has ended, and cannot be made again");
            return EXIT_FAILED;
        }
        if (deadline != NULL && seconds_from_now(CLOCK_MONOTONIC, 0).tv_sec >= deadline->tv_sec)
            return wanted != 0 ? EXIT_TIMEOUT : EXIT_SUCCESS;
    }
    return wanted != 0 ? EXIT_FAILED : EXIT_SUCCESS;
}

/* Waits for what is under way, and tells how it all went. Whether nothing was lost. */
static bool sum_up(void) {
    struct timespec deadline = seconds_from_now(CLOCK_REALTIME, LAST_SECS);
    pthread_mutex_lock(&mutex);
    while ((ended < published || received + lost < published) && !given_up &&
           pthread_cond_timedwait(&changed, &mutex, &deadline) == 0)
        ;
    for (unsigned long n = published > WINDOW ? published - WINDOW + 1 : 1; n <= published; n++)
        lost += !seen[n % WINDOW];
    printf("tokens renewed: %lu, connection interrupted: %lu\n"
           "messages published: %lu, acknowledged: %lu, received: %lu, lost: %lu, doubled: %lu\n",
           renewals, interruptions, published, ended - failed, received, lost, doubled);
    bool good = failed == 0 && ended == published && lost == 0;
    pthread_mutex_unlock(&mutex);
    return good;
}

static void on_signal(int which) {
    (void)which;
    stopped = 1;
}

static int run(gecko_mqtt_client_t *client) {
    uint32_t secs = timeout_secs(0);
    struct timespec deadline = seconds_from_now(CLOCK_MONOTONIC, secs);
    gecko_mqtt_on_connection_state_change(client, on_state, NULL, NULL);
    gecko_mqtt_on_connection_event(client, on_event, NULL, NULL);
    gecko_mqtt_status_t status =
        gecko_mqtt_connect(client, secs != 0 ? secs * 1000 : GECKO_MQTT_WAIT_DEFAULT);
    if (status != GECKO_MQTT_OK) {
        complain_status("connect", status);
        return secs != 0 && status == GECKO_MQTT_ERR_TIMEOUT ? EXIT_TIMEOUT : EXIT_FAILED;
    }
    /* Until here a signal just ends the process; a second one does so again. */
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    char *client_id = NULL;
    gecko_mqtt_get_client_id(client, &client_id);
    if (topic == NULL)
        topic = client_id;
    status =
        gecko_mqtt_subscribe_wait(client, topic, 1, on_message, NULL, NULL, GECKO_MQTT_WAIT_DEFAULT, NULL);
    int result = EXIT_FAILED;
    if (status != GECKO_MQTT_OK) {
        complain_status(topic, status);
    } else {
        result = publish(client, secs != 0 ? &deadline : NULL);
        if (!sum_up())
            result = EXIT_FAILED;
    }
    gecko_mqtt_disconnect(client, 2000);
    gecko_mqtt_string_free(client_id);
    return result;
}

int main(int argc, char **argv) {
    static const tool_t tool = {
        "token_refresh",
        "token_refresh (--fetch URL --host HOST | --broker-url-file FILE) [option...]\n"
        "Stays connected while tokens come and go. Fresh ones come from URL, or from FILE, which is read "
        "again.\n"
        "Publishes numbered messages to itself, and tells how many were lost or came twice.",
        options,
        set,
        "--timeout is after how many seconds to end in any case (never).\n"
        "Exit status: 0 nothing was lost, and there were --renewals; 27 the time was over before those; 1 "
        "something\n"
        "was lost, another failure, or a signal before --renewals; 2 wrong usage.",
    };
    parse_arguments(&tool, argc, argv);
    if (source == NULL)
        source = broker_url_file();
    if (source == NULL)
        usage_error("--fetch or --broker-url-file is needed: there have to be fresh tokens somewhere");
    signal(SIGPIPE, SIG_IGN); /* a server that closes early is told by write(), too */
    setvbuf(stdout, NULL, _IOLBF, 0);

    gecko_mqtt_client_t *client = new_client(prepare);
    pthread_t thread;
    if (pthread_create(&thread, NULL, answer_requests, NULL) != 0) {
        complain("there can be no thread");
        gecko_mqtt_client_free(client);
        return EXIT_FAILED;
    }
    int result = run(client);
    gecko_mqtt_client_free(client); /* from here on nobody asks, and no callback comes */
    pthread_mutex_lock(&mutex);
    ending = true;
    pthread_cond_signal(&asked);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    return result;
}
