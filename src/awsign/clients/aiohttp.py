"""aiohttp: `AwsMiddleware` for any ClientSession, and `AwsSession`, whose URLs go out as they were written.

    aiohttp.ClientSession(middlewares=(AwsMiddleware(),))
    async with AwsSession() as session, session.get("https://my-bucket.s3.eu-west-1.amazonaws.com/a/../b//c") as answer: ...

yarl quotes a URL again and resolves its dot segments before any middleware sees it; the session hands it over as it is.
"""

from __future__ import annotations

from contextvars import ContextVar
from urllib.parse import urlencode

from ..chunked import ChunkedBody
from ..errors import InvalidRequest, MissingExtra
from ..redirects import STATUSES, target_of
from ..request import Request
from ..response import Response
from .exchange import Exchange, after_redirect
from .signing import Signing

try:
    import aiohttp
    from aiohttp import hdrs, payload
    from aiohttp.abc import AbstractStreamWriter
    from yarl import URL
except ImportError:
    raise MissingExtra("awsign.clients.aiohttp needs aiohttp; pip install 'awsign[aiohttp]'") from None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any, Self

    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

    from ..chunked import Chunked
    from ..identity import Credentials, Provider
    from ..services import Rules
    from .signing import Scheme

# Where the last answer of this task redirects to, and the exchange it answered (None where that was not signed). aiohttp asks a
# middleware for each redirect, in the task of the first request, and does not say that it is one.
_redirected: ContextVar[tuple[str, Exchange | None] | None] = ContextVar("awsign_redirected", default=None)


