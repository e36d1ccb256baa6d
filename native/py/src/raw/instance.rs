//! Instances and their dicts: reading attributes by index, scanning for names, making instances with values in place.
//!
//! An instance keeps its attributes in one of these forms, and nothing here ever turns one into another:
//! values without a dict (the normal one) · a dict over the class's shared keys · a dict over another class's shared
//! keys (after `__class__` was assigned) · a combined dict (after `__dict__` was assigned, or too many attributes) ·
//! nothing yet.
use super::layout::{GeneralEntry, KNOWN, Keys, UnicodeEntry};
#[cfg(Py_3_13)]
use super::types::has_inline_values;
use super::types::{has_managed_dict, keys_len, shared_keys, unicode_entries};
use pyo3::ffi::{self, PyDictObject, PyObject, PyTypeObject};
use std::ffi::c_int;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

unsafe extern "C" {
    fn _PyDict_GetItem_KnownHash(
        dict: *mut PyObject,
        key: *mut PyObject,
        hash: isize,
    ) -> *mut PyObject;
    fn _PyObject_GetDictPtr(obj: *mut PyObject) -> *mut *mut PyObject;
}

/// "This name has no index in the shared keys."
pub const NO_INDEX: u8 = u8::MAX;

/// How a dict keeps its keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeysKind {
    /// Any keys; an entry has a hash, a key and a value.
    General,
    /// `str` keys only; an entry has a key and a value.
    Unicode,
    /// `str` keys shared by the instances of a class; the values stand in an array of their own.
    Split,
}

/// The array of an instance's values, indexed as the class's shared keys, or null when this instance has none.
/// Saves the attribute lookup: 0.7 ns against 11 to 18.
///
/// # Safety
/// `tp` is the type of the live `obj` and [`has_managed_dict`].
#[inline(always)]
#[must_use]
pub unsafe fn values(obj: *mut PyObject, tp: *mut PyTypeObject) -> *mut *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe { values_behind(obj, tp, basic_size(tp)) }
}

/// The size of the type's instances without what is managed for them.
///
/// # Safety
/// `tp` is a live type.
#[inline(always)]
#[must_use]
pub unsafe fn basic_size(tp: *mut PyTypeObject) -> usize {
    // SAFETY: the caller's promise.
    unsafe { (*tp).tp_basicsize as usize }
}

/// [`values`] by somebody who knows the [`basic_size`] of the instances, so that nobody has to wait for the type to say it.
///
/// # Safety
/// As [`values`]; `size` is the type's.
#[inline(always)]
#[must_use]
pub unsafe fn values_behind(
    obj: *mut PyObject,
    tp: *mut PyTypeObject,
    size: usize,
) -> *mut *mut PyObject {
    if !KNOWN {
        return null_mut();
    }
    // SAFETY: the words before an object with a managed dict, or on 3.13 the array behind one with inline values, belong
    // to it; `selftest` has compared them with what the public API says.
    unsafe {
        #[cfg(not(Py_3_12))]
        {
            let _ = (tp, size);
            obj.cast::<*mut *mut PyObject>().sub(4).read()
        }
        #[cfg(all(Py_3_12, not(Py_3_13)))]
        {
            // One word for both: odd means "values, one byte further", even means dict or nothing.
            let _ = (tp, size);
            let word = obj.cast::<usize>().sub(3).read();
            if word & 1 == 1 {
                let array = (word + 1) as *mut *mut PyObject;
                // No array ends where the address space begins again.
                std::hint::assert_unchecked(!array.is_null());
                array
            } else {
                null_mut()
            }
        }
        #[cfg(Py_3_13)]
        {
            if !has_inline_values(tp) {
                return null_mut();
            }
            // Head: capacity, size, embedded, valid. "valid" stays the truth also when a dict is attached, for reading.
            debug_assert_eq!(size, basic_size(tp));
            let head = inline_head(obj, size);
            if *head.add(3) == 0 {
                null_mut()
            } else {
                head.add(8).cast()
            }
        }
    }
}

