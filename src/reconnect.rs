//! Why a connection ended or failed, and when to try again. Pure: randomness comes in as a number in 0..1.

use crate::ErrorKind;
use std::time::Duration;

/// What decides how to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The network, the name service, a server that went away: back off and try again.
    Network,
    /// The credentials were refused: a fresh token first, then as for the network.
    Authentication,
    /// Another client with the same identifier.
    Takeover,
    /// The server is busy, or a quota is exceeded: a longer back-off.
    Busy,
    /// Something that trying again at once will not mend.
    Configuration,
    /// Client and server do not understand each other: trying again at once brings the same, unless the connection had
    /// lasted until then.
    Protocol,
    /// The application wanted it.
    Application,
}

impl Cause {
    /// The cause behind an error of this kind.
    pub fn of(kind: ErrorKind) -> Self {
        use ErrorKind as K;
        match kind {
            K::NotAuthorized | K::BadCredentials | K::Banned | K::BadAuthenticationMethod => {
                Self::Authentication
            }
            K::TokenExpired | K::InvalidToken | K::TokenRefresh | K::TokenTimeout => Self::Authentication,
            K::ClosedBeforeConnack => Self::Authentication,
            K::SessionTakenOver => Self::Takeover,
            K::ServerUnavailable | K::QuotaExceeded | K::ServerShuttingDown => Self::Busy,
            K::TlsHostname
            | K::TlsUnknownIssuer
            | K::TlsBadCertificate
            | K::TlsClientCertificate
            | K::TlsAlpn => Self::Configuration,
            K::Protocol | K::IncomingTooLarge => Self::Protocol,
            K::ProtocolVersion | K::ClientIdRejected | K::ServerMoved => Self::Configuration,
            K::ServerRefused | K::InvalidConfiguration | K::Unsupported | K::InvalidArgument => {
                Self::Configuration
            }
            K::Disconnected | K::Cancelled | K::Closed => Self::Application,
            // A device whose clock is set by the network, or whose server renews its certificate, comes back.
            _ => Self::Network,
        }
    }
}

/// How to go on trying.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Attempts in one round; 0: a round without end.
    pub max_attempts: u32,
    /// The bound of the first delay.
    pub initial: Duration,
    /// The bound of every delay.
    pub max: Duration,
    /// By which the bound grows with every failure.
    pub multiplier: f64,
    /// The bound of the wait between rounds; `None`: give up for good after the first one.
    pub cool_down: Option<Duration>,
}

impl Policy {
    /// Where the options say nothing.
    pub const DEFAULT: Self = Self {
        max_attempts: 5,
        initial: Duration::from_secs(1),
        max: Duration::from_secs(60),
        multiplier: 2.0,
        cool_down: Some(Duration::from_secs(300)),
    };
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Attempt number `attempt` of this round, after `delay`.
    Retry {
        /// Counted from 1.
        attempt: u32,
        /// Jittered.
        delay: Duration,
    },
    /// The round is over; the next one begins after `delay`, with a fresh token.
    CoolDown {
        /// Jittered.
        delay: Duration,
    },
    /// No further attempt.
    Stop,
}

/// A connection that lived so long makes up for all failures before it.
pub const LASTED: Duration = Duration::from_secs(30);
/// So many turns without a connection that lasted are not an accident but two clients with one identifier.
const TAKEOVERS: u32 = 3;
/// By which the bounds are larger where the server is busy: a round then lasts about a minute (docs/fleet.md).
pub const BUSY: f64 = 8.0;
/// The share of a cool-down that is certain; all of the first one is chance (docs/fleet.md).
const CERTAIN: f64 = 0.75;

/// The memory of one client's failures.
#[derive(Clone, Debug)]
pub struct Reconnect {
    policy: Policy,
    failures: u32,
    /// Rounds without success since a connection that lasted.
    rounds: u32,
    takeovers: u32,
}

impl Reconnect {
    /// No failure yet.
    pub fn new(policy: Policy) -> Self {
        Self { policy, failures: 0, rounds: 0, takeovers: 0 }
    }

    /// A new round begins.
    pub fn begin_round(&mut self) {
        self.failures = 0;
    }

    /// The application asks anew: everything is forgotten.
    pub fn forget(&mut self) {
        self.failures = 0;
        self.rounds = 0;
        self.takeovers = 0;
    }

    /// The number of the attempt that is under way or next, from 1.
    pub fn attempt(&self) -> u32 {
        self.failures + 1
    }

    /// An attempt failed.
    pub fn failed(&mut self, cause: Cause, random: f64) -> Next {
        self.failures = self.failures.saturating_add(1);
        let over = self.policy.max_attempts != 0 && self.failures >= self.policy.max_attempts;
        match cause {
            Cause::Application => Next::Stop,
            Cause::Configuration | Cause::Protocol => self.cool_down(random),
            _ if over => self.cool_down(random),
            cause => self.retry(cause, random),
        }
    }

