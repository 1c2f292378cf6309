/* Callbacks on the application's own thread: the descriptor that says when, what epoll, poll and select make
 * of it, and calls that wait on the thread that dispatches. */
#include "live.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

static const simulator_t *server;

static gecko_mqtt_options_t *plain_options(void) {
    char url[64];
    gecko_mqtt_options_t *options = gecko_mqtt_options_new();
    snprintf(url, sizeof url, "mqtt://127.0.0.1:%u", server->plain);
    CHECK_OK(gecko_mqtt_options_set_broker_url(options, url));
    return options;
}

static gecko_mqtt_client_t *dispatched_client(void) {
    gecko_mqtt_options_t *options = plain_options();
    CHECK_OK(gecko_mqtt_options_set_dispatch(options, GECKO_MQTT_DISPATCH_APP));
    return client_of(options);
}

static int polled(int fd) {
    struct pollfd ready;
    ready.fd = fd;
    ready.events = POLLIN;
    CHECK(poll(&ready, 1, 0) >= 0);
    return ready.revents != 0;
}

/* What poll, select, and a level-triggered epoll say, which is the same. */
static int readable(int fd) {
    struct timeval at_once = {0, 0};
    struct epoll_event event = {EPOLLIN, {NULL}}, ready;
    int epoll = epoll_create1(EPOLL_CLOEXEC), by_poll = polled(fd), by_epoll, by_select;
    fd_set set;
    CHECK(epoll >= 0 && fd < (int)FD_SETSIZE && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    by_epoll = epoll_wait(epoll, &ready, 1, 0);
    close(epoll);
    FD_ZERO(&set);
    FD_SET(fd, &set);
    by_select = select(fd + 1, &set, NULL, NULL, &at_once);
    CHECK(by_epoll == by_poll && by_select == by_poll);
    return by_poll;
}

static void wait_until_readable(int fd) {
    struct pollfd ready;
    ready.fd = fd;
    ready.events = POLLIN;
    CHECK(poll(&ready, 1, (int)LIMIT_MS) == 1);
}

static size_t dispatch(gecko_mqtt_client_t *client, uint32_t timeout_ms) {
    size_t ran = 99;
    CHECK_OK(gecko_mqtt_dispatch(client, timeout_ms, &ran));
    return ran;
}

/* Runs callbacks until so many have counted. */
static void dispatch_until(gecko_mqtt_client_t *client, counter_t *counter, unsigned count) {
    while (counter_get(counter) < count) {
        wait_until_readable(gecko_mqtt_dispatch_fd(client));
        dispatch(client, 0);
    }
}

static void publish(gecko_mqtt_client_t *client, const char *topic, gecko_mqtt_completion_fn completion,
                    void *userdata) {
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT(topic, "hello", 1);
    CHECK_OK(gecko_mqtt_publish(client, &message, completion, userdata));
}

static void publish_and_wait(gecko_mqtt_client_t *client, const char *topic) {
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT(topic, "hello", 1);
    CHECK_OK(gecko_mqtt_publish_wait(client, &message, LIMIT_MS, NULL));
}

/* What the library has received, whether or not it has been told. */
static void wait_until_received(gecko_mqtt_client_t *client, uint64_t messages) {
    double until = live_now() + LIMIT_MS / 1000.0;
    gecko_mqtt_stats_t stats = GECKO_MQTT_STATS_INIT;
    do {
        CHECK(live_now() < until);
        CHECK_OK(gecko_mqtt_get_stats(client, &stats));
    } while (stats.messages_received < messages);
}

static void count_state(gecko_mqtt_connection_state_t state, void *counter) {
    (void)state;
    counter_add((counter_t *)counter);
}

static void count_message(const gecko_mqtt_message_t *message, void *counter) {
    (void)message;
    counter_add((counter_t *)counter);
}

static void count_end(const gecko_mqtt_ack_t *ack, void *counter) {
    CHECK(ack->status == GECKO_MQTT_OK || ack->status == GECKO_MQTT_ERR_CANCELLED);
    counter_add((counter_t *)counter);
}

static void count_hook(void *counter) { counter_add((counter_t *)counter); }

/* Every call that waits works on the thread that should be dispatching, since none needs a callback to run.
 */
static void calls_that_wait_need_no_dispatching(void) {
    gecko_mqtt_client_t *client = dispatched_client();
    int fd = gecko_mqtt_dispatch_fd(client);
    counter_t told, heard;
    counter_init(&told);
    counter_init(&heard);
    CHECK(fd >= 0 && !readable(fd) && dispatch(client, 0) == 0);
    CHECK_OK(gecko_mqtt_on_connection_state_change(client, count_state, &told, NULL));
    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    CHECK(gecko_mqtt_is_connected(client));
    CHECK_OK(gecko_mqtt_subscribe_wait(client, "d/a", 1, count_message, &heard, NULL, LIMIT_MS, NULL));
    publish_and_wait(client, "d/a");
    wait_until_received(client, 1);
    CHECK_OK(gecko_mqtt_unsubscribe_wait(client, "d/a", LIMIT_MS, NULL));
    CHECK_OK(gecko_mqtt_disconnect(client, LIMIT_MS));
    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    CHECK(counter_get(&told) == 0 && counter_get(&heard) == 0);
    /* Now it is all told, in order. */
    dispatch_until(client, &told, 6);
    CHECK(counter_get(&heard) == 1 && counter_get(&told) == 6);
    gecko_mqtt_client_free(client);
}

/* Readable as long as something is due and by no means longer. */
static void the_descriptor_is_readable_exactly_while_something_is_due(void) {
    gecko_mqtt_client_t *client = dispatched_client();
    int fd = gecko_mqtt_dispatch_fd(client), n;
    counter_t heard;
    counter_init(&heard);
    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    CHECK_OK(gecko_mqtt_subscribe_wait(client, "d/b", 1, count_message, &heard, NULL, LIMIT_MS, NULL));
    while (readable(fd))
        dispatch(client, 0);
    CHECK(dispatch(client, 0) == 0);
    for (n = 1; n <= 20; n++) {
        CHECK(!readable(fd));
        publish_and_wait(client, "d/b");
        wait_until_readable(fd);
        CHECK(readable(fd) && readable(fd)); /* as long as nobody dispatches */
        CHECK(dispatch(client, LIMIT_MS) == 1);
        CHECK(counter_get(&heard) == (unsigned)n);
    }
    CHECK(!readable(fd));
    gecko_mqtt_client_free(client);
    CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
}

typedef struct {
    gecko_mqtt_client_t *client;
    counter_t heard;
    unsigned wanted;
} game_t;

/* Each message brings the next one, so that something becomes due while callbacks run. */
static void play_on(const gecko_mqtt_message_t *message, void *userdata) {
    game_t *game = (game_t *)userdata;
    (void)message;
    counter_add(&game->heard);
    if (counter_get(&game->heard) < game->wanted)
        publish(game->client, "d/c", NULL, NULL);
}

/* With edge-triggered epoll, one dispatch an edge is enough. */
static void no_edge_is_missed(void) {
    game_t game;
    struct epoll_event event = {EPOLLIN | EPOLLET, {NULL}}, ready;
    int epoll = epoll_create1(EPOLL_CLOEXEC), n;
    game.client = dispatched_client();
    game.wanted = 500;
    counter_init(&game.heard);
    CHECK(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, gecko_mqtt_dispatch_fd(game.client), &event) == 0);
    CHECK_OK(gecko_mqtt_subscribe(game.client, "d/c", 1, play_on, &game, NULL, NULL, NULL));
    CHECK_OK(gecko_mqtt_connect(game.client, 0));
    for (n = 0; n < 8; n++)
        publish(game.client, "d/c", NULL, NULL);
    while (counter_get(&game.heard) < game.wanted) {
        CHECK(epoll_wait(epoll, &ready, 1, (int)LIMIT_MS) == 1);
        dispatch(game.client, 0);
    }
    close(epoll);
    gecko_mqtt_client_free(game.client);
}

