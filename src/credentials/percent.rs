//! Percent-encoding (RFC 3986), as AWS reads it in a user name and in a query string.
//!
//! It works on bytes that may be secret, so whatever it allocates is zeroized.

use zeroize::Zeroizing;

/// The place of a `%` that is not followed by two hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadEscape {
    /// Counted in bytes, from 0.
    pub at: usize,
}

/// How many bytes [`encode_into`] will append.
pub(super) fn encoded_len(bytes: &[u8]) -> usize {
    bytes.iter().map(|&byte| if is_unreserved(byte) { 1 } else { 3 }).sum()
}

/// Appends `bytes`; all but the unreserved characters (letters, digits, `-._~`) become `%XX`.
///
/// It encodes what it is given: what is encoded already must be decoded first.
pub(super) fn encode_into(out: &mut Vec<u8>, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        if is_unreserved(byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

/// Undoes one encoding.
///
/// A `+` stays a `+`: AWS's query strings are not HTML forms, and base64 is full of it.
pub(super) fn decode(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, BadEscape> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'%' {
            let digit = |i: usize| text.get(i).and_then(|&c| char::from(c).to_digit(16));
            let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2)) else {
                return Err(BadEscape { at });
            };
            out.push((high << 4 | low) as u8);
            at += 3;
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    Ok(out)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_all_but_the_unreserved_characters() {
        let table: [(&[u8], &[u8]); 6] = [
            (b"", b""),
            (b"AZaz09-._~", b"AZaz09-._~"),
            (b"a+b/c==", b"a%2Bb%2Fc%3D%3D"),
            (b"100%", b"100%25"),
            (b"?&#@ \n", b"%3F%26%23%40%20%0A"),
            ("ü".as_bytes(), b"%C3%BC"),
        ];
        for (plain, encoded) in table {
            let mut out = Vec::new();
            encode_into(&mut out, plain);
            assert_eq!(out, encoded);
            assert_eq!(encoded_len(plain), encoded.len());
            assert_eq!(**decode(encoded).unwrap(), *plain);
        }
    }

    #[test]
    fn decodes_one_layer_and_keeps_the_plus() {
        let table: [(&[u8], &[u8]); 4] =
            [(b"a+b", b"a+b"), (b"%2b%2B", b"++"), (b"%252B", b"%2B"), (b"%00%fF", b"\0\xff")];
        for (encoded, plain) in table {
            assert_eq!(**decode(encoded).unwrap(), *plain);
        }
    }

    #[test]
    fn says_where_an_escape_is_broken() {
        let table: [(&[u8], usize); 6] =
            [(b"%", 0), (b"a%2", 1), (b"%41%zz", 3), (b"%+1", 0), (b"%%41", 0), (b"%4\xff", 0)];
        for (text, at) in table {
            assert_eq!(decode(text), Err(BadEscape { at }));
        }
    }
}
