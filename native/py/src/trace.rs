//! The traceback entries of `logging`'s own functions, which run natively and so have no Python frame.
//!
//! Where a native function passes an exception on, [`At::at`] puts the entry on its traceback that the interpreter's own body
//! would have left: that body's code object and the instruction it would have stood at. Nothing is done, and nothing is
//! looked up, unless something was raised. A missing entry never hides the exception: whatever fails here is dropped.
use pyo3::ffi;
use pyo3::prelude::*;

use crate::bind;
use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Exc, Obj, Raised, Res};
use crate::names::Name;
use crate::natives::Target;
use crate::raw;

/// An instruction of a reference body, told by a name the body reads and by what it does with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The attribute or global read.
    name: &'static str,
    /// Which of the readings of that name, in the order of the bytecode; the first is 0.
    nth: u8,
    what: What,
    /// Which of the instructions after it that do so; the first is 0.
    then: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(
    dead_code,
    reason = "which kinds of instruction matter depends on the version"
)]
enum What {
    /// The reading itself.
    Get,
    /// The call of what was read.
    Call,
    /// The next call of something else.
    OtherCall,
    /// The next operator: `%`, `+`, `|`.
    Operator,
    /// The next comparison or `in`.
    Compare,
    /// The next subscript.
    Item,
    /// The next test of a truth value.
    Truth,
    /// The next `raise`.
    Raise,
    /// The next start of an iteration.
    Iter,
    /// The next step of an iteration.
    Next,
    /// The next entering of a `with` block (the locks, from 3.13 on).
    #[cfg(Py_3_13)]
    Enter,
    /// The storing into an attribute of that name (counted apart from the readings).
    Store,
}

impl Point {
    const fn new(name: &'static str, what: What) -> Self {
        Point {
            name,
            nth: 0,
            what,
            then: 0,
        }
    }

    /// Not the first reading of the name, but this one.
    pub const fn nth(self, nth: u8) -> Self {
        Point { nth, ..self }
    }

    /// Not the first instruction of the kind after the reading, but this one.
    pub const fn then(self, then: u8) -> Self {
        Point { then, ..self }
    }
}

