//! What held a secret is overwritten before its memory is given back. A program of its own, because its allocator looks
//! into every block that the library frees.
#![cfg(target_os = "linux")]

mod support;

use gecko_iot_sim::{Config, PasswordListener};
use gecko_mqtt::{
    Client, EventKind, Options, QoS, TokenInput, TokenRequest, token_request_complete, token_request_fail,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::ffi::c_char;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;
use support::*;

/// So much of a secret is not found in memory by chance.
const PIECE: usize = 16;

/// The pieces of the secrets that are looked for.
static PIECES: RwLock<Vec<[u8; PIECE]>> = RwLock::new(Vec::new());
/// Where a block with such a piece was freed.
static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[derive(Clone, Copy, PartialEq)]
enum Whose {
    Unknown,
    Library,
    Other,
}

thread_local! {
    /// Whose work this thread does.
    static WHOSE: Cell<Whose> = const { Cell::new(Whose::Unknown) };
}

unsafe extern "C" {
    fn pthread_self() -> usize;
    fn pthread_getname_np(thread: usize, name: *mut c_char, len: usize) -> i32;
}

/// The library's threads are known by their name; the test's do the library's work inside [`library`].
fn whose() -> Whose {
    let known = WHOSE.get();
    if known != Whose::Unknown {
        return known;
    }
    let mut name = [0u8; 16];
    // SAFETY: the name is written into as many bytes as there are.
    unsafe { pthread_getname_np(pthread_self(), name.as_mut_ptr().cast(), name.len()) };
    let whose = if name.starts_with(b"gecko-mqtt") { Whose::Library } else { Whose::Other };
    WHOSE.set(whose);
    whose
}

fn working<T>(whose: Whose, work: impl FnOnce() -> T) -> T {
    let before = WHOSE.replace(whose);
    let result = work();
    WHOSE.set(before);
    result
}

/// The library is called.
fn library<T>(work: impl FnOnce() -> T) -> T {
    working(Whose::Library, work)
}

/// The application works, on a thread of the library.
fn application<T>(work: impl FnOnce() -> T) -> T {
    working(Whose::Other, work)
}

struct Looking;

/// Looks into a block that goes.
///
/// # Safety
/// `block` has `len` bytes.
unsafe fn look(block: *mut u8, len: usize) {
    if len < PIECE || whose() != Whose::Library {
        return;
    }
    // SAFETY: the caller's promise, and all of it was written at least with zeros.
    let bytes = unsafe { std::slice::from_raw_parts(block, len) };
    application(|| {
        let pieces = PIECES.read().unwrap();
        let found = |window: &[u8]| pieces.iter().any(|piece| piece[0] == window[0] && piece == window);
        if !pieces.is_empty() && bytes.windows(PIECE).any(found) {
            FOUND.lock().unwrap().push(format!("{len} bytes:\n{}", Backtrace::force_capture()));
        }
    });
}

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Looking {
    /// Zeros, so that nothing of an earlier owner is found.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { look(block, layout.size()) };
        // SAFETY: the same.
        unsafe { System.dealloc(block, layout) };
    }

    /// A block that grows may be moved, and its old place freed as it is.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let larger = Layout::from_size_align(size, layout.align()).unwrap();
        // SAFETY: the caller's promise.
        let moved = unsafe { self.alloc(larger) };
        if !moved.is_null() {
            // SAFETY: both have that many bytes, and they are two.
            unsafe { std::ptr::copy_nonoverlapping(block, moved, layout.size().min(size)) };
            // SAFETY: the caller's promise.
            unsafe { self.dealloc(block, layout) };
        }
        moved
    }
}

#[global_allocator]
static ALLOCATOR: Looking = Looking;

/// Looks for `secret` from now on.
fn keep_secret(secret: &[u8]) {
    let pieces = secret.chunks_exact(PIECE).map(|piece| <[u8; PIECE]>::try_from(piece).unwrap());
    PIECES.write().unwrap().extend(pieces);
}

/// The secrets of a token, as it is given and as it is sent.
fn keep_token(token: &gecko_iot_sim::Token) {
    keep_secret(token.token.as_bytes());
    keep_secret(token.signature.as_bytes());
    let encoded = token.broker_url.rsplit_once("signature=").unwrap().1;
    keep_secret(encoded.as_bytes());
    token.token.split('.').for_each(|part| keep_secret(&base64(part)));
}

