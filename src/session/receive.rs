//! What the server sends, packet by packet.

use super::incoming::Verdict;
use super::outgoing::Kind;
use super::subscriptions::{Released, Request};
use super::{Actions, Session, refusal};
use crate::completion::Ack as Outcome;
use crate::packet::{Ack, AckKind, Frame, Malformed, Publish, ReasonCode, Received, decode, frame, trace};
use crate::{Error, ErrorKind, QoS};
use std::ops::Range;
use std::time::Instant;

impl Session {
    /// Takes in bytes that came from the server and says how many it used up: whole packets, as long as the
    /// connection may go on.
    pub fn receive(&mut self, bytes: &[u8], now: Instant, actions: &mut Actions) -> usize {
        let used = self.take_in(bytes, now, actions);
        actions.messages.copy_from(bytes);
        used
    }

    /// The same with the first bytes of a buffer, and takes it instead of copying the messages that are in it, where it is
    /// full of them. What was not used up goes into `rest`.
    pub fn receive_buffer(
        &mut self,
        buffer: &mut Vec<u8>,
        filled: usize,
        rest: &mut Vec<u8>,
        now: Instant,
        actions: &mut Actions,
    ) {
        let used = self.take_in(&buffer[..filled], now, actions);
        rest.clear();
        rest.extend_from_slice(&buffer[used..filled]);
        actions.messages.take_from(buffer);
    }

    fn take_in(&mut self, bytes: &[u8], now: Instant, actions: &mut Actions) -> usize {
        let mut used = 0;
        while actions.end.is_none() {
            let step = match frame(&bytes[used..], self.settings.max_incoming_packet) {
                Ok(None) => break,
                Ok(Some(frame)) => {
                    let start = used;
                    used += frame.len;
                    trace::received(&bytes[start..used]);
                    self.packet(&frame, start, now, actions)
                }
                Err(malformed) => Err(malformed),
            };
            if let Err(malformed) = step {
                self.malformed(&malformed, actions);
            }
        }
        if used > 0 {
            if let Some(connection) = &mut self.connection {
                connection.keep_alive.received(now);
            }
            self.acknowledge(actions);
            self.pump(now, actions);
        }
        used
    }

    /// Takes in what still comes over a connection whose session another one has taken over, and says how many bytes
    /// it used up; `None` where the server broke the protocol, so that nothing behind can be understood. QoS 0 messages
    /// are delivered; those of QoS 1 and 2 only where the server will not send them again (`session_present` false), and
    /// nothing is acknowledged there.
    pub fn receive_stray(
        &mut self,
        bytes: &[u8],
        session_present: bool,
        actions: &mut Actions,
    ) -> Option<usize> {
        let mut used = 0;
        let understood = loop {
            let frame = match frame(&bytes[used..], self.settings.max_incoming_packet) {
                Ok(Some(frame)) => frame,
                Ok(None) => break true,
                // Nobody is left to tell.
                Err(_) => break false,
            };
            let start = used;
            used += frame.len;
            trace::received(&bytes[start..used]);
            match decode(&frame) {
                Ok(Received::Publish(publish)) if publish.alias.is_none() => {
                    if publish.qos == QoS::AtMostOnce || !session_present {
                        deliver(&publish, start..used, 0, actions);
                    }
                }
                Ok(_) => {}
                Err(_) => break false,
            }
        };
        actions.messages.copy_from(bytes);
        understood.then_some(used)
    }

    fn packet(
        &mut self,
        frame: &Frame<'_>,
        start: usize,
        now: Instant,
        actions: &mut Actions,
    ) -> Result<(), Malformed> {
        match decode(frame)? {
            Received::Publish(publish) => self.receive_publish(&publish, start..start + frame.len, actions),
            Received::Ack(ack) => self.receive_ack(&ack, now, actions),
            Received::SubAck(suback) => {
                self.receive_suback(suback.id, suback.codes, suback.reason_string, now, actions)
            }
            Received::UnsubAck(unsuback) => {
                self.receive_unsuback(unsuback.id, unsuback.codes, unsuback.reason_string, now, actions)
            }
            Received::PingResp => {
                if let Some(connection) = &mut self.connection {
                    connection.pongs += 1;
                }
                Ok(())
            }
            Received::Disconnect(disconnect) => {
                self.blame(disconnect.reason);
                let error = refusal::disconnect(
                    disconnect.reason,
                    disconnect.reason_string,
                    disconnect.server_reference,
                );
                actions.end = Some(error);
                Ok(())
            }
            Received::ConnAck(_) => Err(violation("a second CONNACK [MQTT-3.2.0-2]")),
            Received::Auth => Err(violation("AUTH without an authentication method [MQTT-4.12.0-6]")),
        }
    }

