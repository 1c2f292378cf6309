//! Whole links against real servers on loopback.

mod server;
mod stream;

use super::*;
use crate::{Error, ErrorKind};
use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use rustls::pki_types::{ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use server::{Authority, Manners, parrot, tls as tls_server};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NAME: &str = "broker.example";

fn settings(authority: &Authority) -> TlsSettings {
    TlsSettings { roots: authority.roots(), ..TlsSettings::default() }
}

/// Connects to a server on loopback as if it had that name.
async fn link(tls: &Tls, address: SocketAddr, name: &str) -> Result<Link> {
    let (tcp, peer) = tcp::connect(name, address.port(), &[address]).await?;
    let server_name = ServerName::try_from(name.to_owned()).unwrap();
    let (stream, info) = tls.connect(super::socket::Socket(tcp), server_name, name, address.port()).await?;
    Ok(Link { stream: Box::new(stream), peer, tls: Some(info) })
}

async fn failure(tls: &Tls, address: SocketAddr) -> Error {
    link(tls, address, NAME).await.expect_err("the handshake should fail")
}

/// Sends one byte and gets it back; by then the server's tickets have been read, too.
async fn echo(link: &mut Link) -> io::Result<()> {
    link.stream.write_all(b"x").await?;
    link.stream.flush().await?;
    let mut buffer = [0; 1];
    link.stream.read_exact(&mut buffer).await?;
    assert_eq!(&buffer, b"x");
    Ok(())
}

#[track_caller]
fn assert_error(error: &Error, kind: ErrorKind, text: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(text), "expected «{text}» in «{error}»");
}

#[derive(Debug)]
struct FixedClock(Option<u64>);

impl TimeProvider for FixedClock {
    fn current_time(&self) -> Option<UnixTime> {
        self.0.map(|secs| UnixTime::since_unix_epoch(Duration::from_secs(secs)))
    }
}

#[tokio::test]
async fn opens_plain_tcp() {
    let address = server::tcp(|mut tcp| async move {
        let (mut read, mut write) = tcp.split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
    })
    .await;
    let progress = Progress::default();
    let target = Target::new("127.0.0.1", address.port(), None).unwrap();
    let mut link = open(&target, &progress).await.unwrap();
    assert_eq!((link.peer, &link.tls), (address, &None));
    assert_eq!(progress.to_string(), "while connecting by TCP");
    echo(&mut link).await.unwrap();
}

#[tokio::test]
async fn opens_tls_to_a_name_and_to_an_address() {
    let authority = Authority::new("ours");
    let pair = authority.server(&["localhost", "127.0.0.1"], |_| {});
    let address = tls_server(&pair, Manners::default()).await;
    let tls = Tls::new(settings(&authority)).unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let target = Target::new(host, address.port(), Some(tls.clone())).unwrap();
        let mut link = open(&target, &Progress::default()).await.unwrap();
        assert_eq!(link.tls.as_ref().unwrap().version, "TLS 1.3");
        echo(&mut link).await.unwrap();
    }
    // A dot that ends a name is for the resolver; certificates have none (RFC 6066, section 3).
    let target = Target::new("localhost.", address.port(), Some(tls)).unwrap();
    assert_eq!(target.tls().unwrap().1.to_str(), "localhost");
}

#[tokio::test]
async fn resumes_sessions_in_both_versions_with_and_without_identity() {
    let authority = Authority::new("ours");
    let pair = authority.server(&[NAME], |_| {});
    for (version, name) in [(&rustls::version::TLS12, "TLS 1.2"), (&rustls::version::TLS13, "TLS 1.3")] {
        for clients_of in [None, Some(&authority)] {
            let manners = Manners { version: Some(version), clients_of, ..Manners::default() };
            let address = tls_server(&pair, manners).await;
            let identity = clients_of.map(Authority::client);
            let tls = Tls::new(TlsSettings { identity, ..settings(&authority) }).unwrap();
            let mut resumed = Vec::new();
            // Another certificate must be presented, so it must not resume what the old one began.
            let other = tls.with_identity(Some(authority.client()));
            for tls in [&tls, &tls, &tls, &other, &other] {
                let mut link = link(tls, address, NAME).await.unwrap();
                echo(&mut link).await.unwrap();
                let info = link.tls.unwrap();
                assert_eq!(info.version, name);
                resumed.push(info.resumed);
            }
            assert_eq!(resumed, [false, true, true, false, true], "{name}");
        }
    }
}

