package com.gecko.mqtt

import java.io.File

/**
 * What tests leave for `scripts/test secrets`, where GECKO_TEST_TRACES names a folder: the library's log at TRACE, and
 * the errors that were seen.
 */
object Traces {
    private val process = ProcessHandle.current().pid()

    fun file(
        name: String,
        end: String,
    ): File? = System.getenv("GECKO_TEST_TRACES")?.ifEmpty { null }?.let { File(it, "$name-$process.$end") }

    fun begin() {
        val file = file("kotlin", "log")?.path
        if (file != null) GeckoMqttLog.init("trace", file) else GeckoMqttLog.init("off")
    }

    fun note(text: String) {
        file("kotlin", "texts")?.appendText("$text\n")
    }
}
