//! What tests leave for `tests/secrets`, where GECKO_TEST_TRACES names a folder: the library's log at TRACE, with every
//! event in it, the texts of the errors that helpers see, and the secrets that were in use.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::OnceLock;

/// A file of this process in the folder; `None` where there are no traces to be left.
pub fn file(beginning: &str, end: &str) -> Option<PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| std::env::var_os("GECKO_TEST_TRACES").map(PathBuf::from)).as_ref()?;
    Some(folder.join(format!("{beginning}-{}.{end}", std::process::id())))
}

/// The test program's name, without what cargo appends.
fn program() -> String {
    let path = std::env::current_exe().unwrap();
    let name = path.file_stem().unwrap().to_str().unwrap();
    name.rsplit_once('-').map_or(name, |(name, _)| name).to_owned()
}

fn append(path: PathBuf, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Starts the log, unless the program has one of its own.
pub fn begin() {
    static BEGUN: OnceLock<()> = OnceLock::new();
    BEGUN.get_or_init(|| {
        if let Some(log) = file(&program(), "log") {
            let _ = gecko_mqtt::log::init("trace", log.to_str(), false);
        }
    });
}

/// A text that the application was told.
pub fn note(text: impl Display) {
    if let Some(texts) = file(&program(), "texts") {
        append(texts, &format!("{text}\n"));
    }
}

/// A secret that this test made up; the simulator lists its own.
pub fn secret(what: &str, secret: &[u8]) {
    assert!(secret.len() >= 8, "so short a text is found by chance");
    if let Some(list) = secrets_file() {
        let encoded: String = secret.iter().map(|byte| format!("%{byte:02X}")).collect();
        append(list, &format!("{what} {encoded}\n"));
    }
}

/// Where the simulator lists its secrets.
pub fn secrets_file() -> Option<PathBuf> {
    file("secrets", "txt")
}
