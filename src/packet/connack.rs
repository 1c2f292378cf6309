//! CONNACK (3.2): the server's answer to CONNECT, with the limits of this connection.

use super::{Malformed, PacketType, Properties, ReasonCode, Value, properties::id, reader::Reader};
use crate::QoS;

/// A CONNACK. What it does not say has the value that the specification gives it then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnAck<'a> {
    /// The server has a session for this client.
    pub session_present: bool,
    /// The answer. From 0x80 on it can be a code that the packet's table does not list.
    pub reason: ReasonCode,
    /// The session expiry interval that the server uses instead of ours.
    pub session_expiry_secs: Option<u32>,
    /// Unacknowledged QoS 1 and 2 publishes that the server takes.
    pub receive_maximum: u16,
    /// The highest QoS that we may publish with.
    pub maximum_qos: QoS,
    /// Whether we may publish with RETAIN.
    pub retain_available: bool,
    /// The largest packet that the server takes; `None` = no limit of its own.
    pub maximum_packet_size: Option<u32>,
    /// The client identifier that the server chose.
    pub assigned_client_id: Option<&'a str>,
    /// The highest topic alias that we may use; 0 = none.
    pub topic_alias_maximum: u16,
    /// The server's words.
    pub reason_string: Option<&'a str>,
    /// Whether filters may have wildcards.
    pub wildcard_subscription_available: bool,
    /// Whether subscriptions may have identifiers.
    pub subscription_identifier_available: bool,
    /// Whether subscriptions may be shared.
    pub shared_subscription_available: bool,
    /// The keep alive that we have to use instead of ours [MQTT-3.2.2-21].
    pub server_keep_alive_secs: Option<u16>,
    /// The basis of response topics.
    pub response_information: Option<&'a str>,
    /// Another server to use.
    pub server_reference: Option<&'a str>,
    /// For extended authentication, which this library does not ask for.
    pub authentication_method: Option<&'a str>,
    /// Likewise.
    pub authentication_data: Option<&'a [u8]>,
    /// All properties, for [`user_properties`](Properties::user_properties).
    pub properties: Properties<'a>,
}

impl<'a> ConnAck<'a> {
    pub(super) fn decode(mut body: Reader<'a>) -> Result<Self, Malformed> {
        let flags = body.byte()?;
        if flags > 1 {
            return Err(Malformed::syntax("reserved acknowledge flags are not 0 [MQTT-3.2.2-1]"));
        }
        let reason = ReasonCode(body.byte()?).check(
            PacketType::ConnAck,
            "a CONNACK with a reason code below 0x80 other than 0 [MQTT-3.2.2-8]",
        )?;
        if flags == 1 && reason != ReasonCode::SUCCESS {
            return Err(Malformed::protocol("session present in a CONNACK that refuses [MQTT-3.2.2-6]"));
        }
        let mut connack = Self {
            session_present: flags == 1,
            reason,
            session_expiry_secs: None,
            receive_maximum: u16::MAX,
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
            maximum_packet_size: None,
            assigned_client_id: None,
            topic_alias_maximum: 0,
            reason_string: None,
            wildcard_subscription_available: true,
            subscription_identifier_available: true,
            shared_subscription_available: true,
            server_keep_alive_secs: None,
            response_information: None,
            server_reference: None,
            authentication_method: None,
            authentication_data: None,
            properties: Properties::default(),
        };
        connack.properties = Properties::read(&mut body, PacketType::ConnAck.bit(), |property| {
            connack.set(property.id, property.value);
        })?;
        body.end()?;
        Ok(connack)
    }

    fn set(&mut self, id: u8, value: Value<'a>) {
        match (id, value) {
            (id::SESSION_EXPIRY_INTERVAL, Value::Four(secs)) => self.session_expiry_secs = Some(secs),
            (id::RECEIVE_MAXIMUM, Value::Two(maximum)) => self.receive_maximum = maximum,
            (id::MAXIMUM_QOS, Value::Byte(0)) => self.maximum_qos = QoS::AtMostOnce,
            (id::MAXIMUM_QOS, Value::Byte(_)) => self.maximum_qos = QoS::AtLeastOnce,
            (id::RETAIN_AVAILABLE, Value::Byte(flag)) => self.retain_available = flag == 1,
            (id::MAXIMUM_PACKET_SIZE, Value::Four(bytes)) => self.maximum_packet_size = Some(bytes),
            (id::ASSIGNED_CLIENT_IDENTIFIER, Value::Text(text)) => self.assigned_client_id = Some(text),
            (id::TOPIC_ALIAS_MAXIMUM, Value::Two(maximum)) => self.topic_alias_maximum = maximum,
            (id::REASON_STRING, Value::Text(text)) => self.reason_string = Some(text),
            (id::WILDCARD_SUBSCRIPTION_AVAILABLE, Value::Byte(flag)) => {
                self.wildcard_subscription_available = flag == 1;
            }
            (id::SUBSCRIPTION_IDENTIFIER_AVAILABLE, Value::Byte(flag)) => {
                self.subscription_identifier_available = flag == 1;
            }
            (id::SHARED_SUBSCRIPTION_AVAILABLE, Value::Byte(flag)) => {
                self.shared_subscription_available = flag == 1;
            }
            (id::SERVER_KEEP_ALIVE, Value::Two(secs)) => self.server_keep_alive_secs = Some(secs),
            (id::RESPONSE_INFORMATION, Value::Text(text)) => self.response_information = Some(text),
            (id::SERVER_REFERENCE, Value::Text(text)) => self.server_reference = Some(text),
            (id::AUTHENTICATION_METHOD, Value::Text(text)) => self.authentication_method = Some(text),
            (id::AUTHENTICATION_DATA, Value::Binary(data)) => self.authentication_data = Some(data),
            _ => {}
        }
    }
}
