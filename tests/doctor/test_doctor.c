/* gecko-mqtt-doctor: for everything that can be wrong, the step that says so, the exit status, and the same
 * in JSON. */
#include "doctor.h"

#define BY_CERTIFICATE                                                                                       \
    "--host localhost --port MTLS --cafile DIR/ca.pem --cert DIR/client.pem --key DIR/client.key"
#define BY_TOKEN "--broker-url-file DIR/broker-url.txt --cafile DIR/ca.pem"
#define BY_TOKEN_FILE "--host localhost --port ALPN --cafile DIR/ca.pem --authorizer gecko --token-file "

static const case_t cases[] = {
    {"good", {"--token-ttl", "7000", NULL}, BY_TOKEN, 0, "receive", "the message came back"},
    {NULL, {NULL}, BY_CERTIFICATE, 0, "credentials", "the client certificate is valid until 2060-01-01"},
    {NULL,
     {NULL},
     BY_CERTIFICATE,
     0,
     "certificate",
     "valid from 2020-01-01T00:00:00Z until 2060-01-01T00:00:00Z"},
    {NULL, {NULL}, BY_TOKEN, 0, "alpn", "the server agrees to 'mqtt'"},
    {NULL, {NULL}, "--broker-url mqtt://localhost:PLAIN", 0, "tls", "not used"},
    {NULL,
     {NULL},
     BY_TOKEN " --client-id spa-42 --topic spa-42/test",
     0,
     "settings",
     "client identifier 'spa-42'"},
    {NULL,
     {NULL},
     BY_TOKEN " --client-id spa-42 --topic spa-42/test",
     0,
     "publish",
     "may publish to 'spa-42/test'"},

    {NULL, {NULL}, "--host localhost --cafile /nonexistent", 10, "settings", "/nonexistent"},
    {NULL, {NULL}, BY_TOKEN_FILE "/nonexistent", 10, "settings", "/nonexistent: No such file"},
    {NULL,
     {NULL},
     "--host localhost --cert DIR/foreign-client.pem --key DIR/client.key",
     10,
     "settings",
     "does not belong to the client certificate"},
    {"clock",
     {"--server-cert", "not-yet-valid", NULL},
     BY_CERTIFICATE,
     11,
     "certificate",
     "device's clock says"},
    {NULL,
     {NULL},
     BY_TOKEN_FILE "DIR/from-the-future.txt",
     11,
     "clock",
     "the token was issued later: 2100-01-01"},
    {"expired-token",
     {NULL},
     "--broker-url-file DIR/expired-url.txt --cafile DIR/ca.pem",
     12,
     "credentials",
     "the token expired"},
    {NULL,
     {"--clock-behind", "2000000000", "--no-signing", NULL},
     BY_TOKEN_FILE "DIR/expired.txt",
     12,
     "connect",
     "the server accepts the token, which this clock says has expired"},
    {"no-such-name",
     {NULL},
     "--host nowhere.invalid --cert DIR/client.pem --key DIR/client.key",
     13,
     "dns",
     "cannot resolve the name 'nowhere.invalid'"},
    {"closed-port",
     {NULL},
     "--host 127.0.0.1 --port CLOSED --cafile DIR/ca.pem",
     14,
     "tcp",
     "Connection refused"},
    {NULL,
     {NULL},
     "--host 127.0.0.1 --port DEAF --cafile DIR/ca.pem --timeout 1",
     14,
     "tcp",
     "given up while connecting by TCP"},
    {NULL,
     {NULL},
     "--host 127.0.0.1 --port SILENT --cafile DIR/ca.pem --timeout 1",
     15,
     "tls",
     "given up in the TLS handshake"},
    {"plain-port",
     {NULL},
     "--host localhost --port PLAIN --cafile DIR/ca.pem",
     15,
     "tls",
     "is that a TLS port"},
    {"alpn",
     {NULL},
     "--host localhost --port ALPN --cafile DIR/ca.pem --alpn h2",
     16,
     "alpn",
     "does not offer the protocol 'h2'"},
    {"expired-certificate",
     {"--server-cert", "expired", NULL},
     BY_CERTIFICATE,
     17,
     "certificate",
     "the server's certificate expired on 2021-01-01T00:00:00Z"},
    {"wrong-name",
     {"--server-cert", "wrong-name", NULL},
     BY_CERTIFICATE,
     17,
     "certificate",
     "is for 'elsewhere.example', not 'localhost'"},
    {"unknown-ca",
     {"--server-cert", "unknown-ca", NULL},
     BY_CERTIFICATE,
     17,
     "certificate",
     "nobody we trust"},
    {NULL,
     {NULL},
     "--host localhost --port MTLS --cafile DIR/ca.pem",
     18,
     "connect",
     "wants a client certificate"},
    {NULL,
     {"--tls", "1.2", NULL},
     "--host localhost --port MTLS --cafile DIR/ca.pem",
     18,
     "connect",
     "wants a client certificate"},
    {NULL,
     {NULL},
     "--host localhost --port MTLS --cafile DIR/ca.pem --cert DIR/foreign-client.pem --key "
     "DIR/foreign-client.key",
     18,
     "connect",
     "does not know who issued the client certificate"},
    {NULL, {NULL}, BY_TOKEN_FILE "DIR/bad.txt", 18, "connect", "135 not authorized"},
    {NULL, {"--bad-token", "134", NULL}, BY_TOKEN_FILE "DIR/bad.txt", 18, "connect", "134"},
    {NULL, {"--bad-token", "close", NULL}, BY_TOKEN_FILE "DIR/bad.txt", 18, "connect", "right after CONNECT"},
    {"connect-forbidden",
     {"--deny-connect", "close", NULL},
     BY_CERTIFICATE,
     18,
     "connect",
     "a policy that forbids iot:Connect"},
    {NULL, {"--deny-connect", "135", NULL}, BY_CERTIFICATE, 18, "connect", "its policy forbids iot:Connect"},
    {"subscribe-forbidden",
     {"--deny-subscribe", "#", NULL},
     BY_CERTIFICATE,
     19,
     "subscribe",
     "135 not authorized"},
    {"publish-forbidden",
     {"--deny-publish", "#", "--deny-publish-answer", "close", NULL},
     BY_CERTIFICATE,
     20,
     "publish",
     "the server ended the connection over it"},
    {NULL,
     {"--deny-publish", "spa/#", NULL},
     BY_CERTIFICATE " --topic spa/1",
     20,
     "publish",
     "135 not authorized"},
    {NULL, {"--deny-receive", "#", NULL}, BY_CERTIFICATE " --timeout 1", 21, "receive", "did not come back"},
};

