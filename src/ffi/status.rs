//! The status codes, and how the core's errors become them.

use crate::ErrorKind;
use std::ffi::{CStr, c_char};

/// What a call came to: #GECKO_MQTT_OK (0), or one of the GECKO_MQTT_ERR_ values, which are positive and
/// grouped: 1xx configuration and arguments, 2xx connection, 3xx authentication, 4xx token refresh, 5xx
/// disconnection, 6xx operations, 9xx internal. A later version may add values: treat an unknown one by its
/// group.
pub type gecko_mqtt_status_t = i32;

/// Success.
pub const GECKO_MQTT_OK: gecko_mqtt_status_t = 0;

// 1xx: configuration and arguments; the caller can mend these.
/// An argument has a value that makes no sense here.
pub const GECKO_MQTT_ERR_INVALID_ARGUMENT: gecko_mqtt_status_t = 100;
/// A pointer that must not be NULL is.
pub const GECKO_MQTT_ERR_NULL_ARGUMENT: gecko_mqtt_status_t = 101;
/// A handle is not of the type it is used as, or was freed.
pub const GECKO_MQTT_ERR_INVALID_HANDLE: gecko_mqtt_status_t = 102;
/// A structure's `size` is 0, or larger than this library knows with a tail that is not zero.
pub const GECKO_MQTT_ERR_STRUCT_SIZE: gecko_mqtt_status_t = 103;
/// Text is not UTF-8, or has a character that MQTT forbids.
pub const GECKO_MQTT_ERR_INVALID_UTF8: gecko_mqtt_status_t = 104;
/// A topic name that MQTT does not allow.
pub const GECKO_MQTT_ERR_INVALID_TOPIC: gecko_mqtt_status_t = 105;
/// A topic filter that MQTT does not allow.
pub const GECKO_MQTT_ERR_INVALID_TOPIC_FILTER: gecko_mqtt_status_t = 106;
/// A broker URL that cannot be understood.
pub const GECKO_MQTT_ERR_INVALID_URL: gecko_mqtt_status_t = 107;
/// A number outside the range allowed for it.
pub const GECKO_MQTT_ERR_OUT_OF_RANGE: gecko_mqtt_status_t = 108;
/// A combination of options that cannot work, or one that is missing.
pub const GECKO_MQTT_ERR_INVALID_CONFIGURATION: gecko_mqtt_status_t = 109;
/// Understood, but not supported by this build.
pub const GECKO_MQTT_ERR_UNSUPPORTED: gecko_mqtt_status_t = 110;
/// A file cannot be read.
pub const GECKO_MQTT_ERR_FILE: gecko_mqtt_status_t = 111;
/// A certificate cannot be read.
pub const GECKO_MQTT_ERR_INVALID_CERTIFICATE: gecko_mqtt_status_t = 112;
/// A private key cannot be read.
pub const GECKO_MQTT_ERR_INVALID_PRIVATE_KEY: gecko_mqtt_status_t = 113;
/// The private key does not belong to the certificate.
pub const GECKO_MQTT_ERR_KEY_MISMATCH: gecko_mqtt_status_t = 114;
/// A call made inside a callback that would wait for that very callback.
pub const GECKO_MQTT_ERR_WOULD_DEADLOCK: gecko_mqtt_status_t = 115;
/// The handle was made before a `fork`, and this is the child.
pub const GECKO_MQTT_ERR_FORKED: gecko_mqtt_status_t = 116;
/// What is asked for does not exist (any more).
pub const GECKO_MQTT_ERR_NOT_FOUND: gecko_mqtt_status_t = 117;
/// The client is being freed.
pub const GECKO_MQTT_ERR_CLOSED: gecko_mqtt_status_t = 118;

