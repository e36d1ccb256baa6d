//! One record that nobody has any more, kept for the next of its class.
//!
//! An object that dies is taken apart and given back to the allocator, and the next one is made anew: some 1000 instructions for a record.
//! Emptying and reusing it makes a call that shows its record to a filter 7 % cheaper. It is done where nobody could tell: what dies with
//! the instance is texts and numbers, and tuples of them, so nothing runs meanwhile. Only the shell stays, where neither the collector nor
//! Python code finds it; and with it the floats and the tuple of arguments that nobody else has, for the next record's.
//!
//! Of 21 attributes 16 are as a rule the same objects as the last record's: logger and level, place, thread and process. The shell keeps
//! those of the [`Mould`], so that the next record's have only to be compared with it: reading, holding and releasing each of them anew
//! would take another 10 % of such a call. And a record that nobody has altered since is not asked once more how it would end.
use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;
#[cfg(Py_3_13)]
use std::ffi::c_void;
use std::ffi::{c_int, c_uint};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::instance::{Indexes, Order, writable_values};
use super::types::has_managed_dict;
use crate::cell::Shared;
use crate::ffi::is_for_collector;

unsafe extern "C" {
    fn PyTraceMalloc_Untrack(domain: c_uint, block: usize) -> c_int;
    #[cfg(Py_3_13)]
    fn PyRefTracer_GetTracer(data: *mut *mut c_void) -> *mut c_void;
}

/// How many attributes every record has; the task's name came with 3.12.
pub const RECORD: usize = if cfg!(Py_3_12) { 21 } else { 20 };
/// Which of them, in the order they are set, are each record's own: message, arguments, and the three times.
pub const VARYING: [usize; 5] = [MESSAGE, ARGUMENTS, TIMES[0], TIMES[1], TIMES[2]];
const MESSAGE: usize = 1;
const ARGUMENTS: usize = 2;
const TIMES: [usize; 3] = [13, 14, 15];
/// How many there are beside those.
pub const STEADY: usize = RECORD - VARYING.len();

/// Which of them tell of an exception and a stack.
pub const TAIL: [usize; 3] = [8, 9, 10];

/// Which attribute the n-th steady value is: all but the [`VARYING`] ones, in order.
#[inline(always)]
const fn steady_attribute(nth: usize) -> usize {
    match nth {
        0 => 0,
        1..=10 => nth + 2,
        _ => nth + 5,
    }
}

/// Where the attributes of a class's records stand in an instance: at its first places, in whatever order (from 3.14 on the
/// interpreter sorts them by name).
#[derive(Clone, Copy, PartialEq, Eq)]
struct Places {
    /// The place of each, in the order they are set.
    of: [u8; RECORD],
    /// The same as the bookkeeping of an instance has it.
    laid: [u8; RECORD],
    /// All bits for a place where a steady value stands, none for another one.
    steady: Aligned<[usize; RECORD]>,
}

/// Where the processor compares two values at a time with what it reads elsewhere, in one instruction.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(align(16))]
struct Aligned<T>(T);

impl Places {
    const NONE: Self = Places {
        of: [0; RECORD],
        laid: [0; RECORD],
        steady: Aligned([0; RECORD]),
    };

    fn new(indexes: &Indexes) -> Option<Self> {
        let mut places = Places {
            of: *indexes.first_chunk()?,
            ..Self::NONE
        };
        for (nth, &place) in places.of.iter().enumerate() {
            places.laid[Order::place_in_memory(nth, RECORD)] = place;
            let steady = places.steady.0.get_mut(usize::from(place))?;
            if !VARYING.contains(&nth) {
                *steady = !0;
            }
        }
        Some(places)
    }

    #[inline(always)]
    fn place(&self, attribute: usize) -> usize {
        usize::from(self.of[attribute])
    }

    #[inline(always)]
    fn steady_place(&self, nth: usize) -> usize {
        self.place(steady_attribute(nth))
    }

    #[inline(always)]
    fn times(&self) -> [usize; TIMES.len()] {
        TIMES.map(|time| self.place(time))
    }
}

