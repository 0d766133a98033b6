"""Signature Version 4: signing in the Authorization header, and presigning in the query.

`sign` and `presign` read in the order of AWS's description: canonical request, string to sign, signing key, signature, applied.
Source: AWS IAM user guide, "Create a signed AWS API request"; S3 API reference, "Authenticating requests (Signature Version 4)".
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache, partial

from .authorization import (
    MAX_EXPIRES,
    REGION_SET,
    TOKEN_HEADERS,
    format_authorization,
    format_presigned,
    without_authorization,
    without_presigned,
)
from .canonical import SIGNED_BY_DEFAULT, SIGNED_PREFIX, canonical_fields, canonical_path, may_be_signed
from .chain import Chain
from .derivation import derive
from .encoding import encode, remove_dot_segments
from .errors import InvalidRequest
from .identity import credentials_from, provider_of
from .payload import EVENTS, UNSIGNED_PAYLOAD, begins_event_stream, settle_payload
from .query import canonical_query, query_pairs
from .request import require_request
from .scope import REGION, HmacSha256, in_utc, parse_timestamp, timestamp
from .services import S3_FAMILY, Rules, has_rules_of_calls, rules_for, rules_of_call
from .signed import Presigned, Signed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from .canonical import Header
    from .checksum import Checksum
    from .chunked import Chunked
    from .event_stream import EventSigner
    from .identity import Credentials, Provider
    from .request import Request
    from .scope import Algorithm


_REGION = re.compile(REGION)
_REGION_SET = REGION_SET.lower()
_SCOPE_PART = re.compile(r"[A-Za-z0-9_.*-]+")


class AllHeaders:
    """The type of ALL_HEADERS."""

    def __repr__(self) -> str:
        return "awsign.ALL_HEADERS"


ALL_HEADERS = AllHeaders()


class SigV4:
    """A Signature Version 4 signer.

    credentials: Credentials or a provider. service, region: of the credential scope; None takes them from the host of each
    request. rules: what the service does differently; None looks it up. sign_headers: names to sign besides host, content-type,
    content-md5 and x-amz-*, or ALL_HEADERS. iterables: "spool" hashes a body that can be read only once by way of a temporary
    file, "refuse" raises InvalidRequest instead.
    """

    _algorithm: Algorithm = HmacSha256()

    def __init__(
        self,
        credentials: Credentials | Provider,
        service: str | None = None,
        region: str | None = None,
        *,
        rules: Rules | None = None,
        sign_headers: Iterable[str] | AllHeaders = (),
        iterables: Literal["spool", "refuse"] = "spool",
    ) -> None:
        self._provider = provider_of(credentials)
        self._service = scope_part("service", service)
        self._region = scope_part("region", region)
        if rules is not None and not isinstance(rules, Rules):
            raise TypeError(f"rules must be awsign.Rules, not {type(rules).__name__}; awsign.rules_for('s3') has those of S3")
        self._rules = rules
        self._sign_headers = _names(sign_headers)
        if iterables not in ("spool", "refuse"):
            raise InvalidRequest(f"iterables={iterables!r}: it is 'spool' or 'refuse'")
        self._iterables = iterables
        self._settled = self._settle_once()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} service={self._service!r} region={self._region!r}>"

    def sign(
        self,
        request: Request,
        *,
        at: datetime | None = None,
        payload: str | Chunked | None = None,
        credentials: Credentials | None = None,
        checksum: str | None = None,
    ) -> Signed:
        """Sign a request in its Authorization header.

        at: the time, aware; None is the request's X-Amz-Date, else now. payload: None (what the service's rules say),
        UNSIGNED_PAYLOAD, the body's SHA-256 in hex, EVENTS for an event stream (see `events`), or Chunked(...) for a body that
        is signed as it is sent. credentials: instead of the signer's own. checksum: CRC32, CRC32C, CRC64NVME, SHA1 or SHA256,
        computed together with the hash and sent as x-amz-checksum-...; that of a Chunked body is its trailer. A signature that
        the request already has is replaced. Raises InvalidRequest for what cannot be signed faithfully, CredentialsError for
        expired credentials, MissingExtra where a checksum or SigV4A needs a package that is not there.
        """
        credentials = credentials_from(self._provider if credentials is None else credentials, at)
        service, region, rules = self._settled or self._settle(request)
        require_request(request).rewind()
        kept, fields, written = without_authorization(request)
        if _REGION_SET in written:
            self._check_region_set(written, region)
        stamp = _stamp(written["x-amz-date"], at) if "x-amz-date" in written else timestamp(at)
        path, signed_path = _paths(request, rules)
        query = without_presigned(request.query)
        own: list[tuple[str, str]] = []
        chunked = None
        declared = written.get("x-amz-content-sha256")
        if payload is None and declared is None and not self._algorithm.names_region_set and begins_event_stream(request):
            payload = EVENTS
        if payload is None or isinstance(payload, str):
            wanted = None if checksum is None else _checksum(checksum, kept)
            payload_hash, body = settle_payload(request, rules.payload, payload, declared, self._iterables, wanted)
            if wanted is not None:
                fields[wanted.header] = wanted.base64()
                own.append((wanted.header, fields[wanted.header]))
        else:
            chunked = self._chunked(payload, service, checksum)
            payload_hash, body = chunked.content_sha256(self._algorithm.name), None
            kept = chunked.headers(kept, request.body, self._algorithm.signature_width)
            fields = canonical_fields(kept)
        fields["host"], fields["x-amz-date"] = request.host, stamp
        own.append(("X-Amz-Date", stamp))
        if rules.content_sha256 == "send" or declared is not None or payload_hash in (UNSIGNED_PAYLOAD, EVENTS):
            fields["x-amz-content-sha256"] = payload_hash
            own.append(("X-Amz-Content-Sha256", payload_hash))
        if self._algorithm.names_region_set:
            fields[_REGION_SET] = region
            own.append((REGION_SET, region))
        token = token_header(credentials, rules, written) if written or credentials.session_token else None
        if token and rules.token == "signed":
            fields[rules.token_header] = token[1]
            own.append(token)

        # 1 and 2. The canonical request and the string to sign.
        date = stamp[:8]
        scope = self._algorithm.scope(date, region, service)
        derivation = derive(
            algorithm=self._algorithm.name,
            stamp=stamp,
            scope=scope,
            method=request.method,
            path=signed_path,
            query=canonical_query(query),
            fields=fields,
            signed_headers=_signed_of(tuple(fields), self._sign_headers, chunked is not None),
            payload_hash=payload_hash,
        )
        # 3 and 4. The signing key and the signature.
        key = self._algorithm.key(credentials, date, region, service)
        derivation.signature = key.sign(derivation.wire_string_to_sign)
        # 5. Applied.
        authorization = format_authorization(
            self._algorithm.name,
            credentials.access_key_id,
            scope,
            derivation.signed_headers or (),
            derivation.signature,
        )
        if token and rules.token == "after":
            own.append(token)
        own.append(("Authorization", authorization))
        if chunked is not None:
            seeded = partial(Chain.at, self._algorithm.name, stamp, scope, key, derivation.signature)
            body = chunked.encoded(request.body, seeded, self._algorithm.signature_width)
        return Signed(request.method, request.url_of(path, query), (("Host", request.host), *kept, *own), body, derivation)

    def presign(
        self,
        request: Request,
        *,
        expires: int | timedelta | None = 3600,
        at: datetime | None = None,
        payload: str | None = None,
        credentials: Credentials | None = None,
    ) -> Presigned:
        """Sign a request in its query: a URL that anyone may use until it expires.

        expires: seconds from 1 to 604800, or a timedelta; None leaves X-Amz-Expires out, as AWS IoT has it. Headers of the
        request that a signature covers must be sent with the URL: `Presigned.headers`. The rest as for `sign`.
        """
        seconds = expires_in_seconds(expires)
        require_request(request)
        if payload is not None and not isinstance(payload, str):
            raise InvalidRequest(f"payload is {payload!r}; a presigned URL covers UNSIGNED_PAYLOAD, or a SHA-256 in lower-case hex")
        credentials = credentials_from(self._provider if credentials is None else credentials, at)
        service, region, rules = self._settled or self._settle(request)
        kept, fields, written = without_authorization(request)
        if _REGION_SET in written:
            self._check_region_set(written, region)
        stamp = _stamp(written["x-amz-date"], at) if "x-amz-date" in written else timestamp(at)
        path, signed_path = _paths(request, rules)
        query = without_presigned(request.query)
        declared = dict(query_pairs(query)).get("X-Amz-Content-Sha256") if query else None
        declared_header = written.get("x-amz-content-sha256")
        payload_hash, _ = settle_payload(request, rules.presigned_payload, payload, declared or declared_header, self._iterables)

        headers = list(kept)
        if declared_header:
            headers.append(("X-Amz-Content-Sha256", declared_header))
            fields["x-amz-content-sha256"] = declared_header
        fields["host"] = request.host
        signed_headers = _signed_of(tuple(fields), self._sign_headers, False)
        date = stamp[:8]
        scope = self._algorithm.scope(date, region, service)
        token = token_header(credentials, rules, written)  # The parameter has the header's name.
        parameters = format_presigned(
            self._algorithm.name,
            credentials.access_key_id,
            scope,
            stamp,
            seconds,
            signed_headers,
            token if rules.token == "signed" else None,
            region if self._algorithm.names_region_set else None,
        )
        query = f"{query}&{parameters}" if query else parameters

        # 1 and 2. The canonical request and the string to sign.
        derivation = derive(
            algorithm=self._algorithm.name,
            stamp=stamp,
            scope=scope,
            method=request.method,
            path=signed_path,
            query=canonical_query(query),
            fields=fields,
            signed_headers=signed_headers,
            payload_hash=payload_hash,
        )
        # 3 and 4. The signing key and the signature.
        key = self._algorithm.key(credentials, date, region, service)
        derivation.signature = key.sign(derivation.wire_string_to_sign)
        # 5. Applied.
        query = f"{query}&X-Amz-Signature={derivation.signature}"
        if token and rules.token == "after":
            query = f"{query}&{token[0]}={encode(token[1])}"
        return Presigned(
            request.method,
            request.url_of(path, query),
            tuple([pair for pair in headers if pair[0].lower() in signed_headers]),
            _end(stamp, seconds, credentials),
            derivation,
        )

    def events(self, signed: Signed | Presigned, *, credentials: Credentials | None = None) -> EventSigner:
        """The signer of an event stream's frames, the first of which covers the signature of a signed request.

        signed: a request that was signed with payload=EVENTS (its Content-Type, application/vnd.amazon.eventstream, is enough for
        that), or a presigned wss:// URL. credentials: those that signed it, where the signer's own come from an async provider.
        InvalidRequest if they are others, or if the request was signed with another payload.
        """
        from .event_stream import EventSigner

        if not hasattr(signed, "derivation"):
            raise TypeError(f"events takes what sign or presign gave, not {type(signed).__name__}")
        own = credentials_from(self._provider if credentials is None else credentials, None)
        return EventSigner(self._algorithm, own, signed)

    def _settle_once(self) -> tuple[str, str, Rules] | None:
        """Service, region and rules, if they are the same for every request."""
        if self._service is None or self._region is None or (self._region == "*" and not self._algorithm.names_region_set):
            return None
        rules = self._rules or rules_for(self._service)
        return None if has_rules_of_calls(rules) else (self._service, self._region, rules)

    def _settle(self, request: Request) -> tuple[str, str, Rules]:
        """Service, region and rules for a request: the signer's own, or those that its host tells."""
        require_request(request)
        service, region = self._service, self._region
        if service is None or region is None:
            from .endpoints import infer

            inferred_service, inferred_region = infer(request.url)
            service, region = service or inferred_service, region or inferred_region
            region_argument = "region_set" if self._algorithm.names_region_set else "region"
            for what, value, argument in (("service", service, "service"), ("region", region, region_argument)):
                if value is None:
                    found = " (awsign.find_region() is the configured one)" if argument == "region" else ""
                    raise InvalidRequest(
                        f"the host {request.authority!r} does not tell the {what}; pass {argument}=... to the signer{found}"
                    )
        assert service is not None and region is not None
        if region == "*" and not self._algorithm.names_region_set:
            raise InvalidRequest(
                f"the host {request.authority!r} is of every region (a Multi-Region Access Point), and SigV4 signs for one; "
                "sign with awsign.SigV4A"
            )
        return service, region, rules_of_call(self._rules or rules_for(service), request)

    def _check_region_set(self, written: dict[str, str], region: str) -> None:
        """A region set in the request must be the signer's; one of an older signature gives way to it."""
        given = written[_REGION_SET]
        if "authorization" not in written and not (self._algorithm.names_region_set and given == region):
            raise InvalidRequest(
                f"the request has {REGION_SET}: {given}, which SigV4A writes; pass it as awsign.SigV4A(..., region_set={given!r})"
            )

    def _chunked(self, payload: object, service: str, checksum: str | None) -> Chunked:
        from .chunked import Chunked

        if not isinstance(payload, Chunked):
            raise InvalidRequest(
                f"payload is {payload!r}; it must be None, awsign.UNSIGNED_PAYLOAD, awsign.Chunked(...) or a SHA-256 in lower-case hex"
            )
        if service not in S3_FAMILY:
            raise InvalidRequest(f"{service} takes no aws-chunked body; S3 alone does")
        if checksum is not None:
            raise InvalidRequest(f"the checksum of a chunked body is its trailer; pass Chunked(..., trailer={checksum!r})")
        return payload


