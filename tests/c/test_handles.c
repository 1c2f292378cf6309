/* Handles that are none: of another type, freed, or something else. */
#include "check.h"
#include <pthread.h>
#include <time.h>

static void refused_as_client(gecko_mqtt_client_t *client) {
    char *text = (char *)&text;
    CHECK_IS(gecko_mqtt_connect(client, 0), GECKO_MQTT_ERR_INVALID_HANDLE);
    CHECK_IS(gecko_mqtt_disconnect(client, 0), GECKO_MQTT_ERR_INVALID_HANDLE);
    CHECK_IS(gecko_mqtt_get_client_id(client, &text), GECKO_MQTT_ERR_INVALID_HANDLE);
    CHECK(text == NULL);
    CHECK_IS(gecko_mqtt_get_connection_state(client), GECKO_MQTT_STATE_DISCONNECTED);
    CHECK_HAS(gecko_mqtt_last_error_message(), "a client");
    CHECK(!gecko_mqtt_is_connected(client));
    CHECK_IS(gecko_mqtt_dispatch_fd(client), -1);
    gecko_mqtt_client_free(client);
}

static void refused_as_options(gecko_mqtt_options_t *options) {
    gecko_mqtt_client_t *client = (gecko_mqtt_client_t *)&client;
    CHECK_IS(gecko_mqtt_options_set_port(options, 1), GECKO_MQTT_ERR_INVALID_HANDLE);
    CHECK_HAS(gecko_mqtt_last_error_message(), "an options handle");
    CHECK_IS(gecko_mqtt_client_new(options, &client), GECKO_MQTT_ERR_INVALID_HANDLE);
    CHECK(client == NULL);
    gecko_mqtt_options_free(options);
}

static pthread_barrier_t ready;

static void *wait_inside(void *userdata) {
    gecko_mqtt_client_t *client = (gecko_mqtt_client_t *)userdata;
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("a", "b", 1);
    gecko_mqtt_ack_t ack = GECKO_MQTT_ACK_INIT;
    gecko_mqtt_status_t status;
    pthread_barrier_wait(&ready);
    status = gecko_mqtt_publish_wait(client, &message, 60000, &ack);
    /* Inside when it was freed, just coming in, or too late. */
    CHECK(status == GECKO_MQTT_ERR_CANCELLED || status == GECKO_MQTT_ERR_CLOSED ||
          status == GECKO_MQTT_ERR_INVALID_HANDLE);
    return NULL;
}

/* Not that anybody should, but it must not be the end of the process. */
static void a_client_is_freed_while_others_wait_in_it(void) {
    for (int round = 0; round < 20; round++) {
        gecko_mqtt_client_t *client = check_client();
        pthread_t threads[4];
        pthread_barrier_init(&ready, NULL, 5);
        for (int i = 0; i < 4; i++)
            CHECK_IS(pthread_create(&threads[i], NULL, wait_inside, client), 0);
        pthread_barrier_wait(&ready);
        time_t start = time(NULL);
        gecko_mqtt_client_free(client);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        CHECK(time(NULL) - start < 30);
        CHECK_IS(gecko_mqtt_connect(client, 0), GECKO_MQTT_ERR_INVALID_HANDLE);
        pthread_barrier_destroy(&ready);
    }
}

int main(void) {
    gecko_mqtt_options_t *options = check_options();
    gecko_mqtt_client_t *client = check_client();
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("a", "b", 0);

    /* Another type, and what is no handle at all. */
    refused_as_client((gecko_mqtt_client_t *)options);
    refused_as_client((gecko_mqtt_client_t *)(void *)&message);
    refused_as_client((gecko_mqtt_client_t *)(void *)((char *)client + 4));
    refused_as_client((gecko_mqtt_client_t *)(uintptr_t)1);
    refused_as_options((gecko_mqtt_options_t *)client);
    refused_as_options((gecko_mqtt_options_t *)(uintptr_t)-8);

    /* They are none the worse for it. */
    CHECK_IS(gecko_mqtt_get_connection_state(client), GECKO_MQTT_STATE_DISCONNECTED);
    CHECK_IS(gecko_mqtt_options_set_port(options, 1883), GECKO_MQTT_OK);

    /* Freed, and freed again. */
    gecko_mqtt_client_free(client);
    refused_as_client(client);
    gecko_mqtt_options_free(options);
    refused_as_options(options);

    /* A new one is not mistaken for the old one. */
    gecko_mqtt_client_t *other = check_client();
    CHECK(other != client);
    refused_as_client(client);
    CHECK_IS(gecko_mqtt_publish(other, &message, NULL, NULL), GECKO_MQTT_OK);
    gecko_mqtt_client_free(other);

    a_client_is_freed_while_others_wait_in_it();

    /* Many at a time. */
    gecko_mqtt_options_t *many[200];
    for (int i = 0; i < 200; i++)
        many[i] = check_options();
    for (int i = 0; i < 200; i++) {
        CHECK_IS(gecko_mqtt_options_set_port(many[i], 1), GECKO_MQTT_OK);
        gecko_mqtt_options_free(many[i]);
        CHECK_IS(gecko_mqtt_options_set_port(many[i], 1), GECKO_MQTT_ERR_INVALID_HANDLE);
    }
    return check_result();
}
