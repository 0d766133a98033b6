"""Cases by kind: for each, a function that makes one from a random number generator. A case has the effect of its mistake."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

import awsign

from .broken import EMPTY, Wire, canonical, s3v2, sha, sigv2, sigv4, to_sign

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "FwoGZXIvYXdzEXAMPLE//TOKEN+==abcdefghij"
AT = datetime(2026, 1, 15, 12, 30, 45, tzinfo=UTC)
REGIONS = ["us-east-1", "eu-west-1", "ap-southeast-2", "us-west-2", "eu-central-1"]
SEGMENTS = [
    "reports", "a b", "x+y", "data~1", "ü", "100%", "k:v", "q=1", "semi;colon", "(1)", "it's", "star*", "at@home", "comma,", "photo.jpg", "2026-01-15", "Ünïcode",
]  # fmt: skip
VALUES = ["1", "value", "a b", "a/b", "x~y", "ü", "a:b", "50%", "(x)", "it's", "2026-01-15T12:00:00Z", "a+b", "A", "z"]
NAMES = ["prefix", "list-type", "max-keys", "marker", "delimiter", "Action", "Zone", "a", "a-b", "ab", "filter", "tag"]


class Case:
    """kind: what is wrong; None where nothing is. request: text or bytes. credentials, response, at: as for explain."""

    def __init__(self, kind: str | None, request: bytes | str, *, credentials=None, response=None, at: datetime = AT) -> None:
        self.kind, self.request, self.credentials, self.response, self.at = kind, request, credentials, response, at


class Draw:
    """Random requests with what a mistake needs."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)

    def service(self, s3: bool | None = None) -> tuple[str, str, str]:
        """Service, region and host."""
        region = self.r.choice(REGIONS)
        if s3 is None:
            s3 = self.r.random() < 0.6
        if s3:
            return (
                "s3",
                region,
                self.r.choice(
                    [f"bucket.s3.{region}.amazonaws.com", f"s3.{region}.amazonaws.com", "localhost:9000", "minio.example.com"]
                ),
            )
        service, host = self.r.choice(
            [("execute-api", f"abc123.execute-api.{region}.amazonaws.com"), ("es", f"search-x.{region}.es.amazonaws.com"), ("execute-api", "api.example.com"),
             ("lambda", f"abcdef.lambda-url.{region}.on.aws")]
        )  # fmt: skip
        return service, region, host

    def path(self, *needed: str, count: int | None = None) -> str:
        parts = [self.r.choice(SEGMENTS) for _ in range(self.r.randint(1, 4) if count is None else count)]
        parts += needed
        self.r.shuffle(parts)
        return "/" + "/".join(["bucket", *(quote(part, safe="-_.~/") for part in parts)])

    def query(self, least: int = 0, *needed: tuple[str, str | None]) -> list[tuple[str, str | None]]:
        pairs = [
            (name, quote(self.r.choice(VALUES), safe="-_.~")) for name in self.r.sample(NAMES, self.r.randint(least, least + 3))
        ]
        pairs += needed
        self.r.shuffle(pairs)
        return pairs

    def wire(
        self,
        s3: bool | None = None,
        *,
        path=None,
        query=None,
        headers=None,
        body: bytes | None = None,
        method: str | None = None,
        host=None,
    ):
        service, region, own = self.service(s3)
        if method is None:
            method = self.r.choice(["GET", "PUT", "POST", "DELETE"]) if body is None else self.r.choice(["PUT", "POST"])
        if body is None:
            body = b"" if method in ("GET", "DELETE") else self.r.choice([b"{}", b'{"a": 1}', b"hello world", bytes(range(200))])
        if headers is None:
            headers = self.r.choice(
                [
                    [],
                    [("X-Amz-Meta-Note", "plain")],
                    [("Content-Type", "application/json")],
                    [("Content-Type", "text/plain"), ("Accept", "*/*")],
                ]
            )
        wire = Wire(method, host or own, path or self.path(), self.query() if query is None else query, list(headers), body)
        return wire, {"access_key": KEY, "secret": SECRET, "service": service, "region": region, "at": AT}


CREDENTIALS = awsign.Credentials(KEY, SECRET)
TEMPORARY = awsign.Credentials("ASIAEXAMPLE", SECRET, TOKEN)


def signed_wrong(draw: Draw, m: str, make: Callable[[], tuple[Wire, dict]], *, presign: bool | None = None, **more) -> Wire:
    """A request signed with a mistake that has an effect."""
    for _ in range(400):
        wire, settings = make()
        seconds = 3600 if (presign if presign is not None else draw.r.random() < 0.25) else None
        wrong, *_ = sigv4(wire, **settings, m=m, presign=seconds, **more)
        right, *_ = sigv4(wire, **settings, presign=seconds, **more)
        if wrong.message() != right.message():
            return wrong
    raise AssertionError(f"{m} has no effect")


def _canonical(m: str, make: Callable[[Draw], tuple[Wire, dict]], *, presign: bool | None = None) -> Callable[[Draw], Case]:
    return lambda draw: Case(m, signed_wrong(draw, m, lambda: make(draw), presign=presign).message(), credentials=CREDENTIALS)


def _wire(draw: Draw, **more) -> tuple[Wire, dict]:
    return draw.wire(**more)


