//! Reads packets strictly: `mqtt-protocol-core` does the work, the rules that it lets through are checked here.

use std::sync::Arc;

use mqtt_protocol_core::mqtt::packet::v5_0::{
    Connect, Disconnect, Puback, Pubcomp, Publish, Pubrec, Pubrel, Subscribe, Unsubscribe,
};
use mqtt_protocol_core::mqtt::packet::{Property, Qos};
use mqtt_protocol_core::mqtt::result_code::MqttError;

use crate::frame::Frame;
use crate::topic;
use crate::violation::{Violation, reason};

/// A packet that a client may send.
#[derive(Debug)]
pub(crate) enum Incoming {
    Connect(Box<Connect>),
    Publish(Box<Publish>),
    Puback(Puback),
    Pubrec(Pubrec),
    Pubrel(Pubrel),
    Pubcomp(Pubcomp),
    Subscribe(Subscribe),
    Unsubscribe(Unsubscribe),
    Pingreq,
    Disconnect(Disconnect),
}

/// Reason codes that a client may put into DISCONNECT (MQTT 5, table 3-13).
const CLIENT_DISCONNECT_CODES: [u8; 14] =
    [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];

/// Reads one packet.
pub(crate) fn decode(frame: &Frame) -> Result<Incoming, Violation> {
    let body = &frame.body[..];
    let kind = frame.first >> 4;
    let flags = frame.first & 0x0f;
    let name = name(kind);
    let expected_flags = match kind {
        3 => flags,
        6 | 8 | 10 => 0b0010,
        _ => 0,
    };
    if flags != expected_flags {
        return Err(Violation::malformed(format!("{name} with flags {flags:#06b}")));
    }
    Ok(match kind {
        1 => Incoming::Connect(Box::new(connect(body)?)),
        3 => Incoming::Publish(Box::new(publish(flags, body)?)),
        4 => Incoming::Puback(exact(name, body, Puback::parse)?),
        5 => Incoming::Pubrec(exact(name, body, Pubrec::parse)?),
        6 => Incoming::Pubrel(exact(name, body, Pubrel::parse)?),
        7 => Incoming::Pubcomp(exact(name, body, Pubcomp::parse)?),
        8 => Incoming::Subscribe(subscribe(body)?),
        10 => Incoming::Unsubscribe(unsubscribe(body)?),
        12 if body.is_empty() => Incoming::Pingreq,
        12 => return Err(Violation::malformed("PINGREQ with a body")),
        14 => Incoming::Disconnect(disconnect(body)?),
        15 => return Err(Violation::protocol("AUTH, which AWS does not support")),
        0 => return Err(Violation::malformed("a packet of the reserved type 0")),
        _ => return Err(Violation::protocol(format!("{name}, which only a server sends"))),
    })
}

fn name(kind: u8) -> &'static str {
    const NAMES: [&str; 16] = [
        "type 0",
        "CONNECT",
        "CONNACK",
        "PUBLISH",
        "PUBACK",
        "PUBREC",
        "PUBREL",
        "PUBCOMP",
        "SUBSCRIBE",
        "SUBACK",
        "UNSUBSCRIBE",
        "UNSUBACK",
        "PINGREQ",
        "PINGRESP",
        "DISCONNECT",
        "AUTH",
    ];
    NAMES[usize::from(kind & 0x0f)]
}

/// Parses, and requires that nothing is left over.
fn exact<T>(
    name: &str,
    body: &[u8],
    parse: impl FnOnce(&[u8]) -> Result<(T, usize), MqttError>,
) -> Result<T, Violation> {
    let (packet, used) = parse(body).map_err(|error| Violation::codec(name, error))?;
    if used != body.len() {
        return Err(Violation::malformed(format!("{name} with bytes after its end")));
    }
    Ok(packet)
}

