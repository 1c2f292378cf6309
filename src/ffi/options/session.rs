//! What is agreed with the server.

use super::{gecko_mqtt_options_t, set};
use crate::ffi::arg;
use crate::ffi::message::{gecko_mqtt_message_t, read};
use crate::ffi::status::gecko_mqtt_status_t;

/// The keep-alive interval: so long after the last packet, the connection is checked. The server may set
/// another one.
///
/// @param options the options.
/// @param secs seconds (30); 0: never.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_keep_alive_secs(
    options: *mut gecko_mqtt_options_t,
    secs: u16,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_keep_alive_secs(secs))
}

/// Whether the first connection of a gecko_mqtt_connect() starts a new session. Later ones resume it in any
/// case.
///
/// @param options the options.
/// @param clean_start true (the default): a new one; false: resume what the server still has, also from an
/// earlier process.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_clean_start(
    options: *mut gecko_mqtt_options_t,
    clean_start: arg::Bool,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_clean_start(clean_start.into()))
}

/// How long the server shall keep the session, with its subscriptions and messages, after a connection is
/// lost.
///
/// @param options the options.
/// @param secs seconds (3600); 0: not at all; 4294967295: for ever, as far as the server allows.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_session_expiry_secs(
    options: *mut gecko_mqtt_options_t,
    secs: u32,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_session_expiry_secs(secs))
}

/// How long one attempt to connect may take, from name resolution to CONNACK.
///
/// @param options the options.
/// @param timeout_ms milliseconds (10000).
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_connect_timeout_ms(
    options: *mut gecko_mqtt_options_t,
    timeout_ms: u32,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_connect_timeout_ms(timeout_ms))
}

/// How long an acknowledgement may take, from writing the packet.
///
/// @param options the options.
/// @param timeout_ms milliseconds (60000).
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_operation_timeout_ms(
    options: *mut gecko_mqtt_options_t,
    timeout_ms: u32,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_operation_timeout_ms(timeout_ms))
}

/// How many QoS 1 and 2 messages the server may send before we have acknowledged one of them.
///
/// @param options the options.
/// @param maximum messages, at least 1 (256).
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_receive_maximum(
    options: *mut gecko_mqtt_options_t,
    maximum: u16,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_receive_maximum(maximum))
}

/// The largest packet that we take. The server must not send larger ones; one that does is disconnected.
///
/// @param options the options.
/// @param bytes bytes (262144).
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_max_incoming_packet(
    options: *mut gecko_mqtt_options_t,
    bytes: u32,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_max_incoming_packet(bytes))
}

/// The message that the server publishes for us when the connection ends without a DISCONNECT.
///
/// @param options the options.
/// @param message the message; copied.
/// @param delay_secs how long the server waits for us to come back before it publishes, in seconds; with a
/// token provider at least 10.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_STRUCT_SIZE; #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_TOPIC;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE; #GECKO_MQTT_ERR_INVALID_ARGUMENT: too long, or reserved members that are not
/// 0; #GECKO_MQTT_ERR_PACKET_TOO_LARGE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_will(
    options: *mut gecko_mqtt_options_t,
    message: *const gecko_mqtt_message_t,
    delay_secs: u32,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        // SAFETY: NULL or a message, as the comment asks.
        let message = unsafe { read(message) }?;
        options.set_will(&message.message(), delay_secs)
    })
}

/// Whether the application acknowledges QoS 1 and 2 messages itself, with gecko_mqtt_message_ack().
///
/// The server sends no more than gecko_mqtt_options_set_receive_maximum() allows before some are acknowledged. A QoS 1
/// message that is not when the connection ends comes again on each connection that resumes the session, and the
/// callback is told it again, also while an earlier one is still worked at or retained.
///
/// @param options the options.
/// @param manual true: it does; false (the default): the library does, when the callbacks have returned.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_manual_ack(
    options: *mut gecko_mqtt_options_t,
    manual: arg::Bool,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_manual_ack(manual.into()))
}