/// The array of the instance's values indexed as the class's shared keys: in place, or that of a dict over those keys
/// (`vars()` was looked at). Null for every other form.
///
/// # Safety
/// As [`values`].
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
#[must_use]
pub unsafe fn indexed_values(obj: *mut PyObject, tp: *mut PyTypeObject) -> *mut *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        let array = values(obj, tp);
        if array.is_null() {
            values_of_split_dict(obj, tp)
        } else {
            array
        }
    }
}

#[cfg(not(Py_GIL_DISABLED))]
#[inline(never)]
unsafe fn values_of_split_dict(obj: *mut PyObject, tp: *mut PyTypeObject) -> *mut *mut PyObject {
    // SAFETY: as for `values`.
    unsafe {
        let dict = instance_dict_if_any(obj, tp);
        if dict.is_null() || dict_keys(dict) != shared_keys(tp) {
            return null_mut();
        }
        dict_values(dict)
    }
}

#[cfg(Py_3_13)]
#[inline(always)]
unsafe fn inline_head(obj: *mut PyObject, size: usize) -> *mut u8 {
    // SAFETY: a type with inline values places them right behind the instance's own fields (`tp_basicsize`, which 3.13
    // requires to be the bare object's).
    unsafe { obj.cast::<u8>().add(size) }
}

/// The instance's dict object if there is one already, borrowed, or null. Never makes one: on 3.12 a logger whose dict
/// exists costs 30 ns more at every later call.
///
/// # Safety
/// `tp` is the type of the live `obj`.
#[inline]
#[must_use]
pub unsafe fn instance_dict_if_any(obj: *mut PyObject, tp: *mut PyTypeObject) -> *mut PyObject {
    if !KNOWN {
        return null_mut();
    }
    // SAFETY: as for `values`; a type without managed dict keeps the pointer at its dictoffset.
    unsafe {
        if !has_managed_dict(tp) {
            let offset = (*tp).tp_dictoffset;
            if offset > 0 {
                return obj.byte_add(offset as usize).cast::<*mut PyObject>().read();
            }
            if offset == 0 {
                return null_mut();
            }
            // Counted from the end of a variable-sized object: rare enough to ask.
            let place = _PyObject_GetDictPtr(obj);
            return if place.is_null() { null_mut() } else { *place };
        }
        let word = obj.cast::<usize>().sub(3).read();
        if cfg!(all(Py_3_12, not(Py_3_13))) && word & 1 == 1 {
            null_mut()
        } else {
            word as *mut PyObject
        }
    }
}

/// The dict's keys object.
///
/// # Safety
/// `dict` is a live dict (or subclass).
#[inline(always)]
#[must_use]
pub unsafe fn dict_keys(dict: *mut PyObject) -> *mut Keys {
    // SAFETY: the caller's promise.
    unsafe { (*dict.cast::<PyDictObject>()).ma_keys.cast() }
}

/// Has the dict only exact `str` keys? False where that cannot be read.
///
/// # Safety
/// `dict` is a live dict.
#[inline]
#[must_use]
pub unsafe fn has_str_keys(dict: *mut PyObject) -> bool {
    // SAFETY: the caller's promise.
    super::enabled() && unsafe { keys_kind(dict_keys(dict)) } != KeysKind::General
}

/// Does looking names up in the object's own dict, if it has one, run no Python code? Keys that are no exact `str` are compared by
/// their own `__eq__`.
///
/// # Safety
/// A live object.
#[cfg(not(Py_GIL_DISABLED))]
#[must_use]
pub unsafe fn finds_names_quietly(obj: *mut PyObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let dict = instance_dict_if_any(obj, ffi::Py_TYPE(obj));
        dict.is_null() || has_str_keys(dict)
    }
}

/// The value array of a split dict, or null for a combined one.
///
/// # Safety
/// `dict` is a live dict (or subclass).
#[inline(always)]
#[must_use]
pub unsafe fn dict_values(dict: *mut PyObject) -> *mut *mut PyObject {
    // SAFETY: the caller's promise; from 3.13 on the array stands behind a head of eight bytes.
    unsafe {
        let head = (*dict.cast::<PyDictObject>()).ma_values.cast::<u8>();
        if head.is_null() || cfg!(not(Py_3_13)) {
            head.cast()
        } else {
            head.add(8).cast()
        }
    }
}

