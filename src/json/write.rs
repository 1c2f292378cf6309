//! Writes objects, arrays and strings. A string never ends a line, whatever is in it.

use std::fmt::{self, Write};

/// An object that is being written.
pub struct Object(String);

impl Object {
    pub fn new() -> Self {
        Self(String::from("{"))
    }

    pub fn with(mut self, name: &str, value: impl Member) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        push_quoted(&mut self.0, name);
        self.0.push(':');
        value.push(&mut self.0);
        self
    }

    /// The whole of it.
    pub fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// What can be the value of a member. Without a value it is null.
pub trait Member {
    fn push(self, out: &mut String);
}

impl<M: Member> Member for Option<M> {
    fn push(self, out: &mut String) {
        match self {
            Some(member) => member.push(out),
            None => out.push_str("null"),
        }
    }
}

impl Member for &str {
    fn push(self, out: &mut String) {
        push_quoted(out, self);
    }
}

/// What needs no quotation marks, as it is written.
impl Member for fmt::Arguments<'_> {
    fn push(self, out: &mut String) {
        let _ = out.write_fmt(self);
    }
}

macro_rules! plain {
    ($($type:ty)*) => {$(
        impl Member for $type {
            fn push(self, out: &mut String) {
                format_args!("{self}").push(out);
            }
        }
    )*};
}

plain!(bool u8 u32 i32 u64);

/// An array of what is JSON already.
pub fn push_array(out: &mut String, elements: impl IntoIterator<Item = String>) {
    out.push('[');
    for (number, element) in elements.into_iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        out.push_str(&element);
    }
    out.push(']');
}

fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    text.chars().for_each(|c| escape(out, c, true));
    out.push('"');
}

/// A character without what would end a line, move a cursor or turn the direction of writing; within quotation marks
/// as JSON wants it.
pub fn escape(out: &mut String, c: char, in_quotes: bool) {
    match c {
        '\n' => out.push_str(r"\n"),
        '\r' => out.push_str(r"\r"),
        '\t' => out.push_str(r"\t"),
        '"' | '\\' if in_quotes => out.extend(['\\', c]),
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => _ = write!(out, "\\u{:04x}", u32::from(c)),
        c if c.is_control() => _ = write!(out, "\\u{:04x}", u32::from(c)),
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn writes_what_another_reader_reads() {
        let strange: String = (0..0x2100).filter_map(char::from_u32).chain("\u{2066}🦎".chars()).collect();
        let object = Object::new()
            .with("a", "\"\\\n\u{7f}")
            .with(&strange, &*strange)
            .with("absent", None::<&str>)
            .with("number", u64::MAX)
            .with("missing", None::<u64>)
            .with("rate", format_args!("0.{:04}", 75))
            .with("truth", true)
            .end();
        let read: serde_json::Value = serde_json::from_str(&object).unwrap();
        let expected = json!({
            "a": "\"\\\n\u{7f}", &strange: strange, "absent": null, "number": u64::MAX, "missing": null,
            "rate": 0.0075, "truth": true,
        });
        assert_eq!(read, expected);
        assert!(object.chars().all(|c| !c.is_control()));
        assert_eq!(Object::new().end(), "{}");
    }

    #[test]
    fn writes_arrays() {
        let array = |elements: &[&str]| {
            let mut out = String::new();
            push_array(&mut out, elements.iter().map(|&element| element.to_owned()));
            out
        };
        assert_eq!([array(&[]), array(&["1"]), array(&["1", "{}"])], ["[]", "[1]", "[1,{}]"]);
    }
}
