//! Runs the application's callbacks: those of a client one at a time, in order, never in the
//! midst of the I/O and never under a lock; on the library's threads, or on the application's own.

pub mod by_hand;
pub mod listeners;
mod pace;

use crate::bell::Bell;
use crate::completion::{Ack, Completion};
use crate::packet::{self, Received, Scratch};
use crate::panics;
use crate::process::lock;
use crate::runtime::crew::Crew;
use crate::session::Batch;
use crate::session::subscriptions::Released;
use crate::sys::{self, EventFd};
use crate::{ConnectionState, Error, ErrorKind, Event, Message, Result, read_buffer};
use by_hand::ByHand;
use listeners::{Handler, Listener, Listeners, Receipt, Table};
use pace::Pace;
use std::any::Any;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of messages that wait for their callbacks, above which nothing more is read from the server.
pub const HIGH_WATER: usize = 1024 * 1024;
/// States and events that wait; what is more is not told, as an application that has heard nothing for so long will
/// not miss it.
const MAX_NEWS: usize = 1024;
/// Handled messages are reported to the driver at least this often while a batch runs.
const REPORT: Duration = Duration::from_millis(1);

/// Something the application is to be told.
#[derive(Debug)]
pub enum Delivery {
    /// Messages of one read.
    Messages(Batch),
    /// Operations that ended.
    Done(Vec<(Completion, Ack)>),
    /// A new state.
    State(ConnectionState),
    /// Something happened to the connection.
    Event(Arc<Event>),
    /// The application changed its own state.
    AppState(Box<str>),
    /// Handlers to be dropped.
    Released(Vec<Released>),
    /// The driver is gone; nothing follows.
    Ended,
}

/// On which threads callbacks run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DispatchMode {
    /// On the library's own.
    #[default]
    Thread,
    /// On whichever thread calls `dispatch`.
    App,
}

enum Runner {
    Crew,
    App(EventFd),
}

/// What waits for the callbacks of one client, and who may run them.
pub struct Mailbox {
    inner: Mutex<Inner>,
    changed: Condvar,
    runner: Runner,
    /// Runs the I/O, and where the runner says so the callbacks.
    crew: Arc<Crew>,
    /// Where its callbacks run, as they were so far.
    pub pace: Pace,
    bell: Arc<Bell>,
    closing: AtomicBool,
    /// Bytes of messages that are not yet handled.
    bytes: AtomicUsize,
    /// The driver has stopped reading because of them.
    pub paused: AtomicBool,
    /// Ended operations whose callbacks have not been called.
    untold: AtomicUsize,
    /// Waits of those who hold up this client's callbacks.
    waits: AtomicUsize,
    /// Number of the last message whose callbacks have returned.
    handled: AtomicU64,
    /// Messages have been handled, and the driver has not been told.
    unreported: AtomicBool,
    /// Where the application acknowledges by hand.
    pub by_hand: Option<Box<ByHand>>,
    /// The client's number, for receipts.
    client: AtomicU32,
    /// Dropped once everything has run: what a client freed in its own callback leaves behind.
    kept: Mutex<Option<Box<dyn Any + Send>>>,
    /// Who is called.
    pub listeners: Listeners,
}

#[derive(Default)]
struct Inner {
    queue: VecDeque<Delivery>,
    /// States and events in the queue.
    news: usize,
    /// The last state that was told, or is about to be.
    told: Option<ConnectionState>,
    /// The thread whose turn it is, while it runs callbacks.
    running_on: Option<u64>,
    /// Somebody has been asked to run; with [`DispatchMode::App`]: the descriptor is raised.
    scheduled: bool,
    ended: bool,
    /// Threads that wait for a change; to wake nobody costs a system call, too.
    awaited: usize,
    /// The thread that called `dispatch` last.
    dispatcher: Option<u64>,
}

