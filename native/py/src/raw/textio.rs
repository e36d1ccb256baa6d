//! Is a text stream an idle plain file, so that bytes written to its descriptor come exactly where its own `write` and
//! `flush` would have put them?
//!
//! The structures of `_io` are in no header. `prepare` finds the few fields by experiment, on streams of its own
//! over a pipe: each field must be the only word that behaves as it must, and the whole must then answer right on a
//! stream in every state. Anything less, and the answer is always "no": the caller writes through the stream.
use super::instance::{KeysKind, dict_keys, dict_values, keys_kind};
use super::layout::field;
use super::types::{keys_len, unicode_entries};
use pyo3::exceptions::{PyException, PyMemoryError, PyRecursionError};
use pyo3::prelude::*;
use pyo3::{ffi, intern};
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

#[cfg(unix)]
mod discover;
/// Elsewhere a text file translates line ends and there is no table of structures: streams are always used.
#[cfg(not(unix))]
mod discover {
    pub(super) fn fields(_: pyo3::Python<'_>) -> pyo3::PyResult<Option<super::Fields>> {
        Ok(None)
    }
}

/// An idle plain file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct File {
    /// The descriptor, open for writing.
    pub fd: i32,
    /// The stream encodes as UTF-8; otherwise (ASCII, Latin-1) only pure ASCII may be written past it.
    pub utf8: bool,
    /// No buffer is between the stream and the raw file, as with `python -u`.
    pub unbuffered: bool,
    /// It was opened for "a": a write goes to the end of the file, wherever its position was, and leaves it there.
    pub appends: bool,
}

/// The answer of [`idle`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Idle {
    /// `write(2)` to this descriptor, before anything else runs, is what the stream's `write` and `flush` would do.
    Yes(File),
    /// Use the stream: it has something pending, translates, encodes otherwise, was tampered with, is no plain file.
    No,
    /// Not known yet: call [`prepare`] at a moment when Python code may run, then ask again.
    Unprepared,
}

/// Where the fields stand (offsets in bytes), and the encoders already seen.
struct Fields {
    text_type: *mut ffi::PyTypeObject,
    writer_type: *mut ffi::PyTypeObject,
    file_type: *mut ffi::PyTypeObject,
    /// `TextIOWrapper`: the buffer (null once detached), characters not yet given to it, the line end to translate to
    /// (null: none), the function that encodes.
    text_buffer: usize,
    text_pending: usize,
    text_line_end: usize,
    text_encoder: usize,
    text_dict: usize,
    /// `BufferedWriter`: the raw file (null once detached), end of what is pending (-1: nothing), the thread inside.
    writer_raw: usize,
    writer_end: usize,
    writer_owner: usize,
    writer_dict: usize,
    /// `FileIO`: the descriptor, the word after it and the bits in that which say that one can read as well, and that it was opened
    /// for "a".
    file_fd: usize,
    file_flags: usize,
    file_readable: u32,
    file_appends: u32,
    file_dict: usize,
    /// Hashes of "write", "flush", "seek" and "tell", which an instance may carry to override the method.
    overrides: [isize; 4],
    utf8: usize,
}

// SAFETY: the type pointers are never freed (a reference to each is kept) and only compared.
unsafe impl Send for Fields {}
// SAFETY: as above; nothing is written after construction.
unsafe impl Sync for Fields {}

/// `None` inside: looked for and not found, the feature is off.
static FIELDS: OnceLock<Option<Fields>> = OnceLock::new();
/// The encoders of Latin-1 and of ASCII, once a stream with one was met; other encoders are remembered as not usable.
static LATIN1: AtomicUsize = AtomicUsize::new(0);
static ASCII: AtomicUsize = AtomicUsize::new(0);
static OTHERS: [AtomicUsize; 8] = [const { AtomicUsize::new(0) }; 8];

/// `PyASCIIObject.hash`.
const STR_HASH: usize = 24;
/// `TextIOWrapper.ok`, the first field behind the object's head: 1 when `__init__` succeeded.
const OK: usize = 16;

