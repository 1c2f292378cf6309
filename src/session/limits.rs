//! What the server allows on one connection: CONNACK's properties (MQTT 5, 3.2.2.3), anew for each.

use crate::packet::ConnAck;
use crate::{Error, ErrorKind, QoS, Result};

/// The limits of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub receive_maximum: u16,
    pub maximum_qos: QoS,
    pub retain_available: bool,
    /// `u32::MAX` where the server sets none.
    pub maximum_packet_size: u32,
    pub topic_alias_maximum: u16,
    pub wildcard_available: bool,
    pub shared_available: bool,
    /// In force: the server's, or what we asked for.
    pub keep_alive_secs: u16,
}

impl Limits {
    /// As granted; `keep_alive_secs` is what was asked for.
    pub fn granted(connack: &ConnAck<'_>, keep_alive_secs: u16) -> Self {
        Self {
            receive_maximum: connack.receive_maximum,
            maximum_qos: connack.maximum_qos,
            retain_available: connack.retain_available,
            maximum_packet_size: connack.maximum_packet_size.unwrap_or(u32::MAX),
            topic_alias_maximum: connack.topic_alias_maximum,
            wildcard_available: connack.wildcard_subscription_available,
            shared_available: connack.shared_subscription_available,
            keep_alive_secs: connack.server_keep_alive_secs.unwrap_or(keep_alive_secs),
        }
    }

    /// Whether a publish is legal here; `size` is that of the whole packet.
    pub fn check_publish(&self, qos: QoS, retain: bool, size: usize) -> Result<()> {
        if qos > self.maximum_qos {
            return Err(Error::new(
                ErrorKind::QosNotSupported,
                format!("QoS {} is above the server's maximum QoS {}", qos.level(), self.maximum_qos.level()),
            ));
        }
        if retain && !self.retain_available {
            return Err(Error::new(
                ErrorKind::RetainNotSupported,
                "the server does not support retained messages",
            ));
        }
        self.check_size(size)
    }

    /// Whether a packet of `size` bytes is legal here [MQTT-3.2.2-15].
    pub fn check_size(&self, size: usize) -> Result<()> {
        if size > self.maximum_packet_size as usize {
            return Err(Error::new(
                ErrorKind::PacketTooLarge,
                format!(
                    "the packet has {size} bytes, above the server's maximum of {}",
                    self.maximum_packet_size
                ),
            ));
        }
        Ok(())
    }

    /// Whether a subscription to `filter` is legal here.
    pub fn check_filter(&self, filter: &str) -> Result<()> {
        let (what, available) = if filter.starts_with("$share/") {
            ("shared subscriptions", self.shared_available)
        } else if filter.contains(['+', '#']) {
            ("wildcard subscriptions", self.wildcard_available)
        } else {
            return Ok(());
        };
        if available {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::SubscriptionNotSupported,
            format!("the server does not support {what} (topic filter '{filter}')"),
        ))
    }
}
