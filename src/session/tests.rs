//! The session against a server that is written out packet by packet.

use super::limits::Limits;
use super::queue::Publish;
use super::subscriptions::{Request, Wanted};
use super::*;
use crate::packet::{RetainHandling, StoredPublish};
use crate::{Message, QoS};
use std::sync::{Arc, Mutex};

const LIMITS: Limits = Limits {
    receive_maximum: 10,
    maximum_qos: QoS::ExactlyOnce,
    retain_available: true,
    maximum_packet_size: u32::MAX,
    topic_alias_maximum: 0,
    wildcard_available: true,
    shared_available: true,
    keep_alive_secs: 30,
};
const SEC: Duration = Duration::from_secs(1);

type Ends = Arc<Mutex<Vec<(u32, Result<(), ErrorKind>)>>>;

struct Rig {
    session: Session,
    actions: Actions,
    now: Instant,
    ends: Ends,
    order: u64,
}

impl Rig {
    fn new() -> Self {
        let settings = Settings {
            receive_maximum: 3,
            max_incoming_packet: 1000,
            operation_timeout: Duration::from_secs(60),
        };
        let session = Session::new(settings);
        Self { session, actions: Actions::default(), now: Instant::now(), ends: Ends::default(), order: 0 }
    }

    fn connected() -> Self {
        let mut rig = Self::new();
        rig.connect(LIMITS, false);
        rig
    }

    fn connect(&mut self, limits: Limits, session_present: bool) {
        self.session.connected(limits, session_present, self.now, &mut self.actions);
    }

    /// Cuts the connection after the server got what was written so far.
    fn lose(&mut self) {
        self.actions.out.clear();
        self.session.lost();
    }

    fn completion(&self, name: u32) -> Completion {
        let ends = self.ends.clone();
        Completion::Boxed(Box::new(move |ack| {
            let end = ack.result.clone().map_err(|error| error.kind());
            ends.lock().unwrap().push((name, end));
        }))
    }

    fn publish(&mut self, name: u32, qos: QoS) {
        self.publish_message(
            name,
            &Message { topic: "t", payload: &[b'0' + name as u8], qos, ..Message::default() },
        );
    }

    fn publish_message(&mut self, name: u32, message: &Message<'_>) {
        let mut publish = Publish::new(StoredPublish::new(message).unwrap(), self.completion(name));
        publish.order = self.order;
        self.order += 1;
        if let Some(secs) = message.message_expiry_secs {
            publish.expires_at = Some(self.now + Duration::from_secs(secs.into()));
        }
        self.session.publish([publish], self.now, &mut self.actions);
    }

    fn subscribe(&mut self, name: u32, filters: &[&str]) {
        let wanted = |filter: &&str| Wanted {
            filter: (*filter).into(),
            qos: QoS::AtLeastOnce,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Send,
            handler: u64::from(name),
        };
        let filters = filters.iter().map(wanted).collect();
        let request = Request::Subscribe { filters, completion: self.completion(name), restoring: false };
        self.session.request(request, self.now, &mut self.actions);
    }

    fn unsubscribe(&mut self, name: u32, filter: &str) {
        let completion = self.completion(name);
        let request = Request::Unsubscribe { filter: filter.into(), completion, below: 99 };
        self.session.request(request, self.now, &mut self.actions);
    }

    fn receive(&mut self, bytes: &[u8]) {
        assert_eq!(self.session.receive(bytes, self.now, &mut self.actions), bytes.len());
    }

    /// What is to be written, all of which is written.
    fn sent(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while !self.actions.out.is_empty() {
            let out = std::mem::take(&mut self.actions.out);
            all.extend_from_slice(&out);
            self.session.written(out.len(), self.now, &mut self.actions);
        }
        all
    }

    fn ends(&mut self) -> Vec<(u32, Result<(), ErrorKind>)> {
        for (completion, ack) in self.actions.done.drain(..) {
            completion.complete(ack);
        }
        std::mem::take(&mut self.ends.lock().unwrap())
    }
}