impl Inner {
    /// False where it is not told.
    fn push(&mut self, delivery: Delivery) -> bool {
        match (self.queue.back_mut(), delivery) {
            (Some(Delivery::Done(last)), Delivery::Done(mut done)) => last.append(&mut done),
            (_, Delivery::State(state)) if self.news >= MAX_NEWS => {
                // The last word must be the true one, and none may come twice in a row.
                let last = self.queue.iter_mut().rev().find_map(|delivery| match delivery {
                    Delivery::State(last) => Some(last),
                    _ => None,
                });
                match last {
                    Some(last) => *last = state,
                    None => self.queue.push_back(Delivery::State(state)),
                }
            }
            (_, Delivery::Event(_) | Delivery::AppState(_)) if self.news >= MAX_NEWS => return false,
            (_, delivery) => {
                let news =
                    matches!(delivery, Delivery::State(_) | Delivery::Event(_) | Delivery::AppState(_));
                self.news += usize::from(news);
                self.queue.push_back(delivery);
            }
        }
        true
    }
}

impl Mailbox {
    /// With callbacks on the threads of `crew`, or on the application's.
    pub fn new(
        mode: DispatchMode,
        manual_ack: bool,
        crew: &Arc<Crew>,
        bell: Arc<Bell>,
    ) -> std::io::Result<Arc<Self>> {
        let runner = match mode {
            DispatchMode::Thread => Runner::Crew,
            DispatchMode::App => Runner::App(EventFd::new()?),
        };
        Ok(Arc::new(Self {
            inner: Mutex::default(),
            changed: Condvar::new(),
            runner,
            crew: crew.clone(),
            pace: Pace::default(),
            bell,
            closing: AtomicBool::new(false),
            bytes: AtomicUsize::new(0),
            untold: AtomicUsize::new(0),
            paused: AtomicBool::new(false),
            waits: AtomicUsize::new(0),
            handled: AtomicU64::new(0),
            unreported: AtomicBool::new(false),
            by_hand: manual_ack.then(Box::default),
            client: AtomicU32::new(0),
            kept: Mutex::default(),
            listeners: Listeners::default(),
        }))
    }

    /// Receipts carry the client's number.
    pub fn set_client(&self, number: u32) {
        self.client.store(number, Ordering::Relaxed);
    }

    /// Keeps something until everything has run.
    pub fn keep(&self, remains: Box<dyn Any + Send>) {
        *lock(&self.kept) = Some(remains);
    }

    #[cfg(test)]
    pub fn keeps_something(&self) -> bool {
        lock(&self.kept).is_some()
    }

    /// Puts a delivery in and has it run; false where too much news waits already.
    pub fn post(self: &Arc<Self>, delivery: Delivery) -> bool {
        match &delivery {
            Delivery::Messages(batch) => {
                self.bytes.fetch_add(batch.bytes_held(), Ordering::Relaxed);
                if let Some(by_hand) = &self.by_hand {
                    by_hand.open(batch.numbers());
                }
            }
            Delivery::Done(done) => _ = self.untold.fetch_add(done.len(), Ordering::Relaxed),
            _ => {}
        }
        let mut inner = lock(&self.inner);
        if inner.queue.is_empty() && inner.running_on.is_none() && self.is_unheard(&delivery) {
            // Whoever listens from now on has been told no state.
            if matches!(delivery, Delivery::State(_)) {
                inner.told = None;
            }
            return true;
        }
        if !inner.push(delivery) {
            return false;
        }
        self.tell_waiters(&inner);
        if inner.scheduled || inner.running_on.is_some() {
            return true;
        }
        inner.scheduled = true;
        match &self.runner {
            // Under the lock, so that whoever empties the queue clears it after this.
            Runner::App(ready) => ready.raise(),
            Runner::Crew => {
                drop(inner);
                self.crew.schedule(self.clone());
            }
        }
        true
    }

    /// Set, and the driver called, when the callbacks of all messages that are in now have returned. At once where there are
    /// none, or where only the application runs them, which may be waiting for the driver.
    pub fn mark(self: &Arc<Self>) -> Arc<AtomicBool> {
        let nothing = self.bytes() == 0 || matches!(self.runner, Runner::App(_));
        let passed = Arc::new(AtomicBool::new(nothing));
        if !nothing {
            let (mark, bell) = (passed.clone(), self.bell.clone());
            let pass = move |_: &Ack| {
                mark.store(true, Ordering::Release);
                bell.ring();
            };
            self.post(Delivery::Done(vec![(Completion::Boxed(Box::new(pass)), Ack::SENT)]));
        }
        passed
    }

