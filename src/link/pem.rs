//! Certificates and keys as people have them: PEM with anything around it, or one DER structure.
//!
//! PEM is read as RFC 7468 advises a lax parser to: text before, between and after the blocks is ignored, and
//! so are headers (RFC 1421), indentation, a byte order mark, and the kind of line end. Everything decoded is
//! zeroized when it goes, because it may be a private key.

use std::borrow::Cow;
use zeroize::Zeroizing;

/// What is read at most, of a file or of memory.
pub(super) const MAX_INPUT: usize = 1024 * 1024;

/// One block of a PEM text.
pub(super) struct Block<'a> {
    /// What stands after `BEGIN`.
    pub label: &'a str,
    /// Whether a header says that the content is encrypted (RFC 1421, section 4.6.1.1).
    pub encrypted: bool,
    body: &'a [u8],
}

/// Why a text is not PEM, as the end of a sentence.
pub(super) type Fault = Cow<'static, str>;

impl Block<'_> {
    /// The content.
    pub fn decode(&self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        base64(self.body).ok_or_else(|| {
            format!("the block '{}' is damaged: it is not base64 text", label(self.label)).into()
        })
    }
}

/// Whether the input looks like PEM rather than like DER.
pub(super) fn is_pem(input: &[u8]) -> bool {
    input.windows(BEGIN.len()).any(|window| window == BEGIN)
}

/// Whether a short text looks like a key, or like the end of one.
pub(super) fn may_be_key(text: &str) -> bool {
    let holds_der = |bytes: Zeroizing<Vec<u8>>| !matches!(sniff(&bytes), Der::Unknown);
    text.contains(DASHES) || base64(text.as_bytes()).is_some_and(holds_der)
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";

/// Takes a PEM text apart.
pub(super) fn blocks(text: &[u8]) -> Result<Vec<Block<'_>>, Fault> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut blocks = Vec::new();
    let mut lines = Lines { text, at: 0 };
    while let Some((_, line)) = lines.next() {
        let Some(name) = marker(line, BEGIN) else {
            if is_one_line(line) {
                return Err(
                    "its line breaks are missing: BEGIN, END and what is between them must be on lines \
                            of their own (were they lost in an environment variable?)"
                        .into(),
                );
            }
            continue;
        };
        let mut encrypted = false;
        let mut in_headers = false;
        let mut body_start = lines.at;
        let body_end = loop {
            let Some((start, line)) = lines.next() else {
                return Err(format!(
                    "the block '{}' has no end: the text is cut off, or a line is missing",
                    label(name)
                )
                .into());
            };
            if let Some(end) = marker(line, END) {
                if end != name {
                    return Err(format!("the block '{}' ends as '{}'", label(name), label(end)).into());
                }
                break start;
            }
            if marker(line, BEGIN).is_some() {
                return Err(
                    format!("the block '{}' has no end before the next one begins", label(name)).into()
                );
            }
            if line.contains(&b':') {
                in_headers = true;
                encrypted |= line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED");
            }
            if in_headers {
                body_start = lines.at;
                in_headers = !line.is_empty();
            }
        };
        blocks.push(Block { label: name, encrypted, body: &text[body_start..body_end] });
    }
    Ok(blocks)
}

const DASHES: &str = "-----";

/// The label of a line that is a marker.
fn marker<'a>(line: &'a [u8], begin: &[u8]) -> Option<&'a str> {
    let label = line.strip_prefix(begin)?.strip_suffix(DASHES.as_bytes())?;
    std::str::from_utf8(label).ok().filter(|label| !label.contains(DASHES))
}

/// Whether the line goes on behind a marker.
fn is_one_line(line: &[u8]) -> bool {
    let rest = line.strip_prefix(BEGIN).unwrap_or_default();
    rest.windows(DASHES.len()).any(|window| window == DASHES.as_bytes())
}

/// A label for an error message. What no label looks like may be a piece of a key.
pub(super) fn label(label: &str) -> String {
    let is_label = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' ';
    if label.chars().all(is_label) { printable(label, 40) } else { "…".to_owned() }
}

/// Lines without surrounding white space, and where they start.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let (length, line_end) = match rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            Some(length) => (length, if rest[length..].starts_with(b"\r\n") { 2 } else { 1 }),
            None => (rest.len(), 0),
        };
        self.at = start + length + line_end;
        Some((start, rest[..length].trim_ascii()))
    }
}

