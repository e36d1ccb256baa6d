//! Puts the native implementations under the interpreter's own `logging` and takes them off again.
//!
//! From 3.12 on the stdlib's function objects stay where they are and only their vectorcall entry changes
//! (`PyFunction_SetVectorcall`): identity, signature, `__code__`, source and bound methods taken earlier all stay true, and
//! nothing is visible from Python. 3.11's `CALL` inlines Python functions without looking at that entry, so there a method
//! descriptor with the same entry takes the attribute's place. Invariant: what a class shows before `bind` it shows again after `unbind`, unless
//! somebody else changed it in between, and then theirs stays.
use std::cell::Cell;
#[cfg(Py_3_12)]
use std::ffi::c_int;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
#[cfg(Py_3_12)]
use std::sync::atomic::AtomicU64;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, Ordering};

use pyo3::exceptions::{PyKeyError, PyRuntimeError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString, PyTuple, PyType};

use crate::call::Call;
use crate::ffi::{Exc, Obj, Raised, Ref, Res};
use crate::guard::Seen;
use crate::names::Name;
use crate::natives::{COUNT, ENTRANCES, Entry, Home, Look, Module, NativeFn, TABLE, Target};

unsafe extern "C" {
    #[cfg(Py_3_12)]
    static mut PyMethod_Type: ffi::PyTypeObject;
    /// The instance a bound method belongs to, borrowed.
    #[cfg(Py_3_12)]
    fn PyMethod_Self(method: *mut ffi::PyObject) -> *mut ffi::PyObject;
    /// The function of a bound method, borrowed.
    #[cfg(Py_3_12)]
    fn PyMethod_Function(method: *mut ffi::PyObject) -> *mut ffi::PyObject;
    #[cfg(Py_3_12)]
    fn PyFunction_AddWatcher(callback: FunctionWatcher) -> c_int;
    #[cfg(Py_3_12)]
    fn PyFunction_SetVectorcall(function: *mut ffi::PyFunctionObject, entry: ffi::vectorcallfunc);
}

/// `PyFunction_WatchCallback`: event, function, new value.
#[cfg(Py_3_12)]
type FunctionWatcher =
    unsafe extern "C" fn(c_int, *mut ffi::PyFunctionObject, *mut ffi::PyObject) -> c_int;

/// Called by the interpreter for every function that is made, dies or changes. One of ours whose code or defaults somebody
/// exchanges (ddtrace wraps library functions that way) is theirs from then on: it runs what it now holds.
#[cfg(Py_3_12)]
unsafe extern "C" fn on_function_event(
    event: c_int,
    function: *mut ffi::PyFunctionObject,
    _new: *mut ffi::PyObject,
) -> c_int {
    const CREATED_OR_DESTROYED: c_int = 1;
    // Code, defaults, keyword defaults; later versions tell of names as well, which change no behaviour.
    const LAST_CHANGE: c_int = 4;
    if event <= CREATED_OR_DESTROYED || event > LAST_CHANGE {
        return 0;
    }
    FUNCTION_CHANGES.fetch_add(1, Ordering::Release);
    if is_active() {
        for slot in &BOUND {
            if slot.load(Ordering::Relaxed) == function.cast() {
                // SAFETY: attached (the interpreter calls this); the function is alive and bound, so an entry is known.
                unsafe {
                    slot.store(std::ptr::null_mut(), Ordering::Relaxed);
                    PyFunction_SetVectorcall(
                        function,
                        std::mem::transmute::<*mut c_void, ffi::vectorcallfunc>(
                            INTERPRETER.load(Ordering::Relaxed),
                        ),
                    );
                    crate::guard::forget_types(Python::assume_attached());
                }
            }
        }
    }
    0
}

/// How often any function's code or defaults were exchanged since [`watch_functions`]. Counted before that happens.
#[cfg(Py_3_12)]
static FUNCTION_CHANGES: AtomicU64 = AtomicU64::new(0);
#[cfg(Py_3_12)]
static TOLD_OF_FUNCTIONS: AtomicBool = AtomicBool::new(false);

/// A number that is another one after any function's code or defaults were exchanged; `None` where the interpreter does not tell.
pub fn function_changes() -> Option<u64> {
    #[cfg(Py_3_12)]
    return TOLD_OF_FUNCTIONS
        .load(Ordering::Relaxed)
        .then(|| FUNCTION_CHANGES.load(Ordering::Acquire));
    #[cfg(not(Py_3_12))]
    None
}

/// Watches functions from now on, once. Without a watcher (all eight taken) exchanged code goes unseen.
#[cfg(Py_3_12)]
fn watch_functions() {
    static WATCHING: AtomicBool = AtomicBool::new(false);
    if !WATCHING.swap(true, Ordering::Relaxed) {
        // SAFETY: attached (called by `bind`); the callback is a function of this extension, which is never unloaded.
        unsafe {
            if PyFunction_AddWatcher(on_function_event) < 0 {
                ffi::PyErr_Clear();
            } else {
                TOLD_OF_FUNCTIONS.store(true, Ordering::Relaxed);
            }
        }
    }
}

/// The vectorcall entry every Python function starts with: it runs the function's code. Taken from the first function bound.
static INTERPRETER: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// A vectorcall entry out of which an unwind may come (see `ffi::Hang`).
type UnwindingEntry = unsafe extern "C-unwind" fn(
    *mut ffi::PyObject,
    *const *mut ffi::PyObject,
    usize,
    *mut ffi::PyObject,
) -> *mut ffi::PyObject;

/// Runs the code of a Python function, whatever its vectorcall entry is now.
///
/// # Safety
/// As for any vectorcall; `callable` is exactly a Python function, and one was bound before.
unsafe fn interpret(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: `attach` stored a vectorcall entry there before any of our entries could be called.
    unsafe {
        let entry =
            std::mem::transmute::<*mut c_void, UnwindingEntry>(INTERPRETER.load(Ordering::Relaxed));
        crate::ffi::python!(entry(callable, args, nargsf, kwnames))
    }
}

/// The interpreter's own function of each target, owned for ever once seen (they are needed to call the reference tier and to
/// unbind; `logging` keeps them alive anyway). Null: not bound, because the running version has no such method or because
/// somebody had replaced it before.
static REFERENCE: [AtomicPtr<ffi::PyObject>; COUNT] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; COUNT];

