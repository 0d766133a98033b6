"""The query: its order, its empty and repeated parameters, and what clients make of it."""

from __future__ import annotations

import re

from ...encoding import decode, encode
from ...query import query_pairs
from .case import Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..recipe import Pair
    from .case import Case

_MOST_PARAMETERS = 60


def ordered_by(change: object) -> dict[str, object]:
    """The step that orders the parameters."""
    return {"query.order": change}


def order(case: Case) -> Iterator[Variant]:
    yield Variant("query-not-sorted", ordered_by(list), "in the order of the URL")
    if case.presigned:
        yield Variant("query-not-sorted", ordered_by(_ours_last), "with the parameters of the signature after the others")
        yield Variant(
            "query-not-sorted",
            ordered_by(lambda pairs: sorted(_ours_last(pairs), key=lambda pair: pair[0][:6].lower() == "x-amz-")),
            "unsorted",
        )
    yield Variant(
        "query-sorted-decoded",
        ordered_by(lambda pairs: sorted(pairs, key=lambda pair: (decode(pair[0]), decode(pair[1])))),
        "sorted before encoding",
    )
    yield Variant(
        "query-sorted-decoded",
        ordered_by(lambda pairs: sorted(pairs, key=lambda pair: decode(pair[0]))),
        "sorted by names before encoding",
    )
    yield Variant(
        "query-sorted-joined",
        ordered_by(lambda pairs: sorted(pairs, key=lambda pair: f"{pair[0]}={pair[1]}")),
        "sorted as name=value",
    )
    yield Variant(
        "query-sorted-joined",
        ordered_by(lambda pairs: sorted(pairs, key=lambda pair: decode(f"{pair[0]}={pair[1]}"))),
        "sorted as name=value, decoded",
    )
    yield Variant(
        "query-sorted-otherwise", ordered_by(lambda pairs: sorted(pairs, key=lambda pair: pair[0])), "sorted by names alone"
    )
    yield Variant(
        "query-sorted-otherwise",
        ordered_by(lambda pairs: sorted(pairs, key=lambda pair: (pair[0].lower(), pair[1]))),
        "sorted without regard to case",
    )
    yield Variant(
        "query-sorted-otherwise",
        ordered_by(lambda pairs: sorted(pairs, key=lambda pair: pair[0].lower())),
        "sorted by names without regard to case",
    )
    yield Variant(
        "query-sorted-otherwise",
        ordered_by(lambda pairs: sorted(pairs, key=lambda pair: (pair[0], pair[1]), reverse=True)),
        "sorted backwards",
    )


def _ours_last(pairs: list[Pair]) -> list[Pair]:
    return sorted(pairs, key=lambda pair: pair[0].lower().startswith("x-amz-"))


def valueless(case: Case) -> Iterator[Variant]:
    def bare(pair: Pair) -> str:
        return f"{pair[0]}={pair[1]}" if pair[1] or pair[2] else pair[0]

    def bare_if_empty(pair: Pair) -> str:
        return f"{pair[0]}={pair[1]}" if pair[1] else pair[0]

    yield Variant("valueless-key-without-equals", {"query.format": bare}, "without the = of a parameter that has no value")
    yield Variant("valueless-key-without-equals", {"query.format": bare_if_empty}, "without the = of empty parameters")
    yield from empty_dropped(case)


def empty_dropped(case: Case) -> Iterator[Variant]:
    before = case.steps["query.pairs"]
    yield Variant(
        "empty-parameter-dropped", {"query.pairs": lambda wire: [p for p in before(wire) if p[1]]}, "without the empty parameters"
    )
    yield Variant(
        "empty-parameter-dropped",
        {"query.pairs": lambda wire: [p for p in before(wire) if p[1] or p[2]]},
        "without parameters that have no =",
    )


