//! JSON, as far as it is needed here: the claims of a token are read, and statistics, events and log lines written.
//! A general crate for it is 60 kB of the library, most of them for numbers with a fraction.

mod read;
mod write;

pub use read::{Value, members};
pub use write::{Object, escape, push_array};
