//! Rotation, packet by packet, and its times on the paused clock.

use super::*;
use crate::link::Identity;
use crate::options::TokenRequest;
use crate::{Event, EventKind, Secret, TokenInput, TokenProvider};

const MS: Duration = Duration::from_millis(1);
const CONNACK_PRESENT: [u8; 5] = [0x20, 3, 1, 0, 0];
const CONNACK_NEW: [u8; 5] = [0x20, 3, 0, 0, 0];
const PINGREQ: [u8; 2] = [0xC0, 0];
const PINGRESP: [u8; 2] = [0xD0, 0];
const TAKEN_OVER: [u8; 3] = [0xE0, 1, 142];

fn token(text: &str, expires_in_secs: u32) -> TokenInput<'_> {
    TokenInput { access_token: Some(text), expires_in_secs, ..TokenInput::default() }
}

fn rig(change: impl FnOnce(&mut Options)) -> Rig {
    Rig::to("mqtts://pipe", |options| {
        options.set_client_id("me").unwrap();
        options.set_keep_alive_secs(0).unwrap();
        options.set_reconnect(true, 0, 1, 1, 1.0).unwrap();
        options.set_authorizer("gecko", Some("token"), None).unwrap();
        change(options);
    })
}

/// With a token of its own, and no provider.
fn rig_with_token() -> Rig {
    rig(|options| options.set_token(&token("first", 0)).unwrap())
}

type Requests = Arc<Mutex<Vec<TokenRequest>>>;

fn provider(requests: &Requests) -> TokenProvider {
    let requests = requests.clone();
    Arc::new(move |request| requests.lock().unwrap().push(request))
}

impl Rig {
    fn set_token(&self, text: &str) {
        self.shared.command(Command::SetToken(Box::new(token(text, 0).parse().unwrap()))).unwrap();
    }

    /// Publishes it, and nobody wants to know.
    fn send(&self, payload: u8, qos: QoS) {
        let message = Message { topic: "t", payload: &[payload], qos, ..Message::default() };
        let stored = crate::packet::StoredPublish::new(&message).unwrap();
        self.shared.publish(Publish::new(stored, Completion::None)).unwrap();
        self.shared.bell.ring();
    }

    fn events(&self) -> Arc<Mutex<Vec<Event>>> {
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = events.clone();
        let listener = Box::new(move |event: &Event| seen.lock().unwrap().push(event.clone()));
        self.shared.mailbox.listeners.add_event_listener(0, listener);
        events
    }

    /// Until the driver, and a provider that it called, have nothing more to do at this moment.
    async fn at_rest(&self) {
        for _ in 0..2 {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            while lock(&self.shared.provider)
                .as_ref()
                .is_some_and(|provider| provider.busy.load(Ordering::Acquire))
            {
                std::thread::yield_now();
            }
        }
    }

