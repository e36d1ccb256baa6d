//! Lists, sets, tuples and dicts, and references that tables keep.
use std::ffi::CStr;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

#[cfg(not(Py_GIL_DISABLED))]
use super::Ref;
use super::{Exc, Obj, Raised, Res, c, done, exception_class, owned, python, raise};
use crate::names::Name;

/// Is `obj` exactly a `list`?
#[inline]
pub fn is_list(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::PyList_CheckExact(obj.as_ptr()) != 0 }
}

/// Item `index` of a list as it is now; `None` past its end.
#[inline]
pub fn list_item<'py>(list: &Obj<'py>, index: usize) -> Option<Obj<'py>> {
    debug_assert!(is_list(list));
    // SAFETY: `list` is a list. With the GIL nothing can shrink it between the test and the new reference; without it the
    // checked strong-reference call is used.
    unsafe {
        #[cfg(not(Py_GIL_DISABLED))]
        {
            if index >= ffi::PyList_GET_SIZE(list.as_ptr()) as usize {
                return None;
            }
            Some(Bound::from_borrowed_ptr(
                list.py(),
                ffi::PyList_GET_ITEM(list.as_ptr(), index as isize),
            ))
        }
        #[cfg(Py_GIL_DISABLED)]
        {
            // Asked first: an IndexError made to be dropped costs more than all of this.
            if index >= list_len(list) {
                return None;
            }
            let item = ffi::PyList_GetItemRef(list.as_ptr(), index as isize);
            if item.is_null() {
                // Shortened since: this is its end, as a `for` sees it.
                ffi::PyErr_Clear();
            }
            Bound::from_owned_ptr_or_opt(list.py(), item)
        }
    }
}

/// [`list_item`] without a reference of its own, where that is safe: good until Python code runs.
#[cfg(not(Py_GIL_DISABLED))]
#[inline]
pub fn list_lend<'a, 'py>(list: &'a Obj<'py>, index: usize) -> Option<Ref<'a, 'py>> {
    debug_assert!(is_list(list));
    // SAFETY: an item of a list, which holds it until Python code runs.
    unsafe {
        (index < ffi::PyList_GET_SIZE(list.as_ptr()) as usize).then(|| {
            Ref::from_ptr(
                list.py(),
                ffi::PyList_GET_ITEM(list.as_ptr(), index as isize),
            )
        })
    }
}

/// As above: other threads may shorten the list.
#[cfg(Py_GIL_DISABLED)]
#[inline]
pub fn list_lend<'py>(list: &Obj<'py>, index: usize) -> Option<Obj<'py>> {
    list_item(list, index)
}

/// The length of a list as it is now.
#[inline]
pub fn list_len(list: &Obj<'_>) -> usize {
    debug_assert!(is_list(list));
    // SAFETY: `list` is a list.
    unsafe {
        #[cfg(not(Py_GIL_DISABLED))]
        return ffi::PyList_GET_SIZE(list.as_ptr()) as usize;
        #[cfg(Py_GIL_DISABLED)]
        return ffi::PyList_Size(list.as_ptr()) as usize;
    }
}

/// `list.append(item)`
pub fn list_append<'py>(list: &Obj<'py>, item: &Obj<'py>) -> Res<()> {
    // SAFETY: both are alive, `list` is a list.
    done(unsafe { ffi::PyList_Append(list.as_ptr(), item.as_ptr()) })
}

/// `[]`
pub fn new_list(py: Python<'_>) -> Res<Obj<'_>> {
    // SAFETY: attached.
    unsafe { owned(py, ffi::PyList_New(0)) }
}

/// Is `obj` exactly a `tuple`?
#[inline]
pub fn is_tuple(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::PyTuple_CheckExact(obj.as_ptr()) != 0 }
}

