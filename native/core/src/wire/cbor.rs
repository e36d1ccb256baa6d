//! CBOR (RFC 8949), as far as records need it, in its deterministic form: shortest numbers, definite lengths.
use super::{Encode, Head, Malformed, number, take};

pub(super) struct Cbor;

const UINT: u8 = 0;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const NIL: u8 = 0xf6;

impl Encode for Cbor {
    fn map(out: &mut Vec<u8>, entries: usize) {
        first(out, MAP, entries as u64);
    }

    fn text(out: &mut Vec<u8>, text: &str) {
        first(out, TEXT, text.len() as u64);
        out.extend(text.as_bytes());
    }

    fn uint(out: &mut Vec<u8>, number: u64) {
        first(out, UINT, number);
    }

    fn nil(out: &mut Vec<u8>) {
        out.push(NIL);
    }
}

/// A major type and its argument.
fn first(out: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    match argument {
        0..24 => out.push(major | argument as u8),
        24..0x100 => out.extend([major | 0x18, argument as u8]),
        0x100..0x1_0000 => {
            out.push(major | 0x19);
            out.extend((argument as u16).to_be_bytes());
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(major | 0x1a);
            out.extend((argument as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 0x1b);
            out.extend(argument.to_be_bytes());
        }
    }
}

pub(super) fn head(rest: &mut &[u8]) -> Result<Head, Malformed> {
    loop {
        let first = take(rest, 1)?[0];
        if first == NIL {
            return Ok(Head::Nil);
        }
        let argument = match first & 0x1f {
            small @ 0..24 => u64::from(small),
            width @ 24..28 => number(rest, 1 << (width - 24))?,
            _ => return Err(Malformed("no length, or an indefinite one")),
        };
        let size = || usize::try_from(argument).map_err(|_| Malformed("it ends in the middle"));
        return Ok(match first >> 5 {
            UINT => Head::Uint(argument),
            BYTES => Head::Other(size()?),
            TEXT => Head::Text(size()?),
            ARRAY => Head::Array(size()?),
            MAP => Head::Map(size()?),
            TAG => continue,     // says what the next value means
            _ => Head::Other(0), // a negative integer, a float or a bool, whose bytes were the argument
        });
    }
}
