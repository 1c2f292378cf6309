#define _POSIX_C_SOURCE 200809L
#include "report.h"
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INDENT = 15, WIDTH = 100, MOST_TEXT = 1024 };

static const char *const names[STEPS] = {"settings", "clock",     "credentials", "dns",
                                         "tcp",      "tls",       "alpn",        "certificate",
                                         "connect",  "subscribe", "publish",     "receive"};
static const char *const words[] = {"untested", "not needed", "ok", "warning", "failed"};
static const char *const utf8_marks[] = {"\xc2\xb7", "\xc2\xb7", "\xe2\x9c\x93", "!", "\xe2\x9c\x97"};
static const char *const ascii_marks[] = {"..", "..", "ok", "!!", "NO"};

typedef struct {
    finding_t finding;
    char text[MOST_TEXT];
} line_t;

static line_t lines[STEPS];
static step_t next_step;
static bool json, utf8;
static int cause = -1;
static const char *the_host, *the_port, *the_client_id;

void report_begin(bool as_json) {
    json = as_json;
    setlocale(LC_CTYPE, "");
    utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

void report_about(const char *host, const char *port, const char *client_id) {
    the_host = host;
    the_port = port;
    the_client_id = client_id;
}

/* Prints the text from column `at` on, and goes on in the next line where it becomes too long. */
static void print_wrapped(const char *text, int at) {
    while (*text == ' ')
        text++;
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (at > INDENT && at + 1 + length > WIDTH) {
            printf("\n%*s", INDENT, "");
            at = INDENT;
        } else if (at > INDENT) {
            putchar(' ');
            at++;
        }
        printf("%.*s", length, text);
        at += length;
        text += length;
        while (*text == ' ')
            text++;
    }
    putchar('\n');
}

static void print_line(step_t step) {
    const line_t *line = &lines[step];
    printf(utf8 ? "%s %-12s " : "%-2s %-11s ", (utf8 ? utf8_marks : ascii_marks)[line->finding.result],
           names[step]);
    char took[32] = "";
    if (line->finding.took_ms >= 0)
        snprintf(took, sizeof(took), " (%ld ms)", line->finding.took_ms);
    char whole[MOST_TEXT + sizeof(took)];
    snprintf(whole, sizeof(whole), "%s%s", line->text, took);
    print_wrapped(whole, INDENT);
    if (line->finding.remedy != NULL) {
        printf("%*s-> ", INDENT, "");
        print_wrapped(line->finding.remedy, INDENT);
    }
    fflush(stdout); /* the next step may take its time */
}

static void skip_to(step_t step) {
    if (next_step == STEP_SETTINGS && !json)
        printf("gecko-mqtt-doctor %s\n", gecko_mqtt_version());
    for (; next_step < step; next_step++) {
        const finding_t untested = FINDING(RESULT_UNTESTED);
        lines[next_step].finding = untested;
        strcpy(lines[next_step].text, "not tested");
        if (!json)
            print_line(next_step);
    }
}

void report(step_t step, const finding_t *finding, const char *format, ...) {
    skip_to(step);
    next_step = (step_t)(step + 1);
    lines[step].finding = *finding;
    va_list list;
    va_start(list, format);
    vsnprintf(lines[step].text, MOST_TEXT, format, list);
    va_end(list);
    if (!json)
        print_line(step);
}

bool report_failed(step_t step) { return lines[step].finding.result == RESULT_FAILED; }

void report_cause(step_t step) { cause = (int)step; }

static void print_json_text(const char *text) {
    putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < ' ' || c == 127)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void print_json_member(const char *name, const char *text) {
    printf("\"%s\":", name);
    if (text != NULL)
        print_json_text(text);
    else
        printf("null");
    putchar(',');
}

static void print_json(int exit_status) {
    putchar('{');
    print_json_member("version", gecko_mqtt_version());
    print_json_member("host", the_host);
    printf("\"port\":%s,", the_port != NULL ? the_port : "null");
    print_json_member("client_id", the_client_id);
    printf("\"ok\":%s,\"exit_status\":%d,\"steps\":[", exit_status == 0 ? "true" : "false", exit_status);
    for (int step = 0; step < STEPS; step++) {
        const finding_t *finding = &lines[step].finding;
        printf("%s{", step > 0 ? "," : "");
        print_json_member("step", names[step]);
        print_json_member("result", words[finding->result]);
        print_json_member("text", lines[step].text);
        print_json_member("remedy", finding->remedy);
        printf("\"status\":%d,\"reason_code\":", (int)finding->status);
        printf(finding->reason_code >= 0 ? "%d" : "null", finding->reason_code);
        printf(",\"took_ms\":");
        printf(finding->took_ms >= 0 ? "%ld" : "null", finding->took_ms);
        putchar('}');
    }
    puts("]}");
}

int report_end(void) {
    skip_to(STEPS);
    int failed = -1, warnings = 0;
    for (int step = STEPS - 1; step >= 0; step--) {
        if (report_failed((step_t)step))
            failed = step;
        warnings += lines[step].finding.result == RESULT_WARNING;
    }
    if (failed >= 0 && cause >= 0)
        failed = cause;
    int exit_status = failed >= 0 ? EXIT_OF(failed) : EXIT_SUCCESS;
    if (json)
        print_json(exit_status);
    else if (failed >= 0)
        printf("Not well: %s (exit status %d).\n", names[failed], exit_status);
    else
        printf("All is well%s.\n", warnings > 0 ? ", but see what is marked !" : "");
    return exit_status;
}
