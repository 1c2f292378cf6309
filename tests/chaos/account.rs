//! What a client told of itself: its states, events, history and statistics, which must agree.

use crate::support::LIMIT;
use gecko_mqtt::{Client, ConnectionState, Event, EventKind};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// See the module.
#[derive(Clone, Default)]
pub struct Account {
    states: Arc<Mutex<Vec<ConnectionState>>>,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Account {
    pub fn of(client: &Client) -> Self {
        let account = Self::default();
        let (states, events) = (account.states.clone(), account.events.clone());
        let state = move |state| states.lock().unwrap().push(state);
        client.on_connection_state_change(0, Box::new(state)).unwrap();
        let event = move |event: &Event| events.lock().unwrap().push(event.clone());
        client.on_connection_event(0, Box::new(event)).unwrap();
        account
    }

    /// Of a client that has disconnected, and is not closed yet.
    pub fn check(&self, client: &Client) {
        let history: Vec<Event> = client.history().iter().map(|event| Event::clone(event)).collect();
        let deadline = Instant::now() + LIMIT;
        while self.events.lock().unwrap().last() != history.last() || self.last_state() != client.state() {
            assert!(Instant::now() < deadline, "the last event and state are never told");
            std::thread::yield_now();
        }
        let (states, events) = (self.states.lock().unwrap(), self.events.lock().unwrap());
        let again = check_states(&states);
        let [attempts, successes, failures] = check_events(&events);
        assert_eq!(history, events[events.len() - history.len()..], "the history is what was told last");
        let stats = client.stats();
        assert_eq!(
            (stats.attempts, stats.successes, stats.failures, stats.reconnections),
            (attempts, successes, failures, again)
        );
        assert_eq!(stats.attempts, stats.successes + stats.failures);
        assert!((stats.success_rate() - successes as f64 / attempts as f64).abs() < 1e-9);
        assert_eq!(stats.connected_since_unix_ms, None);
    }

    fn last_state(&self) -> ConnectionState {
        self.states.lock().unwrap().last().copied().unwrap_or_default()
    }
}

/// Counts the connections that came again without the application's asking.
fn check_states(states: &[ConnectionState]) -> u64 {
    use ConnectionState as S;
    let mut before = S::Disconnected;
    let mut again = 0;
    for &state in states {
        let next: &[S] = match before {
            S::Disconnected => &[S::Connecting],
            S::Connecting => &[S::Connected, S::ConnectionFailed, S::Disconnected],
            S::Connected => &[S::Reconnecting, S::Disconnecting, S::ConnectionFailed],
            S::Reconnecting => &[S::Connected, S::ConnectionFailed, S::Disconnected],
            S::ConnectionFailed => &[S::Connecting, S::Reconnecting, S::Disconnected],
            S::Disconnecting => &[S::Disconnected],
            _ => &[],
        };
        assert!(next.contains(&state), "{before:?} is followed by {state:?} in {states:?}");
        again += u64::from((before, state) == (S::Reconnecting, S::Connected));
        before = state;
    }
    again
}

/// Every attempt ends in one success or failure, every success in one disconnection. Attempts, successes and failures.
fn check_events(events: &[Event]) -> [u64; 3] {
    use EventKind as K;
    let [mut attempts, mut successes, mut failures] = [0; 3];
    let mut before = K::Disconnected;
    for (index, event) in events.iter().enumerate() {
        let expected = match event.kind {
            K::Attempting => &[K::Disconnected, K::Failed, K::ReconnectScheduled][..],
            K::Connected | K::Failed => &[K::Attempting],
            K::Disconnected => &[K::Connected],
            K::ReconnectScheduled => &[K::Failed, K::Disconnected],
            other => panic!("{other:?} has no place here: {event:?}"),
        };
        assert!(expected.contains(&before), "{before:?} is followed by {:?} (event {index})", event.kind);
        match event.kind {
            K::Attempting => attempts += 1,
            K::Connected => successes += 1,
            K::Failed => failures += 1,
            K::ReconnectScheduled => assert!(event.delay.is_some() && event.error.is_some(), "{event:?}"),
            _ => {}
        }
        assert!(!event.message.is_empty() && event.unix_ms > 0, "{event:?}");
        before = event.kind;
    }
    assert_eq!(before, K::Disconnected, "the end");
    [attempts, successes, failures]
}
