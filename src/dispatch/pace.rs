//! Whether a client's callbacks are quick enough to run between two rounds of the I/O.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// So many quick turns in a row, after a slow one, make it quick again.
const TRIAL: u8 = 64;
/// What a quick turn takes at the most.
const QUICK: Duration = Duration::from_millis(1);

/// Quick until it is found slow.
#[derive(Debug, Default)]
pub struct Pace(AtomicU8);

impl Pace {
    /// Whether its callbacks would hold up the I/O.
    pub fn is_slow(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// They have done so.
    pub fn was_slow(&self) {
        self.0.store(TRIAL, Ordering::Relaxed);
    }

    /// How long a turn took, of those that are not run between two rounds of the I/O.
    pub fn took(&self, time: Duration) {
        if time > QUICK {
            self.was_slow();
        } else {
            let left = self.0.load(Ordering::Relaxed);
            self.0.store(left.saturating_sub(1), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_quick_until_it_was_slow_and_again_after_a_trial() {
        let pace = Pace::default();
        assert!(!pace.is_slow());
        pace.took(Duration::ZERO);
        assert!(!pace.is_slow());
        pace.was_slow();
        for _ in 1..TRIAL {
            pace.took(QUICK);
            assert!(pace.is_slow());
        }
        pace.took(QUICK * 2);
        for _ in 0..TRIAL {
            assert!(pace.is_slow());
            pace.took(QUICK);
        }
        assert!(!pace.is_slow());
    }
}
