//! The record of one log call, and `LogRecord`'s own methods.
//!
//! While everything on its way is ours, a record is this Rust value and no Python object exists. The moment Python code must
//! see it ([`Record::real`]) one `LogRecord` is made, complete and in the stdlib's order of attributes; from then on that
//! object is the truth and this value only points at it. What Python code could change under an unseen record (the time, names
//! of threads, the `extra` mapping) is frozen by [`Record::settle`] before any such code runs.
use std::cell::OnceCell;
use std::sync::OnceLock;

use pyo3::prelude::*;

use crate::call::{Args, Call};
use crate::caller::{self, Named, PlaceText, Site};
use crate::clock::{self, Stamp};
use crate::context::{self, Context};
use crate::ffi::{self as py_ffi, Exc, Obj, Ref, Res};
use crate::globals;
use crate::guard::{self, Part, Role, Unaltered};
use crate::late::Late;
use crate::level;
use crate::names::Name;
use crate::natives::Target;
use crate::ordinary;
#[cfg(not(Py_GIL_DISABLED))]
use crate::raw;
use crate::raw::Untraced;
use crate::stats::{self, Reason};
use crate::trace::{At as _, call as calling, get, operator, truth};

/// What a log call was given.
pub struct Event<'a, 'py> {
    /// Whose call it is.
    pub logger: Ref<'a, 'py>,
    /// The level as given.
    pub level: Ref<'a, 'py>,
    /// The message object.
    pub msg: Ref<'a, 'py>,
    /// The arguments to merge into it.
    pub args: Args<'a, 'py>,
    /// The arguments as the tuple they came in, if they did.
    pub args_tuple: Option<Ref<'a, 'py>>,
    /// The normalised exception information, `None` the object when there is none.
    pub exc_info: Obj<'py>,
    /// The stack text, `None` the object when not asked for.
    pub stack: Obj<'py>,
    /// The `extra` mapping, when given: an exact dict whose keys clash with nothing.
    pub extra: Option<Obj<'py>>,
}

impl<'a, 'py> Event<'a, 'py> {
    /// A call with message, arguments and `extra` alone.
    #[inline]
    pub fn plain(
        logger: Ref<'a, 'py>,
        level: Ref<'a, 'py>,
        msg: Ref<'a, 'py>,
        args: Args<'a, 'py>,
        extra: Option<Ref<'a, 'py>>,
    ) -> Self {
        let py = msg.py();
        Event {
            logger,
            level,
            msg,
            args,
            args_tuple: None,
            exc_info: py_ffi::none(py),
            stack: py_ffi::none(py),
            extra: extra.map(pyo3::Borrowed::to_owned),
        }
    }

    /// The arguments as a tuple.
    pub fn tuple(&self) -> Res<Obj<'py>> {
        match &self.args_tuple {
            Some(args) => Ok((*args).to_owned()),
            None => self.args.to_tuple(),
        }
    }
}

/// An event and what a record says of it beyond what was given.
///
/// Where everything is [ordinary](crate::ordinary) each of these is worked out when first asked for, or when Python code is
/// about to run ([`Record::settle`]); until then nothing can change what the answer is.
pub struct Facts<'a, 'py> {
    /// What was given.
    pub event: Event<'a, 'py>,
    /// Nothing as a rule, which is quickly made and given up.
    found: OnceCell<Found<'py>>,
}

/// What has been worked out of them.
struct Found<'py> {
    name: Late<Obj<'py>>,
    site: Late<Site<'py>>,
    level_name: Late<Obj<'py>>,
    stamp: Late<Stamp<'py>>,
    context: Context<'py>,
}

impl Found<'_> {
    const fn nothing() -> Self {
        Found {
            name: Late::new(),
            site: Late::new(),
            level_name: Late::new(),
            stamp: Late::new(),
            context: Context::new(),
        }
    }
}

impl<'a, 'py> Facts<'a, 'py> {
    /// All of them, as they were worked out; of the context perhaps nothing yet.
    pub fn known(
        event: Event<'a, 'py>,
        name: Obj<'py>,
        site: Site<'py>,
        level_name: Obj<'py>,
        stamp: Stamp<'py>,
        context: Context<'py>,
    ) -> Self {
        let found = Found {
            name: Late::known(name),
            site: Late::known(site),
            level_name: Late::known(level_name),
            stamp: Late::known(stamp),
            context,
        };
        Facts {
            event,
            found: OnceCell::from(found),
        }
    }

