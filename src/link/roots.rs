//! Whom we trust to vouch for the server.

use super::identity::certificates;
use crate::process::{PerProcess, lock};
use crate::{Error, ErrorKind, Result, Secret};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};

/// Which certificate authorities are trusted.
#[derive(Clone, Debug, Default)]
pub(crate) enum Roots {
    /// The platform's. On Apple's systems, Android and Windows the platform itself verifies; elsewhere its
    /// certificate files are read, or those that the environment variables `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name. A system without any (a small firmware image) gets the built-in roots of Amazon
    /// Trust Services, which are those of AWS IoT Core.
    #[default]
    Platform,
    /// The application's own and no others: PEM with one or many certificates, or one in DER. A secret, since a
    /// bundle may have a key in it.
    Pem(Secret),
}

impl Roots {
    /// The application's own, checked.
    pub(crate) fn from_pem(input: &[u8]) -> Result<Self> {
        application(input)?;
        Ok(Self::Pem(Secret::new(input)))
    }
}

/// A verifier, and what it trusts, for error messages.
pub(super) struct Trust {
    pub verifier: Arc<dyn ServerCertVerifier>,
    pub origin: Origin,
}

/// Where the trusted roots come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(any(target_vendor = "apple", target_os = "android", windows), allow(dead_code))]
pub(super) enum Origin {
    /// The platform's own verifier, which does not tell its roots.
    #[cfg(any(target_vendor = "apple", target_os = "android", windows))]
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
            #[cfg(any(target_vendor = "apple", target_os = "android", windows))]
            Self::PlatformVerifier => write!(f, "the roots of the platform"),
            Self::Platform(n) => write!(f, "the {n} {} of the platform", roots(n)),
            Self::Application(n) => write!(f, "the {n} {} that the application gave", roots(n)),
            Self::BuiltIn(n) => {
                let why = match cfg!(target_os = "android") {
                    true => "gecko_mqtt_android_init was not called",
                    false => "the platform has none",
                };
                write!(f, "the {n} built-in {} of Amazon, because {why}", roots(n))
            }
        }
    }
}

impl Trust {
    /// Reads the roots. Those of the platform are read once and shared while any client uses them.
    pub fn new(roots: &Roots, provider: &Arc<CryptoProvider>) -> Result<Arc<Self>> {
        match roots {
            Roots::Pem(input) => {
                let (store, count) = application(input.expose())?;
                Ok(Arc::new(Self::webpki(store, Origin::Application(count), provider)?))
            }
            Roots::Platform => {
                static SHARED: PerProcess<Mutex<Weak<Trust>>> = PerProcess::new();
                // Held while reading, so that clients made at the same time read the files once.
                let mut shared = lock(SHARED.get());
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
        tracing::warn!(refused, count, "some CA certificates cannot be read and are not trusted");
    }
    store.roots.shrink_to_fit();
    Ok((store, count))
}

/// Whether Android's verifier has been shown the JVM. Before that it would panic.
#[cfg(target_os = "android")]
static ANDROID_READY: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Android's verifier has been shown the JVM.
#[cfg(target_os = "android")]
pub(crate) fn android_ready() {
    ANDROID_READY.store(true, std::sync::atomic::Ordering::Release);
}

#[cfg(any(target_vendor = "apple", target_os = "android", windows))]
fn platform(provider: &Arc<CryptoProvider>) -> Result<Trust> {
    #[cfg(target_os = "android")]
    if !ANDROID_READY.load(std::sync::atomic::Ordering::Acquire) {
        tracing::warn!("gecko_mqtt_android_init was not called: using the built-in roots of Amazon");
        let (store, origin) = choose(Vec::new(), None, None)?;
        return Trust::webpki(store, origin, provider);
    }
    let verifier = rustls_platform_verifier::Verifier::new(provider.clone())
        .map_err(|reason| Error::new(ErrorKind::System, format!("the platform's TLS verifier: {reason}")))?;
    Ok(Trust { verifier: Arc::new(verifier), origin: Origin::PlatformVerifier })
}

#[cfg(not(any(target_vendor = "apple", target_os = "android", windows)))]
fn platform(provider: &Arc<CryptoProvider>) -> Result<Trust> {
    let found = rustls_native_certs::load_native_certs();
    let asked_for =
        ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().find(|name| std::env::var_os(name).is_some());
    let (store, origin) =
        choose(found.certs, asked_for, found.errors.first().map(|reason| reason.to_string()))?;
    Trust::webpki(store, origin, provider)
}

/// The platform's roots, or the built-in ones if it has none; but who names a place (`asked_for`) means it.
#[cfg_attr(any(target_vendor = "apple", target_os = "android", windows), allow(dead_code))]
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
            tracing::debug!(count, "the platform has no CA certificates; using the built-in roots of Amazon");
            Origin::BuiltIn(count)
        }
        (count, _) => Origin::Platform(count),
    };
    store.roots.shrink_to_fit();
    Ok((store, origin))
}

