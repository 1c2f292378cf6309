use super::super::format::Format;
use super::super::sink::Sink;
use super::*;
use std::sync::atomic::{AtomicU32, Ordering};

const DAY: u64 = 86_400;

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("gecko-mqtt-log-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|_| "(none)".to_owned())
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A log in `folder`, and clocks that go when they are told to.
struct Log {
    sink: Arc<Sink<File>>,
    now: Now,
}

impl Log {
    fn new(path: &Path, max_bytes: u64, interval_secs: u32, keep: u32) -> Self {
        let rotation = Rotation { max_bytes, interval_secs, keep };
        let unix_secs = UNIX_EPOCH.elapsed().unwrap().as_secs();
        let sink = Sink::new(File::new(&path.into(), rotation));
        Self { sink, now: Now { instant: Instant::now(), unix_secs } }
    }

    fn write(&mut self, line: &str) {
        self.sink.write(Format::Text, &format!("{line}\n"), self.now);
    }

    fn wait(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.unix_secs += time.as_secs();
    }
}

#[test]
fn full_files_move_on_and_the_last_falls_out() {
    let folder = Folder::new();
    let mut log = Log::new(&folder.path("log"), 10, 0, 2);
    for line in ["aaaa", "bbbb", "cccc", "dddd", "eeee", "ffff", "a very long line", "g"] {
        log.write(line);
    }
    assert_eq!(folder.names(), ["log", "log.1", "log.2"]);
    assert_eq!(folder.read("log"), "g\n");
    assert_eq!(folder.read("log.1"), "a very long line\n");
    assert_eq!(folder.read("log.2"), "eeee\nffff\n");
}

#[test]
fn what_an_earlier_process_wrote_counts() {
    let folder = Folder::new();
    fs::write(folder.path("log"), "12345\n").unwrap();
    let mut log = Log::new(&folder.path("log"), 10, 0, 1);
    log.write("abcd");
    assert_eq!((&*folder.read("log"), &*folder.read("log.1")), ("abcd\n", "12345\n"));
}

#[test]
fn without_old_ones_a_full_file_begins_anew() {
    let folder = Folder::new();
    let mut log = Log::new(&folder.path("log"), 10, 0, 0);
    ["aaaa", "bbbb", "cccc"].iter().for_each(|line| log.write(line));
    assert_eq!(folder.names(), ["log"]);
    assert_eq!(folder.read("log"), "cccc\n");
}

#[test]
fn without_a_limit_a_file_grows() {
    let folder = Folder::new();
    let mut log = Log::new(&folder.path("log"), 0, 0, 5);
    (0..1000).for_each(|_| log.write("aaaa"));
    log.wait(Duration::from_secs(10 * DAY));
    log.write("b");
    assert_eq!(folder.names(), ["log"]);
    assert_eq!(folder.read("log").len(), 5002);
}

#[test]
fn a_day_has_a_file_of_its_own() {
    let folder = Folder::new();
    let mut log = Log::new(&folder.path("log"), 0, DAY as u32, 3);
    // Five seconds before midnight.
    log.now.unix_secs = (log.now.unix_secs / DAY + 2) * DAY - 5;
    log.write("monday");
    log.wait(Duration::from_secs(4));
    log.write("monday");
    log.wait(Duration::from_secs(1));
    log.write("tuesday");
    log.now.unix_secs -= 10;
    log.write("the clock was set back");
    log.wait(Duration::from_secs(3 * DAY));
    log.write("friday");
    assert_eq!(folder.names(), ["log", "log.1", "log.2"]);
    assert_eq!(folder.read("log"), "friday\n");
    assert_eq!(folder.read("log.1"), "tuesday\nthe clock was set back\n");
    assert_eq!(folder.read("log.2"), "monday\nmonday\n");
}

#[test]
fn yesterday_s_file_is_old_for_a_process_that_begins_today() {
    let folder = Folder::new();
    let file = fs::File::create(folder.path("log")).unwrap();
    (&file).write_all(b"yesterday\n").unwrap();
    file.set_modified(UNIX_EPOCH.elapsed().map(|now| UNIX_EPOCH + now - Duration::from_secs(DAY)).unwrap())
        .unwrap();
    let mut log = Log::new(&folder.path("log"), 0, DAY as u32, 1);
    log.write("today");
    assert_eq!((&*folder.read("log"), &*folder.read("log.1")), ("today\n", "yesterday\n"));
}

#[test]
fn a_removed_file_is_made_again_and_a_moved_one_left_alone() {
    let folder = Folder::new();
    let mut log = Log::new(&folder.path("log"), 0, 0, 0);
    log.write("first");
    fs::remove_file(folder.path("log")).unwrap();
    log.wait(LOOK);
    log.write("second");
    assert_eq!(folder.read("log"), "second\n");
    // As logrotate does.
    fs::rename(folder.path("log"), folder.path("moved")).unwrap();
    log.wait(LOOK);
    log.write("third");
    assert_eq!((&*folder.read("log"), &*folder.read("moved")), ("third\n", "second\n"));
}

#[test]
fn a_folder_that_comes_back_gets_a_word_of_what_was_lost() {
    let folder = Folder::new();
    fs::create_dir(folder.path("card")).unwrap();
    let path = folder.path("card").join("log");
    let mut log = Log::new(&path, 0, 0, 0);
    log.write("first");
    fs::remove_dir_all(folder.path("card")).unwrap();
    log.wait(LOOK);
    (0..5).for_each(|_| log.write("lost"));
    fs::create_dir(folder.path("card")).unwrap();
    log.write("lost as well: it is not looked at every time");
    log.wait(LOOK);
    log.write("second");
    let text = fs::read_to_string(&path).unwrap();
    let (notice, rest) = text.split_once('\n').unwrap();
    assert!(notice.contains("log lines were lost count=6 reason=\"No such file or directory"), "{notice}");
    assert_eq!(rest, "second\n");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_costs_lines_and_nothing_else() {
    let folder = Folder::new();
    let path = folder.path("log");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let mut log = Log::new(&path, 10, 1, 3);
    for _ in 0..3 {
        log.write("nobody will ever read this");
        log.wait(LOOK);
    }
    assert_eq!(folder.names(), ["log"], "a device is not rotated");
    fs::remove_file(&path).unwrap();
    log.wait(LOOK);
    log.now.unix_secs = UNIX_EPOCH.elapsed().unwrap().as_secs();
    log.sink.with(|file| file.set_rotation(Rotation::default()));
    log.write("there is room again");
    let text = folder.read("log");
    assert!(text.contains("log lines were lost count=3 reason=\"No space left on device"), "{text}");
    assert!(text.ends_with("\nthere is room again\n"), "{text}");
}

#[test]
fn two_processes_share_a_file_and_its_rotation() {
    let folder = Folder::new();
    let path = folder.path("log");
    let (mut one, mut other) = (Log::new(&path, 20, 0, 1), Log::new(&path, 20, 0, 1));
    one.write("one a");
    other.write("other b");
    one.wait(LOOK);
    one.write("one c");
    assert_eq!(folder.read("log"), "one a\nother b\none c\n");
    one.write("one d");
    // It thinks that the file is full, and sees that it is another one.
    other.wait(LOOK / 2);
    other.write("other e");
    assert_eq!(folder.read("log"), "one d\nother e\n");
    assert_eq!(folder.read("log.1"), "one a\nother b\none c\n");
}

#[test]
fn nothing_waits_for_the_reader_of_a_pipe() {
    let folder = Folder::new();
    let path = folder.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let now = Now { instant: Instant::now(), unix_secs: 0 };
    let error = File::new(&path.clone().into(), Rotation::default()).check(now).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENXIO), "{error}");
    let reader = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path).unwrap();
    let mut log = Log::new(&path, 0, 0, 0);
    (0..100_000).for_each(|_| log.write("nobody reads this"));
    drop(reader);
    // No SIGPIPE either.
    log.write("and nobody ever will");
}

#[test]
fn a_file_that_cannot_move_is_cut() {
    let folder = Folder::new();
    let path = folder.path("log");
    // Its place is taken by what no rename replaces.
    fs::create_dir_all(folder.path("log.1").join("sub")).unwrap();
    let mut log = Log::new(&path, 10, 0, 1);
    ["aaaa", "bbbb", "cccc"].iter().for_each(|line| log.write(line));
    assert_eq!(folder.read("log"), "cccc\n");
}
