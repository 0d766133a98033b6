"""httpx and httpx2: `AwsAuth`, sync and async; `AwsTransport` and `AsyncAwsTransport`, which sign for redirects too.

    httpx.get("https://my-bucket.s3.eu-west-1.amazonaws.com/key", auth=AwsAuth())
    httpx.AsyncClient(transport=AsyncAwsTransport(http2=True), follow_redirects=True)

A client follows redirects without asking its auth, with the signature of the first request: AwsAuth lets none of those out, the
transport signs each. httpx resolves the dot segments of a URL before any of them sees it; give it those as its own extension has
them: `client.get(url, extensions={"target": b"/a/../b"})`.
"""

from __future__ import annotations

import asyncio
import threading
from importlib import import_module
from inspect import signature

from ..body import blocks, framing, is_async, seekable
from ..errors import InvalidRequest, MissingExtra
from ..request import Request, target_in
from ..response import Response
from .exchange import Exchange, after_redirect
from .signing import Signing, Signs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from types import ModuleType
    from typing import Any

    from ..chunked import Chunked
    from ..identity import Credentials, Provider
    from ..services import Rules
    from .signing import Scheme


def _installed() -> list[ModuleType]:
    found = []
    for name in ("httpx", "httpx2"):
        try:
            found.append(import_module(name))
        except ImportError:
            continue
    if not found:
        raise MissingExtra("awsign.clients.httpx needs httpx or httpx2; pip install 'awsign[httpx]'")
    return found


# The two are alike in all that is used here, but each asks whether an auth, a transport or a stream is of its own class.
_LIBRARIES = _installed()
_Auth = type("_Auth", tuple(library.Auth for library in _LIBRARIES), {})
_Transport = type("_Transport", tuple(library.BaseTransport for library in _LIBRARIES), {})
_AsyncTransport = type("_AsyncTransport", tuple(library.AsyncBaseTransport for library in _LIBRARIES), {})
_Streams = type("_Streams", tuple(c for library in _LIBRARIES for c in (library.SyncByteStream, library.AsyncByteStream)), {})


def _library_of(request: Any) -> ModuleType:
    return next(library for library in _LIBRARIES if isinstance(request, library.Request))


_GUARDED = frozenset((b"host", b"authorization", b"content-type", b"content-md5"))
_EXTENSION = "awsign"  # What a transport knows a redirected request by.


class _Body(_Streams):  # type: ignore[misc, valid-type]
    """A body as it was signed; it can be sent again where it can be read again."""

    _BLOCK = 65536

    def __init__(self, exchange: Exchange, body: Any) -> None:
        self._exchange = exchange
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        self._exchange.request.rewind()
        yield from blocks(self._body, self._BLOCK)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if is_async(self._body):
            async for block in self._body:
                yield block
        else:
            for block in self:  # A file, or what was spooled: 64 KiB of either do not block a loop.
                yield block


async def _in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """As asyncio.to_thread, on trio too."""
    from anyio.to_thread import run_sync

    return await run_sync(function, *args)


