"""Sending a signed request exactly as it was signed, on httpcore2, which puts the target and headers on the wire as they are."""

from __future__ import annotations

import os
import socket
import ssl
import time
from urllib.parse import urlsplit

import httpcore2
from httpcore2 import NetworkBackend, NetworkStream, SyncBackend

from . import failure
from .failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..canonical import Header
    from ..sigv4 import Signed

_BLOCK = 1 << 18


class Answer:
    """What the server answered; the body is read as it is iterated."""

    def __init__(self, response: httpcore2.Response) -> None:
        self.status = response.status
        self.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers]
        version = response.extensions.get("http_version", b"HTTP/1.1")
        reason = response.extensions.get("reason_phrase", b"")
        self.status_line = f"{version.decode()} {response.status} {reason.decode('latin-1')}".rstrip()
        self._response = response

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def blocks(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


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
    ) -> None:
        self._connect_timeout = connect_timeout
        self._deadline = None if max_time is None else time.monotonic() + max_time
        self._backend = _Backend(resolve or {}, self._deadline)
        self._proxy = proxy
        self._cacert = cacert
        self._insecure = insecure
        self._pools: dict[str, httpcore2.ConnectionPool] = {}

    def send(self, signed: Signed) -> Answer:
        """Send what was signed. Failure, with curl's exit code, where no answer came."""
        parts = urlsplit(signed.url)
        target = signed.url.split(parts.netloc, 1)[1]
        url = httpcore2.URL(
            scheme=parts.scheme.encode(), host=_host(parts.hostname or ""), port=parts.port, target=(target or "/").encode()
        )
        timeout = {"connect": self._connect_timeout, "read": None, "write": None, "pool": None}
        request = httpcore2.Request(
            signed.method, url, headers=_bytes(framed(signed)), content=_blocks(signed.body), extensions={"timeout": timeout}
        )
        with reported(parts.hostname or "", parts.port):
            return Answer(self._pool(parts.scheme, parts.hostname or "").handle_request(request))

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()

    def _pool(self, scheme: str, host: str) -> httpcore2.ConnectionPool:
        proxy = self._proxy if self._proxy is not None else _proxy_of_environment(scheme, host)
        if proxy not in self._pools:
            options: dict[str, Any] = {"network_backend": self._backend, "max_connections": 1, "retries": 0}
            if scheme == "https" or proxy:
                options["ssl_context"] = self._ssl_context()
            if proxy:
                parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
                credentials = (parts.username or "", parts.password or "") if parts.username else None
                options["proxy"] = httpcore2.Proxy(
                    httpcore2.URL(
                        scheme=parts.scheme.encode(), host=_host(parts.hostname or ""), port=parts.port or 1080, target=b"/"
                    ),
                    auth=credentials,
                )
            self._pools[proxy or ""] = httpcore2.ConnectionPool(**options)
        return self._pools[proxy or ""]

    def _ssl_context(self) -> ssl.SSLContext:
        bundle = self._cacert or os.environ.get("AWS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or None
        try:
            context = ssl.create_default_context(cafile=bundle)
        except OSError as error:
            raise Failure(77, f"cannot read the certificates of {bundle!r}: {error.strerror}") from None
        if self._insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def framed(signed: Signed) -> list[Header]:
    """The headers with what the body's framing needs: its length where it is known, else chunks."""
    headers = list(signed.headers)
    names = {name.lower() for name, _ in headers}
    if signed.body is None and signed.method not in ("POST", "PUT", "PATCH"):
        return headers
    if "content-length" not in names and "transfer-encoding" not in names:
        size = body_size(signed.body)
        headers.append(("Transfer-Encoding", "chunked") if size is None else ("Content-Length", str(size)))
    return headers


def body_size(body: Any) -> int | None:
    """The length of a body in bytes, None where only reading it would tell."""
    if body is None:
        return 0
    if isinstance(body, bytes):
        return len(body)
    if hasattr(body, "seekable") and body.seekable():
        here = body.tell()
        size: int = body.seek(0, os.SEEK_END) - here
        body.seek(here)
        return size
    return None


def _blocks(body: Any) -> Iterable[bytes] | bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return iter(lambda: body.read(_BLOCK), b"") if hasattr(body, "read") else body


def _bytes(headers: Iterable[Header]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in headers]


def _host(host: str) -> bytes:
    return (f"[{host}]" if ":" in host else host).encode()


def _proxy_of_environment(scheme: str, host: str) -> str | None:
    """Curl takes http_proxy in lower case alone: a server of CGI would take HTTP_PROXY from a client's `Proxy:` header."""
    get = os.environ.get
    found = get("http_proxy") if scheme == "http" else get("https_proxy") or get("HTTPS_PROXY")
    found = found or get("all_proxy") or get("ALL_PROXY")
    if not found:
        return None
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined] # The standard library's reading of no_proxy.

    return None if proxy_bypass_environment(host) else found


