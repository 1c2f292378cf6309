//! How the client behaves.

use super::{gecko_mqtt_options_t, set};
use crate::ffi::arg;
use crate::ffi::status::gecko_mqtt_status_t;
use crate::{DispatchMode, Error, ErrorKind, QueuePolicy, Result};

/// What happens to a publish that finds the queue full: one of the GECKO_MQTT_QUEUE_ values.
pub type gecko_mqtt_queue_policy_t = i32;
/// The new one is refused (#GECKO_MQTT_ERR_QUEUE_FULL).
pub const GECKO_MQTT_QUEUE_REJECT_NEW: gecko_mqtt_queue_policy_t = 0;
/// The oldest QoS 0 message that was not yet written is dropped; without one, the new one is refused.
pub const GECKO_MQTT_QUEUE_DROP_OLDEST_QOS0: gecko_mqtt_queue_policy_t = 1;
/// The oldest message that was not yet written is dropped.
pub const GECKO_MQTT_QUEUE_DROP_OLDEST: gecko_mqtt_queue_policy_t = 2;

/// On which threads callbacks run: one of the GECKO_MQTT_DISPATCH_ values.
pub type gecko_mqtt_dispatch_mode_t = i32;
/// On the library's own.
pub const GECKO_MQTT_DISPATCH_THREAD: gecko_mqtt_dispatch_mode_t = 0;
/// On whichever thread calls gecko_mqtt_dispatch().
pub const GECKO_MQTT_DISPATCH_APP: gecko_mqtt_dispatch_mode_t = 1;

/// How lost connections, and first ones that fail, are tried again: in rounds of attempts, with a growing
/// delay between them, out of which a random part is taken.
///
/// @param options the options.
/// @param enabled whether to try again (true).
/// @param max_attempts attempts in one round (5); 0: a round without end.
/// @param initial_ms delay before the second attempt, in milliseconds (1000).
/// @param max_ms the longest delay, in milliseconds (60000).
/// @param multiplier how much longer each delay is than the last (2.0).
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_reconnect(
    options: *mut gecko_mqtt_options_t,
    enabled: arg::Bool,
    max_attempts: u32,
    initial_ms: u32,
    max_ms: u32,
    multiplier: f64,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        options.set_reconnect(enabled.into(), max_attempts, initial_ms, max_ms, multiplier)
    })
}

/// How long to rest at the most after a round without success. Then the next round begins, with a fresh token
/// where there is a provider. So that a fleet does not come back in step, chance decides: the first rest is from
/// nothing to all of this, later ones are from three quarters to all of it.
///
/// @param options the options.
/// @param secs seconds (300); 0: give up for good after one round.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_reconnect_cooldown_secs(
    options: *mut gecko_mqtt_options_t,
    secs: u32,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_reconnect_cooldown_secs(secs))
}

/// How much may wait for a connection or for an acknowledgement, and what happens when it is too much.
///
/// @param options the options.
/// @param max_messages messages (1024).
/// @param max_bytes bytes of topics, payloads and properties (4194304).
/// @param policy one of the GECKO_MQTT_QUEUE_ values (#GECKO_MQTT_QUEUE_REJECT_NEW).
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE: also a policy that is none.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_queue(
    options: *mut gecko_mqtt_options_t,
    max_messages: u32,
    max_bytes: u64,
    policy: gecko_mqtt_queue_policy_t,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_queue(max_messages, max_bytes, queue_policy(policy)?))
}

/// What becomes of QoS 0 messages without a connection.
///
/// @param options the options.
/// @param keep true (the default): they wait for the next connection, as those of QoS 1 and 2 do; false:
/// gecko_mqtt_publish() refuses them with #GECKO_MQTT_ERR_NOT_CONNECTED, and those that a lost connection
/// leaves behind end with #GECKO_MQTT_ERR_DROPPED.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_offline_qos0(
    options: *mut gecko_mqtt_options_t,
    keep: arg::Bool,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_offline_qos0(keep.into()))
}

/// How fast to publish at the most, so that the server does not end the connection for a quota. By default
/// AWS's quotas for endpoints of AWS, and none elsewhere.
///
/// @param options the options.
/// @param publishes_per_sec messages in a second; 0: no limit.
/// @param bytes_per_sec bytes in a second; 0: no limit.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_pacing(
    options: *mut gecko_mqtt_options_t,
    publishes_per_sec: u32,
    bytes_per_sec: u32,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_pacing(publishes_per_sec, bytes_per_sec))
}

/// How many events gecko_mqtt_get_connection_history() remembers.
///
/// @param options the options.
/// @param events the number (100), at most 100000; 0: none.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_history_size(
    options: *mut gecko_mqtt_options_t,
    events: u32,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_history_size(events))
}

/// On which threads callbacks run. The token provider has its own in any case.
///
/// @param options the options.
/// @param mode #GECKO_MQTT_DISPATCH_THREAD (the default): on threads of the library, one callback of a client
/// at a time; #GECKO_MQTT_DISPATCH_APP: on the one that calls gecko_mqtt_dispatch().
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE: a mode that is none.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_dispatch(
    options: *mut gecko_mqtt_options_t,
    mode: gecko_mqtt_dispatch_mode_t,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_dispatch(dispatch_mode(mode)?))
}

fn queue_policy(policy: gecko_mqtt_queue_policy_t) -> Result<QueuePolicy> {
    match policy {
        GECKO_MQTT_QUEUE_REJECT_NEW => Ok(QueuePolicy::RejectNew),
        GECKO_MQTT_QUEUE_DROP_OLDEST_QOS0 => Ok(QueuePolicy::DropOldestQos0),
        GECKO_MQTT_QUEUE_DROP_OLDEST => Ok(QueuePolicy::DropOldest),
        other => Err(Error::new(ErrorKind::OutOfRange, format!("{other} is no queue policy"))),
    }
}

fn dispatch_mode(mode: gecko_mqtt_dispatch_mode_t) -> Result<DispatchMode> {
    match mode {
        GECKO_MQTT_DISPATCH_THREAD => Ok(DispatchMode::Thread),
        GECKO_MQTT_DISPATCH_APP => Ok(DispatchMode::App),
        other => Err(Error::new(ErrorKind::OutOfRange, format!("{other} is no dispatch mode"))),
    }
}
