//! A client: what a handle is. Puts commands in, reads snapshots out; the work is the driver's.

use crate::completion::{Ack, Completion, Waiter};
use crate::dispatch::listeners::{AppStateListener, EventListener, MessageListener, Receipt, StateListener};
use crate::dispatch::{DispatchMode, Mailbox};
use crate::driver::{self, Lane};
use crate::link::Identity;
use crate::options::{Options, TokenInput, TokenRequest};
use crate::packet::{Filter, RetainHandling, StoredPublish, topic};
use crate::process::lock;
use crate::runtime::Runtime;
use crate::runtime::crew::CALLBACK_STACK;
use crate::session::queue::Publish;
use crate::session::subscriptions::{Request, Wanted};
use crate::shared::{Command, Remains, Shared, registry};
use crate::{ConnectionState, Error, ErrorKind, Event, Message, QoS, Result, Secret, Stats};
use crate::{log, sys};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The longest name of a state of the application's own.
const MAX_APP_STATE: usize = 1024;

/// How long a call may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// As the options say for this kind of call.
    Default,
    /// At most so long; zero: not at all.
    For(Duration),
}

impl Wait {
    fn or(self, default: Duration) -> Duration {
        match self {
            Self::Default => default,
            Self::For(time) => time,
        }
    }
}

/// One topic filter of a SUBSCRIBE (MQTT 5, 3.8.3.1).
#[derive(Clone, Copy, Debug, Default)]
pub struct Subscription<'a> {
    /// The topic filter.
    pub filter: &'a str,
    /// The highest QoS wanted.
    pub qos: QoS,
    /// Do not send what this client published itself.
    pub no_local: bool,
    /// Keep the retain flag as it was published.
    pub retain_as_published: bool,
    /// 0: send retained messages; 1: only for a new subscription; 2: do not.
    pub retain_handling: u8,
}

/// Keeps one connection. Dropping it closes without a farewell: it waits for the running callback, tells the
/// remaining operations that they are cancelled, and drops all listeners; inside a callback of its own it
/// returns at once, and all that happens when the callback has returned.
pub struct Client {
    shared: Arc<Shared>,
    lane: Arc<Lane>,
    runtime: Mutex<Option<Arc<Runtime>>>,
}

impl Client {
    /// Makes a client; the first one makes the library's threads. Fails with the first error of the options.
    pub fn new(options: &Options) -> Result<Self> {
        let settings = options.settings()?;
        let runtime = Runtime::acquire()?;
        if settings.dispatch == DispatchMode::Thread {
            runtime.crew().prepare();
        }
        let shared = Shared::new(settings, runtime.crew())?;
        let lane = Arc::new(Lane::new(driver::run(shared.clone(), runtime.dial().clone())));
        let work = lane.clone();
        runtime.handle().spawn(std::future::poll_fn(move |cx| work.poll(cx)));
        Ok(Self { shared, lane, runtime: Mutex::new(Some(runtime)) })
    }

    /// The end, as dropping brings it; calls of other threads that are inside the client end with an error.
    pub fn close(&self) {
        let Some(runtime) = lock(&self.runtime).take() else { return };
        let remains = Remains::new(self.shared.clone(), runtime);
        let mailbox = self.shared.mailbox.clone();
        if mailbox.is_current() {
            mailbox.keep(Box::new(remains));
            self.shared.close();
        } else if log::is_inside_callback() {
            // The driver may be standing still for this very call; if it is not, the end comes at once.
            mailbox.keep(Box::new(remains));
            self.shared.close();
            drop(sys::spawn("gecko-mqtt-end", CALLBACK_STACK, move || mailbox.finish()));
        } else {
            self.shared.close();
            mailbox.finish();
        }
    }

