package com.gecko.mqtt

import com.gecko.mqtt.internal.Broadcast
import com.gecko.mqtt.internal.Callbacks
import com.gecko.mqtt.internal.ClientListener
import com.gecko.mqtt.internal.Inbox
import com.gecko.mqtt.internal.Native
import com.gecko.mqtt.internal.Registry
import com.gecko.mqtt.internal.Router
import com.gecko.mqtt.internal.SizeT
import com.gecko.mqtt.internal.StatsLayout
import com.gecko.mqtt.internal.TokenProvider
import com.gecko.mqtt.internal.begin
import com.gecko.mqtt.internal.newClient
import com.gecko.mqtt.internal.operation
import com.gecko.mqtt.internal.received
import com.gecko.mqtt.internal.set
import com.gecko.mqtt.internal.waitMs
import com.gecko.mqtt.internal.waiting
import com.gecko.mqtt.internal.withMessage
import com.gecko.mqtt.internal.withSubscriptions
import com.gecko.mqtt.internal.withText
import com.sun.jna.Memory
import com.sun.jna.Pointer
import com.sun.jna.ptr.PointerByReference
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart.UNDISPATCHED
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.coroutines.cancellation.CancellationException
import kotlin.time.Duration

/**
 * Makes a client: `GeckoMqttClient { brokerUrl = ... }`.
 *
 * @throws GeckoMqttException.Configuration the first option that is wrong.
 */
public fun GeckoMqttClient(configure: GeckoMqttOptions.() -> Unit): GeckoMqttClient =
    GeckoMqttClient(GeckoMqttOptions().apply(configure))

/**
 * A client: keeps one connection. Any thread and any coroutine may use it, many at a time. It lives, connected, until
 * [close]: the garbage collector does not end it.
 *
 * No function here blocks: those that wait suspend. When they are cancelled they come back at once, and what they began
 * goes on: a message that was accepted is still published, a connection still made.
 *
 * @constructor Makes a client, which does nothing before [connect]. Later changes of the options do not reach it.
 * @throws GeckoMqttException.Configuration the first option that is wrong.
 */
public class GeckoMqttClient(options: GeckoMqttOptions) : AutoCloseable {
    private val receiveMaximum = options.receiveMaximum
    private val manualAck = options.manualAck
    private val provider = options.provider?.let { TokenProvider(it, options.tokenTimeout, options.dispatcher) }
    private val router = Router(manualAck) { newInbox(DEFAULT_CAPACITY) }
    private val broadcast = Broadcast<ConnectionEvent>()
    private val stateBroadcast = Broadcast<String>()
    private val state = MutableStateFlow(ConnectionState.DISCONNECTED)
    private val closed = AtomicBoolean()
    private val handle: Pointer = newClient(options, provider)

    /** What the connection is doing, as it was told last; like every StateFlow it may skip what is over already. */
    public val connectionState: StateFlow<ConnectionState> = state.asStateFlow()

    /**
     * What happens to the connection, from the beginning of `collect` on: attempts, failures and their causes, waits. A
     * collector that is 256 behind misses the oldest; [connectionHistory] has the last hundred. It ends with [close].
     */
    public val events: Flow<ConnectionEvent> = broadcast.flow

    /** What [changeState] changes. Ends with [close]; a collector that is 256 behind misses the oldest. */
    public val stateChanges: Flow<String> = stateBroadcast.flow

    /**
     * Messages that match no subscription of this client: those that a session brings which the server still has from
     * an earlier process, until [requestSubscription] has been called for them. Where nobody collects it they are
     * acknowledged and dropped. It is collected as [Subscription.messages] is, and each collector has all of them.
     */
    public val unmatchedMessages: Flow<ReceivedMessage> = router.unmatched

    /** Whether a live connection is there. */
    public val isConnected: Boolean
        get() = !closed.get() && Native.gecko_mqtt_is_connected(handle) != 0.toByte()

    /** The client identifier in use. */
    public val clientId: String
        get() = Native.owned { Native.gecko_mqtt_get_client_id(live(), it) }

    /** Whether a connection that is lost is made again. */
    public var isReconnectionEnabled: Boolean
        get() = Native.gecko_mqtt_is_reconnection_enabled(live()) != 0.toByte()
        set(enabled) {
            val client = live()
            GeckoMqttException.check(
                when {
                    enabled -> Native.gecko_mqtt_enable_reconnection(client)
                    else -> Native.gecko_mqtt_disable_reconnection(client)
                },
            )
        }

    init {
        try {
            listen()
        } catch (e: Throwable) {
            Native.gecko_mqtt_client_free(handle)
            throw e
        }
    }

