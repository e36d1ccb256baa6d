//! Small Python expressions that have no C function of their own.
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::{
    Exc, Obj, Raised, Res, builtin_entry, c, call_dict, class_has, done, eq_operator,
    exception_class, get_item, getattr, is_ascii, is_dict, is_list, is_str, is_str_like, is_tuple,
    iter, len, list_append, method, new_dict, new_int, new_tuple, next, owned, python, raise,
    raise_object, remainder, text_from, text_from_utf8, type_name, utf8,
};
use crate::names::Name;

/// `left >= right`, whatever it returns.
pub fn ge_object<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: both are alive.
    unsafe {
        owned(
            left.py(),
            python!(c::PyObject_RichCompare(
                left.as_ptr(),
                right.as_ptr(),
                ffi::Py_GE
            )),
        )
    }
}

/// `left == right`, whatever it returns.
pub fn eq_object<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: both are alive.
    unsafe {
        owned(
            left.py(),
            python!(c::PyObject_RichCompare(
                left.as_ptr(),
                right.as_ptr(),
                ffi::Py_EQ
            )),
        )
    }
}

/// `container.append(item)`
pub fn append<'py>(container: &Obj<'py>, item: &Obj<'py>) -> Res<()> {
    if is_list(container) {
        list_append(container, item)
    } else {
        method(container, Name::append, [item]).map(drop)
    }
}

/// `text[-1:]`
pub fn last_slice<'py>(text: &Obj<'py>) -> Res<Obj<'py>> {
    let py = text.py();
    let minus_one = new_int(py, -1)?;
    // SAFETY: attached; null stands for a missing bound.
    let slice = unsafe {
        owned(
            py,
            ffi::PySlice_New(minus_one.as_ptr(), ptr::null_mut(), ptr::null_mut()),
        )?
    };
    get_item(text, &slice)
}

/// The text without one newline at its end.
pub fn without_final_newline<'py>(text: &Obj<'py>) -> Res<Obj<'py>> {
    let py = text.py();
    if is_str(text)
        && let Some(plain) = utf8(text)
    {
        return match plain.strip_suffix('\n') {
            Some(shorter) => text_from_utf8(py, shorter.as_bytes(), is_ascii(text)),
            None => Ok(text.clone()),
        };
    }
    if !eq_operator(&last_slice(text)?, &text_from(py, "\n")?)? {
        return Ok(text.clone());
    }
    let minus_one = new_int(py, -1)?;
    // SAFETY: attached; null stands for a missing bound.
    let slice = unsafe {
        owned(
            py,
            ffi::PySlice_New(ptr::null_mut(), minus_one.as_ptr(), ptr::null_mut()),
        )?
    };
    get_item(text, &slice)
}

/// `callable(**mapping)`
pub fn call_mapping<'py>(callable: &Obj<'py>, mapping: &Obj<'py>) -> Res<Obj<'py>> {
    let py = callable.py();
    let empty = new_tuple(py, &[])?;
    if is_dict(mapping) {
        return call_dict(callable, &empty, Some(mapping));
    }
    let copy = new_dict(py)?;
    // SAFETY: both alive; Update accepts any mapping.
    done(unsafe { python!(c::PyDict_Update(copy.as_ptr(), mapping.as_ptr())) })?;
    call_dict(callable, &empty, Some(&copy))
}

/// `callable(*args, **mapping)`, with the interpreter's error for what is no mapping.
pub fn call_double_star<'py>(
    callable: &Obj<'py>,
    args: &Obj<'py>,
    mapping: &Obj<'py>,
) -> Res<Obj<'py>> {
    let py = callable.py();
    if is_dict(mapping) {
        return call_dict(callable, args, Some(mapping));
    }
    let copy = new_dict(py)?;
    // SAFETY: both alive; Update accepts any mapping.
    match done(unsafe { python!(c::PyDict_Update(copy.as_ptr(), mapping.as_ptr())) }) {
        Ok(()) => call_dict(callable, args, Some(&copy)),
        Err(raised) if raised.is(exception_class(py, Exc::Attribute)) => {
            raised.clear(py);
            let kind = text_from(py, &type_name(mapping))?;
            let text = if cfg!(Py_3_15) {
                percent(py, "Value after ** must be a mapping, not %s", &[&kind])?
            } else {
                let named = crate::bind::function_behind(callable);
                let name = getattr(&named, Name::__qualname__)?;
                let module = getattr(&named, Name::__module__)?;
                percent(
                    py,
                    "%s.%s() argument after ** must be a mapping, not %s",
                    &[&module, &name, &kind],
                )?
            };
            Err(raise_object(py, Exc::Type, &text))
        }
        Err(raised) => Err(raised),
    }
}

