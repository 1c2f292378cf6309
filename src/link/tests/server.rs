//! Servers on loopback, good and bad, and the certificates that they present.

use crate::Secret;
use crate::link::{Identity, Roots};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

/// A certificate and its key.
pub struct Pair {
    pub certificate: Certificate,
    pub key: KeyPair,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    pub fn roots(&self) -> Roots {
        Roots::Pem(self.certificate.pem().as_str().into())
    }

    pub fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// A server's certificate for these names, valid from 2020 to 2099 unless `change` says otherwise.
    pub fn server(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Pair {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2099, 1, 1);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut params);
        self.issue(params)
    }

    pub fn client(&self) -> Identity {
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let Pair { certificate, key } = self.issue(params);
        Identity::from_bytes(certificate.pem().as_bytes(), &Secret::new(key.serialize_pem())).unwrap()
    }

    fn issue(&self, params: CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        Pair { certificate: params.signed_by(&key, &self.issuer).unwrap(), key }
    }
}

/// What a TLS server does beside presenting its certificate.
#[derive(Clone, Copy, Default)]
pub struct Manners<'a> {
    /// The only TLS version that it speaks.
    pub version: Option<&'static SupportedProtocolVersion>,
    /// The ALPN protocols that it knows.
    pub alpn: &'a [&'a str],
    /// Whose clients it lets in; all if nobody is named.
    pub clients_of: Option<&'a Authority>,
}

fn config(pair: &Pair, manners: Manners<'_>) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone());
    let builder = match manners.version {
        Some(version) => builder.with_protocol_versions(&[version]),
        None => builder.with_safe_default_protocol_versions(),
    }
    .unwrap();
    let builder = match manners.clients_of {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.certificate.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    let key = PrivateKeyDer::Pkcs8(pair.key.serialized_der().to_vec().into());
    let mut config = builder.with_single_cert(vec![pair.certificate.der().clone()], key).unwrap();
    config.alpn_protocols = manners.alpn.iter().map(|alpn| alpn.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// A TLS server that sends back what it gets.
pub async fn tls(pair: &Pair, manners: Manners<'_>) -> SocketAddr {
    let acceptor = TlsAcceptor::from(config(pair, manners));
    tcp(move |tcp| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(tcp).await else {
                return;
            };
            let mut buffer = [0; 1024];
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                stream.write_all(&buffer[..length]).await.unwrap();
                stream.flush().await.unwrap();
            }
        }
    })
    .await
}

/// A TLS server that answers the client's first words and hangs up.
pub async fn curt(pair: &Pair, manners: Manners<'_>) -> SocketAddr {
    let config = config(pair, manners);
    tcp(move |mut tcp| {
        let mut tls = ServerConnection::new(config.clone()).unwrap();
        async move {
            let mut hello = [0; 4096];
            let length = tcp.read(&mut hello).await.unwrap();
            tls.read_tls(&mut &hello[..length]).unwrap();
            tls.process_new_packets().unwrap();
            let mut answer = Vec::new();
            while tls.wants_write() {
                tls.write_tls(&mut answer).unwrap();
            }
            tcp.write_all(&answer).await.unwrap();
        }
    })
    .await
}

/// A server that reads the client's first words and answers with these, whatever they mean.
pub async fn parrot(answer: &'static [u8]) -> SocketAddr {
    tcp(move |mut tcp| async move {
        let mut hello = [0; 4096];
        let _ = tcp.read(&mut hello).await;
        let _ = tcp.write_all(answer).await;
    })
    .await
}

/// A server that does `serve` with every connection.
pub async fn tcp<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            tokio::spawn(serve(tcp));
        }
    });
    address
}
