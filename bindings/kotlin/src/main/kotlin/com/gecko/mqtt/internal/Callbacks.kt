package com.gecko.mqtt.internal

import com.gecko.mqtt.ConnectionEvent
import com.gecko.mqtt.ConnectionState
import com.sun.jna.Callback
import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Pointer

/** Told what a client's listeners are told. */
internal interface ClientListener {
    fun onMessage(message: Pointer)

    fun onEvent(event: ConnectionEvent)

    fun onConnectionState(state: ConnectionState)

    fun onState(state: String)
}

/** Told once how an operation ended. */
internal fun interface Completion {
    fun onEnd(
        status: Int,
        reasonCode: Int?,
        roundTripMs: Long,
        error: String,
    )
}

/** Asked for a token. */
internal fun interface TokenSource {
    fun onRequest(request: Long)
}

/** Told what is logged. */
internal fun interface LogSink {
    fun onRecord(record: Pointer)
}

/**
 * The functions that C calls: one of each for all clients, never collected. None of them lets anything be thrown, and
 * none runs code of the application, but for the logger.
 */
internal object Callbacks {
    val message: MessageFn = MessageFn { message, userdata -> listener(userdata)?.onMessage(message) }

    val event: EventFn = EventFn { event, userdata -> listener(userdata)?.onEvent(ConnectionEvent.of(event)) }

    val connectionState: ConnectionStateFn =
        ConnectionStateFn { state, userdata -> listener(userdata)?.onConnectionState(ConnectionState.of(state)) }

    val state: StateFn = StateFn { state, userdata -> listener(userdata)?.onState(Native.text(state)) }

    val completion: CompletionFn =
        CompletionFn { ack, userdata ->
            (Registry.remove(userdata) as? Completion)?.onEnd(
                ack.getInt(AckLayout.status.toLong()),
                ack.getInt(AckLayout.reasonCode.toLong()).takeIf { it >= 0 },
                ack.getInt(AckLayout.roundTripMs.toLong()).toLong() and MAX_UINT32,
                ack.countedText(AckLayout.error),
            )
        }

    val tokenProvider: TokenProviderFn =
        TokenProviderFn { request, userdata -> (Registry.get(userdata) as? TokenSource)?.onRequest(request) }

    val log: LogFn = LogFn { record, userdata -> (Registry.get(userdata) as? LogSink)?.onRecord(record) }

    val destroy: DestroyFn = DestroyFn { userdata -> Registry.remove(userdata) }

    init {
        // Without this each call on a thread of the library makes a Java thread and ends it again: 20 µs instead of 0.4.
        // The JVM lets go of the thread when the thread ends.
        val initializer = CallbackThreadInitializer(true, false, "gecko-mqtt-callback")
        val all: List<Callback> = listOf(message, event, connectionState, state, completion, tokenProvider, log, destroy)
        for (callback in all) com.sun.jna.Native.setCallbackThreadInitializer(callback, initializer)
    }

    private fun listener(userdata: Pointer?): ClientListener? = Registry.get(userdata) as? ClientListener
}
