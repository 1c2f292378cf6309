//! What the shared library shows to a linker.
#![cfg(unix)]

use super::parse::functions;
use object::{Object, ObjectSymbol};
use std::collections::BTreeSet;

fn library() -> Vec<u8> {
    let tests = std::env::current_exe().expect("a test knows where it is");
    let folder = tests.parent().expect("in the folder of dependencies");
    let name = if cfg!(target_vendor = "apple") { "libgecko_mqtt.dylib" } else { "libgecko_mqtt.so" };
    std::fs::read(folder.join(name)).expect("the library was built for this test")
}

#[test]
fn exactly_the_functions_of_the_header_are_exported() {
    let data = library();
    let file = object::File::parse(&*data).expect("a shared library");
    let mut exported = BTreeSet::new();
    let names: Vec<String> = match file.format() {
        object::BinaryFormat::Elf => file
            .dynamic_symbols()
            .filter(|symbol| symbol.is_definition() && symbol.is_global())
            .map(|symbol| symbol.name().unwrap().to_owned())
            .collect(),
        _ => {
            let names = file.exports().unwrap().into_iter();
            names
                .map(|export| String::from_utf8_lossy(export.name()).trim_start_matches('_').to_owned())
                .collect()
        }
    };
    exported.extend(names);
    let declared: BTreeSet<_> = functions().into_iter().map(|function| function.name).collect();
    assert_eq!(exported, declared);
}

#[test]
#[cfg(target_os = "linux")]
fn it_needs_only_libc_carries_its_abi_and_stays_mapped() {
    use object::elf;
    use object::read::elf::{Dyn, ElfFile64, FileHeader};
    if cfg!(not(target_pointer_width = "64")) {
        return;
    }
    let data = library();
    let file = ElfFile64::<object::Endianness>::parse(&*data).expect("an ELF file");
    let endian = file.endian();
    let sections = file.elf_header().sections(endian, &*data).unwrap();
    let (dynamic, strings) = sections.dynamic(endian, &*data).unwrap().expect("a dynamic section");
    let strings = sections.strings(endian, &*data, strings).unwrap();
    let entry = |tag| dynamic.iter().find(|entry| entry.d_tag.get(endian) == u64::from(tag));
    let soname = entry(elf::DT_SONAME).expect("a SONAME").string(endian, strings).unwrap();
    let expected = format!("libgecko_mqtt.so.{}", gecko_mqtt::ffi::GECKO_MQTT_ABI_VERSION);
    assert_eq!(std::str::from_utf8(soname), Ok(&*expected));
    let flags = entry(elf::DT_FLAGS_1).expect("flags").d_val(endian);
    assert_ne!(flags & u64::from(elf::DF_1_NODELETE), 0, "thread-local destructors outlive a dlclose");
    // What a small device may not have is linked in.
    let needed = dynamic.iter().filter(|entry| entry.d_tag.get(endian) == u64::from(elf::DT_NEEDED));
    for library in needed.map(|entry| std::str::from_utf8(entry.string(endian, strings).unwrap()).unwrap()) {
        let of_libc = ["libc.so", "libm.so", "libpthread.so", "libdl.so", "librt.so", "ld-linux"];
        assert!(of_libc.iter().any(|start| library.starts_with(start)), "{library} is no part of libc");
    }
}
