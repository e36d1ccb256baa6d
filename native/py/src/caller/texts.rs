//! What a format says of the place of a call: file, line and function, and the text between them, which are the same for each record of
//! that place. To put it together each time took 5 % of a line that tells them on 3.12, 8 % on 3.15.
use pyo3::prelude::*;

use super::{SITES_KEPT, known_caller};
use crate::cell::Shared;

/// The texts of one call site.
struct Texts {
    /// How often one was wanted that is not here.
    missed: u8,
    all: [Option<Told>; TEXTS],
}

struct Told {
    format: u64,
    text: Box<str>,
    ascii: bool,
}

/// Texts for each call site: a console and a file often have formats of their own.
const TEXTS: usize = 2;

/// A text is kept when one has been missed that often: where more formats take turns at a place, they would be made anew each time.
const OFTEN: u8 = 16;

/// Longer texts, in bytes, are not kept.
const LONGEST: usize = 256;

const NONE: Texts = Texts {
    missed: 0,
    all: [const { None }; TEXTS],
};

/// Those of the call sites that are remembered, each where its site is.
static TEXTS_OF: Shared<[Texts; SITES_KEPT]> = Shared::new([const { NONE }; SITES_KEPT]);

/// What has become of a wish for a text.
#[derive(Clone, Copy)]
pub enum PlaceText {
    Told,
    Unknown,
    /// Unknown, but asked for so often that it is worth being kept.
    Wanted,
}

/// Hands what `format` says of the place of the running call, and whether that is ASCII, to `take`, if it is known. Only where everything
/// is [ordinary](crate::ordinary).
#[inline]
pub fn place_text(py: Python<'_>, format: u64, mut take: impl FnMut(&str, bool)) -> PlaceText {
    let told = known_caller(py, |_, at, _| {
        TEXTS_OF.with(py, |texts| {
            let Texts { missed, all } = &mut texts[at];
            for told in all.iter().flatten() {
                if told.format == format {
                    take(&told.text, told.ascii);
                    return PlaceText::Told;
                }
            }
            *missed = *missed % OFTEN + 1;
            if *missed == OFTEN {
                PlaceText::Wanted
            } else {
                PlaceText::Unknown
            }
        })
    });
    told.unwrap_or(PlaceText::Unknown)
}

/// Keeps what `format` says of that place, where it is remembered.
#[cold]
pub fn keep_place_text(py: Python<'_>, format: u64, text: &str, ascii: bool) {
    if text.len() > LONGEST {
        return;
    }
    let mut told = Some(Told {
        format,
        text: text.into(),
        ascii,
    });
    known_caller(py, |_, at, _| {
        TEXTS_OF.with(py, |texts| {
            let all = &mut texts[at].all;
            let free = all.iter().position(Option::is_none);
            all[free.unwrap_or(format as usize % TEXTS)] = told.take();
        });
    });
}

/// Another call site takes this one's place.
pub(super) fn forget(py: Python<'_>, at: usize) {
    TEXTS_OF.with(py, |texts| texts[at] = NONE);
}
