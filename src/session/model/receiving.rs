//! Messages from the server: an application that is done late, or out of order, cuts, sessions kept and lost.

use super::*;
use crate::packet::{self, Received};
use std::collections::{BTreeMap, VecDeque};

#[derive(Clone, Debug)]
enum Step {
    /// The server has a message for the client.
    Send {
        qos: u8,
    },
    /// The application is done with one of those that it has.
    Handle(u8),
    /// With all of them up to one.
    HandleUpTo(u8),
    /// What the client wrote reaches the server.
    Deliver,
    /// The server repeats a QoS 2 message on the same connection, which MQTT 3.1.1 allowed.
    Repeat(u8),
    Cut(Fate),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..3u8).prop_map(|qos| Step::Send { qos }),
        4 => any::<u8>().prop_map(Step::Handle),
        1 => any::<u8>().prop_map(Step::HandleUpTo),
        4 => Just(Step::Deliver),
        1 => any::<u8>().prop_map(Step::Repeat),
        1 => fate().prop_map(Step::Cut),
    ]
}

/// A message in flight, as the server sees it.
#[derive(Clone, Debug)]
struct Sent {
    number: u32,
    id: u16,
    qos: u8,
    /// PUBREC came, PUBREL is out.
    released: bool,
}

const RECEIVE_MAXIMUM: usize = 10;

