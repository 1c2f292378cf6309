//! The accounts of one run: what was published, how it ended, what arrived; and what must never be.

use crate::random::Random;
use crate::support::LIMIT;
use gecko_mqtt::{Ack, Client, Completion, ErrorKind, Message, QoS};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

const TOPICS: [&str; 3] = ["chaos/a", "chaos/b", "chaos/c"];
/// PUBACK: the server took it, and nobody subscribed to it (MQTT 5, 3.4.2.1).
const NO_MATCHING_SUBSCRIBERS: u8 = 16;

/// How a publication ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The completion said OK.
    Done,
    /// It said OK, and that nobody heard it.
    Unheard,
    /// Sent, and not acknowledged in time, or lost with the session.
    Unknown,
    /// The server objected twice to something, and this was the first that it had not acknowledged.
    Condemned,
    /// Anything else.
    Failed(ErrorKind),
}

#[derive(Debug)]
struct Publication {
    topic: usize,
    qos: QoS,
    accepted: bool,
    end: Option<End>,
    arrivals: u32,
    /// How many sessions the server had lost before it was accepted, and at most when its completion came.
    lost_before: u32,
    lost_after: u32,
}

impl Publication {
    /// Whether nothing is to be waited for any more.
    fn is_settled(&self) -> bool {
        match self.end {
            _ if !self.accepted => true,
            None => false,
            Some(End::Done) => self.qos == QoS::AtMostOnce || self.arrivals > 0,
            Some(_) => true,
        }
    }

    /// Whether it is under way to the subscriber, as far as the application knows.
    fn is_open(&self) -> bool {
        self.qos > QoS::AtMostOnce && self.arrivals == 0 && !self.is_settled()
    }
}

#[derive(Default)]
struct State {
    publications: Vec<Publication>,
    open: usize,
    unsettled: usize,
    /// Sessions that the server has begun to lose, and those that it has lost.
    losing: u32,
    lost: u32,
    /// The last publication of each topic and QoS that arrived for the first time.
    newest: BTreeMap<(usize, QoS), u32>,
    /// What nobody heard, to be published again.
    again: VecDeque<(usize, QoS)>,
    unheard: usize,
    queue_full: u64,
    allowance: u64,
    /// Only from this publication on order is kept.
    ordered_from: u32,
    /// How often the broker repeated what it must not.
    broken: BTreeMap<u32, u32>,
    /// Grows with everything that happens.
    progress: u64,
    violations: Vec<String>,
}

/// See the module.
#[derive(Default)]
pub struct Ledger {
    state: Mutex<State>,
    changed: Condvar,
}

/// What a run came to.
pub struct Summary {
    /// By QoS.
    pub published: [usize; 3],
    /// Completions that said OK.
    pub sent: usize,
    pub arrived: usize,
    /// Arrivals after the first one, by QoS.
    pub repeated: [usize; 3],
    pub unknown: usize,
    pub condemned: usize,
    pub unheard: usize,
    pub queue_full: u64,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that waited in vain leaves it as it was.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Publishes one message; false where the queue is full.
    pub fn publish(
        self: &Arc<Self>,
        client: &Client,
        random: &mut Random,
        qualities: &[QoS],
        longest: u64,
    ) -> bool {
        let filler = random.below(longest) as usize;
        let drawn = (random.below(TOPICS.len() as u64) as usize, random.pick(qualities));
        let (number, again, (topic, qos)) = self.change(|state| {
            let again = state.again.pop_front();
            let chosen = again.unwrap_or(drawn);
            (state.open(chosen), again, chosen)
        });
        let payload = payload(number, filler);
        let message = Message { topic: TOPICS[topic], payload: &payload, qos, ..Message::default() };
        let ledger = self.clone();
        let completion = Completion::Boxed(Box::new(move |ack| ledger.ended(number, ack)));
        match client.publish(&message, completion) {
            Ok(()) => true,
            Err(error) => {
                self.change(|state| {
                    state.refused(number, error.kind());
                    again.map(|again| state.again.push_front(again))
                });
                false
            }
        }
    }

    fn ended(&self, number: u32, ack: &Ack) {
        let end = match (&ack.result, ack.reason_code) {
            (Ok(()), Some(NO_MATCHING_SUBSCRIBERS)) => End::Unheard,
            (Ok(()), _) => End::Done,
            (Err(error), _) if error.kind() == ErrorKind::OutcomeUnknown => End::Unknown,
            (Err(error), Some(129 | 130)) if error.kind() == ErrorKind::Refused => End::Condemned,
            (Err(error), _) => End::Failed(error.kind()),
        };
        self.change(|state| state.ended(number, end));
    }