    #[inline]
    fn found(&self) -> &Found<'py> {
        self.found.get_or_init(Found::nothing)
    }

    /// What `part` is of what has been worked out; `None` where it has not been.
    #[inline]
    fn found_yet<'f, T: 'f>(
        &'f self,
        part: impl FnOnce(&'f Found<'py>) -> &'f Late<T>,
    ) -> Option<&'f T> {
        part(self.found.get()?).get()
    }

    /// Thread, process and task. Asking for the process's name or the task may run Python code: [`Record::identify`] first.
    #[inline]
    pub fn context(&self) -> &Context<'py> {
        &self.found().context
    }

    /// `record.thread` and `record.threadName`, good until Python code runs; `None` for a thread that `threading` has to be asked for.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "25 instructions by a call, 5 without")]
    pub fn lent_thread(&self) -> Res<Option<(Ref<'_, 'py>, Ref<'_, 'py>)>> {
        #[cfg(not(Py_GIL_DISABLED))]
        if self.found.get().is_none()
            && let Some(lent) = context::lent_thread(self.py())?
        {
            return Ok(Some(lent));
        }
        self.context().lent_thread(self.py())
    }

    fn py(&self) -> Python<'py> {
        self.event.msg.py()
    }

    /// `record.name`
    #[inline]
    pub fn name(&self) -> Res<&Obj<'py>> {
        self.found()
            .name
            .get_or(|| guard::attr(&self.event.logger, Name::name))
    }

    /// Where the call stands.
    #[inline]
    pub fn site(&self) -> Res<&Site<'py>> {
        self.found().site.get_or(|| Site::of_caller(self.py()))
    }

    /// What that is called.
    #[inline]
    pub fn named(&self) -> Res<&Named<'py>> {
        match self
            .found_yet(|found| &found.site)
            .and_then(Site::known_names)
        {
            Some(names) => Ok(names),
            None => self.find_names(),
        }
    }

    #[inline(never)]
    fn find_names(&self) -> Res<&Named<'py>> {
        let py = self.py();
        if self.found_yet(|found| &found.site).is_none()
            && ordinary::is_ordinary(py)
            && let Some(site) = caller::known_named_site(py)
        {
            return self.found().site.get_or(|| Ok(site))?.named();
        }
        self.site()?.named()
    }

    /// The same of a place that nobody has looked at yet, as far as it is remembered: pathname, filename, module, function and line, good
    /// until Python code runs. Giving up five references takes longer than to look once more.
    #[inline]
    pub fn lent_names(&self) -> Option<[Ref<'_, 'py>; 5]> {
        self.may_be_remembered()
            .then(|| caller::lent_names(self.py()))
            .flatten()
    }

    /// May it be a place that nobody has looked at yet, but that is remembered?
    #[inline]
    fn may_be_remembered(&self) -> bool {
        let py = self.py();
        // With a GIL everything is as it was when the record was begun: it would be settled otherwise.
        let ordinary = cfg!(not(Py_GIL_DISABLED)) || ordinary::is_ordinary(py);
        let known = self.found_yet(|found| &found.site).is_some();
        debug_assert!(known || !ordinary || ordinary::is_ordinary(py));
        !known && ordinary
    }

    /// Hands what this format says of such a place, and whether that is ASCII, to `take`.
    #[inline]
    pub fn place_text(&self, format: u64, take: impl FnMut(&str, bool)) -> PlaceText {
        if self.may_be_remembered() {
            caller::place_text(self.py(), format, take)
        } else {
            PlaceText::Unknown
        }
    }

    /// Keeps that, where it is wanted.
    pub fn keep_place_text(&self, format: u64, text: &str, ascii: bool) {
        if self.may_be_remembered() {
            caller::keep_place_text(self.py(), format, text, ascii);
        }
    }

    /// `record.levelname`, good until Python code runs.
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "30 instructions by a call, 18 without"
    )]
    pub fn lent_level_name(&self) -> Res<Option<Ref<'_, 'py>>> {
        #[cfg(not(Py_GIL_DISABLED))]
        if self.found_yet(|found| &found.level_name).is_none()
            && let Some(name) = level::lent_name(self.py(), &self.event.level)
        {
            return Ok(Some(name));
        }
        self.found_level_name()
    }

    #[inline(never)]
    fn found_level_name(&self) -> Res<Option<Ref<'_, 'py>>> {
        if self.found_yet(|found| &found.level_name).is_none() {
            let (py, level) = (self.py(), &self.event.level);
            let Some(name) = level_name_unasked(py, level)? else {
                return Ok(None);
            };
            self.found().level_name.get_or(|| Ok(name))?;
        }
        self.level_name().map(|name| Some(name.as_borrowed()))
    }

    /// `record.name`, good until Python code runs.
    #[inline]
    pub fn lent_name(&self) -> Res<Ref<'_, 'py>> {
        #[cfg(not(Py_GIL_DISABLED))]
        if self.found_yet(|found| &found.name).is_none()
            && let Some(logger) = guard::view_of(&self.event.logger, Part::Logger)
            && let Some(name) = logger.lend(Name::name)
        {
            return Ok(py_ffi::lent(self.py(), name.as_ptr()));
        }
        self.name().map(|name| name.as_borrowed())
    }

    /// `record.levelname`
    #[inline]
    pub fn level_name(&self) -> Res<&Obj<'py>> {
        self.found()
            .level_name
            .get_or(|| level_name(self.py(), &self.event.level))
    }

    /// Its times.
    #[inline]
    pub fn stamp(&self) -> Res<&Stamp<'py>> {
        self.found().stamp.get_or(|| clock::now(self.py()))
    }

    /// Has nothing but the time been worked out yet, if that?
    #[inline]
    fn is_blank(&self) -> bool {
        self.found.get().is_none_or(|found| {
            found.name.get().is_none()
                & found.site.get().is_none()
                & found.level_name.get().is_none()
                & found.context.is_blank()
        })
    }

    /// Works out all but thread, process and task.
    fn freeze(&self) -> Res<()> {
        self.stamp()?;
        self.site()?;
        self.name()?;
        self.level_name()?;
        Ok(())
    }
}

