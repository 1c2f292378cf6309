//! How often memory is asked for: once for a publish, which has to be kept, and not at all for a received message. A program
//! of its own, because it counts the process's allocations. `cargo test --test allocations -- --nocapture` prints them.

#[path = "support/blackhole.rs"]
mod blackhole;

use blackhole::{Blackhole, publishes};
use gecko_mqtt::bench::Line;
use gecko_mqtt::{Client, Completion, Message, Options, QoS, Wait};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
/// The tests share the counter.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

// SAFETY: the system's allocator does all the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, SeqCst);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, SeqCst);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations for each of so many messages.
fn each(what: &str, count: usize, work: impl FnOnce()) -> f64 {
    let before = ALLOCATIONS.load(SeqCst);
    work();
    let each = (ALLOCATIONS.load(SeqCst) - before) as f64 / count as f64;
    println!("{what}: {each:.3} allocations a message");
    each
}

fn message(qos: QoS) -> Message<'static> {
    Message { topic: "bench/allocations", payload: &[b'x'; 64], qos, ..Message::default() }
}

#[test]
fn a_session_allocates_for_what_it_has_to_keep_and_nothing_else() {
    let _one = ONE_AT_A_TIME.lock().unwrap();
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
        let mut line = Line::default();
        line.publish(&message(qos), 1000).unwrap();
        let allocations = each(&format!("a session publishes {qos:?}"), 1000, || {
            assert_eq!(line.publish(&message(qos), 1000).unwrap(), 1000);
        });
        // The message, and now and then a vector that grows.
        assert!(allocations < 1.05, "{allocations}");

        let packets = publishes("bench/allocations", &[b'x'; 64], qos.level(), 1000);
        line.receive(&packets);
        let allocations = each(&format!("a session receives {qos:?}"), 1000, || {
            assert_eq!(line.receive(&packets), 1000);
        });
        assert!(allocations == 0.0, "{allocations}");
    }
}

/// Through threads and sockets: what a batch costs is shared by as many messages as it happens to have.
#[test]
fn a_client_allocates_little() {
    const COUNT: usize = 10_000;
    let _one = ONE_AT_A_TIME.lock().unwrap();
    let server = Blackhole::start();
    let mut options = Options::default();
    options.set_broker_url(&format!("mqtt://127.0.0.1:{}", server.port)).unwrap();
    let client = Client::new(&options).unwrap();
    client.connect(Wait::Default).unwrap();
    let mut stream = server.stream();

    static ENDED: AtomicUsize = AtomicUsize::new(0);
    let publish = |qos| {
        ENDED.store(0, SeqCst);
        for sent in 0..COUNT {
            while sent - ENDED.load(SeqCst) >= 500 {
                thread::yield_now();
            }
            let ended = Completion::Plain { call: |_, _| _ = ENDED.fetch_add(1, SeqCst), words: [0; 2] };
            client.publish(&message(qos), ended).unwrap();
        }
        wait_for(&ENDED, COUNT);
    };
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
        publish(qos);
        let allocations = each(&format!("a client publishes {qos:?}"), COUNT, || publish(qos));
        // If every batch were of one message.
        assert!(allocations <= 8.0, "{allocations}");
    }

    let received = Arc::new(AtomicUsize::new(0));
    let count = received.clone();
    client.on_message(0, Box::new(move |_, _| _ = count.fetch_add(1, SeqCst))).unwrap();
    for qos in [0, 1] {
        // Within the receive maximum.
        let packets = publishes("bench/allocations", &[b'x'; 64], qos, 200);
        let mut receive = || {
            for round in 1..=COUNT / 200 {
                stream.write_all(&packets).unwrap();
                wait_for(&received, round * 200);
                // The identifiers are used again.
                wait_for(&server.acknowledged, if qos > 0 { round * 200 } else { 0 });
            }
            received.store(0, SeqCst);
            server.acknowledged.store(0, SeqCst);
        };
        receive();
        let allocations = each(&format!("a client receives QoS {qos}"), COUNT, receive);
        assert!(allocations <= 8.0, "{allocations}");
    }
}

fn wait_for(counter: &AtomicUsize, wanted: usize) {
    while counter.load(SeqCst) < wanted {
        thread::sleep(Duration::from_micros(100));
    }
}
