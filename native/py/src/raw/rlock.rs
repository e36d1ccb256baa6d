//! `threading.RLock` (exactly `_thread.RLock`): is it free, take it, give it back, by its structure.
//!
//! Uncontended acquisition does what the C method does to the same fields, so both ways mix freely, also with a waiting
//! thread. Contention goes to the real method, which releases the GIL while it waits and handles signals as ever.
use super::layout::{LOCKS_KNOWN as KNOWN, field};
use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// `type(_thread.RLock())`, set (and kept alive) only after the self-test found the structure to be as described here.
static TYPE: AtomicPtr<PyTypeObject> = AtomicPtr::new(null_mut());

/// `_thread.RLock` until 3.13: a binary semaphore that whoever owns the lock holds.
#[cfg(not(Py_3_14))]
#[repr(C)]
struct Lock {
    base: PyObject,
    semaphore: *mut std::ffi::c_void,
    owner: u64,
    count: u64,
}

/// `_thread.RLock` from 3.14 on: a recursive mutex. `level` is one less than the number of acquisitions.
#[cfg(Py_3_14)]
#[repr(C)]
struct Lock {
    base: PyObject,
    mutex: std::sync::atomic::AtomicU8,
    /// Other threads look at it to see that they are not the owner.
    owner: std::sync::atomic::AtomicU64,
    level: usize,
}

#[cfg(not(Py_3_14))]
unsafe extern "C" {
    fn PyThread_acquire_lock(lock: *mut std::ffi::c_void, wait: std::ffi::c_int)
    -> std::ffi::c_int;
    fn PyThread_release_lock(lock: *mut std::ffi::c_void);
}

/// Is the interpreter's lock a POSIX semaphore (`sys.thread_info.lock`)?
#[cfg(all(not(Py_3_14), target_os = "linux"))]
static SEMAPHORE: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Tells what the interpreter's locks are made of; called by the self-test before its trial.
#[cfg_attr(
    not(all(not(Py_3_14), target_os = "linux")),
    allow(
        unused_variables,
        reason = "elsewhere the interpreter's own functions are called"
    )
)]
pub(super) fn made_of(kind: &str) {
    #[cfg(all(not(Py_3_14), target_os = "linux"))]
    SEMAPHORE.store(kind == "semaphore", Relaxed);
}

/// Takes the interpreter's lock inside an `RLock` if nobody has it. Asked of the semaphore itself, because the interpreter's
/// function reads the clock first even where it is told not to wait (5 ns instead of 40).
///
/// # Safety
/// A lock of the interpreter.
#[cfg(not(Py_3_14))]
#[inline(always)]
unsafe fn take(lock: *mut std::ffi::c_void) -> bool {
    // SAFETY: the caller's promise; a lock that is a semaphore is a pointer to it (Python/thread_pthread.h).
    unsafe {
        #[cfg(target_os = "linux")]
        if SEMAPHORE.load(Relaxed) {
            return libc::sem_trywait(lock.cast()) == 0;
        }
        PyThread_acquire_lock(lock, 0) != 0
    }
}

/// Gives it back.
///
/// # Safety
/// A lock of the interpreter that was taken.
#[cfg(not(Py_3_14))]
#[inline(always)]
unsafe fn give_back(lock: *mut std::ffi::c_void) {
    // SAFETY: as for `take`.
    unsafe {
        #[cfg(target_os = "linux")]
        if SEMAPHORE.load(Relaxed) {
            libc::sem_post(lock.cast());
            return;
        }
        PyThread_release_lock(lock);
    }
}

/// The number that `threading.get_ident()` returns.
#[inline(always)]
#[must_use]
pub fn this_thread() -> u64 {
    // SAFETY: asks the system, needs nothing. On Linux this is what the interpreter asks, too.
    unsafe {
        #[cfg(target_os = "linux")]
        return libc::pthread_self() as u64;
        #[cfg(not(target_os = "linux"))]
        return ffi::PyThread_get_thread_ident() as u64;
    }
}

/// The structure of the lock, if this is an `RLock` whose structure we know.
#[inline(always)]
fn known(lock: &Bound<'_, PyAny>) -> Option<*mut Lock> {
    // SAFETY: a live object.
    let same = KNOWN && unsafe { ffi::Py_TYPE(lock.as_ptr()) } == TYPE.load(Relaxed);
    same.then(|| lock.as_ptr().cast())
}

