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
use std::cell::Cell;
use std::collections::HashMap;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::bind;
use crate::cell::Shared;
#[cfg(not(Py_GIL_DISABLED))]
use crate::ffi::Ref;
use crate::ffi::{self as py_ffi, Obj, Remembered, Res};
use crate::names::{self, Name};
use crate::natives::Target;
use crate::raw::{self, NO_INDEX};
use crate::saved::Saved;

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

/// How to read one name on instances of one type. Worked out when first asked for.
#[derive(Clone, Copy)]
struct Slot {
    /// The name's place in the type's shared keys.
    index: u8,
    state: State,
    /// The class attribute of that name; alive as long as the type's tag stays.
    default: Remembered,
    kind: Kind,
    /// The native implementation the type's lookup finds, if it finds one.
    target: Target,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not asked for since the type changed.
    Unknown,
    /// The instance's own value, else the class attribute.
    Plain,
    /// A descriptor decides: the interpreter's own attribute lookup.
    Descriptor,
}

/// What kind of object a class attribute is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A Python function.
    Function,
    /// The interpreter's own access to a part of the instance.
    GetSet,
    /// Anything else, or nothing.
    Other,
}

const UNKNOWN: Slot = Slot {
    index: NO_INDEX,
    state: State::Unknown,
    default: Remembered::NOTHING,
    kind: Kind::Other,
    target: Target::Foreign,
};

/// What is known of one type. Never freed but reused in place: a type that dies leaves its place to the next at its address.
struct Info {
    /// The tag all this holds for; 0: for nothing.
    tag: Cell<u32>,
    /// Instances can be read in place: managed dict, no `__getattribute__`, no `__getattr__`.
    plain: Cell<bool>,
    keys: Cell<*mut raw::Keys>,
    keys_len: Cell<usize>,
    /// Plain, with shared keys and no shadows: instances with values in place need no further question.
    direct: Cell<bool>,
    shadows: Cell<Shadows>,
    /// For each [`Role`]: asked for already, and the answer.
    roles: Cell<(u8, u8)>,
    /// Where an attribute that no descriptor decides stands in the shared keys; `NO_INDEX`: only its slot tells.
    places: [Cell<u8>; names::COUNT],
    enabling: Cell<Enabling>,
    slots: [Cell<Slot>; names::COUNT],
}

/// What a call that logs nothing reads of the loggers or adapters of one class: places, [`NO_INDEX`] for what has none or is not
/// plain, and which of the class's methods are native.
#[derive(Clone, Copy)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "answers to questions of their own"
)]
struct Enabling {
    /// Has it been looked for?
    known: bool,
    /// `isEnabledFor` of a logger.
    native: bool,
    /// A logger's `debug` … `log`.
    methods: bool,
    /// `log` and `isEnabledFor` of an adapter.
    adapts: bool,
    /// A logger's, both known or none.
    disabled: u8,
    cache: u8,
    /// A logger's.
    #[cfg_attr(
        Py_GIL_DISABLED,
        expect(dead_code, reason = "for the root logger's first look")
    )]
    handlers: u8,
    /// An adapter's.
    logger: u8,
}

impl Enabling {
    const UNKNOWN: Self = Enabling {
        known: false,
        native: false,
        methods: false,
        adapts: false,
        disabled: NO_INDEX,
        cache: NO_INDEX,
        handlers: NO_INDEX,
        logger: NO_INDEX,
    };
    const METHODS: [(Name, Target); 6] = [
        (Name::debug, Target::LoggerDebug),
        (Name::info, Target::LoggerInfo),
        (Name::warning, Target::LoggerWarning),
        (Name::error, Target::LoggerError),
        (Name::critical, Target::LoggerCritical),
        (Name::log, Target::LoggerLog),
    ];
}

