//! Where to connect.

use super::Tls;
use crate::{Error, ErrorKind, Result};
use rustls::pki_types::ServerName;
use std::net::Ipv6Addr;

/// Where to connect and how, checked.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    host: String,
    port: u16,
    tls: Option<(Tls, ServerName<'static>)>,
}

impl Target {
    /// `host` is a name or an address (IPv6 with or without brackets); with `tls`, the server's certificate
    /// must be for it, and a name is sent to the server (SNI).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for what is no host (a URL, a port in it, white space), and for port 0.
    pub(crate) fn new(host: &str, port: u16, tls: Option<Tls>) -> Result<Self> {
        // It is not shown: what somebody gave in the place of a host may be a secret.
        let refuse = |why: &str| {
            Err(Error::new(ErrorKind::InvalidArgument, format!("the host cannot be used: {why}")))
        };
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let address = bare.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
        if bare.is_empty() {
            return refuse("it is empty");
        }
        if bare.contains("://") {
            return refuse("it is a URL; give only the name or address");
        }
        if !bare.is_ascii() {
            return refuse("it has characters outside ASCII; use its form in Punycode (xn--…)");
        }
        if bare.contains(':') && !address {
            return refuse("it has a port in it, or is no IPv6 address; the port is an option of its own");
        }
        // The zone of a link-local address ("fe80::1%eth0") is for the system to understand.
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if bare.len() > 253 || !address && !bare.chars().all(legal) {
            return refuse("it is no host name (letters, digits, '-', '_' and '.', at most 253)");
        }
        if !address && bare.split('.').any(|label| label.len() > 63) {
            return refuse("it has a part between two dots that is longer than 63 characters");
        }
        if port == 0 {
            return Err(Error::new(ErrorKind::InvalidArgument, "port 0 cannot be connected to"));
        }
        let tls = match tls {
            None => None,
            Some(tls) => match ServerName::try_from(bare.strip_suffix('.').unwrap_or(bare).to_owned()) {
                Ok(name) => Some((tls, name)),
                Err(_) => return refuse("TLS needs a name or an address that a certificate can have"),
            },
        };
        Ok(Self { host: bare.to_owned(), port, tls })
    }

    /// The same with other TLS settings, where it has any.
    pub(crate) fn with_tls(&self, tls: Option<&Tls>) -> Self {
        let mut target = self.clone();
        if let (Some((old, _)), Some(new)) = (&mut target.tls, tls) {
            *old = new.clone();
        }
        target
    }

    /// The name or address, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The TLS settings and the name that the server's certificate must have.
    pub(super) fn tls(&self) -> Option<(&Tls, &ServerName<'static>)> {
        self.tls.as_ref().map(|(tls, name)| (tls, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_and_addresses() {
        for (host, shown) in [
            ("a1b2c3-ats.iot.eu-central-1.amazonaws.com", None),
            ("broker.local.", None),
            ("my_host", None),
            ("192.0.2.1", None),
            ("2001:db8::1", None),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("fe80::1%eth0", None),
        ] {
            assert_eq!(Target::new(host, 8883, None).unwrap().host(), shown.unwrap_or(host));
        }
    }

    #[test]
    fn says_why_it_refuses() {
        let token = format!("wss://s3cr3t{0}.{0}", "a".repeat(64));
        for (host, why) in [
            (&*token, "it is a URL"),
            (&token[6..], "longer than 63"),
            ("", "it is empty"),
            ("mqtts://a.example", "it is a URL"),
            ("a.example:8883", "it has a port in it"),
            ("bücher.example", "Punycode"),
            ("a b", "no host name"),
            ("a.example/mqtt", "no host name"),
            ("a\0b", "no host name"),
        ] {
            let error = Target::new(host, 8883, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(
                error.message().contains(why) && !error.message().contains("s3cr3t"),
                "{host:?}: {error}"
            );
        }
        assert!(Target::new("a", 0, None).unwrap_err().message().contains("port 0"));
    }
}