/// The dict's version, which any change to any dict makes new (3.11; later versions have watchers, see `watch`).
///
/// # Safety
/// `dict` is a live dict.
#[cfg(not(Py_3_12))]
#[inline(always)]
#[must_use]
pub unsafe fn dict_version(dict: *mut PyObject) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { (*dict.cast::<PyDictObject>()).ma_version_tag }
}

/// How these keys are kept.
///
/// # Safety
/// `keys` belongs to a live dict or type.
#[inline(always)]
#[must_use]
pub unsafe fn keys_kind(keys: *const Keys) -> KeysKind {
    // SAFETY: the caller's promise.
    match unsafe { (*keys).kind } {
        0 => KeysKind::General,
        1 => KeysKind::Unicode,
        _ => KeysKind::Split,
    }
}

/// The instance's own attribute (the class is not asked), borrowed, or null when it has none of that name.
///
/// `index` is the name's place in `tp`'s shared keys or [`NO_INDEX`]; it was found when [`keys_len`] of them was what it
/// is now. Null with an exception set is possible only where the instance's dict holds keys that are not `str` and whose
/// comparison raises.
///
/// # Safety
/// `tp` is the type of the live `obj` and has a managed dict; `name` is an interned `str`, `hash` its hash. The result
/// is good until Python code runs.
#[inline(always)]
#[must_use]
pub unsafe fn get(
    obj: *mut PyObject,
    tp: *mut PyTypeObject,
    index: u8,
    name: *mut PyObject,
    hash: isize,
) -> *mut PyObject {
    // SAFETY: every index of the shared keys lies inside every instance's array (see `fill_new`).
    unsafe {
        let array = values(obj, tp);
        if array.is_null() {
            return get_from_dict(obj, tp, index, name, hash);
        }
        if index == NO_INDEX {
            null_mut()
        } else {
            *array.add(index as usize)
        }
    }
}

/// The forms with a dict object: 3 ns over the class's own keys, 5 to 8 otherwise. Of a dict with other keys than `str`, which may be gone by
/// then, only whether it is null tells anything.
#[inline(never)]
unsafe fn get_from_dict(
    obj: *mut PyObject,
    tp: *mut PyTypeObject,
    index: u8,
    name: *mut PyObject,
    hash: isize,
) -> *mut PyObject {
    // SAFETY: as for `get`.
    unsafe {
        let dict = instance_dict_if_any(obj, tp);
        if dict.is_null() {
            return null_mut();
        }
        let array = dict_values(dict);
        if !array.is_null() && dict_keys(dict) == shared_keys(tp) {
            return if index == NO_INDEX {
                null_mut()
            } else {
                *array.add(index as usize)
            };
        }
        if has_str_keys(dict) {
            return dict_get(dict, name, hash);
        }
        // Whoever compares such keys may give the object another dict.
        ffi::Py_INCREF(dict);
        let found = dict_get(dict, name, hash);
        ffi::Py_DECREF(dict);
        found
    }
}

/// A dict's value for a key whose hash is known, borrowed, or null; saves hashing and `PyErr_Occurred` (4.5 against
/// 6.7 ns). Null with an exception set only when comparing keys raised.
///
/// # Safety
/// `dict` is a live dict, `key` a live object, `hash` its hash.
#[inline]
#[must_use]
pub unsafe fn dict_get(dict: *mut PyObject, key: *mut PyObject, hash: isize) -> *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe { _PyDict_GetItem_KnownHash(dict, key, hash) }
}

/// As [`dict_get`] for a small int in a small table with int keys, as `Logger._cache`: the first slot probed is nearly always the
/// one (1.8 ns against 4.5). Finds that very key object and calls nothing; null says nothing.
///
/// # Safety
/// `dict` is a live dict, `key` an exact int whose value is `hash`, `0 <= hash`.
#[inline]
#[must_use]
pub unsafe fn peek_small_int(
    dict: *mut PyObject,
    key: *mut PyObject,
    hash: isize,
) -> *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        if !super::enabled() {
            return null_mut();
        }
        let found = peek_first(dict, key, hash);
        if found.is_null() {
            peek_further(dict_keys(dict), key, hash as usize)
        } else {
            found
        }
    }
}

