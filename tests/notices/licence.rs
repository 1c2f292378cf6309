//! Licence expressions, as crates have them (SPDX, and the older "MIT/Apache-2.0").

/// Those that ask for nothing but a notice.
const ALLOWED: [&str; 8] =
    ["MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Unicode-3.0", "Unicode-DFS-2016", "Zlib"];

/// Whether one can choose so that only such licences hold. What cannot be understood is not.
pub fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut words = &words[..];
    alternatives(&mut words) == Some(true) && words.is_empty()
}

fn alternatives(words: &mut &[&str]) -> Option<bool> {
    let mut allowed = all(words)?;
    while take(words, "OR") {
        // Not short-circuited: it is read in any case.
        allowed |= all(words)?;
    }
    Some(allowed)
}

fn all(words: &mut &[&str]) -> Option<bool> {
    let mut allowed = one(words)?;
    while take(words, "AND") {
        allowed &= one(words)?;
    }
    Some(allowed)
}

fn one(words: &mut &[&str]) -> Option<bool> {
    if take(words, "(") {
        let allowed = alternatives(words)?;
        return take(words, ")").then_some(allowed);
    }
    let (name, rest) = words.split_first()?;
    *words = rest;
    let exception = take(words, "WITH");
    if exception {
        *words = words.split_first()?.1;
    }
    Some(ALLOWED.contains(name) && !exception)
}

fn take(words: &mut &[&str], word: &str) -> bool {
    let found = words.first() == Some(&word);
    if found {
        *words = &words[1..];
    }
    found
}

#[test]
fn chooses_among_alternatives_and_keeps_to_all_of_a_list() {
    for good in [
        "MIT",
        "MIT OR Apache-2.0",
        "MIT/Apache-2.0",
        "Unlicense OR MIT",
        "Apache-2.0 AND ISC",
        "(MIT OR GPL-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
    ] {
        assert!(is_allowed(good), "{good}");
    }
    for bad in [
        "",
        "MPL-2.0",
        "GPL-3.0-or-later",
        "MIT AND MPL-2.0",
        "GPL-2.0 OR (MIT AND LGPL-2.1)",
        "Apache-2.0 WITH LLVM-exception",
        "MIT OR",
        "(MIT",
        "MIT)",
    ] {
        assert!(!is_allowed(bad), "{bad}");
    }
}
