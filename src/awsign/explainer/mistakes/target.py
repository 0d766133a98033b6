"""The method and the path."""

from __future__ import annotations

import re

from ...encoding import decode, encode_path, reencode_path, remove_dot_segments, remove_dots
from .case import Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case

_METHODS = ("GET", "PUT", "POST", "HEAD", "DELETE", "PATCH", "OPTIONS")


def other_method(case: Case) -> Iterator[Variant]:
    kind = "presigned-for-another-method" if case.presigned and case.claim.scheme != "sigv2" else "wrong-method"
    for method in _METHODS:
        if method != case.request.method:
            yield Variant(kind, {"method": method}, f"for {method}, and the request is a {case.request.method}")
    yield Variant("wrong-method", {"method": case.request.method.lower()}, "with the method in lower case")


def encoded_twice(case: Case) -> Iterator[Variant]:
    if case.rules is None:
        return
    if case.rules.encode == "once":
        yield Variant(
            "path-encoded-twice", {"path.rule": lambda wire: encode_path(wire) or "/"}, "with each % of the path escaped once more"
        )
        yield Variant(
            "path-encoded-twice", {"path.rule": lambda wire: encode_path(reencode_path(wire))}, "with the path encoded twice"
        )
        yield Variant(
            "path-encoded-twice",
            {"path.rule": lambda wire: encode_path(_lower_hex(wire))},
            "with escapes in lower case, escaped once more",
        )
        yield Variant(
            "path-encoded-twice",
            {"path.rule": lambda wire: encode_path(remove_dot_segments(wire)) or "/"},
            "by the rules of other services than S3: normalized and encoded twice",
        )
    else:
        yield Variant(
            "path-encoded-twice",
            {"path.rule": lambda wire: encode_path(encode_path(remove_dot_segments(wire)))},
            "encoded once more than twice",
        )


def encoded_once(case: Case) -> Iterator[Variant]:
    """Once too little: the path as it stands on the wire for services that encode it once more, the plain key for S3."""
    if case.rules is None:
        return
    normalize = remove_dot_segments if case.rules.path == "normalize" else str
    if case.rules.encode == "twice":
        yield Variant("path-encoded-once", {"path.rule": lambda wire: normalize(wire) or "/"}, "with the path as it is on the wire")
        yield Variant(
            "path-encoded-once", {"path.rule": lambda wire: reencode_path(normalize(wire)) or "/"}, "with the path encoded once"
        )
        yield Variant(
            "path-encoded-once",
            {"path.rule": lambda wire: reencode_path(wire) or "/"},
            "by the rules of S3: encoded once, not normalized",
        )
    else:
        yield Variant("path-encoded-once", {"path.rule": lambda wire: wire or "/"}, "with the path as it is on the wire")
    yield Variant(
        "path-encoded-once", {"path.rule": lambda wire: decode(normalize(wire)) or "/"}, "with the path not encoded at all"
    )


def normalized(case: Case) -> Iterator[Variant]:
    if case.rules is None or case.rules.path == "normalize":
        return
    yield Variant(
        "path-normalized", {"path.rule": lambda wire: reencode_path(remove_dot_segments(wire))}, "without empty and dot segments"
    )
    yield Variant(
        "path-normalized",
        {"path.rule": lambda wire: reencode_path(re.sub("/{2,}", "/", wire))},
        "with each run of slashes made one",
    )
    yield Variant("path-normalized", {"path.rule": lambda wire: reencode_path(wire.replace("//", "/"))}, "with // made /")
    yield Variant("path-normalized", {"path.rule": lambda wire: reencode_path(remove_dots(wire))}, "without dot segments")


def not_normalized(case: Case) -> Iterator[Variant]:
    if case.rules is None or case.rules.path != "normalize":
        return
    encode = encode_path if case.rules.encode == "twice" else reencode_path
    yield Variant("path-not-normalized", {"path.rule": lambda wire: encode(wire) or "/"}, "with every segment of the path as it is")
    yield Variant(
        "path-not-normalized", {"path.rule": lambda wire: encode(wire.replace("//", "/"))}, "with // made / once, dots left"
    )
    yield Variant(
        "path-not-normalized", {"path.rule": lambda wire: encode(re.sub("/{2,}", "/", wire))}, "with slashes made one, dots left"
    )
    yield Variant(
        "path-not-normalized", {"path.rule": lambda wire: encode(remove_dots(wire))}, "with dot segments removed, empty ones left"
    )


def _lower_hex(path: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), path)


def collapsed_on_the_way(case: Case) -> Iterator[Variant]:
    """A path whose `//` became `/` after it was signed: one of its slashes was two."""
    path = case.request.path
    for at in [match.start() for match in re.finditer("/", path)][:40]:
        yield Variant(
            "path-normalized",
            {"path": f"{path[:at]}/{path[at:]}"},
            f"for {path[:at]}//..., of which one slash was taken away on the way",
        )


def rewritten(case: Case) -> Iterator[Variant]:
    """The path changed between signer and service: what is plausible of a proxy, a mapped domain, a bucket's two styles."""
    path = case.request.path
    others: dict[str, str] = {}
    first, _, rest = path[1:].partition("/")
    if rest or path.endswith("/"):
        others[f"/{rest}"] = f"without /{first}"
    if path.endswith("/") and path != "/":
        others[path.rstrip("/")] = "without the slash at its end"
    else:
        others[f"{path}/"] = "with a slash at its end"
    label = case.request.host.partition(".")[0]
    if not re.fullmatch(r"[\d:\[\]]+|localhost.*", label):
        others[f"/{label}{path}"] = f"with /{label} before it"
    prefix = case.headers.get("x-forwarded-prefix", "").rstrip("/")
    if prefix:
        others[f"{prefix}{path}"] = f"with {prefix} before it"
    for stage in ("prod", "dev", "stage", "v1", "api", "$default"):
        others[f"/{stage}{path}"] = f"with /{stage} before it"
    for mark in (";", "%3B", "%23", "%3F"):
        if mark in path:
            others[path.partition(mark)[0]] = f"cut at {decode(mark)}"
    others["/"] = "as / alone"
    others[""] = "as nothing, not /"
    for other, what in others.items():
        if other != path:
            yield Variant(
                "path-rewritten",
                {"path": other} if other else {"path": "", "path.rule": str},
                f"with the path {what}",
                rare="before it" in what,
            )
