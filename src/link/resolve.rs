//! Names into addresses, without ever waiting for the system's resolver on the runtime's thread.
//!
//! `getaddrinfo` is the one way to honour everything that a system knows about names, and it cannot be
//! interrupted: with a dead name server it hangs for half a minute and more. So each lookup has a short-lived
//! thread of its own, which owns nothing but the name. Identical lookups share it, and their number is bounded.

use crate::process::PerProcess;
use crate::{Error, ErrorKind, Result, sys};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How many addresses of one name are used.
pub(super) const MAX_ADDRESSES: usize = 32;

/// How many lookups run at a time in this process.
const MAX_LOOKUPS: usize = 16;

/// How many of them may be for the same name.
const MAX_SAME: usize = 3;

/// A lookup that takes longer is likely to hang (the network was down when it began); whoever asks again gets a
/// fresh one, which may succeed at once.
const FRESH: Duration = Duration::from_secs(4);

/// Enough for glibc (which puts 64 KiB answers on the heap) and for what its modules for LDAP, mDNS and systemd
/// need; pages that are not touched cost nothing.
const STACK_BYTES: usize = 256 * 1024;

/// The addresses of `host`, in the system's order. An address needs no lookup.
///
/// # Errors
/// [`ErrorKind::Dns`] with the name and the resolver's reason; [`ErrorKind::System`] if no thread can be had.
pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let mut addresses = resolver().resolve(host).await?;
    for address in &mut addresses {
        address.set_port(port);
    }
    Ok(addresses)
}

/// Joins the resolver threads that have finished, and lets go of those that still are in `getaddrinfo`, so that
/// they vanish by themselves. Waits for neither kind. For the end of the last client.
pub(crate) fn reap() {
    resolver().reap();
}

/// The child of a fork has none of its parent's lookups, whose threads are not there.
fn resolver() -> &'static Resolver {
    static RESOLVER: PerProcess<Resolver> = PerProcess::new();
    RESOLVER.get_or_inherit(|_| Resolver::new(&|host| Ok((host, 0).to_socket_addrs()?.collect())))
}

type Lookup = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Sync;
type Answer = Result<Vec<SocketAddr>, String>;

struct Resolver {
    lookup: &'static Lookup,
    state: Mutex<State>,
}

struct State {
    next_id: u64,
    running: Vec<Running>,
    waiting: Vec<Waiting>,
    threads: Vec<Thread>,
}

/// A lookup that has not returned yet.
struct Running {
    id: u64,
    host: String,
    since: Instant,
}

/// Somebody who asked, and which lookup answers at the latest.
struct Waiting {
    id: u64,
    host: String,
    answer: oneshot::Sender<Answer>,
}

struct Thread {
    id: u64,
    handle: JoinHandle<()>,
}

/// A question whose answer is awaited. Dropping it leaves nothing of the asker behind in the resolver.
struct Asked {
    resolver: &'static Resolver,
    answer: oneshot::Receiver<Answer>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.answer.close();
        let mut state = self.resolver.state();
        state.waiting.retain(|waiting| !waiting.answer.is_closed());
        state.shrink();
    }
}

impl State {
    /// Gives memory back as soon as there is nothing to hold in it: this state outlives the last client.
    fn shrink(&mut self) {
        if self.running.is_empty() {
            self.running = Vec::new();
        }
        if self.waiting.is_empty() {
            self.waiting = Vec::new();
        }
        if self.threads.is_empty() {
            self.threads = Vec::new();
        }
    }
}

