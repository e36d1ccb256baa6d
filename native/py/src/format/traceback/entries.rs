//! Entries of tracebacks and stacks that the interpreter's `traceback` has rendered before.
//!
//! The text of an entry follows from the code object, the instruction and the lines of source it shows. Kept are those
//! lines themselves: an entry holds as long as `linecache` holds the very same strings in their places.
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use pyo3::ffi;
use pyo3::prelude::*;
use smallvec::SmallVec;

use super::source::Lines;
use crate::cell::{Counted, Shared};
use crate::ffi::{self as py_ffi, Obj};

/// Which entry of which kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// The code object, which the kept entry owns.
    pub code: usize,
    /// `tb_lasti` of a traceback's entry, -2 for a stack's, which shows a line and no part of it.
    pub offset: i32,
    /// The line of a stack's entry; of a traceback's what the entry has on it.
    pub line: i32,
}

/// What is known of an entry.
#[derive(Clone)]
pub struct Entry {
    pub text: Counted<str>,
    pub ascii: bool,
    /// The line it shows.
    pub line: i32,
}

/// An entry and what it depends on. Pointers are owned.
struct Kept {
    code: *mut ffi::PyObject,
    entry: Entry,
    /// The lines of source the entry shows, as `linecache` has them; null for one that is not there.
    shown: SmallVec<[*mut ffi::PyObject; 2]>,
}

impl Kept {
    fn release(self, py: Python<'_>) {
        py_ffi::release_all(py, &[self.code]);
        py_ffi::release_all(py, &self.shown);
    }
}

/// Keys are addresses: multiplying mixes them well enough, at a tenth of the cost of the standard hasher.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
    fn write_i32(&mut self, value: i32) {
        self.write_u64(u64::from(value as u32));
    }
}

type Table = HashMap<Key, Kept, BuildHasherDefault<Mix>>;

/// When the table is full it is emptied: what is in use comes back at the cost of one rendering each.
const ROOM: usize = 2048;
static TABLE: Shared<Option<Table>> = Shared::new(None);

/// The lines of source an entry shows; `None` for one that is not there.
pub type Shown<'py> = SmallVec<[Option<Obj<'py>>; 2]>;

/// The lines that an entry from line `first` on, `count` of them, shows.
pub fn shown<'py>(py: Python<'py>, lines: &Lines<'py>, first: i32, count: usize) -> Shown<'py> {
    let own = |line: *mut ffi::PyObject| {
        (!line.is_null()).then(|| {
            let [line] = py_ffi::own_all(py, [line]);
            line
        })
    };
    (0..count)
        .map(|nth| own(line_at(lines, first, nth)))
        .collect()
}

/// Line `first + nth` as `linecache.getline` finds it, borrowed; null when there is no such line.
#[inline]
fn line_at(lines: &Lines<'_>, first: i32, nth: usize) -> *mut ffi::PyObject {
    match lines {
        Lines::Of(lines) if first >= 1 => py_ffi::list_pointer(lines, first as usize - 1 + nth),
        // Line 0 and what lies before it: callers keep no entry that starts there.
        _ => std::ptr::null_mut(),
    }
}

/// The entry, if it has been rendered and shows what `lines` holds now.
#[inline]
pub fn find(py: Python<'_>, key: Key, lines: &Lines<'_>) -> Option<Entry> {
    TABLE.with(py, |table| {
        let kept = table.as_ref()?.get(&key)?;
        let first = kept.entry.line;
        kept.shown
            .iter()
            .enumerate()
            .all(|(nth, line)| line_at(lines, first, nth) == *line)
            .then(|| kept.entry.clone())
    })
}

/// Keeps an entry that the interpreter rendered, and the lines it shows.
pub fn keep(code: &Obj<'_>, key: Key, entry: Entry, shown: Shown<'_>) {
    let py = code.py();
    debug_assert!(key.code == code.as_ptr() as usize);
    let kept = Kept {
        code: code.clone().into_ptr(),
        entry,
        shown: shown
            .into_iter()
            .map(|line| line.map_or(std::ptr::null_mut(), Bound::into_ptr))
            .collect(),
    };
    let (full, old) = TABLE.with(py, |table| {
        let table = table.get_or_insert_default();
        let full = (table.len() >= ROOM).then(|| std::mem::take(table));
        (full, table.insert(key, kept))
    });
    // The references go only now: giving up a code object may run Python code.
    for kept in full.into_iter().flat_map(HashMap::into_values).chain(old) {
        kept.release(py);
    }
}
