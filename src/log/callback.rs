//! The application's own logger.
//!
//! It is called on whichever thread logs, under no lock, one record at a time and in order: a thread that comes while
//! another one is inside leaves its record there and goes on, and the one inside takes it along. What the thread inside
//! logs itself meanwhile is not told, as that would never end.

use super::record::Record;
use crate::panics;
use crate::process::lock;
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Records that wait for the thread inside; more are lost, and counted.
const MAX_WAITING: usize = 256;
/// So many records a thread tells in one go, so that others do not keep it for ever. What is left goes with the next one.
const TURN: usize = 2 * MAX_WAITING;

/// The application's function.
pub type Logger = Arc<dyn Fn(&Record) + Send + Sync>;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is in the application's logger. The library's work may be standing still for it.
pub(crate) fn is_inside() -> bool {
    INSIDE.try_with(Cell::get).unwrap_or(false)
}

/// Runs code of the application as inside its logger.
pub(crate) fn inside(f: impl FnOnce()) {
    let before = INSIDE.replace(true);
    // A logger in Rust may panic: that ends the call, and nothing else.
    let _ = panics::catch(|| panics::outside(f));
    INSIDE.set(before);
}

/// See the module.
pub(super) struct Callback {
    /// There until it is dropped.
    call: Option<Logger>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    running: bool,
    waiting: VecDeque<Record>,
    lost: u64,
}

impl Callback {
    pub(super) fn new(call: Logger) -> Arc<Self> {
        Arc::new(Self { call: Some(call), inner: Mutex::default() })
    }

    /// For the child of a fork: the threads that were inside are not there.
    pub(super) fn inherited(&self) -> Arc<Self> {
        Arc::new(Self { call: self.call.clone(), inner: Mutex::default() })
    }

    /// Tells a record.
    pub(super) fn write(&self, record: Record) {
        if is_inside() {
            return;
        }
        let mut inner = lock(&self.inner);
        if inner.running && inner.waiting.len() >= MAX_WAITING {
            inner.lost += 1;
            return;
        }
        inner.waiting.push_back(record);
        drop(inner);
        self.flush();
    }

    /// Tells what waits, unless somebody does.
    pub(super) fn flush(&self) {
        let mut inner = lock(&self.inner);
        if inner.running || is_inside() {
            return;
        }
        inner.running = true;
        for _ in 0..TURN {
            let Some(record) = inner.next() else { break };
            drop(inner);
            if let Some(call) = &self.call {
                inside(|| call(&record));
            }
            inner = lock(&self.inner);
        }
        inner.running = false;
    }
}

impl Drop for Callback {
    /// Its end is told on whichever thread was inside last, which may be the one that all waits are for.
    fn drop(&mut self) {
        inside(|| drop(self.call.take()));
    }
}