#[tokio::test]
async fn a_server_without_a_wish_takes_the_cipher_that_suits_the_cpu() {
    let authority = Authority::new("ours");
    let pair = authority.server(&[NAME], |_| {});
    let cipher = if tls::has_aes() { "AES_128_GCM_SHA256" } else { "CHACHA20_POLY1305_SHA256" };
    for (version, kind) in
        [(&rustls::version::TLS12, "TLS_ECDHE_ECDSA_WITH_"), (&rustls::version::TLS13, "TLS13_")]
    {
        let manners = Manners { version: Some(version), ..Manners::default() };
        let address = tls_server(&pair, manners).await;
        let tls = Tls::new(settings(&authority)).unwrap();
        let link = link(&tls, address, NAME).await.unwrap();
        assert_eq!(link.tls.unwrap().cipher_suite, format!("{kind}{cipher}"));
    }
}

#[tokio::test]
async fn asks_for_a_protocol() {
    let authority = Authority::new("ours");
    let pair = authority.server(&[NAME], |_| {});
    let tls =
        Tls::new(TlsSettings { alpn: Some("x-amzn-mqtt-ca".to_owned()), ..settings(&authority) }).unwrap();
    for (alpn, expected) in [(&["mqtt", "x-amzn-mqtt-ca"][..], Some("x-amzn-mqtt-ca")), (&[], None)] {
        let address = tls_server(&pair, Manners { alpn, ..Manners::default() }).await;
        let link = link(&tls, address, NAME).await.unwrap();
        assert_eq!(link.tls.unwrap().alpn.as_deref(), expected);
    }
    let address = tls_server(&pair, Manners { alpn: &["http/1.1"], ..Manners::default() }).await;
    assert_error(&failure(&tls, address).await, ErrorKind::TlsAlpn, "'x-amzn-mqtt-ca' (ALPN)");
    for alpn in [String::new(), "x".repeat(256)] {
        let error = Tls::new(TlsSettings { alpn: Some(alpn), ..settings(&authority) }).unwrap_err();
        assert_error(&error, ErrorKind::InvalidConfiguration, "1 to 255 bytes");
    }
}

#[tokio::test]
async fn refuses_a_certificate_for_another_name() {
    let authority = Authority::new("ours");
    let tls = Tls::new(settings(&authority)).unwrap();
    for (names, text) in [
        (&["a.example"][..], "TLS: the server's certificate is for 'a.example', not 'broker.example'"),
        (
            &["*.a.example", "192.0.2.1"],
            "TLS: the server's certificate is for '*.a.example', '192.0.2.1', not 'broker.example'",
        ),
        (&["a", "b", "c", "d", "e", "f"], "is for 'a', 'b', 'c', 'd' and 2 more, not 'broker.example'"),
        (&[], "names no host at all (it has no subjectAltName), so it is not for 'broker.example'"),
    ] {
        let address = tls_server(&authority.server(names, |_| {}), Manners::default()).await;
        assert_error(&failure(&tls, address).await, ErrorKind::TlsHostname, text);
    }
}

#[tokio::test]
async fn tells_an_expired_certificate_from_a_wrong_clock() {
    let authority = Authority::new("ours");
    let year = |from, to| {
        authority.server(&[NAME], |params| {
            params.not_before = date_time_ymd(from, 1, 1);
            params.not_after = date_time_ymd(to, 1, 1);
        })
    };
    let (present, past, ancient) = (year(2020, 2099), year(2020, 2025), year(1980, 1990));
    for (pair, now, kind, text) in [
        (
            &past,
            Some(1_767_225_600),
            ErrorKind::TlsExpired,
            "certificate expired on 2025-01-01T00:00:00Z; this device's clock says 2026-01-01T00:00:00Z",
        ),
        (
            &present,
            Some(61),
            ErrorKind::TlsClock,
            "clock says 1970-01-01T00:01:01Z, which is probably wrong: set it; the server's certificate is valid \
             from 2020-01-01T00:00:00Z",
        ),
        (&present, Some(1_500_000_000), ErrorKind::TlsClock, "clock says 2017-07-14T02:40:00Z"),
        (&ancient, Some(1_000_000_000), ErrorKind::TlsClock, "clock says 2001-09-09T01:46:40Z"),
        (&present, None, ErrorKind::TlsClock, "clock says a time before 1970"),
        (&present, Some(4_102_444_800), ErrorKind::TlsExpired, "expired on 2099-01-01T00:00:00Z"),
    ] {
        let address = tls_server(pair, Manners::default()).await;
        let tls = Tls::with_clock(settings(&authority), Arc::new(FixedClock(now))).unwrap();
        assert_error(&failure(&tls, address).await, kind, text);
    }
}

