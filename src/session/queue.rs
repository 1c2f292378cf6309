//! What was accepted and not yet written. Bounded by messages and by bytes, with a policy for when it is full.

use super::Room;
use crate::completion::{Ack, Completion};
use crate::packet::StoredPublish;
use crate::{Error, ErrorKind, QoS, Result};
use std::collections::VecDeque;
use std::time::Instant;

/// What happens to a publish that finds the queue full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueuePolicy {
    /// Refuse the new one.
    #[default]
    RejectNew,
    /// Drop the oldest QoS 0 that was not yet written; refuse the new one where there is none.
    DropOldestQos0,
    /// Drop the oldest that was not yet written; refuse the new one where everything was.
    DropOldest,
}

/// The bound of a queue, and what happens at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimit {
    /// Messages that wait for a connection or an acknowledgement.
    pub messages: usize,
    /// Their topics, properties and payloads.
    pub bytes: usize,
    /// What happens when one more would not fit.
    pub policy: QueuePolicy,
}

/// An accepted publish.
#[derive(Debug)]
pub struct Publish {
    pub stored: StoredPublish,
    pub completion: Completion,
    /// When its message expiry interval ends.
    pub expires_at: Option<Instant>,
    /// Position among everything that was accepted.
    pub order: u64,
}

impl Publish {
    pub fn new(stored: StoredPublish, completion: Completion) -> Self {
        Self { stored, completion, expires_at: None, order: 0 }
    }
}

/// Two lanes, so that QoS 0 does not wait for the acknowledgements of QoS 1 and 2. The count includes what was
/// taken out and not yet [released](Self::release): what is in flight uses memory as well.
#[derive(Debug)]
pub struct Queue {
    limit: QueueLimit,
    qos0: VecDeque<Publish>,
    acked: VecDeque<Publish>,
    messages: usize,
    bytes: usize,
    next_order: u64,
}

impl Queue {
    pub fn new(limit: QueueLimit) -> Self {
        Self { limit, qos0: VecDeque::new(), acked: VecDeque::new(), messages: 0, bytes: 0, next_order: 0 }
    }

    /// Accepts or refuses. What the policy drops to make room is pushed to `dropped`; its completion is the
    /// caller's to tell. A refused publish comes back, so that its completion can be forgotten uncalled.
    pub fn push(
        &mut self,
        mut publish: Publish,
        dropped: &mut Vec<(Completion, Ack)>,
    ) -> Result<(), (Error, Publish)> {
        let bytes = publish.stored.bytes_held();
        if bytes > self.limit.bytes {
            let error = Error::new(
                ErrorKind::QueueFull,
                format!(
                    "the message holds {bytes} bytes, the whole queue only {}: see gecko_mqtt_options_set_queue",
                    self.limit.bytes
                ),
            );
            return Err((error, publish));
        }
        while self.messages >= self.limit.messages || self.bytes + bytes > self.limit.bytes {
            let Some(victim) = self.victim() else {
                let error = Error::new(
                    ErrorKind::QueueFull,
                    format!(
                        "{} messages of {} bytes wait for a connection or an acknowledgement (limit: {} messages, {} bytes)",
                        self.messages, self.bytes, self.limit.messages, self.limit.bytes
                    ),
                );
                return Err((error, publish));
            };
            self.release(1, victim.stored.bytes_held());
            let error =
                Error::new(ErrorKind::Dropped, "dropped from a full queue to make room for a newer message");
            dropped.push((victim.completion, Ack::failed(error)));
        }
        self.messages += 1;
        self.bytes += bytes;
        publish.order = self.next_order;
        self.next_order += 1;
        if publish.stored.qos() == QoS::AtMostOnce {
            self.qos0.push_back(publish);
        } else {
            self.acked.push_back(publish);
        }
        Ok(())
    }

    fn victim(&mut self) -> Option<Publish> {
        match self.limit.policy {
            QueuePolicy::RejectNew => None,
            QueuePolicy::DropOldestQos0 => self.qos0.pop_front(),
            QueuePolicy::DropOldest => self.pop_oldest(true),
        }
    }

    fn pop_oldest(&mut self, with_acked: bool) -> Option<Publish> {
        let acked = self.acked.front().filter(|_| with_acked).map(|p| p.order);
        match (self.qos0.front().map(|p| p.order), acked) {
            (Some(a), Some(b)) if b < a => self.acked.pop_front(),
            (Some(_), _) => self.qos0.pop_front(),
            (None, Some(_)) => self.acked.pop_front(),
            (None, None) => None,
        }
    }

    /// Takes the oldest that may be written now: of both lanes while `acked_room` lasts, of QoS 0 afterwards,
    /// until so many messages or bytes are taken (at least one, whatever its size).
    pub fn take(&mut self, room: Room, into: &mut Vec<Publish>) {
        let Room { acked: mut acked_room, mut messages, mut bytes } = room;
        while bytes > 0 && messages > 0 {
            messages -= 1;
            let Some(publish) = self.pop_oldest(acked_room > 0) else { return };
            if publish.stored.qos() != QoS::AtMostOnce {
                acked_room -= 1;
            }
            bytes = bytes.saturating_sub(publish.stored.bytes_held());
            into.push(publish);
        }
    }

    /// Whether something waits that [`take`](Self::take) could take.
    pub fn has_work(&self, acked_room: usize) -> bool {
        !self.qos0.is_empty() || (acked_room > 0 && !self.acked.is_empty())
    }

