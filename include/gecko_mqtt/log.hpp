/// @file
/// Logging, for the whole process.
#ifndef GECKO_MQTT_LOG_HPP
#define GECKO_MQTT_LOG_HPP

#include "text.hpp"

namespace GECKO_MQTT_NAMESPACE {

/// Starts logging, once for the process: gecko_mqtt_log_init(). `level` is a word ("info") or directives for
/// parts of the library; an empty `file` is none; `console` is stderr.
inline Result<void> try_log_init(std::string_view level, std::string_view file, bool console) {
    return detail::result(
        gecko_mqtt_log_init(detail::Text(level).get(), detail::Text(file).or_null(), console));
}

/// Changes what is logged, from now on: gecko_mqtt_log_set_level().
inline Result<void> try_log_set_level(std::string_view level) {
    return detail::result(gecko_mqtt_log_set_level(detail::Text(level).get()));
}

#if GECKO_MQTT_EXCEPTIONS
/// As try_log_init(); throws Error.
inline void log_init(std::string_view level, std::string_view file, bool console) {
    try_log_init(level, file, console).value();
}

/// As try_log_set_level(); throws Error.
inline void log_set_level(std::string_view level) { try_log_set_level(level).value(); }
#endif

} // namespace GECKO_MQTT_NAMESPACE

#endif