macro_rules! points {
    ($($(#[$doc:meta])* $function:ident = $what:ident;)*) => {
        $($(#[$doc])* #[allow(dead_code, reason = "as for `What`")] pub const fn $function(name: &'static str) -> Point { Point::new(name, What::$what) })*
    };
}

points! {
    /// Reading `name`.
    get = Get;
    /// Calling `name`.
    call = Call;
    /// The call that follows, of something that has no such name.
    call_after = OtherCall;
    /// The operator after `name` was read.
    operator = Operator;
    /// The comparison after `name` was read.
    compare = Compare;
    /// The subscript after `name` was read.
    item = Item;
    /// The truth test after `name` was read.
    truth = Truth;
    /// The `raise` after `name` was read.
    raise = Raise;
    /// The `for` over `name`.
    iter = Iter;
    /// A step of the `for` over `name`.
    next = Next;
    /// The assignment to the attribute `name`.
    store = Store;
}

/// The `with name`.
#[cfg(Py_3_13)]
pub const fn enter(name: &'static str) -> Point {
    Point::new(name, What::Enter)
}

/// What a native function does with each result it gets while standing in for a body of `logging`.
pub trait At {
    /// An exception passes through `target` at `point`: its traceback gets the entry of the reference body.
    fn at(self, py: Python<'_>, target: Target, point: Point) -> Self;
}

impl<T> At for Res<T> {
    #[inline]
    fn at(self, py: Python<'_>, target: Target, point: Point) -> Self {
        match self {
            Ok(value) => Ok(value),
            // Part by part, in registers: a point that is lent is put together on the stack before anything was raised (5 instructions
            // for each result on the way).
            Err(raised) => {
                let Point {
                    name,
                    nth,
                    what,
                    then,
                } = point;
                Err(pass_parts(py, raised, target, name, [nth, then], what))
            }
        }
    }
}

#[cold]
#[inline(never)]
fn pass_parts(
    py: Python<'_>,
    raised: Raised,
    target: Target,
    name: &'static str,
    [nth, then]: [u8; 2],
    what: What,
) -> Raised {
    let point = Point {
        name,
        nth,
        what,
        then,
    };
    pass(py, raised, target, point)
}

/// The exception with the entry of `target` in front of its traceback.
#[cold]
#[inline(never)]
pub fn pass(py: Python<'_>, raised: Raised, target: Target, point: Point) -> Raised {
    let exception = raised.take(py);
    add(&exception, target, point);
    Raised::from(exception)
}

/// Puts the entry of `target` in front of the traceback of an exception that is not raised at the moment.
#[cold]
pub fn add(exception: &Obj<'_>, target: Target, point: Point) {
    if let Err(failure) = prepend(exception, target, point) {
        failure.clear(exception.py());
    }
}

fn prepend(exception: &Obj<'_>, target: Target, point: Point) -> Res<()> {
    let py = exception.py();
    let function = bind::reference_function(py, target)?;
    let (code, globals) = py_ffi::function_parts(&function);
    let inner = py_ffi::traceback(exception);
    let (offset, line) = place(&code, looked_up(exception, &inner, point)?)?;
    let frame = py_ffi::new_frame(&code, &globals)?;
    fill_parameters(&frame, &code)?;
    let caller = py_ffi::current_frame(py);
    raw::place(&frame, caller.as_ref(), offset);
    if !inner.is_none() {
        let inner_frame = py_ffi::getattr(&inner, Name::tb_frame)?;
        link(&inner_frame, caller.as_ref(), &frame);
    }
    py_ffi::set_traceback(
        exception,
        &py_ffi::new_traceback(&inner, &frame, offset, line)?,
    )
}

/// Gives the parameters of a frame values, as tools that show tracebacks (cgitb, `inspect.formatargvalues`) take for granted.
/// What the call was given is not known here any more: they are `None`, `*args` and `**kwargs` are empty.
fn fill_parameters<'py>(frame: &Obj<'py>, code: &Obj<'py>) -> Res<()> {
    const VARARGS: i64 = 0x04;
    const VARKEYWORDS: i64 = 0x08;
    let py = frame.py();
    let number = |name: Name| -> Res<i64> {
        Ok(py_ffi::int_value(&py_ffi::getattr(code, name)?).unwrap_or(0))
    };
    let plain = number(Name::co_argcount)? + number(Name::co_kwonlyargcount)?;
    let flags = number(Name::co_flags)?;
    let mut values = vec![py_ffi::none(py); plain as usize];
    if flags & VARARGS != 0 {
        values.push(py_ffi::new_tuple(py, &[])?);
    }
    if flags & VARKEYWORDS != 0 {
        values.push(py_ffi::new_dict(py)?);
    }
    let names = py_ffi::getattr(code, Name::co_varnames)?;
    let locals = py_ffi::getattr(frame, Name::f_locals)?;
    for (index, value) in values.iter().enumerate() {
        if let Some(name) = py_ffi::tuple_item(&names, index) {
            py_ffi::set_item(&locals, &name, value)?;
        }
    }
    py_ffi::store_locals(frame);
    Ok(())
}

/// A method that cannot be found fails before its call: `point` is then the reading.
fn looked_up<'py>(exception: &Obj<'py>, inner: &Obj<'py>, point: Point) -> Res<Point> {
    let py = exception.py();
    let class = py_ffi::exception_class(py, Exc::Attribute);
    if point.what != What::Call || !py_ffi::isinstance(exception, &class)? {
        return Ok(point);
    }
    let missing = py_ffi::getattr(exception, Name::name)?;
    let found = if inner.is_none() {
        false
    } else {
        // The lookup itself may have been Python code.
        let frame = py_ffi::getattr(inner, Name::tb_frame)?;
        let function = py_ffi::getattr(&py_ffi::frame_code(&frame), Name::co_name)?;
        !py_ffi::utf8(&function).is_some_and(|name| name.starts_with("__getattr"))
    };
    let named = py_ffi::is_str(&missing) && py_ffi::utf8(&missing) == Some(point.name);
    let what = if named && !found {
        What::Get
    } else {
        What::Call
    };
    Ok(Point { what, ..point })
}

/// The native function called `called`, whose caller seems to be the running Python frame as long as nobody says better.
fn link<'py>(called: &Obj<'py>, running: Option<&Obj<'py>>, frame: &Obj<'py>) {
    if let (Some(back), Some(running)) = (py_ffi::frame_back(called), running)
        && back.is(running)
    {
        raw::replace_caller(called, frame);
    }
}

// ---- where in the code

/// A point that was looked for once: the code object (owned), and the offset and line found.
struct Known {
    code: *mut ffi::PyObject,
    point: Point,
    offset: i32,
    line: i32,
}

static KNOWN: Shared<Vec<Known>> = Shared::new(Vec::new());

/// Offset and line of `point` in `code`; -1 and the function's own line when this version's body has no such point.
fn place(code: &Obj<'_>, point: Point) -> Res<(i32, i32)> {
    let py = code.py();
    let known = KNOWN.with(py, |known| {
        known
            .iter()
            .find(|known| known.code == code.as_ptr() && known.point == point)
            .map(|known| (known.offset, known.line))
    });
    if let Some(place) = known {
        return Ok(place);
    }
    let offset = find(code, point)?.unwrap_or(-1);
    let line = py_ffi::code_line(code, offset);
    let owned = code.clone().into_ptr();
    KNOWN.with(py, |known| {
        known.push(Known {
            code: owned,
            point,
            offset,
            line,
        });
    });
    Ok((offset, line))
}

fn find(code: &Obj<'_>, point: Point) -> Res<Option<i32>> {
    let names = py_ffi::getattr(code, Name::co_names)?;
    let bytes = py_ffi::code_bytes(code)?;
    let is_wanted = |index: usize| {
        py_ffi::tuple_item(&names, index)
            .is_some_and(|name| py_ffi::utf8(&name) == Some(point.name))
    };
    let (mut seen, mut passed) = (0, 0);
    // The source position the reading starts at; its call starts there too.
    let mut read = None;
    let mut argument = 0;
    for (index, unit) in bytes.chunks_exact(2).enumerate() {
        let (opcode, offset) = (unit[0], index as i32 * 2);
        argument = argument << 8 | usize::from(unit[1]);
        if opcode == opcodes::EXTENDED_ARG {
            continue;
        }
        let value = std::mem::take(&mut argument);
        if let Some(start) = read {
            let done = point.what.is_done_by(opcode, value)
                && match point.what {
                    What::Call => py_ffi::code_start(code, offset) == start,
                    What::OtherCall => py_ffi::code_start(code, offset) != start,
                    _ => true,
                };
            if done && passed == point.then {
                return Ok(Some(offset));
            }
            passed += u8::from(done);
            continue;
        }
        let name = if point.what == What::Store {
            opcodes::stored_name(opcode, value)
        } else {
            opcodes::read_name(opcode, value)
        };
        if name.is_some_and(is_wanted) {
            if seen < point.nth {
                seen += 1;
            } else if matches!(point.what, What::Get | What::Store) {
                return Ok(Some(offset));
            } else {
                read = Some(py_ffi::code_start(code, offset));
            }
        }
    }
    Ok(None)
}

impl What {
    fn is_done_by(self, opcode: u8, argument: usize) -> bool {
        use opcodes::{
            BINARY_OP, CALLS, COMPARE_OP, CONTAINS_OP, FOR_ITER, GET_ITER, RAISE_VARARGS,
            SUBSCRIPT, TRUTH,
        };
        let subscript = if SUBSCRIPT == BINARY_OP {
            opcode == BINARY_OP && argument == opcodes::SUBSCRIPT_OPERATOR
        } else {
            opcode == SUBSCRIPT
        };
        match self {
            What::Get | What::Store => false,
            What::Call | What::OtherCall => CALLS.contains(&opcode),
            What::Operator => opcode == BINARY_OP && !subscript,
            What::Compare => opcode == COMPARE_OP || opcode == CONTAINS_OP,
            What::Item => subscript || opcode == opcodes::BINARY_SLICE,
            What::Truth => TRUTH.contains(&opcode),
            What::Raise => opcode == RAISE_VARARGS,
            What::Iter => opcode == GET_ITER,
            What::Next => opcode == FOR_ITER,
            #[cfg(Py_3_13)]
            What::Enter => opcode == opcodes::ENTER,
        }
    }
}

/// The opcodes looked for, by version (`opcode.opmap`). Numbers are fixed when a version is released.
#[rustfmt::skip]
mod opcodes {
    /// Picks the value for the version built for: 3.11, 3.12, 3.13, 3.14, 3.15.
    const fn of(table: [u8; 5]) -> u8 {
        table[if cfg!(Py_3_15) { 4 } else if cfg!(Py_3_14) { 3 } else if cfg!(Py_3_13) { 2 } else if cfg!(Py_3_12) { 1 } else { 0 }]
    }
    /// A version without that opcode: no instruction we look at has this number.
    const NONE: u8 = 255;

    const LOAD_ATTR: u8       = of([106, 106,  82,  80,  79]);
    const LOAD_METHOD: u8     = of([160, NONE, NONE, NONE, NONE]);
    const LOAD_GLOBAL: u8     = of([116, 116,  91,  92,  91]);
    const STORE_ATTR: u8      = of([ 95,  95, 108, 110, 109]);
    const CALL: u8            = of([171, 171,  53,  52,  50]);
    const CALL_FUNCTION_EX: u8 = of([142, 142, 54,   4,   4]);
    const CALL_KW: u8         = of([NONE, NONE, 57,  55,  53]);
    pub const EXTENDED_ARG: u8 = of([144, 144, 71,  69,  67]);
    pub const BINARY_OP: u8   = of([122, 122,  45,  44,  42]);
    pub const COMPARE_OP: u8  = of([107, 107,  58,  56,  54]);
    pub const CONTAINS_OP: u8 = of([118, 118,  59,  57,  55]);
    /// From 3.14 on a subscript is an operator.
    pub const SUBSCRIPT: u8   = of([ 25,  25,   5,  44,  42]);
    pub const SUBSCRIPT_OPERATOR: usize = 26;
    pub const BINARY_SLICE: u8 = of([NONE, 26, 4, 1, 1]);
    pub const RAISE_VARARGS: u8 = of([130, 130, 101, 104, 103]);
    pub const GET_ITER: u8    = of([ 68,  68,  19,  16,  70]);
    pub const FOR_ITER: u8    = of([ 93,  93,  72,  70,  68]);
    /// `BEFORE_WITH`, from 3.14 on `LOAD_SPECIAL`.
    #[cfg(Py_3_13)]
    pub const ENTER: u8       = of([ 53,  53,   2,  95,  94]);
    pub const CALLS: [u8; 3] = [CALL, CALL_FUNCTION_EX, CALL_KW];
    /// The jumps that test a truth value; from 3.13 on an instruction of its own does.
    #[cfg(not(Py_3_12))]
    pub const TRUTH: [u8; 6] = [111, 112, 114, 115, 175, 176];
    #[cfg(all(Py_3_12, not(Py_3_13)))]
    pub const TRUTH: [u8; 2] = [114, 115];
    #[cfg(Py_3_13)]
    pub const TRUTH: [u8; 1] = [of([NONE, NONE, 40, 39, 37])];

    /// The place in `co_names` of what an instruction reads.
    pub fn read_name(opcode: u8, argument: usize) -> Option<usize> {
        match opcode {
            LOAD_GLOBAL => Some(argument >> 1),
            LOAD_ATTR if cfg!(Py_3_12) => Some(argument >> 1),
            LOAD_ATTR | LOAD_METHOD => Some(argument),
            _ => None,
        }
    }

    /// The place in `co_names` of the attribute an instruction sets.
    pub fn stored_name(opcode: u8, argument: usize) -> Option<usize> {
        (opcode == STORE_ATTR).then_some(argument)
    }
}
