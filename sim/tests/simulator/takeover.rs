//! One client identifier, two connections.

use std::collections::BTreeSet;

use gecko_iot_sim::{Config, Simulator};

use crate::client::{Client, Hello, Message, Packet, expect_packet};

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
