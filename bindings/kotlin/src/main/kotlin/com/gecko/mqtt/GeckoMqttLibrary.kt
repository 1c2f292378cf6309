package com.gecko.mqtt

import com.gecko.mqtt.internal.Native

/** The native library behind all this. */
public object GeckoMqttLibrary {
    /** Its version: "0.1.0". */
    public val version: String
        get() = Native.text(Native.gecko_mqtt_version())

    /** The file it was loaded from, or its name where the system found it. */
    public val location: String
        get() = Native.library.file?.path ?: Native.library.name
}
