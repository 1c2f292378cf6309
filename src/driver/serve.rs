//! A live connection: bytes between the link and the session.

use super::handshake::Greeting;
use super::{Driver, End, FAREWELL};
use crate::link::{self, Stream};
use crate::packet::ReasonCode;
use crate::process::lock;
use crate::session::HIGH_WATER;
use crate::{ConnectionState, Error};
use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, Sleep};

/// What one read can bring.
const READ: usize = 64 * 1024;

thread_local! {
    /// All clients read into the same buffer, one after the other: an idle one needs none of its own.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

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
    /// While nothing is read: when the server is told that the client lives.
    awake: Option<Instant>,
}

/// What a turn brought.
#[derive(Default)]
struct Turn {
    written: usize,
    failed: Option<Error>,
}

impl Driver {
    pub(super) async fn serve(&mut self, greeting: Greeting) -> End {
        let Greeting { link, limits, session_present, rest, pace } = greeting;
        let since = Instant::now();
        let mut wire = Wire {
            stream: link.stream,
            rest: Vec::new(),
            taken: 0,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            armed: None,
            awake: None,
        };
        tracing::info!(client_id = self.shared.client_id(), peer = %link.peer, session_present, "connected");
        let now = self.clock.now();
        self.actions.out.clear();
        self.session.set_pace(pace);
        self.session.connected(limits, session_present, now, &mut self.actions);
        self.enter(ConnectionState::Connected);
        for completion in self.connects.drain(..) {
            completion.complete(crate::completion::Ack::SENT);
        }
        self.take_in(&mut wire, &rest);
        let end = self.turns(&mut wire).await;
        self.clock.stand(false);
        self.connected = false;
        if let Some(error) = end {
            if self.actions.out.len() > wire.taken {
                // A DISCONNECT that says what was wrong.
                let _ = tokio::time::timeout(FAREWELL, self.drain(&mut wire)).await;
            }
            self.settle_taken(&mut wire);
            self.actions.out.clear();
            self.actions.end = None;
            self.session.lost();
            return End::Lost { error, lived: since.elapsed() };
        }
        if !self.closing() {
            self.enter(ConnectionState::Disconnecting);
            self.part(&mut wire).await;
        }
        self.actions.out.clear();
        self.actions.end = None;
        End::Left
    }

    /// Goes on until the connection ends (with an error) or the application leaves.
    async fn turns(&mut self, wire: &mut Wire) -> Option<Error> {
        loop {
            self.absorb();
            if let Some(error) = self.actions.end.take() {
                self.settle();
                return Some(error);
            }
            self.draw();
            self.settle();
            if self.closing() || self.may_part() {
                return None;
            }
            let paused = self.must_pause();
            self.clock.stand(paused);
            wire.awake = match (paused, self.session.keep_alive()) {
                (true, Some(interval)) => wire.awake.or_else(|| Some(Instant::now() + interval)),
                _ => None,
            };
            let turn = std::future::poll_fn(|cx| self.poll_turn(wire, paused, cx)).await;
            if turn.written > 0 {
                let now = self.clock.now();
                self.session.written(turn.written, now, &mut self.actions);
            }
            if let Some(error) = turn.failed {
                // The server's last words say more than the broken pipe behind them.
                let error = self.actions.end.take().unwrap_or(error);
                self.settle();
                return Some(error);
            }
            if wire.awake.is_some_and(|awake| awake <= Instant::now()) {
                wire.awake = None;
                self.session.stay_awake(&mut self.actions);
            }
            let now = self.clock.now();
            if !paused && self.session.deadline().is_some_and(|deadline| deadline <= now) {
                self.session.time(now, &mut self.actions);
            }
        }
    }

    /// Whether the application wants to leave, and nothing holds it up any more.
    fn may_part(&mut self) -> bool {
        let Some(farewell) = &self.farewell else { return false };
        let now = Instant::now().into_std();
        let busy = self.session.is_busy() || lock(&self.shared.inbox).queue.has_work(usize::MAX);
        !busy || now >= farewell.until
    }

    /// Does whatever can be done now: ready when something was.
    fn poll_turn(&mut self, wire: &mut Wire, paused: bool, cx: &mut Context<'_>) -> Poll<Turn> {
        let mut turn = Turn::default();
        let mut progress = self.shared.bell.poll_rung(cx).is_ready();
        match self.poll_write(wire, cx) {
            Poll::Ready(Ok(written)) => {
                progress |= written > 0;
                turn.written = written;
            }
            Poll::Ready(Err(error)) => turn.failed = Some(link::explain(error)),
            Poll::Pending => {}
        }
        // Acknowledgements are bounded by what was read: a server that reads nothing is read no further.
        if !paused && self.actions.out.len() < 2 * HIGH_WATER {
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
        out.drain(..written);
        Poll::Ready(Ok(written))
    }

    /// Reads once and has the session take it in.
    fn poll_read(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.resize(READ, 0);
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(&mut *wire.stream).poll_read(cx, &mut buffer))?;
            let count = buffer.filled().len();
            self.take_in(wire, &scratch[..count]);
            Poll::Ready(Ok(count))
        })
    }

    fn take_in(&mut self, wire: &mut Wire, bytes: &[u8]) {
        let now = self.clock.now();
        if wire.rest.is_empty() {
            let used = self.session.receive(bytes, now, &mut self.actions);
            wire.rest.extend_from_slice(&bytes[used..]);
        } else {
            wire.rest.extend_from_slice(bytes);
            let used = self.session.receive(&wire.rest, now, &mut self.actions);
            wire.rest.drain(..used);
        }
        if wire.rest.is_empty() && wire.rest.capacity() > 4096 {
            wire.rest = Vec::new();
        }
    }

    /// Ready when the session, or the end of a farewell's time, is due.
    fn poll_timer(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<()> {
        let session = self.session.deadline().and_then(|deadline| self.clock.real(deadline));
        let farewell = self.farewell.as_ref().map(|farewell| Instant::from_std(farewell.until));
        let Some(due) = session.into_iter().chain(farewell).chain(wire.awake).min() else {
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

    /// The end of the stream. What it has taken may have arrived: of QoS 0 no other connection repeats it.
    fn settle_taken(&mut self, wire: &mut Wire) {
        let (taken, now) = (std::mem::take(&mut wire.taken), self.clock.now());
        self.session.written_last(taken, now, &mut self.actions);
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
        self.settle_taken(wire);
    }
}
