//! Tells the linker what a C library needs to be told; cargo knows nothing of it.

use std::env;

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
    }
}
