//! What a connection authenticates with: user name and password, AWS's custom authorizer and its token, and
//! when the next token is needed.
//!
//! The room is pure: time comes in as an argument, randomness as a number, and nothing leaves it but values.
//! No text that it makes, neither an error's nor a `Debug`'s, contains a token, password or signature.

mod authorizer;
mod base64;
mod broker_url;
mod host;
mod percent;
mod query;
mod refresh;
mod signature;
mod timestamp;
mod token;

#[cfg(test)]
mod properties;

pub use authorizer::Authorizer;
pub use broker_url::{Access, BrokerUrl, Endpoint};
pub use host::parse_host;
pub use refresh::{Clocks, DEFAULT_THRESHOLD, Schedule, TokenState, retry_delay};
pub use token::{Expiry, Token};

use crate::{Error, ErrorKind, Result, Secret};

/// The longest text or binary data that MQTT can carry [MQTT-1.5.4].
const MAX_MQTT_STRING: usize = 65_535;

/// What the options say of authentication, apart from certificates. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    // A secret because it may be an authorizer's user name, assembled by hand, token and all.
    username: Option<Secret>,
    password: Option<Secret>,
    authorizer: Option<Authorizer>,
}

/// What CONNECT carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// The user name, UTF-8; it may contain the token.
    pub username: Option<Secret>,
    /// The password, any bytes.
    pub password: Option<Secret>,
}

impl Credentials {
    /// None at all.
    pub(crate) const NONE: Self = Self { username: None, password: None, authorizer: None };

    /// Each of them optional; with an authorizer, `username` is the USER before the `?` of its user name.
    pub fn new(
        username: Option<&str>,
        password: Option<Secret>,
        authorizer: Option<Authorizer>,
    ) -> Result<Self> {
        username.map(check_username).transpose()?;
        if let Some(length) = password.as_ref().map(|password| password.expose().len()) {
            if length > MAX_MQTT_STRING {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("the password has {length} bytes, and MQTT allows {MAX_MQTT_STRING}"),
                ));
            }
        }
        Ok(Self { username: username.map(Secret::from), password, authorizer })
    }

    /// The authorizer, if one is set.
    pub fn authorizer(&self) -> Option<&Authorizer> {
        self.authorizer.as_ref()
    }

    /// Whether a token must be there before the first CONNECT.
    pub fn needs_token(&self) -> bool {
        self.authorizer.as_ref().is_some_and(|authorizer| authorizer.token_key().is_some())
    }

    /// User name and password for the next CONNECT.
    ///
    /// What the token brings goes before what is set here: its user, its signature, and the authorizer of
    /// its URL.
    pub fn connect_login(&self, token: Option<&Token>) -> Result<Login> {
        let Some(authorizer) = token.and_then(Token::authorizer).or(self.authorizer.as_ref()) else {
            if token.is_some() {
                return Err(Error::new(
                    ErrorKind::InvalidConfiguration,
                    "there is a token but no authorizer to send it to: set the authorizer, or give the token \
                     as a broker URL",
                ));
            }
            return Ok(Login { username: self.username.clone(), password: self.password.clone() });
        };
        let own = || self.username.as_ref().and_then(Secret::expose_str);
        let user = token.and_then(Token::username).or_else(own).unwrap_or_default();
        let (access_token, signature) = (token.map(Token::access_token), token.and_then(Token::signature));
        let username = authorizer.username(user, access_token, signature)?;
        Ok(Login { username: Some(username), password: self.password.clone() })
    }
}

