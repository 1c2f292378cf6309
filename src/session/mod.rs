//! The MQTT 5 session of one client, without I/O: bytes and commands go in, bytes, messages and completions
//! come out ([`Actions`]); time is an argument. It outlives its connections.

pub mod alias;
mod batch;
pub mod incoming;
pub mod keep_alive;
pub mod limits;
pub mod outgoing;
pub mod pacing;
pub mod queue;
pub mod receive;
pub mod refusal;
pub mod replay;
pub mod subscriptions;
pub mod table;

use crate::completion::{Ack, Completion};
use crate::packet::{Alias, Disconnect, Header, ReasonCode, trace};
use crate::stats::Tally;
use crate::{Error, ErrorKind, QoS};
use alias::Aliases;
pub use batch::Batch;
use incoming::Incoming;
use keep_alive::{Due, KeepAlive};

use limits::Limits;
use outgoing::{Operation, Unwritten};
use pacing::{Pace, Pacer};
use queue::Publish;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use subscriptions::{Released, Request, Subscriptions};
use table::Table;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

/// Encoded and not yet written bytes, above which no further packet is encoded.
pub const HIGH_WATER: usize = 64 * 1024;

/// What a session is told of the options.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// QoS 1 and 2 messages that the server may send without an acknowledgement.
    pub receive_maximum: u16,
    /// The largest packet accepted from the server.
    pub max_incoming_packet: u32,
    /// For an acknowledgement, from the first write.
    pub operation_timeout: Duration,
}

/// What the session wants done. The vectors are appended to and reused.
#[derive(Debug, Default)]
pub struct Actions {
    /// Bytes to write, in order; report what was written with [`Session::written`].
    pub out: Vec<u8>,
    /// Operations that ended.
    pub done: Vec<(Completion, Ack)>,
    /// Room in the queue that ended operations give back: messages, bytes.
    pub freed: (usize, usize),
    /// Requests of the application among them.
    pub requests_ended: usize,
    /// What was counted.
    pub tally: Tally,
    /// Messages for the application.
    pub messages: Batch,
    /// Handlers that no message can reach any more.
    pub released: Vec<Released>,
    /// Subscriptions that the server refused to restore.
    pub refused: Vec<(Box<str>, Error)>,
    /// The connection must end, and why. A DISCONNECT, where one is due, is in `out`.
    pub end: Option<Error>,
}

/// What may be written: less and less, while another connection is about to take the session over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Flow {
    #[default]
    Open,
    /// Everything but QoS 0, which nobody would send again.
    NoQos0,
    /// Acknowledgements only.
    Closed,
    /// Nothing: DISCONNECT was the last [MQTT-3.14.4-1].
    Ended,
}

/// What may be taken from the queue now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// QoS 0 messages too.
    pub qos0: bool,
    /// QoS 1 and 2 messages.
    pub acked: usize,
    /// Messages of any QoS.
    pub messages: usize,
    /// Bytes of any QoS.
    pub bytes: usize,
}

/// One connection, from its CONNACK on.
#[derive(Debug)]
struct Connection {
    limits: Limits,
    keep_alive: KeepAlive,
    /// Of the receive maximum, in use.
    in_use: usize,
    appended: u64,
    written: u64,
    unwritten: VecDeque<Unwritten>,
    aliases: Aliases,
    flow: Flow,
    pings: u64,
    pongs: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    subscriptions: Subscriptions,
    incoming: Incoming,
    operations: Table<Operation>,
    /// Publishes that the current connection has yet to send again, in order.
    replay: VecDeque<u16>,
    /// Publishes that were taken from the queue and are to go before the rest of it.
    held: VecDeque<Publish>,
    deadlines: VecDeque<(Instant, u16, u64)>,
    /// The session that the server speaks of next is perhaps another one.
    doubted: bool,
    /// The publish that the server ended a connection over, for the second time.
    condemned: Option<(u16, ReasonCode)>,
    next_ticket: u64,
    pacer: Pacer,
    connection: Option<Connection>,
}

