//! A client's last will.

use std::sync::Arc;

use mqtt_protocol_core::mqtt::IntoPayload;
use mqtt_protocol_core::mqtt::packet::v5_0::Connect;
use mqtt_protocol_core::mqtt::packet::{Properties, Property};
use tokio::time::{Duration, Instant};

use super::message::{self, Message};
use crate::packet::qos_number;

/// A message that is published when its client is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Will {
    topic: String,
    payload: Vec<u8>,
    qos: u8,
    retain: bool,
    properties: Properties,
    pub delay_secs: u32,
}

impl Will {
    /// The will in a CONNECT, if there is one.
    pub fn from_connect(connect: &Connect) -> Option<Self> {
        if !connect.will_flag() {
            return None;
        }
        let delay = connect.will_props.iter().find_map(|property| match property {
            Property::WillDelayInterval(delay) => Some(delay.val()),
            _ => None,
        });
        Some(Self {
            topic: connect.will_topic()?.to_owned(),
            payload: connect.will_payload()?.to_vec(),
            qos: qos_number(connect.will_qos()),
            retain: connect.will_retain(),
            properties: connect.will_props.clone(),
            delay_secs: delay.unwrap_or(0),
        })
    }

    pub fn delay(&self) -> Duration {
        Duration::from_secs(self.delay_secs.into())
    }

    pub fn into_message(self, now: Instant) -> Arc<Message> {
        Arc::new(Message {
            expires: message::expiry(&self.properties, now),
            properties: message::forwarded(&self.properties),
            topic: self.topic,
            payload: self.payload.into_payload(),
            qos: self.qos,
            retain: self.retain,
        })
    }
}
