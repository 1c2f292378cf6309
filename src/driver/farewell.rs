//! The end that the application wants: what it accepted goes out, what has come is heard, then DISCONNECT.

use super::Driver;
use super::news::Open;
use crate::completion::{Ack, Completion};
use crate::process::lock;
use crate::{ConnectionState, Error, ErrorKind};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// For the last bytes of a connection: DISCONNECT, and the end of TLS.
pub const FAREWELL: Duration = Duration::from_secs(1);

/// What the application gave its last messages.
pub(super) struct Farewell {
    pub until: Instant,
    pub completion: Completion,
    /// Whether the callbacks of what had come have returned, once that is asked.
    pub heard: Option<Arc<AtomicBool>>,
}

impl Driver {
    /// The end of the time that the application gave its last messages; never where it has not left.
    pub(super) fn time_to_leave(&self) -> impl Future<Output = ()> + use<> {
        let until = self.farewell.as_ref().map(|farewell| farewell.until);
        async move {
            match until {
                Some(until) => tokio::time::sleep_until(until.into()).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Whether the application leaves, and nothing holds it up any more.
    pub(super) fn must_leave(&mut self) -> bool {
        let Some(farewell) = &mut self.farewell else { return false };
        let late = tokio::time::Instant::now().into_std() >= farewell.until;
        let busy = self.renewal.is_greeting()
            || self.session.is_busy()
            || lock(&self.shared.inbox).queue.has_work(usize::MAX);
        if busy && !late {
            return false;
        }
        // What has come by now is for the application, and its acknowledgement still goes out.
        let heard = farewell.heard.get_or_insert_with(|| self.shared.mailbox.mark());
        if !late && !heard.load(Ordering::Acquire) {
            return false;
        }
        // The last callbacks may have returned since it was looked at.
        self.acknowledge();
        true
    }

    /// The application left: what it had accepted and could not be sent any more is cancelled.
    pub(super) fn leave(&mut self) {
        self.wanted = false;
        let left = Error::new(ErrorKind::Disconnected, "the application disconnected");
        self.refuse_connects(&left);
        if self.closing() {
            return;
        }
        let (unsent, unknown) = (
            Error::new(ErrorKind::Cancelled, "cancelled by gecko_mqtt_disconnect before it was sent"),
            Error::new(
                ErrorKind::OutcomeUnknown,
                "sent, but gecko_mqtt_disconnect ended the connection before it was acknowledged",
            ),
        );
        self.lost();
        self.session.cancel_requests(&unsent, &mut self.actions);
        let left_over = self.abandon(&unsent, &unknown);
        self.offline();
        self.enter(ConnectionState::Disconnected);
        tracing::info!(left_over, "the application disconnected");
        let attempting = matches!(self.open, Open::Attempt(_));
        self.concluded(Some(&left).filter(|_| attempting));
        if let Some(farewell) = self.farewell.take() {
            let heard = farewell.heard.is_none_or(|heard| heard.load(Ordering::Acquire));
            let left = match left_over {
                0 if heard => None,
                0 => Some("messages that had come still wait for their callbacks".to_owned()),
                count => Some(format!("{count} messages were left: each was told how it ended")),
            };
            farewell.completion.complete(left.map_or(Ack::SENT, |left| {
                Ack::failed(Error::new(ErrorKind::Timeout, format!("disconnected, but {left}")))
            }));
        }
    }
}
