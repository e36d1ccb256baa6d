//! The text of a formatted record: bytes while only we have touched it, a Python object once Python made it.
use femtolog_core::plan::Literal;
use pyo3::prelude::*;

use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Obj, Res};

/// UTF-8 text under construction, and whether it is ASCII so far (an ASCII str is made without a scan).
pub struct Buffer<'py> {
    bytes: Vec<u8>,
    wide: bool,
    py: Python<'py>,
}

/// A place in a [`Buffer`] to come back to.
#[derive(Clone, Copy)]
pub struct Mark {
    length: usize,
    wide: bool,
}

/// A buffer nobody uses at the moment: making and freeing one for each line costs 30 ns.
static SPARE: Shared<Vec<u8>> = Shared::new(Vec::new());

/// A buffer that has grown beyond this is given back to the system.
const KEPT: usize = 16 * 1024;

impl Drop for Buffer<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.bytes.capacity() <= KEPT {
            let mut bytes = std::mem::take(&mut self.bytes);
            bytes.clear();
            // One kept meanwhile for another thread is freed.
            drop(SPARE.with(self.py, |spare| std::mem::replace(spare, bytes)));
        }
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

    /// Appends ASCII text; true. A function of its own: not each of its callers has to keep registers for it.
    #[inline(never)]
    pub fn append(&mut self, text: &str) -> bool {
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

    /// The number of characters so far.
    pub fn characters(&self) -> usize {
        if self.wide {
            // Every byte but the continuation bytes of UTF-8 starts one.
            self.bytes
                .iter()
                .filter(|byte| **byte & 0xc0 != 0x80)
                .count()
        } else {
            self.bytes.len()
        }
    }

    /// The bytes, for renderers that append valid UTF-8.
    #[inline]
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// What is in it.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Is it ASCII? "No" also where nobody has looked.
    #[inline]
    pub fn is_ascii(&self) -> bool {
        !self.wide
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
        }
    }

    /// Forgets what was appended since.
    pub fn rewind(&mut self, mark: Mark) {
        self.bytes.truncate(mark.length);
        self.wide = mark.wide;
    }

    /// What was appended since, as a new `str`.
    pub fn since(&self, mark: Mark) -> Res<Obj<'py>> {
        py_ffi::text_from_utf8(self.py, &self.bytes[mark.length..], !self.wide)
    }

    /// Takes one newline off the end, if there is one.
    pub fn pop_newline(&mut self) {
        if self.ends_line() {
            self.bytes.pop();
        }
    }

    /// Does the text end in a newline?
    pub fn ends_line(&self) -> bool {
        self.bytes.last() == Some(&b'\n')
    }

    /// As a new `str`.
    #[inline]
    pub fn object(&self, py: Python<'py>) -> Res<Obj<'py>> {
        py_ffi::text_from_utf8(py, &self.bytes, !self.wide)
    }
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
