#define _POSIX_C_SOURCE 200809L
#include "link_trace.h"
#include <gecko_mqtt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static link_trace_t seen;

/* The value of a member, which has no escapes in it: "" where there is none. */
static void field(const char *fields, const char *name, char *out, size_t size) {
    char key[40];
    snprintf(key, sizeof(key), "\"%s\":", name);
    const char *value = strstr(fields, key);
    out[0] = '\0';
    if (value == NULL)
        return;
    value += strlen(key);
    bool text = *value == '"';
    value += text;
    snprintf(out, size, "%.*s", (int)strcspn(value, text ? "\"" : ",}"), value);
}

static long number_field(const char *fields, const char *name) {
    char text[24];
    field(fields, name, text, sizeof(text));
    return text[0] != '\0' ? strtol(text, NULL, 10) : -1;
}

#define TEXT(name, member) field(record->fields, name, seen.member, sizeof(seen.member))

static void on_log(const gecko_mqtt_log_record_t *record, void *userdata) {
    (void)userdata;
    long took_ms = number_field(record->fields, "took_ms");
    pthread_mutex_lock(&mutex);
    if (strcmp(record->message, "connecting") == 0) {
        TEXT("host", host);
        TEXT("port", port);
    } else if (strcmp(record->message, "the name is resolved") == 0) {
        seen.addresses = (int)number_field(record->fields, "addresses");
        seen.dns_ms = took_ms;
    } else if (strcmp(record->message, "TCP is connected") == 0) {
        TEXT("peer", peer);
        seen.tcp_ms = took_ms;
    } else if (strcmp(record->message, "TLS is agreed on") == 0) {
        TEXT("version", tls);
        TEXT("cipher_suite", cipher);
        TEXT("alpn", alpn);
        TEXT("certificate_valid", server);
        seen.tls_ms = took_ms;
    } else if (strcmp(record->message, "the server accepted the connection") == 0) {
        seen.connack_ms = took_ms;
    } else if (strncmp(record->message, "the client certificate is", 25) == 0) {
        TEXT("valid", client);
    }
    pthread_mutex_unlock(&mutex);
}

void link_trace_begin(void) {
    seen.dns_ms = seen.tcp_ms = seen.tls_ms = seen.connack_ms = -1;
    gecko_mqtt_log_set_callback("debug", on_log, NULL, NULL);
}

link_trace_t link_trace_get(void) {
    pthread_mutex_lock(&mutex);
    link_trace_t copy = seen;
    pthread_mutex_unlock(&mutex);
    return copy;
}
