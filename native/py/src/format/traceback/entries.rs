//! Entries of tracebacks and stacks that the interpreter's `traceback` has rendered before.
//!
//! The text of an entry follows from the code object, the instruction and the lines of source it shows. Kept are those
//! lines themselves: an entry holds as long as `linecache` holds the very same strings in their places.
//!
//! The table is one for all threads: a copy of each thread's own would take a megabyte. Nothing but the look into the table itself
//! happens while it is locked; whoever found an entry has a reference to it, and so to what it depends on, before it is compared.
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use pyo3::prelude::*;
use smallvec::SmallVec;

use super::source::Lines;
use crate::cell::{Common, Field};
use crate::ffi::{self as py_ffi, HeldByAll, Obj};

/// Which entry of which kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// The code object, which the kept entry owns: no other can be at this address as long as the entry is there.
    pub code: usize,
    /// `tb_lasti` of a traceback's entry, -2 for a stack's, which shows a line and no part of it.
    pub offset: i32,
    /// The line of a stack's entry; of a traceback's what the entry has on it.
    pub line: i32,
}

/// An entry and what it depends on.
pub struct Kept {
    pub text: Box<str>,
    pub ascii: bool,
    /// The line it shows.
    pub line: i32,
    code: HeldByAll,
    /// The lines of source the entry shows, as `linecache` has them; `None` for one that is not there.
    shown: SmallVec<[Option<HeldByAll>; 2]>,
}

/// A kept entry. Dropping the last reference gives up a code object, which may run Python code.
pub type Entry = Common<Kept>;

impl Kept {
    pub fn new(code: &Obj<'_>, text: &str, ascii: bool, line: i32, shown: Shown<'_>) -> Self {
        Kept {
            text: text.into(),
            ascii,
            line,
            code: HeldByAll::new(code.clone()),
            shown: shown
                .into_iter()
                .map(|line| line.map(HeldByAll::new))
                .collect(),
        }
    }

    /// Are the lines it shows what `lines` holds now?
    fn holds(&self, lines: &Lines<'_>) -> bool {
        self.shown.iter().enumerate().all(|(nth, kept)| {
            let kept = kept
                .as_ref()
                .map_or(std::ptr::null_mut(), HeldByAll::address);
            match index(lines, self.line, nth) {
                Some((lines, index)) => py_ffi::list_holds(lines, index, kept),
                None => kept.is_null(),
            }
        })
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

type Table = HashMap<Key, Entry, BuildHasherDefault<Mix>>;

/// When the table is full it is emptied: what is in use comes back at the cost of one rendering each.
const ROOM: usize = 2048;
static TABLE: Field<Option<Table>> = Field::new(None);

/// The lines of source an entry shows; `None` for one that is not there.
pub type Shown<'py> = SmallVec<[Option<Obj<'py>>; 2]>;

/// The lines that an entry from line `first` on, `count` of them, shows.
pub fn shown<'py>(lines: &Lines<'py>, first: i32, count: usize) -> Shown<'py> {
    (0..count)
        .map(|nth| {
            index(lines, first, nth).and_then(|(lines, index)| py_ffi::list_item(lines, index))
        })
        .collect()
}

/// Where `linecache.getline` finds line `first + nth`, if it is there.
#[inline]
fn index<'a, 'py>(lines: &'a Lines<'py>, first: i32, nth: usize) -> Option<(&'a Obj<'py>, usize)> {
    match lines {
        Lines::Of(lines) if first >= 1 => Some((lines, first as usize - 1 + nth)),
        // Line 0 and what lies before it: callers keep no entry that starts there.
        _ => None,
    }
}

/// The entry, if it has been rendered and shows what `lines` holds now.
#[inline]
pub fn find(py: Python<'_>, key: Key, lines: &Lines<'_>) -> Option<Entry> {
    TABLE
        .with(py, |table| table.as_ref()?.get(&key).cloned())
        .filter(|entry| entry.holds(lines))
}

/// Keeps an entry that the interpreter rendered.
pub fn keep(py: Python<'_>, key: Key, entry: Kept) {
    debug_assert!(key.code == entry.code.address() as usize);
    let entry = Entry::new(entry);
    let (full, old) = TABLE.with(py, |table| {
        let table = table.get_or_insert_default();
        let full = (table.len() >= ROOM).then(|| std::mem::take(table));
        (full, table.insert(key, entry))
    });
    // The references go only now: giving up a code object may run Python code.
    drop((full, old));
}