/// Whether nobody else holds the lock; `None` when the object is not an `RLock` we know. Holding the GIL from here to the
/// end of a stretch in which no Python code runs, that is as good as having acquired it: 0.5 ns instead of 40. (A thread
/// that was handed the lock but not yet the GIL does not count as holding it: it does nothing before it gets the GIL.)
#[inline(always)]
#[must_use]
pub fn rlock_free_or_mine(lock: &Bound<'_, PyAny>) -> Option<bool> {
    if cfg!(Py_GIL_DISABLED) {
        // Free now says nothing of the next moment.
        return None;
    }
    let lock = known(lock)?;
    // SAFETY: the structure was proven by the self-test; its owner is written under the GIL only.
    #[cfg(not(Py_3_14))]
    let owner = unsafe { (*lock).owner };
    // SAFETY: as above.
    #[cfg(Py_3_14)]
    let owner = unsafe { (*lock).owner.load(Relaxed) };
    Some(owner == 0 || owner == this_thread())
}

/// Acquires the lock if that needs no waiting. False: nothing done, call the object's own `acquire` (contended, or not a
/// lock we know). Like the real method it runs no signal handler when it need not wait.
#[inline(always)]
#[must_use]
pub fn rlock_acquire(lock: &Bound<'_, PyAny>) -> bool {
    let Some(lock) = known(lock) else {
        return false;
    };
    let me = this_thread();
    // SAFETY: the structure was proven by the self-test, and the GIL is held; the fields change as `acquire` changes them.
    #[cfg(not(Py_3_14))]
    unsafe {
        if (*lock).count > 0 && (*lock).owner == me {
            (*lock).count += 1;
            return true;
        }
        let free = (*lock).count == 0 && take((*lock).semaphore);
        if free {
            (*lock).owner = me;
            (*lock).count = 1;
        }
        free
    }
    // SAFETY: as above; without a GIL the owner alone touches the level, and the mutex decides who that is.
    #[cfg(Py_3_14)]
    unsafe {
        use std::sync::atomic::Ordering::Acquire;
        if (*lock).owner.load(Relaxed) == me {
            (*lock).level += 1;
            return true;
        }
        let free = (*lock)
            .mutex
            .compare_exchange(0, 1, Acquire, Relaxed)
            .is_ok();
        if free {
            (*lock).owner.store(me, Relaxed);
        }
        free
    }
}

/// Gives the lock back once, waking a waiter when it becomes free. False: nothing done, call the object's own `release`
/// (which raises when the lock is not held by this thread).
#[inline(always)]
#[must_use]
pub fn rlock_release(lock: &Bound<'_, PyAny>) -> bool {
    let Some(lock) = known(lock) else {
        return false;
    };
    // SAFETY: as for `rlock_acquire`.
    #[cfg(not(Py_3_14))]
    unsafe {
        if (*lock).owner != this_thread() || (*lock).count == 0 {
            return false;
        }
        (*lock).count -= 1;
        if (*lock).count == 0 {
            (*lock).owner = 0;
            give_back((*lock).semaphore);
        }
        true
    }
    // SAFETY: as above.
    #[cfg(Py_3_14)]
    unsafe {
        use std::sync::atomic::Ordering::Release;
        if (*lock).owner.load(Relaxed) != this_thread() {
            return false;
        }
        if (*lock).level > 0 {
            (*lock).level -= 1;
            return true;
        }
        (*lock).owner.store(0, Relaxed);
        // Anything but a plain 1 means that somebody is parked on it.
        if (*lock)
            .mutex
            .compare_exchange(1, 0, Release, Relaxed)
            .is_err()
        {
            ffi::PyMutex_Unlock((&raw mut (*lock).mutex).cast());
        }
        true
    }
}

/// Switches the structure on for this type; the self-test calls it for its trial and again with null when that failed.
pub(super) unsafe fn trust(tp: *mut PyTypeObject) {
    TYPE.store(tp, Relaxed);
}

/// Is a lock of this type large enough to be what we take it for?
pub(super) unsafe fn plausible(tp: *mut PyTypeObject) -> bool {
    // SAFETY: a live type.
    unsafe { (*tp).tp_basicsize as usize >= size_of::<Lock>() && (*tp).tp_itemsize == 0 }
}

/// The fields as the type's own methods would tell them: (number of acquisitions, owner).
pub(super) unsafe fn state(lock: *mut PyObject) -> (u64, u64) {
    // SAFETY: the caller checked `plausible`.
    unsafe {
        let lock = lock.cast::<Lock>().cast::<u8>().cast_const();
        #[cfg(not(Py_3_14))]
        return (
            field(lock, std::mem::offset_of!(Lock, count)),
            field(lock, std::mem::offset_of!(Lock, owner)),
        );
        #[cfg(Py_3_14)]
        {
            let owner: u64 = field(lock, std::mem::offset_of!(Lock, owner));
            let level: u64 = field(lock, std::mem::offset_of!(Lock, level));
            (if owner == 0 { 0 } else { level + 1 }, owner)
        }
    }
}
