//! Thread, process and task of a record: who was running when it was logged.
//!
//! Read as `LogRecord.__init__` reads them, through `threading`, `multiprocessing`, `os` and `asyncio`, so that what
//! libraries replace there (gevent, tests) is honoured.
#[cfg(not(Py_GIL_DISABLED))]
mod steady;

use pyo3::prelude::*;
#[cfg(all(Py_3_12, not(Py_GIL_DISABLED)))]
use pyo3::types::PyModule;

use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Exc, Obj, Ref, Res};
use crate::globals::{self, Epoch};
use crate::guard::{self, Lent, View};
use crate::late::Late;
use crate::names::Name;
use crate::raw;
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

    /// All of them as they were read: thread and its name, process's name, process, task's name.
    pub fn known([thread, thread_name, process_name, process, task_name]: [Obj<'py>; 5]) -> Self {
        Context {
            thread: Late::known((thread, thread_name)),
            process_name: Late::known(process_name),
            process: Late::known(process),
            task_name: Late::known(task_name),
        }
    }

    /// Has nothing been read yet?
    #[inline]
    pub fn is_blank(&self) -> bool {
        self.thread.get().is_none() & self.process.get().is_none()
    }

    /// Reads all of them, in the stdlib's order.
    pub fn freeze(&self, py: Python<'py>) -> Res<()> {
        self.thread(py)?;
        if self.process.get().is_none() {
            let [process_name, process, task_name] = others(py)?;
            self.process_name.get_or(|| Ok(process_name))?;
            self.process.get_or(|| Ok(process))?;
            self.task_name.get_or(|| Ok(task_name))?;
            return Ok(());
        }
        self.process_name(py)?;
        self.task_name(py)?;
        Ok(())
    }

    /// `record.thread` and `record.threadName`
    #[inline]
    pub fn thread(&self, py: Python<'py>) -> Res<&(Obj<'py>, Obj<'py>)> {
        self.thread.get_or(|| thread(py))
    }

    /// The same where it runs no Python code; `None` for a thread that `threading` has to be asked for.
    #[inline]
    pub fn thread_unasked(&self, py: Python<'py>) -> Res<Option<&(Obj<'py>, Obj<'py>)>> {
        if self.thread.get().is_none()
            && let Some(found) = thread_unasked(py)?
        {
            return self.thread.get_or(|| Ok(found)).map(Some);
        }
        Ok(self.thread.get())
    }

    /// The same without references of its own: good until Python code runs.
    #[inline(never)]
    pub fn lent_thread<'a>(&'a self, py: Python<'py>) -> Res<Option<(Ref<'a, 'py>, Ref<'a, 'py>)>> {
        #[cfg(not(Py_GIL_DISABLED))]
        if self.thread.get().is_none()
            && let Some(found) = lent_thread(py)?
        {
            return Ok(Some(found));
        }
        let found = self.thread_unasked(py)?;
        Ok(found.map(|(ident, name)| (ident.as_borrowed(), name.as_borrowed())))
    }

    /// Are the process and its name known (and the task's name, if that is wanted, too), or found where that runs no Python code?
    /// False: somebody has to be asked.
    #[inline]
    pub fn knows_others(&self, py: Python<'py>, task_too: bool) -> bool {
        let _ = py;
        #[cfg(not(Py_GIL_DISABLED))]
        if self.process.get().is_none()
            && let Some(found) = steady::unchanged(py)
            && found.has_own_tasks()
        {
            if let Some(task_name) = py_ffi::or_nothing(py, found.no_task(py)).flatten() {
                self.task_name.learn(task_name);
            }
            self.process_name.learn(found.process_name.to_owned());
            self.process.learn(found.process.to_owned());
        }
        self.process.get().is_some()
            && self.process_name.get().is_some()
            && (!task_too || self.task_name.get().is_some())
    }

    /// `record.processName`
    #[inline]
    pub fn process_name(&self, py: Python<'py>) -> Res<&Obj<'py>> {
        self.process_name.get_or(|| process_name(py))
    }

    /// `record.process`
    #[inline]
    pub fn process(&self, py: Python<'py>) -> Res<&Obj<'py>> {
        self.process.get_or(|| process(py))
    }

    /// `record.taskName` (3.12+)
    #[inline]
    pub fn task_name(&self, py: Python<'py>) -> Res<&Obj<'py>> {
        self.task_name.get_or(|| task_name(py))
    }
}

/// Thread and its name, process's name, process, task's name: all that a [`Context`] tells, read now, in the stdlib's order.
#[inline]
pub fn read(py: Python<'_>) -> Res<[Obj<'_>; 5]> {
    let (thread, thread_name) = thread(py)?;
    let [process_name, process, task_name] = others(py)?;
    Ok([thread, thread_name, process_name, process, task_name])
}

/// The same without references of their own, where nobody has to be asked: good until Python code runs.
#[cfg(not(Py_GIL_DISABLED))]
#[inline]
pub fn lend<'a>(py: Python<'_>) -> Res<Option<[Ref<'a, '_>; 5]>> {
    let Some((thread, thread_name)) = lent_thread(py)? else {
        return Ok(None);
    };
    let Some(same) = steady::unchanged(py) else {
        return Ok(None);
    };
    let runs_none = same.no_task(py)?.is_some();
    let none = py_ffi::lent(py, py_ffi::none(py).as_ptr());
    Ok(runs_none.then_some([thread, thread_name, same.process_name, same.process, none]))
}

/// `record.processName`, `record.process` and `record.taskName`, asked for in that order.
#[inline]
fn others(py: Python<'_>) -> Res<[Obj<'_>; 3]> {
    #[cfg(not(Py_GIL_DISABLED))]
    if let Some(same) = steady::unchanged(py) {
        let (process_name, process) = (same.process_name.to_owned(), same.process.to_owned());
        let task = match same.no_task(py)? {
            Some(none) => none,
            None => task_name(py)?,
        };
        return Ok([process_name, process, task]);
    }
    ask_others(py)
}

#[inline(never)]
fn ask_others(py: Python<'_>) -> Res<[Obj<'_>; 3]> {
    #[cfg(not(Py_GIL_DISABLED))]
    let before = steady::moment(py);
    let found = [process_name(py)?, process(py)?, task_name(py)?];
    #[cfg(not(Py_GIL_DISABLED))]
    steady::keep(py, &before, &found)?;
    Ok(found)
}

/// The globals of `logging` that say whether a record is told of these.
#[derive(Clone, Copy)]
enum Switch {
    Threads,
    Multiprocessing,
    Processes,
    #[cfg(Py_3_12)]
    AsyncioTasks,
}

impl Switch {
    const fn name(self) -> Name {
        match self {
            Switch::Threads => Name::logThreads,
            Switch::Multiprocessing => Name::logMultiprocessing,
            Switch::Processes => Name::logProcesses,
            #[cfg(Py_3_12)]
            Switch::AsyncioTasks => Name::logAsyncioTasks,
        }
    }
}

/// The switches that are `True` or `False`, for a state of the module's globals: a bit for each that has been looked at, and one
/// for each that is on.
struct Switches {
    generation: u64,
    known: u8,
    on: u8,
}

static SWITCHES: Shared<Switches> = Shared::new(Switches {
    generation: 0,
    known: 0,
    on: 0,
});

/// What this switch is set to, if it is `True` or `False` and has been looked at: somebody's object may be true now and false later.
/// Looking all four up and asking whether they are true would take 40 instructions each, as often as a record is made.
#[inline]
fn settled(py: Python<'_>, switch: Switch) -> Option<bool> {
    let generation = globals::LOGGING.generation(py);
    let bit = 1 << switch as u8;
    SWITCHES.with(py, |switches| {
        (switches.generation == generation && switches.known & bit != 0)
            .then_some(switches.on & bit != 0)
    })
}

/// Is this switch on?
#[inline]
fn is_on(py: Python<'_>, switch: Switch) -> Res<bool> {
    match settled(py, switch) {
        Some(on) => Ok(on),
        None => look_at_switch(py, switch),
    }
}

#[cold]
fn look_at_switch(py: Python<'_>, switch: Switch) -> Res<bool> {
    let generation = globals::LOGGING.generation(py);
    let value = globals::get(py, switch.name())?;
    if !py_ffi::is_bool(&value) {
        return py_ffi::truthy(&value);
    }
    let (bit, on) = (1 << switch as u8, !py_ffi::is_false(&value));
    SWITCHES.with(py, |switches| {
        if switches.generation != generation {
            *switches = Switches {
                generation,
                known: 0,
                on: 0,
            };
        }
        switches.known |= bit;
        if on {
            switches.on |= bit;
        }
    });
    Ok(on)
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
/// state of the modules a record depends on: 1 ns.
#[inline]
pub fn can_wait(py: Python<'_>) -> Res<bool> {
    static KNOWN: Shared<(Option<Epoch>, bool)> = Shared::new((None, false));
    let now = globals::epoch(py);
    if let Some(own) = KNOWN.with(py, |known| (known.0 == Some(now)).then_some(known.1)) {
        return Ok(own);
    }
    let own = look_whether_own(py)?;
    if globals::is_epoch_true() {
        KNOWN.with(py, |known| *known = (Some(now), own));
    }
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

/// `record.thread` and `record.threadName`: `threading.get_ident()` and `threading.current_thread().name`
#[inline]
fn thread(py: Python<'_>) -> Res<(Obj<'_>, Obj<'_>)> {
    match thread_unasked(py)? {
        Some(found) => Ok(found),
        None => asked_thread(py),
    }
}

/// The same where finding them runs no Python code.
#[inline]
fn thread_unasked(py: Python<'_>) -> Res<Option<(Obj<'_>, Obj<'_>)>> {
    #[cfg(not(Py_GIL_DISABLED))]
    if let Some(active) = registry(py) {
        return registered_thread(&active);
    }
    find_thread(py)
}

/// `threading._active`, as far as that is known.
#[cfg(not(Py_GIL_DISABLED))]
#[inline]
fn registry<'a>(py: Python<'_>) -> Option<Ref<'a, '_>> {
    let epoch = globals::epoch(py);
    REGISTRY.with(py, |known| {
        (known.0 == Some(epoch)).then(|| py_ffi::lent(py, known.1))
    })
}

/// `threading._active`, for a state of the modules in which threads are told and nobody has replaced what asks for them; lent by
/// the module. To find out each of that takes 60 instructions.
#[cfg(not(Py_GIL_DISABLED))]
static REGISTRY: Shared<(Option<Epoch>, *mut pyo3::ffi::PyObject)> =
    Shared::new((None, std::ptr::null_mut()));

#[inline(never)]
fn find_thread(py: Python<'_>) -> Res<Option<(Obj<'_>, Obj<'_>)>> {
    if !is_on(py, Switch::Threads)? {
        return Ok(Some((py_ffi::none(py), py_ffi::none(py))));
    }
    #[cfg(Py_GIL_DISABLED)]
    if let Some(active) = globals::kept(py, &globals::THREADING, Name::_active)
        && asks_threading(py, Name::get_ident, &GET_IDENT)
        && asks_threading(py, Name::current_thread, &CURRENT_THREAD)
        && let Some(found) = registered_thread(&active)?
    {
        return Ok(Some(found));
    }
    #[cfg(not(Py_GIL_DISABLED))]
    let epoch = globals::epoch(py);
    if can_wait(py)?
        && let Some(active) = globals::THREADING.get_opt(py, Name::_active)?
    {
        #[cfg(not(Py_GIL_DISABLED))]
        if globals::is_epoch_true() && globals::epoch(py) == epoch && is_simply_on(py)? {
            REGISTRY.with(py, |known| *known = (Some(epoch), active.as_ptr()));
        }
        return registered_thread(&active);
    }
    Ok(None)
}

/// Is `logThreads` nothing but `True`? Somebody's object may be true now and false later.
#[cfg(not(Py_GIL_DISABLED))]
fn is_simply_on(py: Python<'_>) -> Res<bool> {
    let switch = globals::get(py, Switch::Threads.name())?;
    Ok(py_ffi::is_bool(&switch) && !py_ffi::is_false(&switch))
}

/// The same by calling those functions.
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
    let ident = py_ffi::call(&get_ident, &[])?;
    let thread = py_ffi::call(&current, &[])?;
    let name = py_ffi::getattr(&thread, Name::name)?;
    Ok((ident, name))
}

/// Is `thread.name` the property of `threading.Thread`?
#[cfg(Py_GIL_DISABLED)]
#[inline]
fn has_own_name(thread: &Obj<'_>) -> bool {
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

/// `record.thread` and `record.threadName` where the thread is registered and its name is what `Thread.name` gives, which checks that the
/// thread was initialised; good until Python code runs. `None` also where a look at the registry may run some.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(never)]
pub fn lent_thread<'a>(py: Python<'_>) -> Res<Option<(Ref<'a, '_>, Ref<'a, '_>)>> {
    let Some(active) = registry(py) else {
        return Ok(None);
    };
    let value = raw::this_thread().cast_signed();
    if !py_ffi::is_dict(&active) || !is_own_hash(value) {
        return Ok(None);
    }
    let ident = lent_number(py, value, Some(&active))?;
    let Some(thread) = py_ffi::dict_lend_number(&active, &ident, value) else {
        return Ok(None);
    };
    let Some(thread) = guard::view_of(&thread, guard::Part::Thread) else {
        return Ok(None);
    };
    let name = name_of_thread(&thread);
    Ok(name.map(|name| (ident, py_ffi::lent(py, name.as_ptr()))))
}

/// Is the number its own hash?
#[inline]
fn is_own_hash(number: i64) -> bool {
    (0..i64::MAX >> 2).contains(&number)
}

/// The thread's name if that is what `Thread.name` gives.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "42 instructions by a call, 18 without"
)]
fn name_of_thread<'a, 'py>(thread: &View<'a, 'py>) -> Option<Lent<'a, 'py>> {
    #[cfg(not(Py_GIL_DISABLED))]
    if !thread.class_has(Name::name, &THREAD_NAME) {
        return None;
    }
    let ready = thread.test(Name::_initialized, |ready| {
        py_ffi::is_bool(ready) && !py_ffi::is_false(ready)
    });
    ready.then(|| thread.lend(Name::_name)).flatten()
}

