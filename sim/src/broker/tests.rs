//! The broker without a socket.

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use mqtt_protocol_core::mqtt::IntoPayload;
use mqtt_protocol_core::mqtt::packet::RetainHandling;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Duration, Instant};

use super::link::{Link, Reach};
use super::message::Message;
use super::session::{Collected, Subscription};
use super::{Attach, Broker, Ending};
use crate::config::{Config, ConnectionEnd};
use crate::limits::Quotas;

struct Bench {
    broker: Broker,
    now: Instant,
    ends: Vec<watch::Receiver<Option<ConnectionEnd>>>,
}

const PLAIN: Subscription = Subscription {
    qos: 1,
    no_local: false,
    retain_as_published: false,
    retain_handling: RetainHandling::SendRetained,
    id: None,
};

impl Bench {
    fn new(config: Config) -> Self {
        Self { broker: Broker::new(Arc::new(config)), now: Instant::now(), ends: Vec::new() }
    }

    fn connect(&mut self, client_id: &str, clean_start: bool, expiry_secs: u32, window: u16) -> (u64, bool) {
        let id = self.broker.next_link();
        let (end, ended) = watch::channel(None);
        self.ends.push(ended);
        let reach = Reach { wake: Arc::new(Notify::new()), end, orders: mpsc::channel(1).0 };
        let link = Link::new(id, reach, window, None, 0);
        let attach = Attach { clean_start, expiry_secs, will: None, link };
        (id, self.broker.attach(client_id, attach, self.now))
    }

    fn publish(&mut self, topic: &str, qos: u8, payload: &str) {
        let message = Message {
            topic: topic.to_owned(),
            payload: payload.into_payload(),
            qos,
            retain: false,
            properties: Vec::new(),
            expires: None,
        };
        self.broker.publish(None, Arc::new(message), self.now);
    }

    /// What is sent now: (packet identifier, DUP, payload) of each PUBLISH.
    fn collect(&mut self, client_id: &str, link: u64) -> (Vec<(u16, bool, String)>, Collected) {
        let mut out = BytesMut::new();
        let collected = self.broker.collect(client_id, link, &mut out, 1 << 20, self.now);
        let mut sent = Vec::new();
        while let Ok(Some(frame)) = crate::frame::next(&mut out, None) {
            let mut body = frame.body;
            let topic = usize::from(body.get_u16());
            body.advance(topic);
            let packet_id = if frame.first & 0b110 == 0 { 0 } else { body.get_u16() };
            let properties = usize::from(body.get_u8());
            body.advance(properties);
            let payload = String::from_utf8(body.to_vec()).unwrap();
            sent.push((packet_id, frame.first & 0b1000 != 0, payload));
        }
        (sent, collected)
    }

    fn payloads(&mut self, client_id: &str, link: u64) -> Vec<String> {
        self.collect(client_id, link).0.into_iter().map(|(_, _, payload)| payload).collect()
    }
}

#[test]
fn no_more_is_under_way_than_the_client_takes() {
    let mut bench = Bench::new(Config::default());
    let (link, _) = bench.connect("c", true, 0, 2);
    bench.broker.subscribe("c", link, "a", PLAIN, bench.now).unwrap();
    for payload in ["1", "2", "3", "4"] {
        bench.publish("a", 1, payload);
    }
    assert_eq!(bench.payloads("c", link), ["1", "2"]);
    assert!(bench.payloads("c", link).is_empty());
    bench.broker.acknowledged("c", link, 2);
    assert_eq!(bench.payloads("c", link), ["3"]);
    bench.broker.acknowledged("c", link, 77);
    assert_eq!(bench.broker.unexpected_acknowledgements, 1);
    assert!(bench.payloads("c", link).is_empty());
}

#[test]
fn what_is_not_acknowledged_is_sent_again_first_and_in_order() {
    let mut bench = Bench::new(Config::generic_broker());
    let (link, present) = bench.connect("c", false, 60, 10);
    assert!(!present);
    bench.broker.subscribe("c", link, "a", PLAIN, bench.now).unwrap();
    for payload in ["1", "2", "3"] {
        bench.publish("a", 1, payload);
    }
    assert_eq!(bench.payloads("c", link), ["1", "2", "3"]);
    bench.broker.acknowledged("c", link, 2);
    bench.broker.detach("c", link, Ending::Abnormal, None, bench.now);
    bench.publish("a", 1, "4");
    bench.publish("a", 0, "not stored");

    let (link, present) = bench.connect("c", false, 60, 2);
    assert!(present);
    let (sent, collected) = bench.collect("c", link);
    assert_eq!(sent, [(1, true, "1".to_owned()), (3, true, "3".to_owned())]);
    assert_eq!(collected.resent, 2);
    bench.broker.acknowledged("c", link, 1);
    assert_eq!(bench.collect("c", link).0, [(4, false, "4".to_owned())]);
}

