//! Decides whether a CONNECT is accepted, and what it is granted.

use mqtt_protocol_core::mqtt::packet::v5_0::Connect;
use mqtt_protocol_core::mqtt::packet::{
    AssignedClientIdentifier, MaximumPacketSize, MaximumQos, Properties, Property, ReasonString,
    ReceiveMaximum, RetainAvailable, ServerKeepAlive, SessionExpiryInterval, SharedSubscriptionAvailable,
    SubscriptionIdentifierAvailable, TopicAliasMaximum, UserProperty, WildcardSubscriptionAvailable,
};
use mqtt_protocol_core::mqtt::result_code::MqttError;
use tokio::time::Instant;

use super::{Access, Peer};
use crate::authorizer::Shown;
use crate::config::{Config, DisconnectAfter, Refusal};
use crate::error::Error;
use crate::packet::qos_number;
use crate::shared::Shared;
use crate::topic;
use crate::violation::reason;

/// Client identifiers that AWS gives to those who bring none.
const ASSIGNED_PREFIX: &str = "$GEN/";
/// Bad authentication method.
const BAD_AUTHENTICATION_METHOD: u8 = 140;

/// What CONNECT's properties ask for.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    pub session_expiry: Option<u32>,
    pub receive_maximum: Option<u16>,
    pub maximum_packet_size: Option<u32>,
    pub topic_alias_maximum: Option<u16>,
    pub authentication_method: bool,
    pub user_properties: Vec<(String, String)>,
}

impl Wishes {
    pub fn new(connect: &Connect) -> Self {
        let mut wishes = Self::default();
        for property in &connect.props {
            match property {
                Property::SessionExpiryInterval(secs) => wishes.session_expiry = Some(secs.val()),
                Property::ReceiveMaximum(count) => wishes.receive_maximum = Some(count.val()),
                Property::MaximumPacketSize(bytes) => wishes.maximum_packet_size = Some(bytes.val()),
                Property::TopicAliasMaximum(count) => wishes.topic_alias_maximum = Some(count.val()),
                Property::AuthenticationMethod(_) => wishes.authentication_method = true,
                Property::UserProperty(pair) => {
                    wishes.user_properties.push((pair.key().to_owned(), pair.val().to_owned()));
                }
                _ => {}
            }
        }
        wishes
    }
}

/// What a client is granted.
#[derive(Debug)]
pub(super) struct Admission {
    pub client_id: String,
    pub assigned: bool,
    pub keep_alive: u16,
    pub tell_keep_alive: bool,
    pub expiry_secs: u32,
    pub authorized_until: Option<Instant>,
}

/// Why a CONNECT is refused.
#[derive(Debug)]
pub(super) struct Denial {
    pub answer: Refusal,
    pub text: String,
    /// Whether MQTT 5 forbids what the client did.
    pub protocol_error: bool,
}

impl Denial {
    fn new(answer: Refusal, text: impl Into<String>) -> Self {
        Self { answer, text: text.into(), protocol_error: false }
    }

    fn code(code: u8, text: impl Into<String>) -> Self {
        Self::new(Refusal::Connack(code), text)
    }
}

pub(super) fn admit(
    shared: &Shared,
    peer: &Peer,
    connect: &Connect,
    wishes: &Wishes,
) -> Result<Admission, Denial> {
    let config = &*shared.config;
    if wishes.authentication_method {
        return Err(Denial::code(BAD_AUTHENTICATION_METHOD, "AUTH is not supported"));
    }
    let authorized_until = authenticate(shared, peer, connect)?;
    if let Some(answer) = config.policy.deny_connect {
        return Err(Denial::new(answer, "the policy does not allow iot:Connect"));
    }
    let (client_id, assigned) = client_id(shared, connect)?;
    check_will(config, connect)?;
    let (keep_alive, tell_keep_alive) = config.keep_alive.apply(connect.keep_alive());
    Ok(Admission {
        client_id,
        assigned,
        keep_alive,
        tell_keep_alive,
        expiry_secs: config.session_expiry.grant(wishes.session_expiry, connect.clean_start()),
        authorized_until,
    })
}

/// Checks user name and password where the listener asks for them; tells when the connection must end.
fn authenticate(shared: &Shared, peer: &Peer, connect: &Connect) -> Result<Option<Instant>, Denial> {
    let config = &*shared.config;
    match peer.access {
        Access::Open | Access::Certificate => Ok(None),
        Access::Password => {
            let right = config.password_listener.as_ref().is_some_and(|listener| {
                connect.user_name() == Some(&listener.user_name)
                    && connect.password() == Some(&listener.password)
            });
            let denial =
                || Denial::code(reason::BAD_USER_NAME_OR_PASSWORD, "the user name or the password is wrong");
            right.then_some(None).ok_or_else(denial)
        }
        Access::Authorizer => {
            let shown = Shown { user_name: connect.user_name(), password: connect.password() };
            let grant = shared
                .authorize(shown)
                .map_err(|denial| Denial::new(config.authorizer.refusal, denial.to_string()))?;
            Ok(match config.authorizer.disconnect_after {
                DisconnectAfter::TokenExpiry => {
                    grant.expires_at.and_then(|end| shared.instant_of(end + config.authorizer.clock_behind))
                }
                DisconnectAfter::Duration(duration) => Instant::now().checked_add(duration),
                DisconnectAfter::Never => None,
            })
        }
    }
}

