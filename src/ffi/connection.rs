//! The states of a connection.

use super::callback::{Foreign, gecko_mqtt_destroy_fn};
use super::client::gecko_mqtt_client_t;
use super::error::{boundary, boundary_or};
use super::status::gecko_mqtt_status_t;
use super::{arg, handle};
use crate::{ConnectionState, StateListener};
use std::ffi::{CStr, c_char, c_void};

/// What the connection is doing: one of the GECKO_MQTT_STATE_ values. A later version may add some.
pub type gecko_mqtt_connection_state_t = i32;

/// Not connected, and not trying.
pub const GECKO_MQTT_STATE_DISCONNECTED: gecko_mqtt_connection_state_t = 0;
/// The first attempts after gecko_mqtt_connect().
pub const GECKO_MQTT_STATE_CONNECTING: gecko_mqtt_connection_state_t = 1;
/// A live connection is there.
pub const GECKO_MQTT_STATE_CONNECTED: gecko_mqtt_connection_state_t = 2;
/// The connection was lost and is being made again.
pub const GECKO_MQTT_STATE_RECONNECTING: gecko_mqtt_connection_state_t = 3;
/// A round of attempts ended without success. The next one begins after the cool-down, if there is one.
pub const GECKO_MQTT_STATE_CONNECTION_FAILED: gecko_mqtt_connection_state_t = 4;
/// The last messages are going out, then DISCONNECT.
pub const GECKO_MQTT_STATE_DISCONNECTING: gecko_mqtt_connection_state_t = 5;
/// Connected, but the token could not be renewed; that is being tried again.
pub const GECKO_MQTT_STATE_CREDENTIAL_REFRESH_FAILED: gecko_mqtt_connection_state_t = 6;

pub(super) const fn number(state: ConnectionState) -> gecko_mqtt_connection_state_t {
    match state {
        ConnectionState::Disconnected => GECKO_MQTT_STATE_DISCONNECTED,
        ConnectionState::Connecting => GECKO_MQTT_STATE_CONNECTING,
        ConnectionState::Connected => GECKO_MQTT_STATE_CONNECTED,
        ConnectionState::Reconnecting => GECKO_MQTT_STATE_RECONNECTING,
        ConnectionState::ConnectionFailed => GECKO_MQTT_STATE_CONNECTION_FAILED,
        ConnectionState::Disconnecting => GECKO_MQTT_STATE_DISCONNECTING,
        ConnectionState::CredentialRefreshFailed => GECKO_MQTT_STATE_CREDENTIAL_REFRESH_FAILED,
    }
}

/// Told each change of the connection's state, in order, never the same one twice in a row.
///
/// Runs where callbacks run. It may call any function of this library, and must not throw or longjmp.
///
/// @param state the new state.
/// @param userdata what was given with the registration.
/// @since 0.1
pub type gecko_mqtt_connection_state_fn =
    Option<unsafe extern "C-unwind" fn(state: gecko_mqtt_connection_state_t, userdata: *mut c_void)>;

/// The name of a state: "CONNECTED". Never NULL; "UNKNOWN" for a number that is none.
///
/// @param state the state.
/// @return a static, NUL-terminated text.
/// @par Threads
/// Any, also after a fork.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_connection_state_string(state: gecko_mqtt_connection_state_t) -> *const c_char {
    name(state).as_ptr()
}

pub(super) const fn name(state: gecko_mqtt_connection_state_t) -> &'static CStr {
    match state {
        GECKO_MQTT_STATE_DISCONNECTED => c"DISCONNECTED",
        GECKO_MQTT_STATE_CONNECTING => c"CONNECTING",
        GECKO_MQTT_STATE_CONNECTED => c"CONNECTED",
        GECKO_MQTT_STATE_RECONNECTING => c"RECONNECTING",
        GECKO_MQTT_STATE_CONNECTION_FAILED => c"CONNECTION_FAILED",
        GECKO_MQTT_STATE_DISCONNECTING => c"DISCONNECTING",
        GECKO_MQTT_STATE_CREDENTIAL_REFRESH_FAILED => c"CREDENTIAL_REFRESH_FAILED",
        _ => c"UNKNOWN",
    }
}

/// Whether a live connection is there, whatever the state of its token. Never blocks.
///
/// @param client the client.
/// @return true if so; false also for a client that is NULL or no client, which is then the thread's last
/// error.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_is_connected(client: *const gecko_mqtt_client_t) -> bool {
    boundary_or(false, || Ok(handle::get(client, "client")?.is_connected()))
}

/// What the connection is doing. Never blocks.
///
/// @param client the client.
/// @return the state; #GECKO_MQTT_STATE_DISCONNECTED also for a client that is NULL or no client, which is
/// then the thread's last error.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_get_connection_state(
    client: *const gecko_mqtt_client_t,
) -> gecko_mqtt_connection_state_t {
    boundary_or(GECKO_MQTT_STATE_DISCONNECTED, || Ok(number(handle::get(client, "client")?.state())))
}

/// Adds a listener for the connection's state. Several can be there; each is told every change from now on.
///
/// @param client the client.
/// @param listener told each change.
/// @param userdata handed to `listener`; what gecko_mqtt_remove_listeners() looks for.
/// @param destroy told when `userdata` is needed no more, exactly once, also if this call fails; may be NULL.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: client or listener; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_on_connection_state_change(
    client: *mut gecko_mqtt_client_t,
    listener: gecko_mqtt_connection_state_fn,
    userdata: *mut c_void,
    destroy: gecko_mqtt_destroy_fn,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let foreign = Foreign::new(userdata, destroy);
        let client = handle::get(client, "client")?;
        let call = arg::function(listener, "listener")?;
        let (key, listener): (_, StateListener) = (
            foreign.key(),
            Box::new(move |state| {
                // SAFETY: the application gave the function for this userdata.
                foreign.call(|userdata| unsafe { call(number(state), userdata) });
            }),
        );
        client.on_connection_state_change(key, listener)
    })
}
