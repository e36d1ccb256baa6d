//! The lines of source files as `linecache` holds them, and whether they still hold.
//!
//! For an entry that was read from a file, `traceback` asks the file's size and time each time; so does this. What is not
//! in the cache, or put off, is the interpreter's to load.
use pyo3::prelude::*;
use smallvec::SmallVec;

use crate::ffi::{self as py_ffi, Obj, Res};

/// What `linecache.getlines` gives for a file now.
pub enum Lines<'py> {
    /// This list.
    Of(Obj<'py>),
    /// Nothing, and nothing is done about it: `<string>` and its like.
    None,
}

impl Lines<'_> {
    pub fn is_none(&self) -> bool {
        matches!(self, Lines::None)
    }
}

/// The files that one rendering has asked for.
pub struct Sources<'py> {
    /// `linecache.cache`
    cache: Obj<'py>,
    /// Names in angle brackets certainly have no source but what the cache holds.
    no_interactive: bool,
    known: SmallVec<[(Obj<'py>, Lines<'py>); 8]>,
}

impl<'py> Sources<'py> {
    pub fn new(cache: Obj<'py>, no_interactive: bool) -> Self {
        Sources {
            cache,
            no_interactive,
            known: SmallVec::new(),
        }
    }

    /// The lines of a file; `None` when only the interpreter can tell.
    pub fn lines(&mut self, filename: &Obj<'py>) -> Res<Option<&Lines<'py>>> {
        let at = if let Some(at) = self.known.iter().position(|(known, _)| known.is(filename)) {
            at
        } else {
            let Some(lines) = self.look(filename)? else {
                return Ok(None);
            };
            self.known.push((filename.clone(), lines));
            self.known.len() - 1
        };
        Ok(Some(&self.known[at].1))
    }

    fn look(&self, filename: &Obj<'py>) -> Res<Option<Lines<'py>>> {
        if !py_ffi::is_str(filename) {
            return Ok(None);
        }
        let Some(name) = py_ffi::utf8(filename) else {
            return Ok(None);
        };
        let bracketed = name.starts_with('<') && name.ends_with('>');
        if name.starts_with('<') && !self.no_interactive {
            return Ok(None);
        }
        let Some(entry) = py_ffi::dict_get(&self.cache, filename)? else {
            return Ok(bracketed.then_some(Lines::None));
        };
        // (size, mtime, lines, fullname); a single item stands for a source that is still to be loaded.
        if !py_ffi::is_tuple(&entry) || py_ffi::tuple_len(&entry) != 4 {
            return Ok(None);
        }
        let (Some(size), Some(time), Some(lines), Some(path)) = (
            py_ffi::tuple_item(&entry, 0),
            py_ffi::tuple_item(&entry, 1),
            py_ffi::tuple_item(&entry, 2),
            py_ffi::tuple_item(&entry, 3),
        ) else {
            return Ok(None);
        };
        if !py_ffi::is_list(&lines) {
            return Ok(None);
        }
        // Without a time the source came from a loader and is never asked for again.
        let holds = time.is_none() || is_unchanged(&size, &time, &path);
        Ok(holds.then_some(Lines::Of(lines)))
    }
}

/// Has the file at `path` still this size and time?
fn is_unchanged(size: &Obj<'_>, time: &Obj<'_>, path: &Obj<'_>) -> bool {
    // ASCII means the same in every file system encoding Python uses.
    if !py_ffi::is_str(path) || !py_ffi::is_ascii(path) || !py_ffi::is_float(time) {
        return false;
    }
    let (Some(size), Some(time), Some(path)) = (
        py_ffi::int_value(size),
        py_ffi::float_value(time),
        py_ffi::utf8(path),
    ) else {
        return false;
    };
    !path.contains('\0') && status(path) == Some((size, time))
}

/// `st_size` and `st_mtime` as `os.stat` gives them; `None` where it fails.
#[cfg(unix)]
#[allow(
    clippy::cast_precision_loss,
    reason = "it is how Modules/posixmodule.c, fill_time, makes the float"
)]
fn status(path: &str) -> Option<(i64, f64)> {
    use std::os::unix::fs::MetadataExt;
    let status = std::fs::metadata(path).ok()?;
    let time = status.mtime() as f64 + 1e-9 * status.mtime_nsec() as f64;
    Some((i64::try_from(status.size()).ok()?, time))
}

/// Elsewhere the interpreter is asked.
#[cfg(not(unix))]
fn status(_path: &str) -> Option<(i64, f64)> {
    None
}
