//! What the tasks of one simulator share.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::authorizer::{self, Denial, Grant, Shown};
use crate::broker::Broker;
use crate::config::{Config, TokenFormat};
use crate::error::Error;
use crate::faults::Faults;
use crate::journal::{Journal, Stats};
use crate::limits::Rate;
use crate::secrets::Secrets;
use crate::token::{Signer, Token};
use crate::violation::Violation;

/// Client identifiers whose CONNECT rate is remembered at a time.
const MOST_RATES: usize = 10_000;

pub(crate) struct Shared {
    pub config: Arc<Config>,
    pub signer: Signer,
    pub secrets: Secrets,
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
    /// Tokens that the authorizer takes no more.
    pub revoked: watch::Sender<HashSet<String>>,
    /// Counts how often CONNECTs that are held were let go.
    pub releases: watch::Sender<u64>,
    /// A session lost its connection: there may be a new deadline.
    pub housekeeping: Notify,
}

/// Counts a CONNECT as held, however that ends.
struct Held<'a>(&'a Shared);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.count(|stats| stats.connects_held -= 1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn new(config: Arc<Config>) -> Result<Self, Error> {
        Ok(Self {
            signer: Signer::new()?,
            secrets: Secrets::open(config.secrets_file.as_deref())?,
            broker: Mutex::new(Broker::new(config.clone())),
            journal: Mutex::default(),
            faults: Mutex::default(),
            connect_rates: Mutex::default(),
            changes: watch::Sender::new(0),
            frozen: watch::Sender::new(false),
            stopping: watch::Sender::new(false),
            revoked: watch::Sender::default(),
            releases: watch::Sender::new(0),
            housekeeping: Notify::new(),
            config,
        })
    }

    /// A fresh token that lives for `ttl`, for the port that it leads to.
    pub fn mint(
        &self,
        format: TokenFormat,
        ttl: Duration,
        now: SystemTime,
        port: u16,
    ) -> Result<Token, Error> {
        let token = self.signer.mint(&self.config.authorizer, format, ttl, now, port)?;
        self.secrets.token(&token)?;
        Ok(token)
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

    /// Whether one more CONNECT of this client identifier is within the rate. One without gets an identifier of its
    /// own.
    pub fn may_connect(&self, client_id: &str, now: Instant) -> bool {
        let Some(most) = self.config.quotas.connects_per_second.filter(|_| !client_id.is_empty()) else {
            return true;
        };
        let mut rates = lock(&self.connect_rates);
        if rates.len() >= MOST_RATES {
            rates.clear();
        }
        rates.entry(client_id.to_owned()).or_insert_with(|| Rate::new(most, now)).take(1.0, now)
    }

    /// Asks the authorizer about what a client has shown.
    pub fn authorize(&self, shown: Shown<'_>) -> Result<Grant, Denial> {
        let revoked = self.revoked.borrow();
        let authorizer = &self.config.authorizer;
        let now = SystemTime::now() - authorizer.clock_behind;
        authorizer::authorize(authorizer, &self.signer, &revoked, shown, now)
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

    /// Returns once a CONNECT that is held is let go.
    pub async fn released(&self) {
        let mut releases = self.releases.subscribe();
        self.count(|stats| stats.connects_held += 1);
        let _held = Held(self);
        let _ = releases.changed().await;
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limits::Quotas;

    #[test]
    fn each_client_identifier_may_connect_once_a_second() {
        let shared = Shared::new(Arc::new(Config { quotas: Quotas::aws(), ..Config::default() })).unwrap();
        let start = Instant::now();
        let table = [
            ("a", 0, true),
            ("b", 0, true),
            ("a", 1, false),
            ("a", 999, false),
            // What was refused has not been counted.
            ("a", 1001, true),
            ("a", 2000, false),
            // Nothing is saved up.
            ("a", 60_000, true),
            ("a", 60_001, false),
            ("", 60_001, true),
            ("", 60_001, true),
        ];
        for (client_id, ms, expected) in table {
            let now = start + Duration::from_millis(ms);
            assert_eq!(shared.may_connect(client_id, now), expected, "{client_id:?} after {ms} ms");
        }
        let generic = Shared::new(Arc::new(Config::generic_broker())).unwrap();
        assert!((0..100).all(|_| generic.may_connect("a", start)));
    }
}
