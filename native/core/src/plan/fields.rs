//! Takes a `{}` format string apart as `string.Formatter().parse` does (`MarkupIterator_next` and `parse_field` in
//! `Objects/stringlib/unicode_format.h`), with the interpreter's own error messages. Nothing is judged here: a name may
//! be empty, a conversion unknown, a specification senseless.

/// One replacement field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldText<'a> {
    /// What stands before `!` and `:`, attributes and indexes included.
    pub name: &'a str,
    /// The character behind `!`.
    pub conversion: Option<char>,
    /// What stands behind `:`, nested fields included.
    pub spec: &'a str,
}

/// Literal text (an escaped brace as one) and the field behind it, if one follows directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Text to copy, possibly empty.
    pub literal: &'a str,
    /// `None` at the end of the string and behind an escaped brace.
    pub field: Option<FieldText<'a>>,
}

/// The parts of a format string in order; ends with the first error.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    rest: &'a str,
}

impl<'a> Parts<'a> {
    /// Starts at the beginning.
    #[must_use]
    pub const fn new(format: &'a str) -> Self {
        Self { rest: format }
    }
}

/// The field `text` starts with, behind its `{`, and what follows its `}`.
fn field(text: &str) -> Result<(FieldText<'_>, &str), &'static str> {
    let end = name_end(text)?;
    let mut field = FieldText {
        name: &text[..end],
        conversion: None,
        spec: "",
    };
    let mut spec = &text[end + 1..];
    match text.as_bytes()[end] {
        b'}' => return Ok((field, spec)),
        b'!' => {
            let mut chars = spec.chars();
            let mark = chars
                .next()
                .ok_or("end of string while looking for conversion specifier")?;
            // A NUL stands for "no conversion" in the interpreter's parser.
            field.conversion = Some(mark).filter(|mark| *mark != '\0');
            match chars.next() {
                Some('}') => return Ok((field, chars.as_str())),
                None | Some(':') => spec = chars.as_str(),
                Some(_) => return Err("expected ':' after conversion specifier"),
            }
        }
        _ => {}
    }
    let end = spec_end(spec).ok_or("unmatched '{' in format spec")?;
    field.spec = &spec[..end];
    Ok((field, &spec[end + 1..]))
}

/// Index of the `}`, `:` or `!` that ends a field name; inside brackets they do not.
fn name_end(text: &str) -> Result<usize, &'static str> {
    let mut in_brackets = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b']' if in_brackets => in_brackets = false,
            _ if in_brackets => {}
            b'[' => in_brackets = true,
            b'{' => return Err("unexpected '{' in field name"),
            b'}' | b':' | b'!' => return Ok(index),
            _ => {}
        }
    }
    Err("expected '}' before end of string")
}

/// Index of the `}` that ends a specification; nested braces pair up.
fn spec_end(text: &str) -> Option<usize> {
    let mut depth = 1_u32;
    text.bytes().position(|byte| {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<Part<'a>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let text = std::mem::take(&mut self.rest);
        let Some(brace) = memchr::memchr2(b'{', b'}', text.as_bytes()) else {
            return Some(Ok(Part {
                literal: text,
                field: None,
            }));
        };
        let mark = text.as_bytes()[brace];
        let behind = &text[brace + 1..];
        if behind.as_bytes().first() == Some(&mark) {
            self.rest = &behind[1..];
            return Some(Ok(Part {
                literal: &text[..=brace],
                field: None,
            }));
        }
        if mark == b'}' {
            return Some(Err("Single '}' encountered in format string"));
        }
        if behind.is_empty() {
            return Some(Err("Single '{' encountered in format string"));
        }
        let (field, rest) = match field(behind) {
            Ok(parsed) => parsed,
            Err(message) => return Some(Err(message)),
        };
        self.rest = rest;
        Some(Ok(Part {
            literal: &text[..brace],
            field: Some(field),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(format: &str) -> Result<FieldText<'_>, &'static str> {
        let fields: Result<Vec<_>, _> = Parts::new(format).collect();
        let mut fields = fields?.into_iter().filter_map(|part| part.field);
        let first = fields.next().expect("a field");
        assert_eq!(fields.next(), None, "{format}");
        Ok(first)
    }

    #[test]
    fn fields_are_taken_apart() {
        let field = only("a {{b}} {c.d[}:!]!r:>{width}} e").unwrap();
        assert_eq!(
            (field.name, field.conversion, field.spec),
            ("c.d[}:!]", Some('r'), ">{width}")
        );
        assert_eq!(
            only("{}").unwrap(),
            FieldText {
                name: "",
                conversion: None,
                spec: ""
            }
        );
        assert_eq!(only("{a!}}").unwrap().conversion, Some('}'));
    }

    #[test]
    fn literals_keep_one_of_two_braces() {
        let literals: Vec<&str> = Parts::new("a{{b}}{c}d")
            .map(|part| part.unwrap().literal)
            .collect();
        assert_eq!(literals, ["a{", "b}", "", "d"]);
        assert_eq!(Parts::new("").next(), None);
    }

    #[test]
    fn errors_are_the_interpreters() {
        for (format, message) in [
            ("{", "Single '{' encountered in format string"),
            ("a}", "Single '}' encountered in format string"),
            ("{a", "expected '}' before end of string"),
            ("{a[", "expected '}' before end of string"),
            ("{a{b}}", "unexpected '{' in field name"),
            (
                "{a!",
                "end of string while looking for conversion specifier",
            ),
            ("{a!rx}", "expected ':' after conversion specifier"),
            ("{a:{b}", "unmatched '{' in format spec"),
        ] {
            assert_eq!(only(format), Err(message), "{format}");
        }
    }
}
