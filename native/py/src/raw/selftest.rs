//! The proof that the interpreter's structures are what `layout` says: every raw read compared with the public API.
//!
//! Runs when the extension is loaded, so it makes few objects and runs no Python code.
use super::frames::Frames;
use super::instance::{self, NO_INDEX};
#[cfg(not(Py_GIL_DISABLED))]
use super::spare;
use super::{layout, rlock, scalar, types};
use crate::ffi::getattr_opt_by;
use pyo3::prelude::*;
#[cfg(not(Py_GIL_DISABLED))]
use pyo3::types::PyFloat;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString, PyTuple, PyType};
use pyo3::{ffi, intern};
use std::ptr::null_mut;

/// Compares every kind of raw read with the public API; the error names the first that differs.
///
/// # Errors
/// The name of the check that failed, or the exception met while running it.
pub fn verify(py: Python<'_>) -> Result<(), String> {
    let mut failed = None;
    let outcome = run(py, &mut |name, ok| {
        if !ok && failed.is_none() {
            failed = Some(name);
        }
        ok
    });
    match (failed, outcome) {
        (Some(name), _) => Err(format!("self-test: {name}")),
        (None, Err(error)) => Err(format!("self-test: {error}")),
        (None, Ok(())) => Ok(()),
    }
}

/// The part of it that concerns locks, for builds without a table. What fails stays off.
#[cfg(Py_GIL_DISABLED)]
pub fn verify_locks(py: Python<'_>) -> PyResult<()> {
    locks(py, &mut |_, ok| ok)
}

/// Receives a check's name and result, tells whether to go on with what builds upon it.
pub(super) type Report<'a> = &'a mut dyn FnMut(&'static str, bool) -> bool;

pub(super) fn run(py: Python<'_>, report: Report<'_>) -> PyResult<()> {
    numbers(py, report);
    text(py, report)?;
    small_tables(py, report)?;
    str_tables(py, report)?;
    if !frames(py, report) {
        return Ok(());
    }
    // One class for all: to make one takes 15 µs.
    let class = new_class(py, &object_type(py))?;
    if !type_reads(&class, report)? {
        return Ok(());
    }
    filling(&class, report)?;
    instances(&class, report)?;
    locks(py, report)
}

/// And what differs from that in no read, only in its class: 30 µs, which no import needs to take.
pub(super) fn run_all(py: Python<'_>, report: Report<'_>) -> PyResult<()> {
    run(py, report)?;
    let of_dict = new_class(py, &py.get_type::<PyDict>())?.call0()?;
    of_dict.setattr(intern!(py, "beta"), 2)?;
    report("instance: subclass of dict", reads_agree(&of_dict)?);
    Ok(())
}

fn new_class<'py>(py: Python<'py>, base: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    py.get_type::<PyType>()
        .call1(("_Probe", PyTuple::new(py, [base])?, PyDict::new(py)))
}

