//! AWS's limits and quotas.

use std::time::{Duration, Instant};

use gecko_iot_sim::{Config, ConnackProperties, ConnectFault, Limits, Policy, Quotas, Refusal, Simulator};
use mqtt_protocol_core::mqtt::packet::{Property, SubscriptionIdentifier};

use crate::client::{Client, Hello, Message, Packet, SOON, expect_packet};

async fn start(config: Config) -> Simulator {
    Simulator::start(Config { plain_port: Some(0), ..config }).await.unwrap()
}

#[tokio::test]
async fn messages_above_a_limit_are_refused() {
    let simulator = start(Config { denied_topics: vec!["no/#".to_owned()], ..Config::default() }).await;
    let mut client = Client::connected(&simulator, "a").await;
    assert_eq!(client.publish_1("t", &vec![0; 128 * 1024]).await, 0);
    assert_eq!(client.publish_1("t", &vec![0; 128 * 1024 + 1]).await, 151);
    assert_eq!(client.publish_1(&"x".repeat(256), b"").await, 0);
    assert_eq!(client.publish_1(&"x".repeat(257), b"").await, 144);
    assert_eq!(client.publish_1("1/2/3/4/5/6/7/8", b"").await, 0);
    assert_eq!(client.publish_1("1/2/3/4/5/6/7/8/9", b"").await, 144);
    assert_eq!(client.publish_1("$aws/rules/mine/1/2/3/4/5/6/7/8", b"").await, 0);
    assert_eq!(client.publish_1("no/way", b"").await, 135);
    assert_eq!(simulator.stats().limit_refusals, 4);
    client.publish(Message::new("1/2/3/4/5/6/7/8/9", b"")).await;
    client.expect_disconnect(144).await;
    assert_eq!(simulator.stats().protocol_errors, 0);
}

#[tokio::test]
async fn subscriptions_above_a_limit_are_refused() {
    let simulator = start(Config { denied_topics: vec!["no/#".to_owned()], ..Config::default() }).await;
    let mut client = Client::connected(&simulator, "a").await;
    let names: Vec<String> = (0..60).map(|n| format!("t/{n}")).collect();
    let filters: Vec<(&str, u8)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    assert_eq!(client.subscribe(&filters[..9]).await, [151; 9]);
    for chunk in filters[..48].chunks(8) {
        assert_eq!(client.subscribe(chunk).await, [1; 8]);
    }
    assert_eq!(client.subscribe(&filters[47..51]).await, [1, 1, 1, 151]);
    client.unsubscribe("t/0").await;
    assert_eq!(client.subscribe(&[("1/2/3/4/5/6/7/8/9", 1), ("no/+", 1), ("t/0", 2)]).await, [143, 135, 1]);
}

#[tokio::test]
async fn a_policy_forbids_each_action_for_itself() {
    let filters = |filter: &str| vec![filter.to_owned()];
    let policy = Policy {
        deny_publish: filters("silent/#"),
        deny_subscribe: filters("deaf/#"),
        deny_receive: filters("lost/#"),
        ..Policy::default()
    };
    let simulator = start(Config { policy: policy.clone(), ..Config::default() }).await;
    let mut client = Client::connected(&simulator, "a").await;
    assert_eq!(client.subscribe(&[("silent/a", 1), ("deaf/a", 1), ("lost/a", 1)]).await, [1, 135, 1]);
    assert_eq!(client.publish_1("silent/a", b"").await, 135);
    assert_eq!(client.publish_1("deaf/a", b"").await, 0);
    assert_eq!(client.publish_1("lost/a", b"").await, 0);
    client.ping().await;

    let policy =
        Policy { publish_refusal: Refusal::Close, deny_connect: Some(Refusal::Connack(135)), ..policy };
    let silent = Policy { deny_connect: None, ..policy.clone() };
    let simulator = start(Config { policy: silent, ..Config::default() }).await;
    let mut client = Client::connected(&simulator, "a").await;
    client.publish(Message { qos: 1, ..Message::new("silent/a", b"") }).await;
    assert!(matches!(client.receive().await, Packet::Closed));

    let simulator = start(Config { policy, ..Config::default() }).await;
    let mut client = Client::plain(&simulator).await;
    assert_eq!(client.connect(Hello::new("a")).await.reason_code() as u8, 135);
}

#[tokio::test]
async fn what_is_not_available_is_refused() {
    let connack = ConnackProperties {
        retain_available: Some(false),
        wildcard_available: Some(false),
        shared_available: Some(false),
        ..ConnackProperties::aws()
    };
    let simulator = start(Config { connack, ..Config::default() }).await;
    let mut client = Client::connected(&simulator, "a").await;
    assert_eq!(client.subscribe(&[("a/#", 1), ("$share/g/a", 1), ("a", 1)]).await, [162, 158, 1]);
    client.publish(Message { retain: true, ..Message::new("a", b"x") }).await;
    client.expect_disconnect(154).await;

    let mut client = Client::connected(&simulator, "a").await;
    client.publish(Message { qos: 2, ..Message::new("a", b"x") }).await;
    client.expect_disconnect(155).await;

    let mut client = Client::plain(&simulator).await;
    let will = Message { qos: 2, ..Message::new("will", b"x") };
    let hello = Hello { will: Some((will, Vec::new())), ..Hello::new("b") };
    assert_eq!(client.connect(hello).await.reason_code() as u8, 155);
    assert_eq!(simulator.stats().protocol_errors, 3);

    let mut client = Client::connected(&simulator, "a").await;
    let id = Property::SubscriptionIdentifier(SubscriptionIdentifier::new(1).unwrap());
    let entry = mqtt_protocol_core::mqtt::packet::SubEntry::new("a", Default::default()).unwrap();
    let subscribe = mqtt_protocol_core::mqtt::packet::v5_0::Subscribe::builder()
        .packet_id(1)
        .entries(vec![entry])
        .props(vec![id])
        .build()
        .unwrap();
    client.send(&subscribe.to_continuous_buffer()).await;
    client.expect_disconnect(161).await;
}

