//! The first inputs of the target `connection`, as code: they reach what chance would take long to reach, and each is
//! held against what it has to come to. `UPDATE_SEEDS=1 cargo test --lib fuzz::connection` writes them to `fuzz/seeds`.

mod rotation;

use super::server::kind;
use super::{Summary, run, step};
use crate::ErrorKind::{self, *};
use std::path::Path;

/// An input, and what it has to come to.
struct Seed {
    name: &'static str,
    bytes: Vec<u8>,
    expected: Summary,
}

/// The settings' bytes: flags, receive maximum less 1, largest packet, time-out, queue's messages less 1 and bytes,
/// and whether (and in which session) everything recovers at the end.
const SETTINGS: [u8; 7] = [0, 9, 0, 0, 99, 15, 1];

const WRITE: &[u8] = &[step::WRITE, 255];
const ANSWER: &[u8] = &[step::ANSWER];
const CUT: &[u8] = &[step::CUT];
/// Without limits, with or without a session.
const FRESH: &[u8] = &[step::CONNECT, 0, 0, 0];
const KEPT: &[u8] = &[step::CONNECT, 1, 0, 0];
const HANDLE_ALL: &[u8] = &[step::HANDLE, 255];
const SECOND: &[u8] = &[step::PASS, 2];
const MINUTE: &[u8] = &[step::PASS, 4];
const LEAVE: &[u8] = &[step::CALL, 3];

/// On the topic spa/42/state, with 3 + 8 bytes of payload.
const QOS_0: &[u8] = &[step::PUBLISH, 0, 1, 3];
const QOS_1: &[u8] = &[step::PUBLISH, 1, 1, 3];
const QOS_2: &[u8] = &[step::PUBLISH, 2, 1, 3];
/// With a thread that waits for it.
const AWAITED: &[u8] = &[step::PUBLISH, 0x41, 1, 3];
/// Property bits in front of a user property's value.
const RICH: &[u8] = &[step::PUBLISH, 0x3D, 1, 3, 5, b'v', b'a', b'l', b'u', b'e'];
/// One with everything on a topic of its own.
const OWN_TOPIC: &[u8] = &[step::PUBLISH, 2, 255, 6, b'o', b'w', b'n', b'/', 0xC3, 0xA9, 255];
const SUBSCRIBE: &[u8] = &[step::SUBSCRIBE, 0, 1, 1];
const SUBSCRIBE_TO_ALL: &[u8] = &[step::SUBSCRIBE, 5, 0, 0, 0x15, 1, 2, 2, 1, 3, 0, 4, 1, 5];
const UNSUBSCRIBE: &[u8] = &[step::UNSUBSCRIBE, 1];

/// Of the first identifier that the client knows, in the shortest form.
fn ack(kind: u8) -> Vec<u8> {
    vec![step::PACKET, kind, 0, 0, 0]
}

/// With a reason, its words and a user property.
fn nack(kind: u8, reason: u8) -> Vec<u8> {
    vec![step::PACKET, kind, 0, 7, reason, 0]
}

/// PUBLISH of the server: flags, the identifier less 1, properties.
fn message(flags: u8, id: u8, properties: u8) -> Vec<u8> {
    match flags & 6 {
        0 => vec![step::PACKET, kind::PUBLISH, flags, 0, properties, 5, 0],
        _ => vec![step::PACKET, kind::PUBLISH, flags, 0, id, properties, 5, 0],
    }
}

/// Bytes of the server, in pieces of this size.
fn bytes(chunk: u8, bytes: &[u8]) -> Vec<u8> {
    let [high, low] = (bytes.len() as u16).to_be_bytes();
    [&[step::BYTES, high, low, chunk], bytes].concat()
}

fn came_to(acknowledged: usize, failed: usize, delivered: usize, connections: usize) -> Summary {
    Summary { acknowledged, failed, delivered, connections, rotations: 0, ends: Vec::new() }
}

