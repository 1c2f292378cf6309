#define _POSIX_C_SOURCE 200809L
#include "checks.h"
#include "link_trace.h"
#include "remedies.h"
#include "report.h"
#include "times.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A server's certificate that ends sooner than that should have been renewed. */
enum { SOON_SECS = 14 * 86400 };

/* ---- From the name to CONNACK: one attempt of the library, read in its log and its error. ---- */

static const char not_used[] = "not used: the URL says mqtt://";

static long after(long from, long until) { return until < 0 ? -1 : from < 0 ? until : until - from; }

/* The failure of the attempt is this step's. */
static void fail(step_t step, gecko_mqtt_status_t status, const char *remedy) {
    finding_t finding = FINDING(RESULT_FAILED);
    finding.status = status;
    finding.remedy = remedy != NULL ? remedy : remedy_of(status);
    report(step, &finding, "%s", gecko_mqtt_last_error_message());
}

#define OK(step, milliseconds, ...)                                                                          \
    do {                                                                                                     \
        finding_t fine = FINDING(RESULT_OK);                                                                 \
        fine.took_ms = (milliseconds);                                                                       \
        report((step), &fine, __VA_ARGS__);                                                                  \
    } while (0)

static bool check_way(const plan_t *plan, const link_trace_t *trace, gecko_mqtt_status_t status) {
    const char *host = trace->host[0] != '\0' ? trace->host : plan->host;
    if (trace->addresses == 0) {
        fail(STEP_DNS, status, NULL);
        return false;
    }
    OK(STEP_DNS, trace->dns_ms, "%s: addresses found: %d", host, trace->addresses);
    if (trace->peer[0] == '\0') {
        fail(STEP_TCP, status, NULL);
        return false;
    }
    OK(STEP_TCP, after(trace->dns_ms, trace->tcp_ms), "%s answers", trace->peer);
    return true;
}

static void report_alpn(const link_trace_t *trace) {
    if (trace->alpn[0] != '\0')
        OK(STEP_ALPN, -1, "the server agrees to '%s'", trace->alpn);
    else
        OK(STEP_ALPN, -1, "none is needed here");
}

static void report_certificate(const plan_t *plan, const link_trace_t *trace) {
    finding_t finding = FINDING(RESULT_OK);
    const char *host = trace->host[0] != '\0' ? trace->host : plan->host;
    const char *until = strstr(trace->server, " until ");
    long long end = 0;
    if (until != NULL && time_read(until + 7, &end) && end - time_now() < SOON_SECS) {
        finding.result = RESULT_WARNING;
        finding.remedy = "The server needs a new certificate soon.";
    }
    report(STEP_CERTIFICATE, &finding, "the server's is for '%s', from a CA that is trusted; valid %s", host,
           trace->server[0] != '\0' ? trace->server : "now");
}

/* TLS is a step of three parts, and where it fails, the status says which one. */
static bool check_tls(const plan_t *plan, const link_trace_t *trace, gecko_mqtt_status_t status) {
    finding_t skipped = FINDING(RESULT_NOT_NEEDED);
    if (plan->without_tls) {
        report(STEP_TLS, &skipped, not_used);
        report(STEP_ALPN, &skipped, not_used);
        report(STEP_CERTIFICATE, &skipped, not_used);
        return true;
    }
    if (trace->tls[0] != '\0') {
        OK(STEP_TLS, after(trace->tcp_ms, trace->tls_ms), "%s, %s", trace->tls, trace->cipher);
        report_alpn(trace);
        report_certificate(plan, trace);
        return true;
    }
    bool of_certificate =
        status >= GECKO_MQTT_ERR_TLS_HOSTNAME && status <= GECKO_MQTT_ERR_TLS_BAD_CERTIFICATE;
    bool of_client = status == GECKO_MQTT_ERR_TLS_CLIENT_CERTIFICATE;
    if (!of_certificate && !of_client && status != GECKO_MQTT_ERR_TLS_ALPN) {
        fail(STEP_TLS, status, NULL);
        return false;
    }
    OK(STEP_TLS, -1, "the server speaks TLS");
    if (status == GECKO_MQTT_ERR_TLS_ALPN) {
        fail(STEP_ALPN, status, NULL);
        return false;
    }
    OK(STEP_ALPN, -1, "no objection");
    if (of_certificate) {
        fail(STEP_CERTIFICATE, status, NULL);
        if (status == GECKO_MQTT_ERR_TLS_CLOCK)
            report_cause(STEP_CLOCK);
        return false;
    }
    report_certificate(plan, trace);
    return true;
}