fn connect(body: &[u8]) -> Result<Connect, Violation> {
    // These come first: the codec takes reserved values for impossible.
    if let (Some(5), Some(&flags)) = (body.get(6), body.get(7)) {
        let will = flags & 0b0000_0100 != 0;
        if flags & 1 != 0 {
            return Err(Violation::malformed("CONNECT with its reserved flag set [MQTT-3.1.2-3]"));
        }
        if flags & 0b0001_1000 == 0b0001_1000 {
            return Err(Violation::malformed("CONNECT with will QoS 3 [MQTT-3.1.2-12]"));
        }
        if !will && flags & 0b0011_1000 != 0 {
            return Err(Violation::malformed("CONNECT with will flags but no will [MQTT-3.1.2-11]"));
        }
    }
    let connect = exact("CONNECT", body, Connect::parse)?;
    check_text("CONNECT", [connect.client_id()])?;
    check_text("CONNECT", connect.user_name())?;
    check_properties("CONNECT", &connect.props)?;
    check_properties("CONNECT", &connect.will_props)?;
    if connect.will_topic().is_some_and(|topic| !topic::is_name(topic)) {
        return Err(Violation::new(reason::TOPIC_NAME_INVALID, "CONNECT with an invalid will topic"));
    }
    let data = connect.props.iter().any(|property| matches!(property, Property::AuthenticationData(_)));
    let method = connect.props.iter().any(|property| matches!(property, Property::AuthenticationMethod(_)));
    if data && !method {
        return Err(Violation::protocol("CONNECT with authentication data but no method"));
    }
    Ok(connect)
}

fn publish(flags: u8, body: &[u8]) -> Result<Publish, Violation> {
    let qos = flags >> 1 & 0b11;
    if qos == 0 && flags & 0b1000 != 0 {
        return Err(Violation::malformed("PUBLISH of QoS 0 with DUP [MQTT-3.3.1-2]"));
    }
    let topic_length = match body {
        [high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => return Err(Violation::malformed("PUBLISH without a topic")),
    };
    let head = 2 + topic_length + if qos == 0 { 0 } else { 2 };
    if body.len() <= head {
        return Err(Violation::malformed("PUBLISH without a property length"));
    }
    let publish = exact("PUBLISH", body, |body| Publish::parse(flags, Arc::from(body)))?;
    if publish.packet_id() == Some(0) {
        return Err(Violation::protocol("PUBLISH with packet identifier 0 [MQTT-2.2.1-3]"));
    }
    check_properties("PUBLISH", &publish.props)?;
    let topic = publish.topic_name();
    if !topic.is_empty() && !topic::is_name(topic) {
        return Err(Violation::new(
            reason::TOPIC_NAME_INVALID,
            "PUBLISH with a wildcard or U+0000 in its topic [MQTT-3.3.2-2]",
        ));
    }
    for property in &publish.props {
        match property {
            Property::SubscriptionIdentifier(_) => {
                return Err(Violation::protocol("PUBLISH with a subscription identifier [MQTT-3.3.4-6]"));
            }
            Property::TopicAlias(alias) if alias.val() == 0 => {
                return Err(Violation::new(reason::TOPIC_ALIAS_INVALID, "PUBLISH with topic alias 0"));
            }
            Property::ResponseTopic(topic) if !topic::is_name(topic.val()) => {
                return Err(Violation::protocol("PUBLISH with an invalid response topic [MQTT-3.3.2-14]"));
            }
            _ => {}
        }
    }
    Ok(publish)
}

fn subscribe(body: &[u8]) -> Result<Subscribe, Violation> {
    let subscribe = exact("SUBSCRIBE", body, Subscribe::parse)?;
    if subscribe.packet_id() == 0 {
        return Err(Violation::protocol("SUBSCRIBE with packet identifier 0 [MQTT-2.2.1-3]"));
    }
    check_properties("SUBSCRIBE", subscribe.props())?;
    for entry in subscribe.entries() {
        if entry.sub_opts().nl() && topic::shared(entry.topic_filter()).is_some() {
            return Err(Violation::protocol("a shared subscription with no-local [MQTT-3.8.3-4]"));
        }
    }
    Ok(subscribe)
}

fn unsubscribe(body: &[u8]) -> Result<Unsubscribe, Violation> {
    let unsubscribe = exact("UNSUBSCRIBE", body, Unsubscribe::parse)?;
    if unsubscribe.packet_id() == 0 {
        return Err(Violation::protocol("UNSUBSCRIBE with packet identifier 0 [MQTT-2.2.1-3]"));
    }
    check_properties("UNSUBSCRIBE", unsubscribe.props())?;
    Ok(unsubscribe)
}

fn disconnect(body: &[u8]) -> Result<Disconnect, Violation> {
    let disconnect = exact("DISCONNECT", body, Disconnect::parse)?;
    let code = disconnect.reason_code().map_or(0, |code| code as u8);
    if !CLIENT_DISCONNECT_CODES.contains(&code) {
        return Err(Violation::protocol(format!("DISCONNECT {code}, which only a server sends")));
    }
    let properties = disconnect.props().iter().flatten();
    for property in properties {
        if matches!(property, Property::ServerReference(_)) {
            return Err(Violation::protocol("DISCONNECT with a server reference"));
        }
    }
    check_properties("DISCONNECT", disconnect.props().iter().flatten())?;
    Ok(disconnect)
}

/// U+0000 is not allowed in any text [MQTT-1.5.4-2].
fn check_text<'a>(name: &str, texts: impl IntoIterator<Item = &'a str>) -> Result<(), Violation> {
    if texts.into_iter().any(|text| text.contains('\0')) {
        return Err(Violation::malformed(format!("{name} with U+0000 in a text [MQTT-1.5.4-2]")));
    }
    Ok(())
}

