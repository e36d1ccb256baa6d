//! One instance that nobody has any more, kept for the next of its class.
//!
//! An object that dies is taken apart and given back to the allocator, and the next one is made anew: some 1000 instructions for a record;
//! emptying and reusing it takes 400, so a call that shows its record to a filter is 8 % cheaper. What was in it is released when it would have
//! died, in the same order; only the empty shell stays, where neither the collector nor Python code finds it.
use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;
#[cfg(Py_3_13)]
use std::ffi::c_void;
use std::ffi::{c_int, c_uint};
use std::ptr::null_mut;

use super::instance::{Order, writable_values};
use super::types::has_managed_dict;
use crate::cell::Shared;

unsafe extern "C" {
    fn PyTraceMalloc_Untrack(domain: c_uint, block: usize) -> c_int;
    #[cfg(Py_3_13)]
    fn PyRefTracer_GetTracer(data: *mut *mut c_void) -> *mut c_void;
}

struct Spare {
    /// Of which class shells are kept, a reference. Null: none yet.
    class: *mut PyTypeObject,
    /// An instance of it with one reference, this one, nothing in it, and unknown to the collector; or null.
    shell: *mut PyObject,
}

static SPARE: Shared<Spare> = Shared::new(Spare {
    class: null_mut(),
    shell: null_mut(),
});

/// From now on a shell of this class is kept, if its instances have nothing but attributes in place and weak references.
///
/// # Safety
/// A live class of Python's own making whose `__new__` is `object`'s and whose instances may have values in place.
#[cold]
pub unsafe fn keep_shells_of(class: *mut PyTypeObject) {
    // SAFETY: the caller's promise. The former class and its shell are given up when the new one is in place: Python code may run.
    unsafe {
        let weak = (*class).tp_weaklistoffset;
        let own = if weak > 0 { size_of::<usize>() } else { 0 };
        let bare = (*class).tp_basicsize == (size_of::<PyObject>() + own) as isize;
        if weak == 0 || !bare || !has_managed_dict(class) {
            return;
        }
        let former = SPARE.with(Python::assume_attached(), |spare| {
            let shell = null_mut();
            (spare.class != class).then(|| std::mem::replace(spare, Spare { class, shell }))
        });
        if let Some(Spare {
            class: former,
            shell,
        }) = former
        {
            ffi::Py_INCREF(class.cast());
            ffi::Py_XDECREF(shell);
            ffi::Py_XDECREF(former.cast());
        }
    }
}

/// A new instance of `class` out of the shell of an old one, as [`super::instance::new_instance`] makes one; `None` where there is none.
#[inline(always)]
pub fn take<'py>(class: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = class.py();
    let shell = SPARE.with(py, |spare| {
        let fits = spare.class == class.as_ptr().cast() && !is_traced();
        if fits {
            std::mem::replace(&mut spare.shell, null_mut())
        } else {
            null_mut()
        }
    });
    if shell.is_null() {
        return None;
    }
    // SAFETY: a whole, empty instance with one reference, which the collector does not know.
    unsafe {
        ffi::PyObject_GC_Track(shell.cast());
        Some(Bound::from_owned_ptr(py, shell))
    }
}

/// Gives up an object. If that was the last reference to an instance of the class of which shells are kept, what was in it is released
/// and the shell kept.
#[inline(always)]
pub fn give_up(obj: Bound<'_, PyAny>) {
    let py = obj.py();
    let fits = obj.get_type_ptr() == SPARE.with(py, |spare| spare.class);
    // SAFETY: of that class, which has all that `keep_shells_of` asks for.
    if fits && unsafe { dies_quietly(obj.as_ptr()) } {
        give_up_shell(obj);
    }
}

/// Is there one reference to it, and would nothing run or hear of it but the release of its attributes, if that were given up? They stand
/// in place, and nowhere else.
#[inline(always)]
unsafe fn dies_quietly(obj: *mut PyObject) -> bool {
    // SAFETY: a live object and its type, which keeps weak references where it says.
    unsafe {
        let kind: *mut PyTypeObject = ffi::Py_TYPE(obj);
        let weak = obj.byte_offset((*kind).tp_weaklistoffset);
        ffi::Py_REFCNT(obj) == 1
            && weak.cast::<*mut PyObject>().read().is_null()
            && (*kind).tp_finalize.is_none()
            && (*kind).tp_del.is_none()
            && !writable_values(obj, kind).is_null()
            && !is_traced()
    }
}

/// Does anybody want to hear of objects that are made and die? Then they are made and die like any other.
#[inline(always)]
fn is_traced() -> bool {
    /// What is asked to forget a block of a domain that has none; and what says that nothing is remembered at all.
    const NOBODYS: c_uint = c_uint::MAX;
    const NOT_TRACING: c_int = -2;
    // SAFETY: questions to the attached thread's interpreter, which change nothing.
    unsafe {
        #[cfg(Py_3_13)]
        if !PyRefTracer_GetTracer(null_mut()).is_null() {
            return true;
        }
        PyTraceMalloc_Untrack(NOBODYS, 0) != NOT_TRACING
    }
}

/// Releases all attributes, in the order in which the interpreter does; Python code may run.
#[inline(never)]
fn give_up_shell(obj: Bound<'_, PyAny>) {
    let py = obj.py();
    let shell = obj.into_ptr();
    // SAFETY: `dies_quietly`. Nobody else reaches the object, whatever runs meanwhile: it has one reference, and the collector does not know
    // it. So many values are there, and each is taken out before it is released.
    unsafe {
        ffi::PyObject_GC_UnTrack(shell.cast());
        let mut place = writable_values(shell, ffi::Py_TYPE(shell));
        for _ in 0..Order::of(place).none() {
            while (*place).is_null() {
                place = place.add(1);
            }
            ffi::Py_DECREF(place.replace(null_mut()));
            place = place.add(1);
        }
        let left = SPARE.with(py, |spare| {
            let same = spare.class == ffi::Py_TYPE(shell);
            if same {
                std::mem::replace(&mut spare.shell, shell)
            } else {
                shell
            }
        });
        // Python code may have run, and another shell been left. An instance like any other but for the collector, which does not mind.
        ffi::Py_XDECREF(left);
    }
}
