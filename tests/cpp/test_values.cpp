// Values of the C++ header that need no server: errors, results, bytes, messages, options, and what is moved.
#include "../c/check.h"

#include <gecko_mqtt.hpp>

#include <array>
#include <sstream>
#include <type_traits>

namespace mqtt = gecko::mqtt;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

template <class T>
constexpr bool move_only = std::is_nothrow_move_constructible_v<T> &&std::is_nothrow_move_assignable_v<T> &&
                           !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(move_only<mqtt::Client> && move_only<mqtt::Options> && move_only<mqtt::OwnedMessage> &&
              move_only<mqtt::ScopedListener> && move_only<mqtt::History> && move_only<mqtt::TokenRequest> &&
              move_only<mqtt::MessageCallback>);
static_assert(std::is_copy_constructible_v<mqtt::Listener> && std::is_copy_constructible_v<mqtt::Message>);
static_assert(std::is_nothrow_copy_constructible_v<mqtt::Error> &&
              std::is_base_of_v<std::exception, mqtt::Error>);
static_assert(std::is_aggregate_v<mqtt::Publish> && std::is_aggregate_v<mqtt::Token> &&
              std::is_aggregate_v<mqtt::Subscription> && std::is_aggregate_v<mqtt::Reconnect>);
static_assert(!std::is_convertible_v<mqtt::Result<int>, bool>, "not by accident");
static_assert(!std::is_constructible_v<mqtt::MessageCallback, int>);
static_assert(!std::is_constructible_v<mqtt::MessageCallback, void (*)(int)>, "the arguments are others");
static_assert(!std::is_constructible_v<mqtt::Bytes, std::vector<int>>, "not bytes");

#define CHECK_STATUS(error, expected)                                                                        \
    CHECK_IS(static_cast<int>((error).status()), static_cast<int>(mqtt::Status::expected))

static mqtt::Options unreachable() {
    mqtt::Options options;
    options.broker_url("mqtt://127.0.0.1:9");
    return options;
}

static void a_status_has_a_group_and_words() {
    CHECK_TEXT(to_string(mqtt::Status::queue_full), gecko_mqtt_status_string(GECKO_MQTT_ERR_QUEUE_FULL));
    CHECK(group(mqtt::Status::ok) == mqtt::StatusGroup::ok);
    CHECK(group(mqtt::Status::tls_hostname) == mqtt::StatusGroup::connection);
    CHECK(group(mqtt::Status::not_authorized) == mqtt::StatusGroup::authentication);
    CHECK(group(static_cast<mqtt::Status>(699)) == mqtt::StatusGroup::operation);
    CHECK_TEXT(to_string(mqtt::StatusGroup::token_refresh), "token refresh");
    CHECK_TEXT(to_string(static_cast<mqtt::StatusGroup>(7)), "unknown");
    std::ostringstream out;
    out << mqtt::Status::ok << ' ' << mqtt::StatusGroup::operation << ' ' << mqtt::State::connected << ' '
        << mqtt::EventKind::token_refreshed;
    CHECK_TEXT(out.str().c_str(), "success operation CONNECTED TOKEN_REFRESHED");
    CHECK_TEXT(to_string(static_cast<mqtt::EventKind>(99)), "UNKNOWN");
    CHECK_TEXT(to_string(static_cast<mqtt::State>(99)), "UNKNOWN");
}

static void an_error_is_thrown_or_returned() {
    mqtt::Options options;
    options.broker_url("ftp://example.com");
    CHECK(options.error().has_value());
    const mqtt::Result<mqtt::Client> client = mqtt::Client::try_create(options);
    CHECK(!client);
    CHECK_STATUS(client.error(), invalid_url);
    CHECK(client.error().group() == mqtt::StatusGroup::configuration);
    CHECK(client.error().reason_code() == std::nullopt);
    CHECK_TEXT(client.error().what(), options.error()->what());
    bool caught = false;
    try {
        const mqtt::Client other(options);
    } catch (const std::runtime_error &error) {
        caught = true;
        CHECK_TEXT(error.what(), options.error()->what());
    }
    CHECK(caught);
}

