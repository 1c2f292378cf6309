//! Properties (2.2.2.2): one table of all 27, and the walk that holds a packet's block against it.

use super::{Malformed, PacketType, ReasonCode, reader::Reader, varint};
use Limit::{Any, Boolean, NotZero};
use Type::{Binary, Byte, Four, Pair, Text, Two, Varint};

/// The identifiers of the properties, named as in table 2-4.
#[allow(missing_docs)]
pub mod id {
    pub const PAYLOAD_FORMAT_INDICATOR: u8 = 0x01;
    pub const MESSAGE_EXPIRY_INTERVAL: u8 = 0x02;
    pub const CONTENT_TYPE: u8 = 0x03;
    pub const RESPONSE_TOPIC: u8 = 0x08;
    pub const CORRELATION_DATA: u8 = 0x09;
    pub const SUBSCRIPTION_IDENTIFIER: u8 = 0x0B;
    pub const SESSION_EXPIRY_INTERVAL: u8 = 0x11;
    pub const ASSIGNED_CLIENT_IDENTIFIER: u8 = 0x12;
    pub const SERVER_KEEP_ALIVE: u8 = 0x13;
    pub const AUTHENTICATION_METHOD: u8 = 0x15;
    pub const AUTHENTICATION_DATA: u8 = 0x16;
    pub const REQUEST_PROBLEM_INFORMATION: u8 = 0x17;
    pub const WILL_DELAY_INTERVAL: u8 = 0x18;
    pub const REQUEST_RESPONSE_INFORMATION: u8 = 0x19;
    pub const RESPONSE_INFORMATION: u8 = 0x1A;
    pub const SERVER_REFERENCE: u8 = 0x1C;
    pub const REASON_STRING: u8 = 0x1F;
    pub const RECEIVE_MAXIMUM: u8 = 0x21;
    pub const TOPIC_ALIAS_MAXIMUM: u8 = 0x22;
    pub const TOPIC_ALIAS: u8 = 0x23;
    pub const MAXIMUM_QOS: u8 = 0x24;
    pub const RETAIN_AVAILABLE: u8 = 0x25;
    pub const USER_PROPERTY: u8 = 0x26;
    pub const MAXIMUM_PACKET_SIZE: u8 = 0x27;
    pub const WILDCARD_SUBSCRIPTION_AVAILABLE: u8 = 0x28;
    pub const SUBSCRIPTION_IDENTIFIER_AVAILABLE: u8 = 0x29;
    pub const SHARED_SUBSCRIPTION_AVAILABLE: u8 = 0x2A;
}

#[derive(Clone, Copy)]
enum Type {
    Byte,
    Two,
    Four,
    Varint,
    Text,
    Pair,
    Binary,
}

/// Which of the type's values are allowed.
#[derive(Clone, Copy)]
enum Limit {
    Any,
    Boolean,
    NotZero,
}

#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    kind: Type,
    /// The packets that may carry it ...
    packets: u16,
    /// ... and those that may carry several of it.
    repeats: u16,
    limit: Limit,
}

/// The properties of a will stand in CONNECT, but are a block of their own (3.1.3.2).
pub(super) const WILL: u16 = 1;
const CONNECT: u16 = PacketType::Connect.bit();
const CONNACK: u16 = PacketType::ConnAck.bit();
const PUBLISH: u16 = PacketType::Publish.bit();
const SUBSCRIBE: u16 = PacketType::Subscribe.bit();
const DISCONNECT: u16 = PacketType::Disconnect.bit();
const AUTH: u16 = PacketType::Auth.bit();
const ACKS: u16 = PacketType::PubAck.bit()
    | PacketType::PubRec.bit()
    | PacketType::PubRel.bit()
    | PacketType::PubComp.bit()
    | PacketType::SubAck.bit()
    | PacketType::UnsubAck.bit();
const ALL: u16 =
    WILL | CONNECT | CONNACK | PUBLISH | ACKS | SUBSCRIBE | PacketType::Unsubscribe.bit() | DISCONNECT | AUTH;

const NO_ROW: Row = Row { name: "", kind: Byte, packets: 0, repeats: 0, limit: Any };

