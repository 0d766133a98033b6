"""aiohttp: `AwsMiddleware` for any ClientSession, and `AwsSession`, whose URLs go out as they were written.

    aiohttp.ClientSession(middlewares=(AwsMiddleware(),))
    async with AwsSession() as session, session.get("https://my-bucket.s3.eu-west-1.amazonaws.com/a/../b//c") as answer: ...

yarl quotes a URL again and resolves its dot segments before any middleware sees it; the session hands it over as it is.
"""

from __future__ import annotations

import asyncio
import io
from types import SimpleNamespace

from ..body import blocks, is_async, one_shot, size_of
from ..errors import InvalidRequest, MissingExtra
from ..payload import Spool
from ..request import Request, with_parameters
from ..response import Response
from .exchange import Exchange, after_redirect
from .signing import Signs

try:
    import aiohttp
    from aiohttp import hdrs, payload
    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.base_protocol import BaseProtocol
    from aiohttp.tracing import Trace
    from yarl import URL
except ImportError:
    raise MissingExtra("awsign.clients.aiohttp needs aiohttp; pip install 'awsign[aiohttp]'") from None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
    from aiohttp.client import _RequestContextManager

    from ..chunked import Chunked
    from ..identity import Credentials, Provider
    from ..services import Rules
    from .signing import Scheme

_BLOCK = 1 << 16


class _Call(Trace):
    """What one call of a session has come to, over all its redirects; kept where aiohttp keeps what belongs to a call.

    A middleware is asked at each redirect, and not told that it is one; the traces of a call are, before aiohttp goes there.
    exchange: the last that was signed. elsewhere: whether a redirect has led to another service.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        config = aiohttp.TraceConfig()
        config.freeze()
        super().__init__(session, config, SimpleNamespace())
        self.exchange: Exchange | None = None
        self.redirected = False
        self.elsewhere = False

    async def send_request_redirect(self, *_: Any) -> None:
        self.redirected = True

    @classmethod
    def of(cls, request: ClientRequest) -> _Call:
        found = next((trace for trace in request._traces if isinstance(trace, cls)), None)
        if found is None:
            found = cls(request.session)
            request._traces.append(found)  # The list is the call's own: each of its requests has this one.
        return found


class AwsMiddleware(Signs):
    """Signs the requests of a ClientSession, or of one call: `session.get(url, middlewares=(AwsMiddleware(),))`.

    Arguments: see `awsign.clients.signing.Signing`.
    """

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        if request.compress:
            raise InvalidRequest(
                f"aiohttp compresses a body after it was signed; compress it yourself, with Content-Encoding: {request.compress}"
            )
        call = _Call.of(request)
        exchange = await self._exchange(call, request)
        if exchange is None:
            return await handler(request)
        call.exchange = exchange
        while True:
            await exchange.sign_async()
            _write(request, exchange)
            response = await handler(request)
            if not exchange.asks_why(response.status):
                return response
            read = await response.read()
            response.content = _stream_of(read)
            if not exchange.again(Response(response.status, response.headers.items(), read)):
                return response
            response.release()

    async def _exchange(self, call: _Call, request: ClientRequest) -> Exchange | None:
        """What is to be signed: None where a redirect led to another service, which gets nothing of the sender's."""
        url = str(request.url)
        redirected, call.redirected = call.redirected, False
        before = call.exchange
        if before is None and request.original_url.raw_fragment:
            Request(request.method, str(request.original_url))  # Which says what is to be done about it.
        if before is None or not (redirected or call.elsewhere):
            if request.method in request.POST_METHODS and hdrs.CONTENT_TYPE not in request.skip_auto_headers:
                # aiohttp adds it when it sends: a header that is there is signed.
                request.headers.setdefault(hdrs.CONTENT_TYPE, "application/octet-stream")
            return Exchange(self.signing, request.method, url, request.headers.items(), await _body_of(request.body))
        before.request.rewind()
        body = before.request.body if request.body else None  # As it was asked for, before it was signed.
        cookies = [(name, value) for name, value in request.headers.items() if name.lower() == "cookie"]  # Of where it goes.
        headers = [pair for pair in request.headers.items() if pair[0].lower() not in ("host", "cookie")]
        kept, signs = after_redirect(before.request.url, request.method, url, headers, body, signed=not call.elsewhere)
        if signs:
            return Exchange(self.signing, request.method, url, [*kept, *cookies], body, moved=True)
        call.elsewhere = True
        asked = Request(request.method, url)
        request.url = URL(asked.url, encoded=True)  # Sendable: aiohttp leaves it as the server wrote it.
        request.headers.clear()
        request.headers.extend([(hdrs.HOST, asked.host), *cookies, *((name, str(value)) for name, value in kept)])
        if body is not None:
            _put_body(request, body, before)
        return None