/// A PUBLISH to or from the server, topic "t", with one byte of payload.
fn publish(first: u8, id: Option<u8>, payload: u8) -> Vec<u8> {
    let mut packet = vec![first, 0, 0, 1, b't'];
    packet.extend(id.into_iter().flat_map(|id| [0, id]));
    packet.extend([0, payload]);
    packet[1] = packet.len() as u8 - 2;
    packet
}

#[test]
fn qos_0_ends_when_it_is_written() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::AtMostOnce);
    assert_eq!(rig.ends(), []);
    assert_eq!(rig.sent(), publish(0x30, None, b'1'));
    assert_eq!(rig.ends(), [(1, Ok(()))]);
    assert_eq!(rig.actions.freed.0, 1);
}

#[test]
fn half_a_packet_is_not_a_written_one() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::AtMostOnce);
    rig.session.written(3, rig.now, &mut rig.actions);
    assert_eq!(rig.ends(), []);
    rig.lose();
    rig.connect(LIMITS, false);
    assert_eq!(rig.sent(), publish(0x30, None, b'1'), "it goes out whole on the next connection");
    assert_eq!(rig.ends(), [(1, Ok(()))]);
}

#[test]
fn qos_1_ends_with_its_puback() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::AtLeastOnce);
    assert_eq!(rig.sent(), publish(0x32, Some(1), b'1'));
    assert_eq!(rig.ends(), []);
    rig.receive(&[0x40, 2, 0, 1]);
    assert_eq!(rig.ends(), [(1, Ok(()))]);
    rig.receive(&[0x40, 2, 0, 1]);
    assert_eq!(rig.ends(), [], "a second one is of no consequence");
}

#[test]
fn a_refused_publish_says_so() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::AtLeastOnce);
    rig.publish(2, QoS::ExactlyOnce);
    rig.sent();
    rig.receive(&[0x40, 3, 0, 1, 135]);
    rig.receive(&[0x50, 3, 0, 2, 151]);
    assert_eq!(rig.ends(), [(1, Err(ErrorKind::Refused)), (2, Err(ErrorKind::Refused))]);
    assert_eq!(rig.sent(), [0u8; 0], "a refused PUBREC is not followed by PUBREL [MQTT-4.3.3-4]");
}

#[test]
fn no_matching_subscribers_is_a_success() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::AtLeastOnce);
    rig.sent();
    rig.receive(&[0x40, 3, 0, 1, 16]);
    assert_eq!(rig.ends(), [(1, Ok(()))]);
}

#[test]
fn qos_2_ends_with_its_pubcomp() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::ExactlyOnce);
    assert_eq!(rig.sent(), publish(0x34, Some(1), b'1'));
    rig.receive(&[0x50, 2, 0, 1]);
    assert_eq!((rig.sent(), rig.ends()), (vec![0x62, 2, 0, 1], vec![]));
    rig.receive(&[0x70, 2, 0, 1]);
    assert_eq!(rig.ends(), [(1, Ok(()))]);
}

#[test]
fn an_unknown_pubrec_is_answered() {
    let mut rig = Rig::connected();
    rig.receive(&[0x50, 2, 0, 9]);
    assert_eq!(rig.sent(), [0x62, 3, 0, 9, 0x92]);
}

#[test]
fn acknowledgements_that_do_not_fit_end_the_connection() {
    for wrong in [[0x50, 2, 0, 1], [0x70, 2, 0, 1]] {
        let mut rig = Rig::connected();
        rig.publish(1, QoS::AtLeastOnce);
        rig.sent();
        rig.receive(&wrong);
        assert_eq!(rig.actions.end.as_ref().unwrap().kind(), ErrorKind::Protocol);
        assert_eq!(rig.actions.out[0..3], [0xE0, 1, 0x82]);
    }
}

