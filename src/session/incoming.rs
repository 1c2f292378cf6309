//! Messages from the server: QoS 2 is delivered once, and acknowledgements go out in the order in which the
//! messages came [MQTT-4.6.0-2], each after the application has had its message.

use std::collections::{HashMap, VecDeque};

/// What the session has to do with an incoming QoS 1 or 2 message.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Deliver it, under this number.
    Deliver(u64),
    /// A QoS 2 message that is delivered already; its PUBREC goes out when the application is done with it.
    Duplicate,
    /// The same, and the application is done: send PUBREC again.
    AcknowledgeAgain,
    /// Far more unacknowledged messages than our receive maximum [MQTT-3.3.4-7].
    TooMany,
}

/// An acknowledgement that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub id: u16,
    pub exactly_once: bool,
}

#[derive(Debug)]
struct Unacknowledged {
    id: u16,
    exactly_once: bool,
    handled: bool,
}

#[derive(Debug)]
struct ExactlyOnce {
    /// Its number, while the application has it.
    delivered_as: Option<u64>,
    /// The number under which the server's repetition waits for the PUBREC, on a later connection.
    repeated_as: Option<u64>,
}

#[derive(Debug)]
pub struct Incoming {
    /// Twice our receive maximum: a bound is needed, but a server that miscounts a little (mosquitto up to 2.0.11
    /// does, under load) is no reason to lose a connection.
    tolerated: usize,
    /// In the order of arrival on this connection; the first one's number is `first`.
    unacknowledged: VecDeque<Unacknowledged>,
    first: u64,
    /// QoS 2 identifiers between PUBLISH and PUBREL; they outlive the connection with the session.
    exactly_once: HashMap<u16, ExactlyOnce>,
}

impl Incoming {
    pub fn new(receive_maximum: u16) -> Self {
        Self {
            tolerated: 2 * usize::from(receive_maximum),
            unacknowledged: VecDeque::new(),
            first: 1,
            exactly_once: HashMap::new(),
        }
    }

    /// A new connection: what was not acknowledged will be sent again.
    pub fn connected(&mut self, session_present: bool) {
        self.first += self.unacknowledged.len() as u64;
        self.unacknowledged.clear();
        self.exactly_once.values_mut().for_each(|known| known.repeated_as = None);
        if !session_present {
            self.exactly_once.clear();
        }
    }

    pub fn publish(&mut self, id: u16, exactly_once: bool) -> Verdict {
        if exactly_once {
            if let Some(known) = self.exactly_once.get_mut(&id) {
                let Some(delivered) = known.delivered_as else { return Verdict::AcknowledgeAgain };
                if delivered < self.first && known.repeated_as.is_none() {
                    known.repeated_as = Some(self.first + self.unacknowledged.len() as u64);
                    self.unacknowledged.push_back(Unacknowledged { id, exactly_once, handled: false });
                }
                return Verdict::Duplicate;
            }
        }
        // A QoS 2 message counts until its PUBCOMP.
        let released = self.exactly_once.values().filter(|e| e.delivered_as.is_none()).count();
        if self.unacknowledged.len() + released >= self.tolerated {
            return Verdict::TooMany;
        }
        let number = self.first + self.unacknowledged.len() as u64;
        self.unacknowledged.push_back(Unacknowledged { id, exactly_once, handled: false });
        if exactly_once {
            self.exactly_once.insert(id, ExactlyOnce { delivered_as: Some(number), repeated_as: None });
        }
        Verdict::Deliver(number)
    }

    /// PUBREL: the identifier is free again. False where it was unknown (reason code 146 in the PUBCOMP).
    pub fn released(&mut self, id: u16) -> bool {
        let Some(known) = self.exactly_once.remove(&id) else { return false };
        // Sent before our PUBREC: that one must not hold up the acknowledgements behind it for ever.
        repetition_handled(&mut self.unacknowledged, self.first, known.repeated_as);
        true
    }

    /// The application is done with every message up to this number.
    pub fn handled_up_to(&mut self, number: u64) {
        let count = (number + 1).saturating_sub(self.first).min(self.unacknowledged.len() as u64);
        for index in 0..count {
            self.handled_at(index as usize);
        }
        self.handled_late(|delivered| delivered <= number);
    }

    /// The application is done with this message; false where it is not waited for (any more).
    pub fn handled(&mut self, number: u64) -> bool {
        if number < self.first {
            return self.handled_late(|delivered| delivered == number);
        }
        let index = (number - self.first) as usize;
        match self.unacknowledged.get(index) {
            Some(message) if !message.handled => {
                self.handled_at(index);
                true
            }
            _ => false,
        }
    }

    /// The same for QoS 2 messages that an earlier connection brought.
    fn handled_late(&mut self, picked: impl Fn(u64) -> bool) -> bool {
        let mut any = false;
        for known in self.exactly_once.values_mut() {
            let Some(delivered) = known.delivered_as else { continue };
            if delivered < self.first && picked(delivered) {
                any = true;
                known.delivered_as = None;
                repetition_handled(&mut self.unacknowledged, self.first, known.repeated_as.take());
            }
        }
        any
    }

