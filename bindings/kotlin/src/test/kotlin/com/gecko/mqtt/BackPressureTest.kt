package com.gecko.mqtt

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import kotlin.time.Duration.Companion.milliseconds

/** What happens when collectors are slow, fail, or are not there: nothing of QoS 1 is lost. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BackPressureTest : LiveTest() {
    private val simulator = Simulator()

    @AfterAll
    fun stop() = simulator.close()

    /** One that shares no session with the client that is tested. */
    private suspend fun publisher(): GeckoMqttClient = simulator.client().also { it.connect(LIMIT) }

    @Test
    fun `the server holds QoS 1 back until the collector is done`() = test {
        publisher().use { publisher ->
            simulator.client { receiveMaximum = 4 }.use { client ->
                client.connect(LIMIT)
                val subscription = client.subscribe("slow", capacity = 1)
                List(50) { publisher.publishAsync(Message("slow", "$it")) }.awaitAll()
                val permits = Channel<Unit>(Channel.UNLIMITED)
                val heard = mutableListOf<String>()
                val collector =
                    launch {
                        subscription.messages.collect {
                            permits.receive()
                            heard += it.text
                        }
                    }
                eventually("no message came") { client.stats().messagesReceived == 4L }
                repeat(10) { permits.send(Unit) }
                // One more for each that is done, and not one more than that.
                eventually("no further messages came") { client.stats().messagesReceived == 14L }
                // The client works meanwhile: nothing of it waits for the collector.
                client.publish("elsewhere", "x")
                assertEquals(14L, client.stats().messagesReceived)
                repeat(40) { permits.send(Unit) }
                eventually("some were lost") { client.stats().messagesReceived == 50L && client.stats().inFlight == 0L }
                client.publish("slow", "last")
                permits.send(Unit)
                eventually("the last one did not come") { heard.size == 51 }
                collector.cancelAndJoin()
                assertEquals(List(50) { "$it" } + "last", heard)
                assertEquals(0L, subscription.dropped)
            }
        }
    }

    @Test
    fun `a collector can publish and wait for it, whatever waits behind`() = test {
        simulator.client { receiveMaximum = 2 }.use { client ->
            client.connect(LIMIT)
            val questions = client.subscribe("question", capacity = 1)
            val answers = client.subscribe("answer", capacity = 1)
            val answering =
                launch {
                    questions.messages.take(100).collect { client.publish("answer", "to ${it.text}") }
                }
            val asking = List(100) { client.publishAsync(Message("question", "$it")) }
            assertEquals(List(100) { "to $it" }, answers.messages.take(100).toList().map { it.text })
            asking.awaitAll()
            answering.join()
        }
    }

    @Test
    fun `QoS 0 is bounded, and what is dropped is counted`() = test {
        publisher().use { publisher ->
            simulator.client().use { client ->
                client.connect(LIMIT)
                val subscription = client.subscribe("fast", QoS.AT_MOST_ONCE, capacity = 10)
                List(100) { publisher.publishAsync(Message("fast", "$it", QoS.AT_MOST_ONCE)) }.awaitAll()
                eventually("not all came") { client.stats().messagesReceived == 100L && subscription.dropped == 90L }
                // The newest are there.
                assertEquals((90..99).toList(), subscription.messages.take(10).toList().map { it.text.toInt() })
                assertEquals(90L, subscription.dropped)
            }
        }
    }

    @Test
    fun `what a collector had in hand when it failed or was cancelled comes to the next one`() = test {
        simulator.client().use { client ->
            client.connect(LIMIT)
            val subscription = client.subscribe("jobs")
            repeat(3) { client.publish("jobs", "$it") }
            assertThrows(IllegalStateException::class.java) {
                test { subscription.messages.collect { error("this job cannot be done now") } }
            }
            val inHand = CompletableDeferred<String>()
            val collector =
                launch {
                    subscription.messages.collect {
                        inHand.complete(it.text)
                        awaitCancellation()
                    }
                }
            assertEquals("0", inHand.await())
            collector.cancelAndJoin()
            // first() is satisfied with what it got; that does not come again.
            assertEquals("0", subscription.messages.first().text)
            assertEquals(listOf("1", "2"), subscription.messages.take(2).toList().map { it.text })
        }
    }

    @Test
    fun `what was not collected comes again after a lost connection, and only once`() = test {
        Proxy(simulator.plainPort).use { proxy ->
            publisher().use { publisher ->
                GeckoMqttClient {
                    brokerUrl = "mqtt://127.0.0.1:${proxy.port}"
                    receiveMaximum = 8
                    reconnect = Reconnect(maxAttempts = 0, initialDelay = 10.milliseconds)
                }.use { client ->
                    client.connect(LIMIT)
                    val subscription = client.subscribe("again")
                    List(20) { publisher.publishAsync(Message("again", "$it")) }.awaitAll()
                    assertEquals(listOf("0", "1", "2"), subscription.messages.take(3).toList().map { it.text })
                    // They are acknowledged when eight others are there.
                    eventually("no further messages came") { client.stats().messagesReceived == 11L }
                    repeat(3) {
                        val resumed =
                            async(start = CoroutineStart.UNDISPATCHED) {
                                client.events.first { it.kind == EventKind.CONNECTED }
                            }
                        proxy.cut()
                        assertTrue(resumed.await().sessionPresent)
                    }
                    client.publish("again", "last")
                    val heard = subscription.messages.take(18).toList().map { it.text }
                    assertEquals((3..19).map { "$it" } + "last", heard)
                }
            }
        }
    }

    @Test
    fun `what was not collected is kept by the server when the client is closed`() = test {
        fun client() =
            simulator.client {
                clientId = "keeps-its-session"
                cleanStart = false
            }
        client().use { client ->
            client.connect(LIMIT)
            client.subscribe("kept/jobs")
            repeat(5) { client.publish("kept/jobs", "$it") }
            eventually("no messages came") { client.stats().messagesReceived == 5L }
        }
        client().use { client ->
            // In force before the connection is there, so that nothing of the session passes by.
            val subscription = client.requestSubscription(TopicSubscription("kept/jobs"))
            client.connect(LIMIT)
            assertEquals(List(5) { "$it" }, subscription.messages.take(5).toList().map { it.text })
            client.publish("kept/other", "x")
            subscription.await()
            subscription.unsubscribe()
        }
    }

    @Test
    fun `messages that match nothing go to who wants them, or away`() = test {
        fun client() =
            simulator.client {
                clientId = "forgets-its-subscriptions"
                cleanStart = false
                receiveMaximum = 2
            }
        publisher().use { publisher ->
            client().use { client ->
                client.connect(LIMIT)
                client.subscribe("forgotten/#")
            }
            client().use { client ->
                client.connect(LIMIT)
                // Nobody wants them: acknowledged all the same, else the server would stop after two.
                List(10) { publisher.publishAsync(Message("forgotten/a", "$it")) }.awaitAll()
                eventually("the server holds messages back") { client.stats().messagesReceived == 10L }
                val rest =
                    async(start = CoroutineStart.UNDISPATCHED) {
                        // The last of the others may still be on their way.
                        client.unmatchedMessages.filter { it.topic == "forgotten/b" }.take(5).toList()
                    }
                repeat(5) { publisher.publish("forgotten/b", "$it") }
                assertEquals(List(5) { "$it" }, rest.await().map { it.text })
                client.unsubscribe("forgotten/#")
            }
        }
    }

    @Test
    fun `acknowledged by hand, in any order`() = test {
        simulator.client {
            manualAck = true
            receiveMaximum = 3
        }.use { client ->
            client.connect(LIMIT)
            val subscription = client.subscribe("work")
            val ends = List(9) { client.publishAsync(Message("work", "$it")) }
            repeat(3) { round ->
                val three = subscription.messages.take(3).toList()
                assertEquals(List(3) { "${3 * round + it}" }, three.map { it.text })
                assertEquals(3L * (round + 1), client.stats().messagesReceived)
                three.reversed().forEach { assertTrue(it.acknowledge()) }
                assertFalse(three[0].acknowledge())
            }
            ends.awaitAll()
        }
    }
}
