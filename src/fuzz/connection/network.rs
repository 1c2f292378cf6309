//! The network's half: bytes between the session and the server, as `driver/serve.rs` carries them.

use super::{World, server};
use crate::packet::{Received, decode, frame};
use crate::session::HIGH_WATER;
use crate::session::limits::{Limits, Quotas};
use std::time::Duration;

/// What one read of the driver can bring.
const READ: usize = 64 * 1024;

impl World {
    pub(super) fn greeted(&mut self, connack: &[u8], rest: &[u8]) {
        let Ok(Some(frame)) = frame(connack, READ as u32) else { return };
        match decode(&frame) {
            Ok(Received::ConnAck(connack)) if self.rest.is_none() => {
                let limits = Limits::granted(&connack, self.keep_alive_secs, Quotas::NONE);
                self.connect(limits, connack.session_present, rest);
            }
            _ => {}
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
        if self.rest.is_some() && bytes > 0 {
            self.actions.out.drain(..bytes);
            self.seen -= bytes;
            self.witness.written(bytes);
            self.session.written(bytes, self.now, &mut self.actions);
        }
    }

    pub(super) fn answer(&mut self) {
        let mut answers = Vec::new();
        while let Some(packet) = self.witness.unanswered() {
            answers.extend(server::answer(packet));
        }
        self.receive(&answers);
    }

    pub(super) fn chunks(&mut self, bytes: &[u8], chunk: u8) {
        for chunk in bytes.chunks(usize::from(chunk).max(1)) {
            self.receive(chunk);
        }
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) {
        if self.actions.end.is_some() || self.actions.out.len() >= 2 * HIGH_WATER {
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
        if self.rest.is_some() && self.session.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.session.time(self.now, &mut self.actions);
            let over = self.session.deadline().is_some_and(|deadline| deadline <= self.now);
            assert!(!over || self.actions.end.is_some(), "the driver would turn and turn");
        }
    }

    /// What the driver does between two waits.
    pub(super) fn turn(&mut self) {
        if let Some(error) = &self.actions.end {
            self.summary.ends.push(error.kind());
            // It may have more to do before it sees that this is the end.
            self.session.probe(self.now, &mut self.actions);
            self.session.stay_awake(&mut self.actions);
            self.pass(Duration::from_secs(30));
            self.look();
            self.part();
            return self.lose();
        }
        if self.rest.is_some() {
            let room = self.session.room(self.now, self.actions.out.len());
            let mut taken = Vec::new();
            self.queue.take(room, &mut taken);
            self.session.publish(taken, self.now, &mut self.actions);
            self.look();
            self.witness.nothing_is_due(false);
        }
        assert!(self.actions.end.is_none(), "{:?}", self.actions.end);
        self.settle();
    }

    /// What waits to be written goes out before the connection ends.
    pub(super) fn part(&mut self) {
        let bytes = self.actions.out.len();
        self.witness.written(bytes);
        self.session.taken(bytes, self.now, &mut self.actions);
        self.settle();
    }

    pub(super) fn lose(&mut self) {
        self.actions.out.clear();
        self.actions.end = None;
        (self.seen, self.rest) = (0, None);
        self.session.lost();
    }
}