/// One record on its way.
pub struct Record<'a, 'py> {
    py: Python<'py>,
    real: Option<Obj<'py>>,
    facts: Option<Facts<'a, 'py>>,
    /// `record.args`, when finding them out has run Python code already.
    args: Option<Obj<'py>>,
    settled: bool,
    formatted: Option<Formatted<'py>>,
    /// Was the `LogRecord` made here?
    own: bool,
    /// `message` is to be set before anybody gets the record, which nobody can find: [`Record::hide`].
    hidden: bool,
    /// What was found out about it then, if nothing has been set on it since.
    unaltered: Option<Unaltered>,
}

impl Drop for Record<'_, '_> {
    fn drop(&mut self) {
        // Only what is hidden is known to be.
        if let Some(unaltered) = self.unaltered
            && let Some(real) = self.real.take()
        {
            match guard::give_up_unaltered(real, unaltered) {
                Ok(()) => return,
                Err(real) => self.real = Some(real),
            }
        }
        if self.hidden && !self.is_nobody_elses() {
            self.show_at_its_end();
        }
        if let Some(real) = self.real.take() {
            guard::give_up_instance(real);
        }
    }
}

/// What formatting an unseen record would have set on it.
#[derive(Default)]
pub struct Formatted<'py> {
    /// `record.message`
    pub message: Option<Obj<'py>>,
    /// `record.asctime`
    pub time: Option<Obj<'py>>,
    /// `record.exc_text`
    pub exc_text: Option<Obj<'py>>,
}

impl<'a, 'py> Record<'a, 'py> {
    /// A record that exists already.
    pub fn of(real: Obj<'py>) -> Self {
        Record {
            py: real.py(),
            real: Some(real),
            facts: None,
            args: None,
            settled: false,
            formatted: None,
            own: false,
            hidden: false,
            unaltered: None,
        }
    }

    /// A record of these facts that no Python code has seen; `args` as [`Record::args`] gives them, if that has been found out.
    pub fn unseen_yet(facts: Facts<'a, 'py>, args: Option<Obj<'py>>) -> Self {
        Record {
            py: facts.py(),
            real: None,
            facts: Some(facts),
            args,
            settled: false,
            formatted: None,
            own: false,
            hidden: false,
            unaltered: None,
        }
    }

    /// A new record of `event` where everything is ordinary: nothing is worked out yet. The caller has made sure that whatever
    /// may be asked later runs no Python code: a small int as level, a logger with a name, arguments that are what they seem.
    #[inline]
    pub fn late(event: Event<'a, 'py>) -> Self {
        let facts = Facts {
            event,
            found: OnceCell::new(),
        };
        Self::unseen_yet(facts, None)
    }

    /// A new record of `event`, made now: time, arguments and level name are taken in the stdlib's order.
    pub fn new(
        py: Python<'py>,
        event: Event<'a, 'py>,
        name: Obj<'py>,
        site: Site<'py>,
    ) -> Res<Self> {
        let here = Target::LogRecordInit;
        let stamp = clock::now(py).at(py, here, calling(clock::SOURCE.text()))?;
        let args = match &event.args_tuple {
            Some(tuple)
                if py_ffi::tuple_item(tuple, 0).is_some_and(|only| may_be_mapping(&only)) =>
            {
                Some(single_mapping(py, tuple)?)
            }
            None if has_doubtful_mapping(event.args) => {
                Some(single_mapping(py, &event.args.to_tuple()?)?)
            }
            _ => None,
        };
        let level_name = level_name(py, &event.level).at(py, here, calling("getLevelName"))?;
        site.named()?.names()?;
        let facts = Facts::known(event, name, site, level_name, stamp, Context::new());
        let record = Self::unseen_yet(facts, args);
        if !context::can_wait(py)? {
            // Somebody's own functions tell thread and process: they are asked when the record is made, as in the stdlib.
            record.identify()?;
        }
        Ok(record)
    }

    /// Is there nothing in it to give up, as where nobody has seen it? Then it may be forgotten, which takes a quarter of the time.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "80 instructions less than to drop it")]
    pub fn owns_nothing(&self) -> bool {
        // None is immortal from 3.12 on.
        let blank = self.facts.as_ref().is_some_and(|facts| {
            let event = &facts.event;
            cfg!(Py_3_12)
                && event.exc_info.is_none()
                && event.stack.is_none()
                && event.extra.is_none()
                && facts.found.get().is_none()
        });
        blank && self.real.is_none() && self.args.is_none() && self.formatted.is_none()
    }