    /// News that nobody listens to wakes no thread, nor does the release of handlers that are not there.
    fn is_unheard(&self, delivery: &Delivery) -> bool {
        match delivery {
            Delivery::State(_) => self.listeners.ask(|table| table.states.is_empty()),
            Delivery::Event(_) => self.listeners.ask(|table| table.events.is_empty()),
            Delivery::AppState(_) => self.listeners.ask(|table| table.app_states.is_empty()),
            Delivery::Released(released) => !self.listeners.has_any(released),
            _ => false,
        }
    }

    fn tell_waiters(&self, inner: &Inner) {
        if inner.awaited > 0 {
            self.changed.notify_all();
        }
    }

    /// Whether a callback of this client is running on the calling thread.
    pub fn is_current(&self) -> bool {
        lock(&self.inner).running_on == Some(sys::thread_number())
    }

    /// Bytes of messages that are not yet handled.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::SeqCst)
    }

    /// Number of the last message whose callbacks have returned.
    pub fn handled(&self) -> u64 {
        self.handled.load(Ordering::Acquire)
    }

    /// Ended operations whose callbacks have not been called.
    pub fn untold(&self) -> usize {
        self.untold.load(Ordering::Relaxed)
    }

    /// Whether callbacks that run between two rounds of the I/O have as much to do as is good for a round.
    pub fn wants_round(&self) -> bool {
        let between = matches!(self.runner, Runner::Crew) && !self.pace.is_beside();
        between && self.bytes() >= read_buffer::SIZE
    }

    /// Whether somebody waits who holds up the callbacks, so that reading must go on for their sake.
    pub fn is_waiting(&self) -> bool {
        self.waits.load(Ordering::Acquire) > 0
    }

    /// Whether no callback can run while the calling thread waits: inside one, or on the thread that dispatches.
    fn holds_up(&self) -> bool {
        let (inner, me) = (lock(&self.inner), sys::thread_number());
        let dispatches = || inner.dispatcher.is_none_or(|last| last == me);
        inner.running_on == Some(me) || matches!(self.runner, Runner::App(_)) && dispatches()
    }

    fn is_due(&self) -> bool {
        let inner = lock(&self.inner);
        !inner.queue.is_empty() && inner.running_on.is_none()
    }

    /// The calling thread is about to wait, and lets another one run the I/O meanwhile.
    fn step_down(&self) {
        self.crew.step_down();
    }

    /// To be held while the calling thread waits for something that only the driver brings.
    pub fn wait_guard(&self) -> Option<impl Drop + use<'_>> {
        struct Guard<'a>(&'a Mailbox);
        impl Drop for Guard<'_> {
            fn drop(&mut self) {
                self.0.waits.fetch_sub(1, Ordering::AcqRel);
            }
        }
        self.step_down();
        self.holds_up().then(|| {
            self.waits.fetch_add(1, Ordering::AcqRel);
            self.bell.ring();
            Guard(self)
        })
    }

    /// Runs what is due; true where more came meanwhile. Does nothing while another thread runs it.
    pub fn run(&self) -> bool {
        let more = self.run_once(&mut 0, true);
        self.report();
        more
    }

    /// The same, and leaves it to the caller to [report](Self::report), and to [urge](Self::urge) the driver where it takes
    /// long.
    pub fn run_unreported(&self) -> bool {
        self.run_once(&mut 0, false)
    }

    /// Whether messages have been handled, and the driver has not been told.
    pub fn is_unreported(&self) -> bool {
        self.unreported.load(Ordering::Acquire)
    }

    /// Tells the driver that messages have been handled, where it has not been told.
    pub fn report(&self) {
        if self.unreported.swap(false, Ordering::AcqRel) {
            self.bell.ring();
        }
    }

    /// Has the driver look at what has been handled so far, in callbacks that go on.
    pub fn urge(&self) {
        self.bell.ring();
    }

    fn run_once(&self, ran: &mut usize, reports: bool) -> bool {
        let mut inner = lock(&self.inner);
        inner.scheduled = false;
        if inner.running_on.is_some() || inner.queue.is_empty() {
            return false;
        }
        inner.running_on = Some(sys::thread_number());
        let due = std::mem::take(&mut inner.queue);
        inner.news = 0;
        if let Runner::App(ready) = &self.runner {
            // Meanwhile nobody can run anything: neither another thread nor a loop inside a callback.
            ready.clear();
        }
        drop(inner);
        let mut ended = false;
        for delivery in due {
            // Whoever has lost the lead to another thread tells it at once, as it would not come to that soon.
            if reports || self.pace.is_beside() {
                self.report();
            }
            ended |= self.deliver(delivery, ran);
        }
        let mut inner = lock(&self.inner);
        inner.running_on = None;
        inner.ended |= ended;
        let more = !inner.queue.is_empty();
        inner.scheduled = more;
        if let (Runner::App(ready), true) = (&self.runner, more) {
            ready.raise();
        }
        let kept = if inner.ended { lock(&self.kept).take() } else { None };
        self.tell_waiters(&inner);
        drop(inner);
        drop(kept);
        more
    }

    fn deliver(&self, delivery: Delivery, ran: &mut usize) -> bool {
        let closing = self.closing.load(Ordering::Acquire);
        match delivery {
            Delivery::Messages(batch) => {
                if !closing {
                    self.deliver_messages(&batch, ran);
                }
                // In one order with the driver, which sets `paused` and looks at the bytes again.
                self.bytes.fetch_sub(batch.bytes_held(), Ordering::SeqCst);
                read_buffer::give_back(batch.into_buffer());
                if self.paused.load(Ordering::SeqCst) {
                    self.bell.ring();
                }
            }
            Delivery::Done(done) => {
                for (completion, ack) in done {
                    *ran += 1;
                    guarded(|| completion.complete(ack));
                    self.untold.fetch_sub(1, Ordering::Relaxed);
                }
            }
            Delivery::State(state) => {
                if lock(&self.inner).told.replace(state) != Some(state) {
                    self.tell(&self.listeners.snapshot().states, ran, |call| call(state));
                }
            }
            Delivery::Event(event) => {
                self.tell(&self.listeners.snapshot().events, ran, |call| call(&event));
            }
            Delivery::AppState(state) => {
                self.tell(&self.listeners.snapshot().app_states, ran, |call| call(&state));
            }
            Delivery::Released(released) => self.listeners.release(&released),
            Delivery::Ended => {
                self.listeners.clear();
                return true;
            }
        }
        false
    }

    /// Calls each listener that is there still.
    fn tell<F: ?Sized>(&self, listeners: &[Arc<Listener<F>>], ran: &mut usize, call: impl Fn(&F)) {
        for listener in listeners {
            if let Some(listener) = listener.get().filter(|_| !self.closing.load(Ordering::Acquire)) {
                *ran += 1;
                guarded(|| call(listener));
            }
        }
    }

    fn deliver_messages(&self, batch: &Batch, ran: &mut usize) {
        let table = self.listeners.snapshot();
        let mut reported = Instant::now();
        let mut unreported = false;
        let client = self.client.load(Ordering::Relaxed);
        let mut recipients = Recipients::default();
        let mut scratch = Scratch::default();
        for (packet, number) in batch.packets() {
            if self.closing.load(Ordering::Acquire) {
                return;
            }
            // The session has decoded the very same bytes.
            let Ok(Some(frame)) = packet::frame(packet, u32::MAX) else { continue };
            let Ok(Received::Publish(publish)) = packet::decode(&frame) else { continue };
            let message = publish.to_message(publish.topic, &mut scratch);
            recipients.of(&table, message.topic);
            let before = *ran;
            recipients.call(&table, &message, Receipt::new(client, number), ran);
            if number == 0 {
                continue;
            }
            match &self.by_hand {
                None => self.handled.store(number, Ordering::Release),
                // Nobody was told, so nobody else can.
                Some(by_hand) if *ran == before => drop(by_hand.acknowledge(number)),
                Some(_) => continue,
            }
            unreported = true;
            // A slow application acknowledges message by message, a fast one batch by batch.
            if reported.elapsed() >= REPORT {
                self.bell.ring();
                (reported, unreported) = (Instant::now(), false);
            }
        }
        if unreported {
            self.unreported.store(true, Ordering::Release);
        }
    }

    /// With [`DispatchMode::App`]: readable while something is due; -1 otherwise.
    pub fn fd(&self) -> i32 {
        match &self.runner {
            Runner::App(ready) => ready.fd(),
            Runner::Crew => -1,
        }
    }

    /// With [`DispatchMode::App`]: runs what is due on the calling thread, after waiting for it for so long.
    pub fn dispatch(&self, timeout: Duration) -> Result<usize> {
        if matches!(self.runner, Runner::Crew) {
            let message =
                "the library's own threads run this client's callbacks: see gecko_mqtt_options_set_dispatch";
            return Err(Error::new(ErrorKind::InvalidConfiguration, message));
        }
        if self.is_current() {
            let message = "gecko_mqtt_dispatch was called inside a callback of the same client";
            return Err(Error::new(ErrorKind::WouldDeadlock, message));
        }
        let deadline = Instant::now().checked_add(timeout);
        if !timeout.is_zero() && !self.is_due() {
            self.step_down();
        }
        let mut inner = lock(&self.inner);
        inner.dispatcher = Some(sys::thread_number());
        while (inner.queue.is_empty() || inner.running_on.is_some()) && !inner.ended {
            let left =
                deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(0);
            }
            inner.awaited += 1;
            inner = self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
            inner.awaited -= 1;
        }
        drop(inner);
        let mut ran = 0;
        self.run_once(&mut ran, true);
        self.report();
        // Freed inside one of those callbacks: this is the thread that brings it to its end.
        if self.closing.load(Ordering::Acquire) {
            self.finish();
        }
        Ok(ran)
    }

    /// From now on only completions and destroy hooks run.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Waits for the running callback, and runs on the calling thread what is left until the driver is gone.
    pub fn finish(&self) {
        self.step_down();
        loop {
            let mut inner = lock(&self.inner);
            while !inner.ended && (inner.running_on.is_some() || inner.queue.is_empty()) {
                inner.awaited += 1;
                inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
                inner.awaited -= 1;
            }
            if inner.ended && inner.running_on.is_none() {
                return;
            }
            drop(inner);
            self.run();
        }
    }
}

