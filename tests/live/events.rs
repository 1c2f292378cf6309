//! What is told and counted: every attempt ends once, every connection ends once, and the words help.

use crate::support::*;
use gecko_iot_sim::{ConnectFault, ConnectionEnd, SubscribeFault};
use gecko_mqtt::{Client, ConnectionState, ErrorKind, Event, EventKind, Options, QoS, Wait};
use std::time::Duration;

fn impatient(mut options: Options) -> Options {
    options.set_reconnect(true, 3, 1, 5, 1.0).unwrap();
    options.set_client_id("me").unwrap();
    options
}

fn events(client: &Client) -> Seen<Event> {
    let seen = Seen::default();
    let events = seen.clone();
    client.on_connection_event(0, Box::new(move |event| events.push(event.clone()))).unwrap();
    seen
}

fn kinds(events: &[Event]) -> Vec<EventKind> {
    events.iter().map(|event| event.kind).collect()
}

fn has(kind: EventKind) -> impl Fn(&[Event]) -> bool {
    move |events| events.iter().any(|event| event.kind == kind)
}

#[test]
fn a_connection_s_whole_life_is_told() {
    use EventKind as K;
    let sim = Sim::aws();
    let client = client(&impatient(sim.by_token()));
    let events = events(&client);
    sim.on_connects(1, ConnectFault::Refuse(136));
    client.connect(WAIT).unwrap();
    sim.disconnect("me", ConnectionEnd::Disconnect(139));
    events.wait("it is back", |events| events.iter().filter(|e| e.kind == K::Connected).count() == 2);
    client.disconnect(WAIT).unwrap();
    let all =
        events.wait("it is gone", |events| events.last().is_some_and(|event| event.kind == K::Disconnected));
    let expected = [
        [K::Attempting, K::Failed, K::ReconnectScheduled].as_slice(),
        &[K::Attempting, K::Connected],
        &[K::Disconnected, K::ReconnectScheduled],
        &[K::Attempting, K::Connected],
        &[K::Disconnected],
    ];
    assert_eq!(kinds(&all), expected.concat());
    let failed = &all[1];
    assert_eq!((failed.attempt, failed.state), (1, ConnectionState::Connecting));
    assert_eq!(failed.error.as_ref().unwrap().kind(), ErrorKind::ServerUnavailable);
    assert_eq!(failed.error.as_ref().unwrap().reason_code(), Some(136));
    assert_eq!((all[2].attempt, all[3].attempt), (2, 2));
    assert!(all[2].delay.is_some_and(|delay| delay <= Duration::from_millis(20)), "{:?}", all[2]);
    assert!(!all[4].session_present && all[8].session_present);
    assert_eq!(all[5].error.as_ref().unwrap().kind(), ErrorKind::ServerShuttingDown);
    assert_eq!(all[5].state, ConnectionState::Reconnecting);
    assert_eq!((all[9].error.as_ref(), all[9].state), (None, ConnectionState::Disconnected));
    assert!(all.iter().all(|event| event.unix_ms > 1_500_000_000_000 && !event.message.is_empty()));
    let stats = client.stats();
    assert_eq!((stats.attempts, stats.successes, stats.failures, stats.reconnections), (3, 2, 1, 1));
}

#[test]
fn the_loser_of_an_identifier_says_why_it_gives_up() {
    let sim = Sim::aws();
    let options = impatient(sim.by_token());
    let (first, second) = (client(&options), client(&options));
    // Whichever it is; the other one then stays.
    let events = events(&first);
    let others = events.clone();
    second.on_connection_event(0, Box::new(move |event| others.push(event.clone()))).unwrap();
    first.connect(WAIT).unwrap();
    second.connect(WAIT).unwrap();
    let all = events.wait("one of them gives up", has(EventKind::Stopped));
    let stop = all.into_iter().find(|event| event.kind == EventKind::Stopped).unwrap();
    assert_eq!(stop.state, ConnectionState::ConnectionFailed);
    let error = stop.error.unwrap();
    assert_eq!((error.kind(), error.reason_code()), (ErrorKind::SessionTakenOver, Some(142)));
    assert!(error.message().contains("'me'") && error.message().contains("one of its own"), "{error}");
}

