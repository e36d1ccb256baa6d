//! What Python has statements for: `with`, `try … finally`, exceptions and their contexts, instances and classes.
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

use super::{
    Exc, Obj, Raised, Res, c, call, getattr, method, none, owned, python, raise, truthy,
    try_acquire, try_release, type_attr, while_handling,
};
use crate::names::Name;

/// `with manager: body()`. `None` when the manager's `__exit__` swallowed an exception.
pub fn with_statement<T>(
    manager: &Obj<'_>,
    body: impl FnOnce() -> Res<Option<T>>,
) -> Res<Option<T>> {
    let entered = enter(manager)?;
    leave(manager, entered, body(), |left| left)
}

/// How a context manager was entered, and is to be left.
pub enum Entered<'py> {
    /// A lock, by [`try_acquire`].
    Taken,
    /// By its method; the other one, its `__exit__`.
    By(Obj<'py>),
}

/// What a `with` statement does before its body. Apart from what comes [after it](leave), so that the body may be part of the caller.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `held_seen`")]
pub fn enter<'py>(manager: &Obj<'py>) -> Res<Entered<'py>> {
    if try_acquire(manager) {
        Ok(Entered::Taken)
    } else {
        enter_by_method(manager).map(Entered::By)
    }
}

#[inline(never)]
fn enter_by_method<'py>(manager: &Obj<'py>) -> Res<Obj<'py>> {
    let (Some(enter), Some(exit)) = (
        special(manager, Name::__enter__)?,
        special(manager, Name::__exit__)?,
    ) else {
        let kind = manager.get_type();
        let text = kind
            .fully_qualified_name()
            .map_or_else(|_| "object".to_owned(), |name| name.to_string());
        return Err(not_a_manager(manager.py(), &text));
    };
    call(&enter, &[])?;
    Ok(exit)
}

/// And after it. `None` when an exception was swallowed. What `__exit__` raises passes through `mark`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `held_seen`")]
pub fn leave<'py, T>(
    manager: &Obj<'py>,
    entered: Entered<'py>,
    result: Res<Option<T>>,
    mark: impl Fn(Res<()>) -> Res<()>,
) -> Res<Option<T>> {
    match entered {
        Entered::Taken if try_release(manager) => result,
        Entered::Taken => release_by_method(manager, result, mark),
        Entered::By(exit) => leave_by_method(&exit, result, mark),
    }
}

#[inline(never)]
fn leave_by_method<T>(
    exit: &Obj<'_>,
    result: Res<Option<T>>,
    mark: impl Fn(Res<()>) -> Res<()>,
) -> Res<Option<T>> {
    let py = exit.py();
    let none = none(py);
    match result {
        Ok(value) => {
            mark(call(exit, &[&none, &none, &none]).map(drop))?;
            Ok(value)
        }
        Err(raised) => {
            let exception = raised.take(py);
            let kind = exception.get_type().into_any();
            let trace = getattr(&exception, Name::__traceback__)?;
            match while_handling(&exception, || {
                call(exit, &[&kind, &exception, &trace]).and_then(|verdict| truthy(&verdict))
            }) {
                Ok(true) => Ok(None),
                Ok(false) => Err(Raised::from(exception)),
                Err(raised) => mark(Err(raised)).map(|()| None),
            }
        }
    }
}

/// `with lock: body()` if the lock can be taken without waiting and is one whose structure is known; else nothing is done.
#[cfg(Py_GIL_DISABLED)]
#[inline]
pub fn with_free_lock<T>(
    lock: &Obj<'_>,
    body: impl FnOnce() -> Res<Option<T>>,
) -> Option<Res<Option<T>>> {
    try_acquire(lock).then(|| release_after(lock, body()))
}

/// Gives back a lock that [`try_acquire`] took, with what was done meanwhile.
#[cfg(Py_GIL_DISABLED)]
#[inline]
fn release_after<T>(lock: &Obj<'_>, result: Res<Option<T>>) -> Res<Option<T>> {
    if try_release(lock) {
        result
    } else {
        release_by_method(lock, result, |released| released)
    }
}

/// Releases a lock that was taken by its structure but cannot be given back that way (its owner was changed from Python).
#[cold]
fn release_by_method<T>(
    lock: &Obj<'_>,
    result: Res<Option<T>>,
    mark: impl Fn(Res<()>) -> Res<()>,
) -> Res<Option<T>> {
    let pending = match result {
        Ok(value) => Ok(value),
        Err(raised) => Err(raised.take(lock.py())),
    };
    let released = method(lock, Name::release, []).map(drop);
    match (released, pending) {
        (Ok(()), Ok(value)) => Ok(value),
        (Ok(()), Err(exception)) => Err(Raised::from(exception)),
        (Err(raised), Ok(_)) => mark(Err(raised)).map(|()| None),
        (Err(raised), Err(exception)) => {
            mark(Err(chain(lock.py(), raised, exception))).map(|()| None)
        }
    }
}

