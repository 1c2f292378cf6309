//! Tokens over HTTP.

use std::time::{Duration, SystemTime};

use gecko_iot_sim::{Authorizer, Config, MintFault, Simulator};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Client, Hello, SOON, Tls, expect_packet};

async fn start() -> Simulator {
    let authorizer = Authorizer { token_ttl: Duration::from_secs(600), ..Authorizer::default() };
    Simulator::start(Config { mint_port: Some(0), authorizer, ..Config::default() }).await.unwrap()
}

async fn send(simulator: &Simulator, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", simulator.mint_port().unwrap())).await.unwrap();
    stream.write_all(request).await.unwrap();
    stream
}

/// Everything until the server closes.
async fn receive(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    timeout(SOON, stream.read_to_end(&mut bytes)).await.expect("an end in time").unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Status, header fields and body.
async fn ask(simulator: &Simulator, request: &str) -> (u16, String, String) {
    let answer = receive(send(simulator, request.as_bytes()).await).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let (line, fields) = head.split_once("\r\n").unwrap();
    let status = line.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
    assert!(fields.contains(&format!("Content-Length: {}\r\n", body.len())), "{fields}");
    assert!(fields.ends_with("Connection: close"), "{fields}");
    (status, fields.to_owned(), body.to_owned())
}

async fn get(simulator: &Simulator, target: &str) -> (u16, String, String) {
    ask(simulator, &format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await
}

/// The reason code of the CONNACK to a broker URL's user name.
async fn connect(simulator: &Simulator, broker_url: &str) -> u8 {
    let (endpoint, query) = broker_url.split_once('?').unwrap();
    assert_eq!(endpoint, format!("wss://localhost:{}/mqtt", simulator.alpn_port()));
    let user_name = format!("?{query}");
    let tls = Tls { alpn: Some("mqtt"), ..Tls::default() };
    let mut client = Client::tls(simulator, simulator.alpn_port(), tls).await.unwrap();
    let hello = Hello { user_name: Some(&user_name), ..Hello::new("device") };
    client.send(&hello.bytes()).await;
    expect_packet!(client, Connack).reason_code() as u8
}

#[tokio::test]
async fn each_answer_has_a_fresh_token_that_lets_in() {
    let simulator = start().await;
    let (status, fields, body) = get(&simulator, "/token").await;
    assert_eq!(status, 200);
    assert!(fields.contains("Content-Type: application/json\r\n"));
    let json: Value = serde_json::from_str(&body).unwrap();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    assert_eq!(json["expiresIn"], 600);
    assert_eq!(text("token").split('.').count(), 3);
    assert!(text("brokerUrl").contains(&text("token")) && text("signature").ends_with("=="));
    assert_eq!(connect(&simulator, &text("brokerUrl")).await, 0);

    let (status, fields, url) = get(&simulator, "/broker-url?ttl=60&format=json").await;
    assert_eq!(status, 200);
    assert!(fields.contains("Content-Type: text/plain"));
    assert!(!url.contains(&text("token")));
    assert_eq!(connect(&simulator, url.strip_suffix('\n').unwrap()).await, 0);

    // As people type it.
    let (_, _, expired) = ask(&simulator, "GET /broker-url?ttl=0 HTTP/1.0\n\n").await;
    assert_eq!(connect(&simulator, expired.trim_end()).await, 135);

    let mints = simulator.mints();
    assert_eq!(mints.iter().map(|mint| mint.ttl.as_secs()).collect::<Vec<_>>(), [600, 60, 0]);
    let token = mints[1].token.as_ref().unwrap();
    assert_eq!(format!("{}\n", token.broker_url), url);
    assert_eq!(token.expires_at.duration_since(mints[1].time).unwrap().as_secs_f64().round(), 60.0);
    assert!(mints.iter().all(|mint| mint.time <= SystemTime::now() && mint.fault.is_none()));
    let stats = simulator.stats();
    assert_eq!((stats.tokens_minted, stats.connections), (3, 3));
}

#[tokio::test]
async fn everything_else_is_refused_with_one_line() {
    let simulator = start().await;
    let long = format!("GET /token HTTP/1.1\r\nCookie: {}", "x".repeat(10_000));
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 404),
        ("GET /favicon.ico HTTP/1.1\r\n\r\n", 404),
        ("GET /token?ttl=soon HTTP/1.1\r\n\r\n", 400),
        ("POST /token HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody", 405),
        ("CONNECT nonsense\r\n\r\n", 400),
        (long.as_str(), 400),
    ] {
        let (got, fields, body) = ask(&simulator, request).await;
        assert_eq!((got, body.lines().count()), (status, 1), "{request:.60}");
        assert_eq!(fields.contains("Allow: GET\r\n"), status == 405);
    }
    assert!(simulator.mints().is_empty());
}

