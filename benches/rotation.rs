//! How long no publish can be written while the token is renewed: by rotation, and by stopping and connecting anew.
//! `cargo bench --bench rotation [-- RENEWALS]` prints a table, in round trips.

#[path = "../tests/rotation/load.rs"]
mod load;
#[path = "../tests/support/mod.rs"]
mod support;

use load::{ROUND_TRIP, Report, Way};
use std::time::Duration;

fn main() {
    let renewals = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(20);
    let life = Duration::from_secs(4);
    let round_trips = |time: Duration| time.as_secs_f64() / ROUND_TRIP.as_secs_f64();
    let row = |name: &str, report: &Report| {
        let most = report.gaps.iter().max().copied().unwrap_or_default();
        println!(
            "| {name} | {:.2} | {:.2} | {} | {} | {} | {} |",
            round_trips(report.median_gap()),
            round_trips(most),
            // The first connection is none.
            report.states.len() - 2,
            2 * report.sent,
            report.lost.iter().sum::<u32>() + report.failed as u32,
            report.repeated.iter().chain(&report.doubled).sum::<u32>(),
        );
        assert!(report.protocol_errors.is_empty(), "{:?}", report.protocol_errors);
    };
    println!("{renewals} renewals, {} messages a second each way, QoS 1, TLS\n", load::MESSAGES_A_SECOND);
    println!(
        "| way | median gap (round trips) | longest gap | changes of state | messages | lost | repeated |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let rotated = load::run(Way::Rotate, renewals, life);
    row("rotation", &rotated);
    let anew = load::run(Way::Anew, renewals, life);
    row("stop and connect anew", &anew);
    let ratio = anew.median_gap().as_secs_f64() / rotated.median_gap().as_secs_f64();
    println!("\nstop and connect anew: {ratio:.1} times the gap");
}