def _stream_of(data: bytes) -> aiohttp.StreamReader:
    """What was read of an answer, to be read as a stream."""
    loop = asyncio.get_running_loop()
    stream = aiohttp.StreamReader(BaseProtocol(loop), 1 << 16, loop=loop)
    stream.feed_data(data)
    stream.feed_eof()
    return stream


async def _body_of(given: Any) -> Any:
    """What a payload of aiohttp sends: bytes, a file, an async iterable; any other is written to a file."""
    if not given:
        return None
    if isinstance(given, _Body):
        given.exchange.request.rewind()
        return given.exchange.request.body
    value = getattr(given, "_value", None)
    if isinstance(given, payload.BytesPayload) and isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(given, payload.AsyncIterablePayload):
        return value
    if isinstance(given, payload.IOBasePayload) and not isinstance(given, payload.TextIOPayload):
        return value
    with Spool() as spooled:
        await given.write(_Into(spooled))
        return spooled.finish()[1]


class _Into(AbstractStreamWriter):
    """Where a payload writes to: a file in the place of a connection."""

    def __init__(self, spooled: Spool) -> None:
        self._spooled = spooled

    async def write(self, chunk: Any) -> None:
        self._spooled.write(bytes(chunk))

    async def write_eof(self, chunk: bytes = b"") -> None:
        self._spooled.write(chunk)

    async def drain(self) -> None:
        """There is nothing to wait for."""

    def enable_compression(self, *_: Any, **__: Any) -> None:
        raise InvalidRequest("aiohttp compresses a body after it was signed; compress it yourself, and set Content-Encoding")

    def enable_chunking(self) -> None:
        """The file is not framed."""

    async def write_headers(self, *_: Any) -> None:
        """The parts of a form write theirs into the body."""


class _Body(payload.Payload):
    """A body as it was signed, which can be sent as often as it can be read. Of a file, blocks are read in a thread."""

    def __init__(self, body: Any, exchange: Exchange, content_type: str | None) -> None:
        super().__init__(body, content_type=content_type)
        self.exchange = exchange
        self._size = size_of(body)
        self._autoclose = True  # The file is its caller's.

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise TypeError("a body that is signed as it is sent is no text")

    @property
    def consumed(self) -> bool:
        return self._consumed and one_shot(self.exchange.request.body)

    async def write(self, writer: AbstractStreamWriter) -> None:
        if self.consumed:
            raise InvalidRequest("the body can be read only once and has been sent; it cannot be sent again")
        self._consumed = True
        self.exchange.request.rewind()
        if isinstance(self._value, bytes):
            await writer.write(self._value)
        elif is_async(self._value):
            async for block in self._value:
                await writer.write(block)
        elif isinstance(self._value, io.BytesIO):
            for block in blocks(self._value, _BLOCK):
                await writer.write(block)
        else:
            source = iter(blocks(self._value, _BLOCK))
            while block := await asyncio.to_thread(next, source, b""):
                await writer.write(block)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """All of it: its length was made sure of when it was signed."""
        await self.write(writer)


def _put_body(request: ClientRequest, body: Any, exchange: Exchange) -> None:
    # Not by update_body: it closes what it replaces, which may be the file that is to be sent in chunks.
    request._body = None
    for name in (hdrs.CONTENT_LENGTH, hdrs.TRANSFER_ENCODING):
        request.headers.popall(name, None)
    request.chunked = None
    # aiohttp makes the requests of its retries and redirects of this: its type is that of the first.
    kind = request.headers.get(hdrs.CONTENT_TYPE, "application/octet-stream")
    request.update_body_from_data(body if body is None else _Body(body, exchange, kind))
    if hdrs.CONTENT_LENGTH not in request.headers and body is not None:
        request.headers[hdrs.TRANSFER_ENCODING] = "chunked"