    fn handled_at(&mut self, index: usize) {
        let number = self.first + index as u64;
        let message = &mut self.unacknowledged[index];
        message.handled = true;
        if message.exactly_once {
            // A server that sent PUBREL too early may use the identifier for another message already.
            let known = self.exactly_once.get_mut(&message.id);
            if let Some(known) = known.filter(|known| known.delivered_as == Some(number)) {
                known.delivered_as = None;
            }
        }
    }

    /// The next acknowledgement whose turn it is.
    pub fn next_due(&mut self) -> Option<Due> {
        if !self.unacknowledged.front()?.handled {
            return None;
        }
        let message = self.unacknowledged.pop_front()?;
        self.first += 1;
        Some(Due { id: message.id, exactly_once: message.exactly_once })
    }
}

/// The PUBREC that waits under this number may go out.
fn repetition_handled(unacknowledged: &mut VecDeque<Unacknowledged>, first: u64, repeated_as: Option<u64>) {
    let index = repeated_as.and_then(|number| number.checked_sub(first));
    if let Some(message) = index.and_then(|index| unacknowledged.get_mut(index as usize)) {
        message.handled = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(incoming: &mut Incoming) -> Vec<u16> {
        std::iter::from_fn(|| incoming.next_due()).map(|due| due.id).collect()
    }

    #[test]
    fn acknowledges_in_order_of_arrival_whatever_the_order_of_handling() {
        let mut incoming = Incoming::new(10);
        for id in [5, 3, 9] {
            assert!(matches!(incoming.publish(id, false), Verdict::Deliver(_)));
        }
        assert!(incoming.handled(2) && !incoming.handled(2));
        assert_eq!(due(&mut incoming), [0u16; 0]);
        assert!(incoming.handled(1));
        assert_eq!(due(&mut incoming), [5, 3]);
        incoming.handled_up_to(3);
        assert_eq!(due(&mut incoming), [9]);
        assert!(!incoming.handled(3) && !incoming.handled(99));
    }

    #[test]
    fn more_than_twice_the_receive_maximum_is_too_many() {
        let mut incoming = Incoming::new(1);
        incoming.publish(1, false);
        incoming.publish(2, true);
        assert_eq!(incoming.publish(3, false), Verdict::TooMany);
        incoming.handled_up_to(2);
        assert_eq!(due(&mut incoming), [1, 2]);
        assert_eq!(incoming.publish(3, false), Verdict::Deliver(3));
        assert_eq!(incoming.publish(4, false), Verdict::TooMany, "2 counts until its PUBCOMP");
        assert!(incoming.released(2));
        assert_eq!(incoming.publish(4, false), Verdict::Deliver(4));
    }

    #[test]
    fn qos_2_is_delivered_once() {
        let mut incoming = Incoming::new(10);
        assert_eq!(incoming.publish(7, true), Verdict::Deliver(1));
        assert_eq!(incoming.publish(7, true), Verdict::Duplicate);
        incoming.handled_up_to(1);
        assert_eq!(due(&mut incoming), [7]);
        assert_eq!(incoming.publish(7, true), Verdict::AcknowledgeAgain);
        assert!(incoming.released(7) && !incoming.released(7));
        assert_eq!(incoming.publish(7, true), Verdict::Deliver(2));
    }

    #[test]
    fn a_pubrel_that_comes_too_early_does_no_harm() {
        let mut incoming = Incoming::new(10);
        assert_eq!(incoming.publish(7, true), Verdict::Deliver(1));
        assert!(incoming.released(7));
        assert_eq!(incoming.publish(7, true), Verdict::Deliver(2), "the server's word counts");
        assert!(incoming.handled(1));
        assert_eq!(incoming.publish(7, true), Verdict::Duplicate, "the application has only had the first");
        assert!(incoming.handled(2));
        assert_eq!(due(&mut incoming), [7, 7]);

        incoming.publish(8, true);
        incoming.connected(true);
        assert_eq!(incoming.publish(8, true), Verdict::Duplicate);
        incoming.publish(9, false);
        assert!(incoming.released(8) && incoming.handled(5));
        assert_eq!(due(&mut incoming), [8, 9], "it holds up nothing");
        assert!(!incoming.handled(3));
    }

    #[test]
    fn a_new_connection_forgets_what_the_server_sends_again_but_not_qos_2() {
        let mut incoming = Incoming::new(10);
        incoming.publish(1, false);
        incoming.publish(2, true);
        incoming.connected(true);
        assert_eq!(incoming.publish(1, false), Verdict::Deliver(3));
        assert_eq!(incoming.publish(2, true), Verdict::Duplicate, "its callback has not returned yet");
        incoming.handled_up_to(2);
        assert_eq!(
            due(&mut incoming),
            [0u16; 0],
            "the old connection's QoS 1 acknowledges nothing on the new one"
        );
        incoming.handled_up_to(3);
        assert_eq!(due(&mut incoming), [1, 2], "but the repetition of the QoS 2 one is acknowledged");
        assert_eq!(incoming.publish(2, true), Verdict::AcknowledgeAgain);
        incoming.connected(false);
        assert_eq!(incoming.publish(2, true), Verdict::Deliver(5));
    }
}
