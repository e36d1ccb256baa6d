//! What is known of each type, by the version tag that `CPython` changes whenever the class, a base or its `__bases__` change: what
//! the type's lookup finds for a name, and the name's place in the keys that the type's instances share.
#![allow(clippy::inline_always, reason = "part of a disabled call; see `guard`")]
use std::cell::Cell;
use std::collections::HashMap;

use pyo3::ffi;
use pyo3::prelude::*;

use super::first_look::Enabling;
use super::value_address;
use crate::bind;
use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Obj, Remembered};
use crate::names::{self, Name};
use crate::natives::Target;
use crate::raw::{self, NO_INDEX};

/// How to read one name on instances of one type. Worked out when first asked for.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    /// The name's place in the type's shared keys.
    pub(super) index: u8,
    pub(super) state: State,
    /// The class attribute of that name; alive as long as the type's tag stays.
    pub(super) default: Remembered,
    pub(super) kind: Kind,
    /// The native implementation the type's lookup finds, if it finds one.
    pub(super) target: Target,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Not asked for since the type changed.
    Unknown,
    /// The instance's own value, else the class attribute.
    Plain,
    /// A descriptor decides: the interpreter's own attribute lookup.
    Descriptor,
}

/// What kind of object a class attribute is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A Python function.
    Function,
    /// The interpreter's own access to a part of the instance.
    GetSet,
    /// Anything else, or nothing.
    Other,
}

pub(super) const UNKNOWN: Slot = Slot {
    index: NO_INDEX,
    state: State::Unknown,
    default: Remembered::NOTHING,
    kind: Kind::Other,
    target: Target::Foreign,
};

/// What is known of one type. Never freed but reused in place: a type that dies leaves its place to the next at its address.
pub(super) struct Info {
    /// The tag all this holds for; 0: for nothing.
    pub(super) tag: Cell<u32>,
    /// Instances can be read in place: managed dict, no `__getattribute__`, no `__getattr__`.
    pub(super) plain: Cell<bool>,
    /// The size of an instance without its attributes, in bytes.
    #[cfg(not(Py_GIL_DISABLED))]
    pub(super) size: Cell<usize>,
    pub(super) keys: Cell<*mut raw::Keys>,
    pub(super) keys_len: Cell<usize>,
    /// Instances are true: the type says nothing of truth or length.
    pub(super) truth: Cell<bool>,
    pub(super) shadows: Cell<Shadows>,
    /// For each [`Role`]: asked for already, and the answer.
    pub(super) roles: Cell<(u16, u16)>,
    /// Where an attribute that no descriptor decides stands in the shared keys; `NO_INDEX`: only its slot tells.
    pub(super) places: [Cell<u8>; names::COUNT],
    pub(super) enabling: Cell<Enabling>,
    pub(super) slots: [Cell<Slot>; names::COUNT],
}

/// The places in the shared keys of names under which an instance would hide a native method of the type. Nearly always none:
/// then it takes nothing to know that an instance hides none.
#[derive(Clone, Copy)]
pub(super) struct Shadows {
    pub(super) count: u8,
    pub(super) indexes: [u8; Self::MOST],
}

impl Shadows {
    /// More than this in one class, and its instances are asked name by name.
    const MOST: usize = 6;
    const NONE: Self = Shadows {
        count: 0,
        indexes: [0; Self::MOST],
    };
    const TOO_MANY: u8 = u8::MAX;

    /// Does an instance with these values hide one of the methods?
    ///
    /// # Safety
    /// The values of an instance of the type.
    pub(super) unsafe fn hide_one(&self, values: *mut *mut ffi::PyObject) -> bool {
        match self.indexes.get(..self.count as usize) {
            // SAFETY: places of the shared keys, which the array has.
            Some(indexes) => indexes
                .iter()
                .any(|index| unsafe { !value_address(values, *index).is_null() }),
            None => true,
        }
    }