/// `try: body() finally: last()`. `last` sees the exception as the current one, which so becomes the context of its own error.
pub fn finally(
    py: Python<'_>,
    body: impl FnOnce() -> Res<()>,
    last: impl FnOnce() -> Res<()>,
) -> Res<()> {
    let Err(raised) = body() else {
        return last();
    };
    let exception = raised.take(py);
    while_handling(&exception, last)?;
    Err(Raised::from(exception))
}

#[cold]
fn not_a_manager(py: Python<'_>, kind: &str) -> Raised {
    let missed = if cfg!(Py_3_14) {
        " (missed __exit__ method)"
    } else {
        ""
    };
    raise(
        py,
        Exc::Type,
        &format!("'{kind}' object does not support the context manager protocol{missed}"),
    )
}

/// A special method as the interpreter looks it up: on the type, bound to the object.
fn special<'py>(obj: &Obj<'py>, name: Name) -> Res<Option<Obj<'py>>> {
    let py = obj.py();
    let Some(found) = type_attr(obj, name) else {
        return Ok(None);
    };
    // SAFETY: alive; `__get__` of the descriptor's type is called as the interpreter would.
    unsafe {
        match (*ffi::Py_TYPE(found.as_ptr())).tp_descr_get {
            Some(get) => owned(
                py,
                get(
                    found.as_ptr(),
                    obj.as_ptr(),
                    ffi::Py_TYPE(obj.as_ptr()).cast(),
                ),
            )
            .map(Some),
            None => Ok(Some(found)),
        }
    }
}

/// `raised` happened while `earlier` was being handled: it becomes its context.
pub fn chain(py: Python<'_>, raised: Raised, earlier: Obj<'_>) -> Raised {
    let later = raised.take(py);
    if !later.is(&earlier) {
        // SAFETY: both are exceptions; SetContext takes over the reference.
        unsafe { ffi::PyException_SetContext(later.as_ptr(), earlier.into_ptr()) }
    }
    Raised::from(later)
}

/// `bool(left == right)` by the operator alone (no identity shortcut).
pub fn eq_operator<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<bool> {
    // SAFETY: both are alive.
    let answer = unsafe {
        owned(
            left.py(),
            python!(c::PyObject_RichCompare(
                left.as_ptr(),
                right.as_ptr(),
                ffi::Py_EQ
            )),
        )?
    };
    truthy(&answer)
}

/// The empty tuple, which is one object for all; asking for it is a call.
static EMPTY: AtomicPtr<ffi::PyObject> = AtomicPtr::new(ptr::null_mut());

/// `object.__new__(class)`: an instance without any attribute.
#[inline]
pub fn new_instance<'py>(class: &Obj<'py>) -> Res<Obj<'py>> {
    let py = class.py();
    // SAFETY: callers pass heap types deriving from object whose `__new__` is object's own. `object_new` (not `tp_alloc`)
    // makes the inline values on 3.12.
    unsafe {
        let Some(new) = ffi::PyBaseObject_Type.tp_new else {
            return Err(raise(py, Exc::System, "object has no __new__"));
        };
        if EMPTY.load(Ordering::Relaxed).is_null() {
            EMPTY.store(
                owned(py, ffi::PyTuple_New(0))?.into_ptr(),
                Ordering::Relaxed,
            );
        }
        let empty = EMPTY.load(Ordering::Relaxed);
        owned(py, new(class.as_ptr().cast(), empty, ptr::null_mut()))
    }
}

/// Is every instance of a class true because the class says nothing of truth or length?
pub fn makes_true_instances(class: &Obj<'_>) -> bool {
    // SAFETY: the type is checked before its slots are read.
    unsafe {
        ffi::PyType_Check(class.as_ptr()) != 0 && super::makes_true_objects(class.as_ptr().cast())
    }
}

/// Does making an instance of `class` run nothing but `object.__new__` and the native `__init__`, and does setting attributes
/// on it run nothing at all?
pub fn is_plain_class(class: &Obj<'_>) -> bool {
    // SAFETY: the type is checked before its slots are read.
    unsafe {
        if ffi::PyType_Check(class.as_ptr()) == 0 {
            return false;
        }
        let class = class.as_ptr().cast::<ffi::PyTypeObject>();
        // Compared as addresses: the question is whether it is the interpreter's one function.
        let new =
            |class: *const ffi::PyTypeObject| (*class).tp_new.map(|function| function as usize);
        let call =
            |class: *const ffi::PyTypeObject| (*class).tp_call.map(|function| function as usize);
        new(class) == new(&raw const ffi::PyBaseObject_Type)
            && crate::raw::has_plain_setattro(class)
            && call(ffi::Py_TYPE(class.cast())) == call(&raw const ffi::PyType_Type)
    }
}

/// Is the class attribute `name`, as the class itself looks it up, the native implementation `target`?
pub fn class_has(class: &Obj<'_>, name: Name, target: crate::natives::Target) -> bool {
    let bound = crate::bind::bound_object(target);
    // SAFETY: callers pass classes (see `is_plain_class`).
    !bound.is_null()
        && unsafe {
            crate::guard::type_lookup(class.as_ptr().cast(), name.object(class.py()).as_ptr())
                == bound
        }
}
