//! DISCONNECT (3.14).

use super::{
    Malformed, PacketType, Properties, ReasonCode, Value, properties::id, reader::Reader, writer::Write,
};

/// A DISCONNECT of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disconnect<'a> {
    /// Why. Any code is taken, also one that the packet's table does not list: the connection ends anyway, and
    /// what the server said explains more than that it should not have said it.
    pub reason: ReasonCode,
    /// The server's words.
    pub reason_string: Option<&'a str>,
    /// Another server to use.
    pub server_reference: Option<&'a str>,
    /// All properties.
    pub properties: Properties<'a>,
}

impl<'a> Disconnect<'a> {
    /// Appends our DISCONNECT, as short as it can be: 2 bytes for a normal disconnection, 3 with another reason,
    /// 9 with a new session expiry interval.
    pub fn write(reason: ReasonCode, session_expiry_secs: Option<u32>, out: &mut Vec<u8>) {
        debug_assert!(reason.is_listed(PacketType::Disconnect), "{reason} in DISCONNECT");
        match (reason, session_expiry_secs) {
            (ReasonCode::SUCCESS, None) => out.extend_from_slice(&[0xE0, 0]),
            (reason, None) => out.extend_from_slice(&[0xE0, 1, reason.0]),
            (reason, Some(secs)) => {
                out.extend_from_slice(&[0xE0, 7, reason.0, 5, id::SESSION_EXPIRY_INTERVAL]);
                out.four(secs);
            }
        }
    }

    pub(super) fn decode(mut body: Reader<'a>) -> Result<Self, Malformed> {
        let mut disconnect = Self {
            reason: ReasonCode::SUCCESS,
            reason_string: None,
            server_reference: None,
            properties: Properties::default(),
        };
        // Both may be left out from the end (3.14.2.1, 3.14.2.2.1).
        if !body.is_empty() {
            disconnect.reason = ReasonCode(body.byte()?);
        }
        if !body.is_empty() {
            let mut session_expiry = false;
            disconnect.properties = Properties::read(&mut body, PacketType::Disconnect.bit(), |property| {
                match (property.id, property.value) {
                    (id::SESSION_EXPIRY_INTERVAL, _) => session_expiry = true,
                    (id::REASON_STRING, Value::Text(text)) => disconnect.reason_string = Some(text),
                    (id::SERVER_REFERENCE, Value::Text(text)) => disconnect.server_reference = Some(text),
                    _ => {}
                }
            })?;
            body.end()?;
            if session_expiry {
                return Err(Malformed {
                    property: Some("session expiry interval"),
                    ..Malformed::protocol("not in a DISCONNECT from the server [MQTT-3.14.2-2]")
                });
            }
        }
        Ok(disconnect)
    }
}
