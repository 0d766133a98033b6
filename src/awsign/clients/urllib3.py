"""urllib3: `AwsPoolManager`, a PoolManager whose requests are signed; `AwsProxyManager`, the same through a proxy.

    http = AwsPoolManager()
    http.request("GET", "https://my-bucket.s3.eu-west-1.amazonaws.com/a%20b//c?versionId=1")

urllib3 resolves dot segments of a URL, forwards what it does not know to redirects, and sends the same signature at each retry.
Here the target goes out as it is signed, and each redirect, retry and connection has a signature of its own.
"""

from __future__ import annotations

import io

from ..errors import InvalidRequest, MissingExtra
from ..redirects import STATUSES, method_after, target_of
from ..request import Request, target_in
from ..response import Response
from .exchange import Exchange, after_redirect
from .signing import Signing

try:
    import urllib3
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.exceptions import HTTPError as HTTPError
    from urllib3.exceptions import MaxRetryError
    from urllib3.exceptions import ReadTimeoutError as ReadTimeoutError
    from urllib3.util import Retry, parse_url
except ImportError:
    raise MissingExtra("awsign.clients.urllib3 needs urllib3; pip install 'awsign[urllib3]'") from None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from urllib3 import BaseHTTPResponse

    from ..chunked import Chunked
    from ..identity import Credentials, Provider
    from ..services import Rules
    from .signing import Scheme


class SignedHeaders(urllib3.HTTPHeaderDict):
    """The headers of a signed request, which know how to sign it once more."""

    exchange: Exchange
    sent = False

    @classmethod
    def of(cls, exchange: Exchange) -> SignedHeaders:
        self = cls()
        self.exchange = exchange
        for name, value in exchange.headers_to_send():
            # http.client sends str as Latin-1: these are the bytes that were signed.
            self.add(name, value if isinstance(value, str) else value.decode("latin-1"))
        return self

    def copy(self) -> SignedHeaders:
        copied = type(self)(self)
        copied.exchange, copied.sent = self.exchange, self.sent
        return copied


class _SignsEachAttempt:
    """A pool that comes through its own `urlopen` at each retry, as urllib3's do: with a new signature."""

    def urlopen(
        self, method: str, url: str, body: Any = None, headers: Any = None, retries: Any = None, *args: Any, **kw: Any
    ) -> Any:
        if isinstance(headers, SignedHeaders):
            if headers.sent:
                signed = headers.exchange.sign()
                headers, body = SignedHeaders.of(headers.exchange), signed.body
            headers.sent = True
        return super().urlopen(method, url, body, headers, retries, *args, **kw)  # type: ignore[misc]


class SigningHTTPPool(_SignsEachAttempt, HTTPConnectionPool):  # type: ignore[misc]
    """http:// connections."""


class SigningHTTPSPool(_SignsEachAttempt, HTTPSConnectionPool):  # type: ignore[misc]
    """https:// connections."""


SIGNING_POOLS = {"http": SigningHTTPPool, "https": SigningHTTPSPool}


def as_sent(url: str) -> str:
    """A URL in absolute form, as a proxy is asked for it. InvalidRequest if urllib3 would rewrite it on the way."""
    if parse_url(url).url != url:
        raise InvalidRequest(
            f"urllib3 asks a proxy for {url.partition('?')[0][:80]!r} without its dot segments, which breaks the signature; ask over "
            "https, or without a proxy (by AwsSession or AwsPoolManager, who know of one)"
        )
    return url


