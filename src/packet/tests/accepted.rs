//! Packets that are legal, some of them barely, and what is read from them.

use super::*;
use crate::QoS;
use std::collections::HashSet;

#[test]
fn connack_without_properties_has_the_defaults_of_3_2_2_3() {
    let bytes = [0x20, 3, 1, 0, 0];
    let Ok(Received::ConnAck(connack)) = read(&bytes) else { panic!() };
    assert!(connack.session_present && connack.reason == ReasonCode::SUCCESS);
    assert_eq!((connack.receive_maximum, connack.maximum_qos), (65_535, QoS::ExactlyOnce));
    assert!(connack.retain_available && connack.wildcard_subscription_available);
    assert!(connack.subscription_identifier_available && connack.shared_subscription_available);
    assert_eq!((connack.topic_alias_maximum, connack.maximum_packet_size), (0, None));
    assert_eq!((connack.session_expiry_secs, connack.server_keep_alive_secs), (None, None));
    assert!(connack.properties.is_empty());
}

#[test]
fn connack_with_every_property() {
    let bytes = wire(
        0x20,
        &[
            &[0, 0],
            &block(&[
                b"\x11\0\0\x0E\x10",
                b"\x21\0\x64",
                b"\x24\x01",
                b"\x25\x00",
                b"\x27\0\x02\x48\0",
                b"\x12\0\x02id",
                b"\x22\0\x08",
                b"\x1F\0\x02hi",
                b"\x26\0\x01a\0\x01b",
                b"\x26\0\x01a\0\x01c",
                b"\x28\x00",
                b"\x29\x00",
                b"\x2A\x00",
                b"\x13\x04\xB0",
                b"\x1A\0\x02ri",
                b"\x1C\0\x02sr",
                b"\x15\0\x02am",
                b"\x16\0\x02\xFF\0",
            ]),
        ],
    );
    let Ok(Received::ConnAck(connack)) = read(&bytes) else { panic!() };
    assert_eq!(connack.session_expiry_secs, Some(3600));
    assert_eq!(connack.receive_maximum, 100);
    assert_eq!(connack.maximum_qos, QoS::AtLeastOnce);
    assert!(!connack.retain_available && !connack.wildcard_subscription_available);
    assert!(!connack.subscription_identifier_available && !connack.shared_subscription_available);
    assert_eq!(connack.maximum_packet_size, Some(149_504));
    assert_eq!(connack.assigned_client_id, Some("id"));
    assert_eq!(connack.topic_alias_maximum, 8);
    assert_eq!(connack.reason_string, Some("hi"));
    assert_eq!(connack.server_keep_alive_secs, Some(1200));
    assert_eq!(connack.response_information, Some("ri"));
    assert_eq!(connack.server_reference, Some("sr"));
    assert_eq!(connack.authentication_method, Some("am"));
    assert_eq!(connack.authentication_data, Some(&b"\xFF\0"[..]));
    assert!(connack.properties.user_properties().eq([("a", "b"), ("a", "c")]));
}

#[test]
fn publish_with_every_property() {
    let bytes = wire(
        0x3D,
        &[
            b"\0\x03a/b",
            b"\x12\x34",
            &block(&[
                b"\x01\x01",
                b"\x02\0\0\0\x3C",
                b"\x23\0\x05",
                b"\x08\0\x03r/t",
                b"\x09\0\x02\0\xFF",
                b"\x26\0\x01k\0\0",
                b"\x0B\x01",
                b"\x0B\xFF\xFF\xFF\x7F",
                b"\x0B\x01",
                b"\x03\0\x04text",
            ]),
            b"payload",
        ],
    );
    let Ok(Received::Publish(publish)) = read(&bytes) else { panic!() };
    let mut scratch = Scratch::default();
    let message = publish.to_message(publish.topic, &mut scratch);
    assert_eq!((publish.id, publish.alias), (0x1234, Some(5)));
    assert_eq!((message.topic, message.payload), ("a/b", &b"payload"[..]));
    assert_eq!((message.qos, message.retain, message.dup), (QoS::ExactlyOnce, true, true));
    assert_eq!((message.utf8, message.message_expiry_secs), (true, Some(60)));
    assert_eq!((message.content_type, message.response_topic), (Some("text"), Some("r/t")));
    assert_eq!(message.correlation_data, Some(&b"\0\xFF"[..]));
    assert_eq!(message.user_properties, [("k", "")]);
    assert_eq!(message.subscription_ids, [1, 268_435_455, 1]);
    assert!(publish.subscription_ids().eq([1, 268_435_455, 1]));
}

/// 3.3.2.3.2 lets a receiver check; ours tells the application the truth, and keeps the connection.
#[test]
fn a_payload_that_is_not_the_text_it_claims_to_be_comes_as_bytes() {
    let bytes = wire(0x30, &[b"\0\x01t", &block(&[b"\x01\x01"]), b"\xFF"]);
    let Ok(Received::Publish(publish)) = read(&bytes) else { panic!() };
    assert!(publish.payload_format);
    assert!(!publish.to_message("t", &mut Scratch::default()).utf8);
}

