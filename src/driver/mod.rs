//! The async task of one client: links, session, credentials and reconnection meet here.

mod clock;
mod farewell;
mod handshake;
mod lane;
mod news;
mod renewal;
mod serve;
mod tokens;

#[cfg(test)]
mod tests;

use crate::completion::{Ack, Completion};
use crate::dispatch::{self, Delivery};
use crate::link::{self, Link, Progress, Target, Tls};
use crate::panics;
use crate::process::lock;
use crate::reconnect::{Cause, Next, Reconnect};
use crate::session::queue::Publish;
use crate::session::{self, Actions, Session};
use crate::shared::{Command, Shared};
use crate::{ConnectionState, Error, ErrorKind, Result};
use clock::{Clock, Random};
pub use farewell::FAREWELL;
use farewell::Farewell;
pub use lane::{Express, Lane};
use news::Open;
use renewal::Renewal;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;
use tokens::Tokens;

/// Opens a link. A function, so that tests connect the driver to a pipe.
pub type Dial = Arc<dyn Fn(Target, Arc<Progress>) -> Dialing + Send + Sync>;
/// A link that is being opened. Dropped, it comes to nothing.
pub type Dialing = Pin<Box<dyn Future<Output = Result<Link>> + Send>>;

/// The real thing: name service, TCP, TLS.
pub fn dial() -> Dial {
    Arc::new(|target, progress| Box::pin(async move { link::open(&target, &progress).await }))
}

