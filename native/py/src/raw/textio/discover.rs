//! Finds the fields of `_io`'s structures by what they do, see the module above.
use super::super::layout::field;
use super::super::types::has_managed_dict;
use super::{Fields, File, Idle, OK};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use pyo3::{ffi, wrap_pyfunction};
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The fields, or `None` when one was not found beyond doubt.
pub(super) fn fields(py: Python<'_>) -> PyResult<Option<Fields>> {
    let pipe = Pipe::open(py)?;
    let found = search(&pipe);
    let closed = pipe.close();
    let found = found?; // what interrupted the search, and not what came of it
    closed.map(|()| found)
}

/// A pipe, the only place to write to that needs no file system and gives back no data unasked, and streams over its ends. As few as
/// tell the fields apart: each costs the import of the extension 5 µs.
struct Pipe<'py> {
    io: Bound<'py, PyModule>,
    numbers: (i32, i32),
    /// The raw files, what is between, and text on top.
    reader: Bound<'py, PyAny>,
    read_buffer: Bound<'py, PyAny>,
    input: Bound<'py, PyAny>,
    writer: Bound<'py, PyAny>,
    buffer: Bound<'py, PyAny>,
    text: Bound<'py, PyAny>,
    write: Bound<'py, PyString>,
    flush: Bound<'py, PyString>,
}

impl<'py> Pipe<'py> {
    fn open(py: Python<'py>) -> PyResult<Self> {
        let io = py.import("_io")?;
        let file = io.getattr("FileIO")?;
        let numbers: (i32, i32) = py.import("posix")?.call_method0("pipe")?.extract()?;
        // SAFETY: made just now, nobody else knows them.
        let (from, to) = unsafe {
            (
                OwnedFd::from_raw_fd(numbers.0),
                OwnedFd::from_raw_fd(numbers.1),
            )
        };
        let reader = file.call1((numbers.0, "r"))?;
        std::mem::forget(from); // the file object closes it from here on
        let writer = file.call1((numbers.1, "w"))?;
        std::mem::forget(to);
        let read_buffer = io.getattr("BufferedReader")?.call1((&reader,))?;
        let input = text(&io, &read_buffer, None)?;
        let buffer = buffered(&io, &writer)?;
        let text = text(&io, &buffer, Some("\n"))?;
        Ok(Self {
            io,
            numbers,
            reader,
            read_buffer,
            input,
            writer,
            buffer,
            text,
            write: PyString::new(py, "write"),
            flush: PyString::new(py, "flush"),
        })
    }

    fn close(&self) -> PyResult<()> {
        let first = self.text.call_method0("close");
        self.input.call_method0("close").and(first).map(drop)
    }
}

fn buffered<'py>(
    io: &Bound<'py, PyModule>,
    raw: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    io.getattr("BufferedWriter")?.call1((raw,))
}

/// A text stream in UTF-8: any other codec would have to be imported first, which the program could see.
fn text<'py>(
    io: &Bound<'py, PyModule>,
    buffer: &Bound<'py, PyAny>,
    newline: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = io.py();
    io.getattr("TextIOWrapper")?
        .call1((buffer, "utf-8", py.None(), newline))
}

fn search(pipe: &Pipe<'_>) -> PyResult<Option<Fields>> {
    let py = pipe.io.py();
    let (Some(text), Some(writer), Some(file)) =
        (text_fields(pipe)?, writer_fields(pipe)?, file_fields(pipe)?)
    else {
        return Ok(None);
    };
    let of = |obj: &Bound<'_, PyAny>| obj.get_type().into_ptr().cast::<ffi::PyTypeObject>();
    let (text_type, writer_type, file_type) = (of(&pipe.text), of(&pipe.buffer), of(&pipe.writer));
    let (Some(text_dict), Some(writer_dict), Some(file_dict)) = (
        dict_place(text_type),
        dict_place(writer_type),
        dict_place(file_type),
    ) else {
        return Ok(None);
    };
    let fields = Fields {
        text_type,
        writer_type,
        file_type,
        text_buffer: text.buffer,
        text_pending: text.pending,
        text_line_end: text.line_end,
        text_encoder: text.encoder,
        text_dict,
        writer_raw: writer.raw,
        writer_end: writer.end,
        writer_owner: writer.owner,
        writer_dict,
        file_fd: file.fd,
        file_flags: file.flags,
        file_readable: file.readable,
        file_appends: file.appends,
        file_dict,
        overrides: [
            pipe.write.hash()?,
            pipe.flush.hash()?,
            PyString::new(py, "seek").hash()?,
            PyString::new(py, "tell").hash()?,
        ],
        utf8: text.utf8,
    };
    Ok(answers_right(&fields, pipe)?.then_some(fields))
}

