import CGeckoMqtt
import Foundation

/// What a client has counted since it was made, or since ``GeckoMqttClient/resetStats()``.
public struct Stats: Hashable, Sendable {
    /// Attempts to connect.
    public let attempts: UInt64
    /// Attempts that led to a connection.
    public let successes: UInt64
    /// Attempts that failed.
    public let failures: UInt64
    /// ``successes`` by ``attempts``, 0 to 1; 0 before the first attempt.
    public let successRate: Double
    /// Connections that followed one that was lost.
    public let reconnections: UInt64
    /// Connections that were replaced by one with a fresh token or certificate, without a gap.
    public let tokenRefreshes: UInt64
    /// Tokens that could not be had, and replacements that failed.
    public let tokenRefreshFailures: UInt64
    /// Messages that were acknowledged, or written with QoS 0.
    public let messagesSent: UInt64
    /// Messages that the server sent.
    public let messagesReceived: UInt64
    /// Bytes of the payloads of ``messagesSent``.
    public let payloadBytesSent: UInt64
    /// Bytes of the payloads of ``messagesReceived``.
    public let payloadBytesReceived: UInt64
    /// Bytes written after CONNACK, without what TLS and TCP add.
    public let wireBytesSent: UInt64
    /// The same from the server.
    public let wireBytesReceived: UInt64
    /// Publishes that were sent again on a later connection.
    public let messagesRepeated: UInt64
    /// Accepted messages that ended with an error of any kind, those dropped and expired among them.
    public let messagesFailed: UInt64
    /// Accepted messages that the queue's policy dropped.
    public let droppedByPolicy: UInt64
    /// QoS 0 messages that were dropped because the connection was lost.
    public let droppedOffline: UInt64
    /// QoS 0 messages from the server that the library dropped; what a subscription drops is counted there.
    public let droppedIncoming: UInt64
    /// Messages whose expiry interval passed before they could be sent.
    public let expired: UInt64
    /// Messages that wait for a connection or an acknowledgement now.
    public let queuedMessages: UInt64
    /// Bytes of memory that they take.
    public let queuedBytes: UInt64
    /// Packets that wait for an acknowledgement now, subscribe and unsubscribe requests among them.
    public let inFlight: UInt64
    /// From the write of a packet to its acknowledgement, the last time; zero: never.
    public let lastRoundTrip: Duration
    /// The mean of all; zero: there was none.
    public let meanRoundTrip: Duration
    /// Since when there is a connection; nil: there is none.
    public let connectedSince: Date?

    init(_ stats: gecko_mqtt_stats_t) {
        attempts = stats.attempts
        successes = stats.successes
        failures = stats.failures
        successRate = stats.success_rate
        reconnections = stats.reconnections
        tokenRefreshes = stats.token_refreshes
        tokenRefreshFailures = stats.token_refresh_failures
        messagesSent = stats.messages_sent
        messagesReceived = stats.messages_received
        payloadBytesSent = stats.payload_bytes_sent
        payloadBytesReceived = stats.payload_bytes_received
        wireBytesSent = stats.wire_bytes_sent
        wireBytesReceived = stats.wire_bytes_received
        messagesRepeated = stats.messages_repeated
        messagesFailed = stats.messages_failed
        droppedByPolicy = stats.dropped_by_policy
        droppedOffline = stats.dropped_offline
        droppedIncoming = stats.dropped_incoming
        expired = stats.expired
        queuedMessages = stats.queued_messages
        queuedBytes = stats.queued_bytes
        inFlight = stats.in_flight
        lastRoundTrip = .microseconds(Int64(clamping: stats.last_round_trip_us))
        meanRoundTrip = .microseconds(Int64(clamping: stats.mean_round_trip_us))
        connectedSince = stats.connected_since_ms == 0 ? nil : date(milliseconds: stats.connected_since_ms)
    }
}
