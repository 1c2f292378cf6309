package com.gecko.mqtt

import com.gecko.mqtt.internal.Callbacks
import com.gecko.mqtt.internal.LogRecordLayout
import com.gecko.mqtt.internal.LogSink
import com.gecko.mqtt.internal.Native
import com.gecko.mqtt.internal.Registry
import com.gecko.mqtt.internal.countedText
import com.gecko.mqtt.internal.toByte
import com.gecko.mqtt.internal.withText
import kotlin.time.Duration

/** How grave a log record is. */
public enum class LogLevel {
    /** A defect, or something without which the library cannot work. */
    ERROR,

    /** Something that should not be, and that the library lives with. */
    WARN,

    /** The life of connections, with a few lines for each. */
    INFO,

    /** How connections come about, and a line for each message. */
    DEBUG,

    /** Each packet: type, identifier, size. */
    TRACE,
}

/**
 * What the library logs. It never has a secret or a payload in it.
 *
 * @property level how grave it is.
 * @property timeMs when, in milliseconds since 1970-01-01 UTC, as the device's clock had it.
 * @property text the message and the fields in one line.
 * @property message the message alone.
 * @property fields the fields alone, as a JSON object.
 * @property target the part of the library that logs.
 */
public data class LogRecord(
    public val level: LogLevel,
    public val timeMs: Long,
    public val text: String,
    public val message: String,
    public val fields: String,
    public val target: String,
)

/**
 * The library's log, of the whole process. Nothing is written anywhere unless it is asked for here.
 *
 * A level is "off", "error", "warn", "info", "debug" or "trace", or directives for parts of the library:
 * "info,gecko_mqtt::link=debug".
 */
public object GeckoMqttLog {
    /**
     * Starts logging, in lines of text.
     *
     * @param level the level.
     * @param file path of a file to append to, or null.
     * @param console whether to write to stderr, which Android throws away: use [setLogger] there.
     */
    public fun init(
        level: String,
        file: String? = null,
        console: Boolean = false,
    ) {
        withText(level) { l ->
            withText(file) { GeckoMqttException.check(Native.gecko_mqtt_log_init(l, it, console.toByte())) }
        }
    }

    /** The same in lines of JSON. */
    public fun initJson(
        level: String,
        file: String? = null,
        console: Boolean = false,
    ) {
        withText(level) { l ->
            withText(file) { GeckoMqttException.check(Native.gecko_mqtt_log_init_json(l, it, console.toByte())) }
        }
    }

    /**
     * Says when a new log file is begun.
     *
     * @param maxBytes a file that would become larger is full; 0: no file is; at least 16384.
     * @param interval a new file begins at each multiple of it since 1970-01-01 UTC; zero: no file is too old.
     * @param keep how many full files are kept.
     */
    public fun setRotation(
        maxBytes: Long,
        interval: Duration,
        keep: Int,
    ) {
        val seconds = interval.inWholeSeconds.toInt()
        GeckoMqttException.check(Native.gecko_mqtt_log_set_rotation(maxBytes, seconds, keep))
    }

    /** Changes what is logged, from now on: to the file, to the console and to the logger. */
    public fun setLevel(level: String) {
        withText(level) { GeckoMqttException.check(Native.gecko_mqtt_log_set_level(it)) }
    }

    /**
     * Has the application's own logger told each record; another call replaces it.
     *
     * It runs on whichever thread logs, the one of all connections too, one record at a time: be quick, and neither block
     * nor wait for anything of this library. What it throws ends that call alone.
     */
    public fun setLogger(
        level: String,
        logger: (LogRecord) -> Unit,
    ) {
        val sink =
            LogSink { c ->
                val number = c.getInt(LogRecordLayout.level.toLong())
                val record =
                    LogRecord(
                        level = LogLevel.entries[(number - 1).coerceIn(LogLevel.entries.indices)],
                        timeMs = c.getLong(LogRecordLayout.timeMs.toLong()),
                        text = c.countedText(LogRecordLayout.text),
                        message = c.countedText(LogRecordLayout.message),
                        fields = c.countedText(LogRecordLayout.fields),
                        target = c.countedText(LogRecordLayout.target),
                    )
                runCatching { logger(record) }
            }
        withText(level) {
            GeckoMqttException.check(
                Native.gecko_mqtt_log_set_callback(it, Callbacks.log, Registry.add(sink), Callbacks.destroy),
            )
        }
    }

    /** Takes the logger away. One call of it may still be running on another thread. */
    public fun removeLogger() {
        GeckoMqttException.check(Native.gecko_mqtt_log_set_callback(null, null, null, null))
    }
}
