//! Logging, which belongs to the process and not to a client.

use super::arg;
use super::callback::{Foreign, gecko_mqtt_destroy_fn};
use super::error::boundary;
use super::status::gecko_mqtt_status_t;
use super::structure::packed;
use crate::log::{self, Record, Rotation};
use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::Arc;
use tracing::Level;

/// How grave a log record is: one of the GECKO_MQTT_LOG_ values; the larger, the less.
pub type gecko_mqtt_log_level_t = i32;

/// A defect, or something without which the library cannot work.
pub const GECKO_MQTT_LOG_ERROR: gecko_mqtt_log_level_t = 1;
/// Something that should not be, and that the library lives with.
pub const GECKO_MQTT_LOG_WARN: gecko_mqtt_log_level_t = 2;
/// The life of connections, with a few lines for each.
pub const GECKO_MQTT_LOG_INFO: gecko_mqtt_log_level_t = 3;
/// How connections come about, and a line for each message.
pub const GECKO_MQTT_LOG_DEBUG: gecko_mqtt_log_level_t = 4;
/// Each packet: type, identifier, size.
pub const GECKO_MQTT_LOG_TRACE: gecko_mqtt_log_level_t = 5;

fn number(level: Level) -> gecko_mqtt_log_level_t {
    match level {
        Level::ERROR => GECKO_MQTT_LOG_ERROR,
        Level::WARN => GECKO_MQTT_LOG_WARN,
        Level::INFO => GECKO_MQTT_LOG_INFO,
        Level::DEBUG => GECKO_MQTT_LOG_DEBUG,
        Level::TRACE => GECKO_MQTT_LOG_TRACE,
    }
}

/// The name of a level: "ERROR", "WARN", "INFO", "DEBUG", "TRACE".
///
/// @param level a GECKO_MQTT_LOG_ value.
/// @return a static, NUL-terminated text; "UNKNOWN" for any other number.
/// @par Threads
/// Any, also after a fork.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_log_level_string(level: gecko_mqtt_log_level_t) -> *const c_char {
    let name: &CStr = match level {
        GECKO_MQTT_LOG_ERROR => c"ERROR",
        GECKO_MQTT_LOG_WARN => c"WARN",
        GECKO_MQTT_LOG_INFO => c"INFO",
        GECKO_MQTT_LOG_DEBUG => c"DEBUG",
        GECKO_MQTT_LOG_TRACE => c"TRACE",
        _ => c"UNKNOWN",
    };
    name.as_ptr()
}

/// What the library logs. Only the library makes these. The texts are UTF-8, NUL-terminated, never NULL, without
/// control characters, and valid until the callback returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gecko_mqtt_log_record_t {
    /// Size of this structure in bytes.
    pub size: u32,
    /// How grave it is.
    pub level: gecko_mqtt_log_level_t,
    /// When, in milliseconds since 1970-01-01 UTC, as the device's clock had it.
    pub time_ms: u64,
    /// The message and the fields in one line: `connected client_id=spa-42 connection=3 peer=192.0.2.1:8883`.
    pub text: *const c_char,
    /// Its length in bytes, without the NUL.
    pub text_len: usize,
    /// The message alone: `connected`.
    pub message: *const c_char,
    /// Its length in bytes, without the NUL.
    pub message_len: usize,
    /// The fields alone, as a JSON object: `{"client_id":"spa-42","connection":3,"peer":"192.0.2.1:8883"}`.
    pub fields: *const c_char,
    /// Its length in bytes, without the NUL.
    pub fields_len: usize,
    /// The part of the library that logs, as a level's directives name it: `gecko_mqtt::driver::serve`.
    pub target: *const c_char,
    /// Its length in bytes, without the NUL.
    pub target_len: usize,
}

const _: () = assert!(size_of::<gecko_mqtt_log_record_t>() == packed(8, 16));

/// Told each log record.
///
/// Runs on whichever thread logs, also one of the application's that is in a call of this library, and holds that
/// thread up: while it runs on the thread of the I/O no connection makes progress, so it should be quick, and it has
/// that thread's stack of 1 MiB. It is called for one record at a time, in order; a thread that logs while it
/// runs on another one leaves its record there and goes on. If it is that slow that 256 records wait, further
/// ones are lost, and a record says how many.
///
/// It may call any function of this library. Those that wait return #GECKO_MQTT_ERR_WOULD_DEADLOCK there,
/// unless their time is 0, and gecko_mqtt_client_free() does not wait for the client's end. What the library
/// logs on that thread meanwhile is not told. It must not throw or longjmp.
///
/// @param record what is logged; it and all it points to are valid until the function returns.
/// @param userdata what was given with the registration.
/// @since 0.1
pub type gecko_mqtt_log_fn =
    Option<unsafe extern "C-unwind" fn(record: *const gecko_mqtt_log_record_t, userdata: *mut c_void)>;

/// Starts logging, in lines of text, to a file, to stderr, or to both:
///
/// ```text
/// 2026-11-26T15:04:05.678Z  INFO gecko-mqtt-work gecko_mqtt::driver::serve: connected client_id=spa-42 connection=3
/// ```
///
/// Without it the library writes nothing anywhere. No secret is ever logged, and no payload. Called again, it
/// goes on as the last call says; a file that is named no more is closed.
///
/// A file or console that fails never disturbs the client: lines are lost then, and counted in a line when it
/// works again. A file that was removed or renamed is made anew within a second, so logrotate needs no signal.
/// Each line is one write of at most 8 KiB, so several processes may append to one file. The child of a fork
/// goes on logging where its parent did.
///
/// @param level "off", "error", "warn", "info", "debug" or "trace", or directives for parts of the library:
/// "info,gecko_mqtt::link=debug". The parts are `gecko_mqtt::driver` (connections), `gecko_mqtt::link` (names, TCP,
/// TLS), `gecko_mqtt::session` (messages), `gecko_mqtt::packet` (packets, at "trace") and `gecko_mqtt::dispatch`
/// (callbacks).
/// @param file path of a file to append to, or NULL. See gecko_mqtt_log_set_rotation().
/// @param console whether to write to stderr.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: level; #GECKO_MQTT_ERR_INVALID_UTF8;
/// #GECKO_MQTT_ERR_INVALID_ARGUMENT: no such level, or no such part; #GECKO_MQTT_ERR_FILE: the file cannot be
/// written. After a failure all is as it was.
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

