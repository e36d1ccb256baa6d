//! What handlers ask the file system about their path, as `os.stat`, `os.path.exists` and `os.path.isfile` answer it.
//!
//! Asked directly while these are the interpreter's own and the path is plain text; whoever replaced one of them is asked.
use pyo3::prelude::*;

use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::globals::{self, Module};
use crate::guard;
use crate::names::Name;
use crate::saved::Saved;

static PATH: Module = Module::new();
static GENERIC: Module = Module::new();
static STAT: Saved = Saved::new();
static EXISTS: Saved = Saved::new();
static ISFILE: Saved = Saved::new();

/// Saves what is the interpreter's own at this moment. Called when binding `logging.handlers`.
pub fn init(py: Python<'_>) -> PyResult<()> {
    let os = py.import("os")?;
    let path = os.getattr("path")?;
    let generic = py.import("genericpath")?;
    STAT.set_builtin(os.getattr("stat")?);
    for (name, saved) in [("exists", &EXISTS), ("isfile", &ISFILE)] {
        let function = path.getattr(name)?;
        if py_ffi::is_function_of(&function, &generic) {
            saved.set(function);
        }
    }
    if let Ok(path) = path.cast::<pyo3::types::PyModule>() {
        PATH.attach(path);
    }
    GENERIC.attach(&generic);
    Ok(())
}

/// A file as `os.stat` sees it.
pub struct Found {
    /// `st_dev`
    pub device: u64,
    /// `st_ino`
    pub inode: u64,
    /// `S_ISREG(st_mode)`
    pub regular: bool,
}

/// What stands at the handler's path, when asking `os.stat` for it would run no Python code: `Some(Ok(None))` is nothing there.
/// `None`: ask Python.
pub fn look(handler: &Obj<'_>) -> Option<std::io::Result<Found>> {
    let py = handler.py();
    let os = py_ffi::or_nothing(py, globals::of_handlers(py, Name::os))?;
    let stat = known(&globals::OS, &os, Name::stat)?;
    if !STAT.is_untouched(&stat) {
        return None;
    }
    let path = guard::peek(handler, Name::baseFilename)?;
    // ASCII means the same in every file system encoding Python uses.
    if !py_ffi::is_str(&path) || !py_ffi::is_ascii(&path) {
        return None;
    }
    let path = py_ffi::utf8(&path)?;
    if path.contains('\0') {
        return None;
    }
    status(path)
}

/// Asks for no more than is wanted: whoever has seen the times of a file makes the next write to it note the time anew, which takes
/// the system longer than the write itself.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn status(path: &str) -> Option<std::io::Result<Found>> {
    match py_ffi::device_and_inode(path) {
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => all_of_status(path),
        found => Some(found.map(|(device, inode, regular)| Found {
            device,
            inode,
            regular,
        })),
    }
}

#[cfg(all(unix, not(all(target_os = "linux", target_env = "gnu"))))]
fn status(path: &str) -> Option<std::io::Result<Found>> {
    all_of_status(path)
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)]
fn all_of_status(path: &str) -> Option<std::io::Result<Found>> {
    use std::os::unix::fs::MetadataExt;
    Some(std::fs::metadata(path).map(|status| Found {
        device: status.dev(),
        inode: status.ino(),
        regular: status.is_file(),
    }))
}

/// Windows knows no such inode; nothing is gained there.
#[cfg(not(unix))]
fn status(_path: &str) -> Option<std::io::Result<Found>> {
    None
}

/// What the dict of `module` holds for `name`, if `object` is that module.
fn known<'py>(module: &Module, object: &Obj<'py>, name: Name) -> Option<Obj<'py>> {
    if !module.is(object) {
        return None;
    }
    module.get_opt(object.py(), name).unwrap_or_else(|raised| {
        raised.clear(object.py());
        None
    })
}

/// Are `os.path.exists` and `os.path.isfile`, as `logging.handlers` finds them, questions to `os.stat` and nothing else? Found out
/// once for each state of the four modules on the way: 30 instructions instead of 350.
fn path_tests_are_own(py: Python<'_>) -> bool {
    static KNOWN: Shared<([u64; 4], bool)> = Shared::new(([0; 4], false));
    let now =
        [&globals::HANDLERS, &globals::OS, &PATH, &GENERIC].map(|module| module.generation(py));
    let known = KNOWN.with(py, |known| (known.0 == now).then_some(known.1));
    known.unwrap_or_else(|| {
        let own = look_at_path_tests(py).unwrap_or(false);
        KNOWN.with(py, |known| *known = (now, own));
        own
    })
}

#[cold]
fn look_at_path_tests(py: Python<'_>) -> Option<bool> {
    let os = py_ffi::or_nothing(py, globals::of_handlers(py, Name::os))?;
    let path = known(&globals::OS, &os, Name::path)?;
    let exists = known(&PATH, &path, Name::exists)?;
    let isfile = known(&PATH, &path, Name::isfile)?;
    let inner = py_ffi::or_nothing(py, GENERIC.get_opt(py, Name::os))??;
    Some(EXISTS.is(&exists) && ISFILE.is(&isfile) && globals::OS.is(&inner))
}

/// Are `os.stat` and the tests of `os.path` the interpreter's own, so that asking about a plain path runs no Python code?
pub fn are_own(py: Python<'_>) -> bool {
    let stat = || {
        let os = py_ffi::or_nothing(py, globals::of_handlers(py, Name::os))?;
        known(&globals::OS, &os, Name::stat)
    };
    path_tests_are_own(py) && stat().is_some_and(|stat| STAT.is_untouched(&stat))
}

/// Is there something at the handler's path that is no regular file? Such a thing is never rolled over. `quiet` becomes false
/// when Python code may have run.
pub fn is_special(handler: &Obj<'_>, quiet: &mut bool) -> Res<bool> {
    let py = handler.py();
    if path_tests_are_own(py)
        && let Some(found) = look(handler)
    {
        return Ok(found.is_ok_and(|found| !found.regular));
    }
    *quiet = false;
    Ok(py_ffi::truthy(&test(handler, Name::exists)?)?
        && !py_ffi::truthy(&test(handler, Name::isfile)?)?)
}

/// `os.path.<name>(self.baseFilename)`
fn test<'py>(handler: &Obj<'py>, name: Name) -> Res<Obj<'py>> {
    let module = py_ffi::getattr(&globals::of_handlers(handler.py(), Name::os)?, Name::path)?;
    let test = py_ffi::getattr(&module, name)?;
    py_ffi::call(&test, &[&guard::attr(handler, Name::baseFilename)?])
}
