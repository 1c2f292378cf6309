//! When to ask for the next token. The caller brings the time.

use super::Expiry;
use std::time::Duration;

/// How long before its end a token is renewed, unless set otherwise.
pub const DEFAULT_THRESHOLD: Duration = Duration::from_secs(900);

/// How much of the lead jitter may add to it.
const JITTER_SHARE: f64 = 0.1;

const FIRST_RETRY: Duration = Duration::from_secs(30);
const LAST_RETRY: Duration = Duration::from_secs(300);
/// With less than this left, another attempt before the end would be in vain.
const TOO_LATE: Duration = Duration::from_secs(2);

/// The two clocks, read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// The clock since boot, which goes on while the device sleeps (CLOCK_BOOTTIME).
    pub boot: Duration,
    /// The wall clock in Unix milliseconds, which somebody may set.
    pub unix_ms: u64,
}

/// How a token stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// Its end is not known: only the server's word, or the application's, asks for another.
    NoExpiry,
    /// Good for now. The time assumes that the device does not sleep and that nobody sets its clock, so look
    /// again after either.
    Fresh {
        /// Time until a refresh is due.
        refresh_in: Duration,
    },
    /// It still holds, and another should be asked for.
    RefreshDue {
        /// Time until it ends.
        expires_in: Duration,
    },
    /// It has ended.
    Expired {
        /// Time since it ended.
        since: Duration,
    },
}

/// A token's life, as seen from the moment when it was received.
///
/// - `Expiry::In` counts on the boot clock alone: setting the wall clock does nothing, sleep counts.
/// - `Expiry::At` compares with the wall clock: set forward, or put right after a boot in 1970, it brings the
///   refresh sooner. Setting it back does not gain a token time: what it had left on receipt counts down on
///   the boot clock as well, and the earlier end counts.
/// - `Expiry::At` that was over on receipt is expired until the wall clock is set back to before it, for then
///   the clock was ahead. [`Schedule::expired_on_receipt`] tells such a token from one that got old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    expiry: Expiry,
    received: Clocks,
    lead: Duration,
}

impl Schedule {
    /// The schedule of a token that was received just now.
    ///
    /// A refresh is due `threshold` before the end; for a life shorter than twice that, at half of it.
    /// `jitter`, 0 to 1, brings it forward by up to a tenth of that lead, so that devices whose tokens were
    /// minted together do not ask together; the threshold itself is always kept. With threshold 0 a token is
    /// fresh until it has expired.
    pub fn new(expiry: Expiry, received: Clocks, threshold: Duration, jitter: f64) -> Self {
        let life = match expiry {
            Expiry::Unknown => None,
            Expiry::In(life) => Some(life),
            // One that was over when it came has a life that this clock cannot tell.
            Expiry::At { unix_ms } => unix_ms.checked_sub(received.unix_ms).map(Duration::from_millis),
        };
        let lead = life.map_or(threshold, |life| threshold.min(life / 2));
        let jitter = if (0.0..=1.0).contains(&jitter) { jitter } else { 0.0 };
        let lead = lead.saturating_add(lead.mul_f64(jitter * JITTER_SHARE));
        Self { expiry, received, lead }
    }

    /// How the token stands now.
    pub fn state(&self, now: Clocks) -> TokenState {
        let since_receipt = now.boot.saturating_sub(self.received.boot);
        let left = match self.expiry {
            Expiry::Unknown => return TokenState::NoExpiry,
            Expiry::In(life) => Left::between(since_receipt, life),
            Expiry::At { unix_ms } => {
                let end = Duration::from_millis(unix_ms);
                let by_wall = Left::between(Duration::from_millis(now.unix_ms), end);
                match Left::between(Duration::from_millis(self.received.unix_ms), end) {
                    Left::Over(_) => by_wall,
                    Left::Time(life) => by_wall.earlier(Left::between(since_receipt, life)),
                }
            }
        };
        match left {
            Left::Over(since) => TokenState::Expired { since },
            Left::Time(left) if left <= self.lead => TokenState::RefreshDue { expires_in: left },
            Left::Time(left) => TokenState::Fresh { refresh_in: left - self.lead },
        }
    }

    /// Whether the token was over when it came: its issuer's clock or this device's is wrong.
    pub fn expired_on_receipt(&self) -> bool {
        matches!(self.state(self.received), TokenState::Expired { .. })
    }
}

/// What is left, or how long it has been over; nothing left is over.
enum Left {
    Time(Duration),
    Over(Duration),
}

impl Left {
    fn between(now: Duration, end: Duration) -> Self {
        match end.checked_sub(now) {
            Some(left) if !left.is_zero() => Self::Time(left),
            _ => Self::Over(now.saturating_sub(end)),
        }
    }