    /// The Rust side of it, as long as no Python code has seen it.
    #[inline]
    pub fn unseen(&self) -> Option<Unseen<'_, 'a, 'py>> {
        match (&self.real, &self.facts) {
            (None, Some(facts)) => Some(Unseen {
                facts,
                formatted: self.formatted.as_ref(),
            }),
            _ => None,
        }
    }

    /// Freezes what Python code could change before the record becomes real: the place of the call, names, the time, thread,
    /// process and task, `extra`. To be called before any Python code runs and before a lock is waited for.
    pub fn settle(&mut self) -> Res<()> {
        if self.is_settled() {
            return Ok(());
        }
        self.identify()?;
        if let Some(facts) = &mut self.facts
            && let Some(extra) = &mut facts.event.extra
        {
            *extra = py_ffi::dict_copy(extra)?;
        }
        self.settled = true;
        Ok(())
    }

    /// Is everything that Python code could change frozen?
    #[inline]
    pub fn is_settled(&self) -> bool {
        self.settled || self.real.is_some()
    }

    /// Reads thread, process and task now, unless they are known. Python code that is asked for them finds everything else
    /// frozen.
    pub fn identify(&self) -> Res<()> {
        match (&self.real, &self.facts) {
            (None, Some(facts)) => {
                facts.freeze()?;
                facts.context().freeze(self.py)
            }
            _ => Ok(()),
        }
    }

    /// `record.args` of an unseen record.
    #[inline]
    pub fn args(&self) -> Res<Obj<'py>> {
        let Some(Facts { event, .. }) = &self.facts else {
            return Ok(py_ffi::none(self.py));
        };
        if let Some(args) = &self.args {
            return Ok(args.clone());
        }
        own_args(event, None)
    }

    /// Keeps what a formatter would have set on the record, for whoever sees it later.
    pub fn remember(&mut self, message: Option<Obj<'py>>, time: Option<Obj<'py>>) {
        let formatted = self.formatted.get_or_insert_default();
        formatted.message = message;
        if time.is_some() {
            formatted.time = time;
        }
    }

    /// Keeps the rendered exception, as `record.exc_text`.
    pub fn remember_exception(&mut self, text: Obj<'py>) {
        self.formatted.get_or_insert_default().exc_text = Some(text);
    }

    /// The `LogRecord`; made now if it does not exist yet.
    #[inline]
    pub fn real(&mut self) -> Res<&Obj<'py>> {
        if self.real.is_none() {
            self.become_real(false)?;
        } else if self.hidden {
            self.show();
        }
        self.real.as_ref().map_or_else(|| unreachable!("made"), Ok)
    }

    /// Makes an unseen one the `LogRecord` for Python code; `ordinary`: everything is known to be. True: nothing has run for it.
    #[inline]
    pub fn become_real(&mut self, ordinary: bool) -> Res<bool> {
        debug_assert!(self.real.is_none());
        debug_assert!(!ordinary || ordinary::is_ordinary(self.py));
        let (real, quietly) = if let Some(made) = self.make_at_once(ordinary)? {
            made
        } else {
            self.settle()?;
            (self.make(None)?, false)
        };
        stats::real_record();
        self.real = Some(real);
        self.own = true;
        Ok(quietly)
    }

    /// The `LogRecord`, if it exists already: to be read, not to be given to Python code, from which it may be [hidden](Record::hide).
    #[inline]
    pub fn seen(&self) -> Option<&Obj<'py>> {
        self.real.as_ref()
    }

    /// Has Python code seen it, or may have?
    #[inline]
    pub fn is_seen(&self) -> bool {
        self.real.is_some()
    }

    /// Has nobody else the `LogRecord`, and will nobody hear of its end?
    #[inline]
    pub fn is_nobody_elses(&self) -> bool {
        self.real.as_ref().is_some_and(guard::is_nobody_elses)
    }

    /// Does it wait for somebody who wants it?
    #[inline]
    pub fn is_hidden(&self) -> bool {
        self.hidden
    }

    /// Makes the `LogRecord`, which nobody else has, one that nobody can find, not even by way of the collector: what has been formatted and
    /// is to be set as `message` is set when somebody wants it. Nobody does as a rule, which saves 4 % of a line that a filter has seen.
    /// `unaltered` is what it [was](Record::unaltered) before it was formatted.
    #[inline]
    pub fn hide(&mut self, unaltered: Option<Unaltered>) {
        if let Some(real) = &self.real {
            debug_assert!(self.hidden || guard::is_nobody_elses(real));
            guard::hide_instance(real);
            self.hidden = true;
            self.unaltered = unaltered;
        }
    }

    /// To be called before anything is set on a `LogRecord` that may be hidden.
    #[inline]
    pub fn forget_that_it_is_unaltered(&mut self) {
        self.unaltered = None;
    }

    /// Is it a `LogRecord` that was made here, and that nobody has altered?
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of `seen::push_quietly`")]
    pub fn unaltered(&self) -> Option<Unaltered> {
        // What was made here has a reference of its own, so it has not been finalized.
        let real = self.real.as_ref().filter(|_| self.own)?;
        guard::unaltered(real)
    }

    /// It, to be found again, for Python code may be about to run that gets it.
    #[inline]
    pub fn shown(&mut self) -> &Self {
        if self.hidden {
            self.show();
        }
        self
    }

    /// Somebody wants to hear of its end, which was not so when it was hidden.
    #[cold]
    fn show_at_its_end(&mut self) {
        let raised = PyErr::take(self.py);
        self.show();
        if let Some(raised) = raised {
            raised.restore(self.py);
        }
    }

    /// Makes it as it would be. Where there is no memory for its message it has none: that keeps nobody from handling it.
    #[cold]
    fn show(&mut self) {
        if let Some(real) = &self.real {
            let set = message_of(real).and_then(|message| guard::set(real, Name::message, message));
            py_ffi::or_nothing(self.py, set);
            guard::show_instance(real);
            self.hidden = false;
            self.unaltered = None;
        }
    }

    /// Would `Filterer.filter` without filters run no Python code and let the record pass? From 3.12 on it answers the record itself,
    /// which is then asked whether it is a `LogRecord` and whether it is true. `ordinary`: everything is known to be.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline]
    pub fn is_asked_nothing(&self, ordinary: bool) -> bool {
        // What is ordinary has true records.
        (ordinary || ordinary::is_ordinary(self.py))
            && (self.real.as_ref())
                .is_none_or(|real| globals::is_original_class_of(real, Name::LogRecord))
    }

    /// Another record takes this one's place (a filter returned it), which comes back.
    pub fn replace(&mut self, other: Obj<'py>) -> Option<Obj<'py>> {
        (self.own, self.hidden, self.unaltered) = (false, false, None);
        self.real.replace(other)
    }

    /// `record.levelno`
    #[inline]
    pub fn level(&self) -> Res<Obj<'py>> {
        match (&self.real, &self.facts) {
            (None, Some(facts)) => Ok(facts.event.level.to_owned()),
            (Some(real), _) => guard::attr(real, Name::levelno),
            (None, None) => Ok(py_ffi::none(self.py)),
        }
    }

    /// A `LogRecord` of an unseen record as `QueueHandler.prepare` leaves its copy: `text` for message and arguments, nothing
    /// of exception and stack. The record itself stays unseen. Time and `extra` are frozen by it: Python code comes next.
    pub fn prepared(&mut self, text: &Obj<'py>) -> Res<Obj<'py>> {
        self.settle()?;
        let prepared = self.make(Some(text))?;
        stats::real_record();
        Ok(prepared)
    }

    #[inline(never)]
    fn make(&self, prepared: Option<&Obj<'py>>) -> Res<Obj<'py>> {
        let py = self.py;
        // Unseen is only what this class makes, whatever the factory is by now.
        let (Some(facts), Some(class)) = (&self.facts, globals::original(py, Name::LogRecord))
        else {
            return Err(py_ffi::raise(
                py,
                Exc::System,
                "femtolog: a record without an event",
            ));
        };
        let event = &facts.event;
        let none = py_ffi::none(py);
        let (msg, args, exc_info, stack) = match prepared {
            None => (&*event.msg, &self.args()?, &event.exc_info, &event.stack),
            Some(text) => (text, &none, &none, &none),
        };
        let (site, stamp, context) = (facts.named()?, facts.stamp()?, facts.context());
        let (filename, module) = site.names()?;
        let (thread, thread_name) = context.thread(py)?;
        let [created, msecs, relative] = stamp.objects(py)?;
        let values = [
            facts.name()?,
            msg,
            args,
            facts.level_name()?,
            &event.level,
            &site.pathname,
            filename,
            module,
            exc_info,
            &none,
            stack,
            &site.line,
            &site.function,
            &created,
            &msecs,
            &relative,
            thread,
            thread_name,
            context.process_name(py)?,
            context.process(py)?,
            context.task_name(py)?,
        ];
        let values: [&Obj<'py>; ATTRIBUTE_COUNT] =
            *values.first_chunk().expect("a value for each attribute");
        let real = guard::filled_instance(&class, &ATTRIBUTES, values.map(Clone::clone))?;
        if let Some(extra) = &event.extra {
            let dict = py_ffi::getattr(&real, Name::__dict__)?;
            for (key, value) in py_ffi::dict_items(extra) {
                py_ffi::set_item(&dict, &key, &value)?;
            }
        }
        self.set_formatted(&real, prepared)?;
        Ok(real)
    }

    /// Sets what formatting has left.
    #[inline]
    fn set_formatted(&self, real: &Obj<'py>, prepared: Option<&Obj<'py>>) -> Res<()> {
        match &self.formatted {
            None => Ok(()),
            Some(formatted) => set_formatted(formatted, real, prepared),
        }
    }

    /// [`settle`](Self::settle) and [`make`](Self::make) in one go, of a record of which nothing but the time has been worked out yet:
    /// everything is read once, into its place. A third of what both cost. `None`: nothing done. True: nothing has run for it.
    #[inline(never)]
    fn make_at_once(&self, ordinary: bool) -> Res<Option<(Obj<'py>, bool)>> {
        let py = self.py;
        let Some(facts) = &self.facts else {
            return Ok(None);
        };
        let event = &facts.event;
        // All of it, not one after the other: one branch instead of eight.
        let known = self.settled | self.args.is_some() | event.extra.is_some() | !facts.is_blank();
        if known || !(ordinary || ordinary::is_ordinary(py)) {
            return Ok(None);
        }
        let Some(class) = globals::original(py, Name::LogRecord) else {
            return Ok(None);
        };
        let times = match facts.found_yet(|found| &found.stamp) {
            None => clock::plain(py),
            Some(_) => None,
        };
        #[cfg(not(Py_GIL_DISABLED))]
        let mut untraced = (times.filter(|_| raw::has_shell(py))).and_then(|_| raw::untraced(py));
        #[cfg(Py_GIL_DISABLED)]
        let untraced = None;
        let args = own_args(event, untraced)?;
        #[cfg(not(Py_GIL_DISABLED))]
        if cfg!(not(Py_3_12)) && untraced.is_some() {
            // A tuple of arguments that had to be made may have set the collector going.
            untraced = raw::untraced(py);
        }
        #[cfg(not(Py_GIL_DISABLED))]
        let args = match (times, untraced) {
            (Some(times), Some(untraced)) => match remade(event, &class, args, times, untraced)? {
                Ok(real) => {
                    self.set_formatted(&real, None)?;
                    // As for the arguments.
                    return Ok(Some((real, cfg!(Py_3_12) && self.formatted.is_none())));
                }
                Err(args) => args,
            },
            _ => args,
        };
        let [created, msecs, relative] = match times {
            Some(times) => py_ffi::new_floats(py, times)?,
            None => facts.stamp()?.objects(py)?,
        };
        let logger = guard::view_of(&event.logger, Part::Logger);
        let name = match logger.and_then(|logger| logger.get(Name::name)) {
            Some(name) => name,
            None => guard::attr(&event.logger, Name::name)?,
        };
        let level_name = level_name(py, &event.level)?;
        let Some([pathname, filename, module, function, line]) = caller::known_names(py) else {
            return Ok(None);
        };
        // Read last, since asking for these may run Python code.
        let [thread, thread_name, process_name, process, task_name] = context::read(py)?;
        let values = [
            name,
            event.msg.to_owned(),
            args,
            level_name,
            event.level.to_owned(),
            pathname,
            filename,
            module,
            event.exc_info.clone(),
            py_ffi::none(py),
            event.stack.clone(),
            line,
            function,
            created,
            msecs,
            relative,
            thread,
            thread_name,
            process_name,
            process,
            #[cfg(Py_3_12)]
            task_name,
        ];
        #[cfg(not(Py_3_12))]
        drop(task_name);
        let real = guard::filled_instance(&class, &ATTRIBUTES, values)?;
        self.set_formatted(&real, None)?;
        Ok(Some((real, false)))
    }
}

/// [`Record::make_at_once`] out of the last record, whose attributes are as a rule most of the new one's; `Err` where there is none, or
/// somebody has to be asked.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of `make_at_once`")]
fn remade<'py>(
    event: &Event<'_, 'py>,
    class: &Obj<'py>,
    args: Obj<'py>,
    times: [f64; 3],
    untraced: Untraced,
) -> Res<Result<Obj<'py>, Obj<'py>>> {
    let py = class.py();
    #[cfg(Py_3_12)]
    let level_name = level::lent_name(py, &event.level);
    #[cfg(not(Py_3_12))]
    let level_name = level_name_unasked(py, &event.level)?;
    let logger = guard::view_of(&event.logger, Part::Logger);
    let name = logger.as_ref().and_then(|logger| logger.lend(Name::name));
    let (Some(name), Some(level_name), Some(context)) = (name, level_name, context::lend(py)?)
    else {
        return Ok(Err(args));
    };
    let Some([pathname, filename, module, function, line]) = caller::lent_names(py) else {
        return Ok(Err(args));
    };
    let [thread, thread_name, process_name, process, task_name] = context;
    let none = py_ffi::none(py);
    let steady = [
        name.as_borrowed(),
        level_name.as_borrowed(),
        event.level,
        pathname,
        filename,
        module,
        event.exc_info.as_borrowed(),
        none.as_borrowed(),
        event.stack.as_borrowed(),
        line,
        function,
        thread,
        thread_name,
        process_name,
        process,
        #[cfg(Py_3_12)]
        task_name,
    ];
    #[cfg(not(Py_3_12))]
    let _ = task_name;
    Ok(guard::remade_instance(
        untraced,
        class,
        &ATTRIBUTES,
        steady,
        event.msg,
        args,
        times,
    ))
}

#[cold]
fn set_formatted<'py>(
    formatted: &Formatted<'py>,
    real: &Obj<'py>,
    prepared: Option<&Obj<'py>>,
) -> Res<()> {
    let left = [
        (Name::message, prepared.or(formatted.message.as_ref())),
        (Name::asctime, formatted.time.as_ref()),
        (
            Name::exc_text,
            formatted.exc_text.as_ref().filter(|_| prepared.is_none()),
        ),
    ];
    for (name, value) in left {
        if let Some(value) = value {
            guard::set(real, name, value.clone())?;
        }
    }
    Ok(())
}

