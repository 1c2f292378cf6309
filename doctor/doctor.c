/* Tells a technician why a device does not connect, step by step; see gecko-mqtt-doctor --help. */
#define _POSIX_C_SOURCE 200809L
#include "checks.h"
#include "common.h"
#include "link_trace.h"
#include "remedies.h"
#include "report.h"
#include "times.h"
#include "token.h"
#include <stdio.h>
#include <stdlib.h>

#ifndef DOCTOR_BUILD_YEAR
#error "the build says in which year it is"
#endif

/* A client certificate or token that was issued later than that by our clock shows a wrong clock. */
enum { CLOCK_TOLERANCE_SECS = 300, SOON_SECS = 14 * 86400, MOST_TEXT = 512 };

enum { TOPIC = 256, JSON };

static const option_t options[] = {
    {"topic", 't', "TOPIC", "where to subscribe and publish (CLIENT-ID/doctor)"},
    {"json", JSON, NULL, "print one JSON object"},
    {NULL, 0, NULL, NULL},
};

static const char *given_topic;
static bool json;
static char client_id[160], topic[300], credentials[128];
static token_times_t times;
static bool has_token;
static uint32_t timeout_ms;

static void set(int id, const char *value) {
    if (id == JSON)
        json = true;
    else
        given_topic = value;
}

/* The command line names something that cannot be used: that is a finding, too. */
static void on_refused(const char *what, gecko_mqtt_status_t status, const char *why) {
    finding_t finding = FINDING(RESULT_FAILED);
    finding.status = status;
    finding.remedy = remedy_of(status);
    report(STEP_SETTINGS, &finding, "%s: %s", what, why);
    exit(report_end());
}

static void refuse(const char *what, gecko_mqtt_status_t status) {
    if (status != GECKO_MQTT_OK)
        on_refused(what, status, gecko_mqtt_last_error_message());
}

/* The server judges the token, whatever our clock says: it is given as one that lives. */
static void prepare_token(gecko_mqtt_options_t *into) {
    const char *url = getenv("GECKO_MQTT_BROKER_URL"), *token = getenv("GECKO_MQTT_TOKEN");
    char *from_file = NULL;
    gecko_mqtt_token_t fresh = GECKO_MQTT_TOKEN_INIT;
    fresh.expires_in_secs = 86400;
    if (option_value("authorizer") != NULL) {
        if (option_value("token-file") != NULL)
            token = from_file = read_line_file(option_value("token-file"));
        fresh.access_token = token;
        times = token_times(token);
    } else if (option_value("host") == NULL && option_value("broker-url") == NULL) {
        if (option_value("broker-url-file") != NULL)
            url = from_file = read_line_file(option_value("broker-url-file"));
        if (strchr(url, '?') != NULL) {
            fresh.broker_url = url;
            times = token_times_of_url(url);
        }
    }
    has_token = fresh.access_token != NULL || fresh.broker_url != NULL;
    if (has_token)
        refuse("token", gecko_mqtt_options_set_token(into, &fresh));
    forget(from_file);
}

static void prepare(gecko_mqtt_options_t *into) {
    prepare_token(into);
    refuse("--client-id", gecko_mqtt_options_set_client_id(into, client_id));
    refuse("--timeout", gecko_mqtt_options_set_connect_timeout_ms(into, timeout_ms));
    refuse("settings", gecko_mqtt_options_set_reconnect(into, false, 1, 1000, 1000, 1.0));
    refuse("settings", gecko_mqtt_options_set_session_expiry_secs(into, 0));
}

/* Without a device's identifier nobody is disconnected: it is our own, and another one each time. */
static void choose_names(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const char *given = option_value("client-id");
    if (given != NULL)
        snprintf(client_id, sizeof(client_id), "%s", given);
    else
        snprintf(client_id, sizeof(client_id), "gecko-mqtt-doctor-%08ld",
                 (now.tv_nsec ^ (long)now.tv_sec) % 100000000);
    if (given_topic != NULL)
        snprintf(topic, sizeof(topic), "%s", given_topic);
    else
        snprintf(topic, sizeof(topic), "%s/doctor", client_id);
}

static void describe_credentials(void) {
    bool certificate = option_value("cert") != NULL, user = option_value("username") != NULL;
    snprintf(credentials, sizeof(credentials), "%s%s%s",
             has_token ? "a token"
             : user    ? "a user name"
                       : "",
             certificate && (has_token || user) ? " and " : "", certificate ? "a client certificate" : "");
    if (credentials[0] == '\0')
        snprintf(credentials, sizeof(credentials), "nothing to authenticate with");
}

static void report_settings(void) {
    finding_t finding = FINDING(RESULT_OK);
    if (option_value("client-id") != NULL) {
        finding.result = RESULT_WARNING;
        finding.remedy = "A device that is connected with this client identifier is disconnected now.";
        report(STEP_SETTINGS, &finding, "%s; client identifier '%s'", credentials, client_id);
    } else {
        report(STEP_SETTINGS, &finding, "%s%s", credentials,
               option_value("cert") != NULL ? " that the key belongs to" : "");
    }
}