/// The same for whatever registry.
#[inline]
fn registered_thread<'py>(active: &Obj<'py>) -> Res<Option<(Obj<'py>, Obj<'py>)>> {
    let py = active.py();
    if !py_ffi::is_dict(active) {
        return Ok(None);
    }
    let value = raw::this_thread().cast_signed();
    if !is_own_hash(value) {
        return Ok(None);
    }
    let ident = number(py, value, Some(active))?;
    let thread = match py_ffi::dict_get_number(active, &ident, value) {
        Some(thread) => thread,
        // Anybody's objects may be among its keys, and comparing them run Python code: those that do are compared by `threading`.
        None if raw::enabled() && !py_ffi::all_keys(active, py_ffi::is_int) => return Ok(None),
        None => match py_ffi::dict_get(&active.clone(), &ident)? {
            Some(thread) => thread,
            None => return Ok(None),
        },
    };
    #[cfg(Py_GIL_DISABLED)]
    if !has_own_name(&thread) {
        return Ok(None);
    }
    let thread = guard::view_of(&thread, guard::Part::Thread);
    let name = thread.and_then(|thread| Some(name_of_thread(&thread)?.clone()));
    Ok(name.map(|name| (ident, name)))
}

/// An int object that is kept for the next record of the same thread or process, owned.
#[cfg(not(Py_GIL_DISABLED))]
#[derive(Clone, Copy)]
struct Kept {
    value: i64,
    object: *mut pyo3::ffi::PyObject,
}

