//! What the server of a fuzzed connection sends: true answers, and well-formed packets that may be lies.

use super::Input;
use super::witness::Packet;
use crate::QoS;
use crate::packet::AckKind;
use crate::session::limits::{Limits, Quotas};

/// Of a server that allows everything.
pub const GENEROUS: Limits = Limits {
    receive_maximum: 20,
    maximum_qos: QoS::ExactlyOnce,
    retain_available: true,
    maximum_packet_size: u32::MAX,
    topic_alias_maximum: 4,
    wildcard_available: true,
    shared_available: true,
    keep_alive_secs: 30,
    quotas: Quotas::NONE,
};

/// What a packet can be.
#[cfg_attr(not(test), allow(dead_code))]
pub mod kind {
    pub const PUBACK: u8 = 0;
    pub const PUBREC: u8 = 1;
    pub const PUBREL: u8 = 2;
    pub const PUBCOMP: u8 = 3;
    pub const SUBACK: u8 = 4;
    pub const UNSUBACK: u8 = 5;
    pub const PUBLISH: u8 = 6;
    pub const DISCONNECT: u8 = 7;
    pub const PINGRESP: u8 = 8;
    /// Any other first byte, without a body.
    pub const OTHER: u8 = 9;
    pub const COUNT: u8 = 10;
}

const PUBLISH_PROPERTIES: [&[u8]; 8] = [
    b"\x01\x01",
    b"\x02\0\0\0\x10",
    b"\x03\0\x01t",
    b"\x08\0\x03a/b",
    b"\x09\0\x02\0\xFF",
    b"\x0B\x81\x01",
    b"\x26\0\x01k\0\x01v",
    b"\x23\0\x01",
];
const ACK_PROPERTIES: [&[u8]; 2] = [b"\x1F\0\x02no", b"\x26\0\x01k\0\x01v"];
const DISCONNECT_PROPERTIES: [&[u8]; 3] = [b"\x1F\0\x02no", b"\x26\0\x01k\0\x01v", b"\x1C\0\x01h"];
const TOPICS: [&[u8]; 4] = [b"spa/42/state", b"a", b"$aws/things/m", b"x/y"];

fn varint(mut value: usize, out: &mut Vec<u8>) {
    while value > 0x7F {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn wire(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    varint(body.len(), &mut packet);
    packet.extend_from_slice(body);
    packet
}

/// A block of those properties whose bit is set.
fn properties(mask: u8, all: &[&[u8]], body: &mut Vec<u8>) {
    let chosen = all.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1);
    let block: Vec<u8> = chosen.flat_map(|(_, property)| property.iter().copied()).collect();
    varint(block.len(), body);
    body.extend_from_slice(&block);
}

/// The true answer.
pub fn answer(packet: Packet) -> Vec<u8> {
    let with_id = |first: u8, id: u16| wire(first, &id.to_be_bytes());
    match packet {
        Packet::Publish { qos: QoS::AtLeastOnce, id, .. } => with_id(0x40, id),
        Packet::Publish { qos: QoS::ExactlyOnce, id, .. } => with_id(0x50, id),
        Packet::Ack { kind: AckKind::PubRec, id } => with_id(0x62, id),
        Packet::Ack { kind: AckKind::PubRel, id } => with_id(0x70, id),
        Packet::Subscribe { id, filters } => answers(0x90, id, &vec![0; filters]),
        Packet::Unsubscribe { id } => answers(0xB0, id, &[0]),
        Packet::PingReq => vec![0xD0, 0],
        Packet::Publish { .. } | Packet::Ack { .. } | Packet::Disconnect => Vec::new(),
    }
}

fn answers(first: u8, id: u16, codes: &[u8]) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    wire(first, &[&[high, low, 0], codes].concat())
}

/// A packet of the input's choice; `identifiers` are those that the client knows.
pub fn packet(input: &mut Input<'_>, identifiers: &[u16]) -> Vec<u8> {
    let kind = input.byte() % kind::COUNT;
    let identifier = |input: &mut Input<'_>| match input.byte() {
        known @ 0..192 if !identifiers.is_empty() => identifiers[usize::from(known) % identifiers.len()],
        other => other.into(),
    };
    match kind {
        kind::PUBACK..=kind::PUBCOMP => {
            let first = [0x40, 0x50, 0x62, 0x70][usize::from(kind)];
            let mut body = identifier(input).to_be_bytes().to_vec();
            let form = input.byte();
            if form > 0 {
                body.push(input.byte());
            }
            if form > 1 {
                properties(form >> 1, &ACK_PROPERTIES, &mut body);
            }
            wire(first, &body)
        }
        kind::SUBACK | kind::UNSUBACK => {
            let mut body = identifier(input).to_be_bytes().to_vec();
            properties(input.byte(), &ACK_PROPERTIES, &mut body);
            let count = 1 + input.byte() % 10;
            (0..count).for_each(|_| body.push(input.byte()));
            wire(if kind == kind::SUBACK { 0x90 } else { 0xB0 }, &body)
        }
        kind::PUBLISH => {
            let flags = input.byte() & 0x0F;
            let topic = input.pick(&TOPICS);
            let mut body = [&[0, topic.len() as u8], topic].concat();
            if flags & 6 != 0 {
                // Few identifiers, so that they come again.
                body.extend_from_slice(&u16::from(1 + input.byte() % 16).to_be_bytes());
            }
            properties(input.byte(), &PUBLISH_PROPERTIES, &mut body);
            body.resize(body.len() + usize::from(input.byte()), b'.');
            wire(0x30 | flags, &body)
        }
        kind::DISCONNECT => {
            let form = input.byte();
            let mut body = Vec::new();
            if form > 0 {
                body.push(input.byte());
            }
            if form > 1 {
                properties(form >> 1, &DISCONNECT_PROPERTIES, &mut body);
            }
            wire(0xE0, &body)
        }
        kind::PINGRESP => vec![0xD0, 0],
        _ => vec![input.byte(), 0],
    }
}

/// A CONNACK with whichever limits, or with any bytes for its properties.
pub fn connack(input: &mut Input<'_>) -> Vec<u8> {
    let flags = input.byte();
    let mut block = Vec::new();
    if flags & 2 != 0 {
        let len = input.byte().into();
        block.extend_from_slice(input.take(len));
    } else {
        let mask = input.byte();
        // Receive maximum, maximum QoS, retain, packet size, aliases, wildcards, shared, keep alive.
        for (bit, id) in [0x21, 0x24, 0x25, 0x27, 0x22, 0x28, 0x2A, 0x13].into_iter().enumerate() {
            if mask >> bit & 1 == 1 {
                block.push(id);
                let value = input.byte();
                match id {
                    0x24 | 0x25 | 0x28 | 0x2A => block.push(value & 1),
                    0x27 => block.extend_from_slice(&(1 + u32::from(value) * 4).to_be_bytes()),
                    0x21 => block.extend_from_slice(&(1 + u16::from(value)).to_be_bytes()),
                    _ => block.extend_from_slice(&u16::from(value).to_be_bytes()),
                }
            }
        }
    }
    let mut body = vec![flags & 1, 0];
    varint(block.len(), &mut body);
    body.extend_from_slice(&block);
    wire(0x20, &body)
}
