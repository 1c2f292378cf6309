/// @file
/// The client.
#ifndef GECKO_MQTT_CLIENT_HPP
#define GECKO_MQTT_CLIENT_HPP

#include "event.hpp"
#include "history.hpp"
#include "listener.hpp"
#include "options.hpp"

namespace GECKO_MQTT_NAMESPACE {

/// The server's acknowledgement of an operation. For a subscription the reason code is the QoS granted.
struct Ack {
    /// The MQTT reason code; none with QoS 0.
    std::optional<std::uint8_t> reason_code;
    /// From writing the packet to its acknowledgement; 0 where there was none.
    std::chrono::milliseconds round_trip;
};

/// Told each message. Unless acknowledged by hand, a message is acknowledged when all its callbacks have
/// returned.
using MessageCallback = Callback<void(const Message &)>;
/// Told once how an operation ended that was accepted.
using Completion = Callback<void(const Result<Ack> &)>;
/// Told each change of the connection's state, never the same one twice in a row.
using StateCallback = Callback<void(State)>;
/// Told each change of the application's own state, which is a text.
using ApplicationStateCallback = Callback<void(std::string_view)>;
/// Told what happens to the connection.
using EventCallback = Callback<void(const Event &)>;

/// Retained messages, when a topic filter is subscribed.
enum class RetainHandling : std::uint8_t {
    /// The server sends them.
    send = 0,
    /// Only if the subscription is new.
    send_if_new = 1,
    /// It does not.
    do_not_send = 2
};

/// One topic filter with its options.
struct Subscription {
    /// The topic filter.
    std::string_view filter;
    /// The highest quality of service wanted.
    QoS qos = QoS::at_least_once;
    /// Do not send what this client published itself.
    bool no_local = false;
    /// Keep the retain flag as it was published.
    bool retain_as_published = false;
    /// What to do with retained messages.
    RetainHandling retain_handling = RetainHandling::send;
};

/// What subscribing came to, where it was waited for.
struct Subscribed {
    /// The server's acknowledgement.
    Ack ack;
    /// The handler.
    Listener listener;
};

/// A client: keeps one connection. It can be moved, not copied. Any thread may use it, several at a time,
/// also from within callbacks; a callback may destroy it too.
///
/// Each function is there twice: try_...() returns a Result, the one without `try_` returns the value and
/// throws Error. What each does in detail, with every status, is said at the function of C with the same
/// name.
///
/// Destroying it closes without a farewell (see disconnect()), waits for the callback that is running, tells
/// the operations that are left Status::cancelled, and lets all callbacks go. So what callbacks use must be
/// there until then: declare it before the client.
class Client {
  public:
    /// Makes a client; fails with the first error of the options. It does nothing before connect(); listeners
    /// and subscriptions can be added before.
    static Result<Client> try_create(const Options &options) {
        if (options.error())
            return *options.error();
        Client client(nullptr, std::make_shared<detail::Context>(options.exceptions()));
        const gecko_mqtt_status_t status = gecko_mqtt_client_new(options.native(), &client.handle_);
        if (status != GECKO_MQTT_OK)
            return Error::last(status);
        client.context_->client = client.handle_;
        return client;
    }
    /// Takes the other one's place, which is no client any more.
    Client(Client &&other) noexcept
        : handle_(std::exchange(other.handle_, nullptr)), context_(std::move(other.context_)) {}
    /// Takes the other one's place; what was here is destroyed.
    Client &operator=(Client &&other) noexcept {
        const Client old(std::exchange(handle_, std::exchange(other.handle_, nullptr)),
                         std::exchange(context_, std::move(other.context_)));
        return *this;
    }
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;
    ~Client() { gecko_mqtt_client_free(handle_); }

