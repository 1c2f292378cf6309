//! URL encoding of single values.

use std::fmt::Write;

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Encodes everything but RFC 3986's unreserved characters.
pub(crate) fn encode(value: impl AsRef<[u8]>) -> String {
    let value = value.as_ref();
    value.iter().fold(String::with_capacity(value.len()), |mut encoded, &byte| {
        if is_unreserved(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a String does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// Decodes a value that must have been encoded exactly once: `None` if a reserved character stands in it raw (not
/// encoded), if the result still holds an encoded character (encoded twice), or if it is not UTF-8.
pub(crate) fn decode_once(value: &str) -> Option<String> {
    let decoded = decode(value)?;
    let twice = decoded
        .as_bytes()
        .windows(3)
        .any(|three| three[0] == b'%' && three[1].is_ascii_hexdigit() && three[2].is_ascii_hexdigit());
    (!twice).then_some(decoded)
}

fn decode(value: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let digits = tail.get(..2)?;
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            let digits = std::str::from_utf8(digits).ok()?;
            decoded.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else if is_unreserved(first) {
            decoded.push(first);
            rest = tail;
        } else {
            return None;
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_once_is_told_from_never_and_twice() {
        let signature = "a+b/c==";
        let once = encode(signature);
        assert_eq!(once, "a%2Bb%2Fc%3D%3D");
        assert_eq!(decode_once(&once).as_deref(), Some(signature));
        assert_eq!(decode_once(&encode(&once)), None);
        assert_eq!(decode_once(signature), None);
        assert_eq!(decode_once("header.body-_~"), Some("header.body-_~".to_owned()));
    }

    #[test]
    fn broken_encodings_are_refused() {
        for broken in ["%", "%2", "%zz", "%+1", "a b", "%ff", "ä"] {
            assert_eq!(decode_once(broken), None, "{broken}");
        }
    }
}
