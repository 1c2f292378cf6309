package com.gecko.mqtt.internal

import com.gecko.mqtt.Token
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** Answers the library's requests for tokens with what the application's function gives. */
internal class TokenProvider(
    private val provider: suspend () -> Token,
    timeout: Duration?,
    dispatcher: CoroutineDispatcher,
) : TokenSource,
    AutoCloseable {
    private val scope = CoroutineScope(SupervisorJob() + dispatcher + CoroutineName("gecko-mqtt-token"))

    // The library waits so long unless it is told otherwise.
    private val timeout = timeout ?: 30.seconds

    override fun onRequest(request: Long) {
        scope.launch {
            try {
                answer(request, withTimeout(timeout) { provider() })
            } catch (e: Throwable) {
                withText(reasonOf(e)) { Native.gecko_mqtt_token_request_fail(request, it) }
            }
        }
    }

    override fun close() {
        scope.cancel()
    }
}