static void check_clock(void) {
    long long now = time_now(), build = 0;
    finding_t finding = FINDING(RESULT_FAILED);
    finding.remedy = remedy_of(GECKO_MQTT_ERR_TLS_CLOCK);
    char year[24];
    snprintf(year, sizeof(year), "%d-01-01T00:00:00Z", DOCTOR_BUILD_YEAR);
    time_read(year, &build);
    if (now < build) {
        report(STEP_CLOCK, &finding, "%s, which is before this program was built (%d)", time_text(now).text,
               DOCTOR_BUILD_YEAR);
    } else if (times.has_issue && times.issued > now + CLOCK_TOLERANCE_SECS) {
        report(STEP_CLOCK, &finding, "%s, but the token was issued later: %s", time_text(now).text,
               time_text(times.issued).text);
    } else {
        finding_t fine = FINDING(RESULT_OK);
        report(STEP_CLOCK, &fine, "%s", time_text(now).text);
    }
}

/* What is to be told of something that is valid in a time. Gives whether it is valid now. */
static bool judge(const char *what, bool has_start, long long start, bool has_end, long long end,
                  finding_t *finding, char *text, size_t size) {
    long long now = time_now();
    size_t used = strlen(text);
    const char *separator = used > 0 ? "; " : "";
    text += used;
    size -= used;
    if (has_start && now < start) {
        snprintf(text, size, "%sthe %s is not valid before %s", separator, what, time_text(start).text);
    } else if (!has_end) {
        snprintf(text, size, "%sthe %s does not tell when it expires", separator, what);
        return true;
    } else if (now >= end) {
        snprintf(text, size, "%sthe %s expired %s ago, on %s", separator, what, time_span(now - end).text,
                 time_text(end).text);
    } else {
        snprintf(text, size, "%sthe %s is valid until %s (%s)", separator, what, time_text(end).text,
                 time_span(end - now).text);
        return true;
    }
    finding->result = RESULT_FAILED;
    return false;
}

/* Gives whether the token is valid now. */
static bool check_credentials(void) {
    finding_t finding = FINDING(RESULT_OK);
    char text[MOST_TEXT] = "";
    link_trace_t trace = link_trace_get();
    bool fresh = true;
    if (option_value("cert") != NULL) {
        long long start = 0, end = 0;
        const char *until = strstr(trace.client, " until ");
        bool known =
            until != NULL && time_read(trace.client + strlen("from "), &start) && time_read(until + 7, &end);
        if (!judge("client certificate", known, start, known, end, &finding, text, sizeof(text))) {
            finding.remedy = "If this clock is right, this device needs a new certificate.";
        } else if (known && end - time_now() < SOON_SECS) {
            finding.result = RESULT_WARNING;
            finding.remedy = "This device needs a new certificate soon.";
        }
    }
    if (has_token) {
        fresh = judge("token", false, 0, times.has_expiry, times.expires, &finding, text, sizeof(text));
        if (!fresh)
            finding.remedy = "Get a fresh token. If it is fresh, this clock is wrong.";
    }
    if (text[0] == '\0') {
        finding.result = RESULT_NOT_NEEDED;
        snprintf(text, sizeof(text), "none that expire");
    }
    report(STEP_CREDENTIALS, &finding, "%s", text);
    return fresh;
}

static bool without_tls(void) {
    const char *url = option_value("broker-url");
    char *from_file = NULL;
    if (url == NULL && option_value("broker-url-file") != NULL)
        url = from_file = read_line_file(option_value("broker-url-file"));
    else if (url == NULL && option_value("host") == NULL)
        url = getenv("GECKO_MQTT_BROKER_URL");
    bool plain = url != NULL && strncmp(url, "mqtt://", 7) == 0;
    forget(from_file);
    return plain;
}

int main(int argc, char **argv) {
    static const tool_t tool = {
        "gecko-mqtt-doctor",
        "gecko-mqtt-doctor [option...]\nTells why a device does not connect: checks settings, clock, "
        "credentials, "
        "DNS, TCP, TLS, ALPN,\nthe server's certificate, CONNECT, and the rights to subscribe, publish and "
        "receive.",
        options,
        set,
        "It connects as gecko-mqtt-doctor-NUMBER, so that no device is disconnected; with --client-id the "
        "device of\n"
        "that identifier is. --timeout is how long each wait may take (10).\n"
        "Exit status: 0 all is well; 1 the doctor itself failed; 2 wrong usage; or the first step that "
        "failed:\n"
        "10 settings, 11 clock, 12 credentials, 13 dns, 14 tcp, 15 tls, 16 alpn, 17 certificate, 18 "
        "connect,\n"
        "19 subscribe, 20 publish, 21 receive.",
    };
    parse_arguments(&tool, argc, argv);
    if (given_topic != NULL && (given_topic[0] == '\0' || strpbrk(given_topic, "+#") != NULL))
        usage_error("--topic is published to, so it must have no wildcard and not be empty");
    timeout_ms = timeout_secs(10) * 1000;
    choose_names();
    report_begin(json);
    report_about(NULL, NULL, client_id);
    link_trace_begin();
    when_refused(on_refused);
    gecko_mqtt_client_t *client = new_client(prepare);
    describe_credentials();
    report_settings();
    check_clock();
    plan_t plan = {option_value("host"),
                   client_id,
                   topic,
                   without_tls(),
                   option_value("client-id") == NULL,
                   false,
                   timeout_ms};
    plan.token_is_stale = !check_credentials();
    check_server(client, &plan);
    gecko_mqtt_disconnect(client, 1000);
    gecko_mqtt_client_free(client);
    link_trace_t trace = link_trace_get();
    report_about(trace.host[0] != '\0' ? trace.host : plan.host, trace.port[0] != '\0' ? trace.port : NULL,
                 client_id);
    return report_end();
}
