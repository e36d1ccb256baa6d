//! Decides, at each call, whether an object still behaves as the stdlib's classes define, and reads its attributes.
//!
//! Nothing derived from instance state is cached. What is cached per type is keyed by the type's version tag, which `CPython`
//! changes whenever the class, a base or its `__bases__` change: what the type's lookup finds for a name, and the name's place
//! in the keys that the type's instances share. [`target`] answers "which native implementation would `obj.name(…)` run";
//! [`attr`] is `obj.name` for a data attribute, with the same result and the same errors.
#![allow(
    clippy::inline_always,
    reason = "what a disabled call pays is this and little else: 46 ns with calls between the parts, 36 without"
)]
mod filled;
mod first_look;
mod roles;
mod types;

#[cfg(not(Py_GIL_DISABLED))]
pub use filled::remade_instance;
pub use filled::{
    Unaltered, filled_instance, give_up_instance, give_up_unaltered, hide_instance,
    is_nobody_elses, show_instance, unaltered,
};
pub use first_look::{
    Found, Own, adapted, adapted_adding, cached_at_once, enabled_at_once, learn,
    own_is_enabled_for, quickly_enabled, root_enabled_at_once,
};
pub use roles::Role;
pub use types::{Part, forget_types, give_up, make_room};
#[cfg(Py_GIL_DISABLED)]
pub use types::{bindings, class_attribute_is, class_target};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::bind;
#[cfg(not(Py_GIL_DISABLED))]
use crate::ffi::Ref;
#[cfg(Py_GIL_DISABLED)]
use crate::ffi::Remembered;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::names::Name;
use crate::natives::Target;
use crate::raw::{self, NO_INDEX};
use crate::saved::Saved;
use first_look::{cache_says, find_enabling};
#[cfg(not(Py_GIL_DISABLED))]
use types::known_target;
use types::{Info, Kind, Slot, State, direct, direct_part, info, kind_in, slot, target_in};

/// What the type's own lookup finds for `name`, borrowed; null when nothing. No descriptor is called.
///
/// # Safety
/// Attached; `class` and `name` are alive, `name` is an interned str. The result lives until the type changes.
pub unsafe fn type_lookup(
    class: *mut ffi::PyTypeObject,
    name: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as the caller says.
    unsafe { raw::lookup(class, name) }
}

/// An object whose attributes can be read without running Python code, looked at once.
///
/// Good until Python code runs. Nearly always the object is read in place and none of its own attributes hides a native method:
/// then what its type says of a method is what a call would run, and a whole [`Role`] is one test instead of one for each method.
#[derive(Clone, Copy)]
pub struct View<'a, 'py> {
    object: &'a Obj<'py>,
    /// The type's information, and the instance's values by index.
    direct: Option<(&'static Info, *mut *mut ffi::PyObject)>,
}

/// That an object is read by index, and where; kept apart from the object, for [`View::of_seen`].
#[derive(Clone, Copy)]
pub struct Seen(&'static Info, *mut *mut ffi::PyObject);

/// The view of an object whose attribute lookup is the interpreter's plain one and runs no Python code; `None` for any other. 3 ns.
#[inline]
pub fn view<'a, 'py>(object: &'a Obj<'py>) -> Option<View<'a, 'py>> {
    view_at_once(object)
}

/// [`view`] of one of the [`Part`]s of each call; inlined.
#[inline(always)]
pub fn view_of<'a, 'py>(object: &'a Obj<'py>, part: Part) -> Option<View<'a, 'py>> {
    match direct_view(object, part) {
        Some(view) => Some(view),
        None => unusual_view(object),
    }
}

/// [`view`] as part of its caller.
#[inline(always)]
fn view_at_once<'a, 'py>(object: &'a Obj<'py>) -> Option<View<'a, 'py>> {
    match View::known(object, direct(object)) {
        Some(view) => Some(view),
        None => unusual_view(object),
    }
}

/// The view of an object that is read by index, of a type met before, as nearly all are; `None` also for others that have one. Who
/// leaves those to another function keeps the view in registers.
#[inline(always)]
pub fn direct_view<'a, 'py>(object: &'a Obj<'py>, part: Part) -> Option<View<'a, 'py>> {
    View::known(object, direct_part(object, part))
}

/// The same for an object with a dict, of a type not met before, with attributes that may hide a method, or without raw reads.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "the object stays where it is: a view comes back through memory, and is copied from there twice"
)]
fn unusual_view<'a, 'py>(object: &'a Obj<'py>) -> Option<View<'a, 'py>> {
    let (info, values) = look_closely(object);
    let view = View {
        object,
        direct: info.map(|info| (info, values)),
    };
    (!values.is_null()).then_some(view)
}