@lru_cache(maxsize=128)  # The requests of a program have few shapes.
def _signed_of(names: tuple[str, ...], wanted: frozenset[str] | AllHeaders, chunked: bool) -> tuple[str, ...]:
    """Which of the headers are signed, by their lower-case names. chunked: whether the body is, which Content-Encoding says."""
    if isinstance(wanted, AllHeaders):
        return tuple(sorted(filter(may_be_signed, names)))
    if chunked:
        wanted |= {"content-encoding"}
    return tuple(sorted([name for name in names if name in wanted or name.startswith(SIGNED_PREFIX)]))


def _checksum(name: str, headers: Iterable[Header]) -> Checksum:
    from .checksum import Checksum

    wanted = Checksum(name)
    if any(given.lower() == wanted.header for given, _ in headers):
        raise InvalidRequest(f"the request has the header {wanted.header} already; leave it out, or the checksum")
    return wanted


def is_region(value: str) -> bool:
    """Whether a name is of the form that AWS's regions have."""
    return _REGION.fullmatch(value) is not None


def scope_part(what: str, value: str | None) -> str | None:
    """A service or a region that a scope can name; InvalidRequest for another."""
    if what == "service" and isinstance(value, str):
        if value != value.lower() and rules_for(value.lower()) != rules_for(value):
            raise InvalidRequest(
                f"service={value!r}: signing names are lower-case, and S3 has rules of its own; write {value.lower()!r}"
            )
        if is_region(value):
            raise InvalidRequest(f"service={value!r} is a region; are service and region swapped?")
    if value is not None and (not isinstance(value, str) or not _SCOPE_PART.fullmatch(value)):
        raise InvalidRequest(f"{what}={value!r}: a {what} is a name such as {'s3' if what == 'service' else 'us-east-1'!r}")
    return value


