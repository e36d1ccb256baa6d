//! The text of an exception and of those before it.
use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::prelude::*;
use smallvec::SmallVec;

use super::machinery::{self, Machinery};
use super::source::Sources;
use super::{CLASSES, Draft, Entries, Outcome, Place, form};
use crate::cell::Shared;
use crate::ffi::{self as py_ffi, ClassKind, Exc, Obj, Res};
use crate::names::Name;

/// An exception of a chain.
struct Link<'py> {
    exception: Obj<'py>,
    class: Obj<'py>,
    trace: Obj<'py>,
    kind: ClassKind,
    tag: u32,
    /// The message between this one and the one it led to; none behind the last.
    message: Option<Message>,
}

/// A global of `traceback`, and the form that has it.
type Message = (Name, u32);

/// The exceptions shown, the newest first; those that happened first are shown first.
type Chain<'py> = SmallVec<[Link<'py>; 4]>;

const HEADING: &str = "Traceback (most recent call last):\n";

/// What is known of exception classes, by tag, direct-mapped: `None` for those the interpreter renders.
static KINDS: Shared<[(u32, Option<ClassKind>); CLASSES]> = Shared::new([(0, None); CLASSES]);

/// The text of `exc_info` as far as no Python code has to be asked.
pub fn draft<'py>(machinery: &'static Machinery, info: &Obj<'py>) -> Res<Outcome<'py>> {
    let py = info.py();
    let Some(chain) = parts(info).and_then(|(exception, trace)| chain(exception, trace)) else {
        return Ok(Outcome::Refused);
    };
    let Some(mut sources) = super::sources(py)? else {
        return Ok(Outcome::Refused);
    };
    let asks = chain.iter().any(|link| link.kind.asks());
    let mut draft = Draft::new(py);
    let mut missing = Vec::new();
    for link in chain.iter().rev() {
        if !trace_text(
            machinery,
            &mut sources,
            &mut draft,
            &mut missing,
            &link.trace,
        )? {
            return Ok(Outcome::Refused);
        }
        if !link.kind.asks() {
            if !last_line(&mut draft, link)? {
                return Ok(Outcome::Refused);
            }
            if !asks {
                draft.classes.push(link.tag);
            }
        }
        if let Some(message) = link.message
            && !push_message(&mut draft, py, message)?
        {
            return Ok(Outcome::Refused);
        }
    }
    if !missing.is_empty() {
        return Ok(Outcome::Missing(missing));
    }
    if asks {
        return Ok(Outcome::Asks(draft));
    }
    draft.buffer.pop_newline();
    Ok(Outcome::Done(draft))
}

/// Exception and traceback of an `exc_info`.
fn parts<'py>(info: &Obj<'py>) -> Option<(Obj<'py>, Obj<'py>)> {
    if !py_ffi::is_tuple(info) {
        return None;
    }
    Some((py_ffi::tuple_item(info, 1)?, py_ffi::tuple_item(info, 2)?))
}

fn push_message(draft: &mut Draft, py: Python<'_>, (name, form): Message) -> Res<bool> {
    draft.forms |= form;
    let text = machinery::global(py, name)?;
    Ok(text.is_some_and(|text| draft.push_object(&text)))
}

/// The exception and those shown before it; `None` if one of them is only the interpreter's to show.
fn chain<'py>(exception: Obj<'py>, trace: Obj<'py>) -> Option<Chain<'py>> {
    let mut chain = Chain::new();
    let mut next = Some((exception, trace, None));
    while let Some((exception, trace, message)) = next {
        chain.push(Link::new(exception, trace, message)?);
        next = before(&chain);
    }
    Some(chain)
}

/// The exception that `traceback` shows before the last of the chain, its traceback and the message between them.
fn before<'py>(chain: &Chain<'py>) -> Option<(Obj<'py>, Obj<'py>, Option<Message>)> {
    let links = py_ffi::links(&chain.last()?.exception);
    // One that is shown already is not shown again.
    let fresh = |exception: Option<Obj<'py>>| {
        exception.filter(|this| !chain.iter().any(|link| link.exception.is(this)))
    };
    let (exception, message) = if let Some(cause) = fresh(links.cause) {
        (cause, (Name::_cause_message, form::CAUSE))
    } else if links.suppressed {
        return None;
    } else {
        let message = (Name::_context_message, form::CONTEXT);
        (fresh(links.context)?, message)
    };
    let trace = py_ffi::traceback(&exception);
    Some((exception, trace, Some(message)))
}