struct World {
    session: Session,
    actions: Actions,
    now: Instant,
    waiting: VecDeque<(u32, u8)>,
    in_flight: Vec<Sent>,
    /// The order in which this connection's messages must be acknowledged.
    due: VecDeque<u16>,
    next_id: u16,
    next_number: u32,
    /// What the application has and is not done with, by the session's number.
    held: BTreeMap<u64, u32>,
    /// How often it got each message.
    got: BTreeMap<u32, u32>,
    /// Those whose session the server lost while they were under way: nobody promises anything of them.
    forsaken: Vec<u32>,
    qos: BTreeMap<u32, u8>,
    done: Vec<u32>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            session: session(),
            actions: Actions::default(),
            now: Instant::now(),
            waiting: VecDeque::new(),
            in_flight: Vec::new(),
            due: VecDeque::new(),
            next_id: 1,
            next_number: 0,
            held: BTreeMap::new(),
            got: BTreeMap::new(),
            forsaken: Vec::new(),
            qos: BTreeMap::new(),
            done: Vec::new(),
        };
        world.session.connected(limits(10), false, world.now, &mut world.actions);
        world
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Send { qos } => {
                self.waiting.push_back((self.next_number, qos));
                self.qos.insert(self.next_number, qos);
                self.next_number += 1;
            }
            Step::Handle(which) => {
                let numbers: Vec<u64> = self.held.keys().copied().collect();
                if let Some(&number) = numbers.get(usize::from(which) % numbers.len().max(1)) {
                    self.handle(number);
                }
            }
            Step::HandleUpTo(which) => {
                let numbers: Vec<u64> = self.held.keys().copied().collect();
                if let Some(&number) = numbers.get(usize::from(which) % numbers.len().max(1)) {
                    let later = self.held.split_off(&(number + 1));
                    self.done.extend(std::mem::replace(&mut self.held, later).into_values());
                    self.session.handled_up_to(number, &mut self.actions);
                }
            }
            Step::Deliver => self.deliver(),
            Step::Repeat(which) => {
                let open = self.in_flight.iter().filter(|sent| sent.qos == 2 && !sent.released);
                let open: Vec<Sent> = open.cloned().collect();
                if let Some(sent) = open.get(usize::from(which) % open.len().max(1)) {
                    self.publish(sent, true);
                }
            }
            Step::Cut(fate) => self.cut(fate),
        }
        self.settle();
    }

    fn handle(&mut self, number: u64) {
        let message = self.held.remove(&number).unwrap();
        self.done.push(message);
        self.session.handled(number, &mut self.actions);
    }

    fn cut(&mut self, fate: Fate) {
        self.actions.out.clear();
        self.due.clear();
        self.session.lost();
        connect(&mut self.session, limits(10), fate, self.now, &mut self.actions);
        if !fate.kept {
            self.next_id = 1;
            self.forsaken.extend(self.in_flight.drain(..).map(|sent| sent.number));
            return;
        }
        for sent in self.in_flight.clone() {
            if sent.released {
                self.receive(&[0x62, 2, (sent.id >> 8) as u8, sent.id as u8]);
            } else {
                self.due.push_back(sent.id);
                self.publish(&sent, true);
            }
        }
    }

    fn publish(&mut self, sent: &Sent, dup: bool) {
        let mut packet = vec![0x30 | sent.qos << 1 | u8::from(dup) << 3, 0, 0, 1, b't'];
        if sent.qos > 0 {
            packet.extend(sent.id.to_be_bytes());
        }
        packet.push(0);
        packet.extend(sent.number.to_be_bytes());
        packet[1] = packet.len() as u8 - 2;
        self.receive(&packet);
    }

    fn receive(&mut self, packet: &[u8]) {
        assert_eq!(self.session.receive(packet, self.now, &mut self.actions), packet.len());
    }

    /// The server reads what the client wrote.
    fn deliver(&mut self) {
        let out = std::mem::take(&mut self.actions.out);
        self.session.written(out.len(), self.now, &mut self.actions);
        let mut rest = &out[..];
        while let Some(frame) = packet::frame(rest, u32::MAX).unwrap() {
            let (kind, body) = (frame.first >> 4, frame.body.to_vec());
            rest = &rest[frame.len..];
            let id = u16::from_be_bytes([body[0], body[1]]);
            let at = self.in_flight.iter().position(|sent| sent.id == id);
            match kind {
                4 | 5 => {
                    // A message that was repeated on the same connection is answered again.
                    let again = kind == 5 && !self.due.contains(&id);
                    if !again {
                        assert_eq!(self.due.pop_front(), Some(id), "out of order [MQTT-4.6.0-2]");
                    }
                    let at = at.expect("an acknowledgement of a message that is in flight");
                    let number = self.in_flight[at].number;
                    assert!(self.done.contains(&number), "acknowledged before the application was done");
                    if kind == 4 {
                        self.in_flight.remove(at);
                    } else {
                        self.in_flight[at].released = true;
                        self.receive(&[0x62, 2, body[0], body[1]]);
                    }
                }
                7 => {
                    let sent = at.map(|at| self.in_flight.remove(at));
                    assert!(sent.is_none_or(|sent| sent.released));
                }
                other => panic!("the client sent a packet of type {other}"),
            }
        }
    }

    /// The server sends what its window allows, and the application gets what came.
    fn settle(&mut self) {
        while let Some(&(number, qos)) = self.waiting.front() {
            if qos > 0 && self.in_flight.len() >= RECEIVE_MAXIMUM {
                break;
            }
            self.waiting.pop_front();
            let sent = Sent { number, id: self.next_id, qos, released: false };
            if qos > 0 {
                // Small, so that identifiers are used again.
                self.next_id = self.next_id % 40 + 1;
                if self.in_flight.iter().any(|other| other.id == sent.id) {
                    self.waiting.push_front((number, qos));
                    continue;
                }
                self.in_flight.push(sent.clone());
                self.due.push_back(sent.id);
            }
            self.publish(&sent, false);
        }
        assert!(self.actions.end.is_none(), "{:?}", self.actions.end);
        let batch = std::mem::take(&mut self.actions.messages);
        for (packet, number) in batch.packets() {
            let frame = packet::frame(packet, u32::MAX).unwrap().unwrap();
            let Ok(Received::Publish(publish)) = packet::decode(&frame) else { panic!("no PUBLISH") };
            let message = u32::from_be_bytes(publish.payload.try_into().unwrap());
            *self.got.entry(message).or_default() += 1;
            if number > 0 {
                assert!(self.held.insert(number, message).is_none());
            }
        }
    }

    fn recover(&mut self) {
        for _ in 0..10_000 {
            while let Some(number) = self.held.keys().next().copied() {
                self.handle(number);
                self.settle();
            }
            self.deliver();
            self.settle();
            let quiet = self.held.is_empty() && self.in_flight.is_empty() && self.waiting.is_empty();
            if quiet && self.actions.out.is_empty() {
                return;
            }
        }
        panic!("it does not come to rest: {:?}", self.in_flight);
    }

    fn check(&self) {
        for (number, qos) in &self.qos {
            let times = self.got.get(number).copied().unwrap_or(0);
            match qos {
                0 => assert_eq!(times, 1, "QoS 0 message {number}"),
                1 => assert!(times >= 1, "QoS 1 message {number} was lost"),
                _ => assert_eq!(times, 1, "QoS 2 message {number}, forsaken: {:?}", self.forsaken),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_is_delivered_and_acknowledged_in_order(steps in prop::collection::vec(step(), 0..60)) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.recover();
        world.check();
    }
}
