//! Where tokens come from: the options, the application, its provider.

use super::clock::{Random, boottime};
use super::{Driver, Interrupt};
use crate::credentials::{Clocks, Schedule, Token, TokenState};
use crate::event::unix_ms;
use crate::options::{TokenProvider, TokenRequest};
use crate::process::lock;
use crate::reconnect::Cause;
use crate::runtime::crew::CALLBACK_STACK;
use crate::runtime::refused;
use crate::shared::{Shared, registry};
use crate::{Error, ErrorKind, Result, panics, sys};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// A token, and when it ends.
pub(crate) struct Held {
    pub token: Token,
    schedule: Schedule,
}

impl Held {
    /// Received now.
    pub fn new(token: Token, threshold: Duration, random: &mut Random) -> Box<Self> {
        Box::new(Self { schedule: Schedule::new(token.expiry(), clocks(), threshold, random.unit()), token })
    }

    /// Until another one should be asked for; `None`: time alone does not tell. One that was over when it came says
    /// that somebody's clock is wrong: asking again for the same reason would never end.
    pub fn refresh_in(&self) -> Option<Duration> {
        if self.schedule.expired_on_receipt() {
            return None;
        }
        match self.schedule.state(clocks()) {
            TokenState::NoExpiry => None,
            TokenState::Fresh { refresh_in } => Some(refresh_in),
            TokenState::RefreshDue { .. } | TokenState::Expired { .. } => Some(Duration::ZERO),
        }
    }

    /// Until it ends, where that is known and has not happened.
    pub fn expires_in(&self) -> Option<Duration> {
        match self.schedule.state(clocks()) {
            TokenState::RefreshDue { expires_in } => Some(expires_in),
            _ => None,
        }
    }

    /// Since when it is over.
    fn expired_since(&self) -> Option<Duration> {
        match self.schedule.state(clocks()) {
            TokenState::Expired { since } => Some(since),
            _ => None,
        }
    }
}

fn clocks() -> Clocks {
    Clocks { boot: boottime(), unix_ms: unix_ms() }
}

/// A request to the provider that has not been answered.
pub(super) struct Asking {
    request: TokenRequest,
    until: Instant,
    /// The provider may still be in an earlier call.
    called: bool,
}

/// What is known of tokens. Most clients have none, and a box is what that takes.
#[derive(Default)]
pub(super) struct Tokens {
    /// What the live connection, or the last one, has shown.
    pub shown: Option<Box<Held>>,
    /// What the next connection shows instead.
    pub fresh: Option<Box<Held>>,
    asking: Option<Asking>,
    /// Why the last request came to nothing.
    failure: Option<Error>,
}

impl Tokens {
    /// With what the options bring.
    pub fn new(shown: Option<Box<Held>>) -> Self {
        Self { shown, ..Self::default() }
    }

    /// What the next CONNECT shows.
    pub fn next(&self) -> Option<&Held> {
        self.fresh.as_deref().or(self.shown.as_deref())
    }

    /// When a request is overdue.
    pub fn deadline(&self) -> Option<Instant> {
        self.asking.as_ref().map(|asking| asking.until)
    }

    pub fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// Why the last request came to nothing, once.
    pub fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }
}

impl Shared {
    /// Calls the provider on a thread of its own, unless it is still in the last call.
    fn call_provider(self: &Arc<Self>, request: TokenRequest) -> Result<bool> {
        let mut provider = lock(&self.provider);
        let Some(provider) = provider.as_deref_mut() else { return Ok(false) };
        if provider.busy.load(Ordering::Acquire) {
            return Ok(false);
        }
        if let Some(thread) = provider.thread.take() {
            // On its way out.
            let _ = thread.join();
        }
        let (call, busy) = (provider.call.clone(), provider.busy.clone());
        let (bell, origin) = (self.bell.clone(), self.origin.clone());
        let work = move || {
            let call: TokenProvider = call;
            if let Err(panic) = panics::catch(|| panics::outside(|| call(request))) {
                origin.scope(|| tracing::error!(panic, "the token provider panicked"));
            }
            drop(call);
            // Before the bell: whoever hears it may call again.
            busy.store(false, Ordering::Release);
            bell.ring();
        };
        provider.busy.store(true, Ordering::Release);
        let thread = sys::spawn("gecko-mqtt-cred", CALLBACK_STACK, work);
        provider.thread = Some(thread.map_err(|error| {
            provider.busy.store(false, Ordering::Release);
            refused(&error)
        })?);
        Ok(true)
    }
}