static const char *remedy_of_refusal(const plan_t *plan, gecko_mqtt_status_t status) {
    switch (status) {
    case GECKO_MQTT_ERR_NOT_AUTHORIZED:
    case GECKO_MQTT_ERR_BAD_CREDENTIALS:
    case GECKO_MQTT_ERR_CLOSED_BEFORE_CONNACK:
        if (plan->token_is_stale)
            return "Get a fresh token: this one has expired.";
        if (plan->own_client_id)
            return "Check the token or certificate (is it active at the server?). If it is good, its policy "
                   "may allow iot:Connect for the device's own identifier only: try --client-id with that, "
                   "which disconnects the device.";
        return "Check the token or certificate (is it active at the server?), and that its policy allows "
               "iot:Connect for this client identifier.";
    default:
        return remedy_of(status);
    }
}

static bool check_connect(const plan_t *plan, const link_trace_t *trace, gecko_mqtt_status_t status,
                          int reason_code) {
    finding_t finding = FINDING(RESULT_OK);
    if (status != GECKO_MQTT_OK) {
        finding.result = RESULT_FAILED;
        finding.status = status;
        finding.reason_code = reason_code;
        finding.remedy = remedy_of_refusal(plan, status);
        report(STEP_CONNECT, &finding, "%s", gecko_mqtt_last_error_message());
        return false;
    }
    finding.took_ms = after(plan->without_tls ? trace->tcp_ms : trace->tls_ms, trace->connack_ms);
    if (plan->token_is_stale) {
        finding.result = RESULT_WARNING;
        finding.remedy = "Set this device's clock: it is most likely ahead.";
        report(STEP_CONNECT, &finding, "the server accepts the token, which this clock says has expired");
    } else {
        report(STEP_CONNECT, &finding, "accepted as '%s'", plan->client_id);
    }
    return true;
}

/* ---- Rights: what callbacks bring, on a thread of the library, and main waits for. ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct {
    bool answered, lost, heard;
    gecko_mqtt_status_t status;
    int reason_code;
    long took_ms;
    char error[512]; /* of the answer, or why the connection was lost */
    int refusal;     /* the reason code of the last failed attempt, or -1 */
} now = {false, false, false, GECKO_MQTT_OK, -1, -1, "", -1};
static char payload[64];

