//! The `{` style: `format.format(**mapping)`. Rules for the specifications:
//! `Python/formatter_unicode.c`. Not taken: attribute and index access, conversions (`!r`),
//! nested or positional fields, and the types `c`, `n` and `%`.
use super::fields::Parts;
use super::percent::count;
use super::spec::{Align, Conversion, Sign, Spec, Style};
use super::{Builder, Plan};

/// What `StrFormatStyle.usesTime()` answers.
#[must_use]
pub fn uses_time(format: &str) -> bool {
    format.contains("{asctime")
}

/// Compiles a format string for keyword arguments.
#[must_use]
pub fn compile(format: &str) -> Option<Plan> {
    let mut builder = Builder::default();
    for part in Parts::new(format) {
        let part = part.ok()?;
        builder.literal(part.literal);
        if let Some(field) = part.field {
            if field.conversion.is_some() || !is_plain_name(field.name) {
                return None;
            }
            builder.field(field.name, spec(field.spec)?);
        }
    }
    Some(builder.finish(uses_time(format)))
}

/// Names that are a key and nothing else. Digits alone are a position; other scripts have digits too.
fn is_plain_name(name: &str) -> bool {
    name.is_ascii()
        && !name.contains(['.', '[', ']'])
        && !name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Parses `[[fill]align][sign][#][0][width][grouping][.precision][type]`.
pub(super) fn spec(text: &str) -> Option<Spec> {
    let mut spec = Spec::EMPTY_FORMAT;
    let mut rest = text;
    let mut fill_given = false;
    let mut chars = text.chars();
    if let (Some(first), Some(second)) = (chars.next(), chars.clone().next().and_then(alignment)) {
        spec.fill = first;
        spec.align = Some(second);
        fill_given = true;
        rest = &text[first.len_utf8() + 1..];
    } else if let Some(align) = text.chars().next().and_then(alignment) {
        spec.align = Some(align);
        rest = &text[1..];
    }
    let bytes = rest.as_bytes();
    let mut at = 0;
    if let Some(sign) = bytes.first() {
        spec.sign = match sign {
            b'+' => Sign::Plus,
            b' ' => Sign::Space,
            b'-' => Sign::Minus,
            _ => Sign::Unstated,
        };
        at += usize::from(spec.sign != Sign::Unstated);
    }
    if bytes.get(at) == Some(&b'#') {
        spec.alternate = true;
        at += 1;
    }
    // Behind an explicit fill the zero is the first digit of the width.
    if !fill_given && bytes.get(at) == Some(&b'0') {
        spec.zero = true;
        at += 1;
    }
    spec.width = count(bytes, &mut at).ok()?.unwrap_or(0);
    if let Some(separator @ (b',' | b'_')) = bytes.get(at) {
        spec.grouping = Some(*separator);
        at += 1;
    }
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        spec.precision = Some(count(bytes, &mut at).ok()??);
    }
    spec.conversion = match bytes[at..] {
        [] => Conversion::Natural,
        [b's'] => Conversion::Str,
        [b'd'] => Conversion::Decimal,
        [b'o'] => Conversion::Octal,
        [b'x'] => Conversion::HexLower,
        [b'X'] => Conversion::HexUpper,
        [b'b'] => Conversion::Binary,
        [code @ (b'e' | b'E' | b'f' | b'F' | b'g' | b'G')] => Conversion::Float(code),
        _ => return None,
    };
    debug_assert_eq!(spec.style(), Style::Format);
    Some(spec)
}

const fn alignment(mark: char) -> Option<Align> {
    Some(match mark {
        '<' => Align::Left,
        '>' => Align::Right,
        '^' => Align::Center,
        '=' => Align::AfterSign,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Piece;
    use super::*;

    #[test]
    fn compiles_fields_and_doubled_braces() {
        let plan = compile("{{{levelname:>8}}} {message}").unwrap();
        assert_eq!(plan.pieces.len(), 4);
        assert_eq!(plan.pieces[0], Piece::Literal("{".into()));
        assert_eq!(plan.pieces[2], Piece::Literal("} ".into()));
        assert!(plan.uses_message && !plan.uses_time);
        assert!(compile("{asctime:>30}").unwrap().uses_time);
    }

    #[test]
    fn refuses_what_is_not_proven() {
        for format in [
            "{", "}", "{}", "{0}", "{a.b}", "{a[0]}", "{a!r}", "{a:{b}}", "{a:n}", "{a:%}",
            "{a:.f}", "{a:c}", "{é}", "{a:zz}", "{a:,_d}", "{:s}", "{a", "a}b",
        ] {
            assert_eq!(compile(format), None, "{format}");
        }
    }

    #[test]
    fn a_fill_may_be_any_character() {
        let parsed = spec("é>10.3f").unwrap();
        assert_eq!(
            (parsed.fill, parsed.width, parsed.precision),
            ('é', 10, Some(3))
        );
        assert_eq!(spec("<<5").unwrap().fill, '<');
        assert!(spec("<05").unwrap().zero && !spec("*<05").unwrap().zero);
    }
}
