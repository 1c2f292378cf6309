//! Messages both ways, against the simulator and against mosquitto.

use crate::support::*;
use gecko_iot_sim::{PublishFault, SubscribeFault};
use gecko_mqtt::{Client, Completion, ErrorKind, Message, Options, QoS, QueuePolicy, Subscription, Wait};
use std::sync::Arc;
use std::time::Duration;

const EVERY_QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

#[test]
fn every_qos_both_ways_over_tcp_and_tls() {
    let mosquitto = Mosquitto::start();
    for options in [mosquitto.plain(), mosquitto.tls()] {
        let client = connected(&options);
        for qos in EVERY_QOS {
            let topic = format!("qos/{}", qos.level());
            let seen = subscribed(&client, &topic, qos);
            let ack = client.publish_wait(&message(&topic, b"hello", qos), WAIT);
            ack.result.unwrap();
            assert_eq!(ack.reason_code, if qos == QoS::AtMostOnce { None } else { Some(0) });
            let expected = Got { topic, payload: b"hello".to_vec(), qos, retain: false };
            assert_eq!(seen.wait_for(1), [expected]);
        }
        client.disconnect(WAIT).unwrap();
    }
}

#[test]
fn ten_thousand_each_way_in_order_without_loss() {
    let mosquitto = Mosquitto::start();
    for (qos, options) in [
        (QoS::AtMostOnce, mosquitto.plain()),
        (QoS::AtLeastOnce, mosquitto.tls()),
        (QoS::ExactlyOnce, mosquitto.plain()),
    ] {
        let (publisher, subscriber) = (connected(&options), connected(&options));
        let seen = subscribed(&subscriber, "many", qos);
        let ends = Seen::default();
        for n in 0..10_000u32 {
            // Within what the queue takes, and without a busy wait, which would take the time of those waited for.
            if n % 500 == 0 && n > 0 {
                ends.wait("room in the queue", |ends: &[bool]| ends.len() + 500 >= n as usize);
            }
            let payload = n.to_be_bytes();
            publisher
                .publish(&message("many", &payload, qos), noted(&ends, |ack| ack.result.is_ok()))
                .unwrap();
        }
        let got = seen.wait(&format!("10,000 of {qos:?}"), |seen| seen.len() >= 10_000);
        let numbers: Vec<u32> =
            got.iter().map(|got| u32::from_be_bytes(got.payload[..].try_into().unwrap())).collect();
        assert_eq!(numbers, (0..10_000).collect::<Vec<_>>(), "{qos:?}");
        // Each of them brings time for the next, which disconnect has not.
        ends.wait_for(10_000);
        publisher.disconnect(WAIT).unwrap();
        drop(publisher);
        assert!(ends.all().len() == 10_000 && ends.all().iter().all(|succeeded| *succeeded));
    }
}

#[test]
fn large_payloads_arrive_whole() {
    let mosquitto = Mosquitto::start();
    let mut options = mosquitto.tls();
    options.set_max_incoming_packet(2 << 20).unwrap();
    let client = connected(&options);
    let seen = subscribed(&client, "large", QoS::AtLeastOnce);
    for size in [0, 127, 128, 16_383, 16_384, 65_535, 65_536, 1 << 20] {
        let payload: Vec<u8> = (0..size).map(|n: usize| (n * 7) as u8).collect();
        client.publish_wait(&message("large", &payload, QoS::AtLeastOnce), WAIT).result.unwrap();
        let got = seen
            .wait(&format!("{size} bytes"), |seen| seen.last().is_some_and(|got| got.payload.len() == size));
        assert!(got.last().unwrap().payload == payload, "{size}");
    }
}

#[test]
fn every_property_survives() {
    let sim = Sim::generic();
    let client = connected(&sim.plain());
    let seen = Seen::default();
    let got = seen.clone();
    let listener = move |message: &Message<'_>, _| {
        let properties = message.user_properties.iter().map(|(k, v)| (k.to_string(), v.to_string()));
        got.push((
            message.utf8,
            message.content_type.map(str::to_owned),
            message.response_topic.map(str::to_owned),
            message.correlation_data.map(<[u8]>::to_owned),
            properties.collect::<Vec<_>>(),
            message.message_expiry_secs.is_some_and(|secs| (1..=60).contains(&secs)),
        ));
    };
    let subscription = Subscription { filter: "p", qos: QoS::AtLeastOnce, ..Subscription::default() };
    client.subscribe_wait(&[subscription], Some((0, Box::new(listener))), WAIT).result.unwrap();
    let message = Message {
        topic: "p",
        payload: "grün".as_bytes(),
        qos: QoS::AtLeastOnce,
        utf8: true,
        content_type: Some("text/plain"),
        response_topic: Some("answer/here"),
        correlation_data: Some(&[0, 255]),
        user_properties: &[("a", "1"), ("a", "2"), ("", "")],
        message_expiry_secs: Some(60),
        ..Message::default()
    };
    client.publish_wait(&message, WAIT).result.unwrap();
    let (utf8, content_type, response_topic, correlation, properties, expiry) = seen.wait_for(1).remove(0);
    assert!(utf8 && expiry);
    assert_eq!(content_type.as_deref(), Some("text/plain"));
    assert_eq!(response_topic.as_deref(), Some("answer/here"));
    assert_eq!(correlation.as_deref(), Some(&[0, 255][..]));
    let expected = [("a", "1"), ("a", "2"), ("", "")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!(properties, expected);
}

