//! The broker: sessions, routing, retained messages and wills. It knows no socket; time comes in as an argument.

mod groups;
pub(crate) mod link;
pub(crate) mod message;
mod retained;
pub(crate) mod session;
pub(crate) mod will;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::BytesMut;
use mqtt_protocol_core::mqtt::packet::RetainHandling;
use tokio::time::Instant;

use crate::config::Config;
use groups::Groups;
use link::Link;
use message::{Delivery, Message};
use retained::Retained;
use session::{Collected, Offered, Session, Subscription};
use will::Will;

pub(crate) struct Broker {
    config: Arc<Config>,
    sessions: BTreeMap<String, Session>,
    groups: Groups,
    retained: Retained,
    last_link: u64,
    /// Messages that were dropped: queue full, expired, or larger than the client takes.
    pub dropped: u64,
    /// Acknowledgements of messages that nobody sent.
    pub unexpected_acknowledgements: u64,
}

/// What a CONNECT asks of the broker.
pub(crate) struct Attach {
    pub clean_start: bool,
    pub expiry_secs: u32,
    pub will: Option<Will>,
    pub link: Link,
}

/// How a connection came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// DISCONNECT 0: the will is forgotten.
    Normal,
    /// Anything else: the will is published.
    Abnormal,
}

impl Broker {
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            config,
            sessions: BTreeMap::new(),
            groups: Groups::default(),
            retained: Retained::default(),
            last_link: 0,
            dropped: 0,
            unexpected_acknowledgements: 0,
        }
    }

    pub fn next_link(&mut self) -> u64 {
        self.last_link += 1;
        self.last_link
    }

    /// Opens or resumes a session for a connection, which takes it over from an older one. Whether there was one.
    pub fn attach(&mut self, client_id: &str, attach: Attach, now: Instant) -> bool {
        if let Some(old) = self.sessions.get_mut(client_id).and_then(|session| session.link.take()) {
            old.reach.end.send_replace(Some(self.config.takeover_end));
            self.settle_will_at_takeover(client_id, attach.clean_start, now);
            self.end_unless_it_outlives(client_id, now);
        }
        let ended = |session: &Session| session.expires.is_some_and(|expires| expires <= now);
        if attach.clean_start || self.sessions.get(client_id).is_some_and(ended) {
            self.end_session(client_id, now);
        }
        let present = self.sessions.contains_key(client_id);
        let session = self.sessions.entry(client_id.to_owned()).or_insert_with(Session::new);
        session.expiry_secs = attach.expiry_secs;
        session.will = attach.will;
        session.will_due = None;
        session.attach(attach.link, &self.config, now);
        present
    }

    /// The old connection's will, when a new one takes the session over: it is kept back only where the session
    /// goes on and a delay was asked for ([MQTT-3.1.4-3] and 3.1.2.5).
    fn settle_will_at_takeover(&mut self, client_id: &str, clean_start: bool, now: Instant) {
        let Some(session) = self.sessions.get_mut(client_id) else {
            return;
        };
        let goes_on = !clean_start && session.outlives_connection();
        if let Some(will) = session.will.take()
            && !(goes_on && will.delay_secs > 0)
        {
            self.publish(None, will.into_message(now), now);
        }
    }

    fn end_unless_it_outlives(&mut self, client_id: &str, now: Instant) {
        if self.sessions.get(client_id).is_some_and(|session| !session.outlives_connection()) {
            self.end_session(client_id, now);
        }
    }

    /// Whether `link` is the connection that uses the session.
    pub fn is_current(&self, client_id: &str, link: u64) -> bool {
        self.link(client_id).is_some_and(|current| current.id == link)
    }

    /// The connection that uses a session.
    pub fn link(&self, client_id: &str) -> Option<&Link> {
        self.sessions.get(client_id)?.link.as_ref()
    }

    /// The session of a connection, unless another one took it over.
    fn current(&mut self, client_id: &str, link: u64) -> Option<&mut Session> {
        let session = self.sessions.get_mut(client_id)?;
        session.link.as_ref().is_some_and(|current| current.id == link).then_some(session)
    }

    /// A connection is gone. `expiry_secs` is what DISCONNECT asked for, if it did.
    pub fn detach(
        &mut self,
        client_id: &str,
        link: u64,
        ending: Ending,
        expiry_secs: Option<u32>,
        now: Instant,
    ) {
        let Some(session) = self.current(client_id, link) else {
            return;
        };
        session.link = None;
        if let Some(secs) = expiry_secs {
            session.expiry_secs = secs;
        }
        let outlives = session.outlives_connection();
        session.expires = session.lifetime().map(|lifetime| now + lifetime);
        match (ending, session.will.take()) {
            (Ending::Abnormal, Some(will)) if outlives && will.delay_secs > 0 => {
                session.will_due = Some(now + will.delay());
                session.will = Some(will);
            }
            (Ending::Abnormal, Some(will)) => {
                self.publish(None, will.into_message(now), now);
            }
            _ => {}
        }
        self.end_unless_it_outlives(client_id, now);
    }

    /// Forgets a session; a will that still waited is published ([MQTT-3.1.3-9] knows no other chance).
    pub fn end_session(&mut self, client_id: &str, now: Instant) -> bool {
        let Some(session) = self.sessions.remove(client_id) else {
            return false;
        };
        self.groups.leave_all(client_id);
        if let Some(will) = session.will.filter(|_| session.will_due.is_some()) {
            self.publish(None, will.into_message(now), now);
        }
        true
    }

    /// Ends sessions and publishes wills whose time has come; tells when it must be called again.
    pub fn housekeeping(&mut self, now: Instant) -> Option<Instant> {
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        let due: Vec<String> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.link.is_none())
            .filter(|(_, session)| is_due(session.expires) || is_due(session.will_due))
            .map(|(client_id, _)| client_id.clone())
            .collect();
        for client_id in due {
            let Some(session) = self.sessions.get_mut(&client_id) else {
                continue;
            };
            if is_due(session.expires) {
                self.end_session(&client_id, now);
            } else if let Some(will) = session.will.take() {
                session.will_due = None;
                self.publish(None, will.into_message(now), now);
            }
        }
        self.sessions
            .values()
            .filter(|session| session.link.is_none())
            .flat_map(|session| [session.expires, session.will_due])
            .flatten()
            .min()
    }

    /// Routes a message. `from` is the client that sent it.
    pub fn publish(&mut self, from: Option<&str>, message: Arc<Message>, now: Instant) {
        if message.retain {
            self.retained.store(&message);
        }
        if message.expired(now) {
            return;
        }
        for (client_id, session) in &mut self.sessions {
            if let Some(delivery) = session.delivery(&message, from == Some(client_id)) {
                count_dropped(&mut self.dropped, session.offer(delivery, &self.config));
            }
        }
        for (client_id, filter) in self.groups.choose(&message.topic, &self.sessions) {
            let Some(session) = self.sessions.get_mut(&client_id) else {
                continue;
            };
            let Some(subscription) = session.subscriptions.get(&filter).copied() else {
                continue;
            };
            let delivery = Delivery {
                qos: subscription.qos.min(message.qos),
                retain: subscription.retain_as_published && message.retain,
                subscription_ids: subscription.id.into_iter().collect(),
                message: message.clone(),
            };
            count_dropped(&mut self.dropped, session.offer(delivery, &self.config));
        }
    }

    /// A QoS 2 PUBLISH came from the client. Whether it is the first time.
    pub fn receive_qos2(&mut self, client_id: &str, link: u64, packet_id: u16) -> bool {
        self.current(client_id, link).is_some_and(|session| session.received_qos2.insert(packet_id))
    }

    /// A PUBREL came from the client. Whether there was something to release.
    pub fn release_qos2(&mut self, client_id: &str, link: u64, packet_id: u16) -> bool {
        self.current(client_id, link).is_some_and(|session| session.received_qos2.remove(&packet_id))
    }

    /// Adds or replaces a subscription and queues retained messages for it. `None` if there may be no more.
    pub fn subscribe(
        &mut self,
        client_id: &str,
        link: u64,
        filter: &str,
        subscription: Subscription,
        now: Instant,
    ) -> Option<()> {
        let most = self.config.limits.subscriptions;
        let session = self.current(client_id, link)?;
        let known = session.subscriptions.contains_key(filter);
        if !known && most.is_some_and(|most| session.subscriptions.len() >= most) {
            return None;
        }
        session.subscriptions.insert(filter.to_owned(), subscription);
        if let Some(Some((_group, inner))) = crate::topic::shared(filter) {
            self.groups.join(filter, inner, client_id);
            return Some(());
        }
        let wanted = match subscription.retain_handling {
            RetainHandling::SendRetained => true,
            RetainHandling::SendRetainedIfNotExists => !known,
            RetainHandling::DoNotSendRetained => false,
        };
        if wanted {
            for message in self.retained.matching(filter, now) {
                let delivery = Delivery {
                    qos: subscription.qos.min(message.qos),
                    retain: true,
                    subscription_ids: subscription.id.into_iter().collect(),
                    message,
                };
                if let Some(session) = self.sessions.get_mut(client_id) {
                    count_dropped(&mut self.dropped, session.offer(delivery, &self.config));
                }
            }
        }
        Some(())
    }

    /// Removes a subscription. Whether there was one.
    pub fn unsubscribe(&mut self, client_id: &str, link: u64, filter: &str) -> bool {
        let existed = self
            .current(client_id, link)
            .is_some_and(|session| session.subscriptions.remove(filter).is_some());
        if existed {
            self.groups.leave(filter, client_id);
        }
        existed
    }

    /// Writes what may be sent to a client now.
    pub fn collect(
        &mut self,
        client_id: &str,
        link: u64,
        out: &mut BytesMut,
        budget: usize,
        now: Instant,
    ) -> Collected {
        let config = self.config.clone();
        let collected = self
            .current(client_id, link)
            .map(|session| session.collect(out, budget, &config, now))
            .unwrap_or_default();
        self.dropped += collected.dropped;
        collected
    }

    /// The client acknowledged a message of ours for good.
    pub fn acknowledged(&mut self, client_id: &str, link: u64, packet_id: u16) {
        if let Some(session) = self.current(client_id, link)
            && !session.acknowledged(packet_id)
        {
            self.unexpected_acknowledgements += 1;
        }
    }

    /// The client received a QoS 2 message of ours. Whether we had sent it.
    pub fn received(&mut self, client_id: &str, link: u64, packet_id: u16) -> bool {
        let known = self.current(client_id, link).is_some_and(|session| session.received(packet_id));
        if !known {
            self.unexpected_acknowledgements += 1;
        }
        known
    }

    pub fn sessions(&self) -> impl Iterator<Item = (&str, &Session)> {
        self.sessions.iter().map(|(client_id, session)| (client_id.as_str(), session))
    }

    pub fn session(&self, client_id: &str) -> Option<&Session> {
        self.sessions.get(client_id)
    }

    /// The retained message of a topic.
    pub fn retained(&self, topic: &str) -> Option<&Arc<Message>> {
        self.retained.get(topic)
    }
}

fn count_dropped(dropped: &mut u64, offered: Offered) {
    *dropped += u64::from(offered == Offered::Dropped);
}
