//! The application's own state: what it is about to do, told to whoever in it wants to know.

use super::callback::{Foreign, gecko_mqtt_destroy_fn};
use super::client::gecko_mqtt_client_t;
use super::error::boundary;
use super::status::gecko_mqtt_status_t;
use super::{arg, handle};
use crate::AppStateListener;
use std::ffi::{CString, c_char, c_void};

/// Told each change of the application's own state, in order.
///
/// Runs where callbacks run. It may call any function of this library, and must not throw or longjmp.
///
/// @param state the new state, NUL-terminated; valid until the function returns.
/// @param userdata what was given with the registration.
/// @since 0.1
pub type gecko_mqtt_state_fn =
    Option<unsafe extern "C-unwind" fn(state: *const c_char, userdata: *mut c_void)>;

/// Changes the application's own state: a text that means something to the application alone (the connection's is
/// gecko_mqtt_get_connection_state()). It is told to gecko_mqtt_on_state_change(); the same state again is not.
///
/// @param client the client.
/// @param state the state, at most 1024 bytes; copied.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_OUT_OF_RANGE: too long;
/// #GECKO_MQTT_ERR_QUEUE_FULL: more than a thousand changes have not been told yet.
/// @par Threads
/// Any; also inside a callback. Never waits.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_change_state(
    client: *mut gecko_mqtt_client_t,
    state: *const c_char,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let client = handle::get(client, "client")?;
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        client.change_state(unsafe { arg::text(state, "state") }?)
    })
}

/// Adds a listener for the application's own state. Several can be there; each is told every change from now on.
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
pub unsafe extern "C" fn gecko_mqtt_on_state_change(
    client: *mut gecko_mqtt_client_t,
    listener: gecko_mqtt_state_fn,
    userdata: *mut c_void,
    destroy: gecko_mqtt_destroy_fn,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let foreign = Foreign::new(userdata, destroy);
        let client = handle::get(client, "client")?;
        let call = arg::function(listener, "listener")?;
        let (key, listener): (_, AppStateListener) = (
            foreign.key(),
            Box::new(move |state| {
                let state = CString::new(state).unwrap_or_default();
                // SAFETY: the application gave the function for this userdata; the text outlives the call.
                foreign.call(|userdata| unsafe { call(state.as_ptr(), userdata) });
            }),
        );
        client.on_state_change(key, listener)
    })
}
