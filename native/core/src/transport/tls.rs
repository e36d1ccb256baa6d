//! TLS over a socket, by rustls.
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::Target;
use super::connection::{Line, in_words};

/// So many bytes are encrypted and sent before it is known that they are.
const CHUNK: usize = 16 << 10;

/// The certificate that this side shows, with its chain, and its key; PEM.
pub struct Identity<'a> {
    pub certificates: &'a [u8],
    pub key: &'a [u8],
}

/// Whom to trust and who to be.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ClientConfig>,
    domain: Option<ServerName<'static>>,
}

impl Tls {
    /// `domain` is the name that the peer's certificate must have; none: the host's. `roots`, PEM, are trusted in place of the system's (or
    /// Mozilla's, where the system has none). `insecure`: any certificate does.
    ///
    /// # Errors
    /// What cannot be read or used, in words.
    pub fn new(
        domain: Option<&str>,
        roots: Option<&[u8]>,
        identity: Option<&Identity<'_>>,
        insecure: bool,
    ) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = if insecure {
            let anybody = Anybody(provider.clone());
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(anybody))
        } else {
            let roots = Arc::new(root_store(roots)?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider)
                .build()
                .map_err(|error| error.to_string())?;
            builder.with_webpki_verifier(verifier)
        };
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = certificates(identity.certificates)?;
                let key = PrivateKeyDer::from_pem_slice(identity.key);
                let key = key.map_err(|error| format!("the private key: {error}"))?;
                let config = builder.with_client_auth_cert(chain, key);
                config.map_err(|error| format!("the private key: {error}"))?
            }
        };
        let domain = domain.map(server_name).transpose()?;
        Ok(Self {
            config: Arc::new(config),
            domain,
        })
    }

    /// Is a name of the peer told? Without one it is the host's, which a socket in the file system has not.
    #[must_use]
    pub fn has_domain(&self) -> bool {
        self.domain.is_some()
    }

    pub(super) fn channel(&self, target: &Target) -> io::Result<Channel> {
        let name = match (&self.domain, target) {
            (Some(name), _) => name.clone(),
            (None, Target::Tcp(host, _)) => server_name(host).map_err(io::Error::other)?,
            (None, _) => return Err(io::Error::other("TLS needs a domain")),
        };
        let session = ClientConnection::new(self.config.clone(), name);
        Ok(Channel(Box::new(session.map_err(io::Error::other)?)))
    }
}

fn server_name(name: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(name.to_owned()).map_err(|_| format!("{name:?} is no name of a host"))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err("there is no certificate in the file".to_owned()),
        found => found.map_err(|error| format!("a certificate: {error}")),
    }
}

fn root_store(pem: Option<&[u8]>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    if let Some(pem) = pem {
        for certificate in certificates(pem)? {
            let added = store.add(certificate);
            added.map_err(|error| format!("a certificate: {error}"))?;
        }
    } else {
        // A system's store may have some that webpki does not take.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if store.is_empty() {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
    }
    Ok(store)
}

/// A session over a socket.
pub(super) struct Channel(Box<ClientConnection>);

impl Channel {
    pub(super) fn is_opening(&self) -> bool {
        self.0.is_handshaking()
    }

    /// A step of the handshake: writes what is to be written, or reads once.
    pub(super) fn step(&mut self, line: &Line) -> io::Result<()> {
        if self.0.wants_write() {
            self.0.write_tls(&mut &*line).map(drop)
        } else if self.read(line, &mut Vec::new())? == 0 {
            Err(ErrorKind::UnexpectedEof.into())
        } else {
            Ok(())
        }
    }

    /// Reads once, and appends what is plain then. Zero: the peer's end.
    pub(super) fn read(&mut self, line: &Line, into: &mut Vec<u8>) -> io::Result<usize> {
        let read = self.0.read_tls(&mut &*line)?;
        match self.0.process_new_packets() {
            Ok(state) => {
                let (count, begin) = (state.plaintext_bytes_to_read(), into.len());
                into.resize(begin + count, 0);
                self.0.reader().read_exact(&mut into[begin..])?;
                Ok(if state.peer_has_closed() { count } else { read })
            }
            Err(error) => {
                // The peer is told why, if it still listens.
                let _ = self.0.write_tls(&mut &*line);
                Err(io::Error::new(ErrorKind::InvalidData, error))
            }
        }
    }

    pub(super) fn send(&mut self, line: &Line, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        let mut sent = 0;
        for chunk in bytes.chunks(CHUNK) {
            let written = self.0.writer().write_all(chunk);
            written
                .and_then(|()| self.write_out(line))
                .map_err(|error| (sent, in_words(error)))?;
            sent += chunk.len();
        }
        Ok(())
    }

