//! What is read goes through buffers that all clients share: an idle one needs none of its own.

use crate::process::try_lock;
use std::sync::Mutex;

/// What one read can bring.
pub const SIZE: usize = 32 * 1024;

/// So many are kept where nobody reads: one for what the network brings, one for what TLS makes of it or callbacks
/// are told of.
const SPARE: usize = 2;

static SPARES: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A buffer of [`SIZE`] bytes, whatever they are.
pub fn take() -> Vec<u8> {
    // A lock that another thread has is not waited for, nor one that no thread has any more after a fork.
    let spare = try_lock(&SPARES).and_then(|mut spares| spares.pop());
    // Zeroed by the system, page by page, as far as it is used.
    spare.unwrap_or_else(|| vec![0; SIZE])
}

/// Gives a buffer back, if it is one of these and as long as it was: to make it so again would cost each small message the
/// zeros of a large one.
pub fn give_back(buffer: Vec<u8>) {
    if buffer.capacity() != SIZE || buffer.len() != SIZE {
        return;
    }
    if let Some(mut spares) = try_lock(&SPARES).filter(|spares| spares.len() < SPARE) {
        spares.push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_has_its_size_whatever_was_done_with_it() {
        for len in [0, 7, SIZE] {
            let mut buffer = take();
            assert_eq!((buffer.len(), buffer.capacity()), (SIZE, SIZE));
            buffer.truncate(len);
            give_back(buffer);
        }
        give_back(vec![1; 10]);
        give_back(Vec::new());
        for _ in 0..10 {
            (0..5).map(|_| take()).collect::<Vec<_>>().into_iter().for_each(give_back);
        }
        assert!(try_lock(&SPARES).is_none_or(|spares| spares.len() <= SPARE));
        assert_eq!(take().len(), SIZE);
    }
}
