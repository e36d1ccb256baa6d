//! The arguments of one call of a native method.
//!
//! Anything a signature does not take goes to the interpreter's own body, which raises its own `TypeError`.
use std::marker::PhantomData;

use pyo3::ffi;
use pyo3::prelude::*;
use smallvec::SmallVec;

use crate::ffi::{Obj, Ref, Res};
use crate::guard::Seen;
use crate::names::Name;
use crate::natives::Target;
use crate::raw::Untraced;
use crate::stats::{self, Reason};

/// One call, as the interpreter handed it over: `self` (for methods), positional arguments, keyword names and values.
pub struct Call<'a, 'py> {
    py: Python<'py>,
    target: Target,
    slf: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: usize,
    kwnames: *mut ffi::PyObject,
    enabled: Option<Seen>,
    said: bool,
    lifetime: PhantomData<&'a ()>,
}

impl<'a, 'py> Call<'a, 'py> {
    /// # Safety
    /// `args` points to `count` live objects, then to one for each name in `kwnames` (null or a tuple of str), all kept alive by
    /// the caller for `'a`; with `method`, `count` is at least 1 and the first is `self`.
    #[inline]
    pub unsafe fn new(
        py: Python<'py>,
        target: Target,
        args: *const *mut ffi::PyObject,
        count: usize,
        kwnames: *mut ffi::PyObject,
        method: bool,
    ) -> Self {
        let (slf, args, count) = if method {
            // SAFETY: with `method` there is at least one argument.
            unsafe { (*args, args.add(1), count - 1) }
        } else {
            (std::ptr::null_mut(), args, count)
        };
        Self {
            py,
            target,
            slf,
            args,
            count,
            kwnames,
            enabled: None,
            said: false,
            lifetime: PhantomData,
        }
    }

    /// # Safety
    /// As for [`Call::new`], `slf` standing apart; it is ignored without `method`.
    #[cfg(not(Py_3_12))]
    #[inline]
    pub unsafe fn with_self(
        py: Python<'py>,
        target: Target,
        slf: *mut ffi::PyObject,
        args: *const *mut ffi::PyObject,
        count: usize,
        kwnames: *mut ffi::PyObject,
        method: bool,
    ) -> Self {
        let slf = if method { slf } else { std::ptr::null_mut() };
        Self {
            py,
            target,
            slf,
            args,
            count,
            kwnames,
            enabled: None,
            said: false,
            lifetime: PhantomData,
        }
    }

    /// The same call, of whose logger (an adapter's, the root logger of a function of the module) a first look has found that it is
    /// enabled for the level the call is about.
    #[inline]
    pub fn known_enabled(self, enabled: Option<Seen>) -> Self {
        Self { enabled, ..self }
    }

    /// What a first look has seen of that logger, if it found so. Nothing has run since, as long as the method has run nothing.
    #[inline]
    pub fn enabled(&self) -> Option<Seen> {
        self.enabled
    }

    /// The same call, of whose logger an `isEnabledFor` of somebody's own has said that it is enabled for that level.
    #[inline]
    pub fn said_enabled(self) -> Self {
        Self { said: true, ..self }
    }

    /// Is it known that the logger is enabled, because it was seen or said?
    #[inline]
    pub fn is_known_enabled(&self) -> bool {
        self.said || self.enabled.is_some()
    }

    /// Is there no keyword argument?
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see `guard`")]
    pub fn has_no_keywords(&self) -> bool {
        self.kwnames.is_null()
    }

