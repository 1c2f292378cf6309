package com.gecko.mqtt.internal

import com.gecko.mqtt.QoS
import com.gecko.mqtt.ReceivedMessage
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.isActive
import kotlin.coroutines.cancellation.CancellationException

/**
 * The messages that wait for one subscription's collector.
 *
 * The thread that brings them is never held up, since it brings the ends of operations too, and a collector that waits
 * for one would wait for ever. What bounds QoS 1 and 2 is the receive maximum: a message is acknowledged when the
 * collector is done with it, and the server sends no more before. QoS 0 has no such bound, so the oldest is dropped and
 * counted when [capacity] messages wait.
 *
 * @param capacity how many messages may wait, as far as QoS 0 is concerned.
 * @param reliableLimit how many of QoS 1 and 2; further ones are left to the server. It is only reached where servers
 * lose sessions while the collector does nothing.
 */
internal class Inbox(
    private val capacity: Int,
    private val reliableLimit: Int,
) {
    private val lock = Any()
    private val waiting = ArrayDeque<ReceivedMessage>()
    private val changed = Channel<Unit>(Channel.CONFLATED)
    private var ended = false
    private var discarded = false

    /** QoS 0 messages that were dropped. */
    var dropped = 0L
        get() = synchronized(lock) { field }
        private set

    val flow: Flow<ReceivedMessage> =
        flow {
            while (true) {
                val message = take()
                if (message == null) {
                    if (changed.receiveCatching().isClosed && isEmpty()) break
                    continue
                }
                try {
                    emit(message)
                } catch (e: Throwable) {
                    // first() and its like have got what they wanted; who was cancelled or failed has not.
                    val satisfied = e is CancellationException && currentCoroutineContext().isActive
                    if (satisfied) message.acknowledgement.release() else putBack(message)
                    throw e
                }
                message.acknowledgement.release()
            }
        }

    /** False where it must be left to the server: it is not acknowledged, and comes again on the next connection. */
    fun offer(message: ReceivedMessage): Boolean {
        synchronized(lock) {
            when {
                ended -> return true
                message.qos == QoS.AT_MOST_ONCE -> if (!makeRoom()) return true
                waiting.count { it.qos != QoS.AT_MOST_ONCE } >= reliableLimit -> return false
            }
            message.acknowledgement.hold()
            waiting.addLast(message)
        }
        changed.trySend(Unit)
        return true
    }

    private fun makeRoom(): Boolean {
        if (waiting.size < capacity) return true
        dropped++
        val oldest = waiting.indexOfFirst { it.qos == QoS.AT_MOST_ONCE }
        if (oldest >= 0) waiting.removeAt(oldest)
        return oldest >= 0
    }

    private fun take(): ReceivedMessage? =
        synchronized(lock) {
            waiting.removeFirstOrNull().also {
                // Somebody else who collects shall not sleep on it.
                if (waiting.isNotEmpty()) changed.trySend(Unit)
            }
        }

    private fun isEmpty(): Boolean = synchronized(lock) { waiting.isEmpty() }

    private fun putBack(message: ReceivedMessage) {
        val wanted = synchronized(lock) { !discarded.also { if (!it) waiting.addFirst(message) } }
        if (wanted) changed.trySend(Unit) else message.acknowledgement.release()
    }

    /** A new connection resumed the session: the server sends again what was not acknowledged over the old one. */
    fun forgetWhatComesAgain() {
        synchronized(lock) { waiting.removeAll { it.qos == QoS.AT_LEAST_ONCE } }
    }

    /** No message comes any more; the collector gets those that wait, then its flow ends. */
    fun end() {
        synchronized(lock) { ended = true }
        changed.close()
    }

    /** Nobody wants those that wait. */
    fun discard() {
        end()
        val rest =
            synchronized(lock) {
                discarded = true
                waiting.toList().also { waiting.clear() }
            }
        rest.forEach { it.acknowledgement.release() }
    }
}