/// The steady values of the last record that was made by it: plain objects, a reference to each, or null ones before there is any.
/// Since they are held here, an object that stands where one of them does is that one.
#[derive(Clone, Copy)]
struct Mould {
    /// In the order they are set.
    values: Aligned<[*mut PyObject; STEADY]>,
    /// The same at their places, null at the others.
    placed: Aligned<[*mut PyObject; RECORD]>,
    /// Are those of the [`TAIL`] `None`?
    tailless: bool,
    /// No two moulds that differ have the same number.
    number: u64,
}

/// The number of the last mould.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

impl Mould {
    const NONE: Self = Mould {
        values: Aligned([null_mut(); STEADY]),
        placed: Aligned([null_mut(); RECORD]),
        tailless: false,
        number: 0,
    };

    /// Are these values its own?
    #[inline(always)]
    fn is(&self, values: &[*mut PyObject; STEADY]) -> bool {
        // All of them, not one after the other: a loop without an end in between, of which two at a time are compared.
        let mut differences = 0;
        for (own, value) in self.values.0.iter().zip(values) {
            differences |= own.addr() ^ value.addr();
        }
        differences == 0
    }

    /// Has a record these values?
    #[inline(always)]
    unsafe fn fits(&self, places: &Places, values: *mut *mut PyObject) -> bool {
        // SAFETY: the caller's: an array of as many values as a record has.
        let values = unsafe { &*values.cast::<[*mut PyObject; RECORD]>() };
        let mut differences = 0;
        for ((own, value), steady) in self.placed.0.iter().zip(values).zip(&places.steady.0) {
            differences |= (own.addr() ^ value.addr()) & steady;
        }
        differences == 0
    }

    /// Takes over a reference to the n-th value, for which the old one is given.
    #[inline(always)]
    fn replace(&mut self, places: &Places, nth: usize, value: *mut PyObject) -> *mut PyObject {
        self.placed.0[places.steady_place(nth)] = value;
        std::mem::replace(&mut self.values.0[nth], value)
    }

    /// To be called when values have been replaced: it is another mould.
    #[inline]
    fn changed(&mut self, places: &Places) {
        let is_none = |attribute: usize| {
            // SAFETY: null or a live object, which is only compared.
            unsafe { ffi::Py_IsNone(self.placed.0[places.place(attribute)]) != 0 }
        };
        self.tailless = TAIL.into_iter().all(is_none);
        // Under the GIL: nobody else counts.
        self.number = NUMBERS.load(Relaxed) + 1;
        NUMBERS.store(self.number, Relaxed);
    }
}

struct Spare {
    /// Of which class shells are kept, a reference. Null: none yet.
    class: *mut PyTypeObject,
    places: Places,
    /// An instance of it with one reference, this one, unknown to the collector; or null. It has the mould's values, in the places of the
    /// times floats with one reference, that one, or nothing, and nothing in any other.
    shell: *mut PyObject,
    mould: Mould,
    /// A tuple with one reference, this one, no items in its places, and unknown to the collector; or null.
    tuple: *mut PyObject,
}

/// The longest tuple that is kept, in items.
const LONGEST: isize = 8;

impl Spare {
    const NONE: Self = Spare {
        class: null_mut(),
        places: Places::NONE,
        shell: null_mut(),
        mould: Mould::NONE,
        tuple: null_mut(),
    };

    /// The values of the shell, if there is one.
    #[inline(always)]
    fn values(&self) -> Option<*mut *mut PyObject> {
        // SAFETY: an instance of that class, whose values stand in place.
        let values =
            (!self.shell.is_null()).then(|| unsafe { writable_values(self.shell, self.class) });
        debug_assert!(values.is_none_or(|values| !values.is_null()));
        values
    }

    /// Releases all of it but the class. Everything is plain, so nothing runs.
    ///
    /// # Safety
    /// Nobody uses it any more.
    unsafe fn release(self) {
        // SAFETY: the references that it has.
        unsafe {
            for value in self
                .mould
                .values
                .0
                .into_iter()
                .chain([self.shell, self.tuple])
            {
                ffi::Py_XDECREF(value);
            }
        }
    }
}