/// What stands in the class or module while bound: the function itself, on 3.11 our descriptor.
static BOUND: [AtomicPtr<ffi::PyObject>; COUNT] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; COUNT];

/// Who runs a bound method: see [`OFF`], [`NATIVE`], [`OBSERVED`].
static MODE: AtomicU8 = AtomicU8::new(OFF);
/// Nothing is bound.
const OFF: u8 = 0;
/// The native implementations.
const NATIVE: u8 = 1;
/// The interpreter's own bodies, while `observe` is told of some of the calls (shadow mode).
const OBSERVED: u8 = 2;

fn is_active() -> bool {
    MODE.load(Ordering::Relaxed) != OFF
}

/// Are the native implementations in force?
#[pyfunction]
pub fn is_bound() -> bool {
    MODE.load(Ordering::Relaxed) == NATIVE
}

/// The object that stands for `target` in its class or module while bound; null when it is not bound.
#[inline]
pub fn bound_object(target: Target) -> *mut ffi::PyObject {
    BOUND[target as usize].load(Ordering::Relaxed)
}

/// Where an object was found in [`BOUND`] the last time, by its address: the index and one; 0: nothing is known. Walking through
/// all of them takes 500 instructions.
static FOUND: [AtomicUsize; 1024] = [const { AtomicUsize::new(0) }; 1024];

/// Which native implementation is this class attribute, if it is one? No object is bound to two.
pub fn target_of(object: *mut ffi::PyObject) -> Target {
    if object.is_null() {
        return Target::Foreign;
    }
    let known = &FOUND[(object as usize >> 4) % FOUND.len()];
    let index = known.load(Ordering::Relaxed).wrapping_sub(1);
    if let Some(slot) = BOUND.get(index)
        && slot.load(Ordering::Relaxed) == object
    {
        return TABLE[index].target;
    }
    let found = BOUND
        .iter()
        .position(|slot| slot.load(Ordering::Relaxed) == object);
    match found {
        Some(index) => {
            known.store(index + 1, Ordering::Relaxed);
            TABLE[index].target
        }
        None => Target::Foreign,
    }
}

/// Calls the interpreter's own body of `target`.
///
/// `args` are the positional arguments (`self` first) followed by the values of `keywords`, a tuple of names or null.
pub fn call_reference<'py>(
    py: Python<'py>,
    target: Target,
    args: &[*mut ffi::PyObject],
    keywords: *mut ffi::PyObject,
) -> Res<Obj<'py>> {
    let function = REFERENCE[target as usize].load(Ordering::Relaxed);
    if function.is_null() {
        return Err(crate::ffi::raise(
            py,
            Exc::System,
            "femtolog: the interpreter's own method is gone",
        ));
    }
    // SAFETY: `keywords` is null or a tuple whose values end `args`; the objects are alive (the caller lends them).
    unsafe {
        let names = if keywords.is_null() {
            0
        } else {
            ffi::PyTuple_Size(keywords) as usize
        };
        let result = interpret(function, args.as_ptr(), args.len() - names, keywords);
        crate::ffi::owned(py, result)
    }
}

/// What is asked about each observed target's calls; owned for ever once set, null: nobody asks.
static OBSERVERS: [AtomicPtr<ffi::PyObject>; COUNT] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; COUNT];

thread_local! {
    /// How many calls of an observer, or by an observer, this thread is in: in there nothing is observed.
    static QUIET: Cell<u32> = const { Cell::new(0) };
}

/// Runs `body` with nothing observed on this thread.
fn quietly<R>(body: impl FnOnce() -> R) -> R {
    struct Until;
    impl Drop for Until {
        fn drop(&mut self) {
            QUIET.set(QUIET.get() - 1);
        }
    }
    QUIET.set(QUIET.get() + 1);
    let _until = Until;
    body()
}

/// A call of a bound method that the interpreter's own body answers: one specialised before `unbind`, one without a self (that
/// body knows the error), or any in shadow mode, where an observer may be asked before and told after. No frame of an observer is
/// on the stack while the body runs.
///
/// # Safety
/// As for any vectorcall; `callable` is exactly a Python function, and one was bound before.
#[cold]
unsafe fn interpret_instead(
    index: usize,
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the arguments are the interpreter's, alive for the call; the thread is attached; observers are owned for ever.
    unsafe {
        let observer = OBSERVERS[index].load(Ordering::Relaxed);
        if MODE.load(Ordering::Relaxed) != OBSERVED || observer.is_null() || QUIET.get() > 0 {
            return interpret(callable, args, nargsf, kwnames);
        }
        let py = Python::assume_attached();
        let observer = crate::ffi::immortal(py, observer).to_owned();
        let count = nargsf & !ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
        let told = quietly(|| {
            let given = PyTuple::new(py, (0..count).map(|at| object_at(py, args, at)))?;
            let named = PyDict::new(py);
            if !kwnames.is_null() {
                let names = Bound::from_borrowed_ptr(py, kwnames).cast_into_unchecked::<PyTuple>();
                for (at, name) in names.iter().enumerate() {
                    named.set_item(name, object_at(py, args, count + at))?;
                }
            }
            observer.call1((given, named))
        });
        let after = match told {
            Ok(after) if !after.is_none() => after,
            Ok(_) => return interpret(callable, args, nargsf, kwnames),
            Err(error) => {
                // A KeyboardInterrupt, say: observers let none of their own errors out.
                error.restore(py);
                return std::ptr::null_mut();
            }
        };
        let result = interpret(callable, args, nargsf, kwnames);
        let raised = if result.is_null() {
            PyErr::take(py)
        } else {
            None
        };
        let outcome = if result.is_null() {
            py.None().into_bound(py)
        } else {
            Bound::from_borrowed_ptr(py, result)
        };
        let error = raised.as_ref().map(|raised| raised.value(py));
        match (quietly(|| after.call1((outcome, error))), raised) {
            (Ok(_), None) => return result,
            (Ok(_), Some(raised)) => raised.restore(py),
            (Err(failed), _) => {
                failed.restore(py);
                ffi::Py_XDECREF(result);
            }
        }
        std::ptr::null_mut()
    }
}