// 2xx: connection.
/// The connection failed in a way that no other kind describes.
pub const GECKO_MQTT_ERR_CONNECTION: gecko_mqtt_status_t = 200;
/// No CONNACK within the connect time-out.
pub const GECKO_MQTT_ERR_CONNECT_TIMEOUT: gecko_mqtt_status_t = 201;
/// The name could not be resolved.
pub const GECKO_MQTT_ERR_DNS: gecko_mqtt_status_t = 202;
/// Nobody listens at that address and port.
pub const GECKO_MQTT_ERR_CONNECTION_REFUSED: gecko_mqtt_status_t = 203;
/// No route to the network or host.
pub const GECKO_MQTT_ERR_UNREACHABLE: gecko_mqtt_status_t = 204;
/// The connection broke: reset, or closed without a DISCONNECT.
pub const GECKO_MQTT_ERR_CONNECTION_LOST: gecko_mqtt_status_t = 205;
/// The server closed the connection after CONNECT, without a CONNACK.
pub const GECKO_MQTT_ERR_CLOSED_BEFORE_CONNACK: gecko_mqtt_status_t = 206;
/// The TLS handshake failed in a way that no other kind describes.
pub const GECKO_MQTT_ERR_TLS: gecko_mqtt_status_t = 207;
/// The server's certificate is for another name.
pub const GECKO_MQTT_ERR_TLS_HOSTNAME: gecko_mqtt_status_t = 208;
/// The server's certificate has expired.
pub const GECKO_MQTT_ERR_TLS_EXPIRED: gecko_mqtt_status_t = 209;
/// The server's certificate was issued by nobody we trust.
pub const GECKO_MQTT_ERR_TLS_UNKNOWN_ISSUER: gecko_mqtt_status_t = 210;
/// The server's certificate is not valid yet: most often this device's clock is wrong.
pub const GECKO_MQTT_ERR_TLS_CLOCK: gecko_mqtt_status_t = 211;
/// The server's certificate is bad in another way (revoked, malformed, wrong purpose, bad signature).
pub const GECKO_MQTT_ERR_TLS_BAD_CERTIFICATE: gecko_mqtt_status_t = 212;
/// The server refused our client certificate, or wants one.
pub const GECKO_MQTT_ERR_TLS_CLIENT_CERTIFICATE: gecko_mqtt_status_t = 213;
/// Client and server share no ALPN protocol.
pub const GECKO_MQTT_ERR_TLS_ALPN: gecko_mqtt_status_t = 214;
/// The server broke the MQTT protocol.
pub const GECKO_MQTT_ERR_PROTOCOL: gecko_mqtt_status_t = 215;
/// The server sent a packet above our maximum packet size.
pub const GECKO_MQTT_ERR_INCOMING_TOO_LARGE: gecko_mqtt_status_t = 216;
/// The server did not answer a PINGREQ.
pub const GECKO_MQTT_ERR_KEEP_ALIVE_TIMEOUT: gecko_mqtt_status_t = 217;
/// The server refused the connection with a CONNACK that no other kind describes.
pub const GECKO_MQTT_ERR_SERVER_REFUSED: gecko_mqtt_status_t = 218;
/// The server is unavailable or busy (136, 137).
pub const GECKO_MQTT_ERR_SERVER_UNAVAILABLE: gecko_mqtt_status_t = 219;
/// A quota or a connection rate is exceeded (151, 159).
pub const GECKO_MQTT_ERR_QUOTA_EXCEEDED: gecko_mqtt_status_t = 220;
/// The server does not speak MQTT 5 (132).
pub const GECKO_MQTT_ERR_PROTOCOL_VERSION: gecko_mqtt_status_t = 221;
/// The client identifier is refused (133).
pub const GECKO_MQTT_ERR_CLIENT_ID_REJECTED: gecko_mqtt_status_t = 222;
/// The server asks to use another one (156, 157).
pub const GECKO_MQTT_ERR_SERVER_MOVED: gecko_mqtt_status_t = 223;
/// There is no connection.
pub const GECKO_MQTT_ERR_NOT_CONNECTED: gecko_mqtt_status_t = 224;

