"""The grammar of a Version 4 signature where it stands in a request: the Authorization header and the X-Amz-* parameters.

Read strictly, written in one form. Source: AWS IAM user guide, "Add the signature to the request"; S3 API reference,
"Authenticating requests: using query parameters".
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter

from .encoding import decode, encode
from .errors import InvalidRequest
from .query import query_pairs
from .scope import ALGORITHM, ASYMMETRIC, TERMINATOR, parse_timestamp
from .services import SECURITY_TOKEN, SESSION_TOKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .canonical import Header
    from .query import Query
    from .request import Request

MAX_EXPIRES = 604_800  # Seven days: S3 API reference, X-Amz-Expires.

_COMPONENTS = ("Credential", "SignedHeaders", "Signature")
_PARAMETERS = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature")
# Where a session token stands in a query, by the header that it is else.
TOKEN_PARAMETERS = {SECURITY_TOKEN: "X-Amz-Security-Token", SESSION_TOKEN: "X-Amz-S3session-Token"}
TOKEN_HEADERS = tuple(TOKEN_PARAMETERS)
# SigV4A names its regions apart from the scope, by this header or parameter.
REGION_SET = "X-Amz-Region-Set"
_needed = itemgetter(*[name for name in _PARAMETERS if name != "X-Amz-Expires"])
_SIGNATURE_PARAMETERS = frozenset(name.lower() for name in (*_PARAMETERS, REGION_SET)).union(TOKEN_HEADERS)
_SIGNED_HEADERS = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+(?:;[!#$%&'*+\-.^_`|~0-9a-z]+)*")
_ESCAPED_NAME = re.compile(r"(?:^|&)[^=&%]*+%")
_HEX = re.compile(r"[0-9A-Fa-f]+")
_DAY = re.compile(r"\d{8}", re.ASCII)
# An Authorization header up to its signature, as almost all signers write it. Any other is read piece by piece, which finds what
# is wrong with it. No piece has a `,` or white space.
_USUAL = re.compile(r"([A-Z0-9-]++) Credential=([!-+\--~]*+), ?SignedHeaders=([!-+\--~]*+), ?")
# A server hears from few signers on one day: what is read of them is remembered. But anyone may send what is long.
_KEPT = 512
_LONGEST_KEPT = 1024


class Fault(Exception):
    """A signature that does not read as one: the kind of errors.py, and the reason. The verifier gives it the service's code."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Authorization:
    """What a Version 4 signature says of itself, but its time and value: the same for many requests.

    scope: the credential scope. region: of it, "" where it has none (SigV4A). signed: the signed headers as a set.
    """

    __slots__ = ("access_key_id", "algorithm", "date", "region", "scope", "service", "signed", "signed_headers")

    algorithm: str
    access_key_id: str
    date: str
    region: str
    service: str
    scope: str
    signed_headers: tuple[str, ...]
    signed: frozenset[str]

    def __init__(self, algorithm: str, credential: str, signed_headers: str) -> None:
        self.algorithm = algorithm
        self.access_key_id, self.date, self.region, self.service = parse_credential(credential, algorithm != ASYMMETRIC)
        self.scope = credential[len(self.access_key_id) + 1 :]
        self.signed_headers = _parse_signed_headers(signed_headers)
        self.signed = frozenset(self.signed_headers)


class SignedQuery:
    """What the query of a presigned URL says of its signature.

    stamp, signed_at: the time. expires: after how long; None where it does not say. token, region_set (SigV4A's): None for none.
    """

    authorization: Authorization
    signature: str
    stamp: str
    signed_at: datetime | None
    expires: timedelta | None
    token: str | None
    region_set: str | None


def _is_day(date: str) -> bool:
    return _DAY.fullmatch(date) is not None and parse_timestamp(f"{date}T000000Z") is not None


