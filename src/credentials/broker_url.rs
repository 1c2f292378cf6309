//! The broker's URL: where to connect and, in Gecko's own form, with what.

use super::authorizer::{Authorizer, NAME, SIGNATURE};
use super::{host, query};
use crate::{Error, ErrorKind, Result, Secret};
use std::fmt;

const MAX_BYTES: usize = 16 * 1024;

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A host name in lower case or an address without brackets.
    pub host: String,
    /// The port, where the URL names one; the default depends on [`Access`].
    pub port: Option<u16>,
}

/// How to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// `mqtt://`: MQTT without TLS, on port 1883 by default.
    Plain,
    /// `mqtts://`: MQTT over TLS; the options decide how it authenticates, and so its default port.
    Tls,
    /// `wss://` with the authorizer's parameters: MQTT over TLS on port 443 by default, ALPN `mqtt`.
    Authorizer {
        /// The authorizer that the URL names, with the token's signature if there is one.
        authorizer: Authorizer,
        /// The token.
        token: Secret,
    },
}

/// A broker's URL, taken apart. `Display` writes it again, with `***` for the secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerUrl {
    /// Where to connect.
    pub endpoint: Endpoint,
    /// How to connect.
    pub access: Access,
}

impl BrokerUrl {
    /// Takes `mqtts://host[:port]`, `mqtt://host[:port]` or Gecko's authorizer URL,
    /// `wss://host[:port]/mqtt?x-amz-customauthorizer-name=NAME&token=TOKEN&x-amz-customauthorizer-signature=SIG`.
    ///
    /// There the order of the parameters is free, the signature optional, and the token is the one
    /// parameter whose name does not begin with `x-amz-`; its name is the token key. Values are
    /// percent-decoded once, a `+` stays a `+`; other `x-amz-` parameters are ignored.
    pub fn parse(url: &str) -> Result<Self> {
        check_text(url)
            .and_then(|()| take_apart(url))
            .map_err(|error| Error::new(kind_in_url(&error), format!("{}: {error}", Quoted(url))))
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.access {
            Access::Plain => "mqtt://",
            Access::Tls => "mqtts://",
            Access::Authorizer { .. } => "wss://",
        })?;
        let Endpoint { host, port } = &self.endpoint;
        if host.contains(':') {
            write!(f, "[{host}]")?
        } else {
            f.write_str(host)?
        }
        if let Some(port) = port {
            write!(f, ":{port}")?;
        }
        if let Access::Authorizer { authorizer, .. } = &self.access {
            let key = authorizer.token_key().unwrap_or_default();
            write!(f, "/mqtt?{NAME}={}&{key}=***", authorizer.name())?;
            if authorizer.signature().is_some() {
                write!(f, "&{SIGNATURE}=***")?;
            }
        }
        Ok(())
    }
}

/// Whatever is wrong with the token or the authorizer in a URL is wrong with the URL.
fn kind_in_url(error: &Error) -> ErrorKind {
    match error.kind() {
        kind @ (ErrorKind::OutOfRange | ErrorKind::Unsupported) => kind,
        _ => ErrorKind::InvalidUrl,
    }
}

fn refuse(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidUrl, message)
}

fn check_text(url: &str) -> Result<()> {
    let is_blank = |c: char| c.is_control() || c.is_whitespace();
    if url.is_empty() {
        return Err(refuse("it is empty: give one such as mqtts://HOST"));
    }
    if url.len() > MAX_BYTES {
        return Err(refuse(format!("it has {} bytes, the limit is {MAX_BYTES}", url.len())));
    }
    if url.trim_end_matches(is_blank).contains(is_blank) {
        return Err(refuse("it has white space or a control character in it: remove or percent-encode it"));
    }
    if url.ends_with(is_blank) {
        return Err(refuse(
            "it ends with a line break or other white space: remove that (was it read from a file?)",
        ));
    }
    Ok(())
}

