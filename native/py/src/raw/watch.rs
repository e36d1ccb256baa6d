//! Has a dict (a module's globals) been changed since somebody last looked? Without comparing anything in it.
//!
//! 3.11 numbers every change of every dict; from 3.12 on the dict tells a watcher, which counts. The notice is given before
//! the change: without a GIL another thread could read in between, and keep what was there for what is there now. So whoever
//! derives something from a watched dict takes the generation first, then reads the dict while holding its lock
//! (`ffi::undisturbed`), which is held from the notice to the change.
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::cell::Shared;

/// A watched dict, kept alive by this value. Compare what [`Watch::generation`] gives with what it gave when the derived
/// values were read: equal means the dict is as it was then.
pub struct Watch {
    dict: Py<PyDict>,
    #[cfg(Py_3_12)]
    slot: Option<usize>,
}

impl Watch {
    /// Watches a dict from now on. Watching one dict several times is the same as once; it goes on until the dict dies.
    #[must_use]
    pub fn new(dict: &Bound<'_, PyDict>) -> Self {
        Self {
            dict: dict.clone().unbind(),
            #[cfg(Py_3_12)]
            slot: watchers::slot_of(dict),
        }
    }

    /// The watched dict.
    #[must_use]
    pub fn dict<'py>(&self, py: Python<'py>) -> &Bound<'py, PyDict> {
        self.dict.bind(py)
    }

    /// Is the watch of `cell` on this dict, so that changes have been told since somebody last asked? It is from here on, where that can be.
    #[cold]
    pub fn is_on(cell: &Shared<Option<Self>>, dict: &Bound<'_, PyDict>) -> bool {
        let py = dict.py();
        let watched = cell.with(py, |known| {
            (known.as_ref()).is_some_and(|watch| watch.dict(py).is(dict) && watch.is_counted())
        });
        if !watched {
            let watch = Self::new(dict);
            let old = cell.with(py, |known| known.replace(watch));
            // Giving up a dict may run Python code: not within the cell. And bound, at once: what is dropped otherwise while a log call
            // runs waits for the next call of a function of the extension's.
            drop(old.map(|old| old.dict.into_bound(py)));
        }
        watched
    }

    /// A number that is another one after any change to the dict. 0.5 ns. Where no watcher is to be had (all eight of
    /// the interpreter taken) it is never the same twice, so that nothing derived is ever trusted.
    #[cfg(Py_3_12)]
    #[inline]
    #[must_use]
    pub fn generation(&self, _py: Python<'_>) -> u64 {
        self.slot
            .map_or_else(watchers::always_new, watchers::generation)
    }

    /// A number that is another one after any change to the dict. 0.5 ns.
    #[cfg(not(Py_3_12))]
    #[inline]
    #[must_use]
    pub fn generation(&self, _py: Python<'_>) -> u64 {
        // SAFETY: the dict is alive, we hold a reference; the version is a member of the public struct of 3.11.
        unsafe { super::instance::dict_version(self.dict.as_ptr()) }
    }

    /// Does [`epoch`] tell of this dict's changes?
    #[cfg(Py_3_12)]
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.slot.is_some()
    }

    /// Does [`Self::generation`] tell of all changes?
    #[cfg(not(Py_3_12))]
    #[must_use]
    #[allow(clippy::unused_self, reason = "same shape as on newer versions")]
    pub fn is_counted(&self) -> bool {
        true
    }

    /// Did the dict change after `seen` was taken?
    #[inline]
    #[must_use]
    pub fn changed(&self, py: Python<'_>, seen: u64) -> bool {
        self.generation(py) != seen
    }
}

/// A number that is another one after any change to any watched dict for which [`Watch::is_counted`]. One load for all of them.
#[cfg(Py_3_12)]
#[inline(always)]
#[must_use]
pub fn epoch(_py: Python<'_>) -> u64 {
    watchers::epoch()
}

/// Watches a dict whose changes nobody looks for one by one: they are counted in [`others`]. False where no watcher is to be had.
#[cfg(Py_3_12)]
#[must_use]
pub fn count_changes(dict: &Bound<'_, PyDict>) -> bool {
    watchers::watch(dict.as_ptr())
}

/// A number that is another one after any change to any dict that [`count_changes`] was asked for, or that has a [`Watch`].
#[cfg(Py_3_12)]
#[must_use]
pub fn others(_py: Python<'_>) -> u64 {
    watchers::others()
}

