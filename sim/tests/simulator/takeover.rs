//! One client identifier, two connections.

use std::collections::BTreeSet;

use gecko_iot_sim::{Config, ConnectionEnd, SessionExpiryRule, Simulator};
use mqtt_protocol_core::mqtt::packet::Property;

use crate::client::{Client, Hello, Message, Packet, SOON, expect_packet};

async fn start(config: Config) -> Simulator {
    Simulator::start(Config { plain_port: Some(0), ..config }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_over_the_old_connection_was_taken() {
    let simulator = start(Config::default()).await;
    let mut heir = Client::connected(&simulator, "heir").await;
    heir.subscribe(&[("t", 1)]).await;
    for round in 0..20 {
        let mut old = Client::connected(&simulator, "a").await;
        let mut new = Client::plain(&simulator).await;
        let mut sent = Vec::new();
        for n in 0..60 {
            if n == 20 {
                new.send(&Hello::new("a").expiry(60).bytes()).await;
            }
            let payload = format!("{round}/{n}");
            let message = Message { qos: 1, ..Message::new("t", payload.as_bytes()) };
            let (bytes, id) = old.publish_bytes(message);
            let _ = old.try_send(&bytes).await;
            sent.push((id, payload));
            // The simulator takes some before, some at the moment of the takeover, and some after it.
            tokio::task::yield_now().await;
        }
        let mut acknowledged = BTreeSet::new();
        loop {
            match old.receive().await {
                Packet::Puback(puback) => acknowledged.insert(puback.packet_id()),
                Packet::Disconnect(_) => continue,
                Packet::Closed => break,
                other => panic!("{other:?}"),
            };
        }
        assert_eq!(expect_packet!(new, Connack).reason_code() as u8, 0);
        assert_eq!(new.publish_1("t", b"end").await, 0);
        let mut taken = BTreeSet::new();
        loop {
            let (_, payload) = heir.next_message().await;
            if payload == b"end" {
                break;
            }
            taken.insert(String::from_utf8(payload).unwrap());
        }
        for (id, payload) in sent {
            assert!(!acknowledged.contains(&id) || taken.contains(&payload), "{payload} is lost");
        }
        new.disconnect(0).await;
    }
    assert_eq!(simulator.stats().protocol_errors, 0);
}

#[tokio::test]
async fn the_old_connection_ends_as_configured() {
    for end in [ConnectionEnd::Disconnect(142), ConnectionEnd::Disconnect(0), ConnectionEnd::Close] {
        let simulator = start(Config { takeover_end: end, ..Config::default() }).await;
        let mut old = Client::connected(&simulator, "a").await;
        let mut new = Client::plain(&simulator).await;
        assert!(new.connect(Hello::new("a").expiry(60)).await.session_present());
        match end {
            ConnectionEnd::Disconnect(code) => old.expect_disconnect(code).await,
            _ => assert!(matches!(old.receive().await, Packet::Closed)),
        }
        new.expect_nothing().await;
    }
}

#[tokio::test]
async fn a_server_without_sessions_remembers_nothing() {
    let config = Config { session_expiry: SessionExpiryRule::none(), ..Config::default() };
    let simulator = start(config).await;
    let mut old = Client::connected(&simulator, "a").await;
    old.subscribe(&[("t", 1)]).await;
    let mut new = Client::plain(&simulator).await;
    let connack = new.connect(Hello::new("a").expiry(60)).await;
    assert!(!connack.session_present());
    let granted = connack.props().iter().find_map(|property| match property {
        Property::SessionExpiryInterval(secs) => Some(secs.val()),
        _ => None,
    });
    assert_eq!(granted, Some(0));
    old.expect_disconnect(142).await;
    assert!(simulator.session("a").unwrap().subscriptions.is_empty());
    // DISCONNECT may ask for a session, since CONNECT did; it still gets none.
    new.send(&[0xe0, 7, 0, 5, 17, 0, 0, 0, 60]).await;
    assert!(matches!(new.receive().await, Packet::Closed));
    assert!(simulator.wait_until(SOON, |it| it.session("a").is_none()).await);
    assert_eq!(simulator.stats().protocol_errors, 0);
}
