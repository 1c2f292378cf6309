import CGeckoMqtt
import Foundation

/// Memory for what a structure points to, for the time of one call.
final class Arena {
    private var blocks: [UnsafeMutableRawPointer] = []

    /// A copy, with a NUL behind it: NULL would be none, and text of length 0 is read up to its NUL.
    func copy(_ bytes: some Collection<UInt8>) -> (pointer: UnsafeMutableRawPointer, count: Int) {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 1, alignment: 1)
        block.copyBytes(from: bytes)
        block[bytes.count] = 0
        blocks.append(block.baseAddress!)
        return (block.baseAddress!, bytes.count)
    }

    func text(_ text: String) -> (pointer: UnsafePointer<CChar>, count: Int) {
        let (pointer, count) = copy(text.utf8)
        return (UnsafePointer(pointer.assumingMemoryBound(to: CChar.self)), count)
    }

    deinit {
        for block in blocks {
            block.deallocate()
        }
    }
}

extension Message {
    /// Shows it to C for one call.
    func withC<Result>(_ body: (UnsafePointer<gecko_mqtt_message_t>) throws -> Result) throws -> Result {
        let arena = Arena()
        var message = gecko_mqtt_message_t()
        try check(gecko_mqtt_message_init(&message, MemoryLayout<gecko_mqtt_message_t>.size))
        message.qos = qos.rawValue
        message.retain = retain ? 1 : 0
        message.payload_format = isText ? 1 : 0
        (message.topic, message.topic_len) = arena.text(topic)
        if let contentType { (message.content_type, message.content_type_len) = arena.text(contentType) }
        if let responseTopic { (message.response_topic, message.response_topic_len) = arena.text(responseTopic) }
        if let correlationData {
            let (pointer, count) = arena.copy(correlationData)
            (message.correlation_data, message.correlation_data_len) = (UnsafeRawPointer(pointer), count)
        }
        if let expiry { message.message_expiry_secs = try seconds(expiry, "the message expiry interval") }
        let properties = userProperties.map { property in
            var pair = gecko_mqtt_user_property_t()
            (pair.name, pair.name_len) = arena.text(property.name)
            (pair.value, pair.value_len) = arena.text(property.value)
            return pair
        }
        return try withExtendedLifetime(arena) {
            try properties.withUnsafeBufferPointer { properties in
                try payload.withUnsafeBytes { payload in
                    message.user_properties = properties.baseAddress
                    message.user_property_count = properties.count
                    message.payload = payload.baseAddress
                    message.payload_len = payload.count
                    return try body(&message)
                }
            }
        }
    }
}

extension ReceivedMessage {
    /// Copies what C shows for the time of a callback.
    init(_ message: gecko_mqtt_message_t, manual: Bool) {
        let qos = QoS(rawValue: message.qos) ?? .exactlyOnce
        var copy = Message(
            text(message.topic, message.topic_len),
            Data(UnsafeRawBufferPointer(start: message.payload, count: message.payload == nil ? 0 : message.payload_len)),
            qos: qos,
            retain: message.retain != 0
        )
        copy.isText = message.payload_format != 0
        if message.content_type_len > 0 { copy.contentType = text(message.content_type, message.content_type_len) }
        if message.response_topic_len > 0 { copy.responseTopic = text(message.response_topic, message.response_topic_len) }
        if let correlation = message.correlation_data {
            copy.correlationData = Data(UnsafeRawBufferPointer(start: correlation, count: message.correlation_data_len))
        }
        copy.userProperties = UnsafeBufferPointer(start: message.user_properties, count: message.user_property_count)
            .map { UserProperty(text($0.name, $0.name_len), text($0.value, $0.value_len)) }
        if message.message_expiry_secs > 0 { copy.expiry = .seconds(Int64(message.message_expiry_secs)) }
        self.init(
            message: copy,
            duplicate: message.dup != 0,
            subscriptionIDs: Array(
                UnsafeBufferPointer(start: message.subscription_ids, count: message.subscription_id_count)),
            acknowledgement: Acknowledgement(received: message.received, qos: qos, manual: manual)
        )
    }
}

extension Ack {
    /// How C says that an operation ended.
    static func result(_ ack: gecko_mqtt_ack_t) -> Result<Ack, any Error> {
        let reasonCode = ack.reason_code < 0 ? nil : Int(ack.reason_code)
        guard ack.status == GECKO_MQTT_OK else {
            let message = text(ack.error, ack.error_len)
            return .failure(GeckoMqttError(Status(rawValue: ack.status), message, reasonCode: reasonCode))
        }
        return .success(Ack(reasonCode: reasonCode, roundTrip: .milliseconds(Int64(ack.round_trip_ms))))
    }
}
