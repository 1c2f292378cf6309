//! The threads that run callbacks: one while all is quiet, more only while callbacks block.

use super::Mailbox;
use crate::process::lock;
use crate::sys::{self, join_unless_current};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The stack of threads that run the application's callbacks.
pub const CALLBACK_STACK: usize = 1024 * 1024;
/// A mailbox that waits so long while every thread is busy gets a thread of its own.
const STALL: Duration = Duration::from_millis(10);
/// A thread beyond the first ends after so long without work.
const LINGER: Duration = Duration::from_secs(1);

/// See the module.
pub struct Pool {
    state: Mutex<State>,
    work: Condvar,
    timer: tokio::runtime::Handle,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Arc<Mailbox>>,
    threads: Vec<JoinHandle<()>>,
    running: usize,
    idle: usize,
    /// Mailboxes taken so far: no progress between two looks means that every thread is held up.
    taken: u64,
    watched: bool,
    stopping: bool,
}

impl Pool {
    /// Without a thread yet. `timer` is the runtime that looks for held-up threads.
    pub fn new(timer: tokio::runtime::Handle) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), work: Condvar::new(), timer })
    }

    /// Makes the first thread, so that no callback waits for that.
    pub fn prepare(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        if state.running == 0 {
            self.start_thread(&mut state);
        }
    }

    /// Has the mailbox run.
    pub fn schedule(self: &Arc<Self>, mailbox: Arc<Mailbox>) {
        let mut state = lock(&self.state);
        state.ready.push_back(mailbox);
        if state.running == 0 {
            return self.start_thread(&mut state);
        }
        // A thread that was notified and has not run yet still counts as idle: each mailbox needs one of its own.
        if state.idle >= state.ready.len() {
            drop(state);
            return self.work.notify_one();
        }
        if !state.watched && !state.stopping {
            state.watched = true;
            let (pool, taken) = (self.clone(), state.taken);
            drop(state);
            self.timer.spawn(pool.watch(taken));
        }
    }

    /// Gives waiting mailboxes a further thread for as long as those that there are make no progress.
    async fn watch(self: Arc<Self>, mut taken: u64) {
        loop {
            tokio::time::sleep(STALL).await;
            let mut state = lock(&self.state);
            if state.ready.is_empty() || state.stopping {
                state.watched = false;
                return;
            }
            if state.taken == taken {
                self.start_thread(&mut state);
            }
            taken = state.taken;
        }
    }

    fn start_thread(self: &Arc<Self>, state: &mut State) {
        let (finished, live) =
            std::mem::take(&mut state.threads).into_iter().partition(JoinHandle::is_finished);
        state.threads = live;
        let finished: Vec<JoinHandle<()>> = finished;
        for thread in finished {
            join_unless_current(thread);
        }
        let pool = self.clone();
        match sys::spawn("gecko-mqtt-call", CALLBACK_STACK, move || pool.run()) {
            Ok(thread) => {
                state.running += 1;
                state.threads.push(thread);
            }
            // Later, without a lock: the application's logger may come back in here.
            Err(error) => drop(self.timer.spawn(async move {
                tracing::error!(%error, "no thread for callbacks: they wait for the next event");
            })),
        }
    }

    fn run(self: Arc<Self>) {
        let mut state = lock(&self.state);
        loop {
            if let Some(mailbox) = state.ready.pop_front() {
                state.taken += 1;
                drop(state);
                let more = mailbox.run();
                state = lock(&self.state);
                if more {
                    state.ready.push_back(mailbox);
                } else {
                    drop(state);
                    // The last reference may end a client, and that may want the pool.
                    drop(mailbox);
                    state = lock(&self.state);
                }
                continue;
            }
            if state.stopping {
                break;
            }
            state.idle += 1;
            let surplus = state.running > 1;
            state = if surplus {
                self.work.wait_timeout(state, LINGER).unwrap_or_else(PoisonError::into_inner).0
            } else {
                self.work.wait(state).unwrap_or_else(PoisonError::into_inner)
            };
            state.idle -= 1;
            if surplus && state.running > 1 && state.ready.is_empty() {
                break;
            }
        }
        state.running -= 1;
    }

    /// Ends the threads, once nothing is left to run, and waits for them (but for the one that calls).
    pub fn stop(&self) {
        let threads = {
            let mut state = lock(&self.state);
            state.stopping = true;
            std::mem::take(&mut state.threads)
        };
        self.work.notify_all();
        threads.into_iter().for_each(join_unless_current);
    }
}