/// The places in the shared keys of names under which an instance would hide a native method of the type. Nearly always none:
/// then it takes nothing to know that an instance hides none.
#[derive(Clone, Copy)]
struct Shadows {
    count: u8,
    indexes: [u8; Self::MOST],
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
    unsafe fn hide_one(&self, values: *mut *mut ffi::PyObject) -> bool {
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

/// What an object is on a record's way, and so which of its methods are run there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// From `info()` to `callHandlers`.
    Logger,
    /// A handler up to `emit`, whichever native one that is.
    Handler,
    /// A formatter, exceptions and stacks left out.
    Formatter,
    /// A style that formats by `%`.
    PercentStyle,
    /// A style that formats by `str.format`.
    BraceStyle,
    /// A style that formats by a template.
    TemplateStyle,
    /// A formatter as far as `Formatter.format` calls its methods, exceptions and stacks left out.
    FormatterSteps,
}

impl Role {
    const LOGGER: [(Name, &'static [Target]); 7] = [
        (Name::isEnabledFor, &[Target::LoggerIsEnabledFor]),
        (Name::_log, &[Target::LoggerLogLow]),
        (Name::findCaller, &[Target::LoggerFindCaller]),
        (Name::makeRecord, &[Target::LoggerMakeRecord]),
        (Name::handle, &[Target::LoggerHandle]),
        (Name::filter, &[Target::FiltererFilter]),
        (Name::callHandlers, &[Target::LoggerCallHandlers]),
    ];
    const HANDLER: [(Name, &'static [Target]); 4] = [
        (Name::handle, &[Target::HandlerHandle]),
        (Name::filter, &[Target::FiltererFilter]),
        (Name::acquire, &[Target::HandlerAcquire]),
        (Name::release, &[Target::HandlerRelease]),
    ];
    const FORMATTER_STEPS: [(Name, &'static [Target]); 3] = [
        (Name::usesTime, &[Target::FormatterUsesTime]),
        (Name::formatMessage, &[Target::FormatterFormatMessage]),
        (Name::formatTime, &[Target::FormatterFormatTime]),
    ];
    const FORMATTER: [(Name, &'static [Target]); 4] = [
        (Name::format, &[Target::FormatterFormat]),
        (Name::usesTime, &[Target::FormatterUsesTime]),
        (Name::formatMessage, &[Target::FormatterFormatMessage]),
        (Name::formatTime, &[Target::FormatterFormatTime]),
    ];

    const PERCENT_STYLE: [(Name, &'static [Target]); 3] = [
        (Name::format, &[Target::StyleFormat]),
        (Name::_format, &[Target::PercentFormat]),
        (Name::usesTime, &[Target::PercentUsesTime]),
    ];
    const BRACE_STYLE: [(Name, &'static [Target]); 3] = [
        (Name::format, &[Target::StyleFormat]),
        (Name::_format, &[Target::BraceFormat]),
        (Name::usesTime, &[Target::PercentUsesTime]),
    ];
    const TEMPLATE_STYLE: [(Name, &'static [Target]); 3] = [
        (Name::format, &[Target::StyleFormat]),
        (Name::_format, &[Target::TemplateFormat]),
        (Name::usesTime, &[Target::TemplateUsesTime]),
    ];

    const fn methods(self) -> &'static [(Name, &'static [Target])] {
        match self {
            Role::PercentStyle => &Self::PERCENT_STYLE,
            Role::BraceStyle => &Self::BRACE_STYLE,
            Role::TemplateStyle => &Self::TEMPLATE_STYLE,
            Role::Logger => &Self::LOGGER,
            Role::Handler => &Self::HANDLER,
            Role::Formatter => &Self::FORMATTER,
            Role::FormatterSteps => &Self::FORMATTER_STEPS,
        }
    }
}

const TABLE_SIZE: usize = 1024;

/// Types by version tag, direct-mapped, and all of them by address.
struct Types {
    by_tag: [Option<&'static Info>; TABLE_SIZE],
    by_address: Option<HashMap<usize, &'static Info>>,
    /// Places that are not in use.
    free: Vec<&'static Info>,
    /// What was bound when all this was found out.
    #[cfg(Py_GIL_DISABLED)]
    bindings: u64,
}

static TYPES: Shared<Types> = Shared::new(Types {
    by_tag: [None; TABLE_SIZE],
    by_address: None,
    free: Vec::new(),
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
                keys: Cell::new(std::ptr::null_mut()),
                keys_len: Cell::new(0),
                direct: Cell::new(false),
                shadows: Cell::new(Shadows::NONE),
                roles: Cell::new((0, 0)),
                places: [const { Cell::new(NO_INDEX) }; names::COUNT],
                enabling: Cell::new(Enabling::UNKNOWN),
                slots: [const { Cell::new(UNKNOWN) }; names::COUNT],
            }))
        });
        infos.insert(address, info);
        info
    }

    /// Takes all places back.
    #[cold]
    fn empty(&mut self) {
        self.by_tag = [None; TABLE_SIZE];
        for (_, info) in self.by_address.iter_mut().flat_map(HashMap::drain) {
            info.tag.set(0);
            info.direct.set(false);
            self.free.push(info);
        }
    }

    fn forget(&mut self) {
        self.by_tag = [None; TABLE_SIZE];
        if let Some(infos) = &self.by_address {
            for info in infos.values() {
                info.tag.set(0);
            }
        }
    }

    /// What is known of the type with that tag.
    #[inline(always)]
    fn tagged(&mut self, tag: u32) -> Option<&'static Info> {
        #[cfg(Py_GIL_DISABLED)]
        if self.bindings != bindings() {
            self.bindings = bindings();
            self.forget();
        }
        self.by_tag[tag as usize % TABLE_SIZE]
    }
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
    TYPES.with(py, Types::forget);
}

/// Sees to it that what is known of classes stays within bounds. Called when the interpreter enters a native method: no view is in
/// use then, since Python code has run.
#[inline]
pub fn make_room(py: Python<'_>) {
    TYPES.with(py, |types| {
        if types
            .by_address
            .as_ref()
            .is_some_and(|infos| infos.len() > MOST_TYPES)
        {
            types.empty();
        }
    });
}

/// What is known of the type of `obj`, up to date. 1 ns.
#[inline]
fn info(obj: &Obj<'_>) -> &'static Info {
    // SAFETY: the type is alive while `obj` is.
    unsafe { info_of(obj.py(), ffi::Py_TYPE(obj.as_ptr())) }
}

/// # Safety
/// A live type.
#[inline]
unsafe fn info_of(py: Python<'_>, class: *mut ffi::PyTypeObject) -> &'static Info {
    // SAFETY: a live type. The tag tells whether the entry still holds; keys only ever grow.
    unsafe {
        let tag = raw::type_tag(class);
        let known = TYPES.with(py, |types| types.tagged(tag));
        match known {
            Some(info) if tag != 0 && info.tag.get() == tag && info.is_current() => info,
            _ => refresh(py, class),
        }
    }
}

impl Info {
    /// Have the shared keys not grown since?
    #[inline]
    fn is_current(&self) -> bool {
        let keys = self.keys.get();
        // SAFETY: the keys belong to the type, which is alive and unchanged (its tag was compared).
        keys.is_null() || unsafe { raw::keys_len(keys) } == self.keys_len.get()
    }
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
        let info = TYPES.with(py, |types| types.info_of(class as usize));
        info.tag.set(tag);
        info.plain.set(plain);
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
        info.direct.set(false);
        // Without a GIL another thread may take a method out of the class while it is looked at here. It then dies here, which
        // may run Python code that comes back to this class, or to so many that the place is given to another one.
        let shadows = shadows(class, info);
        info.shadows.set(shadows);
        if tag != 0 && info.tag.get() == tag && raw::type_tag(class) == tag {
            info.direct
                .set(plain && !keys.is_null() && shadows.count == 0);
            TYPES.with(py, |types| {
                types.by_tag[tag as usize % TABLE_SIZE] = Some(info);
            });
        } else {
            info.tag.set(0);
        }
        info
    }
}

/// Which of the shared keys' names are native methods of the class.
unsafe fn shadows(class: *mut ffi::PyTypeObject, info: &Info) -> Shadows {
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

/// The view of an object whose attribute lookup is the interpreter's plain one; `None` for any other. 3 ns.
#[inline]
pub fn view<'a, 'py>(object: &'a Obj<'py>) -> Option<View<'a, 'py>> {
    view_at_once(object)
}

/// [`view`] as part of its caller.
#[inline(always)]
fn view_at_once<'a, 'py>(object: &'a Obj<'py>) -> Option<View<'a, 'py>> {
    match direct(object) {
        Some(direct) => Some(View {
            object,
            direct: Some(direct),
        }),
        None => unusual_view(object),
    }
}

/// The information and the values of an object that can be read in place and hides no method, of a type met before.
#[inline(always)]
fn direct(object: &Obj<'_>) -> Option<(&'static Info, *mut *mut ffi::PyObject)> {
    // SAFETY: the type is alive while the object is. The tag tells whether what is known still holds, the number of keys whether
    // the indexes are all there are; what is known to be direct has a tag and keys, and may be read in place.
    unsafe {
        let class = ffi::Py_TYPE(object.as_ptr());
        let tag = raw::type_tag(class);
        let info = TYPES.with(object.py(), |types| types.tagged(tag))?;
        if info.tag.get() != tag
            || !info.direct.get()
            || raw::keys_len_of(info.keys.get()) != info.keys_len.get()
        {
            return None;
        }
        let values = raw::values(object.as_ptr(), class);
        (!values.is_null()).then_some((info, values))
    }
}

/// What the cache of a logger whose `isEnabledFor` is native says; see [`View::cached_enabled`].
#[inline(always)]
pub fn quickly_enabled<'py>(logger: &Obj<'py>, level: &Obj<'py>) -> Option<bool> {
    let view = view_at_once(logger)?;
    // Without values to read there is no answer here: do not look for the method either.
    if view.is_direct() && view.method(Name::isEnabledFor) == Target::LoggerIsEnabledFor {
        view.cached_enabled(level)
    } else {
        None
    }
}

/// The same for a logger of a class that was asked before, and a level whose number is known: nothing is called.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
pub fn enabled_at_once(logger: &Obj<'_>, level: &Obj<'_>, number: usize) -> Option<bool> {
    let (info, values) = direct(logger)?;
    let enabling = info.enabling.get();
    if !enabling.native {
        return None;
    }
    // SAFETY: the values of a logger of that type; raw reads are on where objects are read directly.
    unsafe {
        cache_says(values, enabling, |cache| {
            raw::peek_first(cache, level.as_ptr(), number as isize)
        })
    }
}

/// The same for the root logger where the module's functions of that name would call the method: `None` also for one without
/// handlers.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
pub fn root_enabled_at_once(root: &Obj<'_>, level: &Obj<'_>, number: usize) -> Option<bool> {
    let (info, values) = direct(root)?;
    let enabling = info.enabling.get();
    if !enabling.native || !enabling.methods || enabling.handlers == NO_INDEX {
        return None;
    }
    // SAFETY: the values of a logger of that type; a list is asked for its length; raw reads are on where objects are read
    // directly.
    unsafe {
        let handlers = *values.add(enabling.handlers as usize);
        if handlers.is_null()
            || ffi::PyList_CheckExact(handlers) == 0
            || ffi::PyList_GET_SIZE(handlers) == 0
        {
            return None;
        }
        cache_says(values, enabling, |cache| {
            raw::peek_first(cache, level.as_ptr(), number as isize)
        })
    }
}

/// The logger of an adapter that asks it whether it is enabled, lent as long as no Python code runs.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
pub fn adapted<'a, 'py>(adapter: &'a Obj<'py>) -> Option<Ref<'a, 'py>> {
    let (info, values) = direct(adapter)?;
    let enabling = info.enabling.get();
    if !enabling.adapts {
        return None;
    }
    // SAFETY: the values of an adapter of that type; what stands there is alive as long as the adapter is unchanged.
    unsafe { Borrowed::from_ptr_or_opt(adapter.py(), *values.add(enabling.logger as usize)) }
}

/// Looks at what the first looks read of a logger or an adapter, for the next time.
#[inline]
pub fn learn(object: &Obj<'_>) {
    if let Some((info, _)) = direct(object)
        && !info.enabling.get().known
    {
        find_enabling(object, info);
    }
}

#[cold]
fn find_enabling(object: &Obj<'_>, info: &'static Info) -> Enabling {
    let place = |name| {
        let slot = slot(object, info, name);
        if slot.state == State::Plain {
            slot.index
        } else {
            NO_INDEX
        }
    };
    let is = |name, target: Target| slot(object, info, name).target == target;
    let mut enabling = Enabling {
        known: true,
        handlers: place(Name::handlers),
        logger: place(Name::logger),
        ..Enabling::UNKNOWN
    };
    let (disabled, cache) = (place(Name::disabled), place(Name::_cache));
    if disabled != NO_INDEX && cache != NO_INDEX {
        (enabling.disabled, enabling.cache) = (disabled, cache);
        enabling.native = is(Name::isEnabledFor, Target::LoggerIsEnabledFor);
        enabling.methods = Enabling::METHODS
            .iter()
            .all(|(name, target)| is(*name, *target));
    }
    enabling.adapts = enabling.logger != NO_INDEX
        && is(Name::log, Target::AdapterLog)
        && is(Name::isEnabledFor, Target::AdapterIsEnabledFor);
    info.enabling.set(enabling);
    enabling
}

/// The same: the one reference taken is to the cache, which another thread could exchange.
#[cfg(Py_GIL_DISABLED)]
#[inline(always)]
pub fn enabled_at_once(logger: &Obj<'_>, level: &Obj<'_>, _: usize) -> Option<bool> {
    let (info, values) = direct(logger)?;
    let enabling = info.enabling.get();
    if !enabling.native {
        return None;
    }
    // SAFETY: the values of a logger of that type, in whose keys both have places.
    unsafe { cache_says(level, values, enabling) }
}

/// Without the GIL the module's functions have no first look: the root logger would have to be owned.
#[cfg(Py_GIL_DISABLED)]
pub fn root_enabled_at_once(_: &Obj<'_>, _: &Obj<'_>, _: usize) -> Option<bool> {
    None
}

/// Nor have adapters: so would their logger.
#[cfg(Py_GIL_DISABLED)]
pub fn adapted<'a, 'py>(_: &'a Obj<'py>) -> Option<py_ffi::Ref<'a, 'py>> {
    None
}

/// What the logger's `_cache` says of an exact int while it is not disabled; `None` when anything is not as usual.
///
/// # Safety
/// The values of a logger, in whose type's shared keys `enabling` tells places; not none.
#[cfg(Py_GIL_DISABLED)]
#[inline(always)]
unsafe fn cache_says(
    level: &Obj<'_>,
    values: *mut *mut ffi::PyObject,
    enabling: Enabling,
) -> Option<bool> {
    let py = level.py();
    // SAFETY: indexes of the shared keys, which the array has; the singleton's address is only compared.
    let cache = unsafe {
        if value_address(values, enabling.disabled) != ffi::Py_False() {
            return None;
        }
        own_value(py, values, enabling.cache)?
    };
    if !py_ffi::is_dict(&cache) {
        return None;
    }
    let known = py_ffi::or_nothing(py, py_ffi::dict_get(&cache, level))??;
    py_ffi::is_bool(&known).then(|| !py_ffi::is_false(&known))
}

/// What the logger's `_cache` says of a level while it is not disabled; `None` when anything is not as usual. Reads alone: no
/// reference is taken. `look_up` is what a dict holds for the level, null when that cannot be told.
///
/// # Safety
/// The values of a logger, in whose type's shared keys `enabling` tells places; not none.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
unsafe fn cache_says(
    values: *mut *mut ffi::PyObject,
    enabling: Enabling,
    look_up: impl FnOnce(*mut ffi::PyObject) -> *mut ffi::PyObject,
) -> Option<bool> {
    // SAFETY: indexes of the shared keys, which the array has; nothing runs between the reads.
    unsafe {
        let cache = *values.add(enabling.cache as usize);
        if *values.add(enabling.disabled as usize) != ffi::Py_False()
            || cache.is_null()
            || ffi::PyDict_CheckExact(cache) == 0
        {
            return None;
        }
        let known = look_up(cache);
        if known == ffi::Py_False() {
            Some(false)
        } else if known == ffi::Py_True() {
            Some(true)
        } else {
            None
        }
    }
}

/// The same for an object with a dict, of a type not met before, with attributes that may hide a method, or without raw reads.
#[inline(never)]
fn unusual_view<'a, 'py>(object: &'a Obj<'py>) -> Option<View<'a, 'py>> {
    if !raw::reads_instances() {
        return is_plain(object).then_some(View {
            object,
            direct: None,
        });
    }
    let info = info(object);
    if !info.plain.get() {
        return None;
    }
    // SAFETY: the info is that of the object's type and plain.
    let values = unsafe { raw::indexed_values(object.as_ptr(), ffi::Py_TYPE(object.as_ptr())) };
    let direct = !values.is_null()
        // SAFETY: the array belongs to an object of the type.
        && (info.shadows.get().count == 0 || unsafe { !info.shadows.get().hide_one(values) });
    // Looked at last: nothing that was not there has gone elsewhere meanwhile.
    #[cfg(Py_GIL_DISABLED)]
    // SAFETY: as above.
    let direct = direct && unsafe { raw::are_valid(values) };
    Some(View {
        object,
        direct: direct.then_some((info, values)),
    })
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
    /// Of a value that the object holds itself.
    #[inline(always)]
    #[cfg_attr(
        not(Py_GIL_DISABLED),
        allow(clippy::needless_pass_by_value, reason = "kept without the GIL")
    )]
    fn of(value: Obj<'py>) -> Self {
        #[cfg(not(Py_GIL_DISABLED))]
        // SAFETY: the object that was read, or its class, holds a reference as long as no Python code runs, which is as long as a
        // view is good.
        return Lent(unsafe { Ref::from_ptr(value.py(), value.as_ptr()) });
        #[cfg(Py_GIL_DISABLED)]
        return Lent(value, std::marker::PhantomData);
    }
}

