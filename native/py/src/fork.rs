//! What a forked child must not inherit: the remembered process id.
//!
//! Locks need nothing here: handlers keep Python's own locks, which `logging` re-initialises in the child by itself, and no
//! Rust lock is held while a fork can happen.
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// The process id; 0 when it has to be asked for (at the start, and in a forked child).
static PROCESS: AtomicI64 = AtomicI64::new(0);
static REGISTERED: AtomicBool = AtomicBool::new(false);

/// Has children forget the process id, however they were forked. Called when binding.
pub fn init() {
    #[cfg(unix)]
    if !REGISTERED.swap(true, Ordering::Relaxed) {
        // SAFETY: the callback only stores to a static; it stays valid because the extension is never unloaded.
        let refused = unsafe { libc::pthread_atfork(None, None, Some(forget)) } != 0;
        REGISTERED.store(!refused, Ordering::Relaxed);
    }
}

#[cfg(unix)]
unsafe extern "C" fn forget() {
    PROCESS.store(0, Ordering::Relaxed);
}

/// `os.getpid()`. Remembering it saves the system call (50 to 100 ns); without the fork hook it is asked for each time.
#[inline]
pub fn process_id() -> i64 {
    let known = PROCESS.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let asked = i64::from(std::process::id());
    if REGISTERED.load(Ordering::Relaxed) {
        PROCESS.store(asked, Ordering::Relaxed);
    }
    asked
}