static void options_remember_their_first_error() {
    mqtt::Options options = unreachable();
    CHECK(!options.error());
    options.keep_alive(70000s).client_id("a\0b"sv).session_expiry(-1s);
    CHECK_STATUS(*options.error(), out_of_range);
    CHECK_TEXT(options.error()->what(), "the keep-alive interval is 0 to 65535 seconds, not 70000");
    CHECK_STATUS(mqtt::Client::try_create(options).error(), out_of_range);
    CHECK_STATUS(*mqtt::Options().session_expiry(-1s).error(), out_of_range);
    CHECK_STATUS(*mqtt::Options().session_expiry(4294967296s).error(), out_of_range);
    CHECK_STATUS(*mqtt::Options().client_id("a\0b"sv).error(), invalid_utf8);
    CHECK_STATUS(*mqtt::Options().will({"a/#", "gone"}).error(), invalid_topic);
    CHECK_STATUS(*mqtt::Options().will({"a", "gone"}, 4294967296s).error(), out_of_range);
    CHECK_STATUS(*mqtt::Options().token(mqtt::Token{"x", {}, {}, -1s}).error(), out_of_range);
    CHECK_STATUS(*mqtt::Options().token({}).error(), invalid_token);
    CHECK_STATUS(*mqtt::Options().token_provider(nullptr).error(), null_argument);

    mqtt::Options moved = std::move(options);
    CHECK_STATUS(*moved.error(), out_of_range);
    options = unreachable();
    CHECK(!options.error() && mqtt::Client::try_create(options));
}

static void every_option_reaches_the_library() {
    mqtt::Options options;
    options.endpoint("localhost").port(8883).region("us-east-1").client_id("spa-42").alpn("mqtt");
    options.authorizer("gecko", "token", "c2ln").token({"x.y.z", {}, "spa", 60s}).username("spa");
    options.token_provider([](mqtt::TokenRequest) {}).refresh_threshold(60s).token_timeout(5s);
    options.keep_alive(60s).clean_start(false).session_expiry(std::chrono::seconds::max());
    options.receive_maximum(10).max_incoming_packet(100000);
    options.connect_timeout(5s).operation_timeout(5s).reconnect({true, 0, 100ms, 5min, 1.5});
    options.reconnect_cooldown(60s).queue(10, 1000, mqtt::QueuePolicy::drop_oldest);
    options.offline_qos0(false).pacing(10, 10000).manual_ack(true).history_size(10).dispatch(
        mqtt::DispatchMode::app);
    options.will({"spa/42/will", "gone", mqtt::QoS::at_least_once, true}, 10s);
    options.on_callback_exception([](std::exception_ptr) {});
    CHECK(!options.error());
    CHECK_STATUS(*mqtt::Options().queue(10, 1000, static_cast<mqtt::QueuePolicy>(9)).error(), out_of_range);
    CHECK_STATUS(*mqtt::Options().dispatch(static_cast<mqtt::DispatchMode>(9)).error(), out_of_range);
    CHECK_STATUS(*mqtt::Options().reconnect({true, 5, 10s, 1s, 2.0}).error(), out_of_range);
    CHECK_STATUS(*mqtt::Options().history_size(100001).error(), out_of_range);
    CHECK_STATUS(*mqtt::Options().ca_file("/nonexistent").error(), file);
    CHECK_STATUS(*mqtt::Options().ca_pem("no certificate").error(), invalid_certificate);
    CHECK_STATUS(*mqtt::Options().certificate_file("/nonexistent", "/nonexistent").error(), file);
    CHECK_STATUS(*mqtt::Options().certificate_pem("none", "none").error(), invalid_certificate);
    CHECK_STATUS(*mqtt::Options().password(std::string(70000, 'x')).error(), invalid_argument);
    CHECK_STATUS(*mqtt::Options().port(1).endpoint("http://x").error(), invalid_argument);
}

