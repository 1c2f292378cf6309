//! Servers that do not answer. Every wait keeps its time, and freeing never waits for the network.

use crate::support::*;
use gecko_iot_sim::{Config, ConnectFault};
use gecko_mqtt::{ConnectionState, ErrorKind, EventKind, Options, QoS, Wait};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

const TIME: Duration = Duration::from_millis(500);

/// A thread may run late on a busy machine, but not each time. Says what took how long, each with its limit.
fn once_in_ten_times(tried: impl FnMut() -> Vec<(Duration, Duration)>) {
    let late = |tried: &Vec<(Duration, Duration)>| tried.iter().any(|(took, most)| took >= most);
    let tries: Vec<_> = std::iter::repeat_with(tried).take(10).take_while(late).collect();
    assert!(tries.len() < 10, "late each time: {tries:?}");
}

/// Connecting takes the time it was given, freeing none; says what the error was.
fn takes_its_time(options: &Options) -> ErrorKind {
    let mut kind = None;
    once_in_ten_times(|| {
        let client = client(options);
        let start = Instant::now();
        let error = client.connect(Wait::For(TIME)).unwrap_err();
        let took = start.elapsed();
        assert!(took >= TIME.mul_f64(0.8), "{took:?}: {error}");
        let start = Instant::now();
        drop(client);
        assert_eq!(*kind.get_or_insert(error.kind()), error.kind());
        vec![
            (took, TIME.mul_f64(1.2) + Duration::from_millis(200)),
            (start.elapsed(), Duration::from_secs(1)),
        ]
    });
    kind.unwrap()
}

fn to(port: u16, scheme: &str) -> Options {
    let mut options = Options::default();
    options.set_broker_url(&format!("{scheme}://127.0.0.1:{port}")).unwrap();
    options
}

#[test]
fn a_server_that_accepts_and_says_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    assert_eq!(takes_its_time(&to(port, "mqtt")), ErrorKind::Timeout);
    let sim = Sim::aws();
    let mut stalled_tls = sim.trusting();
    stalled_tls.set_broker_url(&format!("mqtts://127.0.0.1:{port}")).unwrap();
    assert_eq!(takes_its_time(&stalled_tls), ErrorKind::Timeout);
}

#[test]
fn an_address_that_swallows_packets() {
    // A listener whose backlog is full drops further connections' first packets.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let filled: Vec<_> =
        std::iter::from_fn(|| TcpStream::connect_timeout(&address, TIME / 5).ok()).take(10).collect();
    assert!(filled.len() < 10, "the backlog is not bounded here");
    assert_eq!(takes_its_time(&to(address.port(), "mqtt")), ErrorKind::Timeout);
}

#[test]
fn a_server_that_ignores_connect() {
    let sim = Sim::aws();
    sim.on_connects(usize::MAX, ConnectFault::Ignore);
    assert_eq!(takes_its_time(&sim.by_token()), ErrorKind::Timeout);
}

#[test]
fn an_attempt_has_a_time_of_its_own() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = to(silent.local_addr().unwrap().port(), "mqtt");
    options.set_connect_timeout_ms(200).unwrap();
    options.set_reconnect(false, 1, 1, 1, 1.0).unwrap();
    let client = client(&options);
    let states = states(&client);
    assert_eq!(kind(client.connect(WAIT)), ErrorKind::ConnectTimeout);
    assert_eq!(states.wait_for(2), [ConnectionState::Connecting, ConnectionState::ConnectionFailed]);
}

#[test]
fn nobody_there() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut options = to(port, "mqtt");
    options.set_reconnect(true, 3, 1, 2, 1.0).unwrap();
    let error = refusal(&options);
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(error.message().contains(&port.to_string()), "{error}");
}

#[test]
fn no_such_name() {
    let mut options = Options::default();
    options.set_endpoint("nonexistent.invalid").unwrap();
    options.set_reconnect(false, 1, 1, 1, 1.0).unwrap();
    assert_eq!(refusal(&options).kind(), ErrorKind::Dns);
}

#[test]
fn the_last_failure_is_what_connect_tells_when_its_time_is_over() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut options = to(port, "mqtt");
    options.set_reconnect(true, 0, DAY_MS, DAY_MS, 1.0).unwrap();
    let client = client(&options);
    let failed = Seen::default();
    let failing = failed.clone();
    let listener = move |event: &gecko_mqtt::Event| {
        if event.kind == EventKind::Failed {
            failing.push(());
        }
    };
    client.on_connection_event(0, Box::new(listener)).unwrap();
    client.connect(Wait::For(Duration::ZERO)).unwrap();
    failed.wait_for(1);
    let error = client.connect(Wait::For(TIME)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(error.message().contains("still being tried"), "{error}");
    let start = Instant::now();
    client.disconnect(WAIT).unwrap();
    assert!(start.elapsed() < LIMIT / 2, "a wait for the next attempt ends at once");
    assert_eq!(client.state(), ConnectionState::Disconnected);
}

#[test]
fn a_round_that_failed_is_followed_by_another() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut options = to(port, "mqtt");
    options.set_reconnect(true, 2, 1, 1, 1.0).unwrap();
    options.set_reconnect_cooldown_secs(1).unwrap();
    let client = client(&options);
    let states = states(&client);
    assert_eq!(kind(client.connect(WAIT)), ErrorKind::ConnectionRefused);
    let again = [ConnectionState::Connecting, ConnectionState::ConnectionFailed, ConnectionState::Connecting];
    assert_eq!(states.wait_for(3)[..3], again);
}

#[test]
fn disconnecting_keeps_its_time_when_the_server_freezes() {
    once_in_ten_times(|| {
        let sim = Sim::generic();
        let client = connected(&sim.plain());
        sim.freeze(true);
        client.publish(&message("t", b"", QoS::AtLeastOnce), gecko_mqtt::Completion::None).unwrap();
        let start = Instant::now();
        assert_eq!(kind(client.disconnect(Wait::For(TIME))), ErrorKind::Timeout, "a message is left");
        assert_eq!(client.state(), ConnectionState::Disconnected);
        let took = start.elapsed();
        assert!(took >= TIME.mul_f64(0.8), "{took:?}");
        sim.freeze(false);
        vec![(took, TIME + Duration::from_millis(400))]
    });
}

#[test]
fn a_frozen_server_is_noticed_and_left_when_it_does_not_answer_pings() {
    let sim =
        Sim::start(Config { keep_alive: gecko_iot_sim::KeepAliveRule::Fixed(1), ..Config::generic_broker() });
    let mut options = sim.plain();
    options.set_reconnect(true, 0, 1, 1, 1.0).unwrap();
    let (client, states) = watched(&options);
    sim.freeze(true);
    states.wait("the dead connection is noticed", |s| s.contains(&ConnectionState::Reconnecting));
    sim.freeze(false);
    states.wait("it comes back", |s| s.last() == Some(&ConnectionState::Connected));
    // A second is short for a busy machine, and it may have to come back once more.
    until("it is connected", || client.is_connected());
}

#[test]
fn an_idle_connection_is_kept_alive() {
    // The server waits one and a half times as long for a sign of life. On a busy machine a PINGREQ may come later.
    let kept = |secs: u16| {
        let keep_alive = gecko_iot_sim::KeepAliveRule::Fixed(secs);
        let sim = Sim::start(Config { keep_alive, ..Config::generic_broker() });
        let client = connected(&sim.plain());
        sim.wait_until("two pings", |sim| sim.stats().pings_received >= 2);
        client.is_connected() && sim.stats().connections == 1
    };
    assert!([1, 3, 9].into_iter().any(kept));
}
