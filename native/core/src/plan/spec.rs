//! How one value is to be written: the conversion of a `%` directive or the format specification of a `{}` field,
//! brought to one form. Parsing belongs to the styles, writing to `render`.

/// Whose rules a [`Spec`] follows for values of another kind than it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `format % values`: `%s` is `str(value)`, `%d` truncates a float. `string.Template` is this with `%s`.
    Percent,
    /// `format(value, spec)`.
    Format,
}

/// What is made of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conversion {
    /// `{}` without a type: by the kind of value.
    Natural,
    Str,
    Repr,
    Ascii,
    Decimal,
    Octal,
    HexLower,
    HexUpper,
    Binary,
    /// One of `e E f F g G`.
    Float(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
    Center,
    /// Padding stands between sign (and prefix) and digits.
    AfterSign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Only negative numbers show one; the default, and `-` in a format specification.
    Unstated,
    Minus,
    Plus,
    Space,
}

/// Width and precision above this are left to the interpreter, which has limits and errors of its own.
pub(super) const LARGEST_COUNT: u16 = 9999;

/// A compiled conversion; small and `Copy`, so that a scanner can yield it without allocating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    pub(super) fill: char,
    pub(super) width: u16,
    pub(super) precision: Option<u16>,
    pub(super) conversion: Conversion,
    pub(super) style: Style,
    pub(super) align: Option<Align>,
    pub(super) sign: Sign,
    pub(super) alternate: bool,
    /// `0` in a format specification without an explicit fill.
    pub(super) zero: bool,
    /// `,` or `_` between groups of digits.
    pub(super) grouping: Option<u8>,
}

/// How the interpreter's `PyOS_double_to_string` is to be asked for the digits of a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloatDigits {
    /// The format code: `e E f F g G r`.
    pub code: u8,
    /// The precision argument.
    pub precision: u16,
    /// Whether to set `Py_DTSF_ALT`.
    pub alternate: bool,
    /// Whether to set `Py_DTSF_ADD_DOT_0`.
    pub add_dot_0: bool,
}

/// The commonest ways to write a value, told apart once, when a format is compiled: asking a [`Spec`] for each value takes as
/// long as copying a short text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usual {
    /// [`Spec::is_plain`]
    Text,
    /// [`Spec::is_plain_int`] and not [`Spec::is_plain`]
    Int,
    /// Neither.
    No,
}

impl Spec {
    /// `%s`, and what a `$name` means: `str(value)`.
    pub const STR: Self = Self::new(Style::Percent, Conversion::Str);
    /// `%d` without flags.
    pub const DECIMAL: Self = Self::new(Style::Percent, Conversion::Decimal);
    /// `{}` with nothing behind the name: `format(value, "")`.
    pub const EMPTY_FORMAT: Self = Self::new(Style::Format, Conversion::Natural);

    pub(super) const fn new(style: Style, conversion: Conversion) -> Self {
        Self {
            fill: ' ',
            width: 0,
            precision: None,
            conversion,
            style,
            align: None,
            sign: Sign::Unstated,
            alternate: false,
            zero: false,
            grouping: None,
        }
    }

    /// Whose rules apply: for a value that is none of exact `str`, `int`, `float`, [`Style::Percent`] wants
    /// [`Spec::text_function`] called on it, [`Style::Format`] its `__format__`.
    #[must_use]
    pub const fn style(&self) -> Style {
        self.style
    }

