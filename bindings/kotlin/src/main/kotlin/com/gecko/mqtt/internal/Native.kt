package com.gecko.mqtt.internal

import com.sun.jna.Callback
import com.sun.jna.IntegerType
import com.sun.jna.Library
import com.sun.jna.NativeLibrary
import com.sun.jna.Pointer
import com.sun.jna.ptr.PointerByReference
import java.io.File

/** C's `size_t`: 32 bits on some of Android's devices. */
internal class SizeT(value: Long) : IntegerType(com.sun.jna.Native.SIZE_T_SIZE, value, true) {
    // JNA makes results with it.
    @Suppress("unused")
    constructor() : this(0)

    override fun toByte(): Byte = toInt().toByte()

    override fun toShort(): Short = toInt().toShort()
}

internal fun interface MessageFn : Callback {
    fun invoke(message: Pointer, userdata: Pointer?)
}

internal fun interface CompletionFn : Callback {
    fun invoke(ack: Pointer, userdata: Pointer?)
}

internal fun interface EventFn : Callback {
    fun invoke(event: Pointer, userdata: Pointer?)
}

internal fun interface ConnectionStateFn : Callback {
    fun invoke(state: Int, userdata: Pointer?)
}

internal fun interface StateFn : Callback {
    fun invoke(state: Pointer, userdata: Pointer?)
}

internal fun interface TokenProviderFn : Callback {
    fun invoke(request: Long, userdata: Pointer?)
}

internal fun interface LogFn : Callback {
    fun invoke(record: Pointer, userdata: Pointer?)
}

internal fun interface DestroyFn : Callback {
    fun invoke(userdata: Pointer?)
}

/**
 * The functions of gecko_mqtt.h, by JNA's direct mapping: 70 ns a call, where its interface mapping takes 520. C's
 * `bool` is a byte here: JNA's own boolean would read 32 bits of it.
 */
@Suppress("FunctionName", "ktlint:standard:function-naming")
internal object Native {
    private const val ABI_VERSION = 1

    /** As a time-out: as long as the options say. */
    const val WAIT_DEFAULT: Int = -1

    /** Where it comes from: a path, or a name that JNA looks for. */
    val library: NativeLibrary = open()

    init {
        com.sun.jna.Native.register(Native::class.java, library)
        val found = gecko_mqtt_abi_version()
        if (found != ABI_VERSION) {
            throw UnsatisfiedLinkError(
                "${library.file ?: library.name} has the binary interface $found, and this binding was written for " +
                    "$ABI_VERSION: take both from the same version",
            )
        }
    }

    private fun open(): NativeLibrary {
        val named =
            System.getProperty("gecko.mqtt.library")?.ifEmpty { null }
                ?: System.getenv("GECKO_MQTT_LIBRARY")?.ifEmpty { null }
        if (named != null && !File(named).isFile) {
            throw UnsatisfiedLinkError("gecko.mqtt.library or GECKO_MQTT_LIBRARY names $named, which is no file")
        }
        return try {
            NativeLibrary.getInstance(named ?: "gecko_mqtt", mapOf(Library.OPTION_STRING_ENCODING to "UTF-8"))
        } catch (e: UnsatisfiedLinkError) {
            val hint =
                "libgecko_mqtt was not found: name it in the system property gecko.mqtt.library or in " +
                    "GECKO_MQTT_LIBRARY, its folder in jna.library.path, or put it into the jar under JNA's name for " +
                    "the platform (linux-x86-64/libgecko_mqtt.so)"
            throw UnsatisfiedLinkError("$hint. ${e.message}")
        }
    }

    /** A static or borrowed text of the library. */
    fun text(pointer: Pointer?): String = pointer?.getString(0, "UTF-8") ?: ""

    /** What the last failed call of this thread said. */
    fun lastError(): String = text(gecko_mqtt_last_error_message())

    /** A text that the library gives away. */
    fun owned(get: (PointerByReference) -> Int): String {
        val out = PointerByReference()
        com.gecko.mqtt.GeckoMqttException.check(get(out))
        val pointer = out.value
        return try {
            text(pointer)
        } finally {
            gecko_mqtt_string_free(pointer)
        }
    }

    @JvmStatic external fun gecko_mqtt_version(): Pointer?

    @JvmStatic external fun gecko_mqtt_abi_version(): Int

    @JvmStatic external fun gecko_mqtt_status_string(status: Int): Pointer?

    @JvmStatic external fun gecko_mqtt_last_error_message(): Pointer?

    @JvmStatic external fun gecko_mqtt_string_free(text: Pointer?)

    // Options: texts are NUL-terminated bytes, see Text.

    @JvmStatic external fun gecko_mqtt_options_new(): Pointer?

    @JvmStatic external fun gecko_mqtt_options_free(options: Pointer?)

    @JvmStatic external fun gecko_mqtt_options_set_endpoint(options: Pointer?, host: ByteArray?): Int

    @JvmStatic external fun gecko_mqtt_options_set_port(options: Pointer?, port: Short): Int

