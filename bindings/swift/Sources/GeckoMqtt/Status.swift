import CGeckoMqtt

/// What a call came to. A later version of the library may tell others than those named here: treat an unknown one by its
/// ``group``.
public struct Status: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number that C calls `gecko_mqtt_status_t`.
    public let rawValue: Int32

    /// The status with that number.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    private init(_ value: Int32) {
        rawValue = value
    }

    /// What kind of failure it is.
    public var group: StatusGroup {
        switch rawValue / 100 {
        case 0: .success
        case 1: .configuration
        case 2: .connection
        case 3: .authentication
        case 4: .tokenRefresh
        case 5: .disconnection
        case 6: .operation
        default: .internal
        }
    }

    /// A few words in English: "queue is full".
    public var description: String {
        String(cString: gecko_mqtt_status_string(rawValue))
    }
}

/// The hundreds of ``Status``.
public enum StatusGroup: Hashable, Sendable {
    /// No failure.
    case success
    /// 1xx: configuration and arguments.
    case configuration
    /// 2xx: the connection.
    case connection
    /// 3xx: authentication.
    case authentication
    /// 4xx: getting a token.
    case tokenRefresh
    /// 5xx: the connection was ended.
    case disconnection
    /// 6xx: publish, subscribe, unsubscribe.
    case operation
    /// 9xx, and whatever a later version may add: the library itself, or the system.
    case `internal`
}

extension Status {
    /// Success.
    public static let ok = Status(GECKO_MQTT_OK)

    /// An argument has a value that makes no sense here.
    public static let invalidArgument = Status(GECKO_MQTT_ERR_INVALID_ARGUMENT)

    /// A pointer that must not be NULL is.
    public static let nullArgument = Status(GECKO_MQTT_ERR_NULL_ARGUMENT)

    /// A handle is not of the type it is used as, or was freed.
    public static let invalidHandle = Status(GECKO_MQTT_ERR_INVALID_HANDLE)

    /// A structure's `size` is 0, or larger than this library knows with a tail that is not zero.
    public static let structSize = Status(GECKO_MQTT_ERR_STRUCT_SIZE)

    /// Text is not UTF-8, or has a character that MQTT forbids.
    public static let invalidUTF8 = Status(GECKO_MQTT_ERR_INVALID_UTF8)

    /// A topic name that MQTT does not allow.
    public static let invalidTopic = Status(GECKO_MQTT_ERR_INVALID_TOPIC)

    /// A topic filter that MQTT does not allow.
    public static let invalidTopicFilter = Status(GECKO_MQTT_ERR_INVALID_TOPIC_FILTER)

    /// A broker URL that cannot be understood.
    public static let invalidURL = Status(GECKO_MQTT_ERR_INVALID_URL)

    /// A number outside the range allowed for it.
    public static let outOfRange = Status(GECKO_MQTT_ERR_OUT_OF_RANGE)

    /// A combination of options that cannot work, or one that is missing.
    public static let invalidConfiguration = Status(GECKO_MQTT_ERR_INVALID_CONFIGURATION)

    /// Understood, but not supported by this build.
    public static let unsupported = Status(GECKO_MQTT_ERR_UNSUPPORTED)

    /// A file cannot be read.
    public static let file = Status(GECKO_MQTT_ERR_FILE)

    /// A certificate cannot be read.
    public static let invalidCertificate = Status(GECKO_MQTT_ERR_INVALID_CERTIFICATE)

    /// A private key cannot be read.
    public static let invalidPrivateKey = Status(GECKO_MQTT_ERR_INVALID_PRIVATE_KEY)

    /// The private key does not belong to the certificate.
    public static let keyMismatch = Status(GECKO_MQTT_ERR_KEY_MISMATCH)

    /// A call made inside a callback that would wait for that very callback.
    public static let wouldDeadlock = Status(GECKO_MQTT_ERR_WOULD_DEADLOCK)

    /// The handle was made before a `fork`, and this is the child.
    public static let forked = Status(GECKO_MQTT_ERR_FORKED)

