package com.gecko.mqtt

import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread

/** Stands between a client and the simulator, and can cut the connection. */
class Proxy(
    private val target: Int,
) : AutoCloseable {
    private val listener = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    private val sockets = CopyOnWriteArrayList<Socket>()
    val port: Int = listener.localPort

    init {
        thread(isDaemon = true, name = "proxy") {
            runCatching {
                while (true) {
                    val client = listener.accept()
                    val server = Socket(InetAddress.getLoopbackAddress(), target)
                    sockets += listOf(client, server)
                    pump(client, server)
                    pump(server, client)
                }
            }
        }
    }

    private fun pump(
        from: Socket,
        to: Socket,
    ) {
        thread(isDaemon = true, name = "proxy") {
            runCatching { from.getInputStream().copyTo(to.getOutputStream()) }
            runCatching { to.close() }
        }
    }

    /** Cuts the connections that are there; new ones can be made. */
    fun cut() {
        sockets.forEach { socket -> runCatching { socket.close() } }
        sockets.clear()
    }

    override fun close() {
        listener.close()
        cut()
    }
}
