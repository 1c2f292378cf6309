//! From one connection to the next.

use super::*;

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
    let unknown = [(2, Err(ErrorKind::OutcomeUnknown))];
    assert_eq!(rig.ends(), unknown, "the server had taken it over, and has perhaps not passed it on");
}

#[test]
fn a_session_that_is_perhaps_another_one_is_resumed_but_nothing_of_it_is_believed() {
    let mut rig = Rig::connected();
    rig.subscribe(1, &["a"]);
    rig.sent();
    rig.receive(&[0x90, 4, 0, 1, 0, 1]);
    rig.publish(2, QoS::ExactlyOnce);
    rig.publish(3, QoS::AtLeastOnce);
    rig.sent();
    rig.receive(&[0x50, 2, 0, 2]);
    rig.receive(&publish(0x34, Some(7), 1));
    rig.session.handled(1, &mut rig.actions);
    rig.ends();
    rig.lose();
    rig.actions.messages = Batch::default();
    rig.session.doubt();
    rig.connect(LIMITS, true);
    let expected = [vec![0x82, 7, 0, 4, 0, 0, 1, b'a', 1], vec![0x62, 2, 0, 2], publish(0x3A, Some(3), b'3')];
    assert_eq!(rig.sent(), expected.concat());
    assert_eq!(rig.ends(), [(2, Err(ErrorKind::OutcomeUnknown))]);
    rig.receive(&[0x70, 2, 0, 2, 0x40, 2, 0, 3]);
    assert_eq!(rig.ends(), [(3, Ok(()))], "2 has been told");
    assert_eq!(rig.actions.freed.0, 2);
    rig.receive(&publish(0x3C, Some(7), 1));
    assert!(rig.actions.messages.is_empty(), "a repetition");
    rig.receive(&publish(0x34, Some(7), 2));
    assert_eq!(rig.actions.messages.len(), 1, "another message, in another session");
    rig.lose();
    rig.connect(LIMITS, true);
    assert_eq!(rig.sent()[0], 0x82, "its SUBACK had not come");
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
fn a_message_that_the_server_ends_connections_over_is_not_sent_a_third_time() {
    let mut rig = Rig::connected();
    (1..=3).for_each(|name| rig.publish(name, QoS::AtLeastOnce));
    for _ in 0..2 {
        rig.sent();
        rig.receive(&[0x40, 2, 0, 1, 0xE0, 1, 149]);
        rig.actions.end = None;
        rig.lose();
        rig.connect(LIMITS, true);
    }
    assert_eq!(rig.ends(), [(1, Ok(())), (2, Err(ErrorKind::Refused))]);
    assert_eq!(rig.sent(), publish(0x3A, Some(3), b'3'));
}

#[test]
fn a_server_that_never_acknowledges_does_not_keep_its_quota_for_ever() {
    let mut rig = Rig::new();
    let limits = Limits { receive_maximum: 1, keep_alive_secs: 0, ..LIMITS };
    rig.connect(limits, false);
    rig.publish(1, QoS::AtLeastOnce);
    rig.publish(2, QoS::AtLeastOnce);
    for _ in 0..2 {
        assert!(rig.sent().ends_with(&[0, b'1']));
        rig.now += 60 * SEC;
        rig.session.time(rig.now, &mut rig.actions);
        assert_eq!(rig.actions.end.take().unwrap().kind(), ErrorKind::ConnectionLost);
        rig.lose();
        rig.connect(limits, true);
    }
    assert_eq!(rig.ends(), [(1, Err(ErrorKind::OutcomeUnknown))], "told once");
    assert_eq!(rig.sent(), publish(0x32, Some(2), b'2'));
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
fn what_went_out_in_an_earlier_session_is_not_told_as_unsent() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::AtLeastOnce);
    let message =
        Message { topic: "t", qos: QoS::AtLeastOnce, message_expiry_secs: Some(5), ..Message::default() };
    rig.publish_message(2, &message);
    rig.sent();
    rig.lose();
    rig.now += 10 * SEC;
    rig.connect(LIMITS, false);
    assert_eq!(rig.ends(), [(2, Err(ErrorKind::OutcomeUnknown))], "it is too late to send it again");
    assert_eq!(rig.actions.out, publish(0x32, Some(1), b'1'), "not DUP: this session does not know it");
    let (unwritten, written) =
        (Error::new(ErrorKind::Cancelled, ""), Error::new(ErrorKind::OutcomeUnknown, ""));
    rig.session.abandon(&unwritten, &written, &mut rig.actions);
    assert_eq!(rig.ends(), [(1, Err(ErrorKind::OutcomeUnknown))]);
}

#[test]
fn nothing_overtakes_a_repetition_that_waits_for_its_pace() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::AtLeastOnce);
    rig.publish(2, QoS::AtLeastOnce);
    rig.sent();
    rig.lose();
    let quotas = Quotas { pace: Pace { messages: 10, bytes: 0 }, ..Quotas::NONE };
    rig.connect(Limits { quotas, ..LIMITS }, true);
    assert_eq!(rig.sent(), publish(0x3A, Some(1), b'1'));
    rig.now = rig.session.deadline().unwrap();
    assert_eq!(rig.session.room(rig.now, 0), Room::default(), "the queue has to wait");
    rig.session.time(rig.now, &mut rig.actions);
    assert_eq!(rig.sent(), publish(0x3A, Some(2), b'2'));
    assert_eq!(rig.session.room(rig.now + SEC, 0).messages, 1);
}