fn seed(name: &'static str, expected: Summary, steps: &[&[u8]]) -> Seed {
    Seed { name, bytes: [&SETTINGS[..], &steps.concat()].concat(), expected }
}

impl Seed {
    /// With another setting.
    fn set(mut self, at: usize, value: u8) -> Self {
        self.bytes[at] = value;
        self
    }

    /// The connection ends so.
    fn ends(mut self, end: ErrorKind) -> Self {
        self.expected.ends = vec![end];
        self
    }
}

fn publishing() -> Vec<Seed> {
    let (rec, comp) = (ack(kind::PUBREC), ack(kind::PUBCOMP));
    vec![
        seed("qos_0", came_to(1, 0, 0, 1), &[FRESH, QOS_0, WRITE]),
        seed("qos_1", came_to(1, 0, 0, 1), &[FRESH, QOS_1, WRITE, ANSWER]),
        seed("qos_2", came_to(1, 0, 0, 1), &[FRESH, QOS_2, WRITE, ANSWER, WRITE, ANSWER]),
        seed("qos_2_by_hand", came_to(1, 0, 0, 1), &[FRESH, QOS_2, WRITE, &rec, WRITE, &comp]),
        seed("properties", came_to(1, 0, 0, 1), &[FRESH, RICH, WRITE, ANSWER]),
        seed("large", came_to(1, 0, 0, 1), &[FRESH, OWN_TOPIC, WRITE, ANSWER, WRITE, ANSWER]),
        seed("refused", came_to(0, 1, 0, 1), &[FRESH, QOS_1, WRITE, &nack(kind::PUBACK, 151)]),
        seed("refused_qos_2", came_to(0, 1, 0, 1), &[FRESH, QOS_2, WRITE, &nack(kind::PUBREC, 135)]),
        seed("released_anew", came_to(1, 0, 0, 1), &[FRESH, QOS_2, WRITE, &rec, &rec, WRITE, ANSWER]),
        seed(
            "unknown_pubrec",
            came_to(0, 0, 0, 1),
            &[FRESH, &[step::PACKET, kind::PUBREC, 200, 0, 0], WRITE],
        ),
        seed("wrong_ack", came_to(0, 1, 0, 1), &[FRESH, QOS_1, WRITE, &rec]).ends(Protocol),
        // Receive maximum 1; then QoS 0 alone, no retained messages; then 4-byte packets.
        seed(
            "one_at_a_time",
            came_to(2, 0, 0, 1),
            &[&[step::CONNECT, 0, 1, 0, 0], QOS_1, QOS_1, WRITE, ANSWER, WRITE, ANSWER],
        ),
        seed(
            "qos_0_alone",
            came_to(1, 2, 0, 1),
            &[&[step::CONNECT, 0, 6, 0, 0, 0], QOS_1, &[step::PUBLISH, 4, 1, 3], QOS_0, WRITE],
        ),
        seed("small_packets", came_to(0, 2, 0, 1), &[&[step::CONNECT, 0, 8, 1, 0], QOS_1, SUBSCRIBE]),
        seed(
            "aliases",
            came_to(4, 0, 0, 2),
            &[
                &[step::CONNECT, 0, 0x10, 1, 0],
                QOS_0,
                QOS_0,
                QOS_0,
                WRITE,
                CUT,
                &[step::CONNECT, 1, 0x10, 2, 0],
                QOS_0,
                WRITE,
            ],
        ),
        seed("paced", came_to(2, 0, 0, 1), &[FRESH, QOS_0, QOS_0, WRITE, MINUTE, WRITE]).set(0, 0x20),
        seed("queue_drops_the_oldest", came_to(1, 1, 0, 1), &[QOS_1, QOS_0, FRESH, WRITE])
            .set(4, 0)
            .set(0, 2),
        seed("expired", came_to(0, 1, 0, 1), &[&[step::PUBLISH, 0x11, 1, 3], MINUTE, FRESH, WRITE]),
        seed("given_up", came_to(0, 0, 0, 0), &[AWAITED, &[step::CALL, 2, 0]]),
        seed(
            "given_up_in_flight",
            came_to(1, 0, 0, 2),
            &[FRESH, AWAITED, &[step::CALL, 2, 0], CUT, KEPT, WRITE, ANSWER],
        ),
        seed(
            "overdue",
            came_to(1, 1, 0, 2),
            &[FRESH, QOS_1, WRITE, MINUTE, KEPT, WRITE, ANSWER, QOS_0, WRITE],
        )
        .ends(ConnectionLost),
    ]
}