def encoded_otherwise(case: Case) -> Iterator[Variant]:
    """Encoded once more, or not at all; split at each `=`, or with an empty pair between two `&`."""
    before = case.steps["query.pairs"]
    yield Variant(
        "query-encoded-twice", {"query.format": lambda pair: f"{encode(pair[0])}={encode(pair[1])}"}, "with the query encoded twice"
    )
    yield Variant(
        "query-encoded-twice",
        {"query.format": lambda pair: f"{pair[0]}={encode(pair[1])}"},
        "with the values of the query encoded twice",
    )
    yield Variant(
        "query-not-encoded", {"query.format": lambda pair: f"{decode(pair[0])}={decode(pair[1])}"}, "with the query decoded"
    )
    yield Variant(
        "query-not-encoded",
        {"query.format": lambda pair: f"{decode(pair[0])}={decode(pair[1])}", "query.order": _by_plain},
        "with the query decoded, then sorted",
    )
    yield Variant("query-not-encoded", {"query.pairs": _as_sent}, "with the query as it was sent")
    yield Variant(
        "query-not-encoded",
        {"query.pairs": _as_sent, "query.order": list, "query.format": _with_its_equals},
        "with the query as it was sent, not sorted",
    )
    yield Variant(
        "query-not-encoded",
        {"query.pairs": _as_sent, "query.format": _with_its_equals},
        "with the query as it was sent, but for its order",
    )
    yield Variant(
        "query-rewritten",
        {"query.pairs": lambda wire: [(name, value.partition("%3D")[0], has) for name, value, has in before(wire)]},
        "with values cut at their first =",
    )
    if "&&" in case.request.query or case.request.query.endswith("&") or case.request.query.startswith("&"):
        extra = [("", "", False)] * ([*case.request.query.split("&")].count(""))
        yield Variant(
            "query-rewritten",
            {"query.pairs": lambda wire: [*before(wire), *extra]},
            "with the empty piece between two & as a parameter",
        )
        yield Variant(
            "query-rewritten",
            {
                "query.pairs": lambda wire: [*before(wire), *extra],
                "query.format": lambda pair: f"{pair[0]}={pair[1]}" if any(pair[:2]) else "",
            },
            "with nothing between two &, as it was sent",
        )
        yield Variant(
            "query-not-encoded",
            {"query.pairs": lambda wire: [(wire, "", False)], "query.format": lambda pair: pair[0]},
            "with the query as it was sent",
        )


def _by_plain(pairs: list[Pair]) -> list[Pair]:
    return sorted(pairs, key=lambda pair: (decode(pair[0]), decode(pair[1])))


def _as_sent(wire: str) -> list[Pair]:
    found = []
    for pair in wire.split("&"):
        name, equals, value = pair.partition("=")
        if pair and name.lower() != "x-amz-signature":
            found.append((name, value, bool(equals)))
    return found


def _with_its_equals(pair: Pair) -> str:
    return f"{pair[0]}={pair[1]}" if pair[2] else pair[0]


def duplicates(case: Case) -> Iterator[Variant]:
    before = case.steps["query.pairs"]

    def last(wire: str) -> list[Pair]:
        return list({pair[0]: pair for pair in before(wire)}.values())

    def first(wire: str) -> list[Pair]:
        return list({pair[0]: pair for pair in reversed(before(wire))}.values())[::-1]

    def joined(wire: str) -> list[Pair]:
        values: dict[str, str] = {}
        for name, value, _ in before(wire):
            values[name] = f"{values[name]}%2C{value}" if name in values else value
        return [(name, value, True) for name, value in values.items()]

    yield Variant("duplicate-parameter-dropped", {"query.pairs": last}, "with the last of each repeated parameter alone")
    yield Variant("duplicate-parameter-dropped", {"query.pairs": first}, "with the first of each repeated parameter alone")
    yield Variant(
        "duplicate-parameter-dropped", {"query.pairs": joined}, "with the values of repeated parameters joined by a comma"
    )
    yield Variant(
        "duplicate-parameter-dropped", {"query.pairs": lambda wire: list(dict.fromkeys(before(wire)))}, "with equal parameters once"
    )


