//! New instances with all their attributes written at once.
use pyo3::ffi;

use super::types::{State, info, slot};
use crate::cell::Shared;
#[cfg(not(Py_GIL_DISABLED))]
use crate::ffi::Ref;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::names::Name;
#[cfg(not(Py_GIL_DISABLED))]
use crate::raw::Untraced;
use crate::raw::{self, NO_INDEX};

/// Where the attributes that [`filled_instance`] sets stand in the shared keys of one class: for a version of the class and a
/// number of keys. Looking up each of a record's 21 costs 25 ns.
#[derive(Clone, Copy)]
struct Places {
    names: *const Name,
    /// Never 0.
    tag: u32,
    keys: *mut raw::Keys,
    count: usize,
    indexes: raw::Indexes,
}

impl Places {
    /// Are they those of these attributes in this class, as it is now?
    ///
    /// # Safety
    /// A live class, if a tag is known.
    #[inline(always)]
    unsafe fn are_of<const N: usize>(
        &self,
        class: &Obj<'_>,
        attributes: &'static [Name; N],
    ) -> bool {
        // SAFETY: the caller's promise; as long as the class has that tag, it has these keys.
        unsafe {
            self.tag != 0
                && self.tag == raw::type_tag(class.as_ptr().cast())
                && self.names == attributes.as_ptr()
                && self.count == raw::keys_len_of(self.keys)
        }
    }
}

static PLACES: Shared<Places> = Shared::new(Places {
    names: std::ptr::null(),
    tag: 0,
    keys: std::ptr::null_mut(),
    count: 0,
    indexes: raw::Indexes::NONE,
});

#[cold]
fn find_places(instance: &Obj<'_>, attributes: &'static [Name]) -> Option<raw::Indexes> {
    let info = info(instance);
    if !info.plain.get() {
        return None;
    }
    let mut indexes = Vec::with_capacity(attributes.len());
    for name in attributes {
        let slot = slot(instance, info, *name);
        if slot.index == NO_INDEX || slot.state == State::Descriptor {
            return None;
        }
        indexes.push(slot.index);
    }
    let indexes = raw::Indexes::new(&indexes)?;
    if info.tag.get() != 0 {
        PLACES.with(instance.py(), |known| {
            *known = Places {
                names: attributes.as_ptr(),
                tag: info.tag.get(),
                keys: info.keys.get(),
                count: info.keys_len.get(),
                indexes,
            };
        });
        #[cfg(not(Py_GIL_DISABLED))]
        // SAFETY: the class of a live instance, of Python's own making and with values in place, since it is plain.
        unsafe {
            raw::keep_shells_of(ffi::Py_TYPE(instance.as_ptr()), &indexes);
        }
    }
    Some(indexes)
}

/// A new instance of `class` with these attributes, in this order. Written in place, where that is possible: a fifth of the cost
/// of setting them one by one.
#[inline(always)]
pub fn filled_instance<'py, const N: usize>(
    class: &Obj<'py>,
    attributes: &'static [Name; N],
    values: [Obj<'py>; N],
) -> Res<Obj<'py>> {
    let instance = new_instance(class)?;
    if !fill(&instance, class, attributes, &values) {
        for (name, value) in attributes.iter().zip(&values) {
            py_ffi::setattr(&instance, *name, value)?;
        }
        return Ok(instance);
    }
    // The references are the instance's now.
    std::mem::forget(values);
    Ok(instance)
}

/// The same out of a record that was [given up](give_up_instance): all values but message, arguments and times are lent, and as a rule
/// those of that one. `Err`: make a new one.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
pub fn remade_instance<'py>(
    untraced: Untraced,
    class: &Obj<'py>,
    attributes: &'static [Name; raw::RECORD],
    steady: [Ref<'_, 'py>; raw::STEADY],
    message: Ref<'_, 'py>,
    args: Obj<'py>,
    times: [f64; 3],
) -> Result<Obj<'py>, Obj<'py>> {
    // SAFETY: an instance of that type was made if a tag is known, so it is a live class; as long as it has the tag, it has these keys.
    let known = PLACES.with(class.py(), |known| unsafe {
        known.are_of(class, attributes)
    });
    if !known {
        return Err(args);
    }
    raw::remake(untraced, class, &steady, message, args, times)
}