fn subscribing() -> Vec<Seed> {
    let refused = [step::PACKET, kind::SUBACK, 0, 3, 0, 135, 0];
    vec![
        seed("subscribe", came_to(1, 0, 0, 1), &[FRESH, SUBSCRIBE, WRITE, ANSWER]),
        seed("subscribe_before_connect", came_to(1, 0, 0, 1), &[SUBSCRIBE, FRESH, WRITE, ANSWER]),
        seed(
            "every_filter",
            came_to(2, 0, 0, 1),
            &[FRESH, SUBSCRIBE_TO_ALL, WRITE, ANSWER, UNSUBSCRIBE, WRITE, ANSWER],
        ),
        seed("refused_filter", came_to(0, 1, 0, 1), &[FRESH, SUBSCRIBE, WRITE, &refused]),
        seed("no_wildcards", came_to(0, 1, 0, 1), &[&[step::CONNECT, 0, 0x60, 0, 0, 0], SUBSCRIBE_TO_ALL]),
        seed(
            "restored",
            came_to(2, 0, 0, 2),
            &[FRESH, SUBSCRIBE_TO_ALL, WRITE, ANSWER, QOS_1, CUT, FRESH, WRITE, ANSWER],
        ),
        seed(
            "not_restored",
            came_to(1, 0, 0, 2),
            &[FRESH, SUBSCRIBE, WRITE, ANSWER, CUT, FRESH, WRITE, &refused],
        ),
        seed("asked_again", came_to(1, 0, 0, 2), &[FRESH, SUBSCRIBE, WRITE, CUT, KEPT, WRITE, ANSWER]),
        seed(
            "wrong_count",
            came_to(0, 1, 0, 1),
            &[FRESH, SUBSCRIBE, WRITE, &[step::PACKET, kind::SUBACK, 0, 0, 1, 0, 0, 0]],
        )
        .ends(Protocol),
        seed(
            "subscription_given_up",
            came_to(0, 1, 0, 1),
            &[&[step::SUBSCRIBE, 0x80, 1, 1], &[step::CALL, 2, 0], FRESH, WRITE],
        ),
        seed("forgotten", came_to(1, 0, 0, 1), &[FRESH, SUBSCRIBE, WRITE, ANSWER, &[step::CALL, 4]]),
    ]
}