static void a_result_is_a_value_or_an_error() {
    const mqtt::Error error(mqtt::Status::refused, "no", std::uint8_t{135});
    mqtt::Result<std::string> good = std::string("value");
    mqtt::Result<std::string> bad = error;
    CHECK(good && good.has_value() && *good == "value" && good->size() == 5 && good.value() == "value");
    CHECK(!bad && !bad.has_value() && bad.error().reason_code() == 135);
    CHECK(good.value_or("other") == "value" && bad.value_or("other") == "other");
    CHECK(std::move(good).value() == "value" && std::move(bad).value_or("other") == "other");
    good = mqtt::Result<std::string>(error);
    bool caught = false;
    try {
        good.value() += "never";
    } catch (const mqtt::Error &thrown) {
        caught = true;
        CHECK_STATUS(thrown, refused);
        CHECK_TEXT(thrown.what(), "no");
        CHECK(thrown.reason_code() == 135);
    }
    CHECK(caught);
    mqtt::Result<std::unique_ptr<int>> owner = std::make_unique<int>(7);
    std::unique_ptr<int> taken = std::move(owner).value();
    CHECK_IS(*taken, 7);

    mqtt::Result<void> done;
    CHECK(done && done.has_value());
    done.value();
    done = error;
    CHECK(!done);
    caught = false;
    try {
        done.value();
    } catch (const mqtt::Error &) {
        caught = true;
    }
    CHECK(caught);
}

static void bytes_are_seen_wherever_they_are() {
    const std::string text = "\1\2\3";
    const std::vector<std::uint8_t> vector = {1, 2, 3};
    const std::array<std::byte, 3> array = {std::byte{1}, std::byte{2}, std::byte{3}};
    const std::uint8_t plain[] = {1, 2, 3};
    std::string changeable = text;
    for (const mqtt::Bytes bytes : {mqtt::Bytes("\1\2\3"), mqtt::Bytes(text), mqtt::Bytes(changeable),
                                    mqtt::Bytes(std::string_view(text)), mqtt::Bytes(vector),
                                    mqtt::Bytes(array), mqtt::Bytes(plain), mqtt::Bytes(plain, 3)}) {
        CHECK(bytes.size() == 3 && !bytes.empty() && bytes[0] == 1 && bytes[2] == 3);
        CHECK(bytes.text() == text && std::vector<std::uint8_t>(bytes.begin(), bytes.end()) == vector);
    }
    CHECK(mqtt::Bytes("a\0b"sv).size() == 3);
    CHECK(mqtt::Bytes().empty() && mqtt::Bytes().data() == nullptr && mqtt::Bytes().text().empty());
    CHECK(mqtt::Bytes("").empty() && mqtt::Bytes("").data() != nullptr);
}

static gecko_mqtt_message_t received() {
    static const gecko_mqtt_user_property_t properties[] = {
        {"unit", 4, "C", 1, {0, 0}}, {"empty", 5, "", 0, {0, 0}}, {"unit", 4, "F", 1, {0, 0}}};
    static const std::uint32_t ids[] = {7, 70000};
    gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_TEXT("spa/42/state", "hello", 1);
    message.topic_len = 12;
    message.retain = message.dup = 1;
    message.content_type = "text/plain";
    message.content_type_len = 10;
    message.response_topic = "spa/42/answer";
    message.response_topic_len = 13;
    message.correlation_data = "\0\1";
    message.correlation_data_len = 2;
    message.user_properties = properties;
    message.user_property_count = 3;
    message.subscription_ids = ids;
    message.subscription_id_count = 2;
    message.message_expiry_secs = 60;
    return message;
}

static void check_received(const mqtt::Message &message) {
    CHECK(message.topic() == "spa/42/state" && message.text() == "hello" && message.payload().size() == 5);
    CHECK(message.qos() == mqtt::QoS::at_least_once && message.retained() && message.dup());
    CHECK(message.payload_is_text() && message.content_type() == "text/plain");
    CHECK(message.response_topic() == "spa/42/answer" && message.correlation_data().text() == "\0\1"sv);
    CHECK(message.user_properties().size() == 3 && !message.user_properties().empty());
    CHECK(message.user_properties().find("unit") == "C" && message.user_properties().find("empty") == "");
    CHECK(message.user_properties().find("none") == std::nullopt);
    CHECK((message.subscription_ids() == std::vector<std::uint32_t>{7, 70000}));
    CHECK(message.expiry() == 60s);
}

