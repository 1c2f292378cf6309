//! The custom authorizer: reads CONNECT's user name as AWS does, and decides.

use std::collections::HashSet;
use std::time::SystemTime;

use crate::config::Authorizer;
use crate::percent;
use crate::token::{self, Signer};

/// Why the authorizer refused. Never holds the token or the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Denial {
    NoUserName,
    NotParameters,
    WrongName,
    Missing(String),
    Doubled(String),
    Encoding(String),
    Expired,
    Revoked,
    BadSignature,
    BadPassword,
}

impl std::fmt::Display for Denial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoUserName => f.write_str("CONNECT has no user name"),
            Self::NotParameters => f.write_str("the user name has no `?` followed by parameters"),
            Self::WrongName => f.write_str("no authorizer has this name"),
            Self::Missing(name) => write!(f, "parameter {name} is missing"),
            Self::Doubled(name) => write!(f, "parameter {name} is there twice"),
            Self::Encoding(name) => write!(f, "the value of {name} is not URL-encoded exactly once"),
            Self::Expired => f.write_str("the token has expired"),
            Self::Revoked => f.write_str("the token has been revoked"),
            Self::BadSignature => f.write_str("the signature is not that of the token"),
            Self::BadPassword => f.write_str("the password is wrong"),
        }
    }
}

/// Whom the authorizer let in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// When the token expires, if it says so.
    pub expires_at: Option<SystemTime>,
}

/// What a client showed to be let in; it is shown to the authorizer again while the connection lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub user_name: Option<&'a str>,
    pub password: Option<&'a [u8]>,
}

const NAME: &str = "x-amz-customauthorizer-name";
const SIGNATURE: &str = "x-amz-customauthorizer-signature";

/// Decides on a CONNECT, or anew on a living connection.
pub(crate) fn authorize(
    authorizer: &Authorizer,
    signer: &Signer,
    revoked: &HashSet<String>,
    shown: Shown<'_>,
    now: SystemTime,
) -> Result<Grant, Denial> {
    let parameters = Parameters::new(shown.user_name.ok_or(Denial::NoUserName)?)?;

    if parameters.get(NAME)? != authorizer.name {
        return Err(Denial::WrongName);
    }
    let token = parameters.get(&authorizer.token_key)?;
    if token.is_empty() {
        return Err(Denial::Missing(authorizer.token_key.clone()));
    }
    if authorizer.signing && !signer.verify(&token, &parameters.get(SIGNATURE)?) {
        return Err(Denial::BadSignature);
    }
    let expires_at = token::expiry(&token);
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Denial::Expired);
    }
    if revoked.contains(&token) {
        return Err(Denial::Revoked);
    }
    if authorizer.password.as_deref().is_some_and(|expected| shown.password != Some(expected)) {
        return Err(Denial::BadPassword);
    }
    Ok(Grant { expires_at })
}

/// The token in a user name, good or bad.
pub(crate) fn token(authorizer: &Authorizer, user_name: &str) -> Option<String> {
    Parameters::new(user_name).ok()?.get(&authorizer.token_key).ok()
}

struct Parameters<'a>(&'a str);

impl<'a> Parameters<'a> {
    fn new(user_name: &'a str) -> Result<Self, Denial> {
        user_name.split_once('?').map(|(_user, query)| Self(query)).ok_or(Denial::NotParameters)
    }

