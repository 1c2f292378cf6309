//! Wakes one async task from any thread, cheaply when it is awake already.

use crate::process::lock;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

/// Rung by anybody, heard by one task. Many rings before it is heard are one.
#[derive(Debug, Default)]
pub struct Bell {
    rung: AtomicBool,
    listener: Mutex<Option<Waker>>,
}

impl Bell {
    /// Wakes the task; costs one atomic exchange while it has not heard the last ring.
    pub fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            let listener = lock(&self.listener).take();
            if let Some(listener) = listener {
                listener.wake();
            }
        }
    }

    /// Whether it has been rung and not yet heard.
    pub fn is_rung(&self) -> bool {
        self.rung.load(Ordering::Acquire)
    }

    /// Ready once for each ring, or run of rings.
    pub fn poll_rung(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.rung.swap(false, Ordering::AcqRel) {
            return Poll::Ready(());
        }
        *lock(&self.listener) = Some(cx.waker().clone());
        // Rung between the two: the ring may not have seen the waker.
        if self.rung.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Waits for a ring.
    pub async fn rung(&self) {
        std::future::poll_fn(|cx| self.poll_rung(cx)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_ring_is_heard_once_from_before_and_from_another_thread() {
        let bell = Arc::new(Bell::default());
        bell.ring();
        bell.ring();
        bell.rung().await;
        let ringer = bell.clone();
        let thread = std::thread::spawn(move || ringer.ring());
        bell.rung().await;
        thread.join().unwrap();
        assert!(!bell.rung.load(Ordering::SeqCst));
    }
}
