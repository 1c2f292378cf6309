package com.gecko.mqtt

import com.gecko.mqtt.internal.Block
import com.gecko.mqtt.internal.MAX_UINT32
import com.gecko.mqtt.internal.Native
import com.gecko.mqtt.internal.SizeT
import com.gecko.mqtt.internal.TokenLayout
import com.gecko.mqtt.internal.seconds
import com.gecko.mqtt.internal.utf8
import com.sun.jna.Pointer
import kotlin.time.Duration

/**
 * A token for a custom authorizer: [Token] with an access token and what belongs to it, or [fromBrokerUrl].
 *
 * It prints as `***`. What the library copies of it is overwritten when it is needed no more; the strings here are the
 * JVM's, which keeps them until they are collected.
 */
public class Token private constructor(
    private val accessToken: String?,
    private val signature: String?,
    private val username: String?,
    private val brokerUrl: String?,
    private val expiresIn: Duration?,
) {
    /**
     * An access token.
     *
     * @param accessToken the token itself.
     * @param signature its signature, where the authorizer wants signed tokens.
     * @param username what the user name begins with, before the authorizer's parameters.
     * @param expiresIn time from now until it expires; null: read it from the token.
     */
    public constructor(
        accessToken: String,
        signature: String? = null,
        username: String? = null,
        expiresIn: Duration? = null,
    ) : this(accessToken, signature, username, null, expiresIn)

    /** Tells nothing. */
    override fun toString(): String = "Token(***)"

    internal fun <R> withNative(use: (Pointer) -> R): R {
        val texts = listOf(accessToken, username, signature, brokerUrl)
        val bytes = texts.map { text -> text?.let { utf8(it).let { plain -> plain.copyOf(plain.size + 1) } } }
        val size = TokenLayout.bytes
        try {
            return Block(size, bytes.filterNotNull()).use { block ->
                val c = block.pointer
                GeckoMqttException.check(Native.gecko_mqtt_token_init(c, SizeT(size.toLong())))
                expiresIn?.let {
                    c.setInt(TokenLayout.expiresInSecs.toLong(), seconds(it, "a token's life", MAX_UINT32))
                }
                val members =
                    listOf(TokenLayout.accessToken, TokenLayout.username, TokenLayout.signature, TokenLayout.brokerUrl)
                for ((member, text) in members.zip(bytes)) text?.let { block.terminated(member, it) }
                use(c)
            }
        } finally {
            bytes.forEach { it?.fill(0) }
        }
    }

    /** Makes tokens. */
    public companion object {
        /**
         * One that is all in Gecko's authorizer URL.
         *
         * @param url the URL.
         * @param expiresIn time from now until it expires; null: read it from the token in the URL.
         */
        public fun fromBrokerUrl(
            url: String,
            expiresIn: Duration? = null,
        ): Token = Token(null, null, null, url, expiresIn)
    }
}

/**
 * Thrown by a token provider that wants its own words in logs, events and errors: [message] is told as it is, so no
 * secret belongs into it. Of any other exception only the class is told, since its message may quote a URL with a token.
 */
public class TokenUnavailableException(
    message: String,
    cause: Throwable? = null,
) : Exception(message, cause)
