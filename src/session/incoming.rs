//! Messages from the server: QoS 2 is delivered once, and acknowledgements go out in the order in which the
//! messages came [MQTT-4.6.0-2], each after the application has had its message.

use std::collections::{HashMap, HashSet, VecDeque};

/// What the session has to do with an incoming QoS 1 or 2 message.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Deliver it, under this number.
    Deliver(u64),
    /// It is delivered already; its PUBACK or PUBREC goes out in its turn.
    Duplicate,
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
    /// The server wants no acknowledgement of it any more.
    answered: bool,
}

#[derive(Debug)]
struct ExactlyOnce {
    /// Its number, while the application has it.
    delivered_as: Option<u64>,
    /// The number under which the server's repetition waits for the PUBREC, on a later connection.
    repeated_as: Option<u64>,
    /// The session is perhaps another one by now, in which the identifier means nothing.
    doubted: bool,
}

/// A bound is needed, but a server that miscounts is no reason to lose a connection, and every further one. mosquitto up
/// to 2.0.11 does: under load it was seen to have three times as much under way as it may, and more when a session is
/// resumed again and again. One message more costs some 16 bytes here; its own wait in the dispatcher's bounded buffer.
pub const TOLERANCE: usize = 16;

#[derive(Debug)]
pub struct Incoming {
    /// [`TOLERANCE`] times our receive maximum.
    tolerated: usize,
    /// In the order of arrival on this connection; the first one's number is `first`.
    unacknowledged: VecDeque<Unacknowledged>,
    first: u64,
    /// The identifiers of those with QoS 1. MQTT 5 has no repetition on the same connection, but AWS IoT repeats
    /// what is not acknowledged for a while; a second PUBACK could hit the next message with that identifier.
    at_least_once: HashSet<u16>,
    /// QoS 2 identifiers between PUBLISH and PUBREL; they outlive the connection with the session.
    exactly_once: HashMap<u16, ExactlyOnce>,
}

impl Incoming {
    pub fn new(receive_maximum: u16) -> Self {
        Self {
            tolerated: TOLERANCE * usize::from(receive_maximum),
            unacknowledged: VecDeque::new(),
            first: 1,
            at_least_once: HashSet::new(),
            exactly_once: HashMap::new(),
        }
    }

    /// A new connection: what was not acknowledged will be sent again.
    pub fn connected(&mut self, session_present: bool, doubted: bool) {
        self.first += self.unacknowledged.len() as u64;
        self.unacknowledged.clear();
        self.at_least_once.clear();
        for known in self.exactly_once.values_mut() {
            known.repeated_as = None;
            known.doubted |= doubted;
        }
        if !session_present {
            self.exactly_once.clear();
        }
    }

    pub fn publish(&mut self, id: u16, exactly_once: bool, dup: bool) -> Verdict {
        if exactly_once {
            if !dup && self.exactly_once.get(&id).is_some_and(|known| known.doubted) {
                // A repetition would have DUP set [MQTT-3.3.1-1].
                self.exactly_once.remove(&id);
            }
            if let Some(known) = self.exactly_once.get_mut(&id) {
                let waits =
                    self.unacknowledged.iter().any(|message| message.id == id && message.exactly_once);
                if !waits {
                    let handled = known.delivered_as.is_none();
                    if !handled {
                        known.repeated_as = Some(self.first + self.unacknowledged.len() as u64);
                    }
                    self.unacknowledged.push_back(Unacknowledged {
                        id,
                        exactly_once,
                        handled,
                        answered: false,
                    });
                }
                return Verdict::Duplicate;
            }
        } else if self.at_least_once.contains(&id) {
            return Verdict::Duplicate;
        }
        // A QoS 2 message counts until its PUBCOMP.
        let released = self.exactly_once.values().filter(|e| e.delivered_as.is_none()).count();
        if self.unacknowledged.len() + released >= self.tolerated {
            return Verdict::TooMany;
        }
        let number = self.first + self.unacknowledged.len() as u64;
        self.unacknowledged.push_back(Unacknowledged { id, exactly_once, handled: false, answered: false });
        if exactly_once {
            self.exactly_once
                .insert(id, ExactlyOnce { delivered_as: Some(number), repeated_as: None, doubted: false });
        } else {
            self.at_least_once.insert(id);
        }
        Verdict::Deliver(number)
    }

