"""What a request has in it that signers often get wrong: for when nothing can be proved, as without the secret."""

from __future__ import annotations

import re

from ..encoding import fold
from ..s3_sigv2 import is_signed_parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .mistakes import Case

_RAW = re.compile(r"[^A-Za-z0-9\-._~/%]")
_RAW_IN_QUERY = re.compile(r"[^A-Za-z0-9\-._~%=&+]")
_LOWER_HEX = re.compile(r"%(?:[a-f][0-9A-Fa-f]|[0-9A-F][a-f])")
_UNRESERVED = re.compile(r"%(?:2D|2E|5F|7E|3[0-9]|[46][1-9A-F]|[57][0-9A])", re.IGNORECASE)
_MOST = 4


def suspicions(case: Case) -> list[tuple[str, str]]:
    """The kinds, the likelier first, each with what gives rise to it; a few."""
    return list(dict(_all(case)).items())[:_MOST]


def _all(case: Case) -> Iterator[tuple[str, str]]:
    request, query = case.request, case.request.query
    path = request.path
    s3 = case.rules is not None and case.rules.encode == "once"
    segments = path.split("/")[1:]
    if "+" in query:
        yield "plus-for-space", "the query has a +"
    if match := _RAW.search(path):
        yield ("path-encoded-once" if s3 else "path-encoded-twice"), f"the path has a {match[0]!r} that is not escaped"
    if match := _RAW_IN_QUERY.search(query):
        yield "reserved-not-escaped", f"the query has a {match[0]!r} that is not escaped"
    if _LOWER_HEX.search(path + query):
        yield "lower-case-hex", "there are escapes in lower-case hex"
    if match := _UNRESERVED.search(path + query):
        yield "unreserved-escaped", f"there is the escape {match[0]}"
    if "" in segments[:-1] or "." in segments or ".." in segments:
        yield ("path-normalized" if s3 else "path-not-normalized"), "the path has an empty or a dot segment"
    pairs = [pair for pair in query.split("&") if pair]
    names = [pair.partition("=")[0] for pair in pairs]
    if len(names) > len(set(names)):
        yield "duplicate-parameter-dropped", "a parameter stands more than once"
    if any("=" not in pair for pair in pairs):
        yield "valueless-key-without-equals", "a parameter has no ="
    for name, value in request.headers:
        text = value if isinstance(value, str) else value.decode("latin-1")
        if name.lower() in case.claim.signed_headers and fold(text) != text:
            yield "header-not-folded", f"{name} has white space at an end, or runs of it"
        if name.lower() in case.claim.signed_headers and not text.isascii():
            yield "header-encoding", f"{name} is not ASCII"
    if names != sorted(names) and not case.presigned:
        yield "query-not-sorted", "the parameters of the URL are not in order"
    if "~" in path + query:
        yield "unreserved-escaped", "there is a ~"
    if "%" in path and case.rules is not None:
        yield ("path-encoded-twice" if s3 else "path-encoded-once"), "the path has escapes"
    if case.claim.scheme == "s3v2" and any(is_signed_parameter(name) for name in names):
        yield "resource-differs", "the query has sub-resources, which are signed"
    volatile = [
        name for name in case.claim.signed_headers if name in ("accept-encoding", "user-agent", "range", "accept", "connection")
    ]
    if volatile:
        yield "header-rewritten", f"{', '.join(volatile)} is signed, which others rewrite"