fn take_apart(url: &str) -> Result<BrokerUrl> {
    let (scheme, authority, tail) = split(url).ok_or_else(|| {
        refuse("it has no scheme: write mqtts://HOST, or mqtt://HOST for a connection without TLS")
    })?;
    let scheme = scheme.to_ascii_lowercase();
    match scheme.as_str() {
        "mqtt" | "mqtts" | "wss" => {}
        "ws" => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "MQTT over WebSocket is not supported by this build: use mqtts://, or mqtt:// without TLS",
            ));
        }
        _ => {
            return Err(refuse(
                "this scheme is not known: use mqtts:// (TLS) or mqtt:// (no TLS), or the wss:// URL that \
                 Gecko's cloud returns",
            ));
        }
    }
    if tail.contains('#') {
        return Err(refuse(
            "it has a fragment, which means nothing to a broker: leave out the '#' and what follows (in a \
             parameter's value, write %23)",
        ));
    }
    let (path, query) = tail.split_once('?').map_or((tail, None), |(path, query)| (path, Some(query)));
    if authority.contains('@') || path.contains('@') {
        return Err(refuse(
            "it has a user name or password before an '@': leave them out, and give them by set_username and \
             set_password",
        ));
    }
    let endpoint = endpoint(authority)?;
    let access = match scheme.as_str() {
        "wss" if !matches!(path, "" | "/" | "/mqtt") => {
            return Err(refuse("its path is not /mqtt, the only one that AWS IoT knows"));
        }
        "wss" => {
            let (authorizer, token) = query::parse(query.unwrap_or(""))?.ok_or_else(|| {
                Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "wss:// without {NAME} means MQTT over WebSocket, which is not supported by this \
                         build: use mqtts://, or the URL with the authorizer's parameters"
                    ),
                )
            })?;
            Access::Authorizer { authorizer, token }
        }
        _ if !matches!(path, "" | "/") => {
            return Err(refuse("it has a path, and MQTT has none: leave out what follows host and port"));
        }
        _ if query.is_some() => {
            return Err(refuse(
                "it has parameters, which only the authorizer's URL (wss://) may have: give a token by \
                 set_authorizer and set_token",
            ));
        }
        "mqtts" => Access::Tls,
        _ => Access::Plain,
    };
    Ok(BrokerUrl { endpoint, access })
}

/// Scheme, authority and the rest.
fn split(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|c| c.is_ascii_alphanumeric() || b"+-.".contains(&c));
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    is_scheme.then_some((scheme, authority, tail))
}

/// Host and port. The colon before a port comes after the bracket of an IPv6 address.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn endpoint(authority: &str) -> Result<Endpoint> {
    let (host, port) = split_port(authority);
    if host.contains(':') && !host.starts_with('[') {
        return Err(refuse("an IPv6 address must be in brackets, as in mqtts://[2001:db8::1]:8883"));
    }
    let host = host::parse_host(host, ErrorKind::InvalidUrl)?;
    let port = port.map(parse_port).transpose()?;
    Ok(Endpoint { host, port })
}

fn parse_port(digits: &str) -> Result<u16> {
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return Err(refuse("the port is not a number: write one from 1 to 65535, or none and no ':'"));
    }
    match digits.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(Error::new(ErrorKind::OutOfRange, "the port is not in the range from 1 to 65535")),
    }
}

