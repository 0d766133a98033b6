"""Signature Version 2 of the Query APIs: every parameter signed, in the query of a GET or the form of a POST.

Source: AWS general reference (2013 to 2020), "Signature Version 2 signing process". Names are sorted as bytes before they are
encoded. Versions 0 and 1, which came before, are derived too (OpenStack Keystone's ec2token still speaks them) but the
verifier does not take them: they leave most of a request uncovered.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from datetime import datetime, timedelta

from .authorization import without_authorization
from .canonical import SIGNED_PREFIX
from .derivation import Derivation
from .encoding import encode
from .errors import InvalidRequest
from .identity import credentials_from, provider_of
from .query import query_pairs
from .request import URLENCODED, is_form, require_request
from .scope import in_utc, now, plausible
from .signed import Signed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from .canonical import Header
    from .identity import Credentials, Provider
    from .request import Request

    Pairs = list[tuple[str, str]]

METHODS = {"HmacSHA256": "sha256", "HmacSHA1": "sha1"}

# What this signer writes, and so replaces when a request is signed again.
_WRITTEN = ("AWSAccessKeyId", "SignatureVersion", "SignatureMethod", "Signature", "SecurityToken")


def encode_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Decoded pairs -> a query or form, encoded as the signature wants it."""
    return "&".join([f"{encode(name)}={encode(value)}" for name, value in pairs])


def string_to_sign(version: str, method: str, host: str, path: str, pairs: Pairs) -> str:
    """The string to sign of decoded parameters, the Signature left out, for signature version "2", "1" or "0"."""
    pairs = [pair for pair in pairs if pair[0] != "Signature"]
    if version == "0":
        values = dict(pairs)
        return values.get("Action", "") + values.get("Timestamp", "")
    if version == "1":
        return "".join([name + value for name, value in sorted(pairs, key=lambda pair: pair[0].lower())])
    return f"{method}\n{host.lower()}\n{path}\n{encode_pairs(sorted(pairs))}"


def signature(secret_access_key: str, text: str, method: str = "HmacSHA256") -> str:
    """The base64 HMAC of a string to sign (wire text). method: HmacSHA256 or HmacSHA1."""
    return b64encode(hmac.digest(secret_access_key.encode(), text.encode("latin-1"), METHODS[method])).decode()


def matches(secret_access_key: str, text: str, given: str, method: str = "HmacSHA256") -> bool:
    """Whether a signature is that of a string to sign; takes the same time whatever differs."""
    return hmac.compare_digest(signature(secret_access_key, text, method).encode(), given.encode("utf-8", "replace"))


