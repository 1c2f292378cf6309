//! A running simulator, and what tests can do to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mqtt_protocol_core::mqtt::IntoPayload;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::broker::link::{Order, Reach};
use crate::broker::message::Message;
use crate::certificates::{Certificates, Identity};
use crate::config::{Config, ConnectionEnd, TokenFormat};
use crate::connection;
use crate::directory::{Directory, write_private};
use crate::error::Error;
use crate::faults::{ConnectFault, LinkFault, MintFault, PublishFault, SubscribeFault};
use crate::journal::{
    AcknowledgementRecord, ConnectRecord, EndRecord, Listener, MintRecord, PublishRecord, Stats,
};
use crate::listener::{self, Port};
use crate::mint;
use crate::shared::Shared;
use crate::tls::ServerConfigs;
use crate::token::Token;

/// How long [`Simulator::stop`] waits for connections to end in order.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// A simulator of AWS IoT Core on loopback ports. Dropping it ends it at once; [`Simulator::stop`] ends it in order.
pub struct Simulator {
    shared: Arc<Shared>,
    certificates: Certificates,
    directory: Directory,
    mtls_port: u16,
    alpn_port: u16,
    plain_port: Option<u16>,
    password_port: Option<u16>,
    mint_port: Option<u16>,
    tasks: JoinSet<()>,
}

/// A client's session, as the broker holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Whether a connection uses it.
    pub connected: bool,
    /// Topic filters with the QoS that was granted.
    pub subscriptions: Vec<(String, u8)>,
    /// Session expiry interval, in seconds.
    pub expiry_secs: u32,
    /// Messages that wait to be sent.
    pub queued: usize,
    /// Messages that were sent and are not acknowledged.
    pub unacknowledged: usize,
}

impl Simulator {
    /// Opens the ports, makes certificates and a token, and starts to serve. Needs a tokio runtime with time and I/O.
    pub async fn start(config: Config) -> Result<Self, Error> {
        connection::check(&config)?;
        let certificates = Certificates::new(config.server_certificate)?;
        let tls = ServerConfigs::new(&certificates, config.tls_versions, config.require_sni)?;
        let (config, tls) = (Arc::new(config), Arc::new(tls));
        let shared = Arc::new(Shared::new(config.clone())?);

        let mtls = Port::open(config.mtls_port).await?;
        let alpn = Port::open(config.alpn_port).await?;
        let plain = open(config.plain_port).await?;
        let password = open(config.password_listener.as_ref().map(|listener| listener.port)).await?;
        let mint = open(config.mint_port).await?;

        let directory = Directory::open(config.directory.as_deref())?;
        directory.write_certificates(&certificates)?;
        shared.secrets.keys(&certificates)?;
        shared.secrets.passwords(&shared.config)?;

        let number = |port: &Option<Port>| port.as_ref().map(|port| port.number);
        let mut simulator = Self {
            mtls_port: mtls.number,
            alpn_port: alpn.number,
            plain_port: number(&plain),
            password_port: number(&password),
            mint_port: number(&mint),
            shared: shared.clone(),
            certificates,
            directory,
            tasks: JoinSet::new(),
        };
        let token = simulator.mint_token(config.authorizer.token_ttl)?;
        simulator.directory.write_token(&token)?;

        let slots = Arc::new(Semaphore::new(config.limits.connections));
        let ports = [
            (Some(mtls), Listener::Mtls),
            (Some(alpn), Listener::Alpn),
            (plain, Listener::Plain),
            (password, Listener::Password),
        ];
        for (port, listener) in ports {
            if let Some(port) = port {
                let (broker, tls) = (shared.clone(), tls.clone());
                port.serve(&shared, &slots, &mut simulator.tasks, move |stream, from| {
                    listener::serve(broker.clone(), tls.clone(), listener, stream, from)
                });
            }
        }
        if let Some(port) = mint {
            let (minter, alpn_port) = (shared.clone(), simulator.alpn_port);
            let slots = Arc::new(Semaphore::new(mint::SLOTS));
            port.serve(&shared, &slots, &mut simulator.tasks, move |stream, from| {
                mint::serve(minter.clone(), alpn_port, stream, from)
            });
        }
        simulator.tasks.spawn(housekeeping(shared));
        Ok(simulator)
    }

    /// Ends everything: clients get DISCONNECT 139, sockets are closed, a temporary directory is removed.
    pub async fn stop(mut self) {
        self.shared.stopping.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(STOP_PATIENCE, ended).await.is_err() {
            tracing::warn!("connections did not end in time");
        }
        self.tasks.shutdown().await;
    }

    /// Port as AWS's 8883: client certificate.
    pub fn mtls_port(&self) -> u16 {
        self.mtls_port
    }

    /// Port as AWS's 443: ALPN `x-amzn-mqtt-ca` (client certificate) or `mqtt` (custom authorizer).
    pub fn alpn_port(&self) -> u16 {
        self.alpn_port
    }