#[test]
fn the_receive_maximum_holds_publishes_back() {
    let mut rig = Rig::new();
    rig.connect(Limits { receive_maximum: 2, ..LIMITS }, false);
    assert_eq!(rig.session.room(rig.now, 0).acked, 2);
    rig.publish(1, QoS::AtLeastOnce);
    rig.publish(2, QoS::ExactlyOnce);
    assert_eq!(rig.session.room(rig.now, 0).acked, 0);
    rig.publish(3, QoS::AtLeastOnce);
    let both = [publish(0x32, Some(1), b'1'), publish(0x34, Some(2), b'2')].concat();
    assert_eq!(rig.sent(), both);
    rig.receive(&[0x50, 2, 0, 2]);
    assert_eq!(rig.sent(), [0x62, 2, 0, 2], "QoS 2 counts until its PUBCOMP");
    rig.receive(&[0x70, 2, 0, 2]);
    assert_eq!(rig.sent(), publish(0x32, Some(3), b'3'));
}

#[test]
fn what_cannot_be_legal_fails_alone_and_unwritten() {
    let mut rig = Rig::new();
    let limits =
        Limits { maximum_qos: QoS::AtLeastOnce, retain_available: false, maximum_packet_size: 20, ..LIMITS };
    rig.connect(limits, false);
    rig.publish(1, QoS::ExactlyOnce);
    rig.publish_message(2, &Message { topic: "t", retain: true, ..Message::default() });
    rig.publish_message(3, &Message { topic: "t", payload: &[0; 20], ..Message::default() });
    rig.publish_message(4, &Message { topic: "t", payload: &[0; 14], ..Message::default() });
    assert_eq!(rig.sent().len(), 20, "the last one just fits");
    assert_eq!(
        rig.ends(),
        [
            (1, Err(ErrorKind::QosNotSupported)),
            (2, Err(ErrorKind::RetainNotSupported)),
            (3, Err(ErrorKind::PacketTooLarge)),
            (4, Ok(())),
        ]
    );
    assert!(rig.actions.end.is_none());
}

#[test]
fn a_kept_session_is_continued_with_dup_in_order() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::AtLeastOnce);
    rig.publish(2, QoS::ExactlyOnce);
    rig.publish(3, QoS::ExactlyOnce);
    rig.sent();
    rig.receive(&[0x50, 2, 0, 2]);
    rig.publish(4, QoS::AtLeastOnce);
    rig.lose();
    rig.connect(LIMITS, true);
    let expected = [
        publish(0x3A, Some(1), b'1'),
        vec![0x62, 2, 0, 2],
        publish(0x3C, Some(3), b'3'),
        publish(0x32, Some(4), b'4'),
    ];
    assert_eq!(rig.sent(), expected.concat(), "what was never written whole has no DUP");
    assert_eq!(rig.ends(), []);
}

#[test]
fn a_lost_session_is_begun_anew_without_dup() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::AtLeastOnce);
    rig.publish(2, QoS::ExactlyOnce);
    rig.publish(3, QoS::ExactlyOnce);
    rig.sent();
    rig.receive(&[0x50, 2, 0, 2]);
    rig.lose();
    rig.connect(LIMITS, false);
    let expected = [publish(0x32, Some(1), b'1'), publish(0x34, Some(3), b'3')].concat();
    assert_eq!(rig.sent(), expected);
    assert_eq!(rig.ends(), [(2, Ok(()))], "the server had taken it over with its PUBREC");
}

#[test]
fn a_replay_keeps_within_a_smaller_receive_maximum() {
    let mut rig = Rig::connected();
    (1..=5).for_each(|name| rig.publish(name, QoS::AtLeastOnce));
    rig.sent();
    rig.lose();
    rig.connect(Limits { receive_maximum: 2, ..LIMITS }, true);
    assert_eq!(rig.session.room(rig.now, 0).acked, 0);
    for first in [1u8, 3] {
        let expected = [first, first + 1].map(|id| publish(0x3A, Some(id), b'0' + id)).concat();
        assert_eq!(rig.sent(), expected);
        rig.receive(&[0x40, 2, 0, first, 0x40, 2, 0, first + 1]);
    }
    assert_eq!(rig.sent(), publish(0x3A, Some(5), b'5'));
}

