#define _POSIX_C_SOURCE 200809L
#include "common.h"
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BROKER_URL_FILE = 1000,
    BROKER_URL,
    HOST,
    PORT,
    REGION,
    CAFILE,
    CERT,
    KEY,
    ALPN,
    USERNAME,
    PASSWORD_FILE,
    AUTHORIZER,
    TOKEN_KEY,
    TOKEN_FILE,
    SIGNATURE_FILE,
    CLIENT_ID,
    KEEP_ALIVE,
    LOG,
    TIMEOUT,
    HELP,
    VERSION,
    AFTER_LAST
};

static const option_t shared[] = {
    {"broker-url-file", BROKER_URL_FILE, "FILE",
     "the broker URL, from a file (default: GECKO_MQTT_BROKER_URL)"},
    {"broker-url", BROKER_URL, "URL", "one without a token: mqtts://HOST[:PORT] or mqtt://HOST[:PORT]"},
    {"host", HOST, "HOST", "the endpoint, instead of a broker URL"},
    {"port", PORT, "PORT", "its port (by authentication: 8883 or 443)"},
    {"region", REGION, "REGION", "completes a HOST that is only the prefix of an AWS endpoint"},
    {"cafile", CAFILE, "FILE", "roots to trust, not the system's (default: GECKO_MQTT_CA_FILE)"},
    {"cert", CERT, "FILE", "client certificate"},
    {"key", KEY, "FILE", "its private key"},
    {"alpn", ALPN, "NAME", "ALPN protocol to offer (by authentication and port)"},
    {"username", USERNAME, "NAME", "user name; no token in it"},
    {"password-file", PASSWORD_FILE, "FILE", "password, without the new line that ends the file"},
    {"authorizer", AUTHORIZER, "NAME", "AWS custom authorizer"},
    {"token-key", TOKEN_KEY, "KEY", "name of the parameter that carries the token (token)"},
    {"token-file", TOKEN_FILE, "FILE", "the authorizer's token (default: GECKO_MQTT_TOKEN)"},
    {"signature-file", SIGNATURE_FILE, "FILE", "the token's signature"},
    {"client-id", CLIENT_ID, "ID", "client identifier (generated)"},
    {"keep-alive", KEEP_ALIVE, "SECS", "keep-alive interval (30)"},
    {"log", LOG, "LEVEL", "log to stderr: error, warn, info, debug, trace"},
    {"timeout", TIMEOUT, "SECS", "see below"},
    {"help", HELP, NULL, "print this"},
    {"version", VERSION, NULL, "print the library's version"},
    {NULL, 0, NULL, NULL},
};

static const tool_t *tool;
static const char *given[AFTER_LAST - BROKER_URL_FILE]; /* values, as the command line gave them */
static refused_fn tell_refused;

static const char *value_of(int id) { return given[id - BROKER_URL_FILE]; }

const char *option_value(const char *name) {
    for (const option_t *option = shared; option->name != NULL; option++)
        if (strcmp(option->name, name) == 0)
            return value_of(option->id);
    return NULL;
}

void when_refused(refused_fn tell) { tell_refused = tell; }

static void complain_list(const char *format, va_list list) {
    flockfile(stderr); /* callbacks complain on another thread: lines stay whole */
    fprintf(stderr, "%s: ", tool->name);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    funlockfile(stderr);
}

void complain(const char *format, ...) {
    va_list list;
    va_start(list, format);
    complain_list(format, list);
    va_end(list);
}

void usage_error(const char *format, ...) {
    va_list list;
    va_start(list, format);
    complain_list(format, list);
    va_end(list);
    fprintf(stderr, "Try '%s --help'.\n", tool->name);
    exit(EXIT_USAGE);
}

void complain_status(const char *what, gecko_mqtt_status_t status) {
    complain("%s: %s: %s", what, gecko_mqtt_status_string(status), gecko_mqtt_last_error_message());
}

uint32_t number(const char *option, const char *text, uint32_t min, uint32_t max) {
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    /* strtoull takes blanks and signs; "-1" would be a very large number. */
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < min || value > max)
        usage_error("%s needs a number from %lu to %lu, not '%s'", option, (unsigned long)min,
                    (unsigned long)max, text);
    return (uint32_t)value;
}

struct timespec seconds_from_now(clockid_t clock, uint32_t secs) {
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_sec += (time_t)secs;
    return time;
}

/* What is in the file; NULL: `errno` says why not. */
static char *contents_of(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    size_t room = 4096, used = 0;
    char *text = (char *)malloc(room);
    while (text != NULL) {
        used += fread(text + used, 1, room - 1 - used, file);
        if (used < room - 1)
            break;
        room *= 2;
        char *larger = (char *)realloc(text, room);
        if (larger == NULL)
            free(text);
        text = larger;
    }
    int reason = text == NULL ? ENOMEM : ferror(file) ? errno : 0;
    fclose(file);
    if (reason != 0) {
        free(text);
        errno = reason;
        return NULL;
    }
    text[used] = '\0';
    *len = used;
    return text;
}