def _names(sign_headers: Iterable[str] | AllHeaders) -> frozenset[str] | AllHeaders:
    """The headers that are signed where they are there, besides x-amz-*."""
    if isinstance(sign_headers, AllHeaders):
        return sign_headers
    if isinstance(sign_headers, str):
        raise TypeError(f"sign_headers must be a list of names, not a str; write [{sign_headers!r}]")
    given = list(sign_headers)
    if not all(isinstance(name, str) for name in given):
        raise TypeError("sign_headers must be a list of names")
    names = frozenset(name.lower() for name in given)
    for name in sorted(names):
        if not may_be_signed(name):
            raise InvalidRequest(f"sign_headers: {name} is added or changed on the way, so a signature over it would not hold")
    return names | SIGNED_BY_DEFAULT


def _stamp(written: str, at: datetime | None) -> str:
    """The time of signing, as X-Amz-Date: the one that the request has already; the one that was asked for must be the same."""
    if parse_timestamp(written) is None:
        raise InvalidRequest(f"the request's X-Amz-Date is {written!r}, not a time written as yyyymmddThhmmssZ")
    if at is not None and timestamp(at) != written:
        raise InvalidRequest(f"at is {timestamp(at)}, but the request's X-Amz-Date is {written}; leave one of them out")
    return written