/// The type's information and the instance's values if it is read by index; no information, and anything but null, if it is not; null: it
/// has no view.
#[inline(never)]
fn look_closely(object: &Obj<'_>) -> (Option<&'static Info>, *mut *mut ffi::PyObject) {
    const NO_VIEW: *mut *mut ffi::PyObject = std::ptr::null_mut();
    const BY_NAME: *mut *mut ffi::PyObject = std::ptr::dangling_mut();
    if !raw::reads_instances() {
        return (None, if is_plain(object) { BY_NAME } else { NO_VIEW });
    }
    let Some((info, values, hides)) = values_of(object) else {
        return (None, NO_VIEW);
    };
    // SAFETY: a live object.
    #[cfg(not(Py_GIL_DISABLED))]
    if values.is_null() && unsafe { !raw::finds_names_quietly(object.as_ptr()) } {
        return (None, NO_VIEW);
    }
    let direct = !values.is_null() && !hides;
    // Looked at last: nothing that was not there has gone elsewhere meanwhile.
    #[cfg(Py_GIL_DISABLED)]
    // SAFETY: the array belongs to an object of the type.
    let direct = direct && unsafe { raw::are_valid(values) };
    if direct {
        (Some(info), values)
    } else {
        (None, BY_NAME)
    }
}

/// What is known of the class of an object that can be read in place; the array of its attributes, null if it is not read by index; and
/// whether one of these hides a native method. Where raw reads are on.
fn values_of(object: &Obj<'_>) -> Option<(&'static Info, *mut *mut ffi::PyObject, bool)> {
    values_by(object, info(object))
}

/// The same by what is known of its class now.
fn values_by(
    object: &Obj<'_>,
    info: &'static Info,
) -> Option<(&'static Info, *mut *mut ffi::PyObject, bool)> {
    if !info.plain.get() {
        return None;
    }
    // SAFETY: the info is that of the object's type and plain; the array belongs to an object of the type.
    unsafe {
        let values = raw::indexed_values(object.as_ptr(), ffi::Py_TYPE(object.as_ptr()));
        let shadows = info.shadows.get();
        let hides = !values.is_null() && shadows.count != 0 && shadows.hide_one(values);
        Some((info, values, hides))
    }
}

/// An attribute read without taking a reference, good as long as the [`View`] it was read by. Under the GIL the object holds it
/// until Python code runs; without the GIL another thread may take it away at any time, so there it is owned.
#[cfg(not(Py_GIL_DISABLED))]
pub struct Lent<'a, 'py>(Ref<'a, 'py>);
/// As above.
#[cfg(Py_GIL_DISABLED)]
pub struct Lent<'a, 'py>(Obj<'py>, std::marker::PhantomData<&'a ()>);

impl<'py> std::ops::Deref for Lent<'_, 'py> {
    type Target = Obj<'py>;

    #[inline(always)]
    fn deref(&self) -> &Obj<'py> {
        &self.0
    }
}

impl<'py> Lent<'_, 'py> {
    /// Of a value that the object, its class or a module holds itself.
    #[inline(always)]
    #[cfg_attr(
        not(Py_GIL_DISABLED),
        allow(clippy::needless_pass_by_value, reason = "kept without the GIL")
    )]
    pub fn of(value: Obj<'py>) -> Self {
        #[cfg(not(Py_GIL_DISABLED))]
        // SAFETY: the object that was read, its class or the module holds a reference as long as no Python code runs, which is as long as a
        // view is good.
        return Lent(unsafe { Ref::from_ptr(value.py(), value.as_ptr()) });
        #[cfg(Py_GIL_DISABLED)]
        return Lent(value, std::marker::PhantomData);
    }

    /// The same value for longer than the view's object is borrowed: until Python code runs there is somebody who holds both.
    #[inline(always)]
    pub fn held<'b>(self) -> Lent<'b, 'py> {
        #[cfg(not(Py_GIL_DISABLED))]
        // SAFETY: as for `of`.
        return Lent(unsafe { Ref::from_ptr(self.0.py(), self.0.as_ptr()) });
        #[cfg(Py_GIL_DISABLED)]
        return Lent(self.0, std::marker::PhantomData);
    }
}

