//! Publishes: acknowledgements late and out of order, cuts, sessions kept and lost, limits that change, and a second
//! connection that takes over.

use super::super::queue::{Publish, Queue, QueueLimit, QueuePolicy};
use super::*;
use crate::completion::Completion;
use crate::packet::{self, StoredPublish};
use crate::{ErrorKind, Message};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    Publish {
        qos: u8,
        topic: u8,
    },
    /// The stream takes so many bytes.
    Write(u8),
    /// So many of them reach the server.
    Deliver(u8),
    /// The server sends one of the acknowledgements that it owes.
    Acknowledge {
        which: u8,
        reason: u8,
    },
    /// It repeats one that it has sent.
    Repeat(u8),
    Cut {
        fate: Fate,
        receive_maximum: u8,
    },
    /// A second connection is prepared, or takes over where everything has settled for it.
    Rotate {
        kept: bool,
    },
    Pass(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3u8, 0..2u8).prop_map(|(qos, topic)| Step::Publish { qos, topic }),
        3 => any::<u8>().prop_map(Step::Write),
        3 => any::<u8>().prop_map(Step::Deliver),
        4 => (any::<u8>(), 0..20u8).prop_map(|(which, reason)| Step::Acknowledge { which, reason }),
        1 => any::<u8>().prop_map(Step::Repeat),
        1 => (fate(), 1..5u8).prop_map(|(fate, receive_maximum)| Step::Cut { fate, receive_maximum }),
        1 => any::<bool>().prop_map(|kept| Step::Rotate { kept }),
        1 => any::<u8>().prop_map(Step::Pass),
    ]
}

/// What the server owes or has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owed {
    Ack(u16),
    Rec(u16),
    Comp(u16),
    Pong,
}

#[derive(Default)]
struct Server {
    input: Vec<u8>,
    /// Of QoS 2, between PUBLISH and PUBREL: part of the session.
    exactly_once: BTreeMap<u16, u32>,
    /// Passes them on only at PUBREL (MQTT 5, 4.3.3 allows both).
    late: bool,
    owed: Vec<Owed>,
    sent: Vec<Owed>,
    /// Identifiers whose last acknowledgement was not sent on this connection.
    open: BTreeSet<u16>,
    receive_maximum: usize,
    /// How often each message was passed on, in the order of the first time.
    passed_on: BTreeMap<u32, u32>,
    order: Vec<u32>,
    sessions_lost: u32,
    sessions_doubted: u32,
    /// The client knows that the session has just begun.
    fresh: bool,
}

impl Server {
    fn take_in(&mut self) {
        loop {
            let Some(frame) = packet::frame(&self.input, u32::MAX).unwrap() else { return };
            let (first, body, len) = (frame.first, frame.body.to_vec(), frame.len);
            self.input.drain(..len);
            match first >> 4 {
                3 => self.publish(first, &body),
                6 => {
                    let id = u16::from_be_bytes([body[0], body[1]]);
                    let number = self.exactly_once.remove(&id);
                    number.filter(|_| self.late).into_iter().for_each(|number| self.pass_on(number));
                    self.open.insert(id);
                    self.owed.push(Owed::Comp(id));
                }
                12 => self.owed.push(Owed::Pong),
                other => panic!("the client sent a packet of type {other}"),
            }
        }
    }

    fn publish(&mut self, first: u8, body: &[u8]) {
        let (qos, dup) = ((first >> 1) & 3, first & 8 != 0);
        let at = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
        let number = u32::from_be_bytes(body[body.len() - 4..].try_into().unwrap());
        if qos == 0 {
            assert!(!dup, "[MQTT-3.3.1-2]");
            return self.pass_on(number);
        }
        let id = u16::from_be_bytes([body[at], body[at + 1]]);
        assert!(!(dup && self.fresh), "DUP in a session that has just begun");
        assert!(self.open.insert(id), "the identifier {id} is in use");
        assert!(self.open.len() <= self.receive_maximum, "more than the receive maximum");
        if qos == 1 {
            self.pass_on(number);
            self.owed.push(Owed::Ack(id));
        } else {
            if self.exactly_once.insert(id, number).is_none() && !self.late {
                self.pass_on(number);
            }
            self.owed.push(Owed::Rec(id));
        }
    }

    fn pass_on(&mut self, number: u32) {
        let times = self.passed_on.entry(number).or_default();
        *times += 1;
        if *times == 1 {
            self.order.push(number);
        }
    }

    fn connect(&mut self, Fate { kept, doubted }: Fate, receive_maximum: u8) {
        self.input.clear();
        self.owed.clear();
        self.sent.clear();
        self.open.clear();
        self.receive_maximum = receive_maximum.into();
        if !kept {
            self.exactly_once.clear();
            self.sessions_lost += 1;
        }
        self.sessions_doubted += u32::from(doubted);
        self.fresh = !kept && !doubted;
    }

