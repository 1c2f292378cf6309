//! The query string of Gecko's authorizer URL.

use super::authorizer::{Authorizer, NAME, RESERVED, SIGNATURE, is_reserved};
use super::{percent, token};
use crate::{Error, ErrorKind, Result, Secret};
use zeroize::Zeroizing;

/// The name and the value of a parameter; the value may be a secret.
type Parameter = (Zeroizing<String>, Zeroizing<String>);

/// The authorizer and the token in a query string, or `None` where it names no authorizer.
pub(super) fn parse(query: &str) -> Result<Option<(Authorizer, Secret)>> {
    let (mut name, mut signature, mut others) = (None, None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = parameter(pair)?;
        if key.eq_ignore_ascii_case(NAME) {
            set_once(&mut name, value, NAME)?;
        } else if key.eq_ignore_ascii_case(SIGNATURE) {
            set_once(&mut signature, value, SIGNATURE)?;
        } else if !is_reserved(&key) {
            others.push((key, value));
        }
    }

    let Some(name) = name else {
        return match signature {
            Some(_) => Err(invalid(format!("it has a signature but no authorizer: add {NAME}=NAME"))),
            None => Ok(None),
        };
    };
    let [(key, token)] = others.as_slice() else {
        return Err(invalid(match others.len() {
            0 => "it has no token: add token=TOKEN (or the authorizer's own token key)".into(),
            count => format!(
                "it has {count} parameters that could be the token: leave only the one with the token, beside \
                 those whose names begin with {RESERVED}"
            ),
        }));
    };
    let token = Secret::from(token.as_str());
    token::check(&token)?;
    let signature = signature.map(|signature| Secret::from(signature.as_str()));
    Ok(Some((Authorizer::new(&name, Some(key), signature.as_ref())?, token)))
}

fn parameter(pair: &str) -> Result<Parameter> {
    let (key, value) = pair
        .split_once('=')
        .ok_or_else(|| invalid("one of its parameters has no '=': write NAME=VALUE".into()))?;
    // Padding alone is what follows a token without a name, and names are printed.
    if key.is_empty() || (!value.is_empty() && value.bytes().all(|c| c == b'=')) {
        return Err(invalid("one of its parameters has no name: write NAME=VALUE, as in token=TOKEN".into()));
    }
    if key.starts_with("amp;") {
        return Err(invalid("its parameters are separated by \"&amp;\", as in HTML: write \"&\"".into()));
    }
    if !pair.is_ascii() {
        return Err(invalid("a parameter has a character outside ASCII: percent-encode it".into()));
    }
    let key = decode(key).map_err(|why| invalid(format!("the name of a parameter {why}")))?;
    let value = decode(value).map_err(|why| {
        let which = [NAME, SIGNATURE].into_iter().find(|name| key.eq_ignore_ascii_case(name));
        invalid(format!("the value of {} {why}", which.unwrap_or("a parameter (the token?)")))
    })?;
    Ok((key, value))
}

fn set_once(slot: &mut Option<Zeroizing<String>>, value: Zeroizing<String>, name: &str) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(invalid(format!("it has {name} twice: give it once"))),
    }
}