    fn write_out(&mut self, line: &Line) -> io::Result<()> {
        while self.0.wants_write() {
            match self.0.write_tls(&mut &*line) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Says that nothing more comes, if the peer still listens.
    pub(super) fn say_goodbye(&mut self, line: &Line) {
        self.0.send_close_notify();
        let _ = self.write_out(line);
    }
}

/// Takes any certificate, but only from the one who has its key.
#[derive(Debug)]
struct Anybody(Arc<rustls::crypto::CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::{Command, id};

    /// "femtolog test root", which has signed itself; nobody has kept its key.
    const ROOT: &str = "\
-----BEGIN CERTIFICATE-----
MIIBkTCCATegAwIBAgIUKgBXgWwDnBn+o+LTrinY+i7Xf74wCgYIKoZIzj0EAwIw
HTEbMBkGA1UEAwwSZmVtdG9sb2cgdGVzdCByb290MCAXDTI2MTEyNzIyMTQ1NVoY
DzIxMjYxMTAzMjIxNDU1WjAdMRswGQYDVQQDDBJmZW10b2xvZyB0ZXN0IHJvb3Qw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATdPQvA6HYjFtvQ/0OvKAPSV5LpyDqz
WNRjswG12HHd+LU1m/xVtscipZOVRAmEhywhhbTSmpoQGZA+H5yQHMKOo1MwUTAd
BgNVHQ4EFgQUA4uWRQ2ghIb3ruL+y8Bu9yRs31gwHwYDVR0jBBgwFoAUA4uWRQ2g
hIb3ruL+y8Bu9yRs31gwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBF
AiEAsNeRYWtaWADU+QA3lOcdUgFTySOy4S0eS5687zslN5ACIFExiF+HzL5gnLUV
rstoI6upwLhMGkVHdJky8QFansX0
-----END CERTIFICATE-----
";

    /// The roots that are trusted where nobody names any, in a process for which the system's certificates are those in the file. None in the
    /// process of the test itself, which has been told that its child is content: the environment is that of all tests.
    fn roots_in_child(test: &str, file: &Path) -> Option<RootCertStore> {
        const IN_CHILD: &str = "FEMTOLOG_TEST_IN_CHILD";
        if env::var_os(IN_CHILD).is_some() {
            return Some(root_store(None).unwrap());
        }
        let test = format!("transport::tls::tests::{test}");
        let child = Command::new(env::current_exe().unwrap())
            .args([test.as_str(), "--exact"])
            .env(IN_CHILD, "1")
            .env("SSL_CERT_FILE", file)
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{said}");
        assert!(said.contains("1 passed"), "{said}");
        None
    }

    /// A file in the place of the system's certificates, until the end of a test.
    struct System(PathBuf);

    impl System {
        fn with(name: &str, pem: &str) -> Self {
            let path = env::temp_dir().join(format!("femtolog-{name}-{}.pem", id()));
            fs::write(&path, pem).unwrap();
            Self(path)
        }
    }

    impl Drop for System {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn subjects(store: &RootCertStore) -> Vec<&[u8]> {
        store.roots.iter().map(|root| &*root.subject).collect()
    }

    fn is_mozillas(store: &RootCertStore) -> bool {
        let of_mozilla = webpki_roots::TLS_SERVER_ROOTS.iter();
        let of_mozilla: Vec<_> = of_mozilla.map(|root| &*root.subject).collect();
        of_mozilla.len() > 50 && subjects(store) == of_mozilla
    }

    fn is_the_test_root(store: &RootCertStore) -> bool {
        matches!(subjects(store)[..], [subject] if subject.ends_with(b"femtolog test root"))
    }

    #[test]
    fn the_systems_certificates_are_trusted_and_no_others() {
        let system = System::with("system", ROOT);
        let test = "the_systems_certificates_are_trusted_and_no_others";
        if let Some(store) = roots_in_child(test, &system.0) {
            assert!(is_the_test_root(&store));
        }
    }

    #[test]
    fn mozillas_are_trusted_where_the_system_has_none() {
        let test = "mozillas_are_trusted_where_the_system_has_none";
        if let Some(store) = roots_in_child(test, Path::new("/no/such/file")) {
            assert!(is_mozillas(&store));
        }
    }

    #[test]
    fn mozillas_are_trusted_where_none_of_the_systems_can_be_used() {
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let system = System::with("unusable", pem);
        let test = "mozillas_are_trusted_where_none_of_the_systems_can_be_used";
        if let Some(store) = roots_in_child(test, &system.0) {
            assert!(is_mozillas(&store));
        }
    }

    #[test]
    fn one_that_cannot_be_used_is_left_out_among_the_systems() {
        let pem = format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{ROOT}");
        let system = System::with("mixed", &pem);
        let test = "one_that_cannot_be_used_is_left_out_among_the_systems";
        if let Some(store) = roots_in_child(test, &system.0) {
            assert!(is_the_test_root(&store));
        }
    }

    #[test]
    fn roots_that_are_named_stand_alone_and_must_be_usable() {
        assert!(is_the_test_root(
            &root_store(Some(ROOT.as_bytes())).unwrap()
        ));
        assert_eq!(
            root_store(Some(b"")).unwrap_err(),
            "there is no certificate in the file"
        );
        let unusable = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let error = root_store(Some(unusable)).unwrap_err();
        assert!(error.starts_with("a certificate: "), "{error}");
    }
}
