package com.gecko.mqtt

import com.gecko.mqtt.internal.AckLayout
import com.gecko.mqtt.internal.EventLayout
import com.gecko.mqtt.internal.Layout
import com.gecko.mqtt.internal.LogRecordLayout
import com.gecko.mqtt.internal.MessageLayout
import com.gecko.mqtt.internal.Native
import com.gecko.mqtt.internal.SizeT
import com.gecko.mqtt.internal.StatsLayout
import com.gecko.mqtt.internal.SubscriptionLayout
import com.gecko.mqtt.internal.TokenLayout
import com.gecko.mqtt.internal.UserPropertyLayout
import com.sun.jna.Memory
import com.sun.jna.Pointer
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.File

/** What this binding knows of the header is what is in it. */
class LayoutTest {
    private val layouts: Map<String, Layout> =
        mapOf(
            "message" to MessageLayout,
            "user_property" to UserPropertyLayout,
            "subscription" to SubscriptionLayout,
            "token" to TokenLayout,
            "ack" to AckLayout,
            "connection_event" to EventLayout,
            "log_record" to LogRecordLayout,
            "stats" to StatsLayout,
        )

    @Test
    fun `members are where the C compiler puts them, and none is forgotten`(
        @TempDir folder: File,
    ) {
        val known = layouts.mapValues { (_, layout) -> layout.members.filterKeys { '+' !in it } }
        val program =
            buildString {
                appendLine("#include <gecko_mqtt.h>\n#include <stdio.h>\nint main(void) {")
                for ((name, members) in known) {
                    for (member in members.keys) {
                        val offset = "offsetof(gecko_mqtt_${name}_t, $member)"
                        appendLine("printf(\"$name.$member=%zu\\n\", $offset);")
                    }
                    appendLine("printf(\"$name=%zu\\n\", sizeof(gecko_mqtt_${name}_t));")
                }
                appendLine("return 0; }")
            }
        folder.resolve("layout.c").writeText(program)
        val include = header().parent
        run(folder, System.getenv("CC") ?: "cc", "-I$include", "-o", "layout", "layout.c")
        val expected = run(folder, folder.resolve("layout").path).lines().filter { it.isNotEmpty() }
        val actual =
            known.flatMap { (name, members) ->
                members.map { (member, offset) -> "$name.$member=$offset" } + "$name=${layouts.getValue(name).bytes}"
            }
        assertEquals(expected, actual)
        for ((name, members) in known) {
            val declared = declared("typedef struct gecko_mqtt_${name}_t {", "} gecko_mqtt_${name}_t;")
            assertEquals(declared, members.keys.toList(), name)
        }
    }

    @Test
    fun `the library takes structures of these sizes`() {
        fun takes(
            layout: Layout,
            init: (Pointer, SizeT) -> Int,
        ) = Memory(layout.bytes.toLong()).use { c ->
            assertEquals(0, init(c, SizeT(layout.bytes.toLong())))
            assertEquals(layout.bytes, c.getInt(0))
        }
        takes(MessageLayout, Native::gecko_mqtt_message_init)
        takes(TokenLayout, Native::gecko_mqtt_token_init)
        takes(AckLayout, Native::gecko_mqtt_ack_init)
        takes(StatsLayout, Native::gecko_mqtt_stats_init)
    }

    @Test
    fun `every status, state, kind, policy and level has its number`() {
        val expected = defines("ERR_")
        val actual =
            Status.Companion::class.java.methods
                .filter { it.name.startsWith("get") && it.returnType == Int::class.java }
                .associate { it.name.removePrefix("get").substringBefore('-') to it.invoke(Status) as Int }
        assertEquals(expected + ("OK" to 0), actual.toSortedMap().toMap())
        assertEquals(defines("STATE_"), numbered(ConnectionState.entries - ConnectionState.UNKNOWN))
        assertEquals(defines("EVENT_"), numbered(EventKind.entries - EventKind.UNKNOWN))
        assertEquals(defines("QUEUE_"), numbered(QueuePolicy.entries))
        assertEquals(defines("LOG_").mapValues { it.value - 1 }, numbered(LogLevel.entries))
        assertEquals(ConnectionState.UNKNOWN, ConnectionState.of(99))
        assertEquals(EventKind.UNKNOWN, EventKind.of(-1))
        assertEquals("queue is full", Status.QUEUE_FULL.toString())
        assertEquals(StatusGroup.OPERATION, Status.QUEUE_FULL.group)
    }