impl<'a, 'py> View<'a, 'py> {
    /// The object itself.
    #[inline]
    pub fn object(&self) -> &'a Obj<'py> {
        self.object
    }

    /// Is every method that `role` runs the native one?
    #[inline]
    pub fn is(&self, role: Role) -> bool {
        match self.direct {
            Some((info, _)) => {
                let bit = 1 << role as u8;
                let (known, answer) = info.roles.get();
                if known & bit == 0 {
                    self.find_out(info, role)
                } else {
                    answer & bit != 0
                }
            }
            None => self.all_native(role),
        }
    }

    #[cold]
    fn find_out(&self, info: &'static Info, role: Role) -> bool {
        let answer = self.all_native(role);
        let bit = 1 << role as u8;
        let (known, answers) = info.roles.get();
        let answers = if answer { answers | bit } else { answers };
        info.roles.set((known | bit, answers));
        answer
    }

    fn all_native(&self, role: Role) -> bool {
        role.methods()
            .iter()
            .all(|(name, native)| native.contains(&self.method(*name)))
    }

    /// Which native implementation `object.name(…)` would run.
    #[inline(always)]
    pub fn method(&self, name: Name) -> Target {
        match self.direct {
            Some((info, _)) => slot(self.object, info, name).target,
            None => own_or_type_target(self.object, name),
        }
    }

