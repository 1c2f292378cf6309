//! Structures that begin with their size, so that they can grow.

/// A C structure that begins with `uint32_t size`.
///
/// # Safety
/// `repr(C)`, the first member is a `u32` with its size, there is no padding, and any bytes make one.
pub unsafe trait Structure: Copy {
    /// For messages: "the message".
    const NAME: &'static str;
    /// All zero.
    const ZERO: Self;

    /// Sets the first member.
    fn set_size(&mut self, size: u32);
}

/// The size of a structure without any padding, from the types of its members. Compared with `size_of` at
/// compile time, since a C compiler does not promise to copy padding, and a longer version would begin in it.
#[allow(dead_code)] // Rust 1.85 does not see the nameless constants that call it.
pub const fn packed(words: usize, bytes: usize) -> usize {
    words * size_of::<usize>() + bytes
}
