//! The library's threads. One leads: it runs the I/O and, between two rounds of that, short callbacks, so that a message
//! needs no change of thread from the socket to the application. Another one watches: where a callback takes longer than
//! a moment, the watcher takes the lead, and no connection waits for the application. A client whose callbacks take long
//! has them run beside the I/O: by the watcher, and on further threads where those that there are block.

use crate::dispatch::{self, Mailbox};
use crate::process::lock;
use crate::sys::{self, Alarm, join_unless_current};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The stack of threads that run the application's callbacks.
pub const CALLBACK_STACK: usize = 1024 * 1024;
/// What a turn of callbacks may take of the leader's time: once, or twice where it began after the alarm was set.
const MOMENT: Duration = Duration::from_millis(4);
/// A mailbox that waits so long while every thread is busy gets a thread of its own.
const STALL: Duration = Duration::from_millis(10);
/// A thread beyond those that lead and watch ends after so long without work.
const LINGER: Duration = Duration::from_secs(1);

/// In the place of a turn: the alarm calls the watcher, and is not to be put off. The first turn is 1.
const CALLED: u64 = 0;

/// See the module.
pub struct Crew {
    state: Mutex<State>,
    /// For threads beyond the one that watches.
    work: Condvar,
    /// A thread has been started, or could not be.
    started: Condvar,
    /// For the one that watches.
    alarm: Alarm,
    io: tokio::runtime::Handle,
    /// The threads own it, so that none of the host's ever is the last to have it.
    engine: Weak<tokio::runtime::Runtime>,
}

#[derive(Default)]
struct State {
    /// Mailboxes whose callbacks the leader runs.
    between: VecDeque<Arc<Mailbox>>,
    /// Those for all others.
    beside: VecDeque<Arc<Mailbox>>,
    threads: Vec<JoinHandle<()>>,
    running: usize,
    /// Those of them that whoever starts them has not yet put among the others.
    starting: usize,
    /// Those that have not begun to work.
    arriving: usize,
    /// Threads that have nothing to do, the watcher apart.
    idle: usize,
    watching: bool,
    /// The thread that leads, by its number.
    leader: Option<u64>,
    /// Ends the leader's wait for the I/O.
    waker: Option<Waker>,
    /// Whose callbacks the leader is in.
    turn: Option<Arc<Mailbox>>,
    /// Turns so far.
    turns: u64,
    /// The turn that was on when the alarm was set, or [`CALLED`].
    alarmed: Option<u64>,
    /// Mailboxes taken from those so far: no progress between two looks means that every thread is held up.
    taken: u64,
    looked_after: bool,
    stopping: bool,
}

impl State {
    fn is_leader(&self, thread: u64) -> bool {
        self.leader == Some(thread)
    }

    /// Whether a thread watches, or is about to.
    fn is_watched(&self) -> bool {
        self.watching || self.idle + self.arriving > 0
    }
}

impl Crew {
    /// With one thread, which leads.
    pub fn start() -> io::Result<Arc<Self>> {
        let engine = Arc::new(tokio::runtime::Builder::new_current_thread().enable_all().build()?);
        let crew = Arc::new(Self::new(&engine)?);
        crew.add_thread(engine)?;
        Ok(crew)
    }

    /// Without threads.
    fn new(engine: &Arc<tokio::runtime::Runtime>) -> io::Result<Self> {
        Ok(Self {
            state: Mutex::default(),
            work: Condvar::new(),
            started: Condvar::new(),
            alarm: Alarm::new()?,
            io: engine.handle().clone(),
            engine: Arc::downgrade(engine),
        })
    }

    /// Where drivers run.
    pub fn handle(&self) -> &tokio::runtime::Handle {
        &self.io
    }

    /// Makes the thread that watches, so that no callback waits for that.
    pub fn prepare(self: &Arc<Self>) {
        if lock(&self.state).running < 2 {
            self.grow();
        }
    }

