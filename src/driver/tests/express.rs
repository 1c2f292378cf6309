//! Messages that the thread which publishes writes by itself.

use super::*;

/// What has arrived, without the driver's task having run.
fn arrived(server: &mut Server) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let mut read = ReadBuf::new(&mut buffer);
    let _ =
        Pin::new(&mut server.stream).poll_read(&mut Context::from_waker(std::task::Waker::noop()), &mut read);
    read.filled().to_vec()
}

impl Rig {
    /// Accepts a QoS 1 message, and has the calling thread write it.
    fn express(&self) {
        let message = Message { topic: "t", payload: b"x", qos: QoS::AtLeastOnce, ..Message::default() };
        let stored = crate::packet::StoredPublish::new(&message).unwrap();
        self.shared.publish(Publish::new(stored, Completion::None)).unwrap();
        // Not among those that follow each other fast.
        std::thread::sleep(Duration::from_millis(1));
        self.lane.queued(&self.shared, 1);
    }
}

fn publish(id: u8) -> Vec<u8> {
    vec![0x32, 7, 0, 1, b't', 0, id, 0, b'x']
}

#[tokio::test(start_paused = true)]
async fn a_message_is_written_by_the_thread_that_publishes_it() {
    let rig = Rig::new(|_| {});
    let mut server = rig.connected().await;
    assert_eq!(arrived(&mut server), [0u8; 0]);
    for id in 1..=3 {
        rig.express();
        assert_eq!(arrived(&mut server), publish(id), "before the driver's task has run");
        assert!(!rig.shared.bell.is_rung(), "which has nothing to do");
    }
    assert_eq!(rig.shared.stats().queued_messages, 3, "they wait for their acknowledgements");
    server.send(&[0x40, 2, 0, 1, 0x40, 2, 0, 2, 0x40, 2, 0, 3]).await;
    rig.until(|rig| rig.shared.stats().queued_messages == 0).await;
    assert_eq!(rig.shared.stats().messages_sent, 3);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_legal_here_ends_at_once() {
    let rig = Rig::new(|_| {});
    let mut server = rig.pipe();
    rig.connect();
    server.packet().await;
    // Maximum QoS 0.
    server.send(&[0x20, 5, 0, 0, 2, 36, 0]).await;
    rig.until(|rig| rig.shared.is_connected()).await;
    rig.express();
    assert_eq!(arrived(&mut server), [0u8; 0]);
    assert_eq!(rig.shared.stats().messages_failed, 1);
    assert_eq!(rig.shared.stats().queued_messages, 0);
}

#[tokio::test(start_paused = true)]
async fn it_is_not_where_the_connection_has_more_to_say() {
    let rig = Rig::new(|_| {});
    rig.express();
    assert!(rig.shared.bell.is_rung(), "without a connection");
    let mut server = rig.connected().await;
    assert_eq!(server.packets().await, [publish(1)]);
    // What the stream did not take stays with the driver's task.
    rig.clogged.store(true, Ordering::Relaxed);
    rig.express();
    rig.express();
    rig.clogged.store(false, Ordering::Relaxed);
    rig.shared.bell.ring();
    assert_eq!(server.packets().await, [publish(2), publish(3)], "each once, in order");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_is_for_the_drivers_task_to_tell() {
    let rig = Rig::new(|options| options.set_reconnect(false, 1, 1, 1, 1.0).unwrap());
    let server = rig.connected().await;
    drop(server);
    rig.express();
    assert!(rig.shared.is_connected(), "nothing is told on the application's thread");
    rig.until(|rig| !rig.shared.is_connected()).await;
    assert!(lock(&rig.shared.last_failure).is_some());
    assert_eq!(rig.shared.stats().queued_messages, 1, "it waits for the next connection");
}

#[tokio::test(start_paused = true)]
async fn its_acknowledgement_has_the_same_time_as_any() {
    let rig = Rig::new(|options| {
        options.set_operation_timeout_ms(5000).unwrap();
        options.set_keep_alive_secs(0).unwrap();
    });
    let mut server = rig.connected().await;
    rig.express();
    let started = tokio::time::Instant::now();
    assert_eq!(server.packet().await, publish(1));
    server.packet().await;
    assert_eq!(started.elapsed(), 5 * SEC, "a connection on which it does not come is given up");
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_has_its_hands_full_is_not_told_of_more() {
    let rig = Rig::new(|options| options.set_queue(10_000, 1 << 24, QueuePolicy::RejectNew).unwrap());
    let mut server = rig.connected().await;
    let payload = vec![7; 64 * 1024];
    for _ in 0..4 {
        let message = Message { topic: "t", payload: &payload, ..Message::default() };
        let stored = crate::packet::StoredPublish::new(&message).unwrap();
        rig.shared.publish(Publish::new(stored, Completion::None)).unwrap();
    }
    rig.shared.bell.ring();
    rig.until(|rig| rig.shared.express.full.load(Ordering::SeqCst)).await;
    rig.express();
    assert!(!rig.shared.bell.is_rung());
    let mut count = 0;
    while count < 5 {
        count += usize::from(!server.packet().await.is_empty());
    }
    rig.until(|rig| !rig.shared.express.full.load(Ordering::SeqCst)).await;
}

#[tokio::test(start_paused = true)]
async fn a_defect_in_the_midst_of_a_connection_ends_what_comes_later_too() {
    let rig = Rig::new(|_| {});
    let mut server = rig.connected().await;
    rig.broken.store(true, Ordering::Relaxed);
    server.send(&[0xD0, 0]).await;
    rig.until(|rig| rig.shared.state() == ConnectionState::ConnectionFailed).await;
    rig.express();
    rig.until(|rig| rig.shared.stats().messages_failed == 1).await;
}