impl Session {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            subscriptions: Subscriptions::default(),
            incoming: Incoming::new(settings.receive_maximum),
            operations: Table::default(),
            replay: VecDeque::new(),
            held: VecDeque::new(),
            deadlines: VecDeque::new(),
            doubted: false,
            condemned: None,
            next_ticket: 0,
            pacer: Pacer::new(Pace::default()),
            connection: None,
        }
    }

    /// A CONNECT may have reached the server, and its answer did not come: should the server have lost the session
    /// before, it has begun another one then, and that is what the next CONNACK calls present.
    pub fn doubt(&mut self) {
        self.doubted = true;
    }

    /// A connection is there: CONNACK came with success.
    pub fn connected(&mut self, limits: Limits, session_present: bool, now: Instant, actions: &mut Actions) {
        self.pacer = Pacer::new(limits.quotas.pace);
        self.connection = Some(Connection {
            keep_alive: KeepAlive::new(limits.keep_alive_secs, now),
            limits,
            in_use: 0,
            appended: 0,
            written: 0,
            unwritten: VecDeque::new(),
            aliases: Aliases::new(limits.topic_alias_maximum),
            flow: Flow::Open,
            pings: 0,
            pongs: 0,
        });
        let doubted = std::mem::take(&mut self.doubted) && session_present;
        self.incoming.connected(session_present, doubted);
        self.subscriptions.restore(session_present && !doubted);
        self.plan_replay(session_present, doubted, actions);
        self.pump(now, actions);
    }

    /// Another connection is about to take the session over: from now on no QoS 0 message is written to this one.
    /// Those that were have arrived when the server has answered the PINGREQ behind them ([`settled`](Self::settled)).
    pub fn prepare_takeover(&mut self, now: Instant, actions: &mut Actions) {
        if let Some(connection) = &mut self.connection {
            connection.flow = Flow::NoQos0;
            connection.ping(now, actions);
        }
    }

    /// Whether nothing is on its way that would be lost with the connection.
    pub fn settled(&self) -> bool {
        self.connection.as_ref().is_none_or(|connection| connection.pongs >= connection.pings)
    }

    /// The CONNECT is about to be written: from now on the server may close this connection at any moment.
    pub fn await_takeover(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.flow = Flow::Closed;
        }
    }

    /// The other connection came to nothing.
    pub fn resume(&mut self, now: Instant, actions: &mut Actions) {
        if let Some(connection) = &mut self.connection {
            connection.flow = Flow::Open;
        }
        self.pump(now, actions);
    }

    /// The connection is gone. What it had not written is written by the next one.
    pub fn lost(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        self.recall(connection.unwritten);
    }

    /// An application's SUBSCRIBE or UNSUBSCRIBE.
    pub fn request(&mut self, request: Request, now: Instant, actions: &mut Actions) {
        self.subscriptions.request(request);
        self.pump(now, actions);
    }

    /// Bytes of `actions.out` were written.
    pub fn written(&mut self, bytes: usize, now: Instant, actions: &mut Actions) {
        self.taken(bytes, now, actions);
        self.pump(now, actions);
    }

    /// The same where nothing may follow them: a QoS 0 message that perhaps arrived must not be sent again
    /// (MQTT 5, 4.3.1).
    pub fn taken(&mut self, bytes: usize, now: Instant, actions: &mut Actions) {
        if let Some(connection) = &mut self.connection {
            connection.written += bytes as u64;
            connection.keep_alive.sent(now);
        }
        self.settle_written(now, actions);
    }

    /// The application is done with every message up to this number.
    pub fn handled_up_to(&mut self, number: u64, actions: &mut Actions) {
        self.incoming.handled_up_to(number);
        self.acknowledge(actions);
    }

    /// The application is done with one message. False where it is not waited for (any more).
    pub fn handled(&mut self, number: u64, actions: &mut Actions) -> bool {
        let known = self.incoming.handled(number);
        self.acknowledge(actions);
        known
    }

    /// Whether a message can still be acknowledged.
    pub fn awaits(&self, number: u64) -> bool {
        self.incoming.awaits(number, self.connection.is_some())
    }

    /// Asks the server for a sign of life now.
    pub fn probe(&mut self, now: Instant, actions: &mut Actions) {
        if let Some(connection) = self.talking(actions) {
            if connection.keep_alive.probe() {
                connection.ping(now, actions);
            }
        }
    }

    /// Tells the server that the client lives, without asking for an answer: while nothing is read.
    pub fn stay_awake(&mut self, actions: &mut Actions) {
        if let Some(connection) = self.talking(actions) {
            connection.pings += 1;
            connection.append(actions, |out| out.extend_from_slice(&crate::packet::PINGREQ));
        }
    }

    /// The keep alive in force; `None` without one.
    pub fn keep_alive(&self) -> Option<Duration> {
        let secs = self.connection.as_ref()?.limits.keep_alive_secs;
        (secs > 0).then(|| Duration::from_secs(secs.into()))
    }

    /// When [`time`](Self::time) has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        let keep_alive = self.connection.as_ref().and_then(|connection| connection.keep_alive.deadline());
        let operation = self.deadlines.front().map(|(deadline, ..)| *deadline);
        keep_alive.into_iter().chain(operation).chain(self.pacer.resumes()).min()
    }

    /// Does what is due.
    pub fn time(&mut self, now: Instant, actions: &mut Actions) {
        if let Some(connection) = self.talking(actions) {
            match connection.keep_alive.due(now) {
                Due::Nothing => {}
                Due::Ping => connection.ping(now, actions),
                Due::Dead(silence) => {
                    let message = format!(
                        "the server has been silent for {} s and did not answer a PINGREQ: the connection is dead",
                        silence.as_secs()
                    );
                    actions.end = Some(Error::new(ErrorKind::KeepAliveTimeout, message));
                }
            }
        }
        self.expire(now, actions);
        self.pump(now, actions);
    }

    /// Writes the farewell; nothing may follow it.
    pub fn disconnect(
        &mut self,
        reason: ReasonCode,
        session_expiry_secs: Option<u32>,
        actions: &mut Actions,
    ) {
        if let Some(connection) = self.connection.as_mut().filter(|c| c.flow != Flow::Ended) {
            connection.flow = Flow::Ended;
            let before = actions.out.len();
            Disconnect::write(reason, session_expiry_secs, &mut actions.out);
            trace::sent(&actions.out[before..]);
            connection.appended += (actions.out.len() - before) as u64;
        }
    }

    /// Ends every publish that has not ended: what was never written with `unwritten`, what was, with `written`.
    pub fn abandon(&mut self, unwritten: &Error, written: &Error, actions: &mut Actions) {
        self.lost();
        self.abandon_operations(unwritten, written, actions);
    }

    /// Ends the application's requests that are not yet acknowledged. What was granted stays wanted.
    pub fn cancel_requests(&mut self, error: &Error, actions: &mut Actions) {
        self.subscriptions.cancel(error, actions);
    }

    /// The same, and nothing is wanted any more.
    pub fn forget_subscriptions(&mut self, error: &Error, actions: &mut Actions) {
        self.subscriptions.clear(error, actions);
    }

    /// Without a connection: ends the QoS 0 messages that had been taken from the queue.
    pub fn drop_at_most_once(&mut self, error: &Error, actions: &mut Actions) {
        let (dropped, kept) =
            self.held.drain(..).partition(|publish| publish.stored.qos() == QoS::AtMostOnce);
        self.held = kept;
        let dropped: VecDeque<Publish> = dropped;
        for publish in dropped {
            outgoing::end_publish(publish, Ack::failed(error.clone()), actions);
        }
    }

    /// Packets that wait for an acknowledgement.
    pub fn in_flight(&self) -> usize {
        self.operations.len()
    }

    /// Whether an accepted operation has not ended.
    pub fn is_busy(&self) -> bool {
        let unwritten = self.connection.as_ref().is_some_and(|connection| !connection.unwritten.is_empty());
        unwritten
            || self.operations.len() > 0
            || !self.held.is_empty()
            || !self.subscriptions.pending.is_empty()
    }

    /// The connection, unless it is over: nothing follows a DISCONNECT, and no other error replaces its own.
    fn talking(&mut self, actions: &Actions) -> Option<&mut Connection> {
        self.connection.as_mut().filter(|c| actions.end.is_none() && c.flow != Flow::Ended)
    }

    /// Ends the connection for a reason that the server is told.
    fn violated(&mut self, reason: ReasonCode, error: Error, actions: &mut Actions) {
        if actions.end.is_none() {
            self.disconnect(reason, None, actions);
            actions.end = Some(error);
        }
    }
}

