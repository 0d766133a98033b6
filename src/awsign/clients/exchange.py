"""One request and what becomes of it, whatever client sends it: signed each time, and sent again once where an answer says why.

An adapter makes an `Exchange` of a request as its library would send it, sends what `sign` gives, and asks `again` of an error:
a clock that is off, credentials that expired, another region of S3. Each of these is put right once.
"""

from __future__ import annotations

import asyncio
import logging

from .. import redirects
from ..authorization import SIGNER_HEADERS, is_signature
from ..body import announced, is_async, one_shot, seekable, size_of
from ..chunked import Chunked
from ..errors import InvalidRequest
from ..payload import spool, spool_async
from ..redact import shown_url
from ..request import Request
from ..response import elements, error_code
from ..scope import parse_timestamp
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
# The statuses of these, and of S3's wrong regions (AWS general reference, "Common errors"; S3 API reference, "Error responses").
_TELLING = frozenset((301, 307, 400, 401, 403))
_LONG = 1 << 20  # A body that takes a millisecond to hash: not on an event loop.


class Exchange:
    """One request. signing: how it is signed. moved: whether a server pointed to its URL.

    The headers that frame a body (Content-Length, Transfer-Encoding) are the library's as it saw it; `headers_to_send` has those
    of what is really sent. Raises InvalidRequest for what cannot be sent as it is signed.
    """

    def __init__(
        self, signing: Signing, method: str, url: str, headers: Headers, body: object = None, *, moved: bool = False
    ) -> None:
        self.signing = signing
        self._moved = moved
        self.request = Request(method, url, headers, body)  # type: ignore[arg-type]
        self._announced = self._take_framing()
        self._own_date = self._take_old_signature()
        self._tried: set[str] = set()
        self._region: str | None = None  # As S3 told it.
        self._credentials: Credentials | None = None
        self.signed: Signed | None = None

    def __repr__(self) -> str:
        return f"<Exchange {self.request!r}>"

    def begin(self) -> None:
        """It is sent by its client once more: what was put right may have to be again."""
        self._tried.clear()

    def sent_anew(self) -> Exchange:
        """The same request, sent once more by who sent it: from the beginning of its body, as it was asked for."""
        self.request.rewind()
        request = self.request
        return Exchange(
            self.signing, request.method, request.url, [("Host", request.host), *request.headers], request.body, moved=self._moved
        )

    def _take_framing(self) -> int | None:
        """The length that the headers announce. They are made anew, of the body that is sent."""
        announced = None
        kept: list[Header] = []
        for name, value in self.request.headers:
            lower = name.lower()
            if lower == "content-length":
                text = value if isinstance(value, str) else value.decode("latin-1")
                if not (text.isascii() and text.isdigit() and len(text) < 20):
                    raise InvalidRequest(f"Content-Length is {text[:40]!r}, not a number of bytes")
                announced = int(text)
            elif lower != "transfer-encoding":
                kept.append((name, value))
        self.request.headers = tuple(kept)
        return announced

    def _take_old_signature(self) -> bool:
        """Whether the time of signing is the caller's: an X-Amz-Date that no signature came with. An older signature is taken out."""
        names = {name.lower(): value for name, value in self.request.headers}
        if is_signature(str(names.get("authorization", ""))):
            self.request.headers = tuple(pair for pair in self.request.headers if pair[0].lower() not in SIGNER_HEADERS)
            return False
        return "x-amz-date" in names

    # Signing.

    def sign(self) -> Signed:
        """Sign it, for the first time or once more: now, with the credentials of now."""
        self.request.rewind()
        if self.request.body is not None and self._has_to_be_spooled():
            if is_async(self.request.body):
                raise InvalidRequest("an async body cannot be sent by a client that does not wait; use the async one")
            self.request.put_body(spool(self.request.body))
        return self._sign_by(self.signing.provider.get())

    async def sign_async(self, apart: Apart | None = None) -> Signed:
        """The same for tasks. apart: runs what may take long in a thread, where that is not asyncio's to do."""
        in_thread = apart or asyncio.to_thread
        self.request.rewind()
        if self.request.body is not None and self._has_to_be_spooled():
            body = self.request.body
            self.request.put_body(await spool_async(body) if is_async(body) else await in_thread(spool, body))
        provider: Any = self.signing.provider
        if apart is None and hasattr(provider, "get_async"):
            credentials = await provider.get_async()
        else:
            credentials = await in_thread(provider.get)
        if self._takes_long():
            signed: Signed = await in_thread(self._sign_by, credentials)
            return signed
        return self._sign_by(credentials)

    def _takes_long(self) -> bool:
        return (size_of(self.request.body) or 0) > _LONG or not self.signing.knows_region(self.request.url)

    def _sign_by(self, credentials: Credentials) -> Signed:
        request = self.request
        if self.signed is not None:
            _require_repeatable(request.body)
        service, region = self._where()
        if request.body is not None:
            self._check_length(service)
        signer = self.signing.signer(service, region)
        at: datetime | None = None
        if self.signing.skew.knows_any and not self._own_date and self.signing.skew.offset(request.url):
            at = self.signing.skew.now(request.url)
        if isinstance(signer, SigV4):
            signed = signer.sign(request, at=at, payload=self._payload(), credentials=credentials)
        else:
            signed = signer.sign(request, at=at, credentials=credentials)
        if self._announced is not None and signed.body is request.body and one_shot(signed.body):
            signed.body = announced(signed.body, self._announced)
        self._credentials = credentials
        self.signed = signed
        log_signed(request.method, request.url, signed)
        return signed

    def _where(self) -> tuple[str | None, str | None]:
        url = self.request.url
        return self.signing.service_of(url), self._region or self.signing.region_of(url, moved=self._moved)

    # The body.

    def _payload(self) -> str | Chunked | None:
        payload = self.signing.payload
        if not isinstance(payload, Chunked):
            return payload
        if not self.request.body or self._declared():
            return None  # Nothing to be sent in chunks. An empty body is refused in them by Ceph RGW.
        if payload.length is not None or size_of(self.request.body) is not None:
            return payload
        return Chunked(self._announced, payload.chunk_size, payload.signed, payload.trailer)

    def _declared(self) -> bool:
        """Whether the request says itself what of its body is signed."""
        return any(value and name.lower() == "x-amz-content-sha256" for name, value in self.request.headers)

    def _has_to_be_spooled(self) -> bool:
        """Whether the body can be read only once, and has to be read before it is sent: to be hashed, or to know its length."""
        if not one_shot(self.request.body):
            return False
        payload = self.signing.payload
        if isinstance(payload, Chunked) and not self._declared():
            return payload.length is None and self._announced is None
        if payload is not None or self._declared():
            return False
        rule = self.signing.rules(self.signing.service_of(self.request.url)).payload
        return rule == "hash" or (rule == "unsigned-on-https" and self.request.scheme != "https")

    def _check_length(self, service: str | None) -> None:
        """S3 has to be told how long a body is. What is known of that counts more than a header: httpx takes it from the whole of
        a file that is sent from its middle.
        """
        size = size_of(self.request.body)
        if size == 0 and self._announced and seekable(self.request.body):
            raise InvalidRequest(
                f"the body is at its end, but Content-Length announces {self._announced} bytes; seek to where it begins"
            )
        if size is None and self._announced is None and service in S3_FAMILY:
            raise InvalidRequest(
                "the length of the body is not known, and S3 takes no Transfer-Encoding: chunked; set Content-Length, "
                "or leave payload out, which sends it by way of a temporary file"
            )

    def headers_to_send(self) -> list[Header]:
        """The headers of the signed request, with those that frame its body."""
        assert self.signed is not None
        return framed(self.signed, self._announced)

    # The answer.

    def asks_why(self, status: int) -> bool:
        """Whether the body of an answer has to be read: it may say why the signature was refused."""
        return status in _TELLING and len(self._tried) < len(self._MENDED) and not one_shot(self.request.body)

    _MENDED = ("region", "clock", "credentials")

    def again(self, response: Response) -> bool:
        """Whether to sign once more and send again: what the answer complains of is put right, once each."""
        if one_shot(self.request.body):
            return False
        for what in self._MENDED:
            if what not in self._tried and getattr(self, f"_mend_{what}")(response):
                self._tried.add(what)
                why = f"because of the {what}: {error_code(response) or response.status}"
                _log("again", self.request.method, self.request.url, why, self.signed)
                return True
        return False

    def _mend_region(self, response: Response) -> bool:
        service, region = self._where()
        status = response.status or 0
        if service not in S3_FAMILY or response.header("location"):
            return False
        told = None
        if error_code(response) == _WRONG_REGION:
            told = elements(response.body).get("Region")
        elif status in redirects.REGION_STATUSES and (status != 400 or self.request.method == "HEAD"):
            told = response.header("x-amz-bucket-region")
        if not told or told == region or not is_region(told):
            return False
        url = redirects.url_in_region(self.request.url, self.request.authority, status, told)
        if url is None and status in redirects.STATUSES:
            return False
        if url is not None:
            self.request.rewind()
            self.request = Request(self.request.method, url, self.request.headers, self.request.body)
        self._region = told
        return True

    def _mend_clock(self, response: Response) -> bool:
        assert self.signed is not None
        # When it was signed: others may have learnt of the same clock meanwhile.
        stamp = next((value for name, value in self.signed.headers if name == "X-Amz-Date"), None)
        signed_at = parse_timestamp(stamp) if isinstance(stamp, str) else None
        return not self._own_date and self.signing.skew.learn(self.request.url, response, signed_at)

    def _mend_credentials(self, response: Response) -> bool:
        forget = getattr(self.signing.provider, "forget", None)
        if forget is None or error_code(response) not in _EXPIRED:
            return False
        forget(self._credentials)
        return True