    fn received(&self) -> Arc<Mutex<Vec<u8>>> {
        let payloads = Arc::new(Mutex::new(Vec::new()));
        let seen = payloads.clone();
        let listener =
            Box::new(move |message: &Message<'_>, _| seen.lock().unwrap().push(message.payload[0]));
        self.shared.mailbox.listeners.add_message_listener(0, listener);
        payloads
    }

    /// A rotation as far as its CONNECT, which is on the second link.
    async fn rotating(&self, first: &mut Server) -> Server {
        let mut second = self.pipe();
        self.set_token("second");
        assert_eq!(first.packet().await, PINGREQ);
        first.send(&PINGRESP).await;
        let connect = second.packet().await;
        assert_eq!((connect[0], connect[9] & 2), (0x10, 0), "a CONNECT without clean start");
        assert!(connect.windows(12).any(|window| window == b"token=second"));
        second
    }
}

fn publish(first: u8, id: Option<u8>, payload: u8) -> Vec<u8> {
    let mut packet = vec![first, 0, 0, 1, b't'];
    packet.extend(id.into_iter().flat_map(|id| [0, id]));
    packet.extend([0, payload]);
    packet[1] = packet.len() as u8 - 2;
    packet
}

#[tokio::test(start_paused = true)]
async fn qos_0_settles_qos_1_goes_on_and_everything_waits_for_one_round_trip_only() {
    let rig = rig_with_token();
    let (events, mut first) = (rig.events(), rig.connected().await);
    let mut second = rig.pipe();
    rig.send(1, QoS::AtMostOnce);
    rig.set_token("second");
    assert_eq!(first.packets().await, [publish(0x30, None, 1), PINGREQ.to_vec()]);
    // Until what is under way has arrived, QoS 1 goes on and QoS 0 waits.
    rig.send(2, QoS::AtMostOnce);
    rig.send(3, QoS::AtLeastOnce);
    assert_eq!(first.packets().await, [publish(0x32, Some(1), 3)]);
    assert_eq!(second.packets().await, Vec::<Vec<u8>>::new());
    first.send(&PINGRESP).await;
    assert_eq!(second.packets().await[0][0], 0x10);
    // From the CONNECT on, everything waits; what comes is acknowledged still.
    rig.send(4, QoS::AtLeastOnce);
    first.send(&publish(0x32, Some(9), 7)).await;
    rig.until(|rig| rig.shared.mailbox.bytes() > 0).await;
    rig.dispatch();
    assert_eq!(first.packets().await, [[0x40, 2, 0, 9]]);
    first.send(&TAKEN_OVER).await;
    drop(first);
    tokio::time::sleep(50 * MS).await;
    second.send(&CONNACK_PRESENT).await;
    let expected = [publish(0x3A, Some(1), 3), publish(0x30, None, 2), publish(0x32, Some(2), 4)];
    assert_eq!(second.packets().await, expected);
    use ConnectionState as S;
    assert_eq!(rig.states(), [S::Connecting, S::Connected]);
    let kinds: Vec<EventKind> = events.lock().unwrap().iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Attempting, EventKind::Connected, EventKind::TokenRefreshed]);
    assert_eq!(rig.attempts.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn after_the_takeover_the_old_link_brings_only_what_would_not_come_again() {
    for (connack, expected) in [(CONNACK_PRESENT, vec![1]), (CONNACK_NEW, vec![1, 2])] {
        let rig = rig_with_token();
        let (received, mut first) = (rig.received(), rig.connected().await);
        rig.send(9, QoS::AtLeastOnce);
        let id = first.packet().await[6];
        let mut second = rig.rotating(&mut first).await;
        second.send(&connack).await;
        let again = second.packet().await;
        assert_eq!((again[0] & 0xF6, again[6]), (0x32, id));
        // An acknowledgement that was on its way, QoS 0, and QoS 1 that is not acknowledged there any more.
        first.send(&[0x40, 2, 0, id]).await;
        first.send(&publish(0x30, None, 1)).await;
        first.send(&publish(0x32, Some(5), 2)).await;
        first.send(&TAKEN_OVER).await;
        assert_eq!(first.packets().await, Vec::<Vec<u8>>::new());
        rig.dispatch();
        assert_eq!(*received.lock().unwrap(), expected);
        // Only the second link's acknowledgement ends the publish.
        assert_eq!(lock(&rig.shared.inbox).queue.usage().0, 1);
        second.send(&[0x40, 2, 0, id]).await;
        rig.until(|rig| lock(&rig.shared.inbox).queue.usage().0 == 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_link_that_ends_in_the_moment_of_the_takeover_is_no_loss() {
    let rig = rig_with_token();
    let mut first = rig.connected().await;
    let mut second = rig.rotating(&mut first).await;
    // The driver sees both at once.
    second.send(&CONNACK_PRESENT).await;
    drop(first);
    rig.send(1, QoS::AtMostOnce);
    assert_eq!(second.packet().await, publish(0x30, None, 1));
    assert!(rig.shared.is_connected());
    assert_eq!(rig.attempts.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_an_old_link_brings_behind_a_breach_of_the_protocol_is_not_believed() {
    let rig = rig_with_token();
    let (received, mut first) = (rig.received(), rig.connected().await);
    let mut second = rig.rotating(&mut first).await;
    second.send(&CONNACK_PRESENT).await;
    first.send(&publish(0x30, None, 1)).await;
    first.send(&[0x30, 5, 0, 2, 0xC3, 0x28, 0]).await;
    assert_eq!(first.packet().await, [0u8; 0], "it is closed");
    rig.dispatch();
    assert_eq!(*received.lock().unwrap(), [1]);
    assert!(rig.shared.is_connected());
}

#[tokio::test(start_paused = true)]
async fn an_old_link_that_stays_open_is_closed_with_a_farewell() {
    let rig = rig_with_token();
    let mut first = rig.connected().await;
    let mut second = rig.rotating(&mut first).await;
    second.send(&CONNACK_PRESENT).await;
    let started = tokio::time::Instant::now();
    assert_eq!(first.packet().await, [0xE0, 0]);
    assert_eq!(first.packet().await, [0u8; 0]);
    assert_eq!(started.elapsed().as_secs(), 5);
    assert!(rig.shared.is_connected());
}

#[tokio::test(start_paused = true)]
async fn a_link_that_cannot_be_opened_leaves_the_old_one_untouched() {
    let rig = rig_with_token();
    let (events, mut first) = (rig.events(), rig.connected().await);
    rig.set_token("second");
    rig.until(|rig| rig.shared.state() == ConnectionState::CredentialRefreshFailed).await;
    rig.send(1, QoS::AtMostOnce);
    assert_eq!(first.packets().await, [publish(0x30, None, 1)]);
    // The same token is tried again by itself.
    let mut second = rig.pipe();
    let started = tokio::time::Instant::now();
    assert_eq!(first.packet().await, PINGREQ);
    assert_eq!(started.elapsed().as_secs(), 29, "30 s after the failure");
    first.send(&PINGRESP).await;
    second.packet().await;
    second.send(&CONNACK_PRESENT).await;
    rig.until(|rig| rig.shared.state() == ConnectionState::Connected).await;
    rig.dispatch();
    let kinds: Vec<EventKind> = events.lock().unwrap().iter().skip(2).map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::TokenRefreshFailed, EventKind::TokenRefreshed]);
    assert_eq!(events.lock().unwrap()[2].delay, Some(30 * SEC));
}

#[tokio::test(start_paused = true)]
async fn a_refused_connect_lets_the_old_link_go_on() {
    let rig = rig_with_token();
    let mut first = rig.connected().await;
    let mut second = rig.rotating(&mut first).await;
    rig.send(1, QoS::AtMostOnce);
    rig.send(2, QoS::AtLeastOnce);
    assert_eq!(first.packets().await, Vec::<Vec<u8>>::new());
    second.send(&[0x20, 3, 0, 135, 0]).await;
    assert_eq!(first.packets().await, [publish(0x30, None, 1), publish(0x32, Some(1), 2)]);
    assert_eq!(rig.shared.state(), ConnectionState::CredentialRefreshFailed);
    assert!(rig.shared.is_connected());
    first.send(&[0x40, 2, 0, 1]).await;
    // The refused token is not shown again.
    tokio::time::sleep(1000 * SEC).await;
    assert_eq!(rig.attempts.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_connect_that_is_not_answered_after_the_takeover_ends_in_an_ordinary_reconnection() {
    let rig = rig_with_token();
    let (events, mut first) = (rig.events(), rig.connected().await);
    rig.send(1, QoS::AtLeastOnce);
    first.packet().await;
    let second = rig.rotating(&mut first).await;
    first.send(&TAKEN_OVER).await;
    drop(first);
    tokio::time::sleep(SEC).await;
    assert!(rig.shared.is_connected(), "nobody knows yet");
    drop(second);
    let mut third = rig.pipe();
    let connect = third.packet().await;
    assert!(connect.windows(12).any(|window| window == b"token=second"), "the fresh token is not lost");
    third.send(&CONNACK_PRESENT).await;
    assert_eq!(third.packet().await, publish(0x3A, Some(1), 1));
    rig.dispatch();
    let events = events.lock().unwrap();
    let end = events.iter().find(|event| event.kind == EventKind::Disconnected).unwrap();
    assert_eq!(end.error.as_ref().unwrap().kind(), ErrorKind::ClosedBeforeConnack);
}

#[tokio::test(start_paused = true)]
async fn a_takeover_by_a_connect_of_our_own_that_failed_is_not_another_client_s() {
    let rig = rig_with_token();
    let (events, mut first) = (rig.events(), rig.connected().await);
    let second = rig.rotating(&mut first).await;
    drop(second);
    rig.until(|rig| rig.shared.state() == ConnectionState::CredentialRefreshFailed).await;
    first.send(&TAKEN_OVER).await;
    drop(first);
    let mut third = rig.pipe();
    third.packet().await;
    rig.dispatch();
    let events = events.lock().unwrap();
    let end = events.iter().find(|event| event.kind == EventKind::Disconnected).unwrap();
    assert_eq!(end.error.as_ref().unwrap().kind(), ErrorKind::ConnectionLost);
}

#[tokio::test(start_paused = true)]
async fn an_old_link_that_breaks_before_the_connect_is_reconnected_with_the_fresh_token() {
    let rig = rig_with_token();
    let mut first = rig.connected().await;
    let second = rig.pipe();
    rig.set_token("second");
    assert_eq!(first.packet().await, PINGREQ);
    let mut third = rig.pipe();
    drop(first);
    assert!(third.packet().await.windows(12).any(|window| window == b"token=second"));
    drop(second);
}

#[tokio::test(start_paused = true)]
async fn leaving_during_a_rotation_is_an_ordinary_farewell() {
    let rig = rig_with_token();
    for greeting in [false, true] {
        let mut first = rig.connected().await;
        let mut second = rig.pipe();
        rig.set_token("another");
        assert_eq!(first.packet().await, PINGREQ);
        if greeting {
            first.send(&PINGRESP).await;
            second.packet().await;
        }
        rig.send(1, QoS::AtMostOnce);
        let until = tokio::time::Instant::now().into_std() + 5 * SEC;
        rig.shared.command(Command::Disconnect { until, completion: Completion::None }).unwrap();
        let carrier = if greeting {
            second.send(&CONNACK_PRESENT).await;
            &mut second
        } else {
            &mut first
        };
        assert_eq!(carrier.packet().await, publish(0x30, None, 1), "greeting: {greeting}");
        assert_eq!(carrier.packet().await[0], 0xE0);
        rig.until(|rig| rig.shared.state() == ConnectionState::Disconnected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_provider_is_asked_in_time_and_again_when_it_fails() {
    let requests = Requests::default();
    let rig = rig(|options| {
        options.set_token(&token("first", 3600)).unwrap();
        options.set_token_provider(provider(&requests)).unwrap();
    });
    let events = rig.events();
    let _server = rig.connected().await;
    let started = tokio::time::Instant::now();
    let mut asked = Vec::new();
    while started.elapsed() < 3600 * SEC {
        tokio::time::advance(SEC).await;
        rig.at_rest().await;
        if let Some(request) = requests.lock().unwrap().pop() {
            asked.push(started.elapsed().as_secs());
            let answer = Err(Error::new(ErrorKind::TokenRefresh, "no"));
            rig.shared.command(Command::Token { request, answer }).unwrap();
        }
        rig.at_rest().await;
    }
    // 900 s before the end or up to a tenth of that earlier, then after 30, 60, 120, 240 and 300 s, and no later
    // than an attempt before the end.
    assert!((2610..=2701).contains(&asked[0]), "{asked:?}");
    let waits: Vec<u64> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (wait, expected) in waits.iter().zip([30, 60, 120, 240]) {
        assert!((expected..=expected + 2).contains(wait), "{waits:?}");
    }
    assert!(asked.last().is_some_and(|last| *last >= 3550), "one attempt remains before the end: {asked:?}");
    assert_eq!(rig.shared.state(), ConnectionState::CredentialRefreshFailed, "and it lives");
    rig.dispatch();
    let failures = events.lock().unwrap().iter().filter(|e| e.kind == EventKind::TokenRefreshFailed).count();
    assert_eq!(failures, asked.len());
}

#[tokio::test(start_paused = true)]
async fn a_token_whose_end_is_unknown_is_never_renewed_by_time() {
    let requests = Requests::default();
    let rig = rig(|options| {
        options.set_token(&token("first", 0)).unwrap();
        options.set_token_provider(provider(&requests)).unwrap();
    });
    let _server = rig.connected().await;
    tokio::time::sleep(30 * 86_400 * SEC).await;
    assert!(requests.lock().unwrap().is_empty());
    assert!(rig.shared.is_connected());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_over_when_it_comes_does_not_make_the_connection_spin() {
    let requests = Requests::default();
    // Of a wall clock that is wrong: the token ended in 1970.
    let stale = "eyJhbGciOiJub25lIn0.eyJleHAiOjF9.c2ln";
    let rig = rig(|options| {
        options.set_token_provider(provider(&requests)).unwrap();
    });
    let mut server = rig.pipe();
    rig.connect();
    rig.at_rest().await;
    let request = requests.lock().unwrap()[0];
    let answer = Ok(Box::new(token(stale, 0).parse().unwrap()));
    rig.shared.command(Command::Token { request, answer }).unwrap();
    assert_eq!(server.packet().await[0], 0x10, "the server decides");
    server.send(&CONNACK_NEW).await;
    rig.until(|rig| rig.shared.is_connected()).await;
    tokio::time::sleep(86_400 * SEC).await;
    assert_eq!(requests.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_that_the_token_was_over() {
    let rig = rig(|options| {
        options.set_token(&token("first", 60)).unwrap();
        options.set_reconnect(false, 1, 1, 1, 1.0).unwrap();
    });
    let events = rig.events();
    let mut server = rig.connected().await;
    tokio::time::sleep(72 * SEC).await;
    server.send(&[0xE0, 1, 135]).await;
    rig.until(|rig| !rig.shared.is_connected()).await;
    rig.dispatch();
    let error = events.lock().unwrap().last().unwrap().error.clone().unwrap();
    assert_eq!((error.kind(), error.reason_code()), (ErrorKind::NotAuthorized, Some(135)));
    assert!(error.message().ends_with("; the token expired 12 s ago"), "{error}");
}

/// One way of a link on which everything takes 50 ms.
async fn carry(mut from: tokio::io::ReadHalf<DuplexStream>, mut to: tokio::io::WriteHalf<DuplexStream>) {
    let (send, mut chunks) = tokio::sync::mpsc::unbounded_channel::<(tokio::time::Instant, Vec<u8>)>();
    let deliver = async {
        while let Some((at, chunk)) = chunks.recv().await {
            tokio::time::sleep_until(at).await;
            if to.write_all(&chunk).await.is_err() {
                return;
            }
        }
    };
    let take = async move {
        let mut buffer = vec![0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let _ = send.send((tokio::time::Instant::now() + 50 * MS, buffer[..count].to_vec()));
        }
    };
    tokio::join!(deliver, take);
}

/// A server behind such a link that acknowledges everything, and notes when each PUBLISH comes.
async fn distant(stream: DuplexStream, arrivals: Arc<Mutex<Vec<(tokio::time::Instant, u8)>>>) {
    let (near, far) = tokio::io::duplex(1 << 16);
    let ((from_client, to_client), (from_near, to_near)) = (tokio::io::split(stream), tokio::io::split(near));
    tokio::spawn(carry(from_client, to_near));
    tokio::spawn(carry(from_near, to_client));
    let mut server = Server { stream: far, input: Vec::new() };
    loop {
        let packet = server.packet().await;
        match packet.first().map(|first| first >> 4) {
            Some(1) => server.send(&CONNACK_PRESENT).await,
            Some(3) => {
                arrivals.lock().unwrap().push((tokio::time::Instant::now(), packet[packet.len() - 1]));
                if packet[0] & 6 != 0 {
                    server.send(&[0x40, 2, packet[5], packet[6]]).await;
                }
            }
            Some(12) => server.send(&PINGRESP).await,
            _ => return,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_publish_waits_for_longer_than_a_round_trip() {
    for (qos, round_trips) in [(QoS::AtLeastOnce, 1), (QoS::AtMostOnce, 2)] {
        let rig = rig_with_token();
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        for _ in 0..2 {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            rig.links.lock().unwrap().push_back(Some(ours));
            tokio::spawn(distant(theirs, arrivals.clone()));
        }
        rig.connect();
        tokio::time::sleep(SEC).await;
        for n in 0..200u8 {
            if n == 50 {
                rig.set_token("second");
            }
            rig.send(n, qos);
            tokio::time::sleep(4 * MS).await;
        }
        tokio::time::sleep(SEC).await;
        assert_eq!(rig.attempts.lock().unwrap().len(), 2);
        let arrivals = arrivals.lock().unwrap();
        let longest = arrivals.windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap();
        let expected = round_trips * 100 * MS;
        assert!((expected..expected + 5 * MS).contains(&longest), "{qos:?}: {longest:?}");
        let mut numbers: Vec<u8> = arrivals.iter().map(|(_, number)| *number).collect();
        numbers.dedup();
        assert!(qos == QoS::AtLeastOnce || numbers == (0..200).collect::<Vec<u8>>(), "each once, in order");
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 200, "none is lost");
    }
}

fn identity() -> Identity {
    let certificate = include_bytes!("../../link/testdata/test-only-ec.crt.pem");
    let key = include_bytes!("../../link/testdata/test-only-ec.sec1.pem");
    Identity::from_bytes(certificate, &Secret::new(&key[..])).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_the_connection_began_with_costs_no_rotation() {
    let rig = rig_with_token();
    rig.shared.command(Command::SetCertificate(identity())).unwrap();
    let mut first = rig.connected().await;
    rig.at_rest().await;
    assert_eq!(first.packets().await, Vec::<Vec<u8>>::new());
    assert_eq!(rig.attempts.lock().unwrap().len(), 1);
    assert_eq!(rig.shared.state(), ConnectionState::Connected);
    // Nor does one that came before a reconnection; one that came after its link was dialled is not shown yet.
    for late in [false, true] {
        let mut next = rig.pipe();
        if !late {
            rig.shared.command(Command::SetCertificate(identity())).unwrap();
        }
        drop(first);
        assert_eq!(next.packet().await[0], 0x10);
        if late {
            rig.shared.command(Command::SetCertificate(identity())).unwrap();
            rig.at_rest().await;
        }
        let second = late.then(|| rig.pipe());
        next.send(&CONNACK_PRESENT).await;
        rig.until(|rig| rig.shared.is_connected()).await;
        let expected = if late { vec![PINGREQ.to_vec()] } else { Vec::new() };
        assert_eq!(next.packets().await, expected);
        drop(second);
        first = next;
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_outlives_a_farewell_that_cuts_its_rotation_short() {
    let rig = rig_with_token();
    let mut first = rig.connected().await;
    let _second = rig.rotating(&mut first).await;
    let until = tokio::time::Instant::now().into_std();
    rig.shared.command(Command::Disconnect { until, completion: Completion::None }).unwrap();
    rig.until(|rig| rig.shared.state() == ConnectionState::Disconnected).await;
    let mut third = rig.pipe();
    rig.connect();
    assert!(third.packet().await.windows(12).any(|window| window == b"token=second"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_the_first_link_s_token_has_not_refused_the_second_one_s() {
    let rig = rig_with_token();
    let mut first = rig.connected().await;
    let _second = rig.pipe();
    rig.set_token("second");
    assert_eq!(first.packet().await, PINGREQ);
    let mut third = rig.pipe();
    first.send(&[0xE0, 1, 135]).await;
    assert!(third.packet().await.windows(12).any(|window| window == b"token=second"));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_asked_for_during_an_attempt_is_fetched_when_it_has_succeeded() {
    let requests = Requests::default();
    let rig = rig(|options| {
        options.set_token(&token("first", 3600)).unwrap();
        options.set_token_provider(provider(&requests)).unwrap();
    });
    let mut server = rig.pipe();
    rig.connect();
    assert_eq!(server.packet().await[0], 0x10);
    rig.shared.command(Command::RefreshToken).unwrap();
    rig.at_rest().await;
    server.send(&CONNACK_NEW).await;
    rig.until(|rig| rig.shared.is_connected()).await;
    rig.at_rest().await;
    assert_eq!(requests.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_set_in_the_moment_in_which_the_provider_fails_is_not_put_off() {
    for failure_first in [true, false] {
        let requests = Requests::default();
        let rig = rig(|options| {
            options.set_token(&token("first", 3600)).unwrap();
            options.set_token_provider(provider(&requests)).unwrap();
        });
        let mut first = rig.connected().await;
        rig.shared.command(Command::RefreshToken).unwrap();
        rig.at_rest().await;
        let request = requests.lock().unwrap().pop().unwrap();
        let failure = || {
            let answer = Err(Error::new(ErrorKind::TokenRefresh, "no"));
            rig.shared.command(Command::Token { request, answer }).unwrap();
        };
        let started = tokio::time::Instant::now();
        let mut second = rig.pipe();
        if failure_first {
            failure();
        }
        rig.set_token("second");
        if !failure_first {
            failure();
        }
        assert_eq!(first.packet().await, PINGREQ);
        assert_eq!(started.elapsed().as_secs(), 0, "{failure_first}");
        first.send(&PINGRESP).await;
        assert!(second.packet().await.windows(12).any(|window| window == b"token=second"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_reaches_a_farewell_past_what_is_for_the_next_connection() {
    let requests = Requests::default();
    let rig = rig(|options| options.set_token_provider(provider(&requests)).unwrap());
    let mut server = rig.pipe();
    let ended = rig.publish();
    rig.connect();
    rig.at_rest().await;
    let request = requests.lock().unwrap().pop().unwrap();
    let until = tokio::time::Instant::now().into_std() + 20 * SEC;
    rig.shared.command(Command::Disconnect { until, completion: Completion::None }).unwrap();
    rig.connect();
    let answer = Ok(Box::new(token("first", 3600).parse().unwrap()));
    rig.shared.command(Command::Token { request, answer }).unwrap();
    let connect = tokio::time::timeout(10 * SEC, server.packet()).await.expect("a CONNECT");
    assert_eq!(connect[0], 0x10);
    server.send(&CONNACK_NEW).await;
    let publish = server.packet().await;
    server.send(&[0x40, 2, publish[5], publish[6]]).await;
    assert_eq!(server.packet().await[0], 0xE0);
    rig.until(|rig| rig.attempts.lock().unwrap().len() > 1).await;
    rig.dispatch();
    assert_eq!(*lock(&ended), [Ok(())]);
}

#[tokio::test(start_paused = true)]
async fn a_certificate_ends_the_wait_that_began_because_the_server_refused_the_last_one() {
    let rig = rig(|options| {
        options.set_token(&token("first", 0)).unwrap();
        options.set_reconnect(true, 1, 1, 1, 1.0).unwrap();
    });
    rig.refusals.lock().unwrap().push_back(ErrorKind::TlsClientCertificate);
    rig.connect();
    rig.until(|rig| rig.shared.state() == ConnectionState::ConnectionFailed).await;
    rig.at_rest().await;
    rig.shared.command(Command::SetCertificate(identity())).unwrap();
    rig.until(|rig| rig.attempts.lock().unwrap().len() == 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_set_while_the_last_one_is_being_refused_is_tried_at_once() {
    let rig = rig(|options| {
        options.set_token(&token("first", 0)).unwrap();
        options.set_reconnect(true, 1, 1, 1, 1.0).unwrap();
    });
    let (mut server, mut next) = (rig.pipe(), rig.pipe());
    rig.connect();
    assert_eq!(server.packet().await[0], 0x10);
    rig.set_token("second");
    rig.at_rest().await;
    server.send(&[0x20, 3, 0, 135, 0]).await;
    rig.until(|rig| rig.attempts.lock().unwrap().len() == 2).await;
    assert!(next.packet().await.windows(12).any(|window| window == b"token=second"));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_was_silent_before_the_loss_is_asked_anew_when_the_token_is_over() {
    let requests = Requests::default();
    let rig = rig(|options| {
        options.set_token(&token("first", 3600)).unwrap();
        options.set_token_provider(provider(&requests)).unwrap();
        options.set_reconnect(true, 0, 60_000, 60_000, 1.0).unwrap();
    });
    let events = rig.events();
    let server = rig.connected().await;
    rig.shared.command(Command::RefreshToken).unwrap();
    rig.at_rest().await;
    assert_eq!(requests.lock().unwrap().len(), 1);
    drop(server);
    while requests.lock().unwrap().len() == 1 {
        tokio::time::sleep(SEC).await;
        rig.at_rest().await;
        rig.dispatch();
    }
    let timed_out = |event: &Event| {
        event.kind == EventKind::Failed
            && event.error.as_ref().is_some_and(|error| error.kind() == ErrorKind::TokenTimeout)
    };
    assert!(!events.lock().unwrap().iter().any(timed_out), "an attempt that asked nobody failed");
}
