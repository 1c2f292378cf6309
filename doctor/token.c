#define _POSIX_C_SOURCE 200809L
#include "token.h"
#include "common.h"
#include "times.h"
#include <stdlib.h>

/* Decodes base64url up to the first character that is none; what it returns is to be given to forget(). */
static char *decode(const char *text, size_t length) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *out = (char *)calloc(1, length + 1);
    size_t used = 0;
    unsigned bits = 0, held = 0;
    for (size_t i = 0; out != NULL && i < length; i++) {
        char c = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
        const char *place = c != '\0' ? strchr(alphabet, c) : NULL;
        if (place == NULL)
            break;
        bits = bits << 6 | (unsigned)(place - alphabet);
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[used++] = (char)(bits >> held & 0xff);
        }
    }
    return out;
}

/* Where the value of the outermost object's member begins; NULL: there is no such member. */
static const char *member(const char *json, const char *name) {
    int depth = 0;
    size_t length = strlen(name);
    while (*json != '\0') {
        if (*json == '{' || *json == '[') {
            depth++;
        } else if (*json == '}' || *json == ']') {
            depth--;
        } else if (*json == '"') {
            const char *begin = ++json;
            while (*json != '\0' && *json != '"')
                json += json[0] == '\\' && json[1] != '\0' ? 2 : 1;
            if (*json == '\0')
                return NULL;
            const char *after = json + 1 + strspn(json + 1, " \t\r\n");
            if (depth == 1 && *after == ':' && (size_t)(json - begin) == length &&
                strncmp(begin, name, length) == 0)
                return after + 1 + strspn(after + 1, " \t\r\n");
        }
        json++;
    }
    return NULL;
}

/* A number of seconds or milliseconds, or a text. */
static bool moment(const char *json, const char *name, long long *secs) {
    const char *value = member(json, name);
    if (value == NULL)
        return false;
    if (*value == '"')
        return time_read(value + 1, secs);
    char *end = NULL;
    double number = strtod(value, &end);
    if (end == value || number < 0 || number > 1e15)
        return false;
    *secs = (long long)(number > 1e10 ? number / 1000 : number);
    return true;
}

token_times_t token_times(const char *token) {
    token_times_t times = {false, false, 0, 0};
    const char *dot = strchr(token, '.');
    const char *claims = dot != NULL ? dot + 1 : token;
    char *json = decode(claims, strcspn(claims, "."));
    if (json == NULL)
        return times;
    if (json[strspn(json, " \t\r\n")] == '{') {
        times.has_issue = moment(json, "iat", &times.issued);
        times.has_expiry =
            moment(json, "exp", &times.expires) || (dot == NULL && moment(json, "expiresAt", &times.expires));
    }
    forget(json);
    return times;
}

static int hex(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *place = c != '\0' ? strchr(digits, c | 0x20) : NULL;
    return place != NULL ? (int)(place - digits) : -1;
}

token_times_t token_times_of_url(const char *url) {
    token_times_t times = {false, false, 0, 0};
    const char *parameter = strchr(url, '?');
    /* Only the application knows what its token is called: any parameter that has a time in it will do. */
    while (parameter != NULL && !times.has_expiry) {
        const char *value = strchr(++parameter, '=');
        const char *next = strchr(parameter, '&');
        if (value == NULL || (next != NULL && value > next)) {
            parameter = next;
            continue;
        }
        char *token = (char *)calloc(1, strlen(value) + 1);
        char *out = token;
        for (value++; token != NULL && *value != '\0' && *value != '&'; value++) {
            if (value[0] == '%' && hex(value[1]) >= 0 && hex(value[2]) >= 0) {
                *out++ = (char)(hex(value[1]) << 4 | hex(value[2]));
                value += 2;
            } else {
                *out++ = *value;
            }
        }
        if (token != NULL)
            times = token_times(token);
        forget(token);
        parameter = next;
    }
    return times;
}
