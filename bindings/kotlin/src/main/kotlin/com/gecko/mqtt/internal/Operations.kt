package com.gecko.mqtt.internal

import com.gecko.mqtt.Ack
import com.gecko.mqtt.GeckoMqttException
import com.sun.jna.Pointer
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlin.coroutines.EmptyCoroutineContext

/**
 * Starts an operation of C, and has its end told once; throws where C refuses it at once, and then nothing is told.
 *
 * @param start hands the given userdata to C, with [Callbacks.completion].
 */
internal fun begin(
    start: (Pointer) -> Int,
    end: (Result<Ack>) -> Unit,
) {
    val completion =
        Completion { status, reasonCode, roundTripMs, error ->
            end(
                when (status) {
                    0 -> Result.success(Ack(reasonCode, roundTripMs))
                    else -> Result.failure(GeckoMqttException.of(status, error, reasonCode))
                },
            )
        }
    val userdata = Registry.add(completion)
    try {
        GeckoMqttException.check(start(userdata))
    } catch (e: Throwable) {
        Registry.remove(userdata)
        throw e
    }
}

/** The same, waiting for its end. Cancellation ends the wait alone: C cannot take back what it has accepted. */
internal suspend fun operation(start: (Pointer) -> Int): Ack =
    suspendCancellableCoroutine { waiting -> begin(start) { waiting.resumeWith(it) } }

/**
 * A call of C that waits, on a thread for such. Cancellation comes at once, and leaves that thread to come back when C's
 * own time-out is over or the client is closed.
 */
internal suspend fun waiting(call: () -> Int) {
    suspendCancellableCoroutine { waiting ->
        Dispatchers.IO.dispatch(EmptyCoroutineContext) {
            waiting.resumeWith(runCatching { GeckoMqttException.check(call()) })
        }
    }
}
