//! Nothing is lost, whatever the network does: a publisher and a subscriber, both of this library, each behind a proxy
//! that cuts, stalls, drips and garbles, against the simulator and against a mosquitto that is killed.
//!
//! `GECKO_CHAOS_SEED` repeats a run's faults, `GECKO_CHAOS_FAULTS` sets how many there are (200). A program of its own,
//! because it counts the process's threads and descriptors.
#![cfg(target_os = "linux")]

mod account;
mod house;
mod journal;
mod ledger;
mod pair;
mod random;
#[path = "../support/mod.rs"]
mod support;
mod weather;

use gecko_iot_sim::{Authorizer, Config, KeepAliveRule};
use gecko_mqtt::QoS;
use journal::Journal;
use pair::{PUBLISHER, Pair, SUBSCRIBER, Traits};
use random::Random;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use support::proxy::Direction;
use support::{Mosquitto, Sim};
use weather::{Special, Tally};

const QOS_0_AND_1: &[QoS] = &[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::AtLeastOnce];
const ALL_QOS: &[QoS] = &[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

/// One test's part of the faults.
struct Run {
    name: &'static str,
    random: Random,
    faults: u64,
    started: Instant,
}

impl Run {
    fn begin(name: &'static str, percent: u64) -> Self {
        static SEED: OnceLock<u64> = OnceLock::new();
        let number = |name: &str| Some(std::env::var(name).ok()?.parse().expect("a number"));
        let chance = || RandomState::new().hash_one(std::process::id());
        let seed = *SEED.get_or_init(|| number("GECKO_CHAOS_SEED").unwrap_or_else(chance));
        let all = number("GECKO_CHAOS_FAULTS").unwrap_or(200);
        println!(
            "{name}: again with GECKO_CHAOS_SEED={seed} GECKO_CHAOS_FAULTS={all} cargo test --test chaos {name}"
        );
        house::enter();
        let random = Random::new(name.bytes().fold(seed, |seed, byte| seed.rotate_left(8) ^ u64::from(byte)));
        Self { name, random, faults: (all * percent).div_ceil(100), started: Instant::now() }
    }

    /// Everything has come to rest; what is still there ends.
    fn end(mut self, pair: Pair, tally: &Tally, broker: impl FnOnce()) {
        let ends = pair.ends.clone();
        let summary = pair.leave(&mut self.random);
        assert!(summary.condemned as u64 <= garbage(tally) / 2);
        broker();
        house::leave(summary.published.iter().sum::<usize>() as u64);
        let count: u64 = tally.values().sum();
        println!("{}: {count} faults in {:.1} s: {tally:?}", self.name, self.started.elapsed().as_secs_f64());
        println!("  {:?}\n  {summary}", ends.lock().unwrap());
        assert!(count >= self.faults);
    }
}

fn add(to: &mut Tally, more: Tally) {
    for (kind, count) in more {
        *to.entry(kind).or_default() += count;
    }
}

/// What came to a server in between: the protocol errors that it may find.
fn garbage(tally: &Tally) -> u64 {
    tally.iter().filter(|(kind, _)| kind.starts_with("Garbage Up")).map(|(_, count)| count).sum()
}

/// Against a simulator, which loses the publisher's session now and then, and the subscriber's when it is empty.
fn simulated(mut run: Run, sim: Sim, traits: Traits) {
    const ROUNDS: u64 = 3;
    let tls = traits.tls;
    let pair = Pair::new(traits);
    pair.fill_and_connect(&mut run.random);
    let connections = sim.stats().connects_accepted;
    assert!(pair.ledger.summary().repeated == [0; 3] || connections > 2, "repeated without a fault");
    let does = &|_: &mut Random| pair.ledger.losing_a_session(|| sim.forget_session(PUBLISHER));
    let forget = Special { name: "Session lost", often: 2, does };
    let mut tally = Tally::new();
    for _ in 0..ROUNDS {
        let faults = run.faults.div_ceil(ROUNDS);
        add(&mut tally, pair.storm(&mut run.random, faults, [Some(forget), None]));
        sim.wait_until("the subscriber has everything", |sim| {
            sim.session(SUBSCRIBER).is_some_and(|s| s.connected && (s.queued, s.unacknowledged) == (0, 0))
        });
        pair.ledger.check();
        sim.forget_session(SUBSCRIBER);
        sim.wait_until("the subscriber has subscribed again", |sim| {
            sim.session(SUBSCRIBER).is_some_and(|session| !session.subscriptions.is_empty())
        });
    }
    let garbage = garbage(&tally);
    let errors = sim.protocol_error_texts();
    let explained = |text: &String| {
        let ours = [
            "a packet of the reserved type 0",
            "a packet before CONNECT",
            "a packet between CONNECT and CONNACK",
        ];
        !tls && ours.iter().any(|ours| text.contains(ours))
    };
    assert!(errors.len() as u64 <= garbage && errors.iter().all(explained), "{garbage} explain {errors:#?}");
    let stats = sim.stats();
    assert_eq!((stats.unexpected_acknowledgements, stats.messages_dropped, stats.limit_refusals), (0, 0, 0));
    run.end(pair, &tally, || drop(sim));
}

/// Against a mosquitto, which is killed while the publisher is under fire and the subscriber is not. It loses nothing that
/// it has acknowledged then, for it writes a message to a live subscriber before it writes the acknowledgement to the
/// publisher.
fn killed(mut run: Run, tls: bool, qualities: &'static [QoS]) {
    // Nothing waits inside of it: neither for room in a window of its own nor for another packet to go along with.
    let mosquitto = Mosquitto::start_with("max_inflight_messages 0\nset_tcp_nodelay true\n");
    let (options, port) = match tls {
        true => (mosquitto.tls(), mosquitto.tls_port),
        false => (mosquitto.plain(), mosquitto.port),
    };
    let traits = Traits {
        options,
        port,
        tls,
        qualities,
        longest: 250,
        window: 100,
        keep_alive_secs: [1, 3],
        operation_timeout_ms: 4000,
        // Nor for an acknowledgement of the subscriber's.
        receive_maximum: u16::MAX,
    };
    let pair = Pair::new(traits);
    let journal = Journal::default();
    if !tls {
        let journal = journal.clone();
        let listener = move |connection, bytes: &[u8]| journal.heard(connection, bytes);
        pair.subscriber.proxy.listen(Direction::Down, Box::new(listener));
    }
    pair.fill_and_connect(&mut run.random);
    let mosquitto = Mutex::new(mosquitto);
    // PUBACK says that nobody has heard a message, and it is published again; of QoS 2 nothing says so.
    let patient = qualities.contains(&QoS::ExactlyOnce);
    let does = &|random: &mut Random| {
        let mut mosquitto = mosquitto.lock().unwrap();
        pair.subscriber.proxy.heal();
        pair.hear_a_marker();
        pair.ledger.allow(200);
        pair.ledger.wait_for_progress(pair.ledger.progress() + random.below(200), || false);
        let late = if patient { &pair.publisher.proxy } else { &pair.subscriber.proxy };
        let mut kill = || {
            pair.ledger.losing_a_session(|| mosquitto.kill());
            journal.begin_anew();
            late.refuse(true);
            let unheard = pair.ledger.unheard();
            mosquitto.restart();
            if patient {
                pair.hear_a_marker();
            } else {
                pair.ledger.allow(200);
                pair.ledger.wait_for_unheard(unheard);
            }
            late.refuse(false);
            pair.hear_a_marker();
        };
        if patient {
            kill();
        } else {
            pair.ledger.unheard_while(kill);
        }
        true
    };
    let kill = Special { name: "Broker killed", often: 6, does };
    let tally = pair.storm(&mut run.random, run.faults, [None, Some(kill)]);
    pair.ledger.excuse(journal.repeated());
    run.end(pair, &tally, || mosquitto.into_inner().unwrap().kill());
}

#[test]
fn aws_over_tls() {
    let run = Run::begin("aws_over_tls", 30);
    let authorizer = Authorizer { token_ttl: Duration::from_secs(86_400), ..Authorizer::default() };
    let keep_alive = KeepAliveRule::Fixed(2);
    let sim = Sim::start(Config { keep_alive, authorizer, record_publishes: false, ..Config::default() });
    let mut options = sim.trusting();
    options.set_broker_url(&sim.mint_token(Duration::from_secs(86_400)).unwrap().broker_url).unwrap();
    let traits = Traits {
        options,
        port: sim.alpn_port(),
        tls: true,
        qualities: QOS_0_AND_1,
        longest: 4000,
        window: 300,
        keep_alive_secs: [2, 2],
        operation_timeout_ms: 1500,
        receive_maximum: 256,
    };
    simulated(run, sim, traits);
}

#[test]
fn all_qos_over_tcp() {
    let run = Run::begin("all_qos_over_tcp", 30);
    let sim = Sim::start(Config { record_publishes: false, ..Config::generic_broker() });
    let traits = Traits {
        options: sim.plain(),
        port: sim.plain_port().unwrap(),
        tls: false,
        qualities: ALL_QOS,
        longest: 1000,
        window: 300,
        keep_alive_secs: [1, 1],
        operation_timeout_ms: 5000,
        receive_maximum: 20,
    };
    simulated(run, sim, traits);
}

#[test]
fn a_broker_that_is_killed() {
    killed(Run::begin("a_broker_that_is_killed", 20), false, ALL_QOS);
}

#[test]
fn a_broker_that_is_killed_over_tls() {
    killed(Run::begin("a_broker_that_is_killed_over_tls", 20), true, QOS_0_AND_1);
}
