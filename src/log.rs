//! What the library tells of itself: `tracing` events, to the console and to a file. Process-wide, and silent
//! unless asked for.

use crate::process::{PerProcess, lock};
use crate::{Error, ErrorKind, Result};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::{Layer, Registry, fmt};

type Reload = reload::Handle<Targets, Registry>;

static FILTER: PerProcess<Mutex<Option<Reload>>> = PerProcess::new();

/// Starts logging. `level` is a word ("off", "error", "warn", "info", "debug", "trace") or directives for
/// modules ("info,gecko_mqtt::link=debug"); the console is stderr. A second call is refused.
pub fn init(level: &str, file: Option<&str>, console: bool) -> Result<()> {
    let filter = parse(level)?;
    let file = file.map(open).transpose()?;
    let mut installed = lock(FILTER.get());
    let (filter, handle) = reload::Layer::new(filter);
    let console = console.then(|| fmt::layer().with_ansi(false).with_writer(|| Quiet(io::stderr())));
    let file = file.map(|file| fmt::layer().with_ansi(false).with_writer(move || Quiet(File(file.clone()))));
    let subscriber = Registry::default().with(Layer::and_then(console, file).with_filter(filter));
    tracing::subscriber::set_global_default(subscriber).map_err(|_| {
        let message = "logging has been started already: change the level with gecko_mqtt_log_set_level";
        Error::new(ErrorKind::InvalidConfiguration, message)
    })?;
    *installed = Some(handle);
    Ok(())
}

/// Changes the level, or the directives, from now on.
pub fn set_level(level: &str) -> Result<()> {
    let filter = parse(level)?;
    let installed = lock(FILTER.get());
    let handle = installed.as_ref().ok_or_else(|| {
        Error::new(ErrorKind::InvalidConfiguration, "logging has not been started: see gecko_mqtt_log_init")
    })?;
    handle
        .reload(filter)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("the level was not changed: {error}")))
}

fn parse(level: &str) -> Result<Targets> {
    let refuse = || {
        let message = "that is no log level: give off, error, warn, info, debug or trace, or directives like 'info,gecko_mqtt::link=debug'";
        Error::new(ErrorKind::InvalidArgument, message)
    };
    if level.trim().is_empty() {
        return Err(refuse());
    }
    if let Ok(level) = level.trim().parse::<LevelFilter>() {
        // Other crates' events are about their own inner life.
        return Ok(Targets::new().with_target("gecko_mqtt", level));
    }
    // A word that is no level would be taken for a target.
    if level
        .split(',')
        .any(|directive| !directive.contains('=') && directive.trim().parse::<LevelFilter>().is_err())
    {
        return Err(refuse());
    }
    level.parse().map_err(|_| refuse())
}

fn open(path: &str) -> Result<Arc<fs::File>> {
    match OpenOptions::new().create(true).append(true).open(path) {
        Ok(file) => Ok(Arc::new(file)),
        Err(error) => {
            Err(Error::new(ErrorKind::File, format!("the log file '{path}' cannot be written: {error}")))
        }
    }
}

/// Each line comes in one piece, and the system appends it in one. So there is no lock, which a fork might leave locked.
struct File(Arc<fs::File>);

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.0).flush()
    }
}

/// A full disk or a closed terminal is no reason to disturb the host.
struct Quiet<W>(W);

impl<W: Write> Write for Quiet<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_words_and_directives_and_nothing_else() {
        for good in ["info", "TRACE", "off", "info,gecko_mqtt::link=debug", "gecko_mqtt=warn"] {
            parse(good).unwrap();
        }
        for bad in ["", "loud", "gecko_mqtt=loud", "info,loud", "==", "a=b=c"] {
            assert_eq!(parse(bad).unwrap_err().kind(), ErrorKind::InvalidArgument, "{bad:?}");
        }
        assert!(parse("info").unwrap().would_enable("gecko_mqtt::session", &tracing::Level::INFO));
        assert!(!parse("trace").unwrap().would_enable("rustls", &tracing::Level::ERROR));
    }

    #[test]
    fn a_file_that_cannot_be_written_is_told() {
        let error = init("info", Some("/nonexistent/log"), false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File);
        assert!(error.message().contains("/nonexistent/log"));
    }

    #[test]
    fn a_level_needs_logging() {
        assert_eq!(set_level("debug").unwrap_err().kind(), ErrorKind::InvalidConfiguration);
    }
}
