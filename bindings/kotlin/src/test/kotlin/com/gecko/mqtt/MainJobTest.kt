package com.gecko.mqtt

import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration.Companion.seconds

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MainJobTest : LiveTest() {
    private val simulator = Simulator()

    @AfterAll
    fun stop() = simulator.close()

    @Test
    fun `connects by token, subscribes, publishes, receives and leaves`() = test {
        simulator.client().use { client ->
            val events = async(start = CoroutineStart.UNDISPATCHED) { client.events.take(3).toList() }
            client.connect(LIMIT)
            assertTrue(client.isConnected)
            assertTrue(client.clientId.startsWith("gecko-"))
            client.connectionState.first { it == ConnectionState.CONNECTED }

            val subscription = client.subscribe("spa/+")
            assertEquals(1, subscription.await().reasonCode)
            val sent =
                Message(
                    topic = "spa/Zustand",
                    payload = "{\"Wärme\":38.5}".encodeToByteArray(),
                    isText = true,
                    contentType = "application/json",
                    responseTopic = "spa/answer",
                    correlationData = byteArrayOf(0, 1, -1),
                    userProperties = listOf(UserProperty("empty", ""), UserProperty("unit", "°C")),
                    expiry = 60.seconds,
                )
            val ack = client.publish(sent)
            assertEquals(0, ack.reasonCode)
            val heard = subscription.messages.first()
            assertEquals(sent.topic, heard.topic)
            assertEquals(sent.text, heard.text)
            assertEquals(QoS.AT_LEAST_ONCE, heard.qos)
            assertFalse(heard.retain || heard.duplicate)
            assertTrue(heard.isText)
            assertEquals(sent.contentType, heard.contentType)
            assertEquals(sent.responseTopic, heard.responseTopic)
            assertArrayEquals(sent.correlationData, heard.correlationData)
            assertEquals(sent.userProperties, heard.userProperties)
            assertTrue(heard.expiry!! in 1.seconds..60.seconds)

            // Received messages can be published again.
            client.publish(heard)
            assertEquals(sent.text, subscription.messages.first().text)

            client.publish("spa/bare", byteArrayOf())
            val bare = subscription.messages.first()
            assertEquals(0, bare.payload.size)
            assertNull(bare.contentType)
            assertNull(bare.responseTopic)
            assertNull(bare.correlationData)
            assertNull(bare.expiry)
            assertTrue(bare.userProperties.isEmpty() && !bare.isText)
            assertNull(client.publish("spa/nobody/hears", "x", QoS.AT_MOST_ONCE).reasonCode)

            subscription.unsubscribe()
            assertTrue(subscription.messages.toList().isEmpty())
            client.disconnect(LIMIT)
            assertFalse(client.isConnected)
            val kinds = events.await().map { it.kind }
            assertEquals(listOf(EventKind.ATTEMPTING, EventKind.CONNECTED, EventKind.DISCONNECTED), kinds)
            assertTrue(events.await().all { it.status == Status.OK && it.message.isNotEmpty() && it.error.isEmpty() })
        }
    }

    @Test
    fun `many at a time, in order and each once`() = test {
        simulator.client().use { client ->
            client.connect(LIMIT)
            val subscription = client.subscribe("numbers")
            val ends = List(500) { client.publishAsync(Message("numbers", "$it")) }
            val heard = subscription.messages.take(500).toList().map { it.text.toInt() }
            assertEquals(List(500) { it }, heard)
            assertTrue(ends.awaitAll().all { it.reasonCode == 0 })
            // Acknowledged to the server by collecting alone: else it had stopped after 256.
            val stats = client.stats()
            assertEquals(500L, stats.messagesSent)
            assertEquals(500L, stats.messagesReceived)
            assertEquals(1.0, stats.successRate)
            assertTrue(stats.meanRoundTripUs > 0 && stats.connectedSinceMs > 1_600_000_000_000)
            assertTrue(client.statsJson().contains("\"messages_sent\":500"))
            client.resetStats()
            assertEquals(0L, client.stats().messagesSent)
        }
    }

    @Test
    fun `a flow subscribes while it is collected`() = test {
        simulator.client().use { client ->
            client.connect(LIMIT)
            client.publish("kept", "for later", retain = true)
            val kept = client.messages("kept").first()
            assertEquals("for later", kept.text)
            assertTrue(kept.retain)
            // It unsubscribed: what comes now matches nothing, and the same again subscribes anew.
            assertEquals("for later", client.messages("kept").first().text)
            client.publish("kept", "", retain = true)
        }
    }

    @Test
    fun `overlapping subscriptions each have all messages`() = test {
        simulator.client { receiveMaximum = 4 }.use { client ->
            client.connect(LIMIT)
            val all = client.subscribe("home/#")
            val one = client.subscribe("home/+/lamp")
            val same = client.subscribe("home/+/lamp")
            val ends = List(20) { client.publishAsync(Message("home/hall/lamp", "$it")) }
            val heard =
                listOf(all, one, same).map { subscription ->
                    async { subscription.messages.take(20).toList().map { it.text.toInt() } }
                }
            heard.awaitAll().forEach { assertEquals(List(20) { it }, it) }
            ends.awaitAll()
            // The other one goes on.
            same.unsubscribe()
            client.publish("home/hall/lamp", "last")
            assertEquals("last", one.messages.first().text)
            assertEquals("last", all.messages.first().text)
        }
    }

    @Test
    fun `several topic filters in one request`() = test {
        val requests = CopyOnWriteArrayList<String>()
        GeckoMqttLog.setLogger("gecko_mqtt::packet=trace") {
            if ("SUBSCRIBE" in it.text) requests += it.text
        }
        simulator.client().use { client ->
            client.connect(LIMIT)
            val topics =
                listOf(
                    TopicSubscription("many/+/a"),
                    TopicSubscription("many/1/#", QoS.AT_MOST_ONCE),
                    TopicSubscription("many/b"),
                )
            val subscription = client.subscribe(topics)
            assertEquals(topics, subscription.topics)
            assertEquals(1, subscription.await().reasonCode)
            assertEquals("Subscription(many/+/a, many/1/#, many/b)", subscription.toString())
            assertEquals(1, requests.size, "$requests")
            // One that matches two of them comes once.
            for (topic in listOf("many/0/a", "many/1/a", "many/1/c", "many/b")) client.publish(topic, topic)
            val heard = subscription.messages.take(4).toList().map { it.topic }
            assertEquals(listOf("many/0/a", "many/1/a", "many/1/c", "many/b"), heard)

            // One of its filters can be ended, and the others go on.
            client.unsubscribe("many/+/a")
            for (topic in listOf("many/0/a", "many/1/a")) client.publish(topic, topic)
            assertEquals("many/1/a", subscription.messages.first().topic)
            // The server hears of each that nobody else has.
            val other = client.subscribe("many/b")
            subscription.unsubscribe()
            assertTrue(subscription.messages.toList().isEmpty())
            for (topic in listOf("many/1/a", "many/b")) client.publish(topic, topic)
            assertEquals("many/b", other.messages.first().topic)
            assertEquals(4 + 1 + 1L, client.stats().messagesReceived)

            client.publish("many/2/a", "kept", retain = true)
            assertEquals("many/2/a", client.messages(topics).first().topic)
            client.publish("many/2/a", "", retain = true)
            val twice = failure<GeckoMqttException.Configuration> { client.subscribe(listOf("a", "a").map(::TopicSubscription)) }
            assertEquals(Status.INVALID_ARGUMENT, twice.status)
            val none = failure<GeckoMqttException.Configuration> { client.subscribe(emptyList()) }
            assertEquals(Status.INVALID_ARGUMENT, none.status)
        }
        GeckoMqttLog.removeLogger()
    }

    @Test
    fun `the last of several that unsubscribe at a time tells the server`() = test {
        simulator.client().use { client ->
            client.connect(LIMIT)
            val twins = List(3) { client.subscribe("twins") }
            twins.map { async(start = CoroutineStart.UNDISPATCHED) { it.unsubscribe() } }.awaitAll()
            client.publish("twins", "x")
            val end = client.subscribe("end")
            client.publish("end", "x")
            end.messages.first()
            assertEquals(1L, client.stats().messagesReceived)
        }
    }

    @Test
    fun `subscriptions have options`() = test {
        simulator.client().use { client ->
            client.connect(LIMIT)
            client.publish("options/kept", "old", retain = true)
            val skipped =
                TopicSubscription(
                    "options/kept",
                    retainAsPublished = true,
                    retainHandling = RetainHandling.DO_NOT_SEND,
                )
            val kept = client.subscribe(skipped)
            val own = client.subscribe(TopicSubscription("options/own", noLocal = true))
            val last = client.subscribe("options/last", QoS.AT_MOST_ONCE)
            client.publish("options/own", "mine")
            client.publish("options/kept", "new", retain = true)
            client.publish("options/last", "end")
            val heard = kept.messages.first()
            assertEquals("new", heard.text)
            assertTrue(heard.retain)
            assertEquals(QoS.AT_MOST_ONCE, last.messages.first().qos)
            client.disconnect(LIMIT)
            client.close()
            assertTrue(own.messages.toList().isEmpty())
        }
    }

    @Test
    fun `the application's own state is told, and what happened is remembered`() = test {
        simulator.client().use { client ->
            val told = async(start = CoroutineStart.UNDISPATCHED) { client.stateChanges.take(3).toList() }
            for (state in listOf("booting", "ready", "ready", "füllt")) client.changeState(state)
            assertEquals(listOf("booting", "ready", "füllt"), told.await())
            client.connect(LIMIT)
            client.disconnect(LIMIT)
            val history = client.connectionHistory()
            val kinds = history.map { it.kind }
            assertEquals(listOf(EventKind.ATTEMPTING, EventKind.CONNECTED, EventKind.DISCONNECTED), kinds)
            assertEquals(1, history[0].attempt)
            assertEquals(ConnectionState.CONNECTED, history[1].state)
            assertTrue(client.historyJson().contains("\"kind\":\"CONNECTED\""))
        }
    }

    @Test
    fun `a client certificate, from files and from memory`() = test {
        val files = listOf("client.pem", "client.key").map(simulator::file)
        val bytes = files.map { java.io.File(it).readBytes() }
        fun client(configure: GeckoMqttOptions.() -> Unit) =
            GeckoMqttClient {
                endpoint = "localhost"
                port = simulator.mtlsPort
                caPem = java.io.File(simulator.caFile).readBytes()
                configure()
            }
        client { certificateFile(files[0], files[1]) }.use { client ->
            client.connect(LIMIT)
            val refreshed =
                async(start = CoroutineStart.UNDISPATCHED) { client.events.first { it.kind == EventKind.TOKEN_REFRESHED } }
            client.setCertificatePem(bytes[0], bytes[1])
            assertTrue(refreshed.await().sessionPresent)
        }
        client { certificatePem(bytes[0], bytes[1]) }.use { it.connect(LIMIT) }
    }
}