impl<'py> Link<'py> {
    /// `None` if it is the interpreter's to show.
    fn new(exception: Obj<'py>, trace: Obj<'py>, message: Option<Message>) -> Option<Self> {
        if !py_ffi::is_exception(&exception) {
            return None;
        }
        let class = exception.get_type().into_any();
        let tag = py_ffi::class_tag(&class);
        if tag == 0 {
            return None;
        }
        let kind = kind_of(&class, tag)?;
        let plain = kind.asks()
            || (!py_ffi::exception_carries(&exception, Name::__notes__)
                && shown_plainly(&exception, kind).is_some());
        Some(Link {
            exception,
            class,
            trace,
            kind: if plain { kind } else { ClassKind::Asked },
            tag,
            message,
        })
    }
}

/// How the last lines of exceptions of this class come about; `None` if they are the interpreter's to show.
fn kind_of(class: &Obj<'_>, tag: u32) -> Option<ClassKind> {
    let py = class.py();
    let place = tag as usize % CLASSES;
    let known = KINDS.with(py, |kinds| {
        (kinds[place].0 == tag).then_some(kinds[place].1)
    });
    known.unwrap_or_else(|| {
        // Remembered only if the class is not changed meanwhile.
        let before = py_ffi::settled_class_tag(class);
        let kind = py_ffi::exception_class_kind(class);
        if before == tag && py_ffi::settled_class_tag(class) == tag {
            KINDS.with(py, |kinds| kinds[place] = (tag, kind));
        }
        kind
    })
}

impl ClassKind {
    /// Has the interpreter to be asked for the last lines?
    fn asks(self) -> bool {
        matches!(self, ClassKind::Asked | ClassKind::Suggesting)
    }
}

/// What `str(exception)` shows.
struct Shown<'py> {
    /// `exception.args`
    args: Obj<'py>,
    /// Those of an `OSError`.
    fields: [Option<Obj<'py>>; 4],
}

/// What `str(exception)` shows, if showing that runs no Python code and certainly succeeds.
fn shown_plainly<'py>(exception: &Obj<'py>, kind: ClassKind) -> Option<Shown<'py>> {
    let args = py_ffi::exception_args(exception)?;
    let fields = if kind == ClassKind::Os {
        py_ffi::os_error_fields(exception)
    } else {
        [const { None }; 4]
    };
    (fields.iter().flatten().all(is_plain) && all_plain(&args)).then_some(Shown { args, fields })
}

/// `str(exception)`; `None` if Python code might run.
fn text_of<'py>(exception: &Obj<'py>, kind: ClassKind) -> Res<Option<Obj<'py>>> {
    // It has been looked at, and nobody else runs.
    if cfg!(not(Py_GIL_DISABLED)) {
        return py_ffi::str(exception).map(Some);
    }
    let Some(shown) = shown_plainly(exception, kind) else {
        return Ok(None);
    };
    // Another thread may put anything into the exception: the text is made of what was looked at.
    shown.text(kind).map(Some)
}

impl<'py> Shown<'py> {
    /// As `Objects/exceptions.c` makes it: `BaseException_str`, `KeyError_str`, `OSError_str` (not that of Windows).
    fn text(&self, kind: ClassKind) -> Res<Obj<'py>> {
        let py = self.args.py();
        let none = py_ffi::none(py);
        let [errno, strerror, ..] = [0, 1].map(|index| self.fields[index].as_ref());
        let (number, reason) = (errno.unwrap_or(&none), strerror.unwrap_or(&none));
        match (&self.fields[2], &self.fields[3]) {
            (Some(file), Some(other)) => {
                let values = [number, reason, file, other];
                return py_ffi::percent(py, "[Errno %s] %s: %r -> %r", &values);
            }
            (Some(file), None) => {
                return py_ffi::percent(py, "[Errno %s] %s: %r", &[number, reason, file]);
            }
            (None, _) => {}
        }
        if errno.is_some() && strerror.is_some() {
            return py_ffi::percent(py, "[Errno %s] %s", &[number, reason]);
        }
        match (
            py_ffi::tuple_len(&self.args),
            py_ffi::tuple_item(&self.args, 0),
        ) {
            (1, Some(only)) if kind == ClassKind::Key => py_ffi::repr(&only),
            (1, Some(only)) => py_ffi::str(&only),
            (0, _) => py_ffi::text_from(py, ""),
            _ => py_ffi::str(&self.args),
        }
    }
}

