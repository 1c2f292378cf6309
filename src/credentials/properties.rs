//! What must hold for every input.

use super::*;
use proptest::prelude::*;
use std::time::Duration;

/// Takes a user name apart as AWS does: at the first `?`, at each `&`, at the first `=`; then decodes once.
fn as_aws_reads_it(username: &str) -> (&str, Vec<(String, String)>) {
    let (user, query) = username.split_once('?').unwrap();
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            if byte == b'%' {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
            } else {
                assert!(byte.is_ascii_alphanumeric() || b"-._~".contains(&byte), "{byte} is not encoded");
                bytes.push(byte);
            }
        }
        String::from_utf8(bytes).unwrap()
    };
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
    (user, pairs.map(|(key, value)| (decode(key), decode(value))).collect())
}

fn encode(text: &str) -> String {
    let mut out = Vec::new();
    percent::encode_into(&mut out, text.as_bytes());
    String::from_utf8(out).unwrap()
}

/// A name as the authorizer takes it.
const NAME: &str = "[^\\pC\\s]{1,20}";
const KEY: &str = "[a-z][^\\pC\\s]{0,9}";
const TOKEN: &str = "[!-9;-~éß]{1,60}";
const BASE64: &str = "[A-Za-z0-9+/]{1,40}={0,2}";
/// Nothing in a text of ours looks like it.
const MARKED: &str = "QZX[A-Za-z0-9+/=._%-]{0,12}QZX";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn percent_encoding_round_trips(bytes: Vec<u8>) {
        let mut once = Vec::new();
        percent::encode_into(&mut once, &bytes);
        prop_assert_eq!(once.len(), percent::encoded_len(&bytes));
        prop_assert_eq!(&**percent::decode(&once).unwrap(), &bytes);
    }

    #[test]
    fn percent_decoding_stands_anything(bytes: Vec<u8>, text in "[%0-9a-fA-F]{0,20}") {
        let _ = percent::decode(text.as_bytes());
        match percent::decode(&bytes) {
            Ok(plain) => prop_assert!(plain.len() <= bytes.len()),
            Err(bad) => prop_assert_eq!(bytes[bad.at], b'%'),
        }
    }

    #[test]
    fn base64_round_trips(bytes: Vec<u8>) {
        prop_assert_eq!(&**base64::decode(base64::encode(&bytes).as_bytes()).unwrap(), &bytes);
    }

    #[test]
    fn base64_stands_anything(bytes: Vec<u8>) {
        let _ = base64::decode(&bytes);
    }

    #[test]
    fn a_signature_is_encoded_once_however_it_arrives(base64 in BASE64, mask in any::<u64>()) {
        // Any of its characters may already be encoded.
        let some: String = base64
            .chars()
            .enumerate()
            .map(|(i, c)| if mask >> (i % 64) & 1 == 1 { format!("%{:02x}", c as u32) } else { c.to_string() })
            .collect();
        let plain = Secret::from(&*base64);
        let authorizer = Authorizer::new("N", Some("k"), None).unwrap();
        for given in [base64.clone(), encode(&base64), some] {
            let given = Secret::from(&*given);
            prop_assert_eq!(&signature::plain(&given, ErrorKind::InvalidToken).unwrap(), &plain);
            let username = authorizer.username("", Some(&Secret::from("t")), Some(&given)).unwrap();
            let end = format!("-signature={}", encode(&base64));
            prop_assert!(username.expose_str().unwrap().ends_with(&end));
        }
    }

    #[test]
    fn aws_reads_back_what_went_into_the_user_name(
        user in "[^\\pC?]{0,20}",
        name in NAME,
        key in KEY,
        token in TOKEN,
        base64 in proptest::option::of(BASE64),
    ) {
        let base64 = base64.as_deref();
        let authorizer = Authorizer::new(&name, Some(&key), None).unwrap();
        let credentials = Credentials::new(Some(&user), None, Some(authorizer)).unwrap();
        let given = Token::new(Secret::from(&*token), 60, None, base64.map(Secret::from).as_ref()).unwrap();
        let login = credentials.connect_login(Some(&given)).unwrap().username.unwrap();

        let mut expected = vec![("x-amz-customauthorizer-name".to_owned(), name), (key, token)];
        expected.extend(base64.map(|base64| ("x-amz-customauthorizer-signature".to_owned(), base64.to_owned())));
        prop_assert_eq!(as_aws_reads_it(login.expose_str().unwrap()), (&*user, expected));
    }

    #[test]
    fn a_broker_url_becomes_the_same_user_name(
        name in NAME,
        key in KEY,
        token in TOKEN,
        base64 in BASE64,
        order in Just([0, 1, 2]).prop_shuffle(),
        encode_signature: bool,
    ) {
        let signature = if encode_signature { encode(&base64) } else { base64.clone() };
        let pairs = [
            format!("x-amz-customauthorizer-name={}", encode(&name)),
            format!("{}={}", encode(&key), encode(&token)),
            format!("x-amz-customauthorizer-signature={signature}"),
        ];
        let query = order.map(|i| &*pairs[i]).join("&");
        let url = BrokerUrl::parse(&format!("wss://Host.example:444/mqtt?{query}")).unwrap();
        prop_assert_eq!(&url.endpoint, &Endpoint { host: "host.example".into(), port: Some(444) });

        let given = Token::from_broker_url(&url, 60).unwrap();
        let login = Credentials::default().connect_login(Some(&given)).unwrap().username.unwrap();
        let expected = vec![
            ("x-amz-customauthorizer-name".to_owned(), name),
            (key, token),
            ("x-amz-customauthorizer-signature".to_owned(), base64),
        ];
        prop_assert_eq!(as_aws_reads_it(login.expose_str().unwrap()), ("", expected));
    }

    #[test]
    fn parsing_a_url_stands_anything(
        text: String,
        odd in "(mqtts?|wss?)://[a-z:0-9\\[\\].@%?#&=/-]{0,40}",
        query in "[a-z%=&;]{0,40}",
    ) {
        let authorizer = format!("wss://h/mqtt?x-amz-customauthorizer-name=N&{query}");
        for url in [text, odd, authorizer] {
            if let Ok(parsed) = BrokerUrl::parse(&url) {
                prop_assert!(!parsed.endpoint.host.is_empty());
                prop_assert_ne!(parsed.endpoint.port, Some(0));
                if !matches!(parsed.access, Access::Authorizer { .. }) {
                    prop_assert_eq!(BrokerUrl::parse(&parsed.to_string()), Ok(parsed));
                }
            }
        }
    }

    #[test]
    fn reading_a_token_stands_anything(
        bytes: Vec<u8>,
        text: String,
        claims in "\\{\"(exp|expiresAt)\":[-+0-9.eE\"TZ:{}\\[\\]]{0,30}\\}",
        secs: u32,
    ) {
        let object = base64::encode(claims.as_bytes());
        let jwt = format!("e30.{object}.");
        for token in [&bytes, text.as_bytes(), claims.as_bytes(), object.as_bytes(), jwt.as_bytes()] {
            for secs in [0, secs] {
                if let Err(error) = Token::new(Secret::new(token), secs, None, None) {
                    prop_assert_eq!(error.kind(), ErrorKind::InvalidToken);
                }
            }
        }
    }

    #[test]
    fn no_text_of_a_url_shows_its_secret(
        secret in MARKED,
        scheme in "(wss|mqtts?|ws|WSS|x)://",
        before in prop_oneof![
            "h/mqtt\\?x-amz-customauthorizer-name=N&(token|token=t&x-amz-customauthorizer-signature)=",
            "h/mqtt\\?(x-amz-security|token|x-amz-customauthorizer-signature)=",
            "[a-z]{0,5}:",
            "[a-z.:@%?]{0,8}[@/?#]",
            "[a-z]{0,8}%",
        ],
        after in prop_oneof!["", "@h", "[@#&?:/ \n%]\\PC{0,5}(@h)?", "&x-amz-customauthorizer-name=N"],
    ) {
        let shown = match BrokerUrl::parse(&format!("{scheme}{before}{secret}{after}")) {
            // The name of a parameter is no secret.
            Ok(BrokerUrl { access: Access::Authorizer { authorizer, .. }, .. })
                if authorizer.token_key().is_some_and(|key| key.contains("QZX")) =>
            {
                return Ok(());
            }
            Ok(url) => format!("{url} {url:?} {:?}", Token::from_broker_url(&url, 0)),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains("QZX"), "{}", shown);
    }

    #[test]
    fn no_text_of_a_token_shows_its_secrets(secret in MARKED, junk in "(\\PC|[\n\0%]){0,3}", secs in 0u32..2) {
        let secret = Secret::from(&*format!("{secret}{junk}"));
        let text = secret.expose_str().unwrap();
        let authorizer = Authorizer::new("N", Some("k"), Some(&secret));
        let token = Token::new(secret.clone(), secs, Some(text), Some(&secret));
        let credentials = Credentials::new(Some(text), Some(secret.clone()), authorizer.clone().ok());
        let mut shown = format!("{authorizer:?} {token:?} {credentials:?}");
        if let (Ok(token), Ok(credentials)) = (&token, &credentials) {
            shown += &format!("{:?}", credentials.connect_login(Some(token)));
        }
        prop_assert!(!shown.contains("QZX"), "{}", shown);
    }

    #[test]
    fn a_token_only_grows_older(
        life_ms: u32,
        absolute: bool,
        threshold in 0u64..5000,
        jitter in 0.0..=1.0,
        steps in prop::collection::vec((0u64..2_000_000, -5_000_000i64..5_000_000), 1..20),
    ) {
        let start = Clocks { boot: Duration::from_secs(100), unix_ms: 1_763_932_560_000 };
        let life = Duration::from_millis(life_ms.into());
        let expiry = if absolute {
            Expiry::At { unix_ms: start.unix_ms + u64::from(life_ms) }
        } else {
            Expiry::In(life)
        };
        let schedule = Schedule::new(expiry, start, Duration::from_secs(threshold), jitter);
        let mut now = start;
        for (passed, set) in steps {
            now.boot += Duration::from_millis(passed);
            now.unix_ms = (now.unix_ms + passed).saturating_add_signed(set);
            let age = now.boot - start.boot;
            // Whatever somebody does to the wall clock, it is never taken for younger than it is.
            match schedule.state(now) {
                TokenState::Fresh { refresh_in } => {
                    prop_assert!(age + refresh_in < life || threshold == 0 || life_ms < 2);
                    prop_assert!(age + refresh_in <= life);
                }
                TokenState::RefreshDue { expires_in } => prop_assert!(age + expires_in <= life),
                TokenState::Expired { .. } => prop_assert!(absolute || age >= life),
                TokenState::NoExpiry => prop_assert!(false),
            }
        }
    }

    #[test]
    fn a_retry_comes_before_the_end(failures: u32, left_ms in 2001u64..10_000_000, attempt_ms in 0u64..100_000) {
        let (left, attempt) = (Duration::from_millis(left_ms), Duration::from_millis(attempt_ms));
        let delay = retry_delay(failures, Some(left), attempt);
        prop_assert!(delay <= left && delay <= Duration::from_secs(300) && delay >= Duration::from_secs(1));
        prop_assert!(delay + attempt <= left || delay <= left / 2);
    }
}
