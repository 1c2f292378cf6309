/* No error and no log has a secret in it, wherever somebody puts one by mistake. */
#include "live.h"

enum { PIECE = 16 };

static char *secrets[5];

/* Whether any piece of a secret is in the text. */
static int tells_a_secret(const char *text) {
    size_t secret, at;
    for (secret = 0; secret < sizeof secrets / sizeof *secrets; secret++)
        for (at = 0; at + PIECE <= strlen(secrets[secret]); at++) {
            char piece[PIECE + 1];
            memcpy(piece, secrets[secret] + at, PIECE);
            piece[PIECE] = '\0';
            if (strstr(text, piece) != NULL)
                return 1;
        }
    return 0;
}

static void refused(int line, gecko_mqtt_status_t status) {
    const char *error = gecko_mqtt_last_error_message();
    traces_error();
    if (status != GECKO_MQTT_OK && error[0] != '\0' && !tells_a_secret(error))
        return;
    fprintf(stderr, "%s:%d: %s\n", __FILE__, line,
            status == GECKO_MQTT_OK ? "not refused" : "a secret is told, or nothing");
    exit(1);
}

#define REFUSED(call) refused(__LINE__, (call))

static const uint8_t *bytes(const char *text) { return (const uint8_t *)text; }

/* `text` has a secret in it, and is nothing that any of these could use. */
static void in_the_options(gecko_mqtt_options_t *options, const char *text, const char *path) {
    REFUSED(gecko_mqtt_options_set_broker_url(options, text));
    REFUSED(gecko_mqtt_options_set_endpoint(options, text));
    REFUSED(gecko_mqtt_options_set_region(options, text));
    REFUSED(gecko_mqtt_options_set_client_id(options, text));
    REFUSED(gecko_mqtt_options_set_certificate_file(options, text, text));
    REFUSED(gecko_mqtt_options_set_certificate_file(options, path, text));
    REFUSED(gecko_mqtt_options_set_certificate_pem(options, bytes(text), strlen(text), bytes(text),
                                                   strlen(text)));
    REFUSED(gecko_mqtt_options_set_ca_file(options, text));
    REFUSED(gecko_mqtt_options_set_ca_pem(options, bytes(text), strlen(text)));
    REFUSED(gecko_mqtt_options_set_alpn(options, text));
    REFUSED(gecko_mqtt_options_set_username(options, text));
    REFUSED(gecko_mqtt_options_set_authorizer(options, text, "token", NULL));
    REFUSED(gecko_mqtt_options_set_authorizer(options, "gecko", text, NULL));
    REFUSED(gecko_mqtt_options_set_authorizer(options, "gecko", "token", text));
    REFUSED(gecko_mqtt_log_init(text, NULL, true));
    REFUSED(gecko_mqtt_log_set_level(text));
}

static void in_a_token(gecko_mqtt_client_t *client, const char *text) {
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    const char **members[4];
    size_t member;
    gecko_mqtt_token_t token = GECKO_MQTT_TOKEN_INIT;
    members[0] = &token.access_token;
    members[1] = &token.username;
    members[2] = &token.signature;
    members[3] = &token.broker_url;
    for (member = 0; member < 4; member++) {
        token.access_token = member < 3 ? "fine" : NULL;
        *members[member] = text;
        REFUSED(gecko_mqtt_options_set_token(options, &token));
        REFUSED(gecko_mqtt_set_token(client, &token));
        REFUSED(gecko_mqtt_token_request_complete(7, &token));
        *members[member] = NULL;
    }
    REFUSED(gecko_mqtt_token_request_fail(7, text));
    gecko_mqtt_options_free(options);
}

/* The text with something before and behind it, to be freed. */
static char *around(const char *before, const char *text, const char *behind) {
    size_t room = strlen(before) + strlen(text) + strlen(behind) + 1;
    char *whole = (char *)malloc(room);
    CHECK(whole != NULL);
    snprintf(whole, room, "%s%s%s", before, text, behind);
    return whole;
}

/* Without its line breaks, which is how it comes out of many an environment variable. */
static void join_lines(char *text) {
    char *to = text;
    for (; *text != '\0'; text++)
        if (*text != '\n')
            *to++ = *text;
    *to = '\0';
}

