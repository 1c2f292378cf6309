//! A fresh token, or certificate, for a live connection, without a gap. AWS IoT takes a new token in a new CONNECT
//! only, so a second link is opened beside the first; when it is ready, and what is on its way over the first one has
//! arrived, its CONNECT takes the session over. Until then nothing is given up, so that nothing is lost where it fails.

use super::handshake::{self, Opening, greet};
use super::tokens::Held;
use super::{Dialing, Driver};
use crate::credentials::retry_delay;
use crate::link::Link;
use crate::reconnect::Cause;
use crate::{ConnectionState, Error, ErrorKind, Result};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// The clocks are looked at this often: after a sleep, tokio's alone would ring too late.
const LOOK: Duration = Duration::from_secs(60);
/// What is on its way over the old link is waited for so long; then only QoS 1 and 2 are safe.
const SETTLE: Duration = Duration::from_secs(5);

type Greeting = Pin<Box<dyn Future<Output = Result<Box<handshake::Greeting>>> + Send>>;

/// How far it has come.
#[derive(Default)]
enum Step {
    #[default]
    Idle,
    /// The second link is being opened.
    Dialing(Dialing),
    /// It is there; the old one comes to rest.
    Settling { link: Box<Link>, until: Instant },
    /// CONNECT is out: from now on the old link may end at any moment.
    Greeting(Greeting),
}

/// See the module.
#[derive(Default)]
pub(super) struct Renewal {
    step: Step,
    /// The token that the second link shows.
    token: Option<Box<Held>>,
    /// What the second link says first.
    opening: Option<Box<Opening>>,
    /// The live link shows another certificate than the next one will.
    wanted: bool,
    /// The same, of what is under way.
    was_wanted: bool,
    /// In a row.
    failures: u32,
    /// Not before.
    resumes: Option<Instant>,
    /// The next look at the clocks.
    look: Option<Instant>,
    /// Something is due then.
    due: bool,
    /// A CONNECT came to nothing, but perhaps not before the server had acted on it.
    pub disputed: bool,
}

impl Renewal {
    /// Whether the server may have acted on the CONNECT already.
    pub fn is_greeting(&self) -> bool {
        matches!(self.step, Step::Greeting(_))
    }

    /// The certificate is another one.
    pub fn want(&mut self) {
        self.wanted = true;
        self.hurry();
    }

    /// As soon as possible, whatever failed before.
    pub fn hurry(&mut self) {
        self.failures = 0;
        self.resumes = None;
    }

    /// Looks at the clocks again.
    pub fn look_again(&mut self) {
        self.look = None;
    }
}

impl Driver {
    /// Does what can be done without waiting. `lost`: the old link has ended.
    pub(super) fn renew(&mut self, lost: bool) {
        if self.farewell.is_some() {
            return self.abandon_renewal();
        }
        self.press();
        // A token that came by another way makes up for it.
        if let Some(error) = self.tokens.take_failure().filter(|_| self.tokens.fresh.is_none()) {
            self.renewal_failed(&error);
        }
        // What came later goes before what is under way.
        if self.tokens.fresh.is_some() || self.renewal.wanted {
            self.abandon_renewal();
        }
        match std::mem::take(&mut self.renewal.step) {
            Step::Idle => self.begin_renewal(),
            Step::Settling { link, until } => {
                if lost || self.session.settled() || until <= Instant::now() {
                    self.session.await_takeover();
                    let Some(opening) = self.renewal.opening.take() else { return };
                    self.renewal.step = Step::Greeting(self.limited(greet(*link, opening)));
                } else {
                    self.renewal.step = Step::Settling { link, until };
                }
            }
            step => self.renewal.step = step,
        }
    }

    /// Asks for a token, or opens the second link, when it is time.
    fn begin_renewal(&mut self) {
        let now = Instant::now();
        if self.renewal.resumes.is_some_and(|resumes| now < resumes) {
            return;
        }
        self.renewal.resumes = None;
        if self.tokens.fresh.is_some() || self.renewal.wanted {
            return self.dial_beside();
        }
        if self.tokens.is_asking() {
            return;
        }
        if self.renewal.failures > 0 && self.has_provider {
            return self.ask();
        }
        if self.renewal.look.is_some_and(|look| now < look) {
            return;
        }
        let due = match self.tokens.shown.as_deref() {
            _ if !self.has_provider => None,
            Some(shown) => shown.refresh_in(),
            // Another one was asked for while this connection was being made.
            None => Some(Duration::ZERO),
        };
        if due == Some(Duration::ZERO) {
            return self.ask();
        }
        self.renewal.look = Some(now + due.unwrap_or(LOOK).min(LOOK));
        self.renewal.due = due.is_some();
    }

    fn dial_beside(&mut self) {
        self.renewal.was_wanted = std::mem::take(&mut self.renewal.wanted);
        let fresh = self.tokens.fresh.take();
        let token = fresh.as_deref().or(self.tokens.shown.as_deref());
        match self.prepare(token.map(|held| &held.token)) {
            Ok((target, opening)) => {
                tracing::debug!("rotating: opening a second link");
                let (dialing, _) = self.dialing(target);
                self.renewal.step = Step::Dialing(self.limited(dialing));
                self.renewal.opening = Some(opening);
                self.renewal.token = fresh;
            }
            // It does not fit the options, and never will.
            Err(error) => self.renewal_failed(&error),
        }
    }

