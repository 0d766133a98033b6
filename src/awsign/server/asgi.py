"""ASGI middleware: an application sees verified requests alone, and who signed them.

Source: ASGI specification, "HTTP & WebSocket".
"""

from __future__ import annotations

from ..canonical import joined_headers
from ..errors import SignatureError
from ..request import URLENCODED, Request, is_form
from .answers import error_answer
from .arriving import LARGEST_UNDECLARED, Place, decoded_headers, wire_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from ..verify import Claim, Verified, Verifier
    from .answers import Answer

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]


class AsgiMiddleware:
    """Verifies each request before `app` sees it; `scope["awsign"]` is then the `Verified`.

    Refused requests are answered with AWS's error in the shape of the service. A body is checked as the application reads it, in
    constant memory: its last block is given only once the whole is what was signed; if it is not, reading raises SignatureError and the
    client is answered with that, whatever the application makes of it. A body that came in signed chunks is given decoded, with the
    headers that it then has. One whose hash is not declared is read whole first, up to 16 MiB.
    WebSockets: the handshake is verified; `scope["awsign"].events()` checks signed frames. Forms that a browser posts are not taken.

    verifier: Verifier. host, scheme, prefix: what clients signed, where a proxy changes it (see Place). Nothing is read from
    X-Forwarded-...: anyone could send those. on_refusal: called with the request and the error before it is answered.
    """

    def __init__(
        self,
        app: App,
        verifier: Verifier,
        *,
        host: str | None = None,
        scheme: str | None = None,
        prefix: str = "",
        on_refusal: Callable[[Request, SignatureError], None] | None = None,
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._place = Place(host, scheme, prefix)
        self._on_refusal = on_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        request = None
        try:
            request = self._request(scope)
            verified = await self._verify(request, exchange)
        except SignatureError as error:
            await self._refuse(request, error, exchange)
            return
        seen = {**scope, "awsign": verified}
        if exchange.body is not None and exchange.body.decodes:
            seen["headers"] = _decoded(scope["headers"])
        try:
            await self._app(seen, exchange.receive, exchange.send)
        except SignatureError as error:
            if error is not exchange.error:
                raise
        if exchange.error is not None:
            await self._refuse(request, exchange.error, exchange)

    def _request(self, scope: Scope) -> Request:
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        raw = scope.get("raw_path")
        if raw is None:
            path = wire_path(scope["path"], joined_headers(headers))
        else:
            path = raw.partition(b"?")[0].decode("latin-1")  # Some servers give the target whole.
        target = self._place.target(path, scope["query_string"].decode("latin-1"))
        spoken: str = scope["scheme"]
        scheme = self._place.scheme or {"ws": "http", "wss": "https"}.get(spoken, spoken)
        websocket = scope["type"] == "websocket"
        method = "GET" if websocket else scope["method"]
        pairs = [(name, value.encode("latin-1")) for name, value in self._place.headers(headers)]
        return Request.received(method, target.encode("latin-1"), pairs, b"" if websocket else None, scheme)

    async def _verify(self, request: Request, exchange: _Exchange) -> Verified:
        in_form = is_form(request.method, request.headers, URLENCODED)
        if in_form and not any(name.lower() == "authorization" for name, _ in request.headers):
            request.body = await exchange.read_whole()  # A signature may be in it.
        claim = self._verifier.claim(request)
        if claim.needs_body and request.body is None:
            request.body = await exchange.read_whole(claim)
        verified = await self._verifier.verify_async(claim)
        if request.body is None:
            exchange.body = verified.body
        return verified

    async def _refuse(self, request: Request | None, error: SignatureError, exchange: _Exchange) -> None:
        if self._on_refusal is not None and request is not None:
            self._on_refusal(request, error)
        await exchange.answer(error_answer(error))


class _Exchange:
    """One request's two streams, with the verifier between: what the application reads is checked, what it sends waits for that."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._read: bytes | None = None
        self._started = False
        self._ended = False
        self.body: Any = None
        self.error: SignatureError | None = None

    async def read_whole(self, claim: Claim | None = None) -> bytes:
        """The body, where it is needed before anything can be checked."""
        read, size, more = [], 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise SignatureError("incomplete-body", "the client went away before its body was whole")
            size += len(message.get("body", b""))
            if size > LARGEST_UNDECLARED:
                text = f"the request does not declare its body's hash, and the body is larger than {LARGEST_UNDECLARED} bytes; send x-amz-content-sha256"
                if claim is not None:
                    claim.refuse("body-too-large", text)
                raise SignatureError("body-too-large", text, shape="query")
            read.append(message.get("body", b""))
            more = message.get("more_body", False)
        self._read = b"".join(read)
        return self._read

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
        if self._ended or self.body is None:
            return await self._receive()
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            try:
                checked = self.body.feed(message.get("body", b""))
                if not message.get("more_body", False):
                    self._ended = True
                    return {"type": "http.request", "body": checked + self.body.close(), "more_body": False}
            except SignatureError as error:
                self.error = error
                raise
            if checked:
                return {"type": "http.request", "body": checked, "more_body": True}

    async def send(self, message: dict[str, Any]) -> None:
        """What the application answers: nothing, once its body was found not to be what was signed."""
        if self.error is not None and not self._started:
            return
        self._started = True
        await self._send(message)

    async def answer(self, answer: Answer) -> None:
        """Answer in the application's place, where it has not begun to; a connection that it has answered on is left to end."""
        if self._started:
            return
        self._started = True
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


def _decoded(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]
    replaced = decoded_headers(joined_headers(pairs))
    kept = [(name, value) for name, value in headers if name.decode("latin-1").lower() not in replaced]
    return kept + [(name.encode(), value.encode("latin-1")) for name, value in replaced.items() if value is not None]
