// The main job from C++, against the simulator over TLS: lambdas for everything, exceptions told and
// survived, objects that go in the middle of it.
#include "../c/live.h"

#include <gecko_mqtt.hpp>

#include <atomic>
#include <deque>
#include <future>
#include <poll.h>
#include <thread>

namespace mqtt = gecko::mqtt;
using namespace std::chrono_literals;

static constexpr std::chrono::milliseconds limit(LIMIT_MS);

static mqtt::Options trusting_options(const simulator_t &sim) {
    mqtt::Options options;
    options.endpoint("localhost").ca_file(std::string(sim.dir) + "/ca.pem");
    return options;
}

static std::string broker_url(const simulator_t &sim) {
    char *text = simulator_file(&sim, "broker-url.txt");
    std::string url(text);
    free(text);
    return url;
}

static mqtt::Options by_token_options(const simulator_t &sim) {
    mqtt::Options options = trusting_options(sim);
    options.broker_url(broker_url(sim));
    return options;
}

// A number that callbacks raise and the test waits for.
class Counter {
  public:
    Counter() { counter_init(&counter_); }
    void add() { counter_add(&counter_); }
    unsigned get() { return counter_get(&counter_); }
    bool reaches(unsigned count) { return counter_wait(&counter_, count) != 0; }

  private:
    counter_t counter_;
};

// Lives in a callback; tells when that has gone.
class Witness {
  public:
    explicit Witness(Counter &gone) : gone_(&gone) {}
    Witness(Witness &&other) noexcept : gone_(std::exchange(other.gone_, nullptr)) {}
    Witness(const Witness &) = delete;
    Witness &operator=(const Witness &) = delete;
    Witness &operator=(Witness &&) = delete;
    ~Witness() {
        if (gone_ != nullptr)
            gone_->add();
    }

  private:
    Counter *gone_;
};

// Subscribes, publishes with all that a message can have, hears it, leaves; every event and state is told.
static void main_job(const simulator_t &sim) {
    Counter heard, completed, stopped;
    std::vector<mqtt::State> states;
    std::vector<mqtt::EventKind> kinds;
    std::promise<mqtt::Ack> promise;
    {
        mqtt::Client client(by_token_options(sim));
        client.on_connection_state_change([&](mqtt::State state) { states.push_back(state); });
        client.on_connection_event([&](const mqtt::Event &event) {
            CHECK(!event.message.empty() && event.error.empty() && event.status == mqtt::Status::ok);
            CHECK(!event.reason_code || *event.reason_code == 0);
            CHECK(std::chrono::system_clock::now() - event.time < 10min);
            CHECK(!event.session_present && event.delay == 0ms);
            kinds.push_back(event.kind);
            if (event.kind == mqtt::EventKind::disconnected)
                stopped.add();
        });
        client.connect(limit);
        CHECK(client.is_connected() && client.connection_state() == mqtt::State::connected);
        CHECK(client.client_id().substr(0, 6) == "gecko-");

        auto on_message = [&](const mqtt::Message &message) {
            CHECK(message.topic() == "spa/state" && message.text() == "{\"temperature\":38.5}");
            CHECK(message.qos() == mqtt::QoS::at_least_once && !message.retained() && !message.dup());
            CHECK(message.content_type() == "application/json" && message.payload_is_text());
            CHECK(message.response_topic() == "spa/answer" && message.correlation_data().size() == 2);
            CHECK(message.user_properties().find("unit") == "C" && message.user_properties().size() == 2);
            CHECK(message.expiry() > 0s && message.expiry() <= 60s);
            heard.add();
        };
        const mqtt::Subscribed subscribed =
            client.subscribe_wait("spa/+", mqtt::QoS::at_least_once, on_message, limit);
        CHECK(subscribed.ack.reason_code == 1);

        mqtt::Publish message{"spa/state", "{\"temperature\":38.5}"};
        message.payload_is_text = true;
        message.content_type = "application/json";
        message.response_topic = "spa/answer";
        message.correlation_data = {"\0\1", 2};
        message.user_properties = {{"unit", "C"}, {"empty", ""}};
        message.expiry = 60s;
        for (int n = 0; n < 100; n++)
            client.publish(message, [&](const mqtt::Result<mqtt::Ack> &ack) {
                CHECK(ack && ack->reason_code == 0);
                completed.add();
            });
        CHECK(completed.reaches(100) && heard.reaches(100));
        const mqtt::Ack ack = client.publish_wait(message, limit);
        CHECK(ack.reason_code == 0 && heard.reaches(101));
        // A future is a completion that keeps a promise.
        client.publish(message,
                       [&promise](const mqtt::Result<mqtt::Ack> &end) { promise.set_value(end.value()); });
        CHECK(promise.get_future().get().reason_code == 0 && heard.reaches(102));
        message.qos = mqtt::QoS::at_most_once;
        client.unsubscribe_wait("spa/+", limit);
        CHECK(!client.publish_wait(message, limit).reason_code);

        const mqtt::Stats stats = client.stats();
        CHECK(stats.attempts == 1 && stats.messages_sent == 103 && stats.messages_received == 102);
        CHECK(stats.last_round_trip() > 0us && stats.mean_round_trip() > 0us && stats.connected_since());
        CHECK(client.stats_json().find("\"messages_sent\":103") != std::string::npos);
        client.disconnect(limit);
        CHECK(!client.is_connected() && stopped.reaches(1));
        // The handler went where callbacks run, before those that came later.
        CHECK(!subscribed.listener.remove());
    }
    CHECK((states == std::vector<mqtt::State>{mqtt::State::connecting, mqtt::State::connected,
                                              mqtt::State::disconnecting, mqtt::State::disconnected}));
    CHECK((kinds == std::vector<mqtt::EventKind>{mqtt::EventKind::attempting, mqtt::EventKind::connected,
                                                 mqtt::EventKind::disconnected}));
    CHECK(no_library_thread_left());
}

