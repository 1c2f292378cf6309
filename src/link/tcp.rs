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
    race(&order, attempt).await.map_err(|failures| explain(host, port, &failures))
}

async fn attempt(address: SocketAddr) -> io::Result<TcpStream> {
    // tokio sets the descriptor close-on-exec and non-blocking.
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL);
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
    let kind = failures.iter().map(|(_, reason)| kind(reason)).max_by_key(|kind| rank(*kind));
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
        _ if matches!(reason.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS)) => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use tokio::net::TcpListener;
    use tokio::time::sleep;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn families_take_turns() {
        let addresses: Vec<SocketAddr> =
            ["[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", "192.0.2.1:1", "192.0.2.2:1"]
                .map(address)
                .to_vec();
        let order: Vec<String> = interleave(&addresses).iter().map(|a| a.ip().to_string()).collect();
        assert_eq!(order, ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"]);
        assert_eq!(interleave(&addresses[3..]), addresses[3..]);
        assert!(interleave(&[]).is_empty());
        let many: Vec<SocketAddr> = (1..=200).map(|host| SocketAddr::from(([192, 0, 2, host], 1))).collect();
        assert_eq!(interleave(&many), many[..MAX_ADDRESSES]);
    }

    /// Races made-up attempts; returns the winner's last byte or the failures, and when each attempt began.
    async fn race_of(
        plan: &[(u64, Result<(), io::ErrorKind>)],
    ) -> (Result<u8, Vec<ErrorKind>>, Vec<u128>, u128) {
        let addresses: Vec<SocketAddr> =
            (0..plan.len()).map(|index| SocketAddr::from(([192, 0, 2, index as u8], 1))).collect();
        let began = Instant::now();
        let starts = RefCell::new(Vec::new());
        let result = race(&addresses, |address| {
            starts.borrow_mut().push(began.elapsed().as_millis());
            let (ms, result) = match address.ip() {
                std::net::IpAddr::V4(ip) => plan[usize::from(ip.octets()[3])],
                std::net::IpAddr::V6(_) => unreachable!(),
            };
            async move {
                sleep(Duration::from_millis(ms)).await;
                result.map_err(io::Error::from)
            }
        })
        .await;
        let result = match result {
            Ok(((), SocketAddr::V4(winner))) => Ok(winner.ip().octets()[3]),
            Ok(_) => unreachable!(),
            Err(failures) => Err(failures.iter().map(|(_, reason)| kind(reason)).collect()),
        };
        (result, starts.into_inner(), began.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_begin_250_ms_apart_or_at_once_after_a_failure() {
        const NEVER: u64 = 1_000_000;
        let refused = Err(io::ErrorKind::ConnectionRefused);
        let unreachable = Err(io::ErrorKind::NetworkUnreachable);
        for (plan, result, starts, took) in [
            (&[(20, Ok(())), (0, Ok(()))][..], Ok(0), &[0][..], 20),
            (&[(NEVER, Ok(())), (20, Ok(()))], Ok(1), &[0, 250], 270),
            (&[(10, unreachable), (NEVER, Ok(())), (20, Ok(()))], Ok(2), &[0, 10, 260], 280),
            // The first one answers late, but before the second.
            (&[(300, Ok(())), (100, Ok(()))], Ok(0), &[0, 250], 300),
            // A late failure starts the next attempt before its time.
            (&[(300, refused), (NEVER, Ok(())), (5, Ok(()))], Ok(2), &[0, 250, 300], 305),
            (
                &[(10, unreachable), (20, refused)],
                Err(vec![ErrorKind::Unreachable, ErrorKind::ConnectionRefused]),
                &[0, 10],
                30,
            ),
            (&[], Err(vec![]), &[], 0),
        ] {
            assert_eq!(race_of(plan).await, (result, starts.to_vec(), took), "{plan:?}");
        }
    }

    #[cfg(target_os = "linux")] // Its error numbers and texts.
    #[test]
    fn the_error_names_every_address_and_the_most_telling_kind() {
        let refused = || io::Error::from_raw_os_error(libc::ECONNREFUSED);
        let unreachable = || io::Error::from_raw_os_error(libc::ENETUNREACH);
        let error = explain(
            "a.example",
            8883,
            &vec![(address("[2001:db8::1]:8883"), unreachable()), (address("192.0.2.1:8883"), refused())],
        );
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(
            error.message(),
            "cannot connect to a.example:8883: 2001:db8::1: Network is unreachable (os error 101); \
             192.0.2.1: Connection refused (os error 111). Is the port right, and the server running?"
        );
        let all: Failures = (0..30).map(|_| (address("192.0.2.1:1"), unreachable())).collect();
        let error = explain("a.example", 1, &all);
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.message().contains("; and 22 more. Is the device connected"), "{error}");
        for (code, kind) in [
            (libc::EMFILE, ErrorKind::System),
            (libc::ETIMEDOUT, ErrorKind::Connection),
            (libc::EACCES, ErrorKind::Connection),
            (libc::EHOSTUNREACH, ErrorKind::Unreachable),
            (libc::EADDRNOTAVAIL, ErrorKind::Unreachable),
        ] {
            assert_eq!(super::kind(&io::Error::from_raw_os_error(code)), kind, "{code}");
        }
    }

    #[tokio::test]
    async fn a_socket_is_set_up_for_small_messages_and_silent_peers() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let (stream, peer) = connect("localhost", server.port(), &[server]).await.unwrap();
        assert_eq!(peer, server);
        assert!(stream.nodelay().unwrap());
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_IDLE);
    }

    #[tokio::test]
    async fn a_refused_address_gives_way_to_the_next() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let closed = std::net::TcpListener::bind("[::1]:0")
            .or_else(|_| std::net::TcpListener::bind("127.0.0.1:0"))
            .and_then(|listener| listener.local_addr())
            .unwrap();
        let (_, peer) = connect("localhost", server.port(), &[closed, server]).await.unwrap();
        assert_eq!(peer, server);
        let error = connect("localhost", closed.port(), &[closed]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}");
    }

    /// A listener whose queue is full swallows connection requests, as a firewall does.
    #[cfg(target_os = "linux")]
    #[tokio::test(start_paused = true)]
    async fn an_address_that_swallows_packets_does_not_hold_up_the_next() {
        use socket2::{Domain, Socket, Type};
        let swallower = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        swallower.bind(&address("127.0.0.1:0").into()).unwrap();
        swallower.listen(0).unwrap();
        let silent = swallower.local_addr().unwrap().as_socket().unwrap();
        let _fills_the_queue = std::net::TcpStream::connect(silent).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let began = Instant::now();
        let (_, peer) = connect("localhost", 1, &[silent, server]).await.unwrap();
        assert_eq!(peer, server);
        assert_eq!(began.elapsed(), ATTEMPT_DELAY);
    }
}
