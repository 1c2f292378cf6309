import CGeckoMqtt
import Foundation

/// A client: keeps one connection. Any task, actor and thread may use it, many at a time.
///
/// It lives, connected, until ``close()``, or until nobody has it, a subscription or a stream of it any more. No function here
/// blocks: those that wait are `async`. When their task is cancelled they throw `CancellationError` at once, and what they began
/// goes on: a message that was accepted is still published, a connection still made.
public final class GeckoMqttClient: Sendable {
    let handle: Handle
    let listener: Listener
    private let receiveMaximum: Int
    private let provider: TokenProvider?
    private let closed = Locked(false)

    /// How many messages wait for a loop before those of QoS 0 are dropped, unless another number is given.
    public static let defaultCapacity = 256

    /// Makes a client, which does nothing before ``connect(timeout:)``.
    ///
    /// Throws a ``GeckoMqttError`` for the first option that is wrong.
    public init(_ options: GeckoMqttOptions) throws {
        receiveMaximum = options.receiveMaximum
        listener = Listener(manual: options.manualAck)
        provider = options.tokenProvider.map { TokenProvider($0, timeout: options.tokenTimeout) }
        handle = try options.makeClient(provider)
        // Where this fails, deinit frees the client: all members are there.
        try listener.register(handle)
    }

    /// The same: `GeckoMqttClient { $0.brokerURL = url }`.
    public convenience init(_ configure: (inout GeckoMqttOptions) throws -> Void) throws {
        var options = GeckoMqttOptions()
        try configure(&options)
        try self.init(options)
    }

    deinit {
        close()
    }

    /// Whether a live connection is there.
    public var isConnected: Bool {
        !closed.withLock { $0 } && gecko_mqtt_is_connected(handle.pointer)
    }

    /// What the connection is doing, as it was told last.
    public var connectionState: ConnectionState { listener.states.last ?? .disconnected }

    /// What the connection is doing, beginning with what it does now; each use is a stream of its own. One that is 256 behind
    /// misses the oldest. It ends with ``close()``.
    public var connectionStates: AsyncStream<ConnectionState> { listener.states.stream(owner: self) }

    /// What happens to the connection from now on: attempts, failures and their causes, waits. One that is 256 behind misses the
    /// oldest; ``connectionHistory()`` has the last hundred. It ends with ``close()``.
    public var events: AsyncStream<ConnectionEvent> { listener.events.stream(owner: self) }

    /// What ``changeState(_:)`` changes from now on. It ends with ``close()``.
    public var stateChanges: AsyncStream<String> { listener.stateChanges.stream(owner: self) }

    /// Messages that match no subscription of this client: those that a session brings which the server still has from an
    /// earlier process, until ``requestSubscription(_:capacity:)`` has been called for them. Where no loop takes them they are
    /// acknowledged and dropped. Each loop has all of them.
    public var unmatchedMessages: Messages {
        let limit = 2 * receiveMaximum
        let newInbox: @Sendable () -> Inbox = { Inbox(capacity: Self.defaultCapacity, reliableLimit: limit) }
        return Messages(.unmatched(listener.router, newInbox), owner: self)
    }

    /// The client identifier in use.
    public var clientID: String {
        get throws {
            let client = try live()
            return try ownedText { gecko_mqtt_get_client_id(client.pointer, $0) }
        }
    }

    /// Connects, and keeps connected from then on, as the options say. Comes back when it is connected.
    ///
    /// Throws a ``GeckoMqttError`` that tells why the round of attempts, or the last attempt before the time was over, failed.
    ///
    /// - Parameter timeout: how long to wait; nil: as ``GeckoMqttOptions/connectTimeout`` says; zero: only start. When the time
    ///   is over, or the task is cancelled, it goes on in the background.
    public func connect(timeout: Duration? = nil) async throws {
        let client = try live()
        try await whileOpen { gecko_mqtt_connect(client.pointer, milliseconds(timeout)) }
    }

    /// Lets the accepted messages go out and those that have come reach their sequences, then disconnects. ``close()``
    /// follows when the client is not needed any more.
    ///
    /// - Parameter timeout: how long that may take; nil: as ``GeckoMqttOptions/operationTimeout`` says.
    public func disconnect(timeout: Duration? = nil) async throws {
        let client = try live()
        try await whileOpen { gecko_mqtt_disconnect(client.pointer, milliseconds(timeout)) }
    }

