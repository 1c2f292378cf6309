//! How an operation ends, and whom to tell.

use crate::{Error, ErrorKind, Result};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How an operation ended.
#[derive(Clone, Debug)]
pub struct Ack {
    /// Success, or why not.
    pub result: Result<()>,
    /// The server's MQTT reason code, where there was an acknowledgement.
    pub reason_code: Option<u8>,
    /// From the write of the packet to its acknowledgement.
    pub round_trip: Option<Duration>,
}

impl Ack {
    /// A success that no packet of the server confirms (QoS 0).
    pub const SENT: Self = Self { result: Ok(()), reason_code: None, round_trip: None };

    /// An end without an acknowledgement.
    pub fn failed(error: Error) -> Self {
        Self { reason_code: error.reason_code(), result: Err(error), round_trip: None }
    }
}

/// Whom to tell when an operation has ended. Dropped without a call when the operation is refused.
pub enum Completion {
    /// Nobody.
    None,
    /// A plain function and two words that only it understands: no allocation for each message.
    Plain {
        /// Called once.
        call: fn(&Ack, [usize; 2]),
        /// Handed to it.
        words: [usize; 2],
    },
    /// A closure.
    Boxed(Box<dyn FnOnce(&Ack) + Send>),
    /// A thread that waits for it.
    Waiter(Arc<Waiter>),
}

impl Completion {
    /// Whether telling it means to run code of the application.
    pub fn is_callback(&self) -> bool {
        matches!(self, Self::Plain { .. } | Self::Boxed(_))
    }

    /// Tells it. Callbacks are run here and now, so this belongs on a dispatching thread.
    pub fn complete(self, ack: Ack) {
        match self {
            Self::None => {}
            Self::Plain { call, words } => call(&ack, words),
            Self::Boxed(call) => call(&ack),
            Self::Waiter(waiter) => waiter.finish(ack),
        }
    }

    /// Asks whether the operation is still wanted, just before its first byte is written.
    pub(crate) fn begin_write(&self) -> bool {
        match self {
            Self::Waiter(waiter) => waiter.begin_write(),
            _ => true,
        }
    }

    /// Takes `begin_write` back: the connection broke before the packet was out.
    pub(crate) fn cancel_write(&self) {
        if let Self::Waiter(waiter) = self {
            waiter.cancel_write();
        }
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "Completion::None",
            Self::Plain { .. } => "Completion::Plain",
            Self::Boxed(_) => "Completion::Boxed",
            Self::Waiter(_) => "Completion::Waiter",
        })
    }
}

/// One thread waiting for one operation. The state decides the race between time-out and first write.
#[derive(Default)]
pub struct Waiter {
    state: Mutex<WaitState>,
    changed: Condvar,
}

#[derive(Default)]
enum WaitState {
    #[default]
    Queued,
    Written,
    Abandoned,
    Done(Ack),
}

impl Waiter {
    fn lock(&self) -> MutexGuard<'_, WaitState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin_write(&self) -> bool {
        let mut state = self.lock();
        match *state {
            WaitState::Queued => {
                *state = WaitState::Written;
                true
            }
            WaitState::Written => true,
            WaitState::Abandoned | WaitState::Done(_) => false,
        }
    }

    fn cancel_write(&self) {
        let mut state = self.lock();
        if matches!(*state, WaitState::Written) {
            *state = WaitState::Queued;
        }
    }

    fn finish(&self, ack: Ack) {
        let mut state = self.lock();
        if !matches!(*state, WaitState::Done(_)) {
            *state = WaitState::Done(ack);
            // Whoever wakes up wants the lock.
            drop(state);
            self.changed.notify_all();
        }
    }

    /// Waits for the end. When the time is over: TIMEOUT if nothing was written (the operation will not be
    /// written any more), OUTCOME_UNKNOWN if it was.
    pub(crate) fn wait(&self, deadline: Instant) -> Ack {
        let mut state = self.lock();
        loop {
            if let WaitState::Done(ack) = &*state {
                return ack.clone();
            }
            let now = Instant::now();
            if now >= deadline {
                break;
            }
            state =
                self.changed.wait_timeout(state, deadline - now).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ack::failed(match *state {
            WaitState::Written => Error::new(
                ErrorKind::OutcomeUnknown,
                "sent, but not acknowledged within the time given: it may or may not have arrived",
            ),
            _ => {
                *state = WaitState::Abandoned;
                Error::new(
                    ErrorKind::Timeout,
                    "not sent within the time given, and will not be: there was no connection, or the server's receive maximum was reached",
                )
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiter() -> (Arc<Waiter>, Completion) {
        let waiter = Arc::new(Waiter::default());
        (waiter.clone(), Completion::Waiter(waiter))
    }

    #[test]
    fn a_waiter_whose_operation_was_not_written_gives_it_up() {
        let (waiter, completion) = waiter();
        let ack = waiter.wait(Instant::now());
        assert_eq!(ack.result.unwrap_err().kind(), ErrorKind::Timeout);
        assert!(!completion.begin_write(), "an abandoned operation must not be written");
    }

    #[test]
    fn a_waiter_whose_operation_was_written_does_not_know_the_outcome() {
        let (waiter, completion) = waiter();
        assert!(completion.begin_write());
        assert_eq!(waiter.wait(Instant::now()).result.unwrap_err().kind(), ErrorKind::OutcomeUnknown);
    }

    #[test]
    fn a_write_that_was_taken_back_can_be_given_up() {
        let (waiter, completion) = waiter();
        assert!(completion.begin_write());
        completion.cancel_write();
        assert_eq!(waiter.wait(Instant::now()).result.unwrap_err().kind(), ErrorKind::Timeout);
    }

    #[test]
    fn the_first_end_counts() {
        let (waiter, completion) = waiter();
        completion.complete(Ack::SENT);
        waiter.finish(Ack::failed(Error::new(ErrorKind::Cancelled, "late")));
        assert!(waiter.wait(Instant::now()).result.is_ok());
    }
}
