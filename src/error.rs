//! The one error type of the core. It knows no C: `ffi::status` gives each kind its number.

use std::borrow::Cow;

/// Every way in which something can go wrong, grouped as the C status codes are.
///
/// A kind is what a program decides on; the text beside it is for the person who reads the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    // Configuration and arguments: the caller can mend these.
    /// An argument has a value that makes no sense here.
    InvalidArgument,
    /// A pointer that must not be NULL is.
    NullArgument,
    /// A handle is not of the type it is used as, or was freed.
    InvalidHandle,
    /// A structure's `size` is 0, or larger than this library knows with a tail that is not zero.
    StructSize,
    /// Text is not UTF-8, or has a character that MQTT forbids.
    InvalidUtf8,
    /// A topic name that MQTT does not allow.
    InvalidTopic,
    /// A topic filter that MQTT does not allow.
    InvalidTopicFilter,
    /// A broker URL that cannot be understood.
    InvalidUrl,
    /// A number outside the range allowed for it.
    OutOfRange,
    /// A combination of options that cannot work, or one that is missing.
    InvalidConfiguration,
    /// Understood, but not supported by this build.
    Unsupported,
    /// A file cannot be read.
    File,
    /// A certificate cannot be read.
    InvalidCertificate,
    /// A private key cannot be read.
    InvalidPrivateKey,
    /// The private key does not belong to the certificate.
    KeyMismatch,
    /// A call made inside a callback that would wait for that very callback.
    WouldDeadlock,
    /// The handle was made before a `fork`, and this is the child.
    Forked,
    /// What is asked for does not exist (any more).
    NotFound,
    /// The client is being freed.
    Closed,

    // Connection.
    /// The connection failed in a way that no other kind describes.
    Connection,
    /// No CONNACK within the connect time-out.
    ConnectTimeout,
    /// The name could not be resolved.
    Dns,
    /// Nobody listens at that address and port.
    ConnectionRefused,
    /// No route to the network or host.
    Unreachable,
    /// The connection broke: reset, or closed without a DISCONNECT.
    ConnectionLost,
    /// The server closed the connection after CONNECT, without a CONNACK.
    ClosedBeforeConnack,
    /// The TLS handshake failed in a way that no other kind describes.
    Tls,
    /// The server's certificate is for another name.
    TlsHostname,
    /// The server's certificate has expired.
    TlsExpired,
    /// The server's certificate was issued by nobody we trust.
    TlsUnknownIssuer,
    /// The server's certificate is not valid yet: most often this device's clock is wrong.
    TlsClock,
    /// The server's certificate is bad in another way (revoked, malformed, wrong purpose, bad signature).
    TlsBadCertificate,
    /// The server refused our client certificate, or wants one.
    TlsClientCertificate,
    /// Client and server share no ALPN protocol.
    TlsAlpn,
    /// The server broke the MQTT protocol.
    Protocol,
    /// The server sent a packet above our maximum packet size.
    IncomingTooLarge,
    /// The server did not answer a PINGREQ.
    KeepAliveTimeout,
    /// The server refused the connection with a CONNACK that no other kind describes.
    ServerRefused,
    /// The server is unavailable or busy (136, 137).
    ServerUnavailable,
    /// A quota or a connection rate is exceeded (151, 159).
    QuotaExceeded,
    /// The server does not speak MQTT 5 (132).
    ProtocolVersion,
    /// The client identifier is refused (133).
    ClientIdRejected,
    /// The server asks to use another one (156, 157).
    ServerMoved,
    /// There is no connection.
    NotConnected,

    // Authentication.
    /// The server says: not authorized (135).
    NotAuthorized,
    /// The server says: bad user name or password (134).
    BadCredentials,
    /// The server says: bad authentication method (140).
    BadAuthenticationMethod,
    /// The server has banned this client (138).
    Banned,
    /// The token has expired, and there is nobody to ask for another.
    TokenExpired,
    /// The token cannot be used: empty, too long, or not of the form it claims.
    InvalidToken,

    // Token refresh.
    /// The application's provider failed to get a token.
    TokenRefresh,
    /// The application's provider did not answer within its time.
    TokenTimeout,

    // Disconnection.
    /// The server ended the connection with a DISCONNECT that no other kind describes.
    ServerDisconnected,
    /// Another connection with the same client identifier took the session over (142).
    SessionTakenOver,
    /// The server is shutting down (139).
    ServerShuttingDown,
    /// An administrator ended the connection (152).
    AdministrativeAction,
    /// The application disconnected.
    Disconnected,

    // Operations.
    /// The queue is full, and its policy is to refuse what is new.
    QueueFull,
    /// The time is over and nothing was sent: trying again is safe.
    Timeout,
    /// The application cancelled: it disconnected or freed the client before this was sent.
    Cancelled,
    /// It was sent, but whether it arrived is not known.
    OutcomeUnknown,
    /// The server answered with a reason code that means failure.
    Refused,
    /// Larger than the server's maximum packet size.
    PacketTooLarge,
    /// QoS above what the server supports.
    QosNotSupported,
    /// The server does not support retained messages.
    RetainNotSupported,
    /// The server does not support this kind of subscription (wildcard, shared, identifiers).
    SubscriptionNotSupported,
    /// Dropped from a full queue, as its policy says; or QoS 0 without a connection, as the options say.
    Dropped,
    /// Its message expiry interval passed before it could be sent.
    Expired,

    // Internal.
    /// A defect of this library.
    Internal,
    /// The operating system refused a thread, a descriptor or memory.
    System,
}

/// What went wrong, for a program ([`kind`](Self::kind)) and for a person (`Display`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    reason_code: Option<u8>,
    message: Cow<'static, str>,
}

/// The core's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind`, with a text that tells the user what to do next. It must not contain a secret.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, reason_code: None, message: message.into() }
    }

    /// The same, with the MQTT reason code that the server gave.
    pub fn with_reason(mut self, reason_code: u8) -> Self {
        self.reason_code = Some(reason_code);
        self
    }

    /// The same, and one more thing to know.
    pub(crate) fn and(mut self, more: &str) -> Self {
        self.message = format!("{}; {more}", self.message).into();
        self
    }

    /// What a program decides on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The server's MQTT reason code, where it gave one.
    pub fn reason_code(&self) -> Option<u8> {
        self.reason_code
    }

    /// The text for a person.
    pub fn message(&self) -> &str {
        &self.message
    }
}
