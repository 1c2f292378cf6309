//! Variable byte integers (1.5.5).

use super::Malformed;

/// The largest value: four times seven bits.
pub(super) const MAX: u32 = 268_435_455;

/// The value at the front of `bytes` and how many bytes it takes; `None` when it is cut off.
#[inline]
pub(super) fn decode(bytes: &[u8]) -> Result<Option<(u32, usize)>, Malformed> {
    match bytes.first() {
        Some(&byte) if byte < 0x80 => Ok(Some((u32::from(byte), 1))),
        Some(_) => decode_long(bytes),
        None => Ok(None),
    }
}

fn decode_long(bytes: &[u8]) -> Result<Option<(u32, usize)>, Malformed> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * at);
        if byte == 0 {
            return Err(Malformed::syntax(
                "a variable byte integer is longer than it needs to be [MQTT-1.5.5-1]",
            ));
        }
        if byte < 0x80 {
            return Ok(Some((value, at + 1)));
        }
    }
    if bytes.len() < 4 {
        return Ok(None);
    }
    Err(Malformed::syntax("a variable byte integer of more than four bytes (1.5.5)"))
}

/// How many bytes `value` takes.
#[inline]
pub(super) const fn size(value: usize) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}

/// Hands the bytes of `value` to `put`, one after the other.
#[inline]
pub(super) fn encode(mut value: usize, mut put: impl FnMut(u8)) {
    debug_assert!(value <= MAX as usize, "the callers have checked the size of their packet");
    while value > 0x7F {
        put(value as u8 | 0x80);
        value >>= 7;
    }
    put(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table 1-1.
    const LIMITS: [(u32, &[u8]); 8] = [
        (0, &[0x00]),
        (127, &[0x7F]),
        (128, &[0x80, 0x01]),
        (16_383, &[0xFF, 0x7F]),
        (16_384, &[0x80, 0x80, 0x01]),
        (2_097_151, &[0xFF, 0xFF, 0x7F]),
        (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
        (268_435_455, &[0xFF, 0xFF, 0xFF, 0x7F]),
    ];

    #[test]
    fn the_limits_of_table_1_1() {
        for (value, bytes) in LIMITS {
            let mut encoded = Vec::new();
            encode(value as usize, |byte| encoded.push(byte));
            assert_eq!(encoded, bytes);
            assert_eq!(size(value as usize), bytes.len());
            assert_eq!(decode(bytes), Ok(Some((value, bytes.len()))));
            for cut in 0..bytes.len() {
                assert_eq!(decode(&bytes[..cut]), Ok(None), "{bytes:x?} cut after {cut}");
            }
        }
    }

    #[test]
    fn longer_than_needed_or_too_long() {
        for bytes in [
            &[0x80, 0x00][..],
            &[0xFF, 0x00],
            &[0xFF, 0x80, 0x00],
            &[0x80, 0x80, 0x80, 0x00],
            &[0x80, 0x80, 0x80, 0x80],
            &[0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        ] {
            assert!(decode(bytes).is_err(), "{bytes:x?}");
        }
    }
}
