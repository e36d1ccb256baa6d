//! Safe functions over the C API, in `CPython`'s own error convention.
//!
//! `PyO3`'s `PyErr` allocates and must be dropped while `PyO3` knows the thread to be attached, which our entry points do not
//! announce (it would cost 3 ns a call). So an error stays where `CPython` keeps it, in the thread state, and [`Raised`] says so.
//! Everything here needs a `Python<'py>` token or an object bound to one: the caller is attached.
mod attributes;
mod calls;
mod containers;
mod exceptions;
mod expressions;
mod files;
mod frames;
mod operators;
mod scalars;
mod statements;

pub use attributes::*;
pub use calls::*;
pub use containers::*;
pub use exceptions::*;
pub use expressions::*;
pub use files::*;
pub use frames::*;
pub use operators::*;
pub use scalars::*;
pub use statements::*;

use std::ffi::c_int;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

/// An owned reference to any Python object.
pub type Obj<'py> = Bound<'py, PyAny>;
/// A borrowed reference to any Python object; whoever lends it keeps it alive.
pub type Ref<'a, 'py> = Borrowed<'a, 'py, PyAny>;

/// The C functions that can run Python code and so can lose the GIL, called so that an unwind may come out of them.
///
/// Until 3.13 a thread that wants the GIL back while the interpreter finalises is ended by `pthread_exit`, which unwinds its
/// stack by force. Rust frames must not take part: their destructors would touch objects without the GIL. See [`Hang`].
#[allow(non_snake_case)]
mod c {
    use std::ffi::c_int;
    use std::sync::atomic::{AtomicPtr, Ordering};

    use pyo3::ffi;

    type Ptr = *mut ffi::PyObject;

