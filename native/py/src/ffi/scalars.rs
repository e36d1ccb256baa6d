//! Text, numbers and the singletons.
use std::ffi::{CStr, c_char};
use std::ptr;
use std::sync::atomic::{AtomicIsize, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

use super::{Obj, Raised, Ref, Res, is_tuple, owned, str_len, tuple_len};
use crate::raw::Untraced;

/// Is `obj` exactly a `str`?
#[inline]
pub fn is_str(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::PyUnicode_CheckExact(obj.as_ptr()) != 0 }
}

/// Is `obj` a `str` or an instance of a subclass?
#[inline]
pub fn is_str_like(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::PyUnicode_Check(obj.as_ptr()) != 0 }
}

/// Is `obj` exactly a `str`, and empty?
#[inline]
pub fn is_empty_str(obj: &Obj<'_>) -> bool {
    is_str(obj) && str_len(obj) == 0
}

/// The hash of a `str`.
#[inline]
pub fn str_hash(text: &Obj<'_>) -> isize {
    debug_assert!(is_str_like(text));
    // SAFETY: alive; an exact str keeps its hash, once somebody has asked for it (-1 until then), in a field that is only ever set to
    // that; hashing a str cannot fail.
    unsafe {
        if is_str(text) {
            let known = &raw mut (*text.as_ptr().cast::<ffi::PyASCIIObject>()).hash;
            let hash = AtomicIsize::from_ptr(known).load(Ordering::Relaxed);
            if hash != -1 {
                return hash;
            }
        }
        ffi::PyObject_Hash(text.as_ptr())
    }
}

/// Is it `False`?
#[inline]
pub fn is_false(obj: &Obj<'_>) -> bool {
    // SAFETY: the singleton's address is only compared.
    unsafe { obj.as_ptr() == ffi::Py_False() }
}

/// Is `obj` exactly an `int` (so no bool)?
#[inline]
pub fn is_int(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::PyLong_CheckExact(obj.as_ptr()) != 0 }
}

/// Is `obj` an `int` or an instance of a subclass (so also bool)?
#[inline]
pub fn is_int_like(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::PyLong_Check(obj.as_ptr()) != 0 }
}

/// The value of an exact `int` that fits 64 bits.
#[inline]
pub fn int_value(obj: &Obj<'_>) -> Option<i64> {
    if !is_int(obj) {
        return None;
    }
    let mut overflow = 0;
    // SAFETY: an int; an overflow is reported through the flag, not as an exception.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(obj.as_ptr(), &raw mut overflow) };
    (overflow == 0).then_some(value)
}

/// The value of an exact `float`.
#[inline]
pub fn float_value(obj: &Obj<'_>) -> Option<f64> {
    // SAFETY: alive; read only where it is a float.
    unsafe {
        (ffi::PyFloat_CheckExact(obj.as_ptr()) != 0).then(|| ffi::PyFloat_AsDouble(obj.as_ptr()))
    }
}

/// A new `int`.
pub fn new_int(py: Python<'_>, value: i64) -> Res<Obj<'_>> {
    // SAFETY: attached.
    unsafe { owned(py, ffi::PyLong_FromLongLong(value)) }
}

/// A new `float`.
pub fn new_float(py: Python<'_>, value: f64) -> Res<Obj<'_>> {
    // SAFETY: attached.
    unsafe { owned(py, ffi::PyFloat_FromDouble(value)) }
}

/// New floats: what a record has of its time.
#[inline]
pub fn new_floats(py: Python<'_>, values: [f64; 3]) -> Res<[Obj<'_>; 3]> {
    #[cfg(not(Py_GIL_DISABLED))]
    if let Some(floats) = crate::raw::take_floats(py, values) {
        return Ok(floats);
    }
    let [first, second, third] = values;
    Ok([
        new_float(py, first)?,
        new_float(py, second)?,
        new_float(py, third)?,
    ])
}

/// A new `str`.
pub fn text_from<'py>(py: Python<'py>, text: &str) -> Res<Obj<'py>> {
    // SAFETY: attached; a Rust str is valid UTF-8 of that length.
    unsafe {
        owned(
            py,
            ffi::PyUnicode_FromStringAndSize(text.as_ptr().cast::<c_char>(), text.len() as isize),
        )
    }
}

