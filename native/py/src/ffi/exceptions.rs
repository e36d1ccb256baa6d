//! Exceptions, their classes and their tracebacks, read from the interpreter's public structures; functions and their parts.
//!
//! Without a GIL the interpreter's own setters exchange a field of an exception or a traceback while they hold the object's lock, and
//! the parts of a function and the bases of a class while all other threads stand still (3.14: `Objects/exceptions.c`,
//! `Python/traceback.c`, `Python/structmember.c`, `Objects/funcobject.c`, `Objects/typeobject.c`). So a field is read, and owned, with
//! the lock held (`undisturbed`); what is exchanged while all stand still is whole to a thread that runs, and owned before it can stop.
#[cfg(not(Py_GIL_DISABLED))]
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

use super::{Forever, Obj, dict_get, undisturbed};
use crate::names::Name;
use crate::raw;

/// One entry of a traceback.
pub struct TraceEntry<'py> {
    /// `tb_frame`
    pub frame: Obj<'py>,
    /// `tb_lasti`
    pub offset: i32,
    /// The line kept in the entry; -1 where the interpreter works it out when asked.
    pub line: i32,
    /// `tb_next`
    pub next: Option<Obj<'py>>,
}

/// What a traceback holds; `None` for any other object.
pub fn trace_entry<'py>(trace: &Obj<'py>) -> Option<TraceEntry<'py>> {
    let py = trace.py();
    // SAFETY: the fields are read only where it is exactly a traceback; the collector may have cleared its frame. Borrowed
    // objects are owned at once. Nobody exchanges frame, offset and line of a traceback that somebody has; `tb_next` may be
    // assigned, with the lock held.
    unsafe {
        if ffi::Py_TYPE(trace.as_ptr()) != &raw mut ffi::PyTraceBack_Type {
            return None;
        }
        let entry = trace.as_ptr().cast::<ffi::PyTracebackObject>();
        Some(TraceEntry {
            frame: Bound::from_borrowed_ptr_or_opt(py, (*entry).tb_frame.cast())?,
            offset: (*entry).tb_lasti,
            line: (*entry).tb_lineno,
            next: undisturbed(trace, || {
                Bound::from_borrowed_ptr_or_opt(py, (*entry).tb_next.cast())
            }),
        })
    }
}

/// `frame.f_lineno`; -1 for `None`.
pub fn frame_line(frame: &Obj<'_>) -> i32 {
    // SAFETY: a frame.
    unsafe { ffi::PyFrame_GetLineNumber(frame.as_ptr().cast()) }
}

/// What an exception says of the one before it.
pub struct Links<'py> {
    /// `__cause__`
    pub cause: Option<Obj<'py>>,
    /// `__context__`
    pub context: Option<Obj<'py>>,
    /// `__suppress_context__`
    pub suppressed: bool,
}

/// The exceptions linked to this one.
pub fn links<'py>(exception: &Obj<'py>) -> Links<'py> {
    debug_assert!(super::is_exception(exception));
    let py = exception.py();
    // SAFETY: an exception; both calls take its lock and give owned references or null. The flag is one byte of the structure,
    // which is written atomically.
    unsafe {
        let fields = exception.as_ptr().cast::<ffi::PyBaseExceptionObject>();
        Links {
            cause: Bound::from_owned_ptr_or_opt(py, ffi::PyException_GetCause(exception.as_ptr())),
            context: Bound::from_owned_ptr_or_opt(
                py,
                ffi::PyException_GetContext(exception.as_ptr()),
            ),
            suppressed: AtomicU8::from_ptr((&raw mut (*fields).suppress_context).cast())
                .load(Ordering::Relaxed)
                != 0,
        }
    }
}

/// `exception.args`, the field that `str(exception)` reads.
pub fn exception_args<'py>(exception: &Obj<'py>) -> Option<Obj<'py>> {
    debug_assert!(super::is_exception(exception));
    // SAFETY: an exception; the borrowed tuple is owned at once, with the lock held.
    undisturbed(exception, || unsafe {
        let fields = exception.as_ptr().cast::<ffi::PyBaseExceptionObject>();
        Bound::from_borrowed_ptr_or_opt(exception.py(), (*fields).args)
    })
}