    /// Port without TLS, if there is one.
    pub fn plain_port(&self) -> Option<u16> {
        self.plain_port
    }

    /// Port with TLS, user name and password, if there is one.
    pub fn password_port(&self) -> Option<u16> {
        self.password_port
    }

    /// Port of the endpoint that hands out tokens over plain HTTP, if there is one.
    pub fn mint_port(&self) -> Option<u16> {
        self.mint_port
    }

    /// The CA that clients must trust.
    pub fn ca_pem(&self) -> &str {
        &self.certificates.ca_pem
    }

    /// A client certificate with a P-256 key.
    pub fn client(&self) -> &Identity {
        &self.certificates.client
    }

    /// A client certificate with an RSA key.
    pub fn rsa_client(&self) -> &Identity {
        &self.certificates.rsa_client
    }

    /// A client certificate of a CA that the simulator does not know.
    pub fn foreign_client(&self) -> &Identity {
        &self.certificates.foreign_client
    }

    /// The directory with `ca.pem`, `client.pem`, `client.key`, `client-sec1.key`, `client-rsa.pem`, `client-rsa.key`,
    /// `client-rsa-pkcs1.key`, `foreign-client.pem`, `foreign-client.key`, `foreign-client-sec1.key`, `token.txt`,
    /// `signature.txt` and `broker-url.txt`.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A file in [`Simulator::directory`].
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A fresh token in the configured format that lives for `ttl`.
    pub fn mint_token(&self, ttl: Duration) -> Result<Token, Error> {
        self.mint_token_as(self.shared.config.authorizer.token_format, ttl)
    }

    /// A fresh token in a given format that lives for `ttl`; with [`Duration::ZERO`] it has expired.
    pub fn mint_token_as(&self, format: TokenFormat, ttl: Duration) -> Result<Token, Error> {
        self.shared.mint(format, ttl, SystemTime::now(), self.alpn_port)
    }

    /// Lets the authorizer take a token no more: CONNECTs with it are refused, connections that came with it end, as
    /// the configuration says.
    pub fn revoke(&self, token: &str) {
        self.shared.revoked.send_modify(|revoked| {
            revoked.insert(token.to_owned());
        });
    }

    /// Writes `token.txt`, `signature.txt` and `broker-url.txt` anew.
    pub fn write_token(&self, token: &Token) -> Result<(), Error> {
        self.directory.write_token(token)
    }

    /// Writes a token's broker URL into a file that only its owner can read.
    pub fn write_broker_url(&self, token: &Token, path: &Path) -> Result<(), Error> {
        write_private(path, &token.broker_url)
    }

    /// Counters since the start.
    pub fn stats(&self) -> Stats {
        let (dropped, unexpected) = {
            let broker = self.shared.broker();
            (broker.dropped, broker.unexpected_acknowledgements)
        };
        let mut stats = self.shared.journal().stats;
        stats.messages_dropped = dropped;
        stats.unexpected_acknowledgements = unexpected;
        stats
    }

    /// What clients did that MQTT 5 forbids, one text each: the client identifier and what it was.
    pub fn protocol_error_texts(&self) -> Vec<String> {
        self.shared.journal().protocol_errors.iter().cloned().collect()
    }

    /// The CONNECTs that were received, the last 10,000 at most.
    pub fn connects(&self) -> Vec<ConnectRecord> {
        self.shared.journal().connects.iter().cloned().collect()
    }

    /// The PUBLISH packets that were received, the last 100,000 at most, and at most 256 MiB of payload.
    pub fn publishes(&self) -> Vec<PublishRecord> {
        self.shared.journal().publishes.iter().cloned().collect()
    }

    /// The acknowledgements of PUBLISH packets that were received, in order, the last 100,000 at most.
    pub fn acknowledgements(&self) -> Vec<AcknowledgementRecord> {
        self.shared.journal().acknowledgements.iter().cloned().collect()
    }

    /// How clients' connections ended, the last 10,000 at most.
    pub fn ends(&self) -> Vec<EndRecord> {
        self.shared.journal().ends.iter().cloned().collect()
    }

    /// The tokens that were asked for over HTTP, the last 10,000 at most.
    pub fn mints(&self) -> Vec<MintRecord> {
        self.shared.journal().mints.iter().cloned().collect()
    }

    /// Client identifiers with a session, and whether they are connected.
    pub fn clients(&self) -> Vec<(String, bool)> {
        let broker = self.shared.broker();
        broker.sessions().map(|(client_id, session)| (client_id.to_owned(), session.link.is_some())).collect()
    }

    /// A client's session, if it has one.
    pub fn session(&self, client_id: &str) -> Option<SessionInfo> {
        let broker = self.shared.broker();
        let session = broker.session(client_id)?;
        let (queued, unacknowledged) = session.backlog();
        Some(SessionInfo {
            connected: session.link.is_some(),
            subscriptions: session.subscriptions.iter().map(|(filter, s)| (filter.clone(), s.qos)).collect(),
            expiry_secs: session.expiry_secs,
            queued,
            unacknowledged,
        })
    }