fn keep_key(pem: &str) {
    let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    lines.iter().for_each(|line| keep_secret(line.as_bytes()));
    // Of the key itself what is not its public half: an RSA key's numbers after the modulus, a curve's only number.
    let der = base64(&lines.concat());
    let number = der.windows(2).position(|head| head == [4, 32]).map(|at| at + 2..at + 34);
    keep_secret(&der[if der.len() > 1000 { 320..der.len() } else { number.unwrap() }]);
}

fn base64(text: &str) -> Vec<u8> {
    let value = |symbol: u8| match symbol {
        b'A'..=b'Z' => symbol - b'A',
        b'a'..=b'z' => symbol - b'a' + 26,
        b'0'..=b'9' => symbol - b'0' + 52,
        b'+' | b'-' => 62,
        _ => 63,
    };
    let symbols = text.bytes().filter(|&symbol| symbol != b'=').map(value);
    let mut bits = 0u32;
    let mut bytes = Vec::new();
    for (index, symbol) in symbols.enumerate() {
        bits = bits << 6 | u32::from(symbol);
        if index % 4 != 0 {
            bytes.push((bits >> (6 - index % 4 * 2)) as u8);
        }
    }
    bytes
}

fn assert_nothing_found() {
    let found = std::mem::take(&mut *FOUND.lock().unwrap());
    assert!(
        found.is_empty(),
        "{} blocks were freed with a secret in them; the first: {}",
        found.len(),
        found[0]
    );
}

fn refreshed(events: &Seen<EventKind>, times: usize) {
    let is_refresh = |kind: &&EventKind| **kind == EventKind::TokenRefreshed;
    events.wait("it is rotated", |events| events.iter().filter(is_refresh).count() >= times);
}

/// A client whose events are seen; connected.
fn lively(options: Options) -> (Client, Seen<EventKind>) {
    let events = Seen::default();
    let seen = events.clone();
    let client = library(|| {
        let client = Client::new(&options).unwrap();
        client.on_connection_event(0, Box::new(move |event| application(|| seen.push(event.kind)))).unwrap();
        client.connect(WAIT).unwrap();
        drop(options);
        client
    });
    (client, events)
}

fn leave(client: Client) {
    library(|| {
        client.publish_wait(&message("t", b"x", QoS::AtLeastOnce), WAIT).result.unwrap();
        client.disconnect(WAIT).unwrap();
        drop(client);
    });
}

fn minted(sim: &Sim) -> gecko_iot_sim::Token {
    let token = sim.mint_token(Duration::from_secs(600)).unwrap();
    keep_token(&token);
    token
}

fn by_url_and_by_parts(sim: &Sim) {
    let (first, second, third) = (minted(sim), minted(sim), minted(sim));
    let password = b"a pass word that is long enough";
    keep_secret(password);
    let options = library(|| {
        let mut options = sim.trusting();
        options.set_broker_url(&first.broker_url).unwrap();
        options.set_password(password).unwrap();
        options.clone()
    });
    let (client, events) = lively(options);
    let url = TokenInput { broker_url: Some(&second.broker_url), ..TokenInput::default() };
    library(|| client.set_token(&url).unwrap());
    refreshed(&events, 1);
    let encoded = third.broker_url.rsplit_once("signature=").unwrap().1;
    let parts =
        TokenInput { access_token: Some(&third.token), signature: Some(encoded), ..TokenInput::default() };
    library(|| client.set_token(&parts).unwrap());
    refreshed(&events, 2);
    leave(client);
}

fn by_provider(sim: &Arc<Sim>) {
    let minter = sim.clone();
    let provider = move |request: TokenRequest| {
        application(|| {
            let token = minted(&minter);
            let input = TokenInput { broker_url: Some(&token.broker_url), ..TokenInput::default() };
            // The second one belongs to no request any more.
            library(|| token_request_complete(request, &input)).unwrap();
            library(|| token_request_complete(request, &input)).unwrap_err();
            library(|| token_request_fail(request, "late")).unwrap_err();
        });
    };
    let options = library(|| {
        let mut options = sim.trusting();
        options.set_token_provider(Arc::new(provider)).unwrap();
        options
    });
    let (client, events) = lively(options);
    library(|| client.refresh_token().unwrap());
    refreshed(&events, 1);
    leave(client);
}

