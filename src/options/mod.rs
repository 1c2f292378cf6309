//! Everything that can be set before a client is made: checked one by one as it is set, and together when the
//! client is made ([`Options::settings`]); immutable from then on.

mod settings;

pub(crate) use settings::Settings;

use crate::credentials::{Access, Authorizer, BrokerUrl, Credentials, Token};
use crate::dispatch::DispatchMode;
use crate::link::{self, Identity, Roots, Target};
use crate::message::OwnedMessage;
use crate::packet::StoredPublish;
use crate::reconnect::Policy;
use crate::session::pacing::Pace;
use crate::session::queue::{QueueLimit, QueuePolicy};
use crate::{Error, ErrorKind, Message, Result, Secret};
use std::sync::Arc;
use std::time::Duration;

/// Names one request to the token provider; a number, so that a late answer can do no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenRequest(pub u64);

/// A token as the application gives it.
#[derive(Clone, Copy, Default)]
pub struct TokenInput<'a> {
    /// 0: read it from the token.
    pub expires_in_secs: u32,
    /// The token itself.
    pub access_token: Option<&'a str>,
    /// The user name before the authorizer's parameters.
    pub username: Option<&'a str>,
    /// The token's signature.
    pub signature: Option<&'a str>,
    /// Instead of the others.
    pub broker_url: Option<&'a str>,
}

impl TokenInput<'_> {
    /// The token, checked.
    pub fn parse(&self) -> Result<Token> {
        let Some(url) = self.broker_url else {
            let token = self.access_token.ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidToken,
                    "the token is empty: set access_token, or broker_url instead",
                )
            })?;
            let signature = self.signature.map(Secret::from);
            return Token::new(Secret::from(token), self.expires_in_secs, self.username, signature.as_ref());
        };
        if self.access_token.is_some() || self.signature.is_some() || self.username.is_some() {
            let message = "set either the broker URL or access_token, username and signature, not both";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Token::from_broker_url(&BrokerUrl::parse(url)?, self.expires_in_secs)
    }
}

/// Asked for a token; answers at once or later through `token_request_complete` or `token_request_fail`.
pub type TokenProvider = Arc<dyn Fn(TokenRequest) + Send + Sync>;

/// What a client can be told before it is made.
#[derive(Clone)]
pub struct Options {
    first_error: Option<Error>,
    endpoint: Option<String>,
    port: u16,
    plain: bool,
    region: Option<String>,
    client_id: Option<String>,
    identity: Option<Identity>,
    roots: Roots,
    alpn: Option<String>,
    // A secret because it may be an authorizer's user name, assembled by hand, token and all.
    username: Option<Secret>,
    password: Option<Secret>,
    authorizer: Option<Authorizer>,
    token: Option<Token>,
    provider: Option<TokenProvider>,
    refresh_threshold: Duration,
    token_timeout: Duration,
    keep_alive_secs: u16,
    clean_start: bool,
    session_expiry_secs: u32,
    connect_timeout: Duration,
    operation_timeout: Duration,
    reconnect: bool,
    policy: Policy,
    queue: QueueLimit,
    keep_offline_qos0: bool,
    pace: Option<Pace>,
    receive_maximum: u16,
    max_incoming_packet: u32,
    will: Option<(OwnedMessage, u32)>,
    manual_ack: bool,
    history_size: usize,
    dispatch: DispatchMode,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            first_error: None,
            endpoint: None,
            port: 0,
            plain: false,
            region: None,
            client_id: None,
            identity: None,
            roots: Roots::Platform,
            alpn: None,
            username: None,
            password: None,
            authorizer: None,
            token: None,
            provider: None,
            refresh_threshold: Duration::from_secs(900),
            token_timeout: Duration::from_secs(30),
            keep_alive_secs: 30,
            clean_start: true,
            session_expiry_secs: 3600,
            connect_timeout: Duration::from_secs(10),
            operation_timeout: Duration::from_secs(60),
            reconnect: true,
            policy: Policy::DEFAULT,
            queue: QueueLimit { messages: 1024, bytes: 4 << 20, policy: QueuePolicy::RejectNew },
            keep_offline_qos0: true,
            pace: None,
            receive_maximum: 256,
            max_incoming_packet: 256 * 1024,
            will: None,
            manual_ack: false,
            history_size: 100,
            dispatch: DispatchMode::Thread,
        }
    }
}

impl Options {
    /// Remembers the first error of a setter; making the client returns it.
    pub fn remember(&mut self, error: &Error) {
        self.first_error.get_or_insert_with(|| error.clone());
    }

