//! CONNECT (3.1): who we are, what we ask for, and what shall be published when we are gone.

use super::properties::{block_size, id};
use super::writer::{
    Write, check_len, check_remaining, check_text, check_user_properties, user_properties_size,
};
use super::{message, varint};
use crate::{Error, ErrorKind, Message, Result};
use std::fmt;

/// A CONNECT. [`Default`] is what a client gets that asks for nothing.
#[derive(Clone, Copy)]
pub struct Connect<'a> {
    /// The client identifier; empty = the server shall choose one.
    pub client_id: &'a str,
    /// Forget the session that the server may still have.
    pub clean_start: bool,
    /// The longest time that we leave the server without a packet; 0 = for ever.
    pub keep_alive_secs: u16,
    /// How long the session shall live after the connection; `u32::MAX` = for ever.
    pub session_expiry_secs: u32,
    /// Unacknowledged QoS 1 and 2 publishes that we take; not 0.
    pub receive_maximum: u16,
    /// The largest packet that we take; not 0, `u32::MAX` = any.
    pub maximum_packet_size: u32,
    /// The highest topic alias that we understand; 0 = none.
    pub topic_alias_maximum: u16,
    /// The user name, which may hold a token. It has to be UTF-8.
    pub username: Option<&'a [u8]>,
    /// The password: any bytes.
    pub password: Option<&'a [u8]>,
    /// What the server publishes when the connection ends without a normal DISCONNECT.
    pub will: Option<Will<'a>>,
    /// User properties, in order.
    pub user_properties: &'a [(&'a str, &'a str)],
}

/// A message for the time after the connection.
#[derive(Clone, Copy, Debug)]
pub struct Will<'a> {
    /// The message.
    pub message: Message<'a>,
    /// How long the server shall wait for us to come back before it publishes.
    pub delay_secs: u32,
}

impl Default for Connect<'_> {
    fn default() -> Self {
        Self {
            client_id: "",
            clean_start: true,
            keep_alive_secs: 0,
            session_expiry_secs: 0,
            receive_maximum: u16::MAX,
            maximum_packet_size: u32::MAX,
            topic_alias_maximum: 0,
            username: None,
            password: None,
            will: None,
            user_properties: &[],
        }
    }
}

