#define _POSIX_C_SOURCE 200809L
#include "client.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void mode_idle(long rss_at_start) {
    client_t *clients = room((size_t)args.count, sizeof *clients);
    long rss_before = rss_kb();
    int connected = 0, failed = 0;
    double start = now();
    for (int i = 0; i < args.count && failed < 3 && now() - start < 30; i++) {
        make(&clients[i], "idl", i);
        if (connect_it(&clients[i]) == GECKO_MQTT_OK)
            connected++;
        else
            failed++;
    }
    double connecting = now() - start;
    pause_for(1.5);
    long rss = rss_kb(), pss = proc("/proc/self/smaps_rollup", "Pss:"),
         threads = proc("/proc/self/status", "Threads:");
    double cpu = cpu_time();
    pause_for(args.secs);
    cpu = cpu_time() - cpu;
    report("\"done\":%d,\"failed\":%d,\"connect_all_s\":%.3f,\"rss_start_kb\":%ld,\"rss_init_kb\":%ld,\"rss_"
           "kb\":%ld,"
           "\"pss_kb\":%ld,\"threads\":%ld,\"idle_secs\":%.1f,\"idle_cpu_s\":%.4f",
           connected, failed, connecting, rss_at_start, rss_before, rss, pss, threads, args.secs, cpu);
    /* Their farewells are not what is measured. */
    _exit(0);
}

static atomic_bool burst_is_over;

/* Another client of the same process, which must not notice the burst: publishes, waits for the
 * acknowledgement, and so on. */
static void *neighbour(void *longest) {
    client_t client;
    make(&client, "nbr", 0);
    check("connect", connect_it(&client));
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("bench/neighbour", "x", 1);
    while (!atomic_load(&burst_is_over)) {
        double start = now();
        check("the neighbour's publish", gecko_mqtt_publish_wait(client.handle, &message, 10000, NULL));
        double took = now() - start;
        if (took > *(double *)longest)
            *(double *)longest = took;
    }
    unmake(&client);
    return NULL;
}

void mode_burst(void) {
    client_t client;
    double *us = room((size_t)args.count, sizeof *us), longest_wait = 0;
    unsigned char *payload = room(1, (size_t)args.size + 1);
    long accepted = 0, refused = 0;
    pthread_t thread;
    make(&client, "bst", 0);
    check("connect", connect_it(&client));
    if (pthread_create(&thread, NULL, neighbour, &longest_wait) != 0)
        fail("no thread to be had");
    pause_for(0.2);
    long rss_before = rss_kb();
    double start = now();
    for (int i = 0; i < args.count; i++) {
        double called = now();
        gecko_mqtt_status_t status = publish(&client, "bench/burst", payload, (size_t)args.size, args.qos);
        us[i] = (now() - called) * 1e6;
        accepted += status == GECKO_MQTT_OK;
        refused += status == GECKO_MQTT_ERR_QUEUE_FULL;
        if (status != GECKO_MQTT_OK && status != GECKO_MQTT_ERR_QUEUE_FULL)
            check("publish", status);
    }
    double handed = now() - start;
    while (atomic_load(&client.completed) < accepted && now() - start < args.max_secs)
        pause_for(0.001);
    double over = now() - start;
    atomic_store(&burst_is_over, true);
    pthread_join(thread, NULL);
    double p50 = percentile(us, args.count, 50);
    report("\"accepted\":%ld,\"refused\":%ld,\"lost\":%ld,\"errors\":%ld,\"handed_s\":%.3f,\"acked_s\":%.3f,"
           "\"call_p50_us\":%.1f,\"call_p99_us\":%.1f,\"call_max_us\":%.1f,\"neighbour_max_ms\":%.2f,"
           "\"rss_before_kb\":%ld,\"maxrss_kb\":%ld",
           accepted, refused, accepted - atomic_load(&client.completed), atomic_load(&client.errors), handed,
           over, p50, percentile(us, args.count, 99), percentile(us, args.count, 100), longest_wait * 1e3,
           rss_before, peak_rss_kb());
    unmake(&client);
    free(us);
    free(payload);
}