/// Where instances keep their `__dict__`, if it is a plain pointer inside them.
fn dict_place(tp: *mut ffi::PyTypeObject) -> Option<usize> {
    // SAFETY: a live type.
    let (offset, managed) = unsafe { ((*tp).tp_dictoffset, has_managed_dict(tp)) };
    (offset > 0 && !managed).then_some(offset as usize)
}

/// The words of an object, the head excepted.
fn words(obj: &Bound<'_, PyAny>) -> Vec<usize> {
    // SAFETY: a live object of at least its type's size.
    unsafe {
        let size = (*ffi::Py_TYPE(obj.as_ptr())).tp_basicsize as usize;
        (OK..=size - 8)
            .step_by(8)
            .map(|at| field(obj.as_ptr().cast(), at))
            .collect()
    }
}

/// The offset of the only word for which the test holds.
fn only(count: usize, test: impl Fn(usize) -> bool) -> Option<usize> {
    let mut matching = (0..count).filter(|&n| test(n));
    let first = matching.next()?;
    matching.next().is_none().then_some(OK + 8 * first)
}

struct TextFields {
    buffer: usize,
    pending: usize,
    line_end: usize,
    encoder: usize,
    utf8: usize,
}

fn text_fields(pipe: &Pipe<'_>) -> PyResult<Option<TextFields>> {
    // With nothing to be encoded: one that is only read.
    let (unix, reader) = (&pipe.text, &pipe.input);
    let dos = text(&pipe.io, &pipe.buffer, Some("\r\n"))?;
    let [of_unix, of_dos, of_reader] = [unix, &dos, reader].map(words);
    let count = of_unix.len();

    // What to read up to is another field, which `unix` has, too.
    let line_end = only(count, |i| {
        of_unix[i] == 0 && of_reader[i] == 0 && of_dos[i] != 0
    });
    // The encoding function: the only address that both have in common and the reader has not.
    let encoder = only(count, |i| {
        of_unix[i] > usize::from(u16::MAX) && of_dos[i] == of_unix[i] && of_reader[i] == 0
    });
    let first = pipe.buffer.as_ptr() as usize;
    let second = pipe.read_buffer.as_ptr() as usize;
    let buffer = only(count, |i| {
        of_unix[i] == first && of_dos[i] == first && of_reader[i] == second
    });

    let write = &pipe.write;
    unix.call_method1(write, ("abc",))?;
    let three = words(unix);
    unix.call_method1(write, ("defghij",))?;
    let ten = words(unix);
    unix.call_method0(&pipe.flush)?;
    let none = words(unix);
    let pending = only(count, |i| {
        of_unix[i] == 0 && three[i] == 3 && ten[i] == 10 && none[i] == 0
    });

    // A stream that was made but not initialised is not "ok", one whose buffer was taken has none.
    let text_type = unix.get_type();
    let blank = text_type.call_method1("__new__", (&text_type,))?;
    let ok = |stream: &Bound<'_, PyAny>| -> i32 {
        // SAFETY: a live TextIOWrapper.
        unsafe { field(stream.as_ptr().cast(), OK) }
    };
    if ok(&blank) != 0 || [unix, &dos, reader].iter().any(|stream| ok(stream) != 1) {
        return Ok(None);
    }
    dos.call_method0("detach")?;
    let detached = words(&dos);
    let (Some(buffer), Some(pending), Some(line_end), Some(encoder)) =
        (buffer, pending, line_end, encoder)
    else {
        return Ok(None);
    };
    let at = |offset: usize| (offset - OK) / 8;
    if detached[at(buffer)] != 0 {
        return Ok(None);
    }
    let utf8 = of_unix[at(encoder)];
    Ok(Some(TextFields {
        buffer,
        pending,
        line_end,
        encoder,
        utf8,
    }))
}

