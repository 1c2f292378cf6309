//! What the device proves itself with: a client certificate and its private key.

use super::file::read_file;
use super::pem::{self, Der, MAX_INPUT};
use super::sec1;
use super::validity::Validity;
use crate::{Error, ErrorKind, Result, Secret};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error as TlsError, InconsistentKeys};
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;
use zeroize::Zeroizing;

/// A client certificate chain and its private key, parsed and found to belong together.
///
/// Cloning shares both. Its `Debug` shows neither.
#[derive(Clone)]
pub(crate) struct Identity(pub(super) Arc<CertifiedKey>);

impl Identity {
    /// Reads the certificate (chain) and the key from files.
    pub(crate) fn from_files(certificate: &str, key: &str) -> Result<Self> {
        let certificate = read_file(certificate, "certificate")?;
        let key = read_file(key, "private key")?.into();
        Self::from_bytes(&certificate, &key)
    }

    /// Parses the certificate chain (PEM, the client's own certificate first, or a single certificate in DER)
    /// and the private key (PKCS#8, PKCS#1 or SEC1, in PEM or DER), and makes sure that they are a pair.
    ///
    /// RSA keys of 2048 to 4096 bits, ECDSA keys on P-256 and P-384, and Ed25519 keys can be used.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCertificate`], [`ErrorKind::InvalidPrivateKey`] (also for a key that is protected by a
    /// password) or [`ErrorKind::KeyMismatch`].
    pub(crate) fn from_bytes(certificate: &[u8], key: &Secret) -> Result<Self> {
        let chain = certificates(certificate, "client certificate")?;
        for (index, certificate) in chain.iter().enumerate() {
            ParsedCertificate::try_from(certificate).map_err(|reason| {
                bad_certificate(format_args!(
                    "the client certificate cannot be used: certificate {} of {} is damaged ({reason})",
                    index + 1,
                    chain.len()
                ))
            })?;
        }
        let pair = CertifiedKey::new(chain, private_key(key.expose())?);
        match pair.keys_match() {
            Ok(()) | Err(TlsError::InconsistentKeys(InconsistentKeys::Unknown)) => {
                tell_validity(&pair);
                Ok(Self(Arc::new(pair)))
            }
            Err(TlsError::InconsistentKeys(_)) => Err(Error::new(
                ErrorKind::KeyMismatch,
                "the private key does not belong to the client certificate; if the certificate comes with its \
                 issuers, the device's own must be the first",
            )),
            Err(reason) => {
                Err(bad_certificate(format_args!("the client certificate cannot be used: {reason}")))
            }
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} certificates, key ***)", self.0.cert.len())
    }
}

/// A server that refuses a certificate for its age says so vaguely, if at all.
fn tell_validity(pair: &CertifiedKey) {
    let Some(validity) = pair.cert.first().and_then(|own| Validity::of(own)) else { return };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    if (validity.from..=validity.until).contains(&now) {
        tracing::debug!(valid = %validity, "the client certificate is valid");
    } else {
        tracing::warn!(
            valid = %validity,
            "the client certificate is not valid now, as this device's clock has it: a server will refuse it"
        );
    }
}

