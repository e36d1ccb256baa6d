//! The `%` style: `format % mapping` for format strings, `message % args` for log messages.
//! Rules: `Objects/unicodeobject.c`, `unicode_format_arg_parse`. Not taken: `*`, `%c`, a `%` that ends a directive
//! (`%5%`, `%(key)%`), and keys where none may stand or the other way round.
use memchr::memchr;

use super::spec::{Align, Conversion, LARGEST_COUNT, Sign, Spec, Style, Usual};
use super::{Builder, Literal, Plan};

/// What `PercentStyle.usesTime()` answers.
#[must_use]
pub fn uses_time(format: &str) -> bool {
    format.contains("%(asctime)")
}

/// Compiles a format string for a mapping: every directive must name its key.
#[must_use]
pub fn compile(format: &str) -> Option<Plan> {
    let mut builder = Builder::default();
    let mut rest = format;
    while let Some(percent) = memchr(b'%', rest.as_bytes()) {
        builder.literal(&rest[..percent]);
        rest = &rest[percent + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            builder.literal("%");
            rest = after;
            continue;
        }
        let end = closing_parenthesis(rest)?;
        let key = &rest[1..end];
        rest = &rest[end + 1..];
        let (spec, length) = directive(rest.as_bytes())?;
        rest = &rest[length..];
        builder.field(key, spec);
    }
    builder.literal(rest);
    Some(builder.finish(uses_time(format)))
}

/// Index of the parenthesis that closes the one `text` starts with; they nest.
fn closing_parenthesis(text: &str) -> Option<usize> {
    if !text.starts_with('(') {
        return None;
    }
    let mut depth = 0_u32;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}

/// A message with positional arguments, taken apart once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positional {
    /// Text and arguments in order.
    pub pieces: Vec<PositionalPiece>,
    /// How many arguments are consumed; any other number is an error the interpreter raises.
    pub arguments: usize,
    /// Whether the message is ASCII.
    pub ascii: bool,
}

/// One part of a [`Positional`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PositionalPiece {
    /// Text to copy.
    Literal(Literal),
    /// The next argument, to be written by a spec, which is that usual one or none.
    Arg(Spec, Usual),
}

/// Compiles a message for a tuple of arguments.
#[must_use]
pub fn compile_positional(format: &str) -> Option<Positional> {
    let mut pieces = Vec::new();
    let mut arguments = 0;
    for item in Scanner::new(format) {
        pieces.push(match item {
            Item::Literal(text) => PositionalPiece::Literal(text.into()),
            Item::Arg(spec) => {
                arguments += 1;
                PositionalPiece::Arg(spec, spec.usual())
            }
            Item::Unproven => return None,
        });
    }
    Some(Positional {
        pieces,
        arguments,
        ascii: format.is_ascii(),
    })
}

/// What a [`Scanner`] finds next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// Text to copy, never empty.
    Literal(&'a str),
    /// The next argument, to be written by this spec.
    Arg(Spec),
    /// The interpreter must format the whole message; nothing follows.
    Unproven,
}

/// Walks over a message with positional arguments without allocating.
#[derive(Debug, Clone)]
pub struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of the message.
    #[inline]
    #[must_use]
    pub const fn new(message: &'a str) -> Self {
        Self { rest: message }
    }

    /// Reads one directive; `rest` starts with its `%`.
    #[inline]
    fn directive(&mut self) -> Item<'a> {
        let (spec, length) = match self.rest.as_bytes().get(1) {
            // The two commonest need no parser.
            Some(b's') => (Spec::STR, 1),
            Some(b'd') => (Spec::DECIMAL, 1),
            Some(b'%') => {
                let (percent, rest) = self.rest[1..].split_at(1);
                self.rest = rest;
                return Item::Literal(percent);
            }
            _ => {
                let Some(parsed) = directive(&self.rest.as_bytes()[1..]) else {
                    self.rest = "";
                    return Item::Unproven;
                };
                parsed
            }
        };
        self.rest = &self.rest[1 + length..];
        Item::Arg(spec)
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        match memchr(b'%', self.rest.as_bytes()) {
            Some(0) => Some(self.directive()),
            Some(percent) => {
                let (literal, rest) = self.rest.split_at(percent);
                self.rest = rest;
                Some(Item::Literal(literal))
            }
            None if self.rest.is_empty() => None,
            None => Some(Item::Literal(std::mem::take(&mut self.rest))),
        }
    }
}

