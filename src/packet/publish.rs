//! PUBLISH as it comes from the server (3.3).

use super::{Malformed, PacketType, Properties, Property, ReasonCode, Value, properties::id, reader, topic};
use crate::{Message, QoS};
use reader::Reader;

/// A received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish<'a> {
    /// The topic name; empty when [`alias`](Self::alias) stands for it.
    pub topic: &'a str,
    /// The topic alias, never 0; whether it is within our maximum, and known, is the session's to judge.
    pub alias: Option<u16>,
    /// The packet identifier: 0 with QoS 0, and only there.
    pub id: u16,
    /// Quality of service.
    pub qos: QoS,
    /// It was kept for later subscribers.
    pub retain: bool,
    /// The server has perhaps sent it before.
    pub dup: bool,
    /// The sender says that the payload is UTF-8 text.
    pub payload_format: bool,
    /// How long it is worth anything, in seconds.
    pub message_expiry_secs: Option<u32>,
    /// MIME type of the payload.
    pub content_type: Option<&'a str>,
    /// Where an answer is expected; never with wildcards.
    pub response_topic: Option<&'a str>,
    /// What the answer shall carry.
    pub correlation_data: Option<&'a [u8]>,
    /// All properties, for those that repeat.
    pub properties: Properties<'a>,
    /// The payload; may be empty.
    pub payload: &'a [u8],
}

impl<'a> Publish<'a> {
    #[inline]
    pub(super) fn decode(first: u8, body: &'a [u8]) -> Result<Self, Malformed> {
        let dup = first & 0b1000 != 0;
        let Some(qos) = QoS::from_level(first >> 1 & 0b11) else {
            return Err(Malformed::syntax("a PUBLISH with QoS 3 [MQTT-3.3.1-4]"));
        };
        let mut body = Reader::new(body);
        let topic = topic_name(body.binary()?)?;
        let id = match qos {
            QoS::AtMostOnce if dup => {
                return Err(Malformed::syntax("a PUBLISH with DUP and QoS 0 [MQTT-3.3.1-2]"));
            }
            QoS::AtMostOnce => 0,
            _ => body.packet_id()?,
        };
        let mut publish = Self {
            topic,
            alias: None,
            id,
            qos,
            retain: first & 1 != 0,
            dup,
            payload_format: false,
            message_expiry_secs: None,
            content_type: None,
            response_topic: None,
            correlation_data: None,
            properties: Properties::default(),
            payload: &[],
        };
        publish.properties =
            Properties::read(&mut body, PacketType::Publish.bit(), |property| publish.set(property))?;
        publish.payload = body.rest();
        if publish.topic.is_empty() && publish.alias.is_none() {
            return Err(Malformed::protocol("a PUBLISH with neither topic nor alias (3.3.2.1)"));
        }
        if let Some(response_topic) = publish.response_topic {
            if !topic::is_plain(response_topic.as_bytes()) {
                return Err(Malformed::protocol("a response topic with wildcards [MQTT-3.3.2-14]"));
            }
        }
        Ok(publish)
    }

    fn set(&mut self, Property { id, value }: Property<'a>) {
        match (id, value) {
            (id::PAYLOAD_FORMAT_INDICATOR, Value::Byte(flag)) => self.payload_format = flag == 1,
            (id::MESSAGE_EXPIRY_INTERVAL, Value::Four(secs)) => self.message_expiry_secs = Some(secs),
            (id::TOPIC_ALIAS, Value::Two(alias)) => self.alias = Some(alias),
            (id::RESPONSE_TOPIC, Value::Text(text)) => self.response_topic = Some(text),
            (id::CORRELATION_DATA, Value::Binary(data)) => self.correlation_data = Some(data),
            (id::CONTENT_TYPE, Value::Text(text)) => self.content_type = Some(text),
            _ => {}
        }
    }

    /// The identifiers of the subscriptions that it matched; there may be several (3.3.4).
    pub fn subscription_ids(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.properties.iter().filter_map(|property| match property.value {
            Value::Varint(id) => Some(id),
            _ => None,
        })
    }

    /// The message as the application gets it, on `topic`: its own, or the one that its alias stands for.
    ///
    /// [`Message::utf8`] is true when the sender says so *and* it is so: a receiver may check (3.3.2.3.2), and
    /// bindings may then make a string of it unseen. A payload that is not what it claims comes as bytes: refusing
    /// it would cost the connection, and the server would send the message again, for one publisher's mistake.
    pub fn to_message<'m>(&self, topic: &'m str, scratch: &'m mut Scratch<'a>) -> Message<'m>
    where
        'a: 'm,
    {
        scratch.user_properties.clear();
        scratch.subscription_ids.clear();
        for Property { value, .. } in self.properties.iter() {
            match value {
                Value::Pair(name, value) => scratch.user_properties.push((name, value)),
                Value::Varint(id) => scratch.subscription_ids.push(id),
                _ => {}
            }
        }
        Message {
            topic,
            payload: self.payload,
            qos: self.qos,
            retain: self.retain,
            dup: self.dup,
            utf8: self.payload_format && std::str::from_utf8(self.payload).is_ok(),
            content_type: self.content_type,
            response_topic: self.response_topic,
            correlation_data: self.correlation_data,
            user_properties: &scratch.user_properties,
            subscription_ids: &scratch.subscription_ids,
            message_expiry_secs: self.message_expiry_secs,
        }
    }
}

/// The lists of a [`Message`], to be used again for the next one.
#[derive(Debug, Default)]
pub struct Scratch<'a> {
    user_properties: Vec<(&'a str, &'a str)>,
    subscription_ids: Vec<u32>,
}

impl Scratch<'_> {
    /// Empty, and no longer tied to the bytes of the last message: its memory serves the next one.
    pub fn recycle<'b>(mut self) -> Scratch<'b> {
        self.user_properties.clear();
        Scratch {
            // Collecting in place keeps the memory.
            user_properties: self.user_properties.into_iter().map(|_| ("", "")).collect(),
            subscription_ids: self.subscription_ids,
        }
    }
}

#[inline]
fn topic_name(bytes: &[u8]) -> Result<&str, Malformed> {
    let topic = reader::utf8(bytes)?;
    match topic::is_plain(bytes) {
        true => Ok(topic),
        false if bytes.contains(&0) => Err(reader::NUL),
        false => Err(Malformed::new(
            ReasonCode::TOPIC_NAME_INVALID,
            "a PUBLISH to a topic with wildcards [MQTT-3.3.2-2]",
        )),
    }
}
