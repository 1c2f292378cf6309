//! Who is let in, and how the others are turned away.

use std::sync::Arc;
use std::time::Duration;

use gecko_iot_sim::{
    Authorizer, Config, ConnectionEnd, DisconnectAfter, Listener, PasswordListener, Refusal,
    ServerCertificate, Simulator, TlsVersions, Token, TokenFormat,
};
use rustls::version::{TLS12, TLS13};

use crate::client::{Client, Hello, Packet, SOON, Tls, expect_packet};

async fn start(config: Config) -> Simulator {
    Simulator::start(config).await.unwrap()
}

async fn by_token(simulator: &Simulator, user_name: &str) -> (Client, Option<u8>) {
    let tls = Tls { alpn: Some("mqtt"), ..Tls::default() };
    let mut client = Client::tls(simulator, simulator.alpn_port(), tls).await.unwrap();
    let hello = Hello { user_name: Some(user_name), ..Hello::new("device") };
    client.send(&hello.bytes()).await;
    let answer = match client.receive().await {
        Packet::Connack(connack) => Some(connack.reason_code() as u8),
        Packet::Closed => None,
        other => panic!("{other:?}"),
    };
    (client, answer)
}

fn encode(value: &str) -> String {
    value.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

fn minute(simulator: &Simulator) -> Token {
    simulator.mint_token(Duration::from_secs(60)).unwrap()
}

#[tokio::test]
async fn the_authorizer_lets_a_good_token_in_and_refuses_each_bad_one() {
    let simulator = start(Config::default()).await;
    let good = minute(&simulator);
    let (_client, answer) = by_token(&simulator, &good.user_name).await;
    assert_eq!(answer, Some(0));
    let json = simulator.mint_token_as(TokenFormat::Json, SOON).unwrap();
    assert_eq!(by_token(&simulator, &format!("someone{}", json.user_name)).await.1, Some(0));

    let expired = simulator.mint_token(Duration::ZERO).unwrap();
    let signature = encode(&good.signature);
    let bad = [
        good.user_name.replace("gecko", "lizard"),
        expired.user_name.clone(),
        good.user_name.replace(&good.token, &minute(&simulator).token),
        good.user_name.replace(&signature, &encode(&signature)),
        good.user_name.replace(&signature, &good.signature),
        good.user_name.replace("&token=", "&key="),
        "device".to_owned(),
    ];
    for user_name in &bad {
        assert_eq!(by_token(&simulator, user_name).await.1, Some(135), "{user_name}");
    }
    let connects = simulator.connects();
    assert_eq!(connects.len(), 2 + bad.len());
    assert_eq!(connects[0].user_name.as_ref(), Some(&good.user_name));
    assert_eq!((connects[0].listener, connects[0].alpn.as_deref()), (Listener::Alpn, Some("mqtt")));
    assert_eq!(connects[0].server_name.as_deref(), Some("localhost"));
    assert_eq!(simulator.stats().protocol_errors, 0);
    simulator.stop().await;
}

#[tokio::test]
async fn the_files_are_what_a_client_needs() {
    let simulator = start(Config::default()).await;
    let read = |name| std::fs::read_to_string(simulator.path(name)).unwrap();
    let url = read("broker-url.txt");
    let (endpoint, query) = url.split_once('?').unwrap();
    assert_eq!(endpoint, format!("wss://localhost:{}/mqtt", simulator.alpn_port()));
    assert_eq!(by_token(&simulator, &format!("?{query}")).await.1, Some(0));
    assert!(query.contains(&read("token.txt")) && query.ends_with(&encode(&read("signature.txt"))));
    assert_eq!(read("ca.pem"), simulator.ca_pem());
    let directory = simulator.directory().to_owned();
    simulator.stop().await;
    assert!(!directory.exists());
}

#[tokio::test]
async fn an_authorizer_whose_clock_is_behind_takes_expired_tokens() {
    let authorizer = Authorizer { clock_behind: Duration::from_secs(60), ..Authorizer::default() };
    let simulator = start(Config { authorizer, ..Config::default() }).await;
    let expired = simulator.mint_token(Duration::ZERO).unwrap();
    let (mut client, answer) = by_token(&simulator, &expired.user_name).await;
    assert_eq!(answer, Some(0));
    client.ping().await;
}

#[tokio::test]
async fn a_refusal_is_what_the_configuration_says() {
    for (refusal, expected) in [(Refusal::Connack(134), Some(134)), (Refusal::Close, None)] {
        let authorizer = Authorizer { refusal, ..Authorizer::default() };
        let simulator = start(Config { authorizer, ..Config::default() }).await;
        assert_eq!(by_token(&simulator, "?").await.1, expected);
    }
}

#[tokio::test]
async fn the_connection_ends_with_its_token_or_when_the_authorizer_says() {
    let soon = DisconnectAfter::Duration(Duration::from_millis(50));
    for (disconnect_after, end, ttl) in [
        (DisconnectAfter::TokenExpiry, ConnectionEnd::Disconnect(135), Duration::from_millis(300)),
        (soon, ConnectionEnd::Disconnect(160), SOON),
        (soon, ConnectionEnd::Close, SOON),
    ] {
        let token_format = TokenFormat::Json;
        let authorizer = Authorizer { disconnect_after, end, token_format, ..Authorizer::default() };
        let simulator = start(Config { authorizer, ..Config::default() }).await;
        let token = simulator.mint_token(ttl).unwrap();
        let (mut client, answer) = by_token(&simulator, &token.user_name).await;
        assert_eq!(answer, Some(0));
        match end {
            ConnectionEnd::Disconnect(code) => client.expect_disconnect(code).await,
            _ => assert!(matches!(client.receive().await, Packet::Closed)),
        }
    }
}

#[tokio::test]
async fn the_authorizer_is_asked_again_and_only_a_bad_token_notices() {
    for end in [ConnectionEnd::Disconnect(135), ConnectionEnd::Close] {
        let authorizer = Authorizer {
            disconnect_after: DisconnectAfter::Never,
            refresh_after: Some(Duration::from_millis(20)),
            token_format: TokenFormat::Json,
            end,
            ..Authorizer::default()
        };
        let simulator = start(Config { authorizer, ..Config::default() }).await;
        let good = minute(&simulator);
        let (mut client, answer) = by_token(&simulator, &good.user_name).await;
        assert_eq!(answer, Some(0));
        assert!(simulator.wait_until(SOON, |it| it.stats().policy_refreshes >= 3).await);
        client.expect_nothing().await;
        client.disconnect(0).await;

        let short = simulator.mint_token(Duration::from_millis(200)).unwrap();
        let (mut client, answer) = by_token(&simulator, &short.user_name).await;
        // On a very slow machine it has expired already.
        if answer == Some(0) {
            match end {
                ConnectionEnd::Disconnect(code) => client.expect_disconnect(code).await,
                _ => assert!(matches!(client.receive().await, Packet::Closed)),
            }
            assert!(std::time::SystemTime::now() >= short.expires_at);
        }
    }
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_its_connections_end() {
    for (refusal, expected) in
        [(Refusal::Connack(135), Some(135)), (Refusal::Connack(134), Some(134)), (Refusal::Close, None)]
    {
        let authorizer = Authorizer { refusal, ..Authorizer::default() };
        let simulator = start(Config { authorizer, ..Config::default() }).await;
        let (old, fresh) = (minute(&simulator), minute(&simulator));
        let (mut client, _) = by_token(&simulator, &old.user_name).await;
        let identity = Some(simulator.client());
        let mut other =
            Client::tls(&simulator, simulator.mtls_port(), Tls { identity, ..Tls::default() }).await.unwrap();
        other.connect(Hello::new("other")).await;
        assert_eq!(simulator.connects()[0].token.as_ref(), Some(&old.token));
        assert_eq!(simulator.connects()[1].token, None);

        simulator.revoke(&old.token);
        client.expect_disconnect(135).await;
        assert_eq!(by_token(&simulator, &old.user_name).await.1, expected);
        let (mut client, answer) = by_token(&simulator, &fresh.user_name).await;
        assert_eq!(answer, Some(0));
        client.expect_nothing().await;
        other.expect_nothing().await;
    }
}

#[tokio::test]
async fn client_certificates_are_asked_for_on_both_ports() {
    let simulator = start(Config::default()).await;
    for (port, alpn) in [(simulator.mtls_port(), None), (simulator.alpn_port(), Some("x-amzn-mqtt-ca"))] {
        for identity in [simulator.client(), simulator.rsa_client()] {
            let tls = Tls { alpn, identity: Some(identity), ..Tls::default() };
            let mut client = Client::tls(&simulator, port, tls).await.unwrap();
            assert_eq!(client.connect(Hello::new("device")).await.reason_code() as u8, 0);
        }
        for identity in [None, Some(simulator.foreign_client())] {
            let before = simulator.stats().tls_failures;
            // With TLS 1.3 the client learns of it only when it reads.
            let tls = Tls { alpn, identity, version: Some(&TLS12), ..Tls::default() };
            assert!(Client::tls(&simulator, port, tls).await.is_err());
            let tls = Tls { alpn, identity, version: Some(&TLS13), ..Tls::default() };
            if let Ok(mut client) = Client::tls(&simulator, port, tls).await {
                assert!(matches!(client.receive().await, Packet::Closed));
            }
            assert!(simulator.wait_until(SOON, |it| it.stats().tls_failures == before + 2).await);
        }
    }
    assert!(simulator.connects().iter().all(|connect| connect.client_certificate));
}

#[tokio::test]
async fn the_alpn_port_routes_as_aws_does() {
    let simulator = start(Config::default()).await;
    let port = simulator.alpn_port();
    for alpn in [None, Some("http/1.1")] {
        assert!(Client::tls(&simulator, port, Tls { alpn, ..Tls::default() }).await.is_err(), "{alpn:?}");
    }
    let tls = || Tls { alpn: Some("mqtt"), ..Tls::default() };
    assert!(Client::tls(&simulator, port, Tls { sni: false, ..tls() }).await.is_err());
    assert!(Client::tls(&simulator, port, Tls { name: "127.0.0.1", ..tls() }).await.is_err());
    assert!(simulator.wait_until(SOON, |it| it.stats().tls_failures == 4).await);

    let lenient = start(Config { require_sni: false, ..Config::default() }).await;
    let tls = Tls { name: "127.0.0.1", ..tls() };
    assert!(Client::tls(&lenient, lenient.alpn_port(), tls).await.is_ok());
}

#[tokio::test]
async fn tls_sessions_are_resumed() {
    let simulator = start(Config::default()).await;
    for version in [&TLS12, &TLS13] {
        let identity = Some(simulator.client());
        let tls = Tls { identity, version: Some(version), ..Tls::default() };
        let config = Arc::new(tls.config(&simulator));
        for _ in 0..2 {
            let mut client = Client::tls_with(&config, "localhost", simulator.mtls_port()).await.unwrap();
            client.connect(Hello::new("device")).await;
        }
    }
    let resumed: Vec<bool> = simulator.connects().iter().map(|connect| connect.tls_resumed).collect();
    assert_eq!(resumed, [false, true, false, true]);
}

#[tokio::test]
async fn tls_versions_are_as_configured() {
    for (tls_versions, version, fine) in [
        (TlsVersions::Tls12, &TLS12, true),
        (TlsVersions::Tls12, &TLS13, false),
        (TlsVersions::Tls13, &TLS12, false),
        (TlsVersions::Tls13, &TLS13, true),
        (TlsVersions::Both, &TLS12, true),
        (TlsVersions::Both, &TLS13, true),
    ] {
        let simulator = start(Config { tls_versions, ..Config::default() }).await;
        let tls = Tls { alpn: Some("mqtt"), version: Some(version), ..Tls::default() };
        assert_eq!(Client::tls(&simulator, simulator.alpn_port(), tls).await.is_ok(), fine);
    }
}

#[tokio::test]
async fn bad_server_certificates_are_bad_in_their_own_way() {
    for (server_certificate, expected) in [
        (ServerCertificate::Expired, "expired"),
        (ServerCertificate::NotYetValid, "not valid yet"),
        (ServerCertificate::WrongName, "not valid for name"),
        (ServerCertificate::UnknownCa, "UnknownIssuer"),
    ] {
        let simulator = start(Config { server_certificate, ..Config::default() }).await;
        let tls = Tls { alpn: Some("mqtt"), ..Tls::default() };
        let error = Client::tls(&simulator, simulator.alpn_port(), tls).await.err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn secrets_are_listed_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.txt");
    let listener = PasswordListener { port: 0, user_name: "me".to_owned(), password: b"a b\0".to_vec() };
    let config = || Config {
        password_listener: Some(listener.clone()),
        secrets_file: Some(path.clone()),
        ..Config::default()
    };
    let simulator = start(config()).await;
    let token = simulator.mint_token(Duration::from_secs(60)).unwrap();
    let list = std::fs::read_to_string(&path).unwrap();
    assert!(list.contains(&format!("token {}\n", token.token)), "{list}");
    let signature = token.broker_url.rsplit_once('=').unwrap().1;
    assert!(list.contains(&format!("signature {signature}\n")), "{list}");
    assert!(list.contains("password a%20b%00\n"), "{list}");
    let key = simulator.client().key_pem.lines().nth(1).unwrap();
    assert!(list.contains(&format!("key {}", &key[..40])), "{list}");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // Another one appends.
    let other = start(config()).await;
    assert!(std::fs::read_to_string(&path).unwrap().len() > list.len());
    other.stop().await;
    simulator.stop().await;
}

#[tokio::test]
async fn the_password_listener_checks_both() {
    let listener = PasswordListener { port: 0, user_name: "me".to_owned(), password: b"secret".to_vec() };
    let simulator = start(Config { password_listener: Some(listener), ..Config::default() }).await;
    let port = simulator.password_port().unwrap();
    for (user_name, password, code) in [
        (Some("me"), Some(&b"secret"[..]), 0),
        (Some("me"), Some(&b"wrong"[..]), 134),
        (Some("you"), Some(&b"secret"[..]), 134),
        (Some("me"), None, 134),
        (None, None, 134),
    ] {
        let mut client = Client::tls(&simulator, port, Tls::default()).await.unwrap();
        let hello = Hello { user_name, password, ..Hello::new("device") };
        client.send(&hello.bytes()).await;
        assert_eq!(expect_packet!(client, Connack).reason_code() as u8, code);
    }
}