    /// Connects, and keeps connected from then on. With a time of 0 it only starts; when the time is over it
    /// goes on in the background.
    Result<void> try_connect(std::chrono::milliseconds timeout = wait_default) {
        return detail::result(gecko_mqtt_connect(handle_, detail::wait_ms(timeout)));
    }
    /// Lets the accepted messages go out and the callbacks of those that have come return within the time,
    /// then disconnects.
    Result<void> try_disconnect(std::chrono::milliseconds timeout = wait_default) {
        return detail::result(gecko_mqtt_disconnect(handle_, detail::wait_ms(timeout)));
    }
    /// Whether a live connection is there.
    bool is_connected() const noexcept { return gecko_mqtt_is_connected(handle_); }
    /// What the connection is doing.
    State connection_state() const noexcept {
        return static_cast<State>(gecko_mqtt_get_connection_state(handle_));
    }
    /// The client identifier in use.
    Result<std::string> try_client_id() const { return text(&gecko_mqtt_get_client_id); }
    /// A lost connection is made again (the default).
    Result<void> try_enable_reconnection() { return detail::result(gecko_mqtt_enable_reconnection(handle_)); }
    /// From now on a lost connection stays lost, until connect() is called.
    Result<void> try_disable_reconnection() {
        return detail::result(gecko_mqtt_disable_reconnection(handle_));
    }
    /// Whether a lost connection is made again.
    bool is_reconnection_enabled() const noexcept { return gecko_mqtt_is_reconnection_enabled(handle_); }
    /// The network is another one, or is back: tries now instead of waiting, or checks the live connection
    /// now.
    Result<void> try_network_changed() { return detail::result(gecko_mqtt_network_changed(handle_)); }

    /// Gives it a fresh token; a live connection is rotated onto it.
    Result<void> try_set_token(const Token &token) {
        const detail::NativeToken native(token);
        if (Result<void> valid = native.check(); !valid)
            return valid;
        return detail::result(gecko_mqtt_set_token(handle_, native.get()));
    }
    /// Asks the token provider now.
    Result<void> try_refresh_token() { return detail::result(gecko_mqtt_refresh_token(handle_)); }
    /// Gives it a fresh certificate and key, from files; a live connection is rotated onto it.
    Result<void> try_set_certificate_file(std::string_view cert_path, std::string_view key_path) {
        return detail::result(gecko_mqtt_set_certificate_file(handle_, detail::Text(cert_path).get(),
                                                              detail::Text(key_path).get()));
    }
    /// The same from memory: PEM or DER.
    Result<void> try_set_certificate_pem(Bytes cert, Bytes key) {
        return detail::result(
            gecko_mqtt_set_certificate_pem(handle_, cert.data(), cert.size(), key.data(), key.size()));
    }

    /// Adds a listener for the connection's state.
    Result<Listener> try_on_connection_state_change(StateCallback listener) {
        return listen(listener, &gecko_mqtt_on_connection_state_change, &told_state);
    }
    /// Adds a listener for what happens to the connection.
    Result<Listener> try_on_connection_event(EventCallback listener) {
        return listen(listener, &gecko_mqtt_on_connection_event, &told_event);
    }
    /// Adds a listener for the application's own state.
    Result<Listener> try_on_state_change(ApplicationStateCallback listener) {
        return listen(listener, &gecko_mqtt_on_state_change, &told_application_state);
    }
    /// Changes the application's own state, a text of at most 1024 bytes; the same one again is not told.
    Result<void> try_change_state(std::string_view state) {
        return detail::result(gecko_mqtt_change_state(handle_, detail::Text(state).get()));
    }
    /// Adds a listener for messages that no topic filter's own handler takes.
    Result<Listener> try_on_message(MessageCallback listener) {
        return listen(listener, &gecko_mqtt_on_message, &told_message);
    }

    /// Publishes: accepted, also before there is a connection, or refused at once. An accepted message has
    /// exactly one end, which the completion is told; a refused one's completion is not called.
    Result<void> try_publish(const Publish &message, Completion completion = nullptr) {
        const detail::NativePublish native(message);
        if (Result<void> valid = native.check(); !valid)
            return valid;
        return start(completion, [&](gecko_mqtt_completion_fn told, void *userdata) {
            return gecko_mqtt_publish(handle_, native.get(), told, userdata);
        });
    }
    /// Publishes and waits for the end.
    Result<Ack> try_publish_wait(const Publish &message, std::chrono::milliseconds timeout = wait_default) {
        const detail::NativePublish native(message);
        if (Result<void> valid = native.check(); !valid)
            return valid.error();
        return wait([&](gecko_mqtt_ack_t *ack) {
            return gecko_mqtt_publish_wait(handle_, native.get(), detail::wait_ms(timeout), ack);
        });
    }

