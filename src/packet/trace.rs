//! A packet as the log shows it: its type, its identifier, its size, and nothing of its contents.

use super::reader::Reader;
use super::{Malformed, frame};

/// The names of control packets by their type (2.1.2).
const NAMES: [&str; 16] = [
    "reserved",
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

/// Logs a whole packet that was received.
#[inline]
pub fn received(packet: &[u8]) {
    if tracing::enabled!(tracing::Level::TRACE) {
        let Shown { name, id, qos, dup } = Shown::of(packet);
        tracing::trace!(packet = name, id, qos, dup, bytes = packet.len(), "received");
    }
}

/// Logs a whole packet that is about to be written.
#[inline]
pub fn sent(packet: &[u8]) {
    if tracing::enabled!(tracing::Level::TRACE) {
        let Shown { name, id, qos, dup } = Shown::of(packet);
        tracing::trace!(packet = name, id, qos, dup, bytes = packet.len(), "sending");
    }
}

/// What there is to show.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    name: &'static str,
    id: Option<u16>,
    /// Of a PUBLISH.
    qos: Option<u8>,
    dup: Option<bool>,
}

impl Shown {
    #[cold]
    fn of(packet: &[u8]) -> Self {
        let first = packet.first().copied().unwrap_or_default();
        let publish = first >> 4 == 3;
        Self {
            name: NAMES[usize::from(first >> 4)],
            id: id(packet).ok().flatten(),
            qos: publish.then_some(first >> 1 & 3),
            dup: publish.then_some(first & 8 != 0),
        }
    }
}

fn id(packet: &[u8]) -> Result<Option<u16>, Malformed> {
    let Some(frame) = frame(packet, u32::MAX)? else { return Ok(None) };
    let mut body = Reader::new(frame.body);
    match frame.first >> 4 {
        3 if frame.first & 6 != 0 => {
            let topic_len = body.two()?;
            body.take(topic_len.into())?;
        }
        4..=11 => {}
        _ => return Ok(None),
    }
    body.two().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_tells_packets_apart() {
        let shown = |name, id, qos, dup| Shown { name, id, qos, dup };
        let table: [(&[u8], Shown); 8] = [
            (&[0xC0, 0], shown("PINGREQ", None, None, None)),
            (&[0x40, 2, 0x12, 0x34], shown("PUBACK", Some(0x1234), None, None)),
            (&[0x62, 2, 0, 7], shown("PUBREL", Some(7), None, None)),
            (&[0x30, 4, 0, 1, b'a', 0], shown("PUBLISH", None, Some(0), Some(false))),
            (&[0x3A, 6, 0, 1, b'a', 0, 9, 0], shown("PUBLISH", Some(9), Some(1), Some(true))),
            (&[0x82, 3, 0, 5, 0], shown("SUBSCRIBE", Some(5), None, None)),
            // What is broken is shown as far as it goes.
            (&[0x32, 2, 0, 9], shown("PUBLISH", None, Some(1), Some(false))),
            (&[], shown("reserved", None, None, None)),
        ];
        for (packet, expected) in table {
            assert_eq!(Shown::of(packet), expected, "{packet:?}");
        }
    }
}
