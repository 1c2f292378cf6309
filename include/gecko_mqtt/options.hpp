/// @file
/// The settings of a client to be.
#ifndef GECKO_MQTT_OPTIONS_HPP
#define GECKO_MQTT_OPTIONS_HPP

#include "message.hpp"
#include "token.hpp"

namespace GECKO_MQTT_NAMESPACE {

/// What happens to a publish that finds the queue full.
enum class QueuePolicy : std::int32_t {
    /// The new one is refused (Status::queue_full).
    reject_new = GECKO_MQTT_QUEUE_REJECT_NEW,
    /// The oldest QoS 0 message that was not yet written is dropped; without one, the new one is refused.
    drop_oldest_qos0 = GECKO_MQTT_QUEUE_DROP_OLDEST_QOS0,
    /// The oldest message that was not yet written is dropped.
    drop_oldest = GECKO_MQTT_QUEUE_DROP_OLDEST
};

/// On which threads callbacks run.
enum class DispatchMode : std::int32_t {
    /// On the library's own.
    thread = GECKO_MQTT_DISPATCH_THREAD,
    /// On whichever thread calls Client::dispatch().
    app = GECKO_MQTT_DISPATCH_APP
};

/// How lost connections, and first ones that fail, are tried again.
struct Reconnect {
    /// Whether they are at all.
    bool enabled = true;
    /// Attempts in one round; 0: a round without end.
    std::uint32_t max_attempts = 5;
    /// Delay before the second attempt. A random part is taken out of each delay.
    std::chrono::milliseconds initial_delay = std::chrono::seconds(1);
    /// The longest delay.
    std::chrono::milliseconds max_delay = std::chrono::seconds(60);
    /// How much longer each delay is than the last.
    double multiplier = 2.0;
};

/// The settings of a client to be, each checked as it is set. The first error is remembered and becomes that
/// of the client, so that a program checks once; error() tells it earlier. Defaults are in brackets; more
/// about each option is said at its function of C, gecko_mqtt_options_set_...().
///
/// Options can be moved, not copied, and make any number of clients. One thread at a time.
class Options {
  public:
    /// All defaults.
    Options() : handle_(gecko_mqtt_options_new()), exceptions_(std::make_shared<detail::Exceptions>()) {
        if (handle_ == nullptr)
            fail(Error::last(GECKO_MQTT_ERR_INTERNAL));
    }
    /// Takes the other one's settings.
    Options(Options &&other) noexcept
        : handle_(std::exchange(other.handle_, nullptr)), exceptions_(std::move(other.exceptions_)),
          error_(std::move(other.error_)) {}
    /// Takes the other one's settings.
    Options &operator=(Options &&other) noexcept {
        std::swap(handle_, other.handle_);
        std::swap(exceptions_, other.exceptions_);
        std::swap(error_, other.error_);
        return *this;
    }
    Options(const Options &) = delete;
    Options &operator=(const Options &) = delete;
    ~Options() { gecko_mqtt_options_free(handle_); }

    /// The first error of a setter.
    const std::optional<Error> &error() const noexcept { return error_; }

    /// @name The server
    /// @{

    /// A host name or an address.
    Options &endpoint(std::string_view host) {
        return set(gecko_mqtt_options_set_endpoint(handle_, detail::Text(host).get()));
    }
    /// The port (0: by authentication, 8883 for a certificate, 443 for an authorizer).
    Options &port(std::uint16_t port) { return set(gecko_mqtt_options_set_port(handle_, port)); }
    /// "mqtts://host[:port]", "mqtt://..." without TLS, or Gecko's authorizer URL, which holds all that is
    /// needed.
    Options &broker_url(std::string_view url) {
        return set(gecko_mqtt_options_set_broker_url(handle_, detail::Text(url).get()));
    }
    /// The AWS region: completes an endpoint that is only the prefix of one.
    Options &region(std::string_view region) {
        return set(gecko_mqtt_options_set_region(handle_, detail::Text(region).get()));
    }
    /// The client identifier (generated, the same for the client's life). "": the server chooses one.
    Options &client_id(std::string_view client_id) {
        return set(gecko_mqtt_options_set_client_id(handle_, detail::Text(client_id).get()));
    }
    /// The roots to trust instead of the platform's, from a file.
    Options &ca_file(std::string_view path) {
        return set(gecko_mqtt_options_set_ca_file(handle_, detail::Text(path).get()));
    }
    /// The roots to trust instead of the platform's: PEM or DER.
    Options &ca_pem(Bytes pem) { return set(gecko_mqtt_options_set_ca_pem(handle_, pem.data(), pem.size())); }
    /// The ALPN protocol to offer (by authentication and port).
    Options &alpn(std::string_view protocol) {
        return set(gecko_mqtt_options_set_alpn(handle_, detail::Text(protocol).get()));
    }

