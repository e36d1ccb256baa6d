//! Against real sockets on this machine.
use super::*;
use crate::queue::Waited;
use std::io::Read;
use std::net::{TcpListener, TcpStream};

fn sender(port: u16, deadline: Duration) -> Sender {
    let target = Target::Tcp("127.0.0.1".to_owned(), port);
    sender_with(options(target, deadline))
}

fn options(target: Target, deadline: Duration) -> Options {
    Options {
        backoff: backoff::Settings {
            base: Duration::from_millis(20),
            deadline,
            ..backoff::Settings::default()
        },
        ..Options::new(target, Protocol::Frames)
    }
}

fn sender_with(options: Options) -> Sender {
    let limits = Limits {
        entries: 1000,
        bytes: 1 << 24,
    };
    Sender::new(options, limits, Overflow::Block)
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A port that nobody listens at, and that no other test is given.
const CLOSED: u16 = 1;

fn send(sender: &Sender, frame: &[u8]) {
    let offered = sender.offer(frame.to_vec(), false).unwrap();
    assert!(matches!(offered, Offer::Queued(_)));
}

fn read(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

const SOON: Duration = Duration::from_secs(20);

#[test]
fn frames_arrive_in_order_and_the_end_after_them() {
    let (listener, port) = listener();
    let sender = sender(port, SOON);
    for number in 0..100 {
        send(&sender, &[number; 3]);
    }
    let mut peer = listener.accept().unwrap().0;
    assert!(sender.queue().wait_done(sender.queue().mark(), Some(SOON)));
    assert!(sender.status().connected && sender.descriptor() >= 0);
    sender.close();
    let mut bytes = Vec::new();
    peer.read_to_end(&mut bytes).unwrap();
    drop(peer);
    let expected: Vec<u8> = (0..100).flat_map(|number| [number; 3]).collect();
    assert_eq!(bytes, expected);
    assert!(sender.wait_ended(SOON));
    let ledger = sender.queue().ledger();
    assert_eq!((ledger.emitted, ledger.written), (100, 100));
    assert_eq!(sender.descriptor(), -1);
}

#[test]
fn a_connection_that_the_peer_has_ended_is_replaced_before_anything_is_lost() {
    let (listener, port) = listener();
    let sender = sender(port, SOON);
    for round in 1..4 {
        send(&sender, &[round; 3]);
        let mut peer = listener.accept().unwrap().0;
        assert_eq!(read(&mut peer, 3), [round; 3]);
    }
    assert!(sender.queue().wait_done(3, Some(SOON)));
    assert_eq!(sender.status().connections, 3);
    assert_eq!(sender.queue().ledger().written, 3);
}

#[test]
fn after_the_deadline_what_waits_is_dropped_and_the_next_one_tries_anew() {
    let sender = sender(CLOSED, Duration::from_millis(60));
    send(&sender, b"one");
    send(&sender, b"two");
    assert!(sender.queue().wait_done(2, Some(SOON)));
    assert_eq!(sender.queue().ledger().dropped.of(Reason::Deadline), 2);
    assert!(sender.status().error.contains("refused"));
    let begin = Instant::now();
    send(&sender, b"three");
    assert!(sender.queue().wait_done(3, Some(SOON)));
    assert!(begin.elapsed() >= Duration::from_millis(60));
    assert_eq!(sender.queue().ledger().dropped.of(Reason::Deadline), 3);
}

#[test]
fn closing_ends_a_wait_at_once() {
    let (begin, sender) = (Instant::now(), sender(CLOSED, SOON));
    send(&sender, b"one");
    while sender.status().error.is_empty() {
        std::thread::yield_now();
    }
    sender.close();
    assert!(sender.wait_ended(SOON));
    assert!(begin.elapsed() < SOON);
    assert_eq!(sender.queue().ledger().dropped.of(Reason::Closed), 1);
}

#[test]
fn a_peer_that_reads_nothing_is_cut_off_by_cancelling() {
    let (listener, port) = listener();
    let sender = sender(port, SOON);
    for _ in 0..16 {
        send(&sender, &vec![0; 1 << 20]);
    }
    let peer = listener.accept().unwrap().0;
    while sender.queue().ledger().queued > 0 {
        std::thread::yield_now();
    }
    assert!(!sender.wait_ended(Duration::ZERO));
    sender.cancel();
    assert!(sender.wait_ended(SOON));
    let ledger = sender.queue().ledger();
    assert_eq!(ledger.in_flight, 0);
    assert_eq!(ledger.written + ledger.dropped.of(Reason::Closed), 16);
    drop(peer);
}

#[test]
fn beyond_the_deadline_the_fallback_has_it_at_once() {
    let target = Target::Tcp("127.0.0.1".to_owned(), CLOSED);
    let sender = sender_with(Options {
        has_fallback: true,
        ..options(target, Duration::from_millis(60))
    });
    let fallback = sender.fallback().unwrap();
    let (mut taken, frames) = (
        Vec::new(),
        [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()],
    );
    send(&sender, &frames[0]);
    send(&sender, &frames[1]);
    assert!(sender.queue().wait_done(2, Some(SOON)));
    send(&sender, &frames[2]);
    assert!(sender.queue().wait_done(3, Some(SOON)));
    fallback.take(9, &mut taken);
    assert_eq!(taken, frames);
    let ledger = sender.queue().ledger();
    assert_eq!((ledger.failed, ledger.dropped.total()), (3, 0));
    sender.close();
    assert!(sender.wait_ended(SOON));
    assert_eq!(fallback.wait_filled(None), Waited::Closed);
}

#[cfg(unix)]
#[test]
fn what_waits_beyond_the_deadline_or_the_end_is_sent_in_order_later() {
    use std::os::unix::net::UnixListener;
    let dir = std::env::temp_dir().join(format!("femtolog-outage-{}", std::process::id()));
    let path = dir.with_extension("socket");
    let _ = std::fs::remove_file(&path);
    let spool = spool::Options {
        dir: dir.clone(),
        kind: "frames",
        bytes: 1 << 20,
    };
    let new = || {
        let sender = sender_with(Options {
            spool: Some(spool.clone()),
            ..options(Target::Unix(path.clone()), Duration::from_millis(30))
        });
        sender.open_spool().unwrap();
        sender
    };
    let mut number = 0_u16;
    let mut send_more = |sender: &Sender, count| {
        for _ in 0..count {
            send(sender, &number.to_le_bytes());
            number += 1;
        }
    };
    let first = new();
    send_more(&first, 10);
    while first.queue().ledger().on_disk < 10 {
        std::thread::yield_now();
    }
    send_more(&first, 1500); // more than the queue holds
    first.close();
    assert!(first.wait_ended(SOON));
    let ledger = first.queue().ledger();
    assert_eq!((ledger.on_disk, ledger.dropped.total()), (1510, 0));
    assert_eq!(first.queue().wait_filled(None), Waited::Closed);

    let second = new();
    assert_eq!(second.queue().ledger().recovered, 1510);
    send_more(&second, 10);
    let listener = UnixListener::bind(&path).unwrap();
    let mut peer = listener.accept().unwrap().0;
    assert!(second.queue().wait_done(second.queue().mark(), Some(SOON)));
    send_more(&second, 10);
    second.close();
    let mut bytes = Vec::new();
    peer.read_to_end(&mut bytes).unwrap();
    drop(peer);
    assert!(second.wait_ended(SOON));
    let expected: Vec<u8> = (0..number).flat_map(u16::to_le_bytes).collect();
    assert_eq!(bytes, expected);
    assert_eq!(second.queue().ledger().in_flight, 0);
    let _ = std::fs::remove_dir_all(dir);
    let _ = std::fs::remove_file(path);
}

/// Takes three bytes, fails once, and takes everything.
struct Moody(u8, std::sync::mpsc::Sender<Vec<u8>>);

impl std::io::Write for Moody {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += 1;
        let taken = match self.0 {
            1 => 3,
            2 => return Err(io::ErrorKind::StorageFull.into()),
            _ => bytes.len(),
        };
        let _ = self.1.send(bytes[..taken].to_vec());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_gets_a_line_again_that_it_has_not_taken_whole() {
    let (text, written) = std::sync::mpsc::channel();
    let target = Target::Writer(Writer::new(Moody(0, text)));
    let sender = sender_with(options(target, SOON));
    send(&sender, b"a line\n");
    assert!(sender.queue().wait_done(1, Some(SOON)));
    send(&sender, b"another\n");
    sender.close();
    assert!(sender.wait_ended(SOON));
    let ledger = sender.queue().ledger();
    assert_eq!((ledger.emitted, ledger.written), (2, 2));
    drop(sender);
    let text: Vec<u8> = written.into_iter().flatten().collect();
    assert_eq!(text, b"a l\na line\nanother\n");
}