// The application's own state is told, and what happened is remembered.
static void states_and_history(const simulator_t &sim) {
    Counter told;
    std::vector<std::string> states;
    mqtt::Client client(by_token_options(sim));
    client.on_state_change([&](std::string_view state) {
        states.emplace_back(state);
        told.add();
    });
    for (const char *state : {"booting", "ready", "ready", "filling"})
        client.change_state(state);
    client.connect(limit);
    client.disconnect(limit);
    CHECK(told.reaches(3) && (states == std::vector<std::string>{"booting", "ready", "filling"}));
    const mqtt::History taken = client.connection_history();
    std::vector<mqtt::EventKind> kinds;
    for (const mqtt::Event event : taken) {
        CHECK(!event.message.empty() && event.error.empty());
        kinds.push_back(event.kind);
    }
    CHECK((kinds == std::vector<mqtt::EventKind>{mqtt::EventKind::attempting, mqtt::EventKind::connected,
                                                 mqtt::EventKind::disconnected}));
    CHECK(taken.size() == 3 && taken[1].state == mqtt::State::connected && taken[0].attempt == 1);
    CHECK(client.history_json().find("\"kind\":\"CONNECTED\"") != std::string::npos);
}

// Asked twice: the first request is forgotten, or the provider throws; the second one is answered by another
// thread.
static void token_from_a_provider(const simulator_t &sim) {
    Counter told, failed, gone;
    std::thread answering;
    for (const bool throwing : {false, true}) {
        const unsigned told_before = told.get(), failed_before = failed.get();
        mqtt::Options options = trusting_options(sim);
        options.on_callback_exception([&](std::exception_ptr exception) {
            try {
                std::rethrow_exception(exception);
            } catch (const std::runtime_error &error) {
                CHECK(std::string_view(error.what()) == "no cloud");
                told.add();
            }
        });
        int asked = 0;
        options.token_provider([&, asked, witness = Witness(gone)](mqtt::TokenRequest request) mutable {
            if (++asked > 1) {
                answering = std::thread([&sim, request = std::move(request)]() mutable {
                    CHECK(request.try_complete({}).error().status() == mqtt::Status::invalid_token);
                    request.complete(mqtt::Token::from_broker_url(broker_url(sim)));
                    CHECK(request.id() == 0);
                });
            } else if (throwing) {
                throw std::runtime_error("no cloud");
            }
        });
        mqtt::Client client(options);
        client.on_connection_event([&](const mqtt::Event &event) {
            if (event.kind != mqtt::EventKind::failed)
                return;
            CHECK(event.status == mqtt::Status::token_refresh);
            CHECK(event.error.find("without an answer") != std::string_view::npos);
            failed.add();
            client.network_changed(); // does not wait for the next attempt
        });
        client.connect(limit);
        CHECK(failed.get() == failed_before + 1 && told.get() == told_before + (throwing ? 1 : 0));
        answering.join();
    }
    CHECK(gone.get() == 2);
}

