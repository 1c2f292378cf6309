package com.gecko.mqtt

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.File

/** As far as Android can be tested without one: how the JVM and the application are handed over. */
class AndroidTest {
    /** Stands for `android.content.Context`. */
    @Suppress("unused")
    class Context {
        @JvmField var shown: String? = null
    }

    @Test
    fun `another platform says that it is none`() {
        val e = failure<GeckoMqttException.Configuration> { GeckoMqttAndroid.init(Context()) }
        assertEquals(Status.UNSUPPORTED, e.status)
    }

    @Test
    fun `the function is given the JNIEnv of this thread and the very object`(
        @TempDir folder: File,
    ) {
        // Writes into the object's field, which only works with both.
        folder.resolve("android.c").writeText(
            """
            #include <jni.h>
            int gecko_mqtt_android_init(JNIEnv *env, jobject context) {
                jclass type = (*env)->GetObjectClass(env, context);
                jfieldID shown = (*env)->GetFieldID(env, type, "shown", "Ljava/lang/String;");
                if (shown == NULL) return 900;
                (*env)->SetObjectField(env, context, shown, (*env)->NewStringUTF(env, "the JVM"));
                return 0;
            }
            """.trimIndent(),
        )
        val include = File(System.getProperty("java.home"), "include")
        val library = folder.resolve("libandroid.so")
        val compiler =
            ProcessBuilder(
                System.getenv("CC") ?: "cc",
                "-shared",
                "-fPIC",
                "-I$include",
                "-I${include.resolve("linux")}",
                "-o",
                library.path,
                "android.c",
            ).directory(folder).inheritIO().start()
        assertEquals(0, compiler.waitFor())
        val context = Context()
        assertNull(context.shown)
        GeckoMqttAndroid.init(library.path, context)
        assertEquals("the JVM", context.shown)
    }
}