/// # Safety
/// `args` has an object at `index`, alive for the call.
unsafe fn object_at(
    py: Python<'_>,
    args: *const *mut ffi::PyObject,
    index: usize,
) -> Bound<'_, PyAny> {
    // SAFETY: the caller's promise.
    unsafe { Bound::from_borrowed_ptr(py, *args.add(index)) }
}

/// The place in the table of "Logger.info", "getLevelName" and the like.
fn index_of(name: &str) -> PyResult<usize> {
    TABLE
        .iter()
        .position(|entry| entry.is_called(name))
        .ok_or_else(|| PyKeyError::new_err(name.to_owned()))
}

/// Shadow mode, if `observers` is a dict: what is bound from now on is run by the interpreter's own bodies, and calls of the
/// methods that are its keys ("Logger._log") are told to its values. `observer(args, kwargs)` is called before the body, and what
/// it returns, unless that is None, after it, with the result and the exception. With None: native again from the next `bind` on.
///
/// Must not be called while anything is bound.
#[pyfunction]
#[pyo3(signature = (observers, /))]
pub fn observe(observers: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
    if is_active() {
        return Err(PyRuntimeError::new_err("unbind() comes before observe()"));
    }
    OBSERVING.store(observers.is_some(), Ordering::Relaxed);
    for slot in &OBSERVERS {
        slot.store(std::ptr::null_mut(), Ordering::Relaxed);
    }
    for (name, observer) in observers.into_iter().flatten() {
        let index = index_of(&name.extract::<String>()?)?;
        // One reference for ever: a call may be under way in another thread when observing ends.
        OBSERVERS[index].store(observer.into_ptr(), Ordering::Relaxed);
    }
    Ok(())
}

/// Will `bind` bind for observing?
static OBSERVING: AtomicBool = AtomicBool::new(false);

/// Runs the native implementation called `name` with these arguments, whoever runs it when the program calls it. Records made
/// meanwhile get the time `nanoseconds` (since 1970), if that is given. Nothing is observed meanwhile.
#[pyfunction]
#[pyo3(signature = (name, args, kwargs=None, nanoseconds=None, /))]
pub fn call_native<'py>(
    name: &str,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
    nanoseconds: Option<i64>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = args.py();
    let index = index_of(name)?;
    let entry = &TABLE[index];
    let Some(run) = entry.run else {
        return Err(PyRuntimeError::new_err(format!("{name} is not native")));
    };
    if BOUND[index].load(Ordering::Relaxed).is_null() || (entry.home.is_class() && args.is_empty())
    {
        return Err(PyRuntimeError::new_err(format!("{name} is not bound")));
    }
    let (values, names) = flat(args, kwargs);
    let pointers: Vec<*mut ffi::PyObject> = values.iter().map(Bound::as_ptr).collect();
    // SAFETY: `values` keeps the objects alive, the positional ones first and a value for each name after them.
    let call = unsafe {
        Call::new(
            py,
            entry.target,
            pointers.as_ptr(),
            args.len(),
            names.as_ref().map_or(std::ptr::null_mut(), Bound::as_ptr),
            entry.home.is_class(),
        )
    };
    let ran = quietly(|| {
        crate::clock::at(nanoseconds, || {
            catch_unwind(AssertUnwindSafe(|| run(&call)))
        })
    });
    match ran {
        Ok(result) => result.map_err(|raised| PyErr::from_value(raised.take(py))),
        Err(_panic) => Err(pyo3::exceptions::PySystemError::new_err(
            "femtolog: a native method panicked; please report this",
        )),
    }
}

/// Runs the interpreter's own body of `name` with these arguments. Nothing is observed meanwhile.
#[pyfunction(name = "call_reference")]
#[pyo3(signature = (name, args, kwargs=None, /))]
pub fn call_reference_by_name<'py>(
    name: &str,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = args.py();
    let index = index_of(name)?;
    let (values, names) = flat(args, kwargs);
    let pointers: Vec<*mut ffi::PyObject> = values.iter().map(Bound::as_ptr).collect();
    let names = names.as_ref().map_or(std::ptr::null_mut(), Bound::as_ptr);
    quietly(|| call_reference(py, TABLE[index].target, &pointers, names))
        .map_err(|raised| PyErr::from_value(raised.take(py)))
}

/// Arguments as vectorcall wants them: positional, then keyword values, and the tuple of names.
fn flat<'py>(
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> (Vec<Bound<'py, PyAny>>, Option<Bound<'py, PyTuple>>) {
    let mut values: Vec<Bound<'py, PyAny>> = args.iter().collect();
    let Some(kwargs) = kwargs.filter(|kwargs| !kwargs.is_empty()) else {
        return (values, None);
    };
    values.extend(kwargs.values());
    (values, Some(kwargs.keys().to_tuple()))
}

/// What stands in its class or module for each line of the table ("Logger.info", "getLevelName"); None for one that is not
/// bound: this Python has no such method, or it was not the interpreter's own when femtolog came, or its code was exchanged.
#[pyfunction]
pub fn bound_objects(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let found = PyDict::new(py);
    for (entry, slot) in TABLE.iter().zip(&BOUND) {
        let object = slot.load(Ordering::Relaxed);
        let object = if object.is_null() {
            py.None().into_bound(py)
        } else {
            crate::ffi::immortal(py, object).to_owned()
        };
        found.set_item(entry.full_name(), object)?;
    }
    Ok(found)
}

/// Which method of the table `object.method(...)` would run now ("StreamHandler.emit"); None: Python code of somebody's.
#[pyfunction]
#[pyo3(signature = (object, method, /))]
pub fn runs(object: &Bound<'_, PyAny>, method: &str) -> PyResult<Option<String>> {
    let name =
        crate::names::Name::of(method).ok_or_else(|| PyKeyError::new_err(method.to_owned()))?;
    let target = crate::guard::target(object, name);
    Ok(TABLE
        .get(target as usize)
        .map(crate::natives::Entry::full_name))
}

/// What `body` gives; nothing where an exception is set. A panic becomes `SystemError` and never crosses into the interpreter.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of the entry point")]
fn caught<T>(py: Python<'_>, body: impl FnOnce() -> Res<T>) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(result)) => Some(result),
        Ok(Err(Raised { .. })) => None,
        Err(_panic) => {
            let _ = crate::ffi::raise(
                py,
                Exc::System,
                "femtolog: a native method panicked; please report this",
            );
            None
        }
    }
}

