//! What `cargo bench --bench library` measures of the library's inside, and `tests/allocations.rs` counts: a client
//! without threads and sockets, whose server takes in and acknowledges everything at once.

use crate::completion::Completion;
use crate::packet::{self, StoredPublish};
use crate::session::limits::{Limits, Quotas};
use crate::session::queue::{Publish, Queue, QueueLimit, QueuePolicy};
use crate::session::{Actions, Session, Settings};
use crate::{Message, QoS, Result};
use std::time::{Duration, Instant};

/// A session and its queue, as the driver drives them.
pub struct Line {
    session: Session,
    queue: Queue,
    actions: Actions,
    drawn: Vec<Publish>,
    answers: Vec<u8>,
    now: Instant,
}

impl Default for Line {
    fn default() -> Self {
        let settings = Settings {
            receive_maximum: 65_535,
            max_incoming_packet: 256 * 1024,
            operation_timeout: Duration::from_secs(60),
        };
        let limit = QueueLimit { messages: usize::MAX, bytes: usize::MAX, policy: QueuePolicy::RejectNew };
        let limits = Limits {
            receive_maximum: 65_535,
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
            maximum_packet_size: u32::MAX,
            topic_alias_maximum: 0,
            wildcard_available: true,
            shared_available: true,
            keep_alive_secs: 30,
            quotas: Quotas::NONE,
        };
        let mut line = Self {
            session: Session::new(settings),
            queue: Queue::new(limit),
            actions: Actions::default(),
            drawn: Vec::new(),
            answers: Vec::new(),
            now: Instant::now(),
        };
        line.session.connected(limits, false, line.now, &mut line.actions);
        line
    }
}

impl Line {
    /// Publishes the message so many times, QoS 0 or 1, and goes on until all have ended; says how many have.
    pub fn publish(&mut self, message: &Message<'_>, count: usize) -> Result<usize> {
        for _ in 0..count {
            let completion = Completion::Plain { call: |_, _| {}, words: [0; 2] };
            let publish = Publish::new(StoredPublish::new(message)?, completion);
            self.queue.push(publish, &mut Vec::new()).map_err(|(error, _)| error)?;
        }
        let mut ended = 0;
        loop {
            let room = self.session.room(self.now, self.actions.out.len());
            self.queue.take(room, &mut self.drawn);
            self.session.publish(self.drawn.drain(..), self.now, &mut self.actions);
            if self.actions.out.is_empty() {
                return Ok(ended);
            }
            self.answer();
            let written = self.actions.out.len();
            self.actions.out.clear();
            self.session.written(written, self.now, &mut self.actions);
            self.session.receive(&self.answers, self.now, &mut self.actions);
            ended += self.settle();
        }
    }

    /// Takes in whole packets, hands their messages on, and acknowledges them; says how many messages there were.
    pub fn receive(&mut self, packets: &[u8]) -> usize {
        self.session.receive(packets, self.now, &mut self.actions);
        let messages = &mut self.actions.messages;
        let count = messages.len();
        let last = messages.numbers().max().unwrap_or(0);
        messages.clear();
        if last > 0 {
            self.session.handled_up_to(last, &mut self.actions);
        }
        let written = self.actions.out.len();
        self.actions.out.clear();
        self.session.written(written, self.now, &mut self.actions);
        count
    }

    fn settle(&mut self) -> usize {
        let (messages, bytes) = std::mem::take(&mut self.actions.freed);
        self.queue.release(messages, bytes);
        let ended = self.actions.done.len();
        for (completion, ack) in self.actions.done.drain(..) {
            completion.complete(ack);
        }
        ended
    }

    /// A PUBACK for each PUBLISH of QoS 1 that is about to be written.
    fn answer(&mut self) {
        self.answers.clear();
        let mut out = self.actions.out.as_slice();
        while let Ok(Some(frame)) = packet::frame(out, u32::MAX) {
            if frame.first & 0xF6 == 0x32 {
                let topic = usize::from(u16::from_be_bytes([frame.body[0], frame.body[1]]));
                self.answers.extend_from_slice(&[0x40, 2, frame.body[2 + topic], frame.body[3 + topic]]);
            }
            out = &out[frame.len..];
        }
    }
}
