"""The HMAC-SHA1 scheme of S3, often called its Signature Version 2: in the Authorization header or in the query.

Many S3-compatible stores still take it. It covers method, Content-MD5, Content-Type, date, every x-amz-* header, the resource
and its sub-resources; not the body, and no other query parameter.
Source: S3 user guide (archived), "Signing and authenticating REST requests".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from .authorization import without_authorization, without_signature
from .derivation import Derivation
from .encoding import encode, reencode_path, unfold
from .errors import InvalidRequest
from .identity import credentials_from, provider_of
from .query import query_pairs
from .request import require_request
from .s3_urls import bucket_of
from .scope import in_utc, now
from .services import rules_for
from .signed import Presigned, Signed
from .sigv2 import signature, span_of
from .sigv4 import token_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .canonical import Header
    from .identity import Credentials, Provider
    from .request import Request

# Signed as part of the resource. The union of what the AWS page and these implementations list, since a sub-resource that is
# left out could be added to a signed request: botocore auth.py HmacV1Auth.QSAOfInterest, aws-sdk-js signers/s3.js, Ceph RGW
# rgw_auth_s3.cc, OpenStack Swift s3api ALLOWED_SUB_RESOURCES, MinIO signature-v2.go resourceList, s3cmd S3/Crypto.py.
SUB_RESOURCES = frozenset(
    (
        "accelerate", "acl", "analytics", "append", "attributes", "cors", "defaultObjectAcl", "delete", "encryption",
        "intelligent-tiering", "inventory", "legal-hold", "lifecycle", "location", "logging", "metrics", "notification",
        "object-lock", "ownershipControls", "partNumber", "policy", "policyStatus", "position", "publicAccessBlock",
        "replication", "requestPayment", "restore", "retention", "select", "select-type", "start-date", "end-date",
        "storageClass", "symlink", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions", "website",
    )
)  # fmt: skip
# Their values are signed decoded, as all are; listed apart because only they may be set on a presigned GET.
RESPONSE_OVERRIDES = frozenset(
    f"response-{name}"
    for name in ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires")
)
_BUCKET = re.compile(r"[A-Za-z0-9._-]+")
_SIGNATURE_PARAMETERS = frozenset(("AWSAccessKeyId", "Expires", "Signature", "x-amz-security-token"))


def is_signed_parameter(name: str) -> bool:
    """Whether a query parameter is part of the resource."""
    return name in SUB_RESOURCES or name in RESPONSE_OVERRIDES


def stands_for_header(name: str) -> bool:
    """Whether a query parameter of a presigned URL stands for a header, and is signed as one (botocore, HmacV1QueryAuth)."""
    return name.lower().startswith("x-amz-") or name.lower() in ("content-md5", "content-type")


def canonical_resource(path: str, query: str, bucket: str | None) -> str:
    """The bucket of a virtual host, the path as it is sent, and the sub-resources, sorted, their values decoded."""
    signed = []
    for name, value, has_value in _parameters(query):
        if is_signed_parameter(name):
            signed.append(f"{name}={value}" if has_value else name)
    resource = f"/{bucket}{path}" if bucket else path
    return f"{resource}?{'&'.join(sorted(signed))}" if signed else resource


def _parameters(query: str) -> Iterable[tuple[str, str, bool]]:
    for pair in query.split("&"):
        if pair:
            [(name, value)] = query_pairs(pair)
            yield name, value, "=" in pair


def string_to_sign(
    method: str, path: str, query: str, headers: Iterable[Header], bucket: str | None, expires: str | None = None
) -> str:
    """The string to sign, as wire text. expires: of a presigned URL, in the place of the date."""
    fixed = {"content-md5": "", "content-type": "", "date": ""}
    amz: dict[str, str] = {}
    pairs = [(name.lower(), value if isinstance(value, str) else value.decode("latin-1")) for name, value in headers]
    if expires is not None:
        pairs += [(name.lower(), value) for name, value, _ in _parameters(query) if stands_for_header(name)]
    for name, value in pairs:
        text = unfold(value)
        if name.startswith("x-amz-"):
            amz[name] = f"{amz[name]},{text}" if name in amz else text
        elif name in fixed:
            fixed[name] = text
    # With x-amz-date, the Date line is empty (the AWS page's DELETE example errs: the vectors have the source).
    date = expires if expires is not None else "" if "x-amz-date" in amz else fixed["date"]
    lines = [method, fixed["content-md5"], fixed["content-type"], date]
    lines += [f"{name}:{amz[name]}" for name in sorted(amz)]
    lines.append(canonical_resource(path, query, bucket))
    return "\n".join(lines)


class S3SigV2:
    """An S3 HMAC-SHA1 signer. credentials: Credentials or a provider. bucket: the one that the host stands for, where the host
    is not `bucket.s3....amazonaws.com` and the bucket is not in the path.
    """

    def __init__(self, credentials: Credentials | Provider, bucket: str | None = None) -> None:
        self._provider = provider_of(credentials)
        if bucket is not None and not _BUCKET.fullmatch(bucket):
            raise InvalidRequest(f"bucket={bucket!r}: a bucket's name is of letters, digits and . - _")
        self._bucket = bucket

    def __repr__(self) -> str:
        return f"<S3SigV2 bucket={self._bucket!r}>"

    def sign(self, request: Request, *, at: datetime | None = None, credentials: Credentials | None = None) -> Signed:
        """Sign a request in its Authorization header.

        at: the time, aware; None is the request's x-amz-date or Date, else now, written as x-amz-date.
        """
        require_request(request)
        request.rewind()
        credentials = credentials_from(self._provider if credentials is None else credentials, at)
        headers: list[Header] = [("Host", request.host), *_headers(request, credentials)]
        if _has_date(headers):
            if at is not None:
                raise InvalidRequest("the request has a date already; leave it out, or at")
        else:
            headers.append(("x-amz-date", _http_date(now() if at is None else in_utc(at))))
        if credentials.session_token is not None:
            headers.append(("x-amz-security-token", credentials.session_token))
        bucket = self._bucket or bucket_of(request.host)
        path, query = _wire_path(request.path, bucket), _without_signature(request.query)
        text = string_to_sign(request.method, path, query, headers, bucket)
        derivation = Derivation(text, signature(credentials.secret_access_key, text, "HmacSHA1"))
        headers.append(("Authorization", f"AWS {credentials.access_key_id}:{derivation.signature}"))
        return Signed(request.method, request.url_of(path, query), tuple(headers), request.body, derivation)

    def presign(
        self,
        request: Request,
        *,
        expires: int | timedelta = 3600,
        at: datetime | None = None,
        credentials: Credentials | None = None,
    ) -> Presigned:
        """Sign a request in its query: a URL that anyone may use until it expires.

        expires: seconds or a timedelta from `at` (now, if None). `Presigned.headers` must be sent with the URL.
        """
        start = now() if at is None else in_utc(at)
        span = span_of(expires)
        require_request(request)
        credentials = credentials_from(self._provider if credentials is None else credentials, at)
        end = int((start + span).timestamp())
        headers = _headers(request, credentials)
        if _has_date(headers):
            raise InvalidRequest("a presigned URL has Expires in the place of a date; leave the date header out")
        bucket = self._bucket or bucket_of(request.host)
        path, query = _wire_path(request.path, bucket), _without_signature(request.query)
        parameters = [("AWSAccessKeyId", credentials.access_key_id), ("Expires", str(end))]
        if credentials.session_token is not None:
            parameters.append(("x-amz-security-token", credentials.session_token))
        query = "&".join([*([query] if query else []), *(f"{name}={encode(value)}" for name, value in parameters)])
        text = string_to_sign(request.method, path, query, headers, bucket, str(end))
        derivation = Derivation(text, signature(credentials.secret_access_key, text, "HmacSHA1"))
        query = f"{query}&Signature={encode(derivation.signature or '')}"
        signed = tuple(
            pair for pair in headers if pair[0].lower() in ("content-md5", "content-type") or pair[0].lower().startswith("x-amz-")
        )
        expires_at = datetime.fromtimestamp(end, UTC)
        if credentials.expiration is not None:
            expires_at = min(expires_at, credentials.expiration)
        return Presigned(request.method, request.url_of(path, query), signed, expires_at, derivation)


def _wire_path(path: str, bucket: str | None) -> str:
    """The path to send: fully encoded, as Version 4 sends it, since servers sign it as it came or encode it again. A bucket by
    itself in the path gets the slash that AWS signs it with (botocore, handlers.py, `fix_s3_host`).
    """
    path = reencode_path(path)
    return f"{path}/" if bucket is None and path != "/" and path.count("/") == 1 else path


def _has_date(headers: Iterable[Header]) -> bool:
    return any(name.lower() in ("date", "x-amz-date") for name, _ in headers)


def _http_date(at: datetime) -> str:
    from email.utils import format_datetime

    return format_datetime(at, usegmt=True)


def _without_signature(query: str) -> str:
    names = {name for name, _ in query_pairs(query)}
    if not {"AWSAccessKeyId", "Signature"} <= names:
        if stray := sorted((names & _SIGNATURE_PARAMETERS) | {name for name in names if name.lower() == "x-amz-signature"}):
            raise InvalidRequest(
                f"the query has {', '.join(stray)}, which a signature writes, but not all of one; take it out of the URL"
            )
        return query
    return without_signature(query, "s3v2")


def _headers(request: Request, credentials: Credentials) -> list[Header]:
    """The headers of a request that the user gave: those of an older signature left out."""
    kept, _, written = without_authorization(request)
    token_header(credentials, rules_for("s3"), written)  # Refuses a token that is not theirs.
    return [*kept, *((name, written[name]) for name in ("x-amz-date", "x-amz-content-sha256") if name in written)]