#[test]
fn a_replay_that_is_no_longer_legal_fails_alone() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::ExactlyOnce);
    rig.publish(2, QoS::AtLeastOnce);
    rig.sent();
    rig.lose();
    rig.connect(Limits { maximum_qos: QoS::AtLeastOnce, ..LIMITS }, false);
    assert_eq!(rig.sent(), publish(0x32, Some(2), b'2'));
    assert_eq!(rig.ends(), [(1, Err(ErrorKind::QosNotSupported))]);
}

#[test]
fn an_unanswered_operation_times_out_and_keeps_its_identifier() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::AtLeastOnce);
    rig.sent();
    assert_eq!(rig.session.deadline(), Some(rig.now + 30 * SEC), "the keep alive comes first");
    rig.now += 60 * SEC;
    rig.session.time(rig.now, &mut rig.actions);
    assert_eq!(rig.ends(), [(1, Err(ErrorKind::OutcomeUnknown))]);
    rig.publish(2, QoS::AtLeastOnce);
    rig.receive(&[0x40, 2, 0, 1]);
    assert_eq!(rig.ends(), [], "1 was told, and 2 has another identifier");
    rig.sent();
    rig.receive(&[0x40, 2, 0, 2]);
    assert_eq!(rig.ends(), [(2, Ok(()))]);
    assert_eq!(rig.actions.freed.0, 2);
}

#[test]
fn the_operation_s_time_does_not_run_without_a_connection() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::AtLeastOnce);
    rig.sent();
    rig.now += 50 * SEC;
    rig.lose();
    rig.now += 500 * SEC;
    rig.session.time(rig.now, &mut rig.actions);
    rig.connect(LIMITS, true);
    rig.sent();
    rig.now += 29 * SEC;
    rig.session.time(rig.now, &mut rig.actions);
    assert_eq!(rig.ends(), []);
}

#[test]
fn an_expired_message_is_not_sent_and_a_late_one_lives_shorter() {
    let mut rig = Rig::new();
    for (name, secs) in [(1, 5), (2, 9)] {
        let message = Message { topic: "t", message_expiry_secs: Some(secs), ..Message::default() };
        rig.publish_message(name, &message);
    }
    rig.now += 5 * SEC;
    rig.connect(LIMITS, false);
    assert_eq!(rig.sent(), [0x30, 9, 0, 1, b't', 5, 2, 0, 0, 0, 4]);
    assert_eq!(rig.ends(), [(1, Err(ErrorKind::Expired)), (2, Ok(()))]);
}

#[test]
fn messages_are_acknowledged_when_they_are_handled_and_in_order() {
    let mut rig = Rig::connected();
    rig.receive(&[publish(0x32, Some(7), 1), publish(0x34, Some(8), 2), publish(0x30, None, 3)].concat());
    assert_eq!(rig.actions.messages.index, [(0, 1), (9, 2), (18, 0)]);
    assert_eq!(rig.sent(), [0u8; 0]);
    rig.session.handled(2, &mut rig.actions);
    assert_eq!(rig.sent(), [0u8; 0]);
    rig.session.handled(1, &mut rig.actions);
    assert_eq!(rig.sent(), [0x40, 2, 0, 7, 0x50, 2, 0, 8]);
    rig.receive(&[0x62, 2, 0, 8]);
    assert_eq!(rig.sent(), [0x70, 2, 0, 8]);
    rig.receive(&[0x62, 2, 0, 8]);
    assert_eq!(rig.sent(), [0x70, 3, 0, 8, 0x92], "the identifier is free");
}

