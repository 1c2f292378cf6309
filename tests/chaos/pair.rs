//! A publisher and a subscriber, each with a network of its own.

use crate::account::Account;
use crate::ledger::{Ledger, Summary};
use crate::random::Random;
use crate::support::proxy::Proxy;
use crate::support::{LIMIT, Seen, WAIT, client, message};
use crate::weather::{Special, Tally, Weather};
use gecko_mqtt::{Client, Event, EventKind, Options, QoS, QueuePolicy, Subscription};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

pub const PUBLISHER: &str = "publisher";
pub const SUBSCRIBER: &str = "subscriber";

const MARKERS: &str = "chaos/marker";
/// Messages that the publisher's queue holds.
const QUEUE: u32 = 200;

/// What a run is about.
#[derive(Clone)]
pub struct Traits {
    pub options: Options,
    /// The broker's.
    pub port: u16,
    pub tls: bool,
    /// The QoS that are published, and the highest that is subscribed to.
    pub qualities: &'static [QoS],
    pub longest: u64,
    /// QoS 1 and 2 messages that are on their way to the subscriber, at most.
    pub window: usize,
    /// The publisher's and the subscriber's.
    pub keep_alive_secs: [u16; 2],
    pub operation_timeout_ms: u32,
    pub receive_maximum: u16,
}

/// A client, and the proxy before it.
pub struct Side {
    pub client: Client,
    pub proxy: Proxy,
    account: Account,
}

/// See the module.
pub struct Pair {
    traits: Traits,
    pub publisher: Side,
    pub subscriber: Side,
    pub ledger: Arc<Ledger>,
    /// How connections and attempts ended.
    pub ends: Arc<Mutex<Tally>>,
    markers: Seen<u32>,
    next_marker: AtomicU32,
    markers_heard: Arc<AtomicU32>,
}

