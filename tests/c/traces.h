/* What tests leave for tests/secrets, where GECKO_TEST_TRACES names a folder: the library's log at TRACE,
 * with every event in it, and the errors that the checks see. The simulator lists the secrets that were in
 * use. */
#ifndef TRACES_H
#define TRACES_H

#include <gecko_mqtt.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    char text[600]; /* "" where there are no traces to be left */
} traces_path_t;

/* A file of this process: its name begins with `beginning`, or with the program's if that is NULL. */
static inline traces_path_t traces_path(const char *beginning, const char *end) {
    traces_path_t path;
    const char *folder = getenv("GECKO_TEST_TRACES");
    char program[256] = "";
    path.text[0] = '\0';
    if (folder == NULL || folder[0] == '\0')
        return path;
    if (beginning == NULL && readlink("/proc/self/exe", program, sizeof program - 1) > 0)
        beginning = strrchr(program, '/') + 1;
    snprintf(path.text, sizeof path.text, "%s/%s-%ld.%s", folder, beginning, (long)getpid(), end);
    return path;
}

/* Opens it to append; -1 where there is none. */
static inline int traces_open(const traces_path_t *path) {
    return path->text[0] == '\0' ? -1 : open(path->text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* A text that the application was told. */
static inline void traces_note(const char *text) {
    traces_path_t path = traces_path(NULL, "texts");
    int fd = traces_open(&path);
    char line[2048];
    int length = snprintf(line, sizeof line, "%.2000s\n", text);
    if (fd >= 0) {
        if (write(fd, line, (size_t)length) != length)
            abort();
        close(fd);
    }
}

/* What the last failed call of this thread said. */
static inline void traces_error(void) {
    if (getenv("GECKO_TEST_TRACES") != NULL && gecko_mqtt_last_error_message()[0] != '\0')
        traces_note(gecko_mqtt_last_error_message());
}

/* Starts the log, in a program that does not start one of its own. */
static inline void traces_begin(void) {
    traces_path_t path = traces_path(NULL, "log");
    if (path.text[0] != '\0' && gecko_mqtt_log_init("trace", path.text, false) != GECKO_MQTT_OK)
        abort();
}

#endif
