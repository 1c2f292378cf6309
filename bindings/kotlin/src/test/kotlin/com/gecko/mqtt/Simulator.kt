package com.gecko.mqtt

import java.io.File
import java.net.URI
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.seconds

/** Every wait of a test has this limit; nothing sleeps. */
val LIMIT = 30.seconds

/** The simulator of AWS IoT Core, as a process of its own: it ends with its standard input, so with these tests. */
class Simulator(
    vararg switches: String,
) : AutoCloseable {
    private val process: Process
    private val ready: Map<String, String>

    init {
        val program = checkNotNull(System.getenv("GECKO_IOT_SIM")) { "set GECKO_IOT_SIM to the program gecko-iot-sim" }
        val secrets = Traces.file("secrets", "txt")?.let { listOf("--secrets-file", it.path) }.orEmpty()
        val command = listOf(program, "--plain", "--mint", "--stop-on-stdin-eof") + switches + secrets
        process = ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        val line = process.inputReader().readLine() ?: error("the simulator did not become ready")
        check(line.startsWith("gecko-iot-sim ready ")) { "the simulator said instead of its ready line: $line" }
        ready = line.split(' ').drop(2).associate { it.substringBefore('=') to it.substringAfter('=') }
    }

    private val folder = File(ready.getValue("dir"))
    val caFile: String = folder.resolve("ca.pem").path
    val plainPort: Int = ready.getValue("plain").toInt()
    val mtlsPort: Int = ready.getValue("mtls").toInt()
    val alpnPort: Int = ready.getValue("alpn").toInt()

    fun file(name: String): String = folder.resolve(name).path

    fun brokerUrl(): String = File(file("broker-url.txt")).readText().trim()

    /** A fresh token, as Gecko's cloud hands it out. */
    fun mint(ttlSeconds: Int): String =
        URI("http://127.0.0.1:${ready.getValue("mint")}/broker-url?ttl=$ttlSeconds").toURL().readText().trim()

    /** Options that trust it and have its first token. */
    fun options(configure: GeckoMqttOptions.() -> Unit = {}): GeckoMqttOptions =
        GeckoMqttOptions().apply {
            brokerUrl = brokerUrl()
            caFile = this@Simulator.caFile
            configure()
        }

    fun client(configure: GeckoMqttOptions.() -> Unit = {}): GeckoMqttClient = GeckoMqttClient(options(configure))

    override fun close() {
        process.outputStream.close()
        check(process.waitFor(LIMIT.inWholeSeconds, TimeUnit.SECONDS)) { "the simulator does not end" }
    }
}