impl Inner {
    fn next(&mut self) -> Option<Record> {
        self.waiting.pop_front().or_else(|| match std::mem::take(&mut self.lost) {
            0 => None,
            count => Some(Record::lost(count, "the log callback is slow")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Value;
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use tracing::Level;

    fn record(number: usize) -> Record {
        let target = "gecko_mqtt::driver";
        Record { unix_ms: 0, level: Level::INFO, target, message: number.to_string(), fields: Vec::new() }
    }

    /// A callback that tells what it gets, and waits for a word each time.
    fn slow() -> (Arc<Callback>, Receiver<Record>, Sender<()>) {
        let (tell, told) = channel();
        let (go, may_go) = channel();
        let (tell, may_go) = (Mutex::new(tell), Mutex::new(may_go));
        let callback = Callback::new(Arc::new(move |record: &Record| {
            assert!(is_inside());
            lock(&tell).send(record.clone()).unwrap();
            lock(&may_go).recv().unwrap();
        }));
        (callback, told, go)
    }

    #[test]
    fn its_end_is_told_as_from_inside() {
        struct Hook(Sender<bool>);
        impl Drop for Hook {
            fn drop(&mut self) {
                self.0.send(is_inside()).unwrap();
            }
        }
        let (tell, told) = channel();
        let hook = Mutex::new(Hook(tell));
        let callback = Callback::new(Arc::new(move |_: &Record| drop(lock(&hook))));
        callback.write(record(1));
        drop(callback);
        assert_eq!((told.recv(), is_inside()), (Ok(true), false));
    }

    #[test]
    fn nobody_waits_for_the_thread_inside_and_it_takes_the_others_along() {
        let (callback, told, go) = slow();
        std::thread::scope(|scope| {
            scope.spawn(|| callback.write(record(0)));
            assert_eq!(told.recv().unwrap().message, "0");
            // Inside now, until it gets its word.
            (1..=MAX_WAITING + 7).for_each(|number| callback.write(record(number)));
            (0..MAX_WAITING + 2).for_each(|_| go.send(()).unwrap());
        });
        let told: Vec<Record> = told.try_iter().collect();
        let numbers: Vec<_> =
            told[..MAX_WAITING].iter().map(|record| record.message.parse::<usize>().unwrap()).collect();
        assert_eq!(numbers, (1..=MAX_WAITING).collect::<Vec<usize>>());
        let [notice] = &told[MAX_WAITING..] else { panic!("{told:?}") };
        assert_eq!((notice.level, &*notice.message), (Level::WARN, "log lines were lost"));
        assert_eq!(notice.fields[0], ("count", Value::Plain("7".to_owned())));
    }

    #[test]
    fn what_it_logs_itself_is_not_told() {
        let callback: Arc<Mutex<Option<Arc<Callback>>>> = Arc::default();
        let (inner, count) = (callback.clone(), Arc::new(Mutex::new(0)));
        let counted = count.clone();
        let new = Callback::new(Arc::new(move |_: &Record| {
            *lock(&counted) += 1;
            let callback = lock(&inner).clone().unwrap();
            callback.write(record(1));
            callback.flush();
        }));
        *lock(&callback) = Some(new.clone());
        new.write(record(0));
        assert_eq!(*lock(&count), 1);
        assert!(!is_inside());
        new.write(record(2));
        assert_eq!(*lock(&count), 2);
        *lock(&callback) = None;
    }

    #[test]
    fn a_thread_is_not_kept_for_ever_and_what_is_left_is_told_later() {
        let (callback, told, go) = slow();
        let total = TURN + 10;
        std::thread::scope(|scope| {
            let first = scope.spawn(|| callback.write(record(0)));
            for number in 1..total {
                let told = told.recv().unwrap();
                assert_eq!(told.message, (number - 1).to_string());
                if number <= TURN {
                    // There is always one more.
                    callback.write(record(number));
                }
                go.send(()).unwrap();
                if number == TURN {
                    break;
                }
            }
            first.join().unwrap();
            assert_eq!(lock(&callback.inner).waiting.len(), 1);
            go.send(()).unwrap();
            callback.flush();
            assert_eq!(told.recv().unwrap().message, TURN.to_string());
        });
    }

    #[test]
    fn a_panic_ends_one_call() {
        let count = Arc::new(Mutex::new(0));
        let counted = count.clone();
        let callback = Callback::new(Arc::new(move |_: &Record| {
            *lock(&counted) += 1;
            std::panic::resume_unwind(Box::new("on purpose"));
        }));
        callback.write(record(0));
        callback.write(record(1));
        assert_eq!(*lock(&count), 2);
        assert!(!is_inside());
    }

    #[test]
    fn a_child_does_not_wait_for_the_threads_of_its_parent() {
        let (callback, told, go) = slow();
        std::thread::scope(|scope| {
            scope.spawn(|| callback.write(record(0)));
            told.recv().unwrap();
            let child = callback.inherited();
            go.send(()).unwrap();
            go.send(()).unwrap();
            child.write(record(1));
            assert_eq!(told.recv().unwrap().message, "1");
        });
    }
}
