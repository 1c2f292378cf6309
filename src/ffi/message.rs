//! Messages, on their way in from C and out to C.

use super::callback::{Foreign, gecko_mqtt_destroy_fn};
use super::client::gecko_mqtt_client_t;
use super::error::boundary;
use super::status::gecko_mqtt_status_t;
use super::structure::{Structure, packed};
use super::{arg, handle};
use crate::{Client, Error, ErrorKind, Message, MessageListener, Receipt, Result};
use std::cell::RefCell;
use std::ffi::{c_char, c_void};
use std::mem;
use std::ptr;

/// More cannot be in a packet that anybody accepts.
const MAX_USER_PROPERTIES: usize = 65_535;

/// One user property: a name and a value; names may repeat. Use #GECKO_MQTT_USER_PROPERTY.
///
/// As in all structures, text is a pointer and a length; on the way in, a length of 0 means NUL-terminated.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gecko_mqtt_user_property_t {
    /// The name.
    pub name: *const c_char,
    /// Its length in bytes.
    pub name_len: usize,
    /// The value.
    pub value: *const c_char,
    /// Its length in bytes.
    pub value_len: usize,
    /// Must be 0.
    pub reserved: [usize; 2],
}

/// A message, published or received. Initialise one to publish with #GECKO_MQTT_MESSAGE_INIT,
/// #GECKO_MQTT_MESSAGE_TEXT or gecko_mqtt_message_init().
///
/// On the way in, text with a length of 0 is NUL-terminated, and NULL or empty text is absent; everything is
/// copied before the call returns. What the library hands out is not NUL-terminated, except that empty or
/// absent text is a pointer to "".
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gecko_mqtt_message_t {
    /// Size of this structure in bytes; set by the initialiser, in a received message by the library.
    pub size: u32,
    /// Quality of service: 0, 1 or 2.
    pub qos: u8,
    /// Not 0: published: keep it for later subscribers; received: it was kept.
    pub retain: u8,
    /// Not 0: the server has perhaps sent it before. Ignored when publishing.
    pub dup: u8,
    /// 1: the payload is UTF-8 text; 0: it is bytes.
    pub payload_format: u8,
    /// The topic name, without wildcards.
    pub topic: *const c_char,
    /// Its length in bytes.
    pub topic_len: usize,
    /// The payload; NULL with length 0 is an empty one.
    pub payload: *const c_void,
    /// Its length in bytes.
    pub payload_len: usize,
    /// MIME type of the payload.
    pub content_type: *const c_char,
    /// Its length in bytes.
    pub content_type_len: usize,
    /// The topic on which an answer is expected.
    pub response_topic: *const c_char,
    /// Its length in bytes.
    pub response_topic_len: usize,
    /// What the answer shall carry; NULL: none.
    pub correlation_data: *const c_void,
    /// Its length in bytes.
    pub correlation_data_len: usize,
    /// The user properties, in order.
    pub user_properties: *const gecko_mqtt_user_property_t,
    /// How many.
    pub user_property_count: usize,
    /// Received: identifiers of the subscriptions that it matched. Ignored when publishing.
    pub subscription_ids: *const u32,
    /// How many.
    pub subscription_id_count: usize,
    /// Seconds for which it is worth anything; 0: without end.
    pub message_expiry_secs: u32,
    /// Must be 0.
    pub reserved: u32,
    /// The library's own note about a received message. Ignored when publishing.
    pub received: u64,
}

const _: () = assert!(size_of::<gecko_mqtt_user_property_t>() == packed(6, 0));
const _: () = assert!(size_of::<gecko_mqtt_message_t>() == packed(14, 24));
const _: () = assert!(mem::offset_of!(gecko_mqtt_message_t, received) == packed(14, 16));

