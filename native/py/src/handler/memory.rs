//! `BufferingHandler` and `MemoryHandler`: keep records until there are enough of them or one is grave enough.
//!
//! The buffer is the handler's own Python list; what it keeps are real records.

use crate::call::Call;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::globals;
use crate::guard::{self, Part, View};
use crate::lock;
use crate::names::Name;
use crate::natives::Target;
use crate::raw;
use crate::record::Record;
use crate::stats;
use crate::trace::{At as _, call as calling, compare, get, iter, next, truth};

/// `BufferingHandler.emit`
pub fn emit<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(real)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    emit_record(&call.slf(), &mut Record::of(real.to_owned()))?;
    Ok(py_ffi::none(call.py()))
}

/// Appends the record, and flushes if the handler says so. Errors go to the caller, as in the stdlib.
pub fn emit_record<'py>(handler: &Obj<'py>, record: &mut Record<'_, 'py>) -> Res<()> {
    stats::native_emit();
    let real = record.real()?;
    let (py, here) = (handler.py(), Target::BufferingEmit);
    let view = guard::view(handler);
    if let Some((view, buffer)) = view.and_then(|view| Some((view, view.get(Name::buffer)?))) {
        py_ffi::append(&buffer, real).at(py, here, calling("append"))?;
        // To append to a list has run nothing.
        let level = || guard::view(real)?.number(Name::levelno);
        if py_ffi::is_list(&buffer) && is_not_due(&view, py_ffi::list_len(&buffer), level) {
            return Ok(());
        }
    } else {
        // Whoever is asked for it may say something else the next time, and may change the handler.
        let buffer = guard::attr(handler, Name::buffer).at(py, here, get("buffer"))?;
        py_ffi::append(&buffer, real).at(py, here, calling("append"))?;
    }
    let due = match guard::target(handler, Name::shouldFlush) {
        Target::BufferingShouldFlush => is_full(handler, Target::BufferingShouldFlush),
        Target::MemoryShouldFlush => is_due(handler, real),
        _ => guard::call_method(handler, Name::shouldFlush, [real]),
    }
    .at(py, here, calling("shouldFlush"))?;
    if py_ffi::truthy(&due).at(py, here, truth("shouldFlush"))? {
        flush_now(handler).at(py, here, calling("flush"))?;
    }
    Ok(())
}

/// Is it certain, by numbers alone, that the `shouldFlush` of a handler that keeps `kept` records says no after the last of them, which
/// is of this `level`? To ask it takes 250 instructions more.
#[inline]
fn is_not_due(handler: &View<'_, '_>, kept: usize, level: impl FnOnce() -> Option<i64>) -> bool {
    let light = match handler.method(Name::shouldFlush) {
        Target::BufferingShouldFlush => true,
        Target::MemoryShouldFlush => match (level(), handler.number(Name::flushLevel)) {
            (Some(level), Some(limit)) => level < limit,
            _ => false,
        },
        _ => false,
    };
    light
        && handler
            .number(Name::capacity)
            .is_some_and(|most| most > kept as i64)
}

/// `emit` of a handler whose lock is free or ours, where that appends the record to a list and is not followed by a flush: no Python
/// code runs, so nobody can tell that the lock was not taken. False: nothing is done but that the record is real.
#[cfg(not(Py_GIL_DISABLED))]
#[inline]
pub fn append_quietly<'py>(handler: &Obj<'py>, record: &mut Record<'_, 'py>) -> Res<bool> {
    // Of a record that is made here nobody can change it.
    let given = record
        .unseen()
        .map(|unseen| raw::small_int(&unseen.facts.event.level));
    // Has the garbage collector run, perhaps: the handler is looked at after.
    let real = record.real()?;
    let Some(view) = guard::view_of(handler, Part::Handler) else {
        return Ok(false);
    };
    if view.method(Name::emit) != Target::BufferingEmit || !super::is_open(&view) {
        return Ok(false);
    }
    let Some(buffer) = view.lend(Name::buffer) else {
        return Ok(false);
    };
    let level =
        || given.unwrap_or_else(|| guard::view_of(real, Part::Record)?.number(Name::levelno));
    if !py_ffi::is_list(&buffer) || !is_not_due(&view, py_ffi::list_len(&buffer) + 1, level) {
        return Ok(false);
    }
    stats::native_emit();
    py_ffi::append(&buffer, real).at(handler.py(), Target::BufferingEmit, calling("append"))?;
    Ok(true)
}

/// `self.flush()`
fn flush_now(handler: &Obj<'_>) -> Res<()> {
    match guard::target(handler, Name::flush) {
        Target::BufferingFlush => discard(handler),
        Target::MemoryFlush => pass_on(handler),
        _ => guard::call_method(handler, Name::flush, []).map(drop),
    }
}

/// `BufferingHandler.shouldFlush`
pub fn buffering_should_flush<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(_)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    is_full(&call.slf(), Target::BufferingShouldFlush)
}

/// `len(self.buffer) >= self.capacity`, whatever that comparison returns; both `shouldFlush` say it.
fn is_full<'py>(handler: &Obj<'py>, here: Target) -> Res<Obj<'py>> {
    let py = handler.py();
    let buffer = guard::attr(handler, Name::buffer).at(py, here, get("buffer"))?;
    let length = py_ffi::len(&buffer).at(py, here, calling("len"))?;
    let capacity = guard::attr(handler, Name::capacity).at(py, here, get("capacity"))?;
    if let Some(capacity) = raw::small_int(&capacity) {
        return Ok(py_ffi::boolean(py, length as i64 >= capacity));
    }
    py_ffi::ge_object(&py_ffi::new_int(py, length as i64)?, &capacity).at(
        py,
        here,
        compare("capacity"),
    )
}