    /// The subscriber's callback.
    pub fn arrived(&self, message: &Message<'_>) {
        self.change(|state| state.arrived(message));
    }

    pub fn violation(&self, what: String) {
        self.change(|state| state.violations.push(what));
    }

    /// Has the server lose a session with messages in it.
    pub fn losing_a_session<T>(&self, lose: impl FnOnce() -> T) -> T {
        self.change(|state| state.losing += 1);
        let result = lose();
        self.change(|state| state.lost += 1);
        result
    }

    /// Has something done while nobody is subscribed. What is published meanwhile, or is under way, is acknowledged
    /// unheard, or is repeated when a later message has been heard already.
    pub fn unheard_while<T>(&self, something: impl FnOnce() -> T) -> T {
        self.change(|state| state.ordered_from = u32::MAX);
        let result = something();
        self.change(|state| state.ordered_from = state.publications.len() as u32);
        result
    }

    /// The broker repeated these messages so often, though it must not.
    pub fn excuse(&self, broken: BTreeMap<u32, u32>) {
        self.change(|state| state.broken = broken);
    }

    /// So many more messages may be published.
    pub fn allow(&self, messages: u64) {
        self.change(|state| state.allowance += messages);
    }

    /// Waits until one more may be published, with fewer than `window` on their way; false where `over` says so.
    pub fn wait_for_room(&self, window: usize, over: impl Fn() -> bool) -> bool {
        let closed = |state: &State| (state.allowance == 0 || state.open >= window) && state.again.is_empty();
        let mut state = self.lock();
        while closed(&state) && !over() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let room = !closed(&state);
        state.allowance = state.allowance.saturating_sub(u64::from(room));
        room
    }

    pub fn progress(&self) -> u64 {
        self.lock().progress
    }

    /// Waits until more than so much has happened, or `over` says so.
    pub fn wait_for_progress(&self, than: u64, over: impl Fn() -> bool) {
        self.wait("something more", |state| state.progress > than || over());
    }

    /// Has those who wait look again.
    pub fn wake(&self) {
        self.change(|_| ());
    }

    /// Waits until everything has ended, and has arrived where its end says so.
    pub fn rest(&self) {
        self.wait("everything ends, and arrives", |state| state.unsettled == 0 && state.again.is_empty());
    }

    /// Waits until so many publications were acknowledged without anybody having heard them.
    pub fn wait_for_unheard(&self, more_than: usize) {
        self.wait("nobody hears a message", |state| state.unheard > more_than);
    }

    pub fn unheard(&self) -> usize {
        self.lock().unheard
    }

    /// Waits until everything that may be published is.
    pub fn spent(&self) {
        self.wait("everything is published", |state| state.allowance == 0);
    }

    /// The time begins anew with everything that happens.
    fn wait(&self, what: &str, condition: impl Fn(&State) -> bool) {
        let mut state = self.lock();
        while !condition(&state) {
            let before = state.progress;
            // The network may be away for as long as that.
            let waited = self.changed.wait_timeout(state, 3 * LIMIT);
            let (later, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = later;
            assert!(!timeout.timed_out() || state.progress > before, "never happened: {what}: {state:?}");
        }
    }

    pub fn check(&self) {
        let state = self.lock();
        let mut violations = state.violations.clone();
        violations.extend(state.publications.iter().enumerate().filter_map(|(n, p)| state.doubled(n, p)));
        assert!(
            violations.is_empty(),
            "{} violations: {:#?}",
            violations.len(),
            &violations[..violations.len().min(20)]
        );
    }

    pub fn summary(&self) -> Summary {
        let state = self.lock();
        let accepted = || state.publications.iter().filter(|p| p.accepted);
        let by_qos = |count: &dyn Fn(&Publication) -> usize| {
            let of = |qos: usize| accepted().filter(|p| p.qos as usize == qos).map(count).sum();
            [of(0), of(1), of(2)]
        };
        let ended = |end: End| accepted().filter(|p| p.end == Some(end)).count();
        Summary {
            published: by_qos(&|_| 1),
            sent: ended(End::Done) + ended(End::Unheard),
            arrived: accepted().filter(|p| p.arrivals > 0).count(),
            repeated: by_qos(&|p| p.arrivals.saturating_sub(1) as usize),
            unknown: ended(End::Unknown),
            condemned: ended(End::Condemned),
            unheard: state.unheard,
            queue_full: state.queue_full,
        }
    }
}

impl State {
    /// Counts a change of one publication.
    fn update<T>(&mut self, number: u32, change: impl FnOnce(&mut Publication) -> T) -> T {
        self.progress += 1;
        let publication = &mut self.publications[number as usize];
        self.open -= usize::from(publication.is_open());
        self.unsettled -= usize::from(!publication.is_settled());
        let result = change(publication);
        self.open += usize::from(publication.is_open());
        self.unsettled += usize::from(!publication.is_settled());
        result
    }

