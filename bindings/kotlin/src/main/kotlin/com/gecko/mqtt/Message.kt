package com.gecko.mqtt

import com.gecko.mqtt.internal.Acknowledgement
import kotlin.time.Duration

/** Quality of service. */
public enum class QoS {
    /** 0: sent once; lost when the connection is. */
    AT_MOST_ONCE,

    /** 1: sent until it is acknowledged; may come twice. */
    AT_LEAST_ONCE,

    /** 2: comes once. AWS IoT has none. */
    EXACTLY_ONCE,
}

/**
 * One user property of a message. Names may repeat.
 *
 * @property name its name.
 * @property value its value.
 */
public data class UserProperty(
    public val name: String,
    public val value: String,
)

/**
 * A message to be published. Arrays are not copied: leave them as they are until it is published.
 *
 * @property topic the topic name, without wildcards.
 * @property payload the payload.
 * @property qos quality of service.
 * @property retain published: keep it for later subscribers; received: it was kept.
 * @property isText whether the payload is said to be UTF-8 text.
 * @property contentType MIME type of the payload.
 * @property responseTopic the topic on which an answer is expected.
 * @property correlationData what the answer shall carry.
 * @property userProperties the user properties, in order.
 * @property expiry for how long it is worth anything, in whole seconds; null: without end.
 */
public open class Message(
    public val topic: String,
    public val payload: ByteArray = ByteArray(0),
    public val qos: QoS = QoS.AT_LEAST_ONCE,
    public val retain: Boolean = false,
    public val isText: Boolean = false,
    public val contentType: String? = null,
    public val responseTopic: String? = null,
    public val correlationData: ByteArray? = null,
    public val userProperties: List<UserProperty> = emptyList(),
    public val expiry: Duration? = null,
) {
    /** One whose payload is text. */
    public constructor(topic: String, text: String, qos: QoS = QoS.AT_LEAST_ONCE, retain: Boolean = false) :
        this(topic, text.encodeToByteArray(), qos, retain, isText = true)

    /** The payload as UTF-8 text. */
    public val text: String
        get() = payload.decodeToString()

    /** Topic, quality of service and length; the payload is nobody's business but the application's. */
    override fun toString(): String = "Message(topic=$topic, qos=$qos, ${payload.size} bytes)"
}

/**
 * A message that was received. It can be kept for as long as it is needed, and published again.
 *
 * @property duplicate whether the server has perhaps sent it before.
 * @property subscriptionIds identifiers of the subscriptions that it matched.
 */
public class ReceivedMessage internal constructor(
    topic: String,
    payload: ByteArray,
    qos: QoS,
    retain: Boolean,
    isText: Boolean,
    contentType: String?,
    responseTopic: String?,
    correlationData: ByteArray?,
    userProperties: List<UserProperty>,
    expiry: Duration?,
    public val duplicate: Boolean,
    public val subscriptionIds: List<Int>,
    internal val acknowledgement: Acknowledgement,
) : Message(
        topic,
        payload,
        qos,
        retain,
        isText,
        contentType,
        responseTopic,
        correlationData,
        userProperties,
        expiry,
    ) {
    /**
     * Tells the server that this message is done with, where [GeckoMqttOptions.manualAck] is set; from any thread, in any
     * order. Otherwise the binding does so when the collector is done, and this does it earlier.
     *
     * @return whether the server was told: not with QoS 0, not a second time, and not when the connection over which the
     * message came is gone, so that the server sends it again.
     */
    public fun acknowledge(): Boolean = acknowledgement.send()
}

/**
 * The server's answer to an operation.
 *
 * @property reasonCode the MQTT reason code (0..127; for a subscription the quality of service granted); null with QoS 0.
 * @property roundTripMs milliseconds from writing the packet to its acknowledgement; 0 where there was none.
 */
public data class Ack(
    public val reasonCode: Int?,
    public val roundTripMs: Long,
)
