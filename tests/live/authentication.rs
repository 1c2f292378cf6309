//! Every way to authenticate, and what a refusal says.

use crate::support::*;
use gecko_iot_sim::{Authorizer, Config, Listener, PasswordListener, Refusal, TlsVersions, TokenFormat};
use gecko_mqtt::{
    Client, ErrorKind, Options, QoS, TokenInput, TokenRequest, token_request_complete, token_request_fail,
};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Connects, hears its own message, and leaves.
fn round_trip(sim: &Sim, options: &Options) {
    let client = connected(options);
    let seen = subscribed(&client, "round/trip", QoS::AtLeastOnce);
    client.publish_wait(&message("round/trip", b"x", QoS::AtLeastOnce), WAIT).result.unwrap();
    seen.wait_for(1);
    client.disconnect(WAIT).unwrap();
    assert_eq!(sim.protocol_error_texts(), Vec::<String>::new());
}

#[test]
fn by_client_certificate_on_both_ports_and_tls_versions() {
    for tls_versions in [TlsVersions::Tls12, TlsVersions::Tls13] {
        let sim = Sim::start(Config { tls_versions, ..Config::default() });
        round_trip(&sim, &sim.by_certificate());
        let mut options = sim.by_certificate();
        options.set_port(sim.alpn_port()).unwrap();
        options.set_alpn("x-amzn-mqtt-ca").unwrap();
        round_trip(&sim, &options);
        let connects = sim.connects();
        assert_eq!((connects[0].listener, connects[1].listener), (Listener::Mtls, Listener::Alpn));
        assert!(connects.iter().all(|connect| connect.client_certificate));
        assert_eq!(connects[1].server_name.as_deref(), Some("localhost"));
    }
}

#[test]
fn by_every_common_key_format_from_files() {
    let sim = Sim::aws();
    for (certificate, key) in [("client.pem", "client.key"), ("client.pem", "client-sec1.key")] {
        let mut options = sim.trusting();
        options.set_port(sim.mtls_port()).unwrap();
        let path = |name: &str| sim.path(name).to_str().unwrap().to_owned();
        options.set_certificate_file(&path(certificate), &path(key)).unwrap();
        options.set_ca_file(&path("ca.pem")).unwrap();
        round_trip(&sim, &options);
    }
    let rsa = sim.rsa_client();
    for key in [&rsa.key_pem, &rsa.legacy_key_pem] {
        let mut options = sim.by_certificate();
        options.set_certificate_pem(rsa.certificate_pem.as_bytes(), key.as_bytes()).unwrap();
        round_trip(&sim, &options);
    }
}

#[test]
fn by_broker_url_with_either_form_of_token() {
    for token_format in [TokenFormat::Jwt, TokenFormat::Json] {
        let authorizer = Authorizer { token_format, ..Authorizer::default() };
        let sim = Sim::start(Config { authorizer, ..Config::default() });
        round_trip(&sim, &sim.by_token());
        assert_eq!(sim.connects()[0].alpn.as_deref(), Some("mqtt"));
    }
}

#[test]
fn by_authorizer_and_token_set_one_by_one() {
    let sim = Sim::aws();
    let token = sim.mint_token(Duration::from_secs(60)).unwrap();
    let mut options = sim.trusting();
    options.set_port(sim.alpn_port()).unwrap();
    options.set_authorizer("gecko", Some("token"), None).unwrap();
    let input = TokenInput {
        access_token: Some(&token.token),
        signature: Some(&token.signature),
        ..TokenInput::default()
    };
    options.set_token(&input).unwrap();
    round_trip(&sim, &options);
}

#[test]
fn an_encoded_signature_is_not_encoded_twice() {
    let sim = Sim::aws();
    let token = sim.mint_token(Duration::from_secs(60)).unwrap();
    let encoded = token.signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let mut options = sim.trusting();
    options.set_port(sim.alpn_port()).unwrap();
    options.set_authorizer("gecko", Some("token"), Some(&encoded)).unwrap();
    options.set_token(&TokenInput { access_token: Some(&token.token), ..TokenInput::default() }).unwrap();
    round_trip(&sim, &options);
}

