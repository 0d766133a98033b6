"""botocore and boto3: `install(session)`, and every client that the session makes signs with awsign.

    session = boto3.Session()
    install(session)
    session.client("s3").put_object(Bucket="my-bucket", Key="a//b", Body=b"...")

botocore goes on to choose the scheme, the region, the credentials and what of a body is signed, to retry and to redirect; it asks for
a signer where it always does, and gets this one. It signs SigV4A too, for which botocore alone needs awscrt.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import urlparse

from ..authorization import SIGNER_HEADERS
from ..clock_skew import ClockSkew
from ..errors import InvalidRequest, MissingExtra
from ..identity import Credentials
from ..payload import UNSIGNED_PAYLOAD, UNSIGNED_TRAILER
from ..request import URLENCODED, Request, with_parameters
from ..response import Response
from ..s3_sigv2 import S3SigV2
from ..scope import in_utc, parse_timestamp
from ..services import rules_for
from ..sigv2 import SigV2
from ..sigv4 import ALL_HEADERS, SigV4
from .exchange import log_signed

try:
    import botocore.auth
    from botocore.exceptions import NoCredentialsError, UnknownSignatureVersionError
except ImportError:
    raise MissingExtra("awsign.clients.botocore needs botocore; pip install 'awsign[botocore]'") from None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any, TypeVar

    from ..services import Rules
    from ..signed import Presigned, Signed

    Session = TypeVar("Session")

_KEPT = 64
# botocore's names of schemes: AUTH_TYPE_MAPS in its auth.py. What is not here (bearer tokens, POST policies, version 3) stays its own.
_ASYMMETRIC = frozenset(("v4a", "s3v4a"))
_OF_S3 = frozenset(("s3v4", "v4-s3express", "s3v4a"))
_KNOWN = _ASYMMETRIC | _OF_S3 | {"v4", "v2", "s3"}
_QUERY = "-query"
# What botocore gives every request of a Query API, and takes back where it presigns one.
_OF_EVERY_FORM = f"{URLENCODED}; charset=utf-8"


def install(session: Session) -> Session:
    """Have the clients of a session sign with awsign: those that it makes from now on. Gives the session back.

    session: of boto3 or botocore; a client that exists already may be given too. Raises TypeError for anything else.
    """
    emitter = getattr(getattr(session, "meta", None), "events", None) or getattr(session, "_session", session)
    register = getattr(emitter, "register", None)
    if register is None:
        raise TypeError(
            f"install takes a session or a client of boto3 or botocore, not {type(session).__name__}; boto3's own is "
            "boto3.DEFAULT_SESSION after boto3.setup_default_session(), a resource's client is resource.meta.client"
        )
    skew = ClockSkew()
    # Said before each signature, with what is about to make it.
    register("before-sign", partial(_take_over, skew), unique_id="awsign")
    register("needs-retry", partial(_correct_the_clock, skew), unique_id="awsign-clock")
    return session


def _take_over(skew: ClockSkew, request_signer: Any, **_: Any) -> None:
    if not isinstance(request_signer.get_auth_instance, _Signers):
        # What the class has, not the instance: two threads may come here at once.
        of_botocore = partial(type(request_signer).get_auth_instance, request_signer)
        request_signer.get_auth_instance = request_signer.get_auth = _Signers(of_botocore, skew)


def _correct_the_clock(skew: ClockSkew, response: Any, request_dict: Any, **_: Any) -> int | None:
    """Sign once more, at once, where an answer says that the time was off: botocore asks whether to send again."""
    context = request_dict.setdefault("context", {})
    if response is None or response[0].status_code < 400 or context.get("awsign_clock"):
        return None
    answer = Response(response[0].status_code, response[0].headers, response[0].content)
    stamp = context.get("timestamp")
    if not skew.learn(request_dict["url"], answer, parse_timestamp(stamp) if stamp else None):
        return None
    context["awsign_clock"] = True  # Once.
    return 0


class _Signers:
    """What a botocore client gets its signers from: in the place of RequestSigner.get_auth_instance, which finds the credentials."""

    def __init__(self, of_botocore: Callable[..., Any], skew: ClockSkew) -> None:
        self._of_botocore = of_botocore
        self._skew = skew
        self._credentials: dict[tuple[str, str, str | None], Credentials] = {}

    def __call__(self, signing_name: str, region_name: str, signature_version: str | None = None, *args: Any, **kw: Any) -> Any:
        try:
            found = self._of_botocore(signing_name, region_name, signature_version, *args, **kw)
        except UnknownSignatureVersionError:
            if signature_version is None or signature_version.removesuffix(_QUERY) not in _ASYMMETRIC:
                raise
            # Without awscrt botocore has none of these, but the same credentials for them.
            version = signature_version.replace("v4a", "v4")
            found = self._of_botocore(signing_name, region_name, version, *args, **kw)
        version = signature_version if signature_version is not None else _version_of(found)
        scheme, query = version.removesuffix(_QUERY), version.endswith(_QUERY)
        if scheme not in _KNOWN:
            return found
        if found.credentials is None:
            raise NoCredentialsError
        expires = kw.get("expires", 3600) if query else None
        return _Auth(scheme, self._kept(found.credentials), signing_name, region_name, expires, self._skew)

    def _kept(self, frozen: Any) -> Credentials:
        """The same ones for the same values: their signing keys are derived already."""
        values = (frozen.access_key, frozen.secret_key, frozen.token or None)
        known = self._credentials.get(values)
        if known is None:
            if len(self._credentials) >= _KEPT:
                self._credentials.clear()
            known = self._credentials[values] = Credentials(*values)
        return known


def _version_of(auth: Any) -> str:
    return next((name for name, kind in botocore.auth.AUTH_TYPE_MAPS.items() if kind is type(auth)), "")


class _Auth:
    """A signer as botocore asks for it. expires: of a URL, in seconds; None signs in a header."""

    def __init__(
        self, scheme: str, credentials: Credentials, service: str, region: str, expires: int | None, skew: ClockSkew
    ) -> None:
        self._scheme = scheme
        self._credentials = credentials
        self._service = service
        self._region = region
        self._expires = expires
        self._skew = skew

    def add_auth(self, request: Any) -> None:
        """Sign a botocore.awsrequest.AWSRequest, in place."""
        at = in_utc(self._skew.now(request.url))
        request.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
        request.url, request.params = with_parameters(request.url, request.params), {}
        if self._expires is None:
            self._sign(request, at)
        else:
            self._presign(request, at, self._expires)

    # In a header.

    def _sign(self, request: Any, at: datetime) -> None:
        if self._scheme == "v2":
            _write(request, SigV2(self._credentials).sign(_request(request, _headers(request)), at=at))
            return
        if self._scheme == "s3":
            _write(request, S3SigV2(self._credentials).sign(_request(request, _headers(request, "date")), at=at))
            return
        headers = _headers(request)
        payload = self._payload(request)
        if payload == UNSIGNED_TRAILER:
            headers.append(("X-Amz-Content-SHA256", payload))
            payload = None
        _write(request, self._sigv4().sign(_request(request, headers), at=at, payload=payload))

    def _sigv4(self) -> SigV4:
        if self._scheme in _ASYMMETRIC:
            from ..sigv4a import SigV4A

            return SigV4A(self._credentials, self._service, self._region, rules=self._rules(), sign_headers=ALL_HEADERS)
        # All headers, as botocore does: conditions, lengths and dispositions of a link, the cluster of a token for EKS.
        return SigV4(self._credentials, self._service, self._region, rules=self._rules(), sign_headers=ALL_HEADERS)

    def _rules(self) -> Rules | None:
        """Those of the service; botocore names S3's by the scheme for some that are none of its family."""
        return rules_for("s3") if self._scheme in _OF_S3 and rules_for(self._service).path == "normalize" else None

    def _payload(self, request: Any) -> str | None:
        """What botocore has signed of a body, by the client's configuration and the operation; None is its hash."""
        kind = botocore.auth.S3SigV4Auth if self._scheme in _OF_S3 else botocore.auth.SigV4Auth
        chooses = kind(None, self._service, self._region)
        if chooses._is_streaming_checksum_payload(request):
            return UNSIGNED_TRAILER
        return None if chooses._should_sha256_sign_payload(request) else UNSIGNED_PAYLOAD

    # In a URL.

    def _presign(self, request: Any, at: datetime, expires: int) -> None:
        headers = [pair for pair in _headers(request, "date") if pair != ("Content-Type", _OF_EVERY_FORM)]
        if request.data and isinstance(request.data, dict):
            # A form becomes part of the URL, as everything of it has to be.
            request.url, request.data = with_parameters(request.url, request.data), ""
        asked = Request(request.method, request.url, headers)
        link: Presigned
        if self._scheme == "s3":
            link = S3SigV2(self._credentials).presign(asked, at=at, expires=expires)
        else:
            link = self._sigv4().presign(asked, at=at, expires=expires)
        request.url = link.url


def _headers(request: Any, *without: str) -> list[tuple[str, str | bytes]]:
    """The headers of a request, without those of an earlier signature of it."""
    return [
        (name, value if isinstance(value, (str, bytes)) else str(value))
        for name, value in request.headers.items()
        if name.lower() not in SIGNER_HEADERS and name.lower() not in without
    ]


def _request(request: Any, headers: list[tuple[str, str | bytes]]) -> Request:
    return Request(request.method, request.url, headers, request.body or None)


def _write(request: Any, signed: Signed) -> None:
    if dropped := urlparse(signed.url).params:
        raise InvalidRequest(f"botocore drops what follows the semicolon of a path, {dropped[:40]!r}; write ; as %3B")
    log_signed(signed.method, signed.url, signed)
    request.url = signed.url
    if request.data and signed.body is not request.data:
        # A form with its signature, a str as bytes (botocore announces its length in characters), a stream that was spooled.
        request.data = signed.body
    for name in {name.lower() for name in request.headers} & SIGNER_HEADERS:
        del request.headers[name]
    for name, value in signed.headers:
        del request.headers[name]
        request.headers[name] = value
