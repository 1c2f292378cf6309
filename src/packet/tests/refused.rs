//! Packets that are barely illegal, each by its paragraph, and the reason that we end the connection with.

use super::*;

const SYNTAX: ReasonCode = ReasonCode::MALFORMED_PACKET;
const PROTOCOL: ReasonCode = ReasonCode::PROTOCOL_ERROR;

#[track_caller]
fn refused(rows: &[(&str, &[u8], ReasonCode)]) {
    for &(name, bytes, reason) in rows {
        match read(bytes) {
            Ok(packet) => panic!("{name}: taken as {packet:?}"),
            Err(malformed) => assert_eq!(malformed.reason, reason, "{name}: {malformed}"),
        }
    }
}

#[test]
fn frames() {
    assert_eq!(frame(&[0x30, 0x80, 0x80, 0x80, 0x80], u32::MAX).unwrap_err().reason, SYNTAX, "1.5.5");
    assert_eq!(frame(&[0xD0, 0x80, 0x00], u32::MAX).unwrap_err().reason, SYNTAX, "[MQTT-1.5.5-1]");
    // The remaining length alone tells: nothing of the packet needs to be there [MQTT-3.1.2-24].
    let too_large = frame(&[0x30, 0x7F], 128).unwrap_err();
    assert_eq!(too_large.reason, ReasonCode::PACKET_TOO_LARGE);
    assert_eq!(frame(&[0x30, 0x7F], 129), Ok(None));
    assert_eq!(frame(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F], u32::MAX), Ok(None));
}

/// [MQTT-2.1.3-1], [MQTT-3.6.1-1]: each type has its flags, PUBLISH its own rules, and 2.1.2 its direction.
#[test]
fn every_first_byte() {
    for first in 0..=255_u8 {
        let body: &[u8] = match first >> 4 {
            2 => &[0, 0, 0],
            3 if first & 0b110 == 0 => &[0, 1, b't', 0],
            3 => &[0, 1, b't', 0, 1, 0],
            4..=7 => &[0, 1],
            9 | 11 => &[0, 1, 0, 0],
            _ => &[],
        };
        let legal = match first {
            0x20 | 0x40 | 0x50 | 0x62 | 0x70 | 0x90 | 0xB0 | 0xD0 | 0xE0 | 0xF0 => true,
            0x30..=0x3F => !matches!(first & 0b1111, 0b0110 | 0b0111 | 0b1110 | 0b1111 | 0b1000 | 0b1001),
            _ => false,
        };
        let bytes = wire(first, &[body]);
        let got = read(&bytes);
        assert_eq!(got.is_ok(), legal, "{first:#04x}: {got:?}");
        if let Err(malformed) = got {
            let for_servers = matches!(first >> 4, 1 | 8 | 10 | 12);
            assert_eq!(malformed.reason, if for_servers { PROTOCOL } else { SYNTAX }, "{first:#04x}");
        }
    }
}