#[tokio::test]
async fn refuses_whom_nobody_vouches_for() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let address = tls_server(&stranger.server(&[NAME], |_| {}), Manners::default()).await;
    let tls = Tls::new(settings(&authority)).unwrap();
    assert_error(
        &failure(&tls, address).await,
        ErrorKind::TlsUnknownIssuer,
        "judged by the 1 root that the application gave: set the CA certificate",
    );
    let tls = Tls::new(TlsSettings::default()).unwrap();
    assert_error(&failure(&tls, address).await, ErrorKind::TlsUnknownIssuer, "nobody we trust issued");
}

#[tokio::test]
async fn refuses_a_certificate_of_another_kind() {
    let authority = Authority::new("ours");
    let tls = Tls::new(settings(&authority)).unwrap();
    let client = authority.server(&[NAME], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let ca = authority.server(&[NAME], |params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    for (pair, text) in [(client, "not meant for servers"), (ca, "it is a CA's certificate")] {
        let address = tls_server(&pair, Manners::default()).await;
        assert_error(&failure(&tls, address).await, ErrorKind::TlsBadCertificate, text);
    }
}

#[tokio::test]
async fn tells_a_refused_client_certificate_in_both_versions() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let pair = authority.server(&[NAME], |_| {});
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let manners = Manners { version: Some(version), clients_of: Some(&authority), ..Manners::default() };
        let address = tls_server(&pair, manners).await;
        for (identity, text) in [
            (None, "the server wants a client certificate: set one, with its private key"),
            (Some(stranger.client()), "the server does not know who issued the client certificate"),
        ] {
            let tls = Tls::new(TlsSettings { identity, ..settings(&authority) }).unwrap();
            let error = match link(&tls, address, NAME).await {
                Err(error) => error,
                // TLS 1.3: the refusal comes after our end of the handshake.
                Ok(mut link) => explain(link.stream.read_u8().await.unwrap_err()),
            };
            assert_error(&error, ErrorKind::TlsClientCertificate, text);
        }
    }
}

#[tokio::test]
async fn tells_a_server_that_hangs_up_where_it_asked_for_a_certificate() {
    let authority = Authority::new("ours");
    let pair = authority.server(&[NAME], |_| {});
    for (clients_of, identity, text) in [
        (None, Some(authority.client()), "is that a TLS port, and the right host name?"),
        (Some(&authority), None, "it asked for a client certificate, and none is set"),
        (Some(&authority), Some(authority.client()), "it may have refused the client certificate"),
    ] {
        let manners = Manners { version: Some(&rustls::version::TLS12), clients_of, ..Manners::default() };
        let address = server::curt(&pair, manners).await;
        let tls = Tls::new(TlsSettings { identity, ..settings(&authority) }).unwrap();
        assert_error(&failure(&tls, address).await, ErrorKind::Tls, text);
    }
}

#[tokio::test]
async fn tells_what_does_not_speak_tls() {
    let tls = Tls::new(settings(&Authority::new("ours"))).unwrap();
    for answer in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x20\x03\x00\x84\x00",
        b"\x16\x99\x99\x99\x99\x99\x99",
    ] {
        let address = parrot(answer).await;
        let text = format!(
            "the server at broker.example:{} does not speak TLS: is that the right port?",
            address.port()
        );
        assert_error(&failure(&tls, address).await, ErrorKind::Tls, &text);
    }
    let address = parrot(b"").await;
    assert_error(
        &failure(&tls, address).await,
        ErrorKind::Tls,
        "closed the connection during the handshake; is that a TLS port",
    );
    let address = server::tcp(|tcp| async move {
        socket2::SockRef::from(&tcp).set_linger(Some(Duration::ZERO)).unwrap();
    })
    .await;
    assert_error(&failure(&tls, address).await, ErrorKind::Tls, "closed the connection during the handshake");
}

