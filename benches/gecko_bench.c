/* The library under load, as a user's program would load it: see gecko_bench --help.
 *
 * Workloads, command line and output are those of the programs that do the same with other clients, so that
 * one harness can run them all and compare; benches/README.md says which. The mode burst is of our own. */
#define _POSIX_C_SOURCE 200809L
#include "gecko_bench/client.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "gecko_bench --mode MODE [OPTION VALUE]...\n"
    "\n"
    "One line of JSON tells what came of:\n"
    "  connect  so many connections, one after the other: from the call to CONNACK\n"
    "  pub      so many publishes to a second client of this process, or with --nosub to nobody\n"
    "  recv     so many messages that a server sends to a subscriber of blast/QOS/COUNT/SIZE/WINDOW\n"
    "  rtt      so many QoS 1 messages to itself on echo/..., each after the last one came\n"
    "  idle     so many clients that do nothing: memory, threads, CPU time\n"
    "  burst    so many publishes at once without a window, into the queue as it is by default\n"
    "\n"
    "  --host H --port P   the server (127.0.0.1 1883)\n"
    "  --cafile F          TLS, with this root\n"
    "  --count N           how many (1000)\n"
    "  --size S --qos Q    of a message: bytes (64), quality of service (1)\n"
    "  --window W          publishes that have not ended at a time (QoS 1: 100, QoS 0: 1000)\n"
    "  --nosub             pub: without the second client; a last QoS 1 publish proves that all came in\n"
    "  --secs T            idle: how long to look on (10)\n"
    "  --max-secs T        give up after this (45)\n";

arguments_t args = {"127.0.0.1", NULL, "", 1883, 1000, 64, 1, 0, 0, 10, 45};

static void mode_connect(void) {
    double *ms = room((size_t)args.count, sizeof *ms), end = now() + args.max_secs;
    double cpu = 0, start = 0;
    int done = 0, failed = 0;
    /* The first one warms up. */
    for (int i = -1; i < args.count && now() < end; i++) {
        client_t client;
        if (i == 0) {
            cpu = cpu_time();
            start = now();
        }
        make(&client, "con", i);
        double called = now();
        bool connected = connect_it(&client) == GECKO_MQTT_OK;
        if (i >= 0 && connected)
            ms[done++] = (now() - called) * 1e3;
        failed += !connected;
        unmake(&client);
    }
    double wall = now() - start;
    cpu = cpu_time() - cpu;
    int each = done > 0 ? done : 1;
    report("\"done\":%d,\"failed\":%d,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"cycle_ms\":%.3f,\"cpu_ms_each\":%.3f,"
           "\"wall_s\":%.3f,\"cpu_s\":%.3f",
           done, failed, percentile(ms, done, 50), percentile(ms, done, 99), wall * 1e3 / each,
           cpu * 1e3 / each, wall, cpu);
    free(ms);
}

static void mode_pub(void) {
    client_t publisher, subscriber;
    char topic[64];
    unsigned char *payload = room(1, (size_t)args.size + 8);
    size_t size = (size_t)args.size;
    memset(payload, 'x', size);
    snprintf(topic, sizeof topic, "bench/%d", (int)getpid());
    make(&publisher, "pub", 0);
    check("connect", connect_it(&publisher));
    if (!args.nosub) {
        make(&subscriber, "sub", 0);
        subscriber.messages_wanted = args.count;
        check("connect", connect_it(&subscriber));
        subscribe(&subscriber, topic, args.qos);
    }
    publisher.completions_wanted = args.count + args.nosub;
    double start = now(), cpu = cpu_time(), end = start + args.max_secs;
    long sent = 0, refused = 0;
    bool late = false;
    for (uint64_t i = 0; i < (uint64_t)args.count && !late; i++) {
        late = !wait_for(&publisher.window, 10) || now() > end;
        if (late)
            break;
        if (size >= sizeof i)
            memcpy(payload, &i, sizeof i);
        if (publish(&publisher, topic, payload, size, args.qos) == GECKO_MQTT_OK) {
            sent++;
            continue;
        }
        if (refused++ == 0)
            fprintf(stderr, "gecko_bench: publish: %s\n", gecko_mqtt_last_error_message());
        sem_post(&publisher.window);
        atomic_fetch_sub(&publisher.completions_wanted, 1);
    }
    double handed = now() - start;
    if (args.nosub && !late)
        late = !wait_for(&publisher.window, 10) || publish(&publisher, topic, payload, 8, 1) != GECKO_MQTT_OK;
    late = late || !wait_while_moving(&publisher.all_completed, &publisher.completed, end);
    if (!args.nosub)
        late = late || !wait_while_moving(&subscriber.all_received, &subscriber.received, end);
    double over = now() - start;
    cpu = cpu_time() - cpu;
    double acked = publisher.completed_at > 0 ? publisher.completed_at - start : over;
    double arrived = acked;
    long received = sent, reordered = 0;
    if (!args.nosub) {
        arrived = subscriber.received_at > 0 ? subscriber.received_at - start : over;
        received = atomic_load(&subscriber.received);
        reordered = atomic_load(&subscriber.reordered);
    }
    double wall = acked > arrived ? acked : arrived;
    report("\"sent\":%ld,\"refused\":%ld,\"errors\":%ld,\"received\":%ld,\"lost\":%ld,\"reordered\":%ld,"
           "\"timeout\":%d,\"handed_s\":%.3f,\"acked_s\":%.3f,\"recv_s\":%.3f,\"msgs_s\":%.0f,"
           "\"acked_msgs_s\":%.0f,\"cpu_us_msg\":%.3f,\"wall_s\":%.3f,\"cpu_s\":%.3f,\"maxrss_kb\":%ld",
           sent, refused, atomic_load(&publisher.errors), received, sent - received, reordered, late, handed,
           acked, arrived, (double)received / wall, (double)sent / acked,
           cpu * 1e6 / (double)(sent > 0 ? sent : 1), wall, cpu, peak_rss_kb());
    if (late)
        exit(0);
    unmake(&publisher);
    if (!args.nosub)
        unmake(&subscriber);
    free(payload);
}

