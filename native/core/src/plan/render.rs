//! Writes one value by its [`Spec`], as `Objects/unicodeobject.c` (`unicode_format_arg_output`) does for `%` and
//! `Python/formatter_unicode.c` for `format()`. Every function answers whether the text is proven; at `false` nothing
//! has been written and the interpreter must do it (often to raise the right error).
use super::spec::{Align, Conversion, Sign, Spec, Style};

/// Writes an exact `str`.
#[inline]
pub fn push_str(buf: &mut Vec<u8>, text: &str, spec: &Spec) -> bool {
    if spec.is_plain() {
        buf.extend_from_slice(text.as_bytes());
        return true;
    }
    match (spec.style, spec.conversion) {
        (Style::Percent, Conversion::Str) => push_padded_text(buf, text, spec),
        (Style::Format, Conversion::Str | Conversion::Natural) => {
            let number_only = spec.sign != Sign::Unstated
                || spec.alternate
                || spec.grouping.is_some()
                || spec.align == Some(Align::AfterSign);
            if number_only {
                return false;
            }
            push_padded_text(buf, text, spec);
        }
        _ => return false,
    }
    true
}

/// Writes what [`Spec::text_function`] gave for a value of any kind: precision cuts, width pads.
#[inline]
pub fn push_text(buf: &mut Vec<u8>, rendered: &str, spec: &Spec) {
    if spec.width == 0 && spec.precision.is_none() {
        buf.extend_from_slice(rendered.as_bytes());
    } else {
        push_padded_text(buf, rendered, spec);
    }
}

/// Writes an exact `int` that fits 64 bits.
#[inline]
pub fn push_int(buf: &mut Vec<u8>, value: i64, spec: &Spec) -> bool {
    if spec.is_plain_int() {
        push_decimal(buf, value);
        return true;
    }
    push_decorated_int(buf, value, spec)
}

