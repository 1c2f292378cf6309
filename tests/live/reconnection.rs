//! Connections that end, and come back without anything being lost.

use crate::support::*;
use gecko_iot_sim::{Config, ConnackProperties, ConnectFault, ConnectionEnd, PublishFault, Refusal};
use gecko_mqtt::{Client, Completion, ConnectionState, ErrorKind, Options, QoS};
use std::time::{Duration, Instant};

fn impatient(mut options: Options) -> Options {
    options.set_reconnect(true, 0, 1, 5, 1.0).unwrap();
    options.set_client_id("me").unwrap();
    options
}

fn back(states: &Seen<ConnectionState>, times: usize) {
    let count =
        |states: &[ConnectionState]| states.iter().filter(|s| **s == ConnectionState::Connected).count();
    states.wait("it is connected again", |states| count(states) >= times);
}

#[test]
fn every_kind_of_end_is_mended() {
    for end in [
        ConnectionEnd::Disconnect(139),
        ConnectionEnd::Disconnect(151),
        ConnectionEnd::Close,
        ConnectionEnd::Reset,
    ] {
        let sim = Sim::aws();
        let (_client, states) = watched(&impatient(sim.by_token()));
        assert!(sim.disconnect("me", end));
        back(&states, 1);
        assert!(states.all().contains(&ConnectionState::Reconnecting), "{end:?}");
    }
}

#[test]
fn later_connections_resume_the_first_one_s_session() {
    let sim = Sim::aws();
    let (client, states) = watched(&impatient(sim.by_token()));
    let seen = subscribed(&client, "t", QoS::AtLeastOnce);
    for times in 1..=2 {
        sim.disconnect("me", ConnectionEnd::Close);
        back(&states, times);
    }
    client.publish_wait(&message("t", b"x", QoS::AtLeastOnce), WAIT).result.unwrap();
    seen.wait_for(1);
    let connects = sim.connects();
    assert_eq!(
        connects.iter().map(|c| (c.clean_start, c.session_present)).collect::<Vec<_>>(),
        [(true, false), (false, true), (false, true)]
    );
    assert_eq!(sim.stats().subscribes_received, 1, "the server knows them still");
}

#[test]
fn a_lost_session_gets_its_subscriptions_back() {
    let sim = Sim::aws();
    let (client, states) = watched(&impatient(sim.by_token()));
    let seen = subscribed(&client, "t", QoS::AtLeastOnce);
    sim.lose_session();
    client.publish(&message("t", b"x", QoS::AtLeastOnce), Completion::None).unwrap();
    back(&states, 1);
    seen.wait_for(1);
}

#[test]
fn nothing_that_was_accepted_is_lost_when_the_connection_breaks_again_and_again() {
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let sim = Sim::generic();
        let client = connected(&impatient(sim.plain()));
        let ends = Seen::default();
        for n in 0..500u32 {
            if n % 50 == 25 {
                sim.on_publishes(1, PublishFault::Close);
            }
            let message = n.to_be_bytes();
            let message = crate::support::message("t", &message, qos);
            while let Err(error) = client.publish(&message, noted(&ends, |ack| ack.result.is_ok())) {
                assert_eq!(error.kind(), ErrorKind::QueueFull);
            }
        }
        assert!(ends.wait_for(500).into_iter().all(|ok| ok));
        let mut arrived: Vec<Vec<u8>> =
            sim.publishes().iter().map(|publish| publish.payload().to_vec()).collect();
        arrived.sort();
        arrived.dedup();
        assert_eq!(arrived.len(), 500);
        assert_eq!(sim.protocol_error_texts(), Vec::<String>::new());
    }
}

#[test]
fn limits_are_those_of_the_connection() {
    let connack = ConnackProperties { receive_maximum: Some(2), ..ConnackProperties::silent() };
    let sim = Sim::start(Config { connack, ..Config::generic_broker() });
    let client = connected(&impatient(sim.plain()));
    let ends = Seen::default();
    for n in 0..100u8 {
        client
            .publish(&message("t", &[n], QoS::AtLeastOnce), noted(&ends, |ack| ack.result.is_ok()))
            .unwrap();
    }
    assert!(ends.wait_for(100).into_iter().all(|ok| ok));
    assert_eq!(sim.protocol_error_texts(), Vec::<String>::new());
}