/// `format % (values…)`
pub fn percent<'py>(py: Python<'py>, format: &str, values: &[&Obj<'py>]) -> Res<Obj<'py>> {
    remainder(&text_from(py, format)?, &new_tuple(py, values)?)
}

/// Is `obj` an exception instance?
pub fn is_exception(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::PyExceptionInstance_Check(obj.as_ptr()) != 0 }
}

/// Is `obj` a `tuple` or an instance of a subclass?
pub fn is_tuple_like(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::PyTuple_Check(obj.as_ptr()) != 0 }
}

/// `a, b, c, d = iterable`, with the interpreter's own error when it has another length.
pub fn unpack<'py, const N: usize>(iterable: &Obj<'py>) -> Res<[Obj<'py>; N]> {
    let py = iterable.py();
    let iterator = iter(iterable).map_err(|raised| not_unpackable(iterable, raised))?;
    let mut items = Vec::with_capacity(N);
    while items.len() < N {
        match next(&iterator)? {
            Some(item) => items.push(item),
            None => {
                return Err(raise(
                    py,
                    Exc::Value,
                    &format!(
                        "not enough values to unpack (expected {N}, got {})",
                        items.len()
                    ),
                ));
            }
        }
    }
    if next(&iterator)?.is_some() {
        // 3.14 also says how many there were, where that is known.
        let sized = is_list(iterable) || is_tuple(iterable) || is_dict(iterable);
        let got = if cfg!(Py_3_14) && sized {
            format!(", got {}", len(iterable)?)
        } else {
            String::new()
        };
        return Err(raise(
            py,
            Exc::Value,
            &format!("too many values to unpack (expected {N}{got})"),
        ));
    }
    items
        .try_into()
        .map_err(|_| raise(py, Exc::System, "femtolog: unpacking failed"))
}

/// The interpreter's own words for unpacking what cannot be iterated.
#[cold]
fn not_unpackable(obj: &Obj<'_>, raised: Raised) -> Raised {
    let py = obj.py();
    // SAFETY: alive; only type slots are read.
    let iterable = unsafe {
        (*ffi::Py_TYPE(obj.as_ptr())).tp_iter.is_some() || ffi::PySequence_Check(obj.as_ptr()) != 0
    };
    if iterable || !raised.is(exception_class(py, Exc::Type)) {
        return raised;
    }
    raised.clear(py);
    raise(
        py,
        Exc::Type,
        &format!("cannot unpack non-iterable {} object", type_name(obj)),
    )
}

/// `warnings.warn(text, DeprecationWarning)`, attributed to the Python frame that called the native method.
pub fn warn_deprecated<'py>(py: Python<'py>, warnings: &Obj<'py>, text: &str) -> Res<()> {
    // SAFETY: attached; the class lives for ever.
    let category = unsafe { Bound::from_borrowed_ptr(py, ffi::PyExc_DeprecationWarning) };
    // The stdlib says 2: `warn` itself and its caller. A native method has no frame of its own, so its caller is 1.
    method(
        warnings,
        Name::warn,
        [&text_from(py, text)?, &category, &new_int(py, 1)?],
    )
    .map(drop)
}

/// `callable(obj)`
pub fn is_callable(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::PyCallable_Check(obj.as_ptr()) == 1 }
}

/// Is `class.method`, looked up on the class itself, the native implementation `target`? False also for anything whose
/// attribute lookup is not the plain one of classes.
pub fn plain_class_has(class: &Obj<'_>, method: Name, target: crate::natives::Target) -> bool {
    is_made_by_type(class) && class_has(class, method, target)
}

/// Is it a class that `type` itself made, so that no metaclass has anything to say?
#[inline]
pub fn is_made_by_type(class: &Obj<'_>) -> bool {
    // SAFETY: alive; its type is only compared.
    unsafe { ffi::Py_TYPE(class.as_ptr()) == &raw mut ffi::PyType_Type }
}

/// Does the object perhaps end, and so run whatever, when this reference is given up? "Yes" also where other threads may have others.
#[inline]
pub fn may_end(obj: &Obj<'_>) -> bool {
    // SAFETY: alive; its count is only read.
    cfg!(Py_GIL_DISABLED) || unsafe { ffi::Py_REFCNT(obj.as_ptr()) == 1 }
}