def _paths(request: Request, rules: Rules) -> tuple[str, str]:
    """The path to send, and the one to sign.

    Where two readers could take the one that was given in two ways, another is sent. An S3 key is sent as it is signed: then no
    server can decode and encode it to something else. A path that ends in a dot segment is sent resolved: RFC 3986 and smithy-rs
    sign `/a/.` as `/a/`, botocore and awscrt as `/a`.
    """
    path = request.path
    if rules.encode == "once" and rules.path == "as-is":
        path = canonical_path(path, rules)
        return path, path
    if path[-1] == "." and rules.path == "normalize" and path.endswith(("/.", "/..")):
        path = remove_dot_segments(path)
    return path, canonical_path(path, rules)


def token_header(credentials: Credentials, rules: Rules, written: dict[str, str]) -> tuple[str, str] | None:
    """The header that carries the session token. One of an older signature gives way to that of the credentials."""
    given = [
        name
        for name in TOKEN_HEADERS
        if name in written and (written[name] != credentials.session_token or name != rules.token_header)
    ]
    if given and "authorization" not in written:
        raise InvalidRequest(
            f"the request has the header {given[0]}, but it is not the session token of the credentials of "
            f"{credentials.access_key_id} in the header of this service; give it to Credentials(..., session_token=...)"
        )
    if credentials.session_token is None:
        return None
    return _as_sent(rules.token_header), credentials.session_token


@lru_cache(maxsize=16)
def _as_sent(name: str) -> str:
    return "-".join(word.capitalize() for word in name.split("-"))


def expires_in_seconds(expires: int | timedelta | None) -> int | None:
    """How long a signature counts, in seconds: from 1 to 604800, which is seven days."""
    if expires is None:
        return None
    seconds = int(expires.total_seconds()) if isinstance(expires, timedelta) else expires
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise TypeError(f"expires must be a number of seconds or a timedelta, not {type(expires).__name__}")
    if not 1 <= seconds <= MAX_EXPIRES:
        raise InvalidRequest(f"expires is {seconds} seconds; it must be from 1 to {MAX_EXPIRES}, which is seven days")
    return seconds


def _end(stamp: str, seconds: int | None, credentials: Credentials) -> datetime | None:
    start = parse_timestamp(stamp)
    assert start is not None
    ends = [] if seconds is None else [start + timedelta(seconds=seconds)]
    if credentials.expiration is not None:
        ends.append(in_utc(credentials.expiration))
    return min(ends, default=None)