#[test]
fn a_message_goes_to_every_handler_that_matches_and_to_on_message_only_without_one() {
    let sim = Sim::generic();
    let client = connected(&sim.plain());
    let rest = Seen::default();
    client.on_message(0, collector(&rest)).unwrap();
    let (wide, narrow) =
        (subscribed(&client, "a/#", QoS::AtMostOnce), subscribed(&client, "a/b", QoS::AtMostOnce));
    let subscription = Subscription { filter: "c", ..Subscription::default() };
    client.subscribe_wait(&[subscription], None, WAIT).result.unwrap();
    for topic in ["a/b", "a/c", "c"] {
        client.publish_wait(&message(topic, b"", QoS::AtLeastOnce), WAIT).result.unwrap();
    }
    let topics =
        |seen: &Seen<Got>, count| seen.wait_for(count).into_iter().map(|got| got.topic).collect::<Vec<_>>();
    assert_eq!(topics(&rest, 1), ["c"]);
    assert_eq!(topics(&narrow, 1)[0], "a/b");
    assert!(topics(&wide, 2).contains(&"a/c".to_owned()));
}

#[test]
fn retained_messages_come_with_the_flag_and_by_the_retain_handling() {
    let sim = Sim::generic();
    let client = connected(&sim.plain());
    let kept = Message { retain: true, ..message("kept", b"x", QoS::AtLeastOnce) };
    client.publish_wait(&kept, WAIT).result.unwrap();
    let seen = subscribed(&client, "kept", QoS::AtLeastOnce);
    assert!(seen.wait_for(1)[0].retain);
    let later = Seen::default();
    let subscription = Subscription { filter: "kept", retain_handling: 2, ..Subscription::default() };
    client.subscribe_wait(&[subscription], Some((0, collector(&later))), WAIT).result.unwrap();
    client.publish_wait(&message("kept", b"live", QoS::AtLeastOnce), WAIT).result.unwrap();
    assert_eq!(later.wait_for(1)[0].payload, b"live");
    assert_eq!(seen.all().len(), 1, "the later handler replaced this one");
}

#[test]
fn unsubscribed_means_no_more_messages() {
    let sim = Sim::generic();
    let client = connected(&sim.plain());
    let seen = subscribed(&client, "u", QoS::AtLeastOnce);
    let barrier = subscribed(&client, "barrier", QoS::AtLeastOnce);
    client.unsubscribe_wait("u", WAIT).result.unwrap();
    client.publish_wait(&message("u", b"", QoS::AtLeastOnce), WAIT).result.unwrap();
    client.publish_wait(&message("barrier", b"", QoS::AtLeastOnce), WAIT).result.unwrap();
    barrier.wait_for(1);
    assert!(seen.all().is_empty());
    let ack = client.unsubscribe_wait("never", WAIT);
    assert_eq!((ack.result.is_ok(), ack.reason_code), (true, Some(17)), "no subscription existed");
}

#[test]
fn what_was_accepted_before_connect_goes_out_afterwards() {
    let sim = Sim::generic();
    let client = client(&sim.plain());
    let seen = Seen::default();
    let subscription = Subscription { filter: "early", qos: QoS::AtLeastOnce, ..Subscription::default() };
    let done = Seen::default();
    client
        .subscribe(&[subscription], Some((0, collector(&seen))), noted(&done, |ack| ack.result.is_ok()))
        .unwrap();
    client
        .publish(&message("early", b"1", QoS::AtLeastOnce), noted(&done, |ack| ack.result.is_ok()))
        .unwrap();
    client.connect(WAIT).unwrap();
    seen.wait_for(1);
    assert_eq!(done.wait_for(2), [true, true]);
}

