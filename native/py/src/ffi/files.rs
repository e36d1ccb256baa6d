//! Writing to descriptors.
use std::ffi::c_char;
#[cfg(unix)]
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU8, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

use super::{Obj, Res, owned};
use crate::names::Name;

/// What became of a write to a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Written {
    /// All bytes are in the kernel.
    All,
    /// Some are, then it failed.
    Part {
        /// So many.
        written: usize,
        /// The descriptor has no position, so that a signal may have ended the write: Python's handlers are due before anything is
        /// written again, which may wait.
        signals: bool,
    },
    /// Nothing was done: the descriptor has no position (a pipe, a terminal, a socket), and the write would wait, or might, which must not
    /// be done with the GIL.
    NoPosition,
}

/// Has a descriptor a position?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Position {
    /// It has: the system has said so a moment ago, and no Python code has run since.
    Known,
    /// To be asked for.
    Unknown,
}

/// So much, left over by a write, always has room in the buffer of the stream, which is twice as large unless its maker said otherwise.
#[cfg(unix)]
const AT_ONCE: usize = 4096;

/// glibc's word for "this process has never had a second thread", which it trusts itself where it leaves out locks; 0 where there
/// is none.
#[cfg(unix)]
static SINGLE_THREADED: AtomicPtr<AtomicU8> = AtomicPtr::new((&raw const MANY).cast_mut());
#[cfg(unix)]
static MANY: AtomicU8 = AtomicU8::new(0);

/// Looks for that word. Called once.
#[cfg(unix)]
pub(super) fn find_single_threaded() {
    // SAFETY: a name that ends with a zero; of glibc (from 2.32 on), which is never unloaded, it is a `char`.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__libc_single_threaded".as_ptr()) };
    if !found.is_null() {
        SINGLE_THREADED.store(found.cast(), Ordering::Relaxed);
    }
}

/// Is there nobody in this process whom a call that waits with the GIL would keep waiting?
#[cfg(unix)]
fn is_single_threaded() -> bool {
    // SAFETY: the static above or glibc's; written only by a thread about to start a first other one.
    unsafe { (*SINGLE_THREADED.load(Ordering::Relaxed)).load(Ordering::Relaxed) != 0 }
}

/// What became of bytes that were offered to a descriptor which may be a pipe.
#[cfg(unix)]
enum Offered {
    /// It has a position, so a write to it will not wait: nothing is written yet.
    Positioned,
    /// So many are written, and no error is known of.
    Taken(usize),
    /// None are: the stream has to write them.
    Refused,
}

/// Writes to a pipe or a socket what it takes at once; to a file nothing. `dup2` may exchange one for the other at any time, so that a
/// file has a position is asked each time; that something else has none may be believed for a while, for nothing that is done then can
/// wait.
#[cfg(unix)]
fn offer(fd: i32, bytes: &[u8]) -> Offered {
    static WITHOUT: AtomicI32 = AtomicI32::new(-1);
    // So many lines more are the stream's, unasked.
    static STREAMS: AtomicU8 = AtomicU8::new(0);
    let believed = WITHOUT.load(Ordering::Relaxed) == fd;
    if believed {
        let left = STREAMS.load(Ordering::Relaxed);
        if left > 0 {
            STREAMS.store(left - 1, Ordering::Relaxed);
            return Offered::Refused;
        }
        if let Some(offered) = write_at_once(fd, bytes) {
            return offered;
        }
    }
    if file_position(fd, false).is_some() {
        if believed {
            WITHOUT.store(-1, Ordering::Relaxed);
        }
        return Offered::Positioned;
    }
    WITHOUT.store(fd, Ordering::Relaxed);
    STREAMS.store(if believed { u8::MAX } else { 0 }, Ordering::Relaxed);
    Offered::Refused
}

/// `write(2)`, if it need not wait. `None`: cannot be asked for here (before Linux 6.5 of a pipe; never of a named pipe, of a terminal, or of a
/// file on ext4).
#[cfg(target_os = "linux")]
fn write_at_once(fd: i32, bytes: &[u8]) -> Option<Offered> {
    if bytes.len() > AT_ONCE {
        return Some(Offered::Refused);
    }
    let part = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    // SAFETY: one part, which is only read; -1 is "at the position", as `write(2)` does. By number: glibc has the function from 2.26 on.
    let written = unsafe {
        let here: libc::c_long = -1;
        let one: libc::c_long = 1;
        libc::syscall(
            libc::SYS_pwritev2,
            libc::c_long::from(fd),
            &raw const part,
            one,
            here,
            here,
            libc::c_long::from(libc::RWF_NOWAIT),
        )
    };
    match usize::try_from(written) {
        Ok(written) => Some(Offered::Taken(written)),
        Err(_) => match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::EOPNOTSUPP | libc::ENOSYS | libc::EPERM) => None,
            _ => Some(Offered::Refused),
        },
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn write_at_once(_: i32, _: &[u8]) -> Option<Offered> {
    None
}

