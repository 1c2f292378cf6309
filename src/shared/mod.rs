//! What the handle, the driver and the dispatcher of one client have in common.

pub mod registry;

use crate::bell::Bell;
use crate::completion::{Ack, Completion, Waiter};
use crate::credentials::Token;
use crate::dispatch::{Delivery, Mailbox};
use crate::driver::Express;
use crate::history::History;
use crate::link::Identity;
use crate::log::Origin;
use crate::options::{Settings, TokenProvider, TokenRequest};
use crate::process::lock;
use crate::runtime::crew::Crew;
use crate::runtime::{Runtime, refused};
use crate::session::Actions;
use crate::session::queue::{Publish, Queue};
use crate::session::subscriptions::Request;
use crate::stats::{Counters, Stats};
use crate::sys;
use crate::{ConnectionState, Error, ErrorKind, QoS, Result};
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Commands that wait for the driver, and requests to the server that have not ended; more are refused.
const MAX_COMMANDS: usize = 1024;

/// What the driver is asked to do.
#[derive(Debug)]
pub enum Command {
    Connect(Completion),
    Disconnect { until: std::time::Instant, completion: Completion },
    Request(Request),
    Token { request: TokenRequest, answer: Result<Box<Token>> },
    SetToken(Box<Token>),
    RefreshToken,
    SetCertificate(Identity),
}

/// What waits for the driver.
pub struct Inbox {
    pub queue: Queue,
    pub commands: VecDeque<Command>,
    /// SUBSCRIBEs and UNSUBSCRIBEs that were accepted and have not ended.
    pub requests: usize,
    /// There is a connection, or QoS 0 may wait for one.
    pub takes_qos0: bool,
    pub closing: bool,
}

impl Inbox {
    fn has_room(&self) -> Result<()> {
        match (self.closing, self.commands.len().max(self.requests) >= MAX_COMMANDS) {
            (true, _) => Err(closed()),
            (_, true) => Err(Error::new(ErrorKind::QueueFull, "1,024 requests wait already")),
            _ => Ok(()),
        }
    }
}

/// See the module.
pub struct Shared {
    pub number: u32,
    pub settings: Settings,
    pub inbox: Mutex<Inbox>,
    pub bell: Arc<Bell>,
    pub mailbox: Arc<Mailbox>,
    pub counters: Mutex<Counters>,
    pub history: Mutex<History>,
    /// The application's own state.
    app_state: Mutex<Box<str>>,
    /// Of the last attempt that failed, until one succeeds.
    pub last_failure: Mutex<Option<Error>>,
    pub provider: Mutex<Option<Box<Provider>>>,
    /// Whether a connection that is lost, or an attempt that failed, is followed by another one.
    pub reconnect: AtomicBool,
    /// The driver has yet to hear that the network is another one. However often that is told, it is one thing.
    pub network_changed: AtomicBool,
    /// A CONNECT may have reached the server, and its answer did not come.
    pub unanswered: AtomicBool,
    /// Between a thread that publishes and the driver.
    pub express: Express,
    /// Whose log lines are this client's.
    pub origin: Arc<Origin>,
    state: AtomicU8,
}

/// The application's token provider, and the thread that is in it.
pub struct Provider {
    pub call: TokenProvider,
    pub thread: Option<JoinHandle<()>>,
    /// The thread is in the call.
    pub busy: Arc<AtomicBool>,
}

impl Shared {
    pub fn new(mut settings: Settings, crew: &Arc<Crew>) -> Result<Arc<Self>> {
        let bell = Arc::new(Bell::default());
        let mailbox = Mailbox::new(settings.dispatch, settings.manual_ack, crew, bell.clone());
        let mailbox = mailbox.map_err(|error| refused(&error))?;
        let number = registry::new_number();
        mailbox.set_client(number);
        let call = settings.provider.take();
        let shared = Arc::new(Self {
            number,
            inbox: Mutex::new(Inbox {
                queue: Queue::new(settings.queue),
                commands: VecDeque::new(),
                requests: 0,
                takes_qos0: settings.keep_offline_qos0,
                closing: false,
            }),
            counters: Mutex::default(),
            history: Mutex::new(History::new(settings.history_size)),
            app_state: Mutex::default(),
            bell,
            mailbox,
            last_failure: Mutex::default(),
            provider: Mutex::new(
                call.map(|call| Box::new(Provider { call, thread: None, busy: Arc::default() })),
            ),
            origin: Origin::new(settings.client_id.clone().unwrap_or_else(generated_client_id)),
            reconnect: AtomicBool::new(settings.reconnect),
            network_changed: AtomicBool::new(false),
            unanswered: AtomicBool::new(false),
            express: Express::default(),
            state: AtomicU8::new(ConnectionState::Disconnected as u8),
            settings,
        });
        registry::add_client(number, &shared);
        Ok(shared)
    }

    pub fn command(&self, command: Command) -> Result<()> {
        let mut inbox = lock(&self.inbox);
        if let Err(error) = inbox.has_room() {
            drop(inbox);
            return self.refuse(command, error);
        }
        inbox.requests += usize::from(matches!(command, Command::Request(_)));
        inbox.commands.push_back(command);
        drop(inbox);
        self.bell.ring();
        Ok(())
    }

