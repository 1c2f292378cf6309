/* What every test needs: checks that say where and what, and go on. */
#ifndef GECKO_MQTT_CHECK_H
#define GECKO_MQTT_CHECK_H

#include "traces.h"

#include <gecko_mqtt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures = 0;

static inline void check_true(const char *file, int line, const char *what, int is_true) {
    traces_error();
    if (!is_true) {
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
        check_failures++;
    }
}

static inline void check_number(const char *file, int line, const char *what, long long got,
                                long long expected) {
    traces_error();
    if (got != expected) {
        fprintf(stderr, "%s:%d: %s is %lld, not %lld (%s)\n", file, line, what, got, expected,
                gecko_mqtt_last_error_message());
        check_failures++;
    }
}

static inline void check_text(const char *file, int line, const char *what, const char *got,
                              const char *expected) {
    if (got == NULL || strcmp(got, expected) != 0) {
        fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", file, line, what, got == NULL ? "(NULL)" : got,
                expected);
        check_failures++;
    }
}

/* That something holds. */
#define CHECK(condition) check_true(__FILE__, __LINE__, #condition, (condition) ? 1 : 0)
/* That two numbers, or two statuses, are the same. */
#define CHECK_IS(got, expected)                                                                              \
    check_number(__FILE__, __LINE__, #got, (long long)(got), (long long)(expected))
/* That two texts are the same. */
#define CHECK_TEXT(got, expected) check_text(__FILE__, __LINE__, #got, (got), (expected))
/* That a text has another one in it. */
#define CHECK_HAS(got, part) check_true(__FILE__, __LINE__, #got " has " #part, strstr((got), (part)) != NULL)

/* Options that are enough for a client; nothing listens there. */
static inline gecko_mqtt_options_t *check_options(void) {
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    CHECK(options != NULL);
    CHECK_IS(gecko_mqtt_options_set_broker_url(options, "mqtt://127.0.0.1:9"), GECKO_MQTT_OK);
    return options;
}

/* A client that is not connected. */
static inline gecko_mqtt_client_t *check_client(void) {
    gecko_mqtt_options_t *options = check_options();
    gecko_mqtt_client_t *client = NULL;
    CHECK_IS(gecko_mqtt_client_new(options, &client), GECKO_MQTT_OK);
    gecko_mqtt_options_free(options);
    if (client == NULL)
        exit(1);
    return client;
}

/* What main returns. */
static inline int check_result(void) {
    if (check_failures > 0)
        fprintf(stderr, "%d failed\n", check_failures);
    return check_failures > 0 ? 1 : 0;
}

#endif
