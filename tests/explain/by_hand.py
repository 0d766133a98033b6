"""Three cases and more for each kind, made by hand: requests as people have them, in the forms in which they paste them."""

from __future__ import annotations

import gzip
import hmac
import json
import shlex
from base64 import b64encode
from datetime import timedelta
from urllib.parse import quote

import awsign

from .broken import EMPTY, Wire, canonical, mac, s3v2, sha, signing_key, sigv2, sigv4, stamp_of, to_sign
from .cases import AT, CREDENTIALS, KEY, SECRET, TEMPORARY, TOKEN, Case, answer_of

S3 = {"access_key": KEY, "secret": SECRET, "service": "s3", "region": "us-east-1", "at": AT}
API = {"access_key": KEY, "secret": SECRET, "service": "execute-api", "region": "eu-west-1", "at": AT}
S3_HOST, API_HOST = "photos.s3.us-east-1.amazonaws.com", "abc123.execute-api.eu-west-1.amazonaws.com"


def split(target: str) -> tuple[str, list[tuple[str, str | None]]]:
    path, _, query = target.partition("?")
    pairs: list[tuple[str, str | None]] = []
    for pair in query.split("&") if query else ():
        name, equals, value = pair.partition("=")
        pairs.append((name, value if equals else None))
    return path, pairs


def request(method: str, target: str, host: str, headers=(), body: bytes = b"") -> Wire:
    path, query = split(target)
    return Wire(method, host, path, query, list(headers), body)


def s3(m: str, target: str, method: str = "GET", headers=(), body: bytes = b"", host: str = S3_HOST, **more) -> Wire:
    return sigv4(request(method, target, host, headers, body), **{**S3, **more}, m=m)[0]


def api(m: str, target: str, method: str = "GET", headers=(), body: bytes = b"", host: str = API_HOST, **more) -> Wire:
    return sigv4(request(method, target, host, headers, body), **{**API, **more}, m=m)[0]


def link(m: str, target: str, method: str = "GET", headers=(), seconds: int = 3600, host: str = S3_HOST, **more) -> Wire:
    return sigv4(request(method, target, host, headers), **{**S3, **more}, m=m, presign=seconds)[0]


# The forms.


def raw(wire: Wire) -> bytes:
    return wire.message()


def curl(wire: Wire) -> str:
    words = ["curl", "--path-as-is", "-X", wire.method, "-H", "Accept:"]
    if wire.host != wire.url.split("/")[2]:
        words += ["-H", f"Host: {wire.host}"]
    for name, value in wire.headers:
        words += ["-H", f"{name}: {value}"]
    if wire.body:
        words += ["-H", "Content-Type:"] if wire.header("content-type") is None else []
        words += ["--data-raw", wire.body.decode()]
    return shlex.join([*words, wire.url])


def har(wire: Wire) -> str:
    entry = {
        "method": wire.method, "url": wire.url, "httpVersion": "HTTP/1.1", "headers": [{"name": n, "value": v} for n, v in wire.headers],
        "queryString": [], "bodySize": len(wire.body),
    }  # fmt: skip
    if wire.body:
        entry["postData"] = {"mimeType": "text/plain", "text": wire.body.decode()}
    return json.dumps(
        {"log": {"version": "1.2", "entries": [{"request": entry, "response": {"status": 403, "headers": [], "content": {}}}]}}
    )


def printed(wire: Wire) -> str:
    body = f"\nbody = {wire.body!r}" if wire.body else ""
    return f"{wire.method} {wire.url}\n{dict(wire.headers)!r}{body}"


def url(wire: Wire) -> str:
    return wire.url


HAND: list[Case] = []


def hand(kind: str, *texts, credentials=CREDENTIALS, response=None, at=AT) -> None:
    HAND.extend(Case(kind, text, credentials=credentials, response=response, at=at) for text in texts)


def with_(wire: Wire, **changes) -> Wire:
    """What arrived, after something on the way changed it. header_...: a header, None for none."""
    wire = wire.copy()
    for name, value in changes.items():
        if name.startswith("header_"):
            wire.put(name[7:].replace("_", "-"), value)
        else:
            setattr(wire, name, value)
    return wire


def resigned(wire: Wire, settings: dict, text: str, *, stamp: str | None = None) -> Wire:
    """The request with the signature of another canonical request, or of another time."""
    day = stamp_of(AT)[:8]
    scope = f"{day}/{settings['region']}/{settings['service']}/aws4_request"
    given = mac(
        signing_key(SECRET, day, settings["region"], settings["service"]), to_sign(stamp or stamp_of(AT), scope, text)
    ).hex()
    return with_(wire, header_Authorization=(wire.header("authorization") or "").rpartition("=")[0] + f"={given}")