#[test]
fn connack() {
    refused(&[
        ("no reason code", b"\x20\x01\x00", SYNTAX),
        ("no property length (2.2.2.1)", b"\x20\x02\x00\x00", SYNTAX),
        ("reserved acknowledge flag [MQTT-3.2.2-1]", b"\x20\x03\x02\x00\x00", SYNTAX),
        ("session present with an error [MQTT-3.2.2-6]", b"\x20\x03\x01\x87\x00", PROTOCOL),
        ("reason code 1 [MQTT-3.2.2-8]", b"\x20\x03\x00\x01\x00", PROTOCOL),
        ("bytes after the properties", b"\x20\x04\x00\x00\x00\x00", SYNTAX),
        ("receive maximum 0 (3.2.2.3.3)", b"\x20\x06\0\0\x03\x21\0\0", PROTOCOL),
        ("maximum QoS 2 (3.2.2.3.4)", b"\x20\x05\0\0\x02\x24\x02", PROTOCOL),
        ("retain available 2 (3.2.2.3.5)", b"\x20\x05\0\0\x02\x25\x02", PROTOCOL),
        ("maximum packet size 0 (3.2.2.3.6)", b"\x20\x08\0\0\x05\x27\0\0\0\0", PROTOCOL),
        ("wildcard subscription available 2 (3.2.2.3.11)", b"\x20\x05\0\0\x02\x28\x02", PROTOCOL),
        ("subscription identifier available 2 (3.2.2.3.12)", b"\x20\x05\0\0\x02\x29\x02", PROTOCOL),
        ("shared subscription available 2 (3.2.2.3.13)", b"\x20\x05\0\0\x02\x2A\x02", PROTOCOL),
        ("U+0000 in the client identifier [MQTT-1.5.4-2]", b"\x20\x07\0\0\x04\x12\0\x01\0", SYNTAX),
        ("no UTF-8 in a user property's value [MQTT-1.5.7-1]", b"\x20\x09\0\0\x06\x26\0\0\0\x01\xFF", SYNTAX),
        ("no UTF-8 in a user property's name [MQTT-1.5.7-1]", b"\x20\x09\0\0\x06\x26\0\x01\xFF\0\0", SYNTAX),
    ]);
}

#[test]
fn publish() {
    refused(&[
        ("QoS 3 [MQTT-3.3.1-4]", b"\x36\x06\0\x01t\0\x01\0", SYNTAX),
        ("DUP with QoS 0 [MQTT-3.3.1-2]", b"\x38\x04\0\x01t\0", SYNTAX),
        ("packet identifier 0 [MQTT-2.2.1-4]", b"\x32\x06\0\x01t\0\0\0", PROTOCOL),
        ("no packet identifier", b"\x32\x03\0\x01t", SYNTAX),
        ("half a packet identifier", b"\x32\x04\0\x01t\0", SYNTAX),
        ("no property length (2.2.2.1)", b"\x30\x03\0\x01t", SYNTAX),
        ("no topic [MQTT-3.3.2-1]", b"\x30\x00", SYNTAX),
        ("half a topic", b"\x30\x04\0\x05t/", SYNTAX),
        ("'+' in the topic [MQTT-3.3.2-2]", b"\x30\x04\0\x01+\0", ReasonCode::TOPIC_NAME_INVALID),
        ("'#' in the topic [MQTT-3.3.2-2]", b"\x30\x05\0\x02a#\0", ReasonCode::TOPIC_NAME_INVALID),
        ("U+0000 in the topic [MQTT-1.5.4-2]", b"\x30\x05\0\x02a\0\0", SYNTAX),
        ("the topic is not UTF-8 [MQTT-1.5.4-1]", b"\x30\x05\0\x02a\xFF\0", SYNTAX),
        ("a surrogate in the topic [MQTT-1.5.4-1]", b"\x30\x06\0\x03\xED\xA0\x80\0", SYNTAX),
        ("an overlong '/' in the topic [MQTT-1.5.4-1]", b"\x30\x05\0\x02\xC0\xAF\0", SYNTAX),
        ("neither topic nor alias (3.3.2.1)", b"\x30\x03\0\0\0", PROTOCOL),
        ("alias 0 [MQTT-3.3.2-8]", b"\x30\x07\0\x01t\x03\x23\0\0", ReasonCode::TOPIC_ALIAS_INVALID),
        ("response topic with '#' [MQTT-3.3.2-14]", b"\x30\x08\0\x01t\x04\x08\0\x01#", PROTOCOL),
        ("response topic with '+' [MQTT-3.3.2-14]", b"\x30\x0A\0\x01t\x06\x08\0\x03a/+", PROTOCOL),
        ("payload format 2 (3.3.2.3.2)", b"\x30\x06\0\x01t\x02\x01\x02", PROTOCOL),
        ("subscription identifier 0 (3.3.2.3.8)", b"\x30\x06\0\x01t\x02\x0B\0", PROTOCOL),
        ("a long subscription identifier [MQTT-1.5.5-1]", b"\x30\x07\0\x01t\x03\x0B\x81\0", SYNTAX),
        ("properties beyond the packet", b"\x30\x05\0\x01t\x02\x01", SYNTAX),
        ("a long property length [MQTT-1.5.5-1]", b"\x30\x05\0\x01t\x80\0", SYNTAX),
    ]);
}

