//! Where `CPython` keeps what we read: one table of offsets per minor version, nothing else.
//!
//! The numbers were measured with `offsetof` against each version's own headers (64-bit, default build) and are proven
//! again by `selftest` every time the extension is loaded. Free-threaded and debug builds have no table: none of these
//! reads is legal there. (What is, stands in `parallel`.)
use pyo3::ffi;
use std::mem::offset_of;

/// The minor version this table describes.
pub(super) const MINOR: u64 = if cfg!(Py_3_15) {
    15
} else if cfg!(Py_3_14) {
    14
} else if cfg!(Py_3_13) {
    13
} else if cfg!(Py_3_12) {
    12
} else {
    11
};

/// True when this build has a table at all; what is false at compile time leaves no raw read in the binary.
pub(super) const KNOWN: bool = cfg!(all(
    not(Py_GIL_DISABLED),
    not(py_sys_config = "Py_DEBUG"),
    not(py_sys_config = "Py_TRACE_REFS"),
    target_pointer_width = "64",
    target_endian = "little",
    unix
)) && offset_of!(ffi::PyTypeObject, tp_version_tag) == 384
    && offset_of!(ffi::PyHeapTypeObject, ht_cached_keys) == TYPE_CACHED_KEYS
    && offset_of!(ffi::PyDictObject, ma_keys) == 32;

/// Is an `RLock` of this build as `rlock` says? From 3.14 on its fields are made to be used without a GIL.
pub(super) const LOCKS_KNOWN: bool = KNOWN
    || cfg!(all(
        Py_GIL_DISABLED,
        Py_3_14,
        not(py_sys_config = "Py_DEBUG"),
        target_pointer_width = "64",
        unix
    ));

const TYPE_CACHED_KEYS: usize = match MINOR {
    11 => 872,
    12..=14 => 880,
    _ => 888,
};

/// `PyThreadState`: the pointer to the running frame, on 3.11 and 3.12 to the `_PyCFrame` that holds it.
pub(super) const TSTATE_FRAME: usize = if MINOR <= 12 { 56 } else { 72 };
/// `_PyCFrame.current_frame` (3.11 and 3.12).
pub(super) const CFRAME_CURRENT: usize = if MINOR == 11 { 8 } else { 0 };

/// `_PyInterpreterFrame`: code object (a tagged reference from 3.14 on), caller's frame, instruction, owner.
pub(super) const FRAME_CODE: usize = if MINOR == 11 { 32 } else { 0 };
pub(super) const FRAME_PREVIOUS: usize = if MINOR == 11 { 48 } else { 8 };
pub(super) const FRAME_INSTRUCTION: usize = 56;
pub(super) const FRAME_OWNER: usize = match MINOR {
    11 => 69,
    12 | 13 => 70,
    _ => 74,
};
/// `PyCodeObject`: first instruction at which a frame counts as started (in code units), and the instructions.
pub(super) const CODE_FIRST_TRACEABLE: usize = match MINOR {
    11 => 168,
    12 => 176,
    13 => 184,
    _ => 192,
};
pub(super) const CODE_INSTRUCTIONS: usize = match MINOR {
    11 => 184,
    12 => 192,
    13 => 200,
    _ => 208,
};

/// `PyLongObject`: sign and length word, first digit. Free-threaded builds have a larger object head; nothing of an int ever
/// changes, so that it may be read there too.
pub(super) const LONG_TAG: usize = if cfg!(Py_GIL_DISABLED) { 32 } else { 16 };
pub(super) const LONG_DIGIT: usize = LONG_TAG + 8;

/// `PyASCIIObject`: the length, the state's first byte with its "compact" and "ascii" bits, and the characters behind.
pub(super) const STR_LENGTH: usize = 16;
pub(super) const STR_STATE: usize = 32;
pub(super) const STR_COMPACT_ASCII: u8 = 0x60;
pub(super) const STR_ASCII_DATA: usize = if MINOR == 11 { 48 } else { 40 };

/// The head of `PyDictKeysObject`, the same in 3.11 to 3.15; the index table and the entries follow it.
#[repr(C)]
pub struct Keys {
    pub(super) refcount: isize,
    pub(super) log2_size: u8,
    pub(super) log2_index_bytes: u8,
    pub(super) kind: u8,
    pub(super) version: u32,
    pub(super) usable: isize,
    pub(super) entries: isize,
}
const _: () = assert!(
    size_of::<Keys>() == 32 && offset_of!(Keys, entries) == 24 && offset_of!(Keys, kind) == 10
);

/// An entry of a table whose keys are all `str`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct UnicodeEntry {
    pub key: *mut ffi::PyObject,
    pub value: *mut ffi::PyObject,
}

/// An entry of a table with any keys.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct GeneralEntry {
    pub hash: isize,
    pub key: *mut ffi::PyObject,
    pub value: *mut ffi::PyObject,
}

/// Reads a field.
///
/// # Safety
/// `base + offset` holds an initialised `T`.
#[inline(always)]
pub(super) unsafe fn field<T: Copy>(base: *const u8, offset: usize) -> T {
    // SAFETY: the caller's promise; fields of C structures are aligned.
    unsafe { base.add(offset).cast::<T>().read() }
}
