//! Calls of Python objects.
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

use super::{Obj, Res, c, done, getattr, owned, python, tuple_len};
use crate::names::Name;

/// `callable(*args)`
pub fn call<'py>(callable: &Obj<'py>, args: &[&Obj<'py>]) -> Res<Obj<'py>> {
    let pointers: smallvec::SmallVec<[*mut ffi::PyObject; 12]> =
        args.iter().map(|arg| arg.as_ptr()).collect();
    // SAFETY: all objects are alive for the call; no keyword names.
    unsafe {
        owned(
            callable.py(),
            python!(c::PyObject_Vectorcall(
                callable.as_ptr(),
                pointers.as_ptr(),
                pointers.len(),
                ptr::null_mut(),
            )),
        )
    }
}

/// `callable(*args, **keywords)`: `args` holds the values of `keywords` (a tuple of names) at its end.
pub fn call_keywords<'py>(
    callable: &Obj<'py>,
    args: &[&Obj<'py>],
    keywords: Option<&Obj<'py>>,
) -> Res<Obj<'py>> {
    let Some(keywords) = keywords else {
        return call(callable, args);
    };
    let pointers: smallvec::SmallVec<[*mut ffi::PyObject; 12]> =
        args.iter().map(|arg| arg.as_ptr()).collect();
    let positional = pointers.len() - tuple_len(keywords);
    // SAFETY: all objects are alive for the call; `keywords` is a tuple of as many names as values at the end.
    unsafe {
        owned(
            callable.py(),
            python!(c::PyObject_Vectorcall(
                callable.as_ptr(),
                pointers.as_ptr(),
                positional,
                keywords.as_ptr(),
            )),
        )
    }
}

/// `callable(*args, **kwargs)` for an args tuple and a dict.
pub fn call_dict<'py>(
    callable: &Obj<'py>,
    args: &Obj<'py>,
    kwargs: Option<&Obj<'py>>,
) -> Res<Obj<'py>> {
    // SAFETY: all objects are alive; `args` is a tuple, `kwargs` a dict or null.
    unsafe {
        owned(
            callable.py(),
            python!(c::PyObject_Call(
                callable.as_ptr(),
                args.as_ptr(),
                kwargs.map_or(ptr::null_mut(), pyo3::Bound::as_ptr),
            )),
        )
    }
}

/// `obj` and its arguments as vectorcall wants them: the slot in front is the callee's to scribble on
/// (`PY_VECTORCALL_ARGUMENTS_OFFSET`).
#[repr(C)]
struct Stack<const N: usize> {
    scratch: *mut ffi::PyObject,
    obj: *mut ffi::PyObject,
    args: [*mut ffi::PyObject; N],
}

impl<const N: usize> Stack<N> {
    #[inline]
    fn new(obj: &Obj<'_>, args: [&Obj<'_>; N]) -> Self {
        Stack {
            scratch: ptr::null_mut(),
            obj: obj.as_ptr(),
            args: args.map(pyo3::Bound::as_ptr),
        }
    }

    /// The first argument. All of the stack may be reached from it, the slot in front included.
    #[inline]
    fn first(&mut self) -> *const *mut ffi::PyObject {
        // SAFETY: within the stack, which has no padding: nothing but pointers.
        unsafe { ptr::from_mut(self).cast::<*mut ffi::PyObject>().add(1) }
    }
}

/// A vectorcall entry, through which a thread that is ended by force may unwind.
type Entry = unsafe extern "C-unwind" fn(
    *mut ffi::PyObject,
    *const *mut ffi::PyObject,
    usize,
    *mut ffi::PyObject,
) -> *mut ffi::PyObject;

/// The entry of a callable, read where its type says it stands; as `PyVectorcall_Function`, without a call.
///
/// # Safety
/// A live object.
#[inline]
unsafe fn vectorcall_of(callable: *mut ffi::PyObject) -> Option<ffi::vectorcallfunc> {
    // SAFETY: a type with the flag has the offset of a pointer in its instances, null or a function.
    unsafe {
        let kind = ffi::Py_TYPE(callable);
        if ffi::PyType_HasFeature(kind, ffi::Py_TPFLAGS_HAVE_VECTORCALL) == 0 {
            return None;
        }
        callable
            .byte_offset((*kind).tp_vectorcall_offset)
            .cast::<Option<ffi::vectorcallfunc>>()
            .read()
    }
}

/// `function(obj, *args)`, for a Python function: what `PyObject_Vectorcall` does, without its look at the result.
#[inline]
pub fn call_on<'py, const N: usize>(
    function: &Obj<'py>,
    obj: &Obj<'py>,
    args: [&Obj<'py>; N],
) -> Res<Obj<'py>> {
    let mut stack = Stack::new(obj, args);
    let (function, count) = (
        function.as_ptr(),
        (N + 1) | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET,
    );
    // SAFETY: the stack outlives the call, holds live objects, and owns the slot before its first argument; an entry differs
    // from an `Entry` only in what the compiler assumes of unwinding.
    unsafe {
        let first = stack.first();
        let result = if let Some(entry) = vectorcall_of(function) {
            let entry: Entry = std::mem::transmute(entry);
            python!(entry(function, first, count, ptr::null_mut()))
        } else {
            python!(c::PyObject_Vectorcall(
                function,
                first,
                count,
                ptr::null_mut()
            ))
        };
        owned(obj.py(), result)
    }
}

/// `obj.name(*args)`
#[inline]
pub fn method<'py, const N: usize>(
    obj: &Obj<'py>,
    name: Name,
    args: [&Obj<'py>; N],
) -> Res<Obj<'py>> {
    let py = obj.py();
    let mut stack = Stack::new(obj, args);
    // SAFETY: the stack outlives the call, holds live objects, and owns the slot before its first argument.
    unsafe {
        owned(
            py,
            python!(c::PyObject_VectorcallMethod(
                name.object(py).as_ptr(),
                stack.first(),
                (N + 1) | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET,
                ptr::null_mut(),
            )),
        )
    }
}

/// `obj.name(*args, **keywords)`: `args` holds the values of `keywords` (a tuple of names) at its end.
pub fn method_keywords<'py>(
    obj: &Obj<'py>,
    name: Name,
    args: &[&Obj<'py>],
    keywords: Option<&Obj<'py>>,
) -> Res<Obj<'py>> {
    let bound = getattr(obj, name)?;
    call_keywords(&bound, args, keywords)
}

/// Runs Python's handlers of the signals that came, if this is the main thread: what one of them raises is the error.
pub fn check_signals(py: Python<'_>) -> Res<()> {
    let _ = py;
    // SAFETY: attached.
    done(unsafe { python!(c::PyErr_CheckSignals()) })
}
