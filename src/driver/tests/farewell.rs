//! The end that the application wants.

use super::*;

/// Publishes `count` QoS 0 messages, has the connection end by `end`, and says which numbers the server got in all.
async fn at_most_once(count: u8, end: impl AsyncFnOnce(&Rig, Server) -> Vec<Vec<u8>>) -> Vec<u8> {
    let rig = Rig::new(|options| {
        options.set_reconnect(true, 0, 1, 1, 1.0).unwrap();
        options.set_reconnect_cooldown_secs(1).unwrap();
    });
    let server = rig.connected().await;
    for n in 0..count {
        let message = Message { topic: "t", payload: &[n; 100], ..Message::default() };
        let publish = Publish::new(crate::packet::StoredPublish::new(&message).unwrap(), Completion::None);
        rig.shared.publish(publish).unwrap();
        rig.shared.bell.ring();
    }
    let mut later = rig.pipe();
    let mut packets = end(&rig, server).await;
    assert_eq!(later.packet().await[0], 0x10);
    later.send(&[0x20, 3, 1, 0, 0]).await;
    let message = Message { topic: "t", qos: QoS::AtLeastOnce, ..Message::default() };
    rig.shared
        .publish(Publish::new(crate::packet::StoredPublish::new(&message).unwrap(), Completion::None))
        .unwrap();
    while packets.last().is_none_or(|packet| packet[0] != 0x32) {
        packets.push(later.packet().await);
    }
    packets.iter().filter(|packet| packet[0] == 0x30).map(|packet| packet[packet.len() - 1]).collect()
}

#[tokio::test(start_paused = true)]
async fn what_went_out_before_a_farewell_is_not_sent_again() {
    let got = at_most_once(100, async |_, mut server| {
        let mut packets = vec![server.packet().await];
        // The pipe is full, and more is encoded.
        server.send(&[0, 0]).await;
        while packets.last().is_none_or(|packet: &Vec<u8>| !packet.is_empty()) {
            packets.push(server.packet().await);
        }
        packets.pop();
        assert_eq!(packets.last().unwrap()[..2], [0xE0, 1], "the server is told");
        packets
    })
    .await;
    assert_eq!(got, (0..100).collect::<Vec<u8>>());
}

