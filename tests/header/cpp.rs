//! The C++ header has all that the C header has.

use super::parse::functions;
use super::{header, root};

/// The C++ header, with what it includes.
fn cpp() -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(root().join("include/gecko_mqtt")).unwrap() {
        text.push_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    text
}

/// Whether the name is there as a whole.
fn names(text: &str, name: &str) -> bool {
    let part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    text.match_indices(name).any(|(at, _)| {
        let bytes = text.as_bytes();
        !part(at.checked_sub(1).map(|before| &bytes[before])) && !part(bytes.get(at + name.len()))
    })
}

#[test]
fn every_function_of_c_has_one_in_cpp() {
    let cpp = cpp();
    // Used as they are; and initialisers for languages without macros.
    let plain = ["gecko_mqtt_version", "gecko_mqtt_abi_version"];
    let is_plain =
        |name: &str| plain.contains(&name) || name.ends_with("_init") && !name.starts_with("gecko_mqtt_log_");
    let missing: Vec<_> = functions()
        .into_iter()
        .map(|function| function.name)
        .filter(|name| !is_plain(name) && !names(&cpp, name))
        .collect();
    assert_eq!(missing, [""; 0], "functions without a wrapper in include/gecko_mqtt/*.hpp");
}

#[test]
fn every_value_of_c_has_one_in_cpp() {
    let (header, cpp) = (header(), cpp());
    let groups = ["OK", "ERR_", "STATE_", "EVENT_", "QUEUE_", "DISPATCH_", "LOG_"];
    let values =
        header.lines().filter_map(|line| line.strip_prefix("#define GECKO_MQTT_")?.split(' ').next());
    let missing: Vec<_> = values
        .filter(|name| groups.iter().any(|group| name.starts_with(group)))
        .filter(|name| {
            let short = name.strip_prefix("ERR_").unwrap_or(name);
            let enumerators = groups.iter().filter_map(|group| short.strip_prefix(group)).chain([short]);
            // Each has its enumerator, with the number of C: `queue_full = GECKO_MQTT_ERR_QUEUE_FULL`.
            !enumerators
                .map(str::to_lowercase)
                .any(|enumerator| names(&cpp, &format!("{enumerator} = GECKO_MQTT_{name}")))
        })
        .collect();
    assert_eq!(missing, [""; 0], "values without an enumerator in include/gecko_mqtt/*.hpp");
}
