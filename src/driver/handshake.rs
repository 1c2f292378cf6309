//! One attempt to connect: token, link, CONNECT, CONNACK.

use super::{Dialing, Driver, Interrupt, Renewal};
use crate::credentials::{Login, Token};
use crate::link::{self, Link, Progress, Target};
use crate::packet::{self, Connect, Received, Will, trace};
use crate::session::limits::{Limits, Quotas};
use crate::session::refusal;
use crate::shared::Shared;
use crate::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

/// A CONNACK that says yes, and the link it came over.
pub struct Greeting {
    pub link: Link,
    pub limits: Limits,
    pub session_present: bool,
    /// The client identifier that the server chose, if it did.
    pub assigned: Option<String>,
    /// An earlier CONNECT had no answer.
    pub doubted: bool,
    /// What came behind the CONNACK.
    pub rest: Vec<u8>,
}

/// CONNACKs are small; this one is of somebody else.
const MAX_CONNACK: u32 = 64 * 1024;

/// What a link says first.
pub struct Opening {
    /// The packet, secrets and all.
    connect: Zeroizing<Vec<u8>>,
    keep_alive_secs: u16,
    quotas: Quotas,
    shared: Arc<Shared>,
}

impl Driver {
    /// Tries once. `Err(None)`: the application left meanwhile.
    pub(super) async fn attempt(&mut self) -> Result<Box<Greeting>, Option<Error>> {
        self.nudged = false;
        self.elsewhere = false;
        self.outdated = false;
        self.ensure_token().await?;
        if let Some(fresh) = self.tokens.fresh.take() {
            self.tokens.shown = Some(fresh);
        }
        let (target, opening) = self.prepare(self.tokens.shown.as_ref().map(|held| &held.token))?;
        // This link has the last certificate, and whatever was to be renewed.
        self.renewal = Renewal::default();
        self.outdated = false;
        let limit = self.shared.settings.connect_timeout;
        let begun = Instant::now();
        tracing::debug!(host = target.host(), port = target.port(), "connecting");
        let (dialing, progress) = self.dialing(target);
        let greeting = async move { greet(dialing.await?, opening).await };
        // On the heap: an idle client does not carry the room that a TLS hand-shake needs.
        let mut greeting = Box::pin(tokio::time::timeout(limit, greeting));
        let shared = self.shared.clone();
        loop {
            if self.interrupted() == Some(Interrupt::Leave) {
                return Err(None);
            }
            tokio::select! {
                greeted = &mut greeting => {
                    let mut greeting = greeted.unwrap_or_else(|_| {
                        let message = format!("no connection within {} ms: given up {progress}", limit.as_millis());
                        Err(Error::new(ErrorKind::ConnectTimeout, message))
                    })?;
                    self.adopt(greeting.assigned.take());
                    tracing::debug!(took_ms = begun.elapsed().as_millis() as u64, "the server accepted the connection");
                    return Ok(greeting);
                }
                () = shared.bell.rung() => {}
                () = self.time_to_leave() => {}
            }
        }
    }

    /// Opens a link, and says how far it has come.
    pub(super) fn dialing(&self, target: Target) -> (Dialing, Arc<Progress>) {
        let progress = Arc::new(Progress::default());
        ((self.dial)(target, progress.clone()), progress)
    }

    /// The service's, but for the pace, where the options say one.
    fn quotas(&self, host: &str) -> Quotas {
        let known = Quotas::of(host);
        Quotas { pace: self.shared.settings.pace.unwrap_or(known.pace), ..known }
    }

    /// An identifier that the server chose is used again, but for AWS's, which refuses its own ($GEN/…).
    pub(super) fn adopt(&mut self, assigned: Option<String>) {
        if let Some(assigned) = assigned {
            self.shared.set_client_id(&assigned);
            self.assigned = Some(assigned).filter(|assigned| !assigned.starts_with('$'));
        }
    }

    /// Where to connect with this token, and what to say there.
    pub(super) fn prepare(&self, token: Option<&Token>) -> Result<(Target, Box<Opening>)> {
        let settings = &self.shared.settings;
        let login = settings.credentials().connect_login(token)?;
        let client_id = match &settings.client_id {
            Some(own) if own.is_empty() => self.assigned.clone().unwrap_or_default(),
            _ => self.shared.client_id(),
        };
        let target = match (token.and_then(|token| token.endpoint()), &settings.target) {
            // A token that came as a broker URL says where it is good.
            (Some(endpoint), _) => {
                let port = if settings.port != 0 { settings.port } else { endpoint.port.unwrap_or(443) };
                Target::new(&endpoint.host, port, self.tls.clone())?
            }
            (None, Some(target)) => target.with_tls(self.tls.as_ref()),
            (None, None) => {
                let message = "no endpoint is set, and the token did not come as a broker URL that has one";
                return Err(Error::new(ErrorKind::InvalidConfiguration, message));
            }
        };
        let opening = Box::new(Opening {
            connect: self.connect_packet(&client_id, &login)?,
            keep_alive_secs: settings.keep_alive_secs,
            quotas: self.quotas(target.host()),
            shared: self.shared.clone(),
        });
        Ok((target, opening))
    }

