package com.gecko.mqtt.internal

import com.gecko.mqtt.QoS
import com.gecko.mqtt.ReceivedMessage
import com.gecko.mqtt.Subscription
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow

/**
 * Takes each message to the subscriptions that it matches. The binding does so itself, and not C's handlers, which are
 * told of a message one after the other: only here it is known how many have it, and so when all are done with it.
 */
internal class Router(
    private val manual: Boolean,
    private val newInbox: () -> Inbox,
) {
    private val lock = Any()

    // Copied on writing: read for each message.
    @Volatile private var subscriptions: List<Subscription> = emptyList()

    @Volatile private var others: List<Inbox> = emptyList()
    private var closed = false

    /** Those that no subscription takes. */
    val unmatched: Flow<ReceivedMessage> =
        flow {
            val inbox = newInbox()
            synchronized(lock) { if (closed) inbox.end() else others += inbox }
            try {
                emitAll(inbox.flow)
            } finally {
                synchronized(lock) { others -= inbox }
                inbox.discard()
            }
        }

    fun add(subscription: Subscription) {
        synchronized(lock) { subscriptions += subscription }
    }

    fun remove(subscription: Subscription) {
        synchronized(lock) { subscriptions -= subscription }
    }

    fun has(subscription: Subscription): Boolean = subscriptions.any { it === subscription }

    /** Whether another subscription has its filter too. */
    fun isShared(subscription: Subscription): Boolean =
        subscriptions.any { it !== subscription && it.topic.filter == subscription.topic.filter }

    fun route(message: ReceivedMessage) {
        val acknowledgement = message.acknowledgement
        // So that a fast collector does not count as the last one while others have not got it.
        acknowledgement.hold()
        val matching = subscriptions.filter { it.matcher.matches(message.topic) }.map { it.inbox }
        val inboxes = matching.ifEmpty { others }
        val taken = inboxes.map { it.offer(message) }
        if (taken.all { it }) acknowledgement.release()
        // Nobody was told, so nobody else can.
        if (manual && inboxes.isEmpty() && message.qos != QoS.AT_MOST_ONCE) acknowledgement.send()
    }

    fun forgetWhatComesAgain() {
        (subscriptions.map { it.inbox } + others).forEach { it.forgetWhatComesAgain() }
    }

    /** No message comes any more. */
    fun close() {
        val all =
            synchronized(lock) {
                closed = true
                subscriptions.map { it.inbox } + others
            }
        all.forEach { it.end() }
    }
}