/// The user name may have a token in it.
fn by_password(sim: &Sim, user_name: &str, password: &[u8]) {
    keep_secret(user_name.as_bytes());
    keep_secret(password);
    let options = library(|| {
        let mut options = sim.trusting();
        options.set_port(sim.password_port().unwrap()).unwrap();
        options.set_username(user_name).unwrap();
        options.set_password(password).unwrap();
        options
    });
    leave(lively(options).0);
}

fn by_certificate(sim: &Sim) {
    let identities = [sim.client(), sim.rsa_client()];
    for identity in identities {
        [&identity.key_pem, &identity.legacy_key_pem].iter().for_each(|pem| keep_key(pem));
    }
    let options = library(|| {
        let mut options = sim.trusting();
        options.set_port(sim.mtls_port()).unwrap();
        options
            .set_certificate_file(
                sim.path("client.pem").to_str().unwrap(),
                sim.path("client.key").to_str().unwrap(),
            )
            .unwrap();
        options
    });
    let (client, events) = lively(options);
    for (times, (certificate, key)) in identities
        .iter()
        .flat_map(|identity| {
            [&identity.key_pem, &identity.legacy_key_pem].map(|key| (&identity.certificate_pem, key))
        })
        .enumerate()
    {
        library(|| client.set_certificate_pem(certificate.as_bytes(), key.as_bytes()).unwrap());
        refreshed(&events, times + 1);
    }
    leave(client);
}

/// What cannot be used is told, and forgotten.
fn refused(sim: &Sim) {
    let token = minted(sim);
    let (url, foreign) = (&token.broker_url, sim.foreign_client());
    keep_key(&foreign.key_pem);
    let pem = |line_end: &str| foreign.key_pem.replace('\n', line_end);
    let (certificate, key) = (foreign.certificate_pem.as_bytes(), foreign.key_pem.as_bytes());
    let urls = [format!("{url}\n"), format!("{url}&other=x"), format!("{url}%zz"), url.replace("wss", "ws")];
    let tokens = [format!("{}\n", token.token), format!(" {}", token.token), url.clone()];
    let signatures = [format!("{} ", token.signature), format!("{}%", token.signature)];
    let keys = [pem(""), pem("\\n"), pem("*\n")];
    let user = format!("{}\n", token.user_name);
    library(|| {
        let mut options = sim.trusting();
        for bad in &urls {
            options.set_broker_url(bad).unwrap_err();
        }
        for bad in &tokens {
            let token = TokenInput { access_token: Some(bad), ..TokenInput::default() };
            options.set_token(&token).unwrap_err();
        }
        for bad in &signatures {
            options.set_authorizer("gecko", Some("token"), Some(bad)).unwrap_err();
            let token = TokenInput {
                access_token: Some(&token.token),
                signature: Some(bad),
                ..TokenInput::default()
            };
            options.set_token(&token).unwrap_err();
        }
        for bad in &keys {
            options.set_certificate_pem(certificate, bad.as_bytes()).unwrap_err();
        }
        options.set_certificate_pem(key, key).unwrap_err();
        options.set_certificate_pem(sim.client().certificate_pem.as_bytes(), key).unwrap_err();
        options.set_certificate_file(&foreign.certificate_pem, &foreign.key_pem).unwrap_err();
        options.set_username(&user).unwrap_err();
    });
}

#[test]
fn nothing_is_freed_with_a_secret_in_it() {
    // The allocator sees what it should.
    keep_secret(b"sixteen bytes...");
    library(|| drop(std::hint::black_box(b"sixteen bytes...".to_vec())));
    assert_eq!(std::mem::take(&mut *FOUND.lock().unwrap()).len(), 1);

    let (user_name, password) =
        ("me?token=put-here-by-hand-by-somebody", b"another pass word of some length");
    let listener = PasswordListener { port: 0, user_name: user_name.to_owned(), password: password.to_vec() };
    let sim = Arc::new(Sim::start(Config { password_listener: Some(listener), ..Config::default() }));
    by_url_and_by_parts(&sim);
    assert_nothing_found();
    by_provider(&sim);
    assert_nothing_found();
    by_password(&sim, user_name, password);
    assert_nothing_found();
    by_certificate(&sim);
    assert_nothing_found();
    refused(&sim);
    assert_nothing_found();
}
