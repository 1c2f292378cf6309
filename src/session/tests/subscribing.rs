//! SUBSCRIBE and UNSUBSCRIBE.

use super::*;

#[test]
fn no_matching_subscribers_is_a_success() {
    let mut rig = Rig::connected();
    rig.publish(1, QoS::AtLeastOnce);
    rig.sent();
    rig.receive(&[0x40, 3, 0, 1, 16]);
    assert_eq!(rig.ends(), [(1, Ok(()))]);
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
    assert_eq!(rig.released(), [("a/#".into(), 0..1)], "none before the first");
    rig.receive(&[0xB0, 4, 0, 2, 0, 0]);
    assert_eq!(rig.ends(), [(2, Ok(()))]);
    assert_eq!(rig.released(), [("a/#".into(), 0..99)]);
}

#[test]
fn a_refused_subscription_loses_its_handler_and_only_that_one() {
    let mut rig = Rig::connected();
    rig.subscribe(1, &["a", "b"]);
    rig.sent();
    rig.receive(&[0x90, 5, 0, 1, 0, 1, 135]);
    assert_eq!(rig.ends(), [(1, Err(ErrorKind::Refused))]);
    assert_eq!(rig.released(), [("a".into(), 0..1), ("b".into(), 1..2)]);
    rig.lose();
    rig.connect(LIMITS, false);
    assert_eq!(rig.sent(), [0x82, 7, 0, 2, 0, 0, 1, b'a', 1]);
}

#[test]
fn a_subscription_that_takes_another_s_place_does_so_when_it_is_granted() {
    let mut rig = Rig::connected();
    rig.subscribe(1, &["a"]);
    rig.subscribe(2, &["a"]);
    rig.subscribe(3, &["a"]);
    rig.sent();
    rig.receive(&[0x90, 4, 0, 1, 0, 1]);
    rig.receive(&[0x90, 4, 0, 2, 0, 135]);
    assert_eq!(rig.released(), [("a".into(), 0..1), ("a".into(), 2..3)]);
    rig.receive(&[0x90, 4, 0, 3, 0, 1]);
    assert_eq!(rig.released(), [("a".into(), 0..3)]);
    assert_eq!(rig.ends(), [(1, Ok(())), (2, Err(ErrorKind::Refused)), (3, Ok(()))]);
}

#[test]
fn one_that_is_refused_after_a_lost_session_leaves_the_one_that_was_restored() {
    let mut rig = Rig::connected();
    rig.subscribe(1, &["a"]);
    rig.sent();
    rig.receive(&[0x90, 4, 0, 1, 0, 1]);
    rig.subscribe(2, &["a"]);
    rig.sent();
    rig.released();
    rig.lose();
    rig.connect(LIMITS, false);
    let both = [[0x82, 7, 0, 3, 0, 0, 1, b'a', 1], [0x82, 7, 0, 4, 0, 0, 1, b'a', 1]].concat();
    assert_eq!(rig.sent(), both);
    rig.receive(&[0x90, 4, 0, 3, 0, 1]);
    rig.receive(&[0x90, 4, 0, 4, 0, 135]);
    assert_eq!(rig.released(), [("a".into(), 2..3)]);
    rig.lose();
    rig.connect(LIMITS, false);
    assert_eq!(rig.sent(), [0x82, 7, 0, 5, 0, 0, 1, b'a', 1]);
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
fn what_the_server_would_not_restore_is_asked_for_again_on_the_next_connection() {
    let mut rig = Rig::connected();
    rig.subscribe(1, &["a"]);
    rig.sent();
    rig.receive(&[0x90, 4, 0, 1, 0, 1]);
    rig.lose();
    rig.connect(LIMITS, false);
    rig.sent();
    rig.receive(&[0x90, 4, 0, 2, 0, 151]);
    rig.lose();
    rig.connect(LIMITS, true);
    assert_eq!(rig.sent(), [0x82, 7, 0, 3, 0, 0, 1, b'a', 1]);
    rig.receive(&[0x90, 4, 0, 3, 0, 1]);
    assert_eq!(rig.released(), [("a".into(), 0..1)], "its own handler was never dropped");
    rig.lose();
    rig.connect(LIMITS, true);
    assert_eq!(rig.sent(), [0u8; 0], "the server has it again");
}

#[test]
fn one_filter_that_cannot_be_restored_keeps_no_other_from_it() {
    let mut rig = Rig::connected();
    rig.subscribe(1, &["a", "b/#", "c"]);
    rig.sent();
    rig.receive(&[0x90, 6, 0, 1, 0, 1, 1, 1]);
    rig.lose();
    rig.connect(Limits { wildcard_available: false, ..LIMITS }, false);
    let expected = [[0x82, 7, 0, 2, 0, 0, 1, b'a', 1], [0x82, 7, 0, 3, 0, 0, 1, b'c', 1]].concat();
    assert_eq!(rig.sent(), expected);
    assert_eq!(rig.actions.refused.iter().map(|(filter, _)| &**filter).collect::<Vec<_>>(), ["b/#"]);
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