fn check_properties<'a>(
    name: &str,
    properties: impl IntoIterator<Item = &'a Property>,
) -> Result<(), Violation> {
    for property in properties {
        match property {
            Property::UserProperty(pair) => check_text(name, [pair.key(), pair.val()])?,
            Property::ContentType(text) => check_text(name, [text.val()])?,
            Property::ResponseTopic(text) => check_text(name, [text.val()])?,
            Property::ReasonString(text) => check_text(name, [text.val()])?,
            Property::AuthenticationMethod(text) => check_text(name, [text.val()])?,
            _ => {}
        }
    }
    Ok(())
}

/// The QoS as the number that it is on the wire.
pub(crate) fn qos_number(qos: Qos) -> u8 {
    match qos {
        Qos::AtMostOnce => 0,
        Qos::AtLeastOnce => 1,
        Qos::ExactlyOnce => 2,
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;

    fn code(bytes: &[u8]) -> u8 {
        let frame = crate::frame::next(&mut BytesMut::from(bytes), None).unwrap().expect("a whole packet");
        decode(&frame).map_or_else(|violation| violation.code, |_| 0)
    }

    fn connect(flags: u8, rest: &[u8]) -> Vec<u8> {
        let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 5, flags, 0, 60];
        body.extend_from_slice(rest);
        [&[0x10, body.len() as u8], &body[..]].concat()
    }

    #[test]
    fn connect_is_read_strictly() {
        assert_eq!(code(&connect(2, &[0, 0, 1, b'a'])), 0);
        assert_eq!(code(&connect(3, &[0, 0, 1, b'a'])), 129, "reserved flag");
        assert_eq!(code(&connect(0b0001_1110, &[0, 0, 1, b'a'])), 129, "will QoS 3");
        assert_eq!(code(&connect(0b0010_0010, &[0, 0, 1, b'a'])), 129, "will retain without will");
        assert_eq!(code(&connect(0b0100_0010, &[0, 0, 1, b'a', 0, 1, 1])), 130, "password without user name");
        assert_eq!(code(&connect(2, &[0, 0, 1, b'a', 9])), 129, "trailing byte");
        assert_eq!(code(&connect(2, &[0, 0, 1, 0])), 129, "U+0000");
        assert_eq!(code(&connect(2, &[0, 0, 2, 0xc3, 0x28])), 129, "UTF-8");
        assert_eq!(code(&connect(2, &[3, 33, 0, 0, 0, 0])), 130, "receive maximum 0");
        assert_eq!(code(&connect(2, &[5, 39, 0, 0, 0, 0, 0, 0])), 130, "maximum packet size 0");
        assert_eq!(code(&connect(2, &[6, 33, 0, 1, 33, 0, 1, 0, 0])), 130, "doubled property");
        assert_eq!(code(&connect(2, &[2, 99, 0, 0, 0])), 129, "unknown property");
    }

    #[test]
    fn publish_is_read_strictly() {
        assert_eq!(code(&[0x30, 4, 0, 1, b'a', 0]), 0);
        assert_eq!(code(&[0x30, 3, 0, 1, b'a']), 129, "no property length");
        assert_eq!(code(&[0x38, 4, 0, 1, b'a', 0]), 129, "DUP with QoS 0");
        assert_eq!(code(&[0x36, 6, 0, 1, b'a', 0, 1, 0]), 129, "QoS 3");
        assert_eq!(code(&[0x32, 6, 0, 1, b'a', 0, 0, 0]), 130, "packet identifier 0");
        assert_eq!(code(&[0x30, 4, 0, 1, b'#', 0]), 144, "wildcard");
        assert_eq!(code(&[0x30, 4, 0, 1, 0, 0]), 144, "U+0000");
        assert_eq!(code(&[0x30, 7, 0, 1, b'a', 3, 35, 0, 0]), 130, "topic alias 0");
        assert_eq!(code(&[0x30, 6, 0, 1, b'a', 2, 11, 1]), 130, "subscription identifier");
        assert_eq!(code(&[0x30, 1, 0]), 129);
    }

    #[test]
    fn the_rest_is_read_strictly() {
        assert_eq!(code(&[0x82, 7, 0, 1, 0, 0, 1, b'a', 1]), 0);
        assert_eq!(code(&[0x80, 7, 0, 1, 0, 0, 1, b'a', 1]), 129, "flags");
        assert_eq!(code(&[0x82, 7, 0, 0, 0, 0, 1, b'a', 1]), 130, "packet identifier 0");
        assert_eq!(code(&[0x82, 7, 0, 1, 0, 0, 1, b'a', 0xc1]), 129, "reserved options");
        assert_eq!(code(&[0x82, 3, 0, 1, 0]), 130, "no filter");
        assert_eq!(code(&[0xa2, 6, 0, 1, 0, 0, 1, b'a']), 0);
        assert_eq!(code(&[0xa2, 3, 0, 1, 0]), 130, "no filter");
        assert_eq!(code(&[0xc0, 0]), 0);
        assert_eq!(code(&[0xc0, 1, 0]), 129, "PINGREQ with a body");
        assert_eq!(code(&[0xe0, 0]), 0);
        assert_eq!(code(&[0xe0, 1, 4]), 0);
        assert_eq!(code(&[0xe0, 1, 0x8e]), 130, "a server's reason code");
        assert_eq!(code(&[0xf0, 0]), 130, "AUTH");
        assert_eq!(code(&[0x20, 3, 0, 0, 0]), 130, "CONNACK");
        assert_eq!(code(&[0x00, 0]), 129, "type 0");
        assert_eq!(code(&[0x40, 2, 0, 1]), 0, "short PUBACK");
        assert_eq!(code(&[0x40, 2, 0, 0]), 129, "PUBACK of nothing");
        assert_eq!(code(&[0x60, 2, 0, 1]), 129, "PUBREL flags");
    }
}
