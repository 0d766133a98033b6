"""A request -> its canonical request: the text whose hash a Version 4 signature covers.

Source: AWS IAM user guide, "Create a signed AWS API request", step 1; S3 API reference, "Signature calculations for the
Authorization header", task 1. Each piece is a function of wire text (see encoding.py); `canonical_request` puts them together. The
canonical query is query.py's.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .encoding import decode, encode, encode_path, fold, reencode_path, remove_dot_segments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .services import Rules

    Header = tuple[str, str | bytes]

# Changed or added by proxies, clients and load balancers on the way, so that signing them breaks the signature: aws-c-auth
# `g_aws_signing_signed_headers`, botocore SIGNED_HEADERS_BLACKLIST, RFC 9110 section 7.6.1 (connection headers).
NEVER_SIGNED = frozenset(
    [
        "authorization",
        "connection",
        "expect",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-amzn-trace-id",
    ]
)
NEVER_SIGNED_PREFIXES = ("proxy-", "sec-")

# Signed where they are there. No more by default: Google and Cloudflare rewrite others, accept-encoding above all
# (aws-sdk-go-v2 issue 1816, rclone issue 6670).
SIGNED_BY_DEFAULT = frozenset(("host", "content-type", "content-md5"))
SIGNED_PREFIX = "x-amz-"

# A header of these means one thing: sent twice, two readers could take two of them. Others are joined, as the AWS suite has it
# (get-header-value-order), and so are those of S3's metadata.
_SINGLE = frozenset(["authorization", "host", "date", "content-type", "content-md5", "content-length"])
_JOINED_PREFIX = "x-amz-meta-"

# Segments of unreserved characters, none of them empty or of dots: what every rule leaves as it is.
_PLAIN_PATH = re.compile(r"(?:/(?!\.\.?(?:/|\Z))[A-Za-z0-9\-._~]++)*+/?")
_LONGEST_KEPT = 64  # Names that arrive may be of any length.


def may_be_signed(name: str) -> bool:
    """Whether a header, by its lower-case name, can be signed without being changed on the way."""
    return name not in NEVER_SIGNED and not name.startswith(NEVER_SIGNED_PREFIXES)


def may_be_repeated(name: str) -> bool:
    """Whether a header, by its lower-case name, may stand in a request more than once."""
    return name not in _SINGLE and (not name.startswith(SIGNED_PREFIX) or name.startswith(_JOINED_PREFIX))


def canonical_path(path: str, rules: Rules) -> str:
    """The path as it is signed.

    Encoded twice: the path on the wire, percent-encoded once more. Encoded once: decoded, then encoded, as the servers do it,
    so that `=` and `%3d` are both `%3D`. In an S3 key, `%2F` is therefore `/`; where paths are normalized their segments count,
    and an escaped slash stays in its segment (smithy-rs, uri_path_normalization.rs).
    """
    if _PLAIN_PATH.fullmatch(path):
        return path or "/"
    if rules.path == "normalize":
        path = remove_dot_segments(path)
    if rules.encode == "twice":
        return encode_path(path) or "/"
    if rules.path == "normalize":
        return "/".join([encode(decode(segment)) for segment in path.split("/")])
    return reencode_path(path) or "/"


def lower_name(name: str) -> str:
    """A header's name in lower case: the same object each time, which comparisons know without looking into it."""
    return _lower(name) if len(name) < _LONGEST_KEPT else name.lower()


@lru_cache(maxsize=1024)
def _lower(name: str) -> str:
    return name.lower()


def joined_headers(headers: Iterable[Header]) -> dict[str, str]:
    """Headers as text by lower-case name; the values of one that stands more than once joined by commas (RFC 9110, section 5.3)."""
    joined: dict[str, str] = {}
    for name, value in headers:
        name, text = name.lower(), value if isinstance(value, str) else value.decode("latin-1")
        joined[name] = f"{joined[name]},{text}" if name in joined else text
    return joined


def canonical_fields(headers: Iterable[Header]) -> dict[str, str]:
    """The values of headers as they are signed, by lower-case name: folded, and those of one that stands more than once joined by `,`.

    The duplicates are in the order of the wire.
    """
    fields: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    for name, value in headers:
        name, folded = lower_name(name), fold(value if isinstance(value, str) else value.decode("latin-1"))
        if name not in fields:
            fields[name] = folded
        else:
            repeated.setdefault(name, [fields[name]]).append(folded)
    for name, values in repeated.items():  # Once each: anyone may send a thousand of one name.
        fields[name] = ",".join(values)
    return fields


def canonical_headers(fields: Mapping[str, str], signed: Sequence[str]) -> str:
    """The lines `name:value` of the signed headers, by name.

    fields: as `canonical_fields` gives them. signed: lower-case names, sorted. A name that no header has gives no line.
    """
    return "".join([f"{name}:{fields[name]}\n" for name in signed if name in fields])


def canonical_request(
    method: str,
    path: str,
    query: str,
    fields: Mapping[str, str],
    signed: Sequence[str],
    payload_hash: str,
) -> str:
    """The canonical request, as wire text. path, query, fields: the canonical ones."""
    return f"{method}\n{path}\n{query}\n{canonical_headers(fields, signed)}\n{';'.join(signed)}\n{payload_hash}"
