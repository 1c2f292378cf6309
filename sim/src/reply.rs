//! Writes the packets that the simulator sends, except PUBLISH.
//!
//! They are written byte by byte, not by the codec: tests may ask for reason codes that no server should send.

use bytes::{BufMut, BytesMut};
use mqtt_protocol_core::mqtt::packet::{Properties, Property};

pub(crate) const PINGRESP: [u8; 2] = [0xd0, 0];

/// Packet types with flags, for [`acknowledgement`].
pub(crate) mod kind {
    pub const PUBACK: u8 = 0x40;
    pub const PUBREC: u8 = 0x50;
    pub const PUBREL: u8 = 0x62;
    pub const PUBCOMP: u8 = 0x70;
    pub const SUBACK: u8 = 0x90;
    pub const UNSUBACK: u8 = 0xb0;
}

/// CONNACK.
pub(crate) fn connack(out: &mut BytesMut, session_present: bool, code: u8, properties: &Properties) {
    let properties = encoded(properties);
    packet(out, 0x20, &[&[u8::from(session_present), code], &variable(properties.len()), &properties]);
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP; short if it tells success.
pub(crate) fn acknowledgement(out: &mut BytesMut, kind: u8, packet_id: u16, code: u8) {
    let code = [code];
    packet(out, kind, &[&packet_id.to_be_bytes(), if code == [0] { &[] } else { &code }]);
}

/// SUBACK or UNSUBACK.
pub(crate) fn codes(out: &mut BytesMut, kind: u8, packet_id: u16, codes: &[u8]) {
    packet(out, kind, &[&packet_id.to_be_bytes(), &[0], codes]);
}

/// DISCONNECT, in its short form `E0 01 CODE`.
pub(crate) fn disconnect(out: &mut BytesMut, code: u8) {
    packet(out, 0xe0, &[&[code]]);
}

fn packet(out: &mut BytesMut, first: u8, parts: &[&[u8]]) {
    out.put_u8(first);
    out.put_slice(&variable(parts.iter().map(|part| part.len()).sum()));
    for part in parts {
        out.put_slice(part);
    }
}

fn encoded(properties: &[Property]) -> Vec<u8> {
    properties.iter().flat_map(Property::to_continuous_buffer).collect()
}

fn variable(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4);
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use mqtt_protocol_core::mqtt::packet::{ReceiveMaximum, v5_0};

    use super::*;

    #[test]
    fn the_codec_reads_what_is_written() {
        let mut out = BytesMut::new();
        let properties = vec![Property::ReceiveMaximum(ReceiveMaximum::new(100).unwrap())];
        connack(&mut out, true, 0, &properties);
        let (read, used) = v5_0::Connack::parse(&out[2..]).unwrap();
        assert!(read.session_present() && used == out.len() - 2);
        assert_eq!(read.props(), &properties);

        let mut out = BytesMut::new();
        acknowledgement(&mut out, kind::PUBACK, 7, 0);
        assert_eq!(&out[..], &[0x40, 2, 0, 7]);
        out.clear();
        acknowledgement(&mut out, kind::PUBACK, 7, 151);
        assert_eq!(&out[..], &[0x40, 3, 0, 7, 151]);
        out.clear();
        codes(&mut out, kind::SUBACK, 7, &[1, 143]);
        assert_eq!(&out[..], &[0x90, 5, 0, 7, 0, 1, 143]);
        out.clear();
        disconnect(&mut out, 142);
        assert_eq!(&out[..], &[0xe0, 1, 142]);
    }

    #[test]
    fn lengths_are_written_as_the_specification_shows() {
        for (number, bytes) in
            [(0, vec![0]), (127, vec![127]), (128, vec![0x80, 1]), (16_384, vec![0x80, 0x80, 1])]
        {
            assert_eq!(variable(number), bytes);
        }
    }
}