    fn push(&mut self, index: u8) {
        match self.indexes.get_mut(self.count as usize) {
            Some(slot) => {
                *slot = index;
                self.count += 1;
            }
            None => self.count = Self::TOO_MANY,
        }
    }
}

const TABLE_SIZE: usize = 1024;

/// What is known of a type with one of the tags that share a place.
#[derive(Clone, Copy)]
struct Tagged {
    /// The type's tag if its instances with values in place need no further question: plain, with shared keys and no shadows. One comparison tells; else a tag of another place.
    direct: u32,
    info: Option<&'static Info>,
}

/// Types by version tag, each in the first of two places or, where another type has that, in the second; and all of them by address.
struct Types {
    /// Whatever is direct here has that tag in its info, too.
    by_tag: [Tagged; TABLE_SIZE],
    by_address: Option<HashMap<usize, &'static Info>>,
    /// Places that are not in use.
    free: Vec<&'static Info>,
    /// Has [`make_room`] something to do?
    crowded: bool,
    /// See [`give_up`]; owned.
    given_up: Vec<*mut ffi::PyObject>,
    /// What was bound when all this was found out.
    #[cfg(Py_GIL_DISABLED)]
    bindings: u64,
}

/// Nothing in any place.
const NO_TAGS: [Tagged; TABLE_SIZE] = {
    let mut tags = [nothing_at(0); TABLE_SIZE];
    let mut place = 0;
    while place < TABLE_SIZE {
        tags[place] = nothing_at(place);
        place += 1;
    }
    tags
};

/// Nothing in this place.
const fn nothing_at(place: usize) -> Tagged {
    Tagged {
        direct: tag_of_another(place as u32),
        info: None,
    }
}

/// The places of a tag. The interpreter numbers its own types and all others one after the other each: a `StreamHandler` and its `StringIO`,
/// of which one sent the other away, made each line 7 times as expensive on 3.12 and 3.13.
const fn places_of(tag: u32) -> [usize; 2] {
    let second = tag ^ (tag / TABLE_SIZE as u32 * 2) ^ 0x2a4;
    [tag as usize % TABLE_SIZE, second as usize % TABLE_SIZE]
}

/// A tag that is never looked for where `tag` is: both places of an even tag are even.
const fn tag_of_another(tag: u32) -> u32 {
    tag ^ 1
}

static TYPES: Shared<Types> = Shared::new(Types {
    by_tag: NO_TAGS,
    by_address: None,
    free: Vec::new(),
    crowded: false,
    given_up: Vec::new(),
    #[cfg(Py_GIL_DISABLED)]
    bindings: 0,
});

/// More classes than this, and all of them are found out anew: programs that make classes and drop them would otherwise leave one
/// place (4 KB) behind at each address that a class ever stood at.
const MOST_TYPES: usize = 256;