#[cfg(not(Py_GIL_DISABLED))]
const KEPT: usize = 17;

#[cfg(not(Py_GIL_DISABLED))]
static NUMBERS: Shared<[Kept; KEPT]> = Shared::new(
    [Kept {
        value: 0,
        object: std::ptr::null_mut(),
    }; KEPT],
);

/// An int of that value: making and dropping one takes 150 instructions. Where it is a key of `registry`, it is that very object,
/// which the next look into the registry finds without comparing numbers.
#[inline]
fn number<'py>(py: Python<'py>, value: i64, registry: Option<&Obj<'py>>) -> Res<Obj<'py>> {
    // Without a GIL threads would wait for each other at the table.
    #[cfg(Py_GIL_DISABLED)]
    {
        let _ = registry;
        py_ffi::new_int(py, value)
    }
    #[cfg(not(Py_GIL_DISABLED))]
    lent_number(py, value, registry).map(pyo3::Borrowed::to_owned)
}

/// The same without a reference of its own: good until another number is asked for that has the same place.
#[cfg(not(Py_GIL_DISABLED))]
#[inline]
fn lent_number<'a, 'py>(
    py: Python<'py>,
    value: i64,
    registry: Option<&Obj<'py>>,
) -> Res<Ref<'a, 'py>> {
    // The last place is the process's; threads' identities are addresses, most of them on a page of their own.
    let place = match registry {
        Some(_) => (value as usize >> 12) % (KEPT - 1),
        None => KEPT - 1,
    };
    let known = NUMBERS.with(py, |numbers| {
        let kept = &numbers[place];
        (kept.value == value && !kept.object.is_null()).then(|| py_ffi::lent(py, kept.object))
    });
    match known {
        Some(object) => Ok(object),
        None => {
            keep_number(py, value, registry, place).map(|object| py_ffi::lent(py, object.as_ptr()))
        }
    }
}

