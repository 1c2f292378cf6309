//! What a client has counted. The driver adds up; anybody reads a snapshot.

use crate::json;
use std::time::Duration;

/// A snapshot of a client's counters, since it was made or since they were reset.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Attempts to connect.
    pub attempts: u64,
    /// Attempts that led to a connection.
    pub successes: u64,
    /// Attempts that failed.
    pub failures: u64,
    /// Connections that followed one that was lost.
    pub reconnections: u64,
    /// Connections that were replaced by one with a fresh token or certificate, without a gap.
    pub token_refreshes: u64,
    /// Tokens that could not be had, and rotations that failed.
    pub token_refresh_failures: u64,
    /// Messages that were acknowledged, or written with QoS 0.
    pub messages_sent: u64,
    /// Messages that came from the server for the application's callbacks.
    pub messages_received: u64,
    /// The payloads of `messages_sent`.
    pub payload_bytes_sent: u64,
    /// The payloads of `messages_received`.
    pub payload_bytes_received: u64,
    /// What went over the network after CONNACK, without TLS and TCP.
    pub wire_bytes_sent: u64,
    /// The same from the server.
    pub wire_bytes_received: u64,
    /// Publishes that were sent again on a later connection, or begun again there.
    pub repeated: u64,
    /// Accepted messages that ended with an error of any kind, those dropped and expired among them.
    pub messages_failed: u64,
    /// Accepted messages that the queue's policy dropped.
    pub dropped_by_policy: u64,
    /// QoS 0 messages that were dropped because there was no connection.
    pub dropped_offline: u64,
    /// Messages whose expiry interval passed before they could be sent.
    pub expired: u64,
    /// QoS 0 messages from the server that were dropped because a call waited where callbacks run.
    pub dropped_incoming: u64,
    /// Messages that wait for a connection or an acknowledgement.
    pub queued_messages: u64,
    /// The memory that they take.
    pub queued_bytes: u64,
    /// Packets that wait for an acknowledgement; a part of `queued_messages`, and subscribe and unsubscribe requests.
    pub in_flight: u64,
    /// From the write of a packet to its acknowledgement, the last time.
    pub last_round_trip: Option<Duration>,
    /// The mean of all round trips.
    pub mean_round_trip: Option<Duration>,
    /// Since when there is a connection, in Unix milliseconds; `None` without one.
    pub connected_since_unix_ms: Option<u64>,
}

impl Stats {
    /// Successes by attempts, 0 to 1; 0 before the first attempt.
    pub fn success_rate(&self) -> f64 {
        if self.attempts == 0 { 0.0 } else { self.successes as f64 / self.attempts as f64 }
    }

    /// The same as one JSON object; round trips in microseconds, absent values as null.
    pub fn to_json(&self) -> String {
        let micros = |time: Option<Duration>| time.map(|time| time.as_micros() as u64);
        // Four places: more say nothing.
        let rate = (self.success_rate() * 10_000.0).round() as u64;
        json::Object::new()
            .with("attempts", self.attempts)
            .with("successes", self.successes)
            .with("failures", self.failures)
            .with("success_rate", format_args!("{}.{:04}", rate / 10_000, rate % 10_000))
            .with("reconnections", self.reconnections)
            .with("token_refreshes", self.token_refreshes)
            .with("token_refresh_failures", self.token_refresh_failures)
            .with("messages_sent", self.messages_sent)
            .with("messages_received", self.messages_received)
            .with("payload_bytes_sent", self.payload_bytes_sent)
            .with("payload_bytes_received", self.payload_bytes_received)
            .with("wire_bytes_sent", self.wire_bytes_sent)
            .with("wire_bytes_received", self.wire_bytes_received)
            .with("messages_repeated", self.repeated)
            .with("messages_failed", self.messages_failed)
            .with("dropped_by_policy", self.dropped_by_policy)
            .with("dropped_offline", self.dropped_offline)
            .with("dropped_incoming", self.dropped_incoming)
            .with("expired", self.expired)
            .with("queued_messages", self.queued_messages)
            .with("queued_bytes", self.queued_bytes)
            .with("in_flight", self.in_flight)
            .with("last_round_trip_us", micros(self.last_round_trip))
            .with("mean_round_trip_us", micros(self.mean_round_trip))
            .with("connected_since_ms", self.connected_since_unix_ms)
            .end()
    }
}

