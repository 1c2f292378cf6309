@file:Suppress("unused", "ktlint:standard:filename")

import android.app.Application
import android.net.ConnectivityManager
import android.net.Network
import android.util.Log
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.LifecycleOwner
import androidx.lifecycle.ViewModel
import androidx.lifecycle.lifecycleScope
import androidx.lifecycle.repeatOnLifecycle
import com.gecko.mqtt.GeckoMqttAndroid
import com.gecko.mqtt.GeckoMqttClient
import com.gecko.mqtt.GeckoMqttLog
import com.gecko.mqtt.LogLevel
import com.gecko.mqtt.ReceivedMessage
import com.gecko.mqtt.Subscription
import kotlinx.coroutines.launch

// The fragments of docs/android.md: QuickstartTest looks for them here, so that they compile, against stand-ins for Android's
// own classes (android-stand-ins/).

class App : Application() {
    override fun onCreate() {
        super.onCreate()
        GeckoMqttAndroid.init(this)
    }
}

fun network(
    client: GeckoMqttClient,
    connectivityManager: ConnectivityManager,
) {
    val network = object : ConnectivityManager.NetworkCallback() {
        override fun onAvailable(network: Network) = client.networkChanged()
    }
    connectivityManager.registerDefaultNetworkCallback(network)
}

class Screen(
    override val lifecycle: Lifecycle,
    private val subscription: Subscription,
    private val show: (ReceivedMessage) -> Unit,
) : LifecycleOwner {
    fun collect() {
        lifecycleScope.launch {
            repeatOnLifecycle(Lifecycle.State.STARTED) {
                subscription.messages.collect { show(it) }
            }
        }
    }
}

class SpaViewModel(private val client: GeckoMqttClient) : ViewModel() {
    override fun onCleared() = client.close()
}

fun logcat() {
    GeckoMqttLog.setLogger("info") {
        val priority = when (it.level) {
            LogLevel.ERROR -> Log.ERROR
            LogLevel.WARN -> Log.WARN
            LogLevel.INFO -> Log.INFO
            LogLevel.DEBUG -> Log.DEBUG
            LogLevel.TRACE -> Log.VERBOSE
        }
        Log.println(priority, "gecko-mqtt", it.text)
    }
}
