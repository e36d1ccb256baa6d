"""FemtoHTTPHandler: records by HTTP, one at a time or in batches, sent by a thread that runs no Python; and its builder.

Whoever logs makes the record's part of a body and puts it on a queue. What goes on from there is femto/peer.py and native/core/src/transport.
"""

from __future__ import annotations

import base64
import functools
import json
import logging
import re
import time
import urllib.parse

from femtolog import _enqueue
from femtolog.errors import HandlerConfigError
from femtolog.femto import formatting
from femtolog.femto.options import QUEUE_BYTES, byte_limit, not_negative, positive
from femtolog.femto.peer import PeerHandler, PeerHandlerBuilder, backoff_of, tls_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Self

    from femtolog.femto.options import BackoffConfig, OverflowPolicy

    _Transform = Callable[[list[dict[str, Any]]], Iterable[Mapping[str, Any]]]

_AUTH_KEYS = ({"token"}, {"username", "password"}, {"api_key"}, {"api_key", "header"})
_BATCH = {"max_records": 100, "max_bytes": 1 << 20, "max_wait_ms": 1000, "layout": "array"}
_CONTENT_TYPES = {
    "form": "application/x-www-form-urlencoded",
    "json": "application/json",
    "array": "application/json",
    "ndjson": "application/x-ndjson",
}

