//! Keys on elliptic curves in their own form (RFC 5915), which `ring` takes only inside of PKCS#8 (RFC 5958). rustls would
//! wrap them too, and leave copies in freed memory.

use zeroize::Zeroizing;

/// The version, and what kind of key it is: id-ecPublicKey on P-256, on P-384.
const KINDS: [&[u8]; 2] = [
    b"\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
    b"\x02\x01\x00\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22",
];

/// The key as PKCS#8, on each curve that can be used: it need not say itself which one it is on.
pub(super) fn as_pkcs8(sec1: &[u8]) -> [Zeroizing<Vec<u8>>; 2] {
    KINDS.map(|kind| {
        let octets = head(0x04, sec1.len());
        let sequence = head(0x30, kind.len() + octets.len() + sec1.len());
        // Allocated once: growing would leave a part of the key behind.
        let parts = [&sequence, kind, &octets, sec1];
        let mut out = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
        parts.iter().for_each(|part| out.extend_from_slice(part));
        out
    })
}

/// Tag and length (X.690, 8.1).
fn head(tag: u8, len: usize) -> Vec<u8> {
    let bytes = len.to_be_bytes();
    let bytes = &bytes[(len.leading_zeros() / 8) as usize..];
    match bytes {
        [] => vec![tag, 0],
        [short @ 0..=0x7f] => vec![tag, *short],
        long => [&[tag, 0x80 | long.len() as u8], long].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_lengths_as_der_wants_them() {
        for (len, written) in [
            (0, &[4, 0][..]),
            (1, &[4, 1]),
            (127, &[4, 127]),
            (128, &[4, 0x81, 128]),
            (255, &[4, 0x81, 255]),
            (256, &[4, 0x82, 1, 0]),
            (65_536, &[4, 0x83, 1, 0, 0]),
        ] {
            assert_eq!(head(4, len), written);
        }
    }

    #[test]
    fn never_grows() {
        for pkcs8 in as_pkcs8(&[7; 300]) {
            assert_eq!(pkcs8.capacity(), pkcs8.len());
            assert!(pkcs8.ends_with(&[7; 300]));
        }
    }
}
