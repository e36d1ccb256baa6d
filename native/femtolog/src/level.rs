//! The levels.
use std::fmt;
use std::str::FromStr;

use crate::ConfigError;

/// How urgent a record is. Levels are ordered, and have the numbers that Python's `logging` gives them.
///
/// ```
/// use femtolog::FemtoLevel;
///
/// assert_eq!("warning".parse(), Ok(FemtoLevel::Warn));
/// assert!(FemtoLevel::Trace < FemtoLevel::Debug);
/// assert_eq!(
///     "loud".parse::<FemtoLevel>().unwrap_err().to_string(),
///     "level must be one of TRACE, DEBUG, INFO, WARN, WARNING, ERROR, CRITICAL, got \"loud\""
/// );
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
#[allow(missing_docs, reason = "they are called what they are")]
pub enum FemtoLevel {
    Trace = 5,
    Debug = 10,
    Info = 20,
    Warn = 30,
    Error = 40,
    Critical = 50,
}

impl FemtoLevel {
    /// All of them, from the lowest.
    pub const ALL: [Self; 6] = [
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Warn,
        Self::Error,
        Self::Critical,
    ];

    /// As it is printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// Its number: 5 for TRACE, 10 for DEBUG, … 50 for CRITICAL.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for FemtoLevel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl FromStr for FemtoLevel {
    type Err = ConfigError;

    /// From its name in any case; WARNING is WARN.
    fn from_str(name: &str) -> Result<Self, ConfigError> {
        let named = |level: &Self| level.name().eq_ignore_ascii_case(name);
        let alias = name.eq_ignore_ascii_case("WARNING").then_some(Self::Warn);
        let found = Self::ALL.into_iter().find(named).or(alias);
        let constraint = "be one of TRACE, DEBUG, INFO, WARN, WARNING, ERROR, CRITICAL";
        found.ok_or_else(|| ConfigError::new("level", constraint, name))
    }
}
