//! Whether a client's callbacks run between two rounds of the I/O, or beside it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// What a turn of callbacks may take of the I/O's time, again and again.
const SHORT: Duration = Duration::from_millis(1);
/// So many long turns in a row are no accident.
const ENOUGH: u8 = 2;
/// So many short turns in a row show that the long ones are over.
const TRIAL: u8 = 64;

/// Between two rounds until the turns are long. Changed by the thread whose turn it is.
#[derive(Debug, Default)]
pub struct Pace {
    /// Long turns in a row.
    long: AtomicU8,
    /// Short turns that are still wanted.
    trial: AtomicU8,
}

impl Pace {
    /// Whether they run beside the I/O.
    pub fn is_beside(&self) -> bool {
        self.trial.load(Ordering::Relaxed) > 0
    }

    /// They are to run beside it: they have held it up.
    pub fn go_beside(&self) {
        self.long.store(0, Ordering::Relaxed);
        self.trial.store(TRIAL, Ordering::Relaxed);
    }

    /// How long a turn took.
    pub fn took(&self, time: Duration) {
        let trial = self.trial.load(Ordering::Relaxed);
        if time <= SHORT {
            self.long.store(0, Ordering::Relaxed);
            self.trial.store(trial.saturating_sub(1), Ordering::Relaxed);
        } else if trial > 0 || self.long.fetch_add(1, Ordering::Relaxed) + 1 >= ENOUGH {
            self.go_beside();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_millis(2);

    #[test]
    fn long_turns_in_a_row_go_beside_the_io_and_come_back_after_a_trial() {
        let pace = Pace::default();
        for time in [LONG, SHORT, LONG, SHORT] {
            pace.took(time);
            assert!(!pace.is_beside(), "one may be an accident");
        }
        pace.took(LONG);
        pace.took(LONG);
        for _ in 1..TRIAL {
            pace.took(SHORT);
            assert!(pace.is_beside());
        }
        pace.took(LONG);
        for _ in 0..TRIAL {
            assert!(pace.is_beside());
            pace.took(SHORT);
        }
        assert!(!pace.is_beside());
    }

    #[test]
    fn one_that_held_up_the_io_goes_at_once() {
        let pace = Pace::default();
        pace.go_beside();
        assert!(pace.is_beside());
    }
}
