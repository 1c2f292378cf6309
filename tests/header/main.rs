//! The header is made from the sources, and says what the library exports.

mod abi;
mod cpp;
mod exports;
mod generate;
mod nulls;
mod parse;

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn header_path() -> PathBuf {
    root().join("include/gecko_mqtt.h")
}

fn header() -> String {
    std::fs::read_to_string(header_path()).expect("include/gecko_mqtt.h is there")
}