/// Table 2-4, at each property's identifier.
static TABLE: [Row; 43] = {
    let mut table = [NO_ROW; 43];
    let mut at = 0;
    while at < LIST.len() {
        let (id, name, kind, packets, repeats, limit) = LIST[at];
        table[id as usize] = Row { name, kind, packets, repeats, limit };
        at += 1;
    }
    table
};

#[rustfmt::skip]
const LIST: [(u8, &str, Type, u16, u16, Limit); 27] = [
    (id::PAYLOAD_FORMAT_INDICATOR, "payload format indicator", Byte, PUBLISH | WILL, 0, Boolean),
    (id::MESSAGE_EXPIRY_INTERVAL, "message expiry interval", Four, PUBLISH | WILL, 0, Any),
    (id::CONTENT_TYPE, "content type", Text, PUBLISH | WILL, 0, Any),
    (id::RESPONSE_TOPIC, "response topic", Text, PUBLISH | WILL, 0, Any),
    (id::CORRELATION_DATA, "correlation data", Binary, PUBLISH | WILL, 0, Any),
    (id::SUBSCRIPTION_IDENTIFIER, "subscription identifier", Varint, PUBLISH | SUBSCRIBE, PUBLISH, NotZero),
    (id::SESSION_EXPIRY_INTERVAL, "session expiry interval", Four, CONNECT | CONNACK | DISCONNECT, 0, Any),
    (id::ASSIGNED_CLIENT_IDENTIFIER, "assigned client identifier", Text, CONNACK, 0, Any),
    (id::SERVER_KEEP_ALIVE, "server keep alive", Two, CONNACK, 0, Any),
    (id::AUTHENTICATION_METHOD, "authentication method", Text, CONNECT | CONNACK | AUTH, 0, Any),
    (id::AUTHENTICATION_DATA, "authentication data", Binary, CONNECT | CONNACK | AUTH, 0, Any),
    (id::REQUEST_PROBLEM_INFORMATION, "request problem information", Byte, CONNECT, 0, Boolean),
    (id::WILL_DELAY_INTERVAL, "will delay interval", Four, WILL, 0, Any),
    (id::REQUEST_RESPONSE_INFORMATION, "request response information", Byte, CONNECT, 0, Boolean),
    (id::RESPONSE_INFORMATION, "response information", Text, CONNACK, 0, Any),
    (id::SERVER_REFERENCE, "server reference", Text, CONNACK | DISCONNECT, 0, Any),
    (id::REASON_STRING, "reason string", Text, CONNACK | ACKS | DISCONNECT | AUTH, 0, Any),
    (id::RECEIVE_MAXIMUM, "receive maximum", Two, CONNECT | CONNACK, 0, NotZero),
    (id::TOPIC_ALIAS_MAXIMUM, "topic alias maximum", Two, CONNECT | CONNACK, 0, Any),
    (id::TOPIC_ALIAS, "topic alias", Two, PUBLISH, 0, NotZero),
    (id::MAXIMUM_QOS, "maximum QoS", Byte, CONNACK, 0, Boolean),
    (id::RETAIN_AVAILABLE, "retain available", Byte, CONNACK, 0, Boolean),
    (id::USER_PROPERTY, "user property", Pair, ALL, ALL, Any),
    (id::MAXIMUM_PACKET_SIZE, "maximum packet size", Four, CONNECT | CONNACK, 0, NotZero),
    (id::WILDCARD_SUBSCRIPTION_AVAILABLE, "wildcard subscription available", Byte, CONNACK, 0, Boolean),
    (id::SUBSCRIPTION_IDENTIFIER_AVAILABLE, "subscription identifier available", Byte, CONNACK, 0, Boolean),
    (id::SHARED_SUBSCRIPTION_AVAILABLE, "shared subscription available", Byte, CONNACK, 0, Boolean),
];

/// A property's value, in its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Value<'a> {
    Byte(u8),
    Two(u16),
    Four(u32),
    Varint(u32),
    Text(&'a str),
    Pair(&'a str, &'a str),
    Binary(&'a [u8]),
}

/// One property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property<'a> {
    /// Its identifier, one of [`property`](super::property).
    pub id: u8,
    /// Its value.
    pub value: Value<'a>,
}

