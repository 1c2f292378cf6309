//! Tokens and certificates are renewed, and nobody notices.

use crate::support::*;
use gecko_iot_sim::{Authorizer, Config, ConnectFault, ConnectionEnd, DisconnectAfter, LinkFault, Step};
use gecko_mqtt::{
    Client, ConnectionState, ErrorKind, Event, EventKind, Options, QoS, TokenInput, token_request_complete,
    token_request_fail,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

fn events(client: &Client) -> Seen<Event> {
    let seen = Seen::default();
    let events = seen.clone();
    client.on_connection_event(0, Box::new(move |event| events.push(event.clone()))).unwrap();
    seen
}

fn count(kind: EventKind) -> impl Fn(&[Event]) -> usize {
    move |events| events.iter().filter(|event| event.kind == kind).count()
}

fn refreshed(events: &Seen<Event>, times: usize) -> Vec<Event> {
    events.wait("it is refreshed", |events| count(EventKind::TokenRefreshed)(events) >= times)
}

/// Tokens that live so long, from a provider that can be told to fail; how often it was asked.
fn with_provider(
    sim: &Arc<Sim>,
    options: &mut Options,
    ttl: Duration,
) -> (Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (asked, failures) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (sim, counter, fail) = (sim.clone(), asked.clone(), failures.clone());
    options
        .set_token_provider(Arc::new(move |request| {
            counter.fetch_add(1, Ordering::SeqCst);
            if fail.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                token_request_fail(request, "the cloud is away").unwrap();
                return;
            }
            let token = sim.mint_token(ttl).unwrap();
            let input = TokenInput { broker_url: Some(&token.broker_url), ..TokenInput::default() };
            // Late where the client is gone.
            let _ = token_request_complete(request, &input);
        }))
        .unwrap();
    (asked, failures)
}

fn options(sim: &Sim) -> Options {
    let mut options = sim.trusting();
    options.set_client_id("me").unwrap();
    options.set_reconnect(true, 0, 1, 5, 1.0).unwrap();
    options
}

fn never_left_connected(states: &Seen<ConnectionState>) {
    assert_eq!(states.all(), [ConnectionState::Connecting, ConnectionState::Connected]);
}

#[test]
fn short_lived_tokens_are_renewed_at_half_their_life_without_a_gap() {
    let sim = Arc::new(Sim::aws());
    let mut options = options(&sim);
    let (asked, _) = with_provider(&sim, &mut options, Duration::from_secs(8));
    let client = client(&options);
    let (events, states) = (events(&client), states(&client));
    client.connect(WAIT).unwrap();
    let seen = subscribed(&client, "t", QoS::AtLeastOnce);
    for n in 1..=3u8 {
        refreshed(&events, n.into());
        client.publish_wait(&message("t", &[n], QoS::AtLeastOnce), WAIT).result.unwrap();
    }
    assert_eq!(seen.wait_for(3).iter().map(|got| got.payload[0]).collect::<Vec<_>>(), [1, 2, 3]);
    never_left_connected(&states);
    let all = events.all();
    assert_eq!(count(EventKind::Attempting)(&all), 1);
    assert_eq!(count(EventKind::Disconnected)(&all), 0);
    assert!(asked.load(Ordering::SeqCst) >= 4);
    let stats = client.stats();
    assert!(stats.token_refreshes >= 3 && stats.token_refresh_failures == 0);
    assert_eq!((stats.attempts, stats.reconnections), (1, 0));
    // Later ones resume, and the server says of each old link that it was taken over.
    assert!(sim.connects()[1..].iter().all(|connect| !connect.clean_start && connect.session_present));
    assert_eq!(sim.protocol_error_texts(), Vec::<String>::new());
}

