//! Why a link failed, in words that say what to do next.

use super::pem::printable;
use super::roots::Origin;
use super::wording::{Date, WrongName, alert_name, short};
use crate::{Error, ErrorKind};
use rustls::pki_types::UnixTime;
use rustls::{
    AlertDescription, CertificateError, Error as TlsError, InvalidMessage, PeerIncompatible, PeerMisbehaved,
};
use std::fmt;
use std::io;

/// What is known about a handshake when it fails.
pub(super) struct Handshake<'a> {
    /// The name that the certificate must have.
    pub host: &'a str,
    /// The port, for the advice.
    pub port: u16,
    /// The device's clock; `None` if it is before 1970.
    pub now: Option<UnixTime>,
    /// Whom we trust.
    pub trusted: Origin,
    /// The protocol that we asked for.
    pub alpn: Option<&'a [u8]>,
    /// Whether the server asked for a client certificate.
    pub asked: bool,
    /// Whether we have one.
    pub identity: bool,
}

/// No certificate that matters was issued after this day, so a clock before it is wrong: 2024-01-01.
const CLOCK_FLOOR: u64 = 1_704_067_200;

impl Handshake<'_> {
    /// Explains an error of rustls, or of the socket below it.
    pub fn explain(&self, error: io::Error) -> Error {
        if let Some(reason) = tls_error(&error) {
            return self.explain_tls(reason);
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => {
                let advice = if self.asked && self.identity {
                    "it may have refused the client certificate"
                } else if self.asked {
                    "it asked for a client certificate, and none is set"
                } else {
                    "is that a TLS port, and the right host name?"
                };
                self.error(
                    ErrorKind::Tls,
                    format_args!(
                        "the server at {}:{} closed the connection during the handshake; {advice}",
                        self.host, self.port
                    ),
                )
            }
            _ => self.error(ErrorKind::Connection, format_args!("the handshake broke off: {error}")),
        }
    }

    fn explain_tls(&self, reason: &TlsError) -> Error {
        use PeerIncompatible as Incompatible;
        match reason {
            TlsError::InvalidCertificate(fault) => self.explain_certificate(fault),
            TlsError::NoCertificatesPresented => {
                self.error(ErrorKind::TlsBadCertificate, format_args!("the server presents no certificate"))
            }
            TlsError::FailedToGetCurrentTime => self.clock(format_args!("")),
            TlsError::AlertReceived(alert) => self.explain_alert(*alert),
            TlsError::NoApplicationProtocol
            | TlsError::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedApplicationProtocol) => {
                self.no_alpn()
            }
            // What is read in place of a TLS record's head, or of its first message.
            TlsError::InvalidMessage(
                InvalidMessage::InvalidContentType
                | InvalidMessage::UnknownProtocolVersion
                | InvalidMessage::MessageTooLarge
                | InvalidMessage::InvalidEmptyPayload,
            ) => self.error(
                ErrorKind::Tls,
                format_args!(
                    "the server at {}:{} does not speak TLS: is that the right port?",
                    self.host, self.port
                ),
            ),
            TlsError::PeerIncompatible(
                Incompatible::ServerDoesNotSupportTls12Or13
                | Incompatible::ServerTlsVersionIsDisabledByOurConfig,
            ) => self.no_version(),
            TlsError::PeerIncompatible(
                Incompatible::NoCipherSuitesInCommon
                | Incompatible::NoKxGroupsInCommon
                | Incompatible::NoSignatureSchemesInCommon,
            ) => self.no_algorithm(),
            other => self.error(ErrorKind::Tls, format_args!("the handshake failed: {}", short(other))),
        }
    }

    fn explain_certificate(&self, fault: &CertificateError) -> Error {
        use CertificateError as Fault;
        match fault {
            Fault::NotValidForNameContext { presented, .. } => {
                self.error(ErrorKind::TlsHostname, format_args!("{}", WrongName { presented, host: self.host }))
            }
            Fault::NotValidForName => self.error(
                ErrorKind::TlsHostname,
                format_args!("the server's certificate is not for '{}'", self.host),
            ),
            Fault::NotValidYetContext { not_before, .. } => {
                self.clock(format_args!("; the server's certificate is valid from {}", Date(not_before.as_secs())))
            }
            Fault::NotValidYet => self.clock(format_args!("; the server's certificate is not valid yet")),
            Fault::ExpiredContext { .. } | Fault::Expired if self.clock_is_absurd() => {
                self.clock(format_args!(""))
            }
            Fault::ExpiredContext { not_after, .. } => self.error(
                ErrorKind::TlsExpired,
                format_args!(
                    "the server's certificate expired on {}; this device's clock says {}",
                    Date(not_after.as_secs()),
                    self.now()
                ),
            ),
            Fault::Expired => self.error(
                ErrorKind::TlsExpired,
                format_args!("the server's certificate has expired; this device's clock says {}", self.now()),
            ),
            Fault::UnknownIssuer => self.error(
                ErrorKind::TlsUnknownIssuer,
                format_args!(
                    "nobody we trust issued the server's certificate, judged by {}: set the CA certificate that \
                     issued it, and check the host name '{}'",
                    self.trusted, self.host
                ),
            ),
            Fault::Revoked => self.bad("it has been revoked"),
            Fault::BadEncoding => self.bad("it is malformed"),
            Fault::BadSignature => self.bad(
                "its signature is wrong; perhaps it was issued by a newer CA of the same name as one that we trust",
            ),
            Fault::InvalidPurpose | Fault::InvalidPurposeContext { .. } => {
                self.bad("it is not meant for servers (extended key usage)")
            }
            Fault::UnhandledCriticalExtension => self.bad("it has a critical extension that is not understood"),
            other if other.to_string().contains("CaUsedAsEndEntity") => {
                self.bad("it is a CA's certificate, which a server must not use as its own")
            }
            other => self.bad(&short(other)),
        }
    }

    fn explain_alert(&self, alert: AlertDescription) -> Error {
        use AlertDescription as Alert;
        match alert {
            Alert::NoApplicationProtocol => self.no_alpn(),
            Alert::ProtocolVersion => self.no_version(),
            // What servers say, TLS 1.2's above all, when the certificate that they asked for is missing, or when
            // its signature cannot be verified.
            Alert::HandshakeFailure | Alert::DecryptError if self.asked => refused(alert, self.identity),
            Alert::HandshakeFailure | Alert::InsufficientSecurity => self.no_algorithm(),
            Alert::UnrecognisedName => self.error(
                ErrorKind::TlsHostname,
                format_args!("the server does not know the name '{}' (unrecognized_name)", self.host),
            ),
            alert if about_certificate(alert) => refused(alert, self.identity),
            alert => self
                .error(ErrorKind::Tls, format_args!("the server ended the handshake: {}", alert_name(alert))),
        }
    }

    fn no_alpn(&self) -> Error {
        let asked_for = printable(&String::from_utf8_lossy(self.alpn.unwrap_or_default()), 40);
        self.error(
            ErrorKind::TlsAlpn,
            format_args!(
                "the server at {}:{} does not offer the protocol '{asked_for}' (ALPN); AWS IoT Core takes \
                 'x-amzn-mqtt-ca' (certificates) and 'mqtt' (authorizers) on port 443, and needs none on port 8883",
                self.host, self.port
            ),
        )
    }

    fn no_version(&self) -> Error {
        self.error(ErrorKind::Tls, format_args!("the server supports neither TLS 1.2 nor TLS 1.3"))
    }

    fn no_algorithm(&self) -> Error {
        self.error(
            ErrorKind::Tls,
            format_args!(
                "client and server share no cipher suite, key exchange or signature algorithm; \
                 on the server allow TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20"
            ),
        )
    }

    fn clock_is_absurd(&self) -> bool {
        self.now.is_none_or(|now| now.as_secs() < CLOCK_FLOOR)
    }

    fn clock(&self, beside: fmt::Arguments<'_>) -> Error {
        self.error(
            ErrorKind::TlsClock,
            format_args!("this device's clock says {}, which is probably wrong: set it{beside}", self.now()),
        )
    }

    fn bad(&self, what: &str) -> Error {
        self.error(
            ErrorKind::TlsBadCertificate,
            format_args!("the server's certificate cannot be used: {what}"),
        )
    }

    fn now(&self) -> String {
        self.now.map_or_else(|| "a time before 1970".to_owned(), |now| Date(now.as_secs()).to_string())
    }

    fn error(&self, kind: ErrorKind, text: fmt::Arguments<'_>) -> Error {
        Error::new(kind, format!("TLS: {text}"))
    }
}

