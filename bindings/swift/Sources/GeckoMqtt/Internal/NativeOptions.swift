import CGeckoMqtt
import Foundation

extension GeckoMqttOptions {
    /// Makes a client of C with these options.
    func makeClient(_ provider: TokenProvider?) throws -> Handle {
        guard let options = gecko_mqtt_options_new() else {
            throw GeckoMqttError(.internal, String(cString: gecko_mqtt_last_error_message()))
        }
        defer { gecko_mqtt_options_free(options) }
        try setServer(options)
        try setCredentials(options, provider)
        try setSession(options)
        try setBehaviour(options)
        var client: OpaquePointer?
        try check(gecko_mqtt_client_new(options, &client))
        guard let client else { throw GeckoMqttError(.internal, "there is no client") }
        return Handle(pointer: client)
    }

    private func setServer(_ options: OpaquePointer) throws {
        try set(endpoint) { gecko_mqtt_options_set_endpoint(options, $0) }
        try set(brokerURL) { gecko_mqtt_options_set_broker_url(options, $0) }
        try set(region) { gecko_mqtt_options_set_region(options, $0) }
        try set(clientID) { gecko_mqtt_options_set_client_id(options, $0) }
        try set(caFile) { gecko_mqtt_options_set_ca_file(options, $0) }
        try set(alpn) { gecko_mqtt_options_set_alpn(options, $0) }
        if let port { try check(gecko_mqtt_options_set_port(options, unsigned(port, "a port"))) }
        if let caPEM { try check(withBytes(caPEM) { gecko_mqtt_options_set_ca_pem(options, $0, $1) }) }
    }

    private func setCredentials(_ options: OpaquePointer, _ provider: TokenProvider?) throws {
        try set(username) { gecko_mqtt_options_set_username(options, $0) }
        if let password { try check(withBytes(password) { gecko_mqtt_options_set_password(options, $0, $1) }) }
        try certificate?.set(
            files: { gecko_mqtt_options_set_certificate_file(options, $0, $1) },
            pem: { gecko_mqtt_options_set_certificate_pem(options, $0, $1, $2, $3) })
        if let authorizer {
            try withText(authorizer.name) { name in
                try withText(authorizer.tokenKey) { key in
                    try withText(authorizer.signature) { signature in
                        try check(gecko_mqtt_options_set_authorizer(options, name, key, signature))
                    }
                }
            }
        }
        try token?.withC { try check(gecko_mqtt_options_set_token(options, $0)) }
        if let provider {
            let ask: @Sendable @convention(c) (gecko_mqtt_token_request_t, UnsafeMutableRawPointer?) -> Void = { UserData.object($1, TokenProvider.self)?.ask($0) }
            let userdata = UserData.retain(provider)
            try check(gecko_mqtt_options_set_token_provider(options, ask, userdata, UserData.destroy))
        }
        if let tokenTimeout { try check(gecko_mqtt_options_set_token_timeout_ms(options, milliseconds(tokenTimeout))) }
        if let refreshThreshold {
            let seconds: UInt32 = try seconds(refreshThreshold, "the refresh threshold")
            try check(gecko_mqtt_options_set_refresh_threshold_secs(options, seconds))
        }
    }

    private func setSession(_ options: OpaquePointer) throws {
        if let keepAlive {
            let seconds: UInt16 = try seconds(keepAlive, "the keep-alive interval")
            try check(gecko_mqtt_options_set_keep_alive_secs(options, seconds))
        }
        if let cleanStart { try check(gecko_mqtt_options_set_clean_start(options, cleanStart)) }
        if let sessionExpiry {
            let seconds: UInt32 = try seconds(sessionExpiry, "the session expiry interval")
            try check(gecko_mqtt_options_set_session_expiry_secs(options, seconds))
        }
        try check(gecko_mqtt_options_set_receive_maximum(options, unsigned(receiveMaximum, "the receive maximum")))
        if let maxIncomingPacket {
            let bytes: UInt32 = try unsigned(maxIncomingPacket, "the largest incoming packet")
            try check(gecko_mqtt_options_set_max_incoming_packet(options, bytes))
        }
        if let will {
            let delay: UInt32 = try seconds(willDelay, "the will delay interval")
            try will.withC { try check(gecko_mqtt_options_set_will(options, $0, delay)) }
        }
        // The binding acknowledges when loops are done, or the application does.
        try check(gecko_mqtt_options_set_manual_ack(options, true))
    }

    private func setBehaviour(_ options: OpaquePointer) throws {
        if let connectTimeout {
            try check(gecko_mqtt_options_set_connect_timeout_ms(options, milliseconds(connectTimeout)))
        }
        if let operationTimeout {
            try check(gecko_mqtt_options_set_operation_timeout_ms(options, milliseconds(operationTimeout)))
        }
        try check(
            gecko_mqtt_options_set_reconnect(
                options, reconnect.enabled, unsigned(reconnect.maxAttempts, "the attempts of a round"),
                milliseconds(reconnect.initialDelay), milliseconds(reconnect.maxDelay), reconnect.multiplier))
        let cooldown: UInt32 = try seconds(reconnect.cooldown, "the cool-down")
        try check(gecko_mqtt_options_set_reconnect_cooldown_secs(options, cooldown))
        try check(
            gecko_mqtt_options_set_queue(
                options, unsigned(queue.maxMessages, "the messages of the queue"),
                unsigned(queue.maxBytes, "the bytes of the queue"), queue.policy.rawValue))
        if let offlineQoS0 { try check(gecko_mqtt_options_set_offline_qos0(options, offlineQoS0)) }
        if let pacing {
            try check(
                gecko_mqtt_options_set_pacing(
                    options, unsigned(pacing.publishesPerSecond, "publishes a second"),
                    unsigned(pacing.bytesPerSecond, "bytes a second")))
        }
        if let historySize {
            try check(gecko_mqtt_options_set_history_size(options, unsigned(historySize, "the history")))
        }
    }

    private func set(_ text: String?, _ set: (UnsafePointer<CChar>?) -> gecko_mqtt_status_t) throws {
        guard let text else { return }
        try withText(text) { try check(set($0)) }
    }
}

extension GeckoMqttOptions.ClientCertificate {
    /// Hands it to the function that takes it as it is.
    func set(
        files: (UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> gecko_mqtt_status_t,
        pem: (UnsafePointer<UInt8>?, Int, UnsafePointer<UInt8>?, Int) -> gecko_mqtt_status_t
    ) throws {
        switch self {
        case let .files(certificate, key):
            try withText(certificate) { certificate in
                try withText(key) { try check(files(certificate, $0)) }
            }
        case let .pem(certificate, key):
            try withBytes(certificate) { certificate, certificateCount in
                try withBytes(key) { try check(pem(certificate, certificateCount, $0, $1)) }
            }
        }
    }
}

/// Shows bytes to C for one call; no bytes are not NULL, which would be none.
private func withBytes<Result>(_ data: Data, _ body: (UnsafePointer<UInt8>?, Int) throws -> Result) rethrows -> Result {
    guard !data.isEmpty else {
        var nothing: UInt8 = 0
        return try body(&nothing, 0)
    }
    return try data.withUnsafeBytes { try body($0.bindMemory(to: UInt8.self).baseAddress, $0.count) }
}
