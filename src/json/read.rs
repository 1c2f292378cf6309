//! Reads an object where it lies: nothing of it is copied, as it may be a secret.

use std::str;

/// Arrays and objects within each other; more is not read.
const MAX_DEPTH: usize = 128;

/// The value of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Null,
    Text(Text<'a>),
    /// As it is written.
    Number(&'a str),
    /// A truth value, an array or an object.
    Other,
}

/// A string as it is written, escapes and all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    /// Its characters. Half a surrogate pair reads as U+FFFD.
    pub fn chars(self) -> impl Iterator<Item = char> + 'a {
        let mut rest = self.0.chars();
        std::iter::from_fn(move || match rest.next()? {
            '\\' => unescape(&mut rest),
            c => Some(c),
        })
    }

    /// Itself, where nothing in it is escaped.
    pub fn plain(self) -> Option<&'a str> {
        (!self.0.contains('\\')).then_some(self.0)
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.chars().eq(other.chars())
    }
}

/// The character that an escape stands for; only called where the escape is known to be one.
fn unescape(rest: &mut str::Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let high = hex4(rest)?;
            let mut ahead = rest.clone();
            match (high, ahead.next(), ahead.next()) {
                (0xD800..0xDC00, Some('\\'), Some('u')) => match hex4(&mut ahead)? {
                    low @ 0xDC00..0xE000 => {
                        *rest = ahead;
                        char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?
                    }
                    _ => char::REPLACEMENT_CHARACTER,
                },
                _ => char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER),
            }
        }
        c => c,
    })
}

fn hex4(rest: &mut str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |sum, _| Some(sum << 4 | rest.next()?.to_digit(16)?))
}

/// Calls with the name and the value of each member of the object that `json` is; `None` where it is none.
pub fn members<'a>(json: &'a [u8], mut each: impl FnMut(Text<'a>, Value<'a>)) -> Option<()> {
    let mut reader = Reader(str::from_utf8(json).ok()?);
    reader.object(MAX_DEPTH, &mut each)?;
    reader.0.trim_start_matches(is_space).is_empty().then_some(())
}