def on_the_way(
    kind: str, change: Callable[[Draw, Wire], None], make: Callable[[Draw], tuple[Wire, dict]] = _wire, **signing
) -> Callable[[Draw], Case]:
    """Signed right, then changed."""

    def case(draw: Draw) -> Case:
        wire, settings = make(draw)
        right, *_ = sigv4(wire, **settings, **signing)
        change(draw, right)
        return Case(kind, right.message(), credentials=CREDENTIALS)

    return case


def answered(
    kind: str, change: Callable[[Draw, Wire], None], make: Callable[[Draw], tuple[Wire, dict]] = _wire, **signing
) -> Callable[[Draw], Case]:
    """The request as its sender has it, and the answer of a server that saw another; with the secret or without."""

    def case(draw: Draw) -> Case:
        wire, settings = make(draw)
        sent, *_ = sigv4(wire, **settings, **signing)
        seen = sent.copy()
        change(draw, seen)
        return Case(kind, sent.message(), credentials=draw.r.choice([CREDENTIALS, None]), response=answer_of(seen, settings))

    return case


def answer_of(seen: Wire, settings: dict) -> bytes:
    """What S3, or API Gateway, answers to what it saw."""
    authorization = seen.header("authorization") or ""
    signed = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    s3 = settings["service"] == "s3"
    payload = seen.header("x-amz-content-sha256") or sha(seen.body)
    text = canonical(seen, signed, payload, s3)
    stamp = seen.header("x-amz-date") or ""
    to = to_sign(stamp, f"{stamp[:8]}/{settings['region']}/{settings['service']}/aws4_request", text)
    if s3:
        from xml.sax.saxutils import escape

        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not '
            f"match the signature you provided. Check your key and signing method.</Message><AWSAccessKeyId>{KEY}</AWSAccessKeyId>"
            f"<StringToSign>{escape(to)}</StringToSign><SignatureProvided>x</SignatureProvided><CanonicalRequest>{escape(text)}</CanonicalRequest>"
            "<RequestId>4442587FB7D0A2F9</RequestId></Error>"
        ).encode("latin-1")
    message = (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. "
        "Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n"
        f"'{text}'\n\nThe String-to-Sign should have been\n'{to}'\n"
    )
    return json.dumps({"message": message}).encode()


def either(*makers: Callable[[Draw], Case]) -> Callable[[Draw], Case]:
    return lambda draw: draw.r.choice(makers)(draw)


def _signed(
    kind: str, *, change=None, make=_wire, credentials=CREDENTIALS, at: datetime = AT, response=None, **signing
) -> Callable[[Draw], Case]:
    def case(draw: Draw) -> Case:
        wire, settings = make(draw)
        settings |= {name: value(draw) if callable(value) else value for name, value in signing.items()}
        sent, *_ = sigv4(wire, **settings)
        if change:
            change(draw, sent)
        return Case(kind, sent.message(), credentials=credentials, at=at, response=response)

    return case


def s3_wire(draw: Draw, **more):
    return draw.wire(True, **more)


def other_wire(draw: Draw, **more):
    return draw.wire(False, **more)


def with_body(draw: Draw, **more):
    return draw.wire(body=draw.r.choice([b'{"name": "v\xc3\xa4lue"}', "Grüße".encode(), b"a\nb\n", b"hello"]), **more)


def _put(name: str, *values: str | None) -> Callable[[Draw, Wire], None]:
    return lambda draw, wire: wire.put(name, draw.r.choice(values))


def header_wire(name: str, value: str):
    return lambda draw: draw.wire(headers=[(name, value)])


def presigned(
    kind: str,
    change: Callable[[Draw, Wire], None] | None = None,
    *,
    make=s3_wire,
    form: str = "either",
    seconds: int = 3600,
    at: datetime = AT,
    **signing,
):
    """A presigned URL, used."""

    def case(draw: Draw) -> Case:
        wire, settings = make(draw)
        sent, *_ = sigv4(wire, **settings, presign=seconds, **signing)
        if change:
            change(draw, sent)
        as_url = form == "url" or (form == "either" and sent.method == "GET" and not sent.headers and draw.r.random() < 0.5)
        return Case(kind, sent.url if as_url else sent.message(), credentials=CREDENTIALS, at=at)

    return case


def get_wire(draw: Draw, **more):
    return draw.wire(True, method="GET", headers=[], **more)


def query_api(draw: Draw) -> Wire:
    pairs = [("Action", draw.r.choice(["DescribeRegions", "ListDomains"])), ("Version", "2016-11-15"), *draw.query(2)]
    return Wire("GET", draw.r.choice(["ec2.us-east-1.amazonaws.com", "sdb.amazonaws.com"]), "/", list(dict(pairs).items()), [], b"")


def older(kind: str, m: str | None = None, *, scheme: str | None = None, change=None, **signing) -> Callable[[Draw], Case]:
    def case(draw: Draw) -> Case:
        for _ in range(500):
            use = scheme or draw.r.choice(["sigv2", "s3v2"])
            settings = {"access_key": KEY, "secret": SECRET, "at": AT}
            if use == "sigv2":
                wire = query_api(draw)
                wrong, right = (sigv2(wire, **settings, m=x, **signing) for x in (m or kind, ""))
            else:
                bucket = draw.r.choice(["", "photos"])
                host = f"{bucket}.s3.amazonaws.com" if bucket else "s3.amazonaws.com"
                headers = draw.r.choice([[], [("X-Amz-Meta-A", "b")], [("Content-Type", "text/plain")]])
                wire = Wire(
                    draw.r.choice(["GET", "PUT"]),
                    host,
                    draw.path(),
                    draw.r.choice([[], [("acl", None)], [("versionId", "a%2Fb"), ("x", "y")]]),
                    headers,
                    b"",
                )
                wrong, right = (s3v2(wire, **settings, bucket=bucket, m=x, **signing) for x in (m or kind, ""))
            if change:
                change(draw, right)
                return Case(kind, right.message(), credentials=CREDENTIALS)
            if wrong.message() != right.message():
                return Case(kind, wrong.message(), credentials=CREDENTIALS)
        raise AssertionError(kind)

    return case


