//! Opaque handles that cannot be mistaken, not even after they were freed.
//!
//! A handle is the address of a slot in a table that is never given back; the object hangs on the slot. So any
//! pointer can be judged without reading what it points to: it is the address of a slot or it is no handle.
//! The slot's one word says which type the handle has, whether it is alive, and how many calls are inside the
//! object; so whoever comes in has checked all of it at once. A slot is used again as late as possible, so that
//! a freed handle stays recognisable. None of this takes a lock.

use crate::{Error, ErrorKind, Result, sys};
use std::ops::Deref;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// The type behind an opaque C type.
pub trait Handle {
    /// What the core calls it.
    type Object: Send + Sync + 'static;
    /// The type's number, 1 to 31.
    const KIND: u32;
    /// For messages: "a client".
    const NOUN: &'static str;
    /// Whether it may be used in the child of a `fork`.
    const SURVIVES_FORK: bool;
    /// What freeing does before it returns, whoever else is still inside the object.
    fn ending(_object: &Self::Object) {}
}

// A slot's word: one of these bits, five bits with the type's number, and the count of the calls inside.
/// The object is there.
const ALIVE: u32 = 1 << 31;
/// Freed; the last call that leaves takes the object down.
const ENDED: u32 = 1 << 30;
/// Being filled or emptied.
const BUSY: u32 = 1 << 29;
const FREE: u32 = 0;
const KIND_SHIFT: u32 = 24;
const KIND_MASK: u32 = 31 << KIND_SHIFT;

const fn kind<H: Handle>() -> u32 {
    const { assert!(H::KIND > 0 && H::KIND < 32) };
    H::KIND << KIND_SHIFT
}

const SLOTS: usize = 64;

struct Slot {
    state: AtomicU32,
    /// The fork generation in which it was made.
    born: AtomicU32,
    object: AtomicPtr<()>,
}

impl Slot {
    const fn new() -> Self {
        Self { state: AtomicU32::new(FREE), born: AtomicU32::new(0), object: AtomicPtr::new(ptr::null_mut()) }
    }
}

struct Chunk {
    slots: [Slot; SLOTS],
    next: AtomicPtr<Chunk>,
}

impl Chunk {
    const fn new() -> Self {
        Self { slots: [const { Slot::new() }; SLOTS], next: AtomicPtr::new(ptr::null_mut()) }
    }

    fn next(&self) -> Option<&'static Chunk> {
        // SAFETY: NULL or a chunk that was leaked.
        unsafe { self.next.load(Ordering::Acquire).as_ref() }
    }

    /// The next chunk, made if there is none.
    fn next_or_new(&self) -> &'static Chunk {
        if let Some(next) = self.next() {
            return next;
        }
        let new = Box::into_raw(Box::new(Chunk::new()));
        match self.next.compare_exchange(ptr::null_mut(), new, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: it is in the list now, where it stays.
            Ok(_) => unsafe { &*new },
            Err(theirs) => {
                // SAFETY: nobody else has seen it.
                drop(unsafe { Box::from_raw(new) });
                // SAFETY: a chunk in the list stays there.
                unsafe { &*theirs }
            }
        }
    }
}

static FIRST: Chunk = Chunk::new();
/// Where the next search begins: far from the slots that were freed last.
static CURSOR: AtomicUsize = AtomicUsize::new(0);

/// Makes a handle of an object.
pub fn create<H: Handle>(object: H::Object) -> *mut H {
    let slot = claim();
    slot.born.store(sys::fork_generation(), Ordering::Relaxed);
    slot.object.store(Box::into_raw(Box::new(object)).cast(), Ordering::Relaxed);
    slot.state.store(ALIVE | kind::<H>(), Ordering::Release);
    ptr::from_ref(slot).cast_mut().cast()
}

fn claim() -> &'static Slot {
    let start = CURSOR.fetch_add(1, Ordering::Relaxed);
    let mut chunk = &FIRST;
    loop {
        for index in 0..SLOTS {
            let slot = &chunk.slots[start.wrapping_add(index) % SLOTS];
            if slot.state.compare_exchange(FREE, BUSY, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                return slot;
            }
        }
        chunk = chunk.next_or_new();
    }
}

/// Ends a handle. NULL is fine. The object goes when the last call that is inside it has left.
pub fn free<H: Handle>(handle: *mut H) -> Result<()> {
    if handle.is_null() {
        return Ok(());
    }
    let pinned = get(handle, "the handle")?;
    let mut state = pinned.slot.state.load(Ordering::Relaxed);
    loop {
        if state & ALIVE == 0 {
            return Err(stale::<H>());
        }
        let ended = state ^ (ALIVE | ENDED);
        match pinned.slot.state.compare_exchange_weak(state, ended, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => {
                H::ending(&pinned);
                return Ok(());
            }
            Err(now) => state = now,
        }
    }
}

