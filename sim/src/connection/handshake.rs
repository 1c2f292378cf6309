//! From CONNECT to CONNACK.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use mqtt_protocol_core::mqtt::packet::v5_0::Connect;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

use super::admission::{self, Admission, Wishes};
use super::socket::{Socket, Transport};
use super::{Authorization, Connection, Finish, Peer};
use crate::authorizer;
use crate::broker::Attach;
use crate::broker::link::{Link, Reach};
use crate::broker::will::Will;
use crate::config::{ConnectionEnd, Refusal};
use crate::faults::ConnectFault;
use crate::frame::{self, Frame};
use crate::journal::ConnectRecord;
use crate::limits::Rate;
use crate::packet::{self, Incoming};
use crate::reply;
use crate::shared::Shared;
use crate::violation::{Violation, reason};

/// The largest CONNECT that is read; the client knows no limit yet.
const MOST_CONNECT_BYTES: u32 = 1024 * 1024;
const MOST_ORDERS: usize = 64;
/// CONNACK of MQTT 3.1.1: unacceptable protocol version.
const CONNACK_OF_3_1_1: [u8; 4] = [0x20, 2, 0, 1];

/// What came first.
enum First {
    Connect(Box<Connect>),
    Closed,
    Wrong { violation: Violation, answer: Option<BytesMut> },
}

/// Reads CONNECT and answers it. `None` if no connection came of it; then the socket has been dealt with.
pub(super) async fn accept<S: Transport>(
    shared: Arc<Shared>,
    mut socket: Socket<S>,
    peer: Peer,
) -> Option<Connection<S>> {
    let limit = shared.config.connect_timeout;
    let first = timeout(limit, first_packet(&shared, &mut socket));
    match shared.unless_stopped(first).await?.unwrap_or(First::Closed) {
        First::Connect(connect) => Handshake { shared, socket, peer, connect: *connect }.answer().await,
        First::Closed => None,
        First::Wrong { violation, answer } => {
            shared.violation("before CONNECT", &violation);
            shared.count(|stats| stats.connects_refused += 1);
            if let Some(answer) = answer {
                socket.output = answer;
                socket.finish().await;
            }
            None
        }
    }
}

async fn first_packet<S: Transport>(shared: &Shared, socket: &mut Socket<S>) -> First {
    loop {
        shared.thawed().await;
        match frame::next(&mut socket.input, Some(MOST_CONNECT_BYTES)) {
            Ok(Some(frame)) => return read_connect(&frame),
            Ok(None) => {}
            Err(violation) => {
                return First::Wrong { violation, answer: None };
            }
        }
        if !matches!(socket.read().await, Ok(1..)) {
            return First::Closed;
        }
    }
}

fn read_connect(frame: &Frame) -> First {
    let wrong = |violation, answer| First::Wrong { violation, answer };
    if frame.first >> 4 != 1 {
        return wrong(Violation::protocol("a packet before CONNECT [MQTT-3.1.0-1]"), None);
    }
    match frame.body.get(..7) {
        Some([0, 4, b'M', b'Q', b'T', b'T', 3 | 4]) => {
            let violation = Violation::protocol("CONNECT of MQTT 3; only MQTT 5 is spoken here");
            return wrong(violation, Some(BytesMut::from(&CONNACK_OF_3_1_1[..])));
        }
        Some([0, 4, b'M', b'Q', b'T', b'T', _]) => {}
        _ => {
            return wrong(Violation::protocol("CONNECT of another protocol [MQTT-3.1.2-1]"), None);
        }
    }
    match packet::decode(frame) {
        Ok(Incoming::Connect(connect)) => First::Connect(connect),
        Ok(_) => First::Closed,
        Err(violation) => {
            let mut answer = BytesMut::new();
            reply::connack(&mut answer, false, violation.code, &Vec::new());
            wrong(violation, Some(answer))
        }
    }
}

/// What a client does between CONNECT and CONNACK.
enum Meanwhile {
    Quiet,
    Talked,
    Closed,
}

struct Handshake<S> {
    shared: Arc<Shared>,
    socket: Socket<S>,
    peer: Peer,
    connect: Connect,
}

