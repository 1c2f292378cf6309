import Foundation

/// Quality of service.
public enum QoS: UInt8, Hashable, Sendable {
    /// 0: sent once; lost when the connection is.
    case atMostOnce
    /// 1: sent until it is acknowledged; may come twice.
    case atLeastOnce
    /// 2: comes once. AWS IoT has none.
    case exactlyOnce
}

/// One user property of a message. Names may repeat.
public struct UserProperty: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Its value.
    public var value: String

    /// A property.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A message to be published.
public struct Message: Hashable, Sendable {
    /// The topic name, without wildcards.
    public var topic: String
    /// The payload.
    public var payload: Data
    /// Quality of service.
    public var qos: QoS
    /// Published: keep it for later subscribers; received: it was kept.
    public var retain: Bool
    /// Whether the payload is said to be UTF-8 text.
    public var isText = false
    /// MIME type of the payload.
    public var contentType: String?
    /// The topic on which an answer is expected.
    public var responseTopic: String?
    /// What the answer shall carry.
    public var correlationData: Data?
    /// The user properties, in order.
    public var userProperties: [UserProperty] = []
    /// For how long it is worth anything, in whole seconds; nil: without end.
    public var expiry: Duration?

    /// One whose payload is bytes.
    public init(_ topic: String, _ payload: Data = Data(), qos: QoS = .atLeastOnce, retain: Bool = false) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
    }

    /// One whose payload is text.
    public init(_ topic: String, _ text: String, qos: QoS = .atLeastOnce, retain: Bool = false) {
        self.init(topic, Data(text.utf8), qos: qos, retain: retain)
        isText = true
    }

    /// The payload as UTF-8 text.
    public var text: String { String(decoding: payload, as: UTF8.self) }
}

extension Message: CustomStringConvertible {
    /// Topic, quality of service and length; the payload is nobody's business but the application's.
    public var description: String { "Message(\(topic), QoS \(qos.rawValue), \(payload.count) bytes)" }
}

/// A message that was received; it has all that ``Message`` has. It can be kept for as long as it is needed.
@dynamicMemberLookup
public struct ReceivedMessage: Sendable {
    /// What was received. It can be published again.
    public let message: Message
    /// Whether the server has perhaps sent it before.
    public let duplicate: Bool
    /// Identifiers of the subscriptions that it matched.
    public let subscriptionIDs: [UInt32]
    let acknowledgement: Acknowledgement

    /// The members of ``message``.
    public subscript<Member>(dynamicMember member: KeyPath<Message, Member>) -> Member {
        message[keyPath: member]
    }

    /// Tells the server that this message is done with; from any thread, in any order. With ``GeckoMqttOptions/manualAck``
    /// nobody else does; otherwise the loop does when it asks for the next one, and this does it earlier.
    ///
    /// - Returns: whether the server was told: not with QoS 0, not a second time, and not when the connection over which the
    ///   message came is gone, so that the server sends it again.
    @discardableResult
    public func acknowledge() -> Bool {
        acknowledgement.send()
    }
}

extension ReceivedMessage: CustomStringConvertible {
    /// As that of the message.
    public var description: String { message.description }
}

/// The server's answer to an operation.
public struct Ack: Hashable, Sendable {
    /// The MQTT reason code (0..127; for a subscription the quality of service granted); nil with QoS 0.
    public let reasonCode: Int?
    /// The time from writing the packet to its acknowledgement; zero where there was none.
    public let roundTrip: Duration
}