/// Decodes base64 (RFC 4648, section 4), white space ignored; `None` if it is not.
fn base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // Large enough from the start: a vector that grows would leave copies of a key behind.
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3 + 3));
    let mut symbols = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).peekable();
    let (mut bits, mut count) = (0u32, 0u32);
    while let Some(symbol) = symbols.next_if(|&symbol| symbol != b'=') {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count % 4 == 0 {
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
            bits = 0;
        }
    }
    match count % 4 {
        0 => {}
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&((bits >> 2) as u16).to_be_bytes()),
        _ => return None,
    }
    let mut padding = 0;
    while symbols.next_if_eq(&b'=').is_some() {
        padding += 1;
    }
    let complete = symbols.next().is_none() && (count + padding) % 4 == 0 && padding < 3;
    complete.then_some(out)
}

/// What a DER structure is, by its first elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Der {
    /// X.509 (RFC 5280): SEQUENCE { SEQUENCE, SEQUENCE, … }.
    Certificate,
    /// PKCS#8 (RFC 5958): SEQUENCE { INTEGER 0 or 1, SEQUENCE, … }.
    Pkcs8,
    /// PKCS#8 under a password (RFC 5958, section 3): SEQUENCE { SEQUENCE, OCTET STRING }.
    EncryptedPkcs8,
    /// RSA's own form (RFC 8017, appendix A.1.2): SEQUENCE { INTEGER 0, INTEGER, … }.
    Pkcs1,
    /// Elliptic curves' own form (RFC 5915): SEQUENCE { INTEGER 1, OCTET STRING, … }.
    Sec1,
    /// A password-protected bundle (RFC 7292): SEQUENCE { INTEGER 3, SEQUENCE, … }.
    Pkcs12,
    /// None of these.
    Unknown,
}