def parse_credential(credential: str, has_region: bool) -> tuple[str, str, str, str]:
    """Access key, day, region ("" where the scheme has none in its scope) and service of a credential; Fault if it is none."""
    # From the right: access keys may hold a `/` (MinIO).
    parts = credential.rsplit("/", 4 if has_region else 3)
    expected = f"<access key>/<yyyymmdd>/{'<region>/' if has_region else ''}<service>/aws4_request"
    if not has_region:
        parts.insert(2, "")
    if len(parts) != 5 or not (parts[3] and (parts[2] or not has_region)):
        raise Fault("malformed-credential", f"the credential {credential[:120]!r} is not of the form {expected}")
    access_key_id, date, region, service, terminator = parts
    if terminator != TERMINATOR:
        if not _DAY.fullmatch(date):
            raise Fault("malformed-credential", f"the credential {credential[:120]!r} is not of the form {expected}")
        raise Fault("bad-terminator", f"the credential scope ends with {terminator[:40]!r}; it must end with {TERMINATOR!r}")
    if not _is_day(date):
        raise Fault("bad-scope-date", f"the date {date[:40]!r} of the credential scope is not a day written as yyyymmdd")
    return access_key_id, date, region, service


def _parse_signed_headers(text: str) -> tuple[str, ...]:
    if not _SIGNED_HEADERS.fullmatch(text):
        raise Fault("malformed-component", f"SignedHeaders {text[:120]!r} is not a list of lower-case header names joined by ';'")
    names = tuple(text.split(";"))
    if any(a >= b for a, b in pairwise(names)):
        raise Fault("malformed-component", f"SignedHeaders {text[:120]!r} is not sorted, or has a name twice")
    return names


def parse_authorization(value: str, algorithms: Sequence[str] = (ALGORITHM,)) -> tuple[Authorization, str]:
    """An Authorization header's value -> what it claims, and the signature; Fault if it does not read as a Version 4 signature."""
    before, mark, signature = value.rpartition("Signature=")
    usual = _usual(before) if mark and len(before) < _LONGEST_KEPT else None
    if usual is not None and usual.algorithm in algorithms and _HEX.fullmatch(signature):
        return usual, signature
    words = value.split(None, 1)
    if len(words) < 2:
        raise Fault("malformed-authorization", "the Authorization header has nothing after its first word")
    algorithm, rest = words
    if algorithm not in algorithms:
        raise Fault(
            "unsupported-algorithm", f"the Authorization header begins with {algorithm[:40]!r}; supported: {', '.join(algorithms)}"
        )
    components: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, text = part.strip().partition("=")
        if not equals:
            raise Fault("malformed-component", f"{part.strip()[:60]!r} in the Authorization header is not of the form name=value")
        if name in components:
            raise Fault("malformed-component", f"{name} stands twice in the Authorization header")
        components[name] = text
    for name in _COMPONENTS:
        if name not in components:
            raise Fault("missing-component", f"the Authorization header has no {name}=")
    if len(components) > len(_COMPONENTS):
        unknown = next(name for name in components if name not in _COMPONENTS)
        raise Fault("malformed-component", f"the Authorization header has an unknown component, {unknown[:40]!r}")
    credential, signed_headers, signature = (components[name] for name in _COMPONENTS)
    return Authorization(algorithm, credential, signed_headers), _hexadecimal(signature)


@lru_cache(maxsize=_KEPT)
def _usual(before: str) -> Authorization | None:
    """What stands before the signature in a header as almost all signers write it; None for any other, and for what is wrong."""
    match = _USUAL.fullmatch(before)
    try:
        return None if match is None else Authorization(*match.groups())
    except Fault:
        return None


def _hexadecimal(signature: str) -> str:
    if not _HEX.fullmatch(signature):
        raise Fault("malformed-component", "the signature is not hexadecimal; 64 lower-case hex digits are expected")
    return signature


