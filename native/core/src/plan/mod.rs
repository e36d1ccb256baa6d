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
pub struct Plan {
    /// Literals and fields in order; no empty literal, no two literals in a row, at most one [`Piece::Place`].
    pub pieces: Vec<Piece>,
    /// Whether all literals are ASCII.
    pub ascii: bool,
    /// What the style's `usesTime()` says of the format string (a search for text, not for fields).
    pub uses_time: bool,
    /// Whether a field is `message`.
    pub uses_message: bool,
    /// Who is asked for a field.
    pub asks: Asks,
}

/// Whom a format asks for what is neither the call's nor the thread's, from nobody to all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asks {
    #[default]
    Nobody,
    /// `multiprocessing`, for the process's name.
    Process,
    /// `asyncio`, for the task's name, and may be `multiprocessing`, too.
    Task,
}

/// One part of a [`Plan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text to copy.
    Literal(Literal),
    /// A value to look up by `field` and to render by `spec`, which is that `usual` one or none.
    Field {
        field: Field,
        spec: Spec,
        usual: Usual,
    },
    /// Nothing to write: so many of the next pieces, which are literals and fields of the place, say the same each time the same line of
    /// code logs.
    Place(usize),
}

impl Piece {
    /// Is it a value that belongs to the place of the call?
    fn tells_of_place(&self) -> bool {
        matches!(
            self,
            Self::Field {
                field: Field::Known(
                    Attribute::PathName
                        | Attribute::FileName
                        | Attribute::Module
                        | Attribute::FuncName
                        | Attribute::LineNo
                ),
                ..
            }
        )
    }
}

/// Text to copy. As a rule it is short: then a block that is always as long is copied instead, which takes neither a loop nor a
/// call, and a third of the instructions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    text: Box<str>,
    /// The text once more, if it fits.
    block: [u8; Self::BLOCK],
}

impl Literal {
    const BLOCK: usize = 16;

    /// Appends it.
    #[inline]
    pub fn push_to(&self, bytes: &mut Vec<u8>) {
        if self.text.len() <= Self::BLOCK {
            let end = bytes.len() + self.text.len();
            bytes.extend_from_slice(&self.block);
            bytes.truncate(end);
        } else {
            bytes.extend_from_slice(self.text.as_bytes());
        }
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        let mut block = [0; Self::BLOCK];
        if let Some(start) = block.get_mut(..text.len()) {
            start.copy_from_slice(text.as_bytes());
        }
        Self {
            text: text.into(),
            block,
        }
    }
}

impl std::ops::Deref for Literal {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
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
    asks: Asks,
}

impl Builder {
    fn literal(&mut self, text: &str) {
        self.literal.push_str(text);
    }

    fn field(&mut self, name: &str, spec: Spec) {
        self.flush();
        let field = Field::from_name(name);
        self.uses_message |= field == Field::Known(Attribute::Message);
        self.asks = self.asks.max(match field {
            Field::Known(Attribute::ProcessName) => Asks::Process,
            Field::Known(Attribute::TaskName) => Asks::Task,
            _ => Asks::Nobody,
        });
        let usual = spec.usual();
        self.pieces.push(Piece::Field { field, spec, usual });
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.pieces
                .push(Piece::Literal(self.literal.as_str().into()));
            self.literal.clear();
        }
    }

    /// Marks the first pieces in a row that hold two values of the place or more, with the literals around them.
    fn mark_place(&mut self) {
        let still = |piece: &Piece| matches!(piece, Piece::Literal(_)) || piece.tells_of_place();
        let runs = self
            .pieces
            .chunk_by(|one, other| still(one) && still(other));
        let mut start = 0;
        for run in runs {
            if run.iter().filter(|piece| piece.tells_of_place()).count() > 1 {
                let length = run.len();
                self.pieces.insert(start, Piece::Place(length));
                return;
            }
            start += run.len();
        }
    }

    fn finish(mut self, uses_time: bool) -> Plan {
        self.flush();
        let ascii = self.pieces.iter().all(|piece| match piece {
            Piece::Literal(text) => text.is_ascii(),
            Piece::Field { .. } | Piece::Place(_) => true,
        });
        self.mark_place();
        Plan {
            pieces: self.pieces,
            ascii,
            uses_time,
            uses_message: self.uses_message,
            asks: self.asks,
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
    fn literals_of_any_length_are_copied() {
        for length in [0, 1, 15, 16, 17, 40] {
            let (text, mut bytes) = (
                "é".repeat(length / 2) + &"x".repeat(length % 2),
                b"<".to_vec(),
            );
            let literal = Literal::from(text.as_str());
            literal.push_to(&mut bytes);
            literal.push_to(&mut bytes);
            assert_eq!(bytes, format!("<{text}{text}").as_bytes());
            assert_eq!(*literal, *text);
        }
    }

    #[test]
    fn what_a_place_says_is_marked() {
        let marked = |format| {
            let pieces = percent::compile(format).unwrap().pieces;
            let at = pieces
                .iter()
                .position(|piece| matches!(piece, Piece::Place(_)))?;
            match pieces[at] {
                Piece::Place(length) => Some((at, length)),
                _ => None,
            }
        };
        assert_eq!(marked("%(filename)s:%(lineno)d %(message)s"), Some((0, 4)));
        assert_eq!(
            marked("<%(name)s> [%(module)s.%(funcName)-9s] "),
            Some((2, 5))
        );
        assert_eq!(
            marked("%(lineno)d %(name)s %(pathname)s%(lineno)s%(name)s"),
            Some((3, 3))
        );
        assert_eq!(marked("%(filename)s %(message)s %(lineno)d"), None);
        assert_eq!(marked("no field"), None);
    }

    #[test]
    fn fields_keep_foreign_names() {
        assert_eq!(Field::from_name("lineno"), Field::Known(Attribute::LineNo));
        assert_eq!(Field::from_name("request_id").name(), "request_id");
    }
}