/// One entry point per target, so that the native function is a direct call.
struct Entrance<const T: usize>;

impl<const T: usize> Entrance<T> {
    const ENTRY: Entry = TABLE[T];
    const RUN: NativeFn = match Self::ENTRY.run {
        Some(run) => run,
        None => panic!("`entrance` makes no entry point for it"),
    };

    /// Runs the native function.
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "the call is put together where it is needed"
    )]
    fn run(call: Call<'_, '_>, enabled: Option<Seen>) -> *mut ffi::PyObject {
        let py = call.py();
        let enabled = if crate::guard::make_room(py) {
            None
        } else {
            enabled
        };
        let call = &call.known_enabled(enabled);
        caught(py, || (Self::RUN)(call)).map_or(std::ptr::null_mut(), Bound::into_ptr)
    }

    /// Looks once more, closely, and runs the whole function unless that has answered.
    #[inline]
    fn look_closely(call: Call<'_, '_>) -> *mut ffi::PyObject {
        let found = match Self::ENTRY.first {
            Some(first) => first(&call, true),
            None => Look::Nothing,
        };
        match found {
            Look::Answer(answer) => answer.into_ptr(),
            Look::Enabled(seen) => Self::run(call, Some(seen)),
            Look::Ask(seen, level) => Self::ask(call, seen, level),
            Look::Closer | Look::Nothing => Self::run(call, None),
        }
    }

    /// Asks an `isEnabledFor` of somebody's own, and runs the whole function unless it says no.
    #[inline]
    fn ask<'py>(call: Call<'_, 'py>, seen: Seen, level: Ref<'_, 'py>) -> *mut ffi::PyObject {
        let py = call.py();
        match caught(py, || crate::logger::ask_first(&call, seen, &level)) {
            Some(Some(false)) => crate::ffi::none(py).into_ptr(),
            Some(Some(true)) => Self::run(call.said_enabled(), None),
            Some(None) => Self::run(call, None),
            None => std::ptr::null_mut(),
        }
    }

    /// The vectorcall entry of the stdlib's function object (3.12+) or of our method descriptor (3.11).
    unsafe extern "C" fn vectorcall(
        callable: *mut ffi::PyObject,
        args: *const *mut ffi::PyObject,
        nargsf: usize,
        kwnames: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject {
        let count = nargsf & !ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
        // SAFETY: the caller's, handed on.
        unsafe {
            // A method without a self is an error that the interpreter's body raises.
            if MODE.load(Ordering::Relaxed) != NATIVE || (count == 0 && Self::ENTRY.home.is_class())
            {
                // The descriptor stands for the function.
                #[cfg(not(Py_3_12))]
                let callable = {
                    let _ = callable;
                    REFERENCE[T].load(Ordering::Relaxed)
                };
                return interpret_instead(T, callable, args, nargsf, kwnames);
            }
            let Some(first) = Self::ENTRY.first else {
                return Self::run(Self::call(args, count, kwnames), None);
            };
            match first(&Self::call(args, count, kwnames), false) {
                Look::Answer(answer) => answer.into_ptr(),
                Look::Enabled(seen) => Self::run_apart(args, count, kwnames, Some(seen)),
                Look::Nothing => Self::run_apart(args, count, kwnames, None),
                Look::Closer | Look::Ask(..) => Self::look_apart(args, count, kwnames),
            }
        }
    }

    /// The call that came in, with `count` positional arguments, at least one for a method.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see `guard`")]
    unsafe fn call<'a, 'py>(
        args: *const *mut ffi::PyObject,
        count: usize,
        kwnames: *mut ffi::PyObject,
    ) -> Call<'a, 'py> {
        // SAFETY: the interpreter calls with the thread attached and, by the vectorcall protocol, with `count` positional
        // arguments followed by the values of `kwnames`, all alive for the call.
        unsafe {
            let (py, target) = (Python::assume_attached(), Self::ENTRY.target);
            let method = Self::ENTRY.home.is_class();
            Call::new(py, target, args, count, kwnames, method)
        }
    }

    /// Runs the whole function, not as a part of the entry; `enabled` as in [`Call::enabled`]. By C's convention, which nothing
    /// unwinds through, so that the entry can jump here.
    #[inline(never)]
    #[allow(
        improper_ctypes_definitions,
        reason = "both sides are here; two addresses"
    )]
    unsafe extern "C" fn run_apart(
        args: *const *mut ffi::PyObject,
        count: usize,
        kwnames: *mut ffi::PyObject,
        enabled: Option<Seen>,
    ) -> *mut ffi::PyObject {
        // SAFETY: the caller's, handed on.
        unsafe { Self::run(Self::call(args, count, kwnames), enabled) }
    }

    /// [`look_closely`](Self::look_closely), as [`run_apart`](Self::run_apart).
    #[inline(never)]
    unsafe extern "C" fn look_apart(
        args: *const *mut ffi::PyObject,
        count: usize,
        kwnames: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject {
        // SAFETY: the caller's, handed on.
        unsafe { Self::look_closely(Self::call(args, count, kwnames)) }
    }

    /// The C function behind our descriptor or module function (3.11), which specialised calls and bound methods go to.
    #[cfg(not(Py_3_12))]
    unsafe extern "C" fn fastcall(
        slf: *mut ffi::PyObject,
        args: *const *mut ffi::PyObject,
        nargs: isize,
        kwnames: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject {
        // SAFETY: the interpreter calls this with the thread attached and the arguments as the fastcall protocol says; a
        // method descriptor has checked the type of `slf`.
        unsafe {
            let mut enabled = None;
            if let Some(first) = Self::ENTRY.first
                && MODE.load(Ordering::Relaxed) == NATIVE
            {
                match first(&Self::fast(slf, args, nargs, kwnames), false) {
                    Look::Answer(answer) => return answer.into_ptr(),
                    Look::Enabled(seen) => enabled = Some(seen),
                    Look::Nothing => {}
                    Look::Closer | Look::Ask(..) => {
                        return Self::look_fast(slf, args, nargs, kwnames);
                    }
                }
            }
            Self::whole_fast(slf, args, nargs, kwnames, enabled)
        }
    }

    /// [`look_closely`](Self::look_closely) at what [`fastcall`](Self::fastcall) is given.
    #[cfg(not(Py_3_12))]
    #[inline(never)]
    unsafe fn look_fast(
        slf: *mut ffi::PyObject,
        args: *const *mut ffi::PyObject,
        nargs: isize,
        kwnames: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject {
        // SAFETY: the caller's, handed on.
        unsafe { Self::look_closely(Self::fast(slf, args, nargs, kwnames)) }
    }

    /// The call that came in, as [`fastcall`](Self::fastcall) is given it.
    #[cfg(not(Py_3_12))]
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see `guard`")]
    unsafe fn fast<'a, 'py>(
        slf: *mut ffi::PyObject,
        args: *const *mut ffi::PyObject,
        nargs: isize,
        kwnames: *mut ffi::PyObject,
    ) -> Call<'a, 'py> {
        // SAFETY: the caller's, handed on.
        unsafe {
            let py = Python::assume_attached();
            let (target, method) = (Self::ENTRY.target, Self::ENTRY.home.is_class());
            Call::with_self(py, target, slf, args, nargs as usize, kwnames, method)
        }
    }

    /// Runs the whole function; `enabled` as in [`Call::enabled`].
    #[cfg(not(Py_3_12))]
    #[inline(never)]
    unsafe fn whole_fast(
        slf: *mut ffi::PyObject,
        args: *const *mut ffi::PyObject,
        nargs: isize,
        kwnames: *mut ffi::PyObject,
        enabled: Option<Seen>,
    ) -> *mut ffi::PyObject {
        // SAFETY: the caller's, handed on.
        unsafe {
            if MODE.load(Ordering::Relaxed) == OBSERVED {
                return Self::interpret_fast(slf, args, nargs, kwnames);
            }
            Self::run(Self::fast(slf, args, nargs, kwnames), enabled)
        }
    }

    /// Hands the call to the interpreter's function, which somebody watches.
    #[cfg(not(Py_3_12))]
    #[cold]
    unsafe fn interpret_fast(
        slf: *mut ffi::PyObject,
        args: *const *mut ffi::PyObject,
        nargs: isize,
        kwnames: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject {
        // SAFETY: the caller's, handed on; `args` holds the values of the keywords behind the others.
        unsafe {
            let keywords = if kwnames.is_null() {
                0
            } else {
                ffi::PyTuple_Size(kwnames) as usize
            };
            let method = Self::ENTRY.home.is_class();
            let mut all = Vec::with_capacity(nargs as usize + keywords + 1);
            all.extend(method.then_some(slf));
            all.extend((0..nargs as usize + keywords).map(|index| *args.add(index)));
            let function = REFERENCE[T].load(Ordering::Relaxed);
            let count = nargs as usize + usize::from(method);
            interpret_instead(T, function, all.as_ptr(), count, kwnames)
        }
    }
}

/// The C entry points of a target.
#[derive(Clone, Copy)]
pub struct RawEntry {
    pub vectorcall: ffi::vectorcallfunc,
    #[cfg(not(Py_3_12))]
    pub fastcall: ffi::PyCFunctionFastWithKeywords,
}

/// The C entry points of target number `T`, if a Rust function runs it.
pub const fn entrance<const T: usize>() -> Option<RawEntry> {
    if TABLE[T].run.is_none() {
        return None;
    }
    Some(RawEntry {
        vectorcall: Entrance::<T>::vectorcall,
        #[cfg(not(Py_3_12))]
        fastcall: Entrance::<T>::fastcall,
    })
}

/// Binds every native implementation that belongs to `module` (the real `logging`, `logging.handlers` or `logging.config`).
fn bind_home(module: &Bound<'_, PyModule>, which: Module) -> PyResult<()> {
    let py = module.py();
    let globals = module.dict();
    // The table goes home by home: the class or module of the last one, and what its attributes are looked up in.
    let mut last: Option<(Home, Bound<'_, PyAny>, Bound<'_, PyDict>)> = None;
    for (index, entry) in TABLE.iter().enumerate() {
        if entry.home.module() != which {
            continue;
        }
        if last.as_ref().is_none_or(|(home, ..)| *home != entry.home) {
            let holder: Bound<'_, PyAny> = match entry.home {
                Home::Logging | Home::Handlers | Home::Config => module.clone().into_any(),
                Home::Class(class) | Home::HandlersClass(class) => match globals.get_item(class)? {
                    Some(class) if class.is_instance_of::<PyType>() => class,
                    _ => continue,
                },
            };
            let vars = own_dict(&holder)?;
            last = Some((entry.home, holder, vars));
        }
        let Some((_, holder, vars)) = &last else {
            continue;
        };
        let Some(function) = own_function(vars, entry)? else {
            continue;
        };
        if !is_interpreters_own(&function, &globals, entry)? {
            continue;
        }
        remember_interpreter(&function);
        attach(py, index, holder, &function)?;
    }
    Ok(())
}

/// Keeps the entry that runs a function's code. Any function will do that nobody has changed: it is the same for all.
fn remember_interpreter(function: &Bound<'_, PyAny>) {
    if INTERPRETER.load(Ordering::Relaxed).is_null() {
        // SAFETY: alive; every Python function has a vectorcall entry.
        let entry = unsafe { ffi::PyVectorcall_Function(function.as_ptr()) };
        if let Some(entry) = entry {
            INTERPRETER.store(entry as *mut c_void, Ordering::Relaxed);
        }
    }
}

/// The dict behind `vars(holder)` of a class or module: what stands there itself, not what a descriptor makes of it. Only to be read.
fn own_dict<'py>(holder: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    if let Ok(module) = holder.cast::<PyModule>() {
        return Ok(module.dict());
    }
    let class = holder.cast::<PyType>()?.as_type_ptr();
    // SAFETY: a live class, whose dict is read only.
    let dict = unsafe {
        #[cfg(Py_3_12)]
        let dict = Bound::from_owned_ptr_or_opt(holder.py(), ffi::PyType_GetDict(class));
        #[cfg(not(Py_3_12))]
        let dict = Bound::from_borrowed_ptr_or_opt(holder.py(), (*class).tp_dict);
        dict
    };
    dict.ok_or_else(|| PyRuntimeError::new_err("a class without a dict"))?
        .cast_into()
        .map_err(Into::into)
}

