//! A live connection: bytes between the link and the session.

use super::handshake::Greeting;
use super::{Driver, End, FAREWELL};
use crate::link::{self, Stream};
use crate::packet::ReasonCode;
use crate::process::lock;
use crate::session::HIGH_WATER;
use crate::{ConnectionState, Error, ErrorKind, Result, read_buffer};
use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Of the buffers for what goes out and for what came in part, an idle client keeps no more.
const KEPT: usize = 4096;

/// For what still comes over a link after another one has taken the session over.
const LINGER: Duration = Duration::from_secs(5);

/// The link and what is half done on it.
struct Wire {
    stream: Box<dyn Stream>,
    /// The beginning of a packet whose end has not come.
    rest: Vec<u8>,
    /// Bytes of `actions.out` that the stream has taken and not yet flushed.
    taken: usize,
    timer: Pin<Box<Sleep>>,
    /// When the timer rings; it may ring too early, never too late.
    armed: Option<Instant>,
    /// When the server was last told anything.
    said: Instant,
    /// The clock has stood still since then.
    stood: bool,
    /// Why it is over, while another link greets the server; nothing is read or written any more.
    over: Option<Error>,
    /// The link before this one, as long as something may still come over it.
    old: Option<Box<Old>>,
    /// An earlier CONNECT had no answer: the server may read it yet.
    doubted: bool,
    /// Something was due, and what had come by then has been read.
    listened: bool,
    /// A write on a thread of the application failed; the I/O thread is still to hear of it.
    broken: Option<io::Error>,
}

/// A link whose session another one has taken over.
struct Old {
    stream: Box<dyn Stream>,
    rest: Vec<u8>,
    /// On the driver's clock, which stands still while nothing is read.
    until: std::time::Instant,
    session_present: bool,
}

impl Wire {
    fn new(stream: Box<dyn Stream>, doubted: bool) -> Self {
        Self {
            doubted,
            listened: false,
            broken: None,
            stream,
            rest: Vec::new(),
            taken: 0,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            armed: None,
            said: Instant::now(),
            stood: false,
            over: None,
            old: None,
        }
    }

    /// What a large packet needed is not kept for ever.
    fn keep_little(&mut self) {
        if self.rest.is_empty() && self.rest.capacity() > KEPT {
            self.rest = Vec::new();
        }
    }
}

/// What a turn brought.
#[derive(Default)]
struct Turn {
    written: usize,
    failed: Option<Error>,
    /// What came of another link's CONNECT.
    greeted: Option<Result<Box<Greeting>>>,
}

impl Driver {
    /// `again`: a connection was there before.
    pub(super) async fn serve(&mut self, greeting: Box<Greeting>, again: bool) -> End {
        let since = Instant::now();
        // An idle client carries the wire through its waits, and no room for a greeting (whose box ends with this block) or
        // a farewell.
        let mut wire = {
            let greeting = greeting;
            self.welcome(*greeting, again)
        };
        let end = self.turns(&mut wire).await;
        self.clock.stand(false);
        if let Some(error) = end {
            let error = self.own_takeover(error, wire.doubted);
            self.end_renewal(&error);
            if self.actions.out.len() > wire.taken {
                // A DISCONNECT that says what was wrong.
                let _ = Box::pin(tokio::time::timeout(FAREWELL, self.drain(&mut wire))).await;
            }
            self.drop_output(&wire);
            self.lost();
            self.offline();
            return End::Lost { error, lived: since.elapsed() };
        }
        self.cut_renewal_short();
        if !self.closing() {
            self.enter(ConnectionState::Disconnecting);
            Box::pin(self.part(&mut wire)).await;
        }
        self.drop_output(&wire);
        End::Left
    }

    /// The beginning of a connection.
    fn welcome(&mut self, greeting: Greeting, again: bool) -> Wire {
        let Greeting { link, limits, session_present, doubted, rest, .. } = greeting;
        let mut wire = Wire::new(link.stream, doubted);
        tracing::info!(peer = %link.peer, session_present, "connected");
        let now = self.clock.now();
        self.actions.out.clear();
        if doubted {
            self.session.doubt();
        }
        self.session.connected(limits, session_present, now, &mut self.actions);
        self.forget_receipts();
        self.enter(ConnectionState::Connected);
        self.succeeded(session_present, again, &link.peer.to_string());
        self.online();
        for completion in std::mem::take(&mut self.connects) {
            completion.complete(crate::completion::Ack::SENT);
        }
        self.take_in(&mut wire, &rest);
        wire
    }

    /// The connection is over. What the stream had taken may have arrived, though it never said that it is out.
    fn drop_output(&mut self, wire: &Wire) {
        self.actions.tally.wire_sent += wire.taken as u64;
        let now = self.clock.now();
        self.session.taken(wire.taken, now, &mut self.actions);
        self.actions.out.clear();
        self.actions.end = None;
    }

