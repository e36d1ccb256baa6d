//! Items to a peer, by a thread of their own: connects, sends, and begins anew when the connection breaks.
//!
//! What is to be sent waits in a [`Queue`], so every item is accounted for. How items go over a connection is a [`Protocol`]'s, and what *written*
//! means: with [`Frames`](Protocol::Frames) that the operating system has taken a frame whole (with TLS: encrypted and whole); no answer of the
//! peer is waited for. With [`Http`](Protocol::Http) that the peer has said so. What a connection breaks in is sent again, from its beginning, over the next one. A thread is started by the first item; it
//! touches nothing but this module's data, and the [`Writer`] that may stand in the place of a peer.
mod aside;
mod connection;
mod frames;
mod http;
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod tls;
mod worker;
mod writer;

use std::io;
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::backoff;
use crate::queue::{Limits, Offer, Overflow, Queue, Reason};
use crate::spool;
use aside::Aside;
use connection::Socket;
pub use http::{Body, Coding, Http};
#[cfg(feature = "tls")]
pub use tls::{Identity, Tls};
pub use writer::Writer;

/// Where the peer is.
#[derive(Clone, Debug)]
pub enum Target {
    Tcp(String, u16),
    /// A socket in the file system.
    #[cfg(unix)]
    Unix(PathBuf),
    /// There is none: lines are written here.
    Writer(Writer),
}

/// How it is reached.
#[derive(Clone, Debug)]
pub struct Options {
    pub target: Target,
    /// For all of an attempt: addresses, TLS.
    pub connect_timeout: Duration,
    /// For each time the socket takes bytes; for a request and its answer.
    pub write_timeout: Duration,
    pub backoff: backoff::Settings,
    pub batch: Batch,
    pub protocol: Protocol,
    /// What has no room in the queue, or waits beyond the deadline, is kept there and sent later.
    pub spool: Option<spool::Options>,
    /// What would be dropped at the deadline, or has no room in the spool, is for whoever takes it from [`Sender::fallback`].
    pub has_fallback: bool,
    #[cfg(feature = "tls")]
    pub tls: Option<Tls>,
}

impl Options {
    /// Five seconds to connect and to write, and nothing aside.
    #[must_use]
    pub fn new(target: Target, protocol: Protocol) -> Self {
        Self {
            target,
            connect_timeout: Duration::from_secs(5),
            write_timeout: Duration::from_secs(5),
            backoff: backoff::Settings::default(),
            batch: Batch::default(),
            protocol,
            spool: None,
            has_fallback: false,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

/// What is taken from the queue, and handed to the protocol, at once.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    pub limits: Limits,
    /// For so long the first item waits for others, unless somebody [hurries](Queue::hurry).
    pub wait: Duration,
}

impl Default for Batch {
    /// 256 items, without waiting.
    fn default() -> Self {
        Self {
            limits: Limits {
                entries: 256,
                bytes: usize::MAX,
            },
            wait: Duration::ZERO,
        }
    }
}

/// How items go over a connection.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// As they are, one after the other.
    Frames,
    /// As requests of HTTP/1.1.
    Http(Arc<Http>),
}

impl Protocol {
    fn exchange(&self) -> Box<dyn worker::Exchange> {
        match self {
            Protocol::Frames => Box::new(frames::Frames),
            Protocol::Http(http) => Box::new(http::Requests::new(Arc::clone(http))),
        }
    }
}

/// What is known of the connection.
#[derive(Clone, Default, Debug)]
pub struct Status {
    pub connected: bool,
    /// How many were made so far.
    pub connections: u64,
    /// Why the last attempt failed, or the last connection ended, or what the peer has refused; empty while all is well.
    pub error: String,
    /// Bytes of the items that were delivered, each counted once, as they were before anything was compressed.
    pub bytes: u64,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// There is no thread yet.
    #[default]
    Idle,
    Working,
    /// No waits any more: a last attempt, then what is left is dropped.
    Closing,
    /// Not even that.
    Cancelled,
    /// There is no thread any more.
    Ended,
}

#[derive(Default)]
struct State {
    stage: Stage,
    /// The socket in use, to be shut down by whoever cancels.
    socket: Option<Arc<Socket>>,
    status: Status,
}

struct Shared {
    queue: Queue<Vec<u8>>,
    aside: Aside,
    options: Options,
    state: Mutex<State>,
    changed: Condvar,
    /// The descriptor in use, or -1: to be read without a lock in a forked child.
    descriptor: AtomicI32,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change of the state, until then at the latest.
    fn wait<'a>(&self, state: MutexGuard<'a, State>, until: Instant) -> MutexGuard<'a, State> {
        let left = until.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout(state, left);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Sends items to a peer; see the [module](self). Dropping it closes it: what is in its queue is still sent if the peer is there.
pub struct Sender {
    shared: Arc<Shared>,
    /// It belongs to the parent of this process.
    left: AtomicBool,
}

impl Sender {
    #[must_use]
    pub fn new(options: Options, limits: Limits, overflow: Overflow) -> Self {
        let overflow = match options.spool {
            Some(_) => Overflow::Spill,
            None => overflow,
        };
        Self::with(options, Queue::new(limits, overflow))
    }