/// Writes `str(value)`.
#[inline]
pub fn push_decimal(buf: &mut Vec<u8>, value: i64) {
    buf.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn push_decorated_int(buf: &mut Vec<u8>, value: i64, spec: &Spec) -> bool {
    if spec.text_function().is_some() {
        push_padded_text(buf, itoa::Buffer::new().format(value), spec);
        return true;
    }
    if spec.style == Style::Format && spec.precision.is_some() {
        return false;
    }
    let magnitude = value.unsigned_abs();
    let mut digits = Digits::default();
    let (prefix, group) = match spec.conversion {
        Conversion::Natural | Conversion::Decimal => {
            digits.radix(magnitude, 10, false);
            ("", 3)
        }
        Conversion::Octal => {
            digits.radix(magnitude, 8, false);
            ("0o", 4)
        }
        Conversion::HexLower => {
            digits.radix(magnitude, 16, false);
            ("0x", 4)
        }
        Conversion::HexUpper => {
            digits.radix(magnitude, 16, true);
            ("0X", 4)
        }
        Conversion::Binary => {
            digits.radix(magnitude, 2, false);
            ("0b", 4)
        }
        Conversion::Str | Conversion::Repr | Conversion::Ascii | Conversion::Float(_) => {
            return false;
        }
    };
    let prefix = if spec.alternate { prefix } else { "" };
    let number = Number {
        negative: value < 0,
        prefix,
        digits: digits.as_bytes(),
    };
    match spec.grouping {
        None => {
            // Only `%` counts digits by its precision.
            let least = usize::from(spec.precision.unwrap_or(0));
            number.push(buf, least.saturating_sub(number.digits.len()), spec);
        }
        // Zeros that are grouped themselves, and "," with a base other than ten (an error), are the interpreter's.
        Some(separator) if (separator == b'_' || group == 3) && !zeros_after_sign(spec) => {
            let grouped = group_digits(number.digits, separator, group);
            Number {
                digits: &grouped,
                ..number
            }
            .push(buf, 0, spec);
        }
        Some(_) => return false,
    }
    true
}

/// Writes a float whose digits were made as [`Spec::float_digits`] says: an optional `-`, then ASCII.
pub fn push_float_text(buf: &mut Vec<u8>, digits: &[u8], spec: &Spec) -> bool {
    if spec.float_digits().is_none() || spec.grouping.is_some() {
        return false;
    }
    if spec.text_function().is_some() {
        let Ok(text) = std::str::from_utf8(digits) else {
            return false;
        };
        push_text(buf, text, spec);
        return true;
    }
    let (negative, digits) = digits
        .strip_prefix(b"-")
        .map_or((false, digits), |rest| (true, rest));
    Number {
        negative,
        prefix: "",
        digits,
    }
    .push(buf, 0, spec);
    true
}

/// Writes a float under `%.3f` and the like (up to 12 decimals) by integer arithmetic, which is exact: a sixth of what
/// digits of any float take. `false`: the digits have to be made as [`Spec::float_digits`] says.
#[must_use]
pub fn push_fixed_float(buf: &mut Vec<u8>, value: f64, spec: &Spec) -> bool {
    let precision = usize::from(spec.precision.unwrap_or(6));
    if !matches!(spec.conversion, Conversion::Float(b'f' | b'F'))
        || precision > FIXED
        || spec.alternate
        || spec.grouping.is_some()
    {
        return false;
    }
    let Some(scaled) = scaled(value, precision) else {
        return false;
    };
    let mut number = itoa::Buffer::new();
    let number = number.format(scaled).as_bytes();
    let mut digits = [b'0'; 24];
    // At least one digit stands before the point.
    let length = number.len().max(precision + 1);
    digits[length - number.len()..length].copy_from_slice(number);
    let mut end = length;
    if precision > 0 {
        digits.copy_within(length - precision..length, length - precision + 1);
        digits[length - precision] = b'.';
        end += 1;
    }
    let number = Number {
        negative: value.is_sign_negative(),
        prefix: "",
        digits: &digits[..end],
    };
    if spec.width == 0 && matches!(spec.sign, Sign::Unstated | Sign::Minus) {
        if number.negative {
            buf.push(b'-');
        }
        buf.extend_from_slice(number.digits);
    } else {
        number.push(buf, 0, spec);
    }
    true
}

/// Most decimals [`push_fixed_float`] writes.
const FIXED: usize = 12;

/// The powers of ten up to that.
const POWERS: [u64; FIXED + 1] = {
    let mut powers = [1; FIXED + 1];
    let mut at = 1;
    while at <= FIXED {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// The magnitude of `value * 10**precision` rounded to an integer, a tie to the even one, as the interpreter rounds digits.
/// `None` where there is no such number, or one beyond 64 bits or with a value of 2**52 or more.
fn scaled(value: f64, precision: usize) -> Option<u64> {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    // The magnitude is `mantissa / 2**shift`.
    let (mantissa, shift) = match (bits >> 52 & 0x7ff) as u32 {
        0 => (fraction, 1074),
        exponent @ 1..1075 => (fraction | 1 << 52, 1075 - exponent),
        _ => return None,
    };
    // Below 2**53 * 10**12 < 2**93, so that nothing overflows, and what is shifted by more is less than a half.
    let product = u128::from(mantissa) * u128::from(*POWERS.get(precision)?);
    if shift > 100 {
        return Some(0);
    }
    let (whole, rest, half) = (
        product >> shift,
        product & ((1 << shift) - 1),
        1 << (shift - 1),
    );
    let up = rest > half || (rest == half && whole & 1 == 1);
    u64::try_from(whole + u128::from(up)).ok()
}

/// Writes an exact `float` where [`Spec::truncates_float`]: `%d` of it is `%d` of `int(value)`. Infinities, NaN (errors)
/// and values beyond 64 bits are not proven.
pub fn push_float_as_int(buf: &mut Vec<u8>, value: f64, spec: &Spec) -> bool {
    // The bounds are exact powers of two; no range contains a NaN.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    spec.truncates_float() && (-LIMIT..LIMIT).contains(&value) && push_int(buf, value as i64, spec)
}

/// Digits of a `u64` in any base, written from the end.
struct Digits {
    bytes: [u8; 64],
    start: usize,
}

impl Default for Digits {
    fn default() -> Self {
        Self {
            bytes: [0; 64],
            start: 64,
        }
    }
}

impl Digits {
    fn radix(&mut self, mut value: u64, base: u64, upper: bool) {
        let alphabet: &[u8; 16] = if upper {
            b"0123456789ABCDEF"
        } else {
            b"0123456789abcdef"
        };
        loop {
            self.start -= 1;
            self.bytes[self.start] = alphabet[(value % base) as usize];
            value /= base;
            if value == 0 {
                return;
            }
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// A number taken apart, for padding that may have to go between its parts.
struct Number<'a> {
    negative: bool,
    prefix: &'static str,
    digits: &'a [u8],
}

impl Number<'_> {
    fn push(&self, buf: &mut Vec<u8>, leading_zeros: usize, spec: &Spec) {
        let sign: &[u8] = match (self.negative, spec.sign) {
            (true, _) => b"-",
            (false, Sign::Plus) => b"+",
            (false, Sign::Space) => b" ",
            (false, Sign::Unstated | Sign::Minus) => b"",
        };
        let length = sign.len() + self.prefix.len() + leading_zeros + self.digits.len();
        let missing = usize::from(spec.width).saturating_sub(length);
        let align = spec.align.unwrap_or(if spec.zero {
            Align::AfterSign
        } else {
            Align::Right
        });
        let (before, inside, after) = match align {
            Align::Left => (0, 0, missing),
            Align::Right => (missing, 0, 0),
            Align::Center => (missing / 2, 0, missing - missing / 2),
            Align::AfterSign => (0, missing, 0),
        };
        push_fill(buf, spec, before);
        buf.extend_from_slice(sign);
        buf.extend_from_slice(self.prefix.as_bytes());
        push_fill(buf, spec, inside);
        buf.resize(buf.len() + leading_zeros, b'0');
        buf.extend_from_slice(self.digits);
        push_fill(buf, spec, after);
    }
}

fn zeros_after_sign(spec: &Spec) -> bool {
    fill_of(spec) == '0'
        && spec
            .align
            .map_or(spec.zero, |align| align == Align::AfterSign)
}

fn group_digits(digits: &[u8], separator: u8, size: usize) -> Vec<u8> {
    let mut grouped = Vec::with_capacity(digits.len() * 2);
    for (index, digit) in digits.iter().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(size) {
            grouped.push(separator);
        }
        grouped.push(*digit);
    }
    grouped
}

fn push_padded_text(buf: &mut Vec<u8>, text: &str, spec: &Spec) {
    let (text, length) = cut(text, spec.precision);
    let missing = usize::from(spec.width).saturating_sub(length);
    let (before, after) = match spec.align {
        // `%s` always states its side; format() puts a str to the left.
        None | Some(Align::Left | Align::AfterSign) => (0, missing),
        Some(Align::Right) => (missing, 0),
        Some(Align::Center) => (missing / 2, missing - missing / 2),
    };
    push_fill(buf, spec, before);
    buf.extend_from_slice(text.as_bytes());
    push_fill(buf, spec, after);
}

/// The text cut to `precision` code points, and its length in code points.
fn cut(text: &str, precision: Option<u16>) -> (&str, usize) {
    let limit = precision.map_or(usize::MAX, usize::from);
    if text.is_ascii() {
        let text = &text[..text.len().min(limit)];
        return (text, text.len());
    }
    match text.char_indices().nth(limit) {
        Some((end, _)) => (&text[..end], limit),
        None => (text, text.chars().count()),
    }
}

const fn fill_of(spec: &Spec) -> char {
    if spec.zero { '0' } else { spec.fill }
}

fn push_fill(buf: &mut Vec<u8>, spec: &Spec, count: usize) {
    let fill = fill_of(spec);
    if fill.is_ascii() {
        buf.resize(buf.len() + count, fill as u8);
    } else {
        let mut utf8 = [0; 4];
        let utf8 = fill.encode_utf8(&mut utf8).as_bytes();
        for _ in 0..count {
            buf.extend_from_slice(utf8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{brace, percent};
    use super::*;

    fn percent(format: &str) -> Spec {
        percent::spec(format).unwrap()
    }

    fn brace(format: &str) -> Spec {
        brace::spec(format).unwrap()
    }

    fn int(value: i64, spec: Spec) -> Option<String> {
        let mut buf = Vec::new();
        push_int(&mut buf, value, &spec).then(|| String::from_utf8(buf).unwrap())
    }

    fn text(value: &str, spec: Spec) -> Option<String> {
        let mut buf = Vec::new();
        push_str(&mut buf, value, &spec).then(|| String::from_utf8(buf).unwrap())
    }

    fn float(digits: &str, spec: Spec) -> Option<String> {
        let mut buf = Vec::new();
        push_float_text(&mut buf, digits.as_bytes(), &spec).then(|| String::from_utf8(buf).unwrap())
    }

    #[test]
    fn percent_integers() {
        for (value, format, expected) in [
            (42, "%d", "42"),
            (42, "%5d", "   42"),
            (42, "%-5d", "42   "),
            (-42, "%05d", "-0042"),
            (-42, "%-05d", "-42  "),
            (42, "%+d", "+42"),
            (42, "% 05d", " 0042"),
            (42, "%.5d", "00042"),
            (-42, "%8.5d", "  -00042"),
            (255, "%#x", "0xff"),
            (-255, "%#08X", "-0X000FF"),
            (255, "%#.5x", "0x000ff"),
            (8, "%o", "10"),
            (i64::MIN, "%x", "-8000000000000000"),
            (7, "%3s", "  7"),
            (12345, "%.2s", "12"),
            (7, "%r", "7"),
        ] {
            assert_eq!(
                int(value, percent(format)).as_deref(),
                Some(expected),
                "{format}"
            );
        }
        assert_eq!(int(1, percent("%f")), None);
    }

    #[test]
    fn format_integers() {
        for (value, spec, expected) in [
            (1_234_567, ",", "1,234,567"),
            (-1_234, "*^12_d", "***-1_234***"),
            (255, "#010b", "0b11111111"),
            (255, "_>+8x", "_____+ff"),
            (0xABCD_EF01, "_X", "ABCD_EF01"),
            (-5, "05", "-0005"),
            (5, "<05", "50000"),
        ] {
            assert_eq!(int(value, brace(spec)).as_deref(), Some(expected), "{spec}");
        }
        for unproven in [".3d", "s", "010,", ",x", ".2f"] {
            assert_eq!(int(1, brace(unproven)), None, "{unproven}");
        }
    }

    #[test]
    fn texts_count_code_points() {
        assert_eq!(text("naïve", percent("%7s")).as_deref(), Some("  naïve"));
        assert_eq!(text("naïve", percent("%-7.3s")).as_deref(), Some("naï    "));
        assert_eq!(text("ab", brace("é^5")).as_deref(), Some("éabéé"));
        assert_eq!(text("ab", brace("05")).as_deref(), Some("ab000"));
        assert_eq!(text("ab", brace("")).as_deref(), Some("ab"));
        for unproven in ["+", "#", "=5", ",", "d", "-"] {
            assert_eq!(text("ab", brace(unproven)), None, "{unproven}");
        }
        assert_eq!(text("ab", percent("%d")), None);
        assert_eq!(text("ab", percent("%r")), None);
    }

    #[test]
    fn floats_are_padded_around_given_digits() {
        assert_eq!(
            float("-3.142", percent("%08.3f")).as_deref(),
            Some("-003.142")
        );
        assert_eq!(float("inf", percent("%+06f")).as_deref(), Some("+00inf"));
        assert_eq!(float("1.5", brace("")).as_deref(), Some("1.5"));
        assert_eq!(float("-1.5", brace("*=8.1f")).as_deref(), Some("-****1.5"));
        assert_eq!(float("1.5", percent("%6s")).as_deref(), Some("   1.5"));
        assert_eq!(float("1.5", brace("d")), None);
        assert_eq!(float("1.5", percent("%x")), None);
    }

    #[test]
    fn fixed_floats_round_ties_to_even() {
        let of = |value, spec| {
            let mut buf = Vec::new();
            push_fixed_float(&mut buf, value, &spec).then(|| String::from_utf8(buf).unwrap())
        };
        for (value, format, expected) in [
            (2.5, "%.2f", "2.50"),
            (0.5, "%.0f", "0"),
            (1.5, "%.0f", "2"),
            (2.675, "%.2f", "2.67"),
            (0.125, "%.2f", "0.12"),
            (0.375, "%.2f", "0.38"),
            (-0.001, "%.2f", "-0.00"),
            (-0.0, "%f", "-0.000000"),
            (5e-324, "%.12f", "0.000000000000"),
            (9.995, "%+08.2f", "+0009.99"),
            (1_732_000_000.123_456_7, "%f", "1732000000.123457"),
            (4_503_599_627_370_495.5, "%.3f", "4503599627370495.500"),
        ] {
            assert_eq!(
                of(value, percent(format)).as_deref(),
                Some(expected),
                "{format}"
            );
        }
        for (value, format) in [
            (4_503_599_627_370_496.0, "%.1f"),
            (1e15, "%.6f"),
            (1.0, "%.13f"),
            (1.0, "%#.0f"),
            (1.0, "%e"),
            (1.0, "%d"),
            (f64::NAN, "%f"),
            (f64::INFINITY, "%f"),
        ] {
            assert_eq!(of(value, percent(format)), None, "{format}");
        }
        assert_eq!(of(1234.5, brace("*^10.1F")).as_deref(), Some("**1234.5**"));
        assert_eq!(of(1234.5, brace(",.1f")), None);
    }

    #[test]
    fn percent_d_truncates_floats_that_fit() {
        let of = |value| {
            let mut buf = Vec::new();
            push_float_as_int(&mut buf, value, &percent("%03d"))
                .then(|| String::from_utf8(buf).unwrap())
        };
        assert_eq!(of(7.999).as_deref(), Some("007"));
        assert_eq!(of(-0.5).as_deref(), Some("000"));
        assert_eq!(
            of(-9_223_372_036_854_775_808.0).as_deref(),
            Some("-9223372036854775808")
        );
        for unproven in [9_223_372_036_854_775_808.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(of(unproven), None);
        }
    }
}