/// The object, kept alive while the result is held, whoever frees the handle meanwhile.
pub fn get<H: Handle>(handle: *const H, name: &str) -> Result<Pinned<H>> {
    if handle.is_null() {
        return Err(Error::new(ErrorKind::NullArgument, format!("{name} is NULL")));
    }
    let slot = find(handle.addr()).ok_or_else(|| {
        let message = format!("{name} is not a handle of this library, but {} was expected", H::NOUN);
        Error::new(ErrorKind::InvalidHandle, message)
    })?;
    let mut state = slot.state.load(Ordering::Acquire);
    loop {
        if state & ALIVE == 0 {
            return Err(stale::<H>());
        }
        if state & KIND_MASK != kind::<H>() {
            let message = format!("{name} is a handle of another type, but {} was expected", H::NOUN);
            return Err(Error::new(ErrorKind::InvalidHandle, message));
        }
        // Before anything that a thread of the parent may have left half done.
        if !H::SURVIVES_FORK && slot.born.load(Ordering::Relaxed) != sys::fork_generation() {
            let message =
                format!("{} made before a fork cannot be used in the child: make a new one there", H::NOUN);
            return Err(Error::new(ErrorKind::Forked, message));
        }
        match slot.state.compare_exchange_weak(state, state + 1, Ordering::Acquire, Ordering::Acquire) {
            Ok(_) => break,
            Err(now) => state = now,
        }
    }
    Ok(Pinned { slot, object: slot.object.load(Ordering::Relaxed).cast() })
}

fn stale<H: Handle>() -> Error {
    Error::new(ErrorKind::InvalidHandle, format!("{} that was freed already", H::NOUN))
}

fn find(address: usize) -> Option<&'static Slot> {
    let mut chunk = Some(&FIRST);
    while let Some(here) = chunk {
        let offset = address.wrapping_sub(here.slots.as_ptr().addr());
        if offset < size_of_val(&here.slots) {
            return (offset % size_of::<Slot>() == 0).then(|| &here.slots[offset / size_of::<Slot>()]);
        }
        chunk = here.next();
    }
    None
}

/// A call inside the object.
pub struct Pinned<H: Handle> {
    slot: &'static Slot,
    object: *const H::Object,
}

impl<H: Handle> Deref for Pinned<H> {
    type Target = H::Object;

    fn deref(&self) -> &H::Object {
        // SAFETY: `get` found the slot alive and of this type, and counted us in, in one step.
        unsafe { &*self.object }
    }
}

