//! What every live test needs: a simulator, a mosquitto, clients whose messages and states can be waited for, a network
//! that fails.
// Every test program uses a part of it.
#![allow(dead_code)]

pub mod proxy;

pub mod traces;

use gecko_iot_sim::{Config, ConnectFault, ConnectionEnd, Simulator};
use gecko_mqtt::{
    Client, Completion, ConnectionState, Error, ErrorKind, Message, MessageListener, Options, QoS,
    Subscription, Wait,
};
use std::net::{TcpListener, TcpStream};
use std::ops::Deref;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Nothing here takes so long, unless it is broken.
pub const LIMIT: Duration = Duration::from_secs(20);
pub const WAIT: Wait = Wait::For(LIMIT);
/// A delay until the next attempt that no test lives to see: chance takes a part of it, however small.
pub const DAY_MS: u32 = 86_400_000;

/// A simulator with a runtime of its own.
pub struct Sim {
    runtime: tokio::runtime::Runtime,
    simulator: Option<Simulator>,
}

impl Sim {
    pub fn start(config: Config) -> Self {
        traces::begin();
        let config = Config { secrets_file: traces::secrets_file(), ..config };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let simulator = runtime.block_on(Simulator::start(config)).unwrap();
        Self { runtime, simulator: Some(simulator) }
    }

    pub fn aws() -> Self {
        Self::start(Config::default())
    }

    /// A broker by the book, with a port without TLS.
    pub fn generic() -> Self {
        Self::start(Config::generic_broker())
    }

    pub fn wait_until(&self, what: &str, condition: impl Fn(&Simulator) -> bool) {
        let met = self.runtime.block_on(self.deref().wait_until(LIMIT, condition));
        assert!(met, "never happened: {what}");
    }

    /// Ends the connection of the client "me", and lets it connect again when its session is forgotten, not before.
    pub fn lose_session(&self) {
        self.on_connects(usize::MAX, ConnectFault::Close);
        self.disconnect("me", ConnectionEnd::Close);
        self.wait_until("the connection is gone", |sim| {
            sim.session("me").is_none_or(|session| !session.connected)
        });
        self.forget_session("me");
        self.on_connects(0, ConnectFault::Close);
    }

    /// Options for its port without TLS.
    pub fn plain(&self) -> Options {
        let mut options = Options::default();
        options.set_broker_url(&format!("mqtt://127.0.0.1:{}", self.plain_port().unwrap())).unwrap();
        options
    }

    /// Options that trust it.
    pub fn trusting(&self) -> Options {
        let mut options = Options::default();
        options.set_endpoint("localhost").unwrap();
        options.set_ca_pem(self.ca_pem().as_bytes()).unwrap();
        options
    }

    /// Options with a token, as Gecko's cloud hands it out.
    pub fn by_token(&self) -> Options {
        let mut options = self.trusting();
        options.set_broker_url(&self.mint_token(Duration::from_secs(600)).unwrap().broker_url).unwrap();
        options
    }

    pub fn by_certificate(&self) -> Options {
        let mut options = self.trusting();
        let client = self.client();
        options.set_certificate_pem(client.certificate_pem.as_bytes(), client.key_pem.as_bytes()).unwrap();
        options.set_port(self.mtls_port()).unwrap();
        options
    }
}

impl Deref for Sim {
    type Target = Simulator;
    fn deref(&self) -> &Simulator {
        self.simulator.as_ref().unwrap()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        if let Some(simulator) = self.simulator.take() {
            self.runtime.block_on(simulator.stop());
        }
    }
}

/// A mosquitto on ports of its own, with and without TLS.
pub struct Mosquitto {
    child: Child,
    directory: Directory,
    pub port: u16,
    pub tls_port: u16,
    pub ca_pem: String,
}

/// A directory that goes with its test.
pub struct Directory(pub std::path::PathBuf);