static const char *doctor;

static void write_file(const simulator_t *sim, const char *name, const char *text) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", sim->dir, name);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void failed(const case_t *one, const char *why, const output_t *output) {
    fprintf(stderr, "%s\n%s\nended with %d, but should with %d:\n%s\n", one->arguments, why,
            output->exit_status, one->exit_status, output->text);
    exit(1);
}

static void read_document(char *document, size_t size) {
    FILE *file = fopen(getenv("GECKO_MQTT_DOCTOR_MD"), "r");
    size_t length;
    CHECK(file != NULL);
    length = fread(document, 1, size - 1, file);
    CHECK(length < size - 1);
    document[length] = '\0';
    fclose(file);
}

/* The block of docs/doctor.md behind the comment that names the case. UPDATE_DOCTOR_MD=1 writes it there. */
static void check_document(const case_t *one, const char *arguments) {
    static char document[65536];
    char mark[64], shown[MOST_OUTPUT], *block, *end;
    output_t output = doctor_run(doctor, "C.UTF-8", arguments), plain = output;
    read_document(document, sizeof document);
    snprintf(mark, sizeof mark, "<!-- %s -->\n```text\n", one->name);
    block = strstr(document, mark);
    end = block != NULL ? strstr(block + strlen(mark), "```") : NULL;
    if (end == NULL)
        failed(one, "docs/doctor.md does not show it", &output);
    block += strlen(mark);
    if (getenv("UPDATE_DOCTOR_MD") != NULL) {
        FILE *file = fopen(getenv("GECKO_MQTT_DOCTOR_MD"), "w");
        CHECK(file != NULL);
        fprintf(file, "%.*s%s%s", (int)(block - document), document, output.text, end);
        CHECK(fclose(file) == 0);
        return;
    }
    snprintf(shown, sizeof shown, "%.*s", (int)(end - block), block);
    plain_words(shown);
    plain_words(plain.text);
    if (strcmp(shown, plain.text) != 0)
        failed(one, "docs/doctor.md shows something else (UPDATE_DOCTOR_MD=1 ctest -R test_doctor)", &output);
}

