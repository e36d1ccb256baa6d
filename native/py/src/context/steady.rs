//! The process of a record for as long as nothing can have made it another one, and whether a task may run.
//!
//! To ask for each takes 100 instructions more, and 1.2 µs of `multiprocessing`'s own Python code where that is imported. What is kept
//! here holds for one [`Moment`]. The name of a process object is read each time, since anybody may give a process a new name.
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule};

use super::{Asked, Switch, can_wait, settled};
#[cfg(Py_3_12)]
use super::{OWN_LOOP, runs_no_loop};
use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Obj, Ref, Res};
use crate::globals::{self, Epoch};
use crate::guard;
use crate::names::Name;
use crate::raw;
use crate::saved::Saved;

/// In which state of the modules, in which process.
#[cfg(Py_3_12)]
pub(super) type Moment = (Epoch, i64);
/// In which state of the modules, in which process. The epoch of 3.11 tells nothing of `sys` and of the [`Table`]s.
#[cfg(not(Py_3_12))]
pub(super) type Moment = (Epoch, i64, [u64; 1 + TABLES.len()]);

#[inline]
pub(super) fn moment(py: Python<'_>) -> Moment {
    #[cfg(Py_3_12)]
    return (globals::epoch(py), crate::fork::process_id());
    #[cfg(not(Py_3_12))]
    {
        let [modules, multiprocessing, process] = &TABLES;
        let of = |table: &Shared<Option<raw::Watch>>| {
            table.with(py, |watch| {
                watch.as_ref().map_or(0, |watch| watch.generation(py))
            })
        };
        let others = [
            globals::SYS.generation(py),
            of(modules),
            of(multiprocessing),
            of(process),
        ];
        (globals::epoch(py), crate::fork::process_id(), others)
    }
}

/// Dicts that are watched once they have been looked at, like the globals of the modules that [`globals`] knows.
#[derive(Clone, Copy)]
pub(super) enum Table {
    /// `sys.modules`
    Modules,
    /// The globals of `multiprocessing`.
    Multiprocessing,
    /// The globals of `multiprocessing.process`.
    Process,
    /// The globals of `asyncio`.
    #[cfg(Py_3_12)]
    Asyncio,
}

static TABLES: [Shared<Option<raw::Watch>>; if cfg!(Py_3_12) { 4 } else { 3 }] =
    [const { Shared::new(None) }; if cfg!(Py_3_12) { 4 } else { 3 }];

/// Does the [`Moment`] tell of this dict's changes, and did it before whatever has been read of it now? It does from here on, where that
/// can be.
pub(super) fn is_watched(table: Table, dict: &Bound<'_, PyDict>) -> bool {
    raw::Watch::is_on(&TABLES[table as usize], dict)
}

/// What is the same as at the last record; good until Python code runs or the others are asked.
pub(super) struct Same<'a, 'py> {
    pub process_name: Ref<'a, 'py>,
    pub process: Ref<'a, 'py>,
    tasks: Tasks,
}

impl<'py> Same<'_, 'py> {
    /// Would asking for the task run none but the interpreter's own functions?
    #[inline]
    #[cfg_attr(not(Py_3_12), allow(clippy::unused_self, reason = "3.11 asks nobody"))]
    pub fn has_own_tasks(&self) -> bool {
        #[cfg(Py_3_12)]
        return !matches!(self.tasks, Tasks::ToBeAsked);
        #[cfg(not(Py_3_12))]
        true
    }

    /// The task's name, `None`, if it is certain that no task runs.
    #[inline]
    #[cfg_attr(
        not(Py_3_12),
        allow(clippy::unnecessary_wraps, reason = "3.11 asks nobody")
    )]
    pub fn no_task(&self, py: Python<'py>) -> Res<Option<Obj<'py>>> {
        let none = match self.tasks {
            Tasks::Never => true,
            #[cfg(Py_3_12)]
            Tasks::InLoops => runs_no_loop(py)?,
            #[cfg(Py_3_12)]
            Tasks::ToBeAsked => false,
        };
        Ok(none.then(|| py_ffi::none(py)))
    }
}

/// When a task may run.
#[derive(Clone, Copy)]
enum Tasks {
    Never,
    /// Where a loop runs, and the interpreter's own functions tell of it.
    #[cfg(Py_3_12)]
    InLoops,
    #[cfg(Py_3_12)]
    ToBeAsked,
}

