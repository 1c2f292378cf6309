//! What the application wants to hear, and what is still to be asked of the server.

use crate::completion::{Ack, Completion};
use crate::packet::RetainHandling;
use crate::{Error, QoS};
use std::collections::VecDeque;

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

/// A handler that no message can reach any more.
#[derive(Debug, PartialEq, Eq)]
pub struct Released {
    pub filter: Box<str>,
    /// Only those that were registered before this one.
    pub below: u64,
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
        if let Request::Unsubscribe { filter, .. } = &request {
            for known in [&mut self.granted, &mut self.declined] {
                known.retain(|wanted| wanted.filter != *filter);
            }
        }
        self.pending.push_back(request);
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
        if !self.is_leaving(&wanted) {
            self.declined.push(wanted);
        }
    }

    /// Asked to unsubscribe meanwhile: the UNSUBSCRIBE follows, a restoration must not bring it back.
    fn is_leaving(&self, wanted: &Wanted) -> bool {
        self.pending
            .iter()
            .any(|request| matches!(request, Request::Unsubscribe { filter, .. } if *filter == wanted.filter))
    }

    /// The server accepted it.
    pub fn granted(&mut self, wanted: Wanted) {
        if self.is_leaving(&wanted) {
            return;
        }
        self.declined.retain(|known| known.filter != wanted.filter);
        match self.granted.iter_mut().find(|known| known.filter == wanted.filter) {
            Some(known) => *known = wanted,
            None => self.granted.push(wanted),
        }
    }

    /// The application's requests end; what the server had granted stays wanted.
    pub fn cancel(&mut self, error: &Error, done: &mut Vec<(Completion, Ack)>, released: &mut Vec<Released>) {
        for request in std::mem::take(&mut self.pending) {
            match request {
                Request::Subscribe { filters, restoring: true, .. } => self.granted.extend(filters),
                request => request.fail(error, done, released),
            }
        }
    }

    /// Nothing is wanted any more.
    pub fn clear(&mut self, error: &Error, done: &mut Vec<(Completion, Ack)>, released: &mut Vec<Released>) {
        self.cancel(error, done, released);
        let wanted = self.granted.drain(..).chain(self.declined.drain(..));
        released.extend(wanted.map(|wanted| Released { below: wanted.handler + 1, filter: wanted.filter }));
    }
}

impl Request {
    /// The library's own, for what was granted once.
    pub fn restoring(filters: Vec<Wanted>) -> Self {
        Self::Subscribe { filters, completion: Completion::None, restoring: true }
    }

    /// Ends it without success; handlers that it brought go with it.
    pub fn fail(self, error: &Error, done: &mut Vec<(Completion, Ack)>, released: &mut Vec<Released>) {
        match self {
            Self::Subscribe { filters, completion, .. } => {
                released.extend(
                    filters
                        .into_iter()
                        .map(|wanted| Released { below: wanted.handler + 1, filter: wanted.filter }),
                );
                done.push((completion, Ack::failed(error.clone())));
            }
            Self::Unsubscribe { completion, .. } => done.push((completion, Ack::failed(error.clone()))),
        }
    }

    pub fn completion(&mut self) -> &mut Completion {
        match self {
            Self::Subscribe { completion, .. } | Self::Unsubscribe { completion, .. } => completion,
        }
    }
}
