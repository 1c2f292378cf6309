//! The process that all runs live in. Whoever leaves last finds neither a thread nor a descriptor of the library, and
//! memory that did not grow with what was published.

use crate::support::LIMIT;
use crate::support::proxy::Proxy;
use crate::support::traces;
use std::fs;
use std::sync::Mutex;
use std::time::Instant;

/// Clients, proxies, simulators and their threads took half of it at the most.
const MOST_GROWTH_KIB: u64 = 32 * 1024;
/// What a ledger may keep of a publication.
const PUBLICATION_BYTES: u64 = 100;

struct House {
    inside: usize,
    descriptors: usize,
    memory_kib: u64,
    published: u64,
}

static HOUSE: Mutex<House> = Mutex::new(House { inside: 0, descriptors: 0, memory_kib: 0, published: 0 });

pub fn enter() {
    let mut house = HOUSE.lock().unwrap();
    if house.inside == 0 {
        // Once, for what tokio and the log keep.
        traces::begin();
        drop(Proxy::to(0));
        house.descriptors = descriptors();
        house.memory_kib = status("VmRSS");
        house.published = 0;
    }
    house.inside += 1;
}

/// When everything that the run had made is gone.
pub fn leave(published: u64) {
    let mut house = HOUSE.lock().unwrap();
    house.inside -= 1;
    house.published += published;
    if house.inside > 0 {
        return;
    }
    let deadline = Instant::now() + LIMIT;
    // A thread that has been joined may still be listed for a moment.
    while !library_threads().is_empty() || descriptors() > house.descriptors {
        let left = (library_threads(), descriptors());
        assert!(Instant::now() < deadline, "left: {left:?}, {} descriptors before", house.descriptors);
        std::thread::yield_now();
    }
    let grown = status("VmHWM").saturating_sub(house.memory_kib);
    let most = MOST_GROWTH_KIB + house.published * PUBLICATION_BYTES / 1024;
    println!("memory grew by {grown} of {most} KiB, for {} publications", house.published);
    assert!(grown < most, "memory grew by {grown} KiB, more than {most}");
}

fn library_threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).filter(|name| name.starts_with("gecko-mqtt")).collect()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// A number of /proc/self/status, in KiB.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
