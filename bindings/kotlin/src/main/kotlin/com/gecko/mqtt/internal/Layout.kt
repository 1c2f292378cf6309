package com.gecko.mqtt.internal

import com.sun.jna.Native
import com.sun.jna.Pointer

/**
 * Where the members of C's structures are. By hand and not by JNA's Structure: reading a message takes 0.1 µs so, and
 * 2 µs so, and nothing has to be kept from R8. LayoutTest compares it with the header, as the C compiler reads it.
 */
internal abstract class Layout(
    private val word: Int = Native.POINTER_SIZE,
) {
    /** Offsets by C's names. */
    val members: MutableMap<String, Int> = LinkedHashMap()

    /** The size of the whole. None has padding at its end. */
    var bytes: Int = 0
        private set

    private fun member(
        name: String,
        size: Int,
        count: Int = 1,
    ): Int {
        bytes = (bytes + size - 1) / size * size
        members[name] = bytes
        return bytes.also { bytes += size * count }
    }

    protected fun byte(name: String): Int = member(name, 1)

    protected fun int(name: String): Int = member(name, 4)

    protected fun ints(
        name: String,
        count: Int,
    ): Int = member(name, 4, count)

    protected fun long(name: String): Int = member(name, 8)

    protected fun pointer(name: String): Int = member(name, word)

    protected fun size(name: String): Int = member(name, word)

    protected fun sizes(
        name: String,
        count: Int,
    ): Int = member(name, word, count)

    /** A pointer, and the length that follows it. */
    protected fun text(
        name: String,
        lengthName: String = "${name}_len",
    ): Int = pointer(name).also { size(lengthName) }
}

internal object MessageLayout : Layout() {
    val size = int("size")
    val qos = byte("qos")
    val retain = byte("retain")
    val dup = byte("dup")
    val payloadFormat = byte("payload_format")
    val topic = text("topic")
    val payload = text("payload")
    val contentType = text("content_type")
    val responseTopic = text("response_topic")
    val correlationData = text("correlation_data")
    val userProperties = text("user_properties", "user_property_count")
    val subscriptionIds = text("subscription_ids", "subscription_id_count")
    val messageExpirySecs = int("message_expiry_secs")
    val reserved = int("reserved")
    val received = long("received")
}

internal object UserPropertyLayout : Layout() {
    val name = text("name")
    val value = text("value")
    val reserved = sizes("reserved", 2)
}

internal object SubscriptionLayout : Layout() {
    val filter = text("filter")
    val qos = byte("qos")
    val noLocal = byte("no_local")
    val retainAsPublished = byte("retain_as_published")
    val retainHandling = byte("retain_handling")
    val reserved = ints("reserved", 3)
}

internal object TokenLayout : Layout() {
    val size = int("size")
    val expiresInSecs = int("expires_in_secs")
    val accessToken = pointer("access_token")
    val username = pointer("username")
    val signature = pointer("signature")
    val brokerUrl = pointer("broker_url")
}

internal object AckLayout : Layout() {
    val size = int("size")
    val status = int("status")
    val reasonCode = int("reason_code")
    val roundTripMs = int("round_trip_ms")
    val error = text("error")
}

internal object EventLayout : Layout() {
    val size = int("size")
    val kind = int("kind")
    val state = int("state")
    val status = int("status")
    val reasonCode = int("reason_code")
    val attempt = int("attempt")
    val timeMs = long("time_ms")
    val delayMs = int("delay_ms")
    val sessionPresent = byte("session_present")
    val reserved = byte("reserved").also { repeat(2) { byte("reserved+${it + 1}") } }
    val message = text("message")
    val error = text("error")
}

internal object LogRecordLayout : Layout() {
    val size = int("size")
    val level = int("level")
    val timeMs = long("time_ms")
    val text = text("text")
    val message = text("message")
    val fields = text("fields")
    val target = text("target")
}

internal object StatsLayout : Layout() {
    val size = int("size")
    val reserved = int("reserved")
    val attempts = long("attempts")
    val successes = long("successes")
    val failures = long("failures")
    val successRate = long("success_rate")
    val reconnections = long("reconnections")
    val tokenRefreshes = long("token_refreshes")
    val tokenRefreshFailures = long("token_refresh_failures")
    val messagesSent = long("messages_sent")
    val messagesReceived = long("messages_received")
    val payloadBytesSent = long("payload_bytes_sent")
    val payloadBytesReceived = long("payload_bytes_received")
    val wireBytesSent = long("wire_bytes_sent")
    val wireBytesReceived = long("wire_bytes_received")
    val messagesRepeated = long("messages_repeated")
    val messagesFailed = long("messages_failed")
    val droppedByPolicy = long("dropped_by_policy")
    val droppedOffline = long("dropped_offline")
    val droppedIncoming = long("dropped_incoming")
    val expired = long("expired")
    val queuedMessages = long("queued_messages")
    val queuedBytes = long("queued_bytes")
    val inFlight = long("in_flight")
    val lastRoundTripUs = long("last_round_trip_us")
    val meanRoundTripUs = long("mean_round_trip_us")
    val connectedSinceMs = long("connected_since_ms")
}

/** A `size_t` of a structure. */
internal fun Pointer.getSize(offset: Int): Long =
    if (Native.POINTER_SIZE == 4) getInt(offset.toLong()).toLong() and 0xFFFF_FFFF else getLong(offset.toLong())

internal fun Pointer.setSize(
    offset: Int,
    value: Long,
) {
    if (Native.POINTER_SIZE == 4) setInt(offset.toLong(), value.toInt()) else setLong(offset.toLong(), value)
}

/** The bytes that a pointer and the length behind it name; empty where there are none. */
internal fun Pointer.countedBytes(offset: Int): ByteArray {
    val length = getSize(offset + Native.POINTER_SIZE)
    if (length == 0L) return ByteArray(0)
    return getPointer(offset.toLong()).getByteArray(0, Math.toIntExact(length))
}

/** The text that a pointer and the length behind it name. */
internal fun Pointer.countedText(offset: Int): String = countedBytes(offset).decodeToString()