def post_form(draw: Draw) -> Case:
    """A form whose fields do not meet its policy."""
    which = draw.r.randrange(4)
    policy = {
        "expiration": "2026-01-16T00:00:00Z",
        "conditions": [{"bucket": "photos"}, ["starts-with", "$key", "in/"], {"acl": "private"}, ["content-length-range", 1, 100], {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
                       ["starts-with", "$x-amz-credential", ""], ["starts-with", "$x-amz-date", ""]],
    }  # fmt: skip
    encoded = base64.b64encode(json.dumps(policy).encode()).decode()
    from .broken import signing_key

    key = signing_key(SECRET, "20260115", "us-east-1", "s3")
    import hmac

    signature = hmac.new(key, encoded.encode(), "sha256").hexdigest()
    fields = {
        "key": "out/x" if which == 0 else "in/x", "acl": "public-read" if which == 1 else "private", "policy": encoded, "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": f"{KEY}/20260115/us-east-1/s3/aws4_request", "x-amz-date": "20260115T120000Z", "x-amz-signature": signature,
    }  # fmt: skip
    if which == 2:
        fields["x-amz-meta-more"] = "1"
    content = "x" * (200 if which == 3 else draw.r.randint(1, 99))
    parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items())
    body = f'{parts}--b\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\n\r\n{content}\r\n--b--\r\n'.encode()
    head = f"POST / HTTP/1.1\r\nHost: photos.s3.us-east-1.amazonaws.com\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n"
    return Case("post-policy-condition", head.encode() + body, credentials=draw.r.choice([CREDENTIALS, None]))


def _requote(draw: Draw, wire: Wire) -> None:
    how = draw.r.randrange(3)
    if how == 0:
        wire.query = [(k, None if v is None else quote(v, safe="")) for k, v in wire.query]
    elif how == 1:
        wire.query = [("amp;" + k if n else k, v) for n, (k, v) in enumerate(wire.query)]
    else:
        wire.query = (
            wire.query[:1]
            if wire.query[0][0].startswith("X-Amz")
            else wire.query[: 1 + next(n for n, (k, _) in enumerate(wire.query) if k.startswith("X-Amz-Cred"))]
        )


def _drop(names: str) -> Callable[[Draw, Wire], None]:
    return lambda draw, wire: wire.put(names, None)


def _other_secret(draw: Draw) -> str:
    return base64.b64encode(draw.r.randbytes(30)).decode()


def _body(kind: str, change: Callable[[bytes], bytes], *, make=with_body, service: bool | None = None) -> Callable[[Draw], Case]:
    """A body that changed after it was signed: with the declared hash, and for services that declare none."""

    def case(draw: Draw) -> Case:
        for _ in range(100):
            wire, settings = make(draw)
            sent, *_ = sigv4(wire, **settings)
            sent.body = change(sent.body)
            if sent.body != wire.body:
                return Case(kind, sent.message(), credentials=CREDENTIALS)
        raise AssertionError(kind)

    return case


def temporary(draw: Draw, **more):
    wire, settings = draw.wire(**more)
    return wire, settings | {"access_key": "ASIAEXAMPLE", "token": TOKEN}


def _slashes(draw: Draw) -> str:
    return draw.r.choice(["/bucket//a", "/bucket/a/../b", "/bucket/./x/y", "/bucket/a//b//c", "/bucket/a/./b"]) + draw.r.choice(
        ["", "/tail", "/a%20b"]
    )


