//! Getting all bytes of a record out, or knowing exactly how many went.
use std::io::{self, ErrorKind, Write};

/// A write that stopped in the middle. Whoever writes next must know: half a line may be in the file.
#[derive(Debug)]
pub struct Torn {
    /// Bytes that are out already.
    pub written: usize,
    /// Why no more went.
    pub error: io::Error,
}

impl std::fmt::Display for Torn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} after {} bytes", self.error, self.written)
    }
}

impl std::error::Error for Torn {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Writes all of `bytes`: short writes are continued, interrupted ones repeated.
///
/// # Errors
/// [`Torn`] on any other error, a writer that would block included.
#[inline]
pub fn write_all(writer: &mut impl Write, bytes: &[u8]) -> Result<(), Torn> {
    write_all_or_stop(writer, bytes, || true)
}

/// As [`write_all`], but asks `go_on` after every interruption: a signal handler may have raised an exception
/// (PEP 475 repeats the call only if it has not).
///
/// # Errors
/// [`Torn`]; with an error of kind [`ErrorKind::Interrupted`] where `go_on` answered `false`.
#[inline]
pub fn write_all_or_stop(
    writer: &mut impl Write,
    bytes: &[u8],
    mut go_on: impl FnMut() -> bool,
) -> Result<(), Torn> {
    let mut written = 0;
    while written < bytes.len() {
        match writer.write(&bytes[written..]) {
            // A writer that takes nothing and names no error would keep us here for ever.
            Ok(0) => {
                return Err(Torn {
                    written,
                    error: ErrorKind::WriteZero.into(),
                });
            }
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted && go_on() => {}
            Err(error) => return Err(Torn { written, error }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows a script: a number of bytes to take, or an error.
    struct Scripted {
        script: Vec<Result<usize, ErrorKind>>,
        taken: Vec<u8>,
    }

    impl Scripted {
        fn new(script: &[Result<usize, ErrorKind>]) -> Self {
            Self {
                script: script.iter().rev().copied().collect(),
                taken: Vec::new(),
            }
        }
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = self.script.pop().expect("the script is long enough")?;
            let count = count.min(bytes.len());
            self.taken.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            unreachable!("a sink writes, it does not flush")
        }
    }

    #[test]
    fn short_and_interrupted_writes_are_continued() {
        let mut writer = Scripted::new(&[Ok(2), Err(ErrorKind::Interrupted), Ok(1), Ok(100)]);
        write_all(&mut writer, b"a line\n").unwrap();
        assert_eq!(writer.taken, b"a line\n");
    }

    #[test]
    fn an_error_tells_how_much_is_out() {
        let mut writer = Scripted::new(&[Ok(3), Err(ErrorKind::StorageFull)]);
        let torn = write_all(&mut writer, b"a line\n").unwrap_err();
        assert_eq!(
            (torn.written, torn.error.kind()),
            (3, ErrorKind::StorageFull)
        );
        let torn = write_all(&mut Scripted::new(&[Ok(0)]), b"x").unwrap_err();
        assert_eq!((torn.written, torn.error.kind()), (0, ErrorKind::WriteZero));
    }

    #[test]
    fn a_raising_signal_handler_stops_the_write() {
        let mut writer = Scripted::new(&[Ok(1), Err(ErrorKind::Interrupted)]);
        let torn = write_all_or_stop(&mut writer, b"xyz", || false).unwrap_err();
        assert_eq!(
            (torn.written, torn.error.kind()),
            (1, ErrorKind::Interrupted)
        );
    }

    #[test]
    fn nothing_to_write_is_no_call() {
        write_all(&mut Scripted::new(&[]), b"").unwrap();
    }
}