// Jobs are kept, worked at on another thread, and acknowledged there; they outlive the client.
static void kept_messages_on_another_thread(const simulator_t &sim) {
    constexpr unsigned jobs = 20;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<mqtt::OwnedMessage> queue;
    std::vector<mqtt::OwnedMessage> done;
    mqtt::Options options = by_token_options(sim);
    // Without acknowledgements the server would stop after four.
    options.manual_ack(true).receive_maximum(4);
    std::optional<mqtt::Client> client(options);
    client->connect(limit);
    auto on_job = [&](const mqtt::Message &message) {
        const std::lock_guard<std::mutex> lock(mutex);
        queue.push_back(message.keep());
        changed.notify_one();
    };
    client->subscribe_wait("spa/jobs", mqtt::QoS::at_least_once, on_job, limit);
    std::thread worker([&] {
        while (done.size() < jobs) {
            std::unique_lock<std::mutex> lock(mutex);
            changed.wait(lock, [&] { return !queue.empty(); });
            mqtt::OwnedMessage job = std::move(queue.front());
            queue.pop_front();
            lock.unlock();
            job.ack();
            CHECK(job.try_ack().error().status() == mqtt::Status::not_found);
            done.push_back(std::move(job));
        }
    });
    for (unsigned n = 0; n < jobs; n++)
        client->publish({"spa/jobs", "job " + std::to_string(n)});
    worker.join();
    client->disconnect(limit);
    client.reset();
    for (unsigned n = 0; n < jobs; n++)
        CHECK(done[n].topic() == "spa/jobs" && done[n].text() == "job " + std::to_string(n));
    CHECK(done[0].try_ack().error().status() == mqtt::Status::not_found);
}

struct Unusual {};

// Every kind of callback throws; each time it is told, and the client lives on.
static void exceptions_are_told_and_survived(const simulator_t &sim) {
    Counter usual, unusual, gone;
    mqtt::Options options = by_token_options(sim);
    options.on_callback_exception([&](std::exception_ptr exception) {
        try {
            std::rethrow_exception(exception);
        } catch (const std::logic_error &) {
            usual.add();
        } catch (const Unusual &) {
            unusual.add();
        }
    });
    mqtt::Client client(options);
    client.on_connection_state_change([](mqtt::State) { throw std::logic_error("state"); });
    client.on_connection_event([](const mqtt::Event &) { throw std::logic_error("event"); });
    client.connect(limit);
    CHECK(usual.reaches(4)); // CONNECTING, CONNECTED; ATTEMPTING, CONNECTED
    client.subscribe_wait(
        "spa/+", mqtt::QoS::at_least_once, [](const mqtt::Message &) { throw Unusual(); }, limit);
    for (int n = 0; n < 10; n++)
        client.publish({"spa/state", "x"}, [witness = Witness(gone)](const mqtt::Result<mqtt::Ack> &) {
            throw std::logic_error("completion");
        });
    CHECK(unusual.reaches(10) && usual.reaches(14) && gone.reaches(10));
    // Nobody is told: the handler was taken away.
    options.on_callback_exception(nullptr);
    client.publish_wait({"spa/state", "x"}, limit);
    client.disconnect(limit);
    CHECK(client.stats().messages_received == 11 && unusual.get() == 10);
}

