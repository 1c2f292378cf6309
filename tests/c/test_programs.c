/* The example programs, and the README's, as a user runs them: against the simulator, with good and with bad
 * arguments. */
#include "live.h"

#define MOST_ARGUMENTS 20

static const char *folder;
static char url_file[400], ca_file[400];
static traces_path_t words; /* what the programs say, where it is kept */

/* Starts one of the programs; its standard output goes to `out`, or nowhere. */
static pid_t start(int out, const char *const *arguments) {
    char path[600];
    pid_t pid;
    snprintf(path, sizeof path, "%s/%s", folder, arguments[0]);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        int nothing = open("/dev/null", O_RDWR);
        char *url;
        simulator_t sim;
        memset(&sim, 0, sizeof sim);
        snprintf(sim.dir, sizeof sim.dir, "%.*s", (int)(strrchr(url_file, '/') - url_file), url_file);
        url = simulator_file(&sim, "broker-url.txt");
        setenv("BROKER_URL", url, 1);
        setenv("CA_FILE", ca_file, 1);
        dup2(nothing, 0);
        dup2(out >= 0 ? out : nothing, 1);
        if (words.text[0] != '\0') {
            int said = traces_open(&words);
            if (out < 0)
                dup2(said, 1);
            dup2(said, 2);
            if (getenv("GECKO_TEST_PRELOAD") != NULL)
                setenv("LD_PRELOAD", getenv("GECKO_TEST_PRELOAD"), 1);
        }
        execv(path, (char *const *)(const void *)arguments);
        _exit(127);
    }
    return pid;
}

