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

/// The same of the stack that the process began with, as its lowest address and how many bytes lie above it; 0 of them before its thread, the
/// main one, has asked. It stays where it is as long as there is a process, so nothing of the thread has to be looked up for what stands
/// there: 3 % of a call that a `NullHandler` gets.
static FIRST: (AtomicUsize, AtomicUsize) = (AtomicUsize::new(0), AtomicUsize::new(0));

/// No more of it counts: the system keeps 128 MiB for it alone, and may put other stacks below that where it is to be endless.
const ALONE: usize = 64 << 20;

/// Is there room on the C stack for one more record? 2 ns, on the main thread's stack less than one.
#[inline]
pub fn check(py: Python<'_>) -> Res<()> {
    let here = std::ptr::from_ref(&py).addr();
    let room = FIRST.1.load(Ordering::Acquire);
    if here.wrapping_sub(FIRST.0.load(Ordering::Relaxed)) < room {
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
        if top != 0 && is_first(top) {
            let low = low.max(top.saturating_sub(ALONE));
            FIRST.0.store(low, Ordering::Relaxed);
            FIRST.1.store(top - low, Ordering::Release);
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

/// Is this where the stack that the process began with ends? Above it are its arguments, and what the system left with them.
#[cfg(target_os = "linux")]
fn is_first(top: usize) -> bool {
    // SAFETY: a question that changes nothing.
    let left = unsafe { libc::getauxval(libc::AT_RANDOM) } as usize;
    // The page where it ends, and at most 6 MiB of arguments.
    left.wrapping_sub(top - (64 << 10)) < 16 << 20
}

#[cfg(not(target_os = "linux"))]
fn is_first(_: usize) -> bool {
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
