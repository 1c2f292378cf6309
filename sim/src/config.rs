//! What a simulator can be told. [`Config::default`] behaves as AWS IoT Core is documented to.

use std::path::PathBuf;
use std::time::Duration;

use crate::limits::{Limits, Quotas};
use crate::violation::reason;

/// Everything that decides how a simulator behaves; fixed once it has started.
#[derive(Debug, Clone)]
pub struct Config {
    /// Port of the listener that AWS has at 8883 (client certificate); 0 asks the system for a free one.
    pub mtls_port: u16,
    /// Port of the listener that AWS has at 443 (routed by ALPN); 0 asks the system for a free one.
    pub alpn_port: u16,
    /// Port of a listener without TLS and without authentication, if there shall be one; 0 asks the system.
    pub plain_port: Option<u16>,
    /// A listener with TLS, user name and password, if there shall be one.
    pub password_listener: Option<PasswordListener>,
    /// Port of an endpoint that hands out tokens over plain HTTP, if there shall be one; 0 asks the system. `GET /token`
    /// is answered with JSON (`brokerUrl`, `token`, `signature`, `expiresIn` in seconds), `GET /broker-url` with the
    /// broker URL alone; the query may have `ttl=SECS` (0 for a token that has expired) and `format=jwt` or `json`.
    pub mint_port: Option<u16>,
    /// Where certificates and tokens are written; a fresh temporary directory, removed at the end, if `None`.
    pub directory: Option<PathBuf>,
    /// A file, made readable for its owner only, to which every secret is appended that clients may have: tokens,
    /// signatures, passwords, and the lines of private keys. A line says what it is, and after a space the secret
    /// percent-encoded. For tests that look for secrets where they must not be.
    pub secrets_file: Option<PathBuf>,
    /// TLS versions that are spoken.
    pub tls_versions: TlsVersions,
    /// Which certificate the server shows.
    pub server_certificate: ServerCertificate,
    /// Whether the AWS listeners refuse a client that sends no server name (SNI), as AWS does.
    pub require_sni: bool,
    /// The custom authorizer.
    pub authorizer: Authorizer,
    /// What CONNACK says.
    pub connack: ConnackProperties,
    /// How the keep alive that a client asks for is adjusted.
    pub keep_alive: KeepAliveRule,
    /// How the session expiry interval that a client asks for is adjusted.
    pub session_expiry: SessionExpiryRule,
    /// How a connection ends whose session another one takes over; AWS sends DISCONNECT 142.
    pub takeover_end: ConnectionEnd,
    /// How messages are sent to subscribers.
    pub delivery: Delivery,
    /// Limits on single packets and on what a connection or a session may hold.
    pub limits: Limits,
    /// Limits on rates.
    pub quotas: Quotas,
    /// Topic filters that nobody may publish or subscribe to (reason code 135), as an AWS policy would have it.
    pub denied_topics: Vec<String>,
    /// What else a policy forbids, action by action.
    pub policy: Policy,
    /// How long a client may take for TLS and CONNECT, and for a request for a token.
    pub connect_timeout: Duration,
    /// Whether the PUBLISH packets received and their acknowledgements are kept for [`crate::Simulator::publishes`] and
    /// [`crate::Simulator::acknowledgements`].
    pub record_publishes: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mtls_port: 0,
            alpn_port: 0,
            plain_port: None,
            password_listener: None,
            mint_port: None,
            directory: None,
            secrets_file: None,
            tls_versions: TlsVersions::Both,
            server_certificate: ServerCertificate::Good,
            require_sni: true,
            authorizer: Authorizer::default(),
            connack: ConnackProperties::aws(),
            keep_alive: KeepAliveRule::Aws,
            session_expiry: SessionExpiryRule::aws(),
            takeover_end: ConnectionEnd::Disconnect(reason::SESSION_TAKEN_OVER),
            delivery: Delivery::default(),
            limits: Limits::aws(),
            quotas: Quotas::none(),
            denied_topics: Vec::new(),
            policy: Policy::default(),
            connect_timeout: Duration::from_secs(10),
            record_publishes: true,
        }
    }
}

impl Config {
    /// A broker by the book instead of AWS: QoS 2, no structural limits, keep alive and session expiry as asked,
    /// DUP set on what is sent again, and a plain listener.
    pub fn generic_broker() -> Self {
        Self {
            plain_port: Some(0),
            require_sni: false,
            connack: ConnackProperties::silent(),
            keep_alive: KeepAliveRule::AsRequested,
            session_expiry: SessionExpiryRule { when_absent_secs: 0, maximum_secs: u32::MAX },
            delivery: Delivery { set_dup: true, ..Delivery::default() },
            limits: Limits::none(),
            ..Self::default()
        }
    }
}

