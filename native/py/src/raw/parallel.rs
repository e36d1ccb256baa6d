//! Reads that are legal while other threads run: what free-threaded builds have in place of `instance` and most of `types`.
//!
//! Only values that stand in an instance are read, by the interpreter's own protocol (`Objects/dictobject.c`,
//! `_PyObject_TryGetInstanceAttribute`, 3.14): load the pointer, take a reference if the object still has one, look whether
//! it still stands there. Memory of a dead object keeps its reference count readable until every thread has been at a point
//! where it holds nothing borrowed; there is none between the load and the end of these functions. Whatever does not answer at
//! once is the interpreter's to read.
use super::instance::NO_INDEX;
use super::layout::{Keys, MINOR};
use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString, PyTuple, PyType};
use std::mem::offset_of;
use std::ptr::null_mut;
use std::sync::atomic::{
    AtomicBool, AtomicIsize, AtomicPtr, AtomicU8, Ordering::Acquire, Ordering::Relaxed,
};

/// Is this a build whose instances are as described here? 3.14 is the first whose references may be taken this way.
const KNOWN: bool = cfg!(all(
    Py_3_14,
    not(py_sys_config = "Py_DEBUG"),
    not(py_sys_config = "Py_TRACE_REFS"),
    target_pointer_width = "64",
    target_endian = "little",
    unix
)) && offset_of!(PyTypeObject, tp_version_tag) == 400
    && offset_of!(ffi::PyHeapTypeObject, ht_cached_keys) == CACHED_KEYS;

/// As on other builds, 16 bytes of a larger object head further.
const CACHED_KEYS: usize = if MINOR <= 14 { 896 } else { 904 };

/// `Py_TPFLAGS_INLINE_VALUES` and `Py_TPFLAGS_MANAGED_DICT`.
const VALUES_IN_PLACE: u64 = 1 << 2 | 1 << 4;
/// `Py_TPFLAGS_HEAPTYPE`: a class made at run time.
const HEAP_TYPE: u64 = 1 << 9;

static PROVEN: AtomicBool = AtomicBool::new(false);

/// Are these reads proven on this interpreter?
#[inline(always)]
#[must_use]
pub fn enabled() -> bool {
    KNOWN && PROVEN.load(Relaxed)
}

#[inline(always)]
#[allow(clippy::unnecessary_cast, reason = "they have 32 bits on Windows")]
unsafe fn flags(tp: *mut PyTypeObject) -> u64 {
    // SAFETY: a live type, says the caller.
    unsafe { (*tp).tp_flags.load(Relaxed) as u64 }
}

/// May attributes of this type's instances be read by [`value_at`]? (Data descriptors and class attributes are the caller's to
/// look for.)
///
/// # Safety
/// `tp` is a live type.
#[inline]
#[must_use]
pub unsafe fn is_plain(tp: *mut PyTypeObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        enabled() && flags(tp) & VALUES_IN_PLACE == VALUES_IN_PLACE && super::has_plain_getattro(tp)
    }
}

/// The keys object all instances of the class share, or null.
///
/// # Safety
/// `tp` is a live type.
#[inline]
#[must_use]
pub unsafe fn shared_keys(tp: *mut PyTypeObject) -> *mut Keys {
    // SAFETY: a heap type is a PyHeapTypeObject, whose field's place KNOWN has checked; set before anybody has the class.
    unsafe {
        if !KNOWN || flags(tp) & HEAP_TYPE == 0 {
            return null_mut();
        }
        (*tp.cast::<ffi::PyHeapTypeObject>()).ht_cached_keys.cast()
    }
}

/// Number of entries; 0 for null.
///
/// # Safety
/// `keys` is null or belongs to a live type.
#[inline(always)]
#[must_use]
pub unsafe fn keys_len(keys: *const Keys) -> usize {
    if keys.is_null() {
        return 0;
    }
    // SAFETY: the caller's promise; an aligned word that other threads write atomically.
    unsafe { AtomicIsize::from_ptr((&raw const (*keys).entries).cast_mut()).load(Acquire) as usize }
}

/// The name at an index of shared keys, borrowed from them, which keep it for ever; null while it is being added.
///
/// # Safety
/// `keys` belongs to a live type and `index < keys_len(keys)`.
#[inline]
#[must_use]
pub unsafe fn key_at(keys: *const Keys, index: usize) -> *mut PyObject {
    // SAFETY: the caller's promise; pairs of pointers follow the index table, written atomically.
    unsafe {
        let entry = super::types::unicode_entries(keys).add(index);
        AtomicPtr::from_ptr((&raw const (*entry).key).cast_mut()).load(Acquire)
    }
}

