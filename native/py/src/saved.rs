//! Objects of the interpreter that are remembered only to be compared: is `time.localtime` still what it was?
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use pyo3::prelude::*;

use crate::ffi::{self as py_ffi, Obj};

/// One object, owned for ever once set.
pub struct Saved {
    object: AtomicPtr<pyo3::ffi::PyObject>,
    /// The C entry of a built-in function; 0 for anything else.
    entry: AtomicUsize,
}

impl Saved {
    /// Nothing yet: equal to no object.
    pub const fn new() -> Self {
        Saved {
            object: AtomicPtr::new(std::ptr::null_mut()),
            entry: AtomicUsize::new(0),
        }
    }

    /// Remembers the first object it is given.
    pub fn set(&self, object: Obj<'_>) {
        let empty = std::ptr::null_mut();
        let (relaxed, address) = (Ordering::Relaxed, object.as_ptr());
        if self
            .object
            .compare_exchange(empty, address, relaxed, relaxed)
            .is_ok()
        {
            // Owned from here on.
            std::mem::forget(object);
        }
    }

    /// Remembers a built-in function and its C entry; anything else is not remembered.
    pub fn set_builtin(&self, object: Obj<'_>) {
        let entry = py_ffi::builtin_entry(&object);
        if entry != 0 && self.entry.load(Ordering::Relaxed) == 0 {
            self.entry.store(entry, Ordering::Relaxed);
            self.set(object);
        }
    }

    /// Has anything been remembered?
    #[cfg(Py_3_12)]
    pub fn is_set(&self) -> bool {
        !self.is_empty()
    }

    /// Has nothing been remembered yet?
    pub fn is_empty(&self) -> bool {
        self.object.load(Ordering::Relaxed).is_null()
    }

    /// The object, only to be compared; null for nothing.
    #[inline]
    pub fn address(&self) -> *mut pyo3::ffi::PyObject {
        self.object.load(Ordering::Relaxed)
    }

    /// Does the built-in function that was remembered still run the C function it ran then?
    #[inline]
    pub fn runs_as_it_did(&self, py: Python<'_>) -> bool {
        let object = self.address();
        !object.is_null()
            && py_ffi::builtin_entry(&py_ffi::immortal(py, object))
                == self.entry.load(Ordering::Relaxed)
    }

    /// Is it this very object?
    #[inline]
    pub fn is(&self, object: &Obj<'_>) -> bool {
        self.object.load(Ordering::Relaxed) == object.as_ptr()
    }

    /// [`Saved::is`] of an address.
    #[inline]
    pub fn is_at(&self, object: *mut pyo3::ffi::PyObject) -> bool {
        !object.is_null() && self.object.load(Ordering::Relaxed) == object
    }

    /// Is it this very built-in function, and does it still run the C function it ran then? (time-machine replaces that.)
    #[inline]
    pub fn is_untouched(&self, object: &Obj<'_>) -> bool {
        self.is(object) && py_ffi::builtin_entry(object) == self.entry.load(Ordering::Relaxed)
    }
}
