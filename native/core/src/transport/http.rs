//! Requests of HTTP/1.1, one after the other over a connection that is kept, and what their answers mean.
//!
//! *Delivered* means that the peer has answered 2xx. No redirect is followed: what is in a request is for this peer only.
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::CompressionLevel;
use ureq_proto::client::state::RecvResponse;
use ureq_proto::client::{Call, RecvBodyResult, RecvResponseResult, SendRequestResult};
use ureq_proto::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, RETRY_AFTER};
use ureq_proto::http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri};

use super::connection::Connection;
use super::worker::{Answer, Exchange};
use crate::queue::Reason;

/// An answer's head, or what is read of its body before the connection is rather given up, in bytes.
const MOST: usize = 64 << 10;

/// How items become a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body {
    /// One goes into the URL, as its query or the rest of it.
    Query,
    /// They are the body, one after the other.
    Plain,
    /// They are elements of a JSON array, each with a comma behind it.
    Array,
}

/// How bodies are made smaller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coding {
    Gzip,
    Zstd,
}

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Zstd => "zstd",
        }
    }

    fn encoded(self, body: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Coding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(body)?;
                encoder.finish()
            }
            Coding::Zstd => Ok(ruzstd::encoding::compress_to_vec(
                body,
                CompressionLevel::Fastest,
            )),
        }
    }
}

/// Where requests go, and what is in all of them.
pub struct Http {
    uri: Uri,
    body: Body,
    headers: HeaderMap,
    coding: Option<Coding>,
    /// For a request and its answer.
    timeout: Duration,
}

impl fmt::Debug for Http {
    /// Without what may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Http");
        shown
            .field("host", &self.uri.host())
            .field("body", &self.body);
        shown.finish_non_exhaustive()
    }
}

impl Http {
    /// To an absolute `url`, with these headers.
    ///
    /// # Errors
    /// What cannot be sent, in words, but for what may be a secret.
    pub fn new(
        url: &str,
        body: Body,
        headers: &[(String, String)],
        coding: Option<Coding>,
        timeout: Duration,
    ) -> Result<Self, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let key = HeaderName::from_bytes(name.as_bytes());
            let key = key.map_err(|_| format!("{name:?} is no name of a header"))?;
            let value = HeaderValue::from_str(value);
            let value =
                value.map_err(|_| format!("the value of the header {name} cannot be sent"))?;
            map.append(key, value);
        }
        let uri: Uri = url
            .parse()
            .map_err(|_| "url must be quoted where HTTP asks for it".to_owned())?;
        if uri.host().is_none() {
            return Err("url must have a host".to_owned());
        }
        Ok(Self {
            uri,
            body,
            headers: map,
            coding,
            timeout,
        })
    }

    /// A request for these items, and its body.
    fn request(&self, items: &[Vec<u8>]) -> io::Result<(Request<()>, Vec<u8>)> {
        let mut body = Vec::new();
        let mut uri = self.uri.clone();
        match self.body {
            Body::Query => {
                let path = uri.path_and_query().map_or("/", |path| path.as_str());
                let sign = if path.contains('?') { '&' } else { '?' };
                let query = String::from_utf8_lossy(&items[0]);
                let mut parts = uri.clone().into_parts();
                let path = format!("{path}{sign}{query}").parse();
                parts.path_and_query = Some(path.map_err(invalid)?);
                uri = Uri::from_parts(parts).map_err(invalid)?;
            }
            Body::Plain => body = items.concat(),
            Body::Array => {
                body.push(b'[');
                body.extend(items.iter().flatten());
                if let Some(comma) = body.last_mut() {
                    *comma = b']';
                }
            }
        }
        let method = match self.body {
            Body::Query => Method::GET,
            Body::Plain | Body::Array => Method::POST,
        };
        let mut request = Request::new(());
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers.clone();
        if method == Method::POST {
            if let Some(coding) = self.coding {
                body = coding.encoded(&body)?;
                let name = HeaderValue::from_static(coding.name());
                request.headers_mut().insert(CONTENT_ENCODING, name);
            }
            let length = HeaderValue::from(body.len());
            request.headers_mut().insert(CONTENT_LENGTH, length);
        }
        *request.method_mut() = method;
        Ok((request, body))
    }
}