#[cfg(not(Py_GIL_DISABLED))]
#[cold]
fn keep_number<'py>(
    py: Python<'py>,
    value: i64,
    registry: Option<&Obj<'py>>,
    place: usize,
) -> Res<Obj<'py>> {
    let key = registry.and_then(|registry| {
        py_ffi::find_key(registry, |key| py_ffi::int_value(key) == Some(value))
    });
    let object = match key {
        Some(key) => key,
        None => py_ffi::new_int(py, value)?,
    };
    let kept = Kept {
        value,
        object: object.clone().into_ptr(),
    };
    let old = NUMBERS.with(py, |numbers| std::mem::replace(&mut numbers[place], kept));
    py_ffi::release_all(py, &[old.object]);
    Ok(object)
}

/// `record.process`: `os.getpid()`, or `None` where there is none.
#[inline]
fn process(py: Python<'_>) -> Res<Obj<'_>> {
    if !is_on(py, Switch::Processes)? {
        return Ok(py_ffi::none(py));
    }
    #[cfg(Py_GIL_DISABLED)]
    let own = globals::reaches(py, Name::os, &globals::OS, Name::getpid, GETPID.address());
    #[cfg(not(Py_GIL_DISABLED))]
    let own = can_wait(py)?;
    if own {
        return number(py, crate::fork::process_id(), None);
    }
    asked_process(py)
}

/// The same by calling that function.
#[cold]
fn asked_process(py: Python<'_>) -> Res<Obj<'_>> {
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
    py_ffi::call(&getpid, &[])
}

/// `record.processName`: asked of `multiprocessing` only when the program has imported it.
fn process_name(py: Python<'_>) -> Res<Obj<'_>> {
    if !is_on(py, Switch::Multiprocessing)? {
        return Ok(py_ffi::none(py));
    }
    if let Some(module) = imported(py, Asked::Multiprocessing)?
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
    if is_on(py, Switch::AsyncioTasks)?
        && let Some(module) = imported(py, Asked::Asyncio)?
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
    if !asks_own_loop(asyncio)? {
        return Ok(false);
    }
    let none = runs_no_loop(asyncio.py())?;
    #[cfg(all(not(Py_3_14), not(Py_GIL_DISABLED)))]
    if none {
        prove_where_loops_are(asyncio)?;
    }
    Ok(none)
}

/// The same once it is known that the loop is asked for by the interpreter's own function.
#[cfg(Py_3_12)]
#[inline]
fn runs_no_loop(py: Python<'_>) -> Res<bool> {
    #[cfg(all(not(Py_3_14), not(Py_GIL_DISABLED)))]
    if THREADS_KEEP_LOOP.with(py, |proved| *proved) == Some(true) {
        let kept = py_ffi::of_thread(py, Name::running_loop)?;
        return Ok(kept.is_none_or(|kept| kept.is_none()));
    }
    let running = py_ffi::immortal(py, RUNNING_LOOP.address());
    Ok(py_ffi::call(&running, &[])?.is_none())
}

/// Does `_asyncio` keep the loop that runs in a thread where 3.12 and 3.13 do? Looking there takes a fifth of the time of
/// `_get_running_loop()`.
#[cfg(all(Py_3_12, not(Py_3_14), not(Py_GIL_DISABLED)))]
static THREADS_KEEP_LOOP: Shared<Option<bool>> = Shared::new(None);

/// Proves that once by setting a loop, in this thread, where none runs.
#[cfg(all(Py_3_12, not(Py_3_14), not(Py_GIL_DISABLED)))]
fn prove_where_loops_are(asyncio: &Obj<'_>) -> Res<()> {
    let py = asyncio.py();
    if THREADS_KEEP_LOOP.with(py, |proved| proved.is_some()) {
        return Ok(());
    }
    let set = py_ffi::getattr_opt(asyncio, Name::_set_running_loop)?
        .filter(|set| py_ffi::is_builtin_of(set, "_asyncio"));
    let Some(set) = set else {
        return Ok(());
    };
    let mark = py_ffi::boolean(py, true);
    py_ffi::call(&set, &[&mark])?;
    let kept = py_ffi::of_thread(py, Name::running_loop);
    py_ffi::call(&set, &[&py_ffi::none(py)])?;
    let proved = kept?.is_some_and(|kept| kept.is(&mark));
    THREADS_KEEP_LOOP.with(py, |known| *known = Some(proved));
    Ok(())
}

/// In which state of the modules that module's functions were the interpreter's own.
#[cfg(all(Py_3_12, not(Py_GIL_DISABLED)))]
static OWN_LOOP: Shared<(Epoch, *mut pyo3::ffi::PyObject)> = Shared::new((0, std::ptr::null_mut()));

/// Are `asyncio.current_task` and `asyncio._get_running_loop` the interpreter's own? Looked up again after any change that the epoch tells of.
#[cfg(Py_3_12)]
fn asks_own_loop(asyncio: &Obj<'_>) -> Res<bool> {
    #[cfg(not(Py_GIL_DISABLED))]
    let (py, now) = (
        asyncio.py(),
        (globals::epoch(asyncio.py()), asyncio.as_ptr()),
    );
    #[cfg(not(Py_GIL_DISABLED))]
    if OWN_LOOP.with(py, |own| *own == now) && asyncio.cast_exact::<PyModule>().is_ok() {
        return Ok(true);
    }
    let (Some(task), Some(running)) = (
        py_ffi::getattr_opt(asyncio, Name::current_task)?,
        py_ffi::getattr_opt(asyncio, Name::_get_running_loop)?,
    ) else {
        return Ok(false);
    };
    if !RUNNING_LOOP.is_set() {
        if !py_ffi::is_builtin_of(&task, "_asyncio") || !py_ffi::is_builtin_of(&running, "_asyncio")
        {
            return Ok(false);
        }
        CURRENT_TASK.set(task.clone());
        RUNNING_LOOP.set(running.clone());
    }
    let own = CURRENT_TASK.is(&task) && RUNNING_LOOP.is(&running);
    #[cfg(not(Py_GIL_DISABLED))]
    if own
        && let Ok(module) = asyncio.cast_exact::<PyModule>()
        && steady::is_watched(steady::Table::Asyncio, &module.dict())
        && globals::is_epoch_true()
    {
        OWN_LOOP.with(py, |known| *known = now);
    }
    Ok(own)
}

/// The modules that a record may ask something of.
#[derive(Clone, Copy)]
enum Asked {
    Multiprocessing,
    #[cfg(Py_3_12)]
    Asyncio,
}

impl Asked {
    const fn name(self) -> Name {
        match self {
            Asked::Multiprocessing => Name::multiprocessing,
            #[cfg(Py_3_12)]
            Asked::Asyncio => Name::asyncio,
        }
    }
}

/// `sys.modules.get(name)`
#[inline]
fn imported(py: Python<'_>, module: Asked) -> Res<Option<Obj<'_>>> {
    #[cfg(all(Py_3_12, not(Py_GIL_DISABLED)))]
    match steady::import(py, module)? {
        steady::Import::Found(found) => return Ok(Some(found)),
        steady::Import::Missing => return Ok(None),
        steady::Import::Unknown => {}
    }
    look_for_import(py, module)
}

#[inline(never)]
fn look_for_import(py: Python<'_>, module: Asked) -> Res<Option<Obj<'_>>> {
    let modules = globals::from_module(py, Name::sys, &globals::SYS, Name::modules)?;
    if py_ffi::is_dict(&modules) {
        let found = py_ffi::dict_get_name(&modules, module.name())?;
        #[cfg(all(Py_3_12, not(Py_GIL_DISABLED)))]
        steady::keep_import(&modules, module, found.as_ref())?;
        return Ok(found);
    }
    let found = py_ffi::method(&modules, Name::get, [&module.name().object(py)])?;
    Ok((!found.is_none()).then_some(found))
}
