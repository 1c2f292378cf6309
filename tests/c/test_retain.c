/* Messages that are kept: copies of all they say, released once, from any thread, and any other pointer
 * unharmed. */
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define COPIES 64

/* A message whose every part lies in memory that is overwritten afterwards. */
static char texts[6][32];
static uint32_t ids[2];
static gecko_mqtt_user_property_t properties[2];

static gecko_mqtt_message_t full(void) {
    static const char *const parts[] = {"spa/42/jobs", "payload", "text/plain",
                                        "spa/42/done", "\1\2",    "name"};
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_INIT;
    for (int i = 0; i < 6; i++)
        snprintf(texts[i], sizeof texts[i], "%s", parts[i]);
    ids[0] = 7;
    ids[1] = 70000;
    message.qos = 2;
    message.retain = 1;
    message.dup = 1;
    message.payload_format = 1;
    message.topic = texts[0];
    message.payload = texts[1];
    message.payload_len = strlen(texts[1]);
    message.content_type = texts[2];
    message.response_topic = texts[3];
    message.correlation_data = texts[4];
    message.correlation_data_len = 2;
    gecko_mqtt_user_property_t first = GECKO_MQTT_USER_PROPERTY(texts[5], texts[1]);
    gecko_mqtt_user_property_t second = GECKO_MQTT_USER_PROPERTY(texts[5], "");
    properties[0] = first;
    properties[1] = second;
    message.user_properties = properties;
    message.user_property_count = 2;
    message.subscription_ids = ids;
    message.subscription_id_count = 2;
    message.message_expiry_secs = 60;
    message.received = 99;
    return message;
}

#define CHECK_RUN(pointer, len, expected)                                                                    \
    CHECK((len) == strlen(expected) && memcmp((pointer), (expected), strlen(expected)) == 0)

static void check_full(const gecko_mqtt_message_t *copy) {
    CHECK_IS(copy->size, sizeof *copy);
    CHECK_IS(copy->qos, 2);
    CHECK(copy->retain && copy->dup && copy->payload_format == 1);
    CHECK_RUN(copy->topic, copy->topic_len, "spa/42/jobs");
    CHECK_RUN(copy->payload, copy->payload_len, "payload");
    CHECK_RUN(copy->content_type, copy->content_type_len, "text/plain");
    CHECK_RUN(copy->response_topic, copy->response_topic_len, "spa/42/done");
    CHECK_RUN(copy->correlation_data, copy->correlation_data_len, "\1\2");
    CHECK_IS(copy->user_property_count, 2);
    CHECK_RUN(copy->user_properties[0].name, copy->user_properties[0].name_len, "name");
    CHECK_RUN(copy->user_properties[0].value, copy->user_properties[0].value_len, "payload");
    CHECK_RUN(copy->user_properties[1].value, copy->user_properties[1].value_len, "");
    CHECK_IS(copy->subscription_id_count, 2);
    CHECK_IS(copy->subscription_ids[0], 7);
    CHECK_IS(copy->subscription_ids[1], 70000);
    CHECK_IS(copy->message_expiry_secs, 60);
    CHECK_IS(copy->received, 99);
}

static const gecko_mqtt_message_t *retained(const gecko_mqtt_message_t *message) {
    const gecko_mqtt_message_t *copy = NULL;
    CHECK_IS(gecko_mqtt_message_retain(message, &copy), GECKO_MQTT_OK);
    if (copy == NULL)
        exit(1);
    return copy;
}

static void a_copy_outlives_what_it_was_made_of(void) {
    gecko_mqtt_message_t message = full();
    const gecko_mqtt_message_t *copy = retained(&message);
    memset(&message, 0xff, sizeof message);
    memset(texts, 'x', sizeof texts);
    memset(properties, 0xff, sizeof properties);
    memset(ids, 0xff, sizeof ids);
    check_full(copy);
    /* Each has its own release. */
    const gecko_mqtt_message_t *again = retained(copy);
    CHECK(again != copy);
    gecko_mqtt_message_release(copy);
    check_full(again);
    gecko_mqtt_message_release(again);
}

static void a_message_of_an_older_program_is_completed(void) {
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("a/b", "text", 1);
    message.size = (uint32_t)offsetof(gecko_mqtt_message_t, content_type);
    message.received = 99;
    const gecko_mqtt_message_t *copy = retained(&message);
    CHECK_IS(copy->size, sizeof *copy);
    CHECK_RUN(copy->topic, copy->topic_len, "a/b");
    CHECK_TEXT(copy->content_type, "");
    CHECK(copy->correlation_data == NULL && copy->user_properties == NULL && copy->subscription_ids == NULL);
    CHECK_IS(copy->received, 0);
    gecko_mqtt_message_release(copy);
}

