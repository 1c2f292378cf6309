//! Every way to authenticate, and everything that can go wrong there, with an ear at everything that the library says.

use crate::hostile::{bad_keys, bad_tokens, bad_urls};
use crate::search::Search;
use crate::support::*;
use gecko_iot_sim::{
    Authorizer, Config, ConnectFault, ConnectionEnd, PasswordListener, Refusal, Token, TokenFormat,
};
use gecko_mqtt::{
    Client, EventKind, Options, QoS, TokenInput, TokenRequest, token_request_complete, token_request_fail,
};
use std::fmt::Debug;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;

/// Everything that was said.
static SAID: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// A test that has failed does not fail the others.
fn said() -> MutexGuard<'static, Vec<u8>> {
    SAID.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Said;

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        said().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn say(what: impl Debug) {
    writeln!(Said, "{what:?}").unwrap();
}

/// Hears all logs of the process at TRACE, those of other crates too, but for the simulator's.
fn listen() {
    static LISTENING: OnceLock<()> = OnceLock::new();
    LISTENING.get_or_init(|| {
        let all = Targets::new().with_default(LevelFilter::TRACE);
        let filter = all
            .with_target("gecko_iot_sim", LevelFilter::OFF)
            .with_target("mqtt_protocol_core", LevelFilter::OFF);
        let layer = fmt::layer().with_ansi(false).with_writer(|| Said);
        let subscriber = tracing_subscriber::registry().with(filter).with(layer);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// The secrets of one test.
#[derive(Default)]
struct Secrets(Mutex<Search>);

impl Secrets {
    fn new() -> Self {
        listen();
        Self::default()
    }

    fn keep(&self, name: &str, secret: &[u8]) {
        self.0.lock().unwrap().add(name, secret);
    }

    fn token(&self, token: Token) -> Token {
        self.keep("the token", token.token.as_bytes());
        self.keep("the signature", token.signature.as_bytes());
        token
    }

    fn minted(&self, sim: &Sim) -> Token {
        self.token(sim.mint_token(Duration::from_secs(600)).unwrap())
    }

    fn key(&self, pem: &str) {
        for line in pem.lines().filter(|line| line.len() >= 8 && !line.starts_with("-----")) {
            self.keep("the key", line.as_bytes());
        }
    }

    /// Nothing that was said has one of them in it; and had it been said, that would be known.
    fn were_kept(&self) {
        let search = self.0.lock().unwrap();
        assert!(search.len() > 0);
        let said = said();
        let logged = String::from_utf8_lossy(&said).contains("TRACE gecko_mqtt::driver");
        assert!(logged, "nothing was logged");
        if let Some(found) = search.find(&said).first() {
            // Without the secret itself.
            let line = said[..found.at].rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
            panic!("{} was told behind: {}", found.secret, String::from_utf8_lossy(line));
        }
        if let Some(file) = traces::file("scenario", "log") {
            std::fs::write(file, &*said).unwrap();
        }
    }
}

/// A client that is heard.
fn heard(options: &Options) -> (Client, Seen<EventKind>) {
    let client = client(options);
    let events = Seen::default();
    let seen = events.clone();
    client
        .on_connection_event(
            0,
            Box::new(move |event| {
                say(event);
                seen.push(event.kind);
            }),
        )
        .unwrap();
    (client, events)
}

fn happens(events: &Seen<EventKind>, kind: EventKind, times: usize) {
    events.wait(&format!("{kind:?}"), |events| events.iter().filter(|seen| **seen == kind).count() >= times);
}

/// Connects, hears its own message, and leaves.
fn round_trip(options: &Options) {
    let (client, _) = heard(options);
    client.connect(WAIT).unwrap();
    let seen = subscribed(&client, "round/trip", QoS::AtLeastOnce);
    say(client.publish_wait(&message("round/trip", b"x", QoS::AtLeastOnce), WAIT));
    seen.wait_for(1);
    client.disconnect(WAIT).unwrap();
    say(client.stats());
}

/// Does not connect.
fn fails(options: &Options) {
    let mut options = options.clone();
    options.set_reconnect(false, 1, 1, 1, 1.0).unwrap();
    let (client, events) = heard(&options);
    let error = client.connect(WAIT).unwrap_err();
    say(&error);
    say(error.to_string());
    happens(&events, EventKind::Stopped, 1);
    say(client.stats());
}

fn refused<T: Debug>(result: gecko_mqtt::Result<T>) {
    let error = result.unwrap_err();
    say(&error);
    say(error.to_string());
}

fn by_url(token: &Token) -> TokenInput<'_> {
    TokenInput { broker_url: Some(&token.broker_url), ..TokenInput::default() }
}

#[test]
fn by_token_in_a_url_and_by_its_parts() {
    let secrets = Secrets::new();
    for token_format in [TokenFormat::Jwt, TokenFormat::Json] {
        let password = Some(b"correct+horse/battery:staple".to_vec());
        secrets.keep("the password", password.as_deref().unwrap());
        let authorizer = Authorizer { token_format, password: password.clone(), ..Authorizer::default() };
        let sim = Sim::start(Config { authorizer, ..Config::default() });
        let (first, second, third) = (secrets.minted(&sim), secrets.minted(&sim), secrets.minted(&sim));
        let mut options = sim.trusting();
        options.set_broker_url(&first.broker_url).unwrap();
        options.set_password(password.as_deref().unwrap()).unwrap();
        round_trip(&options);

        let mut parts = sim.trusting();
        parts.set_port(sim.alpn_port()).unwrap();
        parts.set_password(password.as_deref().unwrap()).unwrap();
        let encoded = second.broker_url.rsplit_once("signature=").unwrap().1;
        parts.set_authorizer("gecko", Some("token"), Some(encoded)).unwrap();
        parts.set_token(&TokenInput { access_token: Some(&second.token), ..TokenInput::default() }).unwrap();
        round_trip(&parts);
        // Assembled by hand.
        let mut by_hand = sim.trusting();
        by_hand.set_port(sim.alpn_port()).unwrap();
        by_hand.set_alpn("mqtt").unwrap();
        by_hand.set_username(&third.user_name).unwrap();
        by_hand.set_password(password.as_deref().unwrap()).unwrap();
        round_trip(&by_hand);
        by_hand.set_password(b"incorrect=horse&battery staple").unwrap();
        secrets.keep("the password", b"incorrect=horse&battery staple");
        fails(&by_hand);
    }
    secrets.were_kept();
}

#[test]
fn tokens_that_the_server_refuses() {
    let secrets = Secrets::new();
    for refusal in [Refusal::Connack(134), Refusal::Connack(135), Refusal::Close] {
        let authorizer = Authorizer { refusal, ..Authorizer::default() };
        let sim = Sim::start(Config { authorizer, ..Config::default() });
        let token = secrets.minted(&sim);
        for bad in [
            token.broker_url.replace("signature=", "signature=AAAA"),
            token.broker_url.replace("name=gecko", "name=other"),
            token.broker_url.replace("&token=", "&jwt="),
        ] {
            let mut options = sim.trusting();
            options.set_broker_url(&bad).unwrap();
            fails(&options);
        }
        let expired = secrets.token(sim.mint_token(Duration::ZERO).unwrap());
        let mut options = sim.trusting();
        options.set_broker_url(&expired.broker_url).unwrap();
        fails(&options);
        // The library takes it for good, the server does not.
        let parts = TokenInput {
            access_token: Some(&expired.token),
            signature: Some(&expired.signature),
            expires_in_secs: 60,
            ..TokenInput::default()
        };
        options = sim.trusting();
        options.set_port(sim.alpn_port()).unwrap();
        options.set_authorizer("gecko", Some("token"), None).unwrap();
        options.set_token(&parts).unwrap();
        fails(&options);
    }
    secrets.were_kept();
}

#[test]
fn rotations() {
    let secrets = Secrets::new();
    let sim = Sim::aws();
    let (first, second, third) = (secrets.minted(&sim), secrets.minted(&sim), secrets.minted(&sim));
    let mut options = sim.trusting();
    options.set_broker_url(&first.broker_url).unwrap();
    options.set_client_id("me").unwrap();
    options.set_reconnect(true, 0, 1, 5, 1.0).unwrap();
    let (client, events) = heard(&options);
    client.connect(WAIT).unwrap();
    client.set_token(&by_url(&second)).unwrap();
    happens(&events, EventKind::TokenRefreshed, 1);
    for (times, fault) in
        [ConnectFault::Refuse(134), ConnectFault::Refuse(135), ConnectFault::Close].into_iter().enumerate()
    {
        sim.on_connects(1, fault);
        client.set_token(&by_url(&third)).unwrap();
        happens(&events, EventKind::TokenRefreshFailed, times + 1);
    }
    client.set_token(&by_url(&third)).unwrap();
    happens(&events, EventKind::TokenRefreshed, 2);
    sim.disconnect("me", ConnectionEnd::Disconnect(135));
    happens(&events, EventKind::Connected, 2);
    for bad in bad_tokens(&third) {
        refused(client.set_token(&bad.input()));
    }
    say(client.stats());
    drop(client);
    secrets.were_kept();
}

#[test]
fn providers() {
    let secrets = Arc::new(Secrets::new());
    let sim = Arc::new(Sim::aws());
    let (minter, kept) = (sim.clone(), secrets.clone());
    let provider = move |request: TokenRequest| {
        let token = kept.minted(&minter);
        for bad in bad_tokens(&token) {
            refused(token_request_complete(request, &bad.input()));
        }
        token_request_complete(request, &by_url(&token)).unwrap();
        refused(token_request_complete(request, &by_url(&token)));
        refused(token_request_fail(request, "late"));
    };
    let mut options = sim.trusting();
    options.set_token_provider(Arc::new(provider)).unwrap();
    let (client, events) = heard(&options);
    client.connect(WAIT).unwrap();
    client.refresh_token().unwrap();
    happens(&events, EventKind::TokenRefreshed, 1);
    drop(client);

    let fail = |request| token_request_fail(request, "the cloud is away").unwrap();
    options.set_token_provider(Arc::new(fail)).unwrap();
    fails(&options);
    options.set_token_timeout_ms(20).unwrap();
    options.set_token_provider(Arc::new(|_| ())).unwrap();
    fails(&options);
    secrets.were_kept();
}

#[test]
fn user_name_and_password() {
    let secrets = Secrets::new();
    let (good, bad) = (b"correct horse\0battery staple", b"incorrect horse battery staple");
    let user_name = "me?token=a+token+put+here+by+hand";
    for secret in [good.as_slice(), bad, &user_name.as_bytes()[3..]] {
        secrets.keep("the password", secret);
    }
    let listener = PasswordListener { port: 0, user_name: user_name.into(), password: good.to_vec() };
    let sim = Sim::start(Config { password_listener: Some(listener), ..Config::default() });
    let mut options = sim.trusting();
    options.set_port(sim.password_port().unwrap()).unwrap();
    options.set_username(user_name).unwrap();
    options.set_password(good).unwrap();
    round_trip(&options);
    options.set_password(bad).unwrap();
    fails(&options);
    let long = user_name.repeat(3000);
    for bad in [&format!("{user_name}\n"), &format!("{user_name}\0"), &long] {
        refused(options.set_username(bad));
    }
    refused(options.set_password(&bad.repeat(3000)));
    // It takes only what comes after the '?' of an authorizer's.
    options.set_authorizer("gecko", Some("token"), None).unwrap();
    let token = secrets.minted(&sim);
    options.set_token(&by_url(&token)).unwrap();
    fails(&options);
    secrets.were_kept();
}

#[test]
fn certificates() {
    let secrets = Secrets::new();
    let sim = Sim::aws();
    let (client, rsa, foreign) = (sim.client(), sim.rsa_client(), sim.foreign_client());
    for identity in [client, rsa, foreign] {
        [&identity.key_pem, &identity.legacy_key_pem].into_iter().for_each(|pem| secrets.key(pem));
    }
    let mut options = sim.trusting();
    options.set_port(sim.mtls_port()).unwrap();
    for (certificate, key) in
        [(client, &client.legacy_key_pem), (rsa, &rsa.key_pem), (client, &client.key_pem)]
    {
        options.set_certificate_pem(certificate.certificate_pem.as_bytes(), key.as_bytes()).unwrap();
        round_trip(&options);
    }
    let mut unknown = options.clone();
    unknown.set_certificate_pem(foreign.certificate_pem.as_bytes(), foreign.key_pem.as_bytes()).unwrap();
    fails(&unknown);

    let (living, events) = heard(&options);
    living.connect(WAIT).unwrap();
    let directory = Directory::new();
    for key in bad_keys(&client.key_pem).iter().chain(&bad_keys(&rsa.legacy_key_pem)) {
        let path = directory.write("key.pem", key);
        let certificate = client.certificate_pem.as_bytes();
        let certificate_path = directory.write("certificate.pem", &client.certificate_pem);
        refused(options.set_certificate_pem(certificate, key.as_bytes()));
        refused(options.set_certificate_pem(key.as_bytes(), key.as_bytes()));
        refused(options.set_certificate_file(&certificate_path, &path));
        refused(options.set_certificate_file(&path, &path));
        // The text in the place of its path.
        refused(options.set_certificate_file(&certificate_path, key));
        refused(options.set_certificate_file(key, key));
        refused(options.set_ca_pem(key.as_bytes()));
        refused(options.set_ca_file(&path));
        refused(options.set_ca_file(key));
        refused(living.set_certificate_pem(certificate, key.as_bytes()));
        refused(living.set_certificate_file(&certificate_path, &path));
        refused(living.set_certificate_file(&certificate_path, key));
    }
    refused(living.set_certificate_pem(rsa.certificate_pem.as_bytes(), client.key_pem.as_bytes()));
    living.set_certificate_pem(rsa.certificate_pem.as_bytes(), rsa.key_pem.as_bytes()).unwrap();
    happens(&events, EventKind::TokenRefreshed, 1);
    drop(living);
    secrets.were_kept();
}

#[test]
fn secrets_in_the_wrong_place() {
    let secrets = Secrets::new();
    let sim = Sim::aws();
    let token = secrets.minted(&sim);
    let mut options = sim.trusting();
    for url in bad_urls(&token.broker_url) {
        refused(options.set_broker_url(&url));
        refused(options.set_endpoint(&url));
    }
    for bad in bad_tokens(&token) {
        refused(options.set_token(&bad.input()));
    }
    for text in [&token.broker_url, &token.user_name, &token.token, &token.signature] {
        refused(options.set_broker_url(text.trim_start_matches("wss")));
        refused(options.set_endpoint(text));
        refused(options.set_region(text));
        refused(options.set_alpn(text));
        refused(options.set_authorizer(text, Some("token"), None));
        refused(options.set_authorizer("gecko", Some(text), None));
        refused(options.set_authorizer("gecko", None, Some(text)));
        refused(options.set_client_id(&format!("{text}\n")));
        refused(gecko_mqtt::log::set_level(text));
        refused(gecko_mqtt::log::init(text, None, false));
        refused(options.set_ca_pem(text.as_bytes()));
        refused(options.set_certificate_pem(text.as_bytes(), text.as_bytes()));
    }
    // What all of these leave behind.
    let (client, _) = heard(&sim.by_token());
    client.connect(WAIT).unwrap();
    drop(client);
    secrets.were_kept();
}
