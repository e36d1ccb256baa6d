//! Thread, process and task of a record: who was running when it was logged.
//!
//! Read as `LogRecord.__init__` reads them, through `threading`, `multiprocessing`, `os` and `asyncio`, so that what
//! libraries replace there (gevent, tests) is honoured.
use pyo3::prelude::*;

use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Exc, Obj, Res};
use crate::globals;
use crate::guard;
use crate::late::Late;
use crate::names::Name;
use crate::saved::Saved;

/// The identity of the running thread, process and task, each read when first asked for; the `None` object where switched off
/// or unknown.
pub struct Context<'py> {
    thread: Late<(Obj<'py>, Obj<'py>)>,
    process_name: Late<Obj<'py>>,
    process: Late<Obj<'py>>,
    task_name: Late<Obj<'py>>,
}

impl<'py> Context<'py> {
    /// Nothing read yet.
    pub const fn new() -> Self {
        Context {
            thread: Late::new(),
            process_name: Late::new(),
            process: Late::new(),
            task_name: Late::new(),
        }
    }

    /// Reads all of them, in the stdlib's order.
    pub fn freeze(&self, py: Python<'py>) -> Res<()> {
        self.thread(py)?;
        self.process_name(py)?;
        self.process(py)?;
        self.task_name(py)?;
        Ok(())
    }

    /// `record.thread` and `record.threadName`
    #[inline]
    pub fn thread(&self, py: Python<'py>) -> Res<&(Obj<'py>, Obj<'py>)> {
        self.thread.get_or(|| {
            if globals::truthy(py, Name::logThreads)? {
                return thread_identity(py);
            }
            Ok((py_ffi::none(py), py_ffi::none(py)))
        })
    }

