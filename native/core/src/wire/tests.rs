//! Known bytes, limits, and whatever strangers may send.
use super::*;
use proptest::prelude::*;

fn sample() -> Record<'static> {
    Record {
        logger: "a.b".into(),
        level: "INFO".into(),
        message: "m".into(),
        timestamp_ns: 1_700_000_000_123_456_789,
        filename: "f.py".into(),
        line_number: 300,
        module_path: "f".into(),
        thread_id: "7".into(),
        thread_name: None,
        key_values: vec![("k".into(), "v".into())],
        number: None,
    }
}

/// The order and the names of the keys are the protocol.
#[test]
fn the_bytes_of_a_messagepack_frame() {
    let expected = b"\x00\x00\x00\x8b\x8a\xa6logger\xa3a.b\xa5level\xa4INFO\xa7message\xa1m\xactimestamp_ns\
        \xcf\x17\x97\x9c\xfe\x3d\x85\xcd\x15\xa8filename\xa4f.py\xabline_number\xcd\x01\x2c\xabmodule_path\xa1f\
        \xa9thread_id\xa17\xabthread_name\xc0\xaakey_values\x81\xa1k\xa1v";
    let frame = sample().frame(Format::MessagePack, 1 << 20, false).unwrap();
    assert_eq!(frame, expected);
}

#[test]
fn the_bytes_of_a_cbor_frame() {
    let expected = b"\x00\x00\x00\x8b\xaa\x66logger\x63a.b\x65level\x64INFO\x67message\x61m\x6ctimestamp_ns\
        \x1b\x17\x97\x9c\xfe\x3d\x85\xcd\x15\x68filename\x64f.py\x6bline_number\x19\x01\x2c\x6bmodule_path\x61f\
        \x69thread_id\x617\x6bthread_name\xf6\x6akey_values\xa1\x61k\x61v";
    let frame = sample().frame(Format::Cbor, 1 << 20, false).unwrap();
    assert_eq!(frame, expected);
}

/// Two keys more, at the end, and the number as wide as it can be.
#[test]
fn the_number_of_a_frame_is_said_when_it_is_known() {
    let record = Record {
        number: Some(Number::unknown("b0")),
        ..sample()
    };
    let messagepack = b"\xa7boot_id\xa2b0\xa3seq\xcf\0\0\0\0\0\0\0\x11";
    let cbor = b"\x67boot_id\x62b0\x63seq\x1b\0\0\0\0\0\0\0\x11";
    let tails = [
        (Format::MessagePack, &messagepack[..], 0x8c),
        (Format::Cbor, &cbor[..], 0xac),
    ];
    for (format, tail, first) in tails {
        let mut frame = record.frame(format, 1 << 20, false).unwrap();
        renumber(&mut frame, 4);
        renumber(&mut frame, 17);
        assert!(frame.ends_with(tail) && frame[4] == first, "{frame:x?}");
        let number = Record::decode(&frame[4..], format).unwrap().number;
        assert_eq!(
            number,
            Some(Number {
                boot_id: "b0".into(),
                seq: 17
            })
        );
    }
}

#[test]
fn the_first_byte_tells_what_a_payload_is() {
    let kinds =
        [b'}', 0x80, 0x8a, 0xde, 0xaa, 0xb8, b'G', 0x00, 0xc1, 0xff].map(|byte| Kind::of(&[byte]));
    let (pickle, messagepack, cbor) = (
        Some(Kind::Pickle),
        Some(Kind::Map(Format::MessagePack)),
        Some(Kind::Map(Format::Cbor)),
    );
    let none = None;
    assert_eq!(
        kinds,
        [
            pickle,
            pickle,
            messagepack,
            messagepack,
            cbor,
            cbor,
            none,
            none,
            none,
            none
        ]
    );
    assert_eq!(Kind::of(b""), None);
}

#[test]
fn a_message_is_cut_only_on_request_and_between_characters() {
    let mut record = sample();
    record.message = "é".repeat(200).into();
    record.key_values = vec![("truncated".into(), "by the caller".into())];
    let Err(Oversize(length)) = record.frame(Format::MessagePack, 300, false) else {
        panic!("it fits");
    };
    assert!(length > 300);
    let frame = record.frame(Format::MessagePack, 300, true).unwrap();
    assert!((295..=300).contains(&(frame.len() - 4)), "{}", frame.len());
    let cut = Record::decode(&frame[4..], Format::MessagePack).unwrap();
    assert!(record.message.starts_with(&*cut.message) && !cut.message.is_empty());
    assert_eq!(cut.key_values, [("truncated".into(), "true".into())]);
    assert!(record.frame(Format::MessagePack, 100, true).is_err());
}

#[test]
fn unknown_keys_are_passed_over_and_others_may_be_missing() {
    // {"level": "INFO", "x": [1, -1, 1.5, {"y": nil}, bin, ext], "logger": "a", "message": "m"}
    let payload = b"\x84\xa5level\xa4INFO\xa1x\x96\x01\xff\xcb\x3f\xf8\0\0\0\0\0\0\x81\xa1y\xc0\xc4\x01z\xd4\x01z\
        \xa6logger\xa1a\xa7message\xa1m";
    let record = Record::decode(payload, Format::MessagePack).unwrap();
    assert_eq!(
        (&*record.level, &*record.logger, &*record.message),
        ("INFO", "a", "m")
    );
    assert_eq!(record.thread_name, None);
    // {"level": "INFO", "x": 1([-1, 1.5, h'7a', true]), "logger": "a", "message": "m"}
    let payload = b"\xa4\x65level\x64INFO\x61x\xc1\x84\x20\xf9\x3e\x00\x41z\xf5\x66logger\x61a\x67message\x61m";
    assert_eq!(Record::decode(payload, Format::Cbor).unwrap().level, "INFO");
}

