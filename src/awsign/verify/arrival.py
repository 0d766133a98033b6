"""A request as it arrived, read for the checks: what a verifier was told, and how it refuses."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import datetime, timedelta
from itertools import chain

from ..canonical import SIGNED_PREFIX, lower_name, may_be_repeated
from ..endpoints import infer
from ..errors import SignatureError
from ..identity import Credentials, is_access_key
from ..payload import is_sha256
from ..query import Query, query_pairs
from ..request import URLENCODED, is_form
from ..services import QUERY_API_VERSIONS, answer_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from typing import NoReturn, TypeAlias

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    from ..derivation import Derivation
    from ..request import Request
    from .replay import ReplayGuard

    # What may stand for an access key: the public key for SigV4A alone, None for one that is not known.
    Secret: TypeAlias = Credentials | str | EllipticCurvePublicKey | None

_KEPT_CREDENTIALS = 1024
_NO_QUERY = Query("")
_NO_TARGET = re.compile(r"[#\x00-\x1f\x7f]")


class Settings:
    """What a verifier was told (see Verifier), and the credentials that it was given last, which keep their derived keys."""

    __slots__ = (
        "_kept",
        "bucket_of",
        "hosts",
        "max_body",
        "max_head",
        "max_skew",
        "now",
        "regions",
        "replay_guard",
        "schemes",
        "services",
        "unsigned_headers",
        "unsigned_payload",
    )

    max_skew: timedelta
    max_head: int
    max_body: int | None
    unsigned_payload: str
    replay_guard: ReplayGuard | None
    now: Callable[[], datetime]
    schemes: Container[str]
    services: Container[str] | None
    regions: Container[str] | None
    hosts: Container[str] | None
    unsigned_headers: frozenset[str]
    bucket_of: Callable[[str], str | None]

    def __init__(self) -> None:
        self._kept: dict[str, Credentials] = {}

    def kept(self, access_key_id: str, given: Credentials | str) -> Credentials | None:
        """Credentials, or those of a secret: the same as were given before, if they are, as deriving a key takes longer than all else.

        None where the access key cannot be one.
        """
        known = self._kept.get(access_key_id)
        if known is not None and (known.secret_access_key == given or known == given):
            return known
        if not is_access_key(access_key_id):
            return None
        while len(self._kept) >= _KEPT_CREDENTIALS:
            self._kept.pop(next(iter(list(self._kept))), None)
        self._kept[access_key_id] = known = given if isinstance(given, Credentials) else Credentials(access_key_id, given)
        return known


class Arrival:
    """A received request as the checks read it.

    headers: as `canonical_fields` gives them. query: as it was read. service: once it is known.
    """

    # No __slots__, here and in what else is made for each request: with them CPython 3.13 takes 180 ns to make one, without 110.

    def __init__(self, request: Request, settings: Settings) -> None:
        self.request = request
        self.settings = settings
        self.query = _NO_QUERY
        self.location = "header"
        self.service: str | None = None
        self.access_key_id: str | None = None
        headers, self.headers = request.headers, request.fields
        size = len(request.method) + len(request.path) + len(request.query)
        size += sum(map(len, chain.from_iterable(headers)))
        if size > settings.max_head:
            self.fail("head-too-large", f"the head of the request has {size} bytes; {settings.max_head} are taken")
        if request.query:
            self.query = Query(request.query)
        target = request.path if self.query.is_canonical else request.target  # A canonical query has no odd character.
        if ("#" in target or not target.isprintable()) and (odd := _NO_TARGET.search(target)):
            # Servers cut a target at a `#`, and drop a tab: the application would act on another one than is verified here.
            self.fail("bad-target", f"the target of the request has {odd[0]!r}, which must be escaped as %{ord(odd[0]):02X}")
        if len(self.headers) < len(headers):
            seen: set[str] = set()
            for name, _ in headers:
                name = lower_name(name)
                if name in seen and not may_be_repeated(name):
                    self.fail("duplicate-header", f"the request has the header {name} twice")
                seen.add(name)
        if request.authority is not request.host and request.authority.lower() != request.host.lower():
            self.fail(
                "wrong-host",
                f"the request is for {request.authority[:80]!r} by its target, and for {request.host[:80]!r} by its Host header",
            )

    def header(self, name: str) -> str:
        """A header's value, "" if it is absent."""
        return self.headers.get(name, "")

    def fail(self, kind: str, message: str, derivation: Derivation | None = None) -> NoReturn:
        raise SignatureError(
            kind,
            message,
            shape=self.shape(),
            location=self.location,
            canonical_request=derivation.canonical_request if derivation else None,
            string_to_sign=derivation.string_to_sign if derivation else None,
            access_key_id=self.access_key_id,
        ) from None

    def shape(self) -> str:
        """The shape in which the service that was addressed words its errors; found out only where there is one."""
        return answer_shape(self.service or self._likely_service(), self.headers, self.action() is not None)

    def check_scope(self, service: str, region: str, takes_region: Callable[[Container[str]], bool] | None = None) -> None:
        """That what a credential scope names is taken here. takes_region: how a region set is compared."""
        settings = self.settings
        if settings.services is not None and service not in settings.services:
            self._not_taken("service", service, settings.services)
        regions = settings.regions
        if regions is not None and not (takes_region(regions) if takes_region else region in regions):
            self._not_taken("region", region, regions)
        self.check_host()

    def _not_taken(self, what: str, value: str, allowed: Container[str]) -> NoReturn:
        expected = f"; expected {', '.join(sorted(allowed))}" if isinstance(allowed, (set, frozenset, list, tuple)) else ""
        self.fail(f"wrong-{what}", f"the credential scope names the {what} {value[:60]!r}{expected}")

    def check_unscoped(self, scheme: str, service: str | None, region: str | None) -> None:
        """The checks of a scheme whose signature names no service and region: they are what the host tells, or unknown."""
        for what, value, allowed in (("service", service, self.settings.services), ("region", region, self.settings.regions)):
            if allowed is not None and value not in allowed:
                self.fail(f"wrong-{what}", f"{scheme} signs for no {what}, and the host does not tell one that is taken here")
        self.check_host()

    def check_host(self) -> None:
        hosts = self.settings.hosts
        if hosts is not None and self.request.host.lower() not in hosts:
            self.fail("wrong-host", f"the request is for the host {self.request.host!r}, which is not one of this server's")

    def check_unsigned(self, names: Iterable[str], exempt: Container[str] = ()) -> None:
        """That no x-amz-* header is among those that are not signed, by whatever name CGI and WSGI would give it: they read `_` as `-`."""
        unsigned = [
            name
            for name in names
            if (name[:6] == SIGNED_PREFIX or ("_" in name and name.replace("_", "-").startswith(SIGNED_PREFIX)))
            and name not in exempt
            and name not in self.settings.unsigned_headers
        ]
        if unsigned:
            listed = ", ".join(sorted(unsigned))
            self.fail("unsigned-header", f"there were headers present in the request which were not signed: {listed}")

    def check_skew(self, signed_at: datetime) -> None:
        now, most = self.settings.now(), self.settings.max_skew
        if not -most <= now - signed_at <= most:
            self.fail(
                "skew",
                f"the request was signed at {signed_at:%Y-%m-%dT%H:%M:%SZ}, and it is {now:%Y-%m-%dT%H:%M:%SZ} here: more than "
                f"{most.total_seconds():.0f} seconds apart; set the clock of the signer, or sign just before sending",
            )

    def check_not_before(self, what: str, signed_at: datetime) -> None:
        """That a URL or a form is of now or before; what: which of these."""
        if signed_at - self.settings.now() > self.settings.max_skew:
            self.fail(
                "not-yet-valid", f"the {what} is not valid before {signed_at:%Y-%m-%dT%H:%M:%SZ}; set the clock of the signer"
            )

    def check_expiry(self, expires_at: datetime) -> None:
        now = self.settings.now()
        if now >= expires_at:
            self.fail(
                "expired", f"the request expired at {expires_at:%Y-%m-%dT%H:%M:%SZ}; it is {now:%Y-%m-%dT%H:%M:%SZ}; sign it anew"
            )

    def takes_unsigned_payload(self) -> bool:
        """Whether a body that the signature does not cover is taken here, where the service takes it."""
        policy = self.settings.unsigned_payload
        return policy == "service" or (policy == "https" and self.request.scheme == "https")

    def content_md5(self, headers: dict[str, str] | None = None) -> str | None:
        """The Content-MD5, if there is one. headers: by lower-case name, where they are not the request's own."""
        text = (self.headers if headers is None else headers).get("content-md5", "")
        if not text:
            return None
        try:
            digest = b64decode(text, validate=True)
        except ValueError:
            digest = b""
        if len(digest) != 16:
            self.fail("bad-content-md5", f"Content-MD5 is {text[:40]!r}, not the base64 of an MD5")
        return text

    def pairs(self) -> list[tuple[str, str]]:
        """The decoded names and values of the query, in its order."""
        return query_pairs(self.request.query)

    def form(self) -> list[tuple[str, str]]:
        """The parameters of a form that was given as bytes; none for another body."""
        body = self.request.body
        if isinstance(body, bytes) and is_form(self.request.method, self.request.headers, URLENCODED):
            return query_pairs(body.decode("latin-1"))
        return []

    def action(self) -> str | None:
        """The Action of a Query API request."""
        return self._said("Action")

    def _said(self, name: str) -> str | None:
        """The first value of a parameter of the query, or else of the form."""
        return next((value for key, value in [*self.pairs(), *self.form()] if key == name), None)

    def _likely_service(self) -> str | None:
        service, _ = infer(f"https://{self.request.host}/")
        service = service or QUERY_API_VERSIONS.get(self._said("Version") or "")
        if service is None and "/aws4_request" in (
            credential := self.header("authorization") or self.query.get("X-Amz-Credential") or ""
        ):
            service = credential.partition("/aws4_request")[0].rpartition("/")[2]
        services = self.settings.services
        if service is None and isinstance(services, (set, frozenset, list, tuple)) and len(services) == 1:
            service = next(iter(services))
        return service

    def content_sha256(self) -> str | None:
        """x-amz-content-sha256 as a hash to hold the body to; None where it is not one."""
        value = self.header("x-amz-content-sha256")
        return value if is_sha256(value) else None
