//! What the tasks of one simulator share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::broker::Broker;
use crate::config::Config;
use crate::error::Error;
use crate::faults::Faults;
use crate::journal::{Journal, Stats};
use crate::limits::Rate;
use crate::token::Signer;
use crate::violation::Violation;

/// Client identifiers whose CONNECT rate is remembered at a time.
const MOST_RATES: usize = 10_000;

pub(crate) struct Shared {
    pub config: Arc<Config>,
    pub signer: Signer,
    broker: Mutex<Broker>,
    journal: Mutex<Journal>,
    faults: Mutex<Faults>,
    connect_rates: Mutex<HashMap<String, Rate>>,
    /// Counts changes of the journal and the broker, for those who wait for one.
    changes: watch::Sender<u64>,
    /// Nothing is read and nothing answered.
    pub frozen: watch::Sender<bool>,
    /// Everything ends.
    pub stopping: watch::Sender<bool>,
    /// A session lost its connection: there may be a new deadline.
    pub housekeeping: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn new(config: Arc<Config>) -> Result<Self, Error> {
        Ok(Self {
            signer: Signer::new()?,
            broker: Mutex::new(Broker::new(config.clone())),
            journal: Mutex::default(),
            faults: Mutex::default(),
            connect_rates: Mutex::default(),
            changes: watch::Sender::new(0),
            frozen: watch::Sender::new(false),
            stopping: watch::Sender::new(false),
            housekeeping: Notify::new(),
            config,
        })
    }

    pub fn broker(&self) -> MutexGuard<'_, Broker> {
        lock(&self.broker)
    }

    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub fn journal(&self) -> MutexGuard<'_, Journal> {
        lock(&self.journal)
    }

    /// Notes something down and wakes those who wait for it.
    pub fn note(&self, write: impl FnOnce(&mut Journal)) {
        write(&mut lock(&self.journal));
        self.changed();
    }

    /// Counts something and wakes those who wait for it.
    pub fn count(&self, write: impl FnOnce(&mut Stats)) {
        self.note(|journal| write(&mut journal.stats));
    }

    pub fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Notes a client's protocol error down.
    pub fn violation(&self, client: &str, violation: &Violation) {
        tracing::warn!(client, code = violation.code, "protocol error: {}", violation.text);
        self.note(|journal| journal.protocol_error(format!("{client}: {}", violation.text)));
    }

    /// Whether one more CONNECT of this client identifier is within the rate.
    pub fn may_connect(&self, client_id: &str, now: Instant) -> bool {
        let Some(most) = self.config.quotas.connects_per_second else {
            return true;
        };
        let mut rates = lock(&self.connect_rates);
        if rates.len() >= MOST_RATES {
            rates.clear();
        }
        rates.entry(client_id.to_owned()).or_insert_with(|| Rate::new(most, now)).take(1.0, now)
    }

    /// The moment on the monotonic clock at which the wall clock will show `time`; `None` if that is out of reach.
    pub fn instant_of(&self, time: SystemTime) -> Option<Instant> {
        Instant::now().checked_add(time.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// Returns once nothing is frozen.
    pub async fn thawed(&self) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.frozen.subscribe().wait_for(|frozen| !frozen).await;
    }

    /// What `work` comes to, or `None` if everything ends before.
    pub async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            result = work => Some(result),
            () = self.stopped() => None,
        }
    }

    /// Returns once everything ends.
    pub async fn stopped(&self) {
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }
}
