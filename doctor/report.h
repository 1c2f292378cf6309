/* What the doctor found: told line by line as it is found, or as one JSON object at the end. */
#ifndef REPORT_H
#define REPORT_H

#include <gecko_mqtt.h>
#include <stdbool.h>

/* In the order in which they are looked at. The first that fails decides the exit status. */
typedef enum {
    STEP_SETTINGS,
    STEP_CLOCK,
    STEP_CREDENTIALS,
    STEP_DNS,
    STEP_TCP,
    STEP_TLS,
    STEP_ALPN,
    STEP_CERTIFICATE,
    STEP_CONNECT,
    STEP_SUBSCRIBE,
    STEP_PUBLISH,
    STEP_RECEIVE,
    STEPS
} step_t;

/* The exit status of a step that failed: scripts rely on these numbers. */
#define EXIT_OF(step) (10 + (int)(step))

typedef enum {
    RESULT_UNTESTED, /* something before it failed */
    RESULT_NOT_NEEDED,
    RESULT_OK,
    RESULT_WARNING,
    RESULT_FAILED
} result_t;

/* What is known of a step beside the text. */
typedef struct {
    result_t result;
    const char *remedy;         /* what to do about it; NULL: nothing */
    gecko_mqtt_status_t status; /* the library's, where it failed */
    int reason_code;            /* the server's, or -1 */
    long took_ms;               /* or -1 */
} finding_t;

#define FINDING(result)                                                                                      \
    { (result), NULL, GECKO_MQTT_OK, -1, -1 }

/* Before the first step. */
void report_begin(bool as_json);

/* Whom the report is about, for JSON; texts that live on, or NULL. */
void report_about(const char *host, const char *port, const char *client_id);

#if defined(__GNUC__)
#define LIKE_PRINTF_3 __attribute__((format(printf, 3, 4)))
#else
#define LIKE_PRINTF_3
#endif
/* A step's finding, once, in their order; steps left out in between are untested. */
void report(step_t step, const finding_t *finding, const char *format, ...) LIKE_PRINTF_3;

/* Whether it was reported as failed. */
bool report_failed(step_t step);

/* The failure that was told is another one's: the exit status is that step's. */
void report_cause(step_t step);

/* Tells the rest, and gives the exit status. */
int report_end(void);

#endif