#[test]
fn a_qos_2_message_is_delivered_once_across_connections() {
    let mut rig = Rig::connected();
    rig.receive(&publish(0x34, Some(8), 2));
    rig.lose();
    rig.actions.messages = Batch::default();
    rig.connect(LIMITS, true);
    rig.receive(&publish(0x3C, Some(8), 2));
    assert!(rig.actions.messages.is_empty());
    rig.session.handled_up_to(1, &mut rig.actions);
    assert_eq!(rig.sent(), [0x50, 2, 0, 8]);
}

#[test]
fn far_more_than_our_receive_maximum_is_refused_with_147() {
    let mut rig = Rig::connected();
    (1..=7).for_each(|id| rig.receive(&publish(0x32, Some(id), id)));
    assert_eq!(rig.actions.messages.index.len(), 6, "twice our maximum, and not one more");
    assert_eq!(rig.sent(), [0xE0, 1, 0x93]);
    assert_eq!(rig.actions.end.unwrap().kind(), ErrorKind::Protocol);
}

#[test]
fn hostile_packets_end_the_connection_with_their_reason() {
    let too_large = [0x30, 0xE9, 0x07];
    let alias = [0x30, 6, 0, 0, 3, 0x23, 0, 1];
    for (packet, reason, kind) in [
        (&too_large[..], 0x95, ErrorKind::IncomingTooLarge),
        (&alias[..], 0x94, ErrorKind::Protocol),
        (&[0x20, 3, 0, 0, 0][..], 0x82, ErrorKind::Protocol),
        (&[0xF0, 0][..], 0x82, ErrorKind::Protocol),
        (&[0x31, 4, 0, 2, b'a'][..], 0x81, ErrorKind::Protocol),
        (&[0x10, 0][..], 0x82, ErrorKind::Protocol),
    ] {
        let mut rig = Rig::connected();
        rig.session.receive(packet, rig.now, &mut rig.actions);
        if packet[0] == 0x31 {
            assert!(rig.actions.end.is_none(), "not all of it has come");
            continue;
        }
        assert_eq!(rig.sent(), [0xE0, 1, reason], "{packet:02x?}");
        assert_eq!(rig.actions.end.unwrap().kind(), kind, "{packet:02x?}");
    }
}

#[test]
fn the_server_s_farewell_is_understood_in_its_short_forms() {
    for (packet, kind, reason) in [
        (&[0xE0, 0][..], ErrorKind::ServerDisconnected, 0),
        (&[0xE0, 1, 0x8E][..], ErrorKind::SessionTakenOver, 142),
        (&[0xE0, 2, 0x87, 0][..], ErrorKind::NotAuthorized, 135),
    ] {
        let mut rig = Rig::connected();
        rig.receive(packet);
        let end = rig.actions.end.take().unwrap();
        assert_eq!((end.kind(), end.reason_code()), (kind, Some(reason)));
        assert_eq!(rig.sent(), [0u8; 0]);
    }
}

#[test]
fn split_anywhere_packets_are_the_same() {
    let stream =
        [publish(0x30, None, 1), publish(0x32, Some(1), 2), vec![0xD0, 0], publish(0x30, None, 3)].concat();
    for cut in 0..=stream.len() {
        let mut rig = Rig::connected();
        let used = rig.session.receive(&stream[..cut], rig.now, &mut rig.actions);
        let rest = rig.session.receive(&stream[used..], rig.now, &mut rig.actions);
        assert_eq!((used + rest, rig.actions.messages.index.len()), (stream.len(), 3));
    }
}

#[test]
fn subscribes_and_unsubscribes() {
    let mut rig = Rig::connected();
    rig.subscribe(1, &["a/#"]);
    assert_eq!(rig.sent(), [0x82, 9, 0, 1, 0, 0, 3, b'a', b'/', b'#', 1]);
    rig.receive(&[0x90, 4, 0, 1, 0, 1]);
    assert_eq!(rig.ends(), [(1, Ok(()))]);
    rig.unsubscribe(2, "a/#");
    assert_eq!(rig.sent(), [0xA2, 8, 0, 2, 0, 0, 3, b'a', b'/', b'#']);
    assert!(rig.actions.released.is_empty());
    rig.receive(&[0xB0, 4, 0, 2, 0, 0]);
    assert_eq!(rig.ends(), [(2, Ok(()))]);
    assert_eq!(rig.actions.released, [Released { filter: "a/#".into(), below: 99 }]);
}

