//! What the server sends: acknowledged when the application is done, held back while it is slow, and never told
//! twice where MQTT says once.

use crate::support::*;
use gecko_iot_sim::{AcknowledgementKind, Config, ConnectFault, ConnectionEnd, Delivery, Limits, Simulator};
use gecko_mqtt::{
    Client, Completion, ConnectionState, ErrorKind, Message, MessageListener, Options, QoS, Receipt,
    Subscription,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A client that comes back at once.
fn me(sim: &Sim) -> Options {
    let mut options = sim.plain();
    options.set_client_id("me").unwrap();
    options.set_reconnect(true, 0, 1, 5, 1.0).unwrap();
    options
}

fn by_hand(sim: &Sim) -> Options {
    let mut options = me(sim);
    options.set_manual_ack(true).unwrap();
    options
}

/// A message that waits for its acknowledgement by hand.
#[derive(Clone, Debug)]
struct Held {
    payload: Vec<u8>,
    dup: bool,
    receipt: Receipt,
}

fn holder(seen: &Seen<Held>) -> MessageListener {
    let seen = seen.clone();
    Box::new(move |message, receipt| {
        seen.push(Held { payload: message.payload.to_owned(), dup: message.dup, receipt });
    })
}

fn subscribe(client: &Client, filter: &str, qos: QoS, listener: MessageListener) {
    let subscription = Subscription { filter, qos, ..Subscription::default() };
    client.subscribe_wait(&[subscription], Some((0, listener)), WAIT).result.unwrap();
}

fn holding(client: &Client, filter: &str, qos: QoS) -> Seen<Held> {
    let seen = Seen::default();
    subscribe(client, filter, qos, holder(&seen));
    seen
}

/// Everything that was sent in both directions so far has been seen by the other side.
fn round_trip(client: &Client) {
    client.publish_wait(&message("round/trip", b"", QoS::AtLeastOnce), WAIT).result.unwrap();
}

/// Kinds and packet identifiers of the acknowledgements that have come to the server.
fn acknowledgements(sim: &Simulator) -> Vec<(AcknowledgementKind, u16)> {
    sim.acknowledgements().iter().map(|ack| (ack.kind, ack.packet_id)).collect()
}

/// A connection outlives its keep alive, of which the server waits one and a half. On a busy machine a short one may pass
/// before a PINGREQ has come, and the connection is lost (false) that would have lived with a long one.
fn kept_alive(test: impl Fn(u16) -> bool) {
    assert!([2, 9].into_iter().any(test), "the connection is not kept alive");
}

/// Holds callbacks up until it is opened. Made after the client, so that a test which fails opens it.
#[derive(Default)]
struct Gate(Arc<OnceLock<()>>);

impl Gate {
    fn open(&self) {
        let _ = self.0.set(());
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

fn reconnected(states: &Seen<ConnectionState>) {
    states.wait("it is connected again", |states| states.contains(&ConnectionState::Connected));
}

use AcknowledgementKind::{Puback, Pubcomp, Pubrec};

#[test]
fn acknowledged_by_hand_in_any_order_from_any_thread_the_wire_keeps_mqtt_s() {
    const COUNT: u16 = 60;
    let sim = Sim::generic();
    let client = connected(&by_hand(&sim));
    let held = holding(&client, "m", QoS::ExactlyOnce);
    for n in 1..=COUNT {
        sim.publish("m", &n.to_be_bytes(), if n % 3 == 0 { 2 } else { 1 }, false);
    }
    let held = held.wait_for(COUNT.into());
    round_trip(&client);
    assert_eq!(acknowledgements(&sim), [], "none before the application says so");

    let (first, others) = held.split_first().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let own = others.iter().rev().skip(thread).step_by(4);
            scope.spawn(move || own.for_each(|held| Client::message_ack(held.receipt).unwrap()));
        }
    });
    round_trip(&client);
    assert_eq!(acknowledgements(&sim), [], "the first one's turn comes first");

    Client::message_ack(first.receipt).unwrap();
    sim.wait_until("all are acknowledged", |sim| sim.session("me").unwrap().unacknowledged == 0);
    let (completed, received): (Vec<_>, Vec<_>) =
        acknowledgements(&sim).into_iter().partition(|(kind, _)| *kind == Pubcomp);
    // The server numbers its messages from 1.
    let kind = |id| if id % 3 == 0 { Pubrec } else { Puback };
    assert_eq!(received, (1..=COUNT).map(|id| (kind(id), id)).collect::<Vec<_>>());
    assert_eq!(completed, (1..=COUNT / 3).map(|n| (Pubcomp, 3 * n)).collect::<Vec<_>>());
    assert_eq!(sim.stats().unexpected_acknowledgements, 0);
}