#[tokio::test(start_paused = true)]
async fn what_the_stream_took_is_not_sent_again_though_it_never_said_that_it_is_out() {
    let got = at_most_once(3, async |rig, mut server| {
        rig.clogged.store(true, Ordering::Relaxed);
        let mut packets = Vec::new();
        for _ in 0..3 {
            packets.push(server.packet().await);
        }
        drop(server);
        rig.until(|rig| !rig.shared.is_connected()).await;
        rig.clogged.store(false, Ordering::Relaxed);
        packets
    })
    .await;
    assert_eq!(got, [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_farewell_waits_for_acknowledgements_and_no_longer_than_it_may() {
    let rig = Rig::new(|_| ());
    for acknowledged in [true, false] {
        let mut server = rig.connected().await;
        let ended = rig.publish();
        let id = server.packet().await[6];
        let until = tokio::time::Instant::now().into_std() + 5 * SEC;
        rig.shared.command(Command::Disconnect { until, completion: Completion::None }).unwrap();
        let started = tokio::time::Instant::now();
        if acknowledged {
            server.send(&[0x40, 2, 0, id]).await;
        }
        assert_eq!(server.packet().await, [0xE0, 7, 0, 5, 0x11, 0, 0, 0, 0], "the session ends with it");
        assert_eq!(server.packet().await, [0u8; 0]);
        assert_eq!(started.elapsed(), if acknowledged { Duration::ZERO } else { 5 * SEC });
        rig.until(|rig| rig.shared.state() == ConnectionState::Disconnected).await;
        rig.dispatch();
        let expected = if acknowledged { Ok(()) } else { Err(ErrorKind::OutcomeUnknown) };
        assert_eq!(*lock(&ended), [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_handled_just_before_a_farewell_is_acknowledged() {
    let rig = Rig::new(|options| options.set_dispatch(DispatchMode::Thread).unwrap());
    let mut driver = Driver::new(rig.shared.clone(), Arc::new(|_, _| unreachable!()));
    let now = driver.clock.now();
    let connack = frame(&[0x20, 3, 0, 0, 0], u32::MAX).unwrap().unwrap();
    let Ok(Received::ConnAck(connack)) = decode(&connack) else { unreachable!() };
    let limits = Limits::granted(&connack, 0, Quotas::NONE);
    driver.session.connected(limits, false, now, &mut driver.actions);
    let until = tokio::time::Instant::now().into_std() + SEC;
    driver.farewell = Some(Box::new(Farewell { until, completion: Completion::None, heard: None }));
    driver.session.receive(&[0x32, 6, 0, 1, b't', 0, 9, 0], now, &mut driver.actions);
    driver.absorb();
    driver.settle();
    // Its callbacks return at this moment.
    while rig.shared.mailbox.bytes() > 0 {
        std::thread::yield_now();
    }
    assert!(driver.must_leave());
    assert_eq!(driver.actions.out, [0x40, 2, 0, 9]);
}

#[tokio::test(start_paused = true)]
async fn a_farewell_without_a_connection_uses_its_time_to_get_one() {
    let rig = Rig::new(|options| options.set_reconnect(true, 0, 2000, 2000, 1.0).unwrap());
    let server = rig.connected().await;
    drop(server);
    rig.until(|rig| !rig.shared.is_connected()).await;
    let ended = rig.publish();
    let leave = |secs| {
        let left = Arc::new(Mutex::new(None));
        let (told, until) = (left.clone(), tokio::time::Instant::now().into_std() + secs * SEC);
        let completion = Completion::Boxed(Box::new(move |ack: &Ack| {
            *lock(&told) = Some(ack.result.clone().map_err(|error| error.kind()));
        }));
        rig.shared.command(Command::Disconnect { until, completion }).unwrap();
        left
    };
    let left = leave(60);
    let mut server = rig.pipe();
    assert_eq!(server.packet().await[0], 0x10);
    server.send(&[0x20, 3, 0, 0, 0]).await;
    let publish = server.packet().await;
    assert_eq!(publish[0], 0x32);
    assert_eq!(*lock(&left), None, "it waits for the acknowledgement");
    server.send(&[0x40, 2, publish[5], publish[6]]).await;
    assert_eq!(server.packet().await[0], 0xE0);
    rig.until(|rig| rig.shared.state() == ConnectionState::Disconnected).await;
    rig.dispatch();
    assert_eq!((&*lock(&ended), &*lock(&left)), (&vec![Ok(())], &Some(Ok(()))));
    // Where there is none, the time is all it takes; without anything to send, none.
    for (messages, secs) in [(1, 7), (0, 0)] {
        rig.connect();
        rig.until(|rig| {
            rig.shared.state() == ConnectionState::Reconnecting || rig.attempts.lock().unwrap().len() > 2
        })
        .await;
        let ended = (messages > 0).then(|| rig.publish());
        let started = tokio::time::Instant::now();
        let left = leave(7);
        while lock(&left).is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            rig.dispatch();
        }
        assert_eq!(started.elapsed().as_secs(), secs);
        assert_eq!(rig.shared.state(), ConnectionState::Disconnected);
        let end = ended.map(|ended| lock(&ended).clone());
        assert_eq!(end, (messages > 0).then(|| vec![Err(ErrorKind::Cancelled)]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_farewell_with_less_time_hurries_the_first() {
    let rig = Rig::new(|_| ());
    let mut server = rig.connected().await;
    let ended = rig.publish();
    server.packet().await;
    let told = Arc::new(Mutex::new(0));
    let started = tokio::time::Instant::now();
    for secs in [60, 2] {
        let (until, count) = (started.into_std() + secs * SEC, told.clone());
        let completion = Completion::Boxed(Box::new(move |_: &Ack| *lock(&count) += 1));
        rig.shared.command(Command::Disconnect { until, completion }).unwrap();
        rig.until(|rig| !rig.shared.bell.is_rung()).await;
    }
    assert_eq!(server.packet().await[0], 0xE0);
    assert_eq!(started.elapsed().as_secs(), 2);
    rig.until(|_| *lock(&told) == 2).await;
    rig.dispatch();
    assert_eq!(*lock(&ended), [Err(ErrorKind::OutcomeUnknown)]);
}

#[tokio::test(start_paused = true)]
async fn what_comes_while_a_farewell_waits_for_acknowledgements_is_heard_too() {
    let rig = Rig::new(|options| options.set_dispatch(DispatchMode::Thread).unwrap());
    let ((enter, entered), (release, hold)) = (mpsc::channel(), mpsc::channel::<()>());
    let hold = Mutex::new(hold);
    let listener = move |_: &Message<'_>, _| {
        let _ = enter.send(());
        let _ = lock(&hold).recv();
    };
    rig.shared.mailbox.listeners.add_message_listener(0, Box::new(listener));
    let mut server = rig.connected().await;
    rig.publish();
    let id = server.packet().await[6];
    let until = tokio::time::Instant::now().into_std() + 20 * SEC;
    rig.shared.command(Command::Disconnect { until, completion: Completion::None }).unwrap();
    rig.until(|rig| !rig.shared.bell.is_rung()).await;
    server.send(&[0x32, 6, 0, 1, b't', 0, 9, 0]).await;
    rig.until(|rig| rig.shared.mailbox.bytes() > 0).await;
    entered.recv_timeout(20 * SEC).unwrap();
    server.send(&[0x40, 2, 0, id]).await;
    rig.until(|rig| lock(&rig.shared.inbox).queue.usage().0 == 0).await;
    drop(release);
    while rig.shared.mailbox.bytes() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(server.packet().await, [0x40, 2, 0, 9]);
    assert_eq!(server.packet().await[0], 0xE0);
}
