//! The proxy of these tests, tested: what passes is what was sent, and what befalls it befalls it where it was told to.

use crate::support::proxy::*;
use crate::support::{LIMIT, Seen};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(50);

struct Rig {
    server: TcpListener,
    proxy: Proxy,
    /// The bytes that came into each direction, counted.
    came: [Seen<usize>; 2],
}

impl Rig {
    fn new() -> Self {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy::to(server.local_addr().unwrap().port());
        let came = [Direction::Up, Direction::Down].map(|direction| {
            let seen = Seen::default();
            let came = seen.clone();
            proxy.listen(direction, Box::new(move |_, bytes| came.push(bytes.len())));
            seen
        });
        Self { server, proxy, came }
    }

    /// The client's end of a connection, and the server's.
    fn connect(&self) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(("127.0.0.1", self.proxy.port())).unwrap();
        let (server, _) = self.server.accept().unwrap();
        for stream in [&client, &server] {
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            stream.set_nodelay(true).unwrap();
        }
        (client, server)
    }

    fn strike(&self, after: u64, fault: Fault) {
        self.proxy.strike(Strike { after, within: LONG, ..Strike::now(Direction::Up, fault) });
    }

    fn wait_came(&self, direction: Direction, bytes: usize) {
        self.came[direction as usize].wait("the bytes come", |came| came.iter().sum::<usize>() >= bytes);
    }
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 7 + n / 256) as u8).collect()
}

/// Everything until the end, whatever kind of end it is.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return all,
            Ok(count) => all.extend_from_slice(&buffer[..count]),
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::WouldBlock, "no end within the limit");
                return all;
            }
        }
    }
}

fn exactly(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut all = vec![0; count];
    stream.read_exact(&mut all).unwrap();
    all
}

fn is_silent(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(SHORT)).unwrap();
    let silent = stream.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    silent
}

