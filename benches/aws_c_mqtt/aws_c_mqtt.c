/* aws-c-mqtt under the load of the other programs: its MQTT 5 client behind the interface of the harness's
 * bench.h, which has the modes, the command line and the output. Built by the script beside it.
 *
 * All clients share one event loop group of one thread, one host resolver and one TLS context, as programs on
 * a device have it. What is set is:
 *   - no AWS IoT flow control, which holds a client to 100 publishes a second
 *   - TLS without post-quantum key exchange, which costs time, and which the servers here do not know
 *   - a new session at every connection, and a keep-alive of 30 s, as with the other clients
 *   - TCP_NODELAY where latency is measured: without, a connection over TLS and a round trip wait 44 ms for
 *     the server's delayed ACK. Not where throughput is: publishing over TLS is 10 to 30 % slower with it
 * Left alone are the timeouts, which cannot be turned off, and the size of a channel's messages, as others
 * were no faster. */
#include "bench.h"
#include <aws/common/allocator.h>
#include <aws/common/byte_buf.h>
#include <aws/common/error.h>
#include <aws/io/channel_bootstrap.h>
#include <aws/io/event_loop.h>
#include <aws/io/host_resolver.h>
#include <aws/io/socket.h>
#include <aws/io/tls_channel_handler.h>
#include <aws/mqtt/mqtt.h>
#include <aws/mqtt/v5/mqtt5_client.h>
#include <aws/mqtt/v5/mqtt5_types.h>

struct peer_client {
    struct aws_mqtt5_client *client;
    void *ud;
    sem_t up, subscribed, stopped, gone;
    /* An error code or 0, and the QoS that came of a subscription. */
    int connected, granted;
};

static struct aws_client_bootstrap *bootstrap;
static struct aws_tls_ctx *tls;

static const char *peer_name(void) { return "aws-c-mqtt"; }
static const char *peer_version(void) { return AWS_C_MQTT_VERSION; }

/* What the library has said last. */
static void must(bool went_well, const char *what) {
    if (!went_well) {
        fprintf(stderr, "%s: %s\n", what, aws_error_debug_str(aws_last_error()));
        die(what, aws_last_error());
    }
}

static void peer_init(const struct bench_args *a) {
    struct aws_allocator *allocator = aws_default_allocator();
    aws_mqtt_library_init(allocator);
    struct aws_event_loop_group_options loops = {.loop_count = 1};
    struct aws_event_loop_group *group = aws_event_loop_group_new(allocator, &loops);
    must(group != NULL, "event loop group");
    struct aws_host_resolver_default_options resolving = {.max_entries = 8, .el_group = group};
    struct aws_host_resolver *resolver = aws_host_resolver_new_default(allocator, &resolving);
    must(resolver != NULL, "host resolver");
    struct aws_client_bootstrap_options options = {.event_loop_group = group, .host_resolver = resolver};
    bootstrap = aws_client_bootstrap_new(allocator, &options);
    must(bootstrap != NULL, "bootstrap");
    if (a->cafile) {
        struct aws_tls_ctx_options trust;
        aws_tls_ctx_options_init_default_client(&trust, allocator);
        aws_tls_ctx_options_set_tls_cipher_preference(&trust, AWS_IO_TLS_CIPHER_PREF_NON_PQ_DEFAULT);
        must(!aws_tls_ctx_options_override_default_trust_store_from_path(&trust, NULL, a->cafile), "CA file");
        tls = aws_tls_client_ctx_new(allocator, &trust);
        must(tls != NULL, "TLS context");
        aws_tls_ctx_options_clean_up(&trust);
    }
}

static void on_event(const struct aws_mqtt5_client_lifecycle_event *event) {
    peer_client *c = event->user_data;
    switch (event->event_type) {
    case AWS_MQTT5_CLET_CONNECTION_SUCCESS:
    case AWS_MQTT5_CLET_CONNECTION_FAILURE:
        c->connected = event->error_code;
        sem_post(&c->up);
        break;
    case AWS_MQTT5_CLET_STOPPED:
        sem_post(&c->stopped);
        break;
    default:
        break;
    }
}

static void on_message(const struct aws_mqtt5_packet_publish_view *message, void *ud) {
    bench_on_message(ud, message->payload.ptr, message->payload.len);
}

static void on_publish(enum aws_mqtt5_packet_type type, const void *packet, int error, void *ud) {
    /* Without an error a QoS 1 publish comes with its PUBACK, one of QoS 0 with nothing. */
    const struct aws_mqtt5_packet_puback_view *puback = type == AWS_MQTT5_PT_PUBACK ? packet : NULL;
    bench_on_complete(ud, error || (puback && puback->reason_code >= 128));
}

