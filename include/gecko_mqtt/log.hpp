/// @file
/// Logging, for the whole process.
#ifndef GECKO_MQTT_LOG_HPP
#define GECKO_MQTT_LOG_HPP

#include "callback.hpp"
#include "event.hpp"

namespace GECKO_MQTT_NAMESPACE {

/// How grave a log record is.
enum class LogLevel : std::int32_t {
    /// A defect, or something without which the library cannot work.
    error = GECKO_MQTT_LOG_ERROR,
    /// Something that should not be, and that the library lives with.
    warn = GECKO_MQTT_LOG_WARN,
    /// The life of connections, with a few lines for each.
    info = GECKO_MQTT_LOG_INFO,
    /// How connections come about, and a line for each message.
    debug = GECKO_MQTT_LOG_DEBUG,
    /// Each packet: type, identifier, size.
    trace = GECKO_MQTT_LOG_TRACE
};

/// The name of a level: "INFO".
inline const char *to_string(LogLevel level) noexcept {
    return gecko_mqtt_log_level_string(static_cast<gecko_mqtt_log_level_t>(level));
}

/// Writes the name of a level.
template <class Traits>
std::basic_ostream<char, Traits> &operator<<(std::basic_ostream<char, Traits> &out, LogLevel level) {
    return out << to_string(level);
}

/// What the library logs. The texts end with a NUL, and are valid until the callback returns.
struct LogRecord {
    /// How grave it is.
    LogLevel level;
    /// When, as the device's clock had it.
    std::chrono::system_clock::time_point time;
    /// The message and the fields in one line: `connected client_id=spa-42 connection=3`.
    std::string_view text;
    /// The message alone: `connected`.
    std::string_view message;
    /// The fields alone, as a JSON object.
    std::string_view fields;
    /// The part of the library that logs: `gecko_mqtt::driver::serve`.
    std::string_view target;
};

/// Told each log record, on whichever thread logs, one at a time; see #gecko_mqtt_log_fn for what it may do
/// there. What it throws ends that call, and nobody is told.
using LogCallback = Callback<void(const LogRecord &)>;

namespace detail {

inline void told_record(const gecko_mqtt_log_record_t *record, void *userdata) noexcept {
    FunctionOf<const LogRecord &>::call(
        userdata,
        LogRecord{static_cast<LogLevel>(record->level), unix_time(record->time_ms),
                  view(record->text, record->text_len), view(record->message, record->message_len),
                  view(record->fields, record->fields_len), view(record->target, record->target_len)});
}

} // namespace detail

/// Starts logging in lines of text, or goes on elsewhere: gecko_mqtt_log_init(). `level` is a word ("info")
/// or directives for parts of the library ("info,gecko_mqtt::link=debug"); an empty `file` is none; `console`
/// is stderr.
inline Result<void> try_log_init(std::string_view level, std::string_view file, bool console) {
    return detail::result(
        gecko_mqtt_log_init(detail::Text(level).get(), detail::Text(file).or_null(), console));
}

/// The same in lines of JSON: gecko_mqtt_log_init_json().
inline Result<void> try_log_init_json(std::string_view level, std::string_view file, bool console) {
    return detail::result(
        gecko_mqtt_log_init_json(detail::Text(level).get(), detail::Text(file).or_null(), console));
}

/// When a new log file is begun: gecko_mqtt_log_set_rotation(). A file has at most `max_bytes`, where that is
/// not 0; one begins at each multiple of `interval`, where that is not 0; `keep` full ones are kept.
inline Result<void> try_log_set_rotation(std::uint64_t max_bytes, std::chrono::seconds interval,
                                         std::uint32_t keep) {
    std::uint32_t secs = 0;
    if (!detail::narrow(interval, secs))
        return Error(Status::out_of_range, "the interval of the log's rotation is negative, or too long");
    return detail::result(gecko_mqtt_log_set_rotation(max_bytes, secs, keep));
}

/// Has the application's own logger told, with a level of its own; nullptr takes it away:
/// gecko_mqtt_log_set_callback().
inline Result<void> try_log_set_callback(std::string_view level, LogCallback callback) {
    void *userdata = detail::Function::enrol(
        callback.share(), std::make_shared<detail::Context>(std::make_shared<detail::Exceptions>()));
    return detail::result(gecko_mqtt_log_set_callback(detail::Text(level).get(),
                                                      callback ? &detail::told_record : nullptr, userdata,
                                                      &detail::Function::end));
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

/// As try_log_init_json(); throws Error.
inline void log_init_json(std::string_view level, std::string_view file, bool console) {
    try_log_init_json(level, file, console).value();
}

/// As try_log_set_rotation(); throws Error.
inline void log_set_rotation(std::uint64_t max_bytes, std::chrono::seconds interval, std::uint32_t keep) {
    try_log_set_rotation(max_bytes, interval, keep).value();
}

/// As try_log_set_callback(); throws Error.
inline void log_set_callback(std::string_view level, LogCallback callback) {
    try_log_set_callback(level, std::move(callback)).value();
}

/// As try_log_set_level(); throws Error.
inline void log_set_level(std::string_view level) { try_log_set_level(level).value(); }
#endif

} // namespace GECKO_MQTT_NAMESPACE

#endif
