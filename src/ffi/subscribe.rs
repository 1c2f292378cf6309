//! Subscribing.

use super::ack::{completion, gecko_mqtt_ack_t, gecko_mqtt_completion_fn, waited};
use super::callback::{Foreign, gecko_mqtt_destroy_fn};
use super::client::gecko_mqtt_client_t;
use super::error::boundary;
use super::message::{gecko_mqtt_message_fn, handler};
use super::status::gecko_mqtt_status_t;
use super::structure::packed;
use super::{arg, handle};
use crate::{Error, ErrorKind, Result, Subscription};
use std::ffi::{c_char, c_void};

/// More cannot be in a packet that anybody accepts; AWS IoT allows 8.
const MAX_SUBSCRIPTIONS: usize = 65_535;

/// One topic filter with its options, for gecko_mqtt_subscribe_many(). Use #GECKO_MQTT_SUBSCRIPTION.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gecko_mqtt_subscription_t {
    /// The topic filter.
    pub filter: *const c_char,
    /// Its length in bytes; 0: NUL-terminated.
    pub filter_len: usize,
    /// The highest quality of service wanted: 0, 1 or 2.
    pub qos: u8,
    /// Not 0: do not send what this client published itself.
    pub no_local: u8,
    /// Not 0: keep the retain flag as it was published.
    pub retain_as_published: u8,
    /// Retained messages: 0: send them; 1: only if the subscription is new; 2: do not.
    pub retain_handling: u8,
    /// Must be 0.
    pub reserved: [u32; 3],
}

const _: () = assert!(size_of::<gecko_mqtt_subscription_t>() == packed(2, 16));

/// Subscribes to a topic filter; also before there is a connection. The handler is in force at once, so that
/// a session which the server still has loses nothing. The library restores the subscription whenever the
/// server has lost it.
///
/// Each incoming message goes to every handler whose filter matches. A second subscription to the same filter
/// takes the first one's place when the server has granted it: until then both handlers are told, then the first
/// one goes. If it is refused, or comes to nothing in another way, it goes, and the first one stays in force.
///
/// @param client the client.
/// @param filter the topic filter; copied.
/// @param qos the highest quality of service wanted: 0, 1 or 2.
/// @param handler told each message; NULL: they go to gecko_mqtt_on_message().
/// @param userdata handed to `handler`; what gecko_mqtt_remove_listeners() looks for.
/// @param destroy told when `userdata` is needed no more, exactly once, also if this call fails, the server
/// refuses, or another subscription takes this one's place; may be NULL.
/// @param completion told the server's answer, once, if the request was accepted; NULL: nobody wants to know.
/// @param completion_userdata handed to `completion`.
/// @return #GECKO_MQTT_OK: accepted; #GECKO_MQTT_ERR_NULL_ARGUMENT: client or filter;
/// #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED;
/// #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_TOPIC_FILTER; #GECKO_MQTT_ERR_OUT_OF_RANGE: QoS;
/// #GECKO_MQTT_ERR_QUEUE_FULL.
/// @par Threads
/// Any; also inside a callback. Never waits.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_subscribe(
    client: *mut gecko_mqtt_client_t,
    filter: *const c_char,
    qos: i32,
    handler: gecko_mqtt_message_fn,
    userdata: *mut c_void,
    destroy: gecko_mqtt_destroy_fn,
    completion: gecko_mqtt_completion_fn,
    completion_userdata: *mut c_void,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let foreign = Foreign::new(userdata, destroy);
        let client = handle::get(client, "client")?;
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        let subscription = unsafe { one(filter, qos) }?;
        let completion = self::completion(completion, completion_userdata);
        client.subscribe(&[subscription], self::handler(handler, foreign), completion)
    })
}

