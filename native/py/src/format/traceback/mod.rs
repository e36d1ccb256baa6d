//! The texts of exceptions and stacks, as the interpreter's `traceback` renders them, put together from what it rendered.
//!
//! An entry – file, line, source, carets – is rendered by the interpreter once and kept ([`entries`]); what stands around
//! the entries is put together here. Done only while the machinery is the interpreter's own ([`machinery`]), for exceptions
//! whose text its C code makes ([`exceptions`]), from source that `linecache` holds and would not load anew ([`source`]). And
//! each form is compared with the interpreter's text when it is first met: only a form that was right is used. Everything
//! else is rendered by the interpreter, as if this were not here.
mod entries;
mod exceptions;
mod machinery;
mod source;

use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::prelude::*;
use smallvec::SmallVec;

use self::entries::{Entry, Kept, Key, Shown};
use self::machinery::{Machinery, Moment};
use self::source::Sources;
use super::text::Buffer;
use crate::ffi::{self as py_ffi, Exc, Obj, Res};
use crate::names::Name;

/// Forms a text may have, each proven by the first text that has it.
mod form {
    pub const ENTRIES: u32 = 1;
    pub const NO_ENTRIES: u32 = 1 << 1;
    pub const MESSAGE: u32 = 1 << 2;
    pub const NO_MESSAGE: u32 = 1 << 3;
    pub const MODULE: u32 = 1 << 4;
    pub const CAUSE: u32 = 1 << 5;
    pub const CONTEXT: u32 = 1 << 6;
    pub const ONCE_MORE: u32 = 1 << 7;
    pub const MORE: u32 = 1 << 8;
    pub const STACK: u32 = 1 << 9;
}

/// How many classes of exceptions are known at a time.
const CLASSES: usize = 1024;

/// What was compared with the interpreter's texts.
struct Proven {
    forms: AtomicU32,
    /// Classes of exceptions by their tags, direct-mapped.
    classes: [AtomicU32; CLASSES],
    /// How often a text was not the interpreter's.
    wrong: AtomicU32,
}

static PROVEN: Proven = Proven {
    forms: AtomicU32::new(0),
    classes: [const { AtomicU32::new(0) }; CLASSES],
    wrong: AtomicU32::new(0),
};

impl Proven {
    fn class(&self, tag: u32) -> &AtomicU32 {
        &self.classes[tag as usize % CLASSES]
    }
}

/// More wrong texts than files changing between two readings explain: there is something about this interpreter that is
/// not known here.
const TOO_WRONG: u32 = 8;

/// A text under construction.
struct Draft<'py> {
    buffer: Buffer<'py>,
    forms: u32,
    classes: SmallVec<[u32; 4]>,
}

/// A place in code whose entry is wanted.
struct Place<'py> {
    frame: Obj<'py>,
    code: Obj<'py>,
    offset: i32,
    line: i32,
}

impl Place<'_> {
    fn key(&self) -> Key {
        Key {
            code: self.code.as_ptr() as usize,
            offset: self.offset,
            line: self.line,
        }
    }
}

/// The offset in the key of a stack's entry.
const OF_STACK: i32 = -2;