    /// Starts, and waits until connected or the round failed; goes on in the background when the time is over.
    pub fn connect(&self, wait: Wait) -> Result<()> {
        let time = wait.or(self.shared.settings.connect_timeout);
        if time.is_zero() {
            return self.shared.command(Command::Connect(Completion::None));
        }
        may_wait(time)?;
        let waiter = Arc::new(Waiter::default());
        self.shared.command(Command::Connect(Completion::Waiter(waiter.clone())))?;
        let _waiting = self.shared.mailbox.wait_guard();
        let result = waiter.wait(Instant::now() + time).result;
        match result {
            Err(error) if error.kind() == ErrorKind::Timeout => Err(self.shared.connect_timeout(time)),
            result => result,
        }
    }

    /// Lets accepted messages go out within the time, and callbacks of those that have come return, then DISCONNECT. TIMEOUT
    /// where some were left.
    pub fn disconnect(&self, wait: Wait) -> Result<()> {
        let time = wait.or(self.shared.settings.operation_timeout);
        let until = Instant::now() + time;
        if time.is_zero() {
            return self.shared.command(Command::Disconnect { until, completion: Completion::None });
        }
        if self.shared.mailbox.is_current() {
            return Err(Error::new(
                ErrorKind::WouldDeadlock,
                "gecko_mqtt_disconnect with a time, inside a callback of the same client, would wait for that callback: give 0",
            ));
        }
        may_wait(time)?;
        let waiter = Arc::new(Waiter::default());
        self.shared.command(Command::Disconnect { until, completion: Completion::Waiter(waiter.clone()) })?;
        let _waiting = self.shared.mailbox.wait_guard();
        // The driver keeps the time itself, and has a little more for the farewell.
        waiter.wait(until + driver::FAREWELL * 2).result
    }

    /// Whether a lost connection is made again; takes effect at once, also during a wait for the next attempt.
    pub fn set_reconnection(&self, enabled: bool) {
        self.shared.reconnect.store(enabled, Ordering::Release);
        self.shared.bell.ring();
    }

    /// Whether a lost connection is made again.
    pub fn is_reconnection_enabled(&self) -> bool {
        self.shared.reconnect.load(Ordering::Acquire)
    }

    /// The network is another one, or is back: tries now instead of waiting, or checks the live connection now.
    pub fn network_changed(&self) {
        self.shared.network_changed.store(true, Ordering::Release);
        self.shared.bell.ring();
    }

    /// A fresh token: a live connection is rotated onto it, the next one begins with it.
    pub fn set_token(&self, token: &TokenInput<'_>) -> Result<()> {
        let token = token.parse()?;
        if self.shared.settings.tls.is_none() {
            let message = "this client connects without TLS (mqtt://): a token would go through the network in the clear";
            return Err(Error::new(ErrorKind::InvalidConfiguration, message));
        }
        // Says now what CONNECT would say.
        self.shared.settings.credentials().connect_login(Some(&token))?;
        self.shared.command(Command::SetToken(Box::new(token)))
    }

    /// Asks the provider for a token now, and rotates a live connection onto it.
    pub fn refresh_token(&self) -> Result<()> {
        if lock(&self.shared.provider).is_none() {
            let message = "there is no token provider to ask: see gecko_mqtt_options_set_token_provider";
            return Err(Error::new(ErrorKind::InvalidConfiguration, message));
        }
        self.shared.command(Command::RefreshToken)
    }

    /// A fresh client certificate and its key, from files: a live connection is rotated onto it.
    pub fn set_certificate_file(&self, certificate: &str, key: &str) -> Result<()> {
        self.set_certificate(Identity::from_files(certificate, key)?)
    }

    /// The same from memory: PEM or DER.
    pub fn set_certificate_pem(&self, certificate: &[u8], key: &[u8]) -> Result<()> {
        self.set_certificate(Identity::from_bytes(certificate, &Secret::new(key))?)
    }

    fn set_certificate(&self, identity: Identity) -> Result<()> {
        if self.shared.settings.tls.is_none() {
            let message = "this client connects without TLS (mqtt://), and a certificate is for TLS";
            return Err(Error::new(ErrorKind::InvalidConfiguration, message));
        }
        self.shared.command(Command::SetCertificate(identity))
    }

