//! Shared state of the extension without a lock: the GIL is one, and on free-threaded builds each thread has a copy of its own.
//!
//! The closure given to [`Shared::with`] must not run Python code, a decref included: it only reads and writes plain data.
//! Under the GIL nothing else can then be inside at the same time. Without a GIL nobody else ever is: what is kept here is
//! remembered, never decided, so that a thread which has not met a thing yet only has to find it out again. A shared table
//! would have to be locked, and threads that log side by side would wait for each other at each record.
#![cfg_attr(
    Py_GIL_DISABLED,
    allow(
        clippy::inline_always,
        reason = "where the thread's copies stand is then found once for all that a function uses: 80 instructions of 970 for a disabled call \
                  that asks a method of somebody's own"
    )
)]
use std::cell::UnsafeCell;

use pyo3::prelude::*;

/// A value that every thread may use while it is attached.
pub struct Shared<T> {
    /// The value; on free-threaded builds what each copy of it starts as.
    value: UnsafeCell<T>,
    /// Where the copies stand in the threads' [`copies::Shelf`].
    #[cfg(Py_GIL_DISABLED)]
    place: copies::Place,
}

// SAFETY: reached only through `with`, which needs the GIL (its token) or hands out the copy of this thread.
unsafe impl<T> Sync for Shared<T> {}
// SAFETY: as above; the values hold raw pointers to Python objects, which any attached thread may use.
unsafe impl<T> Send for Shared<T> {}

impl<T> Shared<T> {
    /// A new cell, for a `static` (for a field: [`Field`]): `value` is a constant, which owns nothing and may be copied bit by bit.
    pub const fn new(value: T) -> Self {
        Self {
            value: UnsafeCell::new(value),
            #[cfg(Py_GIL_DISABLED)]
            place: copies::Place::new(),
        }
    }

    /// Uses the value. `body` must not run Python code and must not call `with` on the same cell.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline]
    pub fn with<R>(&self, _py: Python<'_>, body: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the token proves that this thread holds the GIL, and `body` never lets go of it nor comes back here.
        body(unsafe { &mut *self.value.get() })
    }

    /// Uses this thread's copy of the value. `body` must not run Python code and must not call `with` on the same cell.
    #[cfg(Py_GIL_DISABLED)]
    #[inline(always)]
    pub fn with<R>(&self, _py: Python<'_>, body: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the first value is never written to, and a constant (see `new`); the copy is this thread's alone, and
        // `body` does not come back here.
        body(unsafe { &mut *self.place.copy_of(self.value.get()) })
    }
}

/// The same for what all threads share: a field of an object, a table that is too large for a copy of each thread's own.
#[cfg(not(Py_GIL_DISABLED))]
pub type Field<T> = Shared<T>;

/// The same for what all threads share: a field of an object, a table that is too large for a copy of each thread's own. Who waits for it
/// stays attached: `body` is short, and no thread stops in the middle of it, neither for the garbage collector nor for a fork.
#[cfg(Py_GIL_DISABLED)]
pub struct Field<T>(std::sync::Mutex<T>);