/// A record that no Python code has seen.
pub struct Unseen<'r, 'a, 'py> {
    /// What was logged.
    pub facts: &'r Facts<'a, 'py>,
    /// What an earlier formatter left.
    pub formatted: Option<&'r Formatted<'py>>,
}

/// How many attributes every record has; the task's name came with 3.12.
const ATTRIBUTE_COUNT: usize = if cfg!(Py_3_12) { 21 } else { 20 };

#[cfg(not(Py_GIL_DISABLED))]
const _: () = {
    let tail = [Name::exc_info, Name::exc_text, Name::stack_info];
    let own = [
        Name::msg,
        Name::args,
        Name::created,
        Name::msecs,
        Name::relativeCreated,
    ];
    let mut nth = 0;
    while nth < own.len() {
        assert!(ATTRIBUTES[raw::VARYING[nth]] as usize == own[nth] as usize);
        nth += 1;
    }
    nth = 0;
    while nth < tail.len() {
        assert!(ATTRIBUTES[raw::TAIL[nth]] as usize == tail[nth] as usize);
        nth += 1;
    }
};

/// The attributes in the order `LogRecord.__init__` sets them. The order of `vars(record)` is observable.
pub static ATTRIBUTES: [Name; ATTRIBUTE_COUNT] = [
    Name::name,
    Name::msg,
    Name::args,
    Name::levelname,
    Name::levelno,
    Name::pathname,
    Name::filename,
    Name::module,
    Name::exc_info,
    Name::exc_text,
    Name::stack_info,
    Name::lineno,
    Name::funcName,
    Name::created,
    Name::msecs,
    Name::relativeCreated,
    Name::thread,
    Name::threadName,
    Name::processName,
    Name::process,
    #[cfg(Py_3_12)]
    Name::taskName,
];