// SAFETY: `repr(C)`, begins with `size`, has no padding as asserted, and is made of integers and pointers.
unsafe impl Structure for gecko_mqtt_message_t {
    const NAME: &'static str = "the message";
    const ZERO: Self = Self {
        size: 0,
        qos: 0,
        retain: 0,
        dup: 0,
        payload_format: 0,
        topic: ptr::null(),
        topic_len: 0,
        payload: ptr::null(),
        payload_len: 0,
        content_type: ptr::null(),
        content_type_len: 0,
        response_topic: ptr::null(),
        response_topic_len: 0,
        correlation_data: ptr::null(),
        correlation_data_len: 0,
        user_properties: ptr::null(),
        user_property_count: 0,
        subscription_ids: ptr::null(),
        subscription_id_count: 0,
        message_expiry_secs: 0,
        reserved: 0,
        received: 0,
    };

    fn set_size(&mut self, size: u32) {
        self.size = size;
    }
}

/// Told a message that was received.
///
/// Runs where callbacks run. It may call any function of this library, and must not throw or longjmp. Unless
/// acknowledged by hand, a message is acknowledged when all its callbacks have returned.
///
/// @param message the message; it and all it points to are valid until the function returns. What is needed for
/// longer is kept with gecko_mqtt_message_retain().
/// @param userdata what was given with the registration.
/// @since 0.1
pub type gecko_mqtt_message_fn =
    Option<unsafe extern "C-unwind" fn(message: *const gecko_mqtt_message_t, userdata: *mut c_void)>;

/// Prepares a message, as #GECKO_MQTT_MESSAGE_INIT does: for languages without macros.
///
/// @param message the structure.
/// @param size its size in bytes, as the caller knows it.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_STRUCT_SIZE: no structure has that
/// size.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_message_init(
    message: *mut gecko_mqtt_message_t,
    size: usize,
) -> gecko_mqtt_status_t {
    // SAFETY: the caller says that it has `size` bytes.
    boundary(|| unsafe { arg::initialise(message, size) })
}

/// Adds a listener for messages that no topic filter's own handler takes. Several can be there; each is told.
///
/// @param client the client.
/// @param listener told each message.
/// @param userdata handed to `listener`; what gecko_mqtt_remove_listeners() looks for.
/// @param destroy told when `userdata` is needed no more, exactly once, also if this call fails; may be NULL.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: client or listener; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_on_message(
    client: *mut gecko_mqtt_client_t,
    listener: gecko_mqtt_message_fn,
    userdata: *mut c_void,
    destroy: gecko_mqtt_destroy_fn,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let foreign = Foreign::new(userdata, destroy);
        let client = handle::get(client, "client")?;
        let (key, listener) = arg::function(handler(listener, foreign), "listener")?;
        client.on_message(key, listener)
    })
}

/// Acknowledges a received message by hand, for clients with gecko_mqtt_options_set_manual_ack().
///
/// @param message what a message callback was given, a retained message, or a copy of the structure: only its
/// `size` and `received` are looked at, so that what it points to may be gone.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_STRUCT_SIZE;
/// #GECKO_MQTT_ERR_INVALID_ARGUMENT: a QoS 0 message, or one that was not received;
/// #GECKO_MQTT_ERR_INVALID_CONFIGURATION: the client acknowledges by itself; #GECKO_MQTT_ERR_NOT_FOUND: it
/// was acknowledged already, its client is gone, or its connection is, so that the server sends it again. A
/// QoS 2 message outlives its connection, as long as the server keeps the session.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_message_ack(message: *const gecko_mqtt_message_t) -> gecko_mqtt_status_t {
    boundary(|| {
        // SAFETY: NULL or a message, as the comment asks.
        match unsafe { arg::structure(message) }?.received {
            0 => Err(Error::new(
                ErrorKind::InvalidArgument,
                "the message was not received from a server, or with QoS 0: there is nothing to acknowledge",
            )),
            receipt => Client::message_ack(Receipt(receipt)),
        }
    })
}

