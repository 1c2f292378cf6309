//! AWS IoT's custom authorizer: its settings, and the user name that carries them in CONNECT.

use super::{percent, signature};
use crate::{Error, ErrorKind, Result, Secret};
use zeroize::Zeroizing;

/// The parameter with the authorizer's name.
pub(super) const NAME: &str = "x-amz-customauthorizer-name";
/// The parameter with the token's signature.
pub(super) const SIGNATURE: &str = "x-amz-customauthorizer-signature";
/// What the names of AWS's own parameters begin with.
pub(super) const RESERVED: &str = "x-amz-";

/// AWS's limit for an authorizer's name and for its token key.
const MAX_NAME_BYTES: usize = 128;

/// The settings of a custom authorizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorizer {
    name: String,
    token_key: Option<String>,
    signature: Option<Secret>,
}

impl Authorizer {
    /// An authorizer of this `name`, both texts as they are (not URL-encoded).
    ///
    /// `token_key` is the parameter in which it expects the token; `None` for one that decides by user
    /// name and password alone. `signature`, plain or URL-encoded, belongs to tokens that bring none.
    pub fn new(name: &str, token_key: Option<&str>, signature: Option<&Secret>) -> Result<Self> {
        check_text(name, "authorizer's name")?;
        match token_key {
            Some(key) => check_token_key(key)?,
            None if signature.is_some() => {
                return Err(invalid(
                    "the authorizer has a signature but no token key: AWS checks a signature only together \
                     with the token, so give both or neither"
                        .into(),
                ));
            }
            None => {}
        }
        Ok(Self {
            name: name.to_owned(),
            token_key: token_key.map(str::to_owned),
            signature: signature.map(|s| signature::plain(s, ErrorKind::InvalidArgument)).transpose()?,
        })
    }

    /// The authorizer's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The parameter in which the token goes.
    pub fn token_key(&self) -> Option<&str> {
        self.token_key.as_deref()
    }

    /// The signature for tokens that bring none, as plain base64.
    pub fn signature(&self) -> Option<&Secret> {
        self.signature.as_ref()
    }

    /// The user name for CONNECT:
    /// `USER?x-amz-customauthorizer-name=NAME&TOKENKEY=TOKEN&x-amz-customauthorizer-signature=SIG`.
    ///
    /// It contains the token and is a secret as a whole. All but `user` is percent-encoded, exactly once.
    /// `user` may be empty; as in AWS's own libraries, one that has a `?` already brings parameters of
    /// its own, which ours then follow. `signature` goes before the authorizer's.
    pub fn username(&self, user: &str, token: Option<&Secret>, signature: Option<&Secret>) -> Result<Secret> {
        let token = match (self.token_key.as_deref(), token) {
            (Some(key), Some(token)) => Some((key, token)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(Error::new(
                    ErrorKind::InvalidConfiguration,
                    format!(
                        "the authorizer {:?} needs a token and there is none: set a token or a token \
                         provider",
                        self.name
                    ),
                ));
            }
            (None, Some(_)) => {
                return Err(Error::new(
                    ErrorKind::InvalidConfiguration,
                    format!(
                        "there is a token, but the authorizer {:?} has no token key to send it in: set its \
                         token key",
                        self.name
                    ),
                ));
            }
        };
        self.check_user(user)?;
        let own = signature.map(|s| signature::plain(s, ErrorKind::InvalidToken)).transpose()?;
        // A signature signs the token, so it goes only with one.
        let signature = token.and(own.as_ref().or(self.signature.as_ref()));

        let mut parameters: Vec<(&str, &[u8])> = vec![(NAME, self.name.as_bytes())];
        parameters.extend(token.map(|(key, token)| (key, token.expose())));
        parameters.extend(signature.map(|signature| (SIGNATURE, signature.expose())));

        let mut separator = match user.split_once('?') {
            None => Some(b'?'),
            Some((_, own)) if own.is_empty() || own.ends_with('&') => None,
            Some(_) => Some(b'&'),
        };
        let encoded = |(key, value): &(&str, &[u8])| {
            "&=".len() + percent::encoded_len(key.as_bytes()) + percent::encoded_len(value)
        };
        let length =
            user.len() + parameters.iter().map(encoded).sum::<usize>() - usize::from(separator.is_none());
        if length > super::MAX_MQTT_STRING {
            return Err(invalid(format!(
                "the user name with the authorizer's parameters has {length} bytes, and MQTT allows {}: \
                 the user has {} bytes, the token {}; shorten one of them",
                super::MAX_MQTT_STRING,
                user.len(),
                token.map_or(0, |(_, token)| token.expose().len()),
            )));
        }

        // Allocated once: growing would leave parts of the token behind in freed memory.
        let mut out = Zeroizing::new(Vec::with_capacity(length));
        out.extend_from_slice(user.as_bytes());
        for (key, value) in parameters {
            out.extend(separator);
            percent::encode_into(&mut out, key.as_bytes());
            out.push(b'=');
            percent::encode_into(&mut out, value);
            separator = Some(b'&');
        }
        Ok(Secret::new(std::mem::take(&mut *out)))
    }

