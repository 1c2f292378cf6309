//! What a simulator has seen, for tests to look at.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use mqtt_protocol_core::mqtt::ArcPayload;

use crate::faults::MintFault;
use crate::token::Token;

const MOST_CONNECTS: usize = 10_000;
const MOST_PUBLISHES: usize = 100_000;
const MOST_PAYLOAD_BYTES: usize = 256 * 1024 * 1024;
const MOST_TEXTS: usize = 1_000;

/// Counters since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// TCP connections accepted.
    pub connections: u64,
    /// TCP connections open now.
    pub open_connections: u64,
    /// MQTT connections (CONNECT accepted) open now.
    pub open_clients: u64,
    /// TLS handshakes that failed, or were refused for their ALPN or missing SNI.
    pub tls_failures: u64,
    /// Connections that a [`crate::LinkFault`] befell.
    pub links_cut: u64,
    /// CONNECTs that are kept waiting now by a [`crate::ConnectFault`].
    pub connects_held: u64,
    /// CONNECTs accepted.
    pub connects_accepted: u64,
    /// CONNECTs refused, by CONNACK or by closing.
    pub connects_refused: u64,
    /// Of these, refused because they came too fast after others of their client identifier.
    pub connects_throttled: u64,
    /// Tokens that were made for those who asked over HTTP.
    pub tokens_minted: u64,
    /// How often the authorizer was asked again about a living connection, as `refresh_after` says.
    pub policy_refreshes: u64,
    /// CONNECTs that took a session over from a live connection.
    pub takeovers: u64,
    /// PUBLISH packets received (whatever became of them).
    pub publishes_received: u64,
    /// Of these, with DUP.
    pub duplicates_received: u64,
    /// Of these, discarded because they came too fast.
    pub publishes_discarded: u64,
    /// PUBLISH packets sent.
    pub publishes_sent: u64,
    /// Of these, sent again.
    pub publishes_resent: u64,
    /// PUBACK packets sent.
    pub pubacks_sent: u64,
    /// PUBACK packets received.
    pub pubacks_received: u64,
    /// SUBSCRIBE packets received.
    pub subscribes_received: u64,
    /// UNSUBSCRIBE packets received.
    pub unsubscribes_received: u64,
    /// PINGREQ packets received.
    pub pings_received: u64,
    /// DISCONNECT packets received.
    pub disconnects_received: u64,
    /// Messages refused because they were above an AWS limit.
    pub limit_refusals: u64,
    /// Messages dropped on their way to a subscriber: queue full, expired, or larger than the client takes.
    pub messages_dropped: u64,
    /// Acknowledgements from clients of messages that were not sent to them.
    pub unexpected_acknowledgements: u64,
    /// What clients did that MQTT 5 forbids; see [`crate::Simulator::protocol_error_texts`].
    pub protocol_errors: u64,
}

/// Which listener a client came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// Client certificate (AWS: 8883).
    Mtls,
    /// Routed by ALPN (AWS: 443).
    Alpn,
    /// No TLS.
    Plain,
    /// TLS, user name and password.
    Password,
}

/// A CONNECT that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectRecord {
    /// Where it came in.
    pub listener: Listener,
    /// TLS version: "1.2" or "1.3".
    pub tls_version: Option<&'static str>,
    /// The ALPN protocol that was agreed on.
    pub alpn: Option<String>,
    /// The server name that was sent (SNI).
    pub server_name: Option<String>,
    /// Whether an earlier TLS session was resumed.
    pub tls_resumed: bool,
    /// Whether the client showed a certificate.
    pub client_certificate: bool,
    /// Client identifier, as assigned if the client sent none.
    pub client_id: String,
    /// User name.
    pub user_name: Option<String>,
    /// The custom authorizer's token in the user name, decoded, if there is one.
    pub token: Option<String>,
    /// Password.
    pub password: Option<Vec<u8>>,
    /// Clean start.
    pub clean_start: bool,
    /// Keep alive that was asked for, in seconds.
    pub keep_alive: u16,
    /// Session expiry interval that was asked for, in seconds.
    pub session_expiry: Option<u32>,
    /// Receive maximum that was asked for.
    pub receive_maximum: Option<u16>,
    /// Topic of the will.
    pub will_topic: Option<String>,
    /// Will delay interval, in seconds.
    pub will_delay: Option<u32>,
    /// User properties.
    pub user_properties: Vec<(String, String)>,
    /// Reason code of CONNACK; `None` if there was none.
    pub answer: Option<u8>,
    /// Session present, as CONNACK said.
    pub session_present: bool,
}