char *read_file(const char *path, size_t *len) {
    char *text = contents_of(path, len);
    if (text == NULL)
        complain("%s: %s", path, strerror(errno));
    return text;
}

/* Ends the program: a file that the command line names cannot be used. */
static void refuse_file(const char *path, const char *why) {
    if (tell_refused != NULL)
        tell_refused(path, GECKO_MQTT_ERR_FILE, why);
    complain("%s: %s", path, why);
    exit(EXIT_FAILED);
}

char *read_line_file(const char *path) {
    size_t len = 0;
    char *text = contents_of(path, &len);
    if (text == NULL)
        refuse_file(path, strerror(errno));
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    if (strlen(text) != len)
        refuse_file(path, "has a zero byte in it");
    return text;
}

void forget(char *secret) {
    if (secret == NULL)
        return;
    for (volatile char *p = secret; *p != '\0'; p++) /* volatile: a memset before free may be left out */
        *p = '\0';
    free(secret);
}

static void print_options(const option_t *options) {
    for (; options->name != NULL; options++) {
        char left[40];
        const char *value = options->value != NULL ? options->value : "";
        if (options->id < 256)
            snprintf(left, sizeof(left), "-%c, --%s %s", options->id, options->name, value);
        else
            snprintf(left, sizeof(left), "    --%s %s", options->name, value);
        printf("  %-28s %s\n", left, options->help);
    }
}

static void print_help(void) {
    printf("%s\n\nOptions:\n", tool->usage);
    print_options(tool->options);
    printf("\nConnection:\n");
    print_options(shared);
    printf("\nOthers on this machine can read the command line: secrets come from files or from the "
           "environment.\n");
    printf("\n%s\n", tool->notes);
}

