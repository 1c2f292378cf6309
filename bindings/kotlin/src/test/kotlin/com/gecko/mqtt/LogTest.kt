package com.gecko.mqtt

import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LogTest : LiveTest() {
    private val simulator = Simulator()

    @AfterAll
    fun stop() = simulator.close()

    @Test
    fun `the application's logger is told, and what it throws disturbs nobody`() = test {
        val records = ConcurrentLinkedQueue<LogRecord>()
        GeckoMqttLog.setLogger("debug") { record ->
            records += record
            error("a logger with a defect")
        }
        try {
            simulator.client { clientId = "logged" }.use { it.connect(LIMIT) }
            val connected = records.first { it.message == "connected" }
            assertEquals(LogLevel.INFO, connected.level)
            assertTrue(connected.fields.contains("\"client_id\":\"logged\""), connected.fields)
            assertTrue(connected.text.startsWith("connected "), connected.text)
            assertTrue(connected.target.startsWith("gecko_mqtt::driver"), connected.target)
            assertTrue(connected.timeMs > 1_600_000_000_000)
            assertTrue(records.any { it.level == LogLevel.DEBUG })
        } finally {
            GeckoMqttLog.removeLogger()
        }
        val before = records.size
        simulator.client().use { it.connect(LIMIT) }
        assertEquals(before, records.size)
    }

    @Test
    fun `files in text and JSON`(
        @TempDir folder: File,
    ) = test {
        val text = folder.resolve("mqtt.log")
        val json = folder.resolve("mqtt.json")
        try {
            GeckoMqttLog.setRotation(1024 * 1024, Duration.ZERO, 2)
            GeckoMqttLog.init("info", text.path)
            simulator.client().use { it.connect(LIMIT) }
            GeckoMqttLog.initJson("info", json.path)
            simulator.client().use { it.connect(LIMIT) }
            GeckoMqttLog.setLevel("off")
            val length = json.length()
            simulator.client().use { it.connect(LIMIT) }
            assertEquals(length, json.length())
        } finally {
            GeckoMqttLog.setRotation(0, Duration.ZERO, 0)
            Traces.begin()
        }
        assertTrue(text.readText().contains(" connected "))
        assertTrue(json.readLines().all { it.startsWith("{\"time\":") })
        assertEquals(
            Status.INVALID_ARGUMENT,
            failure<GeckoMqttException.Configuration> { GeckoMqttLog.init("loud") }.status,
        )
        assertEquals(
            Status.INVALID_ARGUMENT,
            failure<GeckoMqttException.Configuration> { GeckoMqttLog.setLogger("loud") {} }.status,
        )
        assertEquals(
            Status.FILE,
            failure<GeckoMqttException.Configuration> { GeckoMqttLog.init("info", "/no/such/folder/log") }.status,
        )
    }
}