static void a_message_is_read_kept_and_forwarded() {
    const gecko_mqtt_message_t native = received();
    const mqtt::Message message(native);
    check_received(message);
    mqtt::OwnedMessage kept = message.keep();
    mqtt::OwnedMessage again = kept.keep();
    check_received(again);
    CHECK(&kept.native() != &native && kept.topic().data() != message.topic().data());
    mqtt::OwnedMessage moved = std::move(kept);
    check_received(moved);
    CHECK(kept.topic().empty() && kept.payload().empty() && kept.user_properties().empty());
    CHECK(kept.subscription_ids().empty() && kept.correlation_data().data() == nullptr);
    CHECK_STATUS(kept.try_keep().error(), null_argument);
    kept = std::move(moved);
    check_received(kept);
    CHECK_STATUS(kept.try_ack().error(), invalid_argument);

    mqtt::Publish forward = mqtt::Publish::of(kept);
    forward.topic = "spa/42/copy";
    const mqtt::detail::NativePublish forwarded(forward);
    CHECK(forwarded.check().has_value());
    gecko_mqtt_message_t copy = *forwarded.get();
    CHECK(mqtt::Message(copy).topic() == "spa/42/copy" && copy.user_properties != native.user_properties);
    copy.topic = native.topic;
    copy.topic_len = native.topic_len;
    copy.dup = 1;
    copy.subscription_ids = native.subscription_ids;
    copy.subscription_id_count = 2;
    check_received(mqtt::Message(copy));
}

static void what_is_published_is_checked() {
    mqtt::Client client(unreachable());
    const char joined[] = "spa/42/state/and more";
    CHECK(client.try_publish({std::string_view(joined, 12), {}}).has_value());
    CHECK_STATUS(client.try_publish({"", "x"}).error(), invalid_topic);
    CHECK_STATUS(client.try_publish({std::string_view(joined, 0), "x"}).error(), invalid_topic);
    CHECK_STATUS(client.try_publish({"a\0b"sv, "x"}).error(), invalid_topic);
    CHECK_STATUS(client.try_publish({"a", "x", static_cast<mqtt::QoS>(3)}).error(), out_of_range);
    mqtt::Publish message{"a", "x"};
    message.user_properties = {{"unit", "C"}, {{}, {}}};
    message.expiry = 60s;
    CHECK(client.try_publish(message).has_value());
    message.expiry = -1s;
    CHECK_STATUS(client.try_publish(message).error(), out_of_range);
    CHECK_STATUS(client.try_publish_wait(message).error(), out_of_range);
    message.expiry = 0s;
    CHECK_STATUS(client.try_publish_wait(message, 0s).error(), timeout);
    CHECK_STATUS(client.try_publish_wait(message, -1s).error(), timeout);
    message.user_properties[0].name = "\xff";
    CHECK_STATUS(client.try_publish(message).error(), invalid_utf8);
    CHECK_IS(client.stats().queued_messages, 2);
    CHECK(client.stats().mean_round_trip() == 0us && !client.stats().connected_since());
    CHECK(client.stats_json().find("\"queued_messages\":2") != std::string::npos);
}

#if __cplusplus >= 202002L
// What C++20 adds to the same structures.
static void members_can_be_named() {
    mqtt::Client client(mqtt::Options()
                            .broker_url("mqtt://127.0.0.1:9")
                            .reconnect({.max_attempts = 0, .max_delay = 5min})
                            .will({.topic = "spa/42/will", .payload = "gone", .retain = true}));
    client.publish({.topic = "spa/42/state", .payload = "{}", .content_type = "application/json"});
    client.publish({.topic = "spa/42/state", .user_properties = {{"unit", "C"}}, .expiry = 60s});
    client.subscribe_many({{.filter = "spa/#", .no_local = true}}, nullptr);
    CHECK_IS(client.stats().queued_messages, 2);
}
#else
static void members_can_be_named() {}
#endif

