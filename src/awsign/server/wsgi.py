"""WSGI middleware: an application sees verified requests alone, and who signed them.

Source: PEP 3333. It gives the path decoded; RAW_URI (gunicorn) and REQUEST_URI (uWSGI, mod_wsgi, waitress) have it as it came.
"""

from __future__ import annotations

import io
import re
from http import HTTPStatus

from ..errors import SignatureError
from ..request import Request
from .arriving import (
    Middleware,
    check_handed_on,
    declared_length,
    decoded_headers,
    largest_undeclared,
    may_be_signed_form,
    refuse_path,
    too_large,
    wire_path,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from ..verify import Claim, Verified

    Environ = dict[str, Any]
    StartResponse = Callable[..., Any]
    App = Callable[[Environ, StartResponse], Iterable[bytes]]

_BLOCK = 65536
_ABSOLUTE = re.compile(r"(?i)https?://[^/?#]*")


class WsgiMiddleware(Middleware):
    """Verifies each request before `app` sees it; `environ["awsign.verified"]` is then the `Verified`, REMOTE_USER the access key ID.

    The rest as for AsgiMiddleware. Under a server that gives neither RAW_URI nor REQUEST_URI, requests are refused whose path has anything
    but unreserved characters, since their encoding is lost.
    """

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request = None
        try:
            headers = _headers(environ)
            request = self._request(environ, headers)
            verified, body = self._verify(request, environ, headers)
        except SignatureError as error:
            return self._refuse(request, error, environ, start_response)
        seen = {**environ, "awsign.verified": verified, "REMOTE_USER": verified.access_key_id, "AUTH_TYPE": "AWS"}
        seen["wsgi.input"] = io.BufferedReader(body, _BLOCK)
        if body.decodes:
            _put_decoded(seen, headers)
        seen["wsgi.input_terminated"] = True
        return self._run(seen, body, request, start_response)

    def _run(self, environ: Environ, body: _Body, request: Request, start_response: StartResponse) -> Iterator[bytes]:
        """The application's answer, unless its body turns out not to be what was signed before it has begun to answer."""
        held: list[tuple[Any, ...]] = []
        written: list[bytes] = []
        sent = False

        def hold(status: str, given: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
            if exc_info is not None and sent:  # PEP 3333, "Error Handling": it is too late for another answer.
                raise exc_info[1].with_traceback(exc_info[2])
            held[:] = [(status, given)]
            return written.append

        answer: Iterable[bytes] = ()
        try:
            answer = self._app(environ, hold)
            for block in answer:
                for each in (*written, block):
                    # Not before there is something to send: until then the answer may still be another.
                    if each and body.error is None:
                        if not sent:
                            sent = True
                            start_response(*held[0])
                        yield each
                written.clear()
        except Exception:
            if body.error is None:
                raise
        finally:
            if hasattr(answer, "close"):
                answer.close()
        if body.error is not None:
            if sent:  # The server cuts the connection, so that the client does not take the answer for whole.
                raise body.error
            yield from self._refuse(request, body.error, environ, start_response)
            return
        if held and not sent:
            start_response(*held[0])
        yield from written

    def _request(self, environ: Environ, headers: dict[str, str]) -> Request:
        raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
        if raw is None:
            path = wire_path(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""), headers)
            query = environ.get("QUERY_STRING", "")
        else:
            path, _, query = (_ABSOLUTE.sub("", raw) or "/").partition("?")
            handed_on = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "") or "/"
            check_handed_on(path.encode("latin-1"), handed_on.encode("latin-1"), headers)
            if query != environ.get("QUERY_STRING", ""):
                refuse_path(headers, "query")
        target = self._place.target(path, query)
        pairs = self._place.headers(list(headers.items()))
        scheme = self._place.scheme or environ["wsgi.url_scheme"]
        # What WSGI gives as str are bytes as Latin-1.
        return Request.received(
            environ["REQUEST_METHOD"],
            target.encode("latin-1"),
            [(name, value.encode("latin-1")) for name, value in pairs],
            None,
            scheme,
        )

    def _verify(self, request: Request, environ: Environ, headers: dict[str, str]) -> tuple[Verified, _Body]:
        incoming = _Incoming(environ, declared_length(headers))
        most = largest_undeclared(self._verifier)
        if may_be_signed_form(request):
            request.body = _whole(incoming, most, None)  # A signature may be in it.
        claim = self._verifier.claim(request)
        if claim.needs_body and request.body is None:
            request.body = _whole(incoming, most, claim)
        verified = self._verifier.verify(claim)
        if isinstance(request.body, bytes):
            return verified, _Body(iter((request.body,)), None)
        body = _Body(incoming.blocks(), verified)
        if incoming.is_empty:
            body.check_empty()
        return verified, body

    def _refuse(
        self, request: Request | None, error: SignatureError, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        status, headers, body = self._answer(request, error)
        phrase = HTTPStatus(status).phrase
        pairs = [(name.decode().title(), value.decode("latin-1")) for name, value in headers]
        start_response(f"{status} {phrase}", [*pairs, ("Content-Length", str(len(body)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def _headers(environ: Environ) -> dict[str, str]:
    """The headers as CGI has them; of one that came twice, the server made one."""
    found = {}
    for name, value in environ.items():
        if name.startswith("HTTP_") and isinstance(value, str):
            found[name[5:].replace("_", "-").lower()] = value
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            found[name.replace("_", "-").lower()] = environ[name]
    return found


class _Incoming:
    """The body as the server gives it: as long as Content-Length says, or to its end where the server ends it."""

    def __init__(self, environ: Environ, length: int | None) -> None:
        self._stream = environ["wsgi.input"]
        self._begun = b""
        self._left = length
        if length is None and "HTTP_TRANSFER_ENCODING" not in environ:
            # Without either there is no body in HTTP/1, and reading on could wait for ever where the server does not end it.
            self._begun = self._stream.read(_BLOCK) if environ.get("wsgi.input_terminated") else b""
            self._left = None if self._begun else 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to come."""
        return self._left == 0

    def blocks(self) -> Iterator[bytes]:
        if self._begun:
            yield self._begun
        while self._left is None or self._left > 0:
            block = self._stream.read(_BLOCK if self._left is None else min(_BLOCK, self._left))
            if not block:
                if self._left:
                    raise SignatureError("incomplete-body", "the body ends before its Content-Length says so")
                return
            if self._left is not None:
                self._left -= len(block)
            yield block


def _whole(incoming: _Incoming, most: int, claim: Claim | None) -> bytes:
    read = bytearray()
    for block in incoming.blocks():
        read += block
        if len(read) > most:
            too_large(claim, most)
    return bytes(read)


class _Body(io.RawIOBase):
    """What the application reads: each block as soon as it may be used, the last when the whole is what was signed."""

    def __init__(self, blocks: Iterator[bytes], verified: Verified | None) -> None:
        super().__init__()
        self._blocks = blocks
        self._check = None if verified is None else verified.body
        self._ready = memoryview(b"")
        self._ended = False
        self.error: SignatureError | None = None

    @property
    def decodes(self) -> bool:
        return self._check is not None and self._check.decodes

    def check_empty(self) -> None:
        """Check a body that is empty before the application is asked: it may not read what it takes for nothing."""
        self._ended = True
        if self._check is not None:
            self._check.close()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.error is not None:
            raise self.error
        while not self._ready and not self._ended:
            self._ready = memoryview(self._next())
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _next(self) -> bytes:
        try:
            block = next(self._blocks, None)
            if block is not None:
                return block if self._check is None else self._check.feed(block)
            self._ended = True
            return b"" if self._check is None else self._check.close()
        except SignatureError as error:
            self.error = error
            raise


def _put_decoded(environ: Environ, headers: dict[str, str]) -> None:
    for name, value in decoded_headers(headers).items():
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_LENGTH", "CONTENT_TYPE"):
            key = f"HTTP_{key}"
        environ.pop(key, None)
        if value is not None:
            environ[key] = value
