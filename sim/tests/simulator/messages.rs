//! Publishing and subscribing.

use gecko_iot_sim::{AcknowledgementKind, Config, Delivery, Simulator};
use mqtt_protocol_core::mqtt::packet::{
    ContentType, CorrelationData, MaximumPacketSize, MessageExpiryInterval, PayloadFormat,
    PayloadFormatIndicator, Property, ReceiveMaximum, ResponseTopic, SubscriptionIdentifier, TopicAlias,
    TopicAliasMaximum, UserProperty,
};

use crate::client::{Client, Hello, Message, SOON, expect_packet};

async fn start() -> Simulator {
    Simulator::start(Config { plain_port: Some(0), ..Config::default() }).await.unwrap()
}

const NO_LOCAL: u8 = 4;
const RETAIN_AS_PUBLISHED: u8 = 8;
const RETAINED_IF_NEW: u8 = 16;
const NO_RETAINED: u8 = 32;

#[tokio::test]
async fn messages_arrive_with_all_that_belongs_to_them() {
    let simulator = start().await;
    let mut publisher = Client::connected(&simulator, "p").await;
    let mut subscriber = Client::connected(&simulator, "s").await;
    assert_eq!(subscriber.subscribe(&[("a/+/c", 1), ("x", 0)]).await, [1, 0]);
    let properties = vec![
        Property::PayloadFormatIndicator(PayloadFormatIndicator::new(PayloadFormat::String).unwrap()),
        Property::ContentType(ContentType::new("text/plain").unwrap()),
        Property::ResponseTopic(ResponseTopic::new("answer").unwrap()),
        Property::CorrelationData(CorrelationData::new(vec![1, 2, 3]).unwrap()),
        Property::UserProperty(UserProperty::new("k", "v").unwrap()),
        Property::UserProperty(UserProperty::new("k", "w").unwrap()),
    ];
    for qos in [0, 1] {
        let payload = vec![7; 70_000];
        let message = Message { qos, properties: properties.clone(), ..Message::new("a/b/c", &payload) };
        publisher.publish(message).await;
        let received = expect_packet!(subscriber, Publish);
        assert_eq!(received.payload().as_slice(), payload);
        assert_eq!((received.qos() as u8, received.retain(), received.dup()), (qos, false, false));
        assert_eq!(received.props(), &properties);
        if let Some(id) = received.packet_id() {
            subscriber.puback(id).await;
        }
    }
    assert_eq!(expect_packet!(publisher, Puback).reason_code(), None);
    assert_eq!(publisher.publish_1("x", b"1").await, 0);
    assert_eq!(expect_packet!(subscriber, Publish).qos() as u8, 0, "granted QoS 0");
    assert_eq!(publisher.publish_1("a/b", b"1").await, 0);
    subscriber.expect_nothing().await;
    assert_eq!(subscriber.unsubscribe("x").await, 0);
    assert_eq!(subscriber.unsubscribe("x").await, 17);
    publisher.publish_1("x", b"1").await;
    subscriber.expect_nothing().await;
    let stats = simulator.stats();
    assert_eq!((stats.publishes_received, stats.publishes_sent, stats.protocol_errors), (5, 3, 0));
    assert_eq!(simulator.publishes()[0].payload().len(), 70_000);
}