#[test]
fn bytes_and_ends_pass_both_ways() {
    let rig = Rig::new();
    let (client, server) = rig.connect();
    let all = pattern(1 << 20);
    std::thread::scope(|scope| {
        for (mut from, mut to) in
            [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
        {
            let all = &all;
            scope.spawn(move || {
                from.write_all(all).unwrap();
                from.shutdown(Shutdown::Write).unwrap();
            });
            scope.spawn(move || assert!(rest(&mut to) == *all));
        }
    });
    assert_eq!([Direction::Up, Direction::Down].map(|d| rig.proxy.traffic(d).bytes), [1 << 20; 2]);
}

#[test]
fn a_delay_holds_nothing_up_but_the_bytes() {
    let rig = Rig::new();
    rig.proxy.delay(Direction::Up, LONG);
    rig.proxy.delay(Direction::Down, SHORT);
    let (mut client, mut server) = rig.connect();
    for n in 0..100 {
        client.write_all(&[n]).unwrap();
    }
    rig.wait_came(Direction::Up, 100);
    assert!(is_silent(&mut server));
    let sent = Instant::now();
    server.write_all(b"x").unwrap();
    assert_eq!(exactly(&mut client, 1), b"x");
    assert!(sent.elapsed() >= SHORT);
}

#[test]
fn silence_is_measured() {
    let rig = Rig::new();
    let (mut client, mut server) = rig.connect();
    client.write_all(b"a").unwrap();
    rig.wait_came(Direction::Up, 1);
    let since = Instant::now();
    assert!(is_silent(&mut client));
    let silence = since.elapsed();
    assert!(rig.proxy.traffic(Direction::Up).longest_silence >= silence, "the present one counts");
    client.write_all(b"b").unwrap();
    assert_eq!(exactly(&mut server, 2), b"ab");
    assert!(rig.proxy.traffic(Direction::Up).longest_silence >= silence);
    rig.proxy.reset_traffic();
    let traffic = rig.proxy.traffic(Direction::Up);
    assert_eq!((traffic.bytes, traffic.longest_silence), (0, Duration::ZERO));
}

#[test]
fn a_cut_and_a_reset_come_after_exactly_so_many_bytes() {
    for fault in [Fault::Cut, Fault::Reset] {
        for after in [0, 1, 999] {
            let rig = Rig::new();
            let (mut client, mut server) = rig.connect();
            rig.strike(after, fault.clone());
            client.write_all(&pattern(5000)).unwrap();
            assert_eq!(rest(&mut server), pattern(after as usize), "{fault:?}");
            assert_eq!(rest(&mut client), [0u8; 0]);
        }
    }
}

#[test]
fn a_stall_lets_the_bytes_go_on_later_or_die_with_their_sender() {
    let rig = Rig::new();
    let (mut client, mut server) = rig.connect();
    rig.strike(2, Fault::Stall(SHORT));
    let sent = Instant::now();
    client.write_all(b"abcd").unwrap();
    assert_eq!(exactly(&mut server, 4), b"abcd");
    assert!(sent.elapsed() >= SHORT);
    rig.strike(1, Fault::Stall(LONG));
    client.write_all(b"efgh").unwrap();
    assert_eq!(exactly(&mut server, 1), b"e");
    server.write_all(b"back").unwrap();
    assert_eq!(exactly(&mut client, 4), b"back", "the other direction goes on");
    drop(client);
    assert_eq!(rest(&mut server), [0u8; 0]);
}

#[test]
fn of_a_half_open_connection_one_side_knows_nothing() {
    let rig = Rig::new();
    let (mut client, mut server) = rig.connect();
    rig.strike(1, Fault::Swallow);
    client.write_all(b"abc").unwrap();
    assert_eq!(exactly(&mut server, 1), b"a");
    server.write_all(b"back").unwrap();
    assert_eq!(exactly(&mut client, 4), b"back");
    drop(client);
    assert!(is_silent(&mut server), "not even the end");
    drop(server);
}

#[test]
fn drops_and_lumps_are_the_same_bytes() {
    for fault in [
        Fault::Drip { bytes: 100, pause: Duration::from_millis(1) },
        Fault::Drip { bytes: 5000, pause: Duration::ZERO },
        Fault::Merge { bytes: 3000, within: LONG },
        Fault::Merge { bytes: 1 << 20, within: SHORT },
    ] {
        let rig = Rig::new();
        let (mut client, mut server) = rig.connect();
        rig.strike(10, fault.clone());
        for chunk in pattern(20_000).chunks(1500) {
            client.write_all(chunk).unwrap();
        }
        assert!(exactly(&mut server, 20_000) == pattern(20_000), "{fault:?}");
    }
}

#[test]
fn a_lump_is_one_write() {
    let rig = Rig::new();
    let (mut client, mut server) = rig.connect();
    rig.strike(0, Fault::Merge { bytes: 10, within: LONG });
    for n in 1..=10 {
        client.write_all(&[n]).unwrap();
        rig.wait_came(Direction::Up, n.into());
    }
    assert_eq!(server.read(&mut [0; 100]).unwrap(), 10);
}

#[test]
fn garbage_comes_where_it_was_told_to() {
    // PINGREQ, a PUBLISH of three bytes, one of 200, PINGREQ.
    let packets = [vec![0xC0, 0, 0x30, 3, 1, 2, 3, 0x30, 0xC8, 1], vec![7; 200], vec![0xC0, 0]].concat();
    for (after, between_packets, at) in
        [(3, false, 3), (0, true, 0), (1, true, 2), (2, true, 2), (3, true, 7), (8, true, 210)]
    {
        for size in [1, 5, 1000] {
            let rig = Rig::new();
            let (mut client, mut server) = rig.connect();
            rig.proxy.strike(Strike {
                after,
                within: LONG,
                between_packets,
                ..Strike::now(Direction::Up, Fault::Insert(vec![9, 9]))
            });
            for chunk in packets.chunks(size) {
                client.write_all(chunk).unwrap();
            }
            let expected = [&packets[..at], &[9, 9], &packets[at..]].concat();
            assert_eq!(exactly(&mut server, expected.len()), expected, "{after} {between_packets} {size}");
        }
    }
    let rig = Rig::new();
    let (mut client, mut server) = rig.connect();
    rig.strike(1, Fault::Flip(0x80));
    client.write_all(&[1, 2, 3]).unwrap();
    assert_eq!(exactly(&mut server, 3), [1, 0x82, 3]);
}

#[test]
fn a_fault_can_wait_for_the_next_connection_and_need_not_wait_for_bytes() {
    let rig = Rig::new();
    let (mut first, mut server) = rig.connect();
    let cut = Strike { next_connection: true, ..Strike::now(Direction::Down, Fault::Cut) };
    rig.proxy.strike(cut);
    first.write_all(b"a").unwrap();
    assert_eq!(exactly(&mut server, 1), b"a");
    let opened = rig.proxy.opened();
    let (mut second, _server) = rig.connect();
    rig.proxy.wait_opened(opened);
    rig.proxy.wait_struck();
    assert_eq!(rest(&mut second), [0u8; 0]);
    first.write_all(b"b").unwrap();
    assert_eq!(exactly(&mut server, 1), b"b");
}

#[test]
fn healing_ends_what_was_struck_and_refusing_what_is_new() {
    let rig = Rig::new();
    let (mut well, mut server) = rig.connect();
    let (mut ill, _other) = rig.connect();
    rig.proxy.strike(Strike::now(Direction::Down, Fault::Swallow));
    rig.proxy.wait_struck();
    rig.strike(0, Fault::Cut);
    rig.proxy.heal();
    assert_eq!(rest(&mut ill), [0u8; 0]);
    rig.proxy.refuse(true);
    let mut refused = TcpStream::connect(("127.0.0.1", rig.proxy.port())).unwrap();
    assert_eq!(rest(&mut refused), [0u8; 0]);
    rig.proxy.refuse(false);
    well.write_all(b"a").unwrap();
    assert_eq!(exactly(&mut server, 1), b"a");
    rig.connect();
}
