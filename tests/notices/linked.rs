//! What cargo links into the library for a target.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// A crate that is linked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crate {
    pub name: String,
    pub version: String,
    pub licence: String,
    /// What is in its licence files.
    pub texts: Vec<String>,
}

/// The library's normal dependencies and theirs; not what runs in the compiler (macros, build scripts). `None`: the
/// sources of some are not on this machine.
pub fn linked(target: &str) -> Option<BTreeSet<Crate>> {
    // `cargo metadata` alone would add what only the tests make crates want; `cargo tree` does not tell where they are.
    let platform = ["--offline", "--locked", "--filter-platform", target];
    let metadata = cargo(&[&["metadata", "--format-version", "1"], &platform[..]].concat())?;
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo writes JSON");
    let packages: Vec<&Value> = list(&metadata["packages"]).collect();
    let tree =
        ["tree", "--offline", "--locked", "--package", "gecko-mqtt", "--edges", "normal", "--no-dedupe"];
    let tree = cargo(&[&tree[..], &["--target", target, "--prefix", "depth", "--format", " {p}"]].concat())?;
    let mut found = BTreeSet::new();
    // The library itself is at depth 0. Below a macro nothing is linked.
    let mut macro_depth = u32::MAX;
    for line in tree.lines().skip(1).filter(|line| !line.is_empty()) {
        let (depth, package) = line.split_once(' ').expect("a depth and a package");
        let depth: u32 = depth.parse().expect("depths are numbers");
        if depth > macro_depth {
            continue;
        }
        macro_depth = if package.contains("(proc-macro)") { depth } else { u32::MAX };
        if macro_depth == u32::MAX {
            let mut words = package.split(' ');
            let (name, version) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let is_it = |package: &&&Value| {
                text(&package["name"]) == name && Some(text(&package["version"])) == version.strip_prefix('v')
            };
            found.insert(described(packages.iter().find(is_it).expect("it is in the metadata")));
        }
    }
    Some(found)
}

fn cargo(arguments: &[&str]) -> Option<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments).current_dir(super::root()).output().expect("cargo runs");
    output.status.success().then(|| String::from_utf8(output.stdout).expect("cargo writes UTF-8"))
}

fn described(package: &Value) -> Crate {
    let folder = Path::new(text(&package["manifest_path"])).parent().expect("a manifest is in a folder");
    let is_licence = |name: &str| {
        let name = name.to_ascii_uppercase();
        ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"].iter().any(|begin| name.starts_with(begin))
    };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the crate's sources are here")
        .map(|entry| entry.unwrap())
        .filter(|entry| {
            entry.file_type().unwrap().is_file() && is_licence(&entry.file_name().to_string_lossy())
        })
        .map(|entry| entry.path())
        .collect();
    files.sort();
    if files.is_empty() {
        // Some leave it out. Where it is Apache-2.0, that is known: it is this library's own.
        assert!(text(&package["license"]).contains("Apache-2.0"), "{} has no licence text", package["name"]);
        files.push(super::root().join("LICENSE"));
    }
    Crate {
        name: text(&package["name"]).to_owned(),
        version: text(&package["version"]).to_owned(),
        licence: package["license"].as_str().unwrap_or("unknown").to_owned(),
        texts: files.iter().map(|file| std::fs::read_to_string(file).expect("licences are UTF-8")).collect(),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("cargo writes a text there")
}
