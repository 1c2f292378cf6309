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