/// A message of the application, read and checked.
pub(super) struct Outgoing<'a> {
    message: Message<'a>,
    user_properties: Vec<(&'a str, &'a str)>,
}

impl Outgoing<'_> {
    /// As the core takes it.
    pub(super) fn message(&self) -> Message<'_> {
        Message { user_properties: &self.user_properties, ..self.message }
    }
}

/// Reads a message; allocates nothing unless it has user properties.
///
/// # Safety `message` is NULL or a structure of the size it says, whose members are as their comments ask;
/// all that stays as it is for `'a`.
pub(super) unsafe fn read<'a>(message: *const gecko_mqtt_message_t) -> Result<Outgoing<'a>> {
    // SAFETY: the caller's promise.
    let from = unsafe { arg::structure(message) }?;
    // SAFETY: the caller's promise for each text.
    let text = |text, len, name| unsafe { arg::counted_text(text, len, name) };
    // SAFETY: the caller's promise for each run of bytes.
    let bytes = |bytes, len, name| unsafe { arg::bytes(bytes, len, name) };
    arg::reserved(from.reserved == 0, "the message")?;
    let Some(topic) = text(from.topic, from.topic_len, "the message's topic")? else {
        return Err(match from.topic.is_null() {
            true => Error::new(ErrorKind::NullArgument, "the message's topic is NULL"),
            false => Error::new(ErrorKind::InvalidTopic, "the topic is empty [MQTT-4.7.3-1]"),
        });
    };
    let payload = bytes(from.payload, from.payload_len, "the message's payload")?;
    let utf8 = match from.payload_format {
        0 => false,
        1 => true,
        other => {
            let message = format!("the message's payload_format is 0 or 1, not {other}");
            return Err(Error::new(ErrorKind::OutOfRange, message));
        }
    };
    let correlation_data =
        bytes(from.correlation_data, from.correlation_data_len, "the message's correlation_data")?;
    let message = Message {
        topic,
        payload,
        qos: arg::qos(from.qos.into())?,
        retain: from.retain != 0,
        dup: false,
        utf8,
        content_type: text(from.content_type, from.content_type_len, "the message's content_type")?,
        response_topic: text(from.response_topic, from.response_topic_len, "the message's response_topic")?,
        correlation_data: (!from.correlation_data.is_null()).then_some(correlation_data),
        user_properties: &[],
        subscription_ids: &[],
        message_expiry_secs: (from.message_expiry_secs != 0).then_some(from.message_expiry_secs),
    };
    // SAFETY: the caller's promise for the array.
    let user_properties = unsafe { read_user_properties(from.user_properties, from.user_property_count) }?;
    Ok(Outgoing { message, user_properties })
}

/// # Safety
/// `properties` is NULL or has `count` elements, whose texts are as their comments ask, for `'a`.
unsafe fn read_user_properties<'a>(
    properties: *const gecko_mqtt_user_property_t,
    count: usize,
) -> Result<Vec<(&'a str, &'a str)>> {
    arg::array(properties, count, MAX_USER_PROPERTIES, "the message's user_properties")?;
    let mut read = Vec::with_capacity(count);
    for index in 0..count {
        // SAFETY: the caller's promise; `index` is below `count`.
        let property = unsafe { arg::element(properties, index) };
        arg::reserved(property.reserved == [0; 2], "the user property")?;
        // SAFETY: the caller's promise for each text.
        let text = |text, len, name| unsafe { arg::counted_text(text, len, name) };
        if property.name.is_null() || property.value.is_null() {
            let message = format!("the name or the value of user property {index} is NULL");
            return Err(Error::new(ErrorKind::NullArgument, message));
        }
        let name = text(property.name, property.name_len, "a user property's name")?;
        let value = text(property.value, property.value_len, "a user property's value")?;
        read.push((name.unwrap_or_default(), value.unwrap_or_default()));
    }
    Ok(read)
}