    private fun listen() {
        val listener = Listener()
        val destroy = Callbacks.destroy
        listOf(
            Native.gecko_mqtt_on_message(handle, Callbacks.message, Registry.add(listener), destroy),
            Native.gecko_mqtt_on_connection_event(handle, Callbacks.event, Registry.add(listener), destroy),
            Native.gecko_mqtt_on_state_change(handle, Callbacks.state, Registry.add(listener), destroy),
            Native.gecko_mqtt_on_connection_state_change(
                handle,
                Callbacks.connectionState,
                Registry.add(listener),
                destroy,
            ),
        ).forEach(GeckoMqttException::check)
    }

    /** Runs on threads of the library, one call at a time. */
    private inner class Listener : ClientListener {
        override fun onMessage(message: Pointer) = router.route(received(message, manualAck))

        override fun onEvent(event: ConnectionEvent) {
            val another = event.kind == EventKind.CONNECTED || event.kind == EventKind.TOKEN_REFRESHED
            if (another && event.sessionPresent) router.forgetWhatComesAgain()
            broadcast.tell(event)
        }

        override fun onConnectionState(state: ConnectionState) {
            this@GeckoMqttClient.state.value = state
        }

        override fun onState(state: String) = stateBroadcast.tell(state)
    }

    /**
     * Connects, and keeps connected from then on, as the options say. Comes back when it is connected.
     *
     * @param timeout how long to wait; null: as [GeckoMqttOptions.connectTimeout] says; zero: only start. When the time
     * is over, or the coroutine is cancelled, it goes on in the background.
     * @throws GeckoMqttException.Connection, [GeckoMqttException.Authentication], [GeckoMqttException.TokenRefresh]: why
     * the round of attempts, or the last attempt before the time was over, failed.
     */
    public suspend fun connect(timeout: Duration? = null) {
        whileOpen { Native.gecko_mqtt_connect(it, waitMs(timeout)) }
    }

    /**
     * Lets the accepted messages go out and those that have come reach their flows, then disconnects. [close] follows when
     * the client is not needed any more.
     *
     * @param timeout how long that may take; null: as [GeckoMqttOptions.operationTimeout] says.
     */
    public suspend fun disconnect(timeout: Duration? = null) {
        whileOpen { Native.gecko_mqtt_disconnect(it, waitMs(timeout)) }
    }

    private suspend fun whileOpen(call: (Pointer) -> Int) {
        val client = live()
        try {
            waiting { call(client) }
        } catch (e: GeckoMqttException) {
            throw if (closed.get()) GeckoMqttException.closed() else e
        }
    }

    /** The network is another one, or is back: tries now instead of waiting, or checks the live connection now. */
    public fun networkChanged() {
        GeckoMqttException.check(Native.gecko_mqtt_network_changed(live()))
    }

    /**
     * Publishes a message: also before there is a connection. Comes back when the server has acknowledged it; with QoS 0,
     * when it was written.
     *
     * @throws GeckoMqttException.Operation it was refused, dropped or expired; or [Status.OUTCOME_UNKNOWN]: it was sent,
     * but nobody knows whether it arrived; or [Status.CANCELLED]: the client was disconnected or closed before.
     */
    public suspend fun publish(message: Message): Ack = operation { publish(message, it) }

    /** The same for a text. */
    public suspend fun publish(
        topic: String,
        text: String,
        qos: QoS = QoS.AT_LEAST_ONCE,
        retain: Boolean = false,
    ): Ack = publish(Message(topic, text, qos, retain))

    /** The same for bytes. */
    public suspend fun publish(
        topic: String,
        payload: ByteArray,
        qos: QoS = QoS.AT_LEAST_ONCE,
        retain: Boolean = false,
    ): Ack = publish(Message(topic, payload, qos, retain))

    /** Publishes without waiting: it is accepted now, in the order of the calls, or throws. The result tells its end. */
    public fun publishAsync(message: Message): Deferred<Ack> {
        val end = CompletableDeferred<Ack>()
        begin({ publish(message, it) }) { result ->
            result.fold(end::complete, end::completeExceptionally)
        }
        return end
    }

    private fun publish(
        message: Message,
        userdata: Pointer,
    ): Int = withMessage(message) { Native.gecko_mqtt_publish(live(), it, Callbacks.completion, userdata) }