hand(
    "wrong-method",
    raw(with_(s3("", "/a"), method="HEAD")),
    curl(with_(api("", "/orders", "POST", body=b"{}"), method="PUT")),
    har(with_(api("", "/x?a=1"), method="DELETE")),
)
hand(
    "presigned-for-another-method",
    raw(with_(link("", "/a", "PUT"), method="GET")),
    url(link("", "/photo.jpg", "PUT")),
    curl(with_(link("", "/a"), method="DELETE")),
)
hand(
    "path-encoded-twice",
    raw(s3("path-encoded-twice", "/a%20b")),
    curl(s3("path-encoded-twice", "/k%3Av/%C3%BC")),
    har(api("path-encoded-twice", "/a%20b")),
)
hand(
    "path-encoded-once",
    raw(api("path-encoded-once", "/a%20b")),
    printed(s3("path-encoded-once", "/a%20b/c%2Bd")),
    curl(api("path-encoded-once", "/caf%C3%A9")),
)
hand(
    "path-normalized",
    raw(s3("path-normalized", "/a%20b//c")),
    raw(s3("path-normalized", "/a/../b%20c")),
    curl(s3("path-normalized", "/./x%2By")),
)
hand(
    "path-not-normalized",
    raw(api("path-not-normalized", "/a//b%20c")),
    raw(api("path-not-normalized", "/a/./b%20c")),
    curl(api("path-not-normalized", "/a/../b%20c/")),
)
hand(
    "path-rewritten",
    raw(with_(api("", "/prod/orders"), path="/orders")),
    curl(with_(api("", "/orders/"), path="/orders")),
    raw(with_(api("", "/orders"), path="/orders/")),
)
hand(
    "plus-for-space",
    raw(api("plus-for-space", "/x?q=a%20b")),
    curl(s3("plus-for-space", "/?prefix=a%20b&z")),
    raw(with_(s3("", "/?prefix=a%2Bb"), query=[("prefix", "a+b")])),
)
hand(
    "lower-case-hex",
    raw(s3("lower-case-hex", "/?prefix=a%2Fb")),
    curl(api("lower-case-hex", "/x?t=12%3A30")),
    har(s3("lower-case-hex", "/k%3Bv")),
)
hand(
    "unreserved-escaped",
    raw(s3("unreserved-escaped", "/~me/a")),
    curl(api("unreserved-escaped", "/x?u=~me")),
    printed(s3("unreserved-escaped", "/data~1/~")),
)
hand(
    "reserved-not-escaped",
    raw(s3("reserved-not-escaped", "/photo%281%29.jpg")),
    curl(api("reserved-not-escaped", "/x?q=it%27s")),
    har(s3("reserved-not-escaped", "/?prefix=star%2A%21")),
)
hand(
    "query-not-sorted",
    raw(api("query-not-sorted", "/x?b=2&a=1")),
    curl(s3("query-not-sorted", "/?prefix=p&list-type=2&delimiter=%2F")),
    har(api("query-not-sorted", "/x?z=1&Z=2&m")),
)
hand(
    "query-sorted-decoded",
    raw(api("query-sorted-decoded", "/x?f=a%2Fb&f=a-b")),
    raw(s3("query-sorted-decoded", "/?x=%C3%BC&x=z&x=a%3Ab&x=a0")),
    curl(api("query-sorted-decoded", "/x?k%3A=1&k.=2")),
)
hand(
    "query-sorted-joined",
    raw(api("query-sorted-joined", "/x?a=2&a-b=1")),
    curl(s3("query-sorted-joined", "/?tag=b&tag-x=a")),
    har(api("query-sorted-joined", "/x?n=1&n.m=2&b=1")),
)
hand(
    "query-sorted-otherwise",
    raw(api("query-sorted-otherwise", "/x?Zed=1&apple=2")),
    curl(s3("query-sorted-otherwise", "/?Prefix=1&delimiter=2")),
    har(api("query-sorted-otherwise", "/x?B=1&a=2&C=3")),
)
hand(
    "query-not-signed",
    raw(api("query-not-signed", "/x?a=1&b=2")),
    curl(s3("query-not-signed", "/?list-type=2&prefix=x")),
    har(api("query-not-signed", "/x?page=7&size=9")),
)
hand(
    "query-encoded-twice",
    raw(api("query-encoded-twice", "/x?a=b%2Fc")),
    curl(s3("query-encoded-twice", "/?prefix=a%20b")),
    har(api("query-encoded-twice", "/x?t=12%3A30")),
)
hand(
    "query-not-encoded",
    *(
        raw(resigned(w, API, canonical(w, signed, sha(b""), False).replace(a, b)))
        for w, signed, a, b in (
            (api("", "/x?q=a%20b"), ["host", "x-amz-date"], "q=a%20b", "q=a b"),
            (api("", "/x?q=%C3%BC"), ["host", "x-amz-date"], "q=%C3%BC", "q=\u00c3\u00bc"),
            (api("", "/x?q=1%20%C3%A9"), ["host", "x-amz-date"], "q=1%20%C3%A9", "q=1 \u00c3\u00a9"),
        )
    ),
)
hand(
    "query-rewritten",
    *(
        raw(with_(link("", "/a", seconds=3600), query=[(k, s if k == "X-Amz-Expires" else v) for k, v in link("", "/a").query]))
        for s in ("86400", "604800", "7200")
    ),
)
hand(
    "valueless-key-without-equals",
    raw(s3("valueless-key-without-equals", "/?acl")),
    curl(s3("valueless-key-without-equals", "/k?uploads")),
    har(s3("valueless-key-without-equals", "/k?versionId=3&tagging")),
)
hand(
    "empty-parameter-dropped",
    raw(s3("empty-parameter-dropped", "/?prefix=&list-type=2")),
    curl(api("empty-parameter-dropped", "/x?a=&b=1")),
    har(api("empty-parameter-dropped", "/x?filter=&page=2&size=")),
)
hand(
    "duplicate-parameter-dropped",
    raw(api("duplicate-parameter-dropped", "/x?id=1&id=2")),
    curl(api("duplicate-parameter-dropped", "/x?a=1&b=2&a=3")),
    har(s3("duplicate-parameter-dropped", "/?tag=a&tag=b")),
)
hand(
    "parameter-added",
    raw(with_(api("", "/x?a=1"), query=[("a", "1"), ("utm_source", "mail")])),
    url(with_(link("", "/a"), query=[*link("", "/a").query, ("response-content-type", "text%2Fplain")])),
    curl(with_(s3("", "/k"), query=[("x-id", "GetObject")])),
)
hand(
    "host-without-port",
    raw(sigv4(request("GET", "/a", "localhost:9000"), **S3, host="localhost")[0]),
    curl(sigv4(request("GET", "/a?b=c", "minio.example.com:9443"), **S3, host="minio.example.com")[0]),
    printed(with_(sigv4(request("PUT", "/k", "10.0.0.7:8080", body=b"x"), **S3, host="10.0.0.7")[0], header_Host="10.0.0.7:8080")),
)
hand(
    "host-with-port",
    raw(sigv4(request("GET", "/a", "minio.example.com"), **S3, host="minio.example.com:443")[0]),
    raw(sigv4(request("GET", "/a", "s3.example.com"), **S3, host="s3.example.com:9000")[0]),
    raw(sigv4(request("GET", "/a", "10.0.0.7"), **S3, host="10.0.0.7:8123")[0]),
)
hand(
    "other-host",
    raw(with_(s3("", "/a", host="cdn.example.com"), host="backend:8080", header_X_Forwarded_Host="cdn.example.com")),
    raw(sigv4(request("GET", "/a", "127.0.0.1:9000"), **S3, host="127.0.0.1:9001")[0]),
    raw(sigv4(request("GET", "/a", "minio.example.com"), **S3, host="localhost")[0]),
)
hand(
    "ipv6-brackets",
    raw(sigv4(request("GET", "/a", "[::1]:9000"), **S3, host="::1:9000")[0]),
    raw(sigv4(request("GET", "/a?b=c", "[2001:db8::1]"), **S3, host="2001:db8::1")[0]),
    curl(sigv4(request("PUT", "/k", "[::1]:8080", body=b"x"), **S3, host="::1:8080")[0]),
)
hand(
    "header-not-trimmed",
    raw(s3("header-not-trimmed", "/a", headers=[("X-Amz-Meta-A", " padded ")])),
    raw(api("header-not-trimmed", "/a", headers=[("X-Amz-Note", "tail  ")])),
    raw(s3("header-not-trimmed", "/a", "PUT", [("Content-Type", " text/plain")], b"x")),
)
hand(
    "header-not-folded",
    raw(s3("header-not-folded", "/a", headers=[("X-Amz-Meta-A", "two  spaces")])),
    curl(s3("header-not-folded", "/a", headers=[("X-Amz-Meta-A", '"quoted  twice"')])),
    har(api("header-not-folded", "/a", headers=[("X-Amz-Note", "a   b    c")])),
)
hand(
    "header-name-case",
    raw(s3("header-name-case", "/a")),
    curl(api("header-name-case", "/a?b=c")),
    har(s3("header-name-case", "/a", headers=[("X-Amz-Meta-Note", "x")])),
)
hand(
    "header-added",
    raw(with_(s3("", "/a", "PUT", body=b"x"), header_X_Amz_Copy_Source="/other/key")),
    curl(with_(s3("", "/a"), header_X_Amz_Acl="public-read")),
    raw(
        with_(
            s3("", "/a", headers=[("Cache-Control", "no-cache")], more=("cache-control",)),
            header_Cache_Control="no-cache, max-age=0",
        )
    ),
)
hand(
    "header-dropped",
    raw(with_(s3("", "/a", headers=[("X-Amz-Meta-A", "b")]), header_X_Amz_Meta_A=None)),
    curl(with_(api("", "/a", headers=[("X-Amz-Target", "T.Get")]), header_X_Amz_Target=None)),
    raw(with_(s3("", "/a", headers=[("Accept-Encoding", "identity")], more=("accept-encoding",)), header_Accept_Encoding=None)),
)
hand(
    "header-rewritten",
    raw(
        with_(s3("", "/a", headers=[("Accept-Encoding", "identity")], more=("accept-encoding",)), header_Accept_Encoding="gzip, br")
    ),
    raw(with_(s3("", "/a", headers=[("Range", "bytes=0-")], more=("range",)), header_Range="bytes=0-1048575")),
    raw(with_(api("", "/a", headers=[("Connection", "keep-alive")], more=("connection",)), header_Connection="close")),
)
hand(
    "header-encoding",
    *(
        raw(with_(s3("", "/a", headers=[("X-Amz-Meta-Name", name.encode().decode("latin-1"))]), header_X_Amz_Meta_Name=name))
        for name in ("Gr\u00fc\u00dfe", "caf\u00e9", "na\u00efve \u00d8re")
    ),
)
hand(
    "content-type-changed",
    raw(
        with_(
            api("", "/a", "POST", [("Content-Type", "application/json")], b"{}"),
            header_Content_Type="application/json; charset=utf-8",
        )
    ),
    curl(
        with_(s3("", "/a", "PUT", [("Content-Type", "text/plain")], b"x"), header_Content_Type="application/x-www-form-urlencoded")
    ),
    har(with_(s3("", "/a", "PUT", [("Content-Type", "image/png")], b"x"), header_Content_Type="image/png;charset=UTF-8")),
)
hand(
    "signed-headers-differ",
    *(
        raw(with_(w, header_Authorization=w.header("authorization").replace(a, b)))
        for w, a, b in (
            (api("", "/a", headers=[("X-Amz-Note", "1")]), "host;x-amz-date;x-amz-note", "x-amz-note;host;x-amz-date"),
            (s3("", "/a"), "host;x-amz-content-sha256", "x-amz-content-sha256;host"),
            (api("", "/a", headers=[("Content-Type", "text/plain")]), "content-type;host", "host;content-type"),
        )
    ),
)
hand(
    "body-changed",
    raw(with_(s3("", "/a", "PUT", body=b"one"), body=b"two")),
    curl(with_(api("", "/a", "POST", body=b'{"a": 1}'), body=b'{"a":1}')),
    har(with_(s3("", "/a", "PUT", body=b"first"), body=b"first and more")),
)
hand(
    "empty-hash-for-body",
    raw(s3("", "/a", "PUT", body=b"content", payload=EMPTY)),
    curl(api("", "/a", "POST", body=b"{}", payload=EMPTY)),
    har(s3("", "/k", "PUT", [("Content-Type", "text/plain")], b"text", payload=EMPTY)),
)
hand(
    "body-encoding",
    *(
        raw(with_(make("", "/a", "PUT", body=text.encode()), body=text.encode(sent)))
        for make, text, sent in ((s3, "Gr\u00fc\u00dfe", "latin-1"), (api, "caf\u00e9", "latin-1"), (s3, "hello", "utf-16"))
    ),
)
hand(
    "body-compressed",
    *(
        raw(with_(make("", "/a", "PUT", body=text), body=gzip.compress(text)))
        for make, text in ((s3, b"hello" * 20), (api, b'{"a": 1}'), (s3, b"line\n" * 9))
    ),
)
hand(
    "body-trailing-newline",
    raw(with_(s3("", "/a", "PUT", body=b"text\n"), body=b"text")),
    raw(with_(api("", "/a", "POST", body=b"{}"), body=b"{}\n")),
    raw(with_(s3("", "/a", "PUT", body=b"a\nb"), body=b"a\r\nb")),
)
hand(
    "unsigned-payload-not-taken",
    raw(api("", "/a", "POST", [("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")], b"x", payload="UNSIGNED-PAYLOAD")),
    curl(api("", "/a", "POST", body=b"{}", payload="UNSIGNED-PAYLOAD")),
    url(link("", "/a", payload=EMPTY)),
)
hand(
    "missing-content-sha256",
    *(
        form(s3("missing-content-sha256", t, method, body=body))
        for form, t, method, body in ((raw, "/a", "GET", b""), (curl, "/?list-type=2", "GET", b""), (har, "/k", "PUT", b"x"))
    ),
)
hand(
    "payload-hash-differs",
    *(
        raw(resigned(w, S3, canonical(w, ["host", "x-amz-content-sha256", "x-amz-date"], other, True)))
        for w, other in (
            (s3("", "/a", "PUT", body=b"x"), sha(b"x").upper()),
            (s3("", "/a"), ""),
            (s3("", "/k", "PUT", body=b"y", payload="UNSIGNED-PAYLOAD"), ""),
        )
    ),
)
temp = {"access_key": "ASIAEXAMPLE", "token": TOKEN}
hand(
    "session-token-missing",
    *(
        form(with_(w, header_X_Amz_Security_Token=None))
        for form, w in ((raw, s3("", "/a", **temp)), (curl, api("", "/a", **temp)), (har, s3("", "/k?acl", **temp)))
    ),
    credentials=TEMPORARY,
)
hand("session-token-missing", raw(s3("", "/a", access_key="ASIAEXAMPLE")), credentials=None)
hand(
    "session-token-unsigned",
    *(
        form(w)
        for form, w in (
            (raw, s3("session-token-unsigned", "/a", **temp)),
            (curl, api("session-token-unsigned", "/a", **temp)),
            (har, s3("session-token-unsigned", "/k", **temp)),
        )
    ),
    credentials=TEMPORARY,
)
hand(
    "session-token-of-others",
    *(
        form(w)
        for form, w in (
            (raw, s3("", "/a", access_key="ASIAEXAMPLE", token="Another" * 9)),
            (curl, api("", "/a", access_key="ASIAEXAMPLE", token="Old" * 20)),
            (url, link("", "/a", access_key="ASIAEXAMPLE", token="Other" * 9)),
        )
    ),
    credentials=TEMPORARY,
)
hand(
    "session-token-url-encoded",
    *(
        form(w)
        for form, w in (
            (raw, s3("", "/a", access_key="ASIAEXAMPLE", token=quote(TOKEN, safe=""))),
            (curl, api("", "/a", access_key="ASIAEXAMPLE", token=quote(TOKEN))),
            (url, link("", "/a", access_key="ASIAEXAMPLE", token=quote(TOKEN, safe=""))),
        )
    ),
    credentials=TEMPORARY,
)
hand(
    "expired-credentials",
    raw(s3("", "/a", **temp)),
    curl(api("", "/a", **temp)),
    url(link("", "/a", **temp)),
    credentials=awsign.Credentials("ASIAEXAMPLE", SECRET, TOKEN, AT - timedelta(minutes=5)),
)
hand("clock-skew", raw(s3("", "/a")), curl(api("", "/a")), har(s3("", "/k")), at=AT + timedelta(minutes=20, seconds=7))
hand(
    "clock-skew",
    raw(s3("", "/a")),
    credentials=None,
    response=b"<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message><RequestTime>20260115T123045Z</RequestTime><ServerTime>2026-01-15T12:53:10Z</ServerTime></Error>",
    at=None,
)
hand("local-time-for-utc", raw(s3("", "/a")), curl(api("", "/a")), har(s3("", "/k")), at=AT - timedelta(hours=2, seconds=3))
hand("scope-date", raw(s3("", "/a", day="20260114")), curl(api("", "/a", day="20260116")), har(s3("", "/k", day="20250115")))
hand(
    "time-of-signing-differs",
    *(
        raw(resigned(w, settings, canonical(w, signed, payload, settings is S3), stamp=stamp))
        for w, settings, signed, payload, stamp in (
            (api("", "/a"), API, ["host", "x-amz-date"], sha(b""), "20260115T123046Z"),
            (api("", "/b"), API, ["host", "x-amz-date"], sha(b""), "20260115T123044Z"),
            (s3("", "/a"), S3, ["host", "x-amz-content-sha256", "x-amz-date"], sha(b""), "20260115T123047Z"),
        )
    ),
)
hand(
    "expired-url",
    url(link("", "/a", seconds=60)),
    curl(link("", "/a", seconds=900)),
    raw(link("", "/a?x=y", seconds=3600)),
    at=AT + timedelta(days=1),
)
hand(
    "expires-over-maximum",
    url(link("", "/a", seconds=604801)),
    curl(link("", "/a", seconds=2592000)),
    raw(link("", "/k", seconds=700000)),
)
hand(
    "missing-date",
    raw(with_(api("", "/a"), header_X_Amz_Date="2026-01-15 12:30:45")),
    raw(with_(s3("", "/a"), header_X_Amz_Date="today")),
    curl(with_(api("", "/a"), header_X_Amz_Date="20260115")),
)
hand(
    "wrong-region",
    raw(api("", "/a", region="us-east-1")),
    curl(s3("", "/a", region="eu-west-1")),
    raw(s3("", "/a", key_region="eu-central-1")),
)
hand(
    "wrong-region",
    raw(s3("", "/a", host="minio.example.com")),
    credentials=None,
    response=b"<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'</Message><Region>eu-west-1</Region></Error>",
)
hand(
    "wrong-service",
    raw(api("", "/a", service="lambda")),
    curl(api("", "/a", service="apigateway")),
    raw(api("", "/a", key_service="apigateway")),
)
hand(
    "wrong-service",
    raw(api("", "/a", host="api.example.com", service="apigateway")),
    credentials=None,
    response=b'{"message":"Credential should be scoped to correct service: \'execute-api\'. "}',
)
hand(
    "terminator-misspelt",
    raw(s3("terminator-misspelt", "/a")),
    curl(api("terminator-misspelt", "/a")),
    url(link("terminator-misspelt", "/a")),
)
hand(
    "secret-white-space",
    raw(s3("secret-white-space", "/a")),
    curl(api("", "/a", secret=f" {SECRET}")),
    url(link("", "/a", secret=f'"{SECRET}"')),
)
hand(
    "secret-url-decoded",
    raw(s3("secret-url-decoded", "/a")),
    curl(api("", "/a", secret=quote(SECRET, safe=""))),
    url(link("", "/a", secret=SECRET.replace("+", " "))),
)
hand(
    "wrong-secret", raw(s3("", "/a", secret="another")), curl(api("", "/a", secret=KEY)), url(link("", "/a", secret=SECRET.lower()))
)
hand(
    "access-key-of-others",
    raw(s3("", "/a", access_key="AKIDOTHER")),
    curl(api("", "/a", access_key="AKIDOTHER", secret="theirs")),
    url(link("", "/a", access_key="AKIDOTHER")),
)
hand(
    "aws4-prefix-forgotten",
    *(
        form(w)
        for form, w in (
            (raw, s3("aws4-prefix-forgotten", "/a")),
            (curl, api("aws4-prefix-forgotten", "/a")),
            (url, link("aws4-prefix-forgotten", "/a")),
        )
    ),
)
hand("key-hex", *(form(w) for form, w in ((raw, s3("key-hex", "/a")), (curl, api("key-hex", "/a")), (url, link("key-hex", "/a")))))
hand(
    "key-derivation",
    *(
        form(w)
        for form, w in ((raw, s3("key-derivation", "/a")), (curl, api("key-derivation", "/a")), (url, link("key-derivation", "/a")))
    ),
)
hand(
    "string-to-sign-crlf",
    *(
        form(w)
        for form, w in (
            (raw, s3("string-to-sign-crlf", "/a")),
            (curl, api("string-to-sign-crlf", "/a")),
            (url, link("string-to-sign-crlf", "/a")),
        )
    ),
)
hand(
    "newline-after-headers-missing",
    *(
        form(w)
        for form, w in (
            (raw, s3("newline-after-headers-missing", "/a")),
            (curl, api("newline-after-headers-missing", "/a")),
            (url, link("newline-after-headers-missing", "/a")),
        )
    ),
)
hand(
    "trailing-newline",
    *(
        form(w)
        for form, w in (
            (raw, s3("trailing-newline", "/a")),
            (curl, api("trailing-newline", "/a")),
            (url, link("trailing-newline", "/a")),
        )
    ),
)
hand(
    "canonical-request-not-hashed",
    *(
        form(w)
        for form, w in (
            (raw, s3("canonical-request-not-hashed", "/a")),
            (curl, api("canonical-request-not-hashed", "/a")),
            (url, link("canonical-request-not-hashed", "/a")),
        )
    ),
)
hand(
    "base64-for-hex",
    *(
        form(w)
        for form, w in ((raw, s3("base64-for-hex", "/a")), (curl, api("base64-for-hex", "/a")), (url, link("base64-for-hex", "/a")))
    ),
)
hand(
    "signature-form",
    *(
        raw(with_(w, header_Authorization=change(w.header("authorization"))))
        for w, change in (
            (s3("", "/a"), lambda a: a[:-64] + a[-64:].upper()),
            (api("", "/a"), lambda a: a[:-10]),
            (s3("", "/k"), lambda a: a[:-1]),
        )
    ),
)
query_api = request(
    "GET", "/?Action=DescribeRegions&Version=2016-11-15&Filter.1.Name=a%20b&zeta=1&Beta=2", "ec2.us-east-1.amazonaws.com"
)
older = {"access_key": KEY, "secret": SECRET, "at": AT}
get = request("GET", "/photos/puppy.jpg", "s3.amazonaws.com")
acl = request("PUT", "/puppy%20dog.jpg?acl", "photos.s3.amazonaws.com", [("Content-Type", "text/plain"), ("X-Amz-Acl", "private")])
hand(
    "sigv2-parameter-order",
    *(
        raw(sigv2(with_(query_api, query=[*query_api.query, extra]), **older, m="sigv2-parameter-order"))
        for extra in (("alpha", "1"), ("zulu", "x"), ("Delta", "9"))
    ),
)
hand(
    "sigv2-newline",
    raw(sigv2(query_api, **older, m="sigv2-newline")),
    raw(s3v2(get, **older, m="sigv2-newline")),
    raw(s3v2(acl, **older, bucket="photos", m="sigv2-newline")),
)
hand(
    "hex-for-base64",
    raw(sigv2(query_api, **older, m="hex-for-base64")),
    raw(s3v2(get, **older, m="hex-for-base64")),
    raw(s3v2(acl, **older, bucket="photos", m="hex-for-base64")),
)
hand(
    "signature-algorithm",
    raw(sigv2(query_api, **older, m="signature-algorithm")),
    raw(s3v2(get, **older, m="signature-algorithm")),
    raw(s3v2(acl, **older, bucket="photos", m="signature-algorithm")),
)
hand(
    "resource-differs",
    raw(s3v2(acl, **older, bucket="photos", m="resource-differs")),
    raw(s3v2(with_(get, query=[("acl", None)]), **older, m="resource-differs")),
    raw(s3v2(with_(get, query=[("versionId", "7"), ("x", "y")]), **older, m="resource-differs")),
)
hand(
    "date-line-differs",
    raw(s3v2(get, **older, m="date-line-differs")),
    raw(s3v2(acl, **older, bucket="photos", m="date-line-differs")),
    raw(s3v2(with_(get, method="DELETE"), **older, m="date-line-differs")),
)
found = 0
for n in range(400):  # A signature with a + in it, and one without its escapes.
    made = sigv2(with_(query_api, query=[*query_api.query, ("n", str(n))]), **older, m="sigv2-signature-encoding")
    if "+" in made.query[-1][1] and found < 3:
        found += 1
        hand("sigv2-signature-encoding", raw(made))