    fn online(&self) {
        lock(&self.shared.inbox).takes_qos0 = true;
    }

    /// QoS 0 messages do not wait for the next connection, unless the options say so.
    pub(super) fn offline(&mut self) {
        if self.shared.settings.keep_offline_qos0 {
            return;
        }
        let waiting = {
            let mut inbox = lock(&self.shared.inbox);
            inbox.takes_qos0 = false;
            inbox.queue.drain_at_most_once()
        };
        let error = Error::new(
            ErrorKind::Dropped,
            "the connection was lost, and QoS 0 does not wait for the next one: see gecko_mqtt_options_set_offline_qos0",
        );
        let before = self.actions.tally.failed;
        self.session.drop_at_most_once(&error, &mut self.actions);
        self.end_queued(waiting, &error);
        self.actions.tally.offline += self.actions.tally.failed - before;
        self.settle();
    }

    /// Goes on until the connection ends (with an error) or the application leaves.
    async fn turns(&mut self, wire: &mut Wire) -> Option<Error> {
        loop {
            self.absorb();
            if let Some(error) = self.actions.end.take() {
                self.settle();
                if !self.outlives(wire, error.clone()) {
                    return Some(error);
                }
            }
            self.renew(wire.over.is_some());
            self.draw();
            self.settle();
            if self.closing() || self.must_leave() {
                return None;
            }
            // What was read is in the cache, and its buffer will serve for the next read. Where this thread had to wait for the
            // CPU, what it is due to miss may have come.
            if self.shared.mailbox.wants_round() || wire.listened {
                tokio::task::yield_now().await;
            }
            let paused = self.must_pause();
            self.clock.stand(paused);
            wire.stood |= paused;
            let express = &self.shared.express;
            express.open.store(self.allows_express(wire), Ordering::Release);
            express.full.store(wire.over.is_none() && self.actions.out.len() >= HIGH_WATER, Ordering::SeqCst);
            let turn = std::future::poll_fn(|cx| match self.shared.express.asked.load(Ordering::Relaxed) {
                true => self.poll_express(wire, cx),
                false => self.poll_turn(wire, paused, cx),
            })
            .await;
            self.shared.express.close();
            if turn.written > 0 {
                self.wrote(turn.written);
            }
            if let Some(error) = turn.failed {
                // The server's last words say more than the broken pipe behind them.
                let error = self.actions.end.take().unwrap_or(error);
                self.settle();
                if !self.outlives(wire, error.clone()) {
                    return Some(error);
                }
            }
            match turn.greeted {
                Some(Ok(greeting)) => self.change_over(wire, *greeting),
                Some(Err(error)) => {
                    tracing::debug!(%error, reason_code = error.reason_code(), "rotating: the second connection was refused");
                    if wire.over.take().is_some() {
                        return Some(error);
                    }
                    self.renewal_refused(&error);
                }
                None => {}
            }
            if self.sign_of_life(wire).is_some_and(|due| due <= Instant::now()) {
                (wire.said, wire.stood) = (Instant::now(), false);
                self.session.stay_awake(&mut self.actions);
            }
            let now = self.clock.now();
            let due = !paused
                && wire.over.is_none()
                && self.session.deadline().is_some_and(|deadline| deadline <= now);
            if due && wire.listened {
                self.session.time(now, &mut self.actions);
            }
            wire.listened = due && !wire.listened;
        }
    }

    /// When the server is told that the client lives, where the clock by which the session would do so has stood still.
    fn sign_of_life(&self, wire: &Wire) -> Option<Instant> {
        self.session.keep_alive().filter(|_| wire.stood).map(|interval| wire.said + interval)
    }

    /// While another link greets the server, the end of this one is what the server is expected to bring about, and no
    /// end of the connection.
    fn outlives(&mut self, wire: &mut Wire, error: Error) -> bool {
        if !self.renewal.is_greeting() {
            return false;
        }
        tracing::debug!(%error, reason_code = error.reason_code(), "rotating: the first link has ended");
        wire.over.get_or_insert(error);
        true
    }

    /// A CONNECT of our own that came to nothing, for this connection or before it, may have ended it all the same.
    fn own_takeover(&self, error: Error, doubted: bool) -> Error {
        let ours = self.renewal.disputed || doubted;
        if !ours || error.kind() != ErrorKind::SessionTakenOver {
            return error;
        }
        let message =
            "the server gave the session to another connection of this client, which had been given up";
        Error::new(ErrorKind::ConnectionLost, message)
    }

