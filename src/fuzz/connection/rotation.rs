//! A second link beside the first, as `driver/renewal.rs` and `driver/serve.rs` go about it: the first comes to rest, the
//! second greets the server, and takes the session over or does not.

use super::{Input, World, server, some_bytes};
use crate::ErrorKind;
use crate::session::limits::Limits;
use std::time::{Duration, Instant};

/// As in the driver.
const SETTLE: Duration = Duration::from_secs(5);
const LINGER: Duration = Duration::from_secs(5);

/// What can happen to a rotation: one byte, and what it needs.
#[cfg_attr(not(test), allow(dead_code))]
pub mod event {
    /// The second link is there.
    pub const BEGIN: u8 = 0;
    /// It is given up before its CONNECT, for the sake of another one.
    pub const ABANDON: u8 = 1;
    /// Its CONNECT comes to nothing.
    pub const REFUSE: u8 = 2;
    /// Its CONNACK comes.
    pub const TAKE_OVER: u8 = 3;
    /// What still comes over the first link afterwards: any well-formed packet, any bytes, the answers to what had
    /// reached the server, and its end.
    pub const STRAY_PACKET: u8 = 4;
    pub const STRAY_BYTES: u8 = 5;
    pub const STRAY_ANSWERS: u8 = 6;
    pub const STRAY_END: u8 = 7;
    pub const COUNT: u8 = 8;
}

#[derive(Default)]
enum Step {
    #[default]
    Idle,
    Settling {
        until: Instant,
    },
    Greeting,
}

/// A link whose session another one has taken over.
struct Old {
    rest: Vec<u8>,
    until: Instant,
    session_present: bool,
    /// To what it had carried to the server.
    answers: Vec<u8>,
}

#[derive(Default)]
pub struct Rotation {
    step: Step,
    /// The first link has ended while the second one greets.
    over: bool,
    old: Option<Old>,
}

impl Rotation {
    pub fn is_greeting(&self) -> bool {
        matches!(self.step, Step::Greeting)
    }

    pub fn is_over(&self) -> bool {
        self.over
    }
}

impl World {
    /// Whether bytes can go to the server and come from it.
    pub(super) fn is_live(&self) -> bool {
        self.rest.is_some() && !self.rotation.over
    }

    pub(super) fn rotate(&mut self, input: &mut Input<'_>) {
        match input.byte() % event::COUNT {
            event::BEGIN => self.prepare(),
            event::ABANDON => self.resume(),
            event::REFUSE => self.refused(some_bytes(input)),
            event::TAKE_OVER => {
                let taken = some_bytes(input);
                let connack = server::connack(input);
                let rest = usize::from(input.byte());
                let rest = input.take(rest);
                match self.granted(&connack) {
                    Some((limits, session_present)) if self.rotation.is_greeting() => {
                        self.change_over(limits, session_present, taken, rest);
                    }
                    _ => {}
                }
            }
            event::STRAY_PACKET => {
                let bytes = self.packets(input);
                self.stray(&bytes);
            }
            event::STRAY_BYTES => {
                let (len, chunk) = (input.two(), input.byte());
                for chunk in input.take(len.into()).chunks(usize::from(chunk).max(1)) {
                    self.stray(chunk);
                }
            }
            event::STRAY_ANSWERS => {
                let answers = self.rotation.old.as_mut().map(|old| std::mem::take(&mut old.answers));
                self.stray(&answers.unwrap_or_default());
            }
            _ => self.rotation.old = None,
        }
    }

    fn prepare(&mut self) {
        if self.rest.is_some() && matches!(self.rotation.step, Step::Idle) {
            self.look();
            self.witness.prepared();
            self.session.prepare_takeover(self.now, &mut self.actions);
            self.look();
            self.rotation.step = Step::Settling { until: self.now + SETTLE };
        }
    }

    /// What the driver does in each turn.
    pub(super) fn renew(&mut self) {
        let Step::Settling { until } = self.rotation.step else { return };
        let settled = self.session.settled();
        if settled || until <= self.now {
            self.look();
            self.witness.closed(settled);
            self.session.await_takeover();
            self.rotation.step = Step::Greeting;
        }
    }

    /// The first link alone goes on.
    fn resume(&mut self) {
        if self.rest.is_some() && !self.rotation.is_greeting() {
            self.go_on();
        }
    }

    fn go_on(&mut self) {
        self.rotation.step = Step::Idle;
        self.look();
        self.witness.resumed();
        self.session.resume(self.now, &mut self.actions);
        self.look();
    }

    /// `taken`: of what waits, so many bytes get out where the first link has ended as well.
    fn refused(&mut self, taken: usize) {
        if !self.rotation.is_greeting() {
            return;
        }
        if self.rotation.over {
            self.summary.ends.push(ErrorKind::ConnectTimeout);
            self.look();
            self.take(taken);
            self.lose();
        } else {
            self.go_on();
        }
    }

    /// The first link ends.
    pub(super) fn cut(&mut self) {
        if self.rotation.is_greeting() {
            self.rotation.over = true;
            self.actions.end = None;
            self.look();
            self.settle();
        } else {
            self.lose();
        }
    }

    /// The session goes on over the second link.
    pub(super) fn change_over(&mut self, limits: Limits, session_present: bool, taken: usize, rest: &[u8]) {
        self.look();
        self.take(taken);
        let until = self.now + LINGER;
        let old = Old {
            rest: self.rest.take().unwrap_or_default(),
            until,
            session_present,
            answers: self.answers(),
        };
        let over = self.rotation.over;
        self.lose();
        self.rotation.old = (!over).then_some(old);
        self.summary.rotations += 1;
        self.connect(limits, session_present, rest);
    }

    fn stray(&mut self, bytes: &[u8]) {
        let Some(old) = &mut self.rotation.old else { return };
        old.rest.extend_from_slice(bytes);
        let most = self.settings.max_incoming_packet;
        let used = self.session.receive_stray(&old.rest, old.session_present, &mut self.actions);
        let expected = self.witness.stray(&old.rest, most, old.session_present, &self.actions.messages);
        assert_eq!(used, expected);
        assert!(self.actions.done.is_empty(), "acknowledged over another connection");
        assert_eq!(self.actions.out.len(), self.seen, "nothing is answered");
        old.rest.drain(..used.unwrap_or(0));
        assert!(used.is_none() || old.rest.len() < most as usize, "more than the largest packet is kept");
        self.rotation.old.take_if(|_| used.is_none());
        self.settle();
    }

    /// Nothing is expected over the first link any more.
    pub(super) fn linger(&mut self) {
        let now = self.now;
        self.rotation.old.take_if(|old| old.until <= now);
    }
}
