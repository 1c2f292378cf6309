// Function objects are kept while they may be called, and are gone exactly once, whatever becomes of them.
#include "../c/check.h"

#include <gecko_mqtt.hpp>

#include <thread>

namespace mqtt = gecko::mqtt;

// Counts what lives, and how often it was called, wherever it is moved to.
struct Count {
    int alive = 0;
    int calls = 0;
};

class Probe {
  public:
    explicit Probe(Count &count) : count_(&count) { count_->alive++; }
    Probe(Probe &&other) noexcept : count_(other.count_) { count_->alive++; }
    Probe(const Probe &) = delete;
    Probe &operator=(const Probe &) = delete;
    Probe &operator=(Probe &&) = delete;
    ~Probe() { count_->alive--; }

    template <class... Arguments> void operator()(Arguments &&...) { count_->calls++; }

  private:
    Count *count_;
};

static mqtt::Client unconnected() { return mqtt::Client(mqtt::Options().broker_url("mqtt://127.0.0.1:9")); }

static void callbacks_go_with_their_client() {
    Count message, state, own_state, event, handler;
    {
        mqtt::Client client = unconnected();
        client.on_message(Probe(message));
        client.on_connection_state_change(Probe(state));
        client.on_state_change(Probe(own_state));
        client.on_connection_event(Probe(event));
        client.subscribe("a", mqtt::QoS::at_least_once, Probe(handler));
        const mqtt::Client moved = std::move(client);
        CHECK_IS(message.alive + state.alive + own_state.alive + event.alive + handler.alive, 5);
    }
    CHECK_IS(message.alive + state.alive + own_state.alive + event.alive + handler.alive, 0);
    CHECK_IS(message.calls + handler.calls, 0);
}

static void a_callback_that_is_not_taken_is_gone() {
    Count count;
    mqtt::Client client = unconnected();
    CHECK(!client.try_subscribe("a#", mqtt::QoS::at_least_once, Probe(count), Probe(count)));
    CHECK(!client.try_subscribe("a", static_cast<mqtt::QoS>(9), Probe(count), Probe(count)));
    CHECK(!client.try_subscribe_wait("a#", mqtt::QoS::at_least_once, Probe(count)));
    CHECK(!client.try_subscribe_many({{"a"}, {"a"}}, Probe(count), Probe(count)));
    CHECK(!client.try_unsubscribe("a#", Probe(count)));
    CHECK(!client.try_publish({"a/#", "x"}, Probe(count)));
    CHECK(!client.try_publish(
        {"a", "x", mqtt::QoS::at_least_once, false, false, {}, {}, {}, {}, std::chrono::seconds(-1)},
        Probe(count)));
    CHECK_IS(count.alive, 0);
    CHECK_IS(count.calls, 0);
}

static void nothing_is_no_callback() {
    mqtt::Client client = unconnected();
    void (*no_function)(mqtt::State) = nullptr;
    CHECK(client.try_on_message(nullptr).error().status() == mqtt::Status::null_argument);
    CHECK(client.try_on_message(std::function<void(const mqtt::Message &)>()).error().status() ==
          mqtt::Status::null_argument);
    CHECK(client.try_on_connection_state_change(no_function).error().status() == mqtt::Status::null_argument);
    CHECK(client.try_on_connection_event({}).error().status() == mqtt::Status::null_argument);
    CHECK(!mqtt::StateCallback() && !mqtt::StateCallback(no_function) && mqtt::StateCallback([](auto) {}));
    // Here it is allowed: the messages go to on_message().
    const mqtt::Listener none = client.subscribe("a", mqtt::QoS::at_least_once, nullptr);
    CHECK(!none.remove());
}

static void a_listener_removes_its_own_callback_and_no_other() {
    Count first, second, third;
    mqtt::Client client = unconnected();
    const mqtt::Listener listener = client.on_message(Probe(first));
    const mqtt::Listener copy = listener;
    mqtt::Listener removed = client.subscribe("a", mqtt::QoS::at_least_once, Probe(second));
    CHECK(copy.remove());
    CHECK_IS(first.alive, 0);
    CHECK(!listener.remove() && !mqtt::Listener().remove());
    CHECK(removed.remove());
    CHECK_IS(second.alive, 0);
    client.subscribe("a", mqtt::QoS::at_least_once, Probe(third));
    // Its place is not used again while somebody can still name it.
    std::vector<Count> many(100);
    for (Count &count : many)
        client.on_message(Probe(count));
    CHECK(!removed.remove());
    CHECK_IS(third.alive, 1);
    for (const Count &count : many)
        CHECK_IS(count.alive, 1);
    client = unconnected();
    CHECK_IS(third.alive, 0);
    CHECK(!listener.remove() && !removed.remove());
}

static void a_scoped_listener_ends_with_its_scope() {
    Count first, second, third;
    mqtt::Client client = unconnected();
    mqtt::ScopedListener outer;
    {
        const mqtt::ScopedListener inner = client.on_message(Probe(first));
        outer = client.on_message(Probe(second));
        CHECK_IS(first.alive + second.alive, 2);
    }
    CHECK_IS(first.alive, 0);
    CHECK_IS(second.alive, 1);
    outer = client.on_message(Probe(third));
    CHECK_IS(second.alive, 0);
    mqtt::ScopedListener moved = std::move(outer);
    outer = mqtt::ScopedListener();
    CHECK_IS(third.alive, 1);
    const mqtt::Listener kept = moved.release();
    moved = mqtt::ScopedListener();
    CHECK_IS(third.alive, 1);
    moved = kept;
    client = unconnected();
    CHECK_IS(third.alive, 0);
}

