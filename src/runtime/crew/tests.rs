use super::*;
use crate::ConnectionState;
use crate::bell::Bell;
use crate::dispatch::{Delivery, DispatchMode};
use crate::session::Batch;
use std::sync::mpsc::{self, Receiver, Sender};

/// Long enough for any machine, and never waited for where all is well.
const LONG: Duration = Duration::from_secs(60);

/// A crew that ends with the test.
struct Rig(Arc<Crew>);

impl Drop for Rig {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Rig {
    fn new() -> Self {
        let crew = Crew::start().unwrap();
        crew.prepare();
        Self(crew)
    }

    /// A client whose listener is called for each change of the state.
    fn client(&self, call: impl Fn(ConnectionState) + Send + Sync + 'static) -> Client {
        let mailbox = Mailbox::new(DispatchMode::Thread, false, &self.0, Arc::new(Bell::default())).unwrap();
        mailbox.listeners.add_state_listener(0, Box::new(call));
        Client { mailbox, last: std::cell::Cell::new(false) }
    }

    /// The thread that does the I/O, once it has its turn.
    fn io_thread(&self) -> u64 {
        let (tell, told) = mpsc::channel();
        self.0.handle().spawn(async move { tell.send(sys::thread_number()).unwrap() });
        told.recv_timeout(LONG).expect("the I/O stands still")
    }

