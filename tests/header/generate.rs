//! Makes the header, and compares it with the one in the repository.

use super::{header_path, root};
use cbindgen::{Builder, Config};
use std::collections::BTreeSet;
use std::path::Path;

/// The sources, in the order in which a reader wants to meet them.
const SOURCES: [&str; 22] = [
    "status.rs",
    "library.rs",
    "callback.rs",
    "options/mod.rs",
    "options/server.rs",
    "options/credentials.rs",
    "options/session.rs",
    "options/behaviour.rs",
    "client.rs",
    "connection.rs",
    "event.rs",
    "history.rs",
    "stats.rs",
    "app_state.rs",
    "ack.rs",
    "message.rs",
    "retained.rs",
    "publish.rs",
    "subscribe.rs",
    "token.rs",
    "certificate.rs",
    "log.rs",
];

fn generate() -> String {
    let mut config = Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml is valid");
    let includes = config.after_includes.take().expect("cbindgen.toml has after_includes");
    config.after_includes = Some(
        includes
            .replace("@MAJOR@", env!("CARGO_PKG_VERSION_MAJOR"))
            .replace("@MINOR@", env!("CARGO_PKG_VERSION_MINOR"))
            .replace("@PATCH@", env!("CARGO_PKG_VERSION_PATCH")),
    );
    let mut builder = Builder::new().with_config(config);
    // A folder's `mod.rs` brings its other files along.
    let along = |source: &&&str| !source.contains('/') || source.ends_with("mod.rs");
    for source in SOURCES.iter().filter(along) {
        builder = builder.with_src(root().join("src/ffi").join(source));
    }
    let mut text = Vec::new();
    builder.generate().expect("the boundary can be said in C").write(&mut text);
    String::from_utf8(text).expect("the header is UTF-8").trim_start().to_owned()
}

#[test]
fn the_header_is_what_the_sources_say() {
    let generated = generate();
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(header_path(), &generated).expect("the header can be written");
    }
    let committed = std::fs::read_to_string(header_path()).unwrap_or_default();
    let difference = committed.lines().zip(generated.lines()).enumerate().find(|(_, (old, new))| old != new);
    if let Some((line, (old, new))) = difference {
        panic!(
            "include/gecko_mqtt.h is not up to date, from line {} on:\n- {old}\n+ {new}\n\
             UPDATE_HEADER=1 cargo test --test header",
            line + 1
        );
    }
    assert!(
        committed == generated,
        "include/gecko_mqtt.h ends elsewhere: UPDATE_HEADER=1 cargo test --test header"
    );
}

#[test]
fn no_source_of_the_boundary_is_forgotten() {
    fn public(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                public(&path, found);
            } else if std::fs::read_to_string(&path).unwrap().contains("gecko_mqtt_") {
                let name = path.strip_prefix(root().join("src/ffi")).unwrap();
                found.insert(name.to_str().unwrap().to_owned());
            }
        }
    }
    let mut found = BTreeSet::new();
    public(&root().join("src/ffi"), &mut found);
    // These only use what others define.
    found.remove("android.rs"); // of one platform, and not in the header, which is the same everywhere
    for internal in ["error.rs", "message/tests.rs", "retained/tests.rs", "arg/tests.rs"] {
        found.remove(internal);
    }
    assert_eq!(found, SOURCES.iter().map(|name| name.to_string()).collect());
}