    /// Has the mailbox run.
    pub fn schedule(self: &Arc<Self>, mailbox: Arc<Mailbox>) {
        let mut state = lock(&self.state);
        if mailbox.pace.is_beside() {
            return self.schedule_beside(state, mailbox);
        }
        state.between.push_back(mailbox);
        let waker = state.waker.take();
        drop(state);
        // None: the leader looks before it waits.
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn schedule_beside(self: &Arc<Self>, mut state: MutexGuard<'_, State>, mailbox: Arc<Mailbox>) {
        state.beside.push_back(mailbox);
        // A thread that was told and has not run yet still counts as idle: each mailbox needs one of its own.
        let waiting = state.beside.len();
        if state.idle >= waiting {
            drop(state);
            self.work.notify_one();
        } else if state.idle + usize::from(state.watching) >= waiting {
            self.call_watcher(&mut state);
        } else if !state.looked_after && !state.stopping {
            state.looked_after = true;
            let (crew, taken) = (self.clone(), state.taken);
            drop(state);
            self.io.spawn(crew.look_after(taken));
        }
    }

    /// Gives waiting mailboxes a further thread for as long as those that there are make no progress.
    async fn look_after(self: Arc<Self>, mut taken: u64) {
        loop {
            tokio::time::sleep(STALL).await;
            let mut state = lock(&self.state);
            if state.beside.is_empty() || state.stopping {
                state.looked_after = false;
                return;
            }
            let stalled = state.taken == taken;
            taken = state.taken;
            drop(state);
            if stalled {
                self.grow();
            }
        }
    }

    fn call_watcher(&self, state: &mut State) {
        state.alarmed = Some(CALLED);
        self.alarm.set(Duration::ZERO);
    }

    /// Whether there is a further thread now. Not under the lock: a new thread takes its time, and others are at work.
    fn grow(self: &Arc<Self>) -> bool {
        let Some(engine) = self.engine.upgrade() else { return false };
        match self.add_thread(engine) {
            Ok(added) => added,
            Err(error) => {
                // Later: the application's logger may come back in here.
                drop(self.io.spawn(async move { dispatch::no_thread(&error) }));
                false
            }
        }
    }

    /// False where the crew ends, as whoever stops it waits for the threads that there were.
    fn add_thread(self: &Arc<Self>, engine: Arc<tokio::runtime::Runtime>) -> io::Result<bool> {
        {
            let mut state = lock(&self.state);
            if state.stopping {
                return Ok(false);
            }
            state.running += 1;
            state.starting += 1;
            state.arriving += 1;
        }
        let crew = self.clone();
        let thread = sys::spawn("gecko-mqtt-work", CALLBACK_STACK, move || crew.work(&engine));
        let mut state = lock(&self.state);
        state.starting -= 1;
        let (finished, mut live): (Vec<_>, Vec<_>) =
            std::mem::take(&mut state.threads).into_iter().partition(JoinHandle::is_finished);
        let added = match thread {
            Ok(thread) => {
                live.push(thread);
                Ok(true)
            }
            Err(error) => {
                state.running -= 1;
                state.arriving -= 1;
                Err(error)
            }
        };
        state.threads = live;
        let awaited = state.stopping;
        drop(state);
        if awaited {
            self.started.notify_all();
        }
        finished.into_iter().for_each(join_unless_current);
        added
    }

    /// What a thread does all its life.
    fn work(self: Arc<Self>, engine: &tokio::runtime::Runtime) {
        let me = sys::thread_number();
        let mut state = lock(&self.state);
        state.arriving -= 1;
        loop {
            if state.leader.is_none() && !(state.stopping && state.between.is_empty()) {
                state.leader = Some(me);
                drop(state);
                self.lead(engine, me);
                state = lock(&self.state);
            } else if let Some(mailbox) = state.beside.pop_front() {
                state.taken += 1;
                let unwatched = state.turn.is_some() && !state.is_watched();
                drop(state);
                if unwatched {
                    // The leader has begun a turn, and counts on whoever is leaving now.
                    self.grow();
                }
                state = self.run_beside(mailbox);
            } else if state.stopping {
                break;
            } else if !state.watching {
                state.watching = true;
                drop(state);
                self.alarm.wait();
                state = lock(&self.state);
                state.watching = false;
                self.relieve(&mut state);
                if state.idle > 0 && (state.leader.is_none() || !state.beside.is_empty()) {
                    // Somebody else watches.
                    self.work.notify_one();
                }
            } else {
                state.idle += 1;
                state = self.work.wait_timeout(state, LINGER).unwrap_or_else(PoisonError::into_inner).0;
                state.idle -= 1;
                if state.watching && state.leader.is_some() && state.beside.is_empty() {
                    break;
                }
            }
        }
        state.running -= 1;
    }

    /// Runs the I/O and short callbacks, until another thread has the lead.
    fn lead(self: &Arc<Self>, engine: &tokio::runtime::Runtime, me: u64) {
        let mut unreported: Option<Arc<Mailbox>> = None;
        loop {
            let mut polled = false;
            let due = std::future::poll_fn(|cx| {
                // Where the I/O runs, it costs no system call.
                if let Some(mailbox) = unreported.take() {
                    mailbox.report();
                }
                self.poll_due(&mut polled, cx)
            });
            let Some(mailbox) = engine.block_on(due) else {
                lock(&self.state).leader = None;
                return;
            };
            let since = Instant::now();
            let more = mailbox.run_unreported();
            mailbox.pace.took(since.elapsed());
            let mut state = lock(&self.state);
            let leads = state.is_leader(me);
            if leads {
                state.turn = None;
                unreported = mailbox.is_unreported().then(|| mailbox.clone());
            } else {
                drop(state);
                mailbox.report();
                state = lock(&self.state);
            }
            if more && leads && !mailbox.pace.is_beside() {
                state.between.push_back(mailbox);
            } else if more {
                self.schedule_beside(state, mailbox);
            } else {
                drop(state);
                // The last reference may end a client, and that may want the crew.
                drop(mailbox);
            }
            if !leads {
                return;
            }
        }
    }

    /// The next mailbox for the leader; none where it is all over. However many are due, the I/O has its turn between two.
    fn poll_due(self: &Arc<Self>, polled: &mut bool, cx: &mut Context<'_>) -> Poll<Option<Arc<Mailbox>>> {
        let mut state = lock(&self.state);
        if state.stopping && state.between.is_empty() {
            return Poll::Ready(None);
        }
        let had_its_turn = std::mem::replace(polled, true) || state.stopping;
        if !state.between.is_empty() && !had_its_turn {
            cx.waker().wake_by_ref();
        } else if let Some(mailbox) = state.between.pop_front() {
            // At the end nobody waits for the I/O any more.
            let mut watched = state.stopping || state.is_watched();
            if !watched {
                drop(state);
                watched = self.grow();
                state = lock(&self.state);
            }
            if watched || state.stopping {
                state.waker = None;
                state.turns += 1;
                state.turn = Some(mailbox.clone());
                if state.alarmed.is_none() {
                    state.alarmed = Some(state.turns);
                    self.alarm.set(MOMENT);
                }
                return Poll::Ready(Some(mailbox));
            }
            // Nobody would take the lead: it waits for a thread.
            self.schedule_beside(state, mailbox);
            state = lock(&self.state);
        }
        if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            state.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// The alarm has rung, or was a call: takes the lead from a thread that has been in the same turn all the time.
    fn relieve(&self, state: &mut State) {
        let alarmed = state.alarmed.take();
        let Some(mailbox) = &state.turn else { return };
        if alarmed == Some(state.turns) {
            mailbox.pace.go_beside();
            // What it has done so far is acknowledged meanwhile.
            mailbox.urge();
            state.turn = None;
            state.leader = None;
        } else {
            state.alarmed = Some(state.turns);
            self.alarm.set(MOMENT);
        }
    }

    /// The calling thread is about to wait, inside a callback, for something that the I/O brings: where it leads, it does so no more.
    pub fn step_down(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        if !state.is_leader(sys::thread_number()) {
            return;
        }
        if let Some(mailbox) = state.turn.take() {
            mailbox.pace.go_beside();
        }
        state.leader = None;
        if state.watching {
            self.call_watcher(&mut state);
        } else if state.idle > 0 {
            self.work.notify_one();
        } else {
            drop(state);
            self.grow();
        }
    }

    fn run_beside(&self, mailbox: Arc<Mailbox>) -> MutexGuard<'_, State> {
        let since = Instant::now();
        let more = mailbox.run();
        mailbox.pace.took(since.elapsed());
        let mut state = lock(&self.state);
        if more {
            state.beside.push_back(mailbox);
            return state;
        }
        drop(state);
        // The last reference may end a client, and that may want the crew.
        drop(mailbox);
        lock(&self.state)
    }

    /// Ends the threads, once nothing is left to run, and waits for them (but for the one that calls).
    pub fn stop(&self) {
        let (threads, waker) = {
            let mut state = lock(&self.state);
            state.stopping = true;
            while state.starting > 0 {
                state = self.started.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            self.call_watcher(&mut state);
            (std::mem::take(&mut state.threads), state.waker.take())
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        self.work.notify_all();
        threads.into_iter().for_each(join_unless_current);
    }
}

#[cfg(test)]
mod tests;
