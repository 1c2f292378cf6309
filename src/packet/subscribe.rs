//! SUBSCRIBE and UNSUBSCRIBE, and the answers to them (3.8 to 3.11).

use super::properties::{block_size, id};
use super::writer::{Write, capped_sum, check_remaining, check_user_properties, user_properties_size};
use super::{Malformed, PacketType, Properties, ReasonCode, Value, reader::Reader, topic, varint};
use crate::{Error, ErrorKind, QoS, Result};

/// Which retained messages come with a new subscription (3.8.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RetainHandling {
    /// All that match.
    #[default]
    Send = 0,
    /// All that match, if the subscription is new.
    SendIfNew = 1,
    /// None.
    DoNotSend = 2,
}

/// A topic filter and its subscription options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter<'a> {
    /// The topic filter, perhaps shared.
    pub filter: &'a str,
    /// The highest QoS that messages may come with.
    pub qos: QoS,
    /// Not what this client publishes itself.
    pub no_local: bool,
    /// Messages keep the RETAIN flag that they were published with.
    pub retain_as_published: bool,
    /// What to do with retained messages.
    pub retain_handling: RetainHandling,
}

impl<'a> Filter<'a> {
    /// The filter with default options.
    pub fn new(filter: &'a str, qos: QoS) -> Self {
        Self { filter, qos, ..Self::default() }
    }

    /// Whether it may stand in a SUBSCRIBE; the error says what is wrong.
    pub fn check(&self) -> Result<()> {
        topic::valid_filter(self.filter)?;
        if self.no_local && topic::shared_filter(self.filter).is_some() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("\"{}\" is shared, and no local must be off then [MQTT-3.8.3-4]", self.filter),
            ));
        }
        Ok(())
    }

    fn options(&self) -> u8 {
        self.qos.level()
            | u8::from(self.no_local) << 2
            | u8::from(self.retain_as_published) << 3
            | (self.retain_handling as u8) << 4
    }
}

/// A SUBSCRIBE.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subscribe<'a> {
    /// The packet identifier; not 0.
    pub id: u16,
    /// Comes with every message of these subscriptions: 1 to 268,435,455.
    pub subscription_id: Option<u32>,
    /// What to subscribe to: at least one.
    pub filters: &'a [Filter<'a>],
    /// User properties, in order.
    pub user_properties: &'a [(&'a str, &'a str)],
}

impl Subscribe<'_> {
    /// The bytes that [`encode`](Self::encode) appends.
    pub fn size(&self) -> usize {
        let remaining = self.remaining();
        1 + varint::size(remaining) + remaining
    }

    /// Appends the packet, or nothing and says why not.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        check_filters(self.filters.len())?;
        self.filters.iter().try_for_each(Filter::check)?;
        check_user_properties(self.user_properties)?;
        if let Some(id) = self.subscription_id {
            if id == 0 || id > varint::MAX {
                return Err(Error::new(
                    ErrorKind::OutOfRange,
                    format!("subscription identifier {id}: it must be 1 to {} (3.8.2.1.2)", varint::MAX),
                ));
            }
        }
        let remaining = self.remaining();
        check_remaining("the SUBSCRIBE", remaining)?;
        out.reserve(1 + varint::size(remaining) + remaining);

        write_start(0x82, remaining, self.id, self.properties_size(), out);
        if let Some(id) = self.subscription_id {
            out.byte(id::SUBSCRIPTION_IDENTIFIER);
            out.varint(id as usize);
        }
        out.user_properties(self.user_properties);
        for filter in self.filters {
            out.text(filter.filter);
            out.byte(filter.options());
        }
        Ok(())
    }

    fn properties_size(&self) -> usize {
        self.subscription_id.map_or(0, |id| 1 + varint::size(id as usize))
            + user_properties_size(self.user_properties)
    }

    fn remaining(&self) -> usize {
        let filters = capped_sum(self.filters.iter().map(|filter| 3 + filter.filter.len()));
        2 + block_size(self.properties_size()) + filters
    }
}

/// An UNSUBSCRIBE.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unsubscribe<'a> {
    /// The packet identifier; not 0.
    pub id: u16,
    /// What was subscribed to, letter by letter: at least one.
    pub filters: &'a [&'a str],
    /// User properties, in order.
    pub user_properties: &'a [(&'a str, &'a str)],
}

