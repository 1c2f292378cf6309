//! MQTT 5 packets, the client's half: what a client sends is encoded, what a server sends is decoded.
//!
//! Pure functions of bytes: no socket, no clock. Everything that is decoded borrows from the input, and
//! nothing here allocates but [`StoredPublish::new`] and a growing output buffer. A packet is checked once,
//! completely, when it is decoded; afterwards its parts can be read without a further error.

mod ack;
mod connack;
mod connect;
mod disconnect;
mod message;
mod properties;
mod publish;
mod reader;
mod reason;
mod stored;
mod subscribe;
#[cfg(test)]
mod tests;
pub mod topic;
pub mod trace;
mod varint;
mod writer;

pub use ack::{Ack, AckKind};
pub use connack::ConnAck;
pub use connect::{Connect, Will};
pub use disconnect::Disconnect;
pub use properties::{Properties, Property, Value, id as property};
pub use publish::{Publish, Scratch};
pub use reason::ReasonCode;
pub use stored::{Alias, Header, StoredPublish};
pub use subscribe::{Filter, RetainHandling, SubAck, Subscribe, UnsubAck, Unsubscribe};

use reader::Reader;

/// The largest remaining length, and the largest value of a variable byte integer at all (1.5.5).
pub const MAX_REMAINING: usize = varint::MAX as usize;

/// PINGREQ, whole (3.12).
pub const PINGREQ: [u8; 2] = [0xC0, 0x00];

/// The types of control packets (2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum PacketType {
    Connect = 1,
    ConnAck = 2,
    Publish = 3,
    PubAck = 4,
    PubRec = 5,
    PubRel = 6,
    PubComp = 7,
    Subscribe = 8,
    SubAck = 9,
    Unsubscribe = 10,
    UnsubAck = 11,
    PingReq = 12,
    PingResp = 13,
    Disconnect = 14,
    Auth = 15,
}

impl PacketType {
    /// Its place in the masks of the tables of properties and reason codes.
    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// The server broke the protocol: the connection has to end, with a DISCONNECT that carries `reason` (4.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What our DISCONNECT says.
    pub reason: ReasonCode,
    /// Which rule was broken, with its paragraph.
    pub message: &'static str,
    /// The property that breaks it, where it is one.
    pub property: Option<&'static str>,
}

impl Malformed {
    #[cold]
    const fn new(reason: ReasonCode, message: &'static str) -> Self {
        Self { reason, message, property: None }
    }

    #[cold]
    const fn syntax(message: &'static str) -> Self {
        Self::new(ReasonCode::MALFORMED_PACKET, message)
    }

    #[cold]
    const fn protocol(message: &'static str) -> Self {
        Self::new(ReasonCode::PROTOCOL_ERROR, message)
    }
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.property {
            Some(property) => write!(f, "{property}: {}", self.message),
            None => f.write_str(self.message),
        }
    }
}

impl std::error::Error for Malformed {}

/// One whole packet at the front of a buffer, not yet looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The first byte: packet type and flags.
    pub first: u8,
    /// What follows the fixed header.
    pub body: &'a [u8],
    /// The bytes of the whole packet: so many are used up.
    pub len: usize,
}

/// The packet at the front of `bytes`; `None` while it is not complete.
///
/// The remaining length is judged as soon as it is there, before the packet has arrived: its form
/// ([MQTT-1.5.5-1]) and whether the packet exceeds `max_packet` bytes ([MQTT-3.1.2-24]).
#[inline]
pub fn frame(bytes: &[u8], max_packet: u32) -> Result<Option<Frame<'_>>, Malformed> {
    let Some((&first, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let Some((remaining, width)) = varint::decode(rest)? else {
        return Ok(None);
    };
    let len = 1 + width + remaining as usize;
    if len > max_packet as usize {
        return Err(Malformed::new(
            ReasonCode::PACKET_TOO_LARGE,
            "a packet above our maximum packet size [MQTT-3.1.2-24]",
        ));
    }
    Ok(bytes.get(1 + width..len).map(|body| Frame { first, body, len }))
}

/// What a server can send.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Received<'a> {
    ConnAck(ConnAck<'a>),
    Publish(Publish<'a>),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    Ack(Ack<'a>),
    SubAck(SubAck<'a>),
    UnsubAck(UnsubAck<'a>),
    PingResp,
    Disconnect(Disconnect<'a>),
    /// Never asked for by this client, which the session has to refuse as a protocol error (3.15); not looked
    /// into.
    Auth,
}

/// What is in the packet, checked against everything that can be judged without the state of a session.
#[inline]
pub fn decode<'a>(frame: &Frame<'a>) -> Result<Received<'a>, Malformed> {
    if frame.first >> 4 == PacketType::Publish as u8 {
        return Ok(Received::Publish(Publish::decode(frame.first, frame.body)?));
    }
    // The other packet that comes by the thousand: the answer to each of our QoS 1 publishes.
    if frame.first == 0x40 {
        return Ok(Received::Ack(Ack::decode(AckKind::PubAck, Reader::new(frame.body))?));
    }
    decode_other(frame.first, Reader::new(frame.body))
}

fn decode_other<'a>(first: u8, body: Reader<'a>) -> Result<Received<'a>, Malformed> {
    let legal_flags = if first >> 4 == PacketType::PubRel as u8 { 0b0010 } else { 0 };
    match first >> 4 {
        0 => Err(Malformed::syntax("packet type 0 is reserved (2.1.2)")),
        1 | 8 | 10 | 12 => {
            Err(Malformed::protocol("a packet that only clients send came from the server (2.1.2)"))
        }
        _ if first & 0x0F != legal_flags => {
            Err(Malformed::syntax("wrong flags in the fixed header [MQTT-2.1.3-1] [MQTT-3.6.1-1]"))
        }
        4 => Ok(Received::Ack(Ack::decode(AckKind::PubAck, body)?)),
        5 => Ok(Received::Ack(Ack::decode(AckKind::PubRec, body)?)),
        6 => Ok(Received::Ack(Ack::decode(AckKind::PubRel, body)?)),
        7 => Ok(Received::Ack(Ack::decode(AckKind::PubComp, body)?)),
        2 => Ok(Received::ConnAck(ConnAck::decode(body)?)),
        9 => Ok(Received::SubAck(SubAck::decode(body)?)),
        11 => Ok(Received::UnsubAck(UnsubAck::decode(body)?)),
        13 if body.is_empty() => Ok(Received::PingResp),
        13 => Err(Malformed::syntax("a PINGRESP with content (3.13)")),
        14 => Ok(Received::Disconnect(Disconnect::decode(body)?)),
        _ => Ok(Received::Auth),
    }
}
