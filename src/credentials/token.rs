//! A token: what it is sent with, and when it ends.

use super::broker_url::{Access, BrokerUrl, Endpoint};
use super::timestamp::moment;
use super::{Authorizer, base64, signature};
use crate::json::{Value, members};
use crate::{Error, ErrorKind, Result, Secret};
use std::time::Duration;

/// More than a service sends through HTTP headers, where 8 KiB is a usual limit for all of them.
const MAX_BYTES: usize = 8 * 1024;

/// When a token ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Not known, or never: time does not make this token stale.
    Unknown,
    /// So long after it was received, counted on the clock that goes on while the device sleeps.
    In(Duration),
    /// At this time of the wall clock, in Unix milliseconds.
    At {
        /// Unix milliseconds.
        unix_ms: u64,
    },
}

/// A token for the custom authorizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    access_token: Secret,
    // A secret because people put the whole assembled user name here.
    username: Option<Secret>,
    signature: Option<Secret>,
    expiry: Expiry,
    origin: Option<(Endpoint, Authorizer)>,
}

impl Token {
    /// A token with what belongs to it, all as the service returned it.
    ///
    /// `expires_in_secs` counts from now on; 0 means that the expiry is read from the token: from the claim
    /// `exp` of a JWT, from `exp` or `expiresAt` of a base64url JSON object. The token is read, not verified,
    /// and any other is opaque, with an unknown expiry. `username` goes before the one in the options, `signature`
    /// (plain or URL-encoded) before the authorizer's.
    ///
    /// White space around the token and control characters in it are refused, not trimmed: the token may
    /// have been signed with them.
    pub fn new(
        access_token: Secret,
        expires_in_secs: u32,
        username: Option<&str>,
        signature: Option<&Secret>,
    ) -> Result<Self> {
        check(&access_token)?;
        let expiry = match expires_in_secs {
            0 => read_expiry(access_token.expose())?,
            secs => Expiry::In(Duration::from_secs(secs.into())),
        };
        username.map(super::check_username).transpose()?;
        let signature = signature.map(|s| signature::plain(s, ErrorKind::InvalidToken)).transpose()?;
        Ok(Self { access_token, username: username.map(Secret::from), signature, expiry, origin: None })
    }

    /// The token of an authorizer's URL, which also says for which endpoint and authorizer it is.
    pub fn from_broker_url(url: &BrokerUrl, expires_in_secs: u32) -> Result<Self> {
        let Access::Authorizer { authorizer, token } = &url.access else {
            return Err(Error::new(
                ErrorKind::InvalidToken,
                format!(
                    "the token's broker URL {url} has no token in it: give the wss:// URL with the \
                     authorizer's parameters"
                ),
            ));
        };
        let token = Self::new(token.clone(), expires_in_secs, None, authorizer.signature())?;
        Ok(Self { origin: Some((url.endpoint.clone(), authorizer.clone())), ..token })
    }

    /// The token itself.
    pub fn access_token(&self) -> &Secret {
        &self.access_token
    }

    /// The user that it is for, where it says one.
    pub fn username(&self) -> Option<&str> {
        self.username.as_ref().and_then(Secret::expose_str)
    }

    /// Its signature as plain base64, where it brought one.
    pub fn signature(&self) -> Option<&Secret> {
        self.signature.as_ref()
    }

    /// When it ends.
    pub fn expiry(&self) -> Expiry {
        self.expiry
    }

    /// The endpoint that it is for, where it came in a URL.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.origin.as_ref().map(|(endpoint, _)| endpoint)
    }

    /// The authorizer that it is for, where it came in a URL.
    pub fn authorizer(&self) -> Option<&Authorizer> {
        self.origin.as_ref().map(|(_, authorizer)| authorizer)
    }
}

/// Whether this can be sent as a token at all.
pub(super) fn check(token: &Secret) -> Result<()> {
    let refuse = |why: String| Err(Error::new(ErrorKind::InvalidToken, why));
    let bytes = token.expose();
    if bytes.is_empty() {
        return refuse("the token is empty: give the one that your service returned".into());
    }
    if bytes.len() > MAX_BYTES {
        return refuse(format!("the token has {} bytes, the limit is {MAX_BYTES}", bytes.len()));
    }
    let Some(text) = token.expose_str() else {
        return refuse("the token is not UTF-8 text: encode binary data as base64url first".into());
    };
    if text.trim() != text {
        return refuse(
            "the token begins or ends with white space or a line break: remove it first (was it read \
             from a file?)"
                .into(),
        );
    }
    if text.contains(char::is_control) {
        return refuse(
            "the token has a line break or another control character in it: give it as one line of text"
                .into(),
        );
    }
    if text.starts_with("wss://") {
        return refuse("the token is a URL: give a broker URL as the token's broker_url".into());
    }
    Ok(())
}