    fn connect_packet(&self, client_id: &str, login: &Login) -> Result<Zeroizing<Vec<u8>>> {
        let settings = &self.shared.settings;
        let properties = settings.will.as_ref().map(|will| will.0.user_properties()).unwrap_or_default();
        let will = settings.will.as_deref().map(|(message, delay_secs)| Will {
            message: message.borrow(&properties),
            delay_secs: *delay_secs,
        });
        // Without an identifier of its own a client can resume nothing.
        let clean_start = (settings.clean_start && self.first) || client_id.is_empty();
        let connect = Connect {
            client_id,
            clean_start,
            keep_alive_secs: settings.keep_alive_secs,
            session_expiry_secs: settings.session_expiry_secs,
            receive_maximum: settings.receive_maximum,
            maximum_packet_size: settings.max_incoming_packet,
            topic_alias_maximum: 0,
            username: login.username.as_ref().map(|username| username.expose()),
            password: login.password.as_ref().map(|password| password.expose()),
            will,
            ..Connect::default()
        };
        let mut packet = Zeroizing::new(Vec::new());
        connect.encode(&mut packet)?;
        Ok(packet)
    }
}

/// Says CONNECT and hears CONNACK.
pub async fn greet(mut link: Link, opening: Box<Opening>) -> Result<Box<Greeting>> {
    let doubted = opening.shared.unanswered.swap(true, Ordering::Relaxed);
    let sent = async {
        trace::sent(&opening.connect);
        link.stream.write_all(&opening.connect).await?;
        link.stream.flush().await
    };
    // Behind a write that failed the server's reason may lie unread.
    let broken = sent.await.err();
    let mut rest = Vec::with_capacity(512);
    let (granted, used) = loop {
        match connack(&rest, &opening) {
            Ok(Some(granted)) => break granted,
            Ok(None) => {}
            Err(error) => {
                if error.reason_code().is_some() {
                    // A refusal begins no session.
                    opening.shared.unanswered.store(doubted, Ordering::Relaxed);
                }
                return Err(error);
            }
        }
        if link.stream.read_buf(&mut rest).await.map_err(before_connack)? == 0 {
            return Err(before_connack(broken.unwrap_or_else(|| std::io::ErrorKind::UnexpectedEof.into())));
        }
    };
    opening.shared.unanswered.store(false, Ordering::Relaxed);
    rest.drain(..used);
    let (limits, session_present, assigned) = granted;
    Ok(Box::new(Greeting { link, limits, session_present, assigned, doubted, rest }))
}

fn before_connack(error: std::io::Error) -> Error {
    let error = link::explain(error);
    match error.kind() {
        ErrorKind::ConnectionLost => Error::new(
            ErrorKind::ClosedBeforeConnack,
            "closed by the server right after CONNECT, without a word: on AWS IoT most often a token or certificate that is not accepted, or a policy that forbids iot:Connect for this client identifier",
        ),
        _ => error,
    }
}

type Granted = (Limits, bool, Option<String>);

/// The CONNACK at the beginning of what has come, and its length.
fn connack(bytes: &[u8], opening: &Opening) -> Result<Option<(Granted, usize)>> {
    let broken = |malformed: packet::Malformed| {
        let message = format!("what the server answered to CONNECT is not MQTT 5: {malformed}");
        Error::new(ErrorKind::Protocol, message)
    };
    let Some(frame) = packet::frame(bytes, MAX_CONNACK).map_err(broken)? else { return Ok(None) };
    trace::received(&bytes[..frame.len]);
    match packet::decode(&frame).map_err(broken)? {
        Received::ConnAck(connack) if connack.reason.is_error() => {
            Err(refusal::connack(connack.reason, connack.reason_string, connack.server_reference))
        }
        Received::ConnAck(connack) => {
            let limits = Limits::granted(&connack, opening.keep_alive_secs, opening.quotas);
            let assigned = connack.assigned_client_id.map(str::to_owned);
            Ok(Some(((limits, connack.session_present, assigned), frame.len)))
        }
        Received::Disconnect(disconnect) => {
            Err(refusal::disconnect(disconnect.reason, disconnect.reason_string, disconnect.server_reference))
        }
        _ => {
            Err(Error::new(ErrorKind::Protocol, "the server's first packet is not a CONNACK [MQTT-3.2.0-1]"))
        }
    }
}