    /// Calls through pointers filled in at load. Declaring the same symbols once more would not do: the optimiser joins the
    /// declarations, and `PyO3`'s say that nothing unwinds. The cost is the same, a call through the linkage table.
    macro_rules! unwinding {
        ($($(#[$cfg:meta])* $name:ident($($arg:ident: $kind:ty),*) -> $result:ty;)*) => {
            #[allow(non_upper_case_globals)]
            mod entries {
                use super::AtomicPtr;
                $($(#[$cfg])* pub static $name: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());)*
            }

            /// Fills in the pointers (through a black box: the optimiser would call the functions by name again). Called once, before anything else of this crate runs.
            pub fn init() {
                $($(#[$cfg])* entries::$name.store(std::hint::black_box(ffi::$name as *mut ()), Ordering::Relaxed);)*
            }

            $($(#[$cfg])*
            #[inline]
            pub unsafe fn $name($($arg: $kind),*) -> $result {
                // SAFETY: `init` stored the C function of that name, whose signature this is.
                unsafe {
                    let entry: unsafe extern "C-unwind" fn($($kind),*) -> $result =
                        std::mem::transmute(entries::$name.load(Ordering::Relaxed));
                    entry($($arg),*)
                }
            })*
        };
    }

    unwinding! {
        #[cfg(Py_GIL_DISABLED)] PyDict_GetItemRef(dict: Ptr, key: Ptr, value: *mut Ptr) -> c_int;
        #[cfg(not(Py_GIL_DISABLED))] PyDict_GetItemWithError(dict: Ptr, key: Ptr) -> Ptr;
        PyDict_SetItem(dict: Ptr, key: Ptr, value: Ptr) -> c_int;
        PyDict_Update(dict: Ptr, other: Ptr) -> c_int;
        PyErr_CheckSignals() -> c_int;
        PyImport_Import(name: Ptr) -> Ptr;
        PyIter_Next(o: Ptr) -> Ptr;
        PyNumber_Add(a: Ptr, b: Ptr) -> Ptr;
        #[cfg(Py_3_13)] PyNumber_FloorDivide(a: Ptr, b: Ptr) -> Ptr;
        PyNumber_Long(o: Ptr) -> Ptr;
        #[cfg(not(Py_3_13))] PyNumber_Multiply(a: Ptr, b: Ptr) -> Ptr;
        PyNumber_Or(a: Ptr, b: Ptr) -> Ptr;
        PyNumber_Remainder(a: Ptr, b: Ptr) -> Ptr;
        PyNumber_Subtract(a: Ptr, b: Ptr) -> Ptr;
        #[cfg(Py_3_13)] PyNumber_TrueDivide(a: Ptr, b: Ptr) -> Ptr;
        PyObject_Call(callable: Ptr, args: Ptr, kwargs: Ptr) -> Ptr;
        PyObject_DelItem(o: Ptr, key: Ptr) -> c_int;
        PyObject_GetAttr(o: Ptr, name: Ptr) -> Ptr;
        PyObject_GetItem(o: Ptr, key: Ptr) -> Ptr;
        PyObject_GetIter(o: Ptr) -> Ptr;
        PyObject_Hash(o: Ptr) -> isize;
        PyObject_IsInstance(o: Ptr, class: Ptr) -> c_int;
        PyObject_IsSubclass(class: Ptr, base: Ptr) -> c_int;
        PySet_Add(set: Ptr, item: Ptr) -> c_int;
        PySet_New(iterable: Ptr) -> Ptr;
        PyObject_IsTrue(o: Ptr) -> c_int;
        PyObject_Repr(o: Ptr) -> Ptr;
        PyObject_RichCompare(a: Ptr, b: Ptr, op: c_int) -> Ptr;
        PyObject_RichCompareBool(a: Ptr, b: Ptr, op: c_int) -> c_int;
        PyObject_SetAttr(o: Ptr, name: Ptr, value: Ptr) -> c_int;
        PyObject_SetItem(o: Ptr, key: Ptr, value: Ptr) -> c_int;
        PyObject_Size(o: Ptr) -> isize;
        PyObject_Str(o: Ptr) -> Ptr;
        PyObject_Vectorcall(callable: Ptr, args: *const Ptr, nargsf: usize, names: Ptr) -> Ptr;
        PyObject_VectorcallMethod(name: Ptr, args: *const Ptr, nargsf: usize, names: Ptr) -> Ptr;
        PySequence_Contains(o: Ptr, item: Ptr) -> c_int;
    }
}

/// Prepares this module. Called once, when the extension loads, before any other function of it.
pub fn init() {
    c::init();
    #[cfg(unix)]
    find_single_threaded();
}

/// Stops a thread for good that is being ended by force inside a C call: it sleeps until the process is gone, as 3.14 lets it.
/// Forgotten when the call returns, so it costs nothing.
pub struct Hang;

impl Drop for Hang {
    #[cold]
    fn drop(&mut self) {
        loop {
            std::thread::park();
        }
    }
}

/// Calls a C function that may run Python code.
macro_rules! python {
    ($call:expr) => {{
        let hang = $crate::ffi::Hang;
        let result = $call;
        std::mem::forget(hang);
        result
    }};
}
pub(crate) use python;

/// A Python exception is set in the thread state.
#[derive(Debug)]
#[must_use]
pub struct Raised(());

/// The result of anything that may raise.
pub type Res<T> = Result<T, Raised>;

impl Raised {
    /// Says that the exception is already set. Only for code that has just seen a C function fail.
    pub const fn already() -> Self {
        Raised(())
    }

    /// Drops the exception.
    #[allow(
        clippy::unused_self,
        reason = "the error itself lives in the thread state; the value says that it is there"
    )]
    pub fn clear(self, _py: Python<'_>) {
        // SAFETY: attached, by the token.
        unsafe { ffi::PyErr_Clear() }
    }

    /// Is the exception an instance of `kind` (a class)?
    #[allow(clippy::unused_self, reason = "as for `clear`")]
    pub fn is(&self, kind: Ref<'_, '_>) -> bool {
        // SAFETY: attached (a `Ref` needs a token); `kind` is alive.
        unsafe { ffi::PyErr_ExceptionMatches(kind.as_ptr()) != 0 }
    }

    /// Takes the exception out of the thread state, normalised, with its traceback attached.
    #[allow(clippy::unused_self, reason = "as for `clear`")]
    pub fn take(self, py: Python<'_>) -> Obj<'_> {
        // SAFETY: attached; an exception is set, so the result is an owned, non-null exception.
        unsafe {
            if ffi::PyErr_Occurred().is_null() {
                // Only an allocation fails without saying so.
                ffi::PyErr_NoMemory();
            }
            #[cfg(Py_3_12)]
            let value = ffi::PyErr_GetRaisedException();
            #[cfg(not(Py_3_12))]
            let value = {
                let (mut kind, mut value, mut trace) =
                    (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
                ffi::PyErr_Fetch(&raw mut kind, &raw mut value, &raw mut trace);
                ffi::PyErr_NormalizeException(&raw mut kind, &raw mut value, &raw mut trace);
                if !trace.is_null() {
                    ffi::PyException_SetTraceback(value, trace);
                }
                ffi::Py_XDECREF(kind);
                ffi::Py_XDECREF(trace);
                value
            };
            Bound::from_owned_ptr(py, value)
        }
    }

    /// Sets `exception` (an instance) as raised.
    pub fn from(exception: Obj<'_>) -> Self {
        // SAFETY: attached; both calls take over or copy a live exception.
        unsafe {
            #[cfg(Py_3_12)]
            ffi::PyErr_SetRaisedException(exception.into_ptr());
            #[cfg(not(Py_3_12))]
            {
                let kind: *mut ffi::PyObject = ffi::Py_TYPE(exception.as_ptr()).cast();
                ffi::Py_INCREF(kind);
                let trace = ffi::PyException_GetTraceback(exception.as_ptr());
                ffi::PyErr_Restore(kind, exception.into_ptr(), trace);
            }
        }
        Raised(())
    }
}

/// The value, or nothing: the exception is dropped. (`Result::ok` would leave it set.)
#[inline]
pub fn or_nothing<T>(py: Python<'_>, result: Res<T>) -> Option<T> {
    result.map_err(|raised| raised.clear(py)).ok()
}

/// Takes over what a C function returned.
///
/// # Safety
/// `result` is an owned reference, or null with an exception set.
#[inline]
pub unsafe fn owned(py: Python<'_>, result: *mut ffi::PyObject) -> Res<Obj<'_>> {
    if result.is_null() {
        Err(Raised(()))
    } else {
        // SAFETY: non-null and owned, says the caller.
        Ok(unsafe { Bound::from_owned_ptr(py, result) })
    }
}

#[inline]
fn done(code: c_int) -> Res<()> {
    if code < 0 { Err(Raised(())) } else { Ok(()) }
}

/// The exception classes this crate raises or tells apart.
#[derive(Clone, Copy)]
#[allow(
    dead_code,
    reason = "which of them are raised natively depends on the version"
)]
pub enum Exc {
    Assertion,
    Base,
    Exception,
    Attribute,
    FileNotFound,
    Key,
    Memory,
    Name,
    NotImplemented,
    Os,
    Recursion,
    Runtime,
    System,
    Type,
    Value,
}

/// The class object of `exc`.
pub fn exception_class(py: Python<'_>, exc: Exc) -> Ref<'static, '_> {
    // SAFETY: attached; the interpreter keeps its exception classes alive for the whole process.
    unsafe {
        let class = match exc {
            Exc::Assertion => ffi::PyExc_AssertionError,
            Exc::Base => ffi::PyExc_BaseException,
            Exc::Exception => ffi::PyExc_Exception,
            Exc::Attribute => ffi::PyExc_AttributeError,
            Exc::FileNotFound => ffi::PyExc_FileNotFoundError,
            Exc::Key => ffi::PyExc_KeyError,
            Exc::Memory => ffi::PyExc_MemoryError,
            Exc::Name => ffi::PyExc_NameError,
            Exc::NotImplemented => ffi::PyExc_NotImplementedError,
            Exc::Os => ffi::PyExc_OSError,
            Exc::Recursion => ffi::PyExc_RecursionError,
            Exc::Runtime => ffi::PyExc_RuntimeError,
            Exc::System => ffi::PyExc_SystemError,
            Exc::Type => ffi::PyExc_TypeError,
            Exc::Value => ffi::PyExc_ValueError,
        };
        Borrowed::from_ptr(py, class)
    }
}

/// Raises `exc` with `text`.
#[cold]
pub fn raise(py: Python<'_>, exc: Exc, text: &str) -> Raised {
    match text_from(py, text) {
        Ok(text) => raise_object(py, exc, &text),
        Err(raised) => raised,
    }
}

/// Raises `exc` with one argument of any type (a tuple too stays one argument).
#[cold]
pub fn raise_object<'py>(py: Python<'py>, exc: Exc, argument: &Obj<'py>) -> Raised {
    // SetObject takes `None` for no argument and a tuple for several.
    let wrapped = if argument.is_none() || is_tuple_like(argument) {
        new_tuple(py, &[argument])
    } else {
        Ok(argument.clone())
    };
    match wrapped {
        Ok(argument) => {
            // SAFETY: attached; both objects are alive.
            unsafe { ffi::PyErr_SetObject(exception_class(py, exc).as_ptr(), argument.as_ptr()) }
            Raised(())
        }
        Err(raised) => raised,
    }
}

/// Raises `class(text)` for an exception class that is no built-in.
#[cold]
pub fn raise_class(class: &Obj<'_>, text: &str) -> Raised {
    match text_from(class.py(), text) {
        Ok(text) => {
            // SAFETY: attached; both objects are alive; a wrong class becomes a TypeError.
            unsafe { ffi::PyErr_SetObject(class.as_ptr(), text.as_ptr()) }
            Raised(())
        }
        Err(raised) => raised,
    }
}

/// Raises `exc()`, without an argument.
#[cold]
pub fn raise_bare(py: Python<'_>, exc: Exc) -> Raised {
    // SAFETY: attached; the class lives for ever.
    unsafe { ffi::PyErr_SetNone(exception_class(py, exc).as_ptr()) }
    Raised(())
}

/// Runs `body` as if inside `except` of `exception`: `sys.exc_info()` shows it, and what was shown before comes back after.
pub fn while_handling<T>(exception: &Obj<'_>, body: impl FnOnce() -> T) -> T {
    let (mut kind, mut value, mut trace) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: attached (`exception` is bound). Get hands out three references which Set takes back afterwards.
    unsafe {
        ffi::PyErr_GetExcInfo(&raw mut kind, &raw mut value, &raw mut trace);
        let class: *mut ffi::PyObject = ffi::Py_TYPE(exception.as_ptr()).cast();
        ffi::Py_INCREF(class);
        ffi::PyErr_SetExcInfo(
            class,
            exception.clone().into_ptr(),
            ffi::PyException_GetTraceback(exception.as_ptr()),
        );
    }
    let result = body();
    // SAFETY: as above; an exception `body` raised lives in another slot of the thread state and is not touched.
    unsafe { ffi::PyErr_SetExcInfo(kind, value, trace) }
    result
}