/// Explains an error of a read or write on an open link.
///
/// With TLS 1.3 a server judges the client's certificate after the client's handshake has ended (RFC 8446,
/// section 4.4.2.4), so a refused certificate comes to light here. A server that refuses often closes at once,
/// and then a write may fail before its alert was read: after a failed *write*, read once more and explain that
/// error instead if it is a better one than [`ErrorKind::ConnectionLost`].
///
/// A read that returns 0 bytes is no error for `std::io`; make it an [`io::ErrorKind::UnexpectedEof`].
pub(crate) fn explain(error: io::Error) -> Error {
    if let Some(TlsError::AlertReceived(alert)) = tls_error(&error) {
        return match *alert {
            AlertDescription::CertificateRequired => refused(*alert, false),
            // Nothing else that is verified so late can fail.
            AlertDescription::DecryptError => refused(*alert, true),
            alert if about_certificate(alert) => refused(alert, true),
            alert => Error::new(
                ErrorKind::Tls,
                format!("TLS: the server ended the connection: {}", alert_name(alert)),
            ),
        };
    }
    if let Some(reason) = tls_error(&error) {
        return Error::new(ErrorKind::Tls, format!("TLS: the connection is damaged: {}", short(reason)));
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            Error::new(ErrorKind::ConnectionLost, "the server closed the connection")
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Error::new(ErrorKind::ConnectionLost, format!("the connection was reset: {error}"))
        }
        io::ErrorKind::OutOfMemory => Error::new(ErrorKind::System, format!("the connection broke: {error}")),
        _ => Error::new(ErrorKind::ConnectionLost, format!("the connection broke: {error}")),
    }
}