/// The number of items of a tuple (or of an instance of a subclass).
#[inline]
pub fn tuple_len(tuple: &Obj<'_>) -> usize {
    debug_assert!(super::is_tuple_like(tuple));
    // SAFETY: callers pass tuples.
    unsafe { ffi::PyTuple_GET_SIZE(tuple.as_ptr()) as usize }
}

/// Item `index` of a tuple; `None` past its end. Tuples never change, so the item lives as long as the tuple.
#[inline]
pub fn tuple_item<'py>(tuple: &Obj<'py>, index: usize) -> Option<Obj<'py>> {
    if index >= tuple_len(tuple) {
        return None;
    }
    // SAFETY: in range.
    unsafe {
        Some(Bound::from_borrowed_ptr(
            tuple.py(),
            ffi::PyTuple_GET_ITEM(tuple.as_ptr(), index as isize),
        ))
    }
}

/// A tuple of `items`.
pub fn new_tuple<'py>(py: Python<'py>, items: &[&Obj<'py>]) -> Res<Obj<'py>> {
    // SAFETY: attached; each slot of the new tuple is filled once with an owned reference.
    unsafe {
        let tuple = owned(py, ffi::PyTuple_New(items.len() as isize))?;
        for (index, item) in items.iter().enumerate() {
            ffi::PyTuple_SetItem(tuple.as_ptr(), index as isize, (*item).clone().into_ptr());
        }
        Ok(tuple)
    }
}

/// `{}`
pub fn new_dict(py: Python<'_>) -> Res<Obj<'_>> {
    // SAFETY: attached.
    unsafe { owned(py, ffi::PyDict_New()) }
}

/// Is `obj` exactly a `dict`?
#[inline]
pub fn is_dict(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::PyDict_CheckExact(obj.as_ptr()) != 0 }
}

/// The number of entries of a dict.
#[inline]
pub fn dict_len(dict: &Obj<'_>) -> usize {
    // SAFETY: callers pass dicts.
    unsafe { ffi::PyDict_Size(dict.as_ptr()).max(0) as usize }
}

/// `dict[key]` of a real dict, without `__missing__`; `None` when it is not there.
pub fn dict_get<'py>(dict: &Obj<'py>, key: &Obj<'py>) -> Res<Option<Obj<'py>>> {
    #[cfg(Py_GIL_DISABLED)]
    return dict_get_ref(dict, key.as_ptr());
    // SAFETY: both alive, `dict` is a dict; the borrowed value is owned at once.
    #[cfg(not(Py_GIL_DISABLED))]
    unsafe {
        let value = python!(c::PyDict_GetItemWithError(dict.as_ptr(), key.as_ptr()));
        if value.is_null() && !ffi::PyErr_Occurred().is_null() {
            return Err(Raised(()));
        }
        Ok(Bound::from_borrowed_ptr_or_opt(dict.py(), value))
    }
}

/// The value as a reference of its own from the start: another thread may take it out of the dict at any moment.
#[cfg(Py_GIL_DISABLED)]
#[inline]
fn dict_get_ref<'py>(dict: &Obj<'py>, key: *mut ffi::PyObject) -> Res<Option<Obj<'py>>> {
    let mut value = ptr::null_mut();
    // SAFETY: `dict` is a dict, callers lend a live key; the value is owned, or null with or without an exception.
    unsafe {
        if python!(c::PyDict_GetItemRef(dict.as_ptr(), key, &raw mut value)) < 0 {
            return Err(Raised(()));
        }
        Ok(Bound::from_owned_ptr_or_opt(dict.py(), value))
    }
}

/// What the `__dict__` of an object holds for a name: its own attribute of that name, wherever its attributes stand. The object's
/// type is a plain one with a dict for its instances.
#[cfg(Py_GIL_DISABLED)]
#[cold]
pub fn own_dict_get<'py>(obj: &Obj<'py>, name: Name) -> Option<Obj<'py>> {
    let py = obj.py();
    // SAFETY: alive, of a type whose instances have a dict; owned or null with an exception.
    let found = unsafe {
        owned(
            py,
            ffi::PyObject_GenericGetDict(obj.as_ptr(), ptr::null_mut()),
        )
    }
    .and_then(|dict| dict_get_ref(&dict, name.object(py).as_ptr()));
    super::or_nothing(py, found).flatten()
}