    /// Whether a live connection is there.
    pub fn is_connected(&self) -> bool {
        self.shared.is_connected()
    }

    /// What the connection is doing.
    pub fn state(&self) -> ConnectionState {
        self.shared.state()
    }

    /// The client identifier in use.
    pub fn client_id(&self) -> String {
        self.shared.client_id()
    }

    /// Accepted (then exactly one completion follows) or refused (then none).
    pub fn publish(&self, message: &Message<'_>, completion: Completion) -> Result<()> {
        let mut publish = Publish::new(StoredPublish::new(message)?, completion);
        if let Some(secs) = message.message_expiry_secs {
            publish.expires_at = Instant::now().checked_add(Duration::from_secs(secs.into()));
        }
        let bytes = publish.stored.bytes_held();
        self.shared.publish(publish)?;
        self.lane.queued(&self.shared, bytes);
        Ok(())
    }

    /// Publishes and waits. When the time is over: TIMEOUT if nothing was written (it is cancelled),
    /// OUTCOME_UNKNOWN if it was.
    pub fn publish_wait(&self, message: &Message<'_>, wait: Wait) -> Ack {
        let waiter = Arc::new(Waiter::default());
        if let Err(error) =
            self.may_wait(wait).and_then(|()| self.publish(message, Completion::Waiter(waiter.clone())))
        {
            return Ack::failed(error);
        }
        let ack = self.wait(&waiter, wait);
        if is_timeout(&ack) {
            self.shared.forget(&waiter);
        }
        ack
    }

    /// Subscribes. The handler is in force at once; `None`: the messages go to `on_message`. `key` is what
    /// [`remove_listeners`](Self::remove_listeners) looks for.
    pub fn subscribe(
        &self,
        subscriptions: &[Subscription<'_>],
        handler: Option<(usize, MessageListener)>,
        completion: Completion,
    ) -> Result<()> {
        check_subscriptions(subscriptions)?;
        let filters: Vec<&str> = subscriptions.iter().map(|subscription| subscription.filter).collect();
        self.shared.check_room()?;
        let listeners = &self.shared.mailbox.listeners;
        let handler = match handler {
            Some((key, listener)) => listeners.add_handlers(&filters, key, listener),
            None => listeners.without_handler(),
        };
        let wanted = |subscription: &Subscription<'_>| Wanted {
            filter: subscription.filter.into(),
            qos: subscription.qos,
            no_local: subscription.no_local,
            retain_as_published: subscription.retain_as_published,
            retain_handling: match subscription.retain_handling {
                0 => RetainHandling::Send,
                1 => RetainHandling::SendIfNew,
                _ => RetainHandling::DoNotSend,
            },
            handler,
        };
        let filters = subscriptions.iter().map(wanted).collect();
        self.shared.command(Command::Request(Request::Subscribe { filters, completion, restoring: false }))
    }

