//! What the library's own code costs, without network and threads, and what its C boundary does:
//! `cargo bench --profile release --bench library`.

#[path = "../tests/support/blackhole.rs"]
mod blackhole;

use blackhole::{Blackhole, publishes};
use criterion::{Criterion, Throughput, black_box, criterion_group, criterion_main};
use gecko_mqtt::bench::Line;
use gecko_mqtt::ffi::*;
use gecko_mqtt::packet::{self, Header, Received, Scratch, StoredPublish, topic};
use gecko_mqtt::{Message, QoS};
use std::ffi::{CString, c_void};
use std::io::Write;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const TOPIC: &str = "dt/spa/0123456789/temperature";
const SIZES: [(&str, usize); 3] = [("64 B", 64), ("1 KiB", 1024), ("16 KiB", 16 * 1024)];
const AT_ONCE: u16 = 100;

fn message(payload: &[u8], qos: QoS) -> Message<'_> {
    Message { topic: TOPIC, payload, qos, ..Message::default() }
}

fn packets(c: &mut Criterion) {
    let mut group = c.benchmark_group("packet");
    for (name, size) in SIZES {
        let payload = vec![b'x'; size];
        group.bench_function(format!("keep a publish of {name}"), |b| {
            b.iter(|| StoredPublish::new(black_box(&message(&payload, QoS::AtLeastOnce))));
        });
        let stored = StoredPublish::new(&message(&payload, QoS::AtLeastOnce)).unwrap();
        let mut out = Vec::new();
        group.bench_function(format!("encode PUBLISH of {name}"), |b| {
            b.iter(|| {
                out.clear();
                stored.write(black_box(&Header { id: 7, ..Header::default() }), &mut out);
            });
        });
        let bytes = publishes(TOPIC, &payload, 1, 1);
        group.bench_function(format!("decode PUBLISH of {name}"), |b| {
            b.iter(|| {
                let frame = packet::frame(black_box(&bytes), u32::MAX).unwrap().unwrap();
                let Ok(Received::Publish(publish)) = packet::decode(&frame) else { panic!("no PUBLISH") };
                let mut scratch = Scratch::default();
                black_box(publish.to_message(publish.topic, &mut scratch).payload.len())
            });
        });
    }
    group.finish();

    let mut group = c.benchmark_group("topic");
    for (name, filter) in [
        ("the same", TOPIC),
        ("with +", "dt/spa/+/temperature"),
        ("with #", "dt/#"),
        ("another", "dt/spa/0123456780/+"),
    ] {
        group.bench_function(name, |b| b.iter(|| topic::matches(black_box(filter), black_box(TOPIC))));
    }
    group.finish();
}

fn session(c: &mut Criterion) {
    let mut group = c.benchmark_group("session");
    group.throughput(Throughput::Elements(AT_ONCE.into()));
    for (name, size) in SIZES {
        let payload = vec![b'x'; size];
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
            let mut line = Line::default();
            group.bench_function(format!("publish 100 of {name}, QoS {}", qos.level()), |b| {
                b.iter(|| line.publish(&message(&payload, qos), AT_ONCE.into()).unwrap());
            });
            let mut line = Line::default();
            let bytes = publishes(TOPIC, &payload, qos.level(), AT_ONCE);
            group.bench_function(format!("receive 100 of {name}, QoS {}", qos.level()), |b| {
                b.iter(|| line.receive(&bytes));
            });
        }
    }
    group.finish();
}

/// A client made through the C boundary; freed when dropped.
struct Handle(*mut gecko_mqtt_client_t);

impl Handle {
    fn new(port: u16) -> Self {
        let url = CString::new(format!("mqtt://127.0.0.1:{port}")).unwrap();
        let options = gecko_mqtt_options_new();
        let mut client = ptr::null_mut();
        // SAFETY: the options are a handle, the URL a C string, and the client may be written.
        unsafe {
            assert_eq!(gecko_mqtt_options_set_broker_url(options, url.as_ptr()), 0);
            assert_eq!(gecko_mqtt_options_set_queue(options, 1_000_000, 1 << 34, 0), 0);
            assert_eq!(gecko_mqtt_options_set_dispatch(options, 1), 0);
            assert_eq!(gecko_mqtt_client_new(options, &mut client), 0);
            gecko_mqtt_options_free(options);
        }
        Self(client)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: a handle.
        unsafe { gecko_mqtt_client_free(self.0) };
    }
}