/// The same in lines of JSON: one object a line, with "time" (ISO 8601, UTC), "level", "target", "thread" and
/// "message", and beside them what belongs to the message: most often "client_id" and "connection", the number
/// of the connection among those of the client; "reason_code" and "error" where something failed; times in
/// "…_ms".
///
/// @param level as for gecko_mqtt_log_init().
/// @param file path of a file to append to, or NULL.
/// @param console whether to write to stderr.
/// @return as gecko_mqtt_log_init().
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_log_init_json(
    level: *const c_char,
    file: *const c_char,
    console: arg::Bool,
) -> gecko_mqtt_status_t {
    boundary(|| {
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        let level = unsafe { arg::text(level, "level") }?;
        // SAFETY: the same.
        let file = unsafe { arg::text_or_null(file, "file") }?;
        log::init_json(level, file, console.into())
    })
}

/// Says when a new log file is begun; without it the file grows. The full file gets the name `FILE.1`, what had
/// that name `FILE.2`, and so on; the last one is removed. So the log takes at most (keep + 1) * max_bytes:
///
/// ```c
/// gecko_mqtt_log_set_rotation(1024 * 1024, 0, 4); // five files of 1 MiB
/// gecko_mqtt_log_set_rotation(0, 86400, 7);       // one for each day, and those of a week
/// ```
///
/// Before or after gecko_mqtt_log_init(). Where a file cannot be renamed, it is emptied instead.
///
/// @param max_bytes a file that would become larger is full; 0: no file is, however large; at least 16384.
/// @param interval_secs a new file begins at each multiple of so many seconds since 1970-01-01 UTC: 86400 is
/// midnight, 3600 the full hour; 0: no file is too old.
/// @param keep how many full files are kept, at most 1000; 0: none.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_OUT_OF_RANGE.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_log_set_rotation(
    max_bytes: u64,
    interval_secs: u32,
    keep: u32,
) -> gecko_mqtt_status_t {
    boundary(|| log::set_rotation(Rotation { max_bytes, interval_secs, keep }))
}

/// Has the application's own logger told what the library logs, beside what gecko_mqtt_log_init() has started, or
/// without it. There is one; another call replaces it, and NULL takes it away.
///
/// @param level as for gecko_mqtt_log_init(), for the callback alone. May be NULL where `callback` is.
/// @param callback told each record, or NULL.
/// @param userdata handed to `callback`.
/// @param destroy told when `userdata` is needed no more, exactly once, on any thread, also if this call fails;
/// calls that wait return #GECKO_MQTT_ERR_WOULD_DEADLOCK in it, as in the callback. It is never called in the child of
/// a fork, which goes on with its parent's callback; may be NULL.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: level; #GECKO_MQTT_ERR_INVALID_UTF8;
/// #GECKO_MQTT_ERR_INVALID_ARGUMENT: no such level, or no such part.
/// @par Threads
/// Any. It does not wait for a callback that is running on another thread: `destroy` says when that is over.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_log_set_callback(
    level: *const c_char,
    callback: gecko_mqtt_log_fn,
    userdata: *mut c_void,
    destroy: gecko_mqtt_destroy_fn,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let foreign = Foreign::new(userdata, destroy);
        let Some(call) = callback else { return log::remove_callback() };
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        let level = unsafe { arg::text(level, "level") }?;
        let logger = move |record: &Record| {
            lend(record, |record| {
                // SAFETY: the application gave the function for this userdata; the record outlives the call.
                foreign.call(|userdata| unsafe { call(record, userdata) });
            });
        };
        log::set_callback(level, Arc::new(logger))
    })
}

/// Changes what is logged, from now on: to the file, to the console and to the callback.
///
/// @param level as for gecko_mqtt_log_init(). "off" costs nothing but a comparison for each line that is not
/// written.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_UTF8;
/// #GECKO_MQTT_ERR_INVALID_ARGUMENT: no such level, or no such part; #GECKO_MQTT_ERR_INVALID_CONFIGURATION:
/// logging was not started.
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

/// Shows a record to C, for as long as `f` runs.
fn lend(record: &Record, f: impl FnOnce(&gecko_mqtt_log_record_t)) {
    // Control characters are escaped, so there is no NUL.
    let text = |text: String| CString::new(text).unwrap_or_default();
    let (line, message) = (text(record.text()), text(record.message()));
    let (fields, target) = (text(record.fields_json()), text(record.target().to_owned()));
    f(&gecko_mqtt_log_record_t {
        size: size_of::<gecko_mqtt_log_record_t>() as u32,
        level: number(record.level()),
        time_ms: record.unix_ms(),
        text: line.as_ptr(),
        text_len: line.count_bytes(),
        message: message.as_ptr(),
        message_len: message.count_bytes(),
        fields: fields.as_ptr(),
        fields_len: fields.count_bytes(),
        target: target.as_ptr(),
        target_len: target.count_bytes(),
    });
}