#[test]
fn repeated_topics_go_out_as_aliases_and_arrive_as_topics() {
    let sim = Sim::aws();
    let client = connected(&sim.by_token());
    let seen = subscribed(&client, "spa/+/telemetry", QoS::AtLeastOnce);
    for n in 0..20u8 {
        let topic = format!("spa/{}/telemetry", n % 10);
        client.publish_wait(&message(&topic, &[n], QoS::AtLeastOnce), WAIT).result.unwrap();
        client.publish_wait(&message(&topic, &[n], QoS::AtLeastOnce), WAIT).result.unwrap();
    }
    let got = seen.wait_for(40);
    assert!(got.iter().all(|got| got.topic == format!("spa/{}/telemetry", got.payload[0] % 10)));
    assert!(sim.publishes().iter().any(|publish| publish.topic_alias.is_some()));
    assert_eq!(sim.protocol_error_texts(), Vec::<String>::new());
}

#[test]
fn two_clients_of_one_identifier_do_not_flap_for_ever() {
    let sim = Sim::aws();
    let options = impatient(sim.by_token());
    let (first, states) = watched(&options);
    let second = connected(&options);
    let given_up = |client: &Client| client.state() == ConnectionState::ConnectionFailed;
    let deadline = Instant::now() + LIMIT;
    while !given_up(&first) && !given_up(&second) {
        assert!(Instant::now() < deadline, "{:?}", states.all());
        std::thread::yield_now();
    }
    sim.wait_until("the other one stays", |sim| {
        sim.clients().iter().any(|(id, connected)| id == "me" && *connected)
    });
}

#[test]
fn reconnection_can_be_switched_off_during_a_wait_and_connect_begins_anew() {
    let sim = Sim::aws();
    let mut options = impatient(sim.by_token());
    options.set_reconnect(true, 0, DAY_MS, DAY_MS, 1.0).unwrap();
    let (client, states) = watched(&options);
    sim.on_connects(1, ConnectFault::Close);
    sim.disconnect("me", ConnectionEnd::Close);
    states.wait("it waits", |states| states.contains(&ConnectionState::Reconnecting));
    client.set_reconnection(false);
    assert!(!client.is_reconnection_enabled());
    states.wait("it gives up", |states| states.last() == Some(&ConnectionState::Disconnected));
    client.set_reconnection(true);
    let deadline = Instant::now() + LIMIT;
    while client.connect(gecko_mqtt::Wait::For(Duration::from_secs(1))).is_err() {
        assert!(Instant::now() < deadline);
    }
}

#[test]
fn a_changed_network_is_tried_at_once_and_a_live_connection_checked() {
    let sim = Sim::aws();
    let mut options = impatient(sim.by_token());
    options.set_reconnect(true, 0, DAY_MS, DAY_MS, 1.0).unwrap();
    let (client, states) = watched(&options);
    client.network_changed();
    sim.wait_until("it asks for a sign of life", |sim| sim.stats().pings_received == 1);
    sim.disconnect("me", ConnectionEnd::Close);
    states.wait("it waits", |states| states.contains(&ConnectionState::Reconnecting));
    let deadline = Instant::now() + LIMIT;
    while !client.is_connected() {
        client.network_changed();
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
}

#[test]
fn a_token_that_the_server_ends_leads_to_authentication_errors_not_to_a_loop() {
    let sim = Sim::start(Config {
        authorizer: gecko_iot_sim::Authorizer { refusal: Refusal::Connack(135), ..Default::default() },
        ..Config::default()
    });
    let mut options = impatient(sim.by_token());
    options.set_reconnect(true, 2, 1, 1, 1.0).unwrap();
    let (_client, states) = watched(&options);
    sim.on_connects(5, ConnectFault::Refuse(135));
    sim.disconnect("me", ConnectionEnd::Disconnect(135));
    states.wait("the round fails", |states| states.contains(&ConnectionState::ConnectionFailed));
    assert!(sim.stats().connections <= 4);
}

#[test]
fn an_acknowledgement_that_never_comes_does_not_wedge_the_quota() {
    let connack = ConnackProperties { receive_maximum: Some(1), ..ConnackProperties::silent() };
    let sim = Sim::start(Config { connack, ..Config::generic_broker() });
    let mut options = impatient(sim.plain());
    // Enough for those that are acknowledged.
    options.set_operation_timeout_ms(2000).unwrap();
    let client = connected(&options);
    sim.on_publishes(1, PublishFault::DropAcknowledgement);
    let ends = Seen::default();
    for n in 0..3u8 {
        let end = noted(&ends, move |ack| (n, ack.result.clone().err().map(|error| error.kind())));
        client.publish(&message("t", &[n], QoS::AtLeastOnce), end).unwrap();
    }
    assert_eq!(ends.wait_for(3), [(0, Some(ErrorKind::OutcomeUnknown)), (1, None), (2, None)]);
    assert!(sim.publishes().iter().any(|publish| publish.dup && publish.payload() == [0]));
    assert_eq!(sim.protocol_error_texts(), Vec::<String>::new());
}
