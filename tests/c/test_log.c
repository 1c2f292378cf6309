/* What the library logs: nothing unless asked for; lines of text and of JSON, files that are full, removed
 * and rotated, a console that nobody reads, a callback that comes back into the library, and forks. */
#include "live.h"

#include <sys/stat.h>

static simulator_t sim;
static char folder[64];

/* A path in the test's folder; the last four are valid. */
static const char *in_folder(const char *name) {
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* What is in a file of the folder, to be freed; empty where there is none. */
static char *contents(const char *name) {
    struct stat about;
    char *text;
    size_t len = 0;
    FILE *file = fopen(in_folder(name), "r");
    if (file != NULL && fstat(fileno(file), &about) == 0)
        len = (size_t)about.st_size;
    text = (char *)calloc(1, len + 1);
    CHECK(text != NULL);
    if (file != NULL) {
        CHECK(fread(text, 1, len, file) == len);
        fclose(file);
    }
    return text;
}

static int file_has(const char *name, const char *part) {
    char *text = contents(name);
    int has = strstr(text, part) != NULL;
    free(text);
    return has;
}

static void wait_until_file_has(const char *name, const char *part) {
    double until = live_now() + LIMIT_MS / 1000.0;
    while (!file_has(name, part))
        CHECK(live_now() < until);
}

/* A client that tries, and fails, every few milliseconds. */
static gecko_mqtt_client_t *trying_client(const char *client_id) {
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    CHECK_OK(gecko_mqtt_options_set_broker_url(options, "mqtt://127.0.0.1:9"));
    CHECK_OK(gecko_mqtt_options_set_client_id(options, client_id));
    CHECK_OK(gecko_mqtt_options_set_reconnect(options, true, 0, 1, 1, 1.0));
    return client_of(options);
}

/* Connects by token over TLS, and hears its own message. */
static void on_message(const gecko_mqtt_message_t *message, void *userdata) {
    (void)message;
    counter_add((counter_t *)userdata);
}

static void main_job(const simulator_t *server, const char *client_id) {
    gecko_mqtt_options_t *options = by_token(server);
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("spa/log", "the payload is nobody's business", 1);
    gecko_mqtt_client_t *client;
    counter_t heard;
    counter_init(&heard);
    CHECK_OK(gecko_mqtt_options_set_client_id(options, client_id));
    client = client_of(options);
    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    CHECK_OK(gecko_mqtt_subscribe_wait(client, "spa/log", 1, on_message, &heard, NULL, LIMIT_MS, NULL));
    CHECK_OK(gecko_mqtt_publish_wait(client, &message, LIMIT_MS, NULL));
    CHECK(counter_wait(&heard, 1));
    CHECK_OK(gecko_mqtt_disconnect(client, LIMIT_MS));
    gecko_mqtt_client_free(client);
}

/* --- Nothing unless asked for ----------------------------------------------------------------------- */

/* In a process of its own: all that can happen, and no word of it. */
static int silent_program(const char *dir) {
    simulator_t server;
    gecko_mqtt_client_t *client = trying_client("silent");
    gecko_mqtt_stats_t stats = GECKO_MQTT_STATS_INIT;
    memset(&server, 0, sizeof server);
    snprintf(server.dir, sizeof server.dir, "%s", dir);
    main_job(&server, "silent");
    CHECK_OK(gecko_mqtt_connect(client, 0));
    do
        CHECK_OK(gecko_mqtt_get_stats(client, &stats));
    while (stats.failures < 3);
    gecko_mqtt_client_free(client);
    return 0;
}

static void silent_by_default(const char *program) {
    char said[512];
    ssize_t count;
    int out[2], status = -1;
    pid_t child;
    CHECK(pipe2(out, O_CLOEXEC) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        dup2(out[1], 1);
        dup2(out[1], 2);
        execl(program, program, "silent", sim.dir, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    count = read(out[0], said, sizeof said - 1);
    CHECK(count >= 0);
    said[count] = '\0';
    if (count > 0)
        fprintf(stderr, "it said: %s\n", said);
    CHECK(count == 0);
    close(out[0]);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* --- JSON ------------------------------------------------------------------------------------------- */

static const char *json_value(const char *text);

static const char *json_string(const char *text) {
    if (*text++ != '"')
        return NULL;
    for (; *text != '"'; text++) {
        if ((unsigned char)*text < 0x20)
            return NULL;
        if (*text == '\\') {
            text++;
            if (*text == 'u') {
                if (strspn(text + 1, "0123456789abcdefABCDEF") < 4)
                    return NULL;
                text += 4;
            } else if (*text == '\0' || strchr("\"\\/bfnrt", *text) == NULL) {
                return NULL;
            }
        }
    }
    return text + 1;
}

/* Behind an object of strings, numbers, truths and null; NULL where it is none. */
static const char *json_object(const char *text) {
    if (*text++ != '{')
        return NULL;
    if (*text == '}')
        return text + 1;
    for (;;) {
        text = json_string(text);
        if (text == NULL || *text != ':' || (text = json_value(text + 1)) == NULL)
            return NULL;
        if (*text == '}')
            return text + 1;
        if (*text++ != ',')
            return NULL;
    }
}

static const char *json_value(const char *text) {
    static const char *const words[] = {"true", "false", "null"};
    size_t i;
    if (*text == '"')
        return json_string(text);
    for (i = 0; i < 3; i++)
        if (strncmp(text, words[i], strlen(words[i])) == 0)
            return text + strlen(words[i]);
    i = strspn(text, "-0123456789");
    return i > 0 ? text + i : NULL;
}

/* Checks each line of a log of JSON, and counts those that have something in them. */
static unsigned json_lines(const char *name, const char *part) {
    unsigned found = 0;
    char *text = contents(name), *line = text, *end;
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        const char *behind;
        *end = '\0';
        behind = json_object(line);
        if (behind == NULL || *behind != '\0')
            fprintf(stderr, "no JSON: %s\n", line);
        CHECK(behind != NULL && *behind == '\0');
        CHECK(strncmp(line, "{\"time\":\"20", 11) == 0 && line[32] == 'Z' && line[33] == '"');
        CHECK(strlen(line) < 8192);
        found += strstr(line, part) != NULL;
    }
    CHECK(*line == '\0');
    free(text);
    return found;
}

static void lines_of_json(void) {
    char *url, *token, *end;
    CHECK_OK(gecko_mqtt_log_init_json("trace", in_folder("json"), false));
    main_job(&sim, "json-\"client\"");
    CHECK_OK(gecko_mqtt_log_init("off", NULL, false));
    CHECK(json_lines("json",
                     "\"message\":\"connected\",\"client_id\":\"json-\\\"client\\\"\",\"connection\":1,") ==
          1);
    CHECK(json_lines("json", "\"level\":\"INFO\"") == 2);
    CHECK(json_lines("json", "\"level\":\"WARN\"") == 0 && json_lines("json", "\"level\":\"ERROR\"") == 0);
    CHECK(json_lines("json", "\"thread\":\"gecko-mqtt-work\"") > 10);
    /* A logger of the application's may wait for a thread that publishes: what that logs is left to the
     * library's. */
    CHECK(json_lines("json", "\"message\":\"sending\"") ==
          json_lines("json", "\"thread\":\"gecko-mqtt-work\",\"message\":\"sending\""));
    CHECK(json_lines("json", "\"message\":\"message sent\"") == 1);
    CHECK(json_lines("json", "\"reason_code\":0,\"round_trip_ms\":") == 1);
    CHECK(json_lines("json", "\"packet\":\"CONNECT\"") == 1 &&
          json_lines("json", "\"packet\":\"PUBACK\",\"id\":2,\"bytes\":4") == 1);
    CHECK(!file_has("json", "nobody's business"));
    url = simulator_file(&sim, "broker-url.txt");
    token = strstr(url, "token=");
    CHECK(token != NULL);
    token += 6;
    end = strchr(token, '&');
    if (end != NULL)
        *end = '\0';
    CHECK(strlen(token) > 20 && !file_has("json", token));
    free(url);
}

/* --- Files ------------------------------------------------------------------------------------------ */

static void levels_change_while_it_runs(void) {
    gecko_mqtt_client_t *client = trying_client("levels");
    CHECK_OK(gecko_mqtt_log_init("info,gecko_mqtt::link=off", in_folder("levels"), false));
    CHECK_OK(gecko_mqtt_connect(client, 0));
    wait_until_file_has("levels", " INFO gecko-mqtt-work gecko_mqtt::driver: connection attempt failed "
                                  "client_id=levels connection=2 attempt=2 error=\"");
    CHECK(!file_has("levels", "DEBUG"));
    CHECK_OK(gecko_mqtt_log_set_level("debug"));
    wait_until_file_has("levels",
                        "DEBUG gecko-mqtt-work gecko_mqtt::link::tcp: cannot connect client_id=levels");
    CHECK(gecko_mqtt_log_set_level("gecko_mqtt::lnk=debug") == GECKO_MQTT_ERR_INVALID_ARGUMENT);
    CHECK(strstr(gecko_mqtt_last_error_message(),
                 "that names no part of the library that logs: give gecko_mqtt, or") != NULL);
    CHECK(gecko_mqtt_log_init("info", "/nonexistent/log", false) == GECKO_MQTT_ERR_FILE);
    /* The second one goes on where the first one was. */
    CHECK_OK(gecko_mqtt_log_init_json("info", in_folder("elsewhere"), false));
    wait_until_file_has("elsewhere", "\"message\":\"connection attempt failed\"");
    CHECK(json_lines("elsewhere", "attempt") > 0);
    gecko_mqtt_client_free(client);
    CHECK_OK(gecko_mqtt_log_init("off", NULL, false));
}

static long size_of(const char *name) {
    struct stat about;
    return stat(in_folder(name), &about) == 0 ? (long)about.st_size : -1;
}

static void files_rotate(void) {
    gecko_mqtt_client_t *client = trying_client("rotation");
    double until = live_now() + LIMIT_MS / 1000.0 * 3;
    static const char *const names[] = {"rotated", "rotated.1", "rotated.2"};
    size_t i;
    CHECK(gecko_mqtt_log_set_rotation(100, 0, 2) == GECKO_MQTT_ERR_OUT_OF_RANGE);
    CHECK(gecko_mqtt_log_set_rotation(0, 0, 100000) == GECKO_MQTT_ERR_OUT_OF_RANGE);
    CHECK_OK(gecko_mqtt_log_set_rotation(16384, 86400, 2));
    CHECK_OK(gecko_mqtt_log_init_json("debug", in_folder("rotated"), false));
    CHECK_OK(gecko_mqtt_connect(client, 0));
    while (size_of("rotated.2") < 0)
        CHECK(live_now() < until);
    gecko_mqtt_client_free(client);
    CHECK_OK(gecko_mqtt_log_init("off", NULL, false));
    CHECK_OK(gecko_mqtt_log_set_rotation(0, 0, 0));
    for (i = 0; i < 3; i++) {
        CHECK(size_of(names[i]) <= 16384);
        CHECK(json_lines(names[i], "rotation") > 0);
    }
    CHECK(size_of("rotated.3") < 0);
}

static void a_full_disk_disturbs_nobody(void) {
    CHECK_OK(gecko_mqtt_log_init("trace", "/dev/full", false));
    main_job(&sim, "full");
    CHECK_OK(gecko_mqtt_log_init("trace", in_folder("removed"), false));
    CHECK(remove(in_folder("removed")) == 0);
    main_job(&sim, "removed");
    CHECK_OK(gecko_mqtt_log_init("off", NULL, false));
}

/* --- The console ------------------------------------------------------------------------------------ */

/* Puts `fd` in the place of stderr; returns what was there. */
static int replace_stderr(int fd) {
    int before = dup(2);
    CHECK(before >= 0 && dup2(fd, 2) == 2);
    return before;
}

static void restore_stderr(int before) {
    dup2(before, 2);
    close(before);
}

static void console_that_nobody_reads(void) {
    static char heard[100000];
    int pipe_fds[2], before;
    ssize_t count;
    CHECK(pipe2(pipe_fds, O_CLOEXEC) == 0);
    before = replace_stderr(pipe_fds[1]);
    CHECK_OK(gecko_mqtt_log_init("info", NULL, true));
    main_job(&sim, "console");
    count = read(pipe_fds[0], heard, sizeof heard - 1);
    CHECK(count > 0);
    heard[count] = '\0';
    CHECK(strstr(heard, "connected client_id=console connection=1 peer=") != NULL);
    /* Full: nothing waits for it to be read. */
    CHECK(fcntl(pipe_fds[1], F_SETFL, O_NONBLOCK) == 0);
    memset(heard, 'x', sizeof heard);
    while (write(pipe_fds[1], heard, sizeof heard) > 0) {
    }
    while (write(pipe_fds[1], heard, 1) > 0) {
    }
    CHECK(fcntl(pipe_fds[1], F_SETFL, 0) == 0);
    CHECK_OK(gecko_mqtt_log_set_level("trace"));
    main_job(&sim, "console");
    /* Closed: a warning on this very thread, and no SIGPIPE, whose default would end the program. */
    close(pipe_fds[0]);
    main_job(&sim, "console");
    {
        /* One that cannot be read among those that can. */
        static const char damaged[] = "\n-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
        char *pem = simulator_file(&sim, "ca.pem");
        size_t len = strlen(pem);
        char *both = (char *)calloc(1, len + sizeof damaged);
        gecko_mqtt_options_t *options = gecko_mqtt_options_new();
        CHECK(both != NULL);
        memcpy(both, pem, len);
        memcpy(both + len, damaged, sizeof damaged);
        CHECK_OK(gecko_mqtt_options_set_ca_pem(options, (const uint8_t *)both, strlen(both)));
        gecko_mqtt_options_free(options);
        free(pem);
        free(both);
    }
    close(pipe_fds[1]);
    CHECK_OK(gecko_mqtt_log_init("off", NULL, false));
    restore_stderr(before);
}

/* --- The callback ----------------------------------------------------------------------------------- */

typedef struct {
    counter_t called, destroyed;
    int inside, on_io_thread;
    gecko_mqtt_client_t *client, *other;
    pthread_mutex_t lock;
    char last[512];
} logger_t;

static void logger_init(logger_t *logger) {
    memset(logger, 0, sizeof *logger);
    counter_init(&logger->called);
    counter_init(&logger->destroyed);
    pthread_mutex_init(&logger->lock, NULL);
}

static void on_destroy(void *userdata) { counter_add(&((logger_t *)userdata)->destroyed); }

static void on_record(const gecko_mqtt_log_record_t *record, void *userdata) {
    logger_t *logger = (logger_t *)userdata;
    const char *behind = json_object(record->fields);
    CHECK(record->size == sizeof *record);
    CHECK(record->level >= GECKO_MQTT_LOG_ERROR && record->level <= GECKO_MQTT_LOG_TRACE);
    CHECK(record->time_ms > 1500000000000u);
    CHECK(strlen(record->text) == record->text_len && strlen(record->message) == record->message_len);
    CHECK(strlen(record->fields) == record->fields_len && strlen(record->target) == record->target_len);
    CHECK(record->message_len > 0 && strncmp(record->text, record->message, record->message_len) == 0);
    CHECK(behind == record->fields + record->fields_len);
    CHECK(strncmp(record->target, "gecko_mqtt::", 12) == 0);
    pthread_mutex_lock(&logger->lock);
    CHECK(!logger->inside);
    logger->inside = 1;
    snprintf(logger->last, sizeof logger->last, "%s", record->text);
    pthread_mutex_unlock(&logger->lock);
    if (logger->client != NULL) {
        /* All of it comes back into the library, and some of it logs. */
        gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("a", "b", 1);
        gecko_mqtt_stats_t stats = GECKO_MQTT_STATS_INIT;
        CHECK(gecko_mqtt_publish_wait(logger->client, &message, 1000, NULL) == GECKO_MQTT_ERR_WOULD_DEADLOCK);
        CHECK(gecko_mqtt_subscribe_wait(logger->client, "a", 0, NULL, NULL, NULL, GECKO_MQTT_WAIT_DEFAULT,
                                        NULL) == GECKO_MQTT_ERR_WOULD_DEADLOCK);
        CHECK(gecko_mqtt_unsubscribe_wait(logger->client, "a", 1000, NULL) == GECKO_MQTT_ERR_WOULD_DEADLOCK);
        CHECK(gecko_mqtt_connect(logger->client, 1000) == GECKO_MQTT_ERR_WOULD_DEADLOCK);
        CHECK(gecko_mqtt_disconnect(logger->client, 1000) == GECKO_MQTT_ERR_WOULD_DEADLOCK);
        CHECK_OK(gecko_mqtt_connect(logger->client, 0));
        CHECK_OK(gecko_mqtt_get_stats(logger->client, &stats));
        CHECK_OK(gecko_mqtt_log_set_level("trace"));
    }
    if (logger->other != NULL) {
        gecko_mqtt_client_free(logger->other);
        logger->other = NULL;
    }
    pthread_mutex_lock(&logger->lock);
    logger->inside = 0;
    pthread_mutex_unlock(&logger->lock);
    counter_add(&logger->called);
}

static void level_names(void) {
    CHECK(strcmp(gecko_mqtt_log_level_string(GECKO_MQTT_LOG_ERROR), "ERROR") == 0);
    CHECK(strcmp(gecko_mqtt_log_level_string(GECKO_MQTT_LOG_WARN), "WARN") == 0);
    CHECK(strcmp(gecko_mqtt_log_level_string(GECKO_MQTT_LOG_INFO), "INFO") == 0);
    CHECK(strcmp(gecko_mqtt_log_level_string(GECKO_MQTT_LOG_DEBUG), "DEBUG") == 0);
    CHECK(strcmp(gecko_mqtt_log_level_string(GECKO_MQTT_LOG_TRACE), "TRACE") == 0);
    CHECK(strcmp(gecko_mqtt_log_level_string(0), "UNKNOWN") == 0);
}

static void callbacks_are_told_and_destroyed_once(void) {
    logger_t one, two;
    logger_init(&one);
    logger_init(&two);
    CHECK(gecko_mqtt_log_set_callback("loud", on_record, &one, on_destroy) ==
          GECKO_MQTT_ERR_INVALID_ARGUMENT);
    CHECK(counter_get(&one.destroyed) == 1);
    CHECK_OK(gecko_mqtt_log_set_callback(NULL, NULL, &one, on_destroy));
    CHECK(counter_get(&one.destroyed) == 2);
    /* Beside a file, which has a level of its own. */
    CHECK_OK(gecko_mqtt_log_init("info", in_folder("beside"), false));
    CHECK_OK(gecko_mqtt_log_set_callback("trace", on_record, &one, on_destroy));
    main_job(&sim, "callback");
    CHECK(counter_get(&one.called) > 15 && counter_get(&one.destroyed) == 2);
    CHECK(file_has("beside", "client_id=callback") && !file_has("beside", "TRACE"));
    CHECK_OK(gecko_mqtt_log_set_callback("info", on_record, &two, on_destroy));
    CHECK(counter_wait(&one.destroyed, 3));
    main_job(&sim, "callback");
    CHECK(counter_get(&two.called) == 2 &&
          strcmp(two.last, "the application disconnected client_id=callback connection=1 left_over=0") == 0);
    CHECK_OK(gecko_mqtt_log_set_level("off"));
    main_job(&sim, "callback");
    CHECK(counter_get(&two.called) == 2 && counter_get(&two.destroyed) == 0);
    CHECK_OK(gecko_mqtt_log_set_callback(NULL, NULL, NULL, NULL));
    CHECK(counter_wait(&two.destroyed, 1));
    CHECK_OK(gecko_mqtt_log_init("off", NULL, false));
    main_job(&sim, "callback");
    CHECK(counter_get(&one.destroyed) == 3 && counter_get(&two.destroyed) == 1);
}

static void a_callback_may_come_back(void) {
    logger_t logger;
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    logger_init(&logger);
    logger.client = trying_client("comes-back");
    CHECK_OK(gecko_mqtt_log_set_callback("trace", on_record, &logger, on_destroy));
    CHECK_OK(gecko_mqtt_connect(logger.client, 0));
    CHECK(counter_wait(&logger.called, 20));
    /* Freed on the I/O thread, which has to end it. */
    CHECK_OK(gecko_mqtt_options_set_broker_url(options, "mqtt://127.0.0.1:9"));
    CHECK_OK(gecko_mqtt_options_set_dispatch(options, GECKO_MQTT_DISPATCH_APP));
    CHECK_OK(gecko_mqtt_log_set_callback(NULL, NULL, NULL, NULL));
    CHECK(counter_wait(&logger.destroyed, 1));
    logger.other = client_of(options);
    CHECK_OK(gecko_mqtt_log_set_callback("debug", on_record, &logger, on_destroy));
    CHECK(counter_wait(&logger.called, counter_get(&logger.called) + 5));
    CHECK_OK(gecko_mqtt_log_set_callback(NULL, NULL, NULL, NULL));
    CHECK(counter_wait(&logger.destroyed, 2) && logger.other == NULL);
    gecko_mqtt_client_free(logger.client);
    CHECK(no_library_thread_left());
}

/* --- Forks ------------------------------------------------------------------------------------------ */

/* The allocator of AddressSanitizer has locks that it does not give up in the child. */
#ifndef __SANITIZE_ADDRESS__
static void in_the_child(unsigned number, logger_t *logger) {
    char name[32], expected[64];
    gecko_mqtt_client_t *client;
    alarm(LIMIT_MS / 1000 * 3); /* a deadlock ends it, and the parent hears of that */
    snprintf(name, sizeof name, "child-%u", number);
    snprintf(expected, sizeof expected, "client_id=%s connection=2", name);
    client = trying_client(name);
    CHECK_OK(gecko_mqtt_connect(client, 0));
    wait_until_file_has("forked", expected);
    CHECK_OK(gecko_mqtt_log_set_level("info"));
    CHECK_OK(gecko_mqtt_log_set_callback(NULL, NULL, NULL, NULL));
    gecko_mqtt_client_free(client);
    /* What belongs to it is the parent's. */
    CHECK(counter_get(&logger->destroyed) == 0);
    kill(getpid(), SIGKILL);
}

static void children_go_on(void) {
    gecko_mqtt_client_t *client = trying_client("parent");
    logger_t logger;
    unsigned number;
    logger_init(&logger);
    CHECK_OK(gecko_mqtt_log_init("trace", in_folder("forked"), false));
    CHECK_OK(gecko_mqtt_log_set_callback("trace", on_record, &logger, on_destroy));
    CHECK_OK(gecko_mqtt_connect(client, 0));
    for (number = 0; number < 10; number++) {
        int status = -1;
        pid_t child;
        /* Somewhere in the midst of it. */
        CHECK(counter_wait(&logger.called, counter_get(&logger.called) + 3));
        child = fork();
        CHECK(child >= 0);
        if (child == 0)
            in_the_child(number, &logger);
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    CHECK_OK(gecko_mqtt_log_set_callback(NULL, NULL, NULL, NULL));
    CHECK(counter_wait(&logger.destroyed, 1));
    gecko_mqtt_client_free(client);
    CHECK_OK(gecko_mqtt_log_init("off", NULL, false));
}
#endif

static void remove_folder(void) {
    char path[512];
    struct dirent *entry;
    DIR *files = opendir(folder);
    while (files != NULL && (entry = readdir(files)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.')
            CHECK(remove(path) == 0);
    }
    if (files != NULL)
        closedir(files);
    CHECK(rmdir(folder) == 0);
}

int main(int argc, char **argv) {
    if (argc == 3)
        return silent_program(argv[2]);
    snprintf(folder, sizeof folder, "/tmp/gecko-mqtt-log-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    sim = simulator_start();
    silent_by_default(argv[0]);
    level_names();
    lines_of_json();
    levels_change_while_it_runs();
    files_rotate();
    a_full_disk_disturbs_nobody();
    console_that_nobody_reads();
    callbacks_are_told_and_destroyed_once();
    a_callback_may_come_back();
#ifndef __SANITIZE_ADDRESS__
    children_go_on();
#endif
    CHECK(no_library_thread_left());
    simulator_stop(&sim);
    remove_folder();
    return 0;
}