#[test]
fn a_session_that_is_taken_over_ignores_its_old_connection() {
    let mut bench = Bench::new(Config::default());
    let (old, _) = bench.connect("c", false, 60, 10);
    bench.broker.subscribe("c", old, "a", PLAIN, bench.now).unwrap();
    bench.publish("a", 1, "1");
    assert_eq!(bench.payloads("c", old), ["1"]);
    let (new, present) = bench.connect("c", false, 60, 10);
    assert!(present);
    assert_eq!(*bench.ends[0].borrow(), Some(ConnectionEnd::Disconnect(142)));
    bench.broker.acknowledged("c", old, 1);
    bench.broker.detach("c", old, Ending::Abnormal, None, bench.now);
    assert_eq!(bench.payloads("c", new), ["1"]);
    assert!(bench.payloads("c", old).is_empty());
}

#[test]
fn sessions_end_when_their_time_has_come() {
    let mut bench = Bench::new(Config::default());
    let (link, _) = bench.connect("c", false, 60, 10);
    bench.broker.detach("c", link, Ending::Normal, None, bench.now);
    let end = bench.now + Duration::from_secs(60);
    assert_eq!(bench.broker.housekeeping(bench.now), Some(end));
    bench.now = end;
    assert_eq!(bench.broker.housekeeping(bench.now), None);
    assert!(bench.broker.session("c").is_none());

    let (link, _) = bench.connect("c", false, 60, 10);
    bench.broker.detach("c", link, Ending::Normal, Some(0), bench.now);
    assert!(bench.broker.session("c").is_none());
}

#[test]
fn an_expired_session_is_not_resumed_even_before_housekeeping() {
    let mut bench = Bench::new(Config::default());
    let (link, _) = bench.connect("c", false, 1, 10);
    bench.broker.detach("c", link, Ending::Normal, None, bench.now);
    bench.now += Duration::from_secs(2);
    assert!(!bench.connect("c", false, 1, 10).1);
}

#[test]
fn a_full_queue_drops_and_counts() {
    let mut config = Config::default();
    config.limits.queued_messages = 2;
    let mut bench = Bench::new(config);
    let (link, _) = bench.connect("c", true, 0, 10);
    bench.broker.subscribe("c", link, "a", PLAIN, bench.now).unwrap();
    for payload in ["1", "2", "3"] {
        bench.publish("a", 1, payload);
    }
    assert_eq!(bench.broker.dropped, 1);
    assert_eq!(bench.payloads("c", link), ["1", "2"]);
}

#[test]
fn shared_subscriptions_take_turns_and_prefer_who_is_there() {
    let mut bench = Bench::new(Config::default());
    let (one, _) = bench.connect("one", false, 60, 10);
    let (two, _) = bench.connect("two", false, 60, 10);
    for (client, link) in [("one", one), ("two", two)] {
        bench.broker.subscribe(client, link, "$share/g/a/+", PLAIN, bench.now).unwrap();
    }
    for payload in ["1", "2", "3"] {
        bench.publish("a/b", 1, payload);
    }
    assert_eq!(bench.payloads("one", one), ["1", "3"]);
    assert_eq!(bench.payloads("two", two), ["2"]);
    bench.broker.detach("two", two, Ending::Normal, None, bench.now);
    bench.publish("a/b", 1, "4");
    bench.publish("a/b", 1, "5");
    assert_eq!(bench.payloads("one", one), ["4", "5"]);
    assert!(bench.broker.unsubscribe("one", one, "$share/g/a/+"));
    bench.publish("a/b", 1, "6");
    let (two, _) = bench.connect("two", false, 60, 10);
    assert_eq!(bench.payloads("two", two), ["2", "6"], "2 was not acknowledged");
}

#[test]
fn stored_messages_are_replayed_at_the_rate_that_is_set() {
    let quotas = Quotas { replays_per_second: Some(2), ..Quotas::none() };
    let mut bench = Bench::new(Config { quotas, ..Config::default() });
    let (link, _) = bench.connect("c", false, 60, 10);
    bench.broker.subscribe("c", link, "a", PLAIN, bench.now).unwrap();
    bench.broker.detach("c", link, Ending::Normal, None, bench.now);
    for payload in ["1", "2", "3"] {
        bench.publish("a", 1, payload);
    }
    let (link, _) = bench.connect("c", false, 60, 10);
    bench.publish("a", 1, "4");
    let (sent, collected) = bench.collect("c", link);
    assert_eq!(sent.len(), 2);
    assert_eq!(collected.again, Some(bench.now + Duration::from_millis(500)));
    bench.now += Duration::from_millis(500);
    assert_eq!(bench.payloads("c", link), ["3", "4"]);
}

#[test]
fn unacknowledged_messages_are_sent_again_without_dup_if_so_configured() {
    let mut config = Config::default();
    config.delivery.resend_after = Some(Duration::from_secs(1));
    let mut bench = Bench::new(config);
    let (link, _) = bench.connect("c", true, 0, 10);
    bench.broker.subscribe("c", link, "a", PLAIN, bench.now).unwrap();
    bench.publish("a", 1, "1");
    let (sent, collected) = bench.collect("c", link);
    assert_eq!(sent, [(1, false, "1".to_owned())]);
    assert_eq!(collected.again, Some(bench.now + Duration::from_secs(1)));
    bench.now += Duration::from_secs(1);
    assert_eq!(bench.collect("c", link).0, [(1, false, "1".to_owned())]);
    bench.broker.acknowledged("c", link, 1);
    bench.now += Duration::from_secs(1);
    assert!(bench.payloads("c", link).is_empty());
}
