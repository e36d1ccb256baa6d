//! Truth, comparison and the other operators.
use std::ffi::c_int;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

use super::{
    Obj, Raised, Res, ascii_of, c, call, done, is_bool, join_ascii, owned, python, text_from,
};

/// `bool(obj)`
#[inline]
pub fn truthy(obj: &Obj<'_>) -> Res<bool> {
    // The three usual answers without a call.
    // SAFETY: the singletons' addresses are only compared.
    unsafe {
        if obj.as_ptr() == ffi::Py_True() {
            return Ok(true);
        }
        if obj.as_ptr() == ffi::Py_False() || obj.as_ptr() == ffi::Py_None() {
            return Ok(false);
        }
    }
    any_truthy(obj)
}

/// Is the object true because its type says nothing of truth or length?
#[inline]
pub fn is_true_as_any_object(obj: &Obj<'_>) -> bool {
    // SAFETY: the type of a live object.
    unsafe { makes_true_objects(ffi::Py_TYPE(obj.as_ptr())) }
}

/// The same of all objects of a type.
///
/// # Safety
/// A live type.
#[inline]
pub unsafe fn makes_true_objects(kind: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: the slots of a live type are only compared with null.
    unsafe {
        let (number, mapping, sequence) = (
            (*kind).tp_as_number,
            (*kind).tp_as_mapping,
            (*kind).tp_as_sequence,
        );
        (number.is_null() || (*number).nb_bool.is_none())
            && (mapping.is_null() || (*mapping).mp_length.is_none())
            && (sequence.is_null() || (*sequence).sq_length.is_none())
    }
}

#[inline(never)]
fn any_truthy(obj: &Obj<'_>) -> Res<bool> {
    if is_true_as_any_object(obj) {
        return Ok(true);
    }
    // SAFETY: `obj` is alive.
    match unsafe { python!(c::PyObject_IsTrue(obj.as_ptr())) } {
        -1 => Err(Raised(())),
        truth => Ok(truth == 1),
    }
}

/// `bool(left >= right)`
#[inline]
pub fn ge(left: &Obj<'_>, right: &Obj<'_>) -> Res<bool> {
    if let (Some(left), Some(right)) = (crate::raw::small_int(left), crate::raw::small_int(right)) {
        return Ok(left >= right);
    }
    compare(left, right, ffi::Py_GE)
}

/// `bool(left == right)`, identical objects being equal (as `in` and list search see it).
pub fn eq(left: &Obj<'_>, right: &Obj<'_>) -> Res<bool> {
    compare(left, right, ffi::Py_EQ)
}

fn compare(left: &Obj<'_>, right: &Obj<'_>, operator: c_int) -> Res<bool> {
    // SAFETY: both are alive. `>=` of identical objects must still ask the type, so RichCompareBool serves only `==`.
    unsafe {
        if operator == ffi::Py_EQ {
            return match python!(c::PyObject_RichCompareBool(
                left.as_ptr(),
                right.as_ptr(),
                operator
            )) {
                -1 => Err(Raised(())),
                truth => Ok(truth == 1),
            };
        }
        let answer = owned(
            left.py(),
            python!(c::PyObject_RichCompare(
                left.as_ptr(),
                right.as_ptr(),
                operator
            )),
        )?;
        truthy(&answer)
    }
}

/// `item in container`
pub fn contains(container: &Obj<'_>, item: &Obj<'_>) -> Res<bool> {
    // SAFETY: both are alive.
    match unsafe { python!(c::PySequence_Contains(container.as_ptr(), item.as_ptr())) } {
        -1 => Err(Raised(())),
        truth => Ok(truth == 1),
    }
}

/// `left != right` as a condition.
pub fn ne<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<bool> {
    operator_truth(left, right, ffi::Py_NE)
}

/// `left > right` as a condition.
pub fn gt<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<bool> {
    operator_truth(left, right, ffi::Py_GT)
}

fn operator_truth<'py>(left: &Obj<'py>, right: &Obj<'py>, operator: c_int) -> Res<bool> {
    // SAFETY: both are alive.
    let answer = unsafe {
        owned(
            left.py(),
            python!(c::PyObject_RichCompare(
                left.as_ptr(),
                right.as_ptr(),
                operator
            )),
        )?
    };
    truthy(&answer)
}

/// `issubclass(class, base)`
pub fn issubclass(class: &Obj<'_>, base: &Obj<'_>) -> Res<bool> {
    // SAFETY: both are alive.
    match unsafe { python!(c::PyObject_IsSubclass(class.as_ptr(), base.as_ptr())) } {
        -1 => Err(Raised(())),
        truth => Ok(truth == 1),
    }
}