struct WriterFields {
    raw: usize,
    end: usize,
    owner: usize,
}

/// The structure `spy_write` is to look at, its size, and the index of the word it found there (`usize::MAX`: none or
/// several).
static SPIED: AtomicUsize = AtomicUsize::new(0);
static SPIED_WORDS: AtomicUsize = AtomicUsize::new(0);
static OWNER: AtomicUsize = AtomicUsize::new(usize::MAX);

/// A raw file's `write` that looks, from inside, which word of the writer above it names this thread.
#[pyfunction]
fn spy_write(data: &Bound<'_, PyAny>) -> PyResult<usize> {
    let writer = SPIED.load(Relaxed) as *const u8;
    // SAFETY: `writer_fields` keeps the object alive while it flushes it, which is when this is called.
    let owner = unsafe {
        let me = ffi::PyThread_get_thread_ident() as usize;
        only(SPIED_WORDS.load(Relaxed), |n| {
            field::<usize>(writer, OK + 8 * n) == me
        })
    };
    OWNER.store(owner.unwrap_or(usize::MAX), Relaxed);
    data.len()
}

fn writer_fields(pipe: &Pipe<'_>) -> PyResult<Option<WriterFields>> {
    let (py, writer) = (pipe.io.py(), &pipe.buffer);
    let (write, flush) = (&pipe.write, &pipe.flush);
    let before = words(writer);
    writer.call_method1(write, (PyBytes::new(py, b"abc"),))?;
    let three = words(writer);
    writer.call_method1(write, (PyBytes::new(py, b"defghij"),))?;
    let ten = words(writer);
    writer.call_method0(flush)?;
    let none = words(writer);
    let (count, nothing) = (before.len(), usize::MAX);
    let end = only(count, |i| {
        before[i] == nothing && three[i] == 3 && ten[i] == 10 && none[i] == nothing
    });

    // `namespace(write=spy_write, …)` is as much of a raw file as a writer asks for.
    let raw_like = PyDict::new(py);
    raw_like.set_item(write, wrap_pyfunction!(spy_write, py)?)?;
    raw_like.set_item("writable", true.into_pyobject(py)?.getattr("__bool__")?)?;
    raw_like.set_item("closed", false)?;
    // `types.SimpleNamespace`, without importing `types`, which the program could see.
    let namespace = py.import("sys")?.getattr("implementation")?.get_type();
    let raw_like = namespace.call((), Some(&raw_like))?;
    let spied = buffered(&pipe.io, &raw_like)?;
    SPIED.store(spied.as_ptr() as usize, Relaxed);
    SPIED_WORDS.store(count, Relaxed);
    OWNER.store(usize::MAX, Relaxed);
    spied.call_method1(write, (PyBytes::new(py, b"abc"),))?;
    spied.call_method0(flush)?;
    let owner = OWNER.load(Relaxed);
    let flushed = words(&spied);
    spied.call_method0("detach")?;
    let detached = words(&spied);
    let (first, second) = (pipe.writer.as_ptr() as usize, raw_like.as_ptr() as usize);
    let raw = only(count, |i| {
        before[i] == first && none[i] == first && flushed[i] == second && detached[i] == 0
    });
    let (Some(end), Some(raw)) = (end, raw) else {
        return Ok(None);
    };
    if owner == usize::MAX || flushed[(owner - OK) / 8] != 0 || none[(owner - OK) / 8] != 0 {
        return Ok(None);
    }
    Ok(Some(WriterFields { raw, end, owner }))
}

