//! One client's connection, from CONNECT to the end.

mod admission;
mod handshake;
mod inbound;
pub(crate) mod socket;
mod subscriptions;

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::authorizer::Shown;
use crate::broker::Ending;
use crate::broker::link::Order;
use crate::config::{Config, ConnectionEnd};
use crate::error::Error;
use crate::frame;
use crate::journal::{EndRecord, Listener};
use crate::limits::Rate;
use crate::packet;
use crate::reply;
use crate::shared::Shared;
use crate::violation::{Violation, reason};
use socket::{Socket, Transport};

/// Output above this pauses reading.
const MUCH_OUTPUT: usize = 1024 * 1024;
/// Output below this is filled up with messages.
const LITTLE_OUTPUT: usize = 64 * 1024;

/// How a client proved who it is, or has yet to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Open,
    Certificate,
    Authorizer,
    Password,
}

/// What is known of a client before CONNECT.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub listener: Listener,
    pub access: Access,
    pub tls_version: Option<&'static str>,
    pub alpn: Option<String>,
    pub server_name: Option<String>,
    pub tls_resumed: bool,
}

/// By what a client that came by the authorizer was let in.
struct Authorization {
    user_name: Option<String>,
    password: Option<Vec<u8>>,
    /// When the authorizer is asked again.
    refresh_at: Option<Instant>,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finish {
    /// The client said DISCONNECT.
    Told(Ending),
    /// The client closed, or its socket failed.
    Lost,
    /// We end it.
    End(ConnectionEnd),
}

/// Whether CONNACK can say what the configuration wants.
pub(crate) fn check(config: &Config) -> Result<(), Error> {
    admission::check(config)
}

struct Connection<S> {
    shared: Arc<Shared>,
    socket: Socket<S>,
    client_id: String,
    link: u64,
    wake: Arc<Notify>,
    ended: watch::Receiver<Option<ConnectionEnd>>,
    orders: mpsc::Receiver<Order>,
    /// One and a half times the keep alive.
    patience: Option<Duration>,
    last_packet: Instant,
    /// When the authorizer wants it to end.
    authorized_until: Option<Instant>,
    authorization: Option<Authorization>,
    /// Whether the client asked for a session that goes on, or was granted one.
    session_goes_on: bool,
    /// What DISCONNECT changed the session expiry interval to.
    new_expiry_secs: Option<u32>,
    /// The reason code of the client's DISCONNECT.
    received_code: Option<u8>,
    aliases: HashMap<u16, String>,
    /// Identifiers of publishes that the client cannot know to be acknowledged.
    unacknowledged: HashSet<u16>,
    /// Acknowledgements in the output, with the place in the stream where they end.
    acknowledging: VecDeque<(u64, u16)>,
    publish_rate: Option<Rate>,
    byte_rate: Option<Rate>,
    read_after: Option<Instant>,
    send_again: Option<Instant>,
    frozen: bool,
}

/// Serves one client until its end.
pub(crate) async fn serve<S: Transport>(shared: Arc<Shared>, stream: S, peer: Peer) {
    let Some(mut connection) = handshake::accept(shared.clone(), Socket::new(stream), peer).await else {
        return;
    };
    let finish = connection.run().await;
    connection.end(finish).await;
}

impl<S: Transport> Connection<S> {
    async fn run(&mut self) -> Finish {
        let mut frozen = self.shared.frozen.subscribe();
        let mut stopping = self.shared.stopping.subscribe();
        let mut revoked = self.shared.revoked.subscribe();
        // What was revoked since CONNECT came counts too.
        revoked.mark_changed();
        loop {
            let now = Instant::now();
            let halted = self.frozen || *frozen.borrow_and_update();
            if !halted {
                if let ControlFlow::Break(finish) = self.take_packets(now) {
                    return finish;
                }
                self.collect(now);
            }
            let deadline = if halted { None } else { self.deadline() };
            let may_read = !halted && self.read_after.is_none() && self.socket.output.len() < MUCH_OUTPUT;
            let may_write = !halted && (!self.socket.output.is_empty() || self.socket.unflushed);
            let Socket { reader, writer, input, output, unflushed, written } = &mut self.socket;
            tokio::select! {
                read = socket::read(reader, input), if may_read => match read {
                    Ok(0) | Err(_) => return Finish::Lost,
                    Ok(_) => {}
                },
                wrote = socket::write(writer, output), if may_write => match wrote {
                    Err(_) => return Finish::Lost,
                    Ok(count) => {
                        *unflushed = count > 0;
                        *written += count as u64;
                        self.forget_acknowledged();
                    }
                },
                () = self.wake.notified(), if !halted => {}
                () = sleep_until(deadline.unwrap_or(now)), if deadline.is_some() => {
                    if may_read {
                        // On a busy machine this comes late: what has arrived meanwhile was in time.
                        tokio::task::yield_now().await;
                        let read = timeout(Duration::ZERO, socket::read(reader, input)).await;
                        if let Ok(Ok(0) | Err(_)) = read {
                            return Finish::Lost;
                        }
                        if let ControlFlow::Break(finish) = self.take_packets(Instant::now()) {
                            return finish;
                        }
                    }
                    if let ControlFlow::Break(finish) = self.deadline_passed(Instant::now()) {
                        return finish;
                    }
                }
                _ = self.ended.changed() => {
                    if let Some(end) = *self.ended.borrow_and_update() {
                        return Finish::End(end);
                    }
                }
                Some(order) = self.orders.recv() => match order {
                    Order::Send(bytes) => self.socket.output.extend_from_slice(&bytes),
                    Order::Freeze(frozen) => self.frozen = frozen,
                },
                _ = frozen.changed() => {}
                _ = revoked.changed(), if self.authorization.is_some() => {
                    if let ControlFlow::Break(finish) = self.reauthorize() {
                        return finish;
                    }
                }
                _ = stopping.changed() => {
                    return Finish::End(ConnectionEnd::Disconnect(reason::SERVER_SHUTTING_DOWN));
                }
            }
        }
    }