    /// The interpreter token.
    #[inline]
    pub fn py(&self) -> Python<'py> {
        self.py
    }

    /// The method or function called.
    #[inline]
    pub fn target(&self) -> Target {
        self.target
    }

    /// `self` of a method.
    #[inline]
    pub fn slf(&self) -> Ref<'a, 'py> {
        crate::ffi::lent(self.py, self.slf)
    }

    /// The number of positional arguments, without `self`.
    #[inline]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Positional argument `index`, without `self`.
    #[inline]
    pub fn arg(&self, index: usize) -> Option<Ref<'a, 'py>> {
        (index < self.count).then(|| crate::ffi::lent_at(self.py, self.args, index))
    }

    /// The positional arguments from `start` on.
    #[inline]
    pub fn rest(&self, start: usize) -> Args<'a, 'py> {
        Args {
            py: self.py,
            args: crate::ffi::offset(self.args, start.min(self.count)),
            count: self.count.saturating_sub(start),
            lifetime: PhantomData,
        }
    }

    /// The number of keyword arguments.
    #[inline]
    pub fn keywords(&self) -> usize {
        if self.kwnames.is_null() {
            0
        } else {
            crate::ffi::tuple_len(&crate::ffi::lent(self.py, self.kwnames))
        }
    }

    /// Name and value of keyword argument `index`, which is less than their number.
    #[inline]
    pub fn keyword(&self, index: usize) -> (Ref<'a, 'py>, Ref<'a, 'py>) {
        debug_assert!(index < self.keywords());
        let names = crate::ffi::lent(self.py, self.kwnames);
        let (names, _) = crate::ffi::tuple_items(&names);
        (
            crate::ffi::lent_at(self.py, names, index),
            crate::ffi::lent_at(self.py, self.args, self.count + index),
        )
    }

    /// The value of the keyword argument `name`, if it was given.
    pub fn keyword_named(&self, name: Name) -> Option<Ref<'a, 'py>> {
        (0..self.keywords()).find_map(|index| {
            let (given, value) = self.keyword(index);
            name.is(&given).then_some(value)
        })
    }

    /// The arguments of a signature of plain positional-or-keyword parameters, the first `required` of them mandatory.
    /// `None`: the call does not fit; let [`Call::mismatch`] raise.
    pub fn parse<const N: usize>(
        &self,
        names: [Name; N],
        required: usize,
    ) -> Option<[Option<Ref<'a, 'py>>; N]> {
        if self.count > N {
            return None;
        }
        let mut found = [None; N];
        for (index, slot) in found.iter_mut().enumerate().take(self.count) {
            *slot = self.arg(index);
        }
        for index in 0..self.keywords() {
            let (given, value) = self.keyword(index);
            let slot = names.iter().position(|name| name.is(&given))?;
            if found[slot].replace(value).is_some() {
                return None;
            }
        }
        found[..required]
            .iter()
            .all(Option::is_some)
            .then_some(found)
    }

    /// As [`Call::parse`], for a signature whose parameters after the first `positional` are keyword-only.
    pub fn parse_keyword_only<const N: usize>(
        &self,
        names: [Name; N],
        required: usize,
        positional: usize,
    ) -> Option<[Option<Ref<'a, 'py>>; N]> {
        (self.count <= positional)
            .then(|| self.parse(names, required))
            .flatten()
    }

    /// Was one of `names` given by keyword? (`msg=` beside a positional msg is the interpreter's `TypeError`.)
    #[inline]
    pub fn any_keyword(&self, names: &[Name]) -> bool {
        !self.kwnames.is_null() && self.any_keyword_of(names)
    }

    fn any_keyword_of(&self, names: &[Name]) -> bool {
        (0..self.keywords()).any(|index| {
            let (given, _) = self.keyword(index);
            names.iter().any(|name| name.is(&given))
        })
    }

    /// The same call of another function, or of another method of the same object.
    #[inline]
    pub fn of(&self, target: Target) -> Call<'_, 'py> {
        Call {
            py: self.py,
            target,
            slf: self.slf,
            args: self.args,
            count: self.count,
            kwnames: self.kwnames,
            enabled: None,
            said: false,
            lifetime: PhantomData,
        }
    }

    /// The same arguments for another method of another object: as `slf.target(*args, **kwargs)`.
    #[inline]
    pub fn on<'b>(&'b self, slf: &'b Obj<'py>, target: Target) -> Call<'b, 'py> {
        Call {
            py: self.py,
            target,
            slf: slf.as_ptr(),
            args: self.args,
            count: self.count,
            kwnames: self.kwnames,
            enabled: None,
            said: false,
            lifetime: PhantomData,
        }
    }

    /// `callable(*first, *args, **kwargs)`; `default` is a keyword argument to add unless the caller gave it.
    pub fn pass_to(
        &self,
        callable: &Obj<'py>,
        first: &[&Obj<'py>],
        default: Option<(Name, &Obj<'py>)>,
    ) -> Res<Obj<'py>> {
        let py = self.py;
        let args: Vec<Obj<'py>> = self.rest(0).iter().map(pyo3::Borrowed::to_owned).collect();
        let mut names: Vec<Obj<'py>> = Vec::new();
        let mut values: Vec<Obj<'py>> = Vec::new();
        if let Some((name, value)) = default
            && self.keyword_named(name).is_none()
        {
            names.push(name.object(py).to_owned());
            values.push(value.clone());
        }
        for index in 0..self.keywords() {
            let (name, value) = self.keyword(index);
            names.push(name.to_owned());
            values.push(value.to_owned());
        }
        let all: Vec<&Obj<'py>> = first.iter().copied().chain(&args).chain(&values).collect();
        if names.is_empty() {
            return crate::ffi::call(callable, &all);
        }
        let names: Vec<&Obj<'py>> = names.iter().collect();
        let names = crate::ffi::new_tuple(py, &names)?;
        crate::ffi::call_keywords(callable, &all, Some(&names))
    }

    /// The keyword arguments as a new dict, as a `**kwargs` parameter receives them.
    pub fn keyword_dict(&self) -> Res<Obj<'py>> {
        let dict = crate::ffi::new_dict(self.py)?;
        for index in 0..self.keywords() {
            let (name, value) = self.keyword(index);
            crate::ffi::dict_set(&dict, &name, &value)?;
        }
        Ok(dict)
    }

    /// Runs the interpreter's own body with the same arguments.
    #[cold]
    pub fn reference(&self, reason: Reason) -> Res<Obj<'py>> {
        stats::reference(reason);
        self.interpreters_own()
    }

    /// The same where that is all there is to do, and no step is left out.
    #[cold]
    pub fn interpreters_own(&self) -> Res<Obj<'py>> {
        let mut args: SmallVec<[*mut ffi::PyObject; 12]> = SmallVec::new();
        if !self.slf.is_null() {
            args.push(self.slf);
        }
        args.extend(
            (0..self.count + self.keywords())
                .map(|index| crate::ffi::lent_at(self.py, self.args, index).as_ptr()),
        );
        crate::bind::call_reference(self.py, self.target, &args, self.kwnames)
    }

    /// The call does not fit the signature: the interpreter's own body raises its `TypeError`.
    #[cold]
    pub fn mismatch(&self) -> Res<Obj<'py>> {
        self.reference(Reason::Arguments)
    }
}

