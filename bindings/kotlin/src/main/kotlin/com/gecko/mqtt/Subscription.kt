package com.gecko.mqtt

import com.gecko.mqtt.internal.Inbox
import com.gecko.mqtt.internal.Router
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.flow.Flow

/** Retained messages, when a topic filter is subscribed. */
public enum class RetainHandling {
    /** The server sends them. */
    SEND,

    /** Only if the subscription is new. */
    SEND_IF_NEW,

    /** It does not. */
    DO_NOT_SEND,
}

/**
 * One topic filter with its options.
 *
 * @property filter the topic filter.
 * @property qos the highest quality of service wanted.
 * @property noLocal do not send what this client published itself.
 * @property retainAsPublished keep the retain flag as it was published.
 * @property retainHandling what to do with retained messages.
 */
public data class TopicSubscription(
    public val filter: String,
    public val qos: QoS = QoS.AT_LEAST_ONCE,
    public val noLocal: Boolean = false,
    public val retainAsPublished: Boolean = false,
    public val retainHandling: RetainHandling = RetainHandling.SEND,
)

/**
 * What [GeckoMqttClient.subscribe] and [GeckoMqttClient.requestSubscription] give.
 *
 * @property topics what was subscribed.
 */
public class Subscription internal constructor(
    private val client: GeckoMqttClient,
    public val topics: List<TopicSubscription>,
    internal val inbox: Inbox,
) {
    internal val route = Router.Route(topics.map { it.filter }, inbox)
    internal val answer = CompletableDeferred<Ack>()

    /**
     * The messages, in order, from the moment of the subscription on: those that come before somebody collects wait.
     *
     * A message of QoS 1 or 2 is acknowledged when `collect`'s block has returned: what a collector that failed or was
     * cancelled had in hand comes again to the next one. Operators that run ahead (`buffer`, `flowOn`, `conflate`,
     * `shareIn`) count as the collector. It ends after [unsubscribe] and [GeckoMqttClient.close]. Several collectors
     * share the messages among them; for each to have all, subscribe once more.
     */
    public val messages: Flow<ReceivedMessage> = inbox.flow

    /**
     * QoS 0 messages that were dropped because too many waited. Those of QoS 1 and 2 are never dropped: the server holds
     * them back.
     */
    public val dropped: Long
        get() = inbox.dropped

    /**
     * Waits for the server's answer; its reason code is the quality of service granted, that of the first topic filter. It
     * comes when there is a connection.
     *
     * @throws GeckoMqttException.Operation and others: the server refused, one of several topic filters perhaps, and the
     * whole subscription is gone.
     */
    public suspend fun await(): Ack = answer.await()

    /**
     * Ends the subscription, and waits for the server's confirmation. [messages] that wait are still delivered, then the
     * flow ends. The server hears of the topic filters that no other subscription of this client has.
     */
    public suspend fun unsubscribe() {
        client.unsubscribe(route)
    }

    /** Its topic filters. */
    override fun toString(): String = topics.joinToString(prefix = "Subscription(", postfix = ")") { it.filter }
}
