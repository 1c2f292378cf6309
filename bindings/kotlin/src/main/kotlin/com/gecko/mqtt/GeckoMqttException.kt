package com.gecko.mqtt

import com.gecko.mqtt.internal.Native

/**
 * Why a call failed. The class says what kind of failure it is, [status] which one exactly, and the message what was
 * wrong and what to do about it; it never holds a secret.
 *
 * @property status what exactly failed.
 * @property reasonCode the MQTT reason code (0..255) of the server's answer, where the failure is one.
 */
public sealed class GeckoMqttException(
    public val status: Status,
    message: String,
    public val reasonCode: Int? = null,
) : Exception(message) {
    /** 1xx: an option, an argument, or a call on a client that is closed. */
    public class Configuration internal constructor(status: Status, message: String, reasonCode: Int? = null) :
        GeckoMqttException(status, message, reasonCode)

    /** 2xx: no connection could be made, or it was lost. */
    public class Connection internal constructor(status: Status, message: String, reasonCode: Int? = null) :
        GeckoMqttException(status, message, reasonCode)

    /** 3xx: the server does not accept who we are, or what we may. */
    public class Authentication internal constructor(status: Status, message: String, reasonCode: Int? = null) :
        GeckoMqttException(status, message, reasonCode)

    /** 4xx: the token provider had no token. */
    public class TokenRefresh internal constructor(status: Status, message: String, reasonCode: Int? = null) :
        GeckoMqttException(status, message, reasonCode)

    /** 5xx: the server, another client of the same identifier, or this application ended the connection. */
    public class Disconnection internal constructor(status: Status, message: String, reasonCode: Int? = null) :
        GeckoMqttException(status, message, reasonCode)

    /** 6xx: a publish, subscribe or unsubscribe that did not succeed. */
    public class Operation internal constructor(status: Status, message: String, reasonCode: Int? = null) :
        GeckoMqttException(status, message, reasonCode)

    /** 9xx: a defect of the library, or a system without threads, descriptors or memory. */
    public class Internal internal constructor(status: Status, message: String, reasonCode: Int? = null) :
        GeckoMqttException(status, message, reasonCode)

    internal companion object {
        fun of(
            code: Int,
            message: String,
            reasonCode: Int? = null,
        ): GeckoMqttException {
            val status = Status(code)
            return when (status.group) {
                StatusGroup.CONFIGURATION -> Configuration(status, message, reasonCode)
                StatusGroup.CONNECTION -> Connection(status, message, reasonCode)
                StatusGroup.AUTHENTICATION -> Authentication(status, message, reasonCode)
                StatusGroup.TOKEN -> TokenRefresh(status, message, reasonCode)
                StatusGroup.DISCONNECTION -> Disconnection(status, message, reasonCode)
                StatusGroup.OPERATION -> Operation(status, message, reasonCode)
                StatusGroup.SUCCESS, StatusGroup.INTERNAL -> Internal(status, message, reasonCode)
            }
        }

        /** What a function of the library returned on this thread just now. */
        fun check(code: Int) {
            // Nobody else has a handle: another thread has just closed the client.
            if (code == Status.INVALID_HANDLE.code) throw closed()
            if (code != 0) throw of(code, Native.lastError())
        }

        fun closed(): GeckoMqttException =
            Configuration(Status.CLOSED, "the client is closed: make another one to connect again")
    }
}
