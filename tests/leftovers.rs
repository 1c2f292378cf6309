//! What is left in the host's process when the last client is gone: nothing. A program of its own, because it
//! counts the process's threads and descriptors.
#![cfg(target_os = "linux")]

mod support;

use gecko_mqtt::{Client, Completion, QoS, TokenInput, TokenRequest, token_request_complete};
use std::fs;
use std::sync::Arc;
use std::time::Instant;
use support::*;

fn library_threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).filter(|name| name.starts_with("gecko-mqtt")).collect()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// A thread that has been joined may still be listed for a moment.
fn assert_no_thread_left() {
    let deadline = Instant::now() + LIMIT;
    while !library_threads().is_empty() {
        assert!(Instant::now() < deadline, "left: {:?}", library_threads());
        std::thread::yield_now();
    }
}

fn exercise(sim: &Arc<Sim>) -> Vec<Client> {
    let minter = sim.clone();
    let mut by_provider = sim.trusting();
    let provider = move |request: TokenRequest| {
        let url = minter.mint_token(std::time::Duration::from_secs(60)).unwrap().broker_url;
        token_request_complete(request, &TokenInput { broker_url: Some(&url), ..TokenInput::default() })
            .unwrap();
    };
    by_provider.set_token_provider(Arc::new(provider)).unwrap();
    let mut nowhere = sim.trusting();
    nowhere.set_endpoint("nonexistent.invalid").unwrap();
    let lost = client(&nowhere);
    lost.connect(gecko_mqtt::Wait::For(std::time::Duration::ZERO)).unwrap();
    let mut clients: Vec<Client> =
        [by_provider, sim.by_token(), sim.by_certificate()].iter().map(connected).collect();
    for client in &clients {
        let seen = subscribed(client, "left/over", QoS::AtLeastOnce);
        client.publish(&message("left/over", b"x", QoS::AtLeastOnce), Completion::None).unwrap();
        seen.wait_for(1);
    }
    clients.push(lost);
    clients
}

#[test]
fn no_thread_and_no_descriptor_is_left() {
    let sim = Arc::new(Sim::aws());
    // Once, for what the standard library and the simulator keep.
    drop(exercise(&sim));
    assert_no_thread_left();
    sim.wait_until("the simulator has closed its ends", |sim| sim.stats().open_connections == 0);
    let before = descriptors();
    for _ in 0..3 {
        let clients = exercise(&sim);
        assert!(library_threads().len() <= 8, "{:?}", library_threads());
        drop(clients);
        assert_no_thread_left();
        sim.wait_until("the simulator has closed its ends", |sim| sim.stats().open_connections == 0);
        assert_eq!(descriptors(), before);
    }
}
