//! The messages that reads have brought, on their way to the callbacks.

use std::ops::Range;

/// Received PUBLISH packets in one buffer.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Of so many entries the packets are in `bytes`; those of the others are still where they were read.
    kept: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u32,
    len: u32,
    /// Under which its handling is reported (0: QoS 0).
    number: u64,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The memory that it takes.
    pub fn bytes_held(&self) -> usize {
        self.bytes.capacity()
    }

    /// The packets, in the order in which they came, with the numbers under which their handling is reported (0:
    /// QoS 0).
    pub fn packets(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.entries.iter().map(|entry| (&self.bytes[entry.range()], entry.number))
    }

    /// The numbers of those that are to be acknowledged.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|entry| entry.number).filter(|number| *number != 0)
    }

    /// A packet is there in what was read, which is to be handed over next.
    pub(super) fn note(&mut self, packet: Range<usize>, number: u64) {
        // What was read at once, so 32 bits are ample.
        self.entries.push(Entry { start: packet.start as u32, len: packet.len() as u32, number });
    }

    #[cfg(test)]
    pub fn of(packet: &[u8], number: u64) -> Self {
        let mut batch = Self::default();
        batch.note(0..packet.len(), number);
        batch.copy_from(packet);
        batch
    }

    /// Copies the packets that were noted out of what was read.
    pub(super) fn copy_from(&mut self, input: &[u8]) {
        let new = &mut self.entries[self.kept..];
        self.bytes.reserve(new.iter().map(|entry| entry.len as usize).sum());
        for entry in new {
            let packet = &input[entry.range()];
            entry.start = self.bytes.len() as u32;
            self.bytes.extend_from_slice(packet);
        }
        self.kept = self.entries.len();
    }

    /// Takes what was read as it is, where a good part of the buffer is packets that were noted; copies them otherwise, as
    /// few of them shall not hold a large buffer.
    pub(super) fn take_from(&mut self, input: &mut Vec<u8>) {
        let noted: usize = self.entries[self.kept..].iter().map(|entry| entry.len as usize).sum();
        if self.bytes.is_empty() && noted > input.capacity() / 4 {
            self.bytes = std::mem::take(input);
            self.kept = self.entries.len();
        } else if noted > 0 {
            self.copy_from(input);
        }
    }

    /// Takes the QoS 0 messages out, bytes and all; says how many there were.
    pub fn drop_at_most_once(&mut self) -> usize {
        let mut others = Self::default();
        for (packet, number) in self.packets().filter(|(_, number)| *number != 0) {
            others.entries.push(Entry { start: others.bytes.len() as u32, len: packet.len() as u32, number });
            others.bytes.extend_from_slice(packet);
        }
        others.kept = others.entries.len();
        let dropped = self.len() - others.len();
        *self = others;
        dropped
    }

    /// Empties it, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.kept = 0;
    }

    /// The buffer, for whoever needs one next.
    pub fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }
}

impl Entry {
    fn range(&self) -> Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(batch: &Batch) -> Vec<(String, u64)> {
        batch
            .packets()
            .map(|(packet, number)| (String::from_utf8_lossy(packet).into_owned(), number))
            .collect()
    }

    #[test]
    fn takes_a_buffer_that_is_full_of_packets_and_copies_out_of_others() {
        let mut full = b"-one-two-".to_vec();
        let (address, mut batch) = (full.as_ptr(), Batch::default());
        batch.note(1..4, 0);
        batch.note(5..8, 7);
        batch.take_from(&mut full);
        assert_eq!((batch.bytes.as_ptr(), full.len()), (address, 0), "not copied");
        // The buffer has an owner now: what comes next is copied behind it.
        let mut more = b"three".to_vec();
        batch.note(0..5, 8);
        batch.take_from(&mut more);
        assert_eq!(more, b"three");
        let expected = [("one", 0), ("two", 7), ("three", 8)].map(|(text, number)| (text.to_owned(), number));
        assert_eq!(packets(&batch), expected);
        assert_eq!(batch.numbers().collect::<Vec<_>>(), [7, 8]);

        let mut sparse = b"one and much else".to_vec();
        let mut batch = Batch::default();
        batch.take_from(&mut sparse);
        assert!(batch.is_empty() && batch.bytes_held() == 0);
        batch.note(0..3, 0);
        batch.take_from(&mut sparse);
        assert_eq!((packets(&batch), sparse.len()), (vec![("one".to_owned(), 0)], 17));
        assert!(batch.bytes_held() < sparse.len());
    }

    #[test]
    fn drops_qos_0_and_nothing_else() {
        let mut batch = Batch::default();
        (0..6).for_each(|at| batch.note(at..at + 1, (at % 2 * at) as u64));
        batch.take_from(&mut b"abcdef".to_vec());
        assert_eq!(batch.drop_at_most_once(), 3);
        assert_eq!(packets(&batch), [("b".to_owned(), 1), ("d".to_owned(), 3), ("f".to_owned(), 5)]);
        assert_eq!(batch.drop_at_most_once(), 0);
        let mut last = b"g".to_vec();
        batch.note(0..1, 0);
        batch.take_from(&mut last);
        assert_eq!((batch.len(), batch.drop_at_most_once(), batch.len()), (4, 1, 3));
    }
}
