//! Writes a line to the file behind a text stream with one `write(2)`, where that is exactly what the stream's own `write`
//! and `flush` would do; the stream does it in every other case.
//!
//! The GIL is kept: nothing is written this way that would keep somebody waiting for it (`ffi::write_file`), and nobody can close or fill
//! the stream meanwhile. What a failing write leaves over goes the stream's own way, which then raises, keeps and retries as it always
//! does: no half line is ever joined to the next one.
use super::Ran;
use crate::ffi::{self as py_ffi, Obj, Position, Raised, Res};
use crate::format::Buffer;
use crate::guard::{self, Part, View};
use crate::metrics;
use crate::names::Name;
use crate::natives::Target;
use crate::raw::textio::{self, Idle};
use crate::trace::{At as _, call};

/// Writes `line` past `handler.stream`, whose flush comes with it. False, with nothing done: use the stream.
#[inline]
pub fn write<'py>(handler: &Obj<'py>, stream: &Obj<'py>, line: &mut Buffer) -> Res<bool> {
    let file = match textio::idle(stream) {
        Idle::Yes(file) => file,
        Idle::No => return Ok(false),
        Idle::Unprepared => match prepared(stream)? {
            Some(file) => file,
            None => return Ok(false),
        },
    };
    match guard::view_of(handler, Part::Handler) {
        Some(handler) => write_to(&handler, stream, file, line, Position::Unknown)
            .map(|past| matches!(past, Past::Written(_))),
        None => Ok(false),
    }
}

/// What [`write_quietly`] has done.
pub enum Past {
    /// The line is in the file.
    Written(Ran),
    /// Nothing: it is for the stream.
    Refused,
    /// Nothing: a stream of a kind not met before, which [`write`] looks at.
    Unknown,
}

/// The same for a stream of a kind met before, so that nothing but a failure runs Python code.
#[inline]
pub fn write_quietly<'py>(
    handler: &View<'_, 'py>,
    stream: &Obj<'py>,
    line: &mut Buffer,
    position: Position,
) -> Res<Past> {
    match textio::idle(stream) {
        Idle::Yes(file) => write_to(handler, stream, file, line, position),
        Idle::No => Ok(Past::Refused),
        Idle::Unprepared => Ok(Past::Unknown),
    }
}

#[inline]
fn write_to<'py>(
    handler: &View<'_, 'py>,
    stream: &Obj<'py>,
    file: textio::File,
    line: &mut Buffer,
    position: Position,
) -> Res<Past> {
    if !file.utf8 && !line.is_ascii() {
        return Ok(Past::Refused);
    }
    // Up to 3.12 the stdlib's flush takes the lock through `acquire` and `release`, later it enters the lock itself: while
    // somebody else holds it (emit was called without), it has to wait for them.
    let own = handler.method(Name::flush) == Target::StreamFlush
        && (cfg!(Py_3_13)
            || (handler.method(Name::acquire) == Target::HandlerAcquire
                && handler.method(Name::release) == Target::HandlerRelease))
        && handler.test(Name::lock, |lock| {
            crate::raw::rlock_free_or_mine(lock) == Some(true)
        });
    if !own {
        return Ok(Past::Refused);
    }
    let py = stream.py();
    // A text that has none is the stream's to complain about.
    let Some(bytes) = line.utf8() else {
        return Ok(Past::Refused);
    };
    match py_ffi::write_file(py, file.fd, bytes, position, file.unbuffered) {
        py_ffi::Written::All => {
            let ran = metrics::wrote(handler.object(), bytes.len());
            Ok(Past::Written(ran))
        }
        py_ffi::Written::NoPosition => Ok(Past::Refused),
        py_ffi::Written::Part { written, signals } => {
            hand_over(stream, file, (bytes, written), signals)?;
            metrics::wrote(handler.object(), bytes.len());
            Ok(Past::Written(Ran::Maybe))
        }
    }
}

#[cold]
fn prepared(stream: &Obj<'_>) -> Res<Option<textio::File>> {
    if let Err(error) = textio::prepare(stream) {
        error.restore(stream.py());
        return Err(Raised::already());
    }
    Ok(match textio::idle(stream) {
        Idle::Yes(file) => Some(file),
        _ => None,
    })
}

