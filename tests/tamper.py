"""`make tamper`: valid requests of every scheme, each changed in every byte and in more ways; none of them may verify.

A change is refused, or it leaves all that is signed as it was: the same canonical request (the same string to sign, in the older
schemes), and the same body where the signature covers one. White space around a header's value, the case of its name and headers that
are not signed are such changes. Nothing but SignatureError may be raised.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import awsign

if TYPE_CHECKING:
    from awsign.verify import Verified

KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdzEXAMPLE//TOKEN+=="
AT = datetime(2026, 1, 15, 12, 30, 45, tzinfo=UTC)
PLAIN, TEMPORARY = awsign.Credentials(KEY, SECRET), awsign.Credentials("ASIAEXAMPLE", SECRET, TOKEN)
KNOWN = {KEY: PLAIN, "ASIAEXAMPLE": TEMPORARY}
VERIFIER = awsign.Verifier(KNOWN.get, now=AT)


class Message:
    """A request as its pieces on the wire."""

    def __init__(self, method: bytes, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.method, self.target, self.headers, self.body = method, target, headers, body

    def verify(self) -> Verified:
        headers = [(name.decode("latin-1"), value) for name, value in self.headers]
        return VERIFIER.verify(awsign.Request.received(self.method.decode("latin-1"), self.target, headers, self.body))

    def pieces(self) -> list[bytes]:
        return [self.method, self.target, *(piece for pair in self.headers for piece in pair), self.body]

    def with_piece(self, n: int, piece: bytes) -> Message:
        pieces = self.pieces()
        pieces[n] = piece
        headers = pieces[2:-1]
        return Message(pieces[0], pieces[1], list(zip(headers[::2], headers[1::2], strict=True)), pieces[-1])

    def with_headers(self, headers: list[tuple[bytes, bytes]]) -> Message:
        return Message(self.method, self.target, headers, self.body)

    def with_target(self, target: bytes) -> Message:
        return Message(self.method, target, self.headers, self.body)


def of(signed: awsign.Signed | awsign.Presigned, body: bytes | None = None) -> Message:
    authority, slash, rest = signed.url.partition("://")[2].partition("/")
    headers = [(n.encode(), v.encode() if isinstance(v, str) else v) for n, v in signed.headers]
    if not any(n.lower() == b"host" for n, _ in headers):
        headers.insert(0, (b"Host", authority.encode()))
    content = getattr(signed, "body", None) if body is None else body
    content = content if isinstance(content, bytes) else b"".join(content) if content is not None else b""
    return Message(signed.method.encode(), (slash + rest).encode(), headers, content)


def valid() -> dict[str, Message]:
    """Requests that verify, one and more of each scheme."""
    request = awsign.Request
    s3, api = "https://photos.s3.us-east-1.amazonaws.com", "https://abc.execute-api.us-east-1.amazonaws.com"
    meta = {"x-amz-meta-note": "a  b", "content-type": "text/plain", "user-agent": "me"}
    presigner = awsign.S3Presigner(PLAIN, "us-east-1", "photos", at=AT)
    form = presigner.post("in/${filename}", conditions=[["content-length-range", 1, 9]], fields={"acl": "private"})
    parts = "".join(f'--bb\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in form.fields.items())
    posted = f'{parts}--bb\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\n\r\ncontent\r\n--bb--\r\n'.encode()
    query = {"content-type": "application/x-www-form-urlencoded"}
    sigv4, sigv4a = awsign.SigV4(PLAIN), awsign.SigV4A(PLAIN)
    return {
        "sigv4 header": of(sigv4.sign(request("PUT", f"{s3}/a%20b/~c?x=1&acl&y=%2F", meta, b"content"), at=AT)),
        "sigv4 header, token": of(awsign.SigV4(TEMPORARY).sign(request("GET", f"{s3}/key?prefix=a"), at=AT)),
        "sigv4 header, hash not declared": of(sigv4.sign(request("POST", f"{api}/a/b?q=1&q=2", {"content-type": "application/json"}, b'{"a": 1}'), at=AT)),
        "sigv4 header, content-md5": of(sigv4.sign(request("PUT", f"{s3}/k", {"content-md5": "mgNkuembtIDdJeHwKEyFVQ=="}, b"content"), at=AT)),
        "sigv4 query": of(sigv4.presign(request("GET", f"{s3}/a%20b?x=1&versionId=7"), at=AT)),
        "sigv4 query, headers and token": of(awsign.SigV4(TEMPORARY).presign(request("PUT", f"{s3}/k", {"x-amz-acl": "private"}), at=AT)),
        "sigv4 query, not S3": of(sigv4.presign(request("GET", f"{api}/x//y?b=1&a=2"), at=AT)),
        "sigv4 chunks": of(sigv4.sign(request("PUT", f"{s3}/k", body=b"x" * 9000), at=AT, payload=awsign.Chunked(chunk_size=8192, trailer="CRC32"))),
        "sigv4a header": of(sigv4a.sign(request("PUT", f"{s3}/k?a=b", {}, b"content"), at=AT)),
        "sigv4a query": of(sigv4a.presign(request("GET", f"{s3}/k?a=b"), at=AT)),
        "sigv2 query": of(awsign.SigV2(PLAIN).sign(request("GET", "https://ec2.us-east-1.amazonaws.com/?Action=DescribeRegions&A=b%20c"), at=AT)),
        "sigv2 form": of(awsign.SigV2(TEMPORARY).sign(request("POST", "https://ec2.us-east-1.amazonaws.com/", query, "Action=DescribeRegions&A=b"), at=AT)),
        "s3v2 header": of(awsign.S3SigV2(PLAIN).sign(request("PUT", "https://photos.s3.amazonaws.com/a%20b?acl&x=1", {"x-amz-meta-a": "b", "content-md5": "mgNkuembtIDdJeHwKEyFVQ=="}, b"content"), at=AT)),
        "s3v2 query": of(awsign.S3SigV2(TEMPORARY).presign(request("GET", "https://photos.s3.amazonaws.com/k?versionId=7"), at=AT)),
        "form": Message(b"POST", b"/", [(b"Host", b"photos.s3.us-east-1.amazonaws.com"), (b"Content-Type", b"multipart/form-data; boundary=bb")], posted),
    }  # fmt: skip


def changes(message: Message, rng: random.Random, each: int) -> Iterator[Message]:
    """Every byte of every piece: other bytes in its place, none, and one more before it. Then whole headers and parameters."""
    for n, piece in enumerate(message.pieces()):
        # Of a long body, the framing is at its ends: all of that, and some of what is between.
        places = (
            range(len(piece) + 1)
            if len(piece) < 1500
            else [*range(400), *sorted(rng.sample(range(400, len(piece) - 400), 60)), *range(len(piece) - 400, len(piece) + 1)]
        )
        for at in places:
            if at < len(piece):
                others = {piece[at] ^ 1, piece[at] ^ 0x20, *(rng.randrange(256) for _ in range(each))} - {piece[at]}
                for other in sorted(others):
                    yield message.with_piece(n, piece[:at] + bytes([other]) + piece[at + 1 :])
                yield message.with_piece(n, piece[:at] + piece[at + 1 :])
            for more in (rng.randrange(256), rng.choice(b" %+&=/?;,:\r\n\t\x00~.")):
                yield message.with_piece(n, piece[:at] + bytes([more]) + piece[at:])
    yield from whole(message, rng)


def whole(message: Message, rng: random.Random) -> Iterator[Message]:
    headers = message.headers
    added = [
        (b"X-Amz-Copy-Source", b"/other/key"), (b"x-amz-acl", b"public-read"), (b"X-Amz-Security-Token", b"other"), (b"X-Amz-Date", b"20260115T123046Z"),
        (b"Authorization", b"AWS4-HMAC-SHA256 Credential=x"), (b"Host", b"other.example.com"), (b"X_Amz_Acl", b"public-read"), (b"Content-Type", b"text/html"),
        (b"x-amz-content-sha256", b"UNSIGNED-PAYLOAD"), (b"x-amz-meta-note", b"more"), (b"Content-MD5", b"x"), (b"X-Amz-Target", b"Delete"), (b"x-amz-website-redirect-location", b"/"),
    ]  # fmt: skip
    for pair in added:
        for at in range(len(headers) + 1):
            yield message.with_headers([*headers[:at], pair, *headers[at:]])
    for n, pair in enumerate(headers):
        yield message.with_headers([*headers[:n], *headers[n + 1 :]])
        yield message.with_headers([*headers, pair])
        yield message.with_headers([pair, *headers])
        yield message.with_headers([*headers[:n], (pair[0].swapcase(), pair[1]), *headers[n + 1 :]])
        yield message.with_headers([*headers[:n], (pair[0].replace(b"-", b"_"), pair[1]), *headers[n + 1 :]])
        for m in range(n):
            swapped = list(headers)
            swapped[n], swapped[m] = (headers[n][0], headers[m][1]), (headers[m][0], headers[n][1])
            yield message.with_headers(swapped)
    path, _, query = message.target.partition(b"?")
    pairs = query.split(b"&") if query else []
    for pair in (
        b"x=2",
        b"X-Amz-Expires=604800",
        b"acl",
        b"uploads",
        b"Expires=9999999999",
        b"Action=Delete",
        b"X-Amz-Signature=00",
        b"response-content-type=text%2Fhtml",
        b"=",
        b"",
    ):
        for at in range(len(pairs) + 1):
            yield message.with_target(path + b"?" + b"&".join([*pairs[:at], pair, *pairs[at:]]))
    for n, pair in enumerate(pairs):
        yield message.with_target(path + b"?" + b"&".join([*pairs[:n], *pairs[n + 1 :]]))
        yield message.with_target(path + b"?" + b"&".join([*pairs, pair]))
        name, _, value = pair.partition(b"=")
        yield message.with_target(path + b"?" + b"&".join([*pairs[:n], name + b"=" + value[::-1], *pairs[n + 1 :]]))
    for other in (
        b"/",
        b"//" + path,
        path + b"/",
        path + b"/../x",
        path.replace(b"/", b"//"),
        b"/." + path,
        path + b"%00",
        path + b"#x",
        path + b";x",
        b"https://other" + path,
    ):
        yield message.with_target(other + (b"?" + query if query else b""))
    for method in (b"GET", b"PUT", b"POST", b"DELETE", b"HEAD", b"get", b"PUT ", b""):
        yield Message(method, message.target, headers, message.body)
    for body in (b"", message.body + b"\n", message.body * 2, message.body[::-1], rng.randbytes(50)):
        yield Message(message.method, message.target, headers, body)


def signed_facts(verified: Verified) -> tuple[object, ...]:
    """What the signature covers, and what it says."""
    unsigned = verified.location == "query" and verified.scheme != "sigv2"
    if verified.scheme == "s3v2":
        unsigned = unsigned or not any(name in ("content-md5", "x-amz-content-sha256") for name in verified.signed_headers or ())
    fields = verified.form.fields if verified.form is not None else None
    content: object = verified.content
    if verified.scheme == "sigv2" and isinstance(verified.content, bytes):  # The parameters are signed, however they are written.
        content = sorted(parse_qsl(verified.content.decode("latin-1"), keep_blank_values=True, encoding="latin-1"))
    return (
        verified.derivation.canonical_request, verified.derivation.string_to_sign, verified.access_key_id, verified.scope, verified.session_token,
        None if unsigned or verified.form is not None else content, None if fields is None else sorted(fields),
    )  # fmt: skip


def run(each: int, seed: int = 1) -> Counter[str]:
    """Tamper with all of them. AssertionError for a change that verifies although it changed what is signed."""
    rng = random.Random(seed)
    counts: Counter[str] = Counter()
    for name, message in valid().items():
        facts = signed_facts(message.verify())
        for changed in changes(message, rng, each):
            counts["all"] += 1
            counts[name] += 1
            try:
                verified = changed.verify()
            except awsign.SignatureError:
                counts["refused"] += 1
                continue
            assert signed_facts(verified) == facts, (name, changed.pieces())
            counts["unchanged"] += 1
        for name_of, clock in (("replayed a day later", timedelta(days=1)), ("before its time", timedelta(days=-1))):
            late = awsign.Verifier(KNOWN.get, now=AT + clock)
            headers = [(n.decode("latin-1"), v) for n, v in message.headers]
            try:
                late.verify(awsign.Request.received(message.method.decode(), message.target, headers, message.body))
            except awsign.SignatureError:
                counts["refused"] += 1
            else:
                # The older schemes say when a URL or a form ends, and not from when on it counts.
                assert name in ("s3v2 query", "form", "sigv2 query") and clock < timedelta(0), (name, name_of)
            counts["all"] += 1
    return counts


def main() -> int:
    start = time.perf_counter()
    counts = run(each=int(sys.argv[1]) if len(sys.argv) > 1 else 12)
    for name, count in counts.items():
        print(f"{name:34} {count:9,}")
    print(
        f"{counts['all']:,} tampered requests in {time.perf_counter() - start:.0f} s: none that changed what is signed was accepted, nothing but SignatureError was raised"
    )
    assert counts["all"] >= 100_000
    return 0


if __name__ == "__main__":
    sys.exit(main())