#[tokio::test]
async fn retained_messages_are_kept_and_sent_as_the_options_say() {
    let simulator = start().await;
    let mut client = Client::connected(&simulator, "a").await;
    client.publish(Message { retain: true, qos: 1, ..Message::new("r/1", b"one") }).await;
    expect_packet!(client, Puback);
    assert_eq!(simulator.retained("r/1").as_deref(), Some(&b"one"[..]));

    client.subscribe(&[("r/#", 1)]).await;
    let retained = expect_packet!(client, Publish);
    assert!(retained.retain() && retained.payload().as_slice() == b"one");
    client.puback(retained.packet_id().unwrap()).await;
    client.subscribe(&[("r/#", 1 | NO_RETAINED)]).await;
    client.subscribe(&[("r/#", 1 | RETAINED_IF_NEW)]).await;
    client.expect_nothing().await;
    client.subscribe(&[("r/+", RETAINED_IF_NEW)]).await;
    assert!(expect_packet!(client, Publish).retain());
    client.subscribe(&[("$share/g/r/#", 1)]).await;
    client.expect_nothing().await;
    for filter in ["r/#", "r/+", "$share/g/r/#"] {
        client.unsubscribe(filter).await;
    }

    client.subscribe(&[("live", 0)]).await;
    client.publish(Message { retain: true, ..Message::new("live", b"x") }).await;
    assert!(!expect_packet!(client, Publish).retain(), "forwarded to an established subscription");
    client.subscribe(&[("live", RETAIN_AS_PUBLISHED | NO_RETAINED)]).await;
    client.publish(Message { retain: true, ..Message::new("live", b"x") }).await;
    assert!(expect_packet!(client, Publish).retain());

    client.publish(Message { retain: true, ..Message::new("r/1", b"") }).await;
    client.subscribe(&[("r/1", 1)]).await;
    client.expect_nothing().await;
    assert_eq!(simulator.retained("r/1"), None);
}

#[tokio::test]
async fn own_messages_stay_away_with_no_local() {
    let simulator = start().await;
    let mut client = Client::connected(&simulator, "a").await;
    client.subscribe(&[("t", NO_LOCAL)]).await;
    client.publish(Message::new("t", b"own")).await;
    client.expect_nothing().await;
    simulator.publish("t", b"other", 0, false);
    assert_eq!(client.next_message().await.1, b"other");
}

#[tokio::test]
async fn topic_aliases_work_both_ways() {
    let delivery = Delivery { topic_aliases: true, ..Delivery::default() };
    let config = Config { plain_port: Some(0), delivery, ..Config::default() };
    let simulator = Simulator::start(config).await.unwrap();
    let mut client = Client::plain(&simulator).await;
    let hello = Hello::new("a").property(TopicAliasMaximum::new(1).unwrap());
    client.connect(hello).await;
    client.subscribe(&[("#", 0)]).await;
    let alias = || vec![Property::TopicAlias(TopicAlias::new(8).unwrap())];
    client.publish(Message { properties: alias(), ..Message::new("t/1", b"1") }).await;
    client.publish(Message { properties: alias(), ..Message::new("", b"2") }).await;
    client.publish(Message::new("t/2", b"3")).await;
    let received: Vec<_> =
        [expect_packet!(client, Publish), expect_packet!(client, Publish), expect_packet!(client, Publish)]
            .iter()
            .map(|publish| (publish.topic_name().to_owned(), publish.props().len()))
            .collect();
    assert_eq!(received, [("t/1".to_owned(), 1), (String::new(), 1), ("t/2".to_owned(), 0)]);
    assert_eq!(simulator.publishes()[1].topic, "t/1");
}

#[tokio::test]
async fn messages_expire() {
    let simulator = start().await;
    let mut client = Client::connected(&simulator, "a").await;
    client.subscribe(&[("t", 1)]).await;
    let expiry = |secs| vec![Property::MessageExpiryInterval(MessageExpiryInterval::new(secs).unwrap())];
    client.publish(Message { properties: expiry(100), ..Message::new("t", b"live") }).await;
    let received = expect_packet!(client, Publish);
    assert_eq!(received.props(), &expiry(100));
    client.publish(Message { properties: expiry(0), ..Message::new("t", b"dead") }).await;
    client.expect_nothing().await;
}

#[tokio::test]
async fn the_clients_own_limits_are_respected() {
    let simulator = start().await;
    let mut client = Client::plain(&simulator).await;
    let hello = Hello::new("a")
        .property(ReceiveMaximum::new(2).unwrap())
        .property(MaximumPacketSize::new(100).unwrap());
    client.connect(hello).await;
    client.subscribe(&[("t", 1)]).await;
    simulator.publish("t", &[0; 200], 1, false);
    for payload in [b"1", b"2", b"3"] {
        simulator.publish("t", payload, 1, false);
    }
    let (first, second) = (expect_packet!(client, Publish), expect_packet!(client, Publish));
    assert_eq!((first.payload().as_slice(), second.payload().as_slice()), (&b"1"[..], &b"2"[..]));
    client.expect_nothing().await;
    client.puback(second.packet_id().unwrap()).await;
    assert_eq!(client.next_message().await.1, b"3");
    assert_eq!(simulator.stats().messages_dropped, 1);
}

