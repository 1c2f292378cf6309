//! The states of a connection.

/// What the connection is doing. Told to listeners in order, and never twice the same in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ConnectionState {
    /// Not connected, and not trying.
    #[default]
    Disconnected,
    /// The first attempts after a `connect`.
    Connecting,
    /// A live connection is there.
    Connected,
    /// The connection was lost and is being made again.
    Reconnecting,
    /// A round of attempts ended without success; the next one begins after the cool-down, if there is one.
    ConnectionFailed,
    /// The last messages are going out, then DISCONNECT.
    Disconnecting,
    /// Connected, but the token could not be renewed; it is being tried again.
    CredentialRefreshFailed,
}

impl ConnectionState {
    const ALL: [Self; 7] = [
        Self::Disconnected,
        Self::Connecting,
        Self::Connected,
        Self::Reconnecting,
        Self::ConnectionFailed,
        Self::Disconnecting,
        Self::CredentialRefreshFailed,
    ];

    /// The state that was stored as a number.
    pub(crate) fn from_u8(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_their_states() {
        for state in ConnectionState::ALL {
            assert_eq!(ConnectionState::from_u8(state as u8), state);
        }
    }
}
