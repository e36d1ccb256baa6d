//! What `CPython` renders (`render_golden.tsv`, written by `render_golden.py`) is what the core renders. Left to the
//! interpreter are only errors and grouped digits beyond plain grouped integers.
use femtolog_core::plan::{Piece, Spec, brace, percent, push_float_text, push_int, push_str};

fn spec(style: &str, directive: &str) -> Option<Spec> {
    let plan = match style {
        "%" => percent::compile(&format!("%(a){directive}")),
        "{" => brace::compile(&format!("{{a:{directive}}}")),
        other => panic!("no such style: {other}"),
    }?;
    match plan.pieces[..] {
        [Piece::Field { spec, .. }] => Some(spec),
        _ => panic!("not one field: {directive}"),
    }
}

#[test]
fn renders_as_the_interpreter_does() {
    let mut proven_rows = 0;
    for row in include_str!("render_golden.tsv").lines() {
        let columns: Vec<&str> = row.split('\t').collect();
        let [style, directive, kind, value, expected] = columns[..] else {
            panic!("{row}")
        };
        let mut buf = Vec::new();
        let proven = spec(style, directive).is_some_and(|spec| match kind {
            "s" => push_str(&mut buf, value, &spec),
            "i" => push_int(&mut buf, value.parse().unwrap(), &spec),
            "f" => push_float_text(&mut buf, value.as_bytes(), &spec),
            other => panic!("no such kind: {other}"),
        });
        if proven {
            assert_eq!(String::from_utf8(buf).unwrap(), expected, "{row}");
            proven_rows += 1;
        } else {
            assert_eq!(buf, b"", "{row}");
            assert!(expected == "!" || directive.contains([',', '_']), "{row}");
        }
    }
    assert!(proven_rows > 250, "only {proven_rows}");
}