#[test]
fn by_user_name_and_password() {
    let (good, bad) = (b"correct horse\0battery staple", b"incorrect horse battery staple");
    traces::secret("password", bad);
    let password_listener =
        Some(PasswordListener { port: 0, user_name: "me".into(), password: good.to_vec() });
    let sim = Sim::start(Config { password_listener, ..Config::default() });
    let mut options = sim.trusting();
    options.set_port(sim.password_port().unwrap()).unwrap();
    options.set_username("me").unwrap();
    options.set_password(good).unwrap();
    round_trip(&sim, &options);
    options.set_password(bad).unwrap();
    assert!(matches!(refusal(&options).kind(), ErrorKind::BadCredentials | ErrorKind::NotAuthorized));
}

#[test]
fn a_provider_is_asked_for_the_first_token_and_may_answer_later_from_another_thread() {
    let sim = Arc::new(Sim::aws());
    let asked = Seen::default();
    for later in [false, true] {
        let (minter, asked) = (sim.clone(), asked.clone());
        let mut options = sim.trusting();
        let answer = move |request: TokenRequest| {
            let url = minter.mint_token(Duration::from_secs(60)).unwrap().broker_url;
            let token = TokenInput { broker_url: Some(&url), ..TokenInput::default() };
            token_request_complete(request, &token).unwrap();
            assert_eq!(kind(token_request_complete(request, &token)), ErrorKind::NotFound, "a second answer");
        };
        let provider = move |request: TokenRequest| {
            asked.push(request);
            if later {
                let answer = answer.clone();
                std::thread::spawn(move || answer(request));
            } else {
                answer(request);
            }
        };
        options.set_token_provider(Arc::new(provider)).unwrap();
        round_trip(&sim, &options);
    }
    assert_eq!(asked.all().len(), 2);
    assert_eq!(kind(token_request_fail(asked.all()[0], "late")), ErrorKind::NotFound, "its client is gone");
}

#[test]
fn a_provider_that_fails_or_stays_silent_is_told_apart() {
    let sim = Sim::aws();
    let mut options = sim.trusting();
    options.set_reconnect(false, 1, 1, 1, 1.0).unwrap();
    let fail = |request| token_request_fail(request, "the cloud is down").unwrap();
    options.set_token_provider(Arc::new(fail)).unwrap();
    let error = refusal(&options);
    assert_eq!(error.kind(), ErrorKind::TokenRefresh);
    assert!(error.message().contains("the cloud is down"));
    options.set_token_timeout_ms(50).unwrap();
    options.set_token_provider(Arc::new(|_| ())).unwrap();
    assert_eq!(refusal(&options).kind(), ErrorKind::TokenTimeout);
    assert_eq!(sim.stats().connections, 0);
}

#[test]
fn a_token_that_cannot_be_used_leaves_the_request_open() {
    let sim = Arc::new(Sim::aws());
    let minter = sim.clone();
    let mut options = sim.trusting();
    let provider = move |request: TokenRequest| {
        assert_eq!(kind(token_request_complete(request, &TokenInput::default())), ErrorKind::InvalidToken);
        let url = minter.mint_token(Duration::from_secs(60)).unwrap().broker_url;
        token_request_complete(request, &TokenInput { broker_url: Some(&url), ..TokenInput::default() })
            .unwrap();
    };
    options.set_token_provider(Arc::new(provider)).unwrap();
    round_trip(&sim, &options);
}

#[test]
fn a_refused_token_is_replaced_by_the_provider_s_next_one() {
    let sim = Arc::new(Sim::aws());
    let minter = sim.clone();
    let tokens = Seen::default();
    let mut options = sim.trusting();
    options.set_reconnect(true, 3, 1, 1, 1.0).unwrap();
    let seen = tokens.clone();
    let provider = move |request: TokenRequest| {
        let good = minter.mint_token(Duration::from_secs(60)).unwrap().broker_url;
        let url = if seen.all().is_empty() { good.replace("signature=", "signature=AAAA") } else { good };
        seen.push(());
        token_request_complete(request, &TokenInput { broker_url: Some(&url), ..TokenInput::default() })
            .unwrap();
    };
    options.set_token_provider(Arc::new(provider)).unwrap();
    round_trip(&sim, &options);
    assert_eq!(tokens.all().len(), 2);
}

