//! The session against models of a server and of an application: random histories with everything that a network, a
//! server and a slow application do. What must hold is checked at every step, and at the end of a recovery.

mod publishing;
mod receiving;
mod subscribing;

use super::limits::{Limits, Quotas};
use super::{Actions, Session, Settings};
use crate::QoS;
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn session() -> Session {
    Session::new(Settings {
        receive_maximum: 10,
        max_incoming_packet: 1000,
        operation_timeout: Duration::from_secs(100_000),
    })
}

fn limits(receive_maximum: u16) -> Limits {
    Limits {
        receive_maximum,
        maximum_qos: QoS::ExactlyOnce,
        retain_available: true,
        maximum_packet_size: u32::MAX,
        topic_alias_maximum: 1,
        wildcard_available: true,
        shared_available: true,
        keep_alive_secs: 0,
        quotas: Quotas::NONE,
    }
}

/// What becomes of the session between two connections.
#[derive(Clone, Copy, Debug)]
struct Fate {
    kept: bool,
    /// A CONNECT in between had no answer, so that CONNACK speaks of a session in any case.
    doubted: bool,
}

fn fate() -> impl Strategy<Value = Fate> {
    (any::<bool>(), prop::bool::weighted(0.3)).prop_map(|(kept, doubted)| Fate { kept, doubted })
}

fn connect(session: &mut Session, limits: Limits, fate: Fate, now: Instant, actions: &mut Actions) {
    if fate.doubted {
        session.doubt();
    }
    session.connected(limits, fate.kept || fate.doubted, now, actions);
}