#[tokio::test]
async fn tells_the_servers_alerts_apart() {
    let tls =
        Tls::new(TlsSettings { alpn: Some("mqtt".to_owned()), ..settings(&Authority::new("ours")) }).unwrap();
    for (answer, kind, text) in [
        (b"\x15\x03\x01\x00\x02\x02\x46", ErrorKind::Tls, "neither TLS 1.2 nor TLS 1.3"),
        (b"\x15\x03\x03\x00\x02\x02\x28", ErrorKind::Tls, "share no cipher suite"),
        (b"\x15\x03\x03\x00\x02\x02\x47", ErrorKind::Tls, "share no cipher suite"),
        (
            b"\x15\x03\x03\x00\x02\x02\x50",
            ErrorKind::Tls,
            "the server ended the handshake: alert 80 internal_error",
        ),
        (b"\x15\x03\x03\x00\x02\x02\x70", ErrorKind::TlsHostname, "does not know the name 'broker.example'"),
        (b"\x15\x03\x03\x00\x02\x02\x78", ErrorKind::TlsAlpn, "does not offer the protocol 'mqtt' (ALPN)"),
        (b"\x15\x03\x03\x00\x02\x02\x31", ErrorKind::TlsClientCertificate, "(alert 49 access_denied)"),
    ] {
        let address = parrot(answer).await;
        assert_error(&failure(&tls, address).await, kind, text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_handshake_ends_with_its_future() {
    let closed = Arc::new(tokio::sync::Notify::new());
    let address = {
        let closed = closed.clone();
        server::tcp(move |mut tcp| {
            let closed = closed.clone();
            async move {
                let mut sink = Vec::new();
                let _ = tcp.read_to_end(&mut sink).await;
                closed.notify_one();
            }
        })
        .await
    };
    let tls = Tls::new(settings(&Authority::new("ours"))).unwrap();
    let target = Target::new("127.0.0.1", address.port(), Some(tls)).unwrap();
    let progress = Progress::default();
    let limited = tokio::time::timeout(Duration::from_secs(10), open(&target, &progress));
    assert!(limited.await.is_err());
    assert_eq!(progress.to_string(), "in the TLS handshake");
    closed.notified().await;
}

#[test]
fn explains_what_breaks_an_open_link() {
    use rustls::{AlertDescription as Alert, Error as TlsError};
    let tls = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    for (error, kind, text) in [
        (
            io::Error::from(io::ErrorKind::UnexpectedEof),
            ErrorKind::ConnectionLost,
            "the server closed the connection",
        ),
        (
            io::Error::from_raw_os_error(libc::ECONNRESET),
            ErrorKind::ConnectionLost,
            "the connection was reset",
        ),
        (io::Error::from_raw_os_error(libc::EPIPE), ErrorKind::ConnectionLost, "the connection was reset"),
        (io::Error::from_raw_os_error(libc::ETIMEDOUT), ErrorKind::ConnectionLost, "the connection broke"),
        (io::Error::from_raw_os_error(libc::ENETDOWN), ErrorKind::ConnectionLost, "the connection broke"),
        (tls(TlsError::DecryptError), ErrorKind::Tls, "the connection is damaged"),
        (
            tls(TlsError::AlertReceived(Alert::DecryptError)),
            ErrorKind::TlsClientCertificate,
            "alert 51 decrypt_error",
        ),
        (tls(TlsError::AlertReceived(Alert::InternalError)), ErrorKind::Tls, "alert 80 internal_error"),
        (
            tls(TlsError::AlertReceived(Alert::CertificateExpired)),
            ErrorKind::TlsClientCertificate,
            "the client certificate has expired: get a new one, or check the server's clock (alert 45 certificate_expired)",
        ),
        (tls(TlsError::AlertReceived(Alert::CertificateRevoked)), ErrorKind::TlsClientCertificate, "revoked"),
        (
            tls(TlsError::AlertReceived(Alert::BadCertificate)),
            ErrorKind::TlsClientCertificate,
            "registered in this account",
        ),
    ] {
        assert_error(&explain(error), kind, text);
    }
}

#[test]
fn a_plain_client_carries_no_room_for_a_handshake() {
    let target = Target::new("127.0.0.1", 1, None).unwrap();
    let progress = Progress::default();
    let size = std::mem::size_of_val(&open(&target, &progress));
    assert!(size <= 640, "{size} bytes");
}
