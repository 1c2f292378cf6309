/* gecko-mqtt-doctor beside the simulator's cases: its command line, its manual, a wrong clock, and mosquitto.
 */
#include "doctor.h"

static const char *doctor;

static const char *const steps[] = {"settings", "clock",     "credentials", "dns",
                                    "tcp",      "tls",       "alpn",        "certificate",
                                    "connect",  "subscribe", "publish",     "receive"};

static void expect(const char *program, const char *arguments, int exit_status, const char *says) {
    output_t output = doctor_run(program, "C", arguments);
    plain_words(output.text);
    if (output.exit_status != exit_status || strstr(output.text, says) == NULL) {
        fprintf(stderr, "%s\nended with %d, but should with %d and say %s:\n%s\n", arguments,
                output.exit_status, exit_status, says, output.text);
        exit(1);
    }
}

static char *read_all(const char *path) {
    char *text = (char *)calloc(1, 65536);
    FILE *file = fopen(path, "r");
    CHECK(text != NULL && file != NULL);
    CHECK(fread(text, 1, 65535, file) > 0);
    fclose(file);
    return text;
}

static void command_line(void) {
    expect(doctor, "--help", 0, "--json print one JSON object");
    expect(doctor, "--version", 0, "gecko-mqtt-doctor, libgecko_mqtt #.#");
    expect(doctor, "", 2, "");
    expect(doctor, "--nonsense", 2, "");
    expect(doctor, "--host localhost --timeout 0", 2, "");
    expect(doctor, "--host localhost --token-file x", 2, "");
    expect(doctor, "--broker-url wss://localhost/mqtt?token=abc", 2, "");
    expect(doctor, "--broker-url http://localhost", 10, "NO settings broker URL: ");
    expect(doctor, "--host localhost --topic a/#", 2, "");
}

/* The manual has every option of --help, and both it and docs/doctor.md every exit status. */
static void manual(void) {
    output_t help = doctor_run(doctor, "C", "--help");
    char *page = read_all(getenv("GECKO_MQTT_DOCTOR_MAN")),
         *document = read_all(getenv("GECKO_MQTT_DOCTOR_MD"));
    unsigned options = 0;
    for (const char *option = strstr(help.text, "--"); option != NULL; option = strstr(option, "--")) {
        char escaped[80] = "";
        size_t used = 0;
        for (; isalpha((unsigned char)*option) || *option == '-'; option++) {
            if (*option == '-')
                escaped[used++] = '\\';
            escaped[used++] = *option;
            CHECK(used < sizeof escaped - 3);
        }
        options++;
        if (strstr(page, escaped) == NULL) {
            fprintf(stderr, "the manual does not have %s\n", escaped);
            exit(1);
        }
    }
    CHECK(options > 20);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        char row[64], lines[64], words[64];
        snprintf(row, sizeof row, "| %zu | %s |", 10 + i, steps[i]);
        snprintf(lines, sizeof lines, ".B %zu\n%s\n", 10 + i, steps[i]);
        snprintf(words, sizeof words, "%zu %s", 10 + i, steps[i]);
        CHECK(strstr(document, row) != NULL);
        CHECK(strstr(page, lines) != NULL);
        CHECK(strstr(help.text, words) != NULL);
    }
    free(page);
    free(document);
}

static void wrong_clock(void) {
    char arguments[64];
    snprintf(arguments, sizeof arguments, "--broker-url mqtt://127.0.0.1:%u", closed_port());
    expect(getenv("GECKO_MQTT_DOCTOR_OF_2999"), arguments, 11,
           "NO clock #-#-#T#:#:#Z, which is before this program was built (#)");
    expect(doctor, arguments, 14, "ok clock ");
}

/* ---- mosquitto ---- */

typedef struct {
    pid_t pid;
    unsigned port;
    char dir[64];
} mosquitto_t;

static void write_to(const mosquitto_t *mosquitto, const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", mosquitto->dir, name);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static int reachable(unsigned port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return result;
}

