//! Who comes when.

/// Milliseconds that are worked off together: nobody comes twice within so little.
pub const SLOT: u32 = 100;
/// So far ahead one may come: 68 minutes.
const SLOTS: usize = 40_960;

/// A ring of slots. Each is put in order when its turn comes, so that the state of a million devices is visited
/// without a chain of pointers through it.
pub struct Timeline {
    slots: Vec<Vec<u64>>,
    turn: u32,
    waiting: usize,
}

impl Timeline {
    pub fn new() -> Self {
        Self { slots: vec![Vec::new(); SLOTS], turn: 0, waiting: 0 }
    }

    /// `device` comes at `at` milliseconds, which lies in a later slot than the one that is worked off.
    pub fn add(&mut self, at: u32, device: u32) {
        let slot = at / SLOT;
        assert!(slot > self.turn && ((slot - self.turn) as usize) < SLOTS, "{at} ms in slot {}", self.turn);
        self.slots[slot as usize % SLOTS].push(u64::from(at) << 32 | u64::from(device));
        self.waiting += 1;
    }

    /// Puts who comes next into `due`, in order: when, and which device. False: nobody does.
    pub fn next(&mut self, due: &mut Vec<(u32, u32)>) -> bool {
        due.clear();
        if self.waiting == 0 {
            return false;
        }
        while due.is_empty() {
            self.turn += 1;
            let slot = &mut self.slots[self.turn as usize % SLOTS];
            slot.sort_unstable();
            due.extend(slot.iter().map(|both| ((both >> 32) as u32, *both as u32)));
            slot.clear();
        }
        self.waiting -= due.len();
        true
    }
}
