//! NOTICES.md names everything that is linked into the library, with its licence and that licence's text. It is written by
//! `scripts/notices`, and this says when that is due, without a network.

mod licence;
mod linked;

use linked::{Crate, linked};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What the library is built for and shipped with, and what each stands for.
const TARGETS: [(&str, &str); 3] = [
    ("x86_64-unknown-linux-gnu", "Linux"),
    ("aarch64-linux-android", "Android"),
    ("aarch64-apple-ios", "Apple"),
];

const BEGINNING: &str = "\
# Notices

`libgecko_mqtt` is licensed under the [Apache License 2.0](LICENSE). Linked into it are the Rust standard library and the crates
below. Written by `scripts/notices`: do not edit.

## Rust standard library

Copyright the Rust project contributors (<https://thanks.rust-lang.org>); MIT or Apache-2.0 at your option. Parts of it come from
elsewhere: addr2line, adler2, backtrace, cfg-if, compiler_builtins, gimli, hashbrown, libc, memchr, miniz_oxide, object and
rustc-demangle, under the same or (adler2, miniz_oxide, memchr) more licences at your option; tables of Unicode, Inc (Unicode-3.0,
below). With glibc also the unwinder of GCC, whose Runtime Library Exception asks for nothing where it is linked into something
else; with musl LLVM's libunwind (Apache-2.0 with the LLVM exception) and musl (MIT). The Rust that compiled the library has the
whole list: `share/doc/rust/COPYRIGHT-library.html` below `rustc --print sysroot`. The texts of MIT and Apache-2.0 are below, too.
";

const UNICODE: &str = include_str!("unicode-3.0.txt");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn path() -> PathBuf {
    root().join("NOTICES.md")
}

/// A crate, and for which targets it is linked.
type Crates = BTreeMap<Crate, Vec<&'static str>>;

/// What is linked for those targets whose crates are on this machine, and the names of the others.
fn all() -> (Crates, Vec<&'static str>) {
    let (mut crates, mut absent) = (Crates::new(), Vec::new());
    for (target, name) in TARGETS {
        match linked(target) {
            Some(found) => found.into_iter().for_each(|one| crates.entry(one).or_default().push(name)),
            None => absent.push(name),
        }
    }
    (crates, absent)
}

/// A text in one form, so that copies with other line ends and margins are one.
fn tidy(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').replace("```", "'''")
}

fn render(crates: &Crates) -> String {
    let mut texts: Vec<String> = Vec::new();
    // Copies that differ in nothing but line breaks are one text.
    let mut known: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    let mut out = format!(
        "{BEGINNING}\n```text\n{}\n```\n\n## Crates\n\n| crate | licence | for | texts |\n| --- | --- | --- | --- |\n",
        tidy(UNICODE)
    );
    for (one, targets) in crates {
        let mut numbers = Vec::new();
        for text in &one.texts {
            let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
            let number = *known.entry(words).or_insert_with(|| {
                texts.push(tidy(text));
                texts.len()
            });
            numbers.push(format!("[{number}](#{number})"));
        }
        let targets = if targets.len() == TARGETS.len() { "all".to_owned() } else { targets.join(", ") };
        let (name, version, licence) = (&one.name, &one.version, &one.licence);
        let _ = writeln!(out, "| {name} {version} | {licence} | {targets} | {} |", numbers.join(" "));
    }
    out.push_str("\n## Texts\n");
    for (index, text) in texts.iter().enumerate() {
        let _ = write!(out, "\n### {}\n\n```text\n{text}\n```\n", index + 1);
    }
    out
}

#[test]
fn the_notices_are_those_of_what_is_linked() {
    let (crates, absent) = all();
    let path = path();
    if std::env::var_os("UPDATE_NOTICES").is_some() {
        assert!(absent.is_empty(), "the crates for {} are not here: run scripts/notices", absent.join(", "));
        std::fs::write(&path, render(&crates)).expect("NOTICES.md can be written");
    }
    let committed = std::fs::read_to_string(&path).expect("NOTICES.md is there");
    if absent.is_empty() {
        let difference =
            committed.lines().zip(render(&crates).lines().map(str::to_owned).collect::<Vec<_>>());
        let first = difference.enumerate().find(|(_, (old, new))| old != new);
        assert!(committed == render(&crates), "NOTICES.md is not up to date, {first:?}: run scripts/notices");
        return;
    }
    // Without the crates of the other targets: those that are here, word by word.
    println!("not compared, since their crates are not on this machine: those for {}", absent.join(", "));
    let tidied = committed.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    for one in crates.keys() {
        let row = format!("| {} {} | {} |", one.name, one.version, one.licence);
        assert!(committed.contains(&row), "NOTICES.md does not have {row}: run scripts/notices");
        for text in &one.texts {
            let words = tidy(text).split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
            assert!(tidied.contains(&words), "a text of {} is not there: run scripts/notices", one.name);
        }
    }
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for (name, version) in rows(&committed) {
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"");
        assert!(
            lock.contains(&entry),
            "NOTICES.md has {name} {version}, Cargo.lock has not: run scripts/notices"
        );
    }
}

/// The crates in the table.
fn rows(notices: &str) -> impl Iterator<Item = (&str, &str)> {
    let table = notices.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let table = table.take_while(|line| line.starts_with("| "));
    table.filter_map(|line| line.split('|').nth(1)?.trim().split_once(' '))
}

/// A crate whose licence asks for more than a notice shall not come in unseen.
#[test]
fn every_licence_is_one_that_asks_for_a_notice_only() {
    let committed = std::fs::read_to_string(path()).expect("NOTICES.md is there");
    let mut count = 0;
    for line in committed.lines().filter(|line| line.starts_with("| ")).skip(2) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        assert!(
            licence::is_allowed(cells[2]),
            "{} is under {}, which nobody has agreed to",
            cells[1],
            cells[2]
        );
        count += 1;
    }
    assert!(count > 20, "only {count} crates");
    for one in all().0.keys() {
        assert!(licence::is_allowed(&one.licence), "{} is under {}", one.name, one.licence);
        assert!(!one.texts.is_empty(), "{} has no licence text in its sources", one.name);
    }
}
