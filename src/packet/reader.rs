//! Reads the data representations of 1.5 from a packet's body.

use super::{Malformed, varint};

const CUT: Malformed = Malformed::syntax("the packet ends inside a field (1.2, malformed packet)");

/// What is left to be read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Everything that is left.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(CUT)?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(CUT)?;
        self.rest = rest;
        Ok(*taken)
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        self.array().map(|[byte]| byte)
    }

    #[inline]
    pub(super) fn two(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline]
    pub(super) fn four(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u32, Malformed> {
        let (value, width) = varint::decode(self.rest)?.ok_or(CUT)?;
        self.rest = &self.rest[width..];
        Ok(value)
    }

    /// A packet identifier, which is never 0 (2.2.1).
    #[inline]
    pub(super) fn packet_id(&mut self) -> Result<u16, Malformed> {
        match self.two()? {
            0 => Err(Malformed::protocol("packet identifier 0 [MQTT-2.2.1-4]")),
            id => Ok(id),
        }
    }

    #[inline]
    pub(super) fn binary(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.two()?;
        self.take(usize::from(len))
    }

    /// Control characters and non-characters pass: 1.5.4 only says that they should not be used.
    #[inline]
    pub(super) fn text(&mut self) -> Result<&'a str, Malformed> {
        let text = utf8(self.binary()?)?;
        if text.as_bytes().contains(&0) {
            return Err(NUL);
        }
        Ok(text)
    }

    /// After the last field.
    #[inline]
    pub(super) fn end(&self) -> Result<(), Malformed> {
        match self.rest.is_empty() {
            true => Ok(()),
            false => Err(Malformed::syntax("the packet goes on after its last field (2.1.4)")),
        }
    }
}

/// What is said of U+0000 wherever it stands in text.
pub(super) const NUL: Malformed = Malformed::syntax("text contains U+0000 [MQTT-1.5.4-2]");

#[inline]
pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed::syntax("text is not UTF-8 [MQTT-1.5.4-1]"))
}
