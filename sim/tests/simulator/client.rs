//! A client that does as it is told, right or wrong.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use gecko_iot_sim::{Identity, Simulator};
use mqtt_protocol_core::mqtt::packet::v5_0::{
    Connack, Connect, Disconnect, Pingreq, Puback, Pubcomp, Publish, Pubrec, Pubrel, Suback, Subscribe,
    Unsuback, Unsubscribe,
};
use mqtt_protocol_core::mqtt::packet::{Properties, Property, Qos, SessionExpiryInterval, SubEntry, SubOpts};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long anything may take that should happen at once.
pub const SOON: Duration = Duration::from_secs(10);

trait Stream: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}

pub struct Client {
    stream: Pin<Box<dyn Stream>>,
    last_packet_id: u16,
}

/// How TLS is spoken.
pub struct Tls<'a> {
    pub name: &'static str,
    pub alpn: Option<&'a str>,
    pub identity: Option<&'a Identity>,
    pub sni: bool,
    pub version: Option<&'static rustls::SupportedProtocolVersion>,
}

impl Default for Tls<'_> {
    fn default() -> Self {
        Self { name: "localhost", alpn: None, identity: None, sni: true, version: None }
    }
}

impl Tls<'_> {
    pub fn config(&self, simulator: &Simulator) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(simulator.ca_pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = self.version.map_or(rustls::DEFAULT_VERSIONS.to_vec(), |version| vec![version]);
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = CertificateDer::pem_slice_iter(identity.certificate_pem.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain.map(Result::unwrap).collect(), key).unwrap()
            }
        };
        config.enable_sni = self.sni;
        config.alpn_protocols = self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        config
    }
}

/// A packet from the server.
#[derive(Debug)]
pub enum Packet {
    Connack(Connack),
    Publish(Publish),
    Puback(Puback),
    Pubrec(Pubrec),
    Pubrel(Pubrel),
    Pubcomp(Pubcomp),
    Suback(Suback),
    Unsuback(Unsuback),
    Pingresp,
    Disconnect(Disconnect),
    /// The connection is closed.
    Closed,
}

macro_rules! expect_packet {
    ($client:expr, $kind:ident) => {
        match $client.receive().await {
            $crate::client::Packet::$kind(packet) => packet,
            other => panic!(concat!("expected ", stringify!($kind), ", got {:?}"), other),
        }
    };
}
pub(crate) use expect_packet;

