//! Texts that carry credentials: whatever they are, reading them neither panics nor shows a secret, and what was put
//! in comes out again.

use super::Input;
use crate::credentials::{
    Access, Authorizer, BrokerUrl, Clocks, Credentials, Expiry, Schedule, Token, TokenState,
};
use crate::packet::Connect;
use crate::{ErrorKind, Secret};
use serde_core::de::IgnoredAny;
use serde_json::Value;
use std::fmt::Write;
use std::time::Duration;

/// Stands around each secret; nothing in a text of ours looks like it.
const MARK: &str = "QZX";
const NAME: &str = "x-amz-customauthorizer-name";
const SIGNATURE: &str = "x-amz-customauthorizer-signature";
/// More would be too long for a URL or a token, however it is encoded.
const SHORT: usize = 1000;

/// Any text as a URL. Its lines: authorizer's name, token key, token and signature for a URL that is well-formed;
/// what stands before a secret, the secret, and what stands behind it for one that may not be.
pub fn broker_url(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    any_url(&text);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    well_formed(line(), line(), line(), line());
    misplaced(line(), line(), line());
}

/// Any bytes as a token, and as the claims in one. Its lines: token, user name, signature, authorizer's name and token
/// key for a login.
pub fn token(data: &[u8]) {
    any_token(data);
    claims(data);
    schedule(&mut Input(data));
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    login(line(), line(), line(), line(), line());
}

fn any_url(text: &str) {
    let Ok(url) = BrokerUrl::parse(text) else { return };
    assert!(!url.endpoint.host.is_empty());
    assert_ne!(url.endpoint.port, Some(0));
    match &url.access {
        Access::Plain | Access::Tls => assert_eq!(BrokerUrl::parse(&url.to_string()), Ok(url)),
        Access::Authorizer { authorizer, token } => {
            let given = Token::from_broker_url(&url, 60).expect("it was held against the same rules");
            assert_eq!((given.access_token(), given.authorizer()), (token, Some(authorizer)));
        }
    }
}

fn well_formed(name: &str, key: &str, token: &str, signature: &str) {
    if [name, key, token, signature].iter().any(|text| text.len() > SHORT || text.contains(MARK)) {
        return;
    }
    let token = format!("{MARK}{token}{MARK}");
    let signature = (!signature.is_empty()).then(|| format!("{MARK}{signature}{MARK}"));
    let mut url = format!("wss://Host.example:444/mqtt?{NAME}={}", encode(name));
    if let Some(signature) = &signature {
        write!(url, "&{SIGNATURE}={}", encode(signature)).unwrap();
    }
    write!(url, "&{}={}", encode(key), encode(&token)).unwrap();

    let signature = signature.as_deref().map(Secret::from);
    let authorizer = Authorizer::new(name, Some(key), signature.as_ref());
    let expected = Token::new(Secret::from(&*token), 60, None, signature.as_ref());
    let parsed = BrokerUrl::parse(&url);
    hides(&format!("{authorizer:?} {expected:?} {parsed:?}"));
    let (Ok(authorizer), Ok(expected)) = (authorizer, expected) else {
        assert!(parsed.is_err(), "{parsed:?}");
        return;
    };
    let parsed = parsed.expect("its parts are good");
    hides(&parsed.to_string());
    assert_eq!((&*parsed.endpoint.host, parsed.endpoint.port), ("host.example", Some(444)));
    let given = Token::from_broker_url(&parsed, 60).expect("it is a good one");
    let token = expected.access_token().clone();
    assert_eq!(parsed.access, Access::Authorizer { authorizer, token });
    assert_eq!((given.access_token(), given.signature()), (expected.access_token(), expected.signature()));
    reads_as(&Credentials::default(), &given, "", name, key);
}

/// A secret where people put one: in the place of a password, a port, a path, a parameter. A name is none.
fn misplaced(before: &str, secret: &str, after: &str) {
    let secret: String =
        secret.chars().filter(|c| c.is_ascii_alphanumeric() || "+/=._%-".contains(*c)).collect();
    let Some((_, authority)) = before.split_once("://") else { return };
    let is_place = authority.contains(['/', '?', '#', ':', '@']) || after.contains('@');
    if !is_place || [before, after].iter().any(|text| text.contains(MARK)) {
        return;
    }
    match BrokerUrl::parse(&format!("{before}{MARK}{secret}{MARK}{after}")) {
        Err(error) => hides(&format!("{error} {error:?}")),
        Ok(BrokerUrl { access: Access::Authorizer { authorizer, .. }, .. })
            if authorizer.name().contains(MARK)
                || authorizer.token_key().is_some_and(|key| key.contains(MARK)) => {}
        Ok(url) => hides(&format!("{url} {url:?} {:?}", Token::from_broker_url(&url, 0))),
    }
}

fn any_token(data: &[u8]) {
    for secs in [0, 60] {
        match Token::new(Secret::new(data), secs, None, None) {
            Ok(token) => {
                assert_eq!(token.access_token().expose(), data);
                assert!(secs == 0 || token.expiry() == Expiry::In(Duration::from_secs(60)));
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidToken),
        }
    }
}