    @JvmStatic external fun gecko_mqtt_options_set_broker_url(options: Pointer?, url: ByteArray?): Int

    @JvmStatic external fun gecko_mqtt_options_set_region(options: Pointer?, region: ByteArray?): Int

    @JvmStatic external fun gecko_mqtt_options_set_client_id(options: Pointer?, clientId: ByteArray?): Int

    @JvmStatic external fun gecko_mqtt_options_set_ca_file(options: Pointer?, path: ByteArray?): Int

    @JvmStatic external fun gecko_mqtt_options_set_ca_pem(options: Pointer?, pem: ByteArray?, length: SizeT): Int

    @JvmStatic external fun gecko_mqtt_options_set_alpn(options: Pointer?, protocol: ByteArray?): Int

    @JvmStatic external fun gecko_mqtt_options_set_certificate_file(
        options: Pointer?,
        certPath: ByteArray?,
        keyPath: ByteArray?,
    ): Int

    @JvmStatic external fun gecko_mqtt_options_set_certificate_pem(
        options: Pointer?,
        cert: ByteArray?,
        certLength: SizeT,
        key: ByteArray?,
        keyLength: SizeT,
    ): Int

    @JvmStatic external fun gecko_mqtt_options_set_username(options: Pointer?, username: ByteArray?): Int

    @JvmStatic external fun gecko_mqtt_options_set_password(options: Pointer?, password: ByteArray?, length: SizeT): Int

    @JvmStatic external fun gecko_mqtt_options_set_authorizer(
        options: Pointer?,
        name: ByteArray?,
        tokenKey: ByteArray?,
        signature: ByteArray?,
    ): Int

    @JvmStatic external fun gecko_mqtt_options_set_token(options: Pointer?, token: Pointer?): Int

    @JvmStatic external fun gecko_mqtt_options_set_token_provider(
        options: Pointer?,
        provider: TokenProviderFn?,
        userdata: Pointer?,
        destroy: DestroyFn?,
    ): Int

    @JvmStatic external fun gecko_mqtt_options_set_token_timeout_ms(options: Pointer?, milliseconds: Int): Int

    @JvmStatic external fun gecko_mqtt_options_set_refresh_threshold_secs(options: Pointer?, seconds: Int): Int

    @JvmStatic external fun gecko_mqtt_options_set_keep_alive_secs(options: Pointer?, seconds: Short): Int

    @JvmStatic external fun gecko_mqtt_options_set_clean_start(options: Pointer?, cleanStart: Byte): Int

    @JvmStatic external fun gecko_mqtt_options_set_session_expiry_secs(options: Pointer?, seconds: Int): Int

    @JvmStatic external fun gecko_mqtt_options_set_receive_maximum(options: Pointer?, maximum: Short): Int

    @JvmStatic external fun gecko_mqtt_options_set_max_incoming_packet(options: Pointer?, bytes: Int): Int

    @JvmStatic external fun gecko_mqtt_options_set_will(options: Pointer?, message: Pointer?, delaySeconds: Int): Int

    @JvmStatic external fun gecko_mqtt_options_set_connect_timeout_ms(options: Pointer?, milliseconds: Int): Int

    @JvmStatic external fun gecko_mqtt_options_set_operation_timeout_ms(options: Pointer?, milliseconds: Int): Int

    @JvmStatic external fun gecko_mqtt_options_set_reconnect(
        options: Pointer?,
        enabled: Byte,
        maxAttempts: Int,
        initialMs: Int,
        maxMs: Int,
        multiplier: Double,
    ): Int

    @JvmStatic external fun gecko_mqtt_options_set_reconnect_cooldown_secs(options: Pointer?, seconds: Int): Int

    @JvmStatic external fun gecko_mqtt_options_set_queue(
        options: Pointer?,
        maxMessages: Int,
        maxBytes: Long,
        policy: Int,
    ): Int

    @JvmStatic external fun gecko_mqtt_options_set_offline_qos0(options: Pointer?, keep: Byte): Int

    @JvmStatic external fun gecko_mqtt_options_set_pacing(options: Pointer?, publishes: Int, bytes: Int): Int

    @JvmStatic external fun gecko_mqtt_options_set_manual_ack(options: Pointer?, manual: Byte): Int

    @JvmStatic external fun gecko_mqtt_options_set_history_size(options: Pointer?, events: Int): Int

    // The client.

    @JvmStatic external fun gecko_mqtt_client_new(options: Pointer?, out: PointerByReference?): Int

    @JvmStatic external fun gecko_mqtt_client_free(client: Pointer?)

    @JvmStatic external fun gecko_mqtt_connect(client: Pointer?, timeoutMs: Int): Int

    @JvmStatic external fun gecko_mqtt_disconnect(client: Pointer?, timeoutMs: Int): Int

    @JvmStatic external fun gecko_mqtt_is_connected(client: Pointer?): Byte

    @JvmStatic external fun gecko_mqtt_get_client_id(client: Pointer?, out: PointerByReference?): Int