    /// The packet, and whether it says no.
    fn acknowledge(&mut self, owed: Owed, reason: u8) -> Vec<u8> {
        let refused = reason == 19;
        if owed == Owed::Pong {
            return vec![0xD0, 0];
        }
        self.fresh = false;
        let packet = |first: u8, id: u16, reason: u8| {
            let [high, low] = id.to_be_bytes();
            if reason == 0 { vec![first, 2, high, low] } else { vec![first, 3, high, low, reason] }
        };
        match owed {
            Owed::Ack(id) => {
                self.open.remove(&id);
                packet(
                    0x40,
                    id,
                    if refused {
                        151
                    } else if reason == 18 {
                        16
                    } else {
                        0
                    },
                )
            }
            Owed::Rec(id) if refused => {
                self.open.remove(&id);
                self.exactly_once.remove(&id);
                packet(0x50, id, 151)
            }
            Owed::Rec(id) => packet(0x50, id, 0),
            Owed::Comp(id) => {
                self.open.remove(&id);
                packet(0x70, id, 0)
            }
            Owed::Pong => unreachable!("answered above"),
        }
    }
}

type Ends = Arc<Mutex<BTreeMap<u32, Vec<Result<(), ErrorKind>>>>>;

struct World {
    session: Session,
    actions: Actions,
    queue: Queue,
    server: Server,
    now: Instant,
    /// Written, and on its way.
    pipe: Vec<u8>,
    accepted: Vec<(u32, u8, u8)>,
    ends: Ends,
    rotating: bool,
    cuts: u32,
}

impl World {
    fn new(late: bool) -> Self {
        let mut world = Self {
            session: session(),
            actions: Actions::default(),
            queue: Queue::new(QueueLimit { messages: 12, bytes: 1 << 20, policy: QueuePolicy::RejectNew }),
            server: Server { late, ..Server::default() },
            now: Instant::now(),
            pipe: Vec::new(),
            accepted: Vec::new(),
            ends: Arc::default(),
            rotating: false,
            cuts: 0,
        };
        world.connect(Fate { kept: false, doubted: false }, 3);
        world
    }

