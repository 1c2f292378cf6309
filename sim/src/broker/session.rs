//! One client's session: what it subscribed to and what it still has to get.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use bytes::BytesMut;
use mqtt_protocol_core::mqtt::packet::RetainHandling;
use tokio::time::{Duration, Instant};

use super::link::{Link, Replay};
use super::message::{Delivery, Message};
use super::will::Will;
use crate::config::Config;
use crate::limits::Rate;
use crate::reply;

/// What a client subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub qos: u8,
    pub no_local: bool,
    pub retain_as_published: bool,
    pub retain_handling: RetainHandling,
    pub id: Option<u32>,
}

enum Stage {
    /// PUBLISH was sent; PUBACK or PUBREC is awaited.
    Publish(Delivery),
    /// PUBREL was sent; PUBCOMP is awaited.
    Release,
}

struct InFlight {
    packet_id: u16,
    stage: Stage,
    sent: Instant,
}

pub(crate) struct Session {
    pub subscriptions: BTreeMap<String, Subscription>,
    /// Seconds that the session outlives its connection; `u32::MAX` is for ever.
    pub expiry_secs: u32,
    pub link: Option<Link>,
    /// When a session without a connection ends.
    pub expires: Option<Instant>,
    pub will: Option<Will>,
    /// When the will of a lost connection is published.
    pub will_due: Option<Instant>,
    /// QoS 2 messages from the client that were routed and not released yet.
    pub received_qos2: HashSet<u16>,
    queue: VecDeque<Delivery>,
    queued_bytes: usize,
    /// Sent and not acknowledged, in order; the last `unsent` not yet on the present connection.
    in_flight: VecDeque<InFlight>,
    unsent: usize,
    last_packet_id: u16,
}

/// What became of a message that was offered to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    Queued,
    /// The session's queue is full.
    Dropped,
    /// QoS 0 for a client that is away.
    NotStored,
}

/// What a round of sending came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    /// PUBLISH packets written.
    pub publishes: u64,
    /// Of these, how many were sent before.
    pub resent: u64,
    /// Messages dropped: expired, or larger than the client takes.
    pub dropped: u64,
    /// When to look again, if not before.
    pub again: Option<Instant>,
    /// Whether the budget ended it: look again at once.
    pub more: bool,
}

impl Session {
    pub fn new() -> Self {
        Self {
            subscriptions: BTreeMap::new(),
            expiry_secs: 0,
            link: None,
            expires: None,
            will: None,
            will_due: None,
            received_qos2: HashSet::new(),
            queue: VecDeque::new(),
            queued_bytes: 0,
            in_flight: VecDeque::new(),
            unsent: 0,
            last_packet_id: 0,
        }
    }

    /// Messages that wait, and messages that are not acknowledged.
    pub fn backlog(&self) -> (usize, usize) {
        (self.queue.len(), self.in_flight.len())
    }

    /// A connection takes the session over; what is not acknowledged is sent again on it.
    pub fn attach(&mut self, mut link: Link, config: &Config, now: Instant) {
        self.unsent = self.in_flight.len();
        let stored = self.queue.len() + self.in_flight.len();
        link.replay = config
            .quotas
            .replays_per_second
            .filter(|_| stored > 0)
            .map(|rate| Replay { left: stored, rate: Rate::new(rate, now) });
        self.link = Some(link);
        self.expires = None;
    }

    /// Puts a message into the queue and wakes the connection.
    pub fn offer(&mut self, delivery: Delivery, config: &Config) -> Offered {
        if self.link.is_none() && delivery.qos == 0 {
            return Offered::NotStored;
        }
        let bytes = delivery.message.payload.len();
        if self.queue.len() >= config.limits.queued_messages
            || self.queued_bytes + bytes > config.limits.queued_bytes
        {
            return Offered::Dropped;
        }
        self.queued_bytes += bytes;
        self.queue.push_back(delivery);
        if let Some(link) = &self.link {
            link.reach.wake.notify_one();
        }
        Offered::Queued
    }

