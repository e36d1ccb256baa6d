//! Properties over generated input: nothing panics, nothing is lost, and inverse ways agree.
use femtolog_core::clock::CivilTime;
use femtolog_core::path::{self, Flavour};
use femtolog_core::plan::percent::{Item, PositionalPiece, Scanner};
use femtolog_core::plan::{Piece, Plan, brace, dollar, percent, push_fixed_float, push_int};
use femtolog_core::rotate::{Moment, Schedule, TimeRule, When, next_rollover};
use femtolog_core::validate::{self, Verdict};
use proptest::prelude::*;

/// Strings rich in what the styles mind.
fn format_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[%{}$():!.\\[\\]#0+ *-]{1,3}",
        3 => "(name|message|asctime|a|1|5|s|d|f|r|x)",
        1 => "\\PC{1,3}",
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

fn utc(seconds: i64) -> Option<Moment> {
    let time = CivilTime::from_unix_utc(seconds)?;
    let CivilTime {
        hour,
        minute,
        second,
        weekday,
        ..
    } = time;
    Some(Moment {
        hour,
        minute,
        second,
        weekday,
        is_dst: 0,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plans_are_normal(format in format_text()) {
        for plan in [percent::compile(&format), brace::compile(&format), dollar::compile(&format)].into_iter().flatten() {
            let Plan { pieces, uses_message, .. } = plan;
            prop_assert!(!pieces.contains(&Piece::Literal("".into())));
            prop_assert!(!pieces.windows(2).any(|pair| matches!(pair, [Piece::Literal(_), Piece::Literal(_)])));
            let places: Vec<(usize, usize)> = pieces.iter().enumerate().filter_map(|(at, piece)| match piece {
                Piece::Place(length) => Some((at, *length)),
                _ => None,
            }).collect();
            prop_assert!(places.len() <= 1);
            for (at, length) in places {
                let of_the_place = ["pathname", "filename", "module", "funcName", "lineno"];
                let fields: Vec<&str> = pieces[at + 1..=at + length].iter().filter_map(|piece| match piece {
                    Piece::Field { field, .. } => Some(field.name()),
                    _ => None,
                }).collect();
                prop_assert!(fields.len() > 1 && fields.iter().all(|name| of_the_place.contains(name)));
            }
            let message = pieces.iter().any(|piece| matches!(piece, Piece::Field { field, .. } if field.name() == "message"));
            prop_assert_eq!(uses_message, message);
        }
    }

    #[test]
    fn a_plan_with_fields_is_valid_in_its_style(format in format_text()) {
        // Only here: the other styles look names up that their validate() refuses, such as "a b".
        if let Some(plan) = dollar::compile(&format) {
            let fields = plan.pieces.iter().any(|piece| matches!(piece, Piece::Field { .. }));
            prop_assert_eq!(validate::dollar(&format) == Verdict::Valid, fields);
        }
        let _ = (validate::percent(&format), validate::brace(&format));
    }

    #[test]
    fn scanning_and_compiling_agree(message in format_text()) {
        let items: Vec<Item> = Scanner::new(&message).collect();
        match percent::compile_positional(&message) {
            None => prop_assert_eq!(items.last(), Some(&Item::Unproven)),
            Some(positional) => {
                let arguments = items.iter().filter(|item| matches!(item, Item::Arg(_))).count();
                prop_assert_eq!(positional.arguments, arguments);
                prop_assert_eq!(positional.pieces.len(), items.len());
                let empty = PositionalPiece::Literal("".into());
                prop_assert!(!positional.pieces.contains(&empty));
            }
        }
    }

    #[test]
    fn integers_read_back(value: i64, width in 0_usize..40) {
        for (spec, radix) in [("x", 16), ("o", 8), ("X", 16), ("d", 10)] {
            let plan = percent::compile(&format!("%(a)0{width}{spec}")).unwrap();
            let [Piece::Field { spec, .. }] = &plan.pieces[..] else { unreachable!() };
            let mut buf = Vec::new();
            prop_assert!(push_int(&mut buf, value, spec));
            let text = String::from_utf8(buf).unwrap();
            prop_assert_eq!(i64::from_str_radix(&text, radix), Ok(value));
            prop_assert!(text.len() >= width);
        }
    }

    #[test]
    fn fixed_floats_are_correctly_rounded(bits: u64, near in -1e9_f64..1e9, eighths in -80_000_i32..80_000, precision in 0_usize..=12) {
        let plan = percent::compile(&format!("%(a).{precision}f")).unwrap();
        let [Piece::Field { spec, .. }] = &plan.pieces[..] else { unreachable!() };
        // Any float, one of a usual size, one that often lies in the middle of two.
        for value in [f64::from_bits(bits), near, f64::from(eighths) / 8.0] {
            let mut buf = Vec::new();
            if push_fixed_float(&mut buf, value, spec) {
                prop_assert_eq!(String::from_utf8(buf).unwrap(), format!("{value:.precision$}"));
            } else {
                prop_assert!(buf.is_empty() && (value.is_nan() || value.abs() > 1e6));
            }
        }
    }

    #[test]
    fn civil_days_follow_each_other(seconds in -62_135_596_800_i64..253_402_214_400) {
        let (today, tomorrow) = (CivilTime::from_unix_utc(seconds).unwrap(), CivilTime::from_unix_utc(seconds + 86_400).unwrap());
        prop_assert!(today < tomorrow);
        prop_assert_eq!((today.weekday + 1) % 7, tomorrow.weekday);
        prop_assert!(tomorrow.yearday == today.yearday + 1 || (tomorrow.yearday, tomorrow.month, tomorrow.day) == (1, 1, 1));
        prop_assert_eq!((today.hour, today.minute, today.second), (tomorrow.hour, tomorrow.minute, tomorrow.second));
    }

    #[test]
    fn a_late_rollover_comes_at_its_time_and_within_its_interval(now in 0_i64..4_000_000_000, at in 0_u32..86_400, day in 0_u8..7) {
        for (when, days) in [(When::Midnight, 1), (When::Weekly(day), 7)] {
            let schedule = Schedule { when, interval: days * 86_400, utc: true, at_time: Some(at) };
            let rollover = next_rollover(&schedule, TimeRule::Late, now, utc).unwrap();
            prop_assert!(now < rollover && rollover <= now + days * 86_400);
            prop_assert_eq!(rollover.rem_euclid(86_400), i64::from(at));
            prop_assert!(when == When::Midnight || utc(rollover).unwrap().weekday == day);
        }
    }

    #[test]
    fn file_names_are_tails(path in "[a-zA-Z./\\\\:?é]{0,20}") {
        for flavour in [Flavour::Posix, Flavour::Windows] {
            let name = path::file_name(&path, flavour);
            prop_assert!(path.ends_with(name) && !name.contains('/'));
            prop_assert!(name.starts_with(path::module_name(name)));
        }
    }
}
