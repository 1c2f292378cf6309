//! What happens to a connection, told to listeners as it happens.

use crate::{ConnectionState, Error};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What an event is about.
///
/// Every `Attempting` is followed by exactly one `Connected` or `Failed`, every `Connected` by exactly one
/// `Disconnected`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// An attempt to connect begins.
    Attempting,
    /// The server accepted the connection.
    Connected,
    /// The attempt failed.
    Failed,
    /// The connection ended.
    Disconnected,
    /// The next attempt comes after `delay`.
    ReconnectScheduled,
    /// The connection was rotated onto a fresh token or certificate.
    TokenRefreshed,
    /// No fresh token was to be had, or the server would not take it; it is tried again.
    TokenRefreshFailed,
    /// The server has lost a subscription and would not restore it; it is asked again on the next connection.
    SubscriptionRefused,
    /// QoS 0 messages from the server were dropped, because a callback waited and the buffer was full.
    MessagesDropped,
    /// No further attempt follows until the application connects again.
    Stopped,
}

/// Something that happened to a connection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// What it is about.
    pub kind: EventKind,
    /// The state from now on.
    pub state: ConnectionState,
    /// When, in Unix milliseconds, as the device's clock had it.
    pub unix_ms: u64,
    /// Why, where something failed or ended.
    pub error: Option<Error>,
    /// The attempt's number in its round, from 1; 0 where the event is not about one.
    pub attempt: u32,
    /// Until the next attempt.
    pub delay: Option<Duration>,
    /// The server still had the session.
    pub session_present: bool,
    /// A sentence for a person. Without secrets, as all texts.
    pub message: String,
}

impl Event {
    /// Happening now.
    pub(crate) fn new(kind: EventKind, state: ConnectionState, message: String) -> Self {
        Self {
            kind,
            state,
            unix_ms: unix_ms(),
            error: None,
            attempt: 0,
            delay: None,
            session_present: false,
            message,
        }
    }
}

/// The wall clock.
pub(crate) fn unix_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