/// Whether MQTT lets this be a user name.
fn check_username(text: &str) -> Result<()> {
    if text.len() > MAX_MQTT_STRING {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("the user name has {} bytes, and MQTT allows {MAX_MQTT_STRING}", text.len()),
        ));
    }
    // U+0000 is forbidden; the others a server may take for a malformed packet [MQTT-1.5.4].
    if text.contains(char::is_control) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "the user name has a control character: remove it (a line break at its end, where it was read \
             from a file)",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(credentials: &Credentials, token: Option<&Token>) -> (Option<String>, Option<Vec<u8>>) {
        let login = credentials.connect_login(token).unwrap();
        let username = login.username.map(|username| username.expose_str().unwrap().to_owned());
        (username, login.password.map(|password| password.expose().to_vec()))
    }

    fn token(username: Option<&str>, signature: Option<&str>) -> Token {
        Token::new(Secret::from("t"), 60, username, signature.map(Secret::from).as_ref()).unwrap()
    }

    #[test]
    fn sends_user_name_and_password_as_they_are() {
        assert_eq!(login(&Credentials::default(), None), (None, None));
        let credentials = Credentials::new(Some("me?a=b c%"), Some(Secret::new([0, 255])), None).unwrap();
        assert_eq!(login(&credentials, None), (Some("me?a=b c%".into()), Some(vec![0, 255])));
        let credentials = Credentials::new(None, Some(Secret::from("p")), None).unwrap();
        assert_eq!(login(&credentials, None), (None, Some(b"p".to_vec())));
        let credentials = Credentials::new(Some(""), None, None).unwrap();
        assert_eq!(login(&credentials, None), (Some(String::new()), None));
    }

    #[test]
    fn puts_the_token_into_the_authorizers_user_name() {
        let authorizer = Authorizer::new("N", Some("k"), Some(&Secret::from("own="))).unwrap();
        let credentials = Credentials::new(Some("me"), Some(Secret::from("p")), Some(authorizer)).unwrap();
        let table = [
            (
                token(None, None),
                "me?x-amz-customauthorizer-name=N&k=t&x-amz-customauthorizer-signature=own%3D",
            ),
            (
                token(Some("you"), Some("its=")),
                "you?x-amz-customauthorizer-name=N&k=t&x-amz-customauthorizer-signature=its%3D",
            ),
            (
                token(Some(""), None),
                "?x-amz-customauthorizer-name=N&k=t&x-amz-customauthorizer-signature=own%3D",
            ),
        ];
        for (token, expected) in table {
            assert_eq!(login(&credentials, Some(&token)), (Some(expected.into()), Some(b"p".to_vec())));
        }
    }

    #[test]
    fn a_url_brings_its_own_authorizer() {
        let url = BrokerUrl::parse("wss://h/mqtt?x-amz-customauthorizer-name=U&u=t").unwrap();
        let token = Token::from_broker_url(&url, 0).unwrap();
        let expected = "?x-amz-customauthorizer-name=U&u=t";
        assert_eq!(login(&Credentials::default(), Some(&token)), (Some(expected.into()), None));
        let other = Authorizer::new("N", Some("k"), Some(&Secret::from("own="))).unwrap();
        let credentials = Credentials::new(Some("me"), None, Some(other)).unwrap();
        assert_eq!(login(&credentials, Some(&token)), (Some(format!("me{expected}")), None));
    }

    #[test]
    fn an_authorizer_without_token_key_needs_no_token() {
        let plain = Authorizer::new("N", None, None).unwrap();
        let credentials = Credentials::new(Some("me"), Some(Secret::from("p")), Some(plain)).unwrap();
        assert!(!credentials.needs_token());
        assert_eq!(
            login(&credentials, None),
            (Some("me?x-amz-customauthorizer-name=N".into()), Some(b"p".to_vec()))
        );
        let keyed = Authorizer::new("N", Some("k"), None).unwrap();
        assert!(Credentials::new(None, None, Some(keyed)).unwrap().needs_token());
        assert!(!Credentials::default().needs_token());
    }

    #[test]
    fn refuses_what_cannot_work() {
        let long = "s3cr3t".repeat(20_000);
        let fits = "a".repeat(MAX_MQTT_STRING);
        assert!(Credentials::new(Some(&fits), Some(Secret::from(&*fits)), None).is_ok());
        let table = [
            (Credentials::new(Some(&long), None, None), "user name has 120000 bytes"),
            (Credentials::new(None, Some(Secret::from(&*long)), None), "password has 120000 bytes"),
            (Credentials::new(Some("me\0"), None, None), "control character"),
            (Credentials::new(Some("s3cr3t\n"), None, None), "line break"),
        ];
        for (result, part) in table {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.message().contains(part) && !error.message().contains("s3cr3t"), "{error}");
        }

        let error = Credentials::default().connect_login(Some(&token(None, None))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfiguration);
        assert!(error.message().contains("no authorizer"), "{error}");
        let keyed = Authorizer::new("N", Some("k"), None).unwrap();
        let error = Credentials::new(None, None, Some(keyed)).unwrap().connect_login(None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfiguration);
        assert!(error.message().contains("needs a token"), "{error}");
    }

    #[test]
    fn never_prints_its_secrets() {
        let secret = Secret::from("s3cr3t");
        let authorizer = Authorizer::new("N", Some("k"), Some(&secret)).unwrap();
        let credentials = Credentials::new(Some("me?k=s3cr3t"), Some(secret), None).unwrap();
        let login = credentials.connect_login(None).unwrap();
        let printed = format!("{credentials:?} {login:?} {authorizer:?}");
        assert!(printed.contains("***") && !printed.contains("s3cr3t"), "{printed}");
    }
}
