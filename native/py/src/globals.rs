//! The module state of `logging`, and of the modules it reads, live: whoever assigns `logging.raiseExceptions` or
//! `time.time` is heard at the next call.
//!
//! What a module's dict holds for a name is remembered until the dict changes; the dict says so itself (`raw::Watch`).
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyModule;

use crate::bind;
use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Exc, Obj, Raised, Ref, Remembered, Res};
use crate::names::{self, Name};
use crate::natives::Target;
use crate::raw::Watch;
use crate::saved::Saved;

/// A module whose globals are read at each call.
pub struct Module {
    /// The module object; owned for ever once known.
    object: AtomicPtr<ffi::PyObject>,
    watch: OnceLock<Watch>,
    seen: Shared<Seen>,
}

/// Values read since the dict last changed, which holds them as long as it does not change.
struct Seen {
    generation: u64,
    values: [Remembered; names::COUNT],
}

/// The one `logging`.
pub static LOGGING: Module = Module::new();
/// The standard library's `time`.
pub static TIME: Module = Module::new();
/// The standard library's `threading`.
pub static THREADING: Module = Module::new();
/// `sys`.
pub static SYS: Module = Module::new();
/// The standard library's `os`.
pub static OS: Module = Module::new();
/// The module behind `os.path`.
pub static PATH: Module = Module::new();

impl Module {
    /// No module yet.
    pub const fn new() -> Self {
        Module {
            object: AtomicPtr::new(std::ptr::null_mut()),
            watch: OnceLock::new(),
            seen: Shared::new(Seen {
                generation: 0,
                values: [Remembered::NOTHING; names::COUNT],
            }),
        }
    }

    /// Remembers which module this is. Called once.
    pub fn attach(&self, module: &Bound<'_, PyModule>) {
        if self.watch.set(Watch::new(&module.dict())).is_ok() {
            self.object
                .store(module.clone().into_ptr(), Ordering::Relaxed);
        }
    }

    /// A number that is another one after any change to the module's globals.
    #[inline]
    pub fn generation(&self, py: Python<'_>) -> u64 {
        self.watch.get().map_or(0, |watch| watch.generation(py))
    }

    /// Does [`epoch`] tell of changes to the module's globals?
    #[cfg(Py_3_12)]
    pub fn is_counted(&self) -> bool {
        self.watch.get().is_some_and(Watch::is_counted)
    }

    /// The module's globals.
    pub fn dict<'py>(&self, py: Python<'py>) -> Option<Obj<'py>> {
        self.watch
            .get()
            .map(|watch| watch.dict(py).clone().into_any())
    }

    /// Is `object` this module?
    #[inline]
    pub fn is(&self, object: &Obj<'_>) -> bool {
        object.as_ptr() == self.object.load(Ordering::Relaxed)
    }

    /// What the module's dict holds for `name` now. 2 ns while the dict stays as it is.
    #[inline]
    pub fn get_opt<'py>(&self, py: Python<'py>, name: Name) -> Res<Option<Obj<'py>>> {
        let Some(watch) = self.watch.get() else {
            return Ok(None);
        };
        let generation = watch.generation(py);
        let known = self.seen.with(py, |seen| {
            if seen.generation == generation {
                seen.values[name as usize]
            } else {
                Remembered::NOTHING
            }
        });
        match known.object(py) {
            Some(value) => Ok(Some(value)),
            // Known, and not to be used without asking: no need to remember it once more.
            None if known != Remembered::NOTHING => {
                py_ffi::dict_get(watch.dict(py).as_any(), &name.object(py))
            }
            None => self.look_up(py, watch, name),
        }
    }

    /// What `test`, which runs no Python code, says of what the module's dict holds for `name` now; `None` where that is not known
    /// without looking. No reference is taken.
    #[inline]
    pub fn peek<'py, R>(
        &self,
        py: Python<'py>,
        name: Name,
        test: impl FnOnce(&Obj<'py>) -> Option<R>,
    ) -> Option<R> {
        if cfg!(Py_GIL_DISABLED) {
            return None;
        }
        let generation = self.watch.get()?.generation(py);
        let value = self.seen.with(py, |seen| {
            (seen.generation == generation).then(|| seen.values[name as usize].address())
        })?;
        if value.is_null() {
            return None;
        }
        test(&py_ffi::lent(py, value))
    }

    /// Is the module's global `name` the object that `saved` points to? No reference is taken.
    #[inline]
    pub fn holds(&self, py: Python<'_>, name: Name, saved: *mut ffi::PyObject) -> Res<bool> {
        if saved.is_null() {
            return Ok(false);
        }
        // What is remembered is `saved` only if it is alive: somebody keeps that for ever. To count a reference to it would have
        // threads that log side by side write to one place.
        let known = self.watch.get().is_some_and(|watch| {
            let generation = watch.generation(py);
            self.seen.with(py, |seen| {
                seen.generation == generation && seen.values[name as usize].address() == saved
            })
        });
        Ok(known
            || self
                .get_opt(py, name)?
                .is_some_and(|value| value.as_ptr() == saved))
    }

    #[cold]
    fn look_up<'py>(&self, py: Python<'py>, watch: &Watch, name: Name) -> Res<Option<Obj<'py>>> {
        let dict = watch.dict(py).as_any();
        let (generation, found) = py_ffi::undisturbed(dict, || {
            let generation = watch.generation(py);
            (generation, py_ffi::dict_get(dict, &name.object(py)))
        });
        let found = found?;
        if let Some(value) = &found {
            let value = Remembered::new(value);
            self.seen.with(py, |seen| {
                if seen.generation != generation {
                    seen.values = [Remembered::NOTHING; names::COUNT];
                    seen.generation = generation;
                }
                seen.values[name as usize] = value;
            });
        }
        Ok(found)
    }
}

