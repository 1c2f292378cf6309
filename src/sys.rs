//! What the core asks of the operating system beyond the standard library; outside `ffi` the one module that
//! may be unsafe.
#![allow(unsafe_code)]

use crate::panics;
use std::cell::Cell;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::thread::{JoinHandleExt, RawPthread};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
#[cfg(test)]
use std::time::Instant;

/// Faults of the thread itself: the host's handlers for them must work on our threads too.
const FAULTS: [libc::c_int; 7] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS, libc::SIGABRT];

/// Starts a thread with a name (Linux shows 15 bytes of it) and a stack of `stack_bytes`.
///
/// No signal that could have gone to another thread is ever handled on it, SIGPIPE included.
pub fn spawn(
    name: &str,
    stack_bytes: usize,
    f: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let thread = Builder::new().name(name.to_owned()).stack_size(stack_bytes);
    // A thread inherits its creator's mask; there is no other way to have it from the first instruction.
    let _blocked = SignalsBlocked::new()?;
    thread.spawn(|| {
        panics::keep_thread_quiet();
        f();
    })
}

/// Waits for a library thread to end, unless it is this very one: a client can be freed from a callback.
pub fn join_unless_current(thread: JoinHandle<()>) {
    // Not `std::thread::current`: it is gone when a thread of the host ends, and may free a client then.
    // musl's is a pointer, where the standard library has a number.
    // SAFETY: always succeeds.
    let current = unsafe { libc::pthread_self() } as RawPthread;
    if thread.as_pthread_t() != current {
        let _ = thread.join();
    }
}

/// Blocks all but the faults on this thread; dropped, the mask is again exactly what it was.
struct SignalsBlocked {
    before: libc::sigset_t,
}

impl SignalsBlocked {
    fn new() -> io::Result<Self> {
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        let mut before = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `sigfillset` initialises `all`, and `pthread_sigmask` initialises `before` when it succeeds.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            for fault in FAULTS {
                libc::sigdelset(all.as_mut_ptr(), fault);
            }
            match libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) {
                0 => Ok(Self { before: before.assume_init() }),
                error => Err(io::Error::from_raw_os_error(error)),
            }
        }
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        // SAFETY: the mask came from `pthread_sigmask`; the old one is not asked for.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut()) };
    }
}

/// The descriptor of the process's stderr.
pub const STDERR: RawFd = libc::STDERR_FILENO;

/// Whether a descriptor takes bytes, at once or within `patience`. An error where nobody is at its other end.
pub fn is_writable(fd: RawFd, patience: Duration) -> io::Result<bool> {
    let mut poll = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
    let ms = libc::c_int::try_from(patience.as_millis()).unwrap_or(libc::c_int::MAX);
    // SAFETY: one entry, as we say.
    let ready = retry(|| unsafe { libc::poll(&mut poll, 1, ms) } as isize);
    if ready < 0 {
        return Err(io::Error::last_os_error());
    }
    if poll.revents & (libc::POLLERR | libc::POLLNVAL) != 0 {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(poll.revents & libc::POLLOUT != 0)
}

/// Writes where a pipe may be, and takes the SIGPIPE of that away before anybody has it. A SIGPIPE that was pending
/// before stays, as does the thread's mask.
pub fn write_without_sigpipe(fd: RawFd, bytes: &[u8]) -> io::Result<usize> {
    let blocked = SigpipeBlocked::new()?;
    // SAFETY: the buffer is as long as we say.
    let count = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
    if count >= 0 {
        return Ok(count as usize);
    }
    let error = io::Error::last_os_error();
    if error.kind() == io::ErrorKind::BrokenPipe {
        blocked.take();
    }
    Err(error)
}

/// Blocks SIGPIPE on this thread; dropped, the mask is again exactly what it was.
struct SigpipeBlocked {
    sigpipe: libc::sigset_t,
    was_pending: bool,
    before: libc::sigset_t,
}

impl SigpipeBlocked {
    fn new() -> io::Result<Self> {
        let mut sigpipe = MaybeUninit::<libc::sigset_t>::uninit();
        let mut pending = MaybeUninit::<libc::sigset_t>::uninit();
        let mut before = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `sigemptyset` initialises `sigpipe`; the other two calls initialise theirs when they succeed.
        unsafe {
            libc::sigemptyset(sigpipe.as_mut_ptr());
            libc::sigaddset(sigpipe.as_mut_ptr(), libc::SIGPIPE);
            let was_pending = libc::sigpending(pending.as_mut_ptr()) == 0
                && libc::sigismember(pending.as_ptr(), libc::SIGPIPE) == 1;
            match libc::pthread_sigmask(libc::SIG_BLOCK, sigpipe.as_ptr(), before.as_mut_ptr()) {
                0 => Ok(Self { sigpipe: sigpipe.assume_init(), was_pending, before: before.assume_init() }),
                error => Err(io::Error::from_raw_os_error(error)),
            }
        }
    }

    /// Takes the one that came meanwhile.
    fn take(&self) {
        if self.was_pending {
            return;
        }
        #[cfg(not(target_vendor = "apple"))]
        retry(|| {
            let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            // SAFETY: both are valid, and nothing is asked about the signal.
            unsafe { libc::sigtimedwait(&self.sigpipe, std::ptr::null_mut(), &at_once) as isize }
        });
        #[cfg(target_vendor = "apple")]
        {
            let mut signal = 0;
            // SAFETY: both are valid. It does not wait, as the signal is this thread's own and pending.
            unsafe { libc::sigwait(&self.sigpipe, &mut signal) };
        }
    }
}

impl Drop for SigpipeBlocked {
    fn drop(&mut self) {
        // SAFETY: the mask came from `pthread_sigmask`; the old one is not asked for.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut()) };
    }
}

/// The calling thread's number, which no other thread of this process ever has. To be had also while the thread is ending
/// and the application's own destructors run, when `std::thread::current` is gone.
pub fn thread_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    thread_local! {
        // Without a destructor, so that it outlives all others.
        static NUMBER: Cell<u64> = const { Cell::new(0) };
    }
    if NUMBER.get() == 0 {
        NUMBER.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
    }
    NUMBER.get()
}

