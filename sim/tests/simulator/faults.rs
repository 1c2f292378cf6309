//! What tests can do to a simulator.

use std::time::Duration;

use gecko_iot_sim::{
    Config, ConnectFault, ConnectionEnd, LinkFault, PublishFault, Simulator, Step, SubscribeFault,
};

use crate::client::{Client, Hello, Message, Packet, SOON, Tls, expect_packet};

async fn start() -> Simulator {
    Simulator::start(Config { plain_port: Some(0), ..Config::default() }).await.unwrap()
}

#[tokio::test]
async fn connections_are_ended_as_asked() {
    let simulator = start().await;
    for end in [ConnectionEnd::Disconnect(152), ConnectionEnd::Close, ConnectionEnd::Reset] {
        let mut client = Client::connected(&simulator, "a").await;
        assert!(simulator.disconnect("a", end));
        match end {
            ConnectionEnd::Disconnect(code) => client.expect_disconnect(code).await,
            _ => assert!(matches!(client.receive().await, Packet::Closed)),
        }
        drop(client);
        all_closed(&simulator).await;
    }
    assert!(!simulator.disconnect("a", ConnectionEnd::Close));
    let _clients = [Client::connected(&simulator, "a").await, Client::connected(&simulator, "b").await];
    assert_eq!(simulator.disconnect_all(ConnectionEnd::Close), 2);
    assert!(simulator.wait_until(SOON, |it| it.stats().open_clients == 0).await);
}

async fn all_closed(simulator: &Simulator) {
    assert!(simulator.wait_until(SOON, |it| it.stats().open_connections == 0).await);
}

#[tokio::test]
async fn connections_are_cut_before_their_connect() {
    let simulator = start().await;
    let port = simulator.alpn_port();
    let tls = || Tls { alpn: Some("mqtt"), ..Tls::default() };
    for step in [Step::Accepted, Step::ClientHello] {
        simulator.on_links(1, LinkFault::Close(step));
        assert!(Client::tls(&simulator, port, tls()).await.is_err());

        simulator.on_links(1, LinkFault::Ignore(step));
        let before = simulator.stats().links_cut;
        let config = std::sync::Arc::new(tls().config(&simulator));
        let handshake =
            tokio::spawn(async move { Client::tls_with(&config, "localhost", port).await.is_ok() });
        assert!(simulator.wait_until(SOON, |it| it.stats().links_cut == before + 1).await);
        assert!(!handshake.is_finished());
        handshake.abort();
        all_closed(&simulator).await;
    }

    simulator.on_links(1, LinkFault::Close(Step::Established));
    let mut client = Client::tls(&simulator, port, tls()).await.unwrap();
    assert!(matches!(client.receive().await, Packet::Closed));
    simulator.on_links(1, LinkFault::Ignore(Step::Established));
    let mut client = Client::tls(&simulator, port, tls()).await.unwrap();
    client.send(&Hello::new("a").bytes()).await;
    assert!(client.is_silent().await);
    drop(client);
    all_closed(&simulator).await;

    // Without TLS there is one step.
    for step in [Step::Accepted, Step::ClientHello, Step::Established] {
        simulator.on_links(1, LinkFault::Close(step));
        assert!(matches!(Client::plain(&simulator).await.receive().await, Packet::Closed));
    }
    let stats = simulator.stats();
    assert_eq!((stats.links_cut, stats.tls_failures, stats.connects_refused), (9, 0, 0));
    assert_eq!(simulator.connects().len(), 0);
    Client::connected(&simulator, "a").await;
}

#[tokio::test]
async fn connects_fail_as_asked() {
    let simulator = start().await;
    simulator.on_connects(2, ConnectFault::Refuse(136));
    for expected in [136, 136, 0] {
        let mut client = Client::plain(&simulator).await;
        assert_eq!(client.connect(Hello::new("a")).await.reason_code() as u8, expected);
    }
    simulator.on_connects(1, ConnectFault::Close);
    let mut client = Client::plain(&simulator).await;
    client.send(&Hello::new("a").bytes()).await;
    assert!(matches!(client.receive().await, Packet::Closed));
    simulator.on_connects(1, ConnectFault::Ignore);
    let mut client = Client::plain(&simulator).await;
    client.send(&Hello::new("a").bytes()).await;
    assert!(simulator.wait_until(SOON, |it| it.stats().connects_refused == 4).await);
    assert_eq!(simulator.connects().last().unwrap().answer, None);
    assert!(client.is_silent().await);
}

