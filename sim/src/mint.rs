//! The endpoint that hands out tokens over plain HTTP, as a cloud would over HTTPS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::config::{Authorizer, TokenFormat};
use crate::connection::socket::Socket;
use crate::faults::MintFault;
use crate::http::{self, Answer};
use crate::journal::MintRecord;
use crate::shared::Shared;
use crate::token::Token;

/// Requests that are served at a time.
pub(crate) const SLOTS: usize = 64;

/// In which form a token is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `/token`: everything, as JSON.
    Json,
    /// `/broker-url`: the broker URL alone.
    BrokerUrl,
}

/// A token that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wish {
    form: Form,
    ttl: Duration,
    format: TokenFormat,
}

impl Wish {
    /// What path and query ask for; else the answer that tells why that cannot be.
    fn new((path, query): (&str, &str), authorizer: &Authorizer) -> Result<Self, Answer> {
        let form = match path {
            "/token" => Form::Json,
            "/broker-url" => Form::BrokerUrl,
            _ => return Err(Answer::line(404, "there are /token and /broker-url")),
        };
        let mut wish = Self { form, ttl: authorizer.token_ttl, format: authorizer.token_format };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let ttl = pair.strip_prefix("ttl=").and_then(|secs| secs.parse::<u32>().ok());
            match (pair, ttl) {
                (_, Some(secs)) => wish.ttl = Duration::from_secs(secs.into()),
                ("format=jwt", _) => wish.format = TokenFormat::Jwt,
                ("format=json", _) => wish.format = TokenFormat::Json,
                _ => return Err(Answer::line(400, "the query may have ttl=SECS and format=jwt or json")),
            }
        }
        Ok(wish)
    }

    fn answer(self, token: &Token) -> Answer {
        match self.form {
            Form::Json => Answer::json(&json!({
                "brokerUrl": token.broker_url,
                "token": token.token,
                "signature": token.signature,
                "expiresIn": self.ttl.as_secs(),
            })),
            Form::BrokerUrl => Answer::line(200, &token.broker_url),
        }
    }
}

/// Serves one client of the mint. `alpn_port` is where its tokens lead.
pub(crate) async fn serve(shared: Arc<Shared>, alpn_port: u16, stream: TcpStream, from: SocketAddr) {
    let mut socket = Socket::new(stream);
    let limit = shared.config.connect_timeout;
    let target = match shared.unless_stopped(timeout(limit, request(&mut socket))).await {
        Some(Ok(Some(target))) => target,
        _ => return,
    };
    let wish = target
        .and_then(|(path, query)| Wish::new((path.as_str(), query.as_str()), &shared.config.authorizer));
    tracing::info!(%from, ?wish, "a token is asked for");
    let answer = match wish {
        Ok(wish) => mint(&shared, alpn_port, wish, &mut socket).await,
        Err(refusal) => Some(refusal),
    };
    if let Some(answer) = answer {
        socket.output.extend_from_slice(&answer.bytes());
        socket.finish().await;
    }
}

/// Reads the head of a request; `None` if it never came.
async fn request(socket: &mut Socket<TcpStream>) -> Option<Result<(String, String), Answer>> {
    loop {
        if let Some(end) = http::head_end(&socket.input) {
            let target = http::target(&socket.input[..end]);
            return Some(target.map(|(path, query)| (path.to_owned(), query.to_owned())));
        }
        if socket.input.len() > http::MOST_HEAD {
            return Some(Err(Answer::line(400, "the request is too long")));
        }
        if !matches!(socket.read().await, Ok(1..)) {
            return None;
        }
    }
}

/// Makes a token, unless a test wants something else. `None` if nothing is to be answered.
async fn mint(shared: &Shared, alpn_port: u16, wish: Wish, socket: &mut Socket<TcpStream>) -> Option<Answer> {
    let fault = shared.faults().mints.fire();
    let wish = match fault {
        Some(MintFault::ExpiredToken) => Wish { ttl: Duration::ZERO, ..wish },
        _ => wish,
    };
    let now = SystemTime::now();
    let (token, answer) = match fault {
        Some(MintFault::Ignore) => (None, None),
        Some(MintFault::Fail(status)) => (None, Some(Answer::line(status, "no token this time"))),
        Some(MintFault::Garbage) => (None, Some(garbage(wish.form))),
        None | Some(MintFault::Delay(_) | MintFault::ExpiredToken) => {
            match shared.mint(wish.format, wish.ttl, now, alpn_port) {
                Ok(token) => (Some(token.clone()), Some(wish.answer(&token))),
                Err(error) => (None, Some(Answer::line(500, &error.to_string()))),
            }
        }
    };
    shared.note(|journal| journal.mint(MintRecord { time: now, ttl: wish.ttl, fault, token }));
    match fault {
        Some(MintFault::Ignore) => {
            shared.unless_stopped(closed(socket)).await;
        }
        Some(MintFault::Delay(delay)) => shared.unless_stopped(sleep(delay)).await?,
        _ => {}
    }
    answer
}

/// Returns once the client has closed.
async fn closed(socket: &mut Socket<TcpStream>) {
    while matches!(socket.read().await, Ok(1..)) {
        socket.input.clear();
    }
}

/// An answer that looks well and is of no use.
fn garbage(form: Form) -> Answer {
    match form {
        Form::Json => {
            Answer { status: 200, media_type: "application/json", body: "{\"brokerUrl\": ".to_owned() }
        }
        Form::BrokerUrl => Answer::line(200, "<html>Please sign in</html>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(target: &str) -> Result<Wish, u16> {
        let target = target.split_once('?').unwrap_or((target, ""));
        Wish::new(target, &Authorizer::default()).map_err(|answer| answer.status)
    }

    #[test]
    fn path_and_query_say_what_is_wanted() {
        let hour = Duration::from_secs(3600);
        let plain = Wish { form: Form::Json, ttl: hour, format: TokenFormat::Jwt };
        assert_eq!(wish("/token"), Ok(plain));
        assert_eq!(wish("/broker-url"), Ok(Wish { form: Form::BrokerUrl, ..plain }));
        let short = Wish { ttl: Duration::from_secs(5), format: TokenFormat::Json, ..plain };
        assert_eq!(wish("/token?ttl=5&format=json"), Ok(short));
        assert_eq!(wish("/token?format=jwt&"), Ok(plain));
        assert_eq!(wish("/token?ttl=0"), Ok(Wish { ttl: Duration::ZERO, ..plain }));
        for (target, status) in [
            ("/", 404),
            ("/token/", 404),
            ("/tokens?ttl=5", 404),
            ("/token?ttl=", 400),
            ("/token?ttl=-1", 400),
            ("/token?ttl=4294967296", 400),
            ("/token?format=xml", 400),
            ("/broker-url?age=5", 400),
        ] {
            assert_eq!(wish(target), Err(status), "{target}");
        }
    }
}
