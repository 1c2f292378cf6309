package com.gecko.mqtt

import com.gecko.mqtt.internal.StatsLayout
import com.sun.jna.Pointer

/**
 * What a client has counted since it was made, or since [GeckoMqttClient.resetStats].
 *
 * @property attempts attempts to connect.
 * @property successes attempts that led to a connection.
 * @property failures attempts that failed.
 * @property successRate [successes] by [attempts], 0 to 1; 0 before the first attempt.
 * @property reconnections connections that followed one that was lost.
 * @property tokenRefreshes connections that were replaced by one with a fresh token or certificate, without a gap.
 * @property tokenRefreshFailures tokens that could not be had, and replacements that failed.
 * @property messagesSent messages that were acknowledged, or written with QoS 0.
 * @property messagesReceived messages that the server sent, for the application's callbacks.
 * @property payloadBytesSent bytes of the payloads of [messagesSent].
 * @property payloadBytesReceived bytes of the payloads of [messagesReceived].
 * @property wireBytesSent bytes written after CONNACK, without what TLS and TCP add.
 * @property wireBytesReceived the same from the server.
 * @property messagesRepeated publishes that were sent again on a later connection.
 * @property messagesFailed accepted messages that ended with an error of any kind, those dropped and expired among
 * them.
 * @property droppedByPolicy accepted messages that the queue's policy dropped.
 * @property droppedOffline QoS 0 messages that were dropped because the connection was lost.
 * @property droppedIncoming QoS 0 messages from the server that were dropped, because a call waited on the thread
 * that runs the callbacks, and the buffer was full.
 * @property expired messages whose expiry interval passed before they could be sent.
 * @property queuedMessages messages that wait for a connection or an acknowledgement now.
 * @property queuedBytes bytes of memory that they take.
 * @property inFlight packets that wait for an acknowledgement now, subscribe and unsubscribe requests among them.
 * @property lastRoundTripUs microseconds from the write of a packet to its acknowledgement, the last time; 0: never.
 * @property meanRoundTripUs the mean of all; 0: there was none.
 * @property connectedSinceMs since when there is a connection, in milliseconds since 1970-01-01 UTC; 0: there is
 * none.
 */
public data class Stats(
    public val attempts: Long,
    public val successes: Long,
    public val failures: Long,
    public val successRate: Double,
    public val reconnections: Long,
    public val tokenRefreshes: Long,
    public val tokenRefreshFailures: Long,
    public val messagesSent: Long,
    public val messagesReceived: Long,
    public val payloadBytesSent: Long,
    public val payloadBytesReceived: Long,
    public val wireBytesSent: Long,
    public val wireBytesReceived: Long,
    public val messagesRepeated: Long,
    public val messagesFailed: Long,
    public val droppedByPolicy: Long,
    public val droppedOffline: Long,
    public val droppedIncoming: Long,
    public val expired: Long,
    public val queuedMessages: Long,
    public val queuedBytes: Long,
    public val inFlight: Long,
    public val lastRoundTripUs: Long,
    public val meanRoundTripUs: Long,
    public val connectedSinceMs: Long,
) {
    internal companion object {
        fun of(c: Pointer): Stats =
            Stats(
                attempts = c.getLong(StatsLayout.attempts.toLong()),
                successes = c.getLong(StatsLayout.successes.toLong()),
                failures = c.getLong(StatsLayout.failures.toLong()),
                successRate = c.getDouble(StatsLayout.successRate.toLong()),
                reconnections = c.getLong(StatsLayout.reconnections.toLong()),
                tokenRefreshes = c.getLong(StatsLayout.tokenRefreshes.toLong()),
                tokenRefreshFailures = c.getLong(StatsLayout.tokenRefreshFailures.toLong()),
                messagesSent = c.getLong(StatsLayout.messagesSent.toLong()),
                messagesReceived = c.getLong(StatsLayout.messagesReceived.toLong()),
                payloadBytesSent = c.getLong(StatsLayout.payloadBytesSent.toLong()),
                payloadBytesReceived = c.getLong(StatsLayout.payloadBytesReceived.toLong()),
                wireBytesSent = c.getLong(StatsLayout.wireBytesSent.toLong()),
                wireBytesReceived = c.getLong(StatsLayout.wireBytesReceived.toLong()),
                messagesRepeated = c.getLong(StatsLayout.messagesRepeated.toLong()),
                messagesFailed = c.getLong(StatsLayout.messagesFailed.toLong()),
                droppedByPolicy = c.getLong(StatsLayout.droppedByPolicy.toLong()),
                droppedOffline = c.getLong(StatsLayout.droppedOffline.toLong()),
                droppedIncoming = c.getLong(StatsLayout.droppedIncoming.toLong()),
                expired = c.getLong(StatsLayout.expired.toLong()),
                queuedMessages = c.getLong(StatsLayout.queuedMessages.toLong()),
                queuedBytes = c.getLong(StatsLayout.queuedBytes.toLong()),
                inFlight = c.getLong(StatsLayout.inFlight.toLong()),
                lastRoundTripUs = c.getLong(StatsLayout.lastRoundTripUs.toLong()),
                meanRoundTripUs = c.getLong(StatsLayout.meanRoundTripUs.toLong()),
                connectedSinceMs = c.getLong(StatsLayout.connectedSinceMs.toLong()),
            )
    }
}
