//! A host name or an address, as it stands in a URL or is given as the endpoint.

use crate::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Checks a host name, an IPv4 or an IPv6 address (with or without brackets), and returns it in lower
/// case and without brackets.
///
/// The error is of `kind`. It names single characters at the most: what was given for a host by mistake
/// may be a secret.
pub fn parse_host(text: &str, kind: ErrorKind) -> Result<String> {
    let refuse = |why: String| Err(Error::new(kind, format!("the host {why}")));

    if text.is_empty() {
        return refuse(
            "is missing: give the name of the server, such as NAME-ats.iot.REGION.amazonaws.com".into(),
        );
    }
    if text.starts_with('[') || text.contains(':') {
        let inner = text.strip_prefix('[').map_or(Some(text), |rest| rest.strip_suffix(']'));
        return match inner.map(str::parse::<Ipv6Addr>) {
            Some(Ok(address)) => Ok(address.to_string()),
            _ => refuse(
                "has a ':' but is not an IPv6 address such as [2001:db8::1] \
                 (a zone, such as %eth0, is not supported)"
                    .into(),
            ),
        };
    }
    if !text.is_ascii() {
        return refuse(
            "has a character outside ASCII: write an international name in punycode (xn--…)".into(),
        );
    }
    if let Some(odd) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))) {
        let advice = if odd == '%' { ": write it without percent-encoding" } else { "" };
        return refuse(format!("has a character that no host name has, {odd:?}{advice}"));
    }
    if text.ends_with('.') {
        return refuse("ends with a dot: leave that out".into());
    }
    if text.len() > 253 {
        return refuse(format!("has {} characters, a name at most 253", text.len()));
    }
    if text.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return refuse("has a part between two dots that is empty or longer than 63 characters".into());
    }
    if text.split('.').any(|label| label.starts_with('-') || label.ends_with('-')) {
        return refuse("has a part that begins or ends with '-'".into());
    }
    let last = text.rsplit('.').next().unwrap_or(text);
    if last.bytes().all(|c| c.is_ascii_digit()) && text.parse::<Ipv4Addr>().is_err() {
        return refuse("ends in a number but is not an IPv4 address such as 192.0.2.1".into());
    }
    Ok(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_and_addresses() {
        let long = format!("{}.{}", "a".repeat(63), "b".repeat(63));
        let table = [
            ("localhost", "localhost"),
            ("A1B2-ats.iot.US-east-1.amazonaws.com", "a1b2-ats.iot.us-east-1.amazonaws.com"),
            ("my_box.local", "my_box.local"),
            ("1and1.com", "1and1.com"),
            ("192.0.2.1", "192.0.2.1"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("[2001:DB8:0::1]", "2001:db8::1"),
            (&long, &long),
        ];
        for (text, host) in table {
            assert_eq!(parse_host(text, ErrorKind::InvalidUrl).as_deref(), Ok(host));
        }
    }

    #[test]
    fn says_what_is_wrong_with_the_rest() {
        let label = "a".repeat(64);
        let name = ["a".repeat(50).as_str(); 5].join(".");
        let table = [
            ("", "is missing"),
            ("münchen.de", "punycode"),
            ("a%62c", "without percent-encoding"),
            ("a b", "' '"),
            ("a/b", "'/'"),
            ("a\0b", "'\\0'"),
            ("host.", "ends with a dot"),
            ("a..b", "empty"),
            (".a", "empty"),
            (&label, "longer than 63"),
            (&name, "at most 253"),
            ("-a.b", "'-'"),
            ("a-.b", "'-'"),
            ("300.1.2.3", "IPv4"),
            ("1.2.3", "IPv4"),
            ("12345", "IPv4"),
            ("[::1", "IPv6"),
            ("::1]", "IPv6"),
            ("[192.0.2.1]", "IPv6"),
            ("[fe80::1%25eth0]", "zone"),
            ("host:1883", "IPv6"),
            ("[]", "IPv6"),
        ];
        for (text, part) in table {
            let error = parse_host(text, ErrorKind::InvalidArgument).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.message().contains(part), "{text:?}: {error}");
        }
    }
}