impl Client {
    pub async fn plain(simulator: &Simulator) -> Self {
        let port = simulator.plain_port().expect("a plain port");
        Self::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap())
    }

    pub async fn tls(simulator: &Simulator, port: u16, tls: Tls<'_>) -> io::Result<Self> {
        Self::tls_with(&Arc::new(tls.config(simulator)), tls.name, port).await
    }

    /// Over TLS with a configuration that may remember earlier sessions.
    pub async fn tls_with(config: &Arc<ClientConfig>, name: &'static str, port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let name = ServerName::try_from(name).unwrap();
        let stream = timeout(SOON, TlsConnector::from(config.clone()).connect(name, stream)).await??;
        Ok(Self::new(stream))
    }

    fn new(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::pin(stream), last_packet_id: 0 }
    }

    /// A connected client without TLS, with a session that goes on.
    pub async fn connected(simulator: &Simulator, client_id: &str) -> Self {
        let mut client = Self::plain(simulator).await;
        let connack = client.connect(Hello { clean_start: true, ..Hello::new(client_id) }.expiry(60)).await;
        assert_eq!(connack.reason_code() as u8, 0);
        client
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await.unwrap();
    }

    /// To a simulator that may have closed already.
    pub async fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    pub async fn connect(&mut self, hello: Hello<'_>) -> Connack {
        self.send(&hello.bytes()).await;
        expect_packet!(self, Connack)
    }

    /// The next packet.
    pub async fn receive(&mut self) -> Packet {
        timeout(SOON, self.read()).await.expect("a packet in time").unwrap_or(Packet::Closed)
    }

    /// Requires that nothing comes before the answer to a ping.
    pub async fn expect_nothing(&mut self) {
        self.ping().await;
        match self.receive().await {
            Packet::Pingresp => {}
            other => panic!("expected nothing, got {other:?}"),
        }
    }

    /// Pings, requires silence for a moment, then lets something happen and requires the answer.
    pub async fn expect_silence_then(&mut self, simulator: &Simulator, thaw: impl FnOnce(&Simulator)) {
        // A frozen connection has to hear of it first; what it answered before does not count.
        while !self.is_silent().await {}
        thaw(simulator);
        assert!(matches!(self.receive().await, Packet::Pingresp));
    }

    /// Whether a ping stays unanswered for a moment.
    pub async fn is_silent(&mut self) -> bool {
        self.ping().await;
        timeout(Duration::from_millis(100), self.read()).await.is_err()
    }

    /// All bytes until the end.
    pub async fn receive_raw(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        timeout(SOON, self.stream.read_to_end(&mut bytes)).await.expect("an end in time").unwrap();
        bytes
    }

    pub async fn ping(&mut self) {
        self.send(&Pingreq::builder().build().unwrap().to_continuous_buffer()).await;
    }

    /// Requires DISCONNECT with this reason code, then the end.
    pub async fn expect_disconnect(&mut self, code: u8) {
        assert_eq!(expect_packet!(self, Disconnect).reason_code().map(|code| code as u8), Some(code));
        assert!(matches!(self.receive().await, Packet::Closed));
    }

    async fn read(&mut self) -> io::Result<Packet> {
        let first = self.stream.read_u8().await?;
        let mut length = 0;
        for shift in 0..4 {
            let digit = self.stream.read_u8().await?;
            length |= usize::from(digit & 0x7f) << (7 * shift);
            if digit & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(match first >> 4 {
            2 => Packet::Connack(Connack::parse(&body).unwrap().0),
            3 => Packet::Publish(Publish::parse(first & 15, Arc::from(body)).unwrap().0),
            4 => Packet::Puback(Puback::parse(&body).unwrap().0),
            5 => Packet::Pubrec(Pubrec::parse(&body).unwrap().0),
            6 => Packet::Pubrel(Pubrel::parse(&body).unwrap().0),
            7 => Packet::Pubcomp(Pubcomp::parse(&body).unwrap().0),
            9 => Packet::Suback(Suback::parse(&body).unwrap().0),
            11 => Packet::Unsuback(Unsuback::parse(&body).unwrap().0),
            13 => Packet::Pingresp,
            14 => Packet::Disconnect(Disconnect::parse(&body).unwrap().0),
            other => panic!("packet type {other}"),
        })
    }

    pub fn packet_id(&mut self) -> u16 {
        self.last_packet_id += 1;
        self.last_packet_id
    }

    /// Subscribes with options (QoS alone, or what SUBSCRIBE's options byte holds); the reason codes.
    pub async fn subscribe(&mut self, filters: &[(&str, u8)]) -> Vec<u8> {
        self.subscribe_with(filters, Vec::new()).await
    }

    pub async fn subscribe_with(&mut self, filters: &[(&str, u8)], properties: Properties) -> Vec<u8> {
        let entries: Vec<SubEntry> = filters
            .iter()
            .map(|(filter, options)| SubEntry::new(*filter, SubOpts::from_u8(*options).unwrap()).unwrap())
            .collect();
        let id = self.packet_id();
        let subscribe =
            Subscribe::builder().packet_id(id).entries(entries).props(properties).build().unwrap();
        self.send(&subscribe.to_continuous_buffer()).await;
        let suback = expect_packet!(self, Suback);
        assert_eq!(suback.packet_id(), id);
        suback.reason_codes().into_iter().map(|code| code as u8).collect()
    }

    pub async fn unsubscribe(&mut self, filter: &str) -> u8 {
        let id = self.packet_id();
        let unsubscribe = Unsubscribe::builder().packet_id(id).entries([filter]).unwrap().build().unwrap();
        self.send(&unsubscribe.to_continuous_buffer()).await;
        expect_packet!(self, Unsuback).reason_codes()[0] as u8
    }

    /// Sends a PUBLISH; its packet identifier.
    pub async fn publish(&mut self, message: Message<'_>) -> u16 {
        let (bytes, id) = self.publish_bytes(message);
        self.send(&bytes).await;
        id
    }

    pub fn publish_bytes(&mut self, message: Message<'_>) -> (Vec<u8>, u16) {
        let id = if message.qos == 0 { 0 } else { self.packet_id() };
        let publish = Publish::builder()
            .topic_name(message.topic)
            .unwrap()
            .qos(Qos::try_from(message.qos).unwrap())
            .packet_id((id > 0).then_some(id))
            .retain(message.retain)
            .props(message.properties)
            .payload(message.payload)
            .build()
            .unwrap();
        (publish.to_continuous_buffer(), id)
    }

    /// Publishes with QoS 1; the reason code of PUBACK.
    pub async fn publish_1(&mut self, topic: &str, payload: &[u8]) -> u8 {
        let id = self.publish(Message { qos: 1, ..Message::new(topic, payload) }).await;
        let puback = expect_packet!(self, Puback);
        assert_eq!(puback.packet_id(), id);
        puback.reason_code().map_or(0, |code| code as u8)
    }

    pub async fn puback(&mut self, packet_id: u16) {
        self.send(&[&[0x40, 2], &packet_id.to_be_bytes()[..]].concat()).await;
    }

    /// The next PUBLISH, acknowledged: topic and payload.
    pub async fn next_message(&mut self) -> (String, Vec<u8>) {
        let publish = expect_packet!(self, Publish);
        if let Some(id) = publish.packet_id() {
            self.puback(id).await;
        }
        (publish.topic_name().to_owned(), publish.payload().as_slice().to_vec())
    }

    pub async fn disconnect(mut self, code: u8) {
        self.send(&[0xe0, 1, code]).await;
        assert!(matches!(self.receive().await, Packet::Closed));
    }
}

