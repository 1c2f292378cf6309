//! What a connected client sends.

use std::ops::ControlFlow;
use std::sync::Arc;

use mqtt_protocol_core::mqtt::packet::Property;
use mqtt_protocol_core::mqtt::packet::v5_0::{Disconnect, Publish, Pubrec};
use tokio::time::Instant;

use super::socket::Transport;
use super::{Connection, Finish};
use crate::broker::Ending;
use crate::broker::message::Message;
use crate::config::{ConnectionEnd, Refusal};
use crate::faults::PublishFault;
use crate::journal::{AcknowledgementKind, AcknowledgementRecord, PublishRecord};
use crate::packet::{Incoming, qos_number};
use crate::reply::{self, kind};
use crate::topic;
use crate::violation::{Violation, reason};

impl<S: Transport> Connection<S> {
    pub(super) fn handle(&mut self, packet: Incoming, now: Instant) -> ControlFlow<Finish> {
        let qos2 = self.shared.config.connack.highest_qos() == 2;
        self.note_acknowledgement(&packet);
        match packet {
            Incoming::Connect(_) => self.violation(Violation::protocol("a second CONNECT [MQTT-3.1.0-2]")),
            Incoming::Publish(publish) => self.publish(&publish, now),
            Incoming::Puback(puback) => {
                let flow = self.acknowledged(puback.packet_id());
                self.shared.count(|stats| stats.pubacks_received += 1);
                flow
            }
            Incoming::Pubrec(pubrec) if qos2 => self.pubrec(&pubrec),
            Incoming::Pubcomp(pubcomp) if qos2 => self.acknowledged(pubcomp.packet_id()),
            Incoming::Pubrel(pubrel) if qos2 => self.pubrel(pubrel.packet_id()),
            Incoming::Pubrec(_) | Incoming::Pubcomp(_) | Incoming::Pubrel(_) => {
                self.violation(Violation::protocol("a packet of QoS 2, which CONNACK excluded"))
            }
            Incoming::Subscribe(subscribe) => self.subscribe(&subscribe, now),
            Incoming::Unsubscribe(unsubscribe) => self.unsubscribe(&unsubscribe),
            Incoming::Pingreq => {
                self.shared.count(|stats| stats.pings_received += 1);
                self.socket.output.extend_from_slice(&reply::PINGRESP);
                ControlFlow::Continue(())
            }
            Incoming::Disconnect(disconnect) => self.disconnect(&disconnect),
        }
    }

    fn note_acknowledgement(&self, packet: &Incoming) {
        use AcknowledgementKind::{Puback, Pubcomp, Pubrec, Pubrel};
        let (kind, packet_id, reason) = match packet {
            Incoming::Puback(ack) => (Puback, ack.packet_id(), ack.reason_code().map(|code| code as u8)),
            Incoming::Pubrec(ack) => (Pubrec, ack.packet_id(), ack.reason_code().map(|code| code as u8)),
            Incoming::Pubrel(ack) => (Pubrel, ack.packet_id(), ack.reason_code().map(|code| code as u8)),
            Incoming::Pubcomp(ack) => (Pubcomp, ack.packet_id(), ack.reason_code().map(|code| code as u8)),
            _ => return,
        };
        if self.shared.config.record_publishes {
            let client_id = self.client_id.clone();
            let record = AcknowledgementRecord { client_id, kind, packet_id, reason: reason.unwrap_or(0) };
            self.shared.journal().acknowledgement(record);
        }
    }

    fn acknowledged(&mut self, packet_id: u16) -> ControlFlow<Finish> {
        self.shared.broker().acknowledged(&self.client_id, self.link, packet_id);
        ControlFlow::Continue(())
    }

    fn pubrec(&mut self, pubrec: &Pubrec) -> ControlFlow<Finish> {
        let packet_id = pubrec.packet_id();
        if pubrec.reason_code().is_some_and(|code| code.is_failure()) {
            return self.acknowledged(packet_id);
        }
        let known = self.shared.broker().received(&self.client_id, self.link, packet_id);
        let code = if known { reason::SUCCESS } else { reason::PACKET_IDENTIFIER_NOT_FOUND };
        reply::acknowledgement(&mut self.socket.output, kind::PUBREL, packet_id, code);
        ControlFlow::Continue(())
    }

