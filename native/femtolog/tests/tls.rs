//! A socket handler against a TLS server on loopback.
use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use femtolog::{
    FemtoHandlerTrait, FemtoLevel, FemtoLogRecord, Format, HandlerBuilderTrait, OverflowPolicy,
    SocketHandlerBuilder, Tls,
};
use femtolog_core::wire;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const SOON: Duration = Duration::from_secs(30);

// Both for `shop.test`, signed by themselves, from 2026 on for a hundred years; the key of the first is for nothing but these tests:
// openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=shop.test
//     -addext subjectAltName=DNS:shop.test -addext basicConstraints=critical,CA:FALSE -out shop.pem -keyout shop.key
const CERTIFICATE: &[u8] = include_bytes!("certificates/shop.pem");
const KEY: &[u8] = include_bytes!("certificates/shop.key");
const ANOTHER: &[u8] = include_bytes!("certificates/other.pem");

/// A server with that certificate: the port, and the messages of one peer, or why there are none.
fn server() -> (u16, JoinHandle<std::io::Result<Vec<String>>>) {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let peer = thread::spawn(move || {
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = StreamOwned::new(connection, listener.accept()?.0);
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let mut frames = wire::Frames::new(1000);
        frames.push(&bytes);
        let mut messages = Vec::new();
        while let Some(payload) = frames.next_payload().unwrap() {
            let record = wire::Record::decode(payload, Format::MessagePack).unwrap();
            messages.push(record.message.into_owned());
        }
        Ok(messages)
    });
    (port, peer)
}

fn handler(port: u16, tls: Tls) -> Arc<dyn FemtoHandlerTrait> {
    SocketHandlerBuilder::new()
        .with_tcp("127.0.0.1", port)
        .with_tls(tls)
        .with_overflow_policy(OverflowPolicy::Block)
        .build()
        .unwrap()
}

#[test]
fn records_arrive_where_the_certificate_is_trusted() {
    let (port, peer) = server();
    let tls = Tls::new(Some("shop.test"), Some(CERTIFICATE), None, false).unwrap();
    let handler = handler(port, tls);
    for number in 0..100 {
        let record = FemtoLogRecord::new("app", FemtoLevel::Info, number.to_string());
        handler.handle(&record).unwrap();
    }
    assert!(handler.flush(SOON));
    handler.close();
    let sent = (0..100).map(|number| number.to_string());
    assert!(peer.join().unwrap().unwrap().into_iter().eq(sent));
    assert_eq!(handler.ledger().written, 100);
    assert!(handler.ledger().adds_up());
}

#[test]
fn nothing_is_sent_where_the_certificate_is_not_trusted_or_has_another_name() {
    for (domain, roots) in [("shop.test", ANOTHER), ("other.test", CERTIFICATE)] {
        let (port, peer) = server();
        let tls = Tls::new(Some(domain), Some(roots), None, false).unwrap();
        let handler = handler(port, tls);
        let record = FemtoLogRecord::new("app", FemtoLevel::Info, "secret");
        handler.handle(&record).unwrap();
        assert!(peer.join().unwrap().is_err());
        handler.close();
        let ledger = handler.ledger();
        assert_eq!((ledger.written, ledger.dropped.total()), (0, 1));
        assert!(ledger.adds_up());
    }
}