/// May the next bytes go past this stream? 4.5 ns; runs no Python code. The answer holds as long as the GIL is kept: write
/// before giving it away.
#[inline]
#[must_use]
pub fn idle(stream: &Bound<'_, PyAny>) -> Idle {
    if !super::enabled() {
        return Idle::No;
    }
    match FIELDS.get() {
        // SAFETY: a live object.
        Some(Some(fields)) => unsafe { fields.idle(stream.as_ptr()) },
        Some(None) => Idle::No,
        None => Idle::Unprepared,
    }
}

/// Finds the fields if that has not been done, and learns the stream's encoder. May run Python code; about
/// 0.1 ms the first time, little after. Where the answer stays [`Idle::Unprepared`] (another thread is at it, or an audit hook that
/// logs), write through the stream.
///
/// # Errors
/// `KeyboardInterrupt` and the like, which a signal handler raised meanwhile; whatever else fails means "no".
pub fn prepare(stream: &Bound<'_, PyAny>) -> PyResult<()> {
    static BUSY: AtomicBool = AtomicBool::new(false);
    if !super::enabled() || BUSY.swap(true, Relaxed) {
        return Ok(());
    }
    let done = find_and_learn(stream);
    BUSY.store(false, Relaxed);
    let py = stream.py();
    match done {
        Err(error) if !error.is_instance_of::<PyException>(py) => Err(error),
        _ => Ok(()),
    }
}

/// Finds the fields now. Called when the extension is loaded: later the files it opens for that would show up among the program's own
/// to an audit hook. What it does not find it looks for again when a stream comes.
pub fn discover(py: Python<'_>) {
    if super::enabled()
        && FIELDS.get().is_none()
        && let Ok(found) = discover::fields(py)
    {
        let _ = FIELDS.set(found);
    }
}

fn find_and_learn(stream: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = stream.py();
    if FIELDS.get().is_none() {
        let found = match discover::fields(py) {
            // Out of stack or memory just now, or interrupted: nothing found out.
            Err(error)
                if error.is_instance_of::<PyRecursionError>(py)
                    || error.is_instance_of::<PyMemoryError>(py)
                    || !error.is_instance_of::<PyException>(py) =>
            {
                return Err(error);
            }
            found => found.ok().flatten(),
        };
        let _ = FIELDS.set(found);
    }
    match FIELDS.get() {
        Some(Some(fields)) => fields.learn(stream),
        _ => Ok(()),
    }
}

impl Fields {
    #[inline]
    unsafe fn idle(&self, stream: *mut ffi::PyObject) -> Idle {
        // SAFETY: the caller's: a live object.
        unsafe {
            if ffi::Py_TYPE(stream) == self.text_type {
                self.idle_text(stream)
            } else {
                Idle::No
            }
        }
    }

    #[inline(never)]
    unsafe fn idle_text(&self, stream: *mut ffi::PyObject) -> Idle {
        // SAFETY: an object of exactly the type whose fields were found; what its buffer and raw fields point to is
        // checked to be of exactly the types whose fields were found.
        unsafe {
            let text = stream.cast::<u8>().cast_const();
            let buffer: *mut ffi::PyObject = field(text, self.text_buffer);
            if buffer.is_null()
                || field::<i32>(text, OK) != 1
                || field::<usize>(text, self.text_pending) != 0
                || field::<usize>(text, self.text_line_end) != 0
                || self.overridden(field(text, self.text_dict))
            {
                return Idle::No;
            }
            let unbuffered = ffi::Py_TYPE(buffer) == self.file_type;
            let raw = if unbuffered {
                buffer
            } else {
                self.raw_of_idle(buffer)
            };
            if raw.is_null() {
                return Idle::No;
            }
            let file = raw.cast::<u8>().cast_const();
            let (fd, flags): (i32, u32) = (field(file, self.file_fd), field(file, self.file_flags));
            if fd < 0
                // A text stream that reads forgets at a write what it has read ahead.
                || (unbuffered && flags & self.file_readable != 0)
                || self.overridden(field(file, self.file_dict))
            {
                return Idle::No;
            }
            let encoder: usize = field(text, self.text_encoder);
            let utf8 = encoder == self.utf8;
            if !utf8 && let Some(idle) = Self::other_encoder(encoder) {
                return idle;
            }
            Idle::Yes(File {
                fd,
                utf8,
                unbuffered,
                appends: flags & self.file_appends != 0,
            })
        }
    }

