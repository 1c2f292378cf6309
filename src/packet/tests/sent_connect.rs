//! The CONNECT that we send, and what is refused before there is one.

use super::*;
use crate::{ErrorKind, Message, QoS};

#[test]
fn the_smallest_connect_3_1() {
    let bytes = written(|out| Connect::default().encode(out).unwrap());
    assert_eq!(bytes, b"\x10\x0D\0\x04MQTT\x05\x02\0\0\0\0\0");
}

#[test]
fn connect_with_everything_3_1() {
    let will = Message {
        topic: "w",
        payload: b"gone",
        qos: QoS::AtLeastOnce,
        retain: true,
        utf8: true,
        content_type: Some("t"),
        response_topic: Some("r"),
        correlation_data: Some(b"\0"),
        user_properties: &[("n", "v")],
        message_expiry_secs: Some(9),
        ..Message::default()
    };
    let connect = Connect {
        client_id: "id",
        clean_start: false,
        keep_alive_secs: 30,
        session_expiry_secs: 3600,
        receive_maximum: 256,
        maximum_packet_size: 262_144,
        topic_alias_maximum: 8,
        username: Some(b"user"),
        password: Some(b"\xFF\0"),
        will: Some(Will { message: will, delay_secs: 10 }),
        user_properties: &[("a", "b")],
    };
    let expected = wire(
        0x10,
        &[
            b"\0\x04MQTT\x05\xEC\0\x1E",
            &block(&[
                b"\x11\0\0\x0E\x10",
                b"\x21\x01\0",
                b"\x27\0\x04\0\0",
                b"\x22\0\x08",
                b"\x26\0\x01a\0\x01b",
            ]),
            b"\0\x02id",
            &block(&[
                b"\x18\0\0\0\x0A",
                b"\x02\0\0\0\x09",
                b"\x01\x01",
                b"\x08\0\x01r",
                b"\x09\0\x01\0",
                b"\x26\0\x01n\0\x01v",
                b"\x03\0\x01t",
            ]),
            b"\0\x01w\0\x04gone",
            b"\0\x04user\0\x02\xFF\0",
        ],
    );
    assert_eq!(written(|out| connect.encode(out).unwrap()), expected);
}

/// [MQTT-3.1.2-16] to [MQTT-3.1.2-19]: MQTT 5 allows a password alone, and an empty one is one.
#[test]
fn username_and_password_are_independent() {
    for (username, password, flags) in [
        (None, None, 0x02),
        (Some(&b""[..]), None, 0x82),
        (None, Some(&b""[..]), 0x42),
        (Some(b"u"), Some(&b"p"[..]), 0xC2),
    ] {
        let bytes = written(|out| Connect { username, password, ..Connect::default() }.encode(out).unwrap());
        assert_eq!(bytes[9], flags);
    }
}

#[test]
fn a_connect_is_written_whole_or_not_at_all_and_grows_once() {
    let secret = vec![b's'; 60_000];
    let connect = Connect { username: Some(&secret), password: Some(&secret), ..Connect::default() };
    let mut out = Vec::new();
    connect.encode(&mut out).unwrap();
    let (place, len) = (out.as_ptr(), out.len());
    out.clear();
    connect.encode(&mut out).unwrap();
    assert_eq!((out.as_ptr(), out.len()), (place, len));
    let connect = Connect { receive_maximum: 0, ..connect };
    assert!(connect.encode(&mut out).is_err());
    assert_eq!(out.len(), len);
}

#[test]
fn connects_that_are_refused() {
    let encode = |connect: Connect<'_>| connect.encode(&mut Vec::new());
    let none = Connect::default();
    let long = too_long();
    let secret = format!("hunter2{long}");
    let invalid = ErrorKind::InvalidArgument;
    refusal(encode(Connect { client_id: &long, ..none }), invalid, "65536 bytes");
    refusal(encode(Connect { client_id: "a\0", ..none }), ErrorKind::InvalidUtf8, "U+0000 at byte 1");
    for connect in [
        Connect { username: Some(secret.as_bytes()), ..none },
        Connect { password: Some(secret.as_bytes()), ..none },
    ] {
        let error = refusal(encode(connect), invalid, "65543 bytes");
        assert!(!error.message().contains("hunter2"));
    }
    for username in [&b"hunter2\xFF"[..], b"hunter2\0"] {
        let error =
            refusal(encode(Connect { username: Some(username), ..none }), ErrorKind::InvalidUtf8, "UTF-8");
        assert!(!error.message().contains("hunter2"));
    }
    refusal(encode(Connect { receive_maximum: 0, ..none }), ErrorKind::OutOfRange, "receive maximum is 0");
    refusal(encode(Connect { maximum_packet_size: 0, ..none }), ErrorKind::OutOfRange, "packet size is 0");
    refusal(encode(Connect { user_properties: &[("a", "\0")], ..none }), ErrorKind::InvalidUtf8, "value");
    let will = |message| Connect { will: Some(Will { message, delay_secs: 0 }), ..none };
    let message = Message { topic: "t", ..Message::default() };
    refusal(encode(will(Message { topic: "a/#", ..message })), ErrorKind::InvalidTopic, "'#' at byte 2");
    refusal(encode(will(Message { payload: long.as_bytes(), ..message })), invalid, "will's payload");
}

#[test]
fn debug_shows_no_secret() {
    let connect = Connect { username: Some(b"hunter2"), password: Some(b"hunter2"), ..Connect::default() };
    let shown = format!("{connect:?}");
    assert!(shown.contains("***") && !shown.contains("hunter2") && !shown.contains("104, 117"), "{shown}");
    let publish =
        StoredPublish::new(&Message { topic: "t", payload: b"hunter2", ..Message::default() }).unwrap();
    assert!(!format!("{publish:?}").contains("104"));
}
