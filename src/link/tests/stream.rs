//! A TLS stream over a pipe that takes little at a time, and breaks.

use super::server::{Authority, Pair};
use crate::link::tls::TlsStream;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, ClientConfig, ClientConnection, HandshakeKind, RootCertStore};
use rustls::{Error as TlsError, ServerConfig, ServerConnection, SupportedProtocolVersion};
use std::future::poll_fn;
use std::io::{self, IoSlice, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio_rustls::{TlsAcceptor, server};

/// Takes so many bytes at a time and so many in all, and then breaks. Counts how often it took some.
struct Brittle {
    io: DuplexStream,
    at_a_time: usize,
    left: usize,
    writes: usize,
}

impl Brittle {
    fn new(io: DuplexStream) -> Self {
        Self { io, at_a_time: usize::MAX, left: usize::MAX, writes: 0 }
    }
}

impl AsyncRead for Brittle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Brittle {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let some = bytes.len().min(self.left).min(self.at_a_time);
        let poll = Pin::new(&mut self.io).poll_write(cx, &bytes[..some]);
        if let Poll::Ready(Ok(count)) = &poll {
            self.left -= count;
            self.writes += 1;
        }
        poll
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
        self.poll_write(cx, &bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Both sides' settings for a version of TLS; the client trusts the server if it is to.
fn settings(version: &'static SupportedProtocolVersion, trusting: bool) -> (ClientConfig, ServerConfig) {
    settings_with(version, trusting, ring::default_provider())
}

fn settings_with(
    version: &'static SupportedProtocolVersion,
    trusting: bool,
    servers: CryptoProvider,
) -> (ClientConfig, ServerConfig) {
    let authority = Authority::new("ours");
    let Pair { certificate, key } = authority.server(&["broker.example"], |_| {});
    let mut roots = RootCertStore::empty();
    roots.add(if trusting { authority.der() } else { Authority::new("theirs").der() }).unwrap();
    let ours = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(key.serialized_der().to_vec().into());
    let theirs = ServerConfig::builder_with_provider(Arc::new(servers))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (ours, theirs)
}

fn client(config: ClientConfig, io: DuplexStream) -> TlsStream<Brittle> {
    let name = ServerName::try_from("broker.example").unwrap();
    TlsStream::new(Brittle::new(io), ClientConnection::new(Arc::new(config), name).unwrap())
}

async fn handshake(stream: &mut TlsStream<Brittle>) -> io::Result<()> {
    poll_fn(|cx| stream.poll_handshake(cx)).await
}

/// Both ends of a conversation over a pipe that holds so many bytes.
async fn conversation(room: usize) -> (TlsStream<Brittle>, server::TlsStream<DuplexStream>) {
    let (ours, theirs) = settings(&TLS13, true);
    let (near, far) = tokio::io::duplex(room);
    let mut near = client(ours, near);
    let greeting = async {
        handshake(&mut near).await.unwrap();
        near.flush().await.unwrap();
    };
    let ((), far) = tokio::join!(greeting, TlsAcceptor::from(Arc::new(theirs)).accept(far));
    (near, far.unwrap())
}

/// What a server that has heard the client's first words says to them, and these bytes of the application, where it may.
async fn answer(config: ServerConfig, io: &mut DuplexStream, early: &[u8]) -> Vec<u8> {
    let mut hello = vec![0; 4096];
    let length = io.read(&mut hello).await.unwrap();
    let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
    tls.read_tls(&mut &hello[..length]).unwrap();
    tls.process_new_packets().unwrap();
    tls.writer().write_all(early).unwrap();
    let mut answer = Vec::new();
    while tls.wants_write() {
        tls.write_tls(&mut answer).unwrap();
    }
    answer
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|i| (i % 251) as u8).collect()
}

/// Reads to the end, so many bytes at a time.
async fn read_all(stream: &mut (impl AsyncRead + Unpin), at_a_time: usize) -> (Vec<u8>, io::Result<()>) {
    let (mut all, mut some) = (Vec::new(), vec![0; at_a_time]);
    loop {
        match stream.read(&mut some).await {
            Ok(0) => return (all, Ok(())),
            Ok(count) => all.extend_from_slice(&some[..count]),
            Err(error) => return (all, Err(error)),
        }
    }
}

#[tokio::test]
async fn what_was_taken_is_told_before_the_failure() {
    // Inside the first record, behind some, and behind all that one write can bring about.
    for left in [0, 1, 5000, 20_000, 50_000, 90_000] {
        let (mut near, mut far) = conversation(1 << 20).await;
        near.get_mut().left = left;
        let sent = bytes(100_000);
        let mut told = 0;
        let error = loop {
            match near.write(&sent[told..]).await {
                Ok(count) => told += count,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        drop(near);
        let (arrived, _) = read_all(&mut far, 4096).await;
        assert!(arrived.len() <= told, "{} bytes arrived, {told} were told", arrived.len());
        assert!(sent.starts_with(&arrived));
        assert_eq!(arrived.is_empty(), left < 16_384, "{left} went out, {} arrived", arrived.len());
    }
}

#[tokio::test]
async fn carries_every_byte_both_ways_in_pieces_of_any_size() {
    for (room, at_a_time) in [(4096, 1), (5000, 7), (8192, 100_000), (1 << 20, 3000), (1 << 20, 1 << 17)] {
        let (mut near, far) = conversation(room).await;
        near.get_mut().at_a_time = at_a_time;
        let (mut near_read, mut near_write) = tokio::io::split(near);
        let (mut far_read, mut far_write) = tokio::io::split(far);
        let sent = bytes(if at_a_time < 100 { 20_000 } else { 300_000 });
        let ((), (), (up, up_end), (down, down_end)) = tokio::join!(
            async {
                near_write.write_all(&sent).await.unwrap();
                near_write.shutdown().await.unwrap();
            },
            async {
                far_write.write_all(&sent).await.unwrap();
                far_write.shutdown().await.unwrap();
            },
            read_all(&mut far_read, at_a_time),
            read_all(&mut near_read, at_a_time),
        );
        up_end.unwrap();
        down_end.unwrap();
        assert!(up == sent && down == sent, "{room} {at_a_time}");
    }
}

#[tokio::test]
async fn an_end_without_a_farewell_is_told_after_what_came_before_it() {
    let (mut near, mut far) = conversation(1 << 20).await;
    far.write_all(b"last words").await.unwrap();
    far.flush().await.unwrap();
    drop(far.into_inner());
    let (read, end) = read_all(&mut near, 4).await;
    assert_eq!(
        (read.as_slice(), end.unwrap_err().kind()),
        (&b"last words"[..], io::ErrorKind::UnexpectedEof)
    );
}

#[tokio::test]
async fn what_is_no_tls_is_told_after_what_came_before_it() {
    let (mut near, mut far) = conversation(1 << 20).await;
    far.write_all(b"last words").await.unwrap();
    far.flush().await.unwrap();
    let (mut io, _) = far.into_inner();
    io.write_all(b"\x17\x03\x03\x00\x20not what a record looks like....").await.unwrap();
    let (read, end) = read_all(&mut near, 4096).await;
    assert_eq!((read.as_slice(), end.unwrap_err().kind()), (&b"last words"[..], io::ErrorKind::InvalidData));
}

#[tokio::test]
async fn the_end_of_the_handshake_goes_out_with_the_first_bytes() {
    // In TLS 1.2 the server has the last word.
    for (version, writes) in [(&TLS13, 1), (&TLS12, 2)] {
        let (ours, theirs) = settings(version, true);
        let (near, far) = tokio::io::duplex(1 << 20);
        let mut near = client(ours, near);
        let greeting = async {
            handshake(&mut near).await.unwrap();
            assert_eq!(near.get_mut().writes, writes);
            near.write_all(b"CONNECT").await.unwrap();
            near.flush().await.unwrap();
            assert_eq!(near.get_mut().writes, writes + 1);
        };
        let ((), far) = tokio::join!(greeting, TlsAcceptor::from(Arc::new(theirs)).accept(far));
        let mut heard = [0; 7];
        far.unwrap().read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"CONNECT");
    }
}

#[tokio::test]
async fn a_flush_ends_the_handshake_too() {
    let (mut near, _far) = conversation(1 << 20).await;
    assert_eq!(near.get_mut().writes, 2);
}

#[tokio::test]
async fn a_read_that_waits_ends_the_handshake_too() {
    // Also byte by byte.
    for (version, room) in [(&TLS13, 1 << 20), (&TLS13, 1), (&TLS12, 1)] {
        let (ours, theirs) = settings(version, true);
        let (near, far) = tokio::io::duplex(room);
        let mut near = client(ours, near);
        let listening = async {
            handshake(&mut near).await.unwrap();
            near.read_u8().await.unwrap()
        };
        let speaking = async {
            let mut far = TlsAcceptor::from(Arc::new(theirs)).accept(far).await.unwrap();
            far.write_all(b"x").await.unwrap();
            far.flush().await.unwrap();
        };
        assert_eq!(tokio::join!(listening, speaking).0, b'x');
    }
}

#[tokio::test]
async fn the_server_may_answer_in_pieces() {
    let (ours, theirs) = settings(&TLS13, true);
    let (near, mut far) = tokio::io::duplex(1 << 20);
    let mut near = client(ours, near);
    let answering = async {
        for piece in answer(theirs, &mut far, b"").await.chunks(100) {
            far.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let (end, ()) = tokio::join!(handshake(&mut near), answering);
    end.unwrap();
    assert_eq!(near.get_mut().writes, 1);
}

#[tokio::test]
async fn the_server_may_want_another_key_exchange() {
    let groups = vec![ring::kx_group::SECP384R1];
    let provider = CryptoProvider { kx_groups: groups, ..ring::default_provider() };
    let (ours, theirs) = settings_with(&TLS13, true, provider);
    let (near, far) = tokio::io::duplex(1 << 20);
    let mut near = client(ours, near);
    let greeting = async {
        handshake(&mut near).await.unwrap();
        // Two hellos.
        assert_eq!(near.get_mut().writes, 2);
        near.flush().await.unwrap();
    };
    let ((), far) = tokio::join!(greeting, TlsAcceptor::from(Arc::new(theirs)).accept(far));
    assert_eq!(far.unwrap().get_ref().1.handshake_kind(), Some(HandshakeKind::FullWithHelloRetryRequest));
}

#[tokio::test]
async fn what_comes_with_the_servers_last_word_is_kept() {
    for count in [1, 100, 5000, 30_000] {
        let (ours, mut theirs) = settings(&TLS13, true);
        theirs.send_half_rtt_data = true;
        let (near, mut far) = tokio::io::duplex(1 << 20);
        let mut near = client(ours, near);
        let sent = bytes(count);
        let answering = async {
            let answer = answer(theirs, &mut far, &sent).await;
            far.write_all(&answer).await.unwrap();
        };
        let (end, ()) = tokio::join!(handshake(&mut near), answering);
        end.unwrap();
        let mut heard = vec![0; count];
        near.read_exact(&mut heard).await.unwrap();
        assert!(heard == sent, "{count}");
    }
}

#[tokio::test]
async fn an_end_amid_the_handshake_is_told() {
    for version in [&TLS12, &TLS13] {
        for part in [0.0, 0.01, 0.5, 0.99] {
            let (ours, theirs) = settings(version, true);
            let (near, mut far) = tokio::io::duplex(1 << 20);
            let mut near = client(ours, near);
            let answering = async move {
                let answer = answer(theirs, &mut far, b"").await;
                let length = (answer.len() as f64 * part) as usize;
                far.write_all(&answer[..length]).await.unwrap();
            };
            let (end, ()) = tokio::join!(handshake(&mut near), answering);
            assert_eq!(end.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_told() {
    for version in [&TLS12, &TLS13] {
        let (ours, theirs) = settings(version, false);
        let (near, far) = tokio::io::duplex(1 << 20);
        let mut near = client(ours, near);
        let accepting = TlsAcceptor::from(Arc::new(theirs)).accept(far);
        let (end, accepted) = tokio::join!(handshake(&mut near), accepting);
        let reason = |error: io::Error| error.get_ref().unwrap().downcast_ref::<TlsError>().unwrap().clone();
        assert!(matches!(reason(end.unwrap_err()), TlsError::InvalidCertificate(_)));
        let told = reason(accepted.err().unwrap());
        assert_eq!(told, TlsError::AlertReceived(AlertDescription::UnknownCA));
    }
}
