// The main job where exceptions and run-time types are switched off: results are all there is.
#include "../c/live.h"

#include <gecko_mqtt.hpp>

#if defined(__cpp_exceptions)
#error "to be compiled without exceptions"
#endif

namespace mqtt = gecko::mqtt;

template <class T, class = void> constexpr bool throws = false;
template <class T> constexpr bool throws<T, std::void_t<decltype(std::declval<T &>().connect())>> = true;
static_assert(!throws<mqtt::Client>, "only what returns results is there");
static_assert(!std::is_constructible_v<mqtt::Client, const mqtt::Options &>);

const void *without_exceptions(const simulator_t &sim, unsigned *calls);

const void *without_exceptions(const simulator_t &sim, unsigned *calls) {
    const std::chrono::milliseconds limit(LIMIT_MS);
    counter_t heard, completed;
    counter_init(&heard);
    counter_init(&completed);
    mqtt::Options options;
    options.endpoint("localhost").ca_file(std::string(sim.dir) + "/ca.pem");
    options.token_provider([&sim](mqtt::TokenRequest request) {
        char *url = simulator_file(&sim, "broker-url.txt");
        CHECK(request.try_complete(mqtt::Token::from_broker_url(url)));
        free(url);
    });
    mqtt::Result<mqtt::Client> made = mqtt::Client::try_create(options);
    CHECK(made);
    mqtt::Client client = std::move(*made);
    CHECK(client.try_connect(limit));
    mqtt::Result<mqtt::Subscribed> subscribed = client.try_subscribe_wait(
        "spa/+", mqtt::QoS::at_least_once,
        [&](const mqtt::Message &message) {
            CHECK(message.text() == "hello" && message.try_keep());
            counter_add(&heard);
        },
        limit);
    CHECK(subscribed && subscribed->ack.reason_code == 1);
    CHECK(client.try_publish({"spa/state", "hello"}, [&](const mqtt::Result<mqtt::Ack> &ack) {
        CHECK(ack && ack->reason_code == 0);
        counter_add(&completed);
    }));
    CHECK(counter_wait(&heard, 1) && counter_wait(&completed, 1));
    CHECK(client.try_publish({"spa/#", "x"}).error().status() == mqtt::Status::invalid_topic);
    CHECK(client.try_publish_wait({"spa/state", "hello"}, limit).has_value());
    CHECK(counter_wait(&heard, 2) && subscribed->listener.remove());
    CHECK(client.try_disconnect(limit));
    *calls = counter_get(&heard);
    return reinterpret_cast<const void *>(&mqtt::detail::FunctionOf<mqtt::State>::call);
}