static void keys(const simulator_t *sim, gecko_mqtt_client_t *client, const char *path) {
    char *certificate = simulator_file(sim, "client.pem"),
         *foreign = simulator_file(sim, "foreign-client.key");
    char *joined = simulator_file(sim, "client-sec1.key");
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    join_lines(joined);
    REFUSED(gecko_mqtt_options_set_broker_url(options, joined));
    REFUSED(gecko_mqtt_options_set_endpoint(options, joined));
    REFUSED(gecko_mqtt_options_set_certificate_file(options, joined, joined));
    REFUSED(gecko_mqtt_options_set_certificate_file(options, path, joined));
    REFUSED(gecko_mqtt_options_set_ca_file(options, joined));
    REFUSED(gecko_mqtt_options_set_ca_pem(options, bytes(joined), strlen(joined)));
    REFUSED(gecko_mqtt_options_set_certificate_pem(options, bytes(certificate), strlen(certificate),
                                                   bytes(joined), strlen(joined)));
    REFUSED(gecko_mqtt_options_set_certificate_pem(options, bytes(certificate), strlen(certificate),
                                                   bytes(foreign), strlen(foreign)));
    REFUSED(gecko_mqtt_set_certificate_pem(client, bytes(certificate), strlen(certificate), bytes(foreign),
                                           strlen(foreign)));
    REFUSED(gecko_mqtt_set_certificate_pem(client, bytes(foreign), strlen(foreign), bytes(joined),
                                           strlen(joined)));
    REFUSED(gecko_mqtt_set_certificate_file(client, path, joined));
    gecko_mqtt_options_free(options);
    free(certificate);
    free(foreign);
    free(joined);
}

/* The key in a file without what is around it, in one line. */
static char *key_of(const simulator_t *sim, const char *name) {
    char *text = simulator_file(sim, name), *end;
    char *begin = strchr(text, '\n') + 1;
    end = strstr(begin, "-----");
    CHECK(end != NULL);
    *end = '\0';
    memmove(text, begin, strlen(begin) + 1);
    join_lines(text);
    return text;
}

int main(void) {
    simulator_t sim = simulator_start();
    gecko_mqtt_client_t *client = client_of(by_token(&sim));
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    char certificate[400], log[400];
    char *logged, *encoded;
    size_t at;
    secrets[0] = simulator_file(&sim, "token.txt");
    secrets[1] = simulator_file(&sim, "signature.txt");
    secrets[2] = simulator_file(&sim, "broker-url.txt");
    encoded = strrchr(secrets[2], '=') + 1;
    memmove(secrets[2], encoded, strlen(encoded) + 1);
    secrets[3] = key_of(&sim, "client-sec1.key");
    secrets[4] = key_of(&sim, "foreign-client.key");
    CHECK(tells_a_secret(secrets[1] + 20) && !tells_a_secret("localhost"));
    snprintf(certificate, sizeof certificate, "%s/client.pem", sim.dir);
    snprintf(log, sizeof log, "%s/log.txt", sim.dir);
    if (getenv("GECKO_TEST_TRACES") == NULL)
        CHECK_OK(gecko_mqtt_log_init("trace", log, false));

    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    for (at = 0; at < 3; at++) {
        /* A line break, text that is not UTF-8, and a URL that is none of ours. */
        char *bad[] = {around("", secrets[at], "\n"), around("", secrets[at], "\xff"),
                       around("https://h/?a=b&token=", secrets[at], "\n")};
        size_t which;
        for (which = 0; which < sizeof bad / sizeof *bad; which++) {
            in_the_options(options, bad[which], certificate);
            in_a_token(client, bad[which]);
            free(bad[which]);
        }
    }
    keys(&sim, client, certificate);
    gecko_mqtt_options_free(options);
    gecko_mqtt_client_free(client);
    if (getenv("GECKO_TEST_TRACES") == NULL) {
        logged = simulator_file(&sim, "log.txt");
        CHECK(strstr(logged, "TRACE") != NULL && !tells_a_secret(logged));
        free(logged);
    }
    for (at = 0; at < sizeof secrets / sizeof *secrets; at++)
        free(secrets[at]);
    simulator_stop(&sim);
    return 0;
}