// 3xx: authentication.
/// The server says: not authorized (135).
pub const GECKO_MQTT_ERR_NOT_AUTHORIZED: gecko_mqtt_status_t = 300;
/// The server says: bad user name or password (134).
pub const GECKO_MQTT_ERR_BAD_CREDENTIALS: gecko_mqtt_status_t = 301;
/// The server says: bad authentication method (140).
pub const GECKO_MQTT_ERR_BAD_AUTHENTICATION_METHOD: gecko_mqtt_status_t = 302;
/// The server has banned this client (138).
pub const GECKO_MQTT_ERR_BANNED: gecko_mqtt_status_t = 303;
/// The token has expired, and there is nobody to ask for another.
pub const GECKO_MQTT_ERR_TOKEN_EXPIRED: gecko_mqtt_status_t = 304;
/// The token cannot be used: empty, too long, or not of the form it claims.
pub const GECKO_MQTT_ERR_INVALID_TOKEN: gecko_mqtt_status_t = 305;

// 4xx: token refresh.
/// The application's provider failed to get a token.
pub const GECKO_MQTT_ERR_TOKEN_REFRESH: gecko_mqtt_status_t = 400;
/// The application's provider did not answer within its time.
pub const GECKO_MQTT_ERR_TOKEN_TIMEOUT: gecko_mqtt_status_t = 401;

// 5xx: disconnection.
/// The server ended the connection with a DISCONNECT that no other kind describes.
pub const GECKO_MQTT_ERR_SERVER_DISCONNECTED: gecko_mqtt_status_t = 500;
/// Another connection with the same client identifier took the session over (142).
pub const GECKO_MQTT_ERR_SESSION_TAKEN_OVER: gecko_mqtt_status_t = 501;
/// The server is shutting down (139).
pub const GECKO_MQTT_ERR_SERVER_SHUTTING_DOWN: gecko_mqtt_status_t = 502;
/// An administrator ended the connection (152).
pub const GECKO_MQTT_ERR_ADMINISTRATIVE_ACTION: gecko_mqtt_status_t = 503;
/// The application disconnected.
pub const GECKO_MQTT_ERR_DISCONNECTED: gecko_mqtt_status_t = 504;

// 6xx: operations (publish, subscribe, and waiting for them).
/// The queue is full, and its policy is to refuse what is new.
pub const GECKO_MQTT_ERR_QUEUE_FULL: gecko_mqtt_status_t = 600;
/// The time is over and nothing was sent: trying again is safe.
pub const GECKO_MQTT_ERR_TIMEOUT: gecko_mqtt_status_t = 601;
/// The application cancelled: it disconnected or freed the client before this was sent.
pub const GECKO_MQTT_ERR_CANCELLED: gecko_mqtt_status_t = 602;
/// It was sent, but whether it arrived is not known.
pub const GECKO_MQTT_ERR_OUTCOME_UNKNOWN: gecko_mqtt_status_t = 603;
/// The server answered with a reason code that means failure.
pub const GECKO_MQTT_ERR_REFUSED: gecko_mqtt_status_t = 604;
/// Larger than the server's maximum packet size.
pub const GECKO_MQTT_ERR_PACKET_TOO_LARGE: gecko_mqtt_status_t = 605;
/// QoS above what the server supports.
pub const GECKO_MQTT_ERR_QOS_NOT_SUPPORTED: gecko_mqtt_status_t = 606;
/// The server does not support retained messages.
pub const GECKO_MQTT_ERR_RETAIN_NOT_SUPPORTED: gecko_mqtt_status_t = 607;
/// The server does not support this kind of subscription (wildcard, shared, identifiers).
pub const GECKO_MQTT_ERR_SUBSCRIPTION_NOT_SUPPORTED: gecko_mqtt_status_t = 608;
/// Dropped from a full queue, as its policy says; or QoS 0 that a lost connection left behind, as the options say.
pub const GECKO_MQTT_ERR_DROPPED: gecko_mqtt_status_t = 609;
/// Its message expiry interval passed before it could be sent.
pub const GECKO_MQTT_ERR_EXPIRED: gecko_mqtt_status_t = 610;

