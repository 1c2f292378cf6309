//! A server in this process that allocates nothing once it runs: it answers CONNECT and SUBSCRIBE, acknowledges QoS 1 and
//! forgets everything else. One connection; what it shall send is written to [`Blackhole::stream`].
// Each program that includes this uses a part of it.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

pub struct Blackhole {
    pub port: u16,
    /// PUBACKs that have come.
    pub acknowledged: Arc<AtomicUsize>,
    streams: mpsc::Receiver<TcpStream>,
}

impl Blackhole {
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, streams) = mpsc::channel();
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let count = acknowledged.clone();
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            stream.set_nodelay(true).unwrap();
            sender.send(stream.try_clone().unwrap()).unwrap();
            serve(stream, &count);
        });
        Self { port, acknowledged, streams }
    }

    /// Once the client has connected.
    pub fn stream(&self) -> TcpStream {
        self.streams.recv().unwrap()
    }
}

fn serve(mut stream: TcpStream, acknowledged: &AtomicUsize) {
    let mut bytes = vec![0; 1 << 20];
    let mut answers = Vec::with_capacity(1 << 20);
    let mut len = 0;
    while let Ok(count @ 1..) = stream.read(&mut bytes[len..]) {
        len += count;
        let mut used = 0;
        while let Some((first, body, end)) = packet(&bytes[used..len]) {
            match first >> 4 {
                1 => answers.extend_from_slice(&[0x20, 3, 0, 0, 0]),
                3 if first & 6 == 2 => {
                    let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
                    answers.extend_from_slice(&[0x40, 2, body[2 + topic], body[3 + topic]]);
                }
                4 => _ = acknowledged.fetch_add(1, Ordering::SeqCst),
                8 => answers.extend_from_slice(&[0x90, 4, body[0], body[1], 0, 1]),
                _ => {}
            }
            used += end;
        }
        bytes.copy_within(used..len, 0);
        len -= used;
        if stream.write_all(&answers).is_err() {
            return;
        }
        answers.clear();
    }
}

/// The first byte, the body and the length of the packet at the front, once all of it is there.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let mut remaining = 0;
    for (index, byte) in bytes.iter().skip(1).take(4).enumerate() {
        remaining |= usize::from(byte & 127) << (7 * index);
        if byte & 128 == 0 {
            let start = index + 2;
            return Some((bytes[0], bytes.get(start..start + remaining)?, start + remaining));
        }
    }
    None
}

/// PUBLISH packets on one topic, back to back, as a server sends them; identifiers count from 1 on.
pub fn publishes(topic: &str, payload: &[u8], qos: u8, count: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    for id in 1..=count {
        let id: &[u8] = if qos > 0 { &id.to_be_bytes() } else { &[] };
        let mut remaining = 2 + topic.len() + id.len() + 1 + payload.len();
        bytes.push(0x30 | qos << 1);
        while remaining > 127 {
            bytes.push(remaining as u8 | 128);
            remaining >>= 7;
        }
        bytes.push(remaining as u8);
        bytes.extend_from_slice(&(topic.len() as u16).to_be_bytes());
        bytes.extend_from_slice(topic.as_bytes());
        bytes.extend_from_slice(id);
        bytes.push(0);
        bytes.extend_from_slice(payload);
    }
    bytes
}