/// A PUBLISH that was received.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PublishRecord {
    /// Who sent it.
    pub client_id: String,
    /// Topic name (that of the alias, if one was used).
    pub topic: String,
    /// QoS.
    pub qos: u8,
    /// Retain flag.
    pub retain: bool,
    /// DUP flag.
    pub dup: bool,
    /// Packet identifier.
    pub packet_id: Option<u16>,
    /// Topic alias, if one was used.
    pub topic_alias: Option<u16>,
    pub(crate) payload: ArcPayload,
}

impl PublishRecord {
    /// The payload.
    pub fn payload(&self) -> &[u8] {
        self.payload.as_slice()
    }
}

/// Which acknowledgement of a PUBLISH it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcknowledgementKind {
    /// PUBACK.
    Puback,
    /// PUBREC.
    Pubrec,
    /// PUBREL.
    Pubrel,
    /// PUBCOMP.
    Pubcomp,
}

/// An acknowledgement that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcknowledgementRecord {
    /// Who sent it.
    pub client_id: String,
    /// Which one it is.
    pub kind: AcknowledgementKind,
    /// Packet identifier.
    pub packet_id: u16,
    /// Reason code.
    pub reason: u8,
}

/// How a client's connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndRecord {
    /// Whose connection it was.
    pub client_id: String,
    /// Reason code of the DISCONNECT that the client sent.
    pub received: Option<u8>,
    /// Reason code of the DISCONNECT that the simulator sent.
    pub sent: Option<u8>,
}

/// A token that was asked for over HTTP.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MintRecord {
    /// When.
    pub time: SystemTime,
    /// How long it lives.
    pub ttl: Duration,
    /// What befell the request.
    pub fault: Option<MintFault>,
    /// The token, if one was made.
    pub token: Option<Token>,
}

#[derive(Default)]
pub(crate) struct Journal {
    pub stats: Stats,
    pub connects: VecDeque<ConnectRecord>,
    pub publishes: VecDeque<PublishRecord>,
    payload_bytes: usize,
    pub acknowledgements: VecDeque<AcknowledgementRecord>,
    pub ends: VecDeque<EndRecord>,
    pub mints: VecDeque<MintRecord>,
    pub protocol_errors: VecDeque<String>,
}

impl Journal {
    pub fn connect(&mut self, record: ConnectRecord) {
        let count = if record.answer == Some(0) {
            &mut self.stats.connects_accepted
        } else {
            &mut self.stats.connects_refused
        };
        *count += 1;
        push(&mut self.connects, record, MOST_CONNECTS);
    }

    pub fn publish(&mut self, record: PublishRecord, keep: bool) {
        self.stats.publishes_received += 1;
        self.stats.duplicates_received += u64::from(record.dup);
        if !keep {
            return;
        }

        self.payload_bytes += record.payload.len();
        let oldest = push(&mut self.publishes, record, MOST_PUBLISHES);
        self.payload_bytes -= oldest.map_or(0, |oldest| oldest.payload.len());
        while self.payload_bytes > MOST_PAYLOAD_BYTES {
            let Some(oldest) = self.publishes.pop_front() else {
                break;
            };
            self.payload_bytes -= oldest.payload.len();
        }
    }

    pub fn acknowledgement(&mut self, record: AcknowledgementRecord) {
        push(&mut self.acknowledgements, record, MOST_PUBLISHES);
    }

    pub fn end(&mut self, record: EndRecord) {
        push(&mut self.ends, record, MOST_CONNECTS);
    }

    pub fn mint(&mut self, record: MintRecord) {
        self.stats.tokens_minted += u64::from(record.token.is_some());
        push(&mut self.mints, record, MOST_CONNECTS);
    }

    pub fn protocol_error(&mut self, text: String) {
        self.stats.protocol_errors += 1;
        push(&mut self.protocol_errors, text, MOST_TEXTS);
    }
}

/// Appends; the oldest goes when there are too many.
fn push<T>(list: &mut VecDeque<T>, item: T, most: usize) -> Option<T> {
    list.push_back(item);
    (list.len() > most).then(|| list.pop_front()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let mut list = VecDeque::new();
        assert!((0..3).all(|item| push(&mut list, item, 3).is_none()));
        assert_eq!(push(&mut list, 3, 3), Some(0));
        assert_eq!(list, [1, 2, 3]);
    }
}
