package com.gecko.mqtt.internal

import com.gecko.mqtt.TopicSubscription
import com.sun.jna.Pointer

/** Shows topic filters with their options to C for one call. */
internal fun <R> withSubscriptions(
    topics: List<TopicSubscription>,
    use: (Pointer, SizeT) -> R,
): R {
    val filters = topics.map { utf8(it.filter) }
    return Block(topics.size * SubscriptionLayout.bytes, filters).use { block ->
        for ((index, topic) in topics.withIndex()) {
            val start = index * SubscriptionLayout.bytes
            val set = { member: Int, value: Byte -> block.pointer.setByte((start + member).toLong(), value) }
            block.counted(start + SubscriptionLayout.filter, filters[index])
            set(SubscriptionLayout.qos, topic.qos.ordinal.toByte())
            set(SubscriptionLayout.noLocal, topic.noLocal.toByte())
            set(SubscriptionLayout.retainAsPublished, topic.retainAsPublished.toByte())
            set(SubscriptionLayout.retainHandling, topic.retainHandling.ordinal.toByte())
        }
        use(block.pointer, SizeT(topics.size.toLong()))
    }
}
