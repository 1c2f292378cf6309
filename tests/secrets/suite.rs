//! What the other tests have left, when GECKO_TEST_TRACES named a folder: `scripts/test secrets`.

use crate::search::Search;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Who must have left a log, or something else of that name's beginning.
const EXPECTED: [&str; 17] = [
    "cargo_test/live-",
    "cargo_test/leftovers-",
    "cargo_test/chaos-",
    "cargo_test/rotation-",
    "cargo_test/scenario-",
    "cargo_test/zeroized-",
    "ctest/gecko_mqtt_test_live-",
    "ctest/gecko_mqtt_test_live_cxx-",
    "ctest/gecko_mqtt_test_secrets-",
    "ctest/gecko_mqtt_test_errors-",
    "ctest/gecko_mqtt_cpp_live-",
    "ctest/quickstart-",
    "ctest/publish-",
    "ctest/token_refresh-",
    "ctest/gecko-mqtt-doctor-",
    "ctest/programs-",
    "demo/demo.",
];

/// What is in the folder and its folders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    files
}

fn is_list(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.starts_with("secrets-") && name.ends_with(".txt")
}

/// A line's percent-encoded end.
fn decoded(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    bytes
}

/// The secrets in the lists, each once, and how many there are of each kind.
fn secrets(folder: &Path) -> (Search, BTreeMap<String, usize>) {
    let (mut search, mut seen, mut kinds) = (Search::default(), BTreeSet::new(), BTreeMap::new());
    for path in files(folder).iter().filter(|path| is_list(path)) {
        for (number, line) in (1..).zip(fs::read_to_string(path).unwrap().lines()) {
            let (kind, secret) = line.split_once(' ').expect("what it is, and the secret");
            let secret = decoded(secret);
            if !seen.insert(secret.clone()) {
                continue;
            }
            *kinds.entry(kind.to_owned()).or_default() += 1;
            search.add(&format!("the {kind} of {}:{number}", path.display()), &secret);
        }
    }
    (search, kinds)
}

#[test]
#[ignore = "needs what the other tests leave: scripts/test cargo_test ctest demo secrets"]
fn no_trace_has_a_secret() {
    let folder = std::env::var_os("GECKO_TEST_TRACES").expect("GECKO_TEST_TRACES names no folder");
    let folder = Path::new(&folder);
    let (search, kinds) = secrets(folder);
    for kind in ["token", "signature", "password", "key"] {
        assert!(kinds.get(kind).is_some_and(|&count| count >= 2), "no {kind} was in use: {kinds:?}");
    }
    let traces: Vec<PathBuf> = files(folder).into_iter().filter(|path| !is_list(path)).collect();
    // Only where there is a JVM.
    let kotlin = folder.join("kotlin").exists().then_some("kotlin/kotlin-");
    for expected in EXPECTED.into_iter().chain(kotlin) {
        let left = |path: &&PathBuf| {
            path.strip_prefix(folder).unwrap().to_str().unwrap().starts_with(expected)
                && path.metadata().unwrap().len() > 0
        };
        assert!(traces.iter().any(|path| left(&path)), "{expected}… has left nothing");
    }

    let (mut reports, mut lines, mut log) = (Vec::new(), 0, None);
    for path in &traces {
        let text = fs::read(path).unwrap();
        lines += text.iter().filter(|&&byte| byte == b'\n').count();
        for found in search.find(&text) {
            let line = text[..found.at].iter().filter(|&&byte| byte == b'\n').count() + 1;
            reports.push(format!("{}:{line}: {}", path.display(), found.secret));
        }
        let is_log = |line: &str| line.contains(" TRACE ") && line.contains(" gecko_mqtt::");
        if String::from_utf8_lossy(&text).lines().any(is_log) {
            log = Some(text);
        }
    }
    reports.dedup();
    let shown = &reports[..reports.len().min(50)];
    assert!(reports.is_empty(), "secrets were told in {} places:\n{}", reports.len(), shown.join("\n"));

    // And it would have been seen: each of them, in a log as it is written.
    let mut log = log.expect("nothing was logged at TRACE");
    log.truncate(20_000);
    let mut planted = 0;
    for path in files(folder).iter().filter(|path| is_list(path)) {
        for line in fs::read_to_string(path).unwrap().lines().step_by(50) {
            let secret = decoded(line.split_once(' ').unwrap().1);
            let text = [&log[..], &secret[..secret.len().min(16)]].concat();
            assert!(!search.find(&text).is_empty(), "{} would not have been found", path.display());
            planted += 1;
        }
    }
    println!(
        "{lines} lines in {} files, and none of {} secrets ({kinds:?}) is in them; {planted} planted ones were found",
        traces.len(),
        search.len()
    );
}