/// The claims of a JWT, and of Gecko's token.
fn claims(data: &[u8]) {
    if data.is_empty() || data.len() > SHORT {
        return;
    }
    let object = base64url(data);
    let jwt = format!("e30.{object}.");
    let [object, jwt] = [object, jwt]
        .map(|token| Token::new(Secret::from(&*token), 0, None, None).map(|token| token.expiry()).ok());
    let parsed = serde_json::from_slice(data);
    if parsed.is_err() && serde_json::from_slice::<IgnoredAny>(data).is_ok() {
        // It has a number that no Value can hold, such as 1e999, where nobody may have to read it.
        return;
    }
    let Ok(Value::Object(claims)) = parsed else {
        assert_eq!((object, jwt), (Some(Expiry::Unknown), Some(Expiry::Unknown)));
        return;
    };
    let claim = |name: &str| claims.get(name).filter(|value| !value.is_null());
    match (claim("exp"), claim("expiresAt")) {
        (Some(exp), _) => {
            assert_eq!(object, jwt);
            if let Some(number) = exp.as_u64() {
                let unix_ms = if number > 10_000_000_000 { number } else { number * 1000 };
                assert_eq!(jwt, Some(Expiry::At { unix_ms }));
            }
        }
        (None, Some(_)) => assert_eq!(jwt, Some(Expiry::Unknown)),
        (None, None) => assert_eq!((object, jwt), (Some(Expiry::Unknown), Some(Expiry::Unknown))),
    }
}

fn schedule(input: &mut Input<'_>) {
    let mut number = || input.take(8).iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let (unix_ms, boot) = (number(), Duration::from_millis(number() >> 16));
    let received = Clocks { boot, unix_ms };
    let expiry = match number() {
        at if at & 1 == 0 => Expiry::At { unix_ms: at },
        life => Expiry::In(Duration::from_millis(life >> 16)),
    };
    let schedule = Schedule::new(expiry, received, Duration::from_secs(number() & 0xFFFF), 0.5);
    let mut now = received;
    loop {
        let wait = match schedule.state(now) {
            TokenState::Fresh { refresh_in } => {
                assert_eq!(now, received, "it was due");
                refresh_in
            }
            TokenState::RefreshDue { expires_in } => {
                assert!(!expires_in.is_zero());
                expires_in
            }
            TokenState::Expired { .. } | TokenState::NoExpiry => return,
        };
        let passed = wait + Duration::from_millis(1);
        now.boot += passed;
        now.unix_ms = now.unix_ms.saturating_add(passed.as_millis() as u64);
    }
}

fn login(token: &str, username: &str, signature: &str, name: &str, key: &str) {
    let all = [token, username, signature, name, key];
    if all.iter().any(|text| text.len() > SHORT || text.contains(MARK)) {
        return;
    }
    let [token, username, signature] =
        [token, username, signature].map(|text| Secret::from(&*format!("{MARK}{text}{MARK}")));
    let user = username.expose_str().unwrap_or_default();
    let authorizer = Authorizer::new(name, Some(key), Some(&signature));
    let credentials = Credentials::new(Some(user), Some(token.clone()), authorizer.clone().ok());
    let given = Token::new(token.clone(), 0, Some(user), Some(&signature));
    hides(&format!("{authorizer:?} {credentials:?} {given:?}"));
    let (Ok(credentials), Ok(given)) = (credentials, given) else { return };
    let login = credentials.connect_login(Some(&given));
    hides(&format!("{login:?}"));
    let Ok(login) = login else { return };
    let connect = Connect {
        username: login.username.as_ref().map(Secret::expose),
        password: login.password.as_ref().map(Secret::expose),
        ..Connect::default()
    };
    hides(&format!("{connect:?} {:?}", connect.encode(&mut Vec::new())));
    if !user.contains('?') {
        reads_as(&credentials, &given, user, name, key);
    }
}

/// What AWS reads in the user name: it divides at the first `?`, at each `&` and at the first `=`, and decodes once.
fn reads_as(credentials: &Credentials, token: &Token, user: &str, name: &str, key: &str) {
    let login = credentials.connect_login(Some(token)).expect("they belong together");
    let username = login.username.as_ref().and_then(Secret::expose_str).expect("a user name");
    let (head, query) = username.split_once('?').expect("parameters");
    assert_eq!(head, user);
    let read: Vec<_> = query
        .split('&')
        .map(|pair| pair.split_once('=').expect("a value"))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect();
    let mut expected = vec![(NAME.into(), name.into()), (key.into(), token.access_token().expose().to_vec())];
    expected.extend(token.signature().map(|signature| (SIGNATURE.into(), signature.expose().to_vec())));
    assert_eq!(read, expected);
}

#[track_caller]
fn hides(text: &str) {
    assert!(!text.contains(MARK), "{text}");
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte.is_ascii_alphanumeric() {
            true => out.push(byte.into()),
            false => write!(out, "%{byte:02x}").unwrap(),
        }
        out
    })
}

fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next().unwrap_or_default()).to_digit(16).expect("an escape");
        out.push(if byte == b'%' { (digit() << 4 | digit()) as u8 } else { byte });
    }
    out
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (24 - 8 * chunk.len());
        out.extend((0..=chunk.len()).map(|at| char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 63])));
    }
    out
}
