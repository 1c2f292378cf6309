package com.gecko.mqtt.internal

import com.sun.jna.Pointer
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong

/**
 * What C's `userdata` stands for: a number, by which a callback finds its object here. So nothing of the JVM is handed
 * out that the collector could move or take, and an object goes with its key when C needs it no more.
 */
internal object Registry {
    private val objects = ConcurrentHashMap<Long, Any>()
    private val next = AtomicLong()

    /** How many there are. */
    val size: Int
        get() = objects.size

    /** The key: fits into a pointer of 32 bits, and is never NULL. */
    fun add(target: Any): Pointer {
        while (true) {
            val key = next.incrementAndGet() and 0x7FFF_FFFF
            if (key != 0L && objects.putIfAbsent(key, target) == null) return Pointer.createConstant(key)
        }
    }

    fun get(userdata: Pointer?): Any? = objects[Pointer.nativeValue(userdata)]

    fun remove(userdata: Pointer?): Any? = objects.remove(Pointer.nativeValue(userdata))
}
