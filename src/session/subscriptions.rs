//! What the application wants to hear, and what is still to be asked of the server.

use super::Actions;
use crate::completion::{Ack, Completion};
use crate::packet::RetainHandling;
use crate::{Error, QoS};
use std::collections::VecDeque;
use std::ops::Range;

/// One topic filter that the application subscribed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub filter: Box<str>,
    pub qos: QoS,
    pub no_local: bool,
    pub retain_as_published: bool,
    pub retain_handling: RetainHandling,
    /// The handler that was registered with it.
    pub handler: u64,
}

/// A SUBSCRIBE or UNSUBSCRIBE, from its acceptance to its acknowledgement.
#[derive(Debug)]
pub enum Request {
    Subscribe {
        filters: Vec<Wanted>,
        completion: Completion,
        /// The library's own, after the server lost the session: nobody waits, a refusal is an event.
        restoring: bool,
    },
    Unsubscribe {
        filter: Box<str>,
        completion: Completion,
        /// Handlers registered before it are dropped when the server has confirmed.
        below: u64,
    },
}

/// Handlers of a filter that no message shall reach any more.
#[derive(Debug, PartialEq, Eq)]
pub struct Released {
    pub filter: Box<str>,
    /// By their numbers, which grow.
    pub handlers: Range<u64>,
}

impl Released {
    /// All that were registered before this one: another has taken their place, or the filter was given back.
    pub fn below(filter: Box<str>, handler: u64) -> Self {
        Self { filter, handlers: 0..handler }
    }

    /// The one that was registered with it. An earlier one stays: the server leaves the subscription as it was when it
    /// refuses to replace it (MQTT 5, 3.8.4).
    pub fn own(wanted: Wanted) -> Self {
        Self { filter: wanted.filter, handlers: wanted.handler..wanted.handler + 1 }
    }
}

/// Filters in one SUBSCRIBE of a restoration: what AWS IoT allows.
const FILTERS_A_SUBSCRIBE: usize = 8;

#[derive(Debug, Default)]
pub struct Subscriptions {
    granted: Vec<Wanted>,
    /// What the server had granted once and refused to restore: asked for again on every connection, since a policy
    /// or a quota may have been mended meanwhile.
    declined: Vec<Wanted>,
    pub pending: VecDeque<Request>,
}

impl Subscriptions {
    /// An application's request, to be sent in its turn.
    pub fn request(&mut self, request: Request) {
        self.pending.push_back(request);
    }

    /// Given back: the server has confirmed it, or will never be asked again. What was subscribed later stays.
    pub fn given_back(&mut self, filter: &str, below: u64) {
        let keep = |wanted: &Wanted| *wanted.filter != *filter || wanted.handler >= below;
        self.granted.retain(keep);
        self.declined.retain(keep);
        self.pending.retain_mut(|request| match request {
            Request::Subscribe { filters, restoring: true, .. } => {
                filters.retain(keep);
                !filters.is_empty()
            }
            _ => true,
        });
    }

    /// A new connection: what the server does not know (any more) is asked for, before anything that waits.
    pub fn restore(&mut self, session_present: bool) {
        let mut wanted = std::mem::take(&mut self.declined);
        if !session_present {
            wanted.splice(0..0, std::mem::take(&mut self.granted));
        }
        for group in wanted.chunks(FILTERS_A_SUBSCRIBE).rev() {
            self.pending.push_front(Request::restoring(group.to_vec()));
        }
    }

    /// The server refused to restore it.
    pub fn declined(&mut self, wanted: Wanted) {
        self.declined.push(wanted);
    }

    /// The server accepted it.
    pub fn granted(&mut self, wanted: Wanted) {
        self.declined.retain(|known| known.filter != wanted.filter);
        match self.granted.iter_mut().find(|known| known.filter == wanted.filter) {
            Some(known) => *known = wanted,
            None => self.granted.push(wanted),
        }
    }

    /// The application's requests end; what the server had granted stays wanted.
    pub fn cancel(&mut self, error: &Error, actions: &mut Actions) {
        for request in std::mem::take(&mut self.pending) {
            match request {
                Request::Subscribe { filters, restoring: true, .. } => self.granted.extend(filters),
                request => request.fail(error, actions),
            }
        }
    }

    /// Nothing is wanted any more.
    pub fn clear(&mut self, error: &Error, actions: &mut Actions) {
        self.cancel(error, actions);
        let wanted = self.granted.drain(..).chain(self.declined.drain(..));
        actions.released.extend(wanted.map(|wanted| Released::below(wanted.filter, wanted.handler + 1)));
    }
}

impl Request {
    /// The library's own, for what was granted once.
    pub fn restoring(filters: Vec<Wanted>) -> Self {
        Self::Subscribe { filters, completion: Completion::None, restoring: true }
    }

    /// Ends it without success; a handler that it brought goes with it.
    pub fn fail(mut self, error: &Error, actions: &mut Actions) {
        self.tell(Ack::failed(error.clone()), actions);
        if let Self::Subscribe { filters, .. } = self {
            actions.released.extend(filters.into_iter().map(Released::own));
        }
    }

    /// Tells its end; there is nobody to tell afterwards.
    pub fn tell(&mut self, ack: Ack, actions: &mut Actions) {
        tracing::debug!(
            reason_code = ack.reason_code,
            round_trip_ms = ack.round_trip.map(|time| time.as_millis() as u64),
            error = ack.result.as_ref().err().map(tracing::field::display),
            "{} {}",
            if matches!(self, Self::Subscribe { .. }) { "subscribe" } else { "unsubscribe" },
            if ack.result.is_err() { "failed" } else { "acknowledged" }
        );
        if !matches!(self, Self::Subscribe { restoring: true, .. }) {
            actions.requests_ended += 1;
            actions.done.push((std::mem::replace(self.completion(), Completion::None), ack));
        }
    }

    pub fn completion(&mut self) -> &mut Completion {
        match self {
            Self::Subscribe { completion, .. } | Self::Unsubscribe { completion, .. } => completion,
        }
    }
}