/// Takes over a reference to a plain object; of the last one to a tuple the tuple stays, empty.
///
/// # Safety
/// Giving up the reference would run nothing.
#[inline(always)]
unsafe fn keep_tuple(kept: &mut *mut PyObject, value: *mut PyObject) {
    // SAFETY: the caller's promise; whoever has the only reference to a tuple may take its items out.
    unsafe {
        if ffi::Py_REFCNT(value) == 1
            && ffi::PyTuple_CheckExact(value) != 0
            && kept.is_null()
            && (1..=LONGEST).contains(&ffi::PyTuple_GET_SIZE(value))
        {
            ffi::PyObject_GC_UnTrack(value.cast());
            for nth in 0..ffi::PyTuple_GET_SIZE(value) {
                let item = ffi::PyTuple_GET_ITEM(value, nth);
                ffi::PyTuple_SET_ITEM(value, nth, null_mut());
                ffi::Py_DECREF(item);
            }
            *kept = value;
        } else {
            ffi::Py_DECREF(value);
        }
    }
}

static SPARE: Shared<Spare> = Shared::new(Spare::NONE);

/// From now on a shell of this class is kept, if its instances have nothing but attributes in place and weak references, and shells of no
/// other one are. `indexes` are the places of a record's attributes in them, in the order they are set.
///
/// # Safety
/// A live class of Python's own making whose `__new__` is `object`'s and whose instances may have values in place.
#[cold]
pub unsafe fn keep_shells_of(class: *mut PyTypeObject, indexes: &Indexes) {
    // SAFETY: the caller's promise.
    unsafe {
        let weak = (*class).tp_weaklistoffset;
        let own = if weak > 0 { size_of::<usize>() } else { 0 };
        let bare = (*class).tp_basicsize == (size_of::<PyObject>() + own) as isize;
        if weak == 0 || !bare || !has_managed_dict(class) {
            return;
        }
        let Some(places) = Places::new(indexes) else {
            return;
        };
        let old = SPARE.with(Python::assume_attached(), |spare| {
            if spare.class.is_null() {
                ffi::Py_INCREF(class.cast());
                spare.class = class;
            }
            (spare.class == class && spare.places != places).then(|| {
                let new = Spare {
                    class,
                    places,
                    ..Spare::NONE
                };
                std::mem::replace(spare, new)
            })
        });
        if let Some(old) = old {
            old.release();
        }
    }
}

/// For the self-test: what `next` makes of the shell of `former`, an instance of `class` which has nothing but plain attributes in place.
pub(super) fn with_shell_of<'py, R>(
    class: &Bound<'py, PyAny>,
    indexes: &Indexes,
    former: Bound<'py, PyAny>,
    next: impl FnOnce() -> R,
) -> R {
    let py = class.py();
    let swap = |other| SPARE.with(py, |spare| std::mem::replace(spare, other));
    let others = swap(Spare::NONE);
    // SAFETY: the self-test's own class.
    unsafe { keep_shells_of(class.as_ptr().cast(), indexes) }
    give_up(former);
    let made = next();
    let kept = swap(others);
    // SAFETY: the references that were kept.
    unsafe {
        ffi::Py_XDECREF(kept.class.cast());
        kept.release();
    }
    made
}

/// That nobody wants to hear of objects that are made and die; good until Python code runs.
#[derive(Clone, Copy)]
pub struct Untraced(());

/// Does nobody?
#[inline(always)]
#[must_use]
pub fn untraced(_py: Python<'_>) -> Option<Untraced> {
    (!is_traced()).then_some(Untraced(()))
}

/// The kept shell of an instance of `class`, if there is one.
#[inline(always)]
fn shell(class: &Bound<'_, PyAny>) -> *mut PyObject {
    SPARE.with(class.py(), |spare| {
        let fits = spare.class == class.as_ptr().cast() && !is_traced();
        if fits {
            std::mem::replace(&mut spare.shell, null_mut())
        } else {
            null_mut()
        }
    })
}

/// A new instance of `class` out of the shell of an old one, as [`super::instance::new_instance`] makes one; `None` where there is none.
#[inline(never)]
pub fn take<'py>(class: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let shell = shell(class);
    if shell.is_null() {
        return None;
    }
    // SAFETY: a whole instance with one reference, which the collector does not know; what it has is plain.
    unsafe {
        let values = writable_values(shell, ffi::Py_TYPE(shell));
        for place in 0..RECORD {
            ffi::Py_XDECREF(values.add(place).replace(null_mut()));
        }
        Order::of(values).cut(0);
        ffi::PyObject_GC_Track(shell.cast());
        Some(Bound::from_owned_ptr(class.py(), shell))
    }
}

