//! Listening sockets, TLS, and routing by ALPN as AWS does it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use rustls::server::{Acceptor, ClientHello};
use rustls::{HandshakeKind, ProtocolVersion};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::connection::{self, Access, Peer};
use crate::error::Error;
use crate::faults::{LinkFault, Step};
use crate::journal::Listener;
use crate::shared::Shared;
use crate::tls::{ALPN_CERTIFICATE, ServerConfigs};

/// How often a port that is free for IPv4 and taken for IPv6 is given back for another.
const PORT_TRIES: usize = 16;

/// One port, open for IPv4 and, where there is IPv6, for that too.
pub(crate) struct Port {
    pub number: u16,
    listeners: Vec<TcpListener>,
}

impl Port {
    /// Opens `wanted`, or a free one for 0, on the loopback addresses.
    pub async fn open(wanted: u16) -> Result<Self, Error> {
        let failed = |source| Error::Listen { port: wanted, source };
        for _ in 0..PORT_TRIES {
            let four = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).await.map_err(failed)?;
            let number = four.local_addr().map_err(failed)?.port();
            match TcpListener::bind((Ipv6Addr::LOCALHOST, number)).await {
                Ok(six) => {
                    return Ok(Self { number, listeners: vec![four, six] });
                }
                // Someone else would answer those who try `localhost` over IPv6 first.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && wanted == 0 => {}
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(failed(error)),
                Err(_) => {
                    return Ok(Self { number, listeners: vec![four] });
                }
            }
        }
        Err(failed(io::ErrorKind::AddrInUse.into()))
    }

    /// Accepts until everything ends, as many connections at a time as there are slots.
    pub fn serve<S, F>(self, shared: &Arc<Shared>, slots: &Arc<Semaphore>, tasks: &mut JoinSet<()>, serve: S)
    where
        S: Fn(TcpStream, SocketAddr) -> F + Clone + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        for socket in self.listeners {
            tasks.spawn(accept(shared.clone(), slots.clone(), socket, serve.clone()));
        }
    }
}

async fn accept<S, F>(shared: Arc<Shared>, slots: Arc<Semaphore>, socket: TcpListener, serve: S)
where
    S: Fn(TcpStream, SocketAddr) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let (stream, from) = tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Such as too many open files: it passes.
                    tracing::warn!("accept failed: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = shared.stopped() => break,
        };
        // One that there is no room for waits here, those behind it in the kernel.
        let Some(Ok(slot)) = shared.unless_stopped(slots.clone().acquire_owned()).await else {
            break;
        };
        let served = serve(stream, from);
        connections.spawn(async move {
            served.await;
            drop(slot);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(socket);
    while connections.join_next().await.is_some() {}
}

/// Counts a connection as open while it lives, however it ends.
struct Open(Arc<Shared>);

impl Open {
    fn new(shared: Arc<Shared>) -> Self {
        shared.count(|stats| {
            stats.connections += 1;
            stats.open_connections += 1;
        });
        Self(shared)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.count(|stats| stats.open_connections -= 1);
    }
}

/// Serves one client of the broker.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    tls: Arc<ServerConfigs>,
    listener: Listener,
    stream: TcpStream,
    from: SocketAddr,
) {
    let _open = Open::new(shared.clone());
    let _ = stream.set_nodelay(true);
    if shared.unless_stopped(shared.thawed()).await.is_none() {
        return;
    }
    let fault = shared.faults().links.fire();
    if let Some(fault) = fault
        && (fault.step() == Step::Accepted || listener == Listener::Plain)
    {
        return befall(&shared, fault, stream).await;
    }
    if listener == Listener::Plain {
        let peer = Peer {
            listener,
            access: Access::Open,
            tls_version: None,
            alpn: None,
            server_name: None,
            tls_resumed: false,
        };
        return connection::serve(shared, stream, peer).await;
    }
    let limit = shared.config.connect_timeout;
    let handshake = timeout(limit, handshake(&tls, listener, stream, fault));
    let Some(handshake) = shared.unless_stopped(handshake).await else {
        return;
    };
    match handshake.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(Opened::Cut(fault, stream)) => befall(&shared, fault, stream).await,
        Ok(Opened::Tls(stream, access)) => {
            let peer = peer(listener, access, &stream);
            tracing::debug!(%from, ?peer, "TLS established");
            connection::serve(shared, *stream, peer).await;
        }
        Err(error) => {
            tracing::info!(%from, ?listener, "TLS failed: {error}");
            shared.count(|stats| stats.tls_failures += 1);
        }
    }
}

/// Lets a fault befall a connection that has come that far.
async fn befall(shared: &Shared, fault: LinkFault, mut stream: TcpStream) {
    shared.count(|stats| stats.links_cut += 1);
    if let LinkFault::Ignore(_) = fault {
        // It is read, so that the end is seen when the client closes.
        let mut nowhere = tokio::io::sink();
        shared.unless_stopped(tokio::io::copy(&mut stream, &mut nowhere)).await;
    }
}

/// What a TLS handshake came to.
enum Opened {
    Tls(Box<TlsStream<TcpStream>>, Access),
    /// It has come as far as it shall.
    Cut(LinkFault, TcpStream),
}

async fn handshake(
    tls: &ServerConfigs,
    listener: Listener,
    stream: TcpStream,
    fault: Option<LinkFault>,
) -> io::Result<Opened> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    if let Some(fault) = fault
        && fault.step() == Step::ClientHello
    {
        return Ok(Opened::Cut(fault, start.io));
    }
    let (config, access) = match listener {
        Listener::Mtls => (&tls.mtls, Access::Certificate),
        Listener::Password | Listener::Plain => (&tls.password, Access::Password),
        Listener::Alpn => match route(&start.client_hello()) {
            Some(Access::Certificate) => (&tls.alpn_certificate, Access::Certificate),
            // An unknown protocol gets its alert from this one.
            Some(access) => (&tls.alpn_authorizer, access),
            None => return Err(io::Error::other("no ALPN: WebSocket is not spoken")),
        },
    };
    let stream = start.into_stream(config.clone()).await?;
    Ok(match fault {
        Some(fault) => Opened::Cut(fault, stream.into_inner().0),
        None => Opened::Tls(Box::new(stream), access),
    })
}

/// What the client's ALPN asks for; `None` if it has none.
fn route(hello: &ClientHello<'_>) -> Option<Access> {
    let mut protocols = hello.alpn()?;
    let certificate = protocols.any(|name| name == ALPN_CERTIFICATE);
    Some(if certificate { Access::Certificate } else { Access::Authorizer })
}

fn peer(listener: Listener, access: Access, stream: &TlsStream<TcpStream>) -> Peer {
    let (_, session) = stream.get_ref();
    Peer {
        listener,
        access,
        tls_version: match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => Some("1.2"),
            Some(ProtocolVersion::TLSv1_3) => Some("1.3"),
            _ => None,
        },
        alpn: session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        server_name: session.server_name().map(str::to_owned),
        tls_resumed: session.handshake_kind() == Some(HandshakeKind::Resumed),
    }
}
