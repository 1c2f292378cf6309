//! The client: made, connected, disconnected, freed.

use super::error::{boundary, boundary_or, boundary_silent};
use super::handle::{self, Handle};
use super::library::give_text;
use super::options::gecko_mqtt_options_t;
use super::status::gecko_mqtt_status_t;
use super::{arg, options};
use crate::Client;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;

/// A client: keeps one connection. Any thread may use it, several at a time.
pub struct gecko_mqtt_client_t(());

impl Handle for gecko_mqtt_client_t {
    type Object = Client;
    const KIND: u32 = 2;
    const NOUN: &'static str = "a client";
    const SURVIVES_FORK: bool = false;

    fn ending(client: &Client) {
        client.close();
    }
}

/// As a time-out: as long as the options say. 0 as a time-out: do not wait.
pub const GECKO_MQTT_WAIT_DEFAULT: u32 = u32::MAX;

/// Makes a client. It does nothing before gecko_mqtt_connect(); listeners and subscriptions can be added
/// before.
///
/// @param options the settings; copied, so that they may be changed or freed afterwards.
/// @param out the client, to be freed with gecko_mqtt_client_free(); NULL after a failure.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE; the first error of
/// a setter, whatever it was; #GECKO_MQTT_ERR_INVALID_CONFIGURATION: the options do not go together, or one
/// is missing; #GECKO_MQTT_ERR_FILE: the environment names roots to trust that cannot be read;
/// #GECKO_MQTT_ERR_SYSTEM: no thread, descriptor or memory to be had.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_client_new(
    options: *const gecko_mqtt_options_t,
    out: *mut *mut gecko_mqtt_client_t,
) -> gecko_mqtt_status_t {
    boundary(|| {
        // SAFETY: NULL or a place for a pointer, as the comment asks.
        let out = unsafe { arg::result(out, ptr::null_mut(), "out") }?;
        let options = handle::get(options, "options")?;
        *out = handle::create(Client::new(&*options::read(&options)?)?);
        Ok(())
    })
}

/// Frees a client: closes without a farewell (see gecko_mqtt_disconnect() for one), waits for the callback
/// that is running, tells the operations that are left #GECKO_MQTT_ERR_CANCELLED, runs the destroy hooks, and
/// returns. Only the application's own callback can make it wait. Messages whose callbacks have not begun are
/// dropped without an acknowledgement: gecko_mqtt_disconnect() with a time, before this, waits for them.
///
/// Inside a callback of this client it returns at once; when that callback has returned, the completions and
/// hooks run, then nothing more. With #GECKO_MQTT_DISPATCH_APP, completions and hooks run inside this call.
///
/// In the child of a fork it does nothing: the memory is left as it is, since closing would reach into the
/// parent.
///
/// @param client the client; NULL is allowed, and a handle that was freed already does no harm.
/// @par Threads
/// Any. Calls of other threads that are waiting in the client come back at once.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_client_free(client: *mut gecko_mqtt_client_t) {
    boundary_silent(|| handle::free(client));
}

/// Connects, and keeps connected from then on, as the options say.
///
/// @param client the client.
/// @param timeout_ms how long to wait until it is connected or the round of attempts has failed, in
/// milliseconds; 0: only start; #GECKO_MQTT_WAIT_DEFAULT: as gecko_mqtt_options_set_connect_timeout_ms()
/// says. When the time is over it goes on in the background.
/// @return #GECKO_MQTT_OK: connected, or with 0 started; #GECKO_MQTT_ERR_NULL_ARGUMENT;
/// #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED; #GECKO_MQTT_ERR_TIMEOUT:
/// the time is over and no attempt has failed yet; any status of the groups 2xx (connection), 3xx
/// (authentication) and 4xx (token refresh): why the round, or the last attempt before the time was over,
/// failed; #GECKO_MQTT_ERR_DISCONNECTED: gecko_mqtt_disconnect() was called meanwhile; #GECKO_MQTT_ERR_SYSTEM;
/// #GECKO_MQTT_ERR_WOULD_DEADLOCK: inside the log callback, with a time.
/// @par Threads
/// Any; also inside a callback.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_connect(
    client: *mut gecko_mqtt_client_t,
    timeout_ms: u32,
) -> gecko_mqtt_status_t {
    boundary(|| handle::get(client, "client")?.connect(arg::wait(timeout_ms)))
}

/// Lets the accepted messages go out, has the callbacks of those that have come return, so that they are acknowledged,
/// then disconnects. Where messages wait for a connection, the attempts to get one go on within the time. With
/// clean start (the default) the session ends on the server too; without, the server keeps it.
///
/// With #GECKO_MQTT_DISPATCH_APP callbacks are not waited for; gecko_mqtt_dispatch() runs those that are due, before
/// or afterwards.
///
/// @param client the client.
/// @param timeout_ms how long that may take, in milliseconds; 0: return at once, and drop what is waiting;
/// #GECKO_MQTT_WAIT_DEFAULT: as gecko_mqtt_options_set_operation_timeout_ms() says.
/// @return #GECKO_MQTT_OK: also when it was not connected; #GECKO_MQTT_ERR_NULL_ARGUMENT;
/// #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED;
/// #GECKO_MQTT_ERR_WOULD_DEADLOCK: inside a callback of this client or the log callback, with a time;
/// #GECKO_MQTT_ERR_TIMEOUT: it is disconnected, but messages were left, or callbacks had not returned.
/// @par Threads
/// Any; inside a callback with 0 only.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_disconnect(
    client: *mut gecko_mqtt_client_t,
    timeout_ms: u32,
) -> gecko_mqtt_status_t {
    boundary(|| handle::get(client, "client")?.disconnect(arg::wait(timeout_ms)))
}