#[cfg(Py_3_12)]
mod watchers {
    use pyo3::ffi::{self, PyObject};
    use pyo3::prelude::*;
    use pyo3::types::PyDict;
    use std::ffi::c_int;
    use std::ptr::null_mut;
    use std::sync::OnceLock;
    #[cfg(Py_GIL_DISABLED)]
    use std::sync::atomic::Ordering::{Acquire, Release};
    #[cfg(not(Py_GIL_DISABLED))]
    use std::sync::atomic::Ordering::{Relaxed as Acquire, Relaxed as Release};
    use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};

    /// `PyDict_WatchEvent`: all but the last say that the contents are about to change.
    type Event = c_int;
    const DEALLOCATED: Event = 5;
    type Callback =
        unsafe extern "C" fn(Event, *mut PyObject, *mut PyObject, *mut PyObject) -> c_int;

    unsafe extern "C" {
        fn PyDict_AddWatcher(callback: Callback) -> c_int;
        fn PyDict_Watch(watcher: c_int, dict: *mut PyObject) -> c_int;
    }

    /// One watched dict. Its address is not a reference: the slot is given back when the dict dies.
    struct Slot {
        dict: AtomicPtr<PyObject>,
        generation: AtomicU64,
    }

    const SLOTS: usize = 32;
    static TABLE: [Slot; SLOTS] = [const {
        Slot {
            dict: AtomicPtr::new(null_mut()),
            generation: AtomicU64::new(0),
        }
    }; SLOTS];
    /// Source of all generations: a slot that goes to another dict never repeats a number.
    static COUNTER: AtomicU64 = AtomicU64::new(1);
    /// The interpreter's id for our callback; negative before it was asked for.
    static WATCHER: OnceLock<c_int> = OnceLock::new();

    #[inline]
    pub(super) fn always_new() -> u64 {
        COUNTER.fetch_add(1, Relaxed)
    }

    /// The number of changes. Where threads run side by side it counts after the dict's own number has changed: whoever sees
    /// the new one here finds nothing remembered of before.
    #[cfg(Py_GIL_DISABLED)]
    static CHANGES: AtomicU64 = AtomicU64::new(1);

    #[inline(always)]
    pub(super) fn epoch() -> u64 {
        #[cfg(not(Py_GIL_DISABLED))]
        return COUNTER.load(Relaxed);
        #[cfg(Py_GIL_DISABLED)]
        CHANGES.load(Acquire)
    }

    /// Changes of watched dicts, those without a slot too. Counted before the dict changes.
    static OTHERS: AtomicU64 = AtomicU64::new(0);

    pub(super) fn others() -> u64 {
        OTHERS.load(Acquire)
    }

    #[inline(always)]
    pub(super) fn generation(slot: usize) -> u64 {
        TABLE[slot].generation.load(Acquire)
    }

    /// The slot that counts this dict's changes; `None` when there is no watcher or no slot left.
    pub(super) fn slot_of(dict: &Bound<'_, PyDict>) -> Option<usize> {
        let address = dict.as_ptr();
        if let Some(slot) = TABLE.iter().position(|s| s.dict.load(Relaxed) == address) {
            return Some(slot);
        }
        let taken = TABLE.iter().position(|s| {
            s.dict
                .compare_exchange(null_mut(), address, Relaxed, Relaxed)
                .is_ok()
        })?;
        TABLE[taken].generation.store(always_new(), Relaxed);
        // Another thread may have begun to watch the same dict: the first place counts.
        let slot = TABLE
            .iter()
            .position(|s| s.dict.load(Relaxed) == address)
            .unwrap_or(taken);
        let watched = watch(address);
        if slot != taken || !watched {
            TABLE[taken].dict.store(null_mut(), Relaxed);
        }
        watched.then_some(slot)
    }

    /// Lets the interpreter tell of a live dict's changes; false when it has no watcher left.
    pub(super) fn watch(dict: *mut PyObject) -> bool {
        // SAFETY: attached; the callback is a static function and the dict is alive. A failure leaves an exception, which
        // only says that the interpreter has no watcher left.
        unsafe {
            let watcher = *WATCHER.get_or_init(|| PyDict_AddWatcher(on_event));
            let watched = watcher >= 0 && PyDict_Watch(watcher, dict) >= 0;
            if !watched {
                ffi::PyErr_Clear();
            }
            watched
        }
    }

    /// Called by the interpreter right before it changes a watched dict, also while it shuts down: touches nothing but
    /// the statics above.
    unsafe extern "C" fn on_event(
        event: Event,
        dict: *mut PyObject,
        _key: *mut PyObject,
        _value: *mut PyObject,
    ) -> c_int {
        OTHERS.fetch_add(1, Release);
        if let Some(slot) = TABLE.iter().find(|s| s.dict.load(Relaxed) == dict) {
            slot.generation.store(always_new(), Release);
            #[cfg(Py_GIL_DISABLED)]
            CHANGES.fetch_add(1, Release);
            if event == DEALLOCATED {
                slot.dict.store(null_mut(), Relaxed);
            }
        }
        0
    }
}
