//! The directory with everything that a client needs.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::certificates::{Certificates, Identity};
use crate::error::Error;
use crate::token::Token;

/// Where certificates and tokens lie. A directory of our own is removed when this is dropped.
pub(crate) struct Directory {
    path: PathBuf,
    _temporary: Option<TempDir>,
}

impl Directory {
    /// Opens `given`, made if it is not there, or a fresh temporary one.
    pub fn open(given: Option<&Path>) -> Result<Self, Error> {
        if let Some(path) = given {
            fs::create_dir_all(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
            let path = path.canonicalize().map_err(|source| Error::File { path: path.to_owned(), source })?;
            return Ok(Self { path, _temporary: None });
        }
        let temporary = tempfile::Builder::new()
            .prefix("gecko-iot-sim-")
            .tempdir()
            .map_err(|source| Error::File { path: std::env::temp_dir(), source })?;
        Ok(Self { path: temporary.path().to_owned(), _temporary: Some(temporary) })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn write_certificates(&self, certificates: &Certificates) -> Result<(), Error> {
        self.write("ca.pem", &certificates.ca_pem)?;
        self.write_identity("client", "client-sec1.key", &certificates.client)?;
        self.write_identity("client-rsa", "client-rsa-pkcs1.key", &certificates.rsa_client)?;
        self.write_identity("foreign-client", "foreign-client-sec1.key", &certificates.foreign_client)
    }

    pub fn write_token(&self, token: &Token) -> Result<(), Error> {
        self.write("token.txt", &token.token)?;
        self.write("signature.txt", &token.signature)?;
        self.write("broker-url.txt", &token.broker_url)
    }

    fn write_identity(&self, name: &str, legacy_key: &str, identity: &Identity) -> Result<(), Error> {
        self.write(&format!("{name}.pem"), &identity.certificate_pem)?;
        self.write(&format!("{name}.key"), &identity.key_pem)?;
        self.write(legacy_key, &identity.legacy_key_pem)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        write_private(&self.path.join(name), text)
    }
}

/// Writes a file that only its owner can read. A reader sees the old text or the new one, never half of it.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let fresh = PathBuf::from(name);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    fs::rename(&fresh, path).map_err(failed)
}
