"""The older schemes: what goes wrong in them alone."""

from __future__ import annotations

import base64
from urllib.parse import quote, unquote

from ...encoding import decode
from ...query import query_pairs
from ...s3_sigv2 import canonical_resource
from ...s3_urls import bucket_of
from ..recipe import base64_of
from .case import Variant
from .headers import CHARSETS, TYPES
from .host import hosts
from .query import ordered_by

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case


def parameter_order(case: Case) -> Iterator[Variant]:
    yield Variant("sigv2-parameter-order", ordered_by(list), "in the order of the request")
    yield Variant(
        "sigv2-parameter-order",
        ordered_by(lambda pairs: sorted(pairs, key=lambda pair: pair[0].lower())),
        "sorted without regard to case",
    )
    yield Variant(
        "sigv2-parameter-order",
        ordered_by(lambda pairs: sorted(pairs, key=lambda pair: (pair[0].lower(), pair[1]))),
        "sorted without regard to case, then by value",
    )
    yield Variant(
        "sigv2-parameter-order", ordered_by(lambda pairs: sorted(pairs, key=lambda pair: pair[:2])), "sorted after encoding"
    )
    yield Variant(
        "sigv2-parameter-order",
        ordered_by(lambda pairs: sorted(pairs, key=lambda pair: f"{pair[0]}={pair[1]}")),
        "sorted as name=value",
    )
    yield Variant(
        "sigv2-parameter-order", ordered_by(lambda pairs: sorted(pairs, key=lambda pair: decode(pair[0]))), "sorted by names alone"
    )
    yield Variant(
        "sigv2-parameter-order",
        ordered_by(lambda pairs: sorted(pairs, key=lambda pair: pair[:2], reverse=True)),
        "sorted backwards",
    )


def host(case: Case) -> Iterator[Variant]:
    seen = {case.request.host.lower()}
    for kind, value, what in hosts(case):
        if value and value not in seen:
            seen.add(value)
            yield Variant(kind, {"host": value}, what)
    if case.request.host != case.request.host.lower():
        yield Variant("other-host", {"host.rule": str}, "with the host not in lower case")


def path(case: Case) -> Iterator[Variant]:
    given = case.request.path
    yield (
        Variant("path-rewritten", {"path": ""}, "with nothing for the path /")
        if given == "/"
        else Variant("path-rewritten", {"path": "/"}, "with / for the path")
    )
    if given != "/":
        yield Variant(
            "path-rewritten",
            {"path": given.rstrip("/") if given.endswith("/") else f"{given}/"},
            "with or without the slash at the end",
        )
        yield Variant("path-encoded-once", {"path": decode(given)}, "with the path decoded")


def newlines(case: Case) -> Iterator[Variant]:
    yield Variant("sigv2-newline", {"layout": lambda parts: "\n".join(parts) + "\n"}, "with a line break at the end")
    yield Variant("sigv2-newline", {"layout": "\r\n".join}, "with CR LF between the lines")
    yield Variant("sigv2-newline", {"layout": "".join}, "without line breaks")
    yield Variant("sigv2-newline", {"layout": lambda parts: "\n".join(filter(None, parts))}, "without the empty lines")
    if case.claim.scheme == "sigv2":
        yield Variant(
            "sigv2-newline",
            {"layout": lambda parts: "\n".join(parts[:3]) + parts[3]},
            "without the line break before the parameters",
        )
        yield Variant("sigv2-newline", {"layout": lambda parts: "\n".join([*parts[:2], parts[3]])}, "without the line of the path")
        yield Variant("sigv2-newline", {"layout": lambda parts: parts[3]}, "with the parameters alone")
        yield Variant(
            "sigv2-newline", {"layout": lambda parts: "\n".join([*parts[:3], f"?{parts[3]}"])}, "with a ? before the parameters"
        )
    else:
        yield Variant(
            "sigv2-newline",
            {"layout": lambda parts: "\n".join(["\n".join(parts[:4]), *parts[4:-1], "", parts[-1]])},
            "with an empty line before the resource",
        )
        yield Variant(
            "sigv2-newline", {"layout": lambda parts: "\n".join([parts[0], *parts[2:]])}, "without the line of Content-MD5"
        )
        yield Variant(
            "sigv2-newline",
            {"layout": lambda parts: "\n".join([parts[0], *parts[3:]])},
            "without the lines of Content-MD5 and Content-Type",
        )
        yield Variant(
            "sigv2-newline", {"layout": lambda parts: "\n".join([*parts[:3], *parts[4:]])}, "without the line of the date"
        )
        yield Variant(
            "sigv2-newline",
            {"layout": lambda parts: "\n".join(parts[:-1]) + parts[-1]},
            "without the line break before the resource",
        )