/// What a dict that has only `str` keys holds for `key`, an exact str; `None` also for a dict with other keys. Runs no Python code.
#[inline]
pub fn dict_get_str<'py>(dict: &Obj<'py>, key: &Obj<'py>) -> Option<Obj<'py>> {
    let hash = super::str_hash(key);
    // SAFETY: alive, a dict and a str; comparing exact strings runs nothing and raises nothing; the borrowed value is owned at
    // once.
    unsafe {
        if !crate::raw::has_str_keys(dict.as_ptr()) {
            return None;
        }
        let mut found = crate::raw::peek_str(dict.as_ptr(), key.as_ptr(), hash);
        if found.is_null() {
            found = crate::raw::dict_get(dict.as_ptr(), key.as_ptr(), hash);
        }
        Bound::from_borrowed_ptr_or_opt(dict.py(), found)
    }
}

/// [`dict_get`] of a name, whose hash is known.
pub fn dict_get_name<'py>(dict: &Obj<'py>, name: Name) -> Res<Option<Obj<'py>>> {
    let py = dict.py();
    #[cfg(Py_GIL_DISABLED)]
    return dict_get_ref(dict, name.object(py).as_ptr());
    // SAFETY: alive, a dict; the hash is the name's own; the borrowed value is owned at once.
    #[cfg(not(Py_GIL_DISABLED))]
    unsafe {
        let value = crate::raw::dict_get(dict.as_ptr(), name.object(py).as_ptr(), name.hash());
        if value.is_null() && !ffi::PyErr_Occurred().is_null() {
            return Err(Raised(()));
        }
        Ok(Bound::from_borrowed_ptr_or_opt(py, value))
    }
}

/// `dict[key] = value` of a real dict.
pub fn dict_set<'py>(dict: &Obj<'py>, key: &Obj<'py>, value: &Obj<'py>) -> Res<()> {
    // SAFETY: all alive, `dict` is a dict.
    done(unsafe {
        python!(c::PyDict_SetItem(
            dict.as_ptr(),
            key.as_ptr(),
            value.as_ptr()
        ))
    })
}

/// `dict.copy()` of a real dict.
pub fn dict_copy<'py>(dict: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: alive, a dict.
    unsafe { owned(dict.py(), ffi::PyDict_Copy(dict.as_ptr())) }
}

/// The `__dict__` of an object of a plain type, whatever its class shows under that name; made now if there is none yet.
#[cfg(not(Py_3_13))]
pub fn own_dict<'py>(obj: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: alive, of a type whose instances have a dict; owned or null with an exception.
    unsafe {
        owned(
            obj.py(),
            ffi::PyObject_GenericGetDict(obj.as_ptr(), ptr::null_mut()),
        )
    }
}

/// Gives such an object another `__dict__`.
#[cfg(not(Py_3_13))]
pub fn set_own_dict<'py>(obj: &Obj<'py>, dict: &Obj<'py>) -> Res<()> {
    // SAFETY: as above; a dict.
    let failed =
        unsafe { ffi::PyObject_GenericSetDict(obj.as_ptr(), dict.as_ptr(), ptr::null_mut()) };
    if failed == 0 { Ok(()) } else { Err(Raised(())) }
}

/// `dict.clear()` of a real dict.
pub fn dict_clear(dict: &Obj<'_>) {
    // SAFETY: alive, a dict.
    unsafe { ffi::PyDict_Clear(dict.as_ptr()) }
}

