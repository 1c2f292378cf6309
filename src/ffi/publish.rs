//! Publishing.

use super::ack::{completion, gecko_mqtt_ack_t, gecko_mqtt_completion_fn, waited};
use super::client::gecko_mqtt_client_t;
use super::error::boundary;
use super::message::{gecko_mqtt_message_t, read};
use super::status::gecko_mqtt_status_t;
use super::{arg, handle};
use std::ffi::c_void;

/// Publishes a message: it is accepted, also before there is a connection, or refused at once.
///
/// An accepted one has exactly one end, which the completion is told: sent (QoS 0), acknowledged, refused by
/// the server (#GECKO_MQTT_ERR_REFUSED and others, with the reason code), #GECKO_MQTT_ERR_OUTCOME_UNKNOWN,
/// #GECKO_MQTT_ERR_CANCELLED, #GECKO_MQTT_ERR_DROPPED, #GECKO_MQTT_ERR_EXPIRED,
/// #GECKO_MQTT_ERR_PACKET_TOO_LARGE, #GECKO_MQTT_ERR_QOS_NOT_SUPPORTED or
/// #GECKO_MQTT_ERR_RETAIN_NOT_SUPPORTED.
///
/// @param client the client.
/// @param message the message; copied.
/// @param completion told the end of an accepted message, once; NULL: nobody wants to know.
/// @param userdata handed to `completion`. If the message is refused it is still the caller's.
/// @return #GECKO_MQTT_OK: accepted; #GECKO_MQTT_ERR_NULL_ARGUMENT: client, message, topic, or a payload that
/// has a length; #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED;
/// #GECKO_MQTT_ERR_STRUCT_SIZE; #GECKO_MQTT_ERR_INVALID_TOPIC; #GECKO_MQTT_ERR_INVALID_UTF8;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE: QoS, payload format or a length; #GECKO_MQTT_ERR_INVALID_ARGUMENT: text that
/// is too long for MQTT, or reserved members that are not 0; #GECKO_MQTT_ERR_PACKET_TOO_LARGE;
/// #GECKO_MQTT_ERR_QUEUE_FULL: too many messages wait, or too many ended ones whose completions have not been called;
/// #GECKO_MQTT_ERR_NOT_CONNECTED: QoS 0 without a connection, where gecko_mqtt_options_set_offline_qos0() says so.
/// @par Threads
/// Any; also inside a callback. Never waits.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_publish(
    client: *mut gecko_mqtt_client_t,
    message: *const gecko_mqtt_message_t,
    completion: gecko_mqtt_completion_fn,
    userdata: *mut c_void,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let client = handle::get(client, "client")?;
        // SAFETY: NULL or a message, as the comment asks.
        let message = unsafe { read(message) }?;
        client.publish(&message.message(), self::completion(completion, userdata))
    })
}

/// Publishes a message and waits for its end.
///
/// @param client the client.
/// @param message the message; copied.
/// @param timeout_ms how long to wait, in milliseconds; #GECKO_MQTT_WAIT_DEFAULT: as
/// gecko_mqtt_options_set_operation_timeout_ms() says.
/// @param out how it ended, with the reason code; its `size` must be set (#GECKO_MQTT_ACK_INIT). NULL: not
/// wanted.
/// @return #GECKO_MQTT_OK: sent (QoS 0) or acknowledged; all that gecko_mqtt_publish() returns and its
/// completion is told; #GECKO_MQTT_ERR_TIMEOUT: not sent when the time was over, and it will not be;
/// #GECKO_MQTT_ERR_OUTCOME_UNKNOWN: sent, but not acknowledged when the time was over;
/// #GECKO_MQTT_ERR_WOULD_DEADLOCK: inside the log callback, with a time.
/// @par Threads
/// Any; also inside a callback.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_publish_wait(
    client: *mut gecko_mqtt_client_t,
    message: *const gecko_mqtt_message_t,
    timeout_ms: u32,
    out: *mut gecko_mqtt_ack_t,
) -> gecko_mqtt_status_t {
    let publish = || {
        let client = handle::get(client, "client")?;
        // SAFETY: NULL or a message, as the comment asks.
        let message = unsafe { read(message) }?;
        Ok(client.publish_wait(&message.message(), arg::wait(timeout_ms)))
    };
    // SAFETY: NULL or an acknowledgement, as the comment asks.
    unsafe { waited(out, publish) }
}
