/* Does work that takes long on a thread of its own, and acknowledges each message when its work is done.
 *
 *     worker [BROKER_URL_FILE [CA_FILE]]
 *
 * or with the environment, as quickstart. A job that was not acknowledged, because the program crashed over
 * it or the power failed, comes again at the next start: the client identifier stays the same, and the server
 * keeps the session. This program gives itself five jobs, and ends when they are done. */
#include <gecko_mqtt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS = 5 };

typedef struct job {
    const gecko_mqtt_message_t *message;
    struct job *next;
} job_t;

static job_t *first, **last = &first; /* what waits for the worker */
static unsigned done;
static bool ending, refused;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* A message is gone when its callback returns, unless it is retained. So the callback is short, and the
 * connection is served meanwhile. */
static void on_job(const gecko_mqtt_message_t *message, void *userdata) {
    (void)userdata;
    job_t *job = (job_t *)malloc(sizeof(*job));
    if (job == NULL || gecko_mqtt_message_retain(message, &job->message) != GECKO_MQTT_OK) {
        free(job); /* nobody acknowledges it: the server sends it again when we are connected the next time */
        return;
    }
    job->next = NULL;
    pthread_mutex_lock(&mutex);
    *last = job;
    last = &job->next;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

/* The next job; NULL when there is none and there will be none. */
static job_t *take(void) {
    pthread_mutex_lock(&mutex);
    while (first == NULL && !ending)
        pthread_cond_wait(&changed, &mutex);
    job_t *job = first;
    if (job != NULL && (first = job->next) == NULL)
        last = &first;
    pthread_mutex_unlock(&mutex);
    return job;
}

static void *work(void *unused) {
    (void)unused;
    for (job_t *job = take(); job != NULL; job = take()) {
        const gecko_mqtt_message_t *message = job->message;
        /* Here is the work. It may be done twice: after a crash, or a broken connection (`dup`). */
        printf("done: %.*s%s\n", (int)message->payload_len, (const char *)message->payload,
               message->dup ? " (perhaps again)" : "");
        gecko_mqtt_message_ack(message); /* in any order: the library keeps the one that MQTT demands */
        gecko_mqtt_message_release(message);
        free(job);
        pthread_mutex_lock(&mutex);
        done++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void on_subscribed(const gecko_mqtt_ack_t *ack, void *userdata) {
    (void)userdata;
    if (ack->status == GECKO_MQTT_OK || ack->status == GECKO_MQTT_ERR_CANCELLED)
        return;
    fprintf(stderr, "subscribe: %s: %s\n", gecko_mqtt_status_string(ack->status), ack->error);
    pthread_mutex_lock(&mutex);
    refused = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

/* The broker URL: the file's first line, or without a file the environment's. */
static bool read_url(const char *path, char *url, int size) {
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    url[0] = '\0';
    if (file != NULL && fgets(url, size, file) != NULL)
        url[strcspn(url, "\r\n")] = '\0';
    if (file != NULL)
        fclose(file);
    if (path == NULL && getenv("GECKO_MQTT_BROKER_URL") != NULL)
        snprintf(url, (size_t)size, "%s", getenv("GECKO_MQTT_BROKER_URL"));
    return url[0] != '\0';
}

static gecko_mqtt_status_t give_jobs(gecko_mqtt_client_t *client) {
    gecko_mqtt_status_t status = GECKO_MQTT_OK;
    for (int n = 1; n <= JOBS && status == GECKO_MQTT_OK; n++) {
        char text[32];
        snprintf(text, sizeof(text), "job %d of %d", n, (int)JOBS);
        gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("spa/42/jobs", text, 1);
        status = gecko_mqtt_publish_wait(client, &message, 5000, NULL);
    }
    return status;
}

int main(int argc, char **argv) {
    const char *ca_file = argc > 2 ? argv[2] : getenv("GECKO_MQTT_CA_FILE");
    char url[8192];
    if (!read_url(argc > 1 ? argv[1] : NULL, url, sizeof(url))) {
        fprintf(stderr, "no broker URL: worker BROKER_URL_FILE [CA_FILE], or GECKO_MQTT_BROKER_URL\n");
        return 2;
    }
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    gecko_mqtt_options_set_broker_url(options, url);
    if (ca_file != NULL)
        gecko_mqtt_options_set_ca_file(options, ca_file);
    gecko_mqtt_options_set_client_id(options, "spa-42-worker");
    gecko_mqtt_options_set_clean_start(options, false);
    gecko_mqtt_options_set_manual_ack(options, true);
    gecko_mqtt_options_set_receive_maximum(options, 16); /* more jobs than that wait at the server */

    gecko_mqtt_client_t *client = NULL;
    gecko_mqtt_status_t status = gecko_mqtt_client_new(options, &client);
    gecko_mqtt_options_free(options);
    pthread_t worker;
    bool working = pthread_create(&worker, NULL, work, NULL) == 0;
    /* Before connecting, so that jobs which the server kept for us find their handler. */
    if (status == GECKO_MQTT_OK)
        status = gecko_mqtt_subscribe(client, "spa/42/jobs", 1, on_job, NULL, NULL, on_subscribed, NULL);
    if (status == GECKO_MQTT_OK)
        status = gecko_mqtt_connect(client, 10000);
    if (status == GECKO_MQTT_OK)
        status = give_jobs(client);
    if (status != GECKO_MQTT_OK)
        fprintf(stderr, "%s: %s\n", gecko_mqtt_status_string(status), gecko_mqtt_last_error_message());

    pthread_mutex_lock(&mutex);
    while (working && status == GECKO_MQTT_OK && !refused && done < JOBS)
        pthread_cond_wait(&changed, &mutex);
    ending = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    if (working)
        pthread_join(worker, NULL);
    gecko_mqtt_disconnect(client, 2000); /* the acknowledgements go out before */
    gecko_mqtt_client_free(client);      /* from here on no job comes */
    for (job_t *job = take(); job != NULL; job = take()) {
        gecko_mqtt_message_release(job->message); /* not acknowledged: it comes again at the next start */
        free(job);
    }
    return status == GECKO_MQTT_OK && working && !refused ? 0 : 1;
}