async fn held(simulator: &Simulator, count: u64) {
    assert!(simulator.wait_until(SOON, |it| it.stats().connects_held == count).await);
}

#[tokio::test]
async fn a_connect_is_held_before_its_takeover_or_after_it() {
    let simulator = start().await;
    for fault in [ConnectFault::Hold, ConnectFault::TakeOverAndHold] {
        let mut old = Client::connected(&simulator, "a").await;
        simulator.on_connects(1, fault);
        let mut new = Client::plain(&simulator).await;
        new.send(&Hello::new("a").expiry(60).bytes()).await;
        held(&simulator, 1).await;
        let takeovers = simulator.stats().takeovers;
        if fault == ConnectFault::Hold {
            old.expect_nothing().await;
        } else {
            old.expect_disconnect(142).await;
        }
        simulator.release_connects();
        assert!(expect_packet!(new, Connack).session_present());
        if fault == ConnectFault::Hold {
            old.expect_disconnect(142).await;
            assert_eq!(simulator.stats().takeovers, takeovers + 1);
        }
        new.expect_nothing().await;
        held(&simulator, 0).await;
    }
}

#[tokio::test]
async fn a_connect_that_is_held_may_give_up_or_be_taken_over() {
    let simulator = start().await;
    for fault in [ConnectFault::Hold, ConnectFault::TakeOverAndHold] {
        simulator.on_connects(1, fault);
        let mut client = Client::plain(&simulator).await;
        client.send(&Hello::new("a").bytes()).await;
        held(&simulator, 1).await;
        drop(client);
        held(&simulator, 0).await;
        all_closed(&simulator).await;
        assert_eq!(simulator.stats().open_clients, 0);
    }
    simulator.on_connects(1, ConnectFault::TakeOverAndHold);
    let mut held_one = Client::plain(&simulator).await;
    held_one.send(&Hello::new("a").bytes()).await;
    held(&simulator, 1).await;
    let mut third = Client::plain(&simulator).await;
    third.connect(Hello::new("a")).await;
    assert!(matches!(held_one.receive().await, Packet::Closed));
    third.expect_nothing().await;

    assert_eq!(simulator.stats().protocol_errors, 0);
    simulator.on_connects(1, ConnectFault::TakeOverAndHold);
    let mut eager = Client::plain(&simulator).await;
    eager.send(&Hello::new("b").bytes()).await;
    held(&simulator, 1).await;
    eager.ping().await;
    assert!(matches!(eager.receive().await, Packet::Closed));
    assert_eq!(simulator.stats().protocol_errors, 1);
}

#[tokio::test]
async fn a_takeover_may_end_both_connections() {
    let simulator = start().await;
    let mut old = Client::connected(&simulator, "a").await;
    old.subscribe(&[("t", 1)]).await;
    simulator.on_connects(1, ConnectFault::TakeOverAndClose);
    let mut new = Client::plain(&simulator).await;
    new.send(&Hello::new("a").expiry(60).bytes()).await;
    assert!(matches!(new.receive().await, Packet::Closed));
    old.expect_disconnect(142).await;
    let last = simulator.connects().pop().unwrap();
    assert_eq!((last.answer, last.session_present), (None, false));
    simulator.publish("t", b"x", 1, false);
    let mut again = Client::plain(&simulator).await;
    assert!(again.connect(Hello::new("a").expiry(60)).await.session_present());
    assert_eq!(again.next_message().await.1, b"x");
}

#[tokio::test]
async fn the_old_connection_may_end_when_the_new_one_s_connect_arrives() {
    let simulator = start().await;
    for end in [ConnectionEnd::Close, ConnectionEnd::Disconnect(135)] {
        let mut old = Client::connected(&simulator, "a").await;
        let takeovers = simulator.stats().takeovers;
        simulator.on_connects(1, ConnectFault::EndOld(end));
        let mut new = Client::plain(&simulator).await;
        assert!(new.connect(Hello::new("a").expiry(60)).await.session_present());
        match end {
            ConnectionEnd::Disconnect(code) => old.expect_disconnect(code).await,
            _ => assert!(matches!(old.receive().await, Packet::Closed)),
        }
        assert_eq!(simulator.stats().takeovers, takeovers, "there was nothing left to take over");
    }
    simulator.on_connects(1, ConnectFault::EndOld(ConnectionEnd::Close));
    Client::connected(&simulator, "first").await.expect_nothing().await;
}