/// `{**target, **mapping}` in place, with the interpreter's error for what is no mapping.
pub fn dict_display_update<'py>(target: &Obj<'py>, mapping: &Obj<'py>) -> Res<()> {
    // SAFETY: both alive, `target` is a dict.
    match done(unsafe { python!(c::PyDict_Update(target.as_ptr(), mapping.as_ptr())) }) {
        Err(raised) if raised.is(exception_class(target.py(), Exc::Attribute)) => {
            raised.clear(target.py());
            Err(raise(
                target.py(),
                Exc::Type,
                &format!("'{}' object is not a mapping", type_name(mapping)),
            ))
        }
        result => result,
    }
}

/// The name of an object's type as the interpreter's own messages show it (`tp_name`).
pub fn type_name(obj: &Obj<'_>) -> String {
    // SAFETY: the type is alive while `obj` is; its name is a zero-terminated string.
    unsafe {
        CStr::from_ptr((*ffi::Py_TYPE(obj.as_ptr())).tp_name)
            .to_string_lossy()
            .into_owned()
    }
}

/// `set()`
pub fn new_set(py: Python<'_>) -> Res<Obj<'_>> {
    // SAFETY: attached.
    unsafe { owned(py, python!(c::PySet_New(ptr::null_mut()))) }
}

/// `set.add(item)` of a real set.
pub fn set_add<'py>(set: &Obj<'py>, item: &Obj<'py>) -> Res<()> {
    // SAFETY: both alive, `set` is a set.
    done(unsafe { python!(c::PySet_Add(set.as_ptr(), item.as_ptr())) })
}

/// What a dict with small ints as keys holds for `key`, whose value is `number`; `None`: look it up. Runs no Python code.
#[inline]
pub fn dict_get_number<'py>(dict: &Obj<'py>, key: &Obj<'py>, number: i64) -> Option<Obj<'py>> {
    if number < 0 {
        return None;
    }
    // SAFETY: alive, a dict; the key is an exact int of that value, which is its own hash; the borrowed value is owned at once.
    unsafe {
        Bound::from_borrowed_ptr_or_opt(
            dict.py(),
            crate::raw::peek_small_int(dict.as_ptr(), key.as_ptr(), number as isize),
        )
    }
}

/// The same without a reference: good until Python code runs.
#[cfg(not(Py_GIL_DISABLED))]
#[inline]
pub fn dict_lend_number<'a, 'py>(
    dict: &Obj<'py>,
    key: &Obj<'py>,
    number: i64,
) -> Option<super::Ref<'a, 'py>> {
    if number < 0 {
        return None;
    }
    // SAFETY: as above; the dict holds the value as long as it is not changed.
    unsafe {
        Borrowed::from_ptr_or_opt(
            dict.py(),
            crate::raw::peek_small_int(dict.as_ptr(), key.as_ptr(), number as isize),
        )
    }
}

/// Are all keys of a dict exact strings?
pub fn all_keys_str(dict: &Obj<'_>) -> bool {
    all_keys(dict, super::is_str)
}

/// Is `test`, which runs no Python code, true of all keys of a dict?
pub fn all_keys(dict: &Obj<'_>, test: impl Fn(&Obj<'_>) -> bool) -> bool {
    // SAFETY: alive, a dict; `test` cannot change it (another thread has to wait), so its keys stay alive.
    undisturbed(dict, || unsafe {
        !crate::raw::dict_any_key(dict.as_ptr(), |key| {
            !test(&Borrowed::from_ptr(dict.py(), key))
        })
    })
}

/// Runs `body`, which runs no Python code, while no other thread changes `object` (a dict, or one whose setters take its lock): with the
/// GIL that is so anyway, without it the object's own lock is held.
#[inline]
pub fn undisturbed<R>(object: &Obj<'_>, body: impl FnOnce() -> R) -> R {
    #[cfg(not(Py_GIL_DISABLED))]
    let _ = object;
    #[cfg(Py_GIL_DISABLED)]
    return pyo3::sync::critical_section::with_critical_section(object, body);
    #[cfg(not(Py_GIL_DISABLED))]
    body()
}