/// Has the exception an attribute of its own of that name? No dict is made for the question.
pub fn exception_carries(exception: &Obj<'_>, name: Name) -> bool {
    debug_assert!(super::is_exception(exception));
    let py = exception.py();
    // SAFETY: an exception; the dict is borrowed and owned at once, with the lock held.
    let own = undisturbed(exception, || unsafe {
        let fields = exception.as_ptr().cast::<ffi::PyBaseExceptionObject>();
        Bound::from_borrowed_ptr_or_opt(py, (*fields).dict)
    });
    own.is_some_and(|own| {
        dict_get(&own, &name.object(py)).map_or_else(
            |raised| {
                raised.clear(py);
                true
            },
            |found| found.is_some(),
        )
    })
}

/// `errno`, `strerror`, `filename` and `filename2`, the fields that `str` of an `OSError` reads; those that are set.
pub fn os_error_fields<'py>(exception: &Obj<'py>) -> [Option<Obj<'py>>; 4] {
    let py = exception.py();
    // SAFETY: callers have seen that the class derives from OSError (`ClassKind::Os`): so does any that may take its place in the
    // object. Borrowed fields are owned at once, with the lock held.
    undisturbed(exception, || unsafe {
        let fields = exception.as_ptr().cast::<ffi::PyOSErrorObject>();
        [
            (*fields).myerrno,
            (*fields).strerror,
            (*fields).filename,
            (*fields).filename2,
        ]
        .map(|field| Bound::from_borrowed_ptr_or_opt(py, field))
    })
}

/// How the last lines of an exception's text come about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ClassKind {
    /// The interpreter's own C code makes the message, from `args`.
    Base,
    /// As `KeyError`: the `repr` of a single argument.
    Key,
    /// As `OSError`, from its fields.
    Os,
    /// Python code may run, or `traceback` has a form of its own for it.
    Asked,
    /// The same, and `traceback` looks into the frame where it was raised or what it was raised about, for a suggestion.
    Suggesting,
}

/// What the class of an exception says of how `traceback` shows its instances: `Some` where reading the links to other
/// exceptions and testing its truth runs no Python code, and it is no group.
pub fn exception_class_kind(class: &Obj<'_>) -> Option<ClassKind> {
    const LINKS: [Name; 5] = [
        Name::__cause__,
        Name::__context__,
        Name::__suppress_context__,
        Name::__traceback__,
        Name::__class__,
    ];
    let py = class.py();
    // SAFETY: a class deriving from BaseException (only its slots and what its lookup finds are compared); the interpreter's
    // exception classes live for ever.
    unsafe {
        let is_type = ffi::Py_TYPE(class.as_ptr()) == &raw mut ffi::PyType_Type;
        let class = class.as_ptr().cast::<ffi::PyTypeObject>();
        let derives = |kind: *mut ffi::PyObject| ffi::PyType_IsSubtype(class, kind.cast()) != 0;
        let base = ffi::PyExc_BaseException.cast::<ffi::PyTypeObject>();
        let found = |class, name: Name| raw::lookup(class, name.object(py).as_ptr());
        let truth = (*class).tp_as_number;
        let sequence = (*class).tp_as_sequence;
        let mapping = (*class).tp_as_mapping;
        if !raw::has_plain_getattro(class)
            || LINKS
                .iter()
                .any(|name| found(class, *name) != found(base, *name))
            || !found(class, Name::__notes__).is_null()
            || (!truth.is_null() && (*truth).nb_bool.is_some())
            || (!sequence.is_null() && (*sequence).sq_length.is_some())
            || (!mapping.is_null() && (*mapping).mp_length.is_some())
            || derives(ffi::PyExc_BaseExceptionGroup)
        {
            return None;
        }
        let suggesting = [
            ffi::PyExc_NameError,
            ffi::PyExc_AttributeError,
            ffi::PyExc_ImportError,
        ];
        if suggesting.into_iter().any(derives) {
            return Some(ClassKind::Suggesting);
        }
        let text =
            |class: *mut ffi::PyTypeObject| (*class).tp_str.map(|function| function as usize);
        let (key, os) = (ffi::PyExc_KeyError, ffi::PyExc_OSError);
        Some(if !is_type || derives(ffi::PyExc_SyntaxError) {
            ClassKind::Asked
        } else if text(class) == text(base) {
            ClassKind::Base
        } else if text(class) == text(key.cast()) && derives(key) {
            ClassKind::Key
        } else if text(class) == text(os.cast()) && derives(os) {
            ClassKind::Os
        } else {
            ClassKind::Asked
        })
    }
}

/// The version tag of a class; 0 when it has none and can get none.
pub fn class_tag(class: &Obj<'_>) -> u32 {
    match class_tag_now(class) {
        // SAFETY: callers pass classes.
        0 => unsafe { raw::assign_tag(class.as_ptr().cast()) },
        tag => tag,
    }
}

