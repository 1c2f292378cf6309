//! An application message, on its way out or in.

/// Quality of service (MQTT 5, 4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum QoS {
    /// At most once.
    #[default]
    AtMostOnce = 0,
    /// At least once.
    AtLeastOnce = 1,
    /// Exactly once.
    ExactlyOnce = 2,
}

impl QoS {
    /// The level with that number; `None` above 2.
    pub const fn from_level(level: u8) -> Option<Self> {
        match level {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// Its number.
    pub const fn level(self) -> u8 {
        self as u8
    }
}

/// A message as the application gives it, or is given it: everything is borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Message<'a> {
    /// The topic name, without wildcards.
    pub topic: &'a str,
    /// The payload; may be empty.
    pub payload: &'a [u8],
    /// Quality of service.
    pub qos: QoS,
    /// Outgoing: keep it for later subscribers. Incoming: it was kept.
    pub retain: bool,
    /// Incoming only: the server has perhaps sent it before.
    pub dup: bool,
    /// The payload is UTF-8 text (payload format indicator 1).
    pub utf8: bool,
    /// MIME type of the payload.
    pub content_type: Option<&'a str>,
    /// Where an answer is expected.
    pub response_topic: Option<&'a str>,
    /// What the answer shall carry.
    pub correlation_data: Option<&'a [u8]>,
    /// User properties, in order; names may repeat.
    pub user_properties: &'a [(&'a str, &'a str)],
    /// Incoming only: the identifiers of the subscriptions that it matched.
    pub subscription_ids: &'a [u32],
    /// How long it is worth anything, in seconds.
    pub message_expiry_secs: Option<u32>,
}

/// A message that is kept: the will.
#[derive(Clone, Debug, Default)]
pub struct OwnedMessage {
    topic: String,
    payload: Vec<u8>,
    qos: QoS,
    retain: bool,
    utf8: bool,
    content_type: Option<String>,
    response_topic: Option<String>,
    correlation_data: Option<Vec<u8>>,
    user_properties: Vec<(String, String)>,
    message_expiry_secs: Option<u32>,
}

impl From<&Message<'_>> for OwnedMessage {
    fn from(message: &Message<'_>) -> Self {
        let properties = message.user_properties.iter();
        Self {
            topic: message.topic.to_owned(),
            payload: message.payload.to_owned(),
            qos: message.qos,
            retain: message.retain,
            utf8: message.utf8,
            content_type: message.content_type.map(str::to_owned),
            response_topic: message.response_topic.map(str::to_owned),
            correlation_data: message.correlation_data.map(<[u8]>::to_owned),
            user_properties: properties
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            message_expiry_secs: message.message_expiry_secs,
        }
    }
}

impl OwnedMessage {
    /// Its user properties, borrowed, for [`borrow`](Self::borrow).
    pub fn user_properties(&self) -> Vec<(&str, &str)> {
        self.user_properties.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// As a message whose user properties the caller holds.
    pub fn borrow<'a>(&'a self, user_properties: &'a [(&'a str, &'a str)]) -> Message<'a> {
        Message {
            topic: &self.topic,
            payload: &self.payload,
            qos: self.qos,
            retain: self.retain,
            dup: false,
            utf8: self.utf8,
            content_type: self.content_type.as_deref(),
            response_topic: self.response_topic.as_deref(),
            correlation_data: self.correlation_data.as_deref(),
            user_properties,
            subscription_ids: &[],
            message_expiry_secs: self.message_expiry_secs,
        }
    }
}
