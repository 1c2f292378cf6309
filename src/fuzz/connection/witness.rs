//! Sees every packet that crosses the wire of a fuzzed connection, and holds the client's against MQTT 5: of the
//! client it expects everything, of the server nothing.

mod rotation;

use crate::QoS;
use crate::packet::{self, Ack, AckKind, Frame, Publish, ReasonCode, Received, frame, topic};
use crate::session::Batch;
use crate::session::incoming::TOLERANCE;
use crate::session::limits::Limits;
use rotation::Rotation;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A packet of the client.
#[derive(Clone, Copy, Debug)]
pub enum Packet {
    Publish { id: u16, qos: QoS, number: u32 },
    Ack { kind: AckKind, id: u16 },
    Subscribe { id: u16, filters: usize },
    Unsubscribe { id: u16 },
    PingReq,
    Disconnect,
}

/// A QoS 1 or 2 publish that the server has not acknowledged.
struct Published {
    number: u32,
    qos: QoS,
    /// Wholly, and by a connection of the session that the server has.
    written: bool,
    /// PUBREC came.
    received: bool,
    /// The current connection has sent it.
    open: bool,
}

/// A message of the server whose acknowledgement has its turn.
struct Arrival {
    number: u64,
    id: u16,
    qos: QoS,
}

/// Of one connection.
struct Wire {
    limits: Limits,
    end: u64,
    written: u64,
    /// Packets that are not wholly written, and where they end.
    unwritten: VecDeque<(u64, Packet)>,
    /// What has reached the server and is not answered.
    inbox: VecDeque<Packet>,
    /// Answers expected to SUBSCRIBE and UNSUBSCRIBE.
    requests: BTreeMap<u16, usize>,
    aliases: BTreeMap<u16, String>,
    /// The last publish of QoS 0, and of the others.
    last: [Option<u32>; 2],
    parted: bool,
    rotation: Rotation,
    arrivals: VecDeque<Arrival>,
    /// PUBREL and PUBCOMP that must go out at once, and whether the client knows the identifier.
    releases: VecDeque<(u16, bool)>,
    completions: VecDeque<u16>,
}

pub struct Witness {
    /// Topics of the application's publishes, by number.
    pub topics: Vec<String>,
    /// Publishes that some connection has wholly written.
    pub written: BTreeSet<u32>,
    /// Publishes that some connection has begun to write.
    pub sent: BTreeSet<u32>,
    tolerated: usize,
    published: BTreeMap<u16, Published>,
    /// Between PUBLISH and PUBREL, with the session's number.
    exactly_once: BTreeMap<u16, u64>,
    handled: BTreeSet<u64>,
    last_number: u64,
    wire: Wire,
}

impl Wire {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            end: 0,
            written: 0,
            unwritten: VecDeque::new(),
            inbox: VecDeque::new(),
            requests: BTreeMap::new(),
            aliases: BTreeMap::new(),
            last: [None; 2],
            parted: false,
            rotation: Rotation::default(),
            arrivals: VecDeque::new(),
            releases: VecDeque::new(),
            completions: VecDeque::new(),
        }
    }
}

impl Witness {
    pub fn new(limits: Limits, receive_maximum: u16) -> Self {
        Self {
            topics: Vec::new(),
            written: BTreeSet::new(),
            sent: BTreeSet::new(),
            tolerated: TOLERANCE * usize::from(receive_maximum),
            published: BTreeMap::new(),
            exactly_once: BTreeMap::new(),
            handled: BTreeSet::new(),
            last_number: 0,
            wire: Wire::new(limits),
        }
    }

    /// Another connection, from its CONNACK on.
    pub fn connected(&mut self, limits: Limits, session_present: bool) {
        self.wire = Wire::new(limits);
        if !session_present {
            self.exactly_once.clear();
            self.published.retain(|_, published| !published.received);
        }
        for published in self.published.values_mut() {
            published.open = false;
            published.written &= session_present;
        }
    }