    fn open(&mut self, (topic, qos): (usize, QoS)) -> u32 {
        let number = self.publications.len() as u32;
        let lost_before = self.lost;
        let publication =
            Publication { topic, qos, accepted: true, end: None, arrivals: 0, lost_before, lost_after: 0 };
        self.open += usize::from(publication.is_open());
        self.unsettled += 1;
        self.publications.push(publication);
        number
    }

    fn refused(&mut self, number: u32, kind: ErrorKind) {
        match kind {
            ErrorKind::QueueFull => self.queue_full += 1,
            kind => self.violations.push(format!("message {number} was refused: {kind:?}")),
        }
        self.update(number, |publication| publication.accepted = false);
    }

    fn ended(&mut self, number: u32, end: End) {
        let lost_after = self.losing;
        let before = self.update(number, |publication| {
            publication.lost_after = lost_after;
            publication.end.replace(end)
        });
        let publication = &self.publications[number as usize];
        let (qos, topic) = (publication.qos, publication.topic);
        let possible = match end {
            End::Done => true,
            End::Unheard | End::Unknown | End::Condemned => qos > QoS::AtMostOnce,
            End::Failed(_) => false,
        };
        if !publication.accepted || before.is_some() || !possible {
            self.violations
                .push(format!("message {number} ended as {end:?}, {before:?} before: {publication:?}"));
        }
        if end == End::Unheard {
            self.again.push_back((topic, qos));
            self.unheard += 1;
        }
    }

    fn arrived(&mut self, message: &Message<'_>) {
        let number = message.payload.first_chunk().map_or(u32::MAX, |bytes| u32::from_be_bytes(*bytes));
        let Some(publication) = self.publications.get(number as usize) else {
            return self.violations.push(format!("message {number} arrived and was never published"));
        };
        let (topic, qos) = (publication.topic, publication.qos);
        let as_sent = payload(number, message.payload.len() - 4) == message.payload;
        if !publication.accepted || !as_sent || TOPICS[topic] != message.topic || qos != message.qos {
            return self.violations.push(format!("message {number} arrived as {message:?}: {publication:?}"));
        }
        let first = self.update(number, |publication| {
            publication.arrivals += 1;
            publication.arrivals == 1
        });
        if first && number >= self.ordered_from {
            let newest = self.newest.insert((topic, qos), number);
            if newest.is_some_and(|newest| newest > number) {
                let late = &self.publications[number as usize];
                self.violations.push(format!("message {number} came after {newest:?}: {late:?}"));
            }
        }
    }

    /// QoS 0 comes once at most, and so does QoS 2 unless the server lost a session while it was under way.
    fn doubled(&self, number: usize, publication: &Publication) -> Option<String> {
        let lost_after = match publication.end {
            // The library tries on.
            Some(End::Unknown) | None => self.losing,
            _ => publication.lost_after,
        };
        let most = match publication.qos {
            _ if !publication.accepted => 0,
            QoS::AtMostOnce => 1,
            QoS::AtLeastOnce => u32::MAX,
            QoS::ExactlyOnce => 1 + lost_after - publication.lost_before,
        };
        let most = most.saturating_add(self.broken.get(&(number as u32)).copied().unwrap_or(0));
        (publication.arrivals > most).then(|| format!("message {number} came too often: {publication:?}"))
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unsettled: Vec<_> =
            self.publications.iter().enumerate().filter(|(_, p)| !p.is_settled()).take(20).collect();
        write!(f, "{} of {} unsettled, such as {unsettled:?}", self.unsettled, self.publications.len())?;
        write!(f, "; allowance {}, again {:?}", self.allowance, self.again)?;
        write!(f, "; violations {:#?}", &self.violations[..self.violations.len().min(20)])
    }
}

/// A number, and so many bytes that belong to it.
fn payload(number: u32, filler: usize) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.extend(Random::new(number.into()).bytes(filler as u64));
    bytes
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { published, sent, arrived, repeated, unknown, condemned, unheard, queue_full } = self;
        write!(
            f,
            "{published:?} published by QoS, {sent} OK, {arrived} arrived, {repeated:?} repetitions by QoS, "
        )?;
        write!(
            f,
            "{unknown} of unknown outcome, {condemned} condemned, {unheard} heard by nobody, {queue_full} times a full queue"
        )
    }
}
