//! From one connection to the next: what was under way is taken back, and sent again in order.

use super::outgoing::{CHANCES, Kind, Operation, Place, Unwritten, What, abandoned, remaining_expiry, tell};
use super::subscriptions::Request;
use super::{Actions, Session, refusal};
use crate::completion::{Ack, Completion};
use crate::packet::{AckKind, Alias, Header, ReasonCode};
use crate::{Error, ErrorKind, QoS};
use std::collections::VecDeque;
use std::time::Instant;

/// Whether a publish is not sent again over another connection.
fn is_over(operation: &Operation, session_present: bool) -> bool {
    let Kind::Publish(in_flight) = &operation.kind else { return false };
    // PUBREC said that the server has the message, but it may pass it on only when PUBREL comes, and the
    // rest of the hand-shake died with the session. Sent anew it could arrive twice.
    let taken_over = in_flight.received.is_some() && !session_present;
    // Its end was told long ago. With QoS 2 the server may know the identifier, which is then not free.
    let at_least_once = in_flight.publish.stored.qos() == QoS::AtLeastOnce;
    let given_up = operation.overdue >= CHANCES && (at_least_once || !session_present);
    taken_over || given_up
}

impl Session {
    /// The connection is gone: QoS 0 that it had not written waits for the next one, as do requests (they are
    /// no part of the session's state).
    pub(super) fn recall(&mut self, unwritten: VecDeque<Unwritten>) {
        self.replay.clear();
        self.deadlines.clear();
        for Unwritten { what, .. } in unwritten.into_iter().rev() {
            if let What::AtMostOnce(publish) = what {
                publish.completion.cancel_write();
                self.held.push_front(publish);
            }
        }
        let mut requests: Vec<Place> = Vec::new();
        for (id, operation) in self.operations.iter_mut() {
            operation.written_at = None;
            match &mut operation.kind {
                Kind::Request(_) => requests.push((operation.ticket, id.into())),
                Kind::Publish(in_flight) => {
                    in_flight.on_connection = false;
                    if !in_flight.ever_written {
                        in_flight.publish.completion.cancel_write();
                    }
                }
            }
        }
        requests.sort_unstable();
        let mut given_back = Vec::new();
        for (_, id) in requests.into_iter().rev() {
            if let Some(operation) = self.operations.remove(id as u16) {
                let told = operation.told();
                let Kind::Request(mut request) = operation.kind else { continue };
                let ours = matches!(request, Request::Subscribe { restoring: true, .. });
                if told {
                    *request.completion() = Completion::None;
                }
                request.completion().cancel_write();
                match &request {
                    _ if ours || !told => self.subscriptions.pending.push_front(request),
                    // Its outcome is unknown, and stays so; what was to be given back is not taken again.
                    Request::Unsubscribe { filter, below, .. } => given_back.push((filter.clone(), *below)),
                    Request::Subscribe { .. } => {}
                }
            }
        }
        for (filter, below) in given_back {
            self.subscriptions.given_back(&filter, below);
        }
    }

    /// A new connection: what is in flight is sent again, in the order in which it was accepted. Where the
    /// server lost the session everything is as if it had never been sent.
    pub(super) fn plan_replay(&mut self, session_present: bool, doubted: bool, actions: &mut Actions) {
        if let Some((id, reason)) = self.condemned.take() {
            self.end_operation(id, Ack::failed(refusal::condemned(reason)), actions);
        }
        let mut order: Vec<Place> = Vec::with_capacity(self.operations.len());
        for (id, operation) in self.operations.iter_mut() {
            if let Kind::Publish(in_flight) = &mut operation.kind {
                in_flight.repeats &= session_present;
                order.push((in_flight.publish.order, id.into()));
            }
        }
        order.sort_unstable();
        for (_, id) in order {
            let id = id as u16;
            if self.operations.get_mut(id).is_some_and(|operation| is_over(operation, session_present)) {
                self.end_operation(id, Ack::failed(refusal::lost_with_the_session()), actions);
                continue;
            }
            self.replay.push_back(id);
            match self.operations.get_mut(id) {
                // A server that has forgotten it answers PUBREL just as one that has passed it on.
                Some(Operation { kind: Kind::Publish(in_flight), overdue: overdue @ 0, .. })
                    if doubted && in_flight.received.is_some() =>
                {
                    *overdue = 1;
                    tell(&mut in_flight.publish, Ack::failed(refusal::lost_with_the_session()), actions);
                }
                _ => {}
            }
        }
    }

    /// A DISCONNECT that objects to a packet is most likely meant for the first publish that is not acknowledged. One
    /// that has cost two connections so is not sent a third time: everything behind it would wait for ever.
    pub(super) fn blame(&mut self, reason: ReasonCode) {
        if !matches!(reason.0, 129 | 130 | 144 | 149 | 153..=155) {
            return;
        }
        let written = self.operations.iter_mut().filter(|(_, operation)| operation.written_at.is_some());
        let publishes = written.filter_map(|(id, operation)| match &mut operation.kind {
            Kind::Publish(in_flight) => Some((id, in_flight)),
            Kind::Request(_) => None,
        });
        let Some((id, first)) = publishes.min_by_key(|(_, in_flight)| in_flight.publish.order) else {
            return;
        };
        if std::mem::replace(&mut first.blamed, true) {
            self.condemned = Some((id, reason));
        }
    }

    /// Sends the next repetition; false where the receive maximum does not allow it yet.
    pub(super) fn replay_next(&mut self, now: Instant, actions: &mut Actions) -> bool {
        let (Some(connection), Some(&id)) = (&mut self.connection, self.replay.front()) else { return false };
        let Some(operation) = self.operations.get_mut(id) else {
            self.replay.pop_front();
            return true;
        };
        let told = operation.told();
        let Kind::Publish(in_flight) = &mut operation.kind else {
            self.replay.pop_front();
            return true;
        };
        if connection.is_full() {
            return false;
        }
        self.replay.pop_front();
        let publish = &in_flight.publish;
        if in_flight.received.is_some() {
            connection.append(actions, |out| AckKind::PubRel.write(id, ReasonCode(0), out));
        } else {
            let dup = in_flight.repeats;
            let expiry = match remaining_expiry(publish, now) {
                Ok(expiry) => expiry,
                // The server has perhaps seen it: the hand-shake must go on [MQTT-4.4.0-1].
                Err(_) if dup => Some(1),
                Err(_) if in_flight.ever_written => {
                    let message = "sent, but the server lost the session before it was acknowledged, and the message has expired since: it may or may not have arrived";
                    let error = Error::new(ErrorKind::OutcomeUnknown, message);
                    self.end_operation(id, Ack::failed(error), actions);
                    return true;
                }
                Err(error) => {
                    self.end_operation(id, Ack::failed(error), actions);
                    return true;
                }
            };
            let mut header = Header { id, dup, alias: Alias::None, expiry_secs: expiry };
            let size = publish.stored.size(&header);
            if let Err(error) = connection.limits.check_publish(&publish.stored, size) {
                self.end_operation(id, Ack::failed(error), actions);
                return true;
            }
            if !told && !publish.completion.begin_write() && !dup {
                self.end_operation(id, Ack::failed(abandoned()), actions);
                return true;
            }
            header.alias = connection.alias(publish, expiry);
            let size = connection.append(actions, |out| publish.stored.write(&header, out));
            self.pacer.spend(size);
        }
        in_flight.on_connection = true;
        connection.in_use += 1;
        actions.tally.repeated += 1;
        let what = What::Operation { id, ticket: operation.ticket };
        connection.unwritten.push_back(Unwritten { end: connection.appended, what });
        true
    }
}
