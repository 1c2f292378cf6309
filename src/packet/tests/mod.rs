//! The room's tests: tables of what is just allowed and what just is not, and properties that hold for all input.

mod accepted;
mod oracle;
mod refused;
mod robust;
mod sent;
mod sent_connect;
mod sent_publish;
mod values;

use super::*;
use crate::{Error, ErrorKind};

/// A packet of these parts, with its remaining length.
fn wire(first: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut packet = vec![first];
    varint::encode(body.len(), |byte| packet.push(byte));
    packet.extend(body);
    packet
}

/// A property block: its length, and the properties.
fn block(properties: &[&[u8]]) -> Vec<u8> {
    let properties = properties.concat();
    let mut block = Vec::new();
    varint::encode(properties.len(), |byte| block.push(byte));
    block.extend(properties);
    block
}

/// The one packet that `bytes` are.
fn read(bytes: &[u8]) -> Result<Received<'_>, Malformed> {
    let frame = frame(bytes, u32::MAX)?.expect("a whole packet");
    assert_eq!(frame.len, bytes.len(), "{bytes:x?}");
    decode(&frame)
}

/// The smallest legal packet of each type that a server sends, around `properties`.
fn smallest(packet: PacketType, properties: &[u8]) -> Vec<u8> {
    use PacketType::*;
    let acknowledgement = |first| wire(first, &[&[0, 1, 0], properties]);
    match packet {
        ConnAck => wire(0x20, &[&[0, 0], properties]),
        Publish => wire(0x30, &[&[0, 1, b't'], properties]),
        PubAck => acknowledgement(0x40),
        PubRec => acknowledgement(0x50),
        PubRel => acknowledgement(0x62),
        PubComp => acknowledgement(0x70),
        SubAck => wire(0x90, &[&[0, 1], properties, &[0]]),
        UnsubAck => wire(0xB0, &[&[0, 1], properties, &[0]]),
        Disconnect => wire(0xE0, &[&[0], properties]),
        other => panic!("a server sends no {other:?} with properties"),
    }
}

/// The packets from a server that have properties (AUTH is not looked into).
const WITH_PROPERTIES: [PacketType; 9] = [
    PacketType::ConnAck,
    PacketType::Publish,
    PacketType::PubAck,
    PacketType::PubRec,
    PacketType::PubRel,
    PacketType::PubComp,
    PacketType::SubAck,
    PacketType::UnsubAck,
    PacketType::Disconnect,
];

/// What `write` appends.
fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = b"before".to_vec();
    write(&mut out);
    out.split_off(6)
}

/// The error, which must be of that kind, and say that.
#[track_caller]
fn refusal<T: std::fmt::Debug>(result: crate::Result<T>, kind: ErrorKind, text: &str) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(text), "{error}");
    error
}

/// One byte more than a length of two bytes can say (1.5.4).
fn too_long() -> String {
    "x".repeat(65_536)
}
