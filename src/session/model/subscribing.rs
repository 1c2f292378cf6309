//! Subscriptions: whatever happens to connections and sessions, the server ends up with what the application was granted
//! and did not give back.

use super::super::subscriptions::{Request, Wanted};
use super::*;
use crate::completion::Completion;
use crate::packet::{self, RetainHandling};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

const FILTERS: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k/#", "l/+"];

#[derive(Clone, Debug)]
enum Step {
    Subscribe(u8),
    Unsubscribe(u8),
    /// The server reads one packet, and answers it: yes, or no to the first filter.
    Answer {
        refuse: bool,
    },
    Cut {
        fate: Fate,
        wildcards: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..12u8).prop_map(Step::Subscribe),
        2 => (0..12u8).prop_map(Step::Unsubscribe),
        5 => prop::bool::weighted(0.1).prop_map(|refuse| Step::Answer { refuse }),
        1 => (fate(), any::<bool>()).prop_map(|(fate, wildcards)| Step::Cut { fate, wildcards }),
    ]
}

type Log = Arc<Mutex<Vec<(u32, bool)>>>;

struct World {
    session: Session,
    actions: Actions,
    now: Instant,
    server: BTreeSet<String>,
    unread: VecDeque<(u8, Vec<u8>)>,
    /// The application's requests in order, and how they ended.
    requests: BTreeMap<u32, (bool, usize)>,
    ends: Log,
    next: u32,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            session: session(),
            actions: Actions::default(),
            now: Instant::now(),
            server: BTreeSet::new(),
            unread: VecDeque::new(),
            requests: BTreeMap::new(),
            ends: Log::default(),
            next: 0,
        };
        world.session.connected(limits(10), false, world.now, &mut world.actions);
        world
    }

    fn request(&mut self, subscribe: bool, filter: u8) {
        let (number, ends) = (self.next, self.ends.clone());
        self.next += 1;
        let completion =
            Completion::Boxed(Box::new(move |ack| ends.lock().unwrap().push((number, ack.result.is_ok()))));
        let name = FILTERS[usize::from(filter)];
        let request = if subscribe {
            let wanted = Wanted {
                filter: name.into(),
                qos: QoS::AtLeastOnce,
                no_local: false,
                retain_as_published: false,
                retain_handling: RetainHandling::Send,
                handler: u64::from(number),
            };
            Request::Subscribe { filters: vec![wanted], completion, restoring: false }
        } else {
            Request::Unsubscribe { filter: name.into(), completion, below: u64::from(number) }
        };
        self.requests.insert(number, (subscribe, usize::from(filter)));
        self.session.request(request, self.now, &mut self.actions);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Subscribe(filter) => self.request(true, filter),
            Step::Unsubscribe(filter) => self.request(false, filter),
            Step::Answer { refuse } => self.answer(refuse),
            Step::Cut { fate, wildcards } => self.cut(fate, wildcards),
        }
        self.settle();
    }

    fn cut(&mut self, fate: Fate, wildcards: bool) {
        self.actions.out.clear();
        self.unread.clear();
        if !fate.kept {
            self.server.clear();
        }
        self.session.lost();
        let limits = Limits { wildcard_available: wildcards, ..limits(10) };
        connect(&mut self.session, limits, fate, self.now, &mut self.actions);
    }

    fn answer(&mut self, refuse: bool) {
        let Some((kind, body)) = self.unread.pop_front() else { return };
        let properties = 2 + 1 + usize::from(body[2]);
        let mut at = properties;
        let mut codes = Vec::new();
        while at < body.len() {
            let len = usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
            let filter = std::str::from_utf8(&body[at + 2..at + 2 + len]).unwrap().to_owned();
            at += 2 + len + usize::from(kind == 8);
            let no = refuse && codes.is_empty();
            match (kind, no) {
                (8, false) => _ = self.server.insert(filter),
                (_, false) => _ = self.server.remove(&filter),
                _ => {}
            }
            codes.push(match (kind, no) {
                (_, true) => 135,
                (8, false) => 1,
                _ => 0,
            });
        }
        let first = if kind == 8 { 0x90 } else { 0xB0 };
        let mut packet = vec![first, 3 + codes.len() as u8, body[0], body[1], 0];
        packet.extend(codes);
        assert_eq!(self.session.receive(&packet, self.now, &mut self.actions), packet.len());
    }

    fn settle(&mut self) {
        assert!(self.actions.end.is_none(), "{:?}", self.actions.end);
        let out = std::mem::take(&mut self.actions.out);
        self.session.written(out.len(), self.now, &mut self.actions);
        let mut rest = &out[..];
        while let Some(frame) = packet::frame(rest, u32::MAX).unwrap() {
            self.unread.push_back((frame.first >> 4, frame.body.to_vec()));
            rest = &rest[frame.len..];
        }
        for (completion, ack) in self.actions.done.drain(..) {
            completion.complete(ack);
        }
        self.actions.requests_ended = 0;
    }

    fn recover(&mut self) {
        for kept in [false, true] {
            self.cut(Fate { kept, doubted: false }, true);
            self.settle();
            while !self.unread.is_empty() {
                self.answer(false);
                self.settle();
            }
        }
        assert!(!self.session.is_busy());
    }

    fn check(&self) {
        let mut expected = BTreeSet::new();
        let ends: BTreeMap<u32, bool> = self.ends.lock().unwrap().iter().copied().collect();
        assert_eq!(ends.len(), self.ends.lock().unwrap().len(), "told twice");
        for (number, (subscribe, filter)) in &self.requests {
            let granted = *ends.get(number).unwrap_or_else(|| panic!("request {number} never ended"));
            match (subscribe, granted) {
                (true, true) => _ = expected.insert(FILTERS[*filter].to_owned()),
                (false, true) => _ = expected.remove(FILTERS[*filter]),
                (_, false) => {}
            }
        }
        assert_eq!(self.server, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_server_ends_up_with_what_the_application_wants(steps in prop::collection::vec(step(), 0..60)) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.recover();
        world.check();
    }
}
