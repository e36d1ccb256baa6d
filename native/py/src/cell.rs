//! Shared state of the extension without a lock where the GIL is one.
//!
//! The closure given to [`Shared::with`] must not run Python code, a decref included: it only reads and writes plain data.
//! Under the GIL nothing else can then be inside at the same time; on free-threaded builds a mutex takes its place.
#[cfg(not(Py_GIL_DISABLED))]
use std::cell::UnsafeCell;
#[cfg(Py_GIL_DISABLED)]
use std::sync::Mutex;

use pyo3::prelude::*;

/// A value that every thread may use while it is attached.
pub struct Shared<T> {
    #[cfg(not(Py_GIL_DISABLED))]
    value: UnsafeCell<T>,
    #[cfg(Py_GIL_DISABLED)]
    value: Mutex<T>,
}

// SAFETY: reached only through `with`, which needs the GIL (its token) or takes the mutex.
unsafe impl<T> Sync for Shared<T> {}
// SAFETY: as above; the values hold raw pointers to Python objects, which any attached thread may use.
unsafe impl<T> Send for Shared<T> {}

impl<T> Shared<T> {
    /// A new cell.
    pub const fn new(value: T) -> Self {
        #[cfg(not(Py_GIL_DISABLED))]
        return Self {
            value: UnsafeCell::new(value),
        };
        #[cfg(Py_GIL_DISABLED)]
        return Self {
            value: Mutex::new(value),
        };
    }

    /// Uses the value. `body` must not run Python code and must not call `with` on the same cell.
    #[inline]
    pub fn with<R>(&self, _py: Python<'_>, body: impl FnOnce(&mut T) -> R) -> R {
        #[cfg(not(Py_GIL_DISABLED))]
        // SAFETY: the token proves that this thread holds the GIL, and `body` never lets go of it nor comes back here.
        return body(unsafe { &mut *self.value.get() });
        #[cfg(Py_GIL_DISABLED)]
        return body(
            &mut self
                .value
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
    }
}

/// A reference-counted value that [`Shared`] cells may hold: counted without atomics where the GIL guards the count.
#[cfg(not(Py_GIL_DISABLED))]
pub type Counted<T> = std::rc::Rc<T>;
/// As above.
#[cfg(Py_GIL_DISABLED)]
pub type Counted<T> = std::sync::Arc<T>;
