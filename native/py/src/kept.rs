//! What a record was made from, put aside until somebody may want to see it: on the queue of an asynchronous handler.
//!
//! Only values that cannot change are put aside, so the record made later is the one of the call. No object of the program's is
//! among them but what `extra` held.
use pyo3::prelude::*;

use crate::call::Args;
use crate::caller::Site;
use crate::clock::{Number, Stamp};
use crate::context::Context;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::format::message;
use crate::format::unseen;
use crate::record::{Event, Facts, Record};

/// Name, message, level, its name, the code object that logged, thread, its name, process's name, process, task's name.
const COUNT: usize = 10;

/// That many arguments need no tuple until somebody wants to see it: making and freeing one takes 400 instructions.
const FEW: usize = 4;

/// So many objects of one record are looked at for their size,
pub const BULK_OF: usize = 500;
/// within so many containers.
pub const BULK_WITHIN: u8 = 32;

/// See the module. As it is made by default, nothing.
#[derive(Default)]
pub struct Kept {
    objects: [Option<Py<PyAny>>; COUNT],
    /// Into the code object.
    offset: i32,
    args: [Option<Py<PyAny>>; FEW],
    /// The arguments, if they are more.
    tuple: Option<Py<PyAny>>,
    extra: Option<Py<PyAny>>,
    /// What the formatter set as such.
    asctime: Option<Py<PyAny>>,
    /// Created, its milliseconds, since the start.
    times: [f64; 3],
}

impl Kept {
    /// Puts a settled record aside that no Python code has seen, formatted with this `asctime` or the `None` object. False, with nothing
    /// done, for one whose values could change, or with an exception or a stack. Filled in place: 150 instructions less than to make and
    /// to move it.
    pub fn fill<'py>(&mut self, record: &Record<'_, 'py>, asctime: &Obj<'py>) -> Res<bool> {
        let Some(unseen) = record.unseen() else {
            return Ok(false);
        };
        let (facts, event) = (unseen.facts, &unseen.facts.event);
        let (py, stamp) = (event.msg.py(), facts.stamp()?);
        let (Number::Float(created), Number::Float(msecs), Number::Float(relative)) =
            (&stamp.created, &stamp.msecs, &stamp.relative)
        else {
            return Ok(false);
        };
        if !message::is_plain_message(&event.msg, event.args)
            || !event.exc_info.is_none()
            || !event.stack.is_none()
        {
            return Ok(false);
        }
        let context = facts.context();
        let Site::At((code, offset), _) = facts.site()? else {
            return Ok(false);
        };
        let (thread, thread_name) = context.thread(py)?;
        let earlier = unseen.formatted.and_then(|earlier| earlier.time.as_ref());
        let asctime = if asctime.is_none() {
            earlier
        } else {
            Some(asctime)
        };
        let objects: [&Obj<'py>; COUNT] = [
            facts.name()?,
            &event.msg,
            &event.level,
            facts.level_name()?,
            code,
            thread,
            thread_name,
            context.process_name(py)?,
            context.process(py)?,
            context.task_name(py)?,
        ];
        if event.args_tuple.is_none() && event.args.len() <= FEW {
            for (place, arg) in self.args.iter_mut().zip(event.args.iter()) {
                put(place, &arg);
            }
        } else {
            self.tuple = Some(event.tuple()?.unbind());
        }
        for (place, object) in self.objects.iter_mut().zip(&objects) {
            put(place, object);
        }
        self.offset = *offset;
        let given = |object: &Obj<'py>| object.clone().unbind();
        self.extra = event.extra.as_ref().map(given);
        self.asctime = asctime.map(given);
        self.times = [*created, *msecs, *relative];
        Ok(true)
    }

    /// About how many bytes the message, its arguments and `extra` occupy where they are large.
    #[inline]
    pub fn bulk(&self, py: Python<'_>) -> usize {
        // Of plain values text alone can be large.
        let text = |place: &Option<Py<PyAny>>| {
            let object = place.as_ref().map(|object| object.bind(py));
            object.map_or(0, py_ffi::bulk_of_text)
        };
        let any = |place: &Option<Py<PyAny>>| {
            let object = place.as_ref().map(|object| object.bind(py));
            object.map_or(0, |object| {
                py_ffi::bulk(object, BULK_WITHIN, &mut { BULK_OF })
            })
        };
        let args = self.args.iter().take_while(|arg| arg.is_some());
        text(&self.objects[1]) + args.map(text).sum::<usize>() + any(&self.tuple) + any(&self.extra)
    }

    /// The `LogRecord`, as it was when it had been formatted; nothing where nothing has been put aside.
    pub fn record<'py>(&self, py: Python<'py>) -> Res<Option<Obj<'py>>> {
        let objects = self.objects.each_ref().map(Option::as_ref);
        let [
            Some(name),
            Some(msg),
            Some(level),
            Some(level_name),
            Some(code),
            Some(thread),
            Some(thread_name),
            Some(process_name),
            Some(process),
            Some(task_name),
        ] = objects
        else {
            return Ok(None);
        };
        let own = |object: &Py<PyAny>| object.bind(py).clone();
        let args = if let Some(tuple) = &self.tuple {
            own(tuple)
        } else {
            let few = self.args.iter().flatten();
            let few: Vec<&Obj<'py>> = few.map(|arg| arg.bind(py)).collect();
            py_ffi::new_tuple(py, &few)?
        };
        let event = Event {
            // Nobody asks for more than its name, which is known.
            logger: name.bind_borrowed(py),
            level: level.bind_borrowed(py),
            msg: msg.bind_borrowed(py),
            args: Args::of_tuple(&args),
            args_tuple: Some(args.as_borrowed()),
            exc_info: py_ffi::none(py),
            stack: py_ffi::none(py),
            extra: self.extra.as_ref().map(own),
        };
        let message = unseen::own_message(&event)?;
        let site = Site::at((own(code), self.offset));
        let [created, msecs, relative] = self.times.map(Number::Float);
        let stamp = Stamp {
            created,
            msecs,
            relative,
        };
        let context =
            Context::known([thread, thread_name, process_name, process, task_name].map(own));
        let facts = Facts::known(event, own(name), site, own(level_name), stamp, context);
        let mut record = Record::unseen_yet(facts, Some(args.clone()));
        record.remember(Some(message), self.asctime.as_ref().map(own));
        Ok(Some(record.real()?.clone()))
    }

    /// Gives everything up. What is freed by that may run Python code.
    pub fn clear(&mut self, py: Python<'_>) {
        give_up(py, &mut self.objects);
        give_up(py, &mut self.args);
        for object in [&mut self.tuple, &mut self.extra, &mut self.asctime] {
            give_up(py, std::slice::from_mut(object));
        }
    }
}

/// Into a place that is empty: asking each whether it is takes 100 instructions a record.
#[inline]
fn put(place: &mut Option<Py<PyAny>>, object: &Obj<'_>) {
    let before = place.replace(object.clone().unbind());
    debug_assert!(before.is_none(), "put aside over another record");
    std::mem::forget(before);
}

/// On a thread that is attached, which `PyO3` need not find out for each.
#[inline]
fn give_up(py: Python<'_>, places: &mut [Option<Py<PyAny>>]) {
    for place in places {
        if let Some(object) = place.take() {
            object.drop_ref(py);
        }
    }
}
