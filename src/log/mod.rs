//! What the library tells of itself: `tracing` events, to the console, to a file, to the application's own logger.
//! Process-wide, and silent unless asked for.
//!
//! The subscriber is our own, as it has to do what a guest must: it can be set up anew at any time, no lock is held while
//! code of the application runs, an output that fails loses lines and holds nobody up, and the child of a `fork` goes on
//! logging whatever its parent's threads were doing.

mod callback;
mod file;
mod filter;
mod format;
mod origin;
mod record;
mod sink;

pub use callback::Logger;
pub use file::Rotation;
pub use record::Record;

#[cfg(test)]
pub(crate) use callback::inside as inside_callback;
pub(crate) use callback::is_inside as is_inside_callback;
pub(crate) use origin::Origin;

use crate::event::unix_ms;
use crate::process::{PerProcess, lock};
use crate::{Error, ErrorKind, Result, sys};
use callback::Callback;
use file::File;
use filter::Filter;
use format::Format;
use sink::{Console, Now, Sink};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};
use std::time::Instant;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record as SpanValues};
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Event, Metadata};

/// Starts logging in lines of text, or goes on elsewhere. `level` is a word ("off", "error", "warn", "info", "debug",
/// "trace") or directives for modules ("info,gecko_mqtt::link=debug"); the console is stderr.
pub fn init(level: &str, file: Option<&str>, console: bool) -> Result<()> {
    start(level, file, console, Format::Text)
}

/// The same in lines of JSON.
pub fn init_json(level: &str, file: Option<&str>, console: bool) -> Result<()> {
    start(level, file, console, Format::Json)
}

fn start(level: &str, file: Option<&str>, console: bool, format: Format) -> Result<()> {
    let filter = Filter::parse(level)?;
    change(|outputs| {
        let file = file.map(|path| open(path, outputs.rotation)).transpose()?;
        let console = console.then(|| Sink::new(Console::default()));
        Ok(Outputs { lines: Some(Lines { filter, format, console, file }), ..outputs.clone() })
    })
}

fn open(path: &str, rotation: Rotation) -> Result<(Arc<Path>, Arc<Sink<File>>)> {
    // A daemon changes its directory later.
    let path: Arc<Path> = std::path::absolute(path).unwrap_or_else(|_| path.into()).into();
    let mut file = File::new(&path, rotation);
    file.check(now()).map_err(|error| {
        let message = format!("the log file '{}' cannot be written: {error}", path.display());
        Error::new(ErrorKind::File, message)
    })?;
    Ok((path, Sink::new(file)))
}

/// Changes the level, or the directives, of every output.
pub fn set_level(level: &str) -> Result<()> {
    let filter = Filter::parse(level)?;
    change(|outputs| {
        let mut outputs = outputs.clone();
        if !outputs.is_started() {
            let message =
                "logging has not been started: see gecko_mqtt_log_init and gecko_mqtt_log_set_callback";
            return Err(Error::new(ErrorKind::InvalidConfiguration, message));
        }
        outputs.lines.iter_mut().for_each(|lines| lines.filter = filter.clone());
        outputs.callback.iter_mut().for_each(|(of_callback, _)| *of_callback = filter.clone());
        Ok(outputs)
    })
}

/// When the log file is full, from now on, whichever file that is.
pub fn set_rotation(rotation: Rotation) -> Result<()> {
    /// A line fits in twice.
    const MIN_BYTES: u64 = 2 * format::MAX_LINE as u64;
    const MAX_KEEP: u32 = 1000;
    if (1..MIN_BYTES).contains(&rotation.max_bytes) {
        let message = format!("a log file has {MIN_BYTES} bytes at least, not {}", rotation.max_bytes);
        return Err(Error::new(ErrorKind::OutOfRange, message));
    }
    if rotation.keep > MAX_KEEP {
        let message = format!("{MAX_KEEP} old log files are kept at the most, not {}", rotation.keep);
        return Err(Error::new(ErrorKind::OutOfRange, message));
    }
    change(|outputs| {
        if let Some((_, file)) = outputs.lines.as_ref().and_then(|lines| lines.file.as_ref()) {
            file.with(|file| file.set_rotation(rotation));
        }
        Ok(Outputs { rotation, ..outputs.clone() })
    })
}

/// Sets the application's own logger, with a level of its own; `None`: it has none any more.
///
/// It is called on whichever thread logs, one record at a time, and holds that thread up. What it makes the library log
/// on that thread is not told to it.
pub fn set_callback(level: &str, logger: Logger) -> Result<()> {
    let filter = Filter::parse(level)?;
    change(|outputs| Ok(Outputs { callback: Some((filter, Callback::new(logger))), ..outputs.clone() }))
}

/// The application's own logger is called no more, once the call that runs has returned.
pub fn remove_callback() -> Result<()> {
    change(|outputs| Ok(Outputs { callback: None, ..outputs.clone() }))
}

/// Where everything goes. Never changed: another one takes its place.
#[derive(Clone, Default)]
struct Outputs {
    lines: Option<Lines>,
    callback: Option<(Filter, Arc<Callback>)>,
    rotation: Rotation,
}

#[derive(Clone)]
struct Lines {
    filter: Filter,
    format: Format,
    console: Option<Arc<Sink<Console>>>,
    /// With its path.
    file: Option<(Arc<Path>, Arc<Sink<File>>)>,
}

