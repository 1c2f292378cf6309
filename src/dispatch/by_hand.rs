//! Acknowledging by hand: which messages may still be acknowledged, and which have been.

use crate::process::lock;
use std::collections::BTreeSet;
use std::sync::Mutex;

/// Between the threads of the application, which acknowledge, and the driver. What can be in it is bounded by
/// what the server may send unacknowledged.
#[derive(Default)]
pub struct ByHand(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Messages that wait, by number.
    open: BTreeSet<u64>,
    /// Acknowledged, and not yet taken by the driver.
    acknowledged: Vec<u64>,
}

impl ByHand {
    /// Messages that the application is about to be told.
    pub fn open(&self, numbers: impl Iterator<Item = u64>) {
        lock(&self.0).open.extend(numbers);
    }

    /// False where the message does not wait for it (any more).
    pub fn acknowledge(&self, number: u64) -> bool {
        let mut inner = lock(&self.0);
        let waits = inner.open.remove(&number);
        if waits {
            inner.acknowledged.push(number);
        }
        waits
    }

    /// Puts what was acknowledged since the last time in place of what is in `into`, in the order of acknowledgement.
    pub fn take(&self, into: &mut Vec<u64>) {
        into.clear();
        std::mem::swap(&mut lock(&self.0).acknowledged, into);
    }

    /// From now on only these wait.
    pub fn keep(&self, waits: impl Fn(u64) -> bool) {
        lock(&self.0).open.retain(|number| waits(*number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_acknowledged_once_while_it_waits() {
        let by_hand = ByHand::default();
        by_hand.open([1, 2, 3].into_iter());
        assert!(by_hand.acknowledge(3) && by_hand.acknowledge(1));
        assert!(!by_hand.acknowledge(3) && !by_hand.acknowledge(4));
        let mut taken = vec![9];
        by_hand.take(&mut taken);
        assert_eq!(taken, [3, 1]);
        by_hand.take(&mut taken);
        assert_eq!(taken, [0u64; 0]);
        by_hand.keep(|number| number != 2);
        assert!(!by_hand.acknowledge(2));
    }
}
