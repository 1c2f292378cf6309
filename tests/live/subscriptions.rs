//! A second subscription to the same topic filter: its handler takes the first one's place when the server has granted
//! it, and not before.

use crate::support::*;
use gecko_iot_sim::{ConnectionEnd, SubscribeFault};
use gecko_mqtt::{Ack, Client, Completion, ErrorKind, MessageListener, Options, QoS, Subscription, Wait};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Reason code 135.
const NOT_AUTHORIZED: u8 = 135;

/// A handler that notes payloads, and how often it was destroyed.
#[derive(Clone, Default)]
struct Probe {
    told: Seen<Vec<u8>>,
    destroyed: Arc<AtomicUsize>,
}

impl Probe {
    fn listener(&self) -> Option<(usize, MessageListener)> {
        struct Hook(Arc<AtomicUsize>);
        impl Drop for Hook {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let (told, hook) = (self.told.clone(), Hook(self.destroyed.clone()));
        let listener = move |message: &gecko_mqtt::Message<'_>, _| {
            let _ = &hook;
            told.push(message.payload.to_owned());
        };
        Some((0, Box::new(listener)))
    }

    fn destroyed(&self) -> usize {
        self.destroyed.load(Ordering::SeqCst)
    }

    fn payloads(&self) -> Vec<String> {
        self.told.all().into_iter().map(|payload| String::from_utf8(payload).unwrap()).collect()
    }
}

fn me(sim: &Sim) -> Options {
    let mut options = sim.plain();
    options.set_client_id("me").unwrap();
    options.set_reconnect(true, 0, 1, 5, 1.0).unwrap();
    options
}

fn filter(qos: QoS) -> [Subscription<'static>; 1] {
    [Subscription { filter: "spa/+", qos, ..Subscription::default() }]
}

fn subscribe(client: &Client, qos: QoS, probe: &Probe, wait: Wait) -> Ack {
    client.subscribe_wait(&filter(qos), probe.listener(), wait)
}

fn publish(client: &Client, payload: &str) {
    client.publish_wait(&message("spa/1", payload.as_bytes(), QoS::AtLeastOnce), WAIT).result.unwrap();
}

/// What callbacks were due has run.
fn settled(client: &Client) {
    let seen = subscribed(client, "settled", QoS::AtLeastOnce);
    client.publish_wait(&message("settled", b"", QoS::AtLeastOnce), WAIT).result.unwrap();
    seen.wait_for(1);
}

#[test]
fn granted_it_takes_the_first_one_s_place() {
    let sim = Sim::generic();
    let client = connected(&me(&sim));
    let (first, second) = (Probe::default(), Probe::default());
    subscribe(&client, QoS::AtLeastOnce, &first, WAIT).result.unwrap();
    publish(&client, "1");
    first.told.wait_for(1);
    subscribe(&client, QoS::AtMostOnce, &second, WAIT).result.unwrap();
    until("the first handler is destroyed", || first.destroyed() == 1);
    publish(&client, "2");
    settled(&client);
    assert_eq!((first.payloads(), second.payloads()), (vec!["1".into()], vec!["2".into()]));
    drop(client);
    assert_eq!((first.destroyed(), second.destroyed()), (1, 1));
}

#[test]
fn refused_it_leaves_the_first_one_as_it_was() {
    let sim = Sim::generic();
    let (client, states) = watched(&me(&sim));
    let (first, second) = (Probe::default(), Probe::default());
    subscribe(&client, QoS::AtLeastOnce, &first, WAIT).result.unwrap();
    sim.on_subscribes(1, SubscribeFault::Refuse(NOT_AUTHORIZED));
    let ack = subscribe(&client, QoS::AtMostOnce, &second, WAIT);
    assert_eq!(ack.reason_code, Some(NOT_AUTHORIZED));
    until("the second handler is destroyed", || second.destroyed() == 1);
    publish(&client, "1");
    settled(&client);
    // What is restored is what was granted last.
    sim.lose_session();
    states.wait("it is connected again", |states| states.contains(&gecko_mqtt::ConnectionState::Connected));
    let restored = |sim: &gecko_iot_sim::Simulator| {
        sim.session("me").is_some_and(|session| session.subscriptions.contains(&("spa/+".into(), 1)))
    };
    sim.wait_until("the subscription is restored", restored);
    publish(&client, "2");
    settled(&client);
    assert_eq!((first.payloads(), second.payloads()), (vec!["1".into(), "2".into()], vec![]));
    assert_eq!((first.destroyed(), second.destroyed()), (0, 1));
    client.unsubscribe_wait("spa/+", WAIT).result.unwrap();
    until("the first handler is destroyed", || first.destroyed() == 1);
}

#[test]
fn withdrawn_before_it_was_sent_it_leaves_the_first_one_as_it_was() {
    let sim = Sim::generic();
    let mut options = me(&sim);
    // Waits until it is told of a network.
    options.set_reconnect(true, 0, DAY_MS, DAY_MS, 1.0).unwrap();
    let (client, states) = watched(&options);
    let (first, second, third) = (Probe::default(), Probe::default(), Probe::default());
    subscribe(&client, QoS::AtLeastOnce, &first, WAIT).result.unwrap();
    sim.disconnect("me", ConnectionEnd::Close);
    states.wait_for(1);
    let ack = subscribe(&client, QoS::AtMostOnce, &second, Wait::For(Duration::from_millis(10)));
    assert_eq!(kind(ack.result), ErrorKind::Timeout);
    // Nor do messages without a handler of their own change that.
    let ack = client.subscribe_wait(&filter(QoS::AtMostOnce), None, Wait::For(Duration::from_millis(10)));
    assert_eq!(kind(ack.result), ErrorKind::Timeout);
    // Refused at once, it was never there.
    let twice = [filter(QoS::AtMostOnce), filter(QoS::AtMostOnce)].concat();
    let refused = client.subscribe(&twice, third.listener(), Completion::None);
    assert_eq!((kind(refused), third.destroyed()), (ErrorKind::InvalidArgument, 1));
    client.network_changed();
    publish(&client, "1");
    settled(&client);
    assert_eq!((first.payloads(), second.payloads()), (vec!["1".into()], vec![]));
    assert_eq!((first.destroyed(), second.destroyed()), (0, 1));
}

#[test]
fn until_it_is_answered_both_are_told() {
    let sim = Sim::generic();
    let client = connected(&me(&sim));
    let (first, second) = (Probe::default(), Probe::default());
    subscribe(&client, QoS::AtLeastOnce, &first, WAIT).result.unwrap();
    sim.on_subscribes(1, SubscribeFault::DropAcknowledgement);
    client.subscribe(&filter(QoS::AtLeastOnce), second.listener(), Completion::None).unwrap();
    publish(&client, "1");
    settled(&client);
    assert_eq!((first.payloads(), second.payloads()), (vec!["1".into()], vec!["1".into()]));
    client.unsubscribe_wait("spa/+", WAIT).result.unwrap();
    until("both handlers are destroyed", || first.destroyed() == 1 && second.destroyed() == 1);
}