class AwsMiddleware:
    """Signs the requests of a ClientSession, or of one call: `session.get(url, middlewares=(AwsMiddleware(),))`.

    Arguments: see `awsign.clients.signing.Signing`.
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
    ) -> None:
        self.signing = Signing(service=service, region=region, credentials=credentials, payload=payload, rules=rules, scheme=scheme)

    def __repr__(self) -> str:
        return f"<AwsMiddleware {self.signing!r}>"

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        came_from = _redirected.get()
        _redirected.set(None)
        if request.compress:
            raise InvalidRequest(
                f"aiohttp compresses a body after it was signed; compress it yourself, with Content-Encoding: {request.compress}"
            )
        if request.method in request.POST_METHODS and hdrs.CONTENT_TYPE not in request.skip_auto_headers:
            # aiohttp adds it when it sends: a header that is there is signed.
            request.headers.setdefault(hdrs.CONTENT_TYPE, "application/octet-stream")
        url = str(request.url)
        body = _body_of(request.body or None)
        exchange: Exchange | None
        if came_from is not None and came_from[0] == _as_yarl_has_it(url):
            exchange = await self._redirected(request, url, body, came_from[1])
        else:
            exchange = Exchange(self.signing, request.method, url, request.headers.items(), body)
        if exchange is None:
            return self._remembered(await handler(request), None)
        while True:
            await exchange.sign_async()
            _write(request, exchange)
            response = await handler(request)
            if not exchange.asks_why(response.status):
                return self._remembered(response, exchange)
            read = await response.read()
            if not exchange.again(Response(response.status, response.headers.items(), read)):
                return self._remembered(response, exchange)
            response.release()

    async def _redirected(self, request: ClientRequest, url: str, body: Any, before: Exchange | None) -> Exchange | None:
        if before is None:
            return None
        headers = [(name, value) for name, value in request.headers.items() if name.lower() != "host"]
        after = after_redirect(self.signing, before.request.url, request.method, url, headers, body)
        if isinstance(after, Exchange):
            return after
        kept = {name.lower() for name, _ in after} | {"host"}
        for name in [name for name in request.headers if name.lower() not in kept]:
            request.headers.popall(name, None)
        return None

    def _remembered(self, response: ClientResponse, exchange: Exchange | None) -> ClientResponse:
        location = response.headers.get(hdrs.LOCATION)
        if response.status in STATUSES and location:
            try:
                moved = target_of(str(response.url), location)
            except InvalidRequest:
                return response  # aiohttp says so itself, if it is to follow it.
            _redirected.set((_as_yarl_has_it(moved), exchange))
        return response


def _as_yarl_has_it(url: str) -> str:
    return str(URL(url))


def _body_of(given: Any) -> Any:
    """What a payload of aiohttp sends: bytes, a file, or its blocks. A file is hashed where it is, and sent from there."""
    if given is None:
        return None
    value = getattr(given, "_value", None)
    if isinstance(given, payload.BytesPayload) and isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(given, payload.IOBasePayload) and not isinstance(given, payload.TextIOPayload):
        if given.size is not None and value is not None and value.seekable():
            # From where it stood when aiohttp got it: it may have been sent over a connection that broke.
            value.seek(value.seek(0, 2) - given.size)
        return value
    return _Blocks(given)


class _Blocks:
    """The blocks of any payload: of a form, an async generator, text."""

    def __init__(self, given: payload.Payload) -> None:
        self._given = given

    async def __aiter__(self) -> AsyncIterator[bytes]:
        import asyncio

        queue: asyncio.Queue[bytes | None] = asyncio.Queue(1)

        class Writer(AbstractStreamWriter):
            async def write(self, chunk: Any) -> None:
                await queue.put(bytes(chunk))

            async def write_eof(self, chunk: bytes = b"") -> None:
                pass

            async def drain(self) -> None:
                pass

            def enable_compression(self, *_: Any, **__: Any) -> None:
                pass

            def enable_chunking(self) -> None:
                pass

            async def write_headers(self, *_: Any) -> None:
                pass

        async def pump() -> None:
            try:
                await self._given.write(Writer())
            finally:
                await queue.put(None)

        task = asyncio.ensure_future(pump())
        try:
            while (block := await queue.get()) is not None:
                yield block
            await task
        finally:
            task.cancel()


class _Async:
    """A sync body, chunk by chunk: of 64 KiB, which do not block a loop."""

    def __init__(self, body: Any) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for block in self._body:
            yield block


def _write(request: ClientRequest, exchange: Exchange) -> None:
    """Give a request of aiohttp what was signed."""
    signed = exchange.signed
    assert signed is not None
    request.url = URL(signed.url, encoded=True)
    request.method = signed.method
    headers = exchange.headers_to_send()
    body = signed.body
    if not isinstance(body, _Blocks) and body is not getattr(request.body, "_value", None):
        # Not by update_body: it closes what it replaces, the file that is to be sent in chunks.
        request._body = None
        if isinstance(body, ChunkedBody):
            body = _Async(body)
        request.update_body_from_data(body)
    request.headers.clear()
    for name, value in headers:
        if not isinstance(value, str):
            try:
                value = value.decode()  # aiohttp encodes headers as UTF-8.
            except UnicodeDecodeError:
                raise InvalidRequest(f"aiohttp cannot send the bytes of the header {name}, which are not UTF-8") from None
        request.headers.add(name, value)
    request.chunked = True if hdrs.TRANSFER_ENCODING in request.headers else None


class AwsSession:
    """A session whose requests are signed and sent as they are written; otherwise a ClientSession, which it holds and closes.

    service ... scheme: see `awsign.clients.signing.Signing`; the other arguments are those of aiohttp.ClientSession.
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
        middleware = AwsMiddleware(
            service=service, region=region, credentials=credentials, payload=payload, rules=rules, scheme=scheme
        )
        options["middlewares"] = (*options.get("middlewares", ()), middleware)
        options.setdefault("requote_redirect_url", False)
        self.signing = middleware.signing
        self.session = aiohttp.ClientSession(**options)

    def __repr__(self) -> str:
        return f"<AwsSession {self.signing!r}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self.session.close()

    def request(self, method: str, url: str | URL, *, params: Any = None, **options: Any) -> Any:
        """As ClientSession.request: await it, or use it as an async context manager."""
        # Made sendable here, as the signer would, so that nothing is left for yarl to do.
        exact = Request(method, _with(str(url), params)).url
        return self.session.request(method, URL(exact, encoded=True), **options)

    def get(self, url: str | URL, **options: Any) -> Any:
        return self.request("GET", url, **options)

    def head(self, url: str | URL, **options: Any) -> Any:
        return self.request("HEAD", url, **{"allow_redirects": False, **options})

    def options(self, url: str | URL, **options: Any) -> Any:
        return self.request("OPTIONS", url, **options)

    def post(self, url: str | URL, **options: Any) -> Any:
        return self.request("POST", url, **options)

    def put(self, url: str | URL, **options: Any) -> Any:
        return self.request("PUT", url, **options)

    def patch(self, url: str | URL, **options: Any) -> Any:
        return self.request("PATCH", url, **options)

    def delete(self, url: str | URL, **options: Any) -> Any:
        return self.request("DELETE", url, **options)


def _with(url: str, params: Any) -> str:
    if not params:
        return url
    more = params if isinstance(params, str) else urlencode(list(params.items()) if hasattr(params, "items") else list(params))
    return f"{url}{'&' if '?' in url else '?'}{more}"