    fn check_user(&self, user: &str) -> Result<()> {
        super::check_username(user)?;
        let own = user.split_once('?').map_or("", |(_, own)| own);
        for key in own.split('&').filter_map(|pair| pair.split('=').next()) {
            let ours = [NAME, SIGNATURE].iter().any(|name| key.eq_ignore_ascii_case(name));
            if ours || (!key.is_empty() && Some(key) == self.token_key()) {
                return Err(invalid(
                    "the user name already has the authorizer's parameters (after its '?'), and an \
                     authorizer is set too: give only the user's name, or set no authorizer"
                        .into(),
                ));
            }
        }
        Ok(())
    }
}

/// Whether a parameter of this name is AWS's own.
pub(super) fn is_reserved(key: &str) -> bool {
    key.get(..RESERVED.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED))
}

fn check_token_key(key: &str) -> Result<()> {
    check_text(key, "authorizer's token key")?;
    if is_reserved(key) {
        return Err(invalid(format!(
            "the authorizer's token key must not begin with {RESERVED}, as AWS's own parameters do: give the \
             token key name that the authorizer was created with, for example \"token\""
        )));
    }
    Ok(())
}

fn check_text(text: &str, what: &str) -> Result<()> {
    if text.is_empty() {
        return Err(invalid(format!("the {what} is empty: give the one that it was created with on AWS")));
    }
    if text.len() > MAX_NAME_BYTES {
        return Err(invalid(format!(
            "the {what} has {} bytes, and AWS allows {MAX_NAME_BYTES}: give the one that it was created with",
            text.len()
        )));
    }
    if text.chars().any(char::is_control) || text.trim() != text {
        return Err(invalid(format!(
            "the {what} has a control character, or white space at an end: remove it (a line break, where it \
             was read from a file)"
        )));
    }
    Ok(())
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorizer(signature: Option<&str>) -> Authorizer {
        Authorizer::new("Spa@1", Some("token"), signature.map(Secret::from).as_ref()).unwrap()
    }

    fn assembled(
        authorizer: &Authorizer,
        user: &str,
        token: Option<&str>,
        signature: Option<&str>,
    ) -> Result<String> {
        let (token, signature) = (token.map(Secret::from), signature.map(Secret::from));
        let username = authorizer.username(user, token.as_ref(), signature.as_ref())?;
        Ok(username.expose_str().unwrap().to_owned())
    }

    #[test]
    fn assembles_the_user_name() {
        let unsigned = authorizer(None);
        let signed = authorizer(Some("a+b/c=="));
        let plain = Authorizer::new("N", None, None).unwrap();
        let table = [
            (&unsigned, "", Some("t"), None, "?x-amz-customauthorizer-name=Spa%401&token=t"),
            (&unsigned, "me", Some("t.%-_"), None, "me?x-amz-customauthorizer-name=Spa%401&token=t.%25-_"),
            (
                &unsigned,
                "me",
                Some("t"),
                Some("x="),
                "me?x-amz-customauthorizer-name=Spa%401&token=t&x-amz-customauthorizer-signature=x%3D",
            ),
            (
                &signed,
                "me",
                Some("t"),
                None,
                "me?x-amz-customauthorizer-name=Spa%401&token=t&x-amz-customauthorizer-signature=a%2Bb%2Fc%3D%3D",
            ),
            (
                &signed,
                "me",
                Some("t"),
                Some("x%2By"),
                "me?x-amz-customauthorizer-name=Spa%401&token=t&x-amz-customauthorizer-signature=x%2By",
            ),
            (&unsigned, "me?", Some("t"), None, "me?x-amz-customauthorizer-name=Spa%401&token=t"),
            (&unsigned, "me?SDK=C", Some("t"), None, "me?SDK=C&x-amz-customauthorizer-name=Spa%401&token=t"),
            (&unsigned, "me?a=b&", Some("t"), None, "me?a=b&x-amz-customauthorizer-name=Spa%401&token=t"),
            (&plain, "me", None, None, "me?x-amz-customauthorizer-name=N"),
            (&plain, "me", None, Some("x"), "me?x-amz-customauthorizer-name=N"),
        ];
        for (authorizer, user, token, signature, expected) in table {
            assert_eq!(assembled(authorizer, user, token, signature).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn encodes_the_token_key_too() {
        let authorizer = Authorizer::new("a b", Some("k&=ü"), None).unwrap();
        assert_eq!(
            assembled(&authorizer, "", Some("a b"), None).unwrap(),
            "?x-amz-customauthorizer-name=a%20b&k%26%3D%C3%BC=a%20b"
        );
    }

    #[test]
    fn refuses_settings_that_cannot_work() {
        let long = "n".repeat(129);
        let table = [
            ("", Some("token"), None, "name is empty"),
            ("N", Some(""), None, "token key is empty"),
            (&long, Some("token"), None, "129 bytes"),
            ("N", Some(&*long), None, "129 bytes"),
            ("N\n", Some("token"), None, "control character"),
            ("N\0N", Some("token"), None, "control character"),
            (" N", Some("token"), None, "white space"),
            ("N", Some("tok\ten"), None, "control character"),
            ("N", Some("x-amz-customauthorizer-name"), None, "must not begin with x-amz-"),
            ("N", Some("X-Amz-Token"), None, "must not begin with x-amz-"),
            ("N", None, Some("s3cr3t"), "no token key"),
            ("N", Some("token"), Some("s3cr3t "), "line break"),
            ("N", Some("token"), Some(""), "empty"),
        ];
        for (name, key, signature, part) in table {
            let error = Authorizer::new(name, key, signature.map(Secret::from).as_ref()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
            assert!(error.message().contains(part), "{error}");
            assert!(!error.message().contains("s3cr3t"));
        }
        assert!(Authorizer::new(&long[1..], Some(&long[1..]), None).is_ok());
    }

    #[test]
    fn refuses_a_user_name_that_cannot_work() {
        use ErrorKind::{InvalidArgument, InvalidConfiguration, InvalidToken};
        let authorizer = authorizer(None);
        let plain = Authorizer::new("N", None, None).unwrap();
        let table = [
            (&authorizer, "me", None, None, InvalidConfiguration, "needs a token"),
            (&plain, "me", Some("s3cr3t"), None, InvalidConfiguration, "no token key"),
            (&authorizer, "me\n", Some("s3cr3t"), None, InvalidArgument, "control character"),
            (&authorizer, "me?token=x", Some("s3cr3t"), None, InvalidArgument, "already has"),
            (
                &authorizer,
                "me?a=b&X-Amz-CustomAuthorizer-Name=x",
                Some("s3cr3t"),
                None,
                InvalidArgument,
                "already has",
            ),
            (
                &authorizer,
                "?x-amz-customauthorizer-signature=s3cr3t",
                Some("t"),
                None,
                InvalidArgument,
                "already has",
            ),
            (&authorizer, "me", Some("t"), Some("s3cr3t%"), InvalidToken, "URL-encoded once"),
        ];
        for (authorizer, user, token, signature, kind, part) in table {
            let error = assembled(authorizer, user, token, signature).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.message().contains(part), "{error}");
            assert!(!error.message().contains("s3cr3t"));
        }
    }

    #[test]
    fn keeps_the_limit_of_an_mqtt_string() {
        let authorizer = authorizer(None);
        let rest = "?x-amz-customauthorizer-name=Spa%401&token=".len();
        let fits = "+".repeat((super::super::MAX_MQTT_STRING - rest) / 3);
        let user = "u".repeat(super::super::MAX_MQTT_STRING - rest - 3 * fits.len());
        let username = assembled(&authorizer, &user, Some(&fits), None).unwrap();
        assert_eq!(username.len(), 65_535);
        // Here the '?' is the user's own.
        let ends = format!("{user}?");
        assert_eq!(assembled(&authorizer, &ends, Some(&fits), None).unwrap().len(), 65_535);
        let error = assembled(&authorizer, &format!("{user}u"), Some(&fits), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains("65536 bytes"), "{error}");
    }

    #[test]
    fn never_prints_the_signature() {
        let printed = format!("{:?}", authorizer(Some("s3cr3t")));
        assert!(printed.contains("Spa@1") && printed.contains("***") && !printed.contains("s3cr3t"));
    }
}
