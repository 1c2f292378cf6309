//! What a client did that MQTT 5 forbids.

use mqtt_protocol_core::mqtt::result_code::MqttError;

/// Reason codes that the simulator sends of its own accord.
pub(crate) mod reason {
    pub const SUCCESS: u8 = 0;
    pub const NO_SUBSCRIPTION_EXISTED: u8 = 17;
    pub const UNSPECIFIED: u8 = 128;
    pub const MALFORMED_PACKET: u8 = 129;
    pub const PROTOCOL_ERROR: u8 = 130;
    pub const UNSUPPORTED_PROTOCOL_VERSION: u8 = 132;
    pub const CLIENT_IDENTIFIER_NOT_VALID: u8 = 133;
    pub const BAD_USER_NAME_OR_PASSWORD: u8 = 134;
    pub const NOT_AUTHORIZED: u8 = 135;
    pub const SERVER_SHUTTING_DOWN: u8 = 139;
    pub const KEEP_ALIVE_TIMEOUT: u8 = 141;
    pub const SESSION_TAKEN_OVER: u8 = 142;
    pub const TOPIC_FILTER_INVALID: u8 = 143;
    pub const TOPIC_NAME_INVALID: u8 = 144;
    pub const PACKET_IDENTIFIER_NOT_FOUND: u8 = 146;
    pub const RECEIVE_MAXIMUM_EXCEEDED: u8 = 147;
    pub const TOPIC_ALIAS_INVALID: u8 = 148;
    pub const PACKET_TOO_LARGE: u8 = 149;
    pub const QUOTA_EXCEEDED: u8 = 151;
    pub const RETAIN_NOT_SUPPORTED: u8 = 154;
    pub const QOS_NOT_SUPPORTED: u8 = 155;
    pub const SHARED_SUBSCRIPTIONS_NOT_SUPPORTED: u8 = 158;
    pub const SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED: u8 = 161;
    pub const WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED: u8 = 162;
}

/// A protocol error of the client: how it is answered, and what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub code: u8,
    pub text: String,
}

impl Violation {
    pub fn new(code: u8, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    pub fn malformed(text: impl Into<String>) -> Self {
        Self::new(reason::MALFORMED_PACKET, text)
    }

    pub fn protocol(text: impl Into<String>) -> Self {
        Self::new(reason::PROTOCOL_ERROR, text)
    }

    /// A packet that the codec did not accept.
    pub fn codec(packet: &str, error: MqttError) -> Self {
        let code = match error {
            MqttError::ProtocolError => reason::PROTOCOL_ERROR,
            MqttError::UnsupportedProtocolVersion => reason::UNSUPPORTED_PROTOCOL_VERSION,
            _ => reason::MALFORMED_PACKET,
        };
        Self::new(code, format!("{packet}: {error}"))
    }
}