/// What came of a rendering.
enum Outcome<'py> {
    Done(Draft<'py>),
    /// The entries are there, and Python code has to be asked for the rest; the draft has the forms of it.
    Asks(Draft<'py>),
    /// These entries have to be rendered first.
    Missing(Vec<Place<'py>>),
    /// Only the interpreter can.
    Refused,
}

/// How often missing entries are rendered for one text: source may change meanwhile.
const ATTEMPTS: usize = 3;

/// The text of `exc_info`, `traceback.print_exception`'s without the final newline; `interpreter` gives the same for any
/// such tuple.
pub fn exception<'py>(
    info: &Obj<'py>,
    interpreter: impl Fn(&Obj<'py>) -> Res<Obj<'py>>,
) -> Res<Obj<'py>> {
    let py = info.py();
    let own = rendered(
        py,
        |machinery| exceptions::draft(machinery, info),
        || interpreter(info),
        |draft, machinery| {
            if !draft.is_proven() {
                exceptions::prove_by_stand_ins(machinery, info, &interpreter)?;
            }
            if draft.is_proven() {
                unless_it_fails(py, exceptions::ask(machinery, info))
            } else {
                Ok(None)
            }
        },
    )?;
    own.map_or_else(|| interpreter(info), Ok)
}

/// `None` instead of an error: the interpreter fails at the same place, and its own entries are on the traceback then. An
/// error that is no `Exception` is the caller's: Ctrl-C goes where it would have gone.
fn unless_it_fails<T>(py: Python<'_>, result: Res<Option<T>>) -> Res<Option<T>> {
    result.or_else(|raised| {
        if !raised.is(py_ffi::exception_class(py, Exc::Exception)) {
            return Err(raised);
        }
        raised.clear(py);
        Ok(None)
    })
}

/// The text of `stack_info` for a frame; `interpreter` gives the same.
pub fn stack<'py>(frame: &Obj<'py>, interpreter: impl Fn() -> Res<Obj<'py>>) -> Res<Obj<'py>> {
    let own = rendered(
        frame.py(),
        |machinery| stack_draft(machinery, frame),
        &interpreter,
        |_, _| Ok(None),
    )?;
    own.map_or_else(interpreter, Ok)
}

/// The text that `draft` makes; `None` if only the interpreter can make it.
fn rendered<'py>(
    py: Python<'py>,
    draft: impl Fn(&'static Machinery) -> Res<Outcome<'py>>,
    interpreter: impl Fn() -> Res<Obj<'py>>,
    ask: impl Fn(&Draft, &'static Machinery) -> Res<Option<Obj<'py>>>,
) -> Res<Option<Obj<'py>>> {
    for _ in 0..ATTEMPTS {
        let Some(machinery) = machinery::own(py) else {
            return Ok(None);
        };
        // Nothing of Python's runs while a draft is made, so that with a GIL it is of one moment; without one it is of several, as the
        // interpreter's text is.
        let outcome = draft(machinery).unwrap_or_else(|raised| {
            raised.clear(py);
            Outcome::Refused
        });
        match outcome {
            Outcome::Done(draft) if draft.is_proven() => return draft.text(py).map(Some),
            Outcome::Done(mut draft) => {
                let theirs = interpreter()?;
                draft.prove(&theirs);
                return Ok(Some(theirs));
            }
            Outcome::Asks(draft) => return ask(&draft, machinery),
            Outcome::Missing(places) => {
                if !render(py, &places)? {
                    return Ok(None);
                }
            }
            Outcome::Refused => return Ok(None),
        }
    }
    Ok(None)
}

impl<'py> Draft<'py> {
    fn new(py: Python<'py>) -> Self {
        Draft {
            buffer: Buffer::new(py),
            forms: 0,
            classes: SmallVec::new(),
        }
    }

    fn push(&mut self, text: &str) {
        self.buffer.push(text, text.is_ascii());
    }

    fn push_object(&mut self, text: &Obj<'_>) -> bool {
        let Some(plain) = py_ffi::is_str(text).then(|| py_ffi::utf8(text)).flatten() else {
            return false;
        };
        self.buffer.push(plain, py_ffi::is_ascii(text));
        true
    }

    fn text(&self, py: Python<'py>) -> Res<Obj<'py>> {
        self.buffer.object(py)
    }

    /// Has every form in it been right before?
    fn is_proven(&self) -> bool {
        PROVEN.wrong.load(Ordering::Relaxed) < TOO_WRONG
            && self.forms & !PROVEN.forms.load(Ordering::Relaxed) == 0
            && self
                .classes
                .iter()
                .all(|tag| PROVEN.class(*tag).load(Ordering::Relaxed) == *tag)
    }

    /// Compares with the interpreter's text; what is in it is proven if they are the same.
    #[cold]
    fn prove(&mut self, theirs: &Obj<'_>) {
        let ours = self.buffer.utf8();
        let right = py_ffi::is_str(theirs)
            && py_ffi::utf8(theirs).is_some_and(|text| ours == Some(text.as_bytes()));
        if !right {
            PROVEN.wrong.fetch_add(1, Ordering::Relaxed);
            return;
        }
        PROVEN.forms.fetch_or(self.forms, Ordering::Relaxed);
        for tag in &self.classes {
            PROVEN.class(*tag).store(*tag, Ordering::Relaxed);
        }
    }
}

// ---- entries

/// Entries one after the other: the same one is shown a few times, then counted.
struct Entries<'m, 'py> {
    machinery: &'m Machinery,
    last: Option<(Obj<'py>, Obj<'py>, i32)>,
    count: usize,
}

impl<'m, 'py> Entries<'m, 'py> {
    fn new(machinery: &'m Machinery) -> Self {
        Entries {
            machinery,
            last: None,
            count: 0,
        }
    }

    fn push(
        &mut self,
        draft: &mut Draft,
        code: &Obj<'py>,
        file: Obj<'py>,
        entry: &Entry,
    ) -> Res<()> {
        let function = py_ffi::getattr(code, Name::co_name)?;
        let again = match &self.last {
            Some((last_file, last_function, line)) => {
                *line == entry.line
                    && py_ffi::eq(last_file, &file)?
                    && py_ffi::eq(last_function, &function)?
            }
            None => false,
        };
        if !again {
            self.finish(draft);
            self.last = Some((file, function, entry.line));
        }
        self.count += 1;
        if self.count <= self.machinery.cutoff {
            draft.buffer.push(&entry.text, entry.ascii);
        }
        Ok(())
    }

    /// Says how often the last entry came again.
    fn finish(&mut self, draft: &mut Draft) {
        let more = std::mem::take(&mut self.count).saturating_sub(self.machinery.cutoff);
        if more > 0 {
            draft.forms |= if more == 1 {
                form::ONCE_MORE
            } else {
                form::MORE
            };
            let plural = if more == 1 { "" } else { "s" };
            draft.push(&format!(
                "  [Previous line repeated {more} more time{plural}]\n"
            ));
        }
    }
}

/// The kept entry of a place; `Err(true)`: it has to be rendered, `Err(false)`: only the interpreter can tell.
fn entry<'py>(
    sources: &mut Sources<'py>,
    code: &Obj<'py>,
    file: &Obj<'py>,
    offset: i32,
    line: i32,
) -> Res<Result<Entry, bool>> {
    let key = Key {
        code: code.as_ptr() as usize,
        offset,
        line,
    };
    Ok(match sources.lines(file)? {
        Some(lines) => entries::find(code.py(), key, lines).ok_or(true),
        None => Err(false),
    })
}

/// Lets the interpreter render entries and keeps them; false if one cannot be kept.
#[cold]
fn render<'py>(py: Python<'py>, places: &[Place<'py>]) -> Res<bool> {
    // A recursion misses the same entry again and again.
    let mut done = Vec::new();
    for place in places {
        if done.contains(&place.key()) {
            continue;
        }
        done.push(place.key());
        if unless_it_fails(py, render_one(py, place))?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn sources(py: Python<'_>) -> Res<Option<Sources<'_>>> {
    let no_interactive = machinery::knows_no_interactive_source(py)?;
    Ok(machinery::cache(py)?.map(|cache| Sources::new(cache, no_interactive)))
}

/// Is the entry kept now? Not if only the interpreter can tell what it shows.
fn render_one<'py>(py: Python<'py>, place: &Place<'py>) -> Res<Option<()>> {
    /// No statement is longer; more lines would only be kept in vain.
    const MOST_LINES: i32 = 1000;
    let (first, last) = if place.offset == OF_STACK {
        (place.line, place.line)
    } else {
        py_ffi::code_lines(&place.code, place.offset)
    };
    if place.offset < OF_STACK || first < 1 || !(first..first + MOST_LINES).contains(&last) {
        return Ok(None);
    }
    // What it is made from may change meanwhile: the first time by an import.
    for _ in 0..ATTEMPTS {
        let Some(moment) = Moment::begin(py) else {
            return Ok(None);
        };
        let Some(entry) = rendered_entry(py, place, first, last)? else {
            return Ok(None);
        };
        if moment.lasts(py) {
            entries::keep(py, place.key(), entry);
            return Ok(Some(()));
        }
    }
    Ok(None)
}

/// The entry, rendered while its lines stay what they are; `None`: it cannot be kept.
fn rendered_entry<'py>(
    py: Python<'py>,
    place: &Place<'py>,
    first: i32,
    last: i32,
) -> Res<Option<Kept>> {
    let file = py_ffi::getattr(&place.code, Name::co_filename)?;
    // The lines must be the same before and after, since they are what the text is kept for.
    let shown = || -> Res<_> {
        let Some(mut sources) = sources(py)? else {
            return Ok(None);
        };
        let lines = sources.lines(&file)?;
        let count = (last - first + 1) as usize;
        Ok(lines.map(|lines| (entries::shown(lines, first, count), lines.is_none())))
    };
    let Some((before, without_source)) = shown()? else {
        return Ok(None);
    };
    let (Some(extract), Some(class)) = (
        machinery::global(py, Name::extract_tb)?,
        machinery::global(py, Name::StackSummary)?,
    ) else {
        return Ok(None);
    };
    let summary = if place.offset == OF_STACK {
        let frames = py_ffi::new_list(py)?;
        let line = py_ffi::new_int(py, place.line.into())?;
        py_ffi::list_append(&frames, &py_ffi::new_tuple(py, &[&place.frame, &line])?)?;
        py_ffi::method(&class, Name::extract, [&frames])?
    } else {
        let none = py_ffi::none(py);
        let trace = py_ffi::new_traceback(&none, &place.frame, place.offset, place.line)?;
        py_ffi::call(&extract, &[&trace])?
    };
    let only = py_ffi::get_item(&summary, &py_ffi::new_int(py, 0)?)?;
    let text = py_ffi::method(&summary, Name::format_frame_summary, [&only])?;
    let number = |name: Name| Ok(py_ffi::int_value(&py_ffi::getattr(&only, name)?));
    let lines: Res<[Option<i64>; 2]> = Ok([number(Name::lineno)?, number(Name::end_lineno)?]);
    let [line, end_line] = lines?;
    let Some(plain) = py_ffi::is_str(&text).then(|| py_ffi::utf8(&text)).flatten() else {
        return Ok(None);
    };
    let as_expected =
        line == Some(first.into()) && end_line.is_none_or(|end_line| end_line == i64::from(last));
    // Source that shows although the cache has none came from somewhere that is not watched.
    let from_elsewhere = without_source && plain.lines().count() != 1;
    let Some((after, _)) = shown()? else {
        return Ok(None);
    };
    let same = before.len() == after.len()
        && before.iter().zip(&after).all(|lines| match lines {
            (Some(before), Some(after)) => before.is(after),
            (None, None) => true,
            _ => false,
        });
    if !as_expected || from_elsewhere || !same || !is_made_of(&only, &before)? {
        return Ok(None);
    }
    let ascii = py_ffi::is_ascii(&text);
    Ok(Some(Kept::new(&place.code, plain, ascii, first, before)))
}

/// Did the interpreter's entry get these very lines? The cache may have held others in between.
#[cfg(Py_3_13)]
fn is_made_of<'py>(entry: &Obj<'py>, lines: &Shown<'py>) -> Res<bool> {
    // Lib/traceback.py, FrameSummary._set_lines, 3.13: what it shows is made of that from then on.
    let stripped = py_ffi::new_list(entry.py())?;
    let nothing = py_ffi::text_from(entry.py(), "")?;
    for line in lines {
        let line = match line {
            Some(line) if py_ffi::is_str(line) => py_ffi::method(line, Name::rstrip, [])?,
            Some(_) => return Ok(false),
            None => nothing.clone(),
        };
        py_ffi::list_append(&stripped, &line)?;
    }
    py_ffi::list_append(&stripped, &nothing)?;
    let shown = py_ffi::getattr(entry, Name::_lines)?;
    Ok(py_ffi::is_str(&shown) && py_ffi::eq(&shown, &py_ffi::join("\n", &stripped)?)?)
}

/// Did the interpreter's entry get this very line? The cache may have held another in between.
#[cfg(not(Py_3_13))]
fn is_made_of<'py>(entry: &Obj<'py>, lines: &Shown<'py>) -> Res<bool> {
    // Lib/traceback.py, FrameSummary.line, 3.12: it shows one.
    let shown = py_ffi::getattr(entry, Name::_line)?;
    Ok(match lines.first() {
        Some(Some(line)) => shown.is(line),
        _ => py_ffi::is_empty_str(&shown),
    })
}