    /// Subscribes and waits. A subscription that was not sent when the time is over is withdrawn.
    pub fn subscribe_wait(
        &self,
        subscriptions: &[Subscription<'_>],
        handler: Option<(usize, MessageListener)>,
        wait: Wait,
    ) -> Ack {
        let waiter = Arc::new(Waiter::default());
        let completion = Completion::Waiter(waiter.clone());
        match self.may_wait(wait).and_then(|()| self.subscribe(subscriptions, handler, completion)) {
            Ok(()) => self.wait(&waiter, wait),
            Err(error) => Ack::failed(error),
        }
    }

    /// Unsubscribes; the filter's handler goes when the server has confirmed.
    pub fn unsubscribe(&self, filter: &str, completion: Completion) -> Result<()> {
        topic::valid_filter(filter)?;
        let below = self.shared.mailbox.listeners.next_handler();
        self.shared.command(Command::Request(Request::Unsubscribe {
            filter: filter.into(),
            completion,
            below,
        }))
    }

    /// Unsubscribes and waits.
    pub fn unsubscribe_wait(&self, filter: &str, wait: Wait) -> Ack {
        let waiter = Arc::new(Waiter::default());
        match self.may_wait(wait).and_then(|()| self.unsubscribe(filter, Completion::Waiter(waiter.clone())))
        {
            Ok(()) => self.wait(&waiter, wait),
            Err(error) => Ack::failed(error),
        }
    }

    fn may_wait(&self, wait: Wait) -> Result<()> {
        may_wait(wait.or(self.shared.settings.operation_timeout))
    }

    fn wait(&self, waiter: &Waiter, wait: Wait) -> Ack {
        let deadline = Instant::now() + wait.or(self.shared.settings.operation_timeout);
        let _waiting = self.shared.mailbox.wait_guard();
        let ack = waiter.wait(deadline);
        if is_timeout(&ack) {
            // The driver withdraws what nobody waits for.
            self.shared.bell.ring();
        }
        ack
    }

    /// Adds a listener for messages that no filter's own handler takes.
    pub fn on_message(&self, key: usize, listener: MessageListener) -> Result<()> {
        self.shared.mailbox.listeners.add_message_listener(key, listener);
        Ok(())
    }

    /// Adds a listener for the connection's state.
    pub fn on_connection_state_change(&self, key: usize, listener: StateListener) -> Result<()> {
        self.shared.mailbox.listeners.add_state_listener(key, listener);
        Ok(())
    }

    /// Adds a listener for the connection's events.
    pub fn on_connection_event(&self, key: usize, listener: EventListener) -> Result<()> {
        self.shared.mailbox.listeners.add_event_listener(key, listener);
        Ok(())
    }

    /// Adds a listener for the application's own state.
    pub fn on_state_change(&self, key: usize, listener: AppStateListener) -> Result<()> {
        self.shared.mailbox.listeners.add_app_state_listener(key, listener);
        Ok(())
    }

    /// The application's own state is another one: told to every `on_state_change`.
    pub fn change_state(&self, state: &str) -> Result<()> {
        if state.len() > MAX_APP_STATE {
            let message = format!("a state has at most {MAX_APP_STATE} bytes, this one {}", state.len());
            return Err(Error::new(ErrorKind::OutOfRange, message));
        }
        self.shared.set_app_state(state)
    }

    /// The last events, newest last.
    pub fn history(&self) -> Vec<Arc<Event>> {
        lock(&self.shared.history).snapshot()
    }

    /// A snapshot of what was counted.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Counts begin anew.
    pub fn reset_stats(&self) {
        lock(&self.shared.counters).reset();
    }

    /// Removes every listener and handler that was added with `key`; each is dropped after its last call.
    pub fn remove_listeners(&self, key: usize) -> Result<()> {
        match self.shared.mailbox.listeners.remove(key) {
            0 => Err(Error::new(ErrorKind::NotFound, "no listener of this client has that userdata")),
            _ => Ok(()),
        }
    }

    /// With [`DispatchMode::App`]: readable while callbacks are due; -1 otherwise.
    pub fn dispatch_fd(&self) -> i32 {
        self.shared.mailbox.fd()
    }

    /// What runs due callbacks with [`DispatchMode::App`]. Apart from the client,
    /// because one of those callbacks may free it.
    pub fn dispatcher(&self) -> Dispatcher {
        Dispatcher { mailbox: self.shared.mailbox.clone(), limit: self.shared.settings.operation_timeout }
    }

    /// Acknowledges a message by hand, from any thread. Needs no handle: the receipt knows its client.
    pub fn message_ack(receipt: Receipt) -> Result<()> {
        let unknown =
            || Error::new(ErrorKind::NotFound, "no message waits for this acknowledgement (any more)");
        let (client, message) = receipt.split();
        if message == 0 {
            return Err(Error::new(ErrorKind::InvalidArgument, "a QoS 0 message is not acknowledged"));
        }
        let shared = registry::client(client).ok_or_else(unknown)?;
        let Some(by_hand) = &shared.mailbox.by_hand else {
            let message = "the library acknowledges by itself: see gecko_mqtt_options_set_manual_ack";
            return Err(Error::new(ErrorKind::InvalidConfiguration, message));
        };
        if !by_hand.acknowledge(message) {
            return Err(unknown());
        }
        shared.bell.ring();
        Ok(())
    }
}

/// Inside the application's logger the driver may be standing still for it.
fn may_wait(time: Duration) -> Result<()> {
    if time.is_zero() || !log::is_inside_callback() {
        return Ok(());
    }
    let message = "inside the log callback, the library may be waiting for that callback: a call that waits needs the time 0 there";
    Err(Error::new(ErrorKind::WouldDeadlock, message))
}

/// Runs a client's callbacks on the calling thread.
pub struct Dispatcher {
    mailbox: Arc<Mailbox>,
    limit: Duration,
}

impl Dispatcher {
    /// Waits for due callbacks, runs them here and says how many.
    pub fn dispatch(&self, wait: Wait) -> Result<usize> {
        let time = wait.or(self.limit);
        may_wait(time)?;
        self.mailbox.dispatch(time)
    }
}

/// Answers a request of the token provider; from any thread. A token that cannot be used leaves it open.
pub fn token_request_complete(request: TokenRequest, token: &TokenInput<'_>) -> Result<()> {
    let token = token.parse()?;
    answer(request, Ok(token))
}

/// The same, when there is no token to be had. `reason` is told to the user, and must not be a secret.
pub fn token_request_fail(request: TokenRequest, reason: &str) -> Result<()> {
    let reason: String = reason.chars().take(500).collect();
    let error =
        Error::new(ErrorKind::TokenRefresh, format!("the application could not get a token: {reason}"));
    answer(request, Err(error))
}

fn answer(request: TokenRequest, answer: Result<crate::credentials::Token>) -> Result<()> {
    let late = || {
        Error::new(
            ErrorKind::NotFound,
            "no such token request is open: the answer is late, double, or its client is gone",
        )
    };
    let shared = registry::close_request(request).ok_or_else(late)?;
    shared.command(Command::Token { request, answer: answer.map(Box::new) }).map_err(|_| late())
}

fn is_timeout(ack: &Ack) -> bool {
    ack.result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout)
}