    @Test
    fun `every function of the header is used, or left out on purpose`() {
        val functions =
            Regex("""\b(gecko_mqtt_\w+)\(""")
                .findAll(header().readText().replace(Regex("""/\*.*?\*/""", RegexOption.DOT_MATCHES_ALL), ""))
                .map { it.groupValues[1] }
                .toSortedSet()
        val bound = Native::class.java.methods.map { it.name }.filter { it.startsWith("gecko_mqtt_") }
        assertEquals(functions, (bound + leftOut.keys).toSortedSet())
        assertEquals(emptySet<String>(), bound.toSet() intersect leftOut.keys)
        val sources = File("src/main/kotlin").walk().filter { it.isFile }.joinToString("\n") { it.readText() }
        // Declared once, and used beside that; but for one of which this test alone asks how large its structure is.
        for (name in bound - "gecko_mqtt_ack_init") assertTrue(Regex("\\b$name\\b").findAll(sources).count() > 1, "$name is bound and not used")
    }

    private val leftOut: Map<String, String> =
        mapOf(
            "gecko_mqtt_publish_wait" to "coroutines wait without it",
            "gecko_mqtt_subscribe" to "subscribe_many does the same",
            "gecko_mqtt_subscribe_wait" to "coroutines wait without it",
            "gecko_mqtt_unsubscribe_wait" to "coroutines wait without it",
            "gecko_mqtt_remove_listeners" to "the router tells who gets a message, and flows end with their collectors",
            "gecko_mqtt_message_retain" to "messages are the JVM's, and live as long as they are needed",
            "gecko_mqtt_message_release" to "messages are the JVM's, and live as long as they are needed",
            "gecko_mqtt_get_connection_state" to "connectionState is told",
            "gecko_mqtt_options_set_dispatch" to "dispatchers decide where an application's code runs",
            "gecko_mqtt_dispatch" to "dispatchers decide where an application's code runs",
            "gecko_mqtt_dispatch_fd" to "dispatchers decide where an application's code runs",
            "gecko_mqtt_connection_state_string" to "enumerations have names of their own",
            "gecko_mqtt_event_kind_string" to "enumerations have names of their own",
            "gecko_mqtt_log_level_string" to "enumerations have names of their own",
        )

    private fun numbered(entries: List<Enum<*>>) = entries.associate { it.name to it.ordinal }.toSortedMap().toMap()

    private fun defines(prefix: String): Map<String, Int> =
        Regex("""#define GECKO_MQTT_$prefix(\w+) (\d+)\n""")
            .findAll(header().readText())
            .associate { it.groupValues[1] to it.groupValues[2].toInt() }
            .toSortedMap()
            .toMap()
            .also { assertTrue(it.isNotEmpty()) }

    private fun declared(
        begin: String,
        end: String,
    ): List<String> {
        val body = header().readText().substringAfter(begin).substringBefore(end)
        return Regex("""(\w+)(\[\d+])?;""").findAll(body.replace(Regex("""/\*.*?\*/""", RegexOption.DOT_MATCHES_ALL), ""))
            .map { it.groupValues[1] }
            .toList()
    }

    // Maven runs tests in the binding's folder.
    private fun header() = File("../../include/gecko_mqtt.h").absoluteFile.normalize()

    private fun run(
        folder: File,
        vararg command: String,
    ): String {
        val process = ProcessBuilder(*command).directory(folder).redirectErrorStream(true).start()
        val output = process.inputReader().readText()
        assertEquals(0, process.waitFor(), output)
        return output
    }
}
