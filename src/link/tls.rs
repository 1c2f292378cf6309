//! TLS over a TCP connection: rustls with `ring`, TLS 1.2 and 1.3.

mod stream;

pub(super) use stream::TlsStream;

use super::TlsInfo;
use super::fault::Handshake;
use super::identity::Identity;
use super::pem::printable;
use super::roots::{Roots, Trust};
use super::socket::Socket;
use super::validity::Validity;
use crate::process::{PerProcess, lock};
use crate::{Error, ErrorKind, Result};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, SignatureScheme, SupportedCipherSuite};
#[cfg(target_arch = "aarch64")]
use std::arch::is_aarch64_feature_detected;
use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, Weak};
use std::time::SystemTime;

/// What a client wants of TLS.
#[derive(Clone, Debug, Default)]
pub(crate) struct TlsSettings {
    /// Whom to trust.
    pub roots: Roots,
    /// What to prove ourselves with, if the server asks.
    pub identity: Option<Identity>,
    /// The application protocol to ask for (RFC 7301). A server that knows nothing of ALPN is accepted.
    pub alpn: Option<String>,
}

/// TLS settings, ready for use.
///
/// Made once and shared by all connections of a client (cloning shares), so that a later connection resumes an
/// earlier one's session. The session tickets go with the last clone.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    trust: Arc<Trust>,
    identity: bool,
}

thread_local! {
    /// Whether a server has asked for a client certificate since this was last reset.
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

impl Tls {
    /// Checks the settings and loads the roots, which may read files: not for the thread of the runtime.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCertificate`] for roots that cannot be read, [`ErrorKind::InvalidConfiguration`] for an
    /// impossible ALPN name, [`ErrorKind::File`] if `SSL_CERT_FILE` or `SSL_CERT_DIR` leads nowhere.
    pub(crate) fn new(settings: TlsSettings) -> Result<Self> {
        Self::with_clock(settings, Arc::new(SystemClock))
    }

    pub(super) fn with_clock(settings: TlsSettings, clock: Arc<dyn TimeProvider>) -> Result<Self> {
        let provider = provider();
        let trust = Trust::new(&settings.roots, &provider)?;
        let identity = settings.identity.is_some();
        let mut config = ClientConfig::builder_with_details(provider, clock)
            .with_safe_default_protocol_versions()
            .map_err(|reason| Error::new(ErrorKind::Internal, format!("TLS settings: {reason}")))?
            .dangerous() // What follows verifies; it is only not of the type that rustls makes itself.
            .with_custom_certificate_verifier(trust.verifier.clone())
            .with_client_cert_resolver(Arc::new(Presenter(settings.identity)));
        if let Some(alpn) = settings.alpn {
            if alpn.is_empty() || alpn.len() > 255 {
                return Err(Error::new(
                    ErrorKind::InvalidConfiguration,
                    format!("an ALPN protocol name has 1 to 255 bytes, not {}", alpn.len()),
                ));
            }
            config.alpn_protocols = vec![alpn.into_bytes()];
        }
        config.resumption = new_sessions();
        config.enable_early_data = false;
        Ok(Self { config: Arc::new(config), trust, identity })
    }

    /// The same settings with another client certificate, or with none. Sessions of the old one are not resumed.
    pub(crate) fn with_identity(&self, identity: Option<Identity>) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        let has_identity = identity.is_some();
        config.client_auth_cert_resolver = Arc::new(Presenter(identity));
        config.resumption = new_sessions();
        Self { config: Arc::new(config), trust: self.trust.clone(), identity: has_identity }
    }

    /// Does the handshake, but for the client's last words, which go out with what is written first; `host` and `port`
    /// are for errors.
    pub(super) async fn connect(
        &self,
        tcp: Socket,
        name: ServerName<'static>,
        host: &str,
        port: u16,
    ) -> Result<(TlsStream<Socket>, TlsInfo)> {
        let mut asked = false;
        let handshake = async {
            let connection = ClientConnection::new(self.config.clone(), name).map_err(io::Error::other)?;
            let mut stream = TlsStream::new(tcp, connection);
            poll_fn(|cx| {
                ASKED.set(false);
                let polled = stream.poll_handshake(cx);
                asked |= ASKED.get();
                polled
            })
            .await?;
            Ok(stream)
        };
        let stream = handshake.await.map_err(|error| {
            Handshake {
                host,
                port,
                now: self.config.time_provider.current_time(),
                trusted: self.trust.origin,
                alpn: self.config.alpn_protocols.first().map(Vec::as_slice),
                asked,
                identity: self.identity,
            }
            .explain(error)
        })?;
        let connection = stream.connection();
        let info = TlsInfo {
            version: match connection.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
                _ => "TLS 1.2",
            },
            cipher_suite: connection
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .unwrap_or(""),
            alpn: connection.alpn_protocol().map(|alpn| printable(&String::from_utf8_lossy(alpn), 255)),
            certificate: connection.peer_certificates().and_then(|chain| Validity::of(chain.first()?)),
            resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
        };
        Ok((stream, info))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tls({}, identity: {})", self.trust.origin, self.identity)
    }
}