impl<S: Transport> Handshake<S> {
    async fn answer(mut self) -> Option<Connection<S>> {
        // The quota is on requests, so it counts those too that are refused after this.
        if !self.shared.may_connect(self.connect.client_id(), Instant::now()) {
            tracing::info!(client = self.connect.client_id(), "CONNECT refused: too many of this client");
            self.shared.count(|stats| stats.connects_throttled += 1);
            let refusal = self.shared.config.quotas.connect_refusal;
            self.refuse(refusal).await;
            return None;
        }
        let (fault, delay) = {
            let mut faults = self.shared.faults();
            (faults.connects.fire(), faults.connack_delay)
        };
        if let Some(ConnectFault::EndOld(end)) = fault {
            self.end_old(end).await;
        }
        let shared = self.shared.clone();
        let wait = async {
            if !delay.is_zero() {
                sleep(delay).await;
            }
            if fault == Some(ConnectFault::Hold) {
                shared.released().await;
            }
        };
        match self.before_connack(wait).await {
            Meanwhile::Quiet => {}
            Meanwhile::Closed => return None,
            Meanwhile::Talked => {
                self.refuse(Refusal::Connack(reason::PROTOCOL_ERROR)).await;
                return None;
            }
        }
        match fault {
            Some(ConnectFault::Ignore) => {
                self.record(self.connect.client_id(), None, false);
                self.ignore().await;
                return None;
            }
            Some(ConnectFault::Close) => {
                self.refuse(Refusal::Close).await;
                return None;
            }
            Some(ConnectFault::Refuse(code)) => {
                self.refuse(Refusal::Connack(code)).await;
                return None;
            }
            _ => {}
        }
        let wishes = Wishes::new(&self.connect);
        match admission::admit(&self.shared, &self.peer, &self.connect, &wishes) {
            Ok(admission) => match fault {
                Some(ConnectFault::TakeOverAndClose) => {
                    self.open(wishes, admission, None).end(Finish::End(ConnectionEnd::Close)).await;
                    None
                }
                Some(ConnectFault::TakeOverAndHold) => {
                    let mut connection = self.open(wishes, admission, Some(reason::SUCCESS));
                    match connection.hold().await {
                        ControlFlow::Continue(()) => Some(connection),
                        ControlFlow::Break(finish) => {
                            connection.end(finish).await;
                            None
                        }
                    }
                }
                _ => Some(self.open(wishes, admission, Some(reason::SUCCESS))),
            },
            Err(denial) => {
                let client = self.connect.client_id();
                tracing::info!(client, answer = ?denial.answer, "CONNECT refused: {}", denial.text);
                if denial.protocol_error {
                    self.shared.note(|journal| journal.protocol_error(format!("{client}: {}", denial.text)));
                }
                self.refuse(denial.answer).await;
                None
            }
        }
    }

