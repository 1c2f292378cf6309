//! A client without its threads and its socket: [`Session`] and [`Queue`] as the driver drives them, with an
//! application, a server and a network that do whatever the input says.

mod application;
mod network;
mod rotation;
#[cfg(test)]
mod seeds;
mod server;
mod witness;

use super::Input;
use crate::completion::{Ack, Completion, Waiter};
use crate::packet::ReasonCode;
use crate::session::pacing::Pace;
use crate::session::queue::{Queue, QueueLimit, QueuePolicy};
use crate::session::{Actions, Session, Settings};
use crate::{Error, ErrorKind, QoS};
use rotation::Rotation;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use witness::Witness;

/// What happens next: one byte, and what it needs.
#[cfg_attr(not(test), allow(dead_code))]
mod step {
    pub const PUBLISH: u8 = 0;
    pub const SUBSCRIBE: u8 = 1;
    pub const UNSUBSCRIBE: u8 = 2;
    /// The stream takes bytes.
    pub const WRITE: u8 = 3;
    /// The server answers everything that has reached it.
    pub const ANSWER: u8 = 4;
    /// It sends whatever bytes.
    pub const BYTES: u8 = 5;
    /// It sends a packet that is well-formed, and perhaps a lie.
    pub const PACKET: u8 = 6;
    pub const HANDLE: u8 = 7;
    pub const PASS: u8 = 8;
    pub const CUT: u8 = 9;
    pub const CONNECT: u8 = 10;
    /// The application's other calls.
    pub const CALL: u8 = 11;
    /// A second connection is about to take the session over, or has done so.
    pub const ROTATE: u8 = 12;
    pub const COUNT: u8 = 13;
}

/// An accepted publish, SUBSCRIBE or UNSUBSCRIBE.
struct Operation {
    /// A publish: its QoS and its number.
    publish: Option<(QoS, u32)>,
    waiter: Option<Arc<Waiter>>,
    gave_up: bool,
    end: Option<Result<(), ErrorKind>>,
}

/// What a run has come to: seeds are held against it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub acknowledged: usize,
    pub failed: usize,
    pub delivered: usize,
    pub connections: usize,
    /// Connections among them that took the session over from one that was there.
    pub rotations: usize,
    pub ends: Vec<ErrorKind>,
}

struct World {
    session: Session,
    actions: Actions,
    queue: Queue,
    settings: Settings,
    pace: Pace,
    keep_alive_secs: u16,
    clean_start: bool,
    manual: bool,
    now: Instant,
    /// The beginning of a packet whose end has not come; `None` without a connection.
    rest: Option<Vec<u8>>,
    rotation: Rotation,
    /// Of `actions.out`, what the witness has seen.
    seen: usize,
    witness: Witness,
    operations: Vec<Operation>,
    /// Messages that the application has not handled.
    unhandled: VecDeque<u64>,
    next_handler: u64,
    /// The largest packet that was accepted.
    largest: usize,
    summary: Summary,
}

pub fn run(data: &[u8]) -> Summary {
    let mut input = Input(data);
    let mut world = World::new(&mut input);
    let recovers = input.byte();
    while !input.is_empty() {
        world.step(&mut input);
    }
    if recovers & 1 == 0 {
        world.recover(recovers & 2 == 0);
    }
    world.end();
    world.summary
}

impl World {
    fn new(input: &mut Input<'_>) -> Self {
        let flags = input.byte();
        let settings = Settings {
            receive_maximum: 1 + u16::from(input.byte()),
            max_incoming_packet: input.pick(&[256 * 1024, 128, 1000, 268_435_460]),
            operation_timeout: Duration::from_secs(input.pick(&[60, 1, 86_400])),
        };
        let limit = QueueLimit {
            messages: 1 + usize::from(input.byte()),
            bytes: 64 << (input.byte() % 20),
            policy: [QueuePolicy::RejectNew, QueuePolicy::DropOldestQos0, QueuePolicy::DropOldest]
                [usize::from(flags % 3)],
        };
        let pace = match flags & 0x30 {
            0x10 => Pace { messages: 100, bytes: 512 * 1024 },
            0x20 => Pace { messages: 1, bytes: 0 },
            0x30 => Pace { messages: 0, bytes: 1000 },
            _ => Pace::default(),
        };
        Self {
            session: Session::new(settings),
            actions: Actions::default(),
            queue: Queue::new(limit),
            settings,
            pace,
            keep_alive_secs: if flags & 0x40 == 0 { 30 } else { 0 },
            clean_start: flags & 0x80 == 0,
            manual: flags & 8 != 0,
            now: Instant::now(),
            rest: None,
            rotation: Rotation::default(),
            seen: 0,
            witness: Witness::new(server::GENEROUS, settings.receive_maximum),
            operations: Vec::new(),
            unhandled: VecDeque::new(),
            next_handler: 1,
            largest: 0,
            summary: Summary::default(),
        }
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.byte() % step::COUNT {
            step::PUBLISH => self.publish(input),
            step::SUBSCRIBE => self.subscribe(input),
            step::UNSUBSCRIBE => self.unsubscribe(input),
            step::WRITE => self.write(some_bytes(input)),
            step::ANSWER => self.answer(),
            step::BYTES => {
                let (len, chunk) = (input.two(), input.byte());
                self.chunks(input.take(len.into()), chunk);
            }
            step::PACKET => {
                let bytes = self.packets(input);
                self.receive(&bytes);
            }
            step::HANDLE => self.handle(input),
            step::PASS => {
                let ms = input.pick(&[1, 100, 1000, 10_000, 60_000, 3_600_000]);
                self.pass(Duration::from_millis(ms));
            }
            step::CUT => self.cut(),
            step::CONNECT => {
                let connack = server::connack(input);
                let rest = usize::from(input.byte());
                self.greeted(&connack, input.take(rest));
            }
            step::CALL => self.call(input),
            _ => self.rotate(input),
        }
        self.turn();
    }