impl Types {
    /// The information of the class at `address`, of whatever class was there before.
    fn info_of(&mut self, address: usize) -> &'static Info {
        let infos = self.by_address.get_or_insert_with(HashMap::new);
        if let Some(info) = infos.get(&address) {
            return info;
        }
        let info = self.free.pop().unwrap_or_else(|| {
            Box::leak(Box::new(Info {
                tag: Cell::new(0),
                plain: Cell::new(false),
                #[cfg(not(Py_GIL_DISABLED))]
                size: Cell::new(0),
                keys: Cell::new(std::ptr::null_mut()),
                keys_len: Cell::new(0),
                truth: Cell::new(false),
                shadows: Cell::new(Shadows::NONE),
                roles: Cell::new((0, 0)),
                places: [const { Cell::new(NO_INDEX) }; names::COUNT],
                enabling: Cell::new(Enabling::UNKNOWN),
                slots: [const { Cell::new(UNKNOWN) }; names::COUNT],
            }))
        });
        infos.insert(address, info);
        self.crowded |= infos.len() > MOST_TYPES;
        info
    }

    /// Takes all places back.
    #[cold]
    fn empty(&mut self) {
        self.by_tag = NO_TAGS;
        for (_, info) in self.by_address.iter_mut().flat_map(HashMap::drain) {
            info.tag.set(0);
            self.free.push(info);
        }
    }

    fn forget(&mut self) {
        self.by_tag = NO_TAGS;
        if let Some(infos) = &self.by_address {
            for info in infos.values() {
                info.tag.set(0);
            }
        }
    }

    /// What is in the first place of this tag.
    #[inline(always)]
    fn tagged(&mut self, tag: u32) -> Tagged {
        #[cfg(Py_GIL_DISABLED)]
        if self.bindings != bindings() {
            self.bindings = bindings();
            self.forget();
        }
        self.by_tag[places_of(tag)[0]]
    }

    /// What is known of the type with this tag, if it is; to be asked after [`tagged`](Self::tagged).
    #[inline(never)]
    fn found(&self, tag: u32) -> Option<Tagged> {
        let known = places_of(tag).map(|place| self.by_tag[place]);
        let is_it = |info: &'static Info| tag != 0 && info.tag.get() == tag;
        (known.into_iter()).find(|known| known.info.is_some_and(is_it))
    }

    /// Has its instances found direct no more until the type is `put`.
    fn withdraw(&mut self, tag: u32) {
        for place in places_of(tag) {
            let known = &mut self.by_tag[place];
            if known.direct == tag {
                known.direct = tag_of_another(tag);
            }
        }
    }

    /// What is known of the type with this tag.
    fn put(&mut self, tag: u32, info: &'static Info, direct: bool) {
        // One type has one place only.
        let places = places_of(tag);
        for place in places {
            let known = &mut self.by_tag[place];
            if known.info.is_some_and(|other| std::ptr::eq(other, info)) {
                *known = nothing_at(place);
            }
        }
        let is_free = |place: &usize| {
            self.by_tag[*place].info.is_none_or(|other| {
                let tag = other.tag.get();
                tag == 0 || !places_of(tag).contains(place)
            })
        };
        // Who has the first place keeps it: the second one may be a dead type's.
        let place = places.into_iter().find(is_free).unwrap_or(places[1]);
        self.by_tag[place] = Tagged {
            direct: if direct { tag } else { tag_of_another(tag) },
            info: Some(info),
        };
    }
}

/// What an object is to a log call.
#[derive(Clone, Copy)]
#[cfg_attr(
    Py_GIL_DISABLED,
    expect(dead_code, reason = "only with the GIL types are remembered by it")
)]
pub enum Part {
    Logger,
    /// A logger above the one that was called.
    Above,
    Handler,
    Formatter,
    Style,
    Stream,
    Adapter,
    Filter,
    Record,
    Thread,
}

#[cfg(not(Py_GIL_DISABLED))]
impl Part {
    const COUNT: usize = Part::Thread as usize + 1;
}

/// The type of each [`Part`] of the last call: as a rule it is that of this one, too. What is known of it is found at once then, instead of
/// by the object's type, its tag and the table, each of which has to be waited for: a line to a stream took 14 % longer. Whatever is here
/// is direct in [`TYPES`], or was until another type came to its place.
#[cfg(not(Py_GIL_DISABLED))]
static LATELY: Shared<[Late; Part::COUNT]> = Shared::new(NOTHING_LATELY);

#[cfg(not(Py_GIL_DISABLED))]
#[derive(Clone, Copy)]
struct Late {
    /// The type's tag; or, with nothing known, what is no tag, so that one comparison tells both: those have 32 bits.
    tag: u64,
    info: Option<&'static Info>,
}

#[cfg(not(Py_GIL_DISABLED))]
const NOTHING_LATELY: [Late; Part::COUNT] = [Late {
    tag: u64::MAX,
    info: None,
}; Part::COUNT];

