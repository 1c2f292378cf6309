use super::*;
use crate::QoS;
use std::ffi::CStr;
use std::slice;

fn text(topic: &'static CStr) -> gecko_mqtt_message_t {
    let size = size_of::<gecko_mqtt_message_t>() as u32;
    gecko_mqtt_message_t { size, topic: topic.as_ptr(), ..Structure::ZERO }
}

fn refused(message: &gecko_mqtt_message_t) -> ErrorKind {
    // SAFETY: the tests make whole messages of static text, or such that are refused before it is looked at.
    unsafe { read(message) }.err().expect("refused").kind()
}

#[test]
fn a_message_is_read_in_full() {
    let property = |name: &'static CStr, value: &'static [u8]| gecko_mqtt_user_property_t {
        name: name.as_ptr(),
        name_len: 0,
        value: value.as_ptr().cast(),
        value_len: value.len(),
        reserved: [0; 2],
    };
    let properties = [property(c"unit", b"celsius"), property(c"unit", b"kelvin")];
    let payload = "{\"°C\":38.5}";
    let mut message = text(c"spa/42/telemetry and more");
    message.topic_len = "spa/42/telemetry".len();
    (message.qos, message.retain, message.dup, message.payload_format) = (2, 7, 1, 1);
    (message.payload, message.payload_len) = (payload.as_ptr().cast(), payload.len());
    (message.content_type, message.response_topic) = (c"application/json".as_ptr(), c"".as_ptr());
    (message.correlation_data, message.correlation_data_len) = (c"\x01\x02".as_ptr().cast(), 2);
    (message.user_properties, message.user_property_count) = (properties.as_ptr(), 2);
    (message.subscription_ids, message.subscription_id_count) = (ptr::without_provenance(8), 1);
    (message.message_expiry_secs, message.received) = (60, 99);
    // SAFETY: all of it is there.
    let read = unsafe { read(&message) }.unwrap();
    let read = read.message();
    assert_eq!((read.topic, read.payload), ("spa/42/telemetry", payload.as_bytes()));
    assert_eq!((read.qos.level(), read.retain, read.dup, read.utf8), (2, true, false, true));
    assert_eq!((read.content_type, read.response_topic), (Some("application/json"), None));
    assert_eq!((read.correlation_data, read.message_expiry_secs), (Some(&b"\x01\x02"[..]), Some(60)));
    assert_eq!(read.user_properties, [("unit", "celsius"), ("unit", "kelvin")]);
    assert_eq!(read.subscription_ids, [0u32; 0], "the library's, ignored on the way out");
}

#[test]
fn what_no_message_can_be_is_refused() {
    let nothing = gecko_mqtt_message_t { topic: ptr::null(), ..text(c"") };
    assert_eq!(refused(&nothing), ErrorKind::NullArgument);
    assert_eq!(refused(&text(c"")), ErrorKind::InvalidTopic);
    let message = text(c"a");
    assert_eq!(refused(&gecko_mqtt_message_t { qos: 3, ..message }), ErrorKind::OutOfRange);
    assert_eq!(refused(&gecko_mqtt_message_t { payload_format: 2, ..message }), ErrorKind::OutOfRange);
    assert_eq!(refused(&gecko_mqtt_message_t { reserved: 1, ..message }), ErrorKind::InvalidArgument);
    assert_eq!(refused(&gecko_mqtt_message_t { payload_len: 1, ..message }), ErrorKind::NullArgument);
    let negative = gecko_mqtt_message_t { payload: c"".as_ptr().cast(), payload_len: usize::MAX, ..message };
    assert_eq!(refused(&negative), ErrorKind::OutOfRange);
    assert_eq!(
        refused(&gecko_mqtt_message_t { correlation_data_len: 9, ..message }),
        ErrorKind::NullArgument
    );
    assert_eq!(refused(&gecko_mqtt_message_t { user_property_count: 1, ..message }), ErrorKind::NullArgument);
    let many = gecko_mqtt_message_t { user_property_count: usize::MAX, ..message };
    assert_eq!(refused(&many), ErrorKind::OutOfRange);
}

/// Shows the received message to C and copies what C sees.
fn seen(message: &Message<'_>, receipt: u64, look: impl FnOnce(&gecko_mqtt_message_t)) {
    let mut look = Some(look);
    lend(message, Receipt(receipt), |message| look.take().expect("shown once")(message));
}

#[test]
fn what_is_empty_points_to_empty_text() {
    seen(&Message { topic: "a", ..Message::default() }, 0, |c| {
        for empty in [c.payload.cast(), c.content_type, c.response_topic] {
            // SAFETY: empty text is NUL-terminated.
            assert_eq!(unsafe { CStr::from_ptr(empty) }, c"");
        }
        assert_eq!((c.payload_len, c.content_type_len, c.response_topic_len), (0, 0, 0));
        assert!(c.correlation_data.is_null() && c.user_properties.is_null() && c.subscription_ids.is_null());
    });
}

#[test]
fn what_was_received_can_be_published_again() {
    let received = Message {
        topic: "a/b",
        payload: b"\x00\x01",
        qos: QoS::AtLeastOnce,
        retain: true,
        dup: true,
        utf8: false,
        content_type: Some("x/y"),
        response_topic: None,
        correlation_data: Some(b""),
        user_properties: &[("k", "v"), ("", "")],
        subscription_ids: &[3, 4],
        message_expiry_secs: Some(9),
    };
    seen(&received, 77, |c| {
        assert_eq!((c.size as usize, c.received, c.dup), (size_of_val(c), 77, 1));
        // SAFETY: as many as the count says.
        assert_eq!(unsafe { slice::from_raw_parts(c.subscription_ids, c.subscription_id_count) }, [3, 4]);
        // SAFETY: the library's own message.
        let read = unsafe { read(c) }.unwrap();
        let again = read.message();
        let expected = Message { dup: false, subscription_ids: &[], ..received };
        assert_eq!(format!("{again:?}"), format!("{expected:?}"));
    });
}

#[test]
fn user_properties_cost_no_allocation_the_second_time_and_callbacks_may_nest() {
    let message = Message { topic: "a", user_properties: &[("k", "v")], ..Message::default() };
    let mut places = Vec::new();
    for _ in 0..2 {
        seen(&message, 1, |outer| {
            seen(&message, 2, |inner| assert_ne!(outer.user_properties, inner.user_properties));
            // SAFETY: there is one.
            assert_eq!(unsafe { *outer.user_properties }.name_len, 1);
            places.push(outer.user_properties);
        });
    }
    SCRATCH.with(|scratch| assert!(scratch.borrow().is_empty() && scratch.borrow().capacity() > 0));
}