#[test]
fn a_scratch_keeps_its_memory_from_one_message_to_the_next() {
    let mut scratch = Scratch::default();
    let mut places = HashSet::new();
    for round in 0..3 {
        let mut properties = vec![b"\x26\0\x01k\0\x01v".to_vec(); 4];
        properties.push(vec![0x0B, round + 1]);
        let properties: Vec<&[u8]> = properties.iter().map(Vec::as_slice).collect();
        let bytes = wire(0x30, &[b"\0\x01t", &block(&properties)]);
        let Ok(Received::Publish(publish)) = read(&bytes) else { panic!() };
        let mut here = scratch.recycle();
        let message = publish.to_message("t", &mut here);
        assert_eq!(
            (message.user_properties, message.subscription_ids),
            (&[("k", "v"); 4][..], &[u32::from(round) + 1][..])
        );
        places
            .insert((message.user_properties.as_ptr() as usize, message.subscription_ids.as_ptr() as usize));
        scratch = here.recycle();
    }
    assert_eq!(places.len(), 1);
}

#[test]
fn the_smallest_publish_has_an_empty_payload_and_a_one_letter_topic() {
    let Ok(Received::Publish(publish)) = read(&[0x30, 4, 0, 1, b't', 0]) else { panic!() };
    assert_eq!((publish.topic, publish.payload, publish.id), ("t", &b""[..], 0));
}

#[test]
fn an_alias_may_stand_for_the_topic_3_3_2_3_4() {
    let Ok(Received::Publish(publish)) = read(&[0x30, 6, 0, 0, 3, 0x23, 0xFF, 0xFF]) else { panic!() };
    assert_eq!((publish.topic, publish.alias), ("", Some(u16::MAX)));
}

/// 1.5.4: those that should not be used are not forbidden, and U+FEFF is kept [MQTT-1.5.4-3].
#[test]
fn control_characters_non_characters_and_the_byte_order_mark_pass() {
    for text in ["\u{1}", "\u{7F}", "\u{9F}", "\u{FFFF}", "\u{FEFF}t", "\u{10FFFF}", "größe/\u{1F98E}"] {
        let bytes = wire(0x30, &[&[0, text.len() as u8], text.as_bytes(), &[0]]);
        let Ok(Received::Publish(publish)) = read(&bytes) else { panic!("{text:?}") };
        assert_eq!(publish.topic, text);
    }
}

#[test]
fn acknowledgements_in_their_three_forms_3_4_2_1() {
    for (kind, first) in
        [(AckKind::PubAck, 0x40), (AckKind::PubRec, 0x50), (AckKind::PubRel, 0x62), (AckKind::PubComp, 0x70)]
    {
        for (rest, reason, reason_string) in [
            (&b""[..], 0, None),
            (b"\x00", 0, None),
            (b"\x92", 0x92, None),
            (b"\x92\x00", 0x92, None),
            (b"\x92\x0B\x1F\0\x01w\x26\0\x01a\0\x01b", 0x92, Some("w")),
        ] {
            let bytes = wire(first, &[&[0xAB, 0xCD], rest]);
            let Ok(Received::Ack(ack)) = read(&bytes) else { panic!("{bytes:x?}") };
            assert_eq!((ack.kind, ack.id), (kind, 0xABCD));
            assert_eq!((ack.reason.0, ack.reason_string), (reason, reason_string));
        }
    }
}

#[test]
fn disconnects_in_their_three_forms_3_14_2() {
    for (bytes, reason, reason_string, server_reference) in [
        (&b"\xE0\x00"[..], 0, None, None),
        (b"\xE0\x01\x8E", 142, None, None),
        (b"\xE0\x02\x8E\x00", 142, None, None),
        (b"\xE0\x0A\x9D\x08\x1F\0\x01w\x1C\0\x01s", 157, Some("w"), Some("s")),
    ] {
        let Ok(Received::Disconnect(disconnect)) = read(bytes) else { panic!("{bytes:x?}") };
        assert_eq!(disconnect.reason.0, reason);
        assert_eq!(
            (disconnect.reason_string, disconnect.server_reference),
            (reason_string, server_reference)
        );
    }
}

#[test]
fn suback_and_unsuback_with_an_answer_to_each_filter() {
    let bytes = wire(0x90, &[&[0, 7], &block(&[b"\x1F\0\x01w"]), &[0, 1, 2, 0x80, 0xA2]]);
    let Ok(Received::SubAck(suback)) = read(&bytes) else { panic!() };
    assert_eq!((suback.id, suback.reason_string), (7, Some("w")));
    assert_eq!(suback.codes, [0, 1, 2, 0x80, 0xA2]);
    let bytes = wire(0xB0, &[&[0, 7, 0], &[0, 0x11, 0x8F]]);
    let Ok(Received::UnsubAck(unsuback)) = read(&bytes) else { panic!() };
    assert_eq!((unsuback.id, unsuback.codes), (7, &[0, 0x11, 0x8F][..]));
}

#[test]
fn pingresp_and_auth() {
    assert_eq!(read(&[0xD0, 0]), Ok(Received::PingResp));
    assert_eq!(read(&[0xF0, 0]), Ok(Received::Auth));
    assert_eq!(read(&[0xF0, 2, 0x18, 0]), Ok(Received::Auth));
}

#[test]
fn a_frame_ends_where_its_packet_does() {
    let bytes = [0x40, 2, 0, 1, 0xD0, 0];
    assert_eq!(frame(&bytes, 100), Ok(Some(Frame { first: 0x40, body: &[0, 1], len: 4 })));
    for cut in 0..4 {
        assert_eq!(frame(&bytes[..cut], 100), Ok(None));
    }
    assert_eq!(frame(&bytes[4..], 2), Ok(Some(Frame { first: 0xD0, body: &[], len: 2 })));
}