fn object_type(py: Python<'_>) -> Bound<'_, PyType> {
    py.get_type::<PyAny>()
}

fn numbers(py: Python<'_>, report: Report<'_>) {
    for value in [
        0,
        1,
        -1,
        30,
        -300,
        (1 << 30) - 1,
        1 << 30,
        -(1 << 30),
        1 << 62,
        i64::MAX,
        i64::MIN,
    ] {
        let int = PyInt::new(py, value);
        // SAFETY: an exact int.
        let digit = unsafe {
            let base = int.as_ptr().cast::<u8>();
            scalar::one_digit(
                layout::field(base, layout::LONG_TAG),
                layout::field(base, layout::LONG_DIGIT),
            )
        };
        let one_digit = value.unsigned_abs() < 1 << 30;
        report("int digit", digit == one_digit.then_some(value));
        report("int", scalar::small_int(int.as_any()) == Some(value));
        let number = usize::try_from(value).ok().filter(|_| one_digit);
        report("level", scalar::plain_level(int.as_any()) == number);
    }
    let huge = PyInt::new(py, i128::from(i64::MAX) + 1);
    report(
        "int beyond 64 bits",
        scalar::small_int(huge.as_any()).is_none(),
    );
    report(
        "bool is no int",
        scalar::small_int(&PyBool::new(py, true).to_owned().into_any()).is_none(),
    );
}

fn text(py: Python<'_>, report: Report<'_>) -> PyResult<()> {
    for sample in [
        "",
        "a",
        "femtolog",
        "a longer text, beyond any small size: 0123456789 0123456789",
    ] {
        let ours = scalar::new_ascii(py, sample.as_bytes()).ok_or_else(|| PyErr::fetch(py))?;
        let theirs = PyString::new(py, sample);
        report(
            "new text",
            ours.eq(&theirs)? && ours.hash()? == theirs.hash()?,
        );
        report(
            "ASCII text",
            scalar::ascii(theirs.as_any().as_borrowed()) == Some(sample.as_bytes()),
        );
        report(
            "ASCII text of ours",
            scalar::ascii(ours.as_borrowed()) == Some(sample.as_bytes()),
        );
    }
    for sample in ["é", "naïve", "日本", "😀"] {
        report(
            "other text",
            scalar::ascii(PyString::new(py, sample).as_any().as_borrowed()).is_none(),
        );
    }
    Ok(())
}

/// `peek_small_int` on dicts as `Logger._cache` is one.
fn small_tables(py: Python<'_>, report: Report<'_>) -> PyResult<()> {
    let dict = PyDict::new(py);
    let missing = |dict: &Bound<'_, PyDict>, key: i64| small_table_entry(dict, key).is_null();
    report("level table: empty", missing(&dict, 10));
    for level in [10_i64, 20, 30, 40, 50, 0, 25] {
        dict.set_item(level, level % 20 == 0)?;
    }
    for level in [10_i64, 20, 30, 40, 50, 0, 25] {
        let found = small_table_entry(&dict, level);
        report(
            "level table",
            found == PyBool::new(py, level % 20 == 0).as_ptr(),
        );
    }
    dict.del_item(20)?;
    report(
        "level table: deleted",
        missing(&dict, 20) && missing(&dict, 5),
    );
    let names = PyDict::new(py);
    names.set_item("name", 1)?;
    report("level table: str keys", missing(&names, 10));
    Ok(())
}

/// `peek_str` and `dict_any_key` on dicts as an `extra` is one.
fn str_tables(py: Python<'_>, report: Report<'_>) -> PyResult<()> {
    let names = ["user", "request", "ip", "path", "method", "status"];
    let dict = PyDict::new(py);
    for name in names {
        dict.set_item(PyString::intern(py, name), name.len())?;
    }
    dict.del_item("ip")?;
    let mut seen = Vec::new();
    for name in names {
        let key = PyString::intern(py, name);
        let value = dict.get_item(&key)?;
        // SAFETY: a live dict with `str` keys, one of them; keys of a live dict are only compared.
        let (found, listed) = unsafe {
            let (dict, key, hash) = (dict.as_ptr(), key.as_ptr(), key.hash()?);
            (
                instance::peek_str(dict, key, hash),
                instance::dict_any_key(dict, |other| other == key),
            )
        };
        seen.push(!found.is_null());
        report(
            "table of strs",
            (found.is_null() || value.as_ref().is_some_and(|value| value.as_ptr() == found))
                && listed == value.is_some(),
        );
    }
    // The first to come has the slot that is looked at.
    report("table of strs: found", seen[0]);
    Ok(())
}

/// The entry by `peek_small_int`, by the interpreter where that does not say.
pub(super) fn small_table_entry(dict: &Bound<'_, PyDict>, key: i64) -> *mut ffi::PyObject {
    let key_object = PyInt::new(dict.py(), key);
    let (dict, object) = (dict.as_ptr(), key_object.as_ptr());
    // SAFETY: a live dict and an int, whose hash is its value.
    unsafe {
        let found = instance::peek_small_int(dict, object, key as isize);
        if found.is_null() {
            instance::dict_get(dict, object, key as isize)
        } else {
            found
        }
    }
}

/// The frames running now, both ways; at import that is the import machinery and whoever imports.
fn frames(py: Python<'_>, report: Report<'_>) -> bool {
    let sites = |frames: Frames<'_>| {
        frames
            .map(|(code, at)| (code.as_ptr(), at))
            .collect::<Vec<_>>()
    };
    let public = sites(Frames::public(py));
    let first = Frames::raw(py).next().map(|(code, at)| (code.as_ptr(), at));
    // The innermost first: a wrong table would follow wild pointers further out.
    if !report("frame", first == public.first().copied())
        || !report("frames", sites(Frames::raw(py)) == public)
    {
        return false;
    }
    let Some((code, at)) = first else { return true };
    // SAFETY: a code object of a running frame, and that frame.
    let lines = unsafe {
        (
            ffi::PyCode_Addr2Line(code.cast(), at),
            ffi::PyFrame_GetLineNumber(ffi::PyEval_GetFrame()),
        )
    };
    report("line of the frame", lines.0 == lines.1)
}

