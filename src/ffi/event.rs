//! What happens to a connection, as C sees it.

use super::callback::{Foreign, gecko_mqtt_destroy_fn};
use super::client::gecko_mqtt_client_t;
use super::connection::{gecko_mqtt_connection_state_t, number};
use super::error::boundary;
use super::status::{GECKO_MQTT_OK, code, gecko_mqtt_status_t};
use super::structure::packed;
use super::{arg, handle};
use crate::{Event, EventKind, EventListener};
use std::ffi::{CStr, CString, c_char, c_void};

/// What an event is about: one of the GECKO_MQTT_EVENT_ values. A later version may add some.
///
/// Every ATTEMPTING is followed by exactly one CONNECTED or FAILED, every CONNECTED by exactly one
/// DISCONNECTED (unless the client is freed before).
pub type gecko_mqtt_event_kind_t = i32;

/// An attempt to connect begins.
pub const GECKO_MQTT_EVENT_ATTEMPTING: gecko_mqtt_event_kind_t = 0;
/// The server accepted the connection; `session_present` tells whether it still had the session.
pub const GECKO_MQTT_EVENT_CONNECTED: gecko_mqtt_event_kind_t = 1;
/// The attempt failed.
pub const GECKO_MQTT_EVENT_FAILED: gecko_mqtt_event_kind_t = 2;
/// The connection ended. `status` is #GECKO_MQTT_OK where the application wanted it.
pub const GECKO_MQTT_EVENT_DISCONNECTED: gecko_mqtt_event_kind_t = 3;
/// The next attempt comes after `delay_ms`; `status` is why it is needed.
pub const GECKO_MQTT_EVENT_RECONNECT_SCHEDULED: gecko_mqtt_event_kind_t = 4;
/// The connection was rotated onto a fresh token or certificate.
pub const GECKO_MQTT_EVENT_TOKEN_REFRESHED: gecko_mqtt_event_kind_t = 5;
/// No fresh token was to be had, or the server would not take it; it is tried again after `delay_ms`.
pub const GECKO_MQTT_EVENT_TOKEN_REFRESH_FAILED: gecko_mqtt_event_kind_t = 6;
/// The server has lost a subscription and would not restore it. It is asked again on the next connection;
/// gecko_mqtt_unsubscribe() ends that.
pub const GECKO_MQTT_EVENT_SUBSCRIPTION_REFUSED: gecko_mqtt_event_kind_t = 7;
/// QoS 0 messages from the server were dropped, because a call waited on the thread that runs the
/// callbacks, and the buffer was full.
pub const GECKO_MQTT_EVENT_MESSAGES_DROPPED: gecko_mqtt_event_kind_t = 8;
/// No further attempt follows until gecko_mqtt_connect() is called.
pub const GECKO_MQTT_EVENT_STOPPED: gecko_mqtt_event_kind_t = 9;

/// The name of a kind of event: "CONNECTED". Never NULL; "UNKNOWN" for a number that is none.
///
/// @param kind the kind.
/// @return a static, NUL-terminated text.
/// @par Threads
/// Any, also after a fork.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_event_kind_string(kind: gecko_mqtt_event_kind_t) -> *const c_char {
    name(kind).as_ptr()
}

pub(super) const fn name(kind: gecko_mqtt_event_kind_t) -> &'static CStr {
    match kind {
        GECKO_MQTT_EVENT_ATTEMPTING => c"ATTEMPTING",
        GECKO_MQTT_EVENT_CONNECTED => c"CONNECTED",
        GECKO_MQTT_EVENT_FAILED => c"FAILED",
        GECKO_MQTT_EVENT_DISCONNECTED => c"DISCONNECTED",
        GECKO_MQTT_EVENT_RECONNECT_SCHEDULED => c"RECONNECT_SCHEDULED",
        GECKO_MQTT_EVENT_TOKEN_REFRESHED => c"TOKEN_REFRESHED",
        GECKO_MQTT_EVENT_TOKEN_REFRESH_FAILED => c"TOKEN_REFRESH_FAILED",
        GECKO_MQTT_EVENT_SUBSCRIPTION_REFUSED => c"SUBSCRIPTION_REFUSED",
        GECKO_MQTT_EVENT_MESSAGES_DROPPED => c"MESSAGES_DROPPED",
        GECKO_MQTT_EVENT_STOPPED => c"STOPPED",
        _ => c"UNKNOWN",
    }
}

