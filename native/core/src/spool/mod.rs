//! A log of entries on disk: appended in order, read from the front, kept until they are acknowledged.
//!
//! What was appended is with the operating system: it outlives the process, however that ends, but for the entries whose acknowledgement was
//! still to come, which are read again, and not a machine that loses its power. The log is cut into segments, and a file
//! is removed when all in it is acknowledged; what an earlier process has left is read first. Entries that are damaged are skipped, and
//! counted as lost; so is one that its process was killed in the middle of.
mod owner;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use owner::Owner;
use segment::{AROUND, Found, HEAD};

/// The size from which on a new segment is begun; an eighth of the limit where that is less. So much is read at once.
const SEGMENT: u64 = 4 << 20;

/// The first segment's number. There is room for some before it.
const FIRST: u64 = 1 << 32;

/// Where a spool is, and how large it may be.
#[derive(Clone, Debug)]
pub struct Options {
    pub dir: PathBuf,
    /// What the entries are: the extension of its files. Logs of several kinds have nothing to do with each other.
    pub kind: &'static str,
    /// Of all files, at most.
    pub bytes: u64,
}

struct Segment {
    path: PathBuf,
    number: u64,
    /// Of its file.
    len: u64,
    /// The place up to which its entries are acknowledged.
    acknowledged: u64,
    /// Entries that are not read yet; where it is of another process, places that are damaged as well.
    unread: usize,
}

/// What is read of the first segment.
struct Reader {
    file: File,
    /// What has been read from its file and is not parsed, and its place.
    rest: Vec<u8>,
    parsed: usize,
    place: u64,
}

impl Reader {
    fn open(segment: &Segment) -> io::Result<Self> {
        Ok(Self {
            file: File::options().read(true).write(true).open(&segment.path)?,
            rest: Vec::new(),
            parsed: 0,
            place: segment.acknowledged,
        })
    }

    fn at(&self) -> u64 {
        self.place + self.parsed as u64
    }

    fn next(&self) -> Option<Found<'_>> {
        segment::next(&self.rest[self.parsed..], self.at())
    }

    /// Reads what is between the last byte that it has and that place. False: there is nothing.
    fn load(&mut self, until: u64) -> io::Result<bool> {
        self.place = self.at();
        self.parsed = 0;
        self.rest.clear();
        self.file.seek(SeekFrom::Start(self.place))?;
        let left = until.saturating_sub(self.place);
        (&self.file).take(left).read_to_end(&mut self.rest)?;
        Ok(!self.rest.is_empty())
    }
}

/// See the [module](self).
pub struct Spool {
    limit: u64,
    owner: Owner,
    segments: VecDeque<Segment>,
    /// Of all segments.
    bytes: u64,
    /// The last segment's file, if entries may be appended to it.
    tail: Option<File>,
    reader: Option<Reader>,
    /// The ends of entries that are read and not acknowledged, all of the first segment.
    ends: VecDeque<u64>,
}

impl Spool {
    /// Opens the log, with what others have left in that directory when they ended.
    ///
    /// # Errors
    /// The directory cannot be made, read, written to, or locked.
    pub fn open(options: &Options) -> io::Result<Self> {
        let (owner, files) = Owner::of(&options.dir, options.kind)?;
        let mut spool = Self {
            limit: options.bytes,
            owner,
            segments: VecDeque::new(),
            bytes: 0,
            tail: None,
            reader: None,
            ends: VecDeque::new(),
        };
        for (number, path) in files {
            let segment = scanned(number, path)?;
            spool.bytes += segment.len;
            spool.segments.push_back(segment);
        }
        spool.retire();
        Ok(spool)
    }

