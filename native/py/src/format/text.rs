//! The text of a formatted record: bytes while only we have touched it, a Python object once Python made it.
use femtolog_core::plan::Literal;
use pyo3::prelude::*;
use smallvec::SmallVec;

use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Obj, Res};

/// UTF-8 text under construction, and whether it is ASCII so far (an ASCII str is made without a scan).
///
/// Long texts are not copied but stand apart: where a `str` is wanted in the end, to encode and decode them would take longer than all
/// else, and the interpreter copies them as they are.
pub struct Buffer<'py> {
    bytes: Vec<u8>,
    wide: bool,
    /// The texts that are not among the bytes, each with the number of bytes before it.
    apart: Vec<(usize, Obj<'py>)>,
    py: Python<'py>,
}

/// A place in a [`Buffer`] to come back to.
#[derive(Clone, Copy)]
pub struct Mark {
    length: usize,
    wide: bool,
    apart: usize,
}

/// A buffer nobody uses at the moment: making and freeing one for each line costs 30 ns.
static SPARE: Shared<Vec<u8>> = Shared::new(Vec::new());

/// A buffer that has grown beyond this is given back to the system.
const KEPT: usize = 16 * 1024;

impl Drop for Buffer<'_> {
    #[inline]
    fn drop(&mut self) {
        give_back(self.py, std::mem::take(&mut self.bytes));
    }
}

/// Keeps it for the next line.
#[inline]
fn give_back(py: Python<'_>, mut bytes: Vec<u8>) {
    if bytes.capacity() <= KEPT {
        bytes.clear();
        // One kept meanwhile for another thread is freed.
        drop(SPARE.with(py, |spare| std::mem::replace(spare, bytes)));
    }
}

impl<'py> Buffer<'py> {
    /// An empty buffer with room for a usual line.
    #[inline]
    pub fn new(py: Python<'py>) -> Self {
        let mut bytes = SPARE.with(py, std::mem::take);
        if bytes.capacity() == 0 {
            bytes.reserve(240);
        }
        Buffer {
            bytes,
            wide: false,
            apart: Vec::new(),
            py,
        }
    }