fn type_reads(class: &Bound<'_, PyAny>, report: Report<'_>) -> PyResult<bool> {
    let py = class.py();
    let name = intern!(py, "method");
    let tp = class.as_ptr().cast::<ffi::PyTypeObject>();
    // SAFETY: a live class and an interned name, here and below.
    unsafe {
        let before = types::assign_tag(tp);
        report(
            "lookup of nothing",
            types::lookup(tp, name.as_ptr()).is_null(),
        );
        class.setattr(name, py.None())?;
        let after = types::assign_tag(tp);
        report("type tag", before != 0 && after != 0 && before != after);
        report(
            "lookup",
            types::lookup(tp, name.as_ptr()) == py.None().as_ptr(),
        );
        let str_name = intern!(py, "__repr__");
        report(
            "inherited lookup",
            types::lookup(tp, str_name.as_ptr()) == object_type(py).getattr(str_name)?.as_ptr(),
        );
        report(
            "plain attributes",
            types::has_plain_getattro(tp) && types::has_plain_setattro(tp),
        );
        report(
            "no plain attributes",
            !types::has_plain_getattro(py.get_type::<PyType>().as_type_ptr()),
        );
        let keys = types::shared_keys(tp);
        report("shared keys", !keys.is_null() && types::keys_len(keys) == 0);
        report(
            "no shared keys",
            types::shared_keys(object_type(py).as_type_ptr()).is_null(),
        );
        Ok(report(
            "managed dict",
            types::has_managed_dict(tp) && types::has_inline_values(tp),
        ) && report(
            "no managed dict",
            !types::has_managed_dict(object_type(py).as_type_ptr()),
        ))
    }
}

/// The names the test instances carry, and one they do not.
fn names(py: Python<'_>) -> [&Bound<'_, PyString>; 4] {
    [
        intern!(py, "alpha"),
        intern!(py, "beta"),
        intern!(py, "gamma"),
        intern!(py, "absent"),
    ]
}

/// Every form an instance can have, of a class with the first three names among its shared keys.
fn instances(class: &Bound<'_, PyAny>, report: Report<'_>) -> PyResult<()> {
    let py = class.py();
    let [alpha, beta, gamma, _] = names(py);
    let make =
        |class: &Bound<'_, PyAny>, order: [&Bound<'_, PyString>; 3]| -> PyResult<Py<PyAny>> {
            let instance = class.call0()?;
            for name in order {
                instance.setattr(name, PyList::empty(py))?;
            }
            Ok(instance.unbind())
        };
    let plain = make(class, [alpha, beta, gamma])?.into_bound(py);
    report(
        "instance: values",
        has_values(&plain) && reads_agree(&plain)? && has_values(&plain),
    );

    plain.delattr(beta)?;
    report("instance: deleted attribute", reads_agree(&plain)?);
    plain.setattr(beta, 1)?;
    report("instance: set again", reads_agree(&plain)?);

    plain.getattr("__dict__")?.set_item("delta", 4)?;
    report("instance: dict looked at", reads_agree(&plain)?);

    let other = new_class(py, &object_type(py))?;
    let moved = make(&other, [gamma, beta, alpha])?.into_bound(py);
    moved.setattr("__class__", class)?;
    report("instance: class assigned", reads_agree(&moved)?);

    let replaced = make(class, [alpha, beta, gamma])?.into_bound(py);
    let dict = PyDict::new(py);
    dict.set_item(gamma, 3)?;
    dict.set_item(alpha, 1)?;
    replaced.setattr("__dict__", &dict)?;
    report(
        "instance: dict assigned",
        !has_values(&replaced) && reads_agree(&replaced)?,
    );
    dict.set_item(5, 5)?;
    report("instance: dict with other keys", reads_agree(&replaced)?);

    let empty = class.call0()?;
    report("instance: empty", reads_agree(&empty)?);

    let crowded = class.call0()?;
    for n in 0..32 {
        crowded.setattr(format!("attribute{n}").as_str(), n)?;
    }
    crowded.setattr(beta, 2)?;
    report("instance: many attributes", reads_agree(&crowded)?);

    // A class with `__slots__ = ()` that is always there.
    let slotted = py.import("abc")?.getattr("ABC")?.call0()?;
    report(
        "instance: __slots__",
        !managed(&slotted) && dict_of(&slotted).is_null(),
    );
    Ok(())
}