/// Parses flags, width, precision and conversion; `bytes` starts behind the `%` or the key. The number of bytes read
/// comes with the spec; they are all ASCII.
fn directive(bytes: &[u8]) -> Option<(Spec, usize)> {
    let mut at = 0;
    let (mut left, mut zero, mut plus, mut space, mut alternate) =
        (false, false, false, false, false);
    loop {
        match bytes.get(at)? {
            b'-' => left = true,
            b'0' => zero = true,
            b'+' => plus = true,
            b' ' => space = true,
            b'#' => alternate = true,
            _ => break,
        }
        at += 1;
    }
    let width = count(bytes, &mut at).ok()?.unwrap_or(0);
    let mut precision = None;
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        // A point alone means zero.
        precision = Some(count(bytes, &mut at).ok()?.unwrap_or(0));
    }
    if matches!(bytes.get(at), Some(b'h' | b'l' | b'L')) {
        at += 1;
    }
    let conversion = match bytes.get(at)? {
        b's' => Conversion::Str,
        b'r' => Conversion::Repr,
        b'a' => Conversion::Ascii,
        b'd' | b'i' | b'u' => Conversion::Decimal,
        b'o' => Conversion::Octal,
        b'x' => Conversion::HexLower,
        b'X' => Conversion::HexUpper,
        code @ (b'e' | b'E' | b'f' | b'F' | b'g' | b'G') => Conversion::Float(*code),
        _ => return None,
    };
    let mut spec = Spec {
        width,
        precision,
        ..Spec::new(Style::Percent, conversion)
    };
    let number = spec.text_function().is_none();
    spec.zero = number && zero && !left;
    spec.align = Some(match (left, spec.zero) {
        (true, _) => Align::Left,
        (false, true) => Align::AfterSign,
        (false, false) => Align::Right,
    });
    if number {
        spec.alternate = alternate && conversion != Conversion::Decimal;
        spec.sign = match (plus, space) {
            (true, _) => Sign::Plus,
            (false, true) => Sign::Space,
            (false, false) => Sign::Unstated,
        };
    }
    Some((spec, at + 1))
}

/// A width or precision above [`LARGEST_COUNT`].
pub(super) struct TooLarge;

/// The decimal number at `at`, if there is one.
pub(super) fn count(bytes: &[u8], at: &mut usize) -> Result<Option<u16>, TooLarge> {
    let mut value = None;
    while let Some(digit) = bytes.get(*at).filter(|byte| byte.is_ascii_digit()) {
        // At most 99 999, because what came before passed the check.
        let next = u32::from(value.unwrap_or(0)) * 10 + u32::from(digit - b'0');
        if next > u32::from(LARGEST_COUNT) {
            return Err(TooLarge);
        }
        value = Some(next as u16);
        *at += 1;
    }
    Ok(value)
}

/// The spec of a single directive such as `%-8s`.
#[cfg(test)]
pub(super) fn spec(format: &str) -> Option<Spec> {
    directive(&format.as_bytes()[1..]).map(|(spec, _)| spec)
}

#[cfg(test)]
mod tests {
    use super::super::{Attribute, Field, Piece};
    use super::*;

    #[test]
    fn compiles_the_usual_format() {
        let plan = compile("%(asctime)s %(levelname)-8s 100%% %(message)s\n").unwrap();
        assert!(plan.uses_time && plan.uses_message);
        let shapes: Vec<String> = plan
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text.to_string(),
                Piece::Field { field, .. } => format!("<{}>", field.name()),
                Piece::Place(_) => "@".into(),
            })
            .collect();
        assert_eq!(
            shapes,
            ["<asctime>", " ", "<levelname>", " 100% ", "<message>", "\n"]
        );
    }

    #[test]
    fn keys_nest_parentheses_and_may_be_anything() {
        let plan = compile("%(a(b)c)s%()s").unwrap();
        let names: Vec<&str> = plan
            .pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Field { field, .. } => Some(field.name()),
                Piece::Literal(_) | Piece::Place(_) => None,
            })
            .collect();
        assert_eq!(names, ["a(b)c", ""]);
        assert_eq!(
            Field::from_name("message"),
            Field::Known(Attribute::Message)
        );
    }

    #[test]
    fn refuses_what_is_not_proven() {
        for format in [
            "%s",
            "%(a",
            "%(a)",
            "%(a)*d",
            "%(a).*d",
            "%(a)c",
            "%(a)%",
            "%",
            "%(a)y",
            "%(a)99999d",
            "%5%",
        ] {
            assert_eq!(compile(format), None, "{format}");
        }
        assert_eq!(compile("").unwrap().pieces, []);
    }

    #[test]
    fn scanner_yields_text_and_arguments() {
        let items: Vec<Item> = Scanner::new("%s did %5d in %.3f s, 100%%").collect();
        assert_eq!(items.len(), 7);
        assert_eq!(items[0], Item::Arg(Spec::STR));
        assert_eq!(items[1], Item::Literal(" did "));
        assert!(matches!(items[4], Item::Arg(spec) if spec.wants_float()));
        assert_eq!(items[6], Item::Literal("%"));
        let bad: Vec<Item> = Scanner::new("é%(a)s rest").collect();
        assert_eq!(bad, [Item::Literal("é"), Item::Unproven]);
        assert_eq!(Scanner::new("50%").last(), Some(Item::Unproven));
    }

    #[test]
    fn counts_positional_arguments() {
        assert_eq!(compile_positional("%s=%r").unwrap().arguments, 2);
        assert_eq!(compile_positional("%*d"), None);
    }
}