#[inline(always)]
fn new_instance<'py>(class: &Obj<'py>) -> Res<Obj<'py>> {
    #[cfg(not(Py_GIL_DISABLED))]
    if let Some(instance) = raw::take(class) {
        return Ok(instance);
    }
    py_ffi::new_instance(class)
}

/// Gives up one that [`filled_instance`] may have made. Runs Python code.
#[inline]
pub fn give_up_instance(instance: Obj<'_>) {
    #[cfg(not(Py_GIL_DISABLED))]
    raw::give_up(instance);
    #[cfg(Py_GIL_DISABLED)]
    drop(instance);
}

/// That a record is as [`remade_instance`] makes them: nobody has altered it.
#[cfg(not(Py_GIL_DISABLED))]
pub use raw::Unaltered;
/// Nothing: without a GIL none is known to be.
#[cfg(Py_GIL_DISABLED)]
#[derive(Clone, Copy)]
pub struct Unaltered {
    /// Has it neither exception nor stack?
    pub tailless: bool,
}

/// Is it?
#[inline(always)]
pub fn unaltered(record: &Obj<'_>) -> Option<Unaltered> {
    #[cfg(not(Py_GIL_DISABLED))]
    return raw::unaltered(record);
    #[cfg(Py_GIL_DISABLED)]
    {
        let _ = record;
        None
    }
}

/// Gives up one that was [hidden](hide_instance) when it was, and never finalized; back, with nothing done, where more has to be asked.
#[inline]
pub fn give_up_unaltered(record: Obj<'_>, unaltered: Unaltered) -> Result<(), Obj<'_>> {
    #[cfg(not(Py_GIL_DISABLED))]
    return raw::give_up_unaltered(record, unaltered);
    #[cfg(Py_GIL_DISABLED)]
    {
        let _ = unaltered;
        Err(record)
    }
}

/// Is there one reference to an instance of a class of Python's own making, the caller's, none to its attributes but by way of it, and will
/// nobody hear of its end? "No" also where that cannot be known.
#[inline]
pub fn is_nobody_elses(instance: &Obj<'_>) -> bool {
    #[cfg(not(Py_GIL_DISABLED))]
    return raw::is_nobody_elses(instance);
    #[cfg(Py_GIL_DISABLED)]
    {
        let _ = instance;
        false
    }
}

/// Takes an instance that is nobody else's from the collector's sight, in which it can be found, until [`show_instance`] or its end.
#[inline]
pub fn hide_instance(instance: &Obj<'_>) {
    #[cfg(not(Py_GIL_DISABLED))]
    raw::hide(instance);
    #[cfg(Py_GIL_DISABLED)]
    let _ = instance;
}

/// Gives it back.
pub fn show_instance(instance: &Obj<'_>) {
    #[cfg(not(Py_GIL_DISABLED))]
    raw::show(instance);
    #[cfg(Py_GIL_DISABLED)]
    let _ = instance;
}

/// Gives a new instance of `class` the values, references and all; false, with nothing done, where they cannot be written in place.
#[inline(always)]
fn fill<'py, const N: usize>(
    instance: &Obj<'py>,
    class: &Obj<'py>,
    attributes: &'static [Name; N],
    values: &[Obj<'py>; N],
) -> bool {
    if !raw::enabled() {
        return false;
    }
    let kind = class.as_ptr().cast();
    // SAFETY: a bound reference is a pointer to its object.
    let items: &[*mut ffi::PyObject; N] = unsafe { &*(&raw const *values).cast() };
    // SAFETY: a fresh instance of that type; distinct names have distinct indexes; the caller gives the references up.
    let fill =
        |indexes: &raw::Indexes| unsafe { raw::fill_new(instance.as_ptr(), kind, indexes, items) };
    // SAFETY: an instance of that type was made, so it is a live class; as long as it has that tag, it has these keys.
    let filled = PLACES.with(class.py(), |known| unsafe {
        (known.are_of(class, attributes)).then(|| fill(&known.indexes))
    });
    filled
        .unwrap_or_else(|| find_places(instance, attributes).is_some_and(|indexes| fill(&indexes)))
}
