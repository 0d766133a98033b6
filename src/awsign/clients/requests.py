"""requests: `AwsAuth` for any session, and `AwsSession`, whose URLs go out as they were written.

    requests.get("https://my-bucket.s3.eu-west-1.amazonaws.com/key", auth=AwsAuth())
    AwsSession(region="eu-west-1").put("https://my-bucket.s3.eu-west-1.amazonaws.com/a/../b//c", data=open(path, "rb"))

requests resolves the dot segments of a URL before any auth sees it, and urllib3 below it repeats a signature at each retry: the
session does neither.
"""

from __future__ import annotations

import copy
import threading
from urllib.parse import urljoin, urlparse

from ..errors import InvalidRequest, MissingExtra
from ..redact import shown_url
from ..redirects import STATUSES, headers_after, may_sign, target_of
from ..request import target_in, with_parameters
from ..response import Response
from .exchange import Exchange, after_redirect
from .signing import Signing, Signs

try:
    from requests.adapters import HTTPAdapter
    from requests.auth import AuthBase
    from requests.exceptions import ChunkedEncodingError
    from requests.exceptions import ConnectionError as RequestsConnectionError
    from requests.models import PreparedRequest
    from requests.sessions import Session, SessionRedirectMixin, merge_setting
    from requests.structures import CaseInsensitiveDict
    from requests.utils import requote_uri, select_proxy
except ImportError:
    raise MissingExtra("awsign.clients.requests needs requests; pip install 'awsign[requests]'") from None

from .urllib3 import SIGNING_POOLS, HTTPError, ReadTimeoutError, SignedHeaders, as_sent, body_and_again

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import requests

    from ..chunked import Chunked
    from ..identity import Credentials, Provider
    from ..services import Rules
    from .signing import Scheme

_REDIRECTS = SessionRedirectMixin()
_ADAPTER = HTTPAdapter()


class AwsAuth(Signs, AuthBase):
    """Signs requests: `requests.get(url, auth=AwsAuth())`. Arguments: see `awsign.clients.signing.Signing`."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        exchange = Exchange(self.signing, request.method or "", request.url or "", request.headers, request.body)
        _sign(request, exchange)
        hooks = request.hooks.setdefault("response", [])
        if _answered not in hooks:  # A prepared request may be signed more than once.
            hooks.insert(0, _answered)
        return request


class SignedRequest(PreparedRequest):
    """What AwsAuth makes of a prepared request: one that knows how to be signed again, and for where a redirect leads.

    A session copies the request that was answered to make the next one, and asks no auth again: `copy` gives that one. Any other
    copy is not signed, as it may be for another URL.
    """

    exchange: Exchange
    redirected: threading.local  # The answer that redirects: a request may be shared by threads.

    def copy(self) -> PreparedRequest:
        answer = getattr(self.redirected, "answer", None)
        if answer is not None:
            return _next(self, answer)
        copied = _unsigned(self)
        copied.__class__ = CopiedRequest
        return copied

    __copy__ = copy

    def __reduce__(self) -> tuple[Any, ...]:
        return _pickled(self)


class CopiedRequest(PreparedRequest):
    """A copy of one that was signed: for another service, nothing of the sender's is in it any more."""

    def copy(self) -> PreparedRequest:
        copied = PreparedRequest.copy(self)
        copied.__class__ = CopiedRequest
        return copied

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "url" and self.url and value != self.url:
            kept = headers_after(self.headers.items(), same=may_sign(str(self.url), str(value)), has_body=True)
            self.headers = CaseInsensitiveDict(kept)
        super().__setattr__(name, value)


