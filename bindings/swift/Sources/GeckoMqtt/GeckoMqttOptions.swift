import Foundation

/// The settings of a client to be. They are checked when the client is made, which throws the first that is wrong. Nil stands
/// for the library's default, which is in brackets.
public struct GeckoMqttOptions: Sendable {
    /// The server: a host name or an address.
    public var endpoint: String?
    /// The port (0: by authentication, 8883 for a certificate, 443 for an authorizer).
    public var port: Int?
    /// "mqtts://host[:port]", "mqtt://..." without TLS, or Gecko's authorizer URL, which holds all that is needed.
    public var brokerURL: String?
    /// The AWS region: completes an endpoint that is only the prefix of one.
    public var region: String?
    /// The client identifier (generated, the same for the client's life). "": the server chooses one.
    public var clientID: String?
    /// A file with the roots to trust instead of the platform's.
    public var caFile: String?
    /// The roots to trust instead of the platform's: PEM or DER.
    public var caPEM: Data?
    /// The ALPN protocol to offer (by authentication and port).
    public var alpn: String?
    /// The user name; with an authorizer, what comes before its parameters.
    public var username: String?
    /// The password.
    public var password: Data?
    /// The client certificate and its private key.
    public var certificate: ClientCertificate?
    /// The AWS custom authorizer that checks the token.
    public var authorizer: Authorizer?
    /// The first token. Without one the provider is asked.
    public var token: Token?
    /// Who is asked for the first token, if none is set, before each expires, and when the server refused one. It runs in a
    /// task of its own, once at a time, which is cancelled after ``tokenTimeout`` and by ``GeckoMqttClient/close()``. If it
    /// throws, it is asked again later, and the connection lives on meanwhile.
    public var tokenProvider: (@Sendable () async throws -> Token)?
    /// How long the provider may take for one request (30 s); its task is cancelled then.
    public var tokenTimeout: Duration?
    /// How long before its expiry a token is renewed (900 s).
    public var refreshThreshold: Duration?
    /// The keep-alive interval (30 s); zero: none.
    public var keepAlive: Duration?
    /// Whether the first connection of a ``GeckoMqttClient/connect(timeout:)`` starts a new session (true).
    public var cleanStart: Bool?
    /// How long the server shall keep the session after a connection is lost (3600 s); more than 4294967294 s: for ever.
    public var sessionExpiry: Duration?
    /// How many QoS 1 and 2 messages may have been received whose loops are not done with them. The server sends no further
    /// ones before: this is what bounds them.
    public var receiveMaximum = 256
    /// The largest packet that is taken, in bytes (262144).
    public var maxIncomingPacket: Int?
    /// What the server publishes when the connection ends without a DISCONNECT.
    public var will: Message?
    /// How long the server waits before it publishes the will; with a token provider at least 10 s.
    public var willDelay: Duration = .zero
    /// How long one attempt to connect may take, from name resolution to CONNACK (10 s).
    public var connectTimeout: Duration?
    /// How long an acknowledgement may take, from writing the packet (60 s).
    public var operationTimeout: Duration?
    /// How lost connections, and first ones that fail, are tried again.
    public var reconnect = Reconnect()
    /// How much may wait for a connection or an acknowledgement.
    public var queue = Queue()
    /// Whether QoS 0 messages wait for a connection (true), or are refused without one.
    public var offlineQoS0: Bool?
    /// How fast to publish at the most (AWS's quotas at AWS, no limit elsewhere).
    public var pacing: Pacing?
    /// Whether the application acknowledges QoS 1 and 2 messages itself, with ``ReceivedMessage/acknowledge()``.
    public var manualAck = false
    /// How many events ``GeckoMqttClient/connectionHistory()`` remembers (100).
    public var historySize: Int?

    /// All defaults.
    public init() {}

    /// A client certificate, perhaps with its chain, and its private key (PKCS#8, PKCS#1 or SEC1).
    public enum ClientCertificate: Sendable {
        /// Paths of files, PEM or DER.
        case files(certificate: String, key: String)
        /// PEM or DER in memory.
        case pem(certificate: Data, key: Data)
    }

    /// An AWS custom authorizer.
    public struct Authorizer: Sendable {
        /// Its name.
        public var name: String
        /// The name of the parameter that carries the token; nil where user name and password decide.
        public var tokenKey: String?
        /// The token's signature, where the token does not bring its own.
        public var signature: String?

        /// An authorizer.
        public init(_ name: String, tokenKey: String? = nil, signature: String? = nil) {
            self.name = name
            self.tokenKey = tokenKey
            self.signature = signature
        }
    }

    /// Rounds of attempts, with growing delays out of which a random part is taken.
    public struct Reconnect: Hashable, Sendable {
        /// Whether lost connections are made again at all.
        public var enabled = true
        /// Attempts in one round; 0: a round without end.
        public var maxAttempts = 5
        /// Delay before the second attempt.
        public var initialDelay: Duration = .seconds(1)
        /// The longest delay.
        public var maxDelay: Duration = .seconds(60)
        /// How much longer each delay is than the last.
        public var multiplier = 2.0
        /// The longest rest after a round without success; zero: give up for good after one.
        public var cooldown: Duration = .seconds(300)

        /// The library's defaults.
        public init() {}
    }

    /// The bounds of what waits.
    public struct Queue: Hashable, Sendable {
        /// Messages.
        public var maxMessages = 1024
        /// Bytes of topics, payloads and properties.
        public var maxBytes = 4 * 1024 * 1024
        /// What happens when it is too much.
        public var policy = QueuePolicy.rejectNew

        /// The library's defaults.
        public init() {}
    }

    /// What happens to a publish that finds the queue full.
    public enum QueuePolicy: Int32, Hashable, Sendable {
        /// The new one is refused with ``Status/queueFull``.
        case rejectNew
        /// The oldest QoS 0 message that was not yet written is dropped; without one, the new one is refused.
        case dropOldestQoS0
        /// The oldest message that was not yet written is dropped.
        case dropOldest
    }

    /// Rates; 0: no limit.
    public struct Pacing: Hashable, Sendable {
        /// Messages in a second.
        public var publishesPerSecond: Int
        /// Bytes in a second.
        public var bytesPerSecond: Int

        /// Two rates.
        public init(publishesPerSecond: Int = 0, bytesPerSecond: Int = 0) {
            self.publishesPerSecond = publishesPerSecond
            self.bytesPerSecond = bytesPerSecond
        }
    }
}

/// There are secrets in options: neither `print` nor `dump` shows any.
extension GeckoMqttOptions: CustomStringConvertible, CustomReflectable {
    /// The endpoint alone.
    public var description: String { "GeckoMqttOptions(\(endpoint ?? "***"))" }
    /// Tells nothing.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension GeckoMqttOptions.ClientCertificate: CustomStringConvertible, CustomReflectable {
    /// Tells nothing.
    public var description: String { "ClientCertificate(***)" }
    /// Tells nothing.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension GeckoMqttOptions.Authorizer: CustomStringConvertible, CustomReflectable {
    /// The name alone.
    public var description: String { "Authorizer(\(name))" }
    /// Tells nothing.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
