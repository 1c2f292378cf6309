//! The signature of a token, in the one form in which the room keeps it.

use super::percent;
use crate::{Error, ErrorKind, Result, Secret};

/// RSA-16384, ten times what AWS's usual RSA-2048 needs.
const MAX_BYTES: usize = 4096;

/// The plain base64 of a signature that may have arrived URL-encoded; a bad one is an error of `kind`.
///
/// Base64 has no `%`. So a signature with one has been encoded, wholly or (as some libraries leave the
/// `/` alone) in part, and is decoded once; one without is plain. A `%` that survives means a broken
/// escape or a second encoding, which no server would take. This makes the function idempotent, and
/// whoever encodes its result has encoded exactly once.
pub(super) fn plain(signature: &Secret, kind: ErrorKind) -> Result<Secret> {
    let refuse = |why: &'static str| Err(Error::new(kind, why));
    let given = signature.expose();

    if given.is_empty() {
        return refuse("the token's signature is empty: leave it out (NULL) where tokens are not signed");
    }
    let plain = match percent::decode(given) {
        Ok(decoded) => Secret::new(decoded.as_slice()),
        Err(_) => signature.clone(),
    };
    let bytes = plain.expose();
    if bytes.len() > MAX_BYTES {
        return refuse("the token's signature is too long: base64 of at most 4,096 characters is expected");
    }
    if bytes.contains(&b'%') {
        return refuse(
            "the token's signature is neither base64 nor base64 that was URL-encoded once: pass it as the \
             signing service returned it",
        );
    }
    if bytes.iter().any(|c| c.is_ascii_whitespace()) {
        return refuse(
            "the token's signature has a space or a line break: it must be base64 on one line (base64 -w0), \
             and a '+' in it must not have been turned into a space",
        );
    }
    if !bytes.iter().all(u8::is_ascii_graphic) {
        return refuse(
            "the token's signature has characters that base64 has not: encode the raw signature as \
             base64 first",
        );
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_signature_plain_or_encoded() {
        let table = [
            ("a+b/c==", "a+b/c=="),
            ("a%2Bb%2Fc%3D%3D", "a+b/c=="),
            ("a%2bb%2fc%3d%3d", "a+b/c=="),
            ("a%2Bb/c%3D%3D", "a+b/c=="), // encoded by a function that leaves the slash alone
            ("a+b%2Fc==", "a+b/c=="),
            ("base64url-_", "base64url-_"),
        ];
        for (given, expected) in table {
            let plain = plain(&Secret::from(given), ErrorKind::InvalidToken).unwrap();
            assert_eq!(plain.expose_str(), Some(expected));
            assert_eq!(super::plain(&plain, ErrorKind::InvalidToken).unwrap(), plain);
        }
        let longest = "a".repeat(MAX_BYTES);
        assert!(plain(&Secret::from(&*longest), ErrorKind::InvalidToken).is_ok());
    }

    #[test]
    fn refuses_what_no_server_would_take() {
        let long = "a".repeat(MAX_BYTES + 1);
        let endless = "%41".repeat(MAX_BYTES + 1);
        let table: [(&[u8], &str); 11] = [
            (b"", "empty"),
            (long.as_bytes(), "too long"),
            (endless.as_bytes(), "too long"),
            (b"s3cr3t%252B", "URL-encoded once"),
            (b"s3cr3t%", "URL-encoded once"),
            (b"s3cr3t%zz%2B", "URL-encoded once"),
            (b"s3cr3t b==", "turned into a space"),
            (b"s3cr3t\nb==", "line break"),
            (b"s3cr3t%0A", "line break"),
            (b"s3cr3t\xff\x01", "base64 first"),
            (b"s3cr3t%00", "base64 first"),
        ];
        for (given, part) in table {
            let error = plain(&Secret::new(given), ErrorKind::InvalidToken).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidToken);
            assert!(error.message().contains(part), "{error}");
            assert!(!error.message().contains("s3cr3t"));
        }
    }
}