/// The bytes of a request with that body, and the state in which its answer is received.
fn written(request: Request<()>, body: &[u8]) -> io::Result<(Vec<u8>, Call<RecvResponse>)> {
    let headers = request.headers().iter();
    let size = headers.map(|(name, value)| name.as_str().len() + value.len() + 4);
    let size = 512 + request.uri().to_string().len() + size.sum::<usize>();
    let mut bytes = vec![0; size];
    let mut call = Call::new(request).map_err(invalid)?.proceed();
    let end = call.write(&mut bytes).map_err(invalid)?;
    bytes.truncate(end);
    bytes.extend_from_slice(body);
    let call = match call.proceed().map_err(invalid)? {
        Some(SendRequestResult::RecvResponse(call)) => Some(call),
        Some(SendRequestResult::SendBody(mut call)) => {
            call.consume_direct_write(body.len()).map_err(invalid)?;
            call.proceed()
        }
        Some(SendRequestResult::Await100(_)) | None => None,
    };
    let call = call.ok_or_else(|| io::Error::other("the request cannot be sent"))?;
    Ok((bytes, call))
}

fn invalid(error: impl fmt::Display) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("HTTP: {error}"))
}

/// What the peer has answered.
struct Reply {
    status: StatusCode,
    retry_after: Duration,
    /// The answer is complete, and the peer has not said that it ends the connection.
    goes_on: bool,
}

fn receive(connection: &mut Connection, mut call: Call<RecvResponse>) -> io::Result<Reply> {
    let mut input = Vec::new();
    let response = loop {
        let (used, response) = call.try_response(&input, false).map_err(invalid)?;
        input.drain(..used);
        match response {
            Some(response) => break response,
            None if used > 0 => {}
            None if input.len() > MOST => {
                return Err(invalid("the head of the answer is too long"));
            }
            None => connection.receive(&mut input)?,
        }
    };
    let closes = match call.proceed() {
        Some(RecvResponseResult::RecvBody(mut body)) => {
            let mut read = 0;
            let mut meaningless = [0; 4096];
            let complete = loop {
                let Ok((used, count)) = body.read(&input, &mut meaningless) else {
                    break false;
                };
                input.drain(..used);
                read += count;
                if body.can_proceed() {
                    break true;
                }
                if read + input.len() > MOST
                    || (used == 0 && connection.receive(&mut input).is_err())
                {
                    break false;
                }
            };
            match body.proceed() {
                Some(RecvBodyResult::Cleanup(end)) => !complete || end.must_close_connection(),
                Some(RecvBodyResult::Redirect(end)) => !complete || end.must_close_connection(),
                None => true,
            }
        }
        Some(RecvResponseResult::Redirect(end)) => end.must_close_connection(),
        Some(RecvResponseResult::Cleanup(end)) => end.must_close_connection(),
        None => true,
    };
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok());
    Ok(Reply {
        status: response.status(),
        retry_after: retry_after.map_or(Duration::ZERO, |text| wait_of(text, SystemTime::now())),
        goes_on: !closes && input.is_empty(),
    })
}

/// What a `Retry-After` says: seconds, or a date.
fn wait_of(text: &str, now: SystemTime) -> Duration {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Duration::from_secs(seconds);
    }
    let date = httpdate::parse_http_date(text).ok();
    date.and_then(|date| date.duration_since(now).ok())
        .unwrap_or_default()
}

pub(super) struct Requests {
    http: Arc<Http>,
    /// How many items are sent at once; the next ones last. More than one where the peer has said that all are too large together.
    parts: Vec<usize>,
}

