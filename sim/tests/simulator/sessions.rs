//! Sessions, takeover and wills.

use std::time::Duration;

use gecko_iot_sim::{Config, ConnectionEnd, Delivery, KeepAliveRule, Simulator};
use mqtt_protocol_core::mqtt::packet::{Property, WillDelayInterval};

use crate::client::{Client, Hello, Message, Packet, SOON, expect_packet};

async fn start() -> Simulator {
    Simulator::start(Config { plain_port: Some(0), ..Config::default() }).await.unwrap()
}

/// Waits until the broker knows that a client is gone.
async fn gone(simulator: &Simulator, client_id: &str) {
    let away = |it: &Simulator| it.session(client_id).is_none_or(|session| !session.connected);
    assert!(simulator.wait_until(SOON, away).await);
}

#[tokio::test]
async fn a_session_keeps_subscriptions_and_messages() {
    let simulator = start().await;
    let mut client = Client::connected(&simulator, "a").await;
    assert_eq!(client.subscribe(&[("t/#", 1)]).await, [1]);
    client.disconnect(0).await;
    gone(&simulator, "a").await;
    simulator.publish("t/1", b"one", 1, false);
    simulator.publish("t/2", b"two", 1, false);
    simulator.publish("t/3", b"zero", 0, false);
    let session = simulator.session("a").unwrap();
    assert_eq!((session.queued, session.subscriptions.len(), session.expiry_secs), (2, 1, 60));

    let mut client = Client::plain(&simulator).await;
    assert!(client.connect(Hello::new("a").expiry(60)).await.session_present());
    assert_eq!(client.next_message().await, ("t/1".to_owned(), b"one".to_vec()));
    assert_eq!(client.next_message().await, ("t/2".to_owned(), b"two".to_vec()));
    client.expect_nothing().await;
    client.disconnect(0).await;

    let mut client = Client::plain(&simulator).await;
    let hello = Hello { clean_start: true, ..Hello::new("a").expiry(0) };
    assert!(!client.connect(hello).await.session_present());
    client.disconnect(0).await;
    gone(&simulator, "a").await;
    assert_eq!(simulator.session("a"), None);
    assert_eq!(simulator.stats().protocol_errors, 0);
}

#[tokio::test]
async fn unacknowledged_messages_come_again_with_dup_only_if_so_configured() {
    for set_dup in [false, true] {
        let delivery = Delivery { set_dup, ..Delivery::default() };
        let config = Config { plain_port: Some(0), delivery, ..Config::default() };
        let simulator = Simulator::start(config).await.unwrap();
        let mut client = Client::connected(&simulator, "a").await;
        client.subscribe(&[("t", 1)]).await;
        simulator.publish("t", b"x", 1, false);
        let first = expect_packet!(client, Publish);
        drop(client);
        gone(&simulator, "a").await;

        let mut client = Client::plain(&simulator).await;
        assert!(client.connect(Hello::new("a").expiry(60)).await.session_present());
        let again = expect_packet!(client, Publish);
        assert_eq!((again.packet_id(), again.dup()), (first.packet_id(), set_dup));
        client.puback(again.packet_id().unwrap()).await;
        client.expect_nothing().await;
        assert_eq!(simulator.session("a").unwrap().unacknowledged, 0);
    }
}

#[tokio::test]
async fn a_session_expires() {
    let simulator = start().await;
    let mut client = Client::plain(&simulator).await;
    client.connect(Hello::new("a").expiry(1)).await;
    client.disconnect(0).await;
    assert!(simulator.wait_until(SOON, |it| it.session("a").is_none()).await);
}

#[tokio::test]
async fn a_takeover_gives_142_and_keeps_the_session() {
    let simulator = start().await;
    let mut old = Client::connected(&simulator, "a").await;
    old.subscribe(&[("t", 1)]).await;
    let mut new = Client::plain(&simulator).await;
    assert!(new.connect(Hello::new("a").expiry(60)).await.session_present());
    old.expect_disconnect(142).await;
    simulator.publish("t", b"x", 1, false);
    assert_eq!(new.next_message().await.1, b"x");
    let stats = simulator.stats();
    assert_eq!((stats.takeovers, stats.connects_accepted, stats.protocol_errors), (1, 2, 0));
    assert_eq!(simulator.ends()[0].sent, Some(142));
}

#[tokio::test]
async fn client_identifiers_are_assigned_and_not_taken_back() {
    let simulator = start().await;
    let mut client = Client::plain(&simulator).await;
    let connack = client.connect(Hello::new("")).await;
    let assigned = connack.props().iter().find_map(|property| match property {
        Property::AssignedClientIdentifier(id) => Some(id.val().to_owned()),
        _ => None,
    });
    let assigned = assigned.unwrap();
    assert!(assigned.starts_with("$GEN/") && assigned.len() == 41, "{assigned}");
    let mut client = Client::plain(&simulator).await;
    assert_eq!(client.connect(Hello::new(&assigned)).await.reason_code() as u8, 133);
    let mut client = Client::plain(&simulator).await;
    assert_eq!(client.connect(Hello::new(&"x".repeat(129))).await.reason_code() as u8, 133);
}