impl<'a, 'py> View<'a, 'py> {
    /// The view of an object that is read by index, if it is.
    #[inline(always)]
    fn known(
        object: &'a Obj<'py>,
        direct: Option<(&'static Info, *mut *mut ffi::PyObject)>,
    ) -> Option<Self> {
        direct.is_some().then_some(View { object, direct })
    }

    /// The view of the object that has just been seen; to look once more costs 28 instructions. Only [`crate::call::Call`] keeps such
    /// a thing, beside the object it is of, and only until anything has run.
    #[inline]
    pub fn of_seen(object: &'a Obj<'py>, seen: Seen) -> Self {
        let Seen(info, values) = seen;
        debug_assert!(
            view(object).is_some_and(|view| view.direct.is_some_and(|(_, now)| now == values))
        );
        View {
            object,
            direct: Some((info, values)),
        }
    }

    /// The object itself.
    #[inline]
    pub fn object(&self) -> &'a Obj<'py> {
        self.object
    }

    /// Is every method that `role` runs the native one?
    #[inline(always)]
    pub fn is(&self, role: Role) -> bool {
        match self.direct {
            Some((info, _)) => {
                let bit = 1 << role as u8;
                // An answer that is yes is known.
                let (known, answers) = info.roles.get();
                answers & bit != 0 || (known & bit == 0 && self.find_out(info, role))
            }
            None => self.all_native(role),
        }
    }

    /// Is the class, and every instance of it that is read by index, what `holds` says of this one by what its class has alone:
    /// [`class_shows`](Self::class_shows), [`method`](Self::method), [`may_be_set`](Self::may_be_set) …? An object that is not read by index is asked each time.
    #[inline]
    pub fn is_by(&self, role: Role, holds: impl FnOnce(&Self) -> bool) -> bool {
        let Some((info, _)) = self.direct else {
            return holds(self);
        };
        let bit = 1 << role as u8;
        let (known, answers) = info.roles.get();
        if known & bit != 0 {
            return answers & bit != 0;
        }
        let answer = holds(self);
        Self::keep(info, role, answer)
    }

    fn keep(info: &'static Info, role: Role, answer: bool) -> bool {
        let bit = 1 << role as u8;
        let (known, answers) = info.roles.get();
        let answers = if answer { answers | bit } else { answers };
        info.roles.set((known | bit, answers));
        answer
    }

    #[cold]
    fn find_out(&self, info: &'static Info, role: Role) -> bool {
        Self::keep(info, role, self.all_native(role))
    }

    fn all_native(&self, role: Role) -> bool {
        if role.is_asked_for_truth() && !py_ffi::is_true_as_any_object(self.object) {
            return false;
        }
        role.methods()
            .iter()
            .all(|(name, native)| native.contains(&self.method(*name)))
    }

    /// Which native implementation `object.name(…)` would run.
    #[inline(always)]
    pub fn method(&self, name: Name) -> Target {
        match self.direct {
            Some((info, _)) => target_in(self.object, info, name),
            None => own_or_type_target(self.object, name),
        }
    }

    /// Is the object true because its class says nothing of truth or length? "No" also where that is not known.
    #[inline]
    pub fn is_true(&self) -> bool {
        self.direct.is_some_and(|(info, _)| info.truth.get())
    }

    /// Is the object read by index?
    #[inline]
    pub fn is_direct(&self) -> bool {
        self.direct.is_some()
    }

    /// Would `object.name = …` set the object's own attribute and nothing else?
    #[inline]
    pub fn may_be_set(&self, name: Name) -> bool {
        self.direct.is_some_and(|(info, _)| {
            // SAFETY: the slots of a live object's type are read.
            let plainly = unsafe { raw::has_plain_setattro(ffi::Py_TYPE(self.object.as_ptr())) };
            plainly && slot(self.object, info, name).state == State::Plain
        })
    }

    /// After `object.name = value`, is `object.name` that value, for each of `names`? True where nothing of the object's class has a
    /// say in it.
    pub fn keeps(&self, names: &[Name]) -> bool {
        if self.direct.is_some() {
            return names.iter().all(|name| self.may_be_set(*name));
        }
        let py = self.object.py();
        // SAFETY: the slots of a live object's type are read.
        let plainly = unsafe { raw::has_plain_setattro(ffi::Py_TYPE(self.object.as_ptr())) };
        plainly && !names.iter().any(|name| self.type_has(&name.object(py)))
    }

    /// As with the GIL; without it another thread may be reading there.
    #[cfg(Py_GIL_DISABLED)]
    #[allow(clippy::unused_self, reason = "same shape as with the GIL")]
    pub fn set(&self, _: Name, value: Obj<'py>) -> Result<(), Obj<'py>> {
        Err(value)
    }

    /// `object.name = value` in place; the value back, with nothing done, where the interpreter has to do it. Giving up the old
    /// value may run Python code.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline]
    pub fn set(&self, name: Name, value: Obj<'py>) -> Result<(), Obj<'py>> {
        let Some((info, _)) = self.direct else {
            return Err(value);
        };
        let mut index = info.places[name as usize].get();
        if index == NO_INDEX {
            let slot = slot(self.object, info, name);
            if slot.state != State::Plain {
                return Err(value);
            }
            index = slot.index;
        }
        // SAFETY: the slots of a live object's type are read; the object is of that type, which has a managed dict and nothing but
        // a value under that name; the index is one of its shared keys or none.
        unsafe {
            let kind = ffi::Py_TYPE(self.object.as_ptr());
            if !raw::has_plain_setattro(kind)
                || !raw::set_at(self.object.as_ptr(), kind, index, value.as_ptr())
            {
                return Err(value);
            }
        }
        // The reference is the object's now.
        std::mem::forget(value);
        Ok(())
    }

    /// `object.name = value` in place, if the object has no such attribute yet, but a place for it. Runs nothing.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline]
    fn set_first(&self, name: Name, value: &Obj<'py>) -> bool {
        let Some((info, values)) = self.direct else {
            return false;
        };
        let mut index = info.places[name as usize].get();
        if index == NO_INDEX {
            let slot = slot(self.object, info, name);
            if slot.state != State::Plain || slot.index == NO_INDEX {
                return false;
            }
            index = slot.index;
        }
        // SAFETY: a place of the shared keys; else as in `set`.
        let done = unsafe {
            let kind = ffi::Py_TYPE(self.object.as_ptr());
            value_address(values, index).is_null()
                && raw::has_plain_setattro(kind)
                && raw::set_at(self.object.as_ptr(), kind, index, value.as_ptr())
        };
        if done {
            // The object has a reference of its own now.
            std::mem::forget(value.clone());
        }
        done
    }

    /// Is `object.__dict__` the interpreter's own view of the object's attributes?
    #[inline]
    pub fn has_own_dict(&self) -> bool {
        self.direct
            .is_some_and(|(info, _)| slot(self.object, info, Name::__dict__).kind == Kind::GetSet)
    }

    /// Does the object's class have an attribute `name` (a str)?
    pub fn type_has(&self, name: &Obj<'py>) -> bool {
        // SAFETY: the type is alive while the object is; the name is an exact str, interned or not.
        unsafe { !type_lookup(ffi::Py_TYPE(self.object.as_ptr()), name.as_ptr()).is_null() }
    }

    /// The Python function of its class that `object.name` binds, where nothing of the object's own hides it.
    #[inline]
    pub fn function(&self, name: Name) -> Option<Obj<'py>> {
        let (info, values) = self.direct?;
        let (kind, index) = kind_in(self.object, info, name);
        // SAFETY: an index of the shared keys.
        let shown = kind == Kind::Function
            && (index == NO_INDEX || unsafe { value_address(values, index).is_null() });
        shown
            .then(|| function_of(self.object, info, slot(self.object, info, name), name))
            .flatten()
    }

    /// `object.name`, if it exists and is no descriptor's business.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline(always)]
    pub fn get(&self, name: Name) -> Option<Obj<'py>> {
        if self.direct.is_some() {
            self.look(name).map(pyo3::Borrowed::to_owned)
        } else {
            peek_anywhere(self.object, name)
        }
    }

    /// Is there an `object.name` (see [`Self::get`]) of which `holds` is true? `holds` runs no Python code.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline(always)]
    pub fn test(&self, name: Name, holds: impl FnOnce(&Obj<'py>) -> bool) -> bool {
        if self.direct.is_some() {
            self.look(name).is_some_and(|found| holds(&found))
        } else {
            peek_anywhere(self.object, name).is_some_and(|found| holds(&found))
        }
    }

    /// [`Self::get`] of an object that is read in place, without taking a reference: good as long as the view is.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline(always)]
    fn look(&self, name: Name) -> Option<Ref<'a, 'py>> {
        let (info, values) = self.direct?;
        match self.lend_known(name) {
            Some(Lent(own)) => Some(own),
            None => self.look_at_class(info, values, name),
        }
    }

    /// [`Self::lend`] of an attribute of the object's own, whose place is known by now: no dict is searched, so not even a comparison
    /// of keys can run Python code. `None` says nothing.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline(always)]
    pub fn lend_known(&self, name: Name) -> Option<Lent<'a, 'py>> {
        let (info, values) = self.direct?;
        let place = info.places[name as usize].get();
        if place == NO_INDEX {
            return None;
        }
        // SAFETY: an index of the shared keys, which the array has; what is found is alive until Python code runs, and the view
        // is not used after that.
        unsafe {
            let found = *values.add(place as usize);
            pyo3::Borrowed::from_ptr_or_opt(self.object.py(), found).map(Lent)
        }
    }

    /// [`Self::method`] of an object that is read in place, if its class has been asked before: no dict is searched.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline(always)]
    pub fn known_method(&self, name: Name) -> Option<Target> {
        known_target(self.direct?.0, name)
    }

    /// The same by the slot: the class's own attribute, or one that was not asked for yet.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline(never)]
    fn look_at_class(
        &self,
        info: &'static Info,
        values: *mut *mut ffi::PyObject,
        name: Name,
    ) -> Option<Ref<'a, 'py>> {
        let slot = slot(self.object, info, name);
        if slot.state != State::Plain {
            return None;
        }
        // SAFETY: as for `look`; the class attribute is alive as long as the type's tag stays.
        unsafe {
            let mut found = std::ptr::null_mut();
            if slot.index != NO_INDEX {
                found = *values.add(slot.index as usize);
            }
            if found.is_null() {
                found = slot.default.address();
            }
            pyo3::Borrowed::from_ptr_or_opt(self.object.py(), found)
        }
    }

    /// The object's own `name`, the class not asked; `None` also for an object that is not read by index.
    #[inline]
    pub fn lend_own(&self, name: Name) -> Option<Lent<'a, 'py>> {
        let (info, values) = self.direct?;
        let mut index = info.places[name as usize].get();
        if index == NO_INDEX {
            index = slot(self.object, info, name).index;
            if index == NO_INDEX {
                return None;
            }
        }
        // SAFETY: an index of the shared keys, which the array has; what is found is alive until Python code runs, and the view is
        // not used after that.
        unsafe {
            #[cfg(not(Py_GIL_DISABLED))]
            {
                let found = *values.add(index as usize);
                pyo3::Borrowed::from_ptr_or_opt(self.object.py(), found).map(Lent)
            }
            #[cfg(Py_GIL_DISABLED)]
            own_value(self.object.py(), values, index).map(Lent::of)
        }
    }

    /// As [`View::get`], without taking a reference.
    #[inline(always)]
    pub fn lend(&self, name: Name) -> Option<Lent<'a, 'py>> {
        #[cfg(not(Py_GIL_DISABLED))]
        if self.direct.is_some() {
            return self.look(name).map(Lent);
        }
        self.get(name).map(Lent::of)
    }

    /// `object.name` where that is a small exact `int`, and reading it runs no Python code.
    #[inline(always)]
    pub fn number(&self, name: Name) -> Option<i64> {
        raw::small_int(&*self.lend(name)?)
    }

    /// As [`View::lend`] for an attribute that is nearly always the class's own: 20 instructions less.
    #[inline(always)]
    pub fn lend_of_class(&self, name: Name) -> Option<Lent<'a, 'py>> {
        #[cfg(not(Py_GIL_DISABLED))]
        if let Some((info, _)) = self.direct {
            // SAFETY: a slot is only read, at once; as for `look_at_class`.
            unsafe {
                let slot = info.slots[name as usize].as_ptr();
                if (*slot).state == State::Plain && (*slot).index == NO_INDEX {
                    let found = (*slot).default.address();
                    return Borrowed::from_ptr_or_opt(self.object.py(), found).map(Lent);
                }
            }
        }
        self.lend(name)
    }

    /// Is `object` what the class has under `name` (no descriptor is called)?
    #[inline]
    pub fn class_has(&self, name: Name, object: &Saved) -> bool {
        match self.direct {
            Some((info, _)) => object.is_at(slot(self.object, info, name).default.address()),
            None => py_ffi::type_attr(self.object, name).is_some_and(|found| object.is(&found)),
        }
    }

    /// Does `object.name` bind this function of its class, with nothing of the object's own in front of it?
    #[inline]
    pub fn shows(&self, name: Name, function: &Saved) -> bool {
        let Some((info, values)) = self.direct else {
            return self.shows_in_dict(name, function);
        };
        let slot = slot(self.object, info, name);
        // SAFETY: the object's own values, an index of the shared keys. What is found is only asked whether it is there.
        function.is_at(slot.default.address())
            && (slot.index == NO_INDEX || unsafe { value_address(values, slot.index).is_null() })
    }

    /// [`shows`](Self::shows) of whatever instance: none that is read by index has a place for something of its own there.
    pub fn class_shows(&self, name: Name, function: &Saved) -> bool {
        let Some((info, _)) = self.direct else {
            return self.shows_in_dict(name, function);
        };
        let slot = slot(self.object, info, name);
        function.is_at(slot.default.address()) && slot.index == NO_INDEX
    }

    fn shows_in_dict(&self, name: Name, function: &Saved) -> bool {
        if !raw::reads_instances() {
            return false;
        }
        let slot = slot(self.object, info(self.object), name);
        // SAFETY: a view is of a plain type, whose slot this is. What is found is only asked whether it is there.
        #[cfg(not(Py_GIL_DISABLED))]
        let shown = || unsafe { own(self.object, slot, name).is_null() };
        #[cfg(Py_GIL_DISABLED)]
        let shown = || py_ffi::own_dict_get(self.object, name).is_none();
        function.is_at(slot.default.address()) && shown()
    }

    /// What the logger's `_cache` says of `level` while it is not disabled, by reads alone; `None` when anything is not as usual.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline]
    pub fn cached_enabled(&self, level: &Obj<'py>) -> Option<bool> {
        let (info, values) = self.direct?;
        let number = usize::try_from(raw::small_int(level)?).ok()?;
        let mut enabling = info.enabling.get();
        if !enabling.known {
            enabling = find_enabling(self.object, info);
        }
        if enabling.cache == NO_INDEX {
            return None;
        }
        // SAFETY: the values of an object of that type, where both have places; the key is an exact int, its own hash.
        unsafe {
            cache_says(values, enabling, |cache| {
                raw::peek_small_int(cache, level.as_ptr(), number as isize)
            })
        }
    }
}

#[cfg(Py_GIL_DISABLED)]
impl<'py> View<'_, 'py> {
    /// `object.name`, if it exists and is no descriptor's business.
    #[inline]
    pub fn get(&self, name: Name) -> Option<Obj<'py>> {
        let Some((info, values)) = self.direct else {
            return peek_anywhere(self.object, name);
        };
        let slot = slot(self.object, info, name);
        if slot.state != State::Plain {
            return None;
        }
        if slot.index != NO_INDEX {
            // SAFETY: an index of the shared keys, which the array has.
            match unsafe { raw::value_at(self.object.py(), values, slot.index) } {
                Ok(Some(found)) => return Some(found),
                Ok(None) => {}
                Err(raw::Elsewhere) => return peek_anywhere(self.object, name),
            }
        }
        class_value(self.object, slot, name)
    }