/// Writes to a file, or to a pipe if that need not wait, keeping the GIL. What a descriptor is, is asked each time, by the cheapest system
/// call that tells (0.2 µs where `fstat` takes 0.5); in a process of one thread, where nobody waits for the GIL, only if the write has
/// failed. `unbuffered`: as a raw file does, which is content if a part is written.
pub fn write_file(
    py: Python<'_>,
    fd: i32,
    bytes: &[u8],
    position: Position,
    unbuffered: bool,
) -> Written {
    #[cfg(unix)]
    {
        use std::io::Write as _;
        use std::mem::ManuallyDrop;
        use std::os::fd::FromRawFd;

        let _ = py;
        // SAFETY: borrowed for the write only; ManuallyDrop never closes it. The stream that owns it is kept alive by the
        // caller, and with the GIL held nobody closes it.
        let mut file = ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(fd) });
        let enough = |written| written == bytes.len() || (unbuffered && written > 0);
        let part = |written, signals| {
            if enough(written) {
                Written::All
            } else {
                Written::Part { written, signals }
            }
        };
        let mut begun = 0;
        if position == Position::Unknown {
            if bytes.len() <= AT_ONCE && is_single_threaded() {
                begun = file.write(bytes).unwrap_or(0);
                if enough(begun) {
                    return Written::All;
                }
                if file_position(fd, false).is_none() {
                    return part(begun, true);
                }
            } else {
                match offer(fd, bytes) {
                    Offered::Positioned => {}
                    Offered::Taken(written) => return part(written, false),
                    Offered::Refused => return Written::NoPosition,
                }
            }
        }
        // An interrupted write of a file is simply repeated: Python's signal handlers run when the call returns.
        match femtolog_core::sink::write_all(&mut *file, &bytes[begun..]) {
            Ok(()) => Written::All,
            Err(torn) => part(begun + torn.written, false),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (py, fd, bytes, position, unbuffered);
        Written::NoPosition
    }
}

/// Device, inode and "a regular file" of what stands at a path, as `stat(2)` says, but without asking for its times. `Unsupported`: the
/// system (before Linux 4.11, or a sandbox) does not know the call.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn device_and_inode(path: &str) -> std::io::Result<(u64, u64, bool)> {
    let path = std::ffi::CString::new(path)?;
    let mut found = std::mem::MaybeUninit::<libc::statx>::uninit();
    // SAFETY: `path` ends with a zero; the call writes the whole structure before it returns 0, and then it is read.
    let found = unsafe {
        let mask = libc::STATX_TYPE | libc::STATX_INO;
        if libc::statx(
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_NO_AUTOMOUNT,
            mask,
            found.as_mut_ptr(),
        ) != 0
        {
            let error = std::io::Error::last_os_error();
            // Sandboxes that do not know the call answer with EPERM.
            return Err(match error.raw_os_error() {
                Some(libc::ENOSYS | libc::EPERM) => std::io::ErrorKind::Unsupported.into(),
                _ => error,
            });
        }
        found.assume_init()
    };
    Ok((
        libc::makedev(found.stx_dev_major, found.stx_dev_minor),
        found.stx_ino,
        u32::from(found.stx_mode) & libc::S_IFMT == libc::S_IFREG,
    ))
}

/// A new `bytes`.
pub fn bytes_from<'py>(py: Python<'py>, bytes: &[u8]) -> Res<Obj<'py>> {
    // SAFETY: attached; copies so many bytes from there.
    unsafe {
        owned(
            py,
            ffi::PyBytes_FromStringAndSize(bytes.as_ptr().cast::<c_char>(), bytes.len() as isize),
        )
    }
}

/// The position of an open file, after moving to its end if asked to. `None` when it has none (a pipe).
pub fn file_position(fd: i32, at_end: bool) -> Option<i64> {
    let whence = if at_end {
        libc::SEEK_END
    } else {
        libc::SEEK_CUR
    };
    // SAFETY: any number may be given; a wrong one is an error.
    let position = unsafe { libc::lseek(fd, 0, whence) };
    (position >= 0).then_some(position)
}

/// Moves an open file back to a position it had.
pub fn move_file(fd: i32, position: i64) {
    // SAFETY: any numbers may be given; a wrong one is an error, which leaves the file where it is.
    let _ = unsafe { libc::lseek(fd, position as libc::off_t, libc::SEEK_SET) };
}

/// Does `class` (a class) find under `name` just what `object` has there, or nothing where `object` has nothing?
pub fn class_inherits_from_object(class: &Obj<'_>, name: Name) -> bool {
    let name = name.object(class.py()).as_ptr();
    // SAFETY: attached; `class` is a class, as is `object`, which lives for ever.
    unsafe {
        crate::guard::type_lookup(class.as_ptr().cast(), name)
            == crate::guard::type_lookup(&raw mut ffi::PyBaseObject_Type, name)
    }
}