/// Is the object's type the class or derived from it, whatever its `__class__` says?
pub fn derives(obj: &Obj<'_>, class: &Obj<'_>) -> bool {
    // SAFETY: both are alive; the type of a class is compared before the class is used as one.
    unsafe {
        ffi::PyType_Check(class.as_ptr()) != 0
            && ffi::PyType_IsSubtype(ffi::Py_TYPE(obj.as_ptr()), class.as_ptr().cast()) != 0
    }
}

/// `isinstance(obj, class)`
pub fn isinstance(obj: &Obj<'_>, class: &Obj<'_>) -> Res<bool> {
    // SAFETY: both are alive; the type of a class is compared before the class is used as one.
    unsafe {
        let kind = ffi::Py_TYPE(obj.as_ptr());
        if kind.cast() == class.as_ptr() {
            return Ok(true);
        }
        // What filters answer; nobody else's `__class__` is certain. 40 instructions of 320.
        if is_bool(obj) && ffi::Py_TYPE(class.as_ptr()) == &raw mut ffi::PyType_Type {
            return Ok(ffi::PyType_IsSubtype(kind, class.as_ptr().cast()) != 0);
        }
        match python!(c::PyObject_IsInstance(obj.as_ptr(), class.as_ptr())) {
            -1 => Err(Raised(())),
            truth => Ok(truth == 1),
        }
    }
}

/// `obj[key]`
pub fn get_item<'py>(obj: &Obj<'py>, key: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: both are alive; owned result or null with an exception.
    unsafe {
        owned(
            obj.py(),
            python!(c::PyObject_GetItem(obj.as_ptr(), key.as_ptr())),
        )
    }
}

/// `obj[key] = value`
pub fn set_item<'py>(obj: &Obj<'py>, key: &Obj<'py>, value: &Obj<'py>) -> Res<()> {
    // SAFETY: all three are alive.
    done(unsafe {
        python!(c::PyObject_SetItem(
            obj.as_ptr(),
            key.as_ptr(),
            value.as_ptr()
        ))
    })
}

/// `del obj[key]`
pub fn del_item<'py>(obj: &Obj<'py>, key: &Obj<'py>) -> Res<()> {
    // SAFETY: both are alive.
    done(unsafe { python!(c::PyObject_DelItem(obj.as_ptr(), key.as_ptr())) })
}

/// `left + right`
pub fn add<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: both are alive.
    unsafe {
        owned(
            left.py(),
            python!(c::PyNumber_Add(left.as_ptr(), right.as_ptr())),
        )
    }
}

/// `left + right` of what nearly always are two short ASCII texts: copied here, which takes 200 instructions less.
pub fn add_text<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<Obj<'py>> {
    match (ascii_of(left), ascii_of(right)) {
        // With nothing to add the interpreter gives the other text itself.
        (Some(first), Some(last)) if !first.is_empty() && !last.is_empty() => {
            join_ascii(left.py(), first, last)
        }
        _ => add(left, right),
    }
}

/// `left - right`
pub fn sub<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: both are alive.
    unsafe {
        owned(
            left.py(),
            python!(c::PyNumber_Subtract(left.as_ptr(), right.as_ptr())),
        )
    }
}

/// `left * right`
#[cfg(not(Py_3_13))]
pub fn mul<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: both are alive.
    unsafe {
        owned(
            left.py(),
            python!(c::PyNumber_Multiply(left.as_ptr(), right.as_ptr())),
        )
    }
}

/// `left / right`
#[cfg(Py_3_13)]
pub fn div<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: both are alive.
    unsafe {
        owned(
            left.py(),
            python!(c::PyNumber_TrueDivide(left.as_ptr(), right.as_ptr())),
        )
    }
}

/// `left // right`
#[cfg(Py_3_13)]
pub fn floor_div<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: both are alive.
    unsafe {
        owned(
            left.py(),
            python!(c::PyNumber_FloorDivide(left.as_ptr(), right.as_ptr())),
        )
    }
}

/// `int(obj)`
pub fn int<'py>(obj: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: alive.
    unsafe { owned(obj.py(), python!(c::PyNumber_Long(obj.as_ptr()))) }
}

/// `import name`, the module itself.
pub fn import<'py>(py: Python<'py>, name: &str) -> Res<Obj<'py>> {
    let name = text_from(py, name)?;
    // SAFETY: attached; `name` is a str.
    unsafe { owned(py, python!(c::PyImport_Import(name.as_ptr()))) }
}

