//! What a type says about its instances: version tag, lookup along the MRO, shared keys, form of the instances.
use super::layout::{KNOWN, Keys, UnicodeEntry};
use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};

unsafe extern "C" {
    #[cfg(not(Py_GIL_DISABLED))]
    fn _PyType_Lookup(tp: *mut PyTypeObject, name: *mut PyObject) -> *mut PyObject;
    #[cfg(Py_GIL_DISABLED)]
    fn _PyType_LookupRef(tp: *mut PyTypeObject, name: *mut PyObject) -> *mut PyObject;
    #[cfg(Py_3_12)]
    fn PyUnstable_Type_AssignVersionTag(tp: *mut PyTypeObject) -> std::ffi::c_int;
}

/// `Py_TPFLAGS_INLINE_VALUES`: the instance's values stand in the instance itself (3.13 on).
const INLINE_VALUES: u64 = 1 << 2;
/// `Py_TPFLAGS_HEAPTYPE`: a class made at run time.
const HEAP_TYPE: u64 = 1 << 9;
/// `Py_TPFLAGS_MANAGED_DICT`: the dict pointer stands before the object.
const MANAGED_DICT: u64 = 1 << 4;

#[inline(always)]
#[allow(clippy::unnecessary_cast, reason = "they have 32 bits on Windows")]
unsafe fn flags(tp: *mut PyTypeObject) -> u64 {
    // SAFETY: `tp` is a live type (every caller's promise); `tp_flags` of a ready type changes only under the GIL.
    #[cfg(not(Py_GIL_DISABLED))]
    unsafe {
        (*tp).tp_flags as u64
    }
    // SAFETY: as above.
    #[cfg(Py_GIL_DISABLED)]
    unsafe {
        (*tp).tp_flags.load(Ordering::Relaxed) as u64
    }
}

/// The type's version tag; 0 means it has none. Unique in the process: another type, or the same one changed, has
/// another tag. Costs a load where comparing every method costs a lookup each.
///
/// # Safety
/// `tp` is a live type.
#[inline(always)]
#[must_use]
pub unsafe fn type_tag(tp: *mut PyTypeObject) -> u32 {
    // SAFETY: the field is an aligned 32-bit word of a live type; other threads write it atomically where they can.
    unsafe { AtomicU32::from_ptr(&raw mut (*tp).tp_version_tag).load(Ordering::Relaxed) }
}

/// Gives the type a tag if it can still have one (after about a thousand changes it cannot) and returns it; 0 if not.
///
/// # Safety
/// `tp` is a live type and the thread is attached.
pub unsafe fn assign_tag(tp: *mut PyTypeObject) -> u32 {
    // SAFETY: the caller's promise. On 3.11 any lookup assigns the tag; the name is an immortal type's attribute.
    unsafe {
        #[cfg(Py_3_12)]
        PyUnstable_Type_AssignVersionTag(tp);
        #[cfg(not(Py_3_12))]
        {
            let name = ffi::PyUnicode_InternFromString(c"__class__".as_ptr());
            if name.is_null() {
                ffi::PyErr_Clear();
            } else {
                _PyType_Lookup(tp, name);
                ffi::Py_DECREF(name);
            }
        }
        type_tag(tp)
    }
}

/// What attribute lookup along the MRO finds for `name`, unbound, or null; runs no descriptor and sets no exception.
/// Borrowed: good until Python code runs. On free-threaded builds good for comparing identities only.
///
/// # Safety
/// `tp` is a live type, `name` an interned `str`, the thread is attached.
#[inline]
#[must_use]
pub unsafe fn lookup(tp: *mut PyTypeObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        #[cfg(not(Py_GIL_DISABLED))]
        return _PyType_Lookup(tp, name);
        #[cfg(Py_GIL_DISABLED)]
        {
            let found = _PyType_LookupRef(tp, name);
            if !found.is_null() {
                ffi::Py_DECREF(found);
            }
            found
        }
    }
}

/// [`lookup`] as a reference of its own: what it finds stays alive although another thread may change the class.
///
/// # Safety
/// As [`lookup`].
#[inline]
#[must_use]
pub unsafe fn lookup_owned(
    py: Python<'_>,
    tp: *mut PyTypeObject,
    name: *mut PyObject,
) -> Option<Bound<'_, PyAny>> {
    // SAFETY: the caller's promise. With the GIL the borrowed result is owned before anything else can run.
    unsafe {
        #[cfg(not(Py_GIL_DISABLED))]
        return Bound::from_borrowed_ptr_or_opt(py, _PyType_Lookup(tp, name));
        #[cfg(Py_GIL_DISABLED)]
        Bound::from_owned_ptr_or_opt(py, _PyType_LookupRef(tp, name))
    }
}