/// The name of the calling thread, whoever made it.
pub fn thread_name() -> String {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let mut name = [0u8; 16];
        // SAFETY: the name has 16 bytes at the most, its NUL included.
        unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
        let len = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        String::from_utf8_lossy(&name[..len]).into_owned()
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    std::thread::current().name().unwrap_or_default().to_owned()
}

static FORKS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count_fork() {
    // All that may happen here must be async-signal-safe.
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// How many `fork`s lie between the first call of this function and the present process, at least: it
/// differs from what it was before a `fork`, and that is all it is for. Takes no lock.
pub fn fork_generation() -> u32 {
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    if !REGISTERED.load(Ordering::Acquire) {
        // Two threads may both come here. Counting a fork twice does no harm; a `Once` that another thread
        // holds during a fork would.
        // SAFETY: the handler is async-signal-safe, and the library is never unmapped (`-z nodelete`).
        if unsafe { libc::pthread_atfork(None, None, Some(count_fork)) } == 0 {
            REGISTERED.store(true, Ordering::Release);
        }
    }
    FORKS.load(Ordering::Relaxed)
}

/// Time since the system started, sleep included.
pub fn boottime() -> Duration {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
    // Apple's goes on while the machine sleeps.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid place to write to. The call cannot fail for a clock that exists.
    unsafe { libc::clock_gettime(CLOCK, &mut now) };
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// A descriptor that is readable while it is raised: an eventfd, or a pipe to itself where there is none.
pub struct EventFd {
    reader: OwnedFd,
    /// An eventfd is written where it is read.
    writer: Option<OwnedFd>,
}

impl EventFd {
    /// Not raised. Non-blocking, and closed on exec.
    pub fn new() -> io::Result<Self> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        return Self::kernel();
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        Self::pipe()
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn kernel() -> io::Result<Self> {
        // SAFETY: no pointer is involved.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, and nobody else's.
        Ok(Self { reader: unsafe { OwnedFd::from_raw_fd(fd) }, writer: None })
    }

    #[cfg(any(test, not(any(target_os = "linux", target_os = "android"))))]
    fn pipe() -> io::Result<Self> {
        let mut ends = [-1; 2];
        // SAFETY: `ends` has room for two descriptors.
        if unsafe { libc::pipe(ends.as_mut_ptr()) } < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptors are new, and nobody else's.
        let [reader, writer] = ends.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
        for fd in [&reader, &writer] {
            // SAFETY: these commands take integers.
            let done = unsafe {
                libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) >= 0
                    && libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) >= 0
            };
            if !done {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Self { reader, writer: Some(writer) })
    }

    /// What to poll for readability.
    pub fn fd(&self) -> RawFd {
        self.reader.as_raw_fd()
    }

    /// Makes it readable, until it is cleared.
    pub fn raise(&self) {
        let one = 1u64.to_ne_bytes();
        let fd = self.writer.as_ref().unwrap_or(&self.reader).as_raw_fd();
        // Full means raised already, so only an interruption matters.
        retry(|| {
            // SAFETY: the buffer is as long as we say.
            unsafe { libc::write(fd, one.as_ptr().cast(), one.len()) }
        });
    }

    /// Makes it not readable.
    pub fn clear(&self) {
        let mut buffer = [0u8; 512];
        while retry(|| {
            // SAFETY: the buffer is as long as we say.
            unsafe { libc::read(self.fd(), buffer.as_mut_ptr().cast(), buffer.len()) }
        }) == buffer.len() as isize
        {}
    }

    #[cfg(test)]
    /// Waits until it is raised, `None` for as long as it takes; whether it is.
    pub fn wait(&self, timeout: Option<Duration>) -> io::Result<bool> {
        let until = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            // Rounded up: waking before the time would make the caller spin.
            let ms = left.map_or(-1, |left| left.as_micros().div_ceil(1000).min(i32::MAX as u128) as i32);
            let mut poll = libc::pollfd { fd: self.fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one entry, as we say.
            match unsafe { libc::poll(&mut poll, 1, ms) } {
                0 if ms == i32::MAX => {}
                0 => return Ok(false),
                n if n > 0 => return Ok(true),
                _ => match io::Error::last_os_error() {
                    error if error.kind() == io::ErrorKind::Interrupted => {}
                    error => return Err(error),
                },
            }
        }
    }
}

/// Ends the wait of one thread at a time that can be set by any.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub struct Alarm(OwnedFd);

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Alarm {
    /// Not set.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointer is involved.
        let fd = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, and nobody else's.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// It rings so long from now, and not at the time for which it was set before. Wakes nobody before that.
    pub fn set(&self, after: Duration) {
        // Zero would be never.
        let after = after.max(Duration::from_nanos(1));
        let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let at = libc::timespec {
            tv_sec: libc::time_t::try_from(after.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: after.subsec_nanos() as _,
        };
        let set = libc::itimerspec { it_interval: never, it_value: at };
        // SAFETY: `set` is valid, and the old setting is not asked for. Cannot fail for what `new` has made.
        unsafe { libc::timerfd_settime(self.0.as_raw_fd(), 0, &set, std::ptr::null_mut()) };
    }

    /// Waits until it rings, or has rung since the last wait.
    pub fn wait(&self) {
        let mut rings = [0u8; 8];
        retry(|| {
            // SAFETY: the buffer is as long as we say.
            unsafe { libc::read(self.0.as_raw_fd(), rings.as_mut_ptr().cast(), rings.len()) }
        });
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub use portable::Alarm;

/// Without a timer of the system's: whoever waits is woken once more, to wait for the new time.
#[cfg(any(test, not(any(target_os = "linux", target_os = "android"))))]
mod portable {
    use crate::process::lock;
    use std::io;
    use std::sync::{Condvar, Mutex, PoisonError};
    use std::time::{Duration, Instant};

    #[derive(Default)]
    pub struct Alarm {
        due: Mutex<Option<Instant>>,
        changed: Condvar,
    }

    impl Alarm {
        pub fn new() -> io::Result<Self> {
            Ok(Self::default())
        }

        pub fn set(&self, after: Duration) {
            *lock(&self.due) = Instant::now().checked_add(after);
            self.changed.notify_one();
        }

        pub fn wait(&self) {
            let mut due = lock(&self.due);
            loop {
                let left = due.map(|due| due.saturating_duration_since(Instant::now()));
                due = match left {
                    Some(Duration::ZERO) => break,
                    Some(left) => {
                        self.changed.wait_timeout(due, left).unwrap_or_else(PoisonError::into_inner).0
                    }
                    None => self.changed.wait(due).unwrap_or_else(PoisonError::into_inner),
                };
            }
            *due = None;
        }
    }
}

impl AsRawFd for EventFd {
    fn as_raw_fd(&self) -> RawFd {
        self.fd()
    }
}

fn retry(mut call: impl FnMut() -> isize) -> isize {
    loop {
        let result = call();
        if result >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return result;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    fn blocked_signals() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn threads_block_what_is_not_theirs_and_the_creator_keeps_its_mask() {
        let before = blocked_signals();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = spawn("gecko-mqtt-test", 256 * 1024, move || {
            let name = std::fs::read_to_string("/proc/thread-self/comm").unwrap();
            tell.send((blocked_signals(), name)).unwrap();
        });
        let (inside, name) = told.recv().unwrap();
        join_unless_current(thread.unwrap());
        assert_eq!(blocked_signals(), before);
        assert_eq!(name, "gecko-mqtt-test\n");
        let bit = |signal: libc::c_int| 1u64 << (signal - 1);
        for fault in FAULTS {
            assert_eq!(inside & bit(fault), 0, "signal {fault} belongs to the host's handler");
        }
        for signal in 1..32 {
            if !FAULTS.contains(&signal) && signal != libc::SIGKILL && signal != libc::SIGSTOP {
                assert_ne!(inside & bit(signal), 0, "signal {signal} is not blocked");
            }
        }
        assert_ne!(inside & bit(libc::SIGRTMAX()), 0, "real-time signals too");
    }

    #[test]
    fn a_fork_is_counted_in_the_child_alone() {
        let before = fork_generation();
        // SAFETY: the child only compares numbers and leaves.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let same = fork_generation() == before;
            // SAFETY: `_exit` runs nothing of ours.
            unsafe { libc::_exit(i32::from(same)) };
        }
        let mut status = -1;
        // SAFETY: `status` is a valid place to write to.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0, "the child did not see a new generation");
        assert_eq!(fork_generation(), before);
    }

    #[test]
    fn time_since_the_start_goes_on() {
        let before = boottime();
        std::thread::sleep(Duration::from_millis(2));
        let passed = boottime() - before;
        assert!(passed >= Duration::from_millis(2) && passed < Duration::from_secs(60), "{passed:?}");
    }

    #[test]
    fn a_pipe_without_a_reader_is_an_error_and_no_signal() {
        // SAFETY: nothing is asked about the signal, whose default ends the process.
        let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let (reader, writer) = std::io::pipe().unwrap();
        let fd = writer.as_raw_fd();
        assert!(is_writable(fd, Duration::ZERO).unwrap());
        assert_eq!(write_without_sigpipe(fd, b"some").unwrap(), 4);
        drop(reader);
        assert_eq!(is_writable(fd, Duration::ZERO).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(write_without_sigpipe(fd, b"more").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert!(!is_writable(-1, Duration::ZERO).unwrap(), "poll takes no notice of it");
        // SAFETY: as it was.
        unsafe { libc::signal(libc::SIGPIPE, before) };
    }

    #[test]
    fn an_event_is_readable_while_it_is_raised() {
        for event in [EventFd::new().unwrap(), EventFd::pipe().unwrap()] {
            assert!(!event.wait(Some(Duration::ZERO)).unwrap());
            let start = Instant::now();
            assert!(!event.wait(Some(Duration::from_millis(20))).unwrap());
            assert!(start.elapsed() >= Duration::from_millis(20));
            for _ in 0..20_000 {
                event.raise();
            }
            assert!(event.wait(None).unwrap());
            assert!(event.wait(Some(Duration::ZERO)).unwrap(), "waiting does not clear");
            event.clear();
            event.clear();
            assert!(!event.wait(Some(Duration::ZERO)).unwrap());
        }
    }

    macro_rules! alarm_tests {
        ($name:ident, $alarm:ty) => {
            #[test]
            fn $name() {
                let alarm = <$alarm>::new().unwrap();
                let start = Instant::now();
                alarm.set(Duration::from_millis(20));
                alarm.wait();
                assert!(start.elapsed() >= Duration::from_millis(20));
                // Rung before anybody waits.
                alarm.set(Duration::ZERO);
                std::thread::sleep(Duration::from_millis(1));
                alarm.wait();
                // The last setting counts, also for who waits already.
                alarm.set(Duration::from_secs(3600));
                std::thread::scope(|scope| {
                    let waiter = scope.spawn(|| alarm.wait());
                    while !waiter.is_finished() {
                        alarm.set(Duration::ZERO);
                        std::thread::sleep(Duration::from_millis(1));
                    }
                });
            }
        };
    }

    alarm_tests!(an_alarm_rings_when_it_is_set_to, Alarm);
    alarm_tests!(an_alarm_without_a_timer_of_the_systems_does_too, portable::Alarm);

    #[test]
    fn an_event_wakes_another_thread_and_is_not_inherited() {
        let event = EventFd::new().unwrap();
        // SAFETY: asks for flags only.
        let flags = unsafe { libc::fcntl(event.as_raw_fd(), libc::F_GETFD) };
        assert_ne!(flags & libc::FD_CLOEXEC, 0);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| event.wait(Some(Duration::from_secs(10))));
            std::thread::sleep(Duration::from_millis(20));
            event.raise();
            assert!(waiter.join().unwrap().unwrap());
        });
    }
}
