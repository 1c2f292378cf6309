package com.gecko.mqtt

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.util.concurrent.TimeUnit

/** The README's first program is the one that is compiled here, and works. */
class QuickstartTest {
    @Test
    fun `README and program are the same`() {
        val readme = File("README.md").readText()
        val program = readme.substringAfter("```kotlin\n").substringBefore("```")
        assertEquals(File("src/test/kotlin/Quickstart.kt").readText(), program)
        // And every other one compiles, too.
        val snippets = File("src/test/kotlin/Snippets.kt").readText().withoutIndents()
        for (block in readme.split("```kotlin\n").drop(2).map { it.substringBefore("```") }) {
            assertTrue(snippets.contains(block.withoutIndents()), "not in Snippets.kt:\n$block")
        }
    }

    private fun String.withoutIndents() = lines().joinToString("\n") { it.trim() }

    @Test
    fun `it connects, publishes, hears itself and leaves`() {
        Simulator().use { simulator ->
            val java = File(System.getProperty("java.home"), "bin/java").path
            val builder = ProcessBuilder(java, "-cp", System.getProperty("java.class.path"), "QuickstartKt")
            builder.environment() += mapOf("BROKER_URL" to simulator.brokerUrl(), "CA_FILE" to simulator.caFile)
            val process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start()
            val output = process.inputReader()
            val lines = sortedSetOf<String>()
            while (lines.size < 2) lines += output.readLine() ?: break
            process.outputStream.close()
            assertTrue(process.waitFor(LIMIT.inWholeSeconds, TimeUnit.SECONDS), "it does not end")
            assertEquals(0, process.exitValue())
            assertEquals(setOf("Listening; Enter ends it.", "spa/42/state: {\"temperature\":38.5}"), lines)
            Traces.note(lines.joinToString("\n"))
        }
    }
}
