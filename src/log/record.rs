//! One event, taken out of `tracing`: what every output writes in its own way.

use super::format;
use super::origin::Origin;
use crate::event::unix_ms;
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

/// Bytes of a text in a field, and of the message; what is longer is cut.
const MAX_TEXT: usize = 2048;
/// What the library says of its own log.
const OWN_TARGET: &str = "gecko_mqtt::log";

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    /// A number or a truth, as JSON writes it.
    Plain(String),
}

/// Something that is told: a message, and fields that go with it.
#[derive(Clone, Debug)]
pub struct Record {
    pub(super) unix_ms: u64,
    pub(super) level: Level,
    pub(super) target: &'static str,
    pub(super) message: String,
    pub(super) fields: Vec<(&'static str, Value)>,
}

impl Record {
    /// Happening now, on this thread.
    pub(super) fn new(event: &Event<'_>) -> Self {
        let metadata = event.metadata();
        let mut record = Self::empty(*metadata.level(), metadata.target());
        record.fields = Origin::fields();
        event.record(&mut record);
        record
    }

    /// Lines that an output has lost.
    pub(super) fn lost(count: u64, why: &str) -> Self {
        let mut record = Self::empty(Level::WARN, OWN_TARGET);
        record.message.push_str("log lines were lost");
        record.fields.push(("count", Value::Plain(count.to_string())));
        record.fields.push(("reason", Value::Text(why.to_owned())));
        record
    }

    fn empty(level: Level, target: &'static str) -> Self {
        Self { unix_ms: unix_ms(), level, target, message: String::new(), fields: Vec::new() }
    }

    /// When, in Unix milliseconds.
    pub fn unix_ms(&self) -> u64 {
        self.unix_ms
    }

    /// How grave it is.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The module that speaks.
    pub fn target(&self) -> &'static str {
        self.target
    }

    /// What happened, without the fields.
    pub fn message(&self) -> String {
        format::message(self)
    }

    /// The message and the fields, as in a line of text.
    pub fn text(&self) -> String {
        format::text(self)
    }

    /// The fields, as one JSON object.
    pub fn fields_json(&self) -> String {
        format::fields_json(self)
    }

    fn add(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::Text(text) | Value::Plain(text)) => self.message = text,
            (name, value) => self.fields.push((name, value)),
        }
    }
}

impl Visit for Record {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = Bounded(String::new());
        // It fails where the text is full, which is no failure.
        let _ = fmt::write(&mut text, format_args!("{value:?}"));
        self.add(field, Value::Text(text.0));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, Value::Plain(value.to_string()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, Value::Plain(value.to_string()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, Value::Plain(value.to_string()));
    }
}

/// A text that takes no more than its room.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_TEXT - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.0.push_str(&text[..end]);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn a_text_is_cut_between_characters() {
        let mut text = Bounded("x".repeat(MAX_TEXT - 4));
        text.write_str("ab").unwrap();
        assert!(text.write_str("äöü").is_err());
        assert!(text.0.ends_with("xabä") && text.0.len() == MAX_TEXT);
        assert!(text.write_str("y").is_err() && text.0.len() == MAX_TEXT);
    }
}
