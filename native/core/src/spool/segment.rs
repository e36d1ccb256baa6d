//! What is in a segment's file: a head, then entries.
//!
//! Head: eight bytes that say what it is, the place up to which entries were acknowledged, a check sum of that. Entry: a mark, the
//! length of its bytes, a check sum of its place, its length and its bytes; these bytes. Numbers have their lowest byte first.
use memchr::memmem::Finder;

const MAGIC: [u8; 8] = *b"femtosp1";
/// 0xF5 is in no UTF-8 text.
const MARK: [u8; 4] = *b"\xF5\xF5lg";

/// Bytes of a head; the place of the first entry.
pub(super) const HEAD: usize = MAGIC.len() + 8 + 4;
/// Bytes of an entry beside its own.
pub(super) const AROUND: usize = MARK.len() + 4 + 4;

fn check(parts: [&[u8]; 3]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_le_bytes()
}

pub(super) fn head(acknowledged: u64) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let place = acknowledged.to_le_bytes();
    head[..8].copy_from_slice(&MAGIC);
    head[8..16].copy_from_slice(&place);
    head[16..].copy_from_slice(&check([&MAGIC, &place, &[]]));
    head
}

/// The place up to which entries were acknowledged; the first one's where that cannot be told: it is better to read them twice.
pub(super) fn acknowledged(file: &[u8]) -> u64 {
    let place = file.first_chunk::<HEAD>().map(|found| {
        let place = found[8..16].try_into().map_or(0, u64::from_le_bytes);
        if head(place) == *found { place } else { 0 }
    });
    place.unwrap_or(0).max(HEAD as u64)
}

/// Appends an entry that will stand at that place of its file. Nothing is done for one whose length has no number.
pub(super) fn push(into: &mut Vec<u8>, place: u64, bytes: &[u8]) -> bool {
    let Ok(length) = u32::try_from(bytes.len()) else {
        return false;
    };
    let length = length.to_le_bytes();
    into.extend_from_slice(&MARK);
    into.extend_from_slice(&length);
    into.extend_from_slice(&check([&place.to_le_bytes(), &length, bytes]));
    into.extend_from_slice(bytes);
    true
}

#[derive(PartialEq, Eq, Debug)]
pub(super) enum Found<'a> {
    /// The bytes of an entry; it ends [`AROUND`] bytes behind them.
    Entry(&'a [u8]),
    /// So many bytes are of no whole entry.
    Damaged(usize),
}

/// What stands at this place of a file, of which `rest` is everything from there on; nothing at its end.
pub(super) fn next(rest: &[u8], place: u64) -> Option<Found<'_>> {
    if rest.is_empty() {
        return None;
    }
    if let Some(bytes) = entry(rest, place) {
        return Some(Found::Entry(bytes));
    }
    let marks = Finder::new(&MARK);
    let whole = marks
        .find_iter(&rest[1..])
        .map(|at| at + 1)
        .find(|at| entry(&rest[*at..], place + *at as u64).is_some());
    Some(Found::Damaged(whole.unwrap_or(rest.len())))
}

fn entry(rest: &[u8], place: u64) -> Option<&[u8]> {
    let after = rest.strip_prefix(&MARK)?;
    let (length, after) = after.split_first_chunk::<4>()?;
    let (sum, after) = after.split_first_chunk::<4>()?;
    let bytes = after.get(..u32::from_le_bytes(*length) as usize)?;
    (check([&place.to_le_bytes(), length, bytes]) == *sum).then_some(bytes)
}