    /// What is asked for does not exist (any more).
    public static let notFound = Status(GECKO_MQTT_ERR_NOT_FOUND)

    /// The client is being freed.
    public static let closed = Status(GECKO_MQTT_ERR_CLOSED)

    /// The connection failed in a way that no other kind describes.
    public static let connection = Status(GECKO_MQTT_ERR_CONNECTION)

    /// No CONNACK within the connect time-out.
    public static let connectTimeout = Status(GECKO_MQTT_ERR_CONNECT_TIMEOUT)

    /// The name could not be resolved.
    public static let dns = Status(GECKO_MQTT_ERR_DNS)

    /// Nobody listens at that address and port.
    public static let connectionRefused = Status(GECKO_MQTT_ERR_CONNECTION_REFUSED)

    /// No route to the network or host.
    public static let unreachable = Status(GECKO_MQTT_ERR_UNREACHABLE)

    /// The connection broke: reset, or closed without a DISCONNECT.
    public static let connectionLost = Status(GECKO_MQTT_ERR_CONNECTION_LOST)

    /// The server closed the connection after CONNECT, without a CONNACK.
    public static let closedBeforeConnack = Status(GECKO_MQTT_ERR_CLOSED_BEFORE_CONNACK)

    /// The TLS handshake failed in a way that no other kind describes.
    public static let tls = Status(GECKO_MQTT_ERR_TLS)

    /// The server's certificate is for another name.
    public static let tlsHostname = Status(GECKO_MQTT_ERR_TLS_HOSTNAME)

    /// The server's certificate has expired.
    public static let tlsExpired = Status(GECKO_MQTT_ERR_TLS_EXPIRED)

    /// The server's certificate was issued by nobody we trust.
    public static let tlsUnknownIssuer = Status(GECKO_MQTT_ERR_TLS_UNKNOWN_ISSUER)

    /// The server's certificate is not valid yet: most often this device's clock is wrong.
    public static let tlsClock = Status(GECKO_MQTT_ERR_TLS_CLOCK)

    /// The server's certificate is bad in another way (revoked, malformed, wrong purpose, bad signature).
    public static let tlsBadCertificate = Status(GECKO_MQTT_ERR_TLS_BAD_CERTIFICATE)

    /// The server refused our client certificate, or wants one.
    public static let tlsClientCertificate = Status(GECKO_MQTT_ERR_TLS_CLIENT_CERTIFICATE)

    /// Client and server share no ALPN protocol.
    public static let tlsALPN = Status(GECKO_MQTT_ERR_TLS_ALPN)

    /// The server broke the MQTT protocol.
    public static let `protocol` = Status(GECKO_MQTT_ERR_PROTOCOL)

    /// The server sent a packet above our maximum packet size.
    public static let incomingTooLarge = Status(GECKO_MQTT_ERR_INCOMING_TOO_LARGE)

    /// The server did not answer a PINGREQ.
    public static let keepAliveTimeout = Status(GECKO_MQTT_ERR_KEEP_ALIVE_TIMEOUT)

    /// The server refused the connection with a CONNACK that no other kind describes.
    public static let serverRefused = Status(GECKO_MQTT_ERR_SERVER_REFUSED)

    /// The server is unavailable or busy (136, 137).
    public static let serverUnavailable = Status(GECKO_MQTT_ERR_SERVER_UNAVAILABLE)

    /// A quota or a connection rate is exceeded (151, 159).
    public static let quotaExceeded = Status(GECKO_MQTT_ERR_QUOTA_EXCEEDED)

    /// The server does not speak MQTT 5 (132).
    public static let protocolVersion = Status(GECKO_MQTT_ERR_PROTOCOL_VERSION)

    /// The client identifier is refused (133).
    public static let clientIDRejected = Status(GECKO_MQTT_ERR_CLIENT_ID_REJECTED)

    /// The server asks to use another one (156, 157).
    public static let serverMoved = Status(GECKO_MQTT_ERR_SERVER_MOVED)

    /// There is no connection.
    public static let notConnected = Status(GECKO_MQTT_ERR_NOT_CONNECTED)

