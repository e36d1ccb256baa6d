//! Hidden functions of the extension module that show the raw reads to `tests/test_raw.py`, on the tests' own objects.
use super::frames::Frames;
use super::instance::{self, NO_INDEX};
use super::selftest::{
    dict_of, has_values, index_of, managed, read, run_all, small_table_entry, type_of,
};
use super::{rlock, scalar, textio, types, watch::Watch};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString, PyTuple, PyType};
use pyo3::{Borrowed, ffi, intern};

/// Every check of the self-test by name, as it comes out now; empty where the public twin is at work.
#[pyfunction]
pub fn _raw_selftest(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let results = PyDict::new(py);
    if !super::enabled() {
        return Ok(results);
    }
    let mut failed = Vec::new();
    let mut names = Vec::new();
    run_all(py, &mut |name, ok| {
        names.push(name);
        if !ok {
            failed.push(name);
        }
        ok
    })?;
    for name in names {
        results.set_item(name, !failed.contains(&name))?;
    }
    Ok(results)
}

/// One raw operation on the test's objects.
#[pyfunction]
#[pyo3(signature = (operation, *args))]
pub fn _raw_probe<'py>(operation: &str, args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
    let py = args.py();
    let object = |n: usize| args.get_item(n);
    let known = match operation {
        "layout" => Some(pair(py, super::layout_name(), super::refusal())?),
        "frames" => Some(sites(py, super::frames(py))?),
        "frames_public" => Some(sites(py, Frames::public(py))?),
        "caller" => match super::caller(py) {
            Some((code, at)) => Some(pair(py, code.to_owned(), at)?),
            None => None,
        },
        "int" => Some(scalar::small_int(&object(0)?).into_pyobject(py)?),
        "ascii" => Some(scalar::ascii(object(0)?.as_borrowed()).into_pyobject(py)?),
        "watch" => Some(watched(&object(0)?, &object(1)?)?),
        "panic" => panic!("on purpose"),
        _ => None,
    };
    match known {
        Some(answer) => Ok(answer),
        None => of_objects(operation, args),
    }
}

fn of_objects<'py>(operation: &str, args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
    let py = args.py();
    let first = args.get_item(0)?;
    let name = || {
        args.get_item(1)?
            .cast_into::<PyString>()
            .map_err(PyErr::from)
    };
    match operation {
        "tag" => tag(&first),
        "form" => pair(py, has_values(&first), !dict_of(&first).is_null()),
        // SAFETY: borrowed from the object; a reference is taken before anything else runs.
        "get" => Ok(unsafe { owned(py, read(&first, &interned(&name()?))?) }),
        "new" => filled(first.cast()?, &args.get_item(1)?, &args.get_item(2)?),
        "set" => Ok(set(&first, &interned(&name()?), args.get_item(2)?)),
        "level" => {
            let entry = small_table_entry(first.cast()?, args.get_item(1)?.extract()?);
            // SAFETY: as for "get".
            Ok(unsafe { owned(py, entry) })
        }
        "prepare" => textio::prepare(&first).map(|()| py.None().into_bound(py)),
        "idle" => idle(&first),
        "appends" => Ok(match textio::idle(&first) {
            textio::Idle::Yes(file) => boolean(py, file.appends),
            _ => py.None().into_bound(py),
        }),
        "lock_free" | "acquire" | "release" => Ok(lock(operation, &first)),
        _ => Err(PyValueError::new_err("no such probe")),
    }
}

fn pair<'py>(
    py: Python<'py>,
    first: impl IntoPyObject<'py>,
    second: impl IntoPyObject<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    Ok((first, second).into_pyobject(py)?.into_any())
}

fn sites<'py>(py: Python<'py>, frames: Frames<'py>) -> PyResult<Bound<'py, PyAny>> {
    let sites: Vec<_> = frames.map(|(code, at)| (code.to_owned(), at)).collect();
    Ok(PyList::new(py, sites)?.into_any())
}