#[tokio::test]
async fn too_fast_publishes_are_discarded() {
    let quotas = Quotas { publishes_per_second: Some(10), ..Quotas::none() };
    let simulator = start(Config { quotas, ..Config::default() }).await;
    let mut client = Client::connected(&simulator, "a").await;
    let bytes: Vec<u8> =
        (0..30).flat_map(|_| client.publish_bytes(Message { qos: 1, ..Message::new("t", b"") }).0).collect();
    client.send(&bytes).await;
    client.ping().await;
    let mut acknowledged = 0;
    while let Packet::Puback(_) = client.receive().await {
        acknowledged += 1;
    }
    let stats = simulator.stats();
    assert!((10..=12).contains(&acknowledged), "{acknowledged}");
    assert_eq!((stats.publishes_received, stats.publishes_discarded), (30, 30 - acknowledged));
}

#[tokio::test]
async fn too_many_bytes_are_delayed() {
    let quotas = Quotas { bytes_per_second: Some(100_000), ..Quotas::none() };
    let simulator = start(Config { quotas, ..Config::default() }).await;
    let mut client = Client::connected(&simulator, "a").await;
    let started = std::time::Instant::now();
    for _ in 0..3 {
        assert_eq!(client.publish_1("t", &[0; 50_000]).await, 0);
    }
    client.ping().await;
    assert!(matches!(client.receive().await, Packet::Pingresp));
    assert!(started.elapsed() > Duration::from_millis(400));
}

#[tokio::test]
async fn too_many_connects_are_refused() {
    for (connect_refusal, expected) in [(Refusal::Connack(151), Some(151)), (Refusal::Close, None)] {
        let quotas = Quotas { connects_per_second: Some(1), connect_refusal, ..Quotas::none() };
        let simulator = start(Config { quotas, ..Config::default() }).await;
        let _first = Client::connected(&simulator, "a").await;
        let _other = Client::connected(&simulator, "b").await;
        let mut second = Client::plain(&simulator).await;
        second.send(&Hello::new("a").bytes()).await;
        let answer = match second.receive().await {
            Packet::Connack(connack) => Some(connack.reason_code() as u8),
            Packet::Closed => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(answer, expected);
        let mut third = Client::plain(&simulator).await;
        let again = async {
            // The second's worth comes back with time.
            while third.connect(Hello::new("c")).await.reason_code() as u8 != 0 {
                third = Client::plain(&simulator).await;
            }
        };
        tokio::time::timeout(SOON, again).await.unwrap();
    }
}

#[tokio::test]
async fn a_connect_that_is_refused_counts_too() {
    let quotas = Quotas { connects_per_second: Some(1), ..Quotas::none() };
    let simulator = start(Config { quotas, ..Config::default() }).await;
    for client_id in (0..).map(|n| format!("client-{n}")) {
        let (started, before) = (Instant::now(), simulator.stats().connects_throttled);
        simulator.on_connects(1, ConnectFault::Refuse(135));
        let mut codes = Vec::new();
        for _ in 0..2 {
            let mut client = Client::plain(&simulator).await;
            codes.push(client.connect(Hello::new(&client_id)).await.reason_code() as u8);
        }
        // Where this machine took longer the second one was in time.
        if started.elapsed() < Duration::from_millis(900) {
            assert_eq!((codes, simulator.stats().connects_throttled - before), (vec![135, 151], 1));
            return;
        }
    }
}

#[tokio::test]
async fn connections_above_the_limit_wait() {
    let limits = Limits { connections: 1, ..Limits::aws() };
    let simulator = start(Config { limits, ..Config::default() }).await;
    let first = Client::connected(&simulator, "a").await;
    let mut second = Client::plain(&simulator).await;
    second.send(&Hello::new("b").bytes()).await;
    drop(first);
    assert_eq!(expect_packet!(second, Connack).reason_code() as u8, 0);
    assert_eq!(simulator.stats().open_connections, 1);
}

#[tokio::test]
async fn unacknowledged_publishes_are_counted_against_the_receive_maximum() {
    let connack = ConnackProperties { receive_maximum: Some(5), ..ConnackProperties::aws() };
    let simulator = start(Config { connack, ..Config::default() }).await;
    let mut client = Client::connected(&simulator, "a").await;
    for _ in 0..20 {
        assert_eq!(client.publish_1("t", b"").await, 0);
    }
    // Sent in one go: no acknowledgement can have been seen in between.
    let bytes: Vec<u8> =
        (0..6).flat_map(|_| client.publish_bytes(Message { qos: 1, ..Message::new("t", b"") }).0).collect();
    client.send(&bytes).await;
    for _ in 0..5 {
        expect_packet!(client, Puback);
    }
    client.expect_disconnect(147).await;
    assert_eq!(simulator.stats().protocol_errors, 1);
}