const fn kind(kind: EventKind) -> gecko_mqtt_event_kind_t {
    match kind {
        EventKind::Attempting => GECKO_MQTT_EVENT_ATTEMPTING,
        EventKind::Connected => GECKO_MQTT_EVENT_CONNECTED,
        EventKind::Failed => GECKO_MQTT_EVENT_FAILED,
        EventKind::Disconnected => GECKO_MQTT_EVENT_DISCONNECTED,
        EventKind::ReconnectScheduled => GECKO_MQTT_EVENT_RECONNECT_SCHEDULED,
        EventKind::TokenRefreshed => GECKO_MQTT_EVENT_TOKEN_REFRESHED,
        EventKind::TokenRefreshFailed => GECKO_MQTT_EVENT_TOKEN_REFRESH_FAILED,
        EventKind::SubscriptionRefused => GECKO_MQTT_EVENT_SUBSCRIPTION_REFUSED,
        EventKind::MessagesDropped => GECKO_MQTT_EVENT_MESSAGES_DROPPED,
        EventKind::Stopped => GECKO_MQTT_EVENT_STOPPED,
    }
}

/// Something that happened to a connection. Only the library makes these.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gecko_mqtt_connection_event_t {
    /// Size of this structure in bytes.
    pub size: u32,
    /// What it is about.
    pub kind: gecko_mqtt_event_kind_t,
    /// The connection's state from now on.
    pub state: gecko_mqtt_connection_state_t,
    /// Why something failed or ended; #GECKO_MQTT_OK where nothing did.
    pub status: gecko_mqtt_status_t,
    /// The MQTT reason code of the server behind `status` (0..255), or -1.
    pub reason_code: i32,
    /// The number of the attempt in its round, from 1; 0 where the event is not about one.
    pub attempt: u32,
    /// When, in milliseconds since 1970-01-01 UTC, as the device's clock had it.
    pub time_ms: u64,
    /// Milliseconds until it is tried again; 0 where it is not.
    pub delay_ms: u32,
    /// Not 0: the server still had the session (CONNECTED, TOKEN_REFRESHED).
    pub session_present: u8,
    /// 0.
    pub reserved: [u8; 3],
    /// What happened, for a person: UTF-8, NUL-terminated, never NULL. Valid until the listener returns.
    pub message: *const c_char,
    /// Its length in bytes, without the NUL.
    pub message_len: usize,
    /// Why, in full: UTF-8, NUL-terminated, never NULL, empty with #GECKO_MQTT_OK. Valid until the listener
    /// returns.
    pub error: *const c_char,
    /// Its length in bytes, without the NUL.
    pub error_len: usize,
}

const _: () = assert!(size_of::<gecko_mqtt_connection_event_t>() == packed(4, 40));

/// Told each event of the connection, in order. The state has been told before.
///
/// Runs where callbacks run. It may call any function of this library, and must not throw or longjmp.
///
/// @param event what happened; it and all it points to are valid until the function returns.
/// @param userdata what was given with the registration.
/// @since 0.1
pub type gecko_mqtt_connection_event_fn =
    Option<unsafe extern "C-unwind" fn(event: *const gecko_mqtt_connection_event_t, userdata: *mut c_void)>;

/// An event as C sees it, and the texts that it points to.
pub(super) struct Shown {
    event: gecko_mqtt_connection_event_t,
    _texts: [CString; 2],
}

