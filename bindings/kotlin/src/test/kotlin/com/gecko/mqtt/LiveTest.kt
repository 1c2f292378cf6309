package com.gecko.mqtt

import com.gecko.mqtt.internal.Registry
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import java.io.File
import kotlin.time.TimeSource

/** Tests with the library and the simulator, after each of which nothing may be left. */
abstract class LiveTest {
    @BeforeEach
    fun begin() {
        Traces.begin()
        assertEquals(0, Registry.size, "registrations of an earlier test are left")
    }

    @AfterEach
    fun nothingIsLeft() = test {
        eventually("threads of the library are left: ${libraryThreads()}") { libraryThreads().isEmpty() }
        eventually("Java threads of callbacks are left") { javaThreads().isEmpty() }
        assertEquals(0, Registry.size, "registrations are left")
    }
}

fun test(block: suspend CoroutineScope.() -> Unit) {
    runBlocking { withTimeout(LIMIT * 2, block) }
}

/** For what nobody tells: looks until it is so. */
suspend fun eventually(
    otherwise: String,
    isSo: () -> Boolean,
) {
    val start = TimeSource.Monotonic.markNow()
    while (!isSo()) {
        assertTrue(start.elapsedNow() < LIMIT, otherwise)
        yield()
    }
}

inline fun <reified E : GeckoMqttException> failure(
    what: String = "",
    block: () -> Unit,
): E {
    try {
        block()
    } catch (e: GeckoMqttException) {
        Traces.note(e.toString())
        if (e is E) return e
        throw AssertionError("${e.javaClass.simpleName} instead of ${E::class.java.simpleName}: ${e.message}", e)
    }
    throw AssertionError("${E::class.java.simpleName} was not thrown $what")
}

fun libraryThreads(): List<String> =
    File("/proc/self/task").listFiles().orEmpty().mapNotNull { task ->
        runCatching { task.resolve("comm").readText().trim() }.getOrNull()?.takeIf { it.startsWith("gecko-mqtt") }
    }

fun javaThreads(): List<String> = Thread.getAllStackTraces().keys.map { it.name }.filter { "gecko-mqtt" in it }
