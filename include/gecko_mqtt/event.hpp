/// @file
/// What a client tells of itself: states, events, statistics.
#ifndef GECKO_MQTT_EVENT_HPP
#define GECKO_MQTT_EVENT_HPP

#include "text.hpp"

namespace GECKO_MQTT_NAMESPACE {

/// What the connection is doing. A later version of the library may add some.
enum class State : std::int32_t {
    /// Not connected, and not trying.
    disconnected = GECKO_MQTT_STATE_DISCONNECTED,
    /// The first attempts after Client::connect().
    connecting = GECKO_MQTT_STATE_CONNECTING,
    /// A live connection is there.
    connected = GECKO_MQTT_STATE_CONNECTED,
    /// The connection was lost and is being made again.
    reconnecting = GECKO_MQTT_STATE_RECONNECTING,
    /// A round of attempts ended without success. The next one begins after the cool-down, if there is one.
    connection_failed = GECKO_MQTT_STATE_CONNECTION_FAILED,
    /// The last messages are going out, then DISCONNECT.
    disconnecting = GECKO_MQTT_STATE_DISCONNECTING,
    /// Connected, but the token could not be renewed; that is being tried again.
    credential_refresh_failed = GECKO_MQTT_STATE_CREDENTIAL_REFRESH_FAILED
};

/// The name of a state: "CONNECTED".
inline const char *to_string(State state) noexcept {
    return gecko_mqtt_connection_state_string(static_cast<gecko_mqtt_connection_state_t>(state));
}

/// Writes the name of a state.
template <class Traits>
std::basic_ostream<char, Traits> &operator<<(std::basic_ostream<char, Traits> &out, State state) {
    return out << to_string(state);
}

/// What an event is about. A later version of the library may add some.
enum class EventKind : std::int32_t {
    /// An attempt to connect begins.
    attempting = GECKO_MQTT_EVENT_ATTEMPTING,
    /// The server accepted the connection.
    connected = GECKO_MQTT_EVENT_CONNECTED,
    /// The attempt failed.
    failed = GECKO_MQTT_EVENT_FAILED,
    /// The connection ended.
    disconnected = GECKO_MQTT_EVENT_DISCONNECTED,
    /// The next attempt comes after Event::delay.
    reconnect_scheduled = GECKO_MQTT_EVENT_RECONNECT_SCHEDULED,
    /// The connection was rotated onto a fresh token or certificate.
    token_refreshed = GECKO_MQTT_EVENT_TOKEN_REFRESHED,
    /// No fresh token was to be had, or the server would not take it.
    token_refresh_failed = GECKO_MQTT_EVENT_TOKEN_REFRESH_FAILED,
    /// The server has lost a subscription and would not restore it.
    subscription_refused = GECKO_MQTT_EVENT_SUBSCRIPTION_REFUSED,
    /// QoS 0 messages from the server were dropped.
    messages_dropped = GECKO_MQTT_EVENT_MESSAGES_DROPPED,
    /// No further attempt follows until Client::connect() is called.
    stopped = GECKO_MQTT_EVENT_STOPPED
};

/// The name of a kind: "CONNECTED"; "UNKNOWN" for a number that is none.
inline const char *to_string(EventKind kind) noexcept {
    return gecko_mqtt_event_kind_string(static_cast<gecko_mqtt_event_kind_t>(kind));
}

/// Writes the name of a kind.
template <class Traits>
std::basic_ostream<char, Traits> &operator<<(std::basic_ostream<char, Traits> &out, EventKind kind) {
    return out << to_string(kind);
}

/// Something that happened to a connection. The texts are valid until the listener returns, or as long as the
/// History that it is in.
struct Event {
    /// What it is about.
    EventKind kind;
    /// The connection's state from now on.
    State state;
    /// Why something failed or ended; Status::ok where nothing did.
    Status status;
    /// The MQTT reason code of the server behind the status.
    std::optional<std::uint8_t> reason_code;
    /// The number of the attempt in its round, from 1; 0 where the event is not about one.
    std::uint32_t attempt;
    /// When, as the device's clock had it.
    std::chrono::system_clock::time_point time;
    /// How long until it is tried again; 0 where it is not.
    std::chrono::milliseconds delay;
    /// The server still had the session.
    bool session_present;
    /// What happened, for a person.
    std::string_view message;
    /// Why, in full; empty with Status::ok.
    std::string_view error;
};

namespace detail {

inline std::optional<std::uint8_t> reason_code(std::int32_t code) noexcept {
    return code < 0 ? std::nullopt : std::optional<std::uint8_t>(static_cast<std::uint8_t>(code));
}

inline std::chrono::system_clock::time_point unix_time(std::uint64_t ms) noexcept {
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(static_cast<std::int64_t>(ms)));
}

inline Event event(const gecko_mqtt_connection_event_t &from) noexcept {
    return {static_cast<EventKind>(from.kind),
            static_cast<State>(from.state),
            static_cast<Status>(from.status),
            reason_code(from.reason_code),
            from.attempt,
            unix_time(from.time_ms),
            std::chrono::milliseconds(from.delay_ms),
            from.session_present != 0,
            view(from.message, from.message_len),
            view(from.error, from.error_len)};
}

} // namespace detail

/// What a client has counted: the members of #gecko_mqtt_stats_t, and times as C++ has them.
struct Stats : gecko_mqtt_stats_t {
    /// All zero.
    Stats() noexcept : gecko_mqtt_stats_t(GECKO_MQTT_STATS_INIT) {}

    /// From the write of a packet to its acknowledgement, the last time; 0: never.
    std::chrono::microseconds last_round_trip() const noexcept { return microseconds(last_round_trip_us); }
    /// The mean of all; 0: there was none.
    std::chrono::microseconds mean_round_trip() const noexcept { return microseconds(mean_round_trip_us); }
    /// Since when there is a connection.
    std::optional<std::chrono::system_clock::time_point> connected_since() const noexcept {
        if (connected_since_ms == 0)
            return std::nullopt;
        return detail::unix_time(connected_since_ms);
    }

  private:
    static std::chrono::microseconds microseconds(std::uint64_t count) noexcept {
        return std::chrono::microseconds(static_cast<std::int64_t>(count));
    }
};

} // namespace GECKO_MQTT_NAMESPACE

#endif