/// Makes one record and forgets it, so that the keys `LogRecord`'s instances share exist in the stdlib's order and have a place
/// for `message` and `asctime` as well: an instance that gets a name without a place falls back to a dict of its own.
pub fn prepare(module: &Bound<'_, pyo3::types::PyModule>) -> PyResult<()> {
    let py = module.py();
    let class = module.getattr("LogRecord")?;
    if !py_ffi::is_plain_class(&class) {
        return Ok(());
    }
    let none = py_ffi::none(py);
    py_ffi::new_instance(&class)
        .and_then(|record| {
            let names = ATTRIBUTES.iter().chain(&[Name::message, Name::asctime]);
            names
                .into_iter()
                .try_for_each(|name| py_ffi::setattr(&record, *name, &none))
        })
        .map_err(|raised| PyErr::from_value(raised.take(py)))
}

/// What `extra` may not carry: the attributes every record has, and what formatting adds.
fn reserved() -> impl Iterator<Item = Name> {
    ATTRIBUTES.into_iter().chain([Name::message, Name::asctime])
}

/// A bit for each hash (modulo 512) of a reserved name, and of the method that an attribute of its name would hide.
static SPECIAL: OnceLock<[u64; 8]> = OnceLock::new();

/// Can `key` (a str) be one of those names? Comparing its text with all of them would take longer than formatting a line, and even comparing
/// hashes takes 70 instructions.
#[inline]
fn may_be_special(key: &Obj<'_>) -> bool {
    let place = |hash: isize| (hash as usize / 64 % 8, hash as usize % 64);
    let bits = SPECIAL.get_or_init(|| {
        let mut bits = [0; 8];
        for name in reserved().chain([Name::getMessage]) {
            let (word, bit) = place(name.hash());
            bits[word] |= 1 << bit;
        }
        bits
    });
    let (word, bit) = place(py_ffi::str_hash(key));
    bits[word] >> bit & 1 != 0
}

