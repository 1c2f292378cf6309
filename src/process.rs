//! What is process-wide, also across `fork`.

use crate::sys;
use once_cell::race::OnceBox;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// Locks, also after a panic of another thread: everything behind our locks is valid at every step.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same, unless another thread has it.
pub fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// One `T` for each generation of forks: a lock that another thread held during the fork is held for ever in
/// the child, so the child starts with a `T` of its own. Reaching it takes no lock.
pub struct PerProcess<T> {
    first: OnceBox<Generation<T>>,
}

struct Generation<T> {
    number: u32,
    value: T,
    child: OnceBox<Generation<T>>,
}

impl<T> PerProcess<T> {
    /// Empty; made at first use.
    pub const fn new() -> Self {
        Self { first: OnceBox::new() }
    }

    /// This process's own, made by `make` from that of the parent, where there is one: its locks may be held for ever.
    pub fn get_or_inherit(&self, make: impl Fn(Option<&T>) -> T) -> &T {
        let number = sys::fork_generation();
        let fresh = |parent| Box::new(Generation { number, value: make(parent), child: OnceBox::new() });
        let mut generation = self.first.get_or_init(|| fresh(None));
        while generation.number != number {
            let parent = &generation.value;
            generation = generation.child.get_or_init(|| fresh(Some(parent)));
        }
        &generation.value
    }

    /// This process's own.
    pub fn get(&self) -> &T
    where
        T: Default,
    {
        self.get_or_inherit(|_| T::default())
    }
}