/// Head of an instance's values: capacity, size, embedded, valid, four bytes of nothing; the values follow.
const HEAD: usize = 8;
const VALID: usize = 3;

/// The array of an instance's values, indexed as the class's shared keys, or null when its attributes stand elsewhere.
///
/// # Safety
/// `tp` is the type of the live `obj` and [`is_plain`].
#[inline(always)]
#[must_use]
pub unsafe fn values(obj: *mut PyObject, tp: *mut PyTypeObject) -> *mut *mut PyObject {
    // SAFETY: a type with values in place has them right behind the instance's own fields (`tp_basicsize`).
    unsafe {
        let array = obj
            .cast::<u8>()
            .add((*tp).tp_basicsize as usize + HEAD)
            .cast();
        if are_valid(array) { array } else { null_mut() }
    }
}

/// The same: a dict's values are not read.
///
/// # Safety
/// As [`values`].
#[inline(always)]
#[must_use]
pub unsafe fn indexed_values(obj: *mut PyObject, tp: *mut PyTypeObject) -> *mut *mut PyObject {
    // SAFETY: the caller's.
    unsafe { values(obj, tp) }
}

/// Are these still the instance's attributes? Once they are not they never are again.
///
/// # Safety
/// An array from [`values`] whose object is alive.
#[inline(always)]
#[must_use]
pub unsafe fn are_valid(array: *mut *mut PyObject) -> bool {
    // SAFETY: a byte of the array's head, which other threads write atomically.
    unsafe { AtomicU8::from_ptr(array.cast::<u8>().sub(HEAD - VALID)).load(Acquire) == 1 }
}

/// What stands at an index, only to be compared.
///
/// # Safety
/// As [`are_valid`]; an index of the class's shared keys.
#[inline(always)]
#[must_use]
pub unsafe fn address_at(array: *mut *mut PyObject, index: u8) -> *mut PyObject {
    // SAFETY: the caller's promise; an aligned word that other threads write atomically.
    unsafe { AtomicPtr::from_ptr(array.add(index as usize)).load(Acquire) }
}

/// The instance's attributes stand elsewhere, or another thread is changing this one: ask the interpreter.
pub struct Elsewhere;

/// The instance's own value at an index.
///
/// # Safety
/// As [`address_at`].
#[inline]
pub unsafe fn value_at(
    py: Python<'_>,
    array: *mut *mut PyObject,
    index: u8,
) -> Result<Option<Bound<'_, PyAny>>, Elsewhere> {
    // SAFETY: see the module; nothing here lets go of the interpreter.
    unsafe {
        let value = address_at(array, index);
        if value.is_null() {
            return if are_valid(array) {
                Ok(None)
            } else {
                Err(Elsewhere)
            };
        }
        let value = own_if_alive(py, value).ok_or(Elsewhere)?;
        if address_at(array, index) == value.as_ptr() && are_valid(array) {
            Ok(Some(value))
        } else {
            Err(Elsewhere)
        }
    }
}

