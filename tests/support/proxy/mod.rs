//! A TCP proxy between a client and a server that does to their bytes what networks do: delays them, holds them up,
//! loses the connection in the middle of them. What it is not told to change passes unchanged, TLS or not.

mod packets;
mod pump;

use super::LIMIT;
use pump::{Connection, End};
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A fault may have to wait for a client that waits itself, or for a server that is down.
const PATIENCE: Duration = Duration::from_secs(3 * LIMIT.as_secs());

/// The way that bytes take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    Up = 0,
    /// From the server to the client.
    Down = 1,
}

/// What befalls the bytes of one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Both ends are closed.
    Cut,
    /// Both ends are reset.
    Reset,
    /// Nothing passes for so long, or until the sender has closed: what it had sent then dies with it.
    Stall(Duration),
    /// Nothing passes any more, not even the end: the connection is half open.
    Swallow,
    /// So many bytes pass one by one, each after a pause: in segments of their own even without one.
    Drip { bytes: usize, pause: Duration },
    /// So many bytes, or what came in so long, pass as one.
    Merge { bytes: usize, within: Duration },
    /// These bytes come in between.
    Insert(Vec<u8>),
    /// The bits of this mask are turned over in the next byte.
    Flip(u8),
}

/// When a fault befalls the newest connection.
#[derive(Clone, Debug)]
pub struct Strike {
    pub direction: Direction,
    pub fault: Fault,
    /// After so many more bytes of its direction have passed.
    pub after: u64,
    /// Or after so long, if they have not.
    pub within: Duration,
    /// It waits for another connection than those that are open.
    pub next_connection: bool,
    /// It waits until an MQTT packet (without TLS) has passed whole.
    pub between_packets: bool,
}

impl Strike {
    /// At once.
    pub fn now(direction: Direction, fault: Fault) -> Self {
        let within = Duration::ZERO;
        Self { direction, fault, after: u64::MAX, within, next_connection: false, between_packets: false }
    }
}

/// What came into one direction, measured before any delay.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    pub bytes: u64,
    /// The longest time without a byte since the first one, the present moment included.
    pub longest_silence: Duration,
}

/// See the module.
pub struct Proxy {
    shared: Arc<Shared>,
    port: u16,
    /// Goes last, and takes every connection with it.
    _runtime: tokio::runtime::Runtime,
}

/// Told the number of a connection, and what came into one direction of it.
pub type Listener = Box<dyn FnMut(u64, &[u8]) + Send>;

struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
    /// For threads that wait.
    changed: Condvar,
    /// For pumps that wait.
    armed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    refusing: bool,
    /// Connections so far: the number of the newest one.
    opened: u64,
    live: BTreeMap<u64, Live>,
    lanes: [Lane; 2],
}

struct Live {
    end: watch::Sender<Option<End>>,
    /// A fault has befallen it.
    struck: bool,
}

#[derive(Default)]
struct Lane {
    delay: Duration,
    armed: Option<Armed>,
    bytes: u64,
    last: Option<Instant>,
    longest_silence: Duration,
    listener: Option<Listener>,
}

struct Armed {
    strike: Strike,
    until: Instant,
    /// The first connection that it may befall.
    from: u64,
}