/// The key of a dict of which `test`, which runs no Python code, is true.
#[cfg(not(Py_GIL_DISABLED))]
pub fn find_key<'py>(dict: &Obj<'py>, test: impl Fn(&Obj<'py>) -> bool) -> Option<Obj<'py>> {
    let (mut position, mut key) = (0, ptr::null_mut());
    // SAFETY: alive, a dict; nothing in the loop can change it (another thread has to wait), so its keys stay alive.
    undisturbed(dict, || unsafe {
        while ffi::PyDict_Next(
            dict.as_ptr(),
            &raw mut position,
            &raw mut key,
            ptr::null_mut(),
        ) != 0
        {
            let key = Borrowed::from_ptr(dict.py(), key);
            if test(&key) {
                return Some(key.to_owned());
            }
        }
        None
    })
}

/// The entries of a dict, as a vector of owned pairs: what runs afterwards may change the dict.
pub fn dict_items<'py>(dict: &Obj<'py>) -> Vec<(Obj<'py>, Obj<'py>)> {
    let py = dict.py();
    let mut items = Vec::with_capacity(dict_len(dict));
    let (mut position, mut key, mut value) = (0, ptr::null_mut(), ptr::null_mut());
    // SAFETY: alive, a dict; nothing in the loop can change it (another thread has to wait), and each borrowed pair is owned at
    // once.
    undisturbed(dict, || unsafe {
        while ffi::PyDict_Next(
            dict.as_ptr(),
            &raw mut position,
            &raw mut key,
            &raw mut value,
        ) != 0
        {
            items.push((
                Bound::from_borrowed_ptr(py, key),
                Bound::from_borrowed_ptr(py, value),
            ));
        }
    });
    items
}

/// Texts, bytes and containers below this size, in bytes, are too small to be asked for.
const SMALL: usize = 256;

/// About how many bytes an object occupies that can be a message, one of its arguments or a value of `extra`: text, bytes, and what exact
/// lists, tuples and dicts hold, so many within each other. 0 for what is small, and for other objects. So many objects are looked at in all,
/// `left` counts down: what is beyond them, which may be the same once more, weighs nothing.
pub fn bulk(object: &Obj<'_>, within: u8, left: &mut usize) -> usize {
    let above = |size: usize| if size > SMALL { size } else { 0 };
    if *left == 0 {
        return 0;
    }
    *left -= 1;
    if super::is_str(object) {
        return bulk_of_text(object);
    }
    // SAFETY: alive, and of the type that was asked for.
    unsafe {
        if ffi::PyBytes_CheckExact(object.as_ptr()) != 0 {
            return above(ffi::PyBytes_Size(object.as_ptr()) as usize);
        }
        if ffi::PyByteArray_CheckExact(object.as_ptr()) != 0 {
            return above(ffi::PyByteArray_Size(object.as_ptr()) as usize);
        }
    }
    if within == 0 {
        return 0;
    }
    let within = within - 1;
    if is_tuple(object) {
        let length = tuple_len(object);
        let items = (0..length.min(*left)).map_while(|index| tuple_item(object, index));
        items.fold(above(8 * length), |sum, item| {
            sum + bulk(&item, within, left)
        })
    } else if is_list(object) {
        let length = list_len(object);
        let items = (0..length.min(*left)).map_while(|index| list_item(object, index));
        items.fold(above(8 * length), |sum, item| {
            sum + bulk(&item, within, left)
        })
    } else if is_dict(object) {
        let own = above(24 * dict_len(object));
        first_values(object, *left)
            .iter()
            .fold(own, |sum, value| sum + bulk(value, within, left))
    } else {
        0
    }
}

