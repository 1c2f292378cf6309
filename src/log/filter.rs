//! What is worth a line: a level for everything, and others for parts of the library.

use crate::{Error, ErrorKind, Result};
use tracing::Level;
use tracing::level_filters::LevelFilter;

const LIBRARY: &str = "gecko_mqtt";
/// The modules that log.
const PARTS: [&str; 6] = ["dispatch", "driver", "link", "log", "packet", "session"];

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Of what no directive names.
    level: LevelFilter,
    /// The longest name first.
    parts: Vec<(Box<str>, LevelFilter)>,
}

impl Filter {
    /// Understands a word ("info") and directives ("info,gecko_mqtt::link=debug").
    pub fn parse(text: &str) -> Result<Self> {
        let mut filter = Self { level: LevelFilter::OFF, parts: Vec::new() };
        let several = text.contains(',');
        for (number, directive) in (1..).zip(text.split(',')) {
            // Not the text itself: if it is in the wrong place, it may be a secret.
            let which = || if several { format!("directive {number}") } else { "that".to_owned() };
            match directive.split_once('=') {
                None => filter.level = level(directive, which)?,
                Some((part, word)) => {
                    let (part, level) = (check_part(part.trim(), which)?, level(word, which)?);
                    filter.parts.retain(|(known, _)| **known != *part);
                    let at = filter.parts.partition_point(|(known, _)| known.len() >= part.len());
                    filter.parts.insert(at, (part.into(), level));
                }
            }
        }
        Ok(filter)
    }

    /// Whether this is worth a line. Events of other crates are about their own inner life.
    pub fn wants(&self, level: Level, target: &str) -> bool {
        let named = self.parts.iter().find(|(part, _)| is_within(target, part));
        level <= named.map_or(self.level, |(_, level)| *level) && is_within(target, LIBRARY)
    }

    /// The level above which nothing is.
    pub fn max_level(&self) -> LevelFilter {
        self.parts.iter().map(|(_, level)| *level).fold(self.level, Ord::max)
    }
}

fn is_within(target: &str, part: &str) -> bool {
    target.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn level(word: &str, which: impl Fn() -> String) -> Result<LevelFilter> {
    const LEVELS: [(&str, LevelFilter); 6] = [
        ("off", LevelFilter::OFF),
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("info", LevelFilter::INFO),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
    ];
    let known = LEVELS.iter().find(|(name, _)| word.trim().eq_ignore_ascii_case(name));
    known.map(|(_, level)| *level).ok_or_else(|| {
        refused(format!(
            "{} is no log level: give off, error, warn, info, debug or trace, or directives like 'info,gecko_mqtt::link=debug'",
            which()
        ))
    })
}

/// A name that is misspelt would never log anything.
fn check_part(name: &str, which: impl Fn() -> String) -> Result<&str> {
    let rest = name.strip_prefix(LIBRARY).filter(|rest| rest.is_empty() || rest.starts_with("::"));
    match rest.map(|rest| rest.split("::").nth(1).unwrap_or_default()) {
        Some(part) if name == LIBRARY || PARTS.contains(&part) => Ok(name),
        _ => Err(refused(format!(
            "{} names no part of the library that logs: give gecko_mqtt, or gecko_mqtt::{}",
            which(),
            PARTS.join(", ::")
        ))),
    }
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn understands_words_and_directives_and_nothing_else() {
        for good in [
            "info",
            " TRACE ",
            "off",
            "info,gecko_mqtt::link=debug",
            "gecko_mqtt=warn",
            "off, gecko_mqtt::link::tcp = trace",
        ] {
            Filter::parse(good).unwrap();
        }
        for (bad, said) in [
            ("", "that is no log level"),
            (" ", "that is no log level"),
            ("loud", "that is no log level: give off, error,"),
            ("info,", "directive 2 is no log level"),
            ("3", "that is no log level"),
            ("gecko_mqtt=loud", "that is no log level"),
            ("info,loud", "directive 2 is no log level"),
            ("==", "that names no part"),
            ("gecko_mqtt=info=b", "that is no log level"),
            (
                "gecko_mqtt::lnk=debug",
                "that names no part of the library that logs: give gecko_mqtt, or gecko_mqtt::dispatch, ::driver,",
            ),
            ("info,gecko_mqtt=debug,link=debug", "directive 3 names no part"),
            ("gecko_mqtt_other=debug", "that names no part"),
            ("gecko_mqtt::=debug", "that names no part"),
        ] {
            let error = Filter::parse(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{bad:?}");
            assert!(error.message().starts_with(said), "{bad:?}: {error}");
        }
    }

    #[test]
    fn the_longest_name_decides() {
        let filter = Filter::parse("info,gecko_mqtt::link::tcp=trace,gecko_mqtt::link=warn").unwrap();
        for (level, target, wanted) in [
            (Level::INFO, "gecko_mqtt::driver", true),
            (Level::DEBUG, "gecko_mqtt::driver", false),
            (Level::INFO, "gecko_mqtt::link", false),
            (Level::WARN, "gecko_mqtt::link::tls", true),
            (Level::TRACE, "gecko_mqtt::link::tcp", true),
            (Level::INFO, "gecko_mqtt::linkage", true),
            (Level::ERROR, "gecko_mqtt_sim", false),
            (Level::ERROR, "rustls", false),
        ] {
            assert_eq!(filter.wants(level, target), wanted, "{level} {target}");
        }
        assert_eq!(filter.max_level(), LevelFilter::TRACE);
        assert_eq!(Filter::parse("off").unwrap().max_level(), LevelFilter::OFF);
        let last = Filter::parse("debug,warn,gecko_mqtt::link=info,gecko_mqtt::link=off").unwrap();
        assert_eq!(last.max_level(), LevelFilter::WARN);
        assert!(!last.wants(Level::ERROR, "gecko_mqtt::link"));
    }

    /// The statements of a folder's sources, but for those of tests.
    fn logs(path: &Path) -> bool {
        if path.is_dir() {
            return std::fs::read_dir(path).unwrap().any(|entry| logs(&entry.unwrap().path()));
        }
        let source = std::fs::read_to_string(path).unwrap();
        ["error!", "warn!", "info!", "debug!", "trace!"]
            .iter()
            .any(|macro_name| source.contains(&format!("tracing::{macro_name}(")))
    }

    #[test]
    fn every_part_that_logs_can_be_named() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = BTreeSet::from(["log".to_owned()]);
        for entry in std::fs::read_dir(sources).unwrap() {
            let path = entry.unwrap().path();
            if logs(&path) {
                found.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
            }
        }
        assert_eq!(found, PARTS.iter().map(|part| (*part).to_owned()).collect());
    }
}