impl Proxy {
    /// Opens a port on loopback that leads to this one.
    pub fn to(server_port: u16) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            server: (Ipv4Addr::LOCALHOST, server_port).into(),
            state: Mutex::default(),
            changed: Condvar::new(),
            armed: watch::channel(()).0,
        });
        runtime.spawn(accept(listener, shared.clone()));
        Self { shared, port, _runtime: runtime }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on each byte takes so long: latency, which leaves the throughput as it is.
    pub fn delay(&self, direction: Direction, delay: Duration) {
        self.shared.lock().lanes[direction as usize].delay = delay;
    }

    /// Arms a fault, in place of the one that its direction still waits for.
    pub fn strike(&self, strike: Strike) {
        {
            let mut state = self.shared.lock();
            let from = if strike.next_connection { state.opened + 1 } else { 0 };
            let until = Instant::now() + strike.within;
            let lane = &mut state.lanes[strike.direction as usize];
            lane.armed = Some(Armed { strike, until, from });
        }
        self.shared.armed.send_replace(());
    }

    /// Waits until no fault is armed any more.
    pub fn wait_struck(&self) {
        self.wait("the fault befalls", |state| state.lanes.iter().all(|lane| lane.armed.is_none()));
    }

    /// How many connections there were.
    pub fn opened(&self) -> u64 {
        self.shared.lock().opened
    }

    /// Waits until there were more than so many.
    pub fn wait_opened(&self, more_than: u64) {
        self.wait("another connection", |state| state.opened > more_than);
    }

    /// Ends the connections that a fault has befallen, and lets everything pass from now on.
    pub fn heal(&self) {
        let mut state = self.shared.lock();
        state.lanes.iter_mut().for_each(|lane| lane.armed = None);
        for live in state.live.values().filter(|live| live.struck) {
            live.end.send_replace(Some(End::Close));
        }
    }

    /// Whether further connections are closed at once.
    pub fn refuse(&self, refusing: bool) {
        self.shared.lock().refusing = refusing;
    }

    pub fn traffic(&self, direction: Direction) -> Traffic {
        let state = self.shared.lock();
        let lane = &state.lanes[direction as usize];
        let silence = lane.last.map_or(Duration::ZERO, |last| last.elapsed());
        Traffic { bytes: lane.bytes, longest_silence: lane.longest_silence.max(silence) }
    }

    /// Has somebody listen to one direction, before any delay or fault.
    pub fn listen(&self, direction: Direction, listener: Listener) {
        self.shared.lock().lanes[direction as usize].listener = Some(listener);
    }

    /// Measures the traffic anew.
    pub fn reset_traffic(&self) {
        for lane in &mut self.shared.lock().lanes {
            (lane.bytes, lane.last, lane.longest_silence) = (0, None, Duration::ZERO);
        }
    }

    fn wait(&self, what: &str, condition: impl Fn(&State) -> bool) {
        let (state, timeout) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), PATIENCE, |state| !condition(state))
            .unwrap();
        drop(state);
        assert!(!timeout.timed_out(), "never happened at the proxy: {what}");
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }
}

impl State {
    /// The strike that this connection has to expect.
    fn armed(&mut self, connection: u64, direction: Direction) -> Option<&mut Armed> {
        let newest = self.opened;
        self.lanes[direction as usize].armed.as_mut().filter(|a| connection == newest && connection >= a.from)
    }

    /// The fault that befalls this connection because its time is over.
    fn take_due(&mut self, connection: u64, direction: Direction) -> Option<Fault> {
        let due = self.armed(connection, direction)?.until <= Instant::now();
        if due { self.take(connection, direction) } else { None }
    }

    fn take(&mut self, connection: u64, direction: Direction) -> Option<Fault> {
        let armed = self.lanes[direction as usize].armed.take()?;
        if let Some(live) = self.live.get_mut(&connection) {
            live.struck = true;
        }
        Some(armed.strike.fault)
    }
}

impl Lane {
    fn note(&mut self, connection: u64, bytes: &[u8]) {
        let now = Instant::now();
        if let Some(last) = self.last.replace(now) {
            self.longest_silence = self.longest_silence.max(now - last);
        }
        self.bytes += bytes.len() as u64;
        // Last: who waits for it finds the counters as they are then.
        if let Some(listener) = &mut self.listener {
            listener(connection, bytes);
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        if !shared.lock().refusing {
            tokio::spawn(serve(client, shared.clone()));
        }
    }
}

async fn serve(client: TcpStream, shared: Arc<Shared>) {
    let (end, ended) = watch::channel(None);
    let number = shared.change(|state| {
        state.opened += 1;
        state.live.insert(state.opened, Live { end, struck: false });
        state.opened
    });
    if let Ok(server) = connect(shared.server).await {
        Connection::new(shared.clone(), number, client, server).run(ended).await;
    }
    shared.change(|state| state.live.remove(&number));
}

async fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(server).await?;
    // Where nobody listens, the system may connect a socket to itself.
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}
