//! What programs that were compiled against the library rely on: it is written down in `abi/`, and only grows.
#![cfg(all(unix, target_pointer_width = "64"))]

use super::parse::{aliases, functions, numbers, structures};
use super::{header_path, root};
use gecko_mqtt::ffi::GECKO_MQTT_ABI_VERSION;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

/// These are elements of arrays: not even their size changes.
const FROZEN: [&str; 2] = ["gecko_mqtt_user_property_t", "gecko_mqtt_subscription_t"];

/// One promise a line, as name and value: `function gecko_mqtt_free` and `void(…)`. Sorted.
type Promises = BTreeMap<String, String>;

/// What differs, in words.
#[derive(Debug, Default, PartialEq)]
struct Difference {
    added: Vec<String>,
    broken: Vec<String>,
}

fn baseline_path() -> PathBuf {
    root().join(format!("abi/libgecko_mqtt.so.{GECKO_MQTT_ABI_VERSION}.txt"))
}

/// What the header promises. Sizes, offsets and numbers are what the C compiler makes of it.
fn promises() -> Promises {
    let mut promises = Promises::new();
    for function in functions() {
        let types: Vec<_> = function.parameters.iter().map(|parameter| &*parameter.ty).collect();
        let value = format!("{}({})", function.returns, types.join(", "));
        promises.insert(format!("function {}", function.name), value);
    }
    for (name, ty) in aliases() {
        promises.insert(format!("type {name}"), ty);
    }
    for line in measured().lines() {
        let (name, value) = line.split_once(": ").expect("the program prints pairs");
        promises.insert(name.to_owned(), value.to_owned());
    }
    promises
}

