@file:Suppress("ktlint:standard:package-name", "ktlint:standard:filename")

package android.app

import android.content.Context

/** A stand-in for Android's class of that name. No SDK is needed to compile what docs/android.md shows, and none is here. */
public open class Application : Context() {
    public open fun onCreate() {}
}