def _write(request: ClientRequest, exchange: Exchange) -> None:
    """Give a request of aiohttp what was signed."""
    signed = exchange.signed
    assert signed is not None
    request.url = URL(signed.url, encoded=True)
    request.method = signed.method
    # aiohttp's own payload of a file sends as much as the file system says, which of a GzipFile is something else.
    sends = isinstance(request.body, payload.BytesPayload | _Body) and request.body._value == signed.body
    if signed.body is not None and not sends:
        _put_body(request, signed.body, exchange)
    request.headers.clear()
    for name, value in exchange.headers_to_send():
        if not isinstance(value, str):
            try:
                value = value.decode()  # aiohttp encodes headers as UTF-8.
            except UnicodeDecodeError:
                raise InvalidRequest(f"aiohttp cannot send the bytes of the header {name}, which are not UTF-8") from None
        request.headers.add(name, value)
    request.chunked = True if hdrs.TRANSFER_ENCODING in request.headers else None
    request.update_expect_continue()  # Sent again, it waits again.


class AwsSession:
    """A session whose requests are signed and sent as they are written; otherwise a ClientSession, which it holds and closes.

    service ... scheme: see `awsign.clients.signing.Signing`; the other arguments are those of aiohttp.ClientSession. What is not
    here is asked of `session`.
    """

    def __init__(
        self,
        *,
        service: str | None = None,
        region: str | None = None,
        credentials: Credentials | Provider | None = None,
        payload: str | Chunked | None = None,
        rules: Rules | None = None,
        scheme: Scheme | None = None,
        **options: Any,
    ) -> None:
        self._middleware = AwsMiddleware(
            service=service, region=region, credentials=credentials, payload=payload, rules=rules, scheme=scheme
        )
        self.signing = self._middleware.signing
        self._base = str(options.pop("base_url", None) or "")
        options["middlewares"] = (*options.get("middlewares", ()), self._middleware)
        options.setdefault("requote_redirect_url", False)
        self.session = aiohttp.ClientSession(**options)

    def __repr__(self) -> str:
        return f"<AwsSession {self.signing!r}>"

    def __getattr__(self, name: str) -> Any:
        if name == "session":  # While it is being made.
            raise AttributeError(name)
        return getattr(self.session, name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self.session.close()

    def request(self, method: str, url: str | URL, *, params: Any = None, **options: Any) -> _RequestContextManager:
        """As ClientSession.request: await it, or use it as an async context manager."""
        if "middlewares" in options:
            options["middlewares"] = (*options["middlewares"], self._middleware)  # Or they would take its place.
        # Made sendable here, as the signer would, so that nothing is left for yarl to do.
        exact = Request(method, with_parameters(self._absolute(str(url)), params)).url
        return self.session.request(method, URL(exact, encoded=True), **options)

    def _absolute(self, url: str) -> str:
        if not self._base or "://" in url.partition("?")[0]:
            return url
        base = self._base.partition("?")[0]
        if url.startswith("/"):
            scheme, _, rest = base.partition("://")
            return f"{scheme}://{rest.partition('/')[0]}{url}"
        return base.rpartition("/")[0] + f"/{url}" if base.count("/") > 2 else f"{base}/{url}"

    def get(self, url: str | URL, **options: Any) -> _RequestContextManager:
        return self.request("GET", url, **options)

    def head(self, url: str | URL, **options: Any) -> _RequestContextManager:
        return self.request("HEAD", url, **{"allow_redirects": False, **options})

    def options(self, url: str | URL, **options: Any) -> _RequestContextManager:
        return self.request("OPTIONS", url, **options)

    def post(self, url: str | URL, **options: Any) -> _RequestContextManager:
        return self.request("POST", url, **options)

    def put(self, url: str | URL, **options: Any) -> _RequestContextManager:
        return self.request("PUT", url, **options)

    def patch(self, url: str | URL, **options: Any) -> _RequestContextManager:
        return self.request("PATCH", url, **options)

    def delete(self, url: str | URL, **options: Any) -> _RequestContextManager:
        return self.request("DELETE", url, **options)
