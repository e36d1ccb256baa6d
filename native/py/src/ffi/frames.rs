//! Frames, code objects and tracebacks.
use std::ffi::c_int;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

use super::{Obj, Res, call, done, new_int, none, owned};

/// The Python frame that is running, `sys._getframe(0)` of the caller of a native method.
pub fn current_frame(py: Python<'_>) -> Option<Obj<'_>> {
    // SAFETY: attached; the borrowed frame is owned at once.
    unsafe { Bound::from_borrowed_ptr_or_opt(py, ffi::PyEval_GetFrame().cast()) }
}

/// `frame.f_back`
pub fn frame_back<'py>(frame: &Obj<'py>) -> Option<Obj<'py>> {
    // SAFETY: a frame; the result is owned or null.
    unsafe {
        Bound::from_owned_ptr_or_opt(
            frame.py(),
            ffi::PyFrame_GetBack(frame.as_ptr().cast()).cast(),
        )
    }
}

/// `frame.f_code`
pub fn frame_code<'py>(frame: &Obj<'py>) -> Obj<'py> {
    // SAFETY: a frame; never null.
    unsafe {
        Bound::from_owned_ptr(
            frame.py(),
            ffi::PyFrame_GetCode(frame.as_ptr().cast()).cast(),
        )
    }
}

/// The line of an instruction of a code object.
pub fn code_line(code: &Obj<'_>, offset: i32) -> i32 {
    // SAFETY: a code object.
    unsafe { ffi::PyCode_Addr2Line(code.as_ptr().cast(), offset) }
}

/// The bytecode of a code object as compiled, unspecialised: pairs of opcode and argument.
pub fn code_bytes(code: &Obj<'_>) -> Res<Vec<u8>> {
    unsafe extern "C" {
        fn PyCode_GetCode(code: *mut ffi::PyCodeObject) -> *mut ffi::PyObject;
    }
    // SAFETY: a code object; the bytes are copied before the object that holds them goes.
    unsafe {
        let bytes = owned(code.py(), PyCode_GetCode(code.as_ptr().cast()))?;
        let length = ffi::PyBytes_Size(bytes.as_ptr()) as usize;
        let data = ffi::PyBytes_AsString(bytes.as_ptr()).cast::<u8>();
        Ok(std::slice::from_raw_parts(data, length).to_vec())
    }
}

/// Line and column (both -1 when unknown) where the source of an instruction begins.
pub fn code_start(code: &Obj<'_>, offset: i32) -> (c_int, c_int) {
    let [line, column, _, _] = code_location(code, offset);
    (line, column)
}

/// First and last line (both -1 when unknown) of the source of an instruction.
pub fn code_lines(code: &Obj<'_>, offset: i32) -> (c_int, c_int) {
    let [line, _, end_line, _] = code_location(code, offset);
    (line, end_line)
}

/// Line, column, last line and last column of the source of an instruction; -1 for what is unknown.
fn code_location(code: &Obj<'_>, offset: i32) -> [c_int; 4] {
    unsafe extern "C" {
        fn PyCode_Addr2Location(
            code: *mut ffi::PyCodeObject,
            offset: c_int,
            line: *mut c_int,
            column: *mut c_int,
            end_line: *mut c_int,
            end_column: *mut c_int,
        ) -> c_int;
    }
    let (mut line, mut column, mut end_line, mut end_column) = (-1, -1, -1, -1);
    // SAFETY: a code object; the four results are plain integers.
    unsafe {
        PyCode_Addr2Location(
            code.as_ptr().cast(),
            offset,
            &raw mut line,
            &raw mut column,
            &raw mut end_line,
            &raw mut end_column,
        );
    }
    [line, column, end_line, end_column]
}

/// The code and the globals of a Python function.
pub fn function_parts<'py>(function: &Obj<'py>) -> (Obj<'py>, Obj<'py>) {
    // SAFETY: callers pass exact functions; both parts are borrowed from it and owned at once.
    unsafe {
        (
            Bound::from_borrowed_ptr(function.py(), ffi::PyFunction_GetCode(function.as_ptr())),
            Bound::from_borrowed_ptr(function.py(), ffi::PyFunction_GetGlobals(function.as_ptr())),
        )
    }
}

/// A frame that never ran, of this code in this module.
pub fn new_frame<'py>(code: &Obj<'py>, globals: &Obj<'py>) -> Res<Obj<'py>> {
    // SAFETY: attached; code object and dict are alive; null for the locals of a function.
    unsafe {
        owned(
            code.py(),
            ffi::PyFrame_New(
                ffi::PyThreadState_Get(),
                code.as_ptr().cast(),
                globals.as_ptr(),
                ptr::null_mut(),
            )
            .cast(),
        )
    }
}

/// Makes the values in a frame's `f_locals` its local variables (from 3.13 on they are).
pub fn store_locals(frame: &Obj<'_>) {
    #[cfg(not(Py_3_13))]
    {
        unsafe extern "C" {
            fn PyFrame_LocalsToFast(frame: *mut ffi::PyFrameObject, clear: c_int);
        }
        // SAFETY: a frame.
        unsafe { PyFrame_LocalsToFast(frame.as_ptr().cast(), 0) }
    }
    #[cfg(Py_3_13)]
    let _ = frame;
}

/// `types.TracebackType(next, frame, offset, line)`
pub fn new_traceback<'py>(
    next: &Obj<'py>,
    frame: &Obj<'py>,
    offset: i32,
    line: i32,
) -> Res<Obj<'py>> {
    let py = frame.py();
    // SAFETY: attached; the class lives for ever.
    let class = unsafe { Bound::from_borrowed_ptr(py, (&raw mut ffi::PyTraceBack_Type).cast()) };
    let (offset, line) = (new_int(py, offset.into())?, new_int(py, line.into())?);
    call(&class, &[next, frame, &offset, &line])
}

/// `exception.__traceback__`
pub fn traceback<'py>(exception: &Obj<'py>) -> Obj<'py> {
    // SAFETY: an exception; owned or null.
    unsafe {
        let trace = ffi::PyException_GetTraceback(exception.as_ptr());
        Bound::from_owned_ptr_or_opt(exception.py(), trace).unwrap_or_else(|| none(exception.py()))
    }
}

/// `exception.__traceback__ = traceback`
pub fn set_traceback<'py>(exception: &Obj<'py>, traceback: &Obj<'py>) -> Res<()> {
    // SAFETY: an exception and a traceback or `None`.
    done(unsafe { ffi::PyException_SetTraceback(exception.as_ptr(), traceback.as_ptr()) })
}