impl Resolver {
    const fn new(lookup: &'static Lookup) -> Self {
        let state = State { next_id: 0, running: Vec::new(), waiting: Vec::new(), threads: Vec::new() };
        Self { lookup, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn resolve(&'static self, host: &str) -> Result<Vec<SocketAddr>> {
        let mut asked = self.ask(host)?;
        match (&mut asked.answer).await {
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(reason)) => {
                Err(Error::new(ErrorKind::Dns, format!("cannot resolve the name '{host}': {reason}")))
            }
            Err(_) => Err(Error::new(
                ErrorKind::Internal,
                format!("the lookup of '{host}' ended without an answer"),
            )),
        }
    }

    /// Joins a lookup in progress or starts one.
    fn ask(&'static self, host: &str) -> Result<Asked> {
        let mut state = self.state();
        state.threads.retain(|thread| !thread.handle.is_finished());
        let now = Instant::now();
        let same = state.running.iter().filter(|running| running.host == host);
        let id = match same.clone().next_back() {
            Some(newest) if now.duration_since(newest.since) < FRESH || same.count() == MAX_SAME => newest.id,
            _ if state.running.len() == MAX_LOOKUPS => {
                let names: Vec<&str> = state.running.iter().map(|running| &*running.host).take(3).collect();
                return Err(Error::new(
                    ErrorKind::Dns,
                    format!(
                        "cannot resolve the name '{host}': the system's resolver is busy with {MAX_LOOKUPS} other \
                         lookups ({}, …); is the name server reachable?",
                        names.join(", ")
                    ),
                ));
            }
            _ => self.start(&mut state, host, now)?,
        };
        let (sender, answer) = oneshot::channel();
        state.waiting.push(Waiting { id, host: host.to_owned(), answer: sender });
        Ok(Asked { resolver: self, answer })
    }

    /// Starts a thread. It cannot finish before `state` is unlocked.
    fn start(&'static self, state: &mut State, host: &str, now: Instant) -> Result<u64> {
        let id = state.next_id;
        let name = host.to_owned();
        let handle = sys::spawn("gecko-mqtt-dns", STACK_BYTES, move || {
            let found = catch_unwind(AssertUnwindSafe(|| (self.lookup)(&name)));
            self.finish(
                id,
                &name,
                answer(found.unwrap_or_else(|_| Err(io::Error::other("the lookup panicked")))),
            );
        })
        .map_err(|reason| {
            Error::new(
                ErrorKind::System,
                format!("cannot start a thread to resolve the name '{host}': {reason}"),
            )
        })?;
        state.next_id += 1;
        state.running.push(Running { id, host: host.to_owned(), since: now });
        state.threads.push(Thread { id, handle });
        Ok(id)
    }

    /// Hands a lookup's answer out. An address is good for everybody who asks for that name; a failure only for
    /// those who do not wait for a younger lookup, which may succeed where this one hung.
    fn finish(&self, id: u64, host: &str, answer: Answer) {
        let mut state = self.state();
        state.running.retain(|running| running.id != id);
        let (answered, remaining) = std::mem::take(&mut state.waiting)
            .into_iter()
            .partition(|waiting| waiting.host == host && (answer.is_ok() || waiting.id <= id));
        state.waiting = remaining;
        state.shrink();
        drop(state);
        let answered: Vec<Waiting> = answered;
        for waiting in answered {
            let _ = waiting.answer.send(answer.clone());
        }
    }

    fn reap(&self) {
        let finished = {
            let mut state = self.state();
            let threads = std::mem::take(&mut state.threads);
            let running = &state.running;
            // Those that are still running are detached by the drop of their handles.
            let finished: Vec<Thread> = threads
                .into_iter()
                .filter(|thread| running.iter().all(|running| running.id != thread.id))
                .collect();
            state.shrink();
            finished
        };
        for thread in finished {
            let _ = thread.handle.join();
        }
    }
}

/// What is told to those who wait.
fn answer(found: io::Result<Vec<SocketAddr>>) -> Answer {
    match found {
        Ok(addresses) if addresses.is_empty() => Err("it has no address".to_owned()),
        Ok(addresses) => Ok(addresses),
        Err(reason) => {
            let reason = reason.to_string();
            // The standard library's own words, which say nothing that ours do not.
            Err(reason.strip_prefix("failed to lookup address information: ").unwrap_or(&reason).to_owned())
        }
    }
}

#[cfg(test)]
mod tests;
