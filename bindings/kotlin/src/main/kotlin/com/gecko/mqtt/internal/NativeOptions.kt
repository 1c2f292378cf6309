package com.gecko.mqtt.internal

import com.gecko.mqtt.GeckoMqttException
import com.gecko.mqtt.GeckoMqttException.Companion.check
import com.gecko.mqtt.GeckoMqttOptions
import com.gecko.mqtt.Status
import com.gecko.mqtt.Token
import com.sun.jna.Pointer
import com.sun.jna.ptr.PointerByReference

/** Makes a client of C with these options. */
internal fun newClient(
    from: GeckoMqttOptions,
    provider: TokenSource?,
): Pointer {
    val options = Native.gecko_mqtt_options_new() ?: throw GeckoMqttException.of(Status.INTERNAL.code, Native.lastError())
    try {
        server(options, from)
        credentials(options, from, provider)
        session(options, from)
        behaviour(options, from)
        val out = PointerByReference()
        check(Native.gecko_mqtt_client_new(options, out))
        return out.value
    } finally {
        Native.gecko_mqtt_options_free(options)
    }
}

private fun text(
    value: String?,
    set: (ByteArray?) -> Int,
) {
    if (value != null) withText(value) { check(set(it)) }
}

private fun SizeT(bytes: ByteArray) = SizeT(bytes.size.toLong())

private fun server(
    options: Pointer,
    from: GeckoMqttOptions,
) {
    text(from.endpoint) { Native.gecko_mqtt_options_set_endpoint(options, it) }
    text(from.brokerUrl) { Native.gecko_mqtt_options_set_broker_url(options, it) }
    text(from.region) { Native.gecko_mqtt_options_set_region(options, it) }
    text(from.clientId) { Native.gecko_mqtt_options_set_client_id(options, it) }
    text(from.caFile) { Native.gecko_mqtt_options_set_ca_file(options, it) }
    text(from.alpn) { Native.gecko_mqtt_options_set_alpn(options, it) }
    from.port?.let {
        val port = unsigned(it.toLong(), "a port", MAX_UINT16).toShort()
        check(Native.gecko_mqtt_options_set_port(options, port))
    }
    from.caPem?.let { check(Native.gecko_mqtt_options_set_ca_pem(options, it, SizeT(it))) }
}

private fun credentials(
    options: Pointer,
    from: GeckoMqttOptions,
    provider: TokenSource?,
) {
    text(from.username) { Native.gecko_mqtt_options_set_username(options, it) }
    from.password?.let { check(Native.gecko_mqtt_options_set_password(options, it, SizeT(it))) }
    from.certificate?.let {
        it.set(
            { cert, key -> Native.gecko_mqtt_options_set_certificate_file(options, cert, key) },
            { cert, key ->
                Native.gecko_mqtt_options_set_certificate_pem(options, cert, SizeT(cert), key, SizeT(key))
            },
        )
    }
    from.authorizer?.let { authorizer ->
        withText(authorizer.name) { name ->
            withText(authorizer.tokenKey) { key ->
                withText(authorizer.signature) { signature ->
                    check(Native.gecko_mqtt_options_set_authorizer(options, name, key, signature))
                }
            }
        }
    }
    from.token?.let { token -> token.withNative { check(Native.gecko_mqtt_options_set_token(options, it)) } }
    if (provider != null) {
        val userdata = Registry.add(provider)
        check(
            Native.gecko_mqtt_options_set_token_provider(
                options,
                Callbacks.tokenProvider,
                userdata,
                Callbacks.destroy,
            ),
        )
    }
    from.tokenTimeout?.let { check(Native.gecko_mqtt_options_set_token_timeout_ms(options, waitMs(it))) }
    from.refreshThreshold?.let {
        val seconds = seconds(it, "the refresh threshold", MAX_UINT32)
        check(Native.gecko_mqtt_options_set_refresh_threshold_secs(options, seconds))
    }
}

/** Hands a certificate and its key to the function that takes them as they are. */
internal fun GeckoMqttOptions.Credentials.set(
    files: (ByteArray?, ByteArray?) -> Int,
    pem: (ByteArray, ByteArray) -> Int,
) {
    when (this) {
        is GeckoMqttOptions.Credentials.Files ->
            withText(cert) { certPath -> withText(key) { keyPath -> check(files(certPath, keyPath)) } }
        is GeckoMqttOptions.Credentials.Pem -> check(pem(cert, key))
    }
}

