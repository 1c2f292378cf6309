//! Reason codes (2.4): one table of their names and of the packets that list them.

use super::{Malformed, PacketType};
use std::fmt;

/// A reason code as it is on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReasonCode(pub u8);

use PacketType::{Auth, ConnAck, Disconnect, PubAck, PubComp, PubRec, PubRel, SubAck, UnsubAck};

const CONNACK: u16 = ConnAck.bit();
const PUBLISHED: u16 = PubAck.bit() | PubRec.bit();
const RELEASED: u16 = PubRel.bit() | PubComp.bit();
const SUBACK: u16 = SubAck.bit();
const UNSUBACK: u16 = UnsubAck.bit();
const DISCONNECT: u16 = Disconnect.bit();
const AUTH: u16 = Auth.bit();

/// Code, the constant's name, the text, the packets from a server or a client that list it.
macro_rules! reason_codes {
    ($($code:literal $constant:ident $name:literal $packets:expr;)*) => {
        #[allow(missing_docs)]
        impl ReasonCode {
            $(pub const $constant: Self = Self($code);)*
        }

        const TABLE: &[(u8, &str, u16)] = &[$(($code, $name, $packets)),*];
    };
}

reason_codes! {
    0x00 SUCCESS "success" CONNACK | PUBLISHED | RELEASED | SUBACK | UNSUBACK | DISCONNECT | AUTH;
    0x01 GRANTED_QOS_1 "granted QoS 1" SUBACK;
    0x02 GRANTED_QOS_2 "granted QoS 2" SUBACK;
    0x04 DISCONNECT_WITH_WILL "disconnect with will message" DISCONNECT;
    0x10 NO_MATCHING_SUBSCRIBERS "no matching subscribers" PUBLISHED;
    0x11 NO_SUBSCRIPTION_EXISTED "no subscription existed" UNSUBACK;
    0x18 CONTINUE_AUTHENTICATION "continue authentication" AUTH;
    0x19 RE_AUTHENTICATE "re-authenticate" AUTH;
    0x80 UNSPECIFIED_ERROR "unspecified error" CONNACK | PUBLISHED | SUBACK | UNSUBACK | DISCONNECT;
    0x81 MALFORMED_PACKET "malformed packet" CONNACK | DISCONNECT;
    0x82 PROTOCOL_ERROR "protocol error" CONNACK | DISCONNECT;
    0x83 IMPLEMENTATION_SPECIFIC_ERROR "implementation specific error"
        CONNACK | PUBLISHED | SUBACK | UNSUBACK | DISCONNECT;
    0x84 UNSUPPORTED_PROTOCOL_VERSION "unsupported protocol version" CONNACK;
    0x85 CLIENT_IDENTIFIER_NOT_VALID "client identifier not valid" CONNACK;
    0x86 BAD_USER_NAME_OR_PASSWORD "bad user name or password" CONNACK;
    0x87 NOT_AUTHORIZED "not authorized" CONNACK | PUBLISHED | SUBACK | UNSUBACK | DISCONNECT;
    0x88 SERVER_UNAVAILABLE "server unavailable" CONNACK;
    0x89 SERVER_BUSY "server busy" CONNACK | DISCONNECT;
    0x8A BANNED "banned" CONNACK;
    0x8B SERVER_SHUTTING_DOWN "server shutting down" DISCONNECT;
    0x8C BAD_AUTHENTICATION_METHOD "bad authentication method" CONNACK | DISCONNECT;
    0x8D KEEP_ALIVE_TIMEOUT "keep alive timeout" DISCONNECT;
    0x8E SESSION_TAKEN_OVER "session taken over" DISCONNECT;
    0x8F TOPIC_FILTER_INVALID "topic filter invalid" SUBACK | UNSUBACK | DISCONNECT;
    0x90 TOPIC_NAME_INVALID "topic name invalid" CONNACK | PUBLISHED | DISCONNECT;
    0x91 PACKET_IDENTIFIER_IN_USE "packet identifier in use" PUBLISHED | SUBACK | UNSUBACK;
    0x92 PACKET_IDENTIFIER_NOT_FOUND "packet identifier not found" RELEASED;
    0x93 RECEIVE_MAXIMUM_EXCEEDED "receive maximum exceeded" DISCONNECT;
    0x94 TOPIC_ALIAS_INVALID "topic alias invalid" DISCONNECT;
    0x95 PACKET_TOO_LARGE "packet too large" CONNACK | DISCONNECT;
    0x96 MESSAGE_RATE_TOO_HIGH "message rate too high" DISCONNECT;
    0x97 QUOTA_EXCEEDED "quota exceeded" CONNACK | PUBLISHED | SUBACK | DISCONNECT;
    0x98 ADMINISTRATIVE_ACTION "administrative action" DISCONNECT;
    0x99 PAYLOAD_FORMAT_INVALID "payload format invalid" CONNACK | PUBLISHED | DISCONNECT;
    0x9A RETAIN_NOT_SUPPORTED "retain not supported" CONNACK | DISCONNECT;
    0x9B QOS_NOT_SUPPORTED "QoS not supported" CONNACK | DISCONNECT;
    0x9C USE_ANOTHER_SERVER "use another server" CONNACK | DISCONNECT;
    0x9D SERVER_MOVED "server moved" CONNACK | DISCONNECT;
    0x9E SHARED_SUBSCRIPTIONS_NOT_SUPPORTED "shared subscriptions not supported" SUBACK | DISCONNECT;
    0x9F CONNECTION_RATE_EXCEEDED "connection rate exceeded" CONNACK | DISCONNECT;
    0xA0 MAXIMUM_CONNECT_TIME "maximum connect time" DISCONNECT;
    0xA1 SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED "subscription identifiers not supported" SUBACK | DISCONNECT;
    0xA2 WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED "wildcard subscriptions not supported" SUBACK | DISCONNECT;
}

