//! Loggers and handlers, against real files, threads and sockets.
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use femtolog::{
    BackoffConfig, FemtoFilter, FemtoHandlerTrait, FemtoLevel, FemtoLogRecord, FemtoLogger,
    FileHandlerBuilder, Format, HandlerBuilderTrait, HandlerError, OverflowPolicy, Reason,
    RecordMetadata, SocketHandlerBuilder, StreamHandlerBuilder, get_logger,
};
use femtolog_core::wire;

const SOON: Duration = Duration::from_secs(30);

fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn record(level: FemtoLevel, message: &str) -> FemtoLogRecord {
    FemtoLogRecord::new("app", level, message)
}

/// A writer that a test keeps a reference to.
#[derive(Default)]
struct Shared<W>(Arc<Mutex<W>>);

impl<W> Shared<W> {
    fn same(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    fn lock(&self) -> MutexGuard<'_, W> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> Write for Shared<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().flush()
    }
}

#[test]
fn every_record_of_every_thread_is_in_the_file_and_in_the_account() {
    let (path, threads) = (folder("threads").join("app.log"), 4);
    let each = std::env::var("FEMTOLOG_STRESS_RECORDS").map_or(1000, |text| text.parse().unwrap());
    let builder = FileHandlerBuilder::new(&path).with_overflow_policy(OverflowPolicy::Block);
    let handler = builder.with_capacity(64).build().unwrap();
    let logger = FemtoLogger::new("app").unwrap();
    logger.add_handler(Arc::clone(&handler));
    thread::scope(|scope| {
        for name in 0..threads {
            let logger = &logger;
            scope.spawn(move || {
                for number in 0..each {
                    assert!(logger.info(format_args!("{name} {number}")));
                }
            });
        }
    });
    assert!(handler.flush(SOON));
    let ledger = handler.ledger();
    assert!(ledger.adds_up());
    assert_eq!(ledger.written, threads * each);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count() as u64, threads * each);
    for name in 0..threads {
        let begin = format!("app [INFO] {name} ");
        let numbers = text.lines().filter_map(|line| line.strip_prefix(&begin));
        assert!(numbers.eq((0..each).map(|number| number.to_string())));
    }
    logger.info("last");
    drop((logger, handler)); // the last reference: what is queued is written
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        text + "app [INFO] last\n"
    );
}

#[test]
fn what_has_no_room_is_dropped_by_the_policy_and_errors_last() {
    let briefly = OverflowPolicy::Timeout(Duration::from_millis(1));
    for (policy, kept, reason) in [
        (OverflowPolicy::Drop, "a", Reason::Overflow),
        (OverflowPolicy::DropOldest, "d", Reason::Overflow),
        (briefly, "a", Reason::Timeout),
    ] {
        let text = Shared::<Vec<u8>>::default();
        let builder = StreamHandlerBuilder::with_writer(text.same());
        let builder = builder.with_capacity(3).with_overflow_policy(policy);
        let builder = builder.with_formatter(|record: &FemtoLogRecord| record.message.clone());
        let handler = builder.build().unwrap();
        let busy = text.lock();
        let handle = |level, message| handler.handle(&record(level, message));
        handle(FemtoLevel::Info, "in hand").unwrap();
        while handler.ledger().queued > 0 {
            thread::yield_now();
        }
        for message in ["a", "b"] {
            handle(FemtoLevel::Info, message).unwrap();
        }
        for message in ["c", "d"] {
            match handle(FemtoLevel::Info, message) {
                Err(HandlerError::Dropped(why)) => assert_eq!(why, reason),
                outcome => assert!(outcome.is_ok() && policy == OverflowPolicy::DropOldest),
            }
        }
        handle(FemtoLevel::Error, "e").unwrap();
        drop(busy);
        assert!(!handler.flush(SOON)); // what was queued has made room for the error
        assert!(handler.flush(SOON));
        let expected = format!("in hand\n{kept}\ne\n");
        assert_eq!(*text.lock(), expected.as_bytes(), "{policy:?}");
        let ledger = handler.ledger();
        assert_eq!((ledger.written, ledger.dropped.of(reason)), (3, 3));
        assert!(ledger.adds_up());
    }
}

