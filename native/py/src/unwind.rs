//! The functions of `libgcc_s` that a panic needs, each looked for when it is first called.
//!
//! Linked in the usual way they have the system load `libgcc_s` before the extension: 0.17 ms of `import femtolog`, a tenth, for what
//! happens only if femtolog has a bug. An unwinder linked in statically would not do: a thread that `pthread_exit` unwinds (the
//! interpreter does that at its end until 3.13) is unwound by the shared one, to which glibc itself comes in this way, and whose frames
//! are of its own kind.
//!
//! Each of these is one more frame on the stack, without anything to clean up, which an unwinder passes by.
use std::ffi::{CStr, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

type Pointer = *mut c_void;

macro_rules! forward {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $result:ty;)*) => {
        $(
            #[unsafe(no_mangle)]
            unsafe extern "C-unwind" fn $name($($arg: $kind),*) -> $result {
                static FOUND: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
                const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => unreachable!(),
                };
                let function = find(&FOUND, NAME);
                // SAFETY: of that name and, in every release, of that type; the arguments are those of the caller.
                unsafe {
                    std::mem::transmute::<Pointer, unsafe extern "C-unwind" fn($($kind),*) -> $result>(function)($($arg),*)
                }
            }
        )*
    };
}

forward! {
    _Unwind_Backtrace(trace: Pointer, argument: Pointer) -> c_int;
    _Unwind_DeleteException(exception: Pointer) -> ();
    _Unwind_GetDataRelBase(context: Pointer) -> usize;
    _Unwind_GetIP(context: Pointer) -> usize;
    _Unwind_GetIPInfo(context: Pointer, before: *mut c_int) -> usize;
    _Unwind_GetLanguageSpecificData(context: Pointer) -> Pointer;
    _Unwind_GetRegionStart(context: Pointer) -> usize;
    _Unwind_GetTextRelBase(context: Pointer) -> usize;
    _Unwind_RaiseException(exception: Pointer) -> c_int;
    _Unwind_Resume(exception: Pointer) -> !;
    _Unwind_SetGR(context: Pointer, register: c_int, value: usize) -> ();
    _Unwind_SetIP(context: Pointer, place: usize) -> ();
}

/// The function `name` of `libgcc_s`, kept in `place`. Without it a panic cannot go on, so the process ends, as it does at a
/// `pthread_exit`.
fn find(place: &AtomicPtr<c_void>, name: &CStr) -> Pointer {
    let known = place.load(Relaxed);
    if !known.is_null() {
        return known;
    }
    // SAFETY: names that end with a zero. The library runs no code of anybody else's; it stays loaded, so what is found does, too.
    let found = unsafe {
        let library = libc::dlopen(c"libgcc_s.so.1".as_ptr(), libc::RTLD_NOW);
        if library.is_null() {
            null_mut()
        } else {
            libc::dlsym(library, name.as_ptr())
        }
    };
    if found.is_null() {
        eprintln!("femtolog: libgcc_s.so.1, which a panic needs, cannot be loaded");
        std::process::abort();
    }
    place.store(found, Relaxed);
    found
}
