//! The driver on tokio's paused clock, with a pipe for a network and a server written out packet by packet.
//! Callbacks run on the test's own thread, so nothing happens that the test does not ask for.

mod express;
mod farewell;
mod renewal;

use super::*;
use crate::dispatch::DispatchMode;
use crate::options::Options;
use crate::packet::{Received, decode, frame};
use crate::runtime::crew::Crew;
use crate::session::limits::{Limits, Quotas};
use crate::session::subscriptions::{Request, Wanted};
use crate::{Message, QoS, QueuePolicy};
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock, mpsc};
use std::task::Context;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};

const SEC: Duration = Duration::from_secs(1);

/// The links that the next attempts get; `None`: the attempt fails.
type Links = Arc<Mutex<VecDeque<Option<DuplexStream>>>>;

/// Runs next to nothing, as callbacks run on the test's own thread.
static CREW: OnceLock<Arc<Crew>> = OnceLock::new();

struct Rig {
    shared: Arc<Shared>,
    lane: Arc<Lane>,
    links: Links,
    attempts: Arc<Mutex<Vec<tokio::time::Instant>>>,
    /// How the next attempts without a link fail, where not by a refused connection.
    refusals: Arc<Mutex<VecDeque<ErrorKind>>>,
    /// The next attempt, or the next read, meets a defect of the library.
    broken: Arc<AtomicBool>,
    /// Streams take what is written, and do not say that it is out.
    clogged: Arc<AtomicBool>,
    /// The next read finds nothing, as it would have a moment earlier.
    early: Arc<AtomicBool>,
    states: Arc<Mutex<Vec<ConnectionState>>>,
}

impl Rig {
    fn new(change: impl FnOnce(&mut Options)) -> Self {
        Self::to("mqtt://pipe", change)
    }

    /// A client that would use TLS, were there a network.
    fn to(url: &str, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        options.set_broker_url(url).unwrap();
        options.set_dispatch(DispatchMode::App).unwrap();
        change(&mut options);
        let handle = tokio::runtime::Handle::current();
        let crew = CREW.get_or_init(|| Crew::start().unwrap());
        let shared = Shared::new(options.settings().unwrap(), crew).unwrap();
        let (links, attempts) = (Links::default(), Arc::new(Mutex::new(Vec::new())));
        let broken = Arc::new(AtomicBool::new(false));
        let (clogged, early) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (pipes, tried, defect) = (links.clone(), attempts.clone(), broken.clone());
        let (clog, soon) = (clogged.clone(), early.clone());
        let refusals = Arc::new(Mutex::new(VecDeque::new()));
        let refuse = refusals.clone();
        let dial: Dial = Arc::new(move |_, _| {
            assert!(!defect.load(Ordering::Relaxed), "on purpose");
            tried.lock().unwrap().push(tokio::time::Instant::now());
            let link = pipes.lock().unwrap().pop_front().flatten().map(|stream| Link {
                stream: Box::new(Pipe {
                    stream,
                    clogged: clog.clone(),
                    early: soon.clone(),
                    broken: defect.clone(),
                }),
                peer: ([127, 0, 0, 1], 1).into(),
                tls: None,
            });
            let refusal = refuse.lock().unwrap().pop_front().unwrap_or(ErrorKind::ConnectionRefused);
            Box::pin(async move { link.ok_or_else(|| Error::new(refusal, "no pipe")) })
        });
        let lane = Arc::new(Lane::new(run(shared.clone(), dial)));
        let work = lane.clone();
        handle.spawn(std::future::poll_fn(move |cx| work.poll(cx)));
        let states = Arc::new(Mutex::new(Vec::new()));
        let seen = states.clone();
        shared
            .mailbox
            .listeners
            .add_state_listener(0, Box::new(move |state| seen.lock().unwrap().push(state)));
        Self { shared, lane, links, attempts, refusals, broken, clogged, early, states }
    }

    fn connect(&self) {
        self.shared.command(Command::Connect(Completion::None)).unwrap();
    }

    fn pipe(&self) -> Server {
        let (ours, theirs) = tokio::io::duplex(4096);
        self.links.lock().unwrap().push_back(Some(ours));
        Server { stream: theirs, input: Vec::new() }
    }