/// What an error text may show of a URL that could not be taken apart: nothing that may be a secret,
/// wherever somebody put it.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the broker URL")?;
        let Some((scheme, authority, tail)) = split(self.0).filter(|(scheme, ..)| scheme.len() <= 8) else {
            return Ok(());
        };
        // A password may have any character in it, so with an '@' anywhere the parts are not what they seem.
        let (host, port) = split_port(authority);
        let is_host = !self.0.contains('@')
            && (authority.is_empty() || host::parse_host(host, ErrorKind::InvalidUrl).is_ok())
            && port.is_none_or(|port| port.bytes().all(|c| c.is_ascii_digit()));
        let (authority, tail) = match tail {
            _ if !is_host => ("***", ""),
            "" | "/" | "/mqtt" => (authority, tail),
            _ if tail.starts_with("/mqtt?") => (authority, "/mqtt?***"),
            _ if tail.starts_with('?') => (authority, "?***"),
            _ if tail.starts_with('#') => (authority, "#***"),
            _ => (authority, "/***"),
        };
        write!(f, " {scheme}://{authority}{tail}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GECKO: &str = "wss://A1-ats.iot.us-east-1.amazonaws.com/mqtt?x-amz-customauthorizer-name=Spa%401\
                         &token=aa.bb.cc&x-amz-customauthorizer-signature=a%2Bb%2Fc%3D%3D";

    fn endpoint(host: &str, port: Option<u16>) -> Endpoint {
        Endpoint { host: host.to_owned(), port }
    }

    #[test]
    fn takes_a_plain_url() {
        use Access::{Plain, Tls};
        let table = [
            ("mqtts://host.example", Tls, "host.example", None),
            ("mqtts://host.example/", Tls, "host.example", None),
            ("MQTTS://Host.Example:8884", Tls, "host.example", Some(8884)),
            ("mqtt://localhost:1", Plain, "localhost", Some(1)),
            ("mqtt://192.0.2.1:65535/", Plain, "192.0.2.1", Some(65535)),
            ("mqtts://[2001:DB8::1]", Tls, "2001:db8::1", None),
            ("mqtts://[::1]:08883", Tls, "::1", Some(8883)),
        ];
        for (url, access, host, port) in table {
            let expected = BrokerUrl { endpoint: endpoint(host, port), access };
            assert_eq!(BrokerUrl::parse(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn takes_the_authorizers_url() {
        let (scheme, query) = GECKO.split_once("/mqtt").unwrap();
        let table = [
            (GECKO.to_owned(), None),
            (format!("{scheme}:8443/mqtt{query}"), Some(8443)),
            (format!("{scheme}/{query}"), None),
            (format!("{scheme}{query}"), None),
            (GECKO.replace("wss", "WSS"), None),
        ];
        let authorizer = Authorizer::new("Spa@1", Some("token"), Some(&Secret::from("a+b/c=="))).unwrap();
        for (url, port) in table {
            let expected = BrokerUrl {
                endpoint: endpoint("a1-ats.iot.us-east-1.amazonaws.com", port),
                access: Access::Authorizer {
                    authorizer: authorizer.clone(),
                    token: Secret::from("aa.bb.cc"),
                },
            };
            assert_eq!(BrokerUrl::parse(&url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_the_rest() {
        use ErrorKind::{InvalidUrl, OutOfRange, Unsupported};
        let long = format!("mqtts://{}", "s3cr3t".repeat(3000));
        let table = [
            ("", InvalidUrl, "is empty"),
            (&*long, InvalidUrl, "has 18008 bytes, the limit is 16384"),
            ("mqtts://h\n", InvalidUrl, "read from a file"),
            (" mqtts://h", InvalidUrl, "in it"),
            ("mqtts://h h ", InvalidUrl, "in it"),
            ("mqtts://h\0/", InvalidUrl, "control character in it"),
            ("mqtts://h/\u{a0}", InvalidUrl, "white space"),
            ("host.example", InvalidUrl, "no scheme"),
            ("host.example:8883", InvalidUrl, "no scheme"),
            ("//host", InvalidUrl, "no scheme"),
            ("://host", InvalidUrl, "no scheme"),
            ("mqtts:/host", InvalidUrl, "no scheme"),
            ("s3cr3t=://host", InvalidUrl, "no scheme"),
            ("https://h", InvalidUrl, "https://h: this scheme is not known"),
            ("ssl://h:8883", InvalidUrl, "use mqtts://"),
            ("wss+s3cr3t://h", InvalidUrl, "not known"),
            ("ws://h/mqtt", Unsupported, "ws://h/mqtt: MQTT over WebSocket is not supported"),
            ("wss://h/mqtt", Unsupported, "WebSocket, which is not supported"),
            ("wss://h", Unsupported, "WebSocket"),
            ("wss://h/mqtt?token=s3cr3t", Unsupported, "WebSocket"),
            ("mqtts://", InvalidUrl, "mqtts://: the host is missing"),
            ("mqtts:///path", InvalidUrl, "host is missing"),
            ("mqtts://:8883", InvalidUrl, "host is missing"),
            ("mqtts://münchen.de", InvalidUrl, "punycode"),
            ("mqtts://a%20b", InvalidUrl, "without percent-encoding"),
            ("mqtts://h:0", OutOfRange, "mqtts://h:0: the port is not in the range"),
            ("mqtts://h:65536", OutOfRange, "range"),
            ("mqtts://h:99999999999999999999", OutOfRange, "range"),
            ("mqtts://h:", InvalidUrl, "not a number"),
            ("mqtts://h:+1", InvalidUrl, "not a number"),
            ("mqtts://h:-1", InvalidUrl, "not a number"),
            ("mqtts://h:mqtt", InvalidUrl, "not a number"),
            ("mqtts://me:s3cr3t", InvalidUrl, "mqtts://***: the port is not a number"),
            ("mqtts://[::1]x", InvalidUrl, "IPv6"),
            ("mqtts://[::1", InvalidUrl, "IPv6"),
            ("mqtts://::1", InvalidUrl, "in brackets"),
            ("mqtts://[fe80::1%25eth0]", InvalidUrl, "zone"),
            ("mqtts://me:s3cr3t@h", InvalidUrl, "mqtts://***: it has a user name"),
            ("mqtts://s3cr3t@h:1", InvalidUrl, "set_password"),
            ("mqtts://me:s3/cr3t@h", InvalidUrl, "set_username"),
            ("mqtts://me:s3cr3t/@h", InvalidUrl, "set_username"),
            ("mqtts://me:s3cr3t?@h", InvalidUrl, "not a number"),
            ("wss://me:70000?s3cr3t@h", OutOfRange, "wss://***: "),
            ("mqtts://h#s3cr3t", InvalidUrl, "mqtts://h#***: it has a fragment"),
            ("mqtts://h/path/s3cr3t", InvalidUrl, "mqtts://h/***: it has a path"),
            ("mqtt://h/mqtt", InvalidUrl, "has a path"),
            ("mqtts://h?token=s3cr3t", InvalidUrl, "mqtts://h?***: it has parameters"),
            ("wss://h/other/s3cr3t?x", InvalidUrl, "not /mqtt"),
            ("wss://h/mqtt?token=s3cr3t#x", InvalidUrl, "%23"),
            ("wss://h/mqtt?s3cr3t", InvalidUrl, "wss://h/mqtt?***: one of its parameters"),
            ("wss://h/mqtt?x-amz-customauthorizer-name=N&token=", InvalidUrl, "token is empty"),
            ("wss://h/mqtt?x-amz-customauthorizer-name=&token=s3cr3t", InvalidUrl, "name is empty"),
        ];
        for (url, kind, part) in table {
            let error = BrokerUrl::parse(url).expect_err(url);
            assert_eq!(error.kind(), kind, "{url}: {error}");
            assert!(error.message().contains(part), "{url}: {error}");
            assert!(error.message().starts_with("the broker URL"), "{error}");
            assert!(!error.message().contains("s3") && !error.message().contains("cr3t"), "{error}");
        }
    }

    #[test]
    fn prints_itself_without_the_secrets() {
        let table = [
            ("mqtts://Host", "mqtts://host"),
            ("mqtt://[::1]:1883/", "mqtt://[::1]:1883"),
            (
                GECKO,
                "wss://a1-ats.iot.us-east-1.amazonaws.com/mqtt?x-amz-customauthorizer-name=Spa@1&token=***\
                 &x-amz-customauthorizer-signature=***",
            ),
            (
                "wss://h:444?x-amz-customauthorizer-name=N&jwt=s3cr3t",
                "wss://h:444/mqtt?x-amz-customauthorizer-name=N&jwt=***",
            ),
        ];
        for (url, printed) in table {
            let url = BrokerUrl::parse(url).unwrap();
            assert_eq!(url.to_string(), printed);
            let debug = format!("{url:?}");
            assert!(!debug.contains("aa.bb.cc") && !debug.contains("a+b/c") && !debug.contains("s3cr3t"));
        }
    }
}