    /// A connection ended after it had lived for `lived`.
    pub fn lost(&mut self, cause: Cause, lived: Duration, random: f64) -> Next {
        if lived >= LASTED {
            self.failures = 0;
            self.rounds = 0;
            if cause != Cause::Takeover {
                self.takeovers = 0;
            }
        }
        if cause == Cause::Takeover {
            self.takeovers += 1;
            if self.takeovers >= TAKEOVERS && lived < LASTED {
                return Next::Stop;
            }
        }
        if lived >= LASTED && !matches!(cause, Cause::Application | Cause::Configuration) {
            return Next::Retry { attempt: 1, delay: self.delay(cause, 0, random) };
        }
        self.failed(cause, random)
    }

    /// After how long to try, had attempt number `attempt` just failed.
    fn delay(&self, cause: Cause, failures: u32, random: f64) -> Duration {
        let factor = if cause == Cause::Busy { BUSY } else { 1.0 };
        // Two clients with one identifier should not meet in step.
        let failures = if cause == Cause::Takeover { failures + 2 * self.takeovers } else { failures };
        let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let bound = self.policy.initial.as_secs_f64() * self.policy.multiplier.powi(exponent) * factor;
        let bound = bound.min(self.policy.max.as_secs_f64());
        Duration::from_secs_f64(bound * random.clamp(0.0, 1.0))
    }

    fn retry(&self, cause: Cause, random: f64) -> Next {
        Next::Retry { attempt: self.attempt(), delay: self.delay(cause, self.failures, random) }
    }

