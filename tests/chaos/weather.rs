//! What befalls one client's connections: every kind of fault in turn, shuffled, at places that chance chooses.

use crate::ledger::Ledger;
use crate::random::Random;
use crate::support::proxy::{Direction, Fault, Proxy, Strike};
use std::collections::BTreeMap;
use std::time::Duration;

/// What may be published for each fault, so that there is something for the next one to befall.
const MESSAGES: u64 = 150;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Cut,
    Reset,
    /// For a moment.
    Pause,
    /// Until the client gives the connection up.
    Stall,
    HalfOpen,
    Drip,
    Split,
    Merge,
    Garbage,
}

const DECK: [Kind; 13] = [
    Kind::Cut,
    Kind::Cut,
    Kind::Cut,
    Kind::Reset,
    Kind::Reset,
    Kind::Pause,
    Kind::Stall,
    Kind::HalfOpen,
    Kind::Drip,
    Kind::Split,
    Kind::Split,
    Kind::Merge,
    Kind::Garbage,
];

/// How often each kind of fault has befallen.
pub type Tally = BTreeMap<String, u64>;

/// What a run has in store besides: a session that is lost, a broker that is killed.
#[derive(Clone, Copy)]
pub struct Special<'a> {
    pub name: &'static str,
    /// How often among thirteen other faults.
    pub often: usize,
    /// False where it could not be done.
    pub does: &'a (dyn Fn(&mut Random) -> bool + Sync),
}

/// See the module.
pub struct Weather<'a> {
    pub proxy: &'a Proxy,
    pub ledger: &'a Ledger,
    pub random: Random,
    pub tls: bool,
    pub special: Option<Special<'a>>,
    pub tally: Tally,
}

impl Weather<'_> {
    /// So many faults, one after the other.
    pub fn blow(mut self, faults: u64) -> Tally {
        let mut deck = Vec::new();
        while self.tally.values().sum::<u64>() < faults {
            if deck.is_empty() {
                deck.extend(DECK.map(Some));
                deck.resize(DECK.len() + self.special.map_or(0, |special| special.often), None);
                self.random.shuffle(&mut deck);
            }
            self.ledger.allow(MESSAGES);
            match (deck.pop().flatten(), self.special) {
                (Some(kind), _) => self.strike(kind),
                (None, Some(Special { name, does, .. })) if does(&mut self.random) => self.count(name),
                (None, _) => {}
            }
        }
        self.tally
    }

    fn count(&mut self, name: &str) {
        *self.tally.entry(name.to_owned()).or_default() += 1;
    }

    fn strike(&mut self, kind: Kind) {
        let (direction, other) = match self.random.below(2) {
            0 => (Direction::Up, Direction::Down),
            _ => (Direction::Down, Direction::Up),
        };
        let opened = self.proxy.opened();
        // In one of three cases it is the beginning of a connection: TLS, CONNECT, CONNACK.
        let beginning = self.random.chance(33);
        let reach = match (beginning, self.tls, direction) {
            (false, ..) => 8000,
            (true, true, _) => 3000,
            (true, false, Direction::Up) => 80,
            (true, false, Direction::Down) => 20,
        };
        let strike = Strike {
            direction,
            fault: self.fault(kind, direction),
            after: self.random.below(reach),
            within: Duration::from_millis(if beginning { 3000 } else { 300 }),
            next_connection: beginning,
            between_packets: kind == Kind::Garbage && !self.tls,
        };
        self.proxy.strike(strike);
        let place = if beginning { "beginning of a connection" } else { "connection" };
        self.count(&format!("{kind:?} {direction:?}, {place}"));
        if beginning {
            let (after, within) = (self.random.below(2000), Duration::from_millis(200));
            self.proxy.strike(Strike { after, within, ..Strike::now(other, Fault::Cut) });
            self.count(&format!("Cut {other:?}, connection"));
        }
        self.proxy.wait_struck();
        if matches!(kind, Kind::Stall | Kind::HalfOpen) {
            // The client has to notice it by itself.
            self.proxy.wait_opened(opened + u64::from(beginning));
        }
    }

    fn fault(&mut self, kind: Kind, direction: Direction) -> Fault {
        let random = &mut self.random;
        let millis = Duration::from_millis;
        match kind {
            Kind::Cut => Fault::Cut,
            Kind::Reset => Fault::Reset,
            Kind::Pause => Fault::Stall(millis(random.below(300))),
            Kind::Stall => Fault::Stall(Duration::from_secs(3600)),
            Kind::HalfOpen => Fault::Swallow,
            Kind::Drip => {
                Fault::Drip { bytes: random.below(300) as usize, pause: millis(1 + random.below(2)) }
            }
            Kind::Split => Fault::Drip { bytes: random.below(3000) as usize, pause: Duration::ZERO },
            Kind::Merge => {
                Fault::Merge { bytes: random.below(5000) as usize, within: millis(random.below(100)) }
            }
            Kind::Garbage if self.tls && random.chance(50) => Fault::Flip(1 << random.below(8)),
            Kind::Garbage if self.tls => {
                let count = 1 + random.below(40);
                Fault::Insert(random.bytes(count))
            }
            Kind::Garbage => Fault::Insert(illegal(random, direction)),
        }
    }
}

/// A packet that nobody may take for a legal one, or a part of what follows it: other garbage could be an
/// acknowledgement, or a CONNACK.
fn illegal(random: &mut Random, direction: Direction) -> Vec<u8> {
    let reserved_type = 0x00;
    let first = match direction {
        Direction::Up => reserved_type,
        // CONNECT, PUBLISH of QoS 3, PUBACK with flags, SUBSCRIBE, AUTH.
        Direction::Down => random.pick(&[reserved_type, 0x10, 0x36, 0x47, 0x82, 0xF0]),
    };
    let length = random.below(20);
    let mut packet = vec![first, length as u8];
    packet.extend(random.bytes(length));
    packet
}