impl Outputs {
    /// For the child of a fork, with locks of its own. It opens the file anew.
    fn inherited(&self) -> Self {
        let rotation = self.rotation;
        let file = |(path, _): &(Arc<Path>, _)| (path.clone(), Sink::new(File::new(path, rotation)));
        let lines = self.lines.as_ref().map(|lines| Lines {
            console: lines.console.as_ref().map(|_| Sink::new(Console::default())),
            file: lines.file.as_ref().map(file),
            ..lines.clone()
        });
        let callback =
            self.callback.as_ref().map(|(filter, callback)| (filter.clone(), callback.inherited()));
        Self { lines, callback, rotation }
    }

    fn is_started(&self) -> bool {
        self.lines.is_some() || self.callback.is_some()
    }

    fn filters(&self) -> impl Iterator<Item = &Filter> {
        let lines = self.lines.as_ref().map(|lines| &lines.filter);
        lines.into_iter().chain(self.callback.as_ref().map(|(filter, _)| filter))
    }

    fn write(&self, record: Record) {
        let wanted = |filter: &Filter| filter.wants(record.level(), record.target());
        if let Some(lines) = self.lines.as_ref().filter(|lines| wanted(&lines.filter)) {
            let (format, now) = (lines.format, now());
            let line = format.line(&record, &sys::thread_name());
            if let Some(console) = &lines.console {
                console.write(format, &line, now);
            }
            if let Some((_, file)) = &lines.file {
                file.write(format, &line, now);
            }
        }
        if let Some((_, callback)) = self.callback.as_ref().filter(|(filter, _)| wanted(filter)) {
            callback.write(record);
        }
    }
}

fn now() -> Now {
    Now { instant: Instant::now(), unix_secs: unix_ms() / 1000 }
}

static STATE: PerProcess<State> = PerProcess::new();

struct State {
    outputs: RwLock<Arc<Outputs>>,
    /// One change at a time.
    changing: Mutex<()>,
}

impl State {
    fn get() -> &'static Self {
        STATE.get_or_inherit(|parent| {
            // It is held for writing only while a change takes its place. Who forks just then has no log in the child.
            let inherited = parent.and_then(|parent| match parent.outputs.try_read() {
                Ok(outputs) => Some(outputs.inherited()),
                Err(TryLockError::Poisoned(outputs)) => Some(outputs.into_inner().inherited()),
                Err(TryLockError::WouldBlock) => None,
            });
            let outputs = RwLock::new(Arc::new(inherited.unwrap_or_default()));
            Self { outputs, changing: Mutex::default() }
        })
    }

    fn outputs(&self) -> Arc<Outputs> {
        self.outputs.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Puts other outputs in the place of those that there are.
fn change(make: impl FnOnce(&Outputs) -> Result<Outputs>) -> Result<()> {
    let state = State::get();
    let changing = lock(&state.changing);
    let before = state.outputs();
    let after = make(&before)?;
    if after.is_started() {
        if let Err(error) = install() {
            // Without the lock, as the application hears that its callback is not needed.
            drop(changing);
            drop(after);
            return Err(error);
        }
    }
    let kept = after.callback.as_ref().map(|(_, callback)| callback.clone());
    *state.outputs.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(after);
    tracing::callsite::rebuild_interest_cache();
    drop(changing);
    // Without a lock, as the application hears of it.
    if let Some((_, callback)) = &before.callback {
        if !kept.is_some_and(|kept| Arc::ptr_eq(&kept, callback)) {
            callback.flush();
        }
    }
    Ok(())
}

/// Has `tracing` come here, once for all time.
fn install() -> Result<()> {
    const NEVER: u8 = 0;
    const UNDER_WAY: u8 = 1;
    const DONE: u8 = 2;
    // For all generations of forks, as `tracing`'s own is.
    static INSTALLED: AtomicU8 = AtomicU8::new(NEVER);
    let refused = |message: &'static str| Err(Error::new(ErrorKind::InvalidConfiguration, message));
    match INSTALLED.compare_exchange(NEVER, UNDER_WAY, Ordering::AcqRel, Ordering::Acquire) {
        Err(UNDER_WAY) => refused("the parent was starting to log when this process was forked"),
        Err(_) => Ok(()),
        Ok(_) if tracing::subscriber::set_global_default(Logging).is_ok() => {
            INSTALLED.store(DONE, Ordering::Release);
            Ok(())
        }
        Ok(_) => {
            INSTALLED.store(NEVER, Ordering::Release);
            refused(
                "this program has a `tracing` subscriber of its own, which gets the library's events already",
            )
        }
    }
}

/// Hands events on to whatever the outputs are at the moment.
struct Logging;

impl Subscriber for Logging {
    fn register_callsite(&self, _metadata: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let wanted = |filter: &Filter| filter.wants(*metadata.level(), metadata.target());
        !metadata.is_span() && State::get().outputs().filters().any(wanted)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let levels = State::get().outputs().filters().map(Filter::max_level).max();
        Some(levels.unwrap_or(LevelFilter::OFF))
    }

    fn event(&self, event: &Event<'_>) {
        let outputs = State::get().outputs();
        outputs.write(Record::new(event));
    }

    // The library has no spans.
    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &SpanValues<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

#[cfg(test)]
mod tests;