#[tokio::test]
async fn a_request_that_does_not_end_is_given_up() {
    let config =
        Config { mint_port: Some(0), connect_timeout: Duration::from_millis(50), ..Config::default() };
    let simulator = Simulator::start(config).await.unwrap();
    assert_eq!(receive(send(&simulator, b"GET /token HTTP/1.1\r\n").await).await, "");
    assert_eq!(receive(send(&simulator, b"").await).await, "");
    assert!(simulator.mints().is_empty());
}

#[tokio::test]
async fn minting_fails_as_asked() {
    let simulator = start().await;
    simulator.on_mints(2, MintFault::Fail(503));
    assert_eq!(get(&simulator, "/token").await.0, 503);
    assert_eq!(get(&simulator, "/broker-url").await.0, 503);

    simulator.on_mints(2, MintFault::Garbage);
    let (status, _, body) = get(&simulator, "/token").await;
    assert!(status == 200 && serde_json::from_str::<Value>(&body).is_err());
    let (status, _, body) = get(&simulator, "/broker-url").await;
    assert!(status == 200 && !body.starts_with("wss://"));

    simulator.on_mints(1, MintFault::ExpiredToken);
    let (_, _, body) = get(&simulator, "/token").await;
    let json: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(json["expiresIn"], 0);
    assert_eq!(connect(&simulator, json["brokerUrl"].as_str().unwrap()).await, 135);

    simulator.on_mints(1, MintFault::Delay(Duration::from_millis(50)));
    let started = std::time::Instant::now();
    assert_eq!(get(&simulator, "/token").await.0, 200);
    assert!(started.elapsed() >= Duration::from_millis(50));
    // A refusal uses up no fault.
    simulator.on_mints(1, MintFault::Fail(500));
    assert_eq!(get(&simulator, "/nothing").await.0, 404);
    assert_eq!(get(&simulator, "/token").await.0, 500);
    assert_eq!(get(&simulator, "/token").await.0, 200);

    let mints = simulator.mints();
    let made = mints.iter().filter(|mint| mint.token.is_some()).count();
    assert_eq!((mints.len(), made, simulator.stats().tokens_minted), (8, 3, 3));
    assert_eq!(mints[4].fault, Some(MintFault::ExpiredToken));
}

#[tokio::test]
async fn a_mint_that_ignores_holds_nobody_up() {
    let simulator = start().await;
    simulator.on_mints(1, MintFault::Ignore);
    let mut ignored = send(&simulator, b"GET /token HTTP/1.1\r\n\r\n").await;
    assert!(simulator.wait_until(SOON, |it| it.mints().len() == 1).await);
    assert_eq!(get(&simulator, "/token").await.0, 200);
    simulator.freeze(true);
    assert_eq!(get(&simulator, "/token").await.0, 200, "the mint is not the broker");
    let nothing = timeout(Duration::from_millis(50), ignored.read_u8()).await;
    assert!(nothing.is_err());
    simulator.stop().await;
    assert_eq!(receive(ignored).await, "");
}
