//! What a connection authenticates with: user name and password, AWS's custom authorizer and its token, and
//! when the next token is needed.
//!
//! The room is pure: time comes in as an argument, randomness as a number, and nothing leaves it but values.
//! No text that it makes, neither an error's nor a `Debug`'s, contains a token, password or signature.

mod authorizer;
mod base64;
mod broker_url;
mod host;
mod percent;
mod query;
mod refresh;
mod signature;
mod timestamp;
mod token;

pub use authorizer::Authorizer;
pub use broker_url::{Access, BrokerUrl, Endpoint};
pub use host::parse_host;
pub use refresh::{Clocks, DEFAULT_THRESHOLD, Schedule, TokenState, retry_delay};
pub use token::{Expiry, Token};

use crate::{Error, ErrorKind, Result};

/// The longest text or binary data that MQTT can carry [MQTT-1.5.4].
const MAX_MQTT_STRING: usize = 65_535;

/// Whether MQTT lets this be a user name.
fn check_username(text: &str) -> Result<()> {
    if text.len() > MAX_MQTT_STRING {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "the user name has {} bytes, and MQTT allows {MAX_MQTT_STRING}",
                text.len()
            ),
        ));
    }
    // U+0000 is forbidden; the others a server may take for a malformed packet [MQTT-1.5.4].
    if text.contains(char::is_control) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "the user name has a control character: remove it (a line break at its end, where it was read \
             from a file)",
        ));
    }
    Ok(())
}