/// The certificates in `input`, at least one; `what` names the input in an error.
pub(super) fn certificates(input: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>> {
    check_size(input, what, ErrorKind::InvalidCertificate)?;
    if !pem::is_pem(input) {
        return match pem::sniff(input) {
            Der::Certificate => Ok(vec![CertificateDer::from(input.to_vec())]),
            Der::Unknown => Err(bad_certificate(format_args!(
                "the {what} is neither PEM (a text with a line '-----BEGIN CERTIFICATE-----') nor a certificate in DER"
            ))),
            Der::Pkcs12 => Err(bad_certificate(format_args!(
                "the {what} is a PKCS#12 bundle, which is not supported: \
                 take it apart with 'openssl pkcs12 -in FILE -nodes'"
            ))),
            Der::Pkcs8 | Der::EncryptedPkcs8 | Der::Pkcs1 | Der::Sec1 => Err(holds_a_key(what)),
        };
    }
    let blocks = pem::blocks(input).map_err(|fault| bad_certificate(format_args!("the {what}: {fault}")))?;
    let mut chain = Vec::new();
    for block in &blocks {
        if matches!(block.label, "CERTIFICATE" | "X509 CERTIFICATE") {
            let der = block.decode().map_err(|fault| bad_certificate(format_args!("the {what}: {fault}")))?;
            chain.push(CertificateDer::from(der.to_vec()));
        }
    }
    if !chain.is_empty() {
        return Ok(chain);
    }
    if blocks.iter().any(|block| block.label.ends_with("PRIVATE KEY")) {
        return Err(holds_a_key(what));
    }
    Err(bad_certificate(format_args!("the {what} has no block 'CERTIFICATE' in it{}", found(&blocks))))
}

/// The private key in `input`, of whatever form.
fn private_key(input: &[u8]) -> Result<Arc<dyn SigningKey>> {
    check_size(input, "private key", ErrorKind::InvalidPrivateKey)?;
    if !pem::is_pem(input) {
        return match pem::sniff(input) {
            Der::Unknown => Err(bad_key(
                "the private key is neither PEM (a text with a line '-----BEGIN PRIVATE KEY-----') nor DER",
            )),
            kind => load(kind, input),
        };
    }
    let blocks = pem::blocks(input).map_err(|fault| bad_key(format!("the private key: {fault}")))?;
    // A certificate in the same file is as common as the EC PARAMETERS before an EC key.
    let Some(block) = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")) else {
        let swapped = blocks.iter().any(|block| block.label.ends_with("CERTIFICATE"));
        return Err(if swapped {
            holds_a_certificate()
        } else {
            bad_key(format!("there is no private key in the text{}", found(&blocks)))
        });
    };
    let kind = match block.label {
        _ if block.encrypted => Der::EncryptedPkcs8,
        "ENCRYPTED PRIVATE KEY" => Der::EncryptedPkcs8,
        "PRIVATE KEY" => Der::Pkcs8,
        "RSA PRIVATE KEY" => Der::Pkcs1,
        "EC PRIVATE KEY" => Der::Sec1,
        label => {
            return Err(bad_key(format!(
                "a private key of the form '{}' is not supported: convert it with 'openssl pkcs8 -topk8 -nocrypt'",
                pem::label(label)
            )));
        }
    };
    let der: Zeroizing<Vec<u8>> =
        block.decode().map_err(|fault| bad_key(format!("the private key: {fault}")))?;
    load(kind, &der)
}

fn load(kind: Der, der: &[u8]) -> Result<Arc<dyn SigningKey>> {
    let unsupported = || {
        bad_key(
            "the private key is damaged or of a kind that is not supported: \
             it must be RSA with 2048 to 4096 bits, ECDSA on P-256 or P-384, or Ed25519",
        )
    };
    let key = match kind {
        Der::Pkcs8 => PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der)),
        Der::Pkcs1 => PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(der)),
        Der::Sec1 => {
            let loaded = sec1::as_pkcs8(der).iter().find_map(|key| load(Der::Pkcs8, key).ok());
            return loaded.ok_or_else(unsupported);
        }
        Der::EncryptedPkcs8 => {
            return Err(bad_key(
                "the private key is encrypted with a password, which a device cannot type: \
                 decrypt it with 'openssl pkey -in FILE -out FILE'",
            ));
        }
        Der::Pkcs12 => {
            return Err(bad_key(
                "the private key is a PKCS#12 bundle, which is not supported: \
                 take it apart with 'openssl pkcs12 -in FILE -nodes'",
            ));
        }
        Der::Certificate => return Err(holds_a_certificate()),
        Der::Unknown => return Err(bad_key("the private key is damaged")),
    };
    any_supported_type(&key).map_err(|_| unsupported())
}

