"""The canonical headers: white space, names, values that others rewrite."""

from __future__ import annotations

import re
from html import unescape
from itertools import combinations
from urllib.parse import quote, unquote

from ...encoding import fold
from ...services import SECURITY_TOKEN, SESSION_TOKEN
from ..recipe import Exactly
from .case import Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case

# What clients and proxies put there. MDN, "Accept-Encoding"; the defaults of requests, httpx, aiohttp, urllib3, curl, Go and the
# browsers; Google's and Cloudflare's rewriting (aws-sdk-go-v2 issue 1816, rclone issue 6670).
_USUAL = {
    "accept-encoding": (
        "identity", "gzip", "gzip, deflate", "gzip, deflate, br", "gzip, deflate, br, zstd", "gzip,deflate", "gzip, br", "gzip,gzip(gfe)",
        "br, gzip", "deflate, gzip", "*", "identity;q=1.0, *;q=0.5", "gzip;q=1.0,deflate;q=0.6,identity;q=0.3", "amz-sdk-invocation-id",
    ),
    "accept": ("*/*", "application/json", "application/xml", "text/html", "application/json, text/plain, */*"),
    "user-agent": ("python-requests", "curl", "Python-urllib/3.11", "Go-http-client/1.1", "aws-sdk-go"),
    "connection": ("keep-alive", "close", "Keep-Alive"),
    "range": ("bytes=0-",),
    "cache-control": ("no-cache", "no-store", "max-age=0"),
    "content-length": ("0",),
    "transfer-encoding": ("chunked",),
    "content-encoding": ("gzip", "aws-chunked", "identity", "utf-8"),
    "expect": ("100-continue",),
}  # fmt: skip
TYPES = (
    "application/json", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8", "application/x-amz-json-1.0",
    "application/x-amz-json-1.1", "application/octet-stream", "binary/octet-stream", "text/plain", "text/plain; charset=utf-8",
    "text/plain;charset=UTF-8", "application/xml", "text/xml", "text/html", "multipart/form-data", "image/jpeg", "image/png", "",
)  # fmt: skip
CHARSETS = (
    "; charset=utf-8",
    ";charset=utf-8",
    "; charset=UTF-8",
    ";charset=UTF-8",
    "; charset=iso-8859-1",
    "; charset=ISO-8859-1",
)
# Elsewhere: host.py, body.py, and the token below.
_NOT_HERE = ("host", "content-type", "x-amz-content-sha256", SECURITY_TOKEN, SESSION_TOKEN)


def _raw(case: Case, name: str) -> list[str]:
    return [
        value if isinstance(value, str) else value.decode("latin-1")
        for given, value in case.request.headers
        if given.lower() == name
    ]


def white_space(case: Case) -> Iterator[Variant]:
    for name in case.steps["signed"]:
        values = _raw(case, name)
        raw = ",".join(values)
        if not values or raw == case.headers.get(name) == fold(raw):
            continue
        untrimmed = raw if "\n" not in raw else re.sub(r"\r?\n", " ", raw)
        for value in dict.fromkeys((untrimmed, f" {untrimmed}", untrimmed.lstrip(), untrimmed.rstrip())):
            kind = "header-not-trimmed" if value != value.strip() else "header-not-folded"
            yield Variant(kind, {f"header.{name}": Exactly(value)}, f"with the white space of {name} as it is")
        yield Variant("header-not-trimmed", {f"header.{name}": Exactly(re.sub(" {2,}", " ", raw))}, f"with {name} not trimmed")
        yield Variant(
            "header-not-folded", {f"header.{name}": Exactly(re.sub(r"\s+", "", raw))}, f"with {name} without any white space"
        )
        yield Variant(
            "header-not-folded",
            {f"header.{name}": Exactly(_outside_quotes(raw.strip()))},
            f"with runs of spaces kept in quotes in {name}",
        )
    for name in case.steps["signed"]:
        values = _raw(case, name)
        if len(values) > 1:
            yield Variant(
                "header-not-folded",
                {f"header.{name}": Exactly(", ".join(map(fold, values)))},
                f"with the values of {name} joined by a comma and a space",
            )
            yield Variant(
                "header-not-folded",
                {f"header.{name}": Exactly(",".join(sorted(map(fold, values))))},
                f"with the values of {name} sorted",
            )
            yield Variant(
                "header-not-folded",
                {f"header.{name}": Exactly(f"\n{name}:".join(map(fold, values)))},
                f"with a line for each {name}",
            )


def _outside_quotes(value: str) -> str:
    return "".join(part if n % 2 else re.sub(r"\s+", " ", part) for n, part in enumerate(re.split(r"(\"[^\"]*\")", value)))


def names(case: Case) -> Iterator[Variant]:
    as_written = {given.lower(): given for given, _ in case.request.headers}
    yield Variant(
        "header-name-case", {"header.names": lambda name: f"{as_written.get(name, name)}:"}, "with the names of headers as written"
    )
    yield Variant("header-name-case", {"header.names": lambda name: f"{_capitals(name)}:"}, "with the names of headers in capitals")
    yield Variant("header-not-trimmed", {"header.names": lambda name: f"{name}: "}, "with a space after each colon")


def _capitals(name: str) -> str:
    return "-".join(word.capitalize() for word in name.split("-"))


def absent(case: Case) -> str:
    """The kind for a signed header that did not arrive."""
    return "presigned-headers-not-sent" if case.presigned else "header-dropped"


