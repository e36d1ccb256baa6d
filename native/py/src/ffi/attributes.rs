//! Attributes of objects and of their types.
use pyo3::ffi;

use super::{Obj, Res, c, done, owned, python};
use crate::names::Name;

/// `obj.name`
#[inline]
pub fn getattr<'py>(obj: &Obj<'py>, name: Name) -> Res<Obj<'py>> {
    let py = obj.py();
    // SAFETY: both objects are alive; the result is owned or null with an exception.
    unsafe {
        owned(
            py,
            python!(c::PyObject_GetAttr(obj.as_ptr(), name.object(py).as_ptr())),
        )
    }
}

/// `obj.name`, or `None` where that raises `AttributeError` (as `hasattr` and `getattr` with a default see it).
pub fn getattr_opt<'py>(obj: &Obj<'py>, name: Name) -> Res<Option<Obj<'py>>> {
    getattr_opt_by(obj, &name.object(obj.py()))
}

/// What `obj.name(…)` would call: `obj.name`, or (and true) the function of the class that would get `obj` as its first
/// argument, for which no bound method is made. A third of the cost of making one.
pub fn callee<'py>(obj: &Obj<'py>, name: Name) -> Res<(Obj<'py>, bool)> {
    unsafe extern "C-unwind" {
        fn _PyObject_GetMethod(
            obj: *mut ffi::PyObject,
            name: *mut ffi::PyObject,
            method: *mut *mut ffi::PyObject,
        ) -> std::ffi::c_int;
    }
    let py = obj.py();
    let mut found = std::ptr::null_mut();
    // SAFETY: both objects are alive; `found` is owned or null with an exception.
    unsafe {
        let unbound = python!(_PyObject_GetMethod(
            obj.as_ptr(),
            name.object(py).as_ptr(),
            &raw mut found
        ));
        Ok((owned(py, found)?, unbound == 1))
    }
}

/// [`getattr_opt`] by a str that is no [`Name`]. Where the interpreter's plain lookup finds nothing, no exception is made.
pub fn getattr_opt_by<'py>(obj: &Obj<'py>, name: &Obj<'py>) -> Res<Option<Obj<'py>>> {
    unsafe extern "C-unwind" {
        #[cfg_attr(not(Py_3_13), link_name = "_PyObject_LookupAttr")]
        fn PyObject_GetOptionalAttr(
            obj: *mut ffi::PyObject,
            name: *mut ffi::PyObject,
            result: *mut *mut ffi::PyObject,
        ) -> std::ffi::c_int;
    }
    let py = obj.py();
    let mut found = std::ptr::null_mut();
    // SAFETY: both objects are alive; `found` is owned or null, with an exception where the result is negative.
    unsafe {
        match python!(PyObject_GetOptionalAttr(
            obj.as_ptr(),
            name.as_ptr(),
            &raw mut found
        )) {
            0 => Ok(None),
            _ => owned(py, found).map(Some),
        }
    }
}

/// `obj.name = value`
#[inline]
pub fn setattr<'py>(obj: &Obj<'py>, name: Name, value: &Obj<'py>) -> Res<()> {
    // SAFETY: the three objects are alive.
    done(unsafe {
        python!(c::PyObject_SetAttr(
            obj.as_ptr(),
            name.object(obj.py()).as_ptr(),
            value.as_ptr()
        ))
    })
}

/// What `type(obj)` itself says of `name`: no instance attribute, no `__getattr__`, no descriptor call.
pub fn type_attr<'py>(obj: &Obj<'py>, name: Name) -> Option<Obj<'py>> {
    let py = obj.py();
    // SAFETY: the type is alive while `obj` is; the name is interned.
    unsafe { crate::raw::lookup_owned(py, ffi::Py_TYPE(obj.as_ptr()), name.object(py).as_ptr()) }
}

/// Does the type of `obj` make it a descriptor, so that reading it as a class attribute may run code?
pub fn is_descriptor(obj: &Obj<'_>) -> bool {
    // SAFETY: the slots of a live object's type are read.
    unsafe {
        let kind = ffi::Py_TYPE(obj.as_ptr());
        (*kind).tp_descr_get.is_some() || (*kind).tp_descr_set.is_some()
    }
}