class reported:  # noqa: N801 - reads as a phrase: `with reported(host, port):`
    """Turns what httpcore2 raises into a Failure with curl's exit code."""

    def __init__(self, host: str, port: int | None) -> None:
        self._where = f"{host}:{port}" if port else host
        self._host = host

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (httpcore2.TimeoutException, _OutOfTime)):
            raise Failure(failure.TIMED_OUT, f"{self._where}: timed out") from None
        if isinstance(error, httpcore2.ConnectError):
            raise self._not_connected(error) from None
        if isinstance(error, httpcore2.UnsupportedProtocol):
            raise Failure(failure.UNSUPPORTED_PROTOCOL, f"{error}") from None
        if isinstance(error, httpcore2.ProxyError):
            raise Failure(failure.RECEIVE_ERROR, f"the proxy refused: {error}") from None
        if isinstance(error, httpcore2.RemoteProtocolError):
            text = str(error)
            if "without sending a response" in text:
                raise Failure(failure.EMPTY_REPLY, f"{self._where} closed the connection without an answer") from None
            if "without sending complete" in text:
                raise Failure(failure.PARTIAL, f"{self._where} closed the connection before the whole answer was sent") from None
            raise Failure(failure.RECEIVE_ERROR, f"{self._where} answered something that is not HTTP: {text}") from None
        if isinstance(error, httpcore2.WriteError):
            raise Failure(failure.SEND_ERROR, f"{self._where}: the connection broke while sending") from None
        if isinstance(error, (httpcore2.NetworkError, httpcore2.LocalProtocolError)):
            raise Failure(failure.RECEIVE_ERROR, f"{self._where}: the connection broke: {error or type(error).__name__}") from None

    def _not_connected(self, error: BaseException) -> Failure:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, socket.gaierror):
                return Failure(failure.COULD_NOT_RESOLVE, f"could not resolve the host {self._host}")
            if isinstance(cause, ssl.SSLCertVerificationError):
                return Failure(
                    failure.BAD_CERTIFICATE,
                    f"{self._where}: the certificate is not trusted ({cause.verify_message}); --cacert FILE trusts another authority",
                )
            if isinstance(cause, ssl.SSLError):
                return Failure(failure.TLS_HANDSHAKE, f"{self._where}: the TLS handshake failed ({cause.reason or cause})")
            cause = cause.__cause__ or cause.__context__
        return Failure(failure.COULD_NOT_CONNECT, f"could not connect to {self._where}: {error}")


class _OutOfTime(Exception):
    """--max-time is over."""


class _Backend(NetworkBackend):
    """Opens connections where --resolve says, and lets none outlast --max-time."""

    def __init__(self, resolve: dict[tuple[str, int], list[str]], deadline: float | None) -> None:
        self._resolve = resolve
        self._deadline = deadline
        self._own = SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> NetworkStream:
        addresses = self._resolve.get((host.lower().strip("[]"), port)) or self._resolve.get(("*", port)) or [host.strip("[]")]
        for last, address in enumerate(addresses, 1 - len(addresses)):
            try:
                limit = _shorter(timeout, self._deadline)
                return _Stream(self._own.connect_tcp(address, port, limit, local_address, socket_options), self._deadline)
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

    def __init__(self, own: NetworkStream, deadline: float | None) -> None:
        self._own = own
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._own.read(max_bytes, _shorter(timeout, self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._own.write(buffer, _shorter(timeout, self._deadline))

    def close(self) -> None:
        self._own.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        return _Stream(self._own.start_tls(ssl_context, server_hostname, _shorter(timeout, self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._own.get_extra_info(info)


def _shorter(timeout: float | None, deadline: float | None) -> float | None:
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise _OutOfTime
    return left if timeout is None else min(timeout, left)
