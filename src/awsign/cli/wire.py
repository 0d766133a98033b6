"""Sending a signed request exactly as it was signed, on httpcore2, which puts the target and headers on the wire as they are."""

from __future__ import annotations

import os
import socket
import ssl
import time
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

import httpcore2
from h11 import LocalProtocolError
from httpcore2 import NetworkBackend, NetworkStream, SyncBackend

from ..body import blocks
from ..settings import proxy_for
from ..signed import framed
from . import failure
from .failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..canonical import Header
    from ..signed import Signed
    from .progress import Progress

_BLOCK = 1 << 18


class Answer:
    """What the server answered; the body is read as it is iterated. is_last: whether it redirects to no other."""

    def __init__(self, response: httpcore2.Response, where: str) -> None:
        self.status = response.status
        # Latin-1 by the standard, UTF-8 in what servers send (a Location above all).
        self.headers = [(name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in response.headers]
        version = response.extensions.get("http_version", b"HTTP/1.1")
        reason = response.extensions.get("reason_phrase", b"")
        self.status_line = f"{version.decode()} {response.status} {reason.decode('latin-1')}".rstrip()
        self.is_last = True
        self._response = response
        self._where = where

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def length(self) -> int | None:
        """The length of the body in bytes, if it says so."""
        text = self.header("content-length")
        return int(text) if text and text.isascii() and text.isdigit() else None

    def head(self) -> bytes:
        """The status line and the headers, as they came."""
        lines = [self.status_line, *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape")

    def blocks(self) -> Iterator[bytes]:
        with reported(self._where):
            yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


def decompressed(answer: Answer) -> Iterator[bytes]:
    """The body with its content encodings undone: gzip (of any number of members) and deflate, with zlib's frame or without."""
    blocks = answer.blocks()
    encodings = [encoding.strip().lower() for encoding in (answer.header("content-encoding") or "").split(",")]
    for encoding in reversed(encodings):
        if encoding in ("gzip", "x-gzip", "deflate"):
            blocks = _inflated(blocks, encoding)
        elif encoding not in ("", "identity"):
            raise Failure(failure.BAD_ENCODING, f"the answer is encoded as {encoding[:40]!r}, which was not asked for")
    return blocks


def _inflated(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    import zlib

    undo = None
    try:
        for block in blocks:
            while block:
                if undo is None:
                    # RFC 9110, section 8.4.1.2: some send deflate without the zlib frame that the standard asks for.
                    raw = encoding == "deflate" and block[0] & 0x0F != 8
                    undo = zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS | 32)
                yield undo.decompress(block)
                block = undo.unused_data
                if undo.eof:
                    undo = None
        if undo is not None:
            raise Failure(failure.WRITE_ERROR, f"the answer ends in the middle of its {encoding} encoding")
    except zlib.error as error:
        raise Failure(failure.BAD_ENCODING, f"the answer is not the {encoding} that it says it is: {error}") from None


class Wire:
    """Connections to servers, with the options that curl has for them.

    connect_timeout, max_time: seconds, None for no limit. resolve: (host, port) -> addresses. cacert: a file of certificates to
    trust instead of the system's. insecure: take any certificate. proxy: a URL, None for that of the environment, "" for none.
    """

    def __init__(
        self,
        *,
        connect_timeout: float | None = None,
        max_time: float | None = None,
        resolve: dict[tuple[str, int], list[str]] | None = None,
        cacert: str | None = None,
        insecure: bool = False,
        proxy: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._progress = progress
        self._connect_timeout = connect_timeout or None  # 0 is no limit, as in curl.
        self._max_time = max_time or None
        self._backend = _Backend(resolve or {})
        self._proxy = proxy
        self._cacert = cacert
        self._insecure = insecure
        self._pools: dict[str, httpcore2.ConnectionPool] = {}

    def send(self, signed: Signed) -> Answer:
        """Send what was signed. Failure, with curl's exit code, where no answer came."""
        parts = urlsplit(signed.url)
        target = signed.url.partition("://")[2].removeprefix(parts.netloc)
        url = httpcore2.URL(
            scheme=parts.scheme.encode(), host=_host(parts.hostname or ""), port=parts.port, target=(target or "/").encode()
        )
        timeout = {"connect": self._connect_timeout, "read": None, "write": None, "pool": None}
        headers = framed(signed)
        content = signed.body if isinstance(signed.body, bytes | None) else blocks(signed.body, _BLOCK)
        if self._progress is not None and content is not None and not isinstance(content, bytes):
            length = next((str(value) for name, value in headers if name.lower() == "content-length"), None)
            content = self._progress.of(content, int(length) if length else None, "up")
        request = httpcore2.Request(signed.method, url, headers=_bytes(headers), content=content, extensions={"timeout": timeout})
        self._backend.deadline = None if self._max_time is None else time.monotonic() + self._max_time
        with reported(parts.netloc, self._backend):
            return Answer(self._pool(parts.scheme, parts.hostname or "").handle_request(request), parts.netloc)

    def ask(self, signed: Signed) -> tuple[int, str]:
        """Send what was signed; the status and the text of a short answer."""
        answer = self.send(signed)
        try:
            return answer.status, b"".join(answer.blocks()).decode("utf-8", "replace")
        finally:
            answer.close()

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()

    def _pool(self, scheme: str, host: str) -> httpcore2.ConnectionPool:
        proxy = self._proxy if self._proxy is not None else proxy_for(scheme, host)
        if proxy not in self._pools:
            options: dict[str, Any] = {"network_backend": self._backend, "max_connections": 1, "retries": 0}
            if scheme == "https" or proxy:
                options["ssl_context"] = self._ssl_context()
            if proxy:
                options["proxy"] = _proxy(proxy)
            self._pools[proxy or ""] = httpcore2.ConnectionPool(**options)
        return self._pools[proxy or ""]

    def _ssl_context(self) -> ssl.SSLContext:
        bundle = self._cacert or os.environ.get("CURL_CA_BUNDLE") or None
        try:
            context = ssl.create_default_context(cafile=bundle)
        except OSError as error:
            raise Failure(failure.BAD_CA_FILE, f"cannot read the certificates of {bundle!r}: {error.strerror}") from None
        if self._insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _bytes(headers: Iterable[Header]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in headers]


def _host(host: str) -> bytes:
    return (f"[{host}]" if ":" in host else host).encode()


def _proxy(url: str) -> httpcore2.Proxy:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or 1080  # curl(1), --proxy
    except ValueError:
        raise Failure(failure.COULD_NOT_RESOLVE_PROXY, "the proxy is not a URL such as http://proxy.example:3128") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Failure(
            failure.COULD_NOT_RESOLVE_PROXY, f"a proxy of the kind {parts.scheme!r} is not spoken here; http:// and https:// are"
        )
    credentials = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return httpcore2.Proxy(
        httpcore2.URL(scheme=parts.scheme.encode(), host=_host(parts.hostname), port=port, target=b"/"), auth=credentials
    )


@contextmanager
def reported(where: str, backend: _Backend | None = None) -> Iterator[None]:
    """What httpcore2 raises, as a Failure with curl's exit code. where: the host and port that were asked."""
    try:
        yield
    except (httpcore2.TimeoutException, _OutOfTime):
        raise Failure(failure.TIMED_OUT, f"{where}: timed out") from None
    except httpcore2.ConnectError as error:
        raise _not_connected(error, where, backend.asked if backend else "") from None
    except httpcore2.UnsupportedProtocol as error:
        raise Failure(failure.UNSUPPORTED_PROTOCOL, f"{error}") from None
    except httpcore2.ProxyError as error:
        raise Failure(failure.RECEIVE_ERROR, f"the proxy refused: {error}") from None
    except httpcore2.RemoteProtocolError as error:
        # httpcore2 has one class for the three; its words tell them apart.
        if "without sending a response" in str(error):
            raise Failure(failure.EMPTY_REPLY, f"{where} closed the connection without an answer") from None
        if "without sending complete" in str(error):
            raise Failure(failure.PARTIAL, f"{where} closed the connection before the whole answer was sent") from None
        raise Failure(failure.RECEIVE_ERROR, f"{where} answered something that is not HTTP: {error}") from None
    except httpcore2.WriteError:
        raise Failure(failure.SEND_ERROR, f"{where}: the connection broke while sending") from None
    except (httpcore2.NetworkError, httpcore2.LocalProtocolError, LocalProtocolError) as error:
        raise Failure(
            failure.RECEIVE_ERROR, f"{where}: the request could not be sent or answered: {error or type(error).__name__}"
        ) from None


def _not_connected(error: BaseException, where: str, asked: str) -> Failure:
    cause: BaseException | None = error
    by_proxy = bool(asked) and asked != (urlsplit(f"//{where}").hostname or "")
    if by_proxy:
        where = f"the proxy {asked}"
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            if by_proxy:
                return Failure(failure.COULD_NOT_RESOLVE_PROXY, f"could not resolve {where}")
            return Failure(failure.COULD_NOT_RESOLVE, f"could not resolve the host {asked or where}")
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Failure(
                failure.BAD_CERTIFICATE,
                f"{where}: the certificate is not trusted ({cause.verify_message}); --cacert FILE trusts another authority",
            )
        if isinstance(cause, ssl.SSLError):
            return Failure(failure.TLS_HANDSHAKE, f"{where}: the TLS handshake failed ({cause.reason or cause})")
        cause = cause.__cause__ or cause.__context__
    return Failure(failure.COULD_NOT_CONNECT, f"could not connect to {where}: {error}")


class _OutOfTime(Exception):
    """--max-time is over."""


class _Backend(NetworkBackend):
    """Opens connections where --resolve says, and lets none outlast --max-time."""

    def __init__(self, resolve: dict[tuple[str, int], list[str]]) -> None:
        self._resolve = resolve
        self.asked = ""  # The host that was asked for a connection last: a proxy's, where there is one.
        self.deadline: float | None = None  # Of the request that is under way.
        self._own = SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> NetworkStream:
        self.asked = host.strip("[]")
        addresses = self._resolve.get((host.lower().strip("[]"), port)) or self._resolve.get(("*", port)) or [host.strip("[]")]
        for last, address in enumerate(addresses, 1 - len(addresses)):
            try:
                limit = _shorter(timeout, self.deadline)
                return _Stream(self._own.connect_tcp(address, port, limit, local_address, socket_options), self)
            except httpcore2.ConnectError:
                if not last:
                    raise
        raise AssertionError("no address to connect to")

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Any = None) -> NetworkStream:
        raise NotImplementedError

    def sleep(self, seconds: float) -> None:
        self._own.sleep(seconds)


class _Stream(NetworkStream):
    """A connection whose every wait ends with --max-time."""

    def __init__(self, own: NetworkStream, backend: _Backend) -> None:
        self._own = own
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._own.read(max_bytes, _shorter(timeout, self._backend.deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._own.write(buffer, _shorter(timeout, self._backend.deadline))

    def close(self) -> None:
        self._own.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        limit = _shorter(timeout, self._backend.deadline)
        return _Stream(self._own.start_tls(ssl_context, server_hostname, limit), self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._own.get_extra_info(info)


def _shorter(timeout: float | None, deadline: float | None) -> float | None:
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise _OutOfTime
    return left if timeout is None else min(timeout, left)
