//! Arbitrary values that MQTT allows.

use crate::{Message, QoS};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

pub(super) type Pairs = Vec<(String, String)>;

pub(super) fn text() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[^\\x00]{0,12}", 1 => "[a-zß]{100,200}"]
}

pub(super) fn topic_name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[^\\x00+#]{1,12}", 4 => "[$a-c/]{1,12}", 1 => "[a-zß/]{100,200}"]
}

pub(super) fn topic_filter() -> impl Strategy<Value = String> {
    let levels = vec(prop_oneof![Just("+".into()), Just(String::new()), "[$a-cß]{1,2}"], 1..5);
    (of("[a-z]{1,3}"), levels, any::<bool>()).prop_map(|(share, levels, open)| {
        let mut filter = levels.join("/");
        if open {
            filter.push_str("/#");
        }
        match share {
            Some(share) if !filter.is_empty() => format!("$share/{share}/{filter}"),
            // `$share/` is no ordinary first level.
            _ if filter.is_empty() => "#".into(),
            _ => filter,
        }
    })
}

pub(super) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), 100..300)]
}

pub(super) fn pairs() -> impl Strategy<Value = Pairs> {
    vec((text(), text()), 0..4)
}

pub(super) fn qos() -> impl Strategy<Value = QoS> {
    prop_oneof![Just(QoS::AtMostOnce), Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)]
}

/// A message that owns its parts.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) utf8: bool,
    pub(super) content_type: Option<String>,
    pub(super) response_topic: Option<String>,
    pub(super) correlation_data: Option<Vec<u8>>,
    pub(super) user_properties: Pairs,
    pub(super) message_expiry_secs: Option<u32>,
}

pub(super) fn borrowed(pairs: &Pairs) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

impl Owned {
    pub(super) fn as_message<'a>(&'a self, user_properties: &'a [(&'a str, &'a str)]) -> Message<'a> {
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

pub(super) fn message() -> impl Strategy<Value = Owned> {
    let payload = prop_oneof![
        bytes().prop_map(|payload| (false, payload)),
        text().prop_map(|payload| (true, payload.into_bytes())),
    ];
    (
        (topic_name(), payload, qos(), any::<bool>(), of(text())),
        (of(topic_name()), of(bytes()), pairs(), of(any::<u32>())),
    )
        .prop_map(|((topic, (utf8, payload), qos, retain, content_type), rest)| {
            let (response_topic, correlation_data, user_properties, message_expiry_secs) = rest;
            Owned {
                topic,
                payload,
                qos,
                retain,
                utf8,
                content_type,
                response_topic,
                correlation_data,
                user_properties,
                message_expiry_secs,
            }
        })
}
