//! Faults that tests ask for.

use std::time::Duration;

use crate::config::ConnectionEnd;

/// How far a connection has come before its CONNECT. Without TLS all three are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// TCP is there, nothing has been read.
    Accepted,
    /// The client's first TLS message has been read, nothing answered.
    ClientHello,
    /// TLS is there, CONNECT has not been read.
    Established,
}

/// What befalls a connection before its CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkFault {
    /// The socket is closed.
    Close(Step),
    /// Nothing more is answered; the socket stays open.
    Ignore(Step),
}

impl LinkFault {
    pub(crate) fn step(self) -> Step {
        match self {
            Self::Close(step) | Self::Ignore(step) => step,
        }
    }
}

/// What befalls a CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectFault {
    /// CONNACK with this reason code, then an orderly close.
    Refuse(u8),
    /// The socket is closed without CONNACK.
    Close,
    /// Nothing is answered; the socket stays open.
    Ignore,
    /// Nothing is decided before [`crate::Simulator::release_connects`]: an older connection of the client lives on.
    Hold,
    /// It takes the session over, which ends an older connection, and the socket is closed without CONNACK.
    TakeOverAndClose,
    /// It takes the session over, and CONNACK is kept back until [`crate::Simulator::release_connects`].
    TakeOverAndHold,
    /// An older connection of the client ends like this as soon as it arrives; else it goes its way.
    EndOld(ConnectionEnd),
}

/// What befalls a PUBLISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishFault {
    /// It is routed, and its PUBACK (or PUBREC) is not sent.
    DropAcknowledgement,
    /// It is not routed, and its PUBACK (or PUBREC) says this.
    Refuse(u8),
    /// It is neither routed nor acknowledged.
    Discard,
    /// It is routed, and the socket is closed without an acknowledgement.
    Close,
}

/// What befalls a SUBSCRIBE or an UNSUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscribeFault {
    /// Nothing is subscribed, and each filter gets this reason code.
    Refuse(u8),
    /// It is carried out, and not acknowledged.
    DropAcknowledgement,
    /// The socket is closed without an acknowledgement, nothing is carried out.
    Close,
}

/// What befalls a request for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MintFault {
    /// It is refused with this HTTP status.
    Fail(u16),
    /// Nothing is answered; the socket stays open.
    Ignore,
    /// The answer takes that long; the token's life has begun meanwhile.
    Delay(Duration),
    /// The token has expired already.
    ExpiredToken,
    /// The answer says 200, and is none.
    Garbage,
}

/// A fault that befalls the next few packets.
#[derive(Debug)]
pub(crate) struct Armed<F> {
    fault: Option<F>,
    left: usize,
}

impl<F> Default for Armed<F> {
    fn default() -> Self {
        Self { fault: None, left: 0 }
    }
}

impl<F: Copy> Armed<F> {
    pub fn arm(&mut self, count: usize, fault: F) {
        (self.fault, self.left) = (Some(fault), count);
    }

    /// The fault for one packet, if there is one.
    pub fn fire(&mut self) -> Option<F> {
        self.left = self.left.checked_sub(1)?;
        self.fault
    }
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub links: Armed<LinkFault>,
    pub connects: Armed<ConnectFault>,
    pub publishes: Armed<PublishFault>,
    pub subscribes: Armed<SubscribeFault>,
    pub mints: Armed<MintFault>,
    pub connack_delay: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_fires_as_often_as_it_was_armed() {
        let mut armed = Armed::default();
        assert_eq!(armed.fire(), None);
        armed.arm(2, ConnectFault::Close);
        assert_eq!(
            [armed.fire(), armed.fire(), armed.fire()],
            [Some(ConnectFault::Close), Some(ConnectFault::Close), None]
        );
    }
}