/* In the words of a pipe or an old console: a mark, the step, the text, wrapped. */
static void check_text(const case_t *one, const char *arguments) {
    char line[64], says[256];
    output_t output = doctor_run(doctor, "C", arguments), plain = output;
    const char *place, *next;
    plain_words(plain.text);
    snprintf(says, sizeof says, "%s", one->says);
    plain_words(says);
    if (output.exit_status != one->exit_status)
        failed(one, "exit status", &output);
    snprintf(line, sizeof line, " %s ", one->step);
    place = strstr(plain.text, line);
    next = place != NULL ? strstr(place, says) : NULL;
    if (next == NULL)
        failed(one, "what it says", &output);
    if ((strstr(plain.text, "NO ") != NULL) != (one->exit_status != 0))
        failed(one, "something fails", &output);
    if ((strstr(plain.text, "All is well") != NULL) != (one->exit_status == 0))
        failed(one, "the end", &output);
}

static void check_json(const case_t *one, const char *arguments, const char *token) {
    char with[1024], member[64];
    snprintf(with, sizeof with, "%s --json", arguments);
    output_t output = doctor_run(doctor, "C.UTF-8", with);
    const char *end = json_end(output.text);
    if (end == NULL || strcmp(end, "\n") != 0)
        failed(one, "is not one JSON object", &output);
    if (output.exit_status != one->exit_status)
        failed(one, "exit status", &output);
    snprintf(member, sizeof member, "\"exit_status\":%d,", one->exit_status);
    if (strstr(output.text, member) == NULL)
        failed(one, member, &output);
    snprintf(member, sizeof member, "\"step\":\"%s\",\"result\":\"", one->step);
    const char *step = strstr(output.text, member);
    const char *says = step != NULL ? strstr(step, one->says) : NULL;
    const char *next = step != NULL ? strstr(step, "},{") : NULL;
    if (says == NULL || (next != NULL && says > next))
        failed(one, member, &output);
    if ((strstr(output.text, "\"result\":\"failed\"") != NULL) != (one->exit_status != 0))
        failed(one, "something fails", &output);
    if (strstr(output.text, token) != NULL)
        failed(one, "the token is in it", &output);
}

static void check_case(const case_t *one) {
    simulator_t sim = simulator_start_with(one->switches);
    silent_t silent = silent_start(0), deaf = silent_start(1);
    char arguments[1024], url[300];
    char *token = simulator_file(&sim, "token.txt");
    snprintf(url, sizeof url,
             "wss://localhost:%u/mqtt?x-amz-customauthorizer-name=gecko&token=eyJleHAiOjF9\n", sim.alpn);
    write_file(&sim, "expired-url.txt", url);
    write_file(&sim, "expired.txt", "eyJleHAiOjF9\n");
    write_file(&sim, "from-the-future.txt", "eyJpYXQiOjQxMDI0NDQ4MDAsImV4cCI6NDEwMjQ0ODQwMH0");
    write_file(&sim, "bad.txt", "opaque");
    snprintf(arguments, sizeof arguments, "%s", one->arguments);
    put(arguments, sizeof arguments, "DIR", sim.dir);
    put_port(arguments, sizeof arguments, "MTLS", sim.mtls);
    put_port(arguments, sizeof arguments, "ALPN", sim.alpn);
    put_port(arguments, sizeof arguments, "PLAIN", sim.plain);
    put_port(arguments, sizeof arguments, "CLOSED", closed_port());
    put_port(arguments, sizeof arguments, "SILENT", silent.port);
    put_port(arguments, sizeof arguments, "DEAF", deaf.port);
    check_text(one, arguments);
    check_json(one, arguments, token);
    if (one->name != NULL)
        check_document(one, arguments);
    free(token);
    silent_stop(&silent);
    silent_stop(&deaf);
    simulator_stop(&sim);
}

int main(void) {
    doctor = getenv("GECKO_MQTT_DOCTOR");
    CHECK(doctor != NULL);
    unsetenv("GECKO_MQTT_BROKER_URL");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_case(&cases[i]);
    return 0;
}