    /// Frees the room of what has ended.
    pub fn release(&mut self, messages: usize, bytes: usize) {
        debug_assert!(messages <= self.messages && bytes <= self.bytes, "released more than was accepted");
        self.messages = self.messages.saturating_sub(messages);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Takes out everything that was not yet taken, in order.
    pub fn drain(&mut self) -> Vec<Publish> {
        let mut all = Vec::with_capacity(self.qos0.len() + self.acked.len());
        while let Some(publish) = self.pop_oldest(true) {
            self.release(1, publish.stored.bytes_held());
            all.push(publish);
        }
        all
    }

    /// Removes the publishes that `unwanted` picks (their waiter gave up).
    pub fn remove(&mut self, unwanted: impl Fn(&Publish) -> bool) {
        for lane in [&mut self.qos0, &mut self.acked] {
            lane.retain(|publish| {
                let keep = !unwanted(publish);
                if !keep {
                    self.messages -= 1;
                    self.bytes -= publish.stored.bytes_held();
                }
                keep
            });
        }
    }

    /// Messages and bytes accepted and not yet ended.
    #[cfg(any(test, fuzzing))]
    pub fn usage(&self) -> (usize, usize) {
        (self.messages, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    fn publish(topic: &str, qos: QoS) -> Publish {
        let message = Message { topic, payload: &[7; 10], qos, ..Message::default() };
        Publish::new(StoredPublish::new(&message).unwrap(), Completion::None)
    }

    fn queue(messages: usize, policy: QueuePolicy) -> Queue {
        Queue::new(QueueLimit { messages, bytes: 1 << 20, policy })
    }

    fn topics(publishes: &[Publish]) -> Vec<&str> {
        publishes.iter().map(|p| p.stored.topic()).collect()
    }

    #[test]
    fn refuses_what_is_new_when_full() {
        let mut queue = queue(1, QueuePolicy::RejectNew);
        let mut dropped = Vec::new();
        queue.push(publish("a", QoS::AtLeastOnce), &mut dropped).unwrap();
        let (error, back) = queue.push(publish("b", QoS::AtLeastOnce), &mut dropped).unwrap_err();
        assert_eq!((error.kind(), back.stored.topic()), (ErrorKind::QueueFull, "b"));
        assert!(dropped.is_empty());
        queue.release(1, back.stored.bytes_held());
        queue.push(back, &mut dropped).unwrap();
    }

    #[test]
    fn counts_what_was_taken_until_it_is_released() {
        let mut queue = queue(1, QueuePolicy::RejectNew);
        queue.push(publish("a", QoS::AtLeastOnce), &mut Vec::new()).unwrap();
        let mut taken = Vec::new();
        queue.take(Room { acked: 1, messages: 9, bytes: 1000 }, &mut taken);
        assert!(queue.push(publish("b", QoS::AtMostOnce), &mut Vec::new()).is_err());
        queue.release(1, taken[0].stored.bytes_held());
        assert_eq!(queue.usage(), (0, 0));
    }

    #[test]
    fn drops_the_oldest_as_the_policy_says() {
        for (policy, order, expected) in [
            (QueuePolicy::DropOldest, [QoS::AtLeastOnce, QoS::AtMostOnce], vec!["1", "2"]),
            (QueuePolicy::DropOldestQos0, [QoS::AtLeastOnce, QoS::AtMostOnce], vec!["0", "2"]),
        ] {
            let mut queue = queue(2, policy);
            let mut dropped = Vec::new();
            queue.push(publish("0", order[0]), &mut dropped).unwrap();
            queue.push(publish("1", order[1]), &mut dropped).unwrap();
            queue.push(publish("2", QoS::AtLeastOnce), &mut dropped).unwrap();
            assert_eq!(dropped.len(), 1, "{policy:?}");
            assert_eq!(dropped[0].1.result.as_ref().unwrap_err().kind(), ErrorKind::Dropped);
            assert_eq!(topics(&queue.drain()), expected, "{policy:?}");
            assert_eq!(queue.usage(), (0, 0));
        }
    }

    #[test]
    fn a_policy_without_a_victim_refuses() {
        let mut queue = queue(1, QueuePolicy::DropOldestQos0);
        queue.push(publish("0", QoS::AtLeastOnce), &mut Vec::new()).unwrap();
        assert!(queue.push(publish("1", QoS::AtMostOnce), &mut Vec::new()).is_err());
    }

    #[test]
    fn qos_0_passes_when_there_is_no_room_for_acknowledged_ones() {
        let mut queue = queue(9, QueuePolicy::RejectNew);
        for (topic, qos) in
            [("a", QoS::AtLeastOnce), ("b", QoS::AtMostOnce), ("c", QoS::AtLeastOnce), ("d", QoS::AtMostOnce)]
        {
            queue.push(publish(topic, qos), &mut Vec::new()).unwrap();
        }
        let mut taken = Vec::new();
        queue.take(Room { acked: 1, messages: 9, bytes: 1000 }, &mut taken);
        assert_eq!(topics(&taken), ["a", "b", "d"]);
        assert!(!queue.has_work(0) && queue.has_work(1));
    }

    #[test]
    fn a_message_larger_than_the_queue_is_refused_and_drops_nothing() {
        let mut queue = Queue::new(QueueLimit { messages: 9, bytes: 60, policy: QueuePolicy::DropOldest });
        let mut dropped = Vec::new();
        queue.push(publish("a", QoS::AtMostOnce), &mut dropped).unwrap();
        assert!(queue.push(publish(&"long".repeat(10), QoS::AtMostOnce), &mut dropped).is_err());
        assert!(dropped.is_empty());
    }
}