def parse_presigned(query: Query, algorithms: Sequence[str] = (ALGORITHM,)) -> SignedQuery:
    """A query -> what its signature claims; Fault if it does not read as a presigned URL's."""
    for name in query.repeated():
        if name.lower().startswith("x-amz-"):
            raise Fault("duplicate-parameter", f"{name[:60]} stands twice in the query")
    encoded = query.encoded
    claim = SignedQuery()
    try:
        algorithm, credential, claim.stamp, signed_headers, signature = _needed(encoded)
        claim.region_set = decode(encoded[REGION_SET]) if algorithm == ASYMMETRIC else None
    except KeyError as absent:
        needed = (*_PARAMETERS, REGION_SET) if encoded.get("X-Amz-Algorithm") == ASYMMETRIC else _PARAMETERS
        raise Fault(
            "missing-query-parameter", f"the query has no {absent.args[0]}; a presigned URL has {', '.join(needed)}"
        ) from None
    if algorithm not in algorithms:
        raise Fault("unsupported-algorithm", f"X-Amz-Algorithm is {_shown(algorithm)!r}; supported: {', '.join(algorithms)}")
    known = _presigned_by if len(credential) + len(signed_headers) < _LONGEST_KEPT else _presigned_by.__wrapped__
    claim.authorization = known(algorithm, credential, signed_headers)
    claim.signature = _hexadecimal(signature)
    claim.signed_at = parse_timestamp(claim.stamp)
    if claim.signed_at is None:
        raise Fault("bad-date", f"X-Amz-Date is {_shown(claim.stamp)!r}, not a time written as yyyymmddThhmmssZ")
    claim.token = None if query.names.isdisjoint(TOKEN_HEADERS) else _token(query)
    # AWS IoT's URLs have none, nor have those that npm's aws4 makes for others than S3.
    claim.expires = _lifetime(encoded["X-Amz-Expires"]) if "X-Amz-Expires" in encoded else None
    return claim


@lru_cache(maxsize=_KEPT)
def _presigned_by(algorithm: str, credential: str, signed_headers: str) -> Authorization:
    """What a presigned URL says of its signer and headers, by its encoded parameters."""
    return Authorization(algorithm, decode(credential), decode(signed_headers))


def _token(query: Query) -> str | None:
    """The session token of a query that has one."""
    names = [name for header, name in TOKEN_PARAMETERS.items() if header in query.names]
    for name in names:
        if name not in query.encoded:
            raise Fault("malformed-component", f"{name.lower()} in the query is a session token by another spelling")
    if len(names) > 1:
        raise Fault("duplicate-parameter", "the query has two session tokens")
    return query.get(names[0])


def _shown(value: str) -> str:
    """The beginning of an encoded value for a message."""
    return decode(value[:120])[:40]


@lru_cache(maxsize=_KEPT)  # Most are of a few values, and only such as are right are remembered.
def _lifetime(text: str) -> timedelta:
    """The value of X-Amz-Expires, encoded, which a number is not."""
    if not (text.isascii() and text.isdigit()):
        raise Fault("bad-expires", f"X-Amz-Expires is {_shown(text)!r}, not a number of seconds")
    if len(text) > 9 or (seconds := int(text)) > MAX_EXPIRES:
        raise Fault("expires-too-large", f"X-Amz-Expires is {text[:40]}; the most is {MAX_EXPIRES} seconds, seven days")
    return timedelta(seconds=seconds)


def format_authorization(algorithm: str, access_key_id: str, scope: str, signed_headers: Sequence[str], signature: str) -> str:
    """The value of the Authorization header."""
    return f"{algorithm} Credential={access_key_id}/{scope}, SignedHeaders={';'.join(signed_headers)}, Signature={signature}"