static void on_subscribe(const struct aws_mqtt5_packet_suback_view *suback, int error, void *ud) {
    peer_client *c = ud;
    c->granted = error ? -1 : (int)suback->reason_codes[0];
    sem_post(&c->subscribed);
}

static void on_gone(void *ud) { sem_post(&((peer_client *)ud)->gone); }

static peer_client *peer_new(const struct bench_args *a, const char *id, void *ud) {
    peer_client *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->ud = ud;
    sem_init(&c->up, 0, 0);
    sem_init(&c->subscribed, 0, 0);
    sem_init(&c->stopped, 0, 0);
    sem_init(&c->gone, 0, 0);
    bool throughput = !strcmp(a->mode, "pub") || !strcmp(a->mode, "recv");
    struct aws_socket_options sockets = {
        .type = AWS_SOCKET_STREAM,
        .domain = AWS_SOCKET_IPV4,
        .connect_timeout_ms = 10000,
        .tcp_nodelay = throughput ? AWS_SOCKET_TCP_NODELAY_DEFAULT : AWS_SOCKET_TCP_NODELAY_ON,
    };
    struct aws_mqtt5_packet_connect_view connect = {
        .client_id = aws_byte_cursor_from_c_str(id), .keep_alive_interval_seconds = 30, .clean_start = true};
    struct aws_tls_connection_options secure;
    struct aws_mqtt5_client_options options = {
        .host_name = aws_byte_cursor_from_c_str(a->host),
        .port = (uint32_t)a->port,
        .bootstrap = bootstrap,
        .socket_options = &sockets,
        .connect_options = &connect,
        .session_behavior = AWS_MQTT5_CSBT_CLEAN,
        .extended_validation_and_flow_control_options = AWS_MQTT5_EVAFCO_NONE,
        .publish_received_handler = on_message,
        .publish_received_handler_user_data = ud,
        .lifecycle_event_handler = on_event,
        .lifecycle_event_handler_user_data = c,
        .client_termination_handler = on_gone,
        .client_termination_handler_user_data = c,
    };
    if (tls) {
        aws_tls_connection_options_init_from_ctx(&secure, tls);
        must(
            !aws_tls_connection_options_set_server_name(&secure, aws_default_allocator(), &options.host_name),
            "server name");
        options.tls_options = &secure;
    }
    c->client = aws_mqtt5_client_new(aws_default_allocator(), &options);
    must(c->client != NULL, "client");
    if (tls)
        aws_tls_connection_options_clean_up(&secure);
    return c;
}

static int peer_connect(peer_client *c) {
    if (aws_mqtt5_client_start(c->client))
        return aws_last_error();
    return sem_wait_s(&c->up, 10) ? -1 : c->connected;
}

static int peer_subscribe(peer_client *c, const char *topic, int qos) {
    struct aws_mqtt5_subscription_view filter = {.topic_filter = aws_byte_cursor_from_c_str(topic),
                                                 .qos = (enum aws_mqtt5_qos)qos};
    struct aws_mqtt5_packet_subscribe_view packet = {.subscription_count = 1, .subscriptions = &filter};
    struct aws_mqtt5_subscribe_completion_options completion = {.completion_callback = on_subscribe,
                                                                .completion_user_data = c};
    if (aws_mqtt5_client_subscribe(c->client, &packet, &completion))
        return aws_last_error();
    if (sem_wait_s(&c->subscribed, 10))
        return -1;
    return c->granted == qos ? 0 : -1;
}

static int peer_publish(peer_client *c, const char *topic, const void *data, size_t len, int qos) {
    struct aws_mqtt5_packet_publish_view packet = {.topic = aws_byte_cursor_from_c_str(topic),
                                                   .payload = aws_byte_cursor_from_array(data, len),
                                                   .qos = (enum aws_mqtt5_qos)qos};
    struct aws_mqtt5_publish_completion_options completion = {.completion_callback = on_publish,
                                                              .completion_user_data = c->ud};
    return aws_mqtt5_client_publish(c->client, &packet, &completion) ? aws_last_error() : 0;
}

static void peer_free(peer_client *c) {
    struct aws_mqtt5_packet_disconnect_view packet = {.reason_code = AWS_MQTT5_DRC_NORMAL_DISCONNECTION};
    if (!aws_mqtt5_client_stop(c->client, &packet, NULL))
        sem_wait_s(&c->stopped, 10);
    aws_mqtt5_client_release(c->client);
    /* Until then its thread calls back. */
    if (sem_wait_s(&c->gone, 10))
        die("release", 0);
    sem_destroy(&c->up);
    sem_destroy(&c->subscribed);
    sem_destroy(&c->stopped);
    sem_destroy(&c->gone);
    free(c);
}
