//! A message on its way through the broker.

use std::sync::Arc;

use mqtt_protocol_core::mqtt::ArcPayload;
use mqtt_protocol_core::mqtt::packet::v5_0::Publish;
use mqtt_protocol_core::mqtt::packet::{
    MessageExpiryInterval, Properties, Property, Qos, SubscriptionIdentifier, TopicAlias,
};
use mqtt_protocol_core::mqtt::result_code::MqttError;
use tokio::time::{Duration, Instant};

use crate::packet::qos_number;

/// A published message, shared by everyone who gets it.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub topic: String,
    pub payload: ArcPayload,
    pub qos: u8,
    pub retain: bool,
    /// What is forwarded unaltered: payload format, content type, response topic, correlation data, user properties.
    pub properties: Properties,
    /// When it expires, if ever.
    pub expires: Option<Instant>,
}

impl Message {
    /// What a PUBLISH carries; `topic` is the name that its alias stands for.
    pub fn from_publish(publish: &Publish, topic: String, now: Instant) -> Self {
        Self {
            topic,
            payload: publish.payload().clone(),
            qos: qos_number(publish.qos()),
            retain: publish.retain(),
            properties: forwarded(&publish.props),
            expires: expiry(&publish.props, now),
        }
    }

    pub fn expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// The properties that a server forwards unaltered.
pub(crate) fn forwarded(properties: &[Property]) -> Properties {
    let forward = |property: &&Property| {
        matches!(
            property,
            Property::PayloadFormatIndicator(_)
                | Property::ContentType(_)
                | Property::ResponseTopic(_)
                | Property::CorrelationData(_)
                | Property::UserProperty(_)
        )
    };
    properties.iter().filter(forward).cloned().collect()
}

/// When a message with these properties expires.
pub(crate) fn expiry(properties: &[Property], now: Instant) -> Option<Instant> {
    properties.iter().find_map(|property| match property {
        Property::MessageExpiryInterval(interval) => Some(now + Duration::from_secs(interval.val().into())),
        _ => None,
    })
}

/// A message as one subscriber gets it.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub message: Arc<Message>,
    pub qos: u8,
    pub retain: bool,
    pub subscription_ids: Vec<u32>,
}

/// How the topic is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alias {
    None,
    /// The name with an alias to be remembered.
    Set(u16),
    /// The alias alone.
    Use(u16),
}

impl Delivery {
    /// The bytes of the PUBLISH.
    pub fn encode(
        &self,
        packet_id: Option<u16>,
        dup: bool,
        alias: Alias,
        now: Instant,
    ) -> Result<Vec<u8>, MqttError> {
        let mut properties = self.message.properties.clone();
        if let Some(expires) = self.message.expires {
            // What is left, rounded up: a message that has not expired must not say 0.
            let left = expires.saturating_duration_since(now);
            let secs = left.as_secs() + u64::from(left.subsec_nanos() > 0);
            let secs = u32::try_from(secs).unwrap_or(u32::MAX);
            properties.push(Property::MessageExpiryInterval(MessageExpiryInterval::new(secs)?));
        }
        for id in &self.subscription_ids {
            properties.push(Property::SubscriptionIdentifier(SubscriptionIdentifier::new(*id)?));
        }
        if let Alias::Set(alias) | Alias::Use(alias) = alias {
            properties.push(Property::TopicAlias(TopicAlias::new(alias)?));
        }
        let topic = if matches!(alias, Alias::Use(_)) { "" } else { &self.message.topic };
        let publish = Publish::builder()
            .topic_name(topic)?
            .qos(Qos::try_from(self.qos).unwrap_or(Qos::AtMostOnce))
            .packet_id(packet_id)
            .retain(self.retain)
            .dup(dup)
            .props(properties)
            .payload(self.message.payload.clone())
            .build()?;
        Ok(publish.to_continuous_buffer())
    }
}

#[cfg(test)]
mod tests {
    use mqtt_protocol_core::mqtt::IntoPayload;
    use mqtt_protocol_core::mqtt::packet::{ContentType, ReceiveMaximum};

    use super::*;

    #[test]
    fn a_delivery_is_read_back_as_it_was_written() {
        let now = Instant::now();
        let content_type = Property::ContentType(ContentType::new("text/plain").unwrap());
        let message = Message {
            topic: "a/b".to_owned(),
            payload: "hello".into_payload(),
            qos: 1,
            retain: false,
            properties: vec![content_type.clone()],
            expires: Some(now + Duration::from_millis(1500)),
        };
        let delivery =
            Delivery { message: Arc::new(message), qos: 1, retain: true, subscription_ids: vec![7] };
        let bytes = delivery.encode(Some(3), false, Alias::Set(2), now).unwrap();
        let (publish, _) = Publish::parse(bytes[0] & 15, Arc::from(&bytes[2..])).unwrap();
        assert_eq!((publish.topic_name(), publish.payload().as_slice()), ("a/b", &b"hello"[..]));
        assert_eq!((publish.packet_id(), publish.retain(), publish.dup()), (Some(3), true, false));
        assert_eq!(publish.props.len(), 4);
        assert_eq!(publish.props[0], content_type);
        assert_eq!(expiry(&publish.props, now), Some(now + Duration::from_secs(2)));

        let bytes = delivery.encode(Some(3), true, Alias::Use(2), now).unwrap();
        let (publish, _) = Publish::parse(bytes[0] & 15, Arc::from(&bytes[2..])).unwrap();
        assert_eq!((publish.topic_name(), publish.dup()), ("", true));
    }

    #[test]
    fn only_what_belongs_to_the_message_is_forwarded() {
        let kept = Property::ContentType(ContentType::new("x").unwrap());
        let dropped = [
            Property::TopicAlias(TopicAlias::new(1).unwrap()),
            Property::ReceiveMaximum(ReceiveMaximum::new(1).unwrap()),
            Property::MessageExpiryInterval(MessageExpiryInterval::new(1).unwrap()),
        ];
        let all: Vec<_> = dropped.into_iter().chain([kept.clone()]).collect();
        assert_eq!(forwarded(&all), vec![kept]);
    }
}