fn read_expiry(token: &[u8]) -> Result<Expiry> {
    let parts: Vec<_> = token.split(|&c| c == b'.').collect();
    let (claims, is_jwt) = match parts.as_slice() {
        [object] => (base64::decode(object), false),
        [header, claims, signature] => {
            let is_jwt = base64::decode(header).is_some() && base64::decode(signature).is_some();
            (base64::decode(claims).filter(|_| is_jwt), true)
        }
        _ => (None, false),
    };
    let (mut exp, mut expires_at) = (Value::Null, Value::Null);
    let read = claims.as_deref().and_then(|claims| {
        members(claims, |name, value| {
            if name == *"exp" {
                exp = value;
            } else if name == *"expiresAt" {
                expires_at = value;
            }
        })
    });
    let (name, value) = match (read, exp, expires_at) {
        (None, ..) | (_, Value::Null, Value::Null) => return Ok(Expiry::Unknown),
        (_, Value::Null, _) if is_jwt => return Ok(Expiry::Unknown),
        (_, Value::Null, value) => ("expiresAt", value),
        (_, value, _) => ("exp", value),
    };
    match moment(value) {
        Some(unix_ms) => Ok(Expiry::At { unix_ms }),
        None => Err(Error::new(
            ErrorKind::InvalidToken,
            format!(
                "the token's {name} is neither a number nor a time with an offset from UTC such as \
                 2030-01-31T12:00:00Z: correct it, or give expires_in_secs"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::base64::encode;

    fn jwt(claims: &str) -> String {
        format!("{}.{}.c2ln", encode(br#"{"alg":"RS256"}"#), encode(claims.as_bytes()))
    }

    fn read(token: &str) -> Result<Expiry> {
        Token::new(Secret::from(token), 0, None, None).map(|token| token.expiry())
    }

    const AT: Expiry = Expiry::At { unix_ms: 1_763_932_560_000 };

    #[test]
    fn reads_the_expiry() {
        let object = |text: &str| encode(text.as_bytes());
        let table = [
            (jwt(r#"{"sub":"x","exp":1763932560,"iat":1}"#), AT),
            (jwt(r#"{"exp":1763932560.0}"#), AT),
            (jwt(r#"{"exp":1763932560000}"#), AT),
            (jwt(r#"{"exp":"1763932560"}"#), AT),
            (jwt(r#"{"exp":0}"#), Expiry::At { unix_ms: 0 }),
            (jwt(r#"{"exp":-7}"#), Expiry::At { unix_ms: 0 }),
            (format!("e30.{}.", encode(br#"{"exp":1763932560}"#)), AT),
            (object(r#"{"exp":1763932560}"#), AT),
            (object(r#"{"expiresAt":1763932560000}"#), AT),
            (object(r#"{"expiresAt":"2025-11-23T21:16:00Z"}"#), AT),
            (object(r#"{"expiresAt":1,"exp":1763932560}"#), AT),
            (object(r#"{"expiresAt":1763932560,"exp":null}"#), AT),
            (format!("{}=", object(r#"{"expiresAt":"1763932560"}"#)), AT),
            (object(r#" {"exp" : 1763932560 } "#), AT),
            (object(r#"{"exp":1,"\u0065xp":1763932560}"#), AT),
            (object(r#"{"a":[{"exp":1},"\"exp\":1"],"expiresAt":{"in":1},"exp":1763932560}"#), AT),
            // No expiry in it.
            (jwt(r#"{"sub":"x"}"#), Expiry::Unknown),
            (jwt(r#"{"exp":null}"#), Expiry::Unknown),
            (jwt(r#"{"expiresAt":1763932560}"#), Expiry::Unknown),
            (jwt(r#"{"nested":{"exp":1763932560}}"#), Expiry::Unknown),
            (object("{}"), Expiry::Unknown),
            // Opaque.
            ("opaque".to_owned(), Expiry::Unknown),
            ("Bearer abc".to_owned(), Expiry::Unknown),
            (object("[1763932560]"), Expiry::Unknown),
            (object("1763932560"), Expiry::Unknown),
            (object(r#"{"exp":1763932560"#), Expiry::Unknown),
            (object(r#"{"exp":1763932560} x"#), Expiry::Unknown),
            (object(r#"{"exp":1763932560,"exp":null}"#), Expiry::Unknown),
            (jwt("no JSON"), Expiry::Unknown),
            (format!("a.{}.c", encode(br#"{"exp":1}"#)), Expiry::Unknown),
            (format!("e30.{}.si!g", encode(br#"{"exp":1}"#)), Expiry::Unknown),
            (format!("{}.x", jwt(r#"{"exp":1}"#)), Expiry::Unknown),
            (format!("{}.x.y", jwt(r#"{"exp":1}"#)), Expiry::Unknown),
            (jwt(r#"{"exp":1}"#).rsplit_once('.').unwrap().0.to_owned(), Expiry::Unknown),
            (r#"{"exp":1763932560}"#.to_owned(), Expiry::Unknown),
            ("..".to_owned(), Expiry::Unknown),
            (jwt(&"[".repeat(5000)), Expiry::Unknown),
            (object(&format!("{}1{}", r#"{"a":"#.repeat(900), "}".repeat(900))), Expiry::Unknown),
        ];
        for (token, expiry) in table {
            assert_eq!(read(&token), Ok(expiry), "{token}");
        }
    }

    #[test]
    fn refuses_an_expiry_that_is_none() {
        for claim in [r#""s3cr3t""#, "true", "[1]", "{}", r#""2025-11-23T21:16:00""#] {
            let token = jwt(&format!(r#"{{"exp":{claim}}}"#));
            let error = read(&token).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidToken);
            assert!(error.message().contains("expires_in_secs") && !error.message().contains("s3cr3t"));
            // What it says is not read at all then.
            let given = Token::new(Secret::from(&*token), 60, None, None).unwrap();
            assert_eq!(given.expiry(), Expiry::In(Duration::from_secs(60)));
        }
        let given = Token::new(Secret::from(&*jwt(r#"{"exp":1}"#)), u32::MAX, None, None).unwrap();
        assert_eq!(given.expiry(), Expiry::In(Duration::from_secs(4_294_967_295)));
    }

    #[test]
    fn refuses_what_cannot_be_a_token() {
        let long = "a".repeat(MAX_BYTES + 1);
        let table: [(&[u8], &str); 10] = [
            (b"", "empty"),
            (long.as_bytes(), "8193 bytes, the limit is 8192"),
            (b"s3cr3t\n", "read from a file"),
            (b"s3cr3t\r\n", "read from a file"),
            (b" s3cr3t", "white space"),
            (b"s3cr3t\xc2\xa0", "white space"),
            (b"s3cr3t\ns3cr3t", "one line"),
            (b"s3cr3t\0", "control character"),
            (b"s3cr3t\xff", "not UTF-8"),
            (b"wss://h/mqtt?token=s3cr3t", "broker_url"),
        ];
        for (token, part) in table {
            for expires_in_secs in [0, 60] {
                let error = Token::new(Secret::new(token), expires_in_secs, None, None).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidToken);
                assert!(error.message().contains(part), "{error}");
                assert!(!error.message().contains("s3cr3t"), "{error}");
            }
        }
        assert!(Token::new(Secret::from(&long[1..]), 0, None, None).is_ok());
    }

    #[test]
    fn checks_what_belongs_to_it() {
        let new = |username, signature: Option<&str>| {
            Token::new(Secret::from("t"), 1, username, signature.map(Secret::from).as_ref())
        };
        let token = new(Some("me"), Some("a%2Bb")).unwrap();
        assert_eq!(token.username(), Some("me"));
        assert_eq!(token.signature().and_then(Secret::expose_str), Some("a+b"));
        assert_eq!(new(None, Some("")).unwrap_err().kind(), ErrorKind::InvalidToken);
        assert_eq!(new(Some("me\n"), None).unwrap_err().kind(), ErrorKind::InvalidArgument);
        assert_eq!(new(Some(""), None).unwrap().username(), Some(""));
    }

    #[test]
    fn comes_out_of_a_broker_url() {
        let claims = jwt(r#"{"exp":1763932560}"#);
        let url = format!(
            "wss://h:8443/mqtt?x-amz-customauthorizer-name=N&k={claims}&x-amz-customauthorizer-signature=a%2Bb"
        );
        let url = BrokerUrl::parse(&url).unwrap();
        let token = Token::from_broker_url(&url, 0).unwrap();
        assert_eq!(token.access_token().expose_str(), Some(&*claims));
        assert_eq!(token.expiry(), AT);
        assert_eq!(token.endpoint(), Some(&url.endpoint));
        assert_eq!(token.authorizer().map(|a| (a.name(), a.token_key())), Some(("N", Some("k"))));
        assert_eq!(token.signature().and_then(Secret::expose_str), Some("a+b"));
        assert_eq!(Token::from_broker_url(&url, 5).unwrap().expiry(), Expiry::In(Duration::from_secs(5)));

        let error = Token::from_broker_url(&BrokerUrl::parse("mqtts://h").unwrap(), 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidToken);
        assert!(error.message().contains("mqtts://h has no token"), "{error}");
    }

    #[test]
    fn never_prints_its_secrets() {
        let secret = Secret::from("s3cr3t");
        let token = Token::new(secret.clone(), 60, Some("me?token=s3cr3t"), Some(&secret)).unwrap();
        let printed = format!("{token:?}");
        assert!(
            printed.contains("***") && printed.contains("60s") && !printed.contains("s3cr3t"),
            "{printed}"
        );
    }
}
