//! The session against a server that is written out packet by packet.

mod publishing;
mod receiving;
mod resuming;
mod rotating;
mod rumqttc_faults;
mod subscribing;

use super::limits::{Limits, Quotas};
use super::queue::Publish;
use super::subscriptions::{Request, Wanted};
use super::*;
use crate::packet::{RetainHandling, StoredPublish};
use crate::{Message, QoS};
use std::sync::{Arc, Mutex};

pub(super) const LIMITS: Limits = Limits {
    receive_maximum: 10,
    maximum_qos: QoS::ExactlyOnce,
    retain_available: true,
    maximum_packet_size: u32::MAX,
    topic_alias_maximum: 0,
    wildcard_available: true,
    shared_available: true,
    keep_alive_secs: 30,
    quotas: Quotas::NONE,
};
const SEC: Duration = Duration::from_secs(1);

type Ends = Arc<Mutex<Vec<(u32, Result<(), ErrorKind>)>>>;

struct Rig {
    session: Session,
    actions: Actions,
    now: Instant,
    ends: Ends,
    order: u64,
}

impl Rig {
    fn new() -> Self {
        let settings = Settings {
            receive_maximum: 3,
            max_incoming_packet: 1000,
            operation_timeout: Duration::from_secs(60),
        };
        let session = Session::new(settings);
        Self { session, actions: Actions::default(), now: Instant::now(), ends: Ends::default(), order: 0 }
    }

    fn connected() -> Self {
        let mut rig = Self::new();
        rig.connect(LIMITS, false);
        rig
    }

    fn connect(&mut self, limits: Limits, session_present: bool) {
        self.session.connected(limits, session_present, self.now, &mut self.actions);
    }

    /// Cuts the connection after the server got what was written so far.
    fn lose(&mut self) {
        self.actions.out.clear();
        self.session.lost();
    }

    fn completion(&self, name: u32) -> Completion {
        let ends = self.ends.clone();
        Completion::Boxed(Box::new(move |ack| {
            let end = ack.result.clone().map_err(|error| error.kind());
            ends.lock().unwrap().push((name, end));
        }))
    }

    fn publish(&mut self, name: u32, qos: QoS) {
        self.publish_message(
            name,
            &Message { topic: "t", payload: &[b'0' + name as u8], qos, ..Message::default() },
        );
    }

    fn publish_message(&mut self, name: u32, message: &Message<'_>) {
        let mut publish = Publish::new(StoredPublish::new(message).unwrap(), self.completion(name));
        publish.order = self.order;
        self.order += 1;
        if let Some(secs) = message.message_expiry_secs {
            publish.expires_at = Some(self.now + Duration::from_secs(secs.into()));
        }
        self.session.publish([publish], self.now, &mut self.actions);
    }

    fn subscribe(&mut self, name: u32, filters: &[&str]) {
        let wanted = |filter: &&str| Wanted {
            filter: (*filter).into(),
            qos: QoS::AtLeastOnce,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Send,
            handler: u64::from(name),
        };
        let filters = filters.iter().map(wanted).collect();
        let request = Request::Subscribe { filters, completion: self.completion(name), restoring: false };
        self.session.request(request, self.now, &mut self.actions);
    }

    fn unsubscribe(&mut self, name: u32, filter: &str) {
        let completion = self.completion(name);
        let request = Request::Unsubscribe { filter: filter.into(), completion, below: 99 };
        self.session.request(request, self.now, &mut self.actions);
    }

    /// Whose handlers are to go, since the last time.
    fn released(&mut self) -> Vec<(Box<str>, std::ops::Range<u64>)> {
        self.actions.released.drain(..).map(|released| (released.filter, released.handlers)).collect()
    }

    fn receive(&mut self, bytes: &[u8]) {
        assert_eq!(self.session.receive(bytes, self.now, &mut self.actions), bytes.len());
    }

    /// What is to be written, all of which is written.
    fn sent(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while !self.actions.out.is_empty() {
            let out = std::mem::take(&mut self.actions.out);
            all.extend_from_slice(&out);
            self.session.written(out.len(), self.now, &mut self.actions);
        }
        all
    }

    fn ends(&mut self) -> Vec<(u32, Result<(), ErrorKind>)> {
        for (completion, ack) in self.actions.done.drain(..) {
            completion.complete(ack);
        }
        std::mem::take(&mut self.ends.lock().unwrap())
    }
}

/// A PUBLISH to or from the server, topic "t", with one byte of payload.
fn publish(first: u8, id: Option<u8>, payload: u8) -> Vec<u8> {
    let mut packet = vec![first, 0, 0, 1, b't'];
    packet.extend(id.into_iter().flat_map(|id| [0, id]));
    packet.extend([0, payload]);
    packet[1] = packet.len() as u8 - 2;
    packet
}