impl Connect<'_> {
    /// Appends the packet, or nothing and says why not; the error never shows a secret.
    ///
    /// `out` then holds the user name and the password: it must not be logged, and should be overwritten when it has
    /// been sent. It grows at most once, before anything is written, so that nothing is left behind in memory.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        self.check()?;
        let remaining = self.remaining();
        check_remaining("the CONNECT", remaining)?;
        out.reserve(1 + varint::size(remaining) + remaining);

        out.byte(0x10);
        out.varint(remaining);
        out.text("MQTT");
        out.byte(5);
        out.byte(self.flags());
        out.two(self.keep_alive_secs);
        self.write_properties(out);
        out.text(self.client_id);
        if let Some(will) = &self.will {
            will.write(out);
        }
        for secret in [self.username, self.password].into_iter().flatten() {
            out.binary(secret);
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        check_text("the client identifier", self.client_id)?;
        if let Some(username) = self.username {
            check_len("the user name (with the token in it, if there is one)", username.len())?;
            // [MQTT-3.1.3-12]; what is wrong with it is not shown, and neither is where.
            match std::str::from_utf8(username) {
                Ok(text) if !text.contains('\0') => {}
                _ => {
                    return Err(Error::new(
                        ErrorKind::InvalidUtf8,
                        "the user name is not UTF-8 text, or has U+0000 in it: encode what is not text, \
                         for example as base64",
                    ));
                }
            }
        }
        if let Some(password) = self.password {
            check_len("the password", password.len())?;
        }
        if let Some(will) = &self.will {
            message::check(&will.message)?;
            check_len("the will's payload", will.message.payload.len())?;
        }
        check_user_properties(self.user_properties)?;
        // Both are protocol errors (3.1.2.11.3, 3.1.2.11.4), which the server would answer by closing.
        for (what, value) in [
            ("the receive maximum", u32::from(self.receive_maximum)),
            ("the maximum packet size", self.maximum_packet_size),
        ] {
            if value == 0 {
                return Err(Error::new(ErrorKind::OutOfRange, format!("{what} is 0: set it to 1 or more")));
            }
        }
        Ok(())
    }

    /// 3.1.2.3
    fn flags(&self) -> u8 {
        let will = self
            .will
            .map_or(0, |will| 0b100 | will.message.qos.level() << 3 | u8::from(will.message.retain) << 5);
        u8::from(self.clean_start) << 1
            | will
            | u8::from(self.password.is_some()) << 6
            | u8::from(self.username.is_some()) << 7
    }

    fn remaining(&self) -> usize {
        let secret = |secret: Option<&[u8]>| secret.map_or(0, |secret| 2 + secret.len());
        10 + block_size(self.properties_size())
            + (2 + self.client_id.len())
            + self.will.map_or(0, |will| will.size())
            + secret(self.username)
            + secret(self.password)
    }

    fn properties_size(&self) -> usize {
        (if self.session_expiry_secs != 0 { 5 } else { 0 })
            + (if self.receive_maximum != u16::MAX { 3 } else { 0 })
            + (if self.maximum_packet_size != u32::MAX { 5 } else { 0 })
            + (if self.topic_alias_maximum != 0 { 3 } else { 0 })
            + user_properties_size(self.user_properties)
    }

    /// What has its default value is left out (3.1.2.11).
    fn write_properties(&self, out: &mut Vec<u8>) {
        out.varint(self.properties_size());
        if self.session_expiry_secs != 0 {
            out.byte(id::SESSION_EXPIRY_INTERVAL);
            out.four(self.session_expiry_secs);
        }
        if self.receive_maximum != u16::MAX {
            out.byte(id::RECEIVE_MAXIMUM);
            out.two(self.receive_maximum);
        }
        if self.maximum_packet_size != u32::MAX {
            out.byte(id::MAXIMUM_PACKET_SIZE);
            out.four(self.maximum_packet_size);
        }
        if self.topic_alias_maximum != 0 {
            out.byte(id::TOPIC_ALIAS_MAXIMUM);
            out.two(self.topic_alias_maximum);
        }
        out.user_properties(self.user_properties);
    }
}

impl Will<'_> {
    fn properties_size(&self) -> usize {
        (if self.delay_secs != 0 { 5 } else { 0 })
            + self.message.message_expiry_secs.map_or(0, |_| 5)
            + message::properties_size(&self.message)
    }

    fn size(&self) -> usize {
        block_size(self.properties_size()) + 2 + self.message.topic.len() + 2 + self.message.payload.len()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.varint(self.properties_size());
        if self.delay_secs != 0 {
            out.byte(id::WILL_DELAY_INTERVAL);
            out.four(self.delay_secs);
        }
        if let Some(secs) = self.message.message_expiry_secs {
            out.byte(id::MESSAGE_EXPIRY_INTERVAL);
            out.four(secs);
        }
        message::write_properties(&self.message, out);
        out.text(self.message.topic);
        out.binary(self.message.payload);
    }
}

/// Without its secrets.
impl fmt::Debug for Connect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |secret: Option<&[u8]>| secret.map(|_| "***");
        f.debug_struct("Connect")
            .field("client_id", &self.client_id)
            .field("clean_start", &self.clean_start)
            .field("keep_alive_secs", &self.keep_alive_secs)
            .field("session_expiry_secs", &self.session_expiry_secs)
            .field("receive_maximum", &self.receive_maximum)
            .field("maximum_packet_size", &self.maximum_packet_size)
            .field("topic_alias_maximum", &self.topic_alias_maximum)
            .field("username", &hidden(self.username))
            .field("password", &hidden(self.password))
            .field("will", &self.will)
            .field("user_properties", &self.user_properties)
            .finish()
    }
}