/// The function an entry of the table is about: an attribute, or (`name.fget`, `name.fset`) one half of a property.
#[cfg(Py_3_12)]
fn own_function<'py>(
    vars: &Bound<'py, PyDict>,
    entry: &Entry,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some((name, half)) = entry.name.split_once('.') else {
        return vars.get_item(entry.name);
    };
    match vars.get_item(name)? {
        Some(property) if crate::ffi::is_property(&property) => property.getattr(half).map(Some),
        _ => Ok(None),
    }
}

/// The function an entry of the table is about. On 3.11 properties stay the interpreter's: nothing can take the place of half of
/// one. So does `shutdown`, which the stdlib gave to `atexit`: `atexit.unregister(logging.shutdown)` goes by the function.
#[cfg(not(Py_3_12))]
fn own_function<'py>(
    vars: &Bound<'py, PyDict>,
    entry: &Entry,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if entry.name.contains('.') || entry.target == Target::Shutdown {
        return Ok(None);
    }
    vars.get_item(entry.name)
}

/// Only the function the stdlib itself defined there is ours to run: a patch that stands in its place stays in force.
fn is_interpreters_own(
    function: &Bound<'_, PyAny>,
    globals: &Bound<'_, PyDict>,
    entry: &Entry,
) -> PyResult<bool> {
    // SAFETY: `function` is alive; its fields are read only where it is exactly a Python function.
    let plain = unsafe {
        ffi::Py_TYPE(function.as_ptr()) == &raw mut ffi::PyFunction_Type
            && ffi::PyFunction_GetGlobals(function.as_ptr()) == globals.as_ptr()
    };
    if !plain {
        return Ok(false);
    }
    let py = function.py();
    // SAFETY: exactly a function, alive, which has a code object.
    let code = unsafe { Bound::from_borrowed_ptr(py, ffi::PyFunction_GetCode(function.as_ptr())) };
    let qualified = code.getattr(intern!(py, "co_qualname"))?;
    let qualified = qualified.cast::<PyString>()?.to_str()?;
    // Both halves of a property carry its name.
    let name = entry
        .name
        .split_once('.')
        .map_or(entry.name, |(name, _half)| name);
    Ok(match entry.home {
        Home::Class(class) | Home::HandlersClass(class) => {
            qualified
                .strip_prefix(class)
                .and_then(|rest| rest.strip_prefix('.'))
                == Some(name)
        }
        Home::Logging | Home::Handlers | Home::Config => qualified == name,
    })
}

