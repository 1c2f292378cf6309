package com.gecko.mqtt.internal

import com.gecko.mqtt.GeckoMqttException
import com.gecko.mqtt.QoS
import com.gecko.mqtt.Status
import com.sun.jna.Memory
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger

/**
 * What the server is told when everybody who got a message is done with it. One that is held by several inboxes is
 * acknowledged by the last.
 */
internal class Acknowledgement(
    private val received: Long,
    val qos: QoS,
    private val manual: Boolean,
) {
    private val sent = AtomicBoolean(qos == QoS.AT_MOST_ONCE)
    private val holders = AtomicInteger()

    fun hold() {
        holders.incrementAndGet()
    }

    /** A holder is done. */
    fun release() {
        if (holders.decrementAndGet() == 0 && !manual) send()
    }

    /** Tells the server, once; false where it could not be told. */
    fun send(): Boolean {
        if (!sent.compareAndSet(false, true)) return false
        // C looks at these two members only.
        return Memory(MessageLayout.bytes.toLong()).use { copy ->
            copy.clear()
            copy.setInt(MessageLayout.size.toLong(), MessageLayout.bytes)
            copy.setLong(MessageLayout.received.toLong(), received)
            val status = Native.gecko_mqtt_message_ack(copy)
            if (status != Status.NOT_FOUND.code) GeckoMqttException.check(status)
            status == Status.OK.code
        }
    }
}
