//! Every raw read of an interpreter structure, and nothing else: no logging in here.
//!
//! [`init`] runs the self-test once when the extension loads. Where it fails, on versions without a table in `layout`, on
//! free-threaded builds and with `FEMTOLOG_RAW=0`, [`enabled`] stays false and callers use the public API, which gives
//! the same results more slowly. Functions that say nothing of a twin are called only where [`enabled`] is true (types
//! that [`is_plain`] accepts); the others take the public way by themselves.
#![allow(
    clippy::inline_always,
    reason = "a few instructions each, on the hottest paths; debug builds too must not pay a call for each"
)]
#![allow(
    clippy::cast_ptr_alignment,
    reason = "tables inside interpreter structures are aligned for what they hold"
)]

mod frames;
mod instance;
mod layout;
#[cfg(Py_GIL_DISABLED)]
mod parallel;
mod probe;
mod rlock;
mod scalar;
mod selftest;
#[cfg(not(Py_GIL_DISABLED))]
mod spare;
pub mod textio;
mod types;
mod watch;

pub use frames::{caller, frames, place, replace_caller};
pub use instance::{
    Indexes, NO_INDEX, dict_any_key, dict_get, fill_new, has_str_keys, peek_small_int, peek_str,
};
#[cfg(not(Py_GIL_DISABLED))]
pub use instance::{
    basic_size, finds_names_quietly, get, indexed_values, peek_first, set_at, values, values_behind,
};
pub use layout::Keys;
#[cfg(Py_GIL_DISABLED)]
pub use parallel::keys_len as keys_len_of;
#[cfg(Py_GIL_DISABLED)]
pub use parallel::{
    Elsewhere, address_at, are_valid, enabled as reads_instances, indexed_values, is_plain, key_at,
    keys_len, own_if_alive, shared_keys, value_at, values,
};
pub use probe::{_raw_probe, _raw_selftest};
pub use rlock::{rlock_acquire, rlock_free_or_mine, rlock_release, this_thread};
pub use scalar::{ascii, ascii_at_once, ascii_data, level_number, level_numbers, small_int};
pub use selftest::verify;
#[cfg(not(Py_GIL_DISABLED))]
pub use spare::{
    RECORD, STEADY, TAIL, Unaltered, Untraced, VARYING, give_up, give_up_unaltered, has_shell,
    hide, is_nobody_elses, keep_shells_of, remake, show, take, take_floats, take_tuple, unaltered,
    untraced,
};
/// Nothing: without a GIL no dead object is kept.
#[cfg(Py_GIL_DISABLED)]
#[derive(Clone, Copy)]
pub enum Untraced {}
pub use types::{
    assign_tag, has_plain_getattro, has_plain_setattro, lookup, lookup_owned, type_tag,
};
#[cfg(not(Py_GIL_DISABLED))]
pub use types::{has_managed_dict, key_at, keys_len, keys_len_of, shared_keys};
pub use watch::Watch;
#[cfg(Py_3_12)]
pub use watch::{count_changes, epoch, others};

use pyo3::ffi;
#[cfg(not(Py_GIL_DISABLED))]
use pyo3::ffi::PyTypeObject;
use pyo3::prelude::*;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static ENABLED: AtomicBool = AtomicBool::new(false);
/// Why raw reads are off; empty when they are on.
static REFUSAL: OnceLock<String> = OnceLock::new();

/// Are raw reads proven on this interpreter? A load of a static; false at compile time where there is no table.
#[inline(always)]
#[must_use]
pub fn enabled() -> bool {
    layout::KNOWN && ENABLED.load(Ordering::Relaxed)
}

/// May attributes of instances be read in place? On free-threaded builds that has rules and a proof of its own, `parallel`.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
#[must_use]
pub fn reads_instances() -> bool {
    enabled()
}

/// `"raw"`, `"parallel"` or `"public"`: which twin is at work.
#[must_use]
pub fn layout_name() -> &'static str {
    if enabled() {
        "raw"
    } else if reads_instances() {
        "parallel"
    } else {
        "public"
    }
}

/// Why the public twin is at work; empty when it is not, or before [`init`].
#[must_use]
pub fn refusal() -> &'static str {
    REFUSAL.get().map_or("", String::as_str)
}

/// Decides once, when the extension is loaded, which twin is at work. Takes about 0.1 ms.
pub fn init(py: Python<'_>) {
    REFUSAL.get_or_init(|| {
        if std::env::var_os("FEMTOLOG_RAW").is_some_and(|v| v == "0") {
            return "FEMTOLOG_RAW=0".to_owned();
        }
        #[cfg(Py_GIL_DISABLED)]
        if let Err(mismatch) = parallel::verify(py)
            .and_then(|()| selftest::verify_locks(py).map_err(|error| error.to_string()))
        {
            return mismatch;
        }
        if !layout::KNOWN {
            return "no layout table for this build".to_owned();
        }
        // SAFETY: a constant of the running interpreter.
        let minor = u64::from(unsafe { ffi::Py_Version } as u32 >> 16 & 0xff);
        if minor != layout::MINOR {
            return format!("built for 3.{}, running on 3.{minor}", layout::MINOR);
        }
        ENABLED.store(true, Ordering::Relaxed); // for the trial
        match verify(py) {
            Ok(()) => String::new(),
            Err(mismatch) => {
                ENABLED.store(false, Ordering::Relaxed);
                mismatch
            }
        }
    });
}

/// May attributes of this type's instances be read by [`get`] and the like? (Data descriptors and class attributes are
/// the caller's to look for.)
///
/// # Safety
/// `tp` is a live type.
#[cfg(not(Py_GIL_DISABLED))]
#[inline]
#[must_use]
pub unsafe fn is_plain(tp: *mut PyTypeObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        enabled()
            && has_managed_dict(tp)
            && has_plain_getattro(tp)
            && types::class_finds_names_quietly(tp)
    }
}
