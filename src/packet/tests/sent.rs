//! The smaller packets that we send, and what is refused before there are any.

use super::*;
use crate::{ErrorKind, QoS};

#[test]
fn acknowledgements_are_as_short_as_they_can_be_3_4_2_1() {
    for (kind, first) in
        [(AckKind::PubAck, 0x40), (AckKind::PubRec, 0x50), (AckKind::PubRel, 0x62), (AckKind::PubComp, 0x70)]
    {
        let success = written(|out| kind.write(0x0102, ReasonCode::SUCCESS, out));
        assert_eq!(success, [first, 2, 1, 2]);
    }
    let unknown = written(|out| AckKind::PubComp.write(1, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND, out));
    assert_eq!(unknown, [0x70, 3, 0, 1, 0x92]);
}

#[test]
fn disconnects_are_as_short_as_they_can_be_3_14_2() {
    let form = |reason, secs| written(|out| Disconnect::write(reason, secs, out));
    assert_eq!(form(ReasonCode::SUCCESS, None), [0xE0, 0]);
    assert_eq!(form(ReasonCode::DISCONNECT_WITH_WILL, None), [0xE0, 1, 4]);
    assert_eq!(form(ReasonCode::SUCCESS, Some(0)), [0xE0, 7, 0, 5, 0x11, 0, 0, 0, 0]);
}

#[test]
fn subscribe_and_unsubscribe_3_8_3_10() {
    let filters = [
        Filter::new("a/#", QoS::AtLeastOnce),
        Filter {
            filter: "+",
            qos: QoS::ExactlyOnce,
            no_local: true,
            retain_as_published: true,
            retain_handling: RetainHandling::DoNotSend,
        },
        Filter { retain_handling: RetainHandling::SendIfNew, ..Filter::new("$share/g/a", QoS::AtMostOnce) },
    ];
    let subscribe = Subscribe { id: 10, subscription_id: Some(128), filters: &filters, user_properties: &[] };
    let bytes = written(|out| subscribe.encode(out).unwrap());
    assert_eq!(bytes, b"\x82\x1D\0\x0A\x03\x0B\x80\x01\0\x03a/#\x01\0\x01+\x2E\0\x0A$share/g/a\x10");
    assert_eq!(bytes.len(), subscribe.size());

    let unsubscribe = Unsubscribe { id: 11, filters: &["a/#", "+"], user_properties: &[("k", "v")] };
    let bytes = written(|out| unsubscribe.encode(out).unwrap());
    assert_eq!(bytes, b"\xA2\x12\0\x0B\x07\x26\0\x01k\0\x01v\0\x03a/#\0\x01+");
    assert_eq!(bytes.len(), unsubscribe.size());
}

#[test]
fn subscribes_that_are_refused() {
    let encode = |subscribe: Subscribe<'_>| {
        let mut out = Vec::new();
        let result = subscribe.encode(&mut out);
        assert!(out.is_empty());
        result
    };
    let invalid = ErrorKind::InvalidArgument;
    let good = [Filter::new("a", QoS::AtMostOnce)];
    let subscribe = Subscribe { id: 1, filters: &good, ..Subscribe::default() };
    // [MQTT-3.8.3-2], [MQTT-3.10.3-2]
    refusal(encode(Subscribe { filters: &[], ..subscribe }), invalid, "at least one");
    refusal(Unsubscribe { id: 1, ..Unsubscribe::default() }.encode(&mut Vec::new()), invalid, "at least one");
    let shared = [Filter { no_local: true, ..Filter::new("$share/g/a", QoS::AtMostOnce) }];
    refusal(encode(Subscribe { filters: &shared, ..subscribe }), invalid, "[MQTT-3.8.3-4]");
    let bad = [good[0], Filter::new("a#", QoS::AtMostOnce)];
    refusal(encode(Subscribe { filters: &bad, ..subscribe }), ErrorKind::InvalidTopicFilter, "\"a#\"");
    let unsubscribe = Unsubscribe { id: 1, filters: &["a", "a+"], user_properties: &[] };
    refusal(unsubscribe.encode(&mut Vec::new()), ErrorKind::InvalidTopicFilter, "\"a+\"");
    for id in [0, 268_435_456] {
        refusal(
            encode(Subscribe { subscription_id: Some(id), ..subscribe }),
            ErrorKind::OutOfRange,
            "268435455",
        );
    }
    refusal(
        encode(Subscribe { user_properties: &[("\0", "")], ..subscribe }),
        ErrorKind::InvalidUtf8,
        "name",
    );
}