    fn get(&self, name: &str) -> Result<String, Denial> {
        let mut found = self
            .0
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(key, _)| percent::decode_once(key).as_deref() == Some(name));
        let (_, value) = found.next().ok_or_else(|| Denial::Missing(name.to_owned()))?;
        if found.next().is_some() {
            return Err(Denial::Doubled(name.to_owned()));
        }
        percent::decode_once(value).ok_or_else(|| Denial::Encoding(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::TokenFormat;
    use crate::token::Token;

    fn authorizer() -> Authorizer {
        Authorizer { name: "my authorizer".to_owned(), ..Authorizer::default() }
    }

    fn mint(signer: &Signer, ttl: Duration) -> Token {
        signer.mint(&authorizer(), TokenFormat::Jwt, ttl, SystemTime::now(), 1).unwrap()
    }

    fn decide(signer: &Signer, user_name: &str) -> Result<Grant, Denial> {
        decide_as(&authorizer(), signer, Some(user_name), None)
    }

    fn decide_as(
        authorizer: &Authorizer,
        signer: &Signer,
        user_name: Option<&str>,
        password: Option<&[u8]>,
    ) -> Result<Grant, Denial> {
        let shown = Shown { user_name, password };
        authorize(authorizer, signer, &HashSet::new(), shown, SystemTime::now())
    }

    #[test]
    fn a_good_token_is_let_in_with_or_without_a_user() {
        let signer = Signer::new().unwrap();
        let token = mint(&signer, Duration::from_secs(60));
        let grant = Grant { expires_at: Some(token.expires_at) };
        assert_eq!(decide(&signer, &token.user_name), Ok(grant));
        assert!(decide(&signer, &format!("device{}", token.user_name)).is_ok());
    }

    #[test]
    fn each_fault_has_its_own_denial() {
        let signer = Signer::new().unwrap();
        let good = mint(&signer, Duration::from_secs(60));
        let expired = mint(&signer, Duration::ZERO);
        let other = mint(&signer, Duration::from_secs(60));
        let signature = percent::encode(&good.signature);
        let table = [
            ("device".to_owned(), Denial::NotParameters),
            (good.user_name.replace("my%20authorizer", "other"), Denial::WrongName),
            (good.user_name.replace("my%20", "my%2520"), Denial::Encoding(NAME.to_owned())),
            (good.user_name.replace("my%20", "my "), Denial::Encoding(NAME.to_owned())),
            (good.user_name.replace("&token=", "&other="), Denial::Missing("token".to_owned())),
            (good.user_name.replace(&good.token, ""), Denial::Missing("token".to_owned())),
            (
                good.user_name.replace(&signature, &percent::encode(&signature)),
                Denial::Encoding(SIGNATURE.to_owned()),
            ),
            (good.user_name.replace(&signature, &good.signature), Denial::Encoding(SIGNATURE.to_owned())),
            (good.user_name.replace(&good.token, &other.token), Denial::BadSignature),
            (format!("{}&token=x", good.user_name), Denial::Doubled("token".to_owned())),
            (expired.user_name.clone(), Denial::Expired),
        ];
        for (user_name, denial) in table {
            let verdict = decide(&signer, &user_name);
            assert_eq!(verdict, Err(denial), "{user_name}");
        }
        assert_eq!(decide_as(&authorizer(), &signer, None, None), Err(Denial::NoUserName));
    }

    #[test]
    fn a_token_is_good_until_it_expires_or_is_revoked() {
        let signer = Signer::new().unwrap();
        let token = mint(&signer, Duration::from_secs(60));
        let shown = Shown { user_name: Some(&token.user_name), password: None };
        let decide =
            |revoked: &HashSet<String>, now| authorize(&authorizer(), &signer, revoked, shown, now).err();
        let (none, this) = (HashSet::new(), HashSet::from([token.token.clone()]));
        let moment = Duration::from_millis(1);
        assert_eq!(decide(&none, token.expires_at - moment), None);
        assert_eq!(decide(&none, token.expires_at), Some(Denial::Expired));
        assert_eq!(decide(&this, token.expires_at - moment), Some(Denial::Revoked));
        assert_eq!(super::token(&authorizer(), &token.user_name), Some(token.token.clone()));
        assert_eq!(super::token(&authorizer(), "device"), None);
    }

    #[test]
    fn without_signing_any_token_does_and_a_password_may_be_asked_for() {
        let signer = Signer::new().unwrap();
        let authorizer =
            Authorizer { signing: false, password: Some(b"secret".to_vec()), ..Authorizer::default() };
        let name = Some("?x-amz-customauthorizer-name=gecko&token=opaque");
        let good = decide_as(&authorizer, &signer, name, Some(b"secret"));
        assert_eq!(good, Ok(Grant { expires_at: None }));
        assert_eq!(decide_as(&authorizer, &signer, name, None), Err(Denial::BadPassword));
    }
}