    /// Is the object read by index?
    #[inline]
    pub fn is_direct(&self) -> bool {
        self.direct.is_some()
    }

    /// The object's own `name`, the class not asked; `None` also for an object that is not read by index.
    #[inline]
    pub fn own(&self, name: Name) -> Option<Obj<'py>> {
        let (info, values) = self.direct?;
        let slot = slot(self.object, info, name);
        if slot.index == NO_INDEX {
            return None;
        }
        // SAFETY: an index of the shared keys, which the array has.
        unsafe { own_value(self.object.py(), values, slot.index) }
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
        let slot = slot(self.object, info, name);
        // SAFETY: the slots of a live object's type are read; the object is of that type, which has a managed dict and nothing but
        // a value under that name; the index is one of its shared keys or none.
        unsafe {
            let kind = ffi::Py_TYPE(self.object.as_ptr());
            if slot.state != State::Plain
                || !raw::has_plain_setattro(kind)
                || !raw::set_at(self.object.as_ptr(), kind, slot.index, value.as_ptr())
            {
                return Err(value);
            }
        }
        // The reference is the object's now.
        std::mem::forget(value);
        Ok(())
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
        let slot = slot(self.object, info, name);
        // SAFETY: an index of the shared keys.
        let shown = slot.kind == Kind::Function
            && (slot.index == NO_INDEX || unsafe { value_address(values, slot.index).is_null() });
        #[cfg(not(Py_GIL_DISABLED))]
        return shown
            .then(|| slot.default.object(self.object.py()))
            .flatten();
        #[cfg(Py_GIL_DISABLED)]
        shown
            .then(|| py_ffi::type_attr(self.object, name))
            .flatten()
            .filter(py_ffi::is_function)
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
        let place = info.places[name as usize].get();
        if place != NO_INDEX {
            // SAFETY: an index of the shared keys, which the array has; what is found is alive until Python code runs, and the view
            // is not used after that.
            let own = unsafe {
                pyo3::Borrowed::from_ptr_or_opt(self.object.py(), *values.add(place as usize))
            };
            if own.is_some() {
                return own;
            }
        }
        self.look_at_class(info, values, name)
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

