//! A list of all secrets, for tests that look for them where they must not be.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::certificates::Certificates;
use crate::config::Config;
use crate::error::Error;
use crate::percent;
use crate::token::Token;

/// A file that only its owner can read, with a line for each secret: what it is, a space, and the secret
/// percent-encoded. Does nothing where no file is wanted.
pub(crate) struct Secrets(Option<(PathBuf, File)>);

impl Secrets {
    /// Appends to the file, which others may append to as well.
    pub fn open(path: Option<&Path>) -> Result<Self, Error> {
        let open = |path: &Path| {
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
            let file = file.map_err(|source| Error::File { path: path.to_owned(), source })?;
            Ok((path.to_owned(), file))
        };
        path.map(open).transpose().map(Self)
    }

    fn note(&self, what: &str, secrets: &[&[u8]]) -> Result<(), Error> {
        let Some((path, file)) = &self.0 else { return Ok(()) };
        let lines: String =
            secrets.iter().map(|secret| format!("{what} {}\n", percent::encode(secret))).collect();
        // In one piece, so that the lines of two writers do not mix.
        (&*file).write_all(lines.as_bytes()).map_err(|source| Error::File { path: path.clone(), source })
    }

    /// A token that was made.
    pub fn token(&self, token: &Token) -> Result<(), Error> {
        self.note("token", &[token.token.as_bytes()])?;
        self.note("signature", &[token.signature.as_bytes()])
    }

    /// The keys that clients are given, line by line.
    pub fn keys(&self, certificates: &Certificates) -> Result<(), Error> {
        let clients = [&certificates.client, &certificates.rsa_client, &certificates.foreign_client];
        let texts = clients.iter().flat_map(|client| [&client.key_pem, &client.legacy_key_pem]);
        let lines = texts.flat_map(|text| text.lines()).filter(|line| !line.starts_with("-----"));
        self.note("key", &lines.map(str::as_bytes).collect::<Vec<_>>())
    }

    /// The passwords that are expected.
    pub fn passwords(&self, config: &Config) -> Result<(), Error> {
        let expected = [
            config.authorizer.password.as_deref(),
            config.password_listener.as_ref().map(|listener| &*listener.password),
        ];
        self.note("password", &expected.into_iter().flatten().collect::<Vec<_>>())
    }
}
