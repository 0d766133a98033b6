"""requests: `AwsAuth` for any session, and `AwsSession`, whose URLs go out as they were written.

    requests.get("https://my-bucket.s3.eu-west-1.amazonaws.com/key", auth=AwsAuth())
    AwsSession(region="eu-west-1").put("https://my-bucket.s3.eu-west-1.amazonaws.com/a/../b//c", data=open(path, "rb"))

requests resolves the dot segments of a URL before any auth sees it, and urllib3 below it repeats a signature at each retry: the
session does neither.
"""

from __future__ import annotations

from urllib.parse import urlencode, urljoin, urlparse

from ..errors import InvalidRequest, MissingExtra
from ..redirects import STATUSES, target_of
from ..request import target_in
from ..response import Response
from .exchange import Exchange, after_redirect
from .signing import Signing

try:
    from requests.adapters import HTTPAdapter
    from requests.auth import AuthBase
    from requests.sessions import Session, SessionRedirectMixin
    from requests.structures import CaseInsensitiveDict
    from requests.utils import requote_uri, select_proxy
except ImportError:
    raise MissingExtra("awsign.clients.requests needs requests; pip install 'awsign[requests]'") from None

from .urllib3 import SIGNING_POOLS, SignedHeaders, as_sent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import requests
    from requests.models import PreparedRequest

    from ..chunked import Chunked
    from ..identity import Credentials, Provider
    from ..services import Rules
    from .signing import Scheme

_REDIRECTS = SessionRedirectMixin()


class AwsAuth(AuthBase):
    """Signs requests: `requests.get(url, auth=AwsAuth())`. Arguments: see `awsign.clients.signing.Signing`."""

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
        return f"<AwsAuth {self.signing!r}>"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        _Sent(self.signing, request)
        return request


class _Sent:
    """A request that was signed, and the hook that looks at its answers."""

    def __init__(self, signing: Signing, request: PreparedRequest, *, in_session: bool = False) -> None:
        self._signing = signing
        self._request = request
        self._in_session = in_session
        assert request.method is not None and request.url is not None
        self._signs(Exchange(signing, request.method, request.url, request.headers, request.body))
        # Replacing a hook of an earlier signing: a prepared request may be signed more than once.
        hooks = request.hooks.setdefault("response", [])
        hooks[:] = [hook for hook in hooks if not isinstance(hook, _Sent)] + [self]

    def _signs(self, exchange: Exchange | None) -> None:
        self._exchange = exchange
        if exchange is not None:
            exchange.sign()
            self._write(exchange)

    def _write(self, exchange: Exchange) -> None:
        request, signed = self._request, exchange.signed
        assert signed is not None
        request.url = signed.url
        request.method = signed.method
        request.body = signed.body  # type: ignore[assignment]
        request.headers = _Headers.of(exchange)
        request._body_position = None  # type: ignore[attr-defined] # It is rewound here: requests refuses to, where what it was given could not be.
        if not self._in_session and (sends := HTTPAdapter().request_url(request, {})) != target_in(signed.url):
            raise InvalidRequest(
                f"requests would send {sends.partition('?')[0][:80]!r} in the place of {target_in(signed.url).partition('?')[0][:80]!r}; "
                "awsign.clients.requests.AwsSession sends it as it is"
            )

    def __call__(self, response: requests.Response, **kwargs: Any) -> requests.Response:
        """The hook: sends again what an answer says how to put right, and signs for where it redirects to."""
        while True:
            self._request = response.request
            if response.status_code in STATUSES and "location" in response.headers:
                if not self._in_session:
                    self._sign_next(response)
                return response
            exchange = self._exchange
            if exchange is None or not exchange.asks_why(response.status_code):
                return response
            if not exchange.again(Response(response.status_code, response.headers, response.content)):
                return response
            response.close()
            self._signs(exchange)
            history = [*response.history, response]
            response = response.connection.send(self._request, **kwargs)
            response.history = history

    def _sign_next(self, response: requests.Response) -> None:
        """Sign for where a session will go next.

        It copies the request for that and asks no auth again, so the one that was sent is given what the next one needs: what it
        loses on the way, if the host is another, is decided by comparing the two URLs.
        """
        location = _REDIRECTS.get_redirect_target(response) or ""
        url = urljoin(response.url, requote_uri(location)) if not urlparse(location).netloc else requote_uri(location)
        if url.startswith("//"):
            url = f"{urlparse(response.url).scheme}:{url}"
        url = url.partition("#")[0]
        _REDIRECTS.rebuild_method(self._request, response)
        if response.status_code not in (307, 308):
            self._request.body = None
        self.follow(self._request, url)
        if self._exchange is not None and self._request.url != url:
            raise InvalidRequest(
                f"requests would follow the redirect to {url.partition('?')[0][:80]!r}, which is signed and sent as "
                f"{str(self._request.url).partition('?')[0][:80]!r}; awsign.clients.requests.AwsSession does that"
            )

    def follow(self, request: PreparedRequest, url: str) -> None:
        """Make `request` what is sent to where an answer redirects: signed, or without anything of the sender's."""
        before = self._exchange
        self._request = request
        if before is None:  # It has been elsewhere already.
            return
        assert request.method is not None
        # As it was asked for, before it was signed: but for the cookies, which are those of the new place.
        headers = [pair for pair in before.request.headers if pair[0].lower() != "cookie"]
        if cookie := request.headers.get("Cookie"):
            headers.append(("Cookie", cookie))
        before.request.rewind()
        body = None if request.body is None else before.request.body
        after = after_redirect(self._signing, before.request.url, request.method, url, headers, body)
        if isinstance(after, Exchange):
            self._signs(after)
        else:
            self._exchange = None
            request.headers = CaseInsensitiveDict(after)  # type: ignore[arg-type]
            request.body = body  # type: ignore[assignment]
            request.url = url
            if body is not None:
                request.prepare_content_length(request.body)


