//! Time and chance, for a driver that hands both to the pure parts.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// A clock that stands still while reading is paused, so that neither an acknowledgement nor a PINGRESP that
/// waits in the network counts as missing.
#[derive(Debug, Default)]
pub struct Clock {
    stood: Duration,
    since: Option<Instant>,
}

/// The time since boot, sleep included. Tests have no boot but the runtime's clock, which they can pause.
pub fn boottime() -> Duration {
    #[cfg(test)]
    {
        static ORIGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        let origin = *ORIGIN.get_or_init(Instant::now);
        now().saturating_duration_since(origin)
    }
    #[cfg(not(test))]
    crate::sys::boottime()
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Clock {
    /// The time, less all the time that it stood still.
    pub fn now(&self) -> Instant {
        let now = self.since.unwrap_or_else(now);
        now.checked_sub(self.stood).unwrap_or(now)
    }

    /// Stops it, or has it go on.
    pub fn stand(&mut self, still: bool) {
        match (self.since, still) {
            (None, true) => self.since = Some(now()),
            (Some(since), false) => {
                self.stood += now() - since;
                self.since = None;
            }
            _ => {}
        }
    }

    /// When this clock will show `at`, on the runtime's; `None` while it stands still.
    pub fn real(&self, at: Instant) -> Option<tokio::time::Instant> {
        if self.since.is_some() {
            return None;
        }
        Some((at + self.stood).into())
    }
}

/// Chance enough to spread a fleet: seeded by the operating system, not for secrets (SplitMix64).
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        Self(RandomState::new().hash_one(0u8))
    }

    /// In 0..1.
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn stands_still_and_goes_on() {
        let mut clock = Clock::default();
        let start = clock.now();
        tokio::time::advance(Duration::from_secs(1)).await;
        clock.stand(true);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(clock.now() - start, Duration::from_secs(1));
        assert_eq!(clock.real(start), None);
        clock.stand(false);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(clock.now() - start, Duration::from_secs(2));
        assert_eq!(clock.real(clock.now()), Some(tokio::time::Instant::now()));
    }

    #[test]
    fn chance_stays_in_its_range_and_is_spread() {
        let mut random = Random::new();
        let units: Vec<f64> = (0..1000).map(|_| random.unit()).collect();
        assert!(units.iter().all(|unit| (0.0..1.0).contains(unit)));
        let mean = units.iter().sum::<f64>() / 1000.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }
}