#[cfg(Py_GIL_DISABLED)]
impl<T> Field<T> {
    pub const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    /// Uses the value. `body` must not run Python code and must not call `with` on the same field.
    #[inline]
    pub fn with<R>(&self, _py: Python<'_>, body: impl FnOnce(&mut T) -> R) -> R {
        let value = self.0.lock();
        body(&mut value.unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// A reference-counted value that [`Shared`] cells may hold: no other thread ever touches the count of one that is in use.
pub type Counted<T> = std::rc::Rc<T>;

/// A reference-counted value that [`Field`]s may hold: whichever thread drops the last reference drops the value.
#[cfg(not(Py_GIL_DISABLED))]
pub type Common<T> = std::rc::Rc<T>;
/// A reference-counted value that [`Field`]s may hold: whichever thread drops the last reference drops the value.
#[cfg(Py_GIL_DISABLED)]
pub type Common<T> = std::sync::Arc<T>;

/// Each thread's copies of all [`Shared`] values.
///
/// A thread borrows a shelf when it first needs one and leaves it to another when it ends: what the copies hold (references to
/// Python objects among it) is never given up with a thread, and there are never more shelves than threads were alive at once.
#[cfg(Py_GIL_DISABLED)]
mod copies {
    use std::cell::Cell;
    use std::ptr::null_mut;
    use std::sync::atomic::{
        AtomicPtr, AtomicU64, AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    };

    /// At most this many [`super::Shared`] values; all of them are statics of this crate.
    const PLACES: usize = 64;
    /// Shelves that are handed on. With more threads than that at once the others keep theirs for ever.
    const SHELVES: usize = 4096;

    /// The copies of one thread, made when first used.
    struct Shelf([Cell<*mut u8>; PLACES]);

    /// Which shelves are lent out, a bit for each. Without a lock, so that a fork finds none held.
    static LENT: [AtomicU64; SHELVES / 64] = [const { AtomicU64::new(0) }; SHELVES / 64];
    static POOL: [AtomicPtr<Shelf>; SHELVES] = [const { AtomicPtr::new(null_mut()) }; SHELVES];

    /// Gives the thread's shelf back when the thread ends.
    struct Loan(Cell<usize>);

    impl Drop for Loan {
        fn drop(&mut self) {
            // Whatever still runs in this thread borrows anew.
            MINE.set(null_mut());
            if let Some(word) = LENT.get(self.0.get() / 64) {
                word.fetch_and(!(1 << (self.0.get() % 64)), Release);
            }
        }
    }

    thread_local! {
        static MINE: Cell<*mut Shelf> = const { Cell::new(null_mut()) };
        static LOAN: Loan = const { Loan(Cell::new(usize::MAX)) };
    }

    #[inline(always)]
    fn mine() -> *mut Shelf {
        let mine = MINE.get();
        if mine.is_null() { borrow() } else { mine }
    }

    #[cold]
    fn borrow() -> *mut Shelf {
        // A thread past the end of its own statics cannot give anything back; it keeps what it takes.
        let shelf = match LOAN.try_with(|loan| free().inspect(|index| loan.0.set(*index))) {
            Ok(Some(index)) => {
                let shelf = POOL[index].load(Acquire);
                if shelf.is_null() {
                    let shelf = new_shelf();
                    POOL[index].store(shelf, Release);
                    shelf
                } else {
                    shelf
                }
            }
            Ok(None) | Err(_) => new_shelf(),
        };
        MINE.set(shelf);
        shelf
    }

    fn new_shelf() -> *mut Shelf {
        Box::into_raw(Box::new(Shelf([const { Cell::new(null_mut()) }; PLACES])))
    }

    /// Takes a shelf that nobody has.
    fn free() -> Option<usize> {
        LENT.iter().enumerate().find_map(|(at, word)| {
            let mut lent = word.load(Relaxed);
            loop {
                let bit = (!lent).trailing_zeros();
                if bit == 64 {
                    return None;
                }
                match word.compare_exchange_weak(lent, lent | 1 << bit, AcqRel, Relaxed) {
                    Ok(_) => return Some(at * 64 + bit as usize),
                    Err(now) => lent = now,
                }
            }
        })
    }

    /// The place of one value on every shelf, given out when first asked for.
    pub(super) struct Place(AtomicUsize);

    impl Place {
        const UNKNOWN: usize = usize::MAX;

        pub(super) const fn new() -> Self {
            Place(AtomicUsize::new(Self::UNKNOWN))
        }

        /// This thread's copy; `first` is what it starts as.
        #[inline(always)]
        pub(super) fn copy_of<T>(&self, first: *const T) -> *mut T {
            let at = match self.0.load(Relaxed) {
                Self::UNKNOWN => self.give(),
                at => at,
            };
            // SAFETY: a shelf lives for ever and is this thread's as long as it has it.
            let copy = unsafe { &(&(*mine()).0)[at] };
            if copy.get().is_null() {
                copy.set(copied(first).cast());
            }
            copy.get().cast()
        }

        #[cold]
        fn give(&self) -> usize {
            static NEXT: AtomicUsize = AtomicUsize::new(0);
            let new = NEXT.fetch_add(1, Relaxed);
            assert!(new < PLACES, "more shared values than a shelf has places");
            match self
                .0
                .compare_exchange(Self::UNKNOWN, new, Relaxed, Relaxed)
            {
                Ok(_) => new,
                Err(given) => given,
            }
        }
    }

    #[cold]
    fn copied<T>(first: *const T) -> *mut T {
        let layout = std::alloc::Layout::new::<T>();
        assert!(layout.size() > 0);
        // SAFETY: of a size; the bits of a constant are a value of their own, which never moves from here on (some are
        // large: no detour over the stack).
        unsafe {
            let copy = std::alloc::alloc(layout).cast::<T>();
            if copy.is_null() {
                std::alloc::handle_alloc_error(layout);
            }
            copy.copy_from_nonoverlapping(first, 1);
            copy
        }
    }
}