#[cfg(Py_3_12)]
#[allow(
    clippy::unnecessary_wraps,
    reason = "same shape as on 3.11, where making a descriptor can fail"
)]
fn attach(
    _py: Python<'_>,
    index: usize,
    _holder: &Bound<'_, PyAny>,
    function: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let pointer = function.as_ptr();
    if REFERENCE[index].load(Ordering::Relaxed) != pointer {
        // One reference for ever: the function may be needed as long as the process lives.
        REFERENCE[index].store(function.clone().into_ptr(), Ordering::Relaxed);
    }
    BOUND[index].store(pointer, Ordering::Relaxed);
    if let Some(entrance) = entrance_in_use(index) {
        // SAFETY: exactly a Python function (`is_interpreters_own`), alive; the entry keeps the function's behaviour, which is
        // what this crate is about.
        unsafe { PyFunction_SetVectorcall(pointer.cast(), entrance.vectorcall) }
    }
    Ok(())
}

/// What calls of that method out of Python code go to; `None`: to the interpreter's own body, which native code knows all the same.
fn entrance_in_use(index: usize) -> Option<RawEntry> {
    ENTRANCES[index].filter(|_| !interpreter_is_quicker(TABLE[index].target))
}

/// Is the call of a native function out of Python code slower here than the interpreter's own body, two attributes and an item? Then
/// the interpreter's keeps its entry. So it is with `isEnabledFor` where the logger's attributes cannot be read in place, or only by taking
/// references (without a GIL), with `getLogger` where nothing can be read in place, or the module's lock not be seen to be free (without a
/// GIL: a new name took 15 % longer), with that lock where nothing can be read in place, and with those that do
/// little but set attributes or call something of Python's: they took 3 to 40 % longer. On 3.11, where what stands in is no Python
/// function, they are others. What is slower everywhere has no native function.
fn interpreter_is_quicker(target: Target) -> bool {
    match target {
        Target::LoggerIsEnabledFor | Target::GetLogger | Target::ManagerGetLogger => {
            cfg!(Py_3_12) && (cfg!(Py_GIL_DISABLED) || !crate::raw::reads_instances())
        }
        Target::AcquireLock | Target::ReleaseLock => {
            cfg!(all(Py_3_12, not(Py_GIL_DISABLED))) && !crate::raw::reads_instances()
        }
        // What it calls is Python's on 3.15, `createLock` included.
        Target::HandlerInit => cfg!(any(Py_3_15, Py_GIL_DISABLED)),
        // Without a GIL their lock, and each attribute, is taken for itself.
        Target::HandlerSetLevel
        | Target::HandlerSetName
        | Target::HandlerClose
        | Target::StreamInit
        | Target::StreamSetStream
        | Target::FiltererAddFilter
        | Target::FiltererRemoveFilter
        | Target::FormatterUsesTime
        | Target::FormatterFormatMessage
        | Target::FormatterFormatStack
        | Target::PercentUsesTime
        | Target::TemplateUsesTime
        | Target::SizeShouldRollover
        | Target::BufferingShouldFlush
        | Target::MemoryShouldFlush
        | Target::NullHandle
        | Target::LoggerGetEffectiveLevel
        | Target::LoggerGetChild
        | Target::LoggerRemoveHandler
        | Target::AdapterHasHandlers
        | Target::AdapterGetEffectiveLevel
        | Target::AdapterIsEnabledFor
        | Target::AdapterSetLevel
        | Target::RecordGetMessage
        | Target::ManagerFixupParents
        | Target::ManagerFixupChildren
        | Target::PlaceHolderAppend
        | Target::GetLoggerClass
        | Target::SetLoggerClass
        | Target::GetLogRecordFactory
        | Target::GetLevelNamesMapping
        | Target::BasicConfig
        | Target::AddHandlerRef
        | Target::RemoveHandlerRef => cfg!(Py_GIL_DISABLED),
        // `threading.RLock` is a function of Python's: code of Python's calls it without leaving the interpreter's loop.
        Target::HandlerCreateLock | Target::RegisterReinit => {
            cfg!(any(not(Py_3_12), Py_3_15, Py_GIL_DISABLED))
        }
        // Python code that calls a function whose entry was set is not specialised: `Logger()` took 4 to 7 % longer.
        Target::FiltererInit
        | Target::AdapterInit
        | Target::AdapterManager
        | Target::AdapterProcess
        | Target::BufferingInit
        | Target::PercentInit
        | Target::PercentValidate
        | Target::BraceValidate
        | Target::TemplateValidate
        | Target::FilterFilter
        | Target::HandlerGetName
        | Target::NullCreateLock
        | Target::FileInit
        | Target::FileOpen
        | Target::FileClose
        | Target::ManagerSetLoggerClass
        | Target::ManagerSetLogRecordFactory
        | Target::RootReduce => cfg!(Py_3_12),
        _ => false,
    }
}