impl Directory {
    pub fn new() -> Self {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("gecko-mqtt-test-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn write(&self, name: &str, contents: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Mosquitto {
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// With further lines in its configuration.
    pub fn start_with(lines: &str) -> Self {
        // Somebody else may take a port between our asking for it and mosquitto's binding to it.
        (0..5)
            .find_map(|_| Self::try_start(lines))
            .expect("mosquitto does not start: apt-get install mosquitto")
    }

    fn try_start(lines: &str) -> Option<Self> {
        let directory = Directory::new();
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = directory.write("server.pem", &cert.pem());
        let key = directory.write("server.key", &signing_key.serialize_pem());
        let (port, tls_port) = (free_port(), free_port());
        directory.write(
            "mosquitto.conf",
            &format!(
                "per_listener_settings false\nallow_anonymous true\nmax_queued_messages 0\n{lines}\
                 listener {port} 127.0.0.1\n\
                 listener {tls_port} 127.0.0.1\ncertfile {certificate}\nkeyfile {key}\n"
            ),
        );
        let child = launch(&directory, [port, tls_port])?;
        Some(Self { child, directory, port, tls_port, ca_pem: cert.pem() })
    }

    /// As `kill -9` does: it has no time to say or to save anything. Where it had written something, that arrives (Linux):
    /// it is stopped first, until the peers' systems have taken it.
    pub fn kill(&mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "mosquitto had ended by itself");
        let pid = self.child.id().to_string();
        assert!(Command::new("sh").args(["-c", "kill -STOP $0", &pid]).status().unwrap().success());
        let stat = format!("/proc/{pid}/stat");
        let stopped = || std::fs::read_to_string(&stat).unwrap().contains(") T ");
        let taken = || unsent([self.port, self.tls_port]) == 0;
        let deadline = Instant::now() + LIMIT;
        while !(stopped() && taken()) {
            assert!(Instant::now() < deadline, "what mosquitto has written is not taken");
            std::thread::yield_now();
        }
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Once more, on the same ports, and with nothing of what it knew.
    pub fn restart(&mut self) {
        // A connection that is not yet forgotten, or a client that tries to reach it, may hold a port for a moment.
        let deadline = Instant::now() + LIMIT;
        self.child = loop {
            if let Some(child) = launch(&self.directory, [self.port, self.tls_port]) {
                break child;
            }
            assert!(Instant::now() < deadline, "mosquitto does not start again");
        };
    }

    pub fn plain(&self) -> Options {
        let mut options = Options::default();
        options.set_broker_url(&format!("mqtt://127.0.0.1:{}", self.port)).unwrap();
        options
    }

    pub fn tls(&self) -> Options {
        let mut options = Options::default();
        options.set_broker_url(&format!("mqtts://localhost:{}", self.tls_port)).unwrap();
        options.set_ca_pem(self.ca_pem.as_bytes()).unwrap();
        options
    }
}

/// Bytes that were written to live connections of these ports, and which the peers' systems have not acknowledged.
fn unsent(ports: [u16; 2]) -> u64 {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let hex = |text: &str| u64::from_str_radix(text, 16).unwrap();
    let sockets = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let unsent = sockets.filter_map(|columns| {
        let (_, port) = columns[1].split_once(':')?;
        let (unsent, _) = columns[4].split_once(':')?;
        // Established, or closed by the peer alone.
        let live = matches!(columns[3], "01" | "08");
        (live && ports.iter().any(|of| u64::from(*of) == hex(port))).then(|| hex(unsent))
    });
    unsent.sum()
}

/// Starts a mosquitto, and waits until its ports are open.
fn launch(directory: &Directory, ports: [u16; 2]) -> Option<Child> {
    // Debian has it where an ordinary user's PATH does not lead.
    let path = format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap_or_default());
    let mut child = Command::new("mosquitto")
        .env("PATH", path)
        .arg("-c")
        .arg(directory.0.join("mosquitto.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let deadline = Instant::now() + LIMIT;
    while ports.iter().any(|port| TcpStream::connect(("127.0.0.1", *port)).is_err()) {
        if child.try_wait().ok()?.is_some() || Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::yield_now();
    }
    Some(child)
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Things that come from callbacks, to be waited for.
pub struct Seen<T>(Arc<(Mutex<Vec<T>>, Condvar)>);

impl<T> Clone for Seen<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self(Arc::new((Mutex::new(Vec::new()), Condvar::new())))
    }
}

impl<T: Clone> Seen<T> {
    pub fn push(&self, value: T) {
        self.0.0.lock().unwrap().push(value);
        self.0.1.notify_all();
    }

    pub fn clear(&self) {
        self.0.0.lock().unwrap().clear();
    }

    pub fn len(&self) -> usize {
        self.0.0.lock().unwrap().len()
    }

    pub fn all(&self) -> Vec<T> {
        self.0.0.lock().unwrap().clone()
    }

    /// Waits until what was seen is as `condition` wants it. The time begins anew with everything that comes.
    pub fn wait(&self, what: &str, condition: impl Fn(&[T]) -> bool) -> Vec<T> {
        let mut guard = self.0.0.lock().unwrap();
        while !condition(&guard) {
            let before = guard.len();
            let (later, timeout) = self.0.1.wait_timeout(guard, LIMIT).unwrap();
            guard = later;
            assert!(
                !timeout.timed_out() || guard.len() > before,
                "never happened: {what} ({} were seen)",
                guard.len()
            );
        }
        guard.clone()
    }

    pub fn wait_for(&self, count: usize) -> Vec<T> {
        self.wait(&format!("{count} of them"), |seen| seen.len() >= count)
    }
}

/// Waits for what nobody tells.
pub fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::yield_now();
    }
}

