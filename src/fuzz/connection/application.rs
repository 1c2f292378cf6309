//! The application's half: what it calls, and when it gives up.

use super::{Input, Operation, World};
use crate::completion::{Completion, Waiter};
use crate::packet::{Filter, RetainHandling, StoredPublish, topic};
use crate::session::queue::Publish;
use crate::session::subscriptions::{Request, Wanted};
use crate::{ErrorKind, Message, QoS};
use std::sync::Arc;
use std::time::{Duration, Instant};

const TOPICS: [&str; 6] = ["a", "spa/42/state", "spa/42/jets", "spa/7/state", "$aws/things/m", "x"];
const FILTERS: [&str; 6] = ["a", "spa/42/state", "spa/+/state", "spa/#", "$share/g/spa/#", "#"];

impl World {
    pub(super) fn publish(&mut self, input: &mut Input<'_>) {
        let flags = input.byte();
        let topic = pick_text(input, &TOPICS);
        let size = match input.byte() {
            size @ ..=250 => usize::from(size),
            size => 12 * 1024 * usize::from(size - 250),
        };
        let number = self.witness.topics.len() as u32;
        let mut payload = vec![b'.'; size];
        payload.extend_from_slice(format!("{number:08x}").as_bytes());
        let extras = flags & 0x20 != 0;
        let properties = [("k", if extras { input.text() } else { "" })];
        let message = Message {
            topic,
            payload: &payload,
            qos: QoS::from_level(flags & 3).unwrap_or(QoS::AtLeastOnce),
            retain: flags & 4 != 0,
            utf8: flags & 8 != 0,
            content_type: extras.then_some("text/plain"),
            response_topic: extras.then_some("answers"),
            correlation_data: extras.then_some(&[0, 255]),
            user_properties: if extras { &properties } else { &[] },
            message_expiry_secs: (flags & 0x10 != 0).then_some(20),
            ..Message::default()
        };
        let Ok(stored) = StoredPublish::new(&message) else { return };
        let largest = stored.bytes_held();
        let completion = self.accept(Some((message.qos, number)), flags & 0x40 != 0);
        let mut publish = Publish::new(stored, completion);
        let expiry = message.message_expiry_secs.map(|secs| Duration::from_secs(secs.into()));
        publish.expires_at = expiry.map(|left| self.now + left);
        let mut dropped = Vec::new();
        let pushed = self.queue.push(publish, &mut dropped);
        self.tell(dropped);
        match pushed {
            Ok(()) => {
                self.witness.topics.push(topic.to_owned());
                self.largest = self.largest.max(largest);
            }
            // Forgotten, and never called.
            Err(_) => drop(self.operations.pop()),
        }
    }

    pub(super) fn subscribe(&mut self, input: &mut Input<'_>) {
        let flags = input.byte();
        let handler = self.next_handler;
        let mut filters: Vec<Wanted> = Vec::new();
        for _ in 0..=(flags & 0x7F) % 10 {
            let options = input.byte();
            let filter = pick_text(input, &FILTERS);
            let (qos, no_local) = (QoS::from_level(options & 3).unwrap_or_default(), options & 4 != 0);
            let legal = Filter { filter, no_local, ..Filter::default() }.check().is_ok();
            if legal && !filters.iter().any(|other| *other.filter == *filter) {
                filters.push(Wanted {
                    filter: filter.into(),
                    qos,
                    no_local,
                    retain_as_published: options & 8 != 0,
                    retain_handling: [RetainHandling::Send, RetainHandling::DoNotSend]
                        [usize::from(options >> 4 & 1)],
                    handler,
                });
            }
        }
        if !filters.is_empty() {
            self.next_handler += 1;
            let completion = self.accept(None, flags & 0x80 != 0);
            self.request(Request::Subscribe { filters, completion, restoring: false });
        }
    }

    pub(super) fn unsubscribe(&mut self, input: &mut Input<'_>) {
        let filter = pick_text(input, &FILTERS);
        if topic::valid_filter(filter).is_ok() {
            let (filter, completion, below) = (filter.into(), self.accept(None, false), self.next_handler);
            self.request(Request::Unsubscribe { filter, completion, below });
        }
    }

    fn request(&mut self, request: Request) {
        self.session.request(request, self.now, &mut self.actions);
    }

    fn accept(&mut self, publish: Option<(QoS, u32)>, awaited: bool) -> Completion {
        let words = [self.operations.len(), 0];
        let waiter = awaited.then(Arc::<Waiter>::default);
        self.operations.push(Operation { publish, waiter: waiter.clone(), gave_up: false, end: None });
        waiter.map_or(Completion::Plain { call: |_, _| {}, words }, Completion::Waiter)
    }

    /// A thread whose time is over waits no more.
    fn give_up(&mut self, which: usize) {
        let waiting = |operation: &&mut Operation| operation.waiter.is_some() && !operation.gave_up;
        let Some(operation) = self.operations.iter_mut().filter(waiting).nth(which) else { return };
        let Some(waiter) = operation.waiter.clone() else { return };
        // On the real clock, which the session's is never behind.
        let Err(error) = waiter.wait(Instant::now()).result else { return };
        if error.kind() == ErrorKind::Timeout {
            operation.gave_up = true;
            self.queue.remove(
                |publish| matches!(&publish.completion, Completion::Waiter(w) if Arc::ptr_eq(w, &waiter)),
            );
        }
    }

    pub(super) fn handle(&mut self, input: &mut Input<'_>) {
        let which = usize::from(input.byte());
        if self.manual {
            let Some(number) = self.unhandled.remove(which % self.unhandled.len().max(1)) else { return };
            self.witness.handled(number);
            self.session.handled(number, &mut self.actions);
        } else {
            let count = (which + 1).min(self.unhandled.len());
            let handled = self.unhandled.drain(..count).inspect(|number| self.witness.handled(*number));
            let Some(last) = handled.last() else { return };
            self.session.handled_up_to(last, &mut self.actions);
        }
    }

    pub(super) fn call(&mut self, input: &mut Input<'_>) {
        match input.byte() % 6 {
            0 => self.session.probe(self.now, &mut self.actions),
            1 => self.session.stay_awake(&mut self.actions),
            2 => self.give_up(input.byte().into()),
            3 => self.leave(),
            4 => self.fail_all(),
            _ => {
                // Numbers that no message has (any more).
                let handled = self.session.handled(u64::MAX, &mut self.actions);
                assert!(!handled && !self.session.handled(0, &mut self.actions));
            }
        }
    }
}

/// One of those, or a text of the input's own.
fn pick_text<'a>(input: &mut Input<'a>, from: &[&'static str]) -> &'a str {
    match from.get(usize::from(input.byte())) {
        Some(text) => text,
        None => input.text(),
    }
}
