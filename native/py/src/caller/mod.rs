//! Who called: `Logger.findCaller`, without a frame object and without a line number until somebody needs one.
//!
//! A call site is a code object and an offset into it. File, line and function of a site are computed once and kept; a site
//! holds its code object, so neither can be confused with another. What formats say of it is kept beside it.
mod texts;

pub use texts::{PlaceText, keep_place_text, place_text};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Obj, Ref, Res};
use crate::format::traceback;
use crate::globals;
use crate::guard;
use crate::late::Late;
use crate::names::Name;
use crate::natives::Target;
use crate::ordinary;
use crate::raw;

/// The place of a log call.
pub enum Site<'py> {
    /// An instruction, which says everything, and its names once somebody has asked. It was found while `os.path` was the interpreter's
    /// own: what its file is called is what that would have said then.
    At(Instruction<'py>, Late<Named<'py>>),
    /// File, line and function.
    Named(Named<'py>),
}

/// A code object and an offset into it.
pub type Instruction<'py> = (Obj<'py>, i32);

/// What a record has of the place.
pub struct Named<'py> {
    /// `co_filename`
    pub pathname: Obj<'py>,
    /// Its base name, and that without its last extension. Where Python code makes them (somebody else's `os.path`), they are made
    /// when the record is.
    names: Late<(Obj<'py>, Obj<'py>)>,
    /// `co_name`
    pub function: Obj<'py>,
    /// The line, as an int.
    pub line: Obj<'py>,
}

impl<'py> Named<'py> {
    /// `record.filename` and `record.module`
    #[inline]
    pub fn names(&self) -> Res<&(Obj<'py>, Obj<'py>)> {
        self.names.get_or(|| file_and_module(&self.pathname))
    }

    fn of_known([pathname, filename, module, function, line]: [Obj<'py>; 5]) -> Self {
        Named {
            pathname,
            names: Late::known((filename, module)),
            function,
            line,
        }
    }
}

impl<'py> Site<'py> {
    /// A place given as file, line and function.
    pub fn of(pathname: Obj<'py>, line: Obj<'py>, function: Obj<'py>) -> Self {
        Site::Named(Named {
            pathname,
            names: Late::new(),
            function,
            line,
        })
    }

    /// The place of an instruction.
    pub fn at(instruction: Instruction<'py>) -> Self {
        Site::At(instruction, Late::new())
    }

    /// Its names, if somebody has asked for them or they are all there is.
    #[inline]
    pub fn known_names(&self) -> Option<&Named<'py>> {
        match self {
            Site::At(_, names) => names.get(),
            Site::Named(names) => Some(names),
        }
    }

    /// Its names.
    #[inline]
    pub fn named(&self) -> Res<&Named<'py>> {
        match self {
            Site::At((code, offset), names) => names.get_or(|| named(code, *offset)),
            Site::Named(names) => Ok(names),
        }
    }
}

/// What `findCaller` found.
pub enum Caller<'py> {
    /// A place in Python code.
    At(Site<'py>),
    /// Only the interpreter's own body can tell.
    Reference(crate::stats::Reason),
}

