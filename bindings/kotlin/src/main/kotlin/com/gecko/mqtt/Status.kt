package com.gecko.mqtt

import com.gecko.mqtt.internal.Native

/**
 * What a call came to. A later version of the library may tell others than those named here: treat an unknown one by
 * its [group].
 *
 * @property code the number that C calls `gecko_mqtt_status_t`.
 */
@JvmInline
public value class Status(public val code: Int) {
    /** What kind of failure. */
    public val group: StatusGroup
        get() = StatusGroup.of(code)

    /** A few words in English: "queue is full". */
    override fun toString(): String = Native.text(Native.gecko_mqtt_status_string(code))

    public companion object {
        /** Success. */
        public val OK: Status = Status(0)

        /** An argument has a value that makes no sense here. */
        public val INVALID_ARGUMENT: Status = Status(100)

        /** A pointer that must not be NULL is. */
        public val NULL_ARGUMENT: Status = Status(101)

        /** A handle is not of the type it is used as, or was freed. */
        public val INVALID_HANDLE: Status = Status(102)

        /** A structure's `size` is 0, or larger than this library knows with a tail that is not zero. */
        public val STRUCT_SIZE: Status = Status(103)

        /** Text is not UTF-8, or has a character that MQTT forbids. */
        public val INVALID_UTF8: Status = Status(104)

        /** A topic name that MQTT does not allow. */
        public val INVALID_TOPIC: Status = Status(105)

        /** A topic filter that MQTT does not allow. */
        public val INVALID_TOPIC_FILTER: Status = Status(106)

        /** A broker URL that cannot be understood. */
        public val INVALID_URL: Status = Status(107)

        /** A number outside the range allowed for it. */
        public val OUT_OF_RANGE: Status = Status(108)

        /** A combination of options that cannot work, or one that is missing. */
        public val INVALID_CONFIGURATION: Status = Status(109)

        /** Understood, but not supported by this build. */
        public val UNSUPPORTED: Status = Status(110)

        /** A file cannot be read. */
        public val FILE: Status = Status(111)

        /** A certificate cannot be read. */
        public val INVALID_CERTIFICATE: Status = Status(112)

        /** A private key cannot be read. */
        public val INVALID_PRIVATE_KEY: Status = Status(113)

        /** The private key does not belong to the certificate. */
        public val KEY_MISMATCH: Status = Status(114)

        /** A call made inside a callback that would wait for that very callback. */
        public val WOULD_DEADLOCK: Status = Status(115)

        /** The handle was made before a `fork`, and this is the child. */
        public val FORKED: Status = Status(116)

        /** What is asked for does not exist (any more). */
        public val NOT_FOUND: Status = Status(117)

        /** The client is being freed. */
        public val CLOSED: Status = Status(118)

        /** The connection failed in a way that no other kind describes. */
        public val CONNECTION: Status = Status(200)

        /** No CONNACK within the connect time-out. */
        public val CONNECT_TIMEOUT: Status = Status(201)

        /** The name could not be resolved. */
        public val DNS: Status = Status(202)

        /** Nobody listens at that address and port. */
        public val CONNECTION_REFUSED: Status = Status(203)

        /** No route to the network or host. */
        public val UNREACHABLE: Status = Status(204)

        /** The connection broke: reset, or closed without a DISCONNECT. */
        public val CONNECTION_LOST: Status = Status(205)

        /** The server closed the connection after CONNECT, without a CONNACK. */
        public val CLOSED_BEFORE_CONNACK: Status = Status(206)

        /** The TLS handshake failed in a way that no other kind describes. */
        public val TLS: Status = Status(207)

        /** The server's certificate is for another name. */
        public val TLS_HOSTNAME: Status = Status(208)

        /** The server's certificate has expired. */
        public val TLS_EXPIRED: Status = Status(209)

        /** The server's certificate was issued by nobody we trust. */
        public val TLS_UNKNOWN_ISSUER: Status = Status(210)

        /** The server's certificate is not valid yet: most often this device's clock is wrong. */
        public val TLS_CLOCK: Status = Status(211)

        /** The server's certificate is bad in another way (revoked, malformed, wrong purpose, bad signature). */
        public val TLS_BAD_CERTIFICATE: Status = Status(212)

        /** The server refused our client certificate, or wants one. */
        public val TLS_CLIENT_CERTIFICATE: Status = Status(213)

        /** Client and server share no ALPN protocol. */
        public val TLS_ALPN: Status = Status(214)

        /** The server broke the MQTT protocol. */
        public val PROTOCOL: Status = Status(215)

        /** The server sent a packet above our maximum packet size. */
        public val INCOMING_TOO_LARGE: Status = Status(216)

        /** The server did not answer a PINGREQ. */
        public val KEEP_ALIVE_TIMEOUT: Status = Status(217)

        /** The server refused the connection with a CONNACK that no other kind describes. */
        public val SERVER_REFUSED: Status = Status(218)

        /** The server is unavailable or busy (136, 137). */
        public val SERVER_UNAVAILABLE: Status = Status(219)

        /** A quota or a connection rate is exceeded (151, 159). */
        public val QUOTA_EXCEEDED: Status = Status(220)

        /** The server does not speak MQTT 5 (132). */
        public val PROTOCOL_VERSION: Status = Status(221)

        /** The client identifier is refused (133). */
        public val CLIENT_ID_REJECTED: Status = Status(222)

        /** The server asks to use another one (156, 157). */
        public val SERVER_MOVED: Status = Status(223)

        /** There is no connection. */
        public val NOT_CONNECTED: Status = Status(224)

        /** The server says: not authorized (135). */
        public val NOT_AUTHORIZED: Status = Status(300)

        /** The server says: bad user name or password (134). */
        public val BAD_CREDENTIALS: Status = Status(301)

        /** The server says: bad authentication method (140). */
        public val BAD_AUTHENTICATION_METHOD: Status = Status(302)

        /** The server has banned this client (138). */
        public val BANNED: Status = Status(303)

        /** The token has expired, and there is nobody to ask for another. */
        public val TOKEN_EXPIRED: Status = Status(304)

        /** The token cannot be used: empty, too long, or not of the form it claims. */
        public val INVALID_TOKEN: Status = Status(305)

        /** The application's provider failed to get a token. */
        public val TOKEN_REFRESH: Status = Status(400)

        /** The application's provider did not answer within its time. */
        public val TOKEN_TIMEOUT: Status = Status(401)

        /** The server ended the connection with a DISCONNECT that no other kind describes. */
        public val SERVER_DISCONNECTED: Status = Status(500)

        /** Another connection with the same client identifier took the session over (142). */
        public val SESSION_TAKEN_OVER: Status = Status(501)

        /** The server is shutting down (139). */
        public val SERVER_SHUTTING_DOWN: Status = Status(502)

        /** An administrator ended the connection (152). */
        public val ADMINISTRATIVE_ACTION: Status = Status(503)

        /** The application disconnected. */
        public val DISCONNECTED: Status = Status(504)

        /** The queue is full, and its policy is to refuse what is new. */
        public val QUEUE_FULL: Status = Status(600)

        /** The time is over and nothing was sent: trying again is safe. */
        public val TIMEOUT: Status = Status(601)

        /** The application cancelled: it disconnected or freed the client before this was sent. */
        public val CANCELLED: Status = Status(602)

        /** It was sent, but whether it arrived is not known. */
        public val OUTCOME_UNKNOWN: Status = Status(603)

        /** The server answered with a reason code that means failure. */
        public val REFUSED: Status = Status(604)

        /** Larger than the server's maximum packet size. */
        public val PACKET_TOO_LARGE: Status = Status(605)

        /** QoS above what the server supports. */
        public val QOS_NOT_SUPPORTED: Status = Status(606)

        /** The server does not support retained messages. */
        public val RETAIN_NOT_SUPPORTED: Status = Status(607)

        /** The server does not support this kind of subscription (wildcard, shared, identifiers). */
        public val SUBSCRIPTION_NOT_SUPPORTED: Status = Status(608)

        /** Dropped from a full queue, as its policy says; or QoS 0 that a lost connection left behind, as the options say. */
        public val DROPPED: Status = Status(609)

        /** Its message expiry interval passed before it could be sent. */
        public val EXPIRED: Status = Status(610)

        /** A defect of this library. */
        public val INTERNAL: Status = Status(900)

        /** The operating system refused a thread, a descriptor or memory. */
        public val SYSTEM: Status = Status(901)
    }
}

/** The hundreds of [Status]. */
public enum class StatusGroup {
    /** No failure. */
    SUCCESS,

    /** 1xx: configuration and arguments. */
    CONFIGURATION,

    /** 2xx: the connection. */
    CONNECTION,

    /** 3xx: authentication. */
    AUTHENTICATION,

    /** 4xx: getting a token. */
    TOKEN,

    /** 5xx: the connection was ended. */
    DISCONNECTION,

    /** 6xx: publish, subscribe, unsubscribe. */
    OPERATION,

    /** 9xx, and whatever a later version may add: the library itself, or the system. */
    INTERNAL,
    ;

    internal companion object {
        fun of(code: Int): StatusGroup =
            when (code / 100) {
                0 -> SUCCESS
                1 -> CONFIGURATION
                2 -> CONNECTION
                3 -> AUTHENTICATION
                4 -> TOKEN
                5 -> DISCONNECTION
                6 -> OPERATION
                else -> INTERNAL
            }
    }
}
