//! One connection: two pumps, one each way, and what befalls the bytes in them.

use super::packets::Packets;
use super::{Direction, Fault, Shared};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// Chunks that are under way in one direction; reading waits above that.
const CHUNKS: usize = 256;
const CHUNK: usize = 16 * 1024;

/// How a connection ends before its ends want it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Close,
    Reset,
}

pub struct Connection {
    shared: Arc<Shared>,
    number: u64,
    client: TcpStream,
    server: TcpStream,
}

impl Connection {
    pub fn new(shared: Arc<Shared>, number: u64, client: TcpStream, server: TcpStream) -> Self {
        Self { shared, number, client, server }
    }

    /// Until both ends have closed, a fault ends it, or somebody says so.
    pub async fn run(mut self, mut told: watch::Receiver<Option<End>>) {
        for stream in [&self.client, &self.server] {
            let _ = stream.set_nodelay(true);
        }
        let (from_client, to_client) = self.client.split();
        let (from_server, to_server) = self.server.split();
        let pumps = async {
            tokio::try_join!(
                pump(&self.shared, self.number, Direction::Up, from_client, to_server),
                pump(&self.shared, self.number, Direction::Down, from_server, to_client),
            )
        };
        let end = tokio::select! {
            ended = pumps => ended.err(),
            end = told.wait_for(Option::is_some) => end.ok().and_then(|end| *end),
        };
        if end == Some(End::Reset) {
            for stream in [&self.client, &self.server] {
                let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
            }
        }
    }
}

async fn pump(
    shared: &Shared,
    number: u64,
    direction: Direction,
    from: impl AsyncRead + Unpin,
    to: impl AsyncWrite + Unpin,
) -> Result<(), End> {
    let (send, chunks) = mpsc::channel(CHUNKS);
    let (end, ended) = watch::channel(false);
    let spout = Spout {
        shared,
        number,
        direction,
        chunks,
        ended,
        waiting: None,
        to,
        packets: Packets::default(),
        drip: (0, Duration::ZERO),
        flip: 0,
        deaf: false,
        silent: false,
    };
    tokio::try_join!(intake(shared, number, direction, from, send, end), spout.run()).map(|_| ())
}

/// Reads as long as there is something, so that the end is seen whatever holds up the bytes before it.
async fn intake(
    shared: &Shared,
    number: u64,
    direction: Direction,
    mut from: impl AsyncRead + Unpin,
    chunks: mpsc::Sender<(Instant, Vec<u8>)>,
    end: watch::Sender<bool>,
) -> Result<(), End> {
    let mut buffer = vec![0; CHUNK];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let delay = shared.change(|state| {
            let lane = &mut state.lanes[direction as usize];
            lane.note(number, &buffer[..count]);
            lane.delay
        });
        if chunks.send((Instant::now() + delay, buffer[..count].to_vec())).await.is_err() {
            break;
        }
    }
    end.send_replace(true);
    Ok(())
}

/// Where the bytes of one direction come out.
struct Spout<'a, W> {
    shared: &'a Shared,
    number: u64,
    direction: Direction,
    chunks: mpsc::Receiver<(Instant, Vec<u8>)>,
    /// The sender has closed.
    ended: watch::Receiver<bool>,
    /// The first chunk whose time has not come.
    waiting: Option<(Instant, Vec<u8>)>,
    to: W,
    packets: Packets,
    drip: (usize, Duration),
    flip: u8,
    /// Nothing passes any more.
    deaf: bool,
    /// Nor does the end.
    silent: bool,
}