    /// The command whose turn it is; `leaving`: the first that brings a token. An idle client keeps no room for any.
    pub fn next_command(&self, leaving: bool) -> Option<Command> {
        let commands = &mut lock(&self.inbox).commands;
        let command = match leaving {
            true => {
                let token = commands.iter().position(|command| matches!(command, Command::Token { .. }));
                token.and_then(|index| commands.remove(index))
            }
            false => commands.pop_front(),
        };
        if commands.is_empty() {
            commands.shrink_to_fit();
        }
        command
    }

    /// The earliest end that the disconnects behind the one under way set, before the application connects again.
    pub fn next_farewell(&self) -> Option<std::time::Instant> {
        let commands = &lock(&self.inbox).commands;
        let leaving = commands.iter().take_while(|command| !matches!(command, Command::Connect(_)));
        let until = |command: &Command| match command {
            Command::Disconnect { until, .. } => Some(*until),
            _ => None,
        };
        leaving.filter_map(until).min()
    }

    /// Whether a further command would be taken; asked before a handler is put in force.
    pub fn check_room(&self) -> Result<()> {
        lock(&self.inbox).has_room()
    }

    /// A refused SUBSCRIBE takes its handler with it, and that happens where callbacks run.
    fn refuse(&self, command: Command, error: Error) -> Result<()> {
        if let Command::Request(request @ Request::Subscribe { .. }) = command {
            let mut actions = Actions::default();
            request.fail(&error, &mut actions);
            self.mailbox.listeners.release(&actions.released);
        }
        Err(error)
    }

    /// Puts it into the queue; the driver is still to hear of it.
    pub fn publish(&self, publish: Publish) -> Result<()> {
        if publish.completion.is_callback() && self.mailbox.untold() >= self.settings.queue.messages {
            let message = "the callbacks of as many ended operations as the queue may hold have not been called yet: is a callback blocked, or gecko_mqtt_dispatch not called?";
            return Err(Error::new(ErrorKind::QueueFull, message));
        }
        let mut dropped = Vec::new();
        let mut inbox = lock(&self.inbox);
        if inbox.closing {
            return Err(closed());
        }
        if !inbox.takes_qos0 && publish.stored.qos() == QoS::AtMostOnce {
            let message = "there is no connection, and QoS 0 does not wait for one: see gecko_mqtt_options_set_offline_qos0";
            return Err(Error::new(ErrorKind::NotConnected, message));
        }
        let pushed = inbox.queue.push(publish, &mut dropped);
        if !dropped.is_empty() {
            let mut counters = lock(&self.counters);
            counters.sums().dropped_by_policy += dropped.len() as u64;
            counters.sums().messages_failed += dropped.len() as u64;
            drop(counters);
            // Under the lock, so that a client which is freed meanwhile does not come to its end before.
            self.complete(dropped);
        }
        drop(inbox);
        pushed.map_err(|(error, _publish)| error)
    }

    /// Takes a publish whose waiter gave up out of the queue.
    pub fn forget(&self, waiter: &Arc<Waiter>) {
        let waits = |publish: &Publish| matches!(&publish.completion, Completion::Waiter(w) if Arc::ptr_eq(w, waiter));
        let removed = lock(&self.inbox).queue.remove(waits);
        lock(&self.counters).sums().messages_failed += removed as u64;
    }

    /// What was counted so far.
    pub fn stats(&self) -> Stats {
        let (messages, bytes) = lock(&self.inbox).queue.usage();
        let counted = lock(&self.counters).snapshot();
        Stats { queued_messages: messages as u64, queued_bytes: bytes as u64, ..counted }
    }

    /// Tells the end of operations: threads that wait at once, callbacks where they run.
    pub fn complete(&self, done: Vec<(Completion, Ack)>) {
        let mut callbacks = Vec::new();
        for (completion, ack) in done {
            if completion.is_callback() {
                callbacks.push((completion, ack));
            } else {
                completion.complete(ack);
            }
        }
        if !callbacks.is_empty() {
            self.mailbox.post(Delivery::Done(callbacks));
        }
    }

    pub fn state(&self) -> ConnectionState {
        ConnectionState::from_u8(self.state.load(Ordering::Acquire))
    }

    /// Changes the state and has it told; does nothing where it is the same.
    pub fn set_state(&self, state: ConnectionState) {
        if self.state.swap(state as u8, Ordering::AcqRel) != state as u8 {
            self.mailbox.post(Delivery::State(state));
        }
    }

    /// Changes the application's own state and has it told; does nothing where it is the same.
    pub fn set_app_state(&self, state: &str) -> Result<()> {
        let mut current = lock(&self.app_state);
        if **current == *state {
            return Ok(());
        }
        // Under the lock, so that they are told in the order in which they were set.
        if !self.mailbox.post(Delivery::AppState(state.into())) {
            let message = "1,024 states and events have not been told yet: is a callback blocked, or gecko_mqtt_dispatch not called?";
            return Err(Error::new(ErrorKind::QueueFull, message));
        }
        *current = state.into();
        Ok(())
    }