/// Is `key` (a str) an attribute every record has (so that `extra` may not carry it)?
#[inline]
pub fn is_reserved(key: &Obj<'_>) -> bool {
    may_be_special(key) && is_one_of_the_reserved(key)
}

#[cold]
fn is_one_of_the_reserved(key: &Obj<'_>) -> bool {
    reserved().any(|name| name.is(key))
}

/// Is `key` an exact str that names no method of a record? The attribute would hide the one that makes the message.
#[inline]
pub fn is_attribute_alone(key: &Obj<'_>) -> bool {
    py_ffi::is_str(key) && !(may_be_special(key) && Name::getMessage.is(key))
}

/// Is this an `extra` that can be added to any record: an exact dict with `str` keys, none of them reserved?
#[inline]
pub fn is_plain_extra(extra: &Obj<'_>) -> bool {
    let is_plain = |key: &Obj<'_>| {
        py_ffi::is_str(key)
            && (!may_be_special(key) || (is_attribute_alone(key) && !is_reserved(key)))
    };
    py_ffi::is_dict(extra) && py_ffi::all_keys(extra, is_plain)
}

/// `getLevelName(level)`
#[inline]
pub fn level_name<'py>(py: Python<'py>, level: &Obj<'py>) -> Res<Obj<'py>> {
    match level::known_name(py, level) {
        Some(name) => Ok(name),
        None => find_level_name(py, level),
    }
}

/// The same where finding it runs no Python code; `None` where it might.
fn level_name_unasked<'py>(py: Python<'py>, level: &Obj<'py>) -> Res<Option<Obj<'py>>> {
    if let Some(name) = level::known_name(py, level) {
        return Ok(Some(name));
    }
    if !globals::is_own(py, Name::getLevelName, Target::GetLevelName)? {
        return Ok(None);
    }
    let Some(name) = level::name_unasked(py, level)? else {
        return Ok(None);
    };
    level::remember(py, level)?;
    Ok(Some(name))
}

#[inline(never)]
fn find_level_name<'py>(py: Python<'py>, level: &Obj<'py>) -> Res<Obj<'py>> {
    if globals::is_own(py, Name::getLevelName, Target::GetLevelName)? {
        let name = level::name_of(py, level)?;
        level::remember(py, level)?;
        return Ok(name);
    }
    py_ffi::call(&globals::get(py, Name::getLevelName)?, &[level])
}

/// `LogRecord.args` of what a call was given; `untraced` as for a tuple of them.
#[inline]
fn own_args<'py>(event: &Event<'_, 'py>, untraced: Option<Untraced>) -> Res<Obj<'py>> {
    let py = event.msg.py();
    if let Some(tuple) = &event.args_tuple {
        return single_mapping(py, tuple);
    }
    match event.args.get(0) {
        // Which most arguments are.
        Some(only)
            if event.args.len() == 1 && !py_ffi::is_str(&only) && is_filled_mapping(py, &only)? =>
        {
            Ok(only.to_owned())
        }
        _ => event.args.to_tuple_by(untraced),
    }
}

/// Is this the non-empty mapping that, as the only argument, stands for the arguments themselves?
fn is_filled_mapping<'py>(py: Python<'py>, object: &Obj<'py>) -> Res<bool> {
    if py_ffi::is_dict(object) {
        return Ok(py_ffi::dict_len(object) > 0);
    }
    if py_ffi::is_str(object)
        || py_ffi::is_int(object)
        || py_ffi::float_value(object).is_some()
        || object.is_none()
    {
        return Ok(false);
    }
    let abc = py_ffi::getattr(&globals::get(py, Name::collections)?, Name::abc)?;
    let mapping = py_ffi::getattr(&abc, Name::Mapping)?;
    Ok(py_ffi::isinstance(object, &mapping)? && py_ffi::truthy(object)?)
}