/// Looks at the outermost elements; whether the rest is sound is for the parser of that form to say.
pub(super) fn sniff(der: &[u8]) -> Der {
    let Some((SEQUENCE, content, [])) = element(der) else {
        return Der::Unknown;
    };
    let Some((first, value, rest)) = element(content) else {
        return Der::Unknown;
    };
    let second = element(rest).map(|(tag, ..)| tag);
    match (first, value, second) {
        (SEQUENCE, _, Some(SEQUENCE)) => Der::Certificate,
        (SEQUENCE, _, Some(OCTET_STRING)) => Der::EncryptedPkcs8,
        (INTEGER, [0 | 1], Some(SEQUENCE)) => Der::Pkcs8,
        (INTEGER, [0], Some(INTEGER)) => Der::Pkcs1,
        (INTEGER, [1], Some(OCTET_STRING)) => Der::Sec1,
        (INTEGER, [3], Some(SEQUENCE)) => Der::Pkcs12,
        _ => Der::Unknown,
    }
}

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// The first element (X.690): its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0usize, |length, &byte| length << 8 | usize::from(byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Text from outside for an error message: bounded, and nothing in it that moves a terminal's cursor.
pub(super) fn printable(text: &str, max_chars: usize) -> String {
    let mut shown: String = text
        .chars()
        .take(max_chars)
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' })
        .collect();
    if text.chars().nth(max_chars).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &[u8]) -> (String, Vec<u8>) {
        let blocks = blocks(text).unwrap();
        assert_eq!(blocks.len(), 1);
        (blocks[0].label.to_owned(), blocks[0].decode().unwrap().to_vec())
    }

    #[test]
    fn reads_blocks_whatever_is_around_them() {
        let expected = ("X".to_owned(), b"hello".to_vec());
        for text in [
            "-----BEGIN X-----\naGVsbG8=\n-----END X-----\n",
            "-----BEGIN X-----\r\naGVs\r\nbG8=\r\n-----END X-----",
            "-----BEGIN X-----\raGVsbG8=\r-----END X-----\r",
            "\u{feff}-----BEGIN X-----\naGVsbG8=\n-----END X-----\n",
            "subject=CN = a\n  -----BEGIN X-----  \n  aGVs bG8=\n\n\t-----END X-----\nafter: words\n",
            "-----BEGIN X-----\nA-Header: 1\n continued\n\naGVsbG8=\n-----END X-----\n",
        ] {
            assert_eq!(one(text.as_bytes()), expected, "{text:?}");
        }
        assert!(blocks(b"nothing here").unwrap().is_empty());
        assert!(blocks(b"").unwrap().is_empty());
    }

    #[test]
    fn sees_encryption_in_the_headers() {
        let text =
            b"-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END X-----";
        let blocks = blocks(text).unwrap();
        assert!(blocks[0].encrypted);
        assert_eq!(*blocks[0].decode().unwrap(), [0, 0, 0]);
    }

    #[test]
    fn names_the_fault() {
        for (text, fault) in [
            ("-----BEGIN X-----\naGVsbG8=\n", "has no end: the text is cut off"),
            ("-----BEGIN X-----\naGVsbG8=\n-----END X----", "has no end: the text is cut off"),
            ("-----BEGIN X-----\nAAAA\n-----END Y-----", "ends as 'Y'"),
            (
                "-----BEGIN X-----\nAAAA\n-----BEGIN X-----\nAAAA\n-----END X-----",
                "before the next one begins",
            ),
            ("-----BEGIN X-----s3cr3t-----END X-----", "line breaks are missing"),
            ("-----BEGIN X-----\\ns3cr3t\\n-----END X-----\\n", "line breaks are missing"),
            ("-----BEGIN X-----s3cr3t\n-----END X-----", "line breaks are missing"),
            ("-----BEGIN s3cr3t-----\nAAAA\n", "the block '…' has no end"),
            ("-----BEGIN X-----\nAAAA\n-----END s3cr3t-----", "the block 'X' ends as '…'"),
        ] {
            let found = blocks(text.as_bytes()).err().expect(text);
            assert!(found.contains(fault) && !found.contains("s3cr3t"), "{text:?}: {found}");
        }
        for body in ["A", "AA", "AAA", "AA=", "AA===", "AA==A", "AAAA====", "A*AA", "====", "AAA=="] {
            let text = format!("-----BEGIN X-----\n{body}\n-----END X-----");
            assert!(blocks(text.as_bytes()).unwrap()[0].decode().is_err(), "{body}");
        }
    }

    #[test]
    fn tells_a_path_from_a_key() {
        let key = include_str!("testdata/test-only-rsa.pkcs8.pem");
        let body: String = key.lines().filter(|line| !line.starts_with(DASHES)).collect();
        assert!(may_be_key(key) && may_be_key(&body) && may_be_key("AA==-----END PRIVATE KEY-----"));
        for path in ["/etc/device/key.pem", "key", "AAAA", "--/-key", ""] {
            assert!(!may_be_key(path), "{path}");
        }
    }

    #[test]
    fn decodes_base64_of_every_length() {
        // RFC 4648, section 10.
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
        ] {
            assert_eq!(base64(text.as_bytes()).unwrap().as_slice(), bytes.as_bytes());
        }
        assert_eq!(*base64(b"+/+/").unwrap(), [0xfb, 0xff, 0xbf]);
    }

    #[test]
    fn survives_every_cut_and_every_flipped_byte() {
        let text = b"-----BEGIN X-----\nK: v\n\naGVsbG8=\n-----END X-----\n".to_vec();
        for cut in 0..text.len() {
            let _ = blocks(&text[..cut]).map(|blocks| blocks.iter().filter(|b| b.decode().is_ok()).count());
            for byte in [0u8, b'\n', b'-', b':', b'=', 0xff] {
                let mut text = text.clone();
                text[cut] = byte;
                let _ = blocks(&text).map(|blocks| blocks.iter().filter(|b| b.decode().is_ok()).count());
            }
        }
    }

    #[test]
    fn tells_der_structures_apart() {
        for (der, kind) in [
            (&[0x30, 0x04, 0x30, 0x00, 0x30, 0x00][..], Der::Certificate),
            (&[0x30, 0x04, 0x30, 0x00, 0x04, 0x00], Der::EncryptedPkcs8),
            (&[0x30, 0x05, 0x02, 0x01, 0x00, 0x30, 0x00], Der::Pkcs8),
            (&[0x30, 0x81, 0x05, 0x02, 0x01, 0x00, 0x02, 0x00], Der::Pkcs1),
            (&[0x30, 0x05, 0x02, 0x01, 0x01, 0x04, 0x00], Der::Sec1),
            (&[0x30, 0x05, 0x02, 0x01, 0x03, 0x30, 0x00], Der::Pkcs12),
            (&[0x30, 0x04, 0x30, 0x00, 0x30, 0x00, 0x00], Der::Unknown),
            (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30], Der::Unknown),
            (&[0x30, 0x80], Der::Unknown),
            (&[0x30], Der::Unknown),
            (&[], Der::Unknown),
        ] {
            assert_eq!(sniff(der), kind, "{der:02x?}");
        }
    }

    #[test]
    fn prints_nothing_that_moves_the_cursor() {
        assert_eq!(printable("a\x1b[2Jb\u{202e}", 40), "a?[2Jb?");
        assert_eq!(printable("abcdef", 3), "abc…");
    }
}