fn receiving() -> Vec<Seed> {
    let release = [step::PACKET, kind::PUBREL, 1, 0, 0];
    let all = 0x7F;
    vec![
        seed("incoming_qos_0", came_to(0, 0, 1, 1), &[FRESH, &message(1, 0, all)]),
        seed("incoming_qos_1", came_to(0, 0, 1, 1), &[FRESH, &message(2, 0, all), HANDLE_ALL, WRITE]),
        seed(
            "incoming_qos_2",
            came_to(0, 0, 1, 1),
            &[FRESH, &message(4, 0, 0), HANDLE_ALL, WRITE, ANSWER, WRITE],
        ),
        seed(
            "incoming_qos_2_doubled",
            came_to(0, 0, 1, 1),
            &[
                FRESH,
                &message(4, 0, 0),
                &message(12, 0, 0),
                HANDLE_ALL,
                &message(12, 0, 0),
                &release,
                &release,
                WRITE,
            ],
        ),
        seed(
            "incoming_qos_2_again",
            came_to(0, 0, 2, 2),
            &[
                FRESH,
                &message(4, 0, 0),
                CUT,
                KEPT,
                &message(12, 0, 0),
                &message(2, 1, 0),
                HANDLE_ALL,
                WRITE,
                ANSWER,
                WRITE,
            ],
        ),
        seed(
            "incoming_qos_2_released_early",
            came_to(0, 0, 3, 2),
            &[
                FRESH,
                &message(4, 0, 0),
                CUT,
                KEPT,
                &message(12, 0, 0),
                &release,
                &message(4, 0, 0),
                &message(2, 1, 0),
                &[step::HANDLE, 0],
                &[step::HANDLE, 0],
                &[step::HANDLE, 0],
                WRITE,
            ],
        )
        .set(0, 8),
        seed(
            "incoming_qos_2_begun_anew",
            came_to(0, 0, 2, 1),
            &[
                FRESH,
                &message(4, 0, 0),
                &release,
                &message(4, 0, 0),
                &[step::HANDLE, 0],
                &message(12, 0, 0),
                WRITE,
            ],
        )
        .set(0, 8),
        seed(
            "by_hand_out_of_order",
            came_to(0, 0, 3, 1),
            &[
                FRESH,
                &message(2, 0, 0),
                &message(4, 1, 0),
                &message(2, 2, 0),
                &[step::HANDLE, 2],
                &[step::HANDLE, 1],
                &[step::HANDLE, 0],
                &[step::CALL, 5],
                WRITE,
            ],
        )
        .set(0, 8),
        seed(
            "too_many",
            came_to(0, 0, 16, 1),
            &[
                FRESH,
                &bytes(64, &(1..=17).flat_map(|id| [0x32, 6, 0, 1, b'a', 0, id, 0]).collect::<Vec<u8>>()),
            ],
        )
        .set(1, 0)
        .ends(Protocol),
        seed("alias_that_we_did_not_allow", came_to(0, 0, 0, 1), &[FRESH, &message(0, 0, 0x80)])
            .ends(Protocol),
        seed(
            "split_everywhere",
            came_to(0, 0, 2, 1),
            &[FRESH, &bytes(1, b"\x30\x06\0\x01a\0hi\xD0\0\x32\x07\0\x01a\0\x07\0!"), HANDLE_ALL, WRITE],
        ),
        seed("behind_the_connack", came_to(0, 0, 1, 1), &[&[step::CONNECT, 0, 0, 6], b"\x30\x04\0\x01a\0"]),
    ]
}