/// Compiles a program that prints what only a compiler knows, and runs it.
fn measured() -> String {
    let mut program = String::from("#include \"gecko_mqtt.h\"\n#include <stdio.h>\nint main(void) {\n");
    for name in numbers() {
        let _ = writeln!(program, "printf(\"number {name}: %lld\\n\", (long long)({name}));");
    }
    for structure in structures() {
        let ty = &structure.name;
        let _ = writeln!(program, "printf(\"struct {ty}: %zu bytes\\n\", sizeof({ty}));");
        for (of, name) in &structure.members {
            let _ = writeln!(
                program,
                "printf(\"member {ty}.{name}: at %zu, %zu bytes, {of}\\n\", \
                 offsetof({ty}, {name}), sizeof((({ty} *)0)->{name}));"
            );
        }
    }
    program.push_str("return 0;\n}\n");
    let folder = std::env::temp_dir().join(format!("gecko-mqtt-abi-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("there is a folder for temporary files");
    let (source, binary) = (folder.join("abi.c"), folder.join("abi"));
    std::fs::write(&source, program).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let include = header_path().parent().unwrap().to_owned();
    let mut compile = Command::new(&compiler);
    compile.args(["-std=c11", "-I"]).arg(include).arg(&source).arg("-o").arg(&binary);
    assert!(compile.status().expect("there is a C compiler").success(), "{compiler} fails");
    let output = Command::new(&binary).output().expect("what was compiled runs");
    std::fs::remove_dir_all(&folder).unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn compare(old: &Promises, new: &Promises) -> Difference {
    let mut difference = Difference::default();
    for (name, value) in old {
        match new.get(name) {
            None => difference.broken.push(format!("- {name}: {value}")),
            Some(now) if now == value => {}
            Some(now) if may_grow(name) && bytes(now) > bytes(value) => {
                difference.added.push(format!("+ {name}: {now}, not {value}"));
            }
            Some(now) => difference.broken.push(format!("! {name}: {now}, not {value}")),
        }
    }
    for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        let line = format!("+ {name}: {value}");
        let inside = name.strip_prefix("member ").and_then(|name| name.split_once('.'));
        let grown = inside.is_none_or(|(structure, _)| behind(old, structure, value));
        let list = if grown { &mut difference.added } else { &mut difference.broken };
        list.push(line);
    }
    difference
}

/// A structure that begins with its size may become larger.
fn may_grow(name: &str) -> bool {
    name.strip_prefix("struct ").is_some_and(|structure| !FROZEN.contains(&structure))
}

fn bytes(size: &str) -> u64 {
    size.strip_suffix(" bytes").and_then(|size| size.parse().ok()).expect("sizes are bytes")
}

/// Whether a new member begins where the structure ended; in a new structure anything may be anywhere.
fn behind(old: &Promises, structure: &str, member: &str) -> bool {
    let at =
        member.strip_prefix("at ").and_then(|rest| rest.split_once(',')).map(|(at, _)| at.parse::<u64>());
    let at = at.expect("members have a place").unwrap();
    old.get(&format!("struct {structure}")).is_none_or(|size| at >= bytes(size))
}

fn read(text: &str) -> Promises {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(": ").expect("a line is a name and a value")).map(owned).collect()
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn write(promises: &Promises) -> String {
    let mut text = format!(
        "# What programs rely on that were built against libgecko_mqtt.so.{GECKO_MQTT_ABI_VERSION}, on 64 bits.\n\
         # Written by: UPDATE_ABI=1 cargo test --test header abi\n"
    );
    for (name, value) in promises {
        let _ = writeln!(text, "{name}: {value}");
    }
    text
}

#[test]
fn programs_that_were_built_before_still_run() {
    let (path, new) = (baseline_path(), promises());
    let update = std::env::var_os("UPDATE_ABI").is_some();
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(
            update,
            "{} is not there: is {GECKO_MQTT_ABI_VERSION} a new ABI version?\nUPDATE_ABI=1 cargo test --test header abi",
            path.display()
        );
        return std::fs::write(&path, write(&new)).unwrap();
    };
    let difference = compare(&read(&text), &new);
    assert!(
        difference.broken.is_empty(),
        "programs that were built against libgecko_mqtt.so.{GECKO_MQTT_ABI_VERSION} would break:\n{}\n\n\
         Keep what was there. If that cannot be, raise ABI_VERSION in build.rs and GECKO_MQTT_ABI_VERSION in \
         src/ffi/library.rs, which changes the SONAME, and run: UPDATE_ABI=1 cargo test --test header abi\n\
         (As long as nothing with this number was released: remove {} first.)",
        difference.broken.join("\n"),
        path.display()
    );
    if update {
        std::fs::write(&path, write(&new)).unwrap();
    } else {
        assert!(
            difference.added.is_empty(),
            "programs built before still run, but {} does not have:\n{}\n\nUPDATE_ABI=1 cargo test --test header abi",
            path.display(),
            difference.added.join("\n")
        );
    }
}

/// A structure that could not grow would break the ABI one day.
#[test]
fn structures_begin_with_their_size_or_are_frozen() {
    let open: BTreeSet<_> = structures()
        .into_iter()
        .filter(|one| one.members[0] != ("uint32_t".to_owned(), "size".to_owned()))
        .map(|one| one.name)
        .collect();
    assert_eq!(open, FROZEN.map(str::to_owned).into());
}

#[test]
fn tells_what_breaks_from_what_grows() {
    let base = "function f: int(int)\nnumber N: 1\nstruct gecko_mqtt_ack_t: 8 bytes\n\
                member gecko_mqtt_ack_t.size: at 0, 4 bytes, uint32_t\n\
                struct gecko_mqtt_subscription_t: 8 bytes\n";
    let after = |from: &str, to: &str| {
        assert!(base.contains(from));
        let difference = compare(&read(base), &read(&base.replace(from, to)));
        (difference.added.len(), difference.broken.len())
    };
    assert_eq!(after("number N", "number N"), (0, 0));
    for (from, to) in [
        ("function f: int(int)\n", ""),
        ("int(int)", "int(long)"),
        ("N: 1", "N: 2"),
        ("number N", "number M"),
        ("at 0, 4", "at 4, 4"),
        ("ack_t: 8", "ack_t: 4"),
        ("subscription_t: 8", "subscription_t: 16"),
        ("uint32_t\n", "uint32_t\nmember gecko_mqtt_ack_t.status: at 4, 4 bytes, int32_t\n"),
    ] {
        assert_ne!(after(from, to).1, 0, "{from} -> {to}");
    }
    for (from, to) in [
        ("number N", "number A: 7\nnumber N"),
        ("function f", "function e: void()\nfunction f"),
        ("ack_t: 8", "ack_t: 16"),
        ("uint32_t\n", "uint32_t\nmember gecko_mqtt_ack_t.status: at 8, 4 bytes, int32_t\n"),
        (
            "struct",
            "struct gecko_mqtt_new_t: 4 bytes\nmember gecko_mqtt_new_t.size: at 0, 4 bytes, uint32_t\nstruct",
        ),
    ] {
        let (added, broken) = after(from, to);
        assert!(added > 0 && broken == 0, "{from} -> {to}");
    }
}