    /// Subscribes to a topic filter; also before there is a connection. The handler is in force at once;
    /// without one (nullptr) the messages go to on_message(). A second subscription to a filter replaces the
    /// first one's handler.
    Result<Listener> try_subscribe(std::string_view filter, QoS qos, MessageCallback handler,
                                   Completion completion = nullptr) {
        return subscribe_with(handler, completion, [&](auto... arguments) {
            return gecko_mqtt_subscribe(handle_, detail::Text(filter).get(), static_cast<std::int32_t>(qos),
                                        arguments...);
        });
    }
    /// Subscribes and waits for the server's answer.
    Result<Subscribed> try_subscribe_wait(std::string_view filter, QoS qos, MessageCallback handler,
                                          std::chrono::milliseconds timeout = wait_default) {
        Listener listener(handler.share());
        Result<Ack> ack = wait([&](gecko_mqtt_ack_t *out) {
            return gecko_mqtt_subscribe_wait(
                handle_, detail::Text(filter).get(), static_cast<std::int32_t>(qos),
                handler ? &told_message : nullptr, detail::Function::enrol(handler.share(), context_),
                &detail::Function::end, detail::wait_ms(timeout), out);
        });
        if (!ack)
            return ack.error();
        return Subscribed{*ack, std::move(listener)};
    }
    /// Subscribes to several topic filters with one handler, in one request. The completion is told the first
    /// refusal, if there is one.
    Result<Listener> try_subscribe_many(const std::vector<Subscription> &subscriptions,
                                        MessageCallback handler, Completion completion = nullptr) {
        std::vector<gecko_mqtt_subscription_t> native;
        native.reserve(subscriptions.size() + 1); // none at all is not a NULL
        for (const Subscription &subscription : subscriptions)
            native.push_back({detail::counted(subscription.filter),
                              subscription.filter.size(),
                              static_cast<std::uint8_t>(subscription.qos),
                              static_cast<std::uint8_t>(subscription.no_local ? 1 : 0),
                              static_cast<std::uint8_t>(subscription.retain_as_published ? 1 : 0),
                              static_cast<std::uint8_t>(subscription.retain_handling),
                              {0, 0, 0}});
        return subscribe_with(handler, completion, [&](auto... arguments) {
            return gecko_mqtt_subscribe_many(handle_, native.data(), native.size(), arguments...);
        });
    }
    /// Ends a subscription; its handler goes when the server has confirmed.
    Result<void> try_unsubscribe(std::string_view filter, Completion completion = nullptr) {
        return start(completion, [&](gecko_mqtt_completion_fn told, void *userdata) {
            return gecko_mqtt_unsubscribe(handle_, detail::Text(filter).get(), told, userdata);
        });
    }
    /// Ends a subscription and waits for the server's answer.
    Result<Ack> try_unsubscribe_wait(std::string_view filter,
                                     std::chrono::milliseconds timeout = wait_default) {
        return wait([&](gecko_mqtt_ack_t *ack) {
            return gecko_mqtt_unsubscribe_wait(handle_, detail::Text(filter).get(), detail::wait_ms(timeout),
                                               ack);
        });
    }

    /// What it has counted.
    Result<Stats> try_stats() const {
        Stats stats;
        const gecko_mqtt_status_t status = gecko_mqtt_get_stats(handle_, &stats);
        if (status != GECKO_MQTT_OK)
            return Error::last(status);
        return stats;
    }
    /// The same as one JSON object.
    Result<std::string> try_stats_json() const { return text(&gecko_mqtt_stats_json); }
    /// The last events, as many as Options::history_size() says.
    Result<History> try_connection_history() const {
        gecko_mqtt_history_t *history = nullptr;
        const gecko_mqtt_status_t status = gecko_mqtt_get_connection_history(handle_, &history);
        if (status != GECKO_MQTT_OK)
            return Error::last(status);
        return History(history);
    }
    /// The same as one JSON array.
    Result<std::string> try_history_json() const { return text(&gecko_mqtt_history_json); }
    /// Begins to count anew.
    Result<void> try_reset_stats() { return detail::result(gecko_mqtt_reset_stats(handle_)); }

