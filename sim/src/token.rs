//! Tokens: made for clients, read back by the authorizer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::config::{Authorizer, TokenFormat};
use crate::error::Error;
use crate::percent;

/// Signs the simulator's tokens. For tests only: it is public.
const SIGNING_KEY: &str = include_str!("keys/authorizer.pem");

/// Numbers above this are milliseconds, not seconds.
const SECONDS_END: u64 = 10_000_000_000;

/// A token and everything made of it, as Gecko's cloud would hand it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The bare token.
    pub token: String,
    /// base64(RSA-SHA256(token)), not URL-encoded.
    pub signature: String,
    /// The broker URL: `wss://localhost:PORT/mqtt?x-amz-customauthorizer-name=…&token=…&x-amz-customauthorizer-signature=…`.
    pub broker_url: String,
    /// CONNECT's user name, ready to be sent: `?x-amz-customauthorizer-name=…`, each value URL-encoded once.
    pub user_name: String,
    /// When it expires.
    pub expires_at: SystemTime,
}

/// Makes and checks signatures.
pub(crate) struct Signer {
    key: RsaKeyPair,
    random: SystemRandom,
}

impl Signer {
    pub fn new() -> Result<Self, Error> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(SIGNING_KEY.as_bytes())
            .map_err(|error| Error::Certificate(format!("the token signing key: {error}")))?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der())
            .map_err(|error| Error::Certificate(format!("the token signing key: {error}")))?;
        Ok(Self { key, random: SystemRandom::new() })
    }

    fn sign(&self, text: &str) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &self.random, text.as_bytes(), &mut signature)
            .map_err(|_| Error::Certificate("a token could not be signed".to_owned()))?;
        Ok(signature)
    }

    /// Whether `signature` is base64(RSA-SHA256(`token`)).
    pub fn verify(&self, token: &str, signature: &str) -> bool {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.key.public_key().as_ref());
        STANDARD.decode(signature).is_ok_and(|raw| key.verify(token.as_bytes(), &raw).is_ok())
    }

    /// `N` random bytes.
    pub fn random<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes).map_err(|_| Error::Certificate("no random numbers".to_owned()))?;
        Ok(bytes)
    }

    /// A token that lives for `ttl`, counted from `now`.
    pub fn mint(
        &self,
        authorizer: &Authorizer,
        format: TokenFormat,
        ttl: Duration,
        now: SystemTime,
        port: u16,
    ) -> Result<Token, Error> {
        let now_ms = since_epoch(now).as_millis() as u64;
        let expiry_ms = now_ms.saturating_add(ttl.as_millis() as u64);
        let unique = URL_SAFE_NO_PAD.encode(self.random::<12>()?);
        let (token, expiry_ms) = match format {
            TokenFormat::Jwt => {
                // Up, so that it lives as long as was asked; a token that shall have expired has.
                let exp = if ttl.is_zero() { now_ms / 1000 } else { expiry_ms.div_ceil(1000) };
                let header = json!({ "alg": "RS256", "typ": "JWT" });
                let claims = json!({ "sub": "gecko", "iat": now_ms / 1000, "exp": exp, "jti": unique });
                let signed = format!("{}.{}", base64url(&header), base64url(&claims));
                let signature = URL_SAFE_NO_PAD.encode(self.sign(&signed)?);
                (format!("{signed}.{signature}"), exp * 1000)
            }
            TokenFormat::Json => (base64url(&json!({ "id": unique, "expiresAt": expiry_ms })), expiry_ms),
        };
        let signature = STANDARD.encode(self.sign(&token)?);
        let query = format!(
            "x-amz-customauthorizer-name={}&{}={}&x-amz-customauthorizer-signature={}",
            percent::encode(&authorizer.name),
            percent::encode(&authorizer.token_key),
            percent::encode(&token),
            percent::encode(&signature),
        );
        Ok(Token {
            broker_url: format!("wss://localhost:{port}/mqtt?{query}"),
            user_name: format!("?{query}"),
            expires_at: UNIX_EPOCH + Duration::from_millis(expiry_ms),
            token,
            signature,
        })
    }
}

fn base64url(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// When `token` expires: a JWT's `exp`, or `exp`/`expiresAt` of one base64url JSON object, in seconds or
/// milliseconds. `None` if it does not say.
pub(crate) fn expiry(token: &str) -> Option<SystemTime> {
    let mut parts = token.split('.');
    let claims = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(only), None, None, None) => only,
        (Some(_), Some(claims), Some(_), None) => claims,
        _ => return None,
    };
    let raw = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&raw).ok()?;
    let number = ["exp", "expiresAt"].iter().find_map(|name| claims.get(name)?.as_f64())?;
    if !number.is_finite() || number < 0.0 {
        return None;
    }
    let secs = if number > SECONDS_END as f64 { number / 1000.0 } else { number };
    UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(secs).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mint(format: TokenFormat, ttl: Duration) -> Token {
        let now = UNIX_EPOCH + Duration::from_millis(1_700_000_000_500);
        Signer::new().unwrap().mint(&Authorizer::default(), format, ttl, now, 443).unwrap()
    }

    #[test]
    fn a_minted_token_says_when_it_expires() {
        let jwt = mint(TokenFormat::Jwt, Duration::from_secs(60));
        assert_eq!(jwt.token.split('.').count(), 3);
        assert_eq!(expiry(&jwt.token), Some(jwt.expires_at));
        assert_eq!(jwt.expires_at, UNIX_EPOCH + Duration::from_secs(1_700_000_061));

        let json = mint(TokenFormat::Json, Duration::from_millis(60_250));
        assert!(!json.token.contains('.'));
        assert_eq!(expiry(&json.token), Some(json.expires_at));
        assert_eq!(json.expires_at, UNIX_EPOCH + Duration::from_millis(1_700_000_060_750));
    }

    #[test]
    fn a_signature_is_of_its_token_only() {
        let signer = Signer::new().unwrap();
        let (one, other) =
            (mint(TokenFormat::Jwt, Duration::from_secs(1)), mint(TokenFormat::Jwt, Duration::from_secs(1)));
        assert!(signer.verify(&one.token, &one.signature));
        assert!(!signer.verify(&one.token, &other.signature));
        assert!(!signer.verify(&one.token, "not base64!"));
        assert!(
            one.broker_url.starts_with("wss://localhost:443/mqtt?x-amz-customauthorizer-name=gecko&token=")
        );
    }

    #[test]
    fn what_is_no_token_has_no_expiry() {
        for text in ["", "opaque", "a.b", "a.b.c", "a.b.c.d", &base64url(&json!({ "exp": "soon" }))] {
            assert_eq!(expiry(text), None, "{text}");
        }
        let seconds = base64url(&json!({ "exp": 1_700_000_000 }));
        assert_eq!(expiry(&seconds), Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000)));
    }
}
