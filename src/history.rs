//! The last events of a client, for whoever asks later.

use crate::Event;
use std::collections::VecDeque;
use std::sync::Arc;

/// A ring of events, newest last.
#[derive(Debug)]
pub struct History {
    limit: usize,
    events: VecDeque<Arc<Event>>,
}

impl History {
    /// Keeps so many; 0: none.
    pub fn new(limit: usize) -> Self {
        Self { limit, events: VecDeque::new() }
    }

    /// Notes an event, and forgets the oldest where there are too many.
    pub fn push(&mut self, event: Arc<Event>) {
        if self.limit == 0 {
            return;
        }
        if self.events.len() == self.limit {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// All of it, as it is now.
    pub fn snapshot(&self) -> Vec<Arc<Event>> {
        self.events.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConnectionState, EventKind};

    #[test]
    fn keeps_the_newest() {
        let event = |n: u32| {
            let event = Event::new(EventKind::Attempting, ConnectionState::Connecting, String::new());
            Arc::new(Event { attempt: n, ..event })
        };
        let mut history = History::new(3);
        (1..=5).for_each(|n| history.push(event(n)));
        let attempts: Vec<u32> = history.snapshot().iter().map(|event| event.attempt).collect();
        assert_eq!(attempts, [3, 4, 5]);
        let mut none = History::new(0);
        none.push(event(1));
        assert!(none.snapshot().is_empty());
    }
}