/// Is there a shell? Where records are kept by whoever gets them there is none, and nothing need be found out for [`remake`]: 380
/// instructions of a record that a handler in Python keeps.
#[inline(always)]
#[must_use]
pub fn has_shell(py: Python<'_>) -> bool {
    SPARE.with(py, |spare| !spare.shell.is_null())
}

/// A record out of the shell of an old one: with these steady values, which are lent, and as a rule are those that the shell has; and
/// with this message, these arguments and times. `Err`, with nothing done: there is no shell, a time of the last record's lives on, or a
/// steady value is not as plain as a mould's.
#[inline(never)]
pub fn remake<'py>(
    Untraced(()): Untraced,
    class: &Bound<'py, PyAny>,
    steady: &[Borrowed<'_, 'py, PyAny>; STEADY],
    message: Borrowed<'_, 'py, PyAny>,
    args: Bound<'py, PyAny>,
    times: [f64; TIMES.len()],
) -> Result<Bound<'py, PyAny>, Bound<'py, PyAny>> {
    let py = class.py();
    // SAFETY: a borrowed reference is a pointer to its object.
    let steady: &[*mut PyObject; STEADY] = unsafe { &*(&raw const *steady).cast() };
    // SAFETY: what `Spare` says of its shell. A float whose only reference is here may get another value, which nobody knows.
    let made = SPARE.with(py, |spare| unsafe {
        let values = spare.values()?;
        let floats = spare.places.times().map(|place| *values.add(place));
        if spare.class != class.as_ptr().cast()
            || floats.iter().any(|float| float.is_null())
            || !(spare.mould.is(steady) || recast(spare, values, steady))
        {
            return None;
        }
        for (float, time) in floats.into_iter().zip(times) {
            (*float.cast::<ffi::PyFloatObject>()).ob_fval = time;
        }
        let place = |attribute| values.add(spare.places.place(attribute));
        place(MESSAGE).write(message.to_owned().into_ptr());
        place(ARGUMENTS).write(args.as_ptr());
        Some(std::mem::replace(&mut spare.shell, null_mut()))
    });
    let Some(made) = made else {
        return Err(args);
    };
    std::mem::forget(args);
    // SAFETY: a whole instance with one reference, which the collector does not know.
    unsafe {
        ffi::PyObject_GC_Track(made.cast());
        Ok(Bound::from_owned_ptr(py, made))
    }
}

/// Gives the mould and the values of its shell these ones, if they are plain: texts, numbers, `None`.
///
/// # Safety
/// The values of a shell, which are the mould's; live objects.
#[inline(never)]
unsafe fn recast(
    spare: &mut Spare,
    values: *mut *mut PyObject,
    steady: &[*mut PyObject; STEADY],
) -> bool {
    // SAFETY: the caller's promise; releasing what is plain runs nothing.
    unsafe {
        if !steady.iter().all(|value| is_scalar(*value)) {
            return false;
        }
        for (nth, &value) in steady.iter().enumerate() {
            if spare.mould.values.0[nth] != value {
                let place = values.add(spare.places.steady_place(nth));
                ffi::Py_INCREF(value);
                ffi::Py_DECREF(place.replace(value));
                ffi::Py_INCREF(value);
                ffi::Py_DECREF(spare.mould.replace(&spare.places, nth, value));
            }
        }
        spare.mould.changed(&spare.places);
        true
    }
}

/// Floats of these values out of the shell's; `None` where it has none.
#[inline(always)]
pub fn take_floats(
    py: Python<'_>,
    times: [f64; TIMES.len()],
) -> Option<[Bound<'_, PyAny>; TIMES.len()]> {
    SPARE.with(py, |spare| {
        let values = spare.values()?;
        // SAFETY: what `Spare` says of its shell. A float whose only reference is here may get another value, which nobody knows.
        unsafe {
            let places = spare.places.times();
            let kept = places.iter().all(|place| !(*values.add(*place)).is_null());
            if !kept || is_traced() {
                return None;
            }
            Some(std::array::from_fn(|nth| {
                let float = values.add(places[nth]).replace(null_mut());
                (*float.cast::<ffi::PyFloatObject>()).ob_fval = times[nth];
                Bound::from_owned_ptr(py, float)
            }))
        }
    })
}

