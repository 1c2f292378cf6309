//! What the server's reason codes mean for the user: kinds for programs, advice for people.

use crate::packet::ReasonCode;
use crate::{Error, ErrorKind};

/// A CONNACK that refuses (MQTT 5, 3.2.2.2).
pub fn connack(reason: ReasonCode, text: Option<&str>, server_reference: Option<&str>) -> Error {
    let (kind, advice) = match reason.0 {
        132 => (ErrorKind::ProtocolVersion, "the server does not speak MQTT 5"),
        133 => (
            ErrorKind::ClientIdRejected,
            "the client identifier is not allowed: on AWS IoT at most 128 bytes, and not one that begins with '$'",
        ),
        134 => (ErrorKind::BadCredentials, "the user name, password or token is wrong"),
        135 => (
            ErrorKind::NotAuthorized,
            "on AWS IoT: the token or certificate is not accepted, or its policy forbids iot:Connect for this client identifier",
        ),
        136 => (ErrorKind::ServerUnavailable, "the server is unavailable; it will be tried again"),
        137 => (ErrorKind::ServerUnavailable, "the server is busy; it will be tried again"),
        138 => (ErrorKind::Banned, "an administrator has banned this client"),
        140 => (ErrorKind::BadAuthenticationMethod, "the server does not support this authentication method"),
        151 => (ErrorKind::QuotaExceeded, "a quota is exceeded; it will be tried again later"),
        156 | 157 => (ErrorKind::ServerMoved, "the server asks to use another one"),
        159 => {
            (ErrorKind::QuotaExceeded, "too many connections in a short time; it will be tried again later")
        }
        149 => (
            ErrorKind::ServerRefused,
            "the CONNECT packet is too large for the server: most often a very long token or will",
        ),
        144 => (ErrorKind::ServerRefused, "the will's topic name is not accepted"),
        154 => {
            (ErrorKind::ServerRefused, "the server does not support retained messages, and the will is one")
        }
        155 => (ErrorKind::ServerRefused, "the server does not support the will's QoS"),
        _ => (ErrorKind::ServerRefused, "the server refused the connection"),
    };
    build("CONNACK", kind, reason, advice, text, server_reference)
}

/// A DISCONNECT from the server (MQTT 5, 3.14.2.1).
pub fn disconnect(reason: ReasonCode, text: Option<&str>, server_reference: Option<&str>) -> Error {
    let (kind, advice) = match reason.0 {
        129 | 130 | 147..=149 => (ErrorKind::Protocol, "the server objects to a packet of this client"),
        135 => (
            ErrorKind::NotAuthorized,
            "the token or certificate is no longer accepted, or a policy forbids what was done",
        ),
        137 => (ErrorKind::ServerUnavailable, "the server is busy"),
        139 => (ErrorKind::ServerShuttingDown, "the server is shutting down"),
        141 => (ErrorKind::KeepAliveTimeout, "the server heard nothing for 1.5 times the keep alive"),
        142 => (ErrorKind::SessionTakenOver, "another connection with the same client identifier took over"),
        150 => (ErrorKind::QuotaExceeded, "messages come too fast for the server"),
        151 | 159 => (ErrorKind::QuotaExceeded, "a quota of the server is exceeded"),
        152 => (ErrorKind::AdministrativeAction, "an administrator ended the connection"),
        156 | 157 => (ErrorKind::ServerMoved, "the server asks to use another one"),
        160 => (ErrorKind::ServerDisconnected, "the connection has lasted as long as the server allows"),
        _ => (ErrorKind::ServerDisconnected, "the server ended the connection"),
    };
    build("DISCONNECT", kind, reason, advice, text, server_reference)
}

/// An acknowledgement with a reason code that means failure.
pub fn operation(packet: &str, reason: ReasonCode, text: Option<&str>) -> Error {
    let advice = match reason.0 {
        135 => "on AWS IoT: the policy does not allow this for the topic",
        143 => "the topic filter is not accepted by the server",
        144 => "the topic name is not accepted by the server",
        145 => "the packet identifier is in use: the server and the client disagree on the session",
        151 => "a quota of the server is exceeded",
        153 => "the payload is not what its payload format indicator says",
        _ => "the server refused it",
    };
    build(packet, ErrorKind::Refused, reason, advice, text, None)
}

/// A publish that the server ended two connections over.
pub fn condemned(reason: ReasonCode) -> Error {
    let advice =
        "the server ended the connection each time that this message was sent, so it is not sent again";
    build("DISCONNECT", ErrorKind::Refused, reason, advice, None, None)
}

/// A QoS 2 publish that the server had taken over, before it lost the session.
pub fn lost_with_the_session() -> Error {
    let message = "the server had received it (PUBREC), and lost the session, or perhaps did, before it said that it passes it on (PUBCOMP): it may or may not have arrived";
    Error::new(ErrorKind::OutcomeUnknown, message)
}

fn build(
    packet: &str,
    kind: ErrorKind,
    reason: ReasonCode,
    advice: &str,
    text: Option<&str>,
    server_reference: Option<&str>,
) -> Error {
    let mut message = format!("{packet} {reason}: {advice}");
    for (what, value) in [("the server says", text), ("server reference", server_reference)] {
        if let Some(value) = value {
            // The server's words are hostile input: bounded, and without control characters.
            let value: String =
                value.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
            message.push_str(&format!(" ({what}: {value})"));
        }
    }
    Error::new(kind, message).with_reason(reason.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_code_its_name_advice_and_the_server_s_words() {
        let error = connack(ReasonCode(135), Some("token\nexpired"), None);
        assert_eq!((error.kind(), error.reason_code()), (ErrorKind::NotAuthorized, Some(135)));
        assert!(error.message().starts_with("CONNACK 135 not authorized: on AWS IoT"), "{error}");
        assert!(error.message().ends_with("(the server says: token expired)"), "{error}");
        assert_eq!(disconnect(ReasonCode(142), None, None).kind(), ErrorKind::SessionTakenOver);
        assert!(connack(ReasonCode(156), None, Some("b.example")).message().contains("b.example"));
        assert!(operation("PUBACK", ReasonCode(135), Some(&"x".repeat(9999))).message().len() < 400);
    }
}