    /// Another one with the same options, and nothing in it; no lock is taken.
    #[must_use]
    pub fn renewed(&self) -> Self {
        Self::with(self.shared.options.clone(), self.shared.queue.renewed())
    }

    fn with(options: Options, queue: Queue<Vec<u8>>) -> Self {
        Self {
            shared: Arc::new(Shared {
                aside: Aside::new(&options, queue.limits()),
                queue,
                options,
                state: Mutex::default(),
                changed: Condvar::new(),
                descriptor: AtomicI32::new(-1),
            }),
            left: AtomicBool::new(false),
        }
    }

    /// Its queue, for marks, waits and the account. What is offered directly is not sent before something is [offered](Self::offer) here.
    #[must_use]
    pub fn queue(&self) -> &Queue<Vec<u8>> {
        &self.shared.queue
    }

    /// Puts an item on the queue, as far as that takes no waiting: [`Queue::offer`]. The thread of a sender, where a [`Writer`] logs, is never
    /// asked to wait: [`Queue::offer_from_consumer`].
    ///
    /// # Errors
    /// The thread cannot be started; nothing was counted.
    pub fn offer(&self, item: Vec<u8>, protected: bool) -> io::Result<Offer<Vec<u8>>> {
        self.start()?;
        let (Shared { queue, aside, .. }, weight) = (&*self.shared, item.len());
        let mut offered = queue.offer(item, weight, protected);
        if let Offer::Full(item) = offered {
            offered = aside.put(queue, item);
        }
        Ok(match offered {
            Offer::Full(item) if worker::is_here() => {
                queue.offer_from_consumer(item, weight, protected)
            }
            offered => offered,
        })
    }

    /// Opens the spool now, with what an earlier process has left there, which is sent first.
    ///
    /// # Errors
    /// Its directory cannot be used.
    pub fn open_spool(&self) -> io::Result<()> {
        self.shared.aside.open(&self.shared.queue)
    }

    /// The queue of what the fallback is to have, if there is one: its consumer's, who reports each. Nothing is put there after the thread has ended.
    #[must_use]
    pub fn fallback(&self) -> Option<&Queue<Vec<u8>>> {
        self.shared.aside.fallback()
    }

    fn start(&self) -> io::Result<()> {
        let mut state = self.shared.state();
        if state.stage == Stage::Idle {
            let shared = Arc::clone(&self.shared);
            std::thread::Builder::new()
                .name("femtolog-sender".to_owned())
                .spawn(move || worker::run(&shared))?;
            state.stage = Stage::Working;
        }
        Ok(())
    }

    /// What is known of the connection.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.state().status.clone()
    }

    /// The connection's descriptor; -1: none. Takes no lock.
    #[must_use]
    pub fn descriptor(&self) -> i32 {
        self.shared.descriptor.load(Ordering::Relaxed)
    }

    /// The descriptors that a forked child has inherited and should close. Takes no lock.
    #[must_use]
    pub fn descriptors(&self) -> Vec<i32> {
        let socket = Some(self.descriptor()).filter(|socket| *socket >= 0);
        let others = self.shared.aside.descriptors().iter().copied();
        socket.into_iter().chain(others).collect()
    }

    /// Lets nothing more in, and ends any wait for the next attempt.
    pub fn close(&self) {
        close(&self.shared);
    }

    /// Waits until the thread has sent what was in the queue, or has given up, and has ended the connection. False: not yet.
    #[must_use]
    pub fn wait_ended(&self, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let mut state = self.shared.state();
        while state.stage != Stage::Ended {
            if Instant::now() >= until {
                return false;
            }
            state = self.shared.wait(state, until);
        }
        true
    }

    /// Ends the connection in the middle of whatever it does, and drops everything as [closed](Reason::Closed) that no spool keeps.
    pub fn cancel(&self) {
        self.close();
        let mut state = self.shared.state();
        state.stage = state.stage.max(Stage::Cancelled);
        if let Some(socket) = &state.socket {
            socket.shut_down();
        }
        drop(state);
        self.shared.changed.notify_all();
        let Shared { queue, aside, .. } = &*self.shared;
        aside.close_fallback();
        aside.take_over(queue, 0, Vec::new(), Reason::Closed);
    }

    /// Keeps the memory for ever, and takes no lock from now on. For a forked child: a thread that the child does not have may have been
    /// holding one.
    pub fn leave_to_parent(&self) {
        if !self.left.swap(true, Ordering::Relaxed) {
            std::mem::forget(Arc::clone(&self.shared));
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if !self.left.load(Ordering::Relaxed) {
            close(&self.shared);
        }
    }
}

fn close(shared: &Shared) {
    shared.queue.close();
    let mut state = shared.state();
    state.stage = match state.stage {
        Stage::Idle => {
            shared.aside.close();
            Stage::Ended
        }
        stage => stage.max(Stage::Closing),
    };
    drop(state);
    shared.changed.notify_all();
}