    /**
     * Subscribes to a topic filter, and comes back when the server has granted it. The library restores it whenever the
     * server has lost it.
     *
     * @param filter the topic filter.
     * @param qos the highest quality of service wanted.
     * @param capacity how many messages may wait for the collector before those of QoS 0 are dropped, the oldest first.
     */
    public suspend fun subscribe(
        filter: String,
        qos: QoS = QoS.AT_LEAST_ONCE,
        capacity: Int = DEFAULT_CAPACITY,
    ): Subscription = subscribe(TopicSubscription(filter, qos), capacity)

    /** The same with all options of MQTT 5. */
    public suspend fun subscribe(
        topic: TopicSubscription,
        capacity: Int = DEFAULT_CAPACITY,
    ): Subscription = subscribe(listOf(topic), capacity)

    /**
     * Subscribes to several topic filters in one request, of which AWS IoT allows eight. The [Subscription] has the
     * messages of all, in order, one that matches several of them once. Where the server refuses one of them this throws,
     * and none stays subscribed.
     */
    public suspend fun subscribe(
        topics: List<TopicSubscription>,
        capacity: Int = DEFAULT_CAPACITY,
    ): Subscription {
        val subscription = requestSubscription(topics, capacity)
        try {
            subscription.await()
        } catch (e: CancellationException) {
            leave(subscription.route)
            throw e
        }
        return subscription
    }

    /**
     * Subscribes without waiting, also before [connect]: messages are taken from now on, so that a session which the
     * server still has loses none. [Subscription.await] waits for the server's answer.
     */
    public fun requestSubscription(
        topic: TopicSubscription,
        capacity: Int = DEFAULT_CAPACITY,
    ): Subscription = requestSubscription(listOf(topic), capacity)

    /** The same for several topic filters in one request. */
    public fun requestSubscription(
        topics: List<TopicSubscription>,
        capacity: Int = DEFAULT_CAPACITY,
    ): Subscription {
        val subscription = Subscription(this, topics.toList(), newInbox(capacity))
        val route = subscription.route
        router.add(route)
        try {
            begin({ subscribe(subscription.topics, it) }) { result ->
                result.onFailure { refused(route, it) }
                result.fold(subscription.answer::complete, subscription.answer::completeExceptionally)
            }
        } catch (e: Throwable) {
            drop(route)
            throw e
        }
        return subscription
    }

    /** The server answered no to one filter at least, or the request came to nothing. */
    private fun refused(
        route: Router.Route,
        failure: Throwable,
    ) {
        val answered = (failure as? GeckoMqttException)?.reasonCode != null
        val several = route.filters.size > 1
        val unwanted = drop(route)
        if (answered && several) unwanted.forEach(::forsake)
    }

    /**
     * The messages of a topic filter as a flow that subscribes when it is collected, and unsubscribes when that ends. It
     * fails where the server refuses.
     */
    public fun messages(
        filter: String,
        qos: QoS = QoS.AT_LEAST_ONCE,
        capacity: Int = DEFAULT_CAPACITY,
    ): Flow<ReceivedMessage> = messages(listOf(TopicSubscription(filter, qos)), capacity)

    /** The same for several topic filters. */
    public fun messages(
        topics: List<TopicSubscription>,
        capacity: Int = DEFAULT_CAPACITY,
    ): Flow<ReceivedMessage> =
        flow {
            val subscription = subscribe(topics, capacity)
            try {
                emitAll(subscription.messages)
            } finally {
                leave(subscription.route)
            }
        }

    /**
     * Ends all that is subscribed to a topic filter, also where nobody has the [Subscription] any more, or a process
     * before this one made it, and waits for the server's confirmation.
     */
    public suspend fun unsubscribe(filter: String) {
        val routes = router.routes(filter)
        operation { unsubscribe(filter, it) }
        routes.forEach { router.remove(it, filter) }
    }

    private fun newInbox(capacity: Int): Inbox {
        require(capacity > 0) { "a capacity is 1 or more, not $capacity" }
        return Inbox(capacity, 2 * receiveMaximum)
    }

    private fun subscribe(
        topics: List<TopicSubscription>,
        userdata: Pointer,
    ): Int =
        withSubscriptions(topics) { first, count ->
            Native.gecko_mqtt_subscribe_many(live(), first, count, null, null, null, Callbacks.completion, userdata)
        }

    internal suspend fun unsubscribe(route: Router.Route) {
        val unwanted = router.leave(route) ?: return
        try {
            coroutineScope {
                // Begun in order, and waited for together.
                val answers = unwanted.map { filter -> async(start = UNDISPATCHED) { operation { unsubscribe(filter, it) } } }
                answers.awaitAll()
            }
        } catch (e: Throwable) {
            router.stay(route)
            throw e
        }
        drop(route)
    }