GENERATORS: dict[str, Callable[[Draw], Case]] = {
    "path-encoded-twice": _canonical("path-encoded-twice", lambda d: d.wire(path=d.path("a b"))),
    "path-encoded-once": _canonical("path-encoded-once", lambda d: d.wire(path=d.path("a b"))),
    "path-normalized": _canonical("path-normalized", lambda d: d.wire(True, path=_slashes(d))),
    "path-not-normalized": _canonical("path-not-normalized", lambda d: d.wire(False, path=_slashes(d))),
    "path-rewritten": on_the_way("path-rewritten", lambda d, w: setattr(w, "path", w.path.removeprefix("/prod")), lambda d: d.wire(path="/prod" + d.path())),
    "plus-for-space": either(
        _canonical("plus-for-space", lambda d: d.wire(query=d.query(1, ("note", "a%20b")))),
        on_the_way("plus-for-space", lambda d, w: setattr(w, "query", [(k, v and v.replace("%2B", "+")) for k, v in w.query]), lambda d: d.wire(query=d.query(1, ("note", "a%2Bb")))),
    ),
    "lower-case-hex": _canonical("lower-case-hex", lambda d: d.wire(query=d.query(1, ("note", "a%2Fb")))),
    "unreserved-escaped": _canonical("unreserved-escaped", lambda d: d.wire(path=d.path("data~1"))),
    "reserved-not-escaped": _canonical("reserved-not-escaped", lambda d: d.wire(path=d.path("(1)"), query=d.query(1, ("n", "it%27s")))),
    "query-not-sorted": _canonical("query-not-sorted", lambda d: d.wire(query=d.query(2))),
    "query-sorted-decoded": _canonical("query-sorted-decoded", lambda d: d.wire(query=d.query(1, ("f", "%C3%BC"), ("f", "z"), ("f", "a%2Fb"), ("f", "a0")))),
    "query-sorted-joined": _canonical("query-sorted-joined", lambda d: d.wire(query=d.query(0, ("a", "2"), ("a-b", "1"), ("a.b", "1")))),
    "query-sorted-otherwise": _canonical("query-sorted-otherwise", lambda d: d.wire(query=d.query(1, ("Zed", "1"), ("apple", "2")))),
    "query-not-signed": _canonical("query-not-signed", lambda d: d.wire(query=d.query(1)), presign=False),
    "query-encoded-twice": _canonical("query-encoded-twice", lambda d: d.wire(query=d.query(1, ("x", "a%2Fb"))), presign=False),
    "valueless-key-without-equals": _canonical("valueless-key-without-equals", lambda d: d.wire(query=d.query(0, (d.r.choice(["acl", "uploads"]), None)))),
    "empty-parameter-dropped": _canonical("empty-parameter-dropped", lambda d: d.wire(query=d.query(1, ("empty", "")))),
    "duplicate-parameter-dropped": _canonical("duplicate-parameter-dropped", lambda d: d.wire(query=d.query(1, ("dup", "1"), ("dup", "2")))),
    "parameter-added": either(
        on_the_way("parameter-added", lambda d, w: w.query.insert(d.r.randint(0, len(w.query)), ("utm", "x1"))),
        presigned("parameter-added", lambda d, w: w.query.append(("cache", "1"))),
        answered("parameter-added", lambda d, w: w.query.append(("trace", "1"))),
    ),
    "wrong-method": either(on_the_way("wrong-method", lambda d, w: setattr(w, "method", "POST" if w.method != "POST" else "PUT")), answered("wrong-method", lambda d, w: setattr(w, "method", "HEAD"))),
    "presigned-for-another-method": presigned("presigned-for-another-method", lambda d, w: setattr(w, "method", d.r.choice(["PUT", "POST", "HEAD", "DELETE"])), make=get_wire),
    "host-without-port": either(
        lambda d: _host(d, "minio.example.com:9000", "minio.example.com", "host-without-port"),
        lambda d: _host(d, f"127.0.0.1:{d.r.randint(1025, 60000)}", "127.0.0.1", "host-without-port"),
    ),
    "host-with-port": either(
        lambda d: _host(d, "minio.example.com", "minio.example.com:443", "host-with-port"),
        lambda d: _host(d, "s3.example.com", "s3.example.com:9000", "host-with-port"),
        answered("host-with-port", lambda d, w: setattr(w, "host", w.host.partition(":")[0]), lambda d: d.wire(host="minio.example.com:9000")),
    ),
    "other-host": either(
        answered("other-host", lambda d, w: setattr(w, "host", "10.0.0.7")),
        on_the_way("other-host", lambda d, w: (w.put("X-Forwarded-Host", w.host), setattr(w, "host", "backend.internal"))[0]),
        lambda d: _host(d, f"127.0.0.1:{d.r.randint(1025, 60000)}", f"127.0.0.1:{d.r.randint(1025, 60000)}", "other-host"),
    ),
    "ipv6-brackets": lambda d: _host(d, f"[::1]:{d.r.randint(1025, 60000)}" if d.r.random() < 0.5 else "[2001:db8::7]", None, "ipv6-brackets"),
    "global-endpoint-redirected": lambda d: _redirected(d),
    "header-not-trimmed": _canonical("header-not-trimmed", lambda d: d.wire(headers=[("X-Amz-Meta-Note", f"  {d.r.choice(['padded', 'x y'])}  ")]), presign=False),
    "header-not-folded": _canonical("header-not-folded", lambda d: d.wire(headers=[("X-Amz-Meta-Note", d.r.choice(["two  spaces", "a   b  c", '"quoted  twice"']))])),
    "header-name-case": _canonical("header-name-case", lambda d: d.wire(headers=[("X-Amz-Meta-Note", "x")]), presign=False),
    "header-added": either(
        on_the_way("header-added", _put("X-Amz-Copy-Source", "/other/key")),
        on_the_way("header-added", lambda d, w: w.put("Cache-Control", "no-cache, proxied"), header_wire("Cache-Control", "no-cache"), more=("cache-control",)),
        answered("header-added", lambda d, w: w.put("X-Custom", "one,two"), header_wire("X-Custom", "one"), more=("x-custom",)),
    ),
    "header-dropped": either(
        on_the_way("header-dropped", _drop("X-Amz-Meta-Note"), header_wire("X-Amz-Meta-Note", "x")),
        on_the_way("header-dropped", _drop("Accept-Encoding"), header_wire("Accept-Encoding", "identity"), more=("accept-encoding",)),
    ),
    "header-rewritten": either(
        on_the_way("header-rewritten", _put("Accept-Encoding", "gzip", "gzip, deflate, br"), header_wire("Accept-Encoding", "identity"), more=("accept-encoding",)),
        answered("header-rewritten", _put("User-Agent", "proxy/1.0"), header_wire("User-Agent", "my-client/2"), more=("user-agent",)),
        answered("header-rewritten", _put("Range", "bytes=0-1023"), header_wire("Range", "bytes=0-"), more=("range",)),
    ),
    "header-encoding": lambda d: _latin(d),
    "content-type-changed": either(
        on_the_way("content-type-changed", _put("Content-Type", "application/json; charset=utf-8", "application/x-www-form-urlencoded"), header_wire("Content-Type", "application/json")),
        answered("content-type-changed", _put("Content-Type", "application/odd; charset=x"), header_wire("Content-Type", "text/plain")),
    ),
    "body-changed": either(_body("body-changed", lambda b: b + b" more", make=lambda d: s3_wire(d, body=b"first")), _body("body-changed", lambda b: json.dumps(json.loads(b), separators=(",", ":")).encode(), make=lambda d: d.wire(body=b'{"a": 1, "b": 2}'))),
    "empty-hash-for-body": lambda d: _payload(d, EMPTY, "empty-hash-for-body"),
    "body-encoding": _body("body-encoding", lambda b: b.decode().encode("latin-1"), make=lambda d: d.wire(body="Grüße aus Köln".encode())),
    "body-compressed": _body("body-compressed", lambda b: gzip.compress(b, mtime=7), make=with_body),
    "body-trailing-newline": either(_body("body-trailing-newline", lambda b: b + b"\n"), _body("body-trailing-newline", lambda b: b.rstrip(b"\n"), make=lambda d: d.wire(body=b"line\n")), _body("body-trailing-newline", lambda b: b.replace(b"\n", b"\r\n"), make=lambda d: d.wire(body=b"a\nb\n"))),
    "unsigned-payload-not-taken": either(lambda d: _unsigned(d), lambda d: _payload(d, "UNSIGNED-PAYLOAD", "unsigned-payload-not-taken", s3=False), lambda d: _presigned_hash(d)),
    "payload-hash-differs": lambda d: _hash_differs(d),
    "missing-content-sha256": lambda d: Case("missing-content-sha256", _sig(d, s3_wire, m="missing-content-sha256").message(), credentials=CREDENTIALS),
    "session-token-missing": _signed("session-token-missing", change=_drop("X-Amz-Security-Token"), make=temporary, credentials=TEMPORARY),
    "session-token-unsigned": _signed("session-token-unsigned", make=temporary, credentials=TEMPORARY, m="session-token-unsigned"),
    "session-token-of-others": _signed("session-token-of-others", make=lambda d: temporary(d), credentials=TEMPORARY, token=lambda d: "Other" + d.r.choice("abc") * 40),
    "session-token-url-encoded": _signed("session-token-url-encoded", make=lambda d: temporary(d), credentials=TEMPORARY, token=lambda d: quote(TOKEN, safe="")),
    "expired-credentials": _signed("expired-credentials", make=temporary, credentials=awsign.Credentials("ASIAEXAMPLE", SECRET, TOKEN, AT - timedelta(hours=1))),
    "clock-skew": lambda d: Case("clock-skew", _sig(d, _wire).message(), credentials=d.r.choice([CREDENTIALS, None]), at=AT + d.r.choice([1, -1]) * timedelta(minutes=d.r.choice([17, 23, 41, 52, 77, 100, 200, 1000, 5000]), seconds=d.r.randint(0, 20))),
    "local-time-for-utc": lambda d: Case("local-time-for-utc", _sig(d, _wire).message(), credentials=d.r.choice([CREDENTIALS, None]), at=AT + timedelta(hours=d.r.choice([-9, -8, -5, -1, 1, 2, 5, 5.5, 8]), seconds=d.r.randint(-30, 30))),
    "scope-date": _signed("scope-date", day=lambda d: d.r.choice(["20260114", "20260116"])),
    "time-of-signing-differs": lambda d: _two_clocks(d),
    "expired-url": presigned("expired-url", at=AT + timedelta(hours=3)),
    "expires-over-maximum": presigned("expires-over-maximum", seconds=604801 + 100),
    "missing-date": lambda d: _no_date(d),
    "wrong-region": either(lambda d: _place(d, "wrong-region"), _signed("wrong-region", key_region="us-gov-west-1")),
    "wrong-service": either(lambda d: _place(d, "wrong-service"), _signed("wrong-service", make=other_wire, key_service="apigateway")),
    "terminator-misspelt": _signed("terminator-misspelt", m="terminator-misspelt"),
    "secret-white-space": either(_signed("secret-white-space", m="secret-white-space"), older("secret-white-space", scheme="sigv2")),
    "secret-url-decoded": _signed("secret-url-decoded", m="secret-url-decoded"),
    "wrong-secret": _signed("wrong-secret", secret=_other_secret),
    "access-key-of-others": _signed("access-key-of-others", access_key="AKIDOTHER"),
    "aws4-prefix-forgotten": _signed("aws4-prefix-forgotten", m="aws4-prefix-forgotten"),
    "key-hex": _signed("key-hex", m="key-hex"),
    "key-derivation": _signed("key-derivation", m="key-derivation"),
    "string-to-sign-crlf": _signed("string-to-sign-crlf", m="string-to-sign-crlf"),
    "newline-after-headers-missing": _signed("newline-after-headers-missing", m="newline-after-headers-missing"),
    "trailing-newline": _signed("trailing-newline", m="trailing-newline"),
    "canonical-request-not-hashed": _signed("canonical-request-not-hashed", m="canonical-request-not-hashed"),
    "base64-for-hex": _signed("base64-for-hex", m="base64-for-hex"),
    "hex-for-base64": older("hex-for-base64"),
    "sigv2-parameter-order": older("sigv2-parameter-order", scheme="sigv2"),
    "sigv2-newline": older("sigv2-newline"),
    "sigv2-signature-encoding": lambda d: _plus_in_signature(d),
    "signature-algorithm": older("signature-algorithm"),
    "resource-differs": older("resource-differs", scheme="s3v2"),
    "date-line-differs": older("date-line-differs", scheme="s3v2"),
    "presigned-url-requoted": presigned("presigned-url-requoted", _requote, make=get_wire),
    "presigned-headers-not-sent": presigned("presigned-headers-not-sent", _drop("X-Amz-Acl"), make=lambda d: d.wire(True, method="PUT", headers=[("X-Amz-Acl", "public-read")], body=b"x")),
    "post-policy-condition": post_form,
    "not-signed": lambda d: Case("not-signed", d.wire()[0].message(), credentials=CREDENTIALS),
    "signed-twice": lambda d: _twice(d),
    "host-not-signed": lambda d: _host_unsigned(d),
}  # fmt: skip