impl Pair {
    /// The subscriber is connected.
    pub fn new(traits: Traits) -> Self {
        let side = |name: &str, keep_alive_secs| {
            let proxy = Proxy::to(traits.port);
            let mut options = traits.options.clone();
            options.set_port(proxy.port()).unwrap();
            options.set_client_id(name).unwrap();
            options.set_keep_alive_secs(keep_alive_secs).unwrap();
            options.set_connect_timeout_ms(1500).unwrap();
            options.set_operation_timeout_ms(traits.operation_timeout_ms).unwrap();
            options.set_reconnect(true, 0, 1, 20, 2.0).unwrap();
            options.set_reconnect_cooldown_secs(1).unwrap();
            options.set_queue(QUEUE, 4 << 20, QueuePolicy::RejectNew).unwrap();
            options.set_receive_maximum(traits.receive_maximum).unwrap();
            let client = client(&options);
            Side { account: Account::of(&client), client, proxy }
        };
        let publisher = side(PUBLISHER, traits.keep_alive_secs[0]);
        let subscriber = side(SUBSCRIBER, traits.keep_alive_secs[1]);
        let (ledger, markers) = (Arc::new(Ledger::default()), Seen::default());
        let markers_heard = Arc::new(AtomicU32::new(0));
        let (accounts, marks, heard) = (ledger.clone(), markers.clone(), markers_heard.clone());
        let ends = Arc::new(Mutex::new(Tally::new()));
        for Side { client, .. } in [&publisher, &subscriber] {
            let (accounts, ends) = (ledger.clone(), ends.clone());
            let listener = move |event: &Event| match (event.kind, &event.error) {
                (EventKind::Disconnected | EventKind::Failed, Some(error)) => {
                    let kind = format!("{:?} {:?}", event.kind, error.kind());
                    *ends.lock().unwrap().entry(kind).or_default() += 1;
                }
                (EventKind::Stopped | EventKind::SubscriptionRefused | EventKind::MessagesDropped, _) => {
                    accounts.violation(event.message.clone());
                }
                _ => {}
            };
            client.on_connection_event(0, Box::new(listener)).unwrap();
        }
        subscriber.client.connect(WAIT).unwrap();
        let qos = traits.qualities.iter().copied().max().unwrap();
        let subscription = Subscription { filter: "chaos/#", qos, ..Subscription::default() };
        let listener = Box::new(move |message: &gecko_mqtt::Message<'_>, _| match message.topic {
            MARKERS => {
                heard.fetch_add(1, Ordering::Relaxed);
                marks.push(u32::from_be_bytes(message.payload.try_into().unwrap()));
            }
            _ => accounts.arrived(message),
        });
        subscriber.client.subscribe_wait(&[subscription], Some((0, listener)), WAIT).result.unwrap();
        let next_marker = AtomicU32::new(0);
        Self { traits, publisher, subscriber, ledger, ends, markers, next_marker, markers_heard }
    }

    /// Publishes while faults befall both, each with half of them, and then lets everything come to rest.
    pub fn storm(&self, random: &mut Random, faults: u64, specials: [Option<Special<'_>>; 2]) -> Tally {
        let over = AtomicBool::new(false);
        let mut application = random.fork();
        let mut weather = |proxy, special| Weather {
            proxy,
            ledger: &self.ledger,
            random: random.fork(),
            tls: self.traits.tls,
            special,
            tally: Tally::new(),
        };
        let (above, below) =
            (weather(&self.publisher.proxy, specials[0]), weather(&self.subscriber.proxy, specials[1]));
        std::thread::scope(|scope| {
            let _over = OnDrop(|| {
                over.store(true, Ordering::Release);
                self.ledger.wake();
            });
            scope.spawn(|| self.publish(&mut application, &|| over.load(Ordering::Acquire)));
            let above = scope.spawn(move || above.blow(faults.div_ceil(2)));
            let mut tally = below.blow(faults / 2);
            for (kind, count) in above.join().unwrap() {
                *tally.entry(kind).or_default() += count;
            }
            self.publisher.proxy.heal();
            self.subscriber.proxy.heal();
            self.ledger.spent();
            self.ledger.rest();
            self.wait_empty();
            tally
        })
    }

    /// The application: publishes whatever may be.
    fn publish(&self, random: &mut Random, over: &dyn Fn() -> bool) {
        while self.ledger.wait_for_room(self.traits.window, over) {
            let before = self.ledger.progress();
            if !self.ledger.publish(
                &self.publisher.client,
                random,
                self.traits.qualities,
                self.traits.longest,
            ) {
                self.ledger.allow(1);
                // Its refusal is one of the things that happened.
                self.ledger.wait_for_progress(before + 1, over);
            }
        }
    }

    /// Without a connection the queue takes as much as it was told to, and not one more; then all of that arrives.
    pub fn fill_and_connect(&self, random: &mut Random) {
        let mut publish = || {
            self.ledger.publish(&self.publisher.client, random, self.traits.qualities, self.traits.longest)
        };
        let accepted = std::iter::repeat_with(&mut publish).take_while(|accepted| *accepted).count();
        assert_eq!(accepted, QUEUE as usize);
        self.publisher.client.connect(WAIT).unwrap();
        self.ledger.rest();
    }

    /// Also what timed out has its acknowledgement, or is given up.
    fn wait_empty(&self) {
        let deadline = Instant::now() + LIMIT;
        while self.publisher.client.stats().queued_messages > 0 {
            assert!(Instant::now() < deadline, "{:?}", self.publisher.client.stats());
            std::thread::yield_now();
        }
    }

    /// The subscriber hears itself: it is connected, subscribed, and has had everything that was kept for it.
    pub fn hear_a_marker(&self) {
        let deadline = Instant::now() + LIMIT;
        let number = self.next_marker.fetch_add(1, Ordering::Relaxed);
        let payload = number.to_be_bytes();
        loop {
            let ack =
                self.subscriber.client.publish_wait(&message(MARKERS, &payload, QoS::AtLeastOnce), WAIT);
            if ack.result.is_ok() && ack.reason_code == Some(0) {
                break;
            }
            assert!(Instant::now() < deadline, "the subscriber does not hear itself: {ack:?}");
        }
        self.markers.wait("a marker", |seen| seen.contains(&number));
        self.markers.clear();
    }

    /// Every message that came, QoS 0 and repetitions among them, has been through its callback once.
    fn wait_heard(&self) {
        let deadline = Instant::now() + LIMIT;
        loop {
            let received = self.subscriber.client.stats().messages_received as usize;
            let summary = self.ledger.summary();
            let markers = self.markers_heard.load(Ordering::Relaxed) as usize;
            let heard = summary.arrived + summary.repeated.iter().sum::<usize>() + markers;
            if received == heard {
                return;
            }
            assert!(Instant::now() < deadline, "{received} came, {heard} were heard");
            std::thread::yield_now();
        }
    }

    /// The end: nothing is left to be sent, the counters agree with the ledger, and the queue has room for as much as in
    /// the beginning.
    pub fn leave(self, random: &mut Random) -> Summary {
        let (publisher, subscriber) = (&self.publisher.client, &self.subscriber.client);
        publisher.disconnect(WAIT).unwrap();
        self.fill_and_connect(random);
        publisher.disconnect(WAIT).unwrap();
        subscriber.disconnect(WAIT).unwrap();
        self.wait_heard();
        for side in [&self.publisher, &self.subscriber] {
            side.account.check(&side.client);
        }
        // No callback runs any more.
        publisher.close();
        subscriber.close();
        let (sent, summary) = (publisher.stats(), self.ledger.summary());
        self.ledger.check();
        assert_eq!((sent.queued_messages, sent.queued_bytes, sent.in_flight), (0, 0, 0));
        let failed = summary.unknown + summary.condemned;
        assert_eq!((sent.messages_sent, sent.messages_failed), (summary.sent as u64, failed as u64));
        summary
    }
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
