@file:Suppress("ktlint:standard:package-name", "ktlint:standard:filename", "UNUSED_PARAMETER")

package android.util

/** A stand-in for Android's class of that name. */
public object Log {
    public const val VERBOSE: Int = 2
    public const val DEBUG: Int = 3
    public const val INFO: Int = 4
    public const val WARN: Int = 5
    public const val ERROR: Int = 6

    public fun println(
        priority: Int,
        tag: String?,
        text: String,
    ): Int = text.length
}