def policy(case: Case) -> Iterator[Variant]:
    """The policy of a form in another shape than the form has it."""
    given = case.steps["policy"]
    try:
        plain = base64.b64decode(given).decode("latin-1")
    except ValueError:
        return
    lines = "".join(f"{given[at : at + 76]}\n" for at in range(0, len(given), 76))
    others = {
        "as JSON, not as base64": plain,
        "with a line break at its end": f"{given}\n",
        "in lines of 76 characters": lines,
        "in lines of 76 characters, without the last line break": lines[:-1],
        "percent-encoded": quote(given, safe=""),
        "without its padding": given.rstrip("="),
        "without its white space": "".join(given.split()),
    }
    for what, other in others.items():
        if other != given:
            yield Variant("policy-differs", {"policy": other}, f"for the policy {what}")


def signature_encoding(case: Case) -> Iterator[Variant]:
    def form(change: object) -> dict[str, object]:
        return {"form": lambda digest: change(base64_of(digest))}  # type: ignore[operator]

    yield Variant(
        "sigv2-signature-encoding", form(lambda text: text.replace("+", " ")), "with its + not escaped, which arrives as a space"
    )
    yield Variant("sigv2-signature-encoding", form(lambda text: quote(text, safe="")), "escaped twice")
    yield Variant("sigv2-signature-encoding", form(quote), "escaped twice")
    yield Variant("sigv2-signature-encoding", form(lambda text: text.rstrip("=")), "without its padding")
    yield Variant("sigv2-signature-encoding", form(lambda text: text.replace("+", "-").replace("/", "_")), "in the base64 of URLs")
    yield Variant(
        "sigv2-signature-encoding",
        form(lambda text: text.replace("+", "-").replace("/", "_").rstrip("=")),
        "in the base64 of URLs, without padding",
    )
    yield Variant("sigv2-signature-encoding", form(lambda text: f"{text}\n"), "with a line break after it")
    yield Variant("hex-for-base64", {"form": bytes.hex}, "in hex")
    yield Variant(
        "hex-for-base64", {"form": lambda digest: base64.b64encode(digest.hex().encode()).decode()}, "as the base64 of the hex"
    )


def hash_differs(case: Case) -> Iterator[Variant]:
    for name in ("sha1", "sha256", "md5", "sha512"):
        if name != case.steps["hash"]:
            yield Variant("signature-algorithm", {"hash": name}, f"with HMAC-{name.upper()}")


def token(case: Case) -> Iterator[Variant]:
    before = case.steps["query.pairs"]
    if case.claim.token:
        yield Variant(
            "session-token-unsigned",
            {"query.pairs": lambda wire: [p for p in before(wire) if p[0] != "SecurityToken"]},
            "without the session token",
        )


