//! Reading base64, only to look into a token for its expiry.

use zeroize::Zeroizing;

/// The bytes of base64url text, or `None` when it is something else.
///
/// Padding is optional, and the two characters in which ordinary base64 differs are understood too: a
/// service that uses it would otherwise have the expiry of some of its tokens read and of others not.
pub(super) fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let data = match text {
        [data @ .., b'=', b'='] | [data @ .., b'='] if text.len() % 4 == 0 => data,
        _ => text,
    };
    if data.len() % 4 == 1 {
        return None;
    }
    let mut out = Zeroizing::new(Vec::with_capacity(data.len() / 4 * 3 + 2));
    for chunk in data.chunks(4) {
        let mut bits = 0u32;
        for &character in chunk {
            bits = bits << 6 | u32::from(value(character)?);
        }
        bits <<= 6 * (4 - chunk.len());
        out.extend_from_slice(&bits.to_be_bytes()[1..chunk.len()]);
    }
    Some(out)
}

fn value(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'-' | b'+' => Some(62),
        b'_' | b'/' => Some(63),
        _ => None,
    }
}

/// Unpadded base64url, for the tests of the room.
#[cfg(test)]
pub(super) fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(word);
        for i in 0..=chunk.len() {
            out.push(char::from(ALPHABET[(bits >> (18 - 6 * i)) as usize & 63]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_examples_of_rfc_4648() {
        let table: [(&str, &[u8]); 13] = [
            ("", b""),
            ("Zg", b"f"),
            ("Zg==", b"f"),
            ("Zm8", b"fo"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("Zm9vYg", b"foob"),
            ("Zm9vYmE", b"fooba"),
            ("Zm9vYmFy", b"foobar"),
            ("-_-_", b"\xfb\xff\xbf"),
            ("+/+/", b"\xfb\xff\xbf"),
            ("AAAA", b"\0\0\0"),
            ("__8", b"\xff\xff"),
        ];
        for (text, bytes) in table {
            assert_eq!(decode(text.as_bytes()).as_deref().map(Vec::as_slice), Some(bytes), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_base64() {
        for text in
            ["A", "AAAAA", "Zg=", "Zm8==", "=", "==", "====", "Zg==Zg==", "Z g", "Zm9v\n", "Zm.v", "ü"]
        {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }
}