fn client_id(shared: &Shared, connect: &Connect) -> Result<(String, bool), Denial> {
    let given = connect.client_id();
    let refused = |text: &str| Err(Denial::code(reason::CLIENT_IDENTIFIER_NOT_VALID, text));
    if given.is_empty() {
        let bytes: [u8; 16] = match shared.signer.random() {
            Ok(bytes) => bytes,
            Err(error) => return Err(Denial::code(reason::UNSPECIFIED, error.to_string())),
        };
        return Ok((format!("{ASSIGNED_PREFIX}{}", uuid(bytes)), true));
    }
    if given.starts_with(ASSIGNED_PREFIX) {
        return refused("an assigned client identifier may not be sent back");
    }
    if shared.config.limits.client_id_bytes.is_some_and(|most| given.len() > most) {
        return refused("the client identifier is too long");
    }
    Ok((given.to_owned(), false))
}

fn check_will(config: &Config, connect: &Connect) -> Result<(), Denial> {
    let Some(topic) = connect.will_topic().filter(|_| connect.will_flag()) else {
        return Ok(());
    };
    let against = |code, text| Err(Denial { protocol_error: true, ..Denial::code(code, text) });
    if qos_number(connect.will_qos()) > config.connack.highest_qos() {
        return against(reason::QOS_NOT_SUPPORTED, "the will's QoS is above the maximum");
    }
    if connect.will_retain() && config.connack.retain_available == Some(false) {
        return against(reason::RETAIN_NOT_SUPPORTED, "the will is retained");
    }
    if !config.limits.allow_topic(topic) {
        return Err(Denial::code(reason::TOPIC_NAME_INVALID, "the will's topic is too long or too deep"));
    }
    let bytes = connect.will_payload().map_or(0, <[u8]>::len);
    if config.limits.payload_bytes.is_some_and(|most| bytes > most) {
        return Err(Denial::code(reason::QUOTA_EXCEEDED, "the will's payload is too large"));
    }
    if config.denied_topics.iter().any(|denied| topic::matches(denied, topic)) {
        return Err(Denial::code(reason::NOT_AUTHORIZED, "the will's topic is denied"));
    }
    Ok(())
}

/// A random UUID (version 4).
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// Whether a CONNACK can be made from the configuration.
pub(super) fn check(config: &Config) -> Result<(), Error> {
    let some = Admission {
        client_id: String::new(),
        assigned: true,
        keep_alive: 0,
        tell_keep_alive: true,
        expiry_secs: 0,
        authorized_until: None,
    };
    let built = connack_properties(config, &some);
    built.map(drop).map_err(|error| Error::Config(format!("CONNACK cannot be made as configured: {error}")))
}

/// The properties of a CONNACK that accepts.
pub(super) fn connack_properties(config: &Config, admission: &Admission) -> Result<Properties, MqttError> {
    let told = &config.connack;
    let mut properties = Properties::new();
    if admission.assigned {
        properties.push(AssignedClientIdentifier::new(admission.client_id.as_str())?.into());
    }
    if admission.tell_keep_alive {
        properties.push(ServerKeepAlive::new(admission.keep_alive)?.into());
    }
    properties.push(SessionExpiryInterval::new(admission.expiry_secs)?.into());
    if let Some(qos) = told.maximum_qos.filter(|qos| *qos < 2) {
        properties.push(MaximumQos::new(qos)?.into());
    }
    if let Some(available) = told.retain_available {
        properties.push(RetainAvailable::new(available.into())?.into());
    }
    if let Some(available) = told.wildcard_available {
        properties.push(WildcardSubscriptionAvailable::new(available.into())?.into());
    }
    if let Some(available) = told.subscription_identifiers_available {
        properties.push(SubscriptionIdentifierAvailable::new(available.into())?.into());
    }
    if let Some(available) = told.shared_available {
        properties.push(SharedSubscriptionAvailable::new(available.into())?.into());
    }
    if let Some(count) = told.topic_alias_maximum {
        properties.push(TopicAliasMaximum::new(count)?.into());
    }
    if let Some(count) = told.receive_maximum {
        properties.push(ReceiveMaximum::new(count)?.into());
    }
    if let Some(bytes) = told.maximum_packet_size {
        properties.push(MaximumPacketSize::new(bytes)?.into());
    }
    if let Some(text) = &told.reason_string {
        properties.push(ReasonString::new(text.as_str())?.into());
    }
    for (key, value) in &told.user_properties {
        properties.push(UserProperty::new(key.as_str(), value.as_str())?.into());
    }
    Ok(properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assigned_identifier_is_a_uuid() {
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn connack_says_what_aws_says() {
        let admission = Admission {
            client_id: "$GEN/x".to_owned(),
            assigned: true,
            keep_alive: 1200,
            tell_keep_alive: true,
            expiry_secs: 3600,
            authorized_until: None,
        };
        let aws = connack_properties(&Config::default(), &admission).unwrap();
        assert_eq!(aws.len(), 11);
        let generic = connack_properties(&Config::generic_broker(), &admission).unwrap();
        assert_eq!(generic.len(), 3);

        let mut impossible = Config::default();
        assert!(check(&impossible).is_ok());
        impossible.connack.receive_maximum = Some(0);
        assert!(check(&impossible).is_err());
    }
}