pub(super) fn type_of(obj: &Bound<'_, PyAny>) -> *mut ffi::PyTypeObject {
    obj.get_type().as_type_ptr()
}

pub(super) fn managed(obj: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the type of a live object.
    unsafe { types::has_managed_dict(type_of(obj)) }
}

pub(super) fn has_values(obj: &Bound<'_, PyAny>) -> bool {
    // SAFETY: a live object of that type; managed was asked first.
    managed(obj) && unsafe { !instance::values(obj.as_ptr(), type_of(obj)).is_null() }
}

pub(super) fn dict_of(obj: &Bound<'_, PyAny>) -> *mut ffi::PyObject {
    // SAFETY: a live object of that type.
    unsafe { instance::instance_dict_if_any(obj.as_ptr(), type_of(obj)) }
}

/// The place of a name in the shared keys of the object's class.
pub(super) fn index_of(obj: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> u8 {
    // SAFETY: keys of a live type, indexes below their number; interned names are one object.
    unsafe {
        let keys = types::shared_keys(type_of(obj));
        (0..types::keys_len(keys))
            .find(|&i| types::key_at(keys, i) == name.as_ptr())
            .map_or(NO_INDEX, |i| i as u8)
    }
}

/// Reads one attribute of the instance itself as `guard` does; null when it has none.
pub(super) fn read(
    obj: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
) -> PyResult<*mut ffi::PyObject> {
    let (index, hash) = (index_of(obj, name), name.hash()?);
    // SAFETY: an instance of its type, an interned name and its hash, an index found just now.
    unsafe {
        if managed(obj) {
            return Ok(instance::get(
                obj.as_ptr(),
                type_of(obj),
                index,
                name.as_ptr(),
                hash,
            ));
        }
        let dict = dict_of(obj);
        Ok(if dict.is_null() {
            dict
        } else {
            instance::dict_get(dict, name.as_ptr(), hash)
        })
    }
}

/// Does every raw read of the instance say what the public API says, without changing the instance's form?
fn reads_agree(obj: &Bound<'_, PyAny>) -> PyResult<bool> {
    let before = (has_values(obj), dict_of(obj));
    for name in names(obj.py()) {
        // Not PyO3's, which makes an exception of what is not there.
        let expected = getattr_opt_by(obj, name.as_any())
            .map_err(|raised| PyErr::from_value(raised.take(obj.py())))?;
        if read(obj, name)? != expected.as_ref().map_or(null_mut(), Bound::as_ptr) {
            return Ok(false);
        }
        let index = index_of(obj, name);
        let shadows = if index == NO_INDEX {
            &[][..]
        } else {
            &[index][..]
        };
        // SAFETY: as in `read`.
        let carried = unsafe {
            if managed(obj) {
                let wanted = |key| key == name.as_ptr();
                instance::carries_any(obj.as_ptr(), type_of(obj), shadows, wanted)
            } else {
                expected.is_some()
            }
        };
        if carried != expected.is_some() {
            return Ok(false);
        }
    }
    Ok(before == (has_values(obj), dict_of(obj)))
}

/// Instances made and filled by us must look like any other.
fn filling(class: &Bound<'_, PyAny>, report: Report<'_>) -> PyResult<()> {
    let py = class.py();
    let [alpha, beta, gamma, _] = names(py);
    let first = class.call0()?;
    for name in [alpha, beta, gamma] {
        first.setattr(name, 0)?;
    }
    let [a, b, c] = [alpha, beta, gamma].map(|name| index_of(&first, name));
    if !report("shared keys: indexes", [a, b, c] == [0, 1, 2]) {
        return Ok(());
    }
    let item = |n: i64| PyInt::new(py, n).into_any().into_ptr();
    let tp = class.as_ptr().cast::<ffi::PyTypeObject>();
    // SAFETY: a class with `object`'s `__new__`; indexes of its keys; owned items.
    let made = unsafe {
        let made = Bound::from_owned_ptr_or_err(py, instance::new_instance(tp))?;
        let filled = instance::Indexes::new(&[c, a]).is_some_and(|indexes| {
            instance::fill_new(made.as_ptr(), tp, &indexes, &[item(1003), item(1001)])
        });
        if !report(
            "filling",
            filled && instance::in_place_order(made.as_ptr(), tp) == Some(vec![c, a]),
        ) {
            return Ok(());
        }
        report(
            "filling: once only",
            !instance::fill_new(made.as_ptr(), tp, &instance::Indexes::NONE, &[]),
        );
        let set = instance::set_at(made.as_ptr(), tp, b, item(1002))
            && instance::set_at(made.as_ptr(), tp, a, item(1000));
        report(
            "setting",
            set && instance::in_place_order(made.as_ptr(), tp) == Some(vec![c, a, b]),
        );
        made
    };
    // SAFETY: as above.
    let whole = unsafe {
        let whole = Bound::from_owned_ptr_or_err(py, instance::new_instance(tp))?;
        let filled = instance::Indexes::new(&[a, b, c]).is_some_and(|indexes| {
            instance::fill_new(
                whole.as_ptr(),
                tp,
                &indexes,
                &[item(2001), item(2002), item(2003)],
            )
        });
        report(
            "filling: in a row",
            filled && instance::in_place_order(whole.as_ptr(), tp) == Some(vec![a, b, c]),
        );
        whole
    };
    report("filling: reads in a row", reads_agree(&whole)?);
    report("filling: reads", reads_agree(&made)?);
    #[cfg(not(Py_GIL_DISABLED))]
    shells(py, report)?;
    let dict = made.getattr("__dict__")?;
    let seen: Vec<(String, i64)> = dict
        .call_method0("items")?
        .try_iter()?
        .map(|i| i?.extract())
        .collect::<PyResult<_>>()?;
    let expected = [("gamma", 1003), ("alpha", 1000), ("beta", 1002)];
    report(
        "filling: order",
        seen.iter().map(|(k, v)| (k.as_str(), *v)).eq(expected),
    );
    // SAFETY: as above; with a dict attached nothing may be set in place.
    let refused = unsafe { !instance::set_at(made.as_ptr(), tp, a, null_mut()) };
    report("setting: not beside a dict", refused);
    made.delattr(alpha)?;
    report("filling: deleted", reads_agree(&made)?);
    Ok(())
}

/// An instance that is made out of a dead one must be like a new one, and one with a weak reference is to be left alone.
#[cfg(not(Py_GIL_DISABLED))]
fn shells(py: Python<'_>, report: Report<'_>) -> PyResult<()> {
    use spare::{RECORD, STEADY, VARYING};
    let class = py
        .get_type::<PyType>()
        .call1(("Shell", (), PyDict::new(py)))?;
    let value = |nth: usize| match nth {
        13..=15 => PyFloat::new(py, nth as f64).into_any(),
        _ => PyInt::new(py, 3000 + nth).into_any(),
    };
    let names: Vec<String> = (0..RECORD).map(|nth| format!("a{nth}")).collect();
    // Their places are those of the first instance's, which are another order: 11 has no factor in common with 20 or 21.
    let first = class.call0()?;
    for nth in 0..RECORD {
        first.setattr(names[nth * 11 % RECORD].as_str(), 0)?;
    }
    let places: Vec<u8> = (names.iter())
        .map(|name| index_of(&first, &PyString::intern(py, name)))
        .collect();
    let filled = || -> PyResult<_> {
        let made = class.call0()?;
        for (nth, name) in names.iter().enumerate() {
            made.setattr(name.as_str(), value(nth))?;
        }
        made.setattr("further", 1)?;
        Ok(made)
    };
    drop(filled()?);
    let Some(indexes) = instance::Indexes::new(&places) else {
        report("shell: places", false);
        return Ok(());
    };
    let tp = class.as_ptr().cast();
    let is_new = |made: &Bound<'_, PyAny>, shell, count: usize| {
        // SAFETY: a live instance of that class.
        let (tracked, order) = unsafe {
            (
                ffi::PyObject_GC_IsTracked(made.as_ptr()) == 1
                    && ffi::Py_REFCNT(made.as_ptr()) == 1,
                instance::in_place_order(made.as_ptr(), tp),
            )
        };
        made.as_ptr() == shell && tracked && order.as_deref() == Some(&places[..count])
    };
    let former = filled()?;
    let shell = former.as_ptr();
    let take = || spare::take(&class);
    let Some(empty) = spare::with_shell_of(&class, &indexes, former, take) else {
        report("shell: kept", false);
        return Ok(());
    };
    report("shell: empty", is_new(&empty, shell, 0));
    report("shell: reads", reads_agree(&empty)?);
    let reference = py.import("_weakref")?.getattr("ref")?.call1((&empty,))?;
    let left = spare::with_shell_of(&class, &indexes, empty, take);
    report(
        "shell: weak references",
        left.is_none() && reference.call0()?.is_none(),
    );

    // One value of the next one is another; those that each has of its own are all others.
    let former = filled()?;
    let shell = former.as_ptr();
    let steady: Vec<_> = (0..RECORD)
        .filter(|nth| !VARYING.contains(nth))
        .map(|nth| match nth {
            0 => Ok(value(4000)),
            _ => former.getattr(names[nth].as_str()),
        })
        .collect::<PyResult<_>>()?;
    let lent: [_; STEADY] = std::array::from_fn(|nth| steady[nth].as_borrowed());
    let (message, args) = (value(5001), value(5002));
    let remake = || match spare::untraced(py) {
        Some(untraced) => {
            let times = [8.0, 9.0, 10.0];
            spare::remake(untraced, &class, &lent, message.as_borrowed(), args, times)
        }
        None => Err(args),
    };
    let Ok(next) = spare::with_shell_of(&class, &indexes, former, remake) else {
        report("shell: remade", false);
        return Ok(());
    };
    report("shell: remade", is_new(&next, shell, RECORD));
    report("shell: remade reads", reads_agree(&next)?);
    let holds: Vec<f64> = (next.getattr("__dict__")?.call_method0("values")?)
        .try_iter()?
        .map(|value| value?.extract())
        .collect::<PyResult<_>>()?;
    let expected = (0..RECORD).map(|nth| match nth {
        0 => 7000.0,
        1 | 2 => (8000 + nth) as f64,
        13..=15 => (nth - 5) as f64,
        _ => (3000 + nth) as f64,
    });
    report("shell: remade values", holds.into_iter().eq(expected));
    Ok(())
}

