//! Format strings compiled once to literal pieces and fields, for the three styles of `logging.Formatter`.
//! A compiler answers `None` for whatever it cannot prove to render as the interpreter would; the interpreter's own
//! operator then does the work. Missing keys, non-string keys and unusual values are the caller's to notice.
//! All text is UTF-8 bytes; widths and precisions count code points.
pub mod brace;
pub mod dollar;
pub mod fields;
pub mod percent;
mod render;
mod spec;

pub use render::{
    push_decimal, push_fixed_float, push_float_as_int, push_float_text, push_int, push_str,
    push_text,
};
pub use spec::{FloatDigits, Spec, Style, Usual};

/// A compiled format string over the attributes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "four questions about a format, which have nothing to do with each other"
)]
pub struct Plan {
    /// Literals and fields in order; no empty literal, no two literals in a row.
    pub pieces: Vec<Piece>,
    /// Whether all literals are ASCII.
    pub ascii: bool,
    /// What the style's `usesTime()` says of the format string (a search for text, not for fields).
    pub uses_time: bool,
    /// Whether a field is `message`.
    pub uses_message: bool,
    /// Whether a field is asked of `multiprocessing` or `asyncio`: the process's name, the task's.
    pub asks_others: bool,
}

/// One part of a [`Plan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text to copy.
    Literal(Box<str>),
    /// A value to look up by `field` and to render by `spec`, which is that `usual` one or none.
    Field {
        field: Field,
        spec: Spec,
        usual: Usual,
    },
}

/// The key of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// An attribute every `LogRecord` may have.
    Known(Attribute),
    /// Any other key, from `extra`, `defaults` or a record factory.
    Other(Box<str>),
}

impl Field {
    /// The field for a key as it stands in the format string.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        Attribute::from_name(name).map_or_else(|| Self::Other(name.into()), Self::Known)
    }

    /// The key in the record's `__dict__`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Known(attribute) => attribute.name(),
            Self::Other(name) => name,
        }
    }
}

macro_rules! attributes {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// The attributes of a `LogRecord`, in the key order of its `__dict__` (`Lib/logging/__init__.py`,
        /// `LogRecord.__init__`); `message` and `asctime` come last because `Formatter.format` adds them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Attribute { $($variant),* }

        impl Attribute {
            /// Every attribute in key order; `ALL[attribute as usize]` is that attribute.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The Python name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The attribute of that exact Python name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

attributes! {
    Name "name", Msg "msg", Args "args", LevelName "levelname", LevelNo "levelno", PathName "pathname",
    FileName "filename", Module "module", ExcInfo "exc_info", ExcText "exc_text", StackInfo "stack_info",
    LineNo "lineno", FuncName "funcName", Created "created", Msecs "msecs", RelativeCreated "relativeCreated",
    Thread "thread", ThreadName "threadName", ProcessName "processName", Process "process", TaskName "taskName",
    Message "message", AscTime "asctime",
}

/// Collects pieces, joining neighbouring literals (an escaped `%%` is one).
#[derive(Default)]
struct Builder {
    pieces: Vec<Piece>,
    literal: String,
    uses_message: bool,
    asks_others: bool,
}

impl Builder {
    fn literal(&mut self, text: &str) {
        self.literal.push_str(text);
    }

    fn field(&mut self, name: &str, spec: Spec) {
        self.flush();
        let field = Field::from_name(name);
        self.uses_message |= field == Field::Known(Attribute::Message);
        self.asks_others |= matches!(
            field,
            Field::Known(Attribute::ProcessName | Attribute::TaskName)
        );
        let usual = spec.usual();
        self.pieces.push(Piece::Field { field, spec, usual });
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.pieces
                .push(Piece::Literal(std::mem::take(&mut self.literal).into()));
        }
    }

    fn finish(mut self, uses_time: bool) -> Plan {
        self.flush();
        let ascii = self.pieces.iter().all(|piece| match piece {
            Piece::Literal(text) => text.is_ascii(),
            Piece::Field { .. } => true,
        });
        Plan {
            pieces: self.pieces,
            ascii,
            uses_time,
            uses_message: self.uses_message,
            asks_others: self.asks_others,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_by_their_own_name_and_index() {
        for (index, attribute) in Attribute::ALL.iter().enumerate() {
            assert_eq!(*attribute as usize, index);
            assert_eq!(Attribute::from_name(attribute.name()), Some(*attribute));
        }
        assert_eq!(Attribute::ALL.len(), 23);
        assert_eq!(Attribute::from_name("Name"), None);
    }

    #[test]
    fn fields_keep_foreign_names() {
        assert_eq!(Field::from_name("lineno"), Field::Known(Attribute::LineNo));
        assert_eq!(Field::from_name("request_id").name(), "request_id");
    }
}
