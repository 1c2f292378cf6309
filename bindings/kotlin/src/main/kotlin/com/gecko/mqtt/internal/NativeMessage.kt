package com.gecko.mqtt.internal

import com.gecko.mqtt.GeckoMqttException
import com.gecko.mqtt.Message
import com.gecko.mqtt.QoS
import com.gecko.mqtt.ReceivedMessage
import com.gecko.mqtt.UserProperty
import com.sun.jna.Memory
import com.sun.jna.Pointer
import kotlin.time.Duration.Companion.seconds

/** One block of memory for a call: structures at its beginning, what they point to behind. */
internal class Block(
    bytes: Int,
    contents: List<ByteArray>,
) : AutoCloseable {
    private val memory = Memory((bytes + contents.sumOf { it.size } + 1).toLong()).apply { clear() }
    private val nul = memory.size() - 1
    private var next = bytes.toLong()
    val pointer: Pointer
        get() = memory

    /**
     * The pointer to the next content, and its length behind it. Empty ones are there too: NULL would be none, and text
     * of length 0 is read up to its NUL.
     */
    fun counted(
        offset: Int,
        content: ByteArray,
    ) {
        if (content.isNotEmpty()) memory.write(next, content, 0, content.size)
        memory.setPointer(offset.toLong(), memory.share(if (content.isEmpty()) nul else next))
        memory.setSize(offset + com.sun.jna.Native.POINTER_SIZE, content.size.toLong())
        next += content.size
    }

    /** The pointer to the next content, which ends with a NUL. */
    fun terminated(
        offset: Int,
        content: ByteArray,
    ) {
        memory.write(next, content, 0, content.size)
        memory.setPointer(offset.toLong(), memory.share(next))
        next += content.size
    }

    /** What was in it is overwritten: it may be a token. */
    override fun close() {
        memory.clear()
        memory.close()
    }
}

/** Shows a message to C for one call. */
internal fun <R> withMessage(
    message: Message,
    use: (Pointer) -> R,
): R {
    val topic = utf8(message.topic)
    val contentType = message.contentType?.let(::utf8)
    val responseTopic = message.responseTopic?.let(::utf8)
    val properties = message.userProperties.flatMap { listOf(utf8(it.name), utf8(it.value)) }
    val contents =
        listOfNotNull(topic, message.payload, contentType, responseTopic, message.correlationData) + properties
    val size = MessageLayout.bytes
    return Block(size + message.userProperties.size * UserPropertyLayout.bytes, contents).use { block ->
        val c = block.pointer
        GeckoMqttException.check(Native.gecko_mqtt_message_init(c, SizeT(size.toLong())))
        c.setByte(MessageLayout.qos.toLong(), message.qos.ordinal.toByte())
        c.setByte(MessageLayout.retain.toLong(), message.retain.toByte())
        c.setByte(MessageLayout.payloadFormat.toLong(), message.isText.toByte())
        block.counted(MessageLayout.topic, topic)
        block.counted(MessageLayout.payload, message.payload)
        contentType?.let { block.counted(MessageLayout.contentType, it) }
        responseTopic?.let { block.counted(MessageLayout.responseTopic, it) }
        message.correlationData?.let { block.counted(MessageLayout.correlationData, it) }
        if (message.userProperties.isNotEmpty()) {
            c.setPointer(MessageLayout.userProperties.toLong(), c.share(size.toLong()))
            c.setSize(
                MessageLayout.userProperties + com.sun.jna.Native.POINTER_SIZE,
                message.userProperties.size.toLong(),
            )
            for ((index, text) in properties.withIndex()) {
                val member = if (index % 2 == 0) UserPropertyLayout.name else UserPropertyLayout.value
                block.counted(size + index / 2 * UserPropertyLayout.bytes + member, text)
            }
        }
        message.expiry?.let {
            val expiry = seconds(it, "the message expiry interval", MAX_UINT32)
            c.setInt(MessageLayout.messageExpirySecs.toLong(), expiry)
        }
        use(c)
    }
}

/** Copies what C shows for the time of a callback. */
internal fun received(
    c: Pointer,
    manual: Boolean,
): ReceivedMessage {
    val qos = QoS.entries[c.getByte(MessageLayout.qos.toLong()).toInt()]
    val correlation = c.getPointer(MessageLayout.correlationData.toLong())
    val expiry = c.getInt(MessageLayout.messageExpirySecs.toLong()).toLong() and MAX_UINT32
    return ReceivedMessage(
        topic = c.countedText(MessageLayout.topic),
        payload = c.countedBytes(MessageLayout.payload),
        qos = qos,
        retain = c.getByte(MessageLayout.retain.toLong()) != 0.toByte(),
        isText = c.getByte(MessageLayout.payloadFormat.toLong()) != 0.toByte(),
        contentType = c.countedText(MessageLayout.contentType).ifEmpty { null },
        responseTopic = c.countedText(MessageLayout.responseTopic).ifEmpty { null },
        correlationData = correlation?.let { c.countedBytes(MessageLayout.correlationData) },
        userProperties = userProperties(c),
        expiry = if (expiry == 0L) null else expiry.seconds,
        duplicate = c.getByte(MessageLayout.dup.toLong()) != 0.toByte(),
        subscriptionIds = subscriptionIds(c),
        acknowledgement = Acknowledgement(c.getLong(MessageLayout.received.toLong()), qos, manual),
    )
}

private fun userProperties(c: Pointer): List<UserProperty> {
    val count = c.getSize(MessageLayout.userProperties + com.sun.jna.Native.POINTER_SIZE).toInt()
    if (count == 0) return emptyList()
    val first = c.getPointer(MessageLayout.userProperties.toLong())
    return List(count) {
        val property = first.share(it.toLong() * UserPropertyLayout.bytes)
        UserProperty(property.countedText(UserPropertyLayout.name), property.countedText(UserPropertyLayout.value))
    }
}

private fun subscriptionIds(c: Pointer): List<Int> {
    val count = c.getSize(MessageLayout.subscriptionIds + com.sun.jna.Native.POINTER_SIZE).toInt()
    if (count == 0) return emptyList()
    return c.getPointer(MessageLayout.subscriptionIds.toLong()).getIntArray(0, count).toList()
}