    /// The session goes on over another link.
    fn change_over(&mut self, wire: &mut Wire, greeting: Greeting) {
        let Greeting { link, limits, session_present, assigned, doubted, rest } = greeting;
        self.adopt(assigned);
        self.shared.origin.next_connection();
        tracing::debug!(peer = %link.peer, session_present, "rotating: the second link carries the session");
        let first = std::mem::replace(wire, Wire::new(link.stream, doubted));
        let now = self.clock.now();
        self.drop_output(&first);
        if first.over.is_none() {
            let Wire { stream, rest, .. } = first;
            wire.old = Some(Box::new(Old { stream, rest, until: now + LINGER, session_present }));
        }
        self.lost();
        if doubted {
            self.session.doubt();
        }
        self.session.connected(limits, session_present, now, &mut self.actions);
        self.forget_receipts();
        self.renewed(session_present);
        self.take_in(wire, &rest);
    }

    /// Does whatever can be done now: ready when something was.
    fn poll_turn(&mut self, wire: &mut Wire, paused: bool, cx: &mut Context<'_>) -> Poll<Turn> {
        let mut turn = Turn::default();
        let mut progress = self.shared.bell.poll_rung(cx).is_ready();
        if let Poll::Ready(greeted) = self.poll_renewal(cx) {
            progress = true;
            turn.greeted = greeted;
            if turn.greeted.is_some() {
                // What comes of it first: this link may have ended because of it, which is no loss then.
                return Poll::Ready(turn);
            }
        }
        if !paused {
            progress |= self.poll_old(wire, cx).is_ready();
        }
        if let Some(error) = wire.broken.take() {
            turn.failed = Some(link::explain(error));
        } else if wire.over.is_none() {
            match self.poll_write(wire, cx) {
                Poll::Ready(Ok(written)) => {
                    progress |= written > 0;
                    turn.written = written;
                }
                Poll::Ready(Err(error)) => turn.failed = Some(link::explain(error)),
                Poll::Pending => {}
            }
        }
        // Acknowledgements are bounded by what was read: a server that reads nothing is read no further.
        if !paused && wire.over.is_none() && self.actions.out.len() < 2 * HIGH_WATER {
            match self.poll_read(wire, cx) {
                Poll::Ready(Ok(0)) => {
                    turn.failed.get_or_insert_with(|| link::explain(io::ErrorKind::UnexpectedEof.into()));
                }
                Poll::Ready(Ok(_)) => progress = true,
                // Says more than the write that failed because of it.
                Poll::Ready(Err(error)) => turn.failed = Some(link::explain(error)),
                Poll::Pending => {}
            }
        }
        progress |= self.poll_timer(wire, cx).is_ready();
        if progress || turn.failed.is_some() { Poll::Ready(turn) } else { Poll::Pending }
    }

    /// So many bytes are out for good.
    fn wrote(&mut self, count: usize) {
        self.actions.tally.wire_sent += count as u64;
        let now = self.clock.now();
        self.session.written(count, now, &mut self.actions);
    }

    /// Whether a thread that publishes may write by itself.
    fn allows_express(&self, wire: &Wire) -> bool {
        let quiet = wire.over.is_none() && self.farewell.is_none() && self.actions.out.is_empty();
        // What is logged on the way may call a logger that waits for whoever publishes.
        let logged = tracing::enabled!(target: "gecko_mqtt::session::outgoing", tracing::Level::DEBUG)
            || tracing::enabled!(target: "gecko_mqtt::packet::trace", tracing::Level::TRACE);
        quiet && !logged
    }

