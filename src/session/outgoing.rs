//! What goes to the server: publishes, SUBSCRIBE and UNSUBSCRIBE, from the queue to their end.

use super::queue::Publish;
use super::subscriptions::{Request, Wanted};
use super::{Actions, Connection, Flow, HIGH_WATER, Room, Session};
use crate::completion::{Ack, Completion};
use crate::packet::{Alias, Filter, Header, ReasonCode, Subscribe, Unsubscribe};
use crate::{Error, ErrorKind, QoS};
use std::time::Instant;

/// How many connections may end because the same acknowledgement does not come.
pub(super) const CHANCES: u8 = 2;

/// Where something stands, behind the number by which it is sorted: whatever is sorted here is sorted by the same code.
pub(super) type Place = (u64, usize);

/// What a packet identifier stands for.
#[derive(Debug)]
pub(super) struct Operation {
    /// Tells it from an earlier one of the same identifier.
    pub ticket: u64,
    /// The last write, once it happened on the current connection.
    pub written_at: Option<Instant>,
    /// How often its acknowledgement was overdue. From the first time on its completion has been told; the
    /// identifier stays in use.
    pub overdue: u8,
    pub kind: Kind,
}

impl Operation {
    pub fn told(&self) -> bool {
        self.overdue > 0
    }
}

#[derive(Debug)]
pub(super) enum Kind {
    Publish(InFlight),
    Request(Request),
}

#[derive(Debug)]
pub(super) struct InFlight {
    pub publish: Publish,
    /// The reason code of PUBREC: it came, and PUBCOMP is due.
    pub received: Option<ReasonCode>,
    /// Some connection has written all of it: it may have arrived, whatever became of the session.
    pub ever_written: bool,
    /// The same, and the session still lives: a repetition carries DUP.
    pub repeats: bool,
    /// Counts against the current connection's receive maximum.
    pub on_connection: bool,
    /// The server ended a connection over it.
    pub blamed: bool,
}

/// A packet that is encoded and not wholly written, and the position in the stream where it ends.
#[derive(Debug)]
pub(super) struct Unwritten {
    pub end: u64,
    pub what: What,
}

#[derive(Debug)]
pub(super) enum What {
    AtMostOnce(Publish),
    Operation { id: u16, ticket: u64 },
}

impl Session {
    /// What may be taken from the queue now.
    pub fn room(&mut self, now: Instant, out: usize) -> Room {
        self.pacer.refill(now);
        let waiting = !self.held.is_empty() || !self.subscriptions.pending.is_empty();
        match &self.connection {
            // Nothing overtakes a repetition, but for QoS 0 where it waits for an acknowledgement.
            Some(connection)
                if !waiting
                    && matches!(connection.flow, Flow::Open | Flow::NoQos0)
                    && (self.replay.is_empty() || connection.is_full()) =>
            {
                Room {
                    qos0: connection.flow == Flow::Open,
                    acked: usize::from(connection.limits.receive_maximum).saturating_sub(connection.in_use),
                    messages: self.pacer.messages(),
                    bytes: HIGH_WATER.saturating_sub(out).min(self.pacer.bytes()),
                }
            }
            _ => Room::default(),
        }
    }

    /// Writes publishes that were taken from the queue, within what [`room`](Self::room) said.
    pub fn publish(&mut self, taken: impl IntoIterator<Item = Publish>, now: Instant, actions: &mut Actions) {
        for publish in taken {
            if self.held.is_empty() {
                self.send(publish, now, actions);
            } else {
                self.held.push_back(publish);
            }
        }
    }

    /// Sends what waits inside the session, as far as the buffer and the server allow: requests first, then
    /// repetitions, then what an earlier connection did not write.
    pub(super) fn pump(&mut self, now: Instant, actions: &mut Actions) {
        self.pacer.refill(now);
        while actions.out.len() < HIGH_WATER && actions.end.is_none() {
            let flow = match &self.connection {
                None | Some(Connection { flow: Flow::Closed | Flow::Ended, .. }) => return,
                Some(connection) => connection.flow,
            };
            let waits = |publish: &Publish| flow != Flow::Open && publish.stored.qos() == QoS::AtMostOnce;
            if let Some(request) = self.subscriptions.pending.pop_front() {
                self.send_request(request, actions);
            } else if !self.pacer.is_open() {
                return;
            } else if !self.replay.is_empty() {
                if !self.replay_next(now, actions) {
                    return;
                }
            } else if self.held.front().is_some_and(waits) {
                return;
            } else if let Some(publish) = self.held.pop_front() {
                if !self.send(publish, now, actions) {
                    return;
                }
            } else {
                return;
            }
        }
    }