/// So many values of a dict at most.
pub fn first_values<'py>(dict: &Obj<'py>, most: usize) -> Vec<Obj<'py>> {
    let py = dict.py();
    let mut values = Vec::with_capacity(dict_len(dict).min(most));
    let (mut position, mut value) = (0, ptr::null_mut());
    // SAFETY: alive, a dict; nothing in the loop can change it (another thread has to wait), and each borrowed value is owned at once.
    undisturbed(dict, || unsafe {
        while values.len() < most
            && ffi::PyDict_Next(
                dict.as_ptr(),
                &raw mut position,
                ptr::null_mut(),
                &raw mut value,
            ) != 0
        {
            values.push(Bound::from_borrowed_ptr(py, value));
        }
    });
    values
}

/// The same of an object that can be large only if it is text.
#[inline]
pub fn bulk_of_text(object: &Obj<'_>) -> usize {
    if !super::is_str(object) || super::str_len(object) <= SMALL {
        return 0;
    }
    let length = super::str_len(object);
    if super::is_ascii(object) {
        length
    } else {
        2 * length
    }
}

/// A reference that a table keeps. Made and dropped by attached threads: it cannot be sent to another, and tables that can
/// (see [`crate::cell::Shared`]) are used attached.
pub struct Held(ptr::NonNull<ffi::PyObject>);

impl Held {
    /// Takes the reference over.
    pub fn new(object: Obj<'_>) -> Option<Self> {
        ptr::NonNull::new(object.into_ptr()).map(Held)
    }

    /// The object.
    #[inline]
    pub fn object<'py>(&self, py: Python<'py>) -> super::Ref<'_, 'py> {
        // SAFETY: alive as long as this reference to it.
        unsafe { Borrowed::from_ptr(py, self.0.as_ptr()) }
    }

    /// Is it this object?
    #[inline]
    pub fn is(&self, object: &Obj<'_>) -> bool {
        self.0.as_ptr() == object.as_ptr()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: the reference is ours, the thread attached (see the type).
        unsafe { ffi::Py_DECREF(self.0.as_ptr()) }
    }
}

/// A reference that a table keeps which all threads use: whichever of them drops it. Only by an address can such a table be asked for it,
/// so that an object at that address is this one as long as the reference is there.
pub struct HeldByAll(ptr::NonNull<ffi::PyObject>);

// SAFETY: nothing but the address is read through it, and it is dropped attached, by whichever thread: tables of them are reached
// with a token only (see `crate::cell::Field`), and what they give out does not leave the function that was given one.
unsafe impl Send for HeldByAll {}
// SAFETY: as above.
unsafe impl Sync for HeldByAll {}

impl HeldByAll {
    /// Takes the reference over.
    pub fn new(object: Obj<'_>) -> Self {
        // SAFETY: an object is never null.
        Self(unsafe { ptr::NonNull::new_unchecked(object.into_ptr()) })
    }

    /// The address, to be compared with that of an object that is alive.
    #[inline]
    pub fn address(&self) -> *mut ffi::PyObject {
        self.0.as_ptr()
    }
}

impl Drop for HeldByAll {
    fn drop(&mut self) {
        // SAFETY: the reference is ours, the thread attached (see the type).
        unsafe { ffi::Py_DECREF(self.0.as_ptr()) }
    }
}

/// A reference that is never given up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Forever(ptr::NonNull<ffi::PyObject>);

// SAFETY: the object lives as long as the process, and only a thread with a token gets it.
unsafe impl Send for Forever {}
// SAFETY: as above.
unsafe impl Sync for Forever {}

impl Forever {
    /// Takes the reference over.
    pub fn new(object: Obj<'_>) -> Self {
        // SAFETY: an object is never null.
        Self(unsafe { ptr::NonNull::new_unchecked(object.into_ptr()) })
    }

    /// The object.
    #[inline]
    pub fn get(self, py: Python<'_>) -> super::Ref<'static, '_> {
        super::immortal(py, self.0.as_ptr())
    }

    /// The address, to be compared.
    #[inline]
    pub fn address(self) -> *mut ffi::PyObject {
        self.0.as_ptr()
    }