/// A tuple of the first `count` objects of an array out of a kept one; `None` where there is none of that length. `known`: who knows
/// already that nobody wants to hear of it.
///
/// # Safety
/// `count` live objects.
#[inline(always)]
pub unsafe fn take_tuple(
    py: Python<'_>,
    known: Option<Untraced>,
    array: *const *mut PyObject,
    count: usize,
) -> Option<Bound<'_, PyAny>> {
    // SAFETY: the tuple's only reference is here; its length is compared first.
    unsafe {
        let tuple = SPARE.with(py, |spare| {
            let fits = !spare.tuple.is_null()
                && ffi::PyTuple_GET_SIZE(spare.tuple) == count as isize
                && (known.is_some() || !is_traced());
            fits.then(|| std::mem::replace(&mut spare.tuple, null_mut()))
        })?;
        for nth in 0..count {
            let item = *array.add(nth);
            ffi::Py_INCREF(item);
            ffi::PyTuple_SET_ITEM(tuple, nth as isize, item);
        }
        // The hash of what was in it.
        #[cfg(Py_3_14)]
        {
            (*tuple.cast::<ffi::PyTupleObject>()).ob_hash = -1;
        }
        if is_for_collector(array, count) {
            ffi::PyObject_GC_Track(tuple.cast());
        }
        Some(Bound::from_owned_ptr(py, tuple))
    }
}

/// Gives up an object. If that was the last reference to an instance of the class of which shells are kept, and nothing would run, what
/// was in it is released and the shell kept.
#[inline(always)]
pub fn give_up(obj: Bound<'_, PyAny>) {
    let py = obj.py();
    let end = SPARE.with(py, |spare| {
        let wanted = spare.class == obj.get_type_ptr() && spare.shell.is_null();
        // SAFETY: of that class, which has all that `keep_shells_of` asks for.
        wanted.then(|| unsafe { quiet_end(spare, &obj) }).flatten()
    });
    if let Some(end) = end {
        keep(obj, end);
    }
}

/// Is there one reference to an instance of a class of Python's own making, and none to its attributes but by way of it, and will nobody
/// hear of its end?
#[inline(always)]
pub fn is_nobody_elses(obj: &Bound<'_, PyAny>) -> bool {
    // SAFETY: a live object and its type. A dict of its attributes may be anybody's.
    is_held_once(obj)
        && unsafe { !writable_values(obj.as_ptr(), ffi::Py_TYPE(obj.as_ptr())).is_null() }
}

/// The same but for a dict of its attributes.
#[inline(always)]
fn is_held_once(obj: &Bound<'_, PyAny>) -> bool {
    let obj = obj.as_ptr();
    // SAFETY: a live object and its type, which keeps weak references where it says, if at all.
    unsafe {
        let kind: *mut PyTypeObject = ffi::Py_TYPE(obj);
        let weak = (*kind).tp_weaklistoffset;
        ffi::Py_REFCNT(obj) == 1
            && (weak == 0
                || obj
                    .byte_offset(weak)
                    .cast::<*mut PyObject>()
                    .read()
                    .is_null())
            && (*kind).tp_finalize.is_none()
            && (*kind).tp_del.is_none()
    }
}

/// Takes an object that is nobody else's from the collector's sight; [`show`] undoes it. Dying needs no undoing.
#[inline(always)]
pub fn hide(obj: &Bound<'_, PyAny>) {
    // SAFETY: a live instance of a class that has a dict for attributes, so that the collector has to do with it.
    unsafe { ffi::PyObject_GC_UnTrack(obj.as_ptr().cast()) }
}

/// Gives it back to the collector.
pub fn show(obj: &Bound<'_, PyAny>) {
    // SAFETY: as for `hide`, which was the last that happened to it.
    unsafe { ffi::PyObject_GC_Track(obj.as_ptr().cast()) }
}

/// That a record has the steady values of the last mould, in their order, beside a text as message, plain arguments and floats as times,
/// and nothing else.
#[derive(Clone, Copy)]
pub struct Unaltered {
    /// The mould's.
    number: u64,
    /// Has it neither exception nor stack?
    pub tailless: bool,
}

