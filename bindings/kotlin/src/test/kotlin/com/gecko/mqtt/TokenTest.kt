package com.gecko.mqtt

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.yield
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TokenTest : LiveTest() {
    private val simulator = Simulator()

    @AfterAll
    fun stop() = simulator.close()

    private fun asking(
        configure: GeckoMqttOptions.() -> Unit = {},
        provider: suspend () -> Token,
    ) = GeckoMqttClient {
        endpoint = "localhost"
        caFile = simulator.caFile
        reconnect = Reconnect(maxAttempts = 1, cooldown = 0.seconds)
        configure()
        tokenProvider(provider)
    }

    @Test
    fun `the provider is asked for each token, and nothing is lost when it is renewed`() = test {
        val asked = AtomicInteger()
        asking {
            asked.incrementAndGet()
            yield()
            Token.fromBrokerUrl(simulator.mint(ttlSeconds = 4))
        }.use { client ->
            client.connect(LIMIT)
            assertEquals(1, asked.get())
            val refreshed =
                async(start = CoroutineStart.UNDISPATCHED) {
                    client.events.first { it.kind == EventKind.TOKEN_REFRESHED }
                }
            val subscription = client.subscribe("rotating")
            // Talks to itself until a token was renewed because it expires.
            var sent = 0
            val heard = mutableListOf<Int>()
            while (!refreshed.isCompleted || sent < 100) {
                client.publish("rotating", "${sent++}")
                heard += subscription.messages.first().text.toInt()
            }
            assertTrue(refreshed.await().sessionPresent)
            // One that was in hand at the rotation may have come twice.
            while (heard.last() < sent - 1) heard += subscription.messages.first().text.toInt()
            assertTrue(List(sent) { it } == heard.distinct(), "some were lost, or came out of order")
            assertTrue(heard.size - sent <= client.stats().tokenRefreshes, "${heard.size - sent} came twice")
            val history = client.connectionHistory().map { it.kind }
            assertFalse(EventKind.DISCONNECTED in history)
            // And at once when it is told to.
            val again =
                async(start = CoroutineStart.UNDISPATCHED) {
                    client.events.first { it.kind == EventKind.TOKEN_REFRESHED }
                }
            client.refreshToken()
            again.await()
            assertTrue(client.stats().tokenRefreshes >= 2)
            assertTrue(asked.get() >= 3)
        }
    }

    @Test
    fun `what waits for its collector survives a rotation`() = test {
        simulator.client { receiveMaximum = 8 }.use { client ->
            client.connect(LIMIT)
            val subscription = client.subscribe("held")
            val ends = List(30) { client.publishAsync(Message("held", "$it")) }
            eventually("no messages came") { client.stats().messagesReceived == 8L }
            val refreshed =
                async(start = CoroutineStart.UNDISPATCHED) {
                    client.events.first { it.kind == EventKind.TOKEN_REFRESHED }
                }
            client.setToken(Token.fromBrokerUrl(simulator.mint(ttlSeconds = 3600)))
            refreshed.await()
            val heard = subscription.messages.take(30).toList().map { it.text.toInt() }
            assertEquals(List(30) { it }, heard)
            ends.awaitAll()
        }
    }

    @Test
    fun `what a provider throws is told by its class alone, since it may quote a token`() = test {
        val url = simulator.brokerUrl()
        asking { error("cannot fetch $url") }.use { client ->
            val e = failure<GeckoMqttException.TokenRefresh> { client.connect(LIMIT) }
            assertEquals(Status.TOKEN_REFRESH, e.status)
            assertTrue(e.message!!.contains("IllegalStateException"), e.message)
            assertFalse(e.message!!.contains("cannot fetch"), e.message)
        }
        asking { throw TokenUnavailableException("the user is logged out") }.use { client ->
            val e = failure<GeckoMqttException.TokenRefresh> { client.connect(LIMIT) }
            assertTrue(e.message!!.contains("the user is logged out"), e.message)
        }
        asking { Token("") }.use { client ->
            val e = failure<GeckoMqttException> { client.connect(LIMIT) }
            assertTrue(e.message!!.isNotEmpty())
        }
    }

    @Test
    fun `a provider that takes too long is cancelled`() = test {
        val cancelled = CompletableDeferred<Unit>()
        asking({ tokenTimeout = 200.milliseconds }) {
            try {
                awaitCancellation()
            } finally {
                cancelled.complete(Unit)
            }
        }.use { client ->
            failure<GeckoMqttException.TokenRefresh> { client.connect(LIMIT) }
            cancelled.await()
        }
    }

    @Test
    fun `close cancels the provider`() = test {
        val asked = CompletableDeferred<Unit>()
        val cancelled = CompletableDeferred<Unit>()
        val client =
            asking {
                asked.complete(Unit)
                try {
                    awaitCancellation()
                } finally {
                    cancelled.complete(Unit)
                }
            }
        val connecting = async { runCatching { client.connect(LIMIT) } }
        asked.await()
        client.close()
        cancelled.await()
        val e = connecting.await().exceptionOrNull() as GeckoMqttException
        assertEquals(Status.CLOSED, e.status)
    }

    @Test
    fun `an authorizer with a token of its own`() = test {
        val files = listOf("token.txt", "signature.txt").map { java.io.File(simulator.file(it)).readText().trim() }
        GeckoMqttClient {
            endpoint = "localhost"
            caFile = simulator.caFile
            port = simulator.alpnPort
            authorizer("gecko", "token")
            token = Token(files[0], signature = files[1])
        }.use { it.connect(LIMIT) }
    }
}