    /// PUBREL: the identifier is free again. False where it was unknown (reason code 146 in the PUBCOMP).
    pub fn released(&mut self, id: u16) -> bool {
        // A repetition that waits for its turn has got its answer.
        let repetitions =
            self.unacknowledged.iter_mut().filter(|message| message.exactly_once && message.id == id);
        repetitions.for_each(|message| (message.handled, message.answered) = (true, true));
        self.exactly_once.remove(&id).is_some()
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

    /// Whether it makes a difference that the application is done with this message. A QoS 1 message is that of
    /// its connection: another one brings it again.
    pub fn awaits(&self, number: u64, connected: bool) -> bool {
        let of_this_connection = || {
            let index = number.checked_sub(self.first)?;
            self.unacknowledged.get(usize::try_from(index).ok()?).filter(|message| !message.handled)
        };
        connected && of_this_connection().is_some()
            || self.exactly_once.values().any(|known| known.delivered_as == Some(number))
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
        loop {
            if !self.unacknowledged.front()?.handled {
                return None;
            }
            let message = self.unacknowledged.pop_front()?;
            self.first += 1;
            if !message.exactly_once {
                self.at_least_once.remove(&message.id);
            }
            if !message.answered {
                return Some(Due { id: message.id, exactly_once: message.exactly_once });
            }
        }
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
            assert!(matches!(incoming.publish(id, false, false), Verdict::Deliver(_)));
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
    fn qos_1_is_repeated_before_its_puback_and_another_message_after_it() {
        let mut incoming = Incoming::new(2);
        assert_eq!(incoming.publish(7, false, false), Verdict::Deliver(1));
        assert!((0..9).all(|_| incoming.publish(7, false, false) == Verdict::Duplicate));
        assert!(incoming.handled(1));
        assert_eq!(incoming.publish(7, false, false), Verdict::Duplicate, "its PUBACK is not out");
        assert_eq!(due(&mut incoming), [7]);
        assert_eq!(incoming.publish(7, false, false), Verdict::Deliver(2));
        incoming.connected(true, false);
        assert_eq!(
            incoming.publish(7, false, false),
            Verdict::Deliver(3),
            "on another connection it comes again"
        );
    }

    #[test]
    fn a_message_can_be_acknowledged_as_long_as_it_makes_a_difference() {
        let mut incoming = Incoming::new(10);
        incoming.publish(1, false, false);
        incoming.publish(2, true, false);
        let awaited = |incoming: &Incoming, connected| {
            (0..6).filter(|number| incoming.awaits(*number, connected)).collect::<Vec<_>>()
        };
        assert_eq!((awaited(&incoming, true), awaited(&incoming, false)), (vec![1, 2], vec![2]));
        incoming.connected(true, false);
        incoming.publish(1, false, false);
        assert_eq!(awaited(&incoming, true), [2, 3]);
        incoming.handled(3);
        assert_eq!(awaited(&incoming, true), [2]);
        incoming.connected(false, false);
        assert_eq!(awaited(&incoming, true), [0u64; 0]);
    }

    #[test]
    fn far_more_than_the_receive_maximum_is_too_many() {
        let mut incoming = Incoming::new(1);
        for id in 1..=16 {
            assert_eq!(incoming.publish(id, id == 16, false), Verdict::Deliver(id.into()));
        }
        assert_eq!(incoming.publish(17, false, false), Verdict::TooMany);
        incoming.handled_up_to(16);
        assert_eq!(due(&mut incoming), (1..=16).collect::<Vec<u16>>());
        for id in 17..=31 {
            assert_eq!(incoming.publish(id, false, false), Verdict::Deliver(id.into()));
        }
        assert_eq!(incoming.publish(32, false, false), Verdict::TooMany, "16 counts until its PUBCOMP");
        assert!(incoming.released(16));
        assert_eq!(incoming.publish(32, false, false), Verdict::Deliver(32));
    }

    #[test]
    fn qos_2_is_delivered_once() {
        let mut incoming = Incoming::new(10);
        assert_eq!(incoming.publish(7, true, false), Verdict::Deliver(1));
        assert_eq!(incoming.publish(7, true, false), Verdict::Duplicate);
        incoming.handled_up_to(1);
        assert_eq!(incoming.publish(7, true, false), Verdict::Duplicate);
        assert_eq!(due(&mut incoming), [7], "once");
        assert_eq!(incoming.publish(7, true, false), Verdict::Duplicate);
        assert_eq!(due(&mut incoming), [7], "the first one was lost");
        assert!(incoming.released(7) && !incoming.released(7));
        assert_eq!(incoming.publish(7, true, false), Verdict::Deliver(3));
    }

    #[test]
    fn a_pubrel_that_comes_too_early_does_no_harm() {
        let mut incoming = Incoming::new(10);
        assert_eq!(incoming.publish(7, true, false), Verdict::Deliver(1));
        assert!(incoming.released(7));
        assert_eq!(incoming.publish(7, true, false), Verdict::Deliver(2), "the server's word counts");
        assert!(!incoming.handled(1), "the server wants no PUBREC of it any more");
        assert_eq!(
            incoming.publish(7, true, true),
            Verdict::Duplicate,
            "the application has only had the first"
        );
        assert!(incoming.handled(2));
        assert_eq!(due(&mut incoming), [7]);

        incoming.publish(8, true, false);
        incoming.connected(true, false);
        assert_eq!(incoming.publish(8, true, true), Verdict::Duplicate);
        incoming.publish(9, false, false);
        assert!(incoming.released(8) && incoming.handled(5));
        assert_eq!(due(&mut incoming), [9], "it holds up nothing");
        assert!(!incoming.handled(3));
    }

    #[test]
    fn a_new_connection_forgets_what_the_server_sends_again_but_not_qos_2() {
        let mut incoming = Incoming::new(10);
        incoming.publish(1, false, false);
        incoming.publish(2, true, false);
        incoming.connected(true, false);
        assert_eq!(incoming.publish(1, false, false), Verdict::Deliver(3));
        assert_eq!(incoming.publish(2, true, false), Verdict::Duplicate, "its callback has not returned yet");
        incoming.handled_up_to(2);
        assert_eq!(
            due(&mut incoming),
            [0u16; 0],
            "the old connection's QoS 1 acknowledges nothing on the new one"
        );
        incoming.handled_up_to(3);
        assert_eq!(due(&mut incoming), [1, 2], "but the repetition of the QoS 2 one is acknowledged");
        assert_eq!(incoming.publish(2, true, false), Verdict::Duplicate);
        assert_eq!(due(&mut incoming), [2]);
        incoming.connected(false, false);
        assert_eq!(incoming.publish(2, true, false), Verdict::Deliver(6));
    }
}
