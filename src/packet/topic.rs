//! Topic names and topic filters (4.7), shared subscriptions (4.8.2).

use super::writer::MAX_LEN;
use crate::{Error, ErrorKind, Result};

/// Whether a message can be published to `name`; the error says what is wrong, and where.
pub fn valid_name(name: &str) -> Result<()> {
    match name_fault(name) {
        None => Ok(()),
        Some(fault) => Err(refusal(ErrorKind::InvalidTopic, "topic", name, &fault)),
    }
}

/// The same for the topic that an answer is expected on [MQTT-3.3.2-14].
pub(super) fn valid_response_topic(name: &str) -> Result<()> {
    match name_fault(name) {
        None => Ok(()),
        Some(fault) => Err(refusal(ErrorKind::InvalidTopic, "response topic", name, &fault)),
    }
}

/// Whether `filter` can be subscribed to; the error says what is wrong, and where.
pub fn valid_filter(filter: &str) -> Result<()> {
    match filter_fault(filter) {
        None => Ok(()),
        Some(fault) => Err(refusal(ErrorKind::InvalidTopicFilter, "topic filter", filter, &fault)),
    }
}

/// Share name and topic filter of `$share/NAME/FILTER`; `None` when the subscription is not shared.
pub fn shared_filter(filter: &str) -> Option<(&str, &str)> {
    filter.strip_prefix("$share/")?.split_once('/')
}

/// Whether a message on `topic` belongs to `filter`; both must be valid.
///
/// A shared filter matches what its own filter matches (4.8.2), `#` the level above it too (4.7.1.2), and a
/// filter that begins with a wildcard no topic that begins with `$` [MQTT-4.7.2-1].
pub fn matches(filter: &str, topic: &str) -> bool {
    let filter = match filter.as_bytes().first() {
        Some(b'$') => shared_filter(filter).map_or(filter, |(_, filter)| filter),
        _ => filter,
    };
    let (filter, topic) = (filter.as_bytes(), topic.as_bytes());
    if topic.first() == Some(&b'$') && matches!(filter.first(), Some(b'+' | b'#')) {
        return false;
    }
    let mut rest = topic;
    for (at, &byte) in filter.iter().enumerate() {
        match (byte, rest) {
            (b'#', _) => return true,
            (b'+', _) => {
                let level = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
                rest = &rest[level..];
            }
            (byte, [first, after @ ..]) if byte == *first => rest = after,
            (b'/', []) => return &filter[at..] == b"/#",
            _ => return false,
        }
    }
    rest.is_empty()
}

/// No byte of it is U+0000 or a wildcard. Without an early end, which lets the compiler look at many at once.
#[inline]
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    !bytes.iter().fold(false, |found, &byte| found | matches!(byte, 0 | b'+' | b'#'))
}

fn name_fault(name: &str) -> Option<String> {
    if (1..=MAX_LEN).contains(&name.len()) && is_plain(name.as_bytes()) {
        return None;
    }
    text_fault(name).or_else(|| {
        let at = name.bytes().position(|byte| matches!(byte, b'+' | b'#'))?;
        let wildcard = char::from(name.as_bytes()[at]);
        Some(format!("has the wildcard '{wildcard}' at byte {at}, and wildcards are for subscriptions only"))
    })
}

fn filter_fault(filter: &str) -> Option<String> {
    if let Some(fault) = text_fault(filter) {
        return Some(fault);
    }
    let (start, plain) = match filter.strip_prefix("$share/") {
        None => (0, filter),
        // [MQTT-4.8.2-1], [MQTT-4.8.2-2]
        Some(shared) => match shared.split_once('/') {
            None => return Some("is shared, but has no filter: write $share/NAME/FILTER".into()),
            Some(("", _)) => {
                return Some("is shared, but its share name is empty: write $share/NAME/FILTER".into());
            }
            Some((_, "")) => {
                return Some("is shared, but its filter is empty: write $share/NAME/FILTER".into());
            }
            Some((name, _)) if name.contains(['+', '#']) => {
                return Some(
                    "has a wildcard in its share name: only the filter after it may have one".into(),
                );
            }
            Some((_, plain)) => (filter.len() - plain.len(), plain),
        },
    };
    let bytes = plain.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        let alone_before = at == 0 || bytes[at - 1] == b'/';
        let alone_after = bytes.get(at + 1).is_none_or(|&next| next == b'/');
        let place = start + at;
        match byte {
            // [MQTT-4.7.1-1]
            b'#' if at + 1 != bytes.len() => {
                return Some(format!("has '#' at byte {place}, and '#' must be the last character"));
            }
            b'#' if !alone_before => {
                return Some(format!("has '#' at byte {place}, and '#' must follow a '/' or stand alone"));
            }
            // [MQTT-4.7.1-2]
            b'+' if !(alone_before && alone_after) => {
                return Some(format!("has '+' at byte {place}, and '+' must be alone between its '/'"));
            }
            _ => {}
        }
    }
    None
}

/// What is wrong with a name and a filter alike.
fn text_fault(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("is empty [MQTT-4.7.3-1]".into());
    }
    if text.len() > MAX_LEN {
        return Some(format!("is {} bytes long, and MQTT allows {MAX_LEN} [MQTT-4.7.3-3]", text.len()));
    }
    let at = text.bytes().position(|byte| byte == 0)?;
    Some(format!("has U+0000 at byte {at} [MQTT-4.7.3-2]"))
}