    /// The server says: not authorized (135).
    public static let notAuthorized = Status(GECKO_MQTT_ERR_NOT_AUTHORIZED)

    /// The server says: bad user name or password (134).
    public static let badCredentials = Status(GECKO_MQTT_ERR_BAD_CREDENTIALS)

    /// The server says: bad authentication method (140).
    public static let badAuthenticationMethod = Status(GECKO_MQTT_ERR_BAD_AUTHENTICATION_METHOD)

    /// The server has banned this client (138).
    public static let banned = Status(GECKO_MQTT_ERR_BANNED)

    /// The token has expired, and there is nobody to ask for another.
    public static let tokenExpired = Status(GECKO_MQTT_ERR_TOKEN_EXPIRED)

    /// The token cannot be used: empty, too long, or not of the form it claims.
    public static let invalidToken = Status(GECKO_MQTT_ERR_INVALID_TOKEN)

    /// The application's provider failed to get a token.
    public static let tokenRefresh = Status(GECKO_MQTT_ERR_TOKEN_REFRESH)

    /// The application's provider did not answer within its time.
    public static let tokenTimeout = Status(GECKO_MQTT_ERR_TOKEN_TIMEOUT)

    /// The server ended the connection with a DISCONNECT that no other kind describes.
    public static let serverDisconnected = Status(GECKO_MQTT_ERR_SERVER_DISCONNECTED)

    /// Another connection with the same client identifier took the session over (142).
    public static let sessionTakenOver = Status(GECKO_MQTT_ERR_SESSION_TAKEN_OVER)

    /// The server is shutting down (139).
    public static let serverShuttingDown = Status(GECKO_MQTT_ERR_SERVER_SHUTTING_DOWN)

    /// An administrator ended the connection (152).
    public static let administrativeAction = Status(GECKO_MQTT_ERR_ADMINISTRATIVE_ACTION)

    /// The application disconnected.
    public static let disconnected = Status(GECKO_MQTT_ERR_DISCONNECTED)

    /// The queue is full, and its policy is to refuse what is new.
    public static let queueFull = Status(GECKO_MQTT_ERR_QUEUE_FULL)

    /// The time is over and nothing was sent: trying again is safe.
    public static let timeout = Status(GECKO_MQTT_ERR_TIMEOUT)

    /// The application cancelled: it disconnected or freed the client before this was sent.
    public static let cancelled = Status(GECKO_MQTT_ERR_CANCELLED)

    /// It was sent, but whether it arrived is not known.
    public static let outcomeUnknown = Status(GECKO_MQTT_ERR_OUTCOME_UNKNOWN)

    /// The server answered with a reason code that means failure.
    public static let refused = Status(GECKO_MQTT_ERR_REFUSED)

    /// Larger than the server's maximum packet size.
    public static let packetTooLarge = Status(GECKO_MQTT_ERR_PACKET_TOO_LARGE)

    /// QoS above what the server supports.
    public static let qosNotSupported = Status(GECKO_MQTT_ERR_QOS_NOT_SUPPORTED)

    /// The server does not support retained messages.
    public static let retainNotSupported = Status(GECKO_MQTT_ERR_RETAIN_NOT_SUPPORTED)

    /// The server does not support this kind of subscription (wildcard, shared, identifiers).
    public static let subscriptionNotSupported = Status(GECKO_MQTT_ERR_SUBSCRIPTION_NOT_SUPPORTED)

    /// Dropped from a full queue, as its policy says; or QoS 0 that a lost connection left behind, as the options say.
    public static let dropped = Status(GECKO_MQTT_ERR_DROPPED)

    /// Its message expiry interval passed before it could be sent.
    public static let expired = Status(GECKO_MQTT_ERR_EXPIRED)

    /// A defect of this library.
    public static let `internal` = Status(GECKO_MQTT_ERR_INTERNAL)

    /// The operating system refused a thread, a descriptor or memory.
    public static let system = Status(GECKO_MQTT_ERR_SYSTEM)
}
