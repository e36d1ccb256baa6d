//! The decisions of `Formatter`'s `validate=True`: what the three styles' `validate()` methods accept and which of their
//! errors they raise (`Lib/logging/__init__.py`; the patterns are the same in 3.11 to 3.15). Python's `\w` and `\d`
//! know more characters than ASCII, and not those Rust does: where one could decide, the answer is
//! [`Verdict::Unproven`] and the interpreter's own `validate()` must be called.
use crate::plan::dollar::identifier;
use crate::plan::fields::{Part, Parts};

/// The answer to a format string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'a> {
    Valid,
    Invalid(Invalid<'a>),
    /// Ask the interpreter.
    Unproven,
}

/// What is wrong. Every one is a `ValueError`; the braced text is its message, `!r` is Python's `repr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalid<'a> {
    /// `%` style: `Invalid format '{format}' for '{mark}' style`, where `mark` is the first character of the style
    /// class's `default_format`.
    NoDirective,
    /// `invalid format: {0}`, a message of the interpreter's own parser of `{}` fields.
    Parser(&'static str),
    /// `invalid format: invalid field name/expression: {0!r}`
    FieldName(&'a str),
    /// `invalid format: invalid conversion: {0!r}`
    Conversion(char),
    /// `invalid format: bad specifier: {0!r}`
    Specifier(&'a str),
    /// `invalid format: bare '$' not allowed`
    BareDollar,
    /// `invalid format: no fields`
    NoFields,
}

/// `PercentStyle.validate`: one proper directive anywhere is enough.
#[must_use]
pub fn percent(format: &str) -> Verdict<'_> {
    if memchr::memchr_iter(b'%', format.as_bytes())
        .any(|mark| is_directive(&format.as_bytes()[mark + 1..]))
    {
        return Verdict::Valid;
    }
    refuse(format, Invalid::NoDirective)
}

/// `StrFormatStyle.validate`: every field must be well-formed, and one must have a name.
#[must_use]
pub fn brace(format: &str) -> Verdict<'_> {
    let mut named = false;
    for part in Parts::new(format) {
        let field = match part {
            Ok(Part {
                field: Some(field), ..
            }) => field,
            Ok(_) => continue,
            Err(message) => return Verdict::Invalid(Invalid::Parser(message)),
        };
        if !field.name.is_empty() {
            if !is_field_name(field.name.as_bytes()) {
                return refuse(field.name, Invalid::FieldName(field.name));
            }
            named = true;
        }
        if let Some(conversion) = field
            .conversion
            .filter(|mark| !['r', 's', 'a'].contains(mark))
        {
            return Verdict::Invalid(Invalid::Conversion(conversion));
        }
        if !field.spec.is_empty() && !is_specifier(field.spec) {
            return refuse(field.spec, Invalid::Specifier(field.spec));
        }
    }
    if named {
        Verdict::Valid
    } else {
        Verdict::Invalid(Invalid::NoFields)
    }
}

/// `StringTemplateStyle.validate`: every `$` must start a name or another `$`, and one must start a name.
#[must_use]
pub fn dollar(format: &str) -> Verdict<'_> {
    let mut named = false;
    let mut rest = format;
    while let Some(mark) = memchr::memchr(b'$', rest.as_bytes()) {
        rest = &rest[mark + 1..];
        if let Some(behind) = rest.strip_prefix('$') {
            rest = behind;
            continue;
        }
        let braced = rest.strip_prefix('{').and_then(|inner| {
            let behind = &inner[identifier(inner)?..];
            behind.strip_prefix('}')
        });
        let Some(behind) = braced.or_else(|| identifier(rest).map(|length| &rest[length..])) else {
            return Verdict::Invalid(Invalid::BareDollar);
        };
        named = true;
        rest = behind;
    }
    if named {
        Verdict::Valid
    } else {
        Verdict::Invalid(Invalid::NoFields)
    }
}

/// A pattern found no ASCII match in `text`; only without other characters is that the last word.
fn refuse<'a>(text: &str, error: Invalid<'a>) -> Verdict<'a> {
    if text.is_ascii() {
        Verdict::Invalid(error)
    } else {
        Verdict::Unproven
    }
}

/// What stands behind the `%`: a key of word characters, flags, width, precision, conversion in either case. No two
/// neighbours share a character but the zero, flag or width, so that nothing need be tried twice.
fn is_directive(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes
        .strip_prefix(b"(")
        .and_then(skip_word)
        .and_then(|rest| rest.strip_prefix(b")"))
    else {
        return false;
    };
    rest = skip_star_or_digits(skip(rest, |byte| b"#0+ -".contains(&byte)));
    if let Some(precision) = rest.strip_prefix(b".") {
        rest = skip_star_or_digits(precision);
        if rest.len() == precision.len() {
            return false;
        }
    }
    rest.first()
        .is_some_and(|byte| b"diouxefgcrsa%".contains(&byte.to_ascii_lowercase()))
}

/// A name or number, then attributes and indexes.
fn is_field_name(bytes: &[u8]) -> bool {
    let mut rest = skip_word(bytes);
    while let Some(bytes) = rest {
        rest = match bytes {
            [b'.', attribute @ ..] => skip_word(attribute),
            // Whatever is no closing bracket, but something.
            [b'[', index @ ..] => memchr::memchr(b']', index)
                .filter(|end| *end > 0)
                .map(|end| &index[end + 1..]),
            _ => return is_end(bytes),
        };
    }
    false
}

