//! Exact `int` and compact ASCII `str`, without a call into the interpreter.
use super::layout::{
    LONG_DIGIT, LONG_TAG, STR_ASCII_DATA, STR_COMPACT_ASCII, STR_LENGTH, STR_STATE, field,
};
use pyo3::prelude::*;
use pyo3::{Borrowed, ffi};

/// The value of an exact `int` that fits 64 bits; `None` for anything else, a subclass and `bool` included.
/// One digit (|n| < 2³⁰, every level) costs 1 ns, the call 4.
#[inline]
#[must_use]
pub fn small_int(obj: &Bound<'_, PyAny>) -> Option<i64> {
    // SAFETY: the object is alive as long as the borrow; an exact int begins with its tag word and has a digit.
    unsafe {
        if ffi::PyLong_CheckExact(obj.as_ptr()) == 0 {
            return None;
        }
        if super::reads_instances() {
            let base = obj.as_ptr().cast::<u8>();
            if let Some(value) = one_digit(field(base, LONG_TAG), field(base, LONG_DIGIT)) {
                return Some(value);
            }
        }
        let mut overflow = 0;
        let value = ffi::PyLong_AsLongLongAndOverflow(obj.as_ptr(), &raw mut overflow);
        if overflow == 0 { Some(value) } else { None }
    }
}

/// The value of an exact `int` of one digit that is not negative, as every level is; `None` for any other. Calls nothing.
#[inline(always)]
#[must_use]
pub fn level_number(obj: &Bound<'_, PyAny>) -> Option<usize> {
    if super::reads_instances() {
        plain_level(obj)
    } else {
        None
    }
}

/// The same of two.
#[inline(always)]
#[must_use]
pub fn level_numbers(one: &Bound<'_, PyAny>, other: &Bound<'_, PyAny>) -> Option<(usize, usize)> {
    if super::reads_instances() {
        Some((plain_level(one)?, plain_level(other)?))
    } else {
        None
    }
}

#[inline(always)]
pub(super) fn plain_level(obj: &Bound<'_, PyAny>) -> Option<usize> {
    // SAFETY: the object is alive as long as the borrow; an exact int begins with its tag word and has a digit.
    unsafe {
        if ffi::PyLong_CheckExact(obj.as_ptr()) == 0 {
            return None;
        }
        let base = obj.as_ptr().cast::<u8>();
        unsigned_digit(field(base, LONG_TAG), field(base, LONG_DIGIT))
    }
}

/// Decodes an int of at most one digit that is not negative, as [`one_digit`] does: a zero has a digit, too, which is 0.
#[inline(always)]
fn unsigned_digit(tag: usize, digit: u32) -> Option<usize> {
    /// What may be set: that it is zero, that it is one of those that are always there (3.14+), that it has one digit.
    const PLAIN: usize = 0b1101;
    if cfg!(Py_3_12) {
        (tag & !PLAIN == 0).then_some(digit as usize)
    } else {
        usize::try_from(one_digit(tag, digit)?).ok()
    }
}

/// Decodes an int of at most one digit. 3.11: the word is the signed number of digits. Later: digits from bit 3 on, the
/// sign in the lowest two (0 positive, 1 zero, 2 negative).
#[inline(always)]
pub(super) fn one_digit(tag: usize, digit: u32) -> Option<i64> {
    if cfg!(Py_3_12) {
        (tag < 16).then(|| (1 - (tag & 3) as i64) * i64::from(digit))
    } else {
        match tag as isize {
            0 => Some(0),
            1 => Some(i64::from(digit)),
            -1 => Some(-i64::from(digit)),
            _ => None,
        }
    }
}

/// Where the characters of a new `str` for ASCII go. From 3.14 on the interpreter answers that by a call.
///
/// # Safety
/// A live one.
#[inline(always)]
#[must_use]
pub unsafe fn ascii_data(text: *mut ffi::PyObject) -> *mut u8 {
    // SAFETY: the caller's promise; its characters follow its head.
    unsafe {
        if super::enabled() {
            text.cast::<u8>().add(STR_ASCII_DATA)
        } else {
            ffi::PyUnicode_DATA(text).cast()
        }
    }
}

/// The characters of an exact `str` that is pure ASCII, borrowed from it, by reads alone; `None` for any other object, and without
/// raw reads.
#[inline(always)]
#[must_use]
pub fn ascii_at_once<'a>(text: Borrowed<'a, '_, PyAny>) -> Option<&'a [u8]> {
    if !super::enabled() {
        return None;
    }
    // SAFETY: the text lives as long as the borrow and never changes.
    unsafe {
        if ffi::PyUnicode_CheckExact(text.as_ptr()) == 0 {
            return None;
        }
        let base = text.as_ptr().cast::<u8>().cast_const();
        let state: u8 = field(base, STR_STATE);
        (state & STR_COMPACT_ASCII == STR_COMPACT_ASCII)
            .then(|| std::slice::from_raw_parts(base.add(STR_ASCII_DATA), field(base, STR_LENGTH)))
    }
}

/// The characters of an exact `str` that is pure ASCII, borrowed from it; `None` for any other object.
#[inline]
#[must_use]
pub fn ascii<'a>(text: Borrowed<'a, '_, PyAny>) -> Option<&'a [u8]> {
    if super::enabled() {
        return ascii_at_once(text);
    }
    let ptr = text.as_ptr();
    // SAFETY: as above.
    unsafe {
        if ffi::PyUnicode_CheckExact(ptr) == 0 {
            return None;
        }
        let mut length = 0;
        let data = ffi::PyUnicode_AsUTF8AndSize(ptr, &raw mut length);
        if data.is_null() {
            ffi::PyErr_Clear(); // a lone surrogate: not ASCII
            return None;
        }
        // As many bytes as characters: ASCII.
        (length == ffi::PyUnicode_GetLength(ptr))
            .then(|| std::slice::from_raw_parts(data.cast(), length as usize))
    }
}

/// A `str` of ASCII bytes, copied without decoding; `None` with an exception set when memory is out.
///
/// Bytes that are not ASCII are decoded as UTF-8 (`None` with a `UnicodeDecodeError` set if they are not that either).
#[inline]
#[must_use]
pub fn new_ascii<'py>(py: Python<'py>, bytes: &[u8]) -> Option<Bound<'py, PyAny>> {
    debug_assert!(bytes.is_ascii());
    // SAFETY: a new string of that length has room for it and is nobody else's yet. The interpreter shares strings of
    // length 0 and 1, which must not be written to: those are asked for.
    unsafe {
        let text = if super::enabled() && bytes.len() > 1 && bytes.is_ascii() {
            let text = ffi::PyUnicode_New(bytes.len() as isize, 127);
            if !text.is_null() {
                std::ptr::copy_nonoverlapping(
                    bytes.as_ptr(),
                    text.cast::<u8>().add(STR_ASCII_DATA),
                    bytes.len(),
                );
            }
            text
        } else {
            ffi::PyUnicode_FromStringAndSize(bytes.as_ptr().cast(), bytes.len() as isize)
        };
        Bound::from_owned_ptr_or_opt(py, text)
    }
}