hand(
    "presigned-url-requoted",
    url(with_(link("", "/a b".replace(" ", "%20")), query=[(k, v and quote(v, safe="")) for k, v in link("", "/a%20b").query])),
    link("", "/a?x=1").url.replace("&", "&amp;"),
    link("", "/a").url.replace("&", "\\u0026"),
)
hand(
    "presigned-headers-not-sent",
    *(
        form(with_(link("", "/a", "PUT", headers), headers=[]))
        for form, headers in (
            (raw, [("X-Amz-Acl", "public-read")]),
            (curl, [("Content-Type", "image/png")]),
            (raw, [("X-Amz-Meta-A", "b")]),
        )
    ),
)
hand(
    "global-endpoint-redirected",
    raw(s3("", "/a", host="photos.s3.amazonaws.com")),
    curl(s3("", "/", host="photos.s3.amazonaws.com")),
    har(s3("", "/k", host="s3.amazonaws.com")),
    credentials=None,
    response=b"HTTP/1.1 307 Temporary Redirect\r\nLocation: https://photos.s3.eu-west-1.amazonaws.com/a\r\nx-amz-bucket-region: eu-west-1\r\n\r\n<Error><Code>TemporaryRedirect</Code><Message>Please re-send this request to the specified temporary endpoint.</Message><Endpoint>photos.s3.eu-west-1.amazonaws.com</Endpoint></Error>",
)
hand(
    "not-signed",
    b"GET /a HTTP/1.1\r\nHost: x.s3.amazonaws.com\r\n\r\n",
    "curl https://abc123.execute-api.eu-west-1.amazonaws.com/x",
    "https://photos.s3.amazonaws.com/a?versionId=1",
)
hand(
    "signed-twice",
    *(raw(with_(link("", t), header_Authorization=s3("", t).header("authorization"))) for t in ("/a", "/b?x=1", "/c%20d")),
)
hand(
    "host-not-signed",
    *(
        form(with_(w, header_Authorization=w.header("authorization").replace("host;", "")))
        for form, w in ((raw, s3("", "/a")), (curl, api("", "/a")), (har, s3("", "/k")))
    ),
)
hand(
    "malformed-authorization",
    *(
        raw(with_(s3("", "/a"), header_Authorization=a))
        for a in ("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE", f"AWS4-HMAC-SHA256 {KEY}:abc", "Bearer eyJhbGciOi")
    ),
    credentials=None,
)