    fn earlier(self, other: Self) -> Self {
        match (self, other) {
            (Self::Time(a), Self::Time(b)) => Self::Time(a.min(b)),
            (Self::Over(a), Self::Over(b)) => Self::Over(a.max(b)),
            (over @ Self::Over(_), _) | (_, over @ Self::Over(_)) => over,
        }
    }
}

/// How long to wait after a refresh failed, for the `failures`th time in a row (from 1).
///
/// 30 s, doubling to 300 s. While the old token still has `expires_in` to live, the wait is shortened so that
/// one more attempt, which may take `attempt`, fits in before the end; where even that is too long, to half of
/// what is left. In the last two seconds there is no point in hurrying any more.
pub fn retry_delay(failures: u32, expires_in: Option<Duration>, attempt: Duration) -> Duration {
    let doubled = FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(8));
    let delay = doubled.min(LAST_RETRY);
    match expires_in {
        Some(left) if left > TOO_LATE => delay.min(left.saturating_sub(attempt).max(left / 2)),
        _ => delay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_763_932_560_000;
    const HOUR: i64 = 3600;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    /// `boot` seconds after receipt, with a wall clock that was set by `wall` seconds in between.
    fn after(boot: u64, wall: i64) -> Clocks {
        let unix_ms = NOW.saturating_add(boot * 1000).saturating_add_signed(wall * 1000);
        Clocks { boot: secs(5000 + boot), unix_ms }
    }

    fn in_secs(life: u64) -> Expiry {
        Expiry::In(secs(life))
    }

    fn at_secs(life: i64) -> Expiry {
        Expiry::At { unix_ms: NOW.saturating_add_signed(life * 1000) }
    }

    fn fresh(secs: u64) -> TokenState {
        TokenState::Fresh { refresh_in: Duration::from_secs(secs) }
    }

    fn due(secs: u64) -> TokenState {
        TokenState::RefreshDue { expires_in: Duration::from_secs(secs) }
    }

    fn expired(secs: u64) -> TokenState {
        TokenState::Expired { since: Duration::from_secs(secs) }
    }

    #[test]
    fn follows_a_token_through_its_life() {
        let table = [
            // (expiry, seconds since receipt, wall clock set by, state)
            (Expiry::Unknown, 1_000_000, 0, TokenState::NoExpiry),
            // An hour: due 15 minutes before the end.
            (in_secs(3600), 0, 0, fresh(2700)),
            (in_secs(3600), 2699, 0, fresh(1)),
            (in_secs(3600), 2700, 0, due(900)),
            (in_secs(3600), 3599, 0, due(1)),
            (in_secs(3600), 3600, 0, expired(0)),
            (in_secs(3600), 3605, 0, expired(5)),
            (at_secs(3600), 0, 0, fresh(2700)),
            (at_secs(3600), 2700, 0, due(900)),
            (at_secs(3600), 3605, 0, expired(5)),
            // Exactly twice the threshold, and a little less.
            (in_secs(1800), 899, 0, fresh(1)),
            (in_secs(1800), 900, 0, due(900)),
            (in_secs(1000), 499, 0, fresh(1)),
            (in_secs(1000), 500, 0, due(500)),
            (at_secs(10), 4, 0, fresh(1)),
            (at_secs(10), 5, 0, due(5)),
            // The clock is set forward: only an absolute expiry cares.
            (in_secs(3600), 60, 2 * HOUR, fresh(2640)),
            (at_secs(3600), 60, 2640, due(900)),
            (at_secs(3600), 60, 2 * HOUR, expired(3660)),
            // The clock is set back: nobody gains time.
            (in_secs(3600), 60, -24 * HOUR, fresh(2640)),
            (at_secs(3600), 60, -24 * HOUR, fresh(2640)),
            (at_secs(3600), 2700, -24 * HOUR, due(900)),
            (at_secs(3600), 3605, -24 * HOUR, expired(5)),
            // The clock is set after the end.
            (at_secs(3600), 4000, -200, expired(400)),
            (at_secs(3600), 4000, 200, expired(600)),
            // The device slept for a day.
            (in_secs(3600), 86_400, 0, expired(82_800)),
            (at_secs(3600), 86_400, 0, expired(82_800)),
            // Over on receipt; then the clock, which was two hours ahead, is put right.
            (at_secs(-3600), 0, 0, expired(3600)),
            (at_secs(0), 0, 0, expired(0)),
            (at_secs(-3600), 10, -2 * HOUR, fresh(2690)),
            (at_secs(-3600), 2700, -2 * HOUR, due(900)),
            (at_secs(-3600), 3600, -2 * HOUR, expired(0)),
        ];
        for (expiry, boot, wall, state) in table {
            let schedule = Schedule::new(expiry, after(0, 0), DEFAULT_THRESHOLD, 0.0);
            assert_eq!(
                schedule.state(after(boot, wall)),
                state,
                "{expiry:?} after {boot} s, set by {wall} s"
            );
        }
    }

    #[test]
    fn catches_up_when_the_clock_leaves_1970() {
        let received = Clocks { boot: secs(5), unix_ms: 5000 };
        let schedule = Schedule::new(at_secs(3600), received, DEFAULT_THRESHOLD, 0.0);
        assert!(matches!(schedule.state(received), TokenState::Fresh { .. }));
        assert_eq!(schedule.state(Clocks { boot: secs(65), unix_ms: NOW }), fresh(2700));
        assert_eq!(schedule.state(Clocks { boot: secs(2765), unix_ms: NOW + 2_700_000 }), due(900));
    }

    #[test]
    fn stands_the_far_future() {
        let received = after(0, 0);
        for expiry in [Expiry::At { unix_ms: u64::MAX }, Expiry::In(Duration::MAX), in_secs(u32::MAX.into())]
        {
            let schedule = Schedule::new(expiry, received, DEFAULT_THRESHOLD, 1.0);
            let TokenState::Fresh { refresh_in } = schedule.state(received) else { panic!("{expiry:?}") };
            assert!(refresh_in > secs(100 * 365 * 86_400));
        }
        let end = Clocks { boot: Duration::MAX, unix_ms: u64::MAX };
        let schedule = Schedule::new(at_secs(3600), received, Duration::MAX, 1.0);
        assert!(matches!(schedule.state(end), TokenState::Expired { .. }));
        let schedule = Schedule::new(Expiry::In(Duration::MAX), received, Duration::MAX, 1.0);
        assert!(matches!(schedule.state(received), TokenState::Fresh { .. }));
    }

    #[test]
    fn a_boot_clock_that_goes_back_counts_as_standing_still() {
        let schedule = Schedule::new(in_secs(3600), after(0, 0), DEFAULT_THRESHOLD, 0.0);
        assert_eq!(schedule.state(Clocks { boot: secs(1), unix_ms: NOW }), fresh(2700));
    }

    #[test]
    fn jitter_brings_the_refresh_forward_a_little() {
        let refresh_in = |life, threshold, jitter| {
            let schedule = Schedule::new(in_secs(life), after(0, 0), secs(threshold), jitter);
            match schedule.state(after(0, 0)) {
                TokenState::Fresh { refresh_in } => refresh_in,
                state => panic!("{state:?}"),
            }
        };
        assert_eq!(refresh_in(3600, 900, 0.0), secs(2700));
        assert_eq!(refresh_in(3600, 900, 0.5), secs(2655));
        assert_eq!(refresh_in(3600, 900, 1.0), secs(2610));
        assert_eq!(refresh_in(10, 900, 1.0), Duration::from_millis(4500));
        for nonsense in [f64::NAN, f64::INFINITY, -1.0, 2.0] {
            assert_eq!(refresh_in(3600, 900, nonsense), secs(2700));
        }
        // Without a threshold there is nothing to bring forward.
        assert_eq!(refresh_in(3600, 0, 1.0), secs(3600));
    }

    #[test]
    fn knows_a_token_that_was_over_on_receipt() {
        for (expiry, expected) in [
            (at_secs(0), true),
            (at_secs(-1), true),
            (at_secs(1), false),
            (in_secs(1), false),
            (Expiry::Unknown, false),
        ] {
            let schedule = Schedule::new(expiry, after(0, 0), DEFAULT_THRESHOLD, 1.0);
            assert_eq!(schedule.expired_on_receipt(), expected, "{expiry:?}");
        }
    }

    #[test]
    fn retries_less_and_less_often() {
        let delays: Vec<_> =
            (1..=7).map(|failures| retry_delay(failures, None, secs(30)).as_secs()).collect();
        assert_eq!(delays, [30, 60, 120, 240, 300, 300, 300]);
        assert_eq!(retry_delay(0, None, secs(30)), secs(30));
        assert_eq!(retry_delay(u32::MAX, None, secs(30)), secs(300));
    }

    #[test]
    fn leaves_time_for_one_more_attempt_before_the_end() {
        let table = [
            // (failures, left, attempt, delay), in milliseconds
            (1, 900_000, 30_000, 30_000),
            (5, 900_000, 30_000, 300_000),
            (5, 330_000, 30_000, 300_000),
            (5, 320_000, 30_000, 290_000),
            (5, 100_000, 30_000, 70_000),
            (1, 50_000, 30_000, 25_000),
            (1, 20_000, 30_000, 10_000),
            (1, 5_000, 30_000, 2_500),
            (1, 2_001, 0, 2_001),
            (1, 2_000, 30_000, 30_000),
            (1, 0, 30_000, 30_000),
        ];
        for (failures, left, attempt, delay) in table {
            let ms = Duration::from_millis;
            assert_eq!(retry_delay(failures, Some(ms(left)), ms(attempt)), ms(delay), "{left} ms left");
        }
    }
}
