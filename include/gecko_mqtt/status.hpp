/// @file
/// What calls come to: #gecko_mqtt_status_t as a type of its own.
#ifndef GECKO_MQTT_STATUS_HPP
#define GECKO_MQTT_STATUS_HPP

#include "../gecko_mqtt.h"

#include <cstdint>
#include <iosfwd>

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
/// 1 where this header throws, 0 where exceptions are switched off.
#define GECKO_MQTT_EXCEPTIONS 1
/// Where everything is.
#define GECKO_MQTT_NAMESPACE gecko::mqtt
#else
#define GECKO_MQTT_EXCEPTIONS 0
#define GECKO_MQTT_NAMESPACE gecko::mqtt::without_exceptions
// Files of one program may be compiled with and without exceptions: the linker must not mix their functions.
namespace gecko::mqtt {
namespace without_exceptions {}
using namespace without_exceptions;
} // namespace gecko::mqtt
#endif

namespace GECKO_MQTT_NAMESPACE {

/// What a call came to. A later version of the library may return others: treat an unknown one by its
/// group().
enum class Status : std::int32_t {
    /// Success.
    ok = GECKO_MQTT_OK,
    /// An argument has a value that makes no sense here.
    invalid_argument = GECKO_MQTT_ERR_INVALID_ARGUMENT,
    /// A pointer that must not be NULL is.
    null_argument = GECKO_MQTT_ERR_NULL_ARGUMENT,
    /// A handle is not of the type it is used as, or was freed.
    invalid_handle = GECKO_MQTT_ERR_INVALID_HANDLE,
    /// A structure's `size` is 0, or larger than this library knows with a tail that is not zero.
    struct_size = GECKO_MQTT_ERR_STRUCT_SIZE,
    /// Text is not UTF-8, or has a character that MQTT forbids.
    invalid_utf8 = GECKO_MQTT_ERR_INVALID_UTF8,
    /// A topic name that MQTT does not allow.
    invalid_topic = GECKO_MQTT_ERR_INVALID_TOPIC,
    /// A topic filter that MQTT does not allow.
    invalid_topic_filter = GECKO_MQTT_ERR_INVALID_TOPIC_FILTER,
    /// A broker URL that cannot be understood.
    invalid_url = GECKO_MQTT_ERR_INVALID_URL,
    /// A number outside the range allowed for it.
    out_of_range = GECKO_MQTT_ERR_OUT_OF_RANGE,
    /// A combination of options that cannot work, or one that is missing.
    invalid_configuration = GECKO_MQTT_ERR_INVALID_CONFIGURATION,
    /// Understood, but not supported by this build.
    unsupported = GECKO_MQTT_ERR_UNSUPPORTED,
    /// A file cannot be read.
    file = GECKO_MQTT_ERR_FILE,
    /// A certificate cannot be read.
    invalid_certificate = GECKO_MQTT_ERR_INVALID_CERTIFICATE,
    /// A private key cannot be read.
    invalid_private_key = GECKO_MQTT_ERR_INVALID_PRIVATE_KEY,
    /// The private key does not belong to the certificate.
    key_mismatch = GECKO_MQTT_ERR_KEY_MISMATCH,
    /// A call made inside a callback that would wait for that very callback.
    would_deadlock = GECKO_MQTT_ERR_WOULD_DEADLOCK,
    /// The handle was made before a `fork`, and this is the child.
    forked = GECKO_MQTT_ERR_FORKED,
    /// What is asked for does not exist (any more).
    not_found = GECKO_MQTT_ERR_NOT_FOUND,
    /// The client is being freed.
    closed = GECKO_MQTT_ERR_CLOSED,
    /// The connection failed in a way that no other kind describes.
    connection = GECKO_MQTT_ERR_CONNECTION,
    /// No CONNACK within the connect time-out.
    connect_timeout = GECKO_MQTT_ERR_CONNECT_TIMEOUT,
    /// The name could not be resolved.
    dns = GECKO_MQTT_ERR_DNS,
    /// Nobody listens at that address and port.
    connection_refused = GECKO_MQTT_ERR_CONNECTION_REFUSED,
    /// No route to the network or host.
    unreachable = GECKO_MQTT_ERR_UNREACHABLE,
    /// The connection broke: reset, or closed without a DISCONNECT.
    connection_lost = GECKO_MQTT_ERR_CONNECTION_LOST,
    /// The server closed the connection after CONNECT, without a CONNACK.
    closed_before_connack = GECKO_MQTT_ERR_CLOSED_BEFORE_CONNACK,
    /// The TLS handshake failed in a way that no other kind describes.
    tls = GECKO_MQTT_ERR_TLS,
    /// The server's certificate is for another name.
    tls_hostname = GECKO_MQTT_ERR_TLS_HOSTNAME,
    /// The server's certificate has expired.
    tls_expired = GECKO_MQTT_ERR_TLS_EXPIRED,
    /// The server's certificate was issued by nobody we trust.
    tls_unknown_issuer = GECKO_MQTT_ERR_TLS_UNKNOWN_ISSUER,
    /// The server's certificate is not valid yet: most often this device's clock is wrong.
    tls_clock = GECKO_MQTT_ERR_TLS_CLOCK,
    /// The server's certificate is bad in another way (revoked, malformed, wrong purpose, bad signature).
    tls_bad_certificate = GECKO_MQTT_ERR_TLS_BAD_CERTIFICATE,
    /// The server refused our client certificate, or wants one.
    tls_client_certificate = GECKO_MQTT_ERR_TLS_CLIENT_CERTIFICATE,
    /// Client and server share no ALPN protocol.
    tls_alpn = GECKO_MQTT_ERR_TLS_ALPN,
    /// The server broke the MQTT protocol.
    protocol = GECKO_MQTT_ERR_PROTOCOL,
    /// The server sent a packet above our maximum packet size.
    incoming_too_large = GECKO_MQTT_ERR_INCOMING_TOO_LARGE,
    /// The server did not answer a PINGREQ.
    keep_alive_timeout = GECKO_MQTT_ERR_KEEP_ALIVE_TIMEOUT,
    /// The server refused the connection with a CONNACK that no other kind describes.
    server_refused = GECKO_MQTT_ERR_SERVER_REFUSED,
    /// The server is unavailable or busy (136, 137).
    server_unavailable = GECKO_MQTT_ERR_SERVER_UNAVAILABLE,
    /// A quota or a connection rate is exceeded (151, 159).
    quota_exceeded = GECKO_MQTT_ERR_QUOTA_EXCEEDED,
    /// The server does not speak MQTT 5 (132).
    protocol_version = GECKO_MQTT_ERR_PROTOCOL_VERSION,
    /// The client identifier is refused (133).
    client_id_rejected = GECKO_MQTT_ERR_CLIENT_ID_REJECTED,
    /// The server asks to use another one (156, 157).
    server_moved = GECKO_MQTT_ERR_SERVER_MOVED,
    /// There is no connection.
    not_connected = GECKO_MQTT_ERR_NOT_CONNECTED,
    /// The server says: not authorized (135).
    not_authorized = GECKO_MQTT_ERR_NOT_AUTHORIZED,
    /// The server says: bad user name or password (134).
    bad_credentials = GECKO_MQTT_ERR_BAD_CREDENTIALS,
    /// The server says: bad authentication method (140).
    bad_authentication_method = GECKO_MQTT_ERR_BAD_AUTHENTICATION_METHOD,
    /// The server has banned this client (138).
    banned = GECKO_MQTT_ERR_BANNED,
    /// The token has expired, and there is nobody to ask for another.
    token_expired = GECKO_MQTT_ERR_TOKEN_EXPIRED,
    /// The token cannot be used: empty, too long, or not of the form it claims.
    invalid_token = GECKO_MQTT_ERR_INVALID_TOKEN,
    /// The application's provider failed to get a token.
    token_refresh = GECKO_MQTT_ERR_TOKEN_REFRESH,
    /// The application's provider did not answer within its time.
    token_timeout = GECKO_MQTT_ERR_TOKEN_TIMEOUT,
    /// The server ended the connection with a DISCONNECT that no other kind describes.
    server_disconnected = GECKO_MQTT_ERR_SERVER_DISCONNECTED,
    /// Another connection with the same client identifier took the session over (142).
    session_taken_over = GECKO_MQTT_ERR_SESSION_TAKEN_OVER,
    /// The server is shutting down (139).
    server_shutting_down = GECKO_MQTT_ERR_SERVER_SHUTTING_DOWN,
    /// An administrator ended the connection (152).
    administrative_action = GECKO_MQTT_ERR_ADMINISTRATIVE_ACTION,
    /// The application disconnected.
    disconnected = GECKO_MQTT_ERR_DISCONNECTED,
    /// The queue is full, and its policy is to refuse what is new.
    queue_full = GECKO_MQTT_ERR_QUEUE_FULL,
    /// The time is over and nothing was sent: trying again is safe.
    timeout = GECKO_MQTT_ERR_TIMEOUT,
    /// The application cancelled: it disconnected or freed the client before this was sent.
    cancelled = GECKO_MQTT_ERR_CANCELLED,
    /// It was sent, but whether it arrived is not known.
    outcome_unknown = GECKO_MQTT_ERR_OUTCOME_UNKNOWN,
    /// The server answered with a reason code that means failure.
    refused = GECKO_MQTT_ERR_REFUSED,
    /// Larger than the server's maximum packet size.
    packet_too_large = GECKO_MQTT_ERR_PACKET_TOO_LARGE,
    /// QoS above what the server supports.
    qos_not_supported = GECKO_MQTT_ERR_QOS_NOT_SUPPORTED,
    /// The server does not support retained messages.
    retain_not_supported = GECKO_MQTT_ERR_RETAIN_NOT_SUPPORTED,
    /// The server does not support this kind of subscription (wildcard, shared, identifiers).
    subscription_not_supported = GECKO_MQTT_ERR_SUBSCRIPTION_NOT_SUPPORTED,
    /// Dropped from a full queue, as its policy says.
    dropped = GECKO_MQTT_ERR_DROPPED,
    /// Its message expiry interval passed before it could be sent.
    expired = GECKO_MQTT_ERR_EXPIRED,
    /// A defect of this library.
    internal = GECKO_MQTT_ERR_INTERNAL,
    /// The operating system refused a thread, a descriptor or memory.
    system = GECKO_MQTT_ERR_SYSTEM,
};

/// What a status is about. Its number is the hundreds of the status.
enum class StatusGroup : std::int32_t {
    /// Success.
    ok = 0,
    /// Configuration and arguments.
    configuration = 1,
    /// Making the connection, and keeping it.
    connection = 2,
    /// The server does not let this client in.
    authentication = 3,
    /// The application's token provider.
    token_refresh = 4,
    /// The server, or the application, ended the connection.
    disconnection = 5,
    /// Publishing, subscribing and unsubscribing.
    operation = 6,
    /// A defect of the library, or an operating system that refuses.
    internal = 9
};

/// The group of a status.
constexpr StatusGroup group(Status status) noexcept {
    return static_cast<StatusGroup>(static_cast<std::int32_t>(status) / 100);
}

/// A few words for a status: "queue is full".
inline const char *to_string(Status status) noexcept {
    return gecko_mqtt_status_string(static_cast<gecko_mqtt_status_t>(status));
}

/// The name of a group: "authentication"; "unknown" for a number that is none.
constexpr const char *to_string(StatusGroup group) noexcept {
    switch (group) {
    case StatusGroup::ok:
        return "ok";
    case StatusGroup::configuration:
        return "configuration";
    case StatusGroup::connection:
        return "connection";
    case StatusGroup::authentication:
        return "authentication";
    case StatusGroup::token_refresh:
        return "token refresh";
    case StatusGroup::disconnection:
        return "disconnection";
    case StatusGroup::operation:
        return "operation";
    case StatusGroup::internal:
        return "internal";
    }
    return "unknown";
}

/// Writes the words for a status.
template <class Traits>
std::basic_ostream<char, Traits> &operator<<(std::basic_ostream<char, Traits> &out, Status status) {
    return out << to_string(status);
}

/// Writes the name of a group.
template <class Traits>
std::basic_ostream<char, Traits> &operator<<(std::basic_ostream<char, Traits> &out, StatusGroup group) {
    return out << to_string(group);
}

} // namespace GECKO_MQTT_NAMESPACE

#endif