/// Amazon Trust Services' roots (<https://www.amazontrust.com/repository/>): whatever chain AWS IoT Core
/// presents ends at one of these.
#[cfg_attr(any(target_vendor = "apple", target_os = "android", windows), allow(dead_code))]
const BUILT_IN: [&[u8]; 5] = [
    include_bytes!("roots/amazon-root-ca-1.der"),
    include_bytes!("roots/amazon-root-ca-2.der"),
    include_bytes!("roots/amazon-root-ca-3.der"),
    include_bytes!("roots/amazon-root-ca-4.der"),
    include_bytes!("roots/starfield-services-root-ca-g2.der"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair};
    use rustls::crypto::ring;

    fn ca() -> rcgen::Certificate {
        CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap()
    }

    #[test]
    fn the_built_in_roots_are_those_that_amazon_publishes() {
        let sha256 = ring::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13().unwrap().common.hash_provider;
        let fingerprints = BUILT_IN.map(|der| {
            let hash = sha256.hash(der);
            hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        });
        assert_eq!(
            fingerprints,
            [
                "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
                "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
                "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
                "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
                "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
            ]
        );
    }

    #[test]
    fn a_system_without_roots_gets_the_built_in_ones() {
        let (store, origin) = choose(Vec::new(), None, None).unwrap();
        assert_eq!((store.len(), origin), (5, Origin::BuiltIn(5)));
        let garbage = vec![CertificateDer::from(b"garbage".to_vec())];
        assert_eq!(choose(garbage, None, None).unwrap().1, Origin::BuiltIn(5));
        let found = vec![ca().der().clone()];
        assert_eq!(choose(found, Some("SSL_CERT_FILE"), None).unwrap().1, Origin::Platform(1));
    }

    #[test]
    fn a_place_that_was_named_and_has_no_roots_is_an_error() {
        let error = choose(Vec::new(), Some("SSL_CERT_FILE"), Some("no such file".to_owned())).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::File);
        assert_eq!(
            error.message(),
            "no CA certificate where the environment variable SSL_CERT_FILE says: no such file"
        );
    }

    #[test]
    fn the_applications_roots_replace_all_others() {
        let (one, two) = (ca(), ca());
        let bundle = format!("# ours\n{}\n# theirs\n{}", one.pem(), two.pem());
        assert_eq!(application(bundle.as_bytes()).unwrap().1, 2);
        assert_eq!(application(one.der()).unwrap().1, 1);
        // One that cannot be read does not spoil the others.
        let spoilt = format!("{}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", one.pem());
        assert_eq!(application(spoilt.as_bytes()).unwrap().1, 1);
        for (input, text) in [
            ("", "the CA certificate is empty"),
            ("just words", "neither PEM"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "none of its 1 certificates"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "has no end"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds a private key"),
        ] {
            let error = application(input.as_bytes()).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidCertificate);
            assert!(error.message().contains(text), "{error}");
        }
    }

    #[test]
    fn a_bundle_is_not_shown() {
        let roots = Roots::from_pem(ca().pem().as_bytes()).unwrap();
        assert_eq!(format!("{roots:?}"), "Pem(***)");
    }

    #[test]
    fn the_platforms_roots_are_shared() {
        let provider = Arc::new(ring::default_provider());
        let first = Trust::new(&Roots::Platform, &provider).unwrap();
        let second = Trust::new(&Roots::Platform, &provider).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
    }
}