impl Connection {
    fn ping(&mut self, now: Instant, actions: &mut Actions) {
        self.pings += 1;
        self.append(actions, |out| out.extend_from_slice(&crate::packet::PINGREQ));
        self.keep_alive.pinged(now);
    }

    /// Appends a packet, and keeps count of the stream's position; says how many bytes it has.
    fn append(&mut self, actions: &mut Actions, encode: impl FnOnce(&mut Vec<u8>)) -> usize {
        let before = actions.out.len();
        encode(&mut actions.out);
        trace::sent(&actions.out[before..]);
        let size = actions.out.len() - before;
        self.appended += size as u64;
        size
    }

    /// Whether the server's receive maximum is used up.
    fn is_full(&self) -> bool {
        self.in_use >= self.limits.receive_maximum.into()
    }

    /// How the topic of a publish that is written next goes out.
    fn alias(&mut self, publish: &Publish, expiry_secs: Option<u32>) -> Alias {
        if self.limits.topic_alias_maximum == 0 {
            return Alias::None;
        }
        let longest = Header { id: 1, dup: false, alias: Alias::Set(1), expiry_secs };
        if self.limits.check_size(publish.stored.size(&longest)).is_err() {
            return Alias::None;
        }
        self.aliases.choose(publish.stored.topic())
    }
}