#[test]
fn a_refused_subscription_loses_its_handler_and_only_that_one() {
    let mut rig = Rig::connected();
    rig.subscribe(1, &["a", "b"]);
    rig.sent();
    rig.receive(&[0x90, 5, 0, 1, 0, 1, 135]);
    assert_eq!(rig.ends(), [(1, Err(ErrorKind::Refused))]);
    assert_eq!(rig.actions.released, [Released { filter: "b".into(), below: 2 }]);
    rig.lose();
    rig.connect(LIMITS, false);
    assert_eq!(rig.sent(), [0x82, 7, 0, 2, 0, 0, 1, b'a', 1]);
}

#[test]
fn an_unsupported_filter_fails_unsent() {
    let mut rig = Rig::new();
    rig.connect(Limits { wildcard_available: false, shared_available: false, ..LIMITS }, false);
    rig.subscribe(1, &["a/+"]);
    rig.subscribe(2, &["$share/g/a"]);
    assert_eq!(rig.sent(), [0u8; 0]);
    let refused = Err(ErrorKind::SubscriptionNotSupported);
    assert_eq!(rig.ends(), [(1, refused), (2, refused)]);
}

#[test]
fn a_suback_with_a_wrong_count_ends_the_connection() {
    let mut rig = Rig::connected();
    rig.subscribe(1, &["a"]);
    rig.sent();
    rig.receive(&[0x90, 5, 0, 1, 0, 1, 1]);
    assert_eq!(rig.sent(), [0xE0, 1, 0x82]);
}

#[test]
fn a_lost_session_gets_its_subscriptions_back_before_anything_else() {
    let mut rig = Rig::connected();
    rig.subscribe(1, &["a"]);
    rig.sent();
    rig.receive(&[0x90, 4, 0, 1, 0, 1]);
    rig.publish(2, QoS::AtLeastOnce);
    rig.sent();
    rig.lose();
    rig.connect(LIMITS, false);
    let sent = rig.sent();
    assert_eq!(sent[..9], [0x82, 7, 0, 3, 0, 0, 1, b'a', 1]);
    assert_eq!(sent[9..], publish(0x32, Some(2), b'2'));
    rig.receive(&[0x90, 4, 0, 3, 0, 143]);
    assert_eq!(rig.actions.refused.len(), 1, "told, and not fatal");
    assert!(rig.actions.end.is_none());
}

#[test]
fn a_kept_session_needs_no_restoring_but_an_unanswered_request_is_repeated() {
    let mut rig = Rig::connected();
    rig.subscribe(1, &["a"]);
    rig.sent();
    rig.receive(&[0x90, 4, 0, 1, 0, 1]);
    rig.subscribe(2, &["b"]);
    rig.sent();
    rig.lose();
    rig.connect(LIMITS, true);
    assert_eq!(rig.sent(), [0x82, 7, 0, 3, 0, 0, 1, b'b', 1]);
    rig.receive(&[0x90, 4, 0, 3, 0, 1]);
    assert_eq!(rig.ends(), [(1, Ok(())), (2, Ok(()))]);
}

#[test]
fn many_subscriptions_come_back_eight_at_a_time() {
    let mut rig = Rig::connected();
    let names: Vec<String> = (b'a'..=b'j').map(|c| char::from(c).to_string()).collect();
    for name in &names {
        rig.subscribe(1, &[name.as_str()]);
        let id = rig.sent()[3];
        rig.receive(&[0x90, 4, 0, id, 0, 1]);
    }
    rig.lose();
    rig.connect(LIMITS, false);
    let sent = rig.sent();
    assert_eq!((sent[1], sent[38]), (3 + 8 * 4, 3 + 2 * 4));
}