/// The modules a record depends on.
const SOURCES: [&Module; 5] = [&LOGGING, &TIME, &THREADING, &OS, &PATH];

/// What is the same as long as no global of those modules changes.
#[cfg(Py_3_12)]
pub type Epoch = u64;
/// What is the same as long as no global of those modules changes.
#[cfg(not(Py_3_12))]
pub type Epoch = [u64; SOURCES.len()];

/// The present state of the modules a record depends on, to be compared with an earlier one. 0.5 ns (3.11: 3 ns).
#[inline]
pub fn epoch(py: Python<'_>) -> Epoch {
    #[cfg(Py_3_12)]
    return crate::raw::epoch(py);
    #[cfg(not(Py_3_12))]
    return SOURCES.map(|module| module.generation(py));
}

/// Does [`epoch`] see every change?
pub fn is_epoch_true() -> bool {
    #[cfg(Py_3_12)]
    return SOURCES.iter().all(|module| module.is_counted());
    #[cfg(not(Py_3_12))]
    return true;
}

/// A number that is the same as long as no global of `logging` changes (on 3.12 and newer: of any of those modules); cheaper to
/// ask for than [`Module::generation`] there. See [`is_state_true`].
#[inline]
pub fn state(py: Python<'_>) -> u64 {
    #[cfg(Py_3_12)]
    return crate::raw::epoch(py);
    #[cfg(not(Py_3_12))]
    return LOGGING.generation(py);
}

/// Does [`state`] see every change?
pub fn is_state_true() -> bool {
    #[cfg(Py_3_12)]
    return LOGGING.is_counted();
    #[cfg(not(Py_3_12))]
    return true;
}

/// The functions of `os.path` that `logging` calls for a record, as they were when binding.
static PATH_FUNCTIONS: [(Name, Saved); 3] = [
    (Name::basename, Saved::new()),
    (Name::splitext, Saved::new()),
    (Name::normcase, Saved::new()),
];

/// Does `os.path`, as `logging` reaches it, still work as it did when binding? Found out once for each state of the three
/// modules on the way: 2 ns.
#[inline]
pub fn paths_are_own(py: Python<'_>) -> Res<bool> {
    static KNOWN: Shared<([u64; 3], bool)> = Shared::new(([0; 3], false));
    let now = [
        LOGGING.generation(py),
        OS.generation(py),
        PATH.generation(py),
    ];
    if let Some(own) = KNOWN.with(py, |known| (known.0 == now).then_some(known.1)) {
        Ok(own)
    } else {
        let own = look_at_paths(py)?;
        KNOWN.with(py, |known| *known = (now, own));
        Ok(own)
    }
}

#[cold]
fn look_at_paths(py: Python<'_>) -> Res<bool> {
    let os = LOGGING.get_opt(py, Name::os)?.is_some_and(|os| OS.is(&os));
    let path = OS
        .get_opt(py, Name::path)?
        .is_some_and(|path| PATH.is(&path));
    let mut own = os && path;
    for (name, saved) in &PATH_FUNCTIONS {
        own = own
            && PATH
                .get_opt(py, *name)?
                .is_some_and(|function| saved.is(&function));
    }
    Ok(own)
}

/// Globals of `logging` that are compared with what they were when binding: a replaced one sends its step to the reference
/// tier.
const ORIGINALS: [Name; 3] = [Name::currentframe, Name::LogRecord, Name::_srcfile];
static ORIGINAL: [AtomicPtr<ffi::PyObject>; ORIGINALS.len()] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; ORIGINALS.len()];