def _sig(draw: Draw, make, **more) -> Wire:
    wire, settings = make(draw)
    return sigv4(wire, **settings, **more)[0]


def _host(draw: Draw, host: str, signed: str | None, kind: str) -> Case:
    if signed is None:
        signed = host.replace("[", "").replace("]", "")
    return Case(kind, _sig(draw, lambda d: d.wire(host=host), host=signed).message(), credentials=CREDENTIALS)


def _redirected(draw: Draw) -> Case:
    wire, settings = draw.wire(True, host="bucket.s3.amazonaws.com")
    settings["region"] = "us-east-1"
    sent, *_ = sigv4(wire, **settings)
    if draw.r.random() < 0.5:
        answer = "<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.</Message><Endpoint>bucket.s3.eu-west-1.amazonaws.com</Endpoint><Bucket>bucket</Bucket></Error>"
        return Case("global-endpoint-redirected", sent.message(), credentials=draw.r.choice([CREDENTIALS, None]), response=answer)
    settings["region"] = "eu-west-1"
    sent, *_ = sigv4(wire, **settings)
    sent.host = "bucket.s3.eu-west-1.amazonaws.com"
    return Case("global-endpoint-redirected", sent.message(), credentials=CREDENTIALS)


def _latin(draw: Draw) -> Case:
    wire, settings = draw.wire(headers=[("X-Amz-Meta-Name", "Gr\u00fc\u00dfe".encode().decode("latin-1"))])
    sent, *_ = sigv4(wire, **settings)
    sent.put("X-Amz-Meta-Name", "Gr\u00fc\u00dfe")  # Sent as Latin-1, signed as UTF-8.
    return Case("header-encoding", sent.message(), credentials=CREDENTIALS)