    fn cool_down(&mut self, random: f64) -> Next {
        let Some(cool_down) = self.policy.cool_down else { return Next::Stop };
        // A fleet that failed together is spread over the whole of the first one; from then on it stays spread, and
        // to wait longer spares attempts.
        let certain = if self.rounds == 0 { 0.0 } else { CERTAIN };
        self.rounds = self.rounds.saturating_add(1);
        let share = certain + (1.0 - certain) * random.clamp(0.0, 1.0);
        Next::CoolDown { delay: cool_down.mul_f64(share) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy::DEFAULT;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_round_backs_off_and_ends_in_a_cool_down() {
        let mut reconnect = Reconnect::new(POLICY);
        for (attempt, delay) in [(2, 1), (3, 2), (4, 4), (5, 8)] {
            assert_eq!(reconnect.failed(Cause::Network, 1.0), Next::Retry { attempt, delay: secs(delay) });
        }
        assert_eq!(reconnect.failed(Cause::Network, 1.0), Next::CoolDown { delay: secs(300) });
        reconnect.begin_round();
        assert_eq!(reconnect.failed(Cause::Network, 0.0), Next::Retry { attempt: 2, delay: secs(0) });
    }

    #[test]
    fn a_round_without_end_stays_at_the_longest_delay() {
        let mut reconnect = Reconnect::new(Policy { max_attempts: 0, ..POLICY });
        let last = (0..10_000).map(|_| reconnect.failed(Cause::Network, 1.0)).last();
        assert_eq!(last, Some(Next::Retry { attempt: 10_001, delay: secs(60) }));
    }

    #[test]
    fn the_whole_delay_is_jittered() {
        let mut reconnect = Reconnect::new(POLICY);
        assert_eq!(reconnect.failed(Cause::Network, 0.25), Next::Retry { attempt: 2, delay: secs(1) / 4 });
    }

    /// The next round's end without success.
    fn cool_down(reconnect: &mut Reconnect, random: f64) -> Duration {
        loop {
            match reconnect.failed(Cause::Network, random) {
                Next::CoolDown { delay } => {
                    reconnect.begin_round();
                    return delay;
                }
                next => assert!(matches!(next, Next::Retry { .. }), "{next:?}"),
            }
        }
    }

    #[test]
    fn the_first_cool_down_is_all_chance_and_a_quarter_of_the_later_ones() {
        let mut reconnect = Reconnect::new(POLICY);
        assert_eq!(cool_down(&mut reconnect, 0.0), secs(0));
        assert_eq!(cool_down(&mut reconnect, 0.0), secs(225));
        assert_eq!(cool_down(&mut reconnect, 0.5), secs(525) / 2);
        assert_eq!(cool_down(&mut reconnect, 1.0), secs(300));

        reconnect.lost(Cause::Network, secs(1), 0.0);
        assert_eq!(
            cool_down(&mut reconnect, 0.0),
            secs(225),
            "a connection that did not last changes nothing"
        );
        reconnect.lost(Cause::Network, LASTED, 0.0);
        assert_eq!(cool_down(&mut reconnect, 0.5), secs(150), "one that did begins anew");
        reconnect.forget();
        assert_eq!(cool_down(&mut reconnect, 0.5), secs(150), "so does the application");
    }

    /// So a device whose network returns is back that soon, whatever it went through before.
    #[test]
    fn no_wait_is_ever_longer_than_the_cool_down_or_the_longest_delay() {
        let causes =
            [Cause::Network, Cause::Authentication, Cause::Takeover, Cause::Busy, Cause::Configuration];
        for (max_attempts, cool_down) in [(5, 300), (5, 7), (1, 300), (0, 300)] {
            let policy = Policy { max_attempts, cool_down: Some(secs(cool_down)), ..POLICY };
            let bound = policy.max.max(secs(cool_down));
            for cause in causes {
                let mut reconnect = Reconnect::new(policy);
                let mut longest = Duration::ZERO;
                for turn in 0..10_000 {
                    let next = match turn % 7 {
                        0 => reconnect.lost(cause, secs(turn % 40), 1.0),
                        _ => reconnect.failed(cause, 1.0),
                    };
                    match next {
                        Next::Retry { delay, .. } => longest = longest.max(delay),
                        Next::CoolDown { delay } => {
                            longest = longest.max(delay);
                            reconnect.begin_round();
                        }
                        Next::Stop => reconnect.forget(),
                    }
                }
                assert!(longest > Duration::ZERO && longest <= bound, "{cause:?}, {policy:?}: {longest:?}");
            }
        }
    }

    #[test]
    fn a_protocol_error_ends_the_round_unless_the_connection_had_lasted() {
        let mut reconnect = Reconnect::new(POLICY);
        assert_eq!(reconnect.lost(Cause::Protocol, LASTED, 1.0), Next::Retry { attempt: 1, delay: secs(1) });
        assert!(matches!(reconnect.lost(Cause::Protocol, secs(1), 1.0), Next::CoolDown { .. }));
        assert!(matches!(reconnect.failed(Cause::Protocol, 1.0), Next::CoolDown { .. }));
    }

    #[test]
    fn a_configuration_error_ends_the_round_at_once() {
        assert!(matches!(Reconnect::new(POLICY).failed(Cause::Configuration, 0.5), Next::CoolDown { .. }));
        let once = Policy { cool_down: None, ..POLICY };
        assert_eq!(Reconnect::new(once).failed(Cause::Configuration, 0.5), Next::Stop);
    }

    #[test]
    fn a_connection_that_lasted_counts_anew() {
        let mut reconnect = Reconnect::new(POLICY);
        reconnect.failed(Cause::Network, 1.0);
        reconnect.failed(Cause::Network, 1.0);
        assert_eq!(reconnect.lost(Cause::Network, secs(1), 1.0), Next::Retry { attempt: 4, delay: secs(4) });
        assert_eq!(reconnect.lost(Cause::Network, LASTED, 1.0), Next::Retry { attempt: 1, delay: secs(1) });
        assert_eq!(reconnect.failed(Cause::Network, 1.0), Next::Retry { attempt: 2, delay: secs(1) });
    }

    #[test]
    fn a_busy_server_is_given_more_time() {
        assert_eq!(
            Reconnect::new(POLICY).failed(Cause::Busy, 1.0),
            Next::Retry { attempt: 2, delay: secs(8) }
        );
    }

    #[test]
    fn two_clients_with_one_identifier_do_not_flap_for_ever() {
        let mut reconnect = Reconnect::new(POLICY);
        assert!(matches!(reconnect.lost(Cause::Takeover, secs(2), 1.0), Next::Retry { .. }));
        assert!(matches!(reconnect.lost(Cause::Takeover, secs(2), 1.0), Next::Retry { .. }));
        assert_eq!(reconnect.lost(Cause::Takeover, secs(2), 1.0), Next::Stop);
        reconnect.forget();
        assert!(matches!(reconnect.lost(Cause::Takeover, secs(2), 1.0), Next::Retry { .. }));
        assert!(matches!(reconnect.lost(Cause::Network, LASTED, 1.0), Next::Retry { .. }));
    }

    #[test]
    fn what_the_application_wanted_is_not_mended() {
        assert_eq!(Reconnect::new(POLICY).lost(Cause::Application, secs(99), 0.5), Next::Stop);
        assert_eq!(Cause::of(ErrorKind::Disconnected), Cause::Application);
    }

    #[test]
    fn causes_of_some_kinds() {
        for (kind, cause) in [
            (ErrorKind::Dns, Cause::Network),
            (ErrorKind::TlsClock, Cause::Network),
            (ErrorKind::TlsHostname, Cause::Configuration),
            (ErrorKind::NotAuthorized, Cause::Authentication),
            (ErrorKind::SessionTakenOver, Cause::Takeover),
            (ErrorKind::QuotaExceeded, Cause::Busy),
            (ErrorKind::Protocol, Cause::Protocol),
            (ErrorKind::ProtocolVersion, Cause::Configuration),
        ] {
            assert_eq!(Cause::of(kind), cause, "{kind:?}");
        }
    }
}