impl ReasonCode {
    /// Whether it means failure (2.4).
    pub const fn is_error(self) -> bool {
        self.0 >= 0x80
    }

    /// Its name in the specification. Code 0 has a name of its own in some packets: see [`name_in`](Self::name_in).
    pub fn name(self) -> &'static str {
        TABLE.iter().find(|row| row.0 == self.0).map_or("unknown reason code", |row| row.1)
    }

    /// Its name in that packet.
    pub fn name_in(self, packet: PacketType) -> &'static str {
        match (self.0, packet) {
            (0, PacketType::SubAck) => "granted QoS 0",
            (0, PacketType::Disconnect) => "normal disconnection",
            _ => self.name(),
        }
    }

    /// Whether that packet may carry it, by the packet's table.
    pub fn is_listed(self, packet: PacketType) -> bool {
        TABLE.iter().any(|row| row.0 == self.0 && row.2 & packet.bit() != 0)
    }

    /// A code that the packet's table does not list is refused below 0x80, where nobody could say what has
    /// succeeded. From 0x80 on it is a failure whatever it says (2.4), and the operation fails with it: ending
    /// the connection instead would replay that operation, get the same answer, and never end.
    #[inline]
    pub(super) fn check(self, packet: PacketType, message: &'static str) -> Result<Self, Malformed> {
        if self.0 == 0 || self.is_error() || self.is_listed(packet) {
            return Ok(self);
        }
        Err(Malformed::protocol(message))
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_number_and_name() {
        assert_eq!(ReasonCode(135).to_string(), "135 not authorized");
        assert_eq!(ReasonCode(0).to_string(), "0 success");
        assert_eq!(ReasonCode(0xFF).to_string(), "255 unknown reason code");
        assert_eq!(ReasonCode(0).name_in(PacketType::SubAck), "granted QoS 0");
        assert_eq!(ReasonCode(0).name_in(PacketType::Disconnect), "normal disconnection");
        assert_eq!(ReasonCode(0).name_in(PacketType::ConnAck), "success");
        assert_eq!(ReasonCode(2).name_in(PacketType::SubAck), "granted QoS 2");
        assert!(!ReasonCode(0x7F).is_error() && ReasonCode(0x80).is_error());
    }

    /// The lists of table 2-6, typed anew packet by packet.
    #[test]
    fn every_packet_has_its_list() {
        let published: &[u8] = &[0, 16, 128, 131, 135, 144, 145, 151, 153];
        let lists: [(PacketType, &[u8]); 9] = [
            (
                ConnAck,
                &[
                    0, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 140, 144, 149, 151, 153, 154,
                    155, 156, 157, 159,
                ],
            ),
            (PubAck, published),
            (PubRec, published),
            (PubRel, &[0, 146]),
            (PubComp, &[0, 146]),
            (SubAck, &[0, 1, 2, 128, 131, 135, 143, 145, 151, 158, 161, 162]),
            (UnsubAck, &[0, 17, 128, 131, 135, 143, 145]),
            (
                Disconnect,
                &[
                    0, 4, 128, 129, 130, 131, 135, 137, 139, 140, 141, 142, 143, 144, 147, 148, 149, 150,
                    151, 152, 153, 154, 155, 156, 157, 158, 159, 160, 161, 162,
                ],
            ),
            (Auth, &[0, 24, 25]),
        ];
        for (packet, list) in lists {
            let listed: Vec<u8> = (0..=255).filter(|&code| ReasonCode(code).is_listed(packet)).collect();
            assert_eq!(listed, list, "{packet:?}");
        }
    }
}
