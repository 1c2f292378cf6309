//! What a client may write while a second connection is about to take the session over, and what it makes of the packets
//! that come over the first one afterwards.

use super::{Batch, Packet, Witness};
use crate::QoS;
use crate::packet::{self, Received, frame};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Flow {
    #[default]
    Open,
    /// The takeover is prepared.
    NoQos0,
    /// CONNECT is out.
    Closed,
}

/// Of one connection.
#[derive(Default)]
pub struct Rotation {
    flow: Flow,
    /// PINGREQ that are wholly written and not answered.
    pings: usize,
    /// A PINGRESP came that answers none.
    unasked: bool,
    /// QoS 0 messages that are not wholly written.
    at_most_once: usize,
}

impl Rotation {
    /// The client wants it written.
    pub fn appended(&mut self, packet: &Packet) {
        if let Packet::Publish { qos: QoS::AtMostOnce, number, .. } = packet {
            assert_eq!(self.flow, Flow::Open, "message {number} of QoS 0 would be lost");
            self.at_most_once += 1;
        }
        let allowed = matches!(packet, Packet::Ack { .. } | Packet::PingReq | Packet::Disconnect);
        assert!(allowed || self.flow != Flow::Closed, "{packet:?} after the CONNECT of a second connection");
    }

    /// A PUBREL that answers no PUBREC of this connection.
    pub fn repeated(&self) {
        assert_ne!(self.flow, Flow::Closed, "a repetition after the CONNECT of a second connection");
    }

    pub fn written(&mut self, packet: &Packet) {
        match packet {
            Packet::PingReq => self.pings += 1,
            Packet::Publish { qos: QoS::AtMostOnce, .. } => self.at_most_once -= 1,
            _ => {}
        }
    }

    /// PINGRESP came.
    pub fn answered(&mut self) {
        self.unasked |= self.pings == 0;
        self.pings = self.pings.saturating_sub(1);
    }
}

impl Witness {
    /// A second connection is there.
    pub fn prepared(&mut self) {
        self.wire.rotation.flow = Flow::NoQos0;
    }

    /// Its CONNECT goes out. `settled`: because nothing was on its way any more.
    pub fn closed(&mut self, settled: bool) {
        let rotation = &mut self.wire.rotation;
        let arrived = rotation.at_most_once == 0 && rotation.pings == 0;
        assert!(arrived || !settled || rotation.unasked, "QoS 0 messages are on their way");
        rotation.flow = Flow::Closed;
    }

    /// It has come to nothing.
    pub fn resumed(&mut self) {
        self.wire.rotation.flow = Flow::Open;
    }

    /// Bytes that came over a connection whose session another one has taken over, and the messages that were made of
    /// them: those that the server will not send again. Says how many bytes can be used up, unless
    /// the server broke the protocol.
    pub fn stray(&self, bytes: &[u8], most: u32, session_present: bool, batch: &Batch) -> Option<usize> {
        let (mut used, mut delivered) = (0, batch.packets());
        let understood = loop {
            let frame = match frame(&bytes[used..], most) {
                Ok(Some(frame)) => frame,
                Ok(None) => break true,
                Err(_) => break false,
            };
            let packet = &bytes[used..used + frame.len];
            used += frame.len;
            match packet::decode(&frame) {
                Ok(Received::Publish(publish)) if publish.alias.is_none() => {
                    if publish.qos == QoS::AtMostOnce || !session_present {
                        assert_eq!(delivered.next(), Some((packet, 0)), "nobody acknowledges it");
                    }
                }
                Ok(_) => {}
                Err(_) => break false,
            }
        };
        assert_eq!(delivered.next(), None, "a message that comes again, or that nobody sent");
        understood.then_some(used)
    }
}
