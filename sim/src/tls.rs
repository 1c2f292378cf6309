//! TLS as AWS's endpoint speaks it.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};

use crate::certificates::Certificates;
use crate::config::TlsVersions;
use crate::error::Error;

/// ALPN of MQTT with a client certificate.
pub(crate) const ALPN_CERTIFICATE: &[u8] = b"x-amzn-mqtt-ca";
/// ALPN of MQTT with a custom authorizer.
pub(crate) const ALPN_AUTHORIZER: &[u8] = b"mqtt";

/// One configuration for each kind of access.
pub(crate) struct ServerConfigs {
    /// Client certificate, any or no ALPN.
    pub mtls: Arc<ServerConfig>,
    /// Client certificate, ALPN `x-amzn-mqtt-ca`.
    pub alpn_certificate: Arc<ServerConfig>,
    /// No client certificate, ALPN `mqtt`. Anything else is refused with an alert.
    pub alpn_authorizer: Arc<ServerConfig>,
    /// No client certificate, any or no ALPN.
    pub password: Arc<ServerConfig>,
}

impl From<rustls::Error> for Error {
    fn from(error: rustls::Error) -> Self {
        Self::Certificate(format!("TLS could not be set up: {error}"))
    }
}

/// Shows one certificate, to those only who name the server if that is required.
#[derive(Debug)]
struct Shown {
    key: Arc<CertifiedKey>,
    require_sni: bool,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        (!self.require_sni || hello.server_name().is_some()).then(|| self.key.clone())
    }
}

impl ServerConfigs {
    pub fn new(certificates: &Certificates, versions: TlsVersions, require_sni: bool) -> Result<Self, Error> {
        let provider = Arc::new(default_provider());
        let versions: &[&SupportedProtocolVersion] = match versions {
            TlsVersions::Tls12 => &[&version::TLS12],
            TlsVersions::Tls13 => &[&version::TLS13],
            TlsVersions::Both => &[&version::TLS12, &version::TLS13],
        };
        let signer = rustls::crypto::ring::sign::any_supported_type(&certificates.server_key)?;
        let key = Arc::new(CertifiedKey::new(certificates.server_chain.clone(), signer));
        let build = |client_certificate: bool, require_sni: bool, alpn: &[&[u8]]| {
            let config =
                ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions)?;
            let config = if client_certificate {
                config.with_client_cert_verifier(client_verifier(&provider, certificates)?)
            } else {
                config.with_no_client_auth()
            };
            let mut config = config.with_cert_resolver(Arc::new(Shown { key: key.clone(), require_sni }));
            config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
            Ok::<_, Error>(Arc::new(config))
        };
        Ok(Self {
            mtls: build(true, require_sni, &[])?,
            alpn_certificate: build(true, require_sni, &[ALPN_CERTIFICATE])?,
            alpn_authorizer: build(false, require_sni, &[ALPN_AUTHORIZER])?,
            password: build(false, false, &[])?,
        })
    }
}

fn client_verifier(
    provider: &Arc<CryptoProvider>,
    certificates: &Certificates,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    roots.add(certificates.ca.clone())?;
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| Error::Certificate(format!("the client CA: {error}")))
}
