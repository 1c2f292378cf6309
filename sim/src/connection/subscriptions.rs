//! SUBSCRIBE and UNSUBSCRIBE.

use std::ops::ControlFlow;

use mqtt_protocol_core::mqtt::packet::v5_0::{Subscribe, Unsubscribe};
use mqtt_protocol_core::mqtt::packet::{Property, SubEntry};
use tokio::time::Instant;

use super::socket::Transport;
use super::{Connection, Finish};
use crate::broker::session::Subscription;
use crate::config::ConnectionEnd;
use crate::faults::SubscribeFault;
use crate::packet::qos_number;
use crate::reply::{self, kind};
use crate::topic;
use crate::violation::{Violation, reason};

impl<S: Transport> Connection<S> {
    pub(super) fn subscribe(&mut self, subscribe: &Subscribe, now: Instant) -> ControlFlow<Finish> {
        self.shared.count(|stats| stats.subscribes_received += 1);
        let config = self.shared.config.clone();
        let id = subscribe.props().iter().find_map(|property| match property {
            Property::SubscriptionIdentifier(id) => Some(id.val()),
            _ => None,
        });
        if id.is_some() && config.connack.subscription_identifiers_available == Some(false) {
            return self.violation(Violation::new(
                reason::SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED,
                "SUBSCRIBE with an identifier, which CONNACK excluded",
            ));
        }
        let fault = self.shared.faults().subscribes.fire();
        let entries = subscribe.entries();
        let too_many = config.limits.filters_per_subscribe.is_some_and(|most| entries.len() > most);
        let codes: Vec<u8> = match fault {
            Some(SubscribeFault::Close) => {
                return ControlFlow::Break(Finish::End(ConnectionEnd::Close));
            }
            Some(SubscribeFault::Refuse(code)) => vec![code; entries.len()],
            _ if too_many => {
                self.shared.count(|stats| stats.limit_refusals += 1);
                vec![reason::QUOTA_EXCEEDED; entries.len()]
            }
            _ => entries.iter().map(|entry| self.subscribe_one(entry, id, now)).collect(),
        };
        if fault != Some(SubscribeFault::DropAcknowledgement) {
            reply::codes(&mut self.socket.output, kind::SUBACK, subscribe.packet_id(), &codes);
        }
        self.shared.changed();
        ControlFlow::Continue(())
    }

    /// Subscribes to one filter; the reason code for SUBACK.
    fn subscribe_one(&self, entry: &SubEntry, id: Option<u32>, now: Instant) -> u8 {
        let config = &self.shared.config;
        let whole = entry.topic_filter();
        let filter = match topic::shared(whole) {
            None => whole,
            Some(_) if config.connack.shared_available == Some(false) => {
                return reason::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
            }
            Some(Some((_group, filter))) => filter,
            Some(None) => "",
        };
        if !topic::is_filter(filter) {
            let violation = Violation::new(
                reason::TOPIC_FILTER_INVALID,
                format!("SUBSCRIBE to malformed filter {whole:?}"),
            );
            self.shared.violation(&self.client_id, &violation);
            return violation.code;
        }
        if topic::has_wildcard(filter) && config.connack.wildcard_available == Some(false) {
            return reason::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED;
        }
        if !config.limits.allow_topic(filter) {
            self.shared.count(|stats| stats.limit_refusals += 1);
            return reason::TOPIC_FILTER_INVALID;
        }
        let mut denied = config.denied_topics.iter().chain(&config.policy.deny_subscribe);
        if denied.any(|denied| denied == filter || topic::matches(denied, filter)) {
            return reason::NOT_AUTHORIZED;
        }
        let options = entry.sub_opts();
        let subscription = Subscription {
            qos: qos_number(options.qos()).min(config.connack.highest_qos()),
            no_local: options.nl(),
            retain_as_published: options.rap(),
            retain_handling: options.rh(),
            id,
        };
        let granted = self.shared.broker().subscribe(&self.client_id, self.link, whole, subscription, now);
        if granted.is_none() {
            self.shared.count(|stats| stats.limit_refusals += 1);
            return reason::QUOTA_EXCEEDED;
        }
        subscription.qos
    }

    pub(super) fn unsubscribe(&mut self, unsubscribe: &Unsubscribe) -> ControlFlow<Finish> {
        self.shared.count(|stats| stats.unsubscribes_received += 1);
        let fault = self.shared.faults().subscribes.fire();
        let filters = unsubscribe.entries();
        let codes: Vec<u8> = match fault {
            Some(SubscribeFault::Close) => {
                return ControlFlow::Break(Finish::End(ConnectionEnd::Close));
            }
            Some(SubscribeFault::Refuse(code)) => vec![code; filters.len()],
            _ => {
                let mut broker = self.shared.broker();
                let mut remove = |filter: &str| broker.unsubscribe(&self.client_id, self.link, filter);
                let code = |existed| {
                    if existed { reason::SUCCESS } else { reason::NO_SUBSCRIPTION_EXISTED }
                };
                filters.iter().map(|filter| code(remove(filter.as_str()))).collect()
            }
        };
        if fault != Some(SubscribeFault::DropAcknowledgement) {
            reply::codes(&mut self.socket.output, kind::UNSUBACK, unsubscribe.packet_id(), &codes);
        }
        self.shared.changed();
        ControlFlow::Continue(())
    }
}