class _Headers(CaseInsensitiveDict):  # type: ignore[type-arg]
    """The headers of a signed request, which know how to sign it once more."""

    exchange: Exchange

    @classmethod
    def of(cls, exchange: Exchange) -> _Headers:
        self = cls(exchange.headers_to_send())
        self.exchange = exchange
        return self


class AwsAdapter(HTTPAdapter):
    """An HTTPAdapter that sends a URL as it is, and signs anew at each retry: AwsSession().mount(prefix, AwsAdapter(max_retries=3))."""

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
        headers = request.headers
        if isinstance(headers, _Headers):
            # What requests has them in is copied on the way to the pool; this knows its exchange in a copy too.
            request.headers = SignedHeaders.of(headers.exchange)  # type: ignore[assignment]
        try:
            return super().send(request, *args, **kw)
        finally:
            request.headers = headers


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

    def prepare_request(self, request: requests.Request) -> PreparedRequest:
        auth = request.auth or self.auth
        if not isinstance(auth, AwsAuth):
            return super().prepare_request(request)
        given, request.auth = request.auth, _nothing
        try:
            prepared = super().prepare_request(request)
        finally:
            request.auth = given
        prepared.url = _exact(str(request.url), request.params)
        _Sent(auth.signing, prepared, in_session=True)
        return prepared

    def rebuild_auth(self, prepared_request: PreparedRequest, response: requests.Response) -> None:
        """Called by requests where an answer redirects: signed again at the same service, else nothing of the sender's goes along."""
        sent = next((hook for hook in prepared_request.hooks.get("response", ()) if isinstance(hook, _Sent)), None)
        if sent is None:
            super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
            return
        url = target_of(response.url, _REDIRECTS.get_redirect_target(response) or "")
        sent.follow(prepared_request, url)


def _nothing(request: PreparedRequest) -> PreparedRequest:
    """An auth that adds nothing: without one, requests looks into ~/.netrc."""
    return request


def _exact(url: str, params: Any) -> str:
    """The URL with its parameters, encoded as requests encodes them, and nothing of it resolved or quoted again."""
    url = url.lstrip()
    if not params:
        return url
    if isinstance(params, (str, bytes)):
        more = params.decode() if isinstance(params, bytes) else params
    else:
        items = params.items() if hasattr(params, "items") else params
        pairs = [
            (name, each)
            for name, values in items
            for each in ([values] if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__") else values)
            if each is not None
        ]
        more = urlencode(pairs)
    return f"{url}{'&' if '?' in url else '?'}{more}" if more else url