static void mode_recv(void) {
    client_t client;
    char filter[96];
    snprintf(filter, sizeof filter, "blast/%d/%d/%d/%d", args.qos, args.count, args.size, args.window);
    make(&client, "rcv", 0);
    client.messages_wanted = args.count;
    check("connect", connect_it(&client));
    double cpu = cpu_time(), start = now();
    subscribe(&client, filter, args.qos);
    bool late = !wait_while_moving(&client.all_received, &client.received, start + args.max_secs);
    cpu = cpu_time() - cpu;
    double end = client.received_at > 0 ? client.received_at : now();
    long received = atomic_load(&client.received);
    report(
        "\"received\":%ld,\"lost\":%ld,\"reordered\":%ld,\"timeout\":%d,\"msgs_s\":%.0f,\"cpu_us_msg\":%.3f,"
        "\"wall_s\":%.3f,\"cpu_s\":%.3f,\"maxrss_kb\":%ld",
        received, args.count - received, atomic_load(&client.reordered), late,
        (double)received / (end - client.first_at), cpu * 1e6 / (double)(received > 0 ? received : 1),
        end - start, cpu, peak_rss_kb());
    unmake(&client);
}

static void mode_rtt(void) {
    client_t client;
    char topic[64];
    double *us = room((size_t)args.count, sizeof *us), cpu = cpu_time(), start = now(),
           end = start + args.max_secs;
    unsigned char *payload = room(1, (size_t)args.size + 8);
    int done = 0;
    bool late = false;
    snprintf(topic, sizeof topic, "echo/%d", (int)getpid());
    make(&client, "rtt", 0);
    client.echoes = true;
    check("connect", connect_it(&client));
    subscribe(&client, topic, 1);
    /* The first 50 warm up. */
    for (int i = -50; i < args.count && !late; i++) {
        if (i == 0) {
            cpu = cpu_time();
            start = now();
        }
        double called = now();
        check("publish", publish(&client, topic, payload, (size_t)args.size, 1));
        late = !wait_for(&client.echo, 10) || now() > end;
        if (i >= 0 && !late)
            us[done++] = (now() - called) * 1e6;
    }
    double wall = now() - start;
    cpu = cpu_time() - cpu;
    report("\"done\":%d,\"timeout\":%d,\"p50_us\":%.1f,\"p99_us\":%.1f,\"cpu_us_each\":%.2f,\"wall_s\":%.3f,"
           "\"cpu_s\":%.3f",
           done, late, percentile(us, done, 50), percentile(us, done, 99), cpu * 1e6 / (done > 0 ? done : 1),
           wall, cpu);
    if (late)
        exit(0);
    unmake(&client);
    free(us);
    free(payload);
}

static int usage(FILE *stream) {
    fputs(help, stream);
    return stream == stdout ? 0 : 2;
}

int main(int argc, char **argv) {
    long rss_at_start = rss_kb();
    static const struct option options[] = {{"host", required_argument, NULL, 'h'},
                                            {"port", required_argument, NULL, 'p'},
                                            {"cafile", required_argument, NULL, 'c'},
                                            {"mode", required_argument, NULL, 'm'},
                                            {"count", required_argument, NULL, 'n'},
                                            {"size", required_argument, NULL, 's'},
                                            {"qos", required_argument, NULL, 'q'},
                                            {"window", required_argument, NULL, 'w'},
                                            {"nosub", no_argument, NULL, 'x'},
                                            {"secs", required_argument, NULL, 't'},
                                            {"max-secs", required_argument, NULL, 'T'},
                                            {"help", no_argument, NULL, '?' + 256},
                                            {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (option) {
        case 'h':
            args.host = optarg;
            break;
        case 'p':
            args.port = atoi(optarg);
            break;
        case 'c':
            args.cafile = optarg;
            break;
        case 'm':
            args.mode = optarg;
            break;
        case 'n':
            args.count = atoi(optarg);
            break;
        case 's':
            args.size = atoi(optarg);
            break;
        case 'q':
            args.qos = atoi(optarg);
            break;
        case 'w':
            args.window = atoi(optarg);
            break;
        case 'x':
            args.nosub = 1;
            break;
        case 't':
            args.secs = atof(optarg);
            break;
        case 'T':
            args.max_secs = atof(optarg);
            break;
        case '?' + 256:
            return usage(stdout);
        default:
            return usage(stderr);
        }
    if (args.count < 1 || args.size < 0 || optind < argc)
        return usage(stderr);
    if (args.window == 0)
        args.window = args.qos > 0 ? 100 : 1000;
    if (strcmp(args.mode, "connect") == 0)
        mode_connect();
    else if (strcmp(args.mode, "pub") == 0)
        mode_pub();
    else if (strcmp(args.mode, "recv") == 0)
        mode_recv();
    else if (strcmp(args.mode, "rtt") == 0)
        mode_rtt();
    else if (strcmp(args.mode, "idle") == 0)
        mode_idle(rss_at_start);
    else if (strcmp(args.mode, "burst") == 0)
        mode_burst();
    else
        return usage(stderr);
    return 0;
}