/// The write of a line stopped when so much was written: the rest goes the stream's own way, which raises what it would have raised.
/// `signals`: where a signal may have stopped it, Python's handlers run before it goes on.
#[cold]
fn hand_over(
    stream: &Obj<'_>,
    file: textio::File,
    (line, written): (&[u8], usize),
    signals: bool,
) -> Res<()> {
    let py = stream.py();
    let passes_on = |how| py_ffi::truthy(&py_ffi::getattr(stream, how)?);
    // A stream that is to be read line by line fails in its `write`, any other keeps the line and fails when the handler flushes it.
    let by_lines = (file.unbuffered && passes_on(Name::write_through)?)
        || (line.iter().any(|byte| matches!(byte, b'\n' | b'\r'))
            && passes_on(Name::line_buffering)?);
    let buffer = py_ffi::getattr(stream, Name::buffer)?;
    let rest = py_ffi::bytes_from(py, &line[written..])?;
    let write = || py_ffi::method(&buffer, Name::write, [&rest]).map(drop);
    let run_signal_handlers = || {
        if signals {
            py_ffi::check_signals(py)
        } else {
            Ok(())
        }
    };
    let done = if file.unbuffered {
        run_signal_handlers().and_then(|()| write())
    } else {
        write()
            .and_then(|()| run_signal_handlers())
            .and_then(|()| py_ffi::method(stream, Name::flush, []).map(drop))
    };
    if by_lines {
        done.at(py, Target::StreamEmit, call("write"))
    } else {
        done.at(py, Target::StreamFlush, call("flush"))
            .at(py, Target::StreamEmit, call("flush"))
    }
}

/// Lines gathered for the file behind a text stream, to be written at once; without a GIL by the stream, one after the other.
pub struct Lines {
    #[cfg(not(Py_GIL_DISABLED))]
    file: textio::File,
    terminator: String,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Lines {
    /// No lines yet, each of which is to end in `terminator`. `None`: anything but a stream of a file with a position, whose `write` and
    /// `flush` may take long, or run Python code.
    #[cfg(Py_GIL_DISABLED)]
    pub fn new<'py>(stream: &Obj<'py>, terminator: &Obj<'py>) -> Res<Option<Self>> {
        let py = stream.py();
        let known = files::is_plain(stream).map_err(|raised| {
            raised.restore(py);
            Raised::already()
        })?;
        if !known || !py_ffi::is_str(terminator) {
            return Ok(None);
        }
        Ok(py_ffi::utf8(terminator).map(|terminator| Lines {
            terminator: terminator.to_owned(),
            bytes: Vec::new(),
            ends: Vec::new(),
        }))
    }