    /// Writes a publish, or ends it because it cannot be written. False where its turn has not come: then it is
    /// the first that waits.
    fn send(&mut self, publish: Publish, now: Instant, actions: &mut Actions) -> bool {
        let qos = publish.stored.qos();
        let Some(connection) = self.connection.as_mut().filter(|c| qos == QoS::AtMostOnce || !c.is_full())
        else {
            self.held.push_front(publish);
            return false;
        };
        // The size does not depend on the identifier.
        let legal = remaining_expiry(&publish, now).and_then(|expiry| {
            let header = Header { id: 1, dup: false, alias: Alias::None, expiry_secs: expiry };
            let size = publish.stored.size(&header);
            connection.limits.check_publish(&publish.stored, size).map(|()| header)
        });
        let mut header = match legal {
            Ok(header) => header,
            Err(error) => {
                end_publish(publish, Ack::failed(error), actions);
                return true;
            }
        };
        if !publish.completion.begin_write() {
            end_publish(publish, Ack::failed(abandoned()), actions);
            return true;
        }
        if qos == QoS::AtMostOnce {
            header.alias = connection.alias(&publish, header.expiry_secs);
            let size = connection.append(actions, |out| publish.stored.write(&header, out));
            self.pacer.spend(size);
            let end = connection.appended;
            connection.unwritten.push_back(Unwritten { end, what: What::AtMostOnce(publish) });
            return true;
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let in_flight = InFlight {
            publish,
            received: None,
            ever_written: false,
            repeats: false,
            on_connection: true,
            blamed: false,
        };
        let operation = Operation { ticket, written_at: None, overdue: 0, kind: Kind::Publish(in_flight) };
        match self.operations.insert(operation) {
            Ok(id) => {
                header.id = id;
                if let Some(Operation { kind: Kind::Publish(in_flight), .. }) = self.operations.get_mut(id) {
                    header.alias = connection.alias(&in_flight.publish, header.expiry_secs);
                    let size = connection.append(actions, |out| in_flight.publish.stored.write(&header, out));
                    self.pacer.spend(size);
                }
                connection.in_use += 1;
                let what = What::Operation { id, ticket };
                connection.unwritten.push_back(Unwritten { end: connection.appended, what });
                true
            }
            // All 65,535 identifiers are in use: it waits for one.
            Err(operation) => {
                if let Kind::Publish(in_flight) = operation.kind {
                    in_flight.publish.completion.cancel_write();
                    self.held.push_front(in_flight.publish);
                }
                false
            }
        }
    }

    fn send_request(&mut self, mut request: Request, actions: &mut Actions) {
        let Some(connection) = &mut self.connection else {
            return self.subscriptions.pending.push_front(request);
        };
        let checked = match &request {
            Request::Subscribe { filters, .. } => {
                connection.limits.check_filters(filters.iter().map(|wanted| &*wanted.filter))
            }
            Request::Unsubscribe { .. } => Ok(()),
        };
        if !request.completion().begin_write() {
            return request.fail(&abandoned(), actions);
        }
        // The size does not depend on the identifier.
        let mut packet = Vec::new();
        let checked = checked
            .and_then(|()| encode_request(&request, 1, &mut packet))
            .and_then(|()| connection.limits.check_size(packet.len()));
        if let Err(error) = checked {
            return match request {
                Request::Subscribe { filters, restoring: true, .. } => {
                    self.cannot_restore(filters, &error, actions);
                }
                request => request.fail(&error, actions),
            };
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let operation = Operation { ticket, written_at: None, overdue: 0, kind: Kind::Request(request) };
        match self.operations.insert(operation) {
            Ok(id) => {
                if let Some(Operation { kind: Kind::Request(request), .. }) = self.operations.get_mut(id) {
                    connection.append(actions, |out| {
                        let encoded = encode_request(request, id, out);
                        debug_assert!(encoded.is_ok(), "it was encoded once already");
                    });
                }
                connection
                    .unwritten
                    .push_back(Unwritten { end: connection.appended, what: What::Operation { id, ticket } });
            }
            Err(Operation { kind: Kind::Request(request), .. }) => {
                let error = Error::new(ErrorKind::QueueFull, "all 65,535 packet identifiers are in use");
                request.fail(&error, actions);
            }
            Err(_) => {}
        }
    }

    /// A restoration that is not legal here: those of its filters that are go out alone.
    fn cannot_restore(&mut self, mut filters: Vec<Wanted>, error: &Error, actions: &mut Actions) {
        if filters.len() > 1 {
            for wanted in filters.into_iter().rev() {
                self.subscriptions.pending.push_front(Request::restoring(vec![wanted]));
            }
        } else if let Some(wanted) = filters.pop() {
            actions.refused.push((wanted.filter.clone(), error.clone()));
            self.subscriptions.declined(wanted);
        }
    }

    /// What was written completely is done (QoS 0), or its time runs (everything else).
    pub(super) fn settle_written(&mut self, now: Instant, actions: &mut Actions) {
        let Some(connection) = &mut self.connection else { return };
        while connection.unwritten.front().is_some_and(|unwritten| unwritten.end <= connection.written) {
            let Some(Unwritten { what, .. }) = connection.unwritten.pop_front() else { return };
            match what {
                What::AtMostOnce(publish) => end_publish(publish, Ack::SENT, actions),
                What::Operation { id, ticket } => {
                    let Some(operation) = self.operations.get_mut(id).filter(|o| o.ticket == ticket) else {
                        continue;
                    };
                    operation.written_at = Some(now);
                    if let Kind::Publish(in_flight) = &mut operation.kind {
                        (in_flight.ever_written, in_flight.repeats) = (true, true);
                    }
                    if operation.overdue < CHANCES {
                        self.deadlines.push_back((now + self.settings.operation_timeout, id, ticket));
                    }
                }
            }
        }
    }

    /// Takes an operation out and tells its end.
    pub(super) fn end_operation(&mut self, id: u16, ack: Ack, actions: &mut Actions) {
        let Some(operation) = self.operations.remove(id) else { return };
        let told = operation.told();
        match operation.kind {
            Kind::Publish(in_flight) => {
                if in_flight.on_connection {
                    self.connection_in_use_less();
                }
                if told {
                    release(&in_flight.publish, actions);
                } else {
                    end_publish(in_flight.publish, ack, actions);
                }
            }
            Kind::Request(mut request) if !told => request.tell(ack, actions),
            Kind::Request(_) => {}
        }
    }

    fn connection_in_use_less(&mut self) {
        if let Some(Connection { in_use, .. }) = &mut self.connection {
            *in_use -= 1;
        }
    }

    /// Tells the operations whose time is over. Their identifiers stay in use until they are acknowledged, so the
    /// connection ends: MQTT 5 allows to send them again on a new one only [MQTT-4.4.0-1], and a server that has
    /// lost them would hold a part of its receive maximum for ever. Each operation costs [`CHANCES`] connections at
    /// most.
    pub(super) fn expire(&mut self, now: Instant, actions: &mut Actions) {
        let ms = self.settings.operation_timeout.as_millis();
        while let Some(&(deadline, id, ticket)) = self.deadlines.front() {
            let Some(operation) = self.operations.get_mut(id).filter(|operation| operation.ticket == ticket)
            else {
                self.deadlines.pop_front();
                continue;
            };
            if deadline > now {
                return;
            }
            self.deadlines.pop_front();
            operation.overdue += 1;
            if operation.overdue == 1 {
                let message =
                    format!("sent, but not acknowledged within {ms} ms: it may or may not have arrived");
                let ack = Ack::failed(Error::new(ErrorKind::OutcomeUnknown, message));
                match &mut operation.kind {
                    Kind::Publish(InFlight { publish, .. }) => tell(publish, ack, actions),
                    Kind::Request(request) => request.tell(ack, actions),
                }
            }
            let message = format!(
                "the server did not acknowledge a packet within {ms} ms: a new connection gives it another chance"
            );
            actions.end.get_or_insert_with(|| Error::new(ErrorKind::ConnectionLost, message));
        }
    }

    pub(super) fn abandon_operations(&mut self, unwritten: &Error, written: &Error, actions: &mut Actions) {
        self.replay.clear();
        self.deadlines.clear();
        self.condemned = None;
        let mut publishes: Vec<_> = self.held.drain(..).map(|publish| Some((publish, false))).collect();
        for (_, operation) in self.operations.drain() {
            let told = operation.told();
            match operation.kind {
                Kind::Publish(in_flight) if told => release(&in_flight.publish, actions),
                Kind::Publish(in_flight) => {
                    publishes.push(Some((in_flight.publish, in_flight.ever_written)));
                }
                // Requests went back to the pending ones when the connection ended.
                Kind::Request(request) => request.fail(unwritten, actions),
            }
        }
        let orders = publishes.iter().flatten().map(|(publish, _)| publish.order);
        let mut order: Vec<Place> = orders.zip(0..).collect();
        order.sort_unstable();
        for (_, at) in order {
            let Some((publish, ever_written)) = publishes[at].take() else { continue };
            let error = if ever_written { written } else { unwritten };
            end_publish(publish, Ack::failed(error.clone()), actions);
        }
    }
}

pub(super) fn abandoned() -> Error {
    Error::new(ErrorKind::Timeout, "nobody waits for it any more")
}

/// Gives its room in the queue back.
fn release(publish: &Publish, actions: &mut Actions) {
    actions.freed.0 += 1;
    actions.freed.1 += publish.stored.bytes_held();
}

/// Counts its end and tells it; there is nobody to tell afterwards.
pub(super) fn tell(publish: &mut Publish, ack: Ack, actions: &mut Actions) {
    tracing::debug!(
        topic = publish.stored.topic(),
        qos = publish.stored.qos() as u8,
        payload_bytes = publish.stored.payload_len(),
        reason_code = ack.reason_code,
        round_trip_ms = ack.round_trip.map(|time| time.as_millis() as u64),
        error = ack.result.as_ref().err().map(tracing::field::display),
        "message {}",
        if ack.result.is_err() { "failed" } else { "sent" }
    );
    let tally = &mut actions.tally;
    match &ack.result {
        Ok(()) => {
            tally.sent += 1;
            tally.sent_bytes += publish.stored.payload_len() as u64;
            ack.round_trip.into_iter().for_each(|time| tally.round_trip(time));
        }
        Err(error) => {
            tally.failed += 1;
            tally.expired += u64::from(error.kind() == ErrorKind::Expired);
        }
    }
    if !matches!(publish.completion, Completion::None) {
        actions.done.push((std::mem::replace(&mut publish.completion, Completion::None), ack));
    }
}

pub(super) fn end_publish(mut publish: Publish, ack: Ack, actions: &mut Actions) {
    release(&publish, actions);
    tell(&mut publish, ack, actions);
}

/// The rest of the message expiry interval, in whole seconds, rounded up.
pub(super) fn remaining_expiry(publish: &Publish, now: Instant) -> Result<Option<u32>, Error> {
    let Some(expires_at) = publish.expires_at else { return Ok(None) };
    let left = expires_at.saturating_duration_since(now);
    if left.is_zero() {
        return Err(Error::new(
            ErrorKind::Expired,
            "its message expiry interval passed before it could be sent",
        ));
    }
    Ok(Some(u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)))
}

/// Writes nothing where it cannot be encoded.
fn encode_request(request: &Request, id: u16, out: &mut Vec<u8>) -> Result<(), Error> {
    match request {
        Request::Subscribe { filters, .. } => {
            fn filter(wanted: &Wanted) -> Filter<'_> {
                Filter {
                    filter: &wanted.filter,
                    qos: wanted.qos,
                    no_local: wanted.no_local,
                    retain_as_published: wanted.retain_as_published,
                    retain_handling: wanted.retain_handling,
                }
            }
            let filters: Vec<Filter<'_>> = filters.iter().map(filter).collect();
            Subscribe { id, subscription_id: None, filters: &filters, user_properties: &[] }.encode(out)
        }
        Request::Unsubscribe { filter, .. } => {
            Unsubscribe { id, filters: &[filter], user_properties: &[] }.encode(out)
        }
    }
}