    /// Host name or address; SNI and certificate name follow it.
    pub fn set_endpoint(&mut self, host: &str) -> Result<()> {
        // Port and TLS are checked when they are known.
        Target::new(host, 1, None)?;
        self.endpoint = Some(host.to_owned());
        self.plain = false;
        Ok(())
    }

    /// 0: by authentication.
    pub fn set_port(&mut self, port: u16) -> Result<()> {
        self.port = port;
        Ok(())
    }

    /// `mqtts://`, `mqtt://` or Gecko's authorizer URL.
    pub fn set_broker_url(&mut self, url: &str) -> Result<()> {
        let url = BrokerUrl::parse(url)?;
        if let Access::Authorizer { authorizer, .. } = &url.access {
            self.token = Some(Token::from_broker_url(&url, 0)?);
            self.authorizer = Some(authorizer.clone());
        }
        self.plain = matches!(url.access, Access::Plain);
        self.endpoint = Some(url.endpoint.host);
        self.port = url.endpoint.port.unwrap_or(0);
        Ok(())
    }

    /// `us-east-1`: completes an endpoint that is only an AWS prefix.
    pub fn set_region(&mut self, region: &str) -> Result<()> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if region.is_empty() || region.len() > 32 || !region.chars().all(legal) {
            return Err(invalid("the region is not one of AWS: it looks like 'us-east-1'"));
        }
        self.region = Some(region.to_owned());
        Ok(())
    }

    /// Empty: the server chooses one.
    pub fn set_client_id(&mut self, client_id: &str) -> Result<()> {
        if client_id.len() > 65_535 || client_id.contains(char::is_control) {
            return Err(invalid(
                "the client identifier has a control character or more than 65,535 bytes (AWS IoT allows 128)",
            ));
        }
        self.client_id = Some(client_id.to_owned());
        Ok(())
    }

    /// Client certificate (chain) and private key, from files.
    pub fn set_certificate_file(&mut self, cert_path: &str, key_path: &str) -> Result<()> {
        self.identity = Some(Identity::from_files(cert_path, key_path)?);
        Ok(())
    }

    /// Client certificate (chain) and private key, PEM or DER.
    pub fn set_certificate_pem(&mut self, certificate: &[u8], key: &[u8]) -> Result<()> {
        self.identity = Some(Identity::from_bytes(certificate, &Secret::new(key))?);
        Ok(())
    }

    /// Roots to trust instead of the platform's, from a file.
    pub fn set_ca_file(&mut self, path: &str) -> Result<()> {
        self.set_ca_pem(&link::read_file(path, "CA certificate")?)
    }

    /// Roots to trust instead of the platform's.
    pub fn set_ca_pem(&mut self, pem: &[u8]) -> Result<()> {
        self.roots = Roots::from_pem(pem)?;
        Ok(())
    }

    /// Overrides the protocol that follows from authentication and port.
    pub fn set_alpn(&mut self, protocol: &str) -> Result<()> {
        if protocol.is_empty() || protocol.len() > 255 {
            return Err(invalid("an ALPN protocol name has 1 to 255 bytes (RFC 7301, 3.1)"));
        }
        self.alpn = Some(protocol.to_owned());
        Ok(())
    }

    /// Sent in CONNECT.
    pub fn set_username(&mut self, username: &str) -> Result<()> {
        Credentials::new(Some(username), None, None)?;
        self.username = Some(username.into());
        Ok(())
    }

    /// Sent in CONNECT.
    pub fn set_password(&mut self, password: &[u8]) -> Result<()> {
        let password = Secret::new(password);
        Credentials::new(None, Some(password.clone()), None)?;
        self.password = Some(password);
        Ok(())
    }

    /// AWS custom authorizer; `signature` where tokens are signed.
    pub fn set_authorizer(
        &mut self,
        name: &str,
        token_key: Option<&str>,
        signature: Option<&str>,
    ) -> Result<()> {
        let signature = signature.map(Secret::from);
        self.authorizer = Some(Authorizer::new(name, token_key, signature.as_ref())?);
        Ok(())
    }

    /// The first token.
    pub fn set_token(&mut self, token: &TokenInput<'_>) -> Result<()> {
        self.token = Some(token.parse()?);
        Ok(())
    }

    /// Asked for the first token if there is none, and for each further one.
    pub fn set_token_provider(&mut self, provider: TokenProvider) -> Result<()> {
        self.provider = Some(provider);
        Ok(())
    }

    /// Before expiry.
    pub fn set_refresh_threshold_secs(&mut self, secs: u32) -> Result<()> {
        self.refresh_threshold =
            Duration::from_secs(within("refresh threshold", secs, 1, 30 * 86_400, "s")?.into());
        Ok(())
    }

    /// For one request to the provider.
    pub fn set_token_timeout_ms(&mut self, ms: u32) -> Result<()> {
        self.token_timeout = millis("token time-out", ms)?;
        Ok(())
    }

    /// 0: none.
    pub fn set_keep_alive_secs(&mut self, secs: u16) -> Result<()> {
        self.keep_alive_secs = secs;
        Ok(())
    }

    /// Of the first connection after a `connect`; later ones resume.
    pub fn set_clean_start(&mut self, clean_start: bool) -> Result<()> {
        self.clean_start = clean_start;
        Ok(())
    }

    /// How long the server keeps the session after the connection ended.
    pub fn set_session_expiry_secs(&mut self, secs: u32) -> Result<()> {
        self.session_expiry_secs = secs;
        Ok(())
    }

    /// DNS to CONNACK.
    pub fn set_connect_timeout_ms(&mut self, ms: u32) -> Result<()> {
        self.connect_timeout = millis("connect time-out", ms)?;
        Ok(())
    }

    /// For an acknowledgement, from the first write.
    pub fn set_operation_timeout_ms(&mut self, ms: u32) -> Result<()> {
        self.operation_timeout = millis("operation time-out", ms)?;
        Ok(())
    }

    /// One round; 0 attempts: a round without end.
    pub fn set_reconnect(
        &mut self,
        enabled: bool,
        max_attempts: u32,
        initial_ms: u32,
        max_ms: u32,
        multiplier: f64,
    ) -> Result<()> {
        let (initial, max) =
            (millis("first reconnection delay", initial_ms)?, millis("longest reconnection delay", max_ms)?);
        if initial > max {
            return Err(out_of_range(format!(
                "the first delay ({initial_ms} ms) is above the longest ({max_ms} ms)"
            )));
        }
        if !(1.0..=100.0).contains(&multiplier) {
            // Without the number: to print one takes 13 kB of code.
            return Err(out_of_range("the multiplier is not a number in 1.0..100.0".into()));
        }
        self.reconnect = enabled;
        self.policy = Policy { max_attempts, initial, max, multiplier, cool_down: self.policy.cool_down };
        Ok(())
    }

    /// The longest wait between rounds; 0: give up for good after one.
    pub fn set_reconnect_cooldown_secs(&mut self, secs: u32) -> Result<()> {
        let secs = within("cool-down", secs, 0, 7 * 86_400, "s")?;
        self.policy.cool_down = (secs > 0).then(|| Duration::from_secs(secs.into()));
        Ok(())
    }

    /// What waits for a connection or an acknowledgement.
    pub fn set_queue(&mut self, max_messages: u32, max_bytes: u64, policy: QueuePolicy) -> Result<()> {
        let messages = within("queue's number of messages", max_messages, 1, 1 << 24, "")? as usize;
        let bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX).min(isize::MAX as usize);
        if bytes == 0 {
            return Err(out_of_range("a queue of 0 bytes holds nothing".into()));
        }
        self.queue = QueueLimit { messages, bytes, policy };
        Ok(())
    }

    /// Whether QoS 0 messages wait for a connection, as the others do, or are refused and dropped without one.
    pub fn set_offline_qos0(&mut self, keep: bool) -> Result<()> {
        self.keep_offline_qos0 = keep;
        Ok(())
    }

    /// Publishes and bytes a second; 0: as many as one likes.
    pub fn set_pacing(&mut self, publishes_per_sec: u32, bytes_per_sec: u32) -> Result<()> {
        self.pace = Some(Pace { messages: publishes_per_sec, bytes: bytes_per_sec });
        Ok(())
    }

    /// QoS 1 and 2 messages that the server may send without an acknowledgement.
    pub fn set_receive_maximum(&mut self, maximum: u16) -> Result<()> {
        self.receive_maximum = within("receive maximum", maximum.into(), 1, 65_535, "")? as u16;
        Ok(())
    }

    /// Larger packets end the connection.
    pub fn set_max_incoming_packet(&mut self, bytes: u32) -> Result<()> {
        self.max_incoming_packet = within("largest incoming packet", bytes, 128, 268_435_460, "bytes")?;
        Ok(())
    }

    /// Published by the server when the connection ends without a farewell.
    pub fn set_will(&mut self, message: &Message<'_>, delay_secs: u32) -> Result<()> {
        StoredPublish::new(message)?;
        if message.payload.len() > 65_535 {
            return Err(invalid("a will's payload has at most 65,535 bytes (MQTT 5, 3.1.3.4)"));
        }
        self.will = Some((message.into(), delay_secs));
        Ok(())
    }

    /// The application acknowledges QoS 1 and 2 itself.
    pub fn set_manual_ack(&mut self, manual: bool) -> Result<()> {
        self.manual_ack = manual;
        Ok(())
    }

    /// How many events are kept; 0: none.
    pub fn set_history_size(&mut self, events: u32) -> Result<()> {
        self.history_size = within("history's size", events, 0, 100_000, "events")? as usize;
        Ok(())
    }

    /// On which threads callbacks run.
    pub fn set_dispatch(&mut self, mode: DispatchMode) -> Result<()> {
        self.dispatch = mode;
        Ok(())
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

fn out_of_range(message: String) -> Error {
    Error::new(ErrorKind::OutOfRange, message)
}

fn within(what: &str, value: u32, least: u32, most: u32, unit: &str) -> Result<u32> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(out_of_range(format!("the {what} must be within {least}..={most} {unit}, and is {value}")))
}