    /// Is there an `object.name` (see [`Self::get`]) of which `holds` is true? `holds` runs no Python code.
    #[inline]
    pub fn test(&self, name: Name, holds: impl FnOnce(&Obj<'py>) -> bool) -> bool {
        self.get(name).is_some_and(|found| holds(&found))
    }

    /// What the logger's `_cache` says of `level` while it is not disabled; `None` when anything is not as usual.
    #[inline(always)]
    pub fn cached_enabled(&self, level: &Obj<'py>) -> Option<bool> {
        let (info, values) = self.direct?;
        if !py_ffi::is_int(level) {
            return None;
        }
        let mut enabling = info.enabling.get();
        if !enabling.known {
            enabling = find_enabling(self.object, info);
        }
        if enabling.cache == NO_INDEX {
            return None;
        }
        // SAFETY: the values of an object of that type, where both have places.
        unsafe { cache_says(level, values, enabling) }
    }
}

/// What stands at an index of the shared keys in an instance's values, only to be compared.
///
/// # Safety
/// The values of a live instance, an index of its class's keys.
#[inline(always)]
unsafe fn value_address(values: *mut *mut ffi::PyObject, index: u8) -> *mut ffi::PyObject {
    // SAFETY: the caller's.
    unsafe {
        #[cfg(not(Py_GIL_DISABLED))]
        return *values.add(index as usize);
        #[cfg(Py_GIL_DISABLED)]
        raw::address_at(values, index)
    }
}

/// The instance's own value at an index of the shared keys; `None` also where only the interpreter can tell.
///
/// # Safety
/// As [`value_address`].
#[cfg(Py_GIL_DISABLED)]
#[inline(always)]
unsafe fn own_value(py: Python<'_>, values: *mut *mut ffi::PyObject, index: u8) -> Option<Obj<'_>> {
    // SAFETY: the caller's.
    unsafe { raw::value_at(py, values, index).ok().flatten() }
}

/// The Python function that a slot of a class remembers.
#[inline(always)]
fn function_of<'py>(
    object: &Obj<'py>,
    info: &'static Info,
    slot: Slot,
    name: Name,
) -> Option<Obj<'py>> {
    #[cfg(not(Py_GIL_DISABLED))]
    {
        let _ = (info, name);
        slot.default.object(object.py())
    }
    #[cfg(Py_GIL_DISABLED)]
    {
        // SAFETY: the type is alive while the object is. While it has the tag it has the function: whoever takes that away takes the tag
        // first, so that a thread which has seen the tag and not stopped since may still ask the function for a reference. No tag tells
        // nothing.
        let function = unsafe {
            let tag = info.tag.get();
            let is_current = || tag != 0 && raw::type_tag(ffi::Py_TYPE(object.as_ptr())) == tag;
            (is_current() && slot.default != Remembered::NOTHING)
                .then(|| raw::own_if_alive(object.py(), slot.default.address()))
                .flatten()
                .filter(|_| is_current())
        };
        function.or_else(|| py_ffi::type_attr(object, name).filter(py_ffi::is_function))
    }
}