    /// Is it this object?
    #[inline]
    pub fn is(self, object: &Obj<'_>) -> bool {
        self.0.as_ptr() == object.as_ptr()
    }
}

/// New references to objects that a table owns, or that somebody holds whom it watches (`context::steady`).
#[inline]
pub fn own_all<const N: usize>(_py: Python<'_>, objects: [*mut ffi::PyObject; N]) -> [Obj<'_>; N] {
    // SAFETY: the table (see `caller`), or the dict that it watches, holds a reference to each, none is null, and attached nobody can
    // take one away meanwhile. A bound reference is nothing but the pointer. (`map`, which has to stop where a null one panics, takes twice as long.)
    unsafe {
        for object in objects {
            debug_assert!(!object.is_null());
            ffi::Py_INCREF(object);
        }
        std::mem::transmute_copy(&objects)
    }
}

/// The same objects without references of their own: good until Python code runs, and what the table holds is left as it is.
#[inline]
pub fn lent_all<'a, const N: usize>(
    _py: Python<'_>,
    objects: [*mut ffi::PyObject; N],
) -> [super::Ref<'a, '_>; N] {
    debug_assert!(objects.iter().all(|object| !object.is_null()));
    // SAFETY: the table (see `caller`), or a module whose dict is watched, holds a reference to each, none is null, and gives none up before
    // Python code has run. A borrowed reference is nothing but the pointer.
    unsafe { std::mem::transmute_copy(&objects) }
}

/// Gives up references a table owned; null ones are skipped. May run Python code.
pub fn release_all(_py: Python<'_>, objects: &[*mut ffi::PyObject]) {
    for object in objects {
        // SAFETY: attached; each was stored by `into_ptr`, and the table has forgotten it.
        unsafe { ffi::Py_XDECREF(*object) }
    }
}

/// An object that a table remembers without holding it.
///
/// With the GIL such a table is only read while what holds the object cannot change, so the object can be used. Without a GIL
/// another thread may take it away between the look and the use: then it can only be compared, unless it is immortal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Remembered(*mut ffi::PyObject);

impl Remembered {
    /// Nothing.
    pub const NOTHING: Self = Remembered(ptr::null_mut());

    #[cfg(Py_GIL_DISABLED)]
    const IMMORTAL: usize = 1;
    /// Remembers a live object.
    #[inline]
    pub fn new(object: &Obj<'_>) -> Self {
        #[cfg(Py_GIL_DISABLED)]
        {
            unsafe extern "C" {
                fn PyUnstable_IsImmortal(object: *mut ffi::PyObject) -> std::ffi::c_int;
            }
            // SAFETY: attached, alive.
            if unsafe { PyUnstable_IsImmortal(object.as_ptr()) } != 0 {
                // Objects are aligned: the lowest bit of an address is free.
                return Remembered(object.as_ptr().map_addr(|address| address | Self::IMMORTAL));
            }
        }
        Remembered(object.as_ptr())
    }

    /// The address, to be compared with that of an object that is alive.
    #[inline]
    pub fn address(self) -> *mut ffi::PyObject {
        #[cfg(Py_GIL_DISABLED)]
        return self.0.map_addr(|address| address & !Self::IMMORTAL);
        #[cfg(not(Py_GIL_DISABLED))]
        self.0
    }

    /// Can the object be used? Not if there is none.
    #[inline]
    pub fn is_usable(self) -> bool {
        #[cfg(Py_GIL_DISABLED)]
        return self.0.addr() & Self::IMMORTAL != 0;
        #[cfg(not(Py_GIL_DISABLED))]
        !self.0.is_null()
    }

    /// The object, if it can be used; `None` also for nothing.
    #[inline]
    pub fn object(self, py: Python<'_>) -> Option<Obj<'_>> {
        self.is_usable().then(|| {
            let [object] = own_all(py, [self.address()]);
            object
        })
    }
}
