//! PUBACK, PUBREC, PUBREL and PUBCOMP: four packets of one form (3.4 to 3.7).

use super::{
    Malformed, PacketType, Properties, ReasonCode, Value, properties::id, reader::Reader, writer::Write,
};

/// Which of the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AckKind {
    /// The end of QoS 1.
    PubAck,
    /// QoS 2, the second packet.
    PubRec,
    /// QoS 2, the third packet.
    PubRel,
    /// The end of QoS 2.
    PubComp,
}

impl AckKind {
    /// PUBREL has flags of its own [MQTT-3.6.1-1].
    const fn first(self) -> u8 {
        match self {
            Self::PubAck => 0x40,
            Self::PubRec => 0x50,
            Self::PubRel => 0x62,
            Self::PubComp => 0x70,
        }
    }

    /// Its packet type.
    pub const fn packet(self) -> PacketType {
        match self {
            Self::PubAck => PacketType::PubAck,
            Self::PubRec => PacketType::PubRec,
            Self::PubRel => PacketType::PubRel,
            Self::PubComp => PacketType::PubComp,
        }
    }

    /// Appends such a packet: 4 bytes for success, 5 with another reason (3.4.2.1).
    #[inline]
    pub fn write(self, id: u16, reason: ReasonCode, out: &mut Vec<u8>) {
        debug_assert_ne!(id, 0, "packet identifiers begin at 1 (2.2.1)");
        debug_assert!(reason.is_listed(self.packet()), "{reason} in {self:?}");
        let [high, low] = id.to_be_bytes();
        match reason {
            ReasonCode::SUCCESS => out.extend_from_slice(&[self.first(), 2, high, low]),
            _ => {
                out.extend_from_slice(&[self.first(), 3, high, low]);
                out.byte(reason.0);
            }
        }
    }
}

/// A received acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack<'a> {
    /// Which of the four packets.
    pub kind: AckKind,
    /// The packet identifier; never 0.
    pub id: u16,
    /// What became of it. From 0x80 on it can be a code that the packet's table does not list.
    pub reason: ReasonCode,
    /// The server's words.
    pub reason_string: Option<&'a str>,
    /// All properties.
    pub properties: Properties<'a>,
}

impl<'a> Ack<'a> {
    #[inline]
    pub(super) fn decode(kind: AckKind, mut body: Reader<'a>) -> Result<Self, Malformed> {
        let mut ack = Self {
            kind,
            id: body.packet_id()?,
            reason: ReasonCode::SUCCESS,
            reason_string: None,
            properties: Properties::default(),
        };
        // Without a reason code it is success, and without a property length there are none (3.4.2.1, 3.4.2.2.1).
        if !body.is_empty() {
            ack.decode_reason(body)?;
        }
        Ok(ack)
    }

    #[inline(never)]
    fn decode_reason(&mut self, mut body: Reader<'a>) -> Result<(), Malformed> {
        let packet = self.kind.packet();
        self.reason = ReasonCode(body.byte()?).check(
            packet,
            "a reason code below 0x80 that this acknowledgement does not have (3.4.2.1 to 3.7.2.1)",
        )?;
        if !body.is_empty() {
            self.properties = Properties::read(&mut body, packet.bit(), |property| {
                if let (id::REASON_STRING, Value::Text(text)) = (property.id, property.value) {
                    self.reason_string = Some(text);
                }
            })?;
            body.end()?;
        }
        Ok(())
    }
}
