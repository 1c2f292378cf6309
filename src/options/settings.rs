//! The options of a client that exists: checked together, immutable, with every default filled in.

use super::{Options, TokenProvider};
use crate::credentials::{Credentials, Token};
use crate::dispatch::DispatchMode;
use crate::link::{Target, Tls, TlsSettings};
use crate::message::OwnedMessage;
use crate::reconnect::Policy;
use crate::session::pacing::Pace;
use crate::session::queue::QueueLimit;
use crate::{Error, ErrorKind, Result, Secret};
use std::sync::Mutex;
use std::time::Duration;

/// The options of a client that exists.
pub(crate) struct Settings {
    /// `None`: the token brings it.
    pub target: Option<Target>,
    /// As it was set; 0: by authentication.
    pub port: u16,
    pub tls: Option<Tls>,
    pub client_id: Option<String>,
    /// `None`: there are none.
    credentials: Option<Box<Credentials>>,
    /// Taken by the driver, so that nothing keeps it when another one has taken its place.
    pub token: Mutex<Option<Box<Token>>>,
    pub provider: Option<TokenProvider>,
    pub refresh_threshold: Duration,
    pub token_timeout: Duration,
    pub keep_alive_secs: u16,
    pub clean_start: bool,
    pub session_expiry_secs: u32,
    pub connect_timeout: Duration,
    pub operation_timeout: Duration,
    pub reconnect: bool,
    pub policy: Policy,
    pub queue: QueueLimit,
    pub keep_offline_qos0: bool,
    /// `None`: by endpoint.
    pub pace: Option<Pace>,
    pub receive_maximum: u16,
    pub max_incoming_packet: u32,
    pub will: Option<Box<(OwnedMessage, u32)>>,
    pub manual_ack: bool,
    pub history_size: usize,
    pub dispatch: DispatchMode,
}

impl Settings {
    /// What the options say of authentication.
    pub fn credentials(&self) -> &Credentials {
        self.credentials.as_deref().unwrap_or(&Credentials::NONE)
    }
}

impl Options {
    /// Everything, checked together.
    pub(crate) fn settings(&self) -> Result<Settings> {
        if let Some(error) = &self.first_error {
            return Err(error.clone());
        }
        let username = self.username.as_ref().and_then(Secret::expose_str);
        let credentials = Credentials::new(username, self.password.clone(), self.authorizer.clone())?;
        if self.endpoint.is_none()
            && self.provider.is_none()
            && self.token.as_ref().is_none_or(|t| t.endpoint().is_none())
        {
            return Err(Error::new(
                ErrorKind::InvalidConfiguration,
                "no endpoint: set it with gecko_mqtt_options_set_endpoint or gecko_mqtt_options_set_broker_url",
            ));
        }
        if credentials.needs_token() && self.token.is_none() && self.provider.is_none() {
            return Err(Error::new(
                ErrorKind::InvalidConfiguration,
                "an authorizer with a token key needs a token: set one with gecko_mqtt_options_set_token, or a provider",
            ));
        }
        let by_token = self.authorizer.is_some() || self.token.is_some() || self.provider.is_some();
        if self.plain && (by_token || self.identity.is_some()) {
            return Err(Error::new(
                ErrorKind::InvalidConfiguration,
                "a certificate or a token over mqtt:// would go through the network in the clear: use mqtts://",
            ));
        }
        let port = match (self.port, self.plain, by_token) {
            (0, true, _) => 1883,
            (0, _, true) => 443,
            (0, _, false) => 8883,
            (port, ..) => port,
        };
        let alpn = match (&self.alpn, by_token, port) {
            (Some(alpn), ..) => Some(alpn.clone()),
            (None, true, _) => Some("mqtt".to_owned()),
            (None, false, 443) => Some("x-amzn-mqtt-ca".to_owned()),
            _ => None,
        };
        let tls = match self.plain {
            true => None,
            false => {
                let settings =
                    TlsSettings { roots: self.roots.clone(), identity: self.identity.clone(), alpn };
                Some(Tls::new(settings)?)
            }
        };
        let host = self.endpoint.as_deref().map(|host| complete(host, self.region.as_deref()));
        // A will would be published at the takeover that a token's rotation is.
        let mut will = self.will.clone();
        if let (Some((_, delay_secs)), Some(_)) = (&mut will, &self.provider) {
            *delay_secs = (*delay_secs).max(10);
        }
        Ok(Settings {
            target: host.map(|host| Target::new(&host, port, tls.clone())).transpose()?,
            port: self.port,
            tls,
            client_id: self.client_id.clone(),
            credentials: (credentials != Credentials::NONE).then(|| Box::new(credentials)),
            token: Mutex::new(self.token.clone().map(Box::new)),
            provider: self.provider.clone(),
            refresh_threshold: self.refresh_threshold,
            token_timeout: self.token_timeout,
            keep_alive_secs: self.keep_alive_secs,
            clean_start: self.clean_start,
            session_expiry_secs: self.session_expiry_secs,
            connect_timeout: self.connect_timeout,
            operation_timeout: self.operation_timeout,
            reconnect: self.reconnect,
            policy: self.policy,
            queue: self.queue,
            keep_offline_qos0: self.keep_offline_qos0,
            pace: self.pace,
            receive_maximum: self.receive_maximum,
            max_incoming_packet: self.max_incoming_packet,
            will: will.map(Box::new),
            manual_ack: self.manual_ack,
            history_size: self.history_size,
            dispatch: self.dispatch,
        })
    }
}