/// A new `str` of UTF-8 bytes; `ascii` promises that none is above 127 and saves the scan.
#[inline]
pub fn text_from_utf8<'py>(py: Python<'py>, bytes: &[u8], ascii: bool) -> Res<Obj<'py>> {
    // SAFETY: attached. A new ASCII string has room for exactly `len` bytes and a terminating zero, which New wrote.
    unsafe {
        if !ascii {
            return owned(
                py,
                ffi::PyUnicode_FromStringAndSize(
                    bytes.as_ptr().cast::<c_char>(),
                    bytes.len() as isize,
                ),
            );
        }
        let text = owned(py, ffi::PyUnicode_New(bytes.len() as isize, 127))?;
        if !bytes.is_empty() {
            ptr::copy_nonoverlapping(
                bytes.as_ptr(),
                crate::raw::ascii_data(text.as_ptr()),
                bytes.len(),
            );
        }
        Ok(text)
    }
}

/// A new `str` of two ASCII texts, which together have more than one character (such a one the interpreter shares).
pub fn join_ascii<'py>(py: Python<'py>, first: &str, last: &str) -> Res<Obj<'py>> {
    debug_assert!(first.is_ascii() && last.is_ascii() && first.len() + last.len() > 1);
    // SAFETY: attached. A new ASCII string has room for as many bytes as were asked for and a terminating zero, which New wrote.
    unsafe {
        let length = first.len() + last.len();
        let text = owned(py, ffi::PyUnicode_New(length as isize, 127))?;
        let data = crate::raw::ascii_data(text.as_ptr());
        ptr::copy_nonoverlapping(first.as_ptr(), data, first.len());
        ptr::copy_nonoverlapping(last.as_ptr(), data.add(first.len()), last.len());
        Ok(text)
    }
}

/// The UTF-8 text of a `str`; `None` when it holds lone surrogates (or memory ran out): then only Python can handle it.
#[inline]
pub fn utf8<'a>(text: &'a Obj<'_>) -> Option<&'a str> {
    debug_assert!(is_str_like(text));
    // SAFETY: a str, alive as long as the result is borrowed from it. Its UTF-8 form is cached in the object (for ASCII it is
    // the object's own data), never moves, and is valid UTF-8.
    unsafe {
        if let Some(characters) = crate::raw::ascii(text.as_borrowed()) {
            return Some(std::str::from_utf8_unchecked(characters));
        }
        let mut length = 0;
        let data = ffi::PyUnicode_AsUTF8AndSize(text.as_ptr(), &raw mut length);
        if data.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(std::str::from_utf8_unchecked(std::slice::from_raw_parts(
            data.cast::<u8>(),
            length as usize,
        )))
    }
}

/// Is the text of a `str` ASCII throughout? (A flag of the object.)
#[inline]
pub fn is_ascii(text: &Obj<'_>) -> bool {
    crate::raw::ascii(text.as_borrowed()).is_some()
}

/// So many characters of a text at most.
#[derive(Clone, Copy)]
pub struct Most {
    /// If they are all ASCII, and so stand there in UTF-8.
    pub ascii: usize,
    /// If they are not, and have to be encoded, and decoded where somebody wants a `str` again: 2 to 5 ns each.
    pub wide: usize,
}

impl Most {
    /// However long.
    pub const ANY: Most = Most {
        ascii: usize::MAX,
        wide: usize::MAX,
    };
}

