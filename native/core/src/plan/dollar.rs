//! The `$` style: `string.Template(format).substitute(**mapping)` with the class's own pattern. Every value is written
//! by `str()`. A `$` that starts no name is an error of the interpreter's, so the whole string is left to it.
use super::{Builder, Plan, Spec};

/// What `StringTemplateStyle.usesTime()` answers.
#[must_use]
pub fn uses_time(format: &str) -> bool {
    format.contains("$asctime") || format.contains("${asctime}")
}

/// Compiles a template.
#[must_use]
pub fn compile(format: &str) -> Option<Plan> {
    let mut builder = Builder::default();
    let mut rest = format;
    while let Some(dollar) = memchr::memchr(b'$', rest.as_bytes()) {
        builder.literal(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            builder.literal("$");
            rest = after;
        } else if let Some(braced) = rest.strip_prefix('{') {
            let length = identifier(braced)?;
            let after = braced[length..].strip_prefix('}')?;
            builder.field(&braced[..length], Spec::STR);
            rest = after;
        } else {
            let length = identifier(rest)?;
            builder.field(&rest[..length], Spec::STR);
            rest = &rest[length..];
        }
    }
    builder.literal(rest);
    Some(builder.finish(uses_time(format)))
}

/// Length of the identifier at the start: `[_a-z][_a-z0-9]*`, ASCII in both cases (`string.Template.idpattern`).
pub(crate) fn identifier(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if !bytes
        .first()
        .is_some_and(|byte| *byte == b'_' || byte.is_ascii_alphabetic())
    {
        return None;
    }
    let end = bytes
        .iter()
        .position(|byte| *byte != b'_' && !byte.is_ascii_alphanumeric());
    Some(end.unwrap_or(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::super::Piece;
    use super::*;

    fn shape(format: &str) -> Option<String> {
        let plan = compile(format)?;
        let parts = plan.pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => text.to_string(),
            Piece::Field { field, .. } => format!("<{}>", field.name()),
            Piece::Place(_) => "@".into(),
        });
        Some(parts.collect())
    }

    #[test]
    fn compiles_names_braces_and_doubled_dollars() {
        assert_eq!(
            shape("$name: ${message}s $$5").as_deref(),
            Some("<name>: <message>s $5")
        );
        assert_eq!(shape("$_A1é$b").as_deref(), Some("<_A1>é<b>"));
        assert!(compile("$asctimes").unwrap().uses_time);
    }

    #[test]
    fn refuses_invalid_placeholders() {
        for format in [
            "$", "$ a", "$1", "${}", "${a", "${a.b}", "${a }", "$é", "${ſ}",
        ] {
            assert_eq!(compile(format), None, "{format}");
        }
    }
}
