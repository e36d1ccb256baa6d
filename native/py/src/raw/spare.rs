//! One instance that nobody has any more, kept for the next of its class.
//!
//! An object that dies is taken apart and given back to the allocator, and the next one is made anew: some 1000 instructions for a record.
//! Emptying and reusing it makes a call that shows its record to a filter 7 % cheaper. It is done where nobody could tell: what dies with
//! the instance is texts and numbers, and tuples of them, so nothing runs meanwhile. Only the empty shell stays, where neither the
//! collector nor Python code finds it.
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

impl Spare {
    const NONE: Self = Spare {
        class: null_mut(),
        shell: null_mut(),
    };
}

static SPARE: Shared<Spare> = Shared::new(Spare::NONE);

/// From now on a shell of this class is kept, if its instances have nothing but attributes in place and weak references, and shells of no
/// other one are.
///
/// # Safety
/// A live class of Python's own making whose `__new__` is `object`'s and whose instances may have values in place.
#[cold]
pub unsafe fn keep_shells_of(class: *mut PyTypeObject) {
    // SAFETY: the caller's promise.
    unsafe {
        let weak = (*class).tp_weaklistoffset;
        let own = if weak > 0 { size_of::<usize>() } else { 0 };
        let bare = (*class).tp_basicsize == (size_of::<PyObject>() + own) as isize;
        if weak == 0 || !bare || !has_managed_dict(class) {
            return;
        }
        SPARE.with(Python::assume_attached(), |spare| {
            if spare.class.is_null() {
                ffi::Py_INCREF(class.cast());
                spare.class = class;
            }
        });
    }
}

/// For the self-test: the instance that `class` next has, made out of the shell of `former`, which has nothing but plain attributes in
/// place. `None`: it was not kept.
pub(super) fn remade<'py>(
    class: &Bound<'py, PyAny>,
    former: Bound<'py, PyAny>,
) -> Option<Bound<'py, PyAny>> {
    let py = class.py();
    let swap = |other| SPARE.with(py, |spare| std::mem::replace(spare, other));
    let others = swap(Spare::NONE);
    // SAFETY: the self-test's own class.
    unsafe { keep_shells_of(class.as_ptr().cast()) }
    give_up(former);
    let remade = take(class);
    let kept = swap(others);
    // SAFETY: the references that were kept.
    unsafe {
        ffi::Py_XDECREF(kept.shell);
        ffi::Py_XDECREF(kept.class.cast());
    }
    remade
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

/// Gives up an object. If that was the last reference to an instance of the class of which shells are kept, and nothing would run, what
/// was in it is released and the shell kept.
#[inline(always)]
pub fn give_up(obj: Bound<'_, PyAny>) {
    let py = obj.py();
    let fits = SPARE.with(py, |spare| {
        spare.class == obj.get_type_ptr() && spare.shell.is_null()
    });
    // SAFETY: of that class, which has all that `keep_shells_of` asks for.
    if fits && unsafe { dies_quietly(obj.as_ptr()) } {
        keep(obj);
    }
}

/// Is there one reference to it, and would nothing run or hear of it if that were given up? Its attributes stand in place, and nowhere
/// else, and what dies with it is plain.
#[inline(always)]
unsafe fn dies_quietly(obj: *mut PyObject) -> bool {
    // SAFETY: a live object and its type, which keeps weak references where it says.
    unsafe {
        let kind: *mut PyTypeObject = ffi::Py_TYPE(obj);
        let weak = obj.byte_offset((*kind).tp_weaklistoffset);
        if ffi::Py_REFCNT(obj) != 1
            || !weak.cast::<*mut PyObject>().read().is_null()
            || (*kind).tp_finalize.is_some()
            || (*kind).tp_del.is_some()
        {
            return false;
        }
        let values = writable_values(obj, kind);
        if values.is_null() {
            return false;
        }
        let order = Order::of(values);
        for nth in 0..order.count() {
            if !ends_quietly(*values.add(order.nth(nth))) {
                return false;
            }
        }
        !is_traced() && ffi::PyObject_GC_IsFinalized(obj) == 0
    }
}

/// Would giving up this reference, and all others that the instance has to it, run nothing?
#[inline(always)]
unsafe fn ends_quietly(value: *mut PyObject) -> bool {
    /// More references than an instance has values: it does not hold all of them.
    const MANY: isize = 32;
    // SAFETY: null, or a live object.
    unsafe {
        !value.is_null()
            && (ffi::PyUnicode_CheckExact(value) != 0
                || ffi::Py_REFCNT(value) > MANY
                || is_plain_to_the_end(value))
    }
}

/// Is it a number, or a tuple of nothing but texts, numbers and `None`?
#[inline(never)]
unsafe fn is_plain_to_the_end(value: *mut PyObject) -> bool {
    // SAFETY: a live object, and the items of a live tuple.
    unsafe {
        let is_number = |value: *mut PyObject| {
            ffi::PyFloat_CheckExact(value) != 0 || ffi::PyLong_CheckExact(value) != 0
        };
        let is_scalar = |value: *mut PyObject| {
            ffi::PyUnicode_CheckExact(value) != 0
                || is_number(value)
                || ffi::PyBool_Check(value) != 0
                || ffi::Py_IsNone(value) != 0
        };
        is_number(value)
            || (ffi::PyTuple_CheckExact(value) != 0
                && (0..ffi::PyTuple_GET_SIZE(value)).all(|nth| {
                    let item = ffi::PyTuple_GET_ITEM(value, nth);
                    !item.is_null() && is_scalar(item)
                }))
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

/// Releases all attributes. Runs no Python code: `dies_quietly`.
#[inline(never)]
fn keep(obj: Bound<'_, PyAny>) {
    let py = obj.py();
    let shell = obj.into_ptr();
    // SAFETY: `dies_quietly`. Each value is taken out before it is released.
    unsafe {
        ffi::PyObject_GC_UnTrack(shell.cast());
        let values = writable_values(shell, ffi::Py_TYPE(shell));
        let order = Order::of(values);
        for nth in 0..order.count() {
            ffi::Py_DECREF(values.add(order.nth(nth)).replace(null_mut()));
        }
        order.clear();
    }
    // There is none: it was asked for, and nothing has run.
    SPARE.with(py, |spare| spare.shell = shell);
}