/// The UTF-8 text of an exact `str` of at most so many characters, and whether that is ASCII; `None` for anything else and where
/// [`utf8`] gives none.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "asked for each value that is written: 40 instructions by a call, 15 without"
)]
pub fn text_of<'a>(text: &'a Obj<'_>, most: Most) -> Option<(&'a str, bool)> {
    match ascii_of(text) {
        Some(characters) => (characters.len() <= most.ascii).then_some((characters, true)),
        None => wide_text_of(text, most),
    }
}

/// The text of an exact `str` that is ASCII, by reads alone; `None` for anything else, and without raw reads.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `text_of`")]
pub fn ascii_of<'a>(text: &'a Obj<'_>) -> Option<&'a str> {
    // SAFETY: ASCII, borrowed from the object.
    crate::raw::ascii_at_once(text.as_borrowed())
        .map(|characters| unsafe { std::str::from_utf8_unchecked(characters) })
}

/// The same for a text that is not ASCII, or without raw reads.
#[inline(never)]
fn wide_text_of<'a>(text: &'a Obj<'_>, most: Most) -> Option<(&'a str, bool)> {
    // Without raw reads nobody knows yet whether it is.
    let most = if crate::raw::enabled() {
        most.wide
    } else {
        most.ascii
    };
    if !is_str(text) || str_len(text) > most {
        return None;
    }
    // As many bytes as characters: ASCII.
    utf8(text).map(|utf8| (utf8, utf8.len() == str_len(text)))
}

/// Does an exact `str` end in a newline?
pub fn ends_in_newline(text: &Obj<'_>) -> bool {
    debug_assert!(is_str(text));
    let length = str_len(text) as isize;
    // SAFETY: a str, and a character that it has.
    length > 0 && unsafe { ffi::PyUnicode_ReadChar(text.as_ptr(), length - 1) } == u32::from(b'\n')
}

/// Hands `body` the digits of `value` as Python itself writes them under format code `code` (one of `e f g E F G r`).
pub fn with_double<R>(
    _py: Python<'_>,
    value: f64,
    code: u8,
    precision: i32,
    alternate: bool,
    add_dot_0: bool,
    body: impl FnOnce(&[u8]) -> R,
) -> Res<R> {
    /// Frees the digits, however the body ends.
    struct Digits(*mut c_char);
    impl Drop for Digits {
        fn drop(&mut self) {
            // SAFETY: allocated by PyOS_double_to_string, freed once.
            unsafe { ffi::PyMem_Free(self.0.cast()) }
        }
    }
    let flags = if alternate { 4 } else { 0 } | if add_dot_0 { 2 } else { 0 };
    // SAFETY: attached; the result is a zero-terminated allocation which is ours to free.
    unsafe {
        let digits =
            ffi::PyOS_double_to_string(value, code as c_char, precision, flags, ptr::null_mut());
        if digits.is_null() {
            return Err(Raised(()));
        }
        let digits = Digits(digits);
        Ok(body(CStr::from_ptr(digits.0).to_bytes()))
    }
}

/// Is `obj` exactly a `float`?
#[inline]
pub fn is_float(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::PyFloat_CheckExact(obj.as_ptr()) != 0 }
}

/// Is `obj` `True` or `False`?
#[inline]
pub fn is_bool(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::PyBool_Check(obj.as_ptr()) != 0 }
}

/// Nanoseconds since the epoch, as `CPython`'s `_PyTime_GetSystemClock` reads them.
#[inline]
pub fn system_clock() -> i64 {
    #[cfg(unix)]
    {
        let mut now = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: fills the structure it is given. `SystemTime::now` does the same and 70 instructions more.
        unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now) };
        #[allow(clippy::unnecessary_cast, reason = "32 bits on some platforms")]
        return (now.tv_sec as i64)
            .saturating_mul(1_000_000_000)
            .saturating_add(now.tv_nsec as i64);
    }
    #[cfg(not(unix))]
    match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX),
    }
}