/// A message that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    pub topic: String,
    pub payload: Vec<u8>,
    pub qos: QoS,
    pub retain: bool,
}

pub fn collector(seen: &Seen<Got>) -> MessageListener {
    let seen = seen.clone();
    Box::new(move |message, _| {
        seen.push(Got {
            topic: message.topic.to_owned(),
            payload: message.payload.to_owned(),
            qos: message.qos,
            retain: message.retain,
        });
    })
}

pub fn states(client: &Client) -> Seen<ConnectionState> {
    let seen = Seen::default();
    let states = seen.clone();
    client.on_connection_state_change(0, Box::new(move |state| states.push(state))).unwrap();
    seen
}

pub fn client(options: &Options) -> Client {
    traces::begin();
    Client::new(options).unwrap()
}

pub fn connected(options: &Options) -> Client {
    let client = client(options);
    client.connect(WAIT).unwrap();
    client
}

/// A connected client, and the states that come after that.
pub fn watched(options: &Options) -> (Client, Seen<ConnectionState>) {
    let client = client(options);
    let states = states(&client);
    client.connect(WAIT).unwrap();
    // Told on another thread, perhaps only now.
    states.wait("it is told to be connected", |states| states.contains(&ConnectionState::Connected));
    states.clear();
    (client, states)
}

pub fn subscribed(client: &Client, filter: &str, qos: QoS) -> Seen<Got> {
    let seen = Seen::default();
    let subscription = Subscription { filter, qos, ..Subscription::default() };
    client.subscribe_wait(&[subscription], Some((0, collector(&seen))), WAIT).result.unwrap();
    seen
}

pub fn message<'a>(topic: &'a str, payload: &'a [u8], qos: QoS) -> Message<'a> {
    Message { topic, payload, qos, ..Message::default() }
}

pub fn noted<T: Clone + Send + 'static>(
    seen: &Seen<T>,
    value: impl FnOnce(&gecko_mqtt::Ack) -> T + Send + 'static,
) -> Completion {
    let seen = seen.clone();
    let noting = move |ack: &gecko_mqtt::Ack| {
        if let Err(error) = &ack.result {
            traces::note(error);
        }
        seen.push(value(ack));
    };
    Completion::Boxed(Box::new(noting))
}

/// Why a client made with these options does not connect.
pub fn refusal(options: &Options) -> Error {
    let error = client(options).connect(WAIT).unwrap_err();
    traces::note(&error);
    assert!(error.message().len() > 20, "no advice: {error}");
    error
}

pub fn kind<T>(result: gecko_mqtt::Result<T>) -> ErrorKind {
    let error = result.err().expect("it should have failed");
    traces::note(&error);
    error.kind()
}