/// Room for the sessions of one server, which is all that a client talks to: rustls keeps up to 8 tickets.
fn new_sessions() -> Resumption {
    Resumption::in_memory_sessions(1)
}

/// The cryptography, shared by all clients. Passed explicitly everywhere: the process default is the host's.
fn provider() -> Arc<CryptoProvider> {
    static SHARED: PerProcess<Mutex<Weak<CryptoProvider>>> = PerProcess::new();
    let mut shared = lock(SHARED.get());
    shared.upgrade().unwrap_or_else(|| {
        let mut provider = rustls::crypto::ring::default_provider();
        prefer(&mut provider.cipher_suites, has_aes());
        let provider = Arc::new(provider);
        *shared = Arc::downgrade(&provider);
        provider
    })
}

/// Puts first what costs least: AES with 128 bits where the CPU has AES, ChaCha20 where it has not. rustls begins with
/// 256 bits and SHA-384, for which most CPUs have no instructions.
fn prefer(suites: &mut [SupportedCipherSuite], has_aes: bool) {
    // Of each kind there are AES with 256 bits, AES with 128, and ChaCha20.
    for kind in suites.chunks_exact_mut(3) {
        if has_aes { kind.swap(0, 1) } else { kind.reverse() }
    }
}

/// Whether the CPU has instructions for AES and for its GCM.
pub(super) fn has_aes() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    let has = is_x86_feature_detected!("aes") && is_x86_feature_detected!("pclmulqdq");
    #[cfg(target_arch = "aarch64")]
    let has = is_aarch64_feature_detected!("aes") && is_aarch64_feature_detected!("pmull");
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    let has = false;
    has
}

/// Presents the client certificate, and notes that it was asked for.
#[derive(Debug)]
struct Presenter(Option<Identity>);

impl ResolvesClientCert for Presenter {
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        ASKED.set(true);
        self.0.as_ref().map(|identity| identity.0.clone())
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

/// The system's clock. Unlike that of rustls it does not panic when it is before 1970.
#[derive(Debug)]
struct SystemClock;

impl TimeProvider for SystemClock {
    fn current_time(&self) -> Option<UnixTime> {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(UnixTime::since_unix_epoch(since_1970))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::ring::ALL_CIPHER_SUITES;

    #[test]
    fn offers_first_what_the_cpu_is_good_at() {
        for (has_aes, ciphers) in [
            (true, ["AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256"]),
            (false, ["CHACHA20_POLY1305_SHA256", "AES_128_GCM_SHA256", "AES_256_GCM_SHA384"]),
        ] {
            let mut suites = ALL_CIPHER_SUITES.to_vec();
            prefer(&mut suites, has_aes);
            let names: Vec<&str> = suites.iter().map(|suite| suite.suite().as_str().unwrap()).collect();
            let expected: Vec<String> = ["TLS13_", "TLS_ECDHE_ECDSA_WITH_", "TLS_ECDHE_RSA_WITH_"]
                .iter()
                .flat_map(|kind| ciphers.map(|cipher| format!("{kind}{cipher}")))
                .collect();
            assert_eq!(names, expected);
        }
    }

    #[test]
    fn offers_all_that_ring_has() {
        let provider = provider();
        assert_eq!(provider.cipher_suites.len(), ALL_CIPHER_SUITES.len());
        assert!(ALL_CIPHER_SUITES.iter().all(|suite| provider.cipher_suites.contains(suite)));
    }
}
