"""Sending a signed request exactly as it was signed, and the answer."""

from __future__ import annotations

import os
import time

from ..body import blocks
from ..request import split_authority
from ..settings import proxy_for
from ..signed import framed
from . import failure
from .connection import Connection, Peer
from .failure import Failure
from .http1 import Http1

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from h11 import InformationalResponse, Response

    from ..signed import Signed
    from .progress import Progress
    from .proxy import Proxy

_BLOCK = 1 << 18
_PORTS = {"http": 80, "https": 443}


class Answer:
    """What the server answered; the body is read as it is iterated. is_last: whether it redirects to no other."""

    def __init__(self, response: Response | InformationalResponse, http: Http1) -> None:
        self.status = response.status_code
        # Latin-1 by the standard, UTF-8 in what servers send (a Location above all).
        self.headers = [
            (name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in response.headers.raw_items()
        ]
        version, reason = response.http_version.decode(), response.reason.decode("utf-8", "surrogateescape")
        self.status_line = f"HTTP/{version} {self.status} {reason}".rstrip()
        self.is_last = True
        self._http = http

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
        return self._http.blocks()

    def close(self) -> None:
        self._http.close()


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
    """A connection to a server for each request, with the options that curl has for it.

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
        self._resolve = resolve or {}
        self._proxy = proxy
        self._cacert = cacert
        self._insecure = insecure
        self.begin()

    def begin(self) -> None:
        """From here on max_time counts: for a request and all that it is redirected to; anew for a second try."""
        self._deadline = None if self._max_time is None else time.monotonic() + self._max_time

    def send(self, signed: Signed) -> Answer:
        """Send what was signed. Failure, with curl's exit code, where no answer came."""
        scheme, _, rest = signed.url.partition("://")
        netloc, slash, path = rest.partition("/")
        if scheme not in _PORTS:
            raise Failure(failure.UNSUPPORTED_PROTOCOL, f"{scheme}:// is not spoken here; http:// and https:// are")
        _, host, port = split_authority(netloc)
        host = host.strip("[]")
        server = Peer(host, int(port) if port else _PORTS[scheme], netloc)
        url = self._proxy if self._proxy is not None else proxy_for(scheme, host)
        proxy = None
        if url:
            from .proxy import Proxy

            proxy = Proxy(url)
        connection = self._connect(server, proxy, has_tls=scheme == "https")
        connection.deadline = self._deadline
        try:
            http = Http1(connection, server)
            target, headers = slash + path, framed(signed)
            if proxy is not None and scheme == "http":  # RFC 9112, section 3.2.2: a proxy is asked for the whole URL.
                target, headers = f"{scheme}://{netloc}{target}", [*proxy.headers, *headers]
            body = blocks(signed.body, _BLOCK)
            if self._progress is not None and not isinstance(signed.body, bytes | None):
                length = next((str(value) for name, value in headers if name.lower() == "content-length"), None)
                body = self._progress.of(body, int(length) if length else None, "up")
            return Answer(http.ask(signed.method, target, headers, body), http)
        except BaseException:
            connection.close()
            raise

    def ask(self, signed: Signed) -> tuple[int, str]:
        """Send what was signed; the status and the text of a short answer."""
        answer = self.send(signed)
        try:
            return answer.status, b"".join(answer.blocks()).decode("utf-8", "replace")
        finally:
            answer.close()

    def _connect(self, server: Peer, proxy: Proxy | None, *, has_tls: bool) -> Connection:
        peer, deadline = server if proxy is None else proxy.peer, self._deadline
        if self._connect_timeout is not None:
            limit = time.monotonic() + self._connect_timeout
            deadline = limit if deadline is None else min(limit, deadline)
        addresses = self._resolve.get((peer.host.lower(), peer.port)) or self._resolve.get(("*", peer.port)) or [peer.host]
        connection = Connection(peer, addresses, deadline)
        try:
            if proxy is not None and proxy.has_tls:
                connection.start_tls(_trusting(None), peer)
            if has_tls:
                if proxy is not None:
                    proxy.tunnel(connection, server.host, server.port)
                connection.start_tls(self._context(), server)
        except BaseException:
            connection.close()
            raise
        return connection

    def _context(self) -> ssl.SSLContext:
        context = _trusting(self._cacert or os.environ.get("CURL_CA_BUNDLE") or None)
        if self._insecure:
            import ssl

            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _trusting(bundle: str | None) -> ssl.SSLContext:
    """Trust in a file of certificates, or in the system's."""
    import ssl

    try:
        context = ssl.create_default_context(cafile=bundle)
    except OSError as error:
        raise Failure(failure.BAD_CA_FILE, f"cannot read the certificates of {bundle!r}: {error.strerror}") from None
    context.set_alpn_protocols(["http/1.1"])
    return context
