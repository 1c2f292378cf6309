//! A second connection that takes the session over, or does not.

use super::super::rotation::event;
use super::*;

const BEGIN: &[u8] = &[step::ROTATE, event::BEGIN];
const ABANDON: &[u8] = &[step::ROTATE, event::ABANDON];
/// With everything out that waits, should the first connection have ended.
const REFUSE: &[u8] = &[step::ROTATE, event::REFUSE, 255];
/// Without limits, in the same session or in another one.
const GOES_ON: &[u8] = &[step::ROTATE, event::TAKE_OVER, 0, 1, 0, 0];
const BEGINS_ANEW: &[u8] = &[step::ROTATE, event::TAKE_OVER, 0, 0, 0, 0];
const STRAY_ANSWERS: &[u8] = &[step::ROTATE, event::STRAY_ANSWERS];
const STRAY_END: &[u8] = &[step::ROTATE, event::STRAY_END];
/// PINGRESP alone.
const PONG: &[u8] = &[step::PACKET, kind::PINGRESP, 0];

fn stray(packet: &[u8]) -> Vec<u8> {
    [&[step::ROTATE, event::STRAY_PACKET], &packet[1..]].concat()
}

fn stray_bytes(chunk: u8, what: &[u8]) -> Vec<u8> {
    [&[step::ROTATE, event::STRAY_BYTES], &bytes(chunk, what)[1..]].concat()
}

impl Seed {
    /// Of the connections, so many took the session over.
    fn rotates(mut self, times: usize) -> Self {
        self.expected.rotations = times;
        self
    }
}

pub fn rotating() -> Vec<Seed> {
    [succeeding(), failing(), straying()].into_iter().flatten().collect()
}

fn succeeding() -> Vec<Seed> {
    let (seconds, release) = (SECOND.repeat(5), [step::PACKET, kind::PUBREL, 1, 0, 0]);
    vec![
        seed(
            "rotation",
            came_to(5, 0, 0, 2),
            &[FRESH, QOS_0, QOS_1, BEGIN, QOS_0, QOS_1, WRITE, ANSWER, QOS_1, GOES_ON, WRITE, ANSWER],
        )
        .rotates(1),
        seed(
            "rotation_before_acknowledgements",
            came_to(3, 0, 0, 2),
            &[FRESH, QOS_1, QOS_2, SUBSCRIBE, BEGIN, WRITE, PONG, GOES_ON, WRITE, ANSWER, WRITE, ANSWER],
        )
        .rotates(1),
        seed(
            "rotation_session_lost",
            came_to(4, 1, 0, 2),
            &[
                FRESH,
                SUBSCRIBE,
                QOS_2,
                WRITE,
                ANSWER,
                QOS_1,
                BEGIN,
                WRITE,
                PONG,
                QOS_2,
                BEGINS_ANEW,
                WRITE,
                ANSWER,
                WRITE,
                ANSWER,
                QOS_0,
                WRITE,
            ],
        )
        .rotates(1),
        seed(
            "rotation_first_link_ends",
            came_to(4, 0, 0, 2),
            &[
                FRESH, QOS_1, QOS_2, BEGIN, QOS_0, WRITE, PONG, CUT, QOS_1, GOES_ON, WRITE, ANSWER, WRITE,
                ANSWER,
            ],
        )
        .rotates(1),
        seed(
            "rotation_first_link_is_closed",
            came_to(1, 0, 0, 2),
            &[
                FRESH,
                QOS_1,
                BEGIN,
                WRITE,
                PONG,
                &[step::PACKET, kind::DISCONNECT, 1, 142, 0],
                GOES_ON,
                WRITE,
                ANSWER,
            ],
        )
        .rotates(1),
        // No PINGRESP within five seconds: what is written of a QoS 0 message counts as sent.
        seed(
            "rotation_unsettled",
            came_to(2, 0, 0, 2),
            &[FRESH, QOS_0, QOS_0, BEGIN, &seconds, &[step::ROTATE, event::TAKE_OVER, 30, 1, 0, 0], WRITE],
        )
        .rotates(1),
        // What the client acknowledges meanwhile goes out.
        seed(
            "rotation_acknowledges",
            came_to(0, 0, 3, 2),
            &[
                FRESH,
                &message(2, 0, 0),
                &message(4, 1, 0),
                BEGIN,
                WRITE,
                ANSWER,
                HANDLE_ALL,
                WRITE,
                ANSWER,
                &message(2, 2, 0),
                GOES_ON,
                HANDLE_ALL,
                &release,
                WRITE,
            ],
        )
        .rotates(1),
        seed(
            "rotation_keeps_requests_waiting",
            came_to(2, 0, 0, 2),
            &[FRESH, BEGIN, WRITE, ANSWER, SUBSCRIBE, UNSUBSCRIBE, GOES_ON, WRITE, ANSWER],
        )
        .rotates(1),
        // QoS 0 that an earlier connection did not write, behind repetitions that go out one at a time.
        seed(
            "rotation_keeps_qos_0_waiting",
            came_to(3, 0, 0, 3),
            &[
                FRESH,
                QOS_1,
                QOS_1,
                WRITE,
                QOS_0,
                CUT,
                &[step::CONNECT, 1, 1, 0, 0],
                BEGIN,
                WRITE,
                ANSWER,
                GOES_ON,
                WRITE,
                ANSWER,
            ],
        )
        .rotates(1),
        seed(
            "rotation_twice",
            came_to(2, 0, 0, 3),
            &[FRESH, QOS_1, BEGIN, WRITE, PONG, GOES_ON, BEGIN, QOS_0, WRITE, ANSWER, BEGINS_ANEW, WRITE],
        )
        .rotates(2),
        seed("rotation_recovers", came_to(3, 0, 0, 2), &[FRESH, QOS_1, QOS_2, BEGIN, QOS_0, WRITE, PONG])
            .set(6, 0)
            .rotates(1),
    ]
}