#[test]
fn a_token_of_the_application_rotates_the_connection_at_once() {
    let sim = Sim::aws();
    let mut options = sim.by_token();
    options.set_client_id("me").unwrap();
    let client = client(&options);
    let (events, states) = (events(&client), states(&client));
    client.connect(WAIT).unwrap();
    let token = sim.mint_token(Duration::from_secs(600)).unwrap();
    let input = TokenInput { broker_url: Some(&token.broker_url), ..TokenInput::default() };
    client.set_token(&input).unwrap();
    refreshed(&events, 1);
    never_left_connected(&states);
    assert_eq!(sim.connects().len(), 2);
    assert_eq!(kind(client.refresh_token()), ErrorKind::InvalidConfiguration, "there is nobody to ask");
    assert_eq!(kind(client.set_token(&TokenInput::default())), ErrorKind::InvalidToken);
}

#[test]
fn the_application_can_ask_for_a_fresh_token_at_any_time() {
    let sim = Arc::new(Sim::aws());
    let mut options = options(&sim);
    let (asked, _) = with_provider(&sim, &mut options, Duration::from_secs(3600));
    let client = client(&options);
    let events = events(&client);
    client.refresh_token().unwrap();
    client.connect(WAIT).unwrap();
    for times in 1..=2 {
        client.refresh_token().unwrap();
        refreshed(&events, times);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[test]
fn a_fresh_certificate_rotates_the_connection() {
    let sim = Sim::aws();
    let mut options = sim.by_certificate();
    options.set_client_id("me").unwrap();
    let client = client(&options);
    let (events, states) = (events(&client), states(&client));
    client.connect(WAIT).unwrap();
    let fresh = sim.rsa_client();
    client.set_certificate_pem(fresh.certificate_pem.as_bytes(), fresh.key_pem.as_bytes()).unwrap();
    refreshed(&events, 1);
    let (certificate, key) = (sim.path("client.pem"), sim.path("client.key"));
    client.set_certificate_file(certificate.to_str().unwrap(), key.to_str().unwrap()).unwrap();
    refreshed(&events, 2);
    never_left_connected(&states);
    // One that the server does not know: the old connection lives on, and the next good one is taken.
    let foreign = sim.foreign_client();
    client.set_certificate_pem(foreign.certificate_pem.as_bytes(), foreign.key_pem.as_bytes()).unwrap();
    let all = events.wait("it fails", |events| count(EventKind::TokenRefreshFailed)(events) == 1);
    let error = all.last().unwrap().error.clone().unwrap();
    assert_eq!(error.kind(), ErrorKind::TlsClientCertificate);
    assert!(client.is_connected());
    assert_eq!(client.state(), ConnectionState::CredentialRefreshFailed);
    client.publish_wait(&message("t", b"x", QoS::AtLeastOnce), WAIT).result.unwrap();
    client.set_certificate_pem(fresh.certificate_pem.as_bytes(), fresh.key_pem.as_bytes()).unwrap();
    refreshed(&events, 3);
    assert_eq!(client.state(), ConnectionState::Connected);
    assert_eq!(kind(client.set_certificate_pem(b"x", b"y")), ErrorKind::InvalidCertificate);
    assert_eq!(kind(client.set_certificate_file("/nonexistent", "/nonexistent")), ErrorKind::File);
}

#[test]
fn a_provider_that_fails_costs_the_state_and_not_the_connection() {
    let sim = Arc::new(Sim::aws());
    let mut options = options(&sim);
    let (asked, failures) = with_provider(&sim, &mut options, Duration::from_secs(600));
    let client = client(&options);
    let (events, states) = (events(&client), states(&client));
    client.connect(WAIT).unwrap();
    failures.store(1, Ordering::SeqCst);
    client.refresh_token().unwrap();
    let all = events.wait("it fails", |events| count(EventKind::TokenRefreshFailed)(events) == 1);
    let failed = all.last().unwrap();
    assert_eq!(failed.state, ConnectionState::CredentialRefreshFailed);
    assert_eq!(failed.error.as_ref().unwrap().kind(), ErrorKind::TokenRefresh);
    assert!(failed.error.as_ref().unwrap().message().contains("the cloud is away"));
    assert_eq!(failed.delay, Some(Duration::from_secs(30)));
    assert!(client.is_connected());
    client.publish_wait(&message("t", b"x", QoS::AtLeastOnce), WAIT).result.unwrap();
    client.refresh_token().unwrap();
    refreshed(&events, 1);
    states.wait("it recovers", |states| states.last() == Some(&ConnectionState::Connected));
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert_eq!(client.stats().token_refresh_failures, 1);
}

#[test]
fn a_refused_rotation_leaves_the_old_connection_alone() {
    for fault in [ConnectFault::Refuse(137), ConnectFault::Refuse(135), ConnectFault::Close] {
        let sim = Arc::new(Sim::aws());
        let mut options = options(&sim);
        with_provider(&sim, &mut options, Duration::from_secs(600));
        let client = client(&options);
        let events = events(&client);
        client.connect(WAIT).unwrap();
        let seen = subscribed(&client, "t", QoS::AtLeastOnce);
        sim.on_connects(1, fault);
        client.refresh_token().unwrap();
        events.wait("it fails", |events| count(EventKind::TokenRefreshFailed)(events) == 1);
        client.publish_wait(&message("t", b"x", QoS::AtLeastOnce), WAIT).result.unwrap();
        seen.wait_for(1);
        assert_eq!(count(EventKind::Disconnected)(&events.all()), 0, "{fault:?}");
        client.refresh_token().unwrap();
        refreshed(&events, 1);
        assert!(sim.protocol_error_texts().is_empty());
    }
}

#[test]
fn a_token_that_the_server_ends_all_the_same_is_replaced_by_a_fresh_one() {
    let sim = Arc::new(Sim::start(Config {
        authorizer: Authorizer {
            disconnect_after: DisconnectAfter::Duration(Duration::from_millis(300)),
            ..Authorizer::default()
        },
        ..Config::default()
    }));
    let mut options = options(&sim);
    let (asked, _) = with_provider(&sim, &mut options, Duration::from_secs(600));
    let client = client(&options);
    let events = events(&client);
    client.connect(WAIT).unwrap();
    events.wait("it is back twice", |events| count(EventKind::Connected)(events) >= 3);
    assert!(asked.load(Ordering::SeqCst) >= 3, "each time with a token that was not refused yet");
}

#[test]
fn a_connection_that_breaks_while_the_provider_thinks_goes_on_with_the_answer() {
    let sim = Arc::new(Sim::aws());
    let mut options = options(&sim);
    let requests = Seen::default();
    let asked = requests.clone();
    options.set_token_provider(Arc::new(move |request| asked.push(request))).unwrap();
    let client = client(&options);
    let events = events(&client);
    client.connect(gecko_mqtt::Wait::For(Duration::ZERO)).unwrap();
    let answer = |number: usize| {
        let request = requests.wait_for(number)[number - 1];
        let token = sim.mint_token(Duration::from_secs(600)).unwrap();
        let input = TokenInput { broker_url: Some(&token.broker_url), ..TokenInput::default() };
        token_request_complete(request, &input).unwrap();
        assert_eq!(kind(token_request_complete(request, &input)), ErrorKind::NotFound, "twice");
    };
    answer(1);
    client.connect(WAIT).unwrap();
    client.refresh_token().unwrap();
    requests.wait_for(2);
    sim.disconnect("me", ConnectionEnd::Close);
    events.wait("it is back", |events| count(EventKind::Connected)(events) == 2);
    answer(2);
    refreshed(&events, 1);
    assert_eq!(requests.all().len(), 2, "one request at a time");
}

/// Where the network breaks during a rotation.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Link(LinkFault),
    Connect(ConnectFault),
    /// Just behind it.
    After(ConnectionEnd),
}

/// Numbered messages both ways for as long as it is told, twenty at a time; the last number.
fn traffic(sim: &Sim, client: &Client, on: &AtomicBool) -> u32 {
    let ends = Seen::default();
    let mut sent = 0u32;
    while on.load(Ordering::SeqCst) || sent < 200 {
        let payload = sent.to_be_bytes();
        client
            .publish(&message("up", &payload, QoS::AtLeastOnce), noted(&ends, |ack| ack.result.is_ok()))
            .unwrap();
        sim.publish("down", &payload, 1, false);
        sent += 1;
        ends.wait("acknowledgements", |ends| ends.len() as u32 + 20 >= sent);
    }
    assert!(ends.wait_for(sent as usize).into_iter().all(|ok| ok));
    sent
}

fn nothing_is_lost_when_the_network_breaks_at(cut: Cut) {
    let sim = Arc::new(Sim::aws());
    let mut options = options(&sim);
    // Enough for TLS on a busy machine; what is ignored takes as long.
    options.set_connect_timeout_ms(2000).unwrap();
    with_provider(&sim, &mut options, Duration::from_secs(600));
    let client = client(&options);
    let events = events(&client);
    client.connect(WAIT).unwrap();
    let seen = subscribed(&client, "down", QoS::AtLeastOnce);
    let on = AtomicBool::new(true);
    let sent = std::thread::scope(|scope| {
        let traffic = scope.spawn(|| traffic(&sim, &client, &on));
        match cut {
            Cut::Link(fault) => sim.on_links(1, fault),
            Cut::Connect(fault) => sim.on_connects(1, fault),
            Cut::After(_) => {}
        }
        client.refresh_token().unwrap();
        use EventKind as K;
        let outcome = [K::TokenRefreshed, K::TokenRefreshFailed, K::Disconnected];
        events.wait("something comes of it", |all| all.iter().any(|event| outcome.contains(&event.kind)));
        if let Cut::After(end) = cut {
            assert!(sim.disconnect("me", end));
            events.wait("it is back", |all| count(K::Connected)(all) == 2);
        }
        if matches!(cut, Cut::Connect(ConnectFault::TakeOverAndHold)) {
            sim.release_connects();
        }
        let before = count(K::TokenRefreshed)(&events.all());
        while count(K::TokenRefreshed)(&events.all()) == before {
            client.connect(WAIT).unwrap();
            client.refresh_token().unwrap();
            let known = events.all().len();
            events.wait("another attempt", |all| all[known..].iter().any(|e| outcome.contains(&e.kind)));
        }
        on.store(false, Ordering::SeqCst);
        traffic.join().unwrap()
    });
    let all: BTreeSet<Vec<u8>> = (0..sent).map(|n| n.to_be_bytes().to_vec()).collect();
    let arrived: BTreeSet<Vec<u8>> =
        sim.publishes().iter().map(|publish| publish.payload().to_vec()).collect();
    assert_eq!(arrived, all, "{cut:?}: up");
    let came = |got: &[Got]| got.iter().map(|got| got.payload.clone()).collect::<BTreeSet<_>>();
    seen.wait(&format!("{cut:?}: down"), |got| came(got).len() == all.len());
    assert_eq!(sim.protocol_error_texts(), Vec::<String>::new(), "{cut:?}");
}

#[test]
fn nothing_is_lost_when_the_network_breaks_before_or_in_tls() {
    for step in [Step::Accepted, Step::ClientHello, Step::Established] {
        for fault in [LinkFault::Close(step), LinkFault::Ignore(step)] {
            nothing_is_lost_when_the_network_breaks_at(Cut::Link(fault));
        }
    }
}

#[test]
fn nothing_is_lost_when_the_network_breaks_between_connect_and_connack() {
    for fault in [
        ConnectFault::Close,
        ConnectFault::Ignore,
        ConnectFault::TakeOverAndClose,
        ConnectFault::TakeOverAndHold,
        ConnectFault::EndOld(ConnectionEnd::Disconnect(142)),
        ConnectFault::EndOld(ConnectionEnd::Close),
        ConnectFault::EndOld(ConnectionEnd::Reset),
    ] {
        nothing_is_lost_when_the_network_breaks_at(Cut::Connect(fault));
    }
}

#[test]
fn nothing_is_lost_when_the_network_breaks_right_after_a_rotation() {
    for end in [ConnectionEnd::Disconnect(139), ConnectionEnd::Close, ConnectionEnd::Reset] {
        nothing_is_lost_when_the_network_breaks_at(Cut::After(end));
    }
}