// 9xx: internal.
/// A defect of this library.
pub const GECKO_MQTT_ERR_INTERNAL: gecko_mqtt_status_t = 900;
/// The operating system refused a thread, a descriptor or memory.
pub const GECKO_MQTT_ERR_SYSTEM: gecko_mqtt_status_t = 901;

/// The number of a kind; exhaustive, so that a new kind cannot be forgotten.
pub(super) const fn code(kind: ErrorKind) -> gecko_mqtt_status_t {
    match kind {
        ErrorKind::InvalidArgument => GECKO_MQTT_ERR_INVALID_ARGUMENT,
        ErrorKind::NullArgument => GECKO_MQTT_ERR_NULL_ARGUMENT,
        ErrorKind::InvalidHandle => GECKO_MQTT_ERR_INVALID_HANDLE,
        ErrorKind::StructSize => GECKO_MQTT_ERR_STRUCT_SIZE,
        ErrorKind::InvalidUtf8 => GECKO_MQTT_ERR_INVALID_UTF8,
        ErrorKind::InvalidTopic => GECKO_MQTT_ERR_INVALID_TOPIC,
        ErrorKind::InvalidTopicFilter => GECKO_MQTT_ERR_INVALID_TOPIC_FILTER,
        ErrorKind::InvalidUrl => GECKO_MQTT_ERR_INVALID_URL,
        ErrorKind::OutOfRange => GECKO_MQTT_ERR_OUT_OF_RANGE,
        ErrorKind::InvalidConfiguration => GECKO_MQTT_ERR_INVALID_CONFIGURATION,
        ErrorKind::Unsupported => GECKO_MQTT_ERR_UNSUPPORTED,
        ErrorKind::File => GECKO_MQTT_ERR_FILE,
        ErrorKind::InvalidCertificate => GECKO_MQTT_ERR_INVALID_CERTIFICATE,
        ErrorKind::InvalidPrivateKey => GECKO_MQTT_ERR_INVALID_PRIVATE_KEY,
        ErrorKind::KeyMismatch => GECKO_MQTT_ERR_KEY_MISMATCH,
        ErrorKind::WouldDeadlock => GECKO_MQTT_ERR_WOULD_DEADLOCK,
        ErrorKind::Forked => GECKO_MQTT_ERR_FORKED,
        ErrorKind::NotFound => GECKO_MQTT_ERR_NOT_FOUND,
        ErrorKind::Closed => GECKO_MQTT_ERR_CLOSED,
        ErrorKind::Connection => GECKO_MQTT_ERR_CONNECTION,
        ErrorKind::ConnectTimeout => GECKO_MQTT_ERR_CONNECT_TIMEOUT,
        ErrorKind::Dns => GECKO_MQTT_ERR_DNS,
        ErrorKind::ConnectionRefused => GECKO_MQTT_ERR_CONNECTION_REFUSED,
        ErrorKind::Unreachable => GECKO_MQTT_ERR_UNREACHABLE,
        ErrorKind::ConnectionLost => GECKO_MQTT_ERR_CONNECTION_LOST,
        ErrorKind::ClosedBeforeConnack => GECKO_MQTT_ERR_CLOSED_BEFORE_CONNACK,
        ErrorKind::Tls => GECKO_MQTT_ERR_TLS,
        ErrorKind::TlsHostname => GECKO_MQTT_ERR_TLS_HOSTNAME,
        ErrorKind::TlsExpired => GECKO_MQTT_ERR_TLS_EXPIRED,
        ErrorKind::TlsUnknownIssuer => GECKO_MQTT_ERR_TLS_UNKNOWN_ISSUER,
        ErrorKind::TlsClock => GECKO_MQTT_ERR_TLS_CLOCK,
        ErrorKind::TlsBadCertificate => GECKO_MQTT_ERR_TLS_BAD_CERTIFICATE,
        ErrorKind::TlsClientCertificate => GECKO_MQTT_ERR_TLS_CLIENT_CERTIFICATE,
        ErrorKind::TlsAlpn => GECKO_MQTT_ERR_TLS_ALPN,
        ErrorKind::Protocol => GECKO_MQTT_ERR_PROTOCOL,
        ErrorKind::IncomingTooLarge => GECKO_MQTT_ERR_INCOMING_TOO_LARGE,
        ErrorKind::KeepAliveTimeout => GECKO_MQTT_ERR_KEEP_ALIVE_TIMEOUT,
        ErrorKind::ServerRefused => GECKO_MQTT_ERR_SERVER_REFUSED,
        ErrorKind::ServerUnavailable => GECKO_MQTT_ERR_SERVER_UNAVAILABLE,
        ErrorKind::QuotaExceeded => GECKO_MQTT_ERR_QUOTA_EXCEEDED,
        ErrorKind::ProtocolVersion => GECKO_MQTT_ERR_PROTOCOL_VERSION,
        ErrorKind::ClientIdRejected => GECKO_MQTT_ERR_CLIENT_ID_REJECTED,
        ErrorKind::ServerMoved => GECKO_MQTT_ERR_SERVER_MOVED,
        ErrorKind::NotConnected => GECKO_MQTT_ERR_NOT_CONNECTED,
        ErrorKind::NotAuthorized => GECKO_MQTT_ERR_NOT_AUTHORIZED,
        ErrorKind::BadCredentials => GECKO_MQTT_ERR_BAD_CREDENTIALS,
        ErrorKind::BadAuthenticationMethod => GECKO_MQTT_ERR_BAD_AUTHENTICATION_METHOD,
        ErrorKind::Banned => GECKO_MQTT_ERR_BANNED,
        ErrorKind::TokenExpired => GECKO_MQTT_ERR_TOKEN_EXPIRED,
        ErrorKind::InvalidToken => GECKO_MQTT_ERR_INVALID_TOKEN,
        ErrorKind::TokenRefresh => GECKO_MQTT_ERR_TOKEN_REFRESH,
        ErrorKind::TokenTimeout => GECKO_MQTT_ERR_TOKEN_TIMEOUT,
        ErrorKind::ServerDisconnected => GECKO_MQTT_ERR_SERVER_DISCONNECTED,
        ErrorKind::SessionTakenOver => GECKO_MQTT_ERR_SESSION_TAKEN_OVER,
        ErrorKind::ServerShuttingDown => GECKO_MQTT_ERR_SERVER_SHUTTING_DOWN,
        ErrorKind::AdministrativeAction => GECKO_MQTT_ERR_ADMINISTRATIVE_ACTION,
        ErrorKind::Disconnected => GECKO_MQTT_ERR_DISCONNECTED,
        ErrorKind::QueueFull => GECKO_MQTT_ERR_QUEUE_FULL,
        ErrorKind::Timeout => GECKO_MQTT_ERR_TIMEOUT,
        ErrorKind::Cancelled => GECKO_MQTT_ERR_CANCELLED,
        ErrorKind::OutcomeUnknown => GECKO_MQTT_ERR_OUTCOME_UNKNOWN,
        ErrorKind::Refused => GECKO_MQTT_ERR_REFUSED,
        ErrorKind::PacketTooLarge => GECKO_MQTT_ERR_PACKET_TOO_LARGE,
        ErrorKind::QosNotSupported => GECKO_MQTT_ERR_QOS_NOT_SUPPORTED,
        ErrorKind::RetainNotSupported => GECKO_MQTT_ERR_RETAIN_NOT_SUPPORTED,
        ErrorKind::SubscriptionNotSupported => GECKO_MQTT_ERR_SUBSCRIPTION_NOT_SUPPORTED,
        ErrorKind::Dropped => GECKO_MQTT_ERR_DROPPED,
        ErrorKind::Expired => GECKO_MQTT_ERR_EXPIRED,
        ErrorKind::Internal => GECKO_MQTT_ERR_INTERNAL,
        ErrorKind::System => GECKO_MQTT_ERR_SYSTEM,
    }
}