impl Driver {
    /// Received now.
    pub(super) fn hold(&mut self, token: Token) -> Box<Held> {
        Held::new(token, self.shared.settings.refresh_threshold, &mut self.random)
    }

    /// Asks the provider, unless it has been asked already.
    pub(super) fn ask(&mut self) {
        if self.tokens.asking.is_some() {
            return;
        }
        tracing::debug!("asking for a token");
        self.tokens.failure = None;
        let until = Instant::now() + self.shared.settings.token_timeout;
        let request = registry::open_request(&self.shared);
        self.tokens.asking = Some(Asking { request, until, called: false });
        self.press();
    }

    /// Sees to it that the provider is called, and gives up when its time is over.
    pub(super) fn press(&mut self) {
        let Some(asking) = &mut self.tokens.asking else { return };
        let mut failure = None;
        if !asking.called {
            match self.shared.call_provider(asking.request) {
                Ok(called) => asking.called = called,
                Err(error) => failure = Some(error),
            }
        }
        if asking.until <= Instant::now() {
            let what = if asking.called { "did not answer" } else { "is still in an earlier call" };
            let limit = self.shared.settings.token_timeout.as_millis();
            let message = format!("the token provider {what} within {limit} ms");
            failure.get_or_insert_with(|| Error::new(ErrorKind::TokenTimeout, message));
        }
        if let Some(error) = failure {
            registry::close_request(asking.request);
            self.tokens.asking = None;
            self.tokens.failure = Some(error);
        }
    }

    /// The provider's answer.
    pub(super) fn answered(&mut self, request: TokenRequest, answer: Result<Box<Token>>) {
        if self.tokens.asking.take_if(|asking| asking.request == request).is_none() {
            return;
        }
        match answer {
            Ok(token) => {
                let held = self.hold(*token);
                let refresh_in_secs = held.refresh_in().map(|time| time.as_secs());
                tracing::debug!(refresh_in_secs, "the provider gave a token");
                if let Some(since) = held.expired_since() {
                    tracing::warn!(
                        since_secs = since.as_secs(),
                        "the provider's token is over already: is the clock right?"
                    );
                }
                self.tokens.fresh = Some(held);
            }
            Err(error) => self.tokens.failure = Some(error),
        }
    }

    /// Sees to it that there is a token that has not expired, where one is needed and somebody can be asked.
    /// `Err(None)`: the application left meanwhile.
    pub(super) async fn ensure_token(&mut self) -> Result<(), Option<Error>> {
        let expired = match self.tokens.next().map(Held::expired_since) {
            Some(None) => return Ok(()),
            expired => expired.flatten(),
        };
        if !self.has_provider {
            let Some(since) = expired else {
                // Nothing here needs one.
                return Ok(());
            };
            let message = format!(
                "the token expired {} s ago, and there is no provider to ask for another one: see gecko_mqtt_options_set_token_provider",
                since.as_secs()
            );
            return Err(Some(Error::new(ErrorKind::TokenExpired, message)));
        }
        self.tokens.fresh = None;
        // An earlier request may be overdue by now.
        self.press();
        self.ask();
        let shared = self.shared.clone();
        loop {
            if self.interrupted() == Some(Interrupt::Leave) {
                return Err(None);
            }
            self.press();
            if self.tokens.fresh.is_some() {
                return Ok(());
            }
            let Some(until) = self.tokens.deadline() else {
                let lost = || Error::new(ErrorKind::TokenRefresh, "the token provider gave no token");
                return Err(Some(self.tokens.take_failure().unwrap_or_else(lost)));
            };
            tokio::select! {
                () = shared.bell.rung() => {}
                () = self.time_to_leave() => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
    }

    /// A refusal, with what is known of the token that was shown.
    pub(super) fn explain(&self, error: Error) -> Error {
        let refused = Cause::of(error.kind()) == Cause::Authentication && error.reason_code().is_some();
        match self.tokens.shown.as_deref().filter(|_| refused).and_then(Held::expired_since) {
            Some(since) => error.and(&format!("the token expired {} s ago", since.as_secs())),
            None => error,
        }
    }

    /// A token that the server refused is not shown to it again, where another one can be had.
    pub(super) fn forget_refused_token(&mut self, kind: ErrorKind) {
        if Cause::of(kind) == Cause::Authentication {
            self.forget_token();
        }
    }

    /// The next attempt begins with a fresh token, where one can be had.
    pub(super) fn forget_token(&mut self) {
        if self.has_provider {
            self.tokens.shown = None;
        }
    }
}