/// A message callback, as the core takes it; with what `gecko_mqtt_remove_listeners` looks for. Without a
/// function the registration ends at once.
pub(super) fn handler(call: gecko_mqtt_message_fn, foreign: Foreign) -> Option<(usize, MessageListener)> {
    let call = call?;
    let (key, listener): (_, MessageListener) = (
        foreign.key(),
        Box::new(move |message, receipt| {
            lend(message, receipt, |message| {
                // SAFETY: the application gave the function for this userdata; the message outlives the call.
                foreign.call(|userdata| unsafe { call(message, userdata) });
            });
        }),
    );
    Some((key, listener))
}

thread_local! {
    /// Reused, so that user properties cost no allocation for each message. Taken out while it is in use: a
    /// callback may dispatch another client.
    static SCRATCH: RefCell<Vec<gecko_mqtt_user_property_t>> = const { RefCell::new(Vec::new()) };
}

// What lies in the scratch between two messages is nobody's: it is emptied before it is put back.

/// Shows a received message to C, for as long as `f` runs.
fn lend(message: &Message<'_>, receipt: Receipt, f: impl FnOnce(&gecko_mqtt_message_t)) {
    let mut properties = Vec::new();
    if !message.user_properties.is_empty() {
        properties = SCRATCH.try_with(|scratch| mem::take(&mut *scratch.borrow_mut())).unwrap_or_default();
        properties.extend(message.user_properties.iter().map(|(name, value)| property(name, value)));
    }
    f(&as_c(message, &properties, receipt.0));
    if properties.capacity() > 0 {
        properties.clear();
        let _ = SCRATCH.try_with(|scratch| scratch.replace(properties));
    }
}

/// A message as C sees it, with its user properties in an array of the caller's.
pub(super) fn as_c(
    message: &Message<'_>,
    properties: &[gecko_mqtt_user_property_t],
    received: u64,
) -> gecko_mqtt_message_t {
    let (content_type, response_topic) =
        (message.content_type.unwrap_or_default(), message.response_topic.unwrap_or_default());
    let correlation_data = message.correlation_data;
    gecko_mqtt_message_t {
        size: size_of::<gecko_mqtt_message_t>() as u32,
        qos: message.qos.level(),
        retain: message.retain.into(),
        dup: message.dup.into(),
        payload_format: message.utf8.into(),
        topic: text_pointer(message.topic),
        topic_len: message.topic.len(),
        payload: pointer(message.payload),
        payload_len: message.payload.len(),
        content_type: text_pointer(content_type),
        content_type_len: content_type.len(),
        response_topic: text_pointer(response_topic),
        response_topic_len: response_topic.len(),
        correlation_data: correlation_data.map_or(ptr::null(), pointer),
        correlation_data_len: correlation_data.map_or(0, <[u8]>::len),
        user_properties: if properties.is_empty() { ptr::null() } else { properties.as_ptr() },
        user_property_count: properties.len(),
        subscription_ids: match message.subscription_ids {
            [] => ptr::null(),
            ids => ids.as_ptr(),
        },
        subscription_id_count: message.subscription_ids.len(),
        message_expiry_secs: message.message_expiry_secs.unwrap_or(0),
        reserved: 0,
        received,
    }
}

/// A user property as C sees it.
pub(super) fn property(name: &str, value: &str) -> gecko_mqtt_user_property_t {
    gecko_mqtt_user_property_t {
        name: text_pointer(name),
        name_len: name.len(),
        value: text_pointer(value),
        value_len: value.len(),
        reserved: [0; 2],
    }
}

/// Of bytes that may be empty: C must not see a dangling pointer.
fn pointer(bytes: &[u8]) -> *const c_void {
    if bytes.is_empty() { c"".as_ptr().cast() } else { bytes.as_ptr().cast() }
}

fn text_pointer(text: &str) -> *const c_char {
    pointer(text.as_bytes()).cast()
}

#[cfg(test)]
mod tests;