void parse_arguments(const tool_t *that, int argc, char **argv) {
    tool = that;
    enum { MOST = 64 };
    struct option longs[MOST];
    char shorts[2 * MOST + 2] = ":"; /* the colon: tell a missing value from an unknown option */
    size_t count = 0, length = 1;
    const option_t *lists[] = {tool->options, shared};
    for (size_t list = 0; list < 2; list++) {
        for (const option_t *option = lists[list]; option->name != NULL && count + 1 < MOST; option++) {
            struct option entry = {option->name, option->value != NULL ? required_argument : no_argument,
                                   NULL, option->id};
            longs[count++] = entry;
            if (option->id < 256) {
                shorts[length++] = (char)option->id;
                if (option->value != NULL)
                    shorts[length++] = ':';
            }
        }
    }
    memset(&longs[count], 0, sizeof(longs[count]));
    shorts[length] = '\0';

    opterr = 0;
    int id;
    while ((id = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (id == ':')
            usage_error("%s needs a value", argv[optind - 1]);
        else if (id == '?' && optopt != 0 && optopt < 256)
            usage_error("unknown option '-%c'", optopt);
        else if (id == '?')
            usage_error("unknown option, or one that takes no value: '%.*s'",
                        (int)strcspn(argv[optind - 1], "="), argv[optind - 1]);
        else if (id == HELP || id == VERSION) {
            if (id == HELP)
                print_help();
            else
                printf("%s, libgecko_mqtt %s\n", tool->name, gecko_mqtt_version());
            exit(EXIT_SUCCESS);
        } else if (id >= BROKER_URL_FILE && id < AFTER_LAST)
            given[id - BROKER_URL_FILE] = optarg;
        else
            tool->set(id, optarg);
    }
    if (optind < argc)
        usage_error("'%s' is not an option", argv[optind]);
    timeout_secs(0); /* a wrong number is told now */
}

uint32_t timeout_secs(uint32_t otherwise) {
    const char *text = value_of(TIMEOUT);
    return text != NULL ? number("--timeout", text, 1, 4000000) : otherwise;
}

/* Ends the program where the library does not take an option. */
static void check(gecko_mqtt_options_t *options, const char *option, gecko_mqtt_status_t status) {
    if (status == GECKO_MQTT_OK)
        return;
    if (tell_refused != NULL)
        tell_refused(option, status, gecko_mqtt_last_error_message());
    complain_status(option, status);
    gecko_mqtt_options_free(options);
    exit(status == GECKO_MQTT_ERR_FILE ? EXIT_FAILED : EXIT_USAGE);
}

/* Where a secret is on the command line, it is no longer one. */
static void refuse_token(const char *option, const char *value, const char *better) {
    if (value != NULL && strchr(value, '?') != NULL)
        usage_error(
            "%s with parameters, and so with a token, can be seen by everybody on this machine; use %s",
            option, better);
}

static void set_server(gecko_mqtt_options_t *options) {
    const char *url = value_of(BROKER_URL);
    char *from_file = NULL;
    if ((url != NULL) + (value_of(BROKER_URL_FILE) != NULL) + (value_of(HOST) != NULL) > 1)
        usage_error("give one of --broker-url-file, --broker-url and --host");
    refuse_token("--broker-url", url, "--broker-url-file");
    if (value_of(BROKER_URL_FILE) != NULL)
        url = from_file = read_line_file(value_of(BROKER_URL_FILE));
    else if (url == NULL && value_of(HOST) == NULL)
        url = getenv("GECKO_MQTT_BROKER_URL");
    if (url == NULL && value_of(HOST) == NULL)
        usage_error("--host, --broker-url-file or the environment's GECKO_MQTT_BROKER_URL is needed");

    if (url != NULL)
        check(options, "broker URL", gecko_mqtt_options_set_broker_url(options, url));
    else
        check(options, "--host", gecko_mqtt_options_set_endpoint(options, value_of(HOST)));
    forget(from_file);
    if (value_of(PORT) != NULL) {
        uint16_t port = (uint16_t)number("--port", value_of(PORT), 1, 65535);
        check(options, "--port", gecko_mqtt_options_set_port(options, port));
    }
    if (value_of(REGION) != NULL)
        check(options, "--region", gecko_mqtt_options_set_region(options, value_of(REGION)));
    const char *cafile = value_of(CAFILE) != NULL ? value_of(CAFILE) : getenv("GECKO_MQTT_CA_FILE");
    if (cafile != NULL && cafile[0] != '\0')
        check(options, "--cafile", gecko_mqtt_options_set_ca_file(options, cafile));
    if (value_of(ALPN) != NULL)
        check(options, "--alpn", gecko_mqtt_options_set_alpn(options, value_of(ALPN)));
}

static void set_authorizer(gecko_mqtt_options_t *options) {
    const char *key = value_of(TOKEN_KEY) != NULL ? value_of(TOKEN_KEY) : "token";
    char *signature = value_of(SIGNATURE_FILE) != NULL ? read_line_file(value_of(SIGNATURE_FILE)) : NULL;
    check(options, "--authorizer",
          gecko_mqtt_options_set_authorizer(options, value_of(AUTHORIZER), key, signature));
    forget(signature);

    char *from_file = value_of(TOKEN_FILE) != NULL ? read_line_file(value_of(TOKEN_FILE)) : NULL;
    gecko_mqtt_token_t token = GECKO_MQTT_TOKEN_INIT;
    token.access_token = from_file != NULL ? from_file : getenv("GECKO_MQTT_TOKEN");
    if (token.access_token == NULL)
        usage_error("--authorizer needs --token-file or the environment's GECKO_MQTT_TOKEN");
    check(options, "token", gecko_mqtt_options_set_token(options, &token));
    forget(from_file);
}

static void set_credentials(gecko_mqtt_options_t *options) {
    if ((value_of(CERT) != NULL) != (value_of(KEY) != NULL))
        usage_error("--cert and --key are needed together");
    if (value_of(CERT) != NULL)
        check(options, "--cert, --key",
              gecko_mqtt_options_set_certificate_file(options, value_of(CERT), value_of(KEY)));
    if (value_of(AUTHORIZER) != NULL)
        set_authorizer(options);
    else if (value_of(TOKEN_FILE) != NULL || value_of(TOKEN_KEY) != NULL || value_of(SIGNATURE_FILE) != NULL)
        usage_error("--token-file, --token-key and --signature-file need --authorizer");
    refuse_token("--username", value_of(USERNAME), "--authorizer and --token-file");
    if (value_of(USERNAME) != NULL) /* with an authorizer it goes before the authorizer's parameters */
        check(options, "--username", gecko_mqtt_options_set_username(options, value_of(USERNAME)));
    if (value_of(PASSWORD_FILE) != NULL) {
        char *password = read_line_file(value_of(PASSWORD_FILE));
        check(options, "--password-file",
              gecko_mqtt_options_set_password(options, (const uint8_t *)password, strlen(password)));
        forget(password);
    }
}

const char *broker_url_file(void) { return value_of(BROKER_URL_FILE); }

gecko_mqtt_client_t *new_client(void (*prepare)(gecko_mqtt_options_t *options)) {
    if (value_of(LOG) != NULL)
        check(NULL, "--log", gecko_mqtt_log_init(value_of(LOG), NULL, true));
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    set_server(options);
    set_credentials(options);
    if (value_of(CLIENT_ID) != NULL)
        check(options, "--client-id", gecko_mqtt_options_set_client_id(options, value_of(CLIENT_ID)));
    if (value_of(KEEP_ALIVE) != NULL) {
        uint16_t secs = (uint16_t)number("--keep-alive", value_of(KEEP_ALIVE), 0, 65535);
        check(options, "--keep-alive", gecko_mqtt_options_set_keep_alive_secs(options, secs));
    }
    if (prepare != NULL)
        prepare(options);
    gecko_mqtt_client_t *client = NULL;
    check(options, "options", gecko_mqtt_client_new(options, &client));
    gecko_mqtt_options_free(options);
    return client;
}