    /// A connection that is there.
    async fn connected(&self) -> Server {
        let mut server = self.pipe();
        self.connect();
        assert_eq!(server.packet().await[0], 0x10);
        server.send(&[0x20, 3, 0, 0, 0]).await;
        self.until(|rig| rig.shared.is_connected()).await;
        server
    }

    async fn until(&self, condition: impl Fn(&Self) -> bool) {
        for _ in 0..100_000 {
            if condition(self) {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("it did not come to that");
    }

    /// Publishes a message of QoS 1; what is returned has its end, once it has one.
    fn publish(&self) -> Arc<Mutex<Vec<Result<(), ErrorKind>>>> {
        let ended = Arc::new(Mutex::new(Vec::new()));
        let end = ended.clone();
        let completion = Completion::Boxed(Box::new(move |ack| {
            lock(&end).push(ack.result.clone().map_err(|error| error.kind()));
        }));
        let message = Message { topic: "t", qos: QoS::AtLeastOnce, ..Message::default() };
        let stored = crate::packet::StoredPublish::new(&message).unwrap();
        self.shared.publish(Publish::new(stored, completion)).unwrap();
        self.shared.bell.ring();
        ended
    }

    fn dispatch(&self) -> usize {
        self.shared.mailbox.dispatch(Duration::ZERO).unwrap()
    }

    fn states(&self) -> Vec<ConnectionState> {
        self.dispatch();
        self.states.lock().unwrap().clone()
    }
}

/// The client's end.
struct Pipe {
    stream: DuplexStream,
    clogged: Arc<AtomicBool>,
    early: Arc<AtomicBool>,
    broken: Arc<AtomicBool>,
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.swap(false, Ordering::Relaxed) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        assert!(!self.broken.load(Ordering::Relaxed), "on purpose");
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.clogged.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.shared.close();
    }
}

struct Server {
    stream: DuplexStream,
    input: Vec<u8>,
}

impl Server {
    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// What the client writes until it has nothing more to write.
    async fn packets(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        while let Ok(packet) = tokio::time::timeout(Duration::from_millis(1), self.packet()).await {
            if packet.is_empty() {
                break;
            }
            packets.push(packet);
        }
        packets
    }

