"""What a request claims about its signature, read and judged without any secret; then checked with one."""

from __future__ import annotations

import hmac
from base64 import b64decode
from datetime import datetime, timedelta

from ..canonical import may_be_repeated, query_pairs
from ..endpoints import infer
from ..errors import CredentialsError, SignatureError
from ..identity import Credentials
from ..payload import is_sha256
from ..services import answer_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from typing import NoReturn

    from ..derivation import Derivation
    from ..request import Request
    from .body import BodyCheck

_KEPT_CREDENTIALS = 1024


class Settings:
    """What a verifier was told (see Verifier), and the credentials that it was given last, which keep their derived keys."""

    __slots__ = ("_kept", "bucket_of", "hosts", "max_skew", "now", "regions", "schemes", "services", "unsigned_headers")

    max_skew: timedelta
    now: Callable[[], datetime]
    schemes: Container[str]
    services: Container[str] | None
    regions: Container[str] | None
    hosts: Container[str] | None
    unsigned_headers: frozenset[str]
    bucket_of: Callable[[str], str | None]

    def __init__(self) -> None:
        self._kept: dict[str, Credentials] = {}

    def kept(self, credentials: Credentials) -> Credentials:
        """The same credentials as were given before, if they are: deriving a key takes longer than all else of a verification."""
        known = self._kept.get(credentials.access_key_id)
        if known == credentials:
            return known
        while len(self._kept) >= _KEPT_CREDENTIALS:
            self._kept.pop(next(iter(list(self._kept))), None)
        self._kept[credentials.access_key_id] = credentials
        return credentials


class Arrival:
    """A received request as the checks read it: headers by lower-case name, the query decoded, the shape of its errors."""

    def __init__(self, request: Request, settings: Settings) -> None:
        self.request = request
        self.settings = settings
        self.pairs = query_pairs(request.query)
        self.presigned = False
        self.values: dict[str, list[str]] = {}
        for name, value in request.headers:
            text = value if isinstance(value, str) else value.decode("latin-1")
            self.values.setdefault(name.lower(), []).append(text.strip(" \t\r\n"))
        self.shape = answer_shape(self._likely_service(), self.headers, self._is_query_api())
        for name, values in self.values.items():
            if len(values) > 1 and not may_be_repeated(name):
                self.fail("duplicate-header", f"the request has the header {name} twice")
        if request.authority.lower() != request.host.lower():
            self.fail(
                "wrong-host",
                f"the request is for {request.authority[:80]!r} by its target, and for {request.host[:80]!r} by its Host header",
            )

    @property
    def headers(self) -> dict[str, str]:
        """The first value of each header, by lower-case name."""
        return {name: values[0] for name, values in self.values.items()}

    def header(self, name: str) -> str:
        """A header's value, "" if it is absent."""
        return self.values.get(name, [""])[0]

    def fail(self, kind: str, message: str, derivation: Derivation | None = None) -> NoReturn:
        raise SignatureError(
            kind,
            message,
            shape=self.shape,
            presigned=self.presigned,
            canonical_request=derivation.canonical_request if derivation else None,
            string_to_sign=derivation.string_to_sign if derivation else None,
        ) from None

    def named_service(self, service: str) -> None:
        """The service is known now: word the errors as it does."""
        self.shape = answer_shape(service, self.headers, self._is_query_api())

    def check_unscoped(self, scheme: str, service: str | None, region: str | None) -> None:
        """The checks of a scheme whose signature names no service and region: they are what the host tells, or unknown."""
        for what, value, allowed in (("service", service, self.settings.services), ("region", region, self.settings.regions)):
            if allowed is not None and value not in allowed:
                self.fail(f"wrong-{what}", f"{scheme} signs for no {what}, and the host does not tell one that is taken here")
        self.check_host()

    def check_host(self) -> None:
        hosts = self.settings.hosts
        if hosts is not None and self.request.host not in hosts:
            self.fail("wrong-host", f"the request is for the host {self.request.host!r}, which is not one of this server's")

    def check_skew(self, signed_at: datetime) -> None:
        now, most = self.settings.now(), self.settings.max_skew
        if abs(now - signed_at) > most:
            self.fail(
                "skew",
                f"the request was signed at {signed_at:%Y-%m-%dT%H:%M:%SZ}, and it is {now:%Y-%m-%dT%H:%M:%SZ} here: more than "
                f"{most.total_seconds():.0f} seconds apart; set the clock of the signer, or sign just before sending",
            )

    def check_expiry(self, expires_at: datetime) -> None:
        now = self.settings.now()
        if now >= expires_at:
            self.fail(
                "expired", f"the request expired at {expires_at:%Y-%m-%dT%H:%M:%SZ}; it is {now:%Y-%m-%dT%H:%M:%SZ}; sign it anew"
            )

    def content_md5(self) -> str | None:
        """The Content-MD5, if there is one."""
        text = self.header("content-md5")
        if not text:
            return None
        try:
            digest = b64decode(text, validate=True)
        except ValueError:
            digest = b""
        if len(digest) != 16:
            self.fail("bad-content-md5", f"Content-MD5 is {text[:40]!r}, not the base64 of an MD5")
        return text

    def parameter(self, name: str) -> str | None:
        return next((value for key, value in self.pairs if key == name), None)

    def _is_query_api(self) -> bool:
        form = self.request.body if isinstance(self.request.body, bytes) else b""
        return self.parameter("Action") is not None or form.startswith(b"Action=") or b"&Action=" in form

    def _likely_service(self) -> str | None:
        service, _ = infer(f"https://{self.request.host}/")
        if service is None and "/aws4_request" in (
            credential := self.header("authorization") or self.parameter("X-Amz-Credential") or ""
        ):
            service = credential.partition("/aws4_request")[0].rpartition("/")[2]
        services = self.settings.services
        if service is None and isinstance(services, (set, frozenset, list, tuple)) and len(services) == 1:
            service = next(iter(services))
        return service