fn millis(what: &str, ms: u32) -> Result<Duration> {
    Ok(Duration::from_millis(within(what, ms, 1, 86_400_000, "ms")?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(set: impl FnOnce(&mut Options) -> Result<()>) -> ErrorKind {
        let mut options = Options::default();
        options.set_endpoint("localhost").unwrap();
        match set(&mut options) {
            Err(error) => error.kind(),
            Ok(()) => options.settings().map(|_| ()).unwrap_err().kind(),
        }
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        let message = Message { topic: "t/+", ..Message::default() };
        assert_eq!(refused(|o| o.set_endpoint("mqtts://a")), ErrorKind::InvalidArgument);
        assert_eq!(refused(|o| o.set_region("Mars")), ErrorKind::InvalidArgument);
        assert_eq!(refused(|o| o.set_client_id("a\nb")), ErrorKind::InvalidArgument);
        assert_eq!(refused(|o| o.set_alpn("")), ErrorKind::InvalidArgument);
        assert_eq!(refused(|o| o.set_certificate_file("/nonexistent", "/nonexistent")), ErrorKind::File);
        assert_eq!(refused(|o| o.set_ca_pem(b"x")), ErrorKind::InvalidCertificate);
        assert_eq!(refused(|o| o.set_token(&TokenInput::default())), ErrorKind::InvalidToken);
        assert_eq!(refused(|o| o.set_will(&message, 0)), ErrorKind::InvalidTopic);
        assert_eq!(refused(|o| o.set_authorizer("A", Some("token"), None)), ErrorKind::InvalidConfiguration);
        for (kind, set) in [
            (ErrorKind::OutOfRange, Options::set_connect_timeout_ms as fn(&mut Options, u32) -> Result<()>),
            (ErrorKind::OutOfRange, Options::set_operation_timeout_ms),
            (ErrorKind::OutOfRange, Options::set_token_timeout_ms),
            (ErrorKind::OutOfRange, Options::set_refresh_threshold_secs),
            (ErrorKind::OutOfRange, Options::set_max_incoming_packet),
        ] {
            assert_eq!(refused(|o| set(o, 0)), kind);
        }
        assert_eq!(refused(|o| o.set_receive_maximum(0)), ErrorKind::OutOfRange);
        assert_eq!(refused(|o| o.set_queue(0, 1, QueuePolicy::RejectNew)), ErrorKind::OutOfRange);
        assert_eq!(refused(|o| o.set_queue(1, 0, QueuePolicy::RejectNew)), ErrorKind::OutOfRange);
        for (initial, max, multiplier) in
            [(0, 1, 2.0), (2, 1, 2.0), (1, 1, 0.5), (1, 1, f64::NAN), (1, 1, f64::INFINITY)]
        {
            assert_eq!(
                refused(|o| o.set_reconnect(true, 5, initial, max, multiplier)),
                ErrorKind::OutOfRange
            );
        }
    }

    #[test]
    fn the_first_error_is_the_one_that_counts() {
        let mut options = Options::default();
        options.remember(&invalid("first"));
        options.remember(&invalid("second"));
        assert_eq!(options.settings().err().unwrap().message(), "first");
    }
}