#[cold]
fn refusal(kind: ErrorKind, what: &str, text: &str, fault: &str) -> Error {
    const SHOWN: usize = 80;
    let dots = if text.chars().nth(SHOWN).is_some() { "..." } else { "" };
    let shown: String = text.chars().take(SHOWN).flat_map(char::escape_default).collect();
    Error::new(kind, format!("the {what} \"{shown}{dots}\" {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    #[track_caller]
    fn fault(result: Result<()>, text: &str) {
        let error = result.unwrap_err();
        assert!(error.message().contains(text), "{error}");
    }

    #[test]
    fn names_4_7_3() {
        let longest = "x".repeat(MAX_LEN);
        for name in ["a", "/", "//", " ", "$aws/things", "a/b", "größe", "$share/g/a", &longest] {
            valid_name(name).unwrap();
        }
        fault(valid_name(""), "the topic \"\" is empty [MQTT-4.7.3-1]");
        fault(valid_name("a\0b"), "the topic \"a\\u{0}b\" has U+0000 at byte 1 [MQTT-4.7.3-2]");
        fault(valid_name("ß/+/c"), "has the wildcard '+' at byte 3");
        fault(valid_name("a#"), "has the wildcard '#' at byte 1");
        fault(
            valid_name(&(longest + "x")),
            "x...\" is 65536 bytes long, and MQTT allows 65535 [MQTT-4.7.3-3]",
        );
    }

    #[test]
    fn filters_4_7_1_and_4_8_2() {
        for filter in [
            "a",
            "/",
            "#",
            "+",
            "/#",
            "+/#",
            "a/#",
            "/+",
            "+/+",
            "a/+/b",
            "$aws/#",
            "$share/g/a",
            "$share/g/#",
            "$share/g//",
            "$share",
            "$shared/g",
        ] {
            valid_filter(filter).unwrap();
        }
        fault(valid_filter(""), "is empty");
        fault(valid_filter("a\0"), "U+0000 at byte 1");
        fault(valid_filter(&"x".repeat(MAX_LEN + 1)), "65536 bytes");
        fault(valid_filter("a/#/b"), "'#' at byte 2, and '#' must be the last character");
        fault(valid_filter("##"), "'#' at byte 0");
        fault(valid_filter("a#"), "'#' at byte 1, and '#' must follow a '/'");
        fault(valid_filter("+#"), "'+' at byte 0");
        fault(valid_filter("a+"), "'+' at byte 1");
        fault(valid_filter("a/+b"), "'+' at byte 2");
        fault(valid_filter("++"), "'+' at byte 0");
        fault(valid_filter("$share/"), "has no filter");
        fault(valid_filter("$share/g"), "has no filter");
        fault(valid_filter("$share//a"), "share name is empty");
        fault(valid_filter("$share/g/"), "its filter is empty");
        fault(valid_filter("$share/g+/a"), "wildcard in its share name");
        fault(valid_filter("$share/#/a"), "wildcard in its share name");
        fault(valid_filter("$share/g/a#"), "'#' at byte 10");
    }

    #[test]
    fn shared() {
        assert_eq!(shared_filter("$share/g/a/b"), Some(("g", "a/b")));
        assert_eq!(shared_filter("$share/g//"), Some(("g", "/")));
        assert_eq!(shared_filter("$shared/g/a"), None);
        assert_eq!(shared_filter("a/$share/g"), None);
    }

    /// The examples of 4.7.1 and 4.7.2.
    #[test]
    fn matches_as_the_specification_says() {
        for (filter, topic, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/tennis/player1/#", "sport/tennis/player12", false),
            ("sport/#", "sport", true),
            ("sport/#", "sport/", true),
            ("sport/#", "sports", false),
            ("#", "anything/at/all", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("+/#", "a", true),
            ("a", "a/b", false),
            ("a/b", "a", false),
            ("A", "a", false),
            ("#", "$SYS/x", false),
            ("+/monitor/Clients", "$SYS/monitor/Clients", false),
            ("$SYS/#", "$SYS/", true),
            ("$SYS/#", "$SYS", true),
            ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
            ("a/#", "a/$SYS", true),
            ("$share/g/a/+", "a/b", true),
            ("$share/g/#", "a/b", true),
            ("$share/g/#", "$SYS", false),
            ("$share/g/a", "$share/g/a", false),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
        }
    }

    /// 4.7 read aloud, level by level.
    fn naive(filter: &[&str], topic: &[&str]) -> bool {
        match (filter, topic) {
            (["#"], _) => true,
            (["+", filter @ ..], [_, topic @ ..]) => naive(filter, topic),
            ([level, filter @ ..], [name, topic @ ..]) => level == name && naive(filter, topic),
            ([], []) => true,
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn matches_like_the_naive_reading(
            mut filter in vec(select(vec!["+", "", "a", "b", "$", "ab"]), 1..6),
            open: bool,
            topic in vec(select(vec!["", "a", "b", "$", "ab"]), 1..6),
        ) {
            if open || filter == [""] {
                filter.push("#");
            }
            let (filter_text, topic_text) = (filter.join("/"), topic.join("/"));
            prop_assert!(valid_filter(&filter_text).is_ok());
            let hidden = topic_text.starts_with('$') && filter_text.starts_with(['+', '#']);
            prop_assert_eq!(matches(&filter_text, &topic_text), !hidden && naive(&filter, &topic));
        }

        #[test]
        fn never_panics(filter: String, topic: String) {
            let _ = (valid_filter(&filter), valid_name(&topic), matches(&filter, &topic));
        }
    }
}