static void on_ack(const gecko_mqtt_ack_t *ack, void *userdata) {
    (void)userdata;
    pthread_mutex_lock(&mutex);
    if (!now.lost) { /* else that is why */
        now.answered = true;
        now.status = ack->status;
        now.reason_code = ack->reason_code;
        now.took_ms = (long)ack->round_trip_ms;
        snprintf(now.error, sizeof(now.error), "%s", ack->error);
    }
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static void on_event(const gecko_mqtt_connection_event_t *event, void *userdata) {
    (void)userdata;
    pthread_mutex_lock(&mutex);
    if (event->kind == GECKO_MQTT_EVENT_FAILED)
        now.refusal = event->reason_code;
    if (event->kind == GECKO_MQTT_EVENT_DISCONNECTED && !now.answered) {
        now.lost = true;
        now.status = event->status;
        now.reason_code = event->reason_code;
        snprintf(now.error, sizeof(now.error), "%s", event->error);
    }
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static void on_message(const gecko_mqtt_message_t *message, void *userdata) {
    (void)userdata;
    pthread_mutex_lock(&mutex);
    if (message->payload_len == strlen(payload) && memcmp(message->payload, payload, strlen(payload)) == 0)
        now.heard = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

/* With the mutex held: waits until one of them is so. */
static bool wait_for(const bool *one, const bool *other, uint32_t timeout_ms) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    while (!*one && !*other && pthread_cond_timedwait(&changed, &mutex, &until) == 0)
        ;
    return *one || *other;
}

/* What became of a request that was accepted with `status`. */
static bool check_right(const plan_t *plan, step_t step, gecko_mqtt_status_t status, const char *may,
                        const char *remedy) {
    if (status != GECKO_MQTT_OK) {
        fail(step, status, NULL);
        return false;
    }
    pthread_mutex_lock(&mutex);
    bool ended = wait_for(&now.answered, &now.lost, plan->timeout_ms);
    finding_t finding = FINDING(RESULT_FAILED);
    finding.reason_code = now.reason_code;
    finding.status = ended ? now.status : GECKO_MQTT_ERR_TIMEOUT;
    finding.remedy = remedy;
    bool good = ended && !now.lost && now.status == GECKO_MQTT_OK;
    if (good) {
        finding.result = RESULT_OK;
        finding.remedy = NULL;
        finding.reason_code = -1;
        finding.took_ms = now.took_ms;
        report(step, &finding, "%s '%s'", may, plan->topic);
    } else if (!ended) {
        finding.remedy = remedy_of(GECKO_MQTT_ERR_SERVER_UNAVAILABLE);
        report(step, &finding, "'%s': no answer within %lu s", plan->topic,
               (unsigned long)plan->timeout_ms / 1000);
    } else if (now.lost) {
        report(step, &finding, "'%s': the server ended the connection over it: %s", plan->topic, now.error);
    } else {
        report(step, &finding, "'%s': %s", plan->topic, now.error);
    }
    pthread_mutex_unlock(&mutex);
    return good;
}

static void ask_anew(void) {
    pthread_mutex_lock(&mutex);
    now.answered = false;
    now.reason_code = -1;
    pthread_mutex_unlock(&mutex);
}

static void check_receive(const plan_t *plan) {
    pthread_mutex_lock(&mutex);
    wait_for(&now.heard, &now.lost, plan->timeout_ms);
    finding_t finding = FINDING(now.heard ? RESULT_OK : RESULT_FAILED);
    if (now.heard) {
        report(STEP_RECEIVE, &finding, "the message came back");
    } else {
        finding.status = now.lost ? now.status : GECKO_MQTT_ERR_TIMEOUT;
        finding.remedy = "On AWS IoT: allow iot:Receive for this topic in the policy.";
        report(STEP_RECEIVE, &finding, "what was published to '%s' did not come back", plan->topic);
    }
    pthread_mutex_unlock(&mutex);
}

static void check_rights(gecko_mqtt_client_t *client, const plan_t *plan) {
    snprintf(payload, sizeof(payload), "{\"from\":\"gecko-mqtt-doctor\",\"at\":%lld}", time_now());
    bool subscribed = check_right(
        plan, STEP_SUBSCRIBE,
        gecko_mqtt_subscribe(client, plan->topic, 1, on_message, NULL, NULL, on_ack, NULL),
        "may subscribe to", "On AWS IoT: allow iot:Subscribe for this topic filter in the policy.");
    if (!gecko_mqtt_is_connected(client))
        return;
    ask_anew();
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT(plan->topic, payload, 1);
    message.message_expiry_secs = 60;
    bool published =
        check_right(plan, STEP_PUBLISH, gecko_mqtt_publish(client, &message, on_ack, NULL), "may publish to",
                    "On AWS IoT: allow iot:Publish for this topic in the policy.");
    if (subscribed && published)
        check_receive(plan);
}

void check_server(gecko_mqtt_client_t *client, const plan_t *plan) {
    gecko_mqtt_on_connection_event(client, on_event, NULL, NULL);
    gecko_mqtt_status_t status = gecko_mqtt_connect(client, plan->timeout_ms + 1000);
    link_trace_t trace = link_trace_get();
    if (!check_way(plan, &trace, status) || !check_tls(plan, &trace, status))
        return;
    pthread_mutex_lock(&mutex);
    int refusal = now.refusal;
    pthread_mutex_unlock(&mutex);
    if (check_connect(plan, &trace, status, refusal))
        check_rights(client, plan);
}