    pub fn is_connected(&self) -> bool {
        matches!(self.state(), ConnectionState::Connected | ConnectionState::CredentialRefreshFailed)
    }

    pub fn client_id(&self) -> String {
        self.origin.client_id()
    }

    pub fn set_client_id(&self, client_id: &str) {
        self.origin.set_client_id(client_id);
    }

    /// What `connect` says when its time is over.
    pub fn connect_timeout(&self, time: Duration) -> Error {
        let ms = time.as_millis();
        match &*lock(&self.last_failure) {
            Some(error) => {
                let message = format!(
                    "not connected within {ms} ms, and still being tried; the last attempt failed: {error}"
                );
                let timeout = Error::new(error.kind(), message);
                error.reason_code().map_or(timeout.clone(), |reason| timeout.with_reason(reason))
            }
            None => Error::new(
                ErrorKind::Timeout,
                format!(
                    "not connected within {ms} ms; it goes on in the background (see gecko_mqtt_get_connection_state)"
                ),
            ),
        }
    }

    /// No command is taken any more, no callback but completions runs any more, and the driver ends.
    pub fn close(&self) {
        self.mailbox.close();
        registry::remove_client(self.number);
        lock(&self.inbox).closing = true;
        self.bell.ring();
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the client is being freed")
}

fn generated_client_id() -> String {
    let random = RandomState::new();
    format!("gecko-{:016x}", random.hash_one(std::process::id()))
}

/// What is left of a client when its last callback has run.
pub struct Remains {
    shared: Arc<Shared>,
    /// Goes last.
    _runtime: Arc<Runtime>,
}

impl Remains {
    pub fn new(shared: Arc<Shared>, runtime: Arc<Runtime>) -> Self {
        Self { shared, _runtime: runtime }
    }
}

impl Drop for Remains {
    fn drop(&mut self) {
        let Some(provider) = lock(&self.shared.provider).take() else { return };
        // Its hook runs after its last call, and without the lock.
        if let Some(thread) = provider.thread {
            sys::join_unless_current(thread);
        }
        drop(provider.call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::BrokerUrl;
    use crate::dispatch::DispatchMode;
    use crate::options::Options;
    use crate::packet::StoredPublish;
    use crate::process::try_lock;
    use crate::{Message, QueuePolicy, Secret};
    use std::sync::mpsc;

    #[test]
    fn what_a_message_drives_out_is_told_before_the_end_of_the_client() {
        let mut options = Options::default();
        options.set_broker_url("mqtt://nowhere").unwrap();
        options.set_dispatch(DispatchMode::App).unwrap();
        options.set_queue(1, 1 << 20, QueuePolicy::DropOldest).unwrap();
        let crew = Crew::start().unwrap();
        let shared = &Shared::new(options.settings().unwrap(), &crew).unwrap();
        let publish = |payload: &[u8], completion| {
            let message = Message { topic: "t", payload, qos: QoS::AtLeastOnce, ..Message::default() };
            shared.publish(Publish::new(StoredPublish::new(&message).unwrap(), completion)).unwrap();
        };
        let (tell, told) = mpsc::channel();
        publish(b"", Completion::Boxed(Box::new(move |_| tell.send(()).unwrap())));
        let held = || try_lock(&shared.inbox).map(|inbox| inbox.queue.usage().1);
        let before = held();
        std::thread::scope(|scope| {
            // Whoever counts stands still.
            let counters = lock(&shared.counters);
            let (ended, end) = mpsc::channel();
            scope.spawn(|| publish(&[7; 100], Completion::None));
            while held() == before {
                std::thread::yield_now();
            }
            // As the driver does it.
            scope.spawn(move || {
                shared.close();
                lock(&shared.inbox).queue.drain();
                shared.mailbox.post(Delivery::Ended);
                shared.mailbox.finish();
                ended.send(told.try_recv().is_ok()).unwrap();
            });
            let early = end.recv_timeout(Duration::from_millis(100));
            drop(counters);
            assert!(
                early.or_else(|_| end.recv()).unwrap(),
                "the client is gone, and its callback still to come"
            );
        });
        crew.stop();
    }

    #[test]
    fn a_command_shows_no_secret() {
        let url =
            "wss://h/mqtt?x-amz-customauthorizer-name=N&token=s3cr3t&x-amz-customauthorizer-signature=s3cr3t";
        let token = Token::from_broker_url(&BrokerUrl::parse(url).unwrap(), 60).unwrap();
        let key = include_bytes!("../link/testdata/test-only-ec.sec1.pem");
        let certificate = include_bytes!("../link/testdata/test-only-ec.crt.pem");
        let identity = Identity::from_bytes(certificate, &Secret::new(&key[..])).unwrap();
        let answer = Command::Token { request: TokenRequest(7), answer: Ok(Box::new(token.clone())) };
        for command in [answer, Command::SetToken(Box::new(token)), Command::SetCertificate(identity)] {
            let shown = format!("{command:?}");
            assert!(shown.contains("***") && !shown.contains("s3cr3t"), "{shown}");
        }
    }
}
