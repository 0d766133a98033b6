"""What can be seen without deriving anything: the verifier's own judgement, in the words of the catalogue, and what it does not look for."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import timedelta
from urllib.parse import quote, unquote

from ..endpoints import infer
from ..errors import SignatureError
from ..identity import Credentials, is_access_key, is_session_token
from ..payload import UNSIGNED_PAYLOAD, is_sha256
from ..redact import MASK
from ..services import S3_FAMILY
from ..verify import Verifier
from ..verify.post_form import PostClaim
from .mistakes.body import bodies, hash_of
from .report import Cause

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ..request import Request
    from ..verify.claim import Claim, Verified
    from .claimed import Claimed

# The verifier's kind -> the catalogue's, where a word is enough.
_KINDS = {
    "missing-authentication": "not-signed",
    "two-authentications": "signed-twice",
    "bad-terminator": "terminator-misspelt",
    "bad-scope-date": "scope-date",
    "scope-date-mismatch": "scope-date",
    "wrong-region": "wrong-region",
    "wrong-service": "wrong-service",
    "wrong-host": "other-host",
    "expires-too-large": "expires-over-maximum",
    "missing-date": "missing-date",
    "bad-date": "missing-date",
    "host-not-signed": "host-not-signed",
    "missing-content-sha256": "missing-content-sha256",
    "not-yet-valid": "clock-skew",
    "expired": "expired-url",
    "expired-token": "expired-credentials",
    "invalid-token": "session-token-of-others",
    "content-md5-mismatch": "body-changed",
    "checksum-mismatch": "body-changed",
    "unsigned-content": "malformed-request",
    "condition-failed": "post-policy-condition",
    "condition-missing": "post-policy-condition",
    "file-too-large": "post-policy-condition",
    "file-too-small": "post-policy-condition",
    "bad-policy": "post-policy-condition",
    "bad-expiration": "post-policy-condition",
    "malformed-chunk": "stream-changed",
    "incomplete-body": "stream-changed",
    "chunk-too-small": "stream-changed",
    "chunk-too-large": "stream-changed",
    "malformed-trailer": "stream-changed",
    "malformed-event": "stream-changed",
    "malformed-authorization": "malformed-authorization",
    "missing-component": "malformed-authorization",
    "malformed-component": "malformed-authorization",
    "malformed-credential": "malformed-authorization",
    "missing-query-parameter": "malformed-authorization",
    "unsupported-algorithm": "malformed-authorization",
}
TIME = ("skew", "not-yet-valid", "expired")
_QUARTER = timedelta(minutes=15)
# A zone's offset, give or take what a clock may be off.
_NEAR = timedelta(minutes=2, seconds=30)

# The zones that are not whole hours from UTC: IANA time zone database.
_PART_HOURS = (-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765)

# Where one host is signed for by more than one name: the AWS IoT developer guide (MQTT over WebSocket), S3 on Outposts, RDS and the like.
_OTHER_NAMES = {
    "iotdata": ("iotdevicegateway", "iot"),
    "s3": ("s3express", "s3-outposts", "s3-object-lambda"),
    "s3express": ("s3",),
    "s3-outposts": ("s3",),
    "email": ("ses",),
    "es": ("opensearch",),
}


class Judgement:
    """What the verifier says. error: its first objection; None where it has none. verified: where it verified. claim: where it read one."""

    def __init__(self, request: Request, secret: Credentials | None, at: datetime) -> None:
        self.error: SignatureError | None = None
        self.claim: Claim | None = None
        self.verified: Verified | None = None
        # The verifier may read another access key out of a malformed request than was read leniently.
        verifier = Verifier(lambda named: None if secret is None else credentials_for(named, secret, secret.session_token), now=at)
        try:
            self.claim = verifier.claim(request)
            if secret is not None:
                self.verified = verifier.verify(self.claim)
        except SignatureError as error:
            self.error = error


def of_head(request: Request, claimed: Claimed | None, at: datetime, *, told_when: bool = True) -> Iterator[Cause]:
    """What the verifier refuses of the head alone, at a time; and if that is the time itself, what else it would refuse.

    told_when: whether somebody said that time; what this machine's clock says tells nothing of zones.
    """
    error = Judgement(request, None, at).error
    if error is None:
        return
    yield from _causes(error, request, claimed, at, told_when)
    if error.kind in TIME and claimed is not None and claimed.signed_at is not None:
        second = Judgement(request, None, claimed.signed_at).error
        if second is not None and second.kind not in TIME:
            yield from _causes(second, request, claimed, at)


def _causes(
    error: SignatureError, request: Request, claimed: Claimed | None, at: datetime, told_when: bool = True
) -> Iterator[Cause]:
    message = str(error)
    headers = _headers(request)
    if error.kind == "skew" or error.kind == "not-yet-valid":
        yield _time_cause(message, claimed, at, told_when)
    elif error.kind == "unsigned-header":
        names = message.rpartition(": ")[2].split(", ")
        if all("token" in name for name in names):
            yield Cause("session-token-unsigned", f"The session token arrived, but it is not signed: {', '.join(names)}")
        else:
            yield Cause("header-added", f"Headers arrived that are not signed: {', '.join(names)}", theirs=_line(headers, names[0]))
    elif error.kind == "signed-header-missing":
        names = message.rpartition(": ")[2].split(", ")
        if any("token" in name for name in names):
            yield Cause("session-token-missing", "The session token was signed, but it did not arrive")
        elif claimed is not None and claimed.location == "query":
            yield Cause(
                "presigned-headers-not-sent",
                f"The URL was presigned with headers that did not arrive: {', '.join(names)}",
                ours=f"{names[0]}: ...",
                theirs="(not sent)",
            )
        else:
            yield Cause(
                "header-dropped", f"Signed headers did not arrive: {', '.join(names)}", ours=f"{names[0]}: ...", theirs="(not sent)"
            )
    elif error.kind == "bad-content-sha256":
        declared = headers.get("x-amz-content-sha256", "")
        kind = "unsigned-payload-not-taken" if declared == UNSIGNED_PAYLOAD else "malformed-request"
        yield Cause(kind, message, theirs=declared)
    elif error.kind == "payload-hash-mismatch":
        yield from of_body(request)
    elif error.kind in (
        "malformed-credential",
        "missing-query-parameter",
        "malformed-component",
        "duplicate-parameter",
    ) and _was_requoted(request, claimed):
        yield Cause(
            "presigned-url-requoted", f"The presigned URL does not read as one any more: {message}", theirs=request.query[:300]
        )
    elif error.kind == "malformed-component" and claimed is not None and "sorted" in message:
        yield Cause(
            "signed-headers-differ",
            message,
            theirs=";".join(claimed.signed_headers),
            ours=";".join(sorted({n.lower() for n in claimed.signed_headers})),
        )
    elif error.kind == "unknown-access-key":
        return
    else:
        yield Cause(_KINDS.get(error.kind, "malformed-request"), message)


def of_verified(error: SignatureError, request: Request, claimed: Claimed | None, at: datetime) -> Iterator[Cause]:
    """What the verifier refuses although the signature holds: the body, the token, a condition."""
    if error.kind == "signature-mismatch":
        yield Cause("stream-changed", str(error))
    else:
        yield from _causes(error, request, claimed, at)


def _time_cause(message: str, claimed: Claimed | None, at: datetime, told_when: bool) -> Cause:
    signed_at = claimed.signed_at if claimed else None
    if signed_at is not None:
        apart = signed_at - at
        zone = _QUARTER * round(apart / _QUARTER)
        theirs, ours = f"{signed_at:%Y%m%dT%H%M%SZ}", f"{at:%Y%m%dT%H%M%SZ}"
        if told_when and _is_offset(zone) and abs(apart - zone) <= _NEAR:
            hours = zone / timedelta(hours=1)
            return Cause(
                "local-time-for-utc",
                f"The time of signing is {hours:+g} hours from the server's, as local time is of a zone with that offset: {message}",
                ours=ours, theirs=theirs, group="wrong-time",
            )  # fmt: skip
        return Cause("clock-skew", message, ours=ours, theirs=theirs, group="wrong-time")
    return Cause("clock-skew", message)


def _is_offset(apart: timedelta) -> bool:
    """Whether local time can be so far from UTC."""
    minutes = apart // timedelta(minutes=1)
    return minutes != 0 and -12 * 60 <= minutes <= 14 * 60 and (minutes % 60 == 0 or minutes in _PART_HOURS)


def _headers(request: Request) -> dict[str, str]:
    return {name.lower(): value if isinstance(value, str) else value.decode("latin-1") for name, value in request.headers}


def _line(headers: dict[str, str], name: str) -> str:
    return f"{name}: {headers.get(name, '')}"


def _was_requoted(request: Request, claimed: Claimed | None) -> bool:
    """Whether a query bears the marks of one that was quoted again, unescaped wrongly or cut."""
    query = request.query
    if claimed is not None and claimed.location != "query":
        return False
    return any(mark in query for mark in ("%25", "&amp;", "%26", "%3D", "%3F", "\\u0026", " ")) or (
        "x-amz-" in query.lower() and "X-Amz-Signature" not in query
    )


def of_body(request: Request) -> list[Cause]:
    """Whether the body is the one whose hash the request declares; if not, which it may have been."""
    headers = _headers(request)
    declared = headers.get("x-amz-content-sha256", "").strip()
    body = request.body
    if not isinstance(body, bytes) or not is_sha256(declared) or hash_of(body) == declared:
        return []
    what = "for another body"
    kind = "body-changed"
    for candidate, other, words in bodies(body):
        if hash_of(other) == declared:
            kind, what = candidate, words
            break
    return [
        Cause(
            kind,
            f"The request declares a payload hash {what}: x-amz-content-sha256 is not the SHA-256 of the body that arrived",
            ours=hash_of(body),
            theirs=declared,
            place="canonical request",
            part="payload hash",
            proved=kind != "body-changed",
        )
    ]


def of_token(claimed: Claimed, credentials: Credentials | None) -> Iterator[Cause]:
    """Whether the session token is the credentials' own."""
    given = claimed.token
    if credentials is None or not (credentials.session_token or given):
        if not given and claimed.access_key_id.startswith("ASIA"):
            yield Cause(
                "session-token-missing",
                f"The access key {claimed.access_key_id} is a temporary one (ASIA...), and no session token was sent",
            )
        elif given and "%" in given and unquote(given) != given:
            yield Cause("session-token-url-encoded", "The session token is percent-encoded: no token has a % in it")
        return
    expected = credentials.session_token
    if expected == given:
        return
    if not given:
        yield Cause(
            "session-token-missing",
            f"The credentials of {credentials.access_key_id} are temporary, and their session token was not sent",
        )
    elif not expected:
        yield Cause(
            "session-token-of-others", f"A session token was sent, and the credentials of {credentials.access_key_id} have none"
        )
    elif expected in (
        unquote(given),
        unquote(unquote(given)),
        given.replace(" ", "+"),
        unquote(given).replace(" ", "+"),
    ) or given in (unquote(expected), quote(expected), quote(expected, safe="")):
        yield Cause("session-token-url-encoded", "The session token arrived percent-encoded or decoded once too often")
    elif given.strip() == expected:
        yield Cause("header-not-trimmed", "The session token arrived with white space around it")
    else:
        yield Cause(
            "session-token-of-others",
            f"The session token that arrived is not that of the credentials of {credentials.access_key_id}",
        )