/// A packet's properties, already held against the rules.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Properties<'a> {
    block: &'a [u8],
}

impl<'a> Properties<'a> {
    /// Reads the block with its length, and shows `each` every property, which it has checked before. `packet`
    /// is the packet's bit, or [`WILL`].
    #[inline]
    pub(super) fn read(
        reader: &mut Reader<'a>,
        packet: u16,
        each: impl FnMut(Property<'a>),
    ) -> Result<Self, Malformed> {
        match reader.varint()? {
            0 => Ok(Self { block: &[] }),
            len => Self::check(reader.take(len as usize)?, packet, each),
        }
    }

    fn check(block: &'a [u8], packet: u16, mut each: impl FnMut(Property<'a>)) -> Result<Self, Malformed> {
        let mut rest = Reader::new(block);
        let mut seen = 0_u64;
        while !rest.is_empty() {
            let id = rest.byte()?;
            let row = row(id).ok_or(Malformed::syntax("an unknown property (2.2.2.2)"))?;
            let broken = |rule: Malformed| Malformed { property: Some(row.name), ..rule };
            if row.packets & packet == 0 {
                return Err(broken(Malformed::syntax("not a property of this packet (2.2.2.2)")));
            }
            if seen & (1 << id) != 0 && row.repeats & packet == 0 {
                return Err(broken(Malformed::protocol("more than once in one packet (2.2.2.2)")));
            }
            seen |= 1 << id;
            let value = read_value(&mut rest, row.kind).map_err(broken)?;
            check_limit(id, row.limit, value).map_err(broken)?;
            each(Property { id, value });
        }
        Ok(Self { block })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.block.is_empty()
    }

    /// All of them, in the packet's order.
    pub fn iter(&self) -> impl Iterator<Item = Property<'a>> + use<'a> {
        let mut rest = Reader::new(self.block);
        // It was checked, so this ends where the block does.
        std::iter::from_fn(move || {
            let id = rest.byte().ok()?;
            let value = read_value(&mut rest, row(id)?.kind).ok()?;
            Some(Property { id, value })
        })
    }

    /// The user properties, in the packet's order.
    pub fn user_properties(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.iter().filter_map(|property| match property.value {
            Value::Pair(name, value) => Some((name, value)),
            _ => None,
        })
    }
}

impl std::fmt::Debug for Properties<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// An identifier is a variable byte integer, but all that exist fit one byte; a longer one is unknown.
fn row(id: u8) -> Option<&'static Row> {
    TABLE.get(usize::from(id)).filter(|row| row.packets != 0)
}

fn read_value<'a>(reader: &mut Reader<'a>, kind: Type) -> Result<Value<'a>, Malformed> {
    Ok(match kind {
        Byte => Value::Byte(reader.byte()?),
        Two => Value::Two(reader.two()?),
        Four => Value::Four(reader.four()?),
        Varint => Value::Varint(reader.varint()?),
        Text => Value::Text(reader.text()?),
        Pair => Value::Pair(reader.text()?, reader.text()?),
        Binary => Value::Binary(reader.binary()?),
    })
}

fn check_limit(id: u8, limit: Limit, value: Value<'_>) -> Result<(), Malformed> {
    let number = match value {
        Value::Byte(value) => value.into(),
        Value::Two(value) => value.into(),
        Value::Four(value) | Value::Varint(value) => value,
        _ => return Ok(()),
    };
    match limit {
        NotZero if number == 0 && id == id::TOPIC_ALIAS => {
            Err(Malformed::new(ReasonCode::TOPIC_ALIAS_INVALID, "0 is not a topic alias [MQTT-3.3.2-8]"))
        }
        NotZero if number == 0 => Err(Malformed::protocol("0 is not allowed (3.2.2.3, 3.3.2.3)")),
        Boolean if number > 1 => Err(Malformed::protocol("neither 0 nor 1 (3.2.2.3, 3.3.2.3)")),
        _ => Ok(()),
    }
}

/// The bytes of a block of so many, with its length in front.
pub(super) const fn block_size(len: usize) -> usize {
    varint::size(len) + len
}