    /// Writes what may be sent now into `out`, up to about `budget` bytes.
    pub fn collect(&mut self, out: &mut BytesMut, budget: usize, config: &Config, now: Instant) -> Collected {
        let mut collected = Collected::default();
        let Some(link) = &mut self.link else {
            return collected;
        };
        let enough = out.len() + budget;

        if let Some(after) = config.delivery.resend_after {
            let sent = self.in_flight.len() - self.unsent;
            for entry in self.in_flight.iter_mut().take(sent) {
                if entry.sent + after <= now {
                    entry.sent = now;
                    resend(entry, link, false, out, now, &mut collected);
                }
                let next = entry.sent + after;
                collected.again = Some(collected.again.map_or(next, |again| again.min(next)));
            }
        }

        while self.unsent > 0 || !self.queue.is_empty() {
            if out.len() >= enough {
                collected.more = true;
                return collected;
            }
            let acknowledged = self.unsent > 0 || self.queue.front().is_some_and(|next| next.qos > 0);
            if acknowledged && link.under_way >= link.window {
                return collected;
            }
            if let Some(replay) = &mut link.replay
                && !replay.rate.take(1.0, now)
            {
                let next = replay.rate.when(1.0);
                collected.again = Some(collected.again.map_or(next, |again| again.min(next)));
                return collected;
            }
            link.replay = link.replay.take().and_then(|mut replay| {
                replay.left -= 1;
                (replay.left > 0).then_some(replay)
            });

            if self.unsent > 0 {
                let index = self.in_flight.len() - self.unsent;
                self.unsent -= 1;
                link.under_way += 1;
                let entry = &mut self.in_flight[index];
                entry.sent = now;
                if !resend(entry, link, config.delivery.set_dup, out, now, &mut collected) {
                    // This connection takes no packet of that size, the one before did.
                    self.in_flight.remove(index);
                    link.under_way -= 1;
                    collected.dropped += 1;
                }
                continue;
            }

            let Some(delivery) = self.queue.pop_front() else {
                break;
            };
            self.queued_bytes -= delivery.message.payload.len();
            if delivery.message.expired(now) {
                collected.dropped += 1;
                continue;
            }
            let packet_id =
                (delivery.qos > 0).then(|| next_packet_id(&mut self.last_packet_id, &self.in_flight));
            if packet_id == Some(None) {
                // All 65,535 identifiers are in use, which no receive maximum allows.
                self.queued_bytes += delivery.message.payload.len();
                self.queue.push_front(delivery);
                return collected;
            }
            let packet_id = packet_id.flatten();
            if !link.write(&delivery, packet_id, false, out, now) {
                collected.dropped += 1;
                continue;
            }
            collected.publishes += 1;
            if let Some(packet_id) = packet_id {
                link.under_way += 1;
                self.in_flight.push_back(InFlight { packet_id, stage: Stage::Publish(delivery), sent: now });
                if let Some(after) = config.delivery.resend_after {
                    let next = now + after;
                    collected.again = Some(collected.again.map_or(next, |again| again.min(next)));
                }
            }
        }
        collected
    }

    /// PUBACK, PUBCOMP, or a PUBREC that refuses. Whether it belonged to a message.
    pub fn acknowledged(&mut self, packet_id: u16) -> bool {
        let Some(index) = self.position(packet_id) else {
            return false;
        };
        self.in_flight.remove(index);
        if index >= self.in_flight.len() + 1 - self.unsent {
            self.unsent -= 1;
        } else if let Some(link) = &mut self.link {
            link.under_way = link.under_way.saturating_sub(1);
            link.reach.wake.notify_one();
        }
        true
    }

    /// PUBREC. Whether it belonged to a message.
    pub fn received(&mut self, packet_id: u16) -> bool {
        let Some(index) = self.position(packet_id) else {
            return false;
        };
        self.in_flight[index].stage = Stage::Release;
        true
    }

    fn position(&self, packet_id: u16) -> Option<usize> {
        self.in_flight.iter().position(|entry| entry.packet_id == packet_id)
    }

    /// Whether the session goes on without a connection.
    pub fn outlives_connection(&self) -> bool {
        self.expiry_secs > 0
    }

    /// How long it goes on; `None` is for ever.
    pub fn lifetime(&self) -> Option<Duration> {
        (self.expiry_secs != u32::MAX).then(|| Duration::from_secs(self.expiry_secs.into()))
    }

    /// How a message is delivered to this session by its own subscriptions: one copy, with the highest QoS and
    /// all subscription identifiers of those that match.
    pub fn delivery(&self, message: &Arc<Message>, own: bool) -> Option<Delivery> {
        let mut found: Option<Delivery> = None;
        for (filter, subscription) in &self.subscriptions {
            if filter.starts_with("$share/")
                || own && subscription.no_local
                || !crate::topic::matches(filter, &message.topic)
            {
                continue;
            }
            let delivery = found.get_or_insert_with(|| Delivery {
                message: message.clone(),
                qos: 0,
                retain: false,
                subscription_ids: Vec::new(),
            });
            delivery.qos = delivery.qos.max(subscription.qos.min(message.qos));
            delivery.retain |= subscription.retain_as_published && message.retain;
            delivery.subscription_ids.extend(subscription.id);
        }
        found
    }
}

fn next_packet_id(last: &mut u16, in_flight: &VecDeque<InFlight>) -> Option<u16> {
    if in_flight.len() >= usize::from(u16::MAX) {
        return None;
    }
    loop {
        *last = last.checked_add(1).unwrap_or(1);
        if !in_flight.iter().any(|entry| entry.packet_id == *last) {
            return Some(*last);
        }
    }
}

fn resend(
    entry: &InFlight,
    link: &mut Link,
    dup: bool,
    out: &mut BytesMut,
    now: Instant,
    collected: &mut Collected,
) -> bool {
    let Stage::Publish(delivery) = &entry.stage else {
        reply::acknowledgement(out, reply::kind::PUBREL, entry.packet_id, 0);
        return true;
    };
    let written = link.write(delivery, Some(entry.packet_id), dup, out, now);
    collected.publishes += u64::from(written);
    collected.resent += u64::from(written);
    written
}
