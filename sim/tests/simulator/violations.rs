//! Clients that do what MQTT 5 or AWS forbids.

use gecko_iot_sim::{Config, Simulator};

use crate::client::{Client, Hello, Message, Packet, SOON, expect_packet};

async fn start() -> Simulator {
    Simulator::start(Config { plain_port: Some(0), ..Config::default() }).await.unwrap()
}

#[tokio::test]
async fn malformed_packets_end_the_connection_with_their_reason_code() {
    let simulator = start().await;
    let large = [&[0x30, 0xff, 0xff, 0x7f][..], &[0; 100]].concat();
    let table: [(&str, &[u8], u8); 12] = [
        ("reserved type", &[0x00, 0], 129),
        ("AUTH", &[0xf0, 0], 130),
        ("second CONNECT", &Hello::new("a").bytes(), 130),
        ("QoS 3", &[0x36, 6, 0, 1, b'a', 0, 1, 0], 129),
        ("wildcard in a topic", &[0x30, 4, 0, 1, b'#', 0], 144),
        ("invalid UTF-8", &[0x30, 4, 0, 1, 0xff, 0], 129),
        ("alias above the maximum", &[0x30, 7, 0, 1, b'a', 3, 35, 0, 9], 148),
        ("alias that was never set", &[0x30, 6, 0, 0, 3, 35, 0, 8], 130),
        ("SUBSCRIBE without a filter", &[0x82, 3, 0, 1, 0], 130),
        ("length of five bytes", &[0x30, 0xff, 0xff, 0xff, 0xff, 1], 129),
        ("larger than the maximum packet size", &large, 149),
        ("PUBREL where there is no QoS 2", &[0x62, 2, 0, 1], 130),
    ];
    for (what, bytes, code) in table {
        let before = simulator.stats().protocol_errors;
        let mut client = Client::connected(&simulator, "a").await;
        client.send(bytes).await;
        assert_eq!(
            expect_packet!(client, Disconnect).reason_code().map(|code| code as u8),
            Some(code),
            "{what}"
        );
        assert!(matches!(client.receive().await, Packet::Closed), "{what}");
        assert_eq!(simulator.stats().protocol_errors, before + 1, "{what}");
    }
    assert_eq!(simulator.protocol_error_texts().len(), 12);
}

#[tokio::test]
async fn bad_connects_are_answered_where_that_is_allowed() {
    let simulator = start().await;
    let good = Hello::new("a").bytes();
    let mut reserved = good.clone();
    reserved[9] |= 1;
    let mut version_3 = good.clone();
    version_3[8] = 4;
    let mut other = good.clone();
    other[4] = b'X';
    for (bytes, answer) in [(reserved, Some(129)), (version_3, Some(1)), (other, None), (vec![0xc0, 0], None)]
    {
        let before = simulator.stats().protocol_errors;
        let mut client = Client::plain(&simulator).await;
        client.send(&bytes).await;
        match (answer, client.receive_raw().await) {
            (None, got) => assert!(got.is_empty()),
            (Some(code), got) => assert_eq!((got[0], got[3]), (0x20, code)),
        }
        assert_eq!(simulator.stats().protocol_errors, before + 1);
    }
}

#[tokio::test]
async fn nothing_may_be_sent_before_connack() {
    let simulator = start().await;
    let mut client = Client::plain(&simulator).await;
    let (publish, _) = client.publish_bytes(Message::new("t", b""));
    client.send(&[Hello::new("a").bytes(), publish.clone()].concat()).await;
    assert_eq!(expect_packet!(client, Connack).reason_code() as u8, 130);
    assert!(matches!(client.receive().await, Packet::Closed));

    simulator.delay_connacks(SOON);
    let mut client = Client::plain(&simulator).await;
    client.send(&Hello::new("a").bytes()).await;
    client.send(&publish).await;
    assert_eq!(expect_packet!(client, Connack).reason_code() as u8, 130);
    assert_eq!(simulator.stats().protocol_errors, 2);
    assert_eq!(simulator.stats().connects_refused, 2);
}

#[tokio::test]
async fn malformed_filters_are_refused_and_counted() {
    let simulator = start().await;
    let mut client = Client::connected(&simulator, "a").await;
    assert_eq!(client.subscribe(&[("a/#/b", 1), ("a+", 1), ("ok", 1)]).await, [143, 143, 1]);
    assert_eq!(simulator.stats().protocol_errors, 2);
}

#[tokio::test]
async fn a_packet_identifier_in_use_is_an_error() {
    let simulator = start().await;
    simulator.on_publishes(1, gecko_iot_sim::PublishFault::DropAcknowledgement);
    let mut client = Client::connected(&simulator, "a").await;
    let (bytes, _) = client.publish_bytes(Message { qos: 1, ..Message::new("t", b"") });
    client.send(&bytes).await;
    client.expect_nothing().await;
    client.send(&bytes).await;
    client.expect_disconnect(130).await;
}

#[tokio::test]
async fn a_session_cannot_be_revived_by_disconnect() {
    let simulator = start().await;
    let mut client = Client::plain(&simulator).await;
    client.connect(Hello { clean_start: true, ..Hello::new("a") }).await;
    client.send(&[0xe0, 7, 0, 5, 17, 0, 0, 0, 9]).await;
    client.expect_disconnect(130).await;
}
