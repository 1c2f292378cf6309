package com.gecko.mqtt.internal

import com.gecko.mqtt.GeckoMqttException
import com.gecko.mqtt.Status
import kotlin.time.Duration
import kotlin.time.Duration.Companion.ZERO

/**
 * C's view of a text for one call: UTF-8, with a NUL at its end where C does not want a length.
 *
 * C would take it to end at a NUL in the middle; the byte that is put there makes it what it is in MQTT: not valid. So
 * does a lone surrogate become one.
 */
internal fun utf8(text: String): ByteArray {
    val bytes =
        try {
            text.encodeToByteArray(throwOnInvalidSequence = true)
        } catch (_: CharacterCodingException) {
            return byteArrayOf(NOT_UTF8)
        }
    for (i in bytes.indices) if (bytes[i] == 0.toByte()) bytes[i] = NOT_UTF8
    return bytes
}

private const val NOT_UTF8: Byte = 0xFF.toByte()

/** Hands out a text with a NUL, and overwrites it afterwards: it may be a token. */
internal inline fun <R> withText(
    text: String?,
    use: (ByteArray?) -> R,
): R {
    if (text == null) return use(null)
    val bytes = utf8(text)
    val terminated = bytes.copyOf(bytes.size + 1)
    bytes.fill(0)
    try {
        return use(terminated)
    } finally {
        terminated.fill(0)
    }
}

/** Milliseconds of a time-out; none: as long as the options say. The longest is 49 days, a negative one does not wait. */
internal fun waitMs(timeout: Duration?): Int =
    timeout?.inWholeMilliseconds?.coerceIn(0, 0xFFFF_FFFE)?.toInt() ?: Native.WAIT_DEFAULT

/** Seconds that fit into C's type; [Duration.INFINITE] is that type's largest. */
internal fun seconds(
    time: Duration,
    what: String,
    most: Long,
): Int {
    val seconds = if (time.isInfinite()) most else time.inWholeSeconds
    if (time < ZERO || seconds > most) {
        throw GeckoMqttException.Configuration(Status.OUT_OF_RANGE, "$what is 0 to $most seconds, not $time")
    }
    return seconds.toInt()
}

internal const val MAX_UINT32: Long = 0xFFFF_FFFF
internal const val MAX_UINT16: Long = 0xFFFF

/** A number that C takes as one without a sign. */
internal fun unsigned(
    value: Long,
    what: String,
    most: Long,
): Int {
    if (value !in 0..most) {
        throw GeckoMqttException.Configuration(Status.OUT_OF_RANGE, "$what is 0 to $most, not $value")
    }
    return value.toInt()
}

internal fun Boolean.toByte(): Byte = if (this) 1 else 0