#[cfg(not(Py_3_12))]
fn attach(
    py: Python<'_>,
    index: usize,
    holder: &Bound<'_, PyAny>,
    function: &Bound<'_, PyAny>,
) -> PyResult<()> {
    /// The stand-ins made so far, owned for ever: binding again uses them again.
    static MADE: [AtomicPtr<ffi::PyObject>; COUNT] =
        [const { AtomicPtr::new(std::ptr::null_mut()) }; COUNT];
    let entry = &TABLE[index];
    let known = REFERENCE[index].load(Ordering::Relaxed) == function.as_ptr();
    let Some(entrance) = entrance_in_use(index) else {
        if !known {
            REFERENCE[index].store(function.clone().into_ptr(), Ordering::Relaxed);
        }
        BOUND[index].store(function.as_ptr(), Ordering::Relaxed);
        return Ok(());
    };
    let made = MADE[index].load(Ordering::Relaxed);
    let stand_in = if known && !made.is_null() {
        crate::ffi::immortal(py, made).to_owned()
    } else {
        let stand_in = crate::signature::stand_in(py, entry, holder, function, entrance)?;
        REFERENCE[index].store(function.clone().into_ptr(), Ordering::Relaxed);
        MADE[index].store(stand_in.clone().into_ptr(), Ordering::Relaxed);
        stand_in
    };
    BOUND[index].store(stand_in.as_ptr(), Ordering::Relaxed);
    holder.setattr(entry.name, stand_in)
}

#[cfg(Py_3_12)]
fn detach(_py: Python<'_>, index: usize) {
    let function = BOUND[index].swap(std::ptr::null_mut(), Ordering::Relaxed);
    // One that has kept its entry is not touched: from 3.13 on no calls of a function are specialised whose entry was ever set.
    if !function.is_null() && entrance_in_use(index).is_some() {
        // SAFETY: `attach` put a Python function there, which REFERENCE keeps alive.
        unsafe {
            PyFunction_SetVectorcall(
                function.cast(),
                std::mem::transmute::<*mut c_void, ffi::vectorcallfunc>(
                    INTERPRETER.load(Ordering::Relaxed),
                ),
            );
        }
    }
}

/// Puts the function back where our stand-in still stands; whatever somebody else put there stays.
#[cfg(not(Py_3_12))]
fn detach(py: Python<'_>, index: usize) {
    let stand_in = BOUND[index].swap(std::ptr::null_mut(), Ordering::Relaxed);
    let function = REFERENCE[index].load(Ordering::Relaxed);
    if stand_in.is_null() || function.is_null() || stand_in == function {
        return;
    }
    let entry = &TABLE[index];
    // SAFETY: both are references `attach` stored for ever.
    let (stand_in, function) = unsafe {
        (
            Bound::from_borrowed_ptr(py, stand_in),
            Bound::from_borrowed_ptr(py, function),
        )
    };
    if let Some(holder) = crate::signature::holder(py, entry)
        && let Ok(vars) = own_dict(&holder)
        && let Ok(Some(now)) = vars.get_item(entry.name)
        && now.is(&stand_in)
    {
        // A class of the stdlib takes attributes; if it ever refuses, the native method simply stays.
        let _ = holder.setattr(entry.name, function);
    }
}

/// Binds the native tier onto `module`, which must be the interpreter's own `logging`. Idempotent.
///
/// Methods that are not the interpreter's own at this moment (somebody patched them) are left in place and count as
/// overridden. Not to be called from two threads at once; `femtolog.install` holds a lock.
#[pyfunction]
pub fn bind(module: &Bound<'_, PyModule>) -> PyResult<()> {
    if is_active() {
        return Ok(());
    }
    crate::globals::attach(module)?;
    crate::context::init(module.py())?;
    crate::format::time::init(module.py())?;
    crate::fork::init();
    crate::record::prepare(module)?;
    #[cfg(Py_3_12)]
    watch_functions();
    bind_home(module, Module::Logging)?;
    let mode = if OBSERVING.load(Ordering::Relaxed) {
        OBSERVED
    } else {
        NATIVE
    };
    MODE.store(mode, Ordering::Relaxed);
    crate::guard::forget_types(module.py());
    Ok(())
}

/// Binds the native tier onto `logging.handlers`. Idempotent; `bind` must have been called.
#[pyfunction]
pub fn bind_handlers(module: &Bound<'_, PyModule>) -> PyResult<()> {
    if is_bound_after_logging(Module::Handlers)? {
        return Ok(());
    }
    crate::globals::attach_handlers(module);
    crate::handler::paths::init(module.py())?;
    crate::handler::copying::init(module.py())?;
    crate::handler::asynchronous::init(module)?;
    bind_home(module, Module::Handlers)?;
    crate::guard::forget_types(module.py());
    Ok(())
}

/// Binds the native tier onto `logging.config`. Idempotent; `bind` must have been called.
#[pyfunction]
pub fn bind_config(module: &Bound<'_, PyModule>) -> PyResult<()> {
    if is_bound_after_logging(Module::Config)? {
        return Ok(());
    }
    bind_home(module, Module::Config)
}