    /// Handles the packets that have been read, as long as their answers can be written.
    fn take_packets(&mut self, now: Instant) -> ControlFlow<Finish> {
        let maximum = self.shared.config.connack.maximum_packet_size;
        let mut handled = false;
        while self.socket.output.len() < MUCH_OUTPUT && self.read_after.is_none() {
            let answered = self.socket.output.len();
            self.go_on()?;
            let incoming = match frame::next(&mut self.socket.input, maximum) {
                Ok(None) => break,
                Ok(Some(frame)) => {
                    self.last_packet = now;
                    if let Some(rate) = &mut self.byte_rate {
                        self.read_after = rate.borrow(frame.size as f64, now);
                    }
                    packet::decode(&frame)
                }
                Err(violation) => Err(violation),
            };
            let flow = match incoming {
                Ok(packet) => self.handle(packet, now),
                Err(violation) => self.violation(violation),
            };
            if let ended @ ControlFlow::Break(_) = self.go_on() {
                // Perhaps another connection has the session already, and nothing was done: nothing is acknowledged.
                self.socket.output.truncate(answered);
                return ended;
            }
            flow?;
            handled = true;
        }
        if handled {
            self.shared.changed();
        }
        ControlFlow::Continue(())
    }

    /// Whether nobody has ended this connection: a test, or one that took the session over.
    fn go_on(&self) -> ControlFlow<Finish> {
        match *self.ended.borrow() {
            Some(end) => ControlFlow::Break(Finish::End(end)),
            None => ControlFlow::Continue(()),
        }
    }

    /// Fills the output with messages for the client.
    fn collect(&mut self, now: Instant) {
        if self.socket.output.len() >= LITTLE_OUTPUT {
            return;
        }
        let (collected, dropped, unexpected) = {
            let mut broker = self.shared.broker();
            let output = &mut self.socket.output;
            let collected = broker.collect(&self.client_id, self.link, output, LITTLE_OUTPUT, now);
            (collected, broker.dropped, broker.unexpected_acknowledgements)
        };
        self.send_again = collected.again;
        if collected.publishes > 0 || collected.dropped > 0 {
            self.shared.count(|stats| {
                stats.publishes_sent += collected.publishes;
                stats.publishes_resent += collected.resent;
                stats.messages_dropped = stats.messages_dropped.max(dropped);
                stats.unexpected_acknowledgements = stats.unexpected_acknowledgements.max(unexpected);
            });
        }
    }