def of_place(request: Request, claimed: Claimed) -> Iterator[Cause]:
    """Whether region and service of the scope are those of the host, where the host is one of AWS's."""
    if claimed.scheme not in ("sigv4", "sigv4a"):
        return
    service, region = infer(f"https://{request.host}/")
    if service is None:
        return
    if claimed.service and claimed.service != service and claimed.service not in _OTHER_NAMES.get(service, ()):
        yield Cause(
            "wrong-service",
            f"The credential scope names the service {claimed.service!r}; the host {request.host} is signed for {service!r}",
            ours=service, theirs=claimed.service, place="string to sign", part="credential scope",
        )  # fmt: skip
    is_global = service in S3_FAMILY and region == "us-east-1" and "us-east-1" not in request.host
    if region and region != "*" and claimed.scheme == "sigv4" and claimed.region and claimed.region != region and not is_global:
        yield Cause(
            "wrong-region",
            f"The credential scope names the region {claimed.region!r}; the host {request.host} is of {region!r}",
            ours=region, theirs=claimed.region, place="string to sign", part="credential scope",
        )  # fmt: skip


def of_credentials(claimed: Claimed, credentials: Credentials, at: datetime) -> Iterator[Cause]:
    """Whether they are of the access key that the request names, and still good."""
    if claimed.access_key_id != credentials.access_key_id:
        yield Cause(
            "access-key-of-others",
            f"The request names the access key {claimed.access_key_id[:60]}; the credentials given here are of {credentials.access_key_id}",
            ours=credentials.access_key_id, theirs=claimed.access_key_id,
        )  # fmt: skip
    if credentials.expiration is not None and credentials.expiration <= at:
        yield Cause(
            "expired-credentials", f"The credentials of {credentials.access_key_id} ended at {credentials.expiration.isoformat()}"
        )