    fn pubrel(&mut self, packet_id: u16) -> ControlFlow<Finish> {
        let known = self.shared.broker().release_qos2(&self.client_id, self.link, packet_id);
        let code = if known { reason::SUCCESS } else { reason::PACKET_IDENTIFIER_NOT_FOUND };
        self.acknowledge(kind::PUBCOMP, packet_id, code);
        ControlFlow::Continue(())
    }

    fn disconnect(&mut self, disconnect: &Disconnect) -> ControlFlow<Finish> {
        self.shared.count(|stats| stats.disconnects_received += 1);
        let code = disconnect.reason_code().map_or(0, |code| code as u8);
        self.received_code = Some(code);
        let asked = disconnect.props().iter().flatten().find_map(|property| match property {
            Property::SessionExpiryInterval(secs) => Some(secs.val()),
            _ => None,
        });
        if let Some(secs) = asked {
            if secs > 0 && !self.session_goes_on {
                return self.violation(Violation::protocol(
                    "DISCONNECT revives a session that ends with its connection [MQTT-3.1.2-23]",
                ));
            }
            self.new_expiry_secs = Some(secs.min(self.shared.config.session_expiry.maximum_secs));
        }
        let ending = if code == reason::SUCCESS { Ending::Normal } else { Ending::Abnormal };
        ControlFlow::Break(Finish::Told(ending))
    }

    fn publish(&mut self, publish: &Publish, now: Instant) -> ControlFlow<Finish> {
        let topic = match self.topic_name(publish) {
            Ok(topic) => topic,
            Err(violation) => return self.violation(violation),
        };
        let qos = qos_number(publish.qos());
        let record = PublishRecord {
            client_id: self.client_id.clone(),
            topic: topic.clone(),
            qos,
            retain: publish.retain(),
            dup: publish.dup(),
            packet_id: publish.packet_id(),
            topic_alias: alias(publish),
            payload: publish.payload().clone(),
        };
        let keep = self.shared.config.record_publishes;
        self.shared.note(|journal| journal.publish(record, keep));
        if let Err(violation) = self.check_publish(publish, qos) {
            return self.violation(violation);
        }
        if let Some(packet_id) = publish.packet_id() {
            self.unacknowledged.insert(packet_id);
        }
        if self.publish_rate.as_mut().is_some_and(|rate| !rate.take(1.0, now)) {
            self.shared.count(|stats| stats.publishes_discarded += 1);
            return ControlFlow::Continue(());
        }
        let kind = if qos == 2 { kind::PUBREC } else { kind::PUBACK };
        if let Some(refusal) = self.refusal(publish, &topic) {
            self.shared.count(|stats| stats.limit_refusals += 1);
            let Refusal::Connack(code) = refusal else {
                return ControlFlow::Break(Finish::End(ConnectionEnd::Close));
            };
            return match publish.packet_id() {
                Some(packet_id) => {
                    self.acknowledge(kind, packet_id, code);
                    ControlFlow::Continue(())
                }
                // QoS 0 knows no other way to tell it.
                None => ControlFlow::Break(Finish::End(ConnectionEnd::Disconnect(code))),
            };
        }
        let fault = self.shared.faults().publishes.fire();
        let mut code = reason::SUCCESS;
        match fault {
            Some(PublishFault::Discard) => return ControlFlow::Continue(()),
            Some(PublishFault::Refuse(refused)) => code = refused,
            _ if topic::any_matches(&self.shared.config.policy.deny_receive, &topic) => {}
            _ => self.route(publish, topic, now),
        }
        match (fault, publish.packet_id()) {
            (Some(PublishFault::Close), _) => return ControlFlow::Break(Finish::End(ConnectionEnd::Close)),
            (Some(PublishFault::DropAcknowledgement), _) | (_, None) => {}
            (_, Some(packet_id)) => self.acknowledge(kind, packet_id, code),
        }
        ControlFlow::Continue(())
    }