/// The class attribute of a slot that has no descriptor.
#[cfg(Py_GIL_DISABLED)]
#[inline]
fn class_value<'py>(obj: &Obj<'py>, slot: Slot, name: Name) -> Option<Obj<'py>> {
    if slot.default == Remembered::NOTHING {
        return None;
    }
    slot.default.object(obj.py()).or_else(|| {
        // Another thread may have put something else there by now.
        py_ffi::type_attr(obj, name).filter(|found| !py_ffi::is_descriptor(found))
    })
}

/// [`View::get`] of an object that is not read by index.
#[inline(never)]
fn peek_anywhere<'py>(obj: &Obj<'py>, name: Name) -> Option<Obj<'py>> {
    if raw::reads_instances() {
        let info = info(obj);
        let slot = slot(obj, info, name);
        if slot.state != State::Plain {
            return None;
        }
        // SAFETY: a view is of a plain type, whose info this is; the borrowed value is owned before anything can run.
        #[cfg(not(Py_GIL_DISABLED))]
        return unsafe {
            let found = own(obj, slot, name);
            let found = if found.is_null() {
                slot.default.address()
            } else {
                found
            };
            Bound::from_borrowed_ptr_or_opt(obj.py(), found)
        };
        #[cfg(Py_GIL_DISABLED)]
        return own_by_index(obj, slot)
            .unwrap_or_else(|raw::Elsewhere| py_ffi::own_dict_get(obj, name))
            .or_else(|| class_value(obj, slot, name));
    }
    if slot(obj, info(obj), name).state == State::Descriptor {
        return None;
    }
    py_ffi::getattr_opt(obj, name).unwrap_or_else(|raised| {
        raised.clear(obj.py());
        None
    })
}