    /// No lines yet, each of which is to end in `terminator`. `None`: only the stream's own `write` and `flush` know what to do. The
    /// caller holds the handler's lock, and nothing runs until [`Lines::write`].
    #[cfg(not(Py_GIL_DISABLED))]
    pub fn new<'py>(stream: &Obj<'py>, terminator: &Obj<'py>) -> Res<Option<Self>> {
        let file = match textio::idle(stream) {
            Idle::Yes(file) => Some(file),
            Idle::No => None,
            Idle::Unprepared => prepared(stream)?,
        };
        let (Some(file), true) = (file, py_ffi::is_str(terminator)) else {
            return Ok(None);
        };
        if !file.utf8 && !py_ffi::is_ascii(terminator) {
            return Ok(None);
        }
        Ok(py_ffi::utf8(terminator).map(|terminator| Lines {
            file,
            terminator: terminator.to_owned(),
            bytes: Vec::new(),
            ends: Vec::new(),
        }))
    }

    /// Appends a line; false, with nothing done, for one that the file's encoding is not known to have all characters of.
    pub fn push(&mut self, text: &[u8], ascii: bool) -> bool {
        #[cfg(not(Py_GIL_DISABLED))]
        if !ascii && !self.file.utf8 {
            return false;
        }
        #[cfg(Py_GIL_DISABLED)]
        let _ = ascii;
        self.bytes.extend_from_slice(text);
        self.bytes.extend_from_slice(self.terminator.as_bytes());
        self.ends.push(self.bytes.len());
        true
    }

    /// Writes them as `StreamHandler.emit` does, as many as one turn takes. Gives the number of lines written, and what was raised by
    /// the next one, if anything.
    #[cfg(Py_GIL_DISABLED)]
    pub fn write(self, handler: &Obj<'_>, stream: &Obj<'_>) -> (usize, Option<Raised>) {
        let (begun, mut start) = (std::time::Instant::now(), 0);
        for (written, &end) in self.ends.iter().enumerate() {
            let over = written > 0
                && (begun.elapsed() > TURN
                    || !guard::attr(handler, Name::stream)
                        .is_ok_and(|now| now.as_ptr() == stream.as_ptr()));
            if over {
                return (written, None);
            }
            let line = &self.bytes[start..end];
            let done = py_ffi::text_from_utf8(stream.py(), line, line.is_ascii())
                .and_then(|line| py_ffi::method(stream, Name::write, [&line]))
                .and_then(|_| py_ffi::method(stream, Name::flush, []));
            if let Err(raised) = done {
                return (written, Some(raised));
            }
            metrics::wrote(handler, line.len());
            start = end;
        }
        (self.ends.len(), None)
    }

    /// Writes them, for the handler of that stream. Gives the number of lines that are in the file whole, and what was raised by the
    /// one behind them, if anything: that one is in the stream's hands then.
    #[cfg(not(Py_GIL_DISABLED))]
    pub fn write(self, handler: &Obj<'_>, stream: &Obj<'_>) -> (usize, Option<Raised>) {
        let Lines {
            file, bytes, ends, ..
        } = self;
        let outcome = py_ffi::write_file(
            stream.py(),
            file.fd,
            &bytes,
            Position::Unknown,
            false, // all lines must get there
        );
        let (written, signals) = match outcome {
            py_ffi::Written::All => {
                metrics::wrote(handler, bytes.len());
                return (ends.len(), None);
            }
            py_ffi::Written::NoPosition => return (0, None),
            py_ffi::Written::Part { written, signals } => (written, signals),
        };
        let whole = ends.partition_point(|end| *end <= written);
        let start = whole.checked_sub(1).map_or(0, |last| ends[last]);
        metrics::wrote(handler, start);
        if written == start && !signals {
            // Nothing of the next line is out: it fails, or not, by itself.
            return (whole, None);
        }
        let line = (&bytes[start..ends[whole]], written - start);
        match hand_over(stream, file, line, signals) {
            Ok(()) => {
                metrics::wrote(handler, ends[whole] - start);
                (whole + 1, None)
            }
            Err(raised) => (whole, Some(raised)),
        }
    }
}

/// So long others wait for the handler's lock at most: `TURN` of `femtolog/_enqueue.py`.
#[cfg(Py_GIL_DISABLED)]
const TURN: std::time::Duration = std::time::Duration::from_millis(5);

#[cfg(Py_GIL_DISABLED)]
mod files {
    use pyo3::prelude::*;
    use pyo3::sync::PyOnceLock;
    use pyo3::types::PyType;

    static TEXT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static WRITER: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static FILE: PyOnceLock<Py<PyType>> = PyOnceLock::new();

    /// Is it a text stream of `open()`, of a file with a position, as the interpreter made it? Asked through its attributes, each of which
    /// is the interpreter's own.
    pub fn is_plain(stream: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = stream.py();
        if !stream
            .get_type()
            .is(TEXT.import(py, "_io", "TextIOWrapper")?)
        {
            return Ok(false);
        }
        // Of one that is detached, or closed, the stream itself has to speak.
        let Ok(buffer) = stream.getattr("buffer") else {
            return Ok(false);
        };
        if !buffer
            .get_type()
            .is(WRITER.import(py, "_io", "BufferedWriter")?)
        {
            return Ok(false);
        }
        let Ok(raw) = buffer.getattr("raw") else {
            return Ok(false);
        };
        if !raw.get_type().is(FILE.import(py, "_io", "FileIO")?) {
            return Ok(false);
        }
        // A pipe and a terminal have none.
        Ok(raw.call_method0("tell").is_ok())
    }
}