/// The operating system refused a thread that was needed for callbacks.
pub fn no_thread(error: &std::io::Error) {
    tracing::error!(%error, "no thread for callbacks: they wait for the next event");
}

/// A panic in a callback (a Rust one: those of C cannot) ends that callback, not the dispatching.
fn guarded(call: impl FnOnce()) {
    if let Err(panic) = panics::catch(|| panics::outside(call)) {
        tracing::error!(panic, "a callback panicked");
    }
}

/// Which handlers a topic goes to. Messages in a row mostly share one.
#[derive(Default)]
struct Recipients {
    topic: Vec<u8>,
    known: bool,
    handlers: Vec<usize>,
}

impl Recipients {
    fn of(&mut self, table: &Table, topic: &str) {
        if self.known && self.topic == topic.as_bytes() {
            return;
        }
        self.known = true;
        self.topic.clear();
        self.topic.extend_from_slice(topic.as_bytes());
        self.handlers.clear();
        for (index, handler) in table.handlers.iter().enumerate() {
            let same = |other: &usize| Arc::ptr_eq(&table.handlers[*other].listener, &handler.listener);
            if handler.matches(topic) && !self.handlers.iter().any(same) {
                self.handlers.push(index);
            }
        }
    }

    fn call(&self, table: &Table, message: &Message<'_>, receipt: Receipt, ran: &mut usize) {
        let own = self
            .handlers
            .iter()
            .map(|index| &table.handlers[*index])
            .map(|Handler { listener, .. }| listener);
        let others = table.messages.iter().filter(|_| self.handlers.is_empty());
        for listener in own.chain(others) {
            if let Some(call) = listener.get() {
                *ran += 1;
                guarded(|| call(message, receipt));
            }
        }
    }
}
