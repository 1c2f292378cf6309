package com.gecko.mqtt

import com.gecko.mqtt.internal.Native
import com.sun.jna.JNIEnv
import com.sun.jna.Library
import com.sun.jna.NativeLibrary

/** What Android needs and nobody else. */
public object GeckoMqttAndroid {
    /**
     * Has Android verify the certificates of servers, with the user's and the administrator's settings. Once in a
     * process, before the first client is made: in `Application.onCreate`. Without it the built-in roots of Amazon are
     * trusted, which are those of AWS IoT, and nothing else.
     *
     * @param context the `android.content.Context` of the application.
     * @throws GeckoMqttException.Configuration with [Status.UNSUPPORTED]: this is not Android.
     * @throws GeckoMqttException.Internal what was given is no context: Java threw.
     */
    public fun init(context: Any) {
        init(Native.library.file?.path ?: Native.library.name, context)
    }

    internal fun init(
        library: String,
        context: Any,
    ) {
        // Objects are handed over as they are, which no other function wants.
        val withObjects = NativeLibrary.getInstance(library, mapOf(Library.OPTION_ALLOW_OBJECTS to true))
        val function =
            try {
                withObjects.getFunction("gecko_mqtt_android_init")
            } catch (_: UnsatisfiedLinkError) {
                val message = "$library is not built for Android, and needs no init"
                throw GeckoMqttException.Configuration(Status.UNSUPPORTED, message)
            }
        GeckoMqttException.check(function.invokeInt(arrayOf(JNIEnv.CURRENT, context)))
    }
}
