//! What the server allows on one connection: CONNACK's properties (MQTT 5, 3.2.2.3), anew for each, and the
//! quotas that a service is known to have and does not tell.

use super::pacing::Pace;
use crate::packet::{ConnAck, StoredPublish};
use crate::{Error, ErrorKind, QoS, Result};

/// What a service allows beside what CONNACK says; `MAX` where nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    pub pace: Pace,
    pub payload_bytes: usize,
    pub topic_bytes: usize,
    /// In a topic name or filter.
    pub topic_slashes: usize,
    /// In one SUBSCRIBE.
    pub filters: usize,
}

impl Quotas {
    /// Nothing is known.
    pub const NONE: Self = Self {
        pace: Pace { messages: 0, bytes: 0 },
        payload_bytes: usize::MAX,
        topic_bytes: usize::MAX,
        topic_slashes: usize::MAX,
        filters: usize::MAX,
    };

    /// AWS IoT Core's (AWS General Reference, "AWS IoT Core endpoints and quotas"): it discards what is too fast, and
    /// ends the connection for the rest, again and again where that is sent again.
    pub const AWS: Self = Self {
        pace: Pace { messages: 100, bytes: 512 * 1024 },
        payload_bytes: 128 * 1024,
        topic_bytes: 256,
        topic_slashes: 7,
        filters: 8,
    };

    /// Those of the service that this endpoint belongs to.
    pub fn of(host: &str) -> Self {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let aws = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
        if aws { Self::AWS } else { Self::NONE }
    }

    /// Whether a topic name or filter is within them. Not counted is what only addresses a feature of AWS:
    /// `$aws/rules/RULE/` and `$share/GROUP/`.
    fn check_topic(&self, topic: &str) -> Result<()> {
        if topic.len() > self.topic_bytes {
            let (len, most) = (topic.len(), self.topic_bytes);
            let message = format!("the topic has {len} bytes, and this service allows {most}");
            return Err(Error::new(ErrorKind::InvalidTopic, message));
        }
        let after = |slashes: usize| topic.splitn(slashes + 1, '/').nth(slashes);
        let counted = match topic {
            _ if topic.starts_with("$aws/rules/") => after(3),
            _ if topic.starts_with("$share/") => after(2),
            _ => Some(topic),
        };
        let slashes = counted.unwrap_or_default().matches('/').count();
        if slashes > self.topic_slashes {
            let most = self.topic_slashes;
            let message = format!("the topic has {slashes} slashes, and this service allows {most}");
            return Err(Error::new(ErrorKind::InvalidTopic, message));
        }
        Ok(())
    }
}

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
    /// Of the service.
    pub quotas: Quotas,
}

impl Limits {
    /// As granted; `keep_alive_secs` is what was asked for.
    pub fn granted(connack: &ConnAck<'_>, keep_alive_secs: u16, quotas: Quotas) -> Self {
        Self {
            receive_maximum: connack.receive_maximum,
            maximum_qos: connack.maximum_qos,
            retain_available: connack.retain_available,
            maximum_packet_size: connack.maximum_packet_size.unwrap_or(u32::MAX),
            topic_alias_maximum: connack.topic_alias_maximum,
            wildcard_available: connack.wildcard_subscription_available,
            shared_available: connack.shared_subscription_available,
            keep_alive_secs: connack.server_keep_alive_secs.unwrap_or(keep_alive_secs),
            quotas,
        }
    }

    /// Whether a publish is legal here; `size` is that of the whole packet.
    pub fn check_publish(&self, publish: &StoredPublish, size: usize) -> Result<()> {
        let qos = publish.qos();
        if qos > self.maximum_qos {
            return Err(Error::new(
                ErrorKind::QosNotSupported,
                format!("QoS {} is above the server's maximum QoS {}", qos.level(), self.maximum_qos.level()),
            ));
        }
        if publish.retain() && !self.retain_available {
            return Err(Error::new(
                ErrorKind::RetainNotSupported,
                "the server does not support retained messages",
            ));
        }
        self.check_size(size)?;
        if publish.payload_len() > self.quotas.payload_bytes {
            let (len, most) = (publish.payload_len(), self.quotas.payload_bytes);
            let message = format!("the payload has {len} bytes, and this service allows {most}");
            return Err(Error::new(ErrorKind::PacketTooLarge, message));
        }
        // Looked at byte by byte only where somebody minds.
        if self.quotas.topic_bytes < usize::MAX {
            return self.quotas.check_topic(publish.topic());
        }
        Ok(())
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

    /// Whether one SUBSCRIBE to all of these is legal here.
    pub fn check_filters<'a>(&self, filters: impl ExactSizeIterator<Item = &'a str>) -> Result<()> {
        let (count, most) = (filters.len(), self.quotas.filters);
        if count > most {
            let message = format!("{count} topic filters in one request, and this service allows {most}");
            return Err(Error::new(ErrorKind::SubscriptionNotSupported, message));
        }
        for filter in filters {
            self.check_filter(filter)?;
            self.quotas
                .check_topic(filter)
                .map_err(|e| Error::new(ErrorKind::InvalidTopicFilter, e.message().to_owned()))?;
        }
        Ok(())
    }

    fn check_filter(&self, filter: &str) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    fn limits(quotas: Quotas) -> Limits {
        Limits { quotas, ..super::super::tests::LIMITS }
    }

    fn publish(topic: &str, payload: usize) -> Result<()> {
        let payload = vec![0; payload];
        let message = Message { topic, payload: &payload, ..Message::default() };
        limits(Quotas::AWS).check_publish(&StoredPublish::new(&message).unwrap(), 1)
    }

    #[test]
    fn a_service_is_known_by_its_endpoint() {
        for (host, quotas) in [
            ("a1-ats.iot.eu-central-1.amazonaws.com", Quotas::AWS),
            ("A1-ATS.IOT.eu-central-1.AmazonAWS.com.", Quotas::AWS),
            ("a1.iot.cn-north-1.amazonaws.com.cn", Quotas::AWS),
            ("amazonaws.com.example", Quotas::NONE),
            ("localhost", Quotas::NONE),
        ] {
            assert_eq!(Quotas::of(host), quotas, "{host}");
        }
    }

    #[test]
    fn what_aws_would_end_the_connection_for_is_refused_before() {
        publish("$aws/things/m/shadow/name/state/update/documents", 128 * 1024).unwrap();
        publish("$aws/rules/my_rule/a/b/c/d/e/f/g/h", 0).unwrap();
        publish(&"x".repeat(256), 0).unwrap();
        assert_eq!(publish("a", 128 * 1024 + 1).unwrap_err().kind(), ErrorKind::PacketTooLarge);
        for topic in ["a/b/c/d/e/f/g/h/i", "$aws/rules/my_rule/a/b/c/d/e/f/g/h/i", &"x".repeat(257)] {
            assert_eq!(publish(topic, 0).unwrap_err().kind(), ErrorKind::InvalidTopic, "{topic}");
        }
    }

    #[test]
    fn filters_are_counted_and_checked() {
        let check = |filters: &[&str]| limits(Quotas::AWS).check_filters(filters.iter().copied());
        check(&["$share/group/a/b/c/d/e/f/g/h", "#"]).unwrap();
        assert_eq!(check(&["a/b/c/d/e/f/g/h/+"]).unwrap_err().kind(), ErrorKind::InvalidTopicFilter);
        assert_eq!(check(&["a"; 9]).unwrap_err().kind(), ErrorKind::SubscriptionNotSupported);
        limits(Quotas::NONE).check_filters(["a/b/c/d/e/f/g/h/+"; 9].into_iter()).unwrap();
    }
}