/// Runs a client until it is closed. A panic in it ends the client's work, with an error, not in silence.
pub async fn run(shared: Arc<Shared>, dial: Dial) {
    let origin = shared.origin.clone();
    let mut driver = Driver::new(shared, dial);
    let finished = {
        let mut work = std::pin::pin!(driver.work());
        std::future::poll_fn(|cx| match panics::catch(|| origin.scope(|| work.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(text) => Poll::Ready(Err(text)),
        })
        .await
    };
    if let Err(text) = finished {
        driver.collapse(&text).await;
    }
    driver.end();
}

pub(crate) struct Driver {
    shared: Arc<Shared>,
    dial: Dial,
    session: Session,
    actions: Actions,
    reconnect: Reconnect,
    clock: Clock,
    random: Random,
    /// The application wants to be connected.
    wanted: bool,
    /// It asked for that anew: a wait for the next attempt ends.
    nudged: bool,
    /// The network is another one than the attempt began with.
    elsewhere: bool,
    /// There are other credentials than the attempt's link shows.
    outdated: bool,
    /// The next CONNECT is the first one since the application asked.
    first: bool,
    open: Open,
    /// As the counters have it.
    in_flight: u64,
    /// QoS 0 messages from the server that were dropped, and are still to be told.
    dropped: u64,
    connects: Vec<Completion>,
    farewell: Option<Box<Farewell>>,
    tokens: Tokens,
    has_provider: bool,
    renewal: Renewal,
    /// With the certificate that the next link shows.
    tls: Option<Tls>,
    /// The server chose the client identifier, and it may be used again.
    assigned: Option<String>,
    /// Reused by [`draw`](Self::draw).
    drawn: Vec<Publish>,
    /// Reused by [`absorb`](Self::absorb).
    acknowledged: Vec<u64>,
}

/// What ended a wait.
#[derive(Debug, PartialEq, Eq)]
enum Interrupt {
    /// The application disconnects, or frees the client.
    Leave,
    /// It asks to try now.
    Now,
    /// It wants no further attempt.
    Stop,
}

/// How a connection ended.
enum End {
    Lost {
        error: Error,
        lived: Duration,
    },
    /// The application wanted it.
    Left,
}

/// Whether other credentials may mend it.
fn refuses_credentials(error: &Error) -> bool {
    let kind = error.kind();
    kind == ErrorKind::TlsClientCertificate || Cause::of(kind) == Cause::Authentication
}

fn new_session(shared: &Shared) -> Session {
    Session::new(session::Settings {
        receive_maximum: shared.settings.receive_maximum,
        max_incoming_packet: shared.settings.max_incoming_packet,
        operation_timeout: shared.settings.operation_timeout,
    })
}

impl Driver {
    fn new(shared: Arc<Shared>, dial: Dial) -> Self {
        let settings = &shared.settings;
        let session = new_session(&shared);
        let mut random = Random::new();
        let held = |token: Box<_>| tokens::Held::new(*token, settings.refresh_threshold, &mut random);
        let has_provider = lock(&shared.provider).is_some();
        let shown = lock(&settings.token).take().map(held);
        Self {
            session,
            actions: Actions::default(),
            reconnect: Reconnect::new(settings.policy),
            clock: Clock::default(),
            random,
            wanted: false,
            nudged: false,
            elsewhere: false,
            outdated: false,
            first: true,
            open: Open::Nothing,
            in_flight: 0,
            dropped: 0,
            connects: Vec::new(),
            farewell: None,
            tokens: Tokens::new(shown),
            has_provider,
            renewal: Renewal::default(),
            tls: settings.tls.clone(),
            assigned: None,
            drawn: Vec::new(),
            acknowledged: Vec::new(),
            shared,
            dial,
        }
    }

    async fn work(&mut self) {
        loop {
            self.absorb();
            self.settle();
            if self.closing() {
                return;
            }
            if self.wanted {
                self.pursue().await;
            } else if self.farewell.is_some() {
                self.leave();
            } else {
                self.shared.bell.rung().await;
            }
        }
    }

    fn closing(&self) -> bool {
        lock(&self.shared.inbox).closing
    }

    /// Takes commands in, up to one that ends the connection; behind that only what its last messages may need.
    fn absorb(&mut self) {
        let now = self.clock.now();
        while let Some(command) = self.shared.next_command(self.farewell.is_some()) {
            match command {
                Command::Connect(completion) if self.is_connected() => completion.complete(Ack::SENT),
                Command::Connect(completion) => {
                    self.connects.push(completion);
                    self.nudged = true;
                    if !self.wanted {
                        self.wanted = true;
                        self.first = true;
                        self.reconnect.forget();
                    }
                }
                Command::Disconnect { until, completion } => {
                    self.farewell = Some(Box::new(Farewell { until, completion, heard: None }));
                }
                Command::Request(request) => self.session.request(request, now, &mut self.actions),
                Command::Token { request, answer } => self.answered(request, answer),
                Command::SetToken(token) => {
                    self.tokens.fresh = Some(self.hold(*token));
                    self.renewal.hurry();
                    self.try_fresh_credentials();
                }
                Command::RefreshToken if self.is_connected() => {
                    self.renewal.hurry();
                    self.ask();
                }
                Command::RefreshToken => {
                    self.forget_token();
                    self.try_fresh_credentials();
                }
                Command::SetCertificate(identity) => {
                    self.tls = self.tls.as_ref().map(|tls| tls.with_identity(Some(identity)));
                    self.renewal.want();
                    self.try_fresh_credentials();
                }
            }
        }
        if let Some(farewell) = &mut self.farewell {
            // Somebody else who leaves may have less time.
            farewell.until =
                self.shared.next_farewell().map_or(farewell.until, |until| until.min(farewell.until));
        }
        if self.shared.network_changed.swap(false, Ordering::AcqRel) {
            self.renewal.look_again();
            if self.is_connected() {
                self.session.probe(now, &mut self.actions);
            } else {
                self.nudged = true;
                self.elsewhere = true;
            }
        }
        self.acknowledge();
    }

    /// What the application has done with messages.
    fn acknowledge(&mut self) {
        match &self.shared.mailbox.by_hand {
            None => self.session.handled_up_to(self.shared.mailbox.handled(), &mut self.actions),
            Some(by_hand) => {
                by_hand.take(&mut self.acknowledged);
                for number in self.acknowledged.drain(..) {
                    self.session.handled(number, &mut self.actions);
                }
            }
        }
    }

    /// The connection is gone.
    fn lost(&mut self) {
        self.session.lost();
        self.forget_receipts();
    }

    /// What cannot be acknowledged by hand any more, as another connection will bring it again.
    fn forget_receipts(&self) {
        if let Some(by_hand) = &self.shared.mailbox.by_hand {
            by_hand.keep(|number| self.session.awaits(number));
        }
    }

    /// A wait that began because the server refused the old ones ends.
    fn try_fresh_credentials(&mut self) {
        self.outdated = true;
        if lock(&self.shared.last_failure).as_ref().is_some_and(refuses_credentials) {
            self.nudged = true;
        }
    }

    /// Carries out what the session wants, but for the bytes.
    fn settle(&mut self) {
        self.settle_accounts();
        let actions = &mut self.actions;
        if !actions.messages.is_empty() {
            let mut batch = std::mem::take(&mut actions.messages);
            if self.shared.mailbox.bytes() >= dispatch::HIGH_WATER {
                // Read only because somebody waits who holds up the callbacks: QoS 0 above the bound is dropped, and told.
                self.dropped += batch.drop_at_most_once() as u64;
            }
            if !batch.is_empty() {
                self.shared.mailbox.post(Delivery::Messages(batch));
            }
        }
        // Once for all of a run.
        if self.dropped > 0 && self.shared.mailbox.bytes() < dispatch::HIGH_WATER {
            let dropped = std::mem::take(&mut self.dropped);
            self.dropped_incoming(dropped);
        }
        for (filter, error) in std::mem::take(&mut self.actions.refused) {
            self.subscription_refused(&filter, &error);
        }
        let actions = &mut self.actions;
        if !actions.released.is_empty() {
            self.shared.mailbox.post(Delivery::Released(std::mem::take(&mut actions.released)));
        }
        self.tell_done();
    }

    /// Before anybody is told: what a completion tells has been counted, and its room is free.
    fn settle_accounts(&mut self) {
        self.count_tally();
        let actions = &mut self.actions;
        if actions.freed != (0, 0) || actions.requests_ended > 0 {
            let (messages, bytes) = std::mem::take(&mut actions.freed);
            let mut inbox = lock(&self.shared.inbox);
            inbox.queue.release(messages, bytes);
            inbox.requests = inbox.requests.saturating_sub(std::mem::take(&mut actions.requests_ended));
        }
    }

    fn tell_done(&mut self) {
        if !self.actions.done.is_empty() {
            self.shared.complete(std::mem::take(&mut self.actions.done));
        }
    }

    /// Connects, and again, until the application wants it no more or it is hopeless.
    async fn pursue(&mut self) {
        let mut trying = ConnectionState::Connecting;
        // What is not the life of a connection is in boxes: most clients are connected most of the time.
        loop {
            self.enter(trying);
            self.attempting();
            let (error, lived) = match Box::pin(self.attempt()).await {
                Err(None) => return self.leave(),
                Err(Some(error)) => {
                    self.nudged |= self.elsewhere || self.outdated && refuses_credentials(&error);
                    tracing::info!(attempt = self.reconnect.attempt(), %error, reason_code = error.reason_code(), "connection attempt failed");
                    (error, None)
                }
                Ok(greeting) => {
                    *lock(&self.shared.last_failure) = None;
                    self.first = false;
                    let again = trying == ConnectionState::Reconnecting;
                    trying = ConnectionState::Reconnecting;
                    match self.serve(greeting, again).await {
                        End::Left => return self.leave(),
                        End::Lost { error, lived } => {
                            tracing::info!(lived_ms = lived.as_millis() as u64, %error, reason_code = error.reason_code(), "connection lost");
                            (error, Some(lived))
                        }
                    }
                }
            };
            let error = self.explain(error);
            *lock(&self.shared.last_failure) = Some(error.clone());
            self.forget_refused_token(error.kind());
            let (cause, random) = (Cause::of(error.kind()), self.random.unit());
            let next = match lived {
                Some(lived) => self.reconnect.lost(cause, lived, random),
                None => self.reconnect.failed(cause, random),
            };
            let next = if self.shared.reconnect.load(Ordering::Acquire) { next } else { Next::Stop };
            let interrupt = match next {
                Next::Retry { attempt, delay } => {
                    self.enter(trying);
                    self.concluded(Some(&error));
                    self.scheduled(&error, attempt, delay);
                    Box::pin(self.pause(delay)).await
                }
                Next::CoolDown { delay } => {
                    self.enter(ConnectionState::ConnectionFailed);
                    self.concluded(Some(&error));
                    self.scheduled(&error, 1, delay);
                    self.refuse_connects(&error);
                    self.forget_token();
                    let interrupt = Box::pin(self.pause(delay)).await;
                    self.reconnect.begin_round();
                    interrupt
                }
                Next::Stop => Some(Interrupt::Stop),
            };
            match interrupt {
                None | Some(Interrupt::Now) => {}
                Some(Interrupt::Leave) => return self.leave(),
                Some(Interrupt::Stop) => return self.give_up(&self.last_word(error), trying),
            }
        }
    }

    /// No further attempt until the application connects again.
    fn give_up(&mut self, error: &Error, trying: ConnectionState) {
        self.wanted = false;
        let unwanted = !self.shared.reconnect.load(Ordering::Acquire);
        if unwanted && trying == ConnectionState::Reconnecting {
            self.enter(ConnectionState::Disconnected);
        } else {
            self.enter(ConnectionState::ConnectionFailed);
        }
        self.concluded(Some(error));
        self.stopped(error);
        self.refuse_connects(error);
    }

    /// Why nothing more is tried.
    fn last_word(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::SessionTakenOver || !self.shared.reconnect.load(Ordering::Acquire) {
            return error;
        }
        let message = format!(
            "given up: again and again another client with the client identifier '{}' takes the session over; give each device one of its own",
            self.shared.client_id()
        );
        Error::new(ErrorKind::SessionTakenOver, message).with_reason(142)
    }

    fn refuse_connects(&mut self, error: &Error) {
        for completion in std::mem::take(&mut self.connects) {
            completion.complete(Ack::failed(error.clone()));
        }
    }

    /// Waits, unless the application has other wishes. Its other commands are carried out meanwhile.
    async fn pause(&mut self, delay: Duration) -> Option<Interrupt> {
        let shared = self.shared.clone();
        let mut sleep = std::pin::pin!(tokio::time::sleep(delay));
        loop {
            if let Some(interrupt) = self.interrupted() {
                return Some(interrupt);
            }
            tokio::select! {
                () = &mut sleep => return None,
                () = shared.bell.rung() => {}
                () = self.time_to_leave() => {}
            }
        }
    }

    /// Takes commands in and says whether one of them ends a wait.
    fn interrupted(&mut self) -> Option<Interrupt> {
        self.absorb();
        self.settle();
        if self.closing() || self.must_leave() {
            return Some(Interrupt::Leave);
        }
        if std::mem::take(&mut self.nudged) {
            return Some(Interrupt::Now);
        }
        (!self.shared.reconnect.load(Ordering::Acquire)).then_some(Interrupt::Stop)
    }

    /// Ends every publish that has not ended, and says how many there were.
    fn abandon(&mut self, unsent: &Error, unknown: &Error) -> usize {
        self.settle();
        self.session.abandon(unsent, unknown, &mut self.actions);
        let queued = lock(&self.shared.inbox).queue.drain();
        let count = self.actions.freed.0 + queued.len();
        self.end_queued(queued, unsent);
        self.settle();
        count
    }

    /// Ends what was taken out of the queue, its room given back.
    fn end_queued(&mut self, queued: Vec<Publish>, error: &Error) {
        self.actions.tally.failed += queued.len() as u64;
        let ended = queued.into_iter().map(|publish| (publish.completion, Ack::failed(error.clone())));
        self.actions.done.extend(ended);
    }

    /// A defect of this library: the application is told, and can free the client.
    async fn collapse(&mut self, panic: &str) {
        let text = "the driver panicked: this client does nothing any more";
        self.shared.origin.scope(|| tracing::error!(panic, "{text}"));
        let message = format!(
            "a defect of the library ended this client's work: free it and make another one ({panic})"
        );
        let error = Error::new(ErrorKind::Internal, message);
        *lock(&self.shared.last_failure) = Some(error.clone());
        self.shared.express.close();
        self.actions.out.clear();
        self.actions.end = None;
        loop {
            // What it stumbled over may be in there still.
            if panics::catch(|| self.fail_all(&error)).is_err() {
                self.session = new_session(&self.shared);
            }
            self.enter(ConnectionState::ConnectionFailed);
            self.concluded(Some(&error));
            if std::mem::take(&mut self.wanted) {
                self.stopped(&error);
            }
            if self.closing() {
                return;
            }
            self.shared.bell.rung().await;
        }
    }

    /// The client is being freed.
    fn end(&mut self) {
        let freed = Error::new(ErrorKind::Cancelled, "cancelled: the client was freed");
        if let Err(panic) = panics::catch(|| self.fail_all(&freed)) {
            self.shared.origin.scope(|| tracing::error!(panic, "the driver panicked while it ended"));
        }
        self.shared.mailbox.post(Delivery::Ended);
    }

    /// Ends everything that anybody waits for.
    fn fail_all(&mut self, error: &Error) {
        loop {
            self.absorb();
            self.refuse_connects(error);
            let Some(farewell) = self.farewell.take() else { break };
            farewell.completion.complete(Ack::failed(error.clone()));
        }
        self.lost();
        self.session.forget_subscriptions(error, &mut self.actions);
        self.abandon(error, error);
    }

    /// Takes what may be written from the queue.
    fn draw(&mut self) {
        let now = self.clock.now();
        let room = self.session.room(now, self.actions.out.len());
        if room.bytes == 0 {
            return;
        }
        lock(&self.shared.inbox).queue.take(room, &mut self.drawn);
        if !self.drawn.is_empty() {
            self.session.publish(self.drawn.drain(..), now, &mut self.actions);
        }
    }

    /// Whether the dispatcher is too far behind for more to be read.
    fn must_pause(&self) -> bool {
        let mailbox = &self.shared.mailbox;
        let full = mailbox.bytes() >= dispatch::HIGH_WATER && !mailbox.is_waiting();
        mailbox.paused.store(full, Ordering::SeqCst);
        // Again, because it may have caught up just before it could see that it is waited for.
        full && mailbox.bytes() >= dispatch::HIGH_WATER
    }
}