/// Could this only argument be a mapping whose truth Python code decides? Then it is asked when the record is made, once.
#[inline]
fn may_be_mapping(only: &Obj<'_>) -> bool {
    !(py_ffi::is_str(only)
        || py_ffi::is_int(only)
        || py_ffi::is_float(only)
        || py_ffi::is_bool(only)
        || py_ffi::is_dict(only)
        || only.is_none())
}

/// Is there only one argument, and only Python code can tell whether it is a mapping?
#[inline]
pub fn has_doubtful_mapping(args: Args<'_, '_>) -> bool {
    args.len() == 1 && args.get(0).is_some_and(|only| may_be_mapping(&only))
}

/// `LogRecord.args` of the arguments given: a single non-empty mapping is unwrapped.
fn single_mapping<'py>(py: Python<'py>, args: &Obj<'py>) -> Res<Obj<'py>> {
    if py_ffi::truthy(args)? && py_ffi::len(args)? == 1 {
        let only = py_ffi::get_item(args, &py_ffi::new_int(py, 0)?)?;
        if is_filled_mapping(py, &only)? {
            return py_ffi::get_item(args, &py_ffi::new_int(py, 0)?);
        }
    }
    Ok(args.clone())
}

// ---- the methods of LogRecord

/// `LogRecord.__init__`
pub fn init<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let names = [
        Name::name,
        Name::level,
        Name::pathname,
        Name::lineno,
        Name::msg,
        Name::args,
        Name::exc_info,
        Name::func,
        Name::sinfo,
    ];
    // Further keywords are accepted and ignored, so they are no mismatch.
    let mut found = [None; 9];
    if call.len() > found.len() {
        return call.mismatch();
    }
    for (index, slot) in found.iter_mut().enumerate() {
        *slot = call.arg(index);
    }
    for index in 0..call.keywords() {
        let (given, value) = call.keyword(index);
        if Name::self_.is(&given) {
            return call.mismatch();
        }
        if let Some(slot) = names.iter().position(|known| known.is(&given))
            && found[slot].replace(value).is_some()
        {
            return call.mismatch();
        }
    }
    let [
        Some(name),
        Some(level),
        Some(pathname),
        Some(lineno),
        Some(msg),
        Some(args),
        Some(exc_info),
        func,
        sinfo,
    ] = found
    else {
        return call.mismatch();
    };
    let py = call.py();
    let none = py_ffi::none(py);
    let slf = call.slf();
    if !shows_what_is_set(&slf) {
        return call.reference(Reason::RecordClass);
    }
    let here = Target::LogRecordInit;
    let stamp = clock::now(py).at(py, here, calling(clock::SOURCE.text()))?;
    let set = |values: &[(Name, &Obj<'py>)]| guard::set_all(&slf, values);
    set(&[(Name::name, &name), (Name::msg, &msg)])?;
    set(&[(Name::args, &single_mapping(py, &args)?)])?;
    let level_name = level_name(py, &level).at(py, here, calling("getLevelName"))?;
    set(&[
        (Name::levelname, &level_name),
        (Name::levelno, &level),
        (Name::pathname, &pathname),
    ])?;
    let (filename, module) = caller::file_and_module(&pathname)?;
    let [created, msecs, relative] = stamp.objects(py)?;
    set(&[
        (Name::filename, &filename),
        (Name::module, &module),
        (Name::exc_info, &exc_info),
        (Name::exc_text, &none),
        (Name::stack_info, sinfo.as_deref().unwrap_or(&none)),
        (Name::lineno, &lineno),
        (Name::funcName, func.as_deref().unwrap_or(&none)),
        (Name::created, &created),
        (Name::msecs, &msecs),
        (Name::relativeCreated, &relative),
    ])?;
    let context = Context::new();
    let (thread, thread_name) = context.thread(py)?;
    set(&[(Name::thread, thread), (Name::threadName, thread_name)])?;
    set(&[(Name::processName, context.process_name(py)?)])?;
    set(&[(Name::process, context.process(py)?)])?;
    #[cfg(Py_3_12)]
    set(&[(Name::taskName, context.task_name(py)?)])?;
    Ok(none)
}

/// `LogRecord.__init__` reads these again after setting them, and goes by what it is told.
fn shows_what_is_set(record: &Obj<'_>) -> bool {
    const READ_AGAIN: [Name; 3] = [Name::filename, Name::created, Name::msecs];
    guard::view_of(record, Part::Record).is_some_and(|record| {
        record.is_by(Role::SettableRecord, |record| record.keeps(&READ_AGAIN))
    })
}

/// `LogRecord.getMessage`
pub fn get_message<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    message_of(&call.slf())
}

/// `record.getMessage()` as the stdlib defines it: `str(msg)`, and `% args` where `args` is true.
pub fn message_of<'py>(record: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (record.py(), Target::RecordGetMessage);
    let message = guard::attr(record, Name::msg).at(py, here, get("msg"))?;
    let message = py_ffi::str(&message).at(py, here, calling("str"))?;
    let args = guard::attr(record, Name::args).at(py, here, get("args"))?;
    if !py_ffi::truthy(&args).at(py, here, truth("args"))? {
        return Ok(message);
    }
    let args = guard::attr(record, Name::args).at(py, here, get("args").nth(1))?;
    py_ffi::remainder(&message, &args).at(py, here, operator("args").nth(1))
}