/// Date and time of a Unix second, in local time or UTC; `None` where the platform has no answer (Python then raises).
pub fn civil_time(second: i64, local: bool) -> Option<femtolog_core::clock::CivilTime> {
    #[cfg(unix)]
    {
        let second = libc::time_t::try_from(second).ok()?;
        // SAFETY: plain data that the C library fills; localtime_r is what `time.localtime` itself calls.
        let parts = unsafe {
            let mut parts: libc::tm = std::mem::zeroed();
            let filled = if local {
                libc::localtime_r(&raw const second, &raw mut parts)
            } else {
                libc::gmtime_r(&raw const second, &raw mut parts)
            };
            if filled.is_null() {
                return None;
            }
            parts
        };
        Some(femtolog_core::clock::CivilTime {
            year: parts.tm_year + 1900,
            month: u8::try_from(parts.tm_mon + 1).ok()?,
            day: u8::try_from(parts.tm_mday).ok()?,
            hour: u8::try_from(parts.tm_hour).ok()?,
            minute: u8::try_from(parts.tm_min).ok()?,
            second: u8::try_from(parts.tm_sec).ok()?,
            // C counts from Sunday, CivilTime as Python's tm_wday from Monday.
            weekday: u8::try_from((parts.tm_wday + 6) % 7).ok()?,
            yearday: u16::try_from(parts.tm_yday + 1).ok()?,
        })
    }
    #[cfg(not(unix))]
    {
        let _ = (second, local);
        None
    }
}

/// `None`
#[inline]
pub fn none(py: Python<'_>) -> Obj<'_> {
    py.None().into_bound(py)
}

/// `True` or `False`
#[inline]
pub fn boolean(py: Python<'_>, value: bool) -> Obj<'_> {
    // SAFETY: attached; the two singletons live for ever.
    unsafe {
        Bound::from_borrowed_ptr(
            py,
            if value {
                ffi::Py_True()
            } else {
                ffi::Py_False()
            },
        )
    }
}

/// Guards native recursion by the interpreter's own limit: `RecursionError` instead of a crashed stack.
pub fn guarded_recursion<T>(_py: Python<'_>, body: impl FnOnce() -> Res<T>) -> Res<T> {
    // SAFETY: attached; each successful Enter is paired with one Leave. `body` unwinding is caught at the entry point, where
    // the depth is one too high for a moment only on a path that is a bug already.
    unsafe {
        if ffi::Py_EnterRecursiveCall(c" while logging".as_ptr()) != 0 {
            return Err(Raised(()));
        }
        let result = body();
        ffi::Py_LeaveRecursiveCall();
        result
    }
}

/// A borrowed view of an object that lives as long as the process.
///
/// Only for pointers that this crate keeps alive for ever (interned names, the objects saved when binding).
#[inline]
pub fn immortal(py: Python<'_>, object: *mut ffi::PyObject) -> Ref<'static, '_> {
    debug_assert!(!object.is_null());
    // SAFETY: the only callers pass pointers of tables that are filled once with owned references and never released.
    unsafe { borrowed(py, object) }
}

/// A new reference to an interned `str` of UTF-8 bytes.
pub fn interned_text<'py>(py: Python<'py>, text: &[u8]) -> Res<Obj<'py>> {
    // Such of one character the interpreter has already, and shares.
    let copied = text.is_ascii() && text.len() > 1;
    let mut object = text_from_utf8(py, text, copied)?.into_ptr();
    // SAFETY: attached; a new, exact str, whose reference is exchanged for one to the interned object.
    unsafe {
        ffi::PyUnicode_InternInPlace(&raw mut object);
        owned(py, object)
    }
}