/// What one turn of the driver counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub sent: u64,
    pub sent_bytes: u64,
    pub received: u64,
    pub received_bytes: u64,
    pub wire_sent: u64,
    pub wire_received: u64,
    pub repeated: u64,
    pub failed: u64,
    pub offline: u64,
    pub expired: u64,
    pub round_trips: u32,
    pub round_trip_total: Duration,
    pub last_round_trip: Option<Duration>,
}

impl Tally {
    /// An acknowledgement came after so long.
    pub fn round_trip(&mut self, time: Duration) {
        self.round_trips += 1;
        self.round_trip_total += time;
        self.last_round_trip = Some(time);
    }
}

/// The sums.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    sums: Stats,
    round_trips: u64,
    round_trip_total: Duration,
}

impl Counters {
    /// Those that are counted outside the session.
    pub fn sums(&mut self) -> &mut Stats {
        &mut self.sums
    }

    /// Adds what a turn has counted.
    pub fn add(&mut self, tally: &Tally) {
        let sums = &mut self.sums;
        sums.messages_sent += tally.sent;
        sums.payload_bytes_sent += tally.sent_bytes;
        sums.messages_received += tally.received;
        sums.payload_bytes_received += tally.received_bytes;
        sums.wire_bytes_sent += tally.wire_sent;
        sums.wire_bytes_received += tally.wire_received;
        sums.repeated += tally.repeated;
        sums.messages_failed += tally.failed;
        sums.dropped_offline += tally.offline;
        sums.expired += tally.expired;
        sums.last_round_trip = tally.last_round_trip.or(sums.last_round_trip);
        self.round_trips += u64::from(tally.round_trips);
        self.round_trip_total += tally.round_trip_total;
    }

    /// The snapshot, but for what is not counted here.
    pub fn snapshot(&self) -> Stats {
        let mean = (self.round_trip_total.as_nanos()).checked_div(self.round_trips.into());
        let mean = mean.map(|nanos| Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)));
        Stats { mean_round_trip: mean, ..self.sums }
    }

    /// Begins anew; what is no count stays.
    pub fn reset(&mut self) {
        let Stats { in_flight, connected_since_unix_ms, .. } = self.sums;
        let sums = Stats { in_flight, connected_since_unix_ms, ..Stats::default() };
        *self = Self { sums, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_and_begins_anew() {
        let mut counters = Counters::default();
        counters.sums().attempts = 4;
        counters.sums().successes = 3;
        counters.sums().connected_since_unix_ms = Some(7);
        for ms in [10, 20] {
            let mut tally = Tally { sent: 1, sent_bytes: 100, ..Tally::default() };
            tally.round_trip(Duration::from_millis(ms));
            counters.add(&tally);
        }
        counters.add(&Tally::default());
        let stats = counters.snapshot();
        assert_eq!((stats.messages_sent, stats.payload_bytes_sent), (2, 200));
        assert_eq!(stats.last_round_trip, Some(Duration::from_millis(20)));
        assert_eq!(stats.mean_round_trip, Some(Duration::from_millis(15)));
        assert_eq!(stats.success_rate(), 0.75);
        counters.reset();
        let json: serde_json::Value = serde_json::from_str(&stats.to_json()).unwrap();
        assert_eq!((&json["messages_sent"], &json["mean_round_trip_us"]), (&2.into(), &15_000.into()));
        let expected = Stats { connected_since_unix_ms: Some(7), ..Stats::default() };
        assert_eq!(counters.snapshot(), expected);
        assert_eq!(expected.success_rate(), 0.0);
    }
}