class NextRequest(SignedRequest):
    """One that was signed for where a redirect leads: it goes nowhere else."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "url" and value != self.url:
            self.headers = _Refused(
                InvalidRequest(f"a request that was signed for {shown_url(str(self.url))[:80]!r} was to be sent elsewhere")
            )
        super().__setattr__(name, value)

    def prepare_auth(self, auth: Any, url: Any = "") -> None:
        """Called for what ~/.netrc has of the host: it is signed already."""


def _next(request: SignedRequest, answer: requests.Response) -> PreparedRequest:
    """What a session sends to where an answer redirects."""
    before = request.exchange
    after = _unsigned(request)
    url = after.url = _redirects_to(answer)
    _REDIRECTS.rebuild_method(after, answer)
    keeps_body = answer.status_code in (307, 308) and request.body is not None
    before.request.rewind()
    after.body = before.request.body if keeps_body else None  # type: ignore[assignment]
    # Not the cookies: requests writes those of the place.
    headers = [pair for pair in before.request.headers if pair[0].lower() != "cookie"]
    try:
        kept, signs = after_redirect(before.request.url, after.method or "", url, headers, after.body)
        if signs:
            _require_body(before, after)
            _sign(after, Exchange(before.signing, after.method or "", url, kept, after.body, moved=True))
            after.__class__ = NextRequest
            after.headers = _Kept(after.headers)
            if after.url != url:
                raise InvalidRequest(
                    f"requests would follow the redirect to {url.partition('?')[0][:80]!r}, which is signed and sent as "
                    f"{after.url.partition('?')[0][:80]!r}; awsign.clients.requests.AwsSession does that"
                )
            return after
        after.headers = CaseInsensitiveDict(kept)  # type: ignore[arg-type]
        if after.body is not None:
            after.prepare_content_length(after.body)
    except InvalidRequest as reason:
        # Whoever was told not to follow has the answer all the same.
        after.headers = _Refused(reason)
    return after


def _require_body(before: Exchange, after: PreparedRequest) -> None:
    """The 301 of a PUT is followed by requests with a PUT of nothing: signed, it would empty what is there."""
    if before.request.body is not None and after.body is None and after.method == before.request.method:
        raise InvalidRequest(
            f"requests would follow the redirect of this {after.method} with one that has no body; send it anew there"
        )


def _unsigned(request: SignedRequest) -> PreparedRequest:
    """A request as it was before it was signed."""
    plain = PreparedRequest.copy(request)
    plain.headers = CaseInsensitiveDict(request.exchange.request.headers)  # type: ignore[arg-type]
    plain.body = request.exchange.request.body  # type: ignore[assignment]
    return plain


def _pickled(request: PreparedRequest) -> tuple[Any, ...]:
    """As within an answer that is kept: without what it was signed by, its signature, and its keys."""
    headers = headers_after(request.headers.items(), same=False, has_body=True)
    kept = {name: getattr(request, name) for name in ("method", "url", "_cookies")}
    return _restored, (kept | {"headers": CaseInsensitiveDict(headers)},)


def _restored(state: dict[str, Any]) -> PreparedRequest:
    request = PreparedRequest()
    request.__dict__.update(state)
    return request


class _Kept(CaseInsensitiveDict):  # type: ignore[type-arg]
    """Headers whose signature stays: requests takes an Authorization out where a redirect leads to another host."""

    def __delitem__(self, name: str) -> None:
        if name.lower() != "authorization":
            super().__delitem__(name)


class _Refused(CaseInsensitiveDict):  # type: ignore[type-arg]
    """The headers of a request that is not to be sent: whoever sends it learns why."""

    def __init__(self, reason: InvalidRequest) -> None:
        super().__init__()
        self.reason = reason

    def items(self) -> Any:
        raise self.reason

    def copy(self) -> Any:
        raise self.reason


def _sign(request: PreparedRequest, exchange: Exchange) -> None:
    """Sign a prepared request, in place."""
    signed = exchange.sign()
    request.__class__ = SignedRequest
    request.exchange, request.redirected = exchange, threading.local()  # type: ignore[attr-defined]
    request.url, request.method = signed.url, signed.method
    request.body = signed.body  # type: ignore[assignment]
    request.headers = CaseInsensitiveDict(exchange.headers_to_send())  # type: ignore[arg-type]
    request._body_position = None  # type: ignore[attr-defined] # It is rewound here: requests refuses what it could not rewind.
    if request.url.startswith("http:"):
        as_sent(request.url)  # Whether a proxy will be asked for it, an auth is not told.
    if (sends := _ADAPTER.request_url(request, {})) != target_in(signed.url):
        raise InvalidRequest(
            f"requests would send {sends.partition('?')[0][:80]!r} in the place of {target_in(signed.url).partition('?')[0][:80]!r}; "
            "awsign.clients.requests.AwsSession sends it as it is"
        )


def _redirects_to(answer: requests.Response) -> str:
    """The URL that requests goes to: its own way of writing it."""
    location = _REDIRECTS.get_redirect_target(answer) or ""
    if location.startswith("//"):
        location = f"{urlparse(answer.url).scheme}:{location}"
    parsed = urlparse(location)
    url = requote_uri(parsed.geturl()) if parsed.netloc else urljoin(answer.url, requote_uri(parsed.geturl()))
    return url.partition("#")[0]


def _answered(response: requests.Response, **kwargs: Any) -> requests.Response:
    """The hook of a signed request: sends it again where the answer says how to put it right, and notes a redirect."""
    request = response.request
    if not isinstance(request, SignedRequest):
        return response
    request.redirected.answer = None
    request.exchange.begin()  # It may have been sent before.
    while request.exchange.asks_why(response.status_code):
        read = _read(response)
        if not request.exchange.again(Response(response.status_code, response.headers, read)):
            break
        response.close()
        again = _unsigned(request)
        _sign(again, request.exchange)
        history = [*response.history, response]
        response = response.connection.send(again, **kwargs)
        response.history = history
    if response.status_code in STATUSES and "location" in response.headers:
        for each in (request, response.request):  # Sent again, it is another.
            if isinstance(each, SignedRequest):
                each.redirected.answer = response
    return response


def _read(response: requests.Response) -> bytes:
    """The body of an answer, which can be read again as a stream."""
    try:
        response.raw, read = body_and_again(response.raw)
    except ReadTimeoutError as error:
        raise RequestsConnectionError(error) from error
    except HTTPError as error:
        raise ChunkedEncodingError(error) from error
    return read


class AwsAdapter(HTTPAdapter):
    """What an AwsSession sends with. It sends a URL as it is, and signs each attempt:

    AwsSession().mount("https://", AwsAdapter(max_retries=urllib3.Retry(5, status_forcelist=[503])))
    """

    def init_poolmanager(self, *args: Any, **kw: Any) -> None:
        super().init_poolmanager(*args, **kw)
        self.poolmanager.pool_classes_by_scheme = SIGNING_POOLS

    def proxy_manager_for(self, proxy: str, **kw: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kw)
        manager.pool_classes_by_scheme = SIGNING_POOLS
        return manager

    def request_url(self, request: PreparedRequest, proxies: Any) -> str:
        url = str(request.url).partition("#")[0]
        proxy = select_proxy(url, proxies)
        forwarded = proxy and url.startswith("http:") and not proxy.lower().startswith("socks")
        return as_sent(url) if forwarded else target_in(url)

    def send(self, request: PreparedRequest, *args: Any, **kw: Any) -> requests.Response:
        if isinstance(request, Sent):
            request = request.origin
        if isinstance(request.headers, _Refused):
            raise request.headers.reason
        if not isinstance(request, SignedWhenSent) or request.signing is None:
            return super().send(request, *args, **kw)
        if request.exchange is not None and request.body is request.exchange.request.body:
            request.exchange.request.rewind()  # It has been sent before.
        exchange = Exchange(
            request.signing, request.method or "", request.url or "", request.headers, request.body, moved=request.moved
        )
        request.exchange = exchange
        while True:
            signed = exchange.sign()
            request.body = exchange.request.body  # type: ignore[assignment] # Spooled, so that a redirect can send it too.
            sent: Any = PreparedRequest.copy(request)
            sent.url, sent.method, sent.body = signed.url, signed.method, signed.body
            sent.headers = SignedHeaders.of(exchange)
            response = super().send(sent, *args, **kw)
            sent.headers = CaseInsensitiveDict(exchange.headers_to_send())
            sent.__class__, sent.origin = Sent, request
            if not exchange.asks_why(response.status_code):
                return response
            read = _read(response)
            if not exchange.again(Response(response.status_code, response.headers, read)):
                return response
            response.close()


class Sent(PreparedRequest):
    """What an answer of an AwsSession says was sent. Sent or copied again, it is the request that it was signed of."""

    origin: SignedWhenSent

    def copy(self) -> SignedWhenSent:
        return self.origin.copy()

    __copy__ = copy

    def __reduce__(self) -> tuple[Any, ...]:
        return _pickled(self)


class SignedWhenSent(PreparedRequest):
    """A request of an AwsSession, which is signed when it is sent, each time. signing: None where it is to go as it is.

    moved: whether a server pointed to its URL. exchange: what became of it last.
    """

    signing: Signing | None = None
    moved = False
    exchange: Exchange | None = None

    def copy(self) -> SignedWhenSent:
        copied: Any = PreparedRequest.copy(self)
        copied.__class__ = SignedWhenSent
        copied.signing, copied.moved, copied.exchange = self.signing, self.moved, self.exchange
        copied._body_position = None  # Rewound by the exchange, which may have spooled it.
        return copied  # type: ignore[no-any-return]


class AwsSession(Session):
    """A session whose requests are signed and sent as they are written. Arguments: see `awsign.clients.signing.Signing`.

    A request that is given another `auth` is sent as it says.
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
        super().__init__()
        self.auth = AwsAuth(service=service, region=region, credentials=credentials, payload=payload, rules=rules, scheme=scheme)
        self.mount("https://", AwsAdapter())
        self.mount("http://", AwsAdapter())

    def mount(self, prefix: Any, adapter: Any) -> None:
        # Session mounts its own before it has an auth.
        if self.auth is not None and isinstance(adapter, HTTPAdapter) and not isinstance(adapter, AwsAdapter):
            raise TypeError(
                "an AwsSession signs by its adapters: mount an awsign.clients.requests.AwsAdapter, which takes what an HTTPAdapter takes"
            )
        super().mount(prefix, adapter)

    def prepare_request(self, request: requests.Request) -> PreparedRequest:
        auth = request.auth or self.auth
        if not isinstance(auth, AwsAuth):
            return super().prepare_request(request)
        plain = copy.copy(request)
        plain.auth = _nothing
        prepared = super().prepare_request(plain)
        prepared.url = with_parameters(str(request.url).lstrip(), merge_setting(request.params, self.params))  # type: ignore[no-untyped-call]
        prepared.__class__ = SignedWhenSent
        prepared.signing = auth.signing  # type: ignore[attr-defined]
        return prepared

    def rebuild_auth(self, prepared_request: PreparedRequest, response: requests.Response) -> None:
        """Called by requests where an answer redirects: signed again at the same service, else nothing of the sender's goes along."""
        if not isinstance(prepared_request, SignedWhenSent):
            super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
            return
        request = prepared_request
        cookie = request.headers.get("Cookie")  # Of where it goes: not the sender's.
        if request.exchange is not None:
            request.exchange.request.rewind()
        try:
            url = target_of(response.url, _REDIRECTS.get_redirect_target(response) or "")
            kept, signs = after_redirect(
                response.url, request.method or "", url, request.headers, request.body, signed=request.signing is not None
            )
            if signs and request.exchange is not None:
                _require_body(request.exchange, request)
        except InvalidRequest as reason:
            request.headers = _Refused(reason)
            return
        request.url, request.headers = url, CaseInsensitiveDict(kept)  # type: ignore[arg-type]
        if signs:
            request.moved = True
            return
        request.signing = None
        if cookie:
            request.headers["Cookie"] = cookie


def _nothing(request: PreparedRequest) -> PreparedRequest:
    """An auth that adds nothing: without one, requests looks into ~/.netrc."""
    return request
