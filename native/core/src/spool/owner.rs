//! Who may use which files of a directory: several processes share one, and each has the files of its own slot.
//!
//! A slot belongs to whoever has locked its file. What a process has left in its slot when it ended is whoever's that locks the slot next.
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Slots of a directory, locked until this is dropped.
pub(super) struct Owner {
    dir: PathBuf,
    kind: &'static str,
    /// Where new files go.
    slot: u32,
    locks: Vec<File>,
}

impl Owner {
    /// Makes the directory if it is not there, and takes the first slot that is free, and all others that somebody has left files in.
    /// These files come with it, in their order.
    pub(super) fn of(dir: &Path, kind: &'static str) -> io::Result<(Self, Vec<(u64, PathBuf)>)> {
        make_directory(dir)?;
        let mut owner = Self {
            dir: dir.to_owned(),
            kind,
            slot: 0,
            locks: Vec::new(),
        };
        while !owner.lock(owner.slot)? {
            owner.slot += 1;
        }
        let mut found = Vec::new();
        for file in fs::read_dir(dir)? {
            let path = file?.path();
            found.extend(owner.slot_and_number(&path).map(|at| (at, path)));
        }
        let mut owned = BTreeSet::from([owner.slot]);
        for slot in found
            .iter()
            .map(|((slot, _), _)| *slot)
            .collect::<BTreeSet<_>>()
        {
            if slot != owner.slot && owner.lock(slot)? {
                owned.insert(slot);
            }
        }
        // Those of a slot whose owner has ended in the meantime may be read already.
        found.retain(|((slot, _), path)| owned.contains(slot) && path.exists());
        found.sort_unstable();
        let files = found.into_iter().map(|((_, number), path)| (number, path));
        Ok((owner, files.collect()))
    }

    /// The path of a file of its own.
    pub(super) fn path(&self, number: u64) -> PathBuf {
        let (slot, kind) = (self.slot, self.kind);
        self.dir.join(format!("{slot}-{number:016x}.{kind}"))
    }

    fn slot_and_number(&self, path: &Path) -> Option<(u32, u64)> {
        let (stem, kind) = path.file_name()?.to_str()?.split_once('.')?;
        let (slot, number) = stem.split_once('-')?;
        let number = u64::from_str_radix(number, 16).ok()?;
        (kind == self.kind).then_some((slot.parse().ok()?, number))
    }

    fn lock(&mut self, slot: u32) -> io::Result<bool> {
        let path = self.dir.join(format!("{slot}.{}.lock", self.kind));
        let file = private().create(true).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => self.locks.push(file),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(true)
    }

    /// A forked child keeps the slots locked that its parent had, until it closes these.
    pub(super) fn descriptors(&self) -> Vec<i32> {
        #[cfg(unix)]
        return self
            .locks
            .iter()
            .map(std::os::fd::AsRawFd::as_raw_fd)
            .collect();
        #[cfg(not(unix))]
        Vec::new()
    }
}

/// How a file is opened that nobody else may read.
pub(super) fn private() -> OpenOptions {
    #[cfg_attr(not(unix), allow(unused_mut, reason = "there is no mode"))]
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn make_directory(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir)
}
