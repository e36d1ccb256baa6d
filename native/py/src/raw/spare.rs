//! One instance that nobody has any more, kept for the next of its class.
//!
//! An object that dies is taken apart and given back to the allocator, and the next one is made anew: some 1000 instructions for a record.
//! Emptying and reusing it makes a call that shows its record to a filter 7 % cheaper. It is done where nobody could tell: what dies with
//! the instance is texts and numbers, and tuples of them, so nothing runs meanwhile. Only the empty shell stays, where neither the
//! collector nor Python code finds it; and with it the floats and the tuple of arguments that nobody else has, for the next record's.
use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;
#[cfg(Py_3_13)]
use std::ffi::c_void;
use std::ffi::{c_int, c_uint};
use std::ptr::null_mut;

use super::instance::{Order, writable_values};
use super::types::has_managed_dict;
use crate::cell::Shared;
use crate::ffi::is_for_collector;

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
    /// Floats with one reference, this one; null from the first one that is missing.
    floats: [*mut PyObject; FLOATS],
    /// A tuple with one reference, this one, no items in its places, and unknown to the collector; or null.
    tuple: *mut PyObject,
}

/// As many floats as a record has: created, msecs, relativeCreated.
const FLOATS: usize = 3;
/// The longest tuple that is kept, in items.
const LONGEST: isize = 8;

impl Spare {
    const NONE: Self = Spare {
        class: null_mut(),
        shell: null_mut(),
        floats: [null_mut(); FLOATS],
        tuple: null_mut(),
    };

    /// Takes over the last reference to a text, a number, or a tuple of such; false: it is not of the kind that is kept, or there is
    /// one already.
    ///
    /// # Safety
    /// A live object of that kind with one reference.
    #[inline(always)]
    unsafe fn keeps(&mut self, value: *mut PyObject) -> bool {
        // SAFETY: the caller's promise; whoever has the only reference to a tuple may take its items out.
        unsafe {
            if ffi::PyFloat_CheckExact(value) != 0 {
                let place = self.floats.iter_mut().find(|place| place.is_null());
                place.map(|place| *place = value).is_some()
            } else if ffi::PyTuple_CheckExact(value) != 0
                && self.tuple.is_null()
                && (1..=LONGEST).contains(&ffi::PyTuple_GET_SIZE(value))
            {
                ffi::PyObject_GC_UnTrack(value.cast());
                for nth in 0..ffi::PyTuple_GET_SIZE(value) {
                    let item = ffi::PyTuple_GET_ITEM(value, nth);
                    ffi::PyTuple_SET_ITEM(value, nth, null_mut());
                    ffi::Py_DECREF(item);
                }
                self.tuple = value;
                true
            } else {
                false
            }
        }
    }
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
        for float in kept.floats {
            ffi::Py_XDECREF(float);
        }
        ffi::Py_XDECREF(kept.tuple);
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

/// Floats of these values out of kept ones; `None` where there are not enough.
#[inline(always)]
pub fn take_floats(py: Python<'_>, values: [f64; FLOATS]) -> Option<[Bound<'_, PyAny>; FLOATS]> {
    let floats = SPARE.with(py, |spare| {
        (!spare.floats[FLOATS - 1].is_null() && !is_traced())
            .then(|| std::mem::replace(&mut spare.floats, [null_mut(); FLOATS]))
    })?;
    let mut values = values.into_iter();
    Some(floats.map(|float| {
        // SAFETY: a float whose only reference is here, so that nobody knows its value.
        unsafe {
            let value = values.next().unwrap_or_default();
            (*float.cast::<ffi::PyFloatObject>()).ob_fval = value;
            Bound::from_owned_ptr(py, float)
        }
    }))
}

/// A tuple of the first `count` objects of an array out of a kept one; `None` where there is none of that length.
///
/// # Safety
/// `count` live objects.
#[inline(always)]
pub unsafe fn take_tuple(
    py: Python<'_>,
    array: *const *mut PyObject,
    count: usize,
) -> Option<Bound<'_, PyAny>> {
    // SAFETY: the tuple's only reference is here; its length is compared first.
    unsafe {
        let tuple = SPARE.with(py, |spare| {
            let fits = !spare.tuple.is_null()
                && ffi::PyTuple_GET_SIZE(spare.tuple) == count as isize
                && !is_traced();
            fits.then(|| std::mem::replace(&mut spare.tuple, null_mut()))
        })?;
        for nth in 0..count {
            let item = *array.add(nth);
            ffi::Py_INCREF(item);
            ffi::PyTuple_SET_ITEM(tuple, nth as isize, item);
        }
        // The hash of what was in it.
        #[cfg(Py_3_14)]
        {
            (*tuple.cast::<ffi::PyTupleObject>()).ob_hash = -1;
        }
        if is_for_collector(array, count) {
            ffi::PyObject_GC_Track(tuple.cast());
        }
        Some(Bound::from_owned_ptr(py, tuple))
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
    // SAFETY: `dies_quietly`. Each value is taken out before it is released, and releasing it runs nothing.
    SPARE.with(py, |spare| unsafe {
        ffi::PyObject_GC_UnTrack(shell.cast());
        let values = writable_values(shell, ffi::Py_TYPE(shell));
        let order = Order::of(values);
        for nth in 0..order.count() {
            let value = values.add(order.nth(nth)).replace(null_mut());
            if ffi::Py_REFCNT(value) != 1 || !spare.keeps(value) {
                ffi::Py_DECREF(value);
            }
        }
        order.clear();
        // There is none: it was asked for, and nothing has run.
        spare.shell = shell;
    });
}