/// [`peek_small_int`] in the first slot alone.
///
/// # Safety
/// As there, and raw reads are on.
#[inline(always)]
#[must_use]
pub unsafe fn peek_first(dict: *mut PyObject, key: *mut PyObject, hash: isize) -> *mut PyObject {
    // SAFETY: such a table, and a slot of it; a slot's index is that of an entry.
    unsafe {
        let keys = dict_keys(dict);
        if !is_small_table(keys) {
            return null_mut();
        }
        in_first_slot(keys, key, hash, |entry: *const GeneralEntry| {
            ((*entry).key, (*entry).value)
        })
    }
}

/// As [`peek_first`] for an exact `str` in a table that has only such keys, as a dict written out in a call: 20 instructions of
/// 100. Raw reads are on.
///
/// # Safety
/// `dict` is a live dict, `key` an exact `str`, `hash` its hash.
#[inline(always)]
#[must_use]
pub unsafe fn peek_str(dict: *mut PyObject, key: *mut PyObject, hash: isize) -> *mut PyObject {
    // SAFETY: such a table, and a slot of it; a slot's index is that of an entry.
    unsafe {
        let keys = dict_keys(dict);
        if (*keys).kind != 1 || (*keys).log2_size >= 8 {
            return null_mut();
        }
        in_first_slot(keys, key, hash, |entry: *const UnicodeEntry| {
            ((*entry).key, (*entry).value)
        })
    }
}

/// The value of the entry in the first slot for a hash, if that is its very key; null for any other.
#[inline(always)]
unsafe fn in_first_slot<Entry>(
    keys: *const Keys,
    key: *mut PyObject,
    hash: isize,
    read: impl FnOnce(*const Entry) -> (*mut PyObject, *mut PyObject),
) -> *mut PyObject {
    // SAFETY: the caller's: a table with one byte for each slot and such entries; a slot's index is that of an entry.
    unsafe {
        let (index, entries) = small_table::<Entry>(keys, hash as usize);
        if index < 0 {
            return null_mut();
        }
        match read(entries.add(index as usize)) {
            (found, value) if found == key => value,
            _ => null_mut(),
        }
    }
}

/// Has the table general keys and fewer than 256 slots, so that its index table has one byte for each?
#[inline(always)]
unsafe fn is_small_table(keys: *const Keys) -> bool {
    // SAFETY: the caller's: keys of a live dict.
    unsafe { (*keys).kind == 0 && (*keys).log2_size < 8 }
}

/// What stands in the slot for a hash in a table with one byte for each (negative: nothing, or something deleted), and the entries.
#[inline(always)]
unsafe fn small_table<Entry>(keys: *const Keys, hash: usize) -> (i8, *const Entry) {
    // SAFETY: the caller's: such a table; the entries follow the index table.
    unsafe {
        let table = keys.cast::<u8>().add(size_of::<Keys>());
        let slots = 1_usize << (*keys).log2_size;
        let entries = table.add(slots).cast();
        (*table.add(hash & (slots - 1)).cast::<i8>(), entries)
    }
}

/// The slots from the first on, in the order in which the interpreter tries them: 10 and 50 meet in a table of eight. Another key of
/// that hash ends it: it would be compared, which may run Python code.
#[inline(never)]
unsafe fn peek_further(keys: *const Keys, key: *mut PyObject, hash: usize) -> *mut PyObject {
    // SAFETY: the caller's: keys of a live dict; a slot's index is that of an entry.
    unsafe {
        if !is_small_table(keys) {
            return null_mut();
        }
        let (mut slot, mut perturb) = (hash, hash);
        for _ in 0..=8 {
            let (index, entries) = small_table::<GeneralEntry>(keys, slot);
            if index == -1 {
                break;
            }
            if index >= 0 {
                let entry = entries.add(index as usize);
                if (*entry).key == key {
                    return (*entry).value;
                }
                if (*entry).hash == hash.cast_signed() {
                    break;
                }
            }
            perturb >>= 5;
            slot = slot.wrapping_mul(5).wrapping_add(perturb).wrapping_add(1);
        }
        null_mut()
    }
}