/// The version tag a class has now, 0 if none; nothing is assigned and nobody waited for.
#[inline]
pub fn class_tag_now(class: &Obj<'_>) -> u32 {
    // SAFETY: callers pass classes.
    unsafe { raw::type_tag(class.as_ptr().cast()) }
}

/// [`class_tag`], not while the class is being changed: what is seen of the class afterwards is at least as new as its tag, and what was
/// seen before is no newer. (Assigning a tag takes the lock that is held from the loss of the tag, or the change before it, on.)
pub fn settled_class_tag(class: &Obj<'_>) -> u32 {
    // SAFETY: callers pass classes.
    unsafe { raw::assign_tag(class.as_ptr().cast()) }
}

/// Is `obj` a class?
pub fn is_class(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::PyType_Check(obj.as_ptr()) != 0 }
}

/// Is `obj` exactly a module, so that its attributes are its globals?
#[inline]
pub fn is_module(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::PyModule_CheckExact(obj.as_ptr()) != 0 }
}

/// The tuple of a class's bases, to be compared.
pub fn class_bases(class: &Obj<'_>) -> *mut ffi::PyObject {
    debug_assert!(is_class(class));
    // SAFETY: callers pass classes.
    unsafe { (*class.as_ptr().cast::<ffi::PyTypeObject>()).tp_bases }
}

/// Is `obj` exactly a Python function?
pub fn is_function(obj: &Obj<'_>) -> bool {
    // SAFETY: alive.
    unsafe { ffi::Py_TYPE(obj.as_ptr()) == &raw mut ffi::PyFunction_Type }
}

/// Is this a Python function that has been given no attributes, so that it has those of all functions and no others?
#[inline]
pub fn is_bare_function(obj: &Obj<'_>) -> bool {
    // Without a GIL another thread may give it some meanwhile.
    if cfg!(Py_GIL_DISABLED) || !is_function(obj) {
        return false;
    }
    // SAFETY: a live object, whose type says where the pointer to its dict stands.
    unsafe {
        let at = (*ffi::Py_TYPE(obj.as_ptr())).tp_dictoffset;
        at > 0
            && obj
                .as_ptr()
                .byte_offset(at)
                .cast::<*mut ffi::PyObject>()
                .read()
                .is_null()
    }
}

/// What a Python function runs: its code, its defaults, its keyword defaults.
pub type FunctionParts = [Option<Forever>; 3];

/// The parts of a Python function as they are now, kept for ever.
pub fn keep_parts(function: &Obj<'_>) -> FunctionParts {
    let py = function.py();
    // SAFETY: borrowed from the function, which loses none of them before they are owned: see the module.
    parts(function)
        .map(|part| unsafe { Bound::from_borrowed_ptr_or_opt(py, part).map(Forever::new) })
}

/// Does a Python function still run these parts?
#[inline]
pub fn runs(function: &Obj<'_>, kept: &FunctionParts) -> bool {
    let now = parts(function);
    let address = |part: Option<Forever>| part.map_or(std::ptr::null_mut(), Forever::address);
    now == kept.map(address)
}

/// Null for what it has not.
#[inline]
fn parts(function: &Obj<'_>) -> [*mut ffi::PyObject; 3] {
    debug_assert!(is_function(function));
    // SAFETY: callers pass exact functions.
    unsafe {
        [
            ffi::PyFunction_GetCode(function.as_ptr()),
            ffi::PyFunction_GetDefaults(function.as_ptr()),
            ffi::PyFunction_GetKwDefaults(function.as_ptr()),
        ]
    }
}

/// Is item `index` of a list at this address, null: is the list shorter? Whoever has the address holds what is there.
#[inline]
pub fn list_holds(list: &Obj<'_>, index: usize, address: *mut ffi::PyObject) -> bool {
    debug_assert!(super::is_list(list));
    // Another thread may move the items while one is looked at: it is, with a reference of its own.
    #[cfg(Py_GIL_DISABLED)]
    return match super::list_item(list, index) {
        Some(item) => item.as_ptr() == address,
        None => address.is_null(),
    };
    // SAFETY: a list, and the index is within it.
    #[cfg(not(Py_GIL_DISABLED))]
    unsafe {
        let item = if index < ffi::PyList_GET_SIZE(list.as_ptr()) as usize {
            ffi::PyList_GET_ITEM(list.as_ptr(), index as isize)
        } else {
            ptr::null_mut()
        };
        item == address
    }
}
