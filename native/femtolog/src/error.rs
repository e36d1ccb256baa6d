//! What can be wrong. A message names the field, what it must be, and what it was.
use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use femtolog_core::queue::Reason;

/// A setting that cannot be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// Which setting.
    pub field: &'static str,
    /// What it must do or be, as it follows the word *must*.
    pub constraint: &'static str,
    /// What it was.
    pub actual: String,
}

impl ConfigError {
    pub(crate) fn new(
        field: &'static str,
        constraint: &'static str,
        actual: impl fmt::Debug,
    ) -> Self {
        Self {
            field,
            constraint,
            actual: format!("{actual:?}"),
        }
    }

    /// Nothing is wrong where `holds`.
    pub(crate) fn unless(
        holds: bool,
        field: &'static str,
        constraint: &'static str,
        actual: impl fmt::Debug,
    ) -> Result<(), Self> {
        if holds {
            Ok(())
        } else {
            Err(Self::new(field, constraint, actual))
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (field, constraint, actual) = (self.field, self.constraint, &self.actual);
        write!(out, "{field} must {constraint}, got {actual}")
    }
}

impl Error for ConfigError {}

/// A handler cannot be built.
#[derive(Debug)]
#[non_exhaustive]
pub enum HandlerBuildError {
    /// A setting cannot be.
    Config(ConfigError),
    /// A file or directory cannot be opened.
    Open(PathBuf, io::Error),
}

impl HandlerBuildError {
    pub(crate) fn open(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Open(path.to_owned(), error)
    }
}

impl From<ConfigError> for HandlerBuildError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl fmt::Display for HandlerBuildError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(out),
            Self::Open(path, error) => write!(out, "{} cannot be opened: {error}", path.display()),
        }
    }
}

impl Error for HandlerBuildError {}

/// A handler has not taken a record. Its account says so as well.
#[derive(Debug)]
#[non_exhaustive]
pub enum HandlerError {
    /// The record was dropped.
    Dropped(Reason),
    /// The record failed.
    Failed(io::Error),
}

impl fmt::Display for HandlerError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped(reason) => write!(out, "the record is dropped: {}", reason.name()),
            Self::Failed(error) => write!(out, "the record cannot be written: {error}"),
        }
    }
}

impl Error for HandlerError {}