#[test]
fn a_subscription_that_is_not_restored_is_told_and_is_there_again_after_the_next_connection() {
    let sim = Sim::aws();
    let client = client(&impatient(sim.by_token()));
    let events = events(&client);
    client.connect(WAIT).unwrap();
    let seen = subscribed(&client, "t", QoS::AtLeastOnce);
    sim.on_subscribes(1, SubscribeFault::Refuse(151));
    sim.forget_session("me");
    let all = events.wait("it is told", has(EventKind::SubscriptionRefused));
    let told = all.iter().find(|event| event.kind == EventKind::SubscriptionRefused).unwrap();
    assert_eq!(told.error.as_ref().unwrap().reason_code(), Some(151));
    assert!(told.message.contains("'t'"), "{}", told.message);
    assert!(client.is_connected());
    sim.disconnect("me", ConnectionEnd::Close);
    sim.wait_until("it is subscribed again", |sim| {
        sim.session("me").is_some_and(|session| !session.subscriptions.is_empty())
    });
    client.publish_wait(&message("t", b"x", QoS::AtLeastOnce), WAIT).result.unwrap();
    seen.wait_for(1);
}

#[test]
fn without_a_connection_qos_0_waits_or_is_refused_as_the_options_say() {
    let sim = Sim::generic();
    let publish = |client: &Client, ends: &Seen<_>| {
        let noted = noted(ends, |ack| ack.result.clone().map_err(|error| error.kind()));
        client.publish(&message("t", b"x", QoS::AtMostOnce), noted)
    };
    let ends = Seen::default();
    let kept = client(&impatient(sim.plain()));
    publish(&kept, &ends).unwrap();
    kept.connect(WAIT).unwrap();
    assert_eq!(ends.wait_for(1), [Ok(())]);
    kept.disconnect(WAIT).unwrap();

    let mut options = impatient(sim.plain());
    options.set_offline_qos0(false).unwrap();
    options.set_reconnect(true, 0, DAY_MS, DAY_MS, 1.0).unwrap();
    let client = client(&options);
    let (ends, events) = (Seen::default(), events(&client));
    assert_eq!(kind(publish(&client, &ends)), ErrorKind::NotConnected);
    client.connect(WAIT).unwrap();
    // A server that reads nothing leaves some of them behind.
    sim.freeze_client("me", true);
    let mut accepted = 0;
    while client.stats().queued_messages < 1000 {
        let payload = [0; 60_000];
        let noted = noted(&ends, |ack| ack.result.clone().map_err(|error| error.kind()));
        match client.publish(&message("t", &payload, QoS::AtMostOnce), noted) {
            Ok(()) => accepted += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::QueueFull);
                break;
            }
        }
    }
    sim.disconnect("me", ConnectionEnd::Reset);
    sim.freeze_client("me", false);
    events.wait("the connection is lost", has(EventKind::Disconnected));
    let ends = ends.wait_for(accepted);
    let dropped = ends.iter().filter(|end| **end == Err(ErrorKind::Dropped)).count();
    assert!(dropped > 0 && ends.iter().all(|end| matches!(end, Ok(()) | Err(ErrorKind::Dropped))));
    let stats = client.stats();
    assert_eq!((stats.dropped_offline, stats.queued_messages), (dropped as u64, 0));
    assert_eq!(kind(publish(&client, &Seen::default())), ErrorKind::NotConnected);
    assert_eq!(client.connect(Wait::For(Duration::ZERO)), Ok(()));
}

#[test]
fn completions_that_nobody_takes_are_bounded() {
    let sim = Sim::generic();
    let mut options = impatient(sim.plain());
    options.set_dispatch(gecko_mqtt::DispatchMode::App).unwrap();
    options.set_queue(100, 1 << 20, gecko_mqtt::QueuePolicy::RejectNew).unwrap();
    let client = connected(&options);
    let ends = Seen::default();
    let mut accepted = 0;
    loop {
        match client.publish(&message("t", b"x", QoS::AtMostOnce), noted(&ends, |_| ())) {
            Ok(()) => accepted += 1,
            // Not the queue, but what was not told yet.
            Err(error) if error.message().contains("callbacks") => break,
            Err(error) => assert_eq!(error.kind(), ErrorKind::QueueFull),
        }
        assert!(accepted <= 200);
    }
    // Those that were accepted last may wait for their turn still, and have no room for another one.
    until("the queue is empty", || client.stats().queued_messages == 0);
    client.publish_wait(&message("t", b"x", QoS::AtLeastOnce), WAIT).result.unwrap();
    while ends.all().len() < accepted {
        client.dispatcher().dispatch(WAIT).unwrap();
    }
    client.publish(&message("t", b"x", QoS::AtMostOnce), noted(&ends, |_| ())).unwrap();
}
