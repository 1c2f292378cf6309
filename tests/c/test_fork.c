/* The child of a fork may not use what the parent made, and may make its own. */
#include "check.h"
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
    return check_result();
}