/* Somebody else may take the port between our asking for it and mosquitto's binding to it. */
static int mosquitto_try(mosquitto_t *mosquitto, const char *lines) {
    char text[1024], path[128];
    double until = live_now() + LIMIT_MS / 1000.0;
    mosquitto->port = closed_port();
    snprintf(path, sizeof path, "%s/mosquitto.conf", mosquitto->dir);
    snprintf(text, sizeof text, "listener %u 127.0.0.1\n%s", mosquitto->port, lines);
    put(text, sizeof text, "FOLDER", mosquitto->dir);
    write_to(mosquitto, "mosquitto.conf", text);
    mosquitto->pid = fork();
    CHECK(mosquitto->pid >= 0);
    if (mosquitto->pid == 0) {
        int nothing = open("/dev/null", O_RDWR);
        dup2(nothing, 1);
        dup2(nothing, 2);
        /* Debian has it where an ordinary user's PATH does not lead. */
        snprintf(text, sizeof text, "%s:/usr/sbin:/usr/local/sbin", getenv("PATH") ? getenv("PATH") : "");
        setenv("PATH", text, 1);
        execlp("mosquitto", "mosquitto", "-c", path, (char *)NULL);
        _exit(127);
    }
    while (!reachable(mosquitto->port)) {
        int status;
        if (waitpid(mosquitto->pid, &status, WNOHANG) == mosquitto->pid)
            return 0;
        CHECK(live_now() < until);
    }
    return 1;
}

static mosquitto_t mosquitto_start(const char *lines) {
    mosquitto_t mosquitto;
    memset(&mosquitto, 0, sizeof mosquitto);
    snprintf(mosquitto.dir, sizeof mosquitto.dir, "/tmp/gecko-mqtt-test-XXXXXX");
    CHECK(mkdtemp(mosquitto.dir) != NULL);
    chmod(mosquitto.dir, 0755); /* started by root, it becomes another user */
    write_to(&mosquitto, "acl", "topic read #\n");
    for (int tries = 0; tries < 5; tries++)
        if (mosquitto_try(&mosquitto, lines))
            return mosquitto;
    fprintf(stderr, "mosquitto does not start: apt-get install mosquitto\n");
    exit(1);
}

static void mosquitto_stop(mosquitto_t *mosquitto) {
    static const char *const files[] = {"acl", "mosquitto.conf"};
    kill(mosquitto->pid, SIGTERM);
    CHECK(waitpid(mosquitto->pid, NULL, 0) == mosquitto->pid);
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", mosquitto->dir, files[i]);
        unlink(path);
    }
    CHECK(rmdir(mosquitto->dir) == 0);
}

static void expect_of_mosquitto(const char *lines, const char *arguments, int exit_status, const char *says) {
    mosquitto_t mosquitto = mosquitto_start(lines);
    char with[256];
    snprintf(with, sizeof with, "%s", arguments);
    put_port(with, sizeof with, "PORT", mosquitto.port);
    expect(doctor, with, exit_status, says);
    mosquitto_stop(&mosquitto);
}

static void against_mosquitto(void) {
    static const char plain[] = "--broker-url mqtt://127.0.0.1:PORT";
    expect_of_mosquitto("allow_anonymous true\n", plain, 0, "All is well");
    expect_of_mosquitto("allow_anonymous false\n", plain, 18, "NO connect CONNACK #");
    expect_of_mosquitto("allow_anonymous true\nacl_file FOLDER/acl\n", plain, 20, "NO publish ");
    expect_of_mosquitto("allow_anonymous true\n", "--host localhost --port PORT", 15, "NO tls ");
}

int main(void) {
    doctor = getenv("GECKO_MQTT_DOCTOR");
    CHECK(doctor != NULL);
    unsetenv("GECKO_MQTT_BROKER_URL");
    traces_begin();
    command_line();
    manual();
    wrong_clock();
    against_mosquitto();
    return 0;
}
