//! Writes the data representations of 1.5, and judges first whether a value can be written at all.

use super::varint;
use crate::{Error, ErrorKind, Result};

/// The longest text or binary value (1.5.4, 1.5.6).
pub(super) const MAX_LEN: usize = 65_535;

pub(super) trait Write {
    fn byte(&mut self, value: u8);
    fn two(&mut self, value: u16);
    fn four(&mut self, value: u32);
    fn varint(&mut self, value: usize);
    /// With its length in front, which the caller has checked.
    fn binary(&mut self, value: &[u8]);
    fn text(&mut self, value: &str);
    fn user_properties(&mut self, properties: &[(&str, &str)]);
}

impl Write for Vec<u8> {
    #[inline]
    fn byte(&mut self, value: u8) {
        self.push(value);
    }

    #[inline]
    fn two(&mut self, value: u16) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    #[inline]
    fn four(&mut self, value: u32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    #[inline]
    fn varint(&mut self, value: usize) {
        varint::encode(value, |byte| self.push(byte));
    }

    fn binary(&mut self, value: &[u8]) {
        debug_assert!(value.len() <= MAX_LEN);
        self.two(value.len() as u16);
        self.extend_from_slice(value);
    }

    fn text(&mut self, value: &str) {
        self.binary(value.as_bytes());
    }

    fn user_properties(&mut self, properties: &[(&str, &str)]) {
        for (name, value) in properties {
            self.byte(super::properties::id::USER_PROPERTY);
            self.text(name);
            self.text(value);
        }
    }
}

/// The bytes that [`Write::user_properties`] appends.
pub(super) fn user_properties_size(properties: &[(&str, &str)]) -> usize {
    capped_sum(properties.iter().map(|(name, value)| 5 + name.len() + value.len()))
}

/// The sum, or a number that is too large for every packet: a list may name one long text so often that 32 bits
/// could not hold the sum.
pub(super) fn capped_sum(sizes: impl Iterator<Item = usize>) -> usize {
    const CAP: usize = 2 * super::MAX_REMAINING;
    sizes.fold(0, |sum, size| CAP.min(size.saturating_add(sum)))
}

/// Whether `value` can be written as text; the error names `what`, and never shows the value.
pub(super) fn check_text(what: &str, value: &str) -> Result<()> {
    check_len(what, value.len())?;
    match value.bytes().position(|byte| byte == 0) {
        Some(at) => Err(Error::new(
            ErrorKind::InvalidUtf8,
            format!("{what} contains U+0000 at byte {at}, which MQTT forbids: remove it"),
        )),
        None => Ok(()),
    }
}

/// Whether so many bytes can be written with a length in front.
pub(super) fn check_len(what: &str, len: usize) -> Result<()> {
    match len {
        0..=MAX_LEN => Ok(()),
        _ => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{what} is {len} bytes long, and MQTT allows {MAX_LEN}: shorten it"),
        )),
    }
}

pub(super) fn check_user_properties(properties: &[(&str, &str)]) -> Result<()> {
    for (name, value) in properties {
        check_text("the name of a user property", name)?;
        check_text("the value of a user property", value)?;
    }
    Ok(())
}

/// Whether a packet with this remaining length exists at all.
pub(super) fn check_remaining(what: &str, remaining: usize) -> Result<()> {
    match remaining <= super::MAX_REMAINING {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::PacketTooLarge,
            format!(
                "{what} would take {remaining} bytes, and an MQTT packet ends at {}: split it",
                super::MAX_REMAINING
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_never_wraps_into_a_small_one() {
        assert_eq!(capped_sum([].into_iter()), 0);
        assert_eq!(capped_sum([1, 2, 3].into_iter()), 6);
        assert!(capped_sum([usize::MAX, usize::MAX].into_iter()) > super::super::MAX_REMAINING);
        assert!(check_remaining("it", capped_sum([usize::MAX].into_iter())).is_err());
    }
}