/// An AWS prefix ("a1b2c3-ats") becomes the name of its endpoint.
fn complete(host: &str, region: Option<&str>) -> String {
    match region {
        Some(region) if !host.contains(['.', ':']) && host != "localhost" => {
            let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
            format!("{host}.iot.{region}.amazonaws.com{suffix}")
        }
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, TokenInput};
    use std::sync::Arc;

    #[test]
    fn an_endpoint_is_needed_unless_a_token_can_bring_it() {
        let mut options = Options::default();
        assert_eq!(options.settings().err().unwrap().kind(), ErrorKind::InvalidConfiguration);
        options.set_token_provider(Arc::new(|_| ())).unwrap();
        assert!(options.settings().unwrap().target.is_none());
    }

    #[test]
    fn port_follows_from_authentication() {
        let port = |set: &dyn Fn(&mut Options)| {
            let mut options = Options::default();
            options.set_endpoint("a.example").unwrap();
            set(&mut options);
            options.settings().unwrap().target.unwrap().port()
        };
        assert_eq!(port(&|_| ()), 8883);
        assert_eq!(port(&|o| o.set_token_provider(Arc::new(|_| ())).unwrap()), 443);
        assert_eq!(port(&|o| o.set_broker_url("mqtt://a.example").unwrap()), 1883);
        assert_eq!(port(&|o| o.set_broker_url("mqtts://a.example:7").unwrap()), 7);
        assert_eq!(port(&|o| o.set_port(9).unwrap()), 9);
    }

    #[test]
    fn secrets_do_not_go_through_the_network_in_the_clear() {
        let mut options = Options::default();
        options.set_token(&TokenInput { access_token: Some("secret"), ..TokenInput::default() }).unwrap();
        options.set_broker_url("mqtt://a.example").unwrap();
        assert_eq!(options.settings().err().unwrap().kind(), ErrorKind::InvalidConfiguration);
    }

    #[test]
    fn a_region_completes_a_prefix_only() {
        assert_eq!(complete("a1-ats", Some("us-east-1")), "a1-ats.iot.us-east-1.amazonaws.com");
        assert_eq!(complete("a1", Some("cn-north-1")), "a1.iot.cn-north-1.amazonaws.com.cn");
        assert_eq!(complete("broker.example", Some("us-east-1")), "broker.example");
        assert_eq!(complete("localhost", Some("us-east-1")), "localhost");
        assert_eq!(complete("a1", None), "a1");
    }

    #[test]
    fn a_will_waits_for_a_rotation() {
        let mut options = Options::default();
        options.set_endpoint("a.example").unwrap();
        options.set_will(&Message { topic: "gone", ..Message::default() }, 0).unwrap();
        assert_eq!(options.settings().unwrap().will.unwrap().1, 0);
        options.set_token_provider(Arc::new(|_| ())).unwrap();
        assert_eq!(options.settings().unwrap().will.unwrap().1, 10);
    }
}
