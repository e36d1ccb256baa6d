//! The thread of a sender.
use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::connection::{Connection, Socket};
use super::{Reason, Shared, Stage};
use crate::backoff::Backoff;
use crate::queue::Waited;

/// After so long a disk that could not be read is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// What became of the first of some items.
pub(super) enum Answer {
    /// So many are delivered; none where they are to be sent in another way, at once.
    Taken(usize),
    /// So many are not wanted, now or later, and why.
    Refused(usize, Reason, String),
    /// None are wanted for so long, and why.
    Later(Duration, String),
    /// So many were delivered; then the connection broke.
    Broken(usize, io::Error),
}

/// How items go over a connection, and what is answered.
pub(super) trait Exchange {
    /// Sends some of them, from the first one on.
    fn deliver(&mut self, connection: &mut Connection, items: &[Vec<u8>]) -> Answer;
}

thread_local! {
    static IS_SENDER: Cell<bool> = const { Cell::new(false) };
}

/// Is this the thread of a sender?
pub(super) fn is_here() -> bool {
    IS_SENDER.get()
}

/// Sends what is in the queue until it is closed and empty, or there is no more hope.
pub(super) fn run(shared: &Shared) {
    IS_SENDER.set(true);
    let mut worker = Worker {
        shared,
        exchange: shared.options.protocol.exchange(),
        backoff: Backoff::new(shared.options.backoff),
        connection: None,
        hand: Vec::new(),
        hand_is_of_disk: false,
        is_down: false,
    };
    while worker.serve() {}
}

struct Worker<'a> {
    shared: &'a Shared,
    exchange: Box<dyn Exchange>,
    backoff: Backoff,
    connection: Option<Connection>,
    /// What has been taken from the queue and not been reported.
    hand: Vec<Vec<u8>>,
    hand_is_of_disk: bool,
    /// The peer is away for longer than the deadline, and everything is the fallback's until it is back.
    is_down: bool,
}

