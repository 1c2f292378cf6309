//! What can be wrong with TLS, each with an error of its own.

use crate::support::*;
use gecko_iot_sim::{Config, ServerCertificate, TlsVersions};
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
    for tls_versions in [TlsVersions::Tls12, TlsVersions::Tls13] {
        let sim = Sim::start(Config { tls_versions, ..Config::default() });
        let client = connected(&sim.by_token());
        // A ticket of TLS 1.3 comes after the hand-shake: with the answer to this, it is there.
        client.publish_wait(&message("t", b"", gecko_mqtt::QoS::AtLeastOnce), WAIT).result.unwrap();
        for _ in 0..3 {
            client.disconnect(WAIT).unwrap();
            client.connect(WAIT).unwrap();
        }
        let resumed: Vec<bool> = sim.connects().iter().map(|connect| connect.tls_resumed).collect();
        assert_eq!(resumed, [false, true, true, true], "{tls_versions:?}");
    }
}
