//! What comes from the server.

use super::*;

/// How long each packet is, and its number.
fn lengths(batch: &Batch) -> Vec<(usize, u64)> {
    batch.packets().map(|(packet, number)| (packet.len(), number)).collect()
}

#[test]
fn messages_are_acknowledged_when_they_are_handled_and_in_order() {
    let mut rig = Rig::connected();
    rig.receive(&[publish(0x32, Some(7), 1), publish(0x34, Some(8), 2), publish(0x30, None, 3)].concat());
    assert_eq!(lengths(&rig.actions.messages), [(9, 1), (9, 2), (7, 0)]);
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
fn qos_0_can_be_taken_out_of_what_was_received() {
    let mut rig = Rig::connected();
    let (zero, one) = (publish(0x30, None, 1), publish(0x32, Some(7), 2));
    rig.receive(&[&zero[..], &one, &zero, &zero, &one[..5], &[8], &one[6..]].concat());
    let mut batch = std::mem::take(&mut rig.actions.messages);
    assert_eq!(batch.drop_at_most_once(), 3);
    assert_eq!((lengths(&batch), batch.packets().next()), (vec![(9, 1), (9, 2)], Some((&one[..], 1))));
    assert_eq!((batch.drop_at_most_once(), batch.len()), (0, 2));
    rig.receive(&zero);
    let mut batch = std::mem::take(&mut rig.actions.messages);
    assert_eq!((batch.drop_at_most_once(), batch.is_empty(), batch.bytes_held()), (1, true, 0));
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
    (1..=49).for_each(|id| rig.receive(&publish(0x32, Some(id), id)));
    assert_eq!(rig.actions.messages.len(), 48, "sixteen times our maximum, and not one more");
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
        assert_eq!((used + rest, rig.actions.messages.len()), (stream.len(), 3));
    }
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
fn nothing_follows_a_disconnect() {
    let mut rig = Rig::connected();
    rig.receive(&[0xF0, 0]);
    rig.session.probe(rig.now, &mut rig.actions);
    rig.session.stay_awake(&mut rig.actions);
    rig.now += 60 * SEC;
    rig.session.time(rig.now, &mut rig.actions);
    assert_eq!(rig.actions.out, [0xE0, 1, 0x82], "[MQTT-3.14.4-1]");
    assert_eq!(rig.actions.end.as_ref().unwrap().kind(), ErrorKind::Protocol, "the first reason stays");
}