/// Finds the first frame outside logging, `stacklevel` frames up (1 is the direct caller).
#[inline]
pub fn find(py: Python<'_>, stacklevel: i64) -> Res<Caller<'_>> {
    use crate::stats::Reason;
    if stacklevel < 1 {
        return Ok(Caller::Reference(Reason::StackLevel));
    }
    // That everything is ordinary is one test for all of these.
    let ordinary = ordinary::is_ordinary(py);
    if !ordinary
        && (!globals::is_own(py, Name::_is_internal_frame, Target::IsInternalFrame)?
            || !globals::is_original(py, Name::currentframe)?)
    {
        return Ok(Caller::Reference(Reason::FrameHelpers));
    }
    // With somebody else's os.path nothing is remembered, and nothing remembered is used.
    let keep = ordinary || globals::paths_are_own(py)?;
    let source = globals::get(py, Name::_srcfile)?;
    let mut left = stacklevel;
    let mut last = None;
    for (code, offset) in raw::frames(py) {
        let place = place(&code, offset, &source, keep)?;
        if !place.internal {
            left -= 1;
            if left == 0 {
                return Ok(Caller::At(place.site));
            }
        }
        last = Some(place.site);
    }
    // A stack that ends early reports its outermost frame.
    Ok(last.map_or(Caller::Reference(Reason::StackLevel), Caller::At))
}

/// What `take` makes of the instruction that logged and of what is remembered of it; `None` where that, or a frame of logging's own
/// on the way, is not remembered. Only where everything is [ordinary].
#[inline]
fn known_caller<'py, R>(
    py: Python<'py>,
    mut take: impl FnMut(&Obj<'py>, usize, &Entry) -> R,
) -> Option<R> {
    let source = globals::original_address(Name::_srcfile);
    for (code, offset) in raw::frames(py) {
        let found = SITES.with(py, |sites| {
            let at = slot(code.as_ptr() as usize, offset);
            let entry = &sites[at];
            let same =
                entry.code == code.as_ptr() && entry.offset == offset && entry.source == source;
            same.then(|| (!entry.internal).then(|| take(&code, at, entry)))
        });
        if let Some(found) = found? {
            return Some(found);
        }
    }
    None
}

/// The place of the running log call, as far as that is remembered. Only where everything is [ordinary].
#[inline]
pub fn known_site(py: Python<'_>) -> Option<Site<'_>> {
    known_caller(py, |code, _, entry| Site::at((code.clone(), entry.offset)))
}

/// The same with its names, which takes one look.
#[inline]
pub fn known_named_site(py: Python<'_>) -> Option<Site<'_>> {
    known_caller(py, |code, _, entry| {
        let names = Named::of_known(py_ffi::own_all(py, entry.values));
        Site::At((code.clone(), entry.offset), Late::known(names))
    })
}

/// Its pathname, filename, module, function and line, good until Python code runs: what is forgotten is
/// [given up](guard::give_up) later.
#[inline]
pub fn lent_names<'a>(py: Python<'_>) -> Option<[Ref<'a, '_>; 5]> {
    known_caller(py, |_, _, entry| py_ffi::lent_all(py, entry.values))
}

/// The same, owned.
#[inline]
pub fn known_names(py: Python<'_>) -> Option<[Obj<'_>; 5]> {
    known_caller(py, |_, _, entry| py_ffi::own_all(py, entry.values))
}

/// `_is_internal_frame`: logging's own source file, or the import machinery's frozen modules.
pub fn is_internal(code: &Obj<'_>, source: &Obj<'_>) -> Res<bool> {
    let filename = py_ffi::getattr(code, Name::co_filename)?;
    if !globals::paths_are_own(source.py())? {
        return odd_internal(&filename, source);
    }
    if filename.is(source) {
        return Ok(true);
    }
    let Some(text) = py_ffi::utf8(&filename) else {
        return odd_internal(&filename, source);
    };
    if text.contains("importlib") && text.contains("_bootstrap") {
        return Ok(true);
    }
    if cfg!(windows) {
        // os.path.normcase folds case and slashes there; `source` is folded already.
        let folded = py_ffi::text_from(filename.py(), &text.replace('/', "\\").to_lowercase())?;
        return py_ffi::eq(&folded, source);
    }
    py_ffi::eq(&filename, source)
}

/// The same by `os.path.normcase` itself and Python's own `in`.
#[cold]
fn odd_internal<'py>(filename: &Obj<'py>, source: &Obj<'py>) -> Res<bool> {
    let py = source.py();
    let path = py_ffi::getattr(&globals::get(py, Name::os)?, Name::path)?;
    let folded = py_ffi::method(&path, Name::normcase, [filename])?;
    Ok(py_ffi::eq(&folded, source)?
        || (py_ffi::contains(&folded, &py_ffi::text_from(py, "importlib")?)?
            && py_ffi::contains(&folded, &py_ffi::text_from(py, "_bootstrap")?)?))
}

/// One remembered call site; every pointer is an owned reference.
#[derive(Clone, Copy)]
struct Entry {
    code: *mut ffi::PyObject,
    offset: i32,
    /// Was the code logging's own, seen from `source`?
    internal: bool,
    source: *mut ffi::PyObject,
    values: [*mut ffi::PyObject; 5],
}

const EMPTY: Entry = Entry {
    code: std::ptr::null_mut(),
    offset: 0,
    internal: false,
    source: std::ptr::null_mut(),
    values: [std::ptr::null_mut(); 5],
};

/// A direct-mapped table: two hot sites on one slot only cost a recomputation each.
static SITES: Shared<[Entry; SITES_KEPT]> = Shared::new([EMPTY; SITES_KEPT]);
const SITES_KEPT: usize = 2048;

fn slot(code: usize, offset: i32) -> usize {
    // Multiplicative hashing; objects are aligned to 16 bytes, so the low bits say nothing.
    (((code >> 4) ^ (offset as usize).wrapping_mul(31)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 53)
        & (SITES_KEPT - 1)
}

/// A frame on the way up.
struct Place<'py> {
    site: Site<'py>,
    internal: bool,
}

/// File, line and function of an instruction, and whether it is logging's own code as `source` (`_srcfile`) tells. `keep`: what
/// is found is remembered, and what is remembered is used.
#[inline]
fn place<'py>(code: &Obj<'py>, offset: i32, source: &Obj<'py>, keep: bool) -> Res<Place<'py>> {
    let py = code.py();
    let at = slot(code.as_ptr() as usize, offset);
    let known = SITES.with(py, |sites| {
        let entry = &sites[at];
        (keep
            && entry.code == code.as_ptr()
            && entry.offset == offset
            && entry.source == source.as_ptr())
        .then_some(entry.internal)
    });
    if let Some(internal) = known {
        return Ok(Place {
            site: Site::at((code.clone(), offset)),
            internal,
        });
    }
    remember(code, offset, source, at, keep)
}

fn parts<'py>(code: &Obj<'py>, offset: i32) -> Res<(Obj<'py>, Obj<'py>, Obj<'py>)> {
    let line = match py_ffi::code_line(code, offset) {
        // An instruction without a line: `frame.f_lineno` is None.
        -1 => py_ffi::none(code.py()),
        line => py_ffi::new_int(code.py(), i64::from(line))?,
    };
    let pathname = py_ffi::getattr(code, Name::co_filename)?;
    Ok((pathname, line, py_ffi::getattr(code, Name::co_name)?))
}