    /// With DispatchMode::app, readable while callbacks are due; -1 otherwise. Only wait for it.
    int dispatch_fd() const noexcept { return gecko_mqtt_dispatch_fd(handle_); }
    /// With DispatchMode::app, runs the callbacks that are due here, and says how many; waits so long for the
    /// first.
    Result<std::size_t> try_dispatch(std::chrono::milliseconds timeout = {}) {
        std::size_t ran = 0;
        const gecko_mqtt_status_t status = gecko_mqtt_dispatch(handle_, detail::wait_ms(timeout), &ran);
        if (status != GECKO_MQTT_OK)
            return Error::last(status);
        return ran;
    }

    /// What the functions of C take; nullptr after a move.
    gecko_mqtt_client_t *native() const noexcept { return handle_; }

#if GECKO_MQTT_EXCEPTIONS
    /// @name The same, throwing Error
    /// @{

    /// As try_create().
    explicit Client(const Options &options) : Client(try_create(options).value()) {}
    /// As try_connect().
    void connect(std::chrono::milliseconds timeout = wait_default) { try_connect(timeout).value(); }
    /// As try_disconnect().
    void disconnect(std::chrono::milliseconds timeout = wait_default) { try_disconnect(timeout).value(); }
    /// As try_client_id().
    std::string client_id() const { return try_client_id().value(); }
    /// As try_enable_reconnection().
    void enable_reconnection() { try_enable_reconnection().value(); }
    /// As try_disable_reconnection().
    void disable_reconnection() { try_disable_reconnection().value(); }
    /// As try_network_changed().
    void network_changed() { try_network_changed().value(); }
    /// As try_set_token().
    void set_token(const Token &token) { try_set_token(token).value(); }
    /// As try_refresh_token().
    void refresh_token() { try_refresh_token().value(); }
    /// As try_set_certificate_file().
    void set_certificate_file(std::string_view cert_path, std::string_view key_path) {
        try_set_certificate_file(cert_path, key_path).value();
    }
    /// As try_set_certificate_pem().
    void set_certificate_pem(Bytes cert, Bytes key) { try_set_certificate_pem(cert, key).value(); }
    /// As try_on_connection_state_change().
    Listener on_connection_state_change(StateCallback listener) {
        return try_on_connection_state_change(std::move(listener)).value();
    }
    /// As try_on_connection_event().
    Listener on_connection_event(EventCallback listener) {
        return try_on_connection_event(std::move(listener)).value();
    }
    /// As try_on_state_change().
    Listener on_state_change(ApplicationStateCallback listener) {
        return try_on_state_change(std::move(listener)).value();
    }
    /// As try_change_state().
    void change_state(std::string_view state) { try_change_state(state).value(); }
    /// As try_on_message().
    Listener on_message(MessageCallback listener) { return try_on_message(std::move(listener)).value(); }
    /// As try_publish().
    void publish(const Publish &message, Completion completion = nullptr) {
        try_publish(message, std::move(completion)).value();
    }
    /// As try_publish_wait().
    Ack publish_wait(const Publish &message, std::chrono::milliseconds timeout = wait_default) {
        return try_publish_wait(message, timeout).value();
    }
    /// As try_subscribe().
    Listener subscribe(std::string_view filter, QoS qos, MessageCallback handler,
                       Completion completion = nullptr) {
        return try_subscribe(filter, qos, std::move(handler), std::move(completion)).value();
    }
    /// As try_subscribe_wait().
    Subscribed subscribe_wait(std::string_view filter, QoS qos, MessageCallback handler,
                              std::chrono::milliseconds timeout = wait_default) {
        return try_subscribe_wait(filter, qos, std::move(handler), timeout).value();
    }
    /// As try_subscribe_many().
    Listener subscribe_many(const std::vector<Subscription> &subscriptions, MessageCallback handler,
                            Completion completion = nullptr) {
        return try_subscribe_many(subscriptions, std::move(handler), std::move(completion)).value();
    }
    /// As try_unsubscribe().
    void unsubscribe(std::string_view filter, Completion completion = nullptr) {
        try_unsubscribe(filter, std::move(completion)).value();
    }
    /// As try_unsubscribe_wait().
    Ack unsubscribe_wait(std::string_view filter, std::chrono::milliseconds timeout = wait_default) {
        return try_unsubscribe_wait(filter, timeout).value();
    }
    /// As try_stats().
    Stats stats() const { return try_stats().value(); }
    /// As try_stats_json().
    std::string stats_json() const { return try_stats_json().value(); }
    /// As try_connection_history().
    History connection_history() const { return try_connection_history().value(); }
    /// As try_history_json().
    std::string history_json() const { return try_history_json().value(); }
    /// As try_reset_stats().
    void reset_stats() { try_reset_stats().value(); }
    /// As try_dispatch().
    std::size_t dispatch(std::chrono::milliseconds timeout = {}) { return try_dispatch(timeout).value(); }