/// A format specification: fill and alignment, either alone or none, as the pattern's backtracking would try them,
/// then the rest.
fn is_specifier(spec: &str) -> bool {
    let is_align = |mark: Option<char>| mark.is_some_and(|mark| "<>=^".contains(mark));
    let mut chars = spec.chars();
    let (first, second) = (chars.next(), chars.next());
    let filled = first
        .filter(|fill| *fill != '\n' && is_align(second))
        .map(|fill| fill.len_utf8() + 1);
    let aligned = is_align(first).then_some(1);
    [filled, aligned, Some(0)]
        .into_iter()
        .flatten()
        .any(|start| is_behind_align(&spec.as_bytes()[start..]))
}

fn is_behind_align(bytes: &[u8]) -> bool {
    let mut rest = skip_one_of(bytes, b"+ -");
    rest = skip_one_of(rest, b"#");
    // In front of digits the zero belongs to the width, in front of a nested field it stands alone.
    rest = skip_one_of(rest, b"0");
    rest = skip_number_or_nested(rest).unwrap_or(rest);
    rest = skip_one_of(rest, b",_");
    if let Some(precision) = rest.strip_prefix(b".") {
        let Some(behind) = skip_number_or_nested(precision) else {
            return false;
        };
        rest = behind;
    }
    is_end(skip_one_of(rest, b"bcdefgnosxBCDEFGNOSX%"))
}

/// Where Python's `$` matches: also in front of one last newline.
const fn is_end(bytes: &[u8]) -> bool {
    matches!(bytes, [] | [b'\n'])
}

fn skip(bytes: &[u8], accept: impl Fn(u8) -> bool) -> &[u8] {
    let end = bytes
        .iter()
        .position(|byte| !accept(*byte))
        .unwrap_or(bytes.len());
    &bytes[end..]
}

fn skip_star_or_digits(bytes: &[u8]) -> &[u8] {
    bytes
        .strip_prefix(b"*")
        .unwrap_or_else(|| skip(bytes, |byte| byte.is_ascii_digit()))
}

fn skip_one_of<'a>(bytes: &'a [u8], set: &[u8]) -> &'a [u8] {
    match bytes {
        [first, behind @ ..] if set.contains(first) => behind,
        _ => bytes,
    }
}

/// Behind at least one word character.
fn skip_word(bytes: &[u8]) -> Option<&[u8]> {
    let behind = skip(bytes, |byte| byte == b'_' || byte.is_ascii_alphanumeric());
    (behind.len() < bytes.len()).then_some(behind)
}

/// Behind digits or a nested `{word}`.
fn skip_number_or_nested(bytes: &[u8]) -> Option<&[u8]> {
    if let Some(nested) = bytes.strip_prefix(b"{") {
        return skip_word(nested)?.strip_prefix(b"}");
    }
    let behind = skip(bytes, |byte| byte.is_ascii_digit());
    (behind.len() < bytes.len()).then_some(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(verdict: Verdict<'_>) -> Invalid<'_> {
        match verdict {
            Verdict::Invalid(error) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn percent_wants_one_directive() {
        for format in [
            "%(a)s",
            "x %% %(name)-08.3F",
            "%(a)*.*d",
            "%%(a)%",
            "%(a)s %(b",
            "é %(a)s",
            "%(_1)0+ #-5x",
        ] {
            assert_eq!(percent(format), Verdict::Valid, "{format}");
        }
        for format in [
            "", "message", "%s", "%(a)", "%(a)y", "%()s", "%(a b)s", "%(a).d", "%(a)ld",
        ] {
            assert_eq!(
                percent(format),
                Verdict::Invalid(Invalid::NoDirective),
                "{format}"
            );
        }
        assert_eq!(percent("%(größe)s"), Verdict::Unproven);
    }

    #[test]
    fn brace_checks_every_field() {
        for format in [
            "{a}",
            "{0.x[k-1]!r:>10}",
            "{} {a:<<5}",
            "{a:{width}.{precision}f}",
            "{a:é>10}",
            "{a:,.2F}",
        ] {
            assert_eq!(brace(format), Verdict::Valid, "{format}");
        }
        assert_eq!(error(brace("{a b}")), Invalid::FieldName("a b"));
        assert_eq!(error(brace("{a!z}")), Invalid::Conversion('z'));
        assert_eq!(error(brace("{a:10.}")), Invalid::Specifier("10."));
        assert_eq!(error(brace("{}")), Invalid::NoFields);
        assert_eq!(
            error(brace("{a}}")),
            Invalid::Parser("Single '}' encountered in format string")
        );
        assert_eq!(brace("{größe}"), Verdict::Unproven);
        assert_eq!(brace("{a:10ſ}"), Verdict::Unproven);
    }

    #[test]
    fn dollar_wants_names_behind_every_mark() {
        for format in ["$a", "${a} $$ $b", "$$ $_1é"] {
            assert_eq!(dollar(format), Verdict::Valid, "{format}");
        }
        for format in ["$", "$ a $b", "${a b} $c", "$1", "$a ${"] {
            assert_eq!(error(dollar(format)), Invalid::BareDollar, "{format}");
        }
        assert_eq!(error(dollar("$$")), Invalid::NoFields);
        assert_eq!(error(dollar("message")), Invalid::NoFields);
    }
}
