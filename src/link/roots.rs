//! Whom we trust to vouch for the server.

use super::identity::certificates;
use crate::{Error, ErrorKind, Result};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Which certificate authorities are trusted.
#[derive(Clone, Debug, Default)]
pub(crate) enum Roots {
    /// The platform's. On Apple's systems, Android and Windows the platform itself verifies; elsewhere its
    /// certificate files are read, or those that the environment variables `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name. A system without any (a small firmware image) gets the built-in roots of Amazon
    /// Trust Services, which are those of AWS IoT Core.
    #[default]
    Platform,
    /// The application's own and no others: PEM with one or many certificates, or one in DER.
    Pem(Vec<u8>),
}

/// A verifier, and what it trusts, for error messages.
pub(super) struct Trust {
    pub verifier: Arc<dyn ServerCertVerifier>,
    pub origin: Origin,
}

/// Where the trusted roots come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    any(target_vendor = "apple", target_os = "android", windows),
    allow(dead_code)
)]
pub(super) enum Origin {
    /// The platform's own verifier, which does not tell its roots.
    PlatformVerifier,
    /// The platform's certificate files.
    Platform(usize),
    /// The application.
    Application(usize),
    /// This library.
    BuiltIn(usize),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roots = |n: usize| if n == 1 { "root" } else { "roots" };
        match *self {
            Self::PlatformVerifier => write!(f, "the roots of the platform"),
            Self::Platform(n) => write!(f, "the {n} {} of the platform", roots(n)),
            Self::Application(n) => write!(f, "the {n} {} that the application gave", roots(n)),
            Self::BuiltIn(n) => {
                write!(
                    f,
                    "the {n} built-in {} of Amazon, because the platform has none",
                    roots(n)
                )
            }
        }
    }
}

impl Trust {
    /// Reads the roots. Those of the platform are read once and shared while any client uses them.
    pub fn new(roots: &Roots, provider: &Arc<CryptoProvider>) -> Result<Arc<Self>> {
        match roots {
            Roots::Pem(input) => {
                let (store, count) = application(input)?;
                Ok(Arc::new(Self::webpki(
                    store,
                    Origin::Application(count),
                    provider,
                )?))
            }
            Roots::Platform => {
                static SHARED: Mutex<Weak<Trust>> = Mutex::new(Weak::new());
                // Held while reading, so that clients made at the same time read the files once.
                let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(trust) = shared.upgrade() {
                    return Ok(trust);
                }
                let trust = Arc::new(platform(provider)?);
                *shared = Arc::downgrade(&trust);
                Ok(trust)
            }
        }
    }

    fn webpki(store: RootCertStore, origin: Origin, provider: &Arc<CryptoProvider>) -> Result<Self> {
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone())
            .build()
            .map_err(|reason| Error::new(ErrorKind::Internal, format!("TLS verifier: {reason}")))?;
        Ok(Self { verifier, origin })
    }
}

fn application(input: &[u8]) -> Result<(RootCertStore, usize)> {
    let what = "CA certificate";
    let found = certificates(input, what)?;
    let total = found.len();
    let mut store = RootCertStore::empty();
    // A bundle may have a certificate in it that is of no use to us; only if all are, something is wrong.
    let (count, refused) = store.add_parsable_certificates(found);
    if count == 0 {
        return Err(Error::new(
            ErrorKind::InvalidCertificate,
            format!("the {what} is damaged: none of its {total} certificates can be read"),
        ));
    }
    if refused > 0 {
        tracing::warn!(
            refused,
            count,
            "some CA certificates cannot be read and are not trusted"
        );
    }
    store.roots.shrink_to_fit();
    Ok((store, count))
}

#[cfg(any(target_vendor = "apple", target_os = "android", windows))]
fn platform(provider: &Arc<CryptoProvider>) -> Result<Trust> {
    let verifier = rustls_platform_verifier::Verifier::new(provider.clone()).map_err(|reason| {
        Error::new(
            ErrorKind::System,
            format!("the platform's TLS verifier: {reason}"),
        )
    })?;
    Ok(Trust {
        verifier: Arc::new(verifier),
        origin: Origin::PlatformVerifier,
    })
}

#[cfg(not(any(target_vendor = "apple", target_os = "android", windows)))]
fn platform(provider: &Arc<CryptoProvider>) -> Result<Trust> {
    let found = rustls_native_certs::load_native_certs();
    let asked_for = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .into_iter()
        .find(|name| std::env::var_os(name).is_some());
    let (store, origin) = choose(
        found.certs,
        asked_for,
        found.errors.first().map(|reason| reason.to_string()),
    )?;
    Trust::webpki(store, origin, provider)
}

/// The platform's roots, or the built-in ones if it has none; but who names a place (`asked_for`) means it.
#[cfg_attr(
    any(target_vendor = "apple", target_os = "android", windows),
    allow(dead_code)
)]
fn choose(
    found: Vec<CertificateDer<'static>>,
    asked_for: Option<&str>,
    reason: Option<String>,
) -> Result<(RootCertStore, Origin)> {
    let mut store = RootCertStore::empty();
    let (count, _) = store.add_parsable_certificates(found);
    let origin = match (count, asked_for) {
        (0, Some(variable)) => {
            let reason = reason.unwrap_or_else(|| "there is no certificate".to_owned());
            return Err(Error::new(
                ErrorKind::File,
                format!("no CA certificate where the environment variable {variable} says: {reason}"),
            ));
        }
        (0, None) => {
            let (count, _) = store.add_parsable_certificates(BUILT_IN.map(CertificateDer::from));
            tracing::info!(
                count,
                "the platform has no CA certificates; using the built-in roots of Amazon"
            );
            Origin::BuiltIn(count)
        }
        (count, _) => Origin::Platform(count),
    };
    store.roots.shrink_to_fit();
    Ok((store, origin))
}

/// Amazon Trust Services' roots (<https://www.amazontrust.com/repository/>): whatever chain AWS IoT Core
/// presents ends at one of these.
#[cfg_attr(
    any(target_vendor = "apple", target_os = "android", windows),
    allow(dead_code)
)]
const BUILT_IN: [&[u8]; 5] = [
    include_bytes!("roots/amazon-root-ca-1.der"),
    include_bytes!("roots/amazon-root-ca-2.der"),
    include_bytes!("roots/amazon-root-ca-3.der"),
    include_bytes!("roots/amazon-root-ca-4.der"),
    include_bytes!("roots/starfield-services-root-ca-g2.der"),
];
