//! A record as a line: text for people, JSON for programs. Whatever a server sent, a line stays one line of bounded
//! length that does a terminal no harm.

use super::record::{Record, Value};
use crate::event::iso8601;
use crate::json;
use std::fmt::Write;

/// No line is longer, its end included.
pub const MAX_LINE: usize = 8 * 1024;
/// The last bytes of a line, for what ends it.
const RESERVE: usize = 32;
/// Escaped, a text takes no more.
const MAX_ESCAPED: usize = 4096;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `TIME LEVEL THREAD MODULE: MESSAGE NAME=VALUE …`
    Text,
    /// One object a line, its fields beside `time`, `level`, `target`, `thread` and `message`.
    Json,
}

impl Format {
    /// The whole line, its end included.
    pub fn line(self, record: &Record, thread: &str) -> String {
        let mut line = String::with_capacity(256);
        let (time, level, target) = (iso8601(record.unix_ms), record.level, record.target);
        match self {
            Self::Text => {
                let _ = write!(line, "{time} {level:>5} ");
                push_value(&mut line, thread);
                let _ = write!(line, " {target}: ");
                push_text(&mut line, record);
            }
            Self::Json => {
                let _ = write!(line, r#"{{"time":"{time}","level":"{level}","target":"{target}","thread":"#);
                push_quoted(&mut line, thread);
                line.push_str(r#","message":"#);
                push_quoted(&mut line, &record.message);
                push_members(&mut line, record);
                line.push('}');
            }
        }
        line.push('\n');
        line
    }
}

/// The message alone.
pub fn message(record: &Record) -> String {
    let mut text = String::new();
    push_escaped(&mut text, &record.message, false);
    text
}

/// The message and the fields.
pub fn text(record: &Record) -> String {
    let mut text = String::new();
    push_text(&mut text, record);
    text
}

/// The fields alone, as an object.
pub fn fields_json(record: &Record) -> String {
    let mut members = String::new();
    push_members(&mut members, record);
    format!("{{{}}}", members.strip_prefix(',').unwrap_or(&members))
}

fn push_text(line: &mut String, record: &Record) {
    push_escaped(line, &record.message, false);
    push_bounded(line, record, " truncated=true", |line, name, value| {
        line.push(' ');
        line.push_str(name);
        line.push('=');
        match value {
            Value::Text(text) => push_value(line, text),
            Value::Plain(plain) => line.push_str(plain),
        }
    });
}

fn push_members(line: &mut String, record: &Record) {
    push_bounded(line, record, r#","truncated":true"#, |line, name, value| {
        let _ = write!(line, r#","{name}":"#);
        match value {
            Value::Text(text) => push_quoted(line, text),
            Value::Plain(plain) => line.push_str(plain),
        }
    });
}

/// As many fields as there is room for.
fn push_bounded(
    line: &mut String,
    record: &Record,
    truncated: &str,
    push: impl Fn(&mut String, &str, &Value),
) {
    for (name, value) in &record.fields {
        let before = line.len();
        push(line, name, value);
        if line.len() > MAX_LINE - RESERVE {
            line.truncate(before);
            return line.push_str(truncated);
        }
    }
}

/// Bare where that cannot be mistaken.
fn push_value(line: &mut String, text: &str) {
    let bare = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\');
    if !text.is_empty() && text.len() < MAX_ESCAPED && text.chars().all(bare) {
        line.push_str(text);
    } else {
        push_quoted(line, text);
    }
}

fn push_quoted(line: &mut String, text: &str) {
    line.push('"');
    push_escaped(line, text, true);
    line.push('"');
}

/// No more of it than there is room for.
fn push_escaped(line: &mut String, text: &str, in_quotes: bool) {
    let end = line.len() + MAX_ESCAPED;
    for c in text.chars() {
        if line.len() >= end {
            return line.push('…');
        }
        json::escape(line, c, in_quotes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tracing::Level;

    fn record(message: &str, fields: &[(&'static str, Value)]) -> Record {
        Record {
            unix_ms: 1_795_705_445_678,
            level: Level::INFO,
            target: "gecko_mqtt::driver",
            message: message.to_owned(),
            fields: fields.to_vec(),
        }
    }

    fn text_of(value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    #[test]
    fn a_line_of_text_reads_like_a_sentence_with_its_figures() {
        let fields = [
            ("client_id", text_of("spa-42")),
            ("attempt", Value::Plain("3".to_owned())),
            ("error", text_of("no \"route\" to\nhost \\ \u{1b}[31m")),
            ("empty", text_of("")),
            ("odd", text_of("a=b")),
        ];
        let line = Format::Text.line(&record("connection\nlost", &fields), "my thread");
        let expected = concat!(
            "2026-11-26T15:04:05.678Z  INFO \"my thread\" gecko_mqtt::driver: connection\\nlost client_id=spa-42 attempt=3 ",
            r#"error="no \"route\" to\nhost \\ \u001b[31m" empty="" odd="a=b""#,
            "\n"
        );
        assert_eq!(line, expected);
    }

    #[test]
    fn a_line_of_json_is_json_whatever_is_in_it() {
        let all: Vec<char> = (0..0x2100).filter_map(char::from_u32).collect();
        let mut texts: Vec<String> = all.chunks(250).map(|chunk| chunk.iter().collect()).collect();
        texts.extend(["\u{2028}\u{202e}\u{2066}", "\"\\\0\u{7f}\u{85}", "ünïcödé 🦎"].map(str::to_owned));
        for strange in &texts {
            let strange = &**strange;
            let fields = [("error", text_of(strange)), ("round_trip_ms", Value::Plain("12".to_owned()))];
            let record = record(strange, &fields);
            let line = Format::Json.line(&record, "gecko-mqtt-work");
            assert_eq!(line.matches('\n').count(), 1);
            assert!(
                line.ends_with("}\n") && line.trim_end().chars().all(|c| !c.is_control() && c != '\u{202e}')
            );
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!((&read["message"], &read["error"]), (&json!(strange), &json!(strange)));
            assert_eq!(read["time"], "2026-11-26T15:04:05.678Z");
            assert_eq!((&read["level"], &read["target"]), (&json!("INFO"), &json!("gecko_mqtt::driver")));
            assert_eq!((&read["thread"], &read["round_trip_ms"]), (&json!("gecko-mqtt-work"), &json!(12)));
        }
    }

    #[test]
    fn no_line_is_too_long() {
        let long = "\u{1}".repeat(100_000);
        for count in [0, 1, 2, 3, 50] {
            let mut fields = vec![("field", text_of(&long)); count];
            fields.push(("last", Value::Plain("1".to_owned())));
            let record = record(&long, &fields);
            for format in [Format::Text, Format::Json] {
                let line = format.line(&record, "t");
                assert!(line.len() <= MAX_LINE, "{}", line.len());
                let cut = count >= 1;
                assert_eq!(line.contains("truncated"), cut, "{count}");
                assert_eq!(line.contains("last"), !cut, "{count}");
            }
            let line: serde_json::Value = serde_json::from_str(&Format::Json.line(&record, "t")).unwrap();
            assert!(line["message"].as_str().unwrap().ends_with('…'));
        }
    }

    #[test]
    fn fields_alone_are_an_object() {
        assert_eq!(fields_json(&record("x", &[])), "{}");
        let fields = [("a", Value::Plain("1".to_owned())), ("b", text_of("\""))];
        assert_eq!(fields_json(&record("x", &fields)), r#"{"a":1,"b":"\""}"#);
        assert_eq!(text(&record("x", &fields)), r#"x a=1 b="\"""#);
        assert_eq!(message(&record("x\ny", &fields)), r"x\ny");
    }
}