// ---- stacks

fn stack_draft<'py>(machinery: &'static Machinery, frame: &Obj<'py>) -> Res<Outcome<'py>> {
    let py = frame.py();
    let Some(mut sources) = sources(py)? else {
        return Ok(Outcome::Refused);
    };
    let mut shown: SmallVec<[(Obj<'py>, Obj<'py>, Entry); 32]> = SmallVec::new();
    let mut missing = Vec::new();
    let mut next = Some(frame.clone());
    while let Some(frame) = next {
        let code = py_ffi::frame_code(&frame);
        let file = py_ffi::getattr(&code, Name::co_filename)?;
        let line = py_ffi::frame_line(&frame);
        next = py_ffi::frame_back(&frame);
        match entry(&mut sources, &code, &file, OF_STACK, line)? {
            Ok(entry) => shown.push((code, file, entry)),
            Err(true) => missing.push(Place {
                frame,
                code,
                offset: OF_STACK,
                line,
            }),
            Err(false) => return Ok(Outcome::Refused),
        }
    }
    if !missing.is_empty() {
        return Ok(Outcome::Missing(missing));
    }
    let mut draft = Draft::new(py);
    draft.forms |= form::STACK;
    draft.push("Stack (most recent call last):\n");
    let mut entries = Entries::new(machinery);
    for (code, file, entry) in shown.into_iter().rev() {
        entries.push(&mut draft, &code, file, &entry)?;
    }
    entries.finish(&mut draft);
    draft.buffer.pop_newline();
    Ok(Outcome::Done(draft))
}