static ENDED: AtomicUsize = AtomicUsize::new(0);
static RECEIVED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C-unwind" fn ended(ack: *const gecko_mqtt_ack_t, _: *mut c_void) {
    black_box(ack);
    ENDED.fetch_add(1, Ordering::Relaxed);
}

unsafe extern "C-unwind" fn received(message: *const gecko_mqtt_message_t, _: *mut c_void) {
    black_box(message);
    RECEIVED.fetch_add(1, Ordering::Relaxed);
}

fn boundary(c: &mut Criterion) {
    let mut group = c.benchmark_group("boundary");
    group.throughput(Throughput::Elements(AT_ONCE.into()));
    for (name, size) in SIZES {
        let payload = vec![b'x'; size];
        let server = Blackhole::start();
        let client = Handle::new(server.port);
        // SAFETY: a handle, a function, and no userdata.
        unsafe {
            assert_eq!(gecko_mqtt_on_message(client.0, Some(received), ptr::null_mut(), None), 0);
            assert_eq!(gecko_mqtt_connect(client.0, 10_000), 0);
        }
        group.bench_function(format!("100 calls of gecko_mqtt_publish of {name}"), |b| {
            b.iter_custom(|rounds| (0..rounds).map(|_| publish(&client, &payload)).sum());
        });
        let mut stream = server.stream();
        let bytes = publishes(TOPIC, &payload, 0, AT_ONCE);
        group.bench_function(format!("100 messages of {name} delivered"), |b| {
            b.iter_custom(|rounds| (0..rounds).map(|_| deliver(&client, &mut stream, &bytes)).sum());
        });
    }
    group.finish();
}

/// The CPU time of this thread: whoever else wants the core is no part of it.
fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time may be written.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The time inside gecko_mqtt_publish(), while the I/O thread is at work beside it.
fn publish(client: &Handle, payload: &[u8]) -> Duration {
    let topic = CString::new(TOPIC).unwrap();
    let message = gecko_mqtt_message_t {
        size: size_of::<gecko_mqtt_message_t>() as u32,
        topic: topic.as_ptr(),
        payload: payload.as_ptr().cast(),
        payload_len: payload.len(),
        qos: 1,
        // SAFETY: all zeros are an empty message.
        ..unsafe { std::mem::zeroed() }
    };
    ENDED.store(0, Ordering::Relaxed);
    let start = cpu_time();
    for _ in 0..AT_ONCE {
        // SAFETY: a handle, and a message whose parts are there.
        let status = unsafe { gecko_mqtt_publish(client.0, &message, Some(ended), ptr::null_mut()) };
        assert_eq!(status, 0);
    }
    let time = cpu_time() - start;
    dispatch(client, &ENDED);
    time
}

/// The time inside gecko_mqtt_dispatch() until all have been told: decoding, finding the callback, the call.
fn deliver(client: &Handle, stream: &mut impl Write, bytes: &[u8]) -> Duration {
    RECEIVED.store(0, Ordering::Relaxed);
    stream.write_all(bytes).unwrap();
    dispatch(client, &RECEIVED)
}

/// Dispatches until so many callbacks have run; says how long those calls took that ran some.
fn dispatch(client: &Handle, counter: &AtomicUsize) -> Duration {
    let mut time = Duration::ZERO;
    while counter.load(Ordering::Relaxed) < AT_ONCE.into() {
        let mut ran = 0;
        let start = cpu_time();
        // SAFETY: a handle, and a place for a number.
        let status = unsafe { gecko_mqtt_dispatch(client.0, 0, &mut ran) };
        assert_eq!(status, 0);
        if ran > 0 {
            time += cpu_time() - start;
        }
    }
    time
}

criterion_group!(benches, packets, session, boundary);
criterion_main!(benches);