/// A few words for a status, in English: "queue is full". Never NULL; "unknown status" for a number that is
/// none.
///
/// What exactly went wrong, and what to do about it, is in gecko_mqtt_last_error_message().
///
/// @param status the status.
/// @return a static, NUL-terminated text.
/// @par Threads
/// Any, also after a fork.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_status_string(status: gecko_mqtt_status_t) -> *const c_char {
    words(status).as_ptr()
}

const fn words(status: gecko_mqtt_status_t) -> &'static CStr {
    match status {
        GECKO_MQTT_OK => c"success",
        GECKO_MQTT_ERR_INVALID_ARGUMENT => c"invalid argument",
        GECKO_MQTT_ERR_NULL_ARGUMENT => c"argument is NULL",
        GECKO_MQTT_ERR_INVALID_HANDLE => c"invalid handle",
        GECKO_MQTT_ERR_STRUCT_SIZE => c"invalid structure size",
        GECKO_MQTT_ERR_INVALID_UTF8 => c"text is not valid UTF-8",
        GECKO_MQTT_ERR_INVALID_TOPIC => c"invalid topic name",
        GECKO_MQTT_ERR_INVALID_TOPIC_FILTER => c"invalid topic filter",
        GECKO_MQTT_ERR_INVALID_URL => c"invalid broker URL",
        GECKO_MQTT_ERR_OUT_OF_RANGE => c"value out of range",
        GECKO_MQTT_ERR_INVALID_CONFIGURATION => c"invalid configuration",
        GECKO_MQTT_ERR_UNSUPPORTED => c"not supported by this build",
        GECKO_MQTT_ERR_FILE => c"file cannot be read",
        GECKO_MQTT_ERR_INVALID_CERTIFICATE => c"invalid certificate",
        GECKO_MQTT_ERR_INVALID_PRIVATE_KEY => c"invalid private key",
        GECKO_MQTT_ERR_KEY_MISMATCH => c"private key does not belong to the certificate",
        GECKO_MQTT_ERR_WOULD_DEADLOCK => c"would wait for the calling callback",
        GECKO_MQTT_ERR_FORKED => c"made before a fork",
        GECKO_MQTT_ERR_NOT_FOUND => c"not found",
        GECKO_MQTT_ERR_CLOSED => c"client is being freed",
        GECKO_MQTT_ERR_CONNECTION => c"connection failed",
        GECKO_MQTT_ERR_CONNECT_TIMEOUT => c"no answer within the connect time-out",
        GECKO_MQTT_ERR_DNS => c"name cannot be resolved",
        GECKO_MQTT_ERR_CONNECTION_REFUSED => c"connection refused",
        GECKO_MQTT_ERR_UNREACHABLE => c"network or host unreachable",
        GECKO_MQTT_ERR_CONNECTION_LOST => c"connection lost",
        GECKO_MQTT_ERR_CLOSED_BEFORE_CONNACK => c"server closed the connection after CONNECT",
        GECKO_MQTT_ERR_TLS => c"TLS handshake failed",
        GECKO_MQTT_ERR_TLS_HOSTNAME => c"server's certificate is for another name",
        GECKO_MQTT_ERR_TLS_EXPIRED => c"server's certificate has expired",
        GECKO_MQTT_ERR_TLS_UNKNOWN_ISSUER => c"server's certificate has an unknown issuer",
        GECKO_MQTT_ERR_TLS_CLOCK => c"server's certificate is not valid yet: is the clock right?",
        GECKO_MQTT_ERR_TLS_BAD_CERTIFICATE => c"server's certificate is bad",
        GECKO_MQTT_ERR_TLS_CLIENT_CERTIFICATE => c"server refused the client certificate",
        GECKO_MQTT_ERR_TLS_ALPN => c"no common ALPN protocol",
        GECKO_MQTT_ERR_PROTOCOL => c"server broke the MQTT protocol",
        GECKO_MQTT_ERR_INCOMING_TOO_LARGE => c"incoming packet too large",
        GECKO_MQTT_ERR_KEEP_ALIVE_TIMEOUT => c"keep alive timed out",
        GECKO_MQTT_ERR_SERVER_REFUSED => c"server refused the connection",
        GECKO_MQTT_ERR_SERVER_UNAVAILABLE => c"server unavailable or busy",
        GECKO_MQTT_ERR_QUOTA_EXCEEDED => c"quota exceeded",
        GECKO_MQTT_ERR_PROTOCOL_VERSION => c"server does not speak MQTT 5",
        GECKO_MQTT_ERR_CLIENT_ID_REJECTED => c"client identifier rejected",
        GECKO_MQTT_ERR_SERVER_MOVED => c"server has moved",
        GECKO_MQTT_ERR_NOT_CONNECTED => c"not connected",
        GECKO_MQTT_ERR_NOT_AUTHORIZED => c"not authorized",
        GECKO_MQTT_ERR_BAD_CREDENTIALS => c"bad user name or password",
        GECKO_MQTT_ERR_BAD_AUTHENTICATION_METHOD => c"bad authentication method",
        GECKO_MQTT_ERR_BANNED => c"banned by the server",
        GECKO_MQTT_ERR_TOKEN_EXPIRED => c"token has expired",
        GECKO_MQTT_ERR_INVALID_TOKEN => c"invalid token",
        GECKO_MQTT_ERR_TOKEN_REFRESH => c"token refresh failed",
        GECKO_MQTT_ERR_TOKEN_TIMEOUT => c"token refresh timed out",
        GECKO_MQTT_ERR_SERVER_DISCONNECTED => c"disconnected by the server",
        GECKO_MQTT_ERR_SESSION_TAKEN_OVER => c"session taken over by another connection",
        GECKO_MQTT_ERR_SERVER_SHUTTING_DOWN => c"server is shutting down",
        GECKO_MQTT_ERR_ADMINISTRATIVE_ACTION => c"disconnected by an administrator",
        GECKO_MQTT_ERR_DISCONNECTED => c"disconnected by the application",
        GECKO_MQTT_ERR_QUEUE_FULL => c"queue is full",
        GECKO_MQTT_ERR_TIMEOUT => c"timed out, nothing was sent",
        GECKO_MQTT_ERR_CANCELLED => c"cancelled before it was sent",
        GECKO_MQTT_ERR_OUTCOME_UNKNOWN => c"sent, outcome unknown",
        GECKO_MQTT_ERR_REFUSED => c"refused by the server",
        GECKO_MQTT_ERR_PACKET_TOO_LARGE => c"larger than the server's maximum packet size",
        GECKO_MQTT_ERR_QOS_NOT_SUPPORTED => c"QoS not supported by the server",
        GECKO_MQTT_ERR_RETAIN_NOT_SUPPORTED => c"retained messages not supported by the server",
        GECKO_MQTT_ERR_SUBSCRIPTION_NOT_SUPPORTED => c"subscription not supported by the server",
        GECKO_MQTT_ERR_DROPPED => c"dropped from the queue",
        GECKO_MQTT_ERR_EXPIRED => c"message expired before it was sent",
        GECKO_MQTT_ERR_INTERNAL => c"internal error",
        GECKO_MQTT_ERR_SYSTEM => c"refused by the operating system",
        _ => c"unknown status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_begin_where_they_should() {
        assert_eq!(code(ErrorKind::InvalidArgument), 100);
        assert_eq!(code(ErrorKind::Connection), 200);
        assert_eq!(code(ErrorKind::NotAuthorized), 300);
        assert_eq!(code(ErrorKind::TokenRefresh), 400);
        assert_eq!(code(ErrorKind::ServerDisconnected), 500);
        assert_eq!(code(ErrorKind::QueueFull), 600);
        assert_eq!(code(ErrorKind::Internal), 900);
    }

    #[test]
    fn no_two_statuses_read_the_same() {
        let mut seen = std::collections::HashSet::new();
        let known: Vec<_> = (0..1000).map(words).filter(|text| *text != c"unknown status").collect();
        assert!(known.len() > 60 && known.iter().all(|text| seen.insert(*text)));
        assert_eq!(words(-1), c"unknown status");
    }
}