#[test]
fn what_is_no_record_says_why() {
    let reason = |payload: &[u8], format| Record::decode(payload, format).unwrap_err().0;
    let messagepack = |payload: &[u8]| reason(payload, Format::MessagePack);
    assert_eq!(
        messagepack(b"\x81\xa5level\xa4INFO"),
        "missing field `logger`"
    );
    assert_eq!(
        messagepack(b"\x81\xa5level\x01"),
        "invalid type: integer `1`, expected a borrowed string"
    );
    assert_eq!(
        messagepack(b"\x81\xa5level\xc0"),
        "invalid type: unit value, expected a borrowed string"
    );
    assert!(messagepack(b"\x81\xa5level\xa1\xff").contains("invalid"));
    assert!(messagepack(b"\x81\xa5lev").contains("IO error"));
    assert!(messagepack(b"\x81\xa1x\xdd\xff\xff\xff\xff").contains("IO error"));
    let mut deep = b"\x81\xa1x".to_vec();
    deep.extend([0x91; 100]);
    assert_eq!(messagepack(&deep), "depth limit exceeded");
    let cbor = |payload: &[u8]| reason(payload, Format::Cbor);
    assert!(cbor(b"\xa1\x65level\x64INFO").contains("missing field `logger`"));
    assert!(cbor(b"\xa1\x65lev").contains("end of input"));
    let mut deep = b"\xa1\x61x".to_vec();
    deep.extend(std::iter::repeat_n(0x81, 100_000));
    assert!(cbor(&deep).contains("end of input"));
}

#[test]
fn a_stream_is_cut_at_its_frames_wherever_it_was_cut_before() {
    let stream = b"\0\0\0\x02ab\0\0\0\0\0\0\0\x01c\0\0\0\x09half";
    for size in 1..stream.len() {
        let (mut frames, mut payloads) = (Frames::new(9), Vec::new());
        for piece in stream.chunks(size) {
            frames.push(piece);
            while let Some(payload) = frames.next_payload().unwrap() {
                payloads.push(payload.to_vec());
            }
        }
        assert_eq!(payloads, [&b"ab"[..], b"", b"c"]);
        assert_eq!(frames.pending(), 8);
    }
}

#[test]
fn a_length_beyond_the_limit_ends_the_stream() {
    let mut frames = Frames::new(9);
    frames.push(b"\0\0\0\x01aGET / HTTP/1.1\r\n");
    assert_eq!(frames.next_payload(), Ok(Some(&b"a"[..])));
    let length = u32::from_be_bytes(*b"GET ") as usize;
    assert_eq!(frames.next_payload(), Err(TooLong(length)));
    assert_eq!(frames.next_payload(), Err(TooLong(length)));
}

fn formats() -> impl Strategy<Value = Format> {
    prop_oneof![Just(Format::MessagePack), Just(Format::Cbor)]
}

fn texts() -> impl Strategy<Value = Cow<'static, str>> {
    prop_oneof!["\\PC{0,40}", "a{200,300}"].prop_map(Cow::Owned)
}

prop_compose! {
    fn records()(
        names in [texts(), texts(), texts(), texts(), texts(), texts()],
        thread_name in prop::option::of(texts()),
        numbers in any::<[u64; 2]>(),
        shift in [0..64u32, 0..64u32],
        number in prop::option::of((texts(), any::<u64>())),
        key_values in prop::collection::vec((texts(), texts()), 0..20),
    ) -> Record<'static> {
        let [logger, level, message, filename, module_path, thread_id] = names;
        Record {
            logger, level, message, filename, module_path, thread_id, thread_name, key_values,
            timestamp_ns: numbers[0] >> shift[0],
            line_number: numbers[1] >> shift[1],
            number: number.map(|(boot_id, seq)| Number { boot_id, seq }),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_is_what_is_decoded(record in records(), format in formats()) {
        let frame = record.frame(format, 1 << 20, false).unwrap();
        let mut frames = Frames::new(1 << 20);
        frames.push(&frame);
        let payload = frames.next_payload().unwrap().unwrap();
        prop_assert_eq!(Kind::of(payload), Some(Kind::Map(format)));
        prop_assert_eq!(Record::decode(payload, format).unwrap(), record);
    }

    #[test]
    fn a_cut_frame_keeps_its_limit(record in records(), format in formats(), limit in 0..3000usize) {
        if let Ok(frame) = record.frame(format, limit, true) {
            prop_assert!(frame.len() <= limit + 4);
            prop_assert!(Record::decode(&frame[4..], format).is_ok());
        }
    }

    #[test]
    fn changed_and_random_bytes_are_refused_or_read(
        record in records(), format in formats(), at in any::<prop::sample::Index>(), byte: u8, noise in any::<Vec<u8>>(),
    ) {
        let mut frame = record.frame(format, 1 << 20, false).unwrap();
        let at = 4 + at.index(frame.len() - 4);
        frame[at] = byte;
        let _ = Record::decode(&frame[4..], format);
        prop_assert!(Record::decode(&frame[4..at], format).is_err());
        let _ = Record::decode(&noise, format);
    }
}