    /// True when an exact `str`, `int` or `float` is written as `str(value)` and nothing else.
    #[inline]
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        matches!(self.conversion, Conversion::Str | Conversion::Natural)
            && self.undecorated()
            // format("a", "-") and format("a", "=") are errors, format(1, "-") is not.
            && matches!(self.sign, Sign::Unstated)
            && !matches!(self.align, Some(Align::AfterSign))
            // format(3, "s") is an error, format("a", "s") is not: only %s and {} take every kind.
            && (matches!(self.style, Style::Percent) || matches!(self.conversion, Conversion::Natural))
    }

    /// True when an exact `int` is written as `str(value)` and nothing else: the plain specs, `%d`, `%r`, `{:d}`.
    #[inline]
    #[must_use]
    pub const fn is_plain_int(&self) -> bool {
        self.is_plain()
            || (self.undecorated()
                && match self.conversion {
                    Conversion::Decimal | Conversion::Natural => true,
                    Conversion::Repr | Conversion::Ascii => matches!(self.style, Style::Percent),
                    _ => false,
                })
    }

    /// Which of the commonest ways this spec is.
    #[must_use]
    pub const fn usual(&self) -> Usual {
        if self.is_plain() {
            Usual::Text
        } else if self.is_plain_int() {
            Usual::Int
        } else {
            Usual::No
        }
    }

    /// True when whatever this spec adds to a text (its fill) is ASCII.
    #[inline]
    #[must_use]
    pub const fn is_ascii(&self) -> bool {
        self.fill.is_ascii()
    }

    const fn undecorated(&self) -> bool {
        self.width == 0
            && self.precision.is_none()
            && matches!(self.sign, Sign::Unstated | Sign::Minus)
            && self.grouping.is_none()
            && !self.alternate
    }

    /// `s`, `r` or `a`: the function (`str`, `repr`, `ascii`) whose result for any value whatever goes to
    /// [`push_text`](super::push_text). `None` for numbers and for every [`Style::Format`] spec.
    #[must_use]
    pub const fn text_function(&self) -> Option<u8> {
        match (self.style, self.conversion) {
            (Style::Percent, Conversion::Str) => Some(b's'),
            (Style::Percent, Conversion::Repr) => Some(b'r'),
            (Style::Percent, Conversion::Ascii) => Some(b'a'),
            _ => None,
        }
    }

    /// True when a number is first turned into a float, so that an exact `int` goes the way of a `float`
    /// (`%f`, `{:.2f}`): digits by [`Spec::float_digits`], then [`push_float_text`](super::push_float_text).
    #[must_use]
    pub const fn wants_float(&self) -> bool {
        matches!(self.conversion, Conversion::Float(_))
    }

    /// True when a float is truncated to an integer first (`%d`, `%i`, `%u`): see
    /// [`push_float_as_int`](super::push_float_as_int).
    #[must_use]
    pub const fn truncates_float(&self) -> bool {
        matches!(
            (self.style, self.conversion),
            (Style::Percent, Conversion::Decimal)
        )
    }

    /// How to make the digits of a float for this spec; `None` when a float does not fit it or is truncated.
    #[must_use]
    pub fn float_digits(&self) -> Option<FloatDigits> {
        let repr = FloatDigits {
            code: b'r',
            precision: 0,
            alternate: false,
            add_dot_0: true,
        };
        match (self.style, self.conversion) {
            (_, Conversion::Float(code)) => Some(FloatDigits {
                code,
                precision: self.precision.unwrap_or(6),
                alternate: self.alternate,
                add_dot_0: false,
            }),
            (Style::Percent, Conversion::Str | Conversion::Repr | Conversion::Ascii) => Some(repr),
            (Style::Format, Conversion::Natural) => Some(match self.precision {
                None => FloatDigits {
                    alternate: self.alternate,
                    ..repr
                },
                Some(precision) => FloatDigits {
                    code: b'g',
                    precision,
                    alternate: self.alternate,
                    add_dot_0: true,
                },
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_means_str_of_the_value() {
        assert!(Spec::STR.is_plain() && Spec::EMPTY_FORMAT.is_plain());
        assert!(!Spec::DECIMAL.is_plain() && Spec::DECIMAL.is_plain_int());
        assert_eq!(Spec::STR.usual(), Usual::Text);
        assert_eq!(Spec::DECIMAL.usual(), Usual::Int);
        assert_eq!(
            Spec::new(Style::Percent, Conversion::HexLower).usual(),
            Usual::No
        );
        assert!(
            !Spec {
                width: 3,
                ..Spec::STR
            }
            .is_plain()
        );
        assert!(
            !Spec {
                precision: Some(3),
                ..Spec::STR
            }
            .is_plain()
        );
        assert!(!Spec::new(Style::Format, Conversion::Str).is_plain());
    }

    #[test]
    fn a_spec_stays_small() {
        assert!(size_of::<Spec>() <= 20, "{}", size_of::<Spec>());
    }

    #[test]
    fn float_digits_follow_the_interpreter() {
        let digits = Spec {
            precision: Some(3),
            ..Spec::new(Style::Percent, Conversion::Float(b'f'))
        }
        .float_digits();
        assert_eq!(
            digits,
            Some(FloatDigits {
                code: b'f',
                precision: 3,
                alternate: false,
                add_dot_0: false
            })
        );
        assert_eq!(Spec::STR.float_digits().unwrap().code, b'r');
        assert_eq!(Spec::DECIMAL.float_digits(), None);
        let natural = Spec {
            precision: Some(3),
            ..Spec::EMPTY_FORMAT
        };
        assert_eq!(natural.float_digits().unwrap().code, b'g');
    }
}
