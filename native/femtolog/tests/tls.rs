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
use rcgen::CertifiedKey;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const SOON: Duration = Duration::from_secs(30);

/// A server with a certificate for `shop.test`, which it signed itself: the port, the certificate as PEM, and the messages of one peer, or
/// why there are none.
fn server() -> (u16, String, JoinHandle<std::io::Result<Vec<String>>>) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["shop.test".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
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
    (port, cert.pem(), peer)
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
    let (port, certificate, peer) = server();
    let tls = Tls::new(Some("shop.test"), Some(certificate.as_bytes()), None, false).unwrap();
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
    for (domain, trusted) in [("shop.test", false), ("other.test", true)] {
        let (port, certificate, peer) = server();
        let other = rcgen::generate_simple_self_signed(["shop.test".to_owned()]).unwrap();
        let roots = if trusted {
            certificate
        } else {
            other.cert.pem()
        };
        let tls = Tls::new(Some(domain), Some(roots.as_bytes()), None, false).unwrap();
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