// The client goes inside one of its own callbacks; what that callback holds stays until it has returned.
static void destroyed_inside_its_own_callback(const simulator_t &sim) {
    Counter published, returned, gone, ended;
    std::unique_ptr<mqtt::Client> client = std::make_unique<mqtt::Client>(by_token_options(sim));
    mqtt::ScopedListener listener;
    listener = client->on_message(
        [&, held = std::string("still here"), witness = Witness(gone)](const mqtt::Message &message) {
            CHECK(published.reaches(1));
            client.reset();
            listener = mqtt::ScopedListener(); // does not wait for this very callback
            CHECK(held == "still here" && message.text() == "x" && gone.get() == 0);
            returned.add();
        });
    client->connect(limit);
    client->subscribe_wait("spa/+", mqtt::QoS::at_least_once, nullptr, limit);
    for (int n = 0; n < 5; n++)
        client->publish({"spa/state", "x"}, [&, witness = Witness(gone)](const mqtt::Result<mqtt::Ack> &ack) {
            CHECK(ack || ack.error().status() == mqtt::Status::cancelled);
            ended.add();
        });
    published.add();
    CHECK(gone.reaches(6) && returned.get() == 1 && ended.get() == 5);
    CHECK(no_library_thread_left());
}

// Also in the completion of an operation, the last owner of the client being that completion.
static void destroyed_with_the_last_completion(const simulator_t &sim) {
    Counter gone;
    auto client = std::make_shared<mqtt::Client>(by_token_options(sim));
    client->connect(limit);
    mqtt::Client &there = *client;
    there.publish({"spa/state", "x"},
                  [client = std::move(client), witness = Witness(gone)](const mqtt::Result<mqtt::Ack> &) {});
    CHECK(gone.reaches(1));
    CHECK(no_library_thread_left());
}

// A member that listens for its object: when it has gone, the object may go.
static void a_scoped_listener_waits_for_the_last_call(const simulator_t &sim) {
    Counter inside, release, gone;
    std::atomic<bool> returned(false);
    mqtt::Client client(by_token_options(sim));
    auto handler = [&, witness = Witness(gone)](const mqtt::Message &) {
        inside.add();
        CHECK(release.reaches(1));
        returned = true;
    };
    client.connect(limit);
    mqtt::ScopedListener listener =
        client.subscribe_wait("spa/+", mqtt::QoS::at_least_once, std::move(handler), limit).listener;
    client.publish({"spa/state", "x"});
    CHECK(inside.reaches(1));
    std::thread releasing([&] { release.add(); });
    listener = mqtt::ScopedListener();
    CHECK(returned && gone.get() == 1);
    releasing.join();
    client.publish_wait({"spa/state", "y"}, limit);
    client.disconnect(limit);
    CHECK(inside.get() == 1);
}

// Every callback on this very thread.
static void dispatched_by_the_application(const simulator_t &sim) {
    unsigned heard = 0, completed = 0, destroyed = 0; // only this thread touches them
    mqtt::Options options = by_token_options(sim);
    mqtt::Client client(options.dispatch(mqtt::DispatchMode::app));
    client.connect(limit);
    auto handler = [&](const mqtt::Message &message) {
        CHECK(message.text() == "hello");
        CHECK(client.try_dispatch().error().status() == mqtt::Status::would_deadlock);
        CHECK(client.try_disconnect(limit).error().status() == mqtt::Status::would_deadlock);
        heard++;
    };
    client.subscribe("spa/+", mqtt::QoS::at_least_once, handler, [&](const mqtt::Result<mqtt::Ack> &ack) {
        destroyed += ack->reason_code == 1 ? 1u : 100u;
    });
    for (int n = 0; n < 10; n++)
        client.publish({"spa/state", "hello"}, [&](const mqtt::Result<mqtt::Ack> &) { completed++; });
    pollfd ready = {client.dispatch_fd(), POLLIN, 0};
    while (heard < 10 || completed < 10) {
        CHECK(poll(&ready, 1, static_cast<int>(LIMIT_MS)) == 1);
        client.dispatch();
    }
    CHECK(destroyed == 1);
}

