//! A pace that keeps within the server's quotas: AWS IoT discards what a connection publishes above 100 messages
//! a second, and delays what is above 512 KiB.

use std::time::{Duration, Instant};

/// What may be published in any one second; 0: as much as one likes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    pub messages: u32,
    pub bytes: u32,
}

/// Two token buckets. A bucket holds a tenth of the quota and fills at nine tenths of it a second, so that no
/// second sees more than the whole of it.
#[derive(Debug)]
pub struct Pacer {
    messages: Bucket,
    bytes: Bucket,
}

#[derive(Debug)]
struct Bucket {
    /// 0: without a bottom.
    quota: f64,
    level: f64,
    filled: Option<Instant>,
}

impl Bucket {
    fn new(quota: u32) -> Self {
        let quota = f64::from(quota);
        Self { quota, level: Self::depth(quota), filled: None }
    }

    fn depth(quota: f64) -> f64 {
        (quota / 10.0).max(1.0)
    }

    fn rate(&self) -> f64 {
        (self.quota - Self::depth(self.quota)).max(self.quota / 2.0)
    }

    fn refill(&mut self, now: Instant) {
        let passed = self.filled.map_or(Duration::ZERO, |filled| now.saturating_duration_since(filled));
        self.level = (self.level + passed.as_secs_f64() * self.rate()).min(Self::depth(self.quota));
        self.filled = Some(now);
    }

    fn is_open(&self) -> bool {
        self.quota == 0.0 || self.level >= 1.0
    }

    /// When it is open again, if it is not.
    fn opens(&self) -> Option<Instant> {
        if self.is_open() {
            return None;
        }
        let wait = Duration::from_secs_f64((1.0 - self.level) / self.rate()) + Duration::from_micros(1);
        self.filled.map(|filled| filled + wait)
    }
}

impl Pacer {
    pub fn new(pace: Pace) -> Self {
        Self { messages: Bucket::new(pace.messages), bytes: Bucket::new(pace.bytes) }
    }

    /// Lets time pass.
    pub fn refill(&mut self, now: Instant) {
        for bucket in [&mut self.messages, &mut self.bytes] {
            if bucket.quota > 0.0 {
                bucket.refill(now);
            }
        }
    }

    /// Whether a message may go out now.
    pub fn is_open(&self) -> bool {
        self.messages.is_open() && self.bytes.is_open()
    }

    /// How many messages may be taken at once.
    pub fn messages(&self) -> usize {
        match (self.is_open(), self.messages.quota > 0.0) {
            (false, _) => 0,
            (true, true) => self.messages.level as usize,
            (true, false) => usize::MAX,
        }
    }

    /// How many bytes may be taken at once.
    pub fn bytes(&self) -> usize {
        match (self.is_open(), self.bytes.quota > 0.0) {
            (false, _) => 0,
            (true, true) => self.bytes.level as usize,
            (true, false) => usize::MAX,
        }
    }

    /// A message of so many bytes goes out. A large one takes more than the bucket holds; the next ones wait for it.
    pub fn spend(&mut self, bytes: usize) {
        self.messages.level -= 1.0;
        self.bytes.level -= bytes as f64;
    }

    /// When something may go out again, if nothing may now.
    pub fn resumes(&self) -> Option<Instant> {
        self.messages.opens().into_iter().chain(self.bytes.opens()).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends whatever is allowed for ten seconds; the largest number and bytes in any one second.
    fn worst_second(pace: Pace, size: usize) -> (usize, usize, usize) {
        let start = Instant::now();
        let mut pacer = Pacer::new(pace);
        let mut sent = Vec::new();
        for ms in 0..10_000u64 {
            let now = start + Duration::from_millis(ms);
            pacer.refill(now);
            while pacer.is_open() && sent.len() < 100_000 {
                pacer.spend(size);
                sent.push(ms);
            }
        }
        let worst =
            (0..9_000).map(|from| sent.iter().filter(|ms| (from..from + 1000).contains(*ms)).count()).max();
        let worst = worst.unwrap_or(0);
        (worst, worst * size, sent.len())
    }

    #[test]
    fn no_second_sees_more_than_the_quota_and_little_of_it_is_wasted() {
        let (worst, _, all) = worst_second(Pace { messages: 100, bytes: 512 * 1024 }, 100);
        assert!(worst <= 100 && all >= 850, "{worst} {all}");
        let (_, worst, all) = worst_second(Pace { messages: 0, bytes: 512 * 1024 }, 32 * 1024);
        assert!(worst <= 512 * 1024 + 64 * 1024 && all >= 130, "{worst} {all}");
    }

    #[test]
    fn without_a_quota_there_is_no_limit() {
        let mut pacer = Pacer::new(Pace::default());
        (0..1000).for_each(|_| pacer.spend(1 << 20));
        assert!(pacer.is_open());
        assert_eq!((pacer.resumes(), pacer.messages()), (None, usize::MAX));
    }

    #[test]
    fn it_says_when_to_go_on() {
        let start = Instant::now();
        let mut pacer = Pacer::new(Pace { messages: 10, bytes: 0 });
        pacer.refill(start);
        pacer.spend(0);
        let resumes = pacer.resumes().unwrap();
        assert!(resumes > start && !pacer.is_open());
        pacer.refill(resumes);
        assert!(pacer.is_open());
    }

    #[test]
    fn a_quota_of_one_is_kept() {
        let (worst, _, all) = worst_second(Pace { messages: 1, bytes: 0 }, 1);
        assert!(worst <= 1 && all >= 4, "{worst} {all}");
    }
}