/// The C entry of a built-in function; 0 for anything else.
///
/// time-machine replaces the entry inside the function object, so the object's identity alone does not tell.
#[inline]
pub fn builtin_entry(obj: &Obj<'_>) -> usize {
    // SAFETY: alive.
    if unsafe { ffi::PyCFunction_CheckExact(obj.as_ptr()) } == 0 {
        return 0;
    }
    entry_of_builtin(obj)
}

/// The same of what is known to be a built-in function.
#[inline]
pub fn entry_of_builtin(function: &Obj<'_>) -> usize {
    // SAFETY: callers pass built-in functions; every member of the union is a pointer.
    unsafe {
        debug_assert!(ffi::PyCFunction_CheckExact(function.as_ptr()) != 0);
        (&raw const (*(*function.as_ptr().cast::<ffi::PyCFunctionObject>()).m_ml).ml_meth)
            .cast::<usize>()
            .read()
    }
}

/// `left % right`
pub fn remainder<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: both are alive.
    unsafe {
        owned(
            left.py(),
            python!(c::PyNumber_Remainder(left.as_ptr(), right.as_ptr())),
        )
    }
}

/// `left | right`
pub fn or<'py>(left: &Obj<'py>, right: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: both are alive.
    unsafe {
        owned(
            left.py(),
            python!(c::PyNumber_Or(left.as_ptr(), right.as_ptr())),
        )
    }
}

/// `str(obj)`
#[inline]
pub fn str<'py>(obj: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: alive; an exact str is handed back as it is.
    unsafe { owned(obj.py(), python!(c::PyObject_Str(obj.as_ptr()))) }
}

/// `repr(obj)`
pub fn repr<'py>(obj: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: alive.
    unsafe { owned(obj.py(), python!(c::PyObject_Repr(obj.as_ptr()))) }
}

/// `len(obj)`
pub fn len(obj: &Obj<'_>) -> Res<usize> {
    // SAFETY: alive.
    usize::try_from(unsafe { python!(c::PyObject_Size(obj.as_ptr())) }).map_err(|_| Raised(()))
}

/// `hash(obj)`
pub fn hash(obj: &Obj<'_>) -> Res<isize> {
    // SAFETY: alive.
    match unsafe { python!(c::PyObject_Hash(obj.as_ptr())) } {
        -1 => Err(Raised(())),
        hash => Ok(hash),
    }
}

/// `iter(obj)`
pub fn iter<'py>(obj: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: alive.
    unsafe { owned(obj.py(), python!(c::PyObject_GetIter(obj.as_ptr()))) }
}

/// `next(iterator)`; `None` at its end.
pub fn next<'py>(iterator: &Obj<'py>) -> Res<Option<Obj<'py>>> {
    // SAFETY: `iterator` came from `iter`, so it has `__next__`; null without an exception is the end.
    unsafe {
        let item = python!(c::PyIter_Next(iterator.as_ptr()));
        if item.is_null() && !ffi::PyErr_Occurred().is_null() {
            return Err(Raised(()));
        }
        Ok(Bound::from_owned_ptr_or_opt(iterator.py(), item))
    }
}

/// `obj[start:stop]`; `None` stands for a bound that is left out.
pub fn slice<'py>(
    obj: &Obj<'py>,
    start: Option<&Obj<'py>>,
    stop: Option<&Obj<'py>>,
) -> Res<Obj<'py>> {
    let bound = |bound: Option<&Obj<'py>>| bound.map_or(ptr::null_mut(), Bound::as_ptr);
    // SAFETY: all are alive; null stands for a missing bound.
    let slice = unsafe {
        owned(
            obj.py(),
            ffi::PySlice_New(bound(start), bound(stop), ptr::null_mut()),
        )?
    };
    get_item(obj, &slice)
}

/// `separator.join(parts)` for a str separator.
pub fn join<'py>(separator: &str, parts: &Obj<'py>) -> Res<Obj<'py>> {
    let separator = text_from(parts.py(), separator)?;
    // SAFETY: both are alive, `separator` is a str.
    unsafe {
        owned(
            parts.py(),
            ffi::PyUnicode_Join(separator.as_ptr(), parts.as_ptr()),
        )
    }
}

/// `reversed(sequence)`
pub fn reversed<'py>(sequence: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: the type lives for ever; borrowed only for the call.
    let class =
        unsafe { Bound::from_borrowed_ptr(sequence.py(), (&raw mut ffi::PyReversed_Type).cast()) };
    call(&class, &[sequence])
}