impl Unsubscribe<'_> {
    /// The bytes that [`encode`](Self::encode) appends.
    pub fn size(&self) -> usize {
        let remaining = self.remaining();
        1 + varint::size(remaining) + remaining
    }

    /// Appends the packet, or nothing and says why not.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        check_filters(self.filters.len())?;
        self.filters.iter().try_for_each(|filter| topic::valid_filter(filter))?;
        check_user_properties(self.user_properties)?;
        let remaining = self.remaining();
        check_remaining("the UNSUBSCRIBE", remaining)?;
        out.reserve(1 + varint::size(remaining) + remaining);

        write_start(0xA2, remaining, self.id, user_properties_size(self.user_properties), out);
        out.user_properties(self.user_properties);
        for filter in self.filters {
            out.text(filter);
        }
        Ok(())
    }

    fn remaining(&self) -> usize {
        let filters = capped_sum(self.filters.iter().map(|filter| 2 + filter.len()));
        2 + block_size(user_properties_size(self.user_properties)) + filters
    }
}

/// [MQTT-3.8.3-2], [MQTT-3.10.3-2]
fn check_filters(count: usize) -> Result<()> {
    match count {
        0 => Err(Error::new(ErrorKind::InvalidArgument, "no topic filter is given: give at least one")),
        _ => Ok(()),
    }
}

fn write_start(first: u8, remaining: usize, id: u16, properties: usize, out: &mut Vec<u8>) {
    debug_assert_ne!(id, 0, "packet identifiers begin at 1 [MQTT-2.2.1-3]");
    out.byte(first);
    out.varint(remaining);
    out.two(id);
    out.varint(properties);
}

/// A SUBACK: an answer to each filter, in their order [MQTT-3.9.3-1].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubAck<'a> {
    /// The packet identifier of the SUBSCRIBE.
    pub id: u16,
    /// The reason codes, at least one: the granted QoS, or a failure.
    pub codes: &'a [u8],
    /// The server's words.
    pub reason_string: Option<&'a str>,
    /// All properties.
    pub properties: Properties<'a>,
}

/// An UNSUBACK: an answer to each filter, in their order [MQTT-3.11.3-1].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsubAck<'a> {
    /// The packet identifier of the UNSUBSCRIBE.
    pub id: u16,
    /// The reason codes, at least one.
    pub codes: &'a [u8],
    /// The server's words.
    pub reason_string: Option<&'a str>,
    /// All properties.
    pub properties: Properties<'a>,
}

impl<'a> SubAck<'a> {
    pub(super) fn decode(body: Reader<'a>) -> Result<Self, Malformed> {
        let (id, codes, reason_string, properties) = decode_codes(body, PacketType::SubAck)?;
        Ok(Self { id, codes, reason_string, properties })
    }
}

impl<'a> UnsubAck<'a> {
    pub(super) fn decode(body: Reader<'a>) -> Result<Self, Malformed> {
        let (id, codes, reason_string, properties) = decode_codes(body, PacketType::UnsubAck)?;
        Ok(Self { id, codes, reason_string, properties })
    }
}

type Codes<'a> = (u16, &'a [u8], Option<&'a str>, Properties<'a>);

fn decode_codes(mut body: Reader<'_>, packet: PacketType) -> Result<Codes<'_>, Malformed> {
    let id = body.packet_id()?;
    let mut reason_string = None;
    let properties = Properties::read(&mut body, packet.bit(), |property| {
        if let (id::REASON_STRING, Value::Text(text)) = (property.id, property.value) {
            reason_string = Some(text);
        }
    })?;
    let codes = body.rest();
    if codes.is_empty() {
        return Err(Malformed::protocol("an answer without a reason code [MQTT-3.8.4-6] (3.11.3)"));
    }
    for &code in codes {
        ReasonCode(code).check(
            packet,
            "a reason code below 0x80 that this answer does not have [MQTT-3.9.3-2] [MQTT-3.11.3-2]",
        )?;
    }
    Ok((id, codes, reason_string, properties))
}
