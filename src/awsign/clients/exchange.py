"""One request and what becomes of it, without I/O: signed as often as it is sent, and sent again once where an answer says why.

An adapter makes an `Exchange` of a request as its library would send it, sends what `sign` gives, and asks `again` of an error:
a clock that is off, credentials that expired, another region of S3. Each of these is put right once.
"""

from __future__ import annotations

import asyncio
import logging

from .. import redirects
from ..body import is_async, one_shot, size_of
from ..chunked import Chunked
from ..errors import InvalidRequest
from ..payload import spool, spool_async
from ..redact import masked
from ..request import Request
from ..response import elements, error_code
from ..services import S3_FAMILY
from ..signed import framed
from ..sigv4 import SigV4, is_region

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from typing import Any

    from ..canonical import Header
    from ..identity import Credentials
    from ..request import Headers
    from ..response import Response
    from ..signed import Signed
    from .signing import Signing

    Apart = Callable[..., Awaitable[Any]]

log = logging.getLogger("awsign.clients")

# What STS and the services say of a session token whose time is over; EC2 says RequestExpired of that too (EC2 API reference,
# "Error codes"), which is about the clock where that is off.
_EXPIRED = frozenset(("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"))
_WRONG_REGION = "AuthorizationHeaderMalformed"
_LONG = 1 << 20  # A body that takes a millisecond to hash: not on an event loop.