def credentials_for(claimed_key: str, credentials: Credentials, token: str | None) -> Credentials | None:
    """The same secret for the access key and token that a request names, so that nothing but the signature is judged; None where
    these cannot be any.
    """
    if not is_access_key(claimed_key) or (token and not is_session_token(token)):
        return None
    return Credentials(claimed_key, credentials.secret_access_key, token or None)


def of_policy(claim: Claim, request: Request, at: datetime) -> Iterator[Cause]:
    """What a form's policy does not take of it, whether its signature is known to hold or not."""
    if not isinstance(claim, PostClaim) or not isinstance(request.body, bytes):
        return
    try:
        claim.judge(request.body)
    except SignatureError as error:
        yield from _causes(error, request, None, at)


_HEX = re.compile(r"[0-9A-Fa-f]+")


def of_signature(claimed: Claimed) -> Iterator[Cause]:
    """The form of the signature: base64 where hex is expected, hex where base64 is, and what became of it in a URL."""
    given = claimed.signature
    place, shown = "signature", given if claimed.location == "header" else MASK
    if claimed.scheme == "sigv4" and given and not _HEX.fullmatch(given):
        plain = unquote(given).replace("-", "+").replace("_", "/").rstrip("=")
        if len(plain) == 43 and _is_base64(plain):
            yield Cause(
                "base64-for-hex",
                "The signature is the base64 of 32 bytes, where 64 hex digits are expected",
                ours="64 lower-case hex digits",
                theirs=shown,
                place=place,
            )
    elif claimed.scheme == "sigv4" and given != given.lower():
        yield Cause(
            "signature-form", "The signature is in upper-case hex", ours="64 lower-case hex digits", theirs=shown, place=place
        )
    elif claimed.scheme == "sigv4" and 0 < len(given) < 64:
        yield Cause(
            "signature-form",
            f"The signature has {len(given)} hex digits of 64: it was cut",
            ours="64 lower-case hex digits",
            theirs=shown,
            place=place,
        )
    elif claimed.scheme in ("sigv2", "s3v2") and len(given) in (40, 64) and _HEX.fullmatch(given):
        yield Cause("hex-for-base64", "The signature is in hex, where base64 is expected", ours="base64", theirs=shown, place=place)
    elif claimed.scheme in ("sigv2", "s3v2") and (" " in given or "%" in given):
        how = "its + arrived as a space: it was not escaped" if " " in given else "it was escaped twice"
        yield Cause(
            "sigv2-signature-encoding",
            f"The signature in the URL is not base64 any more: {how}",
            ours="base64",
            theirs=shown,
            place=place,
        )


def _is_base64(text: str) -> bool:
    try:
        return len(b64decode(text + "=" * (-len(text) % 4), validate=True)) == 32
    except ValueError:
        return False


def repaired(request: Request) -> Request | None:
    """A request whose query was quoted again, unescaped wrongly or escaped as a whole, as it was before that; None for one that was not."""
    query = request.query
    for before in (
        query.replace("&amp;", "&").replace("\\u0026", "&"),
        query.replace("%5Cu0026", "&").replace("u0026", "&"),
        query.replace("%25", "%") if re.search(r"(?i)(?:credential|signedheaders)=[^&%]*%25(?:2f|3b)", query) else query,
        unquote(query) if re.search(r"(?i)x-amz-algorithm%3d", query) else query,
        query.replace("%26", "&").replace("%3D", "=") if re.search(r"(?i)x-amz-[a-z]+%3d", query) else query,
    ):
        if before != query and "X-Amz-Signature=" in before:
            return request.but(query=before)
    return None