class AwsPoolManager(urllib3.PoolManager):
    """A PoolManager whose requests are signed. service ... scheme: see `awsign.clients.signing.Signing`; the rest is urllib3's."""

    def __init__(
        self,
        *args: Any,
        service: str | None = None,
        region: str | None = None,
        credentials: Credentials | Provider | None = None,
        payload: str | Chunked | None = None,
        rules: Rules | None = None,
        scheme: Scheme | None = None,
        **kw: Any,
    ) -> None:
        self.signing = Signing(service=service, region=region, credentials=credentials, payload=payload, rules=rules, scheme=scheme)
        super().__init__(*args, **kw)
        self.pool_classes_by_scheme = SIGNING_POOLS

    def urlopen(self, method: str, url: str, redirect: bool = True, **kw: Any) -> BaseHTTPResponse:  # type: ignore[override]
        """Sign and send a request; as in urllib3 but for what a signature changes."""
        headers: Any = kw.pop("headers", None)
        headers = self.headers if headers is None else headers
        kw.pop("chunked", None)  # How a body is framed follows from what it is.
        sending: Exchange | _Unsigned = Exchange(self.signing, method, url, headers, kw.pop("body", None))
        while True:
            response = self._sent(sending, kw)
            location = redirect and response.status in STATUSES and response.headers.get("location")
            if not location:
                return response
            old, url = sending.request.url, target_of(sending.request.url, location)
            retries = kw.get("retries", response.retries)
            if not isinstance(retries, Retry):
                retries = Retry.from_int(retries, redirect=redirect)
            try:
                kw["retries"] = retries.increment(sending.request.method, old, response=response)
            except MaxRetryError:
                if retries.raise_on_redirect:
                    response.drain_conn()
                    raise
                return response
            response.drain_conn()
            sending = self._moved(sending, response.status, url, retries.remove_headers_on_redirect)

    def _moved(self, sending: Exchange | _Unsigned, status: int, url: str, dropped: Collection[str]) -> Exchange | _Unsigned:
        """What is sent to where an answer redirects. dropped: the headers that urllib3 itself sends to no other host."""
        before = sending.request
        method = method_after(status, before.method)
        body = before.body if method == before.method and status != 303 else None
        before.rewind()
        kept, signs = after_redirect(before.url, method, url, before.headers, body, signed=isinstance(sending, Exchange))
        if not signs:
            kept = [pair for pair in kept if pair[0].lower() not in dropped]
            return _Unsigned(Request(method, url, kept, body))
        return Exchange(self.signing, method, url, kept, body, moved=True)

    def _sent(self, sending: Exchange | _Unsigned, kw: dict[str, Any]) -> BaseHTTPResponse:
        if isinstance(sending, _Unsigned):
            return self._send(sending.request.method, sending.request.url, sending.request.headers, sending.request.body, kw)
        while True:
            signed = sending.sign()
            response = self._send(signed.method, signed.url, SignedHeaders.of(sending), signed.body, kw)
            if not sending.asks_why(response.status):
                return response
            response, read = body_and_again(response, decode_content=kw.get("decode_content", True))
            if not sending.again(Response(response.status, response.headers, read)):
                return response
            response.drain_conn()

    def _send(self, method: str, url: str, headers: Any, body: Any, kw: dict[str, Any]) -> BaseHTTPResponse:
        parsed = parse_url(url)
        pool = self.connection_from_host(parsed.host, port=parsed.port, scheme=parsed.scheme)
        target = as_sent(url) if self._proxy_requires_url_absolute_form(parsed) else target_in(url)
        if not isinstance(headers, SignedHeaders):
            headers = urllib3.HTTPHeaderDict(list(headers))
        kw.pop("assert_same_host", None)
        return pool.urlopen(method, target, body=body, headers=headers, redirect=False, assert_same_host=False, chunked=False, **kw)


class AwsProxyManager(AwsPoolManager, urllib3.ProxyManager):
    """An AwsPoolManager whose requests go through a proxy: AwsProxyManager("http://proxy.example:3128")."""


class _Unsigned:
    """A request to where a redirect led, which is none of the service that was signed for."""

    def __init__(self, request: Request) -> None:
        self.request = request


def body_and_again(response: BaseHTTPResponse, *, decode_content: bool = True) -> tuple[BaseHTTPResponse, bytes]:
    """An answer, and its body; one that was to be read as a stream still can be."""
    if getattr(response, "_body", None) is not None:
        return response, response.data
    raw = response.read(decode_content=False)
    headers = urllib3.HTTPHeaderDict(response.headers)
    headers.pop("transfer-encoding", None)  # It is off already.

    def made(**how: Any) -> urllib3.HTTPResponse:
        return urllib3.HTTPResponse(
            body=io.BytesIO(raw),
            headers=headers,
            status=response.status,
            version=response.version,
            reason=response.reason,
            request_url=response.geturl(),
            enforce_content_length=False,  # Of an answer to HEAD it is another's.
            **how,
        )

    again = made(preload_content=False, decode_content=decode_content)
    again.retries = response.retries
    again._original_response = getattr(response, "_original_response", None)  # Where requests looks for cookies.
    response.release_conn()
    try:
        return again, made(preload_content=True).data
    except urllib3.exceptions.DecodeError:
        return again, raw
