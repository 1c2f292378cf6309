package com.gecko.mqtt.internal

import com.gecko.mqtt.TopicSubscription
import com.sun.jna.Pointer

/** Shows a topic filter with its options to C for one call. */
internal fun <R> withSubscription(
    topic: TopicSubscription,
    use: (Pointer) -> R,
): R {
    val filter = utf8(topic.filter)
    return Block(SubscriptionLayout.bytes, listOf(filter)).use { block ->
        val c = block.pointer
        block.counted(SubscriptionLayout.filter, filter)
        c.setByte(SubscriptionLayout.qos.toLong(), topic.qos.ordinal.toByte())
        c.setByte(SubscriptionLayout.noLocal.toLong(), topic.noLocal.toByte())
        c.setByte(SubscriptionLayout.retainAsPublished.toLong(), topic.retainAsPublished.toByte())
        c.setByte(SubscriptionLayout.retainHandling.toLong(), topic.retainHandling.ordinal.toByte())
        use(c)
    }
}