    fn route(&self, publish: &Publish, topic: String, now: Instant) {
        let mut broker = self.shared.broker();
        if !broker.is_current(&self.client_id, self.link) {
            return;
        }
        let again = match publish.packet_id() {
            Some(packet_id) if qos_number(publish.qos()) == 2 => {
                !broker.receive_qos2(&self.client_id, self.link, packet_id)
            }
            _ => false,
        };
        if !again {
            let message = Message::from_publish(publish, topic, now);
            broker.publish(Some(&self.client_id), Arc::new(message), now);
        }
    }

    /// Queues an acknowledgement, and remembers which identifier it frees once it is written.
    fn acknowledge(&mut self, kind: u8, packet_id: u16, code: u8) {
        reply::acknowledgement(&mut self.socket.output, kind, packet_id, code);
        if kind == kind::PUBACK {
            self.shared.count(|stats| stats.pubacks_sent += 1);
        }
        if kind != kind::PUBREC || code >= 128 {
            self.acknowledging.push_back((self.socket.end_of_output(), packet_id));
        }
    }

    /// The topic name, by its alias if it has one (3.3.2.3.4).
    fn topic_name(&mut self, publish: &Publish) -> Result<String, Violation> {
        let name = publish.topic_name();
        let Some(alias) = alias(publish) else {
            return if name.is_empty() {
                Err(Violation::protocol("PUBLISH without a topic and without an alias"))
            } else {
                Ok(name.to_owned())
            };
        };
        let most = self.shared.config.connack.topic_alias_maximum.unwrap_or(0);
        if alias == 0 || alias > most {
            return Err(Violation::new(
                reason::TOPIC_ALIAS_INVALID,
                format!("PUBLISH with topic alias {alias}, the maximum is {most} [MQTT-3.3.2-9]"),
            ));
        }
        if name.is_empty() {
            return self.aliases.get(&alias).cloned().ok_or_else(|| {
                Violation::protocol(format!("PUBLISH with topic alias {alias}, which was never set"))
            });
        }
        self.aliases.insert(alias, name.to_owned());
        Ok(name.to_owned())
    }

    /// What CONNACK forbade.
    fn check_publish(&self, publish: &Publish, qos: u8) -> Result<(), Violation> {
        let told = &self.shared.config.connack;
        if qos > told.highest_qos() {
            let text = format!("PUBLISH of QoS {qos}, the maximum is {}", told.highest_qos());
            return Err(Violation::new(reason::QOS_NOT_SUPPORTED, format!("{text} [MQTT-3.2.2-11]")));
        }
        if publish.retain() && told.retain_available == Some(false) {
            let text = "a retained PUBLISH, which CONNACK excluded [MQTT-3.2.2-14]";
            return Err(Violation::new(reason::RETAIN_NOT_SUPPORTED, text));
        }
        let Some(packet_id) = publish.packet_id() else {
            return Ok(());
        };
        if self.unacknowledged.contains(&packet_id) {
            return Err(Violation::protocol(format!(
                "PUBLISH with packet identifier {packet_id}, which is in use [MQTT-2.2.1-4]"
            )));
        }
        let most = usize::from(told.receive_maximum.unwrap_or(u16::MAX));
        if self.unacknowledged.len() >= most {
            let text = format!("more than {most} unacknowledged PUBLISH packets [MQTT-3.3.4-7]");
            return Err(Violation::new(reason::RECEIVE_MAXIMUM_EXCEEDED, text));
        }
        Ok(())
    }

    /// What an AWS limit or policy that forbids this message answers.
    fn refusal(&self, publish: &Publish, topic: &str) -> Option<Refusal> {
        let config = &self.shared.config;
        if !config.limits.allow_topic(topic) {
            return Some(Refusal::Connack(reason::TOPIC_NAME_INVALID));
        }
        if config.limits.payload_bytes.is_some_and(|most| publish.payload().len() > most) {
            return Some(Refusal::Connack(reason::QUOTA_EXCEEDED));
        }
        if topic::any_matches(&config.policy.deny_publish, topic) {
            return Some(config.policy.publish_refusal);
        }
        topic::any_matches(&config.denied_topics, topic).then_some(Refusal::Connack(reason::NOT_AUTHORIZED))
    }
}

fn alias(publish: &Publish) -> Option<u16> {
    publish.props.iter().find_map(|property| match property {
        Property::TopicAlias(alias) => Some(alias.val()),
        _ => None,
    })
}