/// The instance's own attribute, borrowed; null when it has none of that name.
///
/// # Safety
/// `info` is that of the type of `obj`, up to date and plain; the result is good until Python code runs.
#[cfg(not(Py_GIL_DISABLED))]
#[inline]
unsafe fn own(obj: &Obj<'_>, slot: Slot, name: Name) -> *mut ffi::PyObject {
    // SAFETY: as the caller says; the hash is the name's own.
    unsafe {
        let found = raw::get(
            obj.as_ptr(),
            ffi::Py_TYPE(obj.as_ptr()),
            slot.index,
            name.object(obj.py()).as_ptr(),
            name.hash(),
        );
        if found.is_null() && !raw_has_values(obj) && !ffi::PyErr_Occurred().is_null() {
            // A dict with keys whose comparison raises: the caller asks the interpreter, which raises again.
            ffi::PyErr_Clear();
        }
        found
    }
}

#[cfg(not(Py_GIL_DISABLED))]
#[inline]
fn raw_has_values(obj: &Obj<'_>) -> bool {
    // SAFETY: a live object of a plain type (the only caller is `own`).
    unsafe { !raw::values(obj.as_ptr(), ffi::Py_TYPE(obj.as_ptr())).is_null() }
}

/// Which native implementation `obj.method(…)` would run now; `Foreign` when Python code has to be asked.
#[inline]
pub fn target(obj: &Obj<'_>, method: Name) -> Target {
    match view(obj) {
        Some(View {
            direct: Some((info, _)),
            ..
        }) => slot(obj, info, method).target,
        _ => own_or_type_target(obj, method),
    }
}

