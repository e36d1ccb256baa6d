//! The `filename` and `module` of a record, as `LogRecord.__init__` takes them from its `pathname`:
//! `os.path.basename`, then `os.path.splitext`. Purely textual; nothing asks the file system.

/// Which of the interpreter's path modules applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// `posixpath`
    Posix,
    /// `ntpath`: both slashes separate, drives and UNC shares are no part of the name.
    Windows,
}

/// The flavour `os.path` has on the machine this was compiled for.
pub const NATIVE: Flavour = if cfg!(windows) {
    Flavour::Windows
} else {
    Flavour::Posix
};

/// `os.path.basename(path)`: what follows the last separator, possibly nothing.
#[inline]
#[must_use]
pub fn file_name(path: &str, flavour: Flavour) -> &str {
    match flavour {
        Flavour::Posix => {
            memchr::memrchr(b'/', path.as_bytes()).map_or(path, |slash| &path[slash + 1..])
        }
        Flavour::Windows => {
            let path = without_drive(path);
            memchr::memrchr2(b'/', b'\\', path.as_bytes()).map_or(path, |slash| &path[slash + 1..])
        }
    }
}

/// `os.path.splitext(file_name)[0]` of a name without separators: up to the last dot, but leading dots start no
/// extension (`.profile`, `...`).
#[inline]
#[must_use]
pub fn module_name(file_name: &str) -> &str {
    match memchr::memrchr(b'.', file_name.as_bytes()) {
        Some(dot) if file_name.as_bytes()[..dot].iter().any(|byte| *byte != b'.') => {
            &file_name[..dot]
        }
        _ => file_name,
    }
}

/// `ntpath.splitdrive(path)[1]`: behind `C:`, `\\host\share` or `\\?\UNC\host\share`.
fn without_drive(path: &str) -> &str {
    let is_separator = |byte: u8| byte == b'/' || byte == b'\\';
    let bytes = path.as_bytes();
    if bytes.len() >= 2 && is_separator(bytes[0]) && is_separator(bytes[1]) {
        let next =
            |from: usize| memchr::memchr2(b'/', b'\\', &bytes[from..]).map(|found| from + found);
        let host = if is_extended_unc(bytes) { 8 } else { 2 };
        return next(host)
            .and_then(|share| next(share + 1))
            .map_or("", |end| &path[end..]);
    }
    // `\:x` has a drive only in ntpath of 3.11, and no file on Windows has such a name.
    if bytes.first().is_some_and(|first| is_separator(*first)) {
        return path;
    }
    match path.char_indices().nth(1) {
        Some((colon, ':')) => &path[colon + 1..],
        _ => path,
    }
}

/// Whether the path starts with `\\?\UNC\`, in any case and with either slash.
fn is_extended_unc(bytes: &[u8]) -> bool {
    const PREFIX: &[u8; 8] = b"\\\\?\\UNC\\";
    bytes.len() >= PREFIX.len()
        && bytes.iter().zip(PREFIX).all(|(byte, expected)| {
            let byte = if *byte == b'/' {
                b'\\'
            } else {
                byte.to_ascii_uppercase()
            };
            byte == *expected
        })
}

#[cfg(test)]
mod tests {
    use super::Flavour::{Posix, Windows};
    use super::*;

    #[test]
    fn posix_names_follow_the_last_slash() {
        for (path, name, module) in [
            ("/app/main.py", "main.py", "main"),
            ("main", "main", "main"),
            ("/app/", "", ""),
            ("/a.b/c", "c", "c"),
            ("/a/.hidden", ".hidden", ".hidden"),
            ("/a/..py", "..py", "..py"),
            ("/a/.x.py", ".x.py", ".x"),
            ("a.tar.gz", "a.tar.gz", "a.tar"),
            ("a.", "a.", "a"),
            ("C:\\x\\y.py", "C:\\x\\y.py", "C:\\x\\y"),
            ("<string>", "<string>", "<string>"),
            ("/é/ü.py", "ü.py", "ü"),
        ] {
            assert_eq!(file_name(path, Posix), name, "{path}");
            assert_eq!(module_name(name), module, "{path}");
        }
    }

    #[test]
    fn windows_names_follow_either_slash_and_the_drive() {
        for (path, name) in [
            ("C:\\app\\main.py", "main.py"),
            ("C:/app/main.py", "main.py"),
            ("C:main.py", "main.py"),
            ("é:x", "x"),
            ("\\\\host\\share", ""),
            ("\\\\host\\share\\x.py", "x.py"),
            ("//?/unc/host/share/x", "x"),
            ("\\\\?\\UNC\\host\\share", ""),
            ("main.py", "main.py"),
        ] {
            assert_eq!(file_name(path, Windows), name, "{path}");
        }
    }
}
