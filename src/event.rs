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

/// "2026-11-26T15:04:05.678Z" (ISO 8601, UTC). The calendar is Howard Hinnant's `civil_from_days`.
pub(crate) fn iso8601(unix_ms: u64) -> String {
    let (days, ms) = (unix_ms / 86_400_000, unix_ms % 86_400_000);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", ms % 1000)
}

/// The wall clock.
pub(crate) fn unix_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_time_as_the_calendar_has_it() {
        for (unix_ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_795_705_445_678, "2026-11-26T15:04:05.678Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(iso8601(unix_ms), text);
        }
    }
}