def log_signed(method: str, url: str, signed: Signed) -> None:
    if log.isEnabledFor(logging.DEBUG):
        credential = next((value for name, value in signed.headers if name == "Authorization"), "")
        scope = signed.derivation.scope
        whose = f"by {str(credential).partition('Credential=')[2].partition('/' + scope)[0]} for {scope}" if scope else ""
        _log("signed", method, url, whose, signed)


def _log(event: str, method: str, url: str, text: str, signed: Signed | None) -> None:
    """A record of what happens: its `event` is signed, again or redirect, and `signed` what was signed (None at a redirect)."""
    log.debug("%s: %s %s %s", event, method, shown_url(url), text, extra={"event": event, "signed": signed})


def _require_repeatable(body: object) -> None:
    if one_shot(body):
        raise InvalidRequest(f"the body, a {type(body).__name__}, can be read only once and has been sent; it cannot be sent again")


def after_redirect(
    url: str, method: str, target: str, headers: Headers, body: object, *, signed: bool = True
) -> tuple[list[tuple[str, str | bytes]], bool]:
    """What a redirect of a request to `url`, which a library follows, is sent with: the headers, and whether it is signed again.

    signed: whether the request that was answered was. InvalidRequest where it may not be followed, or its body is gone.
    """
    pairs = list(headers.items() if hasattr(headers, "items") else headers)
    kept, signs = redirects.onward(url, target, pairs, signed=signed, has_body=body is not None)
    _require_repeatable(body)
    _log("redirect", method, target, "signed again" if signs else "without credentials", None)
    return kept, signs
