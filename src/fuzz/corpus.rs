//! Every input in the repository, through the target that it is for: the corpus is a regression test without `cargo
//! fuzz`, on every toolchain.

use std::fs;
use std::path::Path;

/// Names the input that the target did not survive.
struct Running<'a>(&'a Path);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input was {}", self.0.display());
        }
    }
}

fn replay(target: &str, run: fn(&[u8])) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for (folder, may_be_missing) in [("seeds", false), ("corpus", false), ("regressions", true)] {
        let folder = root.join(folder).join(target);
        if may_be_missing && !folder.exists() {
            continue;
        }
        let mut inputs: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!inputs.is_empty(), "{} is empty", folder.display());
        inputs.sort();
        for input in inputs {
            let _running = Running(&input);
            run(&fs::read(&input).unwrap());
        }
    }
}

#[test]
fn connection() {
    replay("connection", super::connection);
}

#[test]
fn broker_url() {
    replay("broker_url", super::broker_url);
}

#[test]
fn token() {
    replay("token", super::token);
}
