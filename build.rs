//! Tells the linker what a C library needs to be told; cargo knows nothing of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// `GECKO_MQTT_ABI_VERSION`; a test compares the two.
const ABI_VERSION: u32 = 1;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let system = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let vendor = env::var("CARGO_CFG_TARGET_VENDOR").unwrap_or_default();
    if vendor == "apple" {
        // Found by the run path of whoever links it; code is never unmapped there.
        let name = format!("@rpath/libgecko_mqtt.{ABI_VERSION}.dylib");
        println!("cargo::rustc-cdylib-link-arg=-Wl,-install_name,{name}");
    } else if system != "windows" {
        // Android loads libraries by the name they are packaged under.
        let name = if system == "android" {
            "libgecko_mqtt.so".into()
        } else {
            format!("libgecko_mqtt.so.{ABI_VERSION}")
        };
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,{name}");
        // A thread that still runs has destructors in this code for its thread-local storage, and signal masks
        // and fork handlers live on too: after a dlclose the code must stay.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
        link_unwinder_statically();
    }
}

/// The standard library asks for `libgcc_s.so.1`, 125 kB that a small device may not have, for the sake of its unwinder.
/// There are archives with the same in them, of which 20 kB are needed. Where they are, the name that is asked for leads
/// there; `-static-libgcc` would not, for it concerns only what the compiler itself adds.
fn link_unwinder_statically() {
    let cfg = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let musl = cfg("ENV") == "musl";
    if cfg("OS") != "linux" || !(musl || cfg("ENV") == "gnu") {
        return;
    }
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let compiler = env::var("RUSTC_LINKER").unwrap_or_else(|_| "cc".into());
    // Rust brings its own for musl: that of the compiler may be for glibc.
    let unwinder = if musl { rust_archive("libunwind.a") } else { None };
    let (Some(unwinder), Some(rest)) =
        (unwinder.or_else(|| archive(&compiler, "libgcc_eh.a")), archive(&compiler, "libgcc.a"))
    else {
        return;
    };
    let folder = Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("unwinder");
    let script = format!("GROUP ( \"{}\" \"{}\" )\n", unwinder.display(), rest.display());
    if fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join("libgcc_s.so"), script)).is_ok() {
        println!("cargo::rustc-cdylib-link-arg=-L{}", folder.display());
    }
}

/// Where the compiler has this archive. It answers with the bare name where it has none.
fn archive(compiler: &str, name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(answer(compiler, &[&format!("-print-file-name={name}")])?);
    (path.is_absolute() && path.is_file()).then_some(path)
}

/// Where Rust has this archive for the target. Distributions leave it out.
fn rust_archive(name: &str) -> Option<PathBuf> {
    let (rustc, target) = (env::var("RUSTC").ok()?, env::var("TARGET").ok()?);
    let path = Path::new(&answer(&rustc, &["--print", "target-libdir", "--target", &target])?)
        .join("self-contained")
        .join(name);
    path.is_file().then_some(path)
}

fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