#[test]
fn leaving_tells_every_operation_apart() {
    let mut rig = Rig::new();
    rig.connect(Limits { receive_maximum: 1, ..LIMITS }, false);
    rig.publish(1, QoS::AtLeastOnce);
    rig.sent();
    rig.publish(2, QoS::AtLeastOnce);
    rig.publish(3, QoS::AtMostOnce);
    rig.subscribe(4, &["a"]);
    assert!(rig.session.is_busy());
    let (unwritten, written) =
        (Error::new(ErrorKind::Cancelled, ""), Error::new(ErrorKind::OutcomeUnknown, ""));
    rig.session.lost();
    rig.session.cancel_requests(&unwritten, &mut rig.actions);
    rig.session.abandon(&unwritten, &written, &mut rig.actions);
    let mut ends = rig.ends();
    ends.sort_by_key(|(name, _)| *name);
    let cancelled = Err(ErrorKind::Cancelled);
    assert_eq!(ends, [(1, Err(ErrorKind::OutcomeUnknown)), (2, cancelled), (3, cancelled), (4, cancelled)]);
    assert!(!rig.session.is_busy());
    assert_eq!(rig.actions.freed.0, 3);
}

#[test]
fn pings_and_gives_up() {
    let mut rig = Rig::connected();
    rig.now += 30 * SEC;
    rig.session.time(rig.now, &mut rig.actions);
    assert_eq!(rig.sent(), [0xC0, 0]);
    rig.now += 9 * SEC;
    rig.receive(&[0xD0, 0]);
    rig.session.time(rig.now, &mut rig.actions);
    assert!(rig.actions.end.is_none());
    rig.now += 30 * SEC;
    rig.session.time(rig.now, &mut rig.actions);
    rig.sent();
    rig.now += 10 * SEC;
    rig.session.time(rig.now, &mut rig.actions);
    assert_eq!(rig.actions.end.unwrap().kind(), ErrorKind::KeepAliveTimeout);
}

#[test]
fn nothing_is_taken_above_the_high_water_mark() {
    let mut rig = Rig::connected();
    assert_eq!(rig.session.room(rig.now, HIGH_WATER).bytes, 0);
    let mut unconnected = Rig::new();
    assert_eq!(unconnected.session.room(rig.now, 0), Room::default(), "nor without a connection");
}

#[test]
fn a_topic_that_is_used_again_goes_out_as_its_alias_and_anew_on_each_connection() {
    let mut rig = Rig::new();
    let message = |qos| Message { topic: "spa/42/state", qos, ..Message::default() };
    for _ in 0..2 {
        rig.connect(Limits { topic_alias_maximum: 8, ..LIMITS }, true);
        let mut sent = Vec::new();
        for qos in [QoS::AtMostOnce, QoS::AtMostOnce, QoS::AtLeastOnce, QoS::AtMostOnce] {
            rig.publish_message(1, &message(qos));
            sent.push(rig.sent());
        }
        assert!(sent[..2].iter().all(|packet| packet.windows(12).any(|w| w == b"spa/42/state")));
        assert!(sent[2..].iter().all(|packet| !packet.windows(12).any(|w| w == b"spa/42/state")));
        assert_eq!(sent[3], [0x30, 6, 0, 0, 3, 0x23, 0, 1]);
        let id = sent[2][5];
        rig.receive(&[0x40, 2, 0, id]);
        rig.lose();
    }
}

#[test]
fn a_pace_holds_publishes_back_until_their_time() {
    let mut rig = Rig::new();
    rig.session.set_pace(Pace { messages: 10, bytes: 0 });
    rig.connect(LIMITS, false);
    assert_eq!(rig.session.room(rig.now, 0).messages, 1);
    rig.publish(1, QoS::AtMostOnce);
    rig.sent();
    assert_eq!(rig.session.room(rig.now, 0).messages, 0);
    let resumes = rig.session.deadline().unwrap();
    assert!(resumes < rig.now + SEC);
    assert_eq!(rig.session.room(resumes, 0).messages, 1);
}
