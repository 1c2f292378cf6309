//! What the driver tells of its work: states, events, counters. Every attempt that is told to begin is told to end
//! exactly once, and so is every connection.

use super::Driver;
use crate::dispatch::Delivery;
use crate::event::unix_ms;
use crate::process::lock;
use crate::stats::{Stats, Tally};
use crate::{ConnectionState, Error, Event, EventKind};
use std::sync::Arc;
use std::time::Duration;

/// What has been told to begin, and not yet to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Open {
    #[default]
    Nothing,
    /// With its number.
    Attempt(u32),
    Connection,
}

impl Driver {
    pub(super) fn enter(&mut self, state: ConnectionState) {
        self.shared.set_state(state);
    }

    /// There is a live connection.
    pub(super) fn is_connected(&self) -> bool {
        self.open == Open::Connection
    }

    fn event(&self, kind: EventKind, message: String) -> Event {
        Event::new(kind, self.shared.state(), message)
    }

    fn tell(&self, event: Event) {
        tracing::trace!(?event, "told");
        let event = Arc::new(event);
        lock(&self.shared.history).push(event.clone());
        self.shared.mailbox.post(Delivery::Event(event));
    }

    fn count(&self, count: impl FnOnce(&mut Stats)) {
        count(lock(&self.shared.counters).sums());
    }

    /// Adds up what was counted since the last time.
    pub(super) fn count_tally(&mut self) {
        let in_flight = self.session.in_flight() as u64;
        let tally = std::mem::take(&mut self.actions.tally);
        if tally != Tally::default() || in_flight != self.in_flight {
            self.in_flight = in_flight;
            let mut counters = lock(&self.shared.counters);
            counters.add(&tally);
            counters.sums().in_flight = in_flight;
        }
    }

    pub(super) fn attempting(&mut self) {
        let attempt = self.reconnect.attempt();
        self.open = Open::Attempt(attempt);
        self.shared.origin.next_connection();
        self.count(|stats| stats.attempts += 1);
        self.tell(Event { attempt, ..self.event(EventKind::Attempting, format!("attempt {attempt}")) });
    }

    /// `again`: after a connection that was lost.
    pub(super) fn succeeded(&mut self, session_present: bool, again: bool, peer: &str) {
        let Open::Attempt(attempt) = std::mem::replace(&mut self.open, Open::Connection) else { return };
        self.count(|stats| {
            stats.successes += 1;
            stats.reconnections += u64::from(again);
            stats.connected_since_unix_ms = Some(unix_ms());
        });
        let session = if session_present { "resumed" } else { "new" };
        let message = format!("connected to {peer}, session {session}");
        self.tell(Event { attempt, session_present, ..self.event(EventKind::Connected, message) });
    }

    /// Ends what is open; after the state has been changed.
    pub(super) fn concluded(&mut self, error: Option<&Error>) {
        let reason = error.map_or("the application disconnected", Error::message);
        match std::mem::take(&mut self.open) {
            Open::Nothing => {}
            Open::Attempt(attempt) => {
                self.count(|stats| stats.failures += 1);
                let message = format!("attempt {attempt} failed: {reason}");
                let event = self.event(EventKind::Failed, message);
                self.tell(Event { attempt, error: error.cloned(), ..event });
            }
            Open::Connection => {
                self.count(|stats| stats.connected_since_unix_ms = None);
                let event = self.event(EventKind::Disconnected, format!("disconnected: {reason}"));
                self.tell(Event { error: error.cloned(), ..event });
            }
        }
    }

    pub(super) fn scheduled(&self, error: &Error, attempt: u32, delay: Duration) {
        tracing::info!(attempt, delay_ms = delay.as_millis() as u64, "the next attempt is scheduled");
        let message = format!("attempt {attempt} follows in {} ms", delay.as_millis());
        let event = self.event(EventKind::ReconnectScheduled, message);
        self.tell(Event { error: Some(error.clone()), attempt, delay: Some(delay), ..event });
    }

    pub(super) fn stopped(&self, error: &Error) {
        tracing::info!(%error, reason_code = error.reason_code(), "not tried again until the application connects");
        let event = self.event(EventKind::Stopped, format!("not tried again: {error}"));
        self.tell(Event { error: Some(error.clone()), ..event });
    }

    /// The connection is another one, and nobody noticed.
    pub(super) fn rotated(&self, session_present: bool) {
        tracing::info!(session_present, "the connection was rotated onto fresh credentials");
        self.count(|stats| stats.token_refreshes += 1);
        let message = "the connection was rotated onto fresh credentials".to_owned();
        self.tell(Event { session_present, ..self.event(EventKind::TokenRefreshed, message) });
    }

    /// `delay`: until the next attempt, if there is one.
    pub(super) fn refresh_failed(&self, error: &Error, delay: Option<Duration>) {
        let delay_ms = delay.map(|delay| delay.as_millis() as u64);
        tracing::warn!(%error, reason_code = error.reason_code(), delay_ms, "the credentials were not refreshed");
        self.count(|stats| stats.token_refresh_failures += 1);
        let event =
            self.event(EventKind::TokenRefreshFailed, format!("the credentials were not refreshed: {error}"));
        self.tell(Event { error: Some(error.clone()), delay, ..event });
    }

    pub(super) fn subscription_refused(&self, filter: &str, error: &Error) {
        tracing::warn!(filter, %error, reason_code = error.reason_code(), "a subscription was not restored");
        let message = format!("the subscription to '{filter}' was not restored: {error}");
        let event = self.event(EventKind::SubscriptionRefused, message);
        self.tell(Event { error: Some(error.clone()), ..event });
    }

    pub(super) fn dropped_incoming(&self, count: u64) {
        self.count(|stats| stats.dropped_incoming += count);
        let message = format!(
            "{count} QoS 0 messages from the server were dropped: a call waits on the thread that runs the callbacks, and the buffer is full"
        );
        tracing::warn!(
            count,
            "QoS 0 messages from the server were dropped: a call waits where the callbacks run, and the buffer is full"
        );
        self.tell(self.event(EventKind::MessagesDropped, message));
    }
}