enum { CLIENTS = 5 };

/* One loop, several clients: each is told on this thread, and when it is due. */
static void several_clients_share_a_loop(void) {
    struct {
        gecko_mqtt_client_t *client;
        counter_t heard, completed;
        char topic[16];
    } all[CLIENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC), n, left = CLIENTS;
    CHECK(epoll >= 0);
    for (n = 0; n < CLIENTS; n++) {
        struct epoll_event event = {EPOLLIN, {NULL}};
        event.data.u32 = (uint32_t)n;
        all[n].client = dispatched_client();
        counter_init(&all[n].heard);
        counter_init(&all[n].completed);
        snprintf(all[n].topic, sizeof all[n].topic, "d/d/%d", n);
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, gecko_mqtt_dispatch_fd(all[n].client), &event) == 0);
        CHECK_OK(gecko_mqtt_subscribe(all[n].client, all[n].topic, 1, count_message, &all[n].heard, NULL,
                                      NULL, NULL));
        CHECK_OK(gecko_mqtt_connect(all[n].client, 0));
        publish(all[n].client, all[n].topic, count_end, &all[n].completed);
    }
    while (left > 0) {
        struct epoll_event ready[CLIENTS];
        int count = epoll_wait(epoll, ready, CLIENTS, (int)LIMIT_MS);
        CHECK(count > 0);
        while (count-- > 0)
            dispatch(all[ready[count].data.u32].client, 0);
        for (left = n = 0; n < CLIENTS; n++)
            left += counter_get(&all[n].heard) == 0 || counter_get(&all[n].completed) == 0;
    }
    /* A message for one is due for that one alone. */
    for (n = 0; n < CLIENTS; n++)
        while (readable(gecko_mqtt_dispatch_fd(all[n].client)))
            dispatch(all[n].client, 0);
    publish_and_wait(all[0].client, "d/d/3");
    wait_until_readable(gecko_mqtt_dispatch_fd(all[3].client));
    for (n = 0; n < CLIENTS; n++)
        CHECK(readable(gecko_mqtt_dispatch_fd(all[n].client)) == (n == 3));
    for (n = 0; n < CLIENTS; n++)
        gecko_mqtt_client_free(all[n].client);
    close(epoll);
}