static void what_is_no_message_gives_none(void) {
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_INIT;
    const gecko_mqtt_message_t *copy = &message;
    CHECK_IS(gecko_mqtt_message_retain(&message, &copy), GECKO_MQTT_ERR_NULL_ARGUMENT);
    CHECK(copy == NULL);
    message.topic = "";
    CHECK_IS(gecko_mqtt_message_retain(&message, &copy), GECKO_MQTT_ERR_INVALID_TOPIC);
    message.topic = "\xff";
    CHECK_IS(gecko_mqtt_message_retain(&message, &copy), GECKO_MQTT_ERR_INVALID_UTF8);
    message.topic = "a";
    message.qos = 3;
    CHECK_IS(gecko_mqtt_message_retain(&message, &copy), GECKO_MQTT_ERR_OUT_OF_RANGE);
    message.qos = 0;
    message.subscription_id_count = 1;
    CHECK_IS(gecko_mqtt_message_retain(&message, &copy), GECKO_MQTT_ERR_NULL_ARGUMENT);
    message.subscription_id_count = SIZE_MAX;
    CHECK_IS(gecko_mqtt_message_retain(&message, &copy), GECKO_MQTT_ERR_OUT_OF_RANGE);
    message.subscription_id_count = 0;
    message.reserved = 1;
    CHECK_IS(gecko_mqtt_message_retain(&message, &copy), GECKO_MQTT_ERR_INVALID_ARGUMENT);
    message.size = 0;
    CHECK_IS(gecko_mqtt_message_retain(&message, &copy), GECKO_MQTT_ERR_STRUCT_SIZE);
    CHECK(copy == NULL);
}

static void any_other_pointer_is_harmless(void) {
    gecko_mqtt_message_t message = full();
    const gecko_mqtt_message_t *copy = retained(&message);
    gecko_mqtt_message_release(&message);
    CHECK_HAS(gecko_mqtt_last_error_message(), "retained");
    gecko_mqtt_message_release((const gecko_mqtt_message_t *)(uintptr_t)8);
    gecko_mqtt_message_release((const gecko_mqtt_message_t *)(const void *)((const char *)copy + 8));
    gecko_mqtt_message_release((const gecko_mqtt_message_t *)(const void *)copy->topic);
    check_full(copy);
    gecko_mqtt_message_release(copy);
    gecko_mqtt_message_release(copy); /* not touched: it is gone */
}

static const gecko_mqtt_message_t *copies[COPIES];

static void *release_all(void *unused) {
    (void)unused;
    for (int i = 0; i < COPIES; i++)
        gecko_mqtt_message_release(copies[i]);
    return NULL;
}

static void threads_that_race_to_release_agree(void) {
    gecko_mqtt_message_t message = full();
    pthread_t threads[4];
    for (int i = 0; i < COPIES; i++)
        copies[i] = retained(&message);
    for (int i = 0; i < 4; i++)
        CHECK_IS(pthread_create(&threads[i], NULL, release_all, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static void a_message_that_nobody_received_is_published_but_not_acknowledged(void) {
    gecko_mqtt_client_t *client = check_client();
    gecko_mqtt_message_t message = full();
    message.received = 0;
    const gecko_mqtt_message_t *copy = retained(&message);
    CHECK_IS(gecko_mqtt_message_ack(copy), GECKO_MQTT_ERR_INVALID_ARGUMENT);
    CHECK_IS(gecko_mqtt_publish(client, copy, NULL, NULL), GECKO_MQTT_OK);
    gecko_mqtt_message_release(copy);
    gecko_mqtt_client_free(client);
}

/* In the child the parent's copies can be read, and are left alone; the child's own are its own. */
static void after_a_fork(void) {
    gecko_mqtt_message_t message = full();
    const gecko_mqtt_message_t *copy = retained(&message);
    fflush(stderr);
    pid_t child = fork();
    if (child == 0) {
        const gecko_mqtt_message_t *own = retained(copy);
        gecko_mqtt_message_release(copy);
        check_full(copy);
        gecko_mqtt_message_release(own);
        if (check_failures > 0)
            _exit(1);
        kill(getpid(), SIGKILL); /* no exit: what the parent has is not this process's leak */
    }
    int status = -1;
    CHECK_IS(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    check_full(copy);
    gecko_mqtt_message_release(copy);
}

int main(void) {
    a_copy_outlives_what_it_was_made_of();
    a_message_of_an_older_program_is_completed();
    what_is_no_message_gives_none();
    any_other_pointer_is_harmless();
    threads_that_race_to_release_agree();
    a_message_that_nobody_received_is_published_but_not_acknowledged();
    after_a_fork();
    return check_result();
}