    private func whileOpen(_ call: @escaping @Sendable () -> gecko_mqtt_status_t) async throws {
        do {
            try await waiting(call)
        } catch let error as GeckoMqttError {
            throw closed.withLock { $0 } ? GeckoMqttError.closed : error
        }
    }

    /// The network is another one, or is back: tries now instead of waiting, or checks the live connection now.
    public func networkChanged() throws {
        try check(gecko_mqtt_network_changed(live().pointer))
    }

    /// Whether a connection that is lost is made again.
    public var isReconnectionEnabled: Bool {
        !closed.withLock { $0 } && gecko_mqtt_is_reconnection_enabled(handle.pointer)
    }

    /// Whether a connection that is lost is made again, from now on.
    public func setReconnectionEnabled(_ enabled: Bool) throws {
        let client = try live().pointer
        try check(enabled ? gecko_mqtt_enable_reconnection(client) : gecko_mqtt_disable_reconnection(client))
    }

    /// Gives it a fresh token; a live connection is rotated onto it, without a gap and without a loss.
    public func setToken(_ token: Token) throws {
        let client = try live()
        try token.withC { try check(gecko_mqtt_set_token(client.pointer, $0)) }
    }

    /// Asks the token provider now; a live connection is rotated onto what it gives.
    public func refreshToken() throws {
        try check(gecko_mqtt_refresh_token(live().pointer))
    }

    /// Gives it a fresh certificate and key; a live connection is rotated onto it.
    public func setCertificate(_ certificate: GeckoMqttOptions.ClientCertificate) throws {
        let client = try live()
        try certificate.set(
            files: { gecko_mqtt_set_certificate_file(client.pointer, $0, $1) },
            pem: { gecko_mqtt_set_certificate_pem(client.pointer, $0, $1, $2, $3) })
    }

    /// Changes the application's own state, a text that means something to it alone; told to ``stateChanges``.
    public func changeState(_ state: String) throws {
        let client = try live()
        try withText(state) { try check(gecko_mqtt_change_state(client.pointer, $0)) }
    }

    /// The last events, oldest first.
    public func connectionHistory() throws -> [ConnectionEvent] {
        var history: OpaquePointer?
        try check(gecko_mqtt_get_connection_history(live().pointer, &history))
        defer { gecko_mqtt_history_free(history) }
        return (0..<gecko_mqtt_history_count(history)).compactMap { index in
            gecko_mqtt_history_at(history, index).map { ConnectionEvent($0.pointee) }
        }
    }

    /// The same as one JSON array.
    public func historyJSON() throws -> String {
        let client = try live()
        return try ownedText { gecko_mqtt_history_json(client.pointer, $0) }
    }

    /// What was counted.
    public func stats() throws -> Stats {
        var stats = gecko_mqtt_stats_t()
        try check(gecko_mqtt_stats_init(&stats, MemoryLayout<gecko_mqtt_stats_t>.size))
        try check(gecko_mqtt_get_stats(live().pointer, &stats))
        return Stats(stats)
    }

    /// The same as one JSON object.
    public func statsJSON() throws -> String {
        let client = try live()
        return try ownedText { gecko_mqtt_stats_json(client.pointer, $0) }
    }

    /// Begins to count anew.
    public func resetStats() throws {
        try check(gecko_mqtt_reset_stats(live().pointer))
    }

    /// Ends it without a farewell (see ``disconnect(timeout:)`` for one): what waits for an operation gets
    /// ``Status/cancelled``, loops and streams end, the token provider is cancelled. Messages that no loop has taken are not
    /// acknowledged: the server keeps them for the next client of a session.
    ///
    /// It waits for nothing of the application's, and may be called by anybody, also within a loop, and more than once.
    public func close() {
        let first = closed.withLock { closed in
            defer { closed = true }
            return !closed
        }
        guard first else { return }
        provider?.close()
        gecko_mqtt_client_free(handle.pointer)
        listener.close()
    }

    func live() throws -> Handle {
        if closed.withLock({ $0 }) { throw GeckoMqttError.closed }
        return handle
    }

    func newInbox(_ capacity: Int) throws -> Inbox {
        guard capacity > 0 else {
            throw GeckoMqttError(.outOfRange, "a capacity is 1 or more, not \(capacity)")
        }
        return Inbox(capacity: capacity, reliableLimit: 2 * receiveMaximum)
    }
}