fn check_subscriptions(subscriptions: &[Subscription<'_>]) -> Result<()> {
    if subscriptions.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "a SUBSCRIBE has at least one topic filter [MQTT-3.8.3-2]",
        ));
    }
    for (index, subscription) in subscriptions.iter().enumerate() {
        let Subscription { filter, no_local, .. } = *subscription;
        Filter { filter, no_local, ..Filter::default() }.check()?;
        if subscription.retain_handling > 2 {
            let message = format!("retain handling is 0, 1 or 2, not {}", subscription.retain_handling);
            return Err(Error::new(ErrorKind::OutOfRange, message));
        }
        if subscriptions[..index].iter().any(|other| other.filter == subscription.filter) {
            let message = format!("the topic filter '{}' is there twice", subscription.filter);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
    }
    Ok(())
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_leaves_is_there_before_its_end_can_come() {
        let mut options = Options::default();
        options.set_broker_url("mqtt://nowhere").unwrap();
        options.set_dispatch(DispatchMode::App).unwrap();
        let client = Client::new(&options).unwrap();
        let shared = client.shared.clone();
        std::thread::scope(|scope| {
            // The driver does not hear of it yet.
            let inbox = lock(&shared.inbox);
            scope.spawn(|| log::inside_callback(|| client.close()));
            while registry::client(shared.number).is_some() {
                std::thread::yield_now();
            }
            let kept = shared.mailbox.keeps_something();
            drop(inbox);
            assert!(kept);
        });
    }
}