/// The same for an object whose view, where it has one, was made just now.
#[inline(always)]
pub fn target_by<'py>(view: Option<&View<'_, 'py>>, obj: &Obj<'py>, method: Name) -> Target {
    match view {
        Some(view) => view.method(method),
        None => target(obj, method),
    }
}

/// The same for an object that may hide a method or is not read in place.
#[inline(never)]
fn own_or_type_target(obj: &Obj<'_>, method: Name) -> Target {
    if !raw::reads_instances() {
        return target_by_lookup(obj, method);
    }
    let info = info(obj);
    let slot = slot(obj, info, method);
    if slot.target == Target::Foreign {
        return Target::Foreign;
    }
    if !info.plain.get() {
        return target_by_lookup(obj, method);
    }
    // Functions are no data descriptors, so an instance attribute wins.
    #[cfg(not(Py_GIL_DISABLED))]
    // SAFETY: the info is of this type and plain.
    let shown = unsafe { own(obj, slot, method).is_null() };
    #[cfg(Py_GIL_DISABLED)]
    let shown = match own_by_index(obj, slot) {
        Ok(own) => own.is_none(),
        Err(raw::Elsewhere) => py_ffi::own_dict_get(obj, method).is_none(),
    };
    if shown { slot.target } else { Target::Foreign }
}

/// The instance's own attribute, of an instance of a plain type, whose slot that is.
#[cfg(Py_GIL_DISABLED)]
#[inline]
fn own_by_index<'py>(obj: &Obj<'py>, slot: Slot) -> Result<Option<Obj<'py>>, raw::Elsewhere> {
    // SAFETY: a live object of a plain type, and a place of the keys its class shares.
    unsafe {
        let values = raw::indexed_values(obj.as_ptr(), ffi::Py_TYPE(obj.as_ptr()));
        if values.is_null() {
            return Err(raw::Elsewhere);
        }
        if slot.index != NO_INDEX {
            return raw::value_at(obj.py(), values, slot.index);
        }
        raw::are_valid(values).then_some(None).ok_or(raw::Elsewhere)
    }
}

/// The same by the interpreter's own lookup: is what it would call a method of ours on this very object?
#[cold]
fn target_by_lookup(obj: &Obj<'_>, method: Name) -> Target {
    match py_ffi::callee(obj, method) {
        Ok((found, true)) => bind::target_of(found.as_ptr()),
        Ok((found, false)) => bind::bound_method_target(&found, obj),
        Err(raised) => {
            raised.clear(obj.py());
            Target::Foreign
        }
    }
}

/// `obj.name`
#[inline]
pub fn attr<'py>(obj: &Obj<'py>, name: Name) -> Res<Obj<'py>> {
    match view(obj).and_then(|view| view.get(name)) {
        Some(value) => Ok(value),
        None => py_ffi::getattr(obj, name),
    }
}

/// `obj.name = value`, in place where that is possible.
#[inline]
pub fn set<'py>(obj: &Obj<'py>, name: Name, value: Obj<'py>) -> Res<()> {
    match view(obj) {
        Some(view) => set_by(&view, name, value),
        None => py_ffi::setattr(obj, name, &value),
    }
}