/// Owner and count against `_release_save`, which tells both; a failure switches off this part alone.
fn locks(py: Python<'_>, report: Report<'_>) -> PyResult<()> {
    let lock = py.import("_thread")?.getattr("RLock")?.call0()?;
    let (ptr, tp) = (lock.as_ptr(), type_of(&lock));
    let saved = || -> PyResult<(u64, u64)> { lock.call_method0("_release_save")?.extract() };
    // SAFETY: a live lock; `plausible` says that its fields may be read.
    let proven = unsafe {
        let me = ffi::PyThread_get_thread_ident() as u64;
        rlock::plausible(tp) && rlock::state(ptr) == (0, 0) && {
            lock.call_method0("acquire")?;
            lock.call_method0("acquire")?;
            let twice = rlock::state(ptr) == (2, me);
            lock.call_method0("release")?;
            let once = rlock::state(ptr) == (1, me);
            lock.call_method0("release")?;
            twice && once && rlock::state(ptr) == (0, 0)
        }
    };
    if !report("lock: structure", proven) {
        return Ok(());
    }
    let kind = py.import("sys")?.getattr("thread_info")?.getattr("lock")?;
    rlock::made_of(kind.extract::<&str>().unwrap_or_default());
    // SAFETY: a live type, kept alive by the reference left behind here.
    unsafe {
        ffi::Py_INCREF(tp.cast());
        rlock::trust(tp);
    }
    let free = || cfg!(Py_GIL_DISABLED) || rlock::rlock_free_or_mine(&lock) == Some(true);
    let taken = rlock::rlock_acquire(&lock) && rlock::rlock_acquire(&lock) && free();
    // SAFETY: asks the system, needs nothing.
    let owned = saved()? == (2, unsafe { ffi::PyThread_get_thread_ident() } as u64);
    let freed = free() && !rlock::rlock_release(&lock);
    lock.call_method0("acquire")?;
    // SAFETY: its fields were found to be these.
    let given_back = rlock::rlock_release(&lock) && unsafe { rlock::state(ptr) } == (0, 0);
    if !report("lock: use", taken && owned && freed && given_back) {
        // SAFETY: null is no type of any object.
        unsafe { rlock::trust(null_mut()) }
    }
    Ok(())
}