/// Subscribes to a topic filter, as gecko_mqtt_subscribe() does, and waits for the server's answer.
///
/// @param client the client.
/// @param filter the topic filter; copied.
/// @param qos the highest quality of service wanted: 0, 1 or 2.
/// @param handler told each message; NULL: they go to gecko_mqtt_on_message().
/// @param userdata handed to `handler`; what gecko_mqtt_remove_listeners() looks for.
/// @param destroy told when `userdata` is needed no more, exactly once, also if this call fails; may be NULL.
/// @param timeout_ms how long to wait, in milliseconds; #GECKO_MQTT_WAIT_DEFAULT: as
/// gecko_mqtt_options_set_operation_timeout_ms() says.
/// @param out how it ended: the reason code is the QoS granted (0..2) or why it was refused; its `size` must
/// be set (#GECKO_MQTT_ACK_INIT). NULL: not wanted.
/// @return #GECKO_MQTT_OK: subscribed; all that gecko_mqtt_subscribe() returns; #GECKO_MQTT_ERR_STRUCT_SIZE:
/// out; #GECKO_MQTT_ERR_REFUSED, #GECKO_MQTT_ERR_SUBSCRIPTION_NOT_SUPPORTED and others: the server refused, and the handler is gone;
/// #GECKO_MQTT_ERR_TIMEOUT: not sent when the time was over, and it will not be;
/// #GECKO_MQTT_ERR_OUTCOME_UNKNOWN: sent, but not answered when the time was over; #GECKO_MQTT_ERR_CANCELLED;
/// #GECKO_MQTT_ERR_WOULD_DEADLOCK: inside the log callback, with a time.
/// @par Threads
/// Any; also inside a callback.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_subscribe_wait(
    client: *mut gecko_mqtt_client_t,
    filter: *const c_char,
    qos: i32,
    handler: gecko_mqtt_message_fn,
    userdata: *mut c_void,
    destroy: gecko_mqtt_destroy_fn,
    timeout_ms: u32,
    out: *mut gecko_mqtt_ack_t,
) -> gecko_mqtt_status_t {
    let foreign = Foreign::new(userdata, destroy);
    let subscribe = move || {
        let handler = self::handler(handler, foreign);
        let client = handle::get(client, "client")?;
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        let subscription = unsafe { one(filter, qos) }?;
        Ok(client.subscribe_wait(&[subscription], handler, arg::wait(timeout_ms)))
    };
    // SAFETY: NULL or an acknowledgement, as the comment asks.
    unsafe { waited(out, subscribe) }
}

/// Subscribes to several topic filters with one handler, in one request, with the options of MQTT 5.
///
/// @param client the client.
/// @param subscriptions the topic filters; copied.
/// @param count how many, at least 1. AWS IoT allows 8 in one request.
/// @param handler told each message; NULL: they go to gecko_mqtt_on_message().
/// @param userdata handed to `handler`; what gecko_mqtt_remove_listeners() looks for.
/// @param destroy told when `userdata` is needed no more, exactly once, also if this call fails or the server
/// refuses all of them; may be NULL.
/// @param completion told the server's answer, once, if the request was accepted: the first refusal, if there
/// is one, with its filter in the text; the other filters are subscribed. NULL: nobody wants to know.
/// @param completion_userdata handed to `completion`.
/// @return #GECKO_MQTT_OK: accepted; #GECKO_MQTT_ERR_NULL_ARGUMENT: client, subscriptions or a filter;
/// #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED;
/// #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_TOPIC_FILTER; #GECKO_MQTT_ERR_OUT_OF_RANGE: count,
/// QoS or retain handling; #GECKO_MQTT_ERR_INVALID_ARGUMENT: no filter, one that is there twice, a shared one
/// with no local, or reserved members that are not 0; #GECKO_MQTT_ERR_QUEUE_FULL.
/// @par Threads
/// Any; also inside a callback. Never waits.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_subscribe_many(
    client: *mut gecko_mqtt_client_t,
    subscriptions: *const gecko_mqtt_subscription_t,
    count: usize,
    handler: gecko_mqtt_message_fn,
    userdata: *mut c_void,
    destroy: gecko_mqtt_destroy_fn,
    completion: gecko_mqtt_completion_fn,
    completion_userdata: *mut c_void,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let foreign = Foreign::new(userdata, destroy);
        let client = handle::get(client, "client")?;
        // SAFETY: NULL or `count` elements, as the comment asks.
        let subscriptions = unsafe { many(subscriptions, count) }?;
        let completion = self::completion(completion, completion_userdata);
        client.subscribe(&subscriptions, self::handler(handler, foreign), completion)
    })
}

