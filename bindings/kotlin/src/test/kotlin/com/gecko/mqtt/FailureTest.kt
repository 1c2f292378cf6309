package com.gecko.mqtt

import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import java.net.InetAddress
import java.net.ServerSocket
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Errors by class, cancellation, and ends in the middle of everything. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FailureTest : LiveTest() {
    private val simulator = Simulator("--deny", "forbidden/#")

    @AfterAll
    fun stop() = simulator.close()

    private val once = Reconnect(maxAttempts = 1, cooldown = Duration.ZERO)

    @Test
    fun `connections that fail say why`() = test {
        val port = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
        GeckoMqttClient {
            brokerUrl = "mqtt://127.0.0.1:$port"
            reconnect = once
        }.use { client ->
            val e = failure<GeckoMqttException.Connection> { client.connect(LIMIT) }
            assertEquals(Status.CONNECTION_REFUSED, e.status)
            assertTrue(e.message!!.contains("$port"), e.message)
            client.connectionState.first { it == ConnectionState.CONNECTION_FAILED || it == ConnectionState.DISCONNECTED }
        }
        GeckoMqttClient {
            brokerUrl = simulator.brokerUrl()
            reconnect = once
        }.use { client ->
            assertEquals(
                Status.TLS_UNKNOWN_ISSUER,
                failure<GeckoMqttException.Connection> { client.connect(LIMIT) }.status,
            )
        }
        simulator.client {
            brokerUrl = simulator.mint(ttlSeconds = 0)
            reconnect = once
        }.use { client ->
            failure<GeckoMqttException.Authentication> { client.connect(LIMIT) }
        }
    }

    @Test
    fun `operations that the server refuses say why`() = test {
        simulator.client().use { client ->
            client.connect(LIMIT)
            val e = failure<GeckoMqttException> { client.publish("forbidden/a", "x") }
            assertEquals(135, e.reasonCode)
            assertEquals(135, failure<GeckoMqttException> { client.subscribe("forbidden/b") }.reasonCode)
            val flow = failure<GeckoMqttException> { client.messages("forbidden/c").toList() }
            assertEquals(135, flow.reasonCode)
            val big = failure<GeckoMqttException.Operation> { client.publish("a", ByteArray(1_000_000)) }
            assertEquals(Status.PACKET_TOO_LARGE, big.status)
            // None of that costs the connection.
            assertEquals(0, client.publish("a", "x").reasonCode)
            assertEquals(1L, client.stats().attempts)
        }
    }

    @Test
    fun `where one of several topic filters is refused, none stays subscribed`() = test {
        simulator.client().use { client ->
            client.connect(LIMIT)
            val kept = client.subscribe("allowed/kept")
            val topics = listOf("allowed/a", "forbidden/b", "allowed/kept").map(::TopicSubscription)
            val e = failure<GeckoMqttException> { client.subscribe(topics) }
            assertEquals(135, e.reasonCode)
            assertTrue(e.message!!.contains("forbidden/b"), e.message)
            // Behind the requests that give the others back.
            val end = client.subscribe("allowed/end")
            for (topic in listOf("allowed/a", "allowed/kept", "allowed/end")) client.publish(topic, "x")
            end.messages.first()
            kept.messages.first()
            assertEquals(2L, client.stats().messagesReceived)
        }
    }

    @Test
    fun `a full queue refuses`() = test {
        GeckoMqttClient {
            endpoint = "localhost"
            queue = Queue(maxMessages = 2)
        }.use { client ->
            val ends = List(2) { client.publishAsync(Message("a", "$it")) }
            assertEquals(
                Status.QUEUE_FULL,
                failure<GeckoMqttException.Operation> { client.publish("a", "x") }.status,
            )
            client.close()
            for (end in ends) {
                assertEquals(Status.CANCELLED, failure<GeckoMqttException.Operation> { end.await() }.status)
            }
        }
    }

    @Test
    fun `a publish that is cancelled is published all the same`() = test {
        simulator.client().use { listener ->
            listener.connect(LIMIT)
            val subscription = listener.subscribe("cancelled")
            simulator.client().use { client ->
                assertThrows(TimeoutCancellationException::class.java) {
                    test { withTimeout(50.milliseconds) { client.publish("cancelled", "waits for a connection") } }
                }
                val waiting = launch(start = CoroutineStart.UNDISPATCHED) { client.publish("cancelled", "so does this") }
                waiting.cancelAndJoin()
                assertEquals(2L, client.stats().queuedMessages)
                client.connect(LIMIT)
                assertEquals("waits for a connection", subscription.messages.first().text)
                assertEquals("so does this", subscription.messages.first().text)
                assertEquals(0, client.publish("cancelled", "last").reasonCode)
                assertEquals("last", subscription.messages.first().text)
            }
        }
    }

    @Test
    fun `a subscribe that is cancelled leaves nothing`() = test {
        simulator.client().use { client ->
            val waiting = launch(start = CoroutineStart.UNDISPATCHED) { client.subscribe("nobody/waits") }
            waiting.cancelAndJoin()
            client.connect(LIMIT)
            val other = client.subscribe("somebody/waits")
            client.publish("nobody/waits", "x")
            client.publish("somebody/waits", "y")
            assertEquals("y", other.messages.first().text)
            assertEquals(1L, client.stats().messagesReceived)
        }
    }

    @Test
    fun `a connect that is cancelled goes on`() = test {
        // Takes connections, and says nothing.
        ServerSocket(0, 50, InetAddress.getLoopbackAddress()).use { silent ->
            GeckoMqttClient {
                brokerUrl = "mqtt://127.0.0.1:${silent.localPort}"
                connectTimeout = 20.seconds
            }.use { client ->
                assertThrows(TimeoutCancellationException::class.java) {
                    test { withTimeout(100.milliseconds) { client.connect(LIMIT) } }
                }
                client.connectionState.first { it == ConnectionState.CONNECTING }
                val e = failure<GeckoMqttException.Operation> { client.connect(50.milliseconds) }
                assertEquals(Status.TIMEOUT, e.status)
            }
        }
    }

    @Test
    fun `closed while it is busy on all sides`() = test {
        repeat(10) { round ->
            val client = simulator.client { clientId = "busy-$round" }
            client.connect(LIMIT)
            val subscription = client.subscribe("busy")
            val heard = async(Dispatchers.Default) { subscription.messages.toList() }
            val events = async(Dispatchers.Default, CoroutineStart.UNDISPATCHED) { client.events.toList() }
            val ended =
                List(4) {
                    async(Dispatchers.Default) {
                        var published = 0
                        try {
                            while (true) {
                                client.publish("busy", "x")
                                published++
                            }
                            @Suppress("UNREACHABLE_CODE")
                            error("unreachable")
                        } catch (e: GeckoMqttException) {
                            published to e.status
                        }
                    }
                }
            eventually("nothing was received") { client.stats().messagesReceived > 20 }
            client.close()
            for ((published, status) in ended.awaitAll()) {
                assertTrue(published > 0)
                val expected = setOf(Status.CANCELLED, Status.CLOSED, Status.OUTCOME_UNKNOWN)
                assertTrue(status in expected, status.toString())
            }
            // Its flows end, too.
            assertTrue(heard.await().isNotEmpty())
            events.await()
        }
    }

    @Test
    fun `closed by its own collector, and on a thread of the library`() = test {
        for (dispatcher in listOf(Dispatchers.Default, Dispatchers.Unconfined)) {
            val client = simulator.client()
            client.connect(LIMIT)
            val subscription = client.subscribe("suicide")
            val collecting =
                launch(dispatcher) {
                    subscription.messages.collect { client.close() }
                }
            client.publishAsync(Message("suicide", "x"))
            collecting.join()
            assertEquals(Status.CLOSED, failure<GeckoMqttException.Configuration> { client.stats() }.status)
        }
    }

    @Test
    fun `the garbage collector takes nothing that is needed`() = test {
        simulator.client().use { client ->
            client.connect(LIMIT)
            val subscription = client.subscribe("garbage")
            repeat(20) { round ->
                val ends = List(50) { client.publishAsync(Message("garbage", "$round $it")) }
                System.gc()
                repeat(50) { assertEquals("$round $it", subscription.messages.first().text) }
                ends.awaitAll()
            }
        }
    }

    @Test
    fun `many clients at a time`() = test {
        val clients = List(20) { simulator.client() }
        clients.map { async { it.connect(LIMIT) } }.awaitAll()
        clients.map { async { it.publish("many", "x") } }.awaitAll()
        clients.map { async(Dispatchers.Default) { it.close() } }.awaitAll()
    }
}