#[tokio::test]
async fn ten_thousand_messages_arrive_in_order() {
    const COUNT: u32 = 10_000;
    let simulator = start().await;
    let mut subscriber = Client::connected(&simulator, "s").await;
    subscriber.subscribe(&[("t", 1)]).await;
    let mut publisher = Client::connected(&simulator, "p").await;
    let publishing = tokio::spawn(async move {
        for batch in 0..COUNT / 100 {
            let numbers = batch * 100..(batch + 1) * 100;
            let bytes: Vec<u8> = numbers
                .flat_map(|n| {
                    let number = n.to_be_bytes();
                    let message = Message { qos: 1, ..Message::new("t", &number) };
                    publisher.publish_bytes(message).0
                })
                .collect();
            publisher.send(&bytes).await;
            for _ in 0..100 {
                expect_packet!(publisher, Puback);
            }
        }
    });
    for n in 0..COUNT {
        assert_eq!(subscriber.next_message().await.1, n.to_be_bytes());
    }
    publishing.await.unwrap();
    assert_eq!(simulator.stats().protocol_errors, 0);
}

#[tokio::test]
async fn a_generic_broker_speaks_qos_2_and_subscription_identifiers() {
    let simulator = Simulator::start(Config::generic_broker()).await.unwrap();
    let mut client = Client::connected(&simulator, "a").await;
    let id = vec![Property::SubscriptionIdentifier(SubscriptionIdentifier::new(9).unwrap())];
    assert_eq!(client.subscribe_with(&[("t", 2)], id.clone()).await, [2]);

    let message = Message { qos: 2, ..Message::new("t", b"once") };
    let (bytes, sent) = client.publish_bytes(message);
    client.send(&bytes).await;
    assert_eq!(expect_packet!(client, Pubrec).packet_id(), sent);
    let received = expect_packet!(client, Publish);
    assert_eq!((received.qos() as u8, received.props()), (2, &id));
    client.send(&[&[0x62, 2], &sent.to_be_bytes()[..]].concat()).await;
    assert_eq!(expect_packet!(client, Pubcomp).reason_code(), None);
    client.send(&[&[0x62, 2], &sent.to_be_bytes()[..]].concat()).await;
    assert_eq!(expect_packet!(client, Pubcomp).reason_code().map(|code| code as u8), Some(146));

    let theirs = received.packet_id().unwrap().to_be_bytes();
    client.send(&[&[0x50, 3], &theirs[..], &[16]].concat()).await;
    assert_eq!(expect_packet!(client, Pubrel).reason_code(), None);
    drop(client);
    assert!(simulator.wait_until(SOON, |it| !it.session("a").unwrap().connected).await);
    let mut client = Client::plain(&simulator).await;
    assert!(client.connect(Hello::new("a").expiry(60)).await.session_present());
    expect_packet!(client, Pubrel);
    client.send(&[&[0x70, 2], &theirs[..]].concat()).await;
    client.expect_nothing().await;
    assert_eq!(simulator.session("a").unwrap().unacknowledged, 0);
    let stats = simulator.stats();
    assert_eq!((stats.protocol_errors, stats.unexpected_acknowledgements), (0, 0));
    let records = simulator.acknowledgements();
    assert!(records.iter().all(|record| record.client_id == "a"));
    let theirs = u16::from_be_bytes(theirs);
    assert_eq!(
        records.iter().map(|record| (record.kind, record.packet_id, record.reason)).collect::<Vec<_>>(),
        [
            (AcknowledgementKind::Pubrel, sent, 0),
            (AcknowledgementKind::Pubrel, sent, 0),
            (AcknowledgementKind::Pubrec, theirs, 16),
            (AcknowledgementKind::Pubcomp, theirs, 0),
        ]
    );
}
