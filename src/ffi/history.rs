//! The last events of a client, as C sees them.

use super::client::gecko_mqtt_client_t;
use super::error::{boundary, boundary_or, boundary_silent};
use super::event::{Shown, gecko_mqtt_connection_event_t, name};
use super::handle::{self, Handle};
use super::library::give_text;
use super::status::gecko_mqtt_status_t;
use super::{arg, connection};
use crate::event::iso8601;
use crate::{Error, ErrorKind, Event, json};
use std::ffi::c_char;
use std::ptr;

/// A snapshot of a client's last events. Any thread may read it, several at a time.
pub struct gecko_mqtt_history_t(());

/// What the handle stands for.
pub struct Snapshot(Vec<Shown>);

impl Handle for gecko_mqtt_history_t {
    type Object = Snapshot;
    const KIND: u32 = 3;
    const NOUN: &'static str = "a history";
    const SURVIVES_FORK: bool = true;
}

/// Takes a snapshot of the last events, as gecko_mqtt_on_connection_event() tells them; how many are kept is
/// an option (gecko_mqtt_options_set_history_size()).
///
/// @param client the client.
/// @param out the snapshot, to be freed with gecko_mqtt_history_free(); NULL after a failure.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED.
/// @par Threads
/// Any; also inside a callback. Never waits.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_get_connection_history(
    client: *const gecko_mqtt_client_t,
    out: *mut *mut gecko_mqtt_history_t,
) -> gecko_mqtt_status_t {
    boundary(|| {
        // SAFETY: NULL or a place for a pointer, as the comment asks.
        let out = unsafe { arg::result(out, ptr::null_mut(), "out") }?;
        let events = handle::get(client, "client")?.history();
        *out = handle::create(Snapshot(events.iter().map(|event| Shown::new(event)).collect()));
        Ok(())
    })
}

/// How many events are in a snapshot.
///
/// @param history the snapshot.
/// @return the number; 0 also for a handle that is NULL or no snapshot, which is then the thread's last error.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_history_count(history: *const gecko_mqtt_history_t) -> usize {
    boundary_or(0, || Ok(handle::get(history, "history")?.0.len()))
}

/// One event of a snapshot, oldest first.
///
/// @param history the snapshot.
/// @param index 0 to gecko_mqtt_history_count() - 1.
/// @return the event, valid until the snapshot is freed; NULL where there is none (#GECKO_MQTT_ERR_OUT_OF_RANGE
/// as the thread's last error), and for a handle that is NULL or no snapshot.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_history_at(
    history: *const gecko_mqtt_history_t,
    index: usize,
) -> *const gecko_mqtt_connection_event_t {
    boundary_or(ptr::null(), || {
        let history = handle::get(history, "history")?;
        let shown = history.0.get(index).ok_or_else(|| {
            let message = format!("event {index} is not in a history of {}", history.0.len());
            Error::new(ErrorKind::OutOfRange, message)
        })?;
        Ok(ptr::from_ref(shown.event()))
    })
}

/// Frees a snapshot, and the events in it.
///
/// @param history the snapshot; NULL is allowed, and a handle that was freed already does no harm.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_history_free(history: *mut gecko_mqtt_history_t) {
    boundary_silent(|| handle::free(history));
}

/// The last events as one JSON array, oldest first: `time` (ISO 8601, UTC), `kind` and `state` (by name), `status`,
/// `reason_code`, `attempt`, `delay_ms`, `session_present`, `message`, `error`; null where there is no value.
///
/// @param client the client.
/// @param out the text, to be freed with gecko_mqtt_string_free(); NULL after a failure.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_SYSTEM: out of memory.
/// @par Threads
/// Any; also inside a callback. Never waits.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_history_json(
    client: *const gecko_mqtt_client_t,
    out: *mut *mut c_char,
) -> gecko_mqtt_status_t {
    boundary(|| {
        // SAFETY: NULL or a place for a pointer, as the comment asks.
        let out = unsafe { arg::result(out, ptr::null_mut(), "out") }?;
        let events = handle::get(client, "client")?.history();
        let mut text = String::new();
        json::push_array(&mut text, events.iter().map(|event| as_json(event)));
        *out = give_text(&text)?;
        Ok(())
    })
}

fn as_json(event: &Event) -> String {
    let shown = Shown::new(event);
    let c = shown.event();
    json::Object::new()
        .with("time", &*iso8601(event.unix_ms))
        .with("kind", &*name(c.kind).to_string_lossy())
        .with("state", &*connection::name(c.state).to_string_lossy())
        .with("status", c.status)
        .with("reason_code", event.error.as_ref().and_then(Error::reason_code))
        .with("attempt", (event.attempt > 0).then_some(event.attempt))
        .with("delay_ms", event.delay.map(|delay| delay.as_millis() as u64))
        .with("session_present", event.session_present)
        .with("message", &*event.message)
        .with("error", event.error.as_ref().map(Error::message))
        .end()
}