class Verified:
    """Who signed a request, and what their signature covers.

    access_key_id. scheme: "sigv4", "sigv2" or "s3v2". location: where the signature was: "header", "query" or "form".
    scope: the credential scope, with its service and region; None in the older schemes. signed_headers: lower-case names; None
    in "sigv2". signed_at, expires_at: aware datetimes, None where the scheme says neither. session_token: as it arrived.
    body: a BodyCheck to pass the body through, where it was not given as bytes. derivation: without the signature.
    """

    __slots__ = (
        "access_key_id", "body", "derivation", "expires_at", "location", "region", "scheme", "scope", "service", "session_token",
        "signed_at", "signed_headers",
    )  # fmt: skip

    def __init__(self, claim: Claim, derivation: Derivation, body: BodyCheck) -> None:
        self.access_key_id = claim.access_key_id
        self.scheme = claim.scheme
        self.location = claim.location
        self.scope = claim.scope
        self.service = claim.service
        self.region = claim.region
        self.signed_headers = claim.signed_headers
        self.signed_at = claim.signed_at
        self.expires_at = claim.expires_at
        self.session_token = claim.session_token
        self.derivation = derivation
        self.body = body

    def __repr__(self) -> str:
        return f"<Verified {self.access_key_id} by {self.scheme} {self.scope or ''}>"


class Claim:
    """The first step: what a request says of its signature, its times and scope judged already. `verify` is the second.

    One subclass for each scheme sets these and says how the signature is derived.
    """

    scheme: str
    location: str = "header"
    access_key_id: str
    signature: str
    scope: str | None = None
    service: str | None = None
    region: str | None = None
    signed_headers: tuple[str, ...] | None = None
    signed_at: datetime | None = None
    expires_at: datetime | None = None
    session_token: str | None = None

    def __init__(self, arrival: Arrival) -> None:
        self._arrival = arrival

    def __repr__(self) -> str:
        return f"<{type(self).__name__} by {self.access_key_id!r} {self.scope or ''}>"

    def _derive(self, credentials: Credentials) -> Derivation:
        """What should have been signed, and its signature."""
        raise NotImplementedError

    def _body(self) -> BodyCheck:
        """What the body must be."""
        raise NotImplementedError

    def verify(self, credentials: Credentials | str | None) -> Verified:
        """Check the signature with the key that the claim names; `Verified`, or SignatureError.

        credentials: those of `access_key_id`. A str is the secret alone: then the session token, if the request has one, is
        covered by the signature but not compared with anything; that is left to the caller. None: there is no such key.
        """
        arrival = self._arrival
        if credentials is None:
            arrival.fail("unknown-access-key", f"there is no access key {self.access_key_id[:40]!r} here")
        compare_token = isinstance(credentials, Credentials)
        if isinstance(credentials, str):
            try:
                credentials = Credentials(self.access_key_id, credentials)
            except CredentialsError as error:
                raise CredentialsError(f"secret_for gave no usable secret for {self.access_key_id[:40]!r}: {error}") from None
        if not isinstance(credentials, Credentials):
            raise TypeError(f"credentials must be Credentials, a secret or None, not {type(credentials).__name__}")
        if credentials.access_key_id != self.access_key_id:
            raise ValueError(
                f"the request claims the access key {self.access_key_id}, but the credentials are of {credentials.access_key_id}"
            )
        credentials = arrival.settings.kept(credentials)

        derivation = self._derive(credentials)
        expected, derivation.signature = derivation.signature or "", None  # It must not leave this function.
        if not hmac.compare_digest(expected.encode(), self.signature.encode("utf-8", "replace")):
            hint = ""
            if arrival.request.body is None and arrival.request.method in ("POST", "PUT", "PATCH"):
                hint = "; if the request has a body, give it to Request.received: it is part of what was signed"
            arrival.fail(
                "signature-mismatch",
                "the signature is not that of the request as it arrived; compare the canonical request that was signed with "
                f"the one derived here, and check the secret{hint}",
                derivation,
            )
        if credentials.expiration is not None and credentials.expiration <= arrival.settings.now():
            arrival.fail(
                "expired-token", f"the credentials of {self.access_key_id} expired at {credentials.expiration.isoformat()}"
            )
        if compare_token and not hmac.compare_digest(
            (credentials.session_token or "").encode(), (self.session_token or "").encode()
        ):
            what = (
                "has no session token, but its access key needs one"
                if not self.session_token
                else "has a session token that is not its access key's"
            )
            arrival.fail("invalid-token", f"the request {what}")

        body = self._body()
        if isinstance(arrival.request.body, bytes):
            body.feed(arrival.request.body)
            body.close()
            body = self._body()
        return Verified(self, derivation, body)


def checked_content_sha256(arrival: Arrival) -> str | None:
    """x-amz-content-sha256 as a hash to hold the body to, None where it is not one."""
    value = arrival.header("x-amz-content-sha256")
    return value if is_sha256(value) else None