def posted(fields: dict[str, str], conditions: list, *, m: str = "", content: str = "file") -> bytes:
    policy = b64encode(json.dumps({"expiration": "2026-01-16T00:00:00Z", "conditions": conditions}).encode()).decode()
    key = signing_key(SECRET, "20260115", "us-east-1", "s3", m)
    text = json.dumps({"expiration": "2026-01-16T00:00:00Z", "conditions": conditions}) if m == "policy-differs" else policy
    every = {
        **fields, "policy": policy, "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": f"{KEY}/20260115/us-east-1/s3/aws4_request",
        "x-amz-date": "20260115T120000Z", "x-amz-signature": hmac.new(key, text.encode(), "sha256").hexdigest(),
    }  # fmt: skip
    parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in every.items())
    body = f'{parts}--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n{content}\r\n--b--\r\n'.encode()
    return (
        f"POST / HTTP/1.1\r\nHost: {S3_HOST}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


RIGHT = [
    {"bucket": "photos"},
    ["starts-with", "$key", "in/"],
    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
    ["starts-with", "$x-amz-credential", ""],
    ["starts-with", "$x-amz-date", ""],
]
hand(
    "post-policy-condition",
    posted({"key": "out/x"}, RIGHT),
    posted({"key": "in/x", "acl": "private"}, RIGHT),
    posted({"key": "in/x"}, [*RIGHT, ["content-length-range", 1, 2]]),
)
hand("post-policy-condition", posted({"key": "out/x"}, RIGHT), credentials=None)
hand("policy-differs", *(posted({"key": f"in/{n}"}, RIGHT, m="policy-differs") for n in range(3)))
hand("aws4-prefix-forgotten", posted({"key": "in/x"}, RIGHT, m="aws4-prefix-forgotten"))
hand("expired-url", posted({"key": "in/x"}, RIGHT), at=AT + timedelta(days=3))
streamed = {"X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}
for at_byte in (100, 300, -3):
    chunked = awsign.SigV4(CREDENTIALS, "s3", "us-east-1").sign(
        awsign.Request("PUT", f"https://{S3_HOST}/a", body=b"x" * 300), at=AT, payload=awsign.Chunked()
    )
    changed = bytearray(b"".join(chunked.body))
    changed[at_byte] ^= 1
    head = "".join(f"{n}: {v}\r\n" for n, v in chunked.headers)
    hand(
        "stream-changed",
        f"PUT /a HTTP/1.1\r\n{head}\r\n".encode().replace(
            b"\r\n\r\n",
            f"\r\nContent-Length: {len(changed)}\r\n\r\n".encode() if b"ontent-Length" not in head.encode() else b"\r\n\r\n",
        )
        + bytes(changed),
    )
hand(
    "malformed-request",
    raw(with_(s3("", "/a"), headers=[*s3("", "/a").headers, ("Authorization", "AWS4-HMAC-SHA256 x")])),
    raw(s3("", "/a", "PUT", [("Content-MD5", "no md5")], b"x")),
    raw(s3("", "/a")).replace(b"\r\n\r\n", b"\r\nHost: other.example.com\r\n\r\n"),
)


def answered(kind: str, sent: Wire, seen: Wire, settings: dict) -> None:
    for credentials in (CREDENTIALS, None):
        hand(kind, raw(sent), credentials=credentials, response=answer_of(seen, settings))


# The server says what it saw.
answered(
    "header-rewritten",
    s3("", "/a", headers=[("User-Agent", "mine/1")], more=("user-agent",)),
    with_(s3("", "/a", headers=[("User-Agent", "mine/1")], more=("user-agent",)), header_User_Agent="proxy"),
    S3,
)
answered("other-host", api("", "/a"), with_(api("", "/a"), host="10.0.0.9"), API)
answered("host-with-port", s3("", "/a", host="minio:9000"), with_(s3("", "/a", host="minio:9000"), host="minio"), S3)
answered("host-without-port", s3("", "/a", host="minio"), with_(s3("", "/a", host="minio"), host="minio:9000"), S3)
answered("parameter-added", api("", "/a?x=1"), with_(api("", "/a?x=1"), query=[("x", "1"), ("trace", "9")]), API)
answered("path-normalized", s3("", "/a//b"), with_(s3("", "/a//b"), path="/a/b"), S3)
answered("wrong-method", api("", "/a", "POST", body=b"{}"), with_(api("", "/a", "POST", body=b"{}"), method="GET"), API)
answered("body-changed", api("", "/a", "POST", body=b"{}"), with_(api("", "/a", "POST", body=b"{}"), body=b""), API)
answered(
    "body-compressed",
    api("", "/a", "POST", body=b'{"a": 1}'),
    with_(api("", "/a", "POST", body=b'{"a": 1}'), body=gzip.compress(b'{"a": 1}', mtime=0)),
    API,
)
answered("plus-for-space", api("", "/a?q=x%2By"), with_(api("", "/a?q=x%2By"), query=[("q", "x+y")]), API)
