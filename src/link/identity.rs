//! What the device proves itself with: a client certificate and its private key.

use super::pem::{self, Der, MAX_INPUT};
use crate::{Error, ErrorKind, Result, Secret};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error as TlsError, InconsistentKeys};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A client certificate chain and its private key, parsed and found to belong together.
///
/// Cloning shares both. Its `Debug` shows neither.
#[derive(Clone)]
pub(crate) struct Identity(pub(super) Arc<CertifiedKey>);

impl Identity {
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
            Ok(()) | Err(TlsError::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(Self(Arc::new(pair))),
            Err(TlsError::InconsistentKeys(_)) => Err(Error::new(
                ErrorKind::KeyMismatch,
                "the private key does not belong to the client certificate; if the certificate comes with its \
                 issuers, the device's own must be the first",
            )),
            Err(reason) => Err(bad_certificate(format_args!(
                "the client certificate cannot be used: {reason}"
            ))),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} certificates, key ***)", self.0.cert.len())
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
            let der = block
                .decode()
                .map_err(|fault| bad_certificate(format_args!("the {what}: {fault}")))?;
            chain.push(CertificateDer::from(der.to_vec()));
        }
    }
    if !chain.is_empty() {
        return Ok(chain);
    }
    if blocks.iter().any(|block| block.label.ends_with("PRIVATE KEY")) {
        return Err(holds_a_key(what));
    }
    Err(bad_certificate(format_args!(
        "the {what} has no block 'CERTIFICATE' in it{}",
        found(&blocks)
    )))
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
                pem::printable(label, 40)
            )));
        }
    };
    let der: Zeroizing<Vec<u8>> = block
        .decode()
        .map_err(|fault| bad_key(format!("the private key: {fault}")))?;
    load(kind, &der)
}

fn load(kind: Der, der: &[u8]) -> Result<Arc<dyn SigningKey>> {
    let key = match kind {
        Der::Pkcs8 => PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der)),
        Der::Pkcs1 => PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(der)),
        Der::Sec1 => PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(der)),
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
    any_supported_type(&key).map_err(|_| {
        bad_key(
            "the private key is damaged or of a kind that is not supported: \
             it must be RSA with 2048 to 4096 bits, ECDSA on P-256 or P-384, or Ed25519",
        )
    })
}

fn check_size(input: &[u8], what: &str, kind: ErrorKind) -> Result<()> {
    if input.is_empty() {
        return Err(Error::new(kind, format!("the {what} is empty")));
    }
    if input.len() > MAX_INPUT {
        return Err(Error::new(
            kind,
            format!(
                "the {what} has {} bytes; at most {MAX_INPUT} are read",
                input.len()
            ),
        ));
    }
    Ok(())
}

/// Tells what is there instead of what was looked for.
fn found(blocks: &[pem::Block<'_>]) -> String {
    match blocks.first() {
        Some(block) => format!(", but a block '{}'", pem::printable(block.label, 40)),
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
    bad_certificate(format_args!(
        "the {what} holds a private key and no certificate: are the two swapped?"
    ))
}

fn holds_a_certificate() -> Error {
    bad_key("the private key holds a certificate and no key: are the two swapped?")
}