/// To be called whenever the information of a type is about to be that of another, or of one that has changed.
fn forget_lately(py: Python<'_>) {
    #[cfg(not(Py_GIL_DISABLED))]
    LATELY.with(py, |lately| *lately = NOTHING_LATELY);
    #[cfg(Py_GIL_DISABLED)]
    let _ = py;
}

/// A number that is another one after each change of what is bound: each thread sees for itself that what it knows is old. With
/// the GIL it is forgotten at once.
#[cfg(Py_GIL_DISABLED)]
static BINDINGS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);

/// The present state of what is bound, to be compared with an earlier one.
#[cfg(Py_GIL_DISABLED)]
#[inline(always)]
pub fn bindings() -> u64 {
    BINDINGS.load(std::sync::atomic::Ordering::Acquire)
}

/// Forgets all type information: what is bound has changed.
pub fn forget_types(py: Python<'_>) {
    #[cfg(Py_GIL_DISABLED)]
    BINDINGS.fetch_add(1, std::sync::atomic::Ordering::Release);
    crate::ordinary::forget(py);
    crate::level::forget(py);
    forget_lately(py);
    TYPES.with(py, Types::forget);
}

/// Sees to it that what is known of classes stays within bounds, and lets go of what was [given up](give_up). Called when the
/// interpreter enters a native method: no view is in use then, since Python code has run, but what a first look has seen: true where
/// that does not hold any more.
#[inline]
#[must_use]
pub fn make_room(py: Python<'_>) -> bool {
    let wanted = TYPES.with(py, |types| types.crowded);
    if wanted {
        tidy(py);
    }
    wanted
}

#[cold]
#[inline(never)]
fn tidy(py: Python<'_>) {
    let given_up = TYPES.with(py, |types| {
        if types
            .by_address
            .as_ref()
            .is_some_and(|infos| infos.len() > MOST_TYPES)
        {
            types.empty();
            forget_lately(py);
        }
        types.crowded = false;
        std::mem::take(&mut types.given_up)
    });
    py_ffi::release_all(py, &given_up);
}

/// Gives up references of a table (null ones are skipped) at a time when views may be in use: a decref may run Python code, so they
/// go when the interpreter enters the next native method.
#[cold]
pub fn give_up(py: Python<'_>, objects: &[*mut ffi::PyObject]) {
    TYPES.with(py, |types| {
        types.given_up.extend_from_slice(objects);
        types.crowded = true;
    });
}