private fun session(
    options: Pointer,
    from: GeckoMqttOptions,
) {
    from.keepAlive?.let {
        val seconds = seconds(it, "the keep-alive interval", MAX_UINT16).toShort()
        check(Native.gecko_mqtt_options_set_keep_alive_secs(options, seconds))
    }
    from.cleanStart?.let { check(Native.gecko_mqtt_options_set_clean_start(options, it.toByte())) }
    from.sessionExpiry?.let {
        val seconds = seconds(it, "the session expiry interval", MAX_UINT32)
        check(Native.gecko_mqtt_options_set_session_expiry_secs(options, seconds))
    }
    val maximum = unsigned(from.receiveMaximum.toLong(), "the receive maximum", MAX_UINT16).toShort()
    check(Native.gecko_mqtt_options_set_receive_maximum(options, maximum))
    from.maxIncomingPacket?.let {
        val bytes = unsigned(it, "the largest incoming packet", MAX_UINT32)
        check(Native.gecko_mqtt_options_set_max_incoming_packet(options, bytes))
    }
    from.will?.let { will ->
        val delay = seconds(from.willDelay, "the will delay interval", MAX_UINT32)
        withMessage(will) { check(Native.gecko_mqtt_options_set_will(options, it, delay)) }
    }
    // The binding acknowledges when collectors are done, or the application does.
    check(Native.gecko_mqtt_options_set_manual_ack(options, true.toByte()))
}

private fun behaviour(
    options: Pointer,
    from: GeckoMqttOptions,
) {
    from.connectTimeout?.let { check(Native.gecko_mqtt_options_set_connect_timeout_ms(options, waitMs(it))) }
    from.operationTimeout?.let { check(Native.gecko_mqtt_options_set_operation_timeout_ms(options, waitMs(it))) }
    val reconnect = from.reconnect
    check(
        Native.gecko_mqtt_options_set_reconnect(
            options,
            reconnect.enabled.toByte(),
            unsigned(reconnect.maxAttempts.toLong(), "the attempts of a round", MAX_UINT32),
            waitMs(reconnect.initialDelay),
            waitMs(reconnect.maxDelay),
            reconnect.multiplier,
        ),
    )
    val cooldown = seconds(reconnect.cooldown, "the cool-down", MAX_UINT32)
    check(Native.gecko_mqtt_options_set_reconnect_cooldown_secs(options, cooldown))
    val queue = from.queue
    check(
        Native.gecko_mqtt_options_set_queue(
            options,
            unsigned(queue.maxMessages.toLong(), "the messages of the queue", MAX_UINT32),
            queue.maxBytes,
            queue.policy.ordinal,
        ),
    )
    from.offlineQos0?.let { check(Native.gecko_mqtt_options_set_offline_qos0(options, it.toByte())) }
    if (from.publishesPerSecond != null || from.bytesPerSecond != null) {
        check(
            Native.gecko_mqtt_options_set_pacing(
                options,
                unsigned(from.publishesPerSecond ?: 0, "publishes a second", MAX_UINT32),
                unsigned(from.bytesPerSecond ?: 0, "bytes a second", MAX_UINT32),
            ),
        )
    }
    from.historySize?.let {
        check(Native.gecko_mqtt_options_set_history_size(options, unsigned(it.toLong(), "the history", MAX_UINT32)))
    }
}

/** Why a provider failed, without what its exception may quote. */
internal fun reasonOf(failure: Throwable): String =
    when (failure) {
        is com.gecko.mqtt.TokenUnavailableException -> failure.message ?: "no reason was given"
        // Those of this library hold no secret.
        is GeckoMqttException -> failure.message ?: failure.status.toString()
        else -> "the token provider threw ${failure.javaClass.name}"
    }

/** Answers a request with a token; one that cannot be used is a failure, not a request left open. */
internal fun answer(
    request: Long,
    token: Token,
) {
    token.withNative {
        val status = Native.gecko_mqtt_token_request_complete(request, it)
        if (status != Status.NOT_FOUND.code) check(status)
    }
}