    /// The token of the thread that builds it.
    #[inline]
    pub fn py(&self) -> Python<'py> {
        self.py
    }

    /// Appends text; `ascii` promises that it is.
    #[inline]
    pub fn push(&mut self, text: &str, ascii: bool) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.wide |= !ascii;
    }

    /// Appends a part of a format, which says of all of them whether they are ASCII: see [`Buffer::widen_unless`].
    #[inline]
    pub fn push_literal(&mut self, literal: &Literal) {
        literal.push_to(&mut self.bytes);
    }

    /// [`Self::push`] for a text that as a rule is short.
    #[inline]
    pub fn push_known(&mut self, text: &str, ascii: bool) {
        self.append(text);
        self.wide |= !ascii;
    }

    /// Appends text; true. That it is ASCII the caller knows, or says. A function of its own: not each of its callers has to keep registers
    /// for it.
    #[inline(never)]
    pub fn append(&mut self, text: &str) -> bool {
        match short_block(text.as_bytes()) {
            Some(block) if self.bytes.capacity() - self.bytes.len() >= block.len() => {
                let end = self.bytes.len() + text.len();
                self.bytes.extend_from_slice(&block);
                self.bytes.truncate(end);
                true
            }
            _ => self.append_longer(text),
        }
    }

    /// The same for a text of another length; up to 32 bytes it is two blocks that overlap, and no call.
    #[inline(never)]
    fn append_longer(&mut self, text: &str) -> bool {
        let bytes = text.as_bytes();
        match (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
            (Some(first), Some(last)) if bytes.len() <= 32 => {
                let start = self.bytes.len();
                self.bytes.reserve(32);
                self.bytes.extend_from_slice(first);
                self.bytes.truncate(start + bytes.len() - 16);
                self.bytes.extend_from_slice(last);
                true
            }
            _ => self.append_any(text),
        }
    }

    #[inline(never)]
    fn append_any(&mut self, text: &str) -> bool {
        self.bytes.extend_from_slice(text.as_bytes());
        true
    }

    /// The same for a text that is mostly one character.
    #[inline]
    pub fn push_short(&mut self, text: &str) -> bool {
        if let [byte] = text.as_bytes()
            && self.bytes.len() < self.bytes.capacity()
        {
            self.bytes.push(*byte);
            true
        } else {
            self.append(text)
        }
    }

    /// Appends an exact `str` as it is, whatever is in it, without a copy.
    #[inline(never)]
    pub fn push_apart(&mut self, text: &Obj<'py>) {
        debug_assert!(py_ffi::is_str(text));
        self.apart.push((self.bytes.len(), text.clone()));
    }

    /// The number of characters so far.
    pub fn characters(&self) -> usize {
        let here = if self.wide {
            // Every byte but the continuation bytes of UTF-8 starts one.
            self.bytes
                .iter()
                .filter(|byte| **byte & 0xc0 != 0x80)
                .count()
        } else {
            self.bytes.len()
        };
        let apart = self.apart.iter().map(|(_, text)| py_ffi::str_len(text));
        here + apart.sum::<usize>()
    }

    /// The bytes, for renderers that append valid UTF-8.
    #[inline]
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// What is in it, in UTF-8. `None`, with nothing changed: it has none (a lone surrogate), or there is no memory for it.
    #[inline]
    pub fn utf8(&mut self) -> Option<&[u8]> {
        if !self.apart.is_empty() && !self.take_in() {
            return None;
        }
        Some(&self.bytes)
    }

    /// What is in it, unless something of it is too long to be copied.
    pub fn copied(&self) -> Option<&str> {
        let whole = self.apart.is_empty();
        whole.then(|| std::str::from_utf8(&self.bytes).ok())?
    }

    /// Puts what stands apart among the bytes; false, with nothing done, where [`Buffer::utf8`] gives none.
    #[cold]
    fn take_in(&mut self) -> bool {
        let mut all = self.bytes.len();
        for (_, text) in &self.apart {
            match py_ffi::utf8(text) {
                Some(text) => all += text.len(),
                None => return false,
            }
        }
        let mut whole = Vec::new();
        if whole.try_reserve_exact(all).is_err() {
            return false;
        }
        let mut done = 0;
        for (place, text) in std::mem::take(&mut self.apart) {
            whole.extend_from_slice(&self.bytes[done..place]);
            // Not without: each had it above, and it stays where it is.
            whole.extend_from_slice(py_ffi::utf8(&text).unwrap_or_default().as_bytes());
            self.wide |= !py_ffi::is_ascii(&text);
            done = place;
        }
        whole.extend_from_slice(&self.bytes[done..]);
        give_back(self.py, std::mem::replace(&mut self.bytes, whole));
        true
    }

    /// Is it ASCII? "No" also where nobody has looked.
    #[inline]
    pub fn is_ascii(&self) -> bool {
        !self.wide && self.apart.iter().all(|(_, text)| py_ffi::is_ascii(text))
    }

    /// Something that is not ASCII was appended, or may have been, unless it is known to be.
    #[inline]
    pub fn widen_unless(&mut self, ascii: bool) {
        self.wide |= !ascii;
    }

    /// This place.
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark {
            length: self.bytes.len(),
            wide: self.wide,
            apart: self.apart.len(),
        }
    }

    /// Forgets what was appended since.
    pub fn rewind(&mut self, mark: Mark) {
        self.bytes.truncate(mark.length);
        self.wide = mark.wide;
        self.apart.truncate(mark.apart);
    }

    /// Was a text appended since that stands apart?
    #[inline]
    pub fn has_apart_since(&self, mark: Mark) -> bool {
        self.apart.len() > mark.apart
    }

    /// What was appended since, as a `str`.
    #[inline]
    pub fn since(&self, mark: Mark) -> Res<Obj<'py>> {
        if self.has_apart_since(mark) {
            return self.joined(mark);
        }
        py_ffi::text_from_utf8(self.py, &self.bytes[mark.length..], !self.wide)
    }

    /// The same where something stands apart.
    #[cold]
    fn joined(&self, mark: Mark) -> Res<Obj<'py>> {
        let piece = |from: usize, to: usize| {
            py_ffi::text_from_utf8(self.py, &self.bytes[from..to], !self.wide)
        };
        let mut pieces: SmallVec<[Obj<'py>; 8]> = SmallVec::new();
        let mut done = mark.length;
        for (place, text) in &self.apart[mark.apart..] {
            if *place > done {
                pieces.push(piece(done, *place)?);
                done = *place;
            }
            pieces.push(text.clone());
        }
        if self.bytes.len() > done {
            pieces.push(piece(done, self.bytes.len())?);
        }
        match pieces.as_slice() {
            [only] => Ok(only.clone()),
            [first, second] => py_ffi::add(first, second),
            pieces => {
                let pieces: SmallVec<[&Obj<'py>; 8]> = pieces.iter().collect();
                py_ffi::join("", &py_ffi::new_tuple(self.py, &pieces)?)
            }
        }
    }

    /// Takes one newline off the end of the bytes, if there is one.
    pub fn pop_newline(&mut self) {
        if self.ends_line() {
            self.bytes.pop();
        }
    }

    /// Does the text end in a newline?
    pub fn ends_line(&self) -> bool {
        match self.apart.last() {
            Some((place, text)) if *place == self.bytes.len() => py_ffi::ends_in_newline(text),
            _ => self.bytes.last() == Some(&b'\n'),
        }
    }

    /// As a `str`.
    #[inline]
    pub fn object(&self, py: Python<'py>) -> Res<Obj<'py>> {
        if self.apart.is_empty() {
            return py_ffi::text_from_utf8(py, &self.bytes, !self.wide);
        }
        self.joined(Mark {
            length: 0,
            wide: false,
            apart: 0,
        })
    }
}

/// Four to 16 bytes at the beginning of a block of 16: two numbers that overlap, where `memcpy` takes twice the time.
#[inline(always)]
#[allow(clippy::inline_always, reason = "a third of `append`")]
fn short_block(bytes: &[u8]) -> Option<[u8; 16]> {
    let block = if let (Some(first), Some(last), 8..=16) =
        (bytes.first_chunk(), bytes.last_chunk(), bytes.len())
    {
        let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
        u128::from(first) | u128::from(last) << (8 * (bytes.len() - 8))
    } else if let (Some(first), Some(last), 4..=7) =
        (bytes.first_chunk(), bytes.last_chunk(), bytes.len())
    {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        u128::from(u64::from(first) | u64::from(last) << (8 * (bytes.len() - 4)))
    } else {
        return None;
    };
    Some(block.to_le_bytes())
}

/// What a formatter made of a record.
pub enum Text<'py> {
    /// Rendered natively.
    Bytes(Buffer<'py>),
    /// Whatever Python code returned; usually a str.
    Object(Obj<'py>),
}

impl<'py> Text<'py> {
    /// The number of characters; `None` when it is no plain `str`.
    pub fn characters(&self) -> Option<usize> {
        match self {
            Text::Bytes(buffer) => Some(buffer.characters()),
            Text::Object(object) => py_ffi::is_str(object).then(|| py_ffi::str_len(object)),
        }
    }

    /// As a Python object.
    pub fn object(&self, py: Python<'py>) -> Res<Obj<'py>> {
        match self {
            Text::Bytes(buffer) => buffer.object(py),
            Text::Object(object) => Ok(object.clone()),
        }
    }
}
