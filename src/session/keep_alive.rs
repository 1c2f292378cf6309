//! PINGREQ, and what its silence means (MQTT 5, 3.1.2.10).

use std::time::{Duration, Instant};

/// An answer to a PINGREQ, or anything else from the server, is expected within this time, or within the keep
/// alive where that is shorter.
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// The clocks of one connection.
#[derive(Debug)]
pub struct KeepAlive {
    interval: Option<Duration>,
    last_sent: Instant,
    last_received: Instant,
    pinged: Option<Instant>,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    Nothing,
    Ping,
    /// The server has been silent for so long.
    Dead(Duration),
}

impl KeepAlive {
    /// `secs` 0: switched off [MQTT-3.1.2-22].
    pub fn new(secs: u16, now: Instant) -> Self {
        let interval = (secs > 0).then(|| Duration::from_secs(secs.into()));
        Self { interval, last_sent: now, last_received: now, pinged: None }
    }

    pub fn sent(&mut self, now: Instant) {
        self.last_sent = now;
    }

    /// Anything that arrives proves that the server lives.
    pub fn received(&mut self, now: Instant) {
        self.last_received = now;
        self.pinged = None;
    }

    /// Asks the server for a sign of life now, whatever the interval.
    pub fn probe(&mut self) -> bool {
        self.pinged.is_none()
    }

    pub fn pinged(&mut self, now: Instant) {
        self.pinged = Some(now);
    }

    fn timeout(&self) -> Duration {
        self.interval.map_or(PING_TIMEOUT, |interval| interval.min(PING_TIMEOUT))
    }

    /// When [`due`](Self::due) has something to say. A client that only sends, or only receives, pings as well:
    /// the first to notice a connection that died in one direction, the second because the server wants it.
    pub fn deadline(&self) -> Option<Instant> {
        match self.pinged {
            Some(pinged) => Some(pinged + self.timeout()),
            None => self.interval.map(|interval| self.last_sent.min(self.last_received) + interval),
        }
    }

    pub fn due(&self, now: Instant) -> Due {
        match self.deadline() {
            Some(deadline) if now >= deadline => match self.pinged {
                Some(_) => Due::Dead(now - self.last_received),
                None => Due::Ping,
            },
            _ => Due::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEC: Duration = Duration::from_secs(1);

    #[test]
    fn pings_when_either_direction_was_silent_and_gives_up_on_silence() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(30, start);
        assert_eq!(keep_alive.due(start + 29 * SEC), Due::Nothing);
        keep_alive.sent(start + 20 * SEC);
        assert_eq!(keep_alive.due(start + 30 * SEC), Due::Ping, "nothing was received");
        keep_alive.pinged(start + 30 * SEC);
        keep_alive.sent(start + 30 * SEC);
        assert_eq!(keep_alive.due(start + 39 * SEC), Due::Nothing);
        assert_eq!(keep_alive.due(start + 40 * SEC), Due::Dead(40 * SEC));
        keep_alive.received(start + 40 * SEC);
        assert_eq!(keep_alive.due(start + 40 * SEC), Due::Nothing);
        assert_eq!(keep_alive.deadline(), Some(start + 60 * SEC), "nothing was sent");
    }

    #[test]
    fn a_short_keep_alive_shortens_the_answer_s_time() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(2, start);
        keep_alive.pinged(start);
        assert_eq!(keep_alive.deadline(), Some(start + 2 * SEC));
    }

    #[test]
    fn zero_switches_it_off_but_a_probe_still_counts() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(0, start);
        assert_eq!(keep_alive.deadline(), None);
        assert_eq!(keep_alive.due(start + 100_000 * SEC), Due::Nothing);
        assert!(keep_alive.probe());
        keep_alive.pinged(start);
        assert!(!keep_alive.probe(), "one PINGREQ at a time");
        assert_eq!(keep_alive.due(start + 10 * SEC), Due::Dead(10 * SEC));
    }
}