#[test]
fn bad_tokens_are_refused_as_the_server_says() {
    for (refusal_by, expected) in [
        (Refusal::Connack(135), ErrorKind::NotAuthorized),
        (Refusal::Connack(134), ErrorKind::BadCredentials),
        (Refusal::Close, ErrorKind::ClosedBeforeConnack),
    ] {
        let authorizer = Authorizer { refusal: refusal_by, ..Authorizer::default() };
        let sim = Sim::start(Config { authorizer, ..Config::default() });
        let good = sim.mint_token(Duration::from_secs(60)).unwrap().broker_url;
        for bad in [good.replace("name=gecko", "name=other"), good.replace("signature=", "signature=AAAA")] {
            let mut options = sim.trusting();
            options.set_reconnect(false, 1, 1, 1, 1.0).unwrap();
            options.set_broker_url(&bad).unwrap();
            let error = refusal(&options);
            assert_eq!(error.kind(), expected);
            let token = bad.split("token=").nth(1).unwrap().split('&').next().unwrap();
            assert!(!error.message().contains(token), "a secret in an error");
        }
    }
}

#[test]
fn an_expired_token_is_not_sent() {
    let sim = Sim::aws();
    let mut options = sim.trusting();
    options.set_reconnect(false, 1, 1, 1, 1.0).unwrap();
    let claims = "eyJleHAiOjF9"; // {"exp":1}
    let url =
        format!("wss://localhost:{}/mqtt?x-amz-customauthorizer-name=gecko&token={claims}", sim.alpn_port());
    options.set_broker_url(&url).unwrap();
    assert_eq!(refusal(&options).kind(), ErrorKind::TokenExpired);
    assert_eq!(sim.stats().connections, 0);
}

#[test]
fn a_will_is_published_when_a_client_is_freed_without_a_farewell() {
    let sim = Sim::aws();
    let watcher = connected(&sim.by_token());
    let seen = subscribed(&watcher, "gone", QoS::AtLeastOnce);
    let mut options = sim.by_token();
    options.set_will(&message("gone", b"it died", QoS::AtLeastOnce), 0).unwrap();
    options.set_session_expiry_secs(0).unwrap();
    let leaving = connected(&options);
    leaving.disconnect(WAIT).unwrap();
    leaving.connect(WAIT).unwrap();
    drop(leaving);
    assert_eq!(seen.wait_for(1)[0].payload, b"it died");
    watcher.disconnect(WAIT).unwrap();
    assert_eq!(seen.all().len(), 1, "a farewell publishes no will");
}

#[test]
fn the_client_identifier_is_ours_generated_or_the_server_s() {
    let sim = Sim::aws();
    let mut options = sim.by_token();
    let id = |options: &Options| connected(options).client_id();
    assert!(id(&options).starts_with("gecko-"));
    assert_ne!(id(&options), id(&options));
    options.set_client_id("spa-42").unwrap();
    assert_eq!(id(&options), "spa-42");
    options.set_client_id("").unwrap();
    assert!(id(&options).starts_with("$GEN/"));
    options.set_client_id("$GEN/mine").unwrap();
    options.set_reconnect(false, 1, 1, 1, 1.0).unwrap();
    assert_eq!(refusal(&options).kind(), ErrorKind::ClientIdRejected);
}

#[test]
fn the_other_client_of_the_same_identifier_takes_over() {
    let sim = Sim::aws();
    let mut options = sim.by_token();
    options.set_client_id("twin").unwrap();
    options.set_reconnect(false, 1, 1, 1, 1.0).unwrap();
    let (first, states) = watched(&options);
    let second = connected(&options);
    states
        .wait("the loser's end", |states| states.last() == Some(&gecko_mqtt::ConnectionState::Disconnected));
    assert!(second.is_connected() && !first.is_connected());
}

#[test]
fn options_that_cannot_work_are_refused_before_anything_is_made() {
    static BAD: OnceLock<Options> = OnceLock::new();
    let options = BAD.get_or_init(Options::default);
    assert_eq!(kind(Client::new(options)), ErrorKind::InvalidConfiguration);
}