#[test]
fn acknowledgements() {
    for first in [0x40, 0x50, 0x62, 0x70] {
        refused(&[
            ("nothing", &[first, 0], SYNTAX),
            ("half an identifier", &[first, 1, 0], SYNTAX),
            ("packet identifier 0 (2.2.1)", &[first, 2, 0, 0], PROTOCOL),
            ("a reason code of no packet [MQTT-3.4.2-1]", &[first, 3, 0, 1, 0x7F], PROTOCOL),
            ("bytes after the properties", &[first, 5, 0, 1, 0, 0, 0], SYNTAX),
            ("properties beyond the packet", &[first, 4, 0, 1, 0, 1], SYNTAX),
        ]);
    }
}

#[test]
fn suback_and_unsuback() {
    for first in [0x90, 0xB0] {
        refused(&[
            ("no properties (2.2.2.1)", &[first, 2, 0, 1], SYNTAX),
            ("no reason code [MQTT-3.8.4-6]", &[first, 3, 0, 1, 0], PROTOCOL),
            ("packet identifier 0 (2.2.1)", &[first, 4, 0, 0, 0, 0], PROTOCOL),
            ("one bad code among good ones [MQTT-3.9.3-2]", &[first, 6, 0, 1, 0, 0, 3, 0x80], PROTOCOL),
        ]);
    }
    refused(&[
        ("SUBACK: the code of another packet [MQTT-3.9.3-2]", &[0x90, 4, 0, 1, 0, 0x11], PROTOCOL),
        ("UNSUBACK: the code of another packet [MQTT-3.11.3-2]", &[0xB0, 4, 0, 1, 0, 1], PROTOCOL),
    ]);
}

#[test]
fn pingresp_disconnect_and_auth() {
    refused(&[
        ("PINGRESP with content (3.13)", b"\xD0\x01\x00", SYNTAX),
        ("DISCONNECT with flags [MQTT-3.14.1-1]", b"\xE1\x00", SYNTAX),
        ("DISCONNECT with session expiry [MQTT-3.14.2-2]", b"\xE0\x07\0\x05\x11\0\0\0\0", PROTOCOL),
        ("bytes after the properties", b"\xE0\x03\0\0\0", SYNTAX),
        ("AUTH with flags [MQTT-3.15.1-1]", b"\xF1\x00", SYNTAX),
        ("packet type 0 (2.1.2)", b"\x00\x00", SYNTAX),
        ("PINGREQ, which only clients send (2.1.2)", b"\xC0\x00", PROTOCOL),
    ]);
}