    /// The payload of a topic's retained message.
    pub fn retained(&self, topic: &str) -> Option<Vec<u8>> {
        self.shared.broker().retained(topic).map(|message| message.payload.as_slice().to_vec())
    }

    /// Waits until `condition` holds; `false` if that did not happen within `limit`. It is looked at whenever
    /// something was counted or recorded.
    pub async fn wait_until(&self, limit: Duration, condition: impl Fn(&Self) -> bool) -> bool {
        let mut changes = self.shared.changes();
        let met = async {
            while !condition(self) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        timeout(limit, met).await.is_ok()
    }

    /// Ends a client's connection. `false` if it has none.
    pub fn disconnect(&self, client_id: &str, end: ConnectionEnd) -> bool {
        self.reach(client_id, |reach| {
            reach.end.send_replace(Some(end));
            true
        })
    }

    /// Ends every client's connection; how many there were.
    pub fn disconnect_all(&self, end: ConnectionEnd) -> usize {
        let broker = self.shared.broker();
        let links: Vec<_> = broker.sessions().filter_map(|(_, session)| session.link.as_ref()).collect();
        for link in &links {
            link.reach.end.send_replace(Some(end));
        }
        links.len()
    }

    /// Sends bytes to a client as they are, between two packets. `false` if it is not connected, or if too much waits.
    pub fn inject(&self, client_id: &str, bytes: Vec<u8>) -> bool {
        self.reach(client_id, |reach| reach.orders.try_send(Order::Send(bytes)).is_ok())
    }

    /// Stops reading from and writing to one client (`true`), or goes on (`false`). `false` if it is not connected.
    pub fn freeze_client(&self, client_id: &str, frozen: bool) -> bool {
        self.reach(client_id, |reach| reach.orders.try_send(Order::Freeze(frozen)).is_ok())
    }

    /// Stops everything (`true`) or goes on (`false`): connections are still accepted by the kernel, and nothing is
    /// read or answered, not even TLS.
    pub fn freeze(&self, frozen: bool) {
        self.shared.frozen.send_replace(frozen);
    }

    /// Lets something befall the next `count` connections, before their CONNECT.
    pub fn on_links(&self, count: usize, fault: LinkFault) {
        self.shared.faults().links.arm(count, fault);
    }

    /// Lets something befall the next `count` CONNECTs.
    pub fn on_connects(&self, count: usize, fault: ConnectFault) {
        self.shared.faults().connects.arm(count, fault);
    }

    /// Lets the CONNECTs go on that are held now; `connects_held` in [`Simulator::stats`] tells how many.
    pub fn release_connects(&self) {
        self.shared.releases.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Lets something befall the next `count` PUBLISH packets.
    pub fn on_publishes(&self, count: usize, fault: PublishFault) {
        self.shared.faults().publishes.arm(count, fault);
    }

    /// Lets something befall the next `count` SUBSCRIBE and UNSUBSCRIBE packets.
    pub fn on_subscribes(&self, count: usize, fault: SubscribeFault) {
        self.shared.faults().subscribes.arm(count, fault);
    }

    /// Lets something befall the next `count` requests for a token over HTTP.
    pub fn on_mints(&self, count: usize, fault: MintFault) {
        self.shared.faults().mints.arm(count, fault);
    }

    /// How long CONNACK is held back from now on.
    pub fn delay_connacks(&self, delay: Duration) {
        self.shared.faults().connack_delay = delay;
    }

    /// Publishes a message of the simulator's own.
    pub fn publish(&self, topic: &str, payload: &[u8], qos: u8, retain: bool) {
        let message = Message {
            topic: topic.to_owned(),
            payload: payload.into_payload(),
            qos,
            retain,
            properties: Vec::new(),
            expires: None,
        };
        self.shared.broker().publish(None, Arc::new(message), Instant::now());
        self.shared.changed();
    }

    /// Forgets a session, as if it had expired; a live connection is closed first. `false` if there was none.
    pub fn forget_session(&self, client_id: &str) -> bool {
        self.disconnect(client_id, ConnectionEnd::Close);
        let existed = self.shared.broker().end_session(client_id, Instant::now());
        self.shared.changed();
        existed
    }

    fn reach(&self, client_id: &str, order: impl FnOnce(&Reach) -> bool) -> bool {
        self.shared.broker().link(client_id).is_some_and(|link| order(&link.reach))
    }
}

async fn open(port: Option<u16>) -> Result<Option<Port>, Error> {
    match port {
        Some(port) => Ok(Some(Port::open(port).await?)),
        None => Ok(None),
    }
}

/// Ends sessions and publishes wills when their time has come.
async fn housekeeping(shared: Arc<Shared>) {
    loop {
        let next = shared.broker().housekeeping(Instant::now());
        shared.changed();
        tokio::select! {
            () = shared.housekeeping.notified() => {}
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            () = shared.stopped() => return,
        }
    }
}
