//! What PUBLISH and a will have in common: the checks of an outgoing message, and its properties.

use super::properties::id;
use super::topic;
use super::writer::{Write, check_len, check_text, check_user_properties, user_properties_size};
use crate::{Error, ErrorKind, Message, Result};

/// Everything about an outgoing message that does not depend on the server. `dup` and `subscription_ids`, which
/// only incoming messages have, are ignored.
pub(super) fn check(message: &Message<'_>) -> Result<()> {
    topic::valid_name(message.topic)?;
    if let Some(response_topic) = message.response_topic {
        topic::valid_response_topic(response_topic)?;
    }
    if let Some(content_type) = message.content_type {
        check_text("the content type", content_type)?;
    }
    if let Some(data) = message.correlation_data {
        check_len("the correlation data", data.len())?;
    }
    check_user_properties(message.user_properties)?;
    // A receiver may refuse it otherwise, and at QoS 0 nobody would tell us (3.3.2.3.2).
    if message.utf8 {
        if let Err(error) = std::str::from_utf8(message.payload) {
            return Err(Error::new(
                ErrorKind::InvalidUtf8,
                format!(
                    "the payload is announced as UTF-8 text, but is not at byte {}: mend it, or send it as bytes",
                    error.valid_up_to()
                ),
            ));
        }
    }
    Ok(())
}

/// The bytes that [`write_properties`] appends.
pub(super) fn properties_size(message: &Message<'_>) -> usize {
    let text = |text: Option<&str>| text.map_or(0, |text| 3 + text.len());
    (if message.utf8 { 2 } else { 0 })
        + text(message.response_topic)
        + message.correlation_data.map_or(0, |data| 3 + data.len())
        + user_properties_size(message.user_properties)
        + text(message.content_type)
}

/// The properties that stay the same as long as the message lives: all but the expiry interval and an alias.
pub(super) fn write_properties(message: &Message<'_>, out: &mut Vec<u8>) {
    if message.utf8 {
        out.extend_from_slice(&[id::PAYLOAD_FORMAT_INDICATOR, 1]);
    }
    if let Some(response_topic) = message.response_topic {
        out.byte(id::RESPONSE_TOPIC);
        out.text(response_topic);
    }
    if let Some(data) = message.correlation_data {
        out.byte(id::CORRELATION_DATA);
        out.binary(data);
    }
    out.user_properties(message.user_properties);
    if let Some(content_type) = message.content_type {
        out.byte(id::CONTENT_TYPE);
        out.text(content_type);
    }
}