    /// @}
#endif

  private:
    Client(gecko_mqtt_client_t *handle, std::shared_ptr<detail::Context> context) noexcept
        : handle_(handle), context_(std::move(context)) {}

    static void told_state(gecko_mqtt_connection_state_t state, void *userdata) noexcept {
        detail::FunctionOf<State>::call(userdata, static_cast<State>(state));
    }

    static void told_application_state(const char *state, void *userdata) noexcept {
        detail::FunctionOf<std::string_view>::call(userdata, state);
    }

    static void told_event(const gecko_mqtt_connection_event_t *event, void *userdata) noexcept {
        detail::FunctionOf<const Event &>::call(userdata, detail::event(*event));
    }

    static void told_message(const gecko_mqtt_message_t *message, void *userdata) noexcept {
        detail::FunctionOf<const Message &>::call(userdata, Message(*message));
    }

    static void told_end(const gecko_mqtt_ack_t *ack, void *userdata) noexcept {
        detail::FunctionOf<const Result<Ack> &>::call(userdata, end(*ack, ack->status, ack->error));
        detail::Function::end(userdata);
    }

    static Result<Ack> end(const gecko_mqtt_ack_t &ack, gecko_mqtt_status_t status, const char *error) {
        const std::optional<std::uint8_t> reason_code = detail::reason_code(ack.reason_code);
        if (status != GECKO_MQTT_OK)
            return Error(static_cast<Status>(status), error, reason_code);
        return Ack{reason_code, std::chrono::milliseconds(ack.round_trip_ms)};
    }

    template <class F, class Add, class Told>
    Result<Listener> listen(const Callback<F> &listener, Add add, Told told) {
        Listener result(listener.share());
        void *userdata = detail::Function::enrol(listener.share(), context_);
        const gecko_mqtt_status_t status =
            add(handle_, listener ? told : nullptr, userdata, &detail::Function::end);
        if (status != GECKO_MQTT_OK)
            return Error::last(status);
        return result;
    }

    /// An operation whose end a completion is told.
    template <class Operation> Result<void> start(const Completion &completion, Operation operation) {
        void *userdata = detail::Function::enrol(completion.share(), context_);
        const gecko_mqtt_status_t status = operation(completion ? &told_end : nullptr, userdata);
        if (status == GECKO_MQTT_OK)
            return {};
        Error error = Error::last(status);
        detail::Function::end(userdata);
        return error;
    }

    template <class Operation>
    Result<Listener> subscribe_with(const MessageCallback &handler, const Completion &completion,
                                    Operation operation) {
        Listener listener(handler.share());
        void *userdata = detail::Function::enrol(handler.share(), context_);
        Result<void> accepted =
            start(completion, [&](gecko_mqtt_completion_fn told, void *completion_userdata) {
                return operation(handler ? &told_message : nullptr, userdata, &detail::Function::end, told,
                                 completion_userdata);
            });
        if (!accepted)
            return accepted.error();
        return listener;
    }

    template <class Operation> static Result<Ack> wait(Operation operation) {
        gecko_mqtt_ack_t ack = GECKO_MQTT_ACK_INIT;
        const gecko_mqtt_status_t status = operation(&ack);
        return end(ack, status, gecko_mqtt_last_error_message());
    }

    template <class Get> Result<std::string> text(Get get) const {
        char *text = nullptr;
        const gecko_mqtt_status_t status = get(handle_, &text);
        if (status != GECKO_MQTT_OK)
            return Error::last(status);
        std::string copy(text);
        gecko_mqtt_string_free(text);
        return copy;
    }

    gecko_mqtt_client_t *handle_;
    std::shared_ptr<detail::Context> context_;
};

} // namespace GECKO_MQTT_NAMESPACE

#endif
