/* Runs gecko-mqtt-doctor as a technician does, against simulators, mosquitto and worse. */
#ifndef DOCTOR_TEST_H
#define DOCTOR_TEST_H

#include "live.h"

#include <ctype.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { MOST_WORDS = 24, MOST_OUTPUT = 16384 };

/* One thing that can be wrong, and what the doctor says of it. */
typedef struct {
    const char *name;                 /* as docs/doctor.md has it, for those that are there */
    const char *switches[MOST_WORDS]; /* of the simulator */
    const char *arguments;            /* of the doctor; DIR, MTLS, ALPN and PLAIN are the simulator's */
    int exit_status;
    const char *step; /* the one that fails, or is remarkable; NULL: none */
    const char *says; /* a part of what is said of it */
} case_t;

typedef struct {
    char text[MOST_OUTPUT];
    int exit_status;
} output_t;

/* Starts it, with each word of the arguments, and waits for its end. */
static inline output_t doctor_run(const char *program, const char *locale, const char *arguments) {
    output_t output;
    char words[1024], *argv[MOST_WORDS + 2];
    size_t count = 0, used = 0;
    int out[2], status = -1;
    pid_t pid;
    traces_path_t said = traces_path("programs", "texts");
    memset(&output, 0, sizeof output);
    snprintf(words, sizeof words, "%s", arguments);
    argv[count++] = (char *)(size_t)(const void *)program;
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        CHECK(count < MOST_WORDS);
        argv[count++] = word;
    }
    argv[count] = NULL;
    CHECK(pipe2(out, O_CLOEXEC) == 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        dup2(out[1], 1);
        dup2(said.text[0] != '\0' ? traces_open(&said) : open("/dev/null", O_WRONLY), 2);
        setenv("LC_ALL", locale, 1);
        if (getenv("GECKO_TEST_PRELOAD") != NULL && said.text[0] != '\0')
            setenv("LD_PRELOAD", getenv("GECKO_TEST_PRELOAD"), 1);
        execv(program, argv);
        _exit(127);
    }
    close(out[1]);
    for (;;) {
        ssize_t got = read(out[0], output.text + used, MOST_OUTPUT - 1 - used);
        if (got < 0 && errno == EINTR)
            continue;
        CHECK(got >= 0);
        if (got == 0)
            break;
        used += (size_t)got;
        CHECK(used < MOST_OUTPUT - 1);
    }
    close(out[0]);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    output.exit_status = WEXITSTATUS(status);
    for (size_t at = 0; at < used; at += 1500) /* a note is cut behind 2000 */
        traces_note(output.text + at);
    return output;
}

/* Replaces each NAME by its value. */
static inline void put(char *text, size_t size, const char *name, const char *value) {
    char *place;
    while ((place = strstr(text, name)) != NULL) {
        char rest[1024];
        snprintf(rest, sizeof rest, "%s", place + strlen(name));
        snprintf(place, size - (size_t)(place - text), "%s%s", value, rest);
    }
}

static inline void put_port(char *text, size_t size, const char *name, unsigned port) {
    char value[16];
    snprintf(value, sizeof value, "%u", port);
    put(text, size, name, value);
}

/* What may differ from run to run is made the same: each run of digits is one #, each run of white space a
 * blank. */
static inline void plain_words(char *text) {
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        char c = isdigit((unsigned char)*in) ? '#' : isspace((unsigned char)*in) ? ' ' : *in;
        if ((c != '#' && c != ' ') || out == text || out[-1] != c)
            *out++ = c;
    }
    while (out > text && out[-1] == ' ')
        out--;
    *out = '\0';
}

/* ---- JSON, as strictly as RFC 8259 has it, but for numbers. ---- */

static inline const char *json_end(const char *at);

static inline const char *json_text_end(const char *at) {
    if (at == NULL || *at++ != '"')
        return NULL;
    for (; *at != '"'; at++) {
        if ((unsigned char)*at < ' ')
            return NULL;
        if (*at == '\\' && strchr("\"\\/bfnrtu", *++at) == NULL)
            return NULL;
    }
    return at + 1;
}

static inline const char *json_list_end(const char *at, char close, int is_object) {
    if (*++at == close)
        return at + 1;
    for (;; at++) {
        if (is_object) {
            at = json_text_end(at);
            if (at == NULL || *at++ != ':')
                return NULL;
        }
        at = json_end(at);
        if (at == NULL || (*at != ',' && *at != close))
            return NULL;
        if (*at == close)
            return at + 1;
    }
}

/* Where the value ends; NULL: it is none. */
static inline const char *json_end(const char *at) {
    static const char *const words[] = {"true", "false", "null"};
    if (*at == '{')
        return json_list_end(at, '}', 1);
    if (*at == '[')
        return json_list_end(at, ']', 0);
    if (*at == '"')
        return json_text_end(at);
    for (size_t i = 0; i < 3; i++)
        if (strncmp(at, words[i], strlen(words[i])) == 0)
            return at + strlen(words[i]);
    size_t length = strspn(at, "-0123456789");
    return length > 0 ? at + length : NULL;
}

/* ---- Servers that are none. ---- */

/* A port on which connections are made, and nobody answers. */
typedef struct {
    int listener, queued[8];
    unsigned port;
} silent_t;

/* `deaf`: further connections are not even made, since the queue is full. */
static inline silent_t silent_start(int deaf) {
    silent_t silent;
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    memset(&silent, 0, sizeof silent);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    silent.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(silent.listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(silent.listener, deaf ? 0 : 16) == 0);
    CHECK(getsockname(silent.listener, (struct sockaddr *)&address, &length) == 0);
    silent.port = ntohs(address.sin_port);
    for (size_t i = 0; i < 8; i++) {
        silent.queued[i] = deaf ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
        if (deaf)
            connect(silent.queued[i], (struct sockaddr *)&address, sizeof address);
    }
    return silent;
}

static inline void silent_stop(silent_t *silent) {
    for (size_t i = 0; i < 8; i++)
        if (silent->queued[i] >= 0)
            close(silent->queued[i]);
    close(silent->listener);
}

/* A port at which nobody listens: somebody did, a moment ago. */
static inline unsigned closed_port(void) {
    silent_t silent = silent_start(0);
    silent_stop(&silent);
    return silent.port;
}

#endif
