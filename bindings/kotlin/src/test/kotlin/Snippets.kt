@file:Suppress("unused", "UNUSED_PARAMETER", "UNUSED_VARIABLE", "ktlint:standard:filename")

import com.gecko.mqtt.ConnectionState
import com.gecko.mqtt.GeckoMqttClient
import com.gecko.mqtt.GeckoMqttException
import com.gecko.mqtt.GeckoMqttLog
import com.gecko.mqtt.Message
import com.gecko.mqtt.QoS
import com.gecko.mqtt.Reconnect
import com.gecko.mqtt.Token
import com.gecko.mqtt.TokenUnavailableException
import com.gecko.mqtt.TopicSubscription
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.launchIn
import kotlinx.coroutines.flow.onEach
import kotlin.time.Duration.Companion.seconds

// The README's other programs: QuickstartTest looks for them here, so that they compile.

interface Cloud {
    class Session(
        val token: String,
        val signature: String,
    )

    suspend fun signIn(): Session?
}

fun options() {
    val client = GeckoMqttClient {
        endpoint = "xxxx-ats.iot.eu-central-1.amazonaws.com"
        certificateFile("/etc/spa/device.pem", "/etc/spa/device.key")
        clientId = "spa-42"
        cleanStart = false // resume the session of the process before this one
        keepAlive = 60.seconds
        reconnect = Reconnect(maxDelay = 30.seconds)
        will = Message("spa/42/state", "gone")
    }
}

fun provider(cloud: Cloud) {
    val client = GeckoMqttClient {
        endpoint = "xxxx-ats.iot.eu-central-1.amazonaws.com"
        authorizer("gecko", tokenKey = "token")
        tokenProvider {
            val session = cloud.signIn() ?: throw TokenUnavailableException("nobody is signed in")
            Token(session.token, signature = session.signature)
        }
    }
}

suspend fun publishing(
    client: GeckoMqttClient,
    readings: List<String>,
) {
    val ends = readings.map { client.publishAsync(Message("spa/42/readings", it)) }
    ends.awaitAll()
}

suspend fun receiving(
    client: GeckoMqttClient,
    work: (String, ByteArray) -> Unit,
) {
    val jobs = client.subscribe("spa/42/jobs/#")
    jobs.messages.collect { job ->
        work(job.topic, job.payload)
    }
}

suspend fun several(client: GeckoMqttClient) {
    val both = client.subscribe(listOf(TopicSubscription("spa/42/jobs/#"), TopicSubscription("spa/all/+", QoS.AT_MOST_ONCE)))
}

suspend fun session(client: GeckoMqttClient) {
    val jobs = client.requestSubscription(TopicSubscription("spa/42/jobs/#"))
    client.connect(10.seconds)
    jobs.await() // the server's answer
}

fun state(
    client: GeckoMqttClient,
    scope: CoroutineScope,
    showBadge: (Boolean) -> Unit,
    log: (String) -> Unit,
) {
    client.connectionState.onEach { showBadge(it == ConnectionState.CONNECTED) }.launchIn(scope)
    client.events.onEach { log("${it.kind}: ${it.message} ${it.error}") }.launchIn(scope)
}

suspend fun errors(
    client: GeckoMqttClient,
    signInAgain: () -> Unit,
    showOffline: (String?) -> Unit,
) {
    try {
        client.connect(10.seconds)
    } catch (e: GeckoMqttException) {
        when (e) {
            is GeckoMqttException.Authentication -> signInAgain()
            is GeckoMqttException.TokenRefresh, is GeckoMqttException.Connection -> showOffline(e.message) // it goes on trying
            else -> throw e
        }
    }
}

fun log() {
    GeckoMqttLog.init("info", file = "/var/log/spa/mqtt.log")
    GeckoMqttLog.setLogger("info,gecko_mqtt::link=debug") { println("${it.level} ${it.text}") }
}