    /// How many entries can be read, or will be found to be lost.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.segments.iter().map(|segment| segment.unread).sum()
    }

    /// The bytes of all its files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// See `Owner::descriptors`; empty where nothing is inherited.
    #[must_use]
    pub fn descriptors(&self) -> Vec<i32> {
        self.owner.descriptors()
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// [`ErrorKind::StorageFull`] where the log or the disk has no room, or whatever else has gone wrong: then it is not there, and all
    /// others are.
    pub fn append(&mut self, entry: &[u8]) -> io::Result<()> {
        let most = SEGMENT.min(self.limit / 8);
        if self.segments.back().is_none_or(|last| last.len >= most) {
            self.tail = None;
        }
        let mut bytes = Vec::with_capacity(HEAD + AROUND + entry.len());
        let place = if let (Some(_), Some(last)) = (&self.tail, self.segments.back()) {
            last.len
        } else {
            bytes.extend(segment::head(HEAD as u64));
            HEAD as u64
        };
        if !segment::push(&mut bytes, place, entry) || self.bytes + bytes.len() as u64 > self.limit
        {
            return Err(ErrorKind::StorageFull.into());
        }
        if self.tail.is_none() {
            let last = self.segments.iter().map(|segment| segment.number).max();
            let number = last.map_or(FIRST, |last| last + 1);
            let (file, segment) = self.begin(number, &bytes, 1)?;
            self.segments.push_back(segment);
            self.tail = Some(file);
            return Ok(());
        }
        let (Some(file), Some(last)) = (&mut self.tail, self.segments.back_mut()) else {
            return Err(ErrorKind::NotFound.into());
        };
        if let Err(error) = file.write_all(&bytes) {
            if file.set_len(last.len).is_err() {
                // The next one goes to another file; readers skip the piece.
                self.tail = None;
            }
            return Err(error);
        }
        last.len += bytes.len() as u64;
        last.unread += 1;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Puts entries before all that are not read, and behind those that are read and not acknowledged, which are going to be read once more.
    /// So many of the entries are there now.
    ///
    /// # Errors
    /// None is.
    pub fn prepend(&mut self, entries: &[Vec<u8>]) -> io::Result<usize> {
        let mut older = Vec::new();
        let unacknowledged = self.ends.len();
        if unacknowledged > 0 {
            self.rewind();
            self.read(unacknowledged, usize::MAX, &mut older)?;
        }
        let mut bytes = segment::head(HEAD as u64).to_vec();
        let mut count = 0_usize;
        for entry in older.iter().chain(entries) {
            let before = bytes.len();
            segment::push(&mut bytes, before as u64, entry);
            if self.bytes + bytes.len() as u64 > self.limit || bytes.len() == before {
                bytes.truncate(before);
                break;
            }
            count += 1;
        }
        let added = count.saturating_sub(older.len());
        if added > 0 {
            let first = self.segments.iter().map(|segment| segment.number).min();
            let number = first.map_or(FIRST, |first| first - 1);
            let (_, segment) = self.begin(number, &bytes, count)?;
            // From here on they stand in the new segment.
            self.acknowledge(older.len());
            self.reader = None;
            self.segments.push_front(segment);
        }
        Ok(added)
    }

    fn begin(&mut self, number: u64, bytes: &[u8], entries: usize) -> io::Result<(File, Segment)> {
        let path = self.owner.path(number);
        let mut file = owner::private().create_new(true).append(true).open(&path)?;
        if let Err(error) = file.write_all(bytes) {
            remove(&path);
            return Err(error);
        }
        self.bytes += bytes.len() as u64;
        let segment = Segment {
            path,
            number,
            len: bytes.len() as u64,
            acknowledged: HEAD as u64,
            unread: entries,
        };
        Ok((file, segment))
    }

    /// Reads the oldest entries, unless some are not acknowledged yet: up to so many, and of so many bytes unless the first one has more.
    /// So many before the next one were lost.
    ///
    /// # Errors
    /// Nothing was read, and nothing is lost.
    pub fn read(
        &mut self,
        most: usize,
        bytes: usize,
        into: &mut Vec<Vec<u8>>,
    ) -> io::Result<usize> {
        let mut lost = 0;
        while self.ends.is_empty() && !self.segments.is_empty() {
            match self.read_first(most, bytes, into) {
                Err(error) if lost == 0 => return Err(error),
                Err(_) => break,
                Ok(more) => lost += more,
            }
            self.retire();
        }
        Ok(lost)
    }

    /// The same of the first segment.
    fn read_first(
        &mut self,
        most: usize,
        mut bytes: usize,
        into: &mut Vec<Vec<u8>>,
    ) -> io::Result<usize> {
        let Some(segment) = self.segments.front_mut() else {
            return Ok(0);
        };
        if self.reader.is_none() {
            self.reader = match Reader::open(segment) {
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                opened => Some(opened?),
            };
        }
        let Some(reader) = &mut self.reader else {
            return Ok(std::mem::take(&mut segment.unread));
        };
        while segment.unread > 0 && self.ends.len() < most {
            match reader.next() {
                Some(Found::Entry(entry)) => {
                    if !self.ends.is_empty() && entry.len() > bytes {
                        break;
                    }
                    bytes = bytes.saturating_sub(entry.len());
                    let whole = AROUND + entry.len();
                    into.push(entry.to_vec());
                    reader.parsed += whole;
                    self.ends.push_back(reader.at());
                    segment.unread -= 1;
                }
                Some(Found::Damaged(bytes)) => reader.parsed += bytes,
                None if !self.ends.is_empty() => break,
                None => {
                    if !reader.load(segment.len)? {
                        return Ok(std::mem::take(&mut segment.unread));
                    }
                }
            }
        }
        Ok(0)
    }

    /// So many of the oldest entries that were read need not be read again.
    pub fn acknowledge(&mut self, count: usize) {
        let Some(end) = self.ends.drain(..count.min(self.ends.len())).next_back() else {
            return;
        };
        let Some(segment) = self.segments.front_mut() else {
            return;
        };
        segment.acknowledged = end;
        if segment.unread > 0 || !self.ends.is_empty() {
            if let Some(Reader { file, .. }) = &mut self.reader {
                // Where that fails they will be read again.
                let _ = file
                    .rewind()
                    .and_then(|()| file.write_all(&segment::head(end)));
            }
        } else {
            self.retire();
        }
    }

    /// What is read and not acknowledged will be read once more.
    pub fn rewind(&mut self) {
        if let Some(segment) = self.segments.front_mut() {
            segment.unread += self.ends.len();
        }
        self.ends.clear();
        self.reader = None;
    }

    /// Removes segments of which nothing is needed any more.
    fn retire(&mut self) {
        while self.ends.is_empty()
            && self.segments.front().is_some_and(|first| first.unread == 0)
            && let Some(done) = self.segments.pop_front()
        {
            self.reader = None;
            self.bytes -= done.len;
            remove(&done.path);
            if self.segments.is_empty() {
                self.tail = None;
            }
        }
    }
}

fn remove(path: &Path) {
    // Where that fails it will be read again, by a later process.
    let _ = fs::remove_file(path);
}

/// A segment that somebody has left.
fn scanned(number: u64, path: PathBuf) -> io::Result<Segment> {
    let file = fs::read(&path)?;
    let acknowledged = segment::acknowledged(&file);
    let (mut place, mut unread) = (acknowledged, 0);
    while let Some(found) = segment::next(file.get(place as usize..).unwrap_or_default(), place) {
        unread += 1;
        place += match found {
            Found::Entry(bytes) => AROUND + bytes.len(),
            Found::Damaged(bytes) => bytes,
        } as u64;
    }
    if file.len() < HEAD {
        unread = 1; // its process was killed when it began it
    }
    Ok(Segment {
        path,
        number,
        len: file.len() as u64,
        acknowledged,
        unread,
    })
}
