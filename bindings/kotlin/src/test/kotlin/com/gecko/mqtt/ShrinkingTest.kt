package com.gecko.mqtt

import com.gecko.mqtt.internal.Native
import com.gecko.mqtt.internal.SizeT
import com.sun.jna.Callback
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.lang.reflect.Modifier

/** The rules for R8 and ProGuard name what there is. Neither of the two runs here. */
class ShrinkingTest {
    // What the jar is made of.
    private val classes = File(Native::class.java.protectionDomain.codeSource.location.toURI())
    private val rules = checkNotNull(javaClass.getResource("/META-INF/proguard/consumer-rules.pro")).readText()

    @Test
    fun `the rules are in the jar, as they are in the repository`() {
        assertEquals(File("consumer-rules.pro").readText(), rules)
    }

    @Test
    fun `every class and package that a rule names is there`() {
        val named =
            Regex("""^-(?:keep\S*|dontwarn) (?:class |interface )?(\S+)(?: implements (\S+))?""", RegexOption.MULTILINE)
                .findAll(rules)
                .flatMap { it.groupValues.drop(1) }
                .filter { '.' in it && !it.startsWith("org.rustls.platformverifier.") } // which the app has, not the jar
                .toSet()
        assertTrue(named.size >= 6, "$named")
        for (name in named) assertTrue(exists(name), "there is no $name")
    }

    private val aMember = mapOf("com.sun.jna.**" to "com.sun.jna.Callback", "java.awt.**" to "java.awt.Component")

    private fun exists(name: String): Boolean =
        when {
            name.endsWith(".**") -> exists(aMember.getValue(name))
            '*' in name -> matching(name).isNotEmpty()
            else -> runCatching { Class.forName(name) }.isSuccess
        }

    /** The binding's classes with such a name, where * stands for some letters. */
    private fun matching(pattern: String): List<Class<*>> {
        val folder = classes.resolve(pattern.substringBeforeLast('.').replace('.', '/'))
        val name = Regex(pattern.substringAfterLast('.').replace("*", "[A-Za-z]*") + """\.class""")
        return folder.listFiles().orEmpty().filter { name.matches(it.name) }.map {
            Class.forName(pattern.substringBeforeLast('.') + "." + it.nameWithoutExtension)
        }
    }

    @Test
    fun `the members that a rule keeps are there, and no callback's interface is forgotten`() {
        assertTrue(Native::class.java.declaredMethods.any { Modifier.isNative(it.modifiers) })
        assertTrue(SizeT::class.java.constructors.any { it.parameterCount == 0 })
        val kept = matching("com.gecko.mqtt.internal.*Fn").toSet()
        val callbacks =
            Native::class.java.declaredMethods
                .flatMap { it.parameterTypes.toList() }
                .filter { Callback::class.java.isAssignableFrom(it) }
        assertEquals(kept, callbacks.toSet())
    }
}
