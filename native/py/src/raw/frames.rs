//! The running Python frames: code object and instruction offset, without making frame objects or line numbers.
//!
//! A frame object costs 60 ns and more, an eager line number up to 13 µs in a long function.
use super::layout::{
    CFRAME_CURRENT, CODE_FIRST_TRACEABLE, CODE_INSTRUCTIONS, FRAME_CODE, FRAME_INSTRUCTION,
    FRAME_OWNER, FRAME_PREVIOUS, KNOWN, TSTATE_FRAME, field,
};
use pyo3::prelude::*;
use pyo3::{Borrowed, ffi};
use std::ptr::{null, null_mut};

#[cfg(not(Py_3_13))]
unsafe extern "C" {
    #[link_name = "_PyThreadState_UncheckedGet"]
    fn PyThreadState_GetUnchecked() -> *mut ffi::PyThreadState;
}
#[cfg(Py_3_13)]
use ffi::PyThreadState_GetUnchecked;

const OWNED_BY_GENERATOR: u8 = 1;
/// The frame is on no stack: it ended, or never ran.
const OWNED_BY_OBJECT: u8 = 2;
/// From here on a frame belongs to the interpreter itself (the entry from C; 3.12 on) and has no Python code of its own.
const OWNED_BY_INTERPRETER: u8 = 3;

/// A frame's code object and the byte offset of the instruction it stands at (`f_lasti`), for `PyCode_Addr2Line`.
/// The code is borrowed from a frame that is executing, so it lives at least until the native function now running
/// returns.
pub type Site<'py> = (Borrowed<'py, 'py, PyAny>, i32);

/// The innermost running Python frame. 3 ns.
#[inline(always)]
#[must_use]
pub fn caller(py: Python<'_>) -> Option<Site<'_>> {
    frames(py).next()
}

/// The running Python frames from the innermost outwards, as `f_back` gives them. Entry frames of the interpreter and
/// frames that have not begun yet are left out.
#[inline(always)]
#[must_use]
pub fn frames(py: Python<'_>) -> Frames<'_> {
    if super::enabled() {
        Frames::raw(py)
    } else {
        Frames::public(py)
    }
}

/// See [`frames`].
pub struct Frames<'py> {
    py: Python<'py>,
    /// The next interpreter frame to look at, where raw reads are on.
    raw: *const u8,
    /// The next frame object (an owned reference), where they are off.
    object: *mut ffi::PyFrameObject,
}

impl<'py> Frames<'py> {
    #[inline(always)]
    pub(super) fn raw(py: Python<'py>) -> Self {
        if !KNOWN {
            return Self::public(py);
        }
        // SAFETY: an attached thread has a state, which points to its running frame (3.11, 3.12: through a `_PyCFrame`).
        let raw = unsafe {
            let state = PyThreadState_GetUnchecked().cast::<u8>().cast_const();
            let place: *const u8 = field(state, TSTATE_FRAME);
            if cfg!(Py_3_13) {
                place
            } else {
                field(place, CFRAME_CURRENT)
            }
        };
        Self {
            py,
            raw,
            object: null_mut(),
        }
    }

    #[cold]
    pub(super) fn public(py: Python<'py>) -> Self {
        // SAFETY: attached; the frame is borrowed from the thread, we take a reference.
        let object = unsafe {
            let frame = ffi::PyEval_GetFrame();
            ffi::Py_XINCREF(frame.cast());
            frame
        };
        Self {
            py,
            raw: null(),
            object,
        }
    }

    #[cold]
    fn next_public(&mut self) -> Option<Site<'py>> {
        if self.object.is_null() {
            return None;
        }
        // SAFETY: the frame is ours until we hand on to its caller; its code lives as long as it executes.
        unsafe {
            let frame = self.object;
            let code = ffi::PyFrame_GetCode(frame).cast::<ffi::PyObject>();
            let offset = ffi::PyFrame_GetLasti(frame);
            self.object = ffi::PyFrame_GetBack(frame);
            ffi::Py_DECREF(code);
            ffi::Py_DECREF(frame.cast());
            Some((Borrowed::from_ptr(self.py, code), offset))
        }
    }
}

impl<'py> Iterator for Frames<'py> {
    type Item = Site<'py>;