/// What was read in a [`Moment`].
struct Still {
    when: Option<Moment>,
    /// Owned.
    process: *mut pyo3::ffi::PyObject,
    /// The process's name, owned; or the process object that has it, which `multiprocessing.process` holds in this moment.
    named: *mut pyo3::ffi::PyObject,
    has_name: bool,
    /// The modules that were looked at, null for none; `sys.modules` holds them in this moment.
    modules: [*mut pyo3::ffi::PyObject; 2],
    tasks: Tasks,
}

static STILL: Shared<Still> = Shared::new(Still {
    when: None,
    process: std::ptr::null_mut(),
    named: std::ptr::null_mut(),
    has_name: false,
    modules: [std::ptr::null_mut(); 2],
    tasks: Tasks::Never,
});

/// Process and process's name, where they are what they were at the last record and nobody's code tells them.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "what it finds stays in registers: in memory it would be read back at once, two at a time, and waited for"
)]
pub(super) fn unchanged<'a>(py: Python<'_>) -> Option<Same<'a, '_>> {
    let now = moment(py);
    let ([named, process], has_name, modules, tasks) = STILL.with(py, |still| {
        (still.when == Some(now)).then(|| {
            (
                py_ffi::lent_all(py, [still.named, still.process]),
                still.has_name,
                still.modules,
                still.tasks,
            )
        })
    })?;
    // A module's class comes before its dict, and is anybody's to replace.
    let plain = |module: *mut pyo3::ffi::PyObject| {
        module.is_null() || py_ffi::lent(py, module).cast_exact::<PyModule>().is_ok()
    };
    if !modules.into_iter().all(plain) {
        return None;
    }
    let process_name = match (has_name, named) {
        (false, name) => name,
        (true, process) if CURRENT_PROCESS.runs_as_it_did(py) && GET_NAME.runs_as_it_did(py) => {
            name_of(&process)?
        }
        (true, _) => return None,
    };
    Some(Same {
        process_name,
        process,
        tasks,
    })
}

/// Keeps them for that, if nothing but what the [`Moment`] tells of can make them other ones; `before` is what held before they were
/// read.
pub(super) fn keep<'py>(
    py: Python<'py>,
    before: &Moment,
    [process_name, process, _]: &[Obj<'py>; 3],
) -> Res<()> {
    let (Some(names), Some(_)) = (
        settled(py, Switch::Multiprocessing),
        settled(py, Switch::Processes),
    ) else {
        return Ok(());
    };
    let mut modules = [std::ptr::null_mut(); 2];
    let mut speaker = None;
    if names {
        match import(py, Asked::Multiprocessing)? {
            Import::Unknown => return Ok(()),
            Import::Found(module) if !module.is_none() => {
                modules[0] = module.as_ptr();
                speaker = find_speaker(&module)?;
                if speaker.is_none() {
                    return Ok(());
                }
            }
            Import::Found(_) | Import::Missing => {}
        }
    }
    let Some(tasks) = tasks(py, &mut modules[1])? else {
        return Ok(());
    };
    if !globals::is_epoch_true() || !can_wait(py)? || *before != moment(py) {
        return Ok(());
    }
    let has_name = speaker.is_some();
    let still = Still {
        when: Some(*before),
        process: process.clone().into_ptr(),
        named: match &speaker {
            Some(process) => process.as_ptr(),
            None => process_name.clone().into_ptr(),
        },
        has_name,
        modules,
        tasks,
    };
    let mut old = STILL.with(py, |kept| std::mem::replace(kept, still));
    if old.has_name {
        old.named = std::ptr::null_mut();
    }
    py_ffi::release_all(py, &[old.named, old.process]);
    Ok(())
}