impl<H: Handle> Drop for Pinned<H> {
    fn drop(&mut self) {
        if self.slot.state.fetch_sub(1, Ordering::AcqRel) - 1 != ENDED | kind::<H>() {
            return;
        }
        // Nobody comes in any more and we are the last inside. While the object goes, the slot is not reused.
        self.slot.state.store(BUSY, Ordering::Relaxed);
        // SAFETY: `create` made it from a box of this type, and it is taken down once.
        drop(unsafe { Box::from_raw(self.object.cast_mut()) });
        self.slot.state.store(FREE, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    /// A freed handle may be made again by another test, of the same type.
    static ALONE: Mutex<()> = Mutex::new(());

    fn alone() -> MutexGuard<'static, ()> {
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    struct Apple;
    struct Pear;

    impl Handle for Apple {
        type Object = Arc<u32>;
        const KIND: u32 = 30;
        const NOUN: &'static str = "an apple";
        const SURVIVES_FORK: bool = false;
    }

    impl Handle for Pear {
        type Object = String;
        const KIND: u32 = 31;
        const NOUN: &'static str = "a pear";
        const SURVIVES_FORK: bool = true;
    }

    fn refused<H: Handle>(handle: *const H) -> ErrorKind {
        get(handle, "fruit").err().unwrap().kind()
    }

    #[test]
    fn a_handle_leads_to_its_object_until_it_is_freed() {
        let _alone = alone();
        let handle = create::<Pear>("williams".into());
        assert_eq!(*get(handle, "fruit").unwrap(), "williams");
        free(handle).unwrap();
        assert_eq!(refused(handle), ErrorKind::InvalidHandle);
        assert_eq!(free(handle).unwrap_err().kind(), ErrorKind::InvalidHandle, "freed twice");
        free::<Pear>(ptr::null_mut()).unwrap();
    }

    #[test]
    fn what_is_no_handle_is_not_touched() {
        let _alone = alone();
        let pear = create::<Pear>(String::new());
        assert_eq!(refused(pear.cast::<Apple>()), ErrorKind::InvalidHandle, "another type");
        assert_eq!(refused::<Apple>(ptr::null()), ErrorKind::NullArgument);
        assert_eq!(refused(ptr::without_provenance::<Apple>(8)), ErrorKind::InvalidHandle);
        assert_eq!(refused(pear.wrapping_byte_add(1)), ErrorKind::InvalidHandle, "inside a slot");
        free(pear).unwrap();
    }

    #[test]
    fn the_object_lives_until_the_last_call_has_left() {
        let _alone = alone();
        let object = Arc::new(7);
        let handle = create::<Apple>(object.clone());
        let inside = get(handle, "fruit").unwrap();
        free(handle).unwrap();
        assert_eq!(refused(handle), ErrorKind::InvalidHandle, "no new call comes in");
        assert_eq!((**inside, Arc::strong_count(&object)), (7, 2));
        drop(inside);
        assert_eq!(Arc::strong_count(&object), 1);
    }

    #[test]
    fn there_are_as_many_handles_as_wanted() {
        let _alone = alone();
        let object = Arc::new(1);
        let handles: Vec<_> = (0..3 * SLOTS).map(|_| create::<Apple>(object.clone())).collect();
        assert!(handles.iter().all(|handle| **get(*handle, "fruit").unwrap() == 1));
        handles.iter().for_each(|handle| free(*handle).unwrap());
        assert_eq!(Arc::strong_count(&object), 1);
    }

    #[test]
    fn threads_that_race_to_free_agree_on_one() {
        let _alone = alone();
        for _ in 0..200 {
            let object = Arc::new(3);
            let handle = create::<Apple>(object.clone()).addr();
            let freed = AtomicU32::new(0);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        let handle = ptr::without_provenance_mut::<Apple>(handle);
                        let _ = get(handle, "fruit").map(|inside| assert_eq!(**inside, 3));
                        if free(handle).is_ok() {
                            freed.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
            });
            assert_eq!((freed.into_inner(), Arc::strong_count(&object)), (1, 1));
        }
    }

    // Of their own: other tests make and free the others at the same time.
    struct Plum;
    struct Quince;

    impl Handle for Plum {
        type Object = u64;
        const KIND: u32 = 28;
        const NOUN: &'static str = "a plum";
        const SURVIVES_FORK: bool = false;
    }

    impl Handle for Quince {
        type Object = String;
        const KIND: u32 = 29;
        const NOUN: &'static str = "a quince";
        const SURVIVES_FORK: bool = false;
    }

    #[test]
    fn a_slot_that_is_used_again_is_not_entered_as_what_it_was() {
        let _alone = alone();
        let stop = AtomicU32::new(0);
        let places: Vec<_> = (0..SLOTS).map(|_| create::<Plum>(5)).collect();
        places.iter().for_each(|place| free(*place).unwrap());
        let addresses: Vec<_> = places.iter().map(|place| place.addr()).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..20_000 {
                    if round % 2 == 0 {
                        free(create::<Plum>(5)).unwrap();
                    } else {
                        free(create::<Quince>("williams".into())).unwrap();
                    }
                }
                stop.store(1, Ordering::Relaxed);
            });
            scope.spawn(|| {
                while stop.load(Ordering::Relaxed) == 0 {
                    for address in &addresses {
                        if let Ok(inside) = get(ptr::without_provenance::<Plum>(*address), "fruit") {
                            assert_eq!(*inside, 5);
                        }
                        if let Ok(inside) = get(ptr::without_provenance::<Quince>(*address), "fruit") {
                            assert_eq!(*inside, "williams");
                        }
                    }
                }
            });
        });
    }

    #[test]
    fn the_child_of_a_fork_may_not_use_what_the_parent_made() {
        let _alone = alone();
        let handles = (create::<Apple>(Arc::new(1)), create::<Pear>(String::new()));
        // SAFETY: the child looks at atomics, makes two short messages, and leaves.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let refused = get(handles.0, "fruit").is_err_and(|error| error.kind() == ErrorKind::Forked);
            let fine = refused && free(handles.0).is_err() && get(handles.1, "fruit").is_ok();
            // SAFETY: `_exit` runs nothing of ours.
            unsafe { libc::_exit(i32::from(!fine)) };
        }
        let mut status = -1;
        // SAFETY: `status` is a valid place to write to.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0);
        free(handles.0).unwrap();
        free(handles.1).unwrap();
    }
}