#[test]
fn an_acknowledgement_by_hand_that_cannot_be_is_refused() {
    let sim = Sim::generic();
    let client = connected(&by_hand(&sim));
    let held = holding(&client, "m", QoS::AtLeastOnce);
    sim.publish("m", b"0", 0, false);
    sim.publish("m", b"1", 1, false);
    let held = held.wait_for(2);
    assert_eq!(kind(Client::message_ack(held[0].receipt)), ErrorKind::InvalidArgument, "QoS 0");
    Client::message_ack(held[1].receipt).unwrap();
    assert_eq!(kind(Client::message_ack(held[1].receipt)), ErrorKind::NotFound, "it is acknowledged already");
    sim.publish("m", b"2", 1, false);
    drop(client);
    assert_eq!(kind(Client::message_ack(held[1].receipt)), ErrorKind::NotFound, "its client is gone");

    let client = connected(&sim.plain());
    let held = holding(&client, "m", QoS::AtLeastOnce);
    sim.publish("m", b"3", 1, false);
    let automatic = held.wait_for(1).remove(0).receipt;
    assert_eq!(kind(Client::message_ack(automatic)), ErrorKind::InvalidConfiguration);
}

#[test]
fn what_nobody_was_told_is_acknowledged_by_the_library() {
    let sim = Sim::generic();
    let mut options = by_hand(&sim);
    options.set_receive_maximum(2).unwrap();
    let client = connected(&options);
    let subscription = Subscription { filter: "nobody/#", qos: QoS::ExactlyOnce, ..Subscription::default() };
    client.subscribe_wait(&[subscription], None, WAIT).result.unwrap();
    let held = holding(&client, "somebody", QoS::AtLeastOnce);
    for n in 0..10u8 {
        sim.publish("nobody/listens", &[n], 1 + n % 2, false);
    }
    sim.publish("somebody", b"", 1, false);
    Client::message_ack(held.wait_for(1)[0].receipt).unwrap();
    sim.wait_until("all are acknowledged", |sim| sim.session("me").unwrap().unacknowledged == 0);
}

#[test]
fn a_slow_application_holds_the_server_up_and_nothing_else() {
    kept_alive(|keep_alive_secs| {
        let sim = Sim::generic();
        let mut options = me(&sim);
        options.set_receive_maximum(5).unwrap();
        options.set_keep_alive_secs(keep_alive_secs).unwrap();
        let slow = connected(&options);
        let (seen, gate) = (Seen::default(), Gate::default());
        let (see, opened) = (seen.clone(), gate.0.clone());
        let listener = move |message: &Message<'_>, _| {
            see.push(message.payload[0]);
            opened.wait();
        };
        subscribe(&slow, "s", QoS::AtLeastOnce, Box::new(listener));
        let other = connected(&sim.plain());
        let heard = subscribed(&other, "s", QoS::AtLeastOnce);
        for n in 0..50u8 {
            other.publish_wait(&message("s", &[n], QoS::AtLeastOnce), WAIT).result.unwrap();
        }
        heard.wait_for(50);
        sim.wait_until("the connection is kept", |sim| sim.stats().pings_received >= 2);
        if sim.stats().connections != 2 {
            return false;
        }
        assert_eq!(seen.all(), [0], "the callbacks of a client come one at a time");
        let session = sim.session("me").unwrap();
        assert_eq!((session.connected, session.unacknowledged, session.queued), (true, 5, 45));
        gate.open();
        assert_eq!(seen.wait_for(50), (0..50).collect::<Vec<u8>>());
        sim.wait_until("all are acknowledged", |sim| sim.session("me").unwrap().unacknowledged == 0);
        assert_eq!(sim.stats().messages_dropped, 0);
        sim.stats().connections == 2
    });
}

