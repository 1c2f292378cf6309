/* The first program: connect by token, hear a message, say one, leave.
 *
 *     quickstart [BROKER_URL_FILE [CA_FILE]]
 *
 * or with the environment: GECKO_MQTT_BROKER_URL, GECKO_MQTT_CA_FILE. The URL holds the token, so it comes
 * from a file or from the environment, never from the command line, which anybody on the machine can read. */
#define _POSIX_C_SOURCE 200809L
#include <gecko_mqtt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char own[64]; /* what we say, and wait to hear */
static bool heard;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void on_state(gecko_mqtt_connection_state_t state, void *userdata) {
    (void)userdata;
    printf("connection: %s\n", gecko_mqtt_connection_state_string(state));
}

/* Callbacks run on a thread of the library: what they share with main() needs a lock. */
static void on_message(const gecko_mqtt_message_t *message, void *userdata) {
    (void)userdata;
    printf("%.*s: %.*s\n", (int)message->topic_len, message->topic, (int)message->payload_len,
           (const char *)message->payload);
    pthread_mutex_lock(&mutex);
    if (message->payload_len == strlen(own) && memcmp(message->payload, own, message->payload_len) == 0)
        heard = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static bool wait_until_heard(time_t seconds) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += seconds;
    pthread_mutex_lock(&mutex);
    while (!heard && pthread_cond_timedwait(&changed, &mutex, &deadline) == 0)
        ;
    bool result = heard;
    pthread_mutex_unlock(&mutex);
    return result;
}

/* The broker URL: the file's first line, or without a file the environment's. */
static bool read_url(const char *path, char *url, int size) {
    url[0] = '\0';
    if (path != NULL) {
        FILE *file = fopen(path, "r");
        if (file == NULL || fgets(url, size, file) == NULL)
            url[0] = '\0';
        if (file != NULL)
            fclose(file);
        url[strcspn(url, "\r\n")] = '\0';
    } else if (getenv("GECKO_MQTT_BROKER_URL") != NULL) {
        snprintf(url, (size_t)size, "%s", getenv("GECKO_MQTT_BROKER_URL"));
    }
    return url[0] != '\0';
}

/* Called before the token expires, on a thread that may block: a real program asks its cloud for one. */
static void on_token_needed(gecko_mqtt_token_request_t request, void *userdata) {
    char url[8192];
    gecko_mqtt_token_t token = GECKO_MQTT_TOKEN_INIT;
    token.broker_url = url;
    if (read_url((const char *)userdata, url, sizeof(url)))
        gecko_mqtt_token_request_complete(request, &token);
    else
        gecko_mqtt_token_request_fail(request, "there is no broker URL any more");
}

int main(int argc, char **argv) {
    char *url_file = argc > 1 ? argv[1] : NULL; /* NULL: the environment */
    const char *ca_file = argc > 2 ? argv[2] : getenv("GECKO_MQTT_CA_FILE");
    snprintf(own, sizeof(own), "{\"temperature\":38.5,\"from\":%ld}", (long)getpid());
    char url[8192];
    if (!read_url(url_file, url, sizeof(url))) {
        fprintf(stderr, "no broker URL: quickstart BROKER_URL_FILE [CA_FILE], or GECKO_MQTT_BROKER_URL\n");
        return 2;
    }

    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    gecko_mqtt_options_set_broker_url(options, url);
    gecko_mqtt_options_set_token_provider(options, on_token_needed, url_file, NULL);
    if (ca_file != NULL) /* else the system's roots, which know AWS */
        gecko_mqtt_options_set_ca_file(options, ca_file);

    gecko_mqtt_client_t *client = NULL; /* the options remember their first error: one check serves all */
    gecko_mqtt_status_t status = gecko_mqtt_client_new(options, &client);
    gecko_mqtt_options_free(options);
    if (status == GECKO_MQTT_OK) {
        gecko_mqtt_on_connection_state_change(client, on_state, NULL, NULL);
        status = gecko_mqtt_connect(client, 10000);
    }
    if (status == GECKO_MQTT_OK)
        status = gecko_mqtt_subscribe_wait(client, "spa/42/state", 1, on_message, NULL, NULL, 5000, NULL);
    if (status == GECKO_MQTT_OK) {
        gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("spa/42/state", own, 1);
        status = gecko_mqtt_publish_wait(client, &message, 5000, NULL);
    }
    if (status != GECKO_MQTT_OK)
        fprintf(stderr, "%s: %s\n", gecko_mqtt_status_string(status), gecko_mqtt_last_error_message());
    bool success = status == GECKO_MQTT_OK && wait_until_heard(10);
    if (status == GECKO_MQTT_OK && !success)
        fprintf(stderr, "the message was published, but has not come back\n");

    gecko_mqtt_disconnect(client, 2000); /* a NULL client harms nothing */
    gecko_mqtt_client_free(client);
    return success ? 0 : 1;
}