struct FileFields {
    fd: usize,
    flags: usize,
    readable: u32,
    appends: u32,
}

/// The descriptor: the only 32-bit word that is right for both ends of the pipe. Behind it are the flags: the end that is
/// read has one bit that the other has not (which has that of a file opened for "w" as well, on 3.15), and so has a file opened for
/// "a".
fn file_fields(pipe: &Pipe<'_>) -> PyResult<Option<FileFields>> {
    let size = pipe
        .reader
        .get_type()
        .getattr("__basicsize__")?
        .extract::<usize>()?;
    let both = |at: usize| -> (u32, u32) {
        // SAFETY: inside two live FileIO objects.
        unsafe {
            (
                field(pipe.reader.as_ptr().cast(), at),
                field(pipe.writer.as_ptr().cast(), at),
            )
        }
    };
    let numbers = (pipe.numbers.0 as u32, pipe.numbers.1 as u32);
    let mut matching = (OK..=size - 8).step_by(4).filter(|&at| both(at) == numbers);
    let (Some(fd), None) = (matching.next(), matching.next()) else {
        return Ok(None);
    };
    let flags = fd + 4;
    let (of_reader, of_writer) = both(flags);
    let (readable, writable) = (of_reader & !of_writer, of_writer & !of_reader);
    let appending = appending(pipe)?;
    // SAFETY: inside a live FileIO.
    let of_appending: u32 = unsafe { field(appending.as_ptr().cast(), flags) };
    let appends = of_appending & !of_writer;
    let known = readable.is_power_of_two()
        && writable != 0
        && appends.is_power_of_two()
        && appends & of_reader == 0;
    Ok(known.then_some(FileFields {
        fd,
        flags,
        readable,
        appends,
    }))
}

/// The end that is written, opened for "a", which does not close it.
fn appending<'py>(pipe: &Pipe<'py>) -> PyResult<Bound<'py, PyAny>> {
    pipe.writer.get_type().call1((pipe.numbers.1, "a", false))
}

/// The proof: a stream in each of its states gives the right answer.
fn answers_right(fields: &Fields, pipe: &Pipe<'_>) -> PyResult<bool> {
    let py = pipe.io.py();
    let (write, flush) = (&pipe.write, &pipe.flush);
    let (stream, buffer) = (&pipe.text, &pipe.buffer);
    let idle_is = |stream: &Bound<'_, PyAny>| {
        // SAFETY: a live object.
        unsafe { fields.idle(stream.as_ptr()) }
    };
    let idle = || idle_is(stream);
    let file = |unbuffered| File {
        fd: pipe.numbers.1,
        utf8: true,
        unbuffered,
        appends: false,
    };
    let yes = Idle::Yes(file(false));
    let mut right = idle() == yes;
    stream.call_method1(write, ("text",))?;
    right &= idle() == Idle::No;
    stream.call_method0(flush)?;
    right &= idle() == yes;
    buffer.call_method1(write, (PyBytes::new(py, b"bytes"),))?;
    right &= idle() == Idle::No;
    buffer.call_method0(flush)?;
    right &= idle() == yes;
    let bare = text(&pipe.io, &pipe.writer, Some("\n"))?;
    let bare_yes = Idle::Yes(file(true));
    right &= idle_is(&bare) == bare_yes;
    bare.call_method1(write, ("text",))?;
    right &= idle_is(&bare) == Idle::No;
    bare.call_method0(flush)?;
    for owner in [stream, buffer, &pipe.writer] {
        owner.setattr(write, py.None())?;
        right &= idle() == Idle::No;
        if owner.is(&pipe.writer) {
            right &= idle_is(&bare) == Idle::No;
        }
        owner.delattr(write)?;
        right &= idle() == yes && idle_is(&bare) == bare_yes;
    }
    bare.call_method0("detach")?;
    right &= idle_is(&bare) == Idle::No;
    stream.call_method0("close")?;
    Ok(right && idle() == Idle::No)
}
