//! Logging, which belongs to the process and not to a client.

use super::arg;
use super::error::boundary;
use super::status::gecko_mqtt_status_t;
use crate::log;
use std::ffi::c_char;

/// Starts logging, once for the process. Without it the library writes nothing anywhere. No secret is ever
/// logged.
///
/// @param level "off", "error", "warn", "info", "debug" or "trace", or directives for parts of the library:
/// "info,gecko_mqtt::link=debug".
/// @param file path of a file to append to, or NULL.
/// @param console whether to write to stderr.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: level; #GECKO_MQTT_ERR_INVALID_UTF8;
/// #GECKO_MQTT_ERR_INVALID_ARGUMENT: no such level; #GECKO_MQTT_ERR_FILE: the file cannot be written;
/// #GECKO_MQTT_ERR_INVALID_CONFIGURATION: it has been started already.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_log_init(
    level: *const c_char,
    file: *const c_char,
    console: arg::Bool,
) -> gecko_mqtt_status_t {
    boundary(|| {
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        let level = unsafe { arg::text(level, "level") }?;
        // SAFETY: the same.
        let file = unsafe { arg::text_or_null(file, "file") }?;
        log::init(level, file, console.into())
    })
}

/// Changes what is logged, from now on.
///
/// @param level as for gecko_mqtt_log_init().
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_UTF8;
/// #GECKO_MQTT_ERR_INVALID_ARGUMENT: no such level; #GECKO_MQTT_ERR_INVALID_CONFIGURATION: logging was not
/// started.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_log_set_level(level: *const c_char) -> gecko_mqtt_status_t {
    boundary(|| {
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        log::set_level(unsafe { arg::text(level, "level") }?)
    })
}