class Exchange:
    """One request. signing: how it is signed. moved: whether a server pointed to its URL.

    The headers that frame a body (Content-Length, Transfer-Encoding) are the library's as it saw it; `headers_to_send` has those
    of what is really sent. Raises InvalidRequest for what cannot be sent as it is signed.
    """

    def __init__(
        self, signing: Signing, method: str, url: str, headers: Headers, body: object = None, *, moved: bool = False
    ) -> None:
        self._signing = signing
        self._moved = moved
        self.request = Request(method, url, headers, body)  # type: ignore[arg-type]
        self._announced = self._take_framing()
        self._tried: set[str] = set()
        self._region: str | None = None  # As S3 told it.
        self._credentials: Credentials | None = None
        self.signed: Signed | None = None

    def __repr__(self) -> str:
        return f"<Exchange {self.request!r}>"

    def _take_framing(self) -> int | None:
        """The length that the headers announce. They are made anew, of the body that is sent."""
        announced = None
        self._own_date = False  # Whether the time of signing is the caller's.
        kept: list[Header] = []
        for name, value in self.request.headers:
            lower = name.lower()
            self._own_date = self._own_date or lower == "x-amz-date"
            if lower == "content-length":
                text = value if isinstance(value, str) else value.decode("latin-1")
                if not (text.isascii() and text.isdigit() and len(text) < 20):
                    raise InvalidRequest(f"Content-Length is {text[:40]!r}, not a number of bytes")
                announced = int(text)
            elif lower != "transfer-encoding":
                kept.append((name, value))
        self.request.headers = tuple(kept)
        return announced

    # Signing.

    def sign(self) -> Signed:
        """Sign it, for the first time or once more: now, with the credentials of now."""
        self.request.rewind()
        if self.request.body is not None and self._has_to_be_spooled():
            if is_async(self.request.body):
                raise InvalidRequest("an async body cannot be sent by a client that does not wait; use the async one")
            self._take_body(spool(self.request.body))
        return self._sign_by(self._signing.provider.get())

    async def sign_async(self, apart: Apart = asyncio.to_thread) -> Signed:
        """The same for tasks. apart: runs what may take long in a thread."""
        self.request.rewind()
        if self.request.body is not None and self._has_to_be_spooled():
            body = self.request.body
            self._take_body(await spool_async(body) if is_async(body) else await apart(spool, body))
        provider: Any = self._signing.provider
        if apart is asyncio.to_thread and hasattr(provider, "get_async"):
            credentials = await provider.get_async()
        else:
            credentials = await apart(provider.get)
        if self._takes_long():
            signed: Signed = await apart(self._sign_by, credentials)
            return signed
        return self._sign_by(credentials)

    def _takes_long(self) -> bool:
        return (size_of(self.request.body) or 0) > _LONG or not self._signing.knows_region(self.request.url)

    def _sign_by(self, credentials: Credentials) -> Signed:
        request = self.request
        if self.signed is not None:
            _require_repeatable(request.body)
        service, region = self._where()
        if request.body is not None:
            self._check_length(service)
        signer = self._signing.signer(service, region)
        at: datetime | None = None
        if self._signing.skew.knows_any and not self._own_date and self._signing.skew.offset(request.url):
            at = self._signing.skew.now(request.url)
        if isinstance(signer, SigV4):
            signed = signer.sign(request, at=at, payload=self._payload(), credentials=credentials)
        else:
            signed = signer.sign(request, at=at, credentials=credentials)
        self._credentials = credentials
        self.signed = signed
        if log.isEnabledFor(logging.DEBUG):
            self._log("signed", f"as {credentials.access_key_id} for {signed.derivation.scope or 'no scope'}")
        return signed

    def _where(self) -> tuple[str | None, str | None]:
        service, region = self._signing.where(self.request.url, moved=self._moved)
        return service, self._region or region

    def _log(self, event: str, text: str) -> None:
        """A record of what happens; `event` and `exchange` are attributes of it, for whoever hangs a handler there."""
        shown = masked(self.request.url)
        log.debug("%s: %s %s %s", event, self.request.method, shown, text, extra={"event": event, "exchange": self})

    # The body.

    def _payload(self) -> str | Chunked | None:
        payload = self._signing.payload
        if not isinstance(payload, Chunked):
            return payload
        if not self.request.body or self._declared():
            return None  # Nothing to be sent in chunks. An empty body is refused in them by Ceph RGW.
        if payload.length is not None or size_of(self.request.body) is not None:
            return payload
        return Chunked(self._announced, payload.chunk_size, payload.signed, payload.trailer)

    def _declared(self) -> str | None:
        for name, value in self.request.headers:
            if name.lower() == "x-amz-content-sha256":
                return value if isinstance(value, str) else value.decode("latin-1")
        return None

    def _has_to_be_spooled(self) -> bool:
        """Whether the body can be read only once, and has to be read before it is sent: to be hashed, or to know its length."""
        if not one_shot(self.request.body):
            return False
        payload = self._signing.payload
        if isinstance(payload, Chunked) and not self._declared():
            return payload.length is None and self._announced is None
        if payload is not None or self._declared():
            return False
        rule = self._signing.rules(self._where()[0]).payload
        return rule == "hash" or (rule == "unsigned-on-https" and self.request.scheme != "https")

    def _take_body(self, body: object) -> None:
        self.request.put_body(body)  # type: ignore[arg-type]

    def _check_length(self, service: str | None) -> None:
        """S3 has to be told how long a body is. What is known of that counts more than a header: httpx takes it from the whole of
        a file that is sent from its middle.
        """
        if size_of(self.request.body) is None and self._announced is None and service in S3_FAMILY:
            raise InvalidRequest(
                "the length of the body is not known, and S3 takes no Transfer-Encoding: chunked; set Content-Length, "
                "or leave payload out, which sends it by way of a temporary file"
            )

    def headers_to_send(self) -> list[Header]:
        """The headers of the signed request, with those that frame its body."""
        assert self.signed is not None
        names = {name.lower() for name, _ in self.signed.headers}
        if self._announced is not None and size_of(self.signed.body) is None and "content-length" not in names:
            return [*self.signed.headers, ("Content-Length", str(self._announced))]
        return framed(self.signed)

    # The answer.

    def asks_why(self, status: int) -> bool:
        """Whether the body of an answer has to be read: it may say why the signature was refused."""
        return (400 <= status < 500 or status in (301, 307)) and len(self._tried) < 3

    def again(self, response: Response) -> bool:
        """Whether to sign once more and send again: what the answer complains of is put right, once each."""
        if one_shot(self.request.body) or self._credentials is None:
            return False
        for what, mended in (("region", self._mend_region), ("clock", self._mend_clock), ("credentials", self._mend_credentials)):
            if what not in self._tried and mended(response):
                self._tried.add(what)
                self._log("again", f"because of the {what} ({error_code(response) or response.status})")
                return True
        return False

    def _mend_region(self, response: Response) -> bool:
        service, region = self._where()
        if service not in S3_FAMILY or response.header("location"):
            return False
        told = response.header("x-amz-bucket-region")
        if error_code(response) == _WRONG_REGION:
            told = elements(response.body).get("Region") or told
        elif response.status in (400, 403) and self.request.method != "HEAD":
            return False
        if not told or told == region or not is_region(told):
            return False
        url = redirects.url_in_region(self.request.url, self.request.authority, response.status or 0, told)
        if url is None and response.status in (301, 307):
            return False
        if url is not None:
            self.request.rewind()
            self.request = Request(self.request.method, url, self.request.headers, self.request.body)
        self._region = told
        return True

    def _mend_clock(self, response: Response) -> bool:
        return not self._own_date and self._signing.skew.learn(self.request.url, response)

    def _mend_credentials(self, response: Response) -> bool:
        forget = getattr(self._signing.provider, "forget", None)
        if forget is None or error_code(response) not in _EXPIRED:
            return False
        forget(self._credentials)
        return True


def _require_repeatable(body: object) -> None:
    if one_shot(body):
        raise InvalidRequest(f"the body, a {type(body).__name__}, can be read only once and has been sent; it cannot be sent again")


def after_redirect(
    signing: Signing, old_url: str, method: str, url: str, headers: Headers, body: object
) -> Exchange | list[tuple[str, str | bytes]]:
    """What a redirect that a library follows is sent as: an exchange of its own at the same service, else the headers that may go
    along, unsigned. InvalidRequest where it may not be followed.
    """
    redirects.require_followable(old_url, url)
    _require_repeatable(body)
    signs = redirects.may_sign(old_url, url)
    pairs = list(headers.items() if hasattr(headers, "items") else headers)
    kept = redirects.headers_after(pairs, same=signs, has_body=body is not None)
    shown = masked(url)
    log.debug("redirect: %s %s %s", method, shown, "signed again" if signs else "without credentials", extra={"event": "redirect"})
    return Exchange(signing, method, url, kept, body, moved=True) if signs else kept
