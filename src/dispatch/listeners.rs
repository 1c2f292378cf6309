//! Who wants to hear what. Every change makes a new table, so that no lock is held while a listener runs.

use crate::packet::topic;
use crate::process::lock;
use crate::session::subscriptions::Released;
use crate::{ConnectionState, Event, Message};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Names one received message, for a manual acknowledgement; 0 where there is nothing to acknowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Receipt(pub u64);

/// A receipt has the client's number in its upper 24 bits, the message's in the others.
const MESSAGE_BITS: u32 = 40;

impl Receipt {
    /// The largest number that a client can have.
    pub const MAX_CLIENT: u32 = (1 << (64 - MESSAGE_BITS)) - 1;

    /// Of a client's message; message 0 has nothing to acknowledge.
    pub fn new(client: u32, message: u64) -> Self {
        let message = message & ((1 << MESSAGE_BITS) - 1);
        if message == 0 { Self(0) } else { Self(u64::from(client) << MESSAGE_BITS | message) }
    }

    /// The client's and the message's number.
    pub fn split(self) -> (u32, u64) {
        ((self.0 >> MESSAGE_BITS) as u32, self.0 & ((1 << MESSAGE_BITS) - 1))
    }
}

/// Called for each message, one at a time. Dropped after its last call.
pub type MessageListener = Box<dyn Fn(&Message<'_>, Receipt) + Send + Sync>;
/// Called for each change of the connection's state. Dropped after its last call.
pub type StateListener = Box<dyn Fn(ConnectionState) + Send + Sync>;
/// Called for each event of the connection. Dropped after its last call.
pub type EventListener = Box<dyn Fn(&Event) + Send + Sync>;

/// Called for each change of the application's own state. Dropped after its last call.
pub type AppStateListener = Box<dyn Fn(&str) + Send + Sync>;

/// One registration.
pub struct Listener<F: ?Sized> {
    /// What `remove_listeners` looks for.
    key: usize,
    /// Removed while a batch was being dispatched: not to be called any more.
    gone: AtomicBool,
    call: Box<F>,
}

impl<F: ?Sized> Listener<F> {
    /// The function, unless the registration has been removed.
    pub fn get(&self) -> Option<&F> {
        (!self.gone.load(Ordering::Acquire)).then_some(&*self.call)
    }
}

type OnMessage = Listener<dyn Fn(&Message<'_>, Receipt) + Send + Sync>;
type OnState = Listener<dyn Fn(ConnectionState) + Send + Sync>;
type OnAppState = Listener<dyn Fn(&str) + Send + Sync>;
type OnEvent = Listener<dyn Fn(&Event) + Send + Sync>;

/// A topic filter's own handler.
#[derive(Clone)]
pub struct Handler {
    id: u64,
    filter: Box<str>,
    /// Shared by all filters of one subscription.
    pub listener: Arc<OnMessage>,
}

impl Handler {
    /// Whether a message of this topic is for it.
    pub fn matches(&self, name: &str) -> bool {
        topic::matches(&self.filter, name)
    }

    fn is_among(&self, released: &[Released]) -> bool {
        released.iter().any(|gone| gone.filter == self.filter && gone.handlers.contains(&self.id))
    }
}

/// What one batch of deliveries is dispatched with.
#[derive(Clone, Default)]
pub struct Table {
    /// The filters' own handlers.
    pub handlers: Vec<Handler>,
    /// For messages that no handler takes.
    pub messages: Vec<Arc<OnMessage>>,
    /// For changes of the state.
    pub states: Vec<Arc<OnState>>,
    /// For events.
    pub events: Vec<Arc<OnEvent>>,
    /// For changes of the application's own state.
    pub app_states: Vec<Arc<OnAppState>>,
}

impl Table {
    fn len(&self) -> usize {
        self.handlers.len()
            + self.messages.len()
            + self.states.len()
            + self.events.len()
            + self.app_states.len()
    }
}

/// A table as it was; an empty one takes no memory.
#[derive(Clone, Default)]
pub struct Snapshot(Option<Arc<Table>>);

impl Deref for Snapshot {
    type Target = Table;

    fn deref(&self) -> &Table {
        static NONE: Table = Table {
            handlers: Vec::new(),
            messages: Vec::new(),
            states: Vec::new(),
            events: Vec::new(),
            app_states: Vec::new(),
        };
        self.0.as_deref().unwrap_or(&NONE)
    }
}

/// See the module.
#[derive(Default)]
pub struct Listeners {
    table: Mutex<(Snapshot, u64)>,
}

impl Listeners {
    /// The table as it is now.
    pub fn snapshot(&self) -> Snapshot {
        lock(&self.table).0.clone()
    }

    /// Looks at the table as it is now. Unlike a snapshot this never is the last to hold it, so it runs no code of the
    /// application: for whoever has a lock, or is not where callbacks run.
    pub fn ask<R>(&self, question: impl FnOnce(&Table) -> R) -> R {
        question(&lock(&self.table).0)
    }

    /// The old table, and what only it holds, is dropped after the lock is: dropping runs the application's code.
    fn change<R>(&self, change: impl FnOnce(&mut Table, &mut u64) -> R) -> R {
        let mut guard = lock(&self.table);
        let (table, next) = &mut *guard;
        let mut new = Table::clone(table);
        let result = change(&mut new, next);
        let new = Snapshot((new.len() > 0).then(|| Arc::new(new)));
        let old = std::mem::replace(table, new);
        drop(guard);
        drop(old);
        result
    }

    /// Adds the handler of some filters. One that a filter had already is told messages beside it until the server has
    /// answered, and then one of the two is [released](Self::release).
    pub fn add_handlers(&self, filters: &[&str], key: usize, call: MessageListener) -> u64 {
        let listener = Arc::new(Listener { key, gone: AtomicBool::new(false), call });
        self.change(|table, next| {
            *next += 1;
            let id = *next;
            table.handlers.extend(filters.iter().map(|filter| Handler {
                id,
                filter: (*filter).into(),
                listener: listener.clone(),
            }));
            id
        })
    }

    /// The number that the next handler will have.
    pub fn next_handler(&self) -> u64 {
        lock(&self.table).1 + 1
    }

    /// Takes the number of a subscription that has no handler of its own.
    pub fn without_handler(&self) -> u64 {
        let next = &mut lock(&self.table).1;
        *next += 1;
        *next
    }

    /// Drops handlers that no message shall reach any more.
    pub fn release(&self, released: &[Released]) {
        self.change(|table, _| remove_handlers(table, |handler| handler.is_among(released)));
    }

    /// Whether there are such handlers.
    pub fn has_any(&self, released: &[Released]) -> bool {
        self.ask(|table| table.handlers.iter().any(|handler| handler.is_among(released)))
    }

    /// Adds a listener for messages that no handler takes.
    pub fn add_message_listener(&self, key: usize, call: MessageListener) {
        let listener = Arc::new(Listener { key, gone: AtomicBool::new(false), call });
        self.change(|table, _| table.messages.push(listener));
    }

    /// Adds a listener for the state.
    pub fn add_state_listener(&self, key: usize, call: StateListener) {
        let listener = Arc::new(Listener { key, gone: AtomicBool::new(false), call });
        self.change(|table, _| table.states.push(listener));
    }

    /// Adds a listener for events.
    pub fn add_event_listener(&self, key: usize, call: EventListener) {
        let listener = Arc::new(Listener { key, gone: AtomicBool::new(false), call });
        self.change(|table, _| table.events.push(listener));
    }

    /// Adds a listener for the application's own state.
    pub fn add_app_state_listener(&self, key: usize, call: AppStateListener) {
        let listener = Arc::new(Listener { key, gone: AtomicBool::new(false), call });
        self.change(|table, _| table.app_states.push(listener));
    }

    /// Removes all that was added with `key`; says how many there were.
    pub fn remove(&self, key: usize) -> usize {
        self.change(|table, _| {
            let before = table.len();
            remove_handlers(table, |handler| handler.listener.key == key);
            remove_from(&mut table.messages, key);
            remove_from(&mut table.states, key);
            remove_from(&mut table.events, key);
            remove_from(&mut table.app_states, key);
            before - table.len()
        })
    }

    /// Removes everything.
    pub fn clear(&self) {
        self.change(|table, _| *table = Table::default());
    }
}

fn remove_from<F: ?Sized>(listeners: &mut Vec<Arc<Listener<F>>>, key: usize) {
    listeners.retain(|listener| {
        let keep = listener.key != key;
        if !keep {
            listener.gone.store(true, Ordering::Release);
        }
        keep
    });
}

fn remove_handlers(table: &mut Table, unwanted: impl Fn(&Handler) -> bool) {
    let (gone, kept): (Vec<_>, Vec<_>) = table.handlers.drain(..).partition(unwanted);
    table.handlers = kept;
    for handler in gone {
        if !table.handlers.iter().any(|other| Arc::ptr_eq(&other.listener, &handler.listener)) {
            handler.listener.gone.store(true, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    struct Hook(Arc<AtomicUsize>);

    impl Drop for Hook {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn listener(dropped: &Arc<AtomicUsize>) -> MessageListener {
        let hook = Hook(dropped.clone());
        Box::new(move |_, _| {
            let _ = &hook;
        })
    }

    #[test]
    fn a_receipt_leads_back() {
        assert_eq!(Receipt::new(7, 9).split(), (7, 9));
        assert_eq!(Receipt::new(Receipt::MAX_CLIENT, 1 << 39).split(), (Receipt::MAX_CLIENT, 1 << 39));
        assert_eq!(Receipt::new(7, 0), Receipt(0));
    }

    #[test]
    fn a_filter_has_two_handlers_until_it_is_known_which_one_stays() {
        for granted in [true, false] {
            let (listeners, dropped) = (Listeners::default(), Arc::default());
            let first = listeners.add_handlers(&["a/+"], 1, listener(&dropped));
            let second = listeners.add_handlers(&["a/+"], 1, listener(&dropped));
            assert!(second > first);
            assert_eq!((listeners.snapshot().handlers.len(), dropped.load(Ordering::SeqCst)), (2, 0));
            let (kept, handlers) = if granted { (second, 0..second) } else { (first, second..second + 1) };
            let released = [Released { filter: "a/+".into(), handlers }];
            assert!(listeners.has_any(&released));
            listeners.release(&released);
            assert!(!listeners.has_any(&released));
            let left: Vec<_> = listeners.snapshot().handlers.iter().map(|handler| handler.id).collect();
            assert_eq!((left, dropped.load(Ordering::SeqCst)), (vec![kept], 1));
        }
    }

    #[test]
    fn a_removed_listener_is_not_called_even_from_an_old_table_and_dropped_with_it() {
        let (listeners, dropped) = (Listeners::default(), Arc::default());
        listeners.add_message_listener(7, listener(&dropped));
        let table = listeners.snapshot();
        assert_eq!((listeners.remove(8), listeners.remove(7)), (0, 1));
        assert!(table.messages[0].get().is_none());
        assert_eq!(dropped.load(Ordering::SeqCst), 0, "a dispatcher may be in it");
        drop(table);
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_handler_of_many_filters_lives_as_long_as_one_of_them() {
        let (listeners, dropped) = (Listeners::default(), Arc::default());
        let id = listeners.add_handlers(&["a", "b"], 1, listener(&dropped));
        let table = listeners.snapshot();
        listeners.release(&[Released::below("a".into(), id + 1)]);
        assert!(table.handlers[0].listener.get().is_some());
        listeners.release(&[Released::below("b".into(), id)]);
        assert_eq!(listeners.snapshot().handlers.len(), 1, "registered after the request");
        listeners.release(&[Released::below("b".into(), id + 1)]);
        assert!(table.handlers[0].listener.get().is_none());
    }
}