/// Ends a subscription; its handler, and the handler's `destroy`, go when the server has confirmed.
///
/// @param client the client.
/// @param filter the topic filter, exactly as it was subscribed; copied.
/// @param completion told the server's answer, once, if the request was accepted; NULL: nobody wants to know.
/// @param userdata handed to `completion`.
/// @return #GECKO_MQTT_OK: accepted; #GECKO_MQTT_ERR_NULL_ARGUMENT: client or filter;
/// #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED;
/// #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_TOPIC_FILTER; #GECKO_MQTT_ERR_QUEUE_FULL.
/// @par Threads
/// Any; also inside a callback. Never waits.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_unsubscribe(
    client: *mut gecko_mqtt_client_t,
    filter: *const c_char,
    completion: gecko_mqtt_completion_fn,
    userdata: *mut c_void,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let client = handle::get(client, "client")?;
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        let filter = unsafe { arg::text(filter, "filter") }?;
        client.unsubscribe(filter, self::completion(completion, userdata))
    })
}

/// Ends a subscription, as gecko_mqtt_unsubscribe() does, and waits for the server's answer.
///
/// @param client the client.
/// @param filter the topic filter, exactly as it was subscribed; copied.
/// @param timeout_ms how long to wait, in milliseconds; #GECKO_MQTT_WAIT_DEFAULT: as
/// gecko_mqtt_options_set_operation_timeout_ms() says.
/// @param out how it ended, with the reason code; its `size` must be set (#GECKO_MQTT_ACK_INIT). NULL: not
/// wanted.
/// @return #GECKO_MQTT_OK: unsubscribed; all that gecko_mqtt_unsubscribe() returns;
/// #GECKO_MQTT_ERR_STRUCT_SIZE: out; #GECKO_MQTT_ERR_REFUSED;
/// #GECKO_MQTT_ERR_TIMEOUT: not sent when the time was over, and it will not be;
/// #GECKO_MQTT_ERR_OUTCOME_UNKNOWN: sent, but not answered when the time was over; #GECKO_MQTT_ERR_CANCELLED;
/// #GECKO_MQTT_ERR_WOULD_DEADLOCK: inside the log callback, with a time.
/// @par Threads
/// Any; also inside a callback.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_unsubscribe_wait(
    client: *mut gecko_mqtt_client_t,
    filter: *const c_char,
    timeout_ms: u32,
    out: *mut gecko_mqtt_ack_t,
) -> gecko_mqtt_status_t {
    let unsubscribe = || {
        let client = handle::get(client, "client")?;
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        let filter = unsafe { arg::text(filter, "filter") }?;
        Ok(client.unsubscribe_wait(filter, arg::wait(timeout_ms)))
    };
    // SAFETY: NULL or an acknowledgement, as the comment asks.
    unsafe { waited(out, unsubscribe) }
}

/// # Safety
/// `filter` is NULL or NUL-terminated, and stays as it is for `'a`.
unsafe fn one<'a>(filter: *const c_char, qos: i32) -> Result<Subscription<'a>> {
    // SAFETY: the caller's promise.
    let filter = unsafe { arg::text(filter, "filter") }?;
    Ok(Subscription { filter, qos: arg::qos(qos)?, ..Subscription::default() })
}

/// # Safety
/// `subscriptions` is NULL or has `count` elements, whose filters are as their comments ask, for `'a`.
unsafe fn many<'a>(
    subscriptions: *const gecko_mqtt_subscription_t,
    count: usize,
) -> Result<Vec<Subscription<'a>>> {
    if subscriptions.is_null() {
        return Err(Error::new(ErrorKind::NullArgument, "subscriptions is NULL"));
    }
    arg::array(subscriptions, count, MAX_SUBSCRIPTIONS, "subscriptions")?;
    let read = |index| {
        // SAFETY: the caller's promise; `index` is below `count`.
        let from = unsafe { arg::element(subscriptions, index) };
        arg::reserved(from.reserved == [0; 3], "the subscription")?;
        // SAFETY: the caller's promise for each filter.
        let filter = unsafe { arg::counted_text(from.filter, from.filter_len, "a subscription's filter") }?;
        if from.filter.is_null() {
            return Err(Error::new(
                ErrorKind::NullArgument,
                format!("the filter of subscription {index} is NULL"),
            ));
        }
        Ok(Subscription {
            filter: filter.unwrap_or_default(),
            qos: arg::qos(from.qos.into())?,
            no_local: from.no_local != 0,
            retain_as_published: from.retain_as_published != 0,
            retain_handling: from.retain_handling,
        })
    };
    (0..count).map(read).collect()
}