/// When a task may run, as far as that will be the same in this [`Moment`], and which module tells, if it is trusted.
#[cfg(Py_3_12)]
fn tasks(py: Python<'_>, module: &mut *mut pyo3::ffi::PyObject) -> Res<Option<Tasks>> {
    if settled(py, Switch::AsyncioTasks) == Some(false) {
        return Ok(Some(Tasks::Never));
    }
    let asyncio = match import(py, Asked::Asyncio)? {
        Import::Unknown => return Ok(None),
        Import::Missing => return Ok(Some(Tasks::Never)),
        Import::Found(asyncio) => asyncio,
    };
    let own = (globals::epoch(py), asyncio.as_ptr());
    let tells = OWN_LOOP.with(py, |known| *known == own);
    Ok(Some(
        if tells && settled(py, Switch::AsyncioTasks).is_some() {
            *module = asyncio.as_ptr();
            Tasks::InLoops
        } else {
            Tasks::ToBeAsked
        },
    ))
}

#[cfg(not(Py_3_12))]
#[allow(clippy::unnecessary_wraps, reason = "same shape as on newer versions")]
fn tasks(_py: Python<'_>, _module: &mut *mut pyo3::ffi::PyObject) -> Res<Option<Tasks>> {
    Ok(Some(Tasks::Never))
}

// -- multiprocessing -----------------------------------------------------------------------------------------------------------------

/// A function of the interpreter's own `multiprocessing.process`, as it was when first seen, and the code that it ran then.
struct Function {
    object: Saved,
    code: Saved,
}

impl Function {
    const fn new() -> Self {
        Self {
            object: Saved::new(),
            code: Saved::new(),
        }
    }

    /// Saves it the first time, if it is the one that the module `home` defines by that name.
    #[cold]
    fn save(&self, function: &Obj<'_>, home: &Bound<'_, PyModule>, name: &str) -> Res<()> {
        if !self.object.is_empty() || !py_ffi::is_function_of(function, home) {
            return Ok(());
        }
        let code = py_ffi::getattr(function, Name::__code__)?;
        let called = py_ffi::getattr(&code, Name::co_qualname)?;
        if py_ffi::is_str(&called) && py_ffi::utf8(&called) == Some(name) {
            self.code.set(code);
            self.object.set(function.clone());
        }
        Ok(())
    }

    /// Does it still run that code?
    #[inline]
    fn runs_as_it_did(&self, py: Python<'_>) -> bool {
        let object = self.object.address();
        let code = py_ffi::function_code(&py_ffi::immortal(py, object));
        self.code.is_at(code)
    }
}

static CURRENT_PROCESS: Function = Function::new();
/// The property `name` of processes, and what it calls.
static PROCESS_NAME: Saved = Saved::new();
static GET_NAME: Function = Function::new();

/// What `multiprocessing.current_process()` answers, if that will be the same in this [`Moment`] and its name is what its `_name` is.
#[cold]
fn find_speaker<'py>(multiprocessing: &Obj<'py>) -> Res<Option<Obj<'py>>> {
    let py = multiprocessing.py();
    let modules = globals::from_module(py, Name::sys, &globals::SYS, Name::modules)?;
    if !py_ffi::is_dict(&modules) {
        return Ok(None);
    }
    let home = py_ffi::dict_get_name(&modules, Name::multiprocessing_process)?;
    let Some((multiprocessing, home)) = (multiprocessing.cast_exact::<PyModule>().ok())
        .zip((home.as_ref()).and_then(|home| home.cast_exact::<PyModule>().ok()))
    else {
        return Ok(None);
    };
    let (names, own) = (multiprocessing.dict(), home.dict());
    // Both are asked, so that both are watched from the first record on.
    if !(is_watched(Table::Multiprocessing, &names) & is_watched(Table::Process, &own)) {
        return Ok(None);
    }
    let in_names = |name| py_ffi::dict_get_name(names.as_any(), name);
    let in_own = |name| py_ffi::dict_get_name(own.as_any(), name);
    let (Some(function), Some(process)) = (
        in_names(Name::current_process)?,
        in_own(Name::_current_process)?,
    ) else {
        return Ok(None);
    };
    CURRENT_PROCESS.save(&function, home, "current_process")?;
    if PROCESS_NAME.is_empty()
        && let Some(class) = in_own(Name::BaseProcess)?
        && let Some(property) = py_ffi::getattr_opt(&class, Name::name)?
        && py_ffi::is_property(&property)
    {
        GET_NAME.save(
            &py_ffi::getattr(&property, Name::fget)?,
            home,
            "BaseProcess.name",
        )?;
        if !GET_NAME.object.is_empty() {
            PROCESS_NAME.set(property);
        }
    }
    // The function answers what the module has in which it was defined.
    let tells = CURRENT_PROCESS.object.is(&function)
        && py_ffi::is_function_of(&function, home)
        && !PROCESS_NAME.is_empty()
        && name_of(&process.as_borrowed()).is_some();
    Ok(tells.then_some(process))
}