static void a_client_can_be_moved() {
    mqtt::Options options = unreachable();
    mqtt::Client client(options.client_id("first"));
    mqtt::Client moved = std::move(client);
    CHECK(client.native() == nullptr && moved.client_id() == "first");
    CHECK_STATUS(client.try_connect(0s).error(), null_argument);
    CHECK_STATUS(client.try_client_id().error(), null_argument);
    CHECK_STATUS(client.try_on_message([](const mqtt::Message &) {}).error(), null_argument);
    CHECK_STATUS(client.try_publish({"a", "x"}, [](const mqtt::Result<mqtt::Ack> &) {}).error(),
                 null_argument);
    CHECK(!client.is_connected() && client.connection_state() == mqtt::State::disconnected);
    CHECK(client.dispatch_fd() == -1);
    client = mqtt::Client(options.client_id("second"));
    CHECK(client.client_id() == "second");
    gecko_mqtt_client_t *first = moved.native();
    moved = std::move(client);
    CHECK(moved.client_id() == "second");
    CHECK_IS(gecko_mqtt_connect(first, 0), GECKO_MQTT_ERR_INVALID_HANDLE);
    CHECK(moved.is_reconnection_enabled());
    moved.disable_reconnection();
    CHECK(!moved.is_reconnection_enabled());
    moved.enable_reconnection();
    moved.network_changed();
    moved.reset_stats();
    CHECK(moved.connection_history().empty() && moved.history_json() == "[]");
    CHECK_STATUS(client.try_connection_history().error(), null_argument);
    CHECK_STATUS(moved.try_change_state("a\0b"sv).error(), invalid_utf8);
    CHECK_STATUS(moved.try_change_state(std::string(1025, 'x')).error(), out_of_range);
    CHECK_STATUS(moved.try_refresh_token().error(), invalid_configuration);
    CHECK_STATUS(moved.try_set_token({"x.y.z"}).error(), invalid_configuration);
    CHECK_STATUS(moved.try_set_certificate_file("/nonexistent", "/nonexistent").error(), file);
    CHECK_STATUS(moved.try_set_certificate_pem("none", "none").error(), invalid_certificate);
    CHECK_STATUS(moved.try_dispatch().error(), invalid_configuration);
    CHECK_STATUS(moved.try_unsubscribe("a#").error(), invalid_topic_filter);
    CHECK_STATUS(moved.try_subscribe_many({}, nullptr).error(), invalid_argument);
}

static void an_answer_to_a_request_that_is_over_harms_nothing() {
    mqtt::TokenRequest request(12345);
    mqtt::TokenRequest moved = std::move(request);
    CHECK(request.id() == 0 && moved.id() == 12345);
    CHECK_STATUS(moved.try_complete({}).error(), invalid_token);
    CHECK_IS(moved.id(), 12345);
    CHECK_STATUS(moved.try_complete(mqtt::Token{"x.y.z"}).error(), not_found);
    CHECK_IS(moved.id(), 0);
    CHECK_STATUS(moved.try_fail("late").error(), not_found);
    CHECK_STATUS(mqtt::TokenRequest(12345).try_fail("").error(), not_found);
    CHECK_IS(mqtt::TokenRequest(12345).release(), 12345);
    mqtt::TokenRequest forgotten(12346);
    forgotten = mqtt::TokenRequest(12347);
    CHECK_IS(forgotten.id(), 12347);
}

static void waits_are_what_c_takes() {
    using mqtt::detail::wait_ms;
    CHECK_IS(wait_ms(mqtt::wait_default), GECKO_MQTT_WAIT_DEFAULT);
    CHECK_IS(wait_ms(5s), 5000);
    CHECK_IS(wait_ms(-5s), 0);
    CHECK_IS(wait_ms(24h * 365), GECKO_MQTT_WAIT_DEFAULT - 1);
}

int main() {
    a_status_has_a_group_and_words();
    an_error_is_thrown_or_returned();
    options_remember_their_first_error();
    every_option_reaches_the_library();
    a_result_is_a_value_or_an_error();
    bytes_are_seen_wherever_they_are();
    a_message_is_read_kept_and_forwarded();
    what_is_published_is_checked();
    members_can_be_named();
    a_client_can_be_moved();
    an_answer_to_a_request_that_is_over_harms_nothing();
    waits_are_what_c_takes();
    return check_result();
}
