"""ASGI middleware: an application sees verified requests alone, and who signed them.

Source: ASGI specification, "HTTP & WebSocket".
"""

from __future__ import annotations

from ..canonical import joined_headers
from ..errors import SignatureError
from ..request import Request
from .arriving import (
    Middleware,
    check_handed_on,
    declared_length,
    decoded_headers,
    largest_undeclared,
    may_be_signed_form,
    too_large,
    wire_path,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from ..verify import Claim, Verified
    from .answers import Answer

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]


class AsgiMiddleware(Middleware):
    """Verifies each request before `app` sees it; `scope["awsign"]` is then the `Verified`.

    Refused requests are answered with AWS's error in the shape of the service. A body is checked as the application reads it, in
    constant memory: its last block is given only once the whole is what was signed; if it is not, reading raises SignatureError and the
    client is answered with that, whatever the application makes of it. A body that came in signed chunks is given decoded, with the
    headers that it then has. One whose hash is not declared is read whole first, up to 16 MiB.
    WebSockets: the handshake is verified; `scope["awsign"].events()` checks signed frames. Forms that a browser posts are not taken.

    verifier: Verifier. host, scheme, prefix: what clients signed, where a proxy changes it (see Place). This reads nothing from
    X-Forwarded-..., which anyone could send; but servers do, from 127.0.0.1 by default (uvicorn: proxy_headers=False), so say the scheme
    here where a policy depends on it. on_refusal: called with the request and the error before it is answered.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, largest_undeclared(self._verifier))
        request = None
        try:
            request = self._request(scope)
            verified = await self._verify(request, exchange)
            await exchange.check_empty()
        except SignatureError as error:
            await self._refuse(request, error, exchange)
            return
        seen = {**scope, "awsign": verified}
        if exchange.body is not None and exchange.body.decodes:
            seen["headers"] = _decoded(scope["headers"])
        try:
            await self._app(seen, exchange.receive, exchange.send)
        except Exception:
            if exchange.error is None:
                raise
        if exchange.error is not None:
            if exchange.started:  # The server cuts the connection, so that the client does not take the answer for whole.
                raise exchange.error
            await self._refuse(request, exchange.error, exchange)

    def _request(self, scope: Scope) -> Request:
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        raw = scope.get("raw_path")
        if raw is None:
            path = wire_path(scope["path"], joined_headers(headers))
        else:
            raw = raw.partition(b"?")[0]  # Some servers give the target whole.
            check_handed_on(raw, scope["path"].encode("utf-8", "surrogateescape"), joined_headers(headers))
            path = raw.decode("latin-1")
        target = self._place.target(path, scope["query_string"].decode("latin-1"))
        spoken: str = scope["scheme"]
        scheme = self._place.scheme or {"ws": "http", "wss": "https"}.get(spoken, spoken)
        websocket = scope["type"] == "websocket"
        method = "GET" if websocket else scope["method"]
        pairs = [(name, value.encode("latin-1")) for name, value in self._place.headers(headers)]
        return Request.received(method, target.encode("latin-1"), pairs, b"" if websocket else None, scheme)

    async def _verify(self, request: Request, exchange: _Exchange) -> Verified:
        if may_be_signed_form(request):
            request.body = await exchange.read_whole()  # A signature may be in it.
        claim = self._verifier.claim(request)
        if claim.needs_body and request.body is None:
            request.body = await exchange.read_whole(claim)
        verified = await self._verifier.verify_async(claim)
        if request.body is None:
            exchange.body = verified.body
        return verified

    async def _refuse(self, request: Request | None, error: SignatureError, exchange: _Exchange) -> None:
        await exchange.answer(self._answer(request, error))


class _Exchange:
    """One request's two streams, with the verifier between: what the application reads is checked, what it sends waits for that."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._headers = joined_headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]])
        self._most = most
        self._left: int | None = None
        self._read: bytes | None = None
        self._first: dict[str, Any] | None = None
        self._ended = False
        self.started = False
        self.body: Any = None
        self.error: SignatureError | None = None

    async def read_whole(self, claim: Claim | None = None) -> bytes:
        """The body, where it is needed before anything can be checked."""
        length = declared_length(self._headers)
        if length is not None and length > self._most:
            too_large(claim, self._most)
        read, more = bytearray(), True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise SignatureError("incomplete-body", "the client went away before its body was whole")
            read += message.get("body", b"")
            if len(read) > self._most:
                too_large(claim, self._most)
            more = message.get("more_body", False)
        self._read = bytes(read)
        return self._read

    async def check_empty(self) -> None:
        """A body that is empty is checked before the application is asked: it may not read what it takes for nothing."""
        if self.body is None or self._scope["type"] == "websocket":
            return
        self._left = declared_length(self._headers)
        if self._left:
            return
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("body") and not message.get("more_body", False):
            self._ended = True
            self._first = {"type": "http.request", "body": self.body.close(), "more_body": False}
        else:
            self._first = await self._checked(message)

    async def receive(self) -> dict[str, Any]:
        """What the application reads."""
        if self._scope["type"] == "websocket":
            return await self._receive()
        if self.error is not None:
            raise self.error
        if self._read is not None:
            whole, self._read = self._read, None
            self._ended = True
            return {"type": "http.request", "body": whole, "more_body": False}
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._ended or self.body is None:
            return await self._receive()
        return await self._checked(await self._receive())

    async def _checked(self, message: dict[str, Any]) -> dict[str, Any]:
        """The next message that has something for the application, from one that came."""
        try:
            while True:
                if message["type"] != "http.request":
                    # An application may take it for the end of the body.
                    raise SignatureError("incomplete-body", "the client went away before its body was whole")
                block, more = message.get("body", b""), message.get("more_body", False)
                if self._left is not None:
                    self._left -= len(block)
                    if self._left < 0:
                        raise SignatureError("incomplete-body", "the body is longer than its Content-Length says")
                checked = self.body.feed(block)
                if not more:
                    self._ended = True
                    return {"type": "http.request", "body": checked + self.body.close(), "more_body": False}
                if checked:
                    return {"type": "http.request", "body": checked, "more_body": True}
                message = await self._receive()
        except SignatureError as error:
            self.error = error
            raise

    async def send(self, message: dict[str, Any]) -> None:
        """What the application answers: nothing, once its body was found not to be what was signed."""
        if self.error is not None:
            return
        # Not early hints, after which there may still be another answer.
        self.started = self.started or message["type"] in _BEGINS
        await self._send(message)

    async def answer(self, answer: Answer) -> None:
        """Answer in the application's place, where it has not begun to; a connection that it has answered on is left to end."""
        if self.started:
            return
        self.started = True
        status, headers, body = answer
        headers = [*headers, (b"content-length", str(len(body)).encode())]
        if self._scope["type"] == "websocket":
            if "websocket.http.response" not in self._scope.get("extensions", {}):
                await self._send({"type": "websocket.close", "code": 1008})
                return
            kind = "websocket.http.response"
        else:
            kind = "http.response"
            headers.append((b"connection", b"close"))  # What is left of the body is not read.
        if self._scope.get("method") == "HEAD":
            body = b""
        await self._send({"type": f"{kind}.start", "status": status, "headers": headers})
        await self._send({"type": f"{kind}.body", "body": body})


_BEGINS = ("http.response.start", "websocket.accept", "websocket.close", "websocket.http.response.start")


def _decoded(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]
    replaced = decoded_headers(joined_headers(pairs))
    kept = [(name, value) for name, value in headers if name.decode("latin-1").lower() not in replaced]
    return kept + [(name.encode(), value.encode("latin-1")) for name, value in replaced.items() if value is not None]
