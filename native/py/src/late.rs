//! A value worked out when first asked for, by something that may raise.
use std::cell::OnceCell;

use crate::ffi::Res;

/// See the module.
pub struct Late<T>(OnceCell<T>);

impl<T> Late<T> {
    /// Not asked for yet.
    pub const fn new() -> Self {
        Late(OnceCell::new())
    }

    /// Known from the start.
    pub fn known(value: T) -> Self {
        Late(OnceCell::from(value))
    }

    /// Now known, unless it was.
    #[inline]
    #[cfg(not(Py_GIL_DISABLED))]
    pub fn learn(&self, value: T) {
        drop(self.0.set(value));
    }

    /// The value, if it is known.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// The value; found now if it is not known. What `find` runs may come back here: the first answer stays.
    #[inline]
    pub fn get_or(&self, find: impl FnOnce() -> Res<T>) -> Res<&T> {
        if let Some(value) = self.0.get() {
            return Ok(value);
        }
        let value = find()?;
        // `get_or_init` would ask once more whether `find` came back here, and move the value twice.
        drop(self.0.set(value));
        self.0.get().map_or_else(|| unreachable!("set"), Ok)
    }
}
