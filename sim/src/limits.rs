//! The limits of AWS IoT Core, each a switch.

use std::time::Duration;

use tokio::time::Instant;

/// Limits on single packets and on what a connection or a session may hold; `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one payload; more is answered with PUBACK 151 (QoS 1) or DISCONNECT 151 (QoS 0).
    pub payload_bytes: Option<usize>,
    /// Bytes of UTF-8 in a topic or filter; more is answered with 144 (PUBLISH) or 143 (SUBSCRIBE).
    pub topic_bytes: Option<usize>,
    /// Slashes in a topic or filter, the prefix `$aws/rules/RULE/` not counted.
    pub topic_slashes: Option<usize>,
    /// Bytes of UTF-8 in a client identifier; more is answered with CONNACK 133.
    pub client_id_bytes: Option<usize>,
    /// Filters in one SUBSCRIBE; more is answered with 151 for each.
    pub filters_per_subscribe: Option<usize>,
    /// Subscriptions of one session; more is answered with 151.
    pub subscriptions: Option<usize>,
    /// Unacknowledged messages from the server to one client, whatever its receive maximum.
    pub unacknowledged: Option<u16>,
    /// Messages that wait for one session; what comes above is dropped and counted.
    pub queued_messages: usize,
    /// Bytes of payload that wait for one session; what comes above is dropped and counted.
    pub queued_bytes: usize,
    /// Connections at a time; more wait to be accepted.
    pub connections: usize,
}

impl Limits {
    /// The structural limits of AWS.
    pub fn aws() -> Self {
        Self {
            payload_bytes: Some(128 * 1024),
            topic_bytes: Some(256),
            topic_slashes: Some(7),
            client_id_bytes: Some(128),
            filters_per_subscribe: Some(8),
            subscriptions: Some(50),
            unacknowledged: Some(100),
            ..Self::none()
        }
    }

    /// None but those that keep the simulator itself in bounds.
    pub fn none() -> Self {
        Self {
            payload_bytes: None,
            topic_bytes: None,
            topic_slashes: None,
            client_id_bytes: None,
            filters_per_subscribe: None,
            subscriptions: None,
            unacknowledged: None,
            queued_messages: 100_000,
            queued_bytes: 256 * 1024 * 1024,
            connections: 1000,
        }
    }

    /// Whether a topic name or filter is short and flat enough.
    pub(crate) fn allow_topic(&self, topic: &str) -> bool {
        let counted = topic
            .strip_prefix("$aws/rules/")
            .and_then(|rest| rest.split_once('/'))
            .map_or(topic, |(_rule, rest)| rest);
        let slashes = counted.bytes().filter(|byte| *byte == b'/').count();
        self.topic_bytes.is_none_or(|most| topic.len() <= most)
            && self.topic_slashes.is_none_or(|most| slashes <= most)
    }
}

/// Limits on rates, off by default; `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Publishes that one connection may send in a second; the excess is discarded and not acknowledged.
    pub publishes_per_second: Option<u32>,
    /// Bytes that one connection may send in a second; the excess is delayed.
    pub bytes_per_second: Option<u32>,
    /// CONNECTs of one client identifier in a second, those that are refused for another reason included; the
    /// excess is not counted, and refused as `connect_refusal` says.
    pub connects_per_second: Option<u32>,
    /// How too many CONNECTs are answered (AWS leaves this open).
    pub connect_refusal: crate::Refusal,
    /// Stored messages that are replayed in a second after a session is resumed.
    pub replays_per_second: Option<u32>,
}

impl Quotas {
    /// No limit on any rate.
    pub fn none() -> Self {
        Self {
            publishes_per_second: None,
            bytes_per_second: None,
            connects_per_second: None,
            connect_refusal: crate::Refusal::Connack(151),
            replays_per_second: None,
        }
    }

    /// The rates of AWS: 100 publishes and 512 KiB a second a connection, 1 CONNECT a second a client
    /// identifier, 10 stored messages a second.
    pub fn aws() -> Self {
        Self {
            publishes_per_second: Some(100),
            bytes_per_second: Some(512 * 1024),
            connects_per_second: Some(1),
            replays_per_second: Some(10),
            ..Self::none()
        }
    }
}

/// A token bucket that holds one second's worth.
#[derive(Debug)]
pub(crate) struct Rate {
    per_second: f64,
    available: f64,
    at: Instant,
}

impl Rate {
    pub fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second.max(1));
        Self { per_second, available: per_second, at: now }
    }

    fn refill(&mut self, now: Instant) {
        let earned = now.saturating_duration_since(self.at).as_secs_f64() * self.per_second;
        self.available = (self.available + earned).min(self.per_second);
        self.at = now;
    }

    /// Takes `amount` if there is that much.
    pub fn take(&mut self, amount: f64, now: Instant) -> bool {
        self.refill(now);
        let enough = self.available >= amount;
        if enough {
            self.available -= amount;
        }
        enough
    }

    /// Takes `amount` on credit, and tells when the debt will be paid.
    pub fn borrow(&mut self, amount: f64, now: Instant) -> Option<Instant> {
        self.refill(now);
        self.available -= amount;
        (self.available < 0.0).then(|| now + Duration::from_secs_f64(-self.available / self.per_second))
    }

    /// When `amount` will be there.
    pub fn when(&self, amount: f64) -> Instant {
        let missing = (amount - self.available).max(0.0);
        self.at + Duration::from_secs_f64(missing / self.per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_measured_as_aws_does() {
        let limits = Limits::aws();
        assert!(limits.allow_topic("a/b/c/d/e/f/g/h"));
        assert!(!limits.allow_topic("a/b/c/d/e/f/g/h/i"));
        assert!(limits.allow_topic("$aws/rules/mine/a/b/c/d/e/f/g/h"));
        assert!(!limits.allow_topic("$aws/rules/mine/a/b/c/d/e/f/g/h/i"));
        assert!(limits.allow_topic(&"x".repeat(256)));
        assert!(!limits.allow_topic(&"x".repeat(257)));
        assert!(Limits::none().allow_topic(&"/".repeat(60_000)));
    }

    #[test]
    fn a_rate_allows_a_second_worth_and_refills() {
        let start = Instant::now();
        let mut rate = Rate::new(10, start);
        assert!((0..10).all(|_| rate.take(1.0, start)));
        assert!(!rate.take(1.0, start));
        assert_eq!(rate.when(1.0), start + Duration::from_millis(100));
        assert!(rate.take(1.0, start + Duration::from_millis(101)));
    }

    #[test]
    fn a_debt_is_paid_in_time() {
        let start = Instant::now();
        let mut rate = Rate::new(100, start);
        assert_eq!(rate.borrow(100.0, start), None);
        assert_eq!(rate.borrow(50.0, start), Some(start + Duration::from_millis(500)));
    }
}
