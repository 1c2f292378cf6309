//! What `cargo fuzz` runs (see `fuzz/README.md`): each target takes any bytes, and panics where the library breaks
//! a promise. `cargo test` replays the corpus through the same functions.

mod connection;
mod credentials;

#[cfg(test)]
mod corpus;

pub use credentials::{broker_url, token};

/// A connection's life: the application's calls, the server's packets, cuts, rotations and time, all taken from `data`.
pub fn connection(data: &[u8]) {
    connection::run(data);
}

/// Bytes to be taken from the front. What is not there any more is 0, so that every input means something.
#[derive(Clone, Copy)]
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn two(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// So many, or as many as there are.
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A length, and as much text.
    fn text(&mut self) -> &'a str {
        let len = self.byte().into();
        std::str::from_utf8(self.take(len)).unwrap_or_default()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::from(self.byte()) % from.len()]
    }
}
