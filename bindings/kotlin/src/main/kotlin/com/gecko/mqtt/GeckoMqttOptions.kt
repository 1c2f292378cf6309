package com.gecko.mqtt

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** What happens to a publish that finds the queue full. */
public enum class QueuePolicy {
    /** The new one is refused ([Status.QUEUE_FULL]). */
    REJECT_NEW,

    /** The oldest QoS 0 message that was not yet written is dropped; without one, the new one is refused. */
    DROP_OLDEST_QOS0,

    /** The oldest message that was not yet written is dropped. */
    DROP_OLDEST,
}

/**
 * How lost connections, and first ones that fail, are tried again: in rounds, with growing delays out of which a random
 * part is taken.
 *
 * @property enabled whether they are at all.
 * @property maxAttempts attempts in one round; 0: a round without end.
 * @property initialDelay delay before the second attempt.
 * @property maxDelay the longest delay.
 * @property multiplier how much longer each delay is than the last.
 * @property cooldown the longest rest after a round without success; zero: give up for good after one.
 */
public data class Reconnect(
    public val enabled: Boolean = true,
    public val maxAttempts: Int = 5,
    public val initialDelay: Duration = 1.seconds,
    public val maxDelay: Duration = 60.seconds,
    public val multiplier: Double = 2.0,
    public val cooldown: Duration = 300.seconds,
)

/**
 * How much may wait for a connection or an acknowledgement.
 *
 * @property maxMessages messages.
 * @property maxBytes bytes of topics, payloads and properties.
 * @property policy what happens when it is too much.
 */
public data class Queue(
    public val maxMessages: Int = 1024,
    public val maxBytes: Long = 4L * 1024 * 1024,
    public val policy: QueuePolicy = QueuePolicy.REJECT_NEW,
)

/**
 * The settings of a client to be. They are checked when the client is made, which throws
 * [GeckoMqttException.Configuration] with the first that is wrong. Null stands for the library's default, which is
 * in brackets.
 */
public class GeckoMqttOptions {
    /** The server: a host name or an address. */
    public var endpoint: String? = null

    /** The port (0: by authentication, 8883 for a certificate, 443 for an authorizer). */
    public var port: Int? = null

    /** "mqtts://host[:port]", "mqtt://..." without TLS, or Gecko's authorizer URL, which holds all that is needed. */
    public var brokerUrl: String? = null

    /** The AWS region: completes an endpoint that is only the prefix of one. */
    public var region: String? = null

    /** The client identifier (generated, the same for the client's life). "": the server chooses one. */
    public var clientId: String? = null

    /** A file with the roots to trust instead of the platform's. */
    public var caFile: String? = null

    /** The roots to trust instead of the platform's: PEM or DER. */
    public var caPem: ByteArray? = null

    /** The ALPN protocol to offer (by authentication and port). */
    public var alpn: String? = null

    /** The user name; with an authorizer, what comes before its parameters. */
    public var username: String? = null

    /** The password. */
    public var password: ByteArray? = null

    /** The first token. Without one the provider is asked. */
    public var token: Token? = null

    /** How long the provider may take for one request (30 s); its coroutine is cancelled then. */
    public var tokenTimeout: Duration? = null

    /** How long before its expiry a token is renewed (900 s). */
    public var refreshThreshold: Duration? = null

    /** The keep-alive interval (30 s); zero: none. */
    public var keepAlive: Duration? = null

    /** Whether the first connection of a [GeckoMqttClient.connect] starts a new session (true). */
    public var cleanStart: Boolean? = null

    /** How long the server shall keep the session after a connection is lost (3600 s). */
    public var sessionExpiry: Duration? = null

    /**
     * How many QoS 1 and 2 messages may have been received whose collectors are not done with them (256). The server
     * sends no further ones before: this is what bounds them.
     */
    public var receiveMaximum: Int = 256

    /** The largest packet that is taken, in bytes (262144). */
    public var maxIncomingPacket: Long? = null

    /** What the server publishes when the connection ends without a DISCONNECT. */
    public var will: Message? = null

    /** How long the server waits before it publishes the will; with a token provider at least 10 s. */
    public var willDelay: Duration = Duration.ZERO

    /** How long one attempt to connect may take, from name resolution to CONNACK (10 s). */
    public var connectTimeout: Duration? = null

    /** How long an acknowledgement may take, from writing the packet (60 s). */
    public var operationTimeout: Duration? = null

    /** How lost connections, and first ones that fail, are tried again. */
    public var reconnect: Reconnect = Reconnect()

    /** How much may wait for a connection or an acknowledgement. */
    public var queue: Queue = Queue()

    /** Whether QoS 0 messages wait for a connection (true), or are refused without one. */
    public var offlineQos0: Boolean? = null

    /** Messages to publish in a second at the most, 0: no limit (AWS's quota at AWS, none elsewhere). */
    public var publishesPerSecond: Long? = null

    /** Bytes to publish in a second at the most, 0: no limit; goes together with [publishesPerSecond]. */
    public var bytesPerSecond: Long? = null

    /** Whether the application acknowledges QoS 1 and 2 messages itself, with [ReceivedMessage.acknowledge]. */
    public var manualAck: Boolean = false

    /** How many events [GeckoMqttClient.connectionHistory] remembers (100). */
    public var historySize: Int? = null

    /** Where the token provider runs. */
    public var dispatcher: CoroutineDispatcher = Dispatchers.Default

    internal var certificate: Credentials? = null
    internal var authorizer: Authorizer? = null
    internal var provider: (suspend () -> Token)? = null

    /** The client certificate and its private key, from files: PEM or DER. */
    public fun certificateFile(
        certPath: String,
        keyPath: String,
    ) {
        certificate = Credentials.Files(certPath, keyPath)
    }

    /** The client certificate and its private key: PEM or DER. */
    public fun certificatePem(
        cert: ByteArray,
        key: ByteArray,
    ) {
        certificate = Credentials.Pem(cert, key)
    }

    /**
     * The AWS custom authorizer that checks the token.
     *
     * @param name its name.
     * @param tokenKey the name of the parameter that carries the token; null where user name and password decide.
     * @param signature the token's signature, where the token does not bring its own.
     */
    public fun authorizer(
        name: String,
        tokenKey: String? = null,
        signature: String? = null,
    ) {
        authorizer = Authorizer(name, tokenKey, signature)
    }

    /**
     * Who is asked for the first token, if none is set, before each expiry, and when the server refused one.
     *
     * It runs in a coroutine of its own on [dispatcher], once at a time, and is cancelled after [tokenTimeout] and by
     * [GeckoMqttClient.close]. If it throws, it is asked again later, and the connection lives on meanwhile;
     * [TokenUnavailableException] says why in its own words.
     */
    public fun tokenProvider(provider: suspend () -> Token) {
        this.provider = provider
    }

    internal sealed interface Credentials {
        class Files(
            val cert: String,
            val key: String,
        ) : Credentials

        class Pem(
            val cert: ByteArray,
            val key: ByteArray,
        ) : Credentials
    }

    internal class Authorizer(
        val name: String,
        val tokenKey: String?,
        val signature: String?,
    )
}