/// A borrowed view of an object on the caller's stack (see [`crate::call::Call`], which promises its lifetime) or in a dict that
/// does not change meanwhile (see [`crate::globals::Module::peek`], and `threading._active` in [`crate::context`]).
#[inline]
pub fn lent<'a>(py: Python<'_>, object: *mut ffi::PyObject) -> Ref<'a, '_> {
    debug_assert!(!object.is_null());
    // SAFETY: `Call` and `Args` pass pointers here, which the interpreter keeps alive for the call; the others what a table, a module or an
    // object that one of them holds has as long as no Python code runs; or what is never released.
    unsafe { borrowed(py, object) }
}

/// `Borrowed::from_ptr` without its question whether there is an object: two instructions and a way to panic for each.
///
/// # Safety
/// As there; not null.
#[inline(always)]
#[allow(clippy::inline_always, reason = "nothing remains of it")]
unsafe fn borrowed<'a>(py: Python<'_>, object: *mut ffi::PyObject) -> Ref<'a, '_> {
    debug_assert!(!object.is_null());
    // SAFETY: the caller's.
    unsafe { Borrowed::from_ptr_or_opt(py, object).unwrap_unchecked() }
}

/// Object `index` of an array on the caller's stack.
#[inline]
pub fn lent_at<'a>(py: Python<'_>, array: *const *mut ffi::PyObject, index: usize) -> Ref<'a, '_> {
    // SAFETY: `Call` and `Args` check the index against the number of arguments.
    unsafe { borrowed(py, *array.add(index)) }
}

/// The array from its item `start` on.
#[inline]
pub fn offset(array: *const *mut ffi::PyObject, start: usize) -> *const *mut ffi::PyObject {
    if start == 0 {
        return array;
    }
    // SAFETY: `start` is at most the array's length (checked by `Call::rest`).
    unsafe { array.add(start) }
}

/// The items of a tuple as an array; valid as long as the tuple.
#[inline]
pub fn tuple_items(tuple: &Obj<'_>) -> (*const *mut ffi::PyObject, usize) {
    debug_assert!(is_tuple(tuple));
    // SAFETY: an exact tuple; its items follow its header and never change.
    unsafe {
        (
            (&raw const (*tuple.as_ptr().cast::<ffi::PyTupleObject>()).ob_item).cast(),
            tuple_len(tuple),
        )
    }
}

/// A tuple of the first `count` objects of an array on the caller's stack. `untraced` as for [`crate::raw::take_tuple`].
#[cfg_attr(Py_GIL_DISABLED, allow(unused_variables, reason = "none is kept"))]
pub fn tuple_of(
    py: Python<'_>,
    array: *const *mut ffi::PyObject,
    count: usize,
    untraced: Option<Untraced>,
) -> Res<Obj<'_>> {
    // SAFETY: `Args` keeps `count` within the array; each slot of the new tuple is filled once with an owned reference.
    unsafe {
        #[cfg(not(Py_GIL_DISABLED))]
        if let Some(tuple) = crate::raw::take_tuple(py, untraced, array, count) {
            return Ok(tuple);
        }
        let tuple = owned(py, ffi::PyTuple_New(count as isize))?;
        for index in 0..count {
            let item = *array.add(index);
            ffi::Py_INCREF(item);
            ffi::PyTuple_SET_ITEM(tuple.as_ptr(), index as isize, item);
        }
        if !is_for_collector(array, count) {
            ffi::PyObject_GC_UnTrack(tuple.as_ptr().cast());
        }
        Ok(tuple)
    }
}

/// Does the interpreter show a new tuple of these to its collector? Since 3.14 only one with an item of a type that has to do with it.
///
/// # Safety
/// `count` live objects.
#[inline]
pub unsafe fn is_for_collector(array: *const *mut ffi::PyObject, count: usize) -> bool {
    // SAFETY: the caller's promise.
    let has_to_do = |nth| unsafe {
        ffi::PyType_HasFeature(ffi::Py_TYPE(*array.add(nth)), ffi::Py_TPFLAGS_HAVE_GC) != 0
    };
    cfg!(not(Py_3_14)) || (0..count).any(has_to_do)
}