    #[inline(always)]
    fn next(&mut self) -> Option<Site<'py>> {
        while !self.raw.is_null() {
            // SAFETY: frames on the stack of this thread stay where they are while a function they called runs. A frame
            // that has not reached its first traceable instruction is still being set up and is not shown to anyone.
            unsafe {
                let frame = self.raw;
                self.raw = field(frame, FRAME_PREVIOUS);
                let owner: u8 = field(frame, FRAME_OWNER);
                if cfg!(Py_3_12) && owner >= OWNED_BY_INTERPRETER {
                    continue;
                }
                let mut code: usize = field(frame, FRAME_CODE);
                if cfg!(Py_3_14) {
                    code &= !3; // tag bits of a stack reference
                }
                let code = code as *mut ffi::PyObject;
                let first = code.cast::<u8>().cast_const().add(CODE_INSTRUCTIONS);
                let instruction: *const u8 = field(frame, FRAME_INSTRUCTION);
                let offset = instruction.addr().wrapping_sub(first.addr()) as isize;
                let started: i32 = field(code.cast::<u8>(), CODE_FIRST_TRACEABLE);
                if owner != OWNED_BY_GENERATOR && offset < started as isize * 2 {
                    continue;
                }
                return Some((Borrowed::from_ptr(self.py, code), offset as i32));
            }
        }
        if self.object.is_null() {
            None
        } else {
            self.next_public()
        }
    }
}

impl Drop for Frames<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.object.is_null() {
            // SAFETY: our reference.
            unsafe { ffi::Py_DECREF(self.object.cast()) }
        }
    }
}

/// `PyFrameObject`: the caller's frame object, and the interpreter frame (3.11 to 3.15).
const OBJECT_BACK: usize = 16;
const OBJECT_FRAME: usize = 24;

/// Gives a frame object that `PyFrame_New` has just made a caller and the instruction (`f_lasti`) it stands at, as a frame has
/// that ran. Without raw reads it is left as it is: no caller, at the start of its code.
pub fn place<'py>(frame: &Bound<'py, PyAny>, back: Option<&Bound<'py, PyAny>>, offset: i32) {
    if !super::enabled() {
        return;
    }
    let object = frame.as_ptr().cast::<u8>();
    // SAFETY: a new frame object owns its interpreter frame and has no caller yet; that the pointer found leads to a frame of
    // the very code object proves the place. The reference to the caller becomes the frame's.
    unsafe {
        let code = ffi::PyFrame_GetCode(object.cast()).cast::<u8>();
        ffi::Py_DECREF(code.cast());
        let inner: *mut u8 = field(object, OBJECT_FRAME);
        let known: usize = field(inner, FRAME_CODE);
        let nobody: *mut ffi::PyObject = field(object, OBJECT_BACK);
        if (known & !3) != code.addr() || !nobody.is_null() {
            return;
        }
        inner
            .add(FRAME_INSTRUCTION)
            .cast::<*mut u8>()
            .write(code.add(CODE_INSTRUCTIONS).offset(offset as isize));
        if let Some(back) = back {
            relink(object, back);
        }
    }
}

/// Gives a frame object that will not run again (it never ran, or has returned) another caller.
pub fn replace_caller<'py>(frame: &Bound<'py, PyAny>, back: &Bound<'py, PyAny>) {
    if !super::enabled() {
        return;
    }
    let object = frame.as_ptr().cast::<u8>();
    // SAFETY: a frame object, which always has an interpreter frame. One that the object owns is on no stack and linked to
    // its caller by an owned reference only.
    unsafe {
        let inner: *const u8 = field(object, OBJECT_FRAME);
        let owner: u8 = field(inner, FRAME_OWNER);
        if owner == OWNED_BY_OBJECT {
            relink(object, back);
        }
    }
}

unsafe fn relink(object: *mut u8, back: &Bound<'_, PyAny>) {
    // SAFETY: a frame object; its old caller is given up after the new one stands there.
    unsafe {
        let slot = object.add(OBJECT_BACK).cast::<*mut ffi::PyObject>();
        let old = slot.replace(back.clone().into_ptr());
        ffi::Py_XDECREF(old);
    }
}
