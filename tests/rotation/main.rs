//! Twenty rotations under load, over a network with 100 ms of round trip.

mod load;
#[path = "../support/mod.rs"]
mod support;

use gecko_mqtt::ConnectionState;
use load::{ROUND_TRIP, Way};
use std::time::Duration;

#[test]
fn twenty_rotations_under_load_lose_nothing_and_nobody_notices() {
    let report = load::run(Way::Rotate, 20, Duration::from_secs(10));
    println!(
        "{} messages each way, {:?} of them repeated with DUP; no publish at the proxy for {:.2} round trips at the \
         median, {:.2} at the most",
        report.sent,
        report.repeated,
        report.median_gap().as_secs_f64() / ROUND_TRIP.as_secs_f64(),
        report.gaps.iter().max().unwrap().as_secs_f64() / ROUND_TRIP.as_secs_f64(),
    );
    assert_eq!((report.failed, report.lost, report.doubled), (0, [0, 0], [0, 0]));
    assert_eq!(report.states, [ConnectionState::Connecting, ConnectionState::Connected]);
    assert_eq!(report.protocol_errors, Vec::<String>::new());
    assert_eq!(report.gaps.len(), 20);
}

#[test]
fn who_connects_anew_loses_nothing_either_but_everybody_notices() {
    let report = load::run(Way::Anew, 2, Duration::from_secs(4));
    assert_eq!((report.failed, report.lost, report.doubled), (0, [0, 0], [0, 0]));
    assert!(report.states.len() > 2);
}