fn all_plain(items: &Obj<'_>) -> bool {
    py_ffi::is_tuple(items)
        && (0..py_ffi::tuple_len(items))
            .all(|index| py_ffi::tuple_item(items, index).is_some_and(|item| is_plain(&item)))
}

/// Is the text of this value certain? Integers stay below the size that Python refuses to show.
fn is_plain(value: &Obj<'_>) -> bool {
    py_ffi::is_str(value)
        || value.is_none()
        || py_ffi::is_bool(value)
        || py_ffi::is_float(value)
        || py_ffi::int_value(value).is_some()
}

/// Appends heading and entries of a traceback, or notes which entries are missing; false when only the interpreter can.
fn trace_text<'py>(
    machinery: &'static Machinery,
    sources: &mut Sources<'py>,
    draft: &mut Draft,
    missing: &mut Vec<Place<'py>>,
    trace: &Obj<'py>,
) -> Res<bool> {
    if trace.is_none() {
        draft.forms |= form::NO_ENTRIES;
        return Ok(true);
    }
    draft.forms |= form::ENTRIES;
    draft.push(HEADING);
    let mut entries = Entries::new(machinery);
    let mut next = Some(trace.clone());
    while let Some(trace) = next {
        let Some(this) = py_ffi::trace_entry(&trace) else {
            return Ok(false);
        };
        next = this.next;
        // An offset below zero says that there is none.
        if this.offset < 0 {
            return Ok(false);
        }
        let code = py_ffi::frame_code(&this.frame);
        let file = py_ffi::getattr(&code, Name::co_filename)?;
        match super::entry(sources, &code, &file, this.offset, this.line)? {
            Ok(entry) => entries.push(draft, &code, file, &entry)?,
            Err(true) => missing.push(Place {
                frame: this.frame,
                code,
                offset: this.offset,
                line: this.line,
            }),
            Err(false) => return Ok(false),
        }
    }
    entries.finish(draft);
    Ok(true)
}

/// Appends the class of a plain exception and its message; false when only the interpreter can.
fn last_line(draft: &mut Draft, link: &Link<'_>) -> Res<bool> {
    let class = &link.class;
    let module = py_ffi::getattr(class, Name::__module__)?;
    let Some(home) = py_ffi::is_str(&module)
        .then(|| py_ffi::utf8(&module))
        .flatten()
    else {
        return Ok(false);
    };
    if home != "__main__" && home != "builtins" {
        draft.forms |= form::MODULE;
        draft.push_object(&module);
        draft.push(".");
    }
    let name = py_ffi::getattr(class, Name::__qualname__)?;
    if !draft.push_object(&name) {
        return Ok(false);
    }
    let Some(text) = text_of(&link.exception, link.kind)? else {
        return Ok(false);
    };
    let empty = py_ffi::is_str(&text) && py_ffi::str_len(&text) == 0;
    if empty {
        draft.forms |= form::NO_MESSAGE;
    } else {
        draft.forms |= form::MESSAGE;
        draft.push(": ");
        if !draft.push_object(&text) {
            return Ok(false);
        }
    }
    draft.push("\n");
    Ok(true)
}

// ---- with the help of Python code

/// The text of `exc_info`, in the order in which `traceback` asks: for each exception, the newest first, its entries, then
/// its last lines, then what happened before it. `None` if Python code has changed the exceptions meanwhile to something
/// that only the interpreter can show.
pub fn ask<'py>(machinery: &'static Machinery, info: &Obj<'py>) -> Res<Option<Obj<'py>>> {
    let py = info.py();
    let mut chain = Chain::new();
    let mut texts: SmallVec<[Pieces<'py>; 4]> = SmallVec::new();
    let mut next = parts(info).map(|(exception, trace)| (exception, trace, None));
    while let Some((exception, trace, message)) = next {
        let Some(link) = Link::new(exception, trace, message) else {
            return Ok(None);
        };
        let mut pieces = entries_asked_for(machinery, &link.trace)?;
        if link.kind.asks() {
            ask_for_last_lines(&mut pieces, &link)?;
        } else {
            let mut draft = Draft::new(py);
            if !last_line(&mut draft, &link)? {
                return Ok(None);
            }
            pieces.push(draft.text(py)?);
        }
        if let Some((name, _)) = message {
            pieces.extend(machinery::global(py, name)?);
        }
        texts.push(pieces);
        chain.push(link);
        next = before(&chain);
    }
    let all = py_ffi::new_list(py)?;
    for piece in texts.iter().rev().flatten() {
        py_ffi::list_append(&all, piece)?;
    }
    py_ffi::without_final_newline(&py_ffi::join("", &all)?).map(Some)
}

/// Parts of a text, any of which may hold what UTF-8 cannot.
type Pieces<'py> = SmallVec<[Obj<'py>; 8]>;