/// Is this a record as [`remake`] makes them?
#[inline(always)]
pub fn unaltered(obj: &Bound<'_, PyAny>) -> Option<Unaltered> {
    SPARE.with(obj.py(), |spare| {
        if spare.class != obj.get_type_ptr() {
            return None;
        }
        // SAFETY: of the class that `keep_shells_of` was asked for; the values of a live object.
        unsafe {
            let values = writable_values(obj.as_ptr(), spare.class);
            if values.is_null() {
                return None;
            }
            let (places, order) = (&spare.places, Order::of(values));
            let at = |attribute: usize| *values.add(places.place(attribute));
            let is_float = |time: usize| ffi::PyFloat_CheckExact(at(time)) != 0;
            let [created, msecs, relative] = TIMES;
            let same = order.count() == RECORD as isize
                && order.begins_with(&places.laid)
                && spare.mould.fits(places, values)
                && is_float(created)
                && is_float(msecs)
                && is_float(relative)
                && ffi::PyUnicode_CheckExact(at(MESSAGE)) != 0
                && is_plain_to_the_end(at(ARGUMENTS));
            same.then_some(Unaltered {
                number: spare.mould.number,
                tailless: spare.mould.tailless,
            })
        }
    })
}

/// Gives up a record that was found to be [`unaltered`] and [`hide`]den, on which nothing was set since, and which is not finalized. The
/// record back, with nothing done: it has to be [given up](give_up) like any other.
#[inline(always)]
pub fn give_up_unaltered(
    obj: Bound<'_, PyAny>,
    unaltered: Unaltered,
) -> Result<(), Bound<'_, PyAny>> {
    let kept = SPARE.with(obj.py(), |spare| {
        if spare.mould.number != unaltered.number
            || !spare.shell.is_null()
            || !is_held_once(&obj)
            || is_traced()
        {
            return false;
        }
        // SAFETY: of that class, with those values in place: what it has is plain.
        unsafe {
            let values = writable_values(obj.as_ptr(), spare.class);
            if values.is_null() || Order::of(values).count() != RECORD as isize {
                return false;
            }
            empty(&spare.places, &mut spare.tuple, values);
        }
        spare.shell = obj.as_ptr();
        true
    });
    if kept {
        std::mem::forget(obj);
        Ok(())
    } else {
        Err(obj)
    }
}

/// What an instance would leave, at whose end nothing runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The values of the mould, and what varies.
    Fitting,
    /// Other steady values.
    Other,
}

/// Is the instance nobody else's, and would nothing run if it ended? Its attributes stand in place, and nowhere else, and what dies with it
/// is plain.
#[inline(always)]
unsafe fn quiet_end(spare: &Spare, obj: &Bound<'_, PyAny>) -> Option<End> {
    if !is_nobody_elses(obj) {
        return None;
    }
    let obj = obj.as_ptr();
    // SAFETY: a live object and its type.
    unsafe {
        let kind: *mut PyTypeObject = ffi::Py_TYPE(obj);
        let values = writable_values(obj, kind);
        let order = Order::of(values);
        if !order.begins_with(&spare.places.laid) {
            return None;
        }
        let places = &spare.places;
        let ends = |place: usize| ends_quietly(*values.add(place));
        let is_float = |place: usize| ffi::PyFloat_CheckExact(*values.add(place)) != 0;
        let plain = (places.times().into_iter().all(is_float)
            || places.times().into_iter().all(ends))
            && ends(places.place(MESSAGE))
            && ends(places.place(ARGUMENTS))
            && (RECORD as isize..order.count()).all(|nth| ends(order.nth(nth)));
        if !plain || is_traced() || ffi::PyObject_GC_IsFinalized(obj) != 0 {
            return None;
        }
        if spare.mould.fits(places, values) {
            return Some(End::Fitting);
        }
        (0..STEADY)
            .all(|nth| ends(places.steady_place(nth)))
            .then_some(End::Other)
    }
}

/// Would giving up this reference, and all others that the instance has to it, run nothing?
#[inline(always)]
unsafe fn ends_quietly(value: *mut PyObject) -> bool {
    /// More references than an instance has values: it does not hold all of them.
    const MANY: isize = 32;
    // SAFETY: null, or a live object.
    unsafe {
        !value.is_null()
            && (ffi::PyUnicode_CheckExact(value) != 0
                || ffi::Py_REFCNT(value) > MANY
                || is_plain_to_the_end(value))
    }
}

/// Is it a number, or a tuple of nothing but texts, numbers and `None`?
#[inline(never)]
unsafe fn is_plain_to_the_end(value: *mut PyObject) -> bool {
    // SAFETY: a live object, and the items of a live tuple.
    unsafe {
        if ffi::PyTuple_CheckExact(value) == 0 {
            return is_number(value);
        }
        (0..ffi::PyTuple_GET_SIZE(value)).all(|nth| {
            let item = ffi::PyTuple_GET_ITEM(value, nth);
            !item.is_null() && is_scalar(item)
        })
    }
}