def content_type(case: Case) -> Iterator[Variant]:
    if "content-type" not in case.steps["signed"]:
        return
    given = case.headers.get("content-type")
    likely: list[str] = []
    if given is not None:
        plain = given.partition(";")[0].strip()
        likely = [plain, *(plain + charset for charset in CHARSETS), given.lower(), given.partition(",")[0]]
        likely += [given.replace("; ", ";"), given.replace(";", "; ")]
    kind = "content-type-changed" if given is not None else absent(case)
    for value in dict.fromkeys([*likely, *TYPES]):
        if value != given:
            yield Variant(kind, {"header.content-type": value}, f"with content-type: {value}", rare=value not in likely)
    if given is not None:
        yield Variant("content-type-changed", {"header.content-type": None}, "without a content-type")


def rewritten(case: Case) -> Iterator[Variant]:
    """Signed headers that something on the way is known to write anew, with what may have stood there."""
    for name in case.steps["signed"]:
        if name in _NOT_HERE:
            continue
        given = case.headers.get(name)
        others = list(_USUAL.get(name, ()))
        if name == "content-length" and case.body is not None:
            others.append(str(len(case.body)))
        if given is not None:
            others += [given.lower(), unquote(given), quote(given), unescape(given), given.strip('"'), f'"{given}"']
        for value in dict.fromkeys(others):
            if value != given:
                yield Variant(
                    "header-rewritten" if given is not None else "header-dropped",
                    {f"header.{name}": value},
                    f"with {name}: {value}",
                    rare=True,
                )
        if given:
            yield Variant("header-rewritten", {f"header.{name}": ""}, f"with {name} empty")
    agent = case.headers.get("user-agent")
    if "user-agent" in case.steps["signed"] and agent:
        for end in range(len(agent.split())):
            yield Variant(
                "header-rewritten", {"header.user-agent": " ".join(agent.split()[: end + 1])}, "with a shorter user-agent"
            )


def other_encoding(case: Case) -> Iterator[Variant]:
    """Text that was signed in one encoding and sent in another: UTF-8 and Latin-1, mostly."""
    for name in case.steps["signed"]:
        given = case.headers.get(name, "")
        if given.isascii():
            continue
        others = [
            given.encode("latin-1", "replace").decode("latin-1").encode().decode("latin-1"),
            "".join(c if c.isascii() else "?" for c in given),
        ]
        try:
            text = given.encode("latin-1").decode()
            others += [
                text.encode("latin-1", "replace").decode("latin-1"),
                quote(text, safe=" "),
                text.encode("ascii", "ignore").decode(),
            ]
        except UnicodeError:
            pass
        for value in dict.fromkeys(others):
            if value != given:
                yield Variant("header-encoding", {f"header.{name}": value}, f"with {name} in another encoding than it was sent in")


def added_value(case: Case) -> Iterator[Variant]:
    """A value that something on the way put before or behind those that were signed."""
    for name in case.steps["signed"]:
        parts = [part.strip() for part in case.headers.get(name, "").split(",")]
        if name != "host" and 1 < len(parts) < 20:
            for some in (parts[:-1], parts[1:], parts[:1], parts[-1:]):
                yield Variant("header-added", {f"header.{name}": ",".join(some)}, f"with fewer values of {name}")
                yield Variant("header-added", {f"header.{name}": ", ".join(some)}, f"with fewer values of {name}")


def left_out(case: Case) -> Iterator[Variant]:
    """A header that is among the signed ones, but of which the canonical request has no line."""
    for name in case.steps["signed"]:
        if name != "host" and name in case.headers:
            yield Variant("header-added", {f"header.{name}": None}, f"without a line for {name}")


def list_of_names(case: Case) -> Iterator[Variant]:
    signed = tuple(case.steps["signed"])
    lower = tuple(sorted({name.lower() for name in signed}))
    if lower != signed:
        yield Variant("signed-headers-differ", {"signed": lower}, "with the signed headers sorted and in lower case")
    yield Variant(
        "signed-headers-differ", {"signed": tuple(sorted(case.headers.keys() - {"authorization"}))}, "with every header signed"
    )
    for name in signed:
        if name != "host":
            yield Variant("signed-headers-differ", {"signed": tuple(n for n in signed if n != name)}, f"without {name} in the list")
    others = sorted(case.headers.keys() - set(signed) - {"authorization"})[:12]
    for size in (1, 2):
        for some in combinations(others, size):
            yield Variant(
                "signed-headers-differ",
                {"signed": tuple(sorted((*signed, *some)))},
                f"with {', '.join(some)} signed too",
                rare=True,
            )


def token(case: Case) -> Iterator[Variant]:
    """The session token in another form than it arrived, or left out."""
    name = next((name for name in (SECURITY_TOKEN, SESSION_TOKEN) if name in case.headers), None)
    if name is None:
        if case.presigned and case.claim.token:
            before = case.steps["query.pairs"]
            yield Variant(
                "session-token-unsigned",
                {"query.pairs": lambda wire: [p for p in before(wire) if p[0].lower() not in (SECURITY_TOKEN, SESSION_TOKEN)]},
                "without the session token",
            )
        return
    given = case.headers[name]
    for value in dict.fromkeys((unquote(given), quote(given, safe=""), given.replace(" ", "+"), unquote(given).replace(" ", "+"))):
        if value != given:
            yield Variant("session-token-url-encoded", {f"header.{name}": value}, "with the session token in another encoding")
    signed = tuple(case.steps["signed"])
    if name in signed:
        yield Variant("session-token-unsigned", {"signed": tuple(n for n in signed if n != name)}, "without the session token")
    else:
        yield Variant("session-token-unsigned", {"signed": tuple(sorted((*signed, name)))}, "with the session token")
