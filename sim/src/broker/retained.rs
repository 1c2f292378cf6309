//! Retained messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::message::Message;
use crate::topic;

/// Topics that can have a retained message; the message for one more is not retained.
const MOST: usize = 100_000;

#[derive(Default)]
pub(crate) struct Retained(BTreeMap<String, Arc<Message>>);

impl Retained {
    /// Replaces the topic's message; an empty one removes it [MQTT-3.3.1-6].
    pub fn store(&mut self, message: &Arc<Message>) {
        if message.payload.is_empty() {
            self.0.remove(&message.topic);
        } else if self.0.len() < MOST || self.0.contains_key(&message.topic) {
            self.0.insert(message.topic.clone(), message.clone());
        }
    }

    pub fn get(&self, topic: &str) -> Option<&Arc<Message>> {
        self.0.get(topic)
    }

    /// Those that match, the expired ones forgotten.
    pub fn matching(&mut self, filter: &str, now: Instant) -> Vec<Arc<Message>> {
        self.0.retain(|_, message| !message.expired(now));
        self.0.values().filter(|message| topic::matches(filter, &message.topic)).cloned().collect()
    }
}