    fn until(&self, what: &str, condition: impl Fn(&State) -> bool) {
        let started = Instant::now();
        while !condition(&lock(&self.0.state)) {
            assert!(started.elapsed() < LONG, "{what}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

struct Client {
    mailbox: Arc<Mailbox>,
    last: std::cell::Cell<bool>,
}

impl Client {
    /// One more call of its listener.
    fn call(&self) {
        let last = self.last.replace(!self.last.get());
        let state = if last { ConnectionState::Connecting } else { ConnectionState::Connected };
        assert!(self.mailbox.post(Delivery::State(state)));
    }
}

/// A listener that tells the thread it is called on.
fn telling() -> (impl Fn(ConnectionState) + Send + Sync, Receiver<u64>) {
    let (tell, told) = mpsc::channel();
    (move |_| tell.send(sys::thread_number()).unwrap(), told)
}

/// A listener that tells the thread it is called on, and stays until it is let go.
fn staying() -> (impl Fn(ConnectionState) + Send + Sync, Receiver<u64>, Sender<()>) {
    let (tell, told) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let call = move |_| {
        tell.send(sys::thread_number()).unwrap();
        let _ = lock(&released).recv_timeout(LONG);
    };
    (call, told, release)
}

#[test]
fn short_callbacks_run_where_the_io_does() {
    let rig = Rig::new();
    let (call, told) = telling();
    let client = rig.client(call);
    // A machine that is busy may take the thread away in the midst of a callback, which looks slow.
    let same = (0..100).filter(|_| {
        client.call();
        told.recv_timeout(LONG).unwrap() == rig.io_thread()
    });
    assert!(same.count() > 10);
    assert!(lock(&rig.0.state).running <= 3);
}

#[test]
fn a_slow_callback_holds_up_neither_the_io_nor_other_clients() {
    let rig = Rig::new();
    let (call, told, release) = staying();
    let slow = rig.client(call);
    slow.call();
    let stuck = told.recv_timeout(LONG).unwrap();
    assert_ne!(rig.io_thread(), stuck, "another thread leads");
    let (call, heard) = telling();
    let quick = rig.client(call);
    for _ in 0..10 {
        quick.call();
        assert_ne!(heard.recv_timeout(LONG).unwrap(), stuck);
    }
    release.send(()).unwrap();
    // From now on its callbacks run beside the I/O.
    rig.until("it is not taken for slow", |_| slow.mailbox.pace.is_beside());
    slow.call();
    let beside = told.recv_timeout(LONG).unwrap();
    assert_ne!(rig.io_thread(), beside);
    release.send(()).unwrap();
}

#[test]
fn the_watcher_leaves_no_turn_unwatched() {
    let rig = Rig::new();
    let (call, told, release) = staying();
    let beside = rig.client(call);
    beside.mailbox.pace.go_beside();
    let mailbox = beside.mailbox.clone();
    let (stays, told_first, release_first) = staying();
    let first = rig.client(move |state| {
        // The one that watches this turn is called away.
        assert!(mailbox.post(Delivery::State(state)));
        stays(state);
    });
    first.call();
    let stuck = [told_first.recv_timeout(LONG).unwrap(), told.recv_timeout(LONG).unwrap()];
    assert!(!stuck.contains(&rig.io_thread()));
    release.send(()).unwrap();
    release_first.send(()).unwrap();
}

#[test]
fn the_driver_hears_of_what_was_handled_before_a_slow_callback() {
    let rig = Rig::new();
    let bell = Arc::new(Bell::default());
    let mailbox = Mailbox::new(DispatchMode::Thread, false, &rig.0, bell.clone()).unwrap();
    let (call, told, release) = staying();
    mailbox.listeners.add_state_listener(0, Box::new(call));
    assert!(mailbox.post(Delivery::State(ConnectionState::Connected)));
    told.recv_timeout(LONG).unwrap();
    rig.until("the driver is not told", |_| bell.is_rung());
    release.send(()).unwrap();
}

#[test]
fn it_hears_of_what_was_handled_after_the_lead_had_been_given_up_too() {
    let rig = Rig::new();
    let bell = Arc::new(Bell::default());
    let mailbox = Mailbox::new(DispatchMode::Thread, false, &rig.0, bell.clone()).unwrap();
    let crew = rig.0.clone();
    mailbox.listeners.add_message_listener(0, Box::new(move |_, _| crew.step_down()));
    let (call, told, release) = staying();
    mailbox.listeners.add_state_listener(0, Box::new(call));
    let before = rig.client(move |_| {
        // Both in one turn.
        let batch = Batch::of(&[0x32, 6, 0, 1, b't', 0, 1, 0], 1);
        assert!(mailbox.post(Delivery::Messages(batch)));
        assert!(mailbox.post(Delivery::State(ConnectionState::Connected)));
    });
    before.call();
    told.recv_timeout(LONG).unwrap();
    assert!(bell.is_rung(), "the message is acknowledged only when the next callback has returned");
    release.send(()).unwrap();
}

#[test]
fn a_client_whose_callbacks_were_long_comes_back_after_a_while() {
    let rig = Rig::new();
    let (call, told) = telling();
    let client = rig.client(call);
    client.mailbox.pace.go_beside();
    let started = Instant::now();
    while client.mailbox.pace.is_beside() {
        client.call();
        told.recv_timeout(LONG).unwrap();
        assert!(started.elapsed() < LONG);
    }
}

#[test]
fn every_callback_that_stays_gets_a_thread_which_goes_again() {
    const CLIENTS: usize = 8;
    let rig = Rig::new();
    let stuck: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (call, told, release) = staying();
            let client = rig.client(call);
            client.call();
            (client, told, release)
        })
        .collect();
    let mut threads: Vec<u64> = stuck.iter().map(|(_, told, _)| told.recv_timeout(LONG).unwrap()).collect();
    threads.sort_unstable();
    threads.dedup();
    assert_eq!(threads.len(), CLIENTS, "all are in their callbacks at the same time");
    assert!(!threads.contains(&rig.io_thread()));
    for (_, _, release) in &stuck {
        release.send(()).unwrap();
    }
    rig.until("threads without work do not end", |state| state.running == 2);
    let state = lock(&rig.0.state);
    assert!(state.watching && state.leader.is_some() && state.idle == 0);
}

#[test]
fn who_is_about_to_wait_lets_another_one_lead() {
    let rig = Rig::new();
    let crew = rig.0.clone();
    let (tell, told) = mpsc::channel();
    let client = rig.client(move |_| {
        crew.step_down();
        let (tell_io, told_io) = mpsc::channel();
        crew.handle().spawn(async move { tell_io.send(()).unwrap() });
        tell.send(told_io.recv_timeout(LONG)).unwrap();
    });
    for _ in 0..3 {
        client.call();
        told.recv_timeout(LONG).unwrap().expect("the I/O waits for who waits for it");
    }
}

#[test]
fn so_does_who_waits_for_a_client_that_runs_its_callbacks_itself() {
    let rig = Rig::new();
    let crew = rig.0.clone();
    let other = Mailbox::new(DispatchMode::App, false, &rig.0, Arc::new(Bell::default())).unwrap();
    let (tell, told) = mpsc::channel();
    let client = rig.client(move |_| {
        drop(other.wait_guard());
        tell.send(lock(&crew.state).is_leader(sys::thread_number())).unwrap();
    });
    for _ in 0..3 {
        client.call();
        assert!(!told.recv_timeout(LONG).unwrap(), "the I/O waits for who waits for it");
    }
}

#[test]
fn so_does_who_waits_for_callbacks_to_run_here() {
    let rig = Rig::new();
    let crew = rig.0.clone();
    let other = Mailbox::new(DispatchMode::App, false, &rig.0, Arc::new(Bell::default())).unwrap();
    let (tell, told) = mpsc::channel();
    let client = rig.client(move |_| {
        let mut leads = true;
        for time in [Duration::ZERO, Duration::from_nanos(1)] {
            assert_eq!(other.dispatch(time).unwrap(), 0);
            leads = lock(&crew.state).is_leader(sys::thread_number());
        }
        tell.send(leads).unwrap();
    });
    client.call();
    assert!(!told.recv_timeout(LONG).unwrap(), "the I/O waits for who waits for it");
}

#[test]
fn who_does_not_lead_has_nothing_to_give_up() {
    let rig = Rig::new();
    let leader = rig.io_thread();
    rig.0.step_down();
    assert_eq!(rig.io_thread(), leader);
}

#[test]
fn what_is_due_runs_before_the_end() {
    let rig = Rig::new();
    let (call, told, release) = staying();
    let first = rig.client(call);
    let (call, heard) = telling();
    let second = rig.client(call);
    first.call();
    told.recv_timeout(LONG).unwrap();
    second.call();
    release.send(()).unwrap();
    drop(rig);
    heard.try_recv().unwrap();
}

#[test]
fn it_can_end_inside_a_callback() {
    let rig = Rig::new();
    let crew = rig.0.clone();
    let (tell, told) = mpsc::channel();
    let client = rig.client(move |_| {
        crew.stop();
        tell.send(()).unwrap();
    });
    client.call();
    told.recv_timeout(LONG).unwrap();
    rig.until("its threads do not end", |state| state.running == 0);
}

#[test]
fn without_callbacks_of_its_own_it_is_one_thread() {
    let rig = Rig(Crew::start().unwrap());
    rig.io_thread();
    assert_eq!(lock(&rig.0.state).running, 1);
}

#[test]
fn a_call_for_the_watcher_is_not_put_off_by_a_turn_that_begins() {
    let engine = Arc::new(tokio::runtime::Builder::new_current_thread().build().unwrap());
    let crew = Arc::new(Crew::new(&engine).unwrap());
    let mailbox = Mailbox::new(DispatchMode::Thread, false, &crew, Arc::new(Bell::default())).unwrap();
    let begin_a_turn = || {
        lock(&crew.state).between.push_back(mailbox.clone());
        assert!(crew.poll_due(&mut true, &mut Context::from_waker(Waker::noop())).is_ready());
    };
    lock(&crew.state).watching = true;
    begin_a_turn();
    assert_eq!(lock(&crew.state).alarmed, Some(1));
    crew.call_watcher(&mut lock(&crew.state));
    begin_a_turn();
    assert_eq!(lock(&crew.state).alarmed, Some(CALLED));
    crew.alarm.wait();
    // Who has come watches that turn.
    let mut state = lock(&crew.state);
    crew.relieve(&mut state);
    assert_eq!(state.alarmed, Some(2));
}