/// Does the instance itself carry one of certain names? `shadows` are the indexes of those names in `tp`'s shared keys
/// (none, normally: 0.2 ns), `wanted` tells it for a key of any other dict.
///
/// # Safety
/// As [`get`]; `wanted` runs no Python code and keeps no key.
#[inline(always)]
#[must_use]
pub unsafe fn carries_any(
    obj: *mut PyObject,
    tp: *mut PyTypeObject,
    shadows: &[u8],
    wanted: impl FnMut(*mut PyObject) -> bool,
) -> bool {
    // SAFETY: as for `get`.
    unsafe {
        let array = values(obj, tp);
        if array.is_null() {
            return dict_carries_any(obj, tp, shadows, wanted);
        }
        shadows
            .iter()
            .any(|&index| !(*array.add(index as usize)).is_null())
    }
}

#[inline(never)]
unsafe fn dict_carries_any(
    obj: *mut PyObject,
    tp: *mut PyTypeObject,
    shadows: &[u8],
    wanted: impl FnMut(*mut PyObject) -> bool,
) -> bool {
    // SAFETY: as for `get`.
    unsafe {
        let dict = instance_dict_if_any(obj, tp);
        if dict.is_null() {
            return false;
        }
        let array = dict_values(dict);
        if !array.is_null() && dict_keys(dict) == shared_keys(tp) {
            return shadows
                .iter()
                .any(|&index| !(*array.add(index as usize)).is_null());
        }
        dict_any_key(dict, wanted)
    }
}

/// Is there a key for which `wanted` is true? Looks at the keys in place: no iterator, no reference taken.
///
/// # Safety
/// `dict` is a live dict; `wanted` runs no Python code and keeps no key.
pub unsafe fn dict_any_key(
    dict: *mut PyObject,
    mut wanted: impl FnMut(*mut PyObject) -> bool,
) -> bool {
    // SAFETY: nothing changes the dict while `wanted` looks at it. Entries of a split dict without a value, and deleted
    // ones of a combined dict, have a null value.
    unsafe {
        let keys = dict_keys(dict);
        if super::enabled() && keys_kind(keys) != KeysKind::General {
            let (entries, array) = (unicode_entries(keys), dict_values(dict));
            return (0..keys_len(keys)).any(|i| {
                let entry = *entries.add(i);
                let value = if array.is_null() {
                    entry.value
                } else {
                    *array.add(i)
                };
                !value.is_null() && wanted(entry.key)
            });
        }
        let (mut at, mut key) = (0, null_mut());
        while ffi::PyDict_Next(dict, &raw mut at, &raw mut key, null_mut()) != 0 {
            if wanted(key) {
                return true;
            }
        }
        false
    }
}

/// An empty tuple for `object.__new__`, made once (it is a singleton, but asking for it is a call).
static NO_ARGS: AtomicPtr<PyObject> = AtomicPtr::new(null_mut());

/// A new instance as `object.__new__(tp)` makes it (so that its values stand in place; `tp_alloc` alone leaves a 3.12
/// instance without and every attribute five times dearer), or null with an exception set.
///
/// # Safety
/// `tp` is a live heap type whose `__new__` is `object`'s; the thread is attached.
#[inline]
#[must_use]
pub unsafe fn new_instance(tp: *mut PyTypeObject) -> *mut PyObject {
    // SAFETY: `object.__new__` is there in every interpreter; the tuple is never released.
    unsafe {
        let mut args = NO_ARGS.load(Ordering::Relaxed);
        if args.is_null() {
            args = ffi::PyTuple_New(0);
            if args.is_null() {
                return null_mut();
            }
            NO_ARGS.store(args, Ordering::Relaxed);
        }
        match ffi::PyBaseObject_Type.tp_new {
            Some(new) => new(tp, args, null_mut()),
            None => null_mut(),
        }
    }
}