/// [`named`] of one that is not remembered any more.
#[cold]
fn name<'py>(code: &Obj<'py>, offset: i32) -> Res<Named<'py>> {
    let (pathname, line, function) = parts(code, offset)?;
    let (filename, module) = own_file_and_module(&pathname)?;
    Ok(Named::of_known([
        pathname, filename, module, function, line,
    ]))
}

#[cold]
fn remember<'py>(
    code: &Obj<'py>,
    offset: i32,
    source: &Obj<'py>,
    at: usize,
    keep: bool,
) -> Res<Place<'py>> {
    let py = code.py();
    let (pathname, line, function) = parts(code, offset)?;
    let internal = is_internal(code, source)?;
    if !keep {
        return Ok(Place {
            site: Site::of(pathname, line, function),
            internal,
        });
    }
    let (filename, module) = own_file_and_module(&pathname)?;
    let values = [&pathname, &filename, &module, &function, &line];
    let entry = Entry {
        code: code.clone().into_ptr(),
        offset,
        internal,
        source: source.clone().into_ptr(),
        values: values.map(|value| value.clone().into_ptr()),
    };
    let old = SITES.with(py, |sites| std::mem::replace(&mut sites[at], entry));
    texts::forget(py, at);
    // That nobody calls from there any more may be the end of a code object, and a callback hear of it, while a line is being written.
    if !old.code.is_null() {
        guard::give_up(py, &[old.code, old.source]);
        guard::give_up(py, &old.values);
    }
    Ok(Place {
        site: Site::at((code.clone(), offset)),
        internal,
    })
}

/// File, line and function of an instruction.
#[inline]
fn named<'py>(code: &Obj<'py>, offset: i32) -> Res<Named<'py>> {
    let py = code.py();
    let known = SITES.with(py, |sites| {
        let entry = &sites[slot(code.as_ptr() as usize, offset)];
        (entry.code == code.as_ptr() && entry.offset == offset)
            .then(|| py_ffi::own_all(py, entry.values))
    });
    if let Some(values) = known {
        return Ok(Named::of_known(values));
    }
    name(code, offset)
}

/// `record.filename` and `record.module` of a path: base name, and base name without its last extension.
/// A path that is no path is its own file name, in the module "Unknown module".
pub fn file_and_module<'py>(pathname: &Obj<'py>) -> Res<(Obj<'py>, Obj<'py>)> {
    let py = pathname.py();
    if !globals::paths_are_own(py)? {
        return odd_path(pathname);
    }
    // A code object's is the same object each time: 6 % of a record that a factory of somebody's own makes.
    let at = pathname.as_ptr() as usize / 16 % PATHS_KEPT;
    let known = PATHS.with(py, |paths| {
        let [path, filename, module] = paths[at];
        (path == pathname.as_ptr()).then(|| py_ffi::own_all(py, [filename, module]))
    });
    if let Some([filename, module]) = known {
        return Ok((filename, module));
    }
    let (filename, module) = own_file_and_module(pathname)?;
    if py_ffi::is_str(pathname) && !filename.is(pathname) {
        let found = [pathname, &filename, &module].map(|text| text.clone().into_ptr());
        let old = PATHS.with(py, |paths| std::mem::replace(&mut paths[at], found));
        if !old[0].is_null() {
            guard::give_up(py, &old);
        }
    }
    Ok((filename, module))
}

/// Paths, which are exact strings, and what [`file_and_module`] makes of them: owned references, direct-mapped.
static PATHS: Shared<[[*mut ffi::PyObject; 3]; PATHS_KEPT]> =
    Shared::new([[std::ptr::null_mut(); 3]; PATHS_KEPT]);
