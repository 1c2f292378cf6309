//! The ways to go on trying that are compared.

use crate::model::{CoolDown, Jitter, Variant};
use gecko_mqtt::reconnect::Policy;
use std::time::Duration;

/// Each jitter, with the cool-down and without.
pub fn jitters() -> Vec<Variant> {
    let jitters = [
        ("none", Jitter::None),
        ("equal", Jitter::Equal),
        ("full", Jitter::Full),
        ("decorrelated", Jitter::Decorrelated),
    ];
    let endless = Policy { max_attempts: 0, ..Policy::DEFAULT };
    let rounds = [("with cool-down", Policy::DEFAULT), ("without", endless)];
    jitters
        .into_iter()
        .flat_map(|(name, jitter)| {
            rounds.map(|(round, policy)| Variant {
                name: format!("{name} {round}"),
                jitter,
                policy,
                cool_down: None,
                busy: None,
            })
        })
        .collect()
}

/// The library's way.
pub const LIBRARY: &str = "full with cool-down";

/// The library's way, with its cool-down and its factor written out.
pub const SPELLED: &str = "0..1, then 3/4..1, x8 (the library)";

/// Cool-downs, as shares of the policy's, and factors where the server is busy; the first is what the library did
/// before it was simulated.
pub fn alternatives() -> Vec<Variant> {
    let all = (0.0, 1.0);
    let cool_down = |first, later| CoolDown { first, later, growth: 1.0, most: 1.0 };
    let adopted = cool_down(all, (0.75, 1.0));
    let doubling = |most| CoolDown { growth: 2.0, most, ..cool_down(all, (0.5, 1.0)) };
    let own = |name: &str, cool_down, busy| Variant {
        name: name.to_owned(),
        jitter: Jitter::Full,
        policy: Policy::DEFAULT,
        cool_down: Some(cool_down),
        busy: Some(busy),
    };
    let patient = Policy { initial: Duration::from_secs(30), ..Policy::DEFAULT };
    vec![
        own("1/2..1, x4 (as it was)", cool_down((0.5, 1.0), (0.5, 1.0)), 4.0),
        own("1, x4", cool_down((1.0, 1.0), (1.0, 1.0)), 4.0),
        own("3/4..1, x4", cool_down((0.75, 1.0), (0.75, 1.0)), 4.0),
        own("0..1, x4", cool_down(all, all), 4.0),
        own("1/2..3/2, x4", cool_down((0.5, 1.5), (0.5, 1.5)), 4.0),
        own("0..1, then doubling to 600 s, x4", doubling(2.0), 4.0),
        own("0..1, then doubling to 1200 s, x4", doubling(4.0), 4.0),
        own("0..1, then 1/2..1, x4", cool_down(all, (0.5, 1.0)), 4.0),
        own("0..1, then 1, x4", cool_down(all, (1.0, 1.0)), 4.0),
        own("0..1, then 3/4..1, x2", adopted, 2.0),
        own("0..1, then 3/4..1, x4", adopted, 4.0),
        own(SPELLED, adopted, 8.0),
        own("0..1, then 3/4..1, x16", adopted, 16.0),
        Variant { policy: patient, ..own("the library's, first delay 30 s", adopted, 8.0) },
    ]
}
