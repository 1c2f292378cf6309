//! A file that lines are appended to. It may be rotated by us, by other processes that write to it and by logrotate, it
//! may be removed, and the disk may be full.

use super::sink::{Now, Output};
use crate::sys;
use std::ffi::OsString;
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// So often we look whether the path still leads to the open file.
const LOOK: Duration = Duration::from_secs(1);

/// When a file is full, and how many full ones are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// 0: however large.
    pub max_bytes: u64,
    /// A new file at each multiple of so many seconds since 1970, UTC; 0: however old.
    pub interval_secs: u32,
    /// `NAME.1`, the newest, to `NAME.keep`.
    pub keep: u32,
}

/// See the module.
pub struct File {
    path: Arc<Path>,
    rotation: Rotation,
    open: Option<Open>,
    /// The next look; `None`: now.
    look: Option<Instant>,
}

struct Open {
    file: fs::File,
    /// Device and inode.
    identity: (u64, u64),
    /// Only such a file has a size, and can be renamed without harm.
    regular: bool,
    size: u64,
    /// When its last line was written, or when it was begun; on the wall clock.
    written_secs: u64,
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

impl Open {
    fn new(path: &Path, now: Now) -> io::Result<Self> {
        // Opening or writing a pipe that nobody reads would wait; files know no such flag.
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = OpenOptions::new().create(true).append(true).custom_flags(flags).open(path)?;
        let metadata = file.metadata()?;
        let age = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok(Self {
            file,
            identity: identity(&metadata),
            regular: metadata.is_file(),
            size: metadata.len(),
            written_secs: age.map_or(now.unix_secs, |age| age.as_secs()),
        })
    }

    fn is_full(&self, more: usize, rotation: Rotation, now: Now) -> bool {
        let Rotation { max_bytes, interval_secs, .. } = rotation;
        let interval = u64::from(interval_secs);
        let too_large = max_bytes > 0 && self.size + more as u64 > max_bytes;
        // A clock that is set back is no new day.
        let too_old = interval > 0 && now.unix_secs / interval > self.written_secs / interval;
        self.regular && self.size > 0 && (too_large || too_old)
    }
}

impl File {
    /// Opened with the first line.
    pub fn new(path: &Arc<Path>, rotation: Rotation) -> Self {
        Self { path: path.clone(), rotation, open: None, look: None }
    }

    /// Opens it now, to see whether that works.
    pub fn check(&mut self, now: Now) -> io::Result<()> {
        self.look_again(now).map(drop)
    }

    pub fn set_rotation(&mut self, rotation: Rotation) {
        self.rotation = rotation;
    }

    /// Opens what the path leads to, unless that is open already. True where it is another file.
    fn look_again(&mut self, now: Now) -> io::Result<bool> {
        self.look = Some(now.instant + LOOK);
        if let (Some(open), Ok(metadata)) = (&mut self.open, fs::metadata(&self.path)) {
            if open.identity == identity(&metadata) {
                // Others may write to it as well.
                open.size = metadata.len();
                return Ok(false);
            }
        }
        self.open = None;
        self.open = Some(Open::new(&self.path, now)?);
        Ok(true)
    }

    /// `NAME.number`.
    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = OsString::from(&*self.path);
        name.push(format!(".{number}"));
        name.into()
    }

    /// Makes place for a new file. True where there is one.
    fn rotate(&mut self, now: Now) -> io::Result<bool> {
        let moved = if self.rotation.keep == 0 {
            fs::remove_file(&self.path)
        } else {
            for number in (1..self.rotation.keep).rev() {
                // Most often it is not there.
                let _ = fs::rename(self.numbered(number), self.numbered(number + 1));
            }
            fs::rename(&self.path, self.numbered(1))
        };
        let Some(open) = &mut self.open else { return Ok(false) };
        if moved.is_err() {
            // The folder is not ours, it seems. The bound is worth more than old lines.
            let _ = open.file.set_len(0);
            (open.size, open.written_secs) = (0, now.unix_secs);
            return Ok(false);
        }
        self.look_again(now)
    }
}

impl Output for File {
    fn prepare(&mut self, len: usize, now: Now) -> io::Result<bool> {
        let mut fresh = false;
        if self.look.is_none_or(|look| look <= now.instant) {
            fresh = self.look_again(now)?;
        }
        let rotation = self.rotation;
        let full = |file: &Self| file.open.as_ref().is_some_and(|open| open.is_full(len, rotation, now));
        if full(self) {
            // Another process may have been first.
            fresh |= self.look_again(now)?;
            if full(self) {
                fresh |= self.rotate(now)?;
            }
        }
        match &mut self.open {
            Some(open) => {
                open.written_secs = open.written_secs.max(now.unix_secs);
                Ok(fresh)
            }
            None => Err(io::Error::new(io::ErrorKind::NotFound, "the log file could not be opened")),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(open) = &mut self.open else { return Err(io::ErrorKind::NotFound.into()) };
        let count = match open.regular {
            true => open.file.write(bytes)?,
            false => sys::write_without_sigpipe(open.file.as_raw_fd(), bytes)?,
        };
        open.size += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