    @JvmStatic external fun gecko_mqtt_enable_reconnection(client: Pointer?): Int

    @JvmStatic external fun gecko_mqtt_disable_reconnection(client: Pointer?): Int

    @JvmStatic external fun gecko_mqtt_is_reconnection_enabled(client: Pointer?): Byte

    @JvmStatic external fun gecko_mqtt_network_changed(client: Pointer?): Int

    @JvmStatic external fun gecko_mqtt_set_token(client: Pointer?, token: Pointer?): Int

    @JvmStatic external fun gecko_mqtt_refresh_token(client: Pointer?): Int

    @JvmStatic external fun gecko_mqtt_set_certificate_file(
        client: Pointer?,
        certPath: ByteArray?,
        keyPath: ByteArray?,
    ): Int

    @JvmStatic external fun gecko_mqtt_set_certificate_pem(
        client: Pointer?,
        cert: ByteArray?,
        certLength: SizeT,
        key: ByteArray?,
        keyLength: SizeT,
    ): Int

    @JvmStatic external fun gecko_mqtt_token_init(token: Pointer?, size: SizeT): Int

    @JvmStatic external fun gecko_mqtt_token_request_complete(request: Long, token: Pointer?): Int

    @JvmStatic external fun gecko_mqtt_token_request_fail(request: Long, reason: ByteArray?): Int

    @JvmStatic external fun gecko_mqtt_on_connection_state_change(
        client: Pointer?,
        listener: ConnectionStateFn?,
        userdata: Pointer?,
        destroy: DestroyFn?,
    ): Int

    @JvmStatic external fun gecko_mqtt_on_connection_event(
        client: Pointer?,
        listener: EventFn?,
        userdata: Pointer?,
        destroy: DestroyFn?,
    ): Int

    @JvmStatic external fun gecko_mqtt_on_state_change(
        client: Pointer?,
        listener: StateFn?,
        userdata: Pointer?,
        destroy: DestroyFn?,
    ): Int

    @JvmStatic external fun gecko_mqtt_on_message(
        client: Pointer?,
        listener: MessageFn?,
        userdata: Pointer?,
        destroy: DestroyFn?,
    ): Int

    @JvmStatic external fun gecko_mqtt_change_state(client: Pointer?, state: ByteArray?): Int

    @JvmStatic external fun gecko_mqtt_message_init(message: Pointer?, size: SizeT): Int

    @JvmStatic external fun gecko_mqtt_message_ack(message: Pointer?): Int

    @JvmStatic external fun gecko_mqtt_ack_init(ack: Pointer?, size: SizeT): Int

    @JvmStatic external fun gecko_mqtt_publish(
        client: Pointer?,
        message: Pointer?,
        completion: CompletionFn?,
        userdata: Pointer?,
    ): Int

    @JvmStatic external fun gecko_mqtt_subscribe_many(
        client: Pointer?,
        subscriptions: Pointer?,
        count: SizeT,
        handler: MessageFn?,
        userdata: Pointer?,
        destroy: DestroyFn?,
        completion: CompletionFn?,
        completionUserdata: Pointer?,
    ): Int

    @JvmStatic external fun gecko_mqtt_unsubscribe(
        client: Pointer?,
        filter: ByteArray?,
        completion: CompletionFn?,
        userdata: Pointer?,
    ): Int

    @JvmStatic external fun gecko_mqtt_get_connection_history(client: Pointer?, out: PointerByReference?): Int

    @JvmStatic external fun gecko_mqtt_history_count(history: Pointer?): SizeT

    @JvmStatic external fun gecko_mqtt_history_at(history: Pointer?, index: SizeT): Pointer?

    @JvmStatic external fun gecko_mqtt_history_free(history: Pointer?)

    @JvmStatic external fun gecko_mqtt_history_json(client: Pointer?, out: PointerByReference?): Int

    @JvmStatic external fun gecko_mqtt_stats_init(stats: Pointer?, size: SizeT): Int

    @JvmStatic external fun gecko_mqtt_get_stats(client: Pointer?, stats: Pointer?): Int

    @JvmStatic external fun gecko_mqtt_stats_json(client: Pointer?, out: PointerByReference?): Int

    @JvmStatic external fun gecko_mqtt_reset_stats(client: Pointer?): Int

    // Logging.

    @JvmStatic external fun gecko_mqtt_log_init(level: ByteArray?, file: ByteArray?, console: Byte): Int

    @JvmStatic external fun gecko_mqtt_log_init_json(level: ByteArray?, file: ByteArray?, console: Byte): Int

    @JvmStatic external fun gecko_mqtt_log_set_rotation(maxBytes: Long, intervalSecs: Int, keep: Int): Int

    @JvmStatic external fun gecko_mqtt_log_set_level(level: ByteArray?): Int

    @JvmStatic external fun gecko_mqtt_log_set_callback(
        level: ByteArray?,
        callback: LogFn?,
        userdata: Pointer?,
        destroy: DestroyFn?,
    ): Int
}
