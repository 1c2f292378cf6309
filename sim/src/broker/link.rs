//! The connection that a session is used by, as the broker sees it.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::message::{Alias, Delivery};
use crate::config::ConnectionEnd;
use crate::limits::Rate;

/// How a connection is reached from outside.
pub(crate) struct Reach {
    /// There is something to send.
    pub wake: Arc<Notify>,
    /// It shall end.
    pub end: watch::Sender<Option<ConnectionEnd>>,
    /// A test wants something of it.
    pub orders: mpsc::Sender<Order>,
}

/// What a test wants of a connection.
#[derive(Debug)]
pub(crate) enum Order {
    /// Send these bytes.
    Send(Vec<u8>),
    /// Stop reading and answering, or go on.
    Freeze(bool),
}

/// The connection that a session is used by.
pub(crate) struct Link {
    pub id: u64,
    pub reach: Reach,
    /// Unacknowledged messages that may be under way to this client.
    pub window: u16,
    pub maximum_packet_size: Option<u32>,
    pub alias_maximum: u16,
    aliases: HashMap<String, u16>,
    /// Paces what was stored before this connection came.
    pub replay: Option<Replay>,
    /// Messages under way on this connection.
    pub under_way: u16,
}

/// Stored messages are sent at a limited rate (an AWS quota).
pub(crate) struct Replay {
    pub left: usize,
    pub rate: Rate,
}

impl Link {
    pub fn new(
        id: u64,
        reach: Reach,
        window: u16,
        maximum_packet_size: Option<u32>,
        alias_maximum: u16,
    ) -> Self {
        Self {
            id,
            reach,
            window,
            maximum_packet_size,
            alias_maximum,
            aliases: HashMap::new(),
            replay: None,
            under_way: 0,
        }
    }

    fn alias(&mut self, topic: &str) -> Alias {
        if let Some(alias) = self.aliases.get(topic) {
            return Alias::Use(*alias);
        }
        let fresh = self.aliases.len() as u16 + 1;
        if fresh > self.alias_maximum {
            return Alias::None;
        }
        self.aliases.insert(topic.to_owned(), fresh);
        Alias::Set(fresh)
    }

    /// Writes a PUBLISH, unless the client takes no packet of that size [MQTT-3.1.2-24].
    pub fn write(
        &mut self,
        delivery: &Delivery,
        packet_id: Option<u16>,
        dup: bool,
        out: &mut BytesMut,
        now: Instant,
    ) -> bool {
        let topic = &delivery.message.topic;
        let alias = if self.alias_maximum > 0 { self.alias(topic) } else { Alias::None };
        let Ok(bytes) = delivery.encode(packet_id, dup, alias, now) else {
            return false;
        };
        if self.maximum_packet_size.is_some_and(|most| bytes.len() as u64 > u64::from(most)) {
            if let Alias::Set(_) = alias {
                self.aliases.remove(topic);
            }
            return false;
        }
        out.extend_from_slice(&bytes);
        true
    }
}