    /// Within the connect time-out.
    fn limited<T>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = Result<T>> + Send>> {
        let limit = self.shared.settings.connect_timeout;
        Box::pin(async move {
            tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
                let message = format!("the second connection was not there within {} ms", limit.as_millis());
                Err(Error::new(ErrorKind::ConnectTimeout, message))
            })
        })
    }

    /// Ready when a step has been made; with what came of the CONNECT, if it was that.
    pub(super) fn poll_renewal(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Box<handshake::Greeting>>>> {
        match &mut self.renewal.step {
            Step::Idle | Step::Settling { .. } => Poll::Pending,
            Step::Dialing(dialing) => {
                let Poll::Ready(link) = dialing.as_mut().poll(cx) else { return Poll::Pending };
                self.renewal.step = Step::Idle;
                match link {
                    Ok(link) => {
                        let now = self.clock.now();
                        self.session.prepare_takeover(now, &mut self.actions);
                        self.renewal.step =
                            Step::Settling { link: Box::new(link), until: Instant::now() + SETTLE };
                    }
                    Err(error) => {
                        self.keep_unless_refused(&error);
                        self.renewal_failed(&error);
                    }
                }
                Poll::Ready(None)
            }
            Step::Greeting(greeting) => {
                let Poll::Ready(greeted) = greeting.as_mut().poll(cx) else { return Poll::Pending };
                self.renewal.step = Step::Idle;
                Poll::Ready(Some(greeted))
            }
        }
    }

    /// When [`renew`](Self::renew) has something to do.
    pub(super) fn renewal_deadline(&self) -> Option<Instant> {
        let step = match &self.renewal.step {
            Step::Settling { until, .. } => Some(*until),
            Step::Idle if self.tokens.is_asking() => None,
            Step::Idle => self.renewal.resumes.or(self.renewal.look.filter(|_| self.renewal.due)),
            _ => None,
        };
        step.into_iter().chain(self.tokens.deadline()).min()
    }

    /// The second link carries the session now.
    pub(super) fn renewed(&mut self, session_present: bool) {
        if let Some(token) = self.renewal.token.take() {
            self.tokens.shown = Some(token);
        }
        let wanted = self.renewal.wanted;
        self.renewal = Renewal { wanted, ..Renewal::default() };
        self.enter(ConnectionState::Connected);
        self.rotated(session_present);
    }

    /// The CONNECT came to nothing, and the old link lives: it goes on there.
    pub(super) fn renewal_refused(&mut self, error: &Error) {
        self.renewal.disputed = true;
        let now = self.clock.now();
        self.session.resume(now, &mut self.actions);
        self.keep_unless_refused(error);
        self.renewal_failed(error);
    }

    /// The token that the second link showed is still good where it was not the server that refused it. A close without
    /// a word may mean that; then another one is asked for, where there is somebody to ask.
    fn keep_unless_refused(&mut self, error: &Error) {
        let token = self.renewal.token.take();
        let refused = Cause::of(error.kind()) == Cause::Authentication
            && (self.has_provider || error.kind() != ErrorKind::ClosedBeforeConnack);
        if !refused && self.tokens.fresh.is_none() {
            self.tokens.fresh = token;
        }
    }

    /// Tried again later; the connection lives as long as the server lets it.
    fn renewal_failed(&mut self, error: &Error) {
        self.renewal.failures += 1;
        let expires_in = self.tokens.shown.as_deref().and_then(Held::expires_in);
        let settings = &self.shared.settings;
        let attempt = settings.token_timeout.saturating_add(settings.connect_timeout);
        let delay = retry_delay(self.renewal.failures, expires_in, attempt);
        self.renewal.resumes = Some(Instant::now() + delay);
        self.renewal.wanted |= std::mem::take(&mut self.renewal.was_wanted);
        let again = self.has_provider || self.renewal.wanted || self.tokens.fresh.is_some();
        self.enter(ConnectionState::CredentialRefreshFailed);
        self.refresh_failed(error, again.then_some(delay));
    }

    /// Back to the old link alone, with nothing under way.
    fn abandon_renewal(&mut self) {
        if !matches!(self.renewal.step, Step::Dialing(_) | Step::Settling { .. }) {
            return;
        }
        self.renewal.step = Step::Idle;
        self.renewal.wanted |= std::mem::take(&mut self.renewal.was_wanted);
        let now = self.clock.now();
        self.session.resume(now, &mut self.actions);
        if self.tokens.fresh.is_none() {
            self.tokens.fresh = self.renewal.token.take();
        }
    }

    /// What is under way ends, and the next connection shows the fresh token, which nobody has refused.
    pub(super) fn cut_renewal_short(&mut self) {
        if self.tokens.fresh.is_none() {
            self.tokens.fresh = self.renewal.token.take();
        }
        self.renewal = Renewal::default();
    }

    /// The live connection is gone: what was under way for it ends, and the next one shows the fresh token.
    pub(super) fn end_renewal(&mut self, error: &Error) {
        // Before the second link's CONNECT the error says nothing of the fresh token.
        if matches!(self.renewal.step, Step::Idle) {
            self.keep_unless_refused(error);
        }
        self.cut_renewal_short();
    }
}