    /// The next packet, or nothing where the client closed.
    async fn packet(&mut self) -> Vec<u8> {
        loop {
            if let Some(frame) = frame(&self.input, u32::MAX).unwrap() {
                let len = frame.len;
                return self.input.drain(..len).collect();
            }
            if self.stream.read_buf(&mut self.input).await.unwrap_or(0) == 0 {
                return Vec::new();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_come_in_rounds_with_a_cool_down_between_them() {
    let rig = Rig::new(|options| {
        options.set_reconnect(true, 3, 1000, 60_000, 2.0).unwrap();
        options.set_reconnect_cooldown_secs(300).unwrap();
    });
    rig.connect();
    let started = tokio::time::Instant::now();
    tokio::time::sleep(1000 * SEC).await;
    let attempts: Vec<Duration> = rig.attempts.lock().unwrap().iter().map(|at| *at - started).collect();
    assert!(attempts[2] <= 3 * SEC, "{attempts:?}");
    assert!(attempts[3] - attempts[2] <= 301 * SEC, "{attempts:?}");
    assert!((225 * SEC..=301 * SEC).contains(&(attempts[6] - attempts[5])), "{attempts:?}");
    assert!((12..=18).contains(&attempts.len()), "{attempts:?}");
    use ConnectionState as S;
    assert_eq!(rig.states()[..3], [S::Connecting, S::ConnectionFailed, S::Connecting]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_costs_the_connect_time_out() {
    let rig = Rig::new(|options| {
        options.set_connect_timeout_ms(7000).unwrap();
        options.set_reconnect(false, 1, 1, 1, 1.0).unwrap();
    });
    let mut server = rig.pipe();
    rig.connect();
    let started = tokio::time::Instant::now();
    server.packet().await;
    assert_eq!(server.packet().await, [0u8; 0], "it hangs up");
    assert_eq!(started.elapsed(), 7 * SEC);
    rig.until(|rig| rig.shared.state() == ConnectionState::ConnectionFailed).await;
    assert_eq!(lock(&rig.shared.last_failure).as_ref().unwrap().kind(), ErrorKind::ConnectTimeout);
}

#[tokio::test(start_paused = true)]
async fn many_messages_are_one_write() {
    let rig = Rig::new(|options| options.set_queue(10_000, 1 << 20, QueuePolicy::RejectNew).unwrap());
    for _ in 0..100 {
        let message = Message { topic: "t", payload: b"0123456789", ..Message::default() };
        let publish = Publish::new(crate::packet::StoredPublish::new(&message).unwrap(), Completion::None);
        rig.shared.publish(publish).unwrap();
        rig.shared.bell.ring();
    }
    let mut server = rig.connected().await;
    let mut buffer = vec![0; 4096];
    let count = server.stream.read(&mut buffer).await.unwrap();
    assert_eq!(count, 100 * 16);
}

/// A QoS 0 message.
fn kibibyte() -> Vec<u8> {
    let mut message = vec![0x30, 0x80, 0x08, 0, 1, b't', 0];
    message.resize(3 + 1024, 0);
    message
}

#[tokio::test(start_paused = true)]
async fn a_slow_application_pauses_reading_and_the_connection_lives() {
    let rig = Rig::new(|options| {
        options.set_keep_alive_secs(30).unwrap();
        options.set_operation_timeout_ms(60_000).unwrap();
    });
    let mut server = rig.connected().await;
    rig.dispatch();
    let (mut from_client, mut to_client) = {
        let Server { stream, .. } = &mut server;
        tokio::io::split(std::mem::replace(stream, tokio::io::duplex(1).0))
    };
    let message = kibibyte();
    let total = 4 * dispatch::HIGH_WATER / message.len();
    let written = Arc::new(Mutex::new(0));
    let progress = written.clone();
    let flood = tokio::spawn(async move {
        for _ in 0..total {
            to_client.write_all(&message).await.unwrap();
            *progress.lock().unwrap() += 1;
        }
        to_client
    });
    // Its acknowledgement lies behind what is not read.
    rig.until(|rig| rig.shared.mailbox.paused.load(Ordering::Relaxed)).await;
    let ended = rig.publish();
    let mut packet = [0; 8];
    from_client.read_exact(&mut packet).await.unwrap();
    // A quarter of an hour in which the application does nothing.
    let mut pings = 0;
    let started = tokio::time::Instant::now();
    while started.elapsed() < 900 * SEC {
        let mut packet = [0; 2];
        from_client.read_exact(&mut packet).await.unwrap();
        assert_eq!(packet, [0xC0, 0]);
        pings += 1;
    }
    assert!((29..=31).contains(&pings), "{pings}");
    let held = *written.lock().unwrap();
    assert!(held < total / 2, "{held} of {total} were read");
    assert!(rig.shared.mailbox.bytes() <= dispatch::HIGH_WATER + 128 * 1024);
    assert!(rig.shared.is_connected());
    // It wakes up.
    let mut flood = flood;
    while !flood.is_finished() {
        rig.dispatch();
        tokio::task::yield_now().await;
    }
    let mut to_client = (&mut flood).await.unwrap();
    to_client.write_all(&[0x40, 2, packet[5], packet[6]]).await.unwrap();
    rig.until(|rig| {
        rig.dispatch();
        rig.shared.mailbox.bytes() == 0 && !lock(&ended).is_empty()
    })
    .await;
    assert_eq!(*lock(&ended), [Ok(())], "the clocks of operations stood still");
    assert!(rig.shared.is_connected());
}

#[tokio::test(start_paused = true)]
async fn a_slow_application_that_catches_up_now_and_then_is_not_silent_for_longer_than_its_keep_alive() {
    let rig = Rig::new(|options| options.set_keep_alive_secs(30).unwrap());
    let (mut from_client, mut to_client) = tokio::io::split(rig.connected().await.stream);
    tokio::spawn(async move {
        let message = kibibyte();
        while to_client.write_all(&message).await.is_ok() {}
    });
    let said = Arc::new(Mutex::new(vec![tokio::time::Instant::now()]));
    let heard = said.clone();
    tokio::spawn(async move {
        let mut packet = [0; 2];
        while from_client.read_exact(&mut packet).await.is_ok() {
            assert_eq!(packet, [0xC0, 0]);
            heard.lock().unwrap().push(tokio::time::Instant::now());
        }
    });
    for _ in 0..45 {
        rig.until(|rig| rig.shared.mailbox.paused.load(Ordering::Relaxed)).await;
        tokio::time::sleep(20 * SEC).await;
        while rig.dispatch() > 0 {}
    }
    let said = said.lock().unwrap();
    assert!((29..=31).contains(&said.len()), "{}", said.len());
    assert!(said.windows(2).all(|pair| pair[1] - pair[0] <= 31 * SEC), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_has_come_when_it_would_be_missed_is_heard() {
    let rig = Rig::new(|options| options.set_keep_alive_secs(10).unwrap());
    let mut server = rig.connected().await;
    assert_eq!(server.packet().await, [0xC0, 0]);
    // Time passes while the driver does not run: its next read is as old as its last one.
    rig.early.store(true, Ordering::Relaxed);
    server.send(&[0xD0, 0]).await;
    rig.shared.bell.ring();
    tokio::time::advance(11 * SEC).await;
    rig.until(|rig| !rig.early.load(Ordering::Relaxed)).await;
    assert_eq!(server.packet().await, [0xC0, 0], "the connection goes on");
    assert!(rig.shared.is_connected());
    // And what does not come is missed.
    assert_eq!(server.packet().await, [0u8; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_read_for_a_callback_that_waits_takes_no_more_memory() {
    let rig = Rig::new(|options| options.set_keep_alive_secs(0).unwrap());
    let mut server = rig.connected().await;
    rig.dispatch();
    let ((enter, entered), (release, hold)) = (mpsc::channel(), mpsc::channel::<()>());
    let (hold, inside) = (Mutex::new(hold), Arc::downgrade(&rig.shared));
    let listener = move |_: &Message<'_>, _| {
        let Some(shared) = inside.upgrade() else { return };
        let _waiting = shared.mailbox.wait_guard();
        let _ = enter.send(());
        let _ = lock(&hold).recv();
    };
    rig.shared.mailbox.listeners.add_message_listener(0, Box::new(listener));
    let message = kibibyte();
    server.send(&message).await;
    rig.until(|rig| rig.shared.mailbox.bytes() > 0).await;
    let mailbox = rig.shared.mailbox.clone();
    let dispatching = std::thread::spawn(move || mailbox.dispatch(Duration::ZERO));
    entered.recv_timeout(20 * SEC).unwrap();
    let flood = async {
        for _ in 0..4 * dispatch::HIGH_WATER / message.len() {
            server.send(&message).await;
        }
    };
    tokio::time::timeout(SEC, flood).await.expect("all of it is read");
    assert!(rig.shared.mailbox.bytes() <= dispatch::HIGH_WATER + 128 * 1024);
    drop(release);
    dispatching.join().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_violation_is_told_to_the_server_before_the_connection_ends() {
    let rig = Rig::new(|options| options.set_reconnect(false, 1, 1, 1, 1.0).unwrap());
    let mut server = rig.connected().await;
    server.send(&[0x36, 5, 0, 1, b't', 0, 1]).await;
    assert_eq!(server.packet().await, [0xE0, 1, 0x81]);
    assert_eq!(server.packet().await, [0u8; 0]);
    rig.until(|rig| rig.shared.state() == ConnectionState::Disconnected).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_an_unanswered_connect_may_have_begun_is_subscribed_to_again() {
    let rig = Rig::new(|options| options.set_reconnect(true, 0, 1, 1, 1.0).unwrap());
    let mut server = rig.connected().await;
    let wanted = Wanted {
        filter: "a".into(),
        qos: QoS::AtLeastOnce,
        no_local: false,
        retain_as_published: false,
        retain_handling: crate::packet::RetainHandling::Send,
        handler: 0,
    };
    let request =
        Request::Subscribe { filters: vec![wanted], completion: Completion::None, restoring: false };
    rig.shared.command(Command::Request(request)).unwrap();
    let subscribed = async |server: &mut Server| {
        let subscribe = server.packet().await;
        assert_eq!(subscribe[0], 0x82);
        server.send(&[0x90, 4, subscribe[2], subscribe[3], 0, 1]).await;
    };
    subscribed(&mut server).await;
    // This one has lost the session, begins another one, and its CONNACK is lost.
    let (mut silent, mut again) = (rig.pipe(), rig.pipe());
    drop(server);
    assert_eq!(silent.packet().await[0], 0x10);
    drop(silent);
    assert_eq!(again.packet().await[0], 0x10);
    again.send(&[0x20, 3, 1, 0, 0]).await;
    subscribed(&mut again).await;
    // It was answered: there is no doubt about the next one.
    let mut third = rig.pipe();
    drop(again);
    assert_eq!(third.packet().await[0], 0x10);
    third.send(&[0x20, 3, 1, 0, 0]).await;
    rig.publish();
    assert_eq!(third.packet().await[0], 0x32);
}

#[tokio::test(start_paused = true)]
async fn a_connect_of_our_own_that_is_read_late_is_no_other_client() {
    let rig = Rig::new(|options| options.set_reconnect(true, 0, 1, 1, 1.0).unwrap());
    rig.connect();
    // More often than two clients with one identifier would be let do so.
    for _ in 0..5 {
        let (mut slow, mut next) = (rig.pipe(), rig.pipe());
        assert_eq!(slow.packet().await[0], 0x10);
        assert_eq!(slow.packet().await, [0u8; 0], "given up");
        assert_eq!(next.packet().await[0], 0x10);
        next.send(&[0x20, 3, 1, 0, 0]).await;
        rig.until(|rig| rig.shared.is_connected()).await;
        next.send(&[0xE0, 1, 142]).await;
        rig.until(|rig| !rig.shared.is_connected()).await;
    }
    // With a connection that no CONNECT of our own can have ended it is another matter.
    for turn in 0..3 {
        let mut server = rig.pipe();
        assert_eq!(server.packet().await[0], 0x10);
        server.send(&[0x20, 3, 1, 0, 0]).await;
        rig.until(|rig| rig.shared.is_connected()).await;
        server.send(&[0xE0, 1, 142]).await;
        rig.until(|rig| !rig.shared.is_connected()).await;
        let stopped = rig.shared.state() == ConnectionState::ConnectionFailed;
        assert_eq!(stopped, turn == 2, "{turn}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_defect_ends_the_client_s_work_and_every_operation_with_an_error() {
    let rig = Rig::new(|_| ());
    let mut server = rig.connected().await;
    let mut ends = vec![rig.publish()];
    server.packet().await;
    rig.broken.store(true, Ordering::Relaxed);
    drop(server);
    ends.push(rig.publish());
    tokio::time::sleep(5 * SEC).await;
    assert_eq!(rig.shared.state(), ConnectionState::ConnectionFailed);
    assert_eq!(lock(&rig.shared.last_failure).as_ref().unwrap().kind(), ErrorKind::Internal);
    ends.push(rig.publish());
    tokio::time::sleep(5 * SEC).await;
    rig.dispatch();
    assert!(ends.iter().all(|ended| *lock(ended) == [Err(ErrorKind::Internal)]));
    rig.shared.close();
    tokio::time::sleep(5 * SEC).await;
    rig.shared.mailbox.finish();
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_the_old_network_fails_is_followed_at_once_by_one_over_the_new_one() {
    let rig = Rig::new(|options| {
        options.set_reconnect(true, 1, 1, 1, 1.0).unwrap();
        options.set_reconnect_cooldown_secs(300).unwrap();
    });
    let mut server = rig.pipe();
    rig.connect();
    assert_eq!(server.packet().await[0], 0x10);
    rig.shared.network_changed.store(true, Ordering::Release);
    rig.shared.bell.ring();
    rig.until(|rig| !rig.shared.network_changed.load(Ordering::Acquire)).await;
    drop(server);
    rig.until(|rig| rig.attempts.lock().unwrap().len() == 2).await;
    // Told once, it is heard once.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.attempts.lock().unwrap().len(), 2);
}