class SigV2:
    """A Signature Version 2 signer for the Query APIs (EC2, SimpleDB and stores that imitate them).

    credentials: Credentials or a provider. method: HmacSHA256, or HmacSHA1 for servers that know no other.
    """

    def __init__(self, credentials: Credentials | Provider, *, method: Literal["HmacSHA256", "HmacSHA1"] = "HmacSHA256") -> None:
        self._provider = provider_of(credentials)
        self._method = _known(method)

    def __repr__(self) -> str:
        return f"<SigV2 {self._method}>"

    def sign(
        self,
        request: Request,
        *,
        at: datetime | None = None,
        expires: int | timedelta | datetime | None = None,
        credentials: Credentials | None = None,
    ) -> Signed:
        """Sign a request in its query, or in its form if it is a POST of one.

        at: the time written as Timestamp, aware; None is now. expires: write Expires in its place: seconds or a timedelta from
        `at`, or an aware datetime. A Timestamp or Expires that the request has is kept, and so is its SignatureMethod; its other
        signature parameters are replaced. Raises InvalidRequest for what cannot be signed faithfully.
        """
        require_request(request)
        credentials = credentials_from(self._provider if credentials is None else credentials, at)
        in_form = is_form(request.method, request.headers, URLENCODED)
        if in_form and request.query:
            raise InvalidRequest(
                "a POST whose form is signed cannot have a query too: the signature would leave it out; move it into the form"
            )
        if not in_form and request.body not in (None, b""):
            raise InvalidRequest(
                f"Signature Version 2 does not cover the body of this {request.method}; send the parameters in the query, "
                f"or as a POST with content-type: {URLENCODED}"
            )
        if in_form and not isinstance(request.body, bytes):
            raise InvalidRequest(
                "the form of a Signature Version 2 POST must be bytes or str, since the signature is written into it"
            )
        given = query_pairs(request.body.decode("latin-1") if isinstance(request.body, bytes) else request.query)
        if [name for name, _ in given].count("Action") > 1:
            raise InvalidRequest("the request has Action twice; a Query API request has one")
        method = _known(dict(given).get("SignatureMethod", self._method))
        pairs = [pair for pair in given if pair[0] not in _WRITTEN]
        pairs += [
            ("AWSAccessKeyId", credentials.access_key_id),
            ("SignatureVersion", "2"),
            ("SignatureMethod", method),
            *_time(pairs, at, expires),
        ]
        if credentials.session_token is not None:
            pairs.append(("SecurityToken", credentials.session_token))
        headers = [pair for pair in _headers(request) if not in_form or pair[0].lower() != "content-length"]

        text = string_to_sign("2", request.method, request.host, request.path, pairs)
        derivation = Derivation(text, signature(credentials.secret_access_key, text, method))
        encoded = encode_pairs([*pairs, ("Signature", derivation.signature or "")])
        return Signed(
            request.method,
            request.url_of(request.path, "" if in_form else encoded),
            (("Host", request.host), *headers),
            encoded.encode() if in_form else request.body,
            derivation,
        )


def _known(method: str) -> Literal["HmacSHA256", "HmacSHA1"]:
    if method not in METHODS:
        raise InvalidRequest(f"the signature method {method!r} is not one of {', '.join(METHODS)}")
    return method  # type: ignore[return-value]


def _headers(request: Request) -> list[Header]:
    kept, _, _ = without_authorization(request)
    for name in request.fields:
        if name.startswith(SIGNED_PREFIX):
            raise InvalidRequest(
                f"Signature Version 2 does not cover the header {name}; verifiers refuse it unsigned, leave it out"
            )
    return list(kept)


def _time(pairs: Pairs, at: datetime | None, expires: int | timedelta | datetime | None) -> Pairs:
    """Timestamp or Expires: one of them, that of the request first."""
    present = [name for name, _ in pairs if name in ("Timestamp", "Expires")]
    if len(present) > 1:
        raise InvalidRequest("the request has Timestamp and Expires, or one of them twice; a signature takes one")
    if present:
        _require_time(present[0], dict(pairs)[present[0]])
        if at is not None or expires is not None:
            raise InvalidRequest(f"the request has a {present[0]} already; leave it out, or at and expires")
        return []
    start = now() if at is None else in_utc(at)
    if expires is None:
        return [("Timestamp", _iso(start))]
    if isinstance(expires, datetime):
        return [("Expires", _iso(in_utc(expires)))]
    return [("Expires", _iso(start + span_of(expires)))]


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _require_time(name: str, text: str) -> None:
    try:
        if plausible(datetime.fromisoformat(text)) is not None:
            return
    except ValueError:
        pass
    raise InvalidRequest(f"the request's {name} is {text[:40]!r}, not a time as 2026-01-15T12:00:00Z")


def span_of(expires: int | timedelta) -> timedelta:
    """How long a signature counts: from a second to ten years, which neither of the older schemes bounds."""
    if not isinstance(expires, (int, timedelta)) or isinstance(expires, bool):
        raise TypeError(f"expires must be a number of seconds or a timedelta, not {type(expires).__name__}")
    longest = timedelta(days=3650)
    if not (1 <= expires <= longest.total_seconds() if isinstance(expires, int) else timedelta(seconds=1) <= expires <= longest):
        raise InvalidRequest(f"expires is {expires}; it must be from 1 second to ten years")
    return expires if isinstance(expires, timedelta) else timedelta(seconds=expires)