static void refusals_say_why(const simulator_t &sim) {
    mqtt::Options wrong = trusting_options(sim);
    wrong.broker_url(
        "wss://localhost:" + std::to_string(sim.alpn) +
        "/mqtt?x-amz-customauthorizer-name=gecko&token=x.y.z&x-amz-customauthorizer-signature=c2ln");
    mqtt::Client stranger(wrong.reconnect({false}));
    const mqtt::Result<void> refused = stranger.try_connect(limit);
    CHECK(!refused && refused.error().group() == mqtt::StatusGroup::authentication);

    mqtt::Client client(by_token_options(sim));
    client.connect(limit);
    Counter gone, told;
    // AWS takes seven slashes at most.
    const mqtt::Result<mqtt::Subscribed> many = client.try_subscribe_wait(
        "a/b/c/d/e/f/g/h/i", mqtt::QoS::at_least_once, [witness = Witness(gone)](const mqtt::Message &) {},
        limit);
    CHECK(!many && many.error().reason_code() == 143 && many.error().what()[0] != '\0');
    CHECK(gone.reaches(1));
    bool caught = false;
    try {
        client.publish_wait({"a/b/c/d/e/f/g/h/i", "x"}, limit);
    } catch (const mqtt::Error &error) {
        caught = error.group() == mqtt::StatusGroup::operation ||
                 error.group() == mqtt::StatusGroup::configuration;
    }
    CHECK(caught);
    const mqtt::Listener listener = client.subscribe_many(
        {{"a/b/c/d/e/f/g/h/i"}, {"spa/+", mqtt::QoS::at_most_once}},
        [&](const mqtt::Message &) { told.add(); },
        [&](const mqtt::Result<mqtt::Ack> &ack) {
            CHECK(!ack && ack.error().reason_code() == 143);
            told.add();
        });
    CHECK(told.reaches(1));
    client.publish_wait({"spa/state", "x"}, limit);
    CHECK(told.reaches(2) && listener.remove());
}

// Each filter has its own options.
static void subscriptions_have_options(const simulator_t &sim) {
    mqtt::Client client(by_token_options(sim));
    std::vector<std::string> heard;
    Counter told;
    auto handler = [&](const mqtt::Message &message) {
        heard.push_back(std::string(message.topic()) + (message.retained() ? " retained" : ""));
        told.add();
    };
    client.connect(limit);
    for (const char *topic : {"options/kept", "options/skipped"})
        client.publish_wait({topic, "x", mqtt::QoS::at_least_once, true}, limit);
    mqtt::Subscription own{"options/own"}, kept{"options/kept"}, skipped{"options/skipped"};
    own.no_local = true;
    kept.retain_as_published = true;
    skipped.retain_handling = mqtt::RetainHandling::do_not_send;
    client.subscribe_many({own, kept, skipped, {"options/last"}}, handler);
    for (const char *topic : {"options/own", "options/kept", "options/skipped", "options/last"})
        client.publish({topic, "x", mqtt::QoS::at_least_once, true});
    CHECK(told.reaches(4));
    client.disconnect(limit);
    CHECK((heard == std::vector<std::string>{"options/kept retained", "options/kept retained",
                                             "options/skipped", "options/last"}));
}

int main() {
    simulator_t sim = simulator_start();
    main_job(sim);
    states_and_history(sim);
    token_from_a_provider(sim);
    kept_messages_on_another_thread(sim);
    exceptions_are_told_and_survived(sim);
    destroyed_inside_its_own_callback(sim);
    destroyed_with_the_last_completion(sim);
    a_scoped_listener_waits_for_the_last_call(sim);
    dispatched_by_the_application(sim);
    refusals_say_why(sim);
    subscriptions_have_options(sim);
    simulator_stop(&sim);
    return 0;
}
