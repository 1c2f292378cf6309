//! The older formats of private keys, cut out of PKCS#8: SEC1 for elliptic curves, PKCS#1 for RSA.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 0x04;
/// `[0] { OID prime256v1 }`, which SEC1 needs and PKCS#8 keeps outside.
const P256_PARAMETERS: [u8; 12] = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// One DER element: tag, content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let digits = rest.get(..usize::from(first & 0x7f)).filter(|digits| digits.len() <= 4)?;
        let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
        (length, &rest[digits.len()..])
    };
    Some((tag, rest.get(..length)?, &rest[length..]))
}

fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    match content.len() {
        short @ ..0x80 => der.push(short as u8),
        long => {
            let digits = long.to_be_bytes();
            let digits = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
            der.push(0x80 | digits.len() as u8);
            der.extend_from_slice(digits);
        }
    }
    der.extend_from_slice(content);
    der
}

/// The key inside a PKCS#8 envelope: PKCS#1 for RSA, a parameterless SEC1 for elliptic curves.
pub(crate) fn inner_key(pkcs8: &[u8]) -> Option<&[u8]> {
    let (_, envelope, _) = element(pkcs8).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_version, _, rest) = element(envelope)?;
    let (_algorithm, _, rest) = element(rest)?;
    let (_, key, _) = element(rest).filter(|(tag, ..)| *tag == OCTET_STRING)?;
    Some(key)
}

/// A P-256 key as SEC1 (`EC PRIVATE KEY`), with the curve named.
pub(crate) fn sec1(pkcs8: &[u8]) -> Option<Vec<u8>> {
    let (_, key, _) = element(inner_key(pkcs8)?)?;
    let (_version, _, rest) = element(key)?;
    let (_scalar, _, public) = element(rest)?;
    let private = &key[..key.len() - public.len()];
    Some(wrap(SEQUENCE, &[private, &P256_PARAMETERS, public].concat()))
}

/// A PEM block.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivateSec1KeyDer};

    use super::*;

    #[test]
    fn a_curve_key_survives_as_sec1() {
        let key = rcgen::KeyPair::generate().unwrap();
        let pem = pem("EC PRIVATE KEY", &sec1(key.serialized_der()).unwrap());
        let sec1 = PrivateSec1KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        rustls::crypto::ring::sign::any_supported_type(&PrivateKeyDer::Sec1(sec1)).unwrap();
    }

    #[test]
    fn an_rsa_key_survives_as_pkcs1() {
        let key = rcgen::KeyPair::from_pem(include_str!("keys/client-rsa.pem")).unwrap();
        let pem = pem("RSA PRIVATE KEY", inner_key(key.serialized_der()).unwrap());
        let pkcs1 = PrivatePkcs1KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        rustls::crypto::ring::sign::any_supported_type(&PrivateKeyDer::Pkcs1(pkcs1)).unwrap();
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for broken in [&[][..], &[0x30], &[0x30, 0x05, 1], &[0x30, 0x85, 1, 1, 1, 1, 1], &[0x30, 0x84]] {
            assert_eq!(inner_key(broken), None);
        }
    }
}