    /// @}
    /// @name Authentication
    /// @{

    /// The client certificate and its private key, from files: PEM or DER.
    Options &certificate_file(std::string_view cert_path, std::string_view key_path) {
        return set(gecko_mqtt_options_set_certificate_file(handle_, detail::Text(cert_path).get(),
                                                           detail::Text(key_path).get()));
    }
    /// The client certificate and its private key: PEM or DER.
    Options &certificate_pem(Bytes cert, Bytes key) {
        return set(gecko_mqtt_options_set_certificate_pem(handle_, cert.data(), cert.size(), key.data(),
                                                          key.size()));
    }
    /// The user name; with an authorizer, what comes before its parameters.
    Options &username(std::string_view username) {
        return set(gecko_mqtt_options_set_username(handle_, detail::Text(username).get()));
    }
    /// The password.
    Options &password(Bytes password) {
        return set(gecko_mqtt_options_set_password(handle_, password.data(), password.size()));
    }
    /// The AWS custom authorizer: its name, the name of the parameter that carries the token (empty: none),
    /// and the token's signature (empty: none).
    Options &authorizer(std::string_view name, std::string_view token_key = {},
                        std::string_view signature = {}) {
        return set(gecko_mqtt_options_set_authorizer(handle_, detail::Text(name).get(),
                                                     detail::Text(token_key).or_null(),
                                                     detail::Text(signature).or_null()));
    }
    /// The first token. Without one the provider is asked.
    Options &token(const Token &token) {
        const detail::NativeToken native(token);
        if (Result<void> valid = native.check(); !valid)
            return fail(valid.error());
        return set(gecko_mqtt_options_set_token(handle_, native.get()));
    }
    /// Who is asked for the first token, if none is set, and for each further one.
    Options &token_provider(TokenProvider provider) {
        void *userdata =
            detail::Function::enrol(provider.share(), std::make_shared<detail::Context>(exceptions_));
        return set(gecko_mqtt_options_set_token_provider(handle_, provider ? &asked : nullptr, userdata,
                                                         &detail::Function::end));
    }
    /// How long before its expiry a token is renewed (900 s).
    Options &refresh_threshold(std::chrono::seconds time) {
        return set_seconds<std::uint32_t>(time, "the refresh threshold", [&](std::uint32_t secs) {
            return gecko_mqtt_options_set_refresh_threshold_secs(handle_, secs);
        });
    }
    /// How long the provider may take for one request (30 s).
    Options &token_timeout(std::chrono::milliseconds time) {
        return set(gecko_mqtt_options_set_token_timeout_ms(handle_, detail::wait_ms(time)));
    }

    /// @}
    /// @name The session
    /// @{

    /// The keep-alive interval (30 s); 0: none.
    Options &keep_alive(std::chrono::seconds time) {
        return set_seconds<std::uint16_t>(time, "the keep-alive interval", [&](std::uint16_t secs) {
            return gecko_mqtt_options_set_keep_alive_secs(handle_, secs);
        });
    }
    /// Whether the first connection of a Client::connect() starts a new session (true).
    Options &clean_start(bool clean_start) {
        return set(gecko_mqtt_options_set_clean_start(handle_, clean_start));
    }
    /// How long the server shall keep the session after a connection is lost (3600 s); `seconds::max()`: for
    /// ever.
    Options &session_expiry(std::chrono::seconds time) {
        return set_seconds<std::uint32_t>(time, "the session expiry interval", [&](std::uint32_t secs) {
            return gecko_mqtt_options_set_session_expiry_secs(handle_, secs);
        });
    }
    /// How many QoS 1 and 2 messages the server may send before one of them is acknowledged (256).
    Options &receive_maximum(std::uint16_t maximum) {
        return set(gecko_mqtt_options_set_receive_maximum(handle_, maximum));
    }
    /// The largest packet that is taken, in bytes (262144).
    Options &max_incoming_packet(std::uint32_t bytes) {
        return set(gecko_mqtt_options_set_max_incoming_packet(handle_, bytes));
    }
    /// What the server publishes when the connection ends without a DISCONNECT, and how long it waits before.
    Options &will(const Publish &message, std::chrono::seconds delay = {}) {
        const detail::NativePublish native(message);
        if (Result<void> valid = native.check(); !valid)
            return fail(valid.error());
        return set_seconds<std::uint32_t>(delay, "the will delay interval", [&](std::uint32_t secs) {
            return gecko_mqtt_options_set_will(handle_, native.get(), secs);
        });
    }