fn decode(text: &str) -> Result<Zeroizing<String>, String> {
    let mut bytes = percent::decode(text.as_bytes()).map_err(|bad| {
        format!(
            "has a '%' at byte {} that two hexadecimal digits do not follow: write a '%' itself as %25",
            bad.at
        )
    })?;
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err("is not UTF-8 once it is percent-decoded: encode UTF-8 text".into())
        }
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidUrl, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With `NAME` and `SIG` for the long names.
    fn parse(query: &str) -> Result<Option<(Authorizer, Secret)>> {
        super::parse(&query.replace("NAME", NAME).replace("SIG", SIGNATURE))
    }

    #[test]
    fn takes_the_parameters_in_any_order() {
        let table = [
            ("NAME=Spa%401&token=a.b.c&SIG=a%2Bb%2Fc%3D%3D", "token", "a.b.c", Some("a+b/c==")),
            ("SIG=a%2Bb%2Fc%3D%3D&jwt=a%20b&NAME=Spa%401", "jwt", "a b", Some("a+b/c==")),
            ("&NAME=Spa@1&&token=t==&", "token", "t==", None),
            ("token=a+b%25&NAME=Spa@1", "token", "a+b%", None),
            ("NAME=Spa@1&t%20k=t&SIG=a+b/c==", "t k", "t", Some("a+b/c==")),
            // The signature was encoded once more with the rest of the URL.
            ("NAME=Spa@1&token=t&SIG=a%252Bb%252Fc%253D%253D", "token", "t", Some("a+b/c==")),
            ("NAME=Spa@1&x-amz-other=1&X-AMZ-other=2&token=t", "token", "t", None),
            ("X-Amz-CustomAuthorizer-Name=Spa@1&token=t", "token", "t", None),
            ("NAME=Spa@1&token=t&X-Amz-CustomAuthorizer-Signature=a", "token", "t", Some("a")),
        ];
        for (query, key, token, signature) in table {
            let signature = signature.map(Secret::from);
            let authorizer = Authorizer::new("Spa@1", Some(key), signature.as_ref()).unwrap();
            assert_eq!(parse(query), Ok(Some((authorizer, Secret::from(token)))), "{query}");
        }
    }

    #[test]
    fn finds_no_authorizer() {
        for query in ["", "&", "token=t", "a=b&c=d", "X-Amz-Algorithm=A&X-Amz-Signature=s"] {
            assert_eq!(parse(query), Ok(None), "{query}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_the_rest() {
        let long = format!("NAME=N&token={}", "s3cr3t".repeat(1500));
        let table = [
            ("N&token=s3cr3t", "no '='"),
            ("NAME=N&=s3cr3t", "no name"),
            ("s3cr3t==&NAME=N", "no name"),
            ("NAME=N&amp;token=s3cr3t", "as in HTML"),
            ("NAME=N&token=s3cr3tü", "outside ASCII"),
            ("NAME=N&s3cr3t%=t", "the name of a parameter has a '%' at byte 6"),
            ("NAME=N&token=s3cr3t%zz", "the token?) has a '%' at byte 6"),
            ("NAME=N&token=s3cr3t%FF", "the token?) is not UTF-8"),
            ("NAME=N&token=t&SIG=s3cr3t%", "x-amz-customauthorizer-signature has a '%' at byte 6"),
            ("NAME=s3cr3t%&token=t", "x-amz-customauthorizer-name has a '%' at byte 6"),
            ("NAME=N&token=", "token is empty"),
            ("NAME=N&token=s3cr3t%0A", "line break"),
            (&long, "the limit is 8192"),
            ("NAME=&token=s3cr3t", "name is empty"),
            ("NAME=%00&token=s3cr3t", "control character"),
            ("NAME=N&t%00=s3cr3t", "control character"),
            ("NAME=N", "it has no token"),
            ("NAME=N&token=s3cr3t&b=s3cr3t", "2 parameters"),
            ("NAME=N&token=s3cr3t&token=s3cr3t", "2 parameters"),
            ("NAME=N&token=t&NAME=s3cr3t", "name twice"),
            ("NAME=N&token=t&SIG=s3cr3t&SIG=s3cr3t", "signature twice"),
            ("SIG=s3cr3t&token=s3cr3t", "no authorizer"),
            ("NAME=N&token=t&SIG=", "signature is empty"),
            ("NAME=N&token=t&SIG=s3cr3t%20", "turned into a space"),
            ("NAME=N&token=t&SIG=s3cr3t%25", "URL-encoded once"),
        ];
        for (query, part) in table {
            let error = parse(query).expect_err(query);
            assert!(error.message().contains(part), "{query}: {error}");
            assert!(!error.message().contains("s3cr3t"), "{error}");
        }
    }
}
