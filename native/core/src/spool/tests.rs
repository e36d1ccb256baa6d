//! In a directory of each test's own.
use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A directory that is removed with it.
struct Place(Options);

impl Place {
    fn new(bytes: u64) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let (process, next) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(format!("femtolog-spool-{process}-{next}"));
        Self(Options {
            dir,
            kind: "test",
            bytes,
        })
    }

    fn open(&self) -> Spool {
        Spool::open(&self.0).unwrap()
    }

    /// Its segments, the first one first.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0.dir).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|kind| kind == "test"));
        files.sort();
        files
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.dir);
    }
}

const LARGE: u64 = 1 << 20;

fn entry(number: usize) -> Vec<u8> {
    format!("entry {number} {}", "x".repeat(number % 7)).into_bytes()
}

fn filled(place: &Place, count: usize) -> Spool {
    let mut spool = place.open();
    for number in 0..count {
        spool.append(&entry(number)).unwrap();
    }
    spool
}

/// Reads and acknowledges everything; what was lost comes second.
fn drained(spool: &mut Spool) -> (Vec<Vec<u8>>, usize) {
    let (mut entries, mut lost) = (Vec::new(), 0);
    while spool.unread() > 0 {
        let before = entries.len();
        lost += spool.read(3, usize::MAX, &mut entries).unwrap();
        spool.acknowledge(entries.len() - before);
    }
    (entries, lost)
}

#[test]
fn what_is_appended_is_read_in_order_and_its_files_go() {
    let place = Place::new(LARGE);
    let mut spool = filled(&place, 100);
    assert_eq!(spool.unread(), 100);
    assert_eq!(drained(&mut spool), ((0..100).map(entry).collect(), 0));
    assert_eq!((spool.bytes(), place.files().len()), (0, 0));
    spool.append(b"again").unwrap();
    assert_eq!(drained(&mut spool).0, [b"again"]);
}

#[test]
fn what_is_not_acknowledged_is_read_again() {
    let place = Place::new(LARGE);
    let (mut spool, mut read) = (filled(&place, 10), Vec::new());
    spool.read(5, usize::MAX, &mut read).unwrap();
    assert_eq!(spool.read(5, usize::MAX, &mut read).unwrap(), 0);
    assert_eq!(read.len(), 5, "one after the other");
    spool.acknowledge(2);
    spool.rewind();
    assert_eq!(spool.unread(), 8);
    spool.read(1, usize::MAX, &mut read).unwrap();
    assert_eq!(read[5], entry(2));
    drop(spool);
    let mut spool = place.open();
    assert_eq!(drained(&mut spool), ((2..10).map(entry).collect(), 0));
}

#[test]
fn entries_are_appended_while_others_are_read() {
    let place = Place::new(LARGE);
    let (mut spool, mut read) = (filled(&place, 2), Vec::new());
    for number in 2..50 {
        spool.read(1, usize::MAX, &mut read).unwrap();
        spool.append(&entry(number)).unwrap();
        spool.acknowledge(1);
    }
    let (rest, lost) = drained(&mut spool);
    read.extend(rest);
    assert_eq!((read, lost), ((0..50).map(entry).collect(), 0));
}

#[test]
fn a_batch_has_so_many_bytes_or_one_entry() {
    let place = Place::new(LARGE);
    let (mut spool, mut read) = (filled(&place, 5), Vec::new());
    spool.read(9, 1, &mut read).unwrap();
    assert_eq!(read.len(), 1);
    spool.acknowledge(1);
    spool
        .read(9, entry(1).len() + entry(2).len(), &mut read)
        .unwrap();
    assert_eq!(read.len(), 3);
}

#[test]
fn segments_are_removed_as_they_are_read_and_the_limit_is_kept() {
    let place = Place::new(8000);
    let mut spool = place.open();
    let mut count = 0;
    while spool.append(&[7; 100]).is_ok() {
        count += 1;
    }
    assert_eq!(
        spool.append(b"").unwrap_err().kind(),
        ErrorKind::StorageFull
    );
    assert!(place.files().len() >= 7 && spool.bytes() <= 8000);
    let mut read = Vec::new();
    spool.read(10, usize::MAX, &mut read).unwrap();
    spool.acknowledge(read.len());
    spool.append(b"there is room").unwrap();
    let on_disk: u64 = place
        .files()
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum();
    assert_eq!(spool.bytes(), on_disk);
    assert_eq!(drained(&mut spool).0.len() + read.len(), count + 1);
}

