//! The driver's task, where two kinds of threads reach it: the I/O thread runs all of it; a thread that publishes may
//! have its message written without waiting for the I/O thread to wake up.

use crate::process::try_lock;
use crate::shared::Shared;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Messages that follow each other faster go out together, by the I/O thread: one system call for many.
const TOGETHER: Duration = Duration::from_micros(25);
/// Larger ones are for the I/O thread, so that publishing takes no longer than it must.
const LARGE: usize = 16 * 1024;

/// Between a thread that publishes and the driver. What is said here is said by the driver, while it waits on a live
/// connection.
#[derive(Debug, Default)]
pub struct Express {
    /// The driver can write what is in the queue, and has nothing else under way.
    pub open: AtomicBool,
    /// It is polled for that alone.
    pub asked: AtomicBool,
    /// It has as much to write as it takes, and looks into the queue again when some of that is out: nobody need tell it.
    pub full: AtomicBool,
}

impl Express {
    /// The driver no longer waits on a live connection: it hears of what is published by the bell alone.
    pub fn close(&self) {
        self.open.store(false, Ordering::Release);
        self.full.store(false, Ordering::SeqCst);
    }
}

/// See the module.
pub struct Lane {
    task: Mutex<Task>,
    /// The I/O thread came while another one was there.
    missed: AtomicBool,
    since: Instant,
    /// Nanoseconds from `since` to the last message of which the driver was told.
    last: AtomicU64,
}

struct Task {
    /// None once it has ended.
    work: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    waker: Waker,
}

impl Lane {
    /// `work` is the driver's.
    pub fn new(work: impl Future<Output = ()> + Send + 'static) -> Self {
        let task = Task { work: Some(Box::pin(work)), waker: Waker::noop().clone() };
        Self {
            task: Mutex::new(task),
            missed: AtomicBool::new(false),
            since: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    /// The whole of the work, on the I/O thread.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let free = try_lock(&self.task).or_else(|| {
            // Whoever is there looks at it afterwards; never wait for a thread of the application.
            self.missed.store(true, Ordering::SeqCst);
            try_lock(&self.task)
        });
        let Some(mut task) = free else { return Poll::Pending };
        self.missed.store(false, Ordering::SeqCst);
        let Task { work, waker } = &mut *task;
        waker.clone_from(cx.waker());
        let Some(running) = work else { return Poll::Ready(()) };
        let polled = running.as_mut().poll(cx);
        if polled.is_ready() {
            *work = None;
        }
        polled
    }

    /// Something of so many bytes was put into the queue: has it written, by the calling thread where nothing is in the way,
    /// by the I/O thread otherwise.
    pub fn queued(&self, shared: &Shared, bytes: usize) {
        let Shared { bell, express, .. } = shared;
        if express.full.load(Ordering::SeqCst) || bell.is_rung() {
            return;
        }
        let now = self.since.elapsed().as_nanos() as u64;
        let last = self.last.swap(now, Ordering::Relaxed);
        let alone = now.saturating_sub(last) >= TOGETHER.as_nanos() as u64 && bytes <= LARGE;
        if !(alone && self.write(express)) {
            bell.ring();
        }
    }

    /// Has the driver write what waits, on the calling thread. False where the I/O thread must.
    fn write(&self, express: &Express) -> bool {
        if !express.open.load(Ordering::Acquire) {
            return false;
        }
        let Some(mut task) = try_lock(&self.task) else { return false };
        // Under the lock nobody but us can close it.
        let open = express.open.load(Ordering::Acquire);
        let Task { work, waker } = &mut *task;
        if let Some(work) = work.as_mut().filter(|_| open) {
            express.asked.store(true, Ordering::Relaxed);
            let _ = work.as_mut().poll(&mut Context::from_waker(waker));
            express.asked.store(false, Ordering::Relaxed);
        }
        let waker = waker.clone();
        drop(task);
        if self.missed.swap(false, Ordering::SeqCst) {
            waker.wake();
        }
        open
    }
}

#[cfg(test)]
mod tests;