fn tls_error(error: &io::Error) -> Option<&TlsError> {
    error.get_ref()?.downcast_ref::<TlsError>()
}

/// Whether a server's alert speaks of the client's certificate (RFC 8446, section 6.2).
fn about_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        alert,
        Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::CertificateRequired
    )
}

fn refused(alert: AlertDescription, identity: bool) -> Error {
    use AlertDescription as Alert;
    let advice = match alert {
        Alert::CertificateRequired | Alert::NoCertificate if identity => {
            "the server wants a client certificate, and none that is set fits what it asks for"
        }
        _ if !identity => "the server wants a client certificate: set one, with its private key",
        Alert::CertificateExpired => {
            "the server says that the client certificate has expired: get a new one, or check the server's clock"
        }
        Alert::CertificateRevoked => {
            "the server says that the client certificate has been revoked: get a new one"
        }
        Alert::UnknownCA => {
            "the server does not know who issued the client certificate: with AWS IoT, register the certificate \
             or its CA in this account and region"
        }
        _ => {
            "the server refused the client certificate: with AWS IoT, check that it is registered in this account \
             and region, and active"
        }
    };
    Error::new(ErrorKind::TlsClientCertificate, format!("TLS: {advice} ({})", alert_name(alert)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake(asked: bool, identity: bool) -> Handshake<'static> {
        Handshake {
            host: "a.example",
            port: 8883,
            now: Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(CLOCK_FLOOR))),
            trusted: Origin::BuiltIn(5),
            alpn: None,
            asked,
            identity,
        }
    }

    #[test]
    fn a_bare_close_is_explained_by_what_went_before() {
        for (asked, identity, advice) in [
            (false, true, "is that a TLS port, and the right host name?"),
            (true, false, "it asked for a client certificate, and none is set"),
            (true, true, "it may have refused the client certificate"),
        ] {
            let error = handshake(asked, identity).explain(io::ErrorKind::UnexpectedEof.into());
            assert_eq!(error.kind(), ErrorKind::Tls);
            assert_eq!(
                error.message(),
                format!(
                    "TLS: the server at a.example:8883 closed the connection during the handshake; {advice}"
                )
            );
        }
    }

    #[test]
    fn an_alert_means_our_certificate_if_the_server_asked_for_it() {
        use AlertDescription as Alert;
        for (alert, asked, identity, kind) in [
            (Alert::HandshakeFailure, false, true, ErrorKind::Tls),
            (Alert::HandshakeFailure, true, true, ErrorKind::TlsClientCertificate),
            (Alert::HandshakeFailure, true, false, ErrorKind::TlsClientCertificate),
            (Alert::DecryptError, false, true, ErrorKind::Tls),
            (Alert::DecryptError, true, true, ErrorKind::TlsClientCertificate),
            (Alert::CertificateRequired, true, true, ErrorKind::TlsClientCertificate),
        ] {
            let error = handshake(asked, identity).explain_alert(alert);
            assert_eq!(error.kind(), kind, "{error}");
        }
    }

    #[test]
    fn faults_that_only_platforms_report_are_explained_too() {
        use CertificateError as Fault;
        for (fault, kind, text) in [
            (
                Fault::Expired,
                ErrorKind::TlsExpired,
                "has expired; this device's clock says 2024-01-01T00:00:00Z",
            ),
            (Fault::NotValidYet, ErrorKind::TlsClock, "not valid yet"),
            (Fault::NotValidForName, ErrorKind::TlsHostname, "is not for 'a.example'"),
            (Fault::Revoked, ErrorKind::TlsBadCertificate, "revoked"),
            (Fault::ApplicationVerificationFailure, ErrorKind::TlsBadCertificate, "cannot be used"),
            (
                Fault::UnknownIssuer,
                ErrorKind::TlsUnknownIssuer,
                "judged by the 5 built-in roots of Amazon, because the platform has none",
            ),
        ] {
            let error = handshake(false, false).explain_certificate(&fault);
            assert_eq!(error.kind(), kind);
            assert!(error.message().contains(text), "{error}");
        }
    }
}