impl<W: AsyncWrite + Unpin> Spout<'_, W> {
    async fn run(mut self) -> Result<(), End> {
        let mut armed = self.shared.armed.subscribe();
        loop {
            armed.borrow_and_update();
            let due = self.due();
            tokio::select! {
                biased;
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    let fault = self.shared.change(|state| state.take_due(self.number, self.direction));
                    if let Some(fault) = fault {
                        self.befall(fault, &mut &[][..]).await?;
                    }
                }
                _ = armed.changed() => {}
                chunk = self.chunk() => match chunk {
                    Some(chunk) => self.pass(&chunk).await?,
                    None => break,
                },
            }
        }
        if !self.silent {
            let _ = self.to.shutdown().await;
        }
        Ok(())
    }

    /// The next chunk when its time has come. Nothing is lost when this is cancelled.
    async fn chunk(&mut self) -> Option<Vec<u8>> {
        if self.waiting.is_none() {
            self.waiting = Some(self.chunks.recv().await?);
        }
        let due = self.waiting.as_ref()?.0;
        if due > Instant::now() {
            sleep_until(due).await;
        }
        self.waiting.take().map(|(_, chunk)| chunk)
    }

    /// When the armed fault befalls this connection, should no bytes pass before.
    fn due(&self) -> Option<Instant> {
        let mut state = self.shared.lock();
        let armed = state.armed(self.number, self.direction)?;
        let possible = !armed.strike.between_packets || self.packets.at_boundary();
        possible.then(|| armed.until.into())
    }

    async fn pass(&mut self, mut chunk: &[u8]) -> Result<(), End> {
        while !chunk.is_empty() {
            let (count, fault) = self.strike(chunk);
            let (now, later) = chunk.split_at(count);
            self.packets.pass(now);
            self.write(now).await;
            chunk = later;
            if let Some(fault) = fault {
                self.befall(fault, &mut chunk).await?;
            }
        }
        Ok(())
    }

    /// How many bytes pass before a fault, and the fault.
    fn strike(&self, bytes: &[u8]) -> (usize, Option<Fault>) {
        let mut state = self.shared.lock();
        let Some(armed) = state.armed(self.number, self.direction) else { return (bytes.len(), None) };
        let after = usize::try_from(armed.strike.after).unwrap_or(usize::MAX).min(bytes.len());
        armed.strike.after -= after as u64;
        let at = match armed.strike.between_packets {
            _ if after == bytes.len() => None,
            true => self.packets.boundary(bytes, after),
            false => Some(after),
        };
        let Some(at) = at else { return (bytes.len(), None) };
        let fault = state.take(self.number, self.direction);
        self.shared.changed.notify_all();
        (at, fault)
    }

    /// Before `next`, of which it may take some.
    async fn befall(&mut self, fault: Fault, next: &mut &[u8]) -> Result<(), End> {
        match fault {
            Fault::Cut => return Err(End::Close),
            Fault::Reset => return Err(End::Reset),
            Fault::Stall(time) => {
                let dead = tokio::select! {
                    () = sleep(time) => false,
                    _ = self.ended.wait_for(|ended| *ended) => true,
                };
                self.deaf |= dead;
            }
            Fault::Swallow => (self.deaf, self.silent) = (true, true),
            Fault::Drip { bytes, pause } => self.drip = (bytes, pause),
            Fault::Merge { bytes, within } => {
                let until = Instant::now() + within;
                let mut all = std::mem::take(next).to_vec();
                while all.len() < bytes {
                    let Ok(Some(chunk)) = timeout_at(until, self.chunk()).await else { break };
                    all.extend_from_slice(&chunk);
                }
                self.packets.pass(&all);
                self.write(&all).await;
            }
            Fault::Insert(bytes) => self.write(&bytes).await,
            Fault::Flip(mask) => self.flip = mask,
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        if let Some(first) = bytes.first_mut() {
            *first ^= std::mem::take(&mut self.flip);
        }
        let slow = bytes.len().min(self.drip.0);
        for byte in &bytes[..slow] {
            self.drip.0 -= 1;
            self.put(&[*byte]).await;
            if self.drip.1.is_zero() {
                tokio::task::yield_now().await;
            } else {
                sleep(self.drip.1).await;
                self.deaf |= *self.ended.borrow();
            }
        }
        self.put(&bytes[slow..]).await;
    }

    async fn put(&mut self, bytes: &[u8]) {
        // Whoever writes to the dead is not told at once.
        if !self.deaf && self.to.write_all(bytes).await.is_err() {
            self.deaf = true;
        }
    }
}