/// `MemoryHandler.shouldFlush`
pub fn should_flush<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(real)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    is_due(&call.slf(), &real)
}

/// Full, or the record grave enough.
fn is_due<'py>(handler: &Obj<'py>, record: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (handler.py(), Target::MemoryShouldFlush);
    let full = is_full(handler, here)?;
    if py_ffi::truthy(&full)? {
        return Ok(full);
    }
    let level = guard::attr(record, Name::levelno).at(py, here, get("levelno"))?;
    let limit = guard::attr(handler, Name::flushLevel).at(py, here, get("flushLevel"))?;
    if let (Some(level), Some(limit)) = (raw::small_int(&level), raw::small_int(&limit)) {
        return Ok(py_ffi::boolean(py, level >= limit));
    }
    py_ffi::ge_object(&level, &limit).at(py, here, compare("flushLevel"))
}

/// `BufferingHandler.flush`
pub fn buffering_flush<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    discard(&call.slf())?;
    Ok(py_ffi::none(call.py()))
}

/// Empties the buffer.
fn discard(handler: &Obj<'_>) -> Res<()> {
    let here = Target::BufferingFlush;
    lock::held(handler, here, || clear(handler, here))
}

fn clear(handler: &Obj<'_>, here: Target) -> Res<()> {
    let buffer = guard::attr(handler, Name::buffer)?;
    py_ffi::method(&buffer, Name::clear, [])
        .map(drop)
        .at(handler.py(), here, calling("clear"))
}

/// `MemoryHandler.flush`
pub fn flush<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    pass_on(&call.slf())?;
    Ok(py_ffi::none(call.py()))
}

/// Gives the records to the target, if there is one, and empties the buffer then.
fn pass_on(handler: &Obj<'_>) -> Res<()> {
    let (py, here) = (handler.py(), Target::MemoryFlush);
    lock::held(handler, here, || {
        let target = guard::attr(handler, Name::target).at(py, here, get("target"))?;
        if !py_ffi::truthy(&target).at(py, here, truth("target"))? {
            return Ok(());
        }
        let buffer = guard::attr(handler, Name::buffer).at(py, here, get("buffer"))?;
        if py_ffi::is_list(&buffer) {
            // Live: what a target appends while it runs comes up too.
            let mut index = 0;
            while let Some(record) = py_ffi::list_item(&buffer, index) {
                index += 1;
                give(&guard::attr(handler, Name::target)?, record, here)?;
            }
        } else {
            let records = py_ffi::iter(&buffer).at(py, here, iter("buffer"))?;
            while let Some(record) = py_ffi::next(&records).at(py, here, next("buffer"))? {
                give(&guard::attr(handler, Name::target)?, record, here)?;
            }
        }
        clear(handler, here)
    })
}

/// `target.handle(record)`, said by the method `within`; the answer dropped.
pub fn give<'py>(target: &Obj<'py>, record: Obj<'py>, within: Target) -> Res<()> {
    crate::stack::check(target.py())?;
    let view = guard::view_of(target, Part::Handler);
    match guard::target_by(view.as_ref(), target, Name::handle) {
        Target::HandlerHandle => super::handle_real(view.as_ref(), target, record).map(drop),
        Target::NullHandle => Ok(()),
        _ => guard::call_method(target, Name::handle, [&record]).map(drop),
    }
    .at(target.py(), within, calling("handle"))
}

/// `MemoryHandler.setTarget`
pub fn set_target<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(target)]) = call.parse([Name::target], 1) else {
        return call.mismatch();
    };
    let handler = call.slf();
    lock::held(&handler, Target::MemorySetTarget, || {
        py_ffi::setattr(&handler, Name::target, &target)
    })?;
    Ok(py_ffi::none(call.py()))
}

/// `BufferingHandler.close`
pub fn buffering_close<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    close_buffer(&call.slf())?;
    Ok(py_ffi::none(call.py()))
}

/// Flushes, then closes as every handler does.
fn close_buffer(handler: &Obj<'_>) -> Res<()> {
    let (py, here) = (handler.py(), Target::BufferingClose);
    py_ffi::finally(
        py,
        || flush_now(handler).at(py, here, calling("flush")),
        || {
            let logging = globals::of_handlers(py, Name::logging)?;
            let class = py_ffi::getattr(&logging, Name::Handler)?;
            py_ffi::method(&class, Name::close, [handler])
                .map(drop)
                .at(py, here, calling("close"))
        },
    )
}

/// `MemoryHandler.close`
pub fn close<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let (py, handler, here) = (call.py(), call.slf(), Target::MemoryClose);
    py_ffi::finally(
        py,
        || {
            let wanted = guard::attr(&handler, Name::flushOnClose);
            if py_ffi::truthy(&wanted.at(py, here, get("flushOnClose"))?)? {
                flush_now(&handler).at(py, here, calling("flush"))?;
            }
            Ok(())
        },
        || {
            lock::held(&handler, here, || {
                py_ffi::setattr(&handler, Name::target, &py_ffi::none(py))?;
                let class = globals::of_handlers(py, Name::BufferingHandler)?;
                if py_ffi::plain_class_has(&class, Name::close, Target::BufferingClose) {
                    close_buffer(&handler)
                } else {
                    py_ffi::method(&class, Name::close, [&*handler]).map(drop)
                }
                .at(py, here, calling("close"))
            })
        },
    )?;
    Ok(py_ffi::none(py))
}