    private fun unsubscribe(
        filter: String,
        userdata: Pointer?,
    ): Int =
        withText(filter) {
            Native.gecko_mqtt_unsubscribe(live(), it, if (userdata == null) null else Callbacks.completion, userdata)
        }

    /** What of it the server need not send any more. */
    private fun drop(route: Router.Route): List<String> = router.remove(route).also { route.inbox.end() }

    /** Nobody wants its messages any more, also those that wait; the server is told without waiting. */
    private fun leave(route: Router.Route) {
        val unwanted = router.remove(route)
        if (closed.get()) return
        route.inbox.discard()
        unwanted.forEach(::forsake)
    }

    /** Where C refuses, the client is closed or its queue full: messages that still come match no subscription. */
    private fun forsake(filter: String) {
        runCatching { unsubscribe(filter, null) }
    }

    /** Gives it a fresh token; a live connection is rotated onto it, without a gap and without a loss. */
    public fun setToken(token: Token) {
        token.withNative { GeckoMqttException.check(Native.gecko_mqtt_set_token(live(), it)) }
    }

    /** Asks the token provider now; a live connection is rotated onto what it gives. */
    public fun refreshToken() {
        GeckoMqttException.check(Native.gecko_mqtt_refresh_token(live()))
    }

    /** Gives it a fresh certificate and key, from files; a live connection is rotated onto it. */
    public fun setCertificateFile(
        certPath: String,
        keyPath: String,
    ) {
        setCertificate(GeckoMqttOptions.Credentials.Files(certPath, keyPath))
    }

    /** The same from memory: PEM or DER. */
    public fun setCertificatePem(
        cert: ByteArray,
        key: ByteArray,
    ) {
        setCertificate(GeckoMqttOptions.Credentials.Pem(cert, key))
    }

    private fun setCertificate(credentials: GeckoMqttOptions.Credentials) {
        credentials.set(
            { cert, key -> Native.gecko_mqtt_set_certificate_file(live(), cert, key) },
            { cert, key ->
                val lengths = Pair(SizeT(cert.size.toLong()), SizeT(key.size.toLong()))
                Native.gecko_mqtt_set_certificate_pem(live(), cert, lengths.first, key, lengths.second)
            },
        )
    }

    /** Changes the application's own state, a text that means something to it alone; told to [stateChanges]. */
    public fun changeState(state: String) {
        withText(state) { GeckoMqttException.check(Native.gecko_mqtt_change_state(live(), it)) }
    }

    /** The last events, oldest first. */
    public fun connectionHistory(): List<ConnectionEvent> {
        val out = PointerByReference()
        GeckoMqttException.check(Native.gecko_mqtt_get_connection_history(live(), out))
        val history = out.value
        try {
            val count = Native.gecko_mqtt_history_count(history).toLong()
            return (0 until count).mapNotNull { index ->
                Native.gecko_mqtt_history_at(history, SizeT(index))?.let(ConnectionEvent::of)
            }
        } finally {
            Native.gecko_mqtt_history_free(history)
        }
    }

    /** The same as one JSON array. */
    public fun historyJson(): String = Native.owned { Native.gecko_mqtt_history_json(live(), it) }

    /** What was counted. */
    public fun stats(): Stats =
        Memory(StatsLayout.bytes.toLong()).use { c ->
            c.clear()
            GeckoMqttException.check(Native.gecko_mqtt_stats_init(c, SizeT(StatsLayout.bytes.toLong())))
            GeckoMqttException.check(Native.gecko_mqtt_get_stats(live(), c))
            Stats.of(c)
        }

    /** The same as one JSON object. */
    public fun statsJson(): String = Native.owned { Native.gecko_mqtt_stats_json(live(), it) }

    /** Begins to count anew. */
    public fun resetStats() {
        GeckoMqttException.check(Native.gecko_mqtt_reset_stats(live()))
    }

    private fun live(): Pointer = if (closed.get()) throw GeckoMqttException.closed() else handle

    /**
     * Ends it without a farewell (see [disconnect] for one): what waits for an operation gets [Status.CANCELLED], flows
     * end, the token provider is cancelled, and when it returns no thread of this client is left. Messages that nobody
     * has collected are not acknowledged: the server keeps them for the next client of a session.
     *
     * It waits for nothing of the application's, may be called by any thread, also within a collector, and more than once.
     */
    override fun close() {
        if (!closed.compareAndSet(false, true)) return
        provider?.close()
        Native.gecko_mqtt_client_free(handle)
        router.close()
        broadcast.close()
        stateBroadcast.close()
        state.value = ConnectionState.DISCONNECTED
    }

    private companion object {
        const val DEFAULT_CAPACITY = 256
    }
}