/// Is something of `module` bound? An error if nothing of `logging` is.
fn is_bound_after_logging(module: Module) -> PyResult<bool> {
    if !is_active() {
        return Err(PyRuntimeError::new_err(
            "bind(logging) comes before what is bound onto its submodules",
        ));
    }
    Ok(TABLE.iter().zip(&BOUND).any(|(entry, slot)| {
        entry.home.module() == module && !slot.load(Ordering::Relaxed).is_null()
    }))
}

/// Takes every native implementation off again; what somebody else changed in the meantime stays as it is.
#[pyfunction]
pub fn unbind(py: Python<'_>) {
    MODE.store(OFF, Ordering::Relaxed);
    for index in 0..COUNT {
        detach(py, index);
    }
    crate::disabling::forget(py);
    crate::guard::forget_types(py);
}

/// Is `object` exactly a bound method (or bound built-in) of `slf` whose function is ours?
pub fn bound_method_target(object: &Obj<'_>, slf: &Obj<'_>) -> Target {
    // SAFETY: the type is checked before the fields of that type are read.
    unsafe {
        #[cfg(Py_3_12)]
        {
            if ffi::Py_TYPE(object.as_ptr()) != &raw mut PyMethod_Type {
                return Target::Foreign;
            }
            let owner: *mut ffi::PyObject = PyMethod_Self(object.as_ptr());
            if owner != slf.as_ptr() {
                return Target::Foreign;
            }
            target_of(PyMethod_Function(object.as_ptr()))
        }
        #[cfg(not(Py_3_12))]
        {
            if ffi::PyCFunction_CheckExact(object.as_ptr()) == 0
                || ffi::PyCFunction_GetSelf(object.as_ptr()) != slf.as_ptr()
            {
                return Target::Foreign;
            }
            let function = object.as_ptr().cast::<ffi::PyCFunctionObject>();
            crate::signature::target_of_method((*function).m_ml)
        }
    }
}

/// The interpreter's own function a bound method of ours stands for (on 3.11 it has another name and no module); anything else
/// as it is.
pub fn function_behind<'py>(method: &Obj<'py>) -> Obj<'py> {
    #[cfg(not(Py_3_12))]
    {
        // SAFETY: the type is checked before the fields of that type are read.
        let target = unsafe {
            if ffi::PyCFunction_CheckExact(method.as_ptr()) == 0 {
                Target::Foreign
            } else {
                let function = method.as_ptr().cast::<ffi::PyCFunctionObject>();
                crate::signature::target_of_method((*function).m_ml)
            }
        };
        if target != Target::Foreign
            && let Ok(function) = reference_function(method.py(), target)
        {
            return function;
        }
    }
    method.clone()
}

/// The interpreter's own function of `target`, for its defaults and its closure.
pub fn reference_function(py: Python<'_>, target: Target) -> Res<Obj<'_>> {
    let function = REFERENCE[target as usize].load(Ordering::Relaxed);
    if function.is_null() {
        return Err(crate::ffi::raise(
            py,
            Exc::System,
            "femtolog: the interpreter's own function is gone",
        ));
    }
    Ok(crate::ffi::immortal(py, function).to_owned())
}

/// Does the interpreter's own body of `target` use the constant string `text`? `seen` keeps the answer, as for [`recognise`].
#[inline]
pub fn reference_says(py: Python<'_>, seen: &AtomicU8, target: Target, text: &str) -> bool {
    match seen.load(Ordering::Relaxed) {
        0 => look_for(py, seen, target, Name::co_consts, || {
            crate::ffi::text_from(py, text)
        }),
        answer => answer == YES,
    }
}

/// Does the interpreter's own body of `target` use the name `name`? Tells patch releases apart that changed one method. `seen` keeps
/// the answer.
#[inline]
pub fn reference_mentions(py: Python<'_>, seen: &AtomicU8, target: Target, name: Name) -> bool {
    match seen.load(Ordering::Relaxed) {
        0 => look_for(py, seen, target, Name::co_names, || {
            Ok(name.object(py).to_owned())
        }),
        answer => answer == YES,
    }
}

/// What they keep.
const YES: u8 = 2;
/// As above.
const NO: u8 = 1;

/// Is that in this tuple of the body's code?
#[cold]
fn look_for<'py>(
    py: Python<'py>,
    seen: &AtomicU8,
    target: Target,
    tuple: Name,
    wanted: impl FnOnce() -> Res<Obj<'py>>,
) -> bool {
    let found = reference_function(py, target)
        .and_then(|function| crate::ffi::getattr(&function, Name::__code__))
        .and_then(|code| crate::ffi::getattr(&code, tuple))
        .and_then(|all| crate::ffi::contains(&all, &wanted()?));
    match found {
        Ok(found) => {
            seen.store(if found { YES } else { NO }, Ordering::Relaxed);
            found
        }
        Err(raised) => {
            raised.clear(py);
            false
        }
    }
}

/// Which of the `known` bodies of `target` the interpreter runs, by the names the body uses in the order it uses them first;
/// `seen` keeps the answer. `None`: none of them, a release changed the method and only its own body knows how.
#[inline]
pub fn recognise(
    py: Python<'_>,
    seen: &AtomicU8,
    target: Target,
    known: &'static [&'static [&'static str]],
) -> Option<usize> {
    match seen.load(Ordering::Relaxed) {
        0 => look_at_names(py, seen, target, known),
        UNKNOWN_BODY => None,
        index => Some(usize::from(index) - 1),
    }
}

/// What [`recognise`] keeps of a body that is none of the known.
const UNKNOWN_BODY: u8 = u8::MAX;

#[cold]
fn look_at_names(
    py: Python<'_>,
    seen: &AtomicU8,
    target: Target,
    known: &[&[&str]],
) -> Option<usize> {
    let names = reference_names(py, target);
    let found = known.iter().position(|known| names.iter().eq(known.iter()));
    seen.store(
        found.map_or(UNKNOWN_BODY, |index| index as u8 + 1),
        Ordering::Relaxed,
    );
    found
}

/// `co_names` of the interpreter's own body of `target`.
fn reference_names(py: Python<'_>, target: Target) -> Vec<String> {
    let function = REFERENCE[target as usize].load(Ordering::Relaxed);
    if function.is_null() {
        return Vec::new();
    }
    crate::ffi::immortal(py, function)
        .getattr("__code__")
        .and_then(|code| code.getattr("co_names"))
        .and_then(|names| names.extract())
        .unwrap_or_default()
}
