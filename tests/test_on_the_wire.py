"""Every shape of a request, by every adapter, over IPv4, IPv6 with TLS and HTTP/2: verified on the socket, or refused before it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest
import trustme

from .on_the_wire import senders
from .on_the_wire.judge import Wrong, judge
from .on_the_wire.listener import Arrival, Listener
from .on_the_wire.shapes import Shape, all_shapes
from .on_the_wire.trial import PLAIN, attempt

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

SHAPES = all_shapes()
_ASCII_ALONE = {"headers: not ASCII"}  # Clients disagree on its bytes: awsign asks for them (RULES, Headers).
_NO_LENGTH = {"payload: unsigned, generator", "payload: unsigned, async generator"}  # S3 has to know it.
_REDIRECTS = {shape.name for shape in SHAPES if shape.category == "redirect"}
_LATIN_1 = {"headers: Latin-1 bytes"}
# What each library cannot do, and its page in docs/clients/ says so: the adapter refuses it before anything is sent.
REFUSED: dict[str, set[str]] = {
    "requests.AwsAuth": {"path: dot dot escaped"},
    "httpx.AwsAuth": _REDIRECTS,
    "httpx.AwsAuth, async": _REDIRECTS,
    "httpx2.AwsAuth": _REDIRECTS,
    "aiohttp.AwsMiddleware": _LATIN_1,
    "aiohttp.AwsSession": _LATIN_1,
    "botocore.install": {"path: semicolon"},
}
# The URL is resolved before an auth or a middleware sees it: signed and sent alike, but not what was written. The sessions do it right.
_DOTS = {"path: dot", "path: dot dot", "path: ends in dot", "path: ends in dot dot", "path: beyond the root"}
CHANGED: dict[str, set[str]] = {
    "requests.AwsAuth": _DOTS,
    "aiohttp.AwsMiddleware": _DOTS | {"path: dot dot escaped"},
}


@pytest.fixture(scope="module")
def authority() -> Iterator[trustme.CA]:
    yield trustme.CA()
    senders.close_loop()


@pytest.fixture(autouse=True)
def _trusted(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("WIRE_CA", str(file))


def _context(authority: trustme.CA, *protocols: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "::1").configure_cert(context)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def _check(name: str, sender: senders.Sender, listener: Listener, other: Listener, shapes: list[Shape] = SHAPES) -> int:
    wrong = []
    verified = 0
    for shape in shapes:
        for service in shape.rules:
            verdict = attempt(sender, shape, service, listener, other)
            may_refuse = shape.name in REFUSED.get(name, set()) | _ASCII_ALONE | _NO_LENGTH
            may_change = service == "s3" and shape.name in CHANGED.get(name, set())
            verified += verdict.word == "verified"
            fine = {"verified", "n/a"} | ({"refused"} if may_refuse else set()) | ({"changed"} if may_change else set())
            if verdict.word not in fine:
                wrong.append(f"{shape.name} ({service}): {verdict}")
    assert not wrong
    return verified


@pytest.mark.parametrize("name", senders.ADAPTERS)
def test_every_shape_by_every_adapter(name: str) -> None:
    assert len(SHAPES) >= 150
    listener, other = Listener(), Listener()
    assert _check(name, senders.ADAPTERS[name], listener, other) >= 300
    listener.close(), other.close()


@pytest.mark.parametrize("name", senders.ADAPTERS)
def test_over_tls_and_ipv6(name: str, authority: trustme.CA) -> None:
    listener, other = Listener("::1", _context(authority)), Listener("::1", _context(authority))
    assert _check(name, senders.ADAPTERS[name], listener, other) >= 300
    listener.close(), other.close()


@pytest.mark.parametrize("name", senders.HTTP2)
def test_over_http_2(name: str, authority: trustme.CA) -> None:
    listener, other = (Listener("127.0.0.1", _context(authority, "h2", "http/1.1")) for _ in range(2))
    # What HTTP/2 has no header for: RFC 9113, section 8.2.2; and a connection that hangs up closes more than a request.
    shapes = [
        shape
        for shape in SHAPES
        if not {"Connection", "Transfer-Encoding", "Expect"} & set(shape.headers) and shape.name != "again: after a hang-up"
    ]
    assert _check(name, senders.HTTP2[name], listener, other, shapes) >= 300
    assert {arrival.framing for arrival in listener.arrivals} == {"h2"}
    listener.close(), other.close()


# The judge is judged.


def _arrivals() -> Iterator[tuple[Shape, str, Arrival]]:
    listener, other = Listener(), Listener()
    for shape in SHAPES:
        if shape.arrivals == ("signed",) and not shape.token:
            for service in shape.rules:
                if attempt(senders.ADAPTERS["requests.AwsSession"], shape, service, listener, other).word == "verified":
                    yield shape, service, listener.arrivals[0]
    listener.close(), other.close()


# botocore's own canonicalization, where it is not what servers do: see the reasons in tests/test_peers.py.
# It signs a query as it is written, for one, and encodes nothing of it.
_BOTOCORE_DIFFERS = {
    "headers: Latin-1 bytes",
    "headers: UTF-8 bytes",
    "headers: non-breaking space",
    "query: colon and at",
    "query: empty pair",
    "query: equals in value",
    "query: question mark",
    "query: question mark first",
    "query: semicolon",
    "query: slash",
    "query: star and parentheses",
    "query: tilde escaped",
    "query: trailing ampersand",
}


def test_botocore_judges_alike() -> None:
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    differs = set()
    judged = 0
    for shape, service, arrival in _arrivals():
        kind = S3SigV4Auth if service == "s3" else SigV4Auth
        signer = kind(Credentials(PLAIN.access_key, PLAIN.secret), service, "us-east-1")
        names = (arrival.one("authorization") or "").partition("SignedHeaders=")[2].partition(",")[0].split(";")
        headers = {name: ",".join(value.decode("latin-1") for value in arrival.all(name)) for name in names}
        url = f"http://{headers['host']}{arrival.target.decode('latin-1')}"
        request = AWSRequest(method=arrival.method.decode(), url=url, headers=headers, data=arrival.body)
        request.context["timestamp"] = headers["x-amz-date"]
        if (headers.get("x-amz-content-sha256") or "").startswith(("UNSIGNED", "STREAMING")):
            continue
        signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        judged += 1
        if not (arrival.one("authorization") or "").endswith(signature):
            differs.add(shape.name)
    assert judged > 250
    assert differs == _BOTOCORE_DIFFERS


def test_the_judge_refuses_what_was_changed() -> None:
    for shape, service, arrival in _arrivals():
        judge(arrival, PLAIN, service, "us-east-1")
        changes = [
            arrival._replace(method=b"TRACE"),
            arrival._replace(target=arrival.target + (b"&z=1" if b"?" in arrival.target else b"?z=1")),
            arrival._replace(target=b"/other/other" + arrival.target),
            arrival._replace(headers=[*arrival.headers, (b"X-Amz-Acl", b"public-read")]),
            arrival._replace(headers=[pair for pair in arrival.headers if pair[0].lower() != b"x-amz-date"]),
        ]
        if "unsigned" not in shape.name:
            changes.append(arrival._replace(body=arrival.body + b"x"))
        for changed in changes:
            with pytest.raises((Wrong, ValueError, KeyError)):
                judge(changed, PLAIN, service, "us-east-1")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_peers_are_not_what_they_were() -> None:
    """The table of the README: a peer that has got better shows here."""
    listener, other = Listener(), Listener()
    verdicts = {
        name: [attempt(sender, shape, "s3", listener, other).word for shape in SHAPES if shape.category == "query"]
        for name, sender in senders.PEERS.items()
    }
    listener.close(), other.close()
    for name, words in verdicts.items():
        assert words.count("wrong") > 0, name
