//! The PUBLISH that we send, and what is refused before there is one.

use super::*;
use crate::{ErrorKind, Message, QoS};

#[test]
fn publish_in_every_form_3_3() {
    let message = Message { topic: "a/b", payload: b"p", qos: QoS::AtLeastOnce, ..Message::default() };
    let stored = StoredPublish::new(&message).unwrap();
    let form = |header: Header| {
        let bytes = written(|out| stored.write(&header, out));
        assert_eq!(bytes.len(), stored.size(&header));
        bytes
    };
    let header = Header { id: 258, ..Header::default() };
    assert_eq!(form(header), b"\x32\x09\0\x03a/b\x01\x02\0p");
    assert_eq!(form(Header { dup: true, ..header }), b"\x3A\x09\0\x03a/b\x01\x02\0p");
    assert_eq!(form(Header { alias: Alias::Set(7), ..header }), b"\x32\x0C\0\x03a/b\x01\x02\x03\x23\0\x07p");
    assert_eq!(form(Header { alias: Alias::Use(7), ..header }), b"\x32\x09\0\0\x01\x02\x03\x23\0\x07p");
    assert_eq!(
        form(Header { expiry_secs: Some(1), ..header }),
        b"\x32\x0E\0\x03a/b\x01\x02\x05\x02\0\0\0\x01p"
    );
    assert_eq!((stored.topic(), stored.payload_len(), stored.qos()), ("a/b", 1, QoS::AtLeastOnce));
}

/// [MQTT-2.2.1-2], [MQTT-3.3.1-2]
#[test]
fn qos_0_has_neither_identifier_nor_dup() {
    let stored =
        StoredPublish::new(&Message { topic: "t", retain: true, dup: true, ..Message::default() }).unwrap();
    let bytes = written(|out| stored.write(&Header { id: 5, dup: true, ..Header::default() }, out));
    assert_eq!(bytes, b"\x31\x04\0\x01t\0");
}

#[test]
fn a_stored_publish_is_small_and_says_what_it_holds() {
    assert!(size_of::<StoredPublish>() <= 40);
    let user_properties = [("n", "v")];
    let message =
        Message { topic: "tt", payload: b"ppp", user_properties: &user_properties, ..Message::default() };
    let stored = StoredPublish::new(&message).unwrap();
    assert_eq!(stored.bytes_held(), size_of::<StoredPublish>() + 2 + 7 + 3);
}

#[test]
fn publishes_that_are_refused() {
    let message = Message { topic: "t", ..Message::default() };
    let long = too_long();
    let topic = ErrorKind::InvalidTopic;
    let new = |message: Message<'_>| StoredPublish::new(&message);
    refusal(new(Message { topic: "", ..message }), topic, "empty");
    refusal(new(Message { topic: "a/+", ..message }), topic, "'+' at byte 2");
    refusal(new(Message { topic: "a\0", ..message }), topic, "U+0000 at byte 1");
    refusal(new(Message { topic: &long, ..message }), topic, "65536 bytes");
    refusal(new(Message { response_topic: Some("#"), ..message }), topic, "response topic");
    refusal(new(Message { response_topic: Some(""), ..message }), topic, "response topic");
    refusal(new(Message { content_type: Some("\0"), ..message }), ErrorKind::InvalidUtf8, "content type");
    refusal(
        new(Message { content_type: Some(&long), ..message }),
        ErrorKind::InvalidArgument,
        "content type",
    );
    refusal(
        new(Message { correlation_data: Some(long.as_bytes()), ..message }),
        ErrorKind::InvalidArgument,
        "correlation data",
    );
    refusal(
        new(Message { user_properties: &[("a", "b"), ("\0", "")], ..message }),
        ErrorKind::InvalidUtf8,
        "name of a user property",
    );
    refusal(
        new(Message { user_properties: &[("a", &long)], ..message }),
        ErrorKind::InvalidArgument,
        "value of a user property",
    );
    refusal(new(Message { utf8: true, payload: b"ok\xFF", ..message }), ErrorKind::InvalidUtf8, "at byte 2");
}

/// 1.5.5: the longest texts and the largest packet, to the byte.
#[test]
fn the_largest_publish() {
    let longest = "x".repeat(65_535);
    let user_properties = [(longest.as_str(), longest.as_str())];
    let message = Message {
        topic: &longest,
        qos: QoS::ExactlyOnce,
        user_properties: &user_properties,
        ..Message::default()
    };
    let header = Header { id: 1, alias: Alias::Set(1), expiry_secs: Some(1), ..Header::default() };
    let fixed = 2 + 65_535 + 2 + 4 + 8 + (5 + 2 * 65_535);
    let payload = vec![0; MAX_REMAINING - fixed + 1];
    let over = StoredPublish::new(&Message { payload: &payload, ..message });
    refusal(over, ErrorKind::PacketTooLarge, "268435456 bytes");
    let stored = StoredPublish::new(&Message { payload: &payload[1..], ..message }).unwrap();
    // The length of these properties takes three bytes, for which four were reckoned.
    assert_eq!(stored.size(&header), 5 + MAX_REMAINING - 1);
}