def resource(case: Case) -> Iterator[Variant]:
    request = case.request
    path, query = request.path, request.query
    bucket = bucket_of(request.host)
    first = request.host.partition(".")[0]
    others = {
        "without the bucket": canonical_resource(path, query, None),
        f"with /{first} before the path": canonical_resource(path, query, first),
        "without its sub-resources": canonical_resource(path, "", bucket),
        "with the whole query": f"/{bucket}{path}?{query}" if bucket else f"{path}?{query}",
        "with the path decoded": canonical_resource(decode(path), query, bucket),
        "with the path encoded twice": canonical_resource(quote(path, safe="/~"), query, bucket),
        "with a slash at the end of the path": canonical_resource(f"{path}/", query, bucket),
        "without the slash at the end of the path": canonical_resource(path.rstrip("/"), query, bucket),
        "without the first segment of the path": canonical_resource("/" + path[1:].partition("/")[2], query, None),
    }
    pairs = [pair for pair in query.split("&") if pair]
    signed = canonical_resource("", query, None)[1:]
    if "&" in signed:
        base = canonical_resource(path, "", bucket)
        names = {name.partition("=")[0] for name in signed.split("&")}
        kept = [unquote(pair) for pair in pairs if pair.partition("=")[0] in names]
        others["with its sub-resources in the order of the URL"] = f"{base}?{'&'.join(kept)}"
        for n in range(len(kept)):
            rest = sorted(kept[:n] + kept[n + 1 :])
            others[f"without the sub-resource {kept[n].partition('=')[0]}"] = f"{base}?{'&'.join(rest)}"
    if signed:
        base = canonical_resource(path, "", bucket)
        names_only = "&".join(sorted(name.partition("=")[0] for name in signed.split("&")))
        others["with the names of its sub-resources alone"] = f"{base}?{names_only}"
        others["with the values of its sub-resources escaped"] = f"{base}?" + "&".join(
            sorted(
                pair
                for pair in pairs
                if query_pairs(pair) and query_pairs(pair)[0][0] in {n.partition("=")[0] for n in signed.split("&")}
            )
        )
    for what, other in others.items():
        if other != case.steps["resource"]:
            yield Variant("resource-differs", {"resource": other}, f"with the resource {what}")


def dates(case: Case) -> Iterator[Variant]:
    for name in ("date", "x-amz-date"):
        if (value := case.headers.get(name)) is not None:
            yield Variant("date-line-differs", {"date": value}, f"with the value of {name} on the date line")
            if name == "x-amz-date":
                amz = tuple(line for line in case.steps["amz"] if not line.startswith("x-amz-date:"))
                yield Variant(
                    "date-line-differs", {"date": value, "amz": amz}, "with x-amz-date on the date line in place of its own"
                )
                yield Variant("date-line-differs", {"amz": amz}, "without x-amz-date")
                if date := case.headers.get("date"):
                    yield Variant("date-line-differs", {"date": date, "amz": amz}, "with the Date header, without x-amz-date")
    yield Variant("date-line-differs", {"date": ""}, "with nothing on the date line")
    if case.claim.expires:
        yield Variant("date-line-differs", {"date": f"{case.claim.expires}000"}, "with the end in milliseconds")


def headers(case: Case) -> Iterator[Variant]:
    given = case.steps["type"]
    plain = given.partition(";")[0].strip()
    for value in dict.fromkeys(["", plain, *(plain + charset for charset in CHARSETS if plain), *TYPES]):
        if value != given:
            yield Variant("content-type-changed", {"type": value}, f"with content-type: {value}")
    yield Variant("header-dropped", {"md5": ""}, "without Content-MD5")
    lines = case.steps["amz"]
    raw = [(name.lower(), value if isinstance(value, str) else value.decode("latin-1")) for name, value in case.request.headers]
    order = dict.fromkeys(name for name, _ in raw if name.startswith("x-amz-"))
    by_name = {line.partition(":")[0]: line for line in lines}
    changes = {
        ("header-added", "without the x-amz- headers"): (),
        ("signed-headers-differ", "with the x-amz- headers in the order of the request"): tuple(
            by_name[n] for n in order if n in by_name
        ),
        ("header-not-trimmed", "with a space after each colon"): tuple(line.replace(":", ": ", 1) for line in lines),
        ("header-not-folded", "with runs of spaces made one"): tuple(" ".join(line.split()) for line in lines),
        ("header-name-case", "with the names of headers as written"): tuple(
            f"{next((n for n, _ in case.request.headers if n.lower() == name), name)}{line[len(name) :]}"
            for name, line in by_name.items()
        ),
        ("header-not-trimmed", "with the white space of the values as it is"): tuple(
            f"{name}:{','.join(value for n, value in raw if n == name)}" for name in by_name
        ),
    }
    for (kind, what), amz in changes.items():
        if amz != lines:
            yield Variant(kind, {"amz": amz}, what)
    for n, line in enumerate(lines):
        yield Variant("header-added", {"amz": (*lines[:n], *lines[n + 1 :])}, f"without {line.partition(':')[0]}")