static void a_completion_is_told_once_and_goes() {
    Count done;
    bool cancelled = true;
    {
        mqtt::Client client = unconnected();
        auto owner = std::make_unique<Probe>(done);
        client.publish({"a", "x"},
                       [owner = std::move(owner), &cancelled](const mqtt::Result<mqtt::Ack> &ack) {
                           (*owner)(ack);
                           cancelled &= !ack && ack.error().status() == mqtt::Status::cancelled &&
                                        !ack.error().reason_code() && ack.error().what()[0] != '\0';
                       });
        client.subscribe("a", mqtt::QoS::at_least_once, nullptr, Probe(done));
        client.subscribe_many({{"b"}, {"c", mqtt::QoS::at_most_once, true}}, nullptr, Probe(done));
        client.unsubscribe("d", Probe(done));
        CHECK_IS(done.alive, 4);
        CHECK_IS(done.calls, 0);
    }
    CHECK_IS(done.alive, 0);
    CHECK_IS(done.calls, 4);
    CHECK(cancelled);
}

static void a_provider_lives_as_long_as_anybody_who_may_ask() {
    Count first, second;
    {
        mqtt::Options options;
        options.endpoint("localhost").token_provider(Probe(first)).token_provider(Probe(second));
        CHECK_IS(first.alive, 0);
        const mqtt::Client client(options);
        options = mqtt::Options();
        CHECK_IS(second.alive, 1);
    }
    CHECK_IS(second.alive, 0);
}

static void whatever_can_be_called_is_a_callback() {
    struct Device {
        int states = 0;
        void told(mqtt::State) { states++; }
    } device;
    static int calls = 0;
    int changes = 0;
    const mqtt::StateCallback lambda = [changes](mqtt::State) mutable { calls += ++changes; };
    lambda(mqtt::State::connected);
    lambda(mqtt::State::connected);
    CHECK_IS(calls, 3);
    const mqtt::StateCallback function = static_cast<void (*)(mqtt::State)>([](mqtt::State) { calls = 10; });
    function(mqtt::State::connected);
    CHECK_IS(calls, 10);
    const mqtt::StateCallback member = [&device](mqtt::State state) { device.told(state); };
    member(mqtt::State::connected);
    CHECK_IS(device.states, 1);
}

// An object whose destructor runs in a hook may use the client, and be its last owner.
static void a_callback_may_own_the_client() {
    Count count;
    auto client = std::make_shared<mqtt::Client>(unconnected());
    mqtt::Client &there = *client;
    const mqtt::Listener listener =
        there.on_message([client = std::move(client), probe = Probe(count)](const mqtt::Message &) {});
    there.on_message(Probe(count));
    CHECK_IS(count.alive, 2);
    CHECK(listener.remove());
    CHECK_IS(count.alive, 0);
}

static std::uint64_t failures_of(const mqtt::Client &client) { return client.stats().failures; }

// A logger is told what happens on the I/O thread, and goes when it is replaced.
static void a_logger_is_told_and_goes() {
    Count first, second;
    std::mutex mutex;
    std::string said;
    const auto logger = [&](const mqtt::LogRecord &record) {
        const std::lock_guard<std::mutex> lock(mutex);
        if (record.message == "connection attempt failed" && record.level == mqtt::LogLevel::info &&
            record.target.substr(0, 12) == "gecko_mqtt::" && record.fields.front() == '{' &&
            record.time > std::chrono::system_clock::time_point() &&
            record.text.data()[record.text.size()] == '\0')
            said = record.text;
        throw 1;
    };
    CHECK(!mqtt::try_log_set_callback("loud", Probe(first)));
    CHECK(!mqtt::try_log_set_rotation(0, std::chrono::seconds(-1), 1));
    CHECK_IS(first.alive, 0);
    mqtt::log_set_rotation(0, std::chrono::hours(24), 7);
    mqtt::log_init_json("off", "", false);
    mqtt::log_set_callback("off", Probe(first));
    CHECK_IS(first.alive, 1);
    mqtt::log_set_callback(
        "debug", [logger, probe = Probe(second)](const mqtt::LogRecord &record) { logger(record); });
    CHECK_IS(first.alive + first.calls, 0);
    {
        mqtt::Client client = unconnected();
        client.connect(std::chrono::milliseconds(0));
        while (failures_of(client) < 1)
            std::this_thread::yield();
    }
    mqtt::log_set_level("off");
    mqtt::log_set_callback("", nullptr);
    CHECK_IS(second.alive, 0);
    CHECK(said.find(" connection=1 attempt=1 ") != std::string::npos);
    CHECK_TEXT(to_string(mqtt::LogLevel::warn), "WARN");
    CHECK_TEXT(to_string(static_cast<mqtt::LogLevel>(9)), "UNKNOWN");
}

int main() {
    callbacks_go_with_their_client();
    a_callback_that_is_not_taken_is_gone();
    nothing_is_no_callback();
    a_listener_removes_its_own_callback_and_no_other();
    a_scoped_listener_ends_with_its_scope();
    a_completion_is_told_once_and_goes();
    a_provider_lives_as_long_as_anybody_who_may_ask();
    whatever_can_be_called_is_a_callback();
    a_callback_may_own_the_client();
    a_logger_is_told_and_goes();
    return check_result();
}