    fn receive_publish(
        &mut self,
        publish: &Publish<'_>,
        packet: Range<usize>,
        actions: &mut Actions,
    ) -> Result<(), Malformed> {
        if publish.alias.is_some() {
            // Our topic alias maximum is 0.
            return Err(broken(ReasonCode(0x94), "a topic alias, and we allow none [MQTT-3.3.2-9]"));
        }
        let number = match publish.qos {
            QoS::AtMostOnce => 0,
            qos => match self.incoming.publish(publish.id, qos == QoS::ExactlyOnce, publish.dup) {
                Verdict::Deliver(number) => number,
                Verdict::Duplicate => return Ok(()),
                Verdict::TooMany => {
                    let message =
                        "sixteen times as many unacknowledged messages as our receive maximum [MQTT-3.3.4-9]";
                    return Err(broken(ReasonCode(0x93), message));
                }
            },
        };
        deliver(publish, packet, number, actions);
        Ok(())
    }

    fn receive_ack(&mut self, ack: &Ack<'_>, now: Instant, actions: &mut Actions) -> Result<(), Malformed> {
        if ack.kind == AckKind::PubRel {
            let known = self.incoming.released(ack.id);
            let reason = if known { ReasonCode(0) } else { ReasonCode(0x92) };
            self.send_ack(AckKind::PubComp, ack.id, reason, actions);
            return Ok(());
        }
        let Some(operation) = self.operations.get_mut(ack.id) else {
            // Of a session that one side has forgotten; only PUBREC wants an answer [MQTT-4.3.3].
            if ack.kind == AckKind::PubRec && !ack.reason.is_error() {
                self.send_ack(AckKind::PubRel, ack.id, ReasonCode(0x92), actions);
            }
            return Ok(());
        };
        let Kind::Publish(in_flight) = &mut operation.kind else {
            return Err(violation("an acknowledgement of a PUBLISH for a SUBSCRIBE's identifier"));
        };
        let exactly_once = in_flight.publish.stored.qos() == QoS::ExactlyOnce;
        if exactly_once != (ack.kind != AckKind::PubAck) {
            return Err(violation("an acknowledgement that does not belong to the message's QoS"));
        }
        if ack.kind == AckKind::PubRec && !ack.reason.is_error() {
            in_flight.received = Some(ack.reason);
            self.send_ack(AckKind::PubRel, ack.id, ReasonCode(0), actions);
            return Ok(());
        }
        let round_trip = operation.written_at.map(|at| now.saturating_duration_since(at));
        let result = if ack.reason.is_error() && ack.kind != AckKind::PubComp {
            Err(refusal::operation(name(ack.kind), ack.reason, ack.reason_string))
        } else {
            Ok(())
        };
        // PUBREC tells what became of the message, PUBCOMP only that the hand-shake is over [MQTT-3.5.2.1].
        let told = in_flight.received.unwrap_or(ack.reason);
        let outcome = Outcome { result, reason_code: Some(told.0), round_trip };
        self.end_operation(ack.id, outcome, actions);
        Ok(())
    }