/// The same for an object that has just been looked at.
#[inline(always)]
pub fn set_by<'py>(view: &View<'_, 'py>, name: Name, value: Obj<'py>) -> Res<()> {
    match view.set(name, value) {
        Ok(()) => Ok(()),
        Err(value) => py_ffi::setattr(view.object(), name, &value),
    }
}

/// `obj.name = value`, one after the other: in place where the names have places, and all of it by the interpreter where one has none yet,
/// as with the first object of a class.
pub fn set_all<'py>(obj: &Obj<'py>, values: &[(Name, &Obj<'py>)]) -> Res<()> {
    #[cfg_attr(Py_GIL_DISABLED, allow(unused_mut, reason = "as `View::set`"))]
    let mut left = values;
    #[cfg(not(Py_GIL_DISABLED))]
    if let Some(view) = View::known(obj, direct(obj)) {
        while let [(name, value), rest @ ..] = left
            && view.set_first(*name, value)
        {
            left = rest;
        }
    }
    left.iter()
        .try_for_each(|(name, value)| py_ffi::setattr(obj, *name, value))
}

/// `obj.name(*args)`. A Python function of the class is called without the interpreter looking it up once more: 200 instructions
/// of 450.
pub fn call_method<'py, const N: usize>(
    obj: &Obj<'py>,
    name: Name,
    args: [&Obj<'py>; N],
) -> Res<Obj<'py>> {
    call_of(obj, direct(obj), name, args)
}

/// The same of one of the [`Part`]s of each call; inlined.
#[inline(always)]
pub fn call_method_at_once<'py, const N: usize>(
    obj: &Obj<'py>,
    part: Part,
    name: Name,
    args: [&Obj<'py>; N],
) -> Res<Obj<'py>> {
    call_of(obj, direct_part(obj, part), name, args)
}

#[inline(always)]
fn call_of<'py, const N: usize>(
    object: &Obj<'py>,
    direct: Option<(&'static Info, *mut *mut ffi::PyObject)>,
    name: Name,
    args: [&Obj<'py>; N],
) -> Res<Obj<'py>> {
    match View::known(object, direct).and_then(|view| view.function(name)) {
        Some(function) => py_ffi::call_on(&function, object, args),
        None => call_otherwise(object, name, args),
    }
}

/// The same for an object of a type not met before, and for methods that are no Python functions.
#[inline(never)]
fn call_otherwise<'py, const N: usize>(
    obj: &Obj<'py>,
    name: Name,
    args: [&Obj<'py>; N],
) -> Res<Obj<'py>> {
    match view(obj).and_then(|view| view.function(name)) {
        Some(function) => py_ffi::call_on(&function, obj, args),
        None => py_ffi::method(obj, name, args),
    }
}

/// What `obj.name` is now, to be called later.
pub enum Method<'a, 'py> {
    /// A Python function of the class, for this object.
    Function(Obj<'py>, &'a Obj<'py>),
    /// Whatever else the interpreter found.
    Found(Obj<'py>),
}

impl<'py> Method<'_, 'py> {
    /// `method(*args)`
    pub fn call<const N: usize>(&self, args: [&Obj<'py>; N]) -> Res<Obj<'py>> {
        match self {
            Method::Function(function, obj) => py_ffi::call_on(function, obj, args),
            Method::Found(found) => py_ffi::call(found, &args),
        }
    }
}

/// `obj.name`, to be called. No bound method is made of a Python function of the class: 650 instructions.
pub fn method_of<'a, 'py>(obj: &'a Obj<'py>, name: Name) -> Res<Method<'a, 'py>> {
    match view(obj).and_then(|view| view.function(name)) {
        Some(function) => Ok(Method::Function(function, obj)),
        None => py_ffi::getattr(obj, name).map(Method::Found),
    }
}

/// Has nobody asked for the `__dict__` of this object yet? Then its attributes stand in the places of its class.
#[cfg(not(Py_3_13))]
pub fn has_no_dict(obj: &Obj<'_>) -> bool {
    // SAFETY: a live object of a plain type.
    raw::reads_instances()
        && info(obj).plain.get()
        && unsafe { !raw::values(obj.as_ptr(), ffi::Py_TYPE(obj.as_ptr())).is_null() }
}

/// Is the object's attribute lookup the interpreter's plain one, so that asking for a name more often than the stdlib does is
/// seen by nobody?
#[inline]
pub fn is_plain(obj: &Obj<'_>) -> bool {
    if raw::reads_instances() {
        return info(obj).plain.get();
    }
    // SAFETY: the type is alive while `obj` is.
    unsafe { raw::has_plain_getattro(ffi::Py_TYPE(obj.as_ptr())) }
}

/// `obj.name` when reading it can run no Python code; `None` when it could, or when there is no such attribute.
#[inline]
pub fn peek<'py>(obj: &Obj<'py>, name: Name) -> Option<Obj<'py>> {
    view(obj)?.get(name)
}