    /// Ends an older connection of this client, and sees to it that it is gone before this one goes on.
    async fn end_old(&self, end: ConnectionEnd) {
        let client_id = self.connect.client_id();
        let mut changes = self.shared.changes();
        let Some(old) = self.shared.broker().link(client_id).map(|link| {
            link.reach.end.send_replace(Some(end));
            link.id
        }) else {
            return;
        };
        while self.shared.broker().is_current(client_id, old) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits before CONNACK, and watches what the client does meanwhile.
    async fn before_connack(&mut self, wait: impl Future<Output = ()>) -> Meanwhile {
        if self.socket.input.is_empty() {
            tokio::select! {
                biased;
                () = self.shared.stopped() => return Meanwhile::Closed,
                // Even without a wait this looks once whether something is there.
                read = self.socket.read() => {
                    if !matches!(read, Ok(1..)) {
                        return Meanwhile::Closed;
                    }
                }
                () = wait => return Meanwhile::Quiet,
            }
        }
        self.shared.violation(self.connect.client_id(), &too_early());
        Meanwhile::Talked
    }

    /// Reads on and never answers.
    async fn ignore(mut self) {
        while matches!(self.shared.unless_stopped(self.socket.read()).await, Some(Ok(1..))) {
            self.socket.input.clear();
        }
    }

    async fn refuse(mut self, refusal: Refusal) {
        match refusal {
            Refusal::Close => self.record(self.connect.client_id(), None, false),
            Refusal::Connack(code) => {
                self.record(self.connect.client_id(), Some(code), false);
                reply::connack(&mut self.socket.output, false, code, &Vec::new());
                self.socket.finish().await;
            }
        }
    }

    fn record(&self, client_id: &str, answer: Option<u8>, session_present: bool) {
        let wishes = Wishes::new(&self.connect);
        let record = ConnectRecord {
            listener: self.peer.listener,
            tls_version: self.peer.tls_version,
            alpn: self.peer.alpn.clone(),
            server_name: self.peer.server_name.clone(),
            tls_resumed: self.peer.tls_resumed,
            client_certificate: self.peer.access == super::Access::Certificate,
            client_id: client_id.to_owned(),
            user_name: self.connect.user_name().map(str::to_owned),
            token: self
                .connect
                .user_name()
                .and_then(|user_name| authorizer::token(&self.shared.config.authorizer, user_name)),
            password: self.connect.password().map(<[u8]>::to_vec),
            clean_start: self.connect.clean_start(),
            keep_alive: self.connect.keep_alive(),
            session_expiry: wishes.session_expiry,
            receive_maximum: wishes.receive_maximum,
            will_topic: self.connect.will_topic().map(str::to_owned),
            will_delay: Will::from_connect(&self.connect).map(|will| will.delay_secs),
            user_properties: wishes.user_properties,
            answer,
            session_present,
        };
        self.shared.note(|journal| journal.connect(record));
    }

    /// Gives the session to this connection. `answer` is what goes into the record; CONNACK waits to be sent.
    fn open(mut self, wishes: Wishes, admission: Admission, answer: Option<u8>) -> Connection<S> {
        let config = self.shared.config.clone();
        let now = Instant::now();
        let wake = Arc::new(Notify::new());
        let (end, ended) = watch::channel(None);
        let (send_order, orders) = mpsc::channel(MOST_ORDERS);
        let asked = wishes.receive_maximum.unwrap_or(u16::MAX);
        let window = config.limits.unacknowledged.map_or(asked, |most| most.min(asked));
        let alias_maximum =
            if config.delivery.topic_aliases { wishes.topic_alias_maximum.unwrap_or(0) } else { 0 };
        let reach = Reach { wake: wake.clone(), end, orders: send_order };

        let (link, session_present, takeover) = {
            let mut broker = self.shared.broker();
            let takeover = broker.link(&admission.client_id).is_some();
            let id = broker.next_link();
            let attach = Attach {
                clean_start: self.connect.clean_start(),
                expiry_secs: admission.expiry_secs,
                will: Will::from_connect(&self.connect),
                link: Link::new(id, reach, window, wishes.maximum_packet_size, alias_maximum),
            };
            (id, broker.attach(&admission.client_id, attach, now), takeover)
        };
        self.shared.housekeeping.notify_one();
        if takeover {
            self.shared.count(|stats| stats.takeovers += 1);
        }
        tracing::info!(client = admission.client_id, session_present, takeover, "connected");
        // The configuration was checked at the start.
        let properties = admission::connack_properties(&config, &admission).unwrap_or_default();
        reply::connack(&mut self.socket.output, session_present, reason::SUCCESS, &properties);
        self.record(&admission.client_id, answer, session_present && answer.is_some());
        self.shared.count(|stats| stats.open_clients += 1);

        let authorization = (self.peer.access == super::Access::Authorizer).then(|| Authorization {
            user_name: self.connect.user_name().map(str::to_owned),
            password: self.connect.password().map(<[u8]>::to_vec),
            refresh_at: config.authorizer.refresh_after.map(|after| now + after),
        });
        let rate = |per_second: Option<u32>| per_second.map(|most| Rate::new(most, now));
        Connection {
            patience: (admission.keep_alive > 0)
                .then(|| Duration::from_millis(u64::from(admission.keep_alive) * 1500)),
            last_packet: now,
            authorized_until: admission.authorized_until,
            authorization,
            session_goes_on: admission.expiry_secs > 0 || wishes.session_expiry.is_some_and(|secs| secs > 0),
            new_expiry_secs: None,
            received_code: None,
            aliases: HashMap::new(),
            unacknowledged: HashSet::new(),
            acknowledging: VecDeque::new(),
            publish_rate: rate(config.quotas.publishes_per_second),
            byte_rate: rate(config.quotas.bytes_per_second),
            read_after: None,
            send_again: None,
            frozen: false,
            shared: self.shared,
            socket: self.socket,
            client_id: admission.client_id,
            link,
            wake,
            ended,
            orders,
        }
    }
}

impl<S: Transport> Connection<S> {
    /// Keeps CONNACK back until it is let go. What ends the connection before ends it without a word.
    async fn hold(&mut self) -> ControlFlow<Finish> {
        let shared = self.shared.clone();
        let talked = tokio::select! {
            () = shared.released() => return ControlFlow::Continue(()),
            read = self.socket.read() => matches!(read, Ok(1..)),
            _ = self.ended.changed() => false,
            () = shared.stopped() => false,
        };
        if talked {
            self.shared.violation(&self.client_id, &too_early());
        }
        ControlFlow::Break(Finish::End(ConnectionEnd::Close))
    }
}

fn too_early() -> Violation {
    Violation::protocol("a packet between CONNECT and CONNACK, which AWS does not allow")
}
