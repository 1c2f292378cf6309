import com.gecko.mqtt.GeckoMqttClient
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlin.time.Duration.Companion.seconds

fun main() = runBlocking {
    val client = GeckoMqttClient {
        brokerUrl = System.getenv("BROKER_URL") // or endpoint and certificateFile(...)
        caFile = System.getenv("CA_FILE") // not for AWS: its roots are known
    }
    client.use {
        client.connect(10.seconds)
        val state = client.subscribe("spa/42/state")
        launch {
            state.messages.collect { println("${it.topic}: ${it.text}") }
        }
        client.publish("spa/42/state", """{"temperature":38.5}""")

        println("Listening; Enter ends it.")
        withContext(Dispatchers.IO) { readlnOrNull() }
        client.disconnect(2.seconds)
    }
}
