//! What rumqttc 0.25.1, a client that is much used, was measured to do wrong with MQTT 5: each of these faults as a test
//! that this session passes.

use super::*;
use crate::packet::frame;

/// So many QoS 1 messages, each with its number.
fn publish_many(rig: &mut Rig, numbers: std::ops::Range<u16>) {
    for number in numbers {
        let payload = number.to_be_bytes();
        let qos = QoS::AtLeastOnce;
        rig.publish_message(
            number.into(),
            &Message { topic: "t", payload: &payload, qos, ..Message::default() },
        );
    }
}

/// What was written since the last time: packet identifier, DUP, number.
fn arrivals(rig: &mut Rig) -> Vec<(u8, bool, u16)> {
    let (out, mut arrivals) = (rig.sent(), Vec::new());
    let mut rest = &out[..];
    while let Some(frame) = frame(rest, u32::MAX).unwrap() {
        assert_eq!(frame.first & 0xF7, 0x32, "nothing but QoS 1 is published here");
        let [.., high, low] = frame.body else { panic!("a PUBLISH without its number") };
        arrivals.push((frame.body[4], frame.first & 8 != 0, u16::from_be_bytes([*high, *low])));
        rest = &rest[frame.len..];
    }
    arrivals
}

/// Acknowledges everything until nothing more comes, and never is owed more than `quota`; the numbers that came.
fn serve(rig: &mut Rig, quota: usize) -> Vec<u16> {
    let mut numbers = Vec::new();
    loop {
        let arrived = arrivals(rig);
        assert!(arrived.len() <= quota, "{} unacknowledged [MQTT-3.3.4-7]", arrived.len());
        if arrived.is_empty() {
            return numbers;
        }
        for (id, _, number) in arrived {
            numbers.push(number);
            rig.receive(&[0x40, 2, 0, id]);
        }
    }
}

fn all_done(count: u32) -> Vec<(u32, Result<(), ErrorKind>)> {
    (0..count).map(|number| (number, Ok(()))).collect()
}

/// It dropped all queued requests: 45 of 50 were lost.
#[test]
fn a_lost_session_drops_nothing_that_waits() {
    let mut rig = Rig::new();
    let limits = Limits { receive_maximum: 5, ..LIMITS };
    rig.connect(limits, false);
    publish_many(&mut rig, 0..50);
    assert_eq!(arrivals(&mut rig).len(), 5);
    rig.lose();
    rig.connect(limits, false);
    assert_eq!(serve(&mut rig, 5), (0..50).collect::<Vec<u16>>());
    assert_eq!(rig.ends(), all_done(50));
}

/// It ignored it: 62 of 500 were lost, where the receive maximum was 100.
#[test]
fn a_replay_keeps_within_the_send_quota() {
    let mut rig = Rig::new();
    rig.connect(Limits { receive_maximum: 200, ..LIMITS }, false);
    publish_many(&mut rig, 0..200);
    assert_eq!(arrivals(&mut rig).len(), 200);
    rig.lose();
    rig.connect(Limits { receive_maximum: 100, ..LIMITS }, true);
    assert_eq!(serve(&mut rig, 100), (0..200).collect::<Vec<u16>>());
    assert_eq!(rig.ends(), all_done(200));
}

/// It did so for good.
#[test]
fn an_acknowledgement_out_of_order_before_a_lost_session_does_not_block_sending() {
    let mut rig = Rig::new();
    let limits = Limits { receive_maximum: 3, ..LIMITS };
    rig.connect(limits, false);
    publish_many(&mut rig, 0..6);
    let arrived = arrivals(&mut rig);
    rig.receive(&[0x40, 2, 0, arrived[2].0]);
    rig.lose();
    rig.connect(limits, false);
    assert_eq!(serve(&mut rig, 3), [0, 1, 3, 4, 5]);
    publish_many(&mut rig, 6..9);
    assert_eq!(serve(&mut rig, 3), [6, 7, 8]);
    assert_eq!(rig.ends().len(), 9);
}

/// It connected anew, and again, for ever.
#[test]
fn a_publish_above_the_server_s_maximum_packet_size_costs_no_connection() {
    let mut rig = Rig::new();
    let limits = Limits { maximum_packet_size: 100, ..LIMITS };
    rig.connect(limits, false);
    let qos = QoS::AtLeastOnce;
    rig.publish_message(0, &Message { topic: "t", payload: &[0; 100], qos, ..Message::default() });
    publish_many(&mut rig, 1..2);
    assert_eq!(rig.ends(), [(0, Err(ErrorKind::PacketTooLarge))]);
    assert!(rig.actions.end.is_none());
    assert_eq!(serve(&mut rig, 10), [1]);
    rig.lose();
    rig.connect(limits, true);
    assert_eq!(arrivals(&mut rig), []);
}

/// It sent a flood of them.
#[test]
fn a_server_keep_alive_of_0_means_no_pings() {
    let mut rig = Rig::new();
    rig.connect(Limits { keep_alive_secs: 0, ..LIMITS }, false);
    assert_eq!(rig.session.deadline(), None);
    rig.now += 86_400 * SEC;
    rig.session.time(rig.now, &mut rig.actions);
    assert_eq!(rig.sent(), [0u8; 0]);
    assert!(rig.actions.end.is_none());
}

/// It panicked where it was under 5 s.
#[test]
fn a_keep_alive_may_be_as_short_as_a_second() {
    let mut rig = Rig::new();
    rig.connect(Limits { keep_alive_secs: 1, ..LIMITS }, false);
    for _ in 0..3 {
        rig.now += SEC;
        rig.session.time(rig.now, &mut rig.actions);
        assert_eq!(rig.sent(), [0xC0, 0]);
        rig.receive(&[0xD0, 0]);
    }
    assert!(rig.actions.end.is_none());
}

/// It never did [MQTT-3.3.1-1].
#[test]
fn a_replay_sets_dup() {
    let mut rig = Rig::connected();
    publish_many(&mut rig, 0..2);
    assert_eq!(arrivals(&mut rig), [(1, false, 0), (2, false, 1)]);
    rig.lose();
    rig.connect(LIMITS, true);
    assert_eq!(arrivals(&mut rig), [(1, true, 0), (2, true, 1)]);
}

/// It flushed after each of them. Ours are in one buffer before the first byte is written, and the driver writes that
/// at once (`many_messages_are_one_write`).
#[test]
fn many_requests_are_one_batch() {
    let mut rig = Rig::new();
    rig.connect(Limits { receive_maximum: 100, ..LIMITS }, false);
    publish_many(&mut rig, 0..100);
    let batch = rig.actions.out.len();
    assert_eq!(rig.sent().len(), batch, "nothing waited for a write");
    let mut acknowledgements = Vec::new();
    (1..=100).for_each(|id| acknowledgements.extend([0x40, 2, 0, id]));
    rig.receive(&acknowledgements);
    assert_eq!(rig.ends(), all_done(100));
}
