//! TCP to the first address that answers: Happy Eyeballs (RFC 8305).

use super::resolve::MAX_ADDRESSES;
use crate::{Error, ErrorKind, Result};
use socket2::{SockRef, TcpKeepalive};
use std::fmt::Write;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};

/// How long an attempt may remain without an answer before the next one begins beside it (RFC 8305, section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// A dead peer that MQTT's keep alive does not find (it may be 20 minutes) is found in four.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(120);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
#[cfg(not(windows))]
const KEEPALIVE_PROBES: u32 = 4;

/// Connects to the first of the addresses that answers; `host` and `port` are for errors.
pub(super) async fn connect(
    host: &str,
    port: u16,
    addresses: &[SocketAddr],
) -> Result<(TcpStream, SocketAddr)> {
    let order = interleave(addresses);
    race(&order, attempt)
        .await
        .map_err(|failures| explain(host, port, &failures))
}

async fn attempt(address: SocketAddr) -> io::Result<TcpStream> {
    // tokio sets the descriptor close-on-exec and non-blocking.
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL);
    #[cfg(not(windows))]
    let keepalive = keepalive.with_retries(KEEPALIVE_PROBES);
    // A system that lacks it is no reason not to connect.
    let _ = SockRef::from(&socket).set_tcp_keepalive(&keepalive);
    socket.connect(address).await
}

/// The addresses, families in turn, beginning with that of the first (RFC 8305, section 4). Within a family the
/// system's order (RFC 6724) remains.
fn interleave(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let Some(first) = addresses.first() else {
        return Vec::new();
    };
    let same = |address: &&SocketAddr| address.is_ipv4() == first.is_ipv4();
    let mut firsts = addresses.iter().filter(same);
    let mut others = addresses.iter().filter(|address| !same(address));
    let mut order = Vec::with_capacity(addresses.len());
    loop {
        let pair = [firsts.next(), others.next()];
        if pair == [None, None] {
            order.truncate(MAX_ADDRESSES);
            return order;
        }
        order.extend(pair.into_iter().flatten());
    }
}

type Failures = Vec<(SocketAddr, io::Error)>;

/// Starts an attempt for each address in turn, the next one [`ATTEMPT_DELAY`] after the last or as soon as one
/// fails. The first to succeed wins; the others are dropped.
async fn race<S, F>(
    addresses: &[SocketAddr],
    attempt: impl Fn(SocketAddr) -> F,
) -> Result<(S, SocketAddr), Failures>
where
    F: Future<Output = io::Result<S>>,
{
    let mut waiting = addresses.iter().copied();
    let mut running: Vec<(SocketAddr, Pin<Box<F>>)> = Vec::new();
    let mut failures = Failures::new();
    let mut next_start = Instant::now();
    loop {
        if let Some(address) = waiting.next() {
            running.push((address, Box::pin(attempt(address))));
            next_start = Instant::now() + ATTEMPT_DELAY;
        } else if running.is_empty() {
            return Err(failures);
        }
        let ended = if waiting.len() > 0 {
            timeout_at(next_start, first_of(&mut running)).await.ok()
        } else {
            Some(first_of(&mut running).await)
        };
        let Some((index, result)) = ended else { continue };
        let (address, _) = running.swap_remove(index);
        match result {
            Ok(stream) => return Ok((stream, address)),
            Err(reason) => {
                tracing::debug!(%address, %reason, "cannot connect");
                failures.push((address, reason));
            }
        }
    }
}

/// The first of the attempts that ends, and its place.
async fn first_of<S, F>(running: &mut [(SocketAddr, Pin<Box<F>>)]) -> (usize, io::Result<S>)
where
    F: Future<Output = io::Result<S>>,
{
    poll_fn(|context| {
        for (index, (_, attempt)) in running.iter_mut().enumerate() {
            if let Poll::Ready(result) = attempt.as_mut().poll(context) {
                return Poll::Ready((index, result));
            }
        }
        Poll::Pending
    })
    .await
}

/// One error for all attempts: of the kind that tells most, with every address and its reason.
fn explain(host: &str, port: u16, failures: &Failures) -> Error {
    const MAX_SHOWN: usize = 8;
    let kind = failures
        .iter()
        .map(|(_, reason)| kind(reason))
        .max_by_key(|kind| rank(*kind));
    let kind = kind.unwrap_or(ErrorKind::Connection);
    let mut text = format!("cannot connect to {host}:{port}");
    for (index, (address, reason)) in failures.iter().take(MAX_SHOWN).enumerate() {
        let separator = if index == 0 { ": " } else { "; " };
        let _ = write!(text, "{separator}{}: {reason}", address.ip());
    }
    if let more @ 1.. = failures.len().saturating_sub(MAX_SHOWN) {
        let _ = write!(text, "; and {more} more");
    }
    text.push_str(match kind {
        ErrorKind::ConnectionRefused => ". Is the port right, and the server running?",
        ErrorKind::Unreachable => ". Is the device connected to the network?",
        ErrorKind::System => ". Is the process out of file descriptors or memory?",
        _ => ". Does a firewall stand between?",
    });
    Error::new(kind, text)
}

fn kind(reason: &io::Error) -> ErrorKind {
    match reason.kind() {
        io::ErrorKind::ConnectionRefused => ErrorKind::ConnectionRefused,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable => ErrorKind::Unreachable,
        io::ErrorKind::OutOfMemory => ErrorKind::System,
        // "Too many open files", of the process or of the system, has no kind of its own.
        _ if matches!(
            reason.raw_os_error(),
            Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS)
        ) =>
        {
            ErrorKind::System
        }
        _ => ErrorKind::Connection,
    }
}

/// How much a failure tells: a refusal came from the host itself; without a route nothing was even sent.
fn rank(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::ConnectionRefused => 3,
        ErrorKind::System => 2,
        ErrorKind::Connection => 1,
        _ => 0,
    }
}