fn ending() -> Vec<Seed> {
    let broken =
        |name, what: &[u8]| seed(name, came_to(0, 0, 0, 1), &[FRESH, &bytes(99, what)]).ends(Protocol);
    let farewell = |name, form: &[u8], kind| {
        seed(name, came_to(0, 1, 0, 1), &[FRESH, QOS_1, WRITE, &[step::PACKET, kind::DISCONNECT], form, &[0]])
            .ends(kind)
    };
    let two = [SECOND, SECOND].concat();
    let every_limit = [step::CONNECT, 0, 0xFF, 19, 1, 1, 255, 8, 1, 1, 30, 0];
    let properties = b"\x11\0\0\0\x10\x12\0\x01i\x1A\0\x01r\x1F\0\x01t\x26\0\x01k\0\x01v\x29\x01\x1C\0\x01s\x15\0\x01m\x16\0\x01d\x21\0\x05\x22\0\x02";
    vec![
        farewell("disconnect_in_two_bytes", &[0], ServerDisconnected),
        farewell("disconnect_in_three_bytes", &[1, 142], SessionTakenOver),
        farewell("disconnect_with_properties", &[15, 156], ServerMoved),
        broken("oversized", b"\x30\xFF\xFF\xFF\x7F").ends(IncomingTooLarge),
        broken("endless_length", b"\x30\xFF\xFF\xFF\xFF"),
        broken("longer_than_needed", b"\xD0\x80\0"),
        broken("reserved_type", b"\0\0"),
        broken("second_connack", b"\x20\x03\0\0\0"),
        broken("auth", b"\xF0\0"),
        seed("a_client_s_packet", came_to(0, 0, 0, 1), &[FRESH, &[step::PACKET, kind::OTHER, 0xC0, 0]])
            .ends(Protocol),
        broken("wrong_flags", b"\x60\x02\0\x01"),
        broken("qos_3", b"\x36\x06\0\x01a\0\x01\0"),
        broken("identifier_0", b"\x40\x02\0\0"),
        broken("no_utf_8", b"\x30\x05\0\x02\xC3\x28\0"),
        broken("doubled_property", b"\x30\x08\0\x01a\x04\x01\x01\x01\x01"),
        seed("every_limit", came_to(1, 0, 0, 1), &[&every_limit, QOS_1, SECOND, WRITE, ANSWER]),
        seed(
            "every_property_of_connack",
            came_to(1, 0, 0, 1),
            &[&[step::CONNECT, 2, properties.len() as u8], properties, &[0], QOS_1, WRITE, ANSWER],
        ),
        seed(
            "replay_kept",
            came_to(3, 0, 0, 2),
            &[FRESH, QOS_1, QOS_2, QOS_0, WRITE, CUT, KEPT, WRITE, ANSWER, WRITE, ANSWER],
        ),
        seed(
            "replay_lost",
            came_to(3, 0, 0, 2),
            &[FRESH, QOS_1, QOS_2, QOS_0, WRITE, CUT, FRESH, WRITE, ANSWER, WRITE, ANSWER],
        ),
        seed(
            "replay_half_written",
            came_to(2, 0, 0, 2),
            &[FRESH, QOS_0, QOS_1, &[step::WRITE, 40], CUT, KEPT, WRITE, ANSWER],
        ),
        seed(
            "replay_of_a_pubrel",
            came_to(1, 0, 0, 2),
            &[FRESH, QOS_2, WRITE, ANSWER, CUT, KEPT, WRITE, ANSWER],
        ),
        seed("replay_taken_over", came_to(0, 1, 0, 2), &[FRESH, QOS_2, WRITE, ANSWER, CUT, FRESH]),
        seed(
            "replay_paced",
            came_to(0, 3, 0, 2),
            &[FRESH, QOS_1, &two, QOS_1, WRITE, CUT, KEPT, QOS_1, &two, &two, WRITE],
        )
        .set(0, 0x20),
        seed("left_after_a_lost_session", came_to(0, 1, 0, 2), &[FRESH, QOS_1, WRITE, CUT, FRESH]),
        seed(
            "ping",
            came_to(0, 0, 0, 1),
            &[FRESH, MINUTE, WRITE, ANSWER, &[step::CALL, 0], WRITE, ANSWER, &[step::CALL, 1]],
        ),
        seed("silence", came_to(0, 0, 0, 1), &[FRESH, MINUTE, WRITE, MINUTE]).ends(KeepAliveTimeout),
        seed("leave", came_to(0, 3, 0, 1), &[FRESH, QOS_1, WRITE, QOS_1, SUBSCRIBE, LEAVE]),
        seed("recover_kept", came_to(5, 0, 0, 2), &[FRESH, QOS_1, QOS_2, SUBSCRIBE, WRITE, QOS_0, QOS_1])
            .set(6, 0),
        seed("recover_lost", came_to(5, 0, 0, 2), &[FRESH, QOS_1, QOS_2, SUBSCRIBE, WRITE, QOS_0, QOS_1])
            .set(6, 2),
    ]
}

#[test]
fn each_comes_to_what_it_is_there_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/connection");
    let update = std::env::var_os("UPDATE_SEEDS").is_some();
    for Seed { name, bytes, expected } in
        [publishing(), subscribing(), receiving(), ending(), rotation::rotating()].into_iter().flatten()
    {
        assert_eq!(run(&bytes), expected, "{name}");
        let file = folder.join(name);
        if update {
            std::fs::write(&file, &bytes).unwrap();
        }
        assert_eq!(std::fs::read(&file).ok(), Some(bytes), "{name}: UPDATE_SEEDS=1 writes it anew");
    }
}