#[test]
fn a_server_that_repeats_itself_to_a_slow_application_is_borne_with() {
    // AWS sends again, without DUP and on the same connection, what is not acknowledged for a while.
    let delivery = Delivery { resend_after: Some(Duration::from_millis(20)), ..Delivery::default() };
    let sim = Sim::start(Config { delivery, ..Config::generic_broker() });
    let mut options = by_hand(&sim);
    options.set_receive_maximum(3).unwrap();
    let client = connected(&options);
    let held = holding(&client, "m", QoS::AtLeastOnce);
    for n in 1..=3u8 {
        sim.publish("m", &[n], 1, false);
    }
    sim.wait_until("it repeats them often", |sim| sim.stats().publishes_resent >= 12);
    round_trip(&client);
    let told = held.all();
    assert_eq!(told.iter().map(|held| held.payload[0]).collect::<Vec<_>>(), [1, 2, 3], "each is told once");
    assert_eq!((sim.stats().connections, acknowledgements(&sim)), (1, vec![]));
    for held in told.iter().rev() {
        Client::message_ack(held.receipt).unwrap();
    }
    sim.wait_until("all are acknowledged", |sim| sim.session("me").unwrap().unacknowledged == 0);
    // Twice would acknowledge the next message that has the identifier.
    assert_eq!(acknowledgements(&sim), [(Puback, 1), (Puback, 2), (Puback, 3)]);
}

/// QoS 0 messages of 16 KiB, so many that no socket can hold them.
struct Flood {
    sim: Sim,
    count: u32,
}

const PART: usize = 16 * 1024;

impl Flood {
    fn new() -> Self {
        let limits = Limits { queued_bytes: usize::MAX, ..Limits::none() };
        let sim = Sim::start(Config { limits, ..Config::generic_broker() });
        let most = |name: &str| {
            let text = std::fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap_or_default();
            text.split_whitespace().last().and_then(|bytes| bytes.parse().ok()).unwrap_or(8 << 20)
        };
        let bytes: usize = most("tcp_rmem") + most("tcp_wmem") + (8 << 20);
        Self { sim, count: (bytes / PART) as u32 }
    }

    fn options(&self, keep_alive_secs: u16) -> Options {
        let mut options = me(&self.sim);
        options.set_keep_alive_secs(keep_alive_secs).unwrap();
        options
    }

    fn send(&self) {
        let mut payload = vec![0; PART];
        for n in 0..self.count {
            payload[..4].copy_from_slice(&n.to_be_bytes());
            self.sim.publish("flood", &payload, 0, false);
        }
        self.sim.publish("flood", b"that was all", 1, false);
    }

    /// Waits until the server can send no more, although the connection lives, where it is not lost to a busy machine.
    fn wait_until_stuck(&self) {
        let mut sent = u64::MAX;
        while sent != self.sim.stats().publishes_sent {
            let before = self.sim.stats();
            sent = before.publishes_sent;
            self.sim.wait_until("a sign of life", |sim| sim.stats().pings_received > before.pings_received);
        }
        let session = self.sim.session("me").unwrap();
        let broken = self.sim.stats().connections > 1;
        assert!(broken || session.connected && session.queued > 0, "everything was read: {session:?}");
    }
}

/// Which part of the flood it is; its end has no number.
fn part(message: &Message<'_>) -> Option<u32> {
    (message.payload.len() == PART).then(|| u32::from_be_bytes(message.payload[..4].try_into().unwrap()))
}

#[test]
fn while_the_application_is_slow_a_flood_of_qos_0_is_not_read_and_nothing_is_lost() {
    kept_alive(|keep_alive_secs| {
        let flood = Flood::new();
        let client = connected(&flood.options(keep_alive_secs));
        let (seen, gate) = (Seen::default(), Gate::default());
        let (see, opened) = (seen.clone(), gate.0.clone());
        let listener = move |message: &Message<'_>, _| {
            see.push(part(message));
            opened.wait();
        };
        subscribe(&client, "flood", QoS::AtLeastOnce, Box::new(listener));
        flood.send();
        flood.wait_until_stuck();
        assert_eq!(seen.all().len(), 1);
        gate.open();
        let got = seen.wait("the end of the flood", |seen| seen.contains(&None));
        let stats = flood.sim.stats();
        if stats.connections != 1 {
            return false;
        }
        assert_eq!(got, (0..flood.count).map(Some).chain([None]).collect::<Vec<_>>());
        assert_eq!(stats.messages_dropped, 0);
        true
    });
}