    /// Carries out what the session wants, but for the bytes.
    fn settle(&mut self) {
        let (messages, bytes) = std::mem::take(&mut self.actions.freed);
        self.queue.release(messages, bytes);
        let batch = std::mem::take(&mut self.actions.messages);
        self.summary.delivered += batch.len();
        self.unhandled.extend(batch.numbers());
        self.actions.refused.clear();
        self.actions.released.clear();
        let done = std::mem::take(&mut self.actions.done);
        self.tell(done);
    }

    fn tell(&mut self, done: Vec<(Completion, Ack)>) {
        for (completion, ack) in done {
            let found = match &completion {
                Completion::Plain { words: [at, _], .. } => self.operations.get_mut(*at),
                Completion::Waiter(waiter) => self
                    .operations
                    .iter_mut()
                    .find(|other| other.waiter.as_ref().is_some_and(|other| Arc::ptr_eq(other, waiter))),
                // The library's own.
                _ => continue,
            };
            let operation = found.expect("it was accepted");
            let end = ack.result.clone().map_err(|error| error.kind());
            assert_eq!(operation.end, None, "told twice, and now {end:?}");
            operation.end = Some(end);
            completion.complete(ack);
            match end {
                Ok(()) => self.summary.acknowledged += 1,
                Err(_) => self.summary.failed += 1,
            }
            let Some((qos, number)) = operation.publish else { continue };
            match (end, qos) {
                (Ok(()), _) if operation.gave_up => {}
                (Ok(()), QoS::AtMostOnce) => assert!(self.witness.written.contains(&number), "not sent"),
                (Ok(()), _) => assert!(self.witness.sent.contains(&number), "not sent"),
                (Err(ErrorKind::Cancelled), _) => {
                    assert!(!self.witness.written.contains(&number), "sent, and told as cancelled");
                }
                _ => {}
            }
        }
    }

    /// A network and a server that are well again bring everything to its end.
    fn recover(&mut self, session_present: bool) {
        self.pace = Pace::default();
        if self.rotation.is_greeting() {
            self.change_over(server::GENEROUS, session_present, 0, &[]);
        } else {
            self.lose();
            self.connect(server::GENEROUS, session_present, &[]);
        }
        for _ in 0..10_000 {
            self.turn();
            while !self.actions.out.is_empty() || !self.unhandled.is_empty() {
                self.write(usize::MAX);
                self.answer();
                while let Some(number) = self.unhandled.pop_front() {
                    self.witness.handled(number);
                    self.session.handled(number, &mut self.actions);
                }
                self.turn();
                assert!(self.rest.is_some(), "{:?}", self.summary.ends);
            }
            if self.queue.usage() == (0, 0) && !self.session.is_busy() {
                return;
            }
            self.pass(Duration::from_secs(1));
        }
        panic!("it does not come to rest: {:?} {:?}", self.queue.usage(), self.session);
    }

    /// As the driver leaves.
    fn leave(&mut self) {
        let (unsent, unknown) =
            (Error::new(ErrorKind::Cancelled, "unsent"), Error::new(ErrorKind::OutcomeUnknown, "unknown"));
        if self.rest.is_some() {
            let session_expiry_secs = self.clean_start.then_some(0);
            self.session.disconnect(ReasonCode(0), session_expiry_secs, &mut self.actions);
            self.look();
            if self.rotation.is_over() { self.settle() } else { self.take(usize::MAX) }
        }
        self.lose();
        self.session.cancel_requests(&unsent, &mut self.actions);
        self.abandon(&unsent, &unknown);
    }

    /// As a driver ends that has panicked.
    fn fail_all(&mut self) {
        let error = Error::new(ErrorKind::Internal, "internal");
        self.lose();
        self.session.forget_subscriptions(&error, &mut self.actions);
        self.abandon(&error, &error);
    }

    fn abandon(&mut self, unsent: &Error, unknown: &Error) {
        self.settle();
        self.session.abandon(unsent, unknown, &mut self.actions);
        self.witness.abandoned();
        let queued = self.queue.drain().into_iter();
        self.actions.done.extend(queued.map(|publish| (publish.completion, Ack::failed(unsent.clone()))));
        self.settle();
        assert!(!self.session.is_busy());
        assert_eq!(self.queue.usage(), (0, 0));
    }

    fn end(&mut self) {
        self.leave();
        for Operation { publish, gave_up, end, .. } in &self.operations {
            assert!(end.is_some() || *gave_up, "never ended");
            let written = publish.is_some_and(|(_, number)| self.witness.written.contains(&number));
            assert!(!(*gave_up && written), "withdrawn, and sent");
        }
    }
}

/// How many bytes a stream takes.
fn some_bytes(input: &mut Input<'_>) -> usize {
    match input.byte() {
        255 => usize::MAX,
        few => few.into(),
    }
}