#[test]
fn entries_are_put_before_all_others() {
    let place = Place::new(LARGE);
    let mut spool = filled(&place, 4);
    let mut read = Vec::new();
    spool.read(1, usize::MAX, &mut read).unwrap();
    spool.acknowledge(1);
    assert_eq!(spool.prepend(&[b"a".to_vec(), b"b".to_vec()]).unwrap(), 2);
    drop(spool);
    let mut spool = place.open();
    let expected = [b"a".to_vec(), b"b".to_vec(), entry(1), entry(2), entry(3)];
    assert_eq!(drained(&mut spool), (expected.to_vec(), 0));
}

#[test]
fn entries_are_put_behind_those_that_are_being_sent() {
    let place = Place::new(LARGE);
    let mut spool = filled(&place, 4);
    let mut read = Vec::new();
    spool.read(3, usize::MAX, &mut read).unwrap();
    spool.acknowledge(1);
    assert_eq!(spool.prepend(&[b"a".to_vec(), b"b".to_vec()]).unwrap(), 2);
    let expected = [entry(1), entry(2), b"a".to_vec(), b"b".to_vec(), entry(3)];
    assert_eq!(spool.unread(), expected.len());
    drop(spool);
    let mut spool = place.open();
    assert_eq!(drained(&mut spool), (expected.to_vec(), 0));
}

/// A process killed in the middle of a write leaves any part of it.
#[test]
fn a_torn_tail_is_skipped_and_counted() {
    let place = Place::new(LARGE);
    drop(filled(&place, 3));
    let path = place.files().remove(0);
    let whole = fs::read(&path).unwrap();
    let mut ends = vec![HEAD];
    for number in 0..3 {
        ends.push(ends[number] + AROUND + entry(number).len());
    }
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let mut spool = place.open();
        let count = ends
            .iter()
            .filter(|end| **end <= length)
            .count()
            .saturating_sub(1);
        let torn = usize::from(!ends.contains(&length));
        assert_eq!(spool.unread(), count + torn, "{length}");
        spool.append(b"after").unwrap();
        let mut expected: Vec<_> = (0..count).map(entry).collect();
        expected.push(b"after".to_vec());
        assert_eq!(drained(&mut spool), (expected, torn), "{length}");
    }
}

#[test]
fn a_damaged_byte_costs_the_entry_it_is_in() {
    let place = Place::new(LARGE);
    drop(filled(&place, 3));
    let path = place.files().remove(0);
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        fs::write(&path, &damaged).unwrap();
        let (entries, lost) = drained(&mut place.open());
        let expected = if at < HEAD { 3 } else { 2 };
        assert_eq!((entries.len(), lost), (expected, 3 - expected), "{at}");
        assert!(
            entries
                .iter()
                .all(|read| (0..3).any(|number| *read == entry(number)))
        );
    }
}

#[test]
fn what_is_damaged_while_it_waits_is_counted() {
    let place = Place::new(LARGE);
    let mut spool = filled(&place, 5);
    let path = place.files().remove(0);
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(HEAD as u64 + 3)
        .unwrap();
    assert_eq!(drained(&mut spool), (Vec::new(), 5));
    spool.append(b"one").unwrap();
    fs::remove_file(place.files().remove(0)).unwrap();
    assert_eq!(drained(&mut spool), (Vec::new(), 1));
}

#[test]
fn everyone_has_files_of_its_own_and_those_of_the_ended_are_taken_over() {
    let place = Place::new(LARGE);
    let (mut first, mut second) = (filled(&place, 2), place.open());
    second.append(b"second's").unwrap();
    assert_eq!((first.unread(), second.unread()), (2, 1));
    drop(second);
    let mut third = place.open();
    assert_eq!(drained(&mut third).0, [b"second's"]);
    third.append(b"third's").unwrap();
    drop((first.append(b"first's"), first, third));
    let all = drained(&mut place.open()).0;
    assert_eq!(
        all,
        [entry(0), entry(1), b"first's".to_vec(), b"third's".to_vec()]
    );
    let other = Options {
        kind: "other",
        ..place.0.clone()
    };
    filled(&place, 1);
    assert_eq!(Spool::open(&other).unwrap().unread(), 0);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new(LARGE);
    let _spool = filled(&place, 1);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&place.0.dir), mode(&place.files()[0])),
        (0o700, 0o600)
    );
}