#[tokio::test]
async fn publishes_fail_as_asked() {
    let simulator = start().await;
    let mut client = Client::connected(&simulator, "a").await;
    client.subscribe(&[("t", 0)]).await;
    let message = || Message { qos: 1, ..Message::new("t", b"x") };

    simulator.on_publishes(1, PublishFault::DropAcknowledgement);
    client.publish(message()).await;
    expect_packet!(client, Publish);
    client.expect_nothing().await;

    simulator.on_publishes(1, PublishFault::Refuse(151));
    assert_eq!(client.publish_1("t", b"x").await, 151);
    simulator.on_publishes(1, PublishFault::Discard);
    client.publish(message()).await;
    client.expect_nothing().await;

    client.publish(message()).await;
    let (one, other) = (client.receive().await, client.receive().await);
    assert!(matches!((one, other), (Packet::Puback(_), Packet::Publish(_))));

    simulator.on_publishes(1, PublishFault::Close);
    client.publish(message()).await;
    assert!(matches!(client.receive().await, Packet::Closed));
    assert_eq!(simulator.stats().publishes_received, 5);
}

#[tokio::test]
async fn subscribes_fail_as_asked() {
    let simulator = start().await;
    let mut client = Client::connected(&simulator, "a").await;
    simulator.on_subscribes(2, SubscribeFault::Refuse(128));
    assert_eq!(client.subscribe(&[("t", 1), ("u", 1)]).await, [128, 128]);
    assert_eq!(client.unsubscribe("t").await, 128);
    assert_eq!(client.subscribe(&[("t", 1)]).await, [1]);
    simulator.on_subscribes(1, SubscribeFault::DropAcknowledgement);
    client.send(&[0x82, 7, 0, 9, 0, 0, 1, b'u', 1]).await;
    client.expect_nothing().await;
    assert_eq!(simulator.session("a").unwrap().subscriptions.len(), 2);
    simulator.on_subscribes(1, SubscribeFault::Close);
    client.send(&[0x82, 7, 0, 9, 0, 0, 1, b'v', 1]).await;
    assert!(matches!(client.receive().await, Packet::Closed));
}

#[tokio::test]
async fn frozen_means_silent_and_thawed_goes_on() {
    let simulator = start().await;
    let mut client = Client::connected(&simulator, "a").await;
    let mut other = Client::connected(&simulator, "b").await;

    assert!(simulator.freeze_client("a", true));
    client.expect_silence_then(&simulator, |it| assert!(it.freeze_client("a", false))).await;
    other.expect_nothing().await;

    simulator.freeze(true);
    let mut late = Client::plain(&simulator).await;
    late.send(&Hello::new("c").bytes()).await;
    client.expect_silence_then(&simulator, |it| it.freeze(false)).await;
    assert_eq!(expect_packet!(late, Connack).reason_code() as u8, 0);
}

#[tokio::test]
async fn bytes_are_injected_as_they_are() {
    let simulator = start().await;
    let mut client = Client::connected(&simulator, "a").await;
    assert!(simulator.inject("a", vec![0xd0, 0, 0xe0, 0]));
    assert!(matches!(client.receive().await, Packet::Pingresp));
    assert_eq!(expect_packet!(client, Disconnect).reason_code(), None);
    assert!(!simulator.inject("nobody", vec![1]));
}

#[tokio::test]
async fn waiting_ends_when_nothing_happens() {
    let simulator = start().await;
    assert!(!simulator.wait_until(Duration::from_millis(10), |_| false).await);
    assert!(simulator.wait_until(Duration::ZERO, |_| true).await);
}

#[tokio::test]
async fn several_simulators_live_side_by_side() {
    let (one, other) = (start().await, start().await);
    let _client = Client::connected(&one, "a").await;
    assert_eq!((one.stats().connections, other.stats().connections), (1, 0));
    assert_ne!(one.ca_pem(), other.ca_pem());
}
