//! Where lines go. An output that fails loses lines, and says how many when it works again; nobody else hears of it.

use super::format::Format;
use super::record::Record;
use crate::process::lock;
use crate::sys;
use std::borrow::Cow;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What takes bytes, and may fail.
pub trait Output {
    /// Makes ready for a line of so many bytes; true where nothing has been written there by us.
    fn prepare(&mut self, len: usize, now: Now) -> io::Result<bool>;
    /// Takes the bytes, or the first of them.
    fn put(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

/// Both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub instant: Instant,
    pub unix_secs: u64,
}

/// An output, one line at a time.
pub struct Sink<T>(Mutex<Inner<T>>);

struct Inner<T> {
    output: T,
    /// The last line has no end.
    torn: bool,
    lost: u64,
    /// Why the first of them was.
    reason: String,
}

impl<T: Output> Sink<T> {
    pub fn new(output: T) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Inner { output, torn: false, lost: 0, reason: String::new() })))
    }

    /// Whatever happens there, the caller goes on.
    pub fn write(&self, format: Format, line: &str, now: Now) {
        let mut inner = lock(&self.0);
        if inner.lost > 0 {
            let notice = Record::lost(inner.lost, &inner.reason);
            if inner.put(&format.line(&notice, &sys::thread_name()), now).is_err() {
                inner.lost += 1;
                return;
            }
            inner.lost = 0;
        }
        if let Err(error) = inner.put(line, now) {
            inner.lost = 1;
            inner.reason = error.to_string();
        }
    }

    /// What only the output itself knows.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut lock(&self.0).output)
    }
}

impl<T: Output> Inner<T> {
    /// In one write, where the system takes it whole: several processes may share a file.
    fn put(&mut self, line: &str, now: Now) -> io::Result<()> {
        self.torn &= !self.output.prepare(line.len(), now)?;
        let line = if self.torn { Cow::Owned(format!("\n{line}")) } else { Cow::Borrowed(line) };
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            match self.output.put(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    rest = &rest[count..];
                    self.torn = !rest.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A reader of stderr who stops reading holds the library up for so long, once; after that lines are lost.
const PATIENCE: Duration = Duration::from_millis(20);
/// A pipe that is ready takes so much without waiting (POSIX's `PIPE_BUF`, on Linux).
const PIPE: usize = 4096;

/// The process's stderr, whatever that is at the moment.
#[derive(Default)]
pub struct Console {
    stalled: bool,
}

impl Output for Console {
    fn prepare(&mut self, _len: usize, _now: Now) -> io::Result<bool> {
        Ok(false)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let patience = if self.stalled { Duration::ZERO } else { PATIENCE };
        self.stalled = !sys::is_writable(sys::STDERR, patience)?;
        if self.stalled {
            let reason = "nobody reads what the program writes to stderr";
            return Err(io::Error::new(io::ErrorKind::WouldBlock, reason));
        }
        sys::write_without_sigpipe(sys::STDERR, &bytes[..bytes.len().min(PIPE)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// Takes what the script says; then everything.
    #[derive(Default)]
    struct Scripted {
        script: VecDeque<io::Result<usize>>,
        taken: String,
        fresh: bool,
    }

    impl Output for Scripted {
        fn prepare(&mut self, _len: usize, _now: Now) -> io::Result<bool> {
            Ok(self.fresh)
        }

        fn put(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = self.script.pop_front().unwrap_or(Ok(bytes.len()))?;
            self.taken.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
            Ok(count)
        }
    }

    fn written(script: impl IntoIterator<Item = io::Result<usize>>, lines: &[&str]) -> String {
        let sink = Sink::new(Scripted { script: script.into_iter().collect(), ..Scripted::default() });
        let now = Now { instant: Instant::now(), unix_secs: 0 };
        lines.iter().for_each(|line| sink.write(Format::Text, line, now));
        sink.with(|output| std::mem::take(&mut output.taken))
    }

    fn error(kind: io::ErrorKind) -> io::Result<usize> {
        Err(kind.into())
    }

    #[test]
    fn short_and_interrupted_writes_go_on() {
        let script = [Ok(2), error(io::ErrorKind::Interrupted), Ok(1)];
        assert_eq!(written(script, &["first\n", "second\n"]), "first\nsecond\n");
    }

    #[test]
    fn what_was_lost_is_counted_and_told_once() {
        let full = || error(io::ErrorKind::StorageFull);
        // The third is the notice, which fails too.
        let text = written([full(), full(), full()], &["a\n", "b\n", "c\n", "d\n", "e\n"]);
        let (notice, rest) = text.split_once('\n').unwrap();
        assert!(notice.contains("WARN"), "{notice}");
        assert!(
            notice.contains("gecko_mqtt::log: log lines were lost count=3 reason=\"no storage space\""),
            "{notice}"
        );
        assert_eq!(rest, "d\ne\n");
    }

    #[test]
    fn a_torn_line_is_ended_before_the_next() {
        let text = written([Ok(3), error(io::ErrorKind::StorageFull)], &["first\n", "second\n"]);
        assert!(text.starts_with("fir\n2") && text.ends_with("\nsecond\n"), "{text:?}");
        assert_eq!(text.lines().count(), 3);
        let sink = Sink::new(Scripted {
            script: [Ok(3), error(io::ErrorKind::StorageFull)].into(),
            ..Scripted::default()
        });
        let now = Now { instant: Instant::now(), unix_secs: 0 };
        sink.write(Format::Text, "first\n", now);
        sink.with(|output| output.fresh = true);
        sink.write(Format::Text, "second\n", now);
        let text = sink.with(|output| std::mem::take(&mut output.taken));
        assert!(text.starts_with("fir2"), "another file begins with a line: {text:?}");
    }

    #[test]
    fn a_write_of_nothing_is_a_failure() {
        let text = written([Ok(0)], &["first\n", "second\n"]);
        assert!(text.contains("count=1") && text.ends_with("second\n"), "{text:?}");
    }
}
