package com.gecko.mqtt.internal

/** Whether topic names match, as MQTT 5 says in section 4.7. */
internal class TopicFilter(
    filter: String,
) {
    // A shared subscription is $share/NAME/FILTER.
    private val levels = (if (filter.startsWith("\$share/")) filter.split('/', limit = 3).last() else filter).split('/')

    fun matches(topic: String): Boolean {
        val names = topic.split('/')
        // [MQTT-4.7.2-1]
        if (topic.startsWith('$') && levels[0] in WILDCARDS) return false
        for ((index, level) in levels.withIndex()) {
            if (level == "#") return true
            if (index >= names.size || (level != "+" && level != names[index])) return false
        }
        return levels.size == names.size
    }

    private companion object {
        val WILDCARDS = setOf("#", "+")
    }
}
