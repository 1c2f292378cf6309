//! What a broker sends to its subscriber without TLS: QoS 2 messages that it repeats though it has said that they are
//! released, which [MQTT-4.3.3-6] forbids. mosquitto 2.0.11 does so when a resumption breaks off.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct State {
    /// What has come of a packet, by connection.
    beginnings: HashMap<u64, Vec<u8>>,
    /// The messages that packet identifiers stand for.
    open: HashMap<u16, u32>,
    released: BTreeSet<u32>,
    repeated: BTreeMap<u32, u32>,
}

/// See the module.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<State>>);

impl Journal {
    pub fn heard(&self, connection: u64, bytes: &[u8]) {
        let mut state = self.0.lock().unwrap();
        let mut stream = state.beginnings.remove(&connection).unwrap_or_default();
        stream.extend_from_slice(bytes);
        let mut rest = &stream[..];
        while let Some((first, body, later)) = packet(rest) {
            state.packet(first, body);
            rest = later;
        }
        let rest = rest.to_vec();
        state.beginnings.insert(connection, rest);
    }

    /// The broker has forgotten everything.
    pub fn begin_anew(&self) {
        let mut state = self.0.lock().unwrap();
        state.open.clear();
        state.released.clear();
    }

    /// How often each message was repeated after its release.
    pub fn repeated(&self) -> BTreeMap<u32, u32> {
        self.0.lock().unwrap().repeated.clone()
    }
}

impl State {
    fn packet(&mut self, first: u8, body: &[u8]) {
        let number = |bytes: &[u8]| u16::from_be_bytes([bytes[0], bytes[1]]);
        match first & 0xF6 {
            0x34 => {
                let body = &body[2 + usize::from(number(body))..];
                let (id, (properties, rest)) = (number(body), length(&body[2..]).unwrap());
                let Some(message) = rest[properties..].first_chunk() else { return };
                let message = u32::from_be_bytes(*message);
                if self.released.contains(&message) {
                    *self.repeated.entry(message).or_default() += 1;
                }
                self.open.insert(id, message);
            }
            0x62 => self.released.extend(self.open.remove(&number(body))),
            _ => {}
        }
    }
}

/// The first packet: its first byte, its body, and what comes behind it.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = length(rest)?;
    let (body, later) = rest.split_at_checked(length)?;
    Some((*first, body, later))
}

/// A variable byte integer (MQTT 5, 1.5.5), and what comes behind it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}