/// `dict.update(other)` for two real dicts.
pub fn dict_update<'py>(dict: &Obj<'py>, other: &Obj<'py>) -> Res<()> {
    // SAFETY: both alive, `dict` is a dict.
    done(unsafe { python!(c::PyDict_Update(dict.as_ptr(), other.as_ptr())) })
}

/// `left > right`, whatever it returns.
pub fn gt_object<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: both are alive.
    unsafe {
        owned(
            left.py(),
            python!(c::PyObject_RichCompare(
                left.as_ptr(),
                right.as_ptr(),
                ffi::Py_GT
            )),
        )
    }
}

/// `left != right`, whatever it returns.
pub fn ne_object<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: both are alive.
    unsafe {
        owned(
            left.py(),
            python!(c::PyObject_RichCompare(
                left.as_ptr(),
                right.as_ptr(),
                ffi::Py_NE
            )),
        )
    }
}

/// Would `except class` catch `exception`?
pub fn except_matches(exception: &Obj<'_>, class: &Obj<'_>) -> bool {
    // SAFETY: both are alive.
    unsafe { ffi::PyErr_GivenExceptionMatches(exception.as_ptr(), class.as_ptr()) != 0 }
}

/// The number of characters of a `str`.
#[inline]
pub fn str_len(text: &Obj<'_>) -> usize {
    debug_assert!(is_str_like(text));
    // SAFETY: a str.
    unsafe { ffi::PyUnicode_GET_LENGTH(text.as_ptr()) as usize }
}

/// What the running thread's own dict, which C modules keep things in, has under `name`.
#[cfg(all(Py_3_12, not(Py_3_14), not(Py_GIL_DISABLED)))]
pub fn of_thread(py: Python<'_>, name: Name) -> Res<Option<Obj<'_>>> {
    // SAFETY: attached; the dict is borrowed from the thread's state, null where there is no memory for one.
    let dict = unsafe { Bound::from_borrowed_ptr_or_opt(py, ffi::PyThreadState_GetDict()) };
    match dict {
        Some(dict) => super::dict_get_name(&dict, name),
        None => Ok(None),
    }
}

/// Is `obj` a built-in function of the C module `module`?
pub fn is_builtin_of(obj: &Obj<'_>, module: &str) -> bool {
    builtin_entry(obj) != 0
        && getattr(obj, Name::__module__)
            .is_ok_and(|name| is_str(&name) && utf8(&name) == Some(module))
}

/// Is `obj` exactly a `property`?
pub fn is_property(obj: &Obj<'_>) -> bool {
    // SAFETY: alive; only the type's address is compared.
    unsafe { ffi::Py_TYPE(obj.as_ptr()) == &raw mut ffi::PyProperty_Type }
}

/// Is `obj` a Python function defined in `module`?
pub fn is_function_of(obj: &Obj<'_>, module: &Bound<'_, PyModule>) -> bool {
    // SAFETY: alive; its globals are read only where it is exactly a Python function.
    unsafe {
        ffi::Py_TYPE(obj.as_ptr()) == &raw mut ffi::PyFunction_Type
            && ffi::PyFunction_GetGlobals(obj.as_ptr()) == module.dict().as_ptr()
    }
}

/// The code of a Python function, only to be compared; null for anything else.
#[cfg(not(Py_GIL_DISABLED))]
#[inline]
pub fn function_code(obj: &Obj<'_>) -> *mut ffi::PyObject {
    // SAFETY: alive; its code is read only where it is exactly a Python function.
    unsafe {
        if ffi::Py_TYPE(obj.as_ptr()) == &raw mut ffi::PyFunction_Type {
            ffi::PyFunction_GetCode(obj.as_ptr())
        } else {
            std::ptr::null_mut()
        }
    }
}

/// Takes a lock if that needs no waiting and the lock is one whose structure is known; see [`crate::raw::rlock_acquire`].
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `held_seen`")]
pub fn try_acquire(lock: &Obj<'_>) -> bool {
    crate::raw::rlock_acquire(lock)
}

/// Gives back a lock that [`try_acquire`] can take; false when the object's own method has to do it.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `held_seen`")]
pub fn try_release(lock: &Obj<'_>) -> bool {
    crate::raw::rlock_release(lock)
}
