package com.gecko.mqtt

import com.gecko.mqtt.internal.EventLayout
import com.gecko.mqtt.internal.MAX_UINT32
import com.gecko.mqtt.internal.countedText
import com.sun.jna.Pointer
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** What the connection is doing. */
public enum class ConnectionState {
    /** Not connected, and not trying. */
    DISCONNECTED,

    /** The first attempts after [GeckoMqttClient.connect]. */
    CONNECTING,

    /** A live connection is there. */
    CONNECTED,

    /** The connection was lost and is being made again. */
    RECONNECTING,

    /** A round of attempts ended without success. The next one begins after the cool-down, if there is one. */
    CONNECTION_FAILED,

    /** The last messages are going out, then DISCONNECT. */
    DISCONNECTING,

    /** Connected, but the token could not be renewed; that is being tried again. */
    CREDENTIAL_REFRESH_FAILED,

    /** One that a later version of the library has added. */
    UNKNOWN,
    ;

    internal companion object {
        fun of(value: Int): ConnectionState = if (value in 0 until UNKNOWN.ordinal) entries[value] else UNKNOWN
    }
}

/** What an event is about. */
public enum class EventKind {
    /** An attempt to connect begins. */
    ATTEMPTING,

    /** The server accepted the connection. */
    CONNECTED,

    /** The attempt failed. */
    FAILED,

    /** The connection ended. */
    DISCONNECTED,

    /** The next attempt comes after the event's delay. */
    RECONNECT_SCHEDULED,

    /** The connection was rotated onto a fresh token or certificate. */
    TOKEN_REFRESHED,

    /** No fresh token was to be had, or the server would not take it; it is tried again after the event's delay. */
    TOKEN_REFRESH_FAILED,

    /** The server has lost a subscription and would not restore it. It is asked again on the next connection. */
    SUBSCRIPTION_REFUSED,

    /** QoS 0 messages from the server were dropped by the library. */
    MESSAGES_DROPPED,

    /** No further attempt follows until [GeckoMqttClient.connect] is called. */
    STOPPED,

    /** One that a later version of the library has added. */
    UNKNOWN,
    ;

    internal companion object {
        fun of(value: Int): EventKind = if (value in 0 until UNKNOWN.ordinal) entries[value] else UNKNOWN
    }
}

/**
 * Something that happened to a connection. Every ATTEMPTING is followed by one CONNECTED or FAILED, every CONNECTED by
 * one DISCONNECTED.
 *
 * @property kind what it is about.
 * @property state the connection's state from now on.
 * @property status why something failed or ended; [Status.OK] where nothing did.
 * @property reasonCode the MQTT reason code of the server behind [status], or null.
 * @property attempt the number of the attempt in its round, from 1; 0 where the event is not about one.
 * @property timeMs when, in milliseconds since 1970-01-01 UTC, as the device's clock had it.
 * @property delay time until it is tried again; zero where it is not.
 * @property sessionPresent whether the server still had the session.
 * @property message what happened, for a person.
 * @property error why, in full; empty with [Status.OK].
 */
public data class ConnectionEvent(
    public val kind: EventKind,
    public val state: ConnectionState,
    public val status: Status,
    public val reasonCode: Int?,
    public val attempt: Int,
    public val timeMs: Long,
    public val delay: Duration,
    public val sessionPresent: Boolean,
    public val message: String,
    public val error: String,
) {
    internal companion object {
        fun of(c: Pointer): ConnectionEvent =
            ConnectionEvent(
                kind = EventKind.of(c.getInt(EventLayout.kind.toLong())),
                state = ConnectionState.of(c.getInt(EventLayout.state.toLong())),
                status = Status(c.getInt(EventLayout.status.toLong())),
                reasonCode = c.getInt(EventLayout.reasonCode.toLong()).takeIf { it >= 0 },
                attempt = c.getInt(EventLayout.attempt.toLong()),
                timeMs = c.getLong(EventLayout.timeMs.toLong()),
                delay = (c.getInt(EventLayout.delayMs.toLong()).toLong() and MAX_UINT32).milliseconds,
                sessionPresent = c.getByte(EventLayout.sessionPresent.toLong()) != 0.toByte(),
                message = c.countedText(EventLayout.message),
                error = c.countedText(EventLayout.error),
            )
    }
}