    /// `record.processName`
    #[inline]
    pub fn process_name(&self, py: Python<'py>) -> Res<&Obj<'py>> {
        self.process_name.get_or(|| process_name(py))
    }

    /// `record.process`
    #[inline]
    pub fn process(&self, py: Python<'py>) -> Res<&Obj<'py>> {
        self.process.get_or(|| {
            if globals::truthy(py, Name::logProcesses)? {
                return process_id(py);
            }
            Ok(py_ffi::none(py))
        })
    }

    /// `record.taskName` (3.12+)
    #[inline]
    pub fn task_name(&self, py: Python<'py>) -> Res<&Obj<'py>> {
        self.task_name.get_or(|| task_name(py))
    }
}

/// The objects `threading` started with; a replaced one (gevent, tests) is asked instead of read around.
static GET_IDENT: Saved = Saved::new();
static CURRENT_THREAD: Saved = Saved::new();
static THREAD_NAME: Saved = Saved::new();
static GETPID: Saved = Saved::new();
#[cfg(Py_3_12)]
static CURRENT_TASK: Saved = Saved::new();
#[cfg(Py_3_12)]
static RUNNING_LOOP: Saved = Saved::new();

/// Saves what is the interpreter's own at this moment. Called when binding.
pub fn init(py: Python<'_>) -> PyResult<()> {
    let threading = py.import("threading")?;
    let ident = threading.getattr("get_ident")?;
    if py_ffi::is_builtin_of(&ident, "_thread") {
        GET_IDENT.set(ident);
    }
    let current = threading.getattr("current_thread")?;
    let thread = threading.getattr("Thread")?.getattr("__dict__")?;
    // gevent puts a subclass there, which has no `name` of its own: threads are asked for theirs then.
    if py_ffi::is_function_of(&current, &threading) && thread.contains("name")? {
        CURRENT_THREAD.set(current);
        THREAD_NAME.set(thread.get_item("name")?);
    }
    let getpid = py.import("os")?.getattr("getpid")?;
    if py_ffi::is_builtin_of(&getpid, "posix") || py_ffi::is_builtin_of(&getpid, "nt") {
        GETPID.set(getpid);
    }
    Ok(())
}

/// Can thread and process be asked for later with the same result, and without running anybody's code? Found out once for each
/// state of the three modules on the way: 2 ns.
#[inline]
pub fn can_wait(py: Python<'_>) -> Res<bool> {
    static KNOWN: Shared<([u64; 3], bool)> = Shared::new(([0; 3], false));
    let now = [
        globals::LOGGING.generation(py),
        globals::THREADING.generation(py),
        globals::OS.generation(py),
    ];
    if let Some(own) = KNOWN.with(py, |known| (known.0 == now).then_some(known.1)) {
        return Ok(own);
    }
    let own = look_whether_own(py)?;
    KNOWN.with(py, |known| *known = (now, own));
    Ok(own)
}

#[cold]
fn look_whether_own(py: Python<'_>) -> Res<bool> {
    let modules = [
        (Name::threading, &globals::THREADING),
        (Name::os, &globals::OS),
    ];
    for (name, module) in modules {
        if !globals::get_opt(py, name)?.is_some_and(|object| module.is(&object)) {
            return Ok(false);
        }
    }
    let functions = [
        (&globals::THREADING, Name::get_ident, &GET_IDENT),
        (&globals::THREADING, Name::current_thread, &CURRENT_THREAD),
        (&globals::OS, Name::getpid, &GETPID),
    ];
    for (module, name, saved) in functions {
        if !module
            .get_opt(py, name)?
            .is_some_and(|function| saved.is(&function))
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `threading.get_ident()` and `threading.current_thread().name`
#[inline]
fn thread_identity(py: Python<'_>) -> Res<(Obj<'_>, Obj<'_>)> {
    #[cfg(Py_GIL_DISABLED)]
    if let Some(active) = globals::kept(py, &globals::THREADING, Name::_active)
        && asks_threading(py, Name::get_ident, &GET_IDENT)
        && asks_threading(py, Name::current_thread, &CURRENT_THREAD)
        && let Some(known) = named_by(&active)?
    {
        return Ok(known);
    }
    #[cfg(not(Py_GIL_DISABLED))]
    if can_wait(py)?
        && let Some(known) = known_thread(py)?
    {
        return Ok(known);
    }
    asked_thread(py)
}

/// The same through whatever the module has now.
#[cold]
fn asked_thread(py: Python<'_>) -> Res<(Obj<'_>, Obj<'_>)> {
    let get_ident =
        globals::from_module(py, Name::threading, &globals::THREADING, Name::get_ident)?;
    let current = globals::from_module(
        py,
        Name::threading,
        &globals::THREADING,
        Name::current_thread,
    )?;
    if GET_IDENT.is(&get_ident)
        && CURRENT_THREAD.is(&current)
        && let Some(active) = globals::THREADING.get_opt(py, Name::_active)?
        && let Some(known) = named_by(&active)?
    {
        return Ok(known);
    }
    let ident = py_ffi::call(&get_ident, &[])?;
    let thread = py_ffi::call(&current, &[])?;
    let name = py_ffi::getattr(&thread, Name::name)?;
    Ok((ident, name))
}

/// Number and name of the running thread by the table of threads; `None`: they have to be asked for.
#[inline]
fn named_by<'py>(active: &Obj<'py>) -> Res<Option<(Obj<'py>, Obj<'py>)>> {
    if !py_ffi::is_dict(active) {
        return Ok(None);
    }
    let ident = py_ffi::thread_ident(active.py())?;
    if let Some(thread) = py_ffi::dict_get(active, &ident)?
        && has_own_name(&thread)
    {
        // The property checks that the thread was initialised and returns the name.
        let ready = guard::attr(&thread, Name::_initialized)?;
        if py_ffi::truthy(&ready)? {
            let name = guard::attr(&thread, Name::_name)?;
            return Ok(Some((ident, name)));
        }
    }
    Ok(None)
}

/// Is `thread.name` the property of `threading.Thread`?
#[inline]
fn has_own_name(thread: &Obj<'_>) -> bool {
    #[cfg(Py_GIL_DISABLED)]
    if let Some(same) = guard::class_attribute_is(thread, Name::name, THREAD_NAME.address()) {
        return same;
    }
    py_ffi::type_attr(thread, Name::name).is_some_and(|name| THREAD_NAME.is(&name))
}

/// Is `logging.threading.<name>` the function that was saved?
#[cfg(Py_GIL_DISABLED)]
fn asks_threading(py: Python<'_>, name: Name, saved: &Saved) -> bool {
    globals::reaches(
        py,
        Name::threading,
        &globals::THREADING,
        name,
        saved.address(),
    )
}

/// The identity of a thread that `threading` knows, read where its functions, which are its own, would read it.
#[cfg(not(Py_GIL_DISABLED))]
#[inline]
fn known_thread(py: Python<'_>) -> Res<Option<(Obj<'_>, Obj<'_>)>> {
    let Some(active) = globals::THREADING.get_opt(py, Name::_active)? else {
        return Ok(None);
    };
    if !py_ffi::is_dict(&active) {
        return Ok(None);
    }
    let Some((ident, thread)) = active_thread(&active)? else {
        return Ok(None);
    };
    // The property checks that the thread was initialised and returns the name.
    let Some(view) = guard::view(&thread).filter(|view| view.class_has(Name::name, &THREAD_NAME))
    else {
        return Ok(None);
    };
    match (view.lend(Name::_initialized), view.lend(Name::_name)) {
        (Some(ready), Some(name)) if py_ffi::is_bool(&ready) && !py_ffi::is_false(&ready) => {
            Ok(Some((ident, name.clone())))
        }
        _ => Ok(None),
    }
}

/// A thread's number, and the int that is its key in `threading._active`.
#[cfg(not(Py_GIL_DISABLED))]
type Ident = (u64, Option<py_ffi::Held>);

#[cfg(not(Py_GIL_DISABLED))]
const IDENTS: usize = 256;
#[cfg(not(Py_GIL_DISABLED))]
static KEYS: Shared<[Ident; IDENTS]> = Shared::new([const { (0, None) }; IDENTS]);

/// Number and object of the running thread. With the very key that the dict has, looking the thread up takes a tenth of what it
/// takes with a new int.
#[cfg(not(Py_GIL_DISABLED))]
#[inline]
fn active_thread<'py>(active: &Obj<'py>) -> Res<Option<(Obj<'py>, Obj<'py>)>> {
    let py = active.py();
    let number = py_ffi::thread_number(py);
    // Mostly the address of the thread's stack, which is aligned.
    let place = (number >> 12 ^ number >> 23) as usize % IDENTS;
    let key = KEYS.with(py, |keys| {
        let (known, key) = &keys[place];
        (*known == number).then(|| key.as_ref().map(|key| key.object(py).to_owned()))
    });
    if let (Some(Some(key)), Ok(number)) = (key, i64::try_from(number)) {
        // Where the first place that is looked at is not it (many threads, a fork since), the dict is asked.
        let thread = match py_ffi::dict_get_number(active, &key, number) {
            Some(thread) => Some(thread),
            None => py_ffi::dict_get(active, &key)?,
        };
        if let Some(thread) = thread {
            return Ok(Some((key, thread)));
        }
    }
    find_thread(active, number, place)
}

#[cfg(not(Py_GIL_DISABLED))]
#[cold]
fn find_thread<'py>(
    active: &Obj<'py>,
    number: u64,
    place: usize,
) -> Res<Option<(Obj<'py>, Obj<'py>)>> {
    let py = active.py();
    let ident = py_ffi::thread_ident(py)?;
    let Some(thread) = py_ffi::dict_get(active, &ident)? else {
        return Ok(None);
    };
    let key = i64::try_from(number)
        .ok()
        .and_then(|number| py_ffi::dict_int_key(active, number));
    let held = key.and_then(py_ffi::Held::new);
    // What was kept is dropped when the table is no longer in use.
    let old = KEYS.with(py, |keys| {
        std::mem::replace(&mut keys[place], (number, held))
    });
    drop(old);
    Ok(Some((ident, thread)))
}

/// `os.getpid()`, or `None` where there is none.
#[inline]
fn process_id(py: Python<'_>) -> Res<Obj<'_>> {
    if globals::reaches(py, Name::os, &globals::OS, Name::getpid, GETPID.address()) {
        return py_ffi::new_int(py, crate::fork::process_id());
    }
    let os = globals::get(py, Name::os)?;
    let found = if globals::OS.is(&os) {
        globals::OS.get_opt(py, Name::getpid)?
    } else {
        None
    };
    let getpid = match found {
        Some(getpid) => getpid,
        None => match py_ffi::getattr_opt(&os, Name::getpid)? {
            Some(getpid) => getpid,
            None => return Ok(py_ffi::none(py)),
        },
    };
    if GETPID.is(&getpid) {
        return py_ffi::new_int(py, crate::fork::process_id());
    }
    py_ffi::call(&getpid, &[])
}

/// `record.processName`: asked of `multiprocessing` only when the program has imported it.
fn process_name(py: Python<'_>) -> Res<Obj<'_>> {
    if !globals::truthy(py, Name::logMultiprocessing)? {
        return Ok(py_ffi::none(py));
    }
    if let Some(module) = imported(py, Name::multiprocessing)?
        && !module.is_none()
    {
        let asked = py_ffi::method(&module, Name::current_process, [])
            .and_then(|process| py_ffi::getattr(&process, Name::name));
        match asked {
            Ok(name) => return Ok(name),
            // A module that is only half imported must not break logging.
            Err(raised) if raised.is(py_ffi::exception_class(py, Exc::Exception)) => {
                raised.clear(py);
            }
            Err(raised) => return Err(raised),
        }
    }
    Ok(Name::MainProcess.object(py).to_owned())
}

/// `record.taskName`: the running asyncio task's name.
#[cfg(Py_3_12)]
fn task_name(py: Python<'_>) -> Res<Obj<'_>> {
    if globals::truthy(py, Name::logAsyncioTasks)?
        && let Some(module) = imported(py, Name::asyncio)?
        && py_ffi::truthy(&module)?
        && !outside_any_loop(&module)?
    {
        let asked = py_ffi::method(&module, Name::current_task, [])
            .and_then(|task| py_ffi::method(&task, Name::get_name, []));
        match asked {
            Ok(name) => return Ok(name),
            Err(raised) if raised.is(py_ffi::exception_class(py, Exc::Exception)) => {
                raised.clear(py);
            }
            Err(raised) => return Err(raised),
        }
    }
    Ok(py_ffi::none(py))
}

#[cfg(not(Py_3_12))]
#[allow(clippy::unnecessary_wraps, reason = "same shape as on newer versions")]
fn task_name(py: Python<'_>) -> Res<Obj<'_>> {
    Ok(py_ffi::none(py))
}

/// Is it certain that no asyncio task runs in this thread? Asking for the running loop costs a tenth of the exception that
/// `current_task()` raises where there is none.
#[cfg(Py_3_12)]
fn outside_any_loop(asyncio: &Obj<'_>) -> Res<bool> {
    if !RUNNING_LOOP.is_set() {
        let (Some(task), Some(running)) = (
            py_ffi::getattr_opt(asyncio, Name::current_task)?,
            py_ffi::getattr_opt(asyncio, Name::_get_running_loop)?,
        ) else {
            return Ok(false);
        };
        if !py_ffi::is_builtin_of(&task, "_asyncio") || !py_ffi::is_builtin_of(&running, "_asyncio")
        {
            return Ok(false);
        }
        CURRENT_TASK.set(task);
        RUNNING_LOOP.set(running);
    }
    let (task, running) = (
        py_ffi::getattr_opt(asyncio, Name::current_task)?,
        py_ffi::getattr_opt(asyncio, Name::_get_running_loop)?,
    );
    match (task, running) {
        (Some(task), Some(running)) if CURRENT_TASK.is(&task) && RUNNING_LOOP.is(&running) => {
            Ok(py_ffi::call(&running, &[])?.is_none())
        }
        _ => Ok(false),
    }
}

/// `sys.modules.get(name)`
fn imported(py: Python<'_>, name: Name) -> Res<Option<Obj<'_>>> {
    let modules = globals::from_module(py, Name::sys, &globals::SYS, Name::modules)?;
    if py_ffi::is_dict(&modules) {
        return py_ffi::dict_get_name(&modules, name);
    }
    let found = py_ffi::method(&modules, Name::get, [&name.object(py)])?;
    Ok((!found.is_none()).then_some(found))
}
