//! Certificates and keys, made anew for every simulator.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::config::ServerCertificate;
use crate::error::Error;
use crate::key_formats;

/// An RSA key for a client; `ring` cannot make one. For tests only: it is public.
const RSA_CLIENT_KEY: &str = include_str!("keys/client-rsa.pem");

impl From<rcgen::Error> for Error {
    fn from(error: rcgen::Error) -> Self {
        Self::Certificate(format!("a certificate could not be made: {error}"))
    }
}

/// A certificate with its key, both as PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate_pem: String,
    /// Its key as PKCS#8 (`PRIVATE KEY`).
    pub key_pem: String,
    /// The same key in the older format: SEC1 (`EC PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`).
    pub legacy_key_pem: String,
}

/// Everything that the simulator shows and that clients need.
pub(crate) struct Certificates {
    /// The CA that clients must trust, and that signs clients.
    pub ca_pem: String,
    pub ca: CertificateDer<'static>,
    pub server_chain: Vec<CertificateDer<'static>>,
    pub server_key: PrivateKeyDer<'static>,
    pub client: Identity,
    pub rsa_client: Identity,
    /// Signed by a CA that the simulator does not know.
    pub foreign_client: Identity,
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

impl Authority {
    fn new(name: &str) -> Result<Self, Error> {
        let mut params = parameters(name, Vec::new());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Ok(Self { issuer: Issuer::new(params, key), pem, der })
    }

    fn client(&self, name: &str, key: &KeyPair, legacy_key_pem: Option<String>) -> Result<Identity, Error> {
        let mut params = parameters(name, Vec::new());
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(key, &self.issuer)?;
        Ok(Identity {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            legacy_key_pem: legacy_key_pem
                .ok_or_else(|| Error::Certificate("a key could not be converted".to_owned()))?,
        })
    }

    fn curve_client(&self, name: &str) -> Result<Identity, Error> {
        let key = KeyPair::generate()?;
        let sec1 = key_formats::sec1(key.serialized_der());
        self.client(name, &key, sec1.map(|der| key_formats::pem("EC PRIVATE KEY", &der)))
    }

    fn rsa_client(&self, name: &str) -> Result<Identity, Error> {
        let key = KeyPair::from_pem(RSA_CLIENT_KEY)?;
        let pkcs1 = key_formats::inner_key(key.serialized_der());
        self.client(name, &key, pkcs1.map(|der| key_formats::pem("RSA PRIVATE KEY", der)))
    }
}

fn parameters(name: &str, names: Vec<SanType>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, "gecko-iot-sim");
    params.subject_alt_names = names;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2060, 1, 1);
    params.use_authority_key_identifier_extension = true;
    params
}

fn dns(name: &str) -> Result<SanType, Error> {
    Ok(SanType::DnsName(name.try_into()?))
}

impl Certificates {
    pub fn new(server: ServerCertificate) -> Result<Self, Error> {
        let ca = Authority::new("gecko-iot-sim CA")?;
        let foreign = Authority::new("gecko-iot-sim foreign CA")?;

        let names = match server {
            ServerCertificate::WrongName => vec![dns("elsewhere.example")?],
            _ => vec![
                dns("localhost")?,
                SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
            ],
        };
        let mut params = parameters("gecko-iot-sim", names);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let mut issuer = &ca;
        match server {
            ServerCertificate::Good | ServerCertificate::WrongName => {}
            ServerCertificate::Expired => params.not_after = date_time_ymd(2021, 1, 1),
            ServerCertificate::NotYetValid => params.not_before = date_time_ymd(2055, 1, 1),
            ServerCertificate::UnknownCa => issuer = &foreign,
        }
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &issuer.issuer)?;

        Ok(Self {
            server_chain: vec![certificate.der().clone()],
            server_key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            client: ca.curve_client("gecko-iot-sim client")?,
            rsa_client: ca.rsa_client("gecko-iot-sim RSA client")?,
            foreign_client: foreign.curve_client("gecko-iot-sim foreign client")?,
            ca_pem: ca.pem,
            ca: ca.der,
        })
    }
}