    /// As [`View::get`], without taking a reference.
    #[inline(always)]
    pub fn lend(&self, name: Name) -> Option<Lent<'a, 'py>> {
        #[cfg(not(Py_GIL_DISABLED))]
        if self.direct.is_some() {
            return self.look(name).map(Lent);
        }
        self.get(name).map(Lent::of)
    }

    /// Is `object` what the class has under `name` (no descriptor is called)?
    #[inline]
    pub fn class_has(&self, name: Name, object: &Saved) -> bool {
        match self.direct {
            Some((info, _)) => object.is_at(slot(self.object, info, name).default.address()),
            None => py_ffi::type_attr(self.object, name).is_some_and(|found| object.is(&found)),
        }
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

/// The instance's own value at an index of the shared keys; without a GIL `None` also where only the interpreter can tell.
///
/// # Safety
/// As [`value_address`].
#[inline(always)]
unsafe fn own_value(py: Python<'_>, values: *mut *mut ffi::PyObject, index: u8) -> Option<Obj<'_>> {
    // SAFETY: the caller's; with the GIL the borrowed value is owned before anything can run.
    unsafe {
        #[cfg(not(Py_GIL_DISABLED))]
        return Bound::from_borrowed_ptr_or_opt(py, *values.add(index as usize));
        #[cfg(Py_GIL_DISABLED)]
        raw::value_at(py, values, index).ok().flatten()
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
        return match py_ffi::own_dict_get(obj, name) {
            Some(found) => Some(found),
            None => class_value(obj, slot, name),
        };
    }
    if slot(obj, info(obj), name).state == State::Descriptor {
        return None;
    }
    py_ffi::getattr_opt(obj, name).unwrap_or_else(|raised| {
        raised.clear(obj.py());
        None
    })
}

/// How to read `name` on instances of the type of `obj`.
#[inline(always)]
fn slot(obj: &Obj<'_>, info: &'static Info, name: Name) -> Slot {
    let slot = info.slots[name as usize].get();
    if slot.state == State::Unknown {
        // SAFETY: the type is alive while `obj` is.
        unsafe { resolve(obj.py(), ffi::Py_TYPE(obj.as_ptr()), info, name) }
    } else {
        slot
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
unsafe fn resolve(
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
    let shown = py_ffi::own_dict_get(obj, method).is_none();
    if shown { slot.target } else { Target::Foreign }
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

/// `obj.name(*args)`. A Python function of the class is called without the interpreter looking it up once more: 200 instructions
/// of 450.
#[inline]
pub fn call_method<'py, const N: usize>(
    obj: &Obj<'py>,
    name: Name,
    args: [&Obj<'py>; N],
) -> Res<Obj<'py>> {
    match view(obj).and_then(|view| view.function(name)) {
        Some(function) => py_ffi::call_on(&function, obj, args),
        None => py_ffi::method(obj, name, args),
    }
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