const PATHS_KEPT: usize = 64;

/// The same as the interpreter's own `os.path` says it.
fn own_file_and_module<'py>(pathname: &Obj<'py>) -> Res<(Obj<'py>, Obj<'py>)> {
    let py = pathname.py();
    if cfg!(unix)
        && py_ffi::is_str(pathname)
        && let Some(text) = py_ffi::utf8(pathname)
    {
        let base = text.rsplit('/').next().unwrap_or(text);
        // os.path.splitext: leading dots belong to the name.
        let leading = base.len() - base.trim_start_matches('.').len();
        let stem = base[leading..]
            .rfind('.')
            .map_or(base, |dot| &base[..leading + dot]);
        let filename = if base.len() == text.len() {
            pathname.clone()
        } else {
            py_ffi::text_from(py, base)?
        };
        let module = if stem.len() == base.len() {
            filename.clone()
        } else {
            py_ffi::text_from(py, stem)?
        };
        return Ok((filename, module));
    }
    odd_path(pathname)
}

#[cold]
fn odd_path<'py>(pathname: &Obj<'py>) -> Res<(Obj<'py>, Obj<'py>)> {
    let py = pathname.py();
    let attempt = || -> Res<(Obj<'py>, Obj<'py>)> {
        let path = py_ffi::getattr(&globals::get(py, Name::os)?, Name::path)?;
        let filename = py_ffi::method(&path, Name::basename, [pathname])?;
        let parts = py_ffi::method(&path, Name::splitext, [&filename])?;
        let module = py_ffi::get_item(&parts, &py_ffi::new_int(py, 0)?)?;
        Ok((filename, module))
    };
    attempt().or_else(|raised| {
        let kinds = [
            py_ffi::Exc::Type,
            py_ffi::Exc::Value,
            py_ffi::Exc::Attribute,
        ];
        if !kinds
            .into_iter()
            .any(|kind| raised.is(py_ffi::exception_class(py, kind)))
        {
            return Err(raised);
        }
        raised.clear(py);
        Ok((pathname.clone(), py_ffi::text_from(py, "Unknown module")?))
    })
}

/// The frame `find` reports, as a frame object (for `stack_info`).
pub fn frame(py: Python<'_>, stacklevel: i64) -> Res<Obj<'_>> {
    let source = globals::get(py, Name::_srcfile)?;
    let mut left = stacklevel;
    let mut last = None;
    let mut frame = py_ffi::current_frame(py);
    while let Some(this) = frame {
        if !is_internal(&py_ffi::frame_code(&this), &source)? {
            left -= 1;
            if left == 0 {
                return Ok(this);
            }
        }
        frame = py_ffi::frame_back(&this);
        last = Some(this);
    }
    last.ok_or_else(|| py_ffi::raise(py, py_ffi::Exc::Value, "call stack is not deep enough"))
}

/// The text of `stack_info`.
pub fn stack_text<'py>(py: Python<'py>, frame: &Obj<'py>) -> Res<Obj<'py>> {
    traceback::stack(frame, || printed_stack(py, frame))
}

/// The same, rendered by the interpreter's `traceback` (which tests and libraries replace).
fn printed_stack<'py>(py: Python<'py>, frame: &Obj<'py>) -> Res<Obj<'py>> {
    let sink = py_ffi::call(
        &py_ffi::getattr(&globals::get(py, Name::io)?, Name::StringIO)?,
        &[],
    )?;
    let text = py_ffi::with_statement(&sink, || {
        py_ffi::method(
            &sink,
            Name::write,
            [&py_ffi::text_from(py, "Stack (most recent call last):\n")?],
        )?;
        let print = py_ffi::getattr(&globals::get(py, Name::traceback)?, Name::print_stack)?;
        let keyword = py_ffi::new_tuple(py, &[&Name::file.object(py)])?;
        py_ffi::call_keywords(&print, &[frame, &sink], Some(&keyword))?;
        py_ffi::method(&sink, Name::getvalue, []).map(Some)
    })?;
    match text {
        Some(text) => py_ffi::without_final_newline(&text),
        None => Ok(py_ffi::none(py)),
    }
}

/// `logging._is_internal_frame(frame)`
pub fn is_internal_frame<'py>(call: &crate::call::Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(frame)]) = call.parse([Name::frame], 1) else {
        return call.mismatch();
    };
    let py = call.py();
    let code = py_ffi::getattr(&frame, Name::f_code)?;
    Ok(py_ffi::boolean(
        py,
        is_internal(&code, &globals::get(py, Name::_srcfile)?)?,
    ))
}
