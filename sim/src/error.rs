//! What can keep a simulator from starting.

use std::io;
use std::path::PathBuf;

/// Why a simulator did not start, or could not do what was asked.
#[derive(Debug)]
pub enum Error {
    /// A port could not be opened.
    Listen {
        /// Which one.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The configuration is impossible.
    Config(String),
    /// A certificate, key or token could not be made.
    Certificate(String),
    /// A file could not be written.
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Listen { port, source } => write!(f, "port {port} cannot be opened: {source}"),
            Self::Config(text) | Self::Certificate(text) => f.write_str(text),
            Self::File { path, source } => write!(f, "{} cannot be written: {source}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { source, .. } | Self::File { source, .. } => Some(source),
            Self::Config(_) | Self::Certificate(_) => None,
        }
    }
}