/// Table 2-4, typed anew for the packets from a server: an example of each property, and who may carry it.
fn properties() -> [(&'static [u8], &'static [PacketType]); 27] {
    use PacketType::*;
    const REASONED: &[PacketType] = &[ConnAck, PubAck, PubRec, PubRel, PubComp, SubAck, UnsubAck, Disconnect];
    [
        (b"\x01\x00", &[Publish]),
        (b"\x02\0\0\0\0", &[Publish]),
        (b"\x03\0\x01c", &[Publish]),
        (b"\x08\0\x01r", &[Publish]),
        (b"\x09\0\0", &[Publish]),
        (b"\x0B\x01", &[Publish]),
        // Table 2-4 lists it for DISCONNECT too, but only for the client's [MQTT-3.14.2-2].
        (b"\x11\0\0\0\0", &[ConnAck]),
        (b"\x12\0\x01c", &[ConnAck]),
        (b"\x13\0\0", &[ConnAck]),
        (b"\x15\0\x01m", &[ConnAck]),
        (b"\x16\0\x01d", &[ConnAck]),
        (b"\x17\x00", &[]),
        (b"\x18\0\0\0\0", &[]),
        (b"\x19\x00", &[]),
        (b"\x1A\0\x01i", &[ConnAck]),
        (b"\x1C\0\x01s", &[ConnAck, Disconnect]),
        (b"\x1F\0\x01r", REASONED),
        (b"\x21\0\x01", &[ConnAck]),
        (b"\x22\0\0", &[ConnAck]),
        (b"\x23\0\x01", &[Publish]),
        (b"\x24\x00", &[ConnAck]),
        (b"\x25\x00", &[ConnAck]),
        (b"\x26\0\x01n\0\x01v", &WITH_PROPERTIES),
        (b"\x27\0\0\0\x01", &[ConnAck]),
        (b"\x28\x00", &[ConnAck]),
        (b"\x29\x00", &[ConnAck]),
        (b"\x2A\x00", &[ConnAck]),
    ]
}

#[test]
fn every_property_in_every_packet_2_2_2_2() {
    for (example, carriers) in properties() {
        for packet in WITH_PROPERTIES {
            let carried = carriers.contains(&packet);
            let once = read(&smallest(packet, &block(&[example]))).map(|_| ());
            assert_eq!(once.is_ok(), carried, "{example:x?} in {packet:?}: {once:?}");
            if let Err(malformed) = once {
                let session_expiry = packet == PacketType::Disconnect && example[0] == 0x11;
                assert_eq!(malformed.reason, if session_expiry { PROTOCOL } else { SYNTAX });
                assert!(malformed.property.is_some(), "{malformed}");
                continue;
            }
            let repeats = example[0] == 0x26 || example[0] == 0x0B && packet == PacketType::Publish;
            match read(&smallest(packet, &block(&[example, example]))) {
                Ok(_) => assert!(repeats, "{example:x?} twice in {packet:?}"),
                Err(malformed) => {
                    assert!(
                        !repeats && malformed.reason == PROTOCOL,
                        "{example:x?} in {packet:?}: {malformed}"
                    );
                }
            }
            for cut in 1..example.len() {
                let malformed = read(&smallest(packet, &block(&[&example[..cut]]))).map(|_| ()).unwrap_err();
                assert_eq!(malformed.reason, SYNTAX, "{example:x?} cut after {cut} in {packet:?}");
            }
        }
    }
}

#[test]
fn every_unknown_property_2_2_2_2() {
    let known: Vec<u8> = properties().iter().map(|(example, _)| example[0]).collect();
    for id in (0..=255).filter(|id| !known.contains(id)) {
        for packet in WITH_PROPERTIES {
            let bytes = smallest(packet, &block(&[&[id, 0, 0, 0, 0]]));
            assert_eq!(read(&bytes).map(|_| ()).unwrap_err().reason, SYNTAX, "{id:#x} in {packet:?}");
        }
    }
}

/// Below 0x80 each packet takes its list; above, everything, for an unlisted failure is a failure (2.4).
#[test]
fn every_reason_code_in_every_packet() {
    for packet in WITH_PROPERTIES.into_iter().filter(|&packet| packet != PacketType::Publish) {
        for code in 0..=255 {
            let mut bytes = smallest(packet, &[0]);
            let at = match packet {
                PacketType::ConnAck => 3,
                PacketType::Disconnect => 2,
                PacketType::SubAck | PacketType::UnsubAck => 5,
                _ => 4,
            };
            bytes[at] = code;
            let taken =
                packet == PacketType::Disconnect || code >= 0x80 || ReasonCode(code).is_listed(packet);
            assert_eq!(read(&bytes).is_ok(), taken, "{code} in {packet:?}");
        }
    }
}
