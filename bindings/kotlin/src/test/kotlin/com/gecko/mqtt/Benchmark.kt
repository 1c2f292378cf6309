package com.gecko.mqtt

import com.gecko.mqtt.internal.Native
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.runBlocking
import kotlin.time.measureTime

/** The README's figures; with a library built for release. Not a test: it only tells. */
fun main() = runBlocking {
    val messages = 20_000
    Simulator("--no-limits").use { simulator ->
        simulator.client { queue = Queue(maxMessages = 100_000, maxBytes = 100_000_000) }.use { client ->
            client.connect(LIMIT)
            repeat(5) {
                val calls = 1_000_000
                var sum = 0
                val call = measureTime { repeat(calls) { sum += Native.gecko_mqtt_abi_version() } }
                check(sum == calls)
                println("a call: ${call / calls}")
                for (qos in listOf(QoS.AT_MOST_ONCE, QoS.AT_LEAST_ONCE)) {
                    val alone = measureTime { List(messages) { client.publishAsync(Message("a", "x", qos)) }.awaitAll() }
                    println("$qos published: ${alone / messages}")
                }
                val subscription = client.subscribe("bench", capacity = messages)
                val both =
                    measureTime {
                        val heard = async { subscription.messages.take(messages).collect {} }
                        List(messages) { client.publishAsync(Message("bench", "x".repeat(64))) }.awaitAll()
                        heard.await()
                    }
                println("published, received and acknowledged both ways: ${both / messages}")
                subscription.unsubscribe()
            }
        }
    }
}
