//! The lock and the signals that the queue is built of: the operating system's, or those of a test that tries every schedule.
use std::ops::DerefMut;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A mutex and a condition variable.
pub trait Platform: Sized + 'static {
    /// Keeps a value for one thread at a time.
    type Mutex<T: Send>: Send + Sync;
    /// Access to that value.
    type Guard<'a, T: Send + 'a>: DerefMut<Target = T>;
    /// Threads wait there.
    type Condvar: Send + Sync;

    /// A mutex that keeps `value`.
    fn mutex<T: Send>(value: T) -> Self::Mutex<T>;
    /// A condition variable that nobody waits for.
    fn condvar() -> Self::Condvar;
    /// Waits for the mutex.
    fn lock<T: Send>(mutex: &Self::Mutex<T>) -> Self::Guard<'_, T>;
    /// Gives the mutex back, waits to be notified, takes it again; `true` if the time was over before that.
    fn wait<'a, T: Send + 'a>(
        guard: Self::Guard<'a, T>,
        condvar: &Self::Condvar,
        timeout: Option<Duration>,
    ) -> (Self::Guard<'a, T>, bool);
    /// Wakes all that wait.
    fn notify_all(condvar: &Self::Condvar);
}

/// The operating system's.
pub struct Os;

impl Platform for Os {
    type Mutex<T: Send> = Mutex<T>;
    type Guard<'a, T: Send + 'a> = MutexGuard<'a, T>;
    type Condvar = Condvar;

    fn mutex<T: Send>(value: T) -> Mutex<T> {
        Mutex::new(value)
    }

    fn condvar() -> Condvar {
        Condvar::new()
    }

    fn lock<T: Send>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        // Nothing panics while it is locked but an allocation that fails, which aborts.
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a, T: Send + 'a>(
        guard: MutexGuard<'a, T>,
        condvar: &Condvar,
        timeout: Option<Duration>,
    ) -> (MutexGuard<'a, T>, bool) {
        match timeout {
            None => (
                condvar.wait(guard).unwrap_or_else(PoisonError::into_inner),
                false,
            ),
            Some(timeout) => {
                let (guard, result) = condvar
                    .wait_timeout(guard, timeout)
                    .unwrap_or_else(PoisonError::into_inner);
                (guard, result.timed_out())
            }
        }
    }

    fn notify_all(condvar: &Condvar) {
        condvar.notify_all();
    }
}
