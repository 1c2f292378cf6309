//! Whatever comes over the wire: no panic, no packet that breaks a rule, no difference how it was cut.

use super::values::{borrowed, bytes, message};
use super::*;
use crate::QoS;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A good packet of any type, as a server sends it.
fn good() -> impl Strategy<Value = Vec<u8>> {
    let properties = vec(
        select(vec![
            &b"\x1F\0\x02hi"[..],
            b"\x26\0\x01k\0\x01v",
            b"\x0B\x81\x01",
            b"\x23\0\x01",
            b"\x21\0\x10",
            b"\x11\0\0\0\x10",
            b"\x01\x01",
            b"\x08\0\x03a/b",
        ]),
        0..4,
    );
    let small = (select(WITH_PROPERTIES.to_vec()), properties).prop_map(|(packet, properties)| {
        let bytes = smallest(packet, &block(&properties));
        match read(&bytes) {
            Ok(_) => bytes,
            Err(_) => smallest(packet, &[0]),
        }
    });
    let publish = (message(), 1..=u16::MAX).prop_map(|(message, id)| {
        let user_properties = borrowed(&message.user_properties);
        let stored = StoredPublish::new(&message.as_message(&user_properties)).unwrap();
        let mut bytes = Vec::new();
        stored
            .write(&Header { id, expiry_secs: message.message_expiry_secs, ..Header::default() }, &mut bytes);
        bytes
    });
    prop_oneof![4 => small, 4 => publish, 1 => Just(vec![0xD0, 0]), 1 => Just(vec![0xE0, 1, 0x8E])]
}

/// Everything of a packet is touched, and what decoding promises is held against it.
fn consistent(received: &Received<'_>) {
    match received {
        Received::Publish(publish) => {
            assert_eq!(publish.id == 0, publish.qos == QoS::AtMostOnce);
            assert!(!(publish.dup && publish.qos == QoS::AtMostOnce));
            assert!(publish.alias != Some(0));
            match publish.topic {
                "" => assert!(publish.alias.is_some()),
                topic => topic::valid_name(topic).unwrap(),
            }
            assert!(publish.subscription_ids().all(|id| id != 0));
            let mut scratch = Scratch::default();
            let message = publish.to_message("t", &mut scratch);
            assert!(!message.utf8 || std::str::from_utf8(message.payload).is_ok());
            assert!(
                message
                    .user_properties
                    .iter()
                    .all(|(name, value)| !name.contains('\0') && !value.contains('\0'))
            );
        }
        Received::ConnAck(connack) => {
            assert!(connack.receive_maximum != 0 && connack.maximum_packet_size != Some(0));
            assert!(!connack.session_present || connack.reason == ReasonCode::SUCCESS);
        }
        Received::Ack(ack) => assert_ne!(ack.id, 0),
        Received::SubAck(suback) => assert!(suback.id != 0 && !suback.codes.is_empty()),
        Received::UnsubAck(unsuback) => assert!(unsuback.id != 0 && !unsuback.codes.is_empty()),
        Received::Disconnect(_) | Received::PingResp | Received::Auth => {}
    }
    assert!(!format!("{received:?}").is_empty());
}

fn decode_all(mut bytes: &[u8]) {
    while let Ok(Some(frame)) = frame(bytes, 1 << 20) {
        if let Ok(received) = decode(&frame) {
            consistent(&received);
        }
        bytes = &bytes[frame.len..];
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..200)) {
        decode_all(&bytes);
    }

    #[test]
    fn any_body_of_any_type(first: u8, body in bytes()) {
        decode_all(&wire(first, &[&body]));
    }

    #[test]
    fn any_properties(packet in select(WITH_PROPERTIES.to_vec()), properties in vec(0..0x30_u8, 0..20)) {
        decode_all(&smallest(packet, &block(&[&properties])));
    }

    #[test]
    fn mutated_packets(
        mut bytes in good(),
        changes in vec((any::<Index>(), any::<u8>()), 1..4),
        cut in any::<Index>(),
        whole: bool,
    ) {
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        decode_all(&bytes);
    }

    #[test]
    fn good_packets_are_taken(bytes in good()) {
        consistent(&read(&bytes).unwrap());
    }

    /// However the stream is cut, the same packets come out.
    #[test]
    fn chunks(packets in vec(good(), 1..6), sizes in vec(1..20_usize, 1..200)) {
        let stream = packets.concat();
        let (mut buffer, mut got) = (Vec::new(), Vec::new());
        let mut sizes = sizes.iter().cycle();
        let mut rest = &stream[..];
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            rest = after;
            buffer.extend_from_slice(chunk);
            while let Some(frame) = frame(&buffer, u32::MAX).unwrap() {
                let len = frame.len;
                got.push(buffer.drain(..len).collect::<Vec<u8>>());
            }
        }
        prop_assert_eq!(got, packets);
        prop_assert!(buffer.is_empty());
    }
}
