import CGeckoMqtt
import Foundation

/// A message that was accepted.
public struct Delivery: Sendable {
    let promise: Promise<Ack>

    /// Waits until the server has acknowledged it; with QoS 0, until it was written.
    ///
    /// Throws a ``GeckoMqttError`` where it was refused, dropped or expired; with ``Status/outcomeUnknown`` where it was sent,
    /// but nobody knows whether it arrived; with ``Status/cancelled`` where the client was disconnected or closed before.
    public var ack: Ack { get async throws { try await promise.value } }
}

extension GeckoMqttClient {
    /// Publishes a message: also before there is a connection. Comes back when the server has acknowledged it; with QoS 0, when
    /// it was written. Throws what ``Delivery/ack`` throws.
    @discardableResult
    public func publish(_ message: Message) async throws -> Ack {
        try await enqueue(message).ack
    }

    /// The same for a text.
    @discardableResult
    public func publish(
        _ topic: String, _ text: String, qos: QoS = .atLeastOnce, retain: Bool = false
    ) async throws -> Ack {
        try await publish(Message(topic, text, qos: qos, retain: retain))
    }

    /// The same for bytes.
    @discardableResult
    public func publish(
        _ topic: String, _ payload: Data, qos: QoS = .atLeastOnce, retain: Bool = false
    ) async throws -> Ack {
        try await publish(Message(topic, payload, qos: qos, retain: retain))
    }

    /// Publishes without waiting: it is accepted now, in the order of the calls, or this throws. The result tells its end.
    @discardableResult
    public func enqueue(_ message: Message) throws -> Delivery {
        let client = try live()
        let delivery = Delivery(promise: Promise())
        try begin(
            { userdata in
                try message.withC { gecko_mqtt_publish(client.pointer, $0, Completion.function, userdata) }
            },
            { [promise = delivery.promise] in promise.resolve($0) })
        return delivery
    }
}
