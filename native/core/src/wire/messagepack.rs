//! `MessagePack`, as far as records need it, each value in its shortest form.
use super::{Encode, Head, Malformed, length, number, take};

pub(super) struct MessagePack;

impl Encode for MessagePack {
    fn map(out: &mut Vec<u8>, entries: usize) {
        match entries {
            0..16 => out.push(0x80 | entries as u8),
            16..0x1_0000 => wide(out, 0xde, &(entries as u16).to_be_bytes()),
            _ => wide(out, 0xdf, &(entries as u32).to_be_bytes()),
        }
    }

    fn text(out: &mut Vec<u8>, text: &str) {
        match text.len() {
            length @ 0..32 => out.push(0xa0 | length as u8),
            length @ 32..0x100 => out.extend([0xd9, length as u8]),
            length @ 0x100..0x1_0000 => wide(out, 0xda, &(length as u16).to_be_bytes()),
            // A longer one than 4 GiB is in no frame that is sent.
            length => wide(out, 0xdb, &(length as u32).to_be_bytes()),
        }
        out.extend(text.as_bytes());
    }

    fn uint(out: &mut Vec<u8>, number: u64) {
        match number {
            0..0x80 => out.push(number as u8),
            0x80..0x100 => out.extend([0xcc, number as u8]),
            0x100..0x1_0000 => wide(out, 0xcd, &(number as u16).to_be_bytes()),
            0x1_0000..0x1_0000_0000 => wide(out, 0xce, &(number as u32).to_be_bytes()),
            _ => wide(out, 0xcf, &number.to_be_bytes()),
        }
    }

    fn nil(out: &mut Vec<u8>) {
        out.push(0xc0);
    }
}

fn wide(out: &mut Vec<u8>, first: u8, number: &[u8]) {
    out.push(first);
    out.extend(number);
}

pub(super) fn head(rest: &mut &[u8]) -> Result<Head, Malformed> {
    let first = take(rest, 1)?[0];
    Ok(match first {
        0x00..=0x7f => Head::Uint(u64::from(first)),
        0x80..=0x8f => Head::Map(usize::from(first & 0x0f)),
        0x90..=0x9f => Head::Array(usize::from(first & 0x0f)),
        0xa0..=0xbf => Head::Text(usize::from(first & 0x1f)),
        0xc0 => Head::Nil,
        0xc1 => return Err(Malformed("a byte that MessagePack does not use")),
        0xc4..=0xc6 => Head::Other(length(rest, 1 << (first - 0xc4))?), // bin
        0xc7..=0xc9 => Head::Other(length(rest, 1 << (first - 0xc7))?.saturating_add(1)), // ext
        0xcc..=0xcf => Head::Uint(number(rest, 1 << (first - 0xcc))?),
        0xd4..=0xd8 => Head::Other((1 << (first - 0xd4)) + 1), // fixext
        0xd9..=0xdb => Head::Text(length(rest, 1 << (first - 0xd9))?),
        0xdc | 0xdd => Head::Array(length(rest, 2 << (first - 0xdc))?),
        0xde | 0xdf => Head::Map(length(rest, 2 << (first - 0xde))?),
        0xc2 | 0xc3 | 0xe0..=0xff => Head::Other(0), // bool, small negative int
        0xca => Head::Other(4),
        0xcb => Head::Other(8),
        0xd0..=0xd3 => Head::Other(1 << (first - 0xd0)), // int
    })
}
