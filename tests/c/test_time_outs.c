/* A name service that never answers, and a server that says nothing: every wait keeps its time, and freeing
 * waits for neither of them. */
#include "live.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int hang[2];
static counter_t hanging;

#ifdef __cplusplus
extern "C"
#endif
    /* The library asks this one, because the program comes before libc. */
    int
    getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **result) {
    typedef int (*getaddrinfo_fn)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    getaddrinfo_fn real;
    char byte;
    if (name != NULL && strcmp(name, "hangs.example") == 0) {
        counter_add(&hanging);
        while (read(hang[0], &byte, 1) < 0 && errno == EINTR) {
        }
        return EAI_AGAIN;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, service, hints, result);
}

/* How much longer than asked for is still in time: a machine can be busy, and valgrind slow. */
static double slack(void) { return getenv("GECKO_MQTT_SLOW") != NULL ? 10.0 : 0.3; }

static void takes_its_time(gecko_mqtt_options_t *options) {
    gecko_mqtt_client_t *client = client_of(options);
    double start = live_now(), took;
    CHECK(gecko_mqtt_connect(client, 500) == GECKO_MQTT_ERR_TIMEOUT);
    took = live_now() - start;
    CHECK(took >= 0.4 && took <= 0.6 + slack());
    start = live_now();
    CHECK_OK(gecko_mqtt_disconnect(client, 500));
    CHECK(live_now() - start <= 0.6 + slack());
    CHECK_OK(gecko_mqtt_connect(client, 0));
    start = live_now();
    gecko_mqtt_client_free(client);
    CHECK(live_now() - start <= 0.5 + slack());
}

static void a_name_service_that_hangs(void) {
    double start;
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    CHECK_OK(gecko_mqtt_options_set_endpoint(options, "hangs.example"));
    takes_its_time(options);
    CHECK(counter_get(&hanging) > 0);
    /* Only the thread that is stuck in the system is left, and it ends with it; one that has ended may be
     * listed for a moment longer. */
    start = live_now();
    while (library_threads() > counter_get(&hanging) && live_now() < start + LIMIT_MS / 1000.0) {
    }
    CHECK(library_threads() <= counter_get(&hanging));
    close(hang[1]);
    CHECK(no_library_thread_left());
}

static void a_server_that_says_nothing(const char *scheme) {
    char url[64];
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 8) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    snprintf(url, sizeof url, "%s://127.0.0.1:%u", scheme, (unsigned)ntohs(address.sin_port));
    CHECK_OK(gecko_mqtt_options_set_broker_url(options, url));
    takes_its_time(options);
    close(listener);
    CHECK(no_library_thread_left());
}

int main(void) {
    counter_init(&hanging);
    CHECK(pipe2(hang, O_CLOEXEC) == 0);
    a_server_that_says_nothing("mqtt");
    a_server_that_says_nothing("mqtts");
    a_name_service_that_hangs();
    return 0;
}