    /// What the transport has taken is acknowledged as far as the client can know.
    fn forget_acknowledged(&mut self) {
        while let Some((end, packet_id)) = self.acknowledging.front()
            && *end <= self.socket.written
        {
            self.unacknowledged.remove(packet_id);
            self.acknowledging.pop_front();
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let silence = self.patience.map(|patience| self.last_packet + patience);
        let deadlines = [silence, self.authorized_until, self.refresh_at(), self.read_after, self.send_again];
        deadlines.into_iter().flatten().min()
    }

    fn refresh_at(&self) -> Option<Instant> {
        self.authorization.as_ref()?.refresh_at
    }

    /// Asks the authorizer again.
    fn reauthorize(&self) -> ControlFlow<Finish> {
        let Some(Authorization { user_name, password, .. }) = &self.authorization else {
            return ControlFlow::Continue(());
        };
        let shown = Shown { user_name: user_name.as_deref(), password: password.as_deref() };
        match self.shared.authorize(shown) {
            Ok(_) => ControlFlow::Continue(()),
            Err(denial) => {
                tracing::info!(client = self.client_id, "no longer authorized: {denial}");
                ControlFlow::Break(Finish::End(self.shared.config.authorizer.end))
            }
        }
    }

    fn deadline_passed(&mut self, now: Instant) -> ControlFlow<Finish> {
        let passed = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if passed(self.authorized_until) {
            tracing::info!(client = self.client_id, "the authorizer's time is over");
            return ControlFlow::Break(Finish::End(self.shared.config.authorizer.end));
        }
        if passed(self.refresh_at()) {
            self.shared.count(|stats| stats.policy_refreshes += 1);
            self.reauthorize()?;
            let after = self.shared.config.authorizer.refresh_after;
            if let Some(authorization) = &mut self.authorization {
                authorization.refresh_at = after.map(|after| now + after);
            }
        }
        if passed(self.patience.map(|patience| self.last_packet + patience)) {
            tracing::info!(client = self.client_id, "keep alive time-out");
            let end = ConnectionEnd::Disconnect(reason::KEEP_ALIVE_TIMEOUT);
            return ControlFlow::Break(Finish::End(end));
        }
        if passed(self.read_after) {
            self.read_after = None;
        }
        if passed(self.send_again) {
            self.send_again = None;
        }
        ControlFlow::Continue(())
    }

    /// Notes a protocol error down and ends the connection with its reason code.
    fn violation<T>(&self, violation: Violation) -> ControlFlow<Finish, T> {
        self.shared.violation(&self.client_id, &violation);
        ControlFlow::Break(Finish::End(ConnectionEnd::Disconnect(violation.code)))
    }

    async fn end(mut self, finish: Finish) {
        let ending = match finish {
            Finish::Told(ending) => ending,
            _ => Ending::Abnormal,
        };
        let sent = match finish {
            Finish::End(ConnectionEnd::Disconnect(code)) => Some(code),
            _ => None,
        };
        tracing::info!(client = self.client_id, ?finish, "connection ended");
        self.shared.broker().detach(&self.client_id, self.link, ending, self.new_expiry_secs, Instant::now());
        self.shared.housekeeping.notify_one();
        self.shared.note(|journal| {
            journal.stats.open_clients -= 1;
            journal.end(EndRecord { client_id: self.client_id.clone(), received: self.received_code, sent });
        });
        match finish {
            Finish::End(ConnectionEnd::Reset) => self.socket.reset(),
            Finish::End(ConnectionEnd::Close) | Finish::Lost => {}
            Finish::Told(_) => self.socket.finish().await,
            Finish::End(ConnectionEnd::Disconnect(code)) => {
                reply::disconnect(&mut self.socket.output, code);
                self.socket.finish().await;
            }
        }
    }
}