def format_presigned(
    algorithm: str,
    access_key_id: str,
    scope: str,
    stamp: str,
    expires: int | None,
    signed_headers: Sequence[str],
    token: tuple[str, str] | None,
    region_set: str | None = None,
) -> str:
    """The parameters of a presigned URL but the signature, encoded. token: the parameter's name and the session token.

    region_set: of SigV4A.
    """
    parameters = [
        ("X-Amz-Algorithm", algorithm),
        ("X-Amz-Credential", f"{access_key_id}/{scope}"),
        ("X-Amz-Date", stamp),
    ]
    if expires is not None:
        parameters.append(("X-Amz-Expires", str(expires)))
    if region_set is not None:
        parameters.append((REGION_SET, region_set))
    if token is not None:
        parameters.append(token)
    parameters.append(("X-Amz-SignedHeaders", ";".join(signed_headers)))
    return "&".join([f"{name}={encode(value)}" for name, value in parameters])


def is_signature(authorization: str) -> bool:
    """Whether an Authorization header holds an AWS signature: one that signing again may replace."""
    return authorization.startswith(("AWS4-", "AWS "))


def without_presigned(query: str) -> str:
    """A wire query without the signature that it carries: all of one, or InvalidRequest for a part of one."""
    if not query or not ("Signature=" in query or "x-amz-" in query.lower() or _ESCAPED_NAME.search(query)):
        return query
    given = {name for name, _ in query_pairs(query)}
    if {"AWSAccessKeyId", "Signature"} <= given:
        raise InvalidRequest(
            "the query has an older signature (AWSAccessKeyId, Signature); a request takes one, take it out of the URL"
        )
    names = {name.lower() for name in given} & _SIGNATURE_PARAMETERS
    if not names:
        return query
    whole = {name.lower() for name in _PARAMETERS} - {"x-amz-expires"}
    if not whole <= names:
        raise InvalidRequest(
            f"the query has {', '.join(sorted(names))} but not the rest of a signature; "
            "these parameters are for the signer to write, take them out of the URL"
        )
    return without_signature(query, "sigv4")


# What the signature of a scheme is made of in a query or a form, by lower-case name.
_PARAMETERS_OF = {
    "sigv4": _SIGNATURE_PARAMETERS,
    "sigv4a": _SIGNATURE_PARAMETERS,
    "sigv2": frozenset(("awsaccesskeyid", "signature", "signatureversion", "signaturemethod", "securitytoken")),
    "s3v2": frozenset(("awsaccesskeyid", "signature", "expires", "x-amz-security-token")),
}


def without_signature(query: str, scheme: str) -> str:
    """A wire query or form without the parameters of a scheme's signature: "sigv4", "sigv4a", "sigv2" or "s3v2"."""
    dropped = _PARAMETERS_OF[scheme]
    return "&".join([pair for pair in query.split("&") if not pair or query_pairs(pair)[0][0].lower() not in dropped])


def without_authorization(request: Request) -> tuple[Sequence[Header], dict[str, str], dict[str, str]]:
    """A request's headers without those that a signer writes, as pairs and as fields; and those, by lower-case name.

    InvalidRequest for one of these (SIGNER_HEADERS) twice, or an Authorization that is not a signature.
    """
    headers, joined = request.headers, request.fields.copy()
    if SIGNER_HEADERS.isdisjoint(joined):
        return headers, joined, {}
    written = {name: joined.pop(name) for name in sorted(SIGNER_HEADERS & joined.keys())}
    kept = [pair for pair in headers if pair[0].lower() not in written]
    if len(kept) + len(written) < len(headers):
        twice = next(name for name in written if sum(pair[0].lower() == name for pair in headers) > 1)
        raise InvalidRequest(f"the request has the header {twice} twice")
    if not is_signature(written.get("authorization", "AWS4-")):
        raise InvalidRequest(
            "the request already has an Authorization header that is not an AWS signature; "
            "there can be only one, leave it out or do not sign"
        )
    return kept, joined, written


SIGNER_HEADERS = frozenset(("authorization", "x-amz-date", "x-amz-content-sha256", REGION_SET.lower(), *TOKEN_HEADERS))
