//! The network's half: bytes between the session and the server, as `driver/serve.rs` carries them.

use super::rotation::Rotation;
use super::{Input, World, server};
use crate::packet::{Received, decode, frame};
use crate::session::HIGH_WATER;
use crate::session::limits::{Limits, Quotas};
use std::time::Duration;

/// What one read of the driver can bring.
const READ: usize = 64 * 1024;

impl World {
    pub(super) fn greeted(&mut self, connack: &[u8], rest: &[u8]) {
        match self.granted(connack) {
            Some((limits, session_present)) if self.rest.is_none() => {
                self.connect(limits, session_present, rest);
            }
            _ => {}
        }
    }

    /// What a CONNACK says; `None` where it is none.
    pub(super) fn granted(&self, connack: &[u8]) -> Option<(Limits, bool)> {
        match decode(&frame(connack, READ as u32).ok()??) {
            Ok(Received::ConnAck(connack)) => {
                let limits = Limits::granted(&connack, self.keep_alive_secs, Quotas::NONE);
                Some((limits, connack.session_present))
            }
            _ => None,
        }
    }

    pub(super) fn connect(&mut self, limits: Limits, session_present: bool, rest: &[u8]) {
        let limits = Limits { quotas: Quotas { pace: self.pace, ..limits.quotas }, ..limits };
        self.summary.connections += 1;
        self.rest = Some(Vec::new());
        self.witness.connected(limits, session_present);
        self.session.connected(limits, session_present, self.now, &mut self.actions);
        self.look();
        self.receive(rest);
    }

    /// Has the witness see what the session wants written.
    pub(super) fn look(&mut self) {
        let out = &self.actions.out;
        self.witness.client(&out[self.seen..]);
        self.seen = out.len();
        assert!(out.len() <= 2 * HIGH_WATER + 2 * READ + self.largest, "{} bytes wait", out.len());
    }

    pub(super) fn write(&mut self, bytes: usize) {
        let bytes = bytes.min(self.actions.out.len());
        if self.is_live() && bytes > 0 {
            self.actions.out.drain(..bytes);
            self.seen -= bytes;
            self.witness.written(bytes);
            self.session.written(bytes, self.now, &mut self.actions);
        }
    }

    pub(super) fn answer(&mut self) {
        let answers = self.answers();
        self.receive(&answers);
    }

    /// To everything that has reached the server.
    pub(super) fn answers(&mut self) -> Vec<u8> {
        let mut answers = Vec::new();
        while let Some(packet) = self.witness.unanswered() {
            answers.extend(server::answer(packet));
        }
        answers
    }

    /// The input's choice, once or several times.
    pub(super) fn packets(&self, input: &mut Input<'_>) -> Vec<u8> {
        let bytes = server::packet(input, &self.witness.identifiers());
        let times = 1 + usize::from(input.byte().saturating_sub(200));
        bytes.repeat(times)
    }

    pub(super) fn chunks(&mut self, bytes: &[u8], chunk: u8) {
        for chunk in bytes.chunks(usize::from(chunk).max(1)) {
            self.receive(chunk);
        }
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) {
        if !self.is_live() || self.actions.end.is_some() || self.actions.out.len() >= 2 * HIGH_WATER {
            return;
        }
        let Some(rest) = &mut self.rest else { return };
        rest.extend_from_slice(bytes);
        let used = self.session.receive(rest, self.now, &mut self.actions);
        assert!(used <= rest.len());
        let ended = self.actions.end.is_some();
        self.witness.server(&rest[..used], &self.actions.messages, ended);
        rest.drain(..used);
        let most = self.settings.max_incoming_packet;
        assert!(ended || (frame(rest, most) == Ok(None) && rest.len() < most as usize), "it can be used");
        self.look();
        self.witness.nothing_is_due(ended);
        self.settle();
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.linger();
        if self.is_live() && self.session.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.session.time(self.now, &mut self.actions);
            let over = self.session.deadline().is_some_and(|deadline| deadline <= self.now);
            assert!(!over || self.actions.end.is_some(), "the driver would turn and turn");
        }
    }

    /// What the driver does between two waits.
    pub(super) fn turn(&mut self) {
        if self.actions.end.is_some() && self.rotation.is_greeting() {
            self.cut();
        }
        if let Some(error) = &self.actions.end {
            self.summary.ends.push(error.kind());
            // It may have more to do before it sees that this is the end.
            self.session.probe(self.now, &mut self.actions);
            self.session.stay_awake(&mut self.actions);
            self.pass(Duration::from_secs(30));
            self.look();
            // What waits to be written goes out before the connection ends.
            self.take(usize::MAX);
            return self.lose();
        }
        self.renew();
        if self.rest.is_some() {
            let room = self.session.room(self.now, self.actions.out.len());
            let mut taken = Vec::new();
            self.queue.take(room, &mut taken);
            self.session.publish(taken, self.now, &mut self.actions);
            self.look();
            self.witness.nothing_is_due(self.rotation.is_over());
        }
        assert!(self.actions.end.is_none(), "{:?}", self.actions.end);
        self.settle();
    }

    /// So many bytes had been taken by the stream when it came to its end.
    pub(super) fn take(&mut self, bytes: usize) {
        let bytes = bytes.min(self.actions.out.len());
        self.witness.written(bytes);
        self.session.taken(bytes, self.now, &mut self.actions);
        self.settle();
    }

    pub(super) fn lose(&mut self) {
        self.actions.out.clear();
        self.actions.end = None;
        (self.seen, self.rest) = (0, None);
        self.rotation = Rotation::default();
        self.session.lost();
    }
}