typedef struct {
    gecko_mqtt_client_t *client;
    counter_t entered, release, ran;
} hold_t;

static void hold(const gecko_mqtt_message_t *message, void *userdata) {
    hold_t *held = (hold_t *)userdata;
    (void)message;
    counter_add(&held->entered);
    CHECK(counter_wait(&held->release, counter_get(&held->entered)));
}

static void *dispatch_once(void *userdata) {
    hold_t *held = (hold_t *)userdata;
    size_t ran = dispatch(held->client, LIMIT_MS);
    while (ran-- > 0)
        counter_add(&held->ran);
    return NULL;
}

/* While one thread runs callbacks nothing is due for another one, which waits for its turn. */
static void a_second_thread_waits_for_its_turn(void) {
    hold_t held;
    pthread_t first, second;
    int fd;
    held.client = dispatched_client();
    fd = gecko_mqtt_dispatch_fd(held.client);
    counter_init(&held.entered);
    counter_init(&held.release);
    counter_init(&held.ran);
    CHECK_OK(gecko_mqtt_connect(held.client, LIMIT_MS));
    CHECK_OK(gecko_mqtt_subscribe_wait(held.client, "d/e", 1, hold, &held, NULL, LIMIT_MS, NULL));
    while (readable(fd))
        dispatch(held.client, 0);
    /* Wakes a thread that waits already, too. */
    CHECK(pthread_create(&first, NULL, dispatch_once, &held) == 0);
    publish_and_wait(held.client, "d/e");
    CHECK(counter_wait(&held.entered, 1));
    CHECK(!readable(fd));
    publish_and_wait(held.client, "d/e");
    wait_until_received(held.client, 2);
    CHECK(!readable(fd) && dispatch(held.client, 0) == 0);
    CHECK(pthread_create(&second, NULL, dispatch_once, &held) == 0);
    CHECK(counter_get(&held.ran) == 0 && counter_get(&held.entered) == 1);
    counter_add(&held.release);
    CHECK(pthread_join(first, NULL) == 0);
    counter_add(&held.release);
    CHECK(pthread_join(second, NULL) == 0);
    CHECK(counter_get(&held.entered) == 2 && counter_get(&held.ran) == 2);
    CHECK(!readable(fd));
    gecko_mqtt_client_free(held.client);
}

typedef struct {
    gecko_mqtt_client_t *client;
    counter_t heard;
    pthread_mutex_t alone;
    unsigned wanted;
} shared_t;

static void one_at_a_time(const gecko_mqtt_message_t *message, void *userdata) {
    shared_t *shared = (shared_t *)userdata;
    (void)message;
    CHECK(pthread_mutex_trylock(&shared->alone) == 0);
    counter_add(&shared->heard);
    CHECK(pthread_mutex_unlock(&shared->alone) == 0);
}

static void *dispatch_all(void *userdata) {
    shared_t *shared = (shared_t *)userdata;
    while (counter_get(&shared->heard) < shared->wanted)
        dispatch(shared->client, 20);
    return NULL;
}

static void two_threads_share_the_work(void) {
    shared_t shared;
    pthread_t threads[2];
    int n;
    shared.client = dispatched_client();
    shared.wanted = 1000;
    counter_init(&shared.heard);
    pthread_mutex_init(&shared.alone, NULL);
    CHECK_OK(gecko_mqtt_connect(shared.client, LIMIT_MS));
    CHECK_OK(
        gecko_mqtt_subscribe_wait(shared.client, "d/f", 1, one_at_a_time, &shared, NULL, LIMIT_MS, NULL));
    for (n = 0; n < 2; n++)
        CHECK(pthread_create(&threads[n], NULL, dispatch_all, &shared) == 0);
    for (n = 0; n < 1000; n++)
        publish(shared.client, "d/f", NULL, NULL);
    for (n = 0; n < 2; n++)
        CHECK(pthread_join(threads[n], NULL) == 0);
    CHECK(counter_get(&shared.heard) == 1000);
    gecko_mqtt_client_free(shared.client);
}

