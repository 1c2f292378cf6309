//! An open connection to the server, as one stream of bytes: the name resolved, TCP connected, TLS on it.
//!
//! Everything here runs on a current-thread runtime and blocks nobody but the resolver's own threads.

mod fault;
mod file;
mod identity;
mod pem;
mod resolve;
mod roots;
mod sec1;
mod socket;
mod target;
mod tcp;
mod tls;
mod validity;
mod wording;

pub(crate) use fault::explain;
pub(crate) use file::read_file;
pub(crate) use identity::Identity;
pub(crate) use resolve::reap;
pub(crate) use roots::Roots;
#[cfg(target_os = "android")]
pub(crate) use roots::android_ready;
pub(crate) use target::Target;
pub(crate) use tls::{Tls, TlsSettings};

use crate::Result;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};

/// What a byte stream to the server must be.
///
/// What is written may stay in the stream's own buffer (TLS): flush after a batch.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection to the server: plain TCP, or TLS over it. Dropping it closes it.
pub(crate) struct Link {
    /// The bytes.
    pub stream: Box<dyn Stream>,
    /// The address that answered.
    pub peer: SocketAddr,
    /// What was agreed in the TLS handshake; `None` without TLS.
    pub tls: Option<TlsInfo>,
}

/// What was agreed in a TLS handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsInfo {
    /// "TLS 1.2" or "TLS 1.3".
    pub version: &'static str,
    /// The cipher suite's name in IANA's registry.
    pub cipher_suite: &'static str,
    /// The application protocol that the server chose, if it knows ALPN.
    pub alpn: Option<String>,
    /// When the server's certificate becomes and ceases to be valid, if it tells.
    certificate: Option<validity::Validity>,
    /// Whether an earlier session was resumed, which spares the server's certificate and the client's signature.
    pub resumed: bool,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("peer", &self.peer).field("tls", &self.tls).finish_non_exhaustive()
    }
}

/// How far an [`open`] has come, so that whoever limits its time can say what it was that took so long.
///
/// Prints as the end of a sentence: "while resolving the name".
#[derive(Debug, Default)]
pub(crate) struct Progress(AtomicU8);

impl Progress {
    const STEPS: [&'static str; 4] =
        ["before it began", "while resolving the name", "while connecting by TCP", "in the TLS handshake"];
    const RESOLVING: u8 = 1;
    const CONNECTING: u8 = 2;
    const HANDSHAKE: u8 = 3;

    fn set(&self, step: u8) {
        self.0.store(step, Ordering::Relaxed);
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::STEPS[usize::from(self.0.load(Ordering::Relaxed))])
    }
}

/// Resolves the name, connects by TCP to the first address that answers (RFC 8305), and does the TLS handshake
/// if the target asks for it.
///
/// Has no time limit of its own: the caller puts its connect time-out around it. Dropping the future at any
/// moment closes every socket at once, and leaves nothing behind but possibly a resolver thread that is stuck
/// in the system's `getaddrinfo`, and which owns nothing (see [`reap`]).
///
/// # Errors
/// [`ErrorKind::Dns`](crate::ErrorKind::Dns); `ConnectionRefused`, `Unreachable`, `Connection` or `System` if no
/// address answers; one of the kinds that begin with `Tls`.
pub(crate) async fn open(target: &Target, progress: &Progress) -> Result<Link> {
    progress.set(Progress::RESOLVING);
    let begun = Instant::now();
    let took_ms = || begun.elapsed().as_millis() as u64;
    let addresses = resolve::resolve(target.host(), target.port()).await?;
    tracing::debug!(addresses = addresses.len(), took_ms = took_ms(), "the name is resolved");
    progress.set(Progress::CONNECTING);
    let (tcp, peer) = tcp::connect(target.host(), target.port(), &addresses).await?;
    tracing::debug!(%peer, took_ms = took_ms(), "TCP is connected");
    let tcp = socket::Socket(tcp);
    let Some((tls, name)) = target.tls() else {
        return Ok(Link { stream: Box::new(tcp), peer, tls: None });
    };
    progress.set(Progress::HANDSHAKE);
    // Boxed, so that the tasks of a thousand plain clients carry no room for a handshake.
    let handshake = Box::pin(tls.connect(tcp, name.clone(), target.host(), target.port()));
    let (stream, info) = handshake.await?;
    tracing::debug!(
        %peer,
        version = info.version,
        cipher_suite = info.cipher_suite,
        alpn = info.alpn.as_deref().unwrap_or(""),
        certificate_valid = info.certificate.map(tracing::field::display),
        resumed = info.resumed,
        took_ms = took_ms(),
        "TLS is agreed on"
    );
    Ok(Link { stream: Box::new(stream), peer, tls: Some(info) })
}

#[cfg(test)]
mod tests;