#[test]
fn closing_writes_what_is_queued_once_and_for_all() {
    let text = Shared::<Vec<u8>>::default();
    let builder = StreamHandlerBuilder::with_writer(text.same());
    let handler = builder.build().unwrap();
    let line = record(FemtoLevel::Info, "x");
    (0..100).for_each(|_| handler.handle(&line).unwrap());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| handler.close());
        }
    });
    assert_eq!(*text.lock(), b"app [INFO] x\n".repeat(100));
    let late = handler.handle(&line);
    assert!(matches!(late, Err(HandlerError::Dropped(Reason::Closed))));
    assert!(!handler.flush(SOON));
    let ledger = handler.ledger();
    assert_eq!(
        (ledger.written, ledger.dropped.of(Reason::Closed)),
        (100, 1)
    );
    assert!(ledger.adds_up());
}

#[test]
fn flush_says_whether_everything_is_written() {
    let text = Shared::<Vec<u8>>::default();
    let builder = StreamHandlerBuilder::with_writer(text.same());
    let handler = builder.build().unwrap();
    let busy = text.lock();
    handler.handle(&record(FemtoLevel::Info, "x")).unwrap();
    assert!(!handler.flush(Duration::from_millis(1)));
    assert_eq!(
        (handler.ledger().written, handler.ledger().in_flight),
        (0, 1)
    );
    drop(busy);
    assert!(handler.flush(SOON));
    assert_eq!(handler.ledger().written, 1);
}

/// Takes a few bytes, fails twice, works, and panics at a word.
#[derive(Default)]
struct Moody {
    calls: usize,
    text: Vec<u8>,
}

