//! The thread of a sender.
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::connection::{Connection, Socket};
use super::{Reason, Shared, Stage};
use crate::backoff::Backoff;
use crate::queue::Waited;

/// So many frames are taken at once, and written with one call where the socket takes them.
const BATCH: usize = 256;

/// Sends what is in the queue until it is closed and empty, or there is no more hope.
pub(super) fn run(shared: &Shared) {
    let mut worker = Worker {
        shared,
        backoff: Backoff::new(shared.options.backoff),
        connection: None,
        hand: Vec::new(),
    };
    while worker.serve() {}
}

struct Worker<'a> {
    shared: &'a Shared,
    backoff: Backoff,
    connection: Option<Connection>,
    /// What has been taken from the queue and not been reported.
    hand: Vec<Vec<u8>>,
}

impl Worker<'_> {
    /// One batch, or one attempt at it. False: it was the last.
    fn serve(&mut self) -> bool {
        if self.hand.is_empty() {
            if self.shared.queue.wait_filled(None) == Waited::Closed {
                return false;
            }
            self.shared.queue.take(BATCH, &mut self.hand);
        }
        let stage = self.shared.state().stage;
        if stage == Stage::Cancelled {
            return false;
        }
        let Err(error) = self.attempt() else {
            return true;
        };
        self.disconnected(&error);
        if stage == Stage::Closing {
            return false;
        }
        match self.backoff.failed(Instant::now(), random()) {
            Some(wait) => {
                let until = Instant::now() + wait;
                let mut state = self.shared.state();
                while state.stage == Stage::Working && Instant::now() < until {
                    state = self.shared.wait(state, until);
                }
            }
            None => self.give_up(Reason::Deadline),
        }
        true
    }

    /// Sends what is in hand over the connection there is, and over a new one if there is none or it breaks.
    fn attempt(&mut self) -> io::Result<()> {
        if let Some(mut connection) = self.connection.take() {
            if connection.is_alive() {
                match self.send(&mut connection) {
                    Ok(()) => {
                        self.connection = Some(connection);
                        return Ok(());
                    }
                    Err(error) => self.disconnected(&error),
                }
            } else {
                self.disconnected(&io::ErrorKind::ConnectionReset.into());
            }
        }
        let mut connection = Connection::open(&self.shared.options, |socket| self.show(socket))?;
        {
            let mut state = self.shared.state();
            state.status.connected = true;
            state.status.connections += 1;
            state.status.error.clear();
        }
        self.send(&mut connection)?;
        self.connection = Some(connection);
        Ok(())
    }

    fn send(&mut self, connection: &mut Connection) -> io::Result<()> {
        let result = connection.send(&self.hand.concat());
        let count = match &result {
            Ok(()) => self.hand.len(),
            Err((sent, _)) => {
                let mut end = 0;
                let whole = |frame: &&Vec<u8>| {
                    end += frame.len();
                    end <= *sent
                };
                self.hand.iter().take_while(whole).count()
            }
        };
        if count > 0 {
            self.hand.drain(..count);
            self.shared.queue.finish(count, 0);
            self.backoff.succeeded(Instant::now());
        }
        result.map_err(|(_, error)| error)
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

    /// Drops what is in hand, and what is queued behind it.
    fn give_up(&mut self, reason: Reason) {
        self.shared.queue.take(usize::MAX, &mut self.hand);
        self.shared.queue.drop_taken(self.hand.len(), reason);
        self.hand.clear();
    }
}

impl Drop for Worker<'_> {
    /// Also where something has panicked: then nobody may wait for it.
    fn drop(&mut self) {
        self.shared.queue.close();
        self.give_up(Reason::Closed);
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