/// A TLS listener that checks CONNECT's user name and password.
#[derive(Debug, Clone)]
pub struct PasswordListener {
    /// Port; 0 asks the system for a free one.
    pub port: u16,
    /// The user name that is let in.
    pub user_name: String,
    /// Its password.
    pub password: Vec<u8>,
}

/// TLS versions that the simulator speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersions {
    /// TLS 1.2 only.
    Tls12,
    /// TLS 1.3 only.
    Tls13,
    /// Both.
    Both,
}

/// Which certificate the server shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerCertificate {
    /// Valid for `localhost`, 127.0.0.1 and ::1, signed by the simulator's CA.
    Good,
    /// As `Good`, but it ended years ago.
    Expired,
    /// As `Good`, but it begins decades from now.
    NotYetValid,
    /// As `Good`, but for another host name.
    WrongName,
    /// As `Good`, but signed by a CA that is not in `ca.pem`.
    UnknownCa,
}

/// The custom authorizer: what it accepts and how it refuses.
#[derive(Debug, Clone)]
pub struct Authorizer {
    /// Its name, expected in `x-amz-customauthorizer-name`.
    pub name: String,
    /// The name of the user-name parameter that carries the token.
    pub token_key: String,
    /// Whether the token's signature is checked.
    pub signing: bool,
    /// The password that it expects, if any.
    pub password: Option<Vec<u8>>,
    /// The shape of the tokens that the simulator mints.
    pub token_format: TokenFormat,
    /// How long the token that is written to the directory lives, and one that is asked for over HTTP.
    pub token_ttl: Duration,
    /// How a bad or expired token is answered (AWS leaves this open: 135, 134 or a bare close).
    pub refusal: Refusal,
    /// When the connection is ended (`disconnectAfterInSeconds`).
    pub disconnect_after: DisconnectAfter,
    /// How often it is asked again about the token of a living connection (`refreshAfterInSeconds`); never if `None`.
    /// The client hears nothing of it, unless the token is bad by then: that ends the connection.
    pub refresh_after: Option<Duration>,
    /// How a connection is ended by it (AWS leaves this open).
    pub end: ConnectionEnd,
    /// How far its clock is behind that of the clients.
    pub clock_behind: Duration,
}

impl Default for Authorizer {
    fn default() -> Self {
        Self {
            name: "gecko".to_owned(),
            token_key: "token".to_owned(),
            signing: true,
            password: None,
            token_format: TokenFormat::Jwt,
            token_ttl: Duration::from_secs(3600),
            refusal: Refusal::Connack(135),
            disconnect_after: DisconnectAfter::TokenExpiry,
            refresh_after: None,
            end: ConnectionEnd::Disconnect(135),
            clock_behind: Duration::ZERO,
        }
    }
}

/// What a policy of AWS IoT forbids; the filters are topic filters.
#[derive(Debug, Clone)]
pub struct Policy {
    /// `iot:Connect`: every CONNECT with good credentials is refused so.
    pub deny_connect: Option<Refusal>,
    /// `iot:Publish`.
    pub deny_publish: Vec<String>,
    /// `iot:Subscribe`: answered with 135.
    pub deny_subscribe: Vec<String>,
    /// `iot:Receive`: what is published there is acknowledged, and nobody gets it.
    pub deny_receive: Vec<String>,
    /// How a forbidden publish is answered: AWS acknowledges it with 135, or ends the connection.
    pub publish_refusal: Refusal,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            deny_connect: None,
            deny_publish: Vec::new(),
            deny_subscribe: Vec::new(),
            deny_receive: Vec::new(),
            publish_refusal: Refusal::Connack(135),
        }
    }
}

/// The shape of a minted token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFormat {
    /// A JWT; `exp` counts whole seconds, rounded up.
    Jwt,
    /// One base64url JSON object with `expiresAt` in milliseconds.
    Json,
}

/// How a CONNECT is refused, or a PUBLISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// By a CONNACK (a PUBACK) with this reason code.
    Connack(u8),
    /// By closing the connection without a word.
    Close,
}

/// How a connection is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// By a DISCONNECT with this reason code, then an orderly close.
    Disconnect(u8),
    /// By closing the socket without DISCONNECT (and without TLS close_notify).
    Close,
    /// By a TCP reset.
    Reset,
}

/// When the authorizer ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectAfter {
    /// When the token expires.
    TokenExpiry,
    /// This long after CONNACK.
    Duration(Duration),
    /// Never.
    Never,
}

/// What CONNACK says; `None` leaves a property out, and with it the restriction.
#[derive(Debug, Clone)]
pub struct ConnackProperties {
    /// Maximum QoS (0 or 1); anything else counts as absent, so QoS 2 is spoken.
    pub maximum_qos: Option<u8>,
    /// Retain Available.
    pub retain_available: Option<bool>,
    /// Wildcard Subscription Available.
    pub wildcard_available: Option<bool>,
    /// Subscription Identifiers Available.
    pub subscription_identifiers_available: Option<bool>,
    /// Shared Subscription Available.
    pub shared_available: Option<bool>,
    /// Topic Alias Maximum (from the client to the server).
    pub topic_alias_maximum: Option<u16>,
    /// Receive Maximum (unacknowledged publishes from the client); absent is 65,535.
    pub receive_maximum: Option<u16>,
    /// Maximum Packet Size (of what the client sends).
    pub maximum_packet_size: Option<u32>,
    /// Reason String.
    pub reason_string: Option<String>,
    /// User Properties.
    pub user_properties: Vec<(String, String)>,
}

