/* The child of a fork may not use what the parent made, and may make its own. */
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int in_the_child(gecko_mqtt_client_t *client, gecko_mqtt_options_t *options) {
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("a", "b", 0);
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_ERR_FORKED);
    CHECK_IS(gecko_mqtt_connect(client, 1000), GECKO_MQTT_ERR_FORKED);
    CHECK_IS(gecko_mqtt_disconnect(client, 1000), GECKO_MQTT_ERR_FORKED);
    CHECK_IS(gecko_mqtt_subscribe(client, "a", 0, NULL, NULL, NULL, NULL, NULL), GECKO_MQTT_ERR_FORKED);
    CHECK(!gecko_mqtt_is_connected(client));
    gecko_mqtt_client_free(client);
    /* Options are only memory: a daemon reads its configuration before it goes into the background. */
    CHECK_IS(gecko_mqtt_options_set_client_id(options, "child"), GECKO_MQTT_OK);
    gecko_mqtt_client_t *own = NULL;
    CHECK_IS(gecko_mqtt_client_new(options, &own), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_publish(own, &message, NULL, NULL), GECKO_MQTT_OK);
    gecko_mqtt_client_free(own);
    gecko_mqtt_options_free(options);
    return check_result();
}

#ifndef __SANITIZE_ADDRESS__
/* Over TLS and by name, which makes it share what all clients share; nothing listens there. */
static gecko_mqtt_client_t *named_client(void) {
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    gecko_mqtt_client_t *client = NULL;
    CHECK_IS(gecko_mqtt_options_set_broker_url(options, "mqtts://localhost:9"), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_options_set_reconnect(options, false, 1, 1, 1, 1.0), GECKO_MQTT_OK);
    CHECK_IS(gecko_mqtt_client_new(options, &client), GECKO_MQTT_OK);
    gecko_mqtt_options_free(options);
    return client;
}

static pthread_mutex_t stop = PTHREAD_MUTEX_INITIALIZER;

static void *come_and_go(void *unused) {
    (void)unused;
    while (pthread_mutex_trylock(&stop) != 0) {
        gecko_mqtt_client_t *client = named_client();
        CHECK_IS(gecko_mqtt_connect(client, 0), GECKO_MQTT_OK);
        gecko_mqtt_client_free(client);
    }
    pthread_mutex_unlock(&stop);
    return NULL;
}

/* Whatever the other threads were doing: what they held is nobody's in the child. */
static void forked_in_the_midst_of_it(void) {
    const int forks = getenv("GECKO_MQTT_SLOW") == NULL ? 60 : 3;
    pthread_t threads[2];
    int n;
    pthread_mutex_lock(&stop);
    for (n = 0; n < 2; n++)
        CHECK_IS(pthread_create(&threads[n], NULL, come_and_go, NULL), 0);
    for (n = 0; n < forks; n++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0) {
            gecko_mqtt_client_t *client;
            alarm(60); /* a deadlock ends it, and the parent hears of that */
            client = named_client();
            CHECK_IS(gecko_mqtt_connect(client, 30000), GECKO_MQTT_ERR_CONNECTION_REFUSED);
            gecko_mqtt_client_free(client);
            if (check_result() != 0)
                _exit(1);
            kill(getpid(), SIGKILL);
        }
        CHECK_IS(waitpid(child, &status, 0), child);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
            fprintf(stderr, "child %d of %d: wait status %#x\n", n, forks, (unsigned)status);
            exit(1);
        }
    }
    pthread_mutex_unlock(&stop);
    for (n = 0; n < 2; n++)
        CHECK_IS(pthread_join(threads[n], NULL), 0);
}
#endif

int main(void) {
    gecko_mqtt_options_t *options = check_options();
    gecko_mqtt_client_t *client = check_client();
    fflush(stderr);
    pid_t child = fork();
    if (child == 0) {
        if (in_the_child(client, options) != 0)
            _exit(1);
        /* Not by an exit: what the parent's threads had on their stacks would count as leaks of this process.
         */
        kill(getpid(), SIGKILL);
    }
    int status = -1;
    CHECK_IS(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    /* The parent has noticed nothing. */
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("a", "b", 0);
    CHECK_IS(gecko_mqtt_publish(client, &message, NULL, NULL), GECKO_MQTT_OK);
    gecko_mqtt_client_free(client);
    gecko_mqtt_options_free(options);
#ifndef __SANITIZE_ADDRESS__
    /* The allocator of AddressSanitizer has locks that it does not give up in the child. */
    forked_in_the_midst_of_it();
#endif
    return check_result();
}
