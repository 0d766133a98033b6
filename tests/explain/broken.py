"""Signers that make one mistake each, written from AWS's description and without any of awsign's code.

`m` names the mistake; without it the signer is right, and its signature is what a server would compute.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from urllib.parse import quote, unquote, unquote_to_bytes

EMPTY = hashlib.sha256(b"").hexdigest()
S3 = ("s3",)


class Wire:
    """A request as it stands on the wire. query: pairs as they were written, encoded; a value of None has no `=`."""

    def __init__(
        self, method: str, host: str, path: str, query: list[tuple[str, str | None]], headers: list[tuple[str, str]], body: bytes
    ) -> None:
        self.method, self.host, self.path, self.query, self.headers, self.body = method, host, path, query, headers, body

    def copy(self) -> Wire:
        return Wire(self.method, self.host, self.path, list(self.query), list(self.headers), self.body)

    @property
    def target(self) -> str:
        return self.path + ("?" + "&".join(k if v is None else f"{k}={v}" for k, v in self.query) if self.query else "")

    @property
    def url(self) -> str:
        return f"https://{self.host}{self.target}"

    def header(self, name: str) -> str | None:
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def put(self, name: str, value: str | None) -> None:
        self.headers = [(n, v) for n, v in self.headers if n.lower() != name.lower()] + ([] if value is None else [(name, value)])

    def message(self) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {self.host}", *(f"{n}: {v}" for n, v in self.headers)]
        if self.body and self.header("content-length") is None:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


def q(text: str, safe: str = "") -> str:
    return quote(unquote_to_bytes(text), safe=safe + "-_.~")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def mac(key: bytes, text: str | bytes) -> bytes:
    return hmac.new(key, text.encode() if isinstance(text, str) else text, hashlib.sha256).digest()


def canonical_path(path: str, s3: bool, m: str) -> str:
    def normalized(p: str) -> str:
        out: list[str] = []
        for part in p.split("/"):
            if part == "..":
                out = out[:-1]
            elif part not in ("", "."):
                out.append(part)
        tail = "/" if p.rsplit("/", 1)[-1] in ("", ".", "..") and out else ""
        return "/" + "/".join(out) + tail

    def single(p: str) -> str:
        return "/".join(q(part) for part in p.split("/"))

    if s3:
        if m == "path-normalized":
            path = normalized(path)
        if m == "path-encoded-twice":
            return quote(single(path), safe="/-_.~")
        if m == "path-encoded-once":
            return unquote(path, "latin-1")
        return single(path) or "/"
    if m != "path-not-normalized":
        path = normalized(path)
    if m == "path-encoded-once":
        return single(path)
    if m == "path-encoded-twice":
        return quote(quote(path, safe="/-_.~"), safe="/-_.~")
    return quote(path, safe="/-_.~")


def canonical_query(pairs: list[tuple[str, str | None]], m: str) -> str:
    if m == "query-not-signed":
        return ""
    if m == "duplicate-parameter-dropped":
        pairs = list({k: (k, v) for k, v in pairs}.values())
    if m == "empty-parameter-dropped":
        pairs = [(k, v) for k, v in pairs if v]
    bare = {k for k, v in pairs if v is None}
    enc = [(q(k.replace("+", "%20")), q((v or "").replace("+", "%20"))) for k, v in pairs]
    if m == "query-sorted-decoded":
        enc.sort(key=lambda p: (unquote(p[0]), unquote(p[1])))
    elif m == "query-sorted-joined":
        enc.sort(key="=".join)
    elif m == "query-sorted-otherwise":
        enc.sort(key=lambda p: (p[0].lower(), p[1]))
    elif m != "query-not-sorted":
        enc.sort()
    if m == "valueless-key-without-equals":
        return "&".join(k if unquote(k) in bare else f"{k}={v}" for k, v in enc)
    if m == "query-encoded-twice":
        return "&".join(f"{k}={quote(v, safe='-_.~')}" for k, v in enc)
    return "&".join(f"{k}={v}" for k, v in enc)


def written(text: str, m: str) -> str:
    """A canonical path or query as signers with other ways of quoting have it."""
    import re

    if m == "plus-for-space":
        return text.replace("%2520", "+").replace("%20", "+")
    if m == "lower-case-hex":
        return re.sub("%[0-9A-F]{2}", lambda x: x[0].lower(), text)
    if m == "unreserved-escaped":
        return text.replace("~", "%7E")
    if m == "reserved-not-escaped":
        for c in "!'()*":
            text = text.replace(f"%{ord(c):02X}", c).replace(f"%25{ord(c):02X}", c)
    return text


def folded(value: str, m: str) -> str:
    if m == "header-not-trimmed":
        return value
    if m == "header-not-folded":
        return value.strip()
    return " ".join(value.split())


def canonical(wire: Wire, signed: list[str], payload: str, s3: bool, m: str = "", host: str | None = None) -> str:
    lines = []
    for name in signed:
        values = [host or wire.host] if name == "host" else [v for n, v in wire.headers if n.lower() == name]
        shown = next((n for n, _ in wire.headers if n.lower() == name), name) if m == "header-name-case" else name
        lines.append(f"{shown}:{','.join(folded(v, m) for v in values)}\n")
    end = "" if m == "newline-after-headers-missing" else "\n"
    method = wire.method
    text = (
        f"{method}\n{written(canonical_path(wire.path, s3, m), m)}\n{written(canonical_query([p for p in wire.query if p[0] != 'X-Amz-Signature'], m), m)}\n"
        f"{''.join(lines)}{end}{';'.join(signed)}\n{payload}"
    )
    if m == "trailing-newline":
        text += "\n"
    return text


def signing_key(secret: str, day: str, region: str, service: str, m: str = "") -> bytes:
    if m == "secret-white-space":
        secret += "\n"
    if m == "secret-url-decoded":
        secret = unquote(secret.replace("+", " "))
    key = (secret if m == "aws4-prefix-forgotten" else f"AWS4{secret}").encode()
    parts = [day, region, service, "aws4_request"]
    if m == "key-derivation":
        parts = [day, service, region, "aws4_request"]
    if m == "terminator-misspelt":
        parts[3] = "aws4_reqeust"
    for part in parts:
        key = mac(key, part)
        if m == "key-hex":
            key = key.hex().encode()
    return key


def to_sign(stamp: str, scope: str, text: str, m: str = "") -> str:
    lines = ["AWS4-HMAC-SHA256", stamp, scope, text if m == "canonical-request-not-hashed" else sha(text.encode("latin-1"))]
    return ("\r\n" if m == "string-to-sign-crlf" else "\n").join(lines)


def signature(key: bytes, text: str, m: str = "") -> str:
    digest = mac(key, text.encode("latin-1"))
    return base64.b64encode(digest).decode() if m == "base64-for-hex" else digest.hex()


def stamp_of(at: datetime) -> str:
    return at.strftime("%Y%m%dT%H%M%SZ")


def sigv4(
    wire: Wire, *, access_key: str, secret: str, service: str, region: str, at: datetime, token: str | None = None, m: str = "",
    payload: str | None = None, host: str | None = None, more: tuple[str, ...] = (), presign: int | None = None, day: str | None = None,
    key_region: str | None = None, key_service: str | None = None, sent_stamp: str | None = None,
) -> tuple[Wire, str, str]:  # fmt: skip
    """Sign in the header or, with `presign` seconds, in the query: the wire, the canonical request, the string to sign."""
    wire = wire.copy()
    s3 = service in S3
    stamp = stamp_of(at)
    day = day or stamp[:8]
    end = "aws4_reqeust" if m == "terminator-misspelt" else "aws4_request"
    scope = f"{day}/{region}/{service}/{end}"
    if presign is None:
        wire.put("X-Amz-Date", sent_stamp or stamp)
        if token:
            wire.put("X-Amz-Security-Token", token)
        payload = payload or sha(wire.body)
        if s3 and m != "missing-content-sha256":
            wire.put("X-Amz-Content-Sha256", payload)
    else:
        payload = payload or ("UNSIGNED-PAYLOAD" if s3 else sha(wire.body))
    signed = sorted(
        {"host", *more}
        | {n.lower() for n, _ in wire.headers if n.lower().startswith("x-amz-") or n.lower() in ("content-type", "content-md5")}
    )
    if m == "session-token-unsigned":
        signed.remove("x-amz-security-token")
    if presign is not None:
        wire.query += [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", quote(f"{access_key}/{scope}", safe="")), ("X-Amz-Date", stamp),
            ("X-Amz-Expires", str(presign)), ("X-Amz-SignedHeaders", quote(";".join(signed), safe="")),
        ]  # fmt: skip
        if token:
            wire.query.append(("X-Amz-Security-Token", quote(token, safe="")))
    text = canonical(wire, signed, payload, s3, m, host)
    to = to_sign(stamp, scope, text, m)
    key = signing_key(secret, day, key_region or region, key_service or service, m)
    given = signature(key, to, m)
    if presign is not None:
        wire.query.append(("X-Amz-Signature", quote(given, safe="")))
    else:
        wire.put(
            "Authorization",
            f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={';'.join(signed)}, Signature={given}",
        )
    return wire, text, to


def sigv2(
    wire: Wire, *, access_key: str, secret: str, at: datetime, m: str = "", host: str | None = None, method: str | None = None
) -> Wire:
    wire = wire.copy()
    wire.query += [
        ("AWSAccessKeyId", access_key), ("SignatureVersion", "2"), ("SignatureMethod", "HmacSHA256"), ("Timestamp", quote(at.strftime("%Y-%m-%dT%H:%M:%SZ"), safe="-")),
    ]  # fmt: skip
    pairs = [(unquote(k), unquote(v or "")) for k, v in wire.query]
    if m == "sigv2-parameter-order":
        pairs.sort(key=lambda p: p[0].lower())
    else:
        pairs.sort(key=lambda p: p[0].encode())
    line = written("&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in pairs), m)
    parts = [method or wire.method, (host or wire.host).lower(), wire.path, line]
    text = "\n".join(parts) + ("\n" if m == "sigv2-newline" else "")
    if m == "secret-white-space":
        secret += " "
    digest = hmac.new(secret.encode(), text.encode(), "sha1" if m == "signature-algorithm" else "sha256").digest()
    given = digest.hex() if m == "hex-for-base64" else base64.b64encode(digest).decode()
    wire.query.append(("Signature", given if m == "sigv2-signature-encoding" else quote(given, safe="")))
    return wire


def s3v2(wire: Wire, *, access_key: str, secret: str, at: datetime, bucket: str = "", m: str = "") -> Wire:
    wire = wire.copy()
    wire.put("Date", at.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    amz: dict[str, str] = {}
    for n, v in wire.headers:
        if n.lower().startswith("x-amz-"):
            amz[n.lower()] = v.strip()
    sub = sorted((k, v) for k, v in wire.query if k in ("acl", "uploads", "versioning", "location", "tagging", "versionId"))
    resource = (f"/{bucket}" if bucket and m != "resource-differs" else "") + wire.path
    if sub and not (m == "resource-differs" and not bucket):
        resource += "?" + "&".join(k if v is None else f"{k}={unquote(v)}" for k, v in sub)
    date = "" if m == "date-line-differs" else wire.header("date")
    lines = [
        wire.method,
        wire.header("content-md5") or "",
        wire.header("content-type") or "",
        date,
        *(f"{n}:{amz[n]}" for n in sorted(amz)),
        resource,
    ]
    text = "\n".join(lines) + ("\n" if m == "sigv2-newline" else "")
    digest = hmac.new(secret.encode(), text.encode(), "sha256" if m == "signature-algorithm" else "sha1").digest()
    given = digest.hex() if m == "hex-for-base64" else base64.b64encode(digest).decode()
    wire.put("Authorization", f"AWS {access_key}:{given}")
    return wire


__all__ = [
    "EMPTY",
    "Wire",
    "canonical",
    "q",
    "s3v2",
    "sha",
    "signature",
    "signing_key",
    "sigv2",
    "sigv4",
    "stamp_of",
    "timedelta",
    "to_sign",
]
