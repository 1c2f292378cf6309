//! What the core asks of the operating system beyond the standard library: the one place outside `ffi` with
//! `unsafe`.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Signals that tell of a fault in the very thread that gets them: they belong to the host's handlers.
const FAULTS: [libc::c_int; 7] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS, libc::SIGABRT];

/// Starts a thread with a name and a stack of `stack_bytes`, on which no asynchronous signal of the host and no
/// SIGPIPE is ever delivered. It inherits its mask, so there is no moment in which it has another one.
pub(crate) fn spawn(
    name: &str,
    stack_bytes: usize,
    f: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let _blocked = Blocked::new()?;
    Builder::new().name(name.to_owned()).stack_size(stack_bytes).spawn(f)
}

/// The calling thread's own mask, to be put back.
struct Blocked(libc::sigset_t);

impl Blocked {
    fn new() -> io::Result<Self> {
        // SAFETY: a sigset_t is plain data, all sets are initialised by sigfillset or written by the call.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut all);
            for fault in FAULTS {
                libc::sigdelset(&mut all, fault);
            }
            let mut before: libc::sigset_t = std::mem::zeroed();
            match libc::pthread_sigmask(libc::SIG_BLOCK, &all, &mut before) {
                0 => Ok(Self(before)),
                error => Err(io::Error::from_raw_os_error(error)),
            }
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: the set was written by pthread_sigmask.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut());
        }
    }
}

/// Waits for a library thread to end, unless it is this very one: a client can be freed from a callback.
pub(crate) fn join_unless_current(thread: JoinHandle<()>) {
    if thread.thread().id() != std::thread::current().id() {
        let _ = thread.join();
    }
}

static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Counts the forks between the process that loaded the library and this one. What was made in one generation
/// is of no use in another: its threads are gone and its locks may be held for ever.
pub(crate) fn fork_generation() -> u32 {
    extern "C" fn in_the_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    static REGISTERED: Once = Once::new();
    if !REGISTERED.is_completed() {
        REGISTERED.call_once(|| {
            // SAFETY: the handler only changes an atomic. It can never dangle: the library is linked -z nodelete.
            unsafe {
                libc::pthread_atfork(None, None, Some(in_the_child));
            }
        });
    }
    GENERATION.load(Ordering::Relaxed)
}

/// Time that also counts while the device sleeps.
pub(crate) fn boottime() -> Duration {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
    // Darwin's counts through sleep.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for the write; on failure it stays zero.
    unsafe {
        libc::clock_gettime(CLOCK, &mut time);
    }
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// A descriptor that is readable while it is raised: an eventfd on Linux, a pipe elsewhere.
pub(crate) struct EventFd {
    read: OwnedFd,
    /// The pipe's other end; an eventfd has none.
    write: Option<OwnedFd>,
}

impl EventFd {
    pub fn new() -> io::Result<Self> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            // SAFETY: no pointers.
            let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: just made, and nobody else's.
            Ok(Self { read: unsafe { OwnedFd::from_raw_fd(fd) }, write: None })
        }
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        {
            let mut fds = [-1; 2];
            // SAFETY: room for two descriptors.
            if unsafe { libc::pipe(fds.as_mut_ptr()) } != 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: just made, and nobody else's.
            let [read, write] = fds.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
            for fd in [&read, &write] {
                // SAFETY: no pointers, an open descriptor.
                unsafe {
                    libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC);
                    libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK);
                }
            }
            Ok(Self { read, write: Some(write) })
        }
    }

    /// Makes it readable.
    pub fn raise(&self) {
        let one = 1u64.to_ne_bytes();
        let fd = self.write.as_ref().unwrap_or(&self.read);
        // SAFETY: eight valid bytes. A full pipe or counter is readable already.
        unsafe {
            libc::write(fd.as_raw_fd(), one.as_ptr().cast(), one.len());
        }
    }

    /// Makes it not readable.
    pub fn clear(&self) {
        let mut bytes = [0u8; 64];
        loop {
            // SAFETY: room for all that is asked for.
            let count = unsafe { libc::read(self.read.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len()) };
            // One read empties an eventfd, many a pipe.
            if count <= 0 || self.write.is_none() {
                return;
            }
        }
    }

    /// The descriptor, for poll, epoll or select.
    pub fn fd(&self) -> i32 {
        self.read.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    fn blocked_here() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn library_threads_block_what_is_asynchronous_and_nothing_of_the_host_s_changes() {
        let before = blocked_here();
        let (send, receive) = std::sync::mpsc::channel();
        let thread = spawn("gecko-mqtt-test", 128 * 1024, move || {
            send.send((blocked_here(), std::thread::current().name().map(str::to_owned))).unwrap();
        })
        .unwrap();
        let (mask, name) = receive.recv().unwrap();
        thread.join().unwrap();
        let has = |signal: libc::c_int| mask & (1 << (signal - 1)) != 0;
        for signal in
            [libc::SIGPIPE, libc::SIGTERM, libc::SIGINT, libc::SIGALRM, libc::SIGUSR1, libc::SIGCHLD]
        {
            assert!(has(signal), "{signal}");
        }
        assert!(!FAULTS.into_iter().any(has));
        assert_eq!(name.as_deref(), Some("gecko-mqtt-test"));
        assert_eq!(blocked_here(), before);
    }

    #[test]
    fn an_event_is_readable_while_it_is_raised() {
        let event = EventFd::new().unwrap();
        let readable = || {
            let mut poll = libc::pollfd { fd: event.fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one valid entry.
            unsafe { libc::poll(&mut poll, 1, 0) == 1 }
        };
        assert!(!readable());
        event.raise();
        event.raise();
        assert!(readable());
        event.clear();
        assert!(!readable());
    }

    #[test]
    fn the_boot_clock_runs() {
        let start = boottime();
        assert!(start > Duration::ZERO);
        while boottime() == start {}
        assert!(boottime() > start);
    }
}