def parameter_added(case: Case) -> Iterator[Variant]:
    before = case.steps["query.pairs"]
    pairs = before(case.steps["query"])
    if len(pairs) > _MOST_PARAMETERS:
        return
    for n, pair in enumerate(pairs):
        if case.presigned and pair[0].lower() in _SIGNATURE:
            continue
        yield Variant(
            "parameter-added",
            {"query.pairs": lambda wire, n=n: [p for m, p in enumerate(before(wire)) if m != n]},
            f"without the parameter {decode(pair[0])[:60]}",
        )
    # Those that stand behind the signature.
    names = [name.lower() for name, _ in query_pairs(case.request.query)]
    if case.presigned and "x-amz-signature" in names:
        own = names.index("x-amz-signature")
        later = set(names[own + 1 :])
        if len(later) > 1:
            yield Variant(
                "parameter-added",
                {"query.pairs": lambda wire: [p for p in before(wire) if decode(p[0]).lower() not in later]},
                "without the parameters behind X-Amz-Signature",
            )


_SIGNATURE = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders")


_USUAL_EXPIRES = ("60", "300", "600", "900", "1800", "3600", "7200", "14400", "21600", "43200", "86400", "172800", "604800")


def parameter_edited(case: Case) -> Iterator[Variant]:
    """X-Amz-Expires, which people edit to make a URL last longer."""
    before = case.steps["query.pairs"]
    for seconds in _USUAL_EXPIRES if case.presigned else ():
        if seconds != case.claim.expires:
            yield Variant(
                "query-rewritten",
                {"query.pairs": lambda wire, s=seconds: [(n, s if n == "X-Amz-Expires" else v, has) for n, v, has in before(wire)]},
                f"with X-Amz-Expires={seconds}",
                rare=True,
            )


def not_signed(case: Case) -> Iterator[Variant]:
    if case.request.query and not case.presigned:
        yield Variant("query-not-signed", {"query": ""}, "without the query")
    elif case.presigned:
        before = case.steps["query.pairs"]
        yield Variant(
            "query-not-signed",
            {"query.pairs": lambda wire: [p for p in before(wire) if p[0].lower() in (*_SIGNATURE, "x-amz-security-token")]},
            "with the parameters of the signature alone",
        )


def requoted(case: Case) -> Iterator[Variant]:
    """What a client may have made of a URL: undone here, to see whether the signature is that of what was before."""
    if not case.presigned:
        return
    kind = "presigned-url-requoted"
    path, query = case.request.path, case.request.query
    befores = {
        "quoted once more": (path, _unquoted(query)),
        "quoted once more, its path too": (_unquoted(path), _unquoted(query)),
        "quoted once more in its path": (_unquoted(path), query),
        "with + for %2B": (path.replace("+", "%2B"), query.replace("+", "%2B")),
        "with its + unquoted to spaces": (path, query.replace("%20", "%2B").replace("+", "%2B")),
        "with its & as &amp;": (path, query.replace("&amp;", "&")),
        "unquoted in its path": (path.replace("%", "%25"), query),
        "with line breaks or spaces in it": (re.sub(r"%0[AD]|%20$|\s", "", path), re.sub(r"%0[AD]|%20$|\s", "", query)),
    }
    for what, (old_path, old_query) in befores.items():
        if (old_path, old_query) != (path, query):
            yield Variant(kind, {"path": old_path, "query": old_query}, f"before the URL was {what}" if " " in what else what)
    if "%25" in query or "+" in query or "%20" in query:
        before = case.steps["query.pairs"]
        yield Variant(
            kind,
            {
                "query.pairs": lambda wire: [
                    (encode(decode(decode(n))), encode(decode(decode(v))), has) for n, v, has in before(wire)
                ]
            },
            "before the URL was quoted once more",
        )


def _unquoted(text: str) -> str:
    return text.replace("%25", "%")