def _payload(draw: Draw, payload: str, kind: str, s3: bool | None = None) -> Case:
    wire, settings = with_body(draw) if s3 is None else draw.wire(s3, body=b"content")
    sent, *_ = sigv4(wire, **settings, payload=payload)
    if settings["service"] != "s3" and payload == "UNSIGNED-PAYLOAD" and draw.r.random() < 0.5:
        wire.put("X-Amz-Content-Sha256", payload)
        sent, *_ = sigv4(wire, **settings, payload=payload)
    return Case(kind, sent.message(), credentials=CREDENTIALS)


def _unsigned(draw: Draw) -> Case:
    wire, settings = draw.wire(False, headers=[("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")], body=b"content")
    return Case(
        "unsigned-payload-not-taken", sigv4(wire, **settings, payload="UNSIGNED-PAYLOAD")[0].message(), credentials=CREDENTIALS
    )


def _presigned_hash(draw: Draw) -> Case:
    wire, settings = get_wire(draw)
    return Case(
        "unsigned-payload-not-taken", sigv4(wire, **settings, presign=600, payload=EMPTY)[0].message(), credentials=CREDENTIALS
    )


def _hash_differs(draw: Draw) -> Case:
    wire, settings = s3_wire(draw, body=b"content")
    sent, *_ = sigv4(wire, **settings)
    again = sigv4(wire, **settings, payload=sha(b"content").upper())[0]
    again.put("X-Amz-Content-Sha256", sha(b"content"))
    wire.put("X-Amz-Content-Sha256", sha(b"content"))
    signed = sorted(
        {"host", "x-amz-date"}
        | {n.lower() for n, _ in sent.headers if n.lower().startswith("x-amz-") or n.lower() == "content-type"}
    )
    text = canonical(sent, signed, sha(b"content").upper(), True)
    from .broken import mac, signing_key, stamp_of

    scope = f"{stamp_of(AT)[:8]}/{settings['region']}/s3/aws4_request"
    given = mac(signing_key(SECRET, stamp_of(AT)[:8], settings["region"], "s3"), to_sign(stamp_of(AT), scope, text)).hex()
    sent.put("Authorization", f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={';'.join(signed)}, Signature={given}")
    return Case("payload-hash-differs", sent.message(), credentials=CREDENTIALS)


def _two_clocks(draw: Draw) -> Case:
    """The canonical request has one time, the string to sign another."""
    wire, settings = draw.wire()
    sent, text, _ = sigv4(wire, **settings)
    from .broken import mac, signing_key, stamp_of

    at = AT + timedelta(seconds=draw.r.choice([-2, -1, 1, 2]))
    scope = f"{stamp_of(AT)[:8]}/{settings['region']}/{settings['service']}/aws4_request"
    given = mac(
        signing_key(SECRET, stamp_of(AT)[:8], settings["region"], settings["service"]), to_sign(stamp_of(at), scope, text)
    ).hex()
    authorization = sent.header("authorization") or ""
    sent.put("Authorization", authorization.rpartition("=")[0] + "=" + given)
    return Case("time-of-signing-differs", sent.message(), credentials=CREDENTIALS)


def _no_date(draw: Draw) -> Case:
    wire = _sig(draw, _wire)
    wire.put("X-Amz-Date", draw.r.choice(["2026-01-15T12:30:45Z", "now", "20260115"]))
    return Case("missing-date", wire.message(), credentials=CREDENTIALS)


def _place(draw: Draw, kind: str) -> Case:
    wire, settings = draw.wire(host="abc123.execute-api.eu-west-1.amazonaws.com")
    settings |= {"service": "execute-api", "region": "eu-west-1"}
    settings |= (
        {"region": draw.r.choice(["us-east-1", "eu-west-2"])}
        if kind == "wrong-region"
        else {"service": draw.r.choice(["lambda", "s3"])}
    )
    return Case(kind, sigv4(wire, **settings)[0].message(), credentials=draw.r.choice([CREDENTIALS, None]))


def _plus_in_signature(draw: Draw) -> Case:
    while True:
        case = older("sigv2-signature-encoding", scheme="sigv2")(draw)
        if b"+" in case.request.rpartition(b"Signature=")[2].partition(b" ")[0]:
            return case


def _twice(draw: Draw) -> Case:
    wire, settings = get_wire(draw)
    both, *_ = sigv4(wire, **settings, presign=600)
    both.put("Authorization", sigv4(wire, **settings)[0].header("authorization"))
    return Case("signed-twice", both.message(), credentials=CREDENTIALS)


def _host_unsigned(draw: Draw) -> Case:
    wire = _sig(draw, _wire)
    wire.put("Authorization", (wire.header("authorization") or "").replace("host;", ""))
    return Case("host-not-signed", wire.message(), credentials=CREDENTIALS)


def matching(draw: Draw) -> Case:
    """A request with nothing wrong in it."""
    which = draw.r.randrange(6)
    if which == 0:
        wire, settings = get_wire(draw, query=draw.query(0, ("acl", None)))
        return Case(None, sigv4(wire, **settings, presign=600)[0].url, credentials=CREDENTIALS)
    if which == 1:
        return Case(None, sigv2(query_api(draw), access_key=KEY, secret=SECRET, at=AT).message(), credentials=CREDENTIALS)
    if which == 2:
        wire = Wire("GET", "photos.s3.amazonaws.com", draw.path(), [("acl", None)], [], b"")
        return Case(None, s3v2(wire, access_key=KEY, secret=SECRET, at=AT, bucket="photos").message(), credentials=CREDENTIALS)
    if which == 3:
        wire, settings = temporary(draw)
        return Case(None, sigv4(wire, **settings)[0].message(), credentials=TEMPORARY)
    wire, settings = draw.wire(
        path=draw.r.choice([None, _slashes(draw)]), headers=[("X-Amz-Meta-Note", "two  spaces "), ("Content-Type", "text/plain")]
    )
    sent = sigv4(wire, **settings)[0]
    return Case(None, sent.message(), credentials=draw.r.choice([CREDENTIALS, CREDENTIALS, None]))


__all__ = ["GENERATORS", "Case", "Draw", "matching", "unquote"]


def _resigned(wire: Wire, settings: dict, text: str) -> Wire:
    """The request with the signature of another canonical request."""
    from .broken import mac, signing_key, stamp_of

    stamp = stamp_of(AT)
    scope = f"{stamp[:8]}/{settings['region']}/{settings['service']}/aws4_request"
    given = mac(signing_key(SECRET, stamp[:8], settings["region"], settings["service"]), to_sign(stamp, scope, text)).hex()
    wire.put("Authorization", (wire.header("authorization") or "").rpartition("=")[0] + "=" + given)
    return wire


def _not_encoded(draw: Draw) -> Case:
    """A query signed as a person writes it: blanks and umlauts as they are."""
    wire, settings = draw.wire(query=draw.query(0, ("note", quote(draw.r.choice(["a b", "grün", "x y z", "ü ö"])))))
    sent, text, _ = sigv4(wire, **settings)
    lines = text.split("\n")
    plain = sorted((unquote(name, "latin-1"), unquote(value or "", "latin-1")) for name, value in wire.query)
    lines[2] = "&".join(f"{name}={value}" for name, value in plain)
    return Case("query-not-encoded", _resigned(sent, settings, "\n".join(lines)).message(), credentials=CREDENTIALS)


def _edited_url(draw: Draw) -> Case:
    """X-Amz-Expires made longer by hand."""
    wire, settings = get_wire(draw)
    sent, *_ = sigv4(wire, **settings, presign=draw.r.choice([60, 300, 900, 3600]))
    sent.query = [(name, "43200" if name == "X-Amz-Expires" else value) for name, value in sent.query]
    return Case("query-rewritten", sent.url, credentials=CREDENTIALS)


def _list_out_of_order(draw: Draw) -> Case:
    wire, settings = draw.wire(headers=[("X-Amz-Meta-Note", "x"), ("Content-Type", "text/plain")])
    sent, *_ = sigv4(wire, **settings)
    authorization = sent.header("authorization") or ""
    names = authorization.partition("SignedHeaders=")[2].partition(",")[0]
    shuffled = names.split(";")
    while ";".join(shuffled) == names:
        draw.r.shuffle(shuffled)
    sent.put("Authorization", authorization.replace(names, ";".join(shuffled)))
    return Case("signed-headers-differ", sent.message(), credentials=draw.r.choice([CREDENTIALS, None]))


def _cut_or_shouted(draw: Draw) -> Case:
    sent = _sig(draw, _wire)
    authorization = sent.header("authorization") or ""
    head, given = authorization[:-64], authorization[-64:]
    sent.put("Authorization", head + draw.r.choice([given.upper(), given[: draw.r.randint(20, 63)]]))
    return Case("signature-form", sent.message(), credentials=draw.r.choice([CREDENTIALS, None]))


def _policy_as_text(draw: Draw) -> Case:
    """A form whose signature is of the JSON, or of the base64 with its line breaks."""
    import hmac

    from .broken import signing_key

    policy = json.dumps({"expiration": "2026-01-16T00:00:00Z", "conditions": [{"bucket": "photos"}, ["starts-with", "$key", ""], {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
                         ["starts-with", "$x-amz-credential", ""], ["starts-with", "$x-amz-date", ""], {"x-ignore": draw.r.choice(VALUES)}]})  # fmt: skip
    encoded = base64.b64encode(policy.encode()).decode()
    signed = draw.r.choice([policy, encoded + "\n", quote(encoded, safe=""), base64.encodebytes(policy.encode()).decode()])
    fields = {
        "key": f"in/{draw.r.randrange(999)}", "policy": encoded, "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": "20260115T120000Z",
        "x-amz-credential": f"{KEY}/20260115/us-east-1/s3/aws4_request", "x-ignore": "x",
        "x-amz-signature": hmac.new(signing_key(SECRET, "20260115", "us-east-1", "s3"), signed.encode(), "sha256").hexdigest(),
    }  # fmt: skip
    fields["x-ignore"] = json.loads(policy)["conditions"][-1]["x-ignore"]
    if signed == encoded:
        return _policy_as_text(draw)
    parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items())
    body = f'{parts}--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n'.encode()
    head = f"POST / HTTP/1.1\r\nHost: photos.s3.us-east-1.amazonaws.com\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n"
    return Case("policy-differs", head.encode() + body, credentials=CREDENTIALS)


def _stream(draw: Draw) -> Case:
    """Signed chunks, one byte of which changed on the way: in a signature, in the data, or in a size."""
    content = draw.r.randbytes(draw.r.randint(9000, 30_000))
    request = awsign.Request("PUT", "https://photos.s3.us-east-1.amazonaws.com/k", body=content)
    signed = awsign.SigV4(CREDENTIALS, "s3", "us-east-1").sign(request, at=AT, payload=awsign.Chunked(chunk_size=8192))
    body = bytearray(b"".join(signed.body))
    body[draw.r.randrange(len(body) - 4)] ^= 1
    head = "".join(f"{name}: {value}\r\n" for name, value in signed.headers)
    return Case("stream-changed", f"PUT /k HTTP/1.1\r\n{head}\r\n".encode() + bytes(body), credentials=CREDENTIALS)


def _unreadable(draw: Draw) -> Case:
    sent = _sig(draw, _wire)
    authorization = sent.header("authorization") or ""
    broken = draw.r.choice(
        [
            authorization.partition(", SignedHeaders")[0], authorization.replace("Signature=", "Sig="), authorization.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
            authorization.replace(", ", "; "), "AWS4-HMAC-SHA256", authorization.replace("Credential=", "Credential "), f"Basic {KEY}",
        ]
    )  # fmt: skip
    sent.put("Authorization", broken)
    return Case("malformed-authorization", sent.message(), credentials=None)


def _ambiguous(draw: Draw) -> Case:
    """What a verifier refuses, whoever signed it."""
    sent = _sig(draw, _wire)
    which = draw.r.randrange(3)
    if which == 0:
        return Case(
            "malformed-request",
            sent.message().replace(b"\r\n\r\n", b"\r\nHost: other.example.com\r\n\r\n", 1),
            credentials=draw.r.choice([CREDENTIALS, None]),
        )
    if which == 1:
        sent.headers.append(("Authorization", "AWS4-HMAC-SHA256 more"))
        return Case("malformed-request", sent.message(), credentials=draw.r.choice([CREDENTIALS, None]))
    wire, settings = draw.wire(headers=[("Content-MD5", draw.r.choice(["x", "not base64!", "AAAA"]))])
    return Case("malformed-request", sigv4(wire, **settings)[0].message(), credentials=CREDENTIALS)


GENERATORS |= {
    "query-not-encoded": _not_encoded,
    "query-rewritten": _edited_url,
    "signed-headers-differ": _list_out_of_order,
    "signature-form": _cut_or_shouted,
    "policy-differs": _policy_as_text,
    "stream-changed": _stream,
    "malformed-authorization": _unreadable,
    "malformed-request": _ambiguous,
}
