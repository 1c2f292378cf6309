/* A program that ignores no signal, and whose server resets its connection a thousand times, lives on: no
 * SIGPIPE ends it, whatever is being written at that moment. */
#include "live.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#define PLAIN_RESETS 1000u
#define TLS_RESETS 200u

/* Stands between the client and the simulator, and resets connections after a number of bytes drawn by
 * chance. */
typedef struct {
    int listener;
    uint16_t port;
    unsigned upstream; /* the simulator's port */
    unsigned wanted;   /* so many connections are reset, the others last */
    uint32_t most;     /* bytes that pass before */
    uint32_t random;
    int stop[2]; /* closed at its other end, it ends */
    counter_t resets;
    pthread_t thread;
} proxy_t;

static struct sockaddr_in loopback(unsigned port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void reset(int fd) {
    struct linger at_once = {1, 0};
    CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    close(fd);
}

/* Passes on what there is; the number of bytes, 0 at the end. */
static size_t pass_on(int from, int to) {
    char buffer[16384];
    ssize_t count = recv(from, buffer, sizeof buffer, 0), sent = 0;
    while (sent < count) {
        ssize_t more = send(to, buffer + sent, (size_t)(count - sent), MSG_NOSIGNAL);
        if (more < 0)
            return 0;
        sent += more;
    }
    return count < 0 ? 0 : (size_t)count;
}

/* False when it is to stop. */
static int serve(proxy_t *proxy, int client, uint64_t budget) {
    struct sockaddr_in address = loopback(proxy->upstream);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pollfd ready[3] = {{client, POLLIN, 0}, {server, POLLIN, 0}, {proxy->stop[0], POLLIN, 0}};
    CHECK(server >= 0 && connect(server, (struct sockaddr *)&address, sizeof address) == 0);
    for (;;) {
        size_t passed = 1;
        int n;
        CHECK(poll(ready, 3, -1) > 0);
        for (n = 0; n < 2 && passed > 0; n++) {
            if (ready[n].revents == 0)
                continue;
            passed = pass_on(ready[n].fd, ready[1 - n].fd);
            budget = passed < budget ? budget - passed : 0;
        }
        if (passed == 0 || budget == 0 || ready[2].revents != 0)
            break;
    }
    close(server);
    reset(client);
    return ready[2].revents == 0;
}

static void *proxy_run(void *userdata) {
    proxy_t *proxy = (proxy_t *)userdata;
    struct pollfd ready[2] = {{proxy->listener, POLLIN, 0}, {proxy->stop[0], POLLIN, 0}};
    int more = 1;
    while (more) {
        int client;
        uint64_t budget = UINT64_MAX;
        CHECK(poll(ready, 2, -1) > 0);
        if (ready[1].revents != 0)
            break;
        client = accept(proxy->listener, NULL, NULL);
        CHECK(client >= 0);
        if (counter_get(&proxy->resets) < proxy->wanted)
            budget = live_random(&proxy->random) % proxy->most;
        if (budget == 0)
            reset(client);
        else
            more = serve(proxy, client, budget);
        counter_add(&proxy->resets);
    }
    return NULL;
}

static void proxy_start(proxy_t *proxy, unsigned upstream, unsigned wanted, uint32_t most) {
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof address;
    memset(proxy, 0, sizeof *proxy);
    proxy->upstream = upstream;
    /* Valgrind makes each of them a tenth of a second. */
    proxy->wanted = getenv("GECKO_MQTT_SLOW") == NULL ? wanted : wanted / 10;
    proxy->most = most;
    proxy->random = live_seed();
    counter_init(&proxy->resets);
    CHECK(pipe2(proxy->stop, O_CLOEXEC) == 0);
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(proxy->listener >= 0 && bind(proxy->listener, (struct sockaddr *)&address, len) == 0);
    CHECK(listen(proxy->listener, 8) == 0);
    CHECK(getsockname(proxy->listener, (struct sockaddr *)&address, &len) == 0);
    proxy->port = ntohs(address.sin_port);
    CHECK(pthread_create(&proxy->thread, NULL, proxy_run, proxy) == 0);
}

static void proxy_stop(proxy_t *proxy) {
    close(proxy->stop[1]);
    CHECK(pthread_join(proxy->thread, NULL) == 0);
    close(proxy->stop[0]);
    close(proxy->listener);
}

/* Publishes all the time, so that something is being written whenever a connection ends. */
static void survive(proxy_t *proxy, gecko_mqtt_options_t *options) {
    static char payload[2000];
    gecko_mqtt_client_t *client;
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_INIT;
    gecko_mqtt_stats_t stats = GECKO_MQTT_STATS_INIT;
    gecko_mqtt_status_t status;
    double until = live_now() + LIMIT_MS / 1000.0 * 6;
    CHECK_OK(gecko_mqtt_options_set_reconnect(options, true, 0, 1, 1, 1.0));
    CHECK_OK(gecko_mqtt_options_set_queue(options, 64, 1 << 20, GECKO_MQTT_QUEUE_REJECT_NEW));
    client = client_of(options);
    message.topic = "resets";
    message.payload = payload;
    message.payload_len = sizeof payload;
    CHECK_OK(gecko_mqtt_connect(client, 0));
    while (counter_get(&proxy->resets) < proxy->wanted) {
        message.qos ^= 1;
        status = gecko_mqtt_publish(client, &message, NULL, NULL);
        if (status == GECKO_MQTT_ERR_QUEUE_FULL)
            /* Nobody waits for it longer than that; what is on its way leaves room. */
            status = gecko_mqtt_publish_wait(client, &message, 1, NULL);
        /* Not by CHECK, which would leave the same trace 100,000 times. */
        if (live_now() > until ||
            (status != GECKO_MQTT_OK && status != GECKO_MQTT_ERR_QUEUE_FULL &&
             status != GECKO_MQTT_ERR_TIMEOUT && status != GECKO_MQTT_ERR_OUTCOME_UNKNOWN))
            live_fail(__FILE__, __LINE__, gecko_mqtt_status_string(status));
    }
    /* And it is as well as ever. */
    message.qos = 1;
    do
        status = gecko_mqtt_publish_wait(client, &message, LIMIT_MS, NULL);
    while (status == GECKO_MQTT_ERR_QUEUE_FULL && live_now() < until);
    CHECK_OK(status);
    CHECK_OK(gecko_mqtt_get_stats(client, &stats));
    printf("%u resets: %u connections, %u attempts that failed, %u messages out, %u of them again\n",
           counter_get(&proxy->resets), (unsigned)stats.successes, (unsigned)stats.failures,
           (unsigned)stats.messages_sent, (unsigned)stats.messages_repeated);
    CHECK(stats.successes + stats.failures >= proxy->wanted);
    /* Most of them in the midst of messages. */
    CHECK(stats.successes > proxy->wanted / 2 &&
          stats.messages_sent + stats.messages_repeated > proxy->wanted);
    CHECK_OK(gecko_mqtt_disconnect(client, LIMIT_MS));
    gecko_mqtt_client_free(client);
    CHECK(no_library_thread_left());
}

static void without_tls(const simulator_t *sim) {
    char url[64];
    proxy_t proxy;
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    proxy_start(&proxy, sim->plain, PLAIN_RESETS, 40000);
    snprintf(url, sizeof url, "mqtt://127.0.0.1:%u", proxy.port);
    CHECK_OK(gecko_mqtt_options_set_broker_url(options, url));
    survive(&proxy, options);
    proxy_stop(&proxy);
}

static void with_tls(const simulator_t *sim) {
    proxy_t proxy;
    gecko_mqtt_options_t *options = by_token(sim);
    proxy_start(&proxy, sim->alpn, TLS_RESETS, 60000);
    CHECK_OK(gecko_mqtt_options_set_port(options, proxy.port));
    survive(&proxy, options);
    proxy_stop(&proxy);
}

/* What the host thinks of signals is untouched. */
static void check_signals(void) {
    struct sigaction action;
    sigset_t mask, pending;
    CHECK(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0 && !sigismember(&mask, SIGPIPE));
    CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE));
}

int main(void) {
    simulator_t sim;
    struct sigaction action;
    /* Whoever started this may have ignored it, which is inherited. */
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    CHECK(sigaction(SIGPIPE, &action, NULL) == 0);
    sim = simulator_start();
    check_signals();
    without_tls(&sim);
    with_tls(&sim);
    check_signals();
    simulator_stop(&sim);
    return 0;
}
