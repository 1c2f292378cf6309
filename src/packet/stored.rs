//! PUBLISH as it goes to the server: kept once, written as often as needed (3.3).

use super::properties::{block_size, id};
use super::writer::check_remaining;
use super::{MAX_REMAINING, message, varint};
use crate::{Message, QoS, Result};

/// How the topic goes out (3.3.2.3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alias {
    /// The topic alone.
    #[default]
    None,
    /// The topic, and the alias that stands for it from now on.
    Set(u16),
    /// The alias instead of the topic.
    Use(u16),
}

/// What differs from one sending of a publish to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The packet identifier; ignored with QoS 0.
    pub id: u16,
    /// Sent before [MQTT-3.3.1-1]; ignored with QoS 0 [MQTT-3.3.1-2].
    pub dup: bool,
    /// The topic alias.
    pub alias: Alias,
    /// The seconds that are left of [`StoredPublish::expiry_secs`].
    pub expiry_secs: Option<u32>,
}

/// An accepted publish: topic, properties and payload in one piece of memory, ready to be written.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPublish {
    /// Topic, then the properties but for alias and expiry, then the payload.
    bytes: Box<[u8]>,
    expiry_secs: Option<u32>,
    properties_len: u32,
    topic_len: u16,
    qos: QoS,
    retain: bool,
}

/// Expiry interval and alias, with their identifiers.
const VARIABLE_PROPERTIES: usize = 5 + 3;

impl StoredPublish {
    /// Checks the message and copies it. [`Message::dup`] and [`Message::subscription_ids`] are ignored.
    pub fn new(message: &Message<'_>) -> Result<Self> {
        message::check(message)?;
        let topic_len = message.topic.len();
        let properties_len = message::properties_size(message);
        let len = topic_len + properties_len + message.payload.len();
        // Whatever header it gets: both lengths and the identifier at their largest.
        check_remaining("the publish", 2 + 2 + 4 + VARIABLE_PROPERTIES + len)?;
        let mut bytes = Vec::with_capacity(len);
        bytes.extend_from_slice(message.topic.as_bytes());
        message::write_properties(message, &mut bytes);
        debug_assert_eq!(bytes.len(), topic_len + properties_len);
        bytes.extend_from_slice(message.payload);
        Ok(Self {
            bytes: bytes.into_boxed_slice(),
            expiry_secs: message.message_expiry_secs,
            properties_len: properties_len as u32,
            topic_len: topic_len as u16,
            qos: message.qos,
            retain: message.retain,
        })
    }

    /// The topic name.
    pub fn topic(&self) -> &str {
        std::str::from_utf8(self.topic_bytes()).unwrap_or_default()
    }

    /// The topic name, for a map's key: [`topic`](Self::topic) has to look at each byte.
    pub fn topic_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.topic_len)]
    }

    /// Quality of service.
    pub fn qos(&self) -> QoS {
        self.qos
    }

    /// Whether the server shall keep it for later subscribers.
    pub fn retain(&self) -> bool {
        self.retain
    }

    /// The message expiry interval that the application gave.
    pub fn expiry_secs(&self) -> Option<u32> {
        self.expiry_secs
    }

    /// The length of the payload.
    pub fn payload_len(&self) -> usize {
        self.bytes.len() - usize::from(self.topic_len) - self.properties_len as usize
    }

    /// The memory that it takes, itself included: what a queue's limit in bytes counts.
    pub fn bytes_held(&self) -> usize {
        size_of::<Self>() + self.bytes.len()
    }

    /// The bytes that [`write`](Self::write) appends with this header.
    pub fn size(&self, header: &Header) -> usize {
        let remaining = self.remaining(header);
        1 + varint::size(remaining) + remaining
    }

    /// Appends the packet.
    #[inline]
    pub fn write(&self, header: &Header, out: &mut Vec<u8>) {
        let remaining = self.remaining(header);
        debug_assert!(remaining <= MAX_REMAINING, "new() has left room for every header");
        let (topic, rest) = self.bytes.split_at(usize::from(self.topic_len));
        let acknowledged = self.qos != QoS::AtMostOnce;
        debug_assert!(!acknowledged || header.id != 0, "packet identifiers begin at 1 (2.2.1)");

        let mut front = Front::<7>::new();
        let dup = header.dup && acknowledged;
        front.push(0x30 | u8::from(dup) << 3 | self.qos.level() << 1 | u8::from(self.retain));
        varint::encode(remaining, |byte| front.push(byte));
        let topic = if matches!(header.alias, Alias::Use(_)) { &[] } else { topic };
        front.extend(&(topic.len() as u16).to_be_bytes());

        let mut middle = Front::<14>::new();
        if acknowledged {
            middle.extend(&header.id.to_be_bytes());
        }
        varint::encode(self.properties_len(header), |byte| middle.push(byte));
        if let Some(secs) = header.expiry_secs {
            middle.push(id::MESSAGE_EXPIRY_INTERVAL);
            middle.extend(&secs.to_be_bytes());
        }
        if let Alias::Set(alias) | Alias::Use(alias) = header.alias {
            debug_assert_ne!(alias, 0, "0 is not a topic alias [MQTT-3.3.2-8]");
            middle.push(id::TOPIC_ALIAS);
            middle.extend(&alias.to_be_bytes());
        }

        out.reserve(1 + 4 + remaining);
        out.extend_from_slice(front.bytes());
        out.extend_from_slice(topic);
        out.extend_from_slice(middle.bytes());
        out.extend_from_slice(rest);
    }

    #[inline]
    fn properties_len(&self, header: &Header) -> usize {
        let expiry = if header.expiry_secs.is_some() { 5 } else { 0 };
        let alias = if header.alias == Alias::None { 0 } else { 3 };
        expiry + alias + self.properties_len as usize
    }

    #[inline]
    fn remaining(&self, header: &Header) -> usize {
        let topic = if matches!(header.alias, Alias::Use(_)) { 0 } else { usize::from(self.topic_len) };
        let id = if self.qos == QoS::AtMostOnce { 0 } else { 2 };
        2 + topic + id + block_size(self.properties_len(header)) + self.payload_len()
    }
}

/// Says how much, not what: a payload is the application's business.
impl std::fmt::Debug for StoredPublish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredPublish")
            .field("topic", &self.topic())
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("expiry_secs", &self.expiry_secs)
            .field("payload_len", &self.payload_len())
            .finish_non_exhaustive()
    }
}

/// A few bytes put together before they go out in one piece.
struct Front<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Front<N> {
    #[inline]
    fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    #[inline]
    fn extend<const M: usize>(&mut self, bytes: &[u8; M]) {
        self.bytes[self.len..self.len + M].copy_from_slice(bytes);
        self.len += M;
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
