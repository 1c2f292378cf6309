package com.gecko.mqtt.internal

import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * Tells everybody who collects [flow], and ends the flows when it is closed. Nobody can hold it up: a collector that is
 * [CAPACITY] behind misses the oldest.
 */
internal class Broadcast<T> {
    private val lock = Any()
    private var collectors: Set<Channel<T>> = emptySet()
    private var closed = false

    val flow: Flow<T> =
        flow {
            val channel = Channel<T>(CAPACITY, BufferOverflow.DROP_OLDEST)
            synchronized(lock) {
                if (closed) channel.close() else collectors += channel
            }
            try {
                for (value in channel) emit(value)
            } finally {
                synchronized(lock) { collectors -= channel }
            }
        }

    fun tell(value: T) {
        for (channel in synchronized(lock) { collectors }) channel.trySend(value)
    }

    fun close() {
        synchronized(lock) {
            closed = true
            collectors
        }.forEach { it.close() }
    }

    companion object {
        const val CAPACITY: Int = 256
    }
}