impl Worker<'_> {
    /// One batch, or one attempt at it. False: it was the last.
    fn serve(&mut self) -> bool {
        if self.hand.is_empty() && !self.gather() {
            return false;
        }
        let stage = self.shared.state().stage;
        if stage == Stage::Cancelled {
            return false;
        }
        let Err(asked) = self.attempt() else {
            return true;
        };
        if stage == Stage::Closing {
            return false;
        }
        if let Some(wait) = self.backoff.failed(Instant::now(), random(), asked) {
            self.pause(Instant::now() + wait);
        } else {
            self.give_up(Reason::Deadline);
            self.is_down = self.shared.aside.diverts();
        }
        true
    }

    /// Waits until then, unless somebody closes the sender.
    fn pause(&mut self, until: Instant) {
        if self.is_down {
            self.give_up(Reason::Deadline);
            let left = || until.saturating_duration_since(Instant::now());
            while self.shared.queue.wait_filled(Some(left())) == Waited::Ready {
                self.give_up(Reason::Deadline);
            }
        }
        let mut state = self.shared.state();
        while state.stage == Stage::Working && Instant::now() < until {
            state = self.shared.wait(state, until);
        }
    }

    /// Takes a batch from the queue. False: there will be none.
    fn gather(&mut self) -> bool {
        let Shared { queue, aside, .. } = self.shared;
        let batch = self.shared.options.batch;
        if queue.wait_filled(None) == Waited::Closed && !aside.has_on_disk(queue) {
            return false;
        }
        // While there is something on disk, what comes goes there: nothing would gather here.
        if !batch.wait.is_zero() && !aside.has_on_disk(queue) {
            let _ = queue.wait_gathered(batch.limits, Some(batch.wait));
        }
        match aside.take(queue, batch.limits, &mut self.hand) {
            Ok(of_disk) => self.hand_is_of_disk = of_disk,
            Err(_) if queue.is_closed() => return false,
            // Too many open files, say: what is on disk stays there until it can be read.
            Err(_) => self.pause(Instant::now() + RETRY),
        }
        true
    }

    /// Delivers what is in hand, over the connection there is, and over a new one if there is none or it breaks.
    ///
    /// # Errors
    /// It is to be tried again, after so long at the earliest.
    fn attempt(&mut self) -> Result<(), Duration> {
        while !self.hand.is_empty() {
            let used = self.still_connected();
            let is_new = used.is_none();
            let mut connection = match used {
                Some(connection) => connection,
                None => self.connect().map_err(|error| {
                    self.disconnected(&error);
                    Duration::ZERO
                })?,
            };
            match self.exchange.deliver(&mut connection, &self.hand) {
                Answer::Taken(count) => {
                    self.connection = Some(connection);
                    if count > 0 {
                        self.note(String::new());
                    }
                    self.settle(count);
                }
                Answer::Refused(count, reason, why) => {
                    self.connection = Some(connection);
                    self.note(why);
                    self.hand.drain(..count);
                    self.shared
                        .aside
                        .drop_taken(&self.shared.queue, count, reason);
                    self.backoff.succeeded(Instant::now());
                }
                Answer::Later(asked, why) => {
                    self.connection = Some(connection);
                    self.note(why);
                    return Err(asked);
                }
                Answer::Broken(count, error) => {
                    self.settle(count);
                    self.disconnected(&error);
                    if is_new {
                        return Err(Duration::ZERO);
                    }
                }
            }
        }
        Ok(())
    }

    /// The connection, unless the peer has ended it.
    fn still_connected(&mut self) -> Option<Connection> {
        let mut connection = self.connection.take()?;
        if connection.is_alive() {
            return Some(connection);
        }
        self.disconnected(&io::ErrorKind::ConnectionReset.into());
        None
    }

    fn connect(&self) -> io::Result<Connection> {
        let connection = Connection::open(&self.shared.options, |socket| self.show(socket))?;
        let mut state = self.shared.state();
        state.status.connected = true;
        state.status.connections += 1;
        Ok(connection)
    }

    /// Reports so many as written.
    fn settle(&mut self, count: usize) {
        if count > 0 {
            let bytes = self
                .hand
                .drain(..count)
                .map(|item| item.len() as u64)
                .sum::<u64>();
            self.shared.state().status.bytes += bytes;
            self.shared.aside.finish(&self.shared.queue, count);
            self.is_down = false;
            self.backoff.succeeded(Instant::now());
        }
    }

    /// Says what is wrong though there is a connection; empty: nothing. Before it is reported what became of records.
    fn note(&self, why: String) {
        self.shared.state().status.error = why;
    }

    /// Lets others see the socket that is going to be used.
    fn show(&self, socket: Arc<Socket>) -> io::Result<()> {
        let mut state = self.shared.state();
        if state.stage == Stage::Cancelled {
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.shared
            .descriptor
            .store(socket.descriptor(), Ordering::Relaxed);
        state.socket = Some(socket);
        Ok(())
    }

    fn disconnected(&self, error: &io::Error) {
        // Before the descriptor is closed, and may become another's.
        self.shared.descriptor.store(-1, Ordering::Relaxed);
        let mut state = self.shared.state();
        state.socket = None;
        state.status.connected = false;
        state.status.error = error.to_string();
    }

    /// What is in hand, and what is queued behind it, goes to disk, to the fallback, or is dropped.
    fn give_up(&mut self, reason: Reason) {
        let Shared { queue, aside, .. } = self.shared;
        let of_disk = if self.hand_is_of_disk {
            self.hand.len()
        } else {
            0
        };
        aside.take_over(queue, of_disk, std::mem::take(&mut self.hand), reason);
        self.hand_is_of_disk = false;
    }
}

impl Drop for Worker<'_> {
    /// Also where something has panicked: then nobody may wait for it.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.note("its thread has panicked".to_owned());
        }
        self.shared.queue.close();
        self.give_up(Reason::Closed);
        self.shared.aside.close();
        self.shared.descriptor.store(-1, Ordering::Relaxed);
        let cancelled = self.shared.state().stage == Stage::Cancelled;
        if let Some(connection) = self.connection.take().filter(|_| !cancelled) {
            connection.end();
        }
        let mut state = self.shared.state();
        state.socket = None;
        state.status.connected = false;
        state.stage = Stage::Ended;
        drop(state);
        self.shared.changed.notify_all();
    }
}

/// Any number: the keys of hash tables differ from one to the next.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