    /// Bytes that the client has appended to its stream.
    pub fn client(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let frame = frame(bytes, u32::MAX).expect("well-formed").expect("whole");
            assert!(!self.wire.parted, "nothing follows a DISCONNECT [MQTT-3.14.4-1]");
            let packet = self.packet(&frame);
            self.wire.rotation.appended(&packet);
            self.wire.end += frame.len as u64;
            self.wire.unwritten.push_back((self.wire.end, packet));
            bytes = &bytes[frame.len..];
        }
    }

    fn packet(&mut self, frame: &Frame<'_>) -> Packet {
        match frame.first {
            0x30..=0x3F => match packet::decode(frame) {
                Ok(Received::Publish(publish)) => self.publish(&publish, frame.len),
                other => panic!("{other:?}"),
            },
            0x40 | 0x50 | 0x62 | 0x70 => match packet::decode(frame) {
                Ok(Received::Ack(ack)) => self.ack(&ack),
                other => panic!("{other:?}"),
            },
            0x82 | 0xA2 => self.request(frame),
            0xC0 => {
                assert!(frame.body.is_empty());
                Packet::PingReq
            }
            0xE0 => {
                self.wire.parted = true;
                match frame.body {
                    [] => {}
                    [reason] | [reason, 5, 0x11, _, _, _, _] => {
                        assert!(ReasonCode(*reason).is_listed(packet::PacketType::Disconnect));
                    }
                    other => panic!("a DISCONNECT with {other:x?}"),
                }
                Packet::Disconnect
            }
            other => panic!("a client sends no {other:#x}"),
        }
    }

    fn publish(&mut self, publish: &Publish<'_>, size: usize) -> Packet {
        let &Publish { id, qos, dup, .. } = publish;
        let wire = &mut self.wire;
        assert!(size <= wire.limits.maximum_packet_size as usize, "above the maximum packet size");
        assert!(qos <= wire.limits.maximum_qos, "above the maximum QoS");
        assert!(!publish.retain || wire.limits.retain_available, "retain is not available");
        if let Some(alias) = publish.alias {
            assert!(alias <= wire.limits.topic_alias_maximum, "above the topic alias maximum");
            if !publish.topic.is_empty() {
                wire.aliases.insert(alias, publish.topic.to_owned());
            }
        }
        let digits = &publish.payload[publish.payload.len() - 8..];
        let number = u32::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
        let topic = match publish.topic {
            "" => publish.alias.and_then(|alias| wire.aliases.get(&alias)).expect("a known alias"),
            topic => topic,
        };
        assert_eq!(topic, self.topics[number as usize], "another message's topic");
        let last = wire.last[usize::from(qos != QoS::AtMostOnce)].replace(number);
        assert!(last < Some(number), "out of order: {number} after {last:?}");
        self.sent.insert(number);
        if qos == QoS::AtMostOnce {
            return Packet::Publish { id, qos, number };
        }
        assert!(!wire.requests.contains_key(&id), "the identifier {id} is a request's");
        let known = self.published.get(&id);
        assert!(known.is_none_or(|known| !known.open), "the identifier {id} is in use");
        let repeated = known.is_some_and(|known| known.number == number && known.written);
        assert_eq!(dup, repeated, "DUP of message {number} [MQTT-3.3.1-1]");
        assert!(known.is_none_or(|known| known.number != number || !known.received), "PUBREC was an answer");
        self.published.insert(id, Published { number, qos, written: repeated, received: false, open: true });
        let open = self.published.values().filter(|published| published.open);
        assert!(open.count() <= wire.limits.receive_maximum.into(), "above the receive maximum");
        Packet::Publish { id, qos, number }
    }

    fn ack(&mut self, ack: &Ack<'_>) -> Packet {
        let id = ack.id;
        let wire = &mut self.wire;
        match ack.kind {
            AckKind::PubAck | AckKind::PubRec => {
                let arrival = wire.arrivals.pop_front().expect("a message to be acknowledged");
                let at_least_once = ack.kind == AckKind::PubAck;
                let expected = (id, if at_least_once { QoS::AtLeastOnce } else { QoS::ExactlyOnce });
                assert_eq!((arrival.id, arrival.qos), expected, "in the order of arrival [MQTT-4.6.0-2]");
                assert!(self.handled.contains(&arrival.number), "the application has not had it");
            }
            AckKind::PubRel => match wire.releases.front() {
                Some(&(answer, known)) if answer == id => {
                    assert!(known || ack.reason.0 == 0x92, "nothing is known of {id}");
                    wire.releases.pop_front();
                }
                // Of a publish that has ended meanwhile.
                _ if ack.reason.0 == 0x92 => {}
                _ => {
                    let published = self.published.get_mut(&id).filter(|published| published.received);
                    let published = published.expect("a PUBREC of this session");
                    wire.rotation.repeated();
                    assert!(!published.open, "a repetition on one connection [MQTT-4.4.0-1]");
                    published.open = true;
                }
            },
            AckKind::PubComp => assert_eq!(wire.completions.pop_front(), Some(id)),
        }
        Packet::Ack { kind: ack.kind, id }
    }

    fn request(&mut self, Frame { first, body, len }: &Frame<'_>) -> Packet {
        assert!(*len <= self.wire.limits.maximum_packet_size as usize, "above the maximum packet size");
        let id = u16::from_be_bytes([body[0], body[1]]);
        assert!(id != 0 && body[2] == 0, "an identifier, and no properties");
        let (mut rest, mut filters) = (&body[3..], 0);
        while !rest.is_empty() {
            let (filter, after) = rest[2..].split_at(u16::from_be_bytes([rest[0], rest[1]]).into());
            let filter = std::str::from_utf8(filter).expect("UTF-8");
            topic::valid_filter(filter).expect("a topic filter");
            rest = after;
            filters += 1;
            if *first == 0x82 {
                self.wire.limits.check_filters([filter].into_iter()).expect("allowed by the server");
                assert!(rest[0] & 0xC0 == 0 && rest[0] & 3 < 3 && rest[0] & 0x30 < 0x30, "{:#x}", rest[0]);
                rest = &rest[1..];
            }
        }
        assert_ne!(filters, 0, "[MQTT-3.8.3-2] [MQTT-3.10.3-2]");
        assert!(self.wire.requests.insert(id, filters).is_none(), "the identifier {id} is in use");
        assert!(self.published.get(&id).is_none_or(|known| !known.open), "the identifier {id} is in use");
        match first {
            0x82 => Packet::Subscribe { id, filters },
            _ => Packet::Unsubscribe { id },
        }
    }

    /// So many bytes are out.
    pub fn written(&mut self, bytes: usize) {
        self.wire.written += bytes as u64;
        while self.wire.unwritten.front().is_some_and(|(end, _)| *end <= self.wire.written) {
            let Some((_, packet)) = self.wire.unwritten.pop_front() else { return };
            self.wire.rotation.written(&packet);
            if let Packet::Publish { id, qos, number } = packet {
                let first = self.written.insert(number);
                assert!(first || qos != QoS::AtMostOnce, "message {number} of QoS 0 was sent twice");
                if let Some(published) = self.published.get_mut(&id).filter(|p| p.number == number) {
                    published.written = true;
                }
            }
            self.wire.inbox.push_back(packet);
        }
    }

    /// What the server has and has not answered.
    pub fn unanswered(&mut self) -> Option<Packet> {
        self.wire.inbox.pop_front()
    }

    /// Identifiers that mean something to the client, for a server that wants to hit one.
    pub fn identifiers(&self) -> Vec<u16> {
        let all = self.published.keys().chain(self.wire.requests.keys()).chain(self.exactly_once.keys());
        all.copied().collect()
    }

    /// Bytes of the server that the session has used up, the messages that it made of them, and whether it has
    /// had enough of this connection.
    pub fn server(&mut self, mut bytes: &[u8], batch: &Batch, ended: bool) {
        let mut delivered = batch.packets();
        while !bytes.is_empty() {
            let frame = frame(bytes, u32::MAX).expect("well-formed").expect("whole");
            let packet = &bytes[..frame.len];
            bytes = &bytes[frame.len..];
            match packet::decode(&frame) {
                Ok(Received::Publish(publish)) if publish.alias.is_none() => {
                    if !self.arrives(&publish) {
                        continue;
                    }
                    let Some((kept, number)) = delivered.next() else {
                        assert!(ended && publish.qos > QoS::AtMostOnce, "a message is lost");
                        break;
                    };
                    // As `dispatch` reads it.
                    let again = packet::frame(kept, u32::MAX).unwrap().unwrap();
                    assert_eq!(kept, packet);
                    assert_eq!(packet::decode(&again), Ok(Received::Publish(publish)));
                    self.delivered(&publish, number);
                }
                Ok(Received::Ack(ack)) => self.acknowledged(&ack),
                Ok(Received::SubAck(suback)) => self.answered(suback.id, suback.codes.len()),
                Ok(Received::UnsubAck(unsuback)) => self.answered(unsuback.id, unsuback.codes.len()),
                Ok(Received::PingResp) => self.wire.rotation.answered(),
                Ok(
                    Received::Disconnect(_) | Received::ConnAck(_) | Received::Auth | Received::Publish(_),
                )
                | Err(_) => assert!(ended, "the connection must end"),
            }
        }
        assert_eq!(delivered.next(), None, "a message that nobody sent");
        let most = self.tolerated + self.exactly_once.len();
        assert!(self.wire.arrivals.len() <= most, "too many messages at once");
    }

    /// Whether it is a message for the application. A repetition is not; where its acknowledgement has gone out, it
    /// wants another one.
    fn arrives(&mut self, publish: &Publish<'_>) -> bool {
        let &Publish { id, qos, .. } = publish;
        let waits = self.wire.arrivals.iter().any(|arrival| (arrival.id, arrival.qos) == (id, qos));
        let known = self.exactly_once.get(&id).copied().filter(|_| qos == QoS::ExactlyOnce);
        match known {
            Some(number) if !waits => self.wire.arrivals.push_back(Arrival { number, id, qos }),
            _ => {}
        }
        qos == QoS::AtMostOnce || !waits && known.is_none()
    }

    fn delivered(&mut self, publish: &Publish<'_>, number: u64) {
        let &Publish { id, qos, .. } = publish;
        assert_eq!(number == 0, qos == QoS::AtMostOnce);
        if number == 0 {
            return;
        }
        assert!(number > self.last_number, "{number} after {}", self.last_number);
        self.last_number = number;
        self.wire.arrivals.push_back(Arrival { number, id, qos });
        if qos == QoS::ExactlyOnce {
            assert!(self.exactly_once.insert(id, number).is_none(), "delivered twice");
        }
    }

    fn acknowledged(&mut self, ack: &Ack<'_>) {
        let id = ack.id;
        if ack.kind == AckKind::PubRel {
            self.exactly_once.remove(&id);
            // The server does not wait for a PUBREC any more.
            let released = |arrival: &Arrival| (arrival.id, arrival.qos) == (id, QoS::ExactlyOnce);
            self.wire.arrivals.retain(|arrival| !released(arrival));
            return self.wire.completions.push_back(id);
        }
        if self.wire.requests.contains_key(&id) {
            return;
        }
        let goes_on = ack.kind == AckKind::PubRec && !ack.reason.is_error();
        let Some(published) = self.published.get_mut(&id) else {
            if goes_on {
                self.wire.releases.push_back((id, false));
            }
            return;
        };
        if (published.qos == QoS::ExactlyOnce) != (ack.kind != AckKind::PubAck) {
            return;
        }
        if goes_on {
            published.received = true;
            self.wire.releases.push_back((id, true));
        } else {
            self.published.remove(&id);
        }
    }

    fn answered(&mut self, id: u16, codes: usize) {
        if self.wire.requests.get(&id) == Some(&codes) {
            self.wire.requests.remove(&id);
        }
    }

    /// The client has given up what was not acknowledged.
    pub fn abandoned(&mut self) {
        self.published.clear();
    }

    /// The application is done with a message.
    pub fn handled(&mut self, number: u64) {
        self.handled.insert(number);
    }

    /// Nothing that is due is left out.
    pub fn nothing_is_due(&self, ended: bool) {
        let Wire { releases, completions, arrivals, .. } = &self.wire;
        assert!(releases.is_empty() && completions.is_empty());
        let due = arrivals.front().is_some_and(|arrival| self.handled.contains(&arrival.number));
        assert!(ended || !due, "an acknowledgement is due");
    }
}
