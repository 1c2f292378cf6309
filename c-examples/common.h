/* What the tools share: where and as whom to connect, and how errors are told. */
#ifndef COMMON_H
#define COMMON_H

#include <gecko_mqtt.h>
#include <string.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Exit statuses. */
#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_TIMEOUT 27

/* One option of a tool. */
typedef struct {
    const char *name;  /* "topic" for --topic; NULL ends a list */
    int id;            /* the letter of -t; or a number above 255, for none */
    const char *value; /* "TOPIC", or NULL where it takes none */
    const char *help;
} option_t;

typedef struct {
    const char *name;
    const char *usage; /* what --help begins with */
    const option_t *options;
    void (*set)(int id, const char *value); /* told each of them */
    const char *notes;                      /* what --help ends with */
} tool_t;

/* Reads the command line. Where it is wrong, or asks for help or the version, this ends the program. */
void parse_arguments(const tool_t *tool, int argc, char **argv);

/* The value of one of the options that the tools share, by its name without "--"; NULL where it was not
 * given. */
const char *option_value(const char *name);

/* Told what the library, or the file system, does not take of the command line, instead of a complaint. It
 * may end the program in its own way; otherwise that follows. */
typedef void (*refused_fn)(const char *what, gecko_mqtt_status_t status, const char *why);
void when_refused(refused_fn tell);

/* The value of --timeout, or otherwise. */
uint32_t timeout_secs(uint32_t otherwise);

/* The value of --broker-url-file; NULL where it was not given. */
const char *broker_url_file(void);

/* A client as the command line wants it. `prepare`, which may be NULL, sets the options that only this tool
 * needs. Where the client cannot be, this ends the program. */
gecko_mqtt_client_t *new_client(void (*prepare)(gecko_mqtt_options_t *options));

/* Reads the whole file; what it returns ends with a NUL that `len` does not count. NULL: it could not be
 * read, which has been told. */
char *read_file(const char *path, size_t *len);

/* The text in a file, without the new line that editors and echo put at its end; to be given to forget().
 * Where it cannot be read, this ends the program. */
char *read_line_file(const char *path);

/* Overwrites a text that was allocated, and frees it. */
void forget(char *secret);

/* The number in `text`, from `min` to `max`. Where it is none, this ends the program. */
uint32_t number(const char *option, const char *text, uint32_t min, uint32_t max);

/* What `clock` will show so many seconds from now. */
struct timespec seconds_from_now(clockid_t clock, uint32_t secs);

#if defined(__GNUC__)
#define LIKE_PRINTF __attribute__((format(printf, 1, 2)))
#define NEVER_RETURNS __attribute__((noreturn))
#else
#define LIKE_PRINTF
#define NEVER_RETURNS
#endif
/* "publish: ", the text, and a new line, on stderr. */
void complain(const char *format, ...) LIKE_PRINTF;
/* The same, and ends the program: the command line is wrong. */
void usage_error(const char *format, ...) LIKE_PRINTF NEVER_RETURNS;
/* A failed call of the library on this thread, just now. */
void complain_status(const char *what, gecko_mqtt_status_t status);

#ifdef __cplusplus
}
#endif

#endif
