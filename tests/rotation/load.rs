//! A device under load whose token is renewed again and again: by rotation, or by stopping and connecting anew, as
//! clients do that cannot rotate.

use crate::support::proxy::{Direction, Proxy};
use crate::support::{LIMIT, Seen, Sim, WAIT, noted};
use gecko_iot_sim::{Config, Delivery};
use gecko_mqtt::{
    Client, ConnectionState, Error, EventKind, Message, Options, QoS, QueuePolicy, Subscription, TokenInput,
    token_request_complete,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// What the proxy adds, there and back.
pub const ROUND_TRIP: Duration = Duration::from_millis(100);
/// Each way.
pub const MESSAGES_A_SECOND: u32 = 500;
/// So large that nothing but a publish comes as so many bytes, TLS or not.
const PAYLOAD: usize = 2500;
const PUBLISH: usize = 2400;
/// Messages that may be under way each way: the load of four seconds, which is what only a machine falls behind that is too
/// busy for this load.
const MOST_UNDER_WAY: u32 = 4 * MESSAGES_A_SECOND;

/// The life of a token where the application decides when to show the next one.
const LONG: Duration = Duration::from_secs(3600);

/// How the next token comes to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By the library, before the token ends.
    Rotate,
    /// By the application: it stops, and connects anew.
    Anew,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    pub sent: u32,
    /// Messages that never arrived, each way.
    pub lost: [u32; 2],
    /// Messages that came more than once with DUP, each way.
    pub repeated: [u32; 2],
    /// Messages that came more than once, and the repetition did not say so.
    pub doubled: [u32; 2],
    /// Publishes that did not end well.
    pub failed: usize,
    /// For each renewal, the longest time in which no publish came into the proxy.
    pub gaps: Vec<Duration>,
    pub states: Vec<ConnectionState>,
    pub protocol_errors: Vec<String>,
}

impl Report {
    pub fn median_gap(&self) -> Duration {
        let mut gaps = self.gaps.clone();
        gaps.sort();
        gaps[gaps.len() / 2]
    }
}

/// The longest time in which no publish came into the proxy.
#[derive(Default)]
struct Silence {
    last: Option<Instant>,
    longest: Duration,
}

impl Silence {
    fn hear(&mut self, bytes: &[u8]) {
        if bytes.len() < PUBLISH {
            return;
        }
        let now = Instant::now();
        let since = self.last.replace(now).map_or(Duration::ZERO, |last| now - last);
        self.longest = self.longest.max(since);
    }

    /// Begins anew.
    fn take(&mut self) -> Duration {
        std::mem::take(&mut self.longest)
    }
}

/// How often each message came, and whether the repetitions said that they are some.
#[derive(Default)]
struct Arrivals(BTreeMap<u32, (u32, bool)>);

impl Arrivals {
    fn note(&mut self, payload: &[u8], dup: bool) {
        let number = u32::from_be_bytes(payload[..4].try_into().unwrap());
        let (times, marked) = self.0.entry(number).or_insert((0, true));
        *times += 1;
        *marked &= *times == 1 || dup;
    }

    fn lost(&self, sent: u32) -> u32 {
        sent - self.0.len() as u32
    }

    fn more_than_once(&self, marked: bool) -> u32 {
        self.0.values().filter(|(times, as_such)| *times > 1 && *as_such == marked).count() as u32
    }
}

/// Rings at a steady pace until it is told to stop.
#[derive(Default)]
struct Pace {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Pace {
    /// False when it is over.
    fn wait(&self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let stopped = self.stopped.lock().unwrap();
        !*self.changed.wait_timeout_while(stopped, left, |stopped| !*stopped).unwrap().0
    }

    fn stop(&self) {
        *self.stopped.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

/// Stops it, also where the test fails.
struct Stop<'a>(&'a Pace);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

struct Device {
    sim: Arc<Sim>,
    proxy: Proxy,
    silence: Arc<Mutex<Silence>>,
    client: Client,
    states: Seen<ConnectionState>,
    events: Seen<EventKind>,
    arrived: Arc<Mutex<Arrivals>>,
    /// The application has stopped the client.
    away: AtomicBool,
}

fn token(sim: &Sim, port: u16, life: Duration) -> String {
    let url = sim.mint_token(life).unwrap().broker_url;
    // Through the proxy.
    url.replacen(&format!(":{}/", sim.alpn_port()), &format!(":{port}/"), 1)
}

fn input(broker_url: &str) -> TokenInput<'_> {
    TokenInput { broker_url: Some(broker_url), ..TokenInput::default() }
}

impl Device {
    fn new(way: Way, life: Duration) -> Self {
        let delivery = Delivery { set_dup: true, ..Delivery::default() };
        let sim = Arc::new(Sim::start(Config { delivery, ..Config::default() }));
        let proxy = Proxy::to(sim.alpn_port());
        for direction in [Direction::Up, Direction::Down] {
            proxy.delay(direction, ROUND_TRIP / 2);
        }
        let silence = Arc::new(Mutex::new(Silence::default()));
        let ear = silence.clone();
        proxy.listen(Direction::Up, Box::new(move |_, bytes| ear.lock().unwrap().hear(bytes)));
        let port = proxy.port();
        let mut options = Options::default();
        options.set_endpoint("localhost").unwrap();
        options.set_ca_pem(sim.ca_pem().as_bytes()).unwrap();
        options.set_client_id("me").unwrap();
        options.set_clean_start(false).unwrap();
        options.set_queue(10_000, 256 << 20, QueuePolicy::RejectNew).unwrap();
        match way {
            Way::Rotate => {
                let minter = sim.clone();
                let provider = move |request| {
                    let url = token(&minter, port, life);
                    // Late where the client is gone.
                    let _ = token_request_complete(request, &input(&url));
                };
                options.set_token_provider(Arc::new(provider)).unwrap();
            }
            Way::Anew => options.set_token(&input(&token(&sim, port, LONG))).unwrap(),
        }
        let client = Client::new(&options).unwrap();
        let (states, events) = (Seen::default(), Seen::default());
        let (state, event) = (states.clone(), events.clone());
        client.on_connection_state_change(0, Box::new(move |now| state.push(now))).unwrap();
        client.on_connection_event(0, Box::new(move |now| event.push(now.kind))).unwrap();
        client.connect(WAIT).unwrap();
        let arrived = Arc::new(Mutex::new(Arrivals::default()));
        let arrivals = arrived.clone();
        let listener = move |message: &Message<'_>, _| {
            arrivals.lock().unwrap().note(message.payload, message.dup);
        };
        let filter = Subscription { filter: "down", qos: QoS::AtLeastOnce, ..Subscription::default() };
        client.subscribe_wait(&[filter], Some((0, Box::new(listener))), WAIT).result.unwrap();
        Self { sim, proxy, silence, client, states, events, arrived, away: AtomicBool::new(false) }
    }

