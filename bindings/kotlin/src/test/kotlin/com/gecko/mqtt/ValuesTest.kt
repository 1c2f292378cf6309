package com.gecko.mqtt

import com.gecko.mqtt.internal.TopicFilter
import kotlinx.coroutines.flow.toList
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** What needs no server. */
class ValuesTest : LiveTest() {
    private fun refused(
        status: Status,
        configure: GeckoMqttOptions.() -> Unit,
    ): GeckoMqttException {
        val e =
            failure<GeckoMqttException.Configuration> {
                GeckoMqttClient {
                    endpoint = "localhost"
                    configure()
                }.close()
            }
        assertEquals(status, e.status, e.message)
        assertTrue(e.message!!.isNotEmpty())
        return e
    }

    @Test
    fun `options that are wrong are refused with words`() {
        failure<GeckoMqttException.Configuration> { GeckoMqttClient {} }
        refused(Status.INVALID_ARGUMENT) { endpoint = "https://localhost" }
        refused(Status.INVALID_URL) { brokerUrl = "localhost" }
        refused(Status.FILE) { caFile = "/there/is/no/such/file" }
        refused(Status.INVALID_CERTIFICATE) { caPem = "no certificate".encodeToByteArray() }
        refused(Status.FILE) { certificateFile("/no/such/cert", "/no/such/key") }
        refused(Status.OUT_OF_RANGE) { port = 65536 }
        refused(Status.OUT_OF_RANGE) { port = -1 }
        refused(Status.OUT_OF_RANGE) { keepAlive = 65536.seconds }
        refused(Status.OUT_OF_RANGE) { sessionExpiry = (-1).seconds }
        refused(Status.OUT_OF_RANGE) { receiveMaximum = 0 }
        refused(Status.OUT_OF_RANGE) { historySize = 100_001 }
        refused(Status.OUT_OF_RANGE) { reconnect = Reconnect(multiplier = 0.0) }
        refused(Status.OUT_OF_RANGE) { queue = Queue(maxMessages = 0) }
        refused(Status.INVALID_TOPIC) { will = Message("a/+", "x") }
        failure<GeckoMqttException.Authentication> {
            GeckoMqttClient {
                endpoint = "localhost"
                token = Token("")
            }
        }
    }

    @Test
    fun `all options are taken`() {
        val client =
            GeckoMqttClient {
                endpoint = "xxxx-ats"
                region = "eu-central-1"
                port = 0
                clientId = "Gerät-7"
                alpn = "mqtt"
                username = "user"
                password = "secret".encodeToByteArray()
                authorizer("gecko", "token", "c2lnbmF0dXJl")
                tokenProvider { error("not asked") }
                tokenTimeout = 5.seconds
                refreshThreshold = 60.seconds
                keepAlive = Duration.ZERO
                cleanStart = false
                sessionExpiry = Duration.INFINITE
                receiveMaximum = 65535
                maxIncomingPacket = 4096
                will = Message("will", "gone")
                willDelay = 30.seconds
                connectTimeout = 3.seconds
                operationTimeout = 4.seconds
                reconnect = Reconnect(enabled = false)
                queue = Queue(10, 10_000, QueuePolicy.DROP_OLDEST)
                offlineQos0 = false
                publishesPerSecond = 50
                historySize = 0
            }
        client.use {
            assertEquals("Gerät-7", client.clientId)
            assertFalse(client.isReconnectionEnabled)
            client.isReconnectionEnabled = true
            assertTrue(client.isReconnectionEnabled)
            client.networkChanged()
            assertEquals(ConnectionState.DISCONNECTED, client.connectionState.value)
            assertEquals(emptyList<ConnectionEvent>(), client.connectionHistory())
            assertEquals(0.0, client.stats().successRate)
        }
    }

    @Test
    fun `text that C would cut or that is no text is refused`() {
        refused(Status.INVALID_UTF8) { clientId = "a\u0000b" }
        refused(Status.INVALID_UTF8) { clientId = "\uD800" }
        GeckoMqttClient { endpoint = "localhost" }.use { client ->
            for (topic in listOf("a\u0000b", "\uDC00", "")) {
                val e = failure<GeckoMqttException.Configuration>(topic) { client.publishAsync(Message(topic, "x")) }
                assertTrue(e.status == Status.INVALID_UTF8 || e.status == Status.INVALID_TOPIC, e.message)
                failure<GeckoMqttException.Configuration>(topic) {
                    client.requestSubscription(TopicSubscription(topic))
                }
            }
            failure<GeckoMqttException.Configuration> { client.changeState("a\u0000b") }
            assertThrows(IllegalArgumentException::class.java) {
                client.requestSubscription(TopicSubscription("a"), capacity = 0)
            }
        }
    }

    @Test
    fun `topic filters match as MQTT says`() {
        val matching =
            listOf(
                "a" to "a",
                "a/b" to "a/b",
                "a/+" to "a/b",
                "a/+" to "a/",
                "+/+" to "/b",
                "/+" to "/b",
                "+" to "a",
                "#" to "a/b/c",
                "a/#" to "a/b/c",
                "a/#" to "a",
                "a/+/c" to "a/b/c",
                "\$share/group/a/+" to "a/b",
                "\$SYS/#" to "\$SYS/uptime",
            )
        val others =
            listOf(
                "a" to "b",
                "a" to "a/b",
                "a/b" to "a",
                "a/+" to "a",
                "a/+" to "a/b/c",
                "+" to "/a",
                "a/#" to "ab",
                "#" to "\$SYS/uptime",
                "+/uptime" to "\$SYS/uptime",
                "A" to "a",
            )
        for ((filter, topic) in matching) assertTrue(TopicFilter(filter).matches(topic), "$filter $topic")
        for ((filter, topic) in others) assertFalse(TopicFilter(filter).matches(topic), "$filter $topic")
    }

    @Test
    fun `closed by another thread within a call, it says so too`() {
        val e = failure<GeckoMqttException.Configuration> { GeckoMqttException.check(Status.INVALID_HANDLE.code) }
        assertEquals(Status.CLOSED, e.status)
    }

    @Test
    fun `a client that is closed says so`() = test {
        val client = GeckoMqttClient { endpoint = "localhost" }
        val subscription = client.requestSubscription(TopicSubscription("a"))
        client.close()
        client.close()
        val refused =
            listOf<suspend () -> Unit>(
                { client.connect() },
                { client.disconnect() },
                { client.publish("a", "x") },
                { client.subscribe("a") },
                { client.stats() },
                { client.clientId },
                { client.connectionHistory() },
                { client.setToken(Token("token")) },
                { client.changeState("x") },
                { client.networkChanged() },
            )
        for (call in refused) {
            assertEquals(Status.CLOSED, failure<GeckoMqttException.Configuration> { call() }.status)
        }
        assertFalse(client.isConnected)
        // What it had promised has an end.
        assertEquals(Status.CANCELLED, failure<GeckoMqttException.Operation> { subscription.await() }.status)
        assertTrue(subscription.messages.toList().isEmpty())
        assertTrue(client.events.toList().isEmpty())
        assertTrue(client.unmatchedMessages.toList().isEmpty())
    }

    @Test
    fun `nothing prints a secret`() {
        assertEquals("Token(***)", Token("top-secret").toString())
        assertFalse(Message("a", "top-secret").toString().contains("top-secret"))
    }

    @Test
    fun `the library tells its version`() {
        assertTrue(GeckoMqttLibrary.version.matches(Regex("""\d+\.\d+\.\d+""")))
        assertTrue(GeckoMqttLibrary.location.contains("gecko_mqtt"))
    }
}