    fn connect(&mut self, fate: Fate, receive_maximum: u8) {
        self.server.connect(fate, receive_maximum);
        connect(&mut self.session, limits(receive_maximum.into()), fate, self.now, &mut self.actions);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Publish { qos, topic } => self.publish(qos, topic),
            Step::Write(bytes) => self.write(usize::from(bytes)),
            Step::Deliver(bytes) => self.deliver(usize::from(bytes)),
            Step::Acknowledge { which, reason } => {
                if !self.server.owed.is_empty() {
                    let which = usize::from(which) % self.server.owed.len();
                    let owed = self.server.owed.remove(which);
                    self.server.sent.push(owed);
                    let packet = self.server.acknowledge(owed, reason);
                    self.receive(&packet);
                }
            }
            Step::Repeat(which) => {
                let open = self.server.open.clone();
                let repeatable = |owed: &&Owed| match owed {
                    // Of an identifier that has a new meaning by now it would be a lie.
                    Owed::Ack(id) | Owed::Comp(id) => !open.contains(id),
                    Owed::Rec(_) | Owed::Pong => false,
                };
                let sent: Vec<Owed> = self.server.sent.iter().filter(repeatable).copied().collect();
                if let Some(owed) = sent.get(usize::from(which) % sent.len().max(1)) {
                    let fresh = self.server.fresh;
                    // The client may use the identifier already, in what has not arrived.
                    let idle = self.pipe.is_empty() && self.actions.out.is_empty();
                    if idle {
                        let packet = self.server.acknowledge(*owed, 0);
                        self.receive(&packet);
                    }
                    self.server.fresh = fresh;
                }
            }
            Step::Cut { fate, receive_maximum } => {
                self.cuts += 1;
                self.end_connection();
                self.connect(fate, receive_maximum);
            }
            Step::Rotate { .. } if !self.rotating => {
                self.rotating = true;
                self.session.prepare_takeover(self.now, &mut self.actions);
            }
            Step::Rotate { kept } => {
                if self.session.settled() {
                    self.session.await_takeover();
                    self.end_connection();
                    self.connect(Fate { kept, doubted: false }, self.server.receive_maximum as u8);
                }
            }
            // A server that does not answer a PINGREQ is another story.
            Step::Pass(_) if !self.session.settled() => {}
            Step::Pass(secs) => {
                self.now += Duration::from_secs(secs.into());
                self.session.time(self.now, &mut self.actions);
            }
        }
        self.settle();
    }

    /// With everything that is on its way.
    fn end_connection(&mut self) {
        self.rotating = false;
        self.actions.out.clear();
        self.pipe.clear();
        self.session.lost();
    }

    fn publish(&mut self, qos: u8, topic: u8) {
        let number = self.accepted.len() as u32;
        let payload = number.to_be_bytes();
        let topic_name = ["topic/a", "topic/b"][usize::from(topic)];
        let qos_level = QoS::from_level(qos).unwrap();
        let message = Message { topic: topic_name, payload: &payload, qos: qos_level, ..Message::default() };
        let ends = self.ends.clone();
        let completion = Completion::Boxed(Box::new(move |ack| {
            let end = ack.result.clone().map_err(|error| error.kind());
            ends.lock().unwrap().entry(number).or_default().push(end);
        }));
        let publish = Publish::new(StoredPublish::new(&message).unwrap(), completion);
        if self.queue.push(publish, &mut Vec::new()).is_ok() {
            self.accepted.push((number, qos, topic));
        }
    }

    fn write(&mut self, bytes: usize) {
        let bytes = bytes.min(self.actions.out.len());
        self.pipe.extend(self.actions.out.drain(..bytes));
        self.session.written(bytes, self.now, &mut self.actions);
    }

    fn deliver(&mut self, bytes: usize) {
        let bytes = bytes.min(self.pipe.len());
        self.server.input.extend(self.pipe.drain(..bytes));
        self.server.take_in();
    }

    fn receive(&mut self, packet: &[u8]) {
        assert_eq!(self.session.receive(packet, self.now, &mut self.actions), packet.len());
    }

    /// What the driver does between two steps.
    fn settle(&mut self) {
        assert!(self.actions.end.is_none(), "{:?}", self.actions.end);
        let room = self.session.room(self.now, self.actions.out.len());
        let mut taken = Vec::new();
        self.queue.take(room, &mut taken);
        self.session.publish(taken, self.now, &mut self.actions);
        let (messages, bytes) = std::mem::take(&mut self.actions.freed);
        self.queue.release(messages, bytes);
        for (completion, ack) in self.actions.done.drain(..) {
            completion.complete(ack);
        }
        for (number, ends) in &*self.ends.lock().unwrap() {
            assert_eq!(ends.len(), 1, "message {number} ended {ends:?}");
        }
    }

    /// A network that is well again brings everything to its end.
    fn recover(&mut self) {
        self.session.resume(self.now, &mut self.actions);
        for _ in 0..10_000 {
            self.write(usize::MAX);
            self.deliver(usize::MAX);
            self.step(&Step::Acknowledge { which: 0, reason: 0 });
            if self.queue.usage() == (0, 0) && self.actions.out.is_empty() && self.pipe.is_empty() {
                return;
            }
        }
        panic!("it does not come to rest: {:?}", self.queue.usage());
    }

    fn check(&self) {
        let ends = self.ends.lock().unwrap();
        for &(number, qos, _) in &self.accepted {
            let end = ends.get(&number).unwrap_or_else(|| panic!("message {number} never ended"))[0];
            let times = self.server.passed_on.get(&number).copied().unwrap_or(0);
            match (qos, end) {
                (0, end) => {
                    assert_eq!(end, Ok(()));
                    assert!(times == 1 || self.cuts > 0 && times == 0, "message {number}: {times} times");
                }
                (_, Ok(())) => assert!(times >= 1, "message {number} was acknowledged and never passed on"),
                // The first session is among them.
                (2, Err(ErrorKind::OutcomeUnknown)) => {
                    assert!(self.server.sessions_lost + self.server.sessions_doubted > 1);
                }
                (_, Err(kind)) => assert_eq!(kind, ErrorKind::Refused),
            }
            let most = if qos == 2 { 1 + self.server.sessions_lost } else { u32::MAX };
            assert!(times <= most, "message {number} of QoS {qos} was passed on {times} times");
            if qos == 2 && self.server.sessions_lost <= 1 {
                assert!(times <= 1, "message {number} of QoS 2 was doubled");
            }
        }
        for topic in 0..2 {
            // PUBREC comes in any order here, and so does PUBREL.
            for qos in 0..if self.server.late { 2 } else { 3 } {
                let of = |number: &&u32| self.accepted.contains(&(**number, qos, topic));
                let first: Vec<u32> = self.server.order.iter().filter(of).copied().collect();
                assert!(first.is_sorted(), "topic {topic}, QoS {qos}: {first:?}");
            }
        }
        assert!(!self.session.is_busy());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_doubled_or_told_twice(late: bool, steps in prop::collection::vec(step(), 0..60)) {
        let mut world = World::new(late);
        for step in &steps {
            world.step(step);
        }
        world.recover();
        world.check();
    }
}
