@file:Suppress("ktlint:standard:package-name", "ktlint:standard:filename", "UNUSED_PARAMETER")

package androidx.lifecycle

import kotlinx.coroutines.CoroutineScope

/** A stand-in for Android Jetpack's class of that name. */
public abstract class Lifecycle {
    public enum class State { DESTROYED, INITIALIZED, CREATED, STARTED, RESUMED }
}

/** A stand-in for Android Jetpack's interface of that name. */
public interface LifecycleOwner {
    public val lifecycle: Lifecycle
}

/** A stand-in for Android Jetpack's class of that name. */
public abstract class LifecycleCoroutineScope : CoroutineScope

/** A stand-in for Android Jetpack's property of that name. */
public val LifecycleOwner.lifecycleScope: LifecycleCoroutineScope
    get() = error("a stand-in")

/** A stand-in for Android Jetpack's function of that name. */
public suspend fun LifecycleOwner.repeatOnLifecycle(
    state: Lifecycle.State,
    block: suspend CoroutineScope.() -> Unit,
) {
    error("a stand-in")
}

/** A stand-in for Android Jetpack's class of that name. */
public abstract class ViewModel {
    protected open fun onCleared() {}
}