/// Positional arguments on somebody's stack.
#[derive(Clone, Copy)]
pub struct Args<'a, 'py> {
    py: Python<'py>,
    args: *const *mut ffi::PyObject,
    count: usize,
    lifetime: PhantomData<&'a ()>,
}

impl<'a, 'py> Args<'a, 'py> {
    /// The items of a tuple, which must stay alive for `'a`.
    pub fn of_tuple(tuple: &'a Obj<'py>) -> Self {
        let (args, count) = crate::ffi::tuple_items(tuple);
        Args {
            py: tuple.py(),
            args,
            count,
            lifetime: PhantomData,
        }
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Is there none?
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Argument `index`.
    #[inline]
    pub fn get(&self, index: usize) -> Option<Ref<'a, 'py>> {
        (index < self.count).then(|| crate::ffi::lent_at(self.py, self.args, index))
    }

    /// All of them.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Ref<'a, 'py>> + use<'a, 'py> {
        let this = *self;
        (0..this.count).map(move |index| crate::ffi::lent_at(this.py, this.args, index))
    }

    /// A tuple of them.
    pub fn to_tuple(self) -> Res<Obj<'py>> {
        self.to_tuple_by(None)
    }

    /// The same by somebody who may know that nobody wants to hear of it.
    pub fn to_tuple_by(self, untraced: Option<Untraced>) -> Res<Obj<'py>> {
        crate::ffi::tuple_of(self.py, self.args, self.count, untraced)
    }
}