fn number(connack: &mqtt_protocol_core::mqtt::packet::v5_0::Connack, id: u8) -> Option<u32> {
    connack.props().iter().find_map(|property| {
        let (found, value) = match property {
            Property::SessionExpiryInterval(p) => (17, p.val()),
            Property::ServerKeepAlive(p) => (19, p.val().into()),
            Property::ReceiveMaximum(p) => (33, p.val().into()),
            Property::TopicAliasMaximum(p) => (34, p.val().into()),
            Property::MaximumQos(p) => (36, p.val().into()),
            Property::RetainAvailable(p) => (37, p.val().into()),
            Property::MaximumPacketSize(p) => (39, p.val()),
            Property::WildcardSubscriptionAvailable(p) => (40, p.val().into()),
            Property::SubscriptionIdentifierAvailable(p) => (41, p.val().into()),
            Property::SharedSubscriptionAvailable(p) => (42, p.val().into()),
            _ => return None,
        };
        (found == id).then_some(value)
    })
}

#[tokio::test]
async fn connack_says_what_aws_says() {
    let simulator = start().await;
    let mut client = Client::plain(&simulator).await;
    let connack = client.connect(Hello { keep_alive: 5, ..Hello::new("a").expiry(u32::MAX) }).await;
    let expected = [
        (17, 604_800),
        (19, 30),
        (33, 100),
        (34, 8),
        (36, 1),
        (37, 1),
        (39, 149_504),
        (40, 1),
        (41, 0),
        (42, 1),
    ];
    for (id, value) in expected {
        assert_eq!(number(&connack, id), Some(value), "property {id}");
    }
}

#[tokio::test]
async fn silence_ends_a_connection_with_141() {
    let config = Config { plain_port: Some(0), keep_alive: KeepAliveRule::Fixed(1), ..Config::default() };
    let simulator = Simulator::start(config).await.unwrap();
    let mut client = Client::connected(&simulator, "a").await;
    client.expect_disconnect(141).await;
}

/// A client with a will on topic `will`.
async fn with_will(simulator: &Simulator, client_id: &str, delay_secs: u32, expiry_secs: u32) -> Client {
    let mut client = Client::plain(simulator).await;
    let properties = vec![Property::WillDelayInterval(WillDelayInterval::new(delay_secs).unwrap())];
    let message = Message { qos: 1, ..Message::new("will", client_id.as_bytes()) };
    let hello = Hello { will: Some((message, properties)), ..Hello::new(client_id).expiry(expiry_secs) };
    assert_eq!(client.connect(hello).await.reason_code() as u8, 0);
    client
}

#[tokio::test]
async fn a_will_is_published_when_its_client_is_lost_and_only_then() {
    let simulator = start().await;
    let mut heir = Client::connected(&simulator, "heir").await;
    heir.subscribe(&[("will", 1)]).await;

    with_will(&simulator, "normal", 0, 60).await.disconnect(0).await;
    gone(&simulator, "normal").await;
    heir.expect_nothing().await;

    with_will(&simulator, "on-request", 0, 60).await.disconnect(4).await;
    assert_eq!(heir.next_message().await.1, b"on-request");

    drop(with_will(&simulator, "lost", 0, 60).await);
    assert_eq!(heir.next_message().await.1, b"lost");

    let _closed = with_will(&simulator, "closed", 0, 0).await;
    simulator.disconnect("closed", ConnectionEnd::Reset);
    assert_eq!(heir.next_message().await.1, b"closed");

    // A delay, but a session that ends with the connection.
    drop(with_will(&simulator, "no-session", 60, 0).await);
    assert_eq!(heir.next_message().await.1, b"no-session");

    drop(with_will(&simulator, "delayed", 1, 60).await);
    gone(&simulator, "delayed").await;
    heir.expect_nothing().await;
    assert_eq!(heir.next_message().await.1, b"delayed");

    // The session ends before the delay.
    drop(with_will(&simulator, "expired", 60, 1).await);
    assert_eq!(heir.next_message().await.1, b"expired");
}

#[tokio::test]
async fn a_takeover_publishes_the_will_unless_it_is_delayed_and_the_session_goes_on() {
    let simulator = start().await;
    let mut heir = Client::connected(&simulator, "heir").await;
    heir.subscribe(&[("will", 1)]).await;
    for (delay, clean_start, published) in
        [(0, false, true), (10, false, false), (10, true, true), (0, true, true)]
    {
        let mut old = with_will(&simulator, "a", delay, 60).await;
        let mut new = Client::plain(&simulator).await;
        new.connect(Hello { clean_start, ..Hello::new("a").expiry(60) }).await;
        old.expect_disconnect(142).await;
        if published {
            assert_eq!(heir.next_message().await.1, b"a");
        }
        heir.expect_nothing().await;
        new.disconnect(0).await;
        gone(&simulator, "a").await;
        simulator.forget_session("a");
    }
}

#[tokio::test]
async fn a_delayed_will_is_forgotten_when_its_client_comes_back() {
    let simulator = start().await;
    let mut heir = Client::connected(&simulator, "heir").await;
    heir.subscribe(&[("will", 1)]).await;
    drop(with_will(&simulator, "a", 60, 60).await);
    gone(&simulator, "a").await;
    let mut back = Client::plain(&simulator).await;
    assert!(back.connect(Hello::new("a").expiry(60)).await.session_present());
    back.disconnect(0).await;
    gone(&simulator, "a").await;
    simulator.forget_session("a");
    heir.expect_nothing().await;
}

#[tokio::test]
async fn stopping_says_goodbye() {
    let simulator = start().await;
    let mut client = Client::connected(&simulator, "a").await;
    let (mut silent, started) = (Client::plain(&simulator).await, std::time::Instant::now());
    let stop = tokio::spawn(simulator.stop());
    client.expect_disconnect(139).await;
    drop(client);
    assert!(matches!(silent.receive().await, Packet::Closed));
    stop.await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
}