#[derive(Clone)]
pub struct Message<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    pub qos: u8,
    pub retain: bool,
    pub properties: Vec<Property>,
}

impl<'a> Message<'a> {
    pub fn new(topic: &'a str, payload: &'a [u8]) -> Self {
        Self { topic, payload, qos: 0, retain: false, properties: Vec::new() }
    }
}

/// What CONNECT says.
#[derive(Clone)]
pub struct Hello<'a> {
    pub client_id: &'a str,
    pub clean_start: bool,
    pub keep_alive: u16,
    pub properties: Vec<Property>,
    pub will: Option<(Message<'a>, Vec<Property>)>,
    pub user_name: Option<&'a str>,
    pub password: Option<&'a [u8]>,
}

impl<'a> Hello<'a> {
    /// A CONNECT with clean start 0.
    pub fn new(client_id: &'a str) -> Self {
        Self {
            client_id,
            clean_start: false,
            keep_alive: 60,
            properties: Vec::new(),
            will: None,
            user_name: None,
            password: None,
        }
    }

    pub fn expiry(mut self, secs: u32) -> Self {
        self.properties.push(Property::SessionExpiryInterval(SessionExpiryInterval::new(secs).unwrap()));
        self
    }

    pub fn property(mut self, property: impl Into<Property>) -> Self {
        self.properties.push(property.into());
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut connect = Connect::builder()
            .clean_start(self.clean_start)
            .client_id(self.client_id)
            .unwrap()
            .keep_alive(self.keep_alive)
            .props(self.properties.clone());
        if let Some((will, properties)) = &self.will {
            let qos = Qos::try_from(will.qos).unwrap();
            connect = connect
                .will_message(will.topic, will.payload.to_vec(), qos, will.retain)
                .unwrap()
                .will_props(properties.clone());
        }
        if let Some(name) = self.user_name {
            connect = connect.user_name(name).unwrap();
        }
        if let Some(password) = self.password {
            connect = connect.password(password.to_vec()).unwrap();
        }
        connect.build().unwrap().to_continuous_buffer()
    }
}
