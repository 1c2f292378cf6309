//! Topic aliases towards the server (MQTT 5, 3.3.2.3.4): a topic that is used again goes out as two bytes.

use crate::packet::Alias;

/// More are of no use to a device, and would have to be searched.
const MOST: u16 = 32;

/// The aliases of one connection.
#[derive(Debug)]
pub struct Aliases {
    maximum: u16,
    /// Alias n is at n - 1: the topic, and when it was used last.
    topics: Vec<(Box<str>, u64)>,
    uses: u64,
    /// Topics that were sent once without an alias; those that come again get one.
    candidates: Option<Box<[u64; 64]>>,
}

impl Aliases {
    /// `maximum` is the server's topic alias maximum; 0: none.
    pub fn new(maximum: u16) -> Self {
        Self { maximum: maximum.min(MOST), topics: Vec::new(), uses: 0, candidates: None }
    }

    /// How this topic goes out next. What it says must be written, in this order.
    pub fn choose(&mut self, topic: &str) -> Alias {
        // An alias costs three bytes.
        if self.maximum == 0 || topic.len() <= 3 {
            return Alias::None;
        }
        self.uses += 1;
        if let Some(at) = self.topics.iter().position(|(known, _)| **known == *topic) {
            self.topics[at].1 = self.uses;
            return Alias::Use(at as u16 + 1);
        }
        if !self.seen_before(topic) {
            return Alias::None;
        }
        let entry = (topic.into(), self.uses);
        if self.topics.len() < usize::from(self.maximum) {
            self.topics.push(entry);
            return Alias::Set(self.topics.len() as u16);
        }
        let oldest = (0..self.topics.len()).min_by_key(|at| self.topics[*at].1).unwrap_or(0);
        self.topics[oldest] = entry;
        Alias::Set(oldest as u16 + 1)
    }

    /// Remembers the topic by a hash (FNV-1a): a collision costs three bytes, and no more.
    fn seen_before(&mut self, topic: &str) -> bool {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = topic.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, step) | 1;
        let candidates = self.candidates.get_or_insert_with(|| Box::new([0; 64]));
        let slot = &mut candidates[(hash >> 8) as usize % 64];
        std::mem::replace(slot, hash) == hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_comes_again_gets_an_alias() {
        let mut aliases = Aliases::new(2);
        assert_eq!(aliases.choose("spa/42/state"), Alias::None);
        assert_eq!(aliases.choose("spa/42/state"), Alias::Set(1));
        assert_eq!(aliases.choose("spa/42/state"), Alias::Use(1));
        assert_eq!(aliases.choose("a/b"), Alias::None, "shorter than an alias");
    }

    #[test]
    fn the_one_that_was_not_used_for_longest_makes_room() {
        let mut aliases = Aliases::new(2);
        for topic in ["one/", "two/"] {
            aliases.choose(topic);
            aliases.choose(topic);
        }
        assert_eq!(aliases.choose("one/"), Alias::Use(1));
        aliases.choose("three/");
        assert_eq!(aliases.choose("three/"), Alias::Set(2));
        assert_eq!(aliases.choose("one/"), Alias::Use(1));
        assert!(matches!(aliases.choose("two/"), Alias::None | Alias::Set(2)));
    }

    #[test]
    fn a_server_without_aliases_gets_none() {
        let mut aliases = Aliases::new(0);
        assert!((0..5).all(|_| aliases.choose("spa/42/state") == Alias::None));
    }
}
