//! New instances with all their attributes written at once.
use pyo3::ffi;

use super::types::{State, info, slot};
use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::names::Name;
use crate::raw::{self, NO_INDEX};

/// Where the attributes that [`filled_instance`] sets stand in the shared keys of one class: for a version of the class and a
/// number of keys. Looking up each of a record's 21 costs 25 ns.
#[derive(Clone, Copy)]
struct Places {
    names: *const Name,
    tag: u32,
    keys: usize,
    indexes: raw::Indexes,
}

static PLACES: Shared<Places> = Shared::new(Places {
    names: std::ptr::null(),
    tag: 0,
    keys: 0,
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
    PLACES.with(instance.py(), |known| {
        *known = Places {
            names: attributes.as_ptr(),
            tag: info.tag.get(),
            keys: info.keys_len.get(),
            indexes,
        };
    });
    Some(indexes)
}

/// A new instance of `class` with these attributes, in this order, written in place; `None` when that is not possible (the
/// caller then sets them one by one). A fifth of the cost of setting them.
pub fn filled_instance<'py, const N: usize>(
    class: &Obj<'py>,
    attributes: &'static [Name; N],
    values: [&Obj<'py>; N],
) -> Res<Option<Obj<'py>>> {
    if !raw::enabled() {
        return Ok(None);
    }
    let instance = py_ffi::new_instance(class)?;
    let kind = class.as_ptr().cast();
    let items = values.map(pyo3::Bound::as_ptr);
    // SAFETY: a fresh instance of that type; distinct names have distinct indexes; the references are made right after they were
    // handed over, when nothing else has run.
    let fill = |indexes: &raw::Indexes| unsafe {
        let filled = raw::fill_new(instance.as_ptr(), kind, indexes, &items);
        if filled {
            for item in items {
                ffi::Py_INCREF(item);
            }
        }
        filled
    };
    // SAFETY: a new instance of that type was made, so it is a live class.
    let (tag, keys) = unsafe { (raw::type_tag(kind), raw::keys_len(raw::shared_keys(kind))) };
    let filled = PLACES.with(class.py(), |known| {
        let same = known.names == attributes.as_ptr() && known.tag == tag && known.keys == keys;
        (same && tag != 0).then(|| fill(&known.indexes))
    });
    let filled = match filled {
        Some(filled) => filled,
        None => find_places(&instance, attributes).is_some_and(|indexes| fill(&indexes)),
    };
    Ok(filled.then_some(instance))
}