/// Remembers the modules. Called when binding.
pub fn attach(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    LOGGING.attach(module);
    TIME.attach(&py.import("time")?);
    THREADING.attach(&py.import("threading")?);
    SYS.attach(&py.import("sys")?);
    OS.attach(&py.import("os")?);
    let path = py.import(if cfg!(windows) { "ntpath" } else { "posixpath" })?;
    PATH.attach(&path);
    for (name, saved) in &PATH_FUNCTIONS {
        saved.set(path.getattr(name.text())?);
    }
    for (name, slot) in ORIGINALS.iter().zip(&ORIGINAL) {
        if slot.load(Ordering::Relaxed).is_null() {
            slot.store(module.getattr(name.text())?.into_ptr(), Ordering::Relaxed);
        }
    }
    #[cfg(Py_GIL_DISABLED)]
    keep(py);
    Ok(())
}

/// The module global `name` of `logging`; `NameError` (as from the reference body) when somebody deleted it.
#[inline]
pub fn get(py: Python<'_>, name: Name) -> Res<Obj<'_>> {
    match LOGGING.get_opt(py, name)? {
        Some(value) => Ok(value),
        None => Err(missing(py, name)),
    }
}

/// The module global `name` of `logging`, if it exists.
#[inline]
pub fn get_opt(py: Python<'_>, name: Name) -> Res<Option<Obj<'_>>> {
    LOGGING.get_opt(py, name)
}

/// The one `logging.handlers`.
pub static HANDLERS: Module = Module::new();

/// Remembers `logging.handlers`. Called when binding.
pub fn attach_handlers(module: &Bound<'_, PyModule>) {
    HANDLERS.attach(module);
}

/// The global `name` of `logging.handlers`, as it is now. Only for its methods, which run when it has been bound.
#[inline]
pub fn of_handlers(py: Python<'_>, name: Name) -> Res<Obj<'_>> {
    match HANDLERS.get_opt(py, name)? {
        Some(value) => Ok(value),
        None => Err(missing(py, name)),
    }
}

/// The formatter of handlers that have none, if the module still has it.
#[inline]
pub fn default_formatter(py: Python<'_>) -> Option<Obj<'_>> {
    get_opt(py, Name::_defaultFormatter).unwrap_or_else(|raised| {
        raised.clear(py);
        None
    })
}

/// Assigns the module global `name` of `logging`.
pub fn set(name: Name, value: &Obj<'_>) -> Res<()> {
    let py = value.py();
    match LOGGING.watch.get() {
        Some(watch) => py_ffi::dict_set(watch.dict(py).as_any(), &name.object(py), value),
        None => Err(missing(py, name)),
    }
}

/// Is `logging.<module>.<name>`, where `module` names the global that normally is `known`, the object that `saved` points to and that
/// lives for ever? Then nobody has to count a reference to it, which would have threads that log side by side write to one
/// place: with the GIL, where that costs nothing, never asked.
#[inline]
pub fn reaches(
    py: Python<'_>,
    module: Name,
    known: &Module,
    name: Name,
    saved: *mut ffi::PyObject,
) -> bool {
    if cfg!(not(Py_GIL_DISABLED)) {
        return false;
    }
    let holds = LOGGING
        .holds(py, module, known.object.load(Ordering::Relaxed))
        .and_then(|same| Ok(same && known.holds(py, name, saved)?));
    py_ffi::or_nothing(py, holds).unwrap_or_default()
}

/// Globals that are read at each record and whose objects are kept for ever, as they were when binding.
#[cfg(Py_GIL_DISABLED)]
static KEPT: [(&Module, Name, AtomicPtr<ffi::PyObject>); 8] = [
    (
        &LOGGING,
        Name::_levelToName,
        AtomicPtr::new(std::ptr::null_mut()),
    ),
    (
        &LOGGING,
        Name::_startTime,
        AtomicPtr::new(std::ptr::null_mut()),
    ),
    (
        &LOGGING,
        Name::_srcfile,
        AtomicPtr::new(std::ptr::null_mut()),
    ),
    (
        &LOGGING,
        Name::_defaultFormatter,
        AtomicPtr::new(std::ptr::null_mut()),
    ),
    (
        &LOGGING,
        Name::StreamHandler,
        AtomicPtr::new(std::ptr::null_mut()),
    ),
    (
        &LOGGING,
        Name::FileHandler,
        AtomicPtr::new(std::ptr::null_mut()),
    ),
    (
        &THREADING,
        Name::_active,
        AtomicPtr::new(std::ptr::null_mut()),
    ),
    (&SYS, Name::modules, AtomicPtr::new(std::ptr::null_mut())),
];

#[cfg(Py_GIL_DISABLED)]
fn keep(py: Python<'_>) {
    for (module, name, slot) in &KEPT {
        let value = py_ffi::or_nothing(py, module.get_opt(py, *name)).flatten();
        if let Some(value) = value
            && slot.load(Ordering::Relaxed).is_null()
        {
            slot.store(value.into_ptr(), Ordering::Relaxed);
        }
    }
}

/// The global `name` of a module, where it is still the one that is kept: without counting a reference to it.
#[cfg(Py_GIL_DISABLED)]
#[inline]
pub fn kept<'py>(
    py: Python<'py>,
    module: &'static Module,
    name: Name,
) -> Option<Ref<'static, 'py>> {
    let slot = KEPT
        .iter()
        .find(|(of, known, _)| std::ptr::eq(*of, module) && *known == name)?;
    let object = slot.2.load(Ordering::Relaxed);
    py_ffi::or_nothing(py, module.holds(py, name, object))?.then(|| py_ffi::immortal(py, object))
}

/// The name as a function of the module sees it: a module global, else a built-in.
pub fn get_or_builtin(py: Python<'_>, name: Name) -> Res<Obj<'_>> {
    if let Some(value) = get_opt(py, name)? {
        return Ok(value);
    }
    let builtins = get(py, Name::__builtins__)?;
    let found = if py_ffi::is_dict(&builtins) {
        py_ffi::dict_get(&builtins, &name.object(py))?
    } else {
        py_ffi::getattr_opt(&builtins, name)?
    };
    found.ok_or_else(|| missing(py, name))
}

/// `bool` of the module global `name`.
#[inline]
pub fn truthy(py: Python<'_>, name: Name) -> Res<bool> {
    let flag = LOGGING.peek(py, name, |value| {
        py_ffi::is_bool(value).then(|| !py_ffi::is_false(value))
    });
    if let Some(flag) = flag {
        return Ok(flag);
    }
    py_ffi::truthy(&get(py, name)?)
}

/// `logging.<module>.<name>`, where `module` names the global that normally is `known`.
#[inline]
pub fn from_module<'py>(
    py: Python<'py>,
    module: Name,
    known: &Module,
    name: Name,
) -> Res<Obj<'py>> {
    let object = get(py, module)?;
    if known.is(&object)
        && let Some(value) = known.get_opt(py, name)?
    {
        return Ok(value);
    }
    py_ffi::getattr(&object, name)
}

#[cold]
fn missing(py: Python<'_>, name: Name) -> Raised {
    py_ffi::raise(
        py,
        Exc::Name,
        &format!("name '{}' is not defined", name.text()),
    )
}

/// Is the module global `name` still the function the stdlib defined, so that its native implementation may be called
/// directly?
#[inline]
pub fn is_own(py: Python<'_>, name: Name, target: Target) -> Res<bool> {
    LOGGING.holds(py, name, bind::bound_object(target))
}

/// Is the module global `name` (one of `ORIGINALS`) what it was when binding?
#[inline]
pub fn is_original(py: Python<'_>, name: Name) -> Res<bool> {
    let Some(index) = ORIGINALS.iter().position(|known| *known == name) else {
        return Ok(false);
    };
    LOGGING.holds(py, name, ORIGINAL[index].load(Ordering::Relaxed))
}

/// What the module global `name` (one of `ORIGINALS`) was when binding.
#[inline]
pub fn original(py: Python<'_>, name: Name) -> Option<Ref<'static, '_>> {
    let object = original_address(name);
    (!object.is_null()).then(|| py_ffi::immortal(py, object))
}

/// The same, only to be compared.
#[inline]
pub fn original_address(name: Name) -> *mut ffi::PyObject {
    let index = ORIGINALS.iter().position(|known| *known == name);
    index.map_or(std::ptr::null_mut(), |index| {
        ORIGINAL[index].load(Ordering::Relaxed)
    })
}

/// Is the object exactly of the class that the module global `name` (one of `ORIGINALS`) was when binding?
#[inline]
pub fn is_original_class_of(object: &Obj<'_>, name: Name) -> bool {
    object.get_type_ptr().cast() == original_address(name)
}

/// The version tag that the class has now which the module global `name` (one of `ORIGINALS`) was when binding; 0: none yet, or none any
/// more.
#[inline]
pub fn original_class_tag_now(py: Python<'_>, name: Name) -> u32 {
    let class = original_address(name);
    if class.is_null() {
        0
    } else {
        py_ffi::class_tag_now(&py_ffi::immortal(py, class))
    }
}

/// The same, given one now if it has none; 0: it can get none.
pub fn original_class_tag(py: Python<'_>, name: Name) -> u32 {
    let class = original_address(name);
    if class.is_null() {
        0
    } else {
        py_ffi::class_tag(&py_ffi::immortal(py, class))
    }
}
