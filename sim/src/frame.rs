//! Cuts the byte stream into packets (MQTT 5, 2.1).

use bytes::{Buf, Bytes, BytesMut};

use crate::violation::{Violation, reason};

/// One packet as it came: the first byte and the body.
#[derive(Debug)]
pub(crate) struct Frame {
    pub first: u8,
    pub body: Bytes,
    /// Bytes on the wire.
    pub size: usize,
}

/// Takes the next packet out of `buffer`; `None` if it is not there entirely.
pub(crate) fn next(buffer: &mut BytesMut, maximum: Option<u32>) -> Result<Option<Frame>, Violation> {
    let Some((&first, rest)) = buffer.split_first() else {
        return Ok(None);
    };
    let Some((length, digits)) = remaining_length(rest)? else {
        return Ok(None);
    };
    let size = 1 + digits + length;
    if maximum.is_some_and(|maximum| size as u64 > u64::from(maximum)) {
        return Err(Violation::new(reason::PACKET_TOO_LARGE, format!("a packet of {size} bytes")));
    }
    if buffer.len() < size {
        return Ok(None);
    }
    let mut body = buffer.split_to(size).freeze();
    body.advance(1 + digits);
    Ok(Some(Frame { first, body, size }))
}

fn remaining_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, Violation> {
    let mut length = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            // [MQTT-1.5.5-1]: as few bytes as can be.
            return if index > 0 && *byte == 0 {
                Err(Violation::malformed("a remaining length in more bytes than it needs"))
            } else {
                Ok(Some((length, index + 1)))
            };
        }
    }
    if bytes.len() >= 4 {
        return Err(Violation::malformed("a remaining length of more than four bytes"));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(bytes: &[u8], maximum: Option<u32>) -> Result<Option<usize>, u8> {
        next(&mut BytesMut::from(bytes), maximum)
            .map(|frame| frame.map(|frame| frame.body.len()))
            .map_err(|violation| violation.code)
    }

    #[test]
    fn whole_packets_only_are_taken() {
        assert_eq!(cut(&[], None), Ok(None));
        assert_eq!(cut(&[0xc0], None), Ok(None));
        assert_eq!(cut(&[0xc0, 0], None), Ok(Some(0)));
        assert_eq!(cut(&[0x30, 3, 1, 2], None), Ok(None));
        assert_eq!(cut(&[0x30, 3, 1, 2, 3, 9], None), Ok(Some(3)));
        assert_eq!(cut(&[0x30, 0x80], None), Ok(None));
    }

    #[test]
    fn bad_lengths_and_large_packets_are_refused_before_they_are_read() {
        assert_eq!(cut(&[0x30, 0xff, 0xff, 0xff, 0xff], None), Err(129));
        assert_eq!(cut(&[0x30, 0x80, 0x00], None), Err(129));
        assert_eq!(cut(&[0x30, 0x80, 0x01], Some(100)), Err(149));
        assert_eq!(cut(&[0x30, 98], Some(100)), Ok(None));
        assert_eq!(cut(&[0x30, 99], Some(100)), Err(149));
    }
}