typedef struct {
    gecko_mqtt_client_t *client;
    counter_t heard, done;
} inside_t;

/* Inside a callback: what needs no callback works; the rest says so. */
static void wait_inside(const gecko_mqtt_message_t *message, void *userdata) {
    inside_t *inside = (inside_t *)userdata;
    size_t ran = 99;
    (void)message;
    if (counter_get(&inside->done) > 0)
        return;
    CHECK(!readable(gecko_mqtt_dispatch_fd(inside->client)));
    CHECK(gecko_mqtt_dispatch(inside->client, 0, &ran) == GECKO_MQTT_ERR_WOULD_DEADLOCK && ran == 0);
    CHECK(gecko_mqtt_dispatch(inside->client, LIMIT_MS, NULL) == GECKO_MQTT_ERR_WOULD_DEADLOCK);
    CHECK(gecko_mqtt_disconnect(inside->client, LIMIT_MS) == GECKO_MQTT_ERR_WOULD_DEADLOCK);
    publish_and_wait(inside->client, "d/h");
    CHECK_OK(gecko_mqtt_subscribe_wait(inside->client, "d/h", 1, count_message, &inside->heard, NULL,
                                       LIMIT_MS, NULL));
    CHECK_OK(gecko_mqtt_unsubscribe_wait(inside->client, "d/none", LIMIT_MS, NULL));
    CHECK_OK(gecko_mqtt_disconnect(inside->client, 0));
    CHECK_OK(gecko_mqtt_connect(inside->client, LIMIT_MS));
    counter_add(&inside->done);
}

static void what_would_wait_for_itself_says_so(void) {
    inside_t inside;
    gecko_mqtt_options_t *options = plain_options();
    gecko_mqtt_client_t *other;
    inside.client = dispatched_client();
    counter_init(&inside.heard);
    counter_init(&inside.done);
    CHECK_OK(gecko_mqtt_connect(inside.client, LIMIT_MS));
    CHECK_OK(gecko_mqtt_subscribe_wait(inside.client, "d/g", 1, wait_inside, &inside, NULL, LIMIT_MS, NULL));
    publish(inside.client, "d/g", NULL, NULL);
    dispatch_until(inside.client, &inside.done, 1);
    CHECK(gecko_mqtt_is_connected(inside.client));
    gecko_mqtt_client_free(inside.client);

    other = client_of(options);
    CHECK(gecko_mqtt_dispatch_fd(other) == -1);
    CHECK(gecko_mqtt_dispatch(other, 0, NULL) == GECKO_MQTT_ERR_INVALID_CONFIGURATION);
    gecko_mqtt_client_free(other);
    CHECK(gecko_mqtt_dispatch(NULL, 0, NULL) == GECKO_MQTT_ERR_NULL_ARGUMENT);
    CHECK(gecko_mqtt_dispatch_fd(NULL) == -1);
}

/* Messages wait that nobody takes, more than are read ahead: a call that waits on the thread that should take
 * them must not wait for itself. */
static void a_wait_on_the_dispatching_thread_does_not_starve(void) {
    static char payload[100 * 1024];
    gecko_mqtt_client_t *client = dispatched_client(), *flood = client_of(plain_options());
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_INIT;
    gecko_mqtt_stats_t stats = GECKO_MQTT_STATS_INIT;
    counter_t heard, told;
    int n;
    counter_init(&heard);
    counter_init(&told);
    message.topic = "d/i";
    message.payload = payload;
    message.payload_len = sizeof payload;
    CHECK_OK(gecko_mqtt_connect(flood, LIMIT_MS));
    CHECK_OK(gecko_mqtt_connect(client, LIMIT_MS));
    CHECK_OK(gecko_mqtt_subscribe_wait(client, "d/i", 1, count_message, &heard, NULL, LIMIT_MS, NULL));
    for (n = 0; n < 40; n++)
        CHECK_OK(gecko_mqtt_publish_wait(flood, &message, LIMIT_MS, NULL));
    /* A mebibyte is read ahead. */
    wait_until_received(client, 11);
    publish_and_wait(client, "d/j");
    CHECK_OK(gecko_mqtt_disconnect(client, LIMIT_MS));
    while (readable(gecko_mqtt_dispatch_fd(client)))
        dispatch(client, 0);
    CHECK_OK(gecko_mqtt_get_stats(client, &stats));
    CHECK(counter_get(&heard) >= 11 && counter_get(&heard) + stats.dropped_incoming <= 40);
    gecko_mqtt_client_free(client);
    gecko_mqtt_client_free(flood);
}

