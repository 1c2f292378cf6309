//! The fleet, its broker and its radios. docs/fleet.md says what is taken for granted here, and why.

use crate::timeline::{SLOT, Timeline};
use gecko_mqtt::ErrorKind;
use gecko_mqtt::reconnect::{BUSY, Cause, LASTED, Next, Policy, Reconnect};
use std::hint::black_box;
use std::time::Duration;

/// The options' default.
const CONNECT_TIMEOUT: u32 = 10_000;
/// Milliseconds of a round trip, from and to. An attempt takes four: name service, TCP, TLS, CONNECT.
const ROUND_TRIP: (u32, u32) = (50, 250);
/// The least that an attempt keeps the radio on.
pub const SHORTEST: u32 = 4 * ROUND_TRIP.0;
const _: () = assert!(SHORTEST > SLOT);
/// Devices whose state is fetched in one go.
const TOGETHER: usize = 64;

/// What the broker does with the CONNECTs that are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overload {
    /// CONNACK 151 or 137.
    Refuse,
    /// Nothing: the device's time-out ends the attempt.
    Silent,
}

/// What happens to the fleet. Times are milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub devices: u32,
    /// CONNECTs that the broker accepts in a second.
    pub admit: u32,
    pub overload: Overload,
    /// The devices notice the loss within this.
    pub notice: u32,
    /// So long the radio stays on after it was used.
    pub tail: u32,
    /// The simulation ends, whoever is back.
    pub end: u32,
    pub seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    None,
    /// Half of a delay is certain.
    Equal,
    Full,
    /// min(max, uniform(initial, 3 × the delay before)).
    Decorrelated,
}

/// In place of the library's cool-down: shares of the policy's, each uniform in a range.
#[derive(Clone, Copy, Debug)]
pub struct CoolDown {
    pub first: (f64, f64),
    pub later: (f64, f64),
    /// By which it grows with every round, and the most that it grows to.
    pub growth: f64,
    pub most: f64,
}

/// How the devices go on trying.
#[derive(Clone, Debug)]
pub struct Variant {
    pub name: String,
    pub jitter: Jitter,
    pub policy: Policy,
    pub cool_down: Option<CoolDown>,
    /// In place of the library's [`BUSY`].
    pub busy: Option<f64>,
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// CONNECTs in each second.
    pub arrivals: Vec<u32>,
    /// Those of them that were accepted.
    pub admitted: Vec<u32>,
    /// Devices that are back at the end of each second.
    pub back: Vec<u32>,
    /// Of each device.
    pub attempts: Vec<u32>,
    /// Milliseconds that the radio was on, of each device.
    pub radio: Vec<u32>,
}

/// SplitMix64, as in the driver.
pub struct Random(pub u64);

impl Random {
    /// In 0..1.
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn between(&mut self, (from, to): (u32, u32)) -> u32 {
        from + (f64::from(to - from) * self.unit()) as u32
    }
}

struct Device {
    reconnect: Reconnect,
    /// When the attempt that is under way began or will begin.
    began: u32,
    round_trip: u32,
    /// How long the radio was on before.
    radio: u32,
    attempts: u32,
    rounds: u32,
    /// The delay before this one, in seconds.
    previous: f32,
}

struct Fleet<'a> {
    scenario: &'a Scenario,
    variant: &'a Variant,
    random: Random,
    timeline: Timeline,
    devices: Vec<Device>,
}

/// Takes the fleet from the loss to the last device's return.
pub fn simulate(scenario: &Scenario, variant: &Variant) -> Outcome {
    let mut fleet = Fleet {
        scenario,
        variant,
        random: Random(scenario.seed),
        timeline: Timeline::new(),
        devices: Vec::with_capacity(scenario.devices as usize),
    };
    for device in 0..scenario.devices {
        fleet.lose(device);
    }
    let mut outcome = Outcome::default();
    let mut due = Vec::new();
    while fleet.timeline.next(&mut due) && due[0].0 < scenario.end {
        for (place, &(now, device)) in due.iter().enumerate() {
            if place % TOGETHER == 0 {
                fleet.fetch(&due[place..due.len().min(place + TOGETHER)]);
            }
            let second = (now / 1000) as usize;
            if outcome.arrivals.len() <= second {
                outcome.arrivals.resize(second + 1, 0);
                outcome.admitted.resize(second + 1, 0);
                // A CONNACK may come in the next one.
                outcome.back.resize(second + 2, 0);
            }
            outcome.arrivals[second] += 1;
            if outcome.admitted[second] < scenario.admit {
                outcome.admitted[second] += 1;
                let back = fleet.accept(device, now);
                outcome.back[(back / 1000) as usize] += 1;
            } else {
                fleet.turn_away(device, now);
            }
        }
    }
    for second in 1..outcome.back.len() {
        outcome.back[second] += outcome.back[second - 1];
    }
    outcome.attempts = fleet.devices.iter().map(|device| device.attempts).collect();
    outcome.radio = fleet.devices.iter().map(|device| device.radio).collect();
    outcome
}

