//! Deep nesting ends in `RecursionError`, never in an overflowing C stack.
//!
//! A `__str__` that logs a value whose `__str__` logs … has no Python frames of logging in between, so the interpreter's own
//! limit comes late: a thread with a small stack would be gone before. Measured by address, not counted: greenlets share a
//! thread and count together, but their stacks do not add up.
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::prelude::*;

use crate::ffi::{self as py_ffi, Exc, Res};

/// What has to be left for one more record, everything it calls included.
const RESERVE: usize = 192 * 1024;

thread_local! {
    /// The lowest address a record may start at, and the top of the stack; (1, 0) when they cannot be told.
    static BOUNDS: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// The same of the main thread, whose stack stays where it is as long as there is a process, as its lowest address and how many bytes lie
/// above it; 0 of them before it has asked. What stands there is the main thread's, so nothing of the thread has to be looked up: 3 %
/// of a call that a `NullHandler` gets.
static MAIN: (AtomicUsize, AtomicUsize) = (AtomicUsize::new(0), AtomicUsize::new(0));

/// Is there room on the C stack for one more record? 2 ns, in the main thread less than one.
#[inline]
pub fn check(py: Python<'_>) -> Res<()> {
    let here = std::ptr::from_ref(&py).addr();
    let room = MAIN.1.load(Ordering::Acquire);
    if here.wrapping_sub(MAIN.0.load(Ordering::Relaxed)) < room {
        Ok(())
    } else {
        check_thread(py, here)
    }
}

#[inline(never)]
fn check_thread(py: Python<'_>, here: usize) -> Res<()> {
    let (low, high) = BOUNDS.get();
    if here >= low && low != 0 {
        Ok(())
    } else {
        look_closer(py, here, high)
    }
}

#[cold]
fn look_closer(py: Python<'_>, here: usize, high: usize) -> Res<()> {
    let (mut low, mut top) = (BOUNDS.get().0, high);
    if low == 0 {
        (low, top) = bounds();
        BOUNDS.set((low, top));
        if top != 0 && is_main_thread() {
            MAIN.0.store(low, Ordering::Relaxed);
            MAIN.1.store(top - low, Ordering::Release);
        }
    }
    // Outside of the thread's own stack (a coroutine library's): nothing is known.
    if here < low && top != 0 && here > low.saturating_sub(RESERVE) {
        return Err(py_ffi::raise(
            py,
            Exc::Recursion,
            "maximum recursion depth exceeded while logging",
        ));
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn is_main_thread() -> bool {
    // SAFETY: plain calls of the C library.
    let first = unsafe { libc::gettid() == libc::getpid() };
    // The first thread of a child may have been any of its parent's, whose stack goes when it ends.
    first && !crate::fork::may_be_child()
}

#[cfg(not(target_os = "linux"))]
fn is_main_thread() -> bool {
    false
}

/// The bounds of this thread's stack.
#[cfg(target_os = "linux")]
fn bounds() -> (usize, usize) {
    // SAFETY: plain calls of the C library on an attribute object of our own, destroyed after use.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
            return (1, 0);
        }
        let (mut start, mut size) = (std::ptr::null_mut(), 0);
        let known =
            libc::pthread_attr_getstack(&raw const attributes, &raw mut start, &raw mut size) == 0;
        libc::pthread_attr_destroy(&raw mut attributes);
        if !known || size <= 2 * RESERVE {
            return (1, 0);
        }
        (start.addr() + RESERVE, start.addr() + size)
    }
}

/// The bounds of this thread's stack.
#[cfg(target_os = "macos")]
fn bounds() -> (usize, usize) {
    // SAFETY: plain calls of the C library.
    unsafe {
        let thread = libc::pthread_self();
        let top = libc::pthread_get_stackaddr_np(thread).addr();
        let size = libc::pthread_get_stacksize_np(thread);
        if size <= 2 * RESERVE {
            (1, 0)
        } else {
            (top - size + RESERVE, top)
        }
    }
}

/// Elsewhere the interpreter's own limits have to do.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn bounds() -> (usize, usize) {
    (1, 0)
}
