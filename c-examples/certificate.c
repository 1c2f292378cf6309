/* Connects with a client certificate, as a thing that AWS IoT knows, and publishes one message.
 *
 *     certificate HOST CERT KEY [CA [PORT]]
 *
 * HOST is the account's endpoint ("xxxx-ats.iot.us-east-1.amazonaws.com"), CERT and KEY the files that AWS
 * IoT gave when the certificate was made; the key in PKCS#8, PKCS#1 or SEC1. Without CA the system's roots
 * are trusted, and without PORT it is 8883. */
#include <gecko_mqtt.h>
#include <stdio.h>
#include <stdlib.h>

/* The status says what kind of failure it is, for programs; the message what exactly, for people. It speaks
 * of the last failed call on this thread, so it is read at once. */
static int failed(const char *what, gecko_mqtt_status_t status) {
    fprintf(stderr, "%s: %s: %s\n", what, gecko_mqtt_status_string(status), gecko_mqtt_last_error_message());
    return 1;
}

static int publish(gecko_mqtt_client_t *client) {
    /* The port (8883) and the server's name follow from the endpoint and the kind of authentication. */
    gecko_mqtt_status_t status = gecko_mqtt_connect(client, 15000);
    if (status != GECKO_MQTT_OK)
        return failed("connect", status);

    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("spa/42/state", "{\"temperature\":38.5}", 1);
    gecko_mqtt_ack_t ack = GECKO_MQTT_ACK_INIT;
    status = gecko_mqtt_publish_wait(client, &message, 10000, &ack);
    if (status != GECKO_MQTT_OK)
        return failed("publish", status);
    printf("published, acknowledged after %u ms\n", (unsigned)ack.round_trip_ms);

    status = gecko_mqtt_disconnect(client, 2000);
    return status == GECKO_MQTT_OK ? 0 : failed("disconnect", status);
}

int main(int argc, char **argv) {
    if (argc < 4 || argc > 6) {
        fprintf(stderr, "usage: certificate HOST CERT KEY [CA [PORT]]\n");
        return 2;
    }
    /* The setters' statuses need no look: the options remember the first error, and client_new returns it. */
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    gecko_mqtt_options_set_endpoint(options, argv[1]);
    gecko_mqtt_options_set_certificate_file(options, argv[2], argv[3]);
    if (argc > 4)
        gecko_mqtt_options_set_ca_file(options, argv[4]);
    if (argc > 5)
        gecko_mqtt_options_set_port(options, (uint16_t)strtoul(argv[5], NULL, 10));

    gecko_mqtt_client_t *client = NULL;
    gecko_mqtt_status_t status = gecko_mqtt_client_new(options, &client);
    gecko_mqtt_options_free(options); /* the client has its own copy */
    int result = status == GECKO_MQTT_OK ? publish(client) : failed("options", status);
    gecko_mqtt_client_free(client); /* NULL is allowed, here as in every free */
    return result;
}
