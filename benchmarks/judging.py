"""Whether what was signed is right, by AWS's documentation and in none of awsign's words: no peer is timed before it was judged."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import quote, unquote, urlsplit

from tests.on_the_wire.judge import Keys, Wrong, judge
from tests.on_the_wire.listener import Arrival

_Headers = Iterable[tuple[str, str]]


def fault_of_request(method: str, url: str, headers: _Headers, body: bytes, keys: Keys, service: str) -> str | None:
    """Why a request signed in its header would be refused; None where it would not."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    if not any(name.lower() == b"host" for name, _ in pairs):
        pairs.append((b"host", parts.netloc.encode()))
    arrival = Arrival(method.encode(), target.encode(), pairs, body, "length", 443, 0)
    try:
        judge(arrival, keys, service, "us-east-1", clock=timedelta(0))
    except Wrong as wrong:
        return str(wrong)
    return None


def fault_of_url(url: str, key: str, keys: Keys, bucket: str) -> str | None:
    """Why a presigned URL of S3 (GET, all of its headers Host) would be refused; None where it would not."""
    parts = urlsplit(url)
    path = parts.path.encode("latin-1").decode() if parts.path.isascii() else parts.path
    plain = unquote(path, errors="surrogateescape")
    if plain not in (f"/{key}", f"/{bucket}/{key}"):
        return "it is the URL of another key"
    pairs = [tuple(map(unquote, pair.partition("=")[::2])) for pair in parts.query.split("&")]
    given = dict(pairs)
    query = "&".join(
        f"{quote(name, safe='-._~')}={quote(value, safe='-._~')}" for name, value in sorted(pairs) if name != "X-Amz-Signature"
    )
    access_key, day, region, service, end = given["X-Amz-Credential"].split("/")
    if access_key != keys.access_key or given.get("X-Amz-Security-Token") != keys.token or given["X-Amz-SignedHeaders"] != "host":
        return "it is of another access key, token or header"
    canonical = f"GET\n{quote(plain, safe='/-._~')}\n{query}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{given['X-Amz-Date']}\n{day}/{region}/{service}/{end}\n{digest}"
    key_bytes = f"AWS4{keys.secret}".encode()
    for part in (day, region, service, end):
        key_bytes = hmac.new(key_bytes, part.encode(), hashlib.sha256).digest()
    right = hmac.new(key_bytes, text.encode(), hashlib.sha256).hexdigest()
    return None if given["X-Amz-Signature"] == right else "the signature does not match"