    /// How many messages have come to their end both ways.
    fn through(&self, ends: &Seen<bool>) -> u32 {
        ends.len().min(self.arrived.lock().unwrap().0.len()) as u32
    }

    /// Publishes both ways until it is told to stop; how many there were each way.
    fn load(&self, pace: &Pace, ends: &Seen<bool>) -> u32 {
        let started = Instant::now();
        let mut payload = vec![0; PAYLOAD];
        let mut sent = 0u32;
        while pace.wait(started + Duration::from_secs(1) * sent / MESSAGES_A_SECOND) {
            payload[..4].copy_from_slice(&sent.to_be_bytes());
            let message =
                Message { topic: "up", payload: &payload, qos: QoS::AtLeastOnce, ..Message::default() };
            // An application that stops its client has to wait with publishing, too.
            let held_up = || self.away.load(Ordering::SeqCst) || sent - self.through(ends) >= MOST_UNDER_WAY;
            while held_up() && pace.wait(Instant::now() + Duration::from_millis(1)) {}
            self.client.publish(&message, noted(ends, |ack| ack.result.is_ok())).unwrap();
            self.sim.publish("down", &payload, 1, false);
            sent += 1;
        }
        sent
    }

    /// What the provider does in the other way.
    fn connect_anew(&self) -> Result<(), Error> {
        self.away.store(true, Ordering::SeqCst);
        self.client.disconnect(WAIT)?;
        self.client.set_token(&input(&token(&self.sim, self.proxy.port(), LONG)))?;
        self.client.connect(WAIT)?;
        self.away.store(false, Ordering::SeqCst);
        Ok(())
    }
}

/// Renews the token so many times under load. Tokens live for `life`, and are renewed at about half of it.
pub fn run(way: Way, renewals: usize, life: Duration) -> Report {
    let device = Device::new(way, life);
    let (pace, ends) = (Pace::default(), Seen::default());
    let acknowledged = |more: usize| {
        let known = ends.all().len();
        ends.wait("acknowledgements", |ends| ends.len() >= known + more);
    };
    let mut gaps = Vec::new();
    let sent = std::thread::scope(|scope| {
        let stop = Stop(&pace);
        let load = scope.spawn(|| device.load(&pace, &ends));
        acknowledged(100);
        device.silence.lock().unwrap().take();
        for renewal in 1..=renewals {
            match way {
                Way::Rotate => {
                    let done = |kinds: &[EventKind]| {
                        kinds.iter().filter(|kind| **kind == EventKind::TokenRefreshed).count() >= renewal
                    };
                    device.events.wait("the next rotation", done);
                }
                Way::Anew => {
                    // As long as the other way takes, so that both have the same time to fail.
                    acknowledged((life.as_secs_f64() / 2.0 * f64::from(MESSAGES_A_SECOND)) as usize);
                    device.connect_anew().unwrap();
                }
            }
            acknowledged(MESSAGES_A_SECOND as usize / 2);
            gaps.push(device.silence.lock().unwrap().take());
        }
        drop(stop);
        load.join().unwrap()
    });
    ends.wait_for(sent as usize);
    let deadline = Instant::now() + LIMIT;
    while device.arrived.lock().unwrap().0.len() < sent as usize && Instant::now() < deadline {
        std::thread::yield_now();
    }
    let mut up = Arrivals::default();
    let all_up = |sim: &gecko_iot_sim::Simulator| sim.publishes().iter().filter(|p| p.topic == "up").count();
    assert!(all_up(&device.sim) < 100_000, "the simulator remembers no more");
    for publish in device.sim.publishes() {
        up.note(publish.payload(), publish.dup);
    }
    let down = device.arrived.lock().unwrap();
    Report {
        sent,
        lost: [up.lost(sent), down.lost(sent)],
        repeated: [up.more_than_once(true), down.more_than_once(true)],
        doubled: [up.more_than_once(false), down.more_than_once(false)],
        failed: ends.all().into_iter().filter(|ok| !ok).count(),
        gaps,
        states: device.states.all(),
        protocol_errors: device.sim.protocol_error_texts(),
    }
}
