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
    }

    @Test
    fun `every other sample of the documentation is compiled here`() {
        val snippets = listOf("Snippets.kt", "AndroidSnippets.kt").map { File("src/test/kotlin/$it").readText().withoutIndents() }
        val readme = samples(File("README.md")).drop(1)
        val others = pages().flatMap(::samples).filterNot { it.isGradle() }
        for (block in readme + others) {
            assertTrue(snippets.any { it.contains(block.withoutIndents()) }, "neither in Snippets.kt nor in AndroidSnippets.kt:\n$block")
        }
        assertTrue(readme.size > 5 && others.size > 3)
    }

    @Test
    fun `what is for Gradle names the artifacts and versions of the pom`() {
        val pom = File("pom.xml").readText()
        val version = pom.substringAfter("<version>").substringBefore("</version>")
        val jna = pom.substringAfter("<jna.version>").substringBefore("</jna.version>")
        val known = setOf("com.gecko.mqtt:gecko-mqtt-kotlin:$version", "net.java.dev.jna:jna:$jna@aar")
        val gradle = pages().flatMap(::samples).filter { it.isGradle() }
        assertTrue(gradle.isNotEmpty())
        val named = gradle.flatMap { Regex("""implementation\("(.*?)"\)""").findAll(it).map { found -> found.groupValues[1] } }
        assertEquals(known, named.toSet())
    }

    /** The pages of the repository but this binding's README. */
    private fun pages(): List<File> =
        listOf("../..", "../../docs").flatMap { File(it).listFiles().orEmpty().toList() }.filter { it.extension == "md" }

    private fun samples(page: File): List<String> =
        Regex("""^( *)```kotlin\n(.*?)^ *```$""", setOf(RegexOption.MULTILINE, RegexOption.DOT_MATCHES_ALL))
            .findAll(page.readText())
            .map { it.groupValues[2] }
            .toList()

    private fun String.isGradle() = contains("dependencies {")

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
