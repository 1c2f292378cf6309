//! What can be wrong with TLS, each with an error of its own.

use crate::support::*;
use gecko_iot_sim::{Config, ServerCertificate};
use gecko_mqtt::{ErrorKind, Options};

fn once(mut options: Options) -> gecko_mqtt::Error {
    options.set_reconnect(false, 1, 1, 1, 1.0).unwrap();
    refusal(&options)
}

#[test]
fn a_bad_server_certificate_says_what_is_wrong_with_it() {
    for (server_certificate, expected) in [
        (ServerCertificate::Expired, ErrorKind::TlsExpired),
        (ServerCertificate::NotYetValid, ErrorKind::TlsClock),
        (ServerCertificate::WrongName, ErrorKind::TlsHostname),
        (ServerCertificate::UnknownCa, ErrorKind::TlsUnknownIssuer),
    ] {
        let sim = Sim::start(Config { server_certificate, ..Config::default() });
        let error = once(sim.by_token());
        assert_eq!(error.kind(), expected, "{error}");
        assert_eq!(sim.connects().len(), 0, "nothing is sent to a server that is not trusted");
    }
}

#[test]
fn the_simulator_is_not_trusted_by_the_platform() {
    let sim = Sim::aws();
    let mut options = Options::default();
    options.set_broker_url(&sim.mint_token(std::time::Duration::from_secs(60)).unwrap().broker_url).unwrap();
    assert_eq!(once(options).kind(), ErrorKind::TlsUnknownIssuer);
}

#[test]
fn a_client_certificate_that_is_missing_or_foreign_is_told() {
    let sim = Sim::aws();
    let mut missing = sim.trusting();
    missing.set_port(sim.mtls_port()).unwrap();
    assert_eq!(once(missing.clone()).kind(), ErrorKind::TlsClientCertificate);
    let foreign = sim.foreign_client();
    missing.set_certificate_pem(foreign.certificate_pem.as_bytes(), foreign.key_pem.as_bytes()).unwrap();
    assert_eq!(once(missing).kind(), ErrorKind::TlsClientCertificate);
}

#[test]
fn a_key_of_another_certificate_is_refused_at_once() {
    let sim = Sim::aws();
    let (client, foreign) = (sim.client(), sim.foreign_client());
    let result =
        sim.trusting().set_certificate_pem(client.certificate_pem.as_bytes(), foreign.key_pem.as_bytes());
    assert_eq!(kind(result), ErrorKind::KeyMismatch);
}

#[test]
fn an_unknown_application_protocol_is_told() {
    let sim = Sim::aws();
    let mut options = sim.by_token();
    options.set_alpn("h2").unwrap();
    assert_eq!(once(options).kind(), ErrorKind::TlsAlpn);
}

#[test]
fn a_server_without_tls_is_told() {
    let sim = Sim::generic();
    let mut options = sim.trusting();
    options.set_port(sim.plain_port().unwrap()).unwrap();
    assert_eq!(once(options).kind(), ErrorKind::Tls);
}

#[test]
fn a_second_connection_resumes_the_first_one_s_session() {
    let sim = Sim::aws();
    let client = connected(&sim.by_token());
    for _ in 0..3 {
        client.disconnect(WAIT).unwrap();
        client.connect(WAIT).unwrap();
    }
    assert_eq!(sim.stats().connects_accepted, 4);
}
