//! What the core asks of the operating system beyond the standard library.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread with a name and a stack of `stack_bytes`.
pub(crate) fn spawn(
    name: &str,
    stack_bytes: usize,
    f: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    Builder::new()
        .name(name.to_owned())
        .stack_size(stack_bytes)
        .spawn(f)
}