/// Is it a text, a number or `None`?
#[inline]
unsafe fn is_scalar(value: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe {
        ffi::PyUnicode_CheckExact(value) != 0
            || is_number(value)
            || ffi::PyBool_Check(value) != 0
            || ffi::Py_IsNone(value) != 0
    }
}

#[inline]
unsafe fn is_number(value: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe { ffi::PyFloat_CheckExact(value) != 0 || ffi::PyLong_CheckExact(value) != 0 }
}

/// Does anybody want to hear of objects that are made and die? Then they are made and die like any other.
#[inline(always)]
fn is_traced() -> bool {
    /// What is asked to forget a block of a domain that has none; and what says that nothing is remembered at all.
    const NOBODYS: c_uint = c_uint::MAX;
    const NOT_TRACING: c_int = -2;
    // SAFETY: questions to the attached thread's interpreter, which change nothing.
    unsafe {
        #[cfg(Py_3_13)]
        if !PyRefTracer_GetTracer(null_mut()).is_null() {
            return true;
        }
        PyTraceMalloc_Untrack(NOBODYS, 0) != NOT_TRACING
    }
}

/// Releases what is no mould's, and keeps the shell; or gives up all of it. Runs no Python code: `quiet_end`.
#[inline(never)]
fn keep(obj: Bound<'_, PyAny>, end: End) {
    let shell = obj.as_ptr();
    // SAFETY: `quiet_end`. Each value is taken out before it is released, and releasing it runs nothing.
    let kept = SPARE.with(obj.py(), |spare| unsafe {
        let values = writable_values(shell, ffi::Py_TYPE(shell));
        let places = &spare.places;
        if end == End::Other && !restore(&mut spare.mould, places, values) {
            return false;
        }
        ffi::PyObject_GC_UnTrack(shell.cast());
        empty(places, &mut spare.tuple, values);
        let order = Order::of(values);
        for nth in RECORD as isize..order.count() {
            ffi::Py_DECREF(values.add(order.nth(nth)).replace(null_mut()));
        }
        order.cut(RECORD as u8);
        // There is none: it was asked for, and nothing has run.
        spare.shell = shell;
        true
    });
    if kept {
        std::mem::forget(obj);
    }
}

/// Releases what is each record's own, but the times and the tuple that nobody else has.
///
/// # Safety
/// The values of a record that is nobody else's, of which releasing one runs nothing.
#[inline(always)]
unsafe fn empty(places: &Places, tuple: &mut *mut PyObject, values: *mut *mut PyObject) {
    // SAFETY: the caller's promise. Each value is taken out before it is released.
    unsafe {
        ffi::Py_DECREF(values.add(places.place(MESSAGE)).replace(null_mut()));
        keep_tuple(
            tuple,
            values.add(places.place(ARGUMENTS)).replace(null_mut()),
        );
        for time in places.times().map(|place| &mut *values.add(place)) {
            if ffi::Py_REFCNT(*time) != 1 || ffi::PyFloat_CheckExact(*time) == 0 {
                ffi::Py_DECREF(std::mem::replace(time, null_mut()));
            }
        }
    }
}

/// Gives a record's steady places the values of the mould; or the mould, if it has none yet, those of the record. False: they are not
/// plain enough for it.
///
/// # Safety
/// The values of a record, of which releasing one runs nothing.
#[inline(never)]
unsafe fn restore(mould: &mut Mould, places: &Places, values: *mut *mut PyObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let place = |nth| values.add(places.steady_place(nth));
        if mould.values.0[0].is_null() {
            if !(0..STEADY).all(|nth| is_scalar(*place(nth))) {
                return false;
            }
            for nth in 0..STEADY {
                ffi::Py_INCREF(*place(nth));
                mould.replace(places, nth, *place(nth));
            }
            mould.changed(places);
            return true;
        }
        for nth in 0..STEADY {
            let held = mould.values.0[nth];
            if *place(nth) != held {
                ffi::Py_INCREF(held);
                ffi::Py_DECREF(place(nth).replace(held));
            }
        }
        true
    }
}
