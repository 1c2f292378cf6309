@file:Suppress("ktlint:standard:package-name", "ktlint:standard:filename")

package android.net

/** A stand-in for Android's class of that name. */
public class Network

/** A stand-in for Android's class of that name. */
public class ConnectivityManager {
    /** A stand-in for Android's class of that name. */
    public open class NetworkCallback {
        public open fun onAvailable(network: Network) {}
    }

    public fun registerDefaultNetworkCallback(callback: NetworkCallback) {
        callback.onAvailable(Network())
    }
}