def _apart() -> Any:
    """What runs a function in a thread: None where asyncio does. httpx runs on trio too."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _in_thread
    return None


def _exchange(signing: Signing, request: Any) -> Exchange:
    """Of a request that a client was given: of the same one, given again, from the beginning of its body."""
    asked, before, elsewhere = request.extensions.get(_EXTENSION, (None, None, False))
    if asked is request and not elsewhere:
        exchange: Exchange = before.sent_anew()
    else:
        url, method, headers, body = _asked(request)
        exchange = Exchange(signing, method, url, headers, body)
    _mark(request, exchange, elsewhere=False)
    return exchange


def _asked(request: Any) -> tuple[str, str, list[tuple[str, bytes]], Any]:
    """URL, method, headers and body of a request, as it would be sent."""
    url = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
    if request.url.fragment and _EXTENSION not in request.extensions:
        Request(request.method, str(request.url))  # Which says what is to be done about it.
    target = request.extensions.get("target", request.url.raw_path)
    headers = [(name.decode("latin-1"), value) for name, value in request.headers.raw]
    return url + target.decode("latin-1"), request.method, headers, _body_of(request.stream)


def _body_of(stream: Any) -> Any:
    """What a stream of httpx reads: bytes, a file, an iterable. A file that was given is hashed where it is, and sent from there."""
    if isinstance(stream, _Body):
        return stream._body
    inner = getattr(stream, "_stream", None)
    if isinstance(inner, bytes):
        return inner or None
    return inner if inner is not None and seekable(inner) else stream


def _written(request: Any, exchange: Exchange) -> Any:
    """A request of the same class, as it was signed; the one that it was made of stays as it is."""
    signed = exchange.signed
    assert signed is not None
    library = _library_of(request)
    target = target_in(signed.url).encode("ascii")
    extensions = {name: value for name, value in request.extensions.items() if name != "target"}
    url = library.URL(signed.url)
    if url.raw_path != target:
        extensions["target"] = target
    headers = [
        (name.encode("latin-1"), value.encode("latin-1") if isinstance(value, str) else value)
        for name, value in exchange.headers_to_send()
    ]
    whole = signed.body is None or isinstance(signed.body, bytes)
    stream = library.ByteStream(signed.body or b"") if whole else _Body(exchange, signed.body)
    written = library.Request(signed.method, url, headers=headers, stream=stream, extensions=extensions)
    if whole:
        written.read()  # So that hooks, and transports of others, have its content.
    return written


def _answer(response: Any, library: ModuleType, raw: bytes | None) -> Response:
    """An answer, whose body can still be read as a stream afterwards. raw: as it came."""
    if raw is None:
        return Response(response.status_code, response.headers.multi_items(), response.content)
    response.stream = library.ByteStream(raw)
    response.is_stream_consumed = response.is_closed = False
    try:
        read = library.Response(response.status_code, headers=response.headers, content=raw).content
    except library.DecodingError:
        read = raw
    return Response(response.status_code, response.headers.multi_items(), read)


def _read(response: Any) -> bytes | None:
    """The body as it came; None where a transport has read it itself, as those of tests do."""
    return None if response.is_stream_consumed else b"".join(response.iter_raw())


async def _read_async(response: Any) -> bytes | None:
    return None if response.is_stream_consumed else b"".join([block async for block in response.aiter_raw()])


class AwsAuth(Signs, _Auth):  # type: ignore[misc, valid-type]
    """Signs requests of httpx and httpx2, sync and async. Arguments: see `awsign.clients.signing.Signing`."""

    def sync_auth_flow(self, request: Any) -> Any:
        exchange = _exchange(self.signing, request)
        while True:
            exchange.sign()
            response = yield _guarded(_written(request, exchange))
            if not exchange.asks_why(response.status_code):
                return
            if not exchange.again(_answer(response, _library_of(request), _read(response))):
                return

    async def async_auth_flow(self, request: Any) -> Any:
        exchange = _exchange(self.signing, request)
        while True:
            await exchange.sign_async(_apart())
            response = yield _guarded(_written(request, exchange), awaits=True)
            if not exchange.asks_why(response.status_code):
                return
            if not exchange.again(_answer(response, _library_of(request), await _read_async(response))):
                return


def _guarded(request: Any, *, awaits: bool = False) -> Any:
    """Let nothing out with this signature that it was not made for.

    A client follows a redirect without its auth and takes the signature along, and runs its hooks after the auth. httpx hands its
    extensions on to where a request is redirected, so the trace that is among them sees each request before it is sent.
    """
    own_trace = request.extensions.get("trace")
    url, target = request.url, request.extensions.get("target", request.url.raw_path)
    absolute = b"%b://%b%b" % (url.raw_scheme, url.netloc, target)  # As a proxy is asked.
    wanted = _covered(request.headers.raw)

    def check(event: str, info: Any) -> None:
        if not event.endswith(".send_request_headers.started"):
            return
        sent = info["request"]
        if sent.method == b"CONNECT":
            return
        is_here = sent.url.scheme == url.raw_scheme and sent.url.target == target
        if sent.method != request.method.encode() or not (is_here or sent.url.target == absolute):
            raise InvalidRequest(
                f"httpx would follow a redirect to {sent.url.host.decode('latin-1')!r} with the signature of another request; "
                "with transport=awsign.clients.httpx.AwsTransport(...) in the place of auth, each is signed"
            )
        if changed := {name for name, _ in wanted.items() ^ _covered(sent.headers).items()}:
            raise InvalidRequest(
                f"the header {min(changed).decode('latin-1')} was changed after the request was signed, by a hook it seems; "
                "with transport=awsign.clients.httpx.AwsTransport(...) in the place of auth, hooks come first"
            )

    def trace(event: str, info: Any) -> None:
        check(event, info)
        if own_trace is not None:
            own_trace(event, info)

    async def async_trace(event: str, info: Any) -> None:
        check(event, info)
        if own_trace is not None:
            await own_trace(event, info)

    request.extensions = {**request.extensions, "trace": async_trace if awaits else trace}
    return request


def _covered(headers: list[tuple[bytes, bytes]]) -> dict[bytes, tuple[bytes, ...]]:
    """The headers that are signed, or say so."""
    covered: dict[bytes, tuple[bytes, ...]] = {}
    for name, value in headers:
        lower = name.lower()
        if lower in _GUARDED or lower.startswith(b"x-amz-"):
            covered[lower] = (*covered.get(lower, ()), value)
    return covered


class _Signs:
    """What the two transports share."""

    def __init__(
        self,
        transport: Any = None,
        *,
        service: str | None = None,
        region: str | None = None,
        credentials: Credentials | Provider | None = None,
        payload: str | Chunked | None = None,
        rules: Rules | None = None,
        scheme: Scheme | None = None,
        **options: Any,
    ) -> None:
        self.signing = Signing(service=service, region=region, credentials=credentials, payload=payload, rules=rules, scheme=scheme)
        self._options = options
        self._inner = transport
        self._lock = threading.Lock()
        if transport is not None and options:
            raise TypeError(f"{', '.join(options)}: give these to the transport that is passed")
        known = {name for library in _LIBRARIES for name in signature(getattr(library, self._kind)).parameters}
        if unknown := sorted(options.keys() - known):
            raise TypeError(
                f"{unknown[0]!r} is no argument of this transport; there are service, region, credentials, payload, rules, scheme, "
                f"and those of {self._kind}: {', '.join(sorted(known))}"
            )

    _kind: str

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.signing!r}>"

    def _transport(self, request: Any) -> Any:
        """The one below: what was given, else one of the library that the request is of."""
        with self._lock:
            self._inner = self._inner or getattr(_library_of(request), self._kind)(**self._options)
        return self._inner

    def _begin(self, request: Any) -> Exchange | Any:
        """An exchange of a request, or the request to send unsigned where a redirect led it to another service."""
        asked, before, elsewhere = request.extensions.get(_EXTENSION, (request, None, False))
        if before is None or (asked is request and not elsewhere):  # The same one, sent again, is no redirect.
            return _exchange(self.signing, request)
        _, method, headers, body = _asked(request)
        before.request.rewind()
        body = None if body is None else before.request.body  # It may have been spooled.
        of_place = [pair for pair in headers if pair[0].lower() in ("host", "cookie")]  # The client's own, of where it goes.
        others = [pair for pair in headers if pair not in of_place]
        url = str(request.url).partition("#")[0]
        kept, signs = after_redirect(before.request.url, method, url, others, body, signed=not elsewhere)
        if signs:
            kept += [pair for pair in of_place if pair[0].lower() == "cookie"]
            exchange = Exchange(self.signing, method, url, kept, body, moved=True)
            _mark(request, exchange, elsewhere=False)
            return exchange
        _mark(request, before, elsewhere=True)
        extensions = {name: value for name, value in request.extensions.items() if name != "target"}
        stream = request.stream
        if body is not None and not isinstance(body, bytes):
            stream = _Body(before, body)
            kept = [pair for pair in kept if pair[0].lower() not in ("content-length", "transfer-encoding")]
            kept.append(framing(body))
        return _library_of(request).Request(method, request.url, headers=[*of_place, *kept], stream=stream, extensions=extensions)


def _mark(request: Any, exchange: Exchange, *, elsewhere: bool) -> None:
    """Remember what a request was: the client copies its extensions to the one that it makes of a redirect."""
    request.extensions = {**request.extensions, _EXTENSION: (request, exchange, elsewhere)}


class AwsTransport(_Signs, _Transport):  # type: ignore[misc, valid-type]
    """A transport whose requests are signed, each redirect's too: `httpx.Client(transport=AwsTransport(http2=True))`.

    transport: one to send with; None is an HTTPTransport with the other arguments, as verify, http2 or retries.
    """

    _kind = "HTTPTransport"

    def handle_request(self, request: Any) -> Any:
        exchange = self._begin(request)
        transport = self._transport(request)
        if not isinstance(exchange, Exchange):
            return transport.handle_request(exchange)
        while True:
            exchange.sign()
            sent = _written(request, exchange)
            response = transport.handle_request(sent)
            if not exchange.asks_why(response.status_code):
                return response
            if not exchange.again(_answer(response, _library_of(request), _read(response))):
                return response

    def close(self) -> None:
        if self._inner is not None:
            self._inner.close()


class AsyncAwsTransport(_Signs, _AsyncTransport):  # type: ignore[misc, valid-type]
    """The same for an AsyncClient."""

    _kind = "AsyncHTTPTransport"

    async def handle_async_request(self, request: Any) -> Any:
        exchange = self._begin(request)
        transport = self._transport(request)
        if not isinstance(exchange, Exchange):
            return await transport.handle_async_request(exchange)
        while True:
            await exchange.sign_async(_apart())
            sent = _written(request, exchange)
            response = await transport.handle_async_request(sent)
            if not exchange.asks_why(response.status_code):
                return response
            if not exchange.again(_answer(response, _library_of(request), await _read_async(response))):
                return response

    async def aclose(self) -> None:
        if self._inner is not None:
            await self._inner.aclose()