/// The bookkeeping of a value array: how many values it holds and in what order they came (`vars()` shows that order).
pub(super) struct Order {
    /// Number of values set.
    used: *mut u8,
    /// Place of the n-th index.
    first: *mut u8,
    /// Step to the next one: the bytes grow downwards before the array until 3.12, upwards behind it from 3.13.
    step: isize,
}

impl Order {
    /// # Safety
    /// `array` came from [`values`].
    #[inline(always)]
    pub(super) unsafe fn of(array: *mut *mut PyObject) -> Self {
        let base = array.cast::<u8>();
        // SAFETY: bytes of the same allocation as the array.
        unsafe {
            if cfg!(Py_3_13) {
                let head = base.sub(8);
                Self {
                    used: head.add(1),
                    first: array.add(*head as usize).cast(),
                    step: 1,
                }
            } else {
                Self {
                    used: base.sub(2),
                    first: base.sub(3),
                    step: -1,
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn push(&self, nth: usize, index: u8) {
        // SAFETY: there is a byte for each index of the shared keys, and each is pushed once.
        unsafe { self.first.offset(nth as isize * self.step).write(index) }
    }

    /// Number of values set.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline(always)]
    pub(super) unsafe fn count(&self) -> isize {
        // SAFETY: the byte that tells it.
        isize::from(unsafe { *self.used })
    }

    /// The place of the value that was set as the n-th.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline(always)]
    pub(super) unsafe fn nth(&self, nth: isize) -> usize {
        // SAFETY: as many bytes as there are values.
        usize::from(unsafe { *self.first.offset(nth * self.step) })
    }

    /// Where among `count` bytes in memory the n-th stands.
    #[cfg(not(Py_GIL_DISABLED))]
    pub(super) fn place_in_memory(nth: usize, count: usize) -> usize {
        if cfg!(Py_3_13) { nth } else { count - 1 - nth }
    }

    /// Were the first values set in this order, as it is laid in memory?
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline(always)]
    pub(super) unsafe fn begins_with<const COUNT: usize>(&self, laid: &[u8; COUNT]) -> bool {
        // SAFETY: as many bytes as there are values.
        unsafe {
            self.count() >= COUNT as isize && {
                let lowest = if cfg!(Py_3_13) {
                    self.first
                } else {
                    self.first.offset(1 - COUNT as isize)
                };
                // Where it stands: a copy would be read back at once, and waited for.
                *lowest.cast::<[u8; COUNT]>() == *laid
            }
        }
    }

    /// Nothing is set any more after the first `count` values.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline(always)]
    pub(super) unsafe fn cut(&self, count: u8) {
        // SAFETY: the caller has emptied the other places.
        unsafe { self.used.write(count) }
    }
}

/// The array of an instance whose values may be *written* in place: there is an array and no dict looks at it.
#[inline(always)]
pub(super) unsafe fn writable_values(
    obj: *mut PyObject,
    tp: *mut PyTypeObject,
) -> *mut *mut PyObject {
    // SAFETY: as for `values`. Until 3.12 an instance has either values or a dict; from 3.13 on it may have both.
    unsafe {
        if cfg!(Py_3_13) && !instance_dict_if_any(obj, tp).is_null() {
            return null_mut();
        }
        values(obj, tp)
    }
}

/// Different places in a class's shared keys, in the order in which a new instance's attributes are set.
#[derive(Clone, Copy)]
pub struct Indexes {
    count: usize,
    /// Are they 0, 1, 2 …? Then values in that order are an array as an instance has it.
    sequential: bool,
    indexes: [u8; Self::MOST],
    /// The same as the bookkeeping of a value array has them in memory, at the end of this array where they grow downwards.
    laid: [u8; Self::MOST],
}

impl Indexes {
    const MOST: usize = 32;
    /// No place at all.
    pub const NONE: Self = Indexes {
        count: 0,
        sequential: false,
        indexes: [0; Self::MOST],
        laid: [0; Self::MOST],
    };

    /// The first of them.
    #[cfg(not(Py_GIL_DISABLED))]
    pub(super) fn first_chunk<const COUNT: usize>(&self) -> Option<&[u8; COUNT]> {
        self.indexes[..self.count].first_chunk()
    }

    /// `None` for more of them than a record has.
    #[must_use]
    pub fn new(indexes: &[u8]) -> Option<Self> {
        let mut new = Self {
            count: indexes.len(),
            sequential: indexes
                .iter()
                .enumerate()
                .all(|(nth, &index)| nth == index as usize),
            ..Self::NONE
        };
        for (nth, &index) in indexes.iter().enumerate() {
            *new.indexes.get_mut(nth)? = index;
            let place = if cfg!(Py_3_13) {
                nth
            } else {
                Self::MOST - 1 - nth
            };
            new.laid[place] = index;
        }
        Some(new)
    }
}

/// Fills a new instance: `items[n]` becomes the attribute at the n-th of `indexes`, in that order. Takes the references and
/// returns true, or returns false with nothing done when this instance has no values in place. 30 ns for a record's 21
/// attributes against 800 by `PyObject_SetAttr`; copying both arrays as they are saves a third of what a loop takes.
///
/// # Safety
/// `obj` came from [`new_instance`] of `tp` and nothing was set on it. The indexes are different places of `tp`'s shared
/// keys; the items are owned references, none null. (An array made once is long enough for every index that its class's keys
/// will ever have: what keys may still grow to shrinks with each instance.)
#[inline(always)]
pub unsafe fn fill_new(
    obj: *mut PyObject,
    tp: *mut PyTypeObject,
    indexes: &Indexes,
    items: &[*mut PyObject],
) -> bool {
    let count = items.len();
    // SAFETY: the caller's promise; a fresh instance has no old value to release. The order's bytes are as many as the items and
    // stand where `Order::push` would put them one by one.
    unsafe {
        if indexes.count != count {
            return false;
        }
        let array = writable_values(obj, tp);
        if array.is_null() {
            return false;
        }
        let order = Order::of(array);
        if *order.used != 0 {
            return false;
        }
        if indexes.sequential {
            array.copy_from_nonoverlapping(items.as_ptr(), count);
        } else {
            for (&index, &item) in indexes.indexes.iter().zip(items) {
                array.add(index as usize).write(item);
            }
        }
        let laid = indexes.laid.as_ptr();
        if cfg!(Py_3_13) {
            order.first.copy_from_nonoverlapping(laid, count);
        } else {
            let lowest = order.first.offset(1 - count as isize);
            lowest.copy_from_nonoverlapping(laid.add(Indexes::MOST - count), count);
        }
        *order.used = count as u8;
        true
    }
}

/// Sets one attribute in place: takes the reference to `item` and returns true, or returns false with nothing done when
/// this instance has no values in place (then set it through the API). 1 ns against 15.
///
/// # Safety
/// `tp` is the type of the live `obj`, has a managed dict, and no data descriptor of that name; `index` is a place of its
/// shared keys. Releasing the old value may run Python code.
#[inline]
pub unsafe fn set_at(
    obj: *mut PyObject,
    tp: *mut PyTypeObject,
    index: u8,
    item: *mut PyObject,
) -> bool {
    // SAFETY: the caller's promise; the old value is released last, when the instance is whole again.
    unsafe {
        let array = writable_values(obj, tp);
        if array.is_null() || index == NO_INDEX {
            return false;
        }
        let old = array.add(index as usize).replace(item);
        if old.is_null() {
            let order = Order::of(array);
            let nth = *order.used;
            order.push(nth as usize, index);
            *order.used = nth + 1;
        } else {
            ffi::Py_DECREF(old);
        }
        true
    }
}

/// How many attributes stand in place, in which order: for the self-test.
pub(super) unsafe fn in_place_order(obj: *mut PyObject, tp: *mut PyTypeObject) -> Option<Vec<u8>> {
    // SAFETY: as for `values`.
    unsafe {
        let array = writable_values(obj, tp);
        if array.is_null() {
            return None;
        }
        let order = Order::of(array);
        Some(
            (0..c_int::from(*order.used))
                .map(|n| *order.first.offset(n as isize * order.step))
                .collect(),
        )
    }
}