/// The process's name, if that is what its `name` gives.
#[inline]
fn name_of<'a, 'py>(process: &Ref<'a, 'py>) -> Option<Ref<'a, 'py>> {
    let py = process.py();
    let process = guard::view(process)?;
    let own = process.class_has(Name::name, &PROCESS_NAME);
    let name = own.then(|| process.lend(Name::_name)).flatten()?;
    Some(py_ffi::lent(py, name.as_ptr()))
}

// -- sys.modules ---------------------------------------------------------------------------------------------------------------------

/// What `sys.modules` holds for a module, if that will be the same in this [`Moment`].
pub(super) enum Import<'py> {
    Found(Obj<'py>),
    Missing,
    /// Somebody has to look.
    Unknown,
}

#[cfg(not(Py_3_12))]
fn import(py: Python<'_>, module: Asked) -> Res<Import<'_>> {
    let modules = globals::from_module(py, Name::sys, &globals::SYS, Name::modules)?;
    let Ok(modules) = modules.cast_exact::<PyDict>() else {
        return Ok(Import::Unknown);
    };
    if !is_told_of(py)? || !is_watched(Table::Modules, modules) {
        return Ok(Import::Unknown);
    }
    let found = py_ffi::dict_get_name(modules.as_any(), module.name())?;
    Ok(found.map_or(Import::Missing, Import::Found))
}

/// Is `logging.sys` the module whose changes a [`Moment`] tells of?
fn is_told_of(py: Python<'_>) -> Res<bool> {
    Ok(globals::get_opt(py, Name::sys)?.is_some_and(|sys| globals::SYS.is(&sys)))
}

/// What `sys.modules` holds for them, null for nothing, as long as the epoch is the same. Borrowed from it, which another thread could
/// not be kept from changing. Looking takes 150 instructions, twice for each record.
#[cfg(Py_3_12)]
struct Imports {
    epoch: Epoch,
    known: [bool; 2],
    modules: [*mut pyo3::ffi::PyObject; 2],
}

#[cfg(Py_3_12)]
static IMPORTS: Shared<Imports> = Shared::new(Imports {
    epoch: 0,
    known: [false; 2],
    modules: [std::ptr::null_mut(); 2],
});

#[cfg(Py_3_12)]
#[inline]
#[allow(clippy::unnecessary_wraps, reason = "same shape as on 3.11")]
pub(super) fn import(py: Python<'_>, module: Asked) -> Res<Import<'_>> {
    let epoch = globals::epoch(py);
    Ok(IMPORTS.with(py, |imports| {
        if imports.epoch != epoch || !imports.known[module as usize] {
            return Import::Unknown;
        }
        let found = imports.modules[module as usize];
        if found.is_null() {
            return Import::Missing;
        }
        let [found] = py_ffi::own_all(py, [found]);
        Import::Found(found)
    }))
}

#[cfg(Py_3_12)]
#[cold]
pub(super) fn keep_import<'py>(
    modules: &Obj<'py>,
    module: Asked,
    found: Option<&Obj<'py>>,
) -> Res<()> {
    let py = modules.py();
    let Ok(modules) = modules.cast_exact::<PyDict>() else {
        return Ok(());
    };
    if !is_told_of(py)? || !is_watched(Table::Modules, modules) {
        return Ok(());
    }
    let epoch = globals::epoch(py);
    let same = globals::from_module(py, Name::sys, &globals::SYS, Name::modules)?.is(modules);
    if same && globals::is_epoch_true() && globals::SYS.is_counted() {
        let pointer = found.map_or(std::ptr::null_mut(), Bound::as_ptr);
        IMPORTS.with(py, |imports| {
            if imports.epoch != epoch {
                *imports = Imports {
                    epoch,
                    known: [false; 2],
                    modules: [std::ptr::null_mut(); 2],
                };
            }
            imports.known[module as usize] = true;
            imports.modules[module as usize] = pointer;
        });
    }
    Ok(())
}