#[test]
fn refusals_of_the_server_are_told() {
    let sim = Sim::generic();
    let client = connected(&sim.plain());
    sim.on_publishes(1, PublishFault::Refuse(151));
    let ack = client.publish_wait(&message("t", b"", QoS::AtLeastOnce), WAIT);
    assert_eq!(ack.reason_code, Some(151));
    assert_eq!(kind(ack.result), ErrorKind::Refused);
    sim.on_subscribes(1, SubscribeFault::Refuse(135));
    let hook = Arc::new(());
    let held = hook.clone();
    let subscription = [Subscription { filter: "t", ..Subscription::default() }];
    let listener = Box::new(move |_: &Message<'_>, _| drop(held.clone()));
    let ack = client.subscribe_wait(&subscription, Some((0, listener)), WAIT);
    assert_eq!(ack.reason_code, Some(135));
    assert_eq!(kind(ack.result), ErrorKind::Refused);
    client.disconnect(WAIT).unwrap();
    drop(client);
    assert_eq!(Arc::strong_count(&hook), 1, "the refused handler is dropped");
}

#[test]
fn an_illegal_publish_fails_alone() {
    let sim = Sim::aws();
    let client = connected(&sim.by_token());
    assert_eq!(
        kind(client.publish(&message("a/+", b"", QoS::AtMostOnce), Completion::None)),
        ErrorKind::InvalidTopic
    );
    assert_eq!(
        kind(client.publish(&message("", b"", QoS::AtMostOnce), Completion::None)),
        ErrorKind::InvalidTopic
    );
    let ack = client.publish_wait(&message("t", b"", QoS::ExactlyOnce), WAIT);
    assert_eq!(kind(ack.result), ErrorKind::QosNotSupported);
    let ack = client.publish_wait(&message("t", &vec![0; 149_504], QoS::AtLeastOnce), WAIT);
    assert_eq!(kind(ack.result), ErrorKind::PacketTooLarge);
    for filter in ["a/#/b", "a+", "", "$share/g"] {
        let subscription = [Subscription { filter, ..Subscription::default() }];
        assert_eq!(
            kind(client.subscribe(&subscription, None, Completion::None)),
            ErrorKind::InvalidTopicFilter
        );
        assert_eq!(kind(client.unsubscribe(filter, Completion::None)), ErrorKind::InvalidTopicFilter);
    }
    assert!(client.is_connected());
    assert_eq!((sim.stats().connections, sim.stats().protocol_errors), (1, 0));
}

fn offline(messages: u32, policy: QueuePolicy) -> (Client, Options) {
    let mut options = Options::default();
    options.set_endpoint("localhost").unwrap();
    options.set_queue(messages, 1 << 20, policy).unwrap();
    (client(&options), options)
}

#[test]
fn a_full_queue_refuses_or_drops_as_it_is_told() {
    let (full, _) = offline(2, QueuePolicy::RejectNew);
    let done = Seen::default();
    for n in 0..3u8 {
        let result = full.publish(
            &message("t", &[n], QoS::AtLeastOnce),
            noted(&done, move |ack| (n, ack.result.clone().err().map(|e| e.kind()))),
        );
        assert_eq!(result.err().map(|error| error.kind()), (n == 2).then_some(ErrorKind::QueueFull));
    }
    drop(full);
    let cancelled = Some(ErrorKind::Cancelled);
    assert_eq!(done.all(), [(0, cancelled), (1, cancelled)], "a refused one has no completion");

    let (dropping, _) = offline(2, QueuePolicy::DropOldest);
    let done = Seen::default();
    for n in 0..3u8 {
        dropping
            .publish(
                &message("t", &[n], QoS::AtLeastOnce),
                noted(&done, move |ack| (n, ack.result.clone().err().map(|e| e.kind()))),
            )
            .unwrap();
    }
    assert_eq!(done.wait_for(1), [(0, Some(ErrorKind::Dropped))]);
    drop(dropping);
    assert_eq!(done.all().len(), 3);
}

#[test]
fn what_nobody_waits_for_any_more_is_withdrawn() {
    let sim = Sim::generic();
    let mut options = sim.plain();
    options.set_queue(1, 1 << 20, QueuePolicy::RejectNew).unwrap();
    let client = client(&options);
    for _ in 0..3 {
        let ack =
            client.publish_wait(&message("t", b"", QoS::AtLeastOnce), Wait::For(Duration::from_millis(1)));
        assert_eq!(kind(ack.result), ErrorKind::Timeout);
    }
    client.connect(WAIT).unwrap();
    client.publish_wait(&message("t", b"after", QoS::AtLeastOnce), WAIT).result.unwrap();
    assert_eq!(sim.publishes().len(), 1);
}

#[test]
fn a_publish_without_an_acknowledgement_has_an_unknown_outcome() {
    let sim = Sim::generic();
    let client = connected(&sim.plain());
    sim.on_publishes(1, PublishFault::DropAcknowledgement);
    // Enough to send it in.
    let ack = client.publish_wait(&message("t", b"", QoS::AtLeastOnce), Wait::For(Duration::from_secs(2)));
    assert_eq!(kind(ack.result), ErrorKind::OutcomeUnknown);
}
