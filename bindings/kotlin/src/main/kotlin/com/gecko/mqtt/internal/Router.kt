package com.gecko.mqtt.internal

import com.gecko.mqtt.QoS
import com.gecko.mqtt.ReceivedMessage
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
    /** Where the messages of one subscription go. */
    class Route(
        filters: List<String>,
        val inbox: Inbox,
    ) {
        /** Its filters that are in force; changed under the router's lock. */
        @Volatile var filters: List<String> = filters

        /** Being unsubscribed, so that it keeps no filter in force; under the router's lock. */
        var leaving = false
        private val matchers = filters.associateWith { TopicFilter(it) }

        fun has(filter: String): Boolean = filter in filters

        fun matches(topic: String): Boolean = filters.any { matchers.getValue(it).matches(topic) }
    }

    private val lock = Any()

    // Copied on writing: read for each message.
    @Volatile private var routes: List<Route> = emptyList()

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

    fun add(route: Route) {
        synchronized(lock) { routes += route }
    }

    /** Takes it away; says which of its filters nobody has any more. */
    fun remove(route: Route): List<String> =
        synchronized(lock) {
            if (route !in routes) return emptyList()
            routes -= route
            route.filters.filterNot { filter -> routes.any { it.has(filter) } }
        }

    /** The same, but messages still go to it: until [remove], or [stay]. Null where it is not there. */
    fun leave(route: Route): List<String>? =
        synchronized(lock) {
            if (route !in routes) return null
            route.leaving = true
            route.filters.filterNot { filter -> routes.any { !it.leaving && it.has(filter) } }
        }

    fun stay(route: Route) {
        synchronized(lock) { route.leaving = false }
    }

    /** Those that have a filter. */
    fun routes(filter: String): List<Route> = routes.filter { it.has(filter) }

    /** Takes a filter from one of them, and the whole away with its last one. */
    fun remove(
        route: Route,
        filter: String,
    ) {
        val last =
            synchronized(lock) {
                route.filters -= filter
                route.filters.isEmpty().also { if (it) routes -= route }
            }
        if (last) route.inbox.end()
    }

    fun route(message: ReceivedMessage) {
        val acknowledgement = message.acknowledgement
        // So that a fast collector does not count as the last one while others have not got it.
        acknowledgement.hold()
        val matching = routes.filter { it.matches(message.topic) }.map { it.inbox }
        val inboxes = matching.ifEmpty { others }
        val taken = inboxes.map { it.offer(message) }
        if (taken.all { it }) acknowledgement.release()
        // Nobody was told, so nobody else can.
        if (manual && inboxes.isEmpty() && message.qos != QoS.AT_MOST_ONCE) acknowledgement.send()
    }

    fun forgetWhatComesAgain() {
        (routes.map { it.inbox } + others).forEach { it.forgetWhatComesAgain() }
    }

    /** No message comes any more. */
    fun close() {
        val all =
            synchronized(lock) {
                closed = true
                routes.map { it.inbox } + others
            }
        all.forEach { it.end() }
    }
}
