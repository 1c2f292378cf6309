//! A TLS stream over a pipe that takes little at a time, and breaks.

use super::server::{Authority, Pair};
use crate::link::tls::TlsStream;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio_rustls::{TlsAcceptor, TlsConnector, server};

/// Takes so many bytes at a time and so many in all, and then breaks.
struct Brittle {
    io: DuplexStream,
    at_a_time: usize,
    left: usize,
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
        }
        poll
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Both ends of a conversation over a pipe that holds so many bytes.
async fn conversation(room: usize) -> (TlsStream<Brittle>, server::TlsStream<DuplexStream>) {
    let authority = Authority::new("ours");
    let Pair { certificate, key } = authority.server(&["broker.example"], |_| {});
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.der()).unwrap();
    let ours = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(key.serialized_der().to_vec().into());
    let theirs = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let (near, far) = tokio::io::duplex(room);
    let name = ServerName::try_from("broker.example").unwrap();
    let near = Brittle { io: near, at_a_time: usize::MAX, left: usize::MAX };
    let connector = TlsConnector::from(Arc::new(ours));
    let acceptor = TlsAcceptor::from(Arc::new(theirs));
    let (near, far) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
    let (io, connection) = near.unwrap().into_inner();
    (TlsStream::new(io, connection), far.unwrap())
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
