"""The shapes of requests: what a caller writes, and what has to arrive."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from .judge import query_of
from .listener import OK, Answer

SKEWED = timedelta(hours=1)
ANYWHERE = "http://OTHER/elsewhere"  # A second listener takes the place of OTHER.


@dataclass
class Shape:
    """path, query: as written in the URL. params: as given to the library. body: (kind, content). payload: the adapter's argument.

    answers: of the server, in order. arrivals: of each request that arrives: signed, bare (no trace of a signature or a token),
    stale (signed at the wrong time, which the server said), or elsewhere (bare, at the other listener).
    rules: for which services it is a request at all.
    """

    name: str
    method: str = "GET"
    path: str = "/bucket/key"
    query: str = ""
    params: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str | bytes] = field(default_factory=dict)
    body: tuple[str, Any] = ("none", None)
    token: bool = False
    payload: str | None = None
    answers: list[Answer | None] = field(default_factory=lambda: [OK])
    arrivals: tuple[str, ...] = ("signed",)
    clock: timedelta = timedelta(0)
    rules: tuple[str, ...] = ("s3", "execute-api")
    times: int = 1
    expiring: bool = False
    region: str = "us-east-1"

    @property
    def category(self) -> str:
        return self.name.partition(":")[0]

    @property
    def path_bytes(self) -> bytes:
        return unquote_to_bytes(self.path.encode())

    @property
    def pairs(self) -> list[tuple[bytes, bytes]]:
        written = query_of(self.query.encode())
        return sorted(written + [(name.encode(), value.encode()) for name, value in self.params])


def _error(code: str, status: int = 403, *, at: timedelta = timedelta(0), json: bool = False, region: str = "") -> Answer:
    date = f"AHEAD {int(at.total_seconds())}"  # Of the time of sending: trial.py writes it out.
    if json:
        body = f'{{"__type":"com.amazon.coral.service#{code}","message":"no"}}'.encode()
        return status, [("Content-Type", "application/x-amz-json-1.0"), ("Date", date)], body
    more = f"<Region>{region}</Region>" if region else ""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message>{more}</Error>".encode()
    return status, [("Content-Type", "application/xml"), ("Date", date)], body


def _redirect(status: int, location: str) -> Answer:
    return status, [("Location", location)], b""


UNAVAILABLE: Answer = (503, [("Retry-After", "0")], b"<Error><Code>SlowDown</Code></Error>")

_PATHS = {
    "plain": "/bucket/key",
    "root": "/",
    "bucket alone": "/bucket",
    "trailing slash": "/bucket/folder/",
    "space escaped": "/bucket/a%20b",
    "space": "/bucket/a b",
    "plus": "/bucket/a+b",
    "plus escaped": "/bucket/a%2Bb",
    "percent escaped": "/bucket/100%25",
    "escaped escape": "/bucket/a%2520b",
    "lower-case escape": "/bucket/a%c3%a9",
    "unicode": "/bucket/é漢字",
    "unicode escaped": "/bucket/%C3%A9",
    "emoji": "/bucket/😀.txt",
    "not UTF-8": "/bucket/%AA%FF",
    "tilde": "/bucket/~user",
    "tilde escaped": "/bucket/%7Euser",
    "equals": "/bucket/year=2026/x",
    "equals escaped": "/bucket/year%3D2026",
    "colon": "/bucket/a:b",
    "at": "/bucket/a@b",
    "ampersand": "/bucket/a&b",
    "dollar": "/bucket/$a",
    "comma": "/bucket/a,b",
    "semicolon": "/bucket/a;b",
    "parentheses": "/bucket/a(1)",
    "star": "/bucket/a*b",
    "exclamation": "/bucket/a!b",
    "quote": "/bucket/it's",
    "double quote escaped": "/bucket/%22a%22",
    "brackets": "/bucket/a[1]",
    "braces": "/bucket/a{1}",
    "pipe": "/bucket/a|b",
    "caret": "/bucket/a^b",
    "backslash": "/bucket/a\\b",
    "less than": "/bucket/a<b>",
    "question escaped": "/bucket/what%3F",
    "hash escaped": "/bucket/a%23b",
    "slash escaped": "/bucket/a%2Fb",
    "newline escaped": "/bucket/a%0Ab",
    "nul escaped": "/bucket/a%00b",
    "delete escaped": "/bucket/a%7Fb",
    "double slash": "/bucket//key",
    "triple slash": "/bucket///key",
    "leading double slash": "//bucket/key",
    "ends in double slash": "/bucket/key//",
    "dot": "/bucket/./key",
    "dot dot": "/bucket/a/../key",
    "dot dot escaped": "/bucket/a/%2E%2E/key",
    "ends in dot": "/bucket/a/.",
    "ends in dot dot": "/bucket/a/..",
    "beyond the root": "/../bucket/key",
    "dots in a name": "/bucket/a..b/...c",
    "unreserved escaped": "/bucket/%61%2D%5F",
    "long": "/bucket/" + "k" * 1000,
    "many segments": "/bucket/" + "a/" * 100,
}
_QUERIES = {
    "one": "a=b",
    "two, unsorted": "b=2&a=1",
    "upper case sorts first": "a=1&B=2",
    "valueless": "acl",
    "valueless with more": "uploads&prefix=a",
    "empty value": "prefix=",
    "space escaped": "prefix=a%20b",
    "space": "prefix=a b",
    "plus": "prefix=a+b",
    "plus escaped": "prefix=a%2Bb",
    "slash": "prefix=a/b",
    "slash escaped": "prefix=a%2Fb",
    "percent escaped": "prefix=100%25",
    "lower-case escape": "prefix=%c3%a9",
    "unicode": "prefix=é",
    "not UTF-8": "prefix=%AA",
    "twice": "a=1&a=2",
    "twice, unsorted": "a=2&a=1",
    "the same twice": "a=1&a=1",
    "name sorts before joined": "a-b=1&a=2",
    "equals in value": "a=b=c",
    "equals escaped": "a=b%3Dc",
    "ampersand escaped": "a=b%26c",
    "semicolon": "a=b;c",
    "question mark": "a=b?c",
    "question mark first": "?a=b",
    "colon and at": "a=b:c@d",
    "tilde": "a=~b",
    "tilde escaped": "a=%7Eb",
    "star and parentheses": "a=*(b)!'",
    "empty pair": "a=1&&b=2",
    "trailing ampersand": "a=1&",
    "no name": "=1",
    "brackets": "a[]=1",
    "pipe": "a=b|c",
    "quotes": "a=%22b%22",
    "base64": "continuation-token=1ueGcxLPRx1Tr%2FXYExHnhbYLgveDs2J%2Fwm36Hy4vbOwM%3D",
    "date": "response-expires=Thu%2C%2001%20Dec%201994%2016%3A00%3A00%20GMT",
    "many": "&".join(f"p{n}={n}" for n in range(60)),
    "long": "a=" + "b" * 4000,
}
_PARAMS = {
    "one": [("a", "b")],
    "space": [("prefix", "a b")],
    "plus": [("prefix", "a+b")],
    "unicode": [("prefix", "é")],
    "slash": [("prefix", "a/b")],
    "twice": [("a", "2"), ("a", "1")],
    "empty": [("prefix", "")],
    "reserved": [("a&b", "c=d?e#f%g")],
    "tilde and star": [("a", "~*(x)!'")],
}
_HEADERS: dict[str, dict[str, str | bytes]] = {
    "metadata": {"x-amz-meta-a": "b"},
    "upper case": {"X-AMZ-META-UPPER": "V"},
    "runs of spaces": {"x-amz-meta-a": "b   c"},
    "quoted spaces": {"x-amz-meta-a": '"b   c"'},
    "tab": {"x-amz-meta-a": "b\tc"},
    "empty": {"x-amz-meta-a": ""},
    "comma": {"x-amz-meta-a": "b,c, d"},
    "equals": {"x-amz-meta-a": "b=c"},
    "UTF-8 bytes": {"x-amz-meta-a": "é".encode()},
    "Latin-1 bytes": {"x-amz-meta-a": b"\xe9"},
    "non-breaking space": {"x-amz-meta-a": b"a\xc2\xa0"},
    "not ASCII": {"x-amz-meta-a": "é"},
    "content-type": {"Content-Type": "text/plain; charset=utf-8"},
    "accept-encoding": {"Accept-Encoding": "identity"},
    "user agent": {"User-Agent": "me/1.0 (b)"},
    "range": {"Range": "bytes=0-9"},
    "date": {"Date": format_datetime(datetime.now(UTC), usegmt=True)},
    "connection": {"Connection": "close"},
    "if-none-match": {"If-None-Match": '"abc"'},
    "copy source": {"x-amz-copy-source": "/bucket/a%20b"},
    "trace id": {"X-Amzn-Trace-Id": "Root=1-2-3"},
    "many": {f"x-amz-meta-{n}": str(n) for n in range(40)},
    "long": {"x-amz-meta-a": "v" * 4000},
    "cookie": {"Cookie": "a=b"},
}
_BODIES: dict[str, tuple[str, Any]] = {
    "bytes": ("bytes", b"hello"),
    "empty bytes": ("bytes", b""),
    "every byte": ("bytes", bytes(range(256))),
    "one MiB": ("bytes", b"x" * (1 << 20)),
    "str": ("str", "hello"),
    "unicode str": ("str", "é漢字"),
    "form": ("form", {"Action": "List", "a": "b c+d"}),
    "form, unicode": ("form", {"a": "é&=%"}),
    "json": ("json", {"TableName": "é", "n": [1, 2.5, None]}),
    "multipart": ("multipart", {"file": ("a.txt", b"contents of it")}),
    "multipart, large": ("multipart", {"file": ("a.bin", b"y" * 300_000)}),
    "file": ("file", (b"contents of a file" * 1000, 0)),
    "file from its middle": ("file", (b"0123456789" * 1000, 5000)),
    "empty file": ("file", (b"", 0)),
    "file of 3 MiB": ("file", (b"z" * (3 << 20), 0)),
    "bytes in memory": ("memory", b"BytesIO"),
    "generator": ("generator", [b"one", b"", b"two"]),
    "empty generator": ("generator", []),
    "generator with a length": ("sized", [b"one", b"two"]),
    "generator of 2 MiB": ("generator", [b"w" * 65536] * 32),
    "async generator": ("async", [b"one", b"two"]),
    "async generator with a length": ("sized async", [b"one", b"two"]),
    "pipe": ("pipe", b"through a pipe"),
}


def all_shapes() -> list[Shape]:
    found = [Shape(f"path: {name}", path=path) for name, path in _PATHS.items()]
    found += [Shape(f"query: {name}", query=query) for name, query in _QUERIES.items()]
    found += [Shape(f"params: {name}", params=params) for name, params in _PARAMS.items()]
    found += [Shape(f"headers: {name}", headers=headers) for name, headers in _HEADERS.items()]
    found += [Shape(f"body: {name}", "PUT", body=body) for name, body in _BODIES.items()]
    found += [
        Shape("body: POST without one", "POST"),
        Shape("body: PUT without one", "PUT"),
        Shape("body: DELETE with one", "DELETE", body=("bytes", b"d")),
        Shape("body: expect 100-continue", "PUT", headers={"Expect": "100-continue"}, body=("bytes", b"later")),
        Shape("body: chunked by hand", "PUT", headers={"Transfer-Encoding": "chunked"}, body=("generator", [b"a", b"b"])),
        Shape("body: own hash", "PUT", body=("bytes", b"hello"), headers={"Content-MD5": "XUFAKrxLKna5cZ2REBfFkg=="}),
    ]
    found += [
        Shape(f"payload: {payload}, {name}", "PUT", body=_BODIES[name], payload=payload, rules=("s3",))
        for payload in ("unsigned", "chunked", "trailer")
        for name in (
            "bytes",
            "file",
            "file from its middle",
            "generator",
            "generator with a length",
            "async generator with a length",
            "empty bytes",
        )
    ]
    found += [Shape(f"method: {method}", method) for method in ("HEAD", "DELETE", "OPTIONS", "PATCH", "POST")]
    found += [
        Shape("token: GET", token=True),
        Shape("token: PUT", "PUT", body=("bytes", b"hello"), token=True),
        Shape("token: with a query", query="b=2&a=1", token=True),
        Shape("token: generator", "PUT", body=("generator", [b"a", b"b"]), token=True),
    ]
    found += [
        Shape("redirect: 307", answers=[_redirect(307, "/bucket/other"), OK], arrivals=("signed", "signed")),
        Shape("redirect: 308 with a body", "PUT", body=("bytes", b"hello"), answers=[_redirect(308, "/bucket/other"), OK], arrivals=("signed", "signed")),
        Shape("redirect: 307 with a file", "PUT", body=("file", (b"0123456789", 5)), answers=[_redirect(307, "/bucket/other"), OK], arrivals=("signed", "signed")),
        Shape("redirect: 307 with a generator", "PUT", body=("generator", [b"a", b"b"]), answers=[_redirect(307, "/bucket/other"), OK], arrivals=("signed", "signed")),
        Shape("redirect: 301", answers=[_redirect(301, "/bucket/other"), OK], arrivals=("signed", "signed")),
        Shape("redirect: 302 of a POST", "POST", body=("bytes", b"hello"), answers=[_redirect(302, "/bucket/other"), OK], arrivals=("signed", "signed")),
        Shape("redirect: 303", "POST", body=("form", {"a": "b"}), answers=[_redirect(303, "/bucket/other?x=1"), OK], arrivals=("signed", "signed")),
        Shape("redirect: twice", answers=[_redirect(307, "/bucket/1"), _redirect(307, "/bucket/2"), OK], arrivals=("signed",) * 3),
        Shape("redirect: with a query", answers=[_redirect(307, "/bucket/other?b=2&a=a%20b"), OK], arrivals=("signed", "signed")),
        Shape("redirect: elsewhere", answers=[_redirect(307, ANYWHERE), OK], arrivals=("signed", "elsewhere")),
        Shape("redirect: elsewhere with a token", token=True, answers=[_redirect(302, ANYWHERE), OK], arrivals=("signed", "elsewhere")),
        Shape("redirect: elsewhere with a body", "PUT", body=("bytes", b"hello"), token=True, answers=[_redirect(307, ANYWHERE), OK], arrivals=("signed", "elsewhere")),
        Shape("redirect: token", token=True, answers=[_redirect(307, "/bucket/other"), OK], arrivals=("signed", "signed")),
    ]  # fmt: skip
    found += [
        Shape("again: reuse of a connection", times=3, arrivals=("signed",) * 3),
        Shape("again: reuse with a body", "PUT", body=("bytes", b"hello"), times=3, arrivals=("signed",) * 3),
        Shape("again: after a 503", answers=[UNAVAILABLE, OK], arrivals=("signed", "signed"), times=2),
        Shape("again: after a hang-up", "PUT", body=("file", (b"0123456789", 0)), answers=[OK, None, OK], arrivals=("signed",) * 3, times=2),
        Shape("again: clock an hour off", answers=[_error("RequestTimeTooSkewed", at=SKEWED), OK], arrivals=("stale", "signed"), clock=SKEWED),
        Shape("again: clock off, JSON", "POST", body=("json", {"a": 1}), answers=[_error("InvalidSignatureException", 400, at=SKEWED, json=True), OK], arrivals=("stale", "signed"), clock=SKEWED),
        Shape("again: clock off, file", "PUT", body=("file", (b"0123456789", 5)), answers=[_error("RequestTimeTooSkewed", at=SKEWED), OK], arrivals=("stale", "signed"), clock=SKEWED),
        Shape("again: clock off, generator", "PUT", body=("generator", [b"a", b"b"]), answers=[_error("RequestTimeTooSkewed", at=SKEWED), OK], arrivals=("stale", "signed"), clock=SKEWED),
        Shape("again: expired credentials", token=True, expiring=True, answers=[_error("ExpiredToken", 400), OK], arrivals=("stale", "signed")),
        Shape("again: expired credentials, file", "PUT", body=("file", (b"0123456789", 5)), token=True, expiring=True, answers=[_error("ExpiredToken", 400), OK], arrivals=("stale", "signed")),
        Shape("again: another region", answers=[_error("AuthorizationHeaderMalformed", 400, region="us-east-1"), OK], arrivals=("stale", "signed"), rules=("s3",), region="eu-west-1"),
        Shape("again: refused for good", answers=[_error("SignatureDoesNotMatch"), OK], arrivals=("signed",)),
        Shape("again: not found", answers=[_error("NoSuchKey", 404), OK], arrivals=("signed",)),
    ]  # fmt: skip
    return found
