"""Whether what arrived is signed: AWS's rules once more, from the documentation and ../shared's RULES, in none of awsign's words.

Sources: IAM user guide, "Create a signed AWS API request"; S3 API reference, "Signature calculations for the Authorization header"
(single chunk, and in chunks); RFC 9112. Strict where a server may be: all x-amz-* signed, one of each, the body as declared.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import zlib
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from .listener import Arrival

EMPTY = hashlib.sha256(b"").hexdigest()
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(\S+?)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([a-z0-9;._-]+), ?Signature=([0-9a-f]{64})"
)


class Keys(NamedTuple):
    access_key: str
    secret: str
    token: str | None = None


class Wrong(Exception):
    """Why a request does not verify."""


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("latin-1"), hashlib.sha256).digest()


def _escaped(data: bytes, safe: str = "") -> str:
    return quote_from_bytes(data, safe=safe + "-._~")


def canonical_path(target_path: bytes, is_s3: bool) -> str:
    if is_s3:
        return _escaped(unquote_to_bytes(target_path), "/")
    resolved: list[bytes] = []
    for piece in target_path.split(b"/"):
        if piece == b"..":
            resolved[-1:] = []
        elif piece not in (b"", b"."):
            resolved.append(piece)
    path = b"/" + b"/".join(resolved)
    if target_path.endswith(b"/") and resolved:
        path += b"/"
    return _escaped(path, "/")


def query_of(raw: bytes) -> list[tuple[bytes, bytes]]:
    pairs = []
    for piece in raw.split(b"&"):
        if piece:
            name, _, value = piece.replace(b"+", b" ").partition(b"=")
            pairs.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return pairs


def canonical_query(raw: bytes) -> str:
    encoded = sorted((_escaped(name), _escaped(value)) for name, value in query_of(raw))
    return "&".join(f"{name}={value}" for name, value in encoded)


def judge(arrival: Arrival, keys: Keys, service: str, region: str, *, clock: timedelta = timedelta(0)) -> None:
    """Raise Wrong if a request would be refused by a careful server whose clock is `clock` ahead."""
    if arrival.framing == "two":
        raise Wrong("Content-Length and Transfer-Encoding both")
    if not arrival.target.startswith(b"/") or not re.fullmatch(rb"[!-~]+", arrival.target) or b"#" in arrival.target:
        raise Wrong(f"target {arrival.target!r}")
    if len(arrival.all("host")) != 1 or len(arrival.all("authorization")) != 1:
        raise Wrong("one Host and one Authorization are needed")
    match = _AUTHORIZATION.fullmatch(arrival.one("authorization") or "")
    if match is None:
        raise Wrong("Authorization cannot be read")
    access_key, day, in_region, for_service, names, signature = match.groups()
    if (access_key, in_region, for_service) != (keys.access_key, region, service):
        raise Wrong(f"scope {match[0][:80]}")
    signed = names.split(";")
    if signed != sorted(set(signed)) or "host" not in signed:
        raise Wrong(f"SignedHeaders {names}")
    is_s3 = service.startswith("s3")
    for name in {name.decode("latin-1").lower() for name, _ in arrival.headers}:
        # Services but S3 let a hash of the body pass that is not signed itself: two of the peers send it so.
        tolerated = name == "x-amz-content-sha256" and not is_s3
        if name.startswith("x-amz-") and name not in signed and not tolerated:
            raise Wrong(f"{name} is not signed")
        if name.startswith("x-amz-") and len(arrival.all(name)) > 1 and not name.startswith("x-amz-meta-"):
            raise Wrong(f"{name} twice")
    if (keys.token or None) != arrival.one("x-amz-security-token"):
        raise Wrong("the session token is another")
    stamp = arrival.one("x-amz-date")
    if stamp is None or stamp[:8] != day:
        raise Wrong("no X-Amz-Date, or of another day")
    at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if abs(at - (datetime.now(UTC) + clock)) > timedelta(minutes=5):
        raise Wrong("the time is off")

    declared = arrival.one("x-amz-content-sha256")
    if is_s3 and declared is None:
        raise Wrong("no x-amz-content-sha256")
    actual = hashlib.sha256(arrival.body).hexdigest()
    if declared and re.fullmatch("[0-9a-f]{64}", declared) and declared != actual:
        raise Wrong("the body is not what x-amz-content-sha256 says")
    if declared and not is_s3 and declared != actual and service != "vpc-lattice-svcs":
        raise Wrong(f"{service} takes no {declared}")
    lines = []
    for name in signed:
        values = arrival.all(name)
        if not values:
            raise Wrong(f"{name} is signed and not there")
        folded = [re.sub(r"[ \t\n\r\v\f]+", " ", value.decode("latin-1")).strip(" ") for value in values]
        lines.append(f"{name}:{','.join(folded)}\n")
    path, _, query = arrival.target.partition(b"?")
    canonical = "\n".join(
        [
            arrival.method.decode(),
            canonical_path(path, is_s3),
            canonical_query(query),
            "".join(lines),
            names,
            declared or actual,
        ]
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    key = _mac(_mac(_mac(_mac(b"AWS4" + keys.secret.encode(), day), region), service), "aws4_request")
    hashed = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
    if _mac(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashed}").hex() != signature:
        raise Wrong("the signature is another")
    if declared and declared.startswith("STREAMING-"):
        _judge_chunks(arrival, key, f"{stamp}\n{scope}", signature, declared)


def body_of(arrival: Arrival) -> bytes:
    """The body as the application gets it: without aws-chunked."""
    declared = arrival.one("x-amz-content-sha256") or ""
    return b"".join(data for data, _ in _chunks(arrival.body)[0]) if declared.startswith("STREAMING-") else arrival.body


def _chunks(body: bytes) -> tuple[list[tuple[bytes, str]], bytes]:
    found = []
    while True:
        line, _, body = body.partition(b"\r\n")
        size, _, extension = line.partition(b";")
        length = int(size, 16)
        found.append((body[:length], extension.decode()))
        if not length:
            return found, body
        if body[length : length + 2] != b"\r\n":
            raise Wrong("a chunk does not end where it says")
        body = body[length + 2 :]


def _judge_chunks(arrival: Arrival, key: bytes, when: str, previous: str, declared: str) -> None:
    chunks, rest = _chunks(arrival.body)
    data = b"".join(chunk for chunk, _ in chunks)
    if arrival.one("x-amz-decoded-content-length") != str(len(data)):
        raise Wrong("x-amz-decoded-content-length is another")
    if "aws-chunked" not in (arrival.one("content-encoding") or ""):
        raise Wrong("no content-encoding: aws-chunked")
    if "UNSIGNED" not in declared:
        for chunk, extension in chunks:
            text = f"AWS4-HMAC-SHA256-PAYLOAD\n{when}\n{previous}\n{EMPTY}\n{hashlib.sha256(chunk).hexdigest()}"
            previous = _mac(key, text).hex()
            if extension != f"chunk-signature={previous}":
                raise Wrong("a chunk's signature is another")
    if not declared.endswith("-TRAILER"):
        if rest != b"\r\n":
            raise Wrong("something follows the last chunk")
        return
    if not rest.endswith(b"\r\n\r\n"):
        raise Wrong("the trailer does not end")
    trailer = dict(line.split(":", 1) for line in rest.decode().strip("\r\n").split("\r\n"))
    name = arrival.one("x-amz-trailer") or ""
    if name == "x-amz-checksum-crc32" and trailer[name] != base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode():
        raise Wrong("the checksum of the trailer is another")
    if "UNSIGNED" not in declared:
        covered = hashlib.sha256(f"{name}:{trailer[name]}\n".encode()).hexdigest()
        if trailer["x-amz-trailer-signature"] != _mac(key, f"AWS4-HMAC-SHA256-TRAILER\n{when}\n{previous}\n{covered}").hex():
            raise Wrong("the trailer's signature is another")