impl ConnackProperties {
    /// What AWS IoT Core sends.
    pub fn aws() -> Self {
        Self {
            maximum_qos: Some(1),
            retain_available: Some(true),
            wildcard_available: Some(true),
            subscription_identifiers_available: Some(false),
            shared_available: Some(true),
            topic_alias_maximum: Some(8),
            receive_maximum: Some(100),
            maximum_packet_size: Some(149_504),
            reason_string: None,
            user_properties: Vec::new(),
        }
    }

    /// Nothing, so that MQTT 5's defaults hold: everything is available and nothing is limited.
    pub fn silent() -> Self {
        Self {
            maximum_qos: None,
            retain_available: None,
            wildcard_available: None,
            subscription_identifiers_available: None,
            shared_available: None,
            topic_alias_maximum: None,
            receive_maximum: None,
            maximum_packet_size: None,
            reason_string: None,
            user_properties: Vec::new(),
        }
    }

    /// The highest QoS that is spoken.
    pub(crate) fn highest_qos(&self) -> u8 {
        self.maximum_qos.filter(|qos| *qos < 2).unwrap_or(2)
    }
}

/// How the keep alive that a client asks for is adjusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAliveRule {
    /// 30..=1200 s; 0 and above 1200 become 1200, 1..=29 become 30; always told in Server Keep Alive.
    Aws,
    /// As the client asks, 0 for none; Server Keep Alive is not sent.
    AsRequested,
    /// This many seconds (0: none), told in Server Keep Alive.
    Fixed(u16),
}

impl KeepAliveRule {
    /// The keep alive in force, and whether Server Keep Alive tells it.
    pub(crate) fn apply(self, requested: u16) -> (u16, bool) {
        match self {
            Self::Aws if requested == 0 => (1200, true),
            Self::Aws => (requested.clamp(30, 1200), true),
            Self::AsRequested => (requested, false),
            Self::Fixed(secs) => (secs, true),
        }
    }
}

/// How the session expiry interval that a client asks for is adjusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionExpiryRule {
    /// Granted to a client that asks for an old session (clean start 0) and gives no interval.
    pub when_absent_secs: u32,
    /// The longest that is granted; `u32::MAX` allows sessions that never end.
    pub maximum_secs: u32,
}

impl SessionExpiryRule {
    /// At most seven days, one hour for a client that resumes without giving an interval.
    pub fn aws() -> Self {
        Self { when_absent_secs: 3600, maximum_secs: 7 * 24 * 3600 }
    }

    /// None: every session ends with its connection, so session present is never said.
    pub fn none() -> Self {
        Self { when_absent_secs: 0, maximum_secs: 0 }
    }

    /// The interval that is granted.
    pub(crate) fn grant(self, requested: Option<u32>, clean_start: bool) -> u32 {
        let default = if clean_start { 0 } else { self.when_absent_secs };
        requested.unwrap_or(default).min(self.maximum_secs)
    }
}

/// How messages are sent to subscribers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Whether DUP is set on what is sent again after a reconnect; MQTT 5 wants it, AWS does not do it.
    pub set_dup: bool,
    /// After how long an unacknowledged message is sent again on the same connection, without DUP (AWS does so
    /// now and then); never if `None`.
    pub resend_after: Option<Duration>,
    /// Whether topic aliases are used towards a client that allows them.
    pub topic_aliases: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_alive_is_adjusted_as_aws_does() {
        for (requested, granted) in [(0, 1200), (1, 30), (29, 30), (30, 30), (600, 600), (1201, 1200)] {
            assert_eq!(KeepAliveRule::Aws.apply(requested), (granted, true), "{requested}");
        }
        assert_eq!(KeepAliveRule::AsRequested.apply(5), (5, false));
        assert_eq!(KeepAliveRule::Fixed(2).apply(60), (2, true));
    }

    #[test]
    fn session_expiry_is_capped() {
        let aws = SessionExpiryRule::aws();
        assert_eq!(aws.grant(Some(u32::MAX), true), 604_800);
        assert_eq!(aws.grant(Some(60), false), 60);
        assert_eq!(aws.grant(None, false), 3600);
        assert_eq!(aws.grant(None, true), 0);
        assert_eq!(SessionExpiryRule::none().grant(Some(60), false), 0);
        assert_eq!(SessionExpiryRule::none().grant(None, false), 0);
    }
}
