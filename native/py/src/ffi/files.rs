//! Writing to descriptors.
use std::ffi::c_char;

use pyo3::ffi;
use pyo3::prelude::*;

use super::{Obj, Res, owned};
use crate::names::Name;

/// What became of a write to a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Written {
    /// All bytes are in the kernel.
    All,
    /// So many of them are, then it failed.
    Part(usize),
    /// Nothing was done: the descriptor has no position (a pipe, a terminal, a socket), so the write might wait, which must not be
    /// done with the GIL.
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

/// Writes to a file with a position, keeping the GIL. Whether it has one is asked each time, by the cheapest system call that
/// tells (0.2 µs where `fstat` takes 0.5): `dup2` may have put a pipe in its place.
pub fn write_file(py: Python<'_>, fd: i32, bytes: &[u8], position: Position) -> Written {
    #[cfg(unix)]
    {
        use std::mem::ManuallyDrop;
        use std::os::fd::FromRawFd;

        if position == Position::Unknown && file_position(fd, false).is_none() {
            return Written::NoPosition;
        }
        // SAFETY: borrowed for the write only; ManuallyDrop never closes it. The stream that owns it is kept alive by the
        // caller, and with the GIL held nobody closes it.
        let mut file = ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(fd) });
        let _ = py;
        // An interrupted write of a file is simply repeated: Python's signal handlers run when the call returns.
        match femtolog_core::sink::write_all(&mut *file, bytes) {
            Ok(()) => Written::All,
            Err(torn) => Written::Part(torn.written),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (py, fd, bytes, position);
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
