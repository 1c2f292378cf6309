//! A second connection beside the first.

use super::*;

#[test]
fn nothing_follows_the_disconnect_of_a_first_connection_while_the_second_one_greets() {
    let mut rig = Rig::connected();
    rig.receive(&publish(0x32, Some(1), 1));
    rig.session.prepare_takeover(rig.now, &mut rig.actions);
    rig.sent();
    rig.session.await_takeover();
    rig.receive(&[0xF0, 0]);
    assert_eq!(rig.actions.end.take().unwrap().kind(), ErrorKind::Protocol);
    assert_eq!(rig.actions.out, [0xE0, 1, 0x82]);
    // It outlives the first connection's end, and so do the application's calls.
    rig.session.handled(1, &mut rig.actions);
    rig.session.probe(rig.now, &mut rig.actions);
    rig.session.stay_awake(&mut rig.actions);
    rig.session.disconnect(ReasonCode(0), None, &mut rig.actions);
    assert_eq!(rig.actions.out, [0xE0, 1, 0x82], "[MQTT-3.14.4-1]");
}

#[test]
fn what_comes_over_a_first_connection_is_understood_up_to_a_breach_of_the_protocol() {
    let mut rig = Rig::connected();
    let good = publish(0x30, None, 1);
    let oversized = vec![0x30, 0xFF, 0xFF, 0x7F];
    let no_utf_8 = vec![0x30, 5, 0, 2, 0xC3, 0x28, 0];
    for bad in [oversized, no_utf_8] {
        let bytes = [&good[..], &bad, &good].concat();
        assert_eq!(rig.session.receive_stray(&bytes, true, &mut rig.actions), None);
        assert_eq!(rig.actions.messages.len(), 1, "what is behind is no packet, and is not kept either");
        rig.actions.messages = Batch::default();
    }
    let begun = [&good[..], &good[..3]].concat();
    assert_eq!(rig.session.receive_stray(&begun, true, &mut rig.actions), Some(good.len()));
}

#[test]
fn a_refused_connection_leaves_the_first_one_as_it_was() {
    let mut rig = Rig::connected();
    rig.session.prepare_takeover(rig.now, &mut rig.actions);
    assert_eq!(rig.sent(), [0xC0, 0]);
    let room = rig.session.room(rig.now, 0);
    assert!(!room.qos0 && room.acked > 0 && !rig.session.settled());
    rig.receive(&[0xD0, 0]);
    assert!(rig.session.settled());
    rig.session.await_takeover();
    assert_eq!(rig.session.room(rig.now, 0), Room::default());
    rig.session.resume(rig.now, &mut rig.actions);
    assert!(rig.session.room(rig.now, 0).qos0);
}