typedef struct {
    gecko_mqtt_client_t *client;
    pthread_t thread;
    counter_t heard, completed, destroyed;
} freed_t;

static void on_this_thread(freed_t *freed, counter_t *counter) {
    CHECK(pthread_equal(freed->thread, pthread_self()));
    counter_add(counter);
}

static void free_it(const gecko_mqtt_message_t *message, void *userdata) {
    freed_t *freed = (freed_t *)userdata;
    (void)message;
    gecko_mqtt_client_free(freed->client);
    CHECK(counter_get(&freed->destroyed) == 0);
    on_this_thread(freed, &freed->heard);
}

static void end_it(const gecko_mqtt_ack_t *ack, void *userdata) {
    freed_t *freed = (freed_t *)userdata;
    CHECK(ack->status == GECKO_MQTT_OK || ack->status == GECKO_MQTT_ERR_CANCELLED);
    on_this_thread(freed, &freed->completed);
}

static void destroy_it(void *userdata) {
    freed_t *freed = (freed_t *)userdata;
    on_this_thread(freed, &freed->destroyed);
}

/* A callback frees the client: dispatch brings it to its end, here, and then the descriptor is gone. */
static void freed_inside_dispatch(void) {
    freed_t freed;
    struct epoll_event event = {EPOLLIN, {NULL}};
    int epoll = epoll_create1(EPOLL_CLOEXEC), fd, n;
    freed.thread = pthread_self();
    freed.client = dispatched_client();
    fd = gecko_mqtt_dispatch_fd(freed.client);
    counter_init(&freed.heard);
    counter_init(&freed.completed);
    counter_init(&freed.destroyed);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    CHECK_OK(gecko_mqtt_connect(freed.client, LIMIT_MS));
    CHECK_OK(gecko_mqtt_subscribe_wait(freed.client, "d/k", 1, free_it, &freed, destroy_it, LIMIT_MS, NULL));
    for (n = 0; n < 5; n++)
        publish(freed.client, "d/k", end_it, &freed);
    while (counter_get(&freed.heard) == 0) {
        CHECK(epoll_wait(epoll, &event, 1, (int)LIMIT_MS) == 1);
        dispatch(freed.client, 0);
    }
    CHECK(counter_get(&freed.heard) == 1 && counter_get(&freed.completed) == 5);
    CHECK(counter_get(&freed.destroyed) == 1);
    CHECK(gecko_mqtt_dispatch(freed.client, 0, NULL) == GECKO_MQTT_ERR_INVALID_HANDLE);
    CHECK(gecko_mqtt_dispatch_fd(freed.client) == -1);
    CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
    CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
    close(epoll);
    CHECK(no_library_thread_left());
}

static void *free_client(void *client) {
    gecko_mqtt_client_free((gecko_mqtt_client_t *)client);
    return NULL;
}

/* A dispatch that waits comes back when another thread frees the client. */
static void freed_while_dispatch_waits(void) {
    gecko_mqtt_client_t *client = dispatched_client();
    counter_t destroyed;
    pthread_t thread;
    gecko_mqtt_status_t status = GECKO_MQTT_OK;
    counter_init(&destroyed);
    CHECK_OK(gecko_mqtt_on_connection_state_change(client, count_state, &destroyed, count_hook));
    CHECK(pthread_create(&thread, NULL, free_client, client) == 0);
    while (status == GECKO_MQTT_OK)
        status = gecko_mqtt_dispatch(client, LIMIT_MS * 100, NULL);
    CHECK(status == GECKO_MQTT_ERR_INVALID_HANDLE);
    CHECK(pthread_join(thread, NULL) == 0 && counter_get(&destroyed) == 1);
    CHECK(no_library_thread_left());
}

int main(void) {
    simulator_t sim = simulator_start();
    server = &sim;
    calls_that_wait_need_no_dispatching();
    the_descriptor_is_readable_exactly_while_something_is_due();
    no_edge_is_missed();
    several_clients_share_a_loop();
    a_second_thread_waits_for_its_turn();
    two_threads_share_the_work();
    what_would_wait_for_itself_says_so();
    a_wait_on_the_dispatching_thread_does_not_starve();
    freed_inside_dispatch();
    freed_while_dispatch_waits();
    simulator_stop(&sim);
    return 0;
}