// SAFETY: it points to its own texts, which nobody changes.
unsafe impl Send for Shown {}
// SAFETY: the same.
unsafe impl Sync for Shown {}

impl Shown {
    pub(super) fn event(&self) -> &gecko_mqtt_connection_event_t {
        &self.event
    }

    pub(super) fn new(event: &Event) -> Self {
        let text = |text: &str| CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default();
        let message = text(&event.message);
        let error = text(event.error.as_ref().map_or("", |error| error.message()));
        let delay = event.delay.unwrap_or_default().as_millis();
        let shown = gecko_mqtt_connection_event_t {
            size: size_of::<gecko_mqtt_connection_event_t>() as u32,
            kind: kind(event.kind),
            state: number(event.state),
            status: event.error.as_ref().map_or(GECKO_MQTT_OK, |error| code(error.kind())),
            reason_code: event.error.as_ref().and_then(|error| error.reason_code()).map_or(-1, i32::from),
            attempt: event.attempt,
            time_ms: event.unix_ms,
            delay_ms: delay.try_into().unwrap_or(u32::MAX),
            session_present: event.session_present.into(),
            reserved: [0; 3],
            message: message.as_ptr(),
            message_len: message.count_bytes(),
            error: error.as_ptr(),
            error_len: error.count_bytes(),
        };
        // A CString's text stays where it is when the CString moves.
        Self { event: shown, _texts: [message, error] }
    }
}

/// Adds a listener for what happens to the connection: attempts, failures and their causes, waits. Several
/// can be there; each is told every event from now on. An application that holds up its callbacks for more
/// than a thousand events misses some.
///
/// @param client the client.
/// @param listener told each event.
/// @param userdata handed to `listener`; what gecko_mqtt_remove_listeners() looks for.
/// @param destroy told when `userdata` is needed no more, exactly once, also if this call fails; may be NULL.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: client or listener; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_on_connection_event(
    client: *mut gecko_mqtt_client_t,
    listener: gecko_mqtt_connection_event_fn,
    userdata: *mut c_void,
    destroy: gecko_mqtt_destroy_fn,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let foreign = Foreign::new(userdata, destroy);
        let client = handle::get(client, "client")?;
        let call = arg::function(listener, "listener")?;
        let (key, listener): (_, EventListener) = (
            foreign.key(),
            Box::new(move |event| {
                let shown = Shown::new(event);
                // SAFETY: the application gave the function for this userdata; the event outlives the call.
                foreign.call(|userdata| unsafe { call(shown.event(), userdata) });
            }),
        );
        client.on_connection_event(key, listener)
    })
}

#[cfg(test)]
mod tests {
    use super::super::status::GECKO_MQTT_ERR_NOT_AUTHORIZED;
    use super::*;
    use crate::{ConnectionState, Error, ErrorKind};
    use std::time::Duration;

    #[test]
    fn an_event_is_told_in_full() {
        let error = Error::new(ErrorKind::NotAuthorized, "to\0ken").with_reason(135);
        let told = Event {
            error: Some(error),
            attempt: 2,
            delay: Some(Duration::from_secs(7)),
            ..Event::new(EventKind::Failed, ConnectionState::Connecting, "attempt 2 failed".to_owned())
        };
        let shown = Shown::new(&told);
        let event = shown.event();
        assert_eq!((event.kind, event.state), (GECKO_MQTT_EVENT_FAILED, 1));
        assert_eq!((event.status, event.reason_code), (GECKO_MQTT_ERR_NOT_AUTHORIZED, 135));
        assert_eq!((event.attempt, event.delay_ms, event.time_ms), (2, 7000, told.unix_ms));
        // SAFETY: never NULL, NUL-terminated.
        let text = unsafe { CStr::from_ptr(event.error) };
        assert_eq!((text.to_str(), event.error_len), (Ok("to\u{fffd}ken"), 8));
        let shown = Shown::new(&Event { error: None, ..told });
        assert_eq!((shown.event().status, shown.event().error_len), (0, 0));
    }
}