static int finished(pid_t pid) {
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void expect(int status, const char *const *arguments) {
    int got = finished(start(-1, arguments));
    if (got != status) {
        fprintf(stderr, "%s ended with %d, not %d %s\n", arguments[0], got, status, words.text);
        exit(1);
    }
}

#define EXPECT(status, ...)                                                                                  \
    do {                                                                                                     \
        const char *arguments[MOST_ARGUMENTS] = {__VA_ARGS__, NULL};                                         \
        expect(status, arguments);                                                                           \
    } while (0)

static void first_programs(const simulator_t *sim) {
    char cert[400], key[400], port[16];
    snprintf(cert, sizeof cert, "%s/client.pem", sim->dir);
    snprintf(key, sizeof key, "%s/client.key", sim->dir);
    snprintf(port, sizeof port, "%u", sim->mtls);
    EXPECT(0, "readme");
    EXPECT(0, "quickstart", url_file, ca_file);
    EXPECT(2, "quickstart", "/nonexistent", ca_file);
    EXPECT(1, "quickstart", url_file, url_file);
#ifdef __cplusplus /* where they were built */
    EXPECT(0, "readme_cpp");
    EXPECT(0, "quickstart_cpp", url_file, ca_file);
    EXPECT(2, "quickstart_cpp", "/nonexistent", ca_file);
    EXPECT(1, "quickstart_cpp", url_file, url_file);
#endif
    EXPECT(0, "worker", url_file, ca_file);
    EXPECT(2, "worker", "/nonexistent", ca_file);
    EXPECT(1, "worker", url_file, url_file);
    EXPECT(0, "certificate", "localhost", cert, key, ca_file, port);
    EXPECT(1, "certificate", "localhost", cert, cert, ca_file, port);
    EXPECT(2, "certificate", "localhost");
}

/* What `publish` says, `subscribe` hears. */
static void tools(void) {
    const char *subscribe[] = {
        "subscribe", "--broker-url-file", url_file, "--cafile", ca_file, "-t",    "tools/#", "--count",
        "3",         "--timeout",         "60",     "-v",       "--log", "debug", NULL};
    char heard[512] = "";
    size_t used = 0;
    int out[2];
    pid_t subscriber;
    CHECK(pipe2(out, O_CLOEXEC) == 0);
    /* Retained, so that it does not matter who comes first. */
    EXPECT(0, "publish", "--broker-url-file", url_file, "--cafile", ca_file, "-t", "tools/a", "-m", "kept",
           "--retain");
    subscriber = start(out[1], subscribe);
    close(out[1]);
    while (used < sizeof heard - 1) {
        ssize_t count;
        if (used > 0 && strstr(heard, "kept\n") != NULL && strstr(heard, "again") == NULL)
            EXPECT(0, "publish", "--broker-url-file", url_file, "--cafile", ca_file, "-t", "tools/b", "-m",
                   "again", "--count", "2", "--qos", "0");
        count = read(out[0], heard + used, sizeof heard - 1 - used);
        CHECK(count >= 0);
        if (count == 0)
            break;
        used += (size_t)count;
        heard[used] = '\0';
    }
    traces_note(heard);
    close(out[0]);
    CHECK(finished(subscriber) == 0);
    CHECK(strcmp(heard, "tools/a kept\ntools/b again\ntools/b again\n") == 0);
}

/* Reads what a program prints until `text` is in it. */
static void hear(int out, const char *text) {
    char heard[4096] = "";
    size_t used = 0;
    while (strstr(heard, text) == NULL) {
        ssize_t count = read(out, heard + used, sizeof heard - 1 - used);
        CHECK(count > 0);
        used += (size_t)count;
        heard[used] = '\0';
    }
    traces_note(heard);
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* Tokens come and go, and no message is lost. */
static void renewals(const simulator_t *sim) {
    char short_lived[64], nothing[64], file[400], expired[200];
    const char *with_file[] = {"token_refresh", "--broker-url-file", file, "--cafile", ca_file, NULL};
    char *good = simulator_file(sim, "broker-url.txt");
    int out[2];
    pid_t pid;
    snprintf(short_lived, sizeof short_lived, "http://127.0.0.1:%u/broker-url?ttl=2", sim->mint);
    EXPECT(0, "token_refresh", "--fetch", short_lived, "--host", "localhost", "--cafile", ca_file,
           "--renewals", "2", "--interval", "20", "--timeout", "100", "-q");

    /* The file's token has expired, until somebody writes another one there. */
    snprintf(file, sizeof file, "%s/url.txt", sim->dir);
    snprintf(expired, sizeof expired,
             "wss://localhost:%u/mqtt?x-amz-customauthorizer-name=gecko&token=eyJleHAiOjF9\n", sim->alpn);
    write_file(file, expired);
    CHECK(pipe2(out, O_CLOEXEC) == 0);
    pid = start(out[1], with_file);
    close(out[1]);
    hear(out[0], "token: one is needed\n");
    write_file(file, good);
    free(good);
    hear(out[0], "message 1\n");
    CHECK(kill(pid, SIGTERM) == 0);
    hear(out[0], "lost: 0, doubled: 0\n");
    CHECK(finished(pid) == 0);
    close(out[0]);

    EXPECT(27, "token_refresh", "--broker-url-file", url_file, "--cafile", ca_file, "--renewals", "1",
           "--timeout", "1");
    snprintf(nothing, sizeof nothing, "http://127.0.0.1:%u/nothing", sim->mint);
    EXPECT(1, "token_refresh", "--fetch", nothing, "--host", "localhost", "--timeout", "1");
    EXPECT(1, "token_refresh", "--fetch", "http://127.0.0.1:1/", "--host", "localhost", "--timeout", "1");
    EXPECT(2, "token_refresh", "--fetch", "https://localhost:1/", "--host", "localhost");
    EXPECT(2, "token_refresh", "--host", "localhost");
}

/* A program with a loop of its own: ends by itself, by a signal, and when the time is over. */
static void loop(const char *program) {
    const char *until_signal[] = {program, "--broker-url-file", url_file, "--cafile",
                                  ca_file, "--interval",        "10",     NULL};
    int out[2];
    pid_t pid;
    EXPECT(0, program, "--help");
    EXPECT(0, program, "--broker-url-file", url_file, "--cafile", ca_file, "--interval", "10", "--count",
           "20", "--timeout", "100");
    EXPECT(27, program, "--broker-url-file", url_file, "--cafile", ca_file, "--interval", "1000000",
           "--timeout", "1");
    EXPECT(1, program, "--broker-url-file", url_file, "--cafile", ca_file, "-t", "a/b/c/d/e/f/g/h/i");
    EXPECT(2, program, "--interval", "0");
    CHECK(pipe2(out, O_CLOEXEC) == 0);
    pid = start(out[1], until_signal);
    close(out[1]);
    hear(out[0], "connection: CONNECTED\nspa/42/state: {\"temperature\":38.5,\"reading\":1}\n");
    CHECK(kill(pid, SIGTERM) == 0);
    CHECK(finished(pid) == 0);
    close(out[0]);
}

static void wrong_usage(void) {
    EXPECT(0, "publish", "--help");
    EXPECT(0, "subscribe", "--version");
    EXPECT(2, "publish", "-t", "t");
    EXPECT(2, "publish", "-t", "t", "-m", "x", "--qos", "x", "--host", "localhost");
    EXPECT(2, "subscribe", "--nonsense");
    /* Nobody needs a token on a command line, and nobody gets away with one. */
    EXPECT(2, "publish", "-t", "t", "-m", "x", "--host", "localhost", "--token=abc");
    EXPECT(2, "publish", "-t", "t", "-m", "x", "--broker-url", "wss://localhost/mqtt?token=abc");
    EXPECT(2, "publish", "-t", "t", "-m", "x", "--host", "localhost", "--username", "me?token=abc");
    EXPECT(1, "publish", "-t", "t/#", "-m", "x", "--broker-url-file", url_file, "--cafile", ca_file);
    EXPECT(1, "publish", "-t", "t", "-m", "x", "--broker-url", "mqtt://127.0.0.1:1", "--timeout", "1");
    EXPECT(27, "subscribe", "-t", "silence", "--broker-url-file", url_file, "--cafile", ca_file, "--timeout",
           "1");
}

int main(void) {
    simulator_t sim = simulator_start();
    words = traces_path("programs", "texts");
    folder = getenv("GECKO_MQTT_EXAMPLES");
    CHECK(folder != NULL);
    snprintf(url_file, sizeof url_file, "%s/broker-url.txt", sim.dir);
    snprintf(ca_file, sizeof ca_file, "%s/ca.pem", sim.dir);
    first_programs(&sim);
    tools();
    renewals(&sim);
#ifdef WITH_EPOLL
    loop("epoll_loop");
#endif
#ifdef WITH_LIBUV
    loop("libuv_loop");
#endif
    wrong_usage();
    simulator_stop(&sim);
    return 0;
}