    /// @}
    /// @name Behaviour
    /// @{

    /// How long one attempt to connect may take, from name resolution to CONNACK (10 s).
    Options &connect_timeout(std::chrono::milliseconds time) {
        return set(gecko_mqtt_options_set_connect_timeout_ms(handle_, detail::wait_ms(time)));
    }
    /// How long an acknowledgement may take, from writing the packet (60 s).
    Options &operation_timeout(std::chrono::milliseconds time) {
        return set(gecko_mqtt_options_set_operation_timeout_ms(handle_, detail::wait_ms(time)));
    }
    /// How lost connections, and first ones that fail, are tried again.
    Options &reconnect(const Reconnect &how) {
        return set(gecko_mqtt_options_set_reconnect(handle_, how.enabled, how.max_attempts,
                                                    detail::wait_ms(how.initial_delay),
                                                    detail::wait_ms(how.max_delay), how.multiplier));
    }
    /// How long to rest after a round without success (300 s); 0: give up for good after one.
    Options &reconnect_cooldown(std::chrono::seconds time) {
        return set_seconds<std::uint32_t>(time, "the cool-down", [&](std::uint32_t secs) {
            return gecko_mqtt_options_set_reconnect_cooldown_secs(handle_, secs);
        });
    }
    /// How much may wait for a connection or an acknowledgement (1024 messages, 4 MiB), and what happens when
    /// it is too much (the new one is refused).
    Options &queue(std::uint32_t max_messages, std::uint64_t max_bytes,
                   QueuePolicy policy = QueuePolicy::reject_new) {
        return set(gecko_mqtt_options_set_queue(handle_, max_messages, max_bytes,
                                                static_cast<gecko_mqtt_queue_policy_t>(policy)));
    }
    /// Whether QoS 0 messages wait for a connection (true), or are refused without one.
    Options &offline_qos0(bool keep) { return set(gecko_mqtt_options_set_offline_qos0(handle_, keep)); }
    /// Messages and bytes to publish in a second at the most, 0: no limit (AWS's quotas at AWS, none
    /// elsewhere).
    Options &pacing(std::uint32_t publishes_per_sec, std::uint32_t bytes_per_sec) {
        return set(gecko_mqtt_options_set_pacing(handle_, publishes_per_sec, bytes_per_sec));
    }
    /// Whether the application acknowledges QoS 1 and 2 messages itself, with Message::ack() (false).
    Options &manual_ack(bool manual) { return set(gecko_mqtt_options_set_manual_ack(handle_, manual)); }
    /// How many events Client::connection_history() remembers (100), at most 100000.
    Options &history_size(std::uint32_t events) {
        return set(gecko_mqtt_options_set_history_size(handle_, events));
    }
    /// On which threads callbacks run (DispatchMode::thread).
    Options &dispatch(DispatchMode mode) {
        return set(gecko_mqtt_options_set_dispatch(handle_, static_cast<gecko_mqtt_dispatch_mode_t>(mode)));
    }
#if GECKO_MQTT_EXCEPTIONS
    /// Who is told what callbacks throw, also those of clients that were made before. Without one, an
    /// exception ends its callback and nothing else, and nobody learns of it.
    Options &on_callback_exception(ExceptionHandler handler) {
        exceptions_->set(std::move(handler));
        return *this;
    }
#endif

    /// @}

    /// What the functions of C take.
    const gecko_mqtt_options_t *native() const noexcept { return handle_; }
    /// @cond
    const std::shared_ptr<detail::Exceptions> &exceptions() const noexcept { return exceptions_; }
    /// @endcond

  private:
    static void asked(gecko_mqtt_token_request_t request, void *userdata) noexcept {
        detail::FunctionOf<TokenRequest>::call(userdata, TokenRequest(request));
    }

    Options &set(gecko_mqtt_status_t status) {
        return status == GECKO_MQTT_OK ? *this : fail(Error::last(status));
    }

    template <class Number, class Set>
    Options &set_seconds(std::chrono::seconds time, const char *what, Set set_secs) {
        Number secs = 0;
        if (detail::narrow(time, secs))
            return set(set_secs(secs));
        const std::string most = std::to_string(std::numeric_limits<Number>::max());
        return fail(Error(Status::out_of_range, std::string(what) + " is 0 to " + most + " seconds, not " +
                                                    std::to_string(time.count())));
    }

    Options &fail(Error error) {
        if (!error_)
            error_ = std::move(error);
        return *this;
    }

    gecko_mqtt_options_t *handle_;
    std::shared_ptr<detail::Exceptions> exceptions_;
    std::optional<Error> error_ = {};
};

} // namespace GECKO_MQTT_NAMESPACE

#endif
