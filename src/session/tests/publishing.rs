//! What goes to the server on one connection.

use super::*;

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
fn qos_2_tells_the_reason_code_of_its_pubrec() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::ExactlyOnce);
    rig.sent();
    rig.receive(&[0x50, 3, 0, 1, 16]);
    rig.receive(&[0x70, 2, 0, 1]);
    let codes: Vec<_> = rig.actions.done.iter().map(|(_, ack)| ack.reason_code).collect();
    assert_eq!(codes, [Some(16)], "no matching subscribers");
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
fn an_unanswered_operation_times_out_and_keeps_its_identifier() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::AtLeastOnce);
    rig.sent();
    assert_eq!(rig.session.deadline(), Some(rig.now + 30 * SEC), "the keep alive comes first");
    rig.now += 60 * SEC;
    rig.session.time(rig.now, &mut rig.actions);
    assert_eq!(rig.ends(), [(1, Err(ErrorKind::OutcomeUnknown))]);
    let end = rig.actions.end.take();
    assert!(end.is_some(), "the server is given another chance, by a new connection");
    rig.now += 60 * SEC;
    rig.session.time(rig.now, &mut rig.actions);
    rig.actions.end = None;
    rig.publish(2, QoS::AtLeastOnce);
    rig.receive(&[0x40, 2, 0, 1]);
    assert_eq!(rig.ends(), [], "1 was told, and 2 has another identifier");
    rig.sent();
    rig.receive(&[0x40, 2, 0, 2]);
    assert_eq!(rig.ends(), [(2, Ok(()))]);
    assert_eq!(rig.actions.freed.0, 2);
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
    let quotas = Quotas { pace: Pace { messages: 10, bytes: 0 }, ..Quotas::NONE };
    rig.connect(Limits { quotas, ..LIMITS }, false);
    assert_eq!(rig.session.room(rig.now, 0).messages, 1);
    rig.publish(1, QoS::AtMostOnce);
    rig.sent();
    assert_eq!(rig.session.room(rig.now, 0).messages, 0);
    let resumes = rig.session.deadline().unwrap();
    assert!(resumes < rig.now + SEC);
    assert_eq!(rig.session.room(resumes, 0).messages, 1);
}