impl Fleet<'_> {
    /// Has the memory of these devices come side by side, not one after the other: half of the time went there.
    fn fetch(&self, due: &[(u32, u32)]) {
        let states = due.iter().map(|&(_, device)| &self.devices[device as usize]);
        black_box(states.fold(0, |all, device| all ^ device.attempts ^ device.reconnect.attempt()));
    }

    /// A connection that had lasted is lost.
    fn lose(&mut self, device: u32) {
        let noticed = self.random.between((0, self.scenario.notice));
        let mut reconnect = Reconnect::new(self.variant.policy);
        let chance = self.chance();
        let next = reconnect.lost(Cause::of(ErrorKind::ConnectionLost), LASTED, chance);
        let new =
            Device { reconnect, began: 0, round_trip: 0, radio: 0, attempts: 0, rounds: 0, previous: 0.0 };
        self.devices.push(new);
        self.wait(device, noticed, next, 1.0, chance);
    }

    /// The number that the library gets in place of a random one.
    fn chance(&mut self) -> f64 {
        let unit = self.random.unit();
        match self.variant.jitter {
            Jitter::None => 1.0,
            Jitter::Equal => 0.5 + unit / 2.0,
            Jitter::Full | Jitter::Decorrelated => unit,
        }
    }

    /// The CONNECT came in time; returns when the device knows.
    fn accept(&mut self, device: u32, now: u32) -> u32 {
        let device = &mut self.devices[device as usize];
        let end = now + device.round_trip / 2;
        device.attempts += 1;
        device.radio += end - device.began + self.scenario.tail;
        end
    }

    fn turn_away(&mut self, number: u32, now: u32) {
        let chance = self.chance();
        let device = &mut self.devices[number as usize];
        let (kind, end) = match self.scenario.overload {
            Overload::Refuse => (ErrorKind::QuotaExceeded, now + device.round_trip / 2),
            Overload::Silent => (ErrorKind::ConnectTimeout, device.began + CONNECT_TIMEOUT),
        };
        device.attempts += 1;
        device.radio += end - device.began;
        let cause = Cause::of(kind);
        let next = device.reconnect.failed(cause, chance);
        let factor = if cause == Cause::Busy { self.variant.busy.unwrap_or(BUSY) } else { 1.0 };
        self.wait(number, end, next, factor, chance);
    }

    /// From `now` on a device waits for what comes next.
    fn wait(&mut self, number: u32, now: u32, next: Next, factor: f64, chance: f64) {
        let Variant { jitter, policy, cool_down, busy, .. } = self.variant;
        let (initial, max) = (policy.initial.as_secs_f64() * factor, policy.max.as_secs_f64());
        let device = &mut self.devices[number as usize];
        let delay = match next {
            Next::Retry { .. } if *jitter == Jitter::Decorrelated => {
                let longest = 3.0 * f64::from(device.previous).max(initial);
                let delay = (initial + (longest - initial) * chance).min(max);
                device.previous = delay as f32;
                delay
            }
            Next::Retry { attempt, .. } if busy.is_some() => {
                let failures = attempt.saturating_sub(2).min(64);
                let bound = max.min(initial * policy.multiplier.powi(failures as i32));
                Duration::from_secs_f64(bound * chance).as_secs_f64()
            }
            Next::Retry { delay, .. } => delay.as_secs_f64(),
            Next::CoolDown { delay } => {
                device.reconnect.begin_round();
                device.rounds += 1;
                device.previous = 0.0;
                match (cool_down, policy.cool_down) {
                    (Some(own), Some(cool_down)) => {
                        cool_down.mul_f64(own.after(device.rounds, chance)).as_secs_f64()
                    }
                    _ => delay.as_secs_f64(),
                }
            }
            Next::Stop => unreachable!("nothing here makes a device give up"),
        };
        let delay = (delay * 1000.0).round() as u32;
        // Whatever it did before, the radio stays on for the tail; where the next attempt comes sooner, until then.
        device.radio += delay.min(self.scenario.tail);
        device.began = now + delay;
        device.round_trip = self.random.between(ROUND_TRIP);
        // The CONNECT is at the broker half a round trip before its answer is at the device.
        let arrives = device.began + device.round_trip * 7 / 2;
        self.timeline.add(arrives, number);
    }
}

impl CoolDown {
    /// As a share of the policy's.
    fn after(&self, round: u32, chance: f64) -> f64 {
        let (from, to) = if round == 1 { self.first } else { self.later };
        self.most.min(self.growth.powi(round as i32 - 1)) * (from + (to - from) * chance)
    }
}
