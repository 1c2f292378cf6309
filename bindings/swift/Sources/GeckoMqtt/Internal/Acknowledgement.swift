import CGeckoMqtt

/// What the server is told when everybody who got a message is done with it. One that is held by several inboxes is
/// acknowledged by the last.
final class Acknowledgement: Sendable {
    private let received: UInt64
    private let manual: Bool
    private let state: Locked<(holders: Int, sent: Bool)>

    init(received: UInt64, qos: QoS, manual: Bool) {
        self.received = received
        self.manual = manual
        state = Locked((0, qos == .atMostOnce))
    }

    /// Whether nothing is left to tell the server.
    var isSent: Bool { state.withLock { $0.sent } }

    /// Whether a loop that is left leaves nothing to do: also where the application acknowledges, whenever it likes.
    var isFinal: Bool { manual || isSent }

    func hold() {
        state.withLock { $0.holders += 1 }
    }

    /// A holder is done.
    func release() {
        let last = state.withLock { state in
            state.holders -= 1
            return state.holders == 0
        }
        if last, !manual { send() }
    }

    /// Tells the server, once; false where it could not be told.
    @discardableResult
    func send() -> Bool {
        let first = state.withLock { state in
            defer { state.sent = true }
            return !state.sent
        }
        guard first else { return false }
        // C looks at these two members only.
        var message = gecko_mqtt_message_t()
        message.size = UInt32(MemoryLayout<gecko_mqtt_message_t>.size)
        message.received = received
        return gecko_mqtt_message_ack(&message) == GECKO_MQTT_OK
    }
}