/// What is known of the type of `obj`, up to date. 1 ns.
#[inline]
pub(super) fn info(obj: &Obj<'_>) -> &'static Info {
    // SAFETY: the type is alive while `obj` is.
    unsafe { info_of(obj.py(), ffi::Py_TYPE(obj.as_ptr())) }
}

/// # Safety
/// A live type.
#[inline]
pub(super) unsafe fn info_of(py: Python<'_>, class: *mut ffi::PyTypeObject) -> &'static Info {
    // SAFETY: a live type. The tag tells whether the entry still holds; keys only ever grow.
    unsafe {
        let tag = raw::type_tag(class);
        let known = TYPES.with(py, |types| types.tagged(tag));
        let is_known = |info: &'static Info| tag != 0 && info.tag.get() == tag && info.is_current();
        match known.info {
            Some(info) if is_known(info) => info,
            _ => match TYPES.with(py, |types| types.found(tag)) {
                Some(Tagged {
                    info: Some(info), ..
                }) if is_known(info) => info,
                _ => refresh(py, class),
            },
        }
    }
}

impl Info {
    /// Have the shared keys not grown since?
    #[inline]
    pub(super) fn is_current(&self) -> bool {
        let keys = self.keys.get();
        // SAFETY: the keys belong to the type, which is alive and unchanged (its tag was compared).
        keys.is_null() || unsafe { raw::keys_len(keys) } == self.keys_len.get()
    }
}

/// The information and the values of an object that can be read in place and hides no method, of a type met before.
#[inline(always)]
pub(super) fn direct(object: &Obj<'_>) -> Option<(&'static Info, *mut *mut ffi::PyObject)> {
    // SAFETY: the type is alive while the object is, and what is known of it has just been found by its tag.
    unsafe {
        let class = ffi::Py_TYPE(object.as_ptr());
        let info = direct_info(object.py(), raw::type_tag(class))?;
        direct_values(object, class, info)
    }
}

/// The same by what the object is to the call.
#[inline(always)]
pub(super) fn direct_part(
    object: &Obj<'_>,
    part: Part,
) -> Option<(&'static Info, *mut *mut ffi::PyObject)> {
    // SAFETY: as for `direct`.
    unsafe {
        let class = ffi::Py_TYPE(object.as_ptr());
        let info = part_info(object.py(), raw::type_tag(class), part)?;
        direct_values(object, class, info)
    }
}

/// What is known of the type with this tag, if its instances with values in place need no further question.
#[inline(always)]
fn direct_info(py: Python<'_>, tag: u32) -> Option<&'static Info> {
    let known = TYPES.with(py, |types| types.tagged(tag));
    if known.direct != tag {
        return direct_info_elsewhere(py, tag);
    }
    // SAFETY: `put` is told both; where nothing was put is the tag of another place.
    Some(unsafe { known.info.unwrap_unchecked() })
}

/// The same where it is not in the first place.
#[cold]
#[inline(never)]
fn direct_info_elsewhere(py: Python<'_>, tag: u32) -> Option<&'static Info> {
    let known = TYPES.with(py, |types| types.found(tag))?;
    known.info.filter(|_| known.direct == tag)
}

#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
fn part_info(py: Python<'_>, tag: u32, part: Part) -> Option<&'static Info> {
    let known = LATELY.with(py, |lately| lately[part as usize]);
    if known.tag == u64::from(tag) {
        // SAFETY: a tag is here together with what is known of its type.
        return Some(unsafe { known.info.unwrap_unchecked() });
    }
    another_info(py, tag, part)
}

/// Of another type than the last one's.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(never)]
fn another_info(py: Python<'_>, tag: u32, part: Part) -> Option<&'static Info> {
    let info = direct_info(py, tag)?;
    let known = Late {
        tag: tag.into(),
        info: Some(info),
    };
    LATELY.with(py, |lately| lately[part as usize] = known);
    Some(info)
}

/// Without a GIL the table is as near.
#[cfg(Py_GIL_DISABLED)]
#[inline(always)]
fn part_info(py: Python<'_>, tag: u32, _: Part) -> Option<&'static Info> {
    direct_info(py, tag)
}

/// The values of such an object of that class.
///
/// # Safety
/// The type of the object, and what has just been found by its tag.
#[inline(always)]
unsafe fn direct_values(
    object: &Obj<'_>,
    class: *mut ffi::PyTypeObject,
    info: &'static Info,
) -> Option<(&'static Info, *mut *mut ffi::PyObject)> {
    // SAFETY: the tag tells whether what is known still holds, the number of keys whether the indexes are all there are; what is known to
    // be direct has a tag and keys, and may be read in place.
    unsafe {
        if raw::keys_len_of(info.keys.get()) != info.keys_len.get() {
            return None;
        }
        #[cfg(not(Py_GIL_DISABLED))]
        let values = raw::values_behind(object.as_ptr(), class, info.size.get());
        #[cfg(Py_GIL_DISABLED)]
        let values = raw::values(object.as_ptr(), class);
        (!values.is_null()).then_some((info, values))
    }
}

/// The same of a logger; else, looked at `closely`, what is known of the type, if it has been met before, by its tag.
#[inline(always)]
pub(super) fn direct_or_info(
    object: &Obj<'_>,
    closely: bool,
) -> Result<(&'static Info, *mut *mut ffi::PyObject), Option<&'static Info>> {
    direct_part(object, Part::Logger).ok_or_else(|| {
        if !closely {
            return None;
        }
        // SAFETY: the type is alive while the object is.
        let tag = unsafe { raw::type_tag(ffi::Py_TYPE(object.as_ptr())) };
        TYPES.with(object.py(), |types| {
            let first = types.tagged(tag).info;
            first
                .filter(|info| tag != 0 && info.tag.get() == tag)
                .or_else(|| types.found(tag)?.info)
        })
    })
}

#[cold]
#[inline(never)]
unsafe fn refresh(py: Python<'_>, class: *mut ffi::PyTypeObject) -> &'static Info {
    // SAFETY: the caller's: a live type.
    unsafe {
        let mut tag = raw::type_tag(class);
        if tag == 0 {
            tag = raw::assign_tag(class);
        }
        let plain = raw::is_plain(class);
        let keys = if plain {
            raw::shared_keys(class)
        } else {
            std::ptr::null_mut()
        };
        forget_lately(py);
        let info = TYPES.with(py, |types| {
            let info = types.info_of(class as usize);
            types.withdraw(info.tag.get());
            info
        });
        info.tag.set(tag);
        info.plain.set(plain);
        #[cfg(not(Py_GIL_DISABLED))]
        info.size.set(raw::basic_size(class));
        info.truth.set(py_ffi::makes_true_objects(class));
        info.keys.set(keys);
        let count = if keys.is_null() {
            0
        } else {
            raw::keys_len(keys)
        };
        // A key that is being added counts before it is there: what lies behind is looked at the next time.
        #[cfg(Py_GIL_DISABLED)]
        let count = (0..count)
            .find(|at| raw::key_at(keys, *at).is_null())
            .unwrap_or(count);
        info.keys_len.set(count);
        for (place, slot) in info.places.iter().zip(&info.slots) {
            place.set(NO_INDEX);
            slot.set(UNKNOWN);
        }
        info.roles.set((0, 0));
        info.enabling.set(Enabling::UNKNOWN);
        // Without a GIL another thread may take a method out of the class while it is looked at here. It then dies here, which
        // may run Python code that comes back to this class, or to so many that the place is given to another one.
        let shadows = shadows(class, info);
        info.shadows.set(shadows);
        if tag != 0 && info.tag.get() == tag && raw::type_tag(class) == tag {
            let direct = plain && !keys.is_null() && shadows.count == 0;
            TYPES.with(py, |types| types.put(tag, info, direct));
        } else {
            // What was asked for meanwhile may have come back here.
            forget_lately(py);
            TYPES.with(py, |types| types.withdraw(info.tag.get()));
            if info.tag.replace(0) != tag {
                // Or may be another class's by now, whose places in an instance are not this one's.
                info.plain.set(false);
            }
        }
        info
    }
}

/// Which of the shared keys' names are native methods of the class.
pub(super) unsafe fn shadows(class: *mut ffi::PyTypeObject, info: &Info) -> Shadows {
    let keys = info.keys.get();
    let mut shadows = Shadows::NONE;
    if !keys.is_null() {
        for at in 0..info.keys_len.get() {
            // SAFETY: the caller's: a live type, whose keys these are.
            unsafe {
                let key = raw::key_at(keys, at);
                if !key.is_null() && bind::target_of(raw::lookup(class, key)) != Target::Foreign {
                    shadows.push(at as u8);
                }
            }
        }
    }
    shadows
}

/// How to read `name` on instances of the type of `obj`.
#[inline(always)]
pub(super) fn slot(obj: &Obj<'_>, info: &'static Info, name: Name) -> Slot {
    let slot = info.slots[name as usize].get();
    if slot.state == State::Unknown {
        // SAFETY: the type is alive while `obj` is.
        unsafe { resolve(obj.py(), ffi::Py_TYPE(obj.as_ptr()), info, name) }
    } else {
        slot
    }
}

/// Which native implementation the class of `obj` has under `name`; the slot is not copied for it.
#[inline(always)]
pub(super) fn target_in(obj: &Obj<'_>, info: &'static Info, name: Name) -> Target {
    known_target(info, name).unwrap_or_else(|| slot(obj, info, name).target)
}

/// The same if it has been asked for before.
#[inline(always)]
pub(super) fn known_target(info: &'static Info, name: Name) -> Option<Target> {
    // SAFETY: read at once; nobody writes to the slot meanwhile.
    let (state, target) = unsafe {
        let slot = info.slots[name as usize].as_ptr();
        ((*slot).state, (*slot).target)
    };
    (state != State::Unknown).then_some(target)
}

/// What kind of object the class of `obj` has under `name`, and the name's place; the slot is not copied for it.
#[inline(always)]
pub(super) fn kind_in(obj: &Obj<'_>, info: &'static Info, name: Name) -> (Kind, u8) {
    // SAFETY: read at once; nobody writes to the slot meanwhile.
    let (state, kind, index) = unsafe {
        let slot = info.slots[name as usize].as_ptr();
        ((*slot).state, (*slot).kind, (*slot).index)
    };
    if state == State::Unknown {
        let slot = slot(obj, info, name);
        (slot.kind, slot.index)
    } else {
        (kind, index)
    }
}

/// Which native implementation the class attribute `name` of `class` (a class made by `type` itself) is.
#[cfg(Py_GIL_DISABLED)]
pub fn class_target(class: &Obj<'_>, name: Name) -> Target {
    // SAFETY: the callers' class is alive.
    unsafe {
        let (py, class) = (class.py(), class.as_ptr().cast());
        let info = info_of(py, class);
        let mut slot = info.slots[name as usize].get();
        if slot.state == State::Unknown {
            slot = resolve(py, class, info, name);
        }
        slot.target
    }
}

/// Does the class of `obj` have `saved`, which lives for ever, under `name`? `None`: look it up. Takes no reference.
#[cfg(Py_GIL_DISABLED)]
pub fn class_attribute_is(obj: &Obj<'_>, name: Name, saved: *mut ffi::PyObject) -> Option<bool> {
    if !raw::reads_instances() || saved.is_null() {
        return None;
    }
    Some(slot(obj, info(obj), name).default.address() == saved)
}

/// # Safety
/// A live type, whose info this is.
#[cold]
pub(super) unsafe fn resolve(
    py: Python<'_>,
    class: *mut ffi::PyTypeObject,
    info: &'static Info,
    name: Name,
) -> Slot {
    let text = name.object(py);
    let mut slot = Slot {
        state: State::Plain,
        ..UNKNOWN
    };
    // SAFETY: a live type and its keys; nothing here runs Python code (keys of a type are exact, interned strings as a rule,
    // and comparing exact strings runs none).
    unsafe {
        if let Some(found) = raw::lookup_owned(py, class, text.as_ptr()) {
            if py_ffi::is_descriptor(&found) {
                slot.state = State::Descriptor;
            }
            slot.default = Remembered::new(&found);
            slot.target = bind::target_of(found.as_ptr());
            let kind = ffi::Py_TYPE(found.as_ptr());
            if kind == &raw mut ffi::PyFunction_Type {
                slot.kind = Kind::Function;
            } else if kind == &raw mut ffi::PyGetSetDescr_Type {
                slot.kind = Kind::GetSet;
            }
        }
        let keys = info.keys.get();
        if !keys.is_null() {
            let wanted = text.as_ptr();
            let place = (0..info.keys_len.get()).find(|&at| {
                let key = raw::key_at(keys, at);
                key == wanted || (!key.is_null() && ffi::PyUnicode_Compare(key, wanted) == 0)
            });
            slot.index = place
                .and_then(|at| u8::try_from(at).ok())
                .unwrap_or(NO_INDEX);
        }
    }
    if slot.state == State::Plain {
        info.places[name as usize].set(slot.index);
    }
    info.slots[name as usize].set(slot);
    slot
}