impl Requests {
    pub(super) fn new(http: Arc<Http>) -> Self {
        Self {
            http,
            parts: Vec::new(),
        }
    }

    fn post(&self, connection: &mut Connection, items: &[Vec<u8>]) -> io::Result<Reply> {
        let (request, body) = self.http.request(items)?;
        let (bytes, call) = written(request, &body)?;
        connection.allow(self.http.timeout);
        let sent = connection.send(&bytes);
        let reply = receive(connection, call);
        match sent {
            Ok(()) => reply,
            // A peer may answer, and end the connection, before it has read everything.
            Err((_, error)) => match reply {
                Ok(reply) if !reply.status.is_success() => Ok(Reply {
                    goes_on: false,
                    ..reply
                }),
                _ => Err(error),
            },
        }
    }
}

impl Exchange for Requests {
    fn deliver(&mut self, connection: &mut Connection, items: &[Vec<u8>]) -> Answer {
        if self.parts.iter().sum::<usize>() != items.len() {
            self.parts = vec![items.len()];
        }
        let Some(&count) = self.parts.last() else {
            return Answer::Taken(0);
        };
        let reply = match self.post(connection, &items[..count]) {
            Ok(reply) => reply,
            Err(error) => return Answer::Broken(0, error),
        };
        if !reply.goes_on {
            connection.finish();
        }
        let why = format!("the peer has answered {}", reply.status);
        if reply.status == StatusCode::TOO_MANY_REQUESTS || reply.status.is_server_error() {
            return Answer::Later(reply.retry_after, why);
        }
        self.parts.pop();
        if reply.status.is_success() {
            Answer::Taken(count)
        } else if reply.status != StatusCode::PAYLOAD_TOO_LARGE {
            Answer::Refused(count, Reason::Refused, why)
        } else if count == 1 {
            Answer::Refused(1, Reason::Oversize, why)
        } else {
            self.parts.extend([count - count / 2, count / 2]);
            Answer::Taken(0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_a_peer_asks_for_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (text, seconds) in [
            ("120", 120),
            (" 7 ", 7),
            ("Sun, 06 Nov 1994 08:49:47 GMT", 10),
            ("Sun, 06 Nov 1994 08:49:27 GMT", 0),
            ("soon", 0),
            ("-1", 0),
        ] {
            assert_eq!(wait_of(text, now), Duration::from_secs(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_compressed_is_read_again() {
        for length in [0, 1, 1000, 300_000] {
            let body: Vec<u8> = (0..length)
                .map(|n: u32| (n.wrapping_mul(n) % 251) as u8)
                .collect();
            let mut plain = Vec::new();
            let zstd = Coding::Zstd.encoded(&body).unwrap();
            let mut decoder = ruzstd::decoding::StreamingDecoder::new(&zstd[..]).unwrap();
            decoder.read_to_end(&mut plain).unwrap();
            assert_eq!(plain, body);
            plain.clear();
            let gzip = Coding::Gzip.encoded(&body).unwrap();
            flate2::read::GzDecoder::new(&gzip[..])
                .read_to_end(&mut plain)
                .unwrap();
            assert_eq!(plain, body);
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let headers = [("Authorization".to_owned(), "Bearer s3cret".to_owned())];
        let url = "https://log.example.org/in?key=s3cret";
        let http = Http::new(url, Body::Plain, &headers, None, Duration::ZERO).unwrap();
        let shown = format!("{http:?}");
        assert!(shown.contains("log.example.org") && !shown.contains("s3cret"));
        for (name, value) in [("Authorization", "s3cret\n"), ("no name", "s3cret")] {
            let headers = [(name.to_owned(), value.to_owned())];
            let refused = Http::new(url, Body::Plain, &headers, None, Duration::ZERO);
            let why = refused.unwrap_err();
            assert!(why.contains(name) && !why.contains("s3cret"), "{why}");
        }
    }
}