    /// On a thread that publishes: writes what waits in the queue, and leaves all else to the I/O thread.
    fn poll_express(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<Turn> {
        if !self.actions.out.is_empty() || wire.broken.is_some() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.draw();
        match self.poll_write(wire, cx) {
            Poll::Ready(Ok(written)) => self.wrote(written),
            Poll::Ready(Err(error)) => wire.broken = Some(error),
            Poll::Pending => {}
        }
        // Also of what is not written at all, as it is not legal here.
        self.settle_accounts();
        self.tell_done();
        if wire.broken.is_some() || self.actions.end.is_some() || self.poll_timer(wire, cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Writes as much as the stream takes; ready with the bytes that are out for good, once there are some.
    fn poll_write(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let out = &mut self.actions.out;
        while wire.taken < out.len() {
            match Pin::new(&mut *wire.stream).poll_write(cx, &out[wire.taken..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => wire.taken += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => break,
            }
        }
        if wire.taken == 0 {
            return Poll::Pending;
        }
        ready!(Pin::new(&mut *wire.stream).poll_flush(cx))?;
        let written = std::mem::take(&mut wire.taken);
        (wire.said, wire.stood) = (Instant::now(), false);
        out.drain(..written);
        // What a burst needed is not kept for ever.
        if out.is_empty() && out.capacity() > KEPT && written < out.capacity() / 8 {
            *out = Vec::new();
        }
        Poll::Ready(Ok(written))
    }

    /// Reads once from the link before; ready when something came, or it is over.
    fn poll_old(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<()> {
        let Some(old) = &mut wire.old else { return Poll::Pending };
        let mut buffer = read_buffer::take();
        let mut filled = ReadBuf::new(&mut buffer);
        let came = Pin::new(&mut *old.stream).poll_read(cx, &mut filled).map(|read| {
            let bytes = filled.filled();
            self.actions.tally.wire_received += bytes.len() as u64;
            old.rest.extend_from_slice(bytes);
            let used = self.session.receive_stray(&old.rest, old.session_present, &mut self.actions);
            old.rest.drain(..used.unwrap_or(0));
            used.is_some() && read.is_ok() && !bytes.is_empty()
        });
        read_buffer::give_back(buffer);
        match came {
            Poll::Ready(true) => return Poll::Ready(()),
            Poll::Pending if self.clock.now() < old.until => return Poll::Pending,
            // A server that did not take the session over is told that this is no accident.
            Poll::Pending => {
                let farewell = [0xE0, 0];
                let _ = Pin::new(&mut *old.stream).poll_write(cx, &farewell);
                let _ = Pin::new(&mut *old.stream).poll_flush(cx);
            }
            Poll::Ready(false) => {}
        }
        wire.old = None;
        Poll::Ready(())
    }

    /// Reads once and has the session take it in.
    fn poll_read(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut buffer = read_buffer::take();
        let came = self.poll_read_into(wire, &mut buffer, cx);
        read_buffer::give_back(buffer);
        came
    }

    fn poll_read_into(
        &mut self,
        wire: &mut Wire,
        buffer: &mut Vec<u8>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        // The beginning of a packet goes in front of its end, unless it leaves too little room for that.
        let begun = if wire.rest.len() > read_buffer::SIZE / 4 { 0 } else { wire.rest.len() };
        let mut filled = ReadBuf::new(&mut buffer[begun..]);
        ready!(Pin::new(&mut *wire.stream).poll_read(cx, &mut filled))?;
        let count = filled.filled().len();
        if begun == wire.rest.len() {
            buffer[..begun].copy_from_slice(&wire.rest);
            self.actions.tally.wire_received += count as u64;
            let now = self.clock.now();
            self.session.receive_buffer(buffer, begun + count, &mut wire.rest, now, &mut self.actions);
            wire.keep_little();
        } else {
            self.take_in(wire, &buffer[..count]);
        }
        Poll::Ready(Ok(count))
    }

    fn take_in(&mut self, wire: &mut Wire, bytes: &[u8]) {
        self.actions.tally.wire_received += bytes.len() as u64;
        let now = self.clock.now();
        wire.rest.extend_from_slice(bytes);
        let used = self.session.receive(&wire.rest, now, &mut self.actions);
        wire.rest.drain(..used);
        wire.keep_little();
    }

    /// Ready when the session, or the end of a farewell's time, is due.
    fn poll_timer(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<()> {
        let session = self.session.deadline().filter(|_| wire.over.is_none());
        let old = wire.old.as_ref().map(|old| old.until);
        let session = session.into_iter().chain(old).min().and_then(|due| self.clock.real(due));
        let farewell = self.farewell.as_ref().map(|farewell| Instant::from_std(farewell.until));
        let renewal = self.renewal_deadline();
        let Some(due) =
            session.into_iter().chain(farewell).chain(self.sign_of_life(wire)).chain(renewal).min()
        else {
            return Poll::Pending;
        };
        if wire.armed.is_none_or(|armed| due < armed) {
            wire.timer.as_mut().reset(due);
            wire.armed = Some(due);
        }
        while wire.timer.as_mut().poll(cx).is_ready() {
            if due <= Instant::now() {
                wire.armed = None;
                return Poll::Ready(());
            }
            wire.timer.as_mut().reset(due);
            wire.armed = Some(due);
        }
        Poll::Pending
    }

    /// Writes everything that is in the buffer.
    async fn drain(&mut self, wire: &mut Wire) -> io::Result<()> {
        while wire.taken < self.actions.out.len() {
            match wire.stream.write(&self.actions.out[wire.taken..]).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => wire.taken += count,
            }
        }
        wire.stream.flush().await
    }

    /// DISCONNECT, and the end of the stream, within a bounded time.
    async fn part(&mut self, wire: &mut Wire) {
        // With clean start the session ends here, on the server too; without, it waits for the next connection.
        let session_expiry_secs = self.shared.settings.clean_start.then_some(0);
        self.session.disconnect(ReasonCode(0), session_expiry_secs, &mut self.actions);
        let left = self.farewell.as_ref().map_or(FAREWELL, |farewell| {
            farewell.until.saturating_duration_since(Instant::now().into_std()).clamp(FAREWELL / 5, FAREWELL)
        });
        let parting = async {
            self.drain(wire).await?;
            wire.stream.shutdown().await
        };
        let _ = tokio::time::timeout(left, parting).await;
    }
}