/// The instances' `__dict__` is managed by the interpreter (the normal class), not a slot of its own.
///
/// # Safety
/// `tp` is a live type.
#[inline]
#[must_use]
pub unsafe fn has_managed_dict(tp: *mut PyTypeObject) -> bool {
    // SAFETY: the caller's promise.
    KNOWN && unsafe { flags(tp) } & MANAGED_DICT != 0
}

/// Instances may carry values without a dict object.
///
/// # Safety
/// `tp` is a live type.
#[inline]
#[must_use]
pub unsafe fn has_inline_values(tp: *mut PyTypeObject) -> bool {
    // SAFETY: the caller's promise.
    let flags = unsafe { flags(tp) };
    KNOWN && flags & MANAGED_DICT != 0 && (cfg!(not(Py_3_13)) || flags & INLINE_VALUES != 0)
}

/// Attribute reads are the default ones: no `__getattribute__`, no `__getattr__`.
///
/// # Safety
/// `tp` is a live type.
#[inline]
#[must_use]
pub unsafe fn has_plain_getattro(tp: *mut PyTypeObject) -> bool {
    // SAFETY: a slot of a live type.
    let slot = unsafe { (*tp).tp_getattro };
    slot.is_some_and(|f| std::ptr::fn_addr_eq(f, ffi::PyObject_GenericGetAttr as ffi::getattrofunc))
}

/// Does looking names up in the class run no Python code? Keys that are no exact `str` are compared by their own `__eq__`.
///
/// # Safety
/// `tp` is a live type.
#[cfg(not(Py_GIL_DISABLED))]
#[must_use]
pub(super) unsafe fn class_finds_names_quietly(tp: *mut PyTypeObject) -> bool {
    // SAFETY: the classes that a live type's MRO holds; those of C's making have names only.
    unsafe {
        let mro = (*tp).tp_mro;
        !mro.is_null()
            && (0..ffi::PyTuple_GET_SIZE(mro)).all(|nth| {
                let class: *mut PyTypeObject = ffi::PyTuple_GET_ITEM(mro, nth).cast();
                ffi::PyType_HasFeature(class, ffi::Py_TPFLAGS_HEAPTYPE) == 0
                    || super::instance::has_str_keys((*class).tp_dict)
            })
    }
}

/// Attribute writes are the default ones: no `__setattr__`, no `__delattr__`.
///
/// # Safety
/// `tp` is a live type.
#[inline]
#[must_use]
pub unsafe fn has_plain_setattro(tp: *mut PyTypeObject) -> bool {
    // SAFETY: a slot of a live type.
    let slot = unsafe { (*tp).tp_setattro };
    slot.is_some_and(|f| std::ptr::fn_addr_eq(f, ffi::PyObject_GenericSetAttr as ffi::setattrofunc))
}

/// The keys object all instances of the class share, or null. An index in it never changes its meaning: keys are only
/// added, so [`keys_len`] tells whether indexes found earlier are still all there are.
///
/// # Safety
/// `tp` is a live type.
#[inline]
#[must_use]
pub unsafe fn shared_keys(tp: *mut PyTypeObject) -> *mut Keys {
    // SAFETY: a heap type is a PyHeapTypeObject, whose field's place KNOWN has checked.
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
/// `keys` is null or belongs to a live type or dict.
#[inline(always)]
#[must_use]
pub unsafe fn keys_len(keys: *const Keys) -> usize {
    if keys.is_null() {
        return 0;
    }
    // SAFETY: the caller's promise.
    unsafe { (*keys).entries as usize }
}

/// [`keys_len`] of keys that are there.
///
/// # Safety
/// `keys` belongs to a live type or dict.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
#[must_use]
pub unsafe fn keys_len_of(keys: *const Keys) -> usize {
    // SAFETY: the caller's promise.
    unsafe { (*keys).entries as usize }
}

/// The entries of a table with `str` keys only (also shared keys, whose values stand elsewhere).
///
/// # Safety
/// `keys` belongs to a live type or dict and its kind is not general.
#[inline(always)]
#[must_use]
pub unsafe fn unicode_entries(keys: *const Keys) -> *const UnicodeEntry {
    // SAFETY: the entries follow the index table, whose size in bytes the head tells.
    unsafe {
        keys.cast::<u8>()
            .add(size_of::<Keys>() + (1 << (*keys).log2_index_bytes))
            .cast()
    }
}

/// The name at an index of shared keys, borrowed from them.
///
/// # Safety
/// As [`unicode_entries`], and `index < keys_len(keys)`.
#[inline]
#[must_use]
pub unsafe fn key_at(keys: *const Keys, index: usize) -> *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe { (*unicode_entries(keys).add(index)).key }
}