# Headers that say how a request is sent.
_OWN_HEADERS = ("connection", "content-encoding", "content-length", "expect", "transfer-encoding")
_NUMBERS = ("boot_id", "seq")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class FemtoHTTPHandler(PeerHandler):
    """Posts records to `url`, each as a form, or as JSON (`format` "json"); with method "GET" as the query of the URL.

    A record has the fields `name`, `levelname`, `msg`, `created`, `filename`, `lineno`, `module`, `thread`, `threadName`, what `extra` has added, as
    text, and where there are any `exc_info` and `stack_info`, as data (in a form as JSON). `msg` is what a formatter makes of the record if one is
    set, without one the message. `record_fields` says which of these are sent.

    `auth` is a dict of `token`, of `username` and `password`, or of `api_key` and the `header` for it (X-API-Key without it). `batch` is True or a
    dict of `max_records` (100), `max_bytes` (1 MiB, before compression), `max_wait_ms` (1000) and `layout` ("array" for a JSON array, or "ndjson"):
    then so many records are one request. `compression` is "gzip" or "zstd". `tls` has the keys that FemtoSocketHandler's has.

    `transform` is given a list of records as dicts, and gives what is sent instead: none, one or more. It is called by whoever logs, with one
    record at a time: the thread that sends runs no Python.

    `fallback`, `replay`, `spool_dir` and `spool_max` are as for FemtoSocketHandler: where records go while the server is away, or answers with 429
    or 5xx. What the fallback gets is a record made of what would have been sent. So are `capacity_bytes`, of which a batch has half at most,
    `on_error` and `on_drop`.
    With `numbered` what is sent for a record ends with a `boot_id` and a `seq`, whatever `record_fields` says, for `python -m femtolog verify`.

    An answer of 2xx is success. With 429, 5xx, and without an answer it is tried again, later; any other answer drops the record. Redirects are not
    followed. HandlerConfigError, a ValueError, for settings that cannot be; TypeError for values of the wrong type. Nothing is connected before the
    first record.

    Examples:
        >>> from femtolog.femto import FemtoHTTPHandler
        >>> FemtoHTTPHandler("https://log.example.org/in?key=secret", auth={"token": "secret"}, batch={"max_records": 500})
        <FemtoHTTPHandler POST https://log.example.org/in (NOTSET)>
    """

    def __init__(
        self,
        url: str,
        method: str = "POST",
        *,
        auth: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        capacity: int = 1024,
        policy: str | OverflowPolicy = "drop",
        connect_timeout_ms: int = 5000,
        write_timeout_ms: int = 30_000,
        format: str | None = None,  # noqa: A002 - the key's name in configurations
        record_fields: Iterable[str] | None = None,
        batch: bool | Mapping[str, Any] | None = None,
        compression: str | None = None,
        transform: _Transform | None = None,
        tls: Mapping[str, Any] | None = None,
        backoff: BackoffConfig | Mapping[str, int] | None = None,
        backoff_base_ms: int | None = None,
        backoff_cap_ms: int | None = None,
        backoff_reset_after_ms: int | None = None,
        backoff_deadline_ms: int | None = None,
        fallback: logging.Handler | str | os.PathLike[str] | None = None,
        replay: bool = False,
        spool_dir: str | os.PathLike[str] | None = None,
        spool_max: str | int = _enqueue.SPILL_MAX,
        numbered: bool = False,
        capacity_bytes: int = QUEUE_BYTES,
        on_error: Callable[[BaseException, int], object] | None = None,
        on_drop: Callable[[str, int], object] | None = None,
    ) -> None:
        endpoint = _Endpoint(url)
        self.url, self.method = endpoint.shown, _method(method)
        self._batch = _batch(batch)
        self._json = _is_json(format, self._batch is not None)
        self._layout = "single" if self._batch is None else self._batch["layout"]
        self._record_fields = _record_fields(record_fields)
        self._transform = _transform(transform)
        if self.method == "GET" and (self._json or compression is not None):
            raise HandlerConfigError("method 'GET' has no body: it goes without JSON, batch and compression")
        sent = _headers(headers, _credentials(auth, endpoint))
        if self.method == "POST":
            sent.setdefault("content-type", _CONTENT_TYPES[self._body()])
        sent.setdefault("user-agent", "femtolog")
        batched = self._batch or {"max_records": 1, "max_bytes": _BATCH["max_bytes"], "max_wait_ms": 0}
        max_bytes = batched["max_bytes"]
        if self._batch is not None:
            # No batch waits for more than there may be.
            max_bytes = min(max_bytes, max(2, byte_limit(capacity_bytes) // 2))
        super().__init__(
            (endpoint.host, endpoint.port),
            (
                endpoint.url,
                self._body(),
                list(sent.items()),
                _compression(compression),
                (batched["max_records"], max_bytes, batched["max_wait_ms"]),
            ),
            _tls(tls, endpoint),
            capacity=capacity,
            policy=policy,
            connect_timeout_ms=connect_timeout_ms,
            write_timeout_ms=write_timeout_ms,
            backoff=backoff_of(backoff, backoff_base_ms, backoff_cap_ms, backoff_reset_after_ms, backoff_deadline_ms),
            fallback=fallback,
            replay=replay,
            spool_dir=spool_dir,
            spool_max=spool_max,
            numbered=numbered,
            capacity_bytes=capacity_bytes,
            on_error=on_error,
            on_drop=on_drop,
        )

    def _body(self) -> str:
        """How records become requests."""
        if self.method == "GET":
            return "query"
        return "form" if not self._json else "json" if self._layout == "single" else self._layout

    def _reader(self) -> Callable[[bytes], logging.LogRecord]:
        return functools.partial(_record_of, is_json=self._json)

    def _items(self, record: logging.LogRecord) -> list[bytes]:
        fields = self._fields(record)
        if self._transform is None:
            return [self._encoded(fields)]
        return [self._encoded(dict(made)) for made in self._transform([fields])]

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        known = formatting.as_dict(record)
        about = known["metadata"]
        fields: dict[str, Any] = {
            "name": str(known["logger"]),
            "levelname": known["level"],
            "msg": known["message"] if self.formatter is None else self.format(record),
            "created": about["timestamp"],
            "filename": str(about["filename"]),
            "lineno": about["line_number"],
            "module": str(about["module_path"]),
            "thread": str(about["thread_id"]),
            "threadName": about["thread_name"],
        }
        if fields["threadName"] is None:
            del fields["threadName"]
        fields |= {key: str(value) for key, value in about["key_values"].items()}
        fields |= {key: known[key] for key in ("exc_info", "stack_info") if key in known}
        if self._record_fields is None:
            return fields
        return {key: value for key, value in fields.items() if key in self._record_fields}

    def _encoded(self, fields: dict[str, Any]) -> bytes:
        """A record's part of a body: with a comma or a newline behind it where others follow."""
        if self._boot_id is not None:
            fields = {f"extra_{key}" if key in _NUMBERS else key: value for key, value in fields.items()}
            fields |= {"boot_id": self._boot_id, "seq": 0}  # the sender says the number in its place
        if not self._json:
            plain = {key: _json(value) if isinstance(value, dict | list) else value for key, value in fields.items()}
            return urllib.parse.urlencode(plain, errors="backslashreplace").encode()
        # The escape of a lone surrogate is JSON's, too.
        text = _json(fields).encode("utf-8", "backslashreplace")
        return text + {"single": b"", "array": b",", "ndjson": b"\n"}[self._layout]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {self.url} ({logging.getLevelName(self.level)})>"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)


def _record_of(body: bytes, *, is_json: bool) -> logging.LogRecord:
    """The record of which this is the part of a body. What `record_fields` or `transform` has left out is as if it were logged by nobody, now;
    without a `msg` all of the text is the message."""
    from femtolog.server import record_from

    text = body.decode(errors="replace").rstrip(",\n")
    fields: dict[str, Any] = json.loads(text) if is_json else dict(urllib.parse.parse_qsl(text, keep_blank_values=True))

    def field(name: str, kind: Callable[[Any], Any], default: Any) -> Any:
        try:
            value = kind(fields[name])
        except (KeyError, TypeError, ValueError, OverflowError):
            return default
        del fields[name]
        return value

    return record_from(
        {
            "logger": field("name", str, "root"),
            "level": field("levelname", str, "INFO"),
            "message": field("msg", str, text),
            "timestamp_ns": field("created", lambda created: max(0, round(float(created) * 1e9)), time.time_ns()),
            "filename": field("filename", str, ""),
            "line_number": field("lineno", int, 0),
            "module_path": field("module", str, ""),
            "thread_id": field("thread", str, ""),
            "thread_name": field("threadName", str, None),
            "key_values": fields,
        }
    )


class _Endpoint:
    """A URL, taken apart. What may be a secret in it, a password or a query, is in no error."""

    def __init__(self, url: str) -> None:
        if not isinstance(url, str):
            raise TypeError(f"url must be a str, got {type(url).__name__}")
        shown = url.rpartition("@")[2].partition("?")[0].partition("#")[0]
        try:
            parts = urllib.parse.urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise HandlerConfigError(f"url must be a URL, got {shown!r}") from error
        if parts.scheme not in ("http", "https") or not host:
            raise HandlerConfigError(f"url must begin with http:// or https:// and a host, got {shown!r}")
        if not url.isascii() or any(char <= " " or char == "\x7f" for char in url):
            raise HandlerConfigError(f"url must be ASCII without spaces, anything else quoted, got {shown!r}")
        self.is_https = parts.scheme == "https"
        self.host, self.port = host, port or (443 if self.is_https else 80)
        self.user, self.password = parts.username, parts.password
        place = parts.netloc.rpartition("@")[2]
        self.url = urllib.parse.urlunsplit((parts.scheme, place, parts.path or "/", parts.query, ""))
        self.shown = urllib.parse.urlunsplit((parts.scheme, place, parts.path or "/", "", ""))


def _method(method: str) -> str:
    if not isinstance(method, str):
        raise TypeError(f"method must be a str, got {method!r}")
    if method.upper() not in ("GET", "POST"):
        raise HandlerConfigError(f"method must be 'GET' or 'POST', got {method!r}")
    return method.upper()


def _is_json(format_name: str | None, batched: bool) -> bool:
    if format_name not in (None, "form", "json"):
        raise HandlerConfigError(f"format must be 'form' or 'json', got {format_name!r}")
    if batched and format_name == "form":
        raise HandlerConfigError("format must be 'json' where there is a batch, got 'form'")
    return batched or format_name == "json"


def _batch(given: bool | Mapping[str, Any] | None) -> dict[str, Any] | None:
    if given is None or given is False:
        return None
    settings: dict[str, Any] = dict(_BATCH)
    for key, value in ({} if given is True else given).items():
        if key not in settings:
            raise HandlerConfigError(f"unknown key of batch {key!r}; there are {', '.join(settings)}")
        settings[key] = value
    positive("max_records", settings["max_records"])
    not_negative("max_wait_ms", settings["max_wait_ms"])
    if not 2 <= positive("max_bytes", settings["max_bytes"]) <= QUEUE_BYTES // 2:
        raise HandlerConfigError(f"max_bytes must be from 2 to {QUEUE_BYTES // 2}, got {settings['max_bytes']}")
    if settings["layout"] not in ("array", "ndjson"):
        raise HandlerConfigError(f"layout must be 'array' or 'ndjson', got {settings['layout']!r}")
    return settings


def _record_fields(names: Iterable[str] | None) -> frozenset[str] | None:
    if names is None:
        return None
    listed = [names] if isinstance(names, str) else list(names)
    if isinstance(names, str) or not all(isinstance(name, str) for name in listed):
        raise TypeError(f"record_fields must be several str, got {names!r}")
    if not listed:
        raise HandlerConfigError("record_fields must name a field, got none")
    return frozenset(listed)


def _transform(function: _Transform | None) -> _Transform | None:
    if function is not None and not callable(function):
        raise TypeError(f"transform must be callable, got {function!r}")
    return function


def _compression(name: str | None) -> str | None:
    if name not in (None, "gzip", "zstd"):
        raise HandlerConfigError(f"compression must be 'gzip' or 'zstd', got {name!r}")
    return name


def _tls(given: Mapping[str, Any] | None, endpoint: _Endpoint) -> Any:
    if given is not None and not isinstance(given, dict):
        raise TypeError(f"tls must be a dict, got {given!r}")
    if endpoint.is_https:
        return tls_of(True if given is None else given, None, None)
    if given is not None:
        raise HandlerConfigError(f"tls is for https:// only, got {endpoint.shown!r}")
    return None


def _sendable(name: str, value: str) -> str:
    """The value, if a header can have it. It is in no error: it may be a secret."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, got {type(value).__name__}")
    if not value.isascii() or not value.isprintable():
        raise HandlerConfigError(f"{name} must be ASCII without control characters")
    return value


def _credentials(auth: Mapping[str, str] | None, endpoint: _Endpoint | None = None) -> tuple[str, str] | None:
    """The header that says who sends."""
    given = {} if auth is None else auth
    if not isinstance(given, dict):
        raise TypeError(f"auth must be a dict, got {type(given).__name__}")
    if endpoint is not None and endpoint.user is not None:
        if auth is not None:
            raise HandlerConfigError(f"auth is given, and so is a user in the url {endpoint.shown!r}: give one or the other")
        given = {"username": urllib.parse.unquote(endpoint.user), "password": urllib.parse.unquote(endpoint.password or "")}
    elif auth is None:
        return None
    if set(given) not in _AUTH_KEYS:
        known = "'token', 'username' and 'password', or 'api_key' and 'header'"
        raise HandlerConfigError(f"auth must have {known}, got the keys {', '.join(map(repr, given)) or 'of nothing'}")
    if "token" in given:
        return "authorization", f"Bearer {_sendable('token', given['token'])}"
    if "api_key" in given:
        return _name(given.get("header", "X-API-Key")), _sendable("api_key", given["api_key"])
    user, password = given["username"], given["password"]
    if not isinstance(user, str) or not isinstance(password, str):
        raise TypeError(f"username and password must be str, got {type(user).__name__} and {type(password).__name__}")
    if ":" in user:
        raise HandlerConfigError(f"username must be without a colon, got {user!r}")
    return "authorization", f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _name(name: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"the name of a header must be a str, got {name!r}")
    if not _TOKEN.fullmatch(name) or name.lower() in _OWN_HEADERS:
        raise HandlerConfigError(f"a header must have a name of its own, and not {', '.join(_OWN_HEADERS)}; got {name!r}")
    return name.lower()


def _headers(given: Mapping[str, str] | None, credentials: tuple[str, str] | None) -> dict[str, str]:
    headers: dict[str, str] = {}
    pairs = [] if given is None else list(given.items())
    for name, value in pairs if credentials is None else [*pairs, credentials]:
        if _name(name) in headers:
            raise HandlerConfigError(f"the header {name!r} is given twice")
        headers[_name(name)] = _sendable(f"the header {name!r}", value)
    return headers


class HTTPHandlerBuilder(PeerHandlerBuilder):
    """A FemtoHTTPHandler. There must be a URL.

    Examples:
        >>> from femtolog.femto import HTTPHandlerBuilder
        >>> builder = HTTPHandlerBuilder().with_endpoint("https://log.example.org/in").with_bearer_token("secret")
        >>> builder.with_batch(max_records=500).build()
        <FemtoHTTPHandler POST https://log.example.org/in (NOTSET)>
        >>> builder.as_dict()["auth_type"]
        'bearer'
    """

    def __init__(self) -> None:
        super().__init__(url=None, method="POST", write_timeout_ms=30_000, format="form")
        self._url: str | None = None
        self._auth: dict[str, str] | None = None
        self._headers: dict[str, str] = {}
        self._transform: _Transform | None = None

    def with_endpoint(self, url: str, method: str = "POST") -> Self:
        """Where records go, by POST or GET. What may be a secret in a URL, a password or a query, is sent but shown nowhere."""
        return self.with_url(url).with_method(method)

    def with_url(self, url: str) -> Self:
        """Where records go."""
        self._url, shown = url, _Endpoint(url).shown
        return self._tell("url", shown)

    def with_method(self, method: str) -> Self:
        """POST or GET."""
        return self._tell("method", _method(method))

    def with_auth(self, auth: Mapping[str, str]) -> Self:
        """A dict of `token`, of `username` and `password`, or of `api_key` and perhaps the `header` for it."""
        _credentials(auth)
        self._auth = dict(auth)
        for key in ("auth_user", "auth_header"):
            self._told.pop(key, None)
        if "token" in auth:
            return self._tell("auth_type", "bearer")
        if "api_key" in auth:
            self._told["auth_header"] = auth.get("header", "X-API-Key")
            return self._tell("auth_type", "api_key")
        self._told["auth_user"] = auth["username"]
        return self._tell("auth_type", "basic")

    def with_basic_auth(self, username: str, password: str) -> Self:
        """A user and a password."""
        return self.with_auth({"username": username, "password": password})

    def with_bearer_token(self, token: str) -> Self:
        """A token."""
        return self.with_auth({"token": token})

    def with_header(self, name: str, value: str) -> Self:
        """One more header of every request. as_dict() has its name alone."""
        return self.with_headers({name: value})

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """More headers of every request."""
        self._headers |= _headers(headers, None)
        return self._tell("headers", sorted(self._headers))

    def with_json_format(self) -> Self:
        """A record is an object of JSON, not a form."""
        return self._tell("format", "json")

    def with_record_fields(self, fields: Iterable[str]) -> Self:
        """Which fields of a record are sent."""
        listed = fields if isinstance(fields, str) else list(fields)
        _record_fields(listed)
        return self._tell("record_fields", listed)

    def with_batch(
        self, max_records: int = 100, max_bytes: int = 1 << 20, max_wait_ms: int = 1000, *, layout: str = "array"
    ) -> Self:
        """So many records are one request, in JSON: at most so many, of so many bytes, or what has come in so many milliseconds.

        `layout` is "array", or "ndjson" for an object in each line.
        """
        batch = {"max_records": max_records, "max_bytes": max_bytes, "max_wait_ms": max_wait_ms, "layout": layout}
        self._told["batch"] = _batch(batch)
        return self.with_json_format()

    def with_compression(self, name: str) -> Self:
        """Bodies are sent by "gzip" or "zstd"."""
        return self._tell("compression", _compression(name))

    def with_transform(self, transform: _Transform) -> Self:
        """What makes of a list of records what is sent, see FemtoHTTPHandler."""
        self._transform = _transform(transform)
        return self

    def _make(self) -> FemtoHTTPHandler:
        told = self._told
        if self._url is None:
            raise HandlerConfigError("url must be told: there is no endpoint")
        return FemtoHTTPHandler(
            self._url,
            told["method"],
            auth=self._auth,
            headers=self._headers,
            format=told["format"],
            record_fields=told.get("record_fields"),
            batch=told.get("batch"),
            compression=told.get("compression"),
            transform=self._transform,
            **self._common(),
        )