/// What is left to be read.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    /// Whether this comes next; then it is read.
    fn comes(&mut self, c: char) -> bool {
        let text = self.0.trim_start_matches(is_space);
        let rest = text.strip_prefix(c);
        self.0 = rest.unwrap_or(text);
        rest.is_some()
    }

    fn expect(&mut self, c: char) -> Option<()> {
        self.comes(c).then_some(())
    }

    fn object(&mut self, depth: usize, each: &mut dyn FnMut(Text<'a>, Value<'a>)) -> Option<()> {
        self.expect('{')?;
        if self.comes('}') {
            return Some(());
        }
        loop {
            self.expect('"')?;
            let name = self.string()?;
            self.expect(':')?;
            let value = self.value(depth)?;
            each(name, value);
            if !self.comes(',') {
                return self.expect('}');
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.expect('[')?;
        if self.comes(']') {
            return Some(());
        }
        loop {
            self.value(depth)?;
            if !self.comes(',') {
                return self.expect(']');
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        if self.comes('"') {
            return self.string().map(Value::Text);
        }
        let deeper = depth.checked_sub(1);
        match self.0.bytes().next()? {
            b'{' => self.object(deeper?, &mut |_, _| {})?,
            b'[' => self.array(deeper?)?,
            b'-' | b'0'..=b'9' => return self.number().map(Value::Number),
            _ => {
                let word = ["null", "true", "false"].into_iter().find(|word| self.0.starts_with(word))?;
                self.0 = &self.0[word.len()..];
                if word == "null" {
                    return Some(Value::Null);
                }
            }
        }
        Some(Value::Other)
    }

    /// The rest of a string, behind its first quotation mark.
    fn string(&mut self) -> Option<Text<'a>> {
        let mut rest = self.0.chars();
        loop {
            let before = rest.as_str();
            match rest.next()? {
                '"' => {
                    let text = &self.0[..self.0.len() - before.len()];
                    self.0 = rest.as_str();
                    return Some(Text(text));
                }
                '\\' => match rest.next()? {
                    'u' => _ = hex4(&mut rest)?,
                    '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => {}
                    _ => return None,
                },
                '\0'..' ' => return None,
                _ => {}
            }
        }
    }

    fn number(&mut self) -> Option<&'a str> {
        let whole = self.0;
        let digits = |text: &'a str| {
            let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
            (rest.len() < text.len()).then_some(rest)
        };
        let text = whole.strip_prefix('-').unwrap_or(whole);
        // No number begins with more zeros than one.
        let mut rest = match text.strip_prefix('0') {
            Some(rest) => rest,
            None => digits(text)?,
        };
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = digits(fraction)?;
        }
        if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
            rest = digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))?;
        }
        self.0 = rest;
        Some(&whole[..whole.len() - rest.len()])
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value as Known;

    /// What another reader says of it.
    fn known(json: &[u8]) -> Option<Vec<(String, Known)>> {
        match serde_json::from_slice(json) {
            Ok(Known::Object(members)) => Some(members.into_iter().collect()),
            _ => None,
        }
    }

    fn read(json: &[u8]) -> Option<Vec<(String, Value<'_>)>> {
        let mut all = Vec::new();
        members(json, |name, value| {
            let name: String = name.chars().collect();
            all.retain(|(known, _)| *known != name);
            all.push((name, value));
        })?;
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        Some(all)
    }

    fn check(json: &[u8]) {
        let (read, known) = (read(json), known(json));
        let (Some(read), Some(known)) = (&read, &known) else {
            // Numbers and depths that the other one does not take.
            let skipped = serde_json::from_slice::<serde_core::de::IgnoredAny>(json).is_ok();
            assert!(read.is_some() == known.is_some() || skipped, "{}", String::from_utf8_lossy(json));
            return;
        };
        assert_eq!(read.len(), known.len());
        for ((name, value), (known_name, known)) in read.iter().zip(known) {
            assert_eq!(name, known_name);
            match (value, known) {
                (Value::Null, Known::Null) => {}
                (Value::Other, Known::Bool(_) | Known::Array(_) | Known::Object(_)) => {}
                (Value::Number(text), Known::Number(number)) => {
                    assert_eq!(text.parse::<f64>().ok(), number.as_f64());
                }
                (Value::Text(text), Known::String(known)) => {
                    assert_eq!(*text, **known);
                    assert!(text.plain().is_none_or(|plain| plain == known));
                }
                _ => panic!("{value:?} is {known:?}"),
            }
        }
    }

    #[test]
    fn reads_what_another_reader_reads() {
        let table = [
            r#"{}"#,
            r#" { "a" : 1 , "b" : [ ] } "#,
            r#"{"a":{"a":[1,{"b":null}]},"c":true,"d":false,"e":null}"#,
            r#"{"":"","\u0065xp":"\"\\\/\b\f\n\r\t\u20ac\ud83e\udd8e"}"#,
            r#"{"a":-0,"b":0.5,"c":1e5,"d":-12.25E-3,"e":1e+2}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":"ünïcödé 🦎"}"#,
            // None of these is one.
            "",
            "{",
            "[]",
            "1",
            "{}{}",
            "{} x",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a":1 "b":2}"#,
            r#"{a:1}"#,
            r#"{"a":01}"#,
            r#"{"a":+1}"#,
            r#"{"a":1.}"#,
            r#"{"a":.5}"#,
            r#"{"a":1e}"#,
            r#"{"a":-}"#,
            r#"{"a":nul}"#,
            r#"{"a":nulll}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[1 2]}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12g4"}"#,
            r#"{"a":"\u12"}"#,
            "{\"a\":\"\n\"}",
            "{\"a\":\"",
            "{\"a\":1}\0",
            "{\u{a0}}",
        ];
        for json in table {
            check(json.as_bytes());
        }
        check(b"{\"a\":\"\xff\"}");
    }

    #[test]
    fn half_a_pair_is_no_character() {
        let json = br#"{"a":"\ud83ex","b":"\ud83e\u0041","c":"\udd8e","d":"\ud83e"}"#;
        let mut texts = Vec::new();
        let texts_of = |_: Text<'_>, value: Value<'_>| match value {
            Value::Text(text) => texts.push(text.chars().collect::<String>()),
            _ => unreachable!("they are texts"),
        };
        assert_eq!(members(json, texts_of), Some(()));
        assert_eq!(texts, ["\u{fffd}x", "\u{fffd}A", "\u{fffd}", "\u{fffd}"]);
    }

    #[test]
    fn goes_no_deeper_than_its_stack_allows() {
        let nested = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert!(read(nested(MAX_DEPTH).as_bytes()).is_some());
        assert!(read(nested(MAX_DEPTH + 1).as_bytes()).is_none());
        assert!(read(format!(r#"{{"a":{}"#, "[".repeat(1_000_000)).as_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn agrees_about_anything_that_looks_like_it(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "{", "}", "[", "]", ",", ":", "\"", "\"a\":", "\\", "\\u", "d83e", "\\udd8e", "null", "true", "1", "0",
                    "-", ".", "e", "+", " ", "x", "\"x\"", "{}", "[1]", "\u{1}", "é",
                ]),
                0..24,
            ),
            inside in any::<bool>(),
        ) {
            let text: String = parts.concat();
            let text = if inside { format!("{{\"a\":{text}}}") } else { text };
            check(text.as_bytes());
        }
    }
}