fn boolean(py: Python<'_>, value: bool) -> Bound<'_, PyAny> {
    PyBool::new(py, value).to_owned().into_any()
}

/// # Safety
/// `ptr` is null or a live object.
unsafe fn owned(py: Python<'_>, ptr: *mut ffi::PyObject) -> Bound<'_, PyAny> {
    // SAFETY: the caller's promise.
    unsafe { Borrowed::from_ptr_or_opt(py, ptr) }
        .map_or_else(|| py.None().into_bound(py), Borrowed::to_owned)
}

fn tag<'py>(class: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let class = class.cast::<PyType>()?;
    // SAFETY: a live class.
    let tag = unsafe { types::assign_tag(class.as_type_ptr()) };
    Ok(tag.into_pyobject(class.py())?.into_any())
}

/// An instance of a plain class with the named attributes set in place; `None` where that cannot be done.
fn filled<'py>(
    class: &Bound<'py, PyType>,
    names: &Bound<'py, PyAny>,
    items: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let (py, tp) = (class.py(), class.as_type_ptr());
    // SAFETY: the class is asked whether it is one that `new_instance` takes; what `fill_new` does not take stays ours.
    unsafe {
        if !super::is_plain(tp) || !has_object_new(tp) {
            return Err(PyTypeError::new_err("not a plain class"));
        }
        let made = Bound::from_owned_ptr_or_err(py, instance::new_instance(tp))?;
        let mut indexes = Vec::new();
        let mut owned_items = Vec::new();
        for (name, item) in names.try_iter()?.zip(items.try_iter()?) {
            let index = index_of(&made, &interned(name?.cast()?));
            if index == NO_INDEX || indexes.contains(&index) {
                return Ok(py.None().into_bound(py));
            }
            indexes.push(index);
            owned_items.push(item?);
        }
        let pointers: Vec<_> = owned_items.iter().map(Bound::as_ptr).collect();
        let filled = instance::Indexes::new(&indexes)
            .is_some_and(|indexes| instance::fill_new(made.as_ptr(), tp, &indexes, &pointers));
        if !filled {
            return Ok(py.None().into_bound(py));
        }
        owned_items.into_iter().for_each(std::mem::forget);
        Ok(made)
    }
}

/// # Safety
/// `tp` is a live type.
unsafe fn has_object_new(tp: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: the caller's promise; `object.__new__` is there in every interpreter.
    match unsafe { ((*tp).tp_new, ffi::PyBaseObject_Type.tp_new) } {
        (Some(new), Some(object_new)) => std::ptr::fn_addr_eq(new, object_new),
        _ => false,
    }
}

fn set<'py>(
    target: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    item: Bound<'py, PyAny>,
) -> Bound<'py, PyAny> {
    let index = index_of(target, name);
    // SAFETY: a live instance of its type, which has a managed dict; the item stays ours when it was not taken.
    let done = managed(target)
        && unsafe { instance::set_at(target.as_ptr(), type_of(target), index, item.as_ptr()) };
    let py = target.py();
    if done {
        std::mem::forget(item);
    }
    boolean(py, done)
}

fn idle<'py>(stream: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = stream.py();
    match textio::idle(stream) {
        textio::Idle::Yes(file) => pair(py, file.fd, file.utf8),
        textio::Idle::No => Ok(py.None().into_bound(py)),
        textio::Idle::Unprepared => Ok(intern!(py, "unprepared").clone().into_any()),
    }
}

fn lock<'py>(operation: &str, lock: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
    let py = lock.py();
    match operation {
        "acquire" => boolean(py, rlock::rlock_acquire(lock)),
        "release" => boolean(py, rlock::rlock_release(lock)),
        _ => rlock::rlock_free_or_mine(lock)
            .map_or_else(|| py.None().into_bound(py), |free| boolean(py, free)),
    }
}

/// (Was the watch quiet before the action, did it tell of a change after.)
fn watched<'py>(
    dict: &Bound<'py, PyAny>,
    action: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = dict.py();
    let watch = Watch::new(dict.cast::<PyDict>()?);
    let seen = watch.generation(py);
    let quiet = !watch.changed(py, seen);
    action.call0()?;
    pair(py, quiet, watch.changed(py, seen))
}

fn interned<'py>(text: &Bound<'py, PyString>) -> Bound<'py, PyString> {
    let mut ptr = text.clone().into_ptr();
    // SAFETY: takes our reference and gives one to the interned text.
    unsafe {
        ffi::PyUnicode_InternInPlace(&raw mut ptr);
        Bound::from_owned_ptr(text.py(), ptr).cast_into_unchecked()
    }
}