#[test]
fn a_wait_inside_a_callback_is_not_starved_by_a_flood() {
    kept_alive(|keep_alive_secs| {
        let flood = Flood::new();
        let client = Arc::new(connected(&flood.options(keep_alive_secs)));
        let (seen, results) = (Seen::default(), Seen::default());
        let (see, result, inside) = (seen.clone(), results.clone(), Arc::downgrade(&client));
        let gate = Gate::default();
        let opened = gate.0.clone();
        let listener = move |message: &Message<'_>, _| {
            see.push(part(message));
            if part(message) == Some(0) {
                opened.wait();
                let message = crate::support::message("t", b"", QoS::AtLeastOnce);
                result.push(
                    inside.upgrade().unwrap().publish_wait(&message, WAIT).result.map_err(|e| e.kind()),
                );
            }
        };
        subscribe(&client, "flood", QoS::AtLeastOnce, Box::new(listener));
        flood.send();
        flood.wait_until_stuck();
        gate.open();
        assert_eq!(results.wait_for(1), [Ok(())]);
        let got = seen.wait("the end of the flood, which is QoS 1", |seen| seen.contains(&None));
        if flood.sim.stats().connections != 1 {
            return false;
        }
        assert!(got.is_sorted_by_key(|part| part.unwrap_or(u32::MAX)), "in order");
        let arrived = got.len() - 1;
        assert!(arrived * PART >= 1 << 20, "as much as the buffer holds: {arrived}");
        assert!(arrived < flood.count as usize, "QoS 0 above the bound is dropped while a callback waits");
        true
    });
}

#[test]
fn qos_2_is_told_once_whatever_happens_to_the_connection_and_acknowledged_afterwards() {
    for acknowledged_meanwhile in [false, true] {
        let sim = Sim::generic();
        let (client, states) = watched(&by_hand(&sim));
        let held = holding(&client, "m", QoS::ExactlyOnce);
        let barrier = subscribed(&client, "barrier", QoS::AtMostOnce);
        sim.publish("m", b"once", 2, false);
        let receipt = held.wait_for(1)[0].receipt;
        if acknowledged_meanwhile {
            sim.on_connects(usize::MAX, ConnectFault::Close);
        }
        sim.disconnect("me", ConnectionEnd::Reset);
        if acknowledged_meanwhile {
            states.wait("it is away", |states| states.contains(&ConnectionState::Reconnecting));
            Client::message_ack(receipt).unwrap();
            sim.on_connects(0, ConnectFault::Close);
        }
        reconnected(&states);
        sim.wait_until("the server repeats it", |sim| sim.stats().publishes_resent == 1);
        sim.publish("barrier", b"", 0, false);
        barrier.wait_for(1);
        if !acknowledged_meanwhile {
            round_trip(&client);
            assert_eq!(acknowledgements(&sim), [], "the application is not done with it");
            Client::message_ack(receipt).unwrap();
        }
        sim.wait_until("it is acknowledged", |sim| sim.session("me").unwrap().unacknowledged == 0);
        assert_eq!(acknowledgements(&sim), [(Pubrec, 1), (Pubcomp, 1)]);
        assert_eq!(held.all().len(), 1, "told once");
        assert_eq!(kind(Client::message_ack(receipt)), ErrorKind::NotFound, "once");
    }
}