/// The object, if it still has a reference. Whether it still stands where it was found, the caller has to ask afterwards.
///
/// # Safety
/// It was alive when this thread last let go of the interpreter, or later.
#[inline]
#[must_use]
pub unsafe fn own_if_alive(py: Python<'_>, object: *mut PyObject) -> Option<Bound<'_, PyAny>> {
    // SAFETY: the caller's: its count is readable, see the module; the reference is this thread's if it was given.
    unsafe { (ffi::PyUnstable_TryIncRef(object) != 0).then(|| Bound::from_owned_ptr(py, object)) }
}

/// Compares these reads with the public API and turns them on if they agree. The error names the first that does not.
///
/// # Errors
/// The name of the check that failed, or the exception met while running it.
pub fn verify(py: Python<'_>) -> Result<(), String> {
    if !KNOWN {
        return Err("no layout table for this build".to_owned());
    }
    PROVEN.store(true, Relaxed); // for the trial
    let failed = match ints(py).and_then(|failed| match failed {
        None => instances(py),
        Some(name) => Ok(Some(name)),
    }) {
        Ok(None) => return Ok(()),
        Ok(Some(name)) => format!("self-test: {name}"),
        Err(error) => format!("self-test: {error}"),
    };
    PROVEN.store(false, Relaxed);
    Err(failed)
}

/// Ints of every size, read in place and by the public API; the name of what is not read as it should be.
fn ints(py: Python<'_>) -> PyResult<Option<&'static str>> {
    for value in [0, 1, 7, 50, 256, 257, (1 << 30) - 1, 1 << 30, i64::MAX] {
        for value in [value, -value] {
            let object = value.into_pyobject(py)?.into_any();
            let number = usize::try_from(value).ok().filter(|_| value < 1 << 30);
            if super::small_int(&object) != Some(value) || super::level_number(&object) != number {
                return Ok(Some("int"));
            }
        }
    }
    let truth = PyBool::new(py, true).to_owned().into_any();
    let read = super::level_number(&truth).is_some() || super::small_int(&truth).is_some();
    Ok(read.then_some("int: bool"))
}

/// Every form an instance can have; the name of a form that is not read as it should be.
fn instances(py: Python<'_>) -> PyResult<Option<&'static str>> {
    let new_class = || {
        let bases = PyTuple::new(py, [py.get_type::<PyAny>()])?;
        let parts = ("_Probe", bases, PyDict::new(py));
        py.get_type::<PyType>().call1(parts)
    };
    let class = new_class()?;
    let tp = class.as_ptr().cast::<PyTypeObject>();
    // SAFETY: live types, here and below.
    let kinds = unsafe {
        is_plain(tp)
            && !is_plain(py.get_type::<PyAny>().as_type_ptr())
            && !is_plain(py.get_type::<PyType>().as_type_ptr())
            && !shared_keys(tp).is_null()
            && keys_len(shared_keys(tp)) == 0
            && shared_keys(py.get_type::<PyAny>().as_type_ptr()).is_null()
    };
    if !kinds {
        return Ok(Some("instance: class"));
    }
    let names = ["alpha", "beta", "gamma"].map(|name| PyString::intern(py, name));
    let plain = class.call0()?;
    for name in &names {
        plain.setattr(name, PyList::empty(py))?;
    }
    if !reads_agree(&plain, &names, true)? {
        return Ok(Some("instance: values"));
    }
    plain.delattr(&names[1])?;
    if !reads_agree(&plain, &names, true)? {
        return Ok(Some("instance: deleted attribute"));
    }
    plain.setattr(&names[1], 1)?;
    plain.getattr("__dict__")?.set_item(&names[0], 2)?;
    if !reads_agree(&plain, &names, true)? {
        return Ok(Some("instance: dict looked at"));
    }
    let crowded = class.call0()?;
    for n in 0..40 {
        crowded.setattr(format!("attribute{n}").as_str(), n)?;
    }
    if !reads_agree(&crowded, &names, false)? {
        return Ok(Some("instance: many attributes"));
    }
    let replaced = class.call0()?;
    replaced.setattr(&names[0], 1)?;
    replaced.setattr("__dict__", PyDict::new(py))?;
    if !reads_agree(&replaced, &names, false)? {
        return Ok(Some("instance: dict assigned"));
    }
    let moved = new_class()?.call0()?;
    moved.setattr(&names[2], 1)?;
    moved.setattr("__class__", &class)?;
    Ok((!reads_agree(&moved, &names, false)?).then_some("instance: class assigned"))
}

/// Does every read say what the public API says? `in_place`: the values must be found.
fn reads_agree(
    obj: &Bound<'_, PyAny>,
    names: &[Bound<'_, PyString>],
    in_place: bool,
) -> PyResult<bool> {
    let py = obj.py();
    let tp = obj.get_type().as_type_ptr();
    // SAFETY: an instance of that type, which is plain.
    let array = unsafe { values(obj.as_ptr(), tp) };
    if array.is_null() || !in_place {
        return Ok(array.is_null() != in_place);
    }
    for name in names {
        // SAFETY: keys of a live type, indexes below their number; interned names are one object.
        let index = unsafe {
            let keys = shared_keys(tp);
            (0..keys_len(keys))
                .find(|&at| key_at(keys, at) == name.as_ptr())
                .map_or(NO_INDEX, |at| at as u8)
        };
        let expected = obj.getattr_opt(name)?;
        if index == NO_INDEX {
            return Ok(false);
        }
        // SAFETY: the array of the live object, an index found just now.
        let Ok(found) = (unsafe { value_at(py, array, index) }) else {
            return Ok(false);
        };
        if found.map(|found| found.as_ptr()) != expected.map(|expected| expected.as_ptr()) {
            return Ok(false);
        }
    }
    Ok(true)
}