impl Write for Moody {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.calls += 1;
        assert!(!bytes.ends_with(b"panic\n"), "on purpose");
        let taken = match self.calls {
            1 => 3,
            2 | 3 => return Err(io::ErrorKind::StorageFull.into()),
            _ => bytes.len(),
        };
        self.text.extend(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_a_writer_has_not_taken_is_written_again_and_one_that_panics_closes() {
    let writer = Shared::<Moody>::default();
    let builder = StreamHandlerBuilder::with_writer(writer.same());
    let handler = builder.build_inner().unwrap();
    handler.handle(&record(FemtoLevel::Info, "whole")).unwrap();
    assert!(handler.flush(SOON));
    assert_eq!(handler.last_error(), "");
    assert_eq!(writer.lock().text, b"app\napp [INFO] whole\n");
    handler.handle(&record(FemtoLevel::Info, "panic")).unwrap();
    assert!(!handler.flush(SOON));
    let late = handler.handle(&record(FemtoLevel::Info, "late"));
    assert!(matches!(late, Err(HandlerError::Dropped(Reason::Closed))));
    let ledger = handler.ledger();
    assert_eq!((ledger.written, ledger.dropped.of(Reason::Closed)), (1, 2));
    assert!(ledger.adds_up());
    assert_eq!(handler.last_error(), "its thread has panicked");
}

/// Logs three times what a queue has room for, the first time that it is written to.
struct Chatty(Option<Arc<FemtoLogger>>, Shared<Vec<u8>>);

impl Write for Chatty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(logger) = self.0.take() {
            for number in 0..6 {
                logger.info(number);
            }
        }
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_logs_never_waits_for_itself() {
    let (logger, text) = (get_logger("chatty").unwrap(), Shared::<Vec<u8>>::default());
    let writer = Chatty(Some(Arc::clone(&logger)), text.same());
    let builder = StreamHandlerBuilder::with_writer(writer).with_capacity(2);
    let builder = builder.with_overflow_policy(OverflowPolicy::Block);
    let handler = builder.build().unwrap();
    logger.add_handler(Arc::clone(&handler));
    logger.info("begin");
    // The one in hand, and three: twice the room.
    while handler.ledger().written < 4 {
        assert!(handler.flush(SOON));
    }
    let ledger = handler.ledger();
    assert_eq!(
        (ledger.emitted, ledger.dropped.of(Reason::Reentrant)),
        (7, 3)
    );
    assert!(text.lock().ends_with(b"chatty [INFO] 2\n"));
}

#[test]
fn what_a_writer_logs_for_a_peer_that_is_away_goes_to_disk() {
    let replay = SocketHandlerBuilder::new().with_replay(folder("writer-logs"), 1 << 20);
    let away = replay.with_tcp("127.0.0.1", 1).with_capacity(2);
    let (away, logger) = (away.build().unwrap(), FemtoLogger::new("away").unwrap());
    logger.add_handler(Arc::clone(&away));
    let writer = Chatty(Some(Arc::new(logger)), Shared::default());
    let handler = StreamHandlerBuilder::with_writer(writer).build().unwrap();
    handler.handle(&record(FemtoLevel::Info, "begin")).unwrap();
    assert!(handler.flush(SOON));
    away.close();
    let ledger = away.ledger();
    assert_eq!((ledger.on_disk, ledger.dropped.total()), (6, 0));
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// All frames until the peer's end.
fn payloads(mut peer: impl Read) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    peer.read_to_end(&mut bytes).unwrap();
    let mut frames = wire::Frames::new(1000);
    frames.push(&bytes);
    let next = || frames.next_payload().unwrap().map(<[u8]>::to_vec);
    let all = std::iter::from_fn(next).collect();
    assert_eq!(frames.pending(), 0);
    all
}

#[test]
fn frames_of_both_formats_arrive_and_what_is_too_large_does_not() {
    for format in [Format::MessagePack, Format::Cbor] {
        let (listener, port) = listener();
        let builder = SocketHandlerBuilder::new().with_tcp("127.0.0.1", port);
        let builder = builder.with_format(format).with_max_frame_size(1000);
        let handler = builder.build().unwrap();
        let about = RecordMetadata::here().in_module("shop::till");
        let sent = record(FemtoLevel::Warn, "low").with_metadata(about.with("shelf", 4));
        handler.handle(&sent).unwrap();
        let peer = listener.accept().unwrap().0;
        assert!(handler.flush(SOON));
        let refused = handler.handle(&record(FemtoLevel::Info, &"x".repeat(1000)));
        assert!(matches!(
            refused,
            Err(HandlerError::Dropped(Reason::Oversize))
        ));
        assert!(!handler.flush(SOON));
        let reader = thread::spawn(|| payloads(peer));
        handler.close();
        let got = reader.join().unwrap();
        assert_eq!(got.len(), 1);
        let got = wire::Record::decode(&got[0], format).unwrap();
        let named = (&*got.logger, &*got.level, &*got.message);
        assert_eq!(named, ("app", "WARN", "low"));
        assert_eq!((&*got.module_path, &*got.filename), ("shop::till", file!()));
        assert_eq!(got.key_values, [("shelf".into(), "4".into())]);
        assert_eq!(got.thread_name.as_deref(), thread::current().name());
        assert!(got.thread_id.parse::<u64>().is_ok());
        assert_eq!(handler.ledger().written, 1);
        assert!(handler.ledger().adds_up());
    }
}

#[test]
fn what_a_peer_that_is_away_did_not_get_is_sent_by_the_next_handler() {
    let (listener, port) = listener();
    let builder = SocketHandlerBuilder::new().with_replay(folder("replay"), 1 << 20);
    let builder = builder.with_capacity(8);
    let away = builder.clone().with_tcp("127.0.0.1", 1).build().unwrap();
    for number in 0..20 {
        let message = format!("{number}");
        away.handle(&record(FemtoLevel::Info, &message)).unwrap();
    }
    away.close();
    assert_eq!(
        (away.ledger().written, away.ledger().dropped.total()),
        (0, 0)
    );
    assert_eq!(away.ledger().on_disk, 20);
    let back = builder.with_tcp("127.0.0.1", port).build().unwrap();
    back.handle(&record(FemtoLevel::Info, "20")).unwrap();
    let peer = listener.accept().unwrap().0;
    let reader = thread::spawn(|| payloads(peer));
    assert!(back.flush(SOON));
    back.close();
    let numbers = reader.join().unwrap().into_iter().map(|payload| {
        let got = wire::Record::decode(&payload, Format::MessagePack).unwrap();
        got.message.parse::<u32>().unwrap()
    });
    assert!(numbers.eq(0..21));
    assert_eq!((back.ledger().written, back.ledger().recovered), (21, 20));
}

/// Keeps lines, in the thread that logs.
#[derive(Default)]
struct Collector(Mutex<Vec<String>>);

impl FemtoHandlerTrait for Collector {
    fn handle(&self, record: &FemtoLogRecord) -> Result<(), HandlerError> {
        let (message, about) = (&record.message, &record.metadata);
        let line = format!("{message} {}:{}", about.filename, about.line_number);
        self.0.lock().unwrap().push(line);
        Ok(())
    }
}

#[test]
fn records_go_up_the_tree_past_the_levels_of_parents() {
    let collector = Arc::new(Collector::default());
    let tree = get_logger("tree").unwrap();
    let leaf = get_logger("tree.branch.leaf").unwrap();
    assert!(Arc::ptr_eq(&leaf, &get_logger("tree.branch.leaf").unwrap()));
    assert_eq!(leaf.parent().unwrap().name(), "tree.branch");
    assert_eq!(tree.parent().unwrap().name(), "root");
    for _ in 0..2 {
        tree.add_handler(collector.clone()); // once
    }
    tree.set_level(FemtoLevel::Critical);
    let (line, logged) = (line!(), leaf.info("one"));
    assert!(logged && !leaf.debug("below"));
    leaf.set_level(FemtoLevel::Trace);
    let filter: Arc<dyn FemtoFilter> =
        Arc::new(|record: &FemtoLogRecord| record.level < FemtoLevel::Error);
    leaf.add_filter(Arc::clone(&filter));
    assert!(!leaf.error("filtered"));
    leaf.remove_filter(&filter);
    leaf.set_propagate(false);
    assert!(leaf.trace("alone"));
    let expected = [format!("one {}:{line}", file!())];
    assert_eq!(*collector.0.lock().unwrap(), expected);
    tree.remove_handler(&(collector.clone() as Arc<dyn FemtoHandlerTrait>));
    leaf.set_propagate(true);
    assert!(leaf.trace("to nobody"));
    assert_eq!(*collector.0.lock().unwrap(), expected);
    for bad in ["", ".a", "a.", "a..b"] {
        assert_eq!(get_logger(bad).unwrap_err().field, "name");
    }
}

/// Runs itself in a process of its own, whose standard error it reads.
#[test]
fn what_finds_no_handler_is_on_standard_error_from_warn_on() {
    const IS_CHILD: &str = "FEMTOLOG_TEST_NO_HANDLER";
    if std::env::var_os(IS_CHILD).is_some() {
        let logger = get_logger("nobody.listens").unwrap();
        assert!(logger.info("open") && logger.warn("low"));
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([
        "--exact",
        "what_finds_no_handler_is_on_standard_error_from_warn_on",
    ]);
    let output = child.env(IS_CHILD, "1").output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "low\n");
}

#[test]
fn settings_that_cannot_be_are_named() {
    let (stream, socket) = (StreamHandlerBuilder::stdout, SocketHandlerBuilder::new);
    let backoff = |base, cap| {
        let settings = BackoffConfig::default();
        socket().with_backoff(BackoffConfig {
            base,
            cap,
            ..settings
        })
    };
    let none = OverflowPolicy::Timeout(Duration::ZERO);
    for (refused, expected) in [
        (
            stream().with_capacity(0).build(),
            "capacity must be greater than zero, got 0",
        ),
        (
            stream().with_overflow_policy(none).build(),
            "overflow_policy must be greater than zero, got 0ns",
        ),
        (
            socket().with_tcp("", 1).build(),
            "host must not be empty, got \"\"",
        ),
        (
            socket().with_max_frame_size(0).build(),
            "max_frame_size must be greater than zero, got 0",
        ),
        (
            socket().with_timeouts(SOON, Duration::ZERO).build(),
            "write_timeout must be greater than zero and at most 365 days, got 0ns",
        ),
        (
            backoff(SOON, Duration::MAX).build(),
            "backoff.cap must be greater than zero and at most 365 days, got 18446744073709551615.999999999s",
        ),
        (
            backoff(SOON * 2, SOON).build(),
            "backoff.base must not be above the cap, got 60s",
        ),
        (
            socket().with_replay("never-made", 0).build(),
            "spool_max must be greater than zero, got 0",
        ),
    ] {
        assert_eq!(refused.err().unwrap().to_string(), expected);
    }
}
