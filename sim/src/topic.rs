//! Topic names and topic filters (MQTT 5, 4.7 and 4.8).

/// Whether `topic` may be published to.
pub(crate) fn is_name(topic: &str) -> bool {
    !topic.is_empty() && !topic.contains(['+', '#', '\0'])
}

/// Whether `filter` is well-formed ([MQTT-4.7.1-1], [MQTT-4.7.1-2], [MQTT-4.7.3-1]); without its `$share` prefix.
pub(crate) fn is_filter(filter: &str) -> bool {
    if filter.is_empty() || filter.contains('\0') {
        return false;
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let last = levels.peek().is_none();
        let fine = match level {
            "+" => true,
            "#" => last,
            other => !other.contains(['+', '#']),
        };
        if !fine {
            return false;
        }
    }
    true
}

/// Whether one of the filters matches the topic name.
pub(crate) fn any_matches(filters: &[String], topic: &str) -> bool {
    filters.iter().any(|filter| matches(filter, topic))
}

/// Whether `filter` contains a wildcard.
pub(crate) fn has_wildcard(filter: &str) -> bool {
    filter.contains(['+', '#'])
}

/// Takes `$share/GROUP/FILTER` apart. `None`: not shared; `Some(None)`: shared, but malformed.
pub(crate) fn shared(filter: &str) -> Option<Option<(&str, &str)>> {
    let rest = match filter.strip_prefix("$share/") {
        Some(rest) => rest,
        None if filter == "$share" => return Some(None),
        None => return None,
    };
    let parts = rest
        .split_once('/')
        .filter(|(group, inner)| !group.is_empty() && !has_wildcard(group) && !inner.is_empty());
    Some(parts)
}

/// Whether `topic` matches `filter`.
pub(crate) fn matches(filter: &str, topic: &str) -> bool {
    // A leading wildcard does not match the server's own topics [MQTT-4.7.2-1].
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    let mut wanted = filter.split('/');
    loop {
        match (wanted.next(), levels.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(want), Some(have)) if want == have => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching_is_as_the_specification_says() {
        let table = [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("a/b/c", "a/b", false),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/#", "ab", false),
            ("#", "a/b", true),
            ("#", "/", true),
            ("+", "a", true),
            ("+", "a/b", false),
            ("+", "", true),
            ("a/+", "a", false),
            ("a/+", "a/", true),
            ("a/+/c", "a/b/c", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("$aws/things/+/shadow", "$aws/things/t/shadow", true),
            ("A/b", "a/b", false),
        ];
        for (filter, topic, expected) in table {
            assert_eq!(matches(filter, topic), expected, "{filter} against {topic}");
        }
    }

    #[test]
    fn malformed_filters_are_found() {
        for filter in ["", "a#", "a/#/b", "a+", "a/b+/c", "#/a", "++", "a\0"] {
            assert!(!is_filter(filter), "{filter:?}");
        }
        for filter in ["#", "+", "/", "a//b", "+/#", "a/+/b/#", "$SYS/#"] {
            assert!(is_filter(filter), "{filter:?}");
        }
        assert!(!is_name("a/+"));
        assert!(!is_name(""));
        assert!(is_name("/"));
    }

    #[test]
    fn shared_filters_are_taken_apart() {
        assert_eq!(shared("a/b"), None);
        assert_eq!(shared("$share/g/a/b"), Some(Some(("g", "a/b"))));
        assert_eq!(shared("$share/g//a"), Some(Some(("g", "/a"))));
        for malformed in ["$share", "$share/", "$share/g", "$share//a", "$share/g/", "$share/g+/a"] {
            assert_eq!(shared(malformed), Some(None), "{malformed}");
        }
        assert_eq!(shared("$shared/g/a"), None);
    }
}