    /// The raw file of a buffered writer in which nothing is pending; null for everything else.
    #[inline]
    unsafe fn raw_of_idle(&self, buffer: *mut ffi::PyObject) -> *mut ffi::PyObject {
        // SAFETY: the caller's: a live object, looked into if it is of exactly the type whose fields were found.
        unsafe {
            if ffi::Py_TYPE(buffer) != self.writer_type {
                return null_mut();
            }
            let writer = buffer.cast::<u8>().cast_const();
            let raw: *mut ffi::PyObject = field(writer, self.writer_raw);
            if raw.is_null()
                || ffi::Py_TYPE(raw) != self.file_type
                || field::<i64>(writer, self.writer_end) != -1
                || field::<usize>(writer, self.writer_owner) != 0
                || self.overridden(field(writer, self.writer_dict))
            {
                return null_mut();
            }
            raw
        }
    }

    /// What an encoder that is not UTF-8's makes of the answer; `None`: nothing, pure ASCII may be written.
    #[cold]
    fn other_encoder(encoder: usize) -> Option<Idle> {
        if encoder == 0 {
            Some(Idle::No)
        } else if encoder == ASCII.load(Relaxed) || encoder == LATIN1.load(Relaxed) {
            None
        } else if OTHERS.iter().any(|other| other.load(Relaxed) == encoder) {
            Some(Idle::No)
        } else {
            Some(Idle::Unprepared)
        }
    }

    /// Does an instance's `__dict__` hold one of the overrides? Normally it holds `mode` or `name` at most.
    #[inline]
    unsafe fn overridden(&self, dict: *mut ffi::PyObject) -> bool {
        // SAFETY: null or a live dict; a key's hash stands in the string since it was put there.
        unsafe {
            if dict.is_null() {
                return false;
            }
            let (keys, array) = (dict_keys(dict), dict_values(dict));
            if keys_kind(keys) == KeysKind::General {
                return true;
            }
            let entries = unicode_entries(keys);
            (0..keys_len(keys)).any(|i| {
                let entry = *entries.add(i);
                let value = if array.is_null() {
                    entry.value
                } else {
                    *array.add(i)
                };
                !value.is_null() && self.overrides.contains(&field(entry.key.cast(), STR_HASH))
            })
        }
    }

    fn learn(&self, stream: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = stream.py();
        // SAFETY: a live object.
        if unsafe { ffi::Py_TYPE(stream.as_ptr()) } != self.text_type {
            return Ok(());
        }
        // SAFETY: a live TextIOWrapper.
        let encoder: usize = unsafe { field(stream.as_ptr().cast(), self.text_encoder) };
        if encoder == self.utf8 || Self::other_encoder(encoder) != Some(Idle::Unprepared) {
            return Ok(());
        }
        let name = stream.getattr(intern!(py, "encoding"))?;
        let codec = py
            .import(intern!(py, "codecs"))?
            .getattr(intern!(py, "lookup"))?
            .call1((name,))?;
        let name = codec.getattr(intern!(py, "name"))?;
        let place = if name.eq(intern!(py, "iso8859-1"))? {
            Some(&LATIN1)
        } else if name.eq(intern!(py, "ascii"))? {
            Some(&ASCII)
        } else {
            OTHERS.iter().find(|other| other.load(Relaxed) == 0)
        };
        if let Some(place) = place {
            place.store(encoder, Relaxed);
        }
        Ok(())
    }
}
