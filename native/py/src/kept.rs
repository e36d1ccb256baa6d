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
#[cfg(not(Py_GIL_DISABLED))]
use crate::format::message;
use crate::format::unseen;
use crate::record::{Event, Facts, Record};

/// Name, message, level, its name, path, file, module, line, function, thread, its name, process's name, process, task's
/// name, `extra` and what the formatter set as `asctime`; `None` for none.
const COUNT: usize = 16;

/// That many arguments need no tuple until somebody wants to see it: making and freeing one takes 400 instructions.
const FEW: usize = 4;

enum Arguments {
    #[cfg_attr(
        Py_GIL_DISABLED,
        allow(dead_code, reason = "nothing is put aside without a GIL")
    )]
    Few([Option<Py<PyAny>>; FEW]),
    #[cfg_attr(
        Py_GIL_DISABLED,
        allow(dead_code, reason = "nothing is put aside without a GIL")
    )]
    Tuple(Py<PyAny>),
}

/// See the module.
pub struct Kept {
    objects: [Py<PyAny>; COUNT],
    args: Arguments,
    /// Created, its milliseconds, since the start.
    times: [f64; 3],
}

impl Kept {
    /// Of a settled record that no Python code has seen, formatted with this `asctime` or the `None` object. Nothing for one whose
    /// values could change, or with an exception or a stack.
    #[cfg(not(Py_GIL_DISABLED))]
    pub fn of<'py>(record: &Record<'_, 'py>, asctime: &Obj<'py>) -> Res<Option<Self>> {
        let Some(unseen) = record.unseen() else {
            return Ok(None);
        };
        let (facts, event) = (unseen.facts, &unseen.facts.event);
        let (py, stamp) = (event.msg.py(), facts.stamp()?);
        let (Number::Float(created), Number::Float(msecs), Number::Float(relative)) =
            (&stamp.created, &stamp.msecs, &stamp.relative)
        else {
            return Ok(None);
        };
        if !message::is_plain_message(&event.msg, event.args)
            || !event.exc_info.is_none()
            || !event.stack.is_none()
        {
            return Ok(None);
        }
        let (site, context) = (facts.site()?, &facts.context);
        let (filename, module) = site.names()?;
        let (thread, thread_name) = context.thread(py)?;
        let earlier = unseen.formatted.and_then(|earlier| earlier.time.as_ref());
        let asctime = match earlier {
            Some(earlier) if asctime.is_none() => earlier,
            _ => asctime,
        };
        let args = if event.args_tuple.is_none() && event.args.len() <= FEW {
            let mut given = event.args.iter();
            Arguments::Few(std::array::from_fn(|_| {
                given.next().map(|arg| arg.to_owned().unbind())
            }))
        } else {
            Arguments::Tuple(event.tuple()?.unbind())
        };
        let none = py_ffi::none(py);
        let objects = [
            facts.name()?,
            &event.msg,
            &event.level,
            facts.level_name()?,
            &site.pathname,
            filename,
            module,
            &site.line,
            &site.function,
            thread,
            thread_name,
            context.process_name(py)?,
            context.process(py)?,
            context.task_name(py)?,
            event.extra.as_ref().unwrap_or(&none),
            asctime,
        ];
        Ok(Some(Kept {
            objects: objects.map(|object| object.clone().unbind()),
            args,
            times: [*created, *msecs, *relative],
        }))
    }

    /// The `LogRecord`, as it was when it had been formatted.
    pub fn record<'py>(&self, py: Python<'py>) -> Res<Obj<'py>> {
        let [
            name,
            msg,
            level,
            level_name,
            pathname,
            filename,
            module,
            line,
            function,
            thread,
            thread_name,
            process_name,
            process,
            task_name,
            extra,
            asctime,
        ] = self.objects.each_ref().map(|object| object.bind(py));
        let args = match &self.args {
            Arguments::Few(few) => {
                let few: Vec<&Obj<'py>> = few.iter().flatten().map(|arg| arg.bind(py)).collect();
                py_ffi::new_tuple(py, &few)?
            }
            Arguments::Tuple(tuple) => tuple.bind(py).clone(),
        };
        let given = |object: &Obj<'py>| (!object.is_none()).then(|| object.clone());
        let event = Event {
            // Nobody asks for more than its name, which is known.
            logger: name.as_borrowed(),
            level: level.as_borrowed(),
            msg: msg.as_borrowed(),
            args: Args::of_tuple(&args),
            args_tuple: Some(args.as_borrowed()),
            exc_info: py_ffi::none(py),
            stack: py_ffi::none(py),
            extra: given(extra),
        };
        let message = unseen::own_message(&event)?;
        let names = (filename.clone(), module.clone());
        let site = Site::named(pathname.clone(), names, line.clone(), function.clone());
        let [created, msecs, relative] = self.times.map(Number::Float);
        let stamp = Stamp {
            created,
            msecs,
            relative,
        };
        let mut facts = Facts::known(event, name.clone(), site, level_name.clone(), stamp);
        let context = [thread, thread_name, process_name, process, task_name];
        facts.context = Context::known(context.map(Clone::clone));
        let mut record = Record::unseen_yet(facts, Some(args.clone()));
        record.remember(Some(message), given(asctime));
        record.real()
    }

    /// Gives everything up on a thread that is attached, which `PyO3` need not know.
    #[cfg(not(Py_GIL_DISABLED))]
    pub fn release(self, py: Python<'_>) {
        let args = match self.args {
            Arguments::Few(few) => few,
            Arguments::Tuple(tuple) => [Some(tuple), None, None, None],
        };
        for object in self.objects.into_iter().chain(args.into_iter().flatten()) {
            object.drop_ref(py);
        }
    }
}