fn failing() -> Vec<Seed> {
    vec![
        seed(
            "rotation_refused",
            came_to(4, 0, 0, 1),
            &[FRESH, QOS_1, BEGIN, QOS_0, WRITE, ANSWER, QOS_1, QOS_0, REFUSE, WRITE, ANSWER],
        ),
        seed("rotation_abandoned", came_to(2, 0, 0, 1), &[FRESH, BEGIN, QOS_0, QOS_0, ABANDON, WRITE]),
        seed(
            "rotation_refused_and_first_link_ended",
            came_to(1, 0, 0, 2),
            &[FRESH, BEGIN, WRITE, ANSWER, QOS_1, CUT, REFUSE, KEPT, WRITE, ANSWER],
        )
        .ends(ConnectTimeout),
        seed("rotation_cut_before_it_greets", came_to(1, 0, 0, 2), &[FRESH, BEGIN, QOS_0, CUT, KEPT, WRITE]),
        seed("rotation_left", came_to(0, 2, 0, 1), &[FRESH, QOS_1, BEGIN, QOS_0, WRITE, PONG, CUT, LEAVE]),
        // Nothing follows the DISCONNECT that says what was wrong.
        seed(
            "rotation_broken_protocol",
            came_to(0, 0, 1, 1),
            &[
                FRESH,
                &message(2, 0, 0),
                BEGIN,
                WRITE,
                PONG,
                &bytes(9, b"\xF0\0"),
                HANDLE_ALL,
                &[step::CALL, 0],
                &[step::CALL, 1],
                REFUSE,
            ],
        )
        .ends(ConnectTimeout),
    ]
}

fn straying() -> Vec<Seed> {
    let beside = |takeover| [FRESH, QOS_1, BEGIN, WRITE, PONG, takeover].concat();
    let (kept, anew) = (beside(GOES_ON), beside(BEGINS_ANEW));
    let all =
        [message(1, 0, 0x7F), message(2, 0, 0x7F), message(4, 1, 0)].map(|packet| stray(&packet)).concat();
    vec![
        seed("stray", came_to(1, 0, 1, 2), &[&kept, &all, WRITE, ANSWER]).rotates(1),
        seed("stray_session_lost", came_to(1, 0, 3, 2), &[&anew, &all, WRITE, ANSWER]).rotates(1),
        seed("stray_answers", came_to(1, 0, 0, 2), &[&kept, STRAY_ANSWERS, WRITE, ANSWER]).rotates(1),
        seed(
            "stray_split_everywhere",
            came_to(0, 1, 2, 2),
            &[&kept, &stray_bytes(1, b"\x30\x06\0\x01a\0hi\xD0\0\xE0\0\x30\x04\0\x01a\0")],
        )
        .rotates(1),
        seed(
            "stray_too_late",
            came_to(0, 1, 0, 2),
            &[&kept, &stray_bytes(99, b"\x30\x04\0"), &SECOND.repeat(5), &stray_bytes(99, b"\x01a\0")],
        )
        .rotates(1),
        seed("stray_end", came_to(0, 1, 0, 2), &[&kept, STRAY_END, &all]).rotates(1),
        seed(
            "stray_malformed",
            came_to(0, 1, 1, 2),
            &[&kept, &stray_bytes(99, b"\x30\x04\0\x01a\0\x30\x05\0\x02\xC3\x28\0"), &all],
        )
        .rotates(1),
        seed(
            "stray_oversized",
            came_to(0, 1, 1, 2),
            &[&kept, &stray_bytes(99, b"\x30\x04\0\x01a\0\x30\xFF\xFF\xFF\x7F"), &all],
        )
        .rotates(1),
    ]
}