#[test]
fn qos_1_that_was_not_acknowledged_comes_again_with_dup() {
    let sim = Sim::generic();
    let (client, states) = watched(&by_hand(&sim));
    let held = holding(&client, "m", QoS::AtLeastOnce);
    for payload in [b"a", b"b"] {
        sim.publish("m", payload, 1, false);
    }
    let before = held.wait_for(2);
    sim.disconnect("me", ConnectionEnd::Close);
    reconnected(&states);
    let all = held.wait_for(4);
    let came: Vec<_> = all.iter().map(|held| (&held.payload[..], held.dup)).collect();
    assert_eq!(came, [(&b"a"[..], false), (b"b", false), (b"a", true), (b"b", true)]);
    // It is the repetition that is acknowledged, not the message of a connection that is gone.
    for held in &before {
        assert_eq!(kind(Client::message_ack(held.receipt)), ErrorKind::NotFound);
    }
    round_trip(&client);
    assert_eq!(acknowledgements(&sim), []);
    for held in all[2..].iter().rev() {
        Client::message_ack(held.receipt).unwrap();
    }
    sim.wait_until("they are acknowledged", |sim| sim.session("me").unwrap().unacknowledged == 0);
    assert_eq!(acknowledgements(&sim), [(Puback, 1), (Puback, 2)]);
}

#[test]
fn what_a_resumed_session_had_stored_finds_the_handler_that_was_there_before_connecting() {
    let sim = Sim::generic();
    let mut options = me(&sim);
    options.set_clean_start(false).unwrap();
    let earlier = connected(&options);
    subscribed(&earlier, "stored/#", QoS::AtLeastOnce);
    earlier.disconnect(WAIT).unwrap();
    drop(earlier);
    for n in 0..20u8 {
        sim.publish("stored/here", &[n], 1, false);
    }
    let later = client(&options);
    let (seen, rest) = (Seen::default(), Seen::default());
    later.on_message(0, collector(&rest)).unwrap();
    let subscription = Subscription { filter: "stored/#", qos: QoS::AtLeastOnce, ..Subscription::default() };
    later.subscribe(&[subscription], Some((0, collector(&seen))), Completion::None).unwrap();
    later.connect(WAIT).unwrap();
    let got: Vec<u8> = seen.wait_for(20).iter().map(|got| got.payload[0]).collect();
    assert_eq!((got, rest.all()), ((0..20).collect(), vec![]));
    assert!(sim.connects()[1].session_present);
}

/// Counts its end.
struct Hook(Arc<AtomicUsize>);

impl Drop for Hook {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn of_several_filters_one_may_be_refused() {
    let sim = Sim::start(Config { denied_topics: vec!["m/denied".into()], ..Config::generic_broker() });
    let client = connected(&sim.plain());
    let wide = subscribed(&client, "m/#", QoS::AtLeastOnce);
    let (own, ended) = (Seen::default(), Arc::new(AtomicUsize::new(0)));
    let many = |filters: &[&'static str]| {
        let subscriptions: Vec<_> =
            filters.iter().map(|filter| Subscription { filter, ..Subscription::default() }).collect();
        let (hook, collect) = (Hook(ended.clone()), collector(&own));
        let listener: MessageListener = Box::new(move |message, receipt| {
            let _ = &hook;
            collect(message, receipt);
        });
        let ack = client.subscribe_wait(&subscriptions, Some((0, listener)), WAIT);
        let error = ack.result.unwrap_err();
        assert!(error.message().contains("'m/denied'"), "{error}");
        (ack.reason_code, error.kind())
    };
    assert_eq!(many(&["m/first", "m/denied", "m/last"]), (Some(135), ErrorKind::Refused));
    for topic in ["m/first", "m/denied", "m/last"] {
        sim.publish(topic, b"", 0, false);
    }
    // The wide filter brings all of them; the handler is left with what was granted.
    wide.wait_for(3);
    let topics: Vec<_> = own.wait_for(2).into_iter().map(|got| got.topic).collect();
    assert_eq!(topics, ["m/first", "m/last"]);
    assert_eq!(ended.load(Ordering::SeqCst), 0, "two of its filters live");
    // Where all are refused, nothing is left of it.
    assert_eq!(many(&["m/denied"]), (Some(135), ErrorKind::Refused));
    client.unsubscribe_wait("m/first", WAIT).result.unwrap();
    client.unsubscribe_wait("m/last", WAIT).result.unwrap();
    drop(client);
    assert_eq!(ended.load(Ordering::SeqCst), 2, "once for each registration");
}