/// Heading and entries of a traceback, whatever Python code has done to them since they were looked at.
fn entries_asked_for<'py>(machinery: &'static Machinery, trace: &Obj<'py>) -> Res<Pieces<'py>> {
    let py = trace.py();
    let mut draft = Draft::new(py);
    let mut missing = Vec::new();
    if let Some(mut sources) = super::sources(py)?
        && trace_text(machinery, &mut sources, &mut draft, &mut missing, trace)?
        && missing.is_empty()
    {
        return Ok(SmallVec::from_iter([draft.text(py)?]));
    }
    let mut pieces = SmallVec::from_iter([py_ffi::text_from(py, HEADING)?]);
    if let Some(extract) = machinery::global(py, Name::extract_tb)? {
        let summary = py_ffi::call(&extract, &[trace])?;
        push_each(&mut pieces, &py_ffi::method(&summary, Name::format, [])?)?;
    }
    Ok(pieces)
}

/// The last lines of an exception as `traceback` makes them: class and message, suggestion, notes, the place of a syntax error.
fn ask_for_last_lines<'py>(pieces: &mut Pieces<'py>, link: &Link<'py>) -> Res<()> {
    let py = link.exception.py();
    let Some(class) = machinery::global(py, Name::TracebackException)? else {
        return Ok(());
    };
    // Of the entries only the last matters here, and only to suggestions.
    let mut last = py_ffi::none(py);
    if link.kind == ClassKind::Suggesting {
        let mut next = (!link.trace.is_none()).then(|| link.trace.clone());
        while let Some(trace) = next {
            next = py_ffi::trace_entry(&trace).and_then(|entry| entry.next);
            last = trace;
        }
    }
    // With a set of exceptions seen the linked ones are left alone.
    let names = [
        &Name::compact.object(py).to_owned(),
        &Name::_seen.object(py).to_owned(),
    ];
    let shown = py_ffi::call_keywords(
        &class,
        &[
            &link.class,
            &link.exception,
            &last,
            &py_ffi::boolean(py, true),
            &py_ffi::new_set(py)?,
        ],
        Some(&py_ffi::new_tuple(py, &names)?),
    )?;
    py_ffi::setattr(&shown, Name::exceptions, &py_ffi::none(py))?;
    push_each(
        pieces,
        &py_ffi::method(&shown, Name::format_exception_only, [])?,
    )
}

fn push_each<'py>(pieces: &mut Pieces<'py>, iterable: &Obj<'py>) -> Res<()> {
    let iterator = py_ffi::iter(iterable)?;
    while let Some(piece) = py_ffi::next(&iterator)? {
        pieces.push(piece);
    }
    Ok(())
}

/// Proves the forms that this `exc_info` has on plain exceptions with the same entries: asking twice is not possible where
/// Python code answers.
#[cold]
pub fn prove_by_stand_ins<'py>(
    machinery: &'static Machinery,
    info: &Obj<'py>,
    interpreter: &impl Fn(&Obj<'py>) -> Res<Obj<'py>>,
) -> Res<()> {
    /// Forms that fail their proof are not tried for ever.
    const MOST: u32 = 32;
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let py = info.py();
    let tried = TRIED.fetch_add(1, Ordering::Relaxed);
    let Some((exception, trace)) = parts(info) else {
        return Ok(());
    };
    let Some(chain) = chain(exception, trace).filter(|_| tried < MOST) else {
        return Ok(());
    };
    let class = py_ffi::exception_class(py, Exc::Exception);
    let stand_in = || py_ffi::call(&class, &[&py_ffi::text_from(py, "stand-in")?]);
    for link in &chain {
        let exception = stand_in()?;
        match link.message {
            Some((Name::_cause_message, _)) => {
                py_ffi::setattr(&exception, Name::__cause__, &stand_in()?)?;
            }
            Some(_) => py_ffi::setattr(&exception, Name::__context__, &stand_in()?)?,
            None => {}
        }
        let info = py_ffi::new_tuple(py, &[&class, &exception, &link.trace])?;
        if let Outcome::Done(mut draft) = draft(machinery, &info)? {
            draft.prove(&interpreter(&info)?);
        }
    }
    Ok(())
}
