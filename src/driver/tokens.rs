//! Where the token comes from.

use super::clock::Random;
use super::{Driver, Interrupt};
use crate::credentials::{Clocks, Schedule, Token, TokenState};
use crate::dispatch::pool::CALLBACK_STACK;
use crate::options::{TokenProvider, TokenRequest};
use crate::process::lock;
use crate::reconnect::Cause;
use crate::runtime::refused;
use crate::shared::{Shared, registry};
use crate::{Error, ErrorKind, Result, panics, sys};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// The token in use.
pub(crate) struct Held {
    pub token: Token,
    schedule: Schedule,
}

impl Held {
    /// Received now.
    pub fn new(token: Token, threshold: Duration, random: &mut Random) -> Self {
        Self { schedule: Schedule::new(token.expiry(), clocks(), threshold, random.unit()), token }
    }
}

fn clocks() -> Clocks {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Clocks { boot: sys::boottime(), unix_ms: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX) }
}

impl Shared {
    /// Whether there is somebody to ask for a token.
    pub(super) fn has_provider(&self) -> bool {
        lock(&self.provider).call.is_some()
    }

    /// Calls the provider on a thread of its own, unless it is still in the last call.
    fn call_provider(self: &Arc<Self>, request: TokenRequest) -> Result<bool> {
        let mut provider = lock(&self.provider);
        if provider.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Ok(false);
        }
        let Some(call) = provider.call.clone() else { return Ok(false) };
        if let Some(thread) = provider.thread.take() {
            let _ = thread.join();
        }
        let bell = self.bell.clone();
        let work = move || {
            let call: TokenProvider = call;
            if let Err(panic) = panics::catch(|| panics::outside(|| call(request))) {
                tracing::error!(panic, "the token provider panicked");
            }
            drop(call);
            bell.ring();
        };
        provider.thread = Some(sys::spawn("gecko-mqtt-cred", CALLBACK_STACK, work).map_err(|e| refused(&e))?);
        Ok(true)
    }
}

impl Driver {
    /// Sees to it that there is a token that has not expired, where one is needed and somebody can be asked.
    /// `Err(None)`: the application left meanwhile.
    pub(super) async fn ensure_token(&mut self) -> Result<(), Option<Error>> {
        let expired = match self.token.as_ref().map(|held| held.schedule.state(clocks())) {
            Some(TokenState::Expired { since }) => Some(since),
            Some(_) => return Ok(()),
            None => None,
        };
        if self.shared.has_provider() {
            let token = self.request_token().await?;
            self.token = Some(Held::new(token, self.shared.settings.refresh_threshold, &mut self.random));
            return Ok(());
        }
        match expired {
            Some(since) => {
                let message = format!(
                    "the token expired {} s ago, and there is no provider to ask for another one: see gecko_mqtt_options_set_token_provider",
                    since.as_secs()
                );
                Err(Some(Error::new(ErrorKind::TokenExpired, message)))
            }
            // Nothing here needs one.
            None => Ok(()),
        }
    }

    async fn request_token(&mut self) -> Result<Token, Option<Error>> {
        let limit = self.shared.settings.token_timeout;
        let request = registry::open_request(&self.shared);
        let shared = self.shared.clone();
        let mut sleep = std::pin::pin!(tokio::time::sleep_until(Instant::now() + limit));
        let mut called = false;
        self.answer = None;
        let answer = loop {
            if !called {
                called = match shared.call_provider(request) {
                    Ok(called) => called,
                    Err(error) => break Err(Some(error)),
                };
            }
            if self.interrupted() == Some(Interrupt::Leave) {
                break Err(None);
            }
            match self.answer.take() {
                Some((answered, answer)) if answered == request => break answer.map_err(Some),
                _ => {}
            }
            tokio::select! {
                () = shared.bell.rung() => {}
                () = &mut sleep => {
                    let what = if called { "did not answer" } else { "is still in an earlier call" };
                    let message = format!("the token provider {what} within {} ms", limit.as_millis());
                    break Err(Some(Error::new(ErrorKind::TokenTimeout, message)));
                }
            }
        };
        registry::close_request(request);
        answer
    }

    /// A token that the server refused is not shown to it again, where another one can be had.
    pub(super) fn forget_refused_token(&mut self, kind: ErrorKind) {
        if Cause::of(kind) == Cause::Authentication && self.shared.has_provider() {
            self.token = None;
        }
    }
}
