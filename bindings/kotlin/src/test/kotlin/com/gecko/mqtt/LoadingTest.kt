package com.gecko.mqtt

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.File

/** Where the native library is looked for, each in a JVM of its own. */
class LoadingTest {
    private val library = File(checkNotNull(System.getenv("GECKO_MQTT_LIBRARY")) { "set GECKO_MQTT_LIBRARY" })
    private val classPath = System.getProperty("java.class.path")

    private fun load(
        vararg options: String,
        classPath: String = this.classPath,
        environment: Map<String, String> = emptyMap(),
    ): Pair<Int, String> {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val builder = ProcessBuilder(java, *options, "-cp", classPath, "com.gecko.mqtt.LoadingTestKt")
        builder.environment().remove("GECKO_MQTT_LIBRARY")
        builder.environment() += environment
        val process = builder.redirectErrorStream(true).start()
        val output = process.inputReader().readText().trim()
        return process.waitFor() to output
    }

    @Test
    fun `by the environment, a property, a path, and from the class path`(
        @TempDir folder: File,
    ) {
        val found = 0 to library.path
        assertEquals(found, load(environment = mapOf("GECKO_MQTT_LIBRARY" to library.path)))
        assertEquals(found, load("-Dgecko.mqtt.library=${library.path}"))
        assertEquals(found, load("-Djna.library.path=${library.parent}"))
        val resource = folder.resolve("${com.sun.jna.Platform.RESOURCE_PREFIX}/libgecko_mqtt.so")
        resource.parentFile.mkdirs()
        library.copyTo(resource)
        val (status, output) = load(classPath = "$folder${File.pathSeparator}$classPath")
        assertEquals(0, status, output)
    }

    @Test
    fun `where it is not, words say what to do`() {
        val (status, output) = load("-Dgecko.mqtt.library=/no/such/library.so")
        assertTrue(status != 0 && output.contains("/no/such/library.so"), output)
    }
}

fun main() = println(GeckoMqttLibrary.location)
