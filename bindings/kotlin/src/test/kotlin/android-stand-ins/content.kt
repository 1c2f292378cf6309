@file:Suppress("ktlint:standard:package-name", "ktlint:standard:filename")

package android.content

/** A stand-in for Android's class of that name. */
public abstract class Context