/// A connection that is lost is made again, and a failed attempt followed by another one (the default).
///
/// @param client the client.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED.
/// @par Threads
/// Any; also inside a callback.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_enable_reconnection(client: *mut gecko_mqtt_client_t) -> gecko_mqtt_status_t {
    boundary(|| {
        handle::get(client, "client")?.set_reconnection(true);
        Ok(())
    })
}

/// From now on a connection that is lost stays lost, until gecko_mqtt_connect() is called. A wait for the
/// next attempt ends at once; a live connection goes on.
///
/// @param client the client.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED.
/// @par Threads
/// Any; also inside a callback.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_disable_reconnection(client: *mut gecko_mqtt_client_t) -> gecko_mqtt_status_t {
    boundary(|| {
        handle::get(client, "client")?.set_reconnection(false);
        Ok(())
    })
}

/// Whether a connection that is lost is made again.
///
/// @param client the client.
/// @return whether it is; false for a client that is NULL or no client, which is then the thread's last
/// error.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_is_reconnection_enabled(client: *const gecko_mqtt_client_t) -> bool {
    boundary_or(false, || Ok(handle::get(client, "client")?.is_reconnection_enabled()))
}

/// The network is another one, or is back (an interface came up, the device woke): the next attempt is made
/// now instead of after its wait, and a live connection is checked now, by a PINGREQ that must be answered.
///
/// @param client the client.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED.
/// @par Threads
/// Any; also inside a callback.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_network_changed(client: *mut gecko_mqtt_client_t) -> gecko_mqtt_status_t {
    boundary(|| {
        handle::get(client, "client")?.network_changed();
        Ok(())
    })
}

/// The client identifier in use: the one of the options, or the generated one, or the one that the server
/// assigned.
///
/// @param client the client.
/// @param out the identifier, to be freed with gecko_mqtt_string_free(); NULL after a failure.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_SYSTEM: out of memory.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_get_client_id(
    client: *const gecko_mqtt_client_t,
    out: *mut *mut c_char,
) -> gecko_mqtt_status_t {
    boundary(|| {
        // SAFETY: NULL or a place for a pointer, as the comment asks.
        let out = unsafe { arg::result(out, ptr::null_mut(), "out") }?;
        *out = give_text(&handle::get(client, "client")?.client_id())?;
        Ok(())
    })
}

/// Removes every listener and message handler that was registered with this userdata. No call of them begins
/// any more; one that is running may still be, unless this is called inside it or inside another callback of
/// this client. Their destroy hooks run when the last one has returned. A handler's topic filter stays
/// subscribed: its messages go to gecko_mqtt_on_message() from now on.
///
/// @param client the client.
/// @param userdata what they were registered with; NULL means those that were registered with NULL.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: client; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_NOT_FOUND: there are none.
/// @par Threads
/// Any; also inside a callback.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_remove_listeners(
    client: *mut gecko_mqtt_client_t,
    userdata: *const c_void,
) -> gecko_mqtt_status_t {
    boundary(|| handle::get(client, "client")?.remove_listeners(userdata.addr()))
}

/// With #GECKO_MQTT_DISPATCH_APP, a descriptor that is readable while callbacks are due, and not while they run:
/// for select, poll, epoll (by level, or by edge with one gecko_mqtt_dispatch() each), kqueue, GLib, libuv, a Looper.
/// Only wait for it: do not read, write or close it. It is closed when the client is freed.
///
/// @param client the client.
/// @return the descriptor; -1 with #GECKO_MQTT_DISPATCH_THREAD, and for a client that is NULL or no client,
/// which is then the thread's last error.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_dispatch_fd(client: *const gecko_mqtt_client_t) -> c_int {
    boundary_or(-1, || Ok(handle::get(client, "client")?.dispatch_fd()))
}

/// With #GECKO_MQTT_DISPATCH_APP, runs the callbacks that are due on the calling thread.
///
/// Calls that wait, such as gecko_mqtt_connect() and gecko_mqtt_publish_wait(), work on that thread too: they need no
/// callback to run. Callbacks become due meanwhile, and are run by the next gecko_mqtt_dispatch().
///
/// @param client the client. A callback may free it.
/// @param timeout_ms how long to wait for the first one when none is due, in milliseconds; 0: not at all;
/// #GECKO_MQTT_WAIT_DEFAULT: as gecko_mqtt_options_set_operation_timeout_ms() says.
/// @param ran how many were run, 0 after a failure; may be NULL.
/// @return #GECKO_MQTT_OK: also when none was due; #GECKO_MQTT_ERR_NULL_ARGUMENT: client;
/// #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_INVALID_CONFIGURATION: the client
/// dispatches on the library's threads; #GECKO_MQTT_ERR_WOULD_DEADLOCK: inside a callback of this client, or with a
/// time inside the log callback.
/// @par Threads
/// Any, but callbacks of one client run on one thread at a time.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_dispatch(
    client: *mut gecko_mqtt_client_t,
    timeout_ms: u32,
    ran: *mut usize,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let mut unwanted = 0;
        let ran = if ran.is_null() { &raw mut unwanted } else { ran };
        // SAFETY: a place for a number, as the comment asks.
        let ran = unsafe { arg::result(ran, 0, "ran") }?;
        // A callback may free the client: nothing of it is held while they run.
        let dispatcher = handle::get(client, "client")?.dispatcher();
        *ran = dispatcher.dispatch(arg::wait(timeout_ms))?;
        Ok(())
    })
}