fn check_size(input: &[u8], what: &str, kind: ErrorKind) -> Result<()> {
    if input.is_empty() {
        return Err(Error::new(kind, format!("the {what} is empty")));
    }
    if input.len() > MAX_INPUT {
        return Err(Error::new(
            kind,
            format!("the {what} has {} bytes; at most {MAX_INPUT} are read", input.len()),
        ));
    }
    Ok(())
}

/// Tells what is there instead of what was looked for.
fn found(blocks: &[pem::Block<'_>]) -> String {
    match blocks.first() {
        Some(block) => format!(", but a block '{}'", pem::label(block.label)),
        None => String::new(),
    }
}

fn bad_certificate(text: fmt::Arguments<'_>) -> Error {
    Error::new(ErrorKind::InvalidCertificate, text.to_string())
}

fn bad_key(text: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidPrivateKey, text)
}

fn holds_a_key(what: &str) -> Error {
    bad_certificate(format_args!("the {what} holds a private key and no certificate: are the two swapped?"))
}

fn holds_a_certificate() -> Error {
    bad_key("the private key holds a certificate and no key: are the two swapped?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    macro_rules! data {
        ($name:literal) => {
            include_bytes!(concat!("testdata/test-only-", $name))
        };
    }

    fn der(text: &[u8]) -> Vec<u8> {
        pem::blocks(text).unwrap().pop().unwrap().decode().unwrap().to_vec()
    }

    fn with(text: &[u8], from: &str, to: &str) -> Vec<u8> {
        String::from_utf8(text.to_vec()).unwrap().replace(from, to).into_bytes()
    }

    fn parse(certificate: &[u8], key: &[u8]) -> Result<usize> {
        Identity::from_bytes(certificate, &Secret::new(key)).map(|identity| identity.0.cert.len())
    }

    #[test]
    fn takes_every_common_form() {
        let (rsa, ec) = (data!("rsa.crt.pem"), data!("ec.crt.pem"));
        let chain = [&rsa[..], ec].concat();
        let both = [&rsa[..], data!("rsa.pkcs8.pem")].concat();
        for (certificate, key, length) in [
            (&rsa[..], &data!("rsa.pkcs8.pem")[..], 1),
            (rsa, data!("rsa.pkcs1.pem"), 1),
            (rsa, &der(data!("rsa.pkcs8.pem")), 1),
            (rsa, &der(data!("rsa.pkcs1.pem")), 1),
            (&der(rsa), data!("rsa.pkcs1.pem"), 1),
            (ec, data!("ec.sec1.pem"), 1),
            (ec, &der(data!("ec.sec1.pem")), 1),
            (&chain, data!("rsa.pkcs8.pem"), 2),
            (&both, &both, 1),
            (&with(rsa, "\n", "\r\n"), &with(data!("rsa.pkcs8.pem"), "\n", "\r\n"), 1),
            (&with(rsa, "-----BEGIN", "\u{feff}-----BEGIN"), data!("rsa.pkcs8.pem"), 1),
        ] {
            assert_eq!(parse(certificate, key), Ok(length));
        }
    }

    #[test]
    fn takes_keys_on_other_curves() {
        for algorithm in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let certificate = CertificateParams::default().self_signed(&key).unwrap();
            assert_eq!(parse(certificate.der(), key.serialized_der()), Ok(1));
            assert_eq!(parse(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()), Ok(1));
        }
    }

    #[test]
    fn takes_a_curve_s_own_form_on_p_384_too() {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        let pkcs8 = key.serialized_der();
        // Its version and its number of 48 bytes.
        let inside = pkcs8.windows(5).position(|window| window == [2, 1, 1, 4, 48]).unwrap();
        assert_eq!(parse(certificate.der(), &pkcs8[inside - 3..]), Ok(1));
    }

    #[test]
    fn says_what_is_wrong() {
        use ErrorKind::{InvalidCertificate, InvalidPrivateKey, KeyMismatch};
        let (rsa, rsa_key) = (&data!("rsa.crt.pem")[..], &data!("rsa.pkcs8.pem")[..]);
        let mut broken = der(rsa);
        broken.truncate(600);
        broken[2..4].copy_from_slice(&[0x02, 0x54]);
        for (certificate, key, kind, text) in [
            (rsa, &data!("ec.sec1.pem")[..], KeyMismatch, "does not belong to the client certificate"),
            (data!("ec.crt.pem"), rsa_key, KeyMismatch, "does not belong to the client certificate"),
            (rsa, data!("rsa.pkcs8-encrypted.pem"), InvalidPrivateKey, "encrypted with a password"),
            (rsa, data!("rsa.pkcs1-encrypted.pem"), InvalidPrivateKey, "encrypted with a password"),
            (rsa, &der(data!("rsa.pkcs8-encrypted.pem")), InvalidPrivateKey, "encrypted with a password"),
            (rsa, data!("rsa.p12"), InvalidPrivateKey, "PKCS#12"),
            (data!("rsa.p12"), rsa_key, InvalidCertificate, "PKCS#12"),
            (rsa, data!("p521.sec1.pem"), InvalidPrivateKey, "P-256 or P-384"),
            (rsa, data!("rsa1024.pkcs1.pem"), InvalidPrivateKey, "2048 to 4096 bits"),
            (rsa, rsa, InvalidPrivateKey, "swapped"),
            (rsa, &der(rsa), InvalidPrivateKey, "swapped"),
            (rsa_key, rsa, InvalidCertificate, "swapped"),
            (&der(rsa_key), rsa, InvalidCertificate, "swapped"),
            (rsa, b"", InvalidPrivateKey, "the private key is empty"),
            (b"", rsa_key, InvalidCertificate, "the client certificate is empty"),
            (rsa, b"\x00\x01garbage", InvalidPrivateKey, "neither PEM"),
            (b"\x00\x01garbage", rsa_key, InvalidCertificate, "neither PEM"),
            (rsa, &rsa_key[..500], InvalidPrivateKey, "has no end"),
            (&rsa[..500], rsa_key, InvalidCertificate, "has no end"),
            (&broken, rsa_key, InvalidCertificate, "certificate 1 of 1 is damaged"),
            (&vec![b'x'; MAX_INPUT + 1], rsa_key, InvalidCertificate, "at most 1048576"),
            (rsa, &vec![b'x'; MAX_INPUT + 1], InvalidPrivateKey, "at most 1048576"),
            (
                b"-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----",
                rsa_key,
                InvalidCertificate,
                "but a block 'TRUSTED CERTIFICATE'",
            ),
            (
                rsa,
                b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
                InvalidPrivateKey,
                "'OPENSSH PRIVATE KEY' is not supported",
            ),
        ] {
            let error = parse(certificate, key).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.message().contains(text), "{text}: {error}");
        }
    }

    #[test]
    fn shows_no_key() {
        let key = Secret::new(&data!("ec.sec1.pem")[..]);
        let identity = Identity::from_bytes(data!("ec.crt.pem"), &key).unwrap();
        assert_eq!(format!("{identity:?}"), "Identity(1 certificates, key ***)");
    }

    #[test]
    fn survives_damage_anywhere() {
        let (certificate, key) = (der(data!("ec.crt.pem")), der(data!("ec.sec1.pem")));
        for at in 0..certificate.len() {
            let mut damaged = certificate.clone();
            damaged[at] ^= 0xff;
            let _ = parse(&damaged, &key);
            let _ = parse(&certificate[..at], &key);
        }
        for at in 0..key.len() {
            let mut damaged = key.clone();
            damaged[at] ^= 0xff;
            let _ = parse(&certificate, &damaged);
            assert!(parse(&certificate, &key[..at]).is_err());
        }
    }
}