    fn receive_suback(
        &mut self,
        id: u16,
        codes: &[u8],
        text: Option<&str>,
        now: Instant,
        actions: &mut Actions,
    ) -> Result<(), Malformed> {
        let Some(operation) = self.operations.get_mut(id) else { return Ok(()) };
        let Kind::Request(Request::Subscribe { filters, restoring, .. }) = &mut operation.kind else {
            return Err(violation("a SUBACK for an identifier that no SUBSCRIBE has"));
        };
        if filters.len() != codes.len() {
            return Err(violation(
                "a SUBACK with another number of reason codes than topic filters [MQTT-3.8.4-6]",
            ));
        }
        let (filters, restoring) = (std::mem::take(filters), *restoring);
        let round_trip = operation.written_at.map(|at| now.saturating_duration_since(at));
        let mut refused = None;
        for (wanted, code) in filters.into_iter().zip(codes) {
            let reason = ReasonCode(*code);
            if !reason.is_error() {
                if !restoring {
                    actions.released.push(Released::below(wanted.filter.clone(), wanted.handler));
                }
                self.subscriptions.granted(wanted);
                continue;
            }
            let error = refusal::operation(&format!("SUBACK for '{}'", wanted.filter), reason, text);
            if restoring {
                actions.refused.push((wanted.filter.clone(), error));
                self.subscriptions.declined(wanted);
                continue;
            }
            refused.get_or_insert(error);
            actions.released.push(Released::own(wanted));
        }
        let reason_code = refused.as_ref().and_then(Error::reason_code).or(codes.first().copied());
        let result = refused.map_or(Ok(()), Err);
        self.end_operation(id, Outcome { result, reason_code, round_trip }, actions);
        Ok(())
    }

    fn receive_unsuback(
        &mut self,
        id: u16,
        codes: &[u8],
        text: Option<&str>,
        now: Instant,
        actions: &mut Actions,
    ) -> Result<(), Malformed> {
        let Some(operation) = self.operations.get_mut(id) else { return Ok(()) };
        let Kind::Request(Request::Unsubscribe { filter, below, .. }) = &operation.kind else {
            return Err(violation("an UNSUBACK for an identifier that no UNSUBSCRIBE has"));
        };
        let &[code] = codes else {
            return Err(violation(
                "an UNSUBACK with another number of reason codes than topic filters [MQTT-3.10.4-5]",
            ));
        };
        let reason = ReasonCode(code);
        let round_trip = operation.written_at.map(|at| now.saturating_duration_since(at));
        let result = if reason.is_error() {
            Err(refusal::operation("UNSUBACK", reason, text))
        } else {
            self.subscriptions.given_back(filter, *below);
            actions.released.push(Released::below(filter.clone(), *below));
            Ok(())
        };
        self.end_operation(id, Outcome { result, reason_code: Some(code), round_trip }, actions);
        Ok(())
    }

    /// Sends the acknowledgements whose turn it is.
    pub(super) fn acknowledge(&mut self, actions: &mut Actions) {
        if self.talking(actions).is_none() {
            return;
        }
        while let Some(due) = self.incoming.next_due() {
            let kind = if due.exactly_once { AckKind::PubRec } else { AckKind::PubAck };
            self.send_ack(kind, due.id, ReasonCode(0), actions);
        }
    }

    fn send_ack(&mut self, kind: AckKind, id: u16, reason: ReasonCode, actions: &mut Actions) {
        if let Some(connection) = &mut self.connection {
            connection.append(actions, |out| kind.write(id, reason, out));
        }
    }

    fn malformed(&mut self, malformed: &Malformed, actions: &mut Actions) {
        let kind = match malformed.reason.0 {
            0x95 => ErrorKind::IncomingTooLarge,
            _ => ErrorKind::Protocol,
        };
        let error = Error::new(kind, format!("the server broke the protocol: {malformed}"))
            .with_reason(malformed.reason.0);
        self.violated(malformed.reason, error, actions);
    }
}

/// Under the number that its handling is reported with.
fn deliver(publish: &Publish<'_>, packet: Range<usize>, number: u64, actions: &mut Actions) {
    tracing::debug!(
        topic = publish.topic,
        qos = publish.qos as u8,
        retain = publish.retain,
        payload_bytes = publish.payload.len(),
        "message received"
    );
    actions.tally.received += 1;
    actions.tally.received_bytes += publish.payload.len() as u64;
    actions.messages.note(packet, number);
}

fn name(kind: AckKind) -> &'static str {
    match kind {
        AckKind::PubAck => "PUBACK",
        AckKind::PubRec => "PUBREC",
        AckKind::PubRel => "PUBREL",
        AckKind::PubComp => "PUBCOMP",
    }
}

fn violation(message: &'static str) -> Malformed {
    broken(ReasonCode(0x82), message)
}

fn broken(reason: ReasonCode, message: &'static str) -> Malformed {
    Malformed { reason, message, property: None }
}
